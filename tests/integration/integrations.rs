//! The files by which others use this program: the action, the hooks, the image.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_yaml::Value;

use crate::cli::canreach_in;
use crate::support::Directory;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn yaml(name: &str) -> Value {
    serde_yaml::from_str(&fs::read_to_string(root().join(name)).unwrap()).unwrap()
}

/// A step of the action; `run` is the one that runs the program.
fn step(id: &str) -> Value {
    let steps = yaml("action.yml")["runs"]["steps"].as_sequence().unwrap().clone();
    steps.into_iter().find(|step| step["id"] == id).unwrap()
}

/// A step's script as a runner starts it.
fn bash(id: &str) -> Command {
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step(id)["run"].as_str().unwrap()]);
    bash
}

/// Runs that step's script as a runner would, with these inputs: exit code, log, and the step's outputs.
fn act(directory: &Path, inputs: &[(&str, &str)]) -> (i32, String, String) {
    let bin = directory.join("canreach/bin");
    fs::create_dir_all(&bin).unwrap();
    let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_canreach"), bin.join("canreach"));
    let outputs = directory.join("outputs");
    fs::write(&outputs, "").unwrap();
    let mut bash = bash("run");
    bash.current_dir(directory).env("RUNNER_TEMP", directory).env("GITHUB_OUTPUT", &outputs);
    let declared = yaml("action.yml")["inputs"].clone();
    for (name, value) in step("run")["env"].as_mapping().unwrap() {
        let input = value.as_str().unwrap().trim_start_matches("${{ inputs.").trim_end_matches(" }}");
        let given = inputs.iter().find(|(name, _)| *name == input).map(|(_, value)| *value);
        bash.env(name.as_str().unwrap(), given.unwrap_or_else(|| declared[input]["default"].as_str().unwrap()));
    }
    let output = bash.output().unwrap();
    let log = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), log, fs::read_to_string(outputs).unwrap())
}

fn lab() -> Directory {
    let compose = b"services: {web: {image: nginx, ports: [\"8080:80\"]}}\n".as_slice();
    let sentences = b"sentences: [lan cannot reach web:80]\n".as_slice();
    Directory::with(&[("lab/compose.yaml", compose), ("lab/specs/a.yaml", sentences)])
}

#[test]
fn the_action_annotates_and_fails() {
    let lab = lab();
    let (code, log, outputs) = act(lab.path(), &[("paths", "lab\n\n")]);
    assert_eq!((code, outputs.as_str()), (1, "exit-code=1\n"), "{log}");
    assert!(log.contains("::error file=lab/compose.yaml,line=1"), "{log}");
}

#[test]
fn the_action_writes_what_is_asked_for() {
    let lab = lab();
    let (code, log, outputs) = act(lab.path(), &[("paths", "lab"), ("format", "sarif"), ("fail", "false")]);
    assert_eq!((code, outputs.as_str()), (0, "file=canreach.sarif\nexit-code=1\n"), "{log}");
    assert!(fs::read_to_string(lab.path().join("canreach.sarif")).unwrap().contains("\"2.1.0\""));
}

#[test]
fn the_action_takes_no_input_for_a_command() {
    let lab = lab();
    let (code, log, _) =
        act(lab.path(), &[("paths", "$(touch made)\n--help\n; touch made"), ("output", "a; touch made")]);
    assert_eq!(code, 2, "{log}");
    assert!(!lab.path().join("made").exists());
    let (code, log, _) = act(lab.path(), &[("command", "fix --apply")]);
    assert!(code == 2 && log.contains("check or lint"), "{log}");
}

/// What the action keeps is found again by this, and only as long as nothing has changed.
#[test]
fn the_action_knows_its_own_source() {
    let hash = |source: &Directory| {
        let directory = lab();
        let outputs = directory.path().join("outputs");
        let status = bash("source").env("GITHUB_ACTION_PATH", source.path()).env("GITHUB_OUTPUT", &outputs).status();
        assert!(status.unwrap().success());
        fs::read_to_string(outputs).unwrap().strip_prefix("hash=").unwrap().trim().to_owned()
    };
    let source = |text: &'static [u8]| Directory::with(&[("src/a b.rs", text), ("Cargo.lock", b"")]);
    let one = hash(&source(b"1"));
    assert_eq!(one.len(), 64);
    assert_eq!(one, hash(&source(b"1")));
    assert_ne!(one, hash(&source(b"2")));
}

#[test]
fn the_hooks_call_what_there_is() {
    for hook in yaml(".pre-commit-hooks.yaml").as_sequence().unwrap() {
        let words: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').collect();
        let lab = lab();
        let run = canreach_in(&lab.path().join("lab"), &words[1..]);
        assert!(words[0] == "canreach" && [0, 1].contains(&run.code), "{words:?}: {}{}", run.stdout, run.stderr);
    }
}

/// The files that are for other programs are nothing to this one.
#[test]
fn own_files_are_no_lab() {
    let mut files = vec![("run.sh", b"docker run -d -p 8080:80 nginx\n".to_vec())];
    for name in ["Dockerfile", "action.yml", ".pre-commit-hooks.yaml", ".dockerignore"] {
        files.push((name, fs::read(root().join(name)).unwrap()));
    }
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_slice())).collect();
    let lab = Directory::with(&files);
    canreach_in(lab.path(), &["lint"]).check(0, &["nothing to warn of"]);
}
