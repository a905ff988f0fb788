//! Chains as conditions: under what condition a base chain lets a packet on, which marks it then has, and which
//! translations it may choose.

use crate::dataplane::{Action, ChainId, ChainKind, Hook, Node, Policy, Rule, Ruleset, TableFamily};
use crate::net::Family;

use super::assumed::Assumed;
use super::condition::Condition;
use super::index::{Facts, Outline};
use super::marks::{Cases, Marks, TooManyMarks};
use super::matching;
use super::packet::{Connection, Fields, Sense};

/// What rules can see of a packet on a path.
pub(super) struct View<'a> {
    pub(super) node: &'a Node,
    pub(super) facts: &'a Facts<'a>,
    pub(super) fields: Fields,
    pub(super) sense: Sense,
    pub(super) phase: Phase,
    /// The packet goes the way on which its connection began.
    pub(super) is_original: bool,
    pub(super) connection: Option<Connection>,
    /// Marks as the packet comes to the hook.
    pub(super) marks: Marks,
    pub(super) incoming: Option<&'a str>,
    pub(super) outgoing: Option<&'a str>,
    pub(super) assumed: &'a Assumed,
}

/// The connection-tracking state, which a path knows at every hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Connection tracking has not seen the packet yet.
    Unseen,
    New,
    Established,
    Invalid,
    /// Exempt from connection tracking.
    Untracked,
}

/// A translation and the condition under which it is chosen.
pub(super) struct Choice<'a> {
    pub(super) condition: Condition,
    /// Nothing: no rule translates.
    pub(super) action: Option<&'a Action>,
    /// Marks behind the chains.
    pub(super) marks: Marks,
}

/// Under what conditions all filter chains of a hook (with a priority that is `wanted`) let the packet on, and with
/// which marks.
pub(super) fn passes(view: &View<'_>, hook: Hook, wanted: impl Fn(i32) -> bool) -> Result<Cases, TooManyMarks> {
    let family = view.assumed.family;
    let mut passing = Cases::one(view.marks, Condition::True);
    for (id, point) in view.node.ruleset.base_chains(hook) {
        if point.kind != ChainKind::Filter || !wanted(point.priority) || !applies_to(&view.node.ruleset, id, family) {
            continue;
        }
        let mut passed = Cases::default();
        for (marks, condition) in passing {
            let ends = filter_chain(view, id, marks)?;
            passed.add_under(&condition, ends.accepts, family);
            if point.policy == Policy::Accept {
                passed.add_under(&condition, ends.falls, family);
            }
        }
        passing = passed;
    }
    Ok(passing)
}

#[derive(Default)]
struct Ends {
    accepts: Cases,
    falls: Cases,
}

/// The packets that a rule takes, and those that it leaves to the rules behind it.
fn split(view: &View<'_>, here: Cases, rule: &Rule) -> (Cases, Cases) {
    let family = view.assumed.family;
    // Nearly always, nearly every rule is about other packets.
    if here.iter().all(|(marks, _)| matches!(applies(view, *marks, rule), Condition::False)) {
        return (Cases::default(), here);
    }
    let (mut taken, mut passed_by) = (Cases::default(), Cases::default());
    for (marks, condition) in here {
        match applies(view, marks, rule) {
            Condition::False => passed_by.add(marks, condition, family),
            applies => {
                taken.add(marks, condition.clone().and(applies.clone(), family), family);
                passed_by.add(marks, condition.and(applies.not(family), family), family);
            }
        }
    }
    (taken, passed_by)
}

/// The rules of a chain that can be about the packet.
fn candidates<'a>(view: &View<'a>, id: ChainId) -> impl Iterator<Item = &'a Rule> + use<'a> {
    let around = Outline::around(&view.fields, view.assumed);
    view.facts.candidates(id, &view.node.ruleset.get(id).rules, around)
}

fn filter_chain(view: &View<'_>, id: ChainId, marks: Marks) -> Result<Ends, TooManyMarks> {
    let family = view.assumed.family;
    let mut ends = Ends::default();
    let mut here = Cases::one(marks, Condition::True);
    for rule in candidates(view, id) {
        let (taken, passed_by) = split(view, here, rule);
        here = passed_by;
        for (marks, condition) in taken {
            match &rule.action {
                Action::Accept => ends.accepts.add(marks, condition, family),
                Action::Drop | Action::Reject(_) => {}
                Action::Return => ends.falls.add(marks, condition, family),
                Action::Jump(target) | Action::Goto(target) => {
                    let inner = filter_chain(view, *target, marks)?;
                    ends.accepts.add_under(&condition, inner.accepts, family);
                    match &rule.action {
                        Action::Goto(_) => ends.falls.add_under(&condition, inner.falls, family),
                        _ => here.add_under(&condition, inner.falls, family),
                    }
                }
                Action::SetMark { .. }
                | Action::SetConnectionMark { .. }
                | Action::SaveMark { .. }
                | Action::RestoreMark { .. }
                | Action::Untrack
                | Action::Continue => here.add(marks.after(&rule.action, view.phase), condition, family),
                // Translations stand in nat chains only.
                Action::DestinationNat { .. }
                | Action::SourceNat { .. }
                | Action::Masquerade
                | Action::Redirect { .. } => {}
            }
        }
        here.check()?;
        if here.is_empty() {
            break;
        }
    }
    ends.falls.add_under(&Condition::True, here, family);
    Ok(ends)
}

/// The translations that the nat chains of a hook may choose, with their conditions; these exclude each other and,
/// with what nat chains drop, cover everything.
pub(super) fn translations<'a>(view: &View<'a>, hook: Hook) -> Result<Vec<Choice<'a>>, TooManyMarks> {
    let family = view.assumed.family;
    let mut choices = Vec::new();
    let mut here = Cases::one(view.marks, Condition::True);
    for (id, point) in view.node.ruleset.base_chains(hook) {
        if point.kind != ChainKind::Nat || !applies_to(&view.node.ruleset, id, family) {
            continue;
        }
        // Accepting a packet in one nat chain leaves it to the next.
        let ends = nat_chain(view, id, here, &mut choices)?;
        here = ends.accepts;
        if point.policy == Policy::Accept {
            here.add_under(&Condition::True, ends.falls, family);
        }
        if here.is_empty() {
            return Ok(choices);
        }
    }
    choices.extend(here.into_iter().map(|(marks, condition)| Choice { condition, action: None, marks }));
    Ok(choices)
}

fn nat_chain<'a>(
    view: &View<'a>,
    id: ChainId,
    mut here: Cases,
    choices: &mut Vec<Choice<'a>>,
) -> Result<Ends, TooManyMarks> {
    let family = view.assumed.family;
    let mut ends = Ends::default();
    for rule in candidates(view, id) {
        let (taken, passed_by) = split(view, here, rule);
        here = passed_by;
        if let Action::Jump(target) | Action::Goto(target) = &rule.action
            && !taken.is_empty()
        {
            let inner = nat_chain(view, *target, taken, choices)?;
            ends.accepts.add_under(&Condition::True, inner.accepts, family);
            let behind = if let Action::Goto(_) = &rule.action { &mut ends.falls } else { &mut here };
            behind.add_under(&Condition::True, inner.falls, family);
            continue;
        }
        for (marks, condition) in taken {
            match &rule.action {
                Action::Accept => ends.accepts.add(marks, condition, family),
                Action::Return => ends.falls.add(marks, condition, family),
                // A nat chain that drops ends everything: no choice for these packets.
                Action::Drop | Action::Reject(_) | Action::Jump(_) | Action::Goto(_) => {}
                Action::SetMark { .. }
                | Action::SetConnectionMark { .. }
                | Action::SaveMark { .. }
                | Action::RestoreMark { .. }
                | Action::Untrack
                | Action::Continue => here.add(marks.after(&rule.action, view.phase), condition, family),
                action @ (Action::DestinationNat { .. }
                | Action::SourceNat { .. }
                | Action::Masquerade
                | Action::Redirect { .. }) => choices.push(Choice { condition, action: Some(action), marks }),
            }
        }
        here.check()?;
        if here.is_empty() {
            break;
        }
    }
    ends.falls.add_under(&Condition::True, here, family);
    Ok(ends)
}

/// Whether packets of a family go through a chain.
pub(super) fn applies_to(ruleset: &Ruleset, chain: ChainId, family: Family) -> bool {
    match ruleset.get_table(ruleset.get(chain).table).family {
        TableFamily::Iptables | TableFamily::Ip => family == Family::V4,
        TableFamily::Ip6 => family == Family::V6,
        TableFamily::Inet => true,
    }
}

fn applies(view: &View<'_>, marks: Marks, rule: &Rule) -> Condition {
    let family = view.assumed.family;
    let mut all = Condition::True;
    for condition in &rule.matches {
        all = all.and(matching::holds(view, marks, condition), family);
        if matches!(all, Condition::False) {
            return all;
        }
    }
    match rule.guard {
        Some(switch) => all.and(Condition::switch(switch), family),
        None => all,
    }
}
