//! What sentences cover: as text, as JSON, and in the format of lcov's tracefiles (`geninfo(1)`).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::check::{Coverage, Line};
use crate::language::text;
use crate::source::{SourceId, Sources};

use super::Style;
use super::json::{self, FORMAT};

/// What is not covered.
pub fn render(coverage: &Coverage, sources: &Sources, style: Style) -> String {
    let mut text = String::new();
    let open: Vec<String> = coverage
        .lines
        .iter()
        .filter(|(_, line)| line.sentences == 0)
        .map(|((source, line), what)| format!("  {}:{line}  {}\n", sources.get(*source).name, what.what))
        .collect();
    if !open.is_empty() {
        let title = text!("lines that no sentence exercises", "어느 문장도 거치지 않는 줄");
        text += &format!("{}\n{}\n", style.say(&title), open.concat());
    }
    if !coverage.unnoticed.is_empty() {
        let title = text!("changes that no sentence would notice\n", "어느 문장도 알아채지 못할 변경\n");
        text += style.say(&title);
        for change in &coverage.unnoticed {
            text += &format!("  {}  {}\n", sources.place(change.at), change.what);
            if let Some(sentence) = &change.sentence {
                let add = text!("    add: {sentence}\n", "    추가: {sentence}\n");
                text += style.say(&add);
            }
        }
        text += "\n";
    }
    let exercised = coverage.lines.len() - open.len();
    let counted = text!(
        "{exercised} of {lines} lines exercised, {unnoticed} of {tried} changes unnoticed\n",
        "줄 {lines}개 중 {exercised}개를 거침, 변경 {tried}개 중 {unnoticed}개를 알아채지 못함\n",
        lines = coverage.lines.len(),
        unnoticed = coverage.unnoticed.len(),
        tried = coverage.tried
    );
    text + style.say(&counted)
}

/// One record for each file, one `DA` for each line that makes something.
pub fn lcov(coverage: &Coverage, sources: &Sources) -> String {
    let mut files: BTreeMap<SourceId, Vec<(usize, usize)>> = BTreeMap::new();
    for ((source, line), what) in &coverage.lines {
        files.entry(*source).or_default().push((*line, what.sentences));
    }
    let mut text = String::new();
    for (source, lines) in files {
        text += &format!("TN:\nSF:{}\n", sources.get(source).name);
        text += &lines.iter().map(|(line, hits)| format!("DA:{line},{hits}\n")).collect::<String>();
        let hit = lines.iter().filter(|(_, hits)| *hits > 0).count();
        text += &format!("LF:{}\nLH:{hit}\nend_of_record\n", lines.len());
    }
    text
}

/// All of it as one JSON document.
pub fn json(coverage: &Coverage, sources: &Sources) -> String {
    let line = |((source, line), what): (&(SourceId, usize), &Line)| LineJson {
        file: sources.get(*source).name.clone(),
        line: *line,
        what: what.what.clone(),
        sentences: what.sentences,
    };
    let unnoticed = coverage.unnoticed.iter().map(|change| ChangeJson {
        what: change.what.clone(),
        at: sources.place(change.at),
        sentence: change.sentence.clone(),
    });
    json::document(&CoverageDocument {
        format: FORMAT,
        lines: coverage.lines.iter().map(line).collect(),
        changes_tried: coverage.tried,
        unnoticed: unnoticed.collect(),
    })
}

#[derive(Serialize)]
struct CoverageDocument {
    format: &'static str,
    lines: Vec<LineJson>,
    changes_tried: usize,
    unnoticed: Vec<ChangeJson>,
}

#[derive(Serialize)]
struct LineJson {
    file: String,
    line: usize,
    what: String,
    sentences: usize,
}

#[derive(Serialize)]
struct ChangeJson {
    what: String,
    at: String,
    sentence: Option<String>,
}
