//! Network namespaces, interfaces, default routes and sockets: the pieces that every mechanism builds with.
//! Spec: specs/topology.md.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::dataplane::{
    Dataplane, Interface, InterfaceId, LinkId, Name, Node, NodeId, NodeKind, Route, RouteTarget, Ruleset, Socket,
    Sysctls, Toggle,
};
use crate::lab::Process;
use crate::language::text;
use crate::net::{IpNet, Ipv4Net, Ipv6Net};
use crate::provenance::{Origin, OriginId};
use crate::switch::SwitchId;

use super::address::add_address;

const IP_FORWARD_DEFAULT: &str = "Linux, Documentation/networking/ip-sysctl.rst: ip_forward is 0 by default";
const RP_FILTER_DEFAULT: &str = "Linux, Documentation/networking/ip-sysctl.rst: rp_filter is 0 by default";
const LOOPBACK: &str = "RFC 1122, 3.2.1.3 (g)";

/// A network namespace with nothing but its loopback.
pub(super) fn namespace(dataplane: &mut Dataplane, name: String, origin: OriginId) -> NodeId {
    let ip_forward_origin = dataplane.origins.add(Origin::implied(
        text!("`net.ipv4.ip_forward` is off", "`net.ipv4.ip_forward`가 꺼져 있음"),
        None,
        IP_FORWARD_DEFAULT,
    ));
    let rp_filter_origin = dataplane.origins.add(Origin::implied(
        text!("`rp_filter` is off", "`rp_filter`가 꺼져 있음"),
        None,
        RP_FILTER_DEFAULT,
    ));
    let loopback =
        dataplane.origins.add(Origin::implied(text!("loopback interface", "루프백 인터페이스"), None, LOOPBACK));
    let node = dataplane.add_node(Node {
        name,
        kind: NodeKind::Namespace,
        interfaces: vec![interface("lo", None, loopback)],
        routes: Vec::new(),
        ruleset: Ruleset::default(),
        sockets: Vec::new(),
        relays: Vec::new(),
        sysctls: Sysctls { ip_forward: Toggle::Off, ip_forward_origin, rp_filter_origin, bridge_calls_iptables: true },
        names: Vec::new(),
        unmodeled: Vec::new(),
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
pub(super) fn interface(name: &str, link: Option<LinkId>, origin: OriginId) -> Interface {
    Interface {
        name: name.to_owned(),
        addresses: Vec::new(),
        claims: Vec::new(),
        only_dials: false,
        link,
        up: true,
        route_localnet: false,
        any_way_in: Toggle::On,
        hairpin: false,
        apart_from: None,
        origin,
    }
}

/// Adds an interface to a node.
pub(super) fn add_interface(dataplane: &mut Dataplane, node: NodeId, interface: Interface) -> InterfaceId {
    let interfaces = &mut dataplane.node_mut(node).interfaces;
    interfaces.push(interface);
    InterfaceId(interfaces.len() - 1)
}

/// Sends everything that no other route takes out of an interface.
pub(super) fn add_default_route(
    dataplane: &mut Dataplane,
    node: NodeId,
    interface: InterfaceId,
    gateway: IpAddr,
    metric: u32,
    guard: Option<SwitchId>,
    origin: OriginId,
) {
    let prefix = default_prefix(gateway);
    let target = RouteTarget::Via { interface, gateway: Some(gateway), source: None };
    dataplane.node_mut(node).routes.push(Route { prefix, target, metric, guard, origin });
}

fn default_prefix(like: IpAddr) -> IpNet {
    match like {
        IpAddr::V4(_) => IpNet::V4(Ipv4Net::default()),
        IpAddr::V6(_) => IpNet::V6(Ipv6Net::default()),
    }
}

/// The sockets of a program.
pub(super) fn add_process(dataplane: &mut Dataplane, node: NodeId, owner: &str, process: &Process) {
    for listen in &process.listens {
        let origin = dataplane.origins.add(listen.origin.clone());
        let (protocol, address, ports, guard) = (listen.protocol, listen.address, listen.ports, listen.guard);
        let socket = Socket { protocol, address, ports, owner: owner.to_owned(), guard, origin };
        dataplane.node_mut(node).sockets.push(socket);
    }
}
