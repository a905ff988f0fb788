//! Hosts. Engine, firewalld, events and programs become declarations that follow the host's own.

use std::net::IpAddr;

use crate::diagnostic::Code;
use crate::frontend::yaml::{self, Entry, Node, Walk};
use crate::lab::declaration::{HostDecl, ListenDecl, ProcessDecl};
use crate::lab::{Declaration, Os};
use crate::language::text;
use crate::net::IpNet;
use crate::source::{Span, Spanned};

use super::{hosted, interface, listen, products, strings, tunnel};

const KEYS: &[&str] = &[
    "os",
    "router",
    "on",
    "vm",
    "files",
    "rules",
    "interfaces",
    "processes",
    "listen",
    "docker",
    "firewalld",
    "virtualbox",
    "libvirt",
    "wsl",
    "firewall",
    "events",
    "tunnels",
    "ip-forward",
    "routes",
];

const SYSTEMS: &[(&str, Os)] = &[("linux", Os::Linux), ("macos", Os::MacOs), ("windows", Os::Windows)];

/// Reads one entry of `hosts:`.
pub(super) fn read(walk: &mut Walk, text: &str, entry: &Entry) -> Vec<Declaration> {
    let place = format!("host `{}`", entry.key.value);
    let entries = walk.map(&entry.value, &place);
    walk.check_keys(entries, &place, KEYS);
    let mut declarations = vec![Declaration::Host(host(walk, text, entry, entries))];
    if let Some(Entry { key, value, .. }) = entry.value.entry("docker") {
        declarations.push(Declaration::Engine(products::engine(walk, key, value)));
    }
    if let Some(Entry { key, value, .. }) = entry.value.entry("firewalld") {
        declarations.push(Declaration::Firewalld(products::firewalld(walk, key, value)));
    }
    if let Some(node) = entry.value.get("virtualbox") {
        declarations.extend(products::virtualbox(walk, node));
    }
    if let Some(node) = entry.value.get("libvirt") {
        declarations.push(hosted::libvirt(walk, node));
    }
    if let Some(Entry { key, value, .. }) = entry.value.entry("wsl") {
        declarations.push(hosted::wsl(walk, key, value));
    }
    if let Some(Entry { key, value, .. }) = entry.value.entry("firewall") {
        declarations.extend(hosted::firewall(walk, key, value));
    }
    if let Some(node) = entry.value.get("tunnels") {
        declarations.extend(tunnel::read(walk, node));
    }
    if let Some(node) = entry.value.get("events") {
        declarations.extend(products::events(walk, node));
    }
    declarations.extend(programs(walk, entry));
    declarations
}

fn host(walk: &mut Walk, text: &str, entry: &Entry, entries: &[Entry]) -> HostDecl {
    let mut host = HostDecl {
        name: entry.key.clone(),
        os: None,
        is_router: None,
        on: None,
        vm: None,
        files: Vec::new(),
        rules: Vec::new(),
        interfaces: Vec::new(),
        ip_forward: None,
        routes: Vec::new(),
        span: entry.key.span.to(entry.value.span),
    };
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "os" => host.os = walk.word(value, "an operating system", SYSTEMS, Code::LabBadValue),
            "router" => host.is_router = walk.bool(value, "`router`"),
            "on" => host.on = walk.string(value, "the name of a host"),
            "vm" => host.vm = walk.string(value, "the name of a `.vbox` file"),
            "files" => host.files = strings(walk, value, "the name of a file"),
            "rules" => host.rules = strings(walk, value, "the name of a file that `iptables-save` has written"),
            "interfaces" => {
                let interfaces = walk.map(value, "`interfaces`").iter();
                host.interfaces = interfaces.map(|entry| interface::read(walk, text, entry)).collect();
            }
            "ip-forward" => host.ip_forward = walk.bool(value, "`ip-forward`"),
            "routes" => host.routes = routes(walk, value),
            _ => {}
        }
    }
    host
}

fn routes(walk: &mut Walk, node: &Node) -> Vec<(Spanned<IpNet>, Spanned<IpAddr>)> {
    let mut routes = Vec::new();
    for Entry { key, value, .. } in walk.map(node, "`routes`") {
        let gateway = walk.parsed(value, "an IP address", Code::BadAddress);
        match (key.value.parse(), gateway) {
            (Ok(destination), Some(gateway)) => routes.push((Spanned::new(destination, key.span), gateway)),
            (Ok(_), None) => {}
            (Err(_), _) => walk.report(yaml::misunderstood(
                Code::BadAddress,
                key.span,
                text!(
                    "`{value}` is not a prefix like `10.1.0.0/16`",
                    "`{value}`: `10.1.0.0/16` 같은 프리픽스가 아닙니다",
                    value = &key.value
                ),
            )),
        }
    }
    routes
}

/// `processes:` names programs, `listen:` ports of programs without a name.
fn programs(walk: &mut Walk, host: &Entry) -> Vec<Declaration> {
    let mut programs = Vec::new();
    let program = |name: Option<Spanned<String>>, listens: Vec<ListenDecl>, span: Span| {
        Declaration::Process(ProcessDecl { runs_in: host.key.clone(), name, listens, span })
    };
    if let Some(node) = host.value.get("processes") {
        for Entry { key, value, .. } in walk.map(node, "`processes`") {
            let listens = listen::read(walk, value);
            programs.push(program(Some(key.clone()), listens, key.span.to(value.span)));
        }
    }
    if let Some(Entry { key, value, .. }) = host.value.entry("listen") {
        let listens = listen::read(walk, value);
        programs.push(program(None, listens, key.span.to(value.span)));
    }
    programs
}
