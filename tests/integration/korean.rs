//! What Korean readers get: from the option and from the locale, and never what programs get.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Standard output of the program with these variables and nothing else in its environment.
fn printed(environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_canreach"))
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn is_korean(text: &str) -> bool {
    text.chars().any(|c| ('가'..='힣').contains(&c))
}

#[test]
fn the_option_wins_over_the_locale_and_the_locale_over_nothing() {
    let check = |environment: &[(&str, &str)], options: &[&str], expected: bool| {
        let arguments = [&["check", "examples/nat-no-forward"], options].concat();
        assert_eq!(is_korean(&printed(environment, &arguments)), expected, "{environment:?} {options:?}");
    };
    check(&[], &[], false);
    check(&[], &["--lang", "ko"], true);
    check(&[("LANG", "ko_KR.UTF-8")], &[], true);
    check(&[("LANG", "ko_KR.UTF-8")], &["--lang", "en"], false);
    check(&[("LANG", "C.UTF-8"), ("LC_MESSAGES", "ko_KR.UTF-8")], &[], true);
    check(&[("LANG", "ko_KR.UTF-8"), ("LC_MESSAGES", "C")], &[], false);
    check(&[("LC_ALL", "en_US.UTF-8"), ("LANG", "ko_KR.UTF-8")], &[], false);
    check(&[("LC_ALL", ""), ("LANG", "ko_KR.UTF-8")], &[], true);
}

#[test]
fn what_programs_read_is_the_same_in_every_language() {
    for arguments in [
        &["--format", "json", "check", "examples/two-networks"][..],
        &["--format", "json", "exposure", "examples/production"],
        &["--format", "json", "fix", "examples/no-publish"],
        &["check", "examples/learning", "--emit", "dataplane"],
        &["rules", "examples/firewalld-published", "rocky"],
        &["infer", "examples/production"],
    ] {
        let english = printed(&[("LANG", "C.UTF-8")], arguments);
        assert_eq!(english, printed(&[("LANG", "ko_KR.UTF-8")], arguments), "{arguments:?}");
        assert!(!english.is_empty());
    }
}

#[test]
fn what_a_korean_person_reads() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/korean");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, arguments) in [
        ("nat-no-forward", &["check", "examples/nat-no-forward"][..]),
        ("wrong-container-port", &["check", "examples/wrong-container-port"]),
        ("two-networks", &["check", "examples/two-networks"]),
        ("firewalld-published", &["check", "examples/firewalld-published"]),
        ("exposure", &["exposure", "examples/nat-forward-exposes-lan"]),
        ("fix", &["fix", "examples/no-publish"]),
        ("diff", &["diff", "examples/no-publish", "examples/wrong-container-port"]),
        ("lint", &["lint", "examples/app-on-loopback"]),
        ("first-look", &["check", "docs/shop/compose.yaml"]),
        ("probe", &["probe", "examples/nat-no-forward"]),
        ("trace", &["trace", "examples/learning", "--from", "mac", "--to", "127.0.0.1", "--port", "3000"]),
    ] {
        let text = printed(&[("LANG", "ko_KR.UTF-8")], arguments);
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

/// What is called like this in every language: what programs print, commands, notation of charts, what is to be filled in,
/// sources.
const SAID_AS_IT_IS: &[&str] = &[
    "connection refused",
    "connection reset",
    "empty reply",
    "port unreachable",
    "timed out",
    "no route to host",
    "network is unreachable",
    "ICMP administratively prohibited",
    "classDef guard",
    "classDef stop",
    "classDef works",
    "classDef blocked",
    "flowchart LR",
    "VBoxManage showvminfo",
    "docker network connect lab",
    "sudo nsenter",
    "works refused reset timeout no-route unreachable unresolved",
    "listening nothing",
    "help moby",
    "VirtualBox manual",
];

/// What rules of docker and firewalld are still called in English: the wording stands with their models.
const STILL_ENGLISH: &[&str] =
    &["no direct access to", "from outside network", "target of policy", "target of zone", "any other host"];

/// Words of the field that stand beside names.
const NAMES: [&str; 10] = ["internet", "tcp", "udp", "http", "https", "localhost", "NAT", "docker", "bridge", "IP"];

/// Runs of English words in a text for a Korean reader that the lab's files do not have, outside of code and of sources.
fn left_in_english(text: &str, files: &BTreeSet<String>) -> BTreeSet<String> {
    let mut left = BTreeSet::new();
    for line in text.lines() {
        // Sources stand in brackets, commands behind a prompt or behind the machine that they are for.
        let line = line.split_once(" [").map_or(line, |(before, _)| before).trim_start();
        let is_command = line.starts_with("$ ") || line.starts_with("on ");
        // Between backticks stands what is to be typed or stands in a file.
        let said: Vec<&str> = line.split('`').step_by(2).filter(|_| !is_command).collect();
        let said = said.join(" · ");
        let words: Vec<&str> = said.split(' ').map(|word| word.trim_matches(['(', ')', ',', '.', ':', ';'])).collect();
        let is_english = |word: &str| {
            !word.is_empty()
                && word.chars().all(|c| c.is_ascii_alphabetic())
                && !files.contains(word)
                && !NAMES.contains(&word)
        };
        for run in words.split(|word| !is_english(word)).filter(|run| 1 < run.len()) {
            let run = run.join(" ");
            if !SAID_AS_IT_IS.iter().chain(STILL_ENGLISH).any(|known| known.contains(&run)) {
                left.insert(run);
            }
        }
    }
    left
}

/// The texts of a page, without its style, its script and what is quoted.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let before_script = html.split("<script>").next().unwrap();
    for part in before_script.split('<').skip(1) {
        let (tag, said) = part.split_once('>').unwrap_or((part, ""));
        let is_quoted = ["style", "script", "code", "pre", "i", "b", "mark"].contains(&tag.split(' ').next().unwrap());
        let goes_on = ["b", "code", "/b", "/code"].contains(&tag);
        text += if goes_on { " · " } else { "\n" };
        text += if is_quoted { "" } else { said };
    }
    text
}

/// Every word that is written in the files of a lab.
fn words(directory: &Path) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            words.extend(self::words(&path));
        } else {
            let text = fs::read_to_string(path).unwrap_or_default();
            words.extend(text.split(|c: char| !c.is_ascii_alphabetic()).map(str::to_owned));
        }
    }
    words
}

/// The labs of `examples/` in every output that people read, in their words.
#[test]
fn nothing_that_people_read_is_left_in_english() {
    let mut left = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = fs::read_dir(root.join("examples")).unwrap().map(|entry| entry.unwrap().path());
    for directory in examples.filter(|path| path.is_dir()) {
        let lab = directory.strip_prefix(root).unwrap().to_str().unwrap();
        let files = words(&directory);
        for arguments in [
            &["check", lab][..],
            &["--format", "markdown", "check", lab],
            &["lint", lab],
            &["fix", lab],
            &["probe", lab],
            &["report", lab],
        ] {
            let text = printed(&[("LANG", "ko_KR.UTF-8")], arguments);
            let text = if arguments[0] == "report" { without_tags(&text) } else { text };
            let found = left_in_english(&text, &files).into_iter();
            left.extend(found.map(|run| format!("{run}  ({})", arguments.join(" "))));
        }
    }
    assert!(left.is_empty(), "{left:#?}");
}
