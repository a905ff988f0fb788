//! Places as the language server protocol counts them: lines from 0, columns in units of UTF-16.

use lsp_types::{Position, Range};

use crate::source::{Source, Sources, Span};

pub(super) fn position(source: &Source, offset: usize) -> Position {
    let line = source.position(offset).line;
    let start = source.line(line).map_or(0, |(start, _)| start);
    let offset = source.text.floor_char_boundary(offset);
    let units = source.text.get(start..offset).map_or(0, |before| before.encode_utf16().count());
    Position { line: number(line - 1), character: number(units) }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

pub(super) fn range(sources: &Sources, span: Span) -> Range {
    let source = sources.get(span.source);
    Range { start: position(source, span.start), end: position(source, span.end) }
}

/// The offset of a position; one behind the end of its line means the end of the line.
pub(super) fn offset(source: &Source, position: Position) -> usize {
    let line = usize::try_from(position.line).unwrap_or(usize::MAX).saturating_add(1);
    let Some((start, text)) = source.line(line) else { return source.text.len() };
    let mut left = usize::try_from(position.character).unwrap_or(usize::MAX);
    for (at, c) in text.char_indices() {
        match left.checked_sub(c.len_utf16()) {
            Some(rest) if left > 0 => left = rest,
            _ => return start + at,
        }
    }
    start + text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_units_of_utf16() {
        let mut sources = Sources::default();
        let id = sources.add("f", "한글: 😀x\r\nb\n");
        let source = sources.get(id);
        let check = |offset_of: usize, line: u32, character: u32| {
            let there = Position { line, character };
            assert_eq!(position(source, offset_of), there);
            assert_eq!(offset(source, there), offset_of);
        };
        check(0, 0, 0);
        check(3, 0, 1);
        check(8, 0, 4);
        check(12, 0, 6);
        check(13, 0, 7);
        check(15, 1, 0);
        check(17, 2, 0);
    }

    #[test]
    fn positions_that_are_none_are_near_ones() {
        let mut sources = Sources::default();
        let id = sources.add("f", "😀x\nb\n");
        let check = |line, character, expected| {
            assert_eq!(offset(sources.get(id), Position { line, character }), expected);
        };
        check(0, 99, 5);
        check(99, 0, 8);
        check(u32::MAX, u32::MAX, 8);
        // In the middle of a pair.
        check(0, 1, 0);
    }
}
