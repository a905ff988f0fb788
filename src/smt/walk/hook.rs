//! A packet in the hooks of a node: filtered, tracked, translated.

use crate::dataplane::{Action, Hook, InterfaceId, NodeKind};
use crate::net::{Protocol, address_from_bits};
use crate::smt::assumed::Assumed;
use crate::smt::marks::{Marks, TooManyMarks};
use crate::smt::packet::{Connection, Field, Fields, Sense};
use crate::smt::route::{self, Towards};
use crate::smt::rules::{self, Phase, View};

use super::{At, Case, Walk};

/// As in the kernel: chains below see no connection; nat runs at its own priorities.
const CONNECTIONS_FROM: i32 = -200;
const NAT_BEFORE_ROUTING: i32 = -100;
const NAT_AFTER_ROUTING: i32 = 100;

impl Walk<'_> {
    /// One hook: the cases in which the packet gets through it.
    pub(super) fn hook(&mut self, case: Case, at: At, hook: Hook, outgoing: Option<InterfaceId>) -> Vec<(Case, At)> {
        if self.node(at).kind == NodeKind::UserNat {
            return vec![(case, at)];
        }
        match self.try_hook(case, at, hook, outgoing) {
            Ok(cases) => cases,
            Err(TooManyMarks) => {
                self.unsure.insert(format!("more packet marks on `{}` than are followed", self.node(at).name));
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
    ) -> Result<Vec<(Case, At)>, TooManyMarks> {
        let nat = match hook {
            Hook::Prerouting | Hook::Output => Some((true, NAT_BEFORE_ROUTING)),
            Hook::Postrouting | Hook::Input => Some((false, NAT_AFTER_ROUTING)),
            Hook::Forward => None,
        };
        let mut passed = Vec::new();
        for (mut case, mut at) in self.filtered(case, at, hook, outgoing, |p| p < CONNECTIONS_FROM)? {
            if !at.tracked {
                self.track(&mut case, &mut at);
            }
            let Some((is_destination, priority)) = nat else {
                passed.extend(self.filtered(case, at, hook, outgoing, |p| p >= CONNECTIONS_FROM)?);
                continue;
            };
            let before = |p: i32| (CONNECTIONS_FROM..priority).contains(&p);
            for (case, at) in self.filtered(case, at, hook, outgoing, before)? {
                for (case, at) in self.translated(case, at, hook, is_destination, outgoing)? {
                    passed.extend(self.filtered(case, at, hook, outgoing, |p| p >= priority)?);
                }
            }
        }
        Ok(passed)
    }

    /// Finds the connection of a packet that has come to a node, or begins one.
    fn track(&mut self, case: &mut Case, at: &mut At) {
        at.tracked = true;
        if at.untracked {
            at.connection = None;
            at.phase = Phase::Untracked;
            return;
        }
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
                    at.is_original = false;
                    return;
                }
                Some(false) => {}
                None => {
                    self.unsure.insert("an answer that may belong to another connection".to_owned());
                }
            }
        }
        // A datagram begins a connection of its own.
        at.phase = Phase::Invalid;
        at.connection = None;
        if at.fields.protocol == Protocol::Udp {
            case.connections.push(Connection::new(at.node, at.fields));
            at.connection = Some(case.connections.len() - 1);
            at.phase = Phase::New;
        }
    }

    fn view<'v>(&'v self, case: &'v Case, at: &At, hook: Hook, outgoing: Option<InterfaceId>) -> View<'v> {
        let node = self.dataplane.node(at.node);
        let name = |i: InterfaceId| node.interface(i).name.as_str();
        let sees_outgoing = matches!(hook, Hook::Forward | Hook::Output | Hook::Postrouting);
        let connection = at.connection.and_then(|i| case.connections.get(i).copied());
        View {
            node,
            facts: self.index.facts(at.node),
            fields: at.fields,
            sense: at.sense,
            phase: at.phase,
            is_original: at.is_original,
            connection,
            marks: Marks { packet: at.mark, connection: connection.map_or(0, |c| c.mark), untracked: at.untracked },
            incoming: at.incoming.map(name),
            outgoing: outgoing.filter(|_| sees_outgoing).map(name),
            assumed: &case.assumed,
        }
    }

    /// The cases in which the packet gets through the filters of a hook, one for each combination of marks.
    fn filtered(
        &self,
        case: Case,
        at: At,
        hook: Hook,
        outgoing: Option<InterfaceId>,
        wanted: impl Fn(i32) -> bool,
    ) -> Result<Vec<(Case, At)>, TooManyMarks> {
        let passing = rules::passes(&self.view(&case, &at, hook, outgoing), hook, wanted)?;
        let mut passed = Vec::new();
        for (marks, condition) in passing {
            if let Some(assumed) = case.assumed.clone().and(condition) {
                let mut case = Case { assumed, connections: case.connections.clone() };
                let at = marked(&mut case, at, marks);
                passed.push((case, at));
            }
        }
        Ok(passed)
    }

    /// The nat step of a hook: one case per translation that may be chosen.
    fn translated(
        &self,
        case: Case,
        at: At,
        hook: Hook,
        is_destination: bool,
        outgoing: Option<InterfaceId>,
    ) -> Result<Vec<(Case, At)>, TooManyMarks> {
        let Some(index) = at.connection else { return Ok(vec![(case, at)]) };
        let Some(connection) = case.connections.get(index).copied() else { return Ok(vec![(case, at)]) };
        let bound = if is_destination { connection.destination_bound } else { connection.source_bound };
        if !at.is_original || bound {
            let fields = rewritten(&connection, at, is_destination);
            return Ok(vec![(case, At { fields, ..at })]);
        }
        let mut cases = Vec::new();
        for choice in rules::translations(&self.view(&case, &at, hook, outgoing), hook)? {
            let Some(assumed) = case.assumed.clone().and(choice.condition) else { continue };
            let mut case = Case { assumed, connections: case.connections.clone() };
            let at = marked(&mut case, at, choice.marks);
            let mut bound = Connection { mark: choice.marks.connection, ..connection };
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
                let cases = route::routes(&self.index, at.node, at.fields.destination, at.sense, assumed);
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
            | Action::SetConnectionMark { .. }
            | Action::SaveMark { .. }
            | Action::RestoreMark { .. }
            | Action::Untrack
            | Action::Continue => {}
        }
        true
    }
}

/// Leaves marks on a packet and on its connection.
fn marked(case: &mut Case, at: At, marks: Marks) -> At {
    if let Some(connection) = at.connection.and_then(|i| case.connections.get_mut(i)) {
        connection.mark = marks.connection;
    }
    At { mark: marks.packet, untracked: marks.untracked, ..at }
}

fn rewritten(connection: &Connection, at: At, is_destination: bool) -> Fields {
    let towards = if at.is_original { connection.reply.reversed() } else { connection.original.reversed() };
    if is_destination {
        Fields { destination: towards.destination, destination_port: towards.destination_port, ..at.fields }
    } else {
        Fields { source: towards.source, source_port: towards.source_port, ..at.fields }
    }
}
