//! Tables and chains that the generations have in common. Spec: specs/firewalld-zones.md.

use crate::dataplane::{Hook, Match};
use crate::lab::{Entry, Firewalld, Policy, RuleBackend, Zone};
use crate::language::text;

use super::super::writer::{Draft, Space, Writer};
use super::{Direction, InForce, icmp_rule};

/// Table, hook, and prefix of chain names.
pub(super) type Place = (Space, Hook, &'static str);

pub(super) const INPUT: Place = (Space::Filter, Hook::Input, "IN");
pub(super) const FORWARD: Place = (Space::Filter, Hook::Forward, "FWD");
pub(super) const POSTROUTING: Place = (Space::Nat, Hook::Postrouting, "POST");
pub(super) const OUTPUT: [Place; 2] = [(Space::Filter, Hook::Output, "OUT"), (Space::Nat, Hook::Output, "OUT")];
const PREROUTING: [Place; 2] = [(Space::Nat, Hook::Prerouting, "PRE"), (Space::Mangle, Hook::Prerouting, "PRE")];
pub(super) const RAW: Place = (Space::Raw, Hook::Prerouting, "PRE");

/// Prerouting; iptables has a place for connection helpers there as well.
pub(super) fn prerouting(backend: RuleBackend) -> Vec<Place> {
    PREROUTING.into_iter().chain((backend == RuleBackend::Iptables).then_some(RAW)).collect()
}

/// From 2.0: the chains that hold the entries of a zone. The target is not among them.
pub(super) fn zone_chains(writer: &mut Writer<'_>, zone: &InForce<'_>) {
    let places = [INPUT, FORWARD, POSTROUTING].into_iter().chain(prerouting(writer.backend)).chain(OUTPUT);
    for (space, hook, prefix) in places {
        let chain = writer.parts(space, &format!("{prefix}_{}", zone.name));
        if hook == Hook::Input
            && let Some((matches, action)) = icmp_rule(writer, zone.zone)
        {
            let origin = writer.because(
                {
                    let name = &zone.name;
                    text!("target of zone `{name}`", "`{name}` 영역의 타깃")
                },
                &zone.zone.origin,
            );
            writer.add(chain, Draft { matches, action, guard: None, origin });
        }
    }
}

/// The chains that hold the entries of a policy, with its target.
pub(super) fn policy_chains(writer: &mut Writer<'_>, name: &str, policy: &Policy, places: &[Place]) {
    let suffix = writer.policy_suffix(name);
    for (space, _, prefix) in places {
        let chain = writer.parts(*space, &format!("{prefix}_{suffix}"));
        if *space == Space::Filter
            && let Some(action) = writer.policy_target(policy.target)
        {
            let origin = writer.because(format!("target of policy `{name}`"), &policy.origin);
            writer.add(chain, Draft { matches: Vec::<Match>::new(), action, guard: None, origin });
        }
    }
}

/// Until 2.4: where a policy has chains. Where packets have no outgoing interface yet, or no incoming one any more, a
/// policy that needs it has none.
///
/// Source: firewalld 1.3.3 and 2.3.1 `src/firewall/core/fw_policy.py`, `_get_table_chains_for_policy_dispatch`.
pub(super) fn policy_places(backend: RuleBackend, firewalld: &Firewalld, policy: &Policy) -> Vec<Place> {
    let any = |zones: &[Entry<String>]| zones.iter().any(|z| z.value == "ANY");
    let has_interfaces = |zones: &[Entry<String>]| zones_of(firewalld, zones).any(|z| !z.interfaces.is_empty());
    let raw = (backend == RuleBackend::Iptables).then_some(RAW);
    let mut places = Vec::new();
    match Direction::of(policy) {
        Direction::Input => {
            places.push(INPUT);
            if any(&policy.ingress) {
                places.extend(PREROUTING);
            }
            places.extend(raw);
        }
        Direction::Output => places.extend(OUTPUT),
        Direction::Forward => {
            places.push(FORWARD);
            if any(&policy.egress) || !has_interfaces(&policy.egress) {
                places.extend(PREROUTING);
            }
            if any(&policy.ingress) || backend == RuleBackend::Nftables || !has_interfaces(&policy.ingress) {
                places.push(POSTROUTING);
            }
            places.extend(raw);
        }
    }
    places
}

/// The zones of a policy's end that exist.
pub(super) fn zones_of<'a>(firewalld: &'a Firewalld, names: &'a [Entry<String>]) -> impl Iterator<Item = &'a Zone> {
    names.iter().filter_map(|n| firewalld.zones.get(&n.value))
}
