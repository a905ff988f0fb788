//! Chains as conditions: under what condition a base chain lets a packet on, and which translations it may choose.

use crate::dataplane::{
    Action, ChainId, ChainKind, Hook, Match, Node, Policy, RouteTarget, Rule, Ruleset, States, TableFamily,
};
use crate::net::{Family, IpNet, Protocol, address_bits};

use super::condition::{Assumed, Condition};
use super::packet::{Connection, Fields, Sense};
use super::ranges::Ranges;

/// What rules can see of a packet on a path.
pub(super) struct View<'a> {
    pub(super) node: &'a Node,
    pub(super) fields: Fields,
    pub(super) sense: Sense,
    pub(super) phase: Phase,
    pub(super) connection: Option<Connection>,
    pub(super) incoming: Option<&'a str>,
    pub(super) outgoing: Option<&'a str>,
    pub(super) assumed: &'a Assumed,
}

/// The connection-tracking state, which a path knows at every hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    New,
    Established,
    Invalid,
}

/// A translation and the condition under which it is chosen.
pub(super) struct Choice<'a> {
    pub(super) condition: Condition,
    /// Nothing: no rule translates.
    pub(super) action: Option<&'a Action>,
}

/// Rules read or set a mark: the encoding does not follow marks.
pub(super) struct UsesMarks;

/// Under what condition all filter chains of a hook (with a priority that is `wanted`) let the packet on.
pub(super) fn passes(view: &View<'_>, hook: Hook, wanted: impl Fn(i32) -> bool) -> Result<Condition, UsesMarks> {
    let family = view.assumed.family;
    let mut passes = Condition::True;
    for (id, point) in view.node.ruleset.base_chains(hook) {
        if point.kind != ChainKind::Filter || !wanted(point.priority) || !applies_to(&view.node.ruleset, id, family) {
            continue;
        }
        let ends = filter_chain(view, id)?;
        let accepted = match point.policy {
            Policy::Accept => ends.accepts.or(ends.falls, family),
            Policy::Drop => ends.accepts,
        };
        passes = passes.and(accepted, family);
    }
    Ok(passes)
}

struct Ends {
    accepts: Condition,
    falls: Condition,
}

fn filter_chain(view: &View<'_>, id: ChainId) -> Result<Ends, UsesMarks> {
    let family = view.assumed.family;
    let mut ends = Ends { accepts: Condition::False, falls: Condition::False };
    let mut here = Condition::True;
    for rule in &view.node.ruleset.get(id).rules {
        let applies = applies(view, rule)?;
        if matches!(applies, Condition::False) {
            continue;
        }
        let taken = here.clone().and(applies.clone(), family);
        let passed_by = here.and(applies.not(family), family);
        here = passed_by;
        match &rule.action {
            Action::Accept => ends.accepts = ends.accepts.or(taken, family),
            Action::Drop | Action::Reject(_) => {}
            Action::Return => ends.falls = ends.falls.or(taken, family),
            Action::Jump(target) | Action::Goto(target) => {
                let inner = filter_chain(view, *target)?;
                ends.accepts = ends.accepts.or(taken.clone().and(inner.accepts, family), family);
                let falls = taken.and(inner.falls, family);
                match &rule.action {
                    Action::Goto(_) => ends.falls = ends.falls.or(falls, family),
                    _ => here = here.or(falls, family),
                }
            }
            Action::Continue => here = here.or(taken, family),
            Action::SetMark { .. } => return Err(UsesMarks),
            // Translations stand in nat chains only.
            Action::DestinationNat { .. } | Action::SourceNat { .. } | Action::Masquerade | Action::Redirect { .. } => {
            }
        }
        if matches!(here, Condition::False) {
            break;
        }
    }
    ends.falls = ends.falls.or(here, family);
    Ok(ends)
}

/// The translations that the nat chains of a hook may choose, with their conditions; these exclude each other and
/// cover everything.
pub(super) fn translations<'a>(view: &View<'a>, hook: Hook) -> Result<Vec<Choice<'a>>, UsesMarks> {
    let family = view.assumed.family;
    let mut choices = Vec::new();
    let mut here = Condition::True;
    for (id, point) in view.node.ruleset.base_chains(hook) {
        if point.kind != ChainKind::Nat || !applies_to(&view.node.ruleset, id, family) {
            continue;
        }
        // Accepting a packet in one nat chain leaves it to the next.
        let ends = nat_chain(view, id, here, &mut choices)?;
        here = ends.accepts.or(ends.falls, family);
        if matches!(here, Condition::False) {
            return Ok(choices);
        }
    }
    choices.push(Choice { condition: here, action: None });
    Ok(choices)
}

fn nat_chain<'a>(
    view: &View<'a>,
    id: ChainId,
    mut here: Condition,
    choices: &mut Vec<Choice<'a>>,
) -> Result<Ends, UsesMarks> {
    let family = view.assumed.family;
    let mut ends = Ends { accepts: Condition::False, falls: Condition::False };
    let node: &'a Node = view.node;
    for rule in &node.ruleset.get(id).rules {
        let applies = applies(view, rule)?;
        if matches!(applies, Condition::False) {
            continue;
        }
        let taken = here.clone().and(applies.clone(), family);
        here = here.and(applies.not(family), family);
        match &rule.action {
            Action::Accept => ends.accepts = ends.accepts.or(taken, family),
            Action::Return => ends.falls = ends.falls.or(taken, family),
            Action::Jump(target) | Action::Goto(target) => {
                let inner = nat_chain(view, *target, taken, choices)?;
                ends.accepts = ends.accepts.or(inner.accepts, family);
                match &rule.action {
                    Action::Goto(_) => ends.falls = ends.falls.or(inner.falls, family),
                    _ => here = here.or(inner.falls, family),
                }
            }
            Action::Continue => here = here.or(taken, family),
            Action::SetMark { .. } => return Err(UsesMarks),
            // A nat chain that drops ends everything: no choice for these packets.
            Action::Drop | Action::Reject(_) => {}
            action @ (Action::DestinationNat { .. }
            | Action::SourceNat { .. }
            | Action::Masquerade
            | Action::Redirect { .. }) => choices.push(Choice { condition: taken, action: Some(action) }),
        }
        if matches!(here, Condition::False) {
            break;
        }
    }
    ends.falls = ends.falls.or(here, family);
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

fn applies(view: &View<'_>, rule: &Rule) -> Result<Condition, UsesMarks> {
    let family = view.assumed.family;
    let mut all = Condition::True;
    for condition in &rule.matches {
        all = all.and(holds(view, condition)?, family);
        if matches!(all, Condition::False) {
            return Ok(all);
        }
    }
    Ok(match rule.guard {
        Some(switch) => all.and(Condition::switch(switch), family),
        None => all,
    })
}

fn holds(view: &View<'_>, condition: &Match) -> Result<Condition, UsesMarks> {
    let (fields, assumed) = (&view.fields, view.assumed);
    Ok(match condition {
        Match::Family(family) => Condition::of(assumed.family == *family),
        Match::Protocol(protocol) => Condition::of(fields.protocol == *protocol),
        Match::ProtocolNumber(number) => Condition::of(fields.protocol.number() == *number),
        Match::Source(net) => fields.source.in_net(net, assumed),
        Match::Destination(net) => fields.destination.in_net(net, assumed),
        Match::SourcePort(ports) => fields.source_port.in_ports(*ports, assumed),
        Match::DestinationPort(ports) => fields.destination_port.in_ports(*ports, assumed),
        Match::InInterface(pattern) => Condition::of(view.incoming.is_some_and(|name| glob(pattern, name))),
        Match::OutInterface(pattern) => Condition::of(view.outgoing.is_some_and(|name| glob(pattern, name))),
        Match::State(states) => Condition::of(includes(*states, view.phase)),
        Match::DestinationRewritten => Condition::of(view.connection.is_some_and(|c| c.destination_is_rewritten())),
        Match::SourceRewritten => Condition::of(view.connection.is_some_and(|c| c.source_is_rewritten())),
        Match::OriginalDestination(net) => {
            view.connection.map_or(Condition::False, |c| c.original.destination.in_net(net, assumed))
        }
        Match::OriginalDestinationPort(ports) => {
            view.connection.map_or(Condition::False, |c| c.original.destination_port.in_ports(*ports, assumed))
        }
        Match::DestinationIsLocal => fields.destination.within(&local_addresses(view.node, assumed.family), assumed),
        Match::SourceIsLocal => fields.source.within(&local_addresses(view.node, assumed.family), assumed),
        Match::Mark { value, mask: _ } if *value == 0 => Condition::True,
        Match::Mark { .. } => Condition::False,
        Match::IcmpType(number) => Condition::of(fields.protocol == Protocol::Icmp && *number == echo(view.sense)),
        Match::AnyOf(all) => {
            let mut any = Condition::False;
            for inner in all {
                any = any.or(holds(view, inner)?, assumed.family);
            }
            any
        }
        Match::Not(inner) => holds(view, inner)?.not(assumed.family),
        Match::Roughly(inner) => holds(view, inner)?,
        Match::Unmodeled(switch) => Condition::switch(*switch),
    })
}

fn echo(sense: Sense) -> u8 {
    match sense {
        Sense::Request => 8,
        Sense::Answer => 0,
    }
}

fn glob(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, _)) => name.starts_with(start),
        None => name == pattern,
    }
}

fn includes(states: States, phase: Phase) -> bool {
    match phase {
        Phase::New => states.new,
        Phase::Established => states.established,
        Phase::Invalid => states.invalid,
    }
}

/// Every address that the node takes as its own.
pub(super) fn local_addresses(node: &Node, family: Family) -> Ranges {
    node.routes
        .iter()
        .filter(|r| matches!(r.target, RouteTarget::Local { .. }))
        .filter(|r| Family::of(r.prefix.addr()) == family)
        .fold(Ranges::empty(), |set, r| set.union(&range_of(&r.prefix)))
}

fn range_of(net: &IpNet) -> Ranges {
    if net.prefix_len() == net.max_prefix_len() { Ranges::one(address_bits(net.addr())) } else { Ranges::of_net(net) }
}
