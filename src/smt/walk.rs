//! The ways on which a connection can succeed, each with the condition under which it is taken.
//!
//! The dataplane is unrolled from the dialler: every choice that a set of packets leaves open (route, neighbour,
//! translation, socket) becomes a case of its own; everything else is a condition. Cases that cannot succeed are
//! dropped at once: the interpreter explains failures, not this module.

mod hook;

use std::collections::BTreeSet;

use z3::ast::Bool;

use crate::dataplane::{
    AnswersFrom, Dataplane, Dial, Hook, InterfaceId, LinkId, Listen, Node, NodeId, NodeKind, Relay, Toggle,
};
use crate::net::{Protocol, address_from_bits};

use super::Query;
use super::assumed::Assumed;
use super::condition::{Condition, Variable};
use super::index::Index;
use super::matching::routed_back;
use super::packet::{Connection, Field, Fields, Sense};
use super::ranges::Ranges;
use super::route::{self, Towards};
use super::rules::Phase;
use super::slice;
use super::takers::{Taker, loopback_addresses, sources_behind, takers};

/// A packet visits at most this many nodes, a connection at most this many relays.
const MOST_HOPS: usize = 32;
const MOST_LEGS: usize = 8;
const LOOPBACK: InterfaceId = InterfaceId(0);

/// A way on which a connection succeeds.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) assumed: Assumed,
    /// The source of a connection to oneself is what it goes to.
    pub(super) is_to_itself: bool,
}

impl Way {
    /// Everything that is assumed, as one term; the source that routes chose, too, so that it can be read from the model.
    pub(super) fn term(&self) -> Bool {
        let family = self.assumed.family;
        let all = self.assumed.term();
        if !self.is_to_itself {
            return all;
        }
        Bool::and(&[all, Variable::Source.term(family).eq(Variable::Destination.term(family))])
    }
}

/// Every way, and whether there may be more that the encoding cannot see.
pub(super) struct Ways {
    /// The nodes that were looked at: all that can lie on a way.
    pub(super) nodes: BTreeSet<NodeId>,
    pub(super) all: Vec<Way>,
    pub(super) unsure: Vec<String>,
}

pub(super) fn ways(dataplane: &Dataplane, query: &Query) -> Ways {
    let relevant = slice::relevant_nodes(dataplane, query);
    let index = Index::of(dataplane, query.family);
    let mut walk = Walk { dataplane, index, query, relevant, unsure: BTreeSet::new(), legs: 0 };
    let all = walk.dialed();
    Ways { nodes: walk.relevant, all, unsure: walk.unsure.into_iter().collect() }
}

struct Walk<'a> {
    dataplane: &'a Dataplane,
    index: Index<'a>,
    query: &'a Query,
    relevant: BTreeSet<NodeId>,
    unsure: BTreeSet<String>,
    legs: usize,
}

/// What a case has gathered.
#[derive(Clone)]
struct Case {
    assumed: Assumed,
    connections: Vec<Connection>,
}

/// A packet at a node.
#[derive(Clone, Copy)]
struct At {
    node: NodeId,
    incoming: Option<InterfaceId>,
    fields: Fields,
    sense: Sense,
    connection: Option<usize>,
    phase: Phase,
    /// The packet goes the way on which its connection began.
    is_original: bool,
    /// Connection tracking has seen the packet at this node.
    tracked: bool,
    /// The packet's mark.
    mark: u32,
    /// The packet is exempt from connection tracking.
    untracked: bool,
}

impl At {
    /// A packet as a kernel gets it that has not seen it before.
    fn bare(node: NodeId, incoming: Option<InterfaceId>, fields: Fields, sense: Sense) -> Self {
        Self {
            node,
            incoming,
            fields,
            sense,
            connection: None,
            phase: Phase::Unseen,
            is_original: true,
            tracked: false,
            mark: 0,
            untracked: false,
        }
    }
}

/// A request that reached its node's sockets, or an answer that came to a node.
struct Arrived {
    case: Case,
    at: At,
}

impl<'a> Walk<'a> {
    fn dialed(&mut self) -> Vec<Way> {
        let query = self.query;
        let family = query.family;
        let mut assumed = Assumed::new(family);
        for (variable, set) in query.bounds() {
            match assumed.clone().and(Condition::In(variable, set)) {
                Some(narrowed) => assumed = narrowed,
                None => return Vec::new(),
            }
        }
        let case = Case { assumed, connections: Vec::new() };
        let destination = Field::Unknown(Variable::Destination);
        let destination_port = Field::Unknown(Variable::DestinationPort);
        let source_port = Field::Unknown(Variable::SourcePort);
        let fixed = query.sources.as_ref().map(|_| Field::Unknown(Variable::Source));
        let template = (query.protocol, source_port, destination, destination_port);
        let found = self.connect(case, query.from, fixed, template);
        found
            .into_iter()
            .filter_map(|(case, source)| {
                let assumed = match source {
                    Field::Known(bits) => case.assumed.and(Condition::In(Variable::Source, Ranges::one(bits)))?,
                    Field::Unknown(_) => case.assumed,
                };
                Some(Way { assumed, is_to_itself: source == destination })
            })
            .collect()
    }

    /// All ways in which a connection of this node succeeds, relays behind it included.
    fn connect(
        &mut self,
        case: Case,
        from: NodeId,
        source: Option<Field>,
        (protocol, source_port, destination, destination_port): (Protocol, Field, Field, Field),
    ) -> Vec<(Case, Field)> {
        let mut succeeded = Vec::new();
        for (towards, assumed) in route::routes(&self.index, from, destination, Sense::Request, &case.assumed) {
            let case = Case { assumed, connections: case.connections.clone() };
            let Some((case, source)) = self.with_source(case, from, source, towards, destination) else { continue };
            let fields = Fields { protocol, source, source_port, destination, destination_port };
            for arrived in self.send(case, from, fields, Sense::Request) {
                let answered = self.taken(arrived, from, fields);
                succeeded.extend(answered.into_iter().map(|case| (case, source)));
            }
        }
        succeeded
    }

    /// The source address that the node's routes choose, unless it is given.
    fn with_source(
        &self,
        case: Case,
        from: NodeId,
        given: Option<Field>,
        towards: Towards,
        destination: Field,
    ) -> Option<(Case, Field)> {
        if let Some(field) = given {
            return Some((case, field));
        }
        let family = case.assumed.family;
        let node = self.dataplane.node(from);
        match towards {
            Towards::Out { interface, gateway, source } => {
                let hop = gateway.or_else(|| match destination.settled(&case.assumed) {
                    Field::Known(bits) => Some(address_from_bits(family, bits)),
                    Field::Unknown(_) => None,
                });
                let address = source.or_else(|| route::own_address(node, interface, hop, family))?;
                Some((case, Field::address(address)))
            }
            // A packet to oneself comes from the address it goes to; loopback always from 127.0.0.1.
            Towards::Local => match destination.settled(&case.assumed) {
                Field::Known(bits) => {
                    let address = address_from_bits(family, bits);
                    let source = if address.is_loopback() { family.loopback() } else { address };
                    Some((case, Field::address(source)))
                }
                field @ Field::Unknown(_) => {
                    let is_loopback = field.within(&loopback_addresses(family), &case.assumed);
                    let own = Field::address(family.loopback());
                    Some((case, if matches!(is_loopback, Condition::True) { own } else { field }))
                }
            },
        }
    }

    /// Everything that may become of a packet that a node sends, up to the sockets of a node.
    fn send(&mut self, case: Case, node: NodeId, fields: Fields, sense: Sense) -> Vec<Arrived> {
        let at = At::bare(node, None, fields, sense);
        let mut arrived = Vec::new();
        let mut open = self.leave(case, at, &mut arrived);
        for _ in 0..MOST_HOPS {
            let mut next = Vec::new();
            for (case, at) in open {
                next.extend(self.arrive(case, at, &mut arrived));
            }
            if next.is_empty() {
                return arrived;
            }
            open = next;
        }
        arrived
    }

    fn leave(&mut self, case: Case, at: At, arrived: &mut Vec<Arrived>) -> Vec<(Case, At)> {
        let mut out = Vec::new();
        if self.node(at).kind == NodeKind::UserNat {
            for (towards, assumed) in self.routes(&case, &at) {
                out.extend(self.dispatch(Case { assumed, ..case.clone() }, at, towards, arrived));
            }
            return out;
        }
        for (towards, assumed) in self.routes(&case, &at) {
            let case = Case { assumed, ..case.clone() };
            for (case, at) in self.hook(case, at, Hook::Output, outgoing(towards)) {
                for (towards, assumed) in self.routes(&case, &at) {
                    out.extend(self.dispatch(Case { assumed, ..case.clone() }, at, towards, arrived));
                }
            }
        }
        out
    }

    fn dispatch(&mut self, case: Case, at: At, towards: Towards, arrived: &mut Vec<Arrived>) -> Vec<(Case, At)> {
        match towards {
            Towards::Local => self
                .hook(case, at, Hook::Postrouting, Some(LOOPBACK))
                .into_iter()
                .map(|(case, at)| (case, At { incoming: Some(LOOPBACK), ..at }))
                .collect(),
            Towards::Out { interface, gateway, .. } => {
                let Some(link) = self.node(at).interface(interface).link else { return Vec::new() };
                let mut out = Vec::new();
                for (case, at) in self.hook(case, at, Hook::Postrouting, Some(interface)) {
                    let hop = gateway.map_or(at.fields.destination, Field::address);
                    for (to, port, assumed) in route::neighbors(&self.index, link, hop, at.sense, &case.assumed) {
                        let hears = route::hears(self.dataplane, (to, port), (at.node, interface));
                        if hears && self.relevant.contains(&to) {
                            out.extend(self.transmit(Case { assumed, ..case.clone() }, at, link, (to, port), arrived));
                        }
                    }
                }
                out
            }
        }
    }

    fn transmit(
        &mut self,
        case: Case,
        at: At,
        link: LinkId,
        (to, port): (NodeId, InterfaceId),
        arrived: &mut Vec<Arrived>,
    ) -> Vec<(Case, At)> {
        let over = At::bare(at.node, at.incoming, at.fields, at.sense);
        let entering = |at: At| At::bare(to, Some(port), at.fields, at.sense);
        let Some(bridge) = self.dataplane.link(link).bridge else { return vec![(case, entering(over))] };
        let visits_hooks = bridge.node != at.node
            && bridge.node != to
            && self.dataplane.node(bridge.node).sysctls.bridge_calls_iptables;
        if !visits_hooks {
            return vec![(case, entering(over))];
        }
        let crossing = At { node: bridge.node, incoming: Some(bridge.interface), ..over };
        let mut out = Vec::new();
        for (case, at) in self.hook(case, crossing, Hook::Prerouting, None) {
            if at.fields.destination != over.fields.destination {
                out.extend(self.routed(case, at, arrived));
                continue;
            }
            for (case, at) in self.hook(case, at, Hook::Forward, Some(bridge.interface)) {
                let at = At { incoming: None, ..at };
                let passed = self.hook(case, at, Hook::Postrouting, Some(bridge.interface));
                out.extend(passed.into_iter().map(|(case, at)| (case, entering(at))));
            }
        }
        out
    }

    fn arrive(&mut self, case: Case, at: At, arrived: &mut Vec<Arrived>) -> Vec<(Case, At)> {
        if self.node(at).kind == NodeKind::UserNat {
            arrived.push(Arrived { case, at });
            return Vec::new();
        }
        let Some(case) = self.without_martians(case, &at) else { return Vec::new() };
        let mut out = Vec::new();
        for (case, at) in self.hook(case, at, Hook::Prerouting, None) {
            if let Some(case) = self.the_right_way(case, &at) {
                out.extend(self.routed(case, at, arrived));
            }
        }
        out
    }

    /// What the reverse path filter lets through when a packet is routed.
    fn the_right_way(&self, case: Case, at: &At) -> Option<Case> {
        let Some(interface) = at.incoming.map(|i| self.node(*at).interface(i)) else { return Some(case) };
        let family = case.assumed.family;
        let routes = &self.index.facts(at.node).routes;
        let back = || routed_back(self.node(*at), routes, &interface.name, at.fields.source, &case.assumed);
        let passes = match interface.any_way_in {
            Toggle::On => return Some(case),
            Toggle::Off => back(),
            Toggle::If(switch) => back().or(Condition::switch(switch), family),
        };
        Some(Case { assumed: case.assumed.and(passes)?, ..case })
    }

    /// The kernel refuses loopback addresses from outside, and its own addresses as a stranger's source.
    fn without_martians(&self, case: Case, at: &At) -> Option<Case> {
        let interface = at.incoming?;
        if interface == LOOPBACK {
            return Some(case);
        }
        let node = self.node(*at);
        let family = case.assumed.family;
        let loopback = loopback_addresses(family);
        let mut refused = self.index.facts(at.node).local.minus(&loopback);
        let mut assumed = case.assumed;
        if !node.interface(interface).route_localnet {
            refused = refused.union(&loopback);
            let destination = at.fields.destination.within(&loopback, &assumed).not(family);
            assumed = assumed.and(destination)?;
        }
        let source = at.fields.source.within(&refused, &assumed).not(family);
        Some(Case { assumed: assumed.and(source)?, ..case })
    }

    fn routed(&mut self, case: Case, at: At, arrived: &mut Vec<Arrived>) -> Vec<(Case, At)> {
        let mut out = Vec::new();
        for (towards, assumed) in self.routes(&case, &at) {
            let case = Case { assumed, ..case.clone() };
            if let Towards::Local = towards {
                let input = self.hook(case, at, Hook::Input, None);
                arrived.extend(input.into_iter().map(|(case, at)| Arrived { case, at }));
                continue;
            }
            let forwards = match self.node(at).sysctls.ip_forward {
                Toggle::On => Condition::True,
                Toggle::Off => Condition::False,
                Toggle::If(switch) => Condition::switch(switch),
            };
            let Some(assumed) = case.assumed.and(forwards) else { continue };
            let case = Case { assumed, connections: case.connections };
            for (case, at) in self.hook(case, at, Hook::Forward, outgoing(towards)) {
                out.extend(self.dispatch(case, at, towards, arrived));
            }
        }
        out
    }

    /// Whoever listens takes the request; the answer has to come home.
    fn taken(&mut self, arrived: Arrived, dialer: NodeId, dialed: Fields) -> Vec<Case> {
        let Arrived { case, at } = arrived;
        let mut succeeded = Vec::new();
        let node = self.node(at);
        for (taker, assumed) in takers(node, at.node, &self.query.goal, &at.fields, &case.assumed) {
            let case = Case { assumed, connections: case.connections.clone() };
            match taker {
                Taker::Goal => {
                    succeeded.extend(self.comes_home(case, at.node, at.fields.reversed(), dialer, dialed));
                }
                Taker::Relay(relay) if self.legs + 1 < MOST_LEGS => {
                    // The second leg first: most relays lead elsewhere, and the answer to the client is longer work.
                    for case in self.redialed(case, &at, relay) {
                        for (case, answer) in self.relay_answers(case, &at, relay) {
                            succeeded.extend(self.comes_home(case, at.node, answer, dialer, dialed));
                        }
                    }
                }
                Taker::Relay(_) => {
                    self.unsure.insert("a chain of more relays than are followed".to_owned());
                }
            }
        }
        succeeded
    }

    fn redialed(&mut self, case: Case, at: &At, relay: &Relay) -> Vec<Case> {
        let destination = match relay.dial {
            Dial::To { address, .. } | Dial::SamePort { address } => Field::address(address),
            Dial::Same => at.fields.destination,
            Dial::Nowhere => return Vec::new(),
        };
        let port = match relay.dial {
            Dial::To { port, .. } => Field::Known(u128::from(port)),
            _ => at.fields.destination_port,
        };
        let template = (at.fields.protocol, at.fields.source_port, destination, port);
        self.legs += 1;
        let mut succeeded = Vec::new();
        for (source, assumed) in sources_behind(relay, at.fields.source, &case.assumed) {
            let case = Case { assumed, connections: case.connections.clone() };
            let found = self.connect(case, relay.dial_from, source, template);
            succeeded.extend(found.into_iter().map(|(case, _)| case));
        }
        self.legs -= 1;
        succeeded
    }

    /// What a relay sends to its client. Datagrams may come from another address than the dialled one.
    fn relay_answers(&self, case: Case, at: &At, relay: &Relay) -> Vec<(Case, Fields)> {
        let answer = at.fields.reversed();
        let is_free = matches!(relay.listen, Listen::Socket { address: None, .. });
        if at.fields.protocol == Protocol::Tcp || !is_free || relay.answers_from == AnswersFrom::Dialed {
            return vec![(case, answer)];
        }
        let mut answers = Vec::new();
        for (towards, assumed) in route::routes(&self.index, at.node, answer.destination, Sense::Answer, &case.assumed)
        {
            let case = Case { assumed, connections: case.connections.clone() };
            if let Some((case, source)) = self.with_source(case, at.node, None, towards, answer.destination) {
                answers.push((case, Fields { source, ..answer }));
            }
        }
        answers
    }

    fn comes_home(&mut self, case: Case, node: NodeId, answer: Fields, dialer: NodeId, dialed: Fields) -> Vec<Case> {
        let mut home = Vec::new();
        for Arrived { case, at } in self.send(case, node, answer, Sense::Answer) {
            if at.node != dialer {
                continue;
            }
            match at.fields.equals(&dialed.reversed(), &case.assumed) {
                Some(true) => home.push(case),
                Some(false) => {}
                None => {
                    self.unsure.insert("an answer that may belong to another connection".to_owned());
                }
            }
        }
        home
    }

    fn routes(&self, case: &Case, at: &At) -> Vec<(Towards, Assumed)> {
        route::routes(&self.index, at.node, at.fields.destination, at.sense, &case.assumed)
    }

    fn node(&self, at: At) -> &'a Node {
        self.dataplane.node(at.node)
    }
}

fn outgoing(towards: Towards) -> Option<InterfaceId> {
    match towards {
        Towards::Local => Some(LOOPBACK),
        Towards::Out { interface, .. } => Some(interface),
    }
}
