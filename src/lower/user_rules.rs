//! Rules that the user gives to iptables, among those of the products. Spec: specs/user-rules.md, specs/ufw.md.
//!
//! A command for a chain that is not there changes nothing, as the kernel refuses it. `-X` is not followed: a chain that
//! can be removed is empty and nobody jumps to it.

mod circles;
pub mod nft;
mod rule;
#[cfg(test)]
mod tests;

use crate::dataplane::{
    ChainId, ChainKind, Dataplane, Hook, HookPoint, Match, NodeId, Policy, Rule, Ruleset, TableFamily, TableId,
};
use crate::lab::iptables::{IptablesChange, IptablesCommand, IptablesRule, IptablesTable};
use crate::net::Family;
use crate::provenance::{Origin, OriginId};
use crate::source::Span;
use crate::switch::{Setting, Switches};

use rule::Place;

/// Applies commands in order.
pub fn apply(commands: &[IptablesCommand], node: NodeId, dataplane: &mut Dataplane) {
    let setting = dataplane.switches.defaults();
    let mut tables = Tables { dataplane, node, setting };
    for command in commands {
        tables.one(command);
    }
    circles::refuse(&mut dataplane.node_mut(node).ruleset);
}

struct Tables<'a> {
    dataplane: &'a mut Dataplane,
    node: NodeId,
    /// Which of the rules that depend on a switch exist.
    setting: Setting,
}

impl Tables<'_> {
    fn one(&mut self, command: &IptablesCommand) {
        let table = self.table(command);
        match &command.change {
            IptablesChange::Append(chain, rule) => self.insert(command, table, chain, rule, |rules| rules.len()),
            IptablesChange::Insert(chain, number, rule) => {
                let setting = self.setting.clone();
                self.insert(command, table, chain, rule, |rules| place(rules, *number, &setting));
            }
            IptablesChange::Replace(chain, number, rule) => {
                self.delete_at(table, chain, *number);
                let setting = self.setting.clone();
                self.insert(command, table, chain, rule, |rules| place(rules, *number, &setting));
            }
            IptablesChange::Delete(chain, rule) => self.delete(command, table, chain, rule),
            IptablesChange::DeleteAt(chain, number) => self.delete_at(table, chain, *number),
            IptablesChange::Flush(chain) => self.flush(table, chain.as_deref()),
            IptablesChange::New(chain) => {
                let origin = self.written(format!("chain `{chain}`"), command.span);
                self.ruleset().chain(table, chain, None, origin);
            }
            IptablesChange::Rename(old, new) => self.rename(table, old, new),
            IptablesChange::Policy(chain, accepts) => self.set_policy(command, table, chain, *accepts),
            IptablesChange::Clear => self.clear(command.family),
            IptablesChange::Remove(_) => {}
        }
    }

    fn ruleset(&mut self) -> &mut Ruleset {
        &mut self.dataplane.node_mut(self.node).ruleset
    }

    fn written(&mut self, what: String, span: Span) -> OriginId {
        self.dataplane.origins.add(Origin::written(what, span))
    }

    /// The table with its built-in chains.
    fn table(&mut self, command: &IptablesCommand) -> TableId {
        let table = self.ruleset().table(table_family(command.family), command.table.name());
        for name in command.table.built_in() {
            if self.ruleset().find(table, name).is_none() {
                let origin = self.written(format!("built-in chain `{name}`"), command.span);
                self.ruleset().chain(table, name, hook_point(command.table, name), origin);
            }
        }
        table
    }

    fn find(&mut self, table: TableId, chain: &str) -> Option<ChainId> {
        self.ruleset().find(table, chain)
    }

    fn insert(
        &mut self,
        command: &IptablesCommand,
        table: TableId,
        chain: &str,
        rule: &IptablesRule,
        place: impl Fn(&[Rule]) -> usize,
    ) {
        let Some(id) = self.find(table, chain) else { return };
        let Some(rules) = self.place(command, table, chain).lowered(rule) else { return };
        let present = &mut self.ruleset().get_mut(id).rules;
        let at = place(present).min(present.len());
        present.splice(at..at, rules);
    }

    fn delete(&mut self, command: &IptablesCommand, table: TableId, chain: &str, rule: &IptablesRule) {
        let Some(id) = self.find(table, chain) else { return };
        let Some(gone) = self.place(command, table, chain).lowered(rule) else { return };
        for rule in gone {
            let node = self.dataplane.node(self.node);
            let switches = &self.dataplane.switches;
            let at = node.ruleset.get(id).rules.iter().position(|r| same_rule(r, &rule, switches));
            if let Some(at) = at {
                self.ruleset().get_mut(id).rules.remove(at);
            }
        }
    }

    fn delete_at(&mut self, table: TableId, chain: &str, number: usize) {
        let Some(id) = self.find(table, chain) else { return };
        let setting = self.setting.clone();
        let rules = &mut self.ruleset().get_mut(id).rules;
        let at = place(rules, number, &setting);
        if at < rules.len() {
            rules.remove(at);
        }
    }

    fn flush(&mut self, table: TableId, chain: Option<&str>) {
        let chains = self.ruleset().chains.iter_mut().filter(|c| c.table == table);
        chains.filter(|c| chain.is_none_or(|name| name == c.name)).for_each(|c| c.rules.clear());
    }

    fn rename(&mut self, table: TableId, old: &str, new: &str) {
        if self.find(table, new).is_some() {
            return;
        }
        if let Some(id) = self.find(table, old) {
            new.clone_into(&mut self.ruleset().get_mut(id).name);
        }
    }

    fn set_policy(&mut self, command: &IptablesCommand, table: TableId, chain: &str, accepts: bool) {
        let Some(id) = self.find(table, chain) else { return };
        let (policy, word) = if accepts { (Policy::Accept, "ACCEPT") } else { (Policy::Drop, "DROP") };
        let origin = self.written(format!("policy {word} of `{chain}`"), command.span);
        let chain = self.ruleset().get_mut(id);
        chain.origin = origin;
        if let Some(point) = &mut chain.hook {
            point.policy = policy;
        }
    }

    /// Empties every table of the family; chains that are not read again stay, and nobody jumps to them.
    fn clear(&mut self, family: Family) {
        let ruleset = self.ruleset();
        let wanted = table_family(family);
        let tables: Vec<TableId> =
            (0..ruleset.tables.len()).map(TableId).filter(|id| ruleset.get_table(*id).family == wanted).collect();
        for chain in ruleset.chains.iter_mut().filter(|c| tables.contains(&c.table)) {
            chain.rules.clear();
            if let Some(point) = &mut chain.hook {
                point.policy = Policy::Accept;
            }
        }
    }

    fn place<'a>(&'a mut self, command: &IptablesCommand, table: TableId, chain: &'a str) -> Place<'a> {
        let (dataplane, node) = (&mut *self.dataplane, self.node);
        Place { dataplane, node, table, chain, family: Some(command.family), span: command.span }
    }
}

fn table_family(family: Family) -> TableFamily {
    match family {
        Family::V4 => TableFamily::Iptables,
        // `ip6tables` of nf_tables writes to the tables of nft's `ip6`.
        Family::V6 => TableFamily::Ip6,
    }
}

/// Fixed by the kernel (Linux 6.1 include/uapi/linux/netfilter_ipv4.h, enum nf_ip_hook_priorities).
fn hook_point(table: IptablesTable, chain: &str) -> Option<HookPoint> {
    let hook = match chain {
        "PREROUTING" => Hook::Prerouting,
        "INPUT" => Hook::Input,
        "FORWARD" => Hook::Forward,
        "OUTPUT" => Hook::Output,
        "POSTROUTING" => Hook::Postrouting,
        _ => return None,
    };
    let (kind, priority) = match table {
        IptablesTable::Raw => (ChainKind::Filter, -300),
        IptablesTable::Mangle => (ChainKind::Filter, -150),
        IptablesTable::Nat if matches!(hook, Hook::Postrouting | Hook::Input) => (ChainKind::Nat, 100),
        IptablesTable::Nat => (ChainKind::Nat, -100),
        IptablesTable::Filter => (ChainKind::Filter, 0),
        IptablesTable::Security => (ChainKind::Filter, 50),
    };
    Some(HookPoint { hook, kind, priority, policy: Policy::Accept })
}

/// Where the rule with this number (from 1) stands, or would stand; rules that do not exist are not counted.
fn place(rules: &[Rule], number: usize, setting: &Setting) -> usize {
    let mut present = rules.iter().enumerate().filter(|(_, r)| setting.allows(r.guard));
    present.nth(number.saturating_sub(1)).map_or(rules.len(), |(at, _)| at)
}

fn same_rule(a: &Rule, b: &Rule, switches: &Switches) -> bool {
    let in_other = |m: &Match, other: &[Match]| other.iter().any(|o| same_condition(m, o, switches));
    a.action == b.action
        && a.matches.len() == b.matches.len()
        && a.matches.iter().all(|m| in_other(m, &b.matches))
        && b.matches.iter().all(|m| in_other(m, &a.matches))
}

/// Conditions without a model are the same if they read the same.
fn same_condition(a: &Match, b: &Match, switches: &Switches) -> bool {
    match (a, b) {
        (Match::Unmodeled(a), Match::Unmodeled(b)) => switches.get(*a).statement == switches.get(*b).statement,
        (Match::Not(a), Match::Not(b)) | (Match::Roughly(a), Match::Roughly(b)) => same_condition(a, b, switches),
        (Match::AnyOf(a), Match::AnyOf(b)) | (Match::AllOf(a), Match::AllOf(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_condition(a, b, switches))
        }
        _ => a == b,
    }
}
