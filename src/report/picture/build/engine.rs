//! Container networks and containers.

use crate::dataplane::{InterfaceId, NodeId};
use crate::lab::{Container, ContainerNetwork, Endpoint, Engine, GatewayMode, Host, Lab, Networking};
use crate::language::{Text, text};

use super::super::{Door, House, HouseKind, Wire};
use super::{Builder, listen_text, listens_kind};

/// Where a container's card stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    Network(usize),
    Host,
    Nowhere,
}

impl Builder<'_> {
    /// The networks of a host's engine with their containers, and those containers that have none.
    pub(super) fn networks(&mut self, host: &Host, node: NodeId) -> Vec<House> {
        let Some(engine) = &host.engine else { return Vec::new() };
        let mut houses = Vec::new();
        for (index, network) in engine.networks.iter().enumerate() {
            let is_empty = network.is_default_bridge && !engine.containers.iter().any(|c| endpoint(c, index).is_some());
            if !is_empty {
                houses.push(self.network(host, node, engine, index, network));
            }
        }
        houses.extend(self.corner(host, node, engine, Home::Host));
        houses.extend(self.corner(host, node, engine, Home::Nowhere));
        houses
    }

    fn network(
        &mut self,
        host: &Host,
        node: NodeId,
        engine: &Engine,
        index: usize,
        network: &ContainerNetwork,
    ) -> House {
        let mut house = self.house(HouseKind::Network, network.name.as_str(), network_label(network));
        house.facts = vec![match network.gateway_mode {
            GatewayMode::Isolated => network.subnet.to_string(),
            _ => self.say(&text!(
                "{subnet} gateway {gateway}",
                "{subnet} 게이트웨이 {gateway}",
                subnet = network.subnet,
                gateway = network.gateway
            )),
        }];
        match network.parent {
            None => {
                if let Some(bridge) = self.dataplane.node(node).interface_named(&network.bridge) {
                    self.places.interfaces.insert((node, bridge), house.id);
                }
            }
            Some(parent) => {
                let adapter = self.places.interfaces.get(&(node, InterfaceId(parent + 1))).copied();
                self.wires.extend(adapter.map(|adapter| Wire { from: house.id, to: adapter }));
            }
        }
        for (number, container) in engine.containers.iter().enumerate() {
            if home(engine, number) == Some(Home::Network(index)) {
                house.rooms.push(self.container(host, node, engine, number));
            } else if let Some(place) = endpoint(container, index).filter(|e| self.setting.allows(e.guard)) {
                house.rooms.push(self.membership(host, container, place));
            }
        }
        house
    }

    /// Containers without a network of their own.
    fn corner(&mut self, host: &Host, node: NodeId, engine: &Engine, wanted: Home) -> Option<House> {
        let members: Vec<usize> = (0..engine.containers.len()).filter(|n| home(engine, *n) == Some(wanted)).collect();
        let (title, label) = match wanted {
            Home::Nowhere => (text!("no network", "네트워크 없음"), text!("loopback only", "루프백만 있음")),
            Home::Network(_) | Home::Host => (
                text!("host network", "호스트 네트워크"),
                text!("the host's own addresses and ports", "호스트의 주소와 포트를 그대로 씀"),
            ),
        };
        let mut house = (!members.is_empty()).then(|| self.house(HouseKind::Corner, title, label))?;
        for number in members {
            house.rooms.push(self.container(host, node, engine, number));
        }
        Some(house)
    }

    fn container(&mut self, host: &Host, node: NodeId, engine: &Engine, number: usize) -> House {
        let Some(container) = engine.containers.get(number) else {
            return self.house(HouseKind::Container, "", text!("container", "컨테이너"));
        };
        let mut house =
            self.house(HouseKind::Container, call_name(self.lab, container), text!("container", "컨테이너"));
        house.facts.extend(container.image.as_ref().map(|image| image.value.clone()));
        house.doors = self.container_ports(container);
        let own = self.dataplane.node_named(&format!("{}/{}", host.name, container.name));
        match &container.networking {
            Networking::Bridges(endpoints) => {
                let mut addresses = endpoints.iter().filter(|e| self.setting.allows(e.guard)).map(|e| e.address);
                house.facts.extend(addresses.next().map(|address| address.to_string()));
            }
            Networking::Container(other, _) => {
                let other = engine
                    .containers
                    .get(*other)
                    .map_or(text!("another", "다른 컨테이너"), |o| o.name.as_str().into());
                house.facts.push(self.say(&text!("in the network of {other}", "{other}의 네트워크 사용"; other)));
            }
            Networking::Host(_) | Networking::None(_) => {}
        }
        if container.refused.is_some() {
            house.facts.push(self.say(&text!("compose refuses it: not running", "compose가 거부함: 실행되지 않음")));
        }
        let lives_on = own.or_else(|| self.shared(host, node, engine, number));
        if let Some(own) = own {
            self.places.nodes.insert(own, house.id);
            self.places.interfaces.entry((own, InterfaceId(1))).or_insert(house.id);
        }
        if let Some(lives_on) = lives_on {
            self.places.owners.insert((lives_on, container.name.clone()), house.id);
        }
        house
    }

    /// The node of a container that lives in somebody else's.
    fn shared(&self, host: &Host, node: NodeId, engine: &Engine, number: usize) -> Option<NodeId> {
        let mut index = number;
        for _ in &engine.containers {
            let container = engine.containers.get(index)?;
            match &container.networking {
                Networking::Host(_) => return Some(node),
                Networking::Container(other, _) => index = *other,
                Networking::Bridges(_) | Networking::None(_) => {
                    return self.dataplane.node_named(&format!("{}/{}", host.name, container.name));
                }
            }
        }
        None
    }

    fn container_ports(&mut self, container: &Container) -> Vec<Door> {
        let mut doors: Vec<Door> = Vec::new();
        for listen in container.processes.iter().flat_map(|process| &process.listens) {
            let text = listen_text(listen);
            let is_new = !doors.iter().any(|door| door.lines.first() == Some(&text));
            if is_new && self.setting.allows(listen.guard) {
                doors.push(self.door(listens_kind(listen), vec![text]));
            }
        }
        doors
    }

    /// A small card: the container is in this network, too.
    fn membership(&mut self, host: &Host, container: &Container, place: &Endpoint) -> House {
        let mut house =
            self.house(HouseKind::Membership, call_name(self.lab, container), text!("also here", "여기에도 연결됨"));
        house.facts = vec![place.address.to_string()];
        if let Some(node) = self.dataplane.node_named(&format!("{}/{}", host.name, container.name)) {
            let interfaces = &self.dataplane.node(node).interfaces;
            let index = interfaces.iter().position(|i| i.addresses.iter().any(|a| a.net.addr() == place.address));
            if let Some(index) = index {
                self.places.interfaces.insert((node, InterfaceId(index)), house.id);
            }
        }
        house
    }
}

/// What people call a container: the service's name, where it is nobody else's.
pub(super) fn call_name(lab: &Lab, container: &Container) -> String {
    let is_alone = |alias: &String| {
        let bears = |other: &Container| other.name == *alias || other.aliases.contains(alias);
        lab.containers().filter(|(_, other)| bears(other)).count() == 1
    };
    container.aliases.first().filter(|alias| is_alone(alias)).unwrap_or(&container.name).clone()
}

fn endpoint(container: &Container, network: usize) -> Option<&Endpoint> {
    match &container.networking {
        Networking::Bridges(endpoints) => endpoints.iter().find(|endpoint| endpoint.network == network),
        Networking::Host(_) | Networking::None(_) | Networking::Container(..) => None,
    }
}

/// Nothing for containers that share namespaces in a circle: they cannot be started.
fn home(engine: &Engine, number: usize) -> Option<Home> {
    let mut index = number;
    for _ in &engine.containers {
        match &engine.containers.get(index)?.networking {
            Networking::Host(_) => return Some(Home::Host),
            Networking::None(_) => return Some(Home::Nowhere),
            Networking::Container(other, _) => index = *other,
            Networking::Bridges(endpoints) => {
                return Some(endpoints.first().map_or(Home::Nowhere, |first| Home::Network(first.network)));
            }
        }
    }
    None
}

fn network_label(network: &ContainerNetwork) -> Text {
    match (network.parent.is_some(), network.internal, network.is_default_bridge) {
        (true, ..) => text!("docker network on an adapter", "어댑터에 붙은 docker 네트워크"),
        (false, true, _) => text!("docker network, internal", "docker 네트워크, internal"),
        (false, false, true) => text!("docker network, default bridge", "docker 네트워크, 기본 브리지"),
        (false, false, false) => text!("docker network", "docker 네트워크"),
    }
}
