//! Lines that ufw refuses, and why: each kind was given to `ufw --dry-run` of release 0.36.2.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::shell::word::Word;
use crate::language::{Text, text};
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
            let message = text!("ufw has no command `{command}`", "ufw에 `{command}` 명령은 없습니다");
            let diagnostic = refused(message, first.span, text!("invalid syntax", "잘못된 구문"));
            Some(match did_you_mean(command, COMMANDS) {
                Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
                None => diagnostic.help(text!(
                    "nothing changes; ufw(8) lists the commands",
                    "바뀌는 것이 없습니다. 명령의 목록은 ufw(8)에 있습니다"
                )),
            })
        }
        "enable" | "disable" | "reload" | "reset" | "show" | "status" | "version" | "logging" => None,
        "delete" if rest.len() == 1 => None,
        _ => Line::default().read(&words),
    }
}

fn default_policy(policy: &Word) -> Option<Diagnostic> {
    let is_known = matches!(policy.text.as_str(), "allow" | "deny" | "reject");
    let message = || text!("`{word}` is not a policy", "`{word}`: 기본 정책이 아닙니다", word = &policy.text);
    (!is_known)
        .then(|| refused(message(), policy.span, text!("allow, deny or reject", "allow, deny, reject 가운데 하나")))
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
        Some(refused(
            text!("several ports without a protocol", "프로토콜 없이 여러 포트를 적었습니다"),
            several,
            text!("add `/tcp` or `/udp`", "`/tcp`나 `/udp`를 붙일 것"),
        ))
    }

    fn protocol(&mut self, word: &Word) -> Option<Diagnostic> {
        self.protocol = Some(word.text.clone());
        let is_known = PROTOCOLS.contains(&word.text.as_str());
        (!is_known).then(|| {
            refused(
                text!("`{word}` is not a protocol", "`{word}`: 프로토콜이 아닙니다", word = &word.text),
                word.span,
                text!("tcp, udp, esp, ah, …", "tcp, udp, esp, ah 등"),
            )
        })
    }

    fn address(&mut self, word: &Word) -> Option<Diagnostic> {
        if word.text == "any" {
            return None;
        }
        let net = word.text.parse::<IpNet>().or_else(|_| word.text.parse::<IpAddr>().map(IpNet::from));
        let Ok(net) = net else {
            return Some(refused(
                text!("`{word}` is not an address", "`{word}`: 주소가 아닙니다", word = &word.text),
                word.span,
                text!("like `192.168.1.0/24`", "예: `192.168.1.0/24`"),
            ));
        };
        let family = Family::of(net.addr());
        let other = self.family.replace(family).filter(|other| *other != family)?;
        let label = if other == Family::V4 {
            text!("the other address is one of IPv4", "다른 주소는 IPv4임")
        } else {
            text!("the other address is one of IPv6", "다른 주소는 IPv6임")
        };
        Some(refused(
            text!("from one family of addresses to another", "출발지와 목적지의 주소 체계가 다릅니다"),
            word.span,
            label,
        ))
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
            refused(
                text!("`{word}` is no port", "`{word}`: 포트가 아닙니다", word = &word.text),
                word.span,
                text!("like `22`, `22/tcp` or `8000:8010/udp`", "예: `22`, `22/tcp`, `8000:8010/udp`"),
            )
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
    (!is_number).then(|| {
        refused(
            text!("`{word}` is not a position", "`{word}`: 위치가 아닙니다", word = &word.text),
            word.span,
            text!("a number from 1", "1 이상의 수"),
        )
    })
}

fn refused(message: Text, span: Span, label: Text) -> Diagnostic {
    Diagnostic::new(Code::UfwBadRule, message)
        .label(span, label)
        .help(text!("ufw refuses the line, and nothing changes", "ufw가 이 줄을 거부하므로 바뀌는 것이 없습니다"))
}
