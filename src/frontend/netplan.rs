//! netplan: which addresses and routes the interfaces of an Ubuntu machine are given (netplan-yaml.5, netplan 1.1).
//!
//! Only real interfaces (`ethernets`) have a model; bridges, bonds, tunnels and the like on top of them have none.

use std::net::IpAddr;

use crate::diagnostic::Code;
use crate::frontend::yaml::{self, Entry, Node, Value, Walk};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::interface_config::{ConfigSource, InterfaceConfig, hardware_address};
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::source::{SourceId, Span, Spanned};

const SECTIONS: &[&str] = &[
    "version",
    "renderer",
    "ethernets",
    "wifis",
    "modems",
    "bridges",
    "bonds",
    "vlans",
    "vrfs",
    "tunnels",
    "dummy-devices",
    "virtual-ethernets",
    "nm-devices",
    "openvswitch",
];

/// What changes no address, route or rule.
const NEUTRAL: &[&str] = &[
    "renderer",
    "optional",
    "optional-addresses",
    "nameservers",
    "mtu",
    "wakeonlan",
    "link-local",
    "accept-ra",
    "dhcp6",
    "dhcp6-overrides",
    "dhcp-identifier",
    "ipv6-privacy",
    "ipv6-mtu",
    "ipv6-address-generation",
    "ipv6-address-token",
    "gateway6",
    "critical",
    "ignore-carrier",
    "receive-checksum-offload",
    "transmit-checksum-offload",
    "tcp-segmentation-offload",
    "tcp6-segmentation-offload",
    "generic-segmentation-offload",
    "generic-receive-offload",
    "large-receive-offload",
    "emit-lldp",
    "embedded-switch-mode",
    "networkmanager",
];

const KNOWN: &[&str] = &[
    "match",
    "set-name",
    "dhcp4",
    "dhcp4-overrides",
    "addresses",
    "gateway4",
    "routes",
    "macaddress",
    "routing-policy",
    "activation-mode",
    "auth",
    "link",
    "virtual-function-count",
    "neigh-suppress",
];

/// Whether a text is a configuration for netplan.
pub fn is_one(text: &str) -> bool {
    let has = |wanted: &str| text.lines().any(|line| line.trim_start().starts_with(wanted));
    text.lines().any(|line| line.trim_end() == "network:")
        && SECTIONS.iter().skip(2).chain(&["renderer"]).any(|section| has(&format!("{section}:")))
}

/// Reads it.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let document = yaml::parse(source, text);
    let mut walk = Walk { diagnostics: document.diagnostics };
    let mut value = Vec::new();
    let network = document.value.as_ref().and_then(|root| root.get("network"));
    let sections = network.map_or(&[][..], |network| walk.map(network, "`network`"));
    walk.check_keys(sections, "`network`", SECTIONS);
    for Entry { key, value: section, .. } in sections {
        match key.value.as_str() {
            "version" | "renderer" => {}
            "ethernets" => {
                for entry in walk.map(section, "`ethernets`") {
                    ethernet(&mut walk, entry, &mut value);
                }
            }
            kind if SECTIONS.contains(&kind) && !section.entries().is_empty() => {
                let what = text!("`{kind}` of netplan", "netplan의 `{kind}`");
                value.push(Declaration::Unmodeled(Spanned::new(what, key.span)));
            }
            _ => {}
        }
    }
    Declarations { value, diagnostics: walk.diagnostics }
}

fn ethernet(walk: &mut Walk, entry: &Entry, out: &mut Vec<Declaration>) {
    let place = text!("interface `{name}`", "`{name}` 인터페이스", name = &entry.key.value);
    let entries = walk.map(&entry.value, &place);
    let known: Vec<&str> = KNOWN.iter().chain(NEUTRAL).copied().collect();
    walk.check_keys(entries, &place, &known);
    let mut config = InterfaceConfig {
        name: Some(entry.key.clone()),
        // An interface without addresses has none.
        dhcp: Some(Spanned::new(false, entry.key.span)),
        ..InterfaceConfig::new(ConfigSource::File, entry.key.span.to(entry.value.span))
    };
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "match" => matched(walk, value, &mut config, out),
            // `macaddress` is the one that the interface is given; adapters are told apart by the one they have.
            "set-name" | "macaddress" => {}
            "dhcp4" => config.dhcp = walk.bool(value, "`dhcp4`").or(config.dhcp),
            "dhcp4-overrides" => overrides(walk, value, &mut config),
            "addresses" => {
                let items = walk.list(value, "`addresses`").iter();
                config.addresses = items.filter_map(|item| address(walk, item)).collect();
            }
            "gateway4" => {
                gateway(walk.parsed(value, text!("an IP address", "IP 주소"), Code::BadAddress), None, &mut config)
            }
            "routes" => {
                for item in walk.list(value, "`routes`") {
                    out.extend(route(walk, item, &mut config));
                }
            }
            other if KNOWN.contains(&other) => {
                out.push(unmodeled(text!("`{other}` of netplan", "netplan의 `{other}`"), key.span))
            }
            _ => {}
        }
    }
    config.name =
        entry.value.get("set-name").and_then(|name| walk.string(name, text!("a name", "이름"))).or(config.name);
    out.push(Declaration::InterfaceConfig(Box::new(config)));
}

fn unmodeled(what: Text, span: Span) -> Declaration {
    Declaration::Unmodeled(Spanned::new(what, span))
}

/// With `match`, the key is only a label.
fn matched(walk: &mut Walk, node: &Node, config: &mut InterfaceConfig, out: &mut Vec<Declaration>) {
    config.name = None;
    for Entry { key, value, .. } in walk.map(node, "`match`") {
        match key.value.as_str() {
            "name" => {
                config.name = walk.string(value, text!("a name", "이름")).filter(|name| !name.value.contains('['))
            }
            "macaddress" => {
                let text = walk.string(value, text!("a hardware address", "MAC 주소"));
                config.mac = text.and_then(|mac| Some(Spanned::new(hardware_address(&mac.value)?, mac.span)));
            }
            other => out.push(unmodeled(
                text!("`match: {other}` of netplan", "netplan의 `match: {other}`"),
                key.span.to(value.span),
            )),
        }
    }
}

/// An address with prefix length, alone or as a map that says more about it; those of IPv6 are passed over.
fn address(walk: &mut Walk, node: &Node) -> Option<Spanned<IpNet>> {
    let what = text!(
        "an address with prefix length like `192.168.56.10/24`",
        "`192.168.56.10/24`처럼 프리픽스 길이가 붙은 주소"
    );
    let net: Spanned<IpNet> = match &node.value {
        Value::Mapping(entries) => {
            let key = &entries.first()?.key;
            Spanned::new(key.value.parse().ok()?, key.span)
        }
        _ => walk.parsed(node, what, Code::BadAddress)?,
    };
    Some(net).filter(|net| net.value.addr().is_ipv4())
}

fn overrides(walk: &mut Walk, node: &Node, config: &mut InterfaceConfig) {
    if let Some(node) = node.get("use-routes") {
        config.default_route = walk.bool(node, "`use-routes`");
    }
    if let Some(metric) = node.get("route-metric") {
        config.metric = metric_of(walk, metric);
    }
}

fn metric_of(walk: &mut Walk, node: &Node) -> Option<Spanned<u32>> {
    let number = walk.int(node, text!("a metric", "메트릭"))?;
    u32::try_from(number.value).ok().map(|metric| Spanned::new(metric, number.span))
}

/// systemd-networkd gives static routes the metric 0 unless one is stated (systemd.network(5), `Metric=`).
fn gateway(address: Option<Spanned<IpAddr>>, metric: Option<Spanned<u32>>, config: &mut InterfaceConfig) {
    if let Some(address) = address.filter(|a| a.value.is_ipv4()) {
        config.gateway = Some(address);
        config.default_route = Some(Spanned::new(true, address.span));
        config.metric = Some(metric.unwrap_or(Spanned::new(0, address.span)));
    }
}

fn route(walk: &mut Walk, node: &Node, config: &mut InterfaceConfig) -> Option<Declaration> {
    let special = ["type", "table", "from", "scope", "on-link"];
    let is_plain = node.entries().iter().all(|entry| !special.contains(&entry.key.value.as_str()));
    let to = walk.string(node.get("to")?, text!("a destination", "목적지"))?;
    let via = node.get("via").and_then(|via| walk.parsed(via, text!("an IP address", "IP 주소"), Code::BadAddress));
    let metric = node.get("metric").and_then(|metric| metric_of(walk, metric));
    if via.is_some_and(|via: Spanned<IpAddr>| via.value.is_ipv6()) || to.value.contains(':') {
        return None;
    }
    match (to.value.as_str(), via, to.value.parse()) {
        _ if !is_plain => {}
        ("default" | "0.0.0.0/0" | "0/0", Some(via), _) => {
            gateway(Some(via), metric, config);
            return None;
        }
        (_, Some(via), Ok(net)) => {
            config.routes.push((Spanned::new(net, to.span), via));
            return None;
        }
        _ => {}
    }
    Some(unmodeled(text!("the route to `{to}`", "`{to}` 경로", to = &to.value), node.span))
}

#[cfg(test)]
mod tests;
