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
use crate::language::{Text, text};
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
        Some(extra) => Err(unexpected(Some(extra), &text!("the end of the sentence", "문장의 끝"), &[], extra.span)),
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

    fn expect(&mut self, what: &Text, candidates: &[&str]) -> Parsed<Word<'a>> {
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
    let word = words.expect(&text!("`can` or `cannot`", "`can` 또는 `cannot`"), candidates)?;
    match word.text {
        "can" => match words.peek().filter(|next| next.text == "not") {
            None => Ok(true),
            Some(not) => Err(helped(
                *unexpected(Some(not), &text!("a verb", "동사"), &[], not.span),
                text!("write `cannot`", "`cannot`으로 쓰십시오"),
            )),
        },
        "cannot" if only.is_some() => Err(helped(
            *unexpected(Some(word), &text!("`can` after `only`", "`only` 뒤의 `can`"), &[], word.span),
            text!("write it without `only`", "`only` 없이 쓰십시오"),
        )),
        "cannot" => Ok(false),
        "can't" => Err(helped(
            *unexpected(Some(word), &text!("`can` or `cannot`", "`can` 또는 `cannot`"), &[], word.span),
            text!("write `cannot`", "`cannot`으로 쓰십시오"),
        )),
        _ => Err(unexpected(Some(word), &text!("`can` or `cannot`", "`can` 또는 `cannot`"), candidates, word.span)),
    }
}

fn verb(words: &mut Words<'_>) -> Parsed<Verb> {
    let word = words.expect(&text!("`reach`, `ping` or `resolve`", "`reach`, `ping`, `resolve` 가운데 하나"), VERBS)?;
    match word.text {
        "reach" => reach(words),
        "ping" => {
            let target = target(words, &text!("what is pinged", "ping을 보낼 대상"))?;
            match target.ports {
                None => Ok(Verb::Ping(target.place)),
                Some(ports) => Err(Box::new(
                    Diagnostic::new(Code::SentenceSyntax, text!("a ping has no port", "ping에는 포트가 없습니다"))
                        .label(ports.span, text!("this port", "이 포트"))
                        .help(text!("leave the port out, or write `reach`", "포트를 빼거나 `reach`로 쓰십시오")),
                )),
            }
        }
        "resolve" => Ok(Verb::Resolve(words.expect(&text!("the name to resolve", "찾을 이름"), &[])?.spanned())),
        _ => Err(unexpected(
            Some(word),
            &text!("`reach`, `ping` or `resolve`", "`reach`, `ping`, `resolve` 가운데 하나"),
            VERBS,
            word.span,
        )),
    }
}

fn reach(words: &mut Words<'_>) -> Parsed<Verb> {
    let target = target(words, &text!("what is reached, like `grafana:3000`", "연결할 대상(`grafana:3000` 같은 것)"))?;
    let (mut at, mut protocol, mut by_name) = (None, None, false);
    while let Some(option) = words.peek() {
        match option.text {
            "at" if at.is_none() => {
                words.next();
                at = Some(url(
                    words.expect(
                        &text!(
                            "the address that is dialled, like `http://localhost:3000`",
                            "연결할 주소(`http://localhost:3000` 같은 것)"
                        ),
                        &[],
                    )?,
                    &target,
                )?);
            }
            "over" if protocol.is_none() => {
                words.next();
                protocol =
                    Some(transport(words.expect(&text!("`tcp` or `udp`", "`tcp` 또는 `udp`"), &["tcp", "udp"])?)?);
            }
            "by" if !by_name => {
                words.next();
                let name = words.expect(&text!("`name` after `by`", "`by` 뒤의 `name`"), &["name"])?;
                by_name = name.text == "name";
                if !by_name {
                    return Err(unexpected(
                        Some(name),
                        &text!("`name` after `by`", "`by` 뒤의 `name`"),
                        &["name"],
                        name.span,
                    ));
                }
            }
            "at" | "over" | "by" => return Err(twice(option)),
            "with" | "because" => break,
            _ => {
                return Err(unexpected(
                    Some(option),
                    &text!(
                        "`at`, `over`, `by name`, `with`, `because` or the end",
                        "`at`, `over`, `by name`, `with`, `because` 또는 문장의 끝"
                    ),
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
    let expected = text!(
        "`timeout`, `refused`, `reset`, `no-route`, `unreachable` or `unresolved`",
        "`timeout`, `refused`, `reset`, `no-route`, `unreachable`, `unresolved` 가운데 하나"
    );
    let word = words.expect(&expected, &names)?;
    let Some((_, symptom)) = SYMPTOMS.iter().find(|(name, _)| *name == word.text) else {
        return Err(unexpected(Some(word), &expected, &names, word.span));
    };
    if can {
        return Err(Box::new(
            Diagnostic::new(
                Code::SentenceSyntax,
                text!(
                    "what can be reached does not end with `{word}`",
                    "연결할 수 있다면 `{word}`(으)로 끝나지 않습니다",
                    word = word.text
                ),
            )
            .label(with.span.to(word.span), text!("a symptom goes with `cannot`", "증상은 `cannot`과 함께 씀"))
            .help(leave_out()),
        ));
    }
    Ok(Some(Spanned::new(*symptom, word.span)))
}

fn transport(word: Word<'_>) -> Parsed<Protocol> {
    match word.text {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        "icmp" => Err(helped(
            *unexpected(Some(word), &text!("`tcp` or `udp`", "`tcp` 또는 `udp`"), &[], word.span),
            text!("write `can ping`", "`can ping`으로 쓰십시오"),
        )),
        _ => Err(unexpected(Some(word), &text!("`tcp` or `udp`", "`tcp` 또는 `udp`"), &["tcp", "udp"], word.span)),
    }
}

/// `grafana:3000`, `[::1]:80`, `grafana`, `::1`, `any database`.
fn target(words: &mut Words<'_>, expected: &Text) -> Parsed<Target> {
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
    let expected = text!(
        "`container`, `host` or `database` after `any`",
        "`any` 뒤의 `container`, `host`, `database` 가운데 하나"
    );
    let word = words.expect(&expected, &names)?;
    let (name, port) = split_port(word);
    let Some((_, many)) = MANY.iter().find(|(known, _)| *known == name.text) else {
        return Err(unexpected(Some(name), &expected, &names, name.span));
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
        "" => Err(unexpected(
            None,
            &text!("a name or an address before the port", "포트 앞의 이름이나 주소"),
            &[],
            host.span,
        )),
        "internet" => Ok(Place::Internet),
        text if bracketed.is_some() || text.contains([':', '[', ']']) => Err(Box::new(
            Diagnostic::new(
                Code::SentenceSyntax,
                text!("`{text}` is neither a name nor an address", "`{text}`: 이름도 주소도 아닙니다"),
            )
            .label(host.span, text!("expected a name or an address", "이름이나 주소가 와야 함"))
            .help(text!("write IPv6 addresses in brackets: `[::1]:80`", "IPv6 주소는 대괄호로 묶습니다: `[::1]:80`")),
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
            let message = text!("`{word}` has no port", "`{word}`에 포트가 없습니다", word = word.text);
            let missing = Diagnostic::new(Code::SentenceSyntax, message);
            Box::new(missing.label(word.span.after(), text!("expected `:PORT`", "`:포트`가 와야 함")))
        });
    };
    SCHEMES.iter().find(|(name, _)| *name == scheme.text).map(|(_, port)| *port).ok_or_else(|| {
        let names: Vec<&str> = SCHEMES.iter().map(|(name, _)| *name).collect();
        let message = text!(
            "the default port of `{scheme}` is not known",
            "`{scheme}`의 기본 포트를 알 수 없습니다",
            scheme = scheme.text
        );
        let unknown = Diagnostic::new(Code::SentenceSyntax, message);
        let help = match did_you_mean(scheme.text, names) {
            Some(near) => meant(near),
            None => text!("write the port: `://HOST:PORT`", "포트를 쓰십시오: `://호스트:포트`"),
        };
        Box::new(unknown.label(scheme.span, text!("this scheme", "이 스킴")).help(help))
    })
}

fn unexpected(found: Option<Word<'_>>, expected: &Text, candidates: &[&str], span: Span) -> Box<Diagnostic> {
    let (message, label) = match found.map(|word| word.text) {
        Some(word) => (
            text!("expected {expected}, found `{word}`", "`{word}` 자리에 와야 할 것: {expected}"; expected),
            text!("not expected here", "여기에 올 수 없음"),
        ),
        None => (
            text!("expected {expected}", "빠진 것: {expected}"; expected),
            text!("something is missing here", "여기에 빠진 것이 있음"),
        ),
    };
    let help = match found.and_then(|word| did_you_mean(word.text, candidates.iter().copied())) {
        Some(near) => meant(near),
        None => text!(
            "a sentence looks like `mac/browser can reach grafana:3000`",
            "문장의 예: `mac/browser can reach grafana:3000`"
        ),
    };
    Box::new(Diagnostic::new(Code::SentenceSyntax, message).label(span, label).help(help))
}

fn helped(diagnostic: Diagnostic, help: Text) -> Box<Diagnostic> {
    Box::new(diagnostic.help(help))
}

fn meant(near: &str) -> Text {
    text!("did you mean `{near}`?", "혹시 `{near}`?")
}

/// The way out where something goes with `cannot` only.
fn leave_out() -> Text {
    text!("leave it out, or write `cannot`", "빼거나 `cannot`으로 쓰십시오")
}

fn twice(option: Word<'_>) -> Box<Diagnostic> {
    let message = text!(
        "`{option}` stands twice in the sentence",
        "문장에 `{option}` 부분이 두 번 있습니다",
        option = option.text
    );
    let diagnostic = Diagnostic::new(Code::SentenceSyntax, message);
    let second = text!("the second one", "두 번째");
    Box::new(diagnostic.label(option.span, second).help(text!("leave one out", "하나를 빼십시오")))
}

fn bad_port(word: Word<'_>) -> Box<Diagnostic> {
    let message = text!("`{word}` is not a port", "`{word}`: 포트가 아닙니다", word = word.text);
    let label = text!(
        "expected a number from 1 to 65535, or a range like `8000-8010`",
        "1부터 65535까지의 숫자나 `8000-8010` 같은 범위가 와야 함"
    );
    Box::new(Diagnostic::new(Code::SentenceSyntax, message).label(word.span, label))
}

#[cfg(test)]
mod tests;
