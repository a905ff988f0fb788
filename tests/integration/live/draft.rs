//! A random lab: a machine with docker and perhaps firewalld, a neighbour on either side of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use serde_json::json;

use crate::reality::predict::Model;

use super::dice::Dice;
use super::topology::{self, Host, MACHINE};
use super::{engine, firewall, stack::Stack};

/// A connection to try.
pub(super) struct Probe {
    pub(super) from: String,
    pub(super) protocol: String,
    pub(super) address: IpAddr,
    pub(super) port: u16,
}

impl Probe {
    pub(super) fn place(&self) -> String {
        SocketAddr::new(self.address, self.port).to_string()
    }
}

/// A lab as files, and what the runner has to know beside them.
#[derive(Clone, Default)]
pub(super) struct Draft {
    pub(super) files: BTreeMap<String, String>,
    /// Ports of the machine that are worth dialling.
    pub(super) ports: Vec<u16>,
    pub(super) hosts: Vec<Host>,
    /// What containers listen on, in the order in which they are made.
    listens: Vec<(String, Vec<String>)>,
    /// How `lab.yaml` begins the machine.
    products: String,
}

impl Draft {
    pub(super) fn from_seed(seed: u64, stack: &Stack) -> Self {
        let mut dice = Dice::of(seed);
        let mut draft = Self { ports: vec![8080, 8081], hosts: topology::hosts(&mut dice), ..Self::default() };
        let has_firewalld = !dice.once_in(4);
        let mut script = engine::script(&mut draft, &mut dice, stack.engine);
        draft.products = format!("    docker: {{version: {}}}\n", stack.engine);
        if has_firewalld {
            firewall::files(&mut draft, &mut dice);
            writeln!(draft.products, "    firewalld: {{version: {}}}", stack.firewalld).unwrap();
            let start = "systemctl start firewalld\n";
            script = if !dice.once_in(4) { format!("{start}{script}") } else { format!("{script}{start}") };
        }
        if dice.once_in(4) {
            script.insert_str(0, firewall::rule(&mut dice));
        }
        for _ in 0..dice.below(4) {
            let change = match dice.below(6) {
                0 | 1 => engine::change(&mut draft, &mut dice, &script),
                2 => firewall::rule(&mut dice).to_owned(),
                _ if has_firewalld => firewall::change(&mut dice).to_owned(),
                _ => continue,
            };
            script.push_str(&change);
        }
        draft.files.insert("setup.sh".to_owned(), script);
        draft.write_lab();
        draft
    }

    /// The same lab with another file, or without it.
    pub(super) fn with(&self, name: &str, text: Option<String>) -> Self {
        let mut changed = self.clone();
        match text {
            Some(text) => changed.files.insert(name.to_owned(), text),
            None => changed.files.remove(name),
        };
        changed.write_lab();
        changed
    }

    /// The same lab with fewer hosts.
    pub(super) fn with_hosts(&self, hosts: Vec<Host>) -> Self {
        let mut changed = self.clone();
        changed.hosts = hosts;
        changed.write_lab();
        changed
    }

    pub(super) fn add_container(&mut self, name: &str, ports: &[&str]) {
        self.listens.push((name.to_owned(), ports.iter().map(|port| (*port).to_owned()).collect()));
    }

    pub(super) fn containers(&self) -> impl Iterator<Item = &str> {
        self.listens.iter().map(|(name, _)| name.as_str())
    }

    /// `lab.yaml` says who listens where: only those that the script leaves there.
    fn write_lab(&mut self) {
        let script = &self.files["setup.sh"];
        let is_there = |name: &str| {
            let made = script.rfind(&format!("--name {name} "));
            made.is_some_and(|made| script.rfind(&format!("docker rm -f {name}\n")).is_none_or(|gone| gone < made))
        };
        let mut text = String::from("networks:\n");
        for (number, segment) in [(56, "lan"), (57, "back")] {
            writeln!(text, "  {segment}: {{subnet: 192.168.{number}.0/24, kind: internal}}").unwrap();
        }
        text.push_str("hosts:\n");
        let has_etc = self.files.keys().any(|name| name.starts_with("etc/"));
        let files = if has_etc { "etc, setup.sh" } else { "setup.sh" };
        let inside = format!("    files: [{files}]\n{}", self.products);
        for host in &self.hosts {
            text.push_str(&host.to_yaml(if host.name == "vm" { &inside } else { "" }));
        }
        let listening = self.listens.iter().filter(|(name, _)| is_there(name));
        let lines: String =
            listening.map(|(name, ports)| format!("  {name}: {{listen: [{}]}}\n", ports.join(", "))).collect();
        if !lines.is_empty() {
            write!(text, "containers:\n{lines}").unwrap();
        }
        self.files.insert("lab.yaml".to_owned(), text);
    }

    /// Everybody dials everything; container addresses are the predicted ones.
    pub(super) fn probes(&self, model: &Model) -> Vec<Probe> {
        let mut targets: Vec<(&str, IpAddr, u16)> = Vec::new();
        let mut add =
            |protocol: &'static str, address: &str, port| targets.push((protocol, address.parse().unwrap(), port));
        for address in model.addresses("vm").iter().map(IpAddr::to_string).chain(["127.0.0.1".to_owned()]) {
            self.ports.iter().chain(&[22, 3005, 3006, 3007]).for_each(|port| add("tcp", &address, *port));
            add("udp", &address, 9001);
            self.ports.iter().for_each(|port| add("udp", &address, *port));
            add("icmp", &address, 0);
        }
        let machine = &self.hosts[0];
        // Whoever is in both networks is only dialled where the answer comes back the way the question went: a
        // connection whose other half a firewall does not see has no model.
        for address in self.hosts.iter().skip(1).filter(|host| host.name != "both").flat_map(Host::addresses) {
            add("tcp", address, 9000);
            add("tcp", address, 9009);
            add("udp", address, 9000);
            add("icmp", address, 0);
            if machine.is_behind_nat() {
                machine.forwarded().for_each(|(protocol, port)| add(protocol, address, port));
            }
        }
        if machine.is_behind_nat() {
            [9000, 9002, 9009].into_iter().for_each(|port| add("tcp", "10.0.2.2", port));
            machine.forwarded().for_each(|(protocol, port)| add(protocol, "127.0.0.1", port));
        }
        for address in self.containers().flat_map(|c| model.own_addresses(c)) {
            [3000, 3010, 3030].into_iter().for_each(|port| add("tcp", &address.to_string(), port));
            add("udp", &address.to_string(), 3000);
            add("icmp", &address.to_string(), 0);
        }
        targets.sort_unstable();
        targets.dedup();
        let sources = self.hosts.iter().map(|host| host.name).chain(self.containers());
        let probe = |from: &str, (protocol, address, port): &(&str, IpAddr, u16)| Probe {
            from: from.to_owned(),
            protocol: (*protocol).to_owned(),
            address: *address,
            port: *port,
        };
        let probes = sources.flat_map(|from| targets.iter().map(move |target| probe(from, target)));
        // What goes round through a NAT is dialled anew each time, until the machine that does it is busy with nothing else.
        probes.filter(|probe| !model.goes_round(&probe.from, &probe.protocol, &probe.place())).collect()
    }

    /// The lab as `live.py` reads it.
    pub(super) fn to_json(&self, probes: &[Probe]) -> String {
        let hosts: BTreeMap<_, _> = self.hosts.iter().map(|host| (host.name, host.to_json())).collect();
        let probes: Vec<_> =
            probes.iter().map(|p| json!([p.from, p.protocol, p.address.to_string(), p.port])).collect();
        let of_hosts = self.hosts.iter().map(|host| (host.name, json!(host.listens)));
        let of_containers = self.listens.iter().map(|(name, ports)| (name.as_str(), json!(ports)));
        let listens: BTreeMap<_, _> = of_hosts.chain(of_containers).collect();
        let lab = json!({"hosts": hosts, "machine": "vm", "files": self.files, "listens": listens, "probes": probes});
        lab.to_string()
    }

    /// An address of the machine, or all of them.
    pub(super) fn host_address(dice: &mut Dice) -> String {
        let [lan, back] = MACHINE.map(|address| format!("{address}:"));
        dice.pick(&["", "", "", "127.0.0.1:", &lan, &back, "0.0.0.0:"]).to_owned()
    }
}
