//! `ports:` and `expose:`.

use std::net::{IpAddr, Ipv4Addr};

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::docker::port_spec;
use crate::frontend::yaml::scalar::is_sexagesimal;
use crate::frontend::yaml::{Entry, Node, Resolved, Style, Value, Walk};
use crate::lab::declaration::PublishDecl;
use crate::language::text;
use crate::net::{PortRange, Protocol};
use crate::source::{Span, Spanned};

use super::model::Texts;

/// Reads `ports:`. Of items that mean the same the last one counts, at the place of the first (compose-go
/// override/uncity.go).
pub(super) fn publishes(walk: &mut Walk, texts: &Texts, node: &Node) -> Vec<PublishDecl> {
    let mut publishes: Vec<PublishDecl> = Vec::new();
    for item in walk.list(node, "`ports`") {
        let publish = match &item.value {
            Value::Mapping(entries) => long(walk, item, entries),
            _ => short(walk, texts, item),
        };
        let Some(publish) = publish else { continue };
        match publishes.iter_mut().find(|old| is_same(old, &publish)) {
            Some(old) => *old = publish,
            None => publishes.push(publish),
        }
    }
    publishes
}

/// No address means all IPv4 addresses.
fn is_same(a: &PublishDecl, b: &PublishDecl) -> bool {
    let address = |p: &PublishDecl| p.host_address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let fields = |p: &PublishDecl| (address(p), p.host_ports, p.container_ports, p.protocol);
    fields(a) == fields(b)
}

fn short(walk: &mut Walk, texts: &Texts, item: &Node) -> Option<PublishDecl> {
    let written = walk.string(item, text!("a port mapping", "포트 매핑"))?;
    let spec = match item.resolve() {
        // `0777` is a number, 511, before it is a port.
        Some(Resolved::Int(number)) => number.to_string(),
        _ => written.value,
    };
    if item.style == Style::Plain && is_sexagesimal(&spec) {
        walk.report(sexagesimal(&spec, item.span));
    }
    let is_literal = texts.of(item.content.source).get(item.content.start..item.content.end) == Some(&spec);
    if let Some(problem) = without_brackets(&spec, item.content) {
        walk.report(problem);
        return None;
    }
    match port_spec::parse(&spec, item.content) {
        Ok(publish) => Some(PublishDecl { span: item.span, ..publish }),
        Err(mut problem) => {
            if !is_literal {
                problem.labels.iter_mut().for_each(|label| label.span = item.content);
            }
            walk.report(*problem);
            None
        }
    }
}

/// docker compose wants brackets around an IPv6 address, other than the docker CLI since 25.
fn without_brackets(spec: &str, span: Span) -> Option<Diagnostic> {
    let address = spec.rsplitn(3, ':').nth(2).filter(|address| address.contains(':') && !address.starts_with('['))?;
    let message = text!(
        "`{address}` is not an IP address for docker compose",
        "`{address}`은(는) docker compose가 읽는 IP 주소가 아닙니다"
    );
    let label = text!("an IPv6 address needs brackets here", "여기서 IPv6 주소에는 대괄호가 필요함");
    let help = text!("write `[{address}]`", "`[{address}]`(으)로 쓰십시오");
    Some(Diagnostic::new(Code::BadAddress, message).label(span, label).help(help))
}

fn sexagesimal(spec: &str, span: Span) -> Diagnostic {
    let message =
        text!("unquoted `{spec}` is a number in YAML 1.1", "따옴표 없는 `{spec}`은(는) YAML 1.1에서 숫자입니다");
    let label = text!(
        "docker compose v2 reads it as text, older programs in base 60",
        "docker compose v2는 문자열로, 옛 프로그램은 60진수로 읽음"
    );
    Diagnostic::new(Code::YamlSexagesimal, message)
        .label(span, label)
        .help(text!("write \"{spec}\" in quotes", "따옴표를 붙여 \"{spec}\"(으)로 쓰십시오"))
}

fn long(walk: &mut Walk, item: &Node, entries: &[Entry]) -> Option<PublishDecl> {
    let target = walk.required(item, "target", text!("a port", "포트"))?;
    let container_ports = ports(walk, target)?;
    let mut publish =
        PublishDecl { host_address: None, host_ports: None, container_ports, protocol: Protocol::Tcp, span: item.span };
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "published" => publish.host_ports = published(walk, value)?,
            "host_ip" => publish.host_address = host_address(walk, value)?,
            "protocol" => publish.protocol = protocol(walk, value)?,
            // `mode` matters to swarms only.
            _ => {}
        }
    }
    Some(publish)
}

/// Nothing or 0 means an ephemeral port.
#[expect(clippy::option_option, reason = "the outer option says whether it can be understood")]
fn published(walk: &mut Walk, node: &Node) -> Option<Option<PortRange>> {
    let is_empty = matches!(&node.value, Value::Scalar(text) if text.is_empty() || text == "0");
    if is_empty { Some(None) } else { ports(walk, node).map(Some) }
}

#[expect(clippy::option_option, reason = "the outer option says whether it can be understood")]
fn host_address(walk: &mut Walk, node: &Node) -> Option<Option<IpAddr>> {
    let is_empty = matches!(&node.value, Value::Scalar(text) if text.is_empty());
    if is_empty {
        Some(None)
    } else {
        walk.parsed(node, text!("an IP address", "IP 주소"), Code::BadAddress).map(|a| Some(a.value))
    }
}

fn ports(walk: &mut Walk, node: &Node) -> Option<PortRange> {
    let text = walk.string(node, text!("a port", "포트"))?;
    let range = port_spec::port_range(&text.value).filter(|range| range.first != 0);
    if range.is_none() {
        walk.report(bad_port(&text));
    }
    range
}

fn protocol(walk: &mut Walk, node: &Node) -> Option<Protocol> {
    let text = walk.string(node, text!("a protocol", "프로토콜"))?;
    let protocol = port_spec::published_protocol(&text.value);
    if protocol.is_none() {
        walk.report(
            Diagnostic::new(Code::BadPort, port_spec::not_publishable(&text.value))
                .label(text.span, text!("neither tcp, udp nor sctp", "tcp, udp, sctp가 아님")),
        );
    }
    protocol
}

fn bad_port(text: &Spanned<String>) -> Diagnostic {
    let message = text!("`{port}` is not a port", "`{port}`은(는) 포트가 아닙니다", port = &text.value);
    Diagnostic::new(Code::BadPort, message)
        .label(text.span, text!("ports go from 1 to 65535", "포트는 1부터 65535까지임"))
}

/// Reads `expose:`.
pub(super) fn exposes(walk: &mut Walk, node: &Node) -> Vec<Spanned<(Protocol, PortRange)>> {
    walk.list(node, "`expose`").iter().filter_map(|item| expose(walk, item)).collect()
}

fn expose(walk: &mut Walk, item: &Node) -> Option<Spanned<(Protocol, PortRange)>> {
    let text = walk.string(item, text!("a port", "포트"))?;
    let (ports, protocol) = text.value.split_once('/').unwrap_or((&text.value, ""));
    let read = (port_spec::published_protocol(protocol), port_spec::port_range(ports));
    match read {
        (Some(protocol), Some(ports)) if ports.first != 0 => Some(Spanned::new((protocol, ports), text.span)),
        _ => {
            walk.report(bad_port(&text));
            None
        }
    }
}
