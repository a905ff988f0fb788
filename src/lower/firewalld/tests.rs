//! What the model loads, against what real machines had loaded.

use super::fixture::{Setup, empty_dataplane, everything, lab, only_firewalld, setup, strict_forward, versions};
use super::recorded::{Chains, condensed, differences, iptables_chains, nft_chains, recordings};
use super::start;
use crate::dataplane::{Dataplane, NodeId};
use crate::lab::{HostId, Lab, RuleBackend};
use crate::report::rules::{Beside, iptables, nft};

fn loaded(lab: &Lab) -> (Dataplane, NodeId) {
    let (mut dataplane, node) = empty_dataplane();
    start(lab, HostId(0), node, &mut dataplane);
    (dataplane, node)
}

const NAMES: [&str; 22] = [
    "strict-forward",
    "everything",
    "public",
    "public-reject3000",
    "public-3000-4000",
    "noproxy",
    "drop",
    "block",
    "trusted",
    "external",
    "strict",
    "noiptables",
    "src-drop",
    "src-trusted",
    "docker0-in-public",
    "forwardports",
    "policy-dropdocker",
    "policy-docker-any-reject",
    "policy-docker-host-drop",
    "policy-pub-docker-reject3000",
    "firewalld-only",
    "full-nat",
];

/// Compares every recording of a backend with the model; `compare` says what differs.
fn every_recording(backend: RuleBackend, compare: impl Fn(&str, Setup) -> String) {
    let Some(directory) = recordings() else { return };
    let mut failures = String::new();
    let word = if backend == RuleBackend::Nftables { "nftables" } else { "iptables" };
    let mut seen = 0;
    for tag in ["d20", "f23", "d28", "d29", "d29n"] {
        for name in NAMES {
            let (file, setup) = match name {
                "firewalld-only" => (format!("{tag}-firewalld-only-{word}.txt"), only_firewalld(tag, backend)),
                "everything" => (format!("{tag}-rich-{word}.txt"), everything(versions(tag).0, backend)),
                "strict-forward" => (format!("{tag}-strict-{word}.txt"), strict_forward(versions(tag).0, backend)),
                "full-nat" => (format!("{tag}-full-nat-firewalld-docker.txt"), setup(tag, backend, "public")),
                name => (format!("{tag}-fw-{word}-{name}.txt"), setup(tag, backend, name)),
            };
            if name == "full-nat" && backend == RuleBackend::Iptables {
                continue;
            }
            let Ok(text) = std::fs::read_to_string(directory.join(&file)) else { continue };
            let differs = compare(&text, setup);
            if !differs.is_empty() {
                failures += &format!("{file}\n{differs}");
            }
            seen += 1;
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(seen > 20, "only {seen} recordings of {word}");
}

#[test]
fn nftables_as_recorded() {
    every_recording(RuleBackend::Nftables, |text, setup| differences(&nft_chains(text), &nft_of(setup)));
}

fn nft_of(setup: Setup) -> Chains {
    let (dataplane, node) = loaded(&lab(setup.firewalld, setup.engine));
    nft_chains(&nft::render(&dataplane.node(node).ruleset, &Beside::Nothing))
}

fn iptables_of(setup: Setup) -> Chains {
    let (dataplane, node) = loaded(&lab(setup.firewalld, setup.engine));
    iptables_chains(&iptables::render(dataplane.node(node), &dataplane.switches, &Beside::Nothing), is_firewallds)
}

#[track_caller]
fn check(setup: Setup, recorded: &str) {
    let differs = match setup.firewalld.backend {
        RuleBackend::Nftables => differences(&condensed(nft_chains(recorded)), &condensed(nft_of(setup))),
        RuleBackend::Iptables => {
            let real = iptables_chains(recorded, is_firewallds);
            differences(&condensed(real), &condensed(iptables_of(setup)))
        }
    };
    assert!(differs.is_empty(), "{differs}");
}

#[test]
fn release_1_3_jumps_by_ingress_zone() {
    let version = versions("d20").0;
    check(everything(version, RuleBackend::Nftables), include_str!("recorded/1.3.3-everything.nft"));
    check(everything(version, RuleBackend::Iptables), include_str!("recorded/1.3.3-everything.rules"));
}

#[test]
fn release_2_3_lists_pairs_of_zones() {
    let setup = |backend, name| setup("f23", backend, name);
    check(setup(RuleBackend::Nftables, "src-drop"), include_str!("recorded/2.3.1-src-drop.nft"));
    check(setup(RuleBackend::Iptables, "policy-dropdocker"), include_str!("recorded/2.3.1-policy-dropdocker.rules"));
}

#[test]
fn release_2_5_dispatches_in_three_stages() {
    let setup = |backend, name| setup("d28", backend, name);
    check(setup(RuleBackend::Nftables, "src-drop"), include_str!("recorded/2.5.2-src-drop.nft"));
    let policy = "policy-pub-docker-reject3000";
    check(setup(RuleBackend::Iptables, policy), include_str!("recorded/2.5.2-policy-pub-docker-reject3000.rules"));
}

#[test]
fn strict_forward_ports_let_only_listed_ports_pass() {
    let setup = strict_forward(versions("f23").0, RuleBackend::Iptables);
    check(setup, include_str!("recorded/2.3.1-strict-forward.rules"));
}

/// Not what docker writes into iptables' own chains, nor its own chains.
fn is_firewallds(line: &str) -> bool {
    let built_in =
        ["-A FORWARD ", "-A POSTROUTING ", "-A PREROUTING ", "-A OUTPUT "].iter().any(|c| line.starts_with(c));
    let dockers = line == "policy"
        || line.contains("DOCKER")
        || built_in && ["docker0", "br-", " 172.1", "127.0.0.1"].iter().any(|w| line.contains(w));
    !dockers
}

#[test]
fn iptables_as_recorded() {
    every_recording(RuleBackend::Iptables, |text, setup| {
        differences(&iptables_chains(text, is_firewallds), &iptables_of(setup))
    });
}
