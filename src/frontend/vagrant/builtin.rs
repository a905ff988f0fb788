//! Methods of Ruby's own values, as far as they do not depend on the machine that Ruby runs on. What is not here gives
//! nothing, and the caller takes the value for unknown.

use crate::frontend::placed::{Nature, PlacedText};
use crate::source::Span;

use super::value::{MAX_ITEMS, Value};

mod collection;
mod text;

pub(super) use self::collection::{as_list, at, insert, numbers, to_hash, turns};
pub(super) use self::text::{format, string, to_text};

/// `a || b` of what may be unknown.
pub(super) fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// `pattern === value`, as `case` compares.
pub(super) fn case_equals(pattern: &Value, value: &Value) -> Option<bool> {
    match (pattern, value) {
        (_, Value::Unknown) => None,
        (Value::Range(first, last), Value::Int(number)) => Some((first..=last).contains(&number)),
        (Value::Regex(_), Value::Str(text)) if !text.is_known() => None,
        (Value::Regex(source), _) => value.name().map_or(Some(false), |text| text::matches(source, text)),
        (Value::Module(class), _) => is_a(value, class),
        _ => pattern.equals(value),
    }
}

fn is_a(value: &Value, class: &str) -> Option<bool> {
    let classes: &[&str] = match value {
        Value::Unknown | Value::Config(_) | Value::Module(_) => return None,
        Value::Nil => &["NilClass"],
        Value::Bool(true) => &["TrueClass"],
        Value::Bool(false) => &["FalseClass"],
        Value::Int(_) => &["Integer", "Numeric", "Fixnum"],
        Value::Str(_) => &["String"],
        Value::Symbol(_) => &["Symbol"],
        Value::Regex(_) => &["Regexp"],
        Value::Range(..) => &["Range", "Enumerable"],
        Value::List(_) => &["Array", "Enumerable"],
        Value::Hash(_) => &["Hash", "Enumerable"],
        Value::Lambda(_) => &["Proc"],
    };
    Some(classes.contains(&class) || class == "Object")
}

/// Calls a method.
pub(super) fn method(receiver: &Value, name: &str, values: &[Value], span: Span) -> Option<Value> {
    common(receiver, name, values, span).or_else(|| match receiver {
        Value::Int(number) => integer(*number, name, values),
        Value::Str(value) => text::method(value, name, values, span),
        Value::Symbol(name_of) => text::method(&PlacedText::computed(name_of, span), name, values, span),
        Value::List(_) | Value::Hash(_) | Value::Range(..) => collection::method(receiver, name, values, span),
        Value::Nil => match (name, values) {
            ("to_a", []) => Some(Value::list(Vec::new())),
            ("to_i", []) => Some(Value::Int(0)),
            ("to_h", []) => Some(Value::hash(Vec::new())),
            _ => None,
        },
        _ => None,
    })
}

/// What every value answers to.
fn common(receiver: &Value, name: &str, values: &[Value], span: Span) -> Option<Value> {
    Some(match (name, values) {
        ("==" | "eql?" | "equal?", [other]) => Value::from_truth(receiver.equals(other)),
        ("!=", [other]) => Value::from_truth(receiver.equals(other).map(|same| !same)),
        ("===", [other]) => Value::from_truth(case_equals(receiver, other)),
        ("!", []) => Value::from_truth(receiver.truth().map(|truth| !truth)),
        ("&", [other]) if matches!(receiver, Value::Bool(_)) => {
            Value::from_truth(receiver.truth().zip(other.truth()).map(|(a, b)| a && b))
        }
        ("nil?", []) if !matches!(receiver, Value::Unknown) => Value::Bool(matches!(receiver, Value::Nil)),
        ("is_a?" | "kind_of?" | "instance_of?", [Value::Module(class)]) => Value::from_truth(is_a(receiver, class)),
        ("freeze" | "dup" | "clone" | "itself" | "to_enum", []) => match receiver {
            // The copy can be changed without changing the original.
            Value::List(items) => Value::list(items.borrow().clone()),
            Value::Hash(pairs) => Value::hash(pairs.borrow().clone()),
            other => other.clone(),
        },
        ("to_s", []) => Value::text(to_text(receiver, span)?),
        ("respond_to?" | "frozen?" | "hash" | "object_id" | "instance_variable_get", _) => Value::Unknown,
        _ => return None,
    })
}

fn integer(number: i64, name: &str, values: &[Value]) -> Option<Value> {
    if let [Value::Int(other)] = values {
        let other = *other;
        return Some(match name {
            "+" => Value::Int(number.checked_add(other)?),
            "-" => Value::Int(number.checked_sub(other)?),
            "*" => Value::Int(number.checked_mul(other)?),
            "/" | "div" => Value::Int(number.checked_div_euclid(other).filter(|_| other > 0)?),
            "%" | "modulo" => Value::Int(number.checked_rem_euclid(other).filter(|_| other > 0)?),
            "**" | "pow" => Value::Int(number.checked_pow(u32::try_from(other).ok()?)?),
            "<<" => Value::Int(number.checked_mul(2_i64.checked_pow(u32::try_from(other).ok()?)?)?),
            "<" => Value::Bool(number < other),
            "<=" => Value::Bool(number <= other),
            ">" => Value::Bool(number > other),
            ">=" => Value::Bool(number >= other),
            "<=>" => Value::Int(number.cmp(&other) as i64),
            _ => return None,
        });
    }
    Some(match (name, values) {
        ("to_i" | "to_int" | "round" | "floor" | "ceil" | "ord", []) => Value::Int(number),
        ("-@", []) => Value::Int(number.checked_neg()?),
        ("+@", []) => Value::Int(number),
        ("abs", []) => Value::Int(number.checked_abs()?),
        ("succ" | "next", []) => Value::Int(number.checked_add(1)?),
        ("pred", []) => Value::Int(number.checked_sub(1)?),
        ("even?", []) => Value::Bool(number % 2 == 0),
        ("odd?", []) => Value::Bool(number % 2 != 0),
        ("zero?", []) => Value::Bool(number == 0),
        ("positive?", []) => Value::Bool(0 < number),
        ("negative?", []) => Value::Bool(number < 0),
        ("between?", [Value::Int(low), Value::Int(high)]) => Value::Bool((low..=high).contains(&&number)),
        ("times", []) => Value::Range(0, number.saturating_sub(1)),
        ("upto", [Value::Int(last)]) => Value::Range(number, *last),
        _ => return None,
    })
}

/// How many elements something may have before it is not followed.
fn few(count: i64) -> Option<usize> {
    usize::try_from(count.max(0)).ok().filter(|count| *count <= MAX_ITEMS)
}

/// Joins texts, which keep their places.
fn joined(texts: &[PlacedText], separator: &str, span: Span) -> Value {
    let mut out = PlacedText::default();
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            out.push(separator, span, Nature::Computed);
        }
        out.append(text);
    }
    Value::text(out)
}
