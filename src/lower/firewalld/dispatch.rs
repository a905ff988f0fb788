//! How a packet finds the chains of its zones and policies, one file per generation.
//! Spec: specs/firewalld-zones.md, specs/firewalld-policies.md.

mod chains;
pub(super) mod pairs;
pub(super) mod staged;
pub(super) mod zones;

use crate::dataplane::{Action, Match};
use crate::lab::{Entry, Firewalld, Peers, Policy, Target, Zone};
use crate::provenance::Origin;
use crate::switch::SwitchId;

use super::content::{self, Places, address_text, peers};
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
#[derive(Clone)]
struct Binding<'a> {
    matches: Vec<Match>,
    guard: Option<SwitchId>,
    origin: &'a Origin,
    /// The interface or source as text, by which ways are sorted.
    key: String,
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

    /// The priority of a zone on this side.
    fn priority(self, zone: &Zone) -> i32 {
        match self {
            Self::Ingress => zone.priorities.0,
            Self::Egress => zone.priorities.1,
        }
    }
}

fn interfaces(zone: &Zone, side: Side) -> Vec<Binding<'_>> {
    let binding = |i: &'_ Entry<String>| vec![side.interface(&i.value)];
    zone.interfaces
        .iter()
        .map(|i| Binding { matches: binding(i), guard: i.guard, origin: &i.origin, key: i.value.clone() })
        .collect()
}

/// A hardware address says nothing about where a packet goes.
fn sources<'z>(writer: &mut Writer<'_>, zone: &'z Zone, side: Side) -> Vec<Binding<'z>> {
    let mut bindings = Vec::new();
    for source in &zone.sources {
        let condition = match side {
            Side::Ingress => peers(writer, &source.value, &source.origin, content::End::Source),
            Side::Egress if matches!(source.value, Peers::Mac(_)) => None,
            Side::Egress => peers(writer, &source.value, &source.origin, content::End::Destination),
        };
        bindings.extend(condition.map(|condition| Binding {
            matches: vec![condition],
            guard: source.guard,
            origin: &source.origin,
            key: match &source.value {
                Peers::Net(net) => address_text(*net),
                other => other.to_string(),
            },
        }));
    }
    bindings
}

/// From 2.0 ways are sorted: by priority of the zone, sources before interfaces, by zone, then as text.
///
/// Source: firewalld 2.5.2 `src/firewall/core/nftables.py`, `_zone_ingress_dispatch_sort_key`; 2.3.1
/// `_policy_dispatch_sort_key`.
fn sorted<'z, 'f>(
    writer: &mut Writer<'_>,
    zones: &'z [InForce<'f>],
    side: Side,
) -> Vec<(&'z InForce<'f>, bool, Binding<'f>)> {
    let mut ways: Vec<(&InForce<'f>, bool, Binding<'f>)> = Vec::new();
    for zone in zones {
        ways.extend(interfaces(zone.zone, side).into_iter().map(|binding| (zone, true, binding)));
        ways.extend(sources(writer, zone.zone, side).into_iter().map(|binding| (zone, false, binding)));
    }
    let rank = |(zone, is_interface, binding): &(&InForce<'_>, bool, Binding<'_>)| {
        (side.priority(zone.zone), *is_interface, zone.name.to_owned(), binding.key.clone())
    };
    ways.sort_by_key(rank);
    ways
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
    let by_source = sources(writer, zone.zone, Side::Egress);
    for binding in interfaces(zone.zone, Side::Egress).into_iter().chain(by_source) {
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
