//! What `ufw status`, `ufw status verbose` and `ufw status numbered` print (release 0.36.2): the truth about the rules that
//! were given, whatever scripts say.

use std::net::IpAddr;

use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::iptables::UfwChange;
use crate::language::text;
use crate::net::IpNet;
use crate::source::{SourceId, Span, Spanned};

use super::{commands, default, loaded, rules, unloaded};

/// Whether a text is such a listing.
pub fn is_status(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('$'));
    matches!(lines.next(), Some("Status: active" | "Status: inactive"))
        || text.contains("Status: active")
            && text.lines().any(|line| line.trim_start().starts_with("To ") && line.contains("Action"))
}

/// Reads a listing.
pub fn parse_status(source: SourceId, text: &str) -> Declarations {
    let mut out = Declarations::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let shown = line.trim();
        let at = start + (line.len() - line.trim_start().len());
        let span = Span::new(source, at, at + shown.len());
        start += line.len();
        out.value.extend(row(shown, span).into_iter().map(|known| match known {
            Some(change) => Declaration::Ufw(Spanned::new(change, span)),
            None => Declaration::Unmodeled(Spanned::new(text!("the row `{shown}` of ufw", "ufw의 `{shown}` 행"), span)),
        }));
    }
    out
}

/// What a line says: nothing, or changes, each of which may have no model.
fn row(line: &str, span: Span) -> Vec<Option<UfwChange>> {
    if line == "Status: active" {
        let fresh = commands(&unloaded(), span).map(UfwChange::Reset);
        return vec![fresh, commands(&loaded(), span).map(UfwChange::Enable)];
    }
    if line == "Status: inactive" {
        return vec![commands(&unloaded(), span).map(UfwChange::Disable)];
    }
    if let Some(policies) = line.strip_prefix("Default: ") {
        let each = policies.split(", ").filter_map(|policy| policy.split_once(" ("));
        return each.map(|(policy, direction)| default_of(policy, direction.trim_end_matches(')'), span)).collect();
    }
    let columns: Vec<&str> = numbered(line).split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
    let [to, action, from, ..] = columns.as_slice() else { return Vec::new() };
    let is_action = ["ALLOW", "DENY", "REJECT", "LIMIT"].iter().any(|word| action.starts_with(word));
    // Every rule without an address is there for IPv6 as well.
    if !is_action || to.ends_with("(v6)") || from.ends_with("(v6)") {
        return Vec::new();
    }
    let words = words(to, action, from);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    vec![rules(&words).and_then(|lines| commands(&lines, span)).map(UfwChange::Set)]
}

fn default_of(policy: &str, direction: &str, span: Span) -> Option<UfwChange> {
    // Nothing is routed as long as the kernel forwards nothing.
    let policy = if policy == "disabled" { "deny" } else { policy };
    commands(&default(policy, direction)?, span).map(UfwChange::Set)
}

/// Without the number in front of a line.
fn numbered(line: &str) -> &str {
    let rest = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    rest.filter(|(number, _)| number.trim().parse::<u32>().is_ok()).map_or(line, |(_, rest)| rest)
}

/// The words that would make the rule of a row.
fn words(to: &str, action: &str, from: &str) -> Vec<String> {
    let mut action = action.split_whitespace();
    let verb = action.next().unwrap_or("").to_lowercase();
    let way = action.next().unwrap_or("IN");
    let mut words = Vec::new();
    if way == "FWD" {
        words.push("route".to_owned());
    }
    words.push(verb);
    let (to, to_interface) = end(to);
    let (from, from_interface) = end(from);
    let interfaces = match way {
        "OUT" => [None, to_interface.or(from_interface)],
        "FWD" => [from_interface, to_interface],
        _ => [to_interface.or(from_interface), None],
    };
    for (way_of_interface, name) in ["in", "out"].iter().zip(interfaces) {
        if let Some(name) = name {
            words.extend([way_of_interface, "on", name].map(|word| (*word).to_owned()));
        } else if way == "OUT" && *way_of_interface == "out" {
            words.push("out".to_owned());
        }
    }
    for (direction, of) in [("from", from), ("to", to)] {
        words.extend([direction.to_owned(), of.address.to_owned()]);
        match of.ports {
            Some(ports) if super::application(ports).is_some() => words.extend(["app".to_owned(), ports.to_owned()]),
            Some(ports) => words.extend(["port".to_owned(), ports.to_owned()]),
            None => {}
        }
    }
    words
}

/// A column: an address, ports, or both.
struct Shown<'a> {
    address: &'a str,
    ports: Option<&'a str>,
}

/// `22/tcp`, `192.168.0.5 22/tcp on eth0`, `80,443/tcp (Nginx Full)`, `Anywhere (out)`, `Nginx Full`.
fn end(column: &str) -> (Shown<'_>, Option<&str>) {
    let column = column.split('#').next().unwrap_or("").trim();
    let column = column.split_once(" (").map_or(column, |(before, _)| before);
    let (what, interface) = match column.rsplit_once(" on ") {
        Some((what, interface)) => (what.trim(), Some(interface.trim())),
        None => (column, None),
    };
    let is_address = |word: &str| word.parse::<IpNet>().is_ok() || word.parse::<IpAddr>().is_ok();
    let shown = match what.split_once(' ') {
        Some(("Anywhere", ports)) => Shown { address: "any", ports: Some(ports) },
        Some((address, ports)) if is_address(address) => Shown { address, ports: Some(ports) },
        _ if what == "Anywhere" => Shown { address: "any", ports: None },
        _ if is_address(what) && what.contains(['.', ':']) => Shown { address: what, ports: None },
        _ => Shown { address: "any", ports: Some(what) },
    };
    (shown, interface)
}
