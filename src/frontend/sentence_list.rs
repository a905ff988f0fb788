//! Lists of sentences, in lab.yaml and in specs files: each a text, or a map with the text, a reason, and how bad it is
//! when it does not hold (`severity: warning` changes no exit code).

use crate::diagnostic::Code;
use crate::frontend::yaml::{Node, Value, Walk};
use crate::lab::{Declaration, Statement};
use crate::language::text;

/// Whether a sentence is only a wish.
const SEVERITIES: &[(&str, bool)] = &[("error", false), ("warning", true)];

/// Reads a list of sentences.
pub fn read(walk: &mut Walk, list: &Node) -> Vec<Declaration> {
    walk.list(list, text!("the list of sentences", "문장 목록"))
        .iter()
        .filter_map(|item| sentence(walk, item))
        .collect()
}

fn sentence(walk: &mut Walk, item: &Node) -> Option<Declaration> {
    let Value::Mapping(entries) = &item.value else {
        return walk.string(item, text!("a sentence", "문장")).map(|text| Declaration::Sentence(text.into()));
    };
    walk.check_keys(entries, text!("a sentence", "문장"), &["sentence", "reason", "severity"]);
    let text = walk.required(item, "sentence", text!("a sentence", "문장"))?;
    let sentence = walk.string(text, text!("a sentence", "문장"))?;
    let reason = item.get("reason").and_then(|node| walk.string(node, text!("a reason", "이유")));
    let severity = item
        .get("severity")
        .and_then(|node| walk.word(node, text!("a severity", "심각도"), SEVERITIES, Code::LabBadValue));
    let is_wish = severity.is_some_and(|is_wish| is_wish.value);
    Some(Declaration::Sentence(Statement { sentence, reason, is_wish }))
}
