//! The program as a person runs it: arguments in; output, complaints and exit code out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::Directory;

/// What a run left behind.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Holds this run against an exit code and texts that its output (both streams) must have.
    pub(crate) fn check(&self, code: i32, wanted: &[&str]) {
        let all = format!("{}{}", self.stdout, self.stderr);
        assert_eq!(self.code, code, "exit code of\n{all}");
        for text in wanted {
            assert!(all.contains(text), "`{text}` is missing in\n{all}");
        }
        assert!(!all.contains("panicked"), "{all}");
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// Runs the program in a directory, with nothing from the environment that could change its output.
pub(crate) fn canreach_in(directory: &Path, arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_canreach"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("LANG", "C.UTF-8")
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn canreach(arguments: &[&str]) -> Run {
    canreach_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments)
}

/// A laptop with a VM behind NAT that runs grafana.
fn lab(sentence: &str) -> Directory {
    let stated = format!(
        "hosts:
  mac:
    os: macos
    interfaces:
      en0: {{network: lan, address: 192.168.1.100/24}}
    processes: {{browser: }}
  rocky:
    on: mac
    files: [setup.sh]
    interfaces:
      enp0s3: {{nat: {{forwards: [\"tcp:127.0.0.1:3000:10.0.2.15:3000\"]}}, address: 10.0.2.15/24}}
    docker: {{version: 28.5.2}}
networks:
  lan: {{subnet: 192.168.1.0/24, kind: lan}}
sentences:
  - {sentence}
"
    );
    let script = "docker run -d --name grafana -p 3000:3000 grafana/grafana\n";
    Directory::with(&[("lab.yaml", stated.as_bytes()), ("setup.sh", script.as_bytes())])
}

#[test]
fn a_sentence_that_holds_exits_with_0_and_says_where() {
    let lab = lab("mac/browser can reach grafana:3000");
    canreach_in(lab.path(), &["check"]).check(0, &["ok  mac/browser can reach", "at http://localhost:3000", "1 holds"]);
}

#[test]
fn a_violated_sentence_exits_with_1_and_shows_the_line() {
    let lab = lab("mac/browser cannot reach grafana:3000");
    canreach_in(lab.path(), &["check", "."])
        .check(1, &["this does not hold", "lab.yaml:11", "setup.sh:1", "1 violated"]);
}

#[test]
fn what_cannot_be_decided_exits_with_3() {
    let lab = Directory::with(&[
        ("compose.yaml", b"services: {web: {image: nginx, ports: [\"8080:80\"]}}\n"),
        ("setup.sh", b"nft add rule ip filter DOCKER-USER tcp dport 80 drop\n"),
    ]);
    canreach_in(lab.path(), &["ask", ".", "lan can reach web:80"]).check(3, &["setup.sh:1", "1 undecided"]);
}

#[test]
fn calls_that_make_no_sense_exit_with_2_and_help() {
    let lab = lab("mac/browser can reach grafana:3000");
    let check = |arguments: &[&str], wanted: &[&str]| canreach_in(lab.path(), arguments).check(2, wanted);
    check(&[], &["Usage: canreach", "Exit codes: 0"]);
    check(&["check", "--colour"], &["unexpected argument '--colour'"]);
    check(&["check", "nowhere"], &["cannot read `nowhere`"]);
    check(&["ask", "."], &["<SENTENCE>"]);
    check(&["ask", ".", "mac can raech grafana:3000"], &["did you mean `reach`?"]);
    check(&["ask", ".", "mac can reach grafna:3000"], &["(question):1:15", "did you mean `grafana`?"]);
    check(&["rules", ".", "rokcy"], &["did you mean `rocky`?"]);
    check(&["explain", "nat::no_inbond"], &["did you mean `nat::no_inbound`?"]);
    check(&["trace", ".", "--from", "mac", "--to", "10.0.2.15"], &["`--port` is missing"]);
    check(&["trace", ".", "--from", "mac", "--to", "10.0.2.15", "--port", "70000"], &["70000 is not in 1..=65535"]);
    check(&["trace", ".", "--flows", "nowhere.json"], &["cannot read `nowhere.json`"]);
    check(&["trace", ".", "--flows", "lab.yaml"], &["`lab.yaml` is not a list of flows"]);
}

#[test]
fn one_question_can_be_asked_without_a_file() {
    let lab = lab("mac/browser can reach grafana:3000");
    canreach_in(lab.path(), &["ask", ".", "lan cannot reach grafana:3000"])
        .check(0, &["ok  lan cannot reach", "1 holds"]);
    canreach(&["--version"]).check(0, &["canreach 0.1.0"]);
    canreach(&["--help"]).check(0, &["check", "ask", "trace", "rules", "explain", "Exit codes"]);
}

#[test]
fn lints_need_no_sentence_and_decide_none() {
    let script = b"docker run -d -p 80:8080 --name web nginx\n".as_slice();
    let wrong = Directory::with(&[("run.sh", script)]);
    let message = ["canreach::docker::wrong_port", "run.sh:1:18", "write `8080:80`", "1 warning"];
    canreach_in(wrong.path(), &["lint"]).check(1, &message);
    let json = canreach_in(wrong.path(), &["lint", "--format", "json"]).json();
    assert_eq!(json["diagnostics"][0]["code"], "canreach::docker::wrong_port");
    let sentence = b"sentences: [lan cannot reach web:81]\n".as_slice();
    let asked = Directory::with(&[("run.sh", script), ("specs/a.yaml", sentence)]);
    canreach_in(asked.path(), &["check"]).check(0, &["canreach::docker::wrong_port", "1 holds"]);
    let right = Directory::with(&[("run.sh", b"docker run -d -p 8080:80 nginx\n")]);
    canreach_in(right.path(), &["lint"]).check(0, &["nothing to warn of"]);
    let labs = canreach(&["lint", "specs/docker-publish.md", "--format", "json"]).json();
    assert_eq!(labs["format"], "canreach/1");
}

#[test]
fn json_is_versioned_and_complete() {
    let lab = lab("mac/browser can reach grafana:3000");
    let run = canreach_in(lab.path(), &["check", "--format", "json"]);
    let json = run.json();
    assert_eq!((run.code, json["format"].as_str()), (0, Some("canreach/1")));
    assert_eq!(json["summary"]["holds"], 1);
    let sentence = &json["sentences"][0];
    assert_eq!((sentence["answer"].as_str(), sentence["at"]["line"].as_u64()), (Some("holds"), Some(16)));
    assert_eq!(sentence["witnesses"][0]["url"], "http://localhost:3000");
    assert_eq!(sentence["witnesses"][0]["trace"]["delivery"]["node"], "rocky/grafana");
    let bad = canreach_in(lab.path(), &["ask", ".", "mac can reach grafna:3000", "--format", "json"]);
    assert_eq!((bad.code, bad.json()["summary"]["sentences"].as_u64()), (2, Some(0)));
    assert_eq!(bad.json()["diagnostics"][0]["code"], "canreach::sentence::unknown_name");
}

#[test]
fn the_labs_of_a_page_are_one_json_document() {
    let json = canreach(&["check", "specs/docker-publish.md", "--format", "json"]).json();
    assert_eq!(json["format"], "canreach/1");
    let labs = json["labs"].as_array().unwrap();
    assert!(labs.len() > 1 && labs.iter().all(|lab| lab["report"]["format"] == "canreach/1"), "{}", labs.len());
}

#[test]
fn what_is_not_a_terminal_gets_no_colours() {
    let lab = lab("mac/browser cannot reach grafana:3000");
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "xterm-256color")] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_canreach")).arg("check").arg(lab.path()).env(name, value).output();
        assert!(!output.unwrap().stdout.contains(&0x1b), "{name}={value}");
    }
    let ascii = Command::new(env!("CARGO_BIN_EXE_canreach")).arg("check").arg(lab.path()).env("LC_ALL", "C").output();
    assert!(ascii.unwrap().stdout.is_ascii());
}

#[test]
fn every_code_is_explained_offline() {
    let list = canreach(&["explain"]);
    list.check(0, &["canreach::nat::no_inbound"]);
    for line in list.stdout.lines() {
        let code = line.split_whitespace().next().unwrap();
        canreach(&["explain", code]).check(0, &[&format!("# {code}"), "## What"]);
    }
}

#[test]
fn labs_are_drawn() {
    let lab = lab("mac/browser can reach grafana:3000");
    let graph = |arguments: &[&str]| canreach_in(lab.path(), &[&["graph", "."], arguments].concat());
    graph(&[]).check(0, &["<svg", "grafana", "NAT of rocky"]);
    graph(&["--as", "mermaid"]).check(0, &["flowchart TB", "subgraph"]);
    graph(&["--as", "dot", "--sentence", "mac can reach grafana:3000"]).check(0, &["digraph", "penwidth=2.5"]);
    graph(&["--sentence", "mac can reach grafna:3000"]).check(2, &["did you mean `grafana`?"]);
    graph(&["--output", "nowhere/lab.svg"]).check(2, &["cannot write `nowhere/lab.svg`"]);
    let page = canreach_in(lab.path(), &["report", "--output", "report.html"]);
    page.check(0, &[]);
    assert!(page.stdout.is_empty());
    assert!(fs::read_to_string(lab.path().join("report.html")).unwrap().starts_with("<!doctype html>"));
}

#[test]
fn connections_are_traced() {
    let lab = lab("mac/browser can reach grafana:3000");
    let trace =
        |to: &str, port: &str| canreach_in(lab.path(), &["trace", ".", "--from", "mac", "--to", to, "--port", port]);
    trace("127.0.0.1", "3000").check(0, &["dials tcp 10.0.2.15:3000", "rocky/grafana"]);
    trace("127.0.0.1", "3001").check(1, &["connection refused"]);
    let process =
        canreach_in(lab.path(), &["trace", ".", "--from", "mac/browser", "--to", "localhost", "--port", "3000"]);
    process.check(0, &["rocky/grafana"]);
    let json = canreach_in(
        lab.path(),
        &["trace", ".", "--from", "mac", "--to", "127.0.0.1", "--port", "3000", "--format", "json"],
    );
    assert_eq!((json.code, json.json()["result"].as_str()), (0, Some("open")));
}

#[test]
fn many_flows_are_followed_at_once() {
    let lab = lab("mac/browser can reach grafana:3000");
    let flows = r#"[{"from": "mac", "to": "127.0.0.1", "port": 3000, "proto": "tcp"},
        {"from": "rocky", "to": "10.0.2.2", "port": 9, "proto": "tcp"},
        {"from": "rocky", "to": "nobody", "port": 9, "proto": "udp"}]"#;
    fs::write(lab.path().join("flows.json"), flows).unwrap();
    let run = canreach_in(lab.path(), &["trace", ".", "--flows", "flows.json"]);
    run.check(0, &[]);
    let rows: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let results: Vec<_> = rows.iter().map(|row| row["result"].as_str().unwrap()).collect();
    assert_eq!((results[0], results[2]), ("open", "unresolved"));
    assert_eq!((rows[0]["reached"].as_str(), rows[0]["src"].as_str()), (Some("grafana"), Some("10.0.2.2")));
}

#[test]
fn rules_are_printed_with_the_lines_that_caused_them() {
    let lab = lab("mac/browser can reach grafana:3000");
    canreach_in(lab.path(), &["rules", ".", "rocky"])
        .check(0, &["*nat", "--to-destination 172.17.0.2:3000", "# setup.sh:1"]);
}

#[test]
fn every_stage_can_be_printed() {
    let lab = lab("mac/browser can reach grafana:3000");
    let emit = |stage| canreach_in(lab.path(), &["check", "--emit", stage]);
    emit("lab").check(0, &["host rocky vm on mac", "# lab.yaml:"]);
    emit("dataplane").check(0, &["node mac: namespace", "relay"]);
    emit("smt2").check(0, &["(declare-fun destination", "(assert"]);
}

/// One of the bad inputs: exit code, and what must be said.
fn bad(name: &str, code: i32, wanted: &[&str]) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/bad", name].iter().collect();
    let run = canreach_in(&path, &["check"]);
    run.check(code, wanted);
    let json = canreach_in(&path, &["check", "--format", "json"]);
    assert_eq!((json.code, json.json()["format"].as_str()), (code, Some("canreach/1")), "{name}");
}

/// Each is pointed at, with a way out, and the rest is still analyzed. What a file that cannot be read would say may matter.
#[test]
fn bad_input_is_reported_where_it_is() {
    bad("empty", 1, &["`compose.yaml` is empty", "compose.yaml:1:1", "host:22", "1 violated"]);
    bad("broken-xml", 2, &["rocky.vbox:8:9", "zones/public.xml:5:1", "the XML is broken", "ok  lan can reach web:80"]);
    bad("unknown-keys", 2, &["did you mean `address`?", "did you mean `sentences`?", "unknown key `colour`"]);
    bad("unknown-keys", 2, &["compose.yaml:4:5", "did you mean `ports`?", "no sentence"]);
    bad("port-70000", 2, &["compose.yaml:4:14", "setup.sh:1:28", "setup.sh:2:25", "reach.yaml:3:23", "ok  lan can"]);
    bad("overlapping-subnets", 2, &["compose.yaml:11:35", "choose another subnet", "ok  lan can reach web:80"]);
    bad(
        "missing-network",
        2,
        &["compose.yaml:5:16", "did you mean `front`?", "`docker network create bakc`", "ok  lan can"],
    );
    bad("sentence-typo", 2, &["did you mean `grafana`?", "did you mean `reach`?", "ok  lan can reach grafana:3000"]);
    bad("missing-file", 1, &["lab.yaml:3:13", "did you mean `compose.yaml`?", "`compose.yaml` belongs to no host"]);
    bad(
        "latin1",
        2,
        &["`setup.sh` is not a UTF-8 text", "save the file as UTF-8", "what `setup.sh` says: not modelled"],
    );
    bad("korean", 2, &["compose.yaml:5:14", "`삼천` is not a port", "`데이터베이스`", "ok  lan can reach web:80"]);
    bad("yaml-bomb", 2, &["compose.yaml:5:34", "after expanding aliases"]);
}

#[test]
fn windows_line_endings_change_no_span_and_are_reported_where_they_matter() {
    bad("crlf", 1, &["compose.yaml:5:9", "ok  lan can reach web:80", "ok  lan can reach api:80", "reach.yaml:4:5"]);
    bad("crlf", 1, &["setup.sh:1:", "ends its lines as Windows does"]);
}

#[test]
fn sizes_are_survived() {
    let check = |name: &str, content: &[u8], wanted: &[&str]| {
        let script: &[u8] = b"docker run -d --name web -p 8080:80 nginx\n";
        let lab = Directory::with(&[(name, content), ("setup.sh", script)]);
        let run = canreach_in(lab.path(), &["ask", ".", "lan can reach web:80"]);
        run.check(2, wanted);
        run.check(2, &["lan can reach web:80"]);
        let longest = run.stdout.lines().map(|line| line.chars().count()).max();
        assert!(longest < Some(400), "a line of {longest:?} characters");
    };
    check("compose.yaml", &[b'a'; 5 * 1024 * 1024], &["`compose.yaml` is larger than 4 MiB"]);
    check("compose.yaml", &[0, 159, 146, 150], &["`compose.yaml` is not a UTF-8 text"]);
    check("compose.yaml", "[".repeat(50_000).as_bytes(), &["compose.yaml:1:"]);
    let deep: String = (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    check("compose.yaml", deep.as_bytes(), &["nested deeper than 100 levels"]);
    check("rocky.vbox", "<a>".repeat(50_000).as_bytes(), &["the XML"]);
    check("more.sh", "if true; then\n".repeat(5000).as_bytes(), &["more.sh:"]);
    check("more.sh", "$(".repeat(50_000).as_bytes(), &["more.sh:"]);
}

#[test]
fn three_hundred_services_are_analyzed() {
    let services: String = (0..300)
        .map(|i| format!("  s{i}: {{image: nginx, ports: [\"{}:80\"], networks: [n{}]}}\n", 10_000 + i, i % 10))
        .collect();
    let networks: String = (0..10).map(|i| format!("  n{i}: {{}}\n")).collect();
    let compose = format!("services:\n{services}networks:\n{networks}");
    let lab = Directory::with(&[("compose.yaml", compose.as_bytes())]);
    let ask = |sentence| canreach_in(lab.path(), &["ask", ".", sentence]);
    // Who can reach what among so many is only told to whoever asks for it.
    let check = canreach_in(lab.path(), &["check"]);
    check.check(2, &["no sentence to decide", "300 places where something listens", "canreach exposure ."]);
    ask("lan can reach s17:80").check(0, &["at 192.168.1.100:10017"]);
    ask("s1 can reach s11:80").check(0, &["1 holds"]);
    ask("lan cannot reach s17:80").check(1, &["compose.yaml:19"]);
}

#[test]
fn a_directory_with_nothing_says_what_could_be_there() {
    let lab = Directory::with(&[("notes.txt", b"nothing")]);
    canreach_in(lab.path(), &["check"]).check(2, &["there is no file in `.`", "compose.yaml", "lab.yaml"]);
}

#[test]
fn no_sentence_is_no_success() {
    let lab = Directory::with(&[("compose.yaml", b"services: {web: {image: nginx}}\n")]);
    canreach_in(lab.path(), &["check"]).check(2, &["no sentence to decide", "canreach ask"]);
}

#[test]
fn a_compose_file_alone_gets_an_overview() {
    let compose = b"services:\n  web: {image: nginx, ports: [\"8080:80\"]}\n  db: {image: postgres}\n";
    let lab = Directory::with(&[("compose.yaml", compose)]);
    let expected = ["web:80 *", "192.168.1.100:8080", "assumed: one Linux host", "\"lan can reach web:80\""];
    canreach_in(lab.path(), &["check", "compose.yaml"]).check(2, &expected);
}

#[test]
fn nothing_is_decided_past_a_file_that_cannot_be_read() {
    let script = b"docker run -d --name web -p 8080:80 nginx\n";
    let zone = b"<zone><short>\xb0\xa1</short></zone>";
    let lab = Directory::with(&[("setup.sh", script), ("etc/firewalld/zones/public.xml", zone)]);
    let ask = || canreach_in(lab.path(), &["ask", ".", "lan can reach web:80"]);
    ask().check(2, &["is not a UTF-8 text", "what `etc/firewalld/zones/public.xml` says: not modelled", "1 undecided"]);
    fs::write(lab.path().join("etc/firewalld/zones/public.xml"), "<zone><short>\u{ac00}</short></zone>").unwrap();
    ask().check(0, &["1 holds"]);
    fs::write(lab.path().join("README.md"), b"docker \xb0\xa1").unwrap();
    ask().check(0, &["1 holds"]);
}

#[test]
fn a_name_that_several_containers_bear_is_not_guessed() {
    let web = b"services: {web: {image: nginx, ports: [\"80\"]}}\n";
    let two = Directory::with(&[("a/compose.yaml", web), ("b/compose.yaml", web)]);
    let ask = |sentence| canreach_in(two.path(), &["ask", ".", sentence]);
    ask("a-web-1 can reach b-web-1:80").check(0, &["1 holds"]);
    ask("lan can reach web:80").check(2, &["`web` is the name of 2 containers", "`a-web-1`, `b-web-1`"]);
    ask("host/web can reach a-web-1:80").check(2, &["`host/web` is the name of 2 containers"]);
    ask("host/a-web-1 can reach a-web-1:80").check(0, &["1 holds"]);
    ask("host/a-wbe-1 can reach a-web-1:80").check(2, &["did you mean `host/a-web-1`"]);
    let replicas = b"services: {web: {image: nginx, scale: 2}, cache: {image: redis}}\n";
    let one = Directory::with(&[("compose.yaml", replicas)]);
    canreach_in(one.path(), &["ask", ".", "cache can reach web:80"]).check(0, &["1 holds"]);
}
