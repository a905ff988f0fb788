//! The values of `firewall-cmd`'s options.

use crate::frontend::shell::word::Word;
use crate::lab::ForwardPort;
use crate::lab::declaration::FirewallChange;
use crate::language::text;
use crate::net::{PortRange, Protocol};
use crate::source::Spanned;

use super::super::rich_rule::{self, Outcome};
use super::super::value::{self, ForwardPart, Refused, bad};

pub(super) fn text(word: &Word) -> Spanned<&str> {
    Spanned::new(word.text.as_str(), word.place(0..word.text.len()))
}

/// The change that an item makes; nothing if it has no model or concerns no packet of ours.
pub(super) fn change(is_added: bool, kind: &str, value: &Word) -> Result<Option<FirewallChange>, Refused> {
    Ok(match kind {
        "port" => port(value)?.map(|p| FirewallChange::Port(is_added, p)),
        "source-port" => port(value)?.map(|p| FirewallChange::SourcePort(is_added, p)),
        "service" => Some(FirewallChange::Service(is_added, value.text.clone())),
        "protocol" => Some(FirewallChange::Protocol(is_added, value::protocol(text(value))?)),
        "source" => Some(FirewallChange::Source(is_added, value::peers(text(value))?)),
        "interface" => Some(FirewallChange::Interface(is_added, value::interface(text(value))?.value)),
        "ingress-zone" => Some(FirewallChange::IngressZone(is_added, value.text.clone())),
        "egress-zone" => Some(FirewallChange::EgressZone(is_added, value.text.clone())),
        "icmp-block" => Some(FirewallChange::IcmpBlock(is_added, value.text.clone())),
        "forward-port" => forward_port(value)?.map(|f| FirewallChange::ForwardPort(is_added, f)),
        "rich-rule" => match rich_rule::parse(value)? {
            Outcome::Rule(rule) => Some(FirewallChange::RichRule(is_added, rule)),
            Outcome::Nothing | Outcome::Unmodeled(_) => None,
        },
        _ => None,
    })
}

/// firewalld.policy(5): priorities run from -32768 to 32767, and 0 is reserved.
pub(super) fn priority(value: &Word) -> Result<i32, Refused> {
    let number = any_priority(value)?;
    if number == 0 {
        return Err(bad(
            value.span,
            text!("`0` is reserved", "`0`은 예약되어 있습니다"),
            text!("a number from -32768 to 32767, but not 0", "0을 뺀 -32768부터 32767까지의 수"),
        ));
    }
    Ok(number)
}

pub(super) fn any_priority(value: &Word) -> Result<i32, Refused> {
    let number = value.text.parse().ok().filter(|n: &i32| i16::try_from(*n).is_ok());
    number.ok_or_else(|| {
        bad(
            value.span,
            text!("`{value}` is not a priority", "`{value}`: 우선순위가 아닙니다", value = &value.text),
            text!("from -32768 to 32767", "-32768부터 32767까지"),
        )
    })
}

/// `3000/tcp`.
pub(in crate::frontend::firewalld) fn port(value: &Word) -> Result<Option<(Protocol, PortRange)>, Refused> {
    let Some((ports, protocol)) = value.split_once('/') else {
        return Err(bad(
            text(value).span,
            text!("`{value}` has no protocol", "`{value}`에 프로토콜이 없습니다", value = &value.text),
            text!("like `3000/tcp`", "예: `3000/tcp`"),
        ));
    };
    let ports = value::ports(text(&ports))?;
    Ok(value::transport(text(&protocol))?.map(|protocol| (protocol, ports)))
}

/// `port=80:proto=tcp:toport=8080:toaddr=10.0.0.5`; an IPv6 address holds colons itself.
pub(in crate::frontend::firewalld) fn forward_port(value: &Word) -> Result<Option<ForwardPort>, Refused> {
    const ADDRESS: &str = "toaddr=";
    let address = value.text.find(ADDRESS).map(|at| {
        let start = at + ADDRESS.len();
        let rest = value.text.get(start..).unwrap_or("");
        let end = [":port=", ":proto=", ":toport="].iter().filter_map(|next| rest.find(next)).min();
        value.slice(start..end.map_or(value.text.len(), |end| start + end))
    });
    let parts = value.split(':');
    value::forward_port(text(value).span, |wanted| {
        let name = match wanted {
            ForwardPart::Port => "port",
            ForwardPart::Protocol => "proto",
            ForwardPart::ToPort => "toport",
            ForwardPart::ToAddress => return address.as_ref().map(Word::spanned),
        };
        let part = parts.iter().filter_map(|p| p.split_once('=')).find(|(n, _)| n.text == name);
        part.map(|(_, value)| value.spanned())
    })
}
