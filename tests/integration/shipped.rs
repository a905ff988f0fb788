//! What makes the program fit in: completions, a manual page, schemas, and a check that goes on.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cli::canreach_in;
use crate::support::Directory;

fn canreach(arguments: &[&str]) -> String {
    let run = canreach_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout
}

/// Every command that `--help` lists.
fn commands() -> Vec<String> {
    let help = canreach(&["--help"]);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    listed.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

#[test]
fn shells_complete_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = canreach(&["completions", shell]);
        let commands = commands();
        assert!(commands.len() > 15, "{commands:?}");
        for command in commands {
            assert!(script.contains(&command), "{shell} does not complete `{command}`");
        }
    }
}

#[test]
fn the_manual_page_has_every_command() {
    let page = canreach(&["man"]);
    assert!(page.starts_with(".ie") || page.contains(".TH canreach 1"), "{page}");
    for command in commands().iter().filter(|command| *command != "help") {
        assert!(page.contains(&format!(".SH {}\n", command.to_uppercase())), "`{command}` is missing");
    }
}

#[test]
fn schemas_are_at_hand() {
    for (name, title) in
        [("lab", "lab.yaml of canreach"), ("sentences", "sentences of canreach"), ("report", "canreach/1")]
    {
        let schema: Value = serde_json::from_str(&canreach(&["schema", name])).unwrap();
        assert_eq!(schema["title"], title);
    }
}

#[test]
fn a_change_is_checked_again() {
    let compose = |port: &str| format!("services: {{web: {{image: nginx, ports: [\"{port}:80\"]}}}}\n");
    let lab = Directory::with(&[
        ("compose.yaml", compose("8080").as_bytes()),
        ("specs/a.yaml", b"- lan can reach web:80 at 192.168.1.100:8080\n"),
    ]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_canreach"))
        .args(["check", "--watch"])
        .current_dir(lab.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut next = |wanted: &str| {
        let line = lines.find(|line| line.contains("sentence:") || line.contains("no sentence"));
        assert!(line.as_deref().is_some_and(|line| line.contains(wanted)), "{line:?}");
        lines.find(|line| line.starts_with("watching"));
    };
    next("1 holds");
    fs::write(lab.path().join("compose.yaml"), compose("18081")).unwrap();
    next("1 violated");
    fs::remove_file(lab.path().join("specs/a.yaml")).unwrap();
    next("no sentence");
    child.kill().unwrap();
    child.wait().unwrap();
}
