//! What rules may leave on a packet and its connection without deciding anything: marks are known numbers on every path,
//! and a path forks where it depends on something unknown which of them a packet has.

use std::mem;

use smallvec::{IntoIter, SmallVec, smallvec};

use crate::dataplane::Action;
use crate::net::Family;

use super::condition::Condition;
use super::rules::Phase;

/// A path forks into at most this many cases that differ only in their marks.
const MOST_CASES: usize = 64;

/// The marks of a packet and of its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Marks {
    pub(super) packet: u32,
    pub(super) connection: u32,
    /// The packet is exempt from connection tracking.
    pub(super) untracked: bool,
}

impl Marks {
    /// The marks behind a rule that sets some.
    pub(super) fn after(self, action: &Action, phase: Phase) -> Self {
        let bits = |old: u32, new: u32, mask: u32| old & !mask | new & mask;
        match action {
            Action::SetMark { value, mask } => Self { packet: bits(self.packet, *value, *mask), ..self },
            Action::SetConnectionMark { value, mask } => {
                Self { connection: bits(self.connection, *value, *mask), ..self }
            }
            Action::SaveMark { mask } => Self { connection: bits(self.connection, self.packet, *mask), ..self },
            Action::RestoreMark { mask } => Self { packet: bits(self.packet, self.connection, *mask), ..self },
            // Too late for packets that are tracked.
            Action::Untrack => Self { untracked: self.untracked || phase == Phase::Unseen, ..self },
            _ => self,
        }
    }
}

/// More cases than are followed.
#[derive(Debug)]
pub(super) struct TooManyMarks;

/// Where nothing sets marks, there is one case.
type Case = [(Marks, Condition); 1];

/// Under which condition a packet has which marks, each only once.
#[derive(Clone, Debug, Default)]
pub(super) struct Cases {
    cases: SmallVec<Case>,
}

impl Cases {
    pub(super) fn one(marks: Marks, condition: Condition) -> Self {
        Self { cases: smallvec![(marks, condition)] }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Marks, Condition)> {
        self.cases.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// Adds packets.
    pub(super) fn add(&mut self, marks: Marks, condition: Condition, family: Family) {
        if matches!(condition, Condition::False) {
            return;
        }
        match self.cases.iter_mut().find(|(present, _)| *present == marks) {
            Some((_, present)) => *present = mem::replace(present, Condition::False).or(condition, family),
            None => self.cases.push((marks, condition)),
        }
    }

    /// Adds the packets of `others` that also fulfil a condition.
    pub(super) fn add_under(&mut self, condition: &Condition, others: Self, family: Family) {
        for (marks, other) in others {
            self.add(marks, condition.clone().and(other, family), family);
        }
    }

    pub(super) fn check(&self) -> Result<(), TooManyMarks> {
        if MOST_CASES < self.cases.len() { Err(TooManyMarks) } else { Ok(()) }
    }
}

impl IntoIterator for Cases {
    type Item = (Marks, Condition);
    type IntoIter = IntoIter<Case>;

    fn into_iter(self) -> Self::IntoIter {
        self.cases.into_iter()
    }
}
