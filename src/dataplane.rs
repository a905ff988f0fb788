//! The small machine model that both engines read: nodes, links, hooks, rewrites, sockets and relays.
//!
//! It mentions no product. Every element carries the origin that explains it, and may be guarded by a switch: a
//! guarded element exists only while its switch is on.

pub mod dump;
pub mod flow;
pub mod node;
pub mod ruleset;
mod settle;

pub use flow::{Decision, Delivery, Disposition, Event, Flow, IcmpError, Outcome, Step, Symptom, Trace, Way};
pub use node::{
    AnswersFrom, Bridge, Dial, Interface, InterfaceAddress, InterfaceId, Link, LinkId, Listen, Name, Node, NodeId,
    NodeKind, Relay, Route, RouteTarget, Socket, SourceAs, Sysctls, Toggle,
};
pub use ruleset::{
    Action, Chain, ChainId, ChainKind, Hook, HookPoint, Match, Policy, Reject, Rule, Ruleset, States, Table,
    TableFamily, TableId,
};

use crate::provenance::Origins;
use crate::switch::Switches;

/// What the lab does with packets.
#[derive(Clone, Debug, Default)]
pub struct Dataplane {
    /// Network namespaces and user-space NAT engines.
    pub nodes: Vec<Node>,
    /// Layer-2 segments.
    pub links: Vec<Link>,
    /// Assumptions, candidate edits and unmodelled facts.
    pub switches: Switches,
    /// Why everything in here exists.
    pub origins: Origins,
}

impl Dataplane {
    /// The node named by `id`, which must come from this dataplane.
    #[expect(clippy::indexing_slicing, reason = "ids are made by `add_node` of the same dataplane")]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The node named by `id`, to be filled while lowering.
    #[expect(clippy::indexing_slicing, reason = "ids are made by `add_node` of the same dataplane")]
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0]
    }

    /// The link named by `id`, which must come from this dataplane.
    #[expect(clippy::indexing_slicing, reason = "ids are made by `add_link` of the same dataplane")]
    pub fn link(&self, id: LinkId) -> &Link {
        &self.links[id.0]
    }

    /// Adds a node.
    pub fn add_node(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }

    /// Adds a link.
    pub fn add_link(&mut self, link: Link) -> LinkId {
        self.links.push(link);
        LinkId(self.links.len() - 1)
    }

    /// Every node with its id.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(i, n)| (NodeId(i), n))
    }

    /// The node with this name.
    pub fn node_named(&self, name: &str) -> Option<NodeId> {
        self.nodes().find(|(_, n)| n.name == name).map(|(id, _)| id)
    }

    /// The interfaces on a link.
    pub fn members(&self, link: LinkId) -> impl Iterator<Item = (NodeId, InterfaceId, &Interface)> {
        self.nodes().flat_map(move |(id, node)| {
            node.interfaces
                .iter()
                .enumerate()
                .filter(move |(_, i)| i.link == Some(link))
                .map(move |(n, i)| (id, InterfaceId(n), i))
        })
    }
}
