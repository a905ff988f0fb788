//! What stands in front of a machine: firewalld, and rules of the user.

use crate::dataplane::NodeId;
use crate::lab::{Content, Firewalld, Host, HostEvent, Peers, RichAction, RichElement, RichRule, Target, Zone};
use crate::language::{Text, text};

use super::super::places::GuardKind;
use super::super::{Door, DoorKind};
use super::Builder;

impl Builder<'_> {
    /// The guards of a host, firewalld first.
    pub(super) fn guards(&mut self, host: &Host, node: NodeId) -> Vec<Door> {
        let said = |lines: Vec<Text>| lines.iter().map(|line| self.say(line)).collect::<Vec<_>>();
        let firewalld = host.firewalld.as_ref().map(|firewalld| said(firewalld_lines(host, firewalld)));
        let own = own_lines(host).map(said);
        let all = [(GuardKind::Firewalld, firewalld), (GuardKind::Own, own)];
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

fn firewalld_lines(host: &Host, firewalld: &Firewalld) -> Vec<Text> {
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
    let is_stopped = last == Some(&HostEvent::FirewalldStop);
    let stopped = if is_stopped { text!(", stopped", ", 중지됨") } else { Text::default() };
    let version = firewalld.version;
    let mut lines = vec![text!("firewalld {version}{stopped}", "firewalld {version}{stopped}"; stopped)];
    for (name, zone) in &firewalld.zones {
        let bound = bound(host, firewalld, name, zone);
        if !bound.is_empty() {
            let (bound, words) = (bound.join(", "), zone_words(zone));
            lines.push(text!("zone {name} ({bound}): {words}", "{name} 영역 ({bound}): {words}"; words));
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

fn zone_words(zone: &Zone) -> Text {
    let mut words = content_words(&zone.content);
    match zone.target {
        Target::Accept => words = vec![text!("accepts everything", "모두 허용")],
        Target::Drop => words.push(text!("drops the rest", "나머지는 버림")),
        Target::Default | Target::Reject | Target::Continue => words.push(text!("rejects the rest", "나머지는 거부")),
    }
    Text::joined(&words, &", ".into())
}

fn content_words(content: &Content) -> Vec<Text> {
    let services = content.services.iter().map(|service| service.value.name.as_str().into());
    let ports = content.ports.iter().map(|port| format!("{}/{}", port.value.1, port.value.0).into());
    let rich = content.rich_rules.iter().map(|rule| rich_words(&rule.value));
    services.chain(ports).chain(rich).collect()
}

fn rich_words(rule: &RichRule) -> Text {
    let what = match &rule.element {
        RichElement::Service(service) => service.name.as_str().into(),
        RichElement::Port(protocol, ports) => format!("{ports}/{protocol}").into(),
        RichElement::Any => text!("everything", "모든 연결"),
        _ => text!("a rich rule", "리치 규칙"),
    };
    let from = rule.source.as_ref().map_or(Text::default(), |(peers, inverted)| {
        let peers = match peers {
            Peers::Net(net) if net.prefix_len() == net.max_prefix_len() => net.addr().to_string(),
            other => other.to_string(),
        };
        match inverted {
            true => text!(" not from {peers}", " (출발지가 {peers} 아닐 때)"),
            false => text!(" from {peers}", " (출발지 {peers})"),
        }
    });
    match rule.action {
        RichAction::Reject(_) | RichAction::Drop => text!("not {what}{from}", "{what} 차단{from}"; what, from),
        RichAction::Accept | RichAction::None | RichAction::Mark { .. } => {
            text!("{what}{from}", "{what}{from}"; what, from)
        }
    }
}

fn own_lines(host: &Host) -> Option<Vec<Text>> {
    let lines = host.rules.iter().map(Vec::len).sum::<usize>();
    let mut what = Vec::new();
    if lines > 0 {
        let commands = if lines == 1 { "command" } else { "commands" };
        what.push(Text::new(format!("{lines} {commands} of iptables"), format!("iptables 명령 {lines}개")));
    }
    if !host.nft.is_empty() {
        let (count, sets) = (host.nft.len(), if host.nft.len() == 1 { "set" } else { "sets" });
        what.push(Text::new(format!("{count} nft rule {sets}"), format!("nft 규칙 집합 {count}개")));
    }
    (!what.is_empty()).then(|| vec![text!("rules of your own", "직접 쓴 규칙"), Text::joined(&what, &", ".into())])
}
