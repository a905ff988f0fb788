//! The two engines agree: on random labs the solver finds a connection exactly where the interpreter sees one succeed.
//!
//! Labs are made of texts and go through the front-ends, as a user's files do. For every dialler, address and port of
//! a lab the interpreter's answer (brute force) is compared with the solver's.

use std::fmt::Write;
use std::net::IpAddr;

use canreach::dataplane::{Dataplane, Flow, NodeId, Symptom};
use canreach::net::{Family, PortRange, Protocol};
use canreach::smt::{Answer, Encoding, Goal, Query};
use canreach::switch::Setting;
use canreach::{eval, lower};
use proptest::prelude::*;

use crate::support::lab_of;

/// A random lab: a machine, a VM on it, and a docker engine in the VM.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    engine: &'static str,
    options: Vec<&'static str>,
    attachment: &'static str,
    forwards: Vec<(bool, u16, u16)>,
    containers: Vec<Container>,
    firewalld: Option<&'static str>,
    open: Option<u16>,
    /// Lines of iptables, and rules of nft with their chain.
    rules: Vec<&'static str>,
    nft: Vec<(&'static str, &'static str)>,
    settings: Vec<&'static str>,
}

#[derive(Clone, Debug)]
struct Container {
    network: &'static str,
    publish: Option<(&'static str, u16, u16)>,
    listens: &'static str,
}

/// Marks, directions, exemptions from tracking: what only rules of a user have.
const RULES: [&str; 16] = [
    "-t mangle -A PREROUTING -p tcp --dport 3000 -j MARK --set-mark 1",
    "-t mangle -A PREROUTING -i enp0s8 -j MARK --or-mark 2",
    "-t mangle -A OUTPUT -d 172.17.0.0/16 -j MARK --set-mark 1",
    "-t mangle -I PREROUTING -j CONNMARK --restore-mark",
    "-t mangle -A POSTROUTING -j CONNMARK --save-mark",
    "-t mangle -A FORWARD -d 172.17.0.2 -j CONNMARK --set-mark 7",
    "-t mangle -A PREROUTING -m rpfilter --invert -j DROP",
    "-t raw -A PREROUTING -p tcp --dport 3001 -j CT --notrack",
    "-t raw -A OUTPUT -p udp -j NOTRACK",
    "-t nat -P OUTPUT DROP",
    "-A INPUT -m mark --mark 1 -j DROP",
    "-I FORWARD -m mark --mark 0x2/0x2 -j DROP",
    "-I FORWARD -m connmark --mark 7 -j DROP",
    "-I FORWARD -m conntrack --ctdir REPLY -m mark ! --mark 0 -j REJECT",
    "-I INPUT -m conntrack --ctorigsrc 172.16.0.0/12 -j DROP",
    "-I INPUT -m conntrack --ctstate UNTRACKED -j DROP",
];

const NFT: [(&str, &str); 9] = [
    ("before", "ip saddr . tcp dport { 192.168.1.100 . 3000, 172.17.0.0/16 . 3001-4000 } meta mark set 0x4"),
    ("before", "tcp dport vmap { 3000 : jump extra, 3001 : accept, * : continue }"),
    ("extra", "ct state new ct mark set 0x5 meta mark set ct mark"),
    ("extra", "ip daddr @some goto end"),
    ("end", "meta mark & 0x4 == 0x4 drop"),
    ("forward", "ct mark 0x5 reject with icmpx admin-prohibited"),
    ("forward", "iifname != \"enp0s*\" ct direction original meta mark { 0x1, 0x4 } drop"),
    ("nat", "tcp dport 3010 dnat ip to 172.17.0.2:3000"),
    ("nat", "dnat ip to tcp dport map { 4000 : 172.17.0.2 . 3000, 3020 : 172.17.0.3 . 3000 }"),
];

/// Settings of the kernel, made after everything else.
const SETTINGS: [&str; 6] = [
    "net.ipv4.conf.all.rp_filter=1",
    "net.ipv4.conf.*.rp_filter=1",
    "net.ipv4.conf.enp0s8.rp_filter=2",
    "net.ipv4.conf.all.route_localnet=1",
    "net.bridge.bridge-nf-call-iptables=0",
    "net.ipv4.ip_forward=0",
];

const PORTS: [u16; 3] = [3000, 3001, 4000];

fn port() -> impl Strategy<Value = u16> {
    prop::sample::select(PORTS.to_vec())
}

fn container() -> impl Strategy<Value = Container> {
    let network = prop::sample::select(vec!["bridge", "back", "front", "sealed", "host", "none"]);
    let publish = prop::option::of((prop::sample::select(vec!["", "127.0.0.1:", "192.168.1.101:"]), port(), port()));
    let listens = prop::sample::select(vec!["3000", "127.0.0.1:3000", "4000", "3000/udp"]);
    (network, publish, listens).prop_map(|(network, publish, listens)| Container { network, publish, listens })
}

pub(crate) fn draft() -> impl Strategy<Value = Draft> {
    let engine = prop::sample::select(vec!["20.10.24", "27.5.1", "28.5.2", "29.7.2"]);
    let options = prop::sample::subsequence(
        vec!["userland-proxy: false", "icc: false", "ip-masq: false", "iptables: false", "allow-direct-routing: true"],
        0..3,
    );
    let attachment = prop::sample::select(vec!["nat", "lan", "both"]);
    let forwards = prop::collection::vec((any::<bool>(), port(), port()), 0..3);
    let firewalld = prop::option::of(prop::sample::select(vec!["nftables", "iptables"]));
    let open = prop::option::of(port());
    let rules = (
        prop::sample::subsequence(RULES.to_vec(), 0..6),
        prop::sample::subsequence(NFT.to_vec(), 0..5),
        prop::sample::subsequence(SETTINGS.to_vec(), 0..3),
    );
    (engine, options, attachment, forwards, prop::collection::vec(container(), 1..4), firewalld, open, rules).prop_map(
        |(engine, options, attachment, forwards, containers, firewalld, open, (rules, nft, settings))| Draft {
            engine,
            options,
            attachment,
            forwards,
            containers,
            firewalld,
            open,
            rules,
            nft,
            settings,
        },
    )
}

impl Draft {
    pub(crate) fn lab_yaml(&self) -> String {
        let mut text = String::from(
            "networks:\n  lan: {subnet: 192.168.1.0/24}\nhosts:\n  mac:\n    os: macos\n    \
             interfaces: {en0: {network: lan, address: 192.168.1.100/24}}\n  vm:\n    on: mac\n    files: [nftables.conf, setup.sh]\n    \
             listen: [\"3001/tcp\"]\n    interfaces:\n",
        );
        if self.attachment != "lan" {
            let forwards: Vec<String> = self
                .forwards
                .iter()
                .map(|(local, host, guest)| format!("\"tcp:{}:{host}:{guest}\"", if *local { "127.0.0.1" } else { "" }))
                .collect();
            let forwards = forwards.join(", ");
            let _ = writeln!(text, "      enp0s3: {{nat: {{forwards: [{forwards}]}}, address: 10.0.2.15/24}}");
        }
        if self.attachment != "nat" {
            text.push_str("      enp0s8: {network: lan, address: 192.168.1.101/24}\n");
        }
        let mut options = vec![format!("version: {}", self.engine)];
        options.extend(self.options.iter().map(|o| (*o).to_owned()));
        let _ = writeln!(text, "    docker: {{{}}}", options.join(", "));
        if let Some(backend) = self.firewalld {
            let _ = writeln!(text, "    firewalld: {{version: 2.5.2, backend: {backend}}}");
        }
        text.push_str("containers:\n");
        for (index, container) in self.containers.iter().enumerate() {
            let _ = writeln!(text, "  c{index}: {{listen: [\"{}\"]}}", container.listens);
        }
        text
    }

    pub(crate) fn script(&self) -> String {
        let mut text = String::from(
            "docker network create back\ndocker network create front\ndocker network create --internal sealed\n",
        );
        for (index, container) in self.containers.iter().enumerate() {
            let publish = container
                .publish
                .map(|(address, host, inside)| format!("-p {address}{}:{inside} ", host + 10 * index as u16))
                .unwrap_or_default();
            let _ = writeln!(text, "docker run -d --name c{index} --network {} {publish}image", container.network);
        }
        if let (Some(_), Some(port)) = (self.firewalld, self.open) {
            let _ = writeln!(text, "firewall-cmd --add-port={port}/tcp");
        }
        for rule in &self.rules {
            let _ = writeln!(text, "iptables {rule}");
        }
        for setting in &self.settings {
            let _ = writeln!(text, "sysctl -w {setting}");
        }
        text
    }

    /// What is loaded before the products come.
    fn nftables(&self) -> String {
        let mut text = String::from("#!/usr/sbin/nft -f\ntable inet mine {\n");
        text += "  set some { type ipv4_addr; flags interval; elements = { 172.17.0.0/30, 192.168.1.101 } }\n";
        let chains = [
            ("end", ""),
            ("extra", ""),
            ("before", "type filter hook prerouting priority mangle - 1;"),
            ("forward", "type filter hook forward priority filter;"),
            ("nat", "type nat hook prerouting priority dstnat - 1;"),
        ];
        for (name, hook) in chains {
            let _ = writeln!(text, "  chain {name} {{\n    {hook}");
            for (_, rule) in self.nft.iter().filter(|(chain, _)| *chain == name) {
                let _ = writeln!(text, "    {rule}");
            }
            text += "  }\n";
        }
        text + "}\n"
    }

    fn dataplane(&self) -> Dataplane {
        let [lab, script, nft] = [self.lab_yaml(), self.script(), self.nftables()];
        lower::lower(&lab_of(&[("lab.yaml", &lab), ("nftables.conf", &nft), ("setup.sh", &script)]))
    }
}

fn works(
    dataplane: &Dataplane,
    setting: &Setting,
    from: NodeId,
    destination: IpAddr,
    port: u16,
    protocol: Protocol,
) -> bool {
    let flow = Flow { from, protocol, source: None, source_port: 50_000, destination, destination_port: port };
    succeeds(dataplane, setting, &flow)
}

fn succeeds(dataplane: &Dataplane, setting: &Setting, flow: &Flow) -> bool {
    eval::trace(dataplane, flow, setting).outcome.symptom == Symptom::Works
}

fn check(dataplane: &Dataplane, protocol: Protocol) {
    let setting = dataplane.switches.defaults();
    let mut addresses: Vec<IpAddr> =
        dataplane.nodes().flat_map(|(_, n)| n.addresses()).filter(IpAddr::is_ipv4).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let ports = [3000, 3001, 3010, 3011, 3020, 4000];
    for (from, node) in dataplane.nodes() {
        // Machines that stand for many have no address of their own to dial from.
        if node.interfaces.iter().any(|i| !i.claims.is_empty()) || node.name.starts_with("NAT of") {
            continue;
        }
        let query = |destination, ports| Query {
            from,
            family: Family::V4,
            protocol,
            sources: None,
            destinations: Some(destination),
            ports,
            goal: Goal::Anyone,
        };
        // A tenth of the single questions is enough: the open question below covers all of them.
        for (index, destination) in addresses.iter().enumerate() {
            for port in ports.into_iter().skip(index % 10).step_by(10) {
                let encoding = Encoding::new(dataplane, query(vec![*destination], PortRange::single(port)));
                match encoding.find(&setting, &[]) {
                    // Rules may ask for the source port, which the solver may choose.
                    Answer::Yes(flow) => assert!(succeeds(dataplane, &setting, &flow), "{flow:?}"),
                    _ => {
                        let seen = works(dataplane, &setting, from, *destination, port, protocol);
                        assert!(!seen, "{} dials {destination}:{port}/{protocol}, which the solver misses", node.name);
                    }
                }
            }
        }
        // Everything left open: one question must find exactly what all the single ones find.
        let encoding = Encoding::new(dataplane, query(addresses.clone(), PortRange { first: 3000, last: 4000 }));
        let mut known = Vec::new();
        while let Answer::Yes(flow) = encoding.find(&setting, &known) {
            assert!(succeeds(dataplane, &setting, &flow), "{flow:?}");
            // What is folded without the solver is what the solver says; where the natural source port does not do, it
            // may choose any other.
            let Answer::Yes(solved) = encoding.solved(&setting, &known) else { panic!("not for the solver: {flow:?}") };
            let dialed = |flow: Flow| (flow.destination, flow.destination_port, flow.source_port == 50_000);
            assert_eq!(dialed(solved), dialed(flow));
            known.push((flow.destination, flow.destination_port));
        }
        assert_eq!(encoding.solved(&setting, &known), encoding.find(&setting, &known));
        for destination in &addresses {
            for port in ports {
                let seen = works(dataplane, &setting, from, *destination, port, protocol);
                assert!(!seen || known.contains(&(*destination, port)), "{} misses {destination}:{port}", node.name);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn solver_and_interpreter_agree(draft in draft(), udp in any::<bool>()) {
        let protocol = if udp { Protocol::Udp } else { Protocol::Tcp };
        check(&draft.dataplane(), protocol);
    }
}
