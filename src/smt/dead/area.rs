//! Sets of packets as unions of blocks: one set of numbers on each axis that a condition can look at.
//!
//! There are at least as many packets here as in reality: the axes are taken for independent. What is shown of all of
//! these holds of the real ones.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataplane::Hook;
use crate::dataplane::{HookPoint, Match, Rule, Ruleset, States};
use crate::net::{Family, IpNet, Protocol};
use crate::smt::ranges::Ranges;

/// Areas of more blocks than this are not followed exactly.
const MOST_BLOCKS: usize = 64;
/// The IANA number of ICMP for IPv6.
const ICMP_V6: u8 = 58;
/// Stands for "none" among ICMP types and original ports: one more than the highest.
const NO_TYPE: u128 = 256;
const NO_PORT: u128 = 65_536;
const NO_ADDRESS: u128 = 1 << 32;

/// What conditions look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Axis {
    Protocol,
    Source,
    Destination,
    SourcePort,
    DestinationPort,
    In,
    Out,
    State,
    IcmpType,
    OriginalDestination,
    OriginalDestinationPort,
    DestinationRewritten,
    SourceRewritten,
    DestinationIsLocal,
    SourceIsLocal,
}

impl Axis {
    pub(super) const ALL: [Self; 15] = [
        Self::Protocol,
        Self::Source,
        Self::Destination,
        Self::SourcePort,
        Self::DestinationPort,
        Self::In,
        Self::Out,
        Self::State,
        Self::IcmpType,
        Self::OriginalDestination,
        Self::OriginalDestinationPort,
        Self::DestinationRewritten,
        Self::SourceRewritten,
        Self::DestinationIsLocal,
        Self::SourceIsLocal,
    ];
}

/// One packet: a number on every axis.
pub(super) type Packet = BTreeMap<Axis, u128>;

/// One set on each axis; an axis that is not listed is not restricted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Block {
    pub(super) sides: BTreeMap<Axis, Ranges>,
}

/// A union of blocks.
pub(super) type Area = Vec<Block>;

impl Block {
    fn of(axis: Axis, set: Ranges) -> Option<Self> {
        (!set.is_empty()).then(|| Self { sides: BTreeMap::from([(axis, set)]) })
    }

    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        let mut sides = self.sides.clone();
        for (axis, set) in &other.sides {
            let common = sides.get(axis).map_or_else(|| set.clone(), |own| own.intersect(set));
            if common.is_empty() {
                return None;
            }
            sides.insert(*axis, common);
        }
        Some(Self { sides })
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.sides.iter().all(|(axis, set)| other.sides.get(axis).is_none_or(|theirs| theirs.overlaps(set)))
    }

    pub(super) fn contains(&self, packet: &Packet) -> bool {
        self.sides.iter().all(|(axis, set)| packet.get(axis).is_some_and(|value| set.contains(*value)))
    }

    /// Whether every packet of `other` is in here.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.sides.iter().all(|(axis, set)| other.sides.get(axis).is_some_and(|theirs| theirs.is_within(set)))
    }
}

pub(super) fn overlap(a: &[Block], b: &[Block]) -> bool {
    a.iter().any(|one| b.iter().any(|other| one.overlaps(other)))
}

/// The packets in both; nothing if that would be too many blocks.
pub(super) fn product(a: &[Block], b: &[Block]) -> Option<Area> {
    let both: Area = a.iter().flat_map(|one| b.iter().filter_map(|other| one.intersect(other))).collect();
    (both.len() <= MOST_BLOCKS).then_some(both)
}

/// What a rule matches.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// At least these packets are all that it matches.
    pub(super) area: Area,
    /// It matches exactly these.
    pub(super) is_exact: bool,
}

/// The axes of one rule set for one family.
pub(super) struct Space {
    pub(super) family: Family,
    /// Interface names that the rules can tell apart; the first stands for "no interface".
    names: Vec<String>,
}

impl Space {
    pub(super) fn of(ruleset: &Ruleset, family: Family) -> Self {
        let mut patterns = BTreeSet::new();
        for rule in ruleset.chains.iter().flat_map(|chain| &chain.rules) {
            rule.matches.iter().for_each(|condition| interfaces(condition, &mut patterns));
        }
        // Of the names that a pattern with a wildcard matches, one that nobody else names.
        let names = patterns.iter().map(|pattern| pattern.replace('*', "\u{1}"));
        let names = ["\u{0}", "\u{1}"].into_iter().map(str::to_owned).chain(names).collect();
        Self { family, names }
    }

    /// Every number of an axis.
    pub(super) fn domain(&self, axis: Axis) -> Ranges {
        match axis {
            Axis::Protocol => Ranges::all(8),
            Axis::Source | Axis::Destination => Ranges::all(self.family.bits()),
            Axis::SourcePort | Axis::DestinationPort => Ranges::all(16),
            Axis::In | Axis::Out => Ranges::up_to(self.names.len() as u128 - 1),
            Axis::State => Ranges::up_to(4),
            Axis::IcmpType => Ranges::up_to(NO_TYPE),
            Axis::OriginalDestination => Ranges::up_to(NO_ADDRESS),
            Axis::OriginalDestinationPort => Ranges::up_to(NO_PORT),
            Axis::DestinationRewritten | Axis::SourceRewritten | Axis::DestinationIsLocal | Axis::SourceIsLocal => {
                Ranges::all(1)
            }
        }
    }

    /// Some packet of a block; another one for every number.
    pub(super) fn member(&self, block: &Block, mut number: u64) -> Packet {
        let mut next = || {
            // xorshift64 (Marsaglia 2003)
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            u128::from(number) << 64 | u128::from(number.rotate_left(32))
        };
        let value = |axis: Axis| {
            let set = block.sides.get(&axis).cloned().unwrap_or_else(|| self.domain(axis));
            (axis, set.pick(next()).unwrap_or(0))
        };
        Axis::ALL.into_iter().map(value).collect()
    }

    /// Bits that the numbers of an axis need.
    pub(super) fn bits(&self, axis: Axis) -> u32 {
        let last = self.domain(axis).parts().last().map_or(0, |(_, last)| *last);
        (128 - last.leading_zeros()).max(1)
    }

    /// The packets that a hook sees: some have no incoming interface, some no outgoing one.
    pub(super) fn of_hook(&self, point: HookPoint) -> Block {
        let none = |axis| (axis, Ranges::one(0));
        let some = |axis| (axis, self.domain(axis).minus(&Ranges::one(0)));
        let sides = match point.hook {
            Hook::Prerouting | Hook::Input => vec![some(Axis::In), none(Axis::Out)],
            Hook::Forward => vec![some(Axis::In), some(Axis::Out)],
            Hook::Output => vec![none(Axis::In), some(Axis::Out)],
            Hook::Postrouting => vec![some(Axis::Out)],
        };
        Block { sides: sides.into_iter().collect() }
    }

    /// What a rule matches.
    pub(super) fn read(&self, rule: &Rule) -> Reading {
        let mut reading = Reading { area: vec![Block::default()], is_exact: rule.guard.is_none() };
        for condition in &rule.matches {
            match self.alternatives(condition, false).and_then(|all| product(&reading.area, &all)) {
                Some(area) => reading.area = area,
                None => reading.is_exact = false,
            }
        }
        reading
    }

    /// The packets for which a condition holds, or does not; nothing if that cannot be told.
    fn alternatives(&self, condition: &Match, negated: bool) -> Option<Area> {
        match condition {
            Match::Not(inner) => self.alternatives(inner, !negated),
            Match::AllOf(all) if !negated => {
                all.iter().try_fold(vec![Block::default()], |area, one| product(&area, &self.alternatives(one, false)?))
            }
            Match::AnyOf(all) if negated => {
                all.iter().try_fold(vec![Block::default()], |area, one| product(&area, &self.alternatives(one, true)?))
            }
            Match::AnyOf(all) | Match::AllOf(all) => {
                let each: Option<Vec<Area>> = all.iter().map(|one| self.alternatives(one, negated)).collect();
                Some(each?.into_iter().flatten().fold(Vec::new(), joined)).filter(|area| area.len() <= MOST_BLOCKS)
            }
            Match::Family(family) => {
                Some(if (self.family == *family) == negated { vec![] } else { vec![Block::default()] })
            }
            simple => {
                let (axis, set) = self.on_axis(simple)?;
                let set = if negated { self.domain(axis).minus(&set) } else { set };
                Some(Block::of(axis, set).into_iter().collect())
            }
        }
    }

    fn on_axis(&self, condition: &Match) -> Option<(Axis, Ranges)> {
        Some(match condition {
            Match::Protocol(Protocol::Icmp) if self.family == Family::V6 => (Axis::Protocol, number(ICMP_V6)),
            Match::Protocol(protocol) => (Axis::Protocol, number(protocol.number())),
            Match::ProtocolNumber(protocol) => (Axis::Protocol, number(*protocol)),
            Match::Source(net) => (Axis::Source, self.addresses(net)),
            Match::Destination(net) => (Axis::Destination, self.addresses(net)),
            Match::SourcePort(ports) => (Axis::SourcePort, Ranges::of_ports(*ports)),
            Match::DestinationPort(ports) => (Axis::DestinationPort, Ranges::of_ports(*ports)),
            Match::InInterface(pattern) => (Axis::In, self.named(pattern)),
            Match::OutInterface(pattern) => (Axis::Out, self.named(pattern)),
            Match::State(states) => (Axis::State, members(*states)),
            Match::IcmpType(kind) => (Axis::IcmpType, number(*kind)),
            Match::OriginalDestination(net) if self.family == Family::V4 => {
                (Axis::OriginalDestination, self.addresses(net))
            }
            Match::OriginalDestinationPort(ports) => (Axis::OriginalDestinationPort, Ranges::of_ports(*ports)),
            Match::DestinationRewritten => (Axis::DestinationRewritten, Ranges::one(1)),
            Match::SourceRewritten => (Axis::SourceRewritten, Ranges::one(1)),
            Match::DestinationIsLocal => (Axis::DestinationIsLocal, Ranges::one(1)),
            Match::SourceIsLocal => (Axis::SourceIsLocal, Ranges::one(1)),
            // A mark may change between two rules; the others are seen through.
            Match::OriginalDestination(_)
            | Match::Mark { .. }
            | Match::Roughly(_)
            | Match::Unmodeled(_)
            | Match::ConnectionMark { .. }
            | Match::OriginalSource(_)
            | Match::OriginalSourcePort(_)
            | Match::Reply
            | Match::SourceIsRoutedBack
            | Match::Family(_)
            | Match::AnyOf(_)
            | Match::AllOf(_)
            | Match::Not(_) => return None,
        })
    }

    fn addresses(&self, net: &IpNet) -> Ranges {
        if Family::of(net.addr()) == self.family { Ranges::of_net(net) } else { Ranges::empty() }
    }

    fn named(&self, pattern: &str) -> Ranges {
        let is_named = |name: &str| match pattern.split_once('*') {
            Some((start, _)) => name.starts_with(start),
            None => name == pattern,
        };
        let numbers = (1..).zip(self.names.iter().skip(1)).filter(|(_, name)| is_named(name));
        numbers.fold(Ranges::empty(), |set, (number, _)| set.union(&Ranges::one(number)))
    }
}

/// Alternatives on the same axis are one block.
fn joined(mut area: Area, block: Block) -> Area {
    let axis = |block: &Block| match block.sides.keys().collect::<Vec<_>>().as_slice() {
        [only] => Some(**only),
        _ => None,
    };
    let wanted = axis(&block);
    match area.iter_mut().find(|b| wanted.is_some() && axis(b) == wanted) {
        Some(same) => {
            for (axis, set) in block.sides {
                same.sides.entry(axis).and_modify(|own| *own = own.union(&set));
            }
        }
        None => area.push(block),
    }
    area
}

fn number(value: u8) -> Ranges {
    Ranges::one(u128::from(value))
}

fn members(states: States) -> Ranges {
    let all = [states.new, states.established, states.related, states.invalid, states.untracked];
    let wanted = (0..).zip(all).filter(|(_, is_member)| *is_member);
    wanted.fold(Ranges::empty(), |set, (number, _)| set.union(&Ranges::one(number)))
}

fn interfaces(condition: &Match, found: &mut BTreeSet<String>) {
    match condition {
        Match::InInterface(name) | Match::OutInterface(name) => {
            found.insert(name.clone());
        }
        Match::Not(inner) | Match::Roughly(inner) => interfaces(inner, found),
        Match::AnyOf(all) | Match::AllOf(all) => all.iter().for_each(|one| interfaces(one, found)),
        _ => {}
    }
}
