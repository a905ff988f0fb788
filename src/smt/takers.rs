//! Who takes a request that has come to its node: sockets of the goal, relays, the kernel.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr};

use crate::dataplane::{Listen, Node, NodeId, NodeKind, Relay, SourceAs};
use crate::net::{Family, IpNet, Ipv4Net, PortRange, Protocol, address_bits};
use crate::switch::SwitchId;

use super::Goal;
use super::assumed::Assumed;
use super::condition::Condition;
use super::packet::{Field, Fields};
use super::ranges::Ranges;

/// Who takes a request.
pub(super) enum Taker<'a> {
    /// The goal: the request has arrived.
    Goal,
    /// A relay, which makes a connection of its own.
    Relay(&'a Relay),
}

/// The sockets that matter for the goal, and the relays, in the order in which the kernel looks them up; each with
/// what it assumes.
pub(super) fn takers<'a>(
    node: &'a Node,
    id: NodeId,
    goal: &Goal,
    fields: &Fields,
    assumed: &Assumed,
) -> Vec<(Taker<'a>, Assumed)> {
    if node.kind == NodeKind::UserNat {
        return transparent(node, fields, assumed);
    }
    if fields.protocol == Protocol::Icmp {
        let answers = match goal {
            Goal::Kernel(wanted) => *wanted == id,
            Goal::Anyone => true,
            Goal::Socket { .. } => false,
        };
        return answers.then(|| (Taker::Goal, assumed.clone())).into_iter().collect();
    }
    let family = assumed.family;
    let mut takers = Vec::new();
    let mut open = Condition::True;
    for listener in listeners(node, fields.protocol) {
        let matched = listener.takes(fields, assumed);
        if matches!(matched, Condition::False) {
            continue;
        }
        let taken = open.clone().and(matched.clone(), family);
        open = open.and(matched.not(family), family);
        let taker = match listener.who {
            Who::Relay(relay) => Some(Taker::Relay(relay)),
            Who::Socket(owner) => goal.is_socket(id, owner).then_some(Taker::Goal),
        };
        if let Some(taker) = taker
            && let Some(assumed) = on_goal_port(&taker, goal, fields, assumed.clone()).and_then(|a| a.and(taken))
        {
            takers.push((taker, assumed));
        }
    }
    takers
}

fn on_goal_port(taker: &Taker<'_>, goal: &Goal, fields: &Fields, assumed: Assumed) -> Option<Assumed> {
    match (taker, goal) {
        (Taker::Goal, Goal::Socket { ports, .. }) => {
            let within = fields.destination_port.in_ports(*ports, &assumed);
            assumed.and(within)
        }
        _ => Some(assumed),
    }
}

enum Who<'a> {
    Socket(&'a str),
    Relay(&'a Relay),
}

struct Listener<'a> {
    address: Option<IpAddr>,
    ports: PortRange,
    guard: Option<SwitchId>,
    who: Who<'a>,
}

impl Listener<'_> {
    fn takes(&self, fields: &Fields, assumed: &Assumed) -> Condition {
        let family = assumed.family;
        let mut takes = fields.destination_port.in_ports(self.ports, assumed);
        if let Some(address) = self.address {
            let here = match Family::of(address) == family {
                true => fields.destination.within(&Ranges::one(address_bits(address)), assumed),
                false => Condition::False,
            };
            takes = takes.and(here, family);
        }
        match self.guard {
            Some(switch) => takes.and(Condition::switch(switch), family),
            None => takes,
        }
    }
}

/// Sockets and relays of a protocol; those bound to an address come first.
fn listeners(node: &Node, protocol: Protocol) -> Vec<Listener<'_>> {
    let sockets = node.sockets.iter().filter(|s| s.protocol == protocol).map(|s| Listener {
        address: s.address,
        ports: s.ports,
        guard: s.guard,
        who: Who::Socket(s.owner.as_str()),
    });
    let relays = node.relays.iter().filter(|r| r.protocol == protocol).filter_map(|r| match r.listen {
        Listen::Socket { address, port } => {
            Some(Listener { address, ports: PortRange::single(port), guard: r.guard, who: Who::Relay(r) })
        }
        Listen::Transparent { .. } => None,
    });
    let mut all: Vec<Listener<'_>> = sockets.chain(relays).collect();
    all.sort_by_key(|listener| listener.address.is_none());
    all
}

fn transparent<'a>(node: &'a Node, fields: &Fields, assumed: &Assumed) -> Vec<(Taker<'a>, Assumed)> {
    let mut relays: Vec<_> = node
        .relays
        .iter()
        .filter(|r| r.protocol == fields.protocol)
        .filter_map(|r| match r.listen {
            Listen::Transparent { prefix } => Some((prefix, r)),
            Listen::Socket { .. } => None,
        })
        .collect();
    relays.sort_by_key(|(prefix, _)| Reverse(prefix.prefix_len()));
    let mut open = fields.destination.values(assumed);
    let mut takers = Vec::new();
    for (prefix, relay) in relays {
        if Family::of(prefix.addr()) != assumed.family {
            continue;
        }
        let here = open.intersect(&Ranges::of_net(&prefix));
        if here.is_empty() {
            continue;
        }
        open = open.minus(&here);
        let within = fields.destination.within(&here, assumed);
        let guarded = assumed.clone().and(within).and_then(|a| match relay.guard {
            Some(switch) => a.and(Condition::switch(switch)),
            None => Some(a),
        });
        if let Some(assumed) = guarded {
            takers.push((Taker::Relay(relay), assumed));
        }
    }
    takers
}

/// The source of a relay's second leg: nothing (its routes choose), a fixed one, or the client's with loopback clients
/// renamed.
pub(super) fn sources_behind(relay: &Relay, client: Field, assumed: &Assumed) -> Vec<(Option<Field>, Assumed)> {
    let loopback = match relay.source {
        SourceAs::Dialer => return vec![(None, assumed.clone())],
        SourceAs::Bound(address) => return vec![(Some(Field::address(address)), assumed.clone())],
        SourceAs::Client { loopback } => loopback,
    };
    let family = assumed.family;
    let local = client.within(&loopback_addresses(family), assumed);
    let renamed = assumed.clone().and(local.clone()).map(|a| (Some(Field::address(loopback)), a));
    let kept = assumed.clone().and(local.not(family)).map(|a| (Some(client), a));
    renamed.into_iter().chain(kept).collect()
}

/// Every loopback address of a family.
pub(super) fn loopback_addresses(family: Family) -> Ranges {
    match family {
        Family::V4 => Ranges::of_net(&IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8))),
        Family::V6 => Ranges::one(1),
    }
}
