//! Conditions of a rule (iptables(8) and iptables-extensions(8), release 1.8.9).

use crate::lab::iptables::{AddressKind, Condition, ConnectionState};
use crate::language::text;
use crate::net::{Family, IpNet, PortRange};

use super::value::{self, Read, Trouble};

/// Extensions whose options are understood; of others only the text is kept.
const MODULES: [&str; 15] = [
    "tcp",
    "udp",
    "sctp",
    "udplite",
    "dccp",
    "icmp",
    "icmp6",
    "icmpv6",
    "ipv6-icmp",
    "multiport",
    "conntrack",
    "state",
    "addrtype",
    "comment",
    "iprange",
];

/// Whether the options of an extension are understood.
pub(super) fn is_modeled(module: &str) -> bool {
    MODULES.contains(&module) || matches!(module, "mark" | "connmark" | "pkttype" | "owner" | "set")
}

/// How many values an option has that belongs to no target; nothing if it is not known.
pub(super) fn arity(module: &str, option: &str) -> Option<usize> {
    Some(match option {
        "syn" => 0,
        "tcp-flags" => 2,
        "dport" | "destination-port" | "sport" | "source-port" | "dports" | "destination-ports" | "sports"
        | "source-ports" | "ports" | "icmp-type" | "icmpv6-type" | "ctstate" | "state" | "ctproto" | "ctorigdst"
        | "ctorigdstport" | "ctstatus" | "src-type" | "dst-type" | "comment" | "src-range" | "dst-range"
        | "pkt-type" | "ctorigsrc" | "ctorigsrcport" | "ctdir" => 1,
        "socket-exists" if module == "owner" => 0,
        "uid-owner" | "gid-owner" if module == "owner" => 1,
        "match-set" if module == "set" => 2,
        "mark" if matches!(module, "mark" | "connmark") => 1,
        _ => return None,
    })
}

/// The condition that an option states; nothing if it always holds.
pub(super) fn read(family: Family, module: &str, option: &str, values: &[&str]) -> Read<Option<Condition>> {
    let value = values.first().copied().unwrap_or("");
    Ok(match option {
        "syn" => tcp_flags("FIN,SYN,RST,ACK", "SYN")?,
        "tcp-flags" => tcp_flags(value, values.get(1).copied().unwrap_or(""))?,
        "dport" | "destination-port" => Some(Condition::DestinationPort(value::ports(value)?)),
        "sport" | "source-port" => Some(Condition::SourcePort(value::ports(value)?)),
        "dports" | "destination-ports" => Some(any(each(value, |v| value::ports(v).map(Condition::DestinationPort))?)),
        "sports" | "source-ports" => Some(any(each(value, |v| value::ports(v).map(Condition::SourcePort))?)),
        "ports" => Some(any(each(value, |v| value::ports(v).map(either_port))?)),
        "icmp-type" | "icmpv6-type" => icmp_type(value, family)?,
        "ctstate" | "state" => Some(Condition::State(each(value, state)?)),
        "ctstatus" => Some(Condition::State(each(value, status)?)),
        "ctproto" => value::protocol(value, family)?,
        "ctorigdst" => Some(Condition::OriginalDestination(value::network(value, family)?)),
        "ctorigdstport" => Some(Condition::OriginalDestinationPort(value::ports(value)?)),
        "ctorigsrc" => Some(Condition::OriginalSource(value::network(value, family)?)),
        "ctorigsrcport" => Some(Condition::OriginalSourcePort(value::ports(value)?)),
        "ctdir" => Some(direction(value)?),
        "src-type" => Some(any(each(value, |v| kind(v).map(Condition::SourceKind))?)),
        "dst-type" => Some(any(each(value, |v| kind(v).map(Condition::DestinationKind))?)),
        "src-range" => Some(any(value::range(value, family)?.into_iter().map(Condition::Source).collect())),
        "dst-range" => Some(any(value::range(value, family)?.into_iter().map(Condition::Destination).collect())),
        "pkt-type" => Some(roughly(Condition::DestinationKind(packet_kind(value)?))),
        "mark" => {
            let (value, mask) = value::mark(value)?;
            Some(match module {
                "connmark" => Condition::ConnectionMark { value, mask },
                _ => Condition::Mark { value, mask },
            })
        }
        "socket-exists" => Some(sent_from_here()),
        "uid-owner" | "gid-owner" => Some(owned(format!("-m owner --{option} {value}"))),
        "match-set" => {
            let sources = each(values.get(1).copied().unwrap_or(""), |side| match side {
                "src" => Ok(true),
                "dst" => Ok(false),
                _ => Err(Trouble::Bad(text!(
                    "`{side}` is neither `src` nor `dst`",
                    "`{side}`: `src`도 `dst`도 아닙니다"
                ))),
            })?;
            Some(Condition::InSet { name: value.to_owned(), sources })
        }
        // `comment`
        _ => None,
    })
}

/// Only packets that a program of the host sends have an owner; who that is, nobody tells.
pub(super) fn owned(text: String) -> Condition {
    Condition::AllOf(vec![sent_from_here(), Condition::Unmodeled(text)])
}

fn sent_from_here() -> Condition {
    Condition::Not(Box::new(Condition::InInterface("*".to_owned())))
}

fn direction(text: &str) -> Read<Condition> {
    match text {
        "REPLY" => Ok(Condition::Reply),
        "ORIGINAL" => Ok(Condition::Not(Box::new(Condition::Reply))),
        _ => Err(Trouble::Bad(text!("`{text}` is not a direction", "`{text}`: 방향이 아닙니다"))),
    }
}

/// What an extension with all its options states, if its options are not read one by one: how much there was before is
/// taken as people who limit it expect, and stated with every verdict that depends on it. Nothing if it always holds.
pub(super) fn of_extension(text: &str) -> Option<Condition> {
    let (module, options) = text.trim_start_matches("-m ").split_once(' ').unwrap_or((text, ""));
    let has = |option: &str| options.split(' ').any(|word| word.strip_prefix("--") == Some(option));
    let is_negated = options.contains("! --");
    let assumed = |holds: bool| Some(Condition::Assumed(text.to_owned(), holds != is_negated));
    match module.trim_start_matches("-m ") {
        "limit" | "quota" | "statistic" | "time" => assumed(true),
        "hashlimit" => assumed(!has("hashlimit-above")),
        "connlimit" => assumed(!has("connlimit-above") && has("connlimit-upto")),
        // It notes the address and always holds.
        "recent" if has("set") && !is_negated => None,
        "recent" => assumed(false),
        "rpfilter" if !has("loose") => {
            let back = Condition::SourceIsRoutedBack;
            Some(if has("invert") { Condition::Not(Box::new(back)) } else { back })
        }
        // What programs send has no routing header, and starts with a hop limit of 64 or 128.
        "rt" if !is_negated => Some(never()),
        "hl" | "ttl" if options == format!("--{module}-eq 255") => Some(never()),
        _ => Some(Condition::Unmodeled(text.to_owned())),
    }
}

/// Addresses of `-s` or `-d`, which may be a list; nothing if every address is meant.
pub(super) fn networks(text: &str, family: Family, of: impl Fn(IpNet) -> Condition) -> Read<Option<Condition>> {
    let networks = each(text, |t| value::network(t, family))?;
    if networks.iter().any(|n| n.prefix_len() == 0) {
        return Ok(None);
    }
    Ok(Some(any(networks.into_iter().map(of).collect())))
}

/// A condition that no packet fulfils.
pub(super) fn never() -> Condition {
    Condition::AnyOf(Vec::new())
}

/// A condition that only ordinary connections fulfil just when they fulfil what is written.
pub(super) fn roughly(condition: Condition) -> Condition {
    Condition::Roughly(Box::new(condition))
}

fn each<T>(text: &str, read: impl Fn(&str) -> Read<T>) -> Read<Vec<T>> {
    text.split(',').map(|part| read(part.trim())).collect()
}

/// Any of several conditions.
pub(super) fn any(mut conditions: Vec<Condition>) -> Condition {
    match (conditions.len(), conditions.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            conditions.extend(last);
            Condition::AnyOf(conditions)
        }
    }
}

fn either_port(ports: PortRange) -> Condition {
    Condition::AnyOf(vec![Condition::SourcePort(ports), Condition::DestinationPort(ports)])
}

fn state(text: &str) -> Read<ConnectionState> {
    Ok(match text {
        "NEW" => ConnectionState::New,
        "ESTABLISHED" => ConnectionState::Established,
        "RELATED" => ConnectionState::Related,
        "INVALID" => ConnectionState::Invalid,
        "UNTRACKED" => ConnectionState::Untracked,
        "SNAT" => ConnectionState::SourceRewritten,
        "DNAT" => ConnectionState::DestinationRewritten,
        _ => {
            return Err(Trouble::Bad(text!(
                "`{text}` is not a state of a connection",
                "`{text}`: 연결 상태가 아닙니다"
            )));
        }
    })
}

fn status(text: &str) -> Read<ConnectionState> {
    match text {
        "SNAT" => Ok(ConnectionState::SourceRewritten),
        "DNAT" => Ok(ConnectionState::DestinationRewritten),
        _ => Err(Trouble::Unknown),
    }
}

fn kind(text: &str) -> Read<AddressKind> {
    match text {
        "LOCAL" => Ok(AddressKind::Local),
        "BROADCAST" => Ok(AddressKind::Broadcast),
        "MULTICAST" => Ok(AddressKind::Multicast),
        "UNICAST" => Ok(AddressKind::Unicast),
        _ => Err(Trouble::Unknown),
    }
}

/// What a frame is sent to follows from what its packet is sent to.
fn packet_kind(text: &str) -> Read<AddressKind> {
    match text {
        "broadcast" => Ok(AddressKind::Broadcast),
        "multicast" => Ok(AddressKind::Multicast),
        _ => Err(Trouble::Unknown),
    }
}

const FLAGS: [(&str, u8); 6] = [("FIN", 1), ("SYN", 2), ("RST", 4), ("PSH", 8), ("ACK", 16), ("URG", 32)];

/// Which of the ordinary segments of a connection have these flags: only the first one opens it, and has SYN alone.
/// What no ordinary segment has never holds: such packets are sent by scanners, not by programs that connect.
pub(super) fn tcp_flags(mask: &str, wanted: &str) -> Read<Option<Condition>> {
    const FIRST: u8 = 2;
    const LATER: [u8; 7] = [16, 18, 24, 17, 25, 4, 20];
    let (mask, wanted) = (flags(mask)?, flags(wanted)?);
    let holds = |segment: u8| segment & mask == wanted;
    let later = LATER.into_iter().filter(|segment| holds(*segment)).count();
    let is_first = || Condition::State(vec![ConnectionState::New]);
    if mask == 0 {
        return Ok(if wanted == 0 { None } else { Some(never()) });
    }
    Ok(Some(roughly(match (holds(FIRST), later) {
        (true, 0) => is_first(),
        (true, n) if n == LATER.len() => Condition::Not(Box::new(never())),
        (false, n) if n == LATER.len() => Condition::Not(Box::new(is_first())),
        (false, 0) => never(),
        _ => return Err(Trouble::Unknown),
    })))
}

fn flags(text: &str) -> Read<u8> {
    let mut bits = 0;
    for name in text.split(',') {
        bits |= match name {
            "ALL" => 63,
            "NONE" => 0,
            _ => {
                let known = FLAGS.iter().find(|(flag, _)| *flag == name);
                known.map(|(_, bit)| *bit).ok_or_else(|| {
                    Trouble::Bad(text!("`{name}` is not a flag of TCP", "`{name}`: TCP 플래그가 아닙니다"))
                })?
            }
        };
    }
    Ok(bits)
}

pub(super) const ICMP_TYPES: [(&str, u8); 17] = [
    ("echo-reply", 0),
    ("pong", 0),
    ("destination-unreachable", 3),
    ("source-quench", 4),
    ("redirect", 5),
    ("echo-request", 8),
    ("ping", 8),
    ("router-advertisement", 9),
    ("router-solicitation", 10),
    ("time-exceeded", 11),
    ("ttl-exceeded", 11),
    ("parameter-problem", 12),
    ("timestamp-request", 13),
    ("timestamp-reply", 14),
    ("address-mask-request", 17),
    ("address-mask-reply", 18),
    ("traceroute", 30),
];

/// A type, in the numbers of ICMP for IPv4. A code counts only where there is but one.
fn icmp_type(text: &str, family: Family) -> Read<Option<Condition>> {
    if matches!(text, "any" | "255") {
        return Ok(None);
    }
    let (name, code) = text.split_once('/').map_or((text, None), |(name, code)| (name, Some(code)));
    let named = ICMP_TYPES.iter().find(|(n, _)| *n == name).map(|(_, number)| *number);
    let number = match family {
        Family::V4 => named.or_else(|| name.parse().ok()).ok_or(Trouble::Unknown)?,
        Family::V6 => icmpv6_type(name)?,
    };
    let is_echo = matches!(number, 0 | 8);
    match code {
        None => Ok(Some(Condition::IcmpType(number))),
        Some("0") if is_echo => Ok(Some(Condition::IcmpType(number))),
        Some(_) if is_echo => Ok(Some(roughly(never()))),
        Some(_) => Err(Trouble::Unknown),
    }
}

pub(super) fn icmpv6_type(name: &str) -> Read<u8> {
    Ok(match name {
        "echo-request" | "ping" | "128" => 8,
        "echo-reply" | "pong" | "129" => 0,
        "destination-unreachable" | "1" => 3,
        "time-exceeded" | "ttl-exceeded" | "3" => 11,
        "parameter-problem" | "4" => 12,
        "packet-too-big" => 2,
        "router-solicitation" => 133,
        "router-advertisement" => 134,
        "neighbour-solicitation" | "neighbor-solicitation" => 135,
        "neighbour-advertisement" | "neighbor-advertisement" => 136,
        "redirect" => 137,
        // Numbers that mean something else in IPv4 must not be taken for that.
        _ => name.parse().ok().filter(|n| *n == 2 || 130 <= *n).ok_or(Trouble::Unknown)?,
    })
}
