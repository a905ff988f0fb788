//! Merge keys: `<<: *base` and `<<: [*a, *b]`. Keys that are written out win, then the earlier map.

use std::collections::HashSet;

use super::build::size;
use super::{Entry, Node, Style, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::language::text;

/// The key itself; quoted it is an ordinary key.
pub(super) const KEY: &str = "<<";

/// Replaces merge keys by the entries they bring and returns how many nodes were made.
pub(super) fn expand(entries: &mut Vec<Entry>, diagnostics: &mut Vec<Diagnostic>) -> usize {
    let Some(position) = entries.iter().position(is_merge) else { return 0 };
    let merge = entries.remove(position);
    let mut made = 0;
    let mut present: HashSet<String> = entries.iter().map(|e| e.key.value.clone()).collect();
    for map in maps(&merge.value, diagnostics) {
        for entry in map.entries() {
            if !present.insert(entry.key.value.clone()) {
                continue;
            }
            made += 1 + size(&entry.value);
            let merged_at = Some(map.used_at.unwrap_or(map.span));
            entries.push(Entry { merged_at, ..entry.clone() });
        }
    }
    made
}

/// The builder marks the entries whose key is a merge key.
fn is_merge(entry: &Entry) -> bool {
    entry.key.value == KEY && entry.merged_at.is_some()
}

fn maps<'n>(node: &'n Node, diagnostics: &mut Vec<Diagnostic>) -> Vec<&'n Node> {
    let candidates: Vec<&Node> = match (&node.value, node.style) {
        (Value::Sequence(items), _) => items.iter().collect(),
        (Value::Scalar(text), Style::Plain) if text.is_empty() => Vec::new(),
        _ => vec![node],
    };
    candidates
        .into_iter()
        .filter(|candidate| {
            let is_map = matches!(candidate.value, Value::Mapping(_));
            if !is_map {
                diagnostics.push(not_a_map(candidate));
            }
            is_map
        })
        .collect()
}

fn not_a_map(node: &Node) -> Diagnostic {
    Diagnostic::new(Code::YamlType, text!("`<<` merges maps only", "`<<`는 맵만 합칠 수 있습니다"))
        .label(node.used_at.unwrap_or(node.span), text!("this is not a map", "맵이 아님"))
        .help(text!(
            "write `<<: *anchor` where the anchor names a map, or a list of such",
            "맵을 가리키는 앵커로 `<<: *anchor`처럼 쓰거나, 그런 앵커의 목록을 쓰십시오"
        ))
}
