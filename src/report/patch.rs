//! A change of a file, drawn as a compiler draws a suggestion: `-` for lines that go, `+` for lines that come.

use crate::source::{Sources, Span};

use super::Style;

/// The lines around `at` as they would be with `insert` in its place.
pub(super) fn draw(sources: &Sources, at: Span, insert: &str, style: Style) -> String {
    table(&sources.get(at.source).name, &rows(sources, at, insert), style)
}

/// The same, line by line.
pub(super) fn rows(sources: &Sources, at: Span, insert: &str) -> Vec<Row> {
    let file = sources.get(at.source);
    let change = change(&file.text, at, insert);
    let first = file.position(change.start).line + change.kept;
    let above = first.checked_sub(1).and_then(|line| file.line(line)).map(|(_, text)| text.to_owned());
    let below = file.line(first + change.old.len()).map(|(_, text)| text.to_owned()).filter(|text| !text.is_empty());
    let mut rows: Vec<Row> = Vec::new();
    rows.extend(above.map(|text| Row { number: Some(first - 1), sign: ' ', text }));
    rows.extend(numbered(first, '-', change.old).filter(|row| !row.text.is_empty()));
    rows.extend(numbered(first, '+', change.new));
    rows.extend(below.map(|text| Row { number: None, sign: ' ', text }));
    rows
}

/// One drawn line.
pub(super) struct Row {
    /// Its number; nothing for what follows a change.
    pub(super) number: Option<usize>,
    /// `-`, `+` or a blank.
    pub(super) sign: char,
    /// The line.
    pub(super) text: String,
}

fn numbered(first: usize, sign: char, lines: Vec<String>) -> impl Iterator<Item = Row> {
    lines.into_iter().enumerate().map(move |(i, text)| Row { number: Some(first + i), sign, text })
}

/// What differs between a file and its changed version, in whole lines.
struct Change {
    /// Offset of the line that the change starts in.
    start: usize,
    /// How many lines from there stay as they are.
    kept: usize,
    old: Vec<String>,
    new: Vec<String>,
}

fn change(text: &str, at: Span, insert: &str) -> Change {
    let end = text.floor_char_boundary(at.end);
    let start = text.floor_char_boundary(at.start).min(end);
    let (head, tail) = (text.get(..start).unwrap_or(""), text.get(end..).unwrap_or(""));
    let start = head.rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = end + tail.find('\n').unwrap_or(tail.len());
    let old = lines(text.get(start..line_end).unwrap_or(""));
    let (before, behind) = (head.get(start..).unwrap_or(""), text.get(end..line_end).unwrap_or(""));
    let new = lines(&format!("{before}{insert}{behind}"));
    let above = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - above;
    let below = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let middle = |all: &[String]| all.get(above..all.len() - below).unwrap_or_default().to_vec();
    Change { start, kept: above, old: middle(&old), new: middle(&new) }
}

fn lines(text: &str) -> Vec<String> {
    text.split('\n').map(|line| line.trim_end_matches('\r').to_owned()).collect()
}

fn table(name: &str, rows: &[Row], style: Style) -> String {
    let (bar, corner) = if style.unicode { ('│', "╭─") } else { ('|', ",-") };
    let width = rows.iter().filter_map(|row| row.number).max().unwrap_or(0).to_string().len().max(2);
    let place = rows.iter().find(|row| row.sign != ' ').and_then(|row| row.number).unwrap_or(1);
    let mut drawn = format!("{:width$} {corner}[{name}:{place}]\n", "");
    for Row { number, sign, text } in rows {
        let number = number.map_or(String::new(), |n| n.to_string());
        let sign = if *sign == ' ' { bar } else { *sign };
        let line = format!("{number:>width$} {sign} {text}");
        let line = line.trim_end();
        drawn.push_str(&match sign {
            '+' => style.paint(32, line),
            '-' => style.paint(31, line),
            _ => line.to_owned(),
        });
        drawn.push('\n');
    }
    drawn
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, at: (usize, usize), insert: &str, expected: &str) {
        let mut sources = Sources::default();
        let id = sources.add("f", text);
        let drawn = draw(&sources, Span::new(id, at.0, at.1), insert, Style { color: false, unicode: false });
        assert_eq!(drawn, expected);
    }

    #[test]
    fn an_insertion_shows_new_lines_between_old_ones() {
        check("a:\n  b: 1\nc: 2\n", (10, 10), "  d: 3\n", "   ,-[f:3]\n 2 |   b: 1\n 3 +   d: 3\n   | c: 2\n");
        check("a:\n  b: 1\n", (9, 9), "\n  d: 3", "   ,-[f:3]\n 2 |   b: 1\n 3 +   d: 3\n");
    }

    #[test]
    fn a_change_inside_a_line_shows_both_versions() {
        check("run x\n", (3, 3), " -p 1:1", "   ,-[f:1]\n 1 - run x\n 1 + run -p 1:1 x\n");
        check("포트: 1", (8, 9), "2", "   ,-[f:1]\n 1 - 포트: 1\n 1 + 포트: 2\n");
    }

    #[test]
    fn places_outside_the_file_mean_its_end() {
        check("", (5, 9), "a", "   ,-[f:1]\n 1 + a\n");
    }

    proptest! {
        #[test]
        fn every_change_can_be_drawn(text in "[a한\\r\\n]{0,12}", start in 0usize..20, end in 0usize..20, insert in "[b\\n]{0,4}") {
            let mut sources = Sources::default();
            let id = sources.add("f", &text);
            let drawn = draw(&sources, Span::new(id, start, end), &insert, Style::PLAIN);
            prop_assert!(drawn.contains("[f:"));
        }
    }
}
