//! Every lint once where it is right and once where it must be silent: files in, findings out.

use std::collections::BTreeSet;

use super::*;
use crate::diagnostic::Code;
use crate::frontend::projects::{LabTexts, read_lab};
use crate::frontend::{File, Format, detect};
use crate::lab::resolve;
use crate::lower;
use crate::source::Sources;

/// Files -> findings as `code file:line`, allowed ones left out.
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let actual = findings(files);
    assert!(actual.iter().eq(expected), "{files:?}\n{actual:?} instead of\n{expected:?}");
}

fn findings(files: &[(&str, &str)]) -> BTreeSet<String> {
    let mut sources = Sources::default();
    let mut texts = Vec::new();
    for (path, text) in files {
        let source = sources.add(*path, text);
        assert!(detect(path, text) != Some(Format::Markdown), "{path}");
        texts.push(File { source, path: (*path).to_owned(), text: (*text).into(), whole: (*text).into() });
    }
    let beside = |path: &str| texts.iter().find(|file| file.path == path).cloned();
    let read = read_lab(&LabTexts { files: &texts, folder: "shop", listed: &[] }, &mut |path| beside(path));
    let errors: Vec<_> = read.diagnostics.iter().filter(|d| d.code != Code::Unmodeled).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let lab = resolve(&read.value).value;
    let found = allow::apply(lint(&lab, &lower::lower(&lab), &mut |_, _| {}), &sources);
    found.iter().for_each(is_said_in_every_language);
    let place = |d: &Diagnostic| {
        let code = d.code.as_str().trim_start_matches("canreach::");
        d.labels.first().map_or(code.to_owned(), |label| format!("{code} {}", sources.place(label.span)))
    };
    found.iter().map(place).collect()
}

/// Every lint speaks every language; what is the same in all of them is written as the user would write it.
fn is_said_in_every_language(finding: &Diagnostic) {
    let labels = finding.labels.iter().map(|label| &label.message);
    for text in [&finding.message].into_iter().chain(labels).chain(&finding.help) {
        let is_notation = text.is_empty() || *text == "HOST:CONTAINER";
        let is_korean = text.korean().chars().any(|c| ('가'..='힣').contains(&c));
        assert!(is_notation || is_korean, "`{text}` is said in English only");
    }
}

fn script(lines: &str, expected: &[&str]) {
    check(&[("run.sh", lines)], expected);
}

fn compose(services: &str, expected: &[&str]) {
    check(&[("compose.yaml", &format!("services:\n{services}"))], expected);
}

#[test]
fn container_ports() {
    script("docker run -d -p 80:8080 nginx\n", &["docker::wrong_port run.sh:1"]);
    script("docker run -d -p 8080:80 nginx\n", &[]);
    // nginx may be told anything by a file that is mounted.
    script("docker run -d -p 8080:8080 nginx\n", &[]);
    script("docker run -d -p 443:443 -p 80:80 nginx\n", &[]);
    script("docker run -d -p 8080:80 grafana/grafana\n", &["docker::wrong_port run.sh:1"]);
    script("docker run -d -e GF_SERVER_HTTP_PORT=80 -p 8080:80 grafana/grafana\n", &[]);
    script("docker run -d -p 127.0.0.1:5433:5433 postgres -c port=5433\n", &[]);
    script("docker run -d -p 127.0.0.1:5433:5433 postgres\n", &["docker::wrong_port run.sh:1"]);
    script("docker run -d -p 80:8080 registry.example/own\n", &[]);
}

#[test]
fn exposed_ports_that_nobody_listens_on() {
    let built = |dockerfile: &str, expected: &[&str]| {
        check(&[("compose.yaml", "services: {api: {build: .}}\n"), ("Dockerfile", dockerfile)], expected);
    };
    let wrong = ["docker::wrong_port Dockerfile:2"];
    built(
        "FROM python:3\nEXPOSE 8080\nCMD [\"uvicorn\", \"api:app\", \"--host\", \"0.0.0.0\", \"--port\", \"8000\"]\n",
        &wrong,
    );
    built("FROM python:3\nEXPOSE 8000\nCMD uvicorn api:app --host 0.0.0.0 --port 8000\n", &[]);
    built("FROM python:3\nEXPOSE 8000 9090\nCMD uvicorn api:app --host 0.0.0.0 --port 8000\n", &[]);
    // The port is a default, and the image may have another.
    built("FROM python:3\nEXPOSE 8080\nCMD uvicorn api:app --host 0.0.0.0\n", &[]);
    built("FROM python:3\nEXPOSE 8080\nCMD python app.py\n", &[]);
    built("FROM python:3\nENV METRICS_PORT=9090\nEXPOSE 9090\nCMD uvicorn api:app --host 0.0.0.0 --port 8000\n", &[]);
}

#[test]
fn programs_on_loopback_behind_a_published_port() {
    script(
        "docker run -d -p 8000:8000 own uvicorn app --host 127.0.0.1 --port 8000\n",
        &["listen::loopback_only run.sh:1"],
    );
    script("docker run -d -p 8000:8000 own uvicorn app --host 0.0.0.0 --port 8000\n", &[]);
}

#[test]
fn databases_for_everybody() {
    script("docker run -d -p 5432:5432 postgres\n", &["docker::database_published run.sh:1"]);
    script("docker run -d -p 127.0.0.1:5432:5432 postgres\n", &[]);
    script("docker run -d -p 80:80 nginx\n", &[]);
    // Nobody but the machine itself is there.
    let vm = "networks: {only: {subnet: 192.168.56.0/24, kind: host-only}}\nhosts:\n  a: {interfaces: {eth0: {network: \
              only, address: 192.168.56.5/24}}, files: [run.sh]}\n";
    check(&[("lab.yaml", vm), ("run.sh", "docker run -d -p 5432:5432 postgres\n")], &[]);
}

#[test]
fn localhost_for_another_container() {
    let both = |variable: &str| {
        format!(
            "  app:\n    build: .\n    environment:\n      {variable}\n  cache: {{image: redis}}\n  db: {{image: postgres}}\n"
        )
    };
    let wrong = ["docker::localhost_inside compose.yaml:5"];
    compose(&both("REDIS_URL: redis://localhost:6379/0"), &wrong);
    compose(&both("REDIS_URL: redis://:secret@127.0.0.1/0"), &wrong);
    compose(&both("DB_HOST: localhost"), &wrong);
    compose(&both("DATABASE_URL: jdbc:postgresql://localhost:5432/app"), &wrong);
    compose(&both("REDIS_URL: redis://cache:6379/0"), &[]);
    compose(&both("API_URL: http://localhost:8080"), &[]);
    compose(&both("MONGO_URL: mongodb://localhost:27017"), &[]);
    compose(&both("SERVER_HOST: localhost"), &[]);
    compose(&both("REDIS_ADVERTISED_HOST: localhost"), &[]);
    // A browser on the host is right to say localhost.
    compose(
        "  app: {build: ., environment: {API: \"http://localhost:3000\"}}\n  api: {image: grafana/grafana, ports: [\"3000:3000\"]}\n",
        &[],
    );
    compose(
        "  app: {build: ., environment: {API: \"http://localhost:3000\"}}\n  api: {image: grafana/grafana}\n",
        &["docker::localhost_inside compose.yaml:2"],
    );
    // In one namespace it is the right word.
    compose(
        "  app: {build: ., network_mode: \"service:cache\", environment: {R: \"redis://localhost\"}}\n  cache: {image: redis}\n",
        &[],
    );
    compose(
        "  app: {build: ., network_mode: host, environment: {R: \"redis://localhost\"}}\n  cache: {image: redis, ports: [\"127.0.0.1:6379:6379\"]}\n",
        &[],
    );
}

#[test]
fn the_published_port_between_containers() {
    let app = |url: &str| {
        format!(
            "  app: {{build: ., environment: {{DB: \"{url}\"}}}}\n  db: {{image: postgres, ports: [\"127.0.0.1:5433:5432\"]}}\n"
        )
    };
    compose(&app("postgres://u:p@db:5433/x"), &["docker::dials_published_port compose.yaml:2"]);
    compose(&app("db:5433"), &["docker::dials_published_port compose.yaml:2"]);
    compose(&app("postgres://u:p@db:5432/x"), &[]);
    compose(&app("postgres://u:p@db/x"), &[]);
}

#[test]
fn names_that_are_not_known() {
    let run = |network: &str| {
        format!(
            "docker network create n\ndocker run -d {network} --name db postgres\ndocker run -d {network} -e DB=db:5432 own\n"
        )
    };
    script(&run(""), &["docker::name_not_resolved run.sh:3"]);
    script(&run("--network n"), &[]);
    script("docker run -d --name db postgres\ndocker run -d --link db -e DB=db:5432 own\n", &[]);
    compose(
        "  app: {build: ., networks: [a], environment: {DB_HOST: db}}\n  db: {image: postgres, networks: [b]}\n\
         networks: {a: , b: }\n",
        &["docker::name_not_resolved compose.yaml:2"],
    );
}

/// What Prometheus is told to scrape, beside some services.
fn scrape(services: &str, target: &str, expected: &[&str]) {
    let compose = format!(
        "services:\n  prometheus:\n    image: prom/prometheus\n    volumes: [\"./prometheus.yml:/etc/prometheus/prometheus.yml:ro\"]\n{services}"
    );
    let config = format!("# 감시\nscrape_configs:\n- job_name: a\n  static_configs:\n  - targets: [\"{target}\"]\n");
    check(&[("compose.yaml", &compose), ("prometheus.yml", &config)], expected);
}

const EXPORTER: &str = "  node-exporter: {image: prom/node-exporter}\n";

#[test]
fn scrape_targets_that_nobody_answers() {
    let localhost = ["docker::localhost_inside prometheus.yml:5"];
    scrape(EXPORTER, "localhost:9100", &localhost);
    scrape("", "localhost:9100", &localhost);
    scrape("", "127.0.0.1:9100", &localhost);
    scrape("", "localhost:9090", &[]);
    scrape(EXPORTER, "node-exporter:9100", &[]);
    scrape("    network_mode: host\n", "localhost:9100", &[]);
    // Somebody else in the same namespace may listen there.
    scrape("  app: {image: own, network_mode: 'service:prometheus'}\n", "localhost:9100", &[]);
    scrape("  node: {image: prom/node-exporter, network_mode: 'service:prometheus'}\n", "localhost:9100", &[]);

    let unknown = ["docker::name_not_resolved prometheus.yml:5"];
    scrape("  node-exporter: {image: prom/node-exporter, network_mode: host}\n", "node-exporter:9100", &unknown);
    scrape(
        "  node-exporter: {image: prom/node-exporter, networks: [b]}\nnetworks: {b: }\n",
        "node-exporter:9100",
        &unknown,
    );
    scrape(EXPORTER, "node_exporter:9100", &unknown);
    scrape(EXPORTER, "node-exportr:9100", &unknown);
    scrape(EXPORTER, "elsewhere:9100", &[]);
    scrape(EXPORTER, "node-exporter.example.com:9100", &[]);
    scrape("", "host.docker.internal:9100", &unknown);
    scrape("    extra_hosts: ['host.docker.internal:host-gateway']\n", "host.docker.internal:9100", &[]);
}

#[test]
fn scrape_targets_with_the_wrong_port() {
    let published = "  db: {image: prom/mysqld-exporter, ports: ['127.0.0.1:19104:9104']}\n";
    scrape(published, "db:19104", &["docker::dials_published_port prometheus.yml:5"]);
    scrape(published, "db:9104", &[]);
    scrape("  grafana: {image: grafana/grafana}\n", "grafana:9090", &["listen::nothing_listens prometheus.yml:5"]);
    scrape("  grafana: {image: grafana/grafana, environment: {GF_SERVER_HTTP_PORT: '9090'}}\n", "grafana:9090", &[]);
    // Programs of one's own, and such with more ports than a table can know.
    scrape("  app: {build: .}\n", "app:9100", &[]);
    scrape("  mq: {image: rabbitmq}\n", "mq:15692", &[]);
}

#[test]
fn scrape_targets_behind_a_firewall() {
    let firewall = |rule: &str, expected: &[&str]| {
        let compose = "services:\n  prometheus:\n    image: prom/prometheus\n    volumes: ['./:/etc/prometheus']\n    \
                       extra_hosts: ['host.docker.internal:host-gateway']\n";
        let config = "scrape_configs:\n- static_configs: [{targets: ['host.docker.internal:9100']}]\n";
        let script = format!("ufw default deny incoming\nufw allow ssh\n{rule}\nufw --force enable\n");
        check(&[("compose.yaml", compose), ("prometheus.yml", config), ("run.sh", &script)], expected);
    };
    firewall("", &["filter::dropped prometheus.yml:2"]);
    firewall("ufw allow from 172.16.0.0/12 to any port 9100 proto tcp", &[]);
}

#[test]
fn other_files_that_say_whom_to_dial() {
    let grafana = |url: &str, access: &str, expected: &[&str]| {
        let compose = "services:\n  grafana: {image: grafana/grafana, volumes: ['./ds:/etc/grafana/provisioning/datasources']}\n  \
                       prometheus: {image: prom/prometheus, ports: ['9091:9090']}\n";
        let config = format!("datasources:\n- {{name: p, type: prometheus, access: {access}, url: '{url}'}}\n");
        check(&[("compose.yaml", compose), ("ds/datasource.yml", &config)], expected);
    };
    grafana("http://localhost:9090", "proxy", &["docker::localhost_inside ds/datasource.yml:2"]);
    grafana("http://prometheus:9091", "proxy", &["docker::dials_published_port ds/datasource.yml:2"]);
    grafana("http://prometheus:9090", "proxy", &[]);
    grafana("http://localhost:9091", "direct", &[]);

    let nginx = |pass: &str, expected: &[&str]| {
        let compose = "services:\n  web: {build: web}\n  api: {image: own/api, command: uvicorn api --host 0.0.0.0 --port 8000}\n";
        let config = format!("server {{\n  listen 80;\n  location / {{ proxy_pass {pass}; }}\n}}\n");
        let dockerfile = "FROM nginx:1\nCOPY site.conf /etc/nginx/conf.d/default.conf\n";
        check(&[("compose.yaml", compose), ("web/Dockerfile", dockerfile), ("web/site.conf", &config)], expected);
    };
    nginx("http://localhost:8000", &["docker::localhost_inside web/site.conf:3"]);
    nginx("http://api:8000", &[]);
    nginx("http://api_:8000/", &["docker::name_not_resolved web/site.conf:3"]);

    let run = "docker network create n\ndocker run -d --network n --name node-exporter prom/node-exporter\n\
               docker run -d --network n -v $PWD/p.yml:/p.yml prom/prometheus --config.file=/p.yml\n";
    let config = "scrape_configs: [{static_configs: [{targets: ['localhost:9100']}]}]\n";
    check(&[("run.sh", run), ("p.yml", config)], &["docker::localhost_inside p.yml:1"]);
}

/// A VM's forward on a machine where something listens already.
fn forward(os: &str, listens: &str, forward: &str, expected: &[&str]) {
    let text = format!(
        "networks: {{lan: {{subnet: 192.168.1.0/24}}}}\nhosts:\n  mac:\n    os: {os}\n    interfaces: {{en0: {{network: lan, \
         address: 192.168.1.2/24}}}}\n    listen: [\"{listens}\"]\n  vm:\n    on: mac\n    interfaces: {{eth0: {{nat: \
         {{forwards: [\"{forward}\"]}}}}}}\n"
    );
    check(&[("lab.yaml", &text)], expected);
}

#[test]
fn ports_that_are_taken_or_kept() {
    let taken = ["nat::forward_port_taken lab.yaml:9"];
    forward("macos", "127.0.0.1:2222", "tcp:127.0.0.1:2222:22", &taken);
    forward("macos", "127.0.0.1:2222", "tcp:127.0.0.1:2223:22", &[]);
    forward("macos", "127.0.0.1:2222", "udp:127.0.0.1:2222:22", &[]);
    forward("macos", "127.0.0.1:2222", "tcp::2222:22", &[]);
    forward("linux", "127.0.0.1:2222", "tcp::2222:22", &taken);
    script("docker run -d -p 53:53/udp pihole/pihole\n", &["net::reserved_port run.sh:1"]);
    script("docker run -d -p 192.168.1.100:53:53/udp pihole/pihole\n", &[]);
    script(
        "docker run -d --network host --name aa nginx\ndocker run -d --network host --name bb nginx\n",
        &["listen::port_taken run.sh:2"],
    );
    script("docker run -d --network host nginx\ndocker run -d --network host redis\n", &[]);
    script(
        "docker run -d --name aa nginx\ndocker run -d --network container:aa nginx\n",
        &["listen::port_taken run.sh:2"],
    );
    script("docker run -d --name aa nginx\ndocker run -d --network container:aa redis\n", &[]);
}

#[test]
fn networks_that_hide_others() {
    let lab = |route: &str| {
        format!(
            "networks: {{lan: {{subnet: 192.168.1.0/24}}}}\nhosts:\n  a:\n    files: [run.sh]\n    routes: {{{route}: \
             192.168.1.9}}\n    interfaces: {{eth0: {{network: lan, address: 192.168.1.2/24}}}}\n"
        )
    };
    let create = ("run.sh", "docker network create --subnet 10.8.0.0/24 n\n");
    check(&[("lab.yaml", &lab("10.8.0.0/16")), create], &["net::subnet_overlap run.sh:1"]);
    check(&[("lab.yaml", &lab("10.9.0.0/16")), create], &[]);
}

#[test]
fn rules_that_published_ports_bypass() {
    let ufw = |rule: &str, run: &str| {
        format!("ufw default deny incoming\nufw allow ssh\n{rule}\nufw --force enable\n{run}\n")
    };
    let run = "docker run -d -p 8080:80 --name web nginx";
    let bypassed = |line: u8| vec![format!("docker::bypasses_firewall run.sh:{line}")];
    let ufw_check = |rule: &str, run: &str, expected: Vec<String>| {
        script(&ufw(rule, run), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    };
    ufw_check("ufw deny 8080", run, bypassed(3));
    ufw_check("ufw allow from 10.0.0.0/8 to any port 8080 proto tcp", run, bypassed(3));
    ufw_check("", run, bypassed(5));
    ufw_check("ufw allow 8080/tcp", run, vec![]);
    ufw_check("", "docker run -d -p 127.0.0.1:8080:80 nginx", vec![]);
    ufw_check("ufw deny 8080", "docker run -d --network host nginx", vec![]);
    script(&format!("{run}\niptables -A INPUT -p tcp --dport 8080 -j DROP\n"), &["docker::bypasses_firewall run.sh:2"]);
    script(&format!("{run}\niptables -I DOCKER-USER -p tcp --dport 80 -j DROP\n"), &[]);
    script(&format!("{run}\niptables -A INPUT -p tcp --dport 8081 -j DROP\n"), &[]);
}

const FIREWALLD: &str = "networks: {lan: {subnet: 192.168.1.0/24}}\nhosts:\n  a:\n    files: [run.sh]\n    listen: [3000]\n    \
                         firewalld: {version: 1.3.3}\n    interfaces: {eth0: {network: lan, address: 192.168.1.2/24}}\n";

fn firewalld(lines: &str, expected: &[&str]) {
    check(&[("lab.yaml", FIREWALLD), ("run.sh", lines)], expected);
}

#[test]
fn zones_without_packets() {
    firewalld("firewall-cmd --zone=home --add-port=3000/tcp\n", &["firewalld::wrong_zone run.sh:1"]);
    firewalld("firewall-cmd --zone=home --add-port=4000/tcp\n", &["firewalld::unused_zone run.sh:1"]);
    firewalld("firewall-cmd --add-port=3000/tcp\n", &[]);
    firewalld("firewall-cmd --zone=home --add-interface=eth0\nfirewall-cmd --zone=home --add-port=3000/tcp\n", &[]);
    firewalld(
        "firewall-cmd --zone=home --add-source=192.168.1.0/24\nfirewall-cmd --zone=home --add-port=4000/tcp\n",
        &[],
    );
    firewalld("firewall-cmd --set-default-zone=home\nfirewall-cmd --zone=home --add-port=4000/tcp\n", &[]);
}

#[test]
fn rich_rules_and_published_ports() {
    let run = "docker run -d -p 8080:80 --name web nginx\n";
    let rich = |rule: &str| format!("firewall-cmd --add-rich-rule='rule {rule}'\n{run}");
    let only = "family=ipv4 source address=10.0.0.0/8 port port=8080 protocol=tcp accept";
    firewalld(&rich("port port=8080 protocol=tcp reject"), &["docker::bypasses_firewall run.sh:1"]);
    firewalld(&rich(only), &["docker::bypasses_firewall run.sh:1"]);
    firewalld(&rich("port port=3000 protocol=tcp reject"), &[]);
    firewalld(&rich("family=ipv4 source address=10.0.0.0/8 port port=3000 protocol=tcp accept"), &[]);
}

#[test]
fn forwards_to_a_neighbour() {
    let forward = "firewall-cmd --add-forward-port=port=80:proto=tcp:toport=80:toaddr=";
    firewalld(&format!("{forward}192.168.1.9\n"), &["firewalld::forward_unanswered run.sh:1"]);
    firewalld(&format!("{forward}192.168.1.9\nfirewall-cmd --add-masquerade\n"), &[]);
    firewalld(&format!("{forward}10.0.0.9\n"), &[]);
}

#[test]
fn dead_rules() {
    let shadowed = |lines: &str, expected: &[&str]| script(lines, expected);
    shadowed(
        "iptables -A INPUT -s 10.0.0.0/8 -j DROP\niptables -A INPUT -s 10.1.0.0/16 -p tcp --dport 80 -j ACCEPT\n",
        &["filter::shadowed_rule run.sh:2"],
    );
    shadowed("iptables -A INPUT -s 10.1.0.0/16 -j ACCEPT\niptables -A INPUT -s 10.0.0.0/8 -j DROP\n", &[]);
    shadowed(
        "iptables -A INPUT -p tcp --dport 80 -j ACCEPT\niptables -A INPUT -p tcp --dport 80 -j ACCEPT\n",
        &["filter::redundant_rule run.sh:2"],
    );
    // Two rules together.
    shadowed(
        "iptables -A INPUT -p tcp --dport 0:1023 -j DROP\niptables -A INPUT -p tcp --dport 1024:65535 -j DROP\n\
         iptables -A INPUT -p tcp -s 10.0.0.1 -j ACCEPT\n",
        &["filter::shadowed_rule run.sh:3"],
    );
    shadowed(
        "iptables -A INPUT -p tcp --dport 0:1022 -j DROP\niptables -A INPUT -p tcp --dport 1024:65535 -j DROP\n\
         iptables -A INPUT -p tcp -s 10.0.0.1 -j ACCEPT\n",
        &[],
    );
    // Through a chain, and not through one that may return.
    shadowed(
        "iptables -N MINE\niptables -A MINE -p tcp -j DROP\niptables -A INPUT -j MINE\niptables -A INPUT -p tcp --dport 22 -j \
         ACCEPT\n",
        &["filter::shadowed_rule run.sh:4"],
    );
    shadowed(
        "iptables -N MINE\niptables -A MINE -s 10.0.0.1 -j RETURN\niptables -A MINE -p tcp -j DROP\niptables -A INPUT -j \
         MINE\niptables -A INPUT -p tcp --dport 22 -j ACCEPT\n",
        &[],
    );
    shadowed(
        "iptables -N MINE\niptables -A INPUT -s 10.0.0.0/24 -j MINE\niptables -A MINE -s 10.0.1.1 -j DROP\n",
        &["filter::never_matches run.sh:3"],
    );
    // What is not modelled takes nothing, and flags of TCP tell packets apart that look alike here.
    shadowed(
        "iptables -A INPUT -m mac --mac-source 00:11:22:33:44:55 -j DROP\niptables -A INPUT -s 10.0.0.1 -j ACCEPT\n",
        &[],
    );
    shadowed(
        "iptables -A INPUT -p tcp ! --syn -m conntrack --ctstate NEW -j DROP\niptables -A INPUT -p tcp --tcp-flags ALL \
         NONE -j DROP\n",
        &[],
    );
    firewalld(
        "firewall-cmd --add-rich-rule='rule family=ipv4 source address=192.168.1.0/24 drop'\nfirewall-cmd \
         --add-rich-rule='rule family=ipv4 source address=192.168.1.7 port port=3000 protocol=tcp accept'\n",
        &["filter::shadowed_rule run.sh:2"],
    );
}

#[test]
fn findings_that_are_allowed() {
    let run = "docker run -d -p 5432:5432 postgres";
    script(&format!("# canreach: allow(docker::database_published) only in the lesson\n{run}\n"), &[]);
    script(&format!("{run} # canreach: allow(canreach::docker::database_published) 수업용\n"), &[]);
    script("# canreach: allow(docker::database_published) why\ndocker run -d \\\n  -p 5432:5432 postgres\n", &[]);
    script(
        &format!("# canreach: allow(docker::database_published)\n{run}\n"),
        &["docker::database_published run.sh:2", "input::bad_allow run.sh:1"],
    );
    script(
        &format!("# canreach: allow(docker::wrong_port) why\n{run}\n"),
        &["docker::database_published run.sh:2", "input::unused_allow run.sh:1"],
    );
    script(
        &format!("# canreach: allow(docker::databse_published) why\n{run}\n"),
        &["docker::database_published run.sh:2", "input::bad_allow run.sh:1"],
    );
    let zone = |comment: &str| format!("<zone>\n  {comment}\n  <port protocol=\"tcp\" port=\"4000\"/>\n</zone>\n");
    let lab = FIREWALLD.replace("run.sh", "zones/home.xml");
    let allow = "<!-- canreach: allow(firewalld::unused_zone) prepared for later -->";
    check(&[("lab.yaml", &lab), ("zones/home.xml", &zone("<!-- -->"))], &["firewalld::unused_zone zones/home.xml:3"]);
    check(&[("lab.yaml", &lab), ("zones/home.xml", &zone(allow))], &[]);
}
