//! Rules and chains: what a hook does with one concrete packet.

use std::cmp::Reverse;
use std::net::IpAddr;

use crate::dataplane::{
    Action, Chain, ChainId, ChainKind, Decision, Hook, Match, Node, Policy, Route, RouteTarget, Rule, States,
};
use crate::net::{Family, Header};
use crate::provenance::OriginId;
use crate::switch::Setting;

use super::conntrack::{Half, State, Table, Tracked};
use super::packet::Packet;

/// The name of the loopback interface.
const LOOPBACK: &str = "lo";

/// Everything that a match may look at.
pub(super) struct Seen<'a> {
    pub(super) node: &'a Node,
    pub(super) setting: &'a Setting,
    pub(super) connections: &'a Table,
    pub(super) tracked: Tracked,
    pub(super) packet: Packet,
    /// The mark of the packet's connection.
    pub(super) connection_mark: u32,
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
            Action::SetMark { .. }
            | Action::SetConnectionMark { .. }
            | Action::SaveMark { .. }
            | Action::RestoreMark { .. }
            | Action::Untrack
            | Action::Continue => leave_mark(seen, &rule.action),
        }
    }
    Flow::FallsThrough
}

/// What a rule changes about the packet or its connection without deciding anything.
fn leave_mark(seen: &mut Seen<'_>, action: &Action) {
    let merged = |old: u32, new: u32, mask: u32| (old & !mask) | (new & mask);
    match action {
        Action::SetMark { value, mask } => seen.packet.mark = merged(seen.packet.mark, *value, *mask),
        Action::SetConnectionMark { value, mask } => {
            seen.connection_mark = merged(seen.connection_mark, *value, *mask);
        }
        Action::SaveMark { mask } => seen.connection_mark = merged(seen.connection_mark, seen.packet.mark, *mask),
        Action::RestoreMark { mask } => seen.packet.mark = merged(seen.packet.mark, seen.connection_mark, *mask),
        // A packet that is tracked already stays so (xt_CT, nft_ct: `if (ct || ctinfo == IP_CT_UNTRACKED) return`).
        Action::Untrack => seen.packet.untracked |= seen.tracked == Tracked::NONE,
        _ => {}
    }
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
        Match::OriginalDestination(net) => began_with(seen, |first| net.contains(&first.destination)),
        Match::OriginalDestinationPort(ports) => began_with(seen, |first| ports.contains(first.destination_port)),
        Match::OriginalSource(net) => began_with(seen, |first| net.contains(&first.source)),
        Match::OriginalSourcePort(ports) => began_with(seen, |first| ports.contains(first.source_port)),
        Match::Reply => seen.tracked.is_reply(),
        Match::DestinationIsLocal => is_local(seen.node, header.destination),
        Match::SourceIsLocal => is_local(seen.node, header.source),
        Match::SourceIsRoutedBack => {
            seen.incoming.is_some_and(|name| is_routed_back(seen.node, name, header.source, seen.setting))
        }
        Match::Mark { value, mask } => seen.packet.mark & mask == *value,
        Match::ConnectionMark { value, mask } => seen.connection_mark & mask == *value,
        Match::IcmpType(number) => seen.packet.icmp_type() == Some(*number),
        Match::AnyOf(all) => all.iter().any(|m| holds(seen, m)),
        Match::AllOf(all) => all.iter().all(|m| holds(seen, m)),
        Match::Not(inner) => !holds(seen, inner),
        Match::Roughly(inner) => holds(seen, inner),
        Match::Unmodeled(switch) => seen.setting.is_on(*switch),
    }
}

fn began_with(seen: &Seen<'_>, is_so: impl Fn(&Header) -> bool) -> bool {
    seen.connections.original(seen.tracked).is_some_and(|first| is_so(&first))
}

/// The route that answers would take (`nft_fib4_eval`, `rpfilter_mt`, `fib_validate_source`); over loopback everything is in
/// order.
pub(super) fn is_routed_back(node: &Node, incoming: &str, source: IpAddr, setting: &Setting) -> bool {
    let usable = |route: &&Route| route.prefix.contains(&source) && setting.allows(route.guard) && node.is_alive(route);
    let is_local = |route: &Route| matches!(route.target, RouteTarget::Local { .. });
    let best =
        node.routes.iter().filter(usable).min_by_key(|r| (Reverse(r.prefix.prefix_len()), !is_local(r), r.metric));
    let leaves_by = best.and_then(|route| match route.target {
        RouteTarget::Via { interface, .. } => Some(node.interface(interface)),
        RouteTarget::Local { .. } | RouteTarget::Unreachable => None,
    });
    incoming == LOOPBACK || leaves_by.is_some_and(|interface| interface.name == incoming)
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
        State::Untracked => states.untracked,
    }
}

/// Whether the local table has the address (`addrtype --dst-type LOCAL`, `fib daddr type local`).
pub(super) fn is_local(node: &Node, address: IpAddr) -> bool {
    node.routes.iter().any(|r| matches!(r.target, RouteTarget::Local { .. }) && r.prefix.contains(&address))
}
