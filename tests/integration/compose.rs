//! Compose files against what `docker compose config` says about them.
//!
//! The pages of `tests/compose/` hold small projects, one under each `## ` heading, and behind each what docker compose
//! 2.40.3 says: the facts that concern the network, one a line, or `refused:` and its message. With `COMPOSE` naming
//! the program (`docker-compose`, or a script that runs it) the pages are held against it again; with `RECORD` set too
//! they are written anew. `COMPOSE_FILES=DIRECTORY` compares every compose file below any directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use canreach::cli::load;
use canreach::diagnostic::Severity;
use serde_json::Value as Json;

use crate::support::Directory;
use facts::Facts;

mod abuse;
mod facts;

/// Ends of titles of projects that `config` accepts, but `up` fails for.
const LATER: &str = "(refused by `up`)";

/// Ends of titles of projects that lack a file which is seldom kept with the others.
const INCOMPLETE: &str = "(warned of)";

/// What a reader makes of a project.
#[derive(Debug, PartialEq)]
enum Said {
    Accepted(Facts),
    Refused(String),
}

/// What our front-end makes of the files at `path`.
fn ours(path: &Path) -> Said {
    let loaded = match load::load(&[path.to_owned()]) {
        Ok(loaded) => loaded,
        Err(error) => return Said::Refused(error.to_string()),
    };
    let is_empty = loaded.labs.iter().all(|lab| lab.inputs.is_empty());
    match loaded.diagnostics.iter().find(|d| d.severity == Severity::Error || is_empty) {
        Some(error) => Said::Refused(error.message.clone()),
        None => Said::Accepted(facts::of_declarations(&loaded.labs[0].inputs)),
    }
}

/// The program, if somebody says where it is.
fn program() -> Option<String> {
    env::var("COMPOSE").ok().filter(|program| !program.is_empty())
}

/// What docker compose makes of a project: of the files that it finds in a directory, or of one file.
fn theirs(program: &str, directory: &Path, arguments: &[&str]) -> Said {
    let path = env::var_os("PATH").unwrap_or_default();
    let output = Command::new(program)
        .args(arguments)
        .args(["config", "--format", "json"])
        .current_dir(directory)
        .env_clear()
        .env("PATH", path)
        .output()
        .unwrap();
    if output.status.success() {
        let json: Json = serde_json::from_slice(&output.stdout).unwrap();
        return Said::Accepted(facts::of_json(&json));
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let is_said = |line: &&str| !line.starts_with("time=") && !line.is_empty();
    let message: Vec<&str> = errors.lines().filter(is_said).collect();
    let here = fs::canonicalize(directory).unwrap();
    Said::Refused(message.join(" ").replace(&format!("{}/", here.display()), ""))
}

/// What differs; nothing if both accept a project with the same facts, or both refuse it.
fn difference(ours: &Said, theirs: &Said) -> Option<String> {
    match (ours, theirs) {
        (Said::Refused(_), Said::Refused(_)) => None,
        (Said::Accepted(ours), Said::Accepted(theirs)) => facts::difference(ours, theirs),
        (Said::Accepted(_), Said::Refused(why)) => Some(format!("docker compose refuses it: {why}")),
        (Said::Refused(why), Said::Accepted(_)) => Some(format!("docker compose accepts it, we do not: {why}")),
    }
}

/// One project of a page.
struct Case<'a> {
    title: &'a str,
    files: Vec<(&'a str, &'a str)>,
    /// What docker compose said, and where that stands in the page.
    said: &'a str,
    at: std::ops::Range<usize>,
}

const FENCE: &str = "```";

/// Takes a page apart.
fn cases(page: &str) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    let mut at = 0;
    for section in page.split_inclusive("\n## ").skip(1) {
        at = page[at..].find("\n## ").unwrap() + at + 4;
        let section = section.strip_suffix("\n## ").unwrap_or(section);
        let mut case = Case { title: section.lines().next().unwrap(), files: Vec::new(), said: "", at: 0..0 };
        let mut open: Option<(&str, usize)> = None;
        let mut start = at;
        for line in page[at..at + section.len()].split_inclusive('\n') {
            match (line.trim_end().strip_prefix(FENCE), open) {
                (Some(""), Some((info, from))) => {
                    close(&mut case, info, page, from..start);
                    open = None;
                }
                (Some(info), None) => open = Some((info, start + line.len())),
                _ => {}
            }
            start += line.len();
        }
        cases.push(case);
    }
    cases
}

fn close<'a>(case: &mut Case<'a>, info: &'a str, page: &'a str, range: std::ops::Range<usize>) {
    match info.split_once("name=") {
        Some((_, name)) => case.files.push((name, &page[range])),
        None => (case.said, case.at) = (&page[range.clone()], range),
    }
}

fn pages() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose");
    let mut pages: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|e| e == "md"));
    pages.sort();
    pages
}

fn recorded(said: &str) -> Said {
    match said.strip_prefix("refused: ") {
        Some(message) => Said::Refused(message.trim_end().to_owned()),
        None => Said::Accepted(facts::of_text(said)),
    }
}

fn written(said: &Said) -> String {
    match said {
        Said::Refused(message) => format!("refused: {message}\n"),
        Said::Accepted(facts) => facts.iter().map(|fact| format!("{fact}\n")).collect(),
    }
}

/// The project `shop` of a case, on disk.
fn unpack(case: &Case<'_>) -> Directory {
    let files: Vec<(String, &[u8])> =
        case.files.iter().map(|(name, text)| (format!("shop/{name}"), text.as_bytes())).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    Directory::with(&files)
}

#[test]
fn projects_are_read_as_docker_compose_reads_them() {
    let mut differences = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for case in cases(&text) {
            let directory = unpack(&case);
            let (ours, theirs) = (ours(&directory.path().join("shop")), recorded(case.said));
            let difference = match (&ours, &theirs) {
                (Said::Refused(_), Said::Accepted(_)) if case.title.ends_with(LATER) => None,
                (Said::Accepted(_), Said::Refused(_)) if case.title.ends_with(INCOMPLETE) => None,
                (ours, theirs) => difference(ours, theirs),
            };
            if let Some(difference) = difference {
                differences.push(format!("{} `{}`:\n{difference}", page.display(), case.title));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_recorded_facts_are_those_of_docker_compose() {
    let Some(program) = program() else { return };
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let mut new = text.clone();
        for case in cases(&text).iter().rev() {
            let directory = unpack(case);
            let theirs = theirs(&program, &directory.path().join("shop"), &[]);
            new.replace_range(case.at.clone(), &written(&theirs));
        }
        match env::var_os("RECORD") {
            Some(_) => fs::write(&page, new).unwrap(),
            None => assert_eq!(text, new, "{}", page.display()),
        }
    }
}

#[test]
fn files_of_any_directory_are_read_as_docker_compose_reads_them() {
    let (Some(program), Some(directory)) = (program(), env::var_os("COMPOSE_FILES")) else { return };
    let mut files = Vec::new();
    find(Path::new(&directory), &mut files);
    let mut differences = Vec::new();
    for file in &files {
        let (folder, name) = (file.parent().unwrap(), file.file_name().unwrap().to_str().unwrap());
        let theirs = theirs(&program, folder, &["-f", name]);
        // Files with secrets are seldom kept with the others.
        let lacks_file = matches!(&theirs, Said::Refused(why) if why.starts_with("env file "));
        if let Some(difference) = difference(&ours(file), &theirs).filter(|_| !lacks_file) {
            differences.push(format!("{}:\n{difference}", file.display()));
        }
    }
    println!("{} files, {} differ", files.len(), differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn find(directory: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: BTreeSet<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    let directories: BTreeSet<PathBuf> = entries.iter().filter(|path| path.is_dir()).cloned().collect();
    entries.retain(|path| path.extension().is_some_and(|e| e == "yaml" || e == "yml"));
    files.extend(entries.into_iter().filter(|path| path.is_file()));
    directories.iter().for_each(|directory| find(directory, files));
}
