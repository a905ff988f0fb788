//! Containers: a namespace each, or a place in somebody else's, and the programs in them.
//! Spec: specs/docker-bridge.md, specs/docker-host-network.md, specs/docker-drivers.md.

use crate::dataplane::{Dataplane, Interface, InterfaceId, LinkId, NodeId};
use crate::lab::{Container, ContainerNetwork, Endpoint, Engine, Networking};
use crate::language::text;
use crate::lower::address::add_guarded_address;
use crate::lower::namespace::{
    add_default_route as route_by_default, add_interface, add_process, interface, namespace as namespace_node,
};
use crate::net::IpNet;

use super::Site;
use super::names::NameService;
use super::publish::gateway_endpoint;

const NAMESPACE: &str = "moby 28.5 daemon/container_operations.go, initializeNetworking";
const ENDPOINT: &str = "moby 28.5 libnetwork/drivers/bridge/bridge_linux.go, CreateEndpoint";
const GATEWAY: &str = "moby 28.5 libnetwork/drivers/bridge/bridge_linux.go, Join";

/// Builds every container.
pub(super) fn build(site: Site<'_>, dataplane: &mut Dataplane) {
    let service = NameService::of(site.engine, dataplane);
    let containers = &site.engine.containers;
    let own: Vec<_> = containers.iter().map(|c| build_namespace(site, c, dataplane)).collect();
    for (index, container) in containers.iter().enumerate() {
        let Some(node) = namespace(site, &own, index) else { continue };
        for process in &container.processes {
            add_process(dataplane, node, &container.name, process);
        }
        service.tell(container, node, dataplane);
    }
}

/// The node that a container's programs run on. Nothing if containers share namespaces in a circle, or if the one
/// whose namespace is shared does not exist.
fn namespace(site: Site<'_>, own: &[Option<NodeId>], index: usize) -> Option<NodeId> {
    let mut index = index;
    for _ in own {
        match &site.engine.containers.get(index)?.networking {
            Networking::Host(_) => return Some(site.node),
            Networking::Container(other, _) => index = *other,
            Networking::Bridges(_) | Networking::None(_) => return own.get(index).copied().flatten(),
        }
    }
    None
}

/// Makes the namespace of a container that has one of its own.
fn build_namespace(site: Site<'_>, container: &Container, dataplane: &mut Dataplane) -> Option<NodeId> {
    let endpoints = match &container.networking {
        Networking::Bridges(endpoints) => endpoints.as_slice(),
        Networking::None(_) => &[],
        Networking::Host(_) | Networking::Container(..) => return None,
    };
    let what = format!("namespace of container `{}`", container.name);
    let origin = dataplane.origins.add(container.origin.derive(what, NAMESPACE));
    // Its kernel forwards in truth, as the host's does; but nothing is ever routed through a container.
    let node = namespace_node(dataplane, format!("{}/{}", site.host, container.name), origin);
    for endpoint in endpoints {
        if let Some(network) = site.engine.networks.get(endpoint.network) {
            attach(site, container, endpoint, network, node, dataplane);
        }
    }
    if let Some((endpoint, network)) = route_endpoint(site.engine, container, endpoints) {
        add_default_route(endpoint, network, node, dataplane);
    }
    Some(node)
}

/// Plugs an endpoint in. Without the userland proxy a container reaches its own published port through the bridge,
/// which must then send the frame back to where it came from.
fn attach(
    site: Site<'_>,
    container: &Container,
    endpoint: &Endpoint,
    network: &ContainerNetwork,
    node: NodeId,
    dataplane: &mut Dataplane,
) {
    let what = format!("`{}` on network `{}`", container.name, network.name);
    let origin = dataplane.origins.add(endpoint.origin.derive(what, ENDPOINT));
    let apart_from = network.parent.map(|index| (site.node, InterfaceId(index + 1)));
    let link = match apart_from {
        Some((host, parent)) => dataplane.node(host).interface(parent).link,
        None => bridge_link(site, network, dataplane),
    };
    let name = format!("eth{}", dataplane.node(node).interfaces.len() - 1);
    let hairpin = !site.engine.options.userland_proxy;
    let id = add_interface(dataplane, node, Interface { hairpin, apart_from, ..interface(&name, link, origin) });
    if let Ok(net) = IpNet::new(endpoint.address, network.subnet.prefix_len()) {
        add_guarded_address(dataplane, node, id, net, endpoint.guard, origin);
    }
}

fn bridge_link(site: Site<'_>, network: &ContainerNetwork, dataplane: &Dataplane) -> Option<LinkId> {
    let host = dataplane.node(site.node);
    host.interface_named(&network.bridge).and_then(|bridge| host.interface(bridge).link)
}

/// Up to 24 a container that is on internal networks only has a default route nevertheless: what leaves is dropped at
/// the bridge instead of being unreachable at once, and the host's other addresses are reached (moby pull request 46603).
fn route_endpoint<'a>(
    engine: &'a Engine,
    container: &'a Container,
    endpoints: &'a [Endpoint],
) -> Option<(&'a Endpoint, &'a ContainerNetwork)> {
    let any = || endpoints.iter().find_map(|e| engine.networks.get(e.network).map(|n| (e, n)));
    gateway_endpoint(engine, container).or_else(|| (engine.version.major < 25).then(any)?)
}

fn add_default_route(endpoint: &Endpoint, network: &ContainerNetwork, node: NodeId, dataplane: &mut Dataplane) {
    let owner = dataplane.node(node);
    let has_address = |i: &Interface| i.addresses.iter().any(|a| a.net.addr() == endpoint.address);
    let Some(index) = owner.interfaces.iter().position(has_address) else { return };
    let name = &network.name;
    let what = text!("default route through network `{name}`", "`{name}` 네트워크로 나가는 기본 경로");
    let origin = dataplane.origins.add(endpoint.origin.derive(what, GATEWAY));
    route_by_default(dataplane, node, InterfaceId(index), network.gateway, 0, endpoint.guard, origin);
}
