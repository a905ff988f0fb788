//! Expressions in JSON: keys and values.

use crate::frontend::yaml::{Node, Value as Tree};

use super::json;
use super::syntax::{Key, Left, Value};

/// A scalar as text.
pub(super) fn text_of(node: &Node) -> Option<String> {
    match &node.value {
        Tree::Scalar(text) => Some(text.clone()),
        _ => None,
    }
}

/// One word or a list of them.
pub(super) fn words(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    text_of(node).into_iter().chain(node.items().iter().filter_map(text_of)).collect()
}

/// One key, in the words of the text form.
pub(super) fn key(node: &Node) -> Option<Key> {
    let entry = node.entries().first()?;
    let part = |name: &str| entry.value.get(name).and_then(text_of);
    Some(match entry.key.value.as_str() {
        "payload" => format!("{} {}", part("protocol")?, part("field")?),
        "meta" => format!("meta {}", part("key")?),
        "ct" => match part("dir") {
            Some(direction) => format!("ct {direction} {}", part("key")?),
            None => format!("ct {}", part("key")?),
        },
        "fib" => {
            // A mark only chooses among tables of routes, of which there is one.
            let flags: Vec<String> = words(entry.value.get("flags")).into_iter().filter(|f| f != "mark").collect();
            let result = part("result").filter(|result| result != "check").unwrap_or_else(|| "oif".to_owned());
            format!("fib {} {result}", flags.join(" . "))
        }
        name @ ("numgen" | "jhash" | "symhash") => name.to_owned(),
        "tcp option" => format!("tcp option {}", part("name")?),
        "exthdr" => format!("exthdr {}", part("name")?),
        "socket" => format!("socket {}", part("key")?),
        "rt" => format!("rt {}", part("key")?),
        _ => return None,
    })
}

/// One key, several joined, or one under a mask.
pub(super) fn left(node: &Node) -> Option<Left> {
    if let Some(key) = key(node) {
        return Some(Left { keys: vec![key], mask: None });
    }
    let entry = node.entries().first()?;
    match (entry.key.value.as_str(), entry.value.items()) {
        ("concat", parts) => {
            let keys = parts.iter().map(key).collect::<Option<Vec<_>>>()?;
            Some(Left { keys, mask: None })
        }
        ("&", [inner, mask]) => Some(Left { keys: vec![key(inner)?], mask: Some(Box::new(value(mask)?)) }),
        _ => None,
    }
}

/// A value.
pub(super) fn value(node: &Node) -> Option<Value> {
    match &node.value {
        Tree::Scalar(text) => Some(match text.as_str() {
            // `fib … exists`
            "true" => Value::Word("exists".to_owned()),
            "false" => Value::Word("missing".to_owned()),
            _ => match text.strip_prefix('@') {
                Some(name) => Value::Named(name.to_owned()),
                None => Value::Word(text.clone()),
            },
        }),
        Tree::Sequence(items) => Some(Value::List(items.iter().map(value).collect::<Option<_>>()?)),
        Tree::Mapping(_) => compound(node),
    }
}

fn compound(node: &Node) -> Option<Value> {
    let entry = node.entries().first()?;
    let inner = &entry.value;
    let items = || inner.items().iter().map(value).collect::<Option<Vec<_>>>();
    Some(match entry.key.value.as_str() {
        "prefix" => {
            let part = |name: &str| inner.get(name).and_then(text_of);
            Value::Word(format!("{}/{}", part("addr")?, part("len")?))
        }
        "range" => {
            let [first, last] = inner.items() else { return None };
            Value::Range(Box::new(value(first)?), Box::new(value(last)?))
        }
        "set" => Value::Set(inner.items().iter().filter_map(json::element).collect()),
        "concat" => Value::Joined(items()?),
        "|" => Value::List(items()?),
        // An element with what is said about it beside its key.
        "elem" => value(inner.get("val")?)?,
        "map" => Value::Map(left(inner.get("key")?)?, Box::new(value(inner.get("data")?)?)),
        _ => return None,
    })
}
