//! Reads one sentence. Words are separated by blanks; there is no quoting.
//!
//! ```text
//! sentence  = ["only"] subject ("can" | "cannot") verb ["with" symptom] ["because" cause]
//!             "only" goes with "can", a symptom and a cause with "cannot"
//! subject   = who {"," who} ["except" who {"," who}]
//! who       = "lan" | "internet" | "anyone" | "any container" | "any host" | "network" NAME
//!           | NAME | HOST "/" PROCESS | ADDRESS | SUBNET
//! verb      = "reach" target { "at" url | "over" ("tcp" | "udp") | "by name" } | "ping" place | "resolve" NAME
//! target    = place [":" PORT ["-" PORT]]                            without a port: every port that listens
//! place     = NAME | IPv4 | IPv6 | "[" IPv6 "]" | "internet" | "any" ("container" | "host" | "database")
//! url       = [("http" | "https" | "ssh" | "ftp") "://"] HOST [":" PORT] ["/" ...]
//! symptom   = "timeout" | "refused" | "reset" | "no-route" | "unreachable" | "unresolved"
//! cause     = "nat" | "docker" | "firewalld" | "firewall" | "filter" | "route" | "listen" | CODE | FILE [":" LINE]
//! ```
//!
//! A word that does not fit is reported with its own span, what was expected, and the nearest word of the grammar.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::net::{PortRange, Protocol};
use crate::source::{Span, Spanned};

use super::{ExpectedSymptom, Many, Place, Sentence, Target, Url, Verb};

mod cause;
mod subject;

use cause::cause;
use subject::subject;

const VERBS: &[&str] = &["reach", "ping", "resolve"];
const OPTIONS: &[&str] = &["at", "over", "by", "with", "because"];
const SYMPTOMS: &[(&str, ExpectedSymptom)] = &[
    ("timeout", ExpectedSymptom::Timeout),
    ("refused", ExpectedSymptom::Refused),
    ("reset", ExpectedSymptom::Reset),
    ("no-route", ExpectedSymptom::NoRoute),
    ("unreachable", ExpectedSymptom::Unreachable),
    ("unresolved", ExpectedSymptom::Unresolved),
];
const MANY: &[(&str, Many)] = &[("container", Many::Containers), ("host", Many::Hosts), ("database", Many::Databases)];
const SCHEMES: &[(&str, u16)] = &[("http", 80), ("https", 443), ("ssh", 22), ("ftp", 21)];

type Parsed<T> = Result<T, Box<Diagnostic>>;

/// Reads a sentence, or says what is wrong with it.
///
/// # Errors
/// A diagnostic with the span of the word that does not fit.
pub fn parse(text: &Spanned<String>) -> Parsed<Sentence> {
    let mut words = Words::new(text);
    let only = only(&mut words);
    let subject = subject(&mut words)?;
    let can = can_or_cannot(&mut words, only)?;
    let verb = verb(&mut words)?;
    let symptom = symptom(&mut words, can)?;
    let cause = cause(&mut words, can)?;
    match words.next() {
        None => Ok(Sentence { text: text.clone(), subject, can, only, verb, symptom, cause }),
        Some(extra) => Err(unexpected(Some(extra), "the end of the sentence", &[], extra.span)),
    }
}

/// One word and where it stands.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    text: &'a str,
    span: Span,
}

impl<'a> Word<'a> {
    /// The part of the word from `start` to `end`; the whole span where the file spells the word differently.
    fn part(self, start: usize, end: usize) -> Word<'a> {
        let verbatim = self.span.end - self.span.start == self.text.len();
        let span = if verbatim {
            Span::new(self.span.source, self.span.start + start, self.span.start + end)
        } else {
            self.span
        };
        Word { text: self.text.get(start..end).unwrap_or(""), span }
    }

    fn spanned(self) -> Spanned<String> {
        Spanned::new(self.text.to_owned(), self.span)
    }
}

/// The words that are left.
struct Words<'a> {
    rest: std::vec::IntoIter<Word<'a>>,
    end: Span,
}

impl<'a> Words<'a> {
    fn new(text: &'a Spanned<String>) -> Self {
        let whole = Word { text: &text.value, span: text.span };
        let mut words: Vec<Word<'a>> = Vec::new();
        for word in text.value.split_whitespace() {
            let start = word.as_ptr() as usize - text.value.as_ptr() as usize;
            let word = whole.part(start, start + word.len());
            let is_subject = !words.iter().any(|w| matches!(w.text, "can" | "cannot"));
            if is_subject { words.extend(at_commas(word)) } else { words.push(word) }
        }
        let end = words.last().map_or(text.span, |word| word.span.after());
        Self { rest: words.into_iter(), end }
    }

    fn peek(&self) -> Option<Word<'a>> {
        self.rest.as_slice().first().copied()
    }

    fn next(&mut self) -> Option<Word<'a>> {
        self.rest.next()
    }

    /// Takes the next word if it is `text`.
    fn take(&mut self, text: &str) -> Option<Word<'a>> {
        self.peek().filter(|word| word.text == text)?;
        self.next()
    }

    fn expect(&mut self, what: &str, candidates: &[&str]) -> Parsed<Word<'a>> {
        self.next().ok_or_else(|| unexpected(None, what, candidates, self.end))
    }
}

/// `mac,phone` is three words: names have no commas.
fn at_commas(word: Word<'_>) -> Vec<Word<'_>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (comma, _) in word.text.match_indices(',') {
        parts.push(word.part(start, comma));
        parts.push(word.part(comma, comma + 1));
        start = comma + 1;
    }
    parts.push(word.part(start, word.text.len()));
    parts.retain(|part| !part.text.is_empty());
    parts
}

/// `only`, unless somebody is called so.
fn only(words: &mut Words<'_>) -> Option<Span> {
    let next = words.rest.as_slice().get(1);
    if next.is_none_or(|next| matches!(next.text, "can" | "cannot" | "," | "except")) {
        return None;
    }
    words.take("only").map(|word| word.span)
}

fn can_or_cannot(words: &mut Words<'_>, only: Option<Span>) -> Parsed<bool> {
    let candidates = &["can", "cannot"];
    let word = words.expect("`can` or `cannot`", candidates)?;
    match word.text {
        "can" => match words.peek().filter(|next| next.text == "not") {
            None => Ok(true),
            Some(not) => Err(helped(*unexpected(Some(not), "a verb", &[], not.span), "write `cannot`")),
        },
        "cannot" if only.is_some() => {
            Err(helped(*unexpected(Some(word), "`can` after `only`", &[], word.span), "write it without `only`"))
        }
        "cannot" => Ok(false),
        "can't" => Err(helped(*unexpected(Some(word), "`can` or `cannot`", &[], word.span), "write `cannot`")),
        _ => Err(unexpected(Some(word), "`can` or `cannot`", candidates, word.span)),
    }
}

fn verb(words: &mut Words<'_>) -> Parsed<Verb> {
    let word = words.expect("`reach`, `ping` or `resolve`", VERBS)?;
    match word.text {
        "reach" => reach(words),
        "ping" => {
            let target = target(words, "what is pinged")?;
            match target.ports {
                None => Ok(Verb::Ping(target.place)),
                Some(ports) => Err(Box::new(
                    Diagnostic::new(Code::SentenceSyntax, "a ping has no port")
                        .label(ports.span, "this port")
                        .help("leave the port out, or write `reach`"),
                )),
            }
        }
        "resolve" => Ok(Verb::Resolve(words.expect("the name to resolve", &[])?.spanned())),
        _ => Err(unexpected(Some(word), "`reach`, `ping` or `resolve`", VERBS, word.span)),
    }
}

fn reach(words: &mut Words<'_>) -> Parsed<Verb> {
    let target = target(words, "what is reached, like `grafana:3000`")?;
    let (mut at, mut protocol, mut by_name) = (None, None, false);
    while let Some(option) = words.peek() {
        match option.text {
            "at" if at.is_none() => {
                words.next();
                at = Some(url(
                    words.expect("the address that is dialled, like `http://localhost:3000`", &[])?,
                    &target,
                )?);
            }
            "over" if protocol.is_none() => {
                words.next();
                protocol = Some(transport(words.expect("`tcp` or `udp`", &["tcp", "udp"])?)?);
            }
            "by" if !by_name => {
                words.next();
                let name = words.expect("`name` after `by`", &["name"])?;
                by_name = name.text == "name";
                if !by_name {
                    return Err(unexpected(Some(name), "`name` after `by`", &["name"], name.span));
                }
            }
            "at" | "over" | "by" => return Err(twice(option)),
            "with" | "because" => break,
            _ => {
                return Err(unexpected(
                    Some(option),
                    "`at`, `over`, `by name`, `with`, `because` or the end",
                    OPTIONS,
                    option.span,
                ));
            }
        }
    }
    Ok(Verb::Reach { target, at, protocol: protocol.unwrap_or(Protocol::Tcp), by_name })
}

fn symptom(words: &mut Words<'_>, can: bool) -> Parsed<Option<Spanned<ExpectedSymptom>>> {
    let Some(with) = words.take("with") else { return Ok(None) };
    let names: Vec<&str> = SYMPTOMS.iter().map(|(name, _)| *name).collect();
    let expected = "`timeout`, `refused`, `reset`, `no-route`, `unreachable` or `unresolved`";
    let word = words.expect(expected, &names)?;
    let Some((_, symptom)) = SYMPTOMS.iter().find(|(name, _)| *name == word.text) else {
        return Err(unexpected(Some(word), expected, &names, word.span));
    };
    if can {
        return Err(Box::new(
            Diagnostic::new(Code::SentenceSyntax, format!("what can be reached does not end with `{}`", word.text))
                .label(with.span.to(word.span), "a symptom goes with `cannot`")
                .help("leave it out, or write `cannot`"),
        ));
    }
    Ok(Some(Spanned::new(*symptom, word.span)))
}

fn transport(word: Word<'_>) -> Parsed<Protocol> {
    match word.text {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        "icmp" => Err(helped(*unexpected(Some(word), "`tcp` or `udp`", &[], word.span), "write `can ping`")),
        _ => Err(unexpected(Some(word), "`tcp` or `udp`", &["tcp", "udp"], word.span)),
    }
}

/// `grafana:3000`, `[::1]:80`, `grafana`, `::1`, `any database`.
fn target(words: &mut Words<'_>, expected: &str) -> Parsed<Target> {
    let word = words.expect(expected, &[])?;
    if word.text == "any" {
        return every(word, words);
    }
    if let Ok(address) = word.text.parse::<IpAddr>() {
        return Ok(Target { place: Spanned::new(Place::Address(address), word.span), ports: None });
    }
    let (host, port) = split_port(word);
    let ports = port.map(ports).transpose()?;
    Ok(Target { place: Spanned::new(place(host)?, host.span), ports })
}

fn every(any: Word<'_>, words: &mut Words<'_>) -> Parsed<Target> {
    let names: Vec<&str> = MANY.iter().map(|(name, _)| *name).collect();
    let expected = "`container`, `host` or `database` after `any`";
    let word = words.expect(expected, &names)?;
    let (name, port) = split_port(word);
    let Some((_, many)) = MANY.iter().find(|(known, _)| *known == name.text) else {
        return Err(unexpected(Some(name), expected, &names, name.span));
    };
    let ports = port.map(ports).transpose()?;
    Ok(Target { place: Spanned::new(Place::Every(*many), any.span.to(name.span)), ports })
}

/// Splits a port off; a colon inside brackets belongs to the address.
fn split_port(word: Word<'_>) -> (Word<'_>, Option<Word<'_>>) {
    match word.text.rfind(':').filter(|colon| !word.text.get(*colon..).unwrap_or("").contains(']')) {
        None => (word, None),
        Some(colon) => (word.part(0, colon), Some(word.part(colon + 1, word.text.len()))),
    }
}

fn place(host: Word<'_>) -> Parsed<Place> {
    let bracketed = host.text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Ok(address) = bracketed.unwrap_or(host.text).parse::<IpAddr>() {
        return Ok(Place::Address(address));
    }
    match host.text {
        "" => Err(unexpected(None, "a name or an address before the port", &[], host.span)),
        "internet" => Ok(Place::Internet),
        text if bracketed.is_some() || text.contains([':', '[', ']']) => Err(Box::new(
            Diagnostic::new(Code::SentenceSyntax, format!("`{text}` is neither a name nor an address"))
                .label(host.span, "expected a name or an address")
                .help("write IPv6 addresses in brackets: `[::1]:80`"),
        )),
        text => Ok(Place::Named(text.to_owned())),
    }
}

fn ports(word: Word<'_>) -> Parsed<Spanned<PortRange>> {
    let (first, last) = word.text.split_once('-').unwrap_or((word.text, word.text));
    let range = match (port_number(first), port_number(last)) {
        (Some(first), Some(last)) => PortRange::new(first, last),
        _ => None,
    };
    range.map(|range| Spanned::new(range, word.span)).ok_or_else(|| bad_port(word))
}

fn port_number(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

fn url(word: Word<'_>, target: &Target) -> Parsed<Spanned<Url>> {
    let (scheme, start) = match word.text.find("://") {
        Some(end) => (Some(word.part(0, end)), end + 3),
        None => (None, 0),
    };
    let rest = word.part(start, word.text.len());
    let authority = rest.part(0, rest.text.find(['/', '?', '#']).unwrap_or(rest.text.len()));
    let host = authority.part(authority.text.rfind('@').map_or(0, |at| at + 1), authority.text.len());
    let (host, port) = if host.text.parse::<IpAddr>().is_ok() { (host, None) } else { split_port(host) };
    let port = match port {
        Some(port) => port_number(port.text).ok_or_else(|| bad_port(port))?,
        None => default_port(word, scheme, target)?,
    };
    let host = match place(host)? {
        Place::Address(address) => address.to_string(),
        Place::Named(_) | Place::Internet | Place::Every(_) => host.text.to_owned(),
    };
    Ok(Spanned::new(Url { host, port, text: word.text.to_owned() }, word.span))
}

/// The scheme's port; without a scheme, the target's.
fn default_port(word: Word<'_>, scheme: Option<Word<'_>>, target: &Target) -> Parsed<u16> {
    let Some(scheme) = scheme else {
        let ports = target.ports.as_ref().map(|ports| ports.value);
        return ports.filter(|p| p.first == p.last).map(|p| p.first).ok_or_else(|| {
            let missing = Diagnostic::new(Code::SentenceSyntax, format!("`{}` has no port", word.text));
            Box::new(missing.label(word.span.after(), "expected `:PORT`"))
        });
    };
    SCHEMES.iter().find(|(name, _)| *name == scheme.text).map(|(_, port)| *port).ok_or_else(|| {
        let names: Vec<&str> = SCHEMES.iter().map(|(name, _)| *name).collect();
        let unknown =
            Diagnostic::new(Code::SentenceSyntax, format!("the default port of `{}` is not known", scheme.text));
        let help = match did_you_mean(scheme.text, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write the port: `://HOST:PORT`".to_owned(),
        };
        Box::new(unknown.label(scheme.span, "this scheme").help(help))
    })
}

fn unexpected(found: Option<Word<'_>>, expected: &str, candidates: &[&str], span: Span) -> Box<Diagnostic> {
    let message = match found {
        Some(word) => format!("expected {expected}, found `{}`", word.text),
        None => format!("expected {expected}"),
    };
    let label = if found.is_some() { "not expected here" } else { "something is missing here" };
    let help = match found.and_then(|word| did_you_mean(word.text, candidates.iter().copied())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "a sentence looks like `mac/browser can reach grafana:3000`".to_owned(),
    };
    Box::new(Diagnostic::new(Code::SentenceSyntax, message).label(span, label).help(help))
}

fn helped(diagnostic: Diagnostic, help: &str) -> Box<Diagnostic> {
    Box::new(diagnostic.help(help))
}

fn twice(option: Word<'_>) -> Box<Diagnostic> {
    let message = format!("`{}` stands twice in the sentence", option.text);
    Box::new(Diagnostic::new(Code::SentenceSyntax, message).label(option.span, "the second one").help("leave one out"))
}

fn bad_port(word: Word<'_>) -> Box<Diagnostic> {
    let message = format!("`{}` is not a port", word.text);
    let label = "expected a number from 1 to 65535, or a range like `8000-8010`";
    Box::new(Diagnostic::new(Code::SentenceSyntax, message).label(word.span, label))
}

#[cfg(test)]
mod tests;
