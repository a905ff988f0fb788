//! Candidate edits: what could be written into the files so that a target becomes reachable.
//!
//! Each is a guarded element of a copy of the lab; the solver picks the cheapest set. Weights prefer the least
//! exposure: loopback before all addresses. The same edits, read the other way, are the blockers.

mod forward;
mod port_proxy;

use std::net::{IpAddr, Ipv4Addr};

use crate::diagnostic::Code;
use crate::lab::declaration::Insertion;
use crate::lab::firewall::{Entry, Firewalld, Zone};
use crate::lab::{
    Container, ContainerNetwork, Endpoint as Attached, Engine, Host, HostId, Lab, Listen, Networking, Process, Publish,
};
use crate::language::{Text, text};
use crate::net::{PortRange, Protocol};
use crate::provenance::Origin;
use crate::source::{Sources, Span};
use crate::switch::{Switch, SwitchId, SwitchKind};

use super::aim::Aim;
use super::place::Endpoint;
use super::verdict::Edit;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// One candidate: a switch, its price, what it writes, and what its absence means.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) switch: SwitchId,
    pub(super) weight: u32,
    pub(super) edit: Edit,
    pub(super) code: Code,
    pub(super) blocker: Text,
    pub(super) origin: Origin,
    /// What a person is shown: the place of the edit, or what a command would change.
    pub(super) shown: Origin,
}

/// A copy of the lab in which every candidate stands behind its switch.
pub(super) fn candidates(lab: &Lab, sources: &Sources, subject: &Endpoint, aim: &Aim) -> (Lab, Vec<Candidate>) {
    let mut draft = Draft { lab: lab.clone(), sources, candidates: Vec::new(), protocol: aim.protocol };
    if let (Some(target), Some(port)) = (&aim.endpoint, aim.port)
        && let Some(host) = target.host
    {
        draft.listen(target, host, port);
        let mut front_ports = vec![port];
        if let Some(name) = &target.container {
            front_ports = draft.publish(target, host, name, port);
            draft.attach(subject, target, host, name);
        }
        draft.zone_ports(host, port, &front_ports);
        draft.nat_forwards(host, &front_ports);
        draft.port_proxies(host, &front_ports);
    }
    (draft.lab, draft.candidates)
}

struct Draft<'a> {
    lab: Lab,
    sources: &'a Sources,
    candidates: Vec<Candidate>,
    protocol: Protocol,
}

/// Wording and place of a candidate.
struct Wording {
    weight: u32,
    code: Code,
    blocker: Text,
    what: Text,
    at: Option<Span>,
    text: String,
}

impl Draft<'_> {
    fn add(&mut self, wording: Wording, near: &Origin) -> SwitchId {
        self.add_blaming(wording, near, None)
    }

    /// The line to blame may be another one than that which an edit changes.
    fn add_blaming(&mut self, wording: Wording, near: &Origin, blamed: Option<Origin>) -> SwitchId {
        let origin = match wording.at {
            Some(at) => Origin::missing(wording.what.clone(), at, wording.text.clone()),
            None => Origin::assumed(wording.what.clone(), near.span()),
        };
        let changed = || if wording.at.is_some() { origin.clone() } else { near.clone() };
        let shown = blamed.unwrap_or_else(changed);
        let switch = self.lab.switches.add(Switch {
            statement: wording.what.clone(),
            default: false,
            kind: SwitchKind::Edit,
            origin: origin.clone(),
        });
        self.candidates.push(Candidate {
            switch,
            weight: wording.weight,
            edit: Edit { what: wording.what, at: wording.at, text: wording.text },
            code: wording.code,
            blocker: wording.blocker,
            origin,
            shown,
        });
        switch
    }

    fn container(&self, host: HostId, name: &str) -> Option<&Container> {
        self.lab.host(host).engine.as_ref()?.containers.iter().find(|c| c.name == name)
    }

    fn container_mut(&mut self, host: HostId, name: &str) -> Option<&mut Container> {
        let host = self.lab.hosts.get_mut(host.0)?;
        host.engine.as_mut()?.containers.iter_mut().find(|c| c.name == name)
    }

    /// Publishing the port; returns the host ports that then lead to it.
    fn publish(&mut self, target: &Endpoint, host: HostId, name: &str, port: u16) -> Vec<u16> {
        let Some(container) = self.container(host, name).cloned() else { return Vec::new() };
        if !matches!(container.networking, Networking::Bridges(_)) {
            return vec![port];
        }
        let called = &target.label;
        let same = |p: &&Publish| p.container_port == port && p.protocol == self.protocol;
        let published: Vec<Publish> = container.publishes.iter().filter(same).cloned().collect();
        let mut host_ports: Vec<u16> = published.iter().filter_map(|p| p.host_port).collect();
        if let Some(chance) = published.iter().find(|p| p.host_port.is_none()) {
            host_ports.extend(self.settle(target, host, name, chance));
            return host_ports;
        }
        let everywhere = published.iter().any(|p| p.host_address.is_none_or(|a| a.is_unspecified()));
        if everywhere {
            return host_ports;
        }
        if let Some(bound) = published.first() {
            self.widen(target, host, name, bound);
            return host_ports;
        }
        let wrong = self.misdirected(&container);
        let host_port = wrong.as_ref().and_then(|p| p.host_port).unwrap_or_else(|| self.free_port(host, port));
        if wrong.is_some() {
            self.forget_misdirected(host, name);
        }
        for (address, weight) in [(Some(LOOPBACK), 10), (None, 14)] {
            let value = self.publish_value(address, host_port, port);
            let (at, text, code, blocker) = match &wrong {
                Some(publish) => (
                    publish.origin.span(),
                    value.clone(),
                    Code::DockerWrongPort,
                    text!(
                        "`{called}` publishes container port {inside}, where nothing listens",
                        "`{called}`에서 게시한 컨테이너 포트 {inside}번에는 대기하는 프로그램이 없습니다",
                        inside = publish.container_port
                    ),
                ),
                None => (
                    container.publish_at.as_ref().map(|i| i.at),
                    container.publish_at.as_ref().map_or_else(|| format!("-p {value}"), |i| i.text(&value)),
                    Code::DockerNotPublished,
                    text!(
                        "`{called}` publishes no port for {port}/{protocol}",
                        "`{called}`에서 {port}/{protocol} 포트를 게시하지 않았습니다",
                        protocol = self.protocol
                    ),
                ),
            };
            let what = text!(
                "publish port {port} of `{called}` as {value}",
                "`{called}`의 {port}번 포트를 {value} 형태로 게시"
            );
            let switch = self.add(Wording { weight, code, blocker, what, at, text }, &container.origin);
            self.push_publish(host, name, address, host_port, port, switch);
        }
        host_ports.push(host_port);
        host_ports
    }

    /// A port that is published on one address only: publish it on all.
    fn widen(&mut self, target: &Endpoint, host: HostId, name: &str, bound: &Publish) {
        let called = &target.label;
        let Some(host_port) = bound.host_port else { return };
        let address = bound.host_address.unwrap_or(LOOPBACK);
        let switch = self.add(
            Wording {
                weight: 14,
                code: Code::DockerPublishedLoopback,
                blocker: text!(
                    "port {host_port} of `{called}` is published on {address} only",
                    "`{called}`의 {host_port}번 포트는 {address} 주소에만 게시되어 있습니다"
                ),
                what: text!(
                    "publish port {inside} of `{called}` on all addresses",
                    "`{called}`의 {inside}번 포트를 모든 주소에 게시",
                    inside = bound.container_port
                ),
                at: bound.origin.span(),
                text: self.publish_value(None, host_port, bound.container_port),
            },
            &bound.origin,
        );
        self.push_publish(host, name, None, host_port, bound.container_port, switch);
    }

    /// A port that is published on a port of the host that docker chooses: choose one.
    fn settle(&mut self, target: &Endpoint, host: HostId, name: &str, chance: &Publish) -> Option<u16> {
        let called = &target.label;
        let port = chance.container_port;
        let host_port = self.free_port(host, port);
        // What `-P` publishes is written nowhere.
        let at = chance.origin.span().filter(|span| self.sources.text(*span).contains(&port.to_string()));
        let value = self.publish_value(chance.host_address, host_port, port);
        let switch = self.add(
            Wording {
                weight: 10,
                code: Code::DockerNotPublished,
                blocker: text!(
                    "port {port} of `{called}` is published on whatever port of the host is free",
                    "`{called}`의 {port}번 포트는 호스트의 아무 빈 포트에나 게시됩니다"
                ),
                what: text!(
                    "publish port {port} of `{called}` as {value}",
                    "`{called}`의 {port}번 포트를 {value} 형태로 게시"
                ),
                at,
                text: value,
            },
            &chance.origin,
        );
        self.push_publish(host, name, chance.host_address, host_port, port, switch);
        Some(host_port)
    }

    /// As `-p` and `ports:` write it.
    fn publish_value(&self, address: Option<IpAddr>, host_port: u16, port: u16) -> String {
        let address = address.map(|a| format!("{a}:")).unwrap_or_default();
        let protocol = if self.protocol == Protocol::Tcp { String::new() } else { format!("/{}", self.protocol) };
        format!("{address}{host_port}:{port}{protocol}")
    }

    /// The edit replaces the line that leads nowhere, whose translation would stand in front of the new one.
    fn forget_misdirected(&mut self, host: HostId, name: &str) {
        let Some(wrong) = self.container(host, name).and_then(|c| self.misdirected(c)) else { return };
        if let Some(container) = self.container_mut(host, name) {
            container.publishes.retain(|p| (p.host_port, p.container_port) != (wrong.host_port, wrong.container_port));
        }
    }

    /// A published port that leads where nothing listens.
    fn misdirected(&self, container: &Container) -> Option<Publish> {
        let listens = |port: u16| {
            container
                .processes
                .iter()
                .flat_map(|p| &p.listens)
                .any(|l| l.ports.contains(port) && l.protocol == self.protocol)
        };
        container.publishes.iter().find(|p| p.protocol == self.protocol && !listens(p.container_port)).cloned()
    }

    fn free_port(&self, host: HostId, wanted: u16) -> u16 {
        let containers = self.lab.host(host).engine.iter().flat_map(|e| &e.containers);
        let publishes = containers.flat_map(|c| &c.publishes).filter(|p| p.protocol == self.protocol);
        let taken: Vec<u16> = publishes.filter_map(|p| p.host_port).collect();
        (wanted..=u16::MAX).find(|p| !taken.contains(p)).unwrap_or(wanted)
    }

    fn push_publish(
        &mut self,
        host: HostId,
        name: &str,
        host_address: Option<IpAddr>,
        host_port: u16,
        container_port: u16,
        switch: SwitchId,
    ) {
        let origin = self.lab.switches.get(switch).origin.clone();
        let protocol = self.protocol;
        if let Some(container) = self.container_mut(host, name) {
            container.publishes.push(Publish {
                host_address,
                host_port: Some(host_port),
                container_port,
                protocol,
                guard: Some(switch),
                origin,
            });
        }
    }

    /// Somebody listens on loopback only, or nobody listens at all.
    fn listen(&mut self, target: &Endpoint, host: HostId, port: u16) {
        let protocol = self.protocol;
        let processes: Vec<Process> = match &target.container {
            Some(name) => self.container(host, name).map(|c| c.processes.clone()).unwrap_or_default(),
            None => self.lab.host(host).processes.clone(),
        };
        let listens: Vec<&Listen> =
            processes.iter().flat_map(|p| &p.listens).filter(|l| l.protocol == protocol).collect();
        let here: Vec<&&Listen> = listens.iter().filter(|l| l.ports.contains(port)).collect();
        if here.iter().any(|l| l.address.is_none()) {
            return;
        }
        let label = &target.label;
        let bound_at = here.first().map(|bound| bound.origin.clone());
        let wording = if let Some(bound) = here.first() {
            let address = bound.address.unwrap_or(LOOPBACK);
            Wording {
                weight: 8,
                code: Code::ListenLoopback,
                blocker: text!(
                    "`{label}` listens on {address}:{port} only",
                    "`{label}` 쪽은 {address}:{port}에서만 대기합니다"
                ),
                what: text!("make `{label}` listen on all addresses", "`{label}` 쪽이 모든 주소에서 대기하게 함"),
                at: bound.widened.as_ref().map(|w| w.span),
                text: bound.widened.as_ref().map_or_else(String::new, |w| w.value.clone()),
            }
        } else {
            let others: Vec<String> = listens.iter().map(|l| l.ports.to_string()).collect();
            let elsewhere = match others.is_empty() {
                true => Text::default(),
                false => text!(" (it listens on {all})", " (대기하는 포트: {all})", all = others.join(", ")),
            };
            Wording {
                weight: 40,
                code: Code::ListenNothing,
                blocker: text!(
                    "nothing listens on port {port} in `{label}`{elsewhere}",
                    "`{label}`의 {port}번 포트에서 대기하는 프로그램이 없습니다{elsewhere}";
                    elsewhere
                ),
                what: text!(
                    "start a program in `{label}` that listens on port {port}",
                    "`{label}`에서 {port}번 포트를 여는 프로그램을 시작"
                ),
                at: None,
                text: String::new(),
            }
        };
        let near = match &target.container {
            Some(name) => self.container(host, name).map(|c| c.origin.clone()),
            None => None,
        };
        let near = bound_at.or(near).unwrap_or_else(|| self.lab.host(host).origin.clone());
        let switch = self.add(wording, &near);
        self.push_listen(target, host, port, switch);
    }

    fn push_listen(&mut self, target: &Endpoint, host: HostId, port: u16, switch: SwitchId) {
        let origin = self.lab.switches.get(switch).origin.clone();
        let listen = Listen {
            protocol: self.protocol,
            address: None,
            ports: PortRange::single(port),
            guard: Some(switch),
            widened: None,
            origin: origin.clone(),
        };
        let process = Process { name: String::new(), listens: vec![listen], origin };
        match &target.container {
            Some(name) => {
                if let Some(container) = self.container_mut(host, name) {
                    container.processes.push(process);
                }
            }
            None => {
                if let Some(host) = self.lab.hosts.get_mut(host.0) {
                    host.processes.push(process);
                }
            }
        }
    }

    /// Opening a port in the zones of the target's host.
    fn zone_ports(&mut self, host: HostId, port: u16, front_ports: &[u16]) {
        let Some(firewalld) = self.lab.host(host).firewalld.clone() else { return };
        let host_name = self.lab.host(host).name.clone();
        let mut ports = vec![port];
        ports.extend(front_ports.iter().filter(|p| **p != port));
        for (name, zone) in &firewalld.zones {
            let in_use = *name == firewalld.default_zone || !zone.interfaces.is_empty() || !zone.sources.is_empty();
            for port in ports.iter().filter(|_| in_use) {
                let (wording, near) = match self.stored(&firewalld, name, *port) {
                    Some(line) => (self.reload(&host_name, name, *port), line),
                    None => {
                        let source = zone.sources.first().map(|s| &s.origin);
                        let stated = source.into_iter().chain([&zone.origin]).find(|o| o.span().is_some());
                        let near = stated.unwrap_or(&firewalld.origin);
                        (self.open_port(&host_name, name, zone, *port), near.clone())
                    }
                };
                let switch = self.add(wording, &near);
                let entry = Entry {
                    value: (self.protocol, PortRange::single(*port)),
                    guard: Some(switch),
                    origin: self.lab.switches.get(switch).origin.clone(),
                };
                let slot = self.lab.hosts.get_mut(host.0).and_then(|h| h.firewalld.as_mut());
                if let Some(zone) = slot.and_then(|f| f.zones.get_mut(name)) {
                    zone.content.ports.push(entry);
                }
            }
        }
    }

    /// The line that opens the port in the stored configuration only.
    fn stored(&self, firewalld: &Firewalld, zone: &str, port: u16) -> Option<Origin> {
        let opens = |entry: &&Entry<(Protocol, PortRange)>| {
            entry.value.0 == self.protocol && entry.value.1.contains(port) && entry.guard.is_none()
        };
        let line = firewalld.stored_zones.get(zone)?.content.ports.iter().find(opens)?;
        let in_force = firewalld.zones.get(zone).is_some_and(|z| z.content.ports.iter().any(|e| opens(&e)));
        (!in_force).then(|| line.origin.clone())
    }

    fn reload(&self, host: &str, zone: &str, port: u16) -> Wording {
        Wording {
            weight: 6,
            code: Code::FirewalldNotReloaded,
            blocker: text!(
                "firewalld on `{host}`: opening {port}/{protocol} in zone `{zone}` was stored, but is not in force",
                "`{host}`의 firewalld: `{zone}` 영역에서 {port}/{protocol} 포트를 여는 설정이 저장만 되고 적용되지 않았습니다",
                protocol = self.protocol
            ),
            what: text!("reload firewalld on `{host}`", "`{host}`의 firewalld 다시 읽기(reload)"),
            at: None,
            text: "firewall-cmd --reload".to_owned(),
        }
    }

    fn open_port(&self, host: &str, name: &str, zone: &Zone, port: u16) -> Wording {
        let value = format!("port=\"{port}\" protocol=\"{}\"", self.protocol);
        let command = format!(
            "firewall-cmd --permanent --zone={name} --add-port={port}/{} && firewall-cmd --reload",
            self.protocol
        );
        Wording {
            weight: 12,
            code: Code::FirewallFiltered,
            blocker: text!(
                "firewalld on `{host}`: zone `{name}` does not open {port}/{protocol}{opened}",
                "`{host}`의 firewalld: `{name}` 영역(zone)에 {port}/{protocol} 포트가 열려 있지 않습니다{opened}",
                protocol = self.protocol,
                opened = opened(zone);
                opened
            ),
            what: text!(
                "open {port}/{protocol} in zone `{name}` on `{host}`",
                "`{host}`의 `{name}` 영역에 {port}/{protocol} 포트 열기",
                protocol = self.protocol
            ),
            at: zone.port_at.as_ref().map(|i| i.at),
            text: zone.port_at.as_ref().map_or(command, |i| i.text(&value)),
        }
    }

    /// Attaching the subject to a network of the target.
    fn attach(&mut self, subject: &Endpoint, object: &Endpoint, host: HostId, target: &str) {
        let Some(subject_name) = subject.container.clone().filter(|_| subject.host == Some(host)) else { return };
        let networks = |container: Option<&Container>| match container.map(|c| &c.networking) {
            Some(Networking::Bridges(endpoints)) => endpoints.iter().map(|e| e.network).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        let theirs = networks(self.container(host, target));
        let ours = networks(self.container(host, &subject_name));
        let Some(engine) = self.lab.host(host).engine.clone() else { return };
        if ours.is_empty() || theirs.iter().any(|n| ours.contains(n)) {
            return;
        }
        let Some((index, network)) =
            theirs.iter().find_map(|i| engine.networks.get(*i).map(|n| (*i, n))).filter(|(_, n)| !n.is_default_bridge)
        else {
            return;
        };
        let Some(address) = free_address(&engine, index) else { return };
        let Some(container) = self.container(host, &subject_name) else { return };
        let own: Vec<&ContainerNetwork> = ours.iter().filter_map(|i| engine.networks.get(*i)).collect();
        let insertion = container.network_at.clone().filter(|i| may_be_written(i, &engine, network, &own));
        let alias = network.aliases.first().filter(|_| insertion.is_some());
        let called = alias.unwrap_or(&network.name).clone();
        let near = container.origin.clone();
        let switch = self.add(
            Wording {
                weight: 12,
                code: Code::DockerIsolation,
                blocker: text!(
                    "`{from}` and `{to}` share no network",
                    "`{from}`, `{to}`: 함께 속한 네트워크가 없습니다",
                    from = &subject.label,
                    to = &object.label
                ),
                what: text!(
                    "attach `{from}` to network `{called}`",
                    "`{from}` 컨테이너를 `{called}` 네트워크에 연결",
                    from = &subject.label
                ),
                at: insertion.as_ref().map(|i| i.at),
                text: insertion
                    .map_or_else(|| format!("docker network connect {called} {subject_name}"), |i| i.text(&called)),
            },
            &near,
        );
        let origin = self.lab.switches.get(switch).origin.clone();
        let endpoint = Attached { network: index, address, names: Vec::new(), guard: Some(switch), origin };
        if let Some(Networking::Bridges(endpoints)) = self.container_mut(host, &subject_name).map(|c| &mut c.networking)
        {
            endpoints.push(endpoint);
        }
    }
}

/// Makes what is written at `span`, a published port or a NAT forward, listen on loopback only.
pub(super) fn narrow(lab: &mut Lab, span: Span) -> Option<Edit> {
    lab.hosts.iter_mut().find_map(|host| forward::narrow(host, span).or_else(|| narrow_publish(host, span)))
}

fn narrow_publish(host: &mut Host, span: Span) -> Option<Edit> {
    let containers = host.engine.iter_mut().flat_map(|e| &mut e.containers);
    let publish = containers
        .flat_map(|c| &mut c.publishes)
        .find(|p| p.origin.span() == Some(span) && is_wide(p.host_address) && p.host_port.is_some())?;
    publish.host_address = Some(LOOPBACK);
    let protocol = if publish.protocol == Protocol::Tcp { String::new() } else { format!("/{}", publish.protocol) };
    let text = format!("127.0.0.1:{}:{}{protocol}", publish.host_port?, publish.container_port);
    let what = text!("publish on loopback only: {text}", "루프백에만 게시: {text}");
    Some(Edit { what, at: Some(span), text })
}

fn is_wide(address: Option<IpAddr>) -> bool {
    address.is_none_or(|a| !a.is_loopback())
}

/// What a zone lets in: ` (it opens ssh, 80/tcp)`.
fn opened(zone: &Zone) -> Text {
    let services = zone.content.services.iter().map(|s| s.value.name.clone());
    let ports = zone.content.ports.iter().filter(|p| p.guard.is_none());
    let ports = ports.map(|p| format!("{}/{}", p.value.1, p.value.0));
    let all: Vec<String> = services.chain(ports).collect();
    match all.is_empty() {
        true => Text::default(),
        false => text!(" (it opens {all})", " (열려 있는 것: {all})", all = all.join(", ")),
    }
}

/// Whether another network of a container can be written where its networks are. docker takes `--network` more than once
/// from release 25 on (docker CLI, cli/command/container/opts.go), and a file of compose knows its own networks.
fn may_be_written(place: &Insertion, engine: &Engine, network: &ContainerNetwork, own: &[&ContainerNetwork]) -> bool {
    if place.before.contains("--network") {
        return 25 <= engine.version.major || own.iter().all(|n| n.is_default_bridge);
    }
    own.iter().any(|other| project(other) == project(network)) && project(network).is_some()
}

/// The project of a network that compose makes: what stands before its key.
fn project(network: &ContainerNetwork) -> Option<&str> {
    network.name.strip_suffix(network.aliases.first()?.as_str())?.strip_suffix('_')
}

fn free_address(engine: &Engine, network: usize) -> Option<IpAddr> {
    let subnet = engine.networks.get(network)?;
    let taken = |address: &IpAddr| {
        *address == subnet.gateway
            || engine.containers.iter().any(|c| match &c.networking {
                Networking::Bridges(endpoints) => {
                    endpoints.iter().any(|e| e.network == network && e.address == *address)
                }
                _ => false,
            })
    };
    subnet.subnet.hosts().find(|a| !taken(a))
}
