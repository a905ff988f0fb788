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
    Attachment, Container, Endpoint as Attached, Engine, Forward, Host, HostId, HostKind, Lab, Listen, Networking,
    Process, Publish, VmNat,
};
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
    pub(super) blocker: String,
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
    blocker: String,
    what: String,
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
        let called = &target.label;
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
                    format!("`{called}` publishes container port {}, where nothing listens", publish.container_port),
                ),
                None => (
                    container.publish_at.as_ref().map(|i| i.at),
                    container.publish_at.as_ref().map_or_else(|| format!("-p {value}"), |i| i.text(&value)),
                    Code::DockerNotPublished,
                    format!("`{called}` publishes no port for {port}/{}", self.protocol),
                ),
            };
            let what = format!("publish port {port} of `{called}` as {value}");
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
                blocker: format!("port {host_port} of `{called}` is published on {address} only"),
                what: format!("publish port {} of `{called}` on all addresses", bound.container_port),
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
                blocker: format!("`{label}` listens on {address}:{port} only"),
                what: format!("make `{label}` listen on all addresses"),
                at: bound.widened.as_ref().map(|w| w.span),
                text: bound.widened.as_ref().map_or_else(String::new, |w| w.value.clone()),
            }
        } else {
            let others: Vec<String> = listens.iter().map(|l| l.ports.to_string()).collect();
            let elsewhere =
                if others.is_empty() { String::new() } else { format!(" (it listens on {})", others.join(", ")) };
            Wording {
                weight: 40,
                code: Code::ListenNothing,
                blocker: format!("nothing listens on port {port} in `{label}`{elsewhere}"),
                what: format!("start a program in `{label}` that listens on port {port}"),
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
        Wording {
            weight: 6,
            code: Code::FirewalldNotReloaded,
            blocker: format!(
                "firewalld on `{host}`: opening {port}/{} in zone `{zone}` was stored, but is not in force",
                self.protocol
            ),
            what: format!("reload firewalld on `{host}`"),
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
            blocker: format!(
                "firewalld on `{host}`: zone `{name}` does not open {port}/{}{}",
                self.protocol,
                opened(zone)
            ),
            what: format!("open {port}/{} in zone `{name}` on `{host}`", self.protocol),
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
        let shown = address.map_or_else(|| "all addresses".to_owned(), |a| a.to_string());
        let value = |notation| forward_value(self.protocol, notation, address, host_port, guest_port);
        let insertion = nat.forward_at.as_ref();
        let blocker = match present {
            Some(f) if f.guest_port != guest_port => {
                format!(
                    "the NAT forward of port {host_port} leads to port {} of `{vm}`, not to {guest_port}",
                    f.guest_port
                )
            }
            Some(f) => {
                let bound = f.host_address.unwrap_or(LOOPBACK);
                format!("the NAT forward to port {guest_port} of `{vm}` listens on {bound} only")
            }
            None => format!(
                "adapter {} of `{vm}` is NAT: nothing gets in without a forward, and none leads to port {guest_port}",
                index + 1
            ),
        };
        let command = format!(
            "VBoxManage modifyvm {vm} --nat-pf{} \"port-{host_port},{},{},{host_port},,{guest_port}\"",
            index + 1,
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
            what: format!("forward port {host_port} on {shown} to port {guest_port} of `{vm}`"),
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
        let switch = self.add(
            Wording {
                weight: 12,
                code: Code::DockerIsolation,
                blocker: format!("`{}` and `{}` share no network", subject.label, object.label),
                what: format!("attach `{}` to network `{called}`", subject.label),
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
    lab.hosts.iter_mut().find_map(|host| narrow_forward(host, span).or_else(|| narrow_publish(host, span)))
}

fn narrow_forward(host: &mut Host, span: Span) -> Option<Edit> {
    let name = host.name.clone();
    for interface in &mut host.interfaces {
        let Attachment::Nat(nat) = &mut interface.attachment else { continue };
        let notation = nat.forward_at.as_ref().filter(|(i, _)| i.at.source == span.source).map(|(_, n)| *n);
        let forward = nat.forwards.iter_mut().find(|f| f.origin.span() == Some(span) && is_wide(f.host_address));
        let Some(forward) = forward else { continue };
        forward.host_address = Some(LOOPBACK);
        let text = notation.map_or_else(String::new, |notation| forward_text(forward, notation));
        let what = format!("bind the NAT forward of port {} to `{name}` to 127.0.0.1", forward.host_port);
        return Some(Edit { what, at: notation.map(|_| span), text });
    }
    None
}

/// A whole forward, as it is written in its file.
fn forward_text(forward: &Forward, notation: ForwardNotation) -> String {
    let Forward { name, protocol, host_address, host_port, guest_address, guest_port, .. } = forward;
    let host = host_address.map(|a| a.to_string()).unwrap_or_default();
    match notation {
        ForwardNotation::VboxXml => {
            let proto = if *protocol == Protocol::Udp { 0 } else { 1 };
            let guest = guest_address.map(|a| format!(" guestip=\"{a}\"")).unwrap_or_default();
            format!(
                "<Forwarding name=\"{name}\" proto=\"{proto}\" hostip=\"{host}\" hostport=\"{host_port}\"{guest} guestport=\"{guest_port}\"/>"
            )
        }
        ForwardNotation::LabYaml => {
            let guest = guest_address.map(|a| format!("{a}:")).unwrap_or_default();
            format!("{protocol}:{host}:{host_port}:{guest}{guest_port}")
        }
    }
}

fn narrow_publish(host: &mut Host, span: Span) -> Option<Edit> {
    let containers = host.engine.iter_mut().flat_map(|e| &mut e.containers);
    let publish = containers
        .flat_map(|c| &mut c.publishes)
        .find(|p| p.origin.span() == Some(span) && is_wide(p.host_address) && p.host_port.is_some())?;
    publish.host_address = Some(LOOPBACK);
    let protocol = if publish.protocol == Protocol::Tcp { String::new() } else { format!("/{}", publish.protocol) };
    let text = format!("127.0.0.1:{}:{}{protocol}", publish.host_port?, publish.container_port);
    Some(Edit { what: format!("publish on loopback only: {text}"), at: Some(span), text })
}

fn is_wide(address: Option<IpAddr>) -> bool {
    address.is_none_or(|a| !a.is_loopback())
}

/// What a zone lets in: ` (it opens ssh, 80/tcp)`.
fn opened(zone: &Zone) -> String {
    let services = zone.content.services.iter().map(|s| s.value.name.clone());
    let ports = zone.content.ports.iter().filter(|p| p.guard.is_none());
    let ports = ports.map(|p| format!("{}/{}", p.value.1, p.value.0));
    let all: Vec<String> = services.chain(ports).collect();
    if all.is_empty() { String::new() } else { format!(" (it opens {})", all.join(", ")) }
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
