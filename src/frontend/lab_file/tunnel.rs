//! `tunnels:` of a host: `{local: "8080:localhost:3000", through: rocky}` like `ssh -L`, `remote` like `ssh -R`, and
//! `{proxy: "8080:192.168.56.10:80"}` for a program that listens and dials on the same machine (`netsh interface portproxy`,
//! `socat`).

use std::net::{IpAddr, Ipv4Addr};

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::yaml::{self, Node, Walk};
use crate::lab::Declaration;
use crate::lab::tunnel::{SshServer, TunnelDecl, TunnelKind};
use crate::language::text;
use crate::source::Spanned;

const KEYS: &[&str] = &["local", "remote", "proxy", "through"];

/// Reads the list.
pub(super) fn read(walk: &mut Walk, node: &Node) -> Vec<Declaration> {
    let items = walk.list(node, "`tunnels`").iter();
    items.filter_map(|item| tunnel(walk, item)).map(Declaration::Tunnel).collect()
}

fn tunnel(walk: &mut Walk, item: &Node) -> Option<TunnelDecl> {
    let entries = walk.map(item, "a tunnel");
    walk.check_keys(entries, "a tunnel", KEYS);
    let mut ways = entries.iter().filter(|entry| entry.key.value != "through");
    let Some(way) = ways.next().filter(|_| ways.next().is_none()) else {
        walk.report(
            Diagnostic::new(
                Code::LabBadValue,
                text!(
                    "a tunnel is one of `local`, `remote` and `proxy`",
                    "터널은 `local`, `remote`, `proxy` 가운데 하나여야 합니다"
                ),
            )
            .label(item.span, text!("which is it?", "어느 것인지 알 수 없음"))
            .help(text!(
                "like `{{local: \"8080:localhost:3000\", through: rocky}}`",
                "예: `{{local: \"8080:localhost:3000\", through: rocky}}`"
            )),
        );
        return None;
    };
    let text = walk.string(&way.value, "a tunnel")?;
    let kind = if way.key.value == "proxy" {
        TunnelKind::Here
    } else {
        let through = walk.required(item, "through", "a tunnel")?;
        let server = SshServer { name: walk.string(through, "the name of a host")?, port: 22 };
        if way.key.value == "local" { TunnelKind::Local(server) } else { TunnelKind::Remote(server) }
    };
    let parsed = parse(&text, matches!(kind, TunnelKind::Here));
    let Some((listen_address, listen_port, to, to_port)) = parsed else {
        walk.report(
            yaml::misunderstood(
                Code::BadPort,
                text.span,
                text!("`{value}` is not a tunnel", "`{value}`: 터널 형식이 아닙니다", value = &text.value),
            )
            .help(text!(
                "write `[ADDRESS:]PORT:HOST:PORT`, IPv6 addresses in brackets",
                "`[ADDRESS:]PORT:HOST:PORT`로 쓰십시오. IPv6 주소는 대괄호로 감쌉니다"
            )),
        );
        return None;
    };
    Some(TunnelDecl { kind, listen_address, listen_port, to, to_port, span: item.span })
}

/// The address to listen on, the port, and what is dialled. ssh listens on the loopback unless told otherwise (ssh(1), `-L`),
/// a port proxy on all addresses (netsh, `listenaddress`).
fn parse(text: &Spanned<String>, is_proxy: bool) -> Option<(Option<IpAddr>, u16, Spanned<String>, u16)> {
    let mut inside = false;
    let is_colon = |c: char| {
        inside = (inside || c == '[') && c != ']';
        c == ':' && !inside
    };
    let parts: Vec<&str> = text.value.split(is_colon).collect();
    let (bind, listen, to, to_port) = match parts.as_slice() {
        [listen, to, to_port] => (None, listen, to, to_port),
        [bind, listen, to, to_port] => (Some(*bind), listen, to, to_port),
        _ => return None,
    };
    let address = match bind {
        None if is_proxy => None,
        None | Some("localhost") => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Some("" | "*") => None,
        Some(address) => Some(address.trim_matches(['[', ']']).parse().ok()?),
    };
    let port = |text: &str| text.parse().ok().filter(|port: &u16| *port != 0);
    let to = Spanned::new(to.trim_matches(['[', ']']).to_owned(), text.span);
    Some((address, port(listen)?, to, port(to_port)?))
}
