//! Typed access to a tree: what is not of the expected type is reported once and left out.

use std::fmt::Display;
use std::str::FromStr;

use super::{Entry, Node, Resolved, Value};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

/// A walk over a tree, with what there is to say about it.
#[derive(Debug, Default)]
pub struct Walk {
    /// What was found wrong so far.
    pub diagnostics: Vec<Diagnostic>,
}

impl Walk {
    /// Adds a diagnostic.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// A text; numbers and booleans count as what is written. `what` names it in messages.
    pub fn string(&mut self, node: &Node, what: &str) -> Option<Spanned<String>> {
        match (&node.value, node.resolve()) {
            (Value::Scalar(text), Some(resolved)) if resolved != Resolved::Null => {
                Some(Spanned::new(text.clone(), node.content))
            }
            _ => self.wrong(node, what, "a text"),
        }
    }

    /// A whole number, quoted or not.
    pub fn int(&mut self, node: &Node, what: &str) -> Option<Spanned<i64>> {
        let number = match (&node.value, node.resolve()) {
            (_, Some(Resolved::Int(number))) => Some(number),
            (Value::Scalar(text), Some(Resolved::Text)) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => Some(Spanned::new(number, node.content)),
            None => self.wrong(node, what, "a whole number"),
        }
    }

    /// A boolean; also `yes`, `on`, `"true"` and the like, which docker compose takes (compose-go loader/interpolate.go).
    pub fn bool(&mut self, node: &Node, what: &str) -> Option<Spanned<bool>> {
        let Value::Scalar(text) = &node.value else { return self.wrong(node, what, "true or false") };
        let value = match text.to_ascii_lowercase().as_str() {
            "true" | "y" | "yes" | "on" => true,
            "false" | "n" | "no" | "off" => false,
            _ => return self.wrong(node, what, "true or false"),
        };
        Some(Spanned::new(value, node.content))
    }

    /// The items of a list; nothing written means an empty one.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.value {
            Value::Sequence(items) => items,
            _ if node.is_null() => &[],
            _ => {
                self.wrong::<()>(node, what, "a list");
                &[]
            }
        }
    }

    /// The items of a list, or the node itself when it is a single value.
    pub fn one_or_many<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        match &node.value {
            Value::Sequence(items) => items,
            _ if node.is_null() => &[],
            _ => std::slice::from_ref(node),
        }
    }

    /// The entries of a map; nothing written means an empty one.
    pub fn map<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        match &node.value {
            Value::Mapping(entries) => entries,
            _ if node.is_null() => &[],
            _ => {
                self.wrong::<()>(node, what, "a map");
                &[]
            }
        }
    }

    /// A value that its own text notation describes: an address, a prefix. `code` is what a wrong one is reported as.
    pub fn parsed<T: FromStr>(&mut self, node: &Node, what: &str, code: Code) -> Option<Spanned<T>> {
        let text = self.string(node, what)?;
        match text.value.parse() {
            Ok(value) => Some(Spanned::new(value, text.span)),
            Err(_) => {
                self.report(bad_value(code, &text.value, what, text.span));
                None
            }
        }
    }

    /// One of the given words.
    pub fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)], code: Code) -> Option<Spanned<T>> {
        let text = self.string(node, what)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(Spanned::new(*value, text.span));
        }
        let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let all = quoted_list(&list);
        let one_of = text!("write one of {all}", "이 가운데 하나로 쓰십시오: {all}");
        let help = help(&text.value, &list).unwrap_or(one_of);
        self.report(bad_value(code, &text.value, what, text.span).help(help));
        None
    }

    /// Reports an entry whose key means nothing in `place`; the nearest known key is offered.
    pub fn unknown_key(&mut self, key: &Spanned<String>, place: impl Display, known: &[&str]) {
        let diagnostic = Diagnostic::new(Code::UnknownKey, format!("unknown key `{}` in {place}", key.value))
            .label(key.span, text!("not known here, so nothing is made of it", "여기서 모르는 키라서 쓰이지 않음"));
        self.report(match help(&key.value, known) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }

    /// Reports entries of a map that are not among `known`; keys that start with `x-` are free.
    pub fn check_keys(&mut self, entries: &[Entry], place: impl Display, known: &[&str]) {
        for entry in entries {
            let key = entry.key.value.as_str();
            if !known.contains(&key) && !key.starts_with("x-") {
                self.unknown_key(&entry.key, &place, known);
            }
        }
    }

    /// The value under `key`, which must be there.
    pub fn required<'n>(&mut self, node: &'n Node, key: &str, place: &str) -> Option<&'n Node> {
        let found = node.get(key);
        if found.is_none() {
            let message = format!("{place} needs `{key}`");
            let label = text!("`{key}` is missing here", "여기에 `{key}`가 빠져 있음");
            self.report(Diagnostic::new(Code::YamlType, message).label(node.used_at.unwrap_or(node.span), label));
        }
        found
    }

    fn wrong<T>(&mut self, node: &Node, what: &str, expected: &str) -> Option<T> {
        let is = match (&node.value, node.resolve()) {
            (Value::Sequence(_), _) => "a list",
            (Value::Mapping(_), _) => "a map",
            (_, Some(Resolved::Null)) => "nothing",
            (_, Some(Resolved::Bool(_))) => "true or false",
            (_, Some(Resolved::Int(_) | Resolved::Float)) => "a number",
            _ => "a text",
        };
        self.report(
            Diagnostic::new(Code::YamlType, format!("{what} must be {expected}"))
                .label(node.used_at.unwrap_or(node.span), format!("this is {is}")),
        );
        None
    }
}

fn help(word: &str, known: &[&str]) -> Option<Text> {
    did_you_mean(word, known.iter().copied()).map(|near| text!("did you mean `{near}`?", "혹시 `{near}`?"))
}

fn quoted_list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn bad_value(code: Code, text: &str, what: &str, span: Span) -> Diagnostic {
    misunderstood(code, span, format!("`{text}` is not {what}"))
}

/// A value that means nothing.
pub fn misunderstood(code: Code, span: Span, message: impl Into<Text>) -> Diagnostic {
    Diagnostic::new(code, message).label(span, text!("cannot be understood", "이해할 수 없음"))
}
