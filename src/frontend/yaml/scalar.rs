//! What a scalar stands for.
//!
//! Follows yaml.v3 (resolve.go), which docker compose v2 reads its files with: the core schema of YAML 1.2, with
//! integers as Go writes them (`0777` is octal, `1_000` is 1000). `yes`, `on` and `22:22` are strings.

use super::{Node, Style, Value};

/// What a scalar stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float,
    /// Text.
    Text,
}

impl Node {
    /// What the scalar stands for; nothing for lists and maps.
    pub fn resolve(&self) -> Option<Resolved> {
        let Value::Scalar(text) = &self.value else { return None };
        let is_text = self.style != Style::Plain || self.tag.as_deref() == Some("!!str");
        Some(if is_text { Resolved::Text } else { plain(text) })
    }
}

/// What a scalar without quotes and tag stands for.
pub fn plain(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        _ => integer(text).map_or_else(|| if is_float(text) { Resolved::Float } else { Resolved::Text }, Resolved::Int),
    }
}

/// A whole number as Go's `ParseInt` with base 0 reads it.
pub fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace('_', "");
    let (base, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, digits.get(2..)?),
        Some("0o" | "0O") => (8, digits.get(2..)?),
        Some("0b" | "0B") => (2, digits.get(2..)?),
        Some(_) if digits.starts_with('0') => (8, digits.as_str()),
        _ => (10, digits.as_str()),
    };
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    i64::from_str_radix(digits, base).ok()?.checked_mul(sign)
}

fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let has_digit_first = unsigned.trim_start_matches('.').starts_with(|c: char| c.is_ascii_digit());
    has_digit_first && unsigned.parse::<f64>().is_ok()
}

/// Whether YAML 1.1 reads a plain `text` as a number in base 60: `22:22`.
pub fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let first = parts.next().is_some_and(|p| is_number(p) && !p.starts_with('0'));
    let rest: Vec<&str> = parts.collect();
    let is_sixtieth = |part: &&str| part.len() <= 2 && is_number(part) && part.parse::<u8>().is_ok_and(|n| n < 60);
    first && !rest.is_empty() && rest.iter().all(is_sixtieth)
}
