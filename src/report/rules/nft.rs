//! The nftables tables of a node as `nft -s list ruleset` prints them. Tables of iptables are left to their own tool.
//!
//! Spelled as nft 1.1.7 does.

use std::fmt::Write;
use std::net::IpAddr;

use crate::dataplane::{
    Action, Chain, ChainKind, Hook, HookPoint, Match, Policy, Reject, Rule, Ruleset, States, Table, TableFamily,
    TableId,
};
use crate::net::{Family, IpNet, Protocol, url_host};

use super::Beside;

/// All tables of the nft families, with what `beside` says beside each rule.
pub fn render(ruleset: &Ruleset, beside: &Beside<'_>) -> String {
    let mut out = String::new();
    for (index, table) in ruleset.tables.iter().enumerate() {
        if let Some(family) = family_name(table.family) {
            let _ = writeln!(out, "table {family} {} {{", table.name);
            chains(&mut out, ruleset, TableId(index), table, beside);
            let _ = writeln!(out, "}}");
        }
    }
    out
}

fn family_name(family: TableFamily) -> Option<&'static str> {
    match family {
        TableFamily::Iptables => None,
        TableFamily::Ip => Some("ip"),
        TableFamily::Ip6 => Some("ip6"),
        TableFamily::Inet => Some("inet"),
    }
}

fn chains(out: &mut String, ruleset: &Ruleset, id: TableId, table: &Table, beside: &Beside<'_>) {
    let mut between = "";
    for chain in ruleset.chains.iter().filter(|c| c.table == id) {
        let _ = write!(out, "{between}");
        between = "\n";
        let _ = writeln!(out, "\tchain {} {{", chain.name);
        if let Some(hook) = &chain.hook {
            let _ = writeln!(out, "\t\t{}", hook_line(hook));
        }
        body(out, ruleset, table, chain, beside);
        let _ = writeln!(out, "\t}}");
    }
}

fn body(out: &mut String, ruleset: &Ruleset, table: &Table, chain: &Chain, beside: &Beside<'_>) {
    for rule in &chain.rules {
        let _ = writeln!(out, "\t\t{}", beside.line(&rule_line(ruleset, table.family, rule), rule));
    }
}

fn hook_line(point: &HookPoint) -> String {
    let kind = match point.kind {
        ChainKind::Filter => "filter",
        ChainKind::Nat => "nat",
    };
    let policy = match point.policy {
        Policy::Accept => "accept",
        Policy::Drop => "drop",
    };
    let hook = point.hook;
    format!("type {kind} hook {hook} priority {}; policy {policy};", priority(point))
}

/// nft names a priority when a standard one is at most 10 away. Source: nft 1.1.7 `src/rule.c`, `prio2str`.
fn priority(point: &HookPoint) -> String {
    let standard =
        [(-300, "raw"), (-150, "mangle"), (-100, "dstnat"), (0, "filter"), (50, "security"), (100, "srcnat")];
    let fits = |name: &str| match name {
        "dstnat" => matches!(point.hook, Hook::Prerouting | Hook::Output),
        "srcnat" => matches!(point.hook, Hook::Postrouting | Hook::Input),
        _ => true,
    };
    let near = standard.iter().find(|(at, name)| fits(name) && point.priority.abs_diff(*at) <= 10);
    match near.map(|(at, name)| (point.priority - at, name)) {
        Some((0, name)) => (*name).to_owned(),
        Some((offset, name)) if offset < 0 => format!("{name} - {}", -offset),
        Some((offset, name)) => format!("{name} + {offset}"),
        None => point.priority.to_string(),
    }
}

/// One rule, as it stands in a chain of a table of this family.
pub fn rule_line(ruleset: &Ruleset, family: TableFamily, rule: &Rule) -> String {
    let implied = matches!(rule.action, Action::Reject(reject) if answers_v4(&rule.matches, reject))
        || addresses(&rule.matches).any(|net| net.addr().is_ipv4());
    let shown = rule.matches.iter().filter(|m| !(implied && **m == Match::Family(Family::V4)));
    let mut words = matches(&shown.cloned().collect::<Vec<_>>());
    if let Some(action) = action(ruleset, family, rule) {
        words.push(action);
    }
    words.join(" ")
}

/// A protocol in front of a port is not printed: the port names it.
fn matches(all: &[Match]) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = all;
    while let [first, more @ ..] = rest {
        rest = more;
        let Match::Protocol(protocol) = first else {
            words.push(condition(first, "==", None));
            continue;
        };
        match more {
            [port @ (Match::SourcePort(_) | Match::DestinationPort(_)), more @ ..] => {
                words.push(condition(port, "==", Some(*protocol)));
                rest = more;
            }
            [Match::IcmpType(_), ..] => {}
            _ => words.push(condition(first, "==", None)),
        }
    }
    words
}

fn condition(one: &Match, relation: &str, protocol: Option<Protocol>) -> String {
    let (key, value) = match one {
        Match::Not(inner) => return condition(inner, "!=", protocol),
        Match::Roughly(inner) => return condition(inner, relation, protocol),
        Match::AnyOf(all) => return any_of(all, relation),
        Match::AllOf(all) => {
            let each: Vec<String> = all.iter().map(|m| condition(m, "==", None)).collect();
            return format!("{}({})", if relation == "!=" { "not " } else { "" }, each.join(" "));
        }
        Match::Unmodeled(_) => return "/* not modelled */".to_owned(),
        other => pair(other, protocol),
    };
    let relation = if relation == "!=" { "!= " } else { "" };
    format!("{key} {relation}{value}")
}

/// Key and value of a condition that has them.
fn pair(one: &Match, protocol: Option<Protocol>) -> (String, String) {
    let layer = protocol.map_or_else(|| "th".to_owned(), |p| p.to_string());
    let text = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    match one {
        Match::Family(Family::V4) => text("meta nfproto", "ipv4"),
        Match::Family(Family::V6) => text("meta nfproto", "ipv6"),
        Match::Protocol(protocol) => text("meta l4proto", &protocol.to_string()),
        Match::ProtocolNumber(number) => text("meta l4proto", &protocol_name(*number)),
        Match::Source(net) => (format!("{} saddr", ip(*net)), address(*net)),
        Match::Destination(net) => (format!("{} daddr", ip(*net)), address(*net)),
        Match::SourcePort(range) => (format!("{layer} sport"), range.to_string()),
        Match::DestinationPort(range) => (format!("{layer} dport"), range.to_string()),
        Match::InInterface(name) => text("iifname", &format!("\"{name}\"")),
        Match::OutInterface(name) => text("oifname", &format!("\"{name}\"")),
        Match::State(states) => text("ct state", &state_list(*states)),
        Match::DestinationRewritten => text("ct status", "dnat"),
        Match::SourceRewritten => text("ct status", "snat"),
        Match::OriginalDestination(net) => (format!("ct original {} daddr", ip(*net)), address(*net)),
        Match::OriginalDestinationPort(range) => text("ct original proto-dst", &range.to_string()),
        Match::OriginalSource(net) => (format!("ct original {} saddr", ip(*net)), address(*net)),
        Match::OriginalSourcePort(range) => text("ct original proto-src", &range.to_string()),
        Match::Reply => text("ct direction", "reply"),
        Match::DestinationIsLocal => text("fib daddr type", "local"),
        Match::SourceIsLocal => text("fib saddr type", "local"),
        Match::SourceIsRoutedBack => text("fib saddr . iif oif", "exists"),
        Match::Mark { value, mask: u32::MAX } => text("meta mark", &format!("{value:#010x}")),
        Match::Mark { value, mask } => text("meta mark", &format!("& {mask:#010x} == {value:#010x}")),
        Match::ConnectionMark { value, mask: u32::MAX } => text("ct mark", &format!("{value:#010x}")),
        Match::ConnectionMark { value, mask } => text("ct mark", &format!("& {mask:#010x} == {value:#010x}")),
        Match::IcmpType(number) => text("icmp type", &icmp_type(*number)),
        Match::Not(_) | Match::AnyOf(_) | Match::AllOf(_) | Match::Roughly(_) | Match::Unmodeled(_) => text("", ""),
    }
}

/// nft knows one condition with a set of values, not a choice between conditions.
fn any_of(all: &[Match], relation: &str) -> String {
    let pairs: Vec<(String, String)> = all.iter().map(|m| pair(m, None)).collect();
    let key = pairs.first().map_or("", |(key, _)| key.as_str());
    if pairs.iter().any(|(k, _)| k != key) {
        return all.iter().map(|m| condition(m, relation, None)).collect::<Vec<_>>().join(" or ");
    }
    let values: Vec<&str> = pairs.iter().map(|(_, value)| value.as_str()).collect();
    let relation = if relation == "!=" { "!= " } else { "" };
    format!("{key} {relation}{{ {} }}", values.join(", "))
}

fn ip(net: IpNet) -> &'static str {
    if net.addr().is_ipv4() { "ip" } else { "ip6" }
}

fn address(net: IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.trunc().to_string() }
}

/// Source: nft's names for protocols come from /etc/protocols.
fn protocol_name(number: u8) -> String {
    match number {
        2 => "igmp".to_owned(),
        47 => "gre".to_owned(),
        50 => "esp".to_owned(),
        51 => "ah".to_owned(),
        58 => "ipv6-icmp".to_owned(),
        112 => "vrrp".to_owned(),
        other => other.to_string(),
    }
}

fn icmp_type(number: u8) -> String {
    let name = match number {
        0 => "echo-reply",
        3 => "destination-unreachable",
        4 => "source-quench",
        5 => "redirect",
        8 => "echo-request",
        9 => "router-advertisement",
        10 => "router-solicitation",
        11 => "time-exceeded",
        12 => "parameter-problem",
        13 => "timestamp-request",
        14 => "timestamp-reply",
        other => return other.to_string(),
    };
    name.to_owned()
}

fn state_list(states: States) -> String {
    let named = [
        (states.invalid, "invalid"),
        (states.established, "established"),
        (states.related, "related"),
        (states.new, "new"),
        (states.untracked, "untracked"),
    ];
    let names: Vec<&str> = named.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
    if let [one] = names.as_slice() { (*one).to_owned() } else { format!("{{ {} }}", names.join(", ")) }
}

fn action(ruleset: &Ruleset, family: TableFamily, rule: &Rule) -> Option<String> {
    let target = |id| ruleset.get(id).name.as_str();
    Some(match &rule.action {
        Action::Accept => "accept".to_owned(),
        Action::Drop => "drop".to_owned(),
        Action::Reject(reject) => reject_words(family, rule, *reject),
        Action::Jump(to) => format!("jump {}", target(*to)),
        Action::Goto(to) => format!("goto {}", target(*to)),
        Action::Return => "return".to_owned(),
        Action::DestinationNat { address, port } => destination_nat(family, *address, *port),
        Action::SourceNat { address } => format!("snat{} to {address}", nat_family(family, Some(*address))),
        Action::Masquerade => "masquerade".to_owned(),
        Action::Redirect { port: Some(port) } => format!("redirect to :{port}"),
        Action::Redirect { port: None } => "redirect".to_owned(),
        Action::SetMark { value, mask: u32::MAX } => format!("meta mark set {value:#010x}"),
        Action::SetMark { value, mask } => {
            format!("meta mark set meta mark & {:#010x} | {value:#010x}", !mask)
        }
        Action::SetConnectionMark { value, mask: u32::MAX } => format!("ct mark set {value:#010x}"),
        Action::SetConnectionMark { value, mask } => {
            format!("ct mark set ct mark & {:#010x} | {value:#010x}", !mask)
        }
        Action::SaveMark { .. } => "ct mark set meta mark".to_owned(),
        Action::RestoreMark { .. } => "meta mark set ct mark".to_owned(),
        Action::Untrack => "notrack".to_owned(),
        Action::Continue => return None,
    })
}

fn destination_nat(family: TableFamily, address: Option<IpAddr>, port: Option<u16>) -> String {
    let host = address.map(|a| if port.is_some() { url_host(a) } else { a.to_string() }).unwrap_or_default();
    let port = port.map(|p| format!(":{p}")).unwrap_or_default();
    format!("dnat{} to {host}{port}", nat_family(family, address))
}

fn nat_family(family: TableFamily, address: Option<IpAddr>) -> &'static str {
    match (family, address) {
        (TableFamily::Inet, Some(IpAddr::V4(_))) => " ip",
        (TableFamily::Inet, Some(IpAddr::V6(_))) => " ip6",
        _ => "",
    }
}

/// A table of both families says `icmpx`, unless the rule can only see IPv4 or the answer only exists there.
fn reject_words(family: TableFamily, rule: &Rule, reject: Reject) -> String {
    let name = match reject {
        Reject::TcpReset => return "reject with tcp reset".to_owned(),
        Reject::PortUnreachable => "port-unreachable",
        Reject::HostUnreachable => "host-unreachable",
        Reject::NetUnreachable => "net-unreachable",
        Reject::HostProhibited => "host-prohibited",
        Reject::AdminProhibited => "admin-prohibited",
    };
    let kind = if family == TableFamily::Ip || answers_v4(&rule.matches, reject) { "icmp" } else { "icmpx" };
    format!("reject with {kind} {name}")
}

/// Addresses that a rule compares with: nft leaves out a family that they imply.
fn addresses(matches: &[Match]) -> impl Iterator<Item = IpNet> {
    matches.iter().filter_map(|m| match m {
        Match::Source(net) | Match::Destination(net) => Some(*net),
        Match::Not(inner) => match inner.as_ref() {
            Match::Source(net) | Match::Destination(net) => Some(*net),
            _ => None,
        },
        _ => None,
    })
}

fn answers_v4(matches: &[Match], reject: Reject) -> bool {
    let named = matches.contains(&Match::Family(Family::V4));
    let addressed = || addresses(matches).any(|net| net.addr().is_ipv4());
    match reject {
        Reject::HostProhibited | Reject::HostUnreachable | Reject::NetUnreachable => true,
        // A plain `reject` takes the family that the rule implies.
        Reject::PortUnreachable => named || addressed(),
        Reject::TcpReset => named,
        Reject::AdminProhibited => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::Dataplane;
    use crate::net::PortRange;
    use crate::provenance::Origin;

    #[track_caller]
    fn check(matches: &[Match], action: Action, expected: &str) {
        let origin = Dataplane::default().origins.add(Origin::assumed("test", None));
        let rule = Rule { matches: matches.to_vec(), action, guard: None, origin };
        assert_eq!(rule_line(&Ruleset::default(), TableFamily::Inet, &rule), expected);
    }

    /// Lines as nft 1.0.6 and 1.1.7 printed them.
    #[test]
    fn rules_are_written_as_nft_does() {
        let tcp = |port| [Match::Protocol(Protocol::Tcp), Match::DestinationPort(PortRange::single(port))];
        let v4 = || Match::Family(Family::V4);
        let with = |first: Match, rest: &[Match]| [&[first], rest].concat();
        check(&tcp(22), Action::Accept, "tcp dport 22 accept");
        check(
            &with(Match::Destination("fe80::/64".parse().unwrap()), &tcp(546)),
            Action::Accept,
            "ip6 daddr fe80::/64 tcp dport 546 accept",
        );
        check(&[Match::State(States::ESTABLISHED_RELATED)], Action::Accept, "ct state { established, related } accept");
        check(&[Match::State(States::INVALID)], Action::Drop, "ct state invalid drop");
        check(
            &[Match::AnyOf(vec![Match::Protocol(Protocol::Icmp), Match::ProtocolNumber(58)])],
            Action::Accept,
            "meta l4proto { icmp, ipv6-icmp } accept",
        );
        check(
            &with(v4(), &tcp(3000)),
            Action::Reject(Reject::PortUnreachable),
            "tcp dport 3000 reject with icmp port-unreachable",
        );
        check(&[], Action::Reject(Reject::AdminProhibited), "reject with icmpx admin-prohibited");
        check(
            &with(v4(), &tcp(8080)),
            Action::DestinationNat { address: Some("172.17.0.2".parse().unwrap()), port: Some(3000) },
            "meta nfproto ipv4 tcp dport 8080 dnat ip to 172.17.0.2:3000",
        );
        check(
            &with(v4(), &tcp(8081)),
            Action::Redirect { port: Some(9001) },
            "meta nfproto ipv4 tcp dport 8081 redirect to :9001",
        );
        check(
            &[v4(), Match::OutInterface("lo".to_owned()).negated()],
            Action::Masquerade,
            "meta nfproto ipv4 oifname != \"lo\" masquerade",
        );
        check(
            &with(Match::Source("10.2.0.0/16".parse().unwrap()).negated(), &tcp(22)),
            Action::Reject(Reject::TcpReset),
            "ip saddr != 10.2.0.0/16 tcp dport 22 reject with tcp reset",
        );
    }

    #[test]
    fn priorities_near_a_standard_one_are_named() {
        let check = |hook, value, expected: &str| {
            let point = HookPoint { hook, kind: ChainKind::Filter, priority: value, policy: Policy::Accept };
            assert_eq!(priority(&point), expected);
        };
        check(Hook::Prerouting, -90, "dstnat + 10");
        check(Hook::Forward, 0, "filter");
        check(Hook::Postrouting, 110, "srcnat + 10");
        check(Hook::Forward, -105, "-105");
        check(Hook::Prerouting, i32::MIN, "-2147483648");
    }
}
