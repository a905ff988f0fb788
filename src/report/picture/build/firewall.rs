//! What stands in front of a machine: firewalld, and rules of the user.

use crate::dataplane::NodeId;
use crate::lab::{Content, Firewalld, Host, HostEvent, Peers, RichAction, RichElement, RichRule, Target, Zone};

use super::super::places::GuardKind;
use super::super::{Door, DoorKind};
use super::Builder;

impl Builder<'_> {
    /// The guards of a host, firewalld first.
    pub(super) fn guards(&mut self, host: &Host, node: NodeId) -> Vec<Door> {
        let firewalld = host.firewalld.as_ref().map(|firewalld| firewalld_lines(host, firewalld));
        let all = [(GuardKind::Firewalld, firewalld), (GuardKind::Own, own_lines(host))];
        let mut doors = Vec::new();
        for (kind, lines) in all {
            if let Some(lines) = lines {
                let door = self.door(DoorKind::Guard, lines);
                self.places.guards.insert((node, kind), door.id);
                doors.push(door);
            }
        }
        doors
    }
}

fn firewalld_lines(host: &Host, firewalld: &Firewalld) -> Vec<String> {
    let firewalld_events = |event: &&HostEvent| {
        matches!(
            event,
            HostEvent::FirewalldStart
                | HostEvent::FirewalldReload
                | HostEvent::FirewalldCompleteReload
                | HostEvent::FirewalldStop
        )
    };
    let last = host.events.iter().rfind(firewalld_events);
    let stopped = if last == Some(&HostEvent::FirewalldStop) { ", stopped" } else { "" };
    let mut lines = vec![format!("firewalld {}{stopped}", firewalld.version)];
    for (name, zone) in &firewalld.zones {
        let bound = bound(host, firewalld, name, zone);
        if !bound.is_empty() {
            lines.push(format!("zone {name} ({}): {}", bound.join(", "), zone_words(zone)));
        }
    }
    lines
}

/// What a zone is for: sources, and the host's own adapters. Bridges of containers are not worth a word.
fn bound(host: &Host, firewalld: &Firewalld, name: &str, zone: &Zone) -> Vec<String> {
    let mut bound: Vec<String> = zone.sources.iter().map(|source| source.value.to_string()).collect();
    for adapter in &host.interfaces {
        let is_in = |zone: &Zone| zone.interfaces.iter().any(|interface| interface.value == adapter.name);
        let is_default = firewalld.default_zone == name && !firewalld.zones.values().any(is_in);
        if is_in(zone) || is_default {
            bound.push(adapter.name.clone());
        }
    }
    bound
}

fn zone_words(zone: &Zone) -> String {
    let mut words = content_words(&zone.content);
    match zone.target {
        Target::Accept => words = vec!["accepts everything".to_owned()],
        Target::Drop => words.push("drops the rest".to_owned()),
        Target::Default | Target::Reject | Target::Continue => words.push("rejects the rest".to_owned()),
    }
    words.join(", ")
}

fn content_words(content: &Content) -> Vec<String> {
    let services = content.services.iter().map(|service| service.value.name.clone());
    let ports = content.ports.iter().map(|port| format!("{}/{}", port.value.1, port.value.0));
    let rich = content.rich_rules.iter().map(|rule| rich_words(&rule.value));
    services.chain(ports).chain(rich).collect()
}

fn rich_words(rule: &RichRule) -> String {
    let what = match &rule.element {
        RichElement::Service(service) => service.name.clone(),
        RichElement::Port(protocol, ports) => format!("{ports}/{protocol}"),
        RichElement::Any => "everything".to_owned(),
        _ => "a rich rule".to_owned(),
    };
    let from = rule.source.as_ref().map_or(String::new(), |(peers, inverted)| {
        let peers = match peers {
            Peers::Net(net) if net.prefix_len() == net.max_prefix_len() => net.addr().to_string(),
            other => other.to_string(),
        };
        format!(" {}from {peers}", if *inverted { "not " } else { "" })
    });
    let not = match rule.action {
        RichAction::Reject(_) | RichAction::Drop => "not ",
        RichAction::Accept | RichAction::None | RichAction::Mark { .. } => "",
    };
    format!("{not}{what}{from}")
}

fn own_lines(host: &Host) -> Option<Vec<String>> {
    let lines = host.rules.iter().map(Vec::len).sum::<usize>();
    let mut what = Vec::new();
    if lines > 0 {
        what.push(format!("{lines} {} of iptables", if lines == 1 { "command" } else { "commands" }));
    }
    if !host.nft.is_empty() {
        what.push(format!("{} nft rule {}", host.nft.len(), if host.nft.len() == 1 { "set" } else { "sets" }));
    }
    (!what.is_empty()).then(|| vec!["rules of your own".to_owned(), what.join(", ")])
}
