//! A node's iptables tables as `iptables-save` prints them.
//!
//! What only the model knows is written as comments: a rule that exists while a switch is on, a condition that is not
//! modelled.

use std::fmt::Write;

use crate::dataplane::{
    Action, Chain, ChainId, Match, Node, Policy, Reject, Rule, Ruleset, States, Table, TableFamily, TableId,
};
use crate::net::PortRange;
use crate::switch::Switches;

use super::Beside;

/// The tables in the order in which `iptables-save` prints them, each with its built-in chains.
const TABLES: [(&str, &[&str]); 5] = [
    ("mangle", &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]),
    ("security", &["INPUT", "FORWARD", "OUTPUT"]),
    ("raw", &["PREROUTING", "OUTPUT"]),
    ("filter", &["INPUT", "FORWARD", "OUTPUT"]),
    ("nat", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]),
];

/// Every iptables table of a node, with what `beside` says beside each rule; empty text when there is none.
pub fn render(node: &Node, switches: &Switches, beside: &Beside<'_>) -> String {
    let mut text = String::new();
    for (name, built_in) in TABLES {
        let wanted = |t: &Table| t.family == TableFamily::Iptables && t.name == name;
        if let Some(index) = node.ruleset.tables.iter().position(wanted) {
            text += &render_table(&node.ruleset, TableId(index), name, built_in, (switches, beside));
        }
    }
    text
}

/// The text of one rule, with its chain and without a comment: `-A DOCKER -o docker0 -j DROP`.
pub fn render_rule(ruleset: &Ruleset, chain: &Chain, rule: &Rule) -> String {
    let mut words = vec![format!("-A {}", chain.name)];
    words.extend(matches_text(&rule.matches));
    words.extend(action_text(ruleset, &rule.action));
    words.join(" ")
}

fn render_table(
    ruleset: &Ruleset,
    id: TableId,
    name: &str,
    built_in: &[&str],
    (switches, beside): (&Switches, &Beside<'_>),
) -> String {
    let own = |wanted: &str| ruleset.chains.iter().find(|c| c.table == id && c.name == wanted);
    let mut user: Vec<&Chain> =
        ruleset.chains.iter().filter(|c| c.table == id && !built_in.contains(&c.name.as_str())).collect();
    user.sort_by(|a, b| a.name.cmp(&b.name));
    let mut text = format!("*{name}\n");
    for chain in built_in {
        let _ = writeln!(text, ":{chain} {} [0:0]", policy_text(own(chain)));
    }
    for chain in &user {
        let _ = writeln!(text, ":{} - [0:0]", chain.name);
    }
    for chain in built_in.iter().filter_map(|c| own(c)).chain(user) {
        for rule in &chain.rules {
            text += &render_line(ruleset, chain, rule, switches, beside);
        }
    }
    text + "COMMIT\n"
}

fn policy_text(chain: Option<&Chain>) -> &'static str {
    match chain.and_then(|c| c.hook).map(|h| h.policy) {
        Some(Policy::Drop) => "DROP",
        Some(Policy::Accept) | None => "ACCEPT",
    }
}

fn render_line(ruleset: &Ruleset, chain: &Chain, rule: &Rule, switches: &Switches, beside: &Beside<'_>) -> String {
    let mut text = String::new();
    if let Some(guard) = rule.guard {
        let _ = writeln!(text, "# only if {}:", switches.get(guard).statement);
    }
    for condition in &rule.matches {
        if let Match::Unmodeled(switch) = condition {
            let _ = writeln!(text, "# not modelled: {}", switches.get(*switch).statement);
        }
    }
    text + &beside.line(&render_rule(ruleset, chain, rule), rule) + "\n"
}

/// iptables prints what concerns the header first, in a fixed order, then the extensions as they were given.
fn matches_text(matches: &[Match]) -> Vec<String> {
    let mut header: Vec<&Match> = matches.iter().filter(|m| rank(m).is_some()).collect();
    header.sort_by_key(|m| rank(m));
    let extensions = matches.iter().filter(|m| rank(m).is_none());
    let protocol = matches.iter().find_map(|m| match m {
        Match::Protocol(protocol) => Some(protocol.to_string()),
        _ => None,
    });
    let mut words: Vec<String> = header.into_iter().map(match_text).collect();
    let mut of_protocol = protocol.map(|p| format!("-m {p}"));
    for extension in extensions {
        if is_of_protocol(extension) {
            words.extend(of_protocol.take());
        }
        words.push(match_text(extension));
    }
    words.retain(|w| !w.is_empty());
    words
}

/// Belongs to the extension that is named after the protocol.
fn is_of_protocol(condition: &Match) -> bool {
    matches!(positive(condition), Match::SourcePort(_) | Match::DestinationPort(_) | Match::IcmpType(_))
}

fn positive(condition: &Match) -> &Match {
    match condition {
        Match::Not(inner) | Match::Roughly(inner) => positive(inner),
        other => other,
    }
}

/// Place of a header condition.
fn rank(condition: &Match) -> Option<u8> {
    match positive(condition) {
        Match::Source(_) => Some(0),
        Match::Destination(_) => Some(1),
        Match::InInterface(_) => Some(2),
        Match::OutInterface(_) => Some(3),
        Match::Protocol(_) | Match::ProtocolNumber(_) => Some(4),
        _ => None,
    }
}

fn match_text(condition: &Match) -> String {
    match condition {
        Match::Not(inner) => plain_text(inner, "! "),
        Match::Roughly(inner) => match_text(inner),
        other => plain_text(other, ""),
    }
}

/// A condition with what stands in front of it if it is negated: behind the name of its extension.
fn plain_text(condition: &Match, not: &str) -> String {
    match condition {
        Match::Source(net) => format!("{not}-s {net}"),
        Match::Destination(net) => format!("{not}-d {net}"),
        Match::InInterface(name) => format!("{not}-i {}", interface_text(name)),
        Match::OutInterface(name) => format!("{not}-o {}", interface_text(name)),
        Match::Protocol(protocol) => format!("{not}-p {protocol}"),
        Match::ProtocolNumber(number) => format!("{not}-p {number}"),
        Match::SourcePort(ports) => format!("{not}--sport {}", ports_text(*ports)),
        Match::DestinationPort(ports) => format!("{not}--dport {}", ports_text(*ports)),
        Match::IcmpType(number) => format!("{not}--icmp-type {number}"),
        Match::State(states) => format!("-m conntrack {not}--ctstate {}", states_text(*states, &[])),
        Match::DestinationRewritten => format!("-m conntrack {not}--ctstate DNAT"),
        Match::SourceRewritten => format!("-m conntrack {not}--ctstate SNAT"),
        Match::OriginalDestination(net) => format!("-m conntrack {not}--ctorigdst {net}"),
        Match::OriginalDestinationPort(ports) => format!("-m conntrack {not}--ctorigdstport {}", ports_text(*ports)),
        Match::OriginalSource(net) => format!("-m conntrack {not}--ctorigsrc {net}"),
        Match::OriginalSourcePort(ports) => format!("-m conntrack {not}--ctorigsrcport {}", ports_text(*ports)),
        Match::Reply if not.is_empty() => "-m conntrack --ctdir REPLY".to_owned(),
        Match::Reply => "-m conntrack --ctdir ORIGINAL".to_owned(),
        Match::DestinationIsLocal => format!("-m addrtype {not}--dst-type LOCAL"),
        Match::SourceIsLocal => format!("-m addrtype {not}--src-type LOCAL"),
        Match::SourceIsRoutedBack => format!("-m rpfilter{}", if not.is_empty() { "" } else { " --invert" }),
        Match::Mark { value, mask: u32::MAX } => format!("-m mark {not}--mark {value:#x}"),
        Match::Mark { value, mask } => format!("-m mark {not}--mark {value:#x}/{mask:#x}"),
        Match::ConnectionMark { value, mask } => format!("-m connmark {not}--mark {value:#x}/{mask:#x}"),
        Match::AnyOf(any) => any_text(any, not),
        Match::AllOf(all) => format!("{not}({})", all.iter().map(match_text).collect::<Vec<_>>().join(" ")),
        Match::Roughly(inner) => plain_text(inner, not),
        Match::Not(inner) => plain_text(inner, if not.is_empty() { "! " } else { "" }),
        // These tables see IPv4 only; what is not modelled stands above the rule.
        Match::Family(_) | Match::Unmodeled(_) => String::new(),
    }
}

/// iptables has no "or" but between connection states.
fn any_text(any: &[Match], not: &str) -> String {
    let mut states = States::default();
    let mut rewritten = Vec::new();
    if any.is_empty() {
        return format!("{not}(never)");
    }
    for one in any {
        match one {
            Match::State(more) => states = union(states, *more),
            Match::DestinationRewritten => rewritten.push("DNAT"),
            Match::SourceRewritten => rewritten.push("SNAT"),
            _ => return format!("{not}({})", any.iter().map(match_text).collect::<Vec<_>>().join(" or ")),
        }
    }
    format!("-m conntrack {not}--ctstate {}", states_text(states, &rewritten))
}

fn union(a: States, b: States) -> States {
    States {
        new: a.new || b.new,
        established: a.established || b.established,
        related: a.related || b.related,
        invalid: a.invalid || b.invalid,
        untracked: a.untracked || b.untracked,
    }
}

/// In the order in which iptables prints them (iptables 1.8 extensions/libxt_conntrack.c, print_state).
fn states_text(states: States, rewritten: &[&str]) -> String {
    let named = [
        (states.invalid, "INVALID"),
        (states.new, "NEW"),
        (states.related, "RELATED"),
        (states.established, "ESTABLISHED"),
        (states.untracked, "UNTRACKED"),
    ];
    let mut names: Vec<&str> = named.into_iter().filter_map(|(on, name)| on.then_some(name)).collect();
    names.extend(["SNAT", "DNAT"].iter().filter(|r| rewritten.contains(r)));
    names.join(",")
}

/// iptables writes "any ending" as a plus sign.
fn interface_text(name: &str) -> String {
    name.strip_suffix('*').map_or_else(|| name.to_owned(), |start| format!("{start}+"))
}

fn ports_text(ports: PortRange) -> String {
    if ports.first == ports.last { ports.first.to_string() } else { format!("{}:{}", ports.first, ports.last) }
}

fn action_text(ruleset: &Ruleset, action: &Action) -> Option<String> {
    let chain = |id: &ChainId| ruleset.get(*id).name.clone();
    Some(match action {
        Action::Accept => "-j ACCEPT".to_owned(),
        Action::Drop => "-j DROP".to_owned(),
        Action::Return => "-j RETURN".to_owned(),
        Action::Reject(how) => format!("-j REJECT --reject-with {}", reject_text(*how)),
        Action::Jump(id) => format!("-j {}", chain(id)),
        Action::Goto(id) => format!("-g {}", chain(id)),
        Action::Masquerade => "-j MASQUERADE".to_owned(),
        Action::SourceNat { address } => format!("-j SNAT --to-source {address}"),
        Action::DestinationNat { address, port } => {
            let address = address.map(|a| a.to_string()).unwrap_or_default();
            let port = port.map(|p| format!(":{p}")).unwrap_or_default();
            format!("-j DNAT --to-destination {address}{port}")
        }
        Action::Redirect { port: Some(port) } => format!("-j REDIRECT --to-ports {port}"),
        Action::Redirect { port: None } => "-j REDIRECT".to_owned(),
        Action::SetMark { value, mask } => format!("-j MARK --set-xmark {value:#x}/{mask:#x}"),
        Action::SetConnectionMark { value, mask } => format!("-j CONNMARK --set-xmark {value:#x}/{mask:#x}"),
        Action::SaveMark { mask } => format!("-j CONNMARK --save-mark --nfmask {mask:#x} --ctmask {mask:#x}"),
        Action::RestoreMark { mask } => format!("-j CONNMARK --restore-mark --nfmask {mask:#x} --ctmask {mask:#x}"),
        Action::Untrack => "-j CT --notrack".to_owned(),
        Action::Continue => return None,
    })
}

fn reject_text(how: Reject) -> &'static str {
    match how {
        Reject::TcpReset => "tcp-reset",
        Reject::PortUnreachable => "icmp-port-unreachable",
        Reject::HostUnreachable => "icmp-host-unreachable",
        Reject::NetUnreachable => "icmp-net-unreachable",
        Reject::HostProhibited => "icmp-host-prohibited",
        Reject::AdminProhibited => "icmp-admin-prohibited",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::{Dataplane, NodeKind, Sysctls, Toggle};
    use crate::net::Protocol;
    use crate::provenance::Origin;
    use crate::switch::{Switch, SwitchKind};

    #[track_caller]
    fn check(matches: &[Match], action: Action, expected: &str) {
        let origin = Dataplane::default().origins.add(Origin::assumed("test", None));
        let mut ruleset = Ruleset::default();
        let table = ruleset.table(TableFamily::Iptables, "filter");
        let id = ruleset.chain(table, "C", None, origin);
        let rule = Rule { matches: matches.to_vec(), action, guard: None, origin };
        assert_eq!(render_rule(&ruleset, ruleset.get(id), &rule), format!("-A C {expected}"));
    }

    /// Lines as `iptables-save` 1.8.9 and 1.8.13 printed them.
    #[test]
    fn rules_are_written_as_iptables_does() {
        let port = |p| Match::DestinationPort(PortRange::single(p));
        let accept = || Action::Accept;
        check(&[], accept(), "-j ACCEPT");
        check(
            &[Match::Protocol(Protocol::Tcp), port(22), Match::State(States::NEW_UNTRACKED)],
            accept(),
            "-p tcp -m tcp --dport 22 -m conntrack --ctstate NEW,UNTRACKED -j ACCEPT",
        );
        check(
            &[Match::AnyOf(vec![Match::State(States::ESTABLISHED_RELATED), Match::DestinationRewritten])],
            accept(),
            "-m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT",
        );
        check(
            &[Match::OutInterface("docker0".to_owned()).negated(), Match::Source("172.17.0.0/16".parse().unwrap())],
            Action::Masquerade,
            "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
        );
        check(
            &[Match::InInterface("enp0s8".to_owned()), Match::Protocol(Protocol::Tcp), port(3000)],
            Action::Reject(Reject::PortUnreachable),
            "-i enp0s8 -p tcp -m tcp --dport 3000 -j REJECT --reject-with icmp-port-unreachable",
        );
        check(
            &[Match::Protocol(Protocol::Tcp), Match::OriginalDestinationPort(PortRange::single(3002))],
            Action::Drop,
            "-p tcp -m conntrack --ctorigdstport 3002 -j DROP",
        );
    }

    #[test]
    fn a_table_lists_built_in_chains_first_and_says_what_a_rule_depends_on() {
        let mut dataplane = Dataplane::default();
        let origin = dataplane.origins.add(Origin::assumed("test", None));
        let statement = "port published".into();
        let because = Origin::assumed("test", None);
        let guard =
            dataplane.switches.add(Switch { statement, default: false, kind: SwitchKind::Edit, origin: because });
        let mut ruleset = Ruleset::default();
        let table = ruleset.table(TableFamily::Iptables, "raw");
        let chain = ruleset.chain(table, "MINE", None, origin);
        ruleset.get_mut(chain).rules.push(Rule { matches: vec![], action: Action::Drop, guard: Some(guard), origin });
        let node = Node {
            name: "vm".to_owned(),
            kind: NodeKind::Namespace,
            interfaces: vec![],
            routes: vec![],
            ruleset,
            sockets: vec![],
            relays: vec![],
            sysctls: Sysctls {
                ip_forward: Toggle::Off,
                ip_forward_origin: origin,
                rp_filter_origin: origin,
                bridge_calls_iptables: false,
            },
            names: vec![],
            unmodeled: vec![],
            origin,
        };
        assert_eq!(
            render(&node, &dataplane.switches, &Beside::Nothing),
            "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:MINE - [0:0]\n\
             # only if port published:\n-A MINE -j DROP\nCOMMIT\n"
        );
    }
}
