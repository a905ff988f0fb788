//! What tables mean: each rule becomes rules with one action each, and lookups in sets and maps are written out.

use crate::frontend::netfilter::condition::{any, never};
use crate::frontend::netfilter::gaps::{self, Gaps};
use crate::frontend::netfilter::value::{Read, Trouble};
use crate::lab::iptables::{Condition, IptablesRule, IptablesTable, RejectWith, RuleTarget};
use crate::lab::nft::{NftBase, NftChain, NftFamily, NftHook, NftTable};
use crate::language::{Text, text};
use crate::net::Family;
use crate::source::Spanned;

use super::syntax::{
    Assigned, Base, Chain, Comparison, Element, Family as TableFamily, Given, Key, Left, Relation, Rule, Statement,
    Table, Value, Verdict,
};
use super::{key, translation, value};

/// What is set and changes nothing that a verdict depends on.
const WITHOUT_EFFECT: [&str; 18] = [
    "meta priority",
    "meta nftrace",
    "meta secmark",
    "ip dscp",
    "ip ecn",
    "ip ttl",
    "ip6 dscp",
    "ip6 ecn",
    "ip6 hoplimit",
    "ip6 flowlabel",
    "ct helper",
    "ct label",
    "ct timeout",
    "ct expectation",
    "ct event",
    "ct secmark",
    "vlan pcp",
    "ct eventmask",
];

/// One table; nothing if its family has no hooks of IP.
pub(super) fn table(table: &Table, gaps: &mut Gaps, unmodeled: &mut Vec<Spanned<Text>>) -> Option<NftTable> {
    let family = match table.family {
        TableFamily::Ip => NftFamily::Ip,
        TableFamily::Ip6 => NftFamily::Ip6,
        TableFamily::Inet => NftFamily::Inet,
        TableFamily::Bridge | TableFamily::Netdev | TableFamily::Arp => {
            let has_effect = !table.is_dormant && table.chains.iter().any(stops_something);
            let (family, name) = (table.family.name(), &table.name.value);
            let what = text!("table `{family} {name}`", "`{family} {name}` 테이블");
            unmodeled.extend(has_effect.then(|| Spanned::new(what, table.name.span)));
            return None;
        }
    };
    let is_of_iptables = is_of_iptables(table);
    let mut meaning = Meaning { table, is_of_iptables, gaps };
    let mut chains = Vec::new();
    for chain in &table.chains {
        let base = match chain.base.as_ref().filter(|_| !table.is_dormant) {
            None => None,
            Some(base) => match hooked(base) {
                Some(hooked) => Some(hooked),
                None => {
                    let (name, hook) = (&chain.name.value, &base.hook);
                    let what = text!("chain `{name}` at `{hook}`", "`{hook}`의 `{name}` 체인");
                    unmodeled.extend(stops_something(chain).then(|| Spanned::new(what, chain.name.span)));
                    continue;
                }
            },
        };
        let rules = chain.rules.iter().flat_map(|rule| meaning.rule(rule)).collect();
        chains.push(NftChain { name: chain.name.value.clone(), base, rules, span: chain.name.span });
    }
    Some(NftTable { family, name: table.name.value.clone(), chains, span: table.name.span })
}

/// iptables keeps its tables in nftables, with the names of old (iptables-nft(8)).
fn is_of_iptables(table: &Table) -> bool {
    let known = IptablesTable::ALL.into_iter().find(|t| t.name() == table.name.value);
    let is_built_in = |chain: &Chain| known.is_some_and(|t| t.built_in().contains(&chain.name.value.as_str()));
    matches!(table.family, TableFamily::Ip | TableFamily::Ip6)
        && table.chains.iter().any(|chain| chain.base.is_some())
        && table.chains.iter().filter(|chain| chain.base.is_some()).all(is_built_in)
}

/// Whether a chain does anything but accept and count.
fn stops_something(chain: &Chain) -> bool {
    let is_harmless = |statement: &Statement| match statement {
        Statement::Verdict(verdict) => matches!(
            verdict,
            Verdict::Accept | Verdict::Continue | Verdict::Return | Verdict::Jump(_) | Verdict::Goto(_)
        ),
        Statement::Match(_) | Statement::Nothing | Statement::Assumed { .. } | Statement::Unmodeled(_) => true,
        _ => false,
    };
    let drops = chain.base.as_ref().is_some_and(|base| !base.accepts);
    drops || chain.rules.iter().flat_map(|rule| &rule.statements).any(|statement| !is_harmless(statement))
}

fn hooked(base: &Base) -> Option<NftBase> {
    let hook = match base.hook.as_str() {
        "prerouting" => NftHook::Prerouting,
        "input" => NftHook::Input,
        "forward" => NftHook::Forward,
        "output" => NftHook::Output,
        "postrouting" => NftHook::Postrouting,
        _ => return None,
    };
    Some(NftBase { hook, is_nat: base.kind == "nat", priority: base.priority, accepts: base.accepts })
}

pub(super) struct Meaning<'a> {
    table: &'a Table,
    /// The table is one that iptables keeps.
    is_of_iptables: bool,
    gaps: &'a mut Gaps,
}

impl Meaning<'_> {
    fn rule(&mut self, rule: &Rule) -> Vec<Spanned<IptablesRule>> {
        let mut rules = self.statements(&rule.statements);
        if rules.is_empty() {
            // It only counts, or looks into an empty map.
            rules.push(IptablesRule { conditions: Vec::new(), target: RuleTarget::Nothing });
        }
        for what in rules.iter().flat_map(gaps::of_rule) {
            self.gaps.add(&what, rule.span);
        }
        rules.into_iter().map(|meant| Spanned::new(meant, rule.span)).collect()
    }

    /// Statements from left to right: conditions hold for everything behind them.
    fn statements(&mut self, statements: &[Statement]) -> Vec<IptablesRule> {
        let mut conditions = Vec::new();
        let mut rules = Vec::new();
        for (index, statement) in statements.iter().enumerate() {
            let with = |more: Vec<Condition>, target| IptablesRule {
                conditions: conditions.iter().cloned().chain(more).collect(),
                target,
            };
            match statement {
                Statement::Match(comparison) => {
                    let holds = self.comparison(comparison);
                    conditions.extend(holds);
                }
                Statement::Assumed { text, holds } => conditions.push(Condition::Assumed(text.clone(), *holds)),
                Statement::Unmodeled(text) => conditions.push(Condition::Unmodeled(text.clone())),
                Statement::Nothing | Statement::Fills(_) => {}
                Statement::Verdict(verdict) => rules.push(with(Vec::new(), self.verdict(verdict))),
                Statement::VerdictMap(left, map) => {
                    rules.extend(self.verdict_map(left, map).into_iter().map(|(more, target)| with(more, target)));
                }
                Statement::Reject(words) => rules.push(with(Vec::new(), rejection(words))),
                Statement::Nat(nat) => {
                    rules.extend(translation::read(self, nat).into_iter().map(|(more, target)| with(more, target)));
                }
                Statement::Untrack => rules.push(with(Vec::new(), RuleTarget::Untrack)),
                Statement::Diverts(text) => rules.push(with(Vec::new(), RuleTarget::Diverts(text.clone()))),
                Statement::Set(key, assigned) => {
                    let behind = statements.get(index + 1..).map_or(Vec::new(), |rest| self.statements(rest));
                    let first = IptablesRule { conditions: Vec::new(), target: set(key, assigned) };
                    // Conditions on a mark must not be asked again once it is set.
                    match (first.target == RuleTarget::Nothing, behind.is_empty()) {
                        (true, _) => rules.extend(behind.into_iter().map(|r| with(r.conditions, r.target))),
                        (false, true) => rules.push(with(Vec::new(), first.target)),
                        (false, false) => {
                            let block = [first].into_iter().chain(behind).collect();
                            rules.push(with(Vec::new(), RuleTarget::Block(block)));
                        }
                    }
                    return rules;
                }
            }
        }
        rules
    }

    fn verdict(&mut self, verdict: &Verdict) -> RuleTarget {
        match verdict {
            Verdict::Accept => RuleTarget::Accept,
            Verdict::Drop => RuleTarget::Drop,
            Verdict::Continue => RuleTarget::Nothing,
            Verdict::Return => RuleTarget::Return,
            Verdict::Jump(to) => RuleTarget::Jump(to.clone()),
            Verdict::Goto(to) => RuleTarget::Goto(to.clone()),
            Verdict::Queue => RuleTarget::Unmodeled("queue".to_owned()),
            Verdict::Block(rules) => {
                RuleTarget::Block(rules.iter().flat_map(|rule| self.statements(&rule.statements)).collect())
            }
        }
    }

    /// One way for every element. No two elements have the same key; `*` is for the keys of none.
    fn verdict_map(&mut self, left: &Left, map: &Value) -> Vec<(Vec<Condition>, RuleTarget)> {
        let mut ways = Vec::new();
        for (conditions, given) in self.lookup(left, map) {
            let target = match given {
                Some(Given::Verdict(verdict)) => self.verdict(&verdict),
                _ => RuleTarget::Unmodeled("vmap".to_owned()),
            };
            ways.push((conditions, target));
        }
        ways
    }

    pub(super) fn sees_both_families(&self) -> bool {
        self.table.family == TableFamily::Inet
    }

    /// The elements of a map with the conditions under which each is found.
    pub(super) fn lookup(&self, left: &Left, map: &Value) -> Vec<(Vec<Condition>, Option<Given>)> {
        let implied = self.implied(left);
        let with = |condition: Option<Condition>| implied.iter().cloned().chain(condition).collect::<Vec<_>>();
        let Some(elements) = self.elements(map) else {
            return vec![(with(Some(Condition::Unmodeled(format!("{} map", left.keys.join(" . "))))), None)];
        };
        let is_rest = |element: &&Element| matches!(&element.key, Value::Word(word) if word == "*");
        let holds = |element: &Element| {
            let unknown = || Some(Condition::Unmodeled(format!("{} in a map", left.keys.join(" . "))));
            self.equals(left, &element.key).unwrap_or_else(|_| unknown())
        };
        let mut found: Vec<_> = elements
            .iter()
            .filter(|element| !is_rest(element))
            .map(|element| (with(holds(element)), element.gives.clone()))
            .collect();
        if let Some(rest) = elements.iter().find(is_rest) {
            let others = elements.iter().filter(|element| !is_rest(element)).filter_map(holds).collect();
            found.push((with(Some(Condition::Not(Box::new(Condition::AnyOf(others))))), rest.gives.clone()));
        }
        found
    }

    /// The elements of a set that is written here or has a name.
    fn elements<'v>(&'v self, value: &'v Value) -> Option<&'v [Element]> {
        match value {
            Value::Set(elements) => Some(elements),
            Value::Named(name) => self.table.sets.iter().find(|set| set.name == *name).map(|set| &*set.elements),
            _ => None,
        }
    }

    /// What the keys imply, without what the table's family says already.
    fn implied(&self, left: &Left) -> Vec<Condition> {
        let mut all: Vec<Condition> = Vec::new();
        let of_table = match self.table.family {
            TableFamily::Ip => Some(Condition::Family(Family::V4)),
            TableFamily::Ip6 => Some(Condition::Family(Family::V6)),
            _ => None,
        };
        for condition in left.keys.iter().flat_map(|key| key::implied(key)) {
            if Some(&condition) != of_table.as_ref() && !all.contains(&condition) {
                all.push(condition);
            }
        }
        all
    }

    fn comparison(&mut self, comparison: &Comparison) -> Vec<Condition> {
        let Comparison { left, relation, right, text } = comparison;
        let mut conditions = self.implied(left);
        let unmodeled = || Condition::Unmodeled(text.clone());
        let holds = match (relation, left.keys.as_slice()) {
            (Relation::Is | Relation::IsNot, _) => self.equals(left, right),
            (relation, [key]) if left.mask.is_none() => key::by_size(key, *relation, right).map(Some),
            _ => Err(Trouble::Unknown),
        };
        let holds = holds.map(|condition| self.with_lost_states(left, condition));
        match (holds, relation) {
            (Err(_), _) => conditions.push(unmodeled()),
            (Ok(None), Relation::IsNot) => conditions.push(never()),
            (Ok(None), _) => {}
            (Ok(Some(condition)), Relation::IsNot) => conditions.push(Condition::Not(Box::new(condition))),
            (Ok(Some(condition)), _) => conditions.push(condition),
        }
        conditions
    }

    /// nft prints `--ctstate RELATED,DNAT` of iptables as `ct status dnat`: which states there were is lost
    /// (`iptables-translate` 1.8.9; extensions/libxt_conntrack.c, `_conntrack3_mt_xlate`).
    fn with_lost_states(&self, left: &Left, condition: Option<Condition>) -> Option<Condition> {
        let is_lossy = self.is_of_iptables && left.keys == ["ct status"];
        let lost = || Condition::Unmodeled("--ctstate …,DNAT".to_owned());
        if is_lossy { condition.map(|condition| Condition::AnyOf(vec![condition, lost()])) } else { condition }
    }

    /// Under what condition keys have a value, or one of a set.
    fn equals(&self, left: &Left, right: &Value) -> Read<Option<Condition>> {
        match (right, self.elements(right)) {
            (_, Some(elements)) => self.among(left, right, elements),
            (Value::Named(_) | Value::Map(..), None) => Err(Trouble::Unknown),
            (value, None) => one(left, value),
        }
    }

    fn among(&self, left: &Left, right: &Value, elements: &[Element]) -> Read<Option<Condition>> {
        let mut any_of = Vec::with_capacity(elements.len());
        for element in elements {
            match one(left, &element.key) {
                Ok(Some(condition)) => any_of.push(condition),
                Ok(None) => return Ok(None),
                Err(_) => any_of.push(Condition::Unmodeled(format!("{} in a set", left.keys.join(" . ")))),
            }
        }
        if let Value::Named(name) = right
            && self.table.sets.iter().any(|set| set.name == *name && set.is_dynamic)
        {
            let text = format!("{} @{name}", left.keys.join(" . "));
            any_of.push(Condition::Assumed(text, false));
        }
        Ok(Some(any(any_of)))
    }
}

/// Under what condition keys have one value, with a part for each key.
fn one(left: &Left, value: &Value) -> Read<Option<Condition>> {
    match (left.keys.as_slice(), &left.mask, value) {
        ([key], None, value) => key::is(key, value),
        ([key], Some(mask), value) => key::is_under(key, mask, value),
        (keys, None, Value::Joined(parts)) if keys.len() == parts.len() => {
            let mut all = Vec::new();
            for (key, part) in keys.iter().zip(parts) {
                all.extend(key::is(key, part)?);
            }
            Ok(Some(Condition::AllOf(all)))
        }
        _ => Err(Trouble::Unknown),
    }
}

fn rejection(words: &[String]) -> RuleTarget {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "type").collect();
    RuleTarget::Reject(match words.as_slice() {
        ["tcp", "reset"] => RejectWith::TcpReset,
        [] | [_, "port-unreachable"] => RejectWith::Port,
        [_, "host-unreachable" | "addr-unreachable"] => RejectWith::Host,
        [_, "net-unreachable" | "no-route"] => RejectWith::Net,
        [_, "host-prohibited"] => RejectWith::HostProhibited,
        [_, "admin-prohibited" | "net-prohibited"] => RejectWith::AdminProhibited,
        _ => return RuleTarget::Unmodeled(format!("reject with {}", words.join(" "))),
    })
}

/// What setting a key does.
fn set(key: &Key, assigned: &Assigned) -> RuleTarget {
    let other = || RuleTarget::Diverts(format!("{key} set"));
    if WITHOUT_EFFECT.contains(&key.as_str()) || key.starts_with("tcp option") {
        return RuleTarget::Nothing;
    }
    match (key.as_str(), assigned) {
        ("meta mark", Assigned::Bits { value, mask }) => {
            value::mark(value).map_or_else(|_| other(), |value| RuleTarget::SetMark { value, mask: *mask })
        }
        ("ct mark", Assigned::Bits { value, mask }) => {
            value::mark(value).map_or_else(|_| other(), |value| RuleTarget::SetConnectionMark { value, mask: *mask })
        }
        ("meta mark", Assigned::Key { key, mask }) if key == "ct mark" => RuleTarget::RestoreMark { mask: *mask },
        ("ct mark", Assigned::Key { key, mask }) if key == "meta mark" => RuleTarget::SaveMark { mask: *mask },
        _ => other(),
    }
}
