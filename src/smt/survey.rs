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
    /// At least one connection for every way on which one succeeds.
    pub flows: Vec<Flow>,
    /// Why there may be more.
    pub unsure: Vec<String>,
}

/// Connections that answer `query`: on every way one to each of `addresses` that leads there, or, if none of them
/// does, one to any other address.
pub fn survey(dataplane: &Dataplane, query: &Query, setting: &Setting, addresses: &[IpAddr]) -> Survey {
    let Ways { all, unsure, .. } = walk::ways(dataplane, query);
    let mut survey = Survey { flows: Vec::new(), unsure };
    let surveyor = Surveyor { dataplane, query, setting };
    for Way { assumed } in all {
        let before = survey.flows.len();
        let open = assumed.domain(Variable::Destination);
        let of_family = addresses.iter().filter(|a| Family::of(**a) == query.family).map(|a| address_bits(*a));
        for address in of_family.filter(|address| open.contains(*address)) {
            let dialed = Condition::In(Variable::Destination, Ranges::one(address));
            if let Some(assumed) = assumed.clone().and(dialed) {
                surveyor.example(assumed, &mut survey);
            }
        }
        if survey.flows.len() == before {
            surveyor.example(assumed, &mut survey);
        }
    }
    survey
}

struct Surveyor<'a> {
    dataplane: &'a Dataplane,
    query: &'a Query,
    setting: &'a Setting,
}

impl Surveyor<'_> {
    fn example(&self, assumed: Assumed, survey: &mut Survey) {
        if let Some(boxes) = assumed.boxes() {
            let members = boxes.iter().filter_map(|assumed| self.member(assumed));
            survey.flows.extend(members.min_by_key(|flow| (flow.destination, flow.destination_port)));
            return;
        }
        let ways = Ways { nodes: Default::default(), all: vec![Way { assumed }], unsure: Vec::new() };
        match Encoding::of(self.dataplane, self.query.clone(), ways).find(self.setting, &[]) {
            Answer::Yes(flow) => {
                let source = flow.source.filter(|_| self.query.sources.is_some());
                survey.flows.push(Flow { source, ..flow });
            }
            Answer::No => {}
            Answer::Unknown(reason) => survey.unsure.push(reason),
        }
    }

    /// A flow whose values lie in the sets, natural ones where possible.
    fn member(&self, assumed: &Assumed) -> Option<Flow> {
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
