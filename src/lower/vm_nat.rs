//! The user-space NAT in front of a VM adapter, and the one that a NAT network shares. Specs: specs/vm-nat.md,
//! specs/nat-network.md.
//!
//! Oracle VirtualBox manual, chapter 6.3: the NAT engine is a program on the physical host. What the guest sends is
//! taken apart and sent again through ordinary sockets of the host; inbound, only forwards listen. libslirp
//! (VirtualBox 7.1 and later embeds it) keeps the address of clients from outside and shows loopback clients as the
//! gateway (`tcp_connect` in libslirp's `tcp_subr.c`); the engine before it shows the gateway for all.

use std::net::IpAddr;

use crate::dataplane::{
    AnswersFrom, Dataplane, Dial, InterfaceId, Link, LinkId, Listen, Node, NodeId, NodeKind, Relay, Socket, SourceAs,
};
use crate::lab::{Attachment, Forward, Host, HostId, HostKind, Lab, NatEngine, SegmentId, SharedNat, VmNat};
use crate::language::text;
use crate::net::{Family, IpNet, Ipv4Net, PortRange, Protocol};
use crate::provenance::OriginId;
use crate::switch::{Switch, SwitchId, SwitchKind};

use super::address::{add_address, add_guarded_address};
use super::namespace::{add_interface, interface, namespace};
use super::topology::Map;

pub(super) fn lower(lab: &Lab, map: &Map, dataplane: &mut Dataplane) {
    for (id, host) in lab.hosts() {
        let HostKind::Vm { on } = host.kind else { continue };
        for (index, adapter) in host.interfaces.iter().enumerate() {
            if let Attachment::Nat(nat) = &adapter.attachment {
                // Interface 0 of every node is the loopback.
                let guest = Guest { host, node: map.host(id), interface: InterfaceId(index + 1), runs_on: on };
                add_engine(&guest, nat, map, dataplane);
            }
        }
    }
    for (index, segment) in lab.segments.iter().enumerate() {
        if let Some(shared) = &segment.nat {
            add_shared_engine(&segment.name, map.segment(SegmentId(index)), shared, map.host(shared.on), dataplane);
        }
    }
}

struct Guest<'a> {
    host: &'a Host,
    node: NodeId,
    interface: InterfaceId,
    runs_on: HostId,
}

impl Guest<'_> {
    fn address(&self) -> Option<IpAddr> {
        let adapter = self.host.interfaces.get(self.interface.0 - 1)?;
        adapter.addresses.first().map(|a| a.net.addr())
    }
}

fn add_engine(guest: &Guest<'_>, nat: &VmNat, map: &Map, dataplane: &mut Dataplane) {
    let origin = dataplane.origins.add(nat.origin.clone());
    let name = format!("NAT of {}", guest.host.name);
    let link = dataplane.add_link(Link { name: name.clone(), bridge: None, origin });
    if let Some(port) = dataplane.node_mut(guest.node).interfaces.get_mut(guest.interface.0) {
        port.link = Some(link);
    }
    let (engine, _) = engine_node(dataplane, name, link, nat, origin);
    let physical = map.host(guest.runs_on);
    let name = format!("NAT forward to {}", guest.host.name);
    for forward in &nat.forwards {
        let forward = &told_apart(nat, forward, dataplane);
        let address = forward.guest_address.or_else(|| guest.address());
        let source = match nat.engine {
            NatEngine::Classic => SourceAs::Dialer,
            NatEngine::Libslirp => SourceAs::Client { loopback: nat.gateway },
        };
        let to = address.map(|address| Dial::To { address, port: forward.guest_port });
        let silent = without_answer(nat, forward);
        if silent.is_none() || forward.host_address.is_none() {
            add_forward(&name, forward, (to, source), (physical, engine), dataplane);
        }
        if let Some(silent) = silent {
            add_forward(&name, &silent, (Some(Dial::Nowhere), source), (physical, engine), dataplane);
        }
    }
    let loopback = Dial::SamePort { address: Family::of(nat.gateway).loopback() };
    let gateway = if nat.localhost_reachable { loopback } else { Dial::Nowhere };
    add_outbound(nat, &[(nat.gateway, gateway)], physical, engine, origin, dataplane);
    add_resolver(guest, nat, engine, dataplane);
}

/// The third address of the network is the engine's resolver, which asks that of the host: port 53 and nothing else
/// (libslirp `src/socket.c`, `sotranslate_out4`; VirtualBox manual, section 9.8.5). Who that is no file says; it answers.
fn add_resolver(guest: &Guest<'_>, nat: &VmNat, engine: NodeId, dataplane: &mut Dataplane) {
    let IpNet::V4(network) = nat.network else { return };
    let address = network.hosts().nth(2).map(IpAddr::V4);
    let Some(address) = address.filter(|a| *a != nat.gateway && Some(*a) != guest.address()) else { return };
    let because = nat.origin.derive("the host's resolver, which the NAT engine asks", RESOLVER);
    let resolver = Resolver { address, guard: None, because: dataplane.origins.add(because) };
    resolver.add(nat, engine, &format!("resolver behind the NAT of {}", guest.host.name), dataplane);
}

/// Somebody behind an engine who answers questions for names at one of its addresses.
struct Resolver {
    address: IpAddr,
    guard: Option<SwitchId>,
    because: OriginId,
}

impl Resolver {
    fn add(&self, nat: &VmNat, engine: NodeId, name: &str, dataplane: &mut Dataplane) {
        let &Self { address, guard, because: origin } = self;
        if address != nat.gateway {
            let own = IpNet::new(address, nat.network.prefix_len()).unwrap_or(nat.network);
            add_guarded_address(dataplane, engine, InterfaceId(1), own, guard, origin);
        }
        let resolver = namespace(dataplane, name.to_owned(), origin);
        for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::Icmp] {
            let owner = "resolver".to_owned();
            let ports = PortRange::single(53);
            let socket = Socket { protocol, address: None, ports, owner, guard: None, origin };
            dataplane.node_mut(resolver).sockets.extend((protocol != Protocol::Icmp).then_some(socket));
            dataplane.node_mut(engine).relays.push(Relay {
                name: "NAT".into(),
                protocol,
                listen: Listen::Transparent { prefix: IpNet::from(address) },
                dial_from: resolver,
                dial: Dial::SamePort { address: Family::V4.loopback() },
                source: SourceAs::Dialer,
                accepts_first: false,
                answers_from: AnswersFrom::Dialed,
                guard,
                origin,
            });
        }
    }
}

const SHARED_RESOLVER: &str =
    "VirtualBox, pxdns.c and VBoxNetSlirpNAT.cpp: the engine of a NAT network hands questions on to the host's servers";
const RESOLVER: &str = "VirtualBox manual, section 9.8.5: the NAT engine hands out 10.0.2.3 as the name server";

/// Answers to datagrams that several forwards bring to one port of a guest go out by any of them: the engine finds the
/// socket by the guest's address and port alone (libslirp src/udp.c, `udp_input`; seen with libslirp 4.7.0).
fn told_apart(nat: &VmNat, forward: &Forward, dataplane: &mut Dataplane) -> Forward {
    let end = |f: &Forward| (f.protocol, f.guest_address, f.guest_port);
    let is_alone = nat.forwards.iter().filter(|other| end(other) == end(forward)).count() == 1;
    if forward.protocol != Protocol::Udp || forward.guard.is_some() || is_alone {
        return forward.clone();
    }
    let port = forward.guest_port;
    let statement = text!(
        "answers from UDP port {port} of the guest go out by the forward that was dialled, of several to that port",
        "게스트의 UDP {port}번 포트로 가는 포트 포워딩이 여럿일 때, 응답이 연결한 그 포워딩으로 나감"
    );
    let switch = Switch { statement, default: true, kind: SwitchKind::Unmodeled, origin: forward.origin.clone() };
    Forward { guard: Some(dataplane.switches.add(switch)), ..forward.clone() }
}

/// The part of a forward that answers nobody. Datagrams of the host's loopback come to the guest from 10.0.2.2, and what
/// is sent back there is lost where that address does not stand for the loopback (libslirp `src/socket.c`, `sosendto`,
/// `sotranslate_out4`; TCP answers on the connection that was accepted).
fn without_answer(nat: &VmNat, forward: &Forward) -> Option<Forward> {
    let loopback = Family::of(nat.gateway).loopback();
    let is_lost = forward.protocol == Protocol::Udp && nat.engine == NatEngine::Libslirp && !nat.localhost_reachable;
    let is_meant = forward.host_address.is_none_or(|address| address == loopback);
    (is_lost && is_meant).then(|| Forward { host_address: Some(loopback), ..forward.clone() })
}

/// Both engines of NAT networks keep the addresses of clients and show loopback clients as the gateway (libslirp as
/// above; `pxremap_inbound_ip4` in pxremap.c of the one before). Only libslirp takes the gateway for the host's loopback
/// (`VBoxNetSlirpNAT`: `disable_host_loopback` is false).
fn add_shared_engine(name: &str, link: LinkId, shared: &SharedNat, physical: NodeId, dataplane: &mut Dataplane) {
    let nat = &shared.nat;
    let origin = dataplane.origins.add(nat.origin.clone());
    let (engine, port) = engine_node(dataplane, format!("NAT of network {name}"), link, nat, origin);
    let relay_name = format!("NAT forward of network {name}");
    for forward in &nat.forwards {
        let forward = &told_apart(nat, forward, dataplane);
        let to = forward.guest_address.map(|address| Dial::To { address, port: forward.guest_port });
        let source = SourceAs::Client { loopback: nat.gateway };
        add_forward(&relay_name, forward, (to, source), (physical, engine), dataplane);
    }
    // Behind the gateway of the engine on lwIP is its name server and nothing else.
    let host = Dial::SamePort { address: Family::of(nat.gateway).loopback() };
    let mut special: Vec<_> = (nat.engine == NatEngine::Libslirp).then_some((nat.gateway, host)).into_iter().collect();
    for (inside, loopback) in &shared.loopbacks {
        let own = IpNet::new(*inside, nat.network.prefix_len()).unwrap_or(nat.network);
        add_address(dataplane, engine, port, own, origin);
        special.push((*inside, Dial::SamePort { address: *loopback }));
    }
    add_outbound(nat, &special, physical, engine, origin, dataplane);
    if let Some((address, guard)) = shared.resolver.filter(|(address, _)| special.iter().all(|(a, _)| a != address)) {
        let because = nat.origin.derive("the host's resolver, which the NAT network asks", SHARED_RESOLVER);
        let resolver = Resolver { address, guard, because: dataplane.origins.add(because) };
        resolver.add(nat, engine, &format!("resolver behind {name}"), dataplane);
    }
}

fn engine_node(
    dataplane: &mut Dataplane,
    name: String,
    link: LinkId,
    nat: &VmNat,
    origin: OriginId,
) -> (NodeId, InterfaceId) {
    let id = namespace(dataplane, name, origin);
    let port = add_interface(dataplane, id, interface("tap", Some(link), origin));
    let own = IpNet::new(nat.gateway, nat.network.prefix_len()).unwrap_or(nat.network);
    add_address(dataplane, id, port, own, origin);
    let node: &mut Node = dataplane.node_mut(id);
    node.kind = NodeKind::UserNat;
    (id, port)
}

/// A forward listens on the physical host and is dialled on by the engine.
fn add_forward(
    name: &str,
    forward: &Forward,
    (to, source): (Option<Dial>, SourceAs),
    (physical, engine): (NodeId, NodeId),
    dataplane: &mut Dataplane,
) {
    let Some(dial) = to else { return };
    let origin = dataplane.origins.add(forward.origin.clone());
    dataplane.node_mut(physical).relays.push(Relay {
        name: name.to_owned(),
        protocol: forward.protocol,
        listen: Listen::Socket { address: forward.host_address, port: forward.host_port },
        dial_from: engine,
        dial,
        source,
        accepts_first: true,
        answers_from: AnswersFrom::Route,
        guard: forward.guard,
        origin,
    });
}

/// What the guest dials is dialled again by the physical host. Some addresses stand for something else: the gateway for
/// the host's loopback, if that is allowed.
fn add_outbound(
    nat: &VmNat,
    special: &[(IpAddr, Dial)],
    physical: NodeId,
    engine: NodeId,
    origin: OriginId,
    dataplane: &mut Dataplane,
) {
    let everything = IpNet::V4(Ipv4Net::default());
    for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::Icmp] {
        let mut add = |prefix, dial, source| {
            dataplane.node_mut(engine).relays.push(Relay {
                name: "NAT".into(),
                protocol,
                listen: Listen::Transparent { prefix },
                dial_from: physical,
                dial,
                source,
                accepts_first: false,
                answers_from: AnswersFrom::Dialed,
                guard: None,
                origin,
            });
        };
        add(everything, Dial::Same, nat.bind_address.map_or(SourceAs::Dialer, SourceAs::Bound));
        for (address, dial) in special {
            add(IpNet::from(*address), *dial, SourceAs::Dialer);
        }
    }
}
