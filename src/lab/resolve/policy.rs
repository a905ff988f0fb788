//! What firewalld refuses to have together in one policy, in a file as well as by command.
//!
//! Source: firewall/core/io/policy.py, `_check_config`, of firewalld 1.3.3 and 2.5.2.

use std::collections::BTreeMap;

use crate::lab::{Entry, ForwardPort, Policy, RichAction, RichElement, RuleBackend, Zone};
use crate::language::{Text, text};
use crate::net::Version;

/// What the check depends on beside the policy.
#[derive(Clone, Copy)]
pub(super) struct Release {
    pub(super) version: Version,
    pub(super) backend: RuleBackend,
}

/// Why firewalld refuses a policy.
pub(super) fn conflict(policy: &Policy, zones: &BTreeMap<String, Zone>, release: Release) -> Option<Text> {
    ends(policy)
        .or_else(|| masquerade(policy, zones, release))
        .or_else(|| forwards(policy, zones, release))
        .or_else(|| mark(policy, zones))
}

fn has(ends: &[Entry<String>], name: &str) -> bool {
    ends.iter().any(|end| end.value == name)
}

/// Many zones, or `ANY`, or `HOST`, and `HOST` on one side only.
fn ends(policy: &Policy) -> Option<Text> {
    for ends in [&policy.ingress, &policy.egress] {
        let symbolic = ["ANY", "HOST"].into_iter().find(|name| 1 < ends.len() && has(ends, name));
        if let Some(name) = symbolic {
            return Some(text!(
                "`{name}` cannot stand beside other zones",
                "`{name}`: 다른 영역과 함께 쓸 수 없습니다"
            ));
        }
    }
    let is_from_itself = has(&policy.ingress, "HOST") && has(&policy.egress, "HOST");
    is_from_itself.then(|| text!("a policy from `HOST` to `HOST`", "`HOST`에서 `HOST`로 가는 정책입니다"))
}

/// The first of these zones that has interfaces.
fn with_interfaces<'p>(ends: &'p [Entry<String>], zones: &BTreeMap<String, Zone>) -> Option<&'p str> {
    let is_bound = |name: &str| zones.get(name).is_some_and(|zone| !zone.interfaces.is_empty());
    ends.iter().map(|end| end.value.as_str()).find(|name| is_bound(name))
}

fn masquerade(policy: &Policy, zones: &BTreeMap<String, Zone>, release: Release) -> Option<Text> {
    let by_rule = policy.content.rich_rules.iter().any(|rule| rule.value.element == RichElement::Masquerade);
    if policy.content.masquerade.is_none() && !by_rule {
        return None;
    }
    if has(&policy.egress, "HOST") || has(&policy.ingress, "HOST") {
        return Some(text!(
            "a policy from or to `HOST` cannot masquerade",
            "`HOST`에서 오거나 `HOST`로 가는 정책에는 마스커레이드를 쓸 수 없습니다"
        ));
    }
    // iptables does not see the incoming interface in postrouting.
    let bound = with_interfaces(&policy.ingress, zones).filter(|_| release.backend == RuleBackend::Iptables)?;
    Some(text!(
        "a policy cannot masquerade what comes by the interfaces of zone `{bound}`",
        "`{bound}` 영역의 인터페이스로 들어오는 것에는 정책으로 마스커레이드를 쓸 수 없습니다"
    ))
}

fn forwards(policy: &Policy, zones: &BTreeMap<String, Zone>, release: Release) -> Option<Text> {
    let of_rule = |rule: &'_ RichElement| match rule {
        RichElement::ForwardPort(forward) => Some(forward.clone()),
        _ => None,
    };
    let by_rule = policy.content.rich_rules.iter().filter_map(|rule| of_rule(&rule.value.element));
    let all: Vec<ForwardPort> = policy
        .content
        .forward_ports
        .iter()
        .chain(&policy.content.later_forward_ports)
        .map(|f| f.value.clone())
        .chain(by_rule)
        .collect();
    if all.is_empty() || policy.egress.is_empty() {
        return None;
    }
    if has(&policy.egress, "HOST") {
        let leads_on = release.version < Version::new(2, 0, 0) && all.iter().any(|f| f.to_address.is_some());
        return leads_on.then(|| {
            text!(
                "a policy to `HOST` cannot forward to another address",
                "`HOST`로 가는 정책으로는 다른 주소로 포워딩할 수 없습니다"
            )
        });
    }
    if all.iter().any(|forward| forward.to_address.is_none()) {
        return Some(text!(
            "a policy to a zone or to `ANY` cannot forward to this host",
            "영역이나 `ANY`로 가는 정책으로는 이 호스트로 포워딩할 수 없습니다"
        ));
    }
    let bound = with_interfaces(&policy.egress, zones)?;
    Some(text!(
        "a policy cannot forward to the interfaces of zone `{bound}`",
        "정책으로는 `{bound}` 영역의 인터페이스로 포워딩할 수 없습니다"
    ))
}

fn mark(policy: &Policy, zones: &BTreeMap<String, Zone>) -> Option<Text> {
    let marks = policy.content.rich_rules.iter().any(|rule| matches!(rule.value.action, RichAction::Mark { .. }));
    let bound = with_interfaces(&policy.egress, zones).filter(|_| marks)?;
    Some(text!(
        "a policy cannot mark what goes to the interfaces of zone `{bound}`",
        "정책으로는 `{bound}` 영역의 인터페이스로 가는 것에 마크를 붙일 수 없습니다"
    ))
}
