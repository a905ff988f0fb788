//! Labs and hosts that the tests share.

mod nft;
mod recorded;
mod topology;

use std::collections::BTreeMap;

use super::*;
use crate::dataplane::{Interface, InterfaceId, Node, NodeKind, Ruleset, Sysctls, Toggle};
use crate::lab::{
    Container, Endpoint, EngineOptions, Host, HostKind, Listen as Listening, Networking, Os, Process, Publish,
};
use crate::lower::address::add_address;
use crate::net::{PortRange, Protocol};
use crate::provenance::Origin;
use crate::report::rules::{Beside, iptables};

fn origin() -> Origin {
    Origin::assumed("test", None)
}

fn version(tag: &str) -> Version {
    match tag {
        "20" => Version::new(20, 10, 24),
        "28" => Version::new(28, 5, 2),
        _ => Version::new(29, 7, 2),
    }
}

fn network(name: &str, bridge: &str, subnet: &str, gateway: &str) -> ContainerNetwork {
    ContainerNetwork {
        name: name.to_owned(),
        aliases: Vec::new(),
        bridge: bridge.to_owned(),
        parent: None,
        subnet: subnet.parse().unwrap(),
        gateway: gateway.parse().unwrap(),
        internal: false,
        icc: true,
        masquerade: true,
        gateway_mode: GatewayMode::Nat,
        publish_address: None,
        is_default_bridge: name == "bridge",
        origin: origin(),
    }
}

/// `[address:]port:port[/udp]`, as on the command line.
fn publish(text: &str) -> Publish {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let parts: Vec<_> = ports.split(':').collect();
    let [address @ .., host, port] = parts.as_slice() else { panic!("{text}") };
    Publish {
        host_address: address.first().map(|a| a.parse().unwrap()),
        host_port: host.parse().ok(),
        container_port: port.parse().unwrap(),
        protocol: protocol.parse().unwrap(),
        guard: None,
        origin: origin(),
    }
}

fn container(name: &str, networking: Networking, publishes: &[&str]) -> Container {
    let listen = |port| Listening {
        protocol: Protocol::Tcp,
        address: None,
        ports: PortRange::single(port),
        guard: None,
        widened: None,
        origin: origin(),
    };
    Container {
        name: name.to_owned(),
        aliases: Vec::new(),
        short_name: name.to_owned(),
        image: None,
        networking,
        publishes: publishes.iter().map(|p| publish(p)).collect(),
        withheld: Vec::new(),
        processes: vec![Process { name: "app".to_owned(), listens: vec![listen(3000)], origin: origin() }],
        publish_at: None,
        network_at: None,
        refused: None,
        idle: None,
        extra_hosts: BTreeMap::new(),
        environment: Vec::new(),
        command: Vec::new(),
        dials: Vec::new(),
        exposes: Vec::new(),
        origin: origin(),
    }
}

fn endpoint(network: usize, address: &str, name: &str) -> Endpoint {
    let names = vec![name.to_owned()];
    Endpoint { network, address: address.parse().unwrap(), names, guard: None, origin: origin() }
}

fn on(network: usize, address: &str, name: &str) -> Networking {
    Networking::Bridges(vec![endpoint(network, address, name)])
}

/// c1, c2 on the default bridge, c3 on n1, ch on the host.
fn standard(tag: &str) -> Engine {
    Engine {
        forwarded_to: None,
        version: version(tag),
        options: EngineOptions::default(),
        networks: vec![
            network("bridge", "docker0", "172.17.0.0/16", "172.17.0.1"),
            network("n1", "br-1", "172.18.0.0/16", "172.18.0.1"),
        ],
        containers: vec![
            container("c1", on(0, "172.17.0.2", "c1"), &["3000:3000", "3000:3000/udp"]),
            container("c2", on(0, "172.17.0.3", "c2"), &["127.0.0.1:3001:3000"]),
            container("c3", on(1, "172.18.0.2", "c3"), &["3002:3000"]),
            container("ch", Networking::Host(origin()), &[]),
        ],
        origin: origin(),
    }
}

/// One network for each gateway mode, with one container each.
fn gateway_modes(tag: &str) -> Engine {
    let with_mode = |number: u8, mode| ContainerNetwork {
        gateway_mode: mode,
        internal: mode == GatewayMode::Isolated,
        ..network(
            &format!("g{number}"),
            &format!("br-{number}"),
            &format!("172.30.{number}.0/24"),
            &format!("172.30.{number}.1"),
        )
    };
    Engine {
        forwarded_to: None,
        networks: vec![
            network("bridge", "docker0", "172.17.0.0/16", "172.17.0.1"),
            with_mode(1, GatewayMode::Nat),
            with_mode(2, GatewayMode::NatUnprotected),
            with_mode(3, GatewayMode::Routed),
            with_mode(4, GatewayMode::Isolated),
        ],
        containers: vec![
            container("c1", on(0, "172.17.0.2", "c1"), &["3000:3000"]),
            container("gn", on(1, "172.30.1.2", "gn"), &["3101:3000"]),
            container("gu", on(2, "172.30.2.2", "gu"), &["3102:3000"]),
            container("gr", on(3, "172.30.3.2", "gr"), &["3103:3000"]),
            container("gi", on(4, "172.30.4.2", "gi"), &[]),
        ],
        ..standard(tag)
    }
}

/// The engine of a recorded configuration.
fn engine(tag: &str, configuration: &str) -> Engine {
    let mut engine = if configuration == "gateway-modes" { gateway_modes(tag) } else { standard(tag) };
    let options = &mut engine.options;
    match configuration {
        "default" | "gateway-modes" | "user-chain" => {}
        "direct-routing" => options.allow_direct_routing = true,
        "ip-forward-no-drop" => options.ip_forward_no_drop = true,
        "ip-loopback" => options.publish_address = "127.0.0.1".parse().ok(),
        "noforward" => options.ip_forward = false,
        "noicc" => options.icc = false,
        "noiptables" => options.iptables = false,
        "nomasq" => options.ip_masq = false,
        "noproxy" => options.userland_proxy = false,
        other => panic!("what is `{other}`?"),
    }
    if tag == "29n" {
        options.backend = RuleBackend::Nftables;
    }
    engine
}

fn lab(engine: Engine) -> Lab {
    let host = Host {
        name: "vm".to_owned(),
        kind: HostKind::Physical,
        os: Os::Linux,
        interfaces: Vec::new(),
        processes: Vec::new(),
        engine: Some(engine),
        firewalld: None,
        events: Vec::new(),
        rules: Vec::new(),
        nft: Vec::new(),
        sysctls: Vec::new(),
        firewall: None,
        wsl: None,
        kept_ports: Vec::new(),
        tunnels: Vec::new(),
        ip_forward: false,
        routes: Vec::new(),
        files: Vec::new(),
        origin: origin(),
    };
    Lab { hosts: vec![host], ..Lab::default() }
}

/// The host as the caller hands it over: loopback only.
fn bare_host(forwards: bool) -> (Dataplane, NodeId) {
    let mut dataplane = Dataplane::default();
    let id = dataplane.origins.add(origin());
    let lo = Interface {
        name: "lo".to_owned(),
        addresses: Vec::new(),
        claims: Vec::new(),
        only_dials: false,
        link: None,
        up: true,
        route_localnet: false,
        any_way_in: Toggle::On,
        hairpin: false,
        apart_from: None,
        origin: id,
    };
    let ip_forward = if forwards { Toggle::On } else { Toggle::Off };
    let node = dataplane.add_node(Node {
        name: "vm".to_owned(),
        kind: NodeKind::Namespace,
        interfaces: vec![lo],
        routes: Vec::new(),
        ruleset: Ruleset::default(),
        sockets: Vec::new(),
        relays: Vec::new(),
        sysctls: Sysctls { ip_forward, ip_forward_origin: id, rp_filter_origin: id, bridge_calls_iptables: false },
        names: Vec::new(),
        unmodeled: Vec::new(),
        origin: id,
    });
    add_address(&mut dataplane, node, InterfaceId(0), "127.0.0.1/8".parse().unwrap(), id);
    (dataplane, node)
}

/// The dataplane of a host with this engine, started where nothing forwards yet.
fn started(engine: Engine) -> (Lab, Dataplane, NodeId) {
    let lab = lab(engine);
    let (mut dataplane, node) = bare_host(false);
    start(&lab, HostId(0), node, &mut dataplane);
    (lab, dataplane, node)
}

fn rendered(dataplane: &Dataplane, node: NodeId) -> String {
    iptables::render(dataplane.node(node), &dataplane.switches, &Beside::Nothing)
}
