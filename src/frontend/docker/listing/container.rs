//! One container of `docker inspect` (docs.docker.com, Engine API, `ContainerInspect`; observed with 20.10 to 29.7).

use std::net::IpAddr;

use crate::frontend::docker::port_spec;
use crate::frontend::yaml::{Entry, Node, Value};
use crate::lab::Declaration;
use crate::lab::declaration::{
    AttachDecl, ContainerDecl, HostAddress, Listing, NetworkDecl, NetworkMode, PublishDecl, RunState, RunningDecl,
};
use crate::net::{IpNet, PortRange, Protocol};
use crate::source::{Span, Spanned};

use super::{at, text};

/// The container, and its networks as far as it tells them.
pub(super) fn read(object: &Node) -> Vec<Declaration> {
    let Some(name) = at(object, &["Name"]).and_then(name) else { return Vec::new() };
    let place = name.span;
    let state = state(object, place);
    let attachments = attachments(object);
    let mut declarations: Vec<Declaration> =
        attachments.iter().filter_map(seen).map(Declaration::RunningNetwork).collect();
    let service = text(object, &["Config", "Labels", "com.docker.compose.service"]);
    let project = text(object, &["Config", "Labels", "com.docker.compose.project"]);
    let container = ContainerDecl {
        name: Some(name),
        aliases: service.map(str::to_owned).into_iter().collect(),
        image: at(object, &["Config", "Image"]).and_then(spanned),
        networks: attachments.into_iter().map(|attachment| attachment.declaration).collect(),
        mode: mode(object),
        publishes: publishes(object),
        exposes: exposes(object),
        extra_hosts: words(object, &["HostConfig", "ExtraHosts"]).filter_map(extra_host).collect(),
        links: words(object, &["HostConfig", "Links"]).filter_map(link).collect(),
        command: text_of(object, "Path").into_iter().chain(words(object, &["Args"])).collect(),
        environment: words(object, &["Config", "Env"]).filter_map(variable).collect(),
        ..ContainerDecl::at(place)
    };
    declarations.push(Declaration::Running(Box::new(RunningDecl {
        container,
        id: text(object, &["Id"]).unwrap_or_default().to_owned(),
        made_from: project.zip(service).map(|(project, service)| (project.to_owned(), service.to_owned())),
        state,
        listing: Listing::Inspect,
    })));
    declarations
}

/// `/web`, without the slash.
fn name(node: &Node) -> Option<Spanned<String>> {
    let name = spanned(node)?;
    match name.value.strip_prefix('/') {
        Some(bare) if name.span.end - name.span.start == name.value.len() => {
            let span = Span::new(name.span.source, name.span.start + 1, name.span.end);
            Some(Spanned::new(bare.to_owned(), span))
        }
        _ => Some(name),
    }
}

/// Paused programs keep their ports; what is restarted again and again is meant to run.
fn state(object: &Node, place: Span) -> Spanned<RunState> {
    let Some(status) = at(object, &["State", "Status"]).and_then(spanned) else {
        return Spanned::new(RunState::Up, place);
    };
    let state = match status.value.as_str() {
        "created" | "exited" | "dead" | "removing" => RunState::Down,
        _ => RunState::Up,
    };
    Spanned::new(state, status.span)
}

fn mode(object: &Node) -> Option<Spanned<NetworkMode>> {
    let written = at(object, &["HostConfig", "NetworkMode"]).and_then(spanned)?;
    let mode = match written.value.as_str() {
        "host" => NetworkMode::Host,
        "none" => NetworkMode::None,
        name => NetworkMode::Container(name.strip_prefix("container:")?.to_owned()),
    };
    Some(Spanned::new(mode, written.span))
}

/// A place on a network, with what it tells about the network.
struct Attachment {
    declaration: AttachDecl,
    subnet: Option<Spanned<IpNet>>,
    gateway: Option<Spanned<IpAddr>>,
    /// Engines from 28 on leave the gateway out where nothing is routed.
    leads_nowhere: Option<Span>,
}

fn attachments(object: &Node) -> Vec<Attachment> {
    let networks = entries(object, &["NetworkSettings", "Networks"]);
    networks.iter().filter(|entry| !matches!(entry.key.value.as_str(), "host" | "none")).map(attachment).collect()
}

fn attachment(entry: &Entry) -> Attachment {
    let endpoint = &entry.value;
    let address: Option<Spanned<IpAddr>> = at(endpoint, &["IPAddress"]).and_then(parsed);
    let length = text(endpoint, &["IPPrefixLen"]).and_then(|length| length.parse().ok());
    let subnet = address.as_ref().zip(length).and_then(|(address, length)| {
        Some(Spanned::new(IpNet::new(address.value, length).ok()?.trunc(), address.span))
    });
    let gateway = at(endpoint, &["Gateway"]);
    // Names that the network's name service answers to, since engine 25; before that the given ones.
    let names = at(endpoint, &["DNSNames"]).or_else(|| at(endpoint, &["Aliases"])).map(Node::items).unwrap_or_default();
    Attachment {
        declaration: AttachDecl {
            network: entry.key.clone(),
            address,
            aliases: names.iter().filter_map(spanned).map(|name| name.value).collect(),
            gateway_priority: at(endpoint, &["GwPriority"]).and_then(parsed).filter(|priority| priority.value != 0),
        },
        subnet,
        leads_nowhere: gateway.filter(|g| address.is_some() && is_empty(g)).map(|g| g.span),
        gateway: gateway.and_then(parsed),
    }
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(text) if text.is_empty())
}

/// The network as its container sees it. The default bridge needs no description.
fn seen(attachment: &Attachment) -> Option<NetworkDecl> {
    let name = &attachment.declaration.network;
    let subnet = attachment.subnet.filter(|_| name.value != "bridge")?;
    let internal = attachment.leads_nowhere.map(|span| Spanned::new(true, span));
    let gateway = attachment.gateway;
    Some(NetworkDecl { subnet: Some(subnet), gateway, internal, ..NetworkDecl::named(name.clone(), name.span) })
}

/// `"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]`: what is in force, and what is wanted and not in force, as on
/// an internal network.
fn publishes(object: &Node) -> Vec<PublishDecl> {
    let in_force = entries(object, &["NetworkSettings", "Ports"]);
    let is_in_force = |wanted: &Entry| {
        in_force.iter().any(|entry| entry.key.value == wanted.key.value && !entry.value.items().is_empty())
    };
    let wanted = entries(object, &["HostConfig", "PortBindings"]).iter().filter(|wanted| !is_in_force(wanted));
    let of_port = |entry: &Entry| {
        let Some((protocol, ports)) = port(&entry.key) else { return Vec::new() };
        let bindings = entry.value.items().iter().map(|binding| publish(protocol, ports, binding)).collect();
        one_for_both_families(bindings)
    };
    in_force.iter().chain(wanted).flat_map(of_port).collect()
}

fn publish(protocol: Protocol, container_ports: PortRange, binding: &Node) -> PublishDecl {
    let host_address = text(binding, &["HostIp"]).and_then(|address| address.parse().ok());
    let host_ports = text(binding, &["HostPort"]).and_then(port_spec::port_range);
    let span = at(binding, &["HostPort"]).map_or(binding.span, |port| port.content);
    PublishDecl { host_address, host_ports, container_ports, protocol, span }
}

/// A port that is published on no particular address is listed once for IPv4 and once for IPv6.
pub(super) fn one_for_both_families(mut bindings: Vec<PublishDecl>) -> Vec<PublishDecl> {
    let everywhere = |publish: &PublishDecl, v4: bool| {
        publish.host_address.is_some_and(|address| address.is_unspecified() && address.is_ipv4() == v4)
    };
    let key = |publish: &PublishDecl| (publish.host_ports, publish.container_ports, publish.protocol);
    let v6: Vec<_> = bindings.iter().filter(|publish| everywhere(publish, false)).map(key).collect();
    for publish in &mut bindings {
        if everywhere(publish, true) && v6.contains(&key(publish)) {
            publish.host_address = None;
        }
    }
    let both: Vec<_> = bindings.iter().filter(|publish| publish.host_address.is_none()).map(key).collect();
    bindings.retain(|publish| !everywhere(publish, false) || !both.contains(&key(publish)));
    bindings
}

/// Published ports are listed as exposed ones, whether anybody has exposed them or not.
fn exposes(object: &Node) -> Vec<Spanned<(Protocol, PortRange)>> {
    let published = entries(object, &["HostConfig", "PortBindings"]);
    let exposed = entries(object, &["Config", "ExposedPorts"]).iter();
    let exposed = exposed.filter(|exposed| !published.iter().any(|entry| entry.key.value == exposed.key.value));
    exposed.filter_map(|entry| Some(Spanned::new(port(&entry.key)?, entry.key.span))).collect()
}

fn entries<'n>(object: &'n Node, path: &[&str]) -> &'n [Entry] {
    at(object, path).map(Node::entries).unwrap_or_default()
}

/// `80/tcp`
fn port(key: &Spanned<String>) -> Option<(Protocol, PortRange)> {
    let (ports, protocol) = key.value.split_once('/').unwrap_or((&key.value, ""));
    Some((port_spec::published_protocol(protocol)?, port_spec::port_range(ports)?))
}

/// `name:address`
fn extra_host(written: Spanned<String>) -> Option<(Spanned<String>, HostAddress)> {
    let (name, address) = written.value.split_once([':', '='])?;
    let address = address.parse().ok()?;
    Some((Spanned::new(name.to_owned(), written.span), address))
}

/// `/database:/web/db`
fn link(written: Spanned<String>) -> Option<Spanned<(String, String)>> {
    let (target, alias) = written.value.split_once(':')?;
    let alias = alias.rsplit('/').next().unwrap_or(alias);
    let link = (target.trim_start_matches('/').to_owned(), alias.to_owned());
    Some(Spanned::new(link, written.span))
}

fn variable(written: Spanned<String>) -> Option<(String, Spanned<String>)> {
    let (name, value) = written.value.split_once('=')?;
    Some((name.to_owned(), Spanned::new(value.to_owned(), written.span)))
}

fn words<'n>(object: &'n Node, path: &[&str]) -> impl Iterator<Item = Spanned<String>> + use<'n> {
    at(object, path).map(Node::items).unwrap_or_default().iter().filter_map(spanned)
}

fn text_of(object: &Node, key: &str) -> Option<Spanned<String>> {
    at(object, &[key]).and_then(spanned)
}

pub(super) fn spanned(node: &Node) -> Option<Spanned<String>> {
    match &node.value {
        Value::Scalar(text) if !text.is_empty() => Some(Spanned::new(text.clone(), node.content)),
        _ => None,
    }
}

pub(super) fn parsed<T: std::str::FromStr>(node: &Node) -> Option<Spanned<T>> {
    let written = spanned(node)?;
    Some(Spanned::new(written.value.parse().ok()?, written.span))
}
