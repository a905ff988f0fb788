//! Rules that look something up in a set of ipset: what the set holds is written out.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::ipset::{IpSet, SetPart};
use crate::lab::iptables::{Condition, IptablesChange, IptablesCommand, IptablesRule, RuleTarget};
use crate::lab::{Declaration, Host};
use crate::language::text;
use crate::source::Span;

use super::Context;
use super::bind::HostPlan;

/// Sets of sets do not go deeper (ipset(8), `list:set` takes no lists; kernels refuse it).
const DEEPEST: usize = 2;

/// Writes out every lookup of a host's rules; the later of two sets of a name counts.
pub(super) fn write_out(context: &mut Context, plan: &HostPlan<'_>, host: &mut Host) {
    let sets = plan.declarations().filter_map(|declaration| match declaration {
        Declaration::IpSet(set) => Some((set.name.value.as_str(), set)),
        _ => None,
    });
    let mut sets = Sets { known: sets.collect(), missing: BTreeMap::new() };
    for command in host.rules.iter_mut().flatten() {
        let IptablesCommand { change, span, .. } = command;
        if let IptablesChange::Append(_, rule)
        | IptablesChange::Insert(_, _, rule)
        | IptablesChange::Replace(_, _, rule)
        | IptablesChange::Delete(_, rule) = change
        {
            sets.rule(rule, *span);
        }
    }
    for (name, span) in sets.missing {
        context.report(unknown_set(&name, span));
    }
}

struct Sets<'a> {
    known: BTreeMap<&'a str, &'a IpSet>,
    missing: BTreeMap<String, Span>,
}

impl Sets<'_> {
    fn rule(&mut self, rule: &mut IptablesRule, span: Span) {
        rule.conditions.iter_mut().for_each(|condition| self.condition(condition, span));
        if let RuleTarget::Block(rules) = &mut rule.target {
            rules.iter_mut().for_each(|inner| self.rule(inner, span));
        }
    }

    fn condition(&mut self, condition: &mut Condition, span: Span) {
        match condition {
            Condition::Not(inner) => self.condition(inner, span),
            Condition::AnyOf(all) | Condition::AllOf(all) => {
                all.iter_mut().for_each(|inner| self.condition(inner, span));
            }
            Condition::InSet { name, sources } => match self.holds(name, sources, 0) {
                Some(held) => *condition = held,
                None => drop(self.missing.entry(name.clone()).or_insert(span)),
            },
            _ => {}
        }
    }

    /// What a set holds; nothing if it is not known.
    fn holds(&self, name: &str, sources: &[bool], depth: usize) -> Option<Condition> {
        let set = self.known.get(name).filter(|_| depth < DEEPEST)?;
        let all = |elements: &[Vec<SetPart>]| {
            let each: Option<Vec<Condition>> =
                elements.iter().map(|element| self.element(element, sources, depth)).collect();
            each.map(Condition::AnyOf)
        };
        let held = all(&set.elements)?;
        if set.excluded.is_empty() {
            return Some(held);
        }
        Some(Condition::AllOf(vec![held, Condition::Not(Box::new(all(&set.excluded)?))]))
    }

    fn element(&self, element: &[SetPart], sources: &[bool], depth: usize) -> Option<Condition> {
        if let [SetPart::Set(name)] = element {
            return self.holds(name, sources, depth + 1);
        }
        let mut all = Vec::new();
        for (part, is_source) in element.iter().zip(sources) {
            all.extend(part_holds(part, *is_source));
        }
        Some(if all.len() == 1 { all.remove(0) } else { Condition::AllOf(all) })
    }
}

fn part_holds(part: &SetPart, is_source: bool) -> Vec<Condition> {
    match part {
        SetPart::Nets(nets) => {
            let of = if is_source { Condition::Source } else { Condition::Destination };
            match nets.as_slice() {
                [net] => vec![of(*net)],
                many => vec![Condition::AnyOf(many.iter().map(|net| of(*net)).collect())],
            }
        }
        SetPart::Ports(protocol, ports) => {
            let of = if is_source { Condition::SourcePort } else { Condition::DestinationPort };
            vec![Condition::Protocol(*protocol), of(*ports)]
        }
        SetPart::Interface(name) if is_source => vec![Condition::InInterface(name.clone())],
        SetPart::Interface(name) => vec![Condition::OutInterface(name.clone())],
        SetPart::Mark(value) => vec![Condition::Mark { value: *value, mask: u32::MAX }],
        SetPart::Unmodeled(text) => vec![Condition::Unmodeled(text.clone())],
        SetPart::Set(name) => vec![Condition::Unmodeled(format!("the set `{name}`"))],
    }
}

fn unknown_set(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::Unmodeled,
        text!(
            "no file tells what is in the set `{name}`",
            "`{name}` 집합에 무엇이 들어 있는지 알려 주는 파일이 없습니다"
        ),
    )
    .label(span, text!("may apply or not", "적용될 수도 있고 아닐 수도 있음"))
    .help(text!(
        "add what `ipset save` prints, as a file that ends in `.ipset`, to the files of the host",
        "`ipset save`의 출력을 `.ipset`으로 끝나는 파일로 만들어 호스트의 파일에 넣으십시오"
    ))
}
