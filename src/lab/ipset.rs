//! Sets of ipset, as `ipset save` prints them.

use crate::net::{IpNet, PortRange, Protocol};
use crate::source::Spanned;

/// A set with its elements.
#[derive(Clone, Debug)]
pub struct IpSet {
    /// Its name.
    pub name: Spanned<String>,
    /// Elements, each with one part for every dimension of the set.
    pub elements: Vec<Vec<SetPart>>,
    /// Elements that do not count, although another one covers them (`nomatch`).
    pub excluded: Vec<Vec<SetPart>>,
}

/// A part of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetPart {
    /// Addresses.
    Nets(Vec<IpNet>),
    /// Ports of a protocol.
    Ports(Protocol, PortRange),
    /// An interface.
    Interface(String),
    /// A mark of the packet.
    Mark(u32),
    /// Another set.
    Set(String),
    /// Something that has no model, as it was written.
    Unmodeled(String),
}
