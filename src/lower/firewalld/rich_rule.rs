//! Rich rules: which part of a chain each goes to, and what it matches and does. Spec: specs/firewalld-zones.md.

use crate::dataplane::{Action, Match, Reject};
use crate::lab::{Entry, Firewalld, Peers, RichAction, RichElement, RichRule, RuleBackend};
use crate::language::text;
use crate::net::{Family, PortRange, Protocol, Version};

use super::content::{
    End, Places, address_text, family_match, forward_port, icmp_match, in_reach, masquerade, peers, port_match,
    protocol_match, service_matches, source_port_match,
};
use super::writer::{Draft, Space, Writer};

/// Writes rich rules by ascending priority, those of one priority as they were written; from 2.3 those that were loaded
/// come in firewalld's own order, and what the running daemon was told comes behind them.
pub(super) fn write(writer: &mut Writer<'_>, firewalld: &Firewalld, places: &Places, rules: &[Entry<RichRule>]) {
    let backend = writer.backend;
    let mut sorted: Vec<&Entry<RichRule>> = rules.iter().filter(|r| concerns(backend, &r.value)).collect();
    if firewalld.version < SORTS {
        sorted.sort_by_key(|r| r.value.priority);
    } else {
        let rank = |rule: &RichRule| (rule.priority, rule.later, (!rule.later).then(|| Rank::of(rule)));
        sorted.sort_by_key(|r| rank(&r.value));
    }
    for rule in sorted {
        one(writer, firewalld, places, rule);
    }
}

/// First release that sorts rich rules. Source: firewalld commits fb5626e4 and f61e67e9.
const SORTS: Version = Version::new(2, 3, 0);

/// Place of a rule among others: by these in turn, as text, nothing first.
///
/// Source: firewalld 2.5.0 `src/firewall/core/rich.py`, `Rich_Rule.__lt__`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    priority: i32,
    family: &'static str,
    source: Option<(String, bool)>,
    destination: Option<(String, bool)>,
    /// Name of firewalld's class, then its fields.
    element: Option<(&'static str, String, String)>,
    action: Option<(&'static str, String)>,
}

impl Rank {
    fn of(rule: &RichRule) -> Self {
        let end = |(peers, inverted): &(Peers, bool)| match peers {
            Peers::Net(net) => (address_text(*net), *inverted),
            other => (other.to_string(), *inverted),
        };
        Self {
            priority: rule.priority,
            family: rule.family.map_or("", |f| if f == Family::V4 { "ipv4" } else { "ipv6" }),
            source: rule.source.as_ref().map(end),
            destination: rule.destination.as_ref().map(end),
            element: element_rank(&rule.element),
            action: match &rule.action {
                RichAction::None => None,
                RichAction::Accept => Some(("Accept", String::new())),
                RichAction::Drop => Some(("Drop", String::new())),
                RichAction::Mark { value, mask } => Some(("Mark", mark_text(*value, *mask))),
                RichAction::Reject(answer) => Some(("Reject", answer.clone().unwrap_or_default())),
            },
        }
    }
}

fn element_rank(element: &RichElement) -> Option<(&'static str, String, String)> {
    let name = |class, name: &str| Some((class, name.to_owned(), String::new()));
    let ports = |class, ports: &PortRange, protocol: &Protocol| Some((class, ports.to_string(), protocol.to_string()));
    match element {
        RichElement::Any => None,
        RichElement::ForwardPort(forward) => ports("ForwardPort", &forward.ports, &forward.protocol),
        RichElement::IcmpBlock(icmp) => name("IcmpBlock", icmp),
        RichElement::IcmpType(icmp) => name("IcmpType", icmp),
        RichElement::Masquerade => name("Masquerade", ""),
        RichElement::Port(protocol, range) => ports("Port", range, protocol),
        RichElement::Protocol(number) => name("Protocol", &number.to_string()),
        RichElement::Service(service) => name("Service", &service.name),
        RichElement::SourcePort(protocol, range) => ports("SourcePort", range, protocol),
    }
}

/// The tables of iptables only see IPv4.
fn concerns(backend: RuleBackend, rule: &RichRule) -> bool {
    let is_in_reach = |peers: &Peers| match peers {
        Peers::Net(net) => in_reach(backend, net.addr()),
        Peers::Mac(_) | Peers::Set(..) => true,
    };
    backend == RuleBackend::Nftables
        || rule.family != Some(Family::V6)
            && rule.source.iter().chain(&rule.destination).all(|(peers, _)| is_in_reach(peers))
}

fn one(writer: &mut Writer<'_>, firewalld: &Firewalld, places: &Places, entry: &Entry<RichRule>) {
    let rule = &entry.value;
    let Some(part) = part(rule) else { return };
    match &rule.element {
        RichElement::Masquerade => {
            let matches = ends(writer, entry);
            masquerade(writer, places, part, entry, matches);
        }
        RichElement::ForwardPort(forward) => {
            let mut matches = ends(writer, entry);
            if rule.family.is_none() {
                let family = forward.to_address.map_or(Family::V4, Family::of);
                matches.splice(0..0, family_match(writer.backend, family));
            }
            forward_port(writer, firewalld, places, part, (entry, forward), matches);
        }
        // ICMP types of IPv6 have the same names.
        RichElement::IcmpBlock(_) | RichElement::IcmpType(_) if rule.family == Some(Family::V6) => {}
        element => {
            let elements = element_matches(writer.backend, element);
            match rule.action {
                RichAction::Mark { value, mask } => mark(writer, places, part, entry, elements, (value, mask)),
                _ => filter(writer, places, part, entry, elements),
            }
        }
    }
}

fn mark_text(value: u32, mask: Option<u32>) -> String {
    mask.map_or_else(|| format!("{value:#x}"), |mask| format!("{value:#x}/{mask:#x}"))
}

/// Marks are set before the routing decision, in the table `mangle`.
///
/// Source: firewalld 1.3.3 `src/firewall/core/nftables.py` (`_rich_rule_action`: the masked bits stay, and are exclusively
/// ored with the value) and `ipXtables.py` (`--set-xmark`: the masked bits go).
fn mark(
    writer: &mut Writer<'_>,
    places: &Places,
    part: &str,
    entry: &Entry<RichRule>,
    elements: Vec<Vec<Match>>,
    (value, mask): (u32, Option<u32>),
) {
    let Some(before_routing) = &places.destination else { return };
    let chain = writer.chain(Space::Mangle, &format!("{before_routing}_{part}"));
    let what = format!("mark {} of `{}`", mark_text(value, mask), places.owner);
    let changed = match (writer.backend, mask) {
        (_, None) => u32::MAX,
        (RuleBackend::Nftables, Some(mask)) => !mask,
        (RuleBackend::Iptables, Some(mask)) => mask,
    };
    for element in elements {
        let mut matches = ends(writer, entry);
        matches.extend(element);
        if value & !changed != 0 {
            matches.push(writer.unmodeled(text!("{what} flips bits", "{what}: 비트를 뒤집음"), &entry.origin));
        }
        writer.entry(chain, entry, what.clone(), matches, Action::SetMark { value: value & changed, mask: changed });
    }
}

/// Which part of the chain: below 0 `pre`, above `post`, at 0 by what the rule does. A rule that only logs has none.
///
/// Source: firewalld 1.3.3 `src/firewall/core/nftables.py`, `_rich_rule_chain_suffix`.
fn part(rule: &RichRule) -> Option<&'static str> {
    let deny = match (&rule.element, &rule.action) {
        (RichElement::Masquerade | RichElement::ForwardPort(_), _)
        | (_, RichAction::Accept | RichAction::Mark { .. }) => false,
        (RichElement::IcmpBlock(_), _) | (_, RichAction::Reject(_) | RichAction::Drop) => true,
        (_, RichAction::None) => return None,
    };
    Some(match rule.priority {
        ..0 => "pre",
        0 if deny => "deny",
        0 => "allow",
        1.. => "post",
    })
}

/// Family, destination, source and the limit of the action, in the order in which firewalld writes them.
fn ends(writer: &mut Writer<'_>, entry: &Entry<RichRule>) -> Vec<Match> {
    let rule = &entry.value;
    let mut matches = rule.family.map(|f| family_match(writer.backend, f)).unwrap_or_default();
    for (end, make) in [(&rule.destination, End::Destination), (&rule.source, End::Source)] {
        let Some((whom, inverted)) = end else { continue };
        let condition = peers(writer, whom, &entry.origin, make);
        matches.extend(condition.map(|condition| if *inverted { condition.negated() } else { condition }));
    }
    matches.extend(rule.limit.as_ref().map(|limit| writer.within_limit(limit, &entry.origin)));
    matches
}

/// What the element adds: one set of conditions for each rule that it stands for.
fn element_matches(backend: RuleBackend, element: &RichElement) -> Vec<Vec<Match>> {
    match element {
        RichElement::Service(service) => service_matches(backend, service),
        RichElement::Port(protocol, range) => vec![port_match(*protocol, *range)],
        RichElement::SourcePort(protocol, range) => {
            vec![source_port_match(*protocol, *range)]
        }
        RichElement::Protocol(number) => vec![vec![protocol_match(*number)]],
        RichElement::IcmpBlock(name) | RichElement::IcmpType(name) => icmp_match(name).into_iter().collect(),
        RichElement::Any | RichElement::Masquerade | RichElement::ForwardPort(_) => vec![Vec::new()],
    }
}

fn filter(writer: &mut Writer<'_>, places: &Places, part: &str, entry: &Entry<RichRule>, elements: Vec<Vec<Match>>) {
    let Some(filter) = &places.filter else { return };
    let chain = writer.chain(Space::Filter, &format!("{filter}_{part}"));
    let origin = writer.because(format!("rich rule of `{}`", places.owner), &entry.origin);
    for element in elements {
        let (action, unknown) = action(writer, &entry.value);
        let mut matches = ends(writer, entry);
        matches.extend(element);
        if let Some(answer) = unknown {
            let owner = &places.owner;
            let statement =
                text!("rich rule of `{owner}` answers with `{answer}`", "`{owner}`의 rich rule이 `{answer}`로 응답함");
            matches.push(writer.unmodeled(statement, &entry.origin));
        }
        writer.add(chain, Draft { matches, action, guard: entry.guard, origin });
    }
}

/// What a rich rule does, and the name of its answer if that has no model. An ICMP block without an action rejects as
/// firewalld itself does.
fn action<'a>(writer: &Writer<'_>, rule: &'a RichRule) -> (Action, Option<&'a str>) {
    match &rule.action {
        RichAction::Accept => (Action::Accept, None),
        RichAction::Drop => (Action::Drop, None),
        RichAction::None | RichAction::Mark { .. } => (Action::Reject(writer.reject()), None),
        RichAction::Reject(None) => (Action::Reject(Reject::PortUnreachable), None),
        RichAction::Reject(Some(name)) => match answer(name) {
            Some(reject) => (Action::Reject(reject), None),
            None => (Action::Drop, Some(name)),
        },
    }
}

/// Source: firewalld 1.3.3 `src/firewall/core/nftables.py`, `_reject_types_fragment`. A client sees net prohibited like
/// net unreachable (Linux 6.1 `net/ipv4/icmp.c`, `icmp_err_convert`).
fn answer(name: &str) -> Option<Reject> {
    Some(match name {
        "icmp-host-prohibited" | "host-prohib" => Reject::HostProhibited,
        "icmp-admin-prohibited" | "admin-prohib" | "icmp6-adm-prohibited" | "adm-prohibited" => Reject::AdminProhibited,
        "icmp-net-unreachable" | "net-unreach" | "icmp-net-prohibited" | "net-prohib" => Reject::NetUnreachable,
        "icmp-host-unreachable" | "host-unreach" => Reject::HostUnreachable,
        "icmp-port-unreachable" | "icmp6-port-unreachable" | "port-unreach" => Reject::PortUnreachable,
        "tcp-reset" | "tcp-rst" => Reject::TcpReset,
        _ => return None,
    })
}
