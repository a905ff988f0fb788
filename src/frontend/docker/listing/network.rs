//! One network of `docker network inspect` (docs.docker.com, Engine API, `NetworkInspect`).

use std::net::IpAddr;

use crate::frontend::yaml::Node;
use crate::lab::declaration::{EngineDecl, NetworkDecl};
use crate::lab::{Declaration, GatewayMode};
use crate::net::IpNet;
use crate::source::{Span, Spanned};

use super::container::{parsed, spanned};
use super::{at, text};

const BRIDGE: &str = "com.docker.network.bridge.";

pub(super) fn read(object: &Node) -> Option<Declaration> {
    let name = at(object, &["Name"]).and_then(spanned)?;
    match text(object, &["Driver"]) {
        Some("host" | "null") => None,
        Some("bridge") if name.value == "bridge" => Some(Declaration::Engine(default_bridge(object, name.span))),
        _ => Some(Declaration::RunningNetwork(network(object, name))),
    }
}

fn network(object: &Node, name: Spanned<String>) -> NetworkDecl {
    let option = |name: &str| at(object, &["Options", &format!("{BRIDGE}{name}")]);
    let pool = pool(object);
    let of_driver = |name: &str| at(object, &["Options", name]).and_then(spanned);
    NetworkDecl {
        key: text(object, &["Labels", "com.docker.compose.network"]).map(str::to_owned),
        driver: at(object, &["Driver"]).and_then(spanned),
        parent: of_driver("parent"),
        driver_mode: of_driver("macvlan_mode").or_else(|| of_driver("ipvlan_mode")),
        subnet: pool.and_then(subnet),
        gateway: pool.and_then(gateway),
        internal: at(object, &["Internal"]).and_then(parsed),
        bridge: option("name").and_then(spanned).or_else(|| at(object, &["Id"]).and_then(bridge_name)),
        icc: option("enable_icc").and_then(parsed),
        masquerade: option("enable_ip_masquerade").and_then(parsed),
        publish_address: option("host_binding_ipv4").and_then(parsed),
        gateway_mode: option("gateway_mode_ipv4").and_then(gateway_mode),
        ..NetworkDecl::named(name.clone(), name.span)
    }
}

/// The address and the options of docker0 are the daemon's.
fn default_bridge(object: &Node, span: Span) -> EngineDecl {
    let option = |name: &str| at(object, &["Options", &format!("{BRIDGE}{name}")]);
    let pool = pool(object);
    let first = |subnet: &Spanned<IpNet>| subnet.value.hosts().next();
    let own = pool.and_then(subnet).and_then(|subnet| {
        let gateway = pool.and_then(gateway).map(|gateway| gateway.value).or_else(|| first(&subnet))?;
        Some(Spanned::new(IpNet::new(gateway, subnet.value.prefix_len()).ok()?, subnet.span))
    });
    EngineDecl {
        default_bridge: own,
        icc: option("enable_icc").and_then(parsed),
        ip_masq: option("enable_ip_masquerade").and_then(parsed),
        publish_address: option("host_binding_ipv4")
            .and_then(parsed::<IpAddr>)
            .filter(|address| !address.value.is_unspecified()),
        span: Some(span),
        ..EngineDecl::default()
    }
}

/// The first IPv4 pool.
fn pool(object: &Node) -> Option<&Node> {
    let pools = at(object, &["IPAM", "Config"])?.items();
    pools.iter().find(|pool| subnet(pool).is_some_and(|subnet| matches!(subnet.value, IpNet::V4(_))))
}

fn subnet(pool: &Node) -> Option<Spanned<IpNet>> {
    at(pool, &["Subnet"]).and_then(parsed)
}

fn gateway(pool: &Node) -> Option<Spanned<IpAddr>> {
    at(pool, &["Gateway"]).and_then(parsed)
}

/// `br-` and twelve digits of the id (moby libnetwork/drivers/bridge/bridge_linux.go, parseNetworkOptions).
fn bridge_name(id: &Node) -> Option<Spanned<String>> {
    let id = spanned(id)?;
    Some(id.map(|id| format!("br-{}", id.get(..12).unwrap_or(&id))))
}

fn gateway_mode(node: &Node) -> Option<Spanned<GatewayMode>> {
    let written = spanned(node)?;
    let mode = match written.value.as_str() {
        "nat" => GatewayMode::Nat,
        "nat-unprotected" => GatewayMode::NatUnprotected,
        "routed" => GatewayMode::Routed,
        "isolated" => GatewayMode::Isolated,
        _ => return None,
    };
    Some(Spanned::new(mode, written.span))
}
