//! The bridge of every network: an interface of the host, its addresses, and the link behind it.
//! Spec: specs/docker-bridge.md.

use crate::dataplane::{Bridge, Dataplane, Interface, InterfaceId, Link};
use crate::lab::{ContainerNetwork, GatewayMode};
use crate::language::text;
use crate::lower::address::add_address;
use crate::lower::namespace::{add_interface, interface};
use crate::net::IpNet;

use super::Site;

const DEVICE: &str = "moby 28.5 libnetwork/drivers/bridge/setup_device_linux.go, setupDevice";
const ADDRESS: &str = "moby 28.5 libnetwork/drivers/bridge/setup_ipv4_linux.go, setupBridgeIPv4";

/// Builds every bridge. Frames between two containers of a bridge are filtered like routed packets: up to 26 docker
/// loads br_netfilter itself, later only when `icc` or the userland proxy is off, but the kernel's default is on as
/// soon as anything has loaded it (moby 20.10 libnetwork/drivers/bridge/bridge.go, configure).
pub(super) fn build(site: Site<'_>, dataplane: &mut Dataplane) {
    dataplane.node_mut(site.node).sysctls.bridge_calls_iptables = true;
    for network in site.engine.bridges() {
        build_one(site, network, dataplane);
    }
}

fn build_one(site: Site<'_>, network: &ContainerNetwork, dataplane: &mut Dataplane) {
    let what = format!("bridge `{}` of network `{}`", network.bridge, network.name);
    let origin = dataplane.origins.add(network.origin.derive(what, DEVICE));
    let own = InterfaceId(dataplane.node(site.node).interfaces.len());
    let bridge = Some(Bridge { node: site.node, interface: own });
    let link = dataplane.add_link(Link { name: format!("network {}", network.name), bridge, origin });
    let route_localnet = !site.engine.options.userland_proxy;
    let bridge = interface(&network.bridge, Some(link), origin);
    add_interface(dataplane, site.node, Interface { route_localnet, ..bridge });
    if let Some(net) = own_address(network) {
        let name = &network.name;
        let what = text!("the host's address on network `{name}`", "`{name}` 네트워크의 호스트 쪽 주소");
        let origin = dataplane.origins.add(network.origin.derive(what, ADDRESS));
        add_address(dataplane, site.node, own, net, origin);
    }
}

/// Isolated networks have no address of the host.
fn own_address(network: &ContainerNetwork) -> Option<IpNet> {
    if network.gateway_mode == GatewayMode::Isolated {
        return None;
    }
    IpNet::new(network.gateway, network.subnet.prefix_len()).ok()
}
