//! Connection tracking of all nodes: which connections they have seen, and how they rewrote them.

use std::net::IpAddr;

use crate::dataplane::NodeId;
use crate::net::{Header, Protocol};

use super::packet::{Kind, Packet};

/// A tracked connection of one node.
#[derive(Clone, Debug)]
struct Entry {
    node: NodeId,
    /// The first packet as it came in.
    original: Header,
    /// The answer as it will come in.
    reply: Header,
    destination_bound: bool,
    source_bound: bool,
    answered: bool,
    mark: u32,
}

/// The connections that the nodes of a path track.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
}

/// How a packet relates to the connections of the node it is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tracked {
    entry: Option<usize>,
    direction: Direction,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Original,
    Reply,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    New,
    Established,
    Related,
    Invalid,
    Untracked,
}

impl Tracked {
    /// What chains before connection tracking (raw) see.
    pub(super) const NONE: Self = Self { entry: None, direction: Direction::Original, state: State::Invalid };
    /// What is exempt from tracking stays without connection.
    pub(super) const EXEMPT: Self = Self { entry: None, direction: Direction::Original, state: State::Untracked };

    /// Whether the packet goes back to whoever began its connection.
    pub(super) fn is_reply(self) -> bool {
        self.entry.is_some() && self.direction == Direction::Reply
    }
}

/// Which half of a header a hook rewrites: before routing the destination, after it the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Destination,
    Source,
}

impl Entry {
    fn tuple(&self, direction: Direction) -> Header {
        match direction {
            Direction::Original => self.original,
            Direction::Reply => self.reply,
        }
    }
}

impl Table {
    /// Finds or makes the entry for a packet that has just come to `node`.
    pub(super) fn track(&mut self, node: NodeId, packet: &Packet) -> Tracked {
        let header = packet.header;
        let direction = if packet.kind == Kind::Request { Direction::Original } else { Direction::Reply };
        // The latest entry wins: a relay may dial the same tuple again.
        if let Some(index) = self.entries.iter().rposition(|e| e.node == node && e.tuple(direction) == header) {
            return self.found(index, direction, packet.kind);
        }
        if !begins_connection(packet) {
            return Tracked { entry: None, direction: Direction::Original, state: State::Invalid };
        }
        self.entries.push(Entry {
            node,
            original: header,
            reply: header.reversed(),
            destination_bound: false,
            source_bound: false,
            answered: false,
            mark: 0,
        });
        Tracked { entry: Some(self.entries.len() - 1), direction: Direction::Original, state: State::New }
    }

    fn found(&mut self, index: usize, direction: Direction, kind: Kind) -> Tracked {
        let answered = self.entries.get_mut(index).is_some_and(|e| {
            e.answered |= direction == Direction::Reply;
            e.answered
        });
        let state = match kind {
            Kind::Error(_) => State::Related,
            _ if answered => State::Established,
            _ => State::New,
        };
        Tracked { entry: Some(index), direction, state }
    }

    fn entry(&self, tracked: Tracked) -> Option<&Entry> {
        self.entries.get(tracked.entry?)
    }

    /// Whether nat chains still have to be asked about this half of the connection.
    pub(super) fn is_unbound(&self, tracked: Tracked, half: Half) -> bool {
        tracked.state == State::New
            && tracked.direction == Direction::Original
            && self.entry(tracked).is_some_and(|e| match half {
                Half::Destination => !e.destination_bound,
                Half::Source => !e.source_bound,
            })
    }

    /// Remembers what nat chains decided about this half; nothing binds it as it is.
    pub(super) fn bind(&mut self, tracked: Tracked, half: Half, to: Option<(IpAddr, u16)>) {
        let Some(entry) = tracked.entry.and_then(|i| self.entries.get_mut(i)) else { return };
        match half {
            Half::Destination => {
                entry.destination_bound = true;
                if let Some((address, port)) = to {
                    entry.reply.source = address;
                    entry.reply.source_port = port;
                }
            }
            Half::Source => {
                entry.source_bound = true;
                if let Some((address, port)) = to {
                    entry.reply.destination = address;
                    entry.reply.destination_port = port;
                }
            }
        }
    }

    /// The header with this half rewritten as the connection says.
    pub(super) fn rewritten(&self, tracked: Tracked, half: Half, header: Header) -> Header {
        let Some(entry) = self.entry(tracked) else { return header };
        let towards = match tracked.direction {
            Direction::Original => entry.reply.reversed(),
            Direction::Reply => entry.original.reversed(),
        };
        match half {
            Half::Destination => {
                Header { destination: towards.destination, destination_port: towards.destination_port, ..header }
            }
            Half::Source => Header { source: towards.source, source_port: towards.source_port, ..header },
        }
    }

    /// The connection's first packet.
    pub(super) fn original(&self, tracked: Tracked) -> Option<Header> {
        self.entry(tracked).map(|e| e.original)
    }

    /// The connection's mark; 0 where there is no connection.
    pub(super) fn mark(&self, tracked: Tracked) -> u32 {
        self.entry(tracked).map_or(0, |e| e.mark)
    }

    /// Sets the connection's mark.
    pub(super) fn set_mark(&mut self, tracked: Tracked, mark: u32) {
        if let Some(entry) = tracked.entry.and_then(|i| self.entries.get_mut(i)) {
            entry.mark = mark;
        }
    }

    /// Whether this half of the connection is rewritten.
    pub(super) fn is_rewritten(&self, tracked: Tracked, half: Half) -> bool {
        self.entry(tracked).is_some_and(|e| {
            let plain = e.original.reversed();
            match half {
                Half::Destination => (e.reply.source, e.reply.source_port) != (plain.source, plain.source_port),
                Half::Source => {
                    (e.reply.destination, e.reply.destination_port) != (plain.destination, plain.destination_port)
                }
            }
        })
    }
}

/// An answer without a question is invalid for TCP and ICMP; a datagram begins a connection of its own.
fn begins_connection(packet: &Packet) -> bool {
    match packet.kind {
        Kind::Request => true,
        Kind::Answer => packet.header.protocol == Protocol::Udp,
        Kind::Reset | Kind::Error(_) => false,
    }
}
