//! What `ipset save` prints (ipset(8), release 7.17): sets that rules look up with `-m set`.

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::ipset::{IpSet, SetPart};
use crate::language::text;
use crate::net::{Family, PortRange, Protocol};
use crate::source::{SourceId, Span, Spanned};

use super::value;

/// Whether a text looks like saved sets.
pub fn is_one(text: &str) -> bool {
    let makes_set = |line: &str| {
        let mut words = line.split_whitespace();
        let kind = words.next().filter(|verb| *verb == "create").and_then(|_| words.nth(1));
        kind.is_some_and(|kind| ["hash:", "list:", "bitmap:"].iter().any(|start| kind.starts_with(start)))
    };
    text.lines().any(makes_set)
}

/// A set while its elements are read.
struct Open {
    set: IpSet,
    family: Family,
    /// What its dimensions are: `ip`, `port`, `net`.
    parts: Vec<String>,
}

/// Reads saved sets.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut sets: Vec<Open> = Vec::new();
    let mut diagnostics = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let begin = start + (line.len() - line.trim_start().len());
        let span = Span::new(source, begin, begin + trimmed.len());
        start += line.len();
        let words: Vec<&str> = trimmed.split_whitespace().collect();
        let is_read = match words.as_slice() {
            [] | ["COMMIT" | "flush" | "destroy", ..] => true,
            [comment, ..] if comment.starts_with('#') => true,
            ["create" | "-N", name, kind, options @ ..] => create(&mut sets, Spanned::new(*name, span), kind, options),
            ["add" | "-A", name, element, options @ ..] => add(&mut sets, name, element, options),
            _ => false,
        };
        if !is_read {
            diagnostics.push(refused(span));
        }
    }
    let value = sets.into_iter().map(|open| Declaration::IpSet(open.set)).collect();
    Declarations { value, diagnostics }
}

fn create(sets: &mut Vec<Open>, name: Spanned<&str>, kind: &str, options: &[&str]) -> bool {
    let Some((_, parts)) = kind.split_once(':') else { return false };
    let is_v6 = options.windows(2).any(|pair| pair == ["family", "inet6"]);
    let set = IpSet { name: name.map(str::to_owned), elements: Vec::new(), excluded: Vec::new() };
    let family = if is_v6 { Family::V6 } else { Family::V4 };
    sets.push(Open { set, family, parts: parts.split(',').map(str::to_owned).collect() });
    true
}

/// An element; nothing is added to a set that was not made.
fn add(sets: &mut [Open], name: &str, element: &str, options: &[&str]) -> bool {
    let Some(open) = sets.iter_mut().find(|open| open.set.name.value == name) else { return false };
    let texts: Vec<&str> = element.split(',').collect();
    if texts.len() != open.parts.len() {
        return false;
    }
    let parts = open.parts.iter().zip(texts).map(|(kind, text)| part(kind, text, open.family)).collect();
    let is_excluded = options.contains(&"nomatch");
    let list = if is_excluded { &mut open.set.excluded } else { &mut open.set.elements };
    list.push(parts);
    true
}

fn part(kind: &str, text: &str, family: Family) -> SetPart {
    let understood = match kind {
        "ip" | "net" if text.contains('-') => value::range(text, family).ok().map(SetPart::Nets),
        "ip" | "net" => value::network(text, family).ok().map(|net| SetPart::Nets(vec![net])),
        "port" => port(text),
        "iface" => Some(SetPart::Interface(text.trim_start_matches("physdev:").to_owned()))
            .filter(|_| !text.starts_with("physdev:")),
        "mark" => value::number(text).ok().map(SetPart::Mark),
        "set" => Some(SetPart::Set(text.to_owned())),
        _ => None,
    };
    understood.unwrap_or_else(|| SetPart::Unmodeled(text.to_owned()))
}

/// `tcp:80`, `udp:1000-2000`; without a protocol TCP is meant.
fn port(text: &str) -> Option<SetPart> {
    let (protocol, ports) = text.split_once(':').unwrap_or(("tcp", text));
    let protocol: Protocol = protocol.parse().ok().filter(|p| *p != Protocol::Icmp)?;
    let ports: PortRange = value::ports(&ports.replacen('-', ":", 1)).ok()?;
    Some(SetPart::Ports(protocol, ports))
}

fn refused(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::IptablesBadRule,
        text!("`ipset restore` would refuse this line", "`ipset restore`가 거부할 줄입니다"),
    )
    .label(span, text!("so the set lacks it", "그래서 집합에 없음"))
}
