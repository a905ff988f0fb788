//! What README.md, README.ko.md and the first page of the book show is what the program prints.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Every console block: a call, and its output from the beginning; `…` stands for lines that are left out.
#[test]
fn the_output_in_the_readme_is_real() {
    check("README.md", "C.UTF-8");
    check("README.ko.md", "ko_KR.UTF-8");
    check("docs/getting-started.md", "C.UTF-8");
}

/// What stands in code in the first column of the table under a heading.
fn listed(page: &str, heading: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let rows = text.lines().skip_while(|line| *line != heading).skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).filter_map(|row| row.split('|').nth(1));
    rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn both_list_the_same_commands() {
    let english = listed("README.md", "### Commands");
    assert!(english.len() > 20, "{english:?}");
    assert_eq!(english, listed("README.ko.md", "### 명령"));
}

/// Every command that there is has a row, in both.
#[test]
fn every_command_is_listed() {
    let listed = listed("README.md", "### Commands").join("\n");
    let help = Command::new(env!("CARGO_BIN_EXE_canreach")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for command in commands.filter_map(|line| line.split_whitespace().next()).filter(|command| *command != "help") {
        assert!(listed.split_whitespace().any(|word| word == command), "`{command}` is not in README.md");
    }
}

fn check(page: &str, locale: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(page)).unwrap();
    let blocks: Vec<&str> = text.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let (call, shown) = block.split_once('\n').unwrap();
        let arguments = words(call.strip_prefix("$ canreach ").unwrap());
        let mut canreach = Command::new(env!("CARGO_BIN_EXE_canreach"));
        canreach.args(arguments).current_dir(root).env("LANG", locale);
        let output = canreach.env_remove("LC_ALL").output().unwrap();
        let real = String::from_utf8(output.stdout).unwrap();
        assert!(is_shown(&real, shown), "{call} prints now\n{real}");
    }
}

/// The words of a call; what stands in quotes is one.
fn words(call: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for (index, part) in call.split('"').enumerate() {
        match index % 2 {
            1 => words.push(part),
            _ => words.extend(part.split_whitespace()),
        }
    }
    words
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
