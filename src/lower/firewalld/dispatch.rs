//! How a packet finds the chains of its zones and policies, one file per generation.
//! Spec: specs/firewalld-zones.md, specs/firewalld-policies.md.

mod chains;
pub(super) mod pairs;
pub(super) mod staged;
pub(super) mod zones;

use crate::dataplane::{Action, Match};
use crate::lab::{Entry, Firewalld, Policy, RuleBackend, Target, Zone};
use crate::net::IpNet;
use crate::provenance::Origin;
use crate::switch::SwitchId;

use super::content::{Places, address_text, in_reach};
use super::writer::{Space, Writer};

/// A zone that packets can be in: the default zone, and every zone with an interface or source.
#[derive(Clone, Copy)]
struct InForce<'a> {
    name: &'a str,
    zone: &'a Zone,
    is_default: bool,
}

impl InForce<'_> {
    /// Whether something is bound to the zone, other than everything else.
    fn is_bound(&self) -> bool {
        !self.zone.interfaces.is_empty() || !self.zone.sources.is_empty()
    }
}

/// Zones in force, by name.
fn in_force(firewalld: &Firewalld) -> Vec<InForce<'_>> {
    let all =
        firewalld.zones.iter().map(|(name, zone)| InForce { name, zone, is_default: *name == firewalld.default_zone });
    all.filter(|z| z.is_default || z.is_bound()).collect()
}

/// Policies by the order in which they run.
fn by_priority(firewalld: &Firewalld) -> Vec<(&str, &Policy)> {
    let mut policies: Vec<_> = firewalld.policies.iter().map(|(name, policy)| (name.as_str(), policy)).collect();
    policies.sort_by_key(|(_, policy)| policy.priority);
    policies
}

/// One way into or out of a zone.
struct Binding<'a> {
    matches: Vec<Match>,
    guard: Option<SwitchId>,
    origin: &'a Origin,
}

/// From which side a zone is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// By incoming interface and source address.
    Ingress,
    /// By outgoing interface and destination address.
    Egress,
}

impl Side {
    fn interface(self, name: &str) -> Match {
        let name = name.strip_suffix('+').map_or_else(|| name.to_owned(), |stem| format!("{stem}*"));
        match self {
            Self::Ingress => Match::InInterface(name),
            Self::Egress => Match::OutInterface(name),
        }
    }

    fn address(self, net: IpNet) -> Match {
        match self {
            Self::Ingress => Match::Source(net),
            Self::Egress => Match::Destination(net),
        }
    }
}

fn interfaces(zone: &Zone, side: Side) -> impl Iterator<Item = Binding<'_>> {
    zone.interfaces.iter().map(move |i| Binding {
        matches: vec![side.interface(&i.value)],
        guard: i.guard,
        origin: &i.origin,
    })
}

fn sources(zone: &Zone, side: Side, backend: RuleBackend) -> impl Iterator<Item = Binding<'_>> {
    zone.sources.iter().filter(move |s| in_reach(backend, s.value.addr())).map(move |s| Binding {
        matches: vec![side.address(s.value)],
        guard: s.guard,
        origin: &s.origin,
    })
}

/// From 2.0 the sources of a zone are sorted as text.
///
/// Source: firewalld 2.3.1 `src/firewall/core/nftables.py`, `_policy_dispatch_sort_key`.
fn sorted_sources(zone: &Zone, side: Side, backend: RuleBackend) -> Vec<Binding<'_>> {
    let mut bindings: Vec<_> = sources(zone, side, backend).collect();
    bindings.sort_by_key(|b| match b.matches.as_slice() {
        [Match::Source(net) | Match::Destination(net)] => address_text(*net),
        _ => String::new(),
    });
    bindings
}

/// From 2.0 the interfaces of a zone are sorted by name.
fn sorted_interfaces(zone: &Zone, side: Side) -> Vec<Binding<'_>> {
    let mut bindings: Vec<_> = interfaces(zone, side).collect();
    bindings.sort_by_key(|b| match b.matches.as_slice() {
        [Match::InInterface(name) | Match::OutInterface(name)] => name.clone(),
        _ => String::new(),
    });
    bindings
}

/// What packets may pass from one interface or source of a zone to another of the same zone.
///
/// Source: firewalld 1.3.3 `src/firewall/core/nftables.py`, `build_zone_forward_rules`.
fn forward_within(writer: &mut Writer<'_>, zone: &InForce<'_>) {
    if !zone.zone.forward {
        return;
    }
    let chain = writer.chain(Space::Filter, &format!("FWD_{}_allow", zone.name));
    let what = format!("forwarding within zone `{}`", zone.name);
    let backend = writer.backend;
    for binding in interfaces(zone.zone, Side::Egress).chain(sources(zone.zone, Side::Egress, backend)) {
        let entry = Entry { value: (), guard: binding.guard, origin: binding.origin.clone() };
        writer.entry(chain, &entry, what.clone(), binding.matches, Action::Accept);
    }
}

/// The rule about ICMP behind the parts of a zone's input chain.
///
/// Source: firewalld 1.3.3 `src/firewall/core/fw_policy.py`, `_icmp_block_inversion`.
fn icmp_rule(writer: &Writer<'_>, zone: &Zone) -> Option<(Vec<Match>, Action)> {
    let inverted = zone.content.icmp_block_inversion;
    match zone.target {
        Target::Drop | Target::Reject => None,
        Target::Accept if !inverted => None,
        _ if inverted => Some((vec![writer.icmp()], Action::Reject(writer.reject()))),
        _ => Some((vec![writer.icmp()], Action::Accept)),
    }
}

/// Where the entries of a zone go.
fn zone_places(name: &str) -> Places {
    Places {
        owner: format!("zone {name}"),
        filter: Some(format!("IN_{name}")),
        destination: Some(format!("PRE_{name}")),
        source: Some(format!("POST_{name}")),
        from_host: false,
    }
}

/// What a policy filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    /// To this host.
    Input,
    /// From this host.
    Output,
    /// Through this host.
    Forward,
}

impl Direction {
    /// Source: firewalld 1.3.3 `src/firewall/core/fw_policy.py`, `policy_base_chain_name`.
    fn of(policy: &Policy) -> Self {
        let names = |zones: &[Entry<String>], name: &str| zones.iter().any(|z| z.value == name);
        if names(&policy.egress, "HOST") {
            Self::Input
        } else if names(&policy.ingress, "HOST") {
            Self::Output
        } else {
            Self::Forward
        }
    }

    /// Prefix of the chain in the filter table.
    fn filter(self) -> &'static str {
        match self {
            Self::Input => "IN",
            Self::Output => "OUT",
            Self::Forward => "FWD",
        }
    }

    /// Prefix of the chain that rewrites destinations.
    fn destination(self) -> &'static str {
        if self == Self::Output { "OUT" } else { "PRE" }
    }
}

/// Where the entries of a policy go, as far as the chains exist.
fn policy_places(writer: &Writer<'_>, name: &str, policy: &Policy, has: impl Fn(&str) -> bool) -> Places {
    let direction = Direction::of(policy);
    let suffix = writer.policy_suffix(name);
    let place = |prefix: &str| has(prefix).then(|| format!("{prefix}_{suffix}"));
    Places {
        owner: format!("policy {name}"),
        filter: Some(format!("{}_{suffix}", direction.filter())),
        destination: place(direction.destination()),
        source: place("POST"),
        from_host: direction == Direction::Output,
    }
}

/// Whether a policy has a chain with this prefix in the nat table.
fn has_nat(places: &[chains::Place], prefix: &str) -> bool {
    places.iter().any(|(space, _, p)| *space == Space::Nat && *p == prefix)
}

/// One end of a pair.
#[derive(Clone, Copy)]
enum End<'a> {
    Host,
    Zone(&'a InForce<'a>),
}

impl End<'_> {
    /// Whether an end of a policy names it.
    fn is_in(self, names: &[Entry<String>]) -> bool {
        names.iter().any(|n| match self {
            Self::Host => n.value == "HOST",
            Self::Zone(zone) => n.value == "ANY" || n.value == zone.name,
        })
    }

    fn name(&self) -> &str {
        match self {
            Self::Host => "HOST",
            Self::Zone(zone) => zone.name,
        }
    }
}
