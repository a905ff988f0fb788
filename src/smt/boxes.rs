//! Ways on which sets and switches say everything, answered without the solver: the example is the one that the solver would be
//! led to.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::dataplane::Flow;
use crate::net::{Family, Protocol, address_bits, address_from_bits};
use crate::switch::{Setting, SwitchId};

use super::Query;
use super::condition::{Condition, Variable};
use super::ranges::Ranges;
use super::solve::NATURAL_SOURCE_PORT;
use super::walk::Way;

/// More boxes than this are left to the solver.
const MOST_BOXES: usize = 4096;

/// Every combination of members of one of these is a connection that succeeds.
pub(super) struct Boxes {
    all: Vec<Way>,
}

impl Boxes {
    /// The boxes of some ways; nothing if only the solver can tell for one of them.
    pub(super) fn of(ways: &[Way]) -> Option<Self> {
        let mut all = Vec::new();
        for way in ways {
            let boxes = way.assumed.boxes()?;
            all.extend(boxes.into_iter().map(|assumed| Way { assumed, is_to_itself: way.is_to_itself }));
            if MOST_BOXES < all.len() {
                return None;
            }
        }
        Some(Self { all })
    }

    /// The switches on which it depends whether something succeeds.
    pub(super) fn switches(&self) -> BTreeSet<SwitchId> {
        self.all.iter().flat_map(|way| way.assumed.switches().keys().copied()).collect()
    }

    /// The connection that looks most natural, and of these the one to the lowest address and port.
    pub(super) fn find(&self, query: &Query, setting: &Setting, known: &[(IpAddr, u16)]) -> Option<Flow> {
        let agrees = |(id, is_on): (&SwitchId, &bool)| setting.is_on(*id) == *is_on;
        let is_possible = |way: &Way| way.assumed.switches().iter().all(agrees) && lowest(way, known).is_some();
        let mut open: Vec<Way> = self.all.iter().filter(|way| is_possible(way)).cloned().collect();
        for (variable, value) in preferences(query) {
            let preferred = |way: &Way| {
                let assumed = way.assumed.clone().and(Condition::In(variable, Ranges::one(value)))?;
                Some(Way { assumed, is_to_itself: way.is_to_itself }).filter(|way| lowest(way, known).is_some())
            };
            let better: Vec<Way> = open.iter().filter_map(preferred).collect();
            if !better.is_empty() {
                open = better;
            }
        }
        let best = open.iter().filter_map(|way| Some((lowest(way, known)?, way))).min_by_key(|(dialed, _)| *dialed);
        best.and_then(|((destination, port), way)| flow(query, way, destination, port))
    }
}

/// What an example should look like if it can.
pub(super) fn preferences(query: &Query) -> Vec<(Variable, u128)> {
    let mut preferences = Vec::new();
    if query.protocol != Protocol::Icmp {
        preferences.push((Variable::SourcePort, u128::from(NATURAL_SOURCE_PORT)));
    }
    if let Some(source) = query.sources.as_ref().and_then(|s| s.natural).filter(|s| Family::of(*s) == query.family) {
        preferences.push((Variable::Source, address_bits(source)));
    }
    preferences.push((Variable::Destination, address_bits(query.family.loopback())));
    preferences
}

/// The lowest address and port of a way that are not known.
fn lowest(way: &Way, known: &[(IpAddr, u16)]) -> Option<(u128, u128)> {
    let ports = way.assumed.domain(Variable::DestinationPort);
    let family = way.assumed.family;
    let stretches = way.assumed.domain(Variable::Destination).parts().iter();
    let mut addresses = stretches.flat_map(|(first, last)| *first..=*last);
    addresses.find_map(|address| {
        let is_here = |(known, _): &&(IpAddr, u16)| Family::of(*known) == family && address_bits(*known) == address;
        let taken = known.iter().filter(is_here).map(|(_, port)| (u128::from(*port), u128::from(*port))).collect();
        ports.minus(&Ranges::of(taken)).first().map(|port| (address, port))
    })
}

fn flow(query: &Query, way: &Way, destination: u128, port: u128) -> Option<Flow> {
    let family = query.family;
    let is_ping = query.protocol == Protocol::Icmp;
    let source = if way.is_to_itself { destination } else { way.assumed.domain(Variable::Source).first()? };
    let source_port = way.assumed.domain(Variable::SourcePort).first()?;
    let number = |value: u128| if is_ping { Some(0) } else { u16::try_from(value).ok() };
    Some(Flow {
        from: query.from,
        protocol: query.protocol,
        source: Some(address_from_bits(family, source)),
        source_port: number(source_port)?,
        destination: address_from_bits(family, destination),
        destination_port: number(port)?,
    })
}
