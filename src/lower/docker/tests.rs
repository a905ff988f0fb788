//! The rules of every line of engines against what real engines wrote, and the topology around them.
//!
//! `recorded/*.rules` were saved on machines with dockerd 20.10.24, 28.5.2 and 29.7.2 (`29n`: nftables backend): c1
//! `-p 3000:3000` tcp and udp, c2 `-p 127.0.0.1:3001:3000`, c3 on network n1 `-p 3002:3000`, ch in the host's
//! namespace; or one network for each gateway mode with one container each. Counters, comments and empty chains are
//! left out, and bridges are numbered.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::dataplane::{
    Action, ChainKind, Dial, Hook, HookPoint, Interface, InterfaceId, Listen, Match, Node, NodeKind, Policy, Rule,
    Ruleset, Sysctls, TableFamily, Toggle,
};
use crate::lab::{
    Container, Endpoint, EngineOptions, Host, HostKind, Listen as Listening, Networking, Os, Process, Publish,
};
use crate::lower::address::add_address;
use crate::net::{IpNet, PortRange, Protocol};
use crate::provenance::Origin;
use crate::report::rules::iptables;
use crate::switch::{Switch, SwitchKind};

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
        origin: origin(),
    };
    Container {
        name: name.to_owned(),
        aliases: Vec::new(),
        image: None,
        networking,
        publishes: publishes.iter().map(|p| publish(p)).collect(),
        processes: vec![Process { name: "app".to_owned(), listens: vec![listen(3000)], origin: origin() }],
        publish_at: None,
        network_at: None,
        extra_hosts: BTreeMap::new(),
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
        ip_forward: false,
        routes: Vec::new(),
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
        link: None,
        up: true,
        route_localnet: false,
        hairpin: false,
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
        sysctls: Sysctls { ip_forward, ip_forward_origin: id, bridge_calls_iptables: false },
        names: Vec::new(),
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

// Recorded iptables rules.

fn rendered(dataplane: &Dataplane, node: NodeId) -> String {
    iptables::render(dataplane.node(node), &dataplane.switches)
}

/// Rules, tables that have any, and the policy of FORWARD; bridges numbered in the order in which they show up. The
/// raw table holds nothing but drops, so there the order cannot matter.
fn normalised(saved: &str) -> Vec<String> {
    let wanted = |line: &&str| line.starts_with("*") || line.starts_with("-A") || line.starts_with(":FORWARD ");
    let users = |line: &&str| line.starts_with("-A DOCKER-USER -i");
    let lines: Vec<_> = saved.lines().filter(wanted).filter(|l| !users(l)).map(without_counters).collect();
    let mut tables = split_tables(&lines);
    for table in tables.iter_mut().filter(|t| t[0] == "*raw") {
        table.sort();
    }
    tables.retain(|t| t.iter().any(|l| l.starts_with("-A")));
    numbered(tables.into_iter().flatten().collect())
}

fn without_counters(line: &str) -> String {
    line.split(" [").next().unwrap().to_owned()
}

fn split_tables(lines: &[String]) -> Vec<Vec<String>> {
    let mut tables: Vec<Vec<String>> = Vec::new();
    for line in lines {
        if line.starts_with('*') {
            tables.push(Vec::new());
        }
        tables.last_mut().unwrap().push(line.clone());
    }
    tables
}

fn numbered(lines: Vec<String>) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    let mut number = |word: &str| {
        let Some(at) = word.find("br-") else { return word.to_owned() };
        let (before, bridge) = word.split_at(at);
        let index = known.iter().position(|k| k == bridge).unwrap_or_else(|| {
            known.push(bridge.to_owned());
            known.len() - 1
        });
        format!("{before}br-{}", index + 1)
    };
    lines.iter().map(|l| l.split(' ').map(&mut number).collect::<Vec<_>>().join(" ")).collect()
}

#[track_caller]
fn check(tag: &str, configuration: &str, recorded: &str) {
    let (_, dataplane, node) = started(engine(tag, configuration));
    assert_same(&normalised(&rendered(&dataplane, node)), &normalised(recorded), &format!("{tag} {configuration}"));
}

#[track_caller]
fn assert_same(actual: &[String], expected: &[String], what: &str) {
    assert_eq!(actual.join("\n"), expected.join("\n"), "{what}");
}

#[test]
fn engine_20_writes_the_recorded_rules() {
    check("20", "default", include_str!("recorded/20-default.rules"));
    check("20", "noproxy", include_str!("recorded/20-noproxy.rules"));
    check("20", "noicc", include_str!("recorded/20-noicc.rules"));
}

#[test]
fn engine_28_writes_the_recorded_rules() {
    check("28", "default", include_str!("recorded/28-default.rules"));
    check("28", "noproxy", include_str!("recorded/28-noproxy.rules"));
    check("28", "gateway-modes", include_str!("recorded/28-gateway-modes.rules"));
}

#[test]
fn engine_29_writes_the_recorded_rules() {
    check("29", "default", include_str!("recorded/29-default.rules"));
    check("29", "noicc", include_str!("recorded/29-noicc.rules"));
    check("29", "gateway-modes", include_str!("recorded/29-gateway-modes.rules"));
}

/// After a reload of firewalld 20.10 has no isolation between networks any more.
#[test]
fn engine_20_puts_back_the_recorded_rules() {
    let (lab, mut dataplane, node) = started(standard("20"));
    dataplane.node_mut(node).ruleset = Ruleset::default();
    reinstall(&lab, HostId(0), node, &mut dataplane);
    let recorded = include_str!("recorded/20-reload.rules");
    assert_same(&normalised(&rendered(&dataplane, node)), &normalised(recorded), "20 reload");
}

#[test]
fn later_engines_put_back_what_they_wrote_first() {
    for tag in ["28", "29"] {
        let (lab, mut dataplane, node) = started(standard(tag));
        let first = rendered(&dataplane, node);
        dataplane.node_mut(node).ruleset = Ruleset::default();
        reinstall(&lab, HostId(0), node, &mut dataplane);
        assert_eq!(rendered(&dataplane, node), first, "{tag}");
    }
}

#[test]
fn a_restart_changes_nothing() {
    for tag in ["20", "28", "29", "29n"] {
        let (lab, mut dataplane, node) = started(engine(tag, "default"));
        let print = |d: &Dataplane| (rendered(d, node), nft_lines(d, node));
        let first = print(&dataplane);
        install_rules(&lab, HostId(0), node, &mut dataplane);
        assert_eq!(print(&dataplane), first, "{tag}");
    }
}

/// With the recordings at hand, every one of them.
#[test]
fn all_recordings_agree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracle/rulesets");
    let Ok(files) = std::fs::read_dir(folder) else { return };
    let mut compared = 0;
    for path in files.map(|f| f.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some((tag, configuration)) = name.split_once("-docker-") else { continue };
        let tag = tag.trim_start_matches('d');
        if name.contains("fw-") || name.contains("order-") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let (saved, nft) = text.split_once("##### nft").unwrap();
        if tag == "29n" {
            check_nft(configuration, &nft_from_save(nft));
        } else {
            check(tag, configuration, saved);
        }
        compared += 1;
    }
    assert!(compared > 30, "{compared}");
}

// Recorded nft rules.

/// `chain: rule` for every rule of docker's table, base chains with their header; the jumps that docker keeps in maps
/// are left out.
fn nft_lines(dataplane: &Dataplane, node: NodeId) -> Vec<String> {
    let ruleset = &dataplane.node(node).ruleset;
    let mut lines = Vec::new();
    for chain in ruleset.chains.iter().filter(|c| ruleset.get_table(c.table).family == TableFamily::Ip) {
        if let Some(point) = chain.hook {
            lines.push(format!("{}: {}", chain.name, nft_hook(point)));
        }
        let mapped = ["filter-FORWARD", "nat-POSTROUTING"].contains(&chain.name.as_str());
        for rule in chain.rules.iter().filter(|_| !mapped) {
            lines.push(format!("{}: {}", chain.name, nft_rule(ruleset, rule)));
        }
    }
    lines
}

fn nft_hook(point: HookPoint) -> String {
    let (hook, priority) = match (point.hook, point.priority) {
        (Hook::Prerouting, -300) => ("prerouting", "raw"),
        (Hook::Prerouting, -100) => ("prerouting", "dstnat"),
        (Hook::Output, -100) => ("output", "dstnat"),
        (Hook::Forward, 0) => ("forward", "filter"),
        (Hook::Postrouting, 100) => ("postrouting", "srcnat"),
        other => panic!("{other:?}"),
    };
    let kind = if point.kind == ChainKind::Nat { "nat" } else { "filter" };
    let policy = if point.policy == Policy::Accept { "accept" } else { "drop" };
    format!("type {kind} hook {hook} priority {priority}; policy {policy};")
}

fn nft_rule(ruleset: &Ruleset, rule: &Rule) -> String {
    let mut words: Vec<_> = rule.matches.iter().map(|m| nft_match(m, "")).collect();
    words.push(match &rule.action {
        Action::Accept => "accept".to_owned(),
        Action::Drop => "drop".to_owned(),
        Action::Masquerade => "masquerade".to_owned(),
        Action::Jump(chain) => format!("jump {}", ruleset.get(*chain).name),
        Action::DestinationNat { address: Some(address), port: Some(port) } => format!("dnat to {address}:{port}"),
        other => panic!("{other:?}"),
    });
    // nft names the protocol once, before the port.
    words.join(" ").replace("ip protocol tcp dport", "tcp dport").replace("ip protocol udp dport", "udp dport")
}

fn nft_match(condition: &Match, not: &str) -> String {
    let address = |net: &IpNet| net.to_string().trim_end_matches("/32").to_owned();
    match condition {
        Match::Not(inner) => nft_match(inner, "!= "),
        Match::InInterface(name) => format!("iifname {not}{name}"),
        Match::OutInterface(name) => format!("oifname {not}{name}"),
        Match::Source(net) => format!("ip saddr {not}{}", address(net)),
        Match::Destination(net) => format!("ip daddr {not}{}", address(net)),
        Match::Protocol(protocol) => format!("ip protocol {protocol}"),
        Match::DestinationPort(port) => format!("dport {port}"),
        Match::State(_) => "ct state established,related".to_owned(),
        Match::DestinationIsLocal => "fib daddr type local".to_owned(),
        Match::SourceIsLocal => "fib saddr type local".to_owned(),
        other => panic!("{other:?}"),
    }
}

/// The lines of `nft list ruleset` for docker's IPv4 table, in the form of [`nft_lines`].
fn nft_from_save(saved: &str) -> String {
    let table = saved.split("table ip docker-bridges {").nth(1).unwrap().split("\n}").next().unwrap();
    let mut chain = None;
    let mut lines = Vec::new();
    for line in table.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("chain ") {
            chain = name.strip_suffix(" {");
        } else if line.starts_with("map ") {
            chain = None;
        } else if let Some(chain) = chain.filter(|_| !line.is_empty() && line != "}" && !line.contains("vmap")) {
            let rule = line.split(" comment ").next().unwrap().replace("counter ", "").replace('"', "");
            lines.push(format!("{chain}: {rule}"));
        }
    }
    lines.join("\n")
}

/// By chain and, in the raw chain, which only drops, in any order. Chain names have a bridge in them: numbered first.
#[track_caller]
fn check_nft(configuration: &str, recorded: &str) {
    let (_, dataplane, node) = started(engine("29n", configuration));
    let sorted = |lines: Vec<String>| {
        let mut lines = numbered(lines);
        let chain = |l: &String| l.split(": ").next().unwrap().to_owned();
        lines.sort_by_key(|l| (chain(l), l.starts_with("raw-").then(|| l.clone())));
        lines
    };
    let split = |text: &str| text.lines().map(|l| l.replace(": ", " : ")).collect::<Vec<_>>();
    let actual = sorted(split(&nft_lines(&dataplane, node).join("\n")));
    let expected = sorted(split(recorded));
    assert_same(&actual, &expected, configuration);
}

#[test]
fn engine_29_writes_the_recorded_nft_rules() {
    check_nft("default", include_str!("recorded/29n-default.rules"));
    check_nft("noproxy", include_str!("recorded/29n-noproxy.rules"));
    check_nft("gateway-modes", include_str!("recorded/29n-gateway-modes.rules"));
}

/// In the recording: `oifname vmap @filter-forward-in-jumps`, then `iifname vmap @filter-forward-out-jumps`; for nat
/// `iifname vmap @nat-postrouting-out-jumps` first.
#[test]
fn nft_maps_become_jumps() {
    let (_, dataplane, node) = started(engine("29n", "default"));
    let ruleset = &dataplane.node(node).ruleset;
    let jumps = |name: &str| {
        let chain = ruleset.chains.iter().find(|c| c.name == name).unwrap();
        chain.rules.iter().map(|r| nft_rule(ruleset, r)).collect::<Vec<_>>()
    };
    assert_eq!(
        jumps("filter-FORWARD"),
        [
            "oifname docker0 jump filter-forward-in__docker0",
            "oifname br-1 jump filter-forward-in__br-1",
            "iifname docker0 jump filter-forward-out__docker0",
            "iifname br-1 jump filter-forward-out__br-1",
        ]
    );
    assert_eq!(
        jumps("nat-POSTROUTING"),
        [
            "iifname docker0 jump nat-postrouting-out__docker0",
            "iifname br-1 jump nat-postrouting-out__br-1",
            "oifname docker0 jump nat-postrouting-in__docker0",
            "oifname br-1 jump nat-postrouting-in__br-1",
        ]
    );
}

// Forwarding.

#[test]
fn forward_drops_only_where_docker_turned_forwarding_on() {
    let policy = |engine: Engine, forwards: bool| {
        let lab = lab(engine);
        let (mut dataplane, node) = bare_host(forwards);
        start(&lab, HostId(0), node, &mut dataplane);
        let text = rendered(&dataplane, node);
        text.lines().find(|l| l.starts_with(":FORWARD")).unwrap_or("nothing").to_owned()
    };
    assert_eq!(policy(standard("28"), false), ":FORWARD DROP [0:0]");
    assert_eq!(policy(standard("28"), true), ":FORWARD ACCEPT [0:0]");
    assert_eq!(policy(engine("28", "noforward"), false), ":FORWARD ACCEPT [0:0]");
    assert_eq!(policy(engine("28", "noiptables"), false), "nothing");
}

#[test]
fn the_nftables_backend_does_not_turn_forwarding_on() {
    let forwards = |tag| {
        let (_, dataplane, node) = started(engine(tag, "default"));
        dataplane.node(node).sysctls.ip_forward
    };
    assert_eq!(forwards("29"), Toggle::On);
    assert_eq!(forwards("29n"), Toggle::Off);
}

/// Where docker's jumps stand beside rules that were there before, as recorded with firewalld's iptables backend.
#[test]
fn docker_goes_in_front_of_other_rules_but_for_its_ports_in_postrouting() {
    let chains = |tag: &str, reloaded: bool| {
        let lab = lab(standard(tag));
        let (mut dataplane, node) = bare_host(false);
        firewalld_like(&mut dataplane, node);
        start(&lab, HostId(0), node, &mut dataplane);
        if reloaded {
            dataplane.node_mut(node).ruleset = Ruleset::default();
            firewalld_like(&mut dataplane, node);
            reinstall(&lab, HostId(0), node, &mut dataplane);
        }
        let text = rendered(&dataplane, node);
        let jump = |l: &str| l.rsplit(' ').next().unwrap().to_owned();
        let of = |chain: &str| -> Vec<_> { text.lines().filter(|l| l.starts_with(chain)).map(jump).collect() };
        (of("-A FORWARD"), of("-A POSTROUTING"))
    };
    let (forward, _) = chains("28", false);
    assert_eq!(forward, ["DOCKER-USER", "DOCKER-FORWARD", "DROP"]);
    let (forward, postrouting) = chains("20", false);
    assert_eq!(forward[..2], ["DOCKER-USER", "DOCKER-ISOLATION-STAGE-1"]);
    assert_eq!(forward.last().unwrap(), "DROP");
    assert_eq!(
        postrouting,
        ["MASQUERADE", "MASQUERADE", "RETURN", "MASQUERADE", "MASQUERADE", "MASQUERADE", "MASQUERADE"]
    );
    let (forward, _) = chains("20", true);
    assert_eq!(forward[0], "DOCKER-ISOLATION-STAGE-1");
    assert_eq!(forward[forward.len() - 2..], ["DOCKER-USER", "DROP"]);
}

/// One rule of somebody else in FORWARD and in POSTROUTING.
fn firewalld_like(dataplane: &mut Dataplane, node: NodeId) {
    let id = dataplane.origins.add(origin());
    let ruleset = &mut dataplane.node_mut(node).ruleset;
    for (table, name, hook, kind, priority, action) in [
        ("filter", "FORWARD", Hook::Forward, ChainKind::Filter, 0, Action::Drop),
        ("nat", "POSTROUTING", Hook::Postrouting, ChainKind::Nat, 100, Action::Return),
    ] {
        let table = ruleset.table(TableFamily::Iptables, table);
        let point = HookPoint { hook, kind, priority, policy: Policy::Accept };
        let chain = ruleset.chain(table, name, Some(point), id);
        ruleset.get_mut(chain).rules.push(Rule { matches: Vec::new(), action, guard: None, origin: id });
    }
}

// Topology.

fn relays(engine: Engine) -> Vec<String> {
    let (_, dataplane, node) = started(engine);
    let text = |relay: &crate::dataplane::Relay| {
        let Listen::Socket { address, port } = relay.listen else { panic!() };
        let Dial::To { address: dialed, port: to } = relay.dial else { panic!() };
        let address = address.map_or("*".to_owned(), |a| a.to_string());
        format!("{} {} {address}:{port} -> {dialed}:{to}", relay.name, relay.protocol)
    };
    dataplane.node(node).relays.iter().map(text).collect()
}

#[test]
fn every_published_port_has_a_proxy_unless_nothing_is_translated() {
    assert_eq!(
        relays(engine("20", "noiptables")),
        [
            "docker-proxy tcp *:3000 -> 172.17.0.2:3000",
            "docker-proxy udp *:3000 -> 172.17.0.2:3000",
            "docker-proxy tcp 127.0.0.1:3001 -> 172.17.0.3:3000",
            "docker-proxy tcp *:3002 -> 172.18.0.2:3000",
        ]
    );
    assert_eq!(
        relays(gateway_modes("28")),
        [
            "docker-proxy tcp *:3000 -> 172.17.0.2:3000",
            "docker-proxy tcp *:3101 -> 172.30.1.2:3000",
            "docker-proxy tcp *:3102 -> 172.30.2.2:3000",
        ]
    );
    assert_eq!(relays(engine("29", "noproxy")), Vec::<String>::new());
}

fn routes(dataplane: &Dataplane, node: &str) -> Vec<String> {
    let node = dataplane.node(dataplane.node_named(node).unwrap());
    let text = |route: &crate::dataplane::Route| match route.target {
        crate::dataplane::RouteTarget::Local { interface } => {
            format!("local {} dev {}", route.prefix, node.interface(interface).name)
        }
        crate::dataplane::RouteTarget::Via { interface, gateway, .. } => {
            let via = gateway.map(|g| format!(" via {g}")).unwrap_or_default();
            format!("{}{via} dev {}", route.prefix, node.interface(interface).name)
        }
        crate::dataplane::RouteTarget::Unreachable => format!("unreachable {}", route.prefix),
    };
    node.routes.iter().filter(|r| !r.prefix.addr().is_loopback()).map(text).collect()
}

#[test]
fn containers_are_routed_through_their_gateway_unless_it_leads_nowhere() {
    let (_, dataplane, node) = started(gateway_modes("28"));
    assert_eq!(
        routes(&dataplane, "vm/gn"),
        ["local 172.30.1.2/32 dev eth0", "172.30.1.0/24 dev eth0", "0.0.0.0/0 via 172.30.1.1 dev eth0"]
    );
    assert_eq!(routes(&dataplane, "vm/gi"), ["local 172.30.4.2/32 dev eth0", "172.30.4.0/24 dev eth0"]);
    let host = routes(&dataplane, "vm");
    assert!(host.contains(&"local 172.30.1.1/32 dev br-1".to_owned()), "{host:?}");
    assert!(!host.iter().any(|r| r.contains("172.30.4.")), "no address on an isolated bridge: {host:?}");
    let bridge = dataplane.node(node).interface_named("br-1").unwrap();
    let link = dataplane.node(node).interface(bridge).link.unwrap();
    let members: Vec<_> = dataplane.members(link).map(|(n, _, _)| dataplane.node(n).name.as_str()).collect();
    assert_eq!(members, ["vm", "vm/gn"]);
    assert_eq!(dataplane.link(link).bridge.map(|b| b.interface), Some(bridge));
}

#[test]
fn programs_listen_where_their_container_lives() {
    let mut engine = standard("28");
    engine.containers.push(container("side", Networking::Container(0, origin()), &[]));
    engine.containers.push(container("circle", Networking::Container(5, origin()), &[]));
    let (_, dataplane, _) = started(engine);
    let owners = |node: &str| {
        let node = dataplane.node(dataplane.node_named(node).unwrap());
        node.sockets.iter().map(|s| s.owner.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(owners("vm"), ["ch"]);
    assert_eq!(owners("vm/c1"), ["c1", "side"]);
    assert_eq!(dataplane.node_named("vm/side"), None);
}

#[test]
fn names_are_known_on_user_networks_only() {
    let mut engine = standard("28");
    engine.containers[0].networking =
        Networking::Bridges(vec![endpoint(0, "172.17.0.2", "c1"), endpoint(1, "172.18.0.3", "c1")]);
    engine.containers[1].extra_hosts.insert("db".to_owned(), "10.0.0.9".parse().unwrap());
    let (_, dataplane, _) = started(engine);
    let names = |node: &str| {
        let node = dataplane.node(dataplane.node_named(node).unwrap());
        node.names.iter().map(|n| format!("{} {}", n.name, n.address)).collect::<Vec<_>>()
    };
    assert_eq!(names("vm/c1"), ["localhost 127.0.0.1", "c1 172.18.0.3", "c3 172.18.0.2"]);
    assert_eq!(names("vm/c2"), ["localhost 127.0.0.1", "db 10.0.0.9"]);
}

/// A port is published on the endpoint that leads out; an internal network publishes nothing, and says nothing.
#[test]
fn ports_belong_to_the_endpoint_that_leads_out() {
    let mut engine = standard("28");
    engine.networks.push(ContainerNetwork { internal: true, ..network("in", "br-2", "10.9.0.0/24", "10.9.0.1") });
    engine.containers = vec![
        container(
            "both",
            Networking::Bridges(vec![endpoint(2, "10.9.0.2", ""), endpoint(1, "172.18.0.2", "")]),
            &["80:80"],
        ),
        container("inside", on(2, "10.9.0.3", ""), &["81:80"]),
    ];
    assert_eq!(relays(engine.clone()), ["docker-proxy tcp *:80 -> 172.18.0.2:80"]);
    let (_, dataplane, node) = started(engine);
    assert!(!rendered(&dataplane, node).contains("10.9.0.3"));
    assert_eq!(routes(&dataplane, "vm/both").last().unwrap(), "0.0.0.0/0 via 172.18.0.1 dev eth1");
}

/// Candidate edits leave no trace but rules, relays, routes and names with their guard.
#[test]
fn what_a_switch_brings_is_guarded_everywhere() {
    let mut engine = standard("28");
    let mut lab_switches = crate::switch::Switches::default();
    let statement = "port published".to_owned();
    let switch = lab_switches.add(Switch { statement, default: false, kind: SwitchKind::Edit, origin: origin() });
    engine.containers[0].publishes.push(Publish { guard: Some(switch), ..publish("9000:9000") });
    let lab = lab(engine);
    let (mut dataplane, node) = bare_host(false);
    dataplane.switches = lab_switches;
    start(&lab, HostId(0), node, &mut dataplane);
    let text = rendered(&dataplane, node);
    let lines: Vec<_> = text.lines().collect();
    for (before, line) in lines.iter().zip(&lines[1..]) {
        assert_eq!(line.contains("9000"), before.starts_with("# only if port published"), "{line}");
    }
    let relay = dataplane.node(node).relays.iter().find(|r| r.guard.is_some()).unwrap();
    assert_eq!(relay.listen, Listen::Socket { address: None, port: 9000 });
}
