//! Nodes and links: who is there at layer 2 and 3, and who listens.

use std::net::IpAddr;

use crate::net::{IpNet, PortRange, Protocol};
use crate::provenance::OriginId;
use crate::switch::SwitchId;

use super::Ruleset;

/// Index of a node in its dataplane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// Index of a link in its dataplane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub usize);

/// Index of an interface in its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId(pub usize);

/// One network namespace, or one user-space NAT engine.
#[derive(Clone, Debug)]
pub struct Node {
    /// Unique name: `mac`, `rocky`, `rocky/grafana`.
    pub name: String,
    /// How it treats packets.
    pub kind: NodeKind,
    /// Interfaces; the first is the loopback `lo`.
    pub interfaces: Vec<Interface>,
    /// Routes; the longest prefix wins, then the lowest metric, then the first. Local addresses are routes too.
    pub routes: Vec<Route>,
    /// Netfilter.
    pub ruleset: Ruleset,
    /// Who listens.
    pub sockets: Vec<Socket>,
    /// User-space forwarders that listen here.
    pub relays: Vec<Relay>,
    /// Kernel settings.
    pub sysctls: Sysctls,
    /// Names that programs here can resolve.
    pub names: Vec<Name>,
    /// What was configured here and has no model: nothing that happens here is certain.
    pub unmodeled: Vec<OriginId>,
    /// Why it exists.
    pub origin: OriginId,
}

/// How a node treats packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A kernel's network namespace.
    Namespace,
    /// A user-space NAT engine: it has no kernel; what reaches it is taken by its relays or lost.
    UserNat,
}

/// A setting that is fixed or depends on a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toggle {
    /// On.
    On,
    /// Off.
    Off,
    /// On while the switch is on.
    If(SwitchId),
}

/// Kernel settings that change what happens to packets.
#[derive(Clone, Debug)]
pub struct Sysctls {
    /// `net.ipv4.ip_forward`, with its origin.
    pub ip_forward: Toggle,
    /// Why `ip_forward` is as it is.
    pub ip_forward_origin: OriginId,
    /// Why `rp_filter` is as it is.
    pub rp_filter_origin: OriginId,
    /// `net.bridge.bridge-nf-call-iptables`: frames that cross a bridge of this node visit its hooks.
    pub bridge_calls_iptables: bool,
}

/// A network interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Name inside the node.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<InterfaceAddress>,
    /// Answers for every address in these prefixes that no other interface of the link has: stands for "any other
    /// host". Empty for real interfaces.
    pub claims: Vec<IpNet>,
    /// The machines that `claims` stands for may dial, but nobody knows that they are there: they answer for an
    /// address only when a reply comes back to it.
    pub only_dials: bool,
    /// The segment it is on; loopback has none.
    pub link: Option<LinkId>,
    /// Whether frames pass (cable connected).
    pub up: bool,
    /// `net.ipv4.conf.*.route_localnet`: packets from or to 127.0.0.0/8 may pass.
    pub route_localnet: bool,
    /// `net.ipv4.conf.*.rp_filter` is not 1: what comes by another interface than its answer would leave by is let in.
    pub any_way_in: Toggle,
    /// The bridge sends frames back out of the port they came from.
    pub hairpin: bool,
    /// The interface that it sits on: everybody on the link hears both, but they do not hear each other.
    pub apart_from: Option<(NodeId, InterfaceId)>,
    /// Why it exists.
    pub origin: OriginId,
}

/// An address on an interface.
#[derive(Clone, Copy, Debug)]
pub struct InterfaceAddress {
    /// Address and prefix.
    pub net: IpNet,
    /// Why.
    pub origin: OriginId,
}

/// One layer-2 segment.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The node whose kernel bridges it, if frames that cross it visit that node's hooks.
    pub bridge: Option<Bridge>,
    /// Why it exists.
    pub origin: OriginId,
}

/// The kernel bridge behind a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bridge {
    /// Whose kernel.
    pub node: NodeId,
    /// The bridge's interface there.
    pub interface: InterfaceId,
}

/// A route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Destinations.
    pub prefix: IpNet,
    /// What to do with them.
    pub target: RouteTarget,
    /// Lower wins between equal prefixes.
    pub metric: u32,
    /// Exists only while this switch is on.
    pub guard: Option<SwitchId>,
    /// Why.
    pub origin: OriginId,
}

/// Where a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteTarget {
    /// To this node itself; `interface` has the address.
    Local {
        /// The interface that has the address.
        interface: InterfaceId,
    },
    /// Out of an interface, to the gateway if there is one, else to the destination itself.
    Via {
        /// Outgoing interface.
        interface: InterfaceId,
        /// Next hop.
        gateway: Option<IpAddr>,
        /// Source address that programs get; nothing means the interface's first address of the family.
        source: Option<IpAddr>,
    },
    /// Nowhere: network unreachable.
    Unreachable,
}

/// A program's listening socket.
#[derive(Clone, Debug)]
pub struct Socket {
    /// Protocol.
    pub protocol: Protocol,
    /// Address; nothing means all addresses.
    pub address: Option<IpAddr>,
    /// Ports.
    pub ports: PortRange,
    /// Who listens: the host's or the container's name, or `host/process`.
    pub owner: String,
    /// Exists only while this switch is on.
    pub guard: Option<SwitchId>,
    /// Why.
    pub origin: OriginId,
}

/// A user-space forwarder: takes connections at its node and makes its own to somewhere else.
#[derive(Clone, Debug)]
pub struct Relay {
    /// What it is called: `docker-proxy`, `NAT forward ssh`.
    pub name: String,
    /// Protocol.
    pub protocol: Protocol,
    /// What it takes.
    pub listen: Listen,
    /// The node that dials.
    pub dial_from: NodeId,
    /// What it dials.
    pub dial: Dial,
    /// Which source address the dialled side sees.
    pub source: SourceAs,
    /// Completes the handshake with the client before it dials. Otherwise the client sees what the dialler sees.
    pub accepts_first: bool,
    /// Which address datagrams to its client come from.
    pub answers_from: AnswersFrom,
    /// Exists only while this switch is on.
    pub guard: Option<SwitchId>,
    /// Why.
    pub origin: OriginId,
}

/// Which address a relay's datagrams to its client come from. Connections always have the dialled one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswersFrom {
    /// The address that the client dialled.
    Dialed,
    /// The address that routes choose, unless the relay listens on one address only. A client that dialled another
    /// one does not recognize the answer.
    Route,
}

/// What a relay takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A socket of its node.
    Socket {
        /// Address; nothing means all addresses of the node.
        address: Option<IpAddr>,
        /// Port.
        port: u16,
    },
    /// Every packet that reaches its node with a destination inside the prefix.
    Transparent {
        /// Destinations.
        prefix: IpNet,
    },
}

/// What a relay dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dial {
    /// A fixed address and port.
    To {
        /// Address.
        address: IpAddr,
        /// Port.
        port: u16,
    },
    /// The address and port that the client dialled.
    Same,
    /// The port that the client dialled, at this address.
    SamePort {
        /// Address.
        address: IpAddr,
    },
    /// Nothing: the client is told that the network is unreachable.
    Nowhere,
}

/// Which source address a relay's second leg has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceAs {
    /// An address of the dialling node, chosen by its routes.
    Dialer,
    /// This address of the dialling node.
    Bound(IpAddr),
    /// The client's own address; `loopback` in place of clients that came over loopback.
    Client {
        /// What loopback clients appear as.
        loopback: IpAddr,
    },
}

/// A name that can be resolved at a node.
#[derive(Clone, Debug)]
pub struct Name {
    /// The name.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
    /// Exists only while this switch is on.
    pub guard: Option<SwitchId>,
    /// Why.
    pub origin: OriginId,
}

impl Node {
    /// The interface with this index, which must come from this node.
    #[expect(clippy::indexing_slicing, reason = "interface ids are made while the node is built")]
    pub fn interface(&self, id: InterfaceId) -> &Interface {
        &self.interfaces[id.0]
    }

    /// Whether a route counts: not while its interface is down.
    pub fn is_alive(&self, route: &Route) -> bool {
        match route.target {
            RouteTarget::Via { interface, .. } => self.interface(interface).up,
            RouteTarget::Local { .. } | RouteTarget::Unreachable => true,
        }
    }

    /// The interface with this name.
    pub fn interface_named(&self, name: &str) -> Option<InterfaceId> {
        self.interfaces.iter().position(|i| i.name == name).map(InterfaceId)
    }

    /// Every address of the node, loopback included.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.interfaces.iter().flat_map(|i| i.addresses.iter().map(|a| a.net.addr()))
    }

    /// The first address that is not loopback.
    pub fn main_address(&self) -> Option<IpAddr> {
        self.addresses().find(|a| !a.is_loopback())
    }
}
