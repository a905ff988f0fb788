//! Where and how another item of a list would be written, in the indentation of the file at hand.

use super::{Entry, Node, Style, Value};
use crate::lab::declaration::Insertion;
use crate::source::{SourceId, Span};

/// A list inside a map that may get another item.
#[derive(Clone, Copy, Debug)]
pub struct ListItem<'a> {
    /// The key of the list.
    pub key: &'a str,
    /// What stands before and behind a written item: `"` or nothing.
    pub quote: &'a str,
    /// An item that a new list must have first, because its absence implied it.
    pub implied: Option<&'a str>,
}

impl ListItem<'_> {
    /// The text in which the item would be written: that of the list's last item, or of the owner.
    pub fn source(self, owner: &Node) -> SourceId {
        let list = owner.entry(self.key).map(|entry| &entry.value);
        list.map_or(owner.span, |list| list.items().last().unwrap_or(list).span).source
    }

    /// Where another item would go in `owner`; nothing when the place is shared with others through an anchor or when
    /// the file is written in a way that leaves no simple place. `text` is the whole file.
    pub fn place(self, text: &str, owner: &Node) -> Option<Insertion> {
        if owner.used_at.is_some() {
            return None;
        }
        match owner.entry(self.key) {
            Some(entry) if entry.merged_at.is_some() || entry.value.used_at.is_some() => None,
            Some(entry) => match &entry.value.value {
                Value::Sequence(items) => self.in_list(text, &entry.value, items),
                Value::Mapping(entries) => in_map(text, &entry.value, entries),
                Value::Scalar(_) if entry.value.is_null() && owner.style == Style::Block => {
                    let indent = indent_of(text, entry.key.span)?;
                    Some(self.line(text, entry.value.span, &format!("\n{indent}  - ")))
                }
                Value::Scalar(_) => None,
            },
            None => self.new_list(text, owner),
        }
    }

    fn in_list(self, text: &str, list: &Node, items: &[Node]) -> Option<Insertion> {
        match (list.style, items.last()) {
            (Style::Flow, None) => Some(self.inside(list, "")),
            (Style::Flow, Some(last)) => Some(self.at(last.used_at.unwrap_or(last.span).after(), ", ", "")),
            (_, Some(last)) => {
                let last = last.used_at.unwrap_or(last.span);
                let before_item = text.get(..last.start)?;
                let dash = before_item.rfind('-')?;
                let indent = indent_of(text, Span::new(last.source, dash, dash))?;
                Some(self.line(text, last, &format!("\n{indent}- ")))
            }
            (_, None) => None,
        }
    }

    fn new_list(self, text: &str, owner: &Node) -> Option<Insertion> {
        let Value::Mapping(entries) = &owner.value else { return None };
        let is_here = |e: &&Entry| e.merged_at.is_none() && e.key.span.source == owner.span.source;
        let written = entries.iter().find(is_here);
        let key = self.key;
        match (owner.style, written) {
            (Style::Flow, _) => {
                let implied = self.implied.map(|item| format!("{item}, ")).unwrap_or_default();
                let comma = if written.is_some() { ", " } else { "" };
                let at = Span::new(owner.span.source, owner.span.end.checked_sub(1)?, owner.span.end - 1);
                Some(self.at(at, &format!("{comma}{key}: [{implied}"), "]"))
            }
            (_, Some(first)) => {
                let indent = indent_of(text, first.key.span)?;
                let implied = self.implied.map(|item| format!("\n{indent}  - {item}")).unwrap_or_default();
                Some(self.line(text, owner.span, &format!("\n{indent}{key}:{implied}\n{indent}  - ")))
            }
            (_, None) => None,
        }
    }

    /// On a new line behind the line where `last` ends.
    fn line(self, text: &str, last: Span, before: &str) -> Insertion {
        self.at(end_of_line(text, last), before, "")
    }

    /// Just behind the opening bracket.
    fn inside(self, list: &Node, before: &str) -> Insertion {
        self.at(Span::new(list.span.source, list.span.start + 1, list.span.start + 1), before, "")
    }

    fn at(self, at: Span, before: &str, after: &str) -> Insertion {
        Insertion { at, before: format!("{before}{}", self.quote), after: format!("{}{after}", self.quote) }
    }
}

/// Another key without value, for lists that may also be written as a map.
fn in_map(text: &str, map: &Node, entries: &[Entry]) -> Option<Insertion> {
    let last = entries.iter().rfind(|e| e.merged_at.is_none() && e.key.span.source == map.span.source)?;
    let last_place = last.value.used_at.unwrap_or(last.value.span);
    if map.style == Style::Flow {
        let at = if last.value.is_null() { behind_colon(text, last.key.span) } else { last_place.after() };
        return Some(Insertion { at, before: ", ".to_owned(), after: ": {}".to_owned() });
    }
    let before = format!("\n{}", indent_of(text, last.key.span)?);
    Some(Insertion { at: end_of_line(text, map.span), before, after: ":".to_owned() })
}

/// The place behind the colon of `key`, or behind the key when it has none: `{front, back}`.
fn behind_colon(text: &str, key: Span) -> Span {
    let rest = text.get(key.end..).unwrap_or("");
    let skipped = rest.trim_start().strip_prefix(':').map_or(0, |behind| rest.len() - behind.len());
    Span::new(key.source, key.end + skipped, key.end + skipped)
}

/// Spaces up to the column of `span`; a dash before it counts as a space.
fn indent_of(text: &str, span: Span) -> Option<String> {
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let before = text.get(start..span.start)?;
    before.chars().all(|c| c == ' ' || c == '-').then(|| " ".repeat(before.len()))
}

fn end_of_line(text: &str, span: Span) -> Span {
    let rest = text.get(span.end..).unwrap_or("");
    let line = rest.split('\n').next().unwrap_or("").trim_end_matches('\r');
    Span::new(span.source, span.end + line.len(), span.end + line.len())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::source::Sources;

    fn check(text: &str, expected: Option<&str>) {
        let source = Sources::default().add("a.yaml", text);
        let root = parse(source, text).value.unwrap();
        let item = ListItem { key: "ports", quote: "\"", implied: None };
        let place = item.place(text, root.get("s").unwrap());
        let edited = place.map(|i| format!("{}{}{}", &text[..i.at.start], i.text("1:2"), &text[i.at.end..]));
        assert_eq!(edited.as_deref(), expected, "{text}");
        if let Some(edited) = edited {
            let again = parse(source, &edited);
            assert!(again.diagnostics.is_empty(), "{edited}");
            let ports = again.value.unwrap().get("s").unwrap().get("ports").unwrap().clone();
            assert!(matches!(&ports.items().last().unwrap().value, Value::Scalar(t) if t == "1:2"), "{edited}");
        }
    }

    #[test]
    fn items_are_written_as_their_neighbours_are() {
        check("s:\n  ports:\n  - 가  # c\nt: 1\n", Some("s:\n  ports:\n  - 가  # c\n  - \"1:2\"\nt: 1\n"));
        check("s:\n  ports:\n    - a: b\n      c: d\n", Some("s:\n  ports:\n    - a: b\n      c: d\n    - \"1:2\"\n"));
        check("s:\n    a: b\r\n", Some("s:\n    a: b\n    ports:\n      - \"1:2\"\r\n"));
        check("s:\n  a: b\n\n\nt: 1", Some("s:\n  a: b\n  ports:\n    - \"1:2\"\n\n\nt: 1"));
        check("s:\n  ports:  # none\n  a: b", Some("s:\n  ports:  # none\n    - \"1:2\"\n  a: b"));
        check("s:\n  ports: []\n", Some("s:\n  ports: [\"1:2\"]\n"));
        check("s: {ports: [a, b]}\n", Some("s: {ports: [a, b, \"1:2\"]}\n"));
        check("s: {a: b}\n", Some("s: {a: b, ports: [\"1:2\"]}\n"));
        check("s: {}\n", Some("s: {ports: [\"1:2\"]}\n"));
        check("x: &x [a]\ns:\n  ports: *x\n", None);
        check("x: &x {ports: [a]}\ns:\n  <<: *x\n", None);
        check("s: a\n", None);
    }

    #[test]
    fn a_new_list_keeps_what_its_absence_implied() {
        let text = "s:\n  a: b\n";
        let source = Sources::default().add("a.yaml", text);
        let root = parse(source, text).value.unwrap();
        let item = ListItem { key: "networks", quote: "", implied: Some("default") };
        let place = item.place(text, root.get("s").unwrap()).unwrap();
        assert_eq!(place.text("back"), "\n  networks:\n    - default\n    - back");
    }
}
