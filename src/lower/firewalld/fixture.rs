//! Labs, hosts and recordings that tests of firewalld share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::dataplane::{Dataplane, Node, NodeId, NodeKind, Ruleset, Sysctls, Toggle};
use crate::lab::{
    Container, ContainerNetwork, Content, Endpoint, Engine, EngineOptions, Entry, Firewalld, ForwardPort, GatewayMode,
    Host, HostKind, Lab, Networking, Os, Policy, Publish, RichAction, RichElement, RichRule, RuleBackend, Service,
    Target, Zone,
};
use crate::net::{Family, PortRange, Protocol, Version};
use crate::provenance::Origin;

pub(in crate::lower) fn origin() -> Origin {
    Origin::assumed("test", None)
}

pub(in crate::lower) fn entry<T>(value: T) -> Entry<T> {
    Entry { value, guard: None, origin: origin() }
}

fn entries(names: &[&str]) -> Vec<Entry<String>> {
    names.iter().map(|n| entry((*n).to_owned())).collect()
}

pub(in crate::lower) fn service(name: &str, protocol: Protocol, port: u16, destinations: &[&str]) -> Entry<Service> {
    entry(Service {
        name: name.to_owned(),
        ports: vec![(protocol, PortRange::single(port))],
        destinations: destinations.iter().map(|d| d.parse().unwrap()).collect(),
    })
}

pub(in crate::lower) fn ssh() -> Entry<Service> {
    service("ssh", Protocol::Tcp, 22, &[])
}

pub(in crate::lower) fn zone(target: Target, content: Content) -> Zone {
    Zone { target, interfaces: vec![], sources: vec![], forward: true, content, port_at: None, origin: origin() }
}

/// The built-in zones that the recordings use.
fn built_in_zones() -> BTreeMap<String, Zone> {
    let dhcpv6 = service("dhcpv6-client", Protocol::Udp, 546, &["fe80::/64"]);
    let public = Content { services: vec![ssh(), dhcpv6], ..Content::default() };
    let external = Content { services: vec![ssh()], masquerade: Some(origin()), ..Content::default() };
    let zones = [
        ("public", zone(Target::Default, public)),
        ("external", zone(Target::Default, external)),
        ("trusted", zone(Target::Accept, Content::default())),
        ("block", zone(Target::Reject, Content::default())),
        ("drop", zone(Target::Drop, Content::default())),
    ];
    zones.into_iter().map(|(name, zone)| (name.to_owned(), zone)).collect()
}

pub(in crate::lower) fn firewalld(version: Version, backend: RuleBackend) -> Firewalld {
    Firewalld {
        version,
        backend,
        default_zone: "public".to_owned(),
        strict_forward_ports: false,
        zones: built_in_zones(),
        policies: BTreeMap::new(),
        origin: origin(),
    }
}

fn network(name: &str, bridge: &str, subnet: &str, gateway: &str) -> ContainerNetwork {
    ContainerNetwork {
        name: name.to_owned(),
        aliases: vec![],
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

pub(in crate::lower) fn engine(version: Version) -> Engine {
    Engine {
        version,
        options: EngineOptions::default(),
        networks: vec![
            network("bridge", "docker0", "172.17.0.0/16", "172.17.0.1"),
            network("n1", "br-111111111111", "172.18.0.0/16", "172.18.0.1"),
        ],
        containers: vec![
            container("c1", Some((0, "172.17.0.2")), &[(None, 3000, Protocol::Tcp), (None, 3000, Protocol::Udp)]),
            container("c2", Some((0, "172.17.0.3")), &[(Some("127.0.0.1"), 3001, Protocol::Tcp)]),
            container("c3", Some((1, "172.18.0.2")), &[(None, 3002, Protocol::Tcp)]),
            container("ch", None, &[]),
        ],
        origin: origin(),
    }
}

/// A container on a network, or on the host, with ports of the host that lead to its port 3000.
fn container(name: &str, at: Option<(usize, &str)>, publishes: &[(Option<&str>, u16, Protocol)]) -> Container {
    let networking = at.map_or_else(
        || Networking::Host(origin()),
        |(network, address)| {
            let address = address.parse().unwrap();
            Networking::Bridges(vec![Endpoint { network, address, names: vec![], guard: None, origin: origin() }])
        },
    );
    let publish = |(address, port, protocol): &(Option<&str>, u16, Protocol)| Publish {
        host_address: address.map(|a| a.parse().unwrap()),
        host_port: Some(*port),
        container_port: 3000,
        protocol: *protocol,
        guard: None,
        origin: origin(),
    };
    Container {
        name: name.to_owned(),
        aliases: vec![],
        image: None,
        networking,
        publishes: publishes.iter().map(publish).collect(),
        processes: vec![],
        publish_at: None,
        network_at: None,
        extra_hosts: BTreeMap::new(),
        origin: origin(),
    }
}

pub(in crate::lower) fn lab(firewalld: Firewalld, engine: Option<Engine>) -> Lab {
    let host = Host {
        name: "vm".to_owned(),
        kind: HostKind::Physical,
        os: Os::Linux,
        interfaces: vec![],
        processes: vec![],
        engine,
        firewalld: Some(firewalld),
        events: vec![],
        ip_forward: false,
        routes: vec![],
        origin: origin(),
    };
    Lab { hosts: vec![host], ..Lab::default() }
}

pub(in crate::lower) fn empty_dataplane() -> (Dataplane, NodeId) {
    let mut dataplane = Dataplane::default();
    let origin = dataplane.origins.add(origin());
    let sysctls = Sysctls { ip_forward: Toggle::Off, ip_forward_origin: origin, bridge_calls_iptables: true };
    let id = dataplane.add_node(Node {
        name: "vm".to_owned(),
        kind: NodeKind::Namespace,
        interfaces: vec![],
        routes: vec![],
        ruleset: Ruleset::default(),
        sockets: vec![],
        relays: vec![],
        sysctls,
        names: vec![],
        origin,
    });
    (dataplane, id)
}

/// What one recording was made with.
pub(in crate::lower) struct Setup {
    pub(in crate::lower) firewalld: Firewalld,
    pub(in crate::lower) engine: Option<Engine>,
}

/// Engine and firewalld of a recording's tag.
pub(in crate::lower) fn versions(tag: &str) -> (Version, Version) {
    match tag {
        "d20" => (Version::new(1, 3, 3), Version::new(20, 10, 24)),
        "d28" => (Version::new(2, 5, 2), Version::new(28, 5, 2)),
        _ => (Version::new(2, 5, 2), Version::new(29, 7, 2)),
    }
}

pub(in crate::lower) fn policy(target: Target, ingress: &str, egress: &str) -> Policy {
    Policy {
        priority: -1,
        target,
        ingress: entries(&[ingress]),
        egress: entries(&[egress]),
        content: Content::default(),
        origin: origin(),
    }
}

fn forward(port: u16, to_port: u16, to_address: Option<&str>) -> Entry<ForwardPort> {
    entry(ForwardPort {
        protocol: Protocol::Tcp,
        ports: PortRange::single(port),
        to_port: Some(PortRange::single(to_port)),
        to_address: to_address.map(|a| a.parse().unwrap()),
    })
}

/// The configuration behind a recording `fw-BACKEND-NAME` or the like, as its scenario states it.
pub(in crate::lower) fn setup(tag: &str, backend: RuleBackend, name: &str) -> Setup {
    let (fw_version, engine_version) = versions(tag);
    let mut firewalld = firewalld(fw_version, backend);
    let mut engine = engine(engine_version);
    if tag == "d29n" {
        engine.options.backend = RuleBackend::Nftables;
    }
    let public = |firewalld: &mut Firewalld, change: &dyn Fn(&mut Zone)| {
        change(firewalld.zones.get_mut("public").unwrap());
    };
    let mut policies: Vec<(&str, Policy)> = vec![];
    match name {
        // The run-time changes of the second are gone: dockerd reloads firewalld when it makes its zone.
        "public" | "public-reject3000" => {}
        "noproxy" => engine.options.userland_proxy = false,
        "public-3000-4000" => public(&mut firewalld, &|z| {
            let ports = [4000, 9001].map(|port| entry((Protocol::Tcp, PortRange::single(port))));
            z.content = Content { services: vec![ssh()], ports: ports.into(), ..Content::default() };
        }),
        "drop" | "block" | "trusted" | "external" => firewalld.default_zone = name.to_owned(),
        "strict" => firewalld.strict_forward_ports = true,
        "noiptables" => engine.options.iptables = false,
        "src-drop" | "src-trusted" => {
            let zone = firewalld.zones.get_mut(name.trim_start_matches("src-")).unwrap();
            zone.forward = false;
            zone.sources = vec![entry("192.168.56.20/32".parse().unwrap())];
        }
        "docker0-in-public" => public(&mut firewalld, &|z| z.interfaces = entries(&["docker0"])),
        "forwardports" => public(&mut firewalld, &|z| {
            z.content.services = vec![ssh()];
            z.content.forward_ports = vec![
                forward(8080, 3000, Some("172.17.0.2")),
                forward(8081, 9001, None),
                forward(8082, 3010, Some("172.17.0.2")),
                forward(3000, 9001, None),
            ];
        }),
        "policy-dropdocker" => policies.push(("nodocker", policy(Target::Drop, "ANY", "docker"))),
        "policy-docker-any-reject" => policies.push(("da", policy(Target::Reject, "docker", "ANY"))),
        "policy-docker-host-drop" => policies.push(("dh", policy(Target::Drop, "docker", "HOST"))),
        "policy-pub-docker-reject3000" => {
            let mut filt = policy(Target::Continue, "public", "docker");
            filt.content.rich_rules = vec![entry(RichRule {
                priority: 0,
                family: Some(Family::V4),
                source: None,
                destination: None,
                element: RichElement::Port(Protocol::Tcp, PortRange::single(3000)),
                action: RichAction::Reject(None),
            })];
            policies.push(("filt", filt));
        }
        other => panic!("no setup for {other}"),
    }
    firewalld.policies.extend(policies.into_iter().map(|(name, policy)| (name.to_owned(), policy)));
    Setup { firewalld, engine: Some(engine) }
}

/// Recordings without an engine.
pub(in crate::lower) fn only_firewalld(tag: &str, backend: RuleBackend) -> Setup {
    let mut firewalld = firewalld(versions(tag).0, backend);
    let public = firewalld.zones.get_mut("public").unwrap();
    public.content = Content {
        services: vec![ssh()],
        ports: vec![
            entry((Protocol::Tcp, PortRange::single(3000))),
            entry((Protocol::Udp, PortRange::new(3001, 3005).unwrap())),
        ],
        forward_ports: vec![forward(8080, 9001, None), forward(8081, 9000, Some("192.168.56.20"))],
        ..Content::default()
    };
    let http = Content { services: vec![service("http", Protocol::Tcp, 80, &[])], ..Content::default() };
    let internal =
        Zone { sources: vec![entry("10.9.0.0/16".parse().unwrap())], forward: false, ..zone(Target::Default, http) };
    firewalld.zones.insert("internal".to_owned(), internal);
    Setup { firewalld, engine: None }
}

/// Where the recordings are, if they are at hand.
pub(in crate::lower) fn recordings() -> Option<PathBuf> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    Some(root.join("../shared/oracle/rulesets")).filter(|p| p.is_dir())
}

/// A rule that only concerns IPv6 and is left out by the model.
fn only_ipv6(line: &str) -> bool {
    line.contains("icmpv6") || line.contains("nfproto ipv6") || line.contains("ip6 daddr {")
}

fn sorted_set(line: &str) -> String {
    let Some((before, rest)) = line.split_once("{ ") else { return line.to_owned() };
    let Some((set, after)) = rest.split_once(" }") else { return line.to_owned() };
    let items: BTreeSet<&str> = set.split(", ").collect();
    format!("{before}{{ {} }}{after}", items.into_iter().collect::<Vec<_>>().join(", "))
}

/// The name that docker gave to the bridge of the network `n1`.
fn bridge_name(text: &str) -> Option<&str> {
    let at = text.find("br-")?;
    text.get(at..at + 15)
}

/// Chains of `table inet firewalld` in the text of `nft list ruleset`.
pub(in crate::lower) fn nft_chains(text: &str) -> BTreeMap<String, Vec<String>> {
    let text = bridge_name(text).map_or_else(|| text.to_owned(), |name| text.replace(name, "br-n1"));
    let mut chains = BTreeMap::new();
    let mut current = String::new();
    let lines = text.lines().skip_while(|l| !l.starts_with("table inet firewalld")).skip(1);
    for line in lines.take_while(|l| *l != "}") {
        let line = line.trim();
        if let Some(name) = line.strip_prefix("chain ") {
            current = name.trim_end_matches(" {").to_owned();
            chains.insert(current.clone(), vec![]);
        } else if !line.is_empty() && line != "}" && !line.starts_with("flags") && !only_ipv6(line) {
            let line = line.replace("priority -90;", "priority dstnat + 10;");
            chains.get_mut(&current).unwrap().push(sorted_set(&line));
        }
    }
    chains
}

/// Order does not matter in a list of rules that all accept, nor between neighbours that jump to the same policy, which
/// firewalld keeps in a set, nor between those of different containers, which dockerd puts back in the order of a map.
fn order_free(chain: &str, lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    if chain.contains("POLICIES") || ["raw PREROUTING", "filter DOCKER", "nat DOCKER"].contains(&chain) {
        let target =
            |line: &String| line.split_once("-j ").or(line.split_once("jump ")).map(|(_, to)| to[..4].to_owned());
        lines.chunk_by_mut(|a, b| target(a) == target(b)).for_each(<[String]>::sort);
    }
    if chain.ends_with("_allow") && lines.iter().all(|l| l.ends_with("accept") || l.ends_with("ACCEPT")) {
        lines.sort();
    }
    lines
}

pub(in crate::lower) fn differences(
    real: &BTreeMap<String, Vec<String>>,
    model: &BTreeMap<String, Vec<String>>,
) -> String {
    let names: BTreeSet<&String> = real.keys().chain(model.keys()).collect();
    let mut differences = String::new();
    for name in names {
        let lines = |chains: &BTreeMap<String, Vec<String>>| chains.get(name).map(|l| order_free(name, l));
        if lines(real) != lines(model) {
            differences += &format!("chain {name}\n  real  {:#?}\n  model {:#?}\n", lines(real), lines(model));
        }
    }
    differences
}

/// firewalld 2 gives names above 28 characters a random name; only one of the recordings' chains has such a name.
fn with_full_names(text: &str) -> String {
    let random = |word: &&str| word.len() == 28 && word.chars().all(|c| c.is_ascii_alphanumeric());
    match text.split_whitespace().map(|w| w.trim_start_matches(':')).find(random) {
        Some(name) => text.replace(name, "POST_internal_dispatch_stage2"),
        None => text.to_owned(),
    }
}

/// Chains in the text of `iptables-save` by table and name, with the rules on lines that are wanted.
pub(in crate::lower) fn iptables_chains(text: &str, wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<String>> {
    let text = bridge_name(text).map_or_else(|| text.to_owned(), |name| text.replace(name, "br-n1"));
    let text = with_full_names(text.split("##### nft").next().unwrap());
    let mut chains: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut table = String::new();
    for line in text.lines().filter(|l| wanted(l)) {
        if let Some(name) = line.strip_prefix('*') {
            table = name.to_owned();
        } else if let Some(chain) = line.strip_prefix(':') {
            chains.entry(format!("{table} {}", chain.split(' ').next().unwrap())).or_default();
        } else if let Some(rule) = line.strip_prefix("-A ") {
            let (chain, rule) = rule.split_once(' ').unwrap();
            chains.get_mut(&format!("{table} {chain}")).unwrap().push(rule.to_owned());
        }
    }
    chains
}
