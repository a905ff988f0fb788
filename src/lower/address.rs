//! Addresses on interfaces, and the routes that come with them. Spec: specs/topology.md.

use crate::dataplane::{Dataplane, InterfaceAddress, InterfaceId, NodeId, Route, RouteTarget};
use crate::net::IpNet;
use crate::provenance::OriginId;
use crate::switch::SwitchId;

/// Gives an interface an address, with the local route to it and the connected route to its subnet, as the kernel
/// does (`fib_add_ifaddr`).
pub fn add_address(dataplane: &mut Dataplane, node: NodeId, interface: InterfaceId, net: IpNet, origin: OriginId) {
    add_guarded_address(dataplane, node, interface, net, None, origin);
}

/// The same, with routes that exist only while a switch is on. The address itself stays: without its routes nothing
/// is sent from it and nothing that comes to it is taken.
pub fn add_guarded_address(
    dataplane: &mut Dataplane,
    node: NodeId,
    interface: InterfaceId,
    net: IpNet,
    guard: Option<SwitchId>,
    origin: OriginId,
) {
    let node = dataplane.node_mut(node);
    if let Some(slot) = node.interfaces.get_mut(interface.0) {
        slot.addresses.push(InterfaceAddress { net, origin });
    }
    let local = if net.addr().is_loopback() { net.trunc() } else { IpNet::from(net.addr()) };
    let route = |prefix, target| Route { prefix, target, metric: 0, guard, origin };
    node.routes.push(route(local, RouteTarget::Local { interface }));
    if !net.addr().is_loopback() && net.prefix_len() < net.max_prefix_len() {
        let target = RouteTarget::Via { interface, gateway: None, source: Some(net.addr()) };
        node.routes.push(route(net.trunc(), target));
    }
}
