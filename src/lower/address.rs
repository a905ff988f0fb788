//! An address on an interface, and the routes that the kernel makes of it.

use crate::dataplane::{Dataplane, InterfaceAddress, InterfaceId, NodeId, Route, RouteTarget};
use crate::net::IpNet;
use crate::provenance::OriginId;
use crate::switch::SwitchId;

/// Gives an interface an address: the address itself, its local route and the route to its prefix.
pub fn add_address(dataplane: &mut Dataplane, node: NodeId, interface: InterfaceId, net: IpNet, origin: OriginId) {
    add_guarded_address(dataplane, node, interface, net, None, origin);
}

/// The same for an address that exists only while a switch is on: without its routes the node neither takes packets
/// for it nor uses it.
pub fn add_guarded_address(
    dataplane: &mut Dataplane,
    node: NodeId,
    interface: InterfaceId,
    net: IpNet,
    guard: Option<SwitchId>,
    origin: OriginId,
) {
    let node = dataplane.node_mut(node);
    if let Some(interface) = node.interfaces.get_mut(interface.0) {
        interface.addresses.push(InterfaceAddress { net, origin });
    }
    let local = RouteTarget::Local { interface };
    let connected = RouteTarget::Via { interface, gateway: None, source: Some(net.addr()) };
    // The whole of 127.0.0.0/8 is local: its prefix route goes to the local table (Linux, fib_add_ifaddr).
    let prefix_target = if net.addr().is_loopback() { local } else { connected };
    node.routes.push(Route { prefix: IpNet::from(net.addr()), target: local, metric: 0, guard, origin });
    if net.prefix_len() < net.max_prefix_len() {
        node.routes.push(Route { prefix: net.trunc(), target: prefix_target, metric: 0, guard, origin });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::{Interface, Node, NodeKind, Sysctls, Toggle};
    use crate::provenance::Origin;

    #[test]
    fn an_address_is_local_and_its_prefix_is_connected() {
        let mut dataplane = Dataplane::default();
        let origin = dataplane.origins.add(Origin::assumed("test", None));
        let node = dataplane.add_node(Node {
            name: "vm".to_owned(),
            kind: NodeKind::Namespace,
            interfaces: vec![Interface {
                name: "eth0".to_owned(),
                addresses: Vec::new(),
                claims: Vec::new(),
                link: None,
                up: true,
                route_localnet: false,
                hairpin: false,
                origin,
            }],
            routes: Vec::new(),
            ruleset: Default::default(),
            sockets: Vec::new(),
            relays: Vec::new(),
            sysctls: Sysctls { ip_forward: Toggle::Off, ip_forward_origin: origin, bridge_calls_iptables: false },
            names: Vec::new(),
            origin,
        });
        add_address(&mut dataplane, node, InterfaceId(0), "192.168.1.5/24".parse().unwrap(), origin);
        let routes: Vec<_> = dataplane.node(node).routes.iter().map(|r| (r.prefix.to_string(), r.target)).collect();
        let interface = InterfaceId(0);
        let via = RouteTarget::Via { interface, gateway: None, source: "192.168.1.5".parse().ok() };
        assert_eq!(
            routes,
            [("192.168.1.5/32".to_owned(), RouteTarget::Local { interface }), ("192.168.1.0/24".to_owned(), via)]
        );
    }
}
