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
use super::walk::{self, Way, Ways};

/// What one dialler reaches.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// For every way on which connections succeed, some that take it: the same hops, translations and listener.
    pub ways: Vec<Vec<Flow>>,
    /// Why there may be more.
    pub unsure: Vec<String>,
}

/// Connections that answer `query`: on every way one to each of `addresses` that leads there, or, if none of them
/// does, one to any other address.
pub fn survey(dataplane: &Dataplane, query: &Query, setting: &Setting, addresses: &[IpAddr]) -> Survey {
    let Ways { all, unsure, .. } = walk::ways(dataplane, query);
    let mut survey = Survey { ways: Vec::new(), unsure };
    let surveyor = Surveyor { dataplane, query, setting };
    let of_family = addresses.iter().filter(|a| Family::of(**a) == query.family);
    let addresses: Vec<u128> = of_family.map(|a| address_bits(*a)).collect();
    for Way { assumed, is_to_itself } in all {
        let open = assumed.domain(Variable::Destination);
        let dialed = |address: &u128| {
            let one = Condition::In(Variable::Destination, Ranges::one(*address));
            open.contains(*address).then(|| assumed.clone().and(one)).flatten()
        };
        let before = survey.ways.len();
        let mut alike = Vec::new();
        for narrowed in addresses.iter().filter_map(dialed) {
            match surveyor.member(&narrowed) {
                Ok(flow) => alike.extend(flow),
                Err(OnlyTheSolverKnows) => surveyor.ask(Way { assumed: narrowed, is_to_itself }, &mut survey),
            }
        }
        if alike.is_empty() && survey.ways.len() == before {
            match surveyor.member(&assumed) {
                Ok(flow) => alike.extend(flow),
                Err(OnlyTheSolverKnows) => surveyor.ask(Way { assumed, is_to_itself }, &mut survey),
            }
        }
        if !alike.is_empty() {
            survey.ways.push(alike);
        }
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
    fn ask(&self, way: Way, survey: &mut Survey) {
        let ways = Ways { nodes: Default::default(), all: vec![way], unsure: Vec::new() };
        match Encoding::of(self.dataplane, self.query.clone(), ways).find(self.setting, &[]) {
            Answer::Yes(flow) => {
                let source = flow.source.filter(|_| self.query.sources.is_some());
                survey.ways.push(vec![Flow { source, ..flow }]);
            }
            Answer::No => {}
            Answer::Unknown(reason) => survey.unsure.push(reason),
        }
    }

    /// A flow that takes the way, the lowest that is an example.
    fn member(&self, assumed: &Assumed) -> Result<Option<Flow>, OnlyTheSolverKnows> {
        let boxes = assumed.boxes().ok_or(OnlyTheSolverKnows)?;
        let members = boxes.iter().filter_map(|sets| self.of_sets(sets));
        Ok(members.min_by_key(|flow| (flow.destination, flow.destination_port)))
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
