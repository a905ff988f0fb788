//! Rich rules: the language of `--add-rich-rule` and the `<rule>` element, both reduced to one list of parts.
//!
//! What is refused is what `Rich_Rule.check` of firewalld 1.3.3 (firewall/core/rich.py) refuses.

use std::ops::Range;

use crate::frontend::shell::word::Word;
use crate::frontend::xml::Element;
use crate::lab::{Peers, RichAction, RichElement, RichRule, Service};
use crate::language::{Text, text};
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
    Unmodeled(Text),
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
            bad(
                self.name.span,
                text!(
                    "`{element}` without `{name}`",
                    "`{element}`에 `{name}`이(가) 없습니다",
                    element = &self.name.value
                ),
                text!("firewalld refuses the rule", "firewalld가 규칙을 거부함"),
            )
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
            return Err(bad(
                part.span,
                text!(
                    "`{part}` is not `attribute=value`",
                    "`{part}`: `attribute=value` 형식이 아닙니다",
                    part = &part.text
                ),
                text!("here", "여기"),
            ));
        }
        let Some(current) = parts.last_mut() else {
            return Err(bad(
                part.span,
                text!("`{name}` outside of a rule", "`{name}`이(가) 규칙 밖에 있습니다"),
                text!("a rule starts with the word `rule`", "규칙은 `rule`이라는 단어로 시작함"),
            ));
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
            return Err(bad(
                span,
                text!("`{text}` outside of a rule", "`{text}`이(가) 규칙 밖에 있습니다"),
                text!("a rule starts with the word `rule`", "규칙은 `rule`이라는 단어로 시작함"),
            ));
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
    unmodeled: Option<Text>,
}

fn build(parts: Vec<Part>, whole: Span) -> Result<Outcome, Refused> {
    let mut parts = parts.into_iter();
    let Some(rule) = parts.next().filter(|p| p.name.value == "rule") else {
        return Err(bad(
            whole,
            text!("an empty rich rule", "빈 리치 룰입니다"),
            text!("a rule starts with the word `rule`", "규칙은 `rule`이라는 단어로 시작함"),
        ));
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
    priority.ok_or_else(|| {
        bad(
            text.span,
            text!("`{value}` is not a priority", "`{value}`: 우선순위가 아닙니다", value = &text.value),
            text!("from -32768 to 32767", "-32768부터 32767까지"),
        )
    })
}

fn family(rule: &Part) -> Result<Option<Family>, Refused> {
    match rule.get("family") {
        None => Ok(None),
        Some(f) if f.value == "ipv4" => Ok(Some(Family::V4)),
        Some(f) if f.value == "ipv6" => Ok(Some(Family::V6)),
        Some(f) => Err(bad(
            f.span,
            text!("`{value}` is not a family", "`{value}`: 주소 체계가 아닙니다", value = &f.value),
            text!("ipv4 or ipv6", "ipv4나 ipv6"),
        )),
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
                    return Err(bad(
                        part.name.span,
                        text!("a rich rule with two elements", "리치 룰에 요소가 두 개 있습니다"),
                        text!("the second one", "두 번째 것"),
                    ));
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
            Some(_) => Err(bad(
                part.name.span,
                text!("a rich rule with two actions", "리치 룰에 동작이 두 개 있습니다"),
                text!("the second one", "두 번째 것"),
            )),
        }
    }

    /// What `Rich_Reject.check` lets through.
    fn reject_type(&self, answer: Spanned<&str>) -> Result<String, Refused> {
        let name = answer.value;
        let Some(family) = self.family else {
            let message = text!(
                "a rich rule that rejects with `{name}` needs a family",
                "`{name}`으로 거부하는 리치 룰에는 주소 체계가 필요합니다"
            );
            return Err(bad(answer.span, message, text!("add `family=\"ipv4\"`", "`family=\"ipv4\"`를 추가할 것")));
        };
        let (known, shown) = match family {
            Family::V4 => (&REJECTS_V4[..], "ipv4"),
            Family::V6 => (&REJECTS_V6[..], "ipv6"),
        };
        if !known.contains(&name) {
            let message =
                text!("`{name}` is not an answer to {shown} packets", "`{name}`: {shown} 패킷에 대한 응답이 아닙니다");
            return Err(bad(answer.span, message, text!("firewalld refuses the rule", "firewalld가 규칙을 거부함")));
        }
        Ok(name.to_owned())
    }

    fn endpoint(&mut self, part: &Part) -> Result<Option<(Peers, bool)>, Refused> {
        let is_inverted = part.inverted || part.get("invert").is_some_and(|i| value::is_yes(i.value));
        let peers = ["address", "ipset", "mac"].iter().filter_map(|name| part.get(name));
        if let Some(second) = peers.into_iter().nth(1) {
            return Err(bad(
                second.span,
                text!("a {name} that is two things", "{name}에 두 가지가 지정되어 있습니다", name = &part.name.value),
                text!("the second one", "두 번째 것"),
            ));
        }
        if part.name.value == "destination" && self.family.is_none() {
            return Err(bad(
                part.name.span,
                text!(
                    "a rich rule with a destination needs a family",
                    "목적지가 있는 리치 룰에는 주소 체계가 필요합니다"
                ),
                text!("add `family=\"ipv4\"`", "`family=\"ipv4\"`를 추가할 것"),
            ));
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
            None => Err(bad(
                address.span,
                text!("a rich rule with an address needs a family", "주소가 있는 리치 룰에는 주소 체계가 필요합니다"),
                text!("add `family=\"ipv4\"`", "`family=\"ipv4\"`를 추가할 것"),
            )),
            Some(family) if family != Family::of(net.addr()) => Err(bad(
                address.span,
                text!("the address is not of the rule's family", "주소가 규칙의 주소 체계와 다릅니다"),
                text!("of the other family", "다른 주소 체계의 주소"),
            )),
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
                return Err(bad(
                    part.name.span,
                    text!("`{other}` is not an element of a rich rule", "`{other}`: 리치 룰의 요소가 아닙니다"),
                    text!("not known", "알 수 없음"),
                ));
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
            text!("this element takes no action", "이 요소에는 동작을 쓸 수 없습니다")
        } else if matches!(self.element, Some(RichElement::ForwardPort(_))) && self.family.is_none() {
            text!("a port forward in a rich rule needs a family", "리치 룰의 포트 포워딩에는 주소 체계가 필요합니다")
        } else if self.audits && !decides {
            text!(
                "only what accepts, rejects or drops is audited",
                "audit은 accept, reject, drop과 함께만 쓸 수 있습니다"
            )
        } else if is_bare && self.action.is_none() && self.unmodeled.is_none() {
            text!("a rich rule without element and action", "요소도 동작도 없는 리치 룰입니다")
        } else if is_bare && !has_match && priority == 0 {
            text!(
                "a rich rule that matches nothing in particular needs a priority",
                "특정한 조건이 없는 리치 룰에는 우선순위가 필요합니다"
            )
        } else if !implies_action && !self.is_void && !self.logs && self.action.is_none() && self.unmodeled.is_none() {
            text!("a rich rule without action", "동작이 없는 리치 룰입니다")
        } else {
            return Ok(());
        };
        Err(bad(whole, wrong, text!("firewalld refuses the rule", "firewalld가 규칙을 거부함")))
    }
}
