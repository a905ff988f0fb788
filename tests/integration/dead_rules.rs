//! A rule that is called dead decides no packet: random rule sets, every packet of a small world, and the interpreter.

use std::collections::BTreeSet;

use canreach::dataplane::{ChainId, Dataplane, Event, Flow, NodeId, Ruleset};
use canreach::eval;
use canreach::lower;
use canreach::net::{Family, Protocol};
use canreach::smt::{RuleAt, dead_rules};
use proptest::prelude::*;

use crate::support::lab_of;

const CHAINS: [&str; 3] = ["INPUT", "MINE", "OTHER"];
const LAB: &str = "networks:\n  lan: {subnet: 10.0.0.0/24}\nhosts:\n  a:\n    interfaces: {eth0: {network: lan, address: \
                   10.0.0.1/24}}\n  b:\n    files: [rules.sh]\n    listen: [80, 81]\n    interfaces: {eth0: {network: \
                   lan, address: 10.0.0.2/24}}\n";

fn rule() -> impl Strategy<Value = String> {
    let pick = |words: &'static [&'static str]| prop::sample::select(words.to_vec());
    (
        pick(&CHAINS),
        pick(&["", "-s 10.0.0.0/30", "-s 10.0.0.0/24", "! -s 10.0.0.1", "-s 10.0.0.128/25"]),
        pick(&["", "-p tcp", "-p udp", "-p tcp --dport 80", "-p tcp --dport 80:82", "-p tcp --dport 81", "! -p tcp"]),
        pick(&[
            "",
            "",
            "-i eth0",
            "-i eth+",
            "-i lo",
            "-m conntrack --ctstate NEW",
            "-m mac --mac-source 00:11:22:33:44:55",
        ]),
        pick(&["ACCEPT", "DROP", "REJECT", "RETURN", "MINE", "OTHER", "LOG"]),
        any::<bool>(),
    )
        .prop_map(|(chain, source, transport, more, target, goes)| {
            let may_jump = chain == "INPUT" || chain == "MINE" && target == "OTHER";
            let is_chain = target == "MINE" || target == "OTHER";
            let target = if is_chain && !may_jump { "ACCEPT" } else { target };
            let verb = if is_chain && may_jump && goes { "-g" } else { "-j" };
            format!("iptables -A {chain} {source} {transport} {more} {verb} {target}\n")
        })
}

fn all_rules(ruleset: &Ruleset) -> BTreeSet<RuleAt> {
    let chains = ruleset.chains.iter().enumerate();
    chains.flat_map(|(id, chain)| (0..chain.rules.len()).map(move |index| (ChainId(id), index))).collect()
}

/// The rules that decide something about any of the packets, with whatever is not modelled on and off.
fn deciding(dataplane: &Dataplane, from: NodeId, at: NodeId) -> BTreeSet<RuleAt> {
    let defaults = dataplane.switches.defaults();
    let flipped = dataplane.switches.iter().fold(defaults.clone(), |setting, (id, _)| setting.with(id, true));
    let mut found = BTreeSet::new();
    for setting in [defaults, flipped] {
        for (protocol, port) in
            [(Protocol::Tcp, 79), (Protocol::Tcp, 80), (Protocol::Tcp, 81), (Protocol::Tcp, 82), (Protocol::Udp, 80)]
        {
            for source in ["10.0.0.1", "10.0.0.3", "10.0.0.9", "10.0.0.200"] {
                let flow = Flow {
                    from,
                    protocol,
                    source: Some(source.parse().unwrap()),
                    source_port: 50_000,
                    destination: "10.0.0.2".parse().unwrap(),
                    destination_port: port,
                };
                for step in eval::trace(dataplane, &flow, &setting).steps {
                    if let Event::Filtered { chain, rule: Some(rule), .. } = step.event
                        && step.node == at
                    {
                        found.insert((chain, rule));
                    }
                }
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_dead_rule_never_decides(rules in prop::collection::vec(rule(), 1..14)) {
        let script: String = ["iptables -N MINE\niptables -N OTHER\n".to_owned()].into_iter().chain(rules).collect();
        let dataplane = lower::lower(&lab_of(&[("lab.yaml", LAB), ("rules.sh", &script)]));
        let (from, at) = (dataplane.node_named("a").unwrap(), dataplane.node_named("b").unwrap());
        let ruleset = &dataplane.node(at).ruleset;
        let dead = dead_rules(ruleset, Family::V4, &all_rules(ruleset), &mut |_, _| {});
        let deciding = deciding(&dataplane, from, at);
        for one in dead {
            prop_assert!(!deciding.contains(&one.rule), "{script}\nis called dead: {one:?}");
        }
    }
}
