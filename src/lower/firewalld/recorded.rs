//! Reading what `nft list ruleset` and `iptables-save` printed, on a real machine or from the model, and comparing it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Rules by chain.
pub(in crate::lower) type Chains = BTreeMap<String, Vec<String>>;

/// Where the recordings are, if they are at hand.
pub(in crate::lower) fn recordings() -> Option<PathBuf> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    Some(root.join("../shared/oracle/rulesets")).filter(|p| p.is_dir())
}

/// A rule that only concerns IPv6 and is left out by the model.
fn only_ipv6(line: &str) -> bool {
    line.contains("icmpv6")
        || line.contains(" log ")
        || line.contains("-j LOG")
        || line.contains("nfproto ipv6")
        || line.contains("ip6 daddr {")
}

fn sorted_set(line: &str) -> String {
    let Some((before, rest)) = line.split_once("{ ") else { return line.to_owned() };
    let Some((set, after)) = rest.split_once(" }") else { return line.to_owned() };
    let items: BTreeSet<&str> = set.split(", ").collect();
    format!("{before}{{ {} }}{after}", items.into_iter().collect::<Vec<_>>().join(", "))
}

/// The name that docker gave to the bridge of the network `n1`.
fn bridge_name(text: &str) -> Option<&str> {
    let at = text.find("br-")?;
    text.get(at..at + 15)
}

/// Chains of `table inet firewalld` in the text of `nft list ruleset`.
pub(in crate::lower) fn nft_chains(text: &str) -> Chains {
    let text = bridge_name(text).map_or_else(|| text.to_owned(), |name| text.replace(name, "br-n1"));
    let mut chains = Chains::new();
    let mut current = String::new();
    let lines = text.lines().skip_while(|l| !l.starts_with("table inet firewalld")).skip(1);
    for line in lines.take_while(|l| *l != "}") {
        let line = line.trim();
        if let Some(name) = line.strip_prefix("chain ") {
            current = name.trim_end_matches(" {").to_owned();
            chains.insert(current.clone(), vec![]);
        } else if !line.is_empty() && line != "}" && !line.starts_with("flags") && !only_ipv6(line) {
            let line = line.replace("priority -90;", "priority dstnat + 10;").replace(":8100-8110", "");
            chains.get_mut(&current).unwrap().push(sorted_set(&line));
        }
    }
    chains
}

/// Order does not matter in a list of rules that all accept, nor between neighbours that jump to the same policy, which
/// firewalld keeps in a set, nor between those of different containers, which dockerd puts back in the order of a map.
fn order_free(chain: &str, lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    if ["raw PREROUTING", "filter DOCKER", "nat DOCKER"].contains(&chain) {
        let target = |line: &String| line.split_once("-j ").map(|(_, to)| to.split(' ').next().map(str::to_owned));
        lines.chunk_by_mut(|a, b| target(a) == target(b)).for_each(<[String]>::sort);
    }
    if chain.contains("POLICIES") {
        let target = |line: &String| line.rsplit(' ').next().map(str::to_owned);
        lines.chunk_by_mut(|a, b| target(a) == target(b)).for_each(<[String]>::sort);
    }
    if chain.ends_with("_allow") && lines.iter().all(|l| l.ends_with("accept") || l.ends_with("ACCEPT")) {
        lines.sort();
    }
    lines
}

fn only_in<'a>(one: &'a [String], other: &[String]) -> Vec<&'a String> {
    one.iter().filter(|line| !other.contains(line)).collect()
}

pub(in crate::lower) fn differences(real: &Chains, model: &Chains) -> String {
    let names: BTreeSet<&String> = real.keys().chain(model.keys()).collect();
    let mut differences = String::new();
    for name in names {
        let lines = |chains: &Chains| chains.get(name).map(|l| order_free(name, l));
        match (lines(real), lines(model)) {
            (real, model) if real == model => {}
            (Some(real), Some(model)) => {
                let (missing, extra) = (only_in(&real, &model), only_in(&model, &real));
                let in_order =
                    if missing.is_empty() && extra.is_empty() { format!("{real:#?}") } else { String::new() };
                differences +=
                    &format!("chain {name}\n  missing {missing:#?}\n  extra {extra:#?}\n  order {in_order}\n");
            }
            (real, _) => {
                differences += &format!("chain {name} only in {}\n", if real.is_some() { "real" } else { "model" })
            }
        }
    }
    differences
}

/// firewalld 2 gives names above 28 characters a random name; only one of the recordings' chains has such a name.
fn with_full_names(text: &str) -> String {
    let random = |word: &&str| word.len() == 28 && word.chars().all(|c| c.is_ascii_alphanumeric());
    match text.split_whitespace().map(|w| w.trim_start_matches(':')).find(random) {
        Some(name) => text.replace(name, "POST_internal_dispatch_stage2"),
        None => text.to_owned(),
    }
}

/// A rule with protocols by number, and without the ports of a rewrite that keeps them.
fn plain(rule: &str) -> String {
    let replaced = [
        (":8100-8110", ""),
        ("-p gre", "-p 47"),
        ("-p igmp", "-p 2"),
        // The chain that the rule is in is only for packets whose destination was rewritten.
        ("--ctstate DNAT --ctorigdstport", "--ctorigdstport"),
        (" --ctdir ORIGINAL", ""),
    ];
    replaced.iter().fold(rule.to_owned(), |rule, (real, same)| rule.replace(real, same))
}

/// Chains in the text of `iptables-save` by table and name, with the rules on lines that are wanted, and what happens
/// behind them.
pub(in crate::lower) fn iptables_chains(text: &str, wanted: impl Fn(&str) -> bool) -> Chains {
    let text = bridge_name(text).map_or_else(|| text.to_owned(), |name| text.replace(name, "br-n1"));
    let text = with_full_names(text.split("##### nft").next().unwrap());
    let mut chains = Chains::new();
    let mut table = String::new();
    for line in text.lines().filter(|l| wanted(l) && !only_ipv6(l)) {
        if let Some(name) = line.strip_prefix('*') {
            table = name.to_owned();
        } else if let Some((chain, policy)) = line.strip_prefix(':').and_then(|l| l.split_once(' ')) {
            let rules = chains.entry(format!("{table} {chain}")).or_default();
            if !policy.starts_with('-') && wanted("policy") {
                rules.push(format!("policy {}", policy.split(' ').next().unwrap()));
            }
        } else if let Some((chain, rule)) = line.strip_prefix("-A ").and_then(|l| l.split_once(' ')) {
            chains.entry(format!("{table} {chain}")).or_default().push(plain(rule));
        }
    }
    chains
}

/// Without chains that are empty and the jumps to the five parts of a zone or policy, as the excerpts are.
pub(in crate::lower) fn condensed(mut chains: Chains) -> Chains {
    let parts = ["_pre", "_log", "_deny", "_allow", "_post"];
    let is_part = |rule: &String| {
        let mut words = rule.split(' ');
        matches!(words.next(), Some("jump" | "-j")) && parts.iter().any(|p| rule.ends_with(p)) && words.count() == 1
    };
    chains.values_mut().for_each(|rules| rules.retain(|rule| !is_part(rule)));
    chains.retain(|_, rules| !rules.is_empty());
    chains
}
