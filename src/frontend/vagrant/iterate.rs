//! Methods that take a block.

use super::builtin;
use super::eval::{Evaluator, Outcome, Stop};
use super::value::{Closure, Value};
use crate::frontend::ruby::tree::Jump;

/// What a method does with the answers of its block.
enum Use {
    /// The receiver is the answer.
    Each,
    Map,
    FlatMap,
    Select,
    Reject,
    Find,
    Any,
    All,
    FilterMap,
    Hash,
    Sum,
}

impl Evaluator<'_> {
    pub(super) fn iterate(&mut self, receiver: &Value, name: &str, values: &[Value], block: &Closure) -> Outcome {
        let outcome = self.turns(receiver, name, values, block);
        match outcome {
            Err(Stop::Jump(Jump::Break, value)) => Ok(value),
            other => other,
        }
    }

    fn turns(&mut self, receiver: &Value, name: &str, values: &[Value], block: &Closure) -> Outcome {
        match (name, values) {
            ("tap", []) => {
                self.run(block, vec![receiver.clone()])?;
                return Ok(receiver.clone());
            }
            ("then" | "yield_self", []) => return self.run(block, vec![receiver.clone()]),
            ("fetch", [key]) => {
                let found = receiver.entry(key);
                return if found.truth() == Some(false) { self.run(block, vec![key.clone()]) } else { Ok(found) };
            }
            ("each_with_object", [object]) => {
                for turn in self.elements(receiver, "each") {
                    self.run(block, vec![turn, object.clone()])?;
                }
                return Ok(object.clone());
            }
            ("inject" | "reduce", [start]) => {
                let mut value = start.clone();
                for turn in self.elements(receiver, "each") {
                    value = self.run(block, vec![value, turn])?;
                }
                return Ok(value);
            }
            ("sort_by" | "group_by" | "min_by" | "max_by" | "sort", _) => return Ok(Value::Unknown),
            _ => {}
        }
        let Some(usage) = usage(name) else { return self.unknown_turns(block) };
        let Some(turns) = builtin::turns(receiver, name, values) else { return self.unknown_turns(block) };
        self.collect(receiver, turns, &usage, block)
    }

    fn elements(&mut self, receiver: &Value, name: &str) -> Vec<Value> {
        builtin::turns(receiver, name, &[]).unwrap_or_default()
    }

    /// How often the block runs, and with what, is not known.
    fn unknown_turns(&mut self, block: &Closure) -> Outcome {
        let places = block.block.parameters.required.len().max(1);
        self.doubtful(["in a loop over something that is not known", "알 수 없는 것의 반복문 안"], |e| {
            e.run(block, vec![Value::Unknown; places])
        })?;
        Ok(Value::Unknown)
    }

    fn collect(&mut self, receiver: &Value, turns: Vec<Value>, usage: &Use, block: &Closure) -> Outcome {
        let mut answers = Vec::new();
        for turn in turns {
            let answer = self.run(block, vec![turn.clone()])?;
            match (usage, answer.truth()) {
                (Use::Select | Use::Reject | Use::Find | Use::Any | Use::All | Use::FilterMap, None) => {
                    return Ok(Value::Unknown);
                }
                (Use::Find, Some(true)) => return Ok(turn),
                (Use::Any, Some(true)) => return Ok(Value::Bool(true)),
                (Use::All, Some(false)) => return Ok(Value::Bool(false)),
                (Use::Select, Some(true)) | (Use::Reject, Some(false)) => answers.push(turn),
                (Use::FilterMap, Some(true)) | (Use::Map | Use::Hash | Use::Sum, _) => answers.push(answer),
                (Use::FlatMap, _) => match answer {
                    Value::List(items) => answers.extend(items.borrow().iter().cloned()),
                    other => answers.push(other),
                },
                _ => {}
            }
        }
        Ok(match usage {
            Use::Each => receiver.clone(),
            Use::Find => Value::Nil,
            Use::Any => Value::Bool(false),
            Use::All => Value::Bool(true),
            Use::Hash => builtin::to_hash(&answers),
            Use::Sum => answers
                .iter()
                .try_fold(0_i64, |sum, answer| match answer {
                    Value::Int(value) => sum.checked_add(*value),
                    _ => None,
                })
                .map_or(Value::Unknown, Value::Int),
            Use::Select | Use::Reject if matches!(receiver, Value::Hash(_)) => builtin::to_hash(&answers),
            _ => Value::list(answers),
        })
    }
}

fn usage(name: &str) -> Option<Use> {
    Some(match name {
        "each" | "each_with_index" | "each_pair" | "each_key" | "each_value" | "times" | "upto" | "downto" | "step"
        | "each_slice" | "with_index" | "reverse_each" | "each_char" | "each_line" => Use::Each,
        "map" | "collect" | "map_with_index" => Use::Map,
        "flat_map" => Use::FlatMap,
        "select" | "filter" => Use::Select,
        "reject" => Use::Reject,
        "find" | "detect" => Use::Find,
        "any?" => Use::Any,
        "all?" => Use::All,
        "filter_map" => Use::FilterMap,
        "to_h" => Use::Hash,
        "sum" => Use::Sum,
        _ => return None,
    })
}
