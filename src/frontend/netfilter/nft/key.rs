//! What a comparison means: the conditions on a packet that a key and a value make.

use crate::frontend::netfilter::condition::{self, ICMP_TYPES};
use crate::frontend::netfilter::value::{self as words, Read, Trouble};
use crate::lab::iptables::{AddressKind, Condition, ConnectionState};
use crate::net::{Family, IpNet, PortRange, Protocol};

use super::syntax::{Relation, Value};
use super::value;

/// What a key implies before its value is looked at: `tcp dport` sees TCP only, `ip saddr` IPv4 only.
pub(super) fn implied(key: &str) -> Vec<Condition> {
    let (header, field) = key.split_once(' ').unwrap_or((key, ""));
    let protocol = |protocol| vec![Condition::Protocol(protocol)];
    match header {
        "ip" => vec![Condition::Family(Family::V4)],
        "ip6" => vec![Condition::Family(Family::V6)],
        "tcp" => protocol(Protocol::Tcp),
        "udp" => protocol(Protocol::Udp),
        "icmp" => vec![Condition::Family(Family::V4), Condition::Protocol(Protocol::Icmp)],
        "icmpv6" => vec![Condition::Family(Family::V6), Condition::Protocol(Protocol::Icmp)],
        "sctp" => vec![Condition::ProtocolNumber(132)],
        "dccp" => vec![Condition::ProtocolNumber(33)],
        "udplite" => vec![Condition::ProtocolNumber(136)],
        // A port is read where there is none in a ping.
        "th" if matches!(field, "dport" | "sport") => {
            vec![Condition::AnyOf(vec![Condition::Protocol(Protocol::Tcp), Condition::Protocol(Protocol::Udp)])]
        }
        _ => Vec::new(),
    }
}

/// Under what condition a key has a value; nothing if it always has.
pub(super) fn is(key: &str, value: &Value) -> Read<Option<Condition>> {
    if let Value::Word(word) = value
        && word == "*"
    {
        return Ok(None);
    }
    Ok(Some(match key {
        "ip saddr" => nets(value, Family::V4, Condition::Source)?,
        "ip daddr" => nets(value, Family::V4, Condition::Destination)?,
        "ip6 saddr" => nets(value, Family::V6, Condition::Source)?,
        "ip6 daddr" => nets(value, Family::V6, Condition::Destination)?,
        "ct original saddr" => nets_of_either(value, Condition::OriginalSource)?,
        "ct original daddr" => nets_of_either(value, Condition::OriginalDestination)?,
        "ct original proto-src" => Condition::OriginalSourcePort(value::ports(value)?),
        "ct original proto-dst" => Condition::OriginalDestinationPort(value::ports(value)?),
        "meta iifname" | "meta iif" => Condition::InInterface(interface(key, value)?),
        "meta oifname" | "meta oif" => Condition::OutInterface(interface(key, value)?),
        "meta l4proto" | "ip protocol" | "ip6 nexthdr" | "ct protocol" => protocol(value::word(value)?)?,
        "meta nfproto" | "meta protocol" | "ether type" | "ct l3proto" => match value::word(value)? {
            "ipv4" | "ip" | "2" => Condition::Family(Family::V4),
            "ipv6" | "ip6" | "10" => Condition::Family(Family::V6),
            _ => condition::never(),
        },
        "ct state" => state(value)?,
        "ct status" => status(value)?,
        "ct direction" => match value::word(value)? {
            "reply" | "1" => Condition::Reply,
            "original" | "0" => Condition::Not(Box::new(Condition::Reply)),
            _ => return Err(Trouble::Unknown),
        },
        "meta mark" => Condition::Mark { value: value::mark(value)?, mask: u32::MAX },
        "ct mark" => Condition::ConnectionMark { value: value::mark(value)?, mask: u32::MAX },
        "fib daddr type" => Condition::DestinationKind(kind(value::word(value)?)?),
        "fib saddr type" => Condition::SourceKind(kind(value::word(value)?)?),
        "fib saddr . iif oif" => match value::word(value)? {
            "missing" | "0" => Condition::Not(Box::new(Condition::SourceIsRoutedBack)),
            "exists" => Condition::SourceIsRoutedBack,
            _ => return Err(Trouble::Unknown),
        },
        "meta pkttype" => packet_kind(value::word(value)?)?,
        "icmp type" => Condition::IcmpType(icmp_type(value::word(value)?)?),
        "icmpv6 type" => Condition::IcmpType(condition::icmpv6_type(icmpv6_name(value::word(value)?))?),
        "icmp code" | "icmpv6 code" => return code(value::word(value)?),
        "tcp flags" => return flags(value),
        "meta skuid" | "meta skgid" => condition::owned(format!("{key} {}", value::word(value)?)),
        _ if key.ends_with(" dport") => Condition::DestinationPort(value::ports(value)?),
        _ if key.ends_with(" sport") => Condition::SourcePort(value::ports(value)?),
        _ => return Err(Trouble::Unknown),
    }))
}

/// Under what condition the bits of a key that a mask selects have a value.
pub(super) fn is_under(key: &str, mask: &Value, value: &Value) -> Read<Option<Condition>> {
    match key {
        "tcp flags" => condition::tcp_flags(&flag_names(mask)?, &flag_names(value)?),
        "meta mark" => Ok(Some(Condition::Mark { value: value::mark(value)?, mask: value::mark(mask)? })),
        "ct mark" => Ok(Some(Condition::ConnectionMark { value: value::mark(value)?, mask: value::mark(mask)? })),
        // Fragments are put together before any rule sees them.
        "ip frag-off" if matches!(value::mark(mask), Ok(0x1fff)) && matches!(value::mark(value), Ok(0)) => Ok(None),
        _ => Err(Trouble::Unknown),
    }
}

/// A port or mark that is compared by size.
pub(super) fn by_size(key: &str, relation: Relation, value: &Value) -> Read<Condition> {
    let bound = value::ports(value)?;
    let range = match relation {
        Relation::Less => bound.first.checked_sub(1).and_then(|last| PortRange::new(0, last)),
        Relation::AtMost => PortRange::new(0, bound.last),
        Relation::More => bound.last.checked_add(1).and_then(|first| PortRange::new(first, u16::MAX)),
        Relation::AtLeast => PortRange::new(bound.first, u16::MAX),
        Relation::Is | Relation::IsNot => return Err(Trouble::Unknown),
    };
    let Some(range) = range else { return Ok(condition::never()) };
    match key {
        "ct original proto-dst" => Ok(Condition::OriginalDestinationPort(range)),
        "ct original proto-src" => Ok(Condition::OriginalSourcePort(range)),
        _ if key.ends_with(" dport") => Ok(Condition::DestinationPort(range)),
        _ if key.ends_with(" sport") => Ok(Condition::SourcePort(range)),
        _ => Err(Trouble::Unknown),
    }
}

fn nets(value: &Value, family: Family, of: fn(IpNet) -> Condition) -> Read<Condition> {
    Ok(condition::any(value::networks(value, family)?.into_iter().map(of).collect()))
}

fn nets_of_either(value: &Value, of: fn(IpNet) -> Condition) -> Read<Condition> {
    nets(value, Family::V4, of).or_else(|_| nets(value, Family::V6, of))
}

/// A number is the index of an interface that nft could not name.
fn interface(key: &str, value: &Value) -> Read<String> {
    let name = value::word(value)?;
    let is_index = key.ends_with("if") && name.bytes().all(|b| b.is_ascii_digit());
    if is_index { Err(Trouble::Unknown) } else { Ok(name.to_owned()) }
}

fn protocol(name: &str) -> Read<Condition> {
    let both = |family, protocol| Condition::AllOf(vec![Condition::Family(family), Condition::Protocol(protocol)]);
    Ok(match name {
        "icmp" | "1" => both(Family::V4, Protocol::Icmp),
        "ipv6-icmp" | "icmpv6" | "58" => both(Family::V6, Protocol::Icmp),
        _ => words::protocol(name, Family::V4)?.ok_or(Trouble::Unknown)?,
    })
}

/// One state, or several joined by commas or `|`.
fn state(value: &Value) -> Read<Condition> {
    let one = |value: &Value| {
        Ok(match value::word(value)? {
            "new" => ConnectionState::New,
            "established" => ConnectionState::Established,
            "related" => ConnectionState::Related,
            "invalid" => ConnectionState::Invalid,
            "untracked" => ConnectionState::Untracked,
            _ => return Err(Trouble::Unknown),
        })
    };
    match value {
        Value::List(all) => Ok(Condition::State(all.iter().map(one).collect::<Read<_>>()?)),
        other => Ok(Condition::State(vec![one(other)?])),
    }
}

fn status(value: &Value) -> Read<Condition> {
    let one = |value: &Value| {
        Ok(match value::word(value)? {
            "dnat" => ConnectionState::DestinationRewritten,
            "snat" => ConnectionState::SourceRewritten,
            _ => return Err(Trouble::Unknown),
        })
    };
    match value {
        Value::List(all) => Ok(Condition::State(all.iter().map(one).collect::<Read<_>>()?)),
        other => Ok(Condition::State(vec![one(other)?])),
    }
}

fn kind(word: &str) -> Read<AddressKind> {
    Ok(match word {
        "local" => AddressKind::Local,
        "broadcast" => AddressKind::Broadcast,
        "multicast" => AddressKind::Multicast,
        "unicast" => AddressKind::Unicast,
        _ => return Err(Trouble::Unknown),
    })
}

/// What a frame is sent to follows from what its packet is sent to.
fn packet_kind(word: &str) -> Read<Condition> {
    let to = Condition::DestinationKind;
    Ok(match word {
        "broadcast" => to(AddressKind::Broadcast),
        "multicast" => to(AddressKind::Multicast),
        "host" | "unicast" => {
            let others = vec![to(AddressKind::Broadcast), to(AddressKind::Multicast)];
            Condition::Not(Box::new(Condition::AnyOf(others)))
        }
        _ => return Err(Trouble::Unknown),
    })
}

fn icmp_type(word: &str) -> Read<u8> {
    let named = ICMP_TYPES.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
    named.or_else(|| word.parse().ok()).ok_or(Trouble::Unknown)
}

/// nft's names where they differ from those of ip6tables.
fn icmpv6_name(word: &str) -> &str {
    match word {
        "nd-router-solicit" => "133",
        "nd-router-advert" => "134",
        "nd-neighbor-solicit" => "135",
        "nd-neighbor-advert" => "136",
        "nd-redirect" => "137",
        "mld-listener-query" => "130",
        "mld-listener-report" => "131",
        "mld-listener-done" | "mld-listener-reduction" => "132",
        "mld2-listener-report" => "143",
        "router-renumbering" => "138",
        other => other,
    }
}

/// Codes tell errors apart, of which only the type is followed; a ping has code 0.
fn code(word: &str) -> Read<Option<Condition>> {
    match word {
        "0" | "no-route" | "net-unreachable" => Ok(None),
        _ => Err(Trouble::Unknown),
    }
}

/// `tcp flags syn` holds if any of the flags is set, `tcp flags syn / fin,syn` if exactly these are of those.
fn flags(value: &Value) -> Read<Option<Condition>> {
    match value {
        Value::Masked(wanted, mask) => condition::tcp_flags(&flag_names(mask)?, &flag_names(wanted)?),
        other => {
            let none = condition::tcp_flags(&flag_names(other)?, "NONE")?;
            Ok(Some(none.map_or_else(condition::never, |none| Condition::Not(Box::new(none)))))
        }
    }
}

fn flag_names(value: &Value) -> Read<String> {
    let one = |value: &Value| match value::word(value)? {
        "0x0" | "0" => Ok("NONE".to_owned()),
        word => Ok(word.to_ascii_uppercase()),
    };
    match value {
        Value::List(all) => Ok(all.iter().map(one).collect::<Read<Vec<_>>>()?.join(",")),
        other => one(other),
    }
}
