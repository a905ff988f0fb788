//! WSL behind Windows: its network, the relay of Windows' `localhost`, and mirrored networking. Spec: specs/wsl.md.
//!
//! Sources: microsoft/WSL (2026), doc/docs/technical-documentation/localhost.md and src/linux/init/localhost.cpp: with NAT a
//! program watches which TCP ports are listened on, has Windows listen on its loopback, and dials 127.0.0.1 inside;
//! mirrored, what comes to a port that is bound inside is given to the machine as it is.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::dataplane::{
    Action, AnswersFrom, ChainKind, Dataplane, Dial, Hook, HookPoint, InterfaceId, Link, Listen, Match, NodeId,
    NodeKind, Policy, Relay, Route, RouteTarget, Rule, SourceAs, States, TableFamily, Toggle,
};
use crate::lab::kept_ports::{self, Kind};
use crate::lab::{Attachment, Forwarding, Host, HostKind, Keeper, Lab, Segment, Wsl, WslMode};
use crate::net::{Family, IpNet, Ipv4Net, PortRange, Protocol};
use crate::provenance::OriginId;
use crate::switch::SwitchId;

use super::namespace::{add_interface, interface, namespace};
use super::topology::Map;

/// Ports of one listener that are followed singly.
const MOST_PORTS: usize = 256;

const RELAY: &str = "microsoft/WSL, src/linux/init/localhost.cpp, RunLocalHostRelay";
const MIRRORED: &str = "Microsoft, \"Accessing network applications with WSL\", mirrored mode networking";

pub(super) fn lower(lab: &Lab, map: &Map, dataplane: &mut Dataplane) {
    for segment in &lab.segments {
        let forwarding = segment.forwarding.as_deref().filter(|f| f.by == Keeper::Windows);
        if let Some(forwarding) = forwarding {
            translate(lab, segment, forwarding, map.host(forwarding.on), dataplane);
        }
    }
    for (id, host) in lab.hosts() {
        let (HostKind::Vm { on }, Some(wsl)) = (host.kind, &host.wsl) else { continue };
        let pair = Pair { guest: map.host(id), windows: map.host(on), host, runner: lab.host(on), wsl };
        pair.admit_limits(dataplane);
        match wsl.mode {
            WslMode::Nat if wsl.localhost_forwarding => pair.relay_localhost(dataplane),
            WslMode::Mirrored => pair.mirror(dataplane),
            WslMode::Nat | WslMode::Other | WslMode::Off => {}
        }
    }
}

/// Windows carries what its machine sends out, with its own address, and nothing that others send in.
fn translate(lab: &Lab, segment: &Segment, forwarding: &Forwarding, windows: NodeId, dataplane: &mut Dataplane) {
    let origin = dataplane.origins.add(forwarding.origin.clone());
    let node = dataplane.node_mut(windows);
    node.sysctls.ip_forward = Toggle::On;
    node.sysctls.ip_forward_origin = origin;
    let (comes, goes) =
        (Match::InInterface(forwarding.interface.clone()), Match::OutInterface(forwarding.interface.clone()));
    let rule = |matches, action| Rule { matches, action, guard: None, origin };
    let table = node.ruleset.table(TableFamily::Inet, "wsl-nat");
    let point = |hook, kind, priority| Some(HookPoint { hook, kind, priority, policy: Policy::Accept });
    let forward = node.ruleset.chain(table, "forward", point(Hook::Forward, ChainKind::Filter, 0), origin);
    // Windows forwards nothing else unless somebody has told it to.
    let others = if lab.host(forwarding.on).ip_forward { vec![goes.clone()] } else { Vec::new() };
    node.ruleset.get_mut(forward).rules.extend([
        rule(vec![Match::State(States::ESTABLISHED_RELATED)], Action::Accept),
        rule(vec![comes, goes.clone().negated()], Action::Accept),
        rule(others, Action::Drop),
    ]);
    let postrouting = node.ruleset.chain(table, "postrouting", point(Hook::Postrouting, ChainKind::Nat, 100), origin);
    for subnet in &segment.subnets {
        let matches = vec![Match::Source(*subnet), goes.clone().negated()];
        node.ruleset.get_mut(postrouting).rules.push(rule(matches, Action::Masquerade));
    }
}

/// Somebody who listens.
#[derive(Clone, Copy)]
struct Listener {
    protocol: Protocol,
    address: Option<IpAddr>,
    port: u16,
    guard: Option<SwitchId>,
}

/// WSL's machine and Windows.
struct Pair<'a> {
    guest: NodeId,
    windows: NodeId,
    host: &'a Host,
    runner: &'a Host,
    wsl: &'a Wsl,
}

impl Pair<'_> {
    /// Of a program that listens on very many ports nobody knows which of them are followed.
    fn admit_limits(&self, dataplane: &mut Dataplane) {
        let sockets = [self.guest, self.windows].map(|node| &dataplane.node(node).sockets);
        let is_wide =
            sockets.into_iter().flatten().any(|s| usize::try_from(s.ports.count()).is_ok_and(|n| n > MOST_PORTS));
        if is_wide {
            let origin = self.wsl.origin.derive("WSL with programs that listen on very many ports", RELAY);
            let origin = dataplane.origins.add(origin);
            dataplane.node_mut(self.guest).unmodeled.push(origin);
        }
    }

    fn relay_localhost(&self, dataplane: &mut Dataplane) {
        let origin = self.wsl.origin.derive("Windows' `localhost` leads to WSL", RELAY);
        let origin = dataplane.origins.add(origin);
        let loopback = Family::V4.loopback();
        let taken = ports_on(dataplane, self.windows, loopback);
        for listener in listeners(dataplane, self.guest) {
            let is_bound_so = listener.address.is_none_or(|address| address == loopback);
            let is_free = !taken.contains(&(listener.protocol, listener.port));
            let kept = kept_ports::kind(&self.runner.kept_ports, listener.protocol, listener.port);
            let is_allowed = !matches!(kept, Kind::Excluded(_));
            if listener.protocol == Protocol::Tcp && is_bound_so && is_free && is_allowed {
                let relay = relay("localhost of Windows", listener, loopback, origin);
                let relay = Relay { dial_from: self.guest, accepts_first: true, ..relay };
                dataplane.node_mut(self.windows).relays.push(relay);
            }
        }
    }

    /// Each has its own sockets; an address of Windows leads to whoever of the two listens.
    fn mirror(&self, dataplane: &mut Dataplane) {
        let origin = self.wsl.origin.derive("WSL has the addresses of Windows", MIRRORED);
        let origin = dataplane.origins.add(origin);
        let (theirs, ours) = (listeners(dataplane, self.windows), listeners(dataplane, self.guest));
        let loopback = Family::V4.loopback();
        let mut shared = vec![(loopback, self.guest)];
        for (index, adapter) in self.host.interfaces.iter().enumerate() {
            if !matches!(adapter.attachment, Attachment::Mirrored) {
                continue;
            }
            let outside = self.outside(InterfaceId(index + 1), &adapter.name, origin, dataplane);
            shared.extend(adapter.addresses.iter().map(|own| (own.net.addr(), outside)));
        }
        for (address, from) in &shared {
            if *address != loopback && self.wsl.host_address_loopback {
                self.lead_inside_by_address(*address, &ours, origin, dataplane);
            }
            self.lead_inside(*address, *from, &ours, origin, dataplane);
            if *address == loopback || self.wsl.host_address_loopback {
                let taken = ports_on(dataplane, self.guest, *address);
                self.lead_outside(*address, &theirs, &taken, origin, dataplane);
            }
        }
    }

    /// What comes to an address of Windows at a port that only the machine listens on. The firewall of Hyper-V decides
    /// about it, not that of Windows.
    fn lead_inside(
        &self,
        address: IpAddr,
        from: NodeId,
        ours: &[Listener],
        origin: OriginId,
        dataplane: &mut Dataplane,
    ) {
        let taken = ports_on(dataplane, self.windows, address);
        for listener in ours.iter().filter(|l| l.address.is_none_or(|own| own == address)) {
            if taken.contains(&(listener.protocol, listener.port)) {
                continue;
            }
            let source = if address.is_loopback() { SourceAs::Dialer } else { SourceAs::Client { loopback: address } };
            let relay = Relay { dial_from: from, source, ..relay("mirrored port of WSL", *listener, address, origin) };
            let windows = dataplane.node_mut(self.windows);
            windows.relays.push(relay);
            let filters = windows.ruleset.chains.iter_mut().filter(|c| c.name == "input" && c.hook.is_some());
            for chain in filters {
                let port = Match::DestinationPort(PortRange::single(listener.port));
                let matches = vec![Match::Protocol(listener.protocol), Match::Destination(address.into()), port];
                chain.rules.insert(0, Rule { matches, action: Action::Accept, guard: None, origin });
            }
        }
    }

    /// What Windows itself dials at one of its addresses, with `hostAddressLoopback`: as if it had dialled the loopback.
    /// Nobody documents what becomes of programs inside that listen on that address alone.
    fn lead_inside_by_address(&self, address: IpAddr, ours: &[Listener], origin: OriginId, dataplane: &mut Dataplane) {
        let taken = ports_on(dataplane, self.windows, address);
        let rules = &mut dataplane.node_mut(self.windows).ruleset;
        let table = rules.table(TableFamily::Inet, "wsl-mirrored");
        let point = HookPoint { hook: Hook::Output, kind: ChainKind::Nat, priority: -100, policy: Policy::Accept };
        let chain = rules.chain(table, "output", Some(point), origin);
        for listener in ours.iter().filter(|l| l.address.is_none()) {
            if taken.contains(&(listener.protocol, listener.port)) {
                continue;
            }
            let port = Match::DestinationPort(PortRange::single(listener.port));
            let matches = vec![Match::Protocol(listener.protocol), Match::Destination(address.into()), port];
            let action = Action::Redirect { port: None };
            rules.get_mut(chain).rules.push(Rule { matches, action, guard: listener.guard, origin });
        }
    }

    /// What the machine dials at an address that Windows listens on.
    fn lead_outside(
        &self,
        address: IpAddr,
        theirs: &[Listener],
        taken: &BTreeSet<(Protocol, u16)>,
        origin: OriginId,
        dataplane: &mut Dataplane,
    ) {
        let free = theirs.iter().filter(|l| !taken.contains(&(l.protocol, l.port)));
        for listener in free.filter(|l| l.address.is_none_or(|own| own == address)) {
            let relay = relay("mirrored port of Windows", *listener, address, origin);
            let relay = Relay { dial_from: self.windows, ..relay };
            dataplane.node_mut(self.guest).relays.push(relay);
        }
    }

    /// What stands for everything beyond a mirrored interface: Windows dials on what the machine sends out.
    fn outside(&self, adapter: InterfaceId, name: &str, origin: OriginId, dataplane: &mut Dataplane) -> NodeId {
        let name = format!("{name} of Windows for {}", self.host.name);
        let link = dataplane.add_link(Link { name: name.clone(), bridge: None, origin });
        if let Some(port) = dataplane.node_mut(self.guest).interfaces.get_mut(adapter.0) {
            port.link = Some(link);
        }
        let outside = namespace(dataplane, name, origin);
        let everything = IpNet::V4(Ipv4Net::default());
        let mut port = interface("mirror", Some(link), origin);
        port.claims.push(everything);
        let port = add_interface(dataplane, outside, port);
        let target = RouteTarget::Via { interface: port, gateway: None, source: None };
        let node = dataplane.node_mut(outside);
        node.kind = NodeKind::UserNat;
        node.routes.push(Route { prefix: everything, target, metric: 0, guard: None, origin });
        for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::Icmp] {
            let listen = Listen::Transparent { prefix: everything };
            let listener = Listener { protocol, address: None, port: 0, guard: None };
            let relay = relay("mirrored interface", listener, Family::V4.loopback(), origin);
            node.relays.push(Relay { listen, dial: Dial::Same, dial_from: self.windows, ..relay });
        }
        outside
    }
}

/// A relay that listens on one address and dials the same port there.
fn relay(name: &str, listener: Listener, address: IpAddr, origin: OriginId) -> Relay {
    Relay {
        name: name.to_owned(),
        protocol: listener.protocol,
        listen: Listen::Socket { address: Some(address), port: listener.port },
        dial_from: NodeId(0),
        dial: Dial::SamePort { address },
        source: SourceAs::Dialer,
        accepts_first: false,
        answers_from: AnswersFrom::Dialed,
        guard: listener.guard,
        origin,
    }
}

/// Programs and relays of a node.
fn listeners(dataplane: &Dataplane, node: NodeId) -> Vec<Listener> {
    let node = dataplane.node(node);
    let sockets = node.sockets.iter().flat_map(|s| {
        let ports = (s.ports.first..=s.ports.last).take(MOST_PORTS);
        ports.map(|port| Listener { protocol: s.protocol, address: s.address, port, guard: s.guard })
    });
    let relays = node.relays.iter().filter_map(|r| match r.listen {
        Listen::Socket { address, port } => Some(Listener { protocol: r.protocol, address, port, guard: r.guard }),
        Listen::Transparent { .. } => None,
    });
    sockets.chain(relays).collect()
}

/// The ports of an address that somebody listens on for certain.
fn ports_on(dataplane: &Dataplane, node: NodeId, address: IpAddr) -> BTreeSet<(Protocol, u16)> {
    let here = |l: &Listener| l.guard.is_none() && l.address.is_none_or(|own| own == address);
    listeners(dataplane, node).into_iter().filter(here).map(|l| (l.protocol, l.port)).collect()
}
