//! Writing one rule in one line. Spec: specs/docker-publish.md.

use std::net::{IpAddr, Ipv4Addr};

use crate::dataplane::{Action, ChainId, Match, Rule, States};
use crate::net::{IpNet, Ipv4Net, PortRange, Protocol};
use crate::provenance::OriginId;
use crate::switch::SwitchId;

/// A rule without its action.
pub(super) struct Draft {
    matches: Vec<Match>,
    guard: Option<SwitchId>,
    origin: OriginId,
}

/// Starts a rule that exists because of `origin`.
pub(super) fn rule(origin: OriginId) -> Draft {
    Draft { matches: Vec::new(), guard: None, origin }
}

/// Addresses of the host's own loopback.
const LOOPBACK: IpNet = IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8));

/// While docker-proxy runs, what the host dials on its loopback is left to the proxy.
pub(super) fn not_loopback(hairpin: bool) -> Option<Match> {
    (!hairpin).then(|| Match::Destination(LOOPBACK).negated())
}

impl Draft {
    pub(super) fn guarded(mut self, guard: Option<SwitchId>) -> Self {
        self.guard = guard;
        self
    }

    pub(super) fn when(mut self, condition: Match) -> Self {
        self.matches.push(condition);
        self
    }

    pub(super) fn unless(self, condition: Match) -> Self {
        self.when(condition.negated())
    }

    /// Adds a condition if there is one.
    pub(super) fn when_any(self, condition: Option<Match>) -> Self {
        match condition {
            Some(condition) => self.when(condition),
            None => self,
        }
    }

    pub(super) fn entering(self, interface: &str) -> Self {
        self.when(Match::InInterface(interface.to_owned()))
    }

    pub(super) fn leaving(self, interface: &str) -> Self {
        self.when(Match::OutInterface(interface.to_owned()))
    }

    pub(super) fn not_entering(self, interface: &str) -> Self {
        self.unless(Match::InInterface(interface.to_owned()))
    }

    pub(super) fn not_leaving(self, interface: &str) -> Self {
        self.unless(Match::OutInterface(interface.to_owned()))
    }

    pub(super) fn from(self, net: IpNet) -> Self {
        self.when(Match::Source(net))
    }

    pub(super) fn to(self, address: IpAddr) -> Self {
        self.when(Match::Destination(address.into()))
    }

    pub(super) fn on_port(self, protocol: Protocol, port: u16) -> Self {
        self.when(Match::Protocol(protocol)).when(Match::DestinationPort(PortRange::single(port)))
    }

    pub(super) fn established(self) -> Self {
        self.when(Match::State(States::ESTABLISHED_RELATED))
    }

    pub(super) fn accept(self) -> Rule {
        self.does(Action::Accept)
    }

    pub(super) fn drop(self) -> Rule {
        self.does(Action::Drop)
    }

    pub(super) fn leave(self) -> Rule {
        self.does(Action::Return)
    }

    pub(super) fn jump(self, chain: ChainId) -> Rule {
        self.does(Action::Jump(chain))
    }

    pub(super) fn masquerade(self) -> Rule {
        self.does(Action::Masquerade)
    }

    pub(super) fn translate_to(self, address: IpAddr, port: u16) -> Rule {
        self.does(Action::DestinationNat { address: Some(address), port: Some(port) })
    }

    fn does(self, action: Action) -> Rule {
        Rule { matches: self.matches, action, guard: self.guard, origin: self.origin }
    }
}
