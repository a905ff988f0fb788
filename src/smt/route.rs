//! Routing and neighbours over sets of destinations: one case per way a packet may go.

use std::net::IpAddr;

use crate::dataplane::{Dataplane, Interface, InterfaceId, LinkId, Node, NodeId, Route, RouteTarget};
use crate::net::{Family, address_bits, address_from_bits};

use super::assumed::Assumed;
use super::condition::Condition;
use super::index::Index;
use super::packet::{Field, Sense};
use super::ranges::Ranges;
use super::takers::loopback_addresses;

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
    index: &Index<'_>,
    id: NodeId,
    destination: Field,
    sense: Sense,
    assumed: &Assumed,
) -> Vec<(Towards, Assumed)> {
    let mut cases = Vec::new();
    let mut open = destination.values(assumed);
    let claimed = claimed_addresses(index, id, sense);
    if let Some(here) = narrowed(destination, &claimed, assumed) {
        cases.push((Towards::Local, here));
        open = open.minus(&claimed);
    }
    branch(&index.facts(id).routes, destination, open, assumed, &mut cases);
    cases
}

/// Follows the routes from the most specific one; a guarded route splits what it matches into "is there" and "is not".
/// The node's own addresses are one case.
fn branch(
    routes: &[&Route],
    destination: Field,
    mut open: Ranges,
    assumed: &Assumed,
    cases: &mut Vec<(Towards, Assumed)>,
) {
    let mut own = Ranges::empty();
    for (index, route) in routes.iter().enumerate() {
        let matched = open.intersect(&Ranges::of_net(&route.prefix));
        if matched.is_empty() {
            continue;
        }
        open = open.minus(&matched);
        if route.guard.is_none() && matches!(route.target, RouteTarget::Local { .. }) {
            own = own.union(&matched);
        } else if let Some(here) = narrowed(destination, &matched, assumed) {
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
        }
        if open.is_empty() {
            break;
        }
    }
    // Packets to loopback addresses have another source.
    let loopback = loopback_addresses(assumed.family);
    for own in [own.minus(&loopback), own.intersect(&loopback)] {
        cases.extend(narrowed(destination, &own, assumed).map(|here| (Towards::Local, here)));
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

/// Addresses for which the node stands in as "any other host".
fn claimed_addresses(index: &Index<'_>, id: NodeId, sense: Sense) -> Ranges {
    let mut claimed = Ranges::empty();
    for interface in index.node(id).interfaces.iter().filter(|i| stands_in(i, sense)) {
        let Some(link) = interface.link else { continue };
        for net in interface.claims.iter().filter(|n| Family::of(n.addr()) == index.family) {
            claimed = claimed.union(&Ranges::of_net(net).minus(&taken_addresses(index, link)));
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
fn taken_addresses(index: &Index<'_>, link: LinkId) -> Ranges {
    let addresses = index.ports(link).iter().flat_map(|(.., interface)| &interface.addresses).map(|a| a.net.addr());
    let of_family = addresses.filter(|address| Family::of(*address) == index.family).map(address_bits);
    Ranges::of(of_family.map(|bits| (bits, bits)).collect())
}

/// Who answers for one address: nearly every question is about one, and sets are slow.
fn known_neighbor(index: &Index<'_>, link: LinkId, bits: u128, sense: Sense) -> Option<(NodeId, InterfaceId)> {
    let address = address_from_bits(index.family, bits);
    let stands = |port: &Interface| stands_in(port, sense) && port.claims.iter().any(|net| net.contains(&address));
    let stand_in = || index.ports(link).iter().find(|(.., port)| stands(port)).map(|(node, port, _)| (*node, *port));
    index.owner(link, bits).or_else(stand_in)
}

/// Who may answer for the next hop on a link, each with what it assumes.
pub(super) fn neighbors(
    index: &Index<'_>,
    link: LinkId,
    next_hop: Field,
    sense: Sense,
    assumed: &Assumed,
) -> Vec<(NodeId, InterfaceId, Assumed)> {
    let family = index.family;
    if let Field::Known(bits) = next_hop.settled(assumed) {
        let one = known_neighbor(index, link, bits, sense);
        return one.map(|(node, interface)| (node, interface, assumed.clone())).into_iter().collect();
    }
    let mut cases = Vec::new();
    let mut open = next_hop.values(assumed);
    for (node, interface, port) in index.ports(link) {
        for address in port.addresses.iter().filter(|a| Family::of(a.net.addr()) == family) {
            let one = open.intersect(&Ranges::one(address_bits(address.net.addr())));
            if let Some(here) = narrowed(next_hop, &one, assumed) {
                cases.push((*node, *interface, here));
                open = open.minus(&one);
            }
        }
    }
    for (node, interface, port) in index.ports(link).iter().filter(|(.., port)| stands_in(port, sense)) {
        for net in port.claims.iter().filter(|n| Family::of(n.addr()) == family) {
            let some = open.intersect(&Ranges::of_net(net));
            if let Some(here) = narrowed(next_hop, &some, assumed) {
                cases.push((*node, *interface, here));
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
