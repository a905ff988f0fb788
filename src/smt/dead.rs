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
use area::{Area, Block, Packet, Reading, Space, overlap, product};
use proof::{Left, Remainder, Taken};

/// Ways to chains that are looked at, all together; what is not settled by then counts as alive.
const MOST_WAYS: usize = 50_000;
/// Packets that are tried before the solver is asked.
const SAMPLES: u64 = 12;
/// At most so many rules are found to take parts of one rule's packets.
const MOST_TAKERS: usize = 200;
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
        // Rules of the same chain explain most; then those of the chain that it was jumped to from.
        let places: Vec<RuleAt> = std::iter::once(at).chain(way.jumps.iter().rev().copied()).collect();
        self.takers(&places, &area).map_or(Fate::Alive, Fate::Taken)
    }

    /// The rules that together take all of `area` from those at `places`; nothing if a packet may be left.
    fn takers(&self, places: &[RuleAt], area: &[Block]) -> Option<Vec<RuleAt>> {
        let mut taken: Vec<Taken> = Vec::new();
        let packets =
            (1..=SAMPLES).flat_map(|n| area.iter().map(move |block| self.space.member(block, n * 0x9E37_79B9)));
        for packet in packets {
            let by = self.taker(places, &packet)?;
            if taken.iter().all(|known| Some(&known.by) != by.last()) {
                taken.push(self.taken(&by, area)?);
            }
        }
        if let Some(one) = taken.iter().find(|one| one.is_all_of(area)) {
            return Some(vec![one.by]);
        }
        let mut remainder = Remainder::new(&self.space, area);
        taken.iter().for_each(|one| remainder.take(one));
        for _ in 0..MOST_TAKERS {
            match remainder.left() {
                Left::Nothing(by) => return Some(by),
                Left::Unknown => return None,
                Left::Packet(packet) => {
                    let by = self.taker(places, &packet)?;
                    remainder.take(&self.taken(&by, area)?);
                }
            }
        }
        None
    }

    /// The rule that surely takes a packet before it comes to any of `places`, behind the jumps that lead to it.
    fn taker(&self, places: &[RuleAt], packet: &Packet) -> Option<Vec<RuleAt>> {
        places.iter().find_map(|(chain, end)| {
            self.matching(*chain, packet).take_while(|(at, _)| at.1 < *end).find_map(|(at, reading)| {
                match self.action(at)? {
                    _ if !reading.is_exact => None,
                    action if action.goes_on() => None,
                    Action::Jump(to) => {
                        self.taker_inside(*to, packet, 1).map(|inner| [&[at], inner.as_slice()].concat())
                    }
                    // Whoever goes to another chain, or returns, does not come here.
                    _ => Some(vec![at]),
                }
            })
        })
    }

    /// The rule of a chain, or of those that it leads to, that surely takes a packet for good.
    fn taker_inside(&self, chain: ChainId, packet: &Packet, depth: usize) -> Option<Vec<RuleAt>> {
        for (at, reading) in self.matching(chain, packet) {
            match self.action(at)? {
                action if action.goes_on() => {}
                Action::Return => return None,
                action @ (Action::Jump(to) | Action::Goto(to)) => {
                    let is_certain = reading.is_exact && depth < DEEPEST;
                    let inner = if is_certain { self.taker_inside(*to, packet, depth + 1) } else { None };
                    match inner {
                        Some(inner) => return Some([&[at], inner.as_slice()].concat()),
                        None if matches!(action, Action::Goto(_)) => return None,
                        None => {}
                    }
                }
                _ if reading.is_exact => return Some(vec![at]),
                _ => {}
            }
        }
        None
    }

    fn action(&self, (chain, index): RuleAt) -> Option<&Action> {
        self.ruleset.get(chain).rules.get(index).map(|rule| &rule.action)
    }

    /// The rules of a chain that may match a packet.
    fn matching<'s>(&'s self, chain: ChainId, packet: &'s Packet) -> impl Iterator<Item = (RuleAt, &'s Reading)> {
        let readings = self.readings.get(chain.0).into_iter().flatten();
        let numbered = readings.enumerate().map(move |(index, reading)| ((chain, index), reading));
        numbered.filter(|(_, reading)| reading.area.iter().any(|block| block.contains(packet)))
    }

    /// Everything that the last rule of a way takes of an area.
    fn taken(&self, way: &[RuleAt], area: &[Block]) -> Option<Taken> {
        let (first, inside) = way.split_first()?;
        let mut taken = Taken { by: *first, area: self.reading(*first)?.area.clone(), except: Vec::new() };
        for at in inside {
            let before = self.readings.get(at.0.0).into_iter().flatten().enumerate().take(at.1);
            for (index, reading) in before.filter(|(_, reading)| overlap(&reading.area, area)) {
                if matches!(self.action((at.0, index))?, Action::Return | Action::Goto(_)) {
                    taken.except.extend(reading.area.iter().cloned());
                }
            }
            taken.area = product(&taken.area, &self.reading(*at)?.area)?;
            taken.by = *at;
        }
        Some(taken)
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
