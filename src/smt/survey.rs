//! Everything that one dialler reaches, from one walk: an example for every way and every address of interest.
//!
//! A matrix of diallers and listeners asked pair by pair would walk the same rules over and over. Ways on which the
//! cheap domain decides everything need no solver at all.

use std::net::IpAddr;

use crate::dataplane::{Dataplane, Flow};
use crate::net::{Family, address_bits, address_from_bits};
use crate::switch::Setting;

use super::Query;
use super::assumed::Assumed;
use super::condition::{Condition, Variable};
use super::ranges::Ranges;
use super::solve::{Answer, Encoding, NATURAL_SOURCE_PORT};
use super::sources::AddressSet;
use super::walk::{self, Way, Ways};

/// What one dialler reaches.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// At least one for every way on which connections succeed.
    pub found: Vec<Found>,
    /// Why there may be more.
    pub unsure: Vec<String>,
}

/// Connections that take the same way: the same hops, translations and listener.
#[derive(Clone, Debug)]
pub struct Found {
    /// One or more of them.
    pub flows: Vec<Flow>,
    /// From which addresses, where the dialler may have many and the solver had not to be asked.
    pub sources: Option<AddressSet>,
}

/// Connections that answer `query`: on every way one to each of `addresses` that leads there, or, if none of them
/// does, one to any other address.
pub fn survey(dataplane: &Dataplane, query: &Query, setting: &Setting, addresses: &[IpAddr]) -> Survey {
    let Ways { all, unsure, .. } = walk::ways(dataplane, query);
    let mut survey = Survey { found: Vec::new(), unsure };
    let surveyor = Surveyor { dataplane, query, setting };
    let of_family = addresses.iter().filter(|a| Family::of(**a) == query.family);
    let addresses: Vec<u128> = of_family.map(|a| address_bits(*a)).collect();
    for Way { assumed, is_to_itself } in all {
        let open = assumed.domain(Variable::Destination);
        let dialed = |address: &u128| {
            let one = Condition::In(Variable::Destination, Ranges::one(*address));
            open.contains(*address).then(|| assumed.clone().and(one)).flatten()
        };
        let before = survey.found.len();
        let mut alike: Vec<Found> = Vec::new();
        for narrowed in addresses.iter().filter_map(dialed) {
            surveyor.add(Way { assumed: narrowed, is_to_itself }, &mut alike, &mut survey);
        }
        if alike.is_empty() && survey.found.len() == before {
            surveyor.add(Way { assumed, is_to_itself }, &mut alike, &mut survey);
        }
        survey.found.extend(alike);
    }
    survey
}

/// Sets do not say everything that is assumed.
struct OnlyTheSolverKnows;

struct Surveyor<'a> {
    dataplane: &'a Dataplane,
    query: &'a Query,
    setting: &'a Setting,
}

impl Surveyor<'_> {
    /// Adds an example of a way to those that differ in nothing but their addresses.
    fn add(&self, way: Way, alike: &mut Vec<Found>, survey: &mut Survey) {
        match self.member(&way.assumed) {
            Ok(None) => {}
            Ok(Some((flow, sources))) => match alike.iter_mut().find(|found| found.sources == sources) {
                Some(found) => found.flows.push(flow),
                None => alike.push(Found { flows: vec![flow], sources }),
            },
            Err(OnlyTheSolverKnows) => self.ask(way, survey),
        }
    }

    fn ask(&self, way: Way, survey: &mut Survey) {
        let ways = Ways { nodes: Default::default(), all: vec![way], unsure: Vec::new() };
        match Encoding::of(self.dataplane, self.query.clone(), ways).find(self.setting, &[]) {
            Answer::Yes(flow) => {
                let source = flow.source.filter(|_| self.query.sources.is_some());
                survey.found.push(Found { flows: vec![Flow { source, ..flow }], sources: None });
            }
            Answer::No => {}
            Answer::Unknown(reason) => survey.unsure.push(reason),
        }
    }

    /// A flow that takes the way, the lowest that is an example, and the sources from which it does.
    fn member(&self, assumed: &Assumed) -> Result<Option<(Flow, Option<AddressSet>)>, OnlyTheSolverKnows> {
        let mut boxes = assumed.boxes().ok_or(OnlyTheSolverKnows)?;
        boxes.retain(|sets| sets.switches().iter().all(|(id, is_on)| self.setting.is_on(*id) == *is_on));
        let members = boxes.iter().filter_map(|sets| self.of_sets(sets));
        let Some(flow) = members.min_by_key(|flow| (flow.destination, flow.destination_port)) else { return Ok(None) };
        let takes = |sets: &&Assumed| {
            let is_in = |variable, value| sets.domain(variable).contains(value);
            is_in(Variable::Destination, address_bits(flow.destination))
                && is_in(Variable::DestinationPort, flow.destination_port.into())
                && is_in(Variable::SourcePort, flow.source_port.into())
        };
        let sources = self.query.sources.as_ref().map(|_| {
            let from = boxes.iter().filter(takes).map(|sets| sets.domain(Variable::Source));
            AddressSet::new(self.query.family, from.fold(Ranges::empty(), |all, some| all.union(some)))
        });
        Ok(Some((flow, sources)))
    }

    /// A flow whose values lie in the sets, natural ones where possible.
    fn of_sets(&self, assumed: &Assumed) -> Option<Flow> {
        let family = self.query.family;
        let value = |variable: Variable, natural: Option<u128>| {
            let set = assumed.domain(variable);
            natural.filter(|value| set.contains(*value)).or_else(|| set.first())
        };
        let natural = self.query.sources.as_ref().and_then(|s| s.natural).map(address_bits);
        let source = address_from_bits(family, value(Variable::Source, natural)?);
        let source_port = value(Variable::SourcePort, Some(u128::from(NATURAL_SOURCE_PORT)))?;
        Some(Flow {
            from: self.query.from,
            protocol: self.query.protocol,
            source: self.query.sources.as_ref().map(|_| source),
            source_port: u16::try_from(source_port).ok()?,
            destination: address_from_bits(family, value(Variable::Destination, None)?),
            destination_port: u16::try_from(value(Variable::DestinationPort, None)?).ok()?,
        })
    }
}
