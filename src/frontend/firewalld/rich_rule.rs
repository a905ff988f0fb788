//! Rich rules: the language of `--add-rich-rule` and the `<rule>` element, both reduced to one list of parts.
//!
//! What is refused is what `Rich_Rule.check` of firewalld 1.3.3 (firewall/core/rich.py) refuses.

use std::ops::Range;

use crate::frontend::shell::word::Word;
use crate::frontend::xml::Element;
use crate::lab::{Peers, RichAction, RichElement, RichRule, Service};
use crate::net::Family;
use crate::source::{Span, Spanned};

use super::value::{self, ForwardPart, Refused, bad};

/// What became of a rule.
#[derive(Debug)]
pub enum Outcome {
    /// A rule.
    Rule(Box<RichRule>),
    /// A rule that no packet of ours can meet.
    Nothing,
    /// A rule that could change packets and has no model.
    Unmodeled(String),
}

/// An element of a rule with its attributes.
#[derive(Debug)]
struct Part {
    name: Spanned<String>,
    attributes: Vec<(String, Spanned<String>)>,
    inverted: bool,
    limit: Option<String>,
}

impl Part {
    fn new(name: Spanned<String>) -> Self {
        Self { name, attributes: Vec::new(), inverted: false, limit: None }
    }

    fn get(&self, name: &str) -> Option<Spanned<&str>> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_ref().map(String::as_str))
    }

    fn required(&self, name: &str) -> Result<Spanned<&str>, Refused> {
        self.get(name).ok_or_else(|| {
            bad(self.name.span, format!("`{}` without `{name}`", self.name.value), "firewalld refuses the rule")
        })
    }
}

/// Reads the language of the command line; the word is the whole rule.
pub fn parse(word: &Word) -> Result<Outcome, Refused> {
    let mut parts: Vec<Part> = Vec::new();
    for token in tokens(&word.text) {
        let part = word.slice(token);
        let text = unquoted(&part.text);
        let Some((name, value)) = text.split_once('=') else {
            element(&mut parts, &text, part.span)?;
            continue;
        };
        if name.is_empty() || value.is_empty() || value.contains('=') {
            return Err(bad(part.span, format!("`{}` is not `attribute=value`", part.text), "here"));
        }
        let Some(current) = parts.last_mut() else {
            return Err(bad(part.span, format!("`{name}` outside of a rule"), "a rule starts with the word `rule`"));
        };
        match (&mut current.limit, name) {
            (Some(limit), "value") => value.clone_into(limit),
            // firewalld 2.2 and later.
            (Some(_), "burst") => {}
            _ => current.attributes.push((name.to_owned(), Spanned::new(value.to_owned(), value_span(&part)))),
        }
    }
    build(parts, word.span)
}

fn element(parts: &mut Vec<Part>, text: &str, span: Span) -> Result<(), Refused> {
    match (text, parts.last_mut()) {
        ("not" | "NOT", Some(current)) => current.inverted = true,
        ("limit", Some(current)) => current.limit = Some(String::new()),
        ("rule", None) => parts.push(Part::new(Spanned::new(text.to_owned(), span))),
        (_, None) => {
            return Err(bad(span, format!("`{text}` outside of a rule"), "a rule starts with the word `rule`"));
        }
        _ => parts.push(Part::new(Spanned::new(text.to_owned(), span))),
    }
    Ok(())
}

/// Byte ranges of the words of a rule; blanks inside quotes do not separate.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let (mut start, mut quote) = (None, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                start = start.or(Some(at));
            }
            (None, c) if c.is_whitespace() => tokens.extend(start.take().map(|s| s..at)),
            _ => start = start.or(Some(at)),
        }
    }
    tokens.extend(start.map(|s| s..text.len()));
    tokens
}

fn unquoted(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '"' | '\'')).collect()
}

/// The place of the value in `name="value"`, without quotes.
fn value_span(part: &Word) -> Span {
    let start = part.text.find('=').map_or(0, |at| at + 1);
    let value = part.text.get(start..).unwrap_or("");
    let inner = value.trim_matches(['"', '\'']);
    let offset = start + value.find(inner).unwrap_or(0);
    part.place(offset..offset + inner.len())
}

/// Reads a `<rule>` element.
pub fn parse_xml(rule: Element<'_, '_>) -> Result<Outcome, Refused> {
    let mut parts = vec![xml_part(rule)];
    parts.extend(rule.children().map(xml_part));
    build(parts, rule.span())
}

fn xml_part(element: Element<'_, '_>) -> Part {
    let mut part = Part::new(Spanned::new(element.name().to_owned(), element.tag()));
    for name in element.attribute_names() {
        if let Some(value) = element.attribute(name.value) {
            part.attributes.push((name.value.to_owned(), value.map(str::to_owned)));
        }
    }
    let limit = element.child("limit").and_then(|limit| limit.attribute("value"));
    part.limit = limit.map(|value| value.value.to_owned());
    part
}

/// How packets of either family can be rejected (firewall/core/base.py, `REJECT_TYPES`; the same in 2.5.2).
const REJECTS_V4: [&str; 16] = [
    "icmp-host-prohibited",
    "host-prohib",
    "icmp-net-unreachable",
    "net-unreach",
    "icmp-host-unreachable",
    "host-unreach",
    "icmp-port-unreachable",
    "port-unreach",
    "icmp-proto-unreachable",
    "proto-unreach",
    "icmp-net-prohibited",
    "net-prohib",
    "tcp-reset",
    "tcp-rst",
    "icmp-admin-prohibited",
    "admin-prohib",
];
const REJECTS_V6: [&str; 9] = [
    "icmp6-adm-prohibited",
    "adm-prohibited",
    "icmp6-no-route",
    "no-route",
    "icmp6-addr-unreachable",
    "addr-unreach",
    "icmp6-port-unreachable",
    "port-unreach",
    "tcp-reset",
];

#[derive(Default)]
struct Draft {
    family: Option<Family>,
    source: Option<(Peers, bool)>,
    destination: Option<(Peers, bool)>,
    element: Option<RichElement>,
    action: Option<RichAction>,
    limit: Option<String>,
    logs: bool,
    audits: bool,
    clamps: bool,
    /// The rule concerns a protocol or an ICMP message that no packet of ours is.
    is_void: bool,
    unmodeled: Option<String>,
}

fn build(parts: Vec<Part>, whole: Span) -> Result<Outcome, Refused> {
    let mut parts = parts.into_iter();
    let Some(rule) = parts.next().filter(|p| p.name.value == "rule") else {
        return Err(bad(whole, "an empty rich rule", "a rule starts with the word `rule`"));
    };
    let priority = priority(&rule)?;
    let mut draft = Draft { family: family(&rule)?, ..Draft::default() };
    for part in parts {
        draft.part(&part, whole)?;
    }
    draft.check(priority, whole)?;
    if let Some(what) = draft.unmodeled {
        return Ok(Outcome::Unmodeled(what));
    }
    if draft.is_void {
        return Ok(Outcome::Nothing);
    }
    Ok(Outcome::Rule(Box::new(RichRule {
        priority,
        family: draft.family,
        source: draft.source,
        destination: draft.destination,
        element: draft.element.unwrap_or(RichElement::Any),
        action: draft.action.unwrap_or(RichAction::None),
        limit: draft.limit,
        later: false,
    })))
}

fn priority(rule: &Part) -> Result<i32, Refused> {
    let Some(text) = rule.get("priority") else { return Ok(0) };
    let priority = text.value.parse().ok().filter(|p| (-32768..=32767).contains(p));
    priority.ok_or_else(|| bad(text.span, format!("`{}` is not a priority", text.value), "from -32768 to 32767"))
}

fn family(rule: &Part) -> Result<Option<Family>, Refused> {
    match rule.get("family") {
        None => Ok(None),
        Some(f) if f.value == "ipv4" => Ok(Some(Family::V4)),
        Some(f) if f.value == "ipv6" => Ok(Some(Family::V6)),
        Some(f) => Err(bad(f.span, format!("`{}` is not a family", f.value), "ipv4 or ipv6")),
    }
}

impl Draft {
    fn part(&mut self, part: &Part, whole: Span) -> Result<(), Refused> {
        match part.name.value.as_str() {
            "source" => self.source = self.endpoint(part)?,
            "destination" => self.destination = self.endpoint(part)?,
            "log" | "nflog" => self.logs = true,
            "audit" => (self.logs, self.audits) = (true, true),
            "accept" => self.action(part, RichAction::Accept)?,
            "drop" => self.action(part, RichAction::Drop)?,
            "reject" => {
                let answer = part.get("type").map(|answer| self.reject_type(answer)).transpose()?;
                self.action(part, RichAction::Reject(answer))?;
            }
            "mark" => {
                let (value, mask) = value::mark(part.required("set")?)?;
                self.action(part, RichAction::Mark { value, mask })?;
            }
            _ => {
                let element = self.element(part, whole)?;
                if self.element.replace(element).is_some() {
                    return Err(bad(part.name.span, "a rich rule with two elements", "the second one"));
                }
            }
        }
        Ok(())
    }

    fn action(&mut self, part: &Part, action: RichAction) -> Result<(), Refused> {
        if let Some(limit) = &part.limit {
            self.limit = Some(limit.clone());
        }
        match self.action.replace(action) {
            None => Ok(()),
            Some(_) => Err(bad(part.name.span, "a rich rule with two actions", "the second one")),
        }
    }

    /// What `Rich_Reject.check` lets through.
    fn reject_type(&self, answer: Spanned<&str>) -> Result<String, Refused> {
        let name = answer.value;
        let Some(family) = self.family else {
            let message = format!("a rich rule that rejects with `{name}` needs a family");
            return Err(bad(answer.span, message, "add `family=\"ipv4\"`"));
        };
        let (known, shown) = match family {
            Family::V4 => (&REJECTS_V4[..], "ipv4"),
            Family::V6 => (&REJECTS_V6[..], "ipv6"),
        };
        if !known.contains(&name) {
            let message = format!("`{name}` is not an answer to {shown} packets");
            return Err(bad(answer.span, message, "firewalld refuses the rule"));
        }
        Ok(name.to_owned())
    }

    fn endpoint(&mut self, part: &Part) -> Result<Option<(Peers, bool)>, Refused> {
        let is_inverted = part.inverted || part.get("invert").is_some_and(|i| value::is_yes(i.value));
        let peers = ["address", "ipset", "mac"].iter().filter_map(|name| part.get(name));
        if let Some(second) = peers.into_iter().nth(1) {
            return Err(bad(second.span, format!("a {} that is two things", part.name.value), "the second one"));
        }
        if part.name.value == "destination" && self.family.is_none() {
            return Err(bad(part.name.span, "a rich rule with a destination needs a family", "add `family=\"ipv4\"`"));
        }
        if let Some(mac) = part.get("mac").filter(|_| part.name.value == "source") {
            return Ok(Some((value::hardware_address(mac)?, is_inverted)));
        }
        if let Some(set) = part.get("ipset") {
            return Ok(Some((Peers::Set(set.value.to_owned(), None), is_inverted)));
        }
        let address = part.required("address")?;
        let net = value::network(address)?;
        match self.family {
            None => Err(bad(address.span, "a rich rule with an address needs a family", "add `family=\"ipv4\"`")),
            Some(family) if family != Family::of(net.addr()) => {
                Err(bad(address.span, "the address is not of the rule's family", "of the other family"))
            }
            Some(_) => Ok(Some((Peers::Net(net), is_inverted))),
        }
    }

    fn element(&mut self, part: &Part, whole: Span) -> Result<RichElement, Refused> {
        Ok(match part.name.value.as_str() {
            "service" => {
                let name = part.required("name")?.value.to_owned();
                RichElement::Service(Service { name, ..Service::default() })
            }
            kind @ ("port" | "source-port") => {
                let ports = value::ports(part.required("port")?)?;
                match value::transport(part.required("protocol")?)? {
                    Some(protocol) if kind == "port" => RichElement::Port(protocol, ports),
                    Some(protocol) => RichElement::SourcePort(protocol, ports),
                    None => self.void(),
                }
            }
            "protocol" => RichElement::Protocol(value::protocol(part.required("value")?)?),
            "masquerade" => RichElement::Masquerade,
            "icmp-block" => RichElement::IcmpBlock(part.required("name")?.value.to_owned()),
            "icmp-type" => RichElement::IcmpType(part.required("name")?.value.to_owned()),
            "tcp-mss-clamp" => {
                part.get("value").map_or(Ok(()), value::segment_size)?;
                self.clamps = true;
                self.void()
            }
            "forward-port" => {
                let forward = value::forward_port(whole, |wanted| {
                    let name = match wanted {
                        ForwardPart::Port => "port",
                        ForwardPart::Protocol => "protocol",
                        ForwardPart::ToPort => "to-port",
                        ForwardPart::ToAddress => "to-addr",
                    };
                    part.get(name).map(|v| v.map(str::to_owned))
                })?;
                forward.map_or_else(|| self.void(), RichElement::ForwardPort)
            }
            other => {
                return Err(bad(part.name.span, format!("`{other}` is not an element of a rich rule"), "not known"));
            }
        })
    }

    fn void(&mut self) -> RichElement {
        self.is_void = true;
        RichElement::Any
    }

    fn check(&self, priority: i32, whole: Span) -> Result<(), Refused> {
        let implies_action = matches!(
            self.element,
            Some(RichElement::Masquerade | RichElement::ForwardPort(_) | RichElement::IcmpBlock(_))
        );
        let has_match = self.source.is_some() || self.destination.is_some() || self.unmodeled.is_some();
        let is_bare = self.element.is_none() && (!self.logs || priority == 0);
        let decides = matches!(self.action, Some(RichAction::Accept | RichAction::Reject(_) | RichAction::Drop));
        let wrong = if (implies_action || self.clamps) && self.action.is_some() {
            "this element takes no action"
        } else if matches!(self.element, Some(RichElement::ForwardPort(_))) && self.family.is_none() {
            "a port forward in a rich rule needs a family"
        } else if self.audits && !decides {
            "only what accepts, rejects or drops is audited"
        } else if is_bare && self.action.is_none() && self.unmodeled.is_none() {
            "a rich rule without element and action"
        } else if is_bare && !has_match && priority == 0 {
            "a rich rule that matches nothing in particular needs a priority"
        } else if !implies_action && !self.is_void && !self.logs && self.action.is_none() && self.unmodeled.is_none() {
            "a rich rule without action"
        } else {
            return Ok(());
        };
        Err(bad(whole, wrong, "firewalld refuses the rule"))
    }
}
