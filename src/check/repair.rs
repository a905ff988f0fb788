//! Edits, applied to texts. Nothing else of a file changes: comments and layout stay.

use std::collections::BTreeMap;

use crate::source::{SourceId, Sources};

use super::verdict::Edit;

/// The files that edits change, with their new texts; nothing when an edit is a command, or two want the same place.
pub fn patched(sources: &Sources, edits: &[Edit]) -> Option<BTreeMap<SourceId, String>> {
    let mut by_file: BTreeMap<SourceId, Vec<(usize, usize, String)>> = BTreeMap::new();
    for edit in edits {
        let at = edit.at?;
        let text = edit.text_for(sources.get(at.source));
        by_file.entry(at.source).or_default().push((at.start, at.end, text));
    }
    if by_file.is_empty() {
        return None;
    }
    by_file.into_iter().map(|(id, edits)| Some((id, spliced(&sources.get(id).text, edits)?))).collect()
}

fn spliced(text: &str, mut edits: Vec<(usize, usize, String)>) -> Option<String> {
    edits.sort_by_key(|(start, end, _)| (*start, *end));
    let mut new = String::new();
    let mut done = 0;
    for (start, end, insert) in edits {
        // Also where an edit starts inside of the one before.
        new += text.get(done..start)?;
        new += &insert;
        done = end;
    }
    Some(new + text.get(done..)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    /// Edits of one text as `(start, end, text)` -> the new text.
    fn check(text: &str, edits: &[(usize, usize, &str)], expected: Option<&str>) {
        let mut sources = Sources::default();
        let id = sources.add("f", text);
        let edit = |(start, end, text): &(usize, usize, &str)| Edit {
            what: String::new(),
            at: Some(Span::new(id, *start, *end)),
            text: (*text).to_owned(),
        };
        let edits: Vec<Edit> = edits.iter().map(edit).collect();
        assert_eq!(patched(&sources, &edits).and_then(|mut all| all.remove(&id)).as_deref(), expected);
    }

    #[test]
    fn edits_change_their_places_only() {
        check("a # 주석\nb\n", &[(0, 1, "x")], Some("x # 주석\nb\n"));
        check("a\nb\n", &[(4, 4, "c\n"), (0, 1, "x")], Some("x\nb\nc\n"));
        check("a\r\nb\r\n", &[(3, 3, "c\n")], Some("a\r\nc\r\nb\r\n"));
        check("ab", &[(1, 1, "1"), (1, 1, "2")], Some("a12b"));
    }

    #[test]
    fn edits_that_collide_or_have_no_place_are_not_applied() {
        check("abcd", &[(0, 3, "x"), (1, 2, "y")], None);
        check("ab", &[(0, 9, "x")], None);
        check("한", &[(1, 1, "x")], None);
        check("ab", &[], None);
    }
}
