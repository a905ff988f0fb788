//! Long lines (minified files, data in a string) cut down to what is marked in them.

use std::ops::Range;

/// Lines with more bytes are cut.
const LONGEST_LINE: usize = 200;

/// What is shown before a mark, in bytes.
const BEFORE: usize = 40;

/// A text with its long lines cut.
#[derive(Debug, Default)]
pub(super) struct Excerpt {
    pub(super) text: String,
    /// What is left of the original, and where it begins in `text`.
    kept: Vec<(Range<usize>, usize)>,
}

impl Excerpt {
    /// Cuts the long lines of `text` so that `marks` begin in what is left; nothing if no line is long.
    pub(super) fn of(text: &str, marks: &[Range<usize>]) -> Option<Self> {
        if text.lines().all(|line| line.len() <= LONGEST_LINE) {
            return None;
        }
        let mut excerpt = Self::default();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let content = start..start + line.trim_end_matches(['\r', '\n']).len();
            let shown = window(text, &content, marks);
            excerpt.text.push_str(if content.start < shown.start { "…" } else { "" });
            excerpt.keep(text, shown.clone());
            excerpt.text.push_str(if shown.end < content.end { "…" } else { "" });
            start += line.len();
            excerpt.keep(text, content.end..start);
        }
        Some(excerpt)
    }

    fn keep(&mut self, text: &str, range: Range<usize>) {
        let place = self.text.len();
        self.text.push_str(text.get(range.clone()).unwrap_or(""));
        self.kept.push((range, place));
    }

    /// Where an offset of the original is.
    pub(super) fn moved(&self, offset: usize) -> usize {
        let before = self.kept.partition_point(|(range, _)| range.start <= offset);
        let kept = before.checked_sub(1).and_then(|last| self.kept.get(last));
        kept.map_or(0, |(range, place)| place + offset.min(range.end) - range.start)
    }
}

/// What is shown of a line: the whole, or a part that begins a little before the first mark in it.
fn window(text: &str, line: &Range<usize>, marks: &[Range<usize>]) -> Range<usize> {
    if line.len() <= LONGEST_LINE {
        return line.clone();
    }
    let first = marks.iter().map(|mark| mark.start).filter(|start| (line.start..=line.end).contains(start)).min();
    let start = first.unwrap_or(line.start).saturating_sub(BEFORE).max(line.start);
    text.floor_char_boundary(start)..text.floor_char_boundary((start + LONGEST_LINE).min(line.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The excerpt of a text in which `[` and `]` enclose the mark, with the mark enclosed again.
    fn check(text: &str, expected: Option<&str>) {
        let (start, end) = (text.find('[').unwrap(), text.find(']').unwrap() - 1);
        let text = text.replace(['[', ']'], "");
        let marked = Excerpt::of(&text, std::slice::from_ref(&(start..end))).map(|excerpt| {
            let mut marked = excerpt.text.clone();
            marked.insert(excerpt.moved(end), ']');
            marked.insert(excerpt.moved(start), '[');
            marked
        });
        assert_eq!(marked.as_deref(), expected);
    }

    #[test]
    fn only_long_lines_are_cut_and_marks_stay_on_what_they_mark() {
        let long = "x".repeat(500);
        check("a: [1]\nb: 2\n", None);
        check(&format!("a: [1]\nb: {long}\n"), Some(&format!("a: [1]\nb: {}…\n", &long[..197])));
        check(&format!("{long}[여기]{long}\r\nb"), Some(&format!("…{}[여기]{}…\r\nb", &long[..40], &long[..154])));
        check(&format!("a\n{long}[]\n"), Some(&format!("a\n…{}[]\n", &long[..40])));
    }
}
