//! The addresses that a dialler may have, where a node stands for many machines.

use std::net::IpAddr;

use crate::net::{Family, IpNet, address_from_bits};

use super::ranges::Ranges;

/// The addresses that a dialler may have.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Inside these.
    pub within: Vec<IpNet>,
    /// But none of these.
    pub except: Vec<IpNet>,
    /// One of them that people would not find odd: taken for examples when it serves.
    pub natural: Option<IpAddr>,
}

impl Sources {
    /// All of them.
    pub fn all(&self, family: Family) -> AddressSet {
        AddressSet { family, ranges: self.ranges(family) }
    }

    pub(super) fn ranges(&self, family: Family) -> Ranges {
        nets(&self.within, family).minus(&nets(&self.except, family))
    }
}

fn nets(all: &[IpNet], family: Family) -> Ranges {
    let of_family = all.iter().filter(|net| Family::of(net.addr()) == family);
    of_family.fold(Ranges::empty(), |set, net| set.union(&Ranges::of_net(net)))
}

/// A set of addresses of one family.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressSet {
    family: Family,
    ranges: Ranges,
}

impl AddressSet {
    pub(super) fn new(family: Family, ranges: Ranges) -> Self {
        Self { family, ranges }
    }

    /// The addresses in one of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self { family: self.family, ranges: self.ranges.union(&other.ranges) }
    }

    /// The addresses that are not in the other.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self { family: self.family, ranges: self.ranges.minus(&other.ranges) }
    }

    /// First and last address of each stretch.
    pub fn stretches(&self) -> impl Iterator<Item = (IpAddr, IpAddr)> {
        let address = |bits| address_from_bits(self.family, bits);
        self.ranges.parts().iter().map(move |(first, last)| (address(*first), address(*last)))
    }
}
