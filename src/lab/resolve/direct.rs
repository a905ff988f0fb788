//! firewalld's direct rules as commands of iptables.
//!
//! With the nftables backend rules go in front of whatever is in a built-in chain, by priority; the iptables backend has
//! a chain of its own for them, `INPUT_direct` (seen with 1.3.3 and 2.5.2; firewall/core/fw_direct.py, `_rule`).

use crate::lab::RuleBackend;
use crate::lab::declaration::DirectRule;
use crate::lab::iptables::{IptablesChange, IptablesCommand};

/// What loading a configuration does: chains, then rules by priority, then whole lines.
pub(super) fn commands(direct: &[DirectRule], backend: RuleBackend) -> Vec<IptablesCommand> {
    let chains =
        direct.iter().filter_map(|d| if let DirectRule::Chain(command) = d { Some(command.clone()) } else { None });
    let lines = direct
        .iter()
        .filter_map(|d| if let DirectRule::Passthrough(command) = d { Some(command.clone()) } else { None });
    let mut loaded: Vec<IptablesCommand> = chains.collect();
    for (at, rule) in direct.iter().enumerate() {
        let before = direct.get(..at).unwrap_or(&[]);
        if let DirectRule::Rule(..) = rule {
            loaded.extend(at_once(rule, true, before, backend));
        }
    }
    loaded.extend(lines);
    loaded
}

/// What one change does to the kernel's tables, next to the rules that are there already.
pub(super) fn at_once(
    rule: &DirectRule,
    is_added: bool,
    before: &[DirectRule],
    backend: RuleBackend,
) -> Option<IptablesCommand> {
    match rule {
        DirectRule::Chain(command) | DirectRule::Passthrough(command) if is_added => Some(command.clone()),
        DirectRule::Rule(priority, command) => {
            let IptablesChange::Append(chain, rule) = &command.change else { return None };
            let own = own_chain(command, chain, backend);
            let earlier = before.iter().filter(|other| goes_before(other, *priority, command, chain)).count();
            let change = if is_added {
                IptablesChange::Insert(own, earlier + 1, rule.clone())
            } else {
                IptablesChange::Delete(own, rule.clone())
            };
            Some(IptablesCommand { change, ..command.clone() })
        }
        DirectRule::Chain(_) | DirectRule::Passthrough(_) => None,
    }
}

fn own_chain(command: &IptablesCommand, chain: &str, backend: RuleBackend) -> String {
    let is_built_in = |name: &str| command.table.built_in().contains(&name);
    match (backend, chain.strip_suffix("_direct")) {
        (RuleBackend::Iptables, _) if is_built_in(chain) => format!("{chain}_direct"),
        // These chains do not exist then, and firewalld takes their names off.
        (RuleBackend::Nftables, Some(own)) if is_built_in(own) => own.to_owned(),
        _ => chain.to_owned(),
    }
}

fn goes_before(other: &DirectRule, priority: i32, command: &IptablesCommand, chain: &str) -> bool {
    let DirectRule::Rule(of_other, other) = other else { return false };
    let IptablesChange::Append(chain_of_other, _) = &other.change else { return false };
    *of_other <= priority && chain_of_other == chain && (other.family, other.table) == (command.family, command.table)
}

/// Adds a rule to a configuration, or takes it away.
pub(super) fn change(direct: &mut Vec<DirectRule>, is_added: bool, rule: &DirectRule) {
    if is_added {
        direct.push(rule.clone());
    } else {
        direct.retain(|other| !same(other, rule));
    }
}

fn same(a: &DirectRule, b: &DirectRule) -> bool {
    let same_command = |a: &IptablesCommand, b: &IptablesCommand| {
        (a.family, a.table) == (b.family, b.table) && format!("{:?}", a.change) == format!("{:?}", b.change)
    };
    match (a, b) {
        (DirectRule::Rule(p, a), DirectRule::Rule(q, b)) => p == q && same_command(a, b),
        (DirectRule::Chain(a), DirectRule::Chain(b)) | (DirectRule::Passthrough(a), DirectRule::Passthrough(b)) => {
            same_command(a, b)
        }
        _ => false,
    }
}
