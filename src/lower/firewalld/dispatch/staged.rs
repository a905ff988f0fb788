//! From 2.5: the first stage finds the ingress zone, the second the egress zone, the third runs the policies of that
//! pair by priority, the zone itself at 0, and then the zone's target. Spec: specs/firewalld-policies.md.
//!
//! Sources: firewalld 2.5.0 `src/firewall/core/fw_zone.py` (`gen_zone_to_zone_rules`), `fw_policy.py`
//! (`_ingress_egress_zone`), `nftables.py` (`build_dispatch_stage1_rules` and the following). As in 2.5.2, prerouting has
//! no second stage (recorded: fw-nftables-*); 2.5.0 had one, which only ever found the default zone and addresses.

use crate::dataplane::{Action, ChainId, Hook};
use crate::lab::{Entry, Firewalld, Policy, RuleBackend, Target};
use crate::net::Version;

use super::super::content;
use super::super::writer::{Draft, Space, Writer, hook_name};
use super::chains::{FORWARD, INPUT, OUTPUT, POSTROUTING, Place, policy_chains, prerouting, zone_chains};
use super::{Direction, End, InForce, Side, by_priority, forward_within, in_force, policy_places, zone_places};

/// Writes zones and policies.
pub(in super::super) fn write(writer: &mut Writer<'_>, firewalld: &Firewalld) {
    let end = if firewalld.version < ENDS { Action::Return } else { Action::Accept };
    let plan = Plan { zones: in_force(firewalld), policies: by_priority(firewalld), end };
    for zone in &plan.zones {
        zone_chains(writer, zone);
        content::write(writer, firewalld, &zone_places(zone.name), &zone.zone.content);
        forward_within(writer, zone);
    }
    for (name, policy) in &plan.policies {
        if plan.applies(policy) {
            policy_chains(writer, name, policy, &places_of(writer.backend, policy));
            content::write(writer, firewalld, &policy_places(writer, name, policy, |_| true), &policy.content);
        }
    }
    plan.input(writer);
    plan.prerouting(writer);
    plan.output(writer);
    plan.through(writer, FORWARD);
    plan.through(writer, POSTROUTING);
}

/// Where a policy has chains.
fn places_of(backend: RuleBackend, policy: &Policy) -> Vec<Place> {
    match Direction::of(policy) {
        Direction::Input => [INPUT].into_iter().chain(prerouting(backend)).collect(),
        Direction::Output => OUTPUT.to_vec(),
        Direction::Forward => [FORWARD, POSTROUTING].into_iter().chain(prerouting(backend)).collect(),
    }
}

/// First release whose third stage ends the dispatch outside of the filter chains of input and forward. 2.5.0 returned
/// to the first stage instead, where the default zone takes every packet a second time.
///
/// Source: firewalld 2.5.0 `src/firewall/core/nftables.py`, `build_zone_target_rules`; 2.5.2 as recorded.
const ENDS: Version = Version::new(2, 5, 1);

/// What is dispatched to, and how a list ends that has no target.
struct Plan<'a> {
    end: Action,
    zones: Vec<InForce<'a>>,
    policies: Vec<(&'a str, &'a Policy)>,
}

impl Plan<'_> {
    /// Whether both ends of a policy exist. Source: firewalld 2.5.0 `fw_policy.py`, `get_active_policies_not_derived_from_zone`.
    fn applies(&self, policy: &Policy) -> bool {
        let exists = |names: &[Entry<String>]| {
            End::Host.is_in(names)
                || names.iter().any(|n| n.value == "ANY")
                || self.zones.iter().any(|z| End::Zone(z).is_in(names))
        };
        exists(&policy.ingress) && exists(&policy.egress)
    }

    /// Policies that cover a pair, before the zone or behind it, each as often as it is jumped to.
    fn covering(&self, writer: &Writer<'_>, from: End<'_>, to: &[End<'_>], before: bool) -> Vec<(&str, usize)> {
        let times = |policy: &Policy| to.iter().filter(|to| to.is_in(&policy.egress)).count();
        let covers = |policy: &&Policy| (policy.priority < 0) == before && from.is_in(&policy.ingress);
        self.policies
            .iter()
            .filter(|(_, p)| covers(p))
            .map(|(name, policy)| (*name, repeated(writer, times(policy))))
            .filter(|(_, times)| *times > 0)
            .collect()
    }

    /// Fills a chain of the third stage: policies, the zone's own chain, policies, the end.
    fn third(&self, writer: &mut Writer<'_>, chain: ChainId, place: Place, pair: (End<'_>, &[End<'_>]), own: &Own<'_>) {
        let (space, _, prefix) = place;
        let (from, to) = pair;
        for before in [true, false] {
            for (policy, times) in self.covering(writer, from, to, before) {
                let suffix = writer.policy_suffix(policy);
                let target = writer.chain(space, &format!("{prefix}_{suffix}"));
                (0..times).for_each(|_| writer.jump(chain, target));
            }
            if before {
                let target = writer.chain(space, &format!("{prefix}_{}", own.zone.name));
                (0..repeated(writer, to.len())).for_each(|_| writer.jump(chain, target));
            }
        }
        let action = own.end.clone();
        let origin = writer.because(format!("target of zone `{}`", own.zone.name), &own.zone.zone.origin);
        writer.add(chain, Draft { matches: Vec::new(), action, guard: None, origin });
    }

    fn input(&self, writer: &mut Writer<'_>) {
        let list = dispatch(writer, INPUT);
        self.find(writer, list, Side::Ingress, |writer, zone| {
            let chain = writer.chain(Space::Filter, &format!("IN_{}_to_HOST", zone.name));
            let end = end(writer, zone.zone.target);
            self.third(writer, chain, INPUT, (End::Zone(zone), &[End::Host]), &Own { zone, end });
            chain
        });
    }

    /// Where the packet goes is not known yet: the policies of every egress zone run.
    fn prerouting(&self, writer: &mut Writer<'_>) {
        let anywhere: Vec<End<'_>> = self.zones.iter().map(End::Zone).chain([End::Host]).collect();
        for place in prerouting(writer.backend) {
            let list = dispatch(writer, place);
            self.find(writer, list, Side::Ingress, |writer, zone| {
                let chain = writer.chain(place.0, &format!("PRE_{}_dispatch", zone.name));
                let own = Own { zone, end: self.end.clone() };
                self.third(writer, chain, place, (End::Zone(zone), &anywhere), &own);
                chain
            });
        }
    }

    fn output(&self, writer: &mut Writer<'_>) {
        for place in OUTPUT {
            let list = dispatch(writer, place);
            self.find(writer, list, Side::Egress, |writer, zone| {
                let chain = writer.chain(place.0, &format!("OUT_HOST_to_{}", zone.name));
                let own = Own { zone, end: self.end.clone() };
                self.third(writer, chain, place, (End::Host, &[End::Zone(zone)]), &own);
                chain
            });
        }
    }

    /// Both zones are known: two stages of dispatch. Forwarding belongs to the ingress zone, rewriting of sources to the
    /// egress zone.
    fn through(&self, writer: &mut Writer<'_>, place: Place) {
        let (space, hook, prefix) = place;
        let first = dispatch(writer, place);
        self.find(writer, first, Side::Ingress, |writer, from| {
            let second = writer.chain(space, &format!("{prefix}_{}_dispatch_stage2", from.name));
            self.find(writer, second, Side::Egress, |writer, to| {
                let name = format!("{prefix}_{}_to_{}", from.name, End::Zone(to).name());
                let chain = writer.chain(space, &name);
                let own = if hook == Hook::Forward {
                    Own { zone: from, end: end(writer, from.zone.target) }
                } else {
                    Own { zone: to, end: self.end.clone() }
                };
                self.third(writer, chain, place, (End::Zone(from), &[End::Zone(to)]), &own);
                chain
            });
            second
        });
    }

    /// Fills a list that finds a zone: see [`super::sorted`], then everything else.
    fn find<'s>(
        &'s self,
        writer: &mut Writer<'_>,
        list: ChainId,
        side: Side,
        mut to: impl FnMut(&mut Writer<'_>, &'s InForce<'s>) -> ChainId,
    ) {
        let targets: Vec<(&InForce<'_>, ChainId)> = self.zones.iter().map(|z| (z, to(writer, z))).collect();
        for (zone, _, binding) in super::sorted(writer, &self.zones, side) {
            let Some((_, to)) = targets.iter().find(|(other, _)| other.name == zone.name) else { continue };
            let origin = writer.because(format!("binding of zone `{}`", zone.name), binding.origin);
            let action = Action::Jump(*to);
            writer.add(list, Draft { matches: binding.matches, action, guard: binding.guard, origin });
        }
        for (zone, to) in targets.iter().filter(|(z, _)| z.is_default) {
            let origin = writer.because(format!("`{}`, the default zone", zone.name), &zone.zone.origin);
            writer.add(list, Draft { matches: Vec::new(), action: Action::Jump(*to), guard: None, origin });
        }
    }
}

/// The zone whose entries a chain of the third stage runs.
struct Own<'a> {
    zone: &'a InForce<'a>,
    end: Action,
}

/// What the target of a zone does here: one that rejects answers like one that says nothing, unlike before 2.5.
/// Source: firewalld 2.5.2 `src/firewall/core/ipXtables.py`, `build_zone_target_rules`; observed.
fn end(writer: &Writer<'_>, target: Target) -> Action {
    writer.zone_target(if target == Target::Reject { Target::Default } else { target })
}

/// iptables repeats a jump for every pair that asks for it, nftables does not (recorded: fw-iptables-* of 2.5.2).
fn repeated(writer: &Writer<'_>, pairs: usize) -> usize {
    if writer.backend == RuleBackend::Iptables { pairs } else { pairs.min(1) }
}

fn dispatch(writer: &mut Writer<'_>, (space, hook, _): Place) -> ChainId {
    writer.chain(space, &format!("{}_dispatch", hook_name(hook)))
}
