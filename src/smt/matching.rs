//! Conditions of a rule, for a packet of which some fields are unknown.

use crate::dataplane::{Match, Node, Route, RouteTarget, States};
use crate::net::{Family, IpNet, PortRange, Protocol, address_bits};

use super::assumed::Assumed;
use super::condition::Condition;
use super::marks::Marks;
use super::packet::{Connection, Field, Sense};
use super::ranges::Ranges;
use super::rules::{Phase, View};

/// Under what condition a match holds.
pub(super) fn holds(view: &View<'_>, marks: Marks, condition: &Match) -> Condition {
    let (fields, assumed) = (&view.fields, view.assumed);
    let family = assumed.family;
    match condition {
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
        Match::OriginalDestination(net) => began(view, |first| first.original.destination.in_net(net, assumed)),
        Match::OriginalDestinationPort(ports) => {
            began(view, |first| first.original.destination_port.in_ports(*ports, assumed))
        }
        Match::OriginalSource(net) => began(view, |first| first.original.source.in_net(net, assumed)),
        Match::OriginalSourcePort(ports) => began(view, |first| first.original.source_port.in_ports(*ports, assumed)),
        Match::Reply => Condition::of(view.connection.is_some() && !view.is_original),
        Match::DestinationIsLocal => fields.destination.within(&view.facts.local, assumed),
        Match::SourceIsLocal => fields.source.within(&view.facts.local, assumed),
        Match::SourceIsRoutedBack => {
            let back = |name| routed_back(view.node, &view.facts.routes, name, fields.source, assumed);
            view.incoming.map_or(Condition::False, back)
        }
        Match::Mark { value, mask } => Condition::of(marks.packet & mask == *value),
        Match::ConnectionMark { value, mask } => Condition::of(marks.connection & mask == *value),
        Match::IcmpType(number) => Condition::of(fields.protocol == Protocol::Icmp && *number == echo(view.sense)),
        Match::AnyOf(all) => any_of(view, marks, all),
        Match::AllOf(all) => all.iter().fold(Condition::True, |every, one| every.and(holds(view, marks, one), family)),
        Match::Not(inner) => holds(view, marks, inner).not(family),
        Match::Roughly(inner) => holds(view, marks, inner),
        Match::Unmodeled(switch) => Condition::switch(*switch),
    }
}

/// A long list of addresses or ports is one set: joining them one by one would take the square of their number.
fn any_of(view: &View<'_>, marks: Marks, all: &[Match]) -> Condition {
    let (fields, assumed) = (&view.fields, view.assumed);
    let of_family = |net: &IpNet| Family::of(net.addr()) == assumed.family;
    let net = |net: &IpNet| (address_bits(net.network()), address_bits(net.broadcast()));
    let port = |ports: &PortRange| (u128::from(ports.first), u128::from(ports.last));
    let mut any = Condition::False;
    let mut sets: [(Field, Vec<(u128, u128)>); 4] = [
        (fields.source, Vec::new()),
        (fields.destination, Vec::new()),
        (fields.source_port, Vec::new()),
        (fields.destination_port, Vec::new()),
    ];
    let [(_, sources), (_, destinations), (_, source_ports), (_, destination_ports)] = &mut sets;
    for one in all {
        match one {
            Match::Source(prefix) => sources.extend(of_family(prefix).then(|| net(prefix))),
            Match::Destination(prefix) => destinations.extend(of_family(prefix).then(|| net(prefix))),
            Match::SourcePort(ports) => source_ports.push(port(ports)),
            Match::DestinationPort(ports) => destination_ports.push(port(ports)),
            other => any = any.or(holds(view, marks, other), assumed.family),
        }
    }
    for (field, parts) in sets.into_iter().filter(|(_, parts)| !parts.is_empty()) {
        any = any.or(field.within(&Ranges::of(parts), assumed), assumed.family);
    }
    any
}

fn began(view: &View<'_>, is_so: impl Fn(&Connection) -> Condition) -> Condition {
    view.connection.as_ref().map_or(Condition::False, is_so)
}

/// Whether the best route to the source leads out of the interface through which the packet came; `routes` in the order in
/// which they count.
pub(super) fn routed_back(
    node: &Node,
    routes: &[&Route],
    incoming: &str,
    source: Field,
    assumed: &Assumed,
) -> Condition {
    let family = assumed.family;
    if incoming == "lo" {
        return Condition::True;
    }
    let (mut back, mut open) = (Condition::False, Condition::True);
    for route in routes {
        if matches!(open, Condition::False) {
            break;
        }
        let mut matched = source.in_net(&route.prefix, assumed);
        if let Some(switch) = route.guard {
            matched = matched.and(Condition::switch(switch), family);
        }
        let leads_back = match route.target {
            RouteTarget::Via { interface, .. } => node.interface(interface).name == incoming,
            RouteTarget::Local { .. } | RouteTarget::Unreachable => false,
        };
        if leads_back {
            back = back.or(open.clone().and(matched.clone(), family), family);
        }
        open = open.and(matched.not(family), family);
    }
    back
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
        Phase::Unseen | Phase::Invalid => states.invalid,
        Phase::Untracked => states.untracked,
    }
}
