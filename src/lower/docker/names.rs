//! Names that a container can resolve: docker's name service on user networks, `--add-host`, `localhost`.
//! Spec: specs/docker-bridge.md.

use std::collections::HashSet;

use crate::dataplane::{Dataplane, Name, NodeId};
use crate::lab::{Container, Endpoint, Engine, Networking};
use crate::language::text;
use crate::provenance::Origin;
use crate::switch::{Switch, SwitchId, SwitchKind};

const HOSTS_FILE: &str = "moby 28.5 libnetwork/internal/etchosts/etchosts.go, Build";
const NAME_SERVICE: &str = "moby 28.5 libnetwork/sandbox_dns_unix.go; libnetwork/sandbox.go, ResolveName";

/// What docker's name service knows, by network.
pub(super) struct NameService {
    networks: Vec<Vec<Name>>,
}

impl NameService {
    /// Names of everybody on every network; the default bridge has no name service.
    pub(super) fn of(engine: &Engine, dataplane: &mut Dataplane) -> Self {
        let mut networks: Vec<Vec<Name>> = vec![Vec::new(); engine.networks.len()];
        for (container, endpoint) in engine.containers.iter().flat_map(|c| endpoints(c).iter().map(move |e| (c, e))) {
            let network = engine.networks.get(endpoint.network).filter(|n| !n.is_default_bridge);
            let (Some(network), Some(known)) = (network, networks.get_mut(endpoint.network)) else { continue };
            let what = format!("name service of network `{}`: `{}`", network.name, container.name);
            let origin = dataplane.origins.add(endpoint.origin.derive(what, NAME_SERVICE));
            let (address, guard) = (endpoint.address, endpoint.guard);
            known.extend(endpoint.names.iter().map(|n| Name { name: n.clone(), address, guard, origin }));
        }
        Self { networks }
    }

    /// Adds what `container` can resolve to the node that it runs on. Containers in another's namespace share its
    /// names.
    pub(super) fn tell(&self, container: &Container, node: NodeId, dataplane: &mut Dataplane) {
        match &container.networking {
            Networking::Bridges(_) | Networking::None(_) => add_hosts_file(container, node, None, dataplane),
            Networking::Host(_) => add_on_host(container, node, dataplane),
            Networking::Container(..) => {}
        }
        for endpoint in endpoints(container) {
            self.add_network(endpoint, node, dataplane);
        }
    }

    /// The first network that knows a name answers, so names known already are left alone.
    fn add_network(&self, own: &Endpoint, node: NodeId, dataplane: &mut Dataplane) {
        let names = &mut dataplane.node_mut(node).names;
        let known: HashSet<String> = names.iter().filter(|n| n.guard.is_none()).map(|n| n.name.clone()).collect();
        let answers = self.networks.get(own.network).into_iter().flatten().filter(|n| !known.contains(&n.name));
        names.extend(answers.map(|n| Name { guard: n.guard.or(own.guard), ..n.clone() }));
    }
}

fn endpoints(container: &Container) -> &[Endpoint] {
    match &container.networking {
        Networking::Bridges(endpoints) => endpoints,
        _ => &[],
    }
}

fn add_hosts_file(container: &Container, node: NodeId, guard: Option<SwitchId>, dataplane: &mut Dataplane) {
    let origin = container.origin.derive(format!("hosts file of `{}`", container.name), HOSTS_FILE);
    let origin = dataplane.origins.add(origin);
    let mut push = |name: &str, address, guard| {
        dataplane.node_mut(node).names.push(Name { name: name.to_owned(), address, guard, origin });
    };
    for (name, address) in &container.extra_hosts {
        push(name, *address, guard);
    }
}

/// A container in the host's namespace has a hosts file of its own; names of a node cannot tell the two apart.
fn add_on_host(container: &Container, node: NodeId, dataplane: &mut Dataplane) {
    if container.extra_hosts.is_empty() {
        return;
    }
    let statement = {
        let name = &container.name;
        text!(
            "names given to `{name}` are known to everything on the host",
            "`{name}` 컨테이너에 준 이름을 호스트의 모든 프로그램이 앎"
        )
    };
    let origin = Origin::assumed("extra hosts of a container in the host's namespace", container.origin.span());
    let unmodeled = Switch { statement, default: false, kind: SwitchKind::Unmodeled, origin };
    let guard = dataplane.switches.add(unmodeled);
    add_hosts_file(container, node, Some(guard), dataplane);
}
