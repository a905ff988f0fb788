//! Flows and what became of them: the data that both engines, the checker and the reports share.

use std::net::IpAddr;

use crate::net::{Header, Protocol};
use crate::provenance::OriginId;

use super::{ChainId, Hook, InterfaceId, LinkId, NodeId, Reject};

/// A connection attempt: who dials what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The node that dials.
    pub from: NodeId,
    /// Protocol.
    pub protocol: Protocol,
    /// Source address; nothing means that the node's routes choose it.
    pub source: Option<IpAddr>,
    /// Source port; 0 for ICMP.
    pub source_port: u16,
    /// Dialled address.
    pub destination: IpAddr,
    /// Dialled port; 0 for ICMP.
    pub destination_port: u16,
}

/// Request or reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the dialler.
    Request,
    /// Back to the dialler.
    Reply,
}

/// One thing that happened to a packet.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which connection of the path: 0 up to the first relay, then one more behind each relay.
    pub leg: usize,
    /// Request or reply.
    pub way: Way,
    /// Where.
    pub node: NodeId,
    /// The packet afterwards.
    pub header: Header,
    /// What.
    pub event: Event,
    /// Why, if something in the configuration is responsible.
    pub origin: Option<OriginId>,
}

/// What happened in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A program dials.
    Dialed,
    /// A packet came in.
    Received {
        /// Through this interface.
        interface: InterfaceId,
    },
    /// The routing table chose this interface.
    Routed {
        /// Outgoing interface.
        interface: InterfaceId,
        /// Next hop, if it is not the destination.
        gateway: Option<IpAddr>,
    },
    /// A rule decided. Rules that only jump or return are not steps.
    Filtered {
        /// The hook.
        hook: Hook,
        /// The chain with the rule.
        chain: ChainId,
        /// The rule's index in its chain; nothing means the base chain's policy.
        rule: Option<usize>,
        /// What it decided.
        decision: Decision,
    },
    /// Addresses or ports were rewritten by a nat rule, or back by connection tracking.
    Rewritten {
        /// The packet before.
        before: Header,
        /// Undone by connection tracking rather than done by a rule.
        undone: bool,
    },
    /// Crossed a link to another node.
    Crossed {
        /// The link.
        link: LinkId,
        /// To.
        to: NodeId,
    },
    /// Reached a listening socket of this owner.
    Delivered {
        /// Who listens.
        owner: String,
    },
    /// Taken by a relay, which now dials itself.
    Relayed {
        /// What the relay is called.
        relay: String,
    },
    /// The answer reached the dialler.
    Answered,
    /// It ended here.
    Ended(Disposition),
}

/// What a filter rule decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Let on.
    Accepted,
    /// Dropped.
    Dropped,
    /// Rejected.
    Rejected(Reject),
}

/// Which ICMP error came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpError {
    /// Port unreachable.
    Port,
    /// Host unreachable.
    Host,
    /// Network unreachable.
    Net,
    /// Host prohibited.
    HostProhibited,
    /// Administratively prohibited.
    AdminProhibited,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Reached a listening socket, a relay, or (ping) the kernel.
    Delivered,
    /// Reached its node, where nobody listens.
    NoListener,
    /// Dropped by a rule or a policy.
    Dropped,
    /// Rejected by a rule.
    Rejected(Reject),
    /// The kernel refuses it as martian: a loopback address from outside.
    Martian,
    /// It came by another interface than its answer would leave by, and the node checks that.
    WrongInterface,
    /// No route at this node.
    NoRoute,
    /// Nobody answers for the next hop.
    NoNeighbor,
    /// The node does not forward.
    NotForwarding,
    /// Sent round in a circle.
    Loop,
    /// A user-space NAT has no use for it.
    NoRelay,
    /// An answer that does not belong to any connection of the node that got it.
    Unexpected,
    /// The name is unknown where it is asked.
    NameUnknown,
}

/// What the person who dials sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Symptom {
    /// It works.
    Works,
    /// "Connection refused", at once.
    Refused,
    /// The connection is made, then reset or closed without data.
    AcceptedThenClosed,
    /// Nothing comes back: "timed out".
    TimedOut,
    /// "No route to host", at once.
    HostUnreachable,
    /// "No route to host", after seconds (nobody answers ARP).
    NoNeighbor,
    /// "Network is unreachable", at once.
    NetUnreachable,
    /// The name does not resolve.
    NameNotResolved,
}

/// Who got the connection, and what it looked like there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The node.
    pub node: NodeId,
    /// The socket's owner.
    pub owner: String,
    /// The packet as the socket saw it: its source is the address that shows up in logs.
    pub header: Header,
}

/// The end of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What became of the packet that decided it.
    pub disposition: Disposition,
    /// What the dialler sees.
    pub symptom: Symptom,
    /// Who got the request, if a socket did: also when the answer is lost.
    pub delivery: Option<Delivery>,
}

/// Everything that happened to a flow.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The flow.
    pub flow: Flow,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// The end.
    pub outcome: Outcome,
}
