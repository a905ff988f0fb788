//! Chains that lead to themselves. Spec: specs/user-rules.md.

use std::collections::BTreeMap;

use crate::dataplane::{Action, ChainId, Rule, Ruleset};

/// The kernel refuses to jump deeper than this (Linux 6.1 include/net/netfilter/nf_tables.h, NFT_JUMP_STACK_SIZE), and
/// thereby in circles.
const DEEPEST_JUMP: usize = 16;

/// Takes away jumps that lead deeper than the kernel allows, which is where circles end, too.
pub(super) fn refuse(ruleset: &mut Ruleset) {
    let mut deepest = BTreeMap::new();
    let base: Vec<ChainId> =
        (0..ruleset.chains.len()).map(ChainId).filter(|id| ruleset.get(*id).hook.is_some()).collect();
    for id in base {
        refuse_below(ruleset, id, 0, &mut deepest);
    }
}

fn refuse_below(ruleset: &mut Ruleset, id: ChainId, depth: usize, deepest: &mut BTreeMap<ChainId, usize>) {
    if deepest.get(&id).is_some_and(|known| depth <= *known) {
        return;
    }
    deepest.insert(id, depth);
    let jump = |rule: &Rule| match rule.action {
        Action::Jump(to) | Action::Goto(to) => Some(to),
        _ => None,
    };
    if DEEPEST_JUMP <= depth {
        ruleset.get_mut(id).rules.retain(|rule| jump(rule).is_none());
        return;
    }
    let mut targets: Vec<ChainId> = ruleset.get(id).rules.iter().filter_map(jump).collect();
    targets.sort_unstable();
    targets.dedup();
    for to in targets {
        refuse_below(ruleset, to, depth + 1, deepest);
    }
}
