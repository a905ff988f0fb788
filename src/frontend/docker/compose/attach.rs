//! What a service is attached to: `networks:`, `network_mode:`, `links:`, `extra_hosts:`.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::yaml::{Entry, Node, Value, Walk};
use crate::lab::declaration::{AttachDecl, HostAddress, NetworkMode};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

use super::Project;
use super::network::{is_empty, unmodeled};

/// Reads `networks:` of a service, a list of keys or a map.
pub(super) fn networks(walk: &mut Walk, project: &mut Project, node: &Node) -> Vec<AttachDecl> {
    match &node.value {
        Value::Mapping(entries) => entries.iter().filter_map(|e| with_options(walk, project, e)).collect(),
        _ => walk
            .list(node, "`networks`")
            .iter()
            .filter_map(|item| walk.string(item, text!("a network", "네트워크")))
            .collect::<Vec<_>>()
            .iter()
            .filter_map(|key| attach(walk, project, key))
            .collect(),
    }
}

/// The attachment to the network `key` of the file.
pub(super) fn attach(walk: &mut Walk, project: &mut Project, key: &Spanned<String>) -> Option<AttachDecl> {
    let Some(network) = project.use_network(key) else {
        walk.report(unknown_network(project, key));
        return None;
    };
    Some(AttachDecl {
        network: Spanned::new(network, key.span),
        address: None,
        aliases: Vec::new(),
        gateway_priority: None,
    })
}

fn with_options(walk: &mut Walk, project: &mut Project, entry: &Entry) -> Option<AttachDecl> {
    let mut attach = attach(walk, project, &entry.key)?;
    let place = text!("network `{name}` of a service", "서비스의 `{name}` 네트워크", name = &entry.key.value);
    let entries = walk.map(&entry.value, &place);
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "aliases" => {
                let aliases = walk.list(value, "`aliases`").iter();
                attach.aliases =
                    aliases.filter_map(|n| walk.string(n, text!("an alias", "별칭"))).map(|a| a.value).collect();
            }
            "ipv4_address" if is_empty(value) => {}
            "ipv4_address" => attach.address = walk.parsed(value, text!("an IP address", "IP 주소"), Code::BadAddress),
            "gw_priority" => attach.gateway_priority = walk.int(value, "`gw_priority`"),
            "ipv6_address" | "link_local_ips" | "driver_opts" => {
                let what = text!("`{name}` of an attachment", "네트워크 연결의 `{name}`", name = &key.value);
                walk.report(unmodeled(&what, key.span));
            }
            _ => {}
        }
    }
    Some(attach)
}

fn unknown_network(project: &Project, key: &Spanned<String>) -> Diagnostic {
    let near = did_you_mean(&key.value, project.network_keys());
    let help = match near {
        Some(near) => text!("did you mean `{near}`?", "혹시 `{near}`?"),
        None => to_be_added(&key.value, "networks"),
    };
    let message =
        text!("the network `{name}` is not defined", "`{name}` 네트워크가 정의되어 있지 않습니다", name = &key.value);
    Diagnostic::new(Code::ComposeUnknownNetwork, message)
        .label(key.span, text!("docker compose refuses the file", "docker compose가 파일을 거부함"))
        .help(help)
}

/// How to define what is not there.
pub(super) fn to_be_added(name: &str, section: &str) -> Text {
    text!("add `{name}:` to the top-level `{section}:`", "최상위 `{section}:` 아래에 `{name}:` 항목을 추가하십시오")
}

/// What is said of a service that is not there.
pub(super) fn not_defined(service: &str) -> Text {
    text!("the service `{service}` is not defined", "`{service}` 서비스가 정의되어 있지 않습니다")
}

/// How `network_mode:` is meant.
pub(super) enum Mode {
    /// A namespace that is not made of networks.
    Special(NetworkMode),
    /// A network by its full name.
    Network(AttachDecl),
}

/// Reads `network_mode:`.
pub(super) fn mode(walk: &mut Walk, project: &Project, node: &Node) -> Option<Spanned<Mode>> {
    let text = walk.string(node, "`network_mode`")?;
    let mode = match (text.value.as_str(), text.value.split_once(':')) {
        ("host", _) => Mode::Special(NetworkMode::Host),
        ("none", _) => Mode::Special(NetworkMode::None),
        ("bridge" | "default", _) => Mode::Special(NetworkMode::Bridge),
        (_, Some(("container", name))) => Mode::Special(NetworkMode::Container(name.to_owned())),
        (_, Some(("service", name))) => {
            let name = Spanned::new(name.to_owned(), text.span);
            Mode::Special(NetworkMode::Container(container_of(walk, project, &name)?))
        }
        _ => Mode::Network(AttachDecl {
            network: text.clone(),
            address: None,
            aliases: Vec::new(),
            gateway_priority: None,
        }),
    };
    Some(Spanned::new(mode, text.span))
}

/// The first container of a service; reports a service that is not there.
pub(super) fn container_of(walk: &mut Walk, project: &Project, service: &Spanned<String>) -> Option<String> {
    let container = project.container_name(&service.value);
    if container.is_none() {
        let near = did_you_mean(&service.value, project.service_keys());
        let diagnostic = Diagnostic::new(Code::ComposeUnknownService, not_defined(&service.value))
            .label(service.span, text!("docker compose refuses the file", "docker compose가 파일을 거부함"));
        walk.report(match near {
            Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
            None => diagnostic,
        });
    }
    container.map(str::to_owned)
}

/// Reads `links:`, `SERVICE` or `SERVICE:ALIAS`, as container and alias.
pub(super) fn links(walk: &mut Walk, project: &Project, node: &Node) -> Vec<Spanned<(String, String)>> {
    let mut links = Vec::new();
    for item in walk.list(node, "`links`") {
        let Some(text) = walk.string(item, text!("a link", "링크")) else { continue };
        let (service, alias) = text.value.split_once(':').unwrap_or((&text.value, &text.value));
        let service = Spanned::new(service.to_owned(), text.span);
        if let Some(container) = container_of(walk, project, &service) {
            links.push(Spanned::new((container, alias.to_owned()), text.span));
        }
    }
    links
}

/// Reads `external_links:`, `CONTAINER` or `CONTAINER:ALIAS`.
pub(super) fn external_links(walk: &mut Walk, node: &Node) -> Vec<Spanned<(String, String)>> {
    let items = walk.list(node, "`external_links`").iter();
    let texts = items.filter_map(|item| walk.string(item, text!("a link", "링크")));
    texts
        .map(|text| {
            text.map(|text| {
                let (container, alias) = text.split_once(':').unwrap_or((&text, &text));
                (container.to_owned(), alias.to_owned())
            })
        })
        .collect()
}

/// Reads `extra_hosts:`: a list of `NAME=ADDRESS` or `NAME:ADDRESS`, or a map (compose-go types/hostList.go).
pub(super) fn extra_hosts(walk: &mut Walk, node: &Node) -> Vec<(Spanned<String>, HostAddress)> {
    let mut hosts = Vec::new();
    if let Value::Mapping(entries) = &node.value {
        for Entry { key, value, .. } in entries {
            for item in walk.one_or_many(value) {
                let Some(address) = walk.string(item, text!("an IP address", "IP 주소")) else { continue };
                hosts.extend(extra_host(walk, &key.value, &address.value, address.span));
            }
        }
        return hosts;
    }
    for item in walk.list(node, "`extra_hosts`") {
        let Some(text) = walk.string(item, text!("a host name and its address", "호스트 이름과 주소")) else {
            continue;
        };
        let Some((name, addresses)) = text.value.split_once('=').or_else(|| text.value.split_once(':')) else {
            let message = text!("`{host}` has no address", "`{host}`에 주소가 없습니다", host = &text.value);
            let label = text!("write `NAME:ADDRESS`", "`이름:주소` 형식으로 써야 함");
            walk.report(Diagnostic::new(Code::BadAddress, message).label(text.span, label));
            continue;
        };
        for address in addresses.split(',') {
            hosts.extend(extra_host(walk, name, address, text.span));
        }
    }
    hosts
}

fn extra_host(walk: &mut Walk, name: &str, address: &str, span: Span) -> Option<(Spanned<String>, HostAddress)> {
    match address.parse() {
        Ok(address) => Some((Spanned::new(name.to_owned(), span), address)),
        Err(_) => {
            let message = text!("`{address}` is not an IP address", "`{address}`은(는) IP 주소가 아닙니다");
            let label = text!("the address of an extra host", "추가 호스트의 주소");
            walk.report(Diagnostic::new(Code::BadAddress, message).label(span, label));
            None
        }
    }
}
