//! Translations: where `dnat`, `snat`, `redirect` and `masquerade` lead. A choice that the kernel makes by chance or by
//! counting becomes one rule for each outcome.

use std::net::IpAddr;

use crate::lab::iptables::{Condition, RuleTarget};
use crate::net::{Family, IpNet};

use super::meaning::Meaning;
use super::syntax::{Given, Nat, NatKind, Value};
use super::{rule_text, value};

/// A choice among more addresses than this is not written out.
const MOST_ADDRESSES: usize = 16;

/// A way that a translation may take, with its conditions.
type Way = (Vec<Condition>, RuleTarget);

/// Where a translation leads. In a table of both families it sees the packets of its address's family only
/// (net/netfilter/nft_nat.c, `nft_nat_inet_eval`).
pub(super) fn read(meaning: &Meaning<'_>, nat: &Nat) -> Vec<Way> {
    let mut ways = all(meaning, nat);
    for (conditions, target) in ways.iter_mut().filter(|_| meaning.sees_both_families()) {
        if let RuleTarget::DestinationNat { address: Some(address), .. } | RuleTarget::SourceNat(address) = target {
            let family = Condition::Family(Family::of(*address));
            if !conditions.contains(&family) {
                conditions.push(family);
            }
        }
    }
    ways
}

fn all(meaning: &Meaning<'_>, nat: &Nat) -> Vec<Way> {
    let unknown = || vec![(Vec::new(), RuleTarget::Diverts(nat.text.clone()))];
    match nat.kind {
        NatKind::Masquerade => vec![(Vec::new(), RuleTarget::Masquerade)],
        NatKind::Redirect => match &nat.port {
            None => vec![(Vec::new(), RuleTarget::Redirect { port: None })],
            Some(port) => match single_port(port) {
                Some(port) => vec![(Vec::new(), RuleTarget::Redirect { port: Some(port) })],
                None => unknown(),
            },
        },
        NatKind::Destination | NatKind::Source => towards(meaning, nat).unwrap_or_else(unknown),
    }
}

fn towards(meaning: &Meaning<'_>, nat: &Nat) -> Option<Vec<Way>> {
    match &nat.address {
        Some(Value::Map(left, map)) => {
            let is_chance = |key: &String| matches!(key.as_str(), "numgen" | "jhash" | "symhash");
            let found = meaning.lookup(left, map);
            if left.keys.iter().any(is_chance) {
                let targets = found.into_iter().map(|(_, given)| single(nat, given?)).collect::<Option<Vec<_>>>()?;
                return Some(chosen(nat, targets));
            }
            found.into_iter().map(|(conditions, given)| Some((conditions, single(nat, given?)?))).collect()
        }
        Some(address) => {
            let all = addresses(address)?;
            let port = match &nat.port {
                Some(port) if nat.kind == NatKind::Destination => Some(single_port(port)?),
                _ => None,
            };
            let targets: Vec<RuleTarget> = all.into_iter().map(|address| target(nat, Some(address), port)).collect();
            Some(chosen(nat, targets))
        }
        None => {
            let port = single_port(nat.port.as_ref()?)?;
            (nat.kind == NatKind::Destination).then(|| vec![(Vec::new(), target(nat, None, Some(port)))])
        }
    }
}

/// One of several targets: which, nobody can tell.
fn chosen(nat: &Nat, targets: Vec<RuleTarget>) -> Vec<Way> {
    let last = targets.len().saturating_sub(1);
    let condition = |index| Condition::Unmodeled(format!("{} takes choice {}", nat.text, index + 1));
    let ways = targets.into_iter().enumerate();
    ways.map(|(index, target)| ((index < last).then(|| condition(index)).into_iter().collect(), target)).collect()
}

/// What an element of a map leads to: `10.0.0.5`, `10.0.0.5 . 80`, or a port alone.
fn single(nat: &Nat, given: Given) -> Option<RuleTarget> {
    let Given::Value(value) = given else { return None };
    let own_port = || nat.port.as_ref().and_then(single_port);
    match &value {
        Value::Joined(parts) => {
            let [address, port] = parts.as_slice() else { return None };
            Some(target(nat, Some(single_address(address)?), Some(single_port(port)?)))
        }
        Value::Word(word) => match rule_text::address_and_port(word) {
            (Some(address), port) => {
                let port = port.as_ref().and_then(single_port).or_else(own_port);
                Some(target(nat, Some(single_address(&address)?), port))
            }
            (None, _) => None,
        },
        _ => None,
    }
}

fn target(nat: &Nat, address: Option<IpAddr>, port: Option<u16>) -> RuleTarget {
    match (nat.kind, address) {
        (NatKind::Source, Some(address)) => RuleTarget::SourceNat(address),
        (NatKind::Source, None) => RuleTarget::Diverts(nat.text.clone()),
        _ => RuleTarget::DestinationNat { address, port },
    }
}

fn single_address(value: &Value) -> Option<IpAddr> {
    value::address(value::word(value).ok()?).ok()
}

fn single_port(value: &Value) -> Option<u16> {
    let ports = value::ports(value).ok()?;
    (ports.first == ports.last).then_some(ports.first)
}

/// Every address of a range, if there are few.
fn addresses(value: &Value) -> Option<Vec<IpAddr>> {
    let family = if value::word(value).is_ok_and(|word| word.contains(':')) { Family::V6 } else { Family::V4 };
    let nets = value::networks(value, family).ok()?;
    let single = |net: &IpNet| net.subnets(net.max_prefix_len()).into_iter().flatten().map(|one| one.addr());
    let all: Vec<IpAddr> = nets.iter().flat_map(single).take(MOST_ADDRESSES + 1).collect();
    (all.len() <= MOST_ADDRESSES).then_some(all)
}
