//! The container engine and firewalld of a host, and in which order they came up.

use crate::diagnostic::Code;
use crate::frontend::yaml::{Entry, Node, Walk};
use crate::lab::declaration::{EngineDecl, FirewalldDecl};
use crate::lab::{Declaration, HostEvent, RuleBackend};
use crate::net::Version;
use crate::source::Spanned;

/// As in daemon.json, and the release.
const ENGINE_KEYS: &[&str] = &[
    "version",
    "iptables",
    "ip-forward",
    "ip-forward-no-drop",
    "ip-masq",
    "icc",
    "ip",
    "userland-proxy",
    "allow-direct-routing",
    "firewall-backend",
    "bip",
];

const FIREWALLD_KEYS: &[&str] = &["version", "backend", "default-zone", "strict-forward-ports"];

const BACKENDS: &[(&str, RuleBackend)] = &[("iptables", RuleBackend::Iptables), ("nftables", RuleBackend::Nftables)];

const EVENTS: &[(&str, HostEvent)] = &[
    ("firewalld", HostEvent::FirewalldStart),
    ("firewalld-reload", HostEvent::FirewalldReload),
    ("firewalld-complete-reload", HostEvent::FirewalldCompleteReload),
    ("firewalld-stop", HostEvent::FirewalldStop),
    ("docker", HostEvent::EngineStart),
    ("docker-restart", HostEvent::EngineRestart),
];

/// Reads `docker:`.
pub(super) fn engine(walk: &mut Walk, key: &Spanned<String>, node: &Node) -> EngineDecl {
    let entries = walk.map(node, "`docker`");
    walk.check_keys(entries, "`docker`", ENGINE_KEYS);
    let mut engine = EngineDecl { span: Some(key.span.to(node.span)), ..EngineDecl::default() };
    for Entry { key, value, .. } in entries {
        let name = format!("`{}`", key.value);
        match key.value.as_str() {
            "version" => engine.version = version(walk, value),
            "iptables" => engine.iptables = walk.bool(value, &name),
            "ip-forward" => engine.ip_forward = walk.bool(value, &name),
            "ip-forward-no-drop" => engine.ip_forward_no_drop = walk.bool(value, &name),
            "ip-masq" => engine.ip_masq = walk.bool(value, &name),
            "icc" => engine.icc = walk.bool(value, &name),
            "ip" => engine.publish_address = walk.parsed(value, "an IP address", Code::BadAddress),
            "userland-proxy" => engine.userland_proxy = walk.bool(value, &name),
            "allow-direct-routing" => engine.allow_direct_routing = walk.bool(value, &name),
            "firewall-backend" => engine.backend = backend(walk, value),
            "bip" => {
                let what = "an address with prefix length like `172.17.0.1/16`";
                engine.default_bridge = walk.parsed(value, what, Code::BadAddress);
            }
            _ => {}
        }
    }
    engine
}

/// Reads `firewalld:`.
pub(super) fn firewalld(walk: &mut Walk, key: &Spanned<String>, node: &Node) -> FirewalldDecl {
    let entries = walk.map(node, "`firewalld`");
    walk.check_keys(entries, "`firewalld`", FIREWALLD_KEYS);
    let mut firewalld = FirewalldDecl { span: Some(key.span.to(node.span)), ..FirewalldDecl::default() };
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "version" => firewalld.version = version(walk, value),
            "backend" => firewalld.backend = backend(walk, value),
            "default-zone" => firewalld.default_zone = walk.string(value, "the name of a zone"),
            "strict-forward-ports" => firewalld.strict_forward_ports = walk.bool(value, "`strict-forward-ports`"),
            _ => {}
        }
    }
    firewalld
}

/// Reads `events:`.
pub(super) fn events(walk: &mut Walk, node: &Node) -> Vec<Declaration> {
    let items = walk.list(node, "`events`").iter();
    items.filter_map(|item| walk.word(item, "an event", EVENTS, Code::LabBadValue)).map(Declaration::Event).collect()
}

fn version(walk: &mut Walk, node: &Node) -> Option<Spanned<Version>> {
    walk.parsed(node, "a version like `28.5.2`", Code::LabBadValue)
}

fn backend(walk: &mut Walk, node: &Node) -> Option<Spanned<RuleBackend>> {
    walk.word(node, "a firewall backend", BACKENDS, Code::LabBadValue)
}
