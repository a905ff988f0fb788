//! What README.md and README.ko.md show is what the program prints.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Every console block: a call, and its output from the beginning; `…` stands for lines that are left out.
#[test]
fn the_output_in_the_readme_is_real() {
    check("README.md", "C.UTF-8");
    check("README.ko.md", "ko_KR.UTF-8");
}

fn check(page: &str, locale: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(page)).unwrap();
    let blocks: Vec<&str> = text.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let (call, shown) = block.split_once('\n').unwrap();
        let arguments = call.strip_prefix("$ canreach ").unwrap().split(' ');
        let mut canreach = Command::new(env!("CARGO_BIN_EXE_canreach"));
        canreach.args(arguments).current_dir(root).env("LANG", locale);
        let output = canreach.env_remove("LC_ALL").output().unwrap();
        let real = String::from_utf8(output.stdout).unwrap();
        assert!(is_shown(&real, shown), "{call} prints now\n{real}");
    }
}

/// The pieces between the `…` stand in the output, one behind the other, from its beginning to its end.
fn is_shown(real: &str, shown: &str) -> bool {
    let mut pieces: Vec<&str> = shown.split("…\n").collect();
    let end = pieces.pop().unwrap_or("");
    let mut rest = real;
    for (index, piece) in pieces.iter().enumerate() {
        match rest.find(piece) {
            Some(at) if index > 0 || at == 0 => rest = &rest[at + piece.len()..],
            _ => return false,
        }
    }
    if pieces.is_empty() { rest == end } else { rest.ends_with(end) }
}
