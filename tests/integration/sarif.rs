//! `--format sarif`: the log passes the standard's schema, and says what the verdicts say.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::canreach_in;
use crate::support::{Directory, valid};

const SCHEMA: &str = include_str!("../schema/sarif-2.1.0.json");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The log of one call, after it has passed the schema.
fn log(directory: &Path, arguments: &[&str]) -> Value {
    let run = canreach_in(directory, &[arguments, &["--format", "sarif"]].concat());
    let log = run.json();
    // One of the standard's patterns, for a property that is not written, is no regular expression.
    let schema = SCHEMA.replace("^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$", "");
    valid(&serde_json::from_str(&schema).unwrap(), &log, &arguments.join(" "));
    log
}

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().unwrap()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value:#}"))
}

/// `file:line` of a location.
fn place(location: &Value) -> String {
    let physical = &location["physicalLocation"];
    format!("{}:{}", text(physical, "/artifactLocation/uri"), physical["region"]["startLine"])
}

fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

#[test]
fn every_example_passes_the_schema_and_points_into_its_files() {
    for path in examples() {
        let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        for command in ["check", "lint"] {
            let log = log(root(), &[command, &path]);
            for result in results(&log) {
                let location = &result["locations"][0]["physicalLocation"];
                let file = root().join(text(location, "/artifactLocation/uri"));
                let lines = fs::read_to_string(&file).unwrap().lines().count();
                assert!(location["region"]["startLine"].as_u64().unwrap() <= lines as u64, "{result:#}");
                let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
                assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
            }
        }
    }
}

#[test]
fn bad_input_and_pages_with_several_labs_pass_the_schema() {
    for name in ["broken-xml", "korean", "latin1", "empty", "missing-file"] {
        log(&root().join("tests/fixtures/bad").join(name), &["check"]);
    }
    log(root(), &["check", "specs/docker-publish.md"]);
}

/// The steps of the wrong connection, as a person would follow them in the files.
#[test]
fn the_packet_is_followed_through_the_lines() {
    let log = log(root(), &["check", "examples/nat-forward-exposes-lan"]);
    let [result] = results(&log).as_slice() else { panic!("{log:#}") };
    assert_eq!(text(result, "/ruleId"), "canreach::sentence::exposed");
    assert_eq!(place(&result["locations"][0]), "examples/nat-forward-exposes-lan/rocky.vbox:38");
    let steps = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
    let step = |step: &Value| {
        let place = place(&step["location"]).replace("examples/nat-forward-exposes-lan/", "");
        format!("{place} {}", text(step, "/location/message/text"))
    };
    let steps: Vec<String> = steps.iter().map(step).collect();
    for expected in [
        "rocky.vbox:38 mac hands it to NAT forward to rocky",
        "setup.sh:10 rocky rewrites destination 10.0.2.15:3000 to 172.17.0.2:3000",
        "setup.sh:10 rocky/grafana delivers it to grafana",
    ] {
        assert!(steps.iter().any(|step| step == expected), "{expected} is missing in {steps:#?}");
    }
    let related: Vec<String> = result["relatedLocations"].as_array().unwrap().iter().map(place).collect();
    assert!(related.contains(&"examples/nat-forward-exposes-lan/lab.yaml:20".to_owned()), "{related:?}");
}

/// A text with the replacements of a fix made in it, from the last to the first.
fn replaced(text: &str, replacements: &[Value]) -> String {
    let offset = |line: &Value, column: &Value| {
        let (line, column) = (line.as_u64().unwrap() as usize, column.as_u64().unwrap() as usize);
        let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        before + text[before..].chars().take(column - 1).map(char::len_utf8).sum::<usize>()
    };
    let mut new = text.to_owned();
    for replacement in replacements.iter().rev() {
        let region = &replacement["deletedRegion"];
        let start = offset(&region["startLine"], &region["startColumn"]);
        let end = offset(&region["endLine"], &region["endColumn"]);
        new.replace_range(start..end, replacement.pointer("/insertedContent/text").unwrap().as_str().unwrap());
    }
    new
}

/// Each fix is made in a copy, from what the log says alone; the result must be gone then.
#[test]
fn the_fixes_work() {
    let mut made = 0;
    for path in examples() {
        let before = log(&path, &["check"]);
        for result in results(&before) {
            for fix in result["fixes"].as_array().map_or(&[][..], Vec::as_slice) {
                let mut copy: Vec<(String, Vec<u8>)> = files(&path, &path);
                for change in fix["artifactChanges"].as_array().unwrap() {
                    let name = text(change, "/artifactLocation/uri");
                    let file = copy.iter_mut().find(|(file, _)| file == name).unwrap();
                    let old = String::from_utf8(file.1.clone()).unwrap();
                    file.1 = replaced(&old, change["replacements"].as_array().unwrap()).into_bytes();
                }
                let copy: Vec<(&str, &[u8])> =
                    copy.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
                let copy = Directory::with(&copy);
                let after = log(copy.path(), &["check"]);
                let sentence = text(result, "/message/text").lines().nth(1).unwrap();
                let remains = results(&after).iter().any(|r| text(r, "/message/text").contains(sentence));
                assert!(!remains, "{}: {fix:#}\n{after:#}", path.display());
                made += 1;
            }
        }
    }
    assert!(made > 5, "{made} fixes were made");
}

fn files(root: &Path, directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            all.extend(files(root, &entry));
        } else {
            all.push((entry.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), fs::read(&entry).unwrap()));
        }
    }
    all
}

const COMPOSE: &str = "services:
  web: {image: nginx, ports: [\"8080:80\"]}
  db: {image: postgres, ports: [\"5432:5432\"]}
";
const SENTENCES: &str = "sentences:
  - lan cannot reach web:80
  - lan cannot reach db:5432
  - lan cannot reach db:5432
";

fn fingerprints(compose: &str, sentences: &str) -> Vec<String> {
    let lab = Directory::with(&[("compose.yaml", compose.as_bytes()), ("specs/a.yaml", sentences.as_bytes())]);
    let log = log(lab.path(), &["check"]);
    let mut all: Vec<String> =
        results(&log).iter().map(|r| text(r, "/partialFingerprints/primaryLocationLineHash").to_owned()).collect();
    all.sort();
    all
}

#[test]
fn fingerprints_do_not_depend_on_line_numbers_and_are_distinct() {
    let before = fingerprints(COMPOSE, SENTENCES);
    let mut distinct = before.clone();
    distinct.dedup();
    assert!(distinct == before && before.len() > 3, "{before:?}");
    let moved = SENTENCES.replace("sentences:", "# 주석\n\nsentences:");
    assert_eq!(fingerprints(&format!("# one\n# 둘\n{COMPOSE}"), &moved), before);
}

#[test]
fn columns_count_characters_and_files_are_named_from_the_working_directory() {
    let compose = "services:\n  web: {labels: {설명: 값}, image: nginx, ports: [\"8080:80\"]}\n".as_bytes();
    let lab = Directory::with(&[
        ("내 랩/compose.yaml", compose),
        ("내 랩/specs/a.yaml", b"sentences: [lan cannot reach host:8080]\n"),
    ]);
    let log = log(lab.path(), &["check", "내 랩"]);
    let physical = &results(&log)[0]["locations"][0]["physicalLocation"];
    assert_eq!(text(physical, "/artifactLocation/uri"), "%EB%82%B4%20%EB%9E%A9/compose.yaml");
    assert_eq!(physical["region"]["startColumn"], 48);
    let elsewhere = canreach_in(root(), &["check", lab.path().to_str().unwrap(), "--format", "sarif"]).json();
    let uri = text(&elsewhere, "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri");
    assert!(uri.starts_with("file:///") && uri.ends_with("/compose.yaml"), "{uri}");
}

#[test]
fn other_commands_refuse_it() {
    let refused = |arguments: &[&str]| {
        let run = canreach_in(root(), &[arguments, &["--format", "sarif"]].concat());
        run.check(2, &["only `canreach check`", "`canreach lint`"]);
    };
    refused(&["ask", "examples/bridged", "lan can reach rocky:22"]);
    refused(&["exposure", "examples/bridged"]);
    refused(&["check", "examples/bridged", "--emit", "lab"]);
    refused(&["check", "examples/bridged", "--matrix"]);
}
