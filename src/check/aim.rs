//! What a sentence wants to be reached, as goals for the solver.

use std::net::IpAddr;

use crate::dataplane::{Listen, NodeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::language::text;
use crate::net::{PortRange, Protocol};
use crate::property::{Place, Sentence, Target, Url, Verb};
use crate::smt::Goal;
use crate::source::{Span, Spanned};

use super::exposure::{Exposure, Listener};
use super::place::{Endpoint, Places};

/// A goal, and how it may be dialled.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    /// As it is called in messages: `grafana:3000`.
    pub(super) label: String,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) goal: Goal,
    pub(super) protocol: Protocol,
    /// The target's own port; nothing for pings and whole hosts.
    pub(super) port: Option<u16>,
    pub(super) dial: Dialing,
}

/// Which addresses are dialled.
#[derive(Clone, Debug)]
pub(super) enum Dialing {
    /// Whatever works.
    Free,
    /// These addresses, on these ports.
    Fixed(Vec<IpAddr>, PortRange),
    /// This host name, resolved where the subject is, and this port.
    Name(String, u16),
}

impl Aim {
    /// The listeners of the matrix that this is about, however they are dialled; nothing if it is about addresses, or about
    /// whoever answers there.
    pub(super) fn listeners<'e>(&self, exposure: &'e Exposure) -> Option<Vec<&'e Listener>> {
        let (Goal::Socket { node, owner, ports }, Dialing::Free) = (&self.goal, &self.dial) else { return None };
        let is_meant = |listener: &&Listener| {
            let is_its = *node == listener.node && owner.as_ref().is_none_or(|owner| *owner == listener.owner);
            let overlaps = ports.first <= listener.ports.last && listener.ports.first <= ports.last;
            is_its && overlaps && self.protocol == listener.protocol
        };
        Some(exposure.listeners.iter().filter(is_meant).collect())
    }
}

impl Places<'_> {
    /// Everything that the sentence wants reached.
    pub(super) fn aims(&self, sentence: &Sentence) -> Result<Vec<Aim>, Box<Diagnostic>> {
        let Some(each) = self.each_target(sentence)? else { return self.aims_of_one(sentence) };
        let aims: Result<Vec<Vec<Aim>>, _> = each.iter().map(|sentence| self.aims_of_one(sentence)).collect();
        Ok(aims?.concat())
    }

    fn aims_of_one(&self, sentence: &Sentence) -> Result<Vec<Aim>, Box<Diagnostic>> {
        match &sentence.verb {
            Verb::Reach { target, at, protocol, by_name } => {
                let aims = self.reach(target, *protocol)?;
                aims.into_iter().map(|aim| with_dialing(aim, at.as_ref(), *by_name, target)).collect()
            }
            Verb::Ping(place) => self.ping(place).map(|aim| aim.into_iter().collect()),
            Verb::Resolve(_) => Ok(Vec::new()),
        }
    }

    fn reach(&self, target: &Target, protocol: Protocol) -> Result<Vec<Aim>, Box<Diagnostic>> {
        let span = target.place.span;
        match &target.place.value {
            Place::Internet => self.reach_internet(target, protocol, span).map(|aim| vec![aim]),
            Place::Address(address) => Ok(vec![Aim {
                label: labelled(&address.to_string(), target.ports.as_ref()),
                endpoint: None,
                goal: Goal::Anyone,
                protocol,
                port: target.ports.as_ref().map(|p| p.value.first),
                dial: Dialing::Fixed(vec![*address], ports_of(target)),
            }]),
            Place::Named(name) => self.reach_named(&Spanned::new(name.clone(), span), target, protocol),
            // Sentences about many are taken apart before.
            Place::Every(_) => Ok(Vec::new()),
        }
    }

    fn reach_internet(&self, target: &Target, protocol: Protocol, span: Span) -> Result<Aim, Box<Diagnostic>> {
        let endpoint = self.internet(span)?;
        let ports = target.ports.as_ref().map_or(PortRange::single(443), |p| p.value);
        Ok(Aim {
            label: "internet".to_owned(),
            goal: Goal::Socket { node: endpoint.node, owner: None, ports },
            endpoint: Some(endpoint),
            protocol,
            port: Some(ports.first),
            // One address outside stands for all: the documentation prefix of RFC 5737.
            dial: Dialing::Fixed(vec![IpAddr::from([198, 51, 100, 1])], ports),
        })
    }

    fn reach_named(
        &self,
        name: &Spanned<String>,
        target: &Target,
        protocol: Protocol,
    ) -> Result<Vec<Aim>, Box<Diagnostic>> {
        let endpoint = self.named(name)?;
        let ports = match &target.ports {
            Some(ports) => vec![ports.value],
            None => self.listening_ports(&endpoint, protocol),
        };
        if ports.is_empty() {
            let own = &name.value;
            let message = text!(
                "`{own}` listens on no known {protocol} port",
                "`{own}`: 대기하는 {protocol} 포트를 알 수 없습니다"
            );
            return Err(Box::new(
                Diagnostic::new(Code::SentenceUnknownName, message)
                    .label(name.span, text!("which port is meant?", "어느 포트인지?"))
                    .help(text!("write the port: `{own}:PORT`", "포트를 쓰십시오: `{own}:포트`")),
            ));
        }
        Ok(ports.into_iter().map(|ports| self.aim_at(&endpoint, ports, protocol)).collect())
    }

    fn aim_at(&self, endpoint: &Endpoint, ports: PortRange, protocol: Protocol) -> Aim {
        let label = format!("{}:{ports}", endpoint.label);
        let node = self.dataplane.node(endpoint.node);
        let has_socket = self.has_socket(endpoint, ports, protocol);
        let relays = node
            .relays
            .iter()
            .any(|r| matches!(r.listen, Listen::Socket { port, .. } if ports.contains(port)) && r.protocol == protocol);
        // A port of a host on which no program of the host listens, but which is forwarded or published: whoever
        // answers there is meant.
        let is_front = endpoint.container.is_none() && !has_socket && relays;
        let goal = if is_front {
            Goal::Anyone
        } else {
            Goal::Socket { node: endpoint.node, owner: endpoint.owner.clone(), ports }
        };
        let dial = if is_front { Dialing::Fixed(node.addresses().collect(), ports) } else { Dialing::Free };
        Aim { label, endpoint: Some(endpoint.clone()), goal, protocol, port: Some(ports.first), dial }
    }

    pub(super) fn has_socket(&self, endpoint: &Endpoint, ports: PortRange, protocol: Protocol) -> bool {
        self.dataplane.node(endpoint.node).sockets.iter().any(|s| {
            s.protocol == protocol
                && s.ports.first <= ports.last
                && ports.first <= s.ports.last
                && endpoint.owner.as_ref().is_none_or(|o| *o == s.owner)
        })
    }

    pub(super) fn listening_ports(&self, endpoint: &Endpoint, protocol: Protocol) -> Vec<PortRange> {
        let sockets = self.dataplane.node(endpoint.node).sockets.iter();
        let own = sockets.filter(|s| s.protocol == protocol && endpoint.owner.as_ref().is_none_or(|o| *o == s.owner));
        let mut ports: Vec<PortRange> = own.map(|s| s.ports).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    fn ping(&self, place: &Spanned<Place>) -> Result<Option<Aim>, Box<Diagnostic>> {
        let fixed = |address: IpAddr| Aim {
            label: address.to_string(),
            endpoint: None,
            goal: Goal::Anyone,
            protocol: Protocol::Icmp,
            port: None,
            dial: Dialing::Fixed(vec![address], PortRange::single(0)),
        };
        match &place.value {
            Place::Every(_) => Ok(None),
            Place::Address(address) => Ok(Some(fixed(*address))),
            Place::Internet => {
                let endpoint = self.internet(place.span)?;
                let outside = IpAddr::from([198, 51, 100, 1]);
                let goal = Goal::Kernel(endpoint.node);
                Ok(Some(Aim { label: "internet".to_owned(), endpoint: Some(endpoint), goal, ..fixed(outside) }))
            }
            Place::Named(name) => {
                let endpoint = self.named(&Spanned::new(name.clone(), place.span))?;
                let node = self.dataplane.node(endpoint.node);
                let own = node.addresses().filter(|a| !a.is_loopback()).collect();
                Ok(Some(Aim {
                    label: endpoint.label.clone(),
                    goal: Goal::Kernel(endpoint.node),
                    endpoint: Some(endpoint),
                    protocol: Protocol::Icmp,
                    port: None,
                    dial: Dialing::Fixed(own, PortRange::single(0)),
                }))
            }
        }
    }

    /// The addresses that a name means where `node` asks; addresses mean themselves.
    pub(super) fn resolved(&self, asker: &Endpoint, name: &str) -> Vec<IpAddr> {
        if let Ok(address) = name.trim_matches(['[', ']']).parse() {
            return vec![address];
        }
        let node = self.dataplane.node(asker.node);
        if node.kind == NodeKind::UserNat {
            return Vec::new();
        }
        let setting = self.dataplane.switches.defaults();
        let known = node.names.iter().filter(|n| n.name.eq_ignore_ascii_case(name) && setting.allows(n.guard));
        known.map(|n| n.address).collect()
    }
}

fn with_dialing(aim: Aim, at: Option<&Spanned<Url>>, by_name: bool, target: &Target) -> Result<Aim, Box<Diagnostic>> {
    if let Some(url) = at {
        return Ok(Aim { dial: Dialing::Name(url.value.host.clone(), url.value.port), ..aim });
    }
    match (&target.place.value, aim.port, by_name) {
        (Place::Named(name), Some(port), true) => Ok(Aim { dial: Dialing::Name(name.clone(), port), ..aim }),
        (_, _, true) => Err(Box::new(
            Diagnostic::new(
                Code::SentenceSyntax,
                text!("`by name` needs a name to dial", "`by name`에는 연결할 이름이 필요합니다"),
            )
            .label(target.place.span, text!("has no name", "이름이 없음")),
        )),
        _ => Ok(aim),
    }
}

fn ports_of(target: &Target) -> PortRange {
    target.ports.as_ref().map_or(PortRange { first: 1, last: u16::MAX }, |p| p.value)
}

fn labelled(place: &str, ports: Option<&Spanned<PortRange>>) -> String {
    ports.map_or_else(|| place.to_owned(), |p| format!("{place}:{}", p.value))
}
