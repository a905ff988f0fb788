//! Methods of lists, hashes and ranges.

use crate::source::Span;

use super::super::value::{MAX_ITEMS, Value};
use super::text::to_text;
use super::{few, joined, or};

/// The numbers of a range, if they are not too many.
pub(in super::super) fn numbers(first: i64, last: i64) -> Option<Vec<Value>> {
    few(last.checked_sub(first)?.checked_add(1)?)?;
    Some((first..=last).map(Value::Int).collect())
}

/// What a loop over a value runs through.
fn elements(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::List(items) => Some(items.borrow().clone()),
        Value::Hash(pairs) => {
            Some(pairs.borrow().iter().map(|(key, value)| Value::list(vec![key.clone(), value.clone()])).collect())
        }
        Value::Range(first, last) => numbers(*first, *last),
        _ => None,
    }
}

/// `Array(value)`.
pub(in super::super) fn as_list(value: &Value) -> Value {
    match value {
        Value::Nil => Value::list(Vec::new()),
        Value::Unknown => Value::Unknown,
        other => Value::list(elements(other).unwrap_or_else(|| vec![other.clone()])),
    }
}

/// What the block of a method is given, turn by turn.
pub(in super::super) fn turns(receiver: &Value, name: &str, values: &[Value]) -> Option<Vec<Value>> {
    let number = |value: Option<&Value>| match value {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    };
    let turns = match (name, receiver) {
        ("times", Value::Int(count)) => numbers(0, count.checked_sub(1)?)?,
        ("upto", Value::Int(first)) => numbers(*first, number(values.first())?)?,
        ("downto", Value::Int(first)) => numbers(number(values.first())?, *first)?.into_iter().rev().collect(),
        ("step", Value::Range(first, last)) => {
            let step = usize::try_from(number(values.first())?).ok().filter(|step| *step > 0)?;
            numbers(*first, *last)?.into_iter().step_by(step).collect()
        }
        ("step", Value::Int(first)) => {
            let step = usize::try_from(number(values.get(1)).unwrap_or(1)).ok().filter(|step| *step > 0)?;
            numbers(*first, number(values.first())?)?.into_iter().step_by(step).collect()
        }
        ("each_with_index" | "with_index" | "map_with_index", _) => {
            let start = number(values.first()).unwrap_or(0).min(i64::MAX / 2);
            let pair = |(index, item)| Value::list(vec![item, Value::Int(index)]);
            (start..).zip(elements(receiver)?).map(pair).collect()
        }
        ("each_slice", _) => {
            let size = few(number(values.first())?).filter(|size| *size > 0)?;
            elements(receiver)?.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect()
        }
        ("each_key", Value::Hash(pairs)) => pairs.borrow().iter().map(|(key, _)| key.clone()).collect(),
        ("each_value", Value::Hash(pairs)) => pairs.borrow().iter().map(|(_, value)| value.clone()).collect(),
        ("reverse_each", _) => elements(receiver)?.into_iter().rev().collect(),
        ("each_char" | "each_line", _) => return None,
        _ => elements(receiver)?,
    };
    Some(turns).filter(|turns| turns.len() <= MAX_ITEMS)
}

/// Sets an entry of a hash; an unknown key makes everything unknown that was there.
pub(in super::super) fn insert(entries: &mut Vec<(Value, Value)>, key: Value, value: Value) {
    if !key.is_known() {
        entries.iter_mut().for_each(|(_, old)| *old = Value::Unknown);
        return;
    }
    if let Some((_, old)) = entries.iter_mut().find(|(other, _)| other.equals(&key) == Some(true)) {
        *old = value;
    } else if entries.len() < MAX_ITEMS {
        entries.push((key, value));
    }
}

/// A hash of pairs.
pub(in super::super) fn to_hash(pairs: &[Value]) -> Value {
    let mut entries = Vec::new();
    for pair in pairs {
        let Value::List(pair) = pair else { return Value::Unknown };
        let pair = pair.borrow();
        let [key, value] = pair.as_slice() else { return Value::Unknown };
        insert(&mut entries, key.clone(), value.clone());
    }
    Value::hash(entries)
}

/// `receiver[key]`.
pub(in super::super) fn at(receiver: &Value, key: &Value) -> Value {
    match (receiver, key) {
        (Value::Hash(_), _) => receiver.entry(key),
        (Value::List(items), Value::Int(at)) => {
            let items = items.borrow();
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let at = usize::try_from(if *at < 0 { at + length } else { *at }).ok();
            at.and_then(|at| items.get(at)).cloned().unwrap_or(Value::Nil)
        }
        (Value::List(items), Value::Range(first, last)) => {
            let items = items.borrow();
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let from_end = |n: i64| if n < 0 { n.saturating_add(length) } else { n };
            let (first, last) = (from_end(*first), from_end(*last));
            let (Ok(skip), Ok(end)) = (usize::try_from(first), usize::try_from(last.saturating_add(1))) else {
                return Value::Unknown;
            };
            Value::list(items.iter().skip(skip).take(end.saturating_sub(skip)).cloned().collect())
        }
        _ => Value::Unknown,
    }
}

/// Calls a method of a list, hash or range.
pub(super) fn method(receiver: &Value, name: &str, values: &[Value], span: Span) -> Option<Value> {
    of_hash(receiver, name, values).or_else(|| of_list(receiver, name, values)).or_else(|| {
        let elements = elements(receiver)?;
        of_elements(receiver, &elements, name, values, span)
    })
}

fn of_hash(receiver: &Value, name: &str, values: &[Value]) -> Option<Value> {
    let Value::Hash(pairs) = receiver else { return None };
    let has = |key: &Value| pairs.borrow().iter().map(|(other, _)| other.equals(key)).fold(Some(false), or);
    Some(match (name, values) {
        ("[]", [key]) => receiver.entry(key),
        ("fetch", [key]) => receiver.entry(key),
        ("fetch", [key, default]) => match has(key) {
            Some(true) => receiver.entry(key),
            Some(false) => default.clone(),
            None => Value::Unknown,
        },
        ("key?" | "has_key?" | "include?" | "member?", [key]) => Value::from_truth(has(key)),
        ("dig", [first, rest @ ..]) => rest.iter().fold(receiver.entry(first), |value, key| match value {
            Value::Nil => Value::Nil,
            value => at(&value, key),
        }),
        ("keys", []) => Value::list(pairs.borrow().iter().map(|(key, _)| key.clone()).collect()),
        ("values", []) => Value::list(pairs.borrow().iter().map(|(_, value)| value.clone()).collect()),
        ("merge" | "update" | "merge!", others) => {
            let mut entries = pairs.borrow().clone();
            for other in others {
                let Value::Hash(other) = other else { return Some(Value::Unknown) };
                let other = other.borrow().clone();
                other.into_iter().for_each(|(key, value)| insert(&mut entries, key, value));
            }
            if name != "merge" {
                pairs.borrow_mut().clone_from(&entries);
            }
            Value::hash(entries)
        }
        ("store", [key, value]) if !value.is_deeper_than(8) => {
            insert(&mut pairs.borrow_mut(), key.clone(), value.clone());
            value.clone()
        }
        ("delete", [key]) => {
            let old = receiver.entry(key);
            pairs.borrow_mut().retain(|(other, _)| other.equals(key) == Some(false));
            old
        }
        ("to_h", []) => receiver.clone(),
        ("length" | "size" | "count", []) => Value::Int(i64::try_from(pairs.borrow().len()).ok()?),
        ("transform_keys", []) => return None,
        _ => return None,
    })
}

fn of_list(receiver: &Value, name: &str, values: &[Value]) -> Option<Value> {
    let Value::List(items) = receiver else { return None };
    Some(match (name, values) {
        ("[]" | "at" | "slice", [key]) => at(receiver, key),
        ("fetch", [key]) => at(receiver, key),
        ("[]" | "slice", [Value::Int(from), Value::Int(count)]) => {
            let last = from.checked_add(*count)?.checked_sub(1)?;
            at(receiver, &Value::Range(*from, last))
        }
        ("<<" | "push" | "append", new) => {
            let is_fine = items.borrow().len() + new.len() <= MAX_ITEMS && !new.iter().any(|v| v.is_deeper_than(8));
            let new: Vec<Value> = new.iter().map(|v| if is_fine { v.clone() } else { Value::Unknown }).collect();
            items.borrow_mut().extend(new.into_iter().take(if is_fine { usize::MAX } else { 0 }));
            receiver.clone()
        }
        ("concat", [Value::List(other)]) => {
            let other = other.borrow().clone();
            let mut items = items.borrow_mut();
            let room = MAX_ITEMS.saturating_sub(items.len());
            items.extend(other.into_iter().take(room));
            receiver.clone()
        }
        ("unshift" | "prepend", [new]) if items.borrow().len() < MAX_ITEMS && !new.is_deeper_than(8) => {
            items.borrow_mut().insert(0, new.clone());
            receiver.clone()
        }
        ("pop", []) => items.borrow_mut().pop().unwrap_or(Value::Nil),
        ("shift", []) => {
            let mut items = items.borrow_mut();
            if items.is_empty() { Value::Nil } else { items.remove(0) }
        }
        ("+", [Value::List(other)]) => {
            Value::list(items.borrow().iter().chain(other.borrow().iter()).cloned().collect())
        }
        ("-", [Value::List(other)]) => {
            let other = other.borrow();
            let is_left = |item: &&Value| other.iter().map(|o| o.equals(item)).fold(Some(false), or) == Some(false);
            Value::list(items.borrow().iter().filter(is_left).cloned().collect())
        }
        ("*", [Value::Int(count)]) => {
            let items = items.borrow();
            let count = few(*count).filter(|count| count.saturating_mul(items.len()) <= MAX_ITEMS)?;
            Value::list(std::iter::repeat_n(items.iter(), count).flatten().cloned().collect())
        }
        ("to_h", []) => to_hash(&items.borrow()),
        _ => return None,
    })
}

fn of_elements(receiver: &Value, elements: &[Value], name: &str, values: &[Value], span: Span) -> Option<Value> {
    let list = |items: Vec<Value>| Value::list(items);
    Some(match (name, values) {
        ("to_a" | "entries" | "each" | "map" | "each_entry" | "lazy" | "force", []) => list(elements.to_vec()),
        ("each_with_index", []) => list(turns(receiver, "each_with_index", &[])?),
        ("each_slice", [_]) => list(turns(receiver, "each_slice", values)?),
        ("first" | "begin" | "min", []) if name == "first" || matches!(receiver, Value::Range(..)) => {
            elements.first().cloned().unwrap_or(Value::Nil)
        }
        ("last" | "end" | "max", []) if name == "last" || matches!(receiver, Value::Range(..)) => {
            elements.last().cloned().unwrap_or(Value::Nil)
        }
        ("first" | "take", [Value::Int(count)]) => list(elements.iter().take(few(*count)?).cloned().collect()),
        ("drop", [Value::Int(count)]) => list(elements.iter().skip(few(*count)?).cloned().collect()),
        ("length" | "size" | "count", []) => Value::Int(i64::try_from(elements.len()).ok()?),
        ("empty?" | "none?", []) => Value::Bool(elements.is_empty()),
        ("any?", []) => elements.iter().map(Value::truth).fold(Some(false), or).map_or(Value::Unknown, Value::Bool),
        ("include?" | "member?" | "cover?", [value]) => {
            Value::from_truth(elements.iter().map(|e| e.equals(value)).fold(Some(false), or))
        }
        ("index" | "find_index", [value]) => {
            let found = elements.iter().position(|e| e.equals(value) != Some(false));
            found.map_or(Some(Value::Nil), |at| i64::try_from(at).ok().map(Value::Int))?
        }
        ("reverse", []) => list(elements.iter().rev().cloned().collect()),
        ("compact", []) => list(elements.iter().filter(|e| !matches!(e, Value::Nil)).cloned().collect()),
        ("flatten", _) => list(flat(elements, 8)),
        ("uniq", []) => {
            let mut unique: Vec<Value> = Vec::new();
            for element in elements {
                if unique.iter().map(|u| u.equals(element)).fold(Some(false), or)? {
                    continue;
                }
                unique.push(element.clone());
            }
            list(unique)
        }
        ("zip", [Value::List(other)]) => {
            let others = other.borrow().clone().into_iter().chain(std::iter::repeat(Value::Nil));
            list(elements.iter().cloned().zip(others).map(|(a, b)| Value::list(vec![a, b])).collect())
        }
        ("join", separator) => {
            let separator = separator.first().map_or(Some(""), Value::name)?;
            let texts: Option<Vec<_>> = elements.iter().map(|e| to_text(e, span)).collect();
            joined(&texts?, separator, span)
        }
        ("sum", []) => elements
            .iter()
            .try_fold(0_i64, |sum, e| match e {
                Value::Int(value) => sum.checked_add(*value),
                _ => None,
            })
            .map(Value::Int)?,
        ("sort", []) => sorted(elements)?,
        _ => return None,
    })
}

fn flat(elements: &[Value], depth: usize) -> Vec<Value> {
    let one = |element: &Value| match element {
        Value::List(items) if depth > 0 => flat(&items.borrow(), depth - 1),
        other => vec![other.clone()],
    };
    elements.iter().flat_map(one).take(MAX_ITEMS).collect()
}

fn sorted(elements: &[Value]) -> Option<Value> {
    let mut elements = elements.to_vec();
    if elements.iter().all(|e| matches!(e, Value::Int(_))) {
        elements.sort_by_key(|e| if let Value::Int(number) = e { *number } else { 0 });
    } else if elements.iter().all(|e| e.name().is_some()) {
        elements.sort_by(|a, b| a.name().cmp(&b.name()));
    } else {
        return None;
    }
    Some(Value::list(elements))
}
