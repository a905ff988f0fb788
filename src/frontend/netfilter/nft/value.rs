//! Values of nft (nft(8), release 1.1, "Data types").

use std::net::IpAddr;

use crate::frontend::netfilter::value::{self, Read, Trouble};
use crate::net::{Family, IpNet, PortRange};

use super::syntax::Value;

/// Decimal or hexadecimal.
pub(super) fn number(text: &str) -> Read<u32> {
    value::number(text)
}

/// A word that stands alone.
pub(super) fn word(value: &Value) -> Read<&str> {
    match value {
        Value::Word(word) => Ok(word),
        _ => Err(Trouble::Unknown),
    }
}

/// `22`, `ssh`, `1024-65535`
pub(super) fn ports(value: &Value) -> Read<PortRange> {
    if let Value::Range(first, last) = value {
        let (first, last) = (ports(first)?, ports(last)?);
        return PortRange::new(first.first, last.last).ok_or(Trouble::Unknown);
    }
    let word = word(value)?;
    match value::ports(word) {
        Ok(ports) => Ok(ports),
        // Names of services have dashes, too.
        Err(_) => value::ports(&word.replacen('-', ":", 1)),
    }
}

/// `10.0.0.1`, `10.0.0.0/8`, `10.0.0.1-10.0.0.9`
pub(super) fn networks(value: &Value, family: Family) -> Read<Vec<IpNet>> {
    if let Value::Range(first, last) = value {
        return value::range(&format!("{}-{}", word(first)?, word(last)?), family);
    }
    let word = word(value)?;
    if word.contains('-') {
        return value::range(word, family);
    }
    let net =
        word.parse::<IpNet>().or_else(|_| word.parse::<IpAddr>().map(IpNet::from)).map_err(|_| Trouble::Unknown)?;
    if Family::of(net.addr()) == family { Ok(vec![net.trunc()]) } else { Err(Trouble::Unknown) }
}

/// An address without prefix.
pub(super) fn address(text: &str) -> Read<IpAddr> {
    text.parse().map_err(|_| Trouble::Unknown)
}

/// `0x1`, and `1-5` is none.
pub(super) fn mark(value: &Value) -> Read<u32> {
    number(word(value)?).map_err(|_| Trouble::Unknown)
}
