//! Headers made of unknowns and constants, and the connections that carry them.

use std::net::IpAddr;

use crate::dataplane::NodeId;
use crate::net::{IpNet, PortRange, Protocol, address_bits};

use super::assumed::Assumed;
use super::condition::{Condition, Variable};
use super::ranges::Ranges;

/// One header field: known, or one of the flow's unknowns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Known(u128),
    Unknown(Variable),
}

impl Field {
    pub(super) fn address(address: IpAddr) -> Self {
        Self::Known(address_bits(address))
    }

    /// The field with what is assumed taken into account.
    pub(super) fn settled(self, assumed: &Assumed) -> Self {
        match self {
            Self::Unknown(variable) => assumed.domain(variable).single().map_or(self, Self::Known),
            Self::Known(_) => self,
        }
    }

    /// The values that the field may have.
    pub(super) fn values(self, assumed: &Assumed) -> Ranges {
        match self {
            Self::Known(value) => Ranges::one(value),
            Self::Unknown(variable) => assumed.domain(variable).clone(),
        }
    }

    /// The condition that the field lies in a set.
    pub(super) fn within(self, set: &Ranges, assumed: &Assumed) -> Condition {
        match self {
            Self::Known(value) => Condition::of(set.contains(value)),
            Self::Unknown(variable) => assumed.fold(variable, set),
        }
    }

    pub(super) fn in_net(self, net: &IpNet, assumed: &Assumed) -> Condition {
        if net.max_prefix_len() != u8::try_from(assumed.family.bits()).unwrap_or(u8::MAX) {
            return Condition::False;
        }
        self.within(&Ranges::of_net(net), assumed)
    }

    pub(super) fn in_ports(self, ports: PortRange, assumed: &Assumed) -> Condition {
        self.within(&Ranges::of_ports(ports), assumed)
    }

    /// The condition that two fields are equal, where the cheap domain can tell.
    pub(super) fn equals(self, other: Self, assumed: &Assumed) -> Option<bool> {
        let (a, b) = (self.settled(assumed), other.settled(assumed));
        if a == b {
            return Some(true);
        }
        a.values(assumed).intersect(&b.values(assumed)).is_empty().then_some(false)
    }
}

/// A header of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) protocol: Protocol,
    pub(super) source: Field,
    pub(super) source_port: Field,
    pub(super) destination: Field,
    pub(super) destination_port: Field,
}

impl Fields {
    pub(super) fn reversed(&self) -> Self {
        Self {
            protocol: self.protocol,
            source: self.destination,
            source_port: self.destination_port,
            destination: self.source,
            destination_port: self.source_port,
        }
    }

    /// Whether two headers are equal, where the cheap domain can tell.
    pub(super) fn equals(&self, other: &Self, assumed: &Assumed) -> Option<bool> {
        let pairs = [
            (self.source, other.source),
            (self.source_port, other.source_port),
            (self.destination, other.destination),
            (self.destination_port, other.destination_port),
        ];
        let mut all_known = true;
        for (a, b) in pairs {
            match a.equals(b, assumed) {
                Some(false) => return Some(false),
                Some(true) => {}
                None => all_known = false,
            }
        }
        all_known.then_some(true)
    }
}

/// Request or answer; errors are not followed here, only connections that succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    Request,
    Answer,
}

/// A connection that a node of the path tracks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    pub(super) node: NodeId,
    pub(super) original: Fields,
    pub(super) reply: Fields,
    pub(super) destination_bound: bool,
    pub(super) source_bound: bool,
    pub(super) mark: u32,
}

impl Connection {
    pub(super) fn new(node: NodeId, original: Fields) -> Self {
        Self { node, original, reply: original.reversed(), destination_bound: false, source_bound: false, mark: 0 }
    }

    pub(super) fn destination_is_rewritten(&self) -> bool {
        (self.reply.source, self.reply.source_port) != (self.original.destination, self.original.destination_port)
    }

    pub(super) fn source_is_rewritten(&self) -> bool {
        (self.reply.destination, self.reply.destination_port) != (self.original.source, self.original.source_port)
    }
}
