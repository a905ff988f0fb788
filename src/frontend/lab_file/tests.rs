//! `lab.yaml` files and what is read from them.

use std::fmt::Write;

use super::*;
use crate::lab::declaration::InterfaceDecl;
use crate::lab::machine::ForwardNotation;
use crate::source::Sources;

fn read(text: &str) -> (Sources, Declarations) {
    let mut sources = Sources::default();
    let source = sources.add("lab.yaml", text);
    let parsed = parse(source, text);
    (sources, parsed)
}

fn option<T: ToString>(value: Option<&Spanned<T>>) -> String {
    value.map_or("-".to_owned(), |v| v.value.to_string())
}

fn interface(out: &mut String, i: &InterfaceDecl) {
    let addresses: Vec<String> = i.addresses.iter().map(|a| a.value.to_string()).collect();
    let (adapter, segment, gateway) =
        (option(i.adapter.as_ref()), option(i.segment.as_ref()), option(i.gateway.as_ref()));
    writeln!(out, "  {} {adapter} {segment} {addresses:?} {gateway}", i.name.value).unwrap();
    if let Some(nat) = &i.nat {
        let (network, localhost) = (option(nat.network.as_ref()), option(nat.localhost_reachable.as_ref()));
        writeln!(out, "    nat {network} {localhost} {}", option(nat.libslirp.as_ref())).unwrap();
        for f in &nat.forwards {
            let (host, guest) = (f.host_address, f.guest_address);
            writeln!(out, "    {} {host:?} {} {guest:?} {}", f.protocol, f.host_port, f.guest_port).unwrap();
        }
    }
}

fn dump(declarations: &[Declaration]) -> String {
    let mut out = String::new();
    for declaration in declarations {
        match declaration {
            Declaration::Segment(s) => {
                let subnets: Vec<String> = s.subnets.iter().map(|n| n.value.to_string()).collect();
                let names: Vec<&str> = s.vbox_names.iter().map(|n| n.value.as_str()).collect();
                let kind = s.kind.map(|k| k.value);
                writeln!(out, "segment {} {kind:?} {subnets:?} {} {names:?}", s.name.value, option(s.gateway.as_ref()))
                    .unwrap();
            }
            Declaration::Host(h) => {
                let files: Vec<&str> = h.files.iter().map(|f| f.value.as_str()).collect();
                let (os, on, vm) = (h.os.map(|o| o.value), option(h.on.as_ref()), option(h.vm.as_ref()));
                let (router, forward) = (option(h.is_router.as_ref()), option(h.ip_forward.as_ref()));
                writeln!(out, "host {} {os:?} {router} {on} {vm} {files:?} {forward}", h.name.value).unwrap();
                h.interfaces.iter().for_each(|i| self::interface(&mut out, i));
                for (to, via) in &h.routes {
                    writeln!(out, "  route {} {}", to.value, via.value).unwrap();
                }
            }
            Declaration::Process(p) => {
                let listens: Vec<String> =
                    p.listens.iter().map(|l| format!("{} {:?} {}", l.protocol, l.address, l.ports)).collect();
                writeln!(out, "process {} {} {listens:?}", p.runs_in.value, option(p.name.as_ref())).unwrap();
            }
            Declaration::Engine(e) => {
                let (version, proxy) = (option(e.version.as_ref()), option(e.userland_proxy.as_ref()));
                let (backend, bridge) = (e.backend.map(|b| b.value), option(e.default_bridge.as_ref()));
                writeln!(out, "engine {version} {proxy} {} {backend:?} {bridge}", option(e.icc.as_ref())).unwrap();
            }
            Declaration::Firewalld(f) => {
                let (version, zone) = (option(f.version.as_ref()), option(f.default_zone.as_ref()));
                let backend = f.backend.map(|b| b.value);
                writeln!(out, "firewalld {version} {backend:?} {zone} {}", option(f.strict_forward_ports.as_ref()))
                    .unwrap();
            }
            Declaration::Event(e) => writeln!(out, "event {:?}", e.value).unwrap(),
            Declaration::Group(name, members) => {
                let members: Vec<&str> = members.iter().map(|m| m.value.as_str()).collect();
                writeln!(out, "group {} {members:?}", name.value).unwrap();
            }
            Declaration::Sentence(s) => writeln!(out, "sentence {}", s.sentence.value).unwrap(),
            _ => out.push_str("something else\n"),
        }
    }
    out
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let (_, parsed) = read(text);
    assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
    assert_eq!(dump(&parsed.value), expected);
}

#[track_caller]
fn check_errors(text: &str, expected: &[&str]) {
    let (sources, parsed) = read(text);
    let said = parsed.diagnostics.iter().map(|d| {
        let help = d.help.as_ref().map(|h| format!(" - {h}")).unwrap_or_default();
        format!("{} <{}>{help}", d.message, sources.text(d.labels[0].span))
    });
    assert_eq!(said.collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn networks_containers_groups_and_sentences() {
    check(
        "sentences:\n\
         \x20 - mac can reach grafana:3000\n\
         groups: {monitoring: [grafana, prometheus]}\n\
         containers:\n\
         \x20 grafana: {listen: [3000, '127.0.0.1:9000-9001/udp', '[::1]:80']}\n\
         networks:\n\
         \x20 lan: {subnet: 192.168.1.0/24, gateway: 192.168.1.1, virtualbox: [en0, 'en0: 와이파이']}\n\
         \x20 hostonly: {kind: host-only, subnet: [192.168.56.0/24, 'fd00::/64']}\n\
         \x20 empty:\n",
        "segment lan None [\"192.168.1.0/24\"] 192.168.1.1 [\"en0\", \"en0: 와이파이\"]\n\
         segment hostonly Some(HostOnly) [\"192.168.56.0/24\", \"fd00::/64\"] - []\n\
         segment empty None [] - []\n\
         process grafana - [\"tcp None 3000\", \"udp Some(127.0.0.1) 9000-9001\", \"tcp Some(::1) 80\"]\n\
         group monitoring [\"grafana\", \"prometheus\"]\n\
         sentence mac can reach grafana:3000\n",
    );
}

#[test]
fn hosts_with_everything() {
    check(
        "hosts:\n\
         \x20 mac:\n\
         \x20   os: macos\n\
         \x20   interfaces:\n\
         \x20     en0: {network: lan, address: 192.168.1.100/24, gateway: 192.168.1.1}\n\
         \x20   processes: {browser: , web: 80}\n\
         \x20 rocky:\n\
         \x20   on: mac\n\
         \x20   vm: rocky.vbox\n\
         \x20   files: [setup.sh, compose.yaml]\n\
         \x20   interfaces:\n\
         \x20     enp0s3: {adapter: 1, address: [10.0.2.15/24, 'fd00::2/64']}\n\
         \x20     enp0s8:\n\
         \x20       nat:\n\
         \x20         network: 10.0.2.0/24\n\
         \x20         forwards: ['tcp:127.0.0.1:3000:3000', 'udp::8080:10.0.2.15:80', 'tcp:[::1]:1:2']\n\
         \x20         localhost-reachable: true\n\
         \x20         engine: libslirp\n\
         \x20   listen: [22/tcp, 9000]\n\
         \x20   docker: {version: 28.5, userland-proxy: false, icc: false, firewall-backend: nftables, bip: 172.17.0.1/16}\n\
         \x20   firewalld: {version: 2.5.2, backend: nftables, default-zone: public, strict-forward-ports: yes}\n\
         \x20   events: [firewalld, docker, firewalld-reload]\n\
         \x20   ip-forward: true\n\
         \x20   routes: {10.1.0.0/16: 192.168.1.7}\n\
         \x20 router: {router: true}\n\
         \x20 bare:\n",
        "host mac Some(MacOs) - - - [] -\n\
         \x20 en0 - lan [\"192.168.1.100/24\"] 192.168.1.1\n\
         process mac browser []\n\
         process mac web [\"tcp None 80\"]\n\
         host rocky None - mac rocky.vbox [\"setup.sh\", \"compose.yaml\"] true\n\
         \x20 enp0s3 1 - [\"10.0.2.15/24\", \"fd00::2/64\"] -\n\
         \x20 enp0s8 - - [] -\n\
         \x20   nat 10.0.2.0/24 true true\n\
         \x20   tcp Some(127.0.0.1) 3000 None 3000\n\
         \x20   udp None 8080 Some(10.0.2.15) 80\n\
         \x20   tcp Some(::1) 1 None 2\n\
         \x20 route 10.1.0.0/16 192.168.1.7\n\
         engine 28.5.0 false false Some(Nftables) 172.17.0.1/16\n\
         firewalld 2.5.2 Some(Nftables) public true\n\
         event FirewalldStart\n\
         event EngineStart\n\
         event FirewalldReload\n\
         process rocky - [\"tcp None 22\", \"tcp None 9000\"]\n\
         host router None true - - [] -\n\
         host bare None - - - [] -\n",
    );
}

#[test]
fn mistakes_are_reported_where_they_are() {
    check_errors("hots: {}\n", &["unknown key `hots` in lab.yaml <hots> - did you mean `hosts`?"]);
    check_errors(
        "hosts: {가: {intefaces: {}, os: macs}}\n",
        &[
            "unknown key `intefaces` in host `가` <intefaces> - did you mean `interfaces`?",
            "`macs` is not an operating system <macs> - did you mean `macos`?",
        ],
    );
    check_errors(
        "hosts: {a: {interfaces: {e: {adapter: 0, address: 10.0.0.300/24, nat: {forwards: ['tcp:80', 'tcp::0:80']}}}}}\n",
        &[
            "VirtualBox has no adapter 0 <0>",
            "`10.0.0.300/24` is not an address with prefix length like `192.168.1.7/24` <10.0.0.300/24>",
            "`tcp:80` is not a forward <tcp:80> - write `tcp:127.0.0.1:3000:3000` or `tcp::3000:10.0.2.15:3000`, \
             IPv6 addresses in brackets",
            "`tcp::0:80` is not a forward <tcp::0:80> - write `tcp:127.0.0.1:3000:3000` or `tcp::3000:10.0.2.15:3000`, \
             IPv6 addresses in brackets",
        ],
    );
    check_errors(
        "containers: {a: {listen: [70000]}}\n",
        &["`70000` is not a place to listen <70000> - write `PORT`, `PORT/udp`, `FIRST-LAST` or `ADDRESS:PORT`, \
           IPv6 addresses in brackets"],
    );
    check_errors("networks: [lan]\n", &["`networks` must be a map <[lan]>"]);
    check_errors("hosts: {a: {routes: {x: 10.0.0.1}}}\n", &["`x` is not a prefix like `10.1.0.0/16` <x>"]);
}

#[test]
fn another_forward_is_written_in_the_notation_of_the_file() {
    let check = |nat: &str, expected: &str| {
        let text = format!("hosts:\n  가:\n    interfaces:\n      e:\n        nat:{nat}\n");
        let (_, parsed) = read(&text);
        let Some(Declaration::Host(host)) = parsed.value.first() else { panic!("no host") };
        let (place, notation) = host.interfaces[0].nat.as_ref().unwrap().forward_at.clone().unwrap();
        assert_eq!(notation, ForwardNotation::LabYaml);
        let edited = format!("{}{}{}", &text[..place.at.start], place.text("tcp::1:1"), &text[place.at.end..]);
        assert_eq!(edited, format!("hosts:\n  가:\n    interfaces:\n      e:\n        nat:{expected}\n"));
    };
    check(" {engine: classic}", " {engine: classic, forwards: [\"tcp::1:1\"]}");
    check(" {forwards: ['tcp::2:2']}", " {forwards: ['tcp::2:2', \"tcp::1:1\"]}");
    check(
        "\n          engine: classic",
        "\n          engine: classic\n          forwards:\n            - \"tcp::1:1\"",
    );
}
