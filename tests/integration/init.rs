//! A drafted lab.yaml states what was assumed before, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::canreach_in;
use crate::support::Directory;

/// Every file below a directory that is not lab.yaml, by relative path.
fn files_below(directory: &Path, root: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    let entries: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    for path in entries {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files_below(&path, root, found);
        } else if name != "lab.yaml" {
            found.push((name, fs::read(&path).unwrap()));
        }
    }
}

/// Files without a lab.yaml -> what the draft has to say; the dataplane is the same with it and without.
fn check(files: &[(&str, &[u8])], wanted: &[&str]) {
    let lab = Directory::with(files);
    let dataplane = || {
        let run = canreach_in(lab.path(), &["check", "--emit", "dataplane"]);
        let place = |line: &str| line.split("  # ").next().unwrap_or_default().to_owned();
        run.stdout.lines().map(place).collect::<Vec<_>>()
    };
    let before = dataplane();
    assert!(!before.is_empty());
    canreach_in(lab.path(), &["init"]).check(0, wanted);
    assert_eq!(dataplane(), before);
    canreach_in(lab.path(), &["init"]).check(2, &["lab.yaml` is there already"]);
}

#[test]
fn a_draft_changes_nothing_in_any_example() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for example in fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let mut files = Vec::new();
        files_below(&example, &example, &mut files);
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
        check(&files, &["hosts:", "sentences:"]);
    }
}

#[test]
fn a_draft_says_what_is_assumed() {
    let compose = b"services: {web: {image: nginx, ports: [\"8080:80\"]}}\n".as_slice();
    let expected = [
        "  lan: {subnet: 192.168.1.0/24, gateway: 192.168.1.1, kind: lan}  # assumed",
        "  host:  # assumed\n    os: linux\n    files: [compose.yaml]\n",
        "      eth0: {network: lan, address: 192.168.1.100/24}  # assumed",
        "  # - lan can reach web:80",
    ];
    check(&[("compose.yaml", compose)], &expected);
    check(&[("my files/compose.yaml", compose)], &["files: [\"my files/compose.yaml\"]"]);
}

#[test]
fn a_draft_can_be_looked_at_first() {
    let lab = Directory::with(&[("compose.yaml", b"services: {web: {image: nginx}}\n")]);
    canreach_in(lab.path(), &["init", "--print", "compose.yaml"]).check(0, &["hosts:"]);
    assert!(!lab.path().join("lab.yaml").exists());
}
