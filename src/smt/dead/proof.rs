//! Whether some rules together take every packet of an area: packets are tried, and whoever takes one is remembered,
//! until Z3 shows that none is left.

use z3::ast::{BV, Bool};
use z3::{Model, Params, SatResult, Solver};

use crate::smt::condition::in_range;
use crate::smt::ranges::Ranges;
use crate::smt::solve::bits_of;

use super::RuleAt;
use super::area::{Area, Axis, Block, Packet, Space, overlap};

/// Steps of the solver for one rule; where they are not enough the rule counts as alive.
const STEP_LIMIT: u32 = 5_000_000;

/// Packets that a rule takes before others see them.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) by: RuleAt,
    /// All of these,
    pub(super) area: Area,
    /// but perhaps not those, which may have gone past.
    pub(super) except: Area,
}

impl Taken {
    /// Whether nothing of an area is left.
    pub(super) fn is_all_of(&self, area: &[Block]) -> bool {
        let is_inside = |block: &Block| self.area.iter().any(|own| own.covers(block));
        !overlap(&self.except, area) && area.iter().all(is_inside)
    }
}

/// What the solver says about what is left.
pub(super) enum Left {
    /// Nothing: these rules take everything.
    Nothing(Vec<RuleAt>),
    /// This packet, for example.
    Packet(Packet),
    /// It gave up.
    Unknown,
}

/// An area, and what was taken from it so far.
pub(super) struct Remainder<'a> {
    space: &'a Space,
    solver: Solver,
    taken: Vec<RuleAt>,
}

impl<'a> Remainder<'a> {
    pub(super) fn new(space: &'a Space, area: &[Block]) -> Self {
        let solver = Solver::new_for_logic("QF_BV").unwrap_or_default();
        let mut params = Params::new();
        params.set_u32("rlimit", STEP_LIMIT);
        solver.set_params(&params);
        let remainder = Self { space, solver, taken: Vec::new() };
        remainder.solver.assert(remainder.within(area));
        for axis in Axis::ALL {
            remainder.solver.assert(remainder.side(axis, &space.domain(axis)));
        }
        remainder
    }

    pub(super) fn take(&mut self, taken: &Taken) {
        let left = Bool::or(&[self.within(&taken.area).not(), self.within(&taken.except)]);
        self.solver.assert(is_there(self.taken.len()).implies(left));
        self.taken.push(taken.by);
    }

    fn within(&self, area: &[Block]) -> Bool {
        let block = |block: &Block| {
            let sides: Vec<Bool> = block.sides.iter().map(|(axis, set)| self.side(*axis, set)).collect();
            Bool::and(&sides)
        };
        Bool::or(&area.iter().map(block).collect::<Vec<_>>())
    }

    fn term(&self, axis: Axis) -> BV {
        BV::new_const(format!("{axis:?}"), self.space.bits(axis))
    }

    fn side(&self, axis: Axis, set: &Ranges) -> Bool {
        let (term, bits) = (self.term(axis), self.space.bits(axis));
        let parts: Vec<Bool> = set.parts().iter().map(|(first, last)| in_range(&term, *first, *last, bits)).collect();
        Bool::or(&parts)
    }

    /// What is left; the rules that take everything are as few as leaving out one at a time shows.
    pub(super) fn left(&self) -> Left {
        let all: Vec<usize> = (0..self.taken.len()).collect();
        match self.check(&all) {
            SatResult::Unsat => {}
            SatResult::Sat => {
                let packet = self.solver.get_model().and_then(|model| self.decode(&model));
                return packet.map_or(Left::Unknown, Left::Packet);
            }
            SatResult::Unknown => return Left::Unknown,
        }
        let core = self.solver.get_unsat_core();
        let mut needed: Vec<usize> = all.into_iter().filter(|number| core.contains(&is_there(*number))).collect();
        for number in needed.clone() {
            let without: Vec<usize> = needed.iter().copied().filter(|n| *n != number).collect();
            if self.check(&without) == SatResult::Unsat {
                needed = without;
            }
        }
        Left::Nothing(needed.into_iter().filter_map(|number| self.taken.get(number).copied()).collect())
    }

    fn check(&self, present: &[usize]) -> SatResult {
        let literals: Vec<Bool> = present.iter().map(|number| is_there(*number)).collect();
        self.solver.check_assumptions(&literals)
    }

    fn decode(&self, model: &Model) -> Option<Packet> {
        let value = |axis: Axis| bits_of(&model.eval(&self.term(axis), true)?, self.space.bits(axis));
        Axis::ALL.into_iter().map(|axis| value(axis).map(|value| (axis, value))).collect()
    }
}

fn is_there(number: usize) -> Bool {
    Bool::new_const(format!("rule-{number}"))
}
