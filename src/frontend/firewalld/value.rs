//! Values as firewalld reads them: ports, protocols, addresses, targets. All of them with the place for messages.

use std::net::{IpAddr, Ipv4Addr};

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::{ForwardPort, Peers, Target};
use crate::language::{Text, text};
use crate::net::{IpNet, Ipv4Subnets, PortRange, Protocol};
use crate::source::{Span, Spanned};

/// What is said about a value that firewalld refuses.
pub(super) type Refused = Box<Diagnostic>;

/// Names of /etc/services that stand in firewalld configurations, with their port; firewalld looks them up there
/// (`getPortID` in firewall/functions.py).
const NAMED_PORTS: [(&str, u16); 16] = [
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("http", 80),
    ("pop3", 110),
    ("ntp", 123),
    ("imap2", 143),
    ("snmp", 161),
    ("ldap", 389),
    ("https", 443),
    ("submission", 587),
    ("ldaps", 636),
    ("mysql", 3306),
    ("postgresql", 5432),
];

/// A port or a range (`getPortRange` in firewall/functions.py: ends the wrong way round are exchanged).
pub(super) fn ports(text: Spanned<&str>) -> Result<PortRange, Refused> {
    let port = |text: &str| {
        let named = || NAMED_PORTS.iter().find(|(name, _)| *name == text).map(|(_, port)| *port);
        if text.bytes().all(|b| b.is_ascii_digit()) { text.parse::<u16>().ok() } else { named() }
    };
    let range = match text.value.split_once('-') {
        Some((a, b)) => port(a).zip(port(b)).and_then(|(a, b)| PortRange::new(a.min(b), a.max(b))),
        None => port(text.value).map(PortRange::single),
    };
    range.ok_or_else(|| {
        Box::new(
            Diagnostic::new(
                Code::BadPort,
                text!(
                    "`{value}` is not a port or a range of ports",
                    "`{value}`: 포트나 포트 범위가 아닙니다",
                    value = &text.value
                ),
            )
            .label(text.span, text!("like `3000` or `3000-3010`", "예: `3000`, `3000-3010`")),
        )
    })
}

/// A protocol with ports. DCCP is one for firewalld; none of our packets is, so it gives nothing.
pub(super) fn transport(text: Spanned<&str>) -> Result<Option<Protocol>, Refused> {
    match text.value {
        "tcp" => Ok(Some(Protocol::Tcp)),
        "udp" => Ok(Some(Protocol::Udp)),
        "sctp" => Ok(Some(Protocol::Sctp)),
        "dccp" => Ok(None),
        other => Err(bad(
            text.span,
            text!("`{other}` is not a protocol with ports", "`{other}`: 포트가 있는 프로토콜이 아닙니다"),
            text!("tcp, udp, sctp or dccp", "tcp, udp, sctp, dccp 가운데 하나"),
        )),
    }
}

/// A protocol by number or by its name in /etc/protocols.
pub(super) fn protocol(text: Spanned<&str>) -> Result<u8, Refused> {
    let number = match text.value {
        "icmp" => Some(1),
        "igmp" => Some(2),
        "ipip" | "ipencap" => Some(4),
        "tcp" => Some(6),
        "udp" => Some(17),
        "dccp" => Some(33),
        "ipv6" => Some(41),
        "gre" => Some(47),
        "esp" => Some(50),
        "ah" => Some(51),
        "ipv6-icmp" | "icmpv6" => Some(58),
        "ospf" => Some(89),
        "pim" => Some(103),
        "vrrp" => Some(112),
        "sctp" => Some(132),
        "udplite" => Some(136),
        other => other.parse().ok(),
    };
    number.ok_or_else(|| {
        bad(
            text.span,
            text!("`{value}` is not a protocol", "`{value}`: 프로토콜이 아닙니다", value = &text.value),
            text!("a name or a number up to 255", "이름이나 255까지의 번호"),
        )
    })
}

/// An address, with a prefix length or a netmask if it is a network.
pub(super) fn network(text: Spanned<&str>) -> Result<IpNet, Refused> {
    parse_network(text.value).ok_or_else(|| {
        Box::new(
            Diagnostic::new(
                Code::BadAddress,
                text!(
                    "`{value}` is not an address or a network",
                    "`{value}`: 주소나 네트워크가 아닙니다",
                    value = &text.value
                ),
            )
            .label(text.span, text!("like `192.168.1.0/24`", "예: `192.168.1.0/24`")),
        )
    })
}

pub(super) fn parse_network(text: &str) -> Option<IpNet> {
    if let Ok(net) = text.parse() {
        return Some(net);
    }
    let Some((address, mask)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    };
    let (address, mask) = (address.parse::<Ipv4Addr>().ok()?, mask.parse::<Ipv4Addr>().ok()?);
    IpNet::with_netmask(address.into(), mask.into()).ok()
}

/// A literal address.
pub(super) fn address(text: Spanned<&str>) -> Result<IpAddr, Refused> {
    text.value.parse().map_err(|_| {
        Box::new(
            Diagnostic::new(
                Code::BadAddress,
                text!("`{value}` is not an address", "`{value}`: 주소가 아닙니다", value = &text.value),
            )
            .label(
                text.span,
                text!("firewalld wants a literal IP address here", "firewalld에는 여기에 IP 주소가 그대로 필요함"),
            ),
        )
    })
}

/// `192.168.1.10-192.168.1.20` as the networks that make it up.
pub(super) fn range(text: &str) -> Option<Vec<IpNet>> {
    let (first, last) = text.split_once('-')?;
    let (first, last) = (first.trim().parse::<Ipv4Addr>().ok()?, last.trim().parse::<Ipv4Addr>().ok()?);
    (first <= last).then(|| Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect())
}

/// Whom a source of a zone means: an address, a network, a hardware address, or an ipset as `ipset:NAME`.
pub(super) fn peers(text: Spanned<&str>) -> Result<Peers, Refused> {
    if let Some(name) = text.value.strip_prefix("ipset:") {
        return Ok(Peers::Set(name.to_owned(), None));
    }
    if is_hardware_address(text.value) { hardware_address(text) } else { network(text).map(Peers::Net) }
}

fn is_hardware_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() == 6 && parts.iter().all(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A hardware address.
pub(super) fn hardware_address(text: Spanned<&str>) -> Result<Peers, Refused> {
    if is_hardware_address(text.value) {
        return Ok(Peers::Mac(text.value.to_owned()));
    }
    Err(bad(
        text.span,
        text!("`{value}` is not a hardware address", "`{value}`: 하드웨어 주소가 아닙니다", value = &text.value),
        text!("like `52:54:00:12:34:56`", "예: `52:54:00:12:34:56`"),
    ))
}

/// The name of an interface (`checkInterface` in firewall/functions.py).
pub(super) fn interface(text: Spanned<&str>) -> Result<Spanned<String>, Refused> {
    if text.value.is_empty() || 16 < text.value.len() || text.value.contains([' ', '/', '!', '*']) {
        return Err(bad(
            text.span,
            text!(
                "`{value}` is not a name of an interface",
                "`{value}`: 인터페이스 이름이 아닙니다",
                value = &text.value
            ),
            text!("16 characters at most", "최대 16자"),
        ));
    }
    Ok(text.map(str::to_owned))
}

/// Whether an attribute says yes.
pub(super) fn is_yes(text: &str) -> bool {
    matches!(text.to_lowercase().as_str(), "yes" | "true")
}

/// `0x10` or `0x10/0xff`: the bits of a mark and its mask.
pub(super) fn mark(text: Spanned<&str>) -> Result<(u32, Option<u32>), Refused> {
    let number = |text: &str| match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    let (value, mask) = text.value.split_once('/').map_or((text.value, None), |(value, mask)| (value, Some(mask)));
    let parsed = match (number(value), mask.map(number)) {
        (Some(value), None) => Some((value, None)),
        (Some(value), Some(Some(mask))) => Some((value, Some(mask))),
        _ => None,
    };
    parsed.ok_or_else(|| {
        bad(
            text.span,
            text!("`{value}` is not a mark", "`{value}`: 마크가 아닙니다", value = &text.value),
            text!("like `0x10` or `0x10/0xff`", "예: `0x10`, `0x10/0xff`"),
        )
    })
}

/// The target of a zone (`ZONE_TARGETS` in firewall/core/base.py, and what `--set-target` takes).
pub(super) fn zone_target(text: Spanned<&str>) -> Result<Target, Refused> {
    match text.value {
        "default" | "{chain}_{zone}" | "" => Ok(Target::Default),
        "ACCEPT" => Ok(Target::Accept),
        "%%REJECT%%" | "REJECT" => Ok(Target::Reject),
        "DROP" => Ok(Target::Drop),
        other => Err(bad(
            text.span,
            text!("`{other}` is not a target of a zone", "`{other}`: 존의 타깃이 아닙니다"),
            text!("default, ACCEPT, DROP or %%REJECT%%", "default, ACCEPT, DROP, %%REJECT%% 가운데 하나"),
        )),
    }
}

/// The target of a policy.
pub(super) fn policy_target(text: Spanned<&str>) -> Result<Target, Refused> {
    match text.value {
        "CONTINUE" => Ok(Target::Continue),
        "ACCEPT" => Ok(Target::Accept),
        "REJECT" | "%%REJECT%%" => Ok(Target::Reject),
        "DROP" => Ok(Target::Drop),
        other => Err(bad(
            text.span,
            text!("`{other}` is not a target of a policy", "`{other}`: 정책의 타깃이 아닙니다"),
            text!("CONTINUE, ACCEPT, DROP or REJECT", "CONTINUE, ACCEPT, DROP, REJECT 가운데 하나"),
        )),
    }
}

/// A port forward from its parts; nothing when it is about a protocol that no packet of ours has.
pub(super) fn forward_port(
    whole: Span,
    part: impl Fn(ForwardPart) -> Option<Spanned<String>>,
) -> Result<Option<ForwardPort>, Refused> {
    let get = |wanted| part(wanted).filter(|p| !p.value.is_empty());
    let (Some(port), Some(protocol)) = (get(ForwardPart::Port), get(ForwardPart::Protocol)) else {
        return Err(bad(
            whole,
            text!("a port forward without port or protocol", "포트나 프로토콜이 없는 포트 포워딩입니다"),
            text!("both are needed", "둘 다 필요함"),
        ));
    };
    let to_port = get(ForwardPart::ToPort);
    let to_address = get(ForwardPart::ToAddress);
    if to_port.is_none() && to_address.is_none() {
        return Err(bad(
            whole,
            text!("a port forward without destination", "목적지가 없는 포트 포워딩입니다"),
            text!("a new port or a new address is needed", "새 포트나 새 주소가 필요함"),
        ));
    }
    let ports = ports(port.as_ref().map(String::as_str))?;
    let to_port = to_port.map(|p| self::ports(p.as_ref().map(String::as_str))).transpose()?;
    let to_address = to_address.map(|a| address(a.as_ref().map(String::as_str))).transpose()?;
    let protocol = transport(protocol.as_ref().map(String::as_str))?;
    Ok(protocol.map(|protocol| ForwardPort { protocol, ports, to_port, to_address }))
}

/// The parts of a port forward, which are spelt differently on the command line and in XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ForwardPart {
    Port,
    Protocol,
    ToPort,
    ToAddress,
}

/// A value that firewalld refuses.
pub(super) fn bad(span: Span, message: impl Into<Text>, label: impl Into<Text>) -> Refused {
    Box::new(Diagnostic::new(Code::FirewalldBadRule, message).label(span, label))
}

/// `pmtu`, or a number that firewalld takes (firewall/functions.py, `checkTcpMssClamp`).
pub(super) fn segment_size(text: Spanned<&str>) -> Result<(), Refused> {
    let is_size = |value: &str| value.parse().is_ok_and(|size: u32| (536..=65535).contains(&size));
    if text.value == "pmtu" || is_size(text.value) {
        return Ok(());
    }
    Err(bad(
        text.span,
        text!("`{value}` is not a segment size", "`{value}`: 세그먼트 크기가 아닙니다", value = &text.value),
        text!("`pmtu`, or a number from 536 to 65535", "`pmtu`나 536부터 65535까지의 수"),
    ))
}
