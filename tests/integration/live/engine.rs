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
    let mut text = daemon(dice, version);
    let mut networks = vec!["bridge", "bridge", "host", "none"];
    let options = [network_options(dice, version), network_options(dice, version), "--internal".to_owned()];
    for (name, options) in ["front", "back", "sealed"].into_iter().zip(options) {
        if !dice.once_in(3) {
            let isolated = "-o com.docker.network.bridge.gateway_mode_ipv4=isolated";
            let is_isolated = name == "sealed" && version.major >= 28 && dice.once_in(3);
            let mode = if is_isolated { isolated } else { "" };
            writeln!(text, "docker network create {options} {mode} {name}").unwrap();
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
        if !others.is_empty() && !WITHOUT_NETWORKS.contains(&network) && dice.once_in(4) {
            writeln!(text, "docker network connect {} {name}", dice.pick(&others)).unwrap();
        }
    }
    text
}

fn daemon(dice: &mut Dice, version: Version) -> String {
    let mut text = String::from("dockerd");
    let mut options =
        vec!["--icc=false", "--userland-proxy=false", "--ip-masq=false", "--ip=127.0.0.1", "--ip-forward=false"];
    if version.major >= 28 {
        options.extend(["--allow-direct-routing", "--ip-forward-no-drop"]);
    }
    for option in options {
        if dice.once_in(6) {
            write!(text, " {option}").unwrap();
        }
    }
    // dockerd refuses `--iptables=false` with `--icc=false`.
    if dice.once_in(12) && !text.contains("icc") {
        text.push_str(" --iptables=false");
    }
    if dice.once_in(12) {
        text.push_str(" --bip=10.9.8.1/24");
    }
    text.push('\n');
    text
}

fn network_options(dice: &mut Dice, version: Version) -> String {
    let mut options = vec![
        "",
        "",
        "-o com.docker.network.bridge.enable_icc=false",
        "-o com.docker.network.bridge.enable_ip_masquerade=false",
        "-o com.docker.network.bridge.host_binding_ipv4=127.0.0.1",
    ];
    if version.major >= 27 {
        options.push("-o com.docker.network.bridge.gateway_mode_ipv4=routed");
    }
    if version.major >= 28 {
        options.push("-o com.docker.network.bridge.gateway_mode_ipv4=nat-unprotected");
    }
    dice.pick(&options).to_owned()
}

fn container(draft: &mut Draft, dice: &mut Dice, text: &mut String, name: &str, network: &str) {
    let number: u16 = name[1..].parse().unwrap();
    let first = 3000 + 100 * (number - 1);
    let own = format!("{}/tcp", first + 50);
    match network {
        "host" => draft.add_container(name, &[&own]),
        _ => draft.add_container(name, &["3000/tcp", "3000/udp", "3010/tcp"]),
    }
    draft.ports.push(if network == "host" { first + 50 } else { first });
    write!(text, "docker run -d --name {name} --network {network}").unwrap();
    for published in 0..dice.below(3) {
        let address = dice.pick(&["", "", "", "127.0.0.1:", "192.168.56.10:", "192.168.57.10:"]);
        let inside = dice.pick(&["3000", "3000", "3010", "3000/udp", "3020"]);
        let port = first + u16::try_from(published).unwrap();
        write!(text, " -p {address}{port}:{inside}").unwrap();
        draft.ports.push(port);
    }
    writeln!(text, " {IMAGE}").unwrap();
}

/// A change while everything runs. It may be one that docker refuses.
pub(super) fn change(draft: &mut Draft, dice: &mut Dice, before: &str) -> String {
    let names: Vec<String> = draft.containers().map(str::to_owned).collect();
    let mut text = String::new();
    match dice.below(6) {
        0 => writeln!(text, "systemctl restart docker\ndocker start {}", names.join(" ")).unwrap(),
        1 | 2 => writeln!(text, "docker rm -f c2").unwrap(),
        3 if !before.contains("container:c1") => {
            text.push_str("docker rm -f c1\n");
            let network = dice.pick(&["bridge", "front", "back"]);
            let is_there = network == "bridge" || before.contains(&format!(" {network}\n"));
            container(draft, dice, &mut text, "c5", if is_there { network } else { "bridge" });
        }
        4 if before.contains(" front\n") => text.push_str("docker network connect front c1\n"),
        _ if before.contains(" back\n") => text.push_str("docker network disconnect back c3\n"),
        _ => text.push_str("docker network create late\n"),
    }
    text
}
