//! `canreach probe` and `canreach coverage`, from outside.

use std::fs;

use canreach::check::{self, Answer};
use canreach::dataplane::{Flow, Symptom};
use canreach::net::Protocol;
use canreach::{eval, lower};

use crate::cli::canreach_in;
use crate::support::{Directory, sources_and_lab_of};

const LAB: &str = "networks:
  home: {subnet: 192.168.1.0/24, kind: lan}
hosts:
  mac:
    os: macos
    interfaces: {en0: {network: home, address: 192.168.1.100/24}}
  rocky:
    on: mac
    files: [setup.sh]
    interfaces:
      enp0s3: {address: 10.0.2.15/24, nat: {forwards: [\"tcp:127.0.0.1:3000:3000\"]}}
      enp0s8: {network: home, address: 192.168.1.101/24}
    docker: {version: 28.5.2}
    firewalld: {version: 2.5.2}
    listen: [9100]
sentences:
  - mac can reach grafana:3000 at localhost:3000
  - mac can reach rocky:9100 at 192.168.1.101:9100
";
const SCRIPT: &str = "docker run -d --name grafana -p 3000:3000 grafana/grafana
docker run -d --name prometheus -p 127.0.0.1:9090:9090 prom/prometheus
firewall-cmd --zone=public --add-port=9100/tcp
";

fn lab() -> Directory {
    Directory::with(&[("lab.yaml", LAB.as_bytes()), ("setup.sh", SCRIPT.as_bytes())])
}

/// The form with other outcomes behind some commands.
fn answered(form: &str, answers: &[(&str, &str)]) -> String {
    let line = |line: &str| {
        let other = answers.iter().find(|(command, _)| line.contains(command));
        match (line.rsplit_once(" => "), other) {
            (Some((asked, _)), Some((_, outcome))) => format!("{asked} => {outcome}\n"),
            _ => format!("{line}\n"),
        }
    };
    form.lines().map(line).collect()
}

#[test]
fn the_list_follows_the_order_of_a_checklist() {
    let lab = lab();
    let run = canreach_in(lab.path(), &["probe"]);
    let wanted = [
        "on mac: VBoxManage showvminfo rocky --machinereadable | grep ^VMState= => running\n",
        "on mac: ping -c 1 192.168.1.101 => works\n",
        "on mac: lsof -nP -iTCP:3000 -sTCP:LISTEN => listening\n",
        "on rocky: docker port grafana 3000/tcp => 0.0.0.0:3000\n",
        "on rocky: firewall-cmd --zone=public --query-port=9100/tcp => yes\n",
        "-n ss -Hlnt 'sport = :3000' => everywhere\n",
        "on mac: nc -z -w 5 localhost 3000 => works\n",
        "on mac: nc -z -w 5 192.168.1.101 9100 => works\n",
    ];
    run.check(0, &wanted);
    let places: Vec<usize> = wanted.iter().filter_map(|line| run.stdout.find(line)).collect();
    assert!(places.is_sorted(), "{}", run.stdout);
    let json = canreach_in(lab.path(), &["probe", ".", "--format", "json"]).json();
    let published =
        json["probes"].as_array().unwrap().iter().find(|p| p["question"] == "is the port published?").unwrap();
    assert_eq!(published["at"], "setup.sh:1", "{published}");
    let one = canreach_in(lab.path(), &["probe", ".", "mac can reach rocky:9100 at 192.168.1.101:9100"]);
    assert!(!one.stdout.contains("docker port"), "{}", one.stdout);
}

#[test]
fn the_first_wrong_answer_names_the_line() {
    let lab = lab();
    let form = canreach_in(lab.path(), &["probe"]).stdout;
    let check = |answers: &[(&str, &str)], code, wanted: &[&str]| {
        fs::write(lab.path().join("seen.txt"), answered(&form, answers)).unwrap();
        canreach_in(lab.path(), &["probe", ".", "--observed", "seen.txt"]).check(code, wanted);
    };
    check(&[], 0, &["everything is as predicted"]);
    check(&[("docker port", "?"), ("VMState", "")], 0, &["everything is as predicted"]);
    check(
        &[("docker port", "127.0.0.1:3000"), ("localhost 3000", "reset")],
        1,
        &[
            "first wrong: on rocky: docker port",
            "seen 127.0.0.1:3000",
            "(setup.sh:1)",
            "then, perhaps because of that: on mac: nc",
        ],
    );
    check(&[("query-port", "no"), ("9100", "no-route")], 1, &["(setup.sh:3)"]);
    // Nothing listens in the container, which the image table only assumes.
    check(&[("localhost 3000", "reset")], 1, &["look at: `grafana` listens on 3000/tcp", "(setup.sh:1)"]);
    fs::write(lab.path().join("seen.txt"), "mac nc => works\n").unwrap();
    canreach_in(lab.path(), &["probe", ".", "--observed", "seen.txt"]).check(0, &["line 1 of what was observed"]);
    canreach_in(lab.path(), &["probe", ".", "--observed", "none.txt"]).check(2, &["cannot read what was observed"]);
}

#[test]
fn what_no_sentence_says_is_proposed() {
    let lab = lab();
    let run = canreach_in(lab.path(), &["coverage"]);
    run.check(
        0,
        &[
            "lines that no sentence exercises",
            "  setup.sh:2  published port 9090 of `prometheus` on all addresses\n    add: ",
            "cannot reach prometheus:9090\n",
        ],
    );
    assert!(!run.stdout.contains("  setup.sh:1  without published port 3000"), "{}", run.stdout);
    let lcov = canreach_in(lab.path(), &["coverage", "--lcov"]).stdout;
    assert!(lcov.contains("SF:setup.sh\nDA:1,1\n") && lcov.contains("end_of_record"), "{lcov}");
    let json = canreach_in(lab.path(), &["coverage", "--format", "json"]).json();
    assert!(json["changes_tried"].as_u64().unwrap() >= 5, "{json}");
}

/// `cannot` over a set speaks of every source address, every dialled address and every port: brute force finds a way
/// exactly where it is violated.
#[test]
fn cannot_is_exhaustive() {
    let script = |publish: &str, rule: &str| format!("docker run -d --name web {publish} nginx\n{rule}\n");
    let check = |publish: &str, rule: &str| {
        let stated = "networks:\n  home: {subnet: 192.168.1.0/28, kind: lan}\nhosts:\n  server:\n    files: [setup.sh]\n    \
                      interfaces: {eth0: {network: home, address: 192.168.1.2/28}}\n    docker: {version: 28.5.2}\n\
                      sentences: [lan cannot reach web:80]\n";
        let script = script(publish, rule);
        let (sources, lab) = sources_and_lab_of(&[("lab.yaml", stated), ("setup.sh", &script)]);
        let dataplane = lower::lower(&lab);
        let setting = dataplane.switches.defaults();
        let stranger = dataplane.node_named("any other host on home").unwrap();
        let own: Vec<_> = dataplane.nodes().flat_map(|(_, n)| n.addresses()).filter(|a| a.is_ipv4()).collect();
        let ports = [1, 79, 80, 81, 8079, 8080, 8081, 65535];
        let sources_of = (1..15).filter(|last| *last != 2).map(|last| [192, 168, 1, last].into());
        let mut works = false;
        for source in sources_of {
            for (destination, port) in own.iter().flat_map(|a| ports.map(|port| (*a, port))) {
                let flow = Flow {
                    from: stranger,
                    protocol: Protocol::Tcp,
                    source: Some(source),
                    source_port: 50_000,
                    destination,
                    destination_port: port,
                };
                let outcome = eval::trace(&dataplane, &flow, &setting).outcome;
                let is_web = outcome.delivery.is_some_and(|d| d.owner == "web");
                works |= outcome.symptom == Symptom::Works && is_web;
            }
        }
        let judged = check::check_all(&lab, &dataplane, &sources, &lab.sentences).unwrap().judgements;
        let expected = if works { Answer::Violated } else { Answer::Holds };
        assert_eq!(judged[0].verdict.answer, expected, "{script}{}", judged[0].verdict.headline);
        works
    };
    assert!(check("-p 8080:80", ""));
    assert!(!check("-p 127.0.0.1:8080:80", ""));
    assert!(!check("", ""));
    assert!(!check("-p 8080:80", "iptables -I DOCKER-USER -i eth0 -j DROP"));
    // One address of the network is forgotten.
    assert!(check("-p 8080:80", "iptables -I DOCKER-USER -i eth0 ! -s 192.168.1.9 -j DROP"));
    assert!(check("-p 8080:80", "iptables -I DOCKER-USER -i eth0 -s 192.168.1.0/29 -j DROP"));
    assert!(!check("-p 8080:80", "iptables -I DOCKER-USER -i eth0 -p tcp --dport 80 -j DROP"));
    assert!(check("-p 8080:80", "iptables -I DOCKER-USER -i eth0 -p tcp --dport 8080 -j DROP"));
}
