//! Sequences of events against what real machines had loaded after them.

use super::apply;
use crate::lab::HostEvent::{
    EngineRestart, EngineStart, FirewalldCompleteReload, FirewalldReload, FirewalldStart, FirewalldStop,
};
use crate::lab::{HostEvent, HostId, RuleBackend};
use crate::lower::firewalld::fixture::{Setup, empty_dataplane, lab, setup};
use crate::lower::firewalld::recorded::{condensed, differences, iptables_chains, nft_chains, recordings};
use crate::report::rules::{Beside, iptables, nft};

/// What is loaded after the events, as the two tools print it.
fn after(setup: Setup, events: &[HostEvent]) -> (String, String) {
    let mut lab = lab(setup.firewalld, setup.engine);
    lab.hosts[0].events = events.to_vec();
    let (mut dataplane, node) = empty_dataplane();
    apply(&lab, HostId(0), node, &mut dataplane);
    let node = dataplane.node(node);
    (iptables::render(node, &dataplane.switches, &Beside::Nothing), nft::render(&node.ruleset, &Beside::Nothing))
}

#[track_caller]
fn check(tag: &str, backend: RuleBackend, events: &[HostEvent], recorded: &str) {
    let (iptables, _) = after(setup(tag, backend, "public"), events);
    let all = |text: &str| condensed(iptables_chains(text, |_| true));
    let differs = differences(&all(recorded), &all(&iptables));
    assert!(differs.is_empty(), "{differs}");
}

const TAGS: [&str; 4] = ["d20", "d28", "d29", "d29n"];

/// The recordings of one order of starts, with the events of their scenarios.
const ORDERS: [(&str, &[HostEvent]); 6] = [
    ("order-fw-first-BACKEND-reload", &[FirewalldStart, EngineStart, FirewalldReload]),
    (
        "order-fw-first-BACKEND-restart",
        &[FirewalldStart, EngineStart, FirewalldReload, FirewalldCompleteReload, FirewalldStop, FirewalldStart],
    ),
    (
        "order-fw-first-BACKEND-stop",
        &[FirewalldStart, EngineStart, FirewalldReload, FirewalldStop, FirewalldStart, FirewalldStop],
    ),
    ("order-docker-first-BACKEND", &[FirewalldStart, FirewalldStop, EngineStart, FirewalldStart]),
    ("order-reload-BACKEND", &[FirewalldStart, FirewalldStop, EngineStart, FirewalldStart, FirewalldReload]),
    (
        "order-stopped-BACKEND",
        &[FirewalldStart, FirewalldStop, EngineStart, FirewalldStart, FirewalldReload, FirewalldStop],
    ),
];

#[test]
fn an_engine_that_found_firewalld_puts_its_rules_back() {
    let events = [FirewalldStart, EngineStart, FirewalldReload];
    let recorded = include_str!("recorded/1.3.3-order-fw-first-iptables-reload.rules");
    check("d20", RuleBackend::Iptables, &events, recorded);
}

#[test]
fn an_engine_that_was_first_loses_its_rules_to_iptables() {
    let recorded = include_str!("recorded/1.3.3-order-docker-first-iptables.rules");
    check("d20", RuleBackend::Iptables, &[EngineStart, FirewalldStart], recorded);
    check("d20", RuleBackend::Iptables, &[EngineStart, FirewalldStart, FirewalldReload], recorded);
}

#[test]
fn nftables_spares_the_rules_of_others_from_2_0() {
    let recorded = include_str!("recorded/2.5.2-order-docker-first-nftables.rules");
    check("d28", RuleBackend::Nftables, &[EngineStart, FirewalldStart], recorded);
    let emptied = include_str!("recorded/1.3.3-order-fw-first-nftables-stop.rules");
    check("d20", RuleBackend::Nftables, &[FirewalldStart, EngineStart, FirewalldStop], emptied);
}

/// A restarting dockerd goes through its networks in the order of a map; rules of different bridges do not meet.
#[test]
fn a_restarted_engine_finds_firewalld() {
    let (iptables, _) = after(
        setup("d20", RuleBackend::Iptables, "public"),
        &[FirewalldStart, FirewalldStop, EngineStart, FirewalldStart, EngineRestart],
    );
    let sorted = |text: &str| {
        let mut chains = condensed(iptables_chains(text, |_| true));
        chains.values_mut().for_each(|rules| rules.sort());
        chains
    };
    let recorded = include_str!("recorded/1.3.3-order-dockerd-restart-iptables.rules");
    let differs = differences(&sorted(recorded), &sorted(&iptables));
    assert!(differs.is_empty(), "{differs}");
}

#[test]
fn every_order_as_recorded() {
    let Some(directory) = recordings() else { return };
    let mut failures = String::new();
    for (tag, backend, word) in
        TAGS.iter().flat_map(|tag| [(tag, RuleBackend::Nftables, "nftables"), (tag, RuleBackend::Iptables, "iptables")])
    {
        for (name, events) in ORDERS {
            let file = format!("{tag}-{}.txt", name.replace("BACKEND", word));
            let text = std::fs::read_to_string(directory.join(&file)).unwrap();
            let (iptables, nft) = after(setup(tag, backend, "public"), events);
            let differs = differences(&iptables_chains(&text, |_| true), &iptables_chains(&iptables, |_| true))
                + &differences(&nft_chains(&text), &nft_chains(&nft));
            if !differs.is_empty() {
                failures += &format!("{file}\n{differs}");
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// Both products with the configurations that were in force from the beginning.
#[test]
fn engine_next_to_firewalld_as_recorded() {
    let Some(directory) = recordings() else { return };
    let mut failures = String::new();
    let names = [
        "public",
        "drop",
        "block",
        "trusted",
        "external",
        "src-drop",
        "src-trusted",
        "noproxy",
        "noiptables",
        "strict",
    ];
    for (tag, name) in TAGS.iter().flat_map(|tag| names.map(|name| (*tag, name))) {
        for (backend, word) in [(RuleBackend::Nftables, "nftables"), (RuleBackend::Iptables, "iptables")] {
            let file = format!("{tag}-fw-{word}-{name}.txt");
            let Ok(text) = std::fs::read_to_string(directory.join(&file)) else { continue };
            let (iptables, nft) = after(setup(tag, backend, name), &[FirewalldStart, EngineStart]);
            let differs = differences(&iptables_chains(&text, |_| true), &iptables_chains(&iptables, |_| true))
                + &differences(&nft_chains(&text), &nft_chains(&nft));
            if !differs.is_empty() {
                failures += &format!("{file}\n{differs}");
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
