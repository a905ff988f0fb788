//! The rules of every line of engines against what real engines wrote.
//!
//! `recorded/*.rules` were saved on machines with dockerd 20.10.24, 28.5.2 and 29.7.2 (`29n`: nftables backend): c1
//! `-p 3000:3000` tcp and udp, c2 `-p 127.0.0.1:3001:3000`, c3 on network n1 `-p 3002:3000`, ch in the host's
//! namespace; or one network for each gateway mode with one container each. Counters, comments and empty chains are
//! left out, and bridges are numbered.

use std::path::Path;

use super::nft::{check_nft, nft_from_save, nft_lines};
use super::*;
use crate::dataplane::{Action, ChainKind, Hook, HookPoint, Policy, Rule, Ruleset, TableFamily};

/// Rules, tables that have any, and the policy of FORWARD; bridges numbered in the order in which they show up. The
/// raw table holds nothing but drops, so there the order cannot matter.
fn normalised(saved: &str) -> Vec<String> {
    let wanted = |line: &&str| line.starts_with("*") || line.starts_with("-A") || line.starts_with(":FORWARD ");
    let users = |line: &&str| line.starts_with("-A DOCKER-USER -i");
    let lines: Vec<_> = saved.lines().filter(wanted).filter(|l| !users(l)).map(without_counters).collect();
    let mut tables = split_tables(&lines);
    for table in tables.iter_mut().filter(|t| t[0] == "*raw") {
        table.sort();
    }
    tables.retain(|t| t.iter().any(|l| l.starts_with("-A")));
    numbered(tables.into_iter().flatten().collect())
}

fn without_counters(line: &str) -> String {
    line.split(" [").next().unwrap().to_owned()
}

fn split_tables(lines: &[String]) -> Vec<Vec<String>> {
    let mut tables: Vec<Vec<String>> = Vec::new();
    for line in lines {
        if line.starts_with('*') {
            tables.push(Vec::new());
        }
        tables.last_mut().unwrap().push(line.clone());
    }
    tables
}

pub(super) fn numbered(lines: Vec<String>) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    let mut number = |word: &str| {
        let Some(at) = word.find("br-") else { return word.to_owned() };
        let (before, bridge) = word.split_at(at);
        let index = known.iter().position(|k| k == bridge).unwrap_or_else(|| {
            known.push(bridge.to_owned());
            known.len() - 1
        });
        format!("{before}br-{}", index + 1)
    };
    lines.iter().map(|l| l.split(' ').map(&mut number).collect::<Vec<_>>().join(" ")).collect()
}

#[track_caller]
fn check(tag: &str, configuration: &str, recorded: &str) {
    let (_, dataplane, node) = started(engine(tag, configuration));
    assert_same(&normalised(&rendered(&dataplane, node)), &normalised(recorded), &format!("{tag} {configuration}"));
}

#[track_caller]
pub(super) fn assert_same(actual: &[String], expected: &[String], what: &str) {
    assert_eq!(actual.join("\n"), expected.join("\n"), "{what}");
}

#[test]
fn engine_20_writes_the_recorded_rules() {
    check("20", "default", include_str!("../recorded/20-default.rules"));
    check("20", "noproxy", include_str!("../recorded/20-noproxy.rules"));
    check("20", "noicc", include_str!("../recorded/20-noicc.rules"));
}

#[test]
fn engine_28_writes_the_recorded_rules() {
    check("28", "default", include_str!("../recorded/28-default.rules"));
    check("28", "noproxy", include_str!("../recorded/28-noproxy.rules"));
    check("28", "gateway-modes", include_str!("../recorded/28-gateway-modes.rules"));
}

#[test]
fn engine_29_writes_the_recorded_rules() {
    check("29", "default", include_str!("../recorded/29-default.rules"));
    check("29", "noicc", include_str!("../recorded/29-noicc.rules"));
    check("29", "gateway-modes", include_str!("../recorded/29-gateway-modes.rules"));
}

/// After a reload of firewalld 20.10 has no isolation between networks any more.
#[test]
fn engine_20_puts_back_the_recorded_rules() {
    let (lab, mut dataplane, node) = started(standard("20"));
    dataplane.node_mut(node).ruleset = Ruleset::default();
    reinstall(&lab, HostId(0), node, &mut dataplane);
    let recorded = include_str!("../recorded/20-reload.rules");
    assert_same(&normalised(&rendered(&dataplane, node)), &normalised(recorded), "20 reload");
}

#[test]
fn later_engines_put_back_what_they_wrote_first() {
    for tag in ["28", "29"] {
        let (lab, mut dataplane, node) = started(standard(tag));
        let first = rendered(&dataplane, node);
        dataplane.node_mut(node).ruleset = Ruleset::default();
        reinstall(&lab, HostId(0), node, &mut dataplane);
        assert_eq!(rendered(&dataplane, node), first, "{tag}");
    }
}

#[test]
fn a_restart_changes_nothing() {
    for tag in ["20", "28", "29", "29n"] {
        let (lab, mut dataplane, node) = started(engine(tag, "default"));
        let print = |d: &Dataplane| (rendered(d, node), nft_lines(d, node));
        let first = print(&dataplane);
        install_rules(&lab, HostId(0), node, &mut dataplane);
        assert_eq!(print(&dataplane), first, "{tag}");
    }
}

/// With the recordings at hand, every one of them.
#[test]
fn all_recordings_agree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracle/rulesets");
    let Ok(files) = std::fs::read_dir(folder) else { return };
    let mut compared = 0;
    for path in files.map(|f| f.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some((tag, configuration)) = name.split_once("-docker-") else { continue };
        let tag = tag.trim_start_matches('d');
        if name.contains("fw-") || name.contains("order-") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let (saved, nft) = text.split_once("##### nft").unwrap();
        if tag == "29n" {
            check_nft(configuration, &nft_from_save(nft));
        } else {
            check(tag, configuration, saved);
        }
        compared += 1;
    }
    assert!(compared > 30, "{compared}");
}

/// Where docker's jumps stand beside rules that were there before, as recorded with firewalld's iptables backend.
#[test]
fn docker_goes_in_front_of_other_rules_but_for_its_ports_in_postrouting() {
    let chains = |tag: &str, reloaded: bool| {
        let lab = lab(standard(tag));
        let (mut dataplane, node) = bare_host(false);
        firewalld_like(&mut dataplane, node);
        start(&lab, HostId(0), node, &mut dataplane);
        if reloaded {
            dataplane.node_mut(node).ruleset = Ruleset::default();
            firewalld_like(&mut dataplane, node);
            reinstall(&lab, HostId(0), node, &mut dataplane);
        }
        let text = rendered(&dataplane, node);
        let jump = |l: &str| l.rsplit(' ').next().unwrap().to_owned();
        let of = |chain: &str| -> Vec<_> { text.lines().filter(|l| l.starts_with(chain)).map(jump).collect() };
        (of("-A FORWARD"), of("-A POSTROUTING"))
    };
    let (forward, _) = chains("28", false);
    assert_eq!(forward, ["DOCKER-USER", "DOCKER-FORWARD", "DROP"]);
    let (forward, postrouting) = chains("20", false);
    assert_eq!(forward[..2], ["DOCKER-USER", "DOCKER-ISOLATION-STAGE-1"]);
    assert_eq!(forward.last().unwrap(), "DROP");
    assert_eq!(
        postrouting,
        ["MASQUERADE", "MASQUERADE", "RETURN", "MASQUERADE", "MASQUERADE", "MASQUERADE", "MASQUERADE"]
    );
    let (forward, _) = chains("20", true);
    assert_eq!(forward[0], "DOCKER-ISOLATION-STAGE-1");
    assert_eq!(forward[forward.len() - 2..], ["DOCKER-USER", "DROP"]);
}

/// One rule of somebody else in FORWARD and in POSTROUTING.
fn firewalld_like(dataplane: &mut Dataplane, node: NodeId) {
    let id = dataplane.origins.add(origin());
    let ruleset = &mut dataplane.node_mut(node).ruleset;
    for (table, name, hook, kind, priority, action) in [
        ("filter", "FORWARD", Hook::Forward, ChainKind::Filter, 0, Action::Drop),
        ("nat", "POSTROUTING", Hook::Postrouting, ChainKind::Nat, 100, Action::Return),
    ] {
        let table = ruleset.table(TableFamily::Iptables, table);
        let point = HookPoint { hook, kind, priority, policy: Policy::Accept };
        let chain = ruleset.chain(table, name, Some(point), id);
        ruleset.get_mut(chain).rules.push(Rule { matches: Vec::new(), action, guard: None, origin: id });
    }
}
