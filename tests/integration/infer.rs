//! What is the case, as sentences: written down by `infer`, told when it changes, taken over by `accept`.

use std::fs;

use crate::cli::canreach_in;
use crate::support::Directory;

const LAB: &str = "hosts:
  mac:
    interfaces: {en0: {network: lan, address: 192.168.1.100/24}}
  phone:
    interfaces: {wlan0: {network: lan, address: 192.168.1.50/24}}
  rocky:
    on: mac
    files: [compose.yaml]
    listen: [22, \"123/udp\"]
    interfaces: {enp0s8: {network: lan, address: 192.168.1.101/24}}
    docker: {version: 28.5.2}
networks:
  lan: {subnet: 192.168.1.0/24, kind: lan, gateway: 192.168.1.1}
";

const COMPOSE: &str = "name: shop
services:
  web: {image: nginx, ports: [\"8080:80\"], networks: [front]}
  api: {image: example/api, networks: [front, back]}
  db: {image: mysql, networks: [back]}
networks: {front: , back: }
";

fn lab(compose: &str, specs: &str) -> Directory {
    Directory::with(&[
        ("lab.yaml", LAB.as_bytes()),
        ("compose.yaml", compose.as_bytes()),
        ("specs/today.yaml", specs.as_bytes()),
    ])
}

#[test]
fn the_present_is_written_down_in_sets() {
    let run = canreach_in(lab(COMPOSE, "[]").path(), &["infer"]);
    run.check(
        0,
        &[
            "- only lan, any container can reach rocky:22\n- mac can reach rocky:22\n",
            "- only lan, any container can reach rocky:123 over udp\n",
            "- only lan, any container can reach web:80\n- mac, rocky can reach web:80\n",
            "- only api can reach db:3306\n- rocky can reach db:3306\n- mac cannot reach db:3306\n",
        ],
    );
}

#[test]
fn what_is_written_down_holds_and_a_change_is_told_and_accepted() {
    let specs = canreach_in(lab(COMPOSE, "[]").path(), &["infer"]).stdout;
    canreach_in(lab(COMPOSE, &specs).path(), &["check"]).check(0, &["sentences: "]);

    let changed = lab(&COMPOSE.replace("[\"8080:80\"]", "[\"127.0.0.1:8080:80\"]"), &specs);
    let told = canreach_in(changed.path(), &["check"]);
    told.check(1, &["specs/today.yaml:", "only lan, any container can reach web:80"]);

    let turned = "-- mac, rocky can reach web:80\n+- mac, rocky cannot reach web:80";
    let accepted = canreach_in(changed.path(), &["accept", "--dry-run"]);
    assert!(!accepted.stdout.contains(turned), "rocky still reaches it: {}", accepted.stdout);
    assert!(accepted.stderr.contains("neither `mac, rocky can reach web:80` nor its opposite holds; left alone"));
}

#[test]
fn a_sentence_is_turned_round_where_it_stands() {
    let specs = "# 주석\n- lan can reach web:80  # 공개\n- phone cannot reach db:3306 with refused because nat\n";
    let closed = lab(&COMPOSE.replace(", ports: [\"8080:80\"]", ""), specs);
    canreach_in(closed.path(), &["accept", "--dry-run"]).check(0, &["+- lan cannot reach web:80  # 공개"]);
    assert_eq!(fs::read_to_string(closed.path().join("specs/today.yaml")).unwrap(), specs);
    canreach_in(closed.path(), &["accept"]).check(0, &["-- lan can reach web:80"]);
    let expected = "# 주석\n- lan cannot reach web:80  # 공개\n- phone cannot reach db:3306\n";
    assert_eq!(fs::read_to_string(closed.path().join("specs/today.yaml")).unwrap(), expected);
    canreach_in(closed.path(), &["check"]).check(0, &["2 hold"]);
    canreach_in(closed.path(), &["accept"]).check(0, &["nothing to accept"]);
}
