//! Values of iptables options.

use std::net::{IpAddr, Ipv4Addr};

use crate::lab::iptables::Condition;
use crate::language::{Text, text};
use crate::net::{Family, IpNet, Ipv4Net, Ipv4Subnets, Ipv6Subnets, PortRange, Protocol};

/// Why a value is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// iptables refuses it.
    Bad(Text),
    /// iptables may understand it, we do not.
    Unknown,
}

pub(super) type Read<T> = Result<T, Trouble>;

/// Ports by name: the lines of /etc/services that people use in rules.
const SERVICES: [(&str, u16); 33] = [
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("http", 80),
    ("www", 80),
    ("pop3", 110),
    ("sunrpc", 111),
    ("auth", 113),
    ("ntp", 123),
    ("netbios-ns", 137),
    ("netbios-dgm", 138),
    ("netbios-ssn", 139),
    ("imap2", 143),
    ("imap", 143),
    ("snmp", 161),
    ("ldap", 389),
    ("https", 443),
    ("microsoft-ds", 445),
    ("syslog", 514),
    ("submission", 587),
    ("ldaps", 636),
    ("imaps", 993),
    ("pop3s", 995),
    ("openvpn", 1194),
    ("mysql", 3306),
    ("postgresql", 5432),
    ("mdns", 5353),
];

/// Protocols of /etc/protocols that are never probed.
const PROTOCOLS: [(&str, u8); 12] = [
    ("igmp", 2),
    ("ipip", 4),
    ("ipv6", 41),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ospf", 89),
    ("pim", 103),
    ("vrrp", 112),
    ("dccp", 33),
    ("udplite", 136),
    ("icmpv6", 58),
];

/// A protocol; nothing stands for all of them.
pub(super) fn protocol(text: &str, family: Family) -> Read<Option<Condition>> {
    let name = text.to_ascii_lowercase();
    if matches!(name.as_str(), "all" | "0") {
        return Ok(None);
    }
    let is_icmpv6 = matches!(name.as_str(), "icmpv6" | "ipv6-icmp" | "58");
    if is_icmpv6 && family == Family::V6 {
        return Ok(Some(Condition::Protocol(Protocol::Icmp)));
    }
    if let Ok(protocol) = name.parse::<Protocol>() {
        let is_foreign = protocol == Protocol::Icmp && family == Family::V6;
        return Ok(Some(if is_foreign { Condition::ProtocolNumber(1) } else { Condition::Protocol(protocol) }));
    }
    let number = PROTOCOLS.iter().find(|(n, _)| *n == name).map(|(_, number)| *number);
    let number = number.or(is_icmpv6.then_some(58)).or_else(|| name.parse().ok());
    number.map(|n| Some(Condition::ProtocolNumber(n))).ok_or(Trouble::Unknown)
}

/// `22`, `ssh`, `1000:2000`, `:1023`, `1024:`
pub(super) fn ports(text: &str) -> Read<PortRange> {
    let Some((first, last)) = text.split_once(':') else { return port(text).map(PortRange::single) };
    let first = if first.is_empty() { 0 } else { port(first)? };
    let last = if last.is_empty() { u16::MAX } else { port(last)? };
    PortRange::new(first, last)
        .ok_or_else(|| Trouble::Bad(text!("`{text}` is not a range of ports", "`{text}`: 포트 범위가 아닙니다")))
}

fn port(text: &str) -> Read<u16> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().map_err(|_| Trouble::Bad(text!("`{text}` is not a port", "`{text}`: 포트가 아닙니다")));
    }
    SERVICES.iter().find(|(name, _)| *name == text).map(|(_, port)| *port).ok_or(Trouble::Unknown)
}

/// `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10.0.0.1`, `0/0`; names of hosts are not looked up.
pub(super) fn network(text: &str, family: Family) -> Read<IpNet> {
    let (address, mask) = text.split_once('/').map_or((text, None), |(a, m)| (a, Some(m)));
    let address: IpAddr = match address {
        "0" if family == Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
        _ => address.parse().map_err(|_| Trouble::Unknown)?,
    };
    if Family::of(address) != family {
        return Err(Trouble::Bad(text!(
            "`{text}` is an address of the other family",
            "`{text}`: 다른 주소 체계의 주소입니다"
        )));
    }
    let length = match mask {
        None => return Ok(IpNet::from(address)),
        Some(mask) => prefix_length(mask)?,
    };
    let net = IpNet::new(address, length)
        .map_err(|_| Trouble::Bad(text!("`{text}` is not a network", "`{text}`: 네트워크가 아닙니다")))?;
    Ok(net.trunc())
}

fn prefix_length(mask: &str) -> Read<u8> {
    if let Ok(length) = mask.parse() {
        return Ok(length);
    }
    let mask: IpAddr =
        mask.parse().map_err(|_| Trouble::Bad(text!("`{mask}` is not a mask", "`{mask}`: 마스크가 아닙니다")))?;
    // A mask with holes has no prefix length.
    ipnet_length(mask).ok_or(Trouble::Unknown)
}

fn ipnet_length(mask: IpAddr) -> Option<u8> {
    match mask {
        IpAddr::V4(mask) => Ipv4Net::with_netmask(Ipv4Addr::UNSPECIFIED, mask).ok().map(|n| n.prefix_len()),
        IpAddr::V6(mask) => {
            let ones = u128::from(mask).leading_ones();
            let is_whole = u128::from(mask).count_ones() == ones;
            is_whole.then(|| u8::try_from(ones).ok()).flatten()
        }
    }
}

/// `10.0.0.1-10.0.0.9` as prefixes.
pub(super) fn range(text: &str, family: Family) -> Read<Vec<IpNet>> {
    let bad = || Trouble::Bad(text!("`{text}` is not a range of addresses", "`{text}`: 주소 범위가 아닙니다"));
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (IpAddr, IpAddr) = (first.parse().map_err(|_| bad())?, last.parse().map_err(|_| bad())?);
    if Family::of(first) != family || Family::of(last) != family || last < first {
        return Err(bad());
    }
    Ok(match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect(),
        (IpAddr::V6(first), IpAddr::V6(last)) => Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect(),
        _ => return Err(bad()),
    })
}

/// iptables writes "any ending" as a plus sign; nothing stands for every interface.
pub(super) fn interface(text: &str) -> Option<String> {
    match text.strip_suffix('+') {
        Some("") => None,
        Some(start) => Some(format!("{start}*")),
        None => Some(text.to_owned()),
    }
}

/// `0x1/0xff`, `1`
pub(super) fn mark(text: &str) -> Read<(u32, u32)> {
    let (value, mask) = text.split_once('/').unwrap_or((text, "0xffffffff"));
    Ok((number(value)?, number(mask)?))
}

/// Decimal or hexadecimal.
pub(super) fn number(text: &str) -> Read<u32> {
    let bad = |_| Trouble::Bad(text!("`{text}` is not a number", "`{text}`: 수가 아닙니다"));
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).map_err(bad),
        None => text.parse().map_err(bad),
    }
}
