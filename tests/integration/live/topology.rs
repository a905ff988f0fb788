//! The hosts of a random lab: the machine with docker, its neighbours, and perhaps the computer whose NAT it is behind.

use std::fmt::Write;

use serde_json::{Value, json};

use super::dice::Dice;

/// The machine's own addresses, on `lan` and on `back`.
pub(super) const MACHINE: [&str; 2] = ["192.168.56.10", "192.168.57.10"];
/// Where `mac` is found.
const MAC: &str = "192.168.56.30";

#[derive(Clone)]
pub(super) struct Host {
    pub(super) name: &'static str,
    legs: Vec<Leg>,
    /// Behind the NAT of `mac`: what is forwarded, and whether 10.0.2.2 leads to its loopback.
    nat: Option<(Vec<Forward>, bool)>,
    pub(super) listens: Vec<&'static str>,
}

#[derive(Clone)]
struct Leg {
    name: &'static str,
    segment: &'static str,
    address: &'static str,
    gateway: Option<&'static str>,
}

#[derive(Clone)]
struct Forward {
    protocol: &'static str,
    address: &'static str,
    port: u16,
    to: u16,
}

fn leg(name: &'static str, segment: &'static str, address: &'static str, gateway: Option<&'static str>) -> Leg {
    Leg { name, segment, address, gateway }
}

/// The machine, the two that are always there, and those that are sometimes.
pub(super) fn hosts(dice: &mut Dice) -> Vec<Host> {
    let mut hosts = all();
    let forward = |n: u16| Forward {
        protocol: dice.pick(&["tcp", "tcp", "tcp", "udp"]),
        address: dice.pick(&["", "", "127.0.0.1", MAC]),
        port: 2200 + n,
        to: [22, 3000, 3100, 3200, 9001, 9999][dice.below(6)],
    };
    let mut forwards: Vec<Forward> = (0..3).map(forward).collect();
    // Of several to one UDP port of the guest, answers go out by any: that has no model.
    for index in (1..forwards.len()).rev() {
        let (before, later) = forwards.split_at(index);
        if later[0].protocol == "udp" && before.iter().any(|f| f.protocol == "udp" && f.to == later[0].to) {
            forwards.remove(index);
        }
    }
    hosts[0].nat = Some((forwards, !dice.once_in(3)));
    for index in (0..3).rev() {
        if !dice.once_in(4) {
            hosts = without(&hosts, index).unwrap();
        }
    }
    hosts
}

/// All of them.
pub(super) fn all() -> Vec<Host> {
    let host = |name, legs, listens: &[&'static str]| Host { name, legs, nat: None, listens: listens.to_vec() };
    let [lan, back] = MACHINE;
    let own = vec![leg("enp0s8", "lan", lan, None), leg("enp0s9", "back", back, None)];
    let listens = ["22/tcp", "3005/tcp", "9001/udp", "127.0.0.1:3006/tcp", "192.168.57.10:3007/tcp"];
    // Whoever is in both networks is answered through the one that the question did not come by.
    let twice = vec![leg("eth0", "lan", "192.168.56.40", Some(lan)), leg("eth1", "back", "192.168.57.40", None)];
    vec![
        host("vm", own, &listens),
        host("peer", vec![leg("eth0", "lan", "192.168.56.20", Some(lan))], &["9000/tcp"]),
        host("far", vec![leg("eth0", "back", "192.168.57.20", Some(back))], &["9000/tcp"]),
        host("both", twice, &["9000/tcp", "9000/udp"]),
        host("quiet", vec![leg("eth0", "lan", "192.168.56.50", None)], &["9000/tcp"]),
        host("mac", vec![leg("en0", "lan", MAC, Some(lan))], &["9000/tcp", "127.0.0.1:9002/tcp"]),
    ]
}

/// The same lab without its host number `index`; only those that are sometimes there can be missing.
pub(super) fn without(hosts: &[Host], index: usize) -> Option<Vec<Host>> {
    let gone = hosts.iter().skip(3).nth(index)?.name;
    let mut rest: Vec<Host> = hosts.iter().filter(|host| host.name != gone).cloned().collect();
    if gone == "mac" {
        rest[0].nat = None;
    }
    Some(rest)
}

impl Host {
    pub(super) fn addresses(&self) -> impl Iterator<Item = &'static str> {
        self.legs.iter().map(|leg| leg.address)
    }

    /// Ports of `mac` that lead somewhere.
    pub(super) fn forwarded(&self) -> impl Iterator<Item = (&'static str, u16)> {
        self.nat.iter().flat_map(|(forwards, _)| forwards).map(|forward| (forward.protocol, forward.port))
    }

    pub(super) fn is_behind_nat(&self) -> bool {
        self.nat.is_some()
    }

    /// What `lab.yaml` says of it; `inside` are lines that belong to it.
    pub(super) fn to_yaml(&self, inside: &str) -> String {
        let mut text = format!("  {}:\n{inside}", self.name);
        if self.nat.is_some() {
            text.push_str("    on: mac\n");
        }
        text.push_str("    interfaces:\n");
        for Leg { name, segment, address, gateway } in &self.legs {
            let gateway = gateway.map_or_else(String::new, |gateway| format!(", gateway: {gateway}"));
            writeln!(text, "      {name}: {{network: {segment}, address: {address}/24{gateway}}}").unwrap();
        }
        if let Some((forwards, localhost)) = &self.nat {
            let forwards: Vec<String> = forwards
                .iter()
                .map(|f| format!("\"{}:{}:{}:10.0.2.15:{}\"", f.protocol, f.address, f.port, f.to))
                .collect();
            write!(text, "      enp0s3:\n        address: 10.0.2.15/24\n        gateway: 10.0.2.2\n        nat: ")
                .unwrap();
            let forwards = forwards.join(", ");
            writeln!(text, "{{engine: libslirp, localhost-reachable: {localhost}, forwards: [{forwards}]}}").unwrap();
        }
        writeln!(text, "    listen: [{}]", self.listens.join(", ")).unwrap();
        text
    }

    /// The same for `live.py`.
    pub(super) fn to_json(&self) -> Value {
        let legs = self.legs.iter().map(|leg| {
            let address = format!("{}/24", leg.address);
            json!({"name": leg.name, "segment": leg.segment, "address": address, "gateway": leg.gateway})
        });
        let nat = self.nat.iter().map(|(forwards, localhost)| {
            let forwards: Vec<_> =
                forwards.iter().map(|f| json!([f.protocol, f.address, f.port, "10.0.2.15", f.to])).collect();
            let network = json!({"on": "mac", "localhost": localhost, "forwards": forwards});
            json!({"name": "enp0s3", "nat": network, "address": "10.0.2.15/24", "gateway": "10.0.2.2"})
        });
        legs.chain(nat).collect()
    }
}
