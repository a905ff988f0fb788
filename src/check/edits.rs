//! Candidate edits: what could be written into the files so that a target becomes reachable.
//!
//! Each is a guarded element of a copy of the lab; the solver picks the cheapest set. Weights prefer the least
//! exposure: loopback before all addresses. The same edits, read the other way, are the blockers.

use std::net::{IpAddr, Ipv4Addr};

use crate::diagnostic::Code;
use crate::lab::declaration::Insertion;
use crate::lab::firewall::{Entry, Firewalld, Zone};
use crate::lab::machine::ForwardNotation;
use crate::lab::{
    Attachment, Container, Endpoint as Attached, Engine, Forward, HostId, HostKind, Lab, Listen, Networking, Process,
    Publish, VmNat,
};
use crate::language::{Text, text};
use crate::net::{PortRange, Protocol};
use crate::provenance::Origin;
use crate::source::Span;
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
pub(super) fn candidates(lab: &Lab, subject: &Endpoint, aim: &Aim) -> (Lab, Vec<Candidate>) {
    let mut draft = Draft { lab: lab.clone(), candidates: Vec::new(), protocol: aim.protocol };
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
    }
    (draft.lab, draft.candidates)
}

struct Draft {
    lab: Lab,
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

impl Draft {
    fn add(&mut self, wording: Wording, near: &Origin) -> SwitchId {
        let origin = match wording.at {
            Some(at) => Origin::missing(wording.what.clone(), at, wording.text.clone()),
            None => Origin::assumed(wording.what.clone(), near.span()),
        };
        let shown = if wording.at.is_some() { origin.clone() } else { near.clone() };
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
        let (called, protocol) = (&target.label, self.protocol);
        let same = |p: &&Publish| p.container_port == port && p.protocol == self.protocol;
        let published: Vec<Publish> = container.publishes.iter().filter(same).cloned().collect();
        let mut host_ports: Vec<u16> = published.iter().filter_map(|p| p.host_port).collect();
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
            let value = match address {
                Some(address) => format!("{address}:{host_port}:{port}"),
                None => format!("{host_port}:{port}"),
            };
            let (at, text, code, blocker) = match &wrong {
                Some(publish) => (
                    publish.origin.span(),
                    value.clone(),
                    Code::DockerWrongPort,
                    misdirected_text(called, publish.container_port),
                ),
                None => (
                    container.publish_at.as_ref().map(|i| i.at),
                    container.publish_at.as_ref().map_or_else(|| format!("-p {value}"), |i| i.text(&value)),
                    Code::DockerNotPublished,
                    text!(
                        "`{called}` publishes no port for {port}/{protocol}",
                        "`{called}`에서 {port}/{protocol} 포트를 게시하지 않았습니다"
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
        let (address, inside) = (bound.host_address.unwrap_or(LOOPBACK), bound.container_port);
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
                    "`{called}`의 {inside}번 포트를 모든 주소에 게시"
                ),
                at: bound.origin.span(),
                text: format!("{host_port}:{}", bound.container_port),
            },
            &bound.origin,
        );
        self.push_publish(host, name, None, host_port, bound.container_port, switch);
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
        let taken: Vec<u16> = containers.flat_map(|c| c.publishes.iter().filter_map(|p| p.host_port)).collect();
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
            let others = others.join(", ");
            let elsewhere = match others.is_empty() {
                true => Text::default(),
                false => text!(" (it listens on {others})", " (대기하는 포트: {others})"),
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
                        let near = if zone.origin.span().is_some() { &zone.origin } else { &firewalld.origin };
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
        let protocol = self.protocol;
        Wording {
            weight: 6,
            code: Code::FirewalldNotReloaded,
            blocker: text!(
                "firewalld on `{host}`: opening {port}/{protocol} in zone `{zone}` was stored, but is not in force",
                "`{host}`의 firewalld: `{zone}` 영역에서 {port}/{protocol} 포트를 여는 설정이 저장만 되고 적용되지 않았습니다"
            ),
            what: text!("reload firewalld on `{host}`", "`{host}`의 firewalld 다시 읽기(reload)"),
            at: None,
            text: "firewall-cmd --reload".to_owned(),
        }
    }

    fn open_port(&self, host: &str, name: &str, zone: &Zone, port: u16) -> Wording {
        let (protocol, opened) = (self.protocol, opened(zone));
        let value = format!("port=\"{port}\" protocol=\"{protocol}\"");
        let command =
            format!("firewall-cmd --permanent --zone={name} --add-port={port}/{protocol} && firewall-cmd --reload");
        Wording {
            weight: 12,
            code: Code::FirewallFiltered,
            blocker: text!(
                "firewalld on `{host}`: zone `{name}` does not open {port}/{protocol}{opened}",
                "`{host}`의 firewalld: `{name}` 영역(zone)에 {port}/{protocol} 포트가 열려 있지 않습니다{opened}";
                opened
            ),
            what: text!(
                "open {port}/{protocol} in zone `{name}` on `{host}`",
                "`{host}`의 `{name}` 영역에 {port}/{protocol} 포트 열기"
            ),
            at: zone.port_at.as_ref().map(|i| i.at),
            text: zone.port_at.as_ref().map_or(command, |i| i.text(&value)),
        }
    }

    /// Forwarding a port of the machine that runs the VM, and of the machine that runs that, if it is nested.
    fn nat_forwards(&mut self, host: HostId, guest_ports: &[u16]) {
        let HostKind::Vm { on } = self.lab.host(host).kind else { return };
        // Where publishing a port makes the forward, nobody writes one.
        if self.lab.host(host).engine.as_ref().is_some_and(|engine| engine.forwarded_to.is_some()) {
            return;
        }
        let vm = self.lab.host(host).clone();
        for (index, adapter) in vm.interfaces.iter().enumerate() {
            let Attachment::Nat(nat) = &adapter.attachment else { continue };
            for guest_port in guest_ports {
                let same = |f: &&Forward| f.guest_port == *guest_port && f.protocol == self.protocol;
                let present = nat.forwards.iter().find(same);
                if present.is_some_and(|f| f.host_address.is_none_or(|a| a.is_unspecified())) {
                    continue;
                }
                // The port that a person dials is there, but leads to another port of the guest.
                let leads_elsewhere = |f: &&Forward| {
                    f.host_port == *guest_port && f.protocol == self.protocol && !guest_ports.contains(&f.guest_port)
                };
                let present = present.or_else(|| nat.forwards.iter().find(leads_elsewhere));
                let host_port = present.map_or_else(|| free_forward_port(&nat.forwards, *guest_port), |f| f.host_port);
                let variants = match present {
                    Some(f) if f.guest_port != *guest_port && f.host_address.is_none() => vec![(None, 10)],
                    Some(f) if f.guest_port != *guest_port => vec![(f.host_address, 10), (None, 16)],
                    Some(_) => vec![(None, 16)],
                    None => vec![(Some(LOOPBACK), 10), (None, 16)],
                };
                if let Some(misdirected) = present.filter(|f| f.guest_port != *guest_port) {
                    self.forget_forward(host, index, misdirected);
                }
                for (address, weight) in &variants {
                    let wording = self.forward_wording(
                        &vm.name,
                        index,
                        nat,
                        present,
                        (*address, host_port, *guest_port),
                        *weight,
                    );
                    let switch = self.add(wording, &nat.origin);
                    let forward = Forward {
                        name: String::new(),
                        protocol: self.protocol,
                        host_address: *address,
                        host_port,
                        guest_address: None,
                        guest_port: *guest_port,
                        guard: Some(switch),
                        origin: self.lab.switches.get(switch).origin.clone(),
                    };
                    self.push_forward(host, index, forward);
                }
            }
        }
        self.nat_forwards(on, guest_ports);
    }

    fn forward_wording(
        &self,
        vm: &str,
        index: usize,
        nat: &VmNat,
        present: Option<&Forward>,
        (address, host_port, guest_port): (Option<IpAddr>, u16, u16),
        weight: u32,
    ) -> Wording {
        let shown = address.map_or_else(|| text!("all addresses", "모든 주소"), |a| text!("{a}", "{a} 주소"));
        let value = |notation| forward_value(self.protocol, notation, address, host_port, guest_port);
        let (insertion, slot) = (nat.forward_at.as_ref(), index + 1);
        let blocker = forward_missing(vm, slot, present, (host_port, guest_port));
        let command = format!(
            "VBoxManage modifyvm {vm} --nat-pf{slot} \"port-{host_port},{},{},{host_port},,{guest_port}\"",
            self.protocol,
            address.map(|a| a.to_string()).unwrap_or_default()
        );
        // A forward that is there gives way to the new one: two cannot have the same port.
        let replaced = present.and_then(|f| f.origin.span());
        let written = |(insertion, notation): &(Insertion, ForwardNotation)| match (replaced, notation) {
            (None, _) => insertion.text(&value(*notation)),
            (Some(_), ForwardNotation::VboxXml) => format!("<Forwarding {}/>", value(*notation)),
            (Some(_), ForwardNotation::LabYaml) => value(*notation),
        };
        Wording {
            weight,
            code: if present.is_some_and(|f| f.guest_port != guest_port) {
                Code::NatForwardWrongPort
            } else {
                Code::NatNoInbound
            },
            blocker,
            what: text!(
                "forward port {host_port} on {shown} to port {guest_port} of `{vm}`",
                "{shown}의 {host_port}번 포트를 `{vm}`의 {guest_port}번 포트로 포워딩";
                shown
            ),
            at: replaced.or(insertion.map(|(i, _)| i.at)),
            text: insertion.map_or(command, written),
        }
    }

    fn forget_forward(&mut self, host: HostId, adapter: usize, forward: &Forward) {
        let slot = self.lab.hosts.get_mut(host.0).and_then(|h| h.interfaces.get_mut(adapter));
        if let Some(Attachment::Nat(nat)) = slot.map(|i| &mut i.attachment) {
            let is_it = |f: &Forward| {
                (f.host_port, f.guest_port, f.protocol) == (forward.host_port, forward.guest_port, forward.protocol)
            };
            nat.forwards.retain(|f| !is_it(f));
        }
    }

    fn push_forward(&mut self, host: HostId, adapter: usize, forward: Forward) {
        let slot = self.lab.hosts.get_mut(host.0).and_then(|h| h.interfaces.get_mut(adapter));
        if let Some(Attachment::Nat(nat)) = slot.map(|i| &mut i.attachment) {
            nat.forwards.push(forward);
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
        let insertion = self.container(host, &subject_name).and_then(|c| c.network_at.clone());
        let called = network.aliases.first().unwrap_or(&network.name).clone();
        let near = network.origin.clone();
        let (from, to) = (&subject.label, &object.label);
        let switch = self.add(
            Wording {
                weight: 12,
                code: Code::DockerIsolation,
                blocker: text!(
                    "`{from}` and `{to}` share no network",
                    "`{from}`, `{to}`: 함께 속한 네트워크가 없습니다"
                ),
                what: text!("attach `{from}` to network `{called}`", "`{from}` 컨테이너를 `{called}` 네트워크에 연결"),
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

/// What is wrong with the forward that there is, or that there is none.
fn forward_missing(vm: &str, slot: usize, present: Option<&Forward>, (host_port, guest_port): (u16, u16)) -> Text {
    match present {
        Some(f) if f.guest_port != guest_port => {
            let leads_to = f.guest_port;
            text!(
                "the NAT forward of port {host_port} leads to port {leads_to} of `{vm}`, not to {guest_port}",
                "{host_port}번 포트의 NAT 포트 포워딩은 `{vm}`의 {guest_port}번이 아니라 {leads_to}번 포트로 갑니다"
            )
        }
        Some(f) => {
            let bound = f.host_address.unwrap_or(LOOPBACK);
            text!(
                "the NAT forward to port {guest_port} of `{vm}` listens on {bound} only",
                "`{vm}`의 {guest_port}번 포트로 가는 NAT 포트 포워딩은 {bound} 주소에서만 받습니다"
            )
        }
        None => text!(
            "adapter {slot} of `{vm}` is NAT: nothing gets in without a forward, and none leads to port {guest_port}",
            "`{vm}`의 {slot}번 어댑터는 NAT입니다: 포트 포워딩 없이는 아무것도 들어오지 못하는데, {guest_port}번 포트로 가는 포워딩이 없습니다"
        ),
    }
}

fn misdirected_text(called: &str, inside: u16) -> Text {
    text!(
        "`{called}` publishes container port {inside}, where nothing listens",
        "`{called}`에서 게시한 컨테이너 포트 {inside}번에는 대기하는 프로그램이 없습니다"
    )
}

/// What a zone lets in: ` (it opens ssh, 80/tcp)`.
fn opened(zone: &Zone) -> Text {
    let services = zone.content.services.iter().map(|s| s.value.name.clone());
    let ports = zone.content.ports.iter().filter(|p| p.guard.is_none());
    let ports = ports.map(|p| format!("{}/{}", p.value.1, p.value.0));
    let all: Vec<String> = services.chain(ports).collect();
    let all = all.join(", ");
    match all.is_empty() {
        true => Text::default(),
        false => text!(" (it opens {all})", " (열려 있는 것: {all})"),
    }
}

/// A forward in the notation of its file.
fn forward_value(
    protocol: Protocol,
    notation: ForwardNotation,
    address: Option<IpAddr>,
    host_port: u16,
    guest_port: u16,
) -> String {
    match notation {
        ForwardNotation::VboxXml => {
            let proto = if protocol == Protocol::Udp { 0 } else { 1 };
            let host = address.map(|a| format!(" hostip=\"{a}\"")).unwrap_or_default();
            let ports = format!("hostport=\"{host_port}\" guestport=\"{guest_port}\"");
            format!("name=\"port-{host_port}\" proto=\"{proto}\"{host} {ports}")
        }
        ForwardNotation::LabYaml => {
            let host = address.map(|a| a.to_string()).unwrap_or_default();
            format!("{protocol}:{host}:{host_port}:{guest_port}")
        }
    }
}

fn free_forward_port(forwards: &[Forward], wanted: u16) -> u16 {
    (wanted..=u16::MAX).find(|p| !forwards.iter().any(|f| f.host_port == *p)).unwrap_or(wanted)
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
