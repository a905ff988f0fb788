//! Until 1.3: one jump by ingress zone. Policies with a negative priority run before the parts of every zone, the
//! others behind them; a policy's own jump names its interfaces and sources. Spec: specs/firewalld-policies.md.
//!
//! Sources: firewalld 1.3.3 `src/firewall/core/fw_policy.py` (`_get_table_chains_for_policy_dispatch`,
//! `_get_table_chains_for_zone_dispatch`), `nftables.py` and `ipXtables.py` (`build_policy_ingress_egress_rules`,
//! `build_zone_source_interface_rules`, `build_policy_chain_rules`).

use crate::dataplane::{Action, ChainId, Hook, Match};
use crate::lab::{Entry, Firewalld, Policy, RuleBackend};

use super::super::content;
use super::super::writer::{Draft, Space, Writer, hook_name};
use super::chains::{self, FORWARD, INPUT, POSTROUTING, Place, policy_chains, prerouting, zones_of};
use super::{InForce, Side, by_priority, forward_within, has_nat, icmp_rule, in_force, policy_places, zone_places};

/// Writes zones and policies.
pub(in super::super) fn write(writer: &mut Writer<'_>, firewalld: &Firewalld) {
    let zones = in_force(firewalld);
    for zone in &zones {
        for place in zone_places_in(writer.backend) {
            zone_chain(writer, zone, place);
        }
        content::write(writer, firewalld, &zone_places(zone.name), &zone.zone.content);
        forward_within(writer, zone);
    }
    for place in zone_places_in(writer.backend) {
        find_zone(writer, &zones, place);
    }
    for (name, policy) in by_priority(firewalld) {
        if is_active(policy, &zones) {
            write_policy(writer, firewalld, name, policy);
        }
    }
}

fn zone_places_in(backend: RuleBackend) -> Vec<Place> {
    [INPUT, POSTROUTING, FORWARD].into_iter().chain(prerouting(backend)).collect()
}

fn zone_chain(writer: &mut Writer<'_>, zone: &InForce<'_>, (space, hook, prefix): Place) {
    let name = format!("{prefix}_{}", zone.name);
    let chain = writer.chain(space, &name);
    let before = writer.chain(space, &format!("{}_POLICIES_pre", hook_name(hook)));
    let after = writer.chain(space, &format!("{}_POLICIES_post", hook_name(hook)));
    writer.jump(chain, before);
    writer.parts(space, &name);
    writer.jump(chain, after);
    if hook == Hook::Input
        && let Some((matches, action)) = icmp_rule(writer, zone.zone)
    {
        zone_rule(writer, chain, zone, matches, action);
    }
    if space == Space::Filter {
        let target = writer.zone_target(zone.zone.target);
        zone_rule(writer, chain, zone, Vec::new(), target);
    }
}

fn zone_rule(writer: &mut Writer<'_>, chain: ChainId, zone: &InForce<'_>, matches: Vec<Match>, action: Action) {
    let origin = writer.because(format!("target of zone `{}`", zone.name), &zone.zone.origin);
    writer.add(chain, Draft { matches, action, guard: None, origin });
}

/// Sources by name of their zone, then interfaces, the last one first, then everything else.
fn find_zone(writer: &mut Writer<'_>, zones: &[InForce<'_>], (space, hook, prefix): Place) {
    let list = writer.chain(space, &format!("{}_ZONES", hook_name(hook)));
    let side = if hook == Hook::Postrouting { Side::Egress } else { Side::Ingress };
    let to: Vec<ChainId> = zones.iter().map(|z| writer.chain(space, &format!("{prefix}_{}", z.name))).collect();
    let both = || zones.iter().zip(to.iter().copied());
    let mut found = Vec::new();
    for (zone, to) in both() {
        found.extend(super::sources(writer, zone.zone, side).into_iter().map(|binding| (zone, to, binding)));
    }
    let by_interface = both().flat_map(|(z, to)| super::interfaces(z.zone, side).into_iter().map(move |b| (z, to, b)));
    let mut by_interface: Vec<_> = by_interface.collect();
    by_interface.reverse();
    found.extend(by_interface);
    for (zone, to, binding) in found {
        let origin = writer.because(format!("binding of zone `{}`", zone.name), binding.origin);
        writer.add(list, Draft { matches: binding.matches, action: Action::Goto(to), guard: binding.guard, origin });
    }
    for (zone, to) in both().filter(|(z, _)| z.is_default) {
        let origin = writer.because(format!("`{}`, the default zone", zone.name), &zone.zone.origin);
        writer.add(list, Draft { matches: Vec::new(), action: Action::Goto(to), guard: None, origin });
    }
}

/// A default zone that nothing is bound to is not active for policies.
///
/// Source: firewalld 1.3.3 `src/firewall/core/fw_policy.py`, `get_active_policies_not_derived_from_zone`.
fn is_active(policy: &Policy, zones: &[InForce<'_>]) -> bool {
    let reachable =
        |name: &str| name == "ANY" || name == "HOST" || zones.iter().any(|z| z.name == name && z.is_bound());
    policy.ingress.iter().any(|z| reachable(&z.value)) && policy.egress.iter().any(|z| reachable(&z.value))
}

fn write_policy(writer: &mut Writer<'_>, firewalld: &Firewalld, name: &str, policy: &Policy) {
    let table = chains::policy_places(writer.backend, firewalld, policy);
    policy_chains(writer, name, policy, &table);
    let suffix = writer.policy_suffix(name);
    for (space, hook, prefix) in table.iter().copied() {
        let chain = writer.chain(space, &format!("{prefix}_{suffix}"));
        find_policy(writer, firewalld, (name, policy), (space, hook), chain);
    }
    let places = policy_places(writer, name, policy, |prefix| has_nat(&table, prefix));
    content::write(writer, firewalld, &places, &policy.content);
}

/// The jumps to a policy: one for each way in and each way out.
fn find_policy(
    writer: &mut Writer<'_>,
    firewalld: &Firewalld,
    (name, policy): (&str, &Policy),
    (space, hook): (Space, Hook),
    to: ChainId,
) {
    let suffix = if policy.priority < 0 { "pre" } else { "post" };
    let list = writer.chain(space, &format!("{}_POLICIES_{suffix}", hook_name(hook)));
    let origin = writer.because(format!("policy `{name}`"), &policy.origin);
    let (Some(ways_in), Some(ways_out)) = (
        ways(writer, firewalld, &policy.ingress, Side::Ingress),
        ways(writer, firewalld, &policy.egress, Side::Egress),
    ) else {
        return;
    };
    for way_in in &ways_in {
        for way_out in &ways_out {
            let matches = way_in.iter().chain(way_out).cloned().collect();
            writer.add(list, Draft { matches, action: Action::Jump(to), guard: None, origin });
        }
    }
}

/// How packets come in or go out by these zones: `ANY` and `HOST` put no condition. nftables lists all interfaces in one
/// rule, wildcards and sources in one each. Nothing when the zones only have addresses of the other family.
fn ways(
    writer: &mut Writer<'_>,
    firewalld: &Firewalld,
    names: &[Entry<String>],
    side: Side,
) -> Option<Vec<Vec<Match>>> {
    let all = zones_of(firewalld, names);
    let (mut listed, mut ways, mut other_family) = (Vec::new(), Vec::new(), false);
    for zone in all {
        for interface in &zone.interfaces {
            let one = side.interface(&interface.value);
            if writer.backend == RuleBackend::Nftables && !interface.value.ends_with('+') {
                listed.push(one);
            } else {
                ways.push(vec![one]);
            }
        }
        let in_reach: Vec<_> = super::sources(writer, zone, side).into_iter().map(|b| b.matches).collect();
        other_family |= in_reach.is_empty() && !zone.sources.is_empty();
        ways.extend(in_reach);
    }
    if let [one] = listed.as_slice() {
        ways.insert(0, vec![one.clone()]);
    } else if !listed.is_empty() {
        ways.insert(0, vec![Match::AnyOf(listed)]);
    }
    match ways.is_empty() {
        true if other_family => None,
        true => Some(vec![Vec::new()]),
        false => Some(ways),
    }
}
