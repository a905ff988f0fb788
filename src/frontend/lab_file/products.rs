//! The container engine and firewalld of a host, and in which order they came up.

use crate::diagnostic::Code;
use crate::frontend::engine_options;
use crate::frontend::yaml::{Entry, Node, Walk};
use crate::lab::declaration::{EngineDecl, FirewalldDecl};
use crate::lab::machine::HypervisorDecl;
use crate::lab::{Declaration, HostEvent, Platform, RuleBackend};
use crate::language::text;
use crate::net::Version;
use crate::source::Spanned;

const FIREWALLD_KEYS: &[&str] = &["version", "backend", "default-zone", "strict-forward-ports"];

const VIRTUALBOX_KEYS: &[&str] = &["version"];

const BACKENDS: &[(&str, RuleBackend)] = &[("iptables", RuleBackend::Iptables), ("nftables", RuleBackend::Nftables)];

const PLATFORMS: &[(&str, Platform)] = &[
    ("engine", Platform::Engine),
    ("desktop", Platform::Desktop),
    ("rootless", Platform::Rootless),
    ("colima", Platform::Colima),
    ("podman", Platform::Podman),
];

const EVENTS: &[(&str, HostEvent)] = &[
    ("firewalld", HostEvent::FirewalldStart),
    ("firewalld-reload", HostEvent::FirewalldReload),
    ("firewalld-complete-reload", HostEvent::FirewalldCompleteReload),
    ("firewalld-stop", HostEvent::FirewalldStop),
    ("docker", HostEvent::EngineStart),
    ("docker-restart", HostEvent::EngineRestart),
    ("libvirt", HostEvent::NetworksStart),
];

/// Reads `docker:`.
pub(super) fn engine(walk: &mut Walk, key: &Spanned<String>, node: &Node) -> EngineDecl {
    let entries = walk.map(node, "`docker`");
    let known: Vec<&str> = engine_options::KEYS.iter().chain(&["version", "platform"]).copied().collect();
    walk.check_keys(entries, "`docker`", &known);
    let mut engine = EngineDecl { span: Some(key.span.to(node.span)), ..EngineDecl::default() };
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "version" => engine.version = version(walk, value),
            "platform" => {
                engine.platform = walk.word(value, text!("a platform", "플랫폼"), PLATFORMS, Code::LabBadValue)
            }
            option => drop(engine_options::read(walk, &mut engine, option, value)),
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
            "default-zone" => firewalld.default_zone = walk.string(value, text!("the name of a zone", "영역 이름")),
            "strict-forward-ports" => firewalld.strict_forward_ports = walk.bool(value, "`strict-forward-ports`"),
            _ => {}
        }
    }
    firewalld
}

/// Reads `virtualbox:`, on the host that runs the machines.
pub(super) fn virtualbox(walk: &mut Walk, node: &Node) -> Option<Declaration> {
    let entries = walk.map(node, "`virtualbox`");
    walk.check_keys(entries, "`virtualbox`", VIRTUALBOX_KEYS);
    let version = version(walk, node.get("version")?)?;
    Some(Declaration::Hypervisor(HypervisorDecl::Version(version)))
}

/// Reads `events:`.
pub(super) fn events(walk: &mut Walk, node: &Node) -> Vec<Declaration> {
    let items = walk.list(node, "`events`").iter();
    items
        .filter_map(|item| walk.word(item, text!("an event", "이벤트"), EVENTS, Code::LabBadValue))
        .map(Declaration::Event)
        .collect()
}

pub(super) fn version(walk: &mut Walk, node: &Node) -> Option<Spanned<Version>> {
    walk.parsed(node, text!("a version like `28.5.2`", "`28.5.2` 같은 버전"), Code::LabBadValue)
}

pub(super) fn backend(walk: &mut Walk, node: &Node) -> Option<Spanned<RuleBackend>> {
    walk.word(node, text!("a firewall backend", "방화벽 백엔드"), BACKENDS, Code::LabBadValue)
}
