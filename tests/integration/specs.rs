//! The pages of `specs/` are the documentation of the model, and they are true: every sentence of every page gets the
//! verdict that stands behind its `=>`.
//!
//! An expectation is `holds`, `violated`, `undecided` or `error`, followed by any of
//!
//! - the symptom of the attempt that fails: `timeout`, `refused`, `reset`, `no-route`, `no-neighbour`, `unreachable`,
//!   `unresolved`;
//! - the code of the first blocker, like `nat::no_inbound`;
//! - `from ADDRESS`: the source address that every program that is reached sees;
//! - `if WORDS`: a part of an assumption that the verdict depends on.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use canreach::check::{self, Answer, Checked, Verdict};
use canreach::dataplane::{Dataplane, Symptom};
use canreach::diagnostic::{Diagnostic, Severity};
use canreach::frontend::markdown::{self, PageLab, PageSentence};
use canreach::frontend::{self, File};
use canreach::lab::{Lab, resolve};
use canreach::lower;
use canreach::source::{SourceId, Sources};

const SYMPTOMS: [(&str, Symptom); 7] = [
    ("timeout", Symptom::TimedOut),
    ("refused", Symptom::Refused),
    ("reset", Symptom::AcceptedThenClosed),
    ("no-route", Symptom::HostUnreachable),
    ("no-neighbour", Symptom::NoNeighbor),
    ("unreachable", Symptom::NetUnreachable),
    ("unresolved", Symptom::NameNotResolved),
];

/// Parts of the names of modules below `src/lower` that are for tests.
const TEST_ONLY: [&str; 3] = ["tests", "fixture.rs", "recorded.rs"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The pages about mechanisms; the pages about codes are examples of other things.
fn pages() -> Vec<PathBuf> {
    let mut pages = files_below(&root().join("specs"), "md");
    pages.retain(|path| !path.starts_with(root().join("specs/codes")) && !path.ends_with("README.md"));
    pages
}

/// A page while it is read.
struct Page {
    name: String,
    text: String,
    sources: Sources,
    source: SourceId,
    complaints: Vec<String>,
}

impl Page {
    fn open(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let mut sources = Sources::default();
        let source = sources.add(name.as_str(), &text);
        Self { name, text, sources, source, complaints: Vec::new() }
    }

    fn complain(&mut self, offset: usize, what: String) {
        let line = self.text[..offset].matches('\n').count() + 1;
        self.complaints.push(format!("{}:{line}: {what}", self.name));
    }

    fn complain_about(&mut self, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics.iter().filter(|d| d.severity != Severity::Advice) {
            // A page may be about what is wrong with its files.
            if self.text.contains(diagnostic.code.as_str()) {
                continue;
            }
            let at = diagnostic.labels.first().map_or(0, |label| label.span.start);
            self.complain(at, format!("{:?}: {}", diagnostic.severity, diagnostic.message));
        }
    }

    fn lab(&mut self, lab: &PageLab) -> Lab {
        let text: Arc<str> = self.text.as_str().into();
        let page = File { source: self.source, path: self.name.clone(), whole: Arc::clone(&text), text };
        let read = frontend::read_page_lab(&page, lab);
        self.complain_about(&read.diagnostics);
        let resolved = resolve(&read.value);
        self.complain_about(&resolved.diagnostics);
        resolved.value
    }

    fn check(&mut self, lab: &Lab, dataplane: &Dataplane, sentence: &PageSentence) {
        let at = sentence.sentence.span.start;
        let checked = match check::check_all(lab, dataplane, &self.sources, &[sentence.sentence.clone().into()]) {
            Ok(checked) => checked,
            Err(error) => return self.complain(at, error.to_string()),
        };
        let Some(expected) = &sentence.expected else {
            return self.complain(at, "this sentence has no `=>`".to_owned());
        };
        if let Err(difference) = compare(&expected.value, &checked) {
            self.complain(at, format!("{}\n    => {}\n    but {difference}", sentence.sentence.value, expected.value));
        }
    }
}

fn compare(expected: &str, checked: &Checked) -> Result<(), String> {
    let (expected, condition) = expected.split_once(" if ").unwrap_or((expected, ""));
    let mut words = expected.split_whitespace();
    let answer = match words.next() {
        Some("holds") => Answer::Holds,
        Some("violated") => Answer::Violated,
        Some("undecided") => Answer::Undecided,
        Some("error") => return compare_error(words.next(), checked),
        _ => return Err("`=>` is followed by `holds`, `violated`, `undecided` or `error`".to_owned()),
    };
    let Some(judgement) = checked.judgements.first() else {
        let messages: Vec<&str> = checked.diagnostics.iter().map(|d| d.message.as_str()).collect();
        return Err(format!("error: {}", messages.join("; ")));
    };
    let verdict = &judgement.verdict;
    let is_met = |statement: &str| condition.is_empty() || statement.contains(condition);
    if verdict.answer != answer {
        return Err(described(verdict));
    }
    if !condition.is_empty() && !verdict.conditions.iter().any(|c| is_met(&c.statement)) {
        let known: Vec<&str> = verdict.conditions.iter().map(|c| c.statement.as_str()).collect();
        return Err(format!("{}; it depends on: {}", described(verdict), known.join(", ")));
    }
    compare_details(words.collect(), verdict)
}

fn compare_error(code: Option<&str>, checked: &Checked) -> Result<(), String> {
    let actual = checked.diagnostics.first().map(|d| d.code.as_str());
    match (actual, code) {
        (Some(actual), Some(code)) if actual.ends_with(&format!("::{code}")) => Ok(()),
        _ => Err(format!("error {}", actual.unwrap_or("no error"))),
    }
}

fn compare_details(words: Vec<&str>, verdict: &Verdict) -> Result<(), String> {
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let is_met = if let Some((_, symptom)) = SYMPTOMS.iter().find(|(name, _)| *name == word) {
            verdict.failure.as_ref().is_some_and(|f| f.trace.outcome.symptom == *symptom)
        } else if word == "from" {
            let address: IpAddr = words.next().and_then(|a| a.parse().ok()).ok_or("`from` needs an address")?;
            !verdict.witnesses.is_empty() && sources(verdict).iter().all(|source| *source == Some(address))
        } else if word.contains("::") {
            verdict.code.is_some_and(|code| code.as_str().ends_with(&format!("::{word}")))
        } else {
            return Err(format!("`{word}` means nothing behind `=>`"));
        };
        if !is_met {
            return Err(described(verdict));
        }
    }
    Ok(())
}

fn sources(verdict: &Verdict) -> Vec<Option<IpAddr>> {
    verdict.witnesses.iter().map(|w| w.trace.outcome.delivery.as_ref().map(|d| d.header.source)).collect()
}

fn described(verdict: &Verdict) -> String {
    let symptom = verdict.failure.as_ref().map(|f| f.trace.outcome.symptom);
    let code = verdict.code.map(|code| code.as_str());
    let seen: Vec<String> = verdict
        .witnesses
        .iter()
        .zip(sources(verdict))
        .map(|(w, s)| format!("{} from {}", w.url, s.map_or("-".to_owned(), |s| s.to_string())))
        .collect();
    format!(
        "{:?} {symptom:?} {code:?}: {} [{}] {}",
        verdict.answer,
        verdict.headline,
        seen.join(", "),
        verdict.notes.join("; ")
    )
}

#[test]
fn every_page_is_true() {
    let only = std::env::var("PAGE").unwrap_or_default();
    let mut complaints = Vec::new();
    for path in pages().iter().filter(|path| path.display().to_string().contains(&only)) {
        let mut page = Page::open(path);
        let labs = markdown::split(page.source, &page.text);
        if labs.iter().all(|lab| lab.sentences.is_empty()) {
            page.complain(0, "this page states nothing".to_owned());
        }
        for part in &labs {
            let lab = page.lab(part);
            let dataplane = lower::lower(&lab);
            part.sentences.iter().for_each(|sentence| page.check(&lab, &dataplane, sentence));
        }
        complaints.append(&mut page.complaints);
    }
    assert!(complaints.is_empty(), "{} complaints\n{}", complaints.len(), complaints.join("\n"));
}

/// Whether a file exists, and in it the heading behind `#`, as GitHub makes names of headings.
fn is_there(directory: &Path, target: &str) -> bool {
    let (file, heading) = target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading)));
    let path = directory.join(file);
    let Some(heading) = heading else { return path.exists() };
    let name = |line: &str| -> String {
        let kept = line.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_prefix("## ")).any(|line| name(line) == heading)
}

#[test]
fn every_page_is_listed_and_every_link_leads_to_a_page() {
    let directory = root().join("specs");
    let index = fs::read_to_string(directory.join("README.md")).unwrap();
    let mut complaints = Vec::new();
    for path in pages() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        complaints.extend((!index.contains(&format!("]({name})"))).then(|| format!("{name} is not in README.md")));
        let text = fs::read_to_string(&path).unwrap() + &index;
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let missing = targets.filter(|target| !target.contains("://") && !is_there(&directory, target));
        complaints.extend(missing.map(|target| format!("{name} links to {target}, which does not exist")));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Pages that a module cites in its first lines.
fn cited(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
    let words = head.join(" ");
    let words = words.split(|c: char| c.is_whitespace() || c == ',' || c == '`');
    words.map(|word| word.trim_end_matches('.')).filter(|word| word.starts_with("specs/")).map(str::to_owned).collect()
}

#[test]
fn every_mechanism_cites_its_page() {
    let mut missing = Vec::new();
    for path in files_below(&root().join("src/lower"), "rs") {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if TEST_ONLY.iter().any(|part| name.contains(part)) {
            continue;
        }
        let pages = cited(&path);
        missing.extend(pages.is_empty().then(|| format!("{name} cites no page")));
        let unknown = pages.iter().filter(|page| !root().join(page).is_file());
        missing.extend(unknown.map(|page| format!("{name} cites {page}, which does not exist")));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
