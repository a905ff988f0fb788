//! Which members of a crowd something is said of: "any other host on lan, but not 192.168.1.50".

use std::net::IpAddr;

use crate::smt::AddressSet;

/// More stretches of addresses than this are not listed.
const MOST_STRETCHES: usize = 4;

/// A part of a crowd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Only those with these addresses.
    Only,
    /// All but those with these addresses.
    AllBut,
    /// Some of them, nobody knows which.
    Some,
}

/// Not everybody in a crowd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How the addresses are meant.
    pub extent: Extent,
    /// Addresses and stretches: `192.168.1.50`, `192.168.1.64-192.168.1.127`.
    pub addresses: Vec<String>,
}

impl Part {
    /// The part that `reached` is of `all`; nothing if it is everybody.
    pub(super) fn of(all: &AddressSet, reached: Option<&AddressSet>) -> Option<Self> {
        let Some(reached) = reached else { return Some(Self { extent: Extent::Some, addresses: Vec::new() }) };
        let missing = listed(&all.minus(reached));
        if missing.is_empty() {
            return None;
        }
        let reached = listed(reached);
        Some(match reached.len() < missing.len() {
            true => Self { extent: Extent::Only, addresses: reached },
            false => Self { extent: Extent::AllBut, addresses: missing },
        })
    }

    /// The addresses, not too many of them.
    pub fn listed(&self) -> String {
        let shown = self.addresses.get(..MOST_STRETCHES.min(self.addresses.len())).unwrap_or_default().join(", ");
        match self.addresses.len().saturating_sub(MOST_STRETCHES) {
            0 => shown,
            more => format!("{shown}, +{more}"),
        }
    }
}

fn listed(set: &AddressSet) -> Vec<String> {
    let text = |(first, last): (IpAddr, IpAddr)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    set.stretches().map(text).collect()
}
