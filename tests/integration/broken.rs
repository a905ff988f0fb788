//! Labs that are broken in one way each (`tests/broken/`): the true cause is named on the true line, and the fix that was
//! accepted is the first or second proposal, which works when the files are read again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use canreach::check::{self, Answer, Fix, Verdict};
use canreach::frontend::markdown::{self, PageLab};
use canreach::frontend::{self, File};
use canreach::lab::resolve;
use canreach::lower;
use canreach::source::{SourceId, Sources, Span};

/// Proposals that count: nobody reads further.
const READ: usize = 2;

/// A page with broken labs.
struct Page {
    name: String,
    text: String,
}

/// What a section says about its lab.
struct Expected<'a> {
    title: &'a str,
    /// Code and a piece of the line, in path order.
    causes: Vec<(&'a str, &'a str)>,
    /// Pieces of one of the first proposals.
    fix: Vec<&'a str>,
}

/// One lab, judged.
struct Judged {
    sources: Sources,
    source: SourceId,
    verdicts: Vec<Verdict>,
    complaints: Vec<String>,
}

impl Page {
    fn all() -> Vec<Self> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
        let mut paths: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|e| e.unwrap().path()).collect();
        paths.retain(|path| !path.ends_with("README.md"));
        paths.sort();
        let open = |path: &PathBuf| Self {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            text: fs::read_to_string(path).unwrap(),
        };
        paths.iter().map(open).collect()
    }

    fn expected(&self) -> Vec<Expected<'_>> {
        self.text.split("\n## ").skip(1).map(expected).collect()
    }

    /// The lab with this number, with `text` in place of the page's own.
    fn judge(&self, number: usize, text: &str) -> Judged {
        let mut sources = Sources::default();
        let source = sources.add(self.name.as_str(), text);
        let mut labs: Vec<PageLab> = markdown::split(source, text);
        assert_eq!(labs.len(), self.text.matches("\n## ").count(), "{}: one lab a section", self.name);
        let lab = labs.swap_remove(number);
        let whole: Arc<str> = text.into();
        let page = File { source, path: self.name.clone(), whole: Arc::clone(&whole), text: whole };
        let read = frontend::read_page_lab(&page, &lab);
        let resolved = resolve(&read.value);
        let complaints = read.diagnostics.iter().chain(&resolved.diagnostics).map(|d| d.message.clone()).collect();
        let dataplane = lower::lower(&resolved.value);
        let sentences: Vec<_> = lab.sentences.into_iter().map(|s| s.sentence.into()).collect();
        let checked = check::check_all(&resolved.value, &dataplane, &sources, &sentences).unwrap();
        assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
        let verdicts = checked.judgements.into_iter().map(|j| j.verdict).collect();
        Judged { sources, source, verdicts, complaints }
    }

    /// The page after a fix. What is to be typed goes to the end of the lab's last script.
    fn mended(&self, number: usize, judged: &Judged, fix: &Fix) -> Option<String> {
        let mut text = self.text.clone();
        let lab = markdown::split(judged.source, &self.text).swap_remove(number);
        let script = lab.files.iter().rfind(|(name, _)| name.value.ends_with(".sh")).map(|(_, range)| range.end);
        let mut edits: Vec<(usize, usize, String)> = Vec::new();
        for edit in &fix.edits {
            edits.push(match edit.at {
                Some(at) => (at.start, at.end, edit.text.clone()),
                None => (script?, script?, format!("{}\n", edit.text)),
            });
        }
        edits.sort();
        for (start, end, new) in edits.into_iter().rev() {
            text.replace_range(start..end, &new);
        }
        Some(text)
    }
}

fn expected(section: &str) -> Expected<'_> {
    let title = section.lines().next().unwrap();
    let lines = |word: &'static str| section.lines().filter_map(move |line| line.strip_prefix(word)).map(pieces);
    let causes = lines("Cause: ").map(|pieces| (pieces[0], pieces[1])).collect();
    Expected { title, causes, fix: lines("Fix: ").flatten().collect() }
}

/// What stands between backticks.
fn pieces(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

impl Judged {
    fn line(&self, span: Span) -> &str {
        let text = &*self.sources.get(span.source).text;
        let line = self.sources.position(span).line;
        text.lines().nth(line - 1).unwrap_or_default()
    }

    /// Code and line of every blocker.
    fn causes(&self) -> Vec<(&str, &str)> {
        let blockers = self.verdicts[0].blockers.iter();
        blockers.map(|b| (b.code.as_str(), b.origin.span().map_or("nowhere", |span| self.line(span)))).collect()
    }
}

fn is_same(causes: &[(&str, &str)], expected: &[(&str, &str)]) -> bool {
    let matches = |((code, line), (wanted, piece)): (&(&str, &str), &(&str, &str))| {
        code.ends_with(&format!("::{wanted}")) && line.contains(piece)
    };
    causes.len() == expected.len() && causes.iter().zip(expected).all(matches)
}

fn said(fix: &Fix) -> String {
    let parts: Vec<String> = fix.edits.iter().map(|e| format!("{} [{}]", e.what, e.text)).collect();
    parts.join(" + ")
}

/// Why the fix that was accepted is not offered, or does not work.
fn shortcoming(page: &Page, number: usize, judged: &Judged, expected: &Expected<'_>) -> Option<String> {
    let fixes = &judged.verdicts[0].fixes;
    let is_it = |fix: &&Fix| expected.fix.iter().all(|piece| said(fix).contains(piece));
    let Some(fix) = fixes.iter().take(READ).find(is_it) else {
        let offered: Vec<String> = fixes.iter().map(said).collect();
        return Some(format!("offered are {}", offered.join(" | ")));
    };
    let Some(text) = page.mended(number, judged, fix) else { return Some("where is it typed?".to_owned()) };
    let after = page.judge(number, &text);
    let holds = after.verdicts.iter().all(|v| v.answer == Answer::Holds);
    (!holds).then(|| format!("after {}: {}; {}", said(fix), after.verdicts[0].headline, after.complaints.join("; ")))
}

#[test]
fn causes_and_fixes_are_the_true_ones() {
    let mut table = String::new();
    let (mut labs, mut causes, mut fixes) = (0, 0, 0);
    for page in Page::all() {
        let numbered = page.expected().into_iter().enumerate().collect::<Vec<_>>();
        for (number, expected) in numbered {
            let judged = page.judge(number, &page.text);
            labs += 1;
            let named = judged.verdicts[0].answer == Answer::Violated && is_same(&judged.causes(), &expected.causes);
            let shortcoming = shortcoming(&page, number, &judged, &expected);
            causes += usize::from(named);
            fixes += usize::from(shortcoming.is_none());
            let place = format!("{}: {}", page.name, expected.title);
            if !named {
                table += &format!("{place}\n    cause {:?}: {}\n", judged.causes(), judged.verdicts[0].headline);
                table += &format!("    complaints {:?}\n", judged.complaints);
            }
            if let Some(shortcoming) = shortcoming {
                table += &format!("{place}\n    fix {shortcoming}\n");
            }
        }
    }
    println!("{labs} broken labs: {causes} causes named, {fixes} fixes among the first {READ}\n{table}");
    assert!(labs >= 30 && causes == labs && fixes == labs, "{labs} {causes} {fixes}\n{table}");
}
