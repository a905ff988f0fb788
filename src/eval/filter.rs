//! Rules and chains: what a hook does with one concrete packet.

use crate::dataplane::{
    Action, Chain, ChainId, ChainKind, Decision, Hook, Match, Node, Policy, RouteTarget, Rule, States,
};
use crate::net::Family;
use crate::provenance::OriginId;
use crate::switch::Setting;

use super::conntrack::{Half, State, Table, Tracked};
use super::packet::Packet;

/// Everything that a match may look at.
pub(super) struct Seen<'a> {
    pub(super) node: &'a Node,
    pub(super) setting: &'a Setting,
    pub(super) connections: &'a Table,
    pub(super) tracked: Tracked,
    pub(super) packet: Packet,
    pub(super) incoming: Option<&'a str>,
    pub(super) outgoing: Option<&'a str>,
}

/// The rule that ended a base chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    pub(super) chain: ChainId,
    pub(super) rule: Option<usize>,
    pub(super) origin: OriginId,
    pub(super) effect: Effect,
}

/// What a base chain came to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effect {
    /// A filter decision.
    Decided(Decision),
    /// A nat action.
    Translate(Translation),
}

/// The nat actions.
#[derive(Clone, Copy, Debug)]
pub(super) enum Translation {
    Destination { address: Option<std::net::IpAddr>, port: Option<u16> },
    Source { address: std::net::IpAddr },
    Masquerade,
    Redirect { port: Option<u16> },
}

enum Flow {
    FallsThrough,
    Ends(Verdict),
}

/// Runs the base chains of a hook that `wanted` selects, in order, until one drops, rejects or translates. Accepting
/// rules are collected in `accepted`.
pub(super) fn run_hook(
    seen: &mut Seen<'_>,
    hook: Hook,
    kind: ChainKind,
    wanted: impl Fn(i32) -> bool,
    accepted: &mut Vec<Verdict>,
) -> Option<Verdict> {
    let node = seen.node;
    for (id, point) in node.ruleset.base_chains(hook) {
        if point.kind != kind || !wanted(point.priority) || !sees_family(node, id, seen.packet.header.family()) {
            continue;
        }
        match run_chain(seen, id) {
            Flow::Ends(verdict) => match verdict.effect {
                Effect::Decided(Decision::Accepted) => accepted.push(verdict),
                _ => return Some(verdict),
            },
            Flow::FallsThrough if point.policy == Policy::Drop => {
                let origin = node.ruleset.get(id).origin;
                let effect = Effect::Decided(Decision::Dropped);
                return Some(Verdict { chain: id, rule: None, origin, effect });
            }
            Flow::FallsThrough => {}
        }
    }
    None
}

fn sees_family(node: &Node, chain: ChainId, family: Family) -> bool {
    use crate::dataplane::TableFamily as F;
    match node.ruleset.get_table(node.ruleset.get(chain).table).family {
        F::Iptables | F::Ip => family == Family::V4,
        F::Ip6 => family == Family::V6,
        F::Inet => true,
    }
}

fn run_chain(seen: &mut Seen<'_>, id: ChainId) -> Flow {
    let chain: &Chain = seen.node.ruleset.get(id);
    for (index, rule) in chain.rules.iter().enumerate() {
        if !applies(seen, rule) {
            continue;
        }
        let end = |effect| Flow::Ends(Verdict { chain: id, rule: Some(index), origin: rule.origin, effect });
        match &rule.action {
            Action::Accept => return end(Effect::Decided(Decision::Accepted)),
            Action::Drop => return end(Effect::Decided(Decision::Dropped)),
            Action::Reject(with) => return end(Effect::Decided(Decision::Rejected(*with))),
            Action::Return => return Flow::FallsThrough,
            Action::Goto(target) => return run_chain(seen, *target),
            Action::Jump(target) => {
                if let Flow::Ends(verdict) = run_chain(seen, *target) {
                    return Flow::Ends(verdict);
                }
            }
            Action::DestinationNat { address, port } => {
                return end(Effect::Translate(Translation::Destination { address: *address, port: *port }));
            }
            Action::SourceNat { address } => return end(Effect::Translate(Translation::Source { address: *address })),
            Action::Masquerade => return end(Effect::Translate(Translation::Masquerade)),
            Action::Redirect { port } => return end(Effect::Translate(Translation::Redirect { port: *port })),
            Action::SetMark { value, mask } => seen.packet.mark = (seen.packet.mark & !mask) | (value & mask),
            Action::Continue => {}
        }
    }
    Flow::FallsThrough
}

fn applies(seen: &Seen<'_>, rule: &Rule) -> bool {
    seen.setting.allows(rule.guard) && rule.matches.iter().all(|m| holds(seen, m))
}

fn holds(seen: &Seen<'_>, condition: &Match) -> bool {
    let header = &seen.packet.header;
    match condition {
        Match::Family(family) => header.family() == *family,
        Match::Protocol(protocol) => seen.packet.visible_protocol() == *protocol,
        Match::ProtocolNumber(number) => seen.packet.visible_protocol().number() == *number,
        Match::Source(net) => net.contains(&header.source),
        Match::Destination(net) => net.contains(&header.destination),
        Match::SourcePort(ports) => ports.contains(header.source_port),
        Match::DestinationPort(ports) => ports.contains(header.destination_port),
        Match::InInterface(pattern) => seen.incoming.is_some_and(|name| is_named(pattern, name)),
        Match::OutInterface(pattern) => seen.outgoing.is_some_and(|name| is_named(pattern, name)),
        Match::State(states) => has_state(*states, seen.tracked.state),
        Match::DestinationRewritten => seen.connections.is_rewritten(seen.tracked, Half::Destination),
        Match::SourceRewritten => seen.connections.is_rewritten(seen.tracked, Half::Source),
        Match::OriginalDestination(net) => {
            seen.connections.original_destination(seen.tracked).is_some_and(|(address, _)| net.contains(&address))
        }
        Match::OriginalDestinationPort(ports) => {
            seen.connections.original_destination(seen.tracked).is_some_and(|(_, port)| ports.contains(port))
        }
        Match::DestinationIsLocal => is_local(seen.node, header.destination),
        Match::SourceIsLocal => is_local(seen.node, header.source),
        Match::Mark { value, mask } => seen.packet.mark & mask == *value,
        Match::IcmpType(number) => seen.packet.icmp_type() == Some(*number),
        Match::AnyOf(all) => all.iter().any(|m| holds(seen, m)),
        Match::Not(inner) => !holds(seen, inner),
        Match::Roughly(inner) => holds(seen, inner),
        Match::Unmodeled(switch) => seen.setting.is_on(*switch),
    }
}

fn is_named(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

fn has_state(states: States, state: State) -> bool {
    match state {
        State::New => states.new,
        State::Established => states.established,
        State::Related => states.related,
        State::Invalid => states.invalid,
    }
}

/// Whether the local table has the address (`addrtype --dst-type LOCAL`, `fib daddr type local`).
pub(super) fn is_local(node: &Node, address: std::net::IpAddr) -> bool {
    node.routes.iter().any(|r| matches!(r.target, RouteTarget::Local { .. }) && r.prefix.contains(&address))
}
