//! Encodes the dataplane for Z3, solves, and decodes models to flows. The only module that names z3.
//!
//! A query asks for a connection that succeeds: the request is taken by a socket of the goal and the answer comes
//! back. The dataplane is unrolled along the ways such a connection can go ([`walk`]); conditions that the cheap
//! domain of number ranges decides are folded on the way ([`condition`]); what stays open goes to the solver as
//! bit-vectors of 32 or 128 bits for addresses and 16 for ports, one family per query, and one Boolean per switch.
//!
//! Soundness rests on the replay: every model is decoded to a flow that `eval` follows, sharing no code with this
//! module. Completeness: "no way" is an answer only if the walk met nothing that it cannot encode
//! ([`Answer::Unknown`] otherwise).

mod area;
mod assumed;
mod boxes;
mod condition;
mod dead;
mod index;
mod marks;
mod matching;
mod packet;
mod ranges;
mod route;
mod rules;
mod slice;
mod solve;
mod sources;
mod survey;
mod takers;
mod walk;

use std::net::IpAddr;

pub use dead::{Dead, RuleAt, dead_rules};
pub use slice::relevant_nodes;
pub use solve::{Answer, Encoding};
pub use sources::{AddressSet, Sources};
pub use survey::{Found, Survey, survey};

use crate::dataplane::NodeId;
use crate::net::{Family, PortRange, Protocol, address_bits};

use condition::Variable;
use ranges::Ranges;

/// What the solver is asked: a connection that succeeds.
#[derive(Clone, Debug)]
pub struct Query {
    /// Who dials.
    pub from: NodeId,
    /// Address family.
    pub family: Family,
    /// Protocol.
    pub protocol: Protocol,
    /// Any of these source addresses; nothing means that the dialler's routes choose.
    pub sources: Option<Sources>,
    /// Any of these destination addresses; nothing means every address there is.
    pub destinations: Option<Vec<IpAddr>>,
    /// Any of these destination ports.
    pub ports: PortRange,
    /// Who has to take it.
    pub goal: Goal,
}

fn addresses(all: &[IpAddr], family: Family) -> Ranges {
    let of_family = all.iter().filter(|a| Family::of(**a) == family);
    of_family.fold(Ranges::empty(), |set, a| set.union(&Ranges::one(address_bits(*a))))
}

/// Who has to take a connection.
#[derive(Clone, Debug)]
pub enum Goal {
    /// Any program anywhere.
    Anyone,
    /// A program's socket.
    Socket {
        /// Its node.
        node: NodeId,
        /// Only sockets of this owner; nothing means any.
        owner: Option<String>,
        /// On these ports of the node.
        ports: PortRange,
    },
    /// The kernel of a node, which answers pings.
    Kernel(NodeId),
}

impl Goal {
    /// The node that the goal is on, if it is on one.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Self::Socket { node, .. } | Self::Kernel(node) => Some(*node),
            Self::Anyone => None,
        }
    }

    fn is_socket(&self, at: NodeId, of: &str) -> bool {
        match self {
            Self::Socket { node, owner, .. } => *node == at && owner.as_ref().is_none_or(|o| o == of),
            Self::Anyone => true,
            Self::Kernel(_) => false,
        }
    }
}

impl Query {
    fn bounds(&self) -> Vec<(Variable, Ranges)> {
        let mut bounds = Vec::new();
        if let Some(sources) = &self.sources {
            bounds.push((Variable::Source, sources.ranges(self.family)));
        }
        if let Some(destinations) = &self.destinations {
            bounds.push((Variable::Destination, addresses(destinations, self.family)));
        }
        bounds.push((Variable::DestinationPort, Ranges::of_ports(self.ports)));
        if self.protocol == Protocol::Icmp {
            bounds.push((Variable::SourcePort, Ranges::one(0)));
        }
        bounds
    }
}
