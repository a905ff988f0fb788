//! Taking chains away from a rule set: what a stop or a reload does to tables. Spec: specs/firewalld-order.md.

use crate::dataplane::{Action, Chain, ChainId, Ruleset, Table};

/// What becomes of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Stays as it is.
    Stays,
    /// Stays without rules. An empty base chain of iptables is taken away and made anew with its next rule (iptables(8),
    /// `-X`), so that it runs before all others of its priority.
    Emptied,
    /// Goes, and its table with it if that has no other chain.
    Goes,
}

/// The rule set with each chain's fate fulfilled. Jumps never leave a table, so a chain that goes must not be the target
/// of one that stays; such a jump goes too.
pub(super) fn flushed(ruleset: &Ruleset, fate: impl Fn(&Table, &Chain) -> Fate) -> Ruleset {
    let mut result = Ruleset::default();
    let fates: Vec<Fate> = ruleset.chains.iter().map(|c| fate(ruleset.get_table(c.table), c)).collect();
    let mut new_ids: Vec<Option<ChainId>> = vec![None; fates.len()];
    for is_emptied in [false, true] {
        for ((chain, fate), new_id) in ruleset.chains.iter().zip(&fates).zip(&mut new_ids) {
            if *fate != Fate::Goes && (*fate == Fate::Emptied) == is_emptied {
                let table = ruleset.get_table(chain.table);
                let table = result.table(table.family, &table.name);
                *new_id = Some(result.chain(table, &chain.name, chain.hook, chain.origin));
            }
        }
    }
    let moved = |id: ChainId| new_ids.get(id.0).copied().flatten();
    for ((chain, fate), id) in ruleset.chains.iter().zip(&fates).zip(&new_ids) {
        let (Some(id), Fate::Stays) = (id, fate) else { continue };
        for rule in &chain.rules {
            let action = match &rule.action {
                Action::Jump(to) => moved(*to).map(Action::Jump),
                Action::Goto(to) => moved(*to).map(Action::Goto),
                other => Some(other.clone()),
            };
            if let Some(action) = action {
                let mut rule = rule.clone();
                rule.action = action;
                result.get_mut(*id).rules.push(rule);
            }
        }
    }
    result
}
