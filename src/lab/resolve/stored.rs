//! What `firewall-cmd --runtime-to-permanent` leaves to chance: until 2.2 it stores the rich rules of a zone in the order
//! of a set of Python's, which is another one in every run of the daemon, and 2.3 sorts them when it loads them.
//!
//! Source: firewalld 1.3.3 `src/firewall/core/fw_zone.py`, `list_rules`; observed with 1.3.3.

use std::collections::BTreeMap;

use crate::lab::{Entry, RichAction, RichElement, RichRule, Zone};
use crate::net::Version;

/// First release that sorts rich rules.
const SORTS: Version = Version::new(2, 3, 0);

/// Names of the zones in which the order of rich rules may matter and is not known once they were stored.
pub(super) fn unordered(zones: &BTreeMap<String, Zone>, version: Version) -> Vec<String> {
    let is_unordered = |zone: &Zone| {
        let rules = &zone.content.rich_rules;
        rules.iter().enumerate().any(|(n, rule)| rules.iter().skip(n + 1).any(|other| compete(rule, other)))
    };
    let found = zones.iter().filter(|(_, zone)| version < SORTS && is_unordered(zone));
    found.map(|(name, _)| name.clone()).collect()
}

/// Whether the first of two rules decides. Of priority 0 those that deny come before those that accept anyway.
fn compete(one: &Entry<RichRule>, other: &Entry<RichRule>) -> bool {
    let (one, other) = (&one.value, &other.value);
    let both_forward =
        matches!((&one.element, &other.element), (RichElement::ForwardPort(_), RichElement::ForwardPort(_)));
    one.priority == other.priority
        && (both_forward
            || one.action != other.action
                && [one, other].into_iter().all(decides)
                && (one.priority != 0 || denies(one) && denies(other)))
}

fn denies(rule: &RichRule) -> bool {
    matches!(rule.element, RichElement::IcmpBlock(_)) || matches!(rule.action, RichAction::Drop | RichAction::Reject(_))
}

fn decides(rule: &RichRule) -> bool {
    denies(rule) || rule.action == RichAction::Accept
}
