//! 2.0 to 2.4: one list per hook. For every way in and every way out it has the policies of the two zones by priority, the
//! zone itself at 0, and a last rule with the zone's target. Spec: specs/firewalld-policies.md.
//!
//! Sources: firewalld 2.3.1 `src/firewall/core/fw_policy.py` (`_ingress_egress_zone`), `fw_zone.py`
//! (`_interface_or_source_update_policies_derived_from_zone`), `nftables.py` and `ipXtables.py`
//! (`build_policy_ingress_egress_pair_rules`, `_policy_dispatch_sort_key`); checked against 2.3.1 itself.

use crate::dataplane::{Action, ChainId, Hook, Match};
use crate::lab::{Firewalld, Policy, RuleBackend};
use crate::provenance::{Origin, OriginId};
use crate::switch::SwitchId;

use super::super::content;
use super::super::writer::{Draft, Space, Writer, hook_name};
use super::chains::{self, FORWARD, INPUT, OUTPUT, POSTROUTING, Place, RAW, policy_chains, prerouting, zone_chains};
use super::{End, InForce, Side, by_priority, forward_within, has_nat, in_force, policy_places, zone_places};

/// Writes zones and policies.
pub(in super::super) fn write(writer: &mut Writer<'_>, firewalld: &Firewalld) {
    let zones = in_force(firewalld);
    for zone in &zones {
        zone_chains(writer, zone);
        content::write(writer, firewalld, &zone_places(zone.name), &zone.zone.content);
        forward_within(writer, zone);
    }
    let mut policies = Vec::new();
    for (name, policy) in by_priority(firewalld).into_iter().filter(|(_, p)| applies(p, &zones)) {
        let places = chains::policy_places(writer.backend, firewalld, policy);
        policy_chains(writer, name, policy, &places);
        let entries = policy_places(writer, name, policy, |prefix| has_nat(&places, prefix));
        content::write(writer, firewalld, &entries, &policy.content);
        policies.push(Listed { name, policy, places });
    }
    let lists = [INPUT, FORWARD, POSTROUTING].into_iter().chain(OUTPUT).chain(prerouting(writer.backend));
    for place in lists {
        list(writer, &zones, &policies, place);
    }
}

/// A policy and where it has chains.
struct Listed<'a> {
    name: &'a str,
    policy: &'a Policy,
    places: Vec<Place>,
}

fn applies(policy: &Policy, zones: &[InForce<'_>]) -> bool {
    let ends: Vec<End<'_>> = zones.iter().map(End::Zone).chain([End::Host]).collect();
    ends.iter().any(|e| e.is_in(&policy.ingress)) && ends.iter().any(|e| e.is_in(&policy.egress))
}

/// One way in or out.
#[derive(Clone)]
struct Way<'a> {
    end: End<'a>,
    kind: Kind,
    matches: Vec<Match>,
    guard: Option<SwitchId>,
    origin: &'a Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// From or to this host.
    Host,
    Source,
    Interface,
    /// Whatever is not bound, in the default zone.
    Rest,
}

/// Sources first, then interfaces, each by zone; the default zone takes the rest.
fn ways<'a>(writer: &mut Writer<'_>, zones: &'a [InForce<'a>], side: Side) -> Vec<Way<'a>> {
    let kind = |is_interface| if is_interface { Kind::Interface } else { Kind::Source };
    let found = super::sorted(writer, zones, side).into_iter();
    let mut ways: Vec<Way<'a>> = found.map(|(zone, is_interface, b)| way(zone, kind(is_interface), b)).collect();
    for zone in zones.iter().filter(|z| z.is_default) {
        let rest = super::Binding { matches: Vec::new(), guard: None, origin: &zone.zone.origin, key: String::new() };
        ways.push(way(zone, Kind::Rest, rest));
    }
    ways
}

fn way<'a>(zone: &'a InForce<'a>, kind: Kind, binding: super::Binding<'a>) -> Way<'a> {
    Way { end: End::Zone(zone), kind, matches: binding.matches, guard: binding.guard, origin: binding.origin }
}

fn list(writer: &mut Writer<'_>, zones: &[InForce<'_>], policies: &[Listed<'_>], place: Place) {
    let (space, hook, _) = place;
    let chain = writer.chain(space, &format!("{}_POLICIES", hook_name(hook)));
    let list = List { chain, place, policies };
    let backend = writer.backend;
    let ways_in = ways(writer, zones, Side::Ingress);
    let ways_out = ways(writer, zones, Side::Egress);
    match hook {
        Hook::Input => ways_in.iter().for_each(|w| list.pair(writer, w, &this_host(w))),
        Hook::Output => ways_out.iter().for_each(|w| list.pair(writer, &this_host(w), w)),
        Hook::Forward => each(&ways_in, &ways_out, |way_in, way_out| list.pair(writer, way_in, way_out)),
        Hook::Postrouting if backend == RuleBackend::Iptables => {
            ways_out.iter().for_each(|w| list.behind_routing(writer, w, &ways_in));
        }
        Hook::Postrouting => each(&ways_out, &ways_in, |way_out, way_in| list.pair(writer, way_in, way_out)),
        Hook::Prerouting => ways_in.iter().for_each(|w| list.before_routing(writer, w, &ways_out)),
    }
}

fn each<'w, 'a>(outer: &'w [Way<'a>], inner: &'w [Way<'a>], mut each: impl FnMut(&'w Way<'a>, &'w Way<'a>)) {
    for one in outer {
        inner.iter().for_each(|other| each(one, other));
    }
}

fn this_host<'a>(other: &Way<'a>) -> Way<'a> {
    Way { end: End::Host, kind: Kind::Host, matches: Vec::new(), guard: None, origin: other.origin }
}

struct List<'a> {
    chain: ChainId,
    place: Place,
    policies: &'a [Listed<'a>],
}

impl List<'_> {
    /// All rules for one way in and one way out.
    fn pair(&self, writer: &mut Writer<'_>, way_in: &Way<'_>, way_out: &Way<'_>) {
        if !same_family(way_in, way_out) {
            return;
        }
        let pair = Self::conditions(way_in, way_out);
        self.jumps(writer, &pair, (way_in, way_out), Before::Zone);
        let (own, of) = self.own(way_in, way_out);
        let zone = writer.chain(self.place.0, &format!("{}_{own}", self.place.2));
        let origin = writer.because(format!("zone `{own}`"), of);
        self.add(writer, &pair, Action::Jump(zone), origin);
        self.jumps(writer, &pair, (way_in, way_out), Before::End);
        let action = self.end(writer, way_in);
        self.add(writer, &pair, action, origin);
    }

    /// The zone whose entries run: the ingress zone, but for what goes out the egress zone.
    fn own<'w>(&self, way_in: &'w Way<'_>, way_out: &'w Way<'_>) -> (&'w str, &'w Origin) {
        let way = if matches!(self.place.1, Hook::Postrouting | Hook::Output) { way_out } else { way_in };
        (way.end.name(), way.origin)
    }

    fn end(&self, writer: &Writer<'_>, way_in: &Way<'_>) -> Action {
        match (self.place, way_in.end) {
            ((Space::Filter, Hook::Input | Hook::Forward, _), End::Zone(zone)) => writer.zone_target(zone.zone.target),
            _ => Action::Return,
        }
    }

    /// The way out is not known yet, except by its destination address. Policies to this host run first.
    fn before_routing(&self, writer: &mut Writer<'_>, way_in: &Way<'_>, ways_out: &[Way<'_>]) {
        self.policies_only(writer, way_in, &this_host(way_in));
        let (by_address, others): (Vec<_>, Vec<_>) = ways_out.iter().partition(|w| w.kind == Kind::Source);
        for way_out in by_address {
            if self.place == RAW {
                // The zone's chain there is the one for input, which has no way out.
                self.policies_only(writer, way_in, way_out);
            } else {
                self.pair(writer, way_in, way_out);
            }
        }
        let pairs: Vec<_> = others.into_iter().map(|way_out| (way_in, way_out)).collect();
        self.shared(writer, way_in, &pairs);
    }

    fn policies_only(&self, writer: &mut Writer<'_>, way_in: &Way<'_>, way_out: &Way<'_>) {
        if same_family(way_in, way_out) {
            let pair = Self::conditions(way_in, way_out);
            self.jumps(writer, &pair, (way_in, way_out), Before::Zone);
            self.jumps(writer, &pair, (way_in, way_out), Before::End);
        }
    }

    /// iptables does not look at the incoming interface in postrouting.
    fn behind_routing(&self, writer: &mut Writer<'_>, way_out: &Way<'_>, ways_in: &[Way<'_>]) {
        let (by_address, others): (Vec<_>, Vec<_>) = ways_in.iter().partition(|w| w.kind == Kind::Source);
        by_address.iter().for_each(|way_in| self.pair(writer, way_in, way_out));
        let pairs: Vec<_> = others.into_iter().map(|way_in| (way_in, way_out)).collect();
        self.shared(writer, way_out, &pairs);
    }

    /// The rules that all these pairs share, because only their common `way` can be seen.
    fn shared(&self, writer: &mut Writer<'_>, way: &Way<'_>, pairs: &[(&Way<'_>, &Way<'_>)]) {
        let pair = Pair { matches: way.matches.clone(), guard: way.guard };
        let zone = writer.chain(self.place.0, &format!("{}_{}", self.place.2, way.end.name()));
        let origin = writer.because(format!("zone `{}`", way.end.name()), way.origin);
        for before in [Before::Zone, Before::End] {
            for listed in self.policies.iter().filter(|l| self.has(l, before)) {
                if pairs.iter().any(|(way_in, way_out)| covers(listed.policy, way_in, way_out)) {
                    self.jump(writer, &pair, listed);
                }
            }
            if before == Before::Zone {
                self.add(writer, &pair, Action::Jump(zone), origin);
            }
        }
        self.add(writer, &pair, Action::Return, origin);
    }

    fn has(&self, listed: &Listed<'_>, before: Before) -> bool {
        listed.places.contains(&self.place) && (listed.policy.priority < 0) == (before == Before::Zone)
    }

    fn jumps(&self, writer: &mut Writer<'_>, pair: &Pair, (way_in, way_out): (&Way<'_>, &Way<'_>), before: Before) {
        for listed in self.policies.iter().filter(|l| self.has(l, before)) {
            if covers(listed.policy, way_in, way_out) {
                self.jump(writer, pair, listed);
            }
        }
    }

    fn jump(&self, writer: &mut Writer<'_>, pair: &Pair, listed: &Listed<'_>) {
        let suffix = writer.policy_suffix(listed.name);
        let to = writer.chain(self.place.0, &format!("{}_{suffix}", self.place.2));
        let origin = writer.because(format!("policy `{}`", listed.name), &listed.policy.origin);
        self.add(writer, pair, Action::Jump(to), origin);
    }

    fn add(&self, writer: &mut Writer<'_>, pair: &Pair, action: Action, origin: OriginId) {
        let draft = Draft { matches: pair.matches.clone(), action, guard: pair.guard, origin };
        writer.add(self.chain, draft);
    }

    /// Interfaces before addresses, as firewalld writes them.
    fn conditions(way_in: &Way<'_>, way_out: &Way<'_>) -> Pair {
        let of = |is_source: bool| [way_in, way_out].into_iter().filter(move |w| (w.kind == Kind::Source) == is_source);
        let matches = of(false).chain(of(true)).flat_map(|w| w.matches.iter().cloned()).collect();
        Pair { matches, guard: way_in.guard.or(way_out.guard) }
    }
}

/// Policies before the zone's own entries, or behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Zone,
    End,
}

/// The conditions that a pair's rules share.
struct Pair {
    matches: Vec<Match>,
    guard: Option<SwitchId>,
}

/// Whether a policy is about this pair. firewalld leaves out what goes between two ways that are in the default zone
/// without being bound to it.
///
/// Source: firewalld 2.3.1 `src/firewall/core/fw_policy.py`, `_ingress_egress_zone`.
fn covers(policy: &Policy, way_in: &Way<'_>, way_out: &Way<'_>) -> bool {
    let unbound = way_in.kind == Kind::Rest && way_out.kind == Kind::Rest;
    !unbound && way_in.end.is_in(&policy.ingress) && way_out.end.is_in(&policy.egress)
}

fn same_family(a: &Way<'_>, b: &Way<'_>) -> bool {
    let is_v4 = |way: &Way<'_>| match way.matches.as_slice() {
        [Match::Source(net) | Match::Destination(net)] => Some(net.addr().is_ipv4()),
        _ => None,
    };
    match (is_v4(a), is_v4(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}
