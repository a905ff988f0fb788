//! What a path has assumed so far.

use std::collections::BTreeMap;
use std::mem;

use z3::ast::Bool;

use crate::net::Family;
use crate::switch::SwitchId;

use super::area::{Area, Block};
use super::condition::{Condition, Variable, membership, of_area, switch_literal};
use super::ranges::Ranges;

/// More combinations of blocks than this are left to the solver.
const MOST_BOXES: usize = 64;

/// A set for every unknown, areas that these may lie in, and the conditions that no set can express.
#[derive(Clone, Debug)]
pub(super) struct Assumed {
    pub(super) family: Family,
    /// In the order of [`Variable::ALL`].
    domains: [Ranges; 4],
    /// Switches that are on, or off.
    switches: BTreeMap<SwitchId, bool>,
    /// Of several blocks each that the domains leave open.
    areas: Vec<Area>,
    terms: Vec<Bool>,
}

impl Assumed {
    pub(super) fn new(family: Family) -> Self {
        let domains = Variable::ALL.map(|v| Ranges::all(v.bits(family)));
        Self { family, domains, switches: BTreeMap::new(), areas: Vec::new(), terms: Vec::new() }
    }

    pub(super) fn domain(&self, variable: Variable) -> &Ranges {
        let [source, source_port, destination, destination_port] = &self.domains;
        match variable {
            Variable::Source => source,
            Variable::SourcePort => source_port,
            Variable::Destination => destination,
            Variable::DestinationPort => destination_port,
        }
    }

    fn domain_mut(&mut self, variable: Variable) -> &mut Ranges {
        let [source, source_port, destination, destination_port] = &mut self.domains;
        match variable {
            Variable::Source => source,
            Variable::SourcePort => source_port,
            Variable::Destination => destination,
            Variable::DestinationPort => destination_port,
        }
    }

    /// A membership, decided if what is assumed decides it.
    pub(super) fn fold(&self, variable: Variable, set: &Ranges) -> Condition {
        let domain = self.domain(variable);
        let inside = domain.intersect(set);
        if inside.is_empty() {
            Condition::False
        } else if inside == *domain {
            Condition::True
        } else {
            Condition::In(variable, inside)
        }
    }

    /// The same path under one more condition; nothing if that is impossible.
    pub(super) fn and(mut self, condition: Condition) -> Option<Self> {
        match condition {
            Condition::True => return Some(self),
            Condition::False => return None,
            Condition::In(variable, set) => self.narrow(variable, &set)?,
            Condition::Within(area) => self.areas.push(*area),
            Condition::Term(term) => self.terms.push(term),
        }
        self.settled()
    }

    fn narrow(&mut self, variable: Variable, set: &Ranges) -> Option<()> {
        let domain = self.domain(variable).intersect(set);
        if domain.is_empty() {
            return None;
        }
        *self.domain_mut(variable) = domain;
        Some(())
    }

    /// Areas of which one block is left are a matter of domains, which may leave less of the others.
    fn settled(mut self) -> Option<Self> {
        let mut is_open = !self.areas.is_empty();
        while mem::take(&mut is_open) {
            for area in mem::take(&mut self.areas) {
                let left: Vec<&Block> = area.blocks().iter().filter(|block| self.meets(block)).collect();
                match left.as_slice() {
                    [] => return None,
                    [one] => {
                        for (variable, set) in one.sides() {
                            self.narrow(variable, set)?;
                        }
                        self.switches.extend(one.switches());
                        is_open = true;
                    }
                    several if several.iter().any(|block| self.lies_in(block)) => {}
                    several => self.areas.push(Area::some(several)),
                }
            }
        }
        Some(self)
    }

    fn meets(&self, block: &Block) -> bool {
        let agrees = |(id, is_on): (&SwitchId, &bool)| self.switches.get(id).is_none_or(|own| own == is_on);
        block.sides().all(|(variable, set)| self.domain(variable).overlaps(set)) && block.switches().iter().all(agrees)
    }

    fn lies_in(&self, block: &Block) -> bool {
        let agrees = |(id, is_on): (&SwitchId, &bool)| self.switches.get(id) == Some(is_on);
        block.sides().all(|(variable, set)| self.domain(variable).is_within(set)) && block.switches().iter().all(agrees)
    }

    /// The switches that are on, or off.
    pub(super) fn switches(&self) -> &BTreeMap<SwitchId, bool> {
        &self.switches
    }

    /// The sets and switches, if they say everything: then every combination of members takes this path. Several, where
    /// areas are open; nothing if only the solver can tell.
    pub(super) fn boxes(&self) -> Option<Vec<Self>> {
        let count: usize = self.areas.iter().map(|area| area.blocks().len()).product();
        if !self.terms.is_empty() || MOST_BOXES < count {
            return None;
        }
        let Some(area) = self.areas.first() else { return Some(vec![self.clone()]) };
        let within = |block: &Block| self.clone().and(Condition::Within(Box::new(Area::of(block.clone()))));
        let boxes: Option<Vec<Vec<Self>>> =
            area.blocks().iter().filter_map(within).map(|assumed| assumed.boxes()).collect();
        Some(boxes?.concat())
    }

    /// Everything that is assumed, as one term.
    pub(super) fn term(&self) -> Bool {
        let mut all = self.terms.clone();
        all.extend(self.areas.iter().map(|area| of_area(area, self.family)));
        all.extend(self.switches.iter().map(|(id, is_on)| switch_literal(*id, *is_on)));
        for variable in Variable::ALL {
            let set = self.domain(variable);
            if *set != Ranges::all(variable.bits(self.family)) {
                all.push(membership(variable, set, self.family));
            }
        }
        Bool::and(&all)
    }
}
