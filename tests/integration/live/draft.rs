//! A random lab: a machine with docker and perhaps firewalld, a neighbour on either side of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use serde_json::json;

use crate::reality::predict::Model;

/// A connection to try.
pub(super) struct Probe {
    pub(super) from: String,
    pub(super) protocol: String,
    address: IpAddr,
    port: u16,
}

impl Probe {
    pub(super) fn place(&self) -> String {
        SocketAddr::new(self.address, self.port).to_string()
    }
}

/// A lab as files, and what the runner has to know beside them.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) files: BTreeMap<String, String>,
    containers: Vec<String>,
    /// Ports of the machine that are worth dialling.
    ports: Vec<u16>,
    listens: BTreeMap<String, Vec<String>>,
}

const MACHINE: [&str; 2] = ["192.168.56.10", "192.168.57.10"];
const PEERS: [(&str, &str); 2] = [("peer", "192.168.56.20"), ("far", "192.168.57.20")];
const ZONES: [&str; 9] = ["public", "drop", "block", "trusted", "external", "internal", "dmz", "home", "work"];

/// Numbers from a seed: splitmix64, which is enough for picking.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[self.below(among.len())]
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

impl Draft {
    pub(super) fn from_seed(seed: u64, docker: &str, firewalld: &str) -> Self {
        let mut dice = Dice(seed);
        let mut draft = Self::default();
        let has_firewalld = !dice.once_in(4);
        let docker_lines = draft.docker(&mut dice);
        let script = if has_firewalld { draft.firewalld(&mut dice, docker_lines) } else { docker_lines };
        draft.files.insert("setup.sh".to_owned(), script);
        draft.listens.insert("vm".to_owned(), vec!["22/tcp".to_owned(), "3005/tcp".to_owned(), "9001/udp".to_owned()]);
        for (name, _) in PEERS {
            draft.listens.insert(name.to_owned(), vec!["9000/tcp".to_owned()]);
        }
        let firewalld =
            if has_firewalld { format!("    firewalld: {{version: {firewalld}}}\n") } else { String::new() };
        let lab = draft.lab_yaml(docker, &firewalld);
        draft.files.insert("lab.yaml".to_owned(), lab);
        draft
    }

    fn lab_yaml(&self, docker: &str, firewalld: &str) -> String {
        let listen = |name: &str| self.listens[name].join(", ");
        let mut text = String::from("networks:\n");
        for (number, segment) in [(56, "lan"), (57, "back")] {
            writeln!(text, "  {segment}: {{subnet: 192.168.{number}.0/24, kind: internal}}").unwrap();
        }
        let files = if firewalld.is_empty() { "setup.sh" } else { "etc, setup.sh" };
        writeln!(
            text,
            "hosts:\n  vm:\n    files: [{files}]\n    docker: {{version: {docker}}}\n{firewalld}    interfaces:"
        )
        .unwrap();
        writeln!(text, "      enp0s8: {{network: lan, address: {}/24}}", MACHINE[0]).unwrap();
        writeln!(text, "      enp0s9: {{network: back, address: {}/24}}", MACHINE[1]).unwrap();
        writeln!(text, "    listen: [{}]", listen("vm")).unwrap();
        for ((name, address), (segment, gateway)) in PEERS.iter().zip(["lan", "back"].iter().zip(MACHINE)) {
            let interface = format!("{{network: {segment}, address: {address}/24, gateway: {gateway}}}");
            writeln!(text, "  {name}:\n    interfaces:\n      eth0: {interface}\n    listen: [{}]", listen(name))
                .unwrap();
        }
        text.push_str("containers:\n");
        for name in &self.containers {
            writeln!(text, "  {name}: {{listen: [{}]}}", listen(name)).unwrap();
        }
        text
    }

    /// dockerd, networks and containers.
    fn docker(&mut self, dice: &mut Dice) -> String {
        let mut text = String::from("dockerd");
        for option in
            ["--icc=false", "--userland-proxy=false", "--ip-masq=false", "--ip=127.0.0.1", "--ip-forward=false"]
        {
            if dice.once_in(6) {
                write!(text, " {option}").unwrap();
            }
        }
        if dice.once_in(12) {
            text.push_str(" --iptables=false");
        }
        text.push('\n');
        let mut networks = vec!["bridge", "bridge", "host", "none"];
        for (name, options) in
            [("front", network_options(dice)), ("back", network_options(dice)), ("sealed", "--internal")]
        {
            if !dice.once_in(3) {
                writeln!(text, "docker network create {options} {name}").unwrap();
                networks.extend([name, name]);
            }
        }
        for (number, name) in ["c1", "c2", "c3", "c4"].into_iter().enumerate().take(2 + dice.below(3)) {
            let network = dice.pick(&networks);
            self.container(dice, &mut text, name, number, network);
            let others: Vec<&str> =
                networks.iter().copied().filter(|n| !["bridge", "host", "none", network].contains(n)).collect();
            if !others.is_empty() && !["host", "none"].contains(&network) && dice.once_in(4) {
                writeln!(text, "docker network connect {} {name}", dice.pick(&others)).unwrap();
            }
        }
        text
    }

    fn container(&mut self, dice: &mut Dice, text: &mut String, name: &str, number: usize, network: &str) {
        if number == 1 && dice.once_in(6) {
            writeln!(text, "docker run -d --name {name} --network container:c1 bb:1 /bin/sleep 86400").unwrap();
            self.listens.insert(name.to_owned(), vec!["3020/tcp".to_owned()]);
            self.containers.push(name.to_owned());
            return;
        }
        let first = 3000 + 100 * u16::try_from(number).unwrap();
        let own = format!("{}/tcp", first + 50);
        let listens = if network == "host" {
            vec![own]
        } else {
            ["3000/tcp", "3000/udp", "3010/tcp"].map(str::to_owned).to_vec()
        };
        self.listens.insert(name.to_owned(), listens);
        self.containers.push(name.to_owned());
        self.ports.push(if network == "host" { first + 50 } else { first });
        write!(text, "docker run -d --name {name} --network {network}").unwrap();
        for published in 0..dice.below(3) {
            let address = dice.pick(&["", "", "", "127.0.0.1:", "192.168.56.10:", "192.168.57.10:"]);
            let inside = dice.pick(&["3000", "3000", "3010", "3000/udp", "3020"]);
            let port = first + u16::try_from(published).unwrap();
            write!(text, " -p {address}{port}:{inside}").unwrap();
            self.ports.push(port);
        }
        text.push_str(" bb:1 /bin/sleep 86400\n");
    }

    /// Zones, and how firewall and engine come up. Returns the whole script.
    fn firewalld(&mut self, dice: &mut Dice, docker: String) -> String {
        let (backend, default) = (dice.pick(&["nftables", "iptables"]), dice.pick(&ZONES));
        let strict = if dice.once_in(6) { "StrictForwardPorts=yes\n" } else { "" };
        let conf = format!("DefaultZone={default}\nFirewallBackend={backend}\n{strict}");
        self.files.insert("etc/firewalld/firewalld.conf".to_owned(), conf);
        if !dice.once_in(3) {
            self.zone(dice, default, "");
        }
        let bound = [
            "",
            "  <interface name=\"enp0s9\"/>\n",
            "  <source address=\"192.168.56.20\"/>\n",
            "  <source address=\"192.168.56.0/24\"/>\n",
        ];
        let binding = dice.pick(&bound);
        let other = dice.pick(&ZONES);
        if !binding.is_empty() && other != default {
            self.zone(dice, other, binding);
        }
        if dice.once_in(3) {
            self.policy(dice);
        }
        let start = "systemctl start firewalld\n";
        let mut script = if dice.once_in(4) { format!("{docker}{start}") } else { format!("{start}{docker}") };
        for _ in 0..dice.below(3) {
            let restart = format!("systemctl restart docker\ndocker start {}\n", self.containers.join(" "));
            script.push_str(dice.pick(&[
                "firewall-cmd --reload\n",
                "firewall-cmd --zone=public --add-port=3000/tcp\n",
                "firewall-cmd --permanent --add-port=3100/tcp\n",
                "firewall-cmd --add-rich-rule='rule family=ipv4 source address=192.168.56.20 reject'\n",
                "firewall-cmd --add-forward-port=port=8080:proto=tcp:toport=22\n",
                "firewall-cmd --zone=trusted --change-interface=enp0s9\n",
                "firewall-cmd --add-masquerade\n",
                "systemctl restart firewalld\n",
                "systemctl stop firewalld\nsystemctl start firewalld\n",
                "firewall-cmd --zone=public --change-interface=docker0\n",
                "firewall-cmd --permanent --new-policy=dock\n\
                 firewall-cmd --permanent --policy=dock --add-ingress-zone=docker\n\
                 firewall-cmd --permanent --policy=dock --add-egress-zone=HOST\n\
                 firewall-cmd --permanent --policy=dock --set-target=DROP\nfirewall-cmd --reload\n",
                &restart,
                "docker rm -f c2\n",
            ]));
        }
        self.ports.extend([8080, 8081]);
        script
    }

    fn zone(&mut self, dice: &mut Dice, name: &str, bindings: &str) {
        let target = match name {
            "drop" => " target=\"DROP\"",
            "block" => " target=\"%%REJECT%%\"",
            "trusted" => " target=\"ACCEPT\"",
            _ => dice.pick(&["", "", "", " target=\"ACCEPT\"", " target=\"DROP\"", " target=\"%%REJECT%%\""]),
        };
        let mut text = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<zone{target}>\n{bindings}");
        for element in [
            "<service name=\"ssh\"/>",
            "<port port=\"3000-3100\" protocol=\"tcp\"/>",
            "<port port=\"9001\" protocol=\"udp\"/>",
            "<masquerade/>",
            "<forward/>",
            "<forward-port port=\"8080\" protocol=\"tcp\" to-port=\"3005\"/>",
            "<forward-port port=\"8081\" protocol=\"tcp\" to-port=\"9000\" to-addr=\"192.168.57.20\"/>",
            "<rule family=\"ipv4\"><source address=\"192.168.56.0/24\"/><port port=\"22\" protocol=\"tcp\"/><drop/></rule>",
            "<rule priority=\"-5\"><port port=\"3005\" protocol=\"tcp\"/><accept/></rule>",
            "<icmp-block name=\"echo-request\"/>",
            "<icmp-block-inversion/>",
            "<protocol value=\"icmp\"/>",
            "<rule family=\"ipv4\"><source invert=\"true\" address=\"192.168.56.20\"/><reject/></rule>",
        ] {
            if dice.once_in(4) {
                writeln!(text, "  {element}").unwrap();
            }
        }
        text.push_str("</zone>\n");
        self.files.insert(format!("etc/firewalld/zones/{name}.xml"), text);
    }

    fn policy(&mut self, dice: &mut Dice) {
        let (ingress, egress) =
            (dice.pick(&["ANY", "HOST", "public", "trusted"]), dice.pick(&["ANY", "HOST", "public", "internal"]));
        // firewalld refuses a policy from the machine to itself.
        let egress = if ingress == "HOST" && egress == "HOST" { "ANY" } else { egress };
        let target = dice.pick(&["CONTINUE", "ACCEPT", "DROP", "REJECT"]);
        let priority = dice.pick(&["-1", "-100", "5"]);
        let content = dice.pick(&[
            "",
            "  <port port=\"3000\" protocol=\"tcp\"/>\n",
            "  <rule><port port=\"9000\" protocol=\"tcp\"/><reject/></rule>\n",
        ]);
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<policy target=\"{target}\" priority=\"{priority}\">\n{content}  \
             <ingress-zone name=\"{ingress}\"/>\n  <egress-zone name=\"{egress}\"/>\n</policy>\n"
        );
        self.files.insert("etc/firewalld/policies/mine.xml".to_owned(), text);
    }

    /// Everybody dials everything; container addresses are the predicted ones.
    pub(super) fn probes(&self, model: &Model) -> Vec<Probe> {
        let mut targets: Vec<(&str, IpAddr, u16)> = Vec::new();
        let mut add =
            |protocol: &'static str, address: &str, port| targets.push((protocol, address.parse().unwrap(), port));
        for address in [MACHINE[0], MACHINE[1], "127.0.0.1", "172.17.0.1"] {
            self.ports.iter().chain(&[22, 3005]).for_each(|port| add("tcp", address, *port));
            add("udp", address, 9001);
            self.ports.iter().for_each(|port| add("udp", address, *port));
            add("icmp", address, 0);
        }
        for (_, address) in PEERS {
            add("tcp", address, 9000);
            add("tcp", address, 9009);
            add("icmp", address, 0);
        }
        for address in self.containers.iter().flat_map(|c| model.addresses(c)) {
            add("tcp", &address.to_string(), 3000);
            add("tcp", &address.to_string(), 3010);
            add("udp", &address.to_string(), 3000);
            add("icmp", &address.to_string(), 0);
        }
        targets.sort_unstable();
        targets.dedup();
        let sources = ["vm", "peer", "far"].into_iter().chain(self.containers.iter().map(String::as_str));
        let probe = |from: &str, (protocol, address, port): &(&str, IpAddr, u16)| Probe {
            from: from.to_owned(),
            protocol: (*protocol).to_owned(),
            address: *address,
            port: *port,
        };
        sources.flat_map(|from| targets.iter().map(move |target| probe(from, target))).collect()
    }

    /// The lab as `live.py` reads it.
    pub(super) fn to_json(&self, probes: &[Probe]) -> String {
        let interface = |name: &str, segment: &str, address: &str, gateway: Option<&str>| json!({"name": name, "segment": segment, "address": format!("{address}/24"), "gateway": gateway});
        let hosts = json!({
            "vm": [interface("enp0s8", "lan", MACHINE[0], None), interface("enp0s9", "back", MACHINE[1], None)],
            "peer": [interface("eth0", "lan", PEERS[0].1, Some(MACHINE[0]))],
            "far": [interface("eth0", "back", PEERS[1].1, Some(MACHINE[1]))],
        });
        let probes: Vec<_> =
            probes.iter().map(|p| json!([p.from, p.protocol, p.address.to_string(), p.port])).collect();
        let lab =
            json!({"hosts": hosts, "machine": "vm", "files": self.files, "listens": self.listens, "probes": probes});
        lab.to_string()
    }
}

fn network_options(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "",
        "",
        "-o com.docker.network.bridge.enable_icc=false",
        "-o com.docker.network.bridge.enable_ip_masquerade=false",
        "-o com.docker.network.bridge.host_binding_ipv4=127.0.0.1",
    ])
}
