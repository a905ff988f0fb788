//! Rules as a user wrote them, in the words of the dataplane. Spec: specs/user-rules.md.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::dataplane::{Action, ChainId, Dataplane, Match, NodeId, Reject, Rule, States, TableId};
use crate::lab::iptables::{AddressKind, Condition, ConnectionState, IptablesRule, RejectWith, RuleTarget};
use crate::language::{Text, text};
use crate::net::{Family, IpNet, Ipv4Net, Ipv6Net};
use crate::provenance::Origin;
use crate::source::Span;
use crate::switch::{Switch, SwitchKind};

/// Where a rule goes.
pub(super) struct Place<'a> {
    pub(super) dataplane: &'a mut Dataplane,
    pub(super) node: NodeId,
    pub(super) table: TableId,
    /// The chain's name.
    pub(super) chain: &'a str,
    /// What the table sees; nothing if it sees both.
    pub(super) family: Option<Family>,
    /// The line.
    pub(super) span: Span,
}

impl Place<'_> {
    fn find(&self, chain: &str) -> Option<ChainId> {
        self.dataplane.node(self.node).ruleset.find(self.table, chain)
    }

    /// One rule; two where the target has no model and may both let through and stop. Nothing if it jumps to a chain
    /// that is not there.
    pub(super) fn lowered(&mut self, rule: &IptablesRule) -> Option<Vec<Rule>> {
        let origin = self
            .dataplane
            .origins
            .add(Origin::written(text!("rule in `{chain}`", "`{chain}`의 규칙", chain = &self.chain), self.span));
        let actions = match &rule.target {
            RuleTarget::Jump(to) => vec![Action::Jump(self.find(to)?)],
            RuleTarget::Goto(to) => vec![Action::Goto(self.find(to)?)],
            RuleTarget::Block(rules) => vec![Action::Jump(self.block(rules))],
            RuleTarget::Unmodeled(_) => vec![Action::Accept, Action::Drop],
            RuleTarget::Diverts(text) => {
                let origin = self.dataplane.origins.add(Origin::written(format!("`{text}`"), self.span));
                self.dataplane.node_mut(self.node).unmodeled.push(origin);
                return Some(Vec::new());
            }
            target => vec![plain_action(target)],
        };
        let has_effect = rule.target != RuleTarget::Nothing;
        let mut rules = Vec::new();
        for action in actions {
            let conditions = rule.conditions.iter().filter(|c| has_effect || !is_open(c));
            let mut matches: Vec<Match> = conditions.map(|c| self.condition(c)).collect();
            if let RuleTarget::Unmodeled(text) = &rule.target {
                matches.push(self.unmodeled(text!("`{text}` does {action:?}", "`{text}` 규칙이 {action:?} 동작을 함")));
            }
            rules.push(Rule { matches, action, guard: None, origin });
        }
        Some(rules)
    }

    /// Rules in a chain of their own, without a name that could be written.
    fn block(&mut self, rules: &[IptablesRule]) -> ChainId {
        let origin = self
            .dataplane
            .origins
            .add(Origin::written(text!("block in `{chain}`", "`{chain}`의 블록", chain = &self.chain), self.span));
        let ruleset = &mut self.dataplane.node_mut(self.node).ruleset;
        let name = format!("__chain{}", ruleset.chains.len());
        let id = ruleset.chain(self.table, &name, None, origin);
        for rule in rules {
            let lowered = self.lowered(rule).unwrap_or_default();
            self.dataplane.node_mut(self.node).ruleset.get_mut(id).rules.extend(lowered);
        }
        id
    }

    fn switch(&mut self, statement: Text, default: bool, kind: SwitchKind) -> Match {
        let origin = Origin::written(statement.clone(), self.span);
        Match::Unmodeled(self.dataplane.switches.add(Switch { statement, default, kind, origin }))
    }

    fn unmodeled(&mut self, statement: Text) -> Match {
        self.switch(statement, false, SwitchKind::Unmodeled)
    }

    fn condition(&mut self, condition: &Condition) -> Match {
        match condition {
            Condition::Family(family) => Match::Family(*family),
            Condition::Protocol(protocol) => Match::Protocol(*protocol),
            Condition::ProtocolNumber(number) => Match::ProtocolNumber(*number),
            Condition::Source(net) => Match::Source(*net),
            Condition::Destination(net) => Match::Destination(*net),
            Condition::SourcePort(ports) => Match::SourcePort(*ports),
            Condition::DestinationPort(ports) => Match::DestinationPort(*ports),
            Condition::InInterface(name) => Match::InInterface(name.clone()),
            Condition::OutInterface(name) => Match::OutInterface(name.clone()),
            Condition::State(states) => state(states),
            Condition::OriginalDestination(net) => Match::OriginalDestination(*net),
            Condition::OriginalDestinationPort(ports) => Match::OriginalDestinationPort(*ports),
            Condition::OriginalSource(net) => Match::OriginalSource(*net),
            Condition::OriginalSourcePort(ports) => Match::OriginalSourcePort(*ports),
            Condition::Reply => Match::Reply,
            Condition::SourceIsRoutedBack => Match::SourceIsRoutedBack,
            Condition::SourceKind(kind) => self.kind(*kind, Match::SourceIsLocal, Match::Source),
            Condition::DestinationKind(kind) => self.kind(*kind, Match::DestinationIsLocal, Match::Destination),
            Condition::Mark { value, mask } => Match::Mark { value: *value, mask: *mask },
            Condition::ConnectionMark { value, mask } => Match::ConnectionMark { value: *value, mask: *mask },
            Condition::IcmpType(number) => Match::IcmpType(*number),
            Condition::AnyOf(all) => Match::AnyOf(all.iter().map(|c| self.condition(c)).collect()),
            Condition::AllOf(all) => Match::AllOf(all.iter().map(|c| self.condition(c)).collect()),
            Condition::Not(inner) => Match::Not(Box::new(self.condition(inner))),
            Condition::Roughly(inner) => Match::Roughly(Box::new(self.condition(inner))),
            Condition::Assumed(text, holds) => {
                self.switch(text!("`{text}` holds", "`{text}` 조건에 맞음"), *holds, SwitchKind::Assumption)
            }
            Condition::InSet { name, .. } => {
                self.unmodeled(text!("the set `{name}` has it", "`{name}` 집합에 들어 있음"))
            }
            Condition::Unmodeled(text) => self.unmodeled(text!("`{text}` holds", "`{text}` 조건에 맞음")),
        }
    }

    fn kind(&self, kind: AddressKind, local: Match, inside: impl Fn(IpNet) -> Match) -> Match {
        let of_family = |net: &IpNet| self.family.is_none_or(|family| family == Family::of(net.addr()));
        let multicast = [
            IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4)),
            IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8)),
        ];
        let multicast = multicast.into_iter().filter(of_family);
        let broadcast = self.broadcasts().into_iter().filter(of_family);
        match kind {
            AddressKind::Local => local,
            AddressKind::Multicast => one_or_any(multicast.map(inside).collect()),
            AddressKind::Broadcast => Match::AnyOf(broadcast.map(inside).collect()),
            AddressKind::Unicast => {
                let others = multicast.chain(broadcast).map(inside);
                Match::AnyOf(others.chain([local]).collect()).negated()
            }
        }
    }

    /// 255.255.255.255, and the last address of every subnet that the node is in.
    fn broadcasts(&self) -> Vec<IpNet> {
        let addresses = self.dataplane.node(self.node).interfaces.iter().flat_map(|i| &i.addresses);
        let subnets = addresses.filter(|a| a.net.addr().is_ipv4() && a.net.prefix_len() < 31);
        let last = subnets.map(|a| IpNet::from(a.net.broadcast()));
        last.chain([IpNet::from(IpAddr::V4(Ipv4Addr::BROADCAST))]).collect()
    }
}

/// What a target does that needs no other chain.
fn plain_action(target: &RuleTarget) -> Action {
    match target {
        RuleTarget::Accept => Action::Accept,
        RuleTarget::Drop => Action::Drop,
        RuleTarget::Return => Action::Return,
        RuleTarget::Reject(with) => Action::Reject(match with {
            RejectWith::TcpReset => Reject::TcpReset,
            RejectWith::Port => Reject::PortUnreachable,
            RejectWith::Host => Reject::HostUnreachable,
            RejectWith::Net => Reject::NetUnreachable,
            RejectWith::HostProhibited => Reject::HostProhibited,
            RejectWith::AdminProhibited => Reject::AdminProhibited,
        }),
        RuleTarget::DestinationNat { address, port } => Action::DestinationNat { address: *address, port: *port },
        RuleTarget::SourceNat(address) => Action::SourceNat { address: *address },
        RuleTarget::Masquerade => Action::Masquerade,
        RuleTarget::Redirect { port } => Action::Redirect { port: *port },
        RuleTarget::SetMark { value, mask } => Action::SetMark { value: *value, mask: *mask },
        RuleTarget::SetConnectionMark { value, mask } => Action::SetConnectionMark { value: *value, mask: *mask },
        RuleTarget::SaveMark { mask } => Action::SaveMark { mask: *mask },
        RuleTarget::RestoreMark { mask } => Action::RestoreMark { mask: *mask },
        RuleTarget::Untrack => Action::Untrack,
        RuleTarget::Nothing
        | RuleTarget::Jump(_)
        | RuleTarget::Goto(_)
        | RuleTarget::Block(_)
        | RuleTarget::Unmodeled(_)
        | RuleTarget::Diverts(_) => Action::Continue,
    }
}

fn state(wanted: &[ConnectionState]) -> Match {
    let has = |state| wanted.contains(&state);
    let states = States {
        new: has(ConnectionState::New),
        established: has(ConnectionState::Established),
        related: has(ConnectionState::Related),
        invalid: has(ConnectionState::Invalid),
        untracked: has(ConnectionState::Untracked),
    };
    let mut any = Vec::new();
    if states != States::default() {
        any.push(Match::State(states));
    }
    if has(ConnectionState::SourceRewritten) {
        any.push(Match::SourceRewritten);
    }
    if has(ConnectionState::DestinationRewritten) {
        any.push(Match::DestinationRewritten);
    }
    one_or_any(any)
}

fn one_or_any(mut any: Vec<Match>) -> Match {
    match (any.len(), any.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            any.extend(last);
            Match::AnyOf(any)
        }
    }
}

/// Whether a condition depends on something that no file tells.
fn is_open(condition: &Condition) -> bool {
    match condition {
        Condition::Unmodeled(_) | Condition::Assumed(..) | Condition::InSet { .. } => true,
        Condition::Not(inner) | Condition::Roughly(inner) => is_open(inner),
        Condition::AnyOf(all) | Condition::AllOf(all) => all.iter().any(is_open),
        _ => false,
    }
}
