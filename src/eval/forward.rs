//! Routing, neighbours and sockets: where one concrete packet goes next.

use std::net::IpAddr;

use crate::dataplane::{
    Dataplane, Interface, InterfaceId, LinkId, Listen, Node, NodeId, Relay, Route, RouteTarget, Socket, Way,
};
use crate::net::{Family, Header, Protocol};
use crate::switch::Setting;

/// What the routing table says about a destination.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decision<'a> {
    /// It is this node.
    Local,
    /// Out of an interface, to this next hop.
    Out { interface: InterfaceId, next_hop: IpAddr, route: &'a Route },
    /// Nowhere.
    None,
}

/// Asks the routing table of a node.
pub(super) fn route<'a>(
    dataplane: &'a Dataplane,
    id: NodeId,
    destination: IpAddr,
    way: Way,
    setting: &Setting,
) -> Decision<'a> {
    let node = dataplane.node(id);
    if claims(dataplane, id, destination, way) {
        return Decision::Local;
    }
    let usable = |r: &&Route| r.prefix.contains(&destination) && setting.allows(r.guard) && node.is_alive(r);
    // `min_by_key` keeps the first of equals, as the kernel does.
    let best = node
        .routes
        .iter()
        .filter(usable)
        .min_by_key(|r| (std::cmp::Reverse(r.prefix.prefix_len()), !is_local(r), r.metric));
    match best {
        None => Decision::None,
        Some(route) => match route.target {
            RouteTarget::Local { .. } => Decision::Local,
            RouteTarget::Unreachable => Decision::None,
            RouteTarget::Via { interface, gateway, .. } => {
                Decision::Out { interface, next_hop: gateway.unwrap_or(destination), route }
            }
        },
    }
}

fn is_local(route: &Route) -> bool {
    matches!(route.target, RouteTarget::Local { .. })
}

/// Whether the node stands for "any other host" with this address.
fn claims(dataplane: &Dataplane, id: NodeId, address: IpAddr, way: Way) -> bool {
    dataplane.node(id).interfaces.iter().any(|i| {
        answers(i, way)
            && i.claims.iter().any(|net| net.contains(&address))
            && i.link.is_some_and(|link| owner(dataplane, link, address).is_none())
    })
}

fn owner(dataplane: &Dataplane, link: LinkId, address: IpAddr) -> Option<(NodeId, InterfaceId)> {
    dataplane
        .members(link)
        .find(|(_, _, i)| i.up && i.addresses.iter().any(|a| a.net.addr() == address))
        .map(|(node, interface, _)| (node, interface))
}

/// Machines that nobody knows of answer only for what they asked.
fn answers(interface: &Interface, way: Way) -> bool {
    !interface.only_dials || way == Way::Reply
}

/// Who answers for an address on a link.
pub(super) fn neighbor(
    dataplane: &Dataplane,
    link: LinkId,
    address: IpAddr,
    way: Way,
) -> Option<(NodeId, InterfaceId)> {
    owner(dataplane, link, address).or_else(|| {
        dataplane
            .members(link)
            .find(|(_, _, i)| i.up && answers(i, way) && i.claims.iter().any(|net| net.contains(&address)))
            .map(|(node, interface, _)| (node, interface))
    })
}

/// Whether one of two interfaces sits on the other: such two never exchange frames.
pub(super) fn are_apart(dataplane: &Dataplane, one: (NodeId, InterfaceId), other: (NodeId, InterfaceId)) -> bool {
    let sits_on = |(node, interface): (NodeId, InterfaceId)| dataplane.node(node).interface(interface).apart_from;
    sits_on(one) == Some(other) || sits_on(other) == Some(one)
}

/// The source address that a program at this node gets for a destination.
pub(super) fn source_for(node: &Node, decision: Decision<'_>, destination: IpAddr) -> Option<IpAddr> {
    let family = Family::of(destination);
    match decision {
        Decision::Local if destination.is_loopback() => Some(family.loopback()),
        Decision::Local => Some(destination),
        Decision::Out { interface, next_hop, route } => match route.target {
            RouteTarget::Via { source: Some(source), .. } => Some(source),
            _ => address_towards(node, interface, next_hop),
        },
        Decision::None => None,
    }
}

/// The interface's address in the next hop's subnet, else its first of the family, else the first of any interface.
/// Loopback addresses do not leave the machine and are never chosen (`inet_select_addr`, net/ipv4/devinet.c: their
/// scope is too narrow).
pub(super) fn address_towards(node: &Node, interface: InterfaceId, next_hop: IpAddr) -> Option<IpAddr> {
    let family = Family::of(next_hop);
    let addresses = || node.interface(interface).addresses.iter().map(|a| a.net);
    let leaves = |address: &IpAddr| Family::of(*address) == family && !address.is_loopback();
    addresses()
        .find(|net| net.contains(&next_hop) && leaves(&net.addr()))
        .map(|net| net.addr())
        .or_else(|| addresses().map(|net| net.addr()).find(leaves))
        .or_else(|| node.addresses().find(leaves))
}

/// Who takes a packet that has come to its node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taker<'a> {
    Socket(&'a Socket),
    Relay(&'a Relay),
    /// The kernel answers pings.
    Kernel,
}

/// The socket or relay for a header; a bound address beats "all addresses".
pub(super) fn taker<'a>(node: &'a Node, header: &Header, setting: &Setting) -> Option<Taker<'a>> {
    if header.protocol == Protocol::Icmp {
        return Some(Taker::Kernel);
    }
    let sockets = node
        .sockets
        .iter()
        .filter(|s| s.protocol == header.protocol && s.ports.contains(header.destination_port))
        .filter(|s| setting.allows(s.guard))
        .map(|s| (s.address, Taker::Socket(s)));
    let relays =
        node.relays.iter().filter(|r| r.protocol == header.protocol && setting.allows(r.guard)).filter_map(|r| match r
            .listen
        {
            Listen::Socket { address, port } if port == header.destination_port => Some((address, Taker::Relay(r))),
            _ => None,
        });
    sockets
        .chain(relays)
        .filter(|(address, _)| address.is_none_or(|a| a == header.destination))
        .min_by_key(|(address, _)| address.is_none())
        .map(|(_, taker)| taker)
}

/// The relay of a user-space NAT that takes packets to this destination.
pub(super) fn transparent_relay<'a>(node: &'a Node, header: &Header, setting: &Setting) -> Option<&'a Relay> {
    node.relays
        .iter()
        .filter(|r| r.protocol == header.protocol && setting.allows(r.guard))
        .filter_map(|r| match r.listen {
            Listen::Transparent { prefix } if prefix.contains(&header.destination) => Some((prefix.prefix_len(), r)),
            _ => None,
        })
        .max_by_key(|(length, _)| *length)
        .map(|(_, relay)| relay)
}
