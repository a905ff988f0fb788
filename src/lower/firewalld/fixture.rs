//! Labs and hosts that tests of firewalld share.

use std::collections::BTreeMap;

use crate::dataplane::{Dataplane, Node, NodeId, NodeKind, Ruleset, Sysctls, Toggle};
use crate::lab::{
    Container, ContainerNetwork, Content, Endpoint, Engine, EngineOptions, Entry, Firewalld, ForwardPort, GatewayMode,
    Host, HostKind, Lab, Networking, Os, Peers, Policy, Publish, RichAction, RichElement, RichRule, RuleBackend,
    Service, Target, Zone,
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
        ..Service::default()
    })
}

pub(in crate::lower) fn ssh() -> Entry<Service> {
    service("ssh", Protocol::Tcp, 22, &[])
}

fn net(text: &str) -> Peers {
    Peers::Net(text.parse().unwrap())
}

pub(in crate::lower) fn zone(target: Target, content: Content) -> Zone {
    Zone {
        target,
        interfaces: vec![],
        sources: vec![],
        priorities: (0, 0),
        forward: true,
        content,
        port_at: None,
        origin: origin(),
    }
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
        routes_before_engine: false,
        version,
        backend,
        default_zone: "public".to_owned(),
        strict_forward_ports: false,
        strict_at: None,
        cleanup_on_exit: true,
        direct: vec![],
        uses_direct: false,
        zones: built_in_zones(),
        stored_zones: BTreeMap::new(),
        policies: BTreeMap::new(),
        origin: origin(),
    }
}

fn network(name: &str, bridge: &str, subnet: &str, gateway: &str) -> ContainerNetwork {
    ContainerNetwork {
        name: name.to_owned(),
        aliases: vec![],
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

pub(in crate::lower) fn engine(version: Version) -> Engine {
    Engine {
        forwarded_to: None,
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
        short_name: name.to_owned(),
        image: None,
        networking,
        publishes: publishes.iter().map(publish).collect(),
        withheld: vec![],
        processes: vec![],
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
        rules: vec![],
        sysctls: Vec::new(),
        nft: vec![],
        firewall: None,
        wsl: None,
        kept_ports: Vec::new(),
        tunnels: vec![],
        ip_forward: false,
        routes: vec![],
        files: vec![],
        origin: origin(),
    };
    Lab { hosts: vec![host], ..Lab::default() }
}

pub(in crate::lower) fn empty_dataplane() -> (Dataplane, NodeId) {
    let mut dataplane = Dataplane::default();
    let origin = dataplane.origins.add(origin());
    let sysctls = Sysctls {
        ip_forward: Toggle::Off,
        ip_forward_origin: origin,
        rp_filter_origin: origin,
        bridge_calls_iptables: true,
    };
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
        unmodeled: vec![],
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
        "f23" => (Version::new(2, 3, 1), Version::new(20, 10, 24)),
        "d28" => (Version::new(2, 5, 2), Version::new(28, 5, 2)),
        _ => (Version::new(2, 5, 2), Version::new(29, 7, 2)),
    }
}

pub(in crate::lower) fn policy(target: Target, ingress: &str, egress: &str) -> Policy {
    Policy {
        priority: -1,
        target,
        disabled: false,
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
    // Only the zone `external` masquerades, and so lets the machine route before the engine comes.
    let mut firewalld = Firewalld { routes_before_engine: name == "external", ..firewalld(fw_version, backend) };
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
            zone.sources = vec![entry(net("192.168.56.20/32"))];
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
                limit: None,
                later: false,
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
    let internal = Zone { sources: vec![entry(net("10.9.0.0/16"))], forward: false, ..zone(Target::Default, http) };
    firewalld.zones.insert("internal".to_owned(), internal);
    Setup { firewalld, engine: None }
}

fn rich(rule: RichRule) -> Entry<RichRule> {
    entry(rule)
}

/// A rich rule for IPv4 at priority 0.
fn rule(element: RichElement, action: RichAction) -> RichRule {
    RichRule {
        priority: 0,
        family: Some(Family::V4),
        source: None,
        destination: None,
        element,
        action,
        limit: None,
        later: false,
    }
}

fn tcp(first: u16, last: u16) -> RichElement {
    RichElement::Port(Protocol::Tcp, PortRange::new(first, last).unwrap())
}

fn from(source: &str, rule: RichRule) -> RichRule {
    RichRule { source: Some((net(source), false)), ..rule }
}

fn rich_rules() -> Vec<Entry<RichRule>> {
    use RichAction::{Accept, Drop, None as Nothing, Reject};
    let host_prohibited = Reject(Some("icmp-host-prohibited".to_owned()));
    let forward_8083 = RichElement::ForwardPort(forward(8083, 83, Some("192.168.56.20")).value);
    let forward_8084 = RichElement::ForwardPort(forward(8084, 84, None).value);
    let udp_82 = RichElement::Port(Protocol::Udp, PortRange::single(82));
    let any_family = |rule: RichRule| RichRule { family: None, ..rule };
    [
        from("10.1.0.0/16", rule(tcp(80, 80), Accept)),
        RichRule { source: Some((net("10.2.0.0/16"), true)), ..rule(RichElement::Service(ssh().value), Reject(None)) },
        RichRule { priority: -5, ..from("10.3.0.0/16", rule(RichElement::Any, Drop)) },
        RichRule { priority: -3, ..rule(tcp(81, 81), Accept) },
        RichRule { priority: 7, ..rule(udp_82, host_prohibited) },
        rule(tcp(83, 90), Reject(Some("tcp-reset".to_owned()))),
        from("10.4.0.0/16", rule(forward_8083, Nothing)),
        rule(forward_8084, Nothing),
        from("10.5.0.0/16", rule(RichElement::Masquerade, Nothing)),
        from("10.6.0.0/16", rule(RichElement::IcmpBlock("echo-request".to_owned()), Nothing)),
        any_family(rule(RichElement::Protocol(47), Accept)),
        any_family(rule(RichElement::SourcePort(Protocol::Udp, PortRange::single(5353)), Accept)),
        RichRule { destination: Some((net("192.168.56.99/32"), false)), ..rule(tcp(443, 443), Accept) },
        any_family(rule(tcp(444, 444), Nothing)),
    ]
    .map(rich)
    .into()
}

/// `StrictForwardPorts` with two forwards, without an engine.
pub(in crate::lower) fn strict_forward(version: Version, backend: RuleBackend) -> Setup {
    let mut firewalld = firewalld(version, backend);
    firewalld.strict_forward_ports = true;
    let public = firewalld.zones.get_mut("public").unwrap();
    public.content = Content {
        services: vec![ssh()],
        forward_ports: vec![forward(8080, 9001, None), forward(8081, 9000, Some("192.168.56.20"))],
        ..Content::default()
    };
    Setup { firewalld, engine: None }
}

/// A configuration with one of everything.
pub(in crate::lower) fn everything(version: Version, backend: RuleBackend) -> Setup {
    let mut firewalld = firewalld(version, backend);
    let dns = Service {
        name: "dns".to_owned(),
        ports: vec![(Protocol::Tcp, PortRange::single(53)), (Protocol::Udp, PortRange::single(53))],
        ..Service::default()
    };
    let mut range = forward(8100, 0, Some("192.168.56.20"));
    range.value.ports = PortRange::new(8100, 8110).unwrap();
    range.value.to_port = PortRange::new(8100, 8110);
    let public = Content {
        services: vec![ssh(), entry(dns)],
        ports: vec![entry((Protocol::Tcp, PortRange::single(3000)))],
        source_ports: vec![entry((Protocol::Udp, PortRange::single(67)))],
        protocols: vec![entry(2)],
        masquerade: Some(origin()),
        forward_ports: vec![forward(8080, 9001, None), range],
        icmp_blocks: entries(&["echo-request", "timestamp-request"]),
        rich_rules: rich_rules(),
        ..Content::default()
    };
    let http = service("http", Protocol::Tcp, 80, &[]);
    let internal = Content {
        services: vec![http],
        icmp_blocks: entries(&["echo-request"]),
        icmp_block_inversion: true,
        ..Content::default()
    };
    let dmz = Content { icmp_block_inversion: true, ..Content::default() };
    let sources = |nets: &[&str]| nets.iter().map(|n| entry(net(n))).collect();
    let zones = [
        ("public", Zone { interfaces: entries(&["enp0s8"]), ..zone(Target::Default, public) }),
        (
            "internal",
            Zone {
                interfaces: entries(&["eth9", "tun+"]),
                sources: sources(&["10.9.0.0/16", "10.8.0.1/32"]),
                ..zone(Target::Default, internal)
            },
        ),
        ("dmz", Zone { sources: sources(&["10.7.0.0/24"]), forward: false, ..zone(Target::Accept, dmz) }),
    ];
    firewalld.zones.extend(zones.map(|(name, zone)| (name.to_owned(), zone)));
    firewalld.policies = everything_policies(backend);
    Setup { firewalld, engine: None }
}

fn everything_policies(backend: RuleBackend) -> BTreeMap<String, Policy> {
    let p1 = Content {
        services: vec![service("https", Protocol::Tcp, 443, &[])],
        // The iptables backend refuses to masquerade from zones with interfaces.
        masquerade: (backend == RuleBackend::Nftables).then(origin),
        ..Content::default()
    };
    let p2 = Content { ports: vec![entry((Protocol::Tcp, PortRange::single(9000)))], ..Content::default() };
    let to_cloudflare =
        RichRule { destination: Some((net("1.1.1.1/32"), false)), ..rule(RichElement::Any, RichAction::Accept) };
    let p3 = Content { rich_rules: vec![rich(to_cloudflare)], ..Content::default() };
    let drop = RichRule { priority: -1, ..from("10.11.0.0/16", rule(RichElement::Any, RichAction::Drop)) };
    let p5 = Content {
        forward_ports: vec![forward(8200, 8201, Some("192.168.56.21"))],
        rich_rules: vec![rich(drop)],
        ..Content::default()
    };
    let p6 = Content { services: vec![ssh()], ..Content::default() };
    let with = |priority, content, policy: Policy| Policy { priority, content, ..policy };
    let several = Policy { ingress: entries(&["internal", "dmz"]), ..policy(Target::Reject, "ANY", "HOST") };
    [
        ("p1", with(-10, p1, policy(Target::Continue, "internal", "public"))),
        ("p2", with(5, p2, several)),
        ("p3", with(-1, p3, policy(Target::Drop, "HOST", "ANY"))),
        ("p4", with(20, Content::default(), policy(Target::Accept, "ANY", "dmz"))),
        ("p5", with(-20, p5, policy(Target::Continue, "ANY", "ANY"))),
        ("p6", with(-20, p6, policy(Target::Continue, "HOST", "internal"))),
    ]
    .into_iter()
    .map(|(name, policy)| (name.to_owned(), policy))
    .collect()
}
