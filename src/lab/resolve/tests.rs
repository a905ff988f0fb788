//! Files of several formats and the lab that they make together.

use std::fmt::Write as _;

use super::{Input, resolve};
use crate::diagnostic::{Diagnosed, Diagnostic};
use crate::frontend::{self, Environment};
use crate::lab::{Attachment, Firewalld, Host, HostEvent, Lab, Networking, Process, RuleBackend, Target};
use crate::net::url_host;
use crate::source::Sources;

mod firewalld;
mod own_interfaces;

/// Files -> the lab, and `file:line: message` of every diagnostic, those of the front-ends first.
fn read(files: &[(&str, &str)]) -> (Lab, Vec<String>) {
    let mut sources = Sources::default();
    let mut inputs = Vec::new();
    let mut diagnostics = Vec::new();
    let environment = Environment { project: "shop".to_owned(), ..Environment::default() };
    for (path, text) in files {
        let source = sources.add(*path, text);
        let format = frontend::detect(path, text).unwrap();
        let read = frontend::read(format, source, path, text, &environment);
        diagnostics.extend(read.diagnostics);
        inputs.push(Input { source, path: (*path).to_owned(), declarations: read.value });
    }
    let Diagnosed { value, diagnostics: more } = resolve(&inputs);
    diagnostics.extend(more);
    let place = |d: &Diagnostic| d.labels.first().map_or(String::new(), |l| sources.place(l.span));
    let lines = diagnostics.iter().map(|d| format!("{}: {}", place(d), d.message)).collect();
    (value, lines)
}

/// The lab in one line for each thing.
fn describe(lab: &Lab) -> String {
    let mut out = String::new();
    for host in &lab.hosts {
        writeln!(out, "{} {:?} {:?}", host.name, host.os, host.kind).unwrap();
        for interface in &host.interfaces {
            let at = match &interface.attachment {
                Attachment::Segment(id) => lab.segment(*id).name.clone(),
                Attachment::Nat(nat) => format!("{:?} NAT {}", nat.engine, nat.network),
                Attachment::Mirrored | Attachment::Unattached => "-".to_owned(),
            };
            let addresses: Vec<String> = interface.addresses.iter().map(|a| a.net.to_string()).collect();
            let gateway = interface.gateway.map_or(String::new(), |g| format!(" via {g}"));
            let cable = if interface.connected { "" } else { " unplugged" };
            writeln!(out, "  {} {at} {}{gateway}{cable}", interface.name, addresses.join(",")).unwrap();
        }
        processes(&mut out, "  ", &host.processes, lab);
        containers(&mut out, host, lab);
        if !host.events.is_empty() {
            writeln!(out, "  events {:?}", host.events).unwrap();
        }
    }
    out
}

fn processes(out: &mut String, indent: &str, processes: &[Process], lab: &Lab) {
    for listen in processes.iter().flat_map(|p| &p.listens) {
        let address = listen.address.map_or("*".to_owned(), url_host);
        let ground = listen.guard.map_or("", |id| if lab.switches.get(id).default { " assumed" } else { " off" });
        writeln!(out, "{indent}listens {address}:{}/{}{ground}", listen.ports, listen.protocol).unwrap();
    }
}

fn containers(out: &mut String, host: &Host, lab: &Lab) {
    let Some(engine) = &host.engine else { return };
    for network in &engine.networks {
        writeln!(out, "  network {} {} {} {}", network.name, network.bridge, network.subnet, network.gateway).unwrap();
    }
    for container in &engine.containers {
        let at = match &container.networking {
            Networking::Bridges(endpoints) => endpoints
                .iter()
                .map(|e| format!("{}={} {:?}", engine.networks[e.network].name, e.address, e.names))
                .collect::<Vec<_>>()
                .join(" "),
            Networking::Host(_) => "host".to_owned(),
            Networking::None(_) => "none".to_owned(),
            Networking::Container(index, _) => format!("with {}", engine.containers[*index].name),
        };
        writeln!(out, "  container {} {at}", container.name).unwrap();
        for publish in &container.publishes {
            let address = publish.host_address.map_or("*".to_owned(), url_host);
            let port = publish.host_port.map_or("?".to_owned(), |p| p.to_string());
            writeln!(out, "    {address}:{port} -> {}/{}", publish.container_port, publish.protocol).unwrap();
        }
        processes(out, "    ", &container.processes, lab);
    }
}

fn check(files: &[(&str, &str)], expected: &str) {
    let (lab, diagnostics) = read(files);
    let actual = format!("{}{}", describe(&lab), diagnostics.join("\n"));
    let trim = |text: &str| text.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(trim(&actual), trim(expected), "\n{actual}");
}

#[test]
fn a_lone_script_configures_one_linux_host_on_a_lan() {
    check(
        &[(
            "run.sh",
            "docker network create web\ndocker run -d --name gr --network web -p 3000:3000 grafana/grafana\ndocker run -d -p 9:9 a/b\n",
        )],
        r#"
        host Linux Physical
          eth0 lan 192.168.1.100/24 via 192.168.1.1
          network bridge docker0 172.17.0.0/16 172.17.0.1
          network web br-web 172.18.0.0/16 172.18.0.1
          container gr web=172.18.0.2 ["gr"]
            *:3000 -> 3000/tcp
            listens *:3000/tcp assumed
          container b bridge=172.17.0.2 []
            *:9 -> 9/tcp
            listens *:9/tcp assumed
          events [EngineStart]
        router Linux Router
          lan0 lan 192.168.1.1/24
        "#,
    );
}

const VBOX: &str = r#"<?xml version="1.0"?>
<!--
** Written by VirtualBox 6.1.50 (r161033)
-->
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.18-macosx">
  <Machine uuid="{0}" name="rocky 9" OSType="RedHat_64">
    <Hardware>
      <Network>
        <Adapter slot="0" enabled="true" MACAddress="080027000001" type="82540EM"><NAT><Forwarding name="ssh" proto="1" hostport="2222" guestport="22"/></NAT></Adapter>
        <Adapter slot="1" enabled="true" cable="false"><HostOnlyInterface name="vboxnet0"/></Adapter>
        <Adapter slot="2" enabled="true"><BridgedInterface name="en0: Ethernet"/></Adapter>
        <Adapter slot="3"><NAT/></Adapter>
      </Network>
    </Hardware>
  </Machine>
</VirtualBox>
"#;

#[test]
fn a_vbox_file_is_a_vm_of_a_physical_host_and_owns_the_scripts() {
    check(
        &[("rocky.vbox", VBOX), ("setup.sh", "docker run -d --name db mysql:8\n")],
        r#"
        host MacOs Physical
          en0 lan 192.168.1.100/24 via 192.168.1.1
          vboxnet0 vboxnet0 192.168.56.1/24
        rocky-9 Linux Vm { on: HostId(0) }
          enp0s3 Classic NAT 10.0.2.0/24 10.0.2.15/24 via 10.0.2.2
          enp0s8 vboxnet0 192.168.56.101/24 unplugged
          enp0s9 lan 192.168.1.101/24
          network bridge docker0 172.17.0.0/16 172.17.0.1
          container db bridge=172.17.0.2 []
            listens *:3306/tcp assumed
            listens *:33060/tcp assumed
          events [EngineStart]
        router Linux Router
          lan0 lan 192.168.1.1/24
        "#,
    );
}

#[test]
fn a_stated_lab_binds_files_to_hosts() {
    let lab = "networks:
  집:
    subnet: 10.1.0.0/24
    gateway: 10.1.0.254
  side: { kind: host-only, subnet: 10.2.0.0/24 }
hosts:
  mac:
    os: macos
    interfaces:
      en0: { network: 집, address: 10.1.0.5/24 }
  rocky:
    on: mac
    vm: vm/rocky.vbox
    files: [vm/setup]
    interfaces:
      eth1: { adapter: 3, address: 10.1.0.9/24 }
    listen: [22]
containers:
  db: { listen: [\"127.0.0.1:3306\"] }
";
    check(
        &[
            ("lab.yaml", lab),
            ("other.sh", "docker ps\n"),
            ("vm/rocky.vbox", VBOX),
            ("vm/setup/1.sh", "docker run -d --name db mysql\n"),
        ],
        r#"
        mac MacOs Physical
          en0 집 10.1.0.5/24 via 10.1.0.254
          side side 10.2.0.1/24
        rocky Linux Vm { on: HostId(0) }
          enp0s3 Classic NAT 10.0.2.0/24 10.0.2.15/24 via 10.0.2.2
          enp0s8 side 10.2.0.101/24 unplugged
          eth1 집 10.1.0.9/24
          listens *:22/tcp
          network bridge docker0 172.17.0.0/16 172.17.0.1
          container db bridge=172.17.0.2 []
            listens 127.0.0.1:3306/tcp
          events [EngineStart]
        router Linux Router
          lan0 집 10.1.0.254/24
        "#,
    );
}

#[test]
fn names_and_files_that_lead_nowhere_are_reported() {
    let lab =
        "hosts:\n  mac: {}\n  vm: { on: mca, files: [docker.sh, seutp.sh] }\ncontainers:\n  bd: { listen: [1] }\n";
    let (_, diagnostics) = read(&[("lab.yaml", lab), ("setup.sh", "docker run --name db --network webb x/y\n")]);
    assert_eq!(
        diagnostics,
        [
            "lab.yaml:3: there is no file `docker.sh`",
            "lab.yaml:3: there is no file `seutp.sh`",
            "lab.yaml:3: there is no host `mca`",
            "setup.sh:1: `setup.sh` belongs to no host and is not analyzed",
            "lab.yaml:5: there is no host or container `bd`",
        ]
    );
}

#[test]
fn what_docker_refuses_does_not_run_and_is_reported() {
    let script = "docker run -d --name aa -p 80:80 nginx
docker run -d --name bb -p 127.0.0.1:80:80 nginx
docker run -d --name aa nginx
docker run -d --name cc --network web nginx
docker network create web
docker run -d --name dd --network web -p 81-82:80 -p 80:80/udp nginx
docker run -d --name ee --network host -p 9:9 nginx
docker network create --internal in
docker run -d --name ff --network in -p 90:80 nginx
docker run -d --name gg --network container:dd redis
docker network connect bridge dd
docker network connect web zz
";
    check(
        &[("run.sh", script)],
        r#"
        host Linux Physical
          eth0 lan 192.168.1.100/24 via 192.168.1.1
          network bridge docker0 172.17.0.0/16 172.17.0.1
          network web br-web 172.18.0.0/16 172.18.0.1
          network in br-in 172.19.0.0/16 172.19.0.1
          container aa bridge=172.17.0.2 []
            *:80 -> 80/tcp
            listens *:80/tcp assumed
          container dd bridge=172.17.0.3 [] web=172.18.0.2 ["dd"]
            *:81 -> 80/tcp
            *:80 -> 80/udp
            listens *:80/tcp assumed
          container ee host
            listens *:80/tcp assumed
          container ff in=172.19.0.2 ["ff"]
            listens *:80/tcp assumed
          container gg with dd
            listens *:6379/tcp assumed
          container bb none
          events [EngineStart]
        router Linux Router
          lan0 lan 192.168.1.1/24
        run.sh:3: the container name `aa` is in use
        run.sh:4: there is no network `web`
        run.sh:12: there is no container `zz`
        run.sh:2: port 80/tcp of `bb` is taken by `aa`
        run.sh:7: docker publishes no port of `ee`, because the container uses the host's own network
        run.sh:9: docker publishes no port of `ff`, because the container is on internal networks only
        "#,
    );
}

const COMPOSE: &str = "services:
  web:
    image: nginx
    ports: [\"8080:80\"]
    networks: [front, back]
    depends_on: [db]
  db:
    image: postgres:16
    networks: { back: { aliases: [store], ipv4_address: 10.9.0.2 } }
  mon:
    image: prom/prometheus
    command: --web.listen-address=127.0.0.1:9090
    network_mode: service:web
  tool:
    image: a/b
    networks: [outside]
networks:
  front: {}
  back: { internal: true, ipam: { config: [{ subnet: 10.9.0.0/24 }] } }
  outside: { external: true }
";

#[test]
fn a_compose_project_becomes_networks_and_containers() {
    check(
        &[("compose.yaml", COMPOSE)],
        r#"
        host Linux Physical
          eth0 lan 192.168.1.100/24 via 192.168.1.1
          network bridge docker0 172.17.0.0/16 172.17.0.1
          network shop_front br-shop_front 172.18.0.0/16 172.18.0.1
          network shop_back br-shop_back 10.9.0.0/24 10.9.0.1
          container shop-db-1 shop_back=10.9.0.2 ["shop-db-1", "db", "store"]
            listens *:5432/tcp assumed
          container shop-web-1 shop_front=172.18.0.2 ["shop-web-1", "web"] shop_back=10.9.0.3 ["shop-web-1", "web"]
            *:8080 -> 80/tcp
            listens *:80/tcp assumed
          container shop-mon-1 with shop-web-1
            listens 127.0.0.1:9090/tcp
          events [EngineStart]
        router Linux Router
          lan0 lan 192.168.1.1/24
        compose.yaml:20: network `outside` is declared external but nothing creates it
        "#,
    );
}

fn firewall(script: &str) -> (Firewalld, Vec<String>) {
    let (lab, diagnostics) = read(&[("fw.sh", script)]);
    (lab.hosts[0].firewalld.clone().unwrap(), diagnostics)
}

fn ports(firewalld: &Firewalld, zone: &str) -> String {
    let ports = firewalld.zones[zone].content.ports.iter().map(|p| format!("{}/{}", p.value.1, p.value.0));
    ports.collect::<Vec<_>>().join(" ")
}

#[test]
fn permanent_changes_wait_for_a_reload_and_runtime_changes_do_not_survive_it() {
    let check = |script: &str, expected: &str, expected_diagnostics: &[&str]| {
        let (firewalld, diagnostics) = firewall(script);
        assert_eq!(ports(&firewalld, "public"), expected, "{script}");
        assert_eq!(diagnostics, expected_diagnostics, "{script}");
    };
    let waiting = "a permanent change is not in force: firewalld is never reloaded";
    check("firewall-cmd --add-port=3000/tcp", "3000/tcp", &[]);
    check("firewall-cmd --permanent --add-port=3000/tcp", "", &[&format!("fw.sh:1: {waiting}")]);
    check("firewall-offline-cmd --add-port=3000/tcp", "3000/tcp", &[]);
    check("firewall-cmd --permanent --add-port=3000/tcp\nfirewall-cmd --reload", "3000/tcp", &[]);
    check("firewall-cmd --add-port=3000/tcp\nfirewall-cmd --reload", "", &[]);
    check(
        "firewall-cmd --add-port=3000/tcp\nfirewall-cmd --runtime-to-permanent\nfirewall-cmd --reload",
        "3000/tcp",
        &[],
    );
    check("firewall-cmd --zone=pubilc --add-port=1/tcp", "", &["fw.sh:1: there is no zone `pubilc`"]);
}

#[test]
fn zone_files_replace_the_built_in_zones_when_firewalld_starts() {
    let zone = r#"<?xml version="1.0" encoding="utf-8"?>
<zone target="DROP">
  <interface name="enp0s3"/>
  <service name="https"/>
  <port port="3000" protocol="tcp"/>
</zone>
"#;
    let conf = "DefaultZone=drop\nFirewallBackend=iptables\n";
    let (lab, diagnostics) = read(&[
        ("etc/firewalld/firewalld.conf", conf),
        ("etc/firewalld/zones/public.xml", zone),
        ("fw.sh", "firewall-cmd --zone=public --add-service=postgresql --add-port=1/udp\n"),
    ]);
    let firewalld = lab.hosts[0].firewalld.as_ref().unwrap();
    assert_eq!((firewalld.default_zone.as_str(), firewalld.backend), ("drop", RuleBackend::Iptables));
    let public = &firewalld.zones["public"];
    assert_eq!(public.target, Target::Drop);
    assert_eq!(public.interfaces[0].value, "enp0s3");
    assert!(public.port_at.is_some());
    let services: Vec<&str> = public.content.services.iter().map(|s| s.value.name.as_str()).collect();
    assert_eq!(services, ["https", "postgresql"]);
    assert_eq!(ports(firewalld, "public"), "3000/tcp 1/udp");
    let builtin: Vec<&str> = firewalld.zones["dmz"].content.services.iter().map(|s| s.value.name.as_str()).collect();
    assert_eq!(builtin, ["ssh"]);
    assert_eq!(diagnostics, [""; 0]);
}

#[test]
fn bindings_and_the_default_zone_are_changed_by_commands() {
    let (firewalld, diagnostics) = firewall(
        "firewall-cmd --set-default-zone=work
firewall-cmd --zone=dmz --change-interface=eth0
firewall-cmd --permanent --zone=trusted --add-source=10.0.0.0/8
firewall-cmd --reload
firewall-cmd --zone=dmz --change-interface=eth1
firewall-cmd --zone=drop --change-interface=eth1
firewall-cmd --add-port=7/tcp
",
    );
    assert_eq!(firewalld.default_zone, "work");
    assert!(firewalld.zones["dmz"].interfaces.is_empty());
    assert_eq!(firewalld.zones["drop"].interfaces[0].value, "eth1");
    assert_eq!(firewalld.zones["trusted"].sources[0].value.to_string(), "10.0.0.0/8");
    assert_eq!(ports(&firewalld, "work"), "7/tcp");
    assert_eq!(diagnostics, [""; 0]);
}

#[test]
fn firewall_and_engine_start_in_the_stated_order() {
    use HostEvent as E;
    let check = |events: &str, script: &str, expected: &[HostEvent]| {
        let lab =
            format!("hosts:\n  h:\n    files: [a.sh]\n    firewalld: {{}}\n    docker: {{}}\n    events: [{events}]\n");
        let (lab, _) = read(&[("lab.yaml", &lab), ("a.sh", script)]);
        assert_eq!(lab.hosts[0].events, expected, "{events} {script}");
    };
    let reload = "firewall-cmd --reload\n";
    check("", "docker ps\n", &[E::FirewalldStart, E::EngineStart]);
    check("", reload, &[E::FirewalldStart, E::EngineStart, E::FirewalldReload]);
    check("docker, firewalld", reload, &[E::EngineStart, E::FirewalldStart, E::FirewalldReload]);
    check(
        "firewalld, docker, docker-restart",
        reload,
        &[E::FirewalldStart, E::EngineStart, E::FirewalldReload, E::EngineRestart],
    );
}

#[test]
fn rules_for_chains_and_interfaces_that_are_not_there_are_reported() {
    let check = |docker: &str, script: &str, expected: &[&str]| {
        let lab = format!(
            "networks: {{lan: {{subnet: 10.1.0.0/16}}}}\nhosts:\n  h:\n    files: [a.sh]\n    docker: {docker}\n    \
             interfaces: {{eth0: {{network: lan, address: 10.1.0.9/16}}}}\n"
        );
        let (_, diagnostics) = read(&[("lab.yaml", &lab), ("a.sh", script)]);
        assert_eq!(diagnostics, expected, "{script}");
    };
    let line = "iptables -I DOCKER-USER -i eth0 -j DROP\n";
    let unknown = "a.sh:1: there is no chain `DOCKER-USER` in the table `filter` at this point";
    check("{}", line, &[]);
    check("{}", &format!("{line}dockerd\n"), &[unknown]);
    check("{}", &format!("iptables -N DOCKER-USER\n{line}dockerd\n"), &[]);
    check("{version: 29.7.2, firewall-backend: nftables}", line, &[unknown]);
    check(
        "{}",
        "iptables -A INPUT -i eth1 -j LOGDROP\niptables -t nat -A PREROUTING -i eth+ -j DOCKER\n",
        &[
            "a.sh:1: there is no chain `LOGDROP` in the table `filter` at this point",
            "a.sh:1: `h` has no interface `eth1`",
        ],
    );
}

#[test]
fn a_saved_rule_set_comes_last_and_names_bridges() {
    let lab = "hosts:\n  h:\n    files: [a.sh]\n    rules: rules.v4\n    docker: {}\n";
    let script = "docker network create n1\niptables -P INPUT DROP\n";
    let saved = "*nat\n-A POSTROUTING -s 172.18.0.0/16 ! -o br-0123456789ab -j MASQUERADE\nCOMMIT\n";
    let (lab, diagnostics) = read(&[("lab.yaml", lab), ("a.sh", script), ("rules.v4", saved)]);
    use HostEvent as E;
    assert_eq!(lab.hosts[0].events, [E::EngineStart, E::UserRules(0), E::UserRules(1)]);
    assert_eq!(lab.hosts[0].engine.as_ref().unwrap().networks[1].bridge, "br-0123456789ab");
    assert_eq!(diagnostics, [""; 0]);
}

#[test]
fn a_rule_between_networks_may_stand_on_either_side() {
    let check = |version: &str, script: &str, expected: usize| {
        let lab = format!("hosts:\n  h:\n    files: [a.sh]\n    docker: {{version: {version}}}\n");
        let (lab, _) = read(&[("lab.yaml", &lab), ("a.sh", script)]);
        assert_eq!(lab.unmodeled.len(), expected, "{version} {script}");
    };
    let rule = "iptables -I FORWARD -p tcp -j DROP\n";
    check("27.5.1", &format!("{rule}docker network create a\n"), 1);
    check("27.5.1", &format!("docker network create a\n{rule}"), 0);
    check("28.5.2", &format!("{rule}docker network create a\n"), 0);
}

#[test]
fn ufw_is_in_force_once_it_is_enabled() {
    let check = |script: &str, expected: &[HostEvent], unmodeled: usize| {
        let (lab, _) = read(&[("a.sh", script)]);
        assert_eq!(lab.hosts[0].events, expected, "{script}");
        assert_eq!(lab.unmodeled.len(), unmodeled, "{script}");
    };
    use HostEvent as E;
    check("ufw allow 22\n", &[], 1);
    check("ufw allow 22\nufw enable\n", &[E::UserRules(0)], 0);
    check("ufw enable\nufw allow 22\nufw enable\n", &[E::UserRules(0), E::UserRules(1)], 0);
    check("ufw allow 22\nufw disable\n", &[], 0);
}

#[test]
fn connected_networks_with_common_addresses_are_reported() {
    let lab = "networks:
  home: { subnet: 172.20.0.0/16 }
hosts:
  h:
    files: [a.sh]
    interfaces: { eth0: { network: home, address: 172.20.0.9/16 } }
  other:
    interfaces: { eth0: { network: home, address: 172.20.0.9/16 } }
  third:
    interfaces: { eth0: { network: home, address: 10.0.0.1/8 } }
";
    let script = "docker network create a
docker network create --subnet 172.20.3.0/24 b
docker network create --subnet 172.20.3.128/25 c
docker run -d --name xx --network c nginx
";
    let (lab, diagnostics) = read(&[("lab.yaml", lab), ("a.sh", script)]);
    let networks: Vec<String> =
        lab.hosts[0].engine.as_ref().unwrap().networks.iter().map(|n| format!("{} {}", n.name, n.subnet)).collect();
    assert_eq!(networks, ["bridge 172.17.0.0/16", "a 172.18.0.0/16", "b 172.20.3.0/24"]);
    assert_eq!(
        diagnostics,
        [
            "a.sh:3: the subnets of networks `b` and `c` overlap",
            "a.sh:2: the subnets of interface `eth0` and network `b` of `h` overlap",
            "lab.yaml:8: address 172.20.0.9 is given twice",
            "lab.yaml:10: address 10.0.0.1 lies outside the subnet 172.20.0.0/16 of segment `home`",
        ]
    );
}

#[test]
fn a_script_beside_several_vms_is_ambiguous() {
    let second = VBOX.replace("rocky 9", "db").replace("2222", "2223");
    let (_, diagnostics) = read(&[("a.vbox", VBOX), ("b.vbox", &second), ("run.sh", "docker run -d nginx\n")]);
    assert_eq!(diagnostics, ["run.sh:1: it is not stated which host `run.sh` configures"]);
}

#[test]
fn what_listens_is_told_by_image_command_exposed_and_published_ports() {
    let check = |arguments: &str, expected: &str| {
        let (lab, _) = read(&[("run.sh", &format!("docker run -d --name cc {arguments}\n"))]);
        let mut listens = String::new();
        processes(&mut listens, "", &lab.containers().next().unwrap().1.processes, &lab);
        let listens: Vec<&str> = listens.lines().map(|l| l.trim_start_matches("listens ")).collect();
        assert_eq!(listens.join(", "), expected, "{arguments}");
    };
    check("-p 8080:8080 nginx", "*:80/tcp assumed");
    check("--expose 81 nginx", "*:80/tcp assumed, *:81/tcp assumed");
    check("-p 53:5353/udp own/dns", "*:5353/udp assumed");
    check("own/dns", "");
    check("prom/prometheus --web.listen-address=127.0.0.1:9090", "127.0.0.1:9090/tcp");
    check("mysql --port 3307 --bind-address=127.0.0.1", "127.0.0.1:3307/tcp, *:33060/tcp assumed");
    check("redis redis-server --bind 127.0.0.1", "127.0.0.1:6379/tcp assumed");
    check("-p 80:8000 own/app uvicorn app:app --host 0.0.0.0 --port 8000", "*:8000/tcp");
}

#[test]
fn exposed_ports_are_published_by_a_capital_p() {
    let (lab, _) = read(&[("run.sh", "docker run -d --name cc -P --expose 81 nginx\n")]);
    let container = lab.containers().next().unwrap().1;
    let publishes: Vec<_> = container.publishes.iter().map(|p| (p.host_port, p.container_port)).collect();
    assert_eq!(publishes, [(None, 80), (None, 81)]);
}

/// Messages about a lab with one Linux, macOS or Windows host and a machine whose adapters are given as XML.
fn about_host(os: &str, written_by: &str, files: &str, adapters: &str) -> Vec<String> {
    let vbox = format!(
        "<!-- Written by VirtualBox {written_by} -->\n<VirtualBox version='1.19-linux'><Machine name='vm'><Hardware>\
         <Network>{adapters}</Network></Hardware></Machine></VirtualBox>"
    );
    let lab = format!(
        "networks:\n  lan: {{subnet: 192.168.1.0/24}}\nhosts:\n  pc: {{os: {os}, files: [{files}]}}\n  vm: {{on: pc, vm: vm.vbox}}\n"
    );
    let script = "VBoxManage hostonlyif ipconfig vboxnet0 --ip 192.168.50.1\n";
    let all = [
        ("lab.yaml", lab.as_str()),
        ("vm.vbox", &vbox),
        ("setup.sh", script),
        ("vbox/networks.conf", "* 192.168.50.0/24\n"),
    ];
    let listed: Vec<(&str, &str)> = all.into_iter().filter(|(name, _)| !files_skip(name, files)).collect();
    read(&listed).1
}

fn files_skip(name: &str, files: &str) -> bool {
    matches!(name, "setup.sh" | "vbox/networks.conf") && !files.contains(name)
}

#[test]
fn what_the_host_does_not_allow_is_reported_and_nothing_else() {
    let check = |os: &str, written_by: &str, files: &str, adapters: &str, expected: &[&str]| {
        let found = about_host(os, written_by, files, adapters);
        let messages: Vec<&str> = found.iter().map(|m| m.split_once(": ").unwrap().1).collect();
        assert_eq!(messages, expected, "{os} {written_by} {files} {adapters}");
    };
    let nat = |rules: &[(&str, &str)]| {
        let rule = |(index, (address, port)): (usize, &(&str, &str))| {
            format!("<Forwarding name='r{index}' proto='1' hostip='{address}' hostport='{port}' guestport='80'/>")
        };
        let rules: String = rules.iter().enumerate().map(rule).collect();
        format!("<Adapter slot='0' enabled='true'><NAT>{rules}</NAT></Adapter>")
    };
    let uncertain = |port: &str| format!("it is not certain that this forward can listen on port {port}");
    check("linux", "7.2.22", "", &nat(&[("", "80")]), &[&uncertain("80")]);
    check("macos", "7.2.22", "", &nat(&[("", "80")]), &[]);
    check("macos", "7.2.22", "", &nat(&[("127.0.0.1", "80")]), &[&uncertain("80")]);
    check("windows", "7.2.22", "", &nat(&[("", "80"), ("", "5000")]), &[]);
    check("macos", "7.2.22", "", &nat(&[("", "5000"), ("", "5001")]), &[&uncertain("5000")]);
    check("linux", "7.2.22", "", &nat(&[("", "5000"), ("", "50000")]), &[]);
    check("windows", "7.2.22", "", &nat(&[("", "50000"), ("", "49151")]), &[&uncertain("50000")]);
    let twice = "port 8080 of `pc` is forwarded twice";
    check("linux", "7.2.22", "", &nat(&[("", "8080"), ("127.0.0.1", "8080")]), &[twice]);
    check("macos", "7.2.22", "", &nat(&[("", "8080"), ("127.0.0.1", "8080")]), &[]);
    check("macos", "7.2.22", "", &nat(&[("", "8080"), ("", "8080")]), &[twice]);
    check("linux", "7.2.22", "", &nat(&[("192.168.1.100", "8080"), ("127.0.0.1", "8080")]), &[]);
    let host_only = "<Adapter slot='0' enabled='true'><HostOnlyInterface name='vboxnet0'/></Adapter>";
    let range = "VirtualBox allows no host-only network 192.168.50.0/24";
    check("linux", "7.2.22", "setup.sh", host_only, &[range]);
    check("linux", "7.2.22", "setup.sh, vbox/networks.conf", host_only, &[]);
    check("windows", "7.2.22", "setup.sh", host_only, &[]);
    check("linux", "7.2.22", "", host_only, &[]);
    check("macos", "6.1.50", "", host_only, &[]);
    check("macos", "7.0.14", "", host_only, &["VirtualBox 7.0 and newer have no host-only interfaces on macOS"]);
    let network = "<Adapter slot='0' enabled='true'><HostOnlyNetwork name='hn'/></Adapter>";
    check("linux", "7.2.22", "", network, &["VirtualBox has host-only networks on macOS only"]);
    check("macos", "7.2.22", "", network, &[]);
    let bridged = |name: &str| format!("<Adapter slot='0' enabled='true'><BridgedInterface name='{name}'/></Adapter>");
    check("macos", "7.2.22", "", &bridged("en0: Wi-Fi"), &["`en0: Wi-Fi` is a Wi-Fi interface"]);
    check("linux", "7.2.22", "", &bridged("wlp2s0"), &["`wlp2s0` is a Wi-Fi interface"]);
    check("linux", "7.2.22", "", &bridged("enp2s0"), &[]);
    check(
        "linux",
        "7.2.22",
        "",
        &bridged(""),
        &["adapter 1 of `vm` is bridged, but nothing says with which interface"],
    );
}

#[test]
fn docker_neither_publishes_nor_makes_networks_while_its_chains_are_gone() {
    const LINES: &str = "docker run -d --name b1 -p 81:80 i\ndocker run -d --name c1 i\ndocker network create n\n";
    let check = |firewalld: &str, before: &str, after: &str, is_refused: bool| {
        let lab = format!(
            "hosts:\n  h:\n    files: [x.sh]\n    firewalld: {{{firewalld}}}\n    interfaces: {{eth0: {{network: n, address: 10.0.0.2/24}}}}\n\
             networks: {{n: {{subnet: 10.0.0.0/24}}}}\n"
        );
        let script = format!("{before}{LINES}{after}");
        let (lab, diagnostics) = read(&[("lab.yaml", &lab), ("x.sh", &script)]);
        let engine = lab.hosts[0].engine.as_ref().unwrap();
        let is_there = engine.containers.iter().any(|c| c.name == "b1" && c.idle.is_none());
        assert!(engine.containers.iter().any(|c| c.name == "c1"));
        let about: Vec<&String> =
            diagnostics.iter().filter(|d| d.ends_with("its chains of iptables are gone")).collect();
        let found = (is_there, engine.networks.iter().any(|n| n.name == "n"), about.len());
        let is_started = after.contains("docker start b1");
        let expected = if is_refused { (is_started, false, 2 - usize::from(is_started)) } else { (true, true, 0) };
        assert_eq!(found, expected, "{firewalld}\n{script}{diagnostics:?}");
    };
    let old = "version: 1.3.3";
    let iptables = "version: 2.5.2, backend: iptables";
    let nftables = "version: 2.5.2, backend: nftables";
    for empties in [old, iptables] {
        check(empties, "systemctl stop firewalld\n", "", true);
        check(empties, "dockerd\nsystemctl start firewalld\n", "", true);
        check(empties, "dockerd\nsystemctl start firewalld\nfirewall-cmd --reload\n", "", true);
        check(empties, "dockerd\nsystemctl start firewalld\nsystemctl restart docker\n", "", false);
        check(empties, "systemctl start firewalld\ndockerd\nfirewall-cmd --reload\n", "", false);
        check(empties, "systemctl start firewalld\ndockerd\nsystemctl restart firewalld\n", "", false);
        check(empties, "systemctl stop firewalld\ndockerd --iptables=false\n", "", false);
        check(empties, "systemctl stop firewalld\n", "systemctl restart docker\ndocker start b1\n", true);
    }
    check(nftables, "systemctl stop firewalld\n", "", false);
    check(nftables, "dockerd\niptables -t nat -F\niptables -t nat -X\n", "", true);
    check(nftables, "dockerd\niptables -t nat -X\n", "", false);
    check(nftables, "iptables -t nat -F\niptables -t nat -X\ndockerd\n", "", false);
    check(nftables, "dockerd\niptables -F\niptables -X\n", "", false);
}
