//! Sets of flows as unions of blocks: one set of numbers for each unknown, and switches that are on or off. Where conditions
//! look at several of them at once (this address and that port), the solver need not be asked as long as there are few
//! blocks.

use std::collections::BTreeMap;

use crate::switch::SwitchId;

use super::condition::Variable;
use super::ranges::Ranges;

/// Areas of more blocks than this are left to the solver.
const MOST_BLOCKS: usize = 32;

/// One set for each unknown that is restricted, in the order of [`Variable::ALL`], and the switches that matter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Block {
    sides: [Option<Ranges>; 4],
    switches: BTreeMap<SwitchId, bool>,
}

/// A union of blocks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Area {
    blocks: Vec<Block>,
}

impl Block {
    pub(super) fn of(variable: Variable, set: Ranges) -> Self {
        Self { sides: Variable::ALL.map(|v| (v == variable).then(|| set.clone())), switches: BTreeMap::new() }
    }

    pub(super) fn switch(id: SwitchId, is_on: bool) -> Self {
        Self { switches: BTreeMap::from([(id, is_on)]), ..Self::default() }
    }

    /// The switches that have to be on, or off.
    pub(super) fn switches(&self) -> &BTreeMap<SwitchId, bool> {
        &self.switches
    }

    /// Every restricted unknown with its set.
    pub(super) fn sides(&self) -> impl Iterator<Item = (Variable, &Ranges)> {
        Variable::ALL.into_iter().zip(&self.sides).filter_map(|(variable, side)| Some((variable, side.as_ref()?)))
    }

    fn intersect(&self, other: &Self) -> Option<Self> {
        let mut common = self.clone();
        for (own, theirs) in common.sides.iter_mut().zip(&other.sides) {
            let Some(theirs) = theirs else { continue };
            let both = own.as_ref().map_or_else(|| theirs.clone(), |own| own.intersect(theirs));
            if both.is_empty() {
                return None;
            }
            *own = Some(both);
        }
        for (id, is_on) in &other.switches {
            if *common.switches.entry(*id).or_insert(*is_on) != *is_on {
                return None;
            }
        }
        Some(common)
    }

    /// The unknown in which alone two blocks differ.
    fn only_difference(&self, other: &Self) -> Option<usize> {
        if self.switches != other.switches {
            return None;
        }
        let mut differing = (0..self.sides.len()).filter(|index| self.sides.get(*index) != other.sides.get(*index));
        differing.next().filter(|_| differing.next().is_none())
    }
}

impl Area {
    pub(super) fn of(block: Block) -> Self {
        Self { blocks: vec![block] }
    }

    pub(super) fn some(blocks: &[&Block]) -> Self {
        Self { blocks: blocks.iter().copied().cloned().collect() }
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The flows in both; nothing if that would be too many blocks.
    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        let each = self.blocks.iter().flat_map(|one| other.blocks.iter().filter_map(|two| one.intersect(two)));
        Self::few(each.collect())
    }

    /// The flows in one of them; nothing if that would be too many blocks.
    pub(super) fn union(&self, other: &Self) -> Option<Self> {
        let mut blocks = self.blocks.clone();
        for block in &other.blocks {
            join(&mut blocks, block);
        }
        Self::few(blocks)
    }

    /// All other flows; nothing if that would be too many blocks.
    pub(super) fn complement(&self, all: impl Fn(Variable) -> Ranges) -> Option<Self> {
        let mut left = Self::of(Block::default());
        for block in &self.blocks {
            left = left.intersect(&outside(block, &all))?;
        }
        Some(left)
    }

    fn few(blocks: Vec<Block>) -> Option<Self> {
        (blocks.len() <= MOST_BLOCKS).then_some(Self { blocks })
    }
}

/// What is not in a block, in blocks that do not overlap: so they stay few when much is taken away.
fn outside(block: &Block, all: impl Fn(Variable) -> Ranges) -> Area {
    let mut before = Block::default();
    let mut blocks = Vec::new();
    for (variable, set) in block.sides() {
        let rest = all(variable).minus(set);
        if !rest.is_empty()
            && let Some(part) = before.intersect(&Block::of(variable, rest))
        {
            blocks.push(part);
        }
        if let Some(inside) = before.intersect(&Block::of(variable, set.clone())) {
            before = inside;
        }
    }
    for (id, is_on) in &block.switches {
        blocks.extend(before.intersect(&Block::switch(*id, !is_on)));
        if let Some(inside) = before.intersect(&Block::switch(*id, *is_on)) {
            before = inside;
        }
    }
    Area { blocks }
}

/// Adds a block; to one that differs in one unknown only, if there is one.
fn join(blocks: &mut Vec<Block>, block: &Block) {
    for own in blocks.iter_mut() {
        let Some(index) = own.only_difference(block) else {
            if own == block {
                return;
            }
            continue;
        };
        if let (Some(side), Some(other)) = (own.sides.get_mut(index), block.sides.get(index)) {
            *side = side.as_ref().zip(other.as_ref()).map(|(one, two)| one.union(two));
            return;
        }
    }
    blocks.push(block.clone());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LAST: u128 = 6;

    fn all(_: Variable) -> Ranges {
        Ranges::up_to(LAST)
    }

    fn block() -> impl Strategy<Value = Block> {
        let side = proptest::option::of((0..=LAST, 0..=LAST));
        let switches = [proptest::option::of(any::<bool>()), proptest::option::of(any::<bool>())];
        let sides = (side.clone(), side.clone(), side, switches);
        sides.prop_map(|(a, b, c, switches)| {
            let variables = [Variable::Source, Variable::Destination, Variable::DestinationPort];
            let restricted = variables.into_iter().zip([a, b, c]).filter_map(|(v, side)| Some((v, side?)));
            let numbers = (0u32..).zip(switches).filter_map(|(id, is_on)| Some((SwitchId(id), is_on?)));
            let start = Block { switches: numbers.collect(), ..Block::default() };
            restricted.fold(start, |block, (variable, (one, two))| {
                let set = Ranges::of([(one.min(two), one.max(two))].to_vec());
                block.intersect(&Block::of(variable, set)).unwrap()
            })
        })
    }

    fn area() -> impl Strategy<Value = Area> {
        proptest::collection::vec(block(), 1..4).prop_map(|blocks| Area { blocks })
    }

    fn contains(area: &Area, flow: [u128; 4], on: [bool; 2]) -> bool {
        let value = |variable| Variable::ALL.iter().position(|v| *v == variable).map(|index| flow[index]).unwrap();
        let is_in = |block: &Block| block.sides().all(|(variable, set)| set.contains(value(variable)));
        let agrees = |block: &Block| block.switches.iter().all(|(id, is_on)| on[id.0 as usize] == *is_on);
        area.blocks.iter().any(|block| is_in(block) && agrees(block))
    }

    proptest! {
        #[test]
        fn operations_agree_with_membership(
            a in area(),
            b in area(),
            flow in [0..=LAST, 0..=LAST, 0..=LAST, 0..=LAST],
            on: [bool; 2],
        ) {
            let contains = |area: &Area| contains(area, flow, on);
            prop_assert_eq!(contains(&a.union(&b).unwrap()), contains(&a) || contains(&b));
            prop_assert_eq!(contains(&a.intersect(&b).unwrap()), contains(&a) && contains(&b));
            prop_assert_eq!(a.complement(all).map(|rest| contains(&rest)).unwrap_or(!contains(&a)), !contains(&a));
        }
    }
}
