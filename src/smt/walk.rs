//! The ways on which a connection can succeed, each with the condition under which it is taken.
//!
//! The dataplane is unrolled from the dialler: every choice that a set of packets leaves open (route, neighbour,
//! translation, socket) becomes a case of its own; everything else is a condition. Cases that cannot succeed are
//! dropped at once: the interpreter explains failures, not this module.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::dataplane::{
    Action, Dataplane, Dial, Hook, InterfaceId, LinkId, Listen, Node, NodeId, NodeKind, Relay, SourceAs, Toggle,
};
use crate::net::{Family, PortRange, Protocol, address_bits, address_from_bits};
use crate::switch::SwitchId;

use super::condition::{Assumed, Condition, Variable};
use super::packet::{Connection, Field, Fields, Sense};
use super::ranges::Ranges;
use super::route::{self, Towards};
use super::rules::{self, Phase, UsesMarks, View};
use super::slice;
use super::{Goal, Query};

/// As in the kernel: chains below see no connection; nat runs at its own priorities.
const CONNECTIONS_FROM: i32 = -200;
const NAT_BEFORE_ROUTING: i32 = -100;
const NAT_AFTER_ROUTING: i32 = 100;
/// A packet visits at most this many nodes, a connection at most this many relays.
const MOST_HOPS: usize = 32;
const MOST_LEGS: usize = 8;
const LOOPBACK: InterfaceId = InterfaceId(0);

/// A way on which a connection succeeds.
pub(super) struct Way {
    pub(super) assumed: Assumed,
}

/// Every way, and whether there may be more that the encoding cannot see.
pub(super) struct Ways {
    pub(super) all: Vec<Way>,
    pub(super) unsure: Vec<String>,
}

pub(super) fn ways(dataplane: &Dataplane, query: &Query) -> Ways {
    let relevant = slice::relevant_nodes(dataplane, query);
    let mut walk = Walk { dataplane, query, relevant, unsure: BTreeSet::new(), legs: 0 };
    let all = walk.dialed();
    Ways { all, unsure: walk.unsure.into_iter().collect() }
}

struct Walk<'a> {
    dataplane: &'a Dataplane,
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
    /// Connection tracking has seen the packet at this node.
    tracked: bool,
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
                // The solver sees the source that routes chose, too, so that it can be read from the model.
                let assumed = match source {
                    Field::Known(bits) => case.assumed.and(Condition::In(Variable::Source, Ranges::one(bits)))?,
                    Field::Unknown(_) => case.assumed,
                };
                Some(Way { assumed })
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
        for (towards, assumed) in route::routes(self.dataplane, from, destination, &case.assumed) {
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
        let at = At { node, incoming: None, fields, sense, connection: None, phase: Phase::Invalid, tracked: false };
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
            for (towards, assumed) in route::routes(self.dataplane, at.node, at.fields.destination, &case.assumed) {
                out.extend(self.dispatch(Case { assumed, ..case.clone() }, at, towards, arrived));
            }
            return out;
        }
        for (towards, assumed) in route::routes(self.dataplane, at.node, at.fields.destination, &case.assumed) {
            let case = Case { assumed, ..case.clone() };
            for (case, at) in self.hook(case, at, Hook::Output, outgoing(towards)) {
                for (towards, assumed) in route::routes(self.dataplane, at.node, at.fields.destination, &case.assumed) {
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
                    for (to, port, assumed) in route::neighbors(self.dataplane, link, hop, &case.assumed) {
                        if self.relevant.contains(&to) {
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
        let over = At { connection: None, phase: Phase::Invalid, tracked: false, ..at };
        let entering = |at: At| At { node: to, incoming: Some(port), tracked: false, connection: None, ..at };
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
            out.extend(self.routed(case, at, arrived));
        }
        out
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
        let mut refused = rules::local_addresses(node, family).minus(&loopback);
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
        for (towards, assumed) in route::routes(self.dataplane, at.node, at.fields.destination, &case.assumed) {
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
        for (taker, assumed) in self.takers(&case.assumed, &at) {
            let case = Case { assumed, connections: case.connections.clone() };
            match taker {
                Taker::Goal => {
                    succeeded.extend(self.comes_home(case, &at, dialer, dialed));
                }
                Taker::Relay(relay) if self.legs + 1 < MOST_LEGS => {
                    for case in self.comes_home(case, &at, dialer, dialed) {
                        succeeded.extend(self.redialed(case, &at, relay));
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
        let family = case.assumed.family;
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
        for (case, source) in sources_behind(case, relay, at.fields.source, family) {
            let found = self.connect(case, relay.dial_from, source, template);
            succeeded.extend(found.into_iter().map(|(case, _)| case));
        }
        self.legs -= 1;
        succeeded
    }

    fn comes_home(&mut self, case: Case, at: &At, dialer: NodeId, dialed: Fields) -> Vec<Case> {
        let answer = at.fields.reversed();
        let mut home = Vec::new();
        for Arrived { case, at } in self.send(case, at.node, answer, Sense::Answer) {
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

    /// The sockets that matter for the goal, and the relays, in the order in which the kernel looks them up.
    fn takers(&self, assumed: &Assumed, at: &At) -> Vec<(Taker<'a>, Assumed)> {
        let dataplane: &'a Dataplane = self.dataplane;
        let node: &'a Node = dataplane.node(at.node);
        if node.kind == NodeKind::UserNat {
            return transparent(node, at, assumed);
        }
        let family = assumed.family;
        if at.fields.protocol == Protocol::Icmp {
            return match self.query.goal {
                Goal::Kernel(goal) if goal == at.node => vec![(Taker::Goal, assumed.clone())],
                _ => Vec::new(),
            };
        }
        let mut takers = Vec::new();
        let mut open = Condition::True;
        let listeners = listeners(node, at.fields.protocol);
        for (address, ports, guard, who) in listeners {
            let mut matched = at.fields.destination_port.in_ports(ports, assumed);
            if let Some(address) = address {
                let one = Ranges::one(address_bits(address));
                let here = if Family::of(address) == family {
                    at.fields.destination.within(&one, assumed)
                } else {
                    Condition::False
                };
                matched = matched.and(here, family);
            }
            if let Some(switch) = guard {
                matched = matched.and(Condition::switch(switch), family);
            }
            if matches!(matched, Condition::False) {
                continue;
            }
            let taken = open.clone().and(matched.clone(), family);
            open = open.and(matched.not(family), family);
            let taker = match who {
                Who::Relay(relay) => Some(Taker::Relay(relay)),
                Who::Socket(owner) => self.query.goal.is_socket(at.node, owner).then_some(Taker::Goal),
            };
            if let Some(taker) = taker
                && let Some(assumed) = self.goal_port(&taker, at, assumed.clone()).and_then(|a| a.and(taken))
            {
                takers.push((taker, assumed));
            }
        }
        takers
    }

    fn goal_port(&self, taker: &Taker<'_>, at: &At, assumed: Assumed) -> Option<Assumed> {
        match (taker, &self.query.goal) {
            (Taker::Goal, Goal::Socket { ports, .. }) => {
                let within = at.fields.destination_port.in_ports(*ports, &assumed);
                assumed.and(within)
            }
            _ => Some(assumed),
        }
    }

    /// One hook: the cases in which the packet gets through it.
    fn hook(&mut self, case: Case, at: At, hook: Hook, outgoing: Option<InterfaceId>) -> Vec<(Case, At)> {
        if self.node(at).kind == NodeKind::UserNat {
            return vec![(case, at)];
        }
        match self.try_hook(case, at, hook, outgoing) {
            Ok(cases) => cases,
            Err(UsesMarks) => {
                self.unsure.insert(format!("packet marks on `{}`", self.node(at).name));
                Vec::new()
            }
        }
    }

    fn try_hook(
        &mut self,
        case: Case,
        at: At,
        hook: Hook,
        outgoing: Option<InterfaceId>,
    ) -> Result<Vec<(Case, At)>, UsesMarks> {
        let Some(case) = self.filtered(case, &at, hook, outgoing, |p| p < CONNECTIONS_FROM)? else {
            return Ok(Vec::new());
        };
        let (mut case, mut at) = (case, at);
        if !at.tracked {
            self.track(&mut case, &mut at);
        }
        let (is_destination, priority) = match hook {
            Hook::Prerouting | Hook::Output => (true, NAT_BEFORE_ROUTING),
            Hook::Postrouting | Hook::Input => (false, NAT_AFTER_ROUTING),
            Hook::Forward => {
                let case = self.filtered(case, &at, hook, outgoing, |p| p >= CONNECTIONS_FROM)?;
                return Ok(case.map(|case| (case, at)).into_iter().collect());
            }
        };
        let before = |p: i32| (CONNECTIONS_FROM..priority).contains(&p);
        let Some(case) = self.filtered(case, &at, hook, outgoing, before)? else { return Ok(Vec::new()) };
        let mut passed = Vec::new();
        for (case, at) in self.translated(case, at, hook, is_destination, outgoing)? {
            if let Some(case) = self.filtered(case, &at, hook, outgoing, |p| p >= priority)? {
                passed.push((case, at));
            }
        }
        Ok(passed)
    }

    /// Finds the connection of a packet that has come to a node, or begins one.
    fn track(&mut self, case: &mut Case, at: &mut At) {
        at.tracked = true;
        if at.sense == Sense::Request {
            case.connections.push(Connection::new(at.node, at.fields));
            at.connection = Some(case.connections.len() - 1);
            at.phase = Phase::New;
            return;
        }
        for (index, connection) in case.connections.iter().enumerate().rev() {
            if connection.node != at.node {
                continue;
            }
            match connection.reply.equals(&at.fields, &case.assumed) {
                Some(true) => {
                    at.connection = Some(index);
                    at.phase = Phase::Established;
                    return;
                }
                Some(false) => {}
                None => {
                    self.unsure.insert("an answer that may belong to another connection".to_owned());
                }
            }
        }
        at.connection = None;
        at.phase = if at.fields.protocol == Protocol::Udp { Phase::New } else { Phase::Invalid };
    }

    fn view<'v>(&'v self, case: &'v Case, at: &At, hook: Hook, outgoing: Option<InterfaceId>) -> View<'v> {
        let node = self.dataplane.node(at.node);
        let name = |i: InterfaceId| node.interface(i).name.as_str();
        let sees_outgoing = matches!(hook, Hook::Forward | Hook::Output | Hook::Postrouting);
        View {
            node,
            fields: at.fields,
            sense: at.sense,
            phase: if at.tracked { at.phase } else { Phase::Invalid },
            connection: at.connection.and_then(|i| case.connections.get(i).copied()),
            incoming: at.incoming.map(name),
            outgoing: outgoing.filter(|_| sees_outgoing).map(name),
            assumed: &case.assumed,
        }
    }

    fn filtered(
        &self,
        case: Case,
        at: &At,
        hook: Hook,
        outgoing: Option<InterfaceId>,
        wanted: impl Fn(i32) -> bool,
    ) -> Result<Option<Case>, UsesMarks> {
        let passes = rules::passes(&self.view(&case, at, hook, outgoing), hook, wanted)?;
        Ok(case.assumed.and(passes).map(|assumed| Case { assumed, connections: case.connections }))
    }

    /// The nat step of a hook: one case per translation that may be chosen.
    fn translated(
        &self,
        case: Case,
        at: At,
        hook: Hook,
        is_destination: bool,
        outgoing: Option<InterfaceId>,
    ) -> Result<Vec<(Case, At)>, UsesMarks> {
        let Some(index) = at.connection else { return Ok(vec![(case, at)]) };
        let Some(connection) = case.connections.get(index).copied() else { return Ok(vec![(case, at)]) };
        let bound = if is_destination { connection.destination_bound } else { connection.source_bound };
        if at.sense == Sense::Answer || bound {
            let fields = rewritten(&connection, at, is_destination);
            return Ok(vec![(case, At { fields, ..at })]);
        }
        let mut cases = Vec::new();
        for choice in rules::translations(&self.view(&case, &at, hook, outgoing), hook)? {
            let Some(assumed) = case.assumed.clone().and(choice.condition) else { continue };
            let mut case = Case { assumed, connections: case.connections.clone() };
            let mut bound = connection;
            if is_destination {
                bound.destination_bound = true;
            } else {
                bound.source_bound = true;
            }
            if let Some(action) = choice.action
                && !self.bind(&mut bound, action, &at, outgoing, &case.assumed)
            {
                continue;
            }
            if let Some(slot) = case.connections.get_mut(index) {
                *slot = bound;
            }
            let fields = rewritten(&bound, at, is_destination);
            cases.push((case, At { fields, ..at }));
        }
        Ok(cases)
    }

    /// Notes in the connection what a translation changes; false if it has no address to use.
    fn bind(
        &self,
        connection: &mut Connection,
        action: &Action,
        at: &At,
        outgoing: Option<InterfaceId>,
        assumed: &Assumed,
    ) -> bool {
        let node = self.node(*at);
        let family = assumed.family;
        let known = |field: Field| match field.settled(assumed) {
            Field::Known(bits) => Some(address_from_bits(family, bits)),
            Field::Unknown(_) => None,
        };
        match action {
            Action::DestinationNat { address, port } => {
                connection.reply.source = address.map_or(connection.reply.source, Field::address);
                connection.reply.source_port =
                    port.map_or(connection.reply.source_port, |p| Field::Known(u128::from(p)));
            }
            Action::SourceNat { address } => connection.reply.destination = Field::address(*address),
            Action::Masquerade => {
                let Some(interface) = outgoing else { return false };
                let cases = route::routes(self.dataplane, at.node, at.fields.destination, assumed);
                let hop = match cases.first() {
                    Some((Towards::Out { gateway: Some(gateway), .. }, _)) => Some(*gateway),
                    _ => known(at.fields.destination),
                };
                let Some(address) = route::own_address(node, interface, hop, family) else { return false };
                connection.reply.destination = Field::address(address);
            }
            Action::Redirect { port } => {
                let address = match at.incoming {
                    Some(interface) => route::own_address(node, interface, known(at.fields.source), family),
                    None => Some(family.loopback()),
                };
                let Some(address) = address else { return false };
                connection.reply.source = Field::address(address);
                connection.reply.source_port =
                    port.map_or(connection.reply.source_port, |p| Field::Known(u128::from(p)));
            }
            Action::Accept
            | Action::Drop
            | Action::Reject(_)
            | Action::Jump(_)
            | Action::Goto(_)
            | Action::Return
            | Action::SetMark { .. }
            | Action::Continue => {}
        }
        true
    }

    fn node(&self, at: At) -> &'a Node {
        self.dataplane.node(at.node)
    }
}

enum Taker<'a> {
    Goal,
    Relay(&'a Relay),
}

enum Who<'a> {
    Socket(&'a str),
    Relay(&'a Relay),
}

type Listener<'a> = (Option<IpAddr>, PortRange, Option<SwitchId>, Who<'a>);

/// Sockets and relays of a protocol; those bound to an address come first.
fn listeners(node: &Node, protocol: Protocol) -> Vec<Listener<'_>> {
    let sockets = node
        .sockets
        .iter()
        .filter(|s| s.protocol == protocol)
        .map(|s| (s.address, s.ports, s.guard, Who::Socket(s.owner.as_str())));
    let relays = node.relays.iter().filter(|r| r.protocol == protocol).filter_map(|r| match r.listen {
        Listen::Socket { address, port } => Some((address, PortRange::single(port), r.guard, Who::Relay(r))),
        Listen::Transparent { .. } => None,
    });
    let mut all: Vec<Listener<'_>> = sockets.chain(relays).collect();
    all.sort_by_key(|(address, ..)| address.is_none());
    all
}

fn transparent<'a>(node: &'a Node, at: &At, assumed: &Assumed) -> Vec<(Taker<'a>, Assumed)> {
    let mut relays: Vec<_> = node
        .relays
        .iter()
        .filter(|r| r.protocol == at.fields.protocol)
        .filter_map(|r| match r.listen {
            Listen::Transparent { prefix } => Some((prefix, r)),
            Listen::Socket { .. } => None,
        })
        .collect();
    relays.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.prefix_len()));
    let mut open = at.fields.destination.values(assumed);
    let mut takers = Vec::new();
    for (prefix, relay) in relays {
        if Family::of(prefix.addr()) != assumed.family {
            continue;
        }
        let here = open.intersect(&Ranges::of_net(&prefix));
        if here.is_empty() {
            continue;
        }
        open = open.minus(&here);
        let within = at.fields.destination.within(&here, assumed);
        let guarded = assumed.clone().and(within).and_then(|a| match relay.guard {
            Some(switch) => a.and(Condition::switch(switch)),
            None => Some(a),
        });
        if let Some(assumed) = guarded {
            takers.push((Taker::Relay(relay), assumed));
        }
    }
    takers
}

/// The source of a relay's second leg: its own, or the client's with loopback clients renamed.
fn sources_behind(case: Case, relay: &Relay, client: Field, family: Family) -> Vec<(Case, Option<Field>)> {
    let SourceAs::Client { loopback } = relay.source else { return vec![(case, None)] };
    let local = client.within(&loopback_addresses(family), &case.assumed);
    let mut cases = Vec::new();
    if let Some(assumed) = case.assumed.clone().and(local.clone()) {
        cases.push((Case { assumed, ..case.clone() }, Some(Field::address(loopback))));
    }
    if let Some(assumed) = case.assumed.clone().and(local.not(family)) {
        cases.push((Case { assumed, ..case }, Some(client)));
    }
    cases
}

fn loopback_addresses(family: Family) -> Ranges {
    match family {
        Family::V4 => Ranges::of_net(&ipnet::IpNet::V4(ipnet::Ipv4Net::new_assert(std::net::Ipv4Addr::LOCALHOST, 8))),
        Family::V6 => Ranges::one(1),
    }
}

fn rewritten(connection: &Connection, at: At, is_destination: bool) -> Fields {
    let towards = match at.sense {
        Sense::Request => connection.reply.reversed(),
        Sense::Answer => connection.original.reversed(),
    };
    if is_destination {
        Fields { destination: towards.destination, destination_port: towards.destination_port, ..at.fields }
    } else {
        Fields { source: towards.source, source_port: towards.source_port, ..at.fields }
    }
}

fn outgoing(towards: Towards) -> Option<InterfaceId> {
    match towards {
        Towards::Local => Some(LOOPBACK),
        Towards::Out { interface, .. } => Some(interface),
    }
}
