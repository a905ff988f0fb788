//! Rules that the user gives to iptables, among those of the products. Spec: specs/user-rules.md, specs/ufw.md.
//!
//! A command for a chain that is not there changes nothing, as the kernel refuses it. `-X` is not followed: a chain that
//! can be removed is empty and nobody jumps to it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::dataplane::{
    Action, ChainId, ChainKind, Dataplane, Hook, HookPoint, Match, NodeId, Policy, Reject, Rule, Ruleset, States,
    TableFamily, TableId,
};
use crate::lab::iptables::{
    AddressKind, Condition, ConnectionState, IptablesChange, IptablesCommand, IptablesRule, IptablesTable, RejectWith,
    RuleTarget,
};
use crate::net::{Family, IpNet, Ipv4Net, Ipv6Net};
use crate::provenance::{Origin, OriginId};
use crate::source::Span;
use crate::switch::{Setting, Switch, SwitchKind, Switches};

/// The kernel refuses to jump deeper than this (Linux 6.1 include/net/netfilter/nf_tables.h, NFT_JUMP_STACK_SIZE), and
/// thereby in circles.
const DEEPEST_JUMP: usize = 16;

#[cfg(test)]
mod tests;

/// Applies commands in order.
pub fn apply(commands: &[IptablesCommand], node: NodeId, dataplane: &mut Dataplane) {
    let setting = dataplane.switches.defaults();
    let mut tables = Tables { dataplane, node, setting };
    for command in commands {
        tables.one(command);
    }
    refuse_circles(&mut dataplane.node_mut(node).ruleset);
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
        let Some(rules) = self.lowered(command, table, chain, rule) else { return };
        let present = &mut self.ruleset().get_mut(id).rules;
        let at = place(present).min(present.len());
        present.splice(at..at, rules);
    }

    fn delete(&mut self, command: &IptablesCommand, table: TableId, chain: &str, rule: &IptablesRule) {
        let Some(id) = self.find(table, chain) else { return };
        let Some(gone) = self.lowered(command, table, chain, rule) else { return };
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

    /// One rule; two where the target has no model and may both let through and stop. Nothing if it jumps to a chain
    /// that is not there.
    fn lowered(
        &mut self,
        command: &IptablesCommand,
        table: TableId,
        chain: &str,
        rule: &IptablesRule,
    ) -> Option<Vec<Rule>> {
        let origin = self.written(format!("rule in `{chain}`"), command.span);
        let actions = match &rule.target {
            RuleTarget::Jump(to) => vec![Action::Jump(self.find(table, to)?)],
            RuleTarget::Goto(to) => vec![Action::Goto(self.find(table, to)?)],
            RuleTarget::Unmodeled(_) => vec![Action::Accept, Action::Drop],
            target => vec![plain_action(target)],
        };
        let has_effect = rule.target != RuleTarget::Nothing;
        let mut rules = Vec::new();
        for action in actions {
            let conditions = rule.conditions.iter().filter(|c| has_effect || !is_unmodeled(c));
            let mut matches: Vec<Match> = conditions.map(|c| self.condition(c, command)).collect();
            if let RuleTarget::Unmodeled(text) = &rule.target {
                matches.push(self.unmodeled(format!("`{text}` does {action:?}"), command.span));
            }
            rules.push(Rule { matches, action, guard: None, origin });
        }
        Some(rules)
    }

    fn unmodeled(&mut self, statement: String, span: Span) -> Match {
        let origin = Origin::written(statement.clone(), span);
        let switch = Switch { statement, default: false, kind: SwitchKind::Unmodeled, origin };
        Match::Unmodeled(self.dataplane.switches.add(switch))
    }

    fn condition(&mut self, condition: &Condition, command: &IptablesCommand) -> Match {
        match condition {
            Condition::Protocol(protocol) => Match::Protocol(*protocol),
            Condition::ProtocolNumber(number) => Match::ProtocolNumber(*number),
            Condition::Source(net) => Match::Source(*net),
            Condition::Destination(net) => Match::Destination(*net),
            Condition::SourcePort(ports) => Match::SourcePort(*ports),
            Condition::DestinationPort(ports) => Match::DestinationPort(*ports),
            Condition::InInterface(name) => Match::InInterface(name.clone()),
            Condition::OutInterface(name) => Match::OutInterface(name.clone()),
            Condition::State(states) => state(states),
            Condition::OriginalDestination(net) => Match::OriginalDestination(*net),
            Condition::OriginalDestinationPort(ports) => Match::OriginalDestinationPort(*ports),
            Condition::SourceKind(kind) => self.kind(*kind, command.family, Match::SourceIsLocal, Match::Source),
            Condition::DestinationKind(kind) => {
                self.kind(*kind, command.family, Match::DestinationIsLocal, Match::Destination)
            }
            Condition::Mark { value, mask } => Match::Mark { value: *value, mask: *mask },
            Condition::IcmpType(number) => Match::IcmpType(*number),
            Condition::AnyOf(all) => Match::AnyOf(all.iter().map(|c| self.condition(c, command)).collect()),
            Condition::Not(inner) => Match::Not(Box::new(self.condition(inner, command))),
            Condition::Roughly(inner) => Match::Roughly(Box::new(self.condition(inner, command))),
            Condition::Unmodeled(text) => self.unmodeled(format!("`{text}` holds"), command.span),
        }
    }

    fn kind(&self, kind: AddressKind, family: Family, local: Match, inside: impl Fn(IpNet) -> Match) -> Match {
        let multicast = match family {
            Family::V4 => IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4)),
            Family::V6 => IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8)),
        };
        match kind {
            AddressKind::Local => local,
            AddressKind::Multicast => inside(multicast),
            AddressKind::Broadcast => Match::AnyOf(self.broadcasts(family).into_iter().map(inside).collect()),
            AddressKind::Unicast => {
                let others = [multicast].into_iter().chain(self.broadcasts(family)).map(inside);
                Match::AnyOf(others.chain([local]).collect()).negated()
            }
        }
    }

    /// 255.255.255.255, and the last address of every subnet that the node is in.
    fn broadcasts(&self, family: Family) -> Vec<IpNet> {
        if family == Family::V6 {
            return Vec::new();
        }
        let addresses = self.dataplane.node(self.node).interfaces.iter().flat_map(|i| &i.addresses);
        let subnets = addresses.filter(|a| a.net.addr().is_ipv4() && a.net.prefix_len() < 31);
        let last = subnets.map(|a| IpNet::from(a.net.broadcast()));
        last.chain([IpNet::from(IpAddr::V4(Ipv4Addr::BROADCAST))]).collect()
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

/// What a target does that needs no other chain.
fn plain_action(target: &RuleTarget) -> Action {
    match target {
        RuleTarget::Accept => Action::Accept,
        RuleTarget::Drop => Action::Drop,
        RuleTarget::Return => Action::Return,
        RuleTarget::Reject(with) => Action::Reject(match with {
            RejectWith::TcpReset => Reject::TcpReset,
            RejectWith::Port => Reject::PortUnreachable,
            RejectWith::Host => Reject::HostUnreachable,
            RejectWith::Net => Reject::NetUnreachable,
            RejectWith::HostProhibited => Reject::HostProhibited,
            RejectWith::AdminProhibited => Reject::AdminProhibited,
        }),
        RuleTarget::DestinationNat { address, port } => Action::DestinationNat { address: *address, port: *port },
        RuleTarget::SourceNat(address) => Action::SourceNat { address: *address },
        RuleTarget::Masquerade => Action::Masquerade,
        RuleTarget::Redirect { port } => Action::Redirect { port: *port },
        RuleTarget::SetMark { value, mask } => Action::SetMark { value: *value, mask: *mask },
        RuleTarget::Nothing | RuleTarget::Jump(_) | RuleTarget::Goto(_) | RuleTarget::Unmodeled(_) => Action::Continue,
    }
}

fn state(wanted: &[ConnectionState]) -> Match {
    let has = |state| wanted.contains(&state);
    let states = States {
        new: has(ConnectionState::New),
        established: has(ConnectionState::Established),
        related: has(ConnectionState::Related),
        invalid: has(ConnectionState::Invalid),
        untracked: has(ConnectionState::Untracked),
    };
    let mut any = Vec::new();
    if states != States::default() {
        any.push(Match::State(states));
    }
    if has(ConnectionState::SourceRewritten) {
        any.push(Match::SourceRewritten);
    }
    if has(ConnectionState::DestinationRewritten) {
        any.push(Match::DestinationRewritten);
    }
    match (any.len(), any.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            any.extend(last);
            Match::AnyOf(any)
        }
    }
}

fn is_unmodeled(condition: &Condition) -> bool {
    match condition {
        Condition::Unmodeled(_) => true,
        Condition::Not(inner) | Condition::Roughly(inner) => is_unmodeled(inner),
        Condition::AnyOf(all) => all.iter().any(is_unmodeled),
        _ => false,
    }
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
        (Match::AnyOf(a), Match::AnyOf(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_condition(a, b, switches))
        }
        _ => a == b,
    }
}

/// Takes away jumps that lead deeper than the kernel allows, which is where circles end, too.
fn refuse_circles(ruleset: &mut Ruleset) {
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
