//! The nftables rules of engine 29 against what it wrote.

use super::recorded::{assert_same, numbered};
use super::*;
use crate::dataplane::{Action, ChainKind, Hook, HookPoint, Match, Policy, Rule, Ruleset, TableFamily};
use crate::net::IpNet;

/// `chain: rule` for every rule of docker's table, base chains with their header; the jumps that docker keeps in maps
/// are left out.
pub(super) fn nft_lines(dataplane: &Dataplane, node: NodeId) -> Vec<String> {
    let ruleset = &dataplane.node(node).ruleset;
    let mut lines = Vec::new();
    for chain in ruleset.chains.iter().filter(|c| ruleset.get_table(c.table).family == TableFamily::Ip) {
        if let Some(point) = chain.hook {
            lines.push(format!("{}: {}", chain.name, nft_hook(point)));
        }
        let mapped = ["filter-FORWARD", "nat-POSTROUTING"].contains(&chain.name.as_str());
        for rule in chain.rules.iter().filter(|_| !mapped) {
            lines.push(format!("{}: {}", chain.name, nft_rule(ruleset, rule)));
        }
    }
    lines
}

fn nft_hook(point: HookPoint) -> String {
    let (hook, priority) = match (point.hook, point.priority) {
        (Hook::Prerouting, -300) => ("prerouting", "raw"),
        (Hook::Prerouting, -100) => ("prerouting", "dstnat"),
        (Hook::Output, -100) => ("output", "dstnat"),
        (Hook::Forward, 0) => ("forward", "filter"),
        (Hook::Postrouting, 100) => ("postrouting", "srcnat"),
        other => panic!("{other:?}"),
    };
    let kind = if point.kind == ChainKind::Nat { "nat" } else { "filter" };
    let policy = if point.policy == Policy::Accept { "accept" } else { "drop" };
    format!("type {kind} hook {hook} priority {priority}; policy {policy};")
}

fn nft_rule(ruleset: &Ruleset, rule: &Rule) -> String {
    let mut words: Vec<_> = rule.matches.iter().map(|m| nft_match(m, "")).collect();
    words.push(match &rule.action {
        Action::Accept => "accept".to_owned(),
        Action::Drop => "drop".to_owned(),
        Action::Masquerade => "masquerade".to_owned(),
        Action::Jump(chain) => format!("jump {}", ruleset.get(*chain).name),
        Action::DestinationNat { address: Some(address), port: Some(port) } => format!("dnat to {address}:{port}"),
        other => panic!("{other:?}"),
    });
    // nft names the protocol once, before the port.
    words.join(" ").replace("ip protocol tcp dport", "tcp dport").replace("ip protocol udp dport", "udp dport")
}

fn nft_match(condition: &Match, not: &str) -> String {
    let address = |net: &IpNet| net.to_string().trim_end_matches("/32").to_owned();
    match condition {
        Match::Not(inner) => nft_match(inner, "!= "),
        Match::InInterface(name) => format!("iifname {not}{name}"),
        Match::OutInterface(name) => format!("oifname {not}{name}"),
        Match::Source(net) => format!("ip saddr {not}{}", address(net)),
        Match::Destination(net) => format!("ip daddr {not}{}", address(net)),
        Match::Protocol(protocol) => format!("ip protocol {protocol}"),
        Match::DestinationPort(port) => format!("dport {port}"),
        Match::State(_) => "ct state established,related".to_owned(),
        Match::DestinationIsLocal => "fib daddr type local".to_owned(),
        Match::SourceIsLocal => "fib saddr type local".to_owned(),
        other => panic!("{other:?}"),
    }
}

/// The lines of `nft list ruleset` for docker's IPv4 table, in the form of [`nft_lines`].
pub(super) fn nft_from_save(saved: &str) -> String {
    let table = saved.split("table ip docker-bridges {").nth(1).unwrap().split("\n}").next().unwrap();
    let mut chain = None;
    let mut lines = Vec::new();
    for line in table.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("chain ") {
            chain = name.strip_suffix(" {");
        } else if line.starts_with("map ") {
            chain = None;
        } else if let Some(chain) = chain.filter(|_| !line.is_empty() && line != "}" && !line.contains("vmap")) {
            let rule = line.split(" comment ").next().unwrap().replace("counter ", "").replace('"', "");
            lines.push(format!("{chain}: {rule}"));
        }
    }
    lines.join("\n")
}

/// By chain and, in the raw chain, which only drops, in any order. Chain names have a bridge in them: numbered first.
#[track_caller]
pub(super) fn check_nft(configuration: &str, recorded: &str) {
    let (_, dataplane, node) = started(engine("29n", configuration));
    let sorted = |lines: Vec<String>| {
        let mut lines = numbered(lines);
        let chain = |l: &String| l.split(": ").next().unwrap().to_owned();
        lines.sort_by_key(|l| (chain(l), l.starts_with("raw-").then(|| l.clone())));
        lines
    };
    let split = |text: &str| text.lines().map(|l| l.replace(": ", " : ")).collect::<Vec<_>>();
    let actual = sorted(split(&nft_lines(&dataplane, node).join("\n")));
    let expected = sorted(split(recorded));
    assert_same(&actual, &expected, configuration);
}

#[test]
fn engine_29_writes_the_recorded_nft_rules() {
    check_nft("default", include_str!("../recorded/29n-default.rules"));
    check_nft("noproxy", include_str!("../recorded/29n-noproxy.rules"));
    check_nft("gateway-modes", include_str!("../recorded/29n-gateway-modes.rules"));
}

/// In the recording: `oifname vmap @filter-forward-in-jumps`, then `iifname vmap @filter-forward-out-jumps`; for nat
/// `iifname vmap @nat-postrouting-out-jumps` first.
#[test]
fn nft_maps_become_jumps() {
    let (_, dataplane, node) = started(engine("29n", "default"));
    let ruleset = &dataplane.node(node).ruleset;
    let jumps = |name: &str| {
        let chain = ruleset.chains.iter().find(|c| c.name == name).unwrap();
        chain.rules.iter().map(|r| nft_rule(ruleset, r)).collect::<Vec<_>>()
    };
    assert_eq!(
        jumps("filter-FORWARD"),
        [
            "oifname docker0 jump filter-forward-in__docker0",
            "oifname br-1 jump filter-forward-in__br-1",
            "iifname docker0 jump filter-forward-out__docker0",
            "iifname br-1 jump filter-forward-out__br-1",
        ]
    );
    assert_eq!(
        jumps("nat-POSTROUTING"),
        [
            "iifname docker0 jump nat-postrouting-out__docker0",
            "iifname br-1 jump nat-postrouting-out__br-1",
            "oifname docker0 jump nat-postrouting-in__docker0",
            "oifname br-1 jump nat-postrouting-in__br-1",
        ]
    );
}
