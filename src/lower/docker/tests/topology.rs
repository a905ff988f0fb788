//! Who is there, who listens, who knows which name, and what forwards.

use super::*;
use crate::dataplane::{Dial, Hook, Listen, Relay, Route, RouteTarget};
use crate::switch::{Switch, SwitchKind, Switches};

fn relays(engine: Engine) -> Vec<String> {
    let (_, dataplane, node) = started(engine);
    let text = |relay: &Relay| {
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
}

/// 28: "connected" on the host's loopback, and nothing more; 29: silence (recorded with firewalld's iptables backend,
/// which keeps docker from translating).
#[test]
fn without_a_proxy_dockerd_holds_the_port() {
    let accepting = |tag| relays(engine(tag, "noproxy")).len();
    let silent = |tag| {
        let (_, dataplane, node) = started(engine(tag, "noproxy"));
        let last = dataplane.node(node).ruleset.base_chains(Hook::Input).last().copied();
        last.map_or(0, |(chain, _)| dataplane.node(node).ruleset.get(chain).rules.len())
    };
    assert_eq!((accepting("20"), silent("20")), (3, 1));
    assert_eq!((accepting("28"), silent("28")), (3, 1));
    assert_eq!((accepting("29"), silent("29")), (0, 4));
    assert_eq!(relays(engine("28", "noproxy"))[0], "dockerd tcp *:3000 -> 127.0.0.1:0");
}

fn routes(dataplane: &Dataplane, node: &str) -> Vec<String> {
    let node = dataplane.node(dataplane.node_named(node).unwrap());
    let text = |route: &Route| match route.target {
        RouteTarget::Local { interface } => {
            format!("local {} dev {}", route.prefix, node.interface(interface).name)
        }
        RouteTarget::Via { interface, gateway, .. } => {
            let via = gateway.map(|g| format!(" via {g}")).unwrap_or_default();
            format!("{}{via} dev {}", route.prefix, node.interface(interface).name)
        }
        RouteTarget::Unreachable => format!("unreachable {}", route.prefix),
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
    let mut lab_switches = Switches::default();
    let statement = "port published".into();
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
fn the_nftables_backend_needs_forwarding_but_does_not_turn_it_on() {
    let forwards = |engine| {
        let (_, dataplane, node) = started(engine);
        match dataplane.node(node).sysctls.ip_forward {
            Toggle::If(switch) => dataplane.switches.get(switch).statement.to_string(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(forwards(engine("29", "default")), "On");
    assert_eq!(forwards(engine("29n", "default")), "`net.ipv4.ip_forward` is on at `vm` before docker starts");
    assert_eq!(forwards(engine("29n", "noforward")), "Off");
}
