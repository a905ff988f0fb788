//! dockerd, networks and containers of a random lab.

use std::fmt::Write;

use canreach::net::Version;

use super::dice::Dice;
use super::draft::Draft;

/// Every container of a script is started like this.
const IMAGE: &str = "bb:1 /bin/sleep 86400";
/// Networks in which a container has no interfaces that docker could add to.
const WITHOUT_NETWORKS: [&str; 2] = ["host", "none"];

/// The lines of a script.
pub(super) fn script(draft: &mut Draft, dice: &mut Dice, version: Version) -> String {
    let mut text = daemon(draft, dice, version);
    let mut networks = vec!["bridge", "bridge", "host", "none"];
    let options = [
        network_options(dice, version, "10.20.0"),
        network_options(dice, version, "10.30.0"),
        format!("--internal {}", sealed_options(dice, version)),
    ];
    for (name, options) in ["front", "back", "sealed"].into_iter().zip(options) {
        if !dice.once_in(3) {
            writeln!(text, "docker network create {options} {name}").unwrap();
            networks.extend([name, name]);
        }
    }
    for (number, name) in ["c1", "c2", "c3", "c4"].into_iter().enumerate().take(2 + dice.below(3)) {
        if number == 1 && dice.once_in(6) {
            writeln!(text, "docker run -d --name {name} --network container:c1 {IMAGE}").unwrap();
            draft.add_container(name, &["3020/tcp"]);
            continue;
        }
        let network = dice.pick(&networks);
        container(draft, dice, &mut text, name, network);
        let others: Vec<&str> =
            networks.iter().copied().filter(|n| !["bridge", "host", "none", network].contains(n)).collect();
        if !others.is_empty() && !WITHOUT_NETWORKS.contains(&network) && dice.once_in(3) {
            writeln!(text, "docker network connect {} {name}", dice.pick(&others)).unwrap();
        }
    }
    text
}

/// The start of dockerd, with options on its command line or in daemon.json.
fn daemon(draft: &mut Draft, dice: &mut Dice, version: Version) -> String {
    let mut options: Vec<(&str, &str)> = Vec::new();
    let mut switches = vec![("icc", false), ("userland-proxy", false), ("ip-masq", false), ("ip-forward", false)];
    if version.major >= 28 {
        switches.extend([("allow-direct-routing", true), ("ip-forward-no-drop", true)]);
    }
    for (name, value) in switches {
        if dice.once_in(6) {
            options.push((name, if value { "true" } else { "false" }));
        }
    }
    // dockerd refuses `--iptables=false` with `--icc=false`.
    if dice.once_in(12) && options.iter().all(|(name, _)| *name != "icc") {
        options.push(("iptables", "false"));
    }
    let values = [
        ("ip", &["127.0.0.1", "192.168.56.10"][..], 6),
        ("bip", &["10.9.8.1/24", "172.17.0.5/24"], 8),
        ("default-address-pool", &["base=10.50.0.0/16,size=24", "base=10.60.0.0/20,size=28"], 10),
    ];
    for (name, among, times) in values {
        if dice.once_in(times) {
            options.push((name, dice.pick(among)));
        }
    }
    if dice.once_in(4) {
        let fields: Vec<String> = options.iter().map(|(name, value)| field(name, value)).collect();
        draft.files.insert("etc/docker/daemon.json".to_owned(), format!("{{{}}}\n", fields.join(", ")));
        return "dockerd\n".to_owned();
    }
    let words: String = options.iter().map(|(name, value)| format!(" --{name}={value}")).collect();
    format!("dockerd{words}\n")
}

fn field(name: &str, value: &str) -> String {
    match name {
        "default-address-pool" => {
            let pool = value.replace("base=", "\"base\": \"").replace(",size=", "\", \"size\": ");
            format!("\"default-address-pools\": [{{{pool}}}]")
        }
        _ if ["true", "false"].contains(&value) => format!("\"{name}\": {value}"),
        _ => format!("\"{name}\": \"{value}\""),
    }
}

fn network_options(dice: &mut Dice, version: Version, subnet: &str) -> String {
    let mut options = vec![
        "",
        "",
        "-o com.docker.network.bridge.enable_icc=false",
        "-o com.docker.network.bridge.enable_ip_masquerade=false",
        "-o com.docker.network.bridge.host_binding_ipv4=127.0.0.1",
        "-o com.docker.network.bridge.host_binding_ipv4=192.168.57.10",
    ];
    if version.major >= 27 {
        options.push("-o com.docker.network.bridge.gateway_mode_ipv4=routed");
    }
    if version.major >= 28 {
        options.push("-o com.docker.network.bridge.gateway_mode_ipv4=nat-unprotected");
    }
    let mut text = dice.pick(&options).to_owned();
    match dice.below(8) {
        0 => write!(text, " --subnet {subnet}.0/24").unwrap(),
        1 => write!(text, " --subnet {subnet}.0/24 --gateway {subnet}.200").unwrap(),
        2 => text.push_str(" -o com.docker.network.bridge.name=br-mine"),
        _ => {}
    }
    text
}

fn sealed_options(dice: &mut Dice, version: Version) -> &'static str {
    let isolated = "-o com.docker.network.bridge.gateway_mode_ipv4=isolated";
    let modes = ["", "", "-o com.docker.network.bridge.enable_icc=false", "--subnet 10.40.0.0/24"];
    if version.major >= 28 && dice.once_in(3) { isolated } else { dice.pick(&modes) }
}

fn container(draft: &mut Draft, dice: &mut Dice, text: &mut String, name: &str, network: &str) {
    let number: u16 = name[1..].parse().unwrap();
    let first = 3000 + 100 * (number - 1);
    let own = format!("{}/tcp", first + 50);
    match network {
        "host" => draft.add_container(name, &[&own]),
        _ => draft.add_container(name, &["3000/tcp", "3000/udp", "3010/tcp", "127.0.0.1:3030/tcp"]),
    }
    draft.ports.push(if network == "host" { first + 50 } else { first });
    write!(text, "docker run -d --name {name} --network {network}").unwrap();
    for published in 0..dice.below(3) {
        publish(draft, dice, text, first + 10 * u16::try_from(published).unwrap());
    }
    writeln!(text, " {IMAGE}").unwrap();
}

fn publish(draft: &mut Draft, dice: &mut Dice, text: &mut String, port: u16) {
    let address = Draft::host_address(dice);
    let inside = dice.pick(&["3000", "3000", "3000/tcp", "3010", "3000/udp", "3020", "3030"]);
    draft.ports.push(port);
    match dice.below(8) {
        // A range of as many ports; one port of many, of which docker takes the first that is free.
        0 => {
            draft.ports.push(port + 1);
            write!(text, " -p {address}{port}-{}:3000-3001", port + 1).unwrap();
        }
        1 => {
            draft.ports.push(port + 1);
            write!(text, " -p {address}{port}-{}:3010-3011/udp -p {address}{port}-{}:3000-3001", port + 1, port + 1)
                .unwrap();
        }
        2 => write!(text, " --publish published={port},target=3000,protocol=tcp").unwrap(),
        3 => write!(text, " -p {address}{port}:3000 -p {address}{port}:3000/udp").unwrap(),
        4 => write!(text, " -p 127.0.0.1:{port}:{inside} -p 192.168.57.10:{port}:{inside}").unwrap(),
        _ => write!(text, " -p {address}{port}:{inside}").unwrap(),
    }
}

/// A change while everything runs. It may be one that docker refuses.
pub(super) fn change(draft: &mut Draft, dice: &mut Dice, before: &str) -> String {
    let names: Vec<String> = draft.containers().map(str::to_owned).collect();
    let has = |network: &str| before.contains(&format!(" {network}\n"));
    let mut text = String::new();
    // What shares the namespace of a container that stops has no model.
    let shares = before.contains("container:c1");
    // What a container that is connected while docker's chains are gone gets has no model.
    let has_chains = before.find("systemctl start firewalld") < before.find("dockerd")
        && [" stop firewalld", "-X\n"].iter().all(|gone| !before.contains(gone));
    match dice.below(16) {
        6..=9 | 14 if !has_chains => text.push_str("docker network create late\n"),
        0 => writeln!(text, "systemctl restart docker\ndocker start {}", names.join(" ")).unwrap(),
        1 => text.push_str("docker rm -f c2\n"),
        2 if !shares => {
            text.push_str("docker rm -f c1\n");
            let network = dice.pick(&["bridge", "front", "back"]);
            let is_there = network == "bridge" || has(network);
            container(draft, dice, &mut text, "c5", if is_there { network } else { "bridge" });
        }
        3 if !shares => text.push_str("docker restart -t 0 c1\n"),
        4 if !shares => {
            text.push_str("docker stop -t 0 c1\n");
            container(draft, dice, &mut text, "c5", "bridge");
            text.push_str("docker start c1\n");
        }
        5 if has("front") => text.push_str("docker network rm front\n"),
        6 if has("front") => text.push_str("docker network connect front c1\n"),
        7 if has("back") => text.push_str("docker network connect back c2\n"),
        8 if has("back") => text.push_str("docker network disconnect back c3\n"),
        9 if has("sealed") => text.push_str("docker network connect sealed c1\n"),
        10 => text.push_str("docker kill c2\n"),
        11 => text.push_str("docker stop -t 0 c3\ndocker restart -t 0 c2\n"),
        12 => text.push_str("docker rm -f c2\ndocker restart -t 0 c3\n"),
        13 => writeln!(text, "systemctl restart docker\ndocker start {}", names.last().unwrap()).unwrap(),
        14 if !shares && has("front") => {
            text.push_str("docker stop -t 0 c1\ndocker network connect front c1\ndocker network connect front c2\n");
            text.push_str("docker start c1\n");
        }
        _ => text.push_str("docker network create late\n"),
    }
    text
}
