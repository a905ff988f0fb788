//! Hosts, their interfaces and routes, segments, and the programs on hosts. Spec: specs/topology.md.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::dataplane::{
    Dataplane, Interface, InterfaceId, Link, LinkId, Name, Node, NodeId, NodeKind, Route, RouteTarget, Ruleset, Socket,
    Sysctls, Toggle,
};
use crate::lab::{Attachment, Host, HostId, HostKind, Lab, Process, SegmentId, SegmentKind};
use crate::net::{IpNet, Ipv4Net, Ipv6Net};
use crate::provenance::{Origin, OriginId};

use super::address::add_address;

const IP_FORWARD_DEFAULT: &str = "Linux, Documentation/networking/ip-sysctl.rst: ip_forward is 0 by default";
const LOOPBACK: &str = "RFC 1122, 3.2.1.3 (g)";

/// Which node and link each host and segment became.
pub(super) struct Map {
    pub(super) hosts: Vec<NodeId>,
    pub(super) segments: Vec<LinkId>,
}

impl Map {
    #[expect(clippy::indexing_slicing, reason = "one node is made for every host, in order")]
    pub(super) fn host(&self, id: HostId) -> NodeId {
        self.hosts[id.0]
    }

    #[expect(clippy::indexing_slicing, reason = "one link is made for every segment, in order")]
    pub(super) fn segment(&self, id: SegmentId) -> LinkId {
        self.segments[id.0]
    }
}

pub(super) fn lower(lab: &Lab, dataplane: &mut Dataplane) -> Map {
    let segments: Vec<LinkId> = lab
        .segments
        .iter()
        .map(|segment| {
            let origin = dataplane.origins.add(segment.origin.clone());
            dataplane.add_link(Link { name: segment.name.clone(), bridge: None, origin })
        })
        .collect();
    let hosts = lab.hosts.iter().map(|host| lower_host(host, &segments, dataplane)).collect();
    let map = Map { hosts, segments };
    for (id, segment) in lab.segments.iter().enumerate() {
        if segment.kind == SegmentKind::Lan {
            add_stranger(lab, SegmentId(id), &map, dataplane);
        }
    }
    map
}

/// A network namespace with nothing but its loopback.
pub fn namespace(dataplane: &mut Dataplane, name: String, origin: OriginId) -> NodeId {
    let ip_forward_origin =
        dataplane.origins.add(Origin::implied("`net.ipv4.ip_forward` is off", None, IP_FORWARD_DEFAULT));
    let loopback = dataplane.origins.add(Origin::implied("loopback interface", None, LOOPBACK));
    let node = dataplane.add_node(Node {
        name,
        kind: NodeKind::Namespace,
        interfaces: vec![interface("lo", None, loopback)],
        routes: Vec::new(),
        ruleset: Ruleset::default(),
        sockets: Vec::new(),
        relays: Vec::new(),
        sysctls: Sysctls { ip_forward: Toggle::Off, ip_forward_origin, bridge_calls_iptables: true },
        names: Vec::new(),
        origin,
    });
    for net in [
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8)),
        IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
    ] {
        add_address(dataplane, node, InterfaceId(0), net, loopback);
    }
    let localhost =
        Name { name: "localhost".into(), address: Ipv4Addr::LOCALHOST.into(), guard: None, origin: loopback };
    dataplane.node_mut(node).names.push(localhost);
    node
}

/// An interface without addresses.
pub fn interface(name: &str, link: Option<LinkId>, origin: OriginId) -> Interface {
    Interface {
        name: name.to_owned(),
        addresses: Vec::new(),
        claims: Vec::new(),
        only_dials: false,
        link,
        up: true,
        route_localnet: false,
        hairpin: false,
        origin,
    }
}

/// Adds an interface to a node.
pub fn add_interface(dataplane: &mut Dataplane, node: NodeId, interface: Interface) -> InterfaceId {
    let interfaces = &mut dataplane.node_mut(node).interfaces;
    interfaces.push(interface);
    InterfaceId(interfaces.len() - 1)
}

/// Sends everything that no other route takes out of an interface.
pub fn add_default_route(
    dataplane: &mut Dataplane,
    node: NodeId,
    interface: InterfaceId,
    gateway: IpAddr,
    metric: u32,
    origin: OriginId,
) {
    let prefix = default_prefix(gateway);
    let target = RouteTarget::Via { interface, gateway: Some(gateway), source: None };
    dataplane.node_mut(node).routes.push(Route { prefix, target, metric, guard: None, origin });
}

fn default_prefix(like: IpAddr) -> IpNet {
    match like {
        IpAddr::V4(_) => IpNet::V4(Ipv4Net::default()),
        IpAddr::V6(_) => IpNet::V6(Ipv6Net::default()),
    }
}

/// The sockets of a program.
pub fn add_process(dataplane: &mut Dataplane, node: NodeId, owner: &str, process: &Process) {
    for listen in &process.listens {
        let origin = dataplane.origins.add(listen.origin.clone());
        let (protocol, address, ports, guard) = (listen.protocol, listen.address, listen.ports, listen.guard);
        let socket = Socket { protocol, address, ports, owner: owner.to_owned(), guard, origin };
        dataplane.node_mut(node).sockets.push(socket);
    }
}

fn lower_host(host: &Host, segments: &[LinkId], dataplane: &mut Dataplane) -> NodeId {
    let origin = dataplane.origins.add(host.origin.clone());
    let node = namespace(dataplane, host.name.clone(), origin);
    if host.ip_forward || host.kind == HostKind::Router {
        dataplane.node_mut(node).sysctls.ip_forward = Toggle::On;
        dataplane.node_mut(node).sysctls.ip_forward_origin = origin;
    }
    for (index, adapter) in host.interfaces.iter().enumerate() {
        let link = match &adapter.attachment {
            Attachment::Segment(id) => segments.get(id.0).copied(),
            Attachment::Nat(_) | Attachment::Unattached => None,
        };
        let origin = dataplane.origins.add(adapter.origin.clone());
        let up = adapter.connected;
        let id = add_interface(dataplane, node, Interface { up, ..interface(&adapter.name, link, origin) });
        for address in &adapter.addresses {
            let origin = dataplane.origins.add(address.origin.clone());
            add_address(dataplane, node, id, address.net, origin);
        }
        if let Some(gateway) = adapter.gateway {
            // NetworkManager counts metrics up from 100 in the order in which interfaces come up.
            let metric = 100 + u32::try_from(index).unwrap_or(0);
            add_default_route(dataplane, node, id, gateway, metric, origin);
        }
    }
    add_host_routes(host, node, origin, dataplane);
    for process in &host.processes {
        add_process(dataplane, node, &host.name, process);
    }
    node
}

fn add_host_routes(host: &Host, node: NodeId, origin: OriginId, dataplane: &mut Dataplane) {
    for (prefix, gateway) in &host.routes {
        let through = dataplane
            .node(node)
            .interfaces
            .iter()
            .position(|i| i.addresses.iter().any(|a| a.net.contains(gateway)))
            .map(InterfaceId);
        let Some(interface) = through else { continue };
        let target = RouteTarget::Via { interface, gateway: Some(*gateway), source: None };
        dataplane.node_mut(node).routes.push(Route { prefix: *prefix, target, metric: 0, guard: None, origin });
    }
}

/// The name of the node that stands for any other machine on a segment.
pub fn stranger_name(segment: &str) -> String {
    format!("any other host on {segment}")
}

/// Stands for every machine that could be on the segment and dial: it may have any free address. Nobody is assumed to
/// be there when such an address is dialled.
fn add_stranger(lab: &Lab, id: SegmentId, map: &Map, dataplane: &mut Dataplane) {
    let segment = lab.segment(id);
    let origin = dataplane.origins.add(segment.origin.clone());
    let node = namespace(dataplane, stranger_name(&segment.name), origin);
    let link = map.segment(id);
    let mut port = interface("eth0", Some(link), origin);
    port.claims.clone_from(&segment.subnets);
    port.only_dials = true;
    let port = add_interface(dataplane, node, port);
    for subnet in &segment.subnets {
        let target = RouteTarget::Via { interface: port, gateway: None, source: None };
        dataplane.node_mut(node).routes.push(Route { prefix: subnet.trunc(), target, metric: 0, guard: None, origin });
    }
    let router = lab.hosts.iter().find(|h| h.kind == HostKind::Router && is_on(h, id));
    let address = router.and_then(|r| r.interfaces.iter().find(|i| is_attached(&i.attachment, id)));
    if let Some(gateway) = address.and_then(|i| i.addresses.first()) {
        add_default_route(dataplane, node, port, gateway.net.addr(), 0, origin);
    }
}

fn is_on(host: &Host, segment: SegmentId) -> bool {
    host.interfaces.iter().any(|i| is_attached(&i.attachment, segment))
}

fn is_attached(attachment: &Attachment, segment: SegmentId) -> bool {
    matches!(attachment, Attachment::Segment(id) if *id == segment)
}
