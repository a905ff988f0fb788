//! Which containers are the same to everybody else: one of them is followed, and stands for all.
//!
//! Two diallers are the same if the lab looks the same to both and to whoever answers them: they sit on the same links in
//! the same way, resolve the same names, and no rule, route or relay tells their addresses apart. What a lab does with
//! the connections of one is then what it does with those of the other, but for connections to one of the two.
//!
//! Rules that name an address as destination are common (docker writes some for every container). They meet answers
//! only. Such a rule tells nobody apart if there is one like it, at the same place between the other rules, for each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;
use std::net::IpAddr;

use crate::dataplane::{Action, Dataplane, Listen, Match, Node, NodeId, RouteTarget, Rule, SourceAs};
use crate::net::IpNet;

use super::place::Endpoint;

/// The first port of those that kernels give to diallers: no answer goes to a lower one.
/// Source: `net.ipv4.ip_local_port_range`, by default 32768 to 60999 (Linux 6.1, Documentation/networking/ip-sysctl.rst).
const FIRST_SOURCE_PORT: u16 = 32_768;

/// For every dialler the first one that is the same to everybody else; often itself.
pub(super) fn representatives(dataplane: &Dataplane, diallers: &[Endpoint]) -> Vec<usize> {
    let lab = Landmarks::of(dataplane, diallers);
    let mut first: HashMap<String, usize> = HashMap::new();
    let numbered = diallers.iter().enumerate();
    let first_of = |(index, endpoint): (usize, &Endpoint)| match foldable(endpoint).and_then(|node| lab.looks(node)) {
        Some(looks) => *first.entry(looks).or_insert(index),
        None => index,
    };
    numbered.map(first_of).collect()
}

/// The same by node.
pub(super) fn first_of_group(dataplane: &Dataplane, diallers: &[Endpoint]) -> HashMap<NodeId, NodeId> {
    let firsts = representatives(dataplane, diallers).into_iter().filter_map(|first| diallers.get(first));
    diallers.iter().zip(firsts).map(|(dialler, first)| (dialler.node, first.node)).collect()
}

fn foldable(endpoint: &Endpoint) -> Option<NodeId> {
    (endpoint.container.is_some() && endpoint.sources.is_none()).then_some(endpoint.node)
}

/// What a lab says about addresses.
struct Landmarks<'a> {
    dataplane: &'a Dataplane,
    /// Prefixes that rules, routes and interfaces tell apart.
    prefixes: HashSet<IpNet>,
    lengths: BTreeSet<u8>,
    /// Addresses with a part of their own: gateways, addresses that translations and relays take.
    special: HashSet<IpAddr>,
    /// Rules for answers to one dialler, with their places.
    own: HashMap<IpAddr, Vec<String>>,
}

impl<'a> Landmarks<'a> {
    fn of(dataplane: &'a Dataplane, diallers: &[Endpoint]) -> Self {
        let nodes: BTreeSet<NodeId> = diallers.iter().filter_map(foldable).collect();
        let mut owners: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for address in dataplane.nodes().flat_map(|(_, node)| node.addresses()).filter(|a| !a.is_loopback()) {
            *owners.entry(address).or_default() += 1;
        }
        let special = owners.iter().filter(|(_, count)| **count > 1).map(|(address, _)| *address).collect();
        let addresses: HashSet<IpAddr> = nodes.iter().flat_map(|id| dataplane.node(*id).addresses()).collect();
        let mut lab =
            Self { dataplane, prefixes: HashSet::new(), lengths: BTreeSet::new(), special, own: HashMap::new() };
        for (id, node) in dataplane.nodes() {
            if !nodes.contains(&id) {
                lab.add_surroundings(node);
            }
            lab.add_rules(id, node, &addresses);
        }
        lab.lengths = lab.prefixes.iter().map(IpNet::prefix_len).collect();
        lab
    }

    fn add_surroundings(&mut self, node: &Node) {
        self.prefixes.extend(node.routes.iter().map(|route| route.prefix.trunc()));
        self.prefixes.extend(node.interfaces.iter().flat_map(|i| &i.claims).map(IpNet::trunc));
        self.special.extend(node.routes.iter().filter_map(|route| match route.target {
            RouteTarget::Via { gateway, .. } => gateway,
            RouteTarget::Local { .. } | RouteTarget::Unreachable => None,
        }));
        for relay in &node.relays {
            if let Listen::Transparent { prefix } = relay.listen {
                self.prefixes.insert(prefix.trunc());
            }
            match relay.source {
                SourceAs::Bound(address) | SourceAs::Client { loopback: address } => {
                    self.special.insert(address);
                }
                SourceAs::Dialer => {}
            }
        }
    }

    fn add_rules(&mut self, id: NodeId, node: &Node, addresses: &HashSet<IpAddr>) {
        for (number, chain) in node.ruleset.chains.iter().enumerate() {
            let mut others = 0;
            for rule in chain.rules.iter().filter(|rule| !is_to_itself(rule)) {
                let to_one = to_one(rule, addresses);
                let rest = || rule.matches.iter().filter(|m| to_one.is_none_or(|net| **m != Match::Destination(net)));
                rest().for_each(|condition| add_prefixes(condition, &mut self.prefixes));
                if let Action::SourceNat { address } = rule.action {
                    self.special.insert(address);
                }
                match to_one {
                    None => others += 1,
                    Some(_) if rest().any(spares_answers) => {}
                    Some(net) => {
                        let says: Vec<&Match> = rest().collect();
                        let own = format!("{} {number} {others}: {says:?} {:?} {:?}", id.0, rule.action, rule.guard);
                        self.own.entry(net.addr()).or_default().push(own);
                    }
                }
            }
        }
    }

    /// A node as others see it, with its own addresses left out; nothing if it is like no other.
    fn looks(&self, id: NodeId) -> Option<String> {
        let node = self.dataplane.node(id);
        let is_plain = node.relays.is_empty() && node.ruleset.chains.is_empty() && node.unmodeled.is_empty();
        if !is_plain || node.addresses().any(|address| self.special.contains(&address)) {
            return None;
        }
        let own: Vec<IpAddr> = node.addresses().collect();
        let mut looks = format!("{:?} {:?}", node.kind, node.sysctls.ip_forward);
        for interface in &node.interfaces {
            let (link, apart) = (interface.link, interface.apart_from);
            let flags =
                (interface.up, interface.hairpin, interface.only_dials, interface.route_localnet, interface.any_way_in);
            let _ = write!(looks, "\n{} {link:?} {apart:?} {flags:?} {:?}", interface.name, interface.claims);
            for address in interface.addresses.iter().map(|a| a.net) {
                let of_others = self.own.get(&address.addr());
                let _ = write!(looks, "\n/{} {:?} {of_others:?}", address.prefix_len(), self.around(address.addr()));
            }
        }
        for route in &node.routes {
            let prefix = number_of(&own, route.prefix.addr());
            let target = match route.target {
                RouteTarget::Via { interface, gateway, source } => {
                    format!("{} {gateway:?} {:?}", interface.0, source.map(|source| number_of(&own, source)))
                }
                other => format!("{other:?}"),
            };
            let _ =
                write!(looks, "\n{prefix}/{} {target} {} {:?}", route.prefix.prefix_len(), route.metric, route.guard);
        }
        for name in &node.names {
            let _ = write!(looks, "\n{} {} {:?}", name.name, name.address, name.guard);
        }
        Some(looks)
    }

    /// The prefixes that an address lies in.
    fn around(&self, address: IpAddr) -> Vec<IpNet> {
        let lengths = self.lengths.iter();
        let of_length = |length: &u8| IpNet::new(address, *length).ok().map(|net| net.trunc());
        lengths.filter_map(of_length).filter(|net| self.prefixes.contains(net)).collect()
    }
}

/// An own address by its place among them.
fn number_of(own: &[IpAddr], address: IpAddr) -> String {
    own.iter().position(|a| *a == address).map_or_else(|| address.to_string(), |index| format!("own {index}"))
}

/// From an address to itself: no packet between two machines meets such a rule.
fn is_to_itself(rule: &Rule) -> bool {
    let is_it =
        |m: &Match| matches!(m, Match::Source(net) if is_one(net) && rule.matches.contains(&Match::Destination(*net)));
    rule.matches.iter().any(is_it)
}

fn is_one(net: &IpNet) -> bool {
    net.prefix_len() == net.max_prefix_len()
}

/// The one dialler to whom the packets go that a rule is about.
fn to_one(rule: &Rule, addresses: &HashSet<IpAddr>) -> Option<IpNet> {
    rule.matches.iter().find_map(|condition| match condition {
        Match::Destination(net) if is_one(net) && addresses.contains(&net.addr()) => Some(*net),
        _ => None,
    })
}

/// A condition that no answer meets.
fn spares_answers(condition: &Match) -> bool {
    match condition {
        Match::DestinationPort(ports) => ports.last < FIRST_SOURCE_PORT,
        Match::AnyOf(all) => all.iter().all(spares_answers),
        _ => false,
    }
}

fn add_prefixes(condition: &Match, prefixes: &mut HashSet<IpNet>) {
    match condition {
        Match::Source(net) | Match::Destination(net) | Match::OriginalSource(net) | Match::OriginalDestination(net) => {
            prefixes.insert(net.trunc());
        }
        Match::AnyOf(all) | Match::AllOf(all) => all.iter().for_each(|m| add_prefixes(m, prefixes)),
        Match::Not(inner) | Match::Roughly(inner) => add_prefixes(inner, prefixes),
        _ => {}
    }
}
