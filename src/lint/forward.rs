//! Forwards of firewalld to another machine that answers past it: without masquerading, the machine sees the client's
//! own address, and where it has a way to the client of its own, the answer never comes back through the firewall.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::{Entry, Firewalld, ForwardPort, Host, Interface, RichElement, Zone};
use crate::language::text;
use crate::source::Span;

use super::scene::Scene;

pub(super) fn lint(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, host) in scene.lab.hosts() {
        let Some(firewalld) = &host.firewalld else { continue };
        for (name, zone) in &firewalld.zones {
            for (forward, span) in forwards(zone) {
                found.extend(unanswered(host, firewalld, (name, zone), forward, span));
            }
        }
    }
    found
}

fn forwards(zone: &Zone) -> Vec<(&ForwardPort, Span)> {
    let content = &zone.content;
    let plain = content.forward_ports.iter().chain(&content.later_forward_ports);
    let plain = plain.filter_map(|e: &Entry<ForwardPort>| Some((&e.value, e.origin.span()?)));
    let rich = content.rich_rules.iter().filter_map(|e| match &e.value.element {
        RichElement::ForwardPort(forward) => Some((forward, e.origin.span()?)),
        _ => None,
    });
    plain.chain(rich).collect()
}

/// The clients' network is the one that the other machine is in.
fn unanswered(
    host: &Host,
    firewalld: &Firewalld,
    (name, zone): (&str, &Zone),
    forward: &ForwardPort,
    span: Span,
) -> Option<Diagnostic> {
    let to = forward.to_address?;
    let interface = host.interfaces.iter().find(|i| has(i, to) && zone_of(firewalld, i) == name)?;
    let masquerades = zone.content.masquerade.is_some()
        || zone.content.rich_rules.iter().any(|r| r.value.element == RichElement::Masquerade)
        || firewalld.policies.values().any(|p| p.content.masquerade.is_some());
    let is_own = interface.addresses.iter().any(|a| a.net.addr() == to);
    if masquerades || is_own {
        return None;
    }
    let own = &host.name;
    let message = text!(
        "answers of {to} to clients on its own network do not come back through `{own}`",
        "같은 네트워크의 클라이언트에게 {to}에서 보내는 응답은 `{own}`을(를) 거쳐 돌아오지 않습니다"
    );
    let remark = text!(
        "{to} sees the client's address and answers it directly",
        "{to}에는 클라이언트의 주소가 보이므로 직접 응답함"
    );
    let diagnostic = Diagnostic::new(Code::FirewalldForwardUnanswered, message).label(span, remark);
    Some(diagnostic.help(text!(
        "masquerade in the zone, so that the answers come back this way: `firewall-cmd --zone={name} --add-masquerade`",
        "영역에 마스커레이드를 켜면 응답이 이 길로 돌아옵니다: `firewall-cmd --zone={name} --add-masquerade`"
    )))
}

fn has(interface: &Interface, address: IpAddr) -> bool {
    interface.addresses.iter().any(|a| a.net.contains(&address))
}

fn zone_of<'a>(firewalld: &'a Firewalld, interface: &Interface) -> &'a str {
    let bound = |zone: &Zone| zone.interfaces.iter().any(|i| i.value == interface.name);
    firewalld.zones.iter().find(|(_, z)| bound(z)).map_or(firewalld.default_zone.as_str(), |(name, _)| name)
}
