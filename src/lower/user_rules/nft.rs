//! Rule sets of nftables that a user loads: listings in place of what the products would write, and files for `nft -f`.
//! Spec: specs/user-rules.md.

use crate::dataplane::{ChainId, ChainKind, Dataplane, Hook, HookPoint, NodeId, Policy, Ruleset, TableFamily, TableId};
use crate::lab::iptables::IptablesTable;
use crate::lab::nft::{NftBase, NftChain, NftFamily, NftHook, NftRuleset, NftTable};
use crate::language::text;
use crate::net::Family;
use crate::provenance::Origin;

use super::circles;
use super::rule::Place;

/// Loads a rule set.
pub fn load(ruleset: &NftRuleset, node: NodeId, dataplane: &mut Dataplane) {
    if ruleset.replaces {
        let ruleset = &mut dataplane.node_mut(node).ruleset;
        *ruleset = without_tables(ruleset);
    }
    for table in &ruleset.tables {
        let id = dataplane.node_mut(node).ruleset.table(family_of(table), &table.name);
        // Chains first: rules jump to chains further down.
        let chains: Vec<ChainId> = table.chains.iter().map(|chain| declare(chain, id, node, dataplane)).collect();
        for (chain, chain_id) in table.chains.iter().zip(chains) {
            fill(table, chain, (id, chain_id), node, dataplane);
        }
    }
    circles::refuse(&mut dataplane.node_mut(node).ruleset);
}

/// What is left when netfilter is emptied: what only the model keeps among the chains, filters on sockets, in tables whose
/// names nft could not write. Nothing jumps there.
fn without_tables(ruleset: &Ruleset) -> Ruleset {
    let mut left = Ruleset::default();
    for chain in &ruleset.chains {
        let table = ruleset.get_table(chain.table);
        if table.name.contains(' ') {
            let id = left.table(table.family, &table.name);
            let id = left.chain(id, &chain.name, chain.hook, chain.origin);
            left.get_mut(id).rules.clone_from(&chain.rules);
        }
    }
    left
}

fn declare(chain: &NftChain, table: TableId, node: NodeId, dataplane: &mut Dataplane) -> ChainId {
    let origin = dataplane
        .origins
        .add(Origin::written(text!("chain `{name}`", "`{name}` 체인", name = &chain.name), chain.span));
    let hook = chain.base.as_ref().map(hook_point);
    dataplane.node_mut(node).ruleset.chain(table, &chain.name, hook, origin)
}

fn fill(table: &NftTable, chain: &NftChain, ids: (TableId, ChainId), node: NodeId, dataplane: &mut Dataplane) {
    let family = match table.family {
        NftFamily::Ip => Some(Family::V4),
        NftFamily::Ip6 => Some(Family::V6),
        NftFamily::Inet => None,
    };
    for rule in &chain.rules {
        let mut place = Place { dataplane, node, table: ids.0, chain: &chain.name, family, span: rule.span };
        let lowered = place.lowered(&rule.value).unwrap_or_default();
        dataplane.node_mut(node).ruleset.get_mut(ids.1).rules.extend(lowered);
    }
}

/// iptables keeps its tables in nftables, too (iptables-nft(8)): these are the same tables.
fn family_of(table: &NftTable) -> TableFamily {
    let iptables = IptablesTable::ALL.into_iter().find(|t| t.name() == table.name);
    let is_built_in = |chain: &NftChain| iptables.is_some_and(|table| table.built_in().contains(&chain.name.as_str()));
    match table.family {
        NftFamily::Ip if table.chains.iter().filter(|c| c.base.is_some()).all(is_built_in) => {
            if iptables.is_some() {
                TableFamily::Iptables
            } else {
                TableFamily::Ip
            }
        }
        NftFamily::Ip => TableFamily::Ip,
        NftFamily::Ip6 => TableFamily::Ip6,
        NftFamily::Inet => TableFamily::Inet,
    }
}

fn hook_point(base: &NftBase) -> HookPoint {
    HookPoint {
        hook: match base.hook {
            NftHook::Prerouting => Hook::Prerouting,
            NftHook::Input => Hook::Input,
            NftHook::Forward => Hook::Forward,
            NftHook::Output => Hook::Output,
            NftHook::Postrouting => Hook::Postrouting,
        },
        kind: if base.is_nat { ChainKind::Nat } else { ChainKind::Filter },
        priority: base.priority,
        policy: if base.accepts { Policy::Accept } else { Policy::Drop },
    }
}
