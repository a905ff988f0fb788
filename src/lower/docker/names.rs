//! Names that a container can resolve: docker's name service on user networks, `--add-host`, `localhost`.

use crate::dataplane::{Dataplane, Name, NodeId};
use crate::lab::{Container, Endpoint, Engine, Networking};
use crate::net::Family;
use crate::provenance::Origin;
use crate::switch::{Switch, SwitchId, SwitchKind};

use super::Site;

const HOSTS_FILE: &str = "moby 28.5 libnetwork/internal/etchosts/etchosts.go, Build";
const NAME_SERVICE: &str = "moby 28.5 libnetwork/sandbox_dns_unix.go; libnetwork/sandbox.go, ResolveName";

/// Adds what `container` can resolve to the node that it runs on. Containers in another's namespace share its names.
pub(super) fn add(site: Site<'_>, container: &Container, node: NodeId, dataplane: &mut Dataplane) {
    match &container.networking {
        Networking::Bridges(endpoints) => {
            add_hosts_file(container, node, None, dataplane);
            for endpoint in endpoints {
                add_network(site.engine, endpoint, node, dataplane);
            }
        }
        Networking::None(_) => add_hosts_file(container, node, None, dataplane),
        Networking::Host(_) => add_on_host(container, node, dataplane),
        Networking::Container(..) => {}
    }
}

fn add_hosts_file(container: &Container, node: NodeId, guard: Option<SwitchId>, dataplane: &mut Dataplane) {
    let origin = container.origin.derive(format!("hosts file of `{}`", container.name), HOSTS_FILE);
    let origin = dataplane.origins.add(origin);
    let mut push = |name: &str, address, guard| {
        dataplane.node_mut(node).names.push(Name { name: name.to_owned(), address, guard, origin });
    };
    if guard.is_none() {
        push("localhost", Family::V4.loopback(), None);
    }
    for (name, address) in &container.extra_hosts {
        push(name, *address, guard);
    }
}

/// A container in the host's namespace has a hosts file of its own; names of a node cannot tell the two apart.
fn add_on_host(container: &Container, node: NodeId, dataplane: &mut Dataplane) {
    if container.extra_hosts.is_empty() {
        return;
    }
    let statement = format!("names given to `{}` are known to everything on the host", container.name);
    let origin = Origin::assumed("extra hosts of a container in the host's namespace", container.origin.span());
    let unmodeled = Switch { statement, default: false, kind: SwitchKind::Unmodeled, origin };
    let guard = dataplane.switches.add(unmodeled);
    add_hosts_file(container, node, Some(guard), dataplane);
}

/// Names of everybody on one network; the default bridge has no name service. The first network that knows a name
/// answers, so names known already are left alone.
fn add_network(engine: &Engine, own: &Endpoint, node: NodeId, dataplane: &mut Dataplane) {
    let Some(network) = engine.networks.get(own.network).filter(|n| !n.is_default_bridge) else { return };
    let known: Vec<_> =
        dataplane.node(node).names.iter().filter(|n| n.guard.is_none()).map(|n| n.name.clone()).collect();
    for (container, endpoint) in endpoints_on(engine, own.network) {
        let what = format!("name service of network `{}`: `{}`", network.name, container.name);
        let origin = dataplane.origins.add(endpoint.origin.derive(what, NAME_SERVICE));
        let guard = endpoint.guard.or(own.guard);
        for name in endpoint.names.iter().filter(|name| !known.contains(name)) {
            let name = Name { name: name.clone(), address: endpoint.address, guard, origin };
            dataplane.node_mut(node).names.push(name);
        }
    }
}

fn endpoints_on(engine: &Engine, network: usize) -> impl Iterator<Item = (&Container, &Endpoint)> {
    engine.containers.iter().flat_map(move |container| {
        let endpoints = match &container.networking {
            Networking::Bridges(endpoints) => endpoints.as_slice(),
            _ => &[],
        };
        endpoints.iter().filter(move |e| e.network == network).map(move |e| (container, e))
    })
}
