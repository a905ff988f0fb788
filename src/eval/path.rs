//! The way of a packet: hooks, routing, links, sockets, relays, and back.

use std::net::IpAddr;

use crate::dataplane::{
    AnswersFrom, ChainKind, Dataplane, Decision as Verdict, Delivery, Dial, Disposition, Event, Flow, Hook, IcmpError,
    InterfaceId, LinkId, Listen, NodeId, NodeKind, Outcome, Relay, Socket, SourceAs, Step, Symptom, Toggle, Trace, Way,
};
use crate::net::{Header, Protocol};
use crate::provenance::OriginId;
use crate::switch::Setting;

use super::conntrack::{Half, Table, Tracked};
use super::filter::{self, Effect, Seen, Translation};
use super::forward::{self, Decision, Taker};
use super::packet::{Kind, Packet, answer_of};

/// A packet visits at most this many nodes: labs are small, so more means a circle.
const MOST_HOPS: usize = 32;
/// A connection passes at most this many relays.
const MOST_LEGS: usize = 8;
/// Netfilter's fixed priorities: chains below see no connection, nat runs between the filters around it.
const PRIORITY_CONNTRACK: i32 = -200;
const PRIORITY_DESTINATION_NAT: i32 = -100;
const PRIORITY_SOURCE_NAT: i32 = 100;

pub(super) fn follow(dataplane: &Dataplane, flow: &Flow, setting: &Setting) -> Trace {
    let mut path =
        Path { dataplane, setting, steps: Vec::new(), connections: Table::default(), leg: 0, way: Way::Request };
    let outcome = path.connect(flow);
    Trace { flow: *flow, steps: path.steps, outcome }
}

struct Path<'a> {
    dataplane: &'a Dataplane,
    setting: &'a Setting,
    steps: Vec<Step>,
    connections: Table,
    leg: usize,
    way: Way,
}

/// Where a packet ended.
enum End<'a> {
    Taken {
        node: NodeId,
        by: Taker<'a>,
        packet: Packet,
        came_by_loopback: bool,
    },
    /// An answer that came to a node; it is the dialler's only if that is its node.
    Home {
        node: NodeId,
        packet: Packet,
    },
    Lost {
        node: NodeId,
        disposition: Disposition,
        packet: Packet,
    },
}

/// A packet at a node.
#[derive(Clone, Copy)]
struct At {
    node: NodeId,
    incoming: Option<InterfaceId>,
    packet: Packet,
    tracked: Tracked,
}

enum Next<'a> {
    Arrive(At),
    End(End<'a>),
}

impl<'a> Path<'a> {
    /// One connection from a program's point of view, relays behind it included.
    fn connect(&mut self, flow: &Flow) -> Outcome {
        self.way = Way::Request;
        let leg = self.leg;
        let Some(header) = self.dialed_header(flow) else {
            let header = Header {
                protocol: flow.protocol,
                source: flow.source.unwrap_or(flow.destination),
                source_port: flow.source_port,
                destination: flow.destination,
                destination_port: flow.destination_port,
            };
            self.step(flow.from, header, Event::Ended(Disposition::NoRoute), None);
            return lost(Disposition::NoRoute, Symptom::NetUnreachable);
        };
        self.step(flow.from, header, Event::Dialed, None);
        let end = self.send(flow.from, Packet::request(header));
        match end {
            End::Lost { node, disposition, packet } => self.failed(flow.from, header, node, disposition, packet),
            End::Home { .. } => lost(Disposition::Unexpected, Symptom::TimedOut),
            End::Taken { node, by, packet, came_by_loopback, .. } => match by {
                Taker::Kernel => self.answered(flow.from, header, node, packet, None),
                Taker::Socket(socket) => self.answered(flow.from, header, node, packet, Some(socket)),
                Taker::Relay(relay) => self.relayed(flow.from, header, node, packet, relay, came_by_loopback, leg),
            },
        }
    }

    fn dialed_header(&self, flow: &Flow) -> Option<Header> {
        let decision = forward::route(self.dataplane, flow.from, flow.destination, Way::Request, self.setting);
        if matches!(decision, Decision::None) {
            return None;
        }
        let chosen = || forward::source_for(self.dataplane.node(flow.from), decision, flow.destination);
        Some(Header {
            protocol: flow.protocol,
            source: flow.source.or_else(chosen)?,
            source_port: flow.source_port,
            destination: flow.destination,
            destination_port: flow.destination_port,
        })
    }

    /// A socket took the request: the answer has to come back.
    fn answered(
        &mut self,
        dialer: NodeId,
        dialed: Header,
        node: NodeId,
        packet: Packet,
        socket: Option<&Socket>,
    ) -> Outcome {
        let owner = socket.map_or_else(|| self.dataplane.node(node).name.clone(), |s| s.owner.clone());
        self.step(node, packet.header, Event::Delivered { owner: owner.clone() }, socket.map(|s| s.origin));
        let delivery = Delivery { node, owner, header: packet.header };
        match self.reply(dialer, dialed, node, packet.reply(Kind::Answer)) {
            Ok(()) => {
                Outcome { disposition: Disposition::Delivered, symptom: Symptom::Works, delivery: Some(delivery) }
            }
            Err(disposition) => Outcome { disposition, symptom: Symptom::TimedOut, delivery: Some(delivery) },
        }
    }

    /// The request was lost: whoever lost it may say so.
    fn failed(
        &mut self,
        dialer: NodeId,
        dialed: Header,
        node: NodeId,
        disposition: Disposition,
        packet: Packet,
    ) -> Outcome {
        if node == dialer && self.leg_just_began(dialer) {
            match disposition {
                Disposition::NoRoute => return lost(disposition, Symptom::NetUnreachable),
                Disposition::NoNeighbor => return lost(disposition, Symptom::NoNeighbor),
                _ => {}
            }
        }
        let says = match disposition {
            Disposition::NoListener if packet.header.protocol == Protocol::Tcp => Some(Kind::Reset),
            Disposition::NoListener => Some(Kind::Error(IcmpError::Port)),
            Disposition::Rejected(with) => Some(answer_of(with)),
            Disposition::NoRoute => Some(Kind::Error(IcmpError::Net)),
            Disposition::NoNeighbor => Some(Kind::Error(IcmpError::Host)),
            _ => None,
        };
        let Some(kind) = says else { return lost(disposition, Symptom::TimedOut) };
        match self.reply(dialer, dialed, node, packet.reply(kind)) {
            Ok(()) if is_kept_from(packet.header.protocol, kind) => lost(disposition, Symptom::TimedOut),
            Ok(()) if disposition == Disposition::NoNeighbor => lost(disposition, Symptom::NoNeighbor),
            Ok(()) => lost(disposition, symptom_of(kind)),
            Err(_) => lost(disposition, Symptom::TimedOut),
        }
    }

    /// Whether the packet has not left the dialler's node in this leg.
    fn leg_just_began(&self, dialer: NodeId) -> bool {
        self.steps.iter().rev().take_while(|s| s.leg == self.leg).all(|s| s.node == dialer)
    }

    /// A relay took the request and makes a connection of its own.
    #[expect(clippy::too_many_arguments, reason = "the two ends of the leg that the relay joins")]
    fn relayed(
        &mut self,
        dialer: NodeId,
        dialed: Header,
        node: NodeId,
        packet: Packet,
        relay: &'a Relay,
        came_by_loopback: bool,
        leg: usize,
    ) -> Outcome {
        self.step(node, packet.header, Event::Relayed { relay: relay.name.clone() }, Some(relay.origin));
        let handshake_first = relay.accepts_first && packet.header.protocol == Protocol::Tcp;
        if handshake_first && let Err(disposition) = self.reply(dialer, dialed, node, packet.reply(Kind::Answer)) {
            return lost(disposition, Symptom::TimedOut);
        }
        if leg + 1 >= MOST_LEGS {
            self.step(node, packet.header, Event::Ended(Disposition::Loop), Some(relay.origin));
            return lost(Disposition::Loop, Symptom::AcceptedThenClosed);
        }
        self.leg = leg + 1;
        let behind = match dialed_by(relay, &packet.header, came_by_loopback) {
            Some(flow) => self.connect(&flow),
            None => lost(Disposition::NoRoute, Symptom::NetUnreachable),
        };
        self.leg = leg;
        if handshake_first {
            let symptom = if behind.symptom == Symptom::Works { Symptom::Works } else { Symptom::AcceptedThenClosed };
            return Outcome { symptom, ..behind };
        }
        self.passed_on(dialer, dialed, node, packet, relay, behind)
    }

    /// A relay that dials before it answers shows its client what it saw itself.
    fn passed_on(
        &mut self,
        dialer: NodeId,
        dialed: Header,
        node: NodeId,
        packet: Packet,
        relay: &Relay,
        behind: Outcome,
    ) -> Outcome {
        let is_tcp = packet.header.protocol == Protocol::Tcp;
        let kind = match behind.symptom {
            Symptom::Works => Kind::Answer,
            Symptom::Refused if is_tcp => Kind::Reset,
            Symptom::NetUnreachable if is_tcp => Kind::Error(IcmpError::Net),
            Symptom::HostUnreachable | Symptom::NoNeighbor if is_tcp => Kind::Error(IcmpError::Host),
            _ => return Outcome { symptom: Symptom::TimedOut, ..behind },
        };
        let mut answer = packet.reply(kind);
        if !is_tcp && let Some(source) = self.answering_address(node, relay, packet.header.source) {
            answer.header.source = source;
        }
        match self.reply(dialer, dialed, node, answer) {
            Ok(()) => behind,
            Err(disposition) => Outcome { disposition, symptom: Symptom::TimedOut, ..behind },
        }
    }

    /// The address that a relay answers from, if it is not simply the dialled one.
    fn answering_address(&self, node: NodeId, relay: &Relay, client: IpAddr) -> Option<IpAddr> {
        match (relay.answers_from, relay.listen) {
            (AnswersFrom::Route, Listen::Socket { address: None, .. }) => {
                let decision = forward::route(self.dataplane, node, client, Way::Reply, self.setting);
                forward::source_for(self.dataplane.node(node), decision, client)
            }
            _ => None,
        }
    }

    /// Sends an answer back; it must come to the dialler as the answer to what was dialled.
    fn reply(&mut self, dialer: NodeId, dialed: Header, node: NodeId, packet: Packet) -> Result<(), Disposition> {
        self.way = Way::Reply;
        let end = self.send(node, packet);
        self.way = Way::Request;
        match end {
            End::Home { node, packet } if node == dialer && packet.header == dialed.reversed() => {
                self.way = Way::Reply;
                self.step(dialer, packet.header, Event::Answered, None);
                self.way = Way::Request;
                Ok(())
            }
            End::Home { node, packet } | End::Taken { node, packet, .. } => {
                self.step(node, packet.header, Event::Ended(Disposition::Unexpected), None);
                Err(Disposition::Unexpected)
            }
            End::Lost { disposition, .. } => Err(disposition),
        }
    }

    /// Carries a packet that a node makes itself to its end.
    fn send(&mut self, node: NodeId, packet: Packet) -> End<'a> {
        let mut next = self.leave(At { node, incoming: None, packet, tracked: Tracked::NONE });
        for _ in 0..MOST_HOPS {
            match next {
                Next::End(end) => return end,
                Next::Arrive(at) => next = self.arrive(at),
            }
        }
        self.lose(node, packet, Disposition::Loop, None)
    }

    fn lose(&mut self, node: NodeId, packet: Packet, disposition: Disposition, origin: Option<OriginId>) -> End<'a> {
        self.step(node, packet.header, Event::Ended(disposition), origin);
        End::Lost { node, disposition, packet }
    }

    /// Output of a packet that was made here.
    fn leave(&mut self, mut at: At) -> Next<'a> {
        let decision = forward::route(self.dataplane, at.node, at.packet.header.destination, self.way, self.setting);
        if self.dataplane.node(at.node).kind == NodeKind::UserNat {
            return self.dispatch(at, decision);
        }
        let outgoing = outgoing(decision);
        if let Err(end) = self.hook(Hook::Output, &mut at, outgoing) {
            return Next::End(end);
        }
        let decision = forward::route(self.dataplane, at.node, at.packet.header.destination, self.way, self.setting);
        self.dispatch(at, decision)
    }

    /// Postrouting and transmission, or (for packets to the node itself) the loopback.
    fn dispatch(&mut self, mut at: At, decision: Decision<'a>) -> Next<'a> {
        let (interface, next_hop) = match decision {
            Decision::None => return Next::End(self.lose(at.node, at.packet, Disposition::NoRoute, None)),
            Decision::Local => {
                if let Err(end) = self.hook(Hook::Postrouting, &mut at, Some(LOOPBACK)) {
                    return Next::End(end);
                }
                return Next::Arrive(At { incoming: Some(LOOPBACK), ..at });
            }
            Decision::Out { interface, next_hop, route } => {
                let gateway = (next_hop != at.packet.header.destination).then_some(next_hop);
                let event = Event::Routed { interface, gateway };
                self.step(at.node, at.packet.header, event, Some(route.origin));
                (interface, next_hop)
            }
        };
        if let Err(end) = self.hook(Hook::Postrouting, &mut at, Some(interface)) {
            return Next::End(end);
        }
        let Some(link) = self.dataplane.node(at.node).interface(interface).link else {
            return Next::End(self.lose(at.node, at.packet, Disposition::NoNeighbor, None));
        };
        self.transmit(at, interface, link, next_hop)
    }

    fn transmit(&mut self, at: At, out: InterfaceId, link: LinkId, next_hop: IpAddr) -> Next<'a> {
        let heard = forward::neighbor(self.dataplane, link, next_hop, self.way)
            .filter(|other| !forward::are_apart(self.dataplane, (at.node, out), *other));
        let Some((to, interface)) = heard else {
            let origin = self.dataplane.link(link).origin;
            return Next::End(self.lose(at.node, at.packet, Disposition::NoNeighbor, Some(origin)));
        };
        if let Some(bridge) = self.dataplane.link(link).bridge
            && bridge.node != at.node
            && bridge.node != to
            && self.dataplane.node(bridge.node).sysctls.bridge_calls_iptables
        {
            let crossing = At {
                node: bridge.node,
                incoming: Some(bridge.interface),
                packet: at.packet.bare(),
                tracked: Tracked::NONE,
            };
            return self.cross_bridge(crossing, link, to, interface);
        }
        self.enter(at.packet, link, to, interface)
    }

    fn enter(&mut self, packet: Packet, link: LinkId, to: NodeId, interface: InterfaceId) -> Next<'a> {
        self.step(to, packet.header, Event::Crossed { link, to }, None);
        Next::Arrive(At { node: to, incoming: Some(interface), packet: packet.bare(), tracked: Tracked::NONE })
    }

    /// A frame between two ports of a bridge visits the hooks of the bridge's node (`br_netfilter`).
    fn cross_bridge(&mut self, mut at: At, link: LinkId, to: NodeId, interface: InterfaceId) -> Next<'a> {
        let destination = at.packet.header.destination;
        let bridge = at.incoming;
        if let Err(end) = self.hook(Hook::Prerouting, &mut at, None) {
            return Next::End(end);
        }
        if at.packet.header.destination != destination {
            // Rewritten on the way: the bridge's node routes it as if it had been sent to it.
            return self.routed(at);
        }
        if let Err(end) = self.hook(Hook::Forward, &mut at, bridge) {
            return Next::End(end);
        }
        // The bridge's postrouting hook is called without an incoming interface.
        at.incoming = None;
        if let Err(end) = self.hook(Hook::Postrouting, &mut at, bridge) {
            return Next::End(end);
        }
        self.enter(at.packet, link, to, interface)
    }

    /// Input of a packet: prerouting, then to a socket or on.
    fn arrive(&mut self, mut at: At) -> Next<'a> {
        let node = self.dataplane.node(at.node);
        if node.kind == NodeKind::UserNat {
            return Next::End(self.arrive_at_user_nat(at));
        }
        let from_loopback = at.incoming == Some(LOOPBACK);
        if !from_loopback && self.is_martian(&at) {
            return Next::End(self.lose(at.node, at.packet, Disposition::Martian, None));
        }
        if let Err(end) = self.hook(Hook::Prerouting, &mut at, None) {
            return Next::End(end);
        }
        if self.comes_the_wrong_way(&at) {
            let origin = Some(node.sysctls.rp_filter_origin);
            return Next::End(self.lose(at.node, at.packet, Disposition::WrongInterface, origin));
        }
        self.routed(at)
    }

    /// What the reverse path filter in its strict form drops when a packet is routed (`fib_validate_source`).
    fn comes_the_wrong_way(&self, at: &At) -> bool {
        let node = self.dataplane.node(at.node);
        let Some(interface) = at.incoming.map(|i| node.interface(i)) else { return false };
        !self.is_on(interface.any_way_in)
            && !filter::is_routed_back(node, &interface.name, at.packet.header.source, self.setting)
    }

    fn is_on(&self, toggle: Toggle) -> bool {
        match toggle {
            Toggle::On => true,
            Toggle::Off => false,
            Toggle::If(switch) => self.setting.is_on(switch),
        }
    }

    fn routed(&mut self, mut at: At) -> Next<'a> {
        let decision = forward::route(self.dataplane, at.node, at.packet.header.destination, self.way, self.setting);
        if let Decision::Local = decision {
            if let Err(end) = self.hook(Hook::Input, &mut at, None) {
                return Next::End(end);
            }
            return Next::End(self.take(at));
        }
        let node = self.dataplane.node(at.node);
        if !self.is_on(node.sysctls.ip_forward) {
            let origin = Some(node.sysctls.ip_forward_origin);
            return Next::End(self.lose(at.node, at.packet, Disposition::NotForwarding, origin));
        }
        if matches!(decision, Decision::Out { .. })
            && let Err(end) = self.hook(Hook::Forward, &mut at, outgoing(decision))
        {
            return Next::End(end);
        }
        self.dispatch(at, decision)
    }

    /// Loopback addresses from outside, or our own address as a stranger's source (`fib_validate_source`).
    fn is_martian(&self, at: &At) -> bool {
        let node = self.dataplane.node(at.node);
        let Some(interface) = at.incoming.map(|i| node.interface(i)) else { return false };
        let header = &at.packet.header;
        let is_loopback = header.source.is_loopback() || header.destination.is_loopback();
        (is_loopback && !interface.route_localnet)
            || (!header.source.is_loopback() && filter::is_local(node, header.source))
    }

    fn take(&mut self, at: At) -> End<'a> {
        if at.packet.kind != Kind::Request {
            return End::Home { node: at.node, packet: at.packet };
        }
        let node = self.dataplane.node(at.node);
        match forward::taker(node, &at.packet.header, self.setting) {
            Some(by) => {
                let came_by_loopback = at.packet.header.source.is_loopback();
                End::Taken { node: at.node, by, packet: at.packet, came_by_loopback }
            }
            None => self.lose(at.node, at.packet, Disposition::NoListener, None),
        }
    }

    fn arrive_at_user_nat(&mut self, at: At) -> End<'a> {
        if at.packet.kind != Kind::Request {
            return End::Home { node: at.node, packet: at.packet };
        }
        let node = self.dataplane.node(at.node);
        match forward::transparent_relay(node, &at.packet.header, self.setting) {
            Some(relay) => {
                End::Taken { node: at.node, by: Taker::Relay(relay), packet: at.packet, came_by_loopback: false }
            }
            None => self.lose(at.node, at.packet, Disposition::NoRelay, None),
        }
    }

    /// Runs one hook: filters, connection tracking and translation in the order of their priorities.
    fn hook(&mut self, hook: Hook, at: &mut At, outgoing: Option<InterfaceId>) -> Result<(), End<'a>> {
        if self.dataplane.node(at.node).kind == NodeKind::UserNat {
            return Ok(());
        }
        let half = half_of(hook);
        if matches!(hook, Hook::Prerouting | Hook::Output) && at.tracked == Tracked::NONE {
            self.filters(hook, at, outgoing, |p| p < PRIORITY_CONNTRACK)?;
            at.tracked = match at.packet.untracked {
                true => Tracked::EXEMPT,
                false => self.connections.track(at.node, &at.packet),
            };
        } else {
            self.filters(hook, at, outgoing, |p| p < PRIORITY_CONNTRACK)?;
        }
        let Some((half, priority)) = half else {
            return self.filters(hook, at, outgoing, |p| p >= PRIORITY_CONNTRACK);
        };
        self.filters(hook, at, outgoing, |p| (PRIORITY_CONNTRACK..priority).contains(&p))?;
        self.translate(hook, half, at, outgoing)?;
        self.filters(hook, at, outgoing, |p| p >= priority)
    }

    fn seen<'s>(&'s self, at: &'s At, outgoing: Option<InterfaceId>) -> Seen<'s> {
        let node = self.dataplane.node(at.node);
        let name = |i: InterfaceId| node.interface(i).name.as_str();
        Seen {
            node,
            setting: self.setting,
            connections: &self.connections,
            tracked: at.tracked,
            packet: at.packet,
            connection_mark: self.connections.mark(at.tracked),
            incoming: at.incoming.map(name),
            outgoing: outgoing.map(name),
        }
    }

    fn filters(
        &mut self,
        hook: Hook,
        at: &mut At,
        outgoing: Option<InterfaceId>,
        wanted: impl Fn(i32) -> bool,
    ) -> Result<(), End<'a>> {
        let mut accepted = Vec::new();
        let snapshot = *at;
        let mut seen = self.seen(&snapshot, in_view(hook, outgoing));
        let ended = filter::run_hook(&mut seen, hook, ChainKind::Filter, wanted, &mut accepted);
        let (packet, connection_mark) = (seen.packet, seen.connection_mark);
        self.keep(at, packet, connection_mark);
        for verdict in accepted.iter().chain(ended.iter()) {
            self.decided(hook, at, verdict);
        }
        match ended.map(|v| v.effect) {
            Some(Effect::Decided(decision)) => self.stopped(at, decision),
            _ => Ok(()),
        }
    }

    fn decided(&mut self, hook: Hook, at: &At, verdict: &filter::Verdict) {
        let Effect::Decided(decision) = verdict.effect else { return };
        let event = Event::Filtered { hook, chain: verdict.chain, rule: verdict.rule, decision };
        self.step(at.node, at.packet.header, event, Some(verdict.origin));
    }

    fn stopped(&self, at: &At, decision: Verdict) -> Result<(), End<'a>> {
        match decision {
            Verdict::Accepted => Ok(()),
            Verdict::Dropped => Err(self.end_at(at, Disposition::Dropped)),
            Verdict::Rejected(with) => Err(self.end_at(at, Disposition::Rejected(with))),
        }
    }

    /// What rules have left on the packet and on its connection.
    fn keep(&mut self, at: &mut At, packet: Packet, connection_mark: u32) {
        at.packet = packet;
        self.connections.set_mark(at.tracked, connection_mark);
    }

    /// A filter's step already says what happened: no second step.
    fn end_at(&self, at: &At, disposition: Disposition) -> End<'a> {
        End::Lost { node: at.node, disposition, packet: at.packet }
    }

    /// Asks the nat chains about the first packet of a connection; rewrites every packet as the connection says.
    fn translate(&mut self, hook: Hook, half: Half, at: &mut At, outgoing: Option<InterfaceId>) -> Result<(), End<'a>> {
        let before = at.packet.header;
        let mut origin = None;
        if self.connections.is_unbound(at.tracked, half) {
            let snapshot = *at;
            let mut seen = self.seen(&snapshot, in_view(hook, outgoing));
            let verdict = filter::run_hook(&mut seen, hook, ChainKind::Nat, |_| true, &mut Vec::new());
            let (packet, connection_mark) = (seen.packet, seen.connection_mark);
            self.keep(at, packet, connection_mark);
            let mut to = None;
            match verdict.map(|v| (v, v.effect)) {
                Some((verdict, Effect::Translate(translation))) => {
                    origin = Some(verdict.origin);
                    to = self.translated(translation, at, outgoing);
                }
                Some((verdict, Effect::Decided(decision))) => {
                    self.decided(hook, at, &verdict);
                    self.stopped(at, decision)?;
                }
                None => {}
            }
            self.connections.bind(at.tracked, half, to);
        }
        at.packet.header = self.connections.rewritten(at.tracked, half, before);
        if at.packet.header != before {
            let undone = at.packet.kind != Kind::Request;
            self.step(at.node, at.packet.header, Event::Rewritten { before, undone }, origin);
        }
        Ok(())
    }

    fn translated(&self, translation: Translation, at: &At, outgoing: Option<InterfaceId>) -> Option<(IpAddr, u16)> {
        let header = at.packet.header;
        let node = self.dataplane.node(at.node);
        match translation {
            Translation::Destination { address, port } => {
                Some((address.unwrap_or(header.destination), port.unwrap_or(header.destination_port)))
            }
            Translation::Source { address } => Some((address, header.source_port)),
            Translation::Masquerade => {
                let next_hop = match forward::route(self.dataplane, at.node, header.destination, self.way, self.setting)
                {
                    Decision::Out { next_hop, .. } => next_hop,
                    _ => header.destination,
                };
                let address = forward::address_towards(node, outgoing?, next_hop)?;
                Some((address, header.source_port))
            }
            Translation::Redirect { port } => {
                let address = match at.incoming {
                    Some(interface) => forward::address_towards(node, interface, header.source)?,
                    None => header.family().loopback(),
                };
                Some((address, port.unwrap_or(header.destination_port)))
            }
        }
    }

    fn step(&mut self, node: NodeId, header: Header, event: Event, origin: Option<OriginId>) {
        self.steps.push(Step { leg: self.leg, way: self.way, node, header, event, origin });
    }
}

/// The loopback is every node's first interface.
const LOOPBACK: InterfaceId = InterfaceId(0);

fn lost(disposition: Disposition, symptom: Symptom) -> Outcome {
    Outcome { disposition, symptom, delivery: None }
}

/// Whether the kernel keeps an error from the program: one that may pass is not told to who sent a datagram (Linux 6.1
/// `net/ipv4/udp.c`, `__udp4_lib_err`; `net/ipv4/icmp.c`, `icmp_err_convert`).
fn is_kept_from(protocol: Protocol, kind: Kind) -> bool {
    protocol == Protocol::Udp && matches!(kind, Kind::Error(IcmpError::Net | IcmpError::Host))
}

fn symptom_of(kind: Kind) -> Symptom {
    match kind {
        Kind::Reset | Kind::Error(IcmpError::Port) => Symptom::Refused,
        Kind::Error(IcmpError::Net) => Symptom::NetUnreachable,
        Kind::Error(IcmpError::Host | IcmpError::HostProhibited | IcmpError::AdminProhibited) => {
            Symptom::HostUnreachable
        }
        Kind::Request | Kind::Answer => Symptom::Works,
    }
}

fn half_of(hook: Hook) -> Option<(Half, i32)> {
    match hook {
        Hook::Prerouting | Hook::Output => Some((Half::Destination, PRIORITY_DESTINATION_NAT)),
        Hook::Postrouting | Hook::Input => Some((Half::Source, PRIORITY_SOURCE_NAT)),
        Hook::Forward => None,
    }
}

/// The outgoing interface that rules of a hook can see.
fn in_view(hook: Hook, outgoing: Option<InterfaceId>) -> Option<InterfaceId> {
    match hook {
        Hook::Prerouting | Hook::Input => None,
        Hook::Forward | Hook::Output | Hook::Postrouting => outgoing,
    }
}

fn outgoing(decision: Decision<'_>) -> Option<InterfaceId> {
    match decision {
        Decision::Local => Some(LOOPBACK),
        Decision::Out { interface, .. } => Some(interface),
        Decision::None => None,
    }
}

fn dialed_by(relay: &Relay, taken: &Header, came_by_loopback: bool) -> Option<Flow> {
    let (destination, destination_port) = match relay.dial {
        Dial::To { address, port } => (address, port),
        Dial::Same => (taken.destination, taken.destination_port),
        Dial::SamePort { address } => (address, taken.destination_port),
        Dial::Nowhere => return None,
    };
    let source = match relay.source {
        SourceAs::Dialer => None,
        SourceAs::Bound(address) => Some(address),
        SourceAs::Client { loopback } => Some(if came_by_loopback { loopback } else { taken.source }),
    };
    Some(Flow {
        from: relay.dial_from,
        protocol: taken.protocol,
        source,
        source_port: taken.source_port,
        destination,
        destination_port,
    })
}
