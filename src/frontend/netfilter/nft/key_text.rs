//! What rules look at, as text: `iifname`, `ip saddr`, `ct original proto-dst`, `fib daddr type`.

use super::cursor::Cursor;
use super::lexer::Kind;
use super::rule_text;
use super::syntax::{Assigned, Key, Value};
use super::value;

/// Keys of `meta` that may stand without it.
const SHORT: [&str; 18] = [
    "mark",
    "iif",
    "iifname",
    "iiftype",
    "iifgroup",
    "oif",
    "oifname",
    "oiftype",
    "oifgroup",
    "skuid",
    "skgid",
    "nftrace",
    "rtclassid",
    "ibrname",
    "obrname",
    "pkttype",
    "cpu",
    "cgroup",
];

/// Headers whose fields have one word.
const HEADERS: [&str; 25] = [
    "ip", "ip6", "tcp", "udp", "udplite", "sctp", "dccp", "th", "icmp", "icmpv6", "igmp", "ether", "vlan", "esp", "ah",
    "comp", "dst", "rt", "frag", "hbh", "mh", "gre", "socket", "ipsec", "osf",
];

/// Reads a key; nothing if there is none.
pub(super) fn key(cursor: &mut Cursor<'_>) -> Option<Key> {
    let start = cursor.position();
    let key = read(cursor);
    if key.is_none() {
        cursor.back_to(start);
    }
    key
}

fn read(cursor: &mut Cursor<'_>) -> Option<Key> {
    let first = cursor.word().filter(|t| t.kind == Kind::Word)?.text.as_str();
    match first {
        "meta" => Some(format!("meta {}", bare(cursor)?)),
        "ct" => connection(cursor),
        "fib" => fib(cursor),
        "numgen" | "jhash" | "symhash" => {
            while !cursor.is_at("map") && !cursor.is_at_end() {
                cursor.next();
            }
            Some(first.to_owned())
        }
        _ if SHORT.contains(&first) => Some(format!("meta {first}")),
        _ if HEADERS.contains(&first) => Some(format!("{first} {}", field(cursor, first)?)),
        "arp" => {
            let field = bare(cursor)?;
            let address = if matches!(field, "saddr" | "daddr") { bare(cursor)? } else { "" };
            Some(format!("arp {field} {address}"))
        }
        _ => None,
    }
}

fn bare<'t>(cursor: &mut Cursor<'t>) -> Option<&'t str> {
    cursor.word().filter(|t| t.kind == Kind::Word).map(|t| t.text.as_str())
}

fn field(cursor: &mut Cursor<'_>, header: &str) -> Option<String> {
    let word = bare(cursor)?;
    // `tcp option maxseg size` and the like
    if matches!((header, word), ("tcp" | "ip", "option")) {
        let name = bare(cursor)?;
        let part = cursor.peek().filter(|t| t.kind == Kind::Word && t.text != "exists" && t.text != "missing");
        let part = part.map_or("", |t| t.text.as_str());
        if !part.is_empty() {
            cursor.next();
        }
        return Some(format!("option {name} {part}"));
    }
    (word.starts_with(|c: char| c.is_ascii_lowercase())).then(|| word.to_owned())
}

/// `ct state`, `ct original ip daddr`: families are left out, addresses have one.
fn connection(cursor: &mut Cursor<'_>) -> Option<Key> {
    let mut words = vec!["ct"];
    loop {
        match bare(cursor)? {
            direction @ ("original" | "reply") => words.push(direction),
            "ip" | "ip6" => {}
            last => {
                words.push(last);
                return Some(words.join(" "));
            }
        }
    }
}

/// `fib saddr . iif oif`; `. mark` only chooses among tables of routes, of which there is one.
fn fib(cursor: &mut Cursor<'_>) -> Option<Key> {
    let mut words = vec![bare(cursor)?];
    while cursor.skip(".") {
        let part = bare(cursor)?;
        if part != "mark" {
            words.push(part);
        }
    }
    let result = bare(cursor)?;
    // nft 1.1 prints `check` where before it printed `oif`.
    let result = if result == "check" { "oif" } else { result };
    Some(format!("fib {} {result}", words.join(" . ")))
}

/// What a mark is set to: `0x1`, `meta mark | 0x1`, `ct mark and 0xff or 0x1`, `ct mark`.
pub(super) fn assigned(cursor: &mut Cursor<'_>, key: &str) -> Option<Assigned> {
    let start = cursor.position();
    let Some(from) = self::key(cursor) else {
        cursor.back_to(start);
        let value = rule_text::value(cursor)?;
        return Some(Assigned::Bits { value, mask: u32::MAX });
    };
    if cursor.skip("map") {
        rule_text::value(cursor)?;
        return Some(Assigned::Other);
    }
    let (mut kept, mut set, mut is_plain) = (u32::MAX, 0, true);
    loop {
        let is_and = cursor.skip("&") || cursor.skip("and");
        let is_or = !is_and && (cursor.skip("|") || cursor.skip("or"));
        if !is_and && !is_or {
            break;
        }
        let Value::Word(word) = rule_text::primary(cursor)? else { return Some(Assigned::Other) };
        let Ok(number) = value::number(&word) else { return Some(Assigned::Other) };
        if is_and {
            kept &= number;
            set &= number;
        } else {
            set |= number;
            is_plain = false;
        }
    }
    if from == key {
        // Bits that are set, and bits that are cleared, change; the others stay.
        let bits = Value::Word(set.to_string());
        return Some(Assigned::Bits { value: bits, mask: !kept | set });
    }
    // Bits outside the mask become 0, which is what copying a masked value to a mark of 0 does, too.
    Some(if is_plain && kept == u32::MAX { Assigned::Key { key: from, mask: u32::MAX } } else { Assigned::Other })
}
