//! Rules that no packet can ever fulfil where they stand, with the rules that are to blame: proved for all packets.
//!
//! Every way from a base chain to a rule is looked at. On each, the packets that come that far and fulfil the rule must
//! all have been taken by rules before it. Where something is not exactly known, packets are taken for more than they
//! are, and what rules take for less: a rule is called dead only if it is.

mod area;
mod proof;

use std::collections::{BTreeMap, BTreeSet};

use crate::dataplane::{Action, ChainId, Rule, Ruleset};
use crate::net::Family;

use super::rules::applies_to;
use area::{Area, Block, Reading, Space, overlap, product};
use proof::{Taken, takers};

/// Ways to chains that are looked at, all together; what is not settled by then counts as alive.
const MOST_WAYS: usize = 50_000;
/// Jumps do not go deeper (see the kernel's NFT_JUMP_STACK_SIZE).
const DEEPEST: usize = 16;

/// A rule: its chain and its index there.
pub type RuleAt = (ChainId, usize);

/// A rule that no packet fulfils.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// The rule.
    pub rule: RuleAt,
    /// Rules that take its packets before.
    pub taken_by: Vec<RuleAt>,
    /// Jumps that send no such packet.
    pub not_sent_by: Vec<RuleAt>,
}

/// Which of the rules that are `wanted` are dead for a family. Rules in chains that nothing leads to are not looked at.
/// `progress` hears how many of how many rules have been looked at.
pub fn dead_rules(
    ruleset: &Ruleset,
    family: Family,
    wanted: &BTreeSet<RuleAt>,
    progress: &mut dyn FnMut(usize, usize),
) -> Vec<Dead> {
    let space = Space::of(ruleset, family);
    let read = |rules: &[Rule]| rules.iter().map(|rule| space.read(rule)).collect();
    let readings = ruleset.chains.iter().map(|chain| read(&chain.rules)).collect();
    let mut search = Search {
        ruleset,
        space,
        readings,
        below: (0..ruleset.chains.len()).map(|index| below(ruleset, ChainId(index))).collect(),
        open: wanted.clone(),
        dead: BTreeMap::new(),
        ways: 0,
        total: wanted.len(),
        progress,
    };
    for (index, chain) in ruleset.chains.iter().enumerate() {
        let id = ChainId(index);
        if let Some(point) = chain.hook.filter(|_| applies_to(ruleset, id, family)) {
            let area = vec![search.space.of_hook(point)];
            search.enter(&Way { chain: id, area, jumps: Vec::new() });
        }
    }
    if MOST_WAYS < search.ways {
        return Vec::new();
    }
    search.dead.into_values().collect()
}

struct Search<'a> {
    ruleset: &'a Ruleset,
    space: Space,
    readings: Vec<Vec<Reading>>,
    /// For each chain the chains that it leads to, itself included.
    below: Vec<BTreeSet<ChainId>>,
    /// Rules that are wanted and not known to be alive.
    open: BTreeSet<RuleAt>,
    dead: BTreeMap<RuleAt, Dead>,
    ways: usize,
    total: usize,
    progress: &'a mut dyn FnMut(usize, usize),
}

/// A way to a chain.
struct Way {
    chain: ChainId,
    /// At least the packets that come.
    area: Area,
    /// The jumps, outermost first.
    jumps: Vec<RuleAt>,
}

enum Fate {
    Alive,
    Taken(Vec<RuleAt>),
    NotSent(Vec<RuleAt>),
}

impl Search<'_> {
    fn enter(&mut self, way: &Way) {
        self.ways += 1;
        if MOST_WAYS < self.ways || DEEPEST < way.jumps.len() || !self.leads_to_open(way.chain) {
            return;
        }
        let ruleset = self.ruleset;
        for (index, rule) in ruleset.get(way.chain).rules.iter().enumerate() {
            let at = (way.chain, index);
            if self.open.contains(&at) {
                self.look_at(way, at);
            }
            if let Action::Jump(to) | Action::Goto(to) = rule.action {
                let Some(reading) = self.reading(at) else { continue };
                // Too many blocks: then everything that came so far may go on.
                let area = product(&way.area, &reading.area).unwrap_or_else(|| way.area.clone());
                let jumps = [way.jumps.as_slice(), &[at]].concat();
                self.enter(&Way { chain: to, area, jumps });
            }
        }
    }

    fn reading(&self, (chain, index): RuleAt) -> Option<&Reading> {
        self.readings.get(chain.0)?.get(index)
    }

    /// Whether a chain, or one that it leads to, has a rule that is still open.
    fn leads_to_open(&self, chain: ChainId) -> bool {
        let is_open = |id: &ChainId| self.open.range((*id, 0)..=(*id, usize::MAX)).next().is_some();
        self.below.get(chain.0).is_some_and(|chains| chains.iter().any(is_open))
    }

    fn look_at(&mut self, way: &Way, at: RuleAt) {
        match self.fate(way, at) {
            Fate::Alive => {
                self.open.remove(&at);
                self.dead.remove(&at);
            }
            Fate::Taken(by) => add_new(&mut self.entry(at).taken_by, by),
            Fate::NotSent(jumps) => add_new(&mut self.entry(at).not_sent_by, jumps),
        }
        let settled = self.total - self.open.len() + self.dead.len();
        (self.progress)(settled.min(self.total), self.total);
    }

    fn entry(&mut self, rule: RuleAt) -> &mut Dead {
        self.dead.entry(rule).or_insert_with(|| Dead { rule, taken_by: Vec::new(), not_sent_by: Vec::new() })
    }

    fn fate(&self, way: &Way, at: RuleAt) -> Fate {
        let Some(reading) = self.reading(at) else { return Fate::Alive };
        let Some(area) = product(&way.area, &reading.area) else { return Fate::Alive };
        if area.is_empty() {
            let excludes = |jump: &RuleAt| self.reading(*jump).is_some_and(|r| !overlap(&r.area, &reading.area));
            return Fate::NotSent(way.jumps.iter().filter(|jump| excludes(jump)).copied().collect());
        }
        let mut taken = Vec::new();
        // Rules of the same chain explain most; then those of the chain that it was jumped to from.
        for before in std::iter::once(&at).chain(way.jumps.iter().rev()) {
            self.taken_before(*before, &area, &mut taken);
        }
        takers(&self.space, &area, &taken).map_or(Fate::Alive, Fate::Taken)
    }

    /// What the rules before one rule of a chain that the packet is in take from it.
    fn taken_before(&self, (chain, end): RuleAt, target: &[Block], taken: &mut Vec<Taken>) {
        for (index, rule) in self.ruleset.get(chain).rules.iter().enumerate().take(end) {
            let by = (chain, index);
            let Some(reading) = self.reading(by).filter(|r| r.is_exact && overlap(&r.area, target)) else { continue };
            match rule.action {
                Action::Continue | Action::SetMark { .. } => {}
                Action::Jump(to) => self.taken_inside(to, &reading.area, target, taken, 1),
                // Whoever goes to another chain, or returns, does not come here.
                _ => taken.push(Taken { by, area: reading.area.clone(), except: Vec::new() }),
            }
        }
    }

    /// What the rules of another chain take for good from the packets that are sent `through` it.
    fn taken_inside(&self, chain: ChainId, through: &[Block], target: &[Block], taken: &mut Vec<Taken>, depth: usize) {
        let mut except: Area = Vec::new();
        for (index, rule) in self.ruleset.get(chain).rules.iter().enumerate() {
            let by = (chain, index);
            let Some(reading) = self.reading(by).filter(|r| overlap(&r.area, target)) else { continue };
            let both = product(through, &reading.area);
            let is_certain = reading.is_exact && both.is_some() && depth < DEEPEST;
            let area = both.unwrap_or_else(|| reading.area.clone());
            match rule.action {
                Action::Continue | Action::SetMark { .. } => {}
                Action::Return => except.extend(area),
                Action::Jump(to) | Action::Goto(to) => {
                    let start = taken.len();
                    if is_certain {
                        self.taken_inside(to, &area, target, taken, depth + 1);
                    }
                    for inner in taken.iter_mut().skip(start) {
                        inner.except.extend(except.iter().cloned());
                    }
                    if matches!(rule.action, Action::Goto(_)) {
                        except.extend(area);
                    }
                }
                _ if is_certain => taken.push(Taken { by, area, except: except.clone() }),
                _ => {}
            }
        }
    }
}

fn below(ruleset: &Ruleset, chain: ChainId) -> BTreeSet<ChainId> {
    let mut found = BTreeSet::from([chain]);
    let mut open = vec![chain];
    while let Some(id) = open.pop() {
        for rule in &ruleset.get(id).rules {
            if let Action::Jump(to) | Action::Goto(to) = rule.action
                && found.insert(to)
            {
                open.push(to);
            }
        }
    }
    found
}

fn add_new(list: &mut Vec<RuleAt>, more: Vec<RuleAt>) {
    for one in more {
        if !list.contains(&one) {
            list.push(one);
        }
    }
}
