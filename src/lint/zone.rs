//! Zones of firewalld that no packet comes to, and ports that are opened in them by mistake.

use crate::dataplane::{Disposition, Interface, NodeId};
use crate::diagnostic::{Code, Diagnostic};
use crate::lab::firewall_builtin;
use crate::lab::{Content, Firewalld, Host, Zone};
use crate::language::text;
use crate::net::{PortRange, Protocol};
use crate::provenance::{Basis, Origin};
use crate::source::Span;

use super::scene::Scene;

pub(super) fn lint(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (id, host) in scene.lab.hosts() {
        let (Some(firewalld), Some(node)) = (&host.firewalld, scene.node_of(id)) else { continue };
        for (name, zone) in firewalld.zones.iter().filter(|(name, zone)| is_unused(firewalld, name, zone)) {
            let Some(first) = written(name, zone).into_iter().next() else { continue };
            let wrong = openings(&zone.content).into_iter().find_map(|opening| {
                let blocked = blocked(scene, node, &opening)?;
                Some(wrong_zone(host, firewalld, name, &opening, &blocked))
            });
            found.push(wrong.unwrap_or_else(|| unused(firewalld, name, first)));
        }
    }
    found
}

/// Whether nothing leads packets to a zone.
fn is_unused(firewalld: &Firewalld, name: &str, zone: &Zone) -> bool {
    let in_policy = firewalld.policies.values().any(|p| p.ingress.iter().chain(&p.egress).any(|e| e.value == name));
    zone.interfaces.is_empty() && zone.sources.is_empty() && name != firewalld.default_zone && !in_policy
}

/// The places where the user gave a zone something that it does not have from the start.
fn written(name: &str, zone: &Zone) -> Vec<Span> {
    let built_in = firewall_builtin::zone(name);
    let has = |service: &str| built_in.as_ref().is_some_and(|z| z.services.contains(&service));
    let content = &zone.content;
    let services = content.services.iter().filter(|s| !has(&s.value.name)).map(|s| &s.origin);
    let origins = content
        .ports
        .iter()
        .map(|e| &e.origin)
        .chain(services)
        .chain(content.forward_ports.iter().chain(&content.later_forward_ports).map(|e| &e.origin))
        .chain(content.rich_rules.iter().map(|e| &e.origin))
        .chain(content.source_ports.iter().map(|e| &e.origin));
    origins.filter_map(of_user).collect()
}

fn of_user(origin: &Origin) -> Option<Span> {
    match origin.basis {
        Basis::Written(span) => Some(span),
        _ => None,
    }
}

struct Opening {
    what: String,
    protocol: Protocol,
    ports: PortRange,
    span: Span,
}

fn openings(content: &Content) -> Vec<Opening> {
    let mut all = Vec::new();
    for entry in &content.ports {
        let (protocol, ports) = entry.value;
        let what = format!("{ports}/{protocol}");
        all.extend(of_user(&entry.origin).map(|span| Opening { what, protocol, ports, span }));
    }
    for entry in &content.services {
        for (protocol, ports) in &entry.value.ports {
            let what = format!("`{}`", entry.value.name);
            let span = of_user(&entry.origin);
            all.extend(span.map(|span| Opening { what, protocol: *protocol, ports: *ports, span }));
        }
    }
    all
}

/// What stops a machine that nobody listed on its way to a program that listens there.
struct Blocked {
    network: String,
    interface: Option<String>,
}

fn blocked(scene: &Scene<'_>, node: NodeId, opening: &Opening) -> Option<Blocked> {
    let host = scene.dataplane.node(node);
    let socket = host.sockets.iter().find(|s| {
        let is_open = s.address.is_none_or(|a| !a.is_loopback());
        s.guard.is_none() && is_open && s.protocol == opening.protocol && opening.ports.contains(s.ports.first)
    })?;
    scene.outsiders(node).iter().find_map(|outsider| {
        let source = outsider.address(None, &[])?;
        let trace = scene.dial(outsider, source, socket.protocol, socket.ports.first);
        let is_refused = matches!(trace.outcome.disposition, Disposition::Dropped | Disposition::Rejected(_));
        let has = |i: &&Interface| i.addresses.iter().any(|a| a.net.addr() == outsider.host_address);
        let interface = host.interfaces.iter().find(has).map(|i| i.name.clone());
        is_refused.then(|| Blocked { network: outsider.network.to_owned(), interface })
    })
}

fn wrong_zone(host: &Host, firewalld: &Firewalld, zone: &str, opening: &Opening, blocked: &Blocked) -> Diagnostic {
    let name = blocked.interface.as_deref().unwrap_or_default();
    let bound = firewalld.zones.iter().find(|(_, z)| z.interfaces.iter().any(|i| i.value == name));
    let right = bound.map_or(firewalld.default_zone.as_str(), |(zone, _)| zone);
    let (what, own, network) = (&opening.what, &host.name, &blocked.network);
    let message = text!(
        "{what} is opened in zone `{zone}`, but `{name}` of `{own}` is in zone `{right}`",
        "{what}: `{zone}` 영역에서 열었지만, `{own}`의 `{name}` 인터페이스는 `{right}` 영역에 있습니다"
    );
    let remark = text!("machines on `{network}` do not get in by this", "`{network}`의 머신은 이것으로 들어올 수 없음");
    let mut diagnostic = Diagnostic::new(Code::FirewalldWrongZone, message).label(opening.span, remark);
    if let Some(span) = bound.and_then(|(_, z)| z.interfaces.iter().find(|i| i.value == name)?.origin.span()) {
        diagnostic = diagnostic.label(span, text!("puts `{name}` into `{right}`", "`{name}`: `{right}` 영역에 들어감"));
    }
    diagnostic.help(text!(
        "open it in `{right}`, or put the interface into `{zone}`",
        "`{right}` 영역에서 열거나, 인터페이스를 `{zone}` 영역에 넣으십시오"
    ))
}

fn unused(firewalld: &Firewalld, zone: &str, first: Span) -> Diagnostic {
    let message = text!(
        "nothing puts an interface or a source into zone `{zone}`: what is allowed there has no effect",
        "`{zone}` 영역에는 인터페이스도 출발지도 없습니다: 거기서 허용한 것은 효과가 없습니다"
    );
    let help = text!(
        "bind an interface or a source to it, or use the default zone `{default}`",
        "인터페이스나 출발지를 이 영역에 넣거나, 기본 영역 `{default}`을(를) 쓰십시오",
        default = &firewalld.default_zone
    );
    let remark = text!("no packet comes to this zone", "이 영역으로 오는 패킷이 없음");
    Diagnostic::new(Code::FirewalldUnusedZone, message).label(first, remark).help(help)
}
