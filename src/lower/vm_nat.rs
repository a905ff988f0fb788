//! The user-space NAT in front of a VM adapter. Spec: specs/vm-nat.md.
//!
//! Oracle VirtualBox manual, chapter 6.3: the NAT engine is a program on the physical host. What the guest sends is
//! taken apart and sent again through ordinary sockets of the host; inbound, only forwards listen. libslirp
//! (VirtualBox 7.1 and later embeds it) keeps the address of clients from outside and shows loopback clients as the
//! gateway (`tcp_connect` in libslirp's `tcp_subr.c`); the engine before it shows the gateway for all.

use std::net::IpAddr;

use crate::dataplane::{
    AnswersFrom, Dataplane, Dial, InterfaceId, Link, LinkId, Listen, Node, NodeId, NodeKind, Relay, SourceAs,
};
use crate::lab::{Attachment, Forward, Host, HostId, HostKind, Lab, NatEngine, VmNat};
use crate::net::{Family, IpNet, Ipv4Net, Protocol};
use crate::provenance::OriginId;

use super::address::add_address;
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
    let engine = engine_node(dataplane, name, link, nat, origin);
    let physical = map.host(guest.runs_on);
    for forward in &nat.forwards {
        add_forward(guest, nat, forward, physical, engine, dataplane);
    }
    add_outbound(nat, physical, engine, origin, dataplane);
}

fn engine_node(dataplane: &mut Dataplane, name: String, link: LinkId, nat: &VmNat, origin: OriginId) -> NodeId {
    let id = namespace(dataplane, name, origin);
    let port = add_interface(dataplane, id, interface("tap", Some(link), origin));
    let own = IpNet::new(nat.gateway, nat.network.prefix_len()).unwrap_or(nat.network);
    add_address(dataplane, id, port, own, origin);
    let node: &mut Node = dataplane.node_mut(id);
    node.kind = NodeKind::UserNat;
    id
}

fn add_forward(
    guest: &Guest<'_>,
    nat: &VmNat,
    forward: &Forward,
    physical: NodeId,
    engine: NodeId,
    dataplane: &mut Dataplane,
) {
    let Some(address) = forward.guest_address.or_else(|| guest.address()) else { return };
    let origin = dataplane.origins.add(forward.origin.clone());
    let source = match nat.engine {
        NatEngine::Classic => SourceAs::Dialer,
        NatEngine::Libslirp => SourceAs::Client { loopback: nat.gateway },
    };
    let relay = Relay {
        name: format!("NAT forward to {}", guest.host.name),
        protocol: forward.protocol,
        listen: Listen::Socket { address: forward.host_address, port: forward.host_port },
        dial_from: engine,
        dial: Dial::To { address, port: forward.guest_port },
        source,
        accepts_first: true,
        answers_from: AnswersFrom::Route,
        guard: forward.guard,
        origin,
    };
    dataplane.node_mut(physical).relays.push(relay);
}

/// What the guest dials is dialled again by the physical host. The gateway address stands for the host's loopback,
/// if that is allowed.
fn add_outbound(nat: &VmNat, physical: NodeId, engine: NodeId, origin: OriginId, dataplane: &mut Dataplane) {
    let everything = IpNet::V4(Ipv4Net::default());
    let gateway = IpNet::from(nat.gateway);
    for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::Icmp] {
        let mut add = |prefix, dial| {
            dataplane.node_mut(engine).relays.push(Relay {
                name: "NAT".into(),
                protocol,
                listen: Listen::Transparent { prefix },
                dial_from: physical,
                dial,
                source: SourceAs::Dialer,
                accepts_first: false,
                answers_from: AnswersFrom::Dialed,
                guard: None,
                origin,
            });
        };
        add(everything, Dial::Same);
        let loopback = Dial::SamePort { address: Family::of(nat.gateway).loopback() };
        add(gateway, if nat.localhost_reachable { loopback } else { Dial::Nowhere });
    }
}
