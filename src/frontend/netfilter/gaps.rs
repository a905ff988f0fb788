//! What the rules of a text depend on and has no model: said once for each kind, at its first place.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::iptables::{Condition, IptablesRule, RuleTarget};
use crate::language::text;
use crate::source::Span;

/// Gaps while they are collected.
#[derive(Default)]
pub(super) struct Gaps {
    found: BTreeMap<String, (Span, usize)>,
}

impl Gaps {
    /// Notes what is not modelled in one rule.
    pub(super) fn add(&mut self, what: &str, span: Span) {
        self.found.entry(kind_of(what)).or_insert((span, 0)).1 += 1;
    }

    pub(super) fn diagnostics(self) -> impl Iterator<Item = Diagnostic> {
        self.found.into_iter().map(|(what, (first, count))| without_model(&what, first, count))
    }
}

/// The extension or target without its values: `-m mac`, `-j CT`.
fn kind_of(what: &str) -> String {
    what.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

fn without_model(what: &str, first: Span, count: usize) -> Diagnostic {
    let rules = if count == 1 { text!("one rule", "규칙 1개") } else { text!("{count} rules", "규칙 {count}개") };
    Diagnostic::new(
        Code::Unmodeled,
        text!("not modelled: `{what}` in {rules}", "{rules}의 `{what}`: 모델에 없음"; rules),
    )
    .label(first, text!("may apply or not", "적용될 수도 아닐 수도 있음"))
    .help(text!("verdicts that depend on it are left undecided", "이것에 달려 있는 판정은 내리지 않습니다"))
}

/// What the effect of a rule depends on and has no model.
pub(super) fn of_rule(rule: &IptablesRule) -> Vec<String> {
    let mut found = Vec::new();
    match &rule.target {
        RuleTarget::Nothing => return found,
        RuleTarget::Unmodeled(text) | RuleTarget::Diverts(text) => found.push(text.clone()),
        RuleTarget::Block(rules) => found.extend(rules.iter().flat_map(of_rule)),
        _ => {}
    }
    rule.conditions.iter().for_each(|condition| of_condition(condition, &mut found));
    found
}

fn of_condition(condition: &Condition, found: &mut Vec<String>) {
    match condition {
        Condition::Unmodeled(text) => found.push(text.clone()),
        Condition::Not(inner) | Condition::Roughly(inner) => of_condition(inner, found),
        Condition::AnyOf(all) | Condition::AllOf(all) => all.iter().for_each(|c| of_condition(c, found)),
        _ => {}
    }
}
