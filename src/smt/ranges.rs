//! Sets of numbers as sorted, disjoint, inclusive ranges: the cheap domain in which most conditions are decided
//! before the solver is asked.

use smallvec::{SmallVec, smallvec};

use crate::net::{IpNet, PortRange, address_bits};

/// Nearly every set is one range: it needs no memory of its own.
type Parts = SmallVec<[(u128, u128); 1]>;

/// A set of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranges {
    parts: Parts,
}

impl Ranges {
    pub(super) fn empty() -> Self {
        Self { parts: Parts::new() }
    }

    pub(super) fn one(value: u128) -> Self {
        Self { parts: smallvec![(value, value)] }
    }

    /// Every number of a width in bits.
    pub(super) fn all(bits: u32) -> Self {
        Self { parts: smallvec![(0, u128::MAX >> (128 - bits))] }
    }

    /// Every number up to `last`.
    pub(super) fn up_to(last: u128) -> Self {
        Self { parts: smallvec![(0, last)] }
    }

    pub(super) fn of_net(net: &IpNet) -> Self {
        Self { parts: smallvec![(address_bits(net.network()), address_bits(net.broadcast()))] }
    }

    pub(super) fn of_ports(ports: PortRange) -> Self {
        Self { parts: smallvec![(u128::from(ports.first), u128::from(ports.last))] }
    }

    pub(super) fn parts(&self) -> &[(u128, u128)] {
        &self.parts
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The first and the last number; a range of none if there are no numbers.
    pub(super) fn bounds(&self) -> (u128, u128) {
        self.parts.first().zip(self.parts.last()).map_or((1, 0), |((first, _), (_, last))| (*first, *last))
    }

    pub(super) fn first(&self) -> Option<u128> {
        self.parts.first().map(|(first, _)| *first)
    }

    pub(super) fn contains(&self, value: u128) -> bool {
        self.parts.iter().any(|(first, last)| (*first..=*last).contains(&value))
    }

    /// One of the members, chosen by a number.
    pub(super) fn pick(&self, number: u128) -> Option<u128> {
        let count = self.parts.len() as u128;
        let (first, last) = *self.parts.get(usize::try_from((number >> 64).checked_rem(count)?).ok()?)?;
        Some(first + number % (last - first).saturating_add(1))
    }

    /// The only member, if there is just one.
    pub(super) fn single(&self) -> Option<u128> {
        match self.parts.as_slice() {
            [(first, last)] if first == last => Some(*first),
            _ => None,
        }
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.parts.iter().any(|(a, b)| other.parts.iter().any(|(c, d)| a.max(c) <= b.min(d)))
    }

    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.parts.iter().all(|(a, b)| other.parts.iter().any(|(c, d)| c <= a && b <= d))
    }

    pub(super) fn intersect(&self, other: &Self) -> Self {
        let mut parts = Parts::new();
        for (a, b) in &self.parts {
            for (c, d) in &other.parts {
                let (first, last) = (*a.max(c), *b.min(d));
                if first <= last {
                    parts.push((first, last));
                }
            }
        }
        parts.sort_unstable();
        Self { parts }
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        Self::of([self.parts.as_slice(), other.parts.as_slice()].concat())
    }

    /// Of parts in any order, which may overlap.
    pub(super) fn of(mut parts: Vec<(u128, u128)>) -> Self {
        parts.sort_unstable();
        let mut merged = Parts::new();
        for (first, last) in parts {
            match merged.last_mut() {
                Some(open) if first <= open.1.saturating_add(1) => open.1 = open.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self { parts: merged }
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut left = self.parts.clone();
        for (c, d) in &other.parts {
            left = left.into_iter().flat_map(|part| cut(part, (*c, *d))).collect();
        }
        Self { parts: left }
    }
}

fn cut((a, b): (u128, u128), (c, d): (u128, u128)) -> impl Iterator<Item = (u128, u128)> {
    if d < a || b < c {
        return [Some((a, b)), None].into_iter().flatten();
    }
    let below = (a < c).then(|| (a, c - 1));
    let above = (d < b).then(|| (d + 1, b));
    [below, above].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges() -> impl Strategy<Value = Ranges> {
        proptest::collection::vec((0u128..40, 0u128..6), 0..5).prop_map(|parts| {
            parts.into_iter().fold(Ranges::empty(), |set, (first, length)| {
                set.union(&Ranges { parts: smallvec![(first, first + length)] })
            })
        })
    }

    proptest! {
        #[test]
        fn set_operations_agree_with_membership(a in ranges(), b in ranges(), x in 0u128..50) {
            prop_assert_eq!(a.union(&b).contains(x), a.contains(x) || b.contains(x));
            prop_assert_eq!(a.intersect(&b).contains(x), a.contains(x) && b.contains(x));
            prop_assert_eq!(a.minus(&b).contains(x), a.contains(x) && !b.contains(x));
        }
    }
}
