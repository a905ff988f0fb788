//! Questions beyond sentences: who can reach what, what a change opens, and how to mend what is violated.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use canreach::check::{self, Answer, Class, Contact};
use canreach::dataplane::{Flow, Symptom};
use canreach::{eval, lower};
use proptest::prelude::*;

use crate::agreement::{Draft, draft};
use crate::cli::canreach_in;
use crate::support::{Directory, lab_of, sources_and_lab_of};

const LAB: &str = "hosts:
  mac:
    interfaces:
      en0: {network: lan, address: 192.168.1.100/24}
    processes: {browser: }
  rocky:
    on: mac
    files: [setup.sh]
    listen: [\"22/tcp\"]  # 원격 접속
    interfaces:
      enp0s3: {nat: {forwards: [\"tcp:127.0.0.1:3000:10.0.2.15:3000\"]}, address: 10.0.2.15/24}
      enp0s8: {network: lan, address: 192.168.1.101/24}
    docker: {version: 28.5.2}
    firewalld: {version: 2.5.2}
networks:
  lan: {subnet: 192.168.1.0/24, kind: lan, gateway: 192.168.1.1}
";
const SCRIPT: &str = "docker network create mon
docker run -d --name grafana --network mon -p 3000:3000 grafana/grafana
docker run -d --name prometheus --network mon -p 127.0.0.1:9090:9090 prom/prometheus  # 내부용
docker run -d --name db --network none postgres
";

fn lab_with(sentences: &[&str], script: &str) -> Directory {
    let sentences: String = sentences.iter().map(|s| format!("  - {s}\n")).collect();
    let stated = format!("{LAB}sentences:\n{sentences}");
    Directory::with(&[("lab.yaml", stated.as_bytes()), ("setup.sh", script.as_bytes())])
}

fn snapshot(name: &str, output: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/questions");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, output));
}

#[test]
fn the_matrix_shows_the_shortest_address_of_every_pair() {
    let lab = lab_with(&[], SCRIPT);
    let run = canreach_in(lab.path(), &["exposure"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    snapshot("exposure", &run.stdout);
}

/// tests/reality: published ports are dead from the LAN with docker 28 and firewalld's iptables backend, and alive with
/// docker 20.10 and the same backend.
#[test]
fn other_releases_are_tried_where_no_file_states_them() {
    let lab = |docker: &str| {
        let stated = LAB.replace("    docker: {version: 28.5.2}\n", docker).replace("version: 2.5.2", "");
        let stated = stated + "sentences: [lan can reach grafana:3000, rocky can reach grafana:3000]\n";
        Directory::with(&[("lab.yaml", stated.as_bytes()), ("setup.sh", SCRIPT.as_bytes())])
    };
    let open = canreach_in(lab("").path(), &["check", "--matrix"]);
    let dead =
        "    but violated with docker other than 29.7.2 on nftables, firewalld 2.5.2, firewalld's backend iptables";
    open.check(1, &["holds  lan can reach grafana:3000\n", dead, "holds  rocky can reach grafana:3000\n\n"]);
    let old = canreach_in(lab("    docker: {version: 20.10.24}\n").path(), &["check", "--matrix", "--format", "json"]);
    let answers = old.json()["sentences"][0]["answers"].as_array().unwrap().clone();
    let with = |cell: &serde_json::Value| cell["assuming"].as_object().unwrap().contains_key("docker");
    assert!(!answers.is_empty() && !answers.iter().any(with), "{answers:?}");
}

/// A machine behind NAT with a second leg to the host, whose adapter stands for `LEG`.
const TWO_LEGS: &str = "<VirtualBox version='1.19-macosx'><Machine name='vm'><Hardware><Network>\
    <Adapter slot='0' enabled='true'><NAT><Forwarding name='w' proto='1' hostport='3000' guestport='3000'/></NAT></Adapter>\
    <Adapter slot='1' enabled='true'><LEG name='vboxnet0'/></Adapter></Network></Hardware></Machine></VirtualBox>";

/// The engine below 7.1 shows 10.0.2.2 as the client (specs/vm-nat.md), the newer one the host's own address on the other leg,
/// by which the answer then leaves. Host-only interfaces are gone on macOS from 7.0 on (specs/vm-host.md), which a file
/// that has one tells.
#[test]
fn other_releases_of_virtualbox_are_tried_where_no_file_states_one() {
    let check = |leg: &str, version: &str, code: i32, expected: &[&str]| {
        let lab = format!(
            "networks:\n  lan: {{subnet: 192.168.1.0/24}}\n  leg: {{subnet: 192.168.56.0/24, kind: host-only, virtualbox: [vboxnet0]}}\n\
             hosts:\n  mac:\n    os: macos\n{version}    interfaces: {{en0: {{network: lan, address: 192.168.1.10/24}}, \
             leg0: {{network: leg, address: 192.168.56.1/24}}}}\n  vm:\n    on: mac\n    vm: vm.vbox\n    interfaces: \
             {{a: {{adapter: 1, address: 10.0.2.15/24}}, b: {{adapter: 2, address: 192.168.56.10/24}}}}\n    listen: [3000]\n\
             sentences:\n  - mac can reach vm:3000 at 192.168.56.1:3000\n  - mac can reach vm:3000 at 192.168.56.10:3000\n\
             \x20 - lan can reach vm:3000\n"
        );
        let machine = TWO_LEGS.replace("LEG", leg);
        let lab = Directory::with(&[("lab.yaml", lab.as_bytes()), ("vm.vbox", machine.as_bytes())]);
        canreach_in(lab.path(), &["check", "--matrix"]).check(code, expected);
    };
    let network = "violated  mac can reach vm:3000 at 192.168.56.1:3000\n    but holds with VirtualBox 6.1.50 | 7.0.26\n\
        holds  mac can reach vm:3000 at 192.168.56.10:3000\nholds  lan can reach vm:3000\n\n";
    check("HostOnlyNetwork", "", 1, &[network, "  VirtualBox: 7.2.22, 6.1.50, 7.0.26, 7.1.12\n"]);
    let interface = "holds  mac can reach vm:3000 at 192.168.56.1:3000\n    but violated with VirtualBox 7.1.12 | 7.2.22\n\
        holds  mac can reach vm:3000 at 192.168.56.10:3000\n    but violated with VirtualBox other than 6.1.50\n";
    check("HostOnlyInterface", "", 1, &[interface, "  VirtualBox: 6.1.50, 7.0.26, 7.1.12, 7.2.22\n"]);
    let stated = "    virtualbox: {version: 7.0.26}\n";
    check(
        "HostOnlyNetwork",
        stated,
        0,
        &["holds  mac can reach vm:3000 at 192.168.56.1:3000\nholds", "nothing was varied"],
    );
}

/// specs/docker-desktop.md: `network_mode: host` is the network of Docker Desktop's machine, which no other machine reaches.
#[test]
fn docker_desktop_is_tried_where_no_file_says_what_runs_the_engine() {
    let compose = b"services:\n  web: {image: nginx, ports: ['8080:80']}\n  own: {image: nginx, network_mode: host}\n";
    let check = |hosts: &str, code: i32, own: &str, axis: bool| {
        let lab = format!("{hosts}sentences: [lan can reach web:80, lan can reach own:80, lan can raech web:80]\n");
        let lab = Directory::with(&[("lab.yaml", lab.as_bytes()), ("compose.yaml", compose)]);
        let run = canreach_in(lab.path(), &["check", "--matrix"]);
        run.check(code, &["holds  lan can reach web:80\n", own]);
        assert_eq!(run.stdout.contains("\n  platform: plain engine, Docker Desktop\n"), axis, "{}", run.stdout);
        assert!(run.stderr.contains("raech") && !run.stdout.contains("raech"), "{}", run.stderr);
    };
    let host = |stated: &str| {
        format!(
            "hosts:\n  box:\n    files: [compose.yaml]\n    interfaces: {{eth0: {{address: 192.168.1.100/24}}}}\n{stated}"
        )
    };
    let desktop = "holds  lan can reach own:80\n    but violated with platform Docker Desktop\n";
    check(&host(""), 1, desktop, true);
    check(&host("    docker: {platform: engine}\n"), 2, "holds  lan can reach own:80\n\nvaried", false);
    check(&host("    os: macos\n"), 1, "violated  lan can reach own:80\n\nvaried", false);
}

/// Only answers are looked for there; what is not modelled decides them all the same.
#[test]
fn the_matrix_leaves_undecided_what_is_not_modelled() {
    let rule = "iptables -A INPUT -p tcp --dport 22 -m mac --mac-source 00:11:22:33:44:55 -j DROP\n";
    let lab = lab_with(&["lan can reach rocky:22"], &format!("{SCRIPT}{rule}"));
    canreach_in(lab.path(), &["check"]).check(3, &["1 undecided"]);
    canreach_in(lab.path(), &["check", "--matrix"]).check(3, &["undecided  lan can reach rocky:22\n"]);
}

#[test]
fn a_strict_check_takes_no_assumption_for_granted() {
    let lab = lab_with(&["mac can reach grafana:3000", "mac can reach rocky:22"], SCRIPT);
    let run = canreach_in(lab.path(), &["check", "--strict"]);
    run.check(3, &["it depends on whether `grafana` listens on 3000/tcp", "ok  mac can reach rocky:22", "1 undecided"]);
    canreach_in(lab.path(), &["check"]).check(0, &["2 hold"]);
}

#[test]
fn a_port_that_docker_chooses_is_said_to_be_its_choice() {
    let answer = |publish: &str| {
        let run = format!("docker run -d --name grafana {publish} grafana/grafana\n");
        let lab = lab_with(&["lan can reach grafana:3000"], &run);
        canreach_in(lab.path(), &["check"]).stdout
    };
    let chosen = answer("-p 3000");
    assert!(chosen.contains("192.168.1.101:32768") && chosen.contains("`docker port grafana`"), "{chosen}");
    let stated = answer("-p 3000:3000");
    assert!(stated.contains("192.168.1.101:3000") && !stated.contains("docker port"), "{stated}");
}

#[test]
fn what_a_kind_of_targets_means_is_said() {
    let lab = lab_with(&["lan cannot reach any database", "lan cannot reach any container:5432"], SCRIPT);
    let run = canreach_in(lab.path(), &["check"]);
    let refused = b"services:\n  db: {image: postgres}\n  web: {image: nginx, prots: [\"1:1\"]}\n";
    let refused = Directory::with(&[("compose.yaml", refused)]);
    let sentence = "lan cannot reach any database";
    canreach_in(refused.path(), &["ask", ".", sentence]).check(2, &["what is meant: db:5432", "refuses the project"]);
    run.check(0, &["note: what is meant: db:5432\n", "note: what is meant: grafana:5432, prometheus:5432, db:5432\n"]);
}

#[test]
fn two_connections_are_told_up_to_where_they_part() {
    let lab = lab_with(&[], SCRIPT);
    let why = |words: &[&str]| canreach_in(lab.path(), &[&["why", "."], words].concat());
    let published = "mac can reach grafana:3000 at 192.168.1.101:3000";
    why(&[published, "mac can reach prometheus:9090 at 192.168.1.101:9090"]).check(
        0,
        &[
            "both\n      mac  dials tcp 192.168.1.101:3000\n      rocky  gets it over lan\n\nthere they part\n",
            "rocky  rewrites destination 192.168.1.101:3000 to 172.18.0.2:3000\n",
            "[because setup.sh:2;",
            "`prometheus` is published on 127.0.0.1",
            "setup.sh:3",
        ],
    );
    let other = lab_with(&[], &SCRIPT.replace("-p 3000:3000 ", ""));
    let elsewhere = other.path().display().to_string();
    why(&[published, "--in", &elsewhere]).check(0, &["there they part", "`grafana` publishes no port for 3000/tcp"]);
    why(&[published, published]).check(0, &["and then both end alike"]);
    why(&[published, "mac can reach nobody:1"]).check(2, &["there is no host or container called `nobody`"]);
}

#[test]
fn the_matrix_is_a_table_for_spreadsheets_and_data_for_programs() {
    let lab = lab_with(&[], SCRIPT);
    let csv = canreach_in(lab.path(), &["exposure", "--format", "csv"]).stdout;
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["listens", "internet", "any other host on lan", "mac", "rocky", "grafana prometheus", "db"]);
    let prometheus = rows.iter().find(|row| row[0] == "prometheus:9090").unwrap();
    assert_eq!(prometheus[1..4], ["", "", ""]);
    let json = canreach_in(lab.path(), &["exposure", "--format", "json"]).json();
    assert_eq!(json["format"], "canreach/1");
    let db = json["listeners"].as_array().unwrap().iter().find(|l| l["name"] == "db:5432").unwrap();
    assert!(db["reached_by"].as_array().unwrap().is_empty(), "only itself, over loopback: {db}");
    let grafana = json["diallers"].as_array().unwrap().iter().find(|d| d["name"] == "grafana").unwrap();
    assert_eq!(grafana["likewise"], serde_json::json!(["prometheus"]));
    canreach_in(lab.path(), &["check", "--format", "csv"]).check(2, &["only `canreach exposure`"]);
}

#[test]
fn a_change_is_shown_with_the_lines_that_make_it() {
    let old = lab_with(&[], SCRIPT);
    let new = lab_with(&[], &SCRIPT.replace("127.0.0.1:9090", "9090").replace("-p 3000:3000 ", ""));
    let paths = [old.path().to_str().unwrap(), new.path().to_str().unwrap()];
    let run = canreach_in(old.path(), &["diff", paths[0], paths[1]]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    snapshot("diff", &run.stdout);
    let json = canreach_in(old.path(), &["diff", paths[0], paths[1], "--format", "json"]).json();
    let changes: BTreeSet<&str> =
        json["differences"].as_array().unwrap().iter().filter_map(|d| d["change"].as_str()).collect();
    assert_eq!(changes, BTreeSet::from(["changed", "closed", "opened"]));
    canreach_in(old.path(), &["diff", ".", "."]).check(0, &["no difference"]);
    canreach_in(old.path(), &["diff", "."]).check(2, &["A..B"]);
}

/// A rule about one source address, or about a subnet, tells members of a crowd apart.
#[test]
fn who_of_a_crowd_gets_through_is_said() {
    let lab = |rules: &str| {
        let files = "networks:\n  lan: {subnet: 192.168.1.0/24, gateway: 192.168.1.1, kind: lan}\nhosts:\n  box:\n    \
                     interfaces: {eth0: {network: lan, address: 192.168.1.20/24}}\n    listen: [22, 80]\n    files: [rules.sh]\n";
        Directory::with(&[("lab.yaml", files.as_bytes()), ("rules.sh", rules.as_bytes())])
    };
    let subnet = "iptables -A INPUT -s 192.168.1.64/26 -p tcp --dport 80 -j ACCEPT\niptables -A INPUT -p tcp --dport 80 -j DROP\n";
    let one = "iptables -A INPUT -s 192.168.1.50 -p tcp --dport 22 -j DROP\n";
    let (open, closed) = (lab(subnet), lab(&[one, subnet].concat()));
    canreach_in(closed.path(), &["exposure"]).check(
        0,
        &["box:22   192.168.1.20:22~", "box:22: all but 192.168.1.50\n", "box:80: only 192.168.1.64-192.168.1.127\n"],
    );
    let json = canreach_in(closed.path(), &["exposure", "--format", "json"]).json();
    let part = &json["listeners"][0]["reached_by"][0]["part"];
    assert_eq!(*part, serde_json::json!({"extent": "all_but", "addresses": ["192.168.1.50"]}));
    let paths = [open.path().to_str().unwrap(), closed.path().to_str().unwrap()];
    canreach_in(open.path(), &["diff", paths[0], paths[1]])
        .check(1, &["now all but 192.168.1.50, before all of them", "rule in `INPUT`  (rules.sh:1)", "1 changed"]);
}

#[test]
fn two_revisions_are_compared() {
    let lab = lab_with(&[], SCRIPT);
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
        let run = Command::new("git").arg("-C").arg(lab.path()).args(who).args(arguments).output();
        run.is_ok_and(|output| output.status.success())
    };
    let commit = || git(&["add", "."]) && git(&["commit", "-qm", "x"]);
    if !(git(&["init", "-q"]) && commit()) {
        return;
    }
    fs::write(lab.path().join("setup.sh"), SCRIPT.replace("127.0.0.1:9090", "9090")).unwrap();
    let wanted = &["+ opened", "prometheus:9090"];
    canreach_in(lab.path(), &["diff", "git:HEAD", "."]).check(1, wanted);
    canreach_in(lab.path(), &["diff", "git:HEAD:.", "git:HEAD"]).check(0, &[]);
    assert!(commit());
    canreach_in(lab.path(), &["diff", "HEAD~1..HEAD"]).check(1, wanted);
    canreach_in(lab.path(), &["diff", "HEAD~1.."]).check(1, wanted);
    canreach_in(lab.path(), &["diff", "git:nowhere", "."]).check(2, &["git cannot read `nowhere`"]);
    canreach_in(lab.path(), &["diff", "git:--output=x", "."]).check(2, &["this is no revision"]);
}

#[test]
fn fixes_are_patches_with_what_else_they_open() {
    let sentences = ["mac/browser can reach grafana:3000", "lan can reach prometheus:9090", "lan cannot reach grafana"];
    let lab = lab_with(&sentences, SCRIPT);
    let run = canreach_in(lab.path(), &["fix"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    snapshot("fix", &run.stdout);
    let json = canreach_in(lab.path(), &["fix", "--format", "json"]).json();
    assert!(json["sentences"][0]["fixes"][0]["patch"].as_str().unwrap().contains("+docker run"));
}

#[test]
fn applied_fixes_keep_everything_else_of_a_file() {
    let script = format!("\u{feff}{}", SCRIPT.replace('\n', "\r\n"));
    let lab = lab_with(&["lan can reach prometheus:9090"], &script);
    canreach_in(lab.path(), &["fix", "--apply"]).check(0, &["1 holds"]);
    let expected = script.replace("-p 127.0.0.1:9090:9090", "-p 9090:9090");
    assert_eq!(fs::read_to_string(lab.path().join("setup.sh")).unwrap(), expected);
    canreach_in(lab.path(), &["fix"]).check(0, &["nothing to fix"]);
}

fn files(draft: &Draft, sentences: &str) -> [(&'static str, String); 2] {
    [("lab.yaml", draft.lab_yaml() + "sentences:\n" + sentences), ("setup.sh", draft.script())]
}

fn borrowed<'a>(files: &'a [(&'static str, String); 2]) -> [(&'a str, &'a str); 2] {
    [(files[0].0, files[0].1.as_str()), (files[1].0, files[1].1.as_str())]
}

fn flows(contact: &Contact) -> Vec<Flow> {
    let likewise = contact.likewise.iter().map(|(_, flow)| *flow);
    std::iter::once(contact.trace.flow).chain(likewise).collect()
}

/// Every dialler against every address and port, by brute force.
fn matrix_is_complete(draft: &Draft) {
    let texts = files(draft, "  []\n");
    let lab = lab_of(&borrowed(&texts));
    let dataplane = lower::lower(&lab);
    let setting = dataplane.switches.defaults();
    let exposure = check::exposure(&lab, &dataplane).unwrap();
    let addresses: BTreeSet<_> = dataplane.nodes().flat_map(|(_, n)| n.addresses()).filter(|a| a.is_ipv4()).collect();
    for (number, dialler) in exposure.diallers.iter().enumerate() {
        if matches!(dialler.class, Class::Internet | Class::Lan) {
            continue;
        }
        for (row, listener) in exposure.listeners.iter().enumerate().filter(|(row, _)| !exposure.is_own(number, *row)) {
            let found: BTreeSet<_> = exposure
                .contacts(number, row)
                .flat_map(flows)
                .map(|flow| (flow.destination, flow.destination_port))
                .filter(|(address, _)| addresses.contains(address))
                .collect();
            let works = |flow: Flow| {
                let outcome = eval::trace(&dataplane, &flow, &setting).outcome;
                let is_it = outcome.delivery.is_some_and(|d| {
                    (d.node, &d.owner) == (listener.node, &listener.owner)
                        && listener.ports.contains(d.header.destination_port)
                });
                outcome.symptom == Symptom::Works && is_it
            };
            // What one container reaches may be said of those that are the same.
            for flow in exposure.contacts(number, row).flat_map(flows) {
                let works = works(Flow { from: dialler.node, ..flow });
                assert!(works, "{} does not reach {}: {flow:?}", dialler.name, listener.name);
            }
            let mut seen = BTreeSet::new();
            for destination in &addresses {
                for port in [3000, 3001, 3010, 3011, 3020, 4000, 4010, 4020] {
                    let flow = Flow {
                        from: dialler.node,
                        protocol: listener.protocol,
                        source: None,
                        source_port: 50_000,
                        destination: *destination,
                        destination_port: port,
                    };
                    if works(flow) {
                        seen.insert((*destination, port));
                    }
                }
            }
            // A name may stand for several addresses: one of them is enough.
            let has_name = |address| dataplane.node(dialler.node).names.iter().any(|n| n.address == address);
            let missing: Vec<_> = seen.difference(&found).filter(|(address, _)| !has_name(*address)).collect();
            assert!(missing.is_empty(), "{} misses {} at {missing:?}", dialler.name, listener.name);
            assert!(seen.is_empty() || !found.is_empty(), "{} misses {}", dialler.name, listener.name);
        }
    }
}

/// Every fix that promises something keeps it when the patched files are read from scratch. A fix of a `can` sentence
/// without an address is a first step only.
fn fixes_work(draft: &Draft) {
    let sentences = "  - mac can reach c0:3000\n  - lan can reach c0:4000\n  - lan cannot reach c0:3000\n";
    let texts = files(draft, sentences);
    let (sources, lab) = sources_and_lab_of(&borrowed(&texts));
    let judged = check::check_all(&lab, &lower::lower(&lab), &sources, &lab.sentences).unwrap().judgements;
    for (index, judgement) in judged.iter().enumerate().filter(|(_, j)| j.verdict.answer == Answer::Violated) {
        for fix in &judgement.verdict.fixes {
            let promises = fix.url.is_some() || judgement.statement.sentence.value.contains(" cannot ");
            let Some(patched) = check::patched(&sources, &fix.edits).filter(|_| promises) else { continue };
            let new = |name: &str, old: &str| {
                let text = patched.iter().find(|(id, _)| sources.get(**id).name == name).map(|(_, text)| text.clone());
                text.unwrap_or_else(|| old.to_owned())
            };
            let after = [(texts[0].0, new(texts[0].0, &texts[0].1)), (texts[1].0, new(texts[1].0, &texts[1].1))];
            let (sources, lab) = sources_and_lab_of(&borrowed(&after));
            let checked = check::check_all(&lab, &lower::lower(&lab), &sources, &lab.sentences).unwrap();
            let what: Vec<&str> = fix.edits.iter().map(|e| e.what.as_str()).collect();
            let verdict = checked.judgements.get(index).map(|judgement| &judgement.verdict);
            assert_eq!(
                verdict.map(|verdict| verdict.answer),
                Some(Answer::Holds),
                "{} after {what:?} in\n{}{}: {:?} {:?}",
                judgement.statement.sentence.value,
                after[0].1,
                after[1].1,
                verdict.map(|verdict| &verdict.headline),
                checked.diagnostics
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_matrix_misses_nobody(draft in draft()) {
        matrix_is_complete(&draft);
    }

    #[test]
    fn every_fix_works_when_it_is_applied(draft in draft()) {
        fixes_work(&draft);
    }
}
