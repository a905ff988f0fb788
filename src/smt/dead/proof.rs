//! Whether some rules together take every packet of an area: in the cheap domain where that decides, else by Z3.

use z3::ast::{BV, Bool};
use z3::{Params, SatResult, Solver};

use crate::smt::condition::in_range;
use crate::smt::ranges::Ranges;

use super::RuleAt;
use super::area::{Area, Axis, Block, Space, overlap};

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

/// The rules that together take all of `area`; nothing if a packet may be left.
pub(super) fn takers(space: &Space, area: &[Block], taken: &[Taken]) -> Option<Vec<RuleAt>> {
    let takes_all = |one: &Taken| area.iter().all(|block| one.area.iter().any(|b| b.covers(block)));
    if let Some(one) = taken.iter().find(|one| !overlap(&one.except, area) && takes_all(one)) {
        return Some(vec![one.by]);
    }
    if area.iter().any(|block| has_free_side(space, block, taken)) {
        return None;
    }
    Prover::new(space, area, taken).takers()
}

/// Whether the block has numbers on one axis that no rule asks for.
fn has_free_side(space: &Space, block: &Block, taken: &[Taken]) -> bool {
    let blocks: Vec<&Block> = taken.iter().flat_map(|t| &t.area).filter(|b| b.overlaps(block)).collect();
    let Some(first) = blocks.first() else { return true };
    first.sides.keys().any(|axis| {
        let whole = || space.domain(*axis);
        let own = block.sides.get(axis).cloned().unwrap_or_else(whole);
        let mut left = own;
        for other in &blocks {
            match other.sides.get(axis) {
                Some(set) => left = left.minus(set),
                None => return false,
            }
            if left.is_empty() {
                return false;
            }
        }
        true
    })
}

struct Prover<'a> {
    space: &'a Space,
    taken: &'a [Taken],
    solver: Solver,
}

impl<'a> Prover<'a> {
    fn new(space: &'a Space, area: &[Block], taken: &'a [Taken]) -> Self {
        let solver = Solver::new_for_logic("QF_BV").unwrap_or_default();
        let mut params = Params::new();
        params.set_u32("rlimit", STEP_LIMIT);
        solver.set_params(&params);
        let prover = Self { space, taken, solver };
        prover.solver.assert(prover.within(area));
        let axes = area.iter().chain(taken.iter().flat_map(|t| t.area.iter().chain(&t.except)));
        let mut axes: Vec<Axis> = axes.flat_map(|block| block.sides.keys().copied()).collect();
        axes.sort_unstable();
        axes.dedup();
        for axis in axes {
            prover.solver.assert(prover.side(axis, &space.domain(axis)));
        }
        for (number, one) in taken.iter().enumerate() {
            let left = Bool::or(&[prover.within(&one.area).not(), prover.within(&one.except)]);
            prover.solver.assert(is_there(number).implies(left));
        }
        prover
    }

    fn within(&self, area: &[Block]) -> Bool {
        let block = |block: &Block| {
            let sides: Vec<Bool> = block.sides.iter().map(|(axis, set)| self.side(*axis, set)).collect();
            Bool::and(&sides)
        };
        Bool::or(&area.iter().map(block).collect::<Vec<_>>())
    }

    fn side(&self, axis: Axis, set: &Ranges) -> Bool {
        let bits = self.space.bits(axis);
        let term = BV::new_const(format!("{axis:?}"), bits);
        let parts: Vec<Bool> = set.parts().iter().map(|(first, last)| in_range(&term, *first, *last, bits)).collect();
        Bool::or(&parts)
    }

    fn takers(&self) -> Option<Vec<RuleAt>> {
        let all: Vec<usize> = (0..self.taken.len()).collect();
        if self.leaves_something(&all) {
            return None;
        }
        let core: Vec<Bool> = self.solver.get_unsat_core();
        let mut needed: Vec<usize> = all.into_iter().filter(|number| core.contains(&is_there(*number))).collect();
        for number in needed.clone() {
            let without: Vec<usize> = needed.iter().copied().filter(|n| *n != number).collect();
            if !self.leaves_something(&without) {
                needed = without;
            }
        }
        Some(needed.into_iter().filter_map(|number| self.taken.get(number)).map(|one| one.by).collect())
    }

    /// Also when the solver gives up.
    fn leaves_something(&self, present: &[usize]) -> bool {
        let literals: Vec<Bool> = present.iter().map(|number| is_there(*number)).collect();
        self.solver.check_assumptions(&literals) != SatResult::Unsat
    }
}

fn is_there(number: usize) -> Bool {
    Bool::new_const(format!("rule-{number}"))
}
