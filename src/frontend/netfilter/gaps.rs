//! What the rules of a text depend on and has no model: said once for each kind, at its first place.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::iptables::{Condition, IptablesRule, RuleTarget};
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
    let rules = if count == 1 { "one rule".to_owned() } else { format!("{count} rules") };
    Diagnostic::new(Code::Unmodeled, format!("not modelled: `{what}` in {rules}"))
        .label(first, "may apply or not")
        .help("verdicts that depend on it are left undecided")
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
