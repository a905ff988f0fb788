//! Where the things that a trace names are in the picture.

use std::collections::BTreeMap;

use crate::dataplane::{InterfaceId, NodeId};
use crate::source::Span;

use super::Id;

/// Who wrote the rules that a guard stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GuardKind {
    /// firewalld.
    Firewalld,
    /// The user, with iptables, ufw or nft.
    Own,
}

/// From the dataplane to the picture.
#[derive(Clone, Debug, Default)]
pub struct Places {
    pub(super) nodes: BTreeMap<NodeId, Id>,
    pub(super) interfaces: BTreeMap<(NodeId, InterfaceId), Id>,
    /// Programs of a node that have a place of their own there.
    pub(super) owners: BTreeMap<(NodeId, String), Id>,
    /// Listening sockets of a node, by port.
    pub(super) sockets: BTreeMap<(NodeId, String, u16), Id>,
    /// Published ports and forwards of a node, by the line that they are written in.
    pub(super) forwards: Vec<(NodeId, Span, Id)>,
    pub(super) guards: BTreeMap<(NodeId, GuardKind), Id>,
    /// The house that a house stands in, or that a door belongs to.
    pub(super) outer: BTreeMap<Id, Id>,
}

impl Places {
    /// The published port or forward of a node that a line makes.
    pub(super) fn forward(&self, node: NodeId, line: Span) -> Option<Id> {
        self.forwards.iter().find(|(at, span, _)| *at == node && *span == line).map(|(.., id)| *id)
    }

    /// Where a program is, as closely as the picture shows it.
    pub(super) fn listener(&self, node: NodeId, owner: &str, port: u16) -> Option<Id> {
        let socket = self.sockets.get(&(node, owner.to_owned(), port));
        socket.or_else(|| self.owners.get(&(node, owner.to_owned()))).or_else(|| self.nodes.get(&node)).copied()
    }

    /// An element and every house around it.
    pub(super) fn around(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(Some(id), |inner| self.outer.get(inner).copied())
    }
}
