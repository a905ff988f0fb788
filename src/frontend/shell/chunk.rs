//! Script text -> syntax trees, with recovery: brush refuses a whole text for one error, this module finds the
//! stretches that can be read and names the lines that cannot.

use std::ops::Range;
use std::panic;

use brush_parser::ast::Program;
use brush_parser::{Parser, SourceSpan};

/// A stretch of a script that could be read.
pub(super) struct Chunk {
    /// Its syntax tree.
    pub(super) program: Program,
    /// It stands behind the opening of a block that could not be read, so nobody knows whether it runs.
    pub(super) inside_broken_block: bool,
    /// Byte offset in the text of each character; brush counts characters.
    offsets: Vec<usize>,
}

impl Chunk {
    /// The bytes of a place that brush names.
    pub(super) fn range(&self, location: &SourceSpan) -> Range<usize> {
        self.offset(location.start.index)..self.offset(location.end.index)
    }

    fn offset(&self, index: usize) -> usize {
        self.offsets.get(index).or(self.offsets.last()).copied().unwrap_or(0)
    }
}

/// How many lines are tried together before the first of them is given up.
const MAX_COMMAND_LINES: usize = 100;

/// Deeper nesting is not read: brush-parser's recursion has no limit of its own.
const MAX_DEPTH: usize = 100;

/// How often a text is tried before the rest is given up.
const MAX_TRIES: usize = 2000;

/// Reads the bytes `range` of `text`. The second part of the answer are the places that could not be read.
pub(super) fn parse(text: &str, range: Range<usize>) -> (Vec<Chunk>, Vec<Range<usize>>) {
    match read(text, range.clone()) {
        Some(chunk) => (vec![chunk], Vec::new()),
        None => recover(text, range),
    }
}

fn read(text: &str, range: Range<usize>) -> Option<Chunk> {
    let stretch = text.get(range.clone()).filter(|stretch| !is_too_nested(stretch))?;
    // brush-parser 0.4.0 panics where an expansion is cut off behind a backslash, as in `${\\`: such text is not read.
    let program = panic::catch_unwind(|| Parser::builder().build(stretch.as_bytes()).parse_program()).ok()?.ok()?;
    let offsets = stretch.char_indices().map(|(at, _)| range.start + at).chain([range.end]).collect();
    Some(Chunk { program, inside_broken_block: false, offsets })
}

/// An upper bound for how deeply blocks and substitutions are nested; quotes and comments are not told apart.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for token in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = token.trim_end_matches(|c: char| !c.is_alphanumeric());
        depth += usize::from(matches!(word, "if" | "for" | "while" | "until" | "case" | "select"));
        depth += usize::from(token.ends_with(['(', '{']));
        deepest = deepest.max(depth);
        let closed = usize::from(matches!(word, "fi" | "done" | "esac")) + usize::from(token.ends_with([')', '}']));
        depth = depth.saturating_sub(closed);
    }
    deepest
}

/// How many `((` or `case` may stand inside each other: brush's time doubles with each.
const MAX_NESTING: usize = 8;

fn is_too_nested(text: &str) -> bool {
    MAX_DEPTH < nesting(text) || MAX_NESTING < doubled_parentheses(text) || MAX_NESTING < nested_cases(text)
}

/// How many parentheses that are followed by another are open at once.
fn doubled_parentheses(text: &str) -> usize {
    let mut open: Vec<bool> = Vec::new();
    let (mut doubled, mut most) = (0_usize, 0);
    let mut chars = text.chars().filter(|c| !matches!(c, ' ' | '\t')).peekable();
    while let Some(c) = chars.next() {
        if c == '(' {
            let is_doubled = chars.peek() == Some(&'(');
            open.push(is_doubled);
            doubled += usize::from(is_doubled);
            most = most.max(doubled);
        } else if c == ')' && open.pop() == Some(true) {
            doubled -= 1;
        }
    }
    most
}

fn nested_cases(text: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    for line in text.lines() {
        let mut before = "";
        for word in line.split_whitespace() {
            let starts_command = before.is_empty()
                || before.ends_with([';', ')', '(', '{', '&', '|'])
                || matches!(before, "then" | "do" | "else" | "!");
            match word.trim_end_matches(';') {
                "case" if starts_command => depth += 1,
                "esac" => depth = depth.saturating_sub(1),
                _ => {}
            }
            most = most.max(depth);
            before = word;
        }
    }
    most
}

/// Joins lines until they can be read; a line that never becomes readable is reported and left out.
fn recover(text: &str, range: Range<usize>) -> (Vec<Chunk>, Vec<Range<usize>>) {
    let lines = lines(text, range);
    let (mut chunks, mut errors) = (Vec::new(), Vec::new());
    let mut first = 0;
    let mut tries = 0;
    let mut inside_broken_block = false;
    while let Some(start) = lines.get(first) {
        let ends = lines.iter().enumerate().skip(first).take(MAX_COMMAND_LINES);
        let found = ends.take(MAX_TRIES.saturating_sub(tries)).find_map(|(last, end)| {
            tries += 1;
            read(text, start.start..end.end).map(|chunk| (last, chunk))
        });
        match found {
            Some((last, chunk)) => {
                chunks.push(Chunk { inside_broken_block, ..chunk });
                first = last + 1;
            }
            None if MAX_TRIES <= tries => {
                let end = lines.last().map_or(start.end, |l| l.end);
                errors.push(start.start..end);
                break;
            }
            None => {
                errors.push(trimmed(text, start.clone()));
                inside_broken_block |= opens_block(text.get(start.clone()).unwrap_or(""));
                first += 1;
            }
        }
    }
    (chunks, errors)
}

/// Lines without empty ones, those that end in a backslash joined with the next.
fn lines(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut lines: Vec<Range<usize>> = Vec::new();
    let mut is_continued = false;
    let mut start = range.start;
    for line in text.get(range).unwrap_or("").split_inclusive('\n') {
        let end = start + line.len();
        match lines.last_mut().filter(|_| is_continued) {
            Some(last) => last.end = end,
            None if line.trim().is_empty() => {}
            None => lines.push(start..end),
        }
        is_continued = line.trim_end_matches(['\n', '\r']).ends_with('\\');
        start = end;
    }
    lines
}

fn opens_block(line: &str) -> bool {
    let line = line.trim();
    let word = line.split_whitespace().next().unwrap_or("");
    let first = word.trim_end_matches(';');
    matches!(first, "if" | "for" | "while" | "until" | "case" | "select" | "function" | "{" | "(")
        || line.ends_with('{')
        || line.ends_with("do")
        || line.ends_with("then")
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let line = text.get(range.clone()).unwrap_or("");
    let start = range.start + (line.len() - line.trim_start().len());
    start..(start + line.trim().len())
}
