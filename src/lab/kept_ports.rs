//! Ports that Windows keeps for itself, as `netsh` lists them. A program that asks for one of them is refused.

use crate::net::{PortRange, Protocol};
use crate::source::{Span, Spanned};

/// What one listing says about the ports of a protocol.
#[derive(Clone, Debug)]
pub struct KeptPorts {
    /// The protocol.
    pub protocol: Protocol,
    /// What it lists.
    pub what: Kept,
    /// The whole listing.
    pub span: Span,
}

/// What a listing of ports lists.
#[derive(Clone, Debug)]
pub enum Kept {
    /// All ranges that nobody may listen in (`show excludedportrange`). Those that an administrator has set aside are not
    /// among them: whoever asks for such a port by number gets it.
    Excluded(Vec<Spanned<PortRange>>),
    /// The range that ports are taken from for whoever does not care which (`show dynamicportrange`), Windows included.
    Dynamic(PortRange),
}

/// Whether a program can have a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Windows keeps it: the entry that says so.
    Excluded(Span),
    /// A listing says all that Windows keeps, and this port is not among it.
    Free,
    /// Nothing is listed, and Windows takes what it keeps from where this port lies.
    Dynamic,
    /// Nothing is listed.
    Unlisted,
}

/// Windows takes ports from 49152 on unless somebody has told it otherwise (Microsoft, "Default dynamic port range for
/// TCP/IP").
const DYNAMIC: u16 = 49152;

/// What the listings of a machine say about a port.
pub fn kind(listings: &[KeptPorts], protocol: Protocol, port: u16) -> Kind {
    let mut found = Kind::Unlisted;
    let mut is_dynamic = DYNAMIC <= port;
    for listing in listings.iter().filter(|listing| listing.protocol == protocol) {
        match &listing.what {
            Kept::Excluded(ranges) => match ranges.iter().find(|range| range.value.contains(port)) {
                Some(range) => return Kind::Excluded(range.span),
                None => found = Kind::Free,
            },
            Kept::Dynamic(range) => is_dynamic = range.contains(port),
        }
    }
    if found == Kind::Unlisted && is_dynamic { Kind::Dynamic } else { found }
}
