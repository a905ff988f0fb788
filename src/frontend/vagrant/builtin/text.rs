//! Methods of strings.

use crate::frontend::placed::{Nature, PlacedText, UNKNOWN};
use crate::source::Span;

use super::super::value::{MAX_TEXT, Value};
use super::{few, joined};

/// A string that is computed at `span`.
pub(in super::super) fn string(text: &str, span: Span) -> Value {
    Value::text(PlacedText::computed(text, span))
}

/// What `#{…}` and `to_s` make of a value.
pub(in super::super) fn to_text(value: &Value, span: Span) -> Option<PlacedText> {
    let text = match value {
        Value::Str(text) => return Some(text.clone()),
        Value::Nil => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Symbol(name) => name.clone(),
        Value::Range(first, last) => format!("{first}..{last}"),
        _ => return None,
    };
    Some(PlacedText::computed(&text, span))
}

/// Calls a method of a string.
pub(super) fn method(text: &PlacedText, name: &str, values: &[Value], span: Span) -> Option<Value> {
    match (name, values) {
        ("+" | "<<" | "concat", [other]) => {
            let mut whole = text.clone();
            match to_text(other, span) {
                Some(other) => whole.append(&other),
                None => whole.push(UNKNOWN, span, Nature::Unknown),
            }
            return Some(Value::text(whole));
        }
        ("%", [values]) => {
            let values = match values {
                Value::List(values) => values.borrow().clone(),
                other => vec![other.clone()],
            };
            return Some(format(&Value::Str(text.clone()), &values, span));
        }
        // The places of the lines are worth more than the blanks around them.
        ("strip" | "chomp" | "lstrip" | "rstrip" | "to_str" | "b" | "force_encoding" | "encode" | "unindent", _)
            if text.as_str().contains('\n') =>
        {
            return Some(Value::Str(text.clone()));
        }
        _ => {}
    }
    if !text.is_known() {
        return None;
    }
    let plain = text.as_str();
    query(plain, name, values).or_else(|| changed(text, plain, name, values, span))
}

fn query(plain: &str, name: &str, values: &[Value]) -> Option<Value> {
    let any = |test: &dyn Fn(&str) -> bool| {
        let names: Option<Vec<&str>> = values.iter().map(Value::name).collect();
        names.map(|names| Value::Bool(names.iter().any(|name| test(name))))
    };
    match name {
        "start_with?" => return any(&|name| plain.starts_with(name)),
        "end_with?" => return any(&|name| plain.ends_with(name)),
        _ => {}
    }
    Some(match (name, values) {
        ("empty?", []) => Value::Bool(plain.is_empty()),
        ("length" | "size", []) => Value::Int(i64::try_from(plain.chars().count()).ok()?),
        ("to_i", []) => {
            let plain = plain.trim_start();
            let digits = plain.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(plain.len());
            Value::Int(plain.get(..digits)?.parse().unwrap_or(0))
        }
        ("include?", [part]) => Value::Bool(plain.contains(part.name()?)),
        ("to_sym" | "intern", []) => Value::Symbol(plain.to_owned()),
        ("match?" | "=~" | "match", [Value::Regex(source)]) => Value::from_truth(matches(source, plain)),
        ("casecmp?", [other]) => Value::Bool(plain.eq_ignore_ascii_case(other.name()?)),
        ("<=>", [other]) => Value::Int(plain.cmp(other.name()?) as i64),
        ("count", [part]) => {
            let characters = part.name().filter(|p| p.chars().count() == 1)?;
            Value::Int(i64::try_from(plain.matches(characters).count()).ok()?)
        }
        _ => return None,
    })
}

fn changed(text: &PlacedText, plain: &str, name: &str, values: &[Value], span: Span) -> Option<Value> {
    let string = |plain: &str| string(plain, span);
    Some(match (name, values) {
        ("upcase", []) => string(&plain.to_uppercase()),
        ("downcase", []) => string(&plain.to_lowercase()),
        ("capitalize", []) => {
            let mut characters = plain.chars();
            let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
            string(&format!("{first}{}", characters.as_str().to_lowercase()))
        }
        ("strip", []) => string(plain.trim()),
        ("lstrip", []) => string(plain.trim_start()),
        ("rstrip", []) => string(plain.trim_end()),
        ("chomp", []) => string(plain.trim_end_matches(['\n', '\r'])),
        ("reverse", []) => string(&plain.chars().rev().collect::<String>()),
        ("to_str" | "inspect" | "b", []) if name != "inspect" => Value::Str(text.clone()),
        ("*", [Value::Int(count)]) => {
            let count = few(*count).filter(|count| count.saturating_mul(plain.len()) <= MAX_TEXT)?;
            joined(&vec![text.clone(); count], "", span)
        }
        ("split", _) => split(plain, values, span)?,
        ("lines", []) => Value::list(plain.split_inclusive('\n').map(string).collect()),
        ("chars", []) => Value::list(plain.chars().map(|c| string(&c.to_string())).collect()),
        ("gsub" | "tr", [from, to]) if !matches!(from, Value::Regex(_)) => {
            let (from, to) = (from.name()?, to.name()?);
            let is_plain =
                name == "gsub" || from.chars().count() == 1 && to.chars().count() <= 1 && !from.contains(['-', '^']);
            string(&plain.replace(from, to)).clone().filtered(is_plain)?
        }
        ("sub", [from, to]) if !matches!(from, Value::Regex(_)) => string(&plain.replacen(from.name()?, to.name()?, 1)),
        ("delete", [part]) => {
            let one = part.name().filter(|p| p.chars().count() == 1)?;
            string(&plain.replace(one, ""))
        }
        ("delete_prefix", [part]) => string(plain.strip_prefix(part.name()?).unwrap_or(plain)),
        ("delete_suffix", [part]) => string(plain.strip_suffix(part.name()?).unwrap_or(plain)),
        ("rjust", [Value::Int(width), pad @ ..]) => string(&format!("{}{plain}", padding(plain, *width, pad)?)),
        ("ljust", [Value::Int(width), pad @ ..]) => string(&format!("{plain}{}", padding(plain, *width, pad)?)),
        ("[]" | "slice", [Value::Range(first, last)]) => {
            let characters: Vec<char> = plain.chars().collect();
            let length = i64::try_from(characters.len()).ok()?;
            let from_end = |n: i64| if n < 0 { n + length } else { n };
            let (first, last) = (few(from_end(*first))?, from_end(*last));
            let taken = usize::try_from(last.saturating_add(1)).ok()?.saturating_sub(first);
            string(&characters.into_iter().skip(first).take(taken).collect::<String>())
        }
        ("[]" | "slice", [Value::Int(at)]) => {
            let length = i64::try_from(plain.chars().count()).ok()?;
            let at = usize::try_from(if *at < 0 { at + length } else { *at }).ok()?;
            plain.chars().nth(at).map_or(Value::Nil, |c| string(&c.to_string()))
        }
        ("succ" | "next", []) => {
            let number: i64 = plain.parse().ok()?;
            string(&format!("{:0width$}", number.checked_add(1)?, width = plain.len()))
        }
        _ => return None,
    })
}

impl Value {
    fn filtered(self, condition: bool) -> Option<Self> {
        condition.then_some(self)
    }
}

fn padding(plain: &str, width: i64, pad: &[Value]) -> Option<String> {
    let pad = pad.first().map_or(Some(" "), Value::name)?;
    let missing = few(width)?.saturating_sub(plain.chars().count());
    Some(pad.chars().cycle().take(if pad.is_empty() { 0 } else { missing }).collect())
}

fn split(plain: &str, values: &[Value], span: Span) -> Option<Value> {
    let parts: Vec<&str> = match values {
        [] => plain.split_whitespace().collect(),
        [separator] if separator.name() == Some(" ") => plain.split_whitespace().collect(),
        [separator] => {
            let separator = separator.name().filter(|s| !s.is_empty())?;
            let mut parts: Vec<&str> = plain.split(separator).collect();
            while parts.last().is_some_and(|last| last.is_empty()) {
                parts.pop();
            }
            parts
        }
        _ => return None,
    };
    Some(Value::list(parts.into_iter().map(|part| string(part, span)).collect()))
}

/// Whether a text matches an expression that is nothing but a word, perhaps with alternatives and anchors.
pub(super) fn matches(source: &str, text: &str) -> Option<bool> {
    let alternative = |alternative: &str| {
        let (start, rest) = match alternative.strip_prefix("\\A").or(alternative.strip_prefix('^')) {
            Some(rest) => (true, rest),
            None => (false, alternative),
        };
        let (end, word) = match rest.strip_suffix("\\z").or(rest.strip_suffix('$')) {
            Some(word) => (true, word),
            None => (false, rest),
        };
        let is_plain = word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '/' | ':'));
        is_plain.then(|| match (start, end) {
            (true, true) => text == word,
            (true, false) => text.starts_with(word),
            (false, true) => text.ends_with(word),
            (false, false) => text.contains(word),
        })
    };
    let found: Option<Vec<bool>> = source.split('|').map(alternative).collect();
    found.map(|found| found.contains(&true)).filter(|_| !text.contains('\n'))
}

/// `format`: `%s`, `%d`, `%02d`, `%x`, `%%`, `%{name}`.
pub(in super::super) fn format(format: &Value, values: &[Value], span: Span) -> Value {
    let Some(template) = format.name() else { return Value::Unknown };
    let mut out = PlacedText::default();
    let mut values = values.iter();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('%') {
        out.push(before, span, Nature::Computed);
        let (piece, left) = directive(after, &mut values).unwrap_or((None, ""));
        match piece {
            Some(text) => out.push(&text, span, Nature::Computed),
            None => out.push(UNKNOWN, span, Nature::Unknown),
        }
        rest = left;
    }
    out.push(rest, span, Nature::Computed);
    Value::text(out)
}

/// What one directive becomes, if it is known, and the rest of the template.
fn directive<'a>(after: &'a str, values: &mut std::slice::Iter<'_, Value>) -> Option<(Option<String>, &'a str)> {
    if let Some(rest) = after.strip_prefix('%') {
        return Some((Some("%".to_owned()), rest));
    }
    if let Some((name, rest)) = after.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
        let value = values.as_slice().first()?.entry(&Value::Symbol(name.to_owned()));
        return Some((plain(&value), rest));
    }
    let at = after.find(|c: char| c.is_ascii_alphabetic())?;
    let (flags, conversion) = after.split_at_checked(at)?;
    let (kind, rest) = conversion.split_at_checked(1)?;
    let value = values.next()?;
    let width = flags.trim_start_matches(['0', '-']);
    let width: usize = if width.is_empty() { 0 } else { width.parse().ok().filter(|width| *width <= 64)? };
    let number = || match value {
        Value::Int(number) => Some(*number),
        Value::Str(text) => text.as_str().trim().parse().ok().filter(|_| text.is_known()),
        _ => None,
    };
    let text = match kind {
        "s" => plain(value)?,
        "d" | "i" => number()?.to_string(),
        "x" => format!("{:x}", number().filter(|n| *n >= 0)?),
        "X" => format!("{:X}", number().filter(|n| *n >= 0)?),
        _ => return Some((None, rest)),
    };
    let text = match (flags.chars().next(), kind) {
        (Some('0'), "d" | "i" | "x" | "X") => format!("{text:0>width$}"),
        (Some('-'), _) => format!("{text:<width$}"),
        _ => format!("{text:>width$}"),
    };
    Some((Some(text), rest))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => text.is_known().then(|| text.as_str().to_owned()),
        Value::Symbol(name) => Some(name.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Nil => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
