//! The top-level `networks:`.

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::yaml::{Entry, Node, Value, Walk};
use crate::lab::GatewayMode;
use crate::lab::declaration::NetworkDecl;
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::source::{Span, Spanned};

/// Options of the bridge driver that change nothing a packet of the model meets.
const NEUTRAL_OPTIONS: &[&str] = &["com.docker.network.driver.mtu", "com.docker.network.container_iface_prefix"];

const GATEWAY_MODES: &[(&str, GatewayMode)] = &[
    ("nat", GatewayMode::Nat),
    ("nat-unprotected", GatewayMode::NatUnprotected),
    ("routed", GatewayMode::Routed),
    ("isolated", GatewayMode::Isolated),
];

/// A network that is not described further, such as the implicit `default`.
pub(super) fn plain(project: &str, key: &str, span: Span) -> NetworkDecl {
    let name = Spanned::new(format!("{project}_{key}"), span);
    NetworkDecl { key: Some(key.to_owned()), ..NetworkDecl::named(name, span) }
}

/// Reads one entry of `networks:`.
pub(super) fn read(walk: &mut Walk, project: &str, entry: &Entry) -> NetworkDecl {
    let place = text!("network `{name}`", "`{name}` 네트워크", name = &entry.key.value);
    let entries = walk.map(&entry.value, &place);
    let mut network = plain(project, &entry.key.value, entry.key.span);
    network.span = entry.key.span.to(entry.value.span);
    let mut name = None;
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "name" => name = walk.string(value, "`name`").or(name),
            "external" => {
                let (is_external, own_name) = external(walk, value);
                network.external = is_external;
                name = name.or(own_name);
            }
            "driver" => network.driver = walk.string(value, "`driver`"),
            "internal" => network.internal = walk.bool(value, "`internal`"),
            "driver_opts" => driver_options(walk, value, &mut network),
            "ipam" => ipam(walk, value, &mut network),
            "enable_ipv4" => {
                unmodeled_unless(walk, value, true, &text!("a network without IPv4", "IPv4가 없는 네트워크"))
            }
            "enable_ipv6" => unmodeled_unless(walk, value, false, &ipv6()),
            _ => {}
        }
    }
    match name {
        Some(name) => network.name = name,
        None if network.external => network.name = entry.key.clone(),
        None => {}
    }
    network
}

/// `true`, or the deprecated map with a name.
fn external(walk: &mut Walk, node: &Node) -> (bool, Option<Spanned<String>>) {
    if let Value::Mapping(_) = &node.value {
        return (true, node.get("name").and_then(|name| walk.string(name, "`name`")));
    }
    (walk.bool(node, "`external`").is_some_and(|b| b.value), None)
}

fn driver_options(walk: &mut Walk, node: &Node, network: &mut NetworkDecl) {
    for Entry { key, value, .. } in walk.map(node, "`driver_opts`") {
        let what = format!("`{}`", key.value);
        match key.value.strip_prefix("com.docker.network.bridge.").unwrap_or(&key.value) {
            "name" => network.bridge = walk.string(value, &what),
            "parent" => network.parent = walk.string(value, &what),
            "macvlan_mode" | "ipvlan_mode" => network.driver_mode = walk.string(value, &what),
            "enable_icc" => network.icc = walk.bool(value, &what),
            "enable_ip_masquerade" => network.masquerade = walk.bool(value, &what),
            "host_binding_ipv4" => {
                network.publish_address = walk.parsed(value, text!("an IP address", "IP 주소"), Code::BadAddress)
            }
            "gateway_mode_ipv4" => {
                network.gateway_mode =
                    walk.word(value, text!("a gateway mode", "게이트웨이 모드"), GATEWAY_MODES, Code::YamlType);
            }
            option if NEUTRAL_OPTIONS.contains(&option) => {}
            _ => walk.report(unmodeled(&text!("the driver option {what}", "드라이버 옵션 {what}"), key.span)),
        }
    }
}

fn ipam(walk: &mut Walk, node: &Node, network: &mut NetworkDecl) {
    if let Some(driver) = node.get("driver").and_then(|n| walk.string(n, "`driver`"))
        && driver.value != "default"
    {
        let what = text!("the address driver `{name}`", "주소 드라이버 `{name}`", name = &driver.value);
        walk.report(unmodeled(&what, driver.span));
    }
    let Some(config) = node.get("config") else { return };
    for item in walk.list(config, "`config`") {
        pool(walk, item, network);
    }
}

/// One address pool; the first IPv4 one counts.
fn pool(walk: &mut Walk, item: &Node, network: &mut NetworkDecl) {
    let entries = walk.map(item, text!("an address pool", "주소 풀"));
    let subnet: Option<Spanned<IpNet>> = item.get("subnet").filter(|n| !is_empty(n)).and_then(|n| {
        walk.parsed(n, text!("a subnet like `172.20.0.0/16`", "`172.20.0.0/16` 같은 서브넷"), Code::BadAddress)
    });
    if subnet.as_ref().is_some_and(|s| matches!(s.value, IpNet::V6(_))) {
        walk.report(unmodeled(&ipv6(), item.span));
        return;
    }
    if network.subnet.is_some() {
        walk.report(unmodeled(&text!("a second address pool", "두 번째 주소 풀"), item.span));
        return;
    }
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "gateway" if is_empty(value) => {}
            "gateway" => network.gateway = walk.parsed(value, text!("an IP address", "IP 주소"), Code::BadAddress),
            "ip_range" | "aux_addresses" => {
                let what = text!(
                    "`{name}`, which decides what addresses containers get",
                    "컨테이너가 받는 주소를 정하는 `{name}`",
                    name = &key.value
                );
                walk.report(unmodeled(&what, key.span));
            }
            _ => {}
        }
    }
    network.subnet = subnet;
}

/// An empty text counts as nothing written.
pub(super) fn is_empty(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(text) if text.is_empty())
}

fn ipv6() -> Text {
    text!("IPv6 on a container network", "컨테이너 네트워크의 IPv6")
}

fn unmodeled_unless(walk: &mut Walk, node: &Node, usual: bool, what: &Text) {
    if walk.bool(node, what.as_str()).is_some_and(|value| value.value != usual) {
        walk.report(unmodeled(what, node.span));
    }
}

/// Something that concerns one network or container in a way that seldom decides a sentence.
pub(super) fn unmodeled(what: &Text, span: Span) -> Diagnostic {
    Diagnostic::new(Code::Unmodeled, text!("not modelled: {what}", "모델에 없습니다: {what}"; what))
        .label(span, text!("read and left out", "읽었지만 반영하지 않음"))
}
