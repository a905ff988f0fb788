//! Lists of sentences, in lab.yaml and in specs files: each a text, or a map with the text and a reason.

use crate::frontend::yaml::{Node, Value, Walk};
use crate::lab::Declaration;

/// Reads a list of sentences.
pub fn read(walk: &mut Walk, list: &Node) -> Vec<Declaration> {
    walk.list(list, "the list of sentences").iter().filter_map(|item| sentence(walk, item)).collect()
}

fn sentence(walk: &mut Walk, item: &Node) -> Option<Declaration> {
    let text = match &item.value {
        Value::Mapping(entries) => {
            walk.check_keys(entries, "a sentence", &["sentence", "reason"]);
            walk.required(item, "sentence", "a sentence")?
        }
        _ => item,
    };
    walk.string(text, "a sentence").map(Declaration::Sentence)
}
