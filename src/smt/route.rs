//! Routing and neighbours over sets of destinations: one case per way a packet may go.

use std::cmp::Reverse;
use std::net::IpAddr;

use crate::dataplane::{Dataplane, Interface, InterfaceId, LinkId, Node, NodeId, Route, RouteTarget};
use crate::net::{Family, IpNet, address_bits, address_from_bits};

use super::assumed::Assumed;
use super::condition::Condition;
use super::packet::{Field, Sense};
use super::ranges::Ranges;

/// Where a packet goes at a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Towards {
    /// To the node itself.
    Local,
    /// Out of an interface; no gateway means the destination itself is the next hop.
    Out { interface: InterfaceId, gateway: Option<IpAddr>, source: Option<IpAddr> },
}

/// The ways that a destination may be routed at a node, each with what it assumes. Destinations without a route are
/// left out: nothing succeeds there.
pub(super) fn routes(
    dataplane: &Dataplane,
    id: NodeId,
    destination: Field,
    sense: Sense,
    assumed: &Assumed,
) -> Vec<(Towards, Assumed)> {
    let mut cases = Vec::new();
    let node = dataplane.node(id);
    let mut open = destination.values(assumed);
    let claimed = claimed_addresses(dataplane, id, sense, assumed.family);
    if let Some(here) = narrowed(destination, &claimed, assumed) {
        cases.push((Towards::Local, here));
        open = open.minus(&claimed);
    }
    branch(&sorted_routes(node, assumed.family), destination, open, assumed, &mut cases);
    cases
}

/// Follows the routes from the most specific one; a guarded route splits what it matches into "is there" and "is not".
fn branch(
    routes: &[&Route],
    destination: Field,
    mut open: Ranges,
    assumed: &Assumed,
    cases: &mut Vec<(Towards, Assumed)>,
) {
    for (index, route) in routes.iter().enumerate() {
        let matched = open.intersect(&Ranges::of_net(&route.prefix));
        let Some(here) = narrowed(destination, &matched, assumed) else { continue };
        open = open.minus(&matched);
        let here = match route.guard {
            None => Some(here),
            Some(switch) => {
                let absent = here.clone().and(Condition::switch(switch).not(assumed.family));
                if let (Some(absent), Some(rest)) = (absent, routes.get(index + 1..)) {
                    branch(rest, destination, matched, &absent, cases);
                }
                here.and(Condition::switch(switch))
            }
        };
        if let (Some(here), Some(towards)) = (here, towards(route)) {
            cases.push((towards, here));
        }
        if open.is_empty() {
            return;
        }
    }
}

fn towards(route: &Route) -> Option<Towards> {
    match route.target {
        RouteTarget::Local { .. } => Some(Towards::Local),
        RouteTarget::Via { interface, gateway, source } => Some(Towards::Out { interface, gateway, source }),
        RouteTarget::Unreachable => None,
    }
}

fn narrowed(field: Field, set: &Ranges, assumed: &Assumed) -> Option<Assumed> {
    if set.is_empty() {
        return None;
    }
    assumed.clone().and(field.within(set, assumed))
}

fn sorted_routes(node: &Node, family: Family) -> Vec<&Route> {
    let is_alive = |route: &&Route| match route.target {
        RouteTarget::Via { interface, .. } => node.interface(interface).up,
        RouteTarget::Local { .. } | RouteTarget::Unreachable => true,
    };
    let mut routes: Vec<&Route> =
        node.routes.iter().filter(|r| Family::of(r.prefix.addr()) == family).filter(is_alive).collect();
    routes.sort_by_key(|r| (Reverse(r.prefix.prefix_len()), !matches!(r.target, RouteTarget::Local { .. }), r.metric));
    routes
}

/// Addresses for which the node stands in as "any other host".
fn claimed_addresses(dataplane: &Dataplane, id: NodeId, sense: Sense, family: Family) -> Ranges {
    let mut claimed = Ranges::empty();
    for interface in dataplane.node(id).interfaces.iter().filter(|i| stands_in(i, sense)) {
        let Some(link) = interface.link else { continue };
        for net in interface.claims.iter().filter(|n| Family::of(n.addr()) == family) {
            claimed = claimed.union(&Ranges::of_net(net).minus(&taken_addresses(dataplane, link, family)));
        }
    }
    claimed
}

/// Whether an interface stands in for machines that a packet of this sense may meet: those of which only their own
/// questions are known get answers, and nothing else.
fn stands_in(interface: &Interface, sense: Sense) -> bool {
    sense == Sense::Answer || !interface.only_dials
}

/// Addresses that interfaces of a link have.
pub(super) fn taken_addresses(dataplane: &Dataplane, link: LinkId, family: Family) -> Ranges {
    dataplane
        .members(link)
        .filter(|(_, _, interface)| interface.up)
        .flat_map(|(_, _, interface)| interface.addresses.iter())
        .filter(|a| Family::of(a.net.addr()) == family)
        .fold(Ranges::empty(), |set, a| set.union(&Ranges::one(address_bits(a.net.addr()))))
}

/// Who answers for one address: nearly every question is about one, and sets are slow.
fn known_neighbor(
    dataplane: &Dataplane,
    link: LinkId,
    bits: u128,
    sense: Sense,
    family: Family,
) -> Option<(NodeId, InterfaceId)> {
    let is_it = |net: &IpNet| Family::of(net.addr()) == family && address_bits(net.addr()) == bits;
    let members = || dataplane.members(link).filter(|(_, _, port)| port.up);
    let owner = members().find(|(_, _, port)| port.addresses.iter().any(|a| is_it(&a.net)));
    let address = address_from_bits(family, bits);
    let stands = |port: &Interface| stands_in(port, sense) && port.claims.iter().any(|net| net.contains(&address));
    let found = owner.or_else(|| members().find(|(_, _, port)| stands(port)));
    found.map(|(node, interface, _)| (node, interface))
}

/// Who may answer for the next hop on a link, each with what it assumes.
pub(super) fn neighbors(
    dataplane: &Dataplane,
    link: LinkId,
    next_hop: Field,
    sense: Sense,
    assumed: &Assumed,
) -> Vec<(NodeId, InterfaceId, Assumed)> {
    let family = assumed.family;
    if let Field::Known(bits) = next_hop.settled(assumed) {
        let one = known_neighbor(dataplane, link, bits, sense, family);
        return one.map(|(node, interface)| (node, interface, assumed.clone())).into_iter().collect();
    }
    let mut cases = Vec::new();
    let mut open = next_hop.values(assumed);
    for (node, interface, port) in dataplane.members(link).filter(|(_, _, port)| port.up) {
        for address in port.addresses.iter().filter(|a| Family::of(a.net.addr()) == family) {
            let one = open.intersect(&Ranges::one(address_bits(address.net.addr())));
            if let Some(here) = narrowed(next_hop, &one, assumed) {
                cases.push((node, interface, here));
                open = open.minus(&one);
            }
        }
    }
    for (node, interface, port) in dataplane.members(link).filter(|(_, _, port)| port.up && stands_in(port, sense)) {
        for net in port.claims.iter().filter(|n| Family::of(n.addr()) == family) {
            let some = open.intersect(&Ranges::of_net(net));
            if let Some(here) = narrowed(next_hop, &some, assumed) {
                cases.push((node, interface, here));
                open = open.minus(&some);
            }
        }
    }
    cases
}

/// Whether an interface gets what another one of its link sends: not if one is a part of the other.
pub(super) fn hears(dataplane: &Dataplane, to: (NodeId, InterfaceId), from: (NodeId, InterfaceId)) -> bool {
    let whole = |part: (NodeId, InterfaceId)| dataplane.node(part.0).interface(part.1).apart_from;
    whole(to) != Some(from) && whole(from) != Some(to)
}

/// The interface's own address that packets towards a next hop get; where it has none, the node's first. Loopback
/// addresses are for the machine itself.
pub(super) fn own_address(
    node: &Node,
    interface: InterfaceId,
    next_hop: Option<IpAddr>,
    family: Family,
) -> Option<IpAddr> {
    let suits = |address: IpAddr| Family::of(address) == family && !address.is_loopback();
    let nets = || node.interface(interface).addresses.iter().map(|a| a.net).filter(|net| suits(net.addr()));
    let same_subnet = next_hop.and_then(|hop| nets().find(|net| net.contains(&hop)));
    let on_interface = same_subnet.or_else(|| nets().next()).map(|net| net.addr());
    on_interface.or_else(|| node.addresses().find(|a| suits(*a)))
}
