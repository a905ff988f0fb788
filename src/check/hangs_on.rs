//! What an answer hangs on: assumptions, and what is not modelled.

use crate::dataplane::Dataplane;
use crate::diagnostic::Code;
use crate::language::{Text, text};
use crate::property::Sentence;
use crate::smt::{self, Encoding};
use crate::switch::{Setting, SwitchId, SwitchKind, Switches};

use super::decide::{blocker, not_modelled};
use super::verdict::{Answer, Blocker, Condition};

/// The assumptions under which it would be the other way round.
pub(super) fn conditions(
    sentence: &Sentence,
    encoding: &Encoding,
    dataplane: &Dataplane,
    answer: &smt::Answer,
) -> Vec<Condition> {
    let setting = dataplane.switches.defaults();
    let assumptions = of_kind(encoding, &dataplane.switches, SwitchKind::Assumption);
    let changes = |set: &[SwitchId]| opens(encoding, &setting, set) != is_yes(answer);
    let mut sets: Vec<Vec<SwitchId>> = assumptions.iter().map(|id| vec![*id]).filter(|set| changes(set)).collect();
    if sets.is_empty() {
        sets.extend(together(&assumptions, changes));
    }
    let otherwise = if sentence.can == is_yes(answer) { Answer::Violated } else { Answer::Holds };
    sets.iter().filter_map(|set| condition(&dataplane.switches, set, otherwise)).collect()
}

/// What is not modelled and could turn the answer round.
pub(super) fn decisive(encoding: &Encoding, dataplane: &Dataplane, answer: &smt::Answer) -> Vec<Blocker> {
    let setting = dataplane.switches.defaults();
    let open = of_kind(encoding, &dataplane.switches, SwitchKind::Unmodeled);
    let decisive = if open.is_empty() {
        open
    } else if is_yes(answer) {
        let alone: Vec<SwitchId> = open.iter().filter(|id| !opens(encoding, &setting, &[**id])).copied().collect();
        if alone.is_empty() && !opens(encoding, &setting, &open) { open } else { alone }
    } else {
        // Several together may open what none of them opens alone.
        let each: Vec<(SwitchId, u32)> = open.iter().map(|id| (*id, 1)).collect();
        encoding.cheapest_edits(&setting, &each, &[]).unwrap_or_default()
    };
    let unmodeled = |id| {
        let switch = dataplane.switches.get(id);
        blocker(Code::Unmodeled, not_modelled(&switch.statement), switch.origin.clone())
    };
    decisive.into_iter().map(unmodeled).collect()
}

pub(super) fn merge_conditions(all: &mut Vec<Condition>, more: Vec<Condition>) {
    for condition in more {
        if !all.iter().any(|c| c.statement == condition.statement) {
            all.push(condition);
        }
    }
}

fn is_yes(answer: &smt::Answer) -> bool {
    matches!(answer, smt::Answer::Yes(_))
}

/// Whether there is a way if some switches are set otherwise.
fn opens(encoding: &Encoding, setting: &Setting, flipped: &[SwitchId]) -> bool {
    let flipped = flipped.iter().fold(setting.clone(), |all, id| all.with(*id, !setting.is_on(*id)));
    is_yes(&encoding.find(&flipped, &[]))
}

fn of_kind(encoding: &Encoding, switches: &Switches, kind: SwitchKind) -> Vec<SwitchId> {
    encoding.switches().iter().filter(|id| switches.get(**id).kind == kind).copied().collect()
}

/// Assumptions that change an answer only when all of them are wrong: none of them can be left out.
fn together(assumptions: &[SwitchId], changes: impl Fn(&[SwitchId]) -> bool) -> Option<Vec<SwitchId>> {
    let mut set = assumptions.to_vec();
    if set.len() < 2 || !changes(&set) {
        return None;
    }
    for id in assumptions {
        let rest: Vec<SwitchId> = set.iter().copied().filter(|other| other != id).collect();
        if changes(&rest) {
            set = rest;
        }
    }
    Some(set)
}

/// The answer stays as it is if one of the assumptions is right.
fn condition(switches: &Switches, set: &[SwitchId], otherwise: Answer) -> Option<Condition> {
    let first = switches.get(*set.first()?);
    let statements = set.iter().map(|id| &switches.get(*id).statement);
    let statement = Text::joined(statements, &text!(", or ", ", 또는 "));
    Some(Condition { statement, origin: first.origin.clone(), otherwise })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assumptions_that_matter_only_together_are_one_condition() {
        let check = |wrong: &[&[u32]], expected: Option<&[u32]>| {
            let all: Vec<SwitchId> = (0..4).map(SwitchId).collect();
            let changes = |set: &[SwitchId]| wrong.iter().any(|w| w.iter().all(|id| set.contains(&SwitchId(*id))));
            let found = together(&all, changes).map(|set| set.iter().map(|id| id.0).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expected);
        };
        check(&[], None);
        check(&[&[1, 3]], Some(&[1, 3]));
        check(&[&[0, 1, 2], &[2, 3]], Some(&[2, 3]));
    }
}
