//! Scripts and the words that are read from them.

use proptest::prelude::*;

use crate::source::Sources;

use super::*;

fn read(text: &str) -> (Sources, Declarations) {
    let mut sources = Sources::default();
    let id = sources.add("up.sh", text);
    (sources, parse(id, text))
}

/// Declarations as one word each: `run:IMAGE`, or `idle:IMAGE` for what does not run, `event:…`, or `?TEXT` for what is not
/// modelled. What is gone is left out.
fn shown(sources: &Sources, out: &Declarations) -> Vec<String> {
    let one = |d: &Declaration| match d {
        Declaration::Container(c) => {
            let runs = if c.idle.is_some() { "idle" } else { "run" };
            let ports = c.publishes.iter().map(|p| format!(" {}", p.container_ports)).collect::<String>();
            Some(format!("{runs}:{}{ports}", c.image.as_ref().map_or("", |i| i.value.as_str())))
        }
        Declaration::Former(_) | Declaration::Freed(_) => None,
        Declaration::Network(n) => Some(format!("net:{}", n.name.value)),
        Declaration::Event(e) => Some(format!("event:{:?}", e.value)),
        Declaration::Unmodeled(u) => Some(format!("?{}", sources.text(u.span))),
        other => Some(format!("{other:?}")),
    };
    out.value.iter().filter_map(one).collect()
}

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    let (sources, out) = read(script);
    assert_eq!(shown(&sources, &out), expected, "{:?}", out.diagnostics);
    let warnings = out.diagnostics.iter().filter(|d| d.code == Code::ShellUnmodeled).count();
    let unmodeled = out.value.iter().filter(|d| matches!(d, Declaration::Unmodeled(_))).count();
    assert_eq!(warnings, unmodeled, "{:?}", out.diagnostics);
}

#[test]
fn commands_run_in_order() {
    check(
        "#!/bin/bash\nset -e\ndocker run a # one\ndocker run b; docker run c && docker run d\n",
        &["run:a", "run:b", "run:c", "run:d"],
    );
    check("(cd x; docker run a) && { docker run b; }", &["run:a", "run:b"]);
    check("docker run a || true\ndocker run b | tee log", &["run:a", "run:b"]);
    check("sudo /usr/bin/docker run a\nsudo -u root env X=1 nohup docker run b &", &["run:a", "run:b"]);
    check("docker run a; exit 0; docker run b", &["run:a"]);
    check("cat <<EOF\ndocker run a\nEOF\ndocker run b", &["run:b"]);
    check("echo docker run a; echo 'docker run b'", &[]);
}

#[test]
fn variables_are_expanded_when_known() {
    check("IMG=nginx\nPORT=80\ndocker run -p $PORT:${PORT} \"$IMG\"", &["run:nginx 80"]);
    check("docker run -p ${PORT:-3000}:3000 ${IMG-x}", &["run:x 3000"]);
    check("OPTS=\"-d -p 80:80\"\ndocker run $OPTS a", &["run:a 80"]);
    check("EMPTY=\ndocker run $EMPTY a", &["run:a"]);
    check("export A=b; docker run $A", &["run:b"]);
    check("A=1 docker run b", &["run:b"]);
    check("ID=$(docker run -d a); docker run b", &["run:a", "run:b"]);
    check("docker run '$A'", &["run:$A"]);
    check("A=x; (A=y); docker run $A", &["run:x"]);
    check("A=x; if q; then A=y; fi; docker run -p $A:1 z", &["?docker run -p $A:1 z"]);
    check("docker run -p $1:80 a", &["?docker run -p $1:80 a"]);
    check("docker run -p $((3000+1)):80 a", &["?docker run -p $((3000+1)):80 a"]);
    check("docker run -p {80,81}:80 a", &["?docker run -p {80,81}:80 a"]);
}

#[test]
fn loops_over_known_words_are_unrolled() {
    check("for p in 80 81; do docker run -p $p:$p a; done", &["run:a 80", "run:a 81"]);
    check("for i in a b\ndo docker run $i\ndone", &["run:a", "run:b"]);
    check("for f in $LIST; do docker run a; done", &["?docker run a"]);
    check("while true; do docker run a; done", &["?docker run a"]);
}

#[test]
fn what_hangs_on_a_condition_is_not_guessed() {
    check("if x; then docker run a; else docker run b; fi", &["?docker run a", "?docker run b"]);
    check("up() { docker run a; }\n", &["?docker run a"]);
    check("if ! docker network ls | grep -q n; then docker network create n; fi", &["net:n"]);
    check("case $1 in a) docker run a;; esac", &["?docker run a"]);
    check("grep -q x y || docker run a", &["?docker run a"]);
    check("docker network inspect n >/dev/null 2>&1 || docker network create n", &["net:n"]);
    check("if [ $EUID -ne 0 ]; then echo root; exit 1; fi; docker run a", &["run:a"]);
}

#[test]
fn functions_run_where_they_are_called() {
    check(
        "up() { docker run $1 a; docker run b; return 0; docker run c; }\ndocker run d\nup; docker run e",
        &["run:d", "?docker run $1 a", "run:b", "run:e"],
    );
    check("function main { docker run a; }\nmain \"$@\"", &["run:a"]);
    check("f() { f; docker run a; }; if x; then f; fi", &["?f", "?docker run a"]);
}

#[test]
fn services_start_and_stop_rule_sets() {
    check("systemctl start firewalld docker", &["event:FirewalldStart", "event:EngineStart"]);
    check("sudo systemctl enable --now firewalld.service", &["event:FirewalldStart"]);
    check("systemctl restart docker; service firewalld reload", &["event:EngineRestart", "event:FirewalldReload"]);
    // Without a restart policy a container stays down.
    check(
        "docker run --name aa x; docker run --name bb y; docker run --restart=always --name cc z; systemctl restart docker",
        &["run:z", "idle:x", "idle:y", "event:EngineRestart"],
    );
    check(
        "docker run --name aa x; docker run --name bb y; systemctl restart docker; docker start bb",
        &["idle:x", "event:EngineRestart", "run:y"],
    );
    check("systemctl restart firewalld", &["event:FirewalldStop", "event:FirewalldStart"]);
    check("systemctl status docker; systemctl enable docker; systemctl start nginx", &[]);
    check("systemctl stop docker", &["?systemctl stop docker"]);
}

#[test]
fn programs_without_a_model_are_reported() {
    for line in [
        "iptables-restore /etc/iptables/rules.v4",
        "nft add rule inet filter input drop",
        "ufw delete 3",
        "ip route add 10.0.0.0/8 via 10.0.2.2",
        "sysctl -w net.ipv4.conf.all.arp_ignore=1",
        "sysctl -p",
        "ssh -fND 1080 host",
        "VBoxManage import box.ova",
        "socat TCP-LISTEN:80,fork TCP:10.0.0.1:80",
        "docker exec web ip addr",
        "docker ps -q | xargs docker rm -f",
    ] {
        let (_, out) = read(line);
        assert!(matches!(out.value.as_slice(), [Declaration::Unmodeled(_)]), "{line}: {:?}", out.value);
    }
    for line in [
        "iptables -nvL",
        "nft list ruleset",
        "ufw status",
        "ip addr show",
        "ip a",
        "sysctl net.ipv4.ip_forward",
        "ssh -p 2222 me@host",
        "VBoxManage list vms",
        "docker compose pull",
        "apt-get install -y docker.io",
        "curl http://localhost:3000",
    ] {
        check(line, &[]);
    }
    check("echo '{}' > /etc/docker/daemon.json", &["?/etc/docker/daemon.json"]);
    check("tee /etc/docker/daemon.json <<'EOF'\n{}\nEOF", &["?tee /etc/docker/daemon.json"]);
}

#[test]
fn syntax_errors_leave_the_rest_usable() {
    let check = |script: &str, expected: &[&str], place: &str| {
        let (sources, out) = read(script);
        assert_eq!(shown(&sources, &out), expected);
        let error = out.diagnostics.iter().find(|d| d.code == Code::ShellSyntax).expect("a syntax error");
        assert_eq!(sources.text(error.labels[0].span), place);
    };
    check("docker run a\necho \"오류\ndocker run b\n", &["run:a", "run:b"], "echo \"오류");
    check("docker run a\n)\ndocker run b", &["run:a", "run:b"], ")");
    check("docker run a\nif x; then\n docker run b\n", &["run:a", "?docker run b"], "if x; then");
    check("docker run 'a\ndocker run b", &["?docker run 'a", "run:b"], "docker run 'a");
}

#[test]
fn commands_for_another_engine_are_not_taken_for_this_one() {
    check("export DOCKER_HOST=unix:///run/user/1000/docker.sock\ndocker run a\n", &["?docker run a"]);
    check("DOCKER_HOST=ssh://b docker run a\ndocker run c\n", &["?docker run a", "run:c"]);
    check("DOCKER_CONTEXT=colima\ndocker-compose up\ndocker ps", &["?docker-compose up"]);
    check("export DOCKER_HOST=unix:///var/run/docker.sock\ndocker run a\n", &["run:a"]);
    check(
        "docker context use rootless\ndocker context ls\ndocker context use default",
        &["?docker context use rootless"],
    );
    check("podman ps\npodman run -p 80:80 a\nnerdctl images", &["?podman run -p 80:80 a"]);
    check("colima status\ncolima start\npodman-compose up", &["?colima start", "?podman-compose up"]);
}

const SAMPLE: &str = "A=\"x 가\" B=${A:-y}\nfor i in 1 2; do docker run -p \"$i\":80 --name 'w'$i a$(b `c`) \\\n nginx; done\n\
    if [ x ]; then firewall-cmd --add-rich-rule='rule family=\"ipv4\" drop'; fi\ncat <<E > f\n$x\nE\n\
    f() { docker rm x; docker network create --subnet=10.0.0.0/8 나; }\nf && (docker run --network name=나,ip=1.2.3.4 x)\n";

#[test]
fn damaged_scripts_never_panic() {
    for cut in (0..SAMPLE.len()).filter(|cut| SAMPLE.is_char_boundary(*cut)) {
        read(&SAMPLE[..cut]);
        read(&SAMPLE[cut..]);
    }
}

#[test]
fn deep_nesting_takes_no_time() {
    for deep in ["$(", "(", "( ", "((a ", "( (", "{ ", "${a:-", "\"$(", "`", "if x; then ", "f() { ", "{a,", "<<E\n"] {
        read(&deep.repeat(100));
        read(&format!("docker run {} x", deep.repeat(20)));
    }
    read(&"case x in a) ".repeat(100));
    read(&"case x in a)\n".repeat(100));
}

/// A place in the sample and what to put there.
fn mutations() -> impl Strategy<Value = Vec<(usize, String)>> {
    proptest::collection::vec((0..SAMPLE.len(), "[ -~가\n]{0,3}|[$(){}'\"`\\\\;&|<>=-]{1,4}"), 1..6)
}

/// The sample with pieces in place of some of its characters.
fn mutated(mutations: &[(usize, String)]) -> String {
    let mut text = SAMPLE.to_owned();
    for (at, piece) in mutations {
        let at = (0..=*at.min(&text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let rest: String = text[at..].chars().skip(piece.len() / 2).collect();
        text.truncate(at);
        text.push_str(piece);
        text.push_str(&rest);
    }
    text
}

#[test]
fn text_at_which_the_parser_panics_is_not_understood() {
    let (_, out) = read(&mutated(&[(100, "${\\".to_owned()), (185, "}".to_owned())]));
    assert!(out.diagnostics.iter().any(|d| d.code == Code::ShellSyntax), "{:?}", out.diagnostics);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_scripts_never_panic_and_spans_stay_inside(mutations in mutations()) {
        let text = mutated(&mutations);
        let (_, out) = read(&text);
        for label in out.diagnostics.iter().flat_map(|d| &d.labels) {
            prop_assert!(text.get(label.span.start..label.span.end).is_some(), "{text:?} {label:?}");
        }
    }
}
