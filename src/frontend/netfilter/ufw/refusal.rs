//! Lines that ufw refuses, and why: each kind was given to `ufw --dry-run` of release 0.36.2.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::shell::word::Word;
use crate::net::{Family, IpNet};
use crate::source::Span;

const COMMANDS: [&str; 18] = [
    "enable", "disable", "reload", "reset", "default", "allow", "deny", "reject", "limit", "delete", "insert",
    "prepend", "route", "rule", "show", "status", "version", "logging",
];

const PROTOCOLS: [&str; 8] = ["any", "tcp", "udp", "ipv6", "esp", "ah", "igmp", "gre"];

/// Why ufw refuses a line; nothing if it takes it, or if that hangs on what is not known.
pub(super) fn refusal(words: &[Word]) -> Option<Diagnostic> {
    let words: Vec<&Word> = words.iter().skip(1).filter(|word| !word.text.starts_with("--")).collect();
    let (first, rest) = words.split_first()?;
    match first.text.as_str() {
        "app" => None,
        "default" => rest.first().and_then(|policy| default_policy(policy)),
        command if !COMMANDS.contains(&command) => {
            let message = format!("ufw has no command `{command}`");
            let diagnostic = refused(message, first.span, "invalid syntax");
            Some(match did_you_mean(command, COMMANDS) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help("nothing changes; ufw(8) lists the commands"),
            })
        }
        "enable" | "disable" | "reload" | "reset" | "show" | "status" | "version" | "logging" => None,
        "delete" if rest.len() == 1 => None,
        _ => Line::default().read(&words),
    }
}

fn default_policy(policy: &Word) -> Option<Diagnostic> {
    let is_known = matches!(policy.text.as_str(), "allow" | "deny" | "reject");
    let message = || format!("`{}` is not a policy", policy.text);
    (!is_known).then(|| refused(message(), policy.span, "allow, deny or reject"))
}

/// What a rule says that has to fit together.
#[derive(Default)]
struct Line {
    protocol: Option<String>,
    /// Ports that are several, without a protocol beside them.
    several: Option<Span>,
    family: Option<Family>,
}

impl Line {
    fn read(mut self, words: &[&Word]) -> Option<Diagnostic> {
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let found = match word.text.as_str() {
                "insert" => rest.next().and_then(|place| position(place)),
                "from" | "to" => rest.next().and_then(|address| self.address(address)),
                "proto" => rest.next().and_then(|protocol| self.protocol(protocol)),
                "port" => rest.next().and_then(|ports| self.ports(ports)),
                "on" | "comment" | "app" => {
                    rest.next();
                    None
                }
                text if text.starts_with(|c: char| c.is_ascii_digit()) => self.ports(word),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        let is_named = matches!(self.protocol.as_deref(), Some("tcp" | "udp"));
        let several = self.several.filter(|_| !is_named)?;
        Some(refused("several ports without a protocol".to_owned(), several, "add `/tcp` or `/udp`"))
    }

    fn protocol(&mut self, word: &Word) -> Option<Diagnostic> {
        self.protocol = Some(word.text.clone());
        let is_known = PROTOCOLS.contains(&word.text.as_str());
        (!is_known).then(|| refused(format!("`{}` is not a protocol", word.text), word.span, "tcp, udp, esp, ah, …"))
    }

    fn address(&mut self, word: &Word) -> Option<Diagnostic> {
        if word.text == "any" {
            return None;
        }
        let net = word.text.parse::<IpNet>().or_else(|_| word.text.parse::<IpAddr>().map(IpNet::from));
        let Ok(net) = net else {
            return Some(refused(format!("`{}` is not an address", word.text), word.span, "like `192.168.1.0/24`"));
        };
        let family = Family::of(net.addr());
        let other = self.family.replace(family).filter(|other| *other != family)?;
        let label =
            if other == Family::V4 { "the other address is one of IPv4" } else { "the other address is one of IPv6" };
        Some(refused("from one family of addresses to another".to_owned(), word.span, label))
    }

    /// `22`, `80,443/tcp`, `8000:8010/udp`; words are names of services, profiles or interfaces.
    fn ports(&mut self, word: &Word) -> Option<Diagnostic> {
        let (ports, protocol) = word.text.split_once('/').map_or((word.text.as_str(), None), |(p, q)| (p, Some(q)));
        if !ports.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if let Some(protocol) = protocol {
            self.protocol = Some(protocol.to_owned());
        }
        if ports.contains([',', ':']) {
            self.several = Some(word.span);
        }
        let is_bad = !ports.split(',').all(is_port_or_range) || protocol.is_some_and(|p| !matches!(p, "tcp" | "udp"));
        is_bad.then(|| {
            refused(format!("`{}` is no port", word.text), word.span, "like `22`, `22/tcp` or `8000:8010/udp`")
        })
    }
}

fn is_port_or_range(text: &str) -> bool {
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| 0 < *port);
    match text.split_once(':') {
        Some((first, last)) => port(first).zip(port(last)).is_some_and(|(first, last)| first < last),
        None => port(text).is_some(),
    }
}

fn position(word: &Word) -> Option<Diagnostic> {
    let is_number = word.text.parse::<u32>().is_ok();
    (!is_number).then(|| refused(format!("`{}` is not a position", word.text), word.span, "a number from 1"))
}

fn refused(message: String, span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(Code::UfwBadRule, message).label(span, label).help("ufw refuses the line, and nothing changes")
}
