//! Forwards of firewalld to another machine that answers past it: without masquerading, the machine sees the client's
//! own address, and where it has a way to the client of its own, the answer never comes back through the firewall.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::{Entry, Firewalld, ForwardPort, Host, Interface, RichElement, Zone};
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
    let message = format!("answers of {to} to clients on its own network do not come back through `{}`", host.name);
    let diagnostic = Diagnostic::new(Code::FirewalldForwardUnanswered, message)
        .label(span, format!("{to} sees the client's address and answers it directly"));
    Some(diagnostic.help(format!(
        "masquerade in the zone, so that the answers come back this way: `firewall-cmd --zone={name} --add-masquerade`"
    )))
}

fn has(interface: &Interface, address: IpAddr) -> bool {
    interface.addresses.iter().any(|a| a.net.contains(&address))
}

fn zone_of<'a>(firewalld: &'a Firewalld, interface: &Interface) -> &'a str {
    let bound = |zone: &Zone| zone.interfaces.iter().any(|i| i.value == interface.name);
    firewalld.zones.iter().find(|(_, z)| bound(z)).map_or(firewalld.default_zone.as_str(), |(name, _)| name)
}
