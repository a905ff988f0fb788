//! What the model loads, against what real machines had loaded.

use super::fixture::{
    Setup, differences, empty_dataplane, iptables_chains, lab, nft_chains, only_firewalld, recordings, setup,
};
use super::start;
use crate::dataplane::{Dataplane, NodeId};
use crate::lab::{HostId, Lab, RuleBackend};
use crate::report::rules::{Beside, iptables, nft};

fn loaded(lab: &Lab) -> (Dataplane, NodeId) {
    let (mut dataplane, node) = empty_dataplane();
    start(lab, HostId(0), node, &mut dataplane);
    (dataplane, node)
}

const NAMES: [&str; 20] = [
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
    for tag in ["d20", "d28", "d29", "d29n"] {
        for name in NAMES {
            let (file, setup) = match name {
                "firewalld-only" => (format!("{tag}-firewalld-only-{word}.txt"), only_firewalld(tag, backend)),
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
    every_recording(RuleBackend::Nftables, |text, setup| {
        let (dataplane, node) = loaded(&lab(setup.firewalld, setup.engine));
        let model = nft::render(&dataplane.node(node).ruleset, &Beside::Nothing);
        differences(&nft_chains(text), &nft_chains(&model))
    });
}

/// Not what docker writes into iptables' own chains, nor its own chains.
fn is_firewallds(line: &str) -> bool {
    let built_in =
        ["-A FORWARD ", "-A POSTROUTING ", "-A PREROUTING ", "-A OUTPUT "].iter().any(|c| line.starts_with(c));
    let dockers = line.contains("DOCKER")
        || built_in && ["docker0", "br-", " 172.1", "127.0.0.1"].iter().any(|w| line.contains(w));
    !dockers
}

#[test]
fn iptables_as_recorded() {
    every_recording(RuleBackend::Iptables, |text, setup| {
        let (dataplane, node) = loaded(&lab(setup.firewalld, setup.engine));
        let model = iptables::render(dataplane.node(node), &dataplane.switches, &Beside::Nothing);
        differences(&iptables_chains(text, is_firewallds), &iptables_chains(&model, is_firewallds))
    });
}
