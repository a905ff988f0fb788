//! Where programs listen, `[address:]port[/protocol]`, and NAT forwards,
//! `protocol:[host address]:host port:[guest address:]guest port`, or as QEMU's `hostfwd` writes them:
//! `protocol:[host address]:host port-[guest address]:guest port`.

use std::net::IpAddr;

use crate::diagnostic::Code;
use crate::frontend::yaml::{self, Node, Walk};
use crate::lab::declaration::ListenDecl;
use crate::lab::machine::ForwardDecl;
use crate::language::text;
use crate::net::{PortRange, Protocol};
use crate::source::Spanned;

/// A port that is alone or the first of many, a list of such, or nothing.
pub(super) fn read(walk: &mut Walk, node: &Node) -> Vec<ListenDecl> {
    walk.one_or_many(node).iter().filter_map(|item| listen(walk, item)).collect()
}

fn listen(walk: &mut Walk, node: &Node) -> Option<ListenDecl> {
    let item = walk.string(node, "a place to listen")?;
    let decl = parse_listen(&item);
    if decl.is_none() {
        walk.report(
            yaml::misunderstood(
                Code::BadPort,
                item.span,
                text!("`{value}` is not a place to listen", "`{value}`: 대기할 곳이 아닙니다", value = &item.value),
            )
            .help(text!(
                "write `PORT`, `PORT/udp`, `FIRST-LAST` or `ADDRESS:PORT`, IPv6 addresses in brackets",
                "`PORT`, `PORT/udp`, `FIRST-LAST`, `ADDRESS:PORT` 가운데 하나로 쓰십시오. IPv6 주소는 대괄호로 감쌉니다"
            )),
        );
    }
    decl
}

fn parse_listen(item: &Spanned<String>) -> Option<ListenDecl> {
    let (place, protocol) = item.value.split_once('/').unwrap_or((&item.value, "tcp"));
    let protocol = transport(protocol)?;
    let (address, ports) = match place.rsplit_once(':') {
        Some((address, ports)) => (Some(self::address(address)?), ports),
        None => (None, place),
    };
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let ports = PortRange::new(port(first)?, port(last)?)?;
    Some(ListenDecl { protocol, address, ports, span: item.span })
}

/// One forward.
pub(super) fn forward(walk: &mut Walk, node: &Node) -> Option<ForwardDecl> {
    let item = walk.string(node, "a forward")?;
    let decl = parse_forward(&item);
    if decl.is_none() {
        walk.report(
            yaml::misunderstood(
                Code::BadPort,
                item.span,
                text!("`{value}` is not a forward", "`{value}`: 포트 포워딩 형식이 아닙니다", value = &item.value),
            )
            .help(text!(
                "write `tcp:127.0.0.1:3000:3000` or `tcp::3000:10.0.2.15:3000`, IPv6 addresses in brackets",
                "`tcp:127.0.0.1:3000:3000`이나 `tcp::3000:10.0.2.15:3000`처럼 쓰십시오. IPv6 주소는 대괄호로 감쌉니다"
            )),
        );
    }
    decl
}

fn parse_forward(item: &Spanned<String>) -> Option<ForwardDecl> {
    let mut in_brackets = false;
    let is_colon = |c: char| {
        in_brackets = (in_brackets || c == '[') && c != ']';
        c == ':' && !in_brackets
    };
    // Ports have no ranges here: the only dash is QEMU's.
    let text = item.value.replacen('-', ":", 1);
    let parts: Vec<&str> = text.split(is_colon).collect();
    let (protocol, host_address, host_port, guest_address, guest_port) = match parts.as_slice() {
        [protocol, host, host_port, guest_port] => (protocol, host, host_port, &"", guest_port),
        [protocol, host, host_port, guest, guest_port] => (protocol, host, host_port, guest, guest_port),
        _ => return None,
    };
    Some(ForwardDecl {
        name: item.value.clone(),
        protocol: transport(protocol)?,
        host_address: optional_address(host_address)?,
        host_port: port(host_port)?,
        guest_address: optional_address(guest_address)?,
        guest_port: port(guest_port)?,
        span: item.span,
    })
}

fn transport(text: &str) -> Option<Protocol> {
    text.parse().ok().filter(|p| matches!(p, Protocol::Tcp | Protocol::Udp | Protocol::Sctp))
}

fn port(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?.filter(|port| *port != 0)
}

fn address(text: &str) -> Option<IpAddr> {
    text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text).parse().ok()
}

/// The outer option says whether it can be understood, the inner whether there is one.
#[expect(clippy::option_option, reason = "not written and not understood are two things")]
fn optional_address(text: &str) -> Option<Option<IpAddr>> {
    if text.is_empty() { Some(None) } else { address(text).map(Some) }
}
