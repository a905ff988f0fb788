//! Lines of `ufw` (ufw(8), release 0.36.1), as the rules of iptables that they load.
//!
//! What `ufw enable` loads is taken from a recording (ufw-docker); rules that only log are left out there. `limit` is
//! read as `allow`: it refuses from the sixth connection within 30 seconds on.

mod files;
mod refusal;
mod status;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::iptables::{IptablesCommand, UfwChange};
use crate::net::{Family, IpNet};
use crate::source::{Span, Spanned};

use super::Token;
use super::iptables;

pub use files::{File, file, parse_conf, parse_defaults, parse_rules};
pub use status::{is_status, parse_status};

/// What is loaded for IPv4 when it is enabled.
const BASE: &str = include_str!("ufw/base.rules");

/// Chains that there are for each direction.
const CHAINS: [&str; 9] =
    ["before-logging", "before", "after", "after-logging", "reject", "track", "skip-to-policy", "user", "user-logging"];

const OTHER_CHAINS: [&str; 5] =
    ["ufw-logging-allow", "ufw-logging-deny", "ufw-not-local", "ufw-user-limit", "ufw-user-limit-accept"];

/// Profiles of /etc/ufw/applications.d that packages of Debian bring: those of ufw 0.36.2, openssh, nginx and apache.
const APPLICATIONS: &str = include_str!("ufw/applications.tsv");

/// Names of /etc/services with their protocol.
const SERVICES: [(&str, &str); 14] = [
    ("ssh", "22/tcp"),
    ("http", "80/tcp"),
    ("https", "443/tcp"),
    ("ftp", "21/tcp"),
    ("telnet", "23/tcp"),
    ("smtp", "25/tcp"),
    ("domain", "53"),
    ("ntp", "123/udp"),
    ("imap2", "143/tcp"),
    ("imaps", "993/tcp"),
    ("pop3s", "995/tcp"),
    ("submission", "587/tcp"),
    ("mysql", "3306/tcp"),
    ("postgresql", "5432/tcp"),
];

/// Reads one call; the first word is the program.
pub fn parse(words: &[Word]) -> Declarations {
    let mut out = Declarations::default();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return out };
    let span = first.span.to(last.span);
    let is_known = words.iter().all(|w| w.unknown().is_none());
    if let Some(refused) = refusal::refusal(words).filter(|_| is_known) {
        out.diagnostics.push(refused);
        return out;
    }
    let texts: Vec<&str> = words.iter().skip(1).map(|w| w.text.as_str()).filter(|w| !w.starts_with("--")).collect();
    let change = if is_known { change(&texts, span) } else { None };
    let is_dry = words.iter().any(|w| w.text == "--dry-run");
    match change {
        _ if is_dry => {}
        Some(Some(change)) => out.value.push(Declaration::Ufw(Spanned::new(change, span))),
        Some(None) => {}
        None => {
            let what = format!("`ufw {}`", texts.join(" "));
            out.value.push(Declaration::Unmodeled(Spanned::new(what.into(), span)));
        }
    }
    out
}

/// The change that a call makes, if any; nothing if it is not understood.
fn change(words: &[&str], span: Span) -> Option<Option<UfwChange>> {
    Some(match words {
        ["enable"] => Some(UfwChange::Enable(commands(&loaded(), span)?)),
        ["disable"] => Some(UfwChange::Disable(commands(&unloaded(), span)?)),
        ["reset"] => Some(UfwChange::Reset(commands(&unloaded(), span)?)),
        // Whatever is changed while it is enabled is in force at once.
        ["reload" | "status" | "show" | "version" | "logging", ..] | ["app", "list" | "info", ..] | [] => None,
        ["default", policy] => Some(UfwChange::Set(commands(&default(policy, "incoming")?, span)?)),
        ["default", policy, direction] => Some(UfwChange::Set(commands(&default(policy, direction)?, span)?)),
        _ => Some(UfwChange::Set(commands(&rules(words)?, span)?)),
    })
}

/// Lines of `iptables` without the program; those with an address of IPv6 are for `ip6tables`.
type Lines = Vec<(Family, String)>;

fn commands(lines: &Lines, span: Span) -> Option<Vec<IptablesCommand>> {
    let command = |(family, line): &(Family, String)| {
        let token = |text: &str| Token { text: text.to_owned(), span, is_known: true };
        iptables::line(*family, None, line.split_whitespace().map(token).collect(), span).ok()?.command
    };
    lines.iter().map(command).collect()
}

fn for_both(lines: impl IntoIterator<Item = String>) -> Lines {
    lines.into_iter().flat_map(|line| [(Family::V4, line.clone()), (Family::V6, for_ipv6(&line))]).collect()
}

/// ufw's rules for IPv6 are the same in chains of another name.
fn for_ipv6(line: &str) -> String {
    line.replace("ufw-", "ufw6-")
        .replace("-p icmp -m icmp --icmp-type 11", "-p icmpv6 --icmpv6-type time-exceeded")
        .replace("-p icmp -m icmp --icmp-type 12", "-p icmpv6 --icmpv6-type parameter-problem")
        .replace("-p icmp -m icmp --icmp-type 3", "-p icmpv6 --icmpv6-type destination-unreachable")
        .replace("-p icmp -m icmp --icmp-type 8", "-p icmpv6 --icmpv6-type echo-request")
        .replace("224.0.0.251/32", "ff02::fb/128")
        .replace("239.255.255.250/32", "ff02::f/128")
        .replace("icmp-port-unreachable", "icmp6-port-unreachable")
}

fn chain_names() -> Vec<String> {
    let of_direction =
        |chain: &&str| ["input", "forward", "output"].map(|direction| format!("ufw-{chain}-{direction}"));
    CHAINS.iter().flat_map(of_direction).chain(OTHER_CHAINS.map(str::to_owned)).collect()
}

fn loaded() -> Lines {
    let new = chain_names().into_iter().map(|name| format!("-N {name}"));
    for_both(new.chain(BASE.lines().map(str::to_owned)))
}

fn unloaded() -> Lines {
    let jumps = BASE.lines().filter_map(|line| line.strip_prefix("-A "));
    let jumps = jumps.filter(|line| !line.starts_with("ufw-")).map(|line| format!("-D {line}"));
    let open = ["INPUT", "FORWARD", "OUTPUT"].map(|chain| format!("-P {chain} ACCEPT"));
    let empty = chain_names().into_iter().map(|name| format!("-F {name}"));
    for_both(jumps.chain(open).chain(empty))
}

fn default(policy: &str, direction: &str) -> Option<Lines> {
    let (chain, suffix) = match direction {
        "incoming" | "in" => ("INPUT", "input"),
        "outgoing" | "out" => ("OUTPUT", "output"),
        "routed" => ("FORWARD", "forward"),
        _ => return None,
    };
    let target = match policy {
        "allow" => "ACCEPT",
        "deny" | "reject" => "DROP",
        _ => return None,
    };
    let mut lines = vec![
        format!("-P {chain} {target}"),
        format!("-F ufw-skip-to-policy-{suffix}"),
        format!("-A ufw-skip-to-policy-{suffix} -j {target}"),
        format!("-F ufw-reject-{suffix}"),
    ];
    if policy == "reject" {
        lines.push(format!("-A ufw-reject-{suffix} -j REJECT"));
    }
    Some(for_both(lines))
}

/// One end of a connection.
#[derive(Clone, Default)]
struct End {
    network: Option<IpNet>,
    ports: Option<String>,
}

/// A rule while it is read.
#[derive(Default)]
struct Draft {
    is_deleted: bool,
    is_routed: bool,
    is_outgoing: bool,
    place: Option<usize>,
    action: Option<String>,
    incoming: Option<String>,
    outgoing: Option<String>,
    protocol: Option<String>,
    from: End,
    to: End,
}

/// What a call opens or closes: of a profile, one rule for each of its ports.
fn rules(words: &[&str]) -> Option<Lines> {
    let profile = words.iter().find_map(|word| application(word)).unwrap_or("");
    let of_each: Option<Vec<Lines>> = profile.split('|').map(|ports| rule(words, ports)).collect();
    Some(of_each?.concat())
}

fn rule(words: &[&str], profile: &str) -> Option<Lines> {
    let mut draft = Draft::default();
    let mut rest = words.iter().copied();
    let mut is_source = false;
    while let Some(word) = rest.next() {
        match word {
            "delete" => draft.is_deleted = true,
            "route" => draft.is_routed = true,
            "rule" | "log" | "log-all" => {}
            "insert" => draft.place = Some(rest.next()?.parse().ok()?),
            "prepend" => draft.place = Some(1),
            "allow" | "deny" | "reject" | "limit" if draft.action.is_none() => draft.action = Some(word.to_owned()),
            "in" => draft.incoming = on_interface(&mut rest),
            "out" => {
                draft.is_outgoing = true;
                draft.outgoing = on_interface(&mut rest);
            }
            "proto" => draft.protocol = Some(rest.next()?.to_owned()),
            "comment" => {
                rest.next();
            }
            "from" | "to" => {
                is_source = word == "from";
                let network = network(rest.next()?)?;
                draft.end(is_source).network = network;
            }
            "port" => {
                let ports = rest.next()?;
                draft.port(is_source, ports)?;
            }
            "app" => {
                application(rest.next()?)?;
                draft.port(is_source, profile)?;
            }
            _ => draft.port(false, if application(word).is_some() { profile } else { word })?,
        }
    }
    draft.lines()
}

fn on_interface<'w>(rest: &mut (impl Iterator<Item = &'w str> + Clone)) -> Option<String> {
    let mut ahead = rest.clone();
    if ahead.next() != Some("on") {
        return None;
    }
    let name = ahead.next().map(str::to_owned);
    *rest = ahead;
    name
}

/// `any`, an address or a network; nothing outside if it is none of these.
fn network(text: &str) -> Option<Option<IpNet>> {
    if text == "any" {
        return Some(None);
    }
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    Some(Some(net.trunc()))
}

fn application(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    APPLICATIONS.lines().filter_map(|line| line.split_once('\t')).find(|(n, _)| *n == name).map(|(_, ports)| ports)
}

impl Draft {
    fn end(&mut self, is_source: bool) -> &mut End {
        if is_source { &mut self.from } else { &mut self.to }
    }

    /// `22`, `22/tcp`, `80,443/tcp`, `8000:8010/udp`, `ssh`
    fn port(&mut self, is_source: bool, text: &str) -> Option<()> {
        let text = SERVICES.iter().find(|(name, _)| *name == text).map_or(text, |(_, ports)| *ports);
        let (ports, protocol) = text.split_once('/').map_or((text, None), |(ports, protocol)| (ports, Some(protocol)));
        if let Some(protocol) = protocol {
            self.protocol = Some(protocol.to_owned());
        }
        let is_number = ports.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | ':'));
        if ports.is_empty() || !is_number {
            return None;
        }
        self.end(is_source).ports = Some(ports.to_owned());
        Some(())
    }

    fn lines(&self) -> Option<Lines> {
        let networks = [self.from.network, self.to.network];
        let is_of = |family: Family| networks.iter().flatten().all(|n| Family::of(n.addr()) == family);
        let has_ports = self.from.ports.is_some() || self.to.ports.is_some();
        let protocols: Vec<Option<&str>> = match self.protocol.as_deref() {
            None | Some("any") if has_ports => vec![Some("tcp"), Some("udp")],
            None | Some("any") => vec![None],
            Some(protocol) => vec![Some(protocol)],
        };
        let mut lines = Lines::new();
        for family in [Family::V4, Family::V6].into_iter().filter(|f| is_of(*f)) {
            for protocol in &protocols {
                let line = self.line(*protocol)?;
                lines.push((family, if family == Family::V6 { line.replace("ufw-", "ufw6-") } else { line }));
            }
        }
        if self.place.is_some() {
            lines.reverse();
        }
        Some(lines)
    }

    fn line(&self, protocol: Option<&str>) -> Option<String> {
        let chain = match (self.is_routed, self.is_outgoing) {
            (true, _) => "ufw-user-forward",
            (false, true) => "ufw-user-output",
            (false, false) => "ufw-user-input",
        };
        let mut line = match (self.is_deleted, self.place) {
            (true, _) => format!("-D {chain}"),
            (false, Some(place)) => format!("-I {chain} {place}"),
            (false, None) => format!("-A {chain}"),
        };
        let mut add = |option: &str, value: Option<&str>| {
            if let Some(value) = value {
                line += &format!(" {option} {value}");
            }
        };
        add("-i", self.incoming.as_deref());
        add("-o", self.outgoing.as_deref());
        add("-p", protocol);
        add("-s", self.from.network.map(|n| n.to_string()).as_deref());
        add("-d", self.to.network.map(|n| n.to_string()).as_deref());
        add("-m multiport --sports", self.from.ports.as_deref());
        add("-m multiport --dports", self.to.ports.as_deref());
        add("-j", Some(self.target(protocol)?));
        Some(line)
    }

    fn target(&self, protocol: Option<&str>) -> Option<&'static str> {
        Some(match self.action.as_deref()? {
            "allow" | "limit" => "ACCEPT",
            "deny" => "DROP",
            "reject" if protocol == Some("tcp") => "REJECT --reject-with tcp-reset",
            "reject" => "REJECT",
            _ => return None,
        })
    }
}
