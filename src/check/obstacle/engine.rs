//! In the way of containers: options of the daemon, internal networks, addresses that somebody else has, and the host's
//! network where the host is a machine of Docker Desktop.

use std::net::{IpAddr, Ipv4Addr};

use crate::diagnostic::Code;
use crate::lab::{
    Container, ContainerNetwork, Endpoint as Attached, Engine, EngineOptions, GatewayMode, Host, HostId, Lab,
    Networking, Publish,
};
use crate::language::text;
use crate::net::{IpNet, Ipv4Net};
use crate::provenance::Origin;

use super::{Obstacle, Scene, blamed, edit};

/// The network that containers which must meet are put on.
const OWN: &str = "lab";

/// An option of the daemon that is off.
struct Switch {
    name: &'static str,
    weight: u32,
    code: Code,
    because: &'static str,
    turn_on: fn(&mut Engine),
    is_on: fn(&EngineOptions) -> bool,
}

const SWITCHES: [Switch; 3] = [
    Switch {
        name: "iptables",
        weight: 15,
        code: Code::DockerRulesOff,
        because: "docker writes no rules: nothing is forwarded to containers or translated for them",
        turn_on: |engine| engine.options.iptables = true,
        is_on: |options| options.iptables,
    },
    Switch {
        name: "icc",
        weight: 18,
        code: Code::DockerIsolation,
        because: "containers on the default bridge may not talk to each other",
        turn_on: |engine| {
            engine.options.icc = true;
            engine.networks.iter_mut().filter(|n| n.is_default_bridge).for_each(|n| n.icc = true);
        },
        is_on: |options| options.icc,
    },
    Switch {
        name: "userland-proxy",
        weight: 16,
        code: Code::DockerRulesOff,
        because: "no docker-proxy takes connections from containers of other networks to published ports",
        turn_on: |engine| engine.options.userland_proxy = true,
        is_on: |options| options.userland_proxy,
    },
];

pub(super) fn obstacles(scene: &Scene<'_>) -> Vec<Obstacle> {
    let mut all = Vec::new();
    for (id, host) in scene.hosts() {
        let Some(engine) = &host.engine else { continue };
        let place = Place { scene, id, host, engine };
        all.extend(place.own_network());
        all.extend(SWITCHES.iter().filter_map(|switch| place.switch(switch)));
        for (index, network) in engine.networks.iter().enumerate() {
            all.extend(place.internal(index, network));
            all.extend(place.subnet(index, network));
        }
        all.extend(place.desktop());
    }
    all
}

struct Place<'a> {
    scene: &'a Scene<'a>,
    id: HostId,
    host: &'a Host,
    engine: &'a Engine,
}

impl Place<'_> {
    fn change(&self, change: impl Fn(&mut Engine) + 'static) -> Box<dyn Fn(&mut Lab)> {
        let id = self.id;
        Box::new(move |lab| {
            lab.hosts.get_mut(id.0).and_then(|h| h.engine.as_mut()).into_iter().for_each(&change);
        })
    }

    fn switch(&self, switch: &Switch) -> Option<Obstacle> {
        let at = self.engine.options.stated.get(switch.name).filter(|_| !(switch.is_on)(&self.engine.options))?;
        let name = switch.name;
        let host = &self.host.name;
        let command = || format!("set `\"{name}\": true` in /etc/docker/daemon.json and restart docker");
        Some(Obstacle {
            weight: switch.weight,
            code: switch.code,
            blocker: text!(
                "`{name}` is off on `{host}`: {because}",
                "`{host}`에서 `{name}` 옵션이 꺼져 있습니다: {because}",
                because = switch.because
            ),
            shown: Origin::written(text!("`{name}` of the docker daemon", "docker 데몬의 `{name}`"), *at),
            edit: edit(
                text!("turn `{name}` on", "`{name}` 옵션 켜기"),
                self.scene.swapped(*at, "false", "true"),
                command,
            ),
            moves_target: false,
            clear: self.change(switch.turn_on),
        })
    }

    /// Both on the default bridge, where `icc` is off: a network of their own has no such rule.
    fn own_network(&self) -> Option<Obstacle> {
        let at = self.engine.options.stated.get("icc").filter(|_| !self.engine.options.icc)?;
        let ends = [Some(self.scene.subject), self.scene.target];
        let names: Vec<&str> = ends.into_iter().flatten().filter_map(|end| end.container.as_deref()).collect();
        let [subject, target] = names.as_slice() else { return None };
        let subnet = self.free_subnet()?;
        let network = own_network(subnet);
        let addresses: Vec<IpAddr> = subnet.hosts().skip(1).take(2).collect();
        let joined: Vec<(String, IpAddr)> =
            names.iter().zip(addresses).map(|(name, address)| ((*name).to_owned(), address)).collect();
        let text = format!(
            "docker network create {OWN}\ndocker network connect {OWN} {subject}\ndocker network connect {OWN} {target}"
        );
        Some(Obstacle {
            weight: 13,
            code: Code::DockerIsolation,
            blocker: text!(
                "`icc` is off on `{host}`: containers on the default bridge may not talk to each other",
                "`{host}`에서 `icc`가 꺼져 있습니다: 기본 브리지의 컨테이너끼리는 통신할 수 없습니다",
                host = &self.host.name
            ),
            shown: Origin::written(text!("`icc` of the docker daemon", "docker 데몬의 `icc`"), *at),
            edit: edit(
                text!(
                    "put `{subject}` and `{target}` on a network of their own",
                    "`{subject}` 컨테이너와 `{target}` 컨테이너를 사용자 정의 네트워크 하나에 둠"
                ),
                None,
                || text,
            ),
            moves_target: false,
            clear: self.change(move |engine| {
                let index = engine.networks.len();
                engine.networks.push(network.clone());
                for (name, address) in &joined {
                    let container = engine.containers.iter_mut().find(|c| c.name == *name);
                    if let Some(Networking::Bridges(endpoints)) = container.map(|c| &mut c.networking) {
                        endpoints.push(attached(index, *address, name));
                    }
                }
            }),
        })
    }

    fn internal(&self, index: usize, network: &ContainerNetwork) -> Option<Obstacle> {
        let on_it = |c: &&Container| matches!(&c.networking, Networking::Bridges(all) if all.iter().any(|e| e.network == index));
        if !network.internal || !self.engine.containers.iter().filter(on_it).any(|c| self.is_end(c)) {
            return None;
        }
        if self.engine.containers.iter().flat_map(|c| &c.withheld).any(|publish| self.is_taken(publish)) {
            return None;
        }
        let name = network.aliases.first().unwrap_or(&network.name);
        let place = network.origin.span().and_then(|span| {
            let compose = self.scene.swapped(span, "internal: true", "internal: false");
            compose.or_else(|| self.scene.swapped(span, "--internal ", ""))
        });
        let full = &network.name;
        Some(Obstacle {
            weight: 15,
            code: Code::DockerIsolation,
            blocker: text!(
                "network `{name}` is internal: it has no way out, and publishes no ports",
                "`{name}` 네트워크는 internal입니다: 밖으로 나가는 길이 없고, 포트를 게시하지 않습니다"
            ),
            shown: place.as_ref().map_or_else(
                || network.origin.clone(),
                |(at, _)| Origin::written(text!("network `{name}` is internal", "`{name}`: internal 네트워크"), *at),
            ),
            edit: edit(text!("let network `{name}` out", "`{name}` 네트워크를 밖으로 열기"), place, || {
                format!("make network `{full}` anew without `--internal`")
            }),
            moves_target: false,
            clear: self.change(move |engine| {
                engine.networks.get_mut(index).into_iter().for_each(|n| n.internal = false);
                for container in &mut engine.containers {
                    container.publishes.append(&mut container.withheld);
                }
            }),
        })
    }

    /// A container that publishes a port that is taken does not start.
    fn is_taken(&self, publish: &Publish) -> bool {
        let Some(port) = publish.host_port else { return false };
        let mut listens = self.host.processes.iter().flat_map(|process| &process.listens);
        let mut others = self.engine.containers.iter().flat_map(|container| &container.publishes);
        listens.any(|l| l.protocol == publish.protocol && l.ports.contains(port))
            || others.any(|p| p.protocol == publish.protocol && p.host_port == Some(port))
    }

    fn is_end(&self, container: &Container) -> bool {
        let ends = [Some(self.scene.subject), self.scene.target];
        ends.into_iter()
            .flatten()
            .any(|end| end.host == Some(self.id) && end.container.as_ref() == Some(&container.name))
    }

    /// A bridge with addresses that a segment of the lab has as well: answers go into the bridge.
    fn subnet(&self, index: usize, network: &ContainerNetwork) -> Option<Obstacle> {
        let segments = &self.scene.lab.segments;
        let other = segments.iter().find(|s| s.subnets.iter().any(|subnet| overlap(subnet, &network.subnet)))?;
        let new = self.free_subnet()?;
        let old = network.subnet;
        let name = network.aliases.first().unwrap_or(&network.name);
        let place = network.origin.span().and_then(|span| self.scene.swapped(span, &old.to_string(), &new.to_string()));
        Some(Obstacle {
            weight: 14,
            code: Code::SubnetOverlap,
            blocker: text!(
                "container network `{name}` has the addresses of `{other}`: {old}",
                "컨테이너 네트워크 `{name}`의 주소가 `{other}`의 주소와 겹칩니다: {old}",
                other = &other.name
            ),
            shown: place.as_ref().map_or_else(
                || network.origin.clone(),
                |(at, _)| Origin::written(text!("subnet of network `{name}`", "`{name}` 네트워크의 서브넷"), *at),
            ),
            edit: edit(
                text!("give network `{name}` another subnet: {new}", "`{name}` 네트워크에 다른 서브넷을 줌: {new}"),
                place,
                || format!("make network `{}` anew with `--subnet {new}`", network.name),
            ),
            moves_target: false,
            clear: self.change(move |engine| {
                let Some(network) = engine.networks.get_mut(index) else { return };
                network.subnet = new;
                network.gateway = moved(network.gateway, old, new);
                let containers = engine.containers.iter_mut().map(|c| &mut c.networking);
                for networking in containers {
                    let Networking::Bridges(endpoints) = networking else { continue };
                    for endpoint in endpoints.iter_mut().filter(|e| e.network == index) {
                        endpoint.address = moved(endpoint.address, old, new);
                    }
                }
            }),
        })
    }

    /// `--network host` in the machine of Docker Desktop.
    fn desktop(&self) -> Option<Obstacle> {
        self.engine.forwarded_to?;
        let target = self.engine.containers.iter().find(|c| self.is_end(c))?;
        let Networking::Host(origin) = &target.networking else { return None };
        let (index, network) = self.engine.networks.iter().enumerate().find(|(_, n)| n.is_default_bridge)?;
        let used = |address: &IpAddr| {
            let endpoints = self.engine.containers.iter().filter_map(|c| match &c.networking {
                Networking::Bridges(endpoints) => Some(endpoints),
                _ => None,
            });
            *address == network.gateway || endpoints.flatten().any(|e| e.address == *address)
        };
        let address = network.subnet.hosts().find(|a| !used(a))?;
        let name = target.name.clone();
        let at = target.origin.span().unwrap_or(origin.span()?);
        let place = self.scene.swapped(at, "--network host ", "").or_else(|| self.scene.swapped(at, "--net host ", ""));
        let place = place.or_else(|| self.scene.swapped(at, "--network=host ", ""));
        let place = place.or_else(|| self.scene.swapped(at, "network_mode: host", "network_mode: bridge"));
        Some(Obstacle {
            weight: 8,
            code: Code::DockerNotPublished,
            blocker: text!(
                "`{name}` is in the network of Docker Desktop's machine, not in that of its host",
                "`{name}` 컨테이너는 호스트가 아니라 Docker Desktop 가상 머신의 네트워크에 있습니다"
            ),
            shown: blamed("network mode `host`", origin),
            edit: edit(
                text!("run `{name}` in a network of its own", "`{name}` 컨테이너를 자기 네트워크에서 실행"),
                place,
                || format!("run `{name}` without `--network host`"),
            ),
            moves_target: true,
            clear: self.change(move |engine| {
                for container in engine.containers.iter_mut().filter(|c| c.name == name) {
                    container.networking = Networking::Bridges(vec![attached(index, address, &name)]);
                }
            }),
        })
    }

    /// A subnet of docker's own pools that nobody in the lab has.
    fn free_subnet(&self) -> Option<IpNet> {
        let lab = self.scene.lab;
        let segments = lab.segments.iter().flat_map(|s| &s.subnets);
        let networks = lab.hosts.iter().filter_map(|h| h.engine.as_ref()).flat_map(|e| &e.networks).map(|n| &n.subnet);
        let taken: Vec<&IpNet> = segments.chain(networks).collect();
        (18..32)
            .filter_map(|second| Ipv4Net::new(Ipv4Addr::new(172, second, 0, 0), 16).ok().map(IpNet::V4))
            .find(|net| !taken.iter().any(|other| overlap(net, other)))
    }
}

fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

fn attached(network: usize, address: IpAddr, name: &str) -> Attached {
    let origin = Origin::assumed(text!("`{name}` on this network", "이 네트워크의 `{name}`"), None);
    Attached { network, address, names: vec![name.to_owned()], guard: None, origin }
}

fn own_network(subnet: IpNet) -> ContainerNetwork {
    ContainerNetwork {
        name: OWN.to_owned(),
        aliases: Vec::new(),
        bridge: format!("br-{OWN}"),
        parent: None,
        subnet,
        gateway: subnet.hosts().next().unwrap_or(subnet.addr()),
        internal: false,
        icc: true,
        masquerade: true,
        gateway_mode: GatewayMode::Nat,
        publish_address: None,
        is_default_bridge: false,
        origin: Origin::assumed(text!("network `{OWN}`", "`{OWN}` 네트워크"), None),
    }
}

/// The address with the same number in another subnet.
fn moved(address: IpAddr, old: IpNet, new: IpNet) -> IpAddr {
    match (address, old.network(), new.network()) {
        (IpAddr::V4(address), IpAddr::V4(old), IpAddr::V4(new)) => {
            let number = u32::from(address).saturating_sub(u32::from(old));
            IpAddr::V4(Ipv4Addr::from(u32::from(new).saturating_add(number)))
        }
        _ => address,
    }
}
