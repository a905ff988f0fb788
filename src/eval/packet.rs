//! The packet under way.

use crate::dataplane::{IcmpError, Reject};
use crate::net::{Header, Protocol};

/// What a packet is in the life of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The first packet: SYN, datagram, echo request.
    Request,
    /// The answer: SYN-ACK, datagram, echo reply.
    Answer,
    /// A TCP reset.
    Reset,
    /// An ICMP error. Its header here is the one an answer would have: connection tracking looks at the packet
    /// quoted inside, whose reverse it is.
    Error(IcmpError),
}

/// A packet: header, kind, and what rules may set on it while it is in one kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) header: Header,
    pub(super) kind: Kind,
    pub(super) mark: u32,
    /// Exempt from connection tracking.
    pub(super) untracked: bool,
}

impl Packet {
    pub(super) fn request(header: Header) -> Self {
        Self { header, kind: Kind::Request, mark: 0, untracked: false }
    }

    /// A packet of the given kind in the other direction.
    pub(super) fn reply(&self, kind: Kind) -> Self {
        Self { header: self.header.reversed(), kind, mark: 0, untracked: false }
    }

    /// The packet as another kernel gets it.
    pub(super) fn bare(&self) -> Self {
        Self { mark: 0, untracked: false, ..*self }
    }

    /// The protocol that a filter sees.
    pub(super) fn visible_protocol(&self) -> Protocol {
        match self.kind {
            Kind::Error(_) => Protocol::Icmp,
            _ => self.header.protocol,
        }
    }

    /// The ICMP type that a filter sees.
    pub(super) fn icmp_type(&self) -> Option<u8> {
        match self.kind {
            Kind::Error(_) => Some(3),
            Kind::Request => (self.header.protocol == Protocol::Icmp).then_some(8),
            Kind::Answer | Kind::Reset => (self.header.protocol == Protocol::Icmp).then_some(0),
        }
    }
}

/// What a node sends when a rule rejects a packet.
pub(super) fn answer_of(reject: Reject) -> Kind {
    match reject {
        Reject::TcpReset => Kind::Reset,
        Reject::PortUnreachable => Kind::Error(IcmpError::Port),
        Reject::HostUnreachable => Kind::Error(IcmpError::Host),
        Reject::NetUnreachable => Kind::Error(IcmpError::Net),
        Reject::HostProhibited => Kind::Error(IcmpError::HostProhibited),
        Reject::AdminProhibited => Kind::Error(IcmpError::AdminProhibited),
    }
}
