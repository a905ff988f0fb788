//! The book has everything that it should have, and its links lead somewhere; mdBook is not needed to know that.

#[path = "../../book/pages/mod.rs"]
mod pages;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use canreach::diagnostic::Code;
use canreach::lesson::Topic;

use pages::{Page, links};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn gathered() -> Vec<Page> {
    pages::gather(root(), Path::new(env!("CARGO_BIN_EXE_canreach"))).unwrap()
}

fn nothing_missing(what: &str, missing: &[String]) {
    assert!(missing.is_empty(), "{what}: {missing:#?}");
}

/// Every page that has to be in the book, by its path in the repository.
fn expected() -> Vec<String> {
    let mut expected: Vec<String> =
        ["index.md", "README.ko.md", "GLOSSARY.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(str::to_owned).to_vec();
    for directory in ["specs", "docs", "tests/broken"] {
        let entries = fs::read_dir(root().join(directory)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let pages = names.filter(|name| name.ends_with(".md")).map(|name| name.replace("README.md", "index.md"));
        expected.extend(pages.map(|name| format!("{directory}/{name}")));
    }
    for language in ["en", "ko"] {
        expected.extend(Topic::ALL.iter().map(|topic| format!("lessons/{language}/{}.md", topic.name())));
    }
    for code in Code::ALL {
        let path = code.as_str().trim_start_matches("canreach::").replace("::", "/");
        expected.extend(["md", "ko.md"].map(|end| format!("specs/codes/{path}.{end}")));
    }
    expected
}

#[test]
fn the_summary_has_every_page_once() {
    let pages = gathered();
    let summary = &pages.iter().find(|page| page.path == "SUMMARY.md").unwrap().text;
    let listed: Vec<&str> = links::targets(summary).collect();
    let distinct: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(listed.len(), distinct.len(), "a page stands in the summary twice");
    let expected = expected();
    assert!(expected.len() > 250, "only {} pages are expected", expected.len());
    let missing: Vec<String> = expected.into_iter().filter(|path| !distinct.contains(path.as_str())).collect();
    nothing_missing("not in the summary", &missing);
    let written = |path: &&str| !pages.iter().any(|page| page.path == **path);
    let unwritten: Vec<String> = listed.iter().filter(|path| written(path)).map(|&path| path.to_owned()).collect();
    nothing_missing("in the summary, but no page", &unwritten);
}

#[test]
fn every_link_in_the_book_leads_to_a_page_and_a_heading() {
    let pages = gathered();
    let mut broken = Vec::new();
    for page in pages.iter().filter(|page| page.path.ends_with(".md")) {
        for link in links::targets(&prose(&page.text)).filter(|link| links::is_relative(link)) {
            let path = links::resolved(&page.path, link);
            let target = pages.iter().find(|page| page.path == path);
            let heading = link.split_once('#').map(|(_, heading)| heading);
            let is_there = target.is_some_and(|page| heading.is_none_or(|heading| has_heading(&page.text, heading)));
            broken.extend((!is_there).then(|| format!("{}: {link}", page.path)));
        }
    }
    nothing_missing("broken links", &broken);
}

/// A page without its fenced blocks.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            kept += &format!("{line}\n");
        }
    }
    kept
}

/// Whether there is a heading with this name, as mdBook and GitHub make names of headings.
fn has_heading(text: &str, name: &str) -> bool {
    let named = |line: &str| -> String {
        let kept = line.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    prose(text)
        .lines()
        .filter(|line| line.starts_with('#'))
        .any(|line| named(line.trim_start_matches(['#', ' '])) == name)
}

/// People read it on its own, too. A page that is out of date is written anew, and the test fails once.
#[test]
fn the_reference_of_lab_yaml_is_that_of_the_schema() {
    let path = "docs/lab-file.md";
    let real = gathered().into_iter().find(|page| page.path == path).unwrap().text;
    for key in ["| `localhost-reachable` |", "| `events` |", "[interface](#interface)", "Example: `127.0.0.1`"] {
        assert!(real.contains(key), "{key} is missing");
    }
    if fs::read_to_string(root().join(path)).unwrap_or_default() != real {
        fs::write(root().join(path), real).unwrap();
        panic!("{path} was out of date and is written anew");
    }
}

#[test]
fn a_lesson_is_prose_and_blocks() {
    let page = gathered().into_iter().find(|page| page.path == "lessons/en/nat.md").unwrap().text;
    assert_eq!(page.matches("\n```").count() % 2, 0, "{page}");
    assert!(page.starts_with("# Why NAT lets nobody in\n") && page.contains("```text\n"), "{page}");
    assert!(page.contains("what you would see: connection refused") && page.contains("<summary>The answer</summary>"));
}
