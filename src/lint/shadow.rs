//! Rules of the user that never decide anything, proved for every packet.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataplane::{Action, ChainId, NodeId, Rule, Ruleset, TableFamily};
use crate::diagnostic::{Code, Diagnostic};
use crate::lab::Host;
use crate::net::Family;
use crate::provenance::Origin;
use crate::smt::{Dead, RuleAt, dead_rules};
use crate::source::Span;

use super::Progress;
use super::scene::{Scene, lines_with_rules};

/// More rules than this are not listed one by one.
const MOST_LABELS: usize = 3;

/// Reports lines all of whose rules are dead.
pub(super) fn lint(scene: &Scene<'_>, progress: Progress<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (id, host) in scene.lab.hosts() {
        // Next to a rule that could not be read, nothing is certain.
        let is_known = scene.lab.unmodeled.iter().all(|u| u.host != Some(id));
        if let Some(node) = scene.node_of(id).filter(|_| is_known) {
            found.extend(on_host(scene, host, node, progress));
        }
    }
    found
}

fn on_host(scene: &Scene<'_>, host: &Host, node: NodeId, progress: Progress<'_>) -> Vec<Diagnostic> {
    let lines = lines_with_rules(host);
    let ruleset = &scene.dataplane.node(node).ruleset;
    let mut rules: BTreeMap<Span, Vec<RuleAt>> = BTreeMap::new();
    for (id, chain) in (0..).map(ChainId).zip(&ruleset.chains) {
        for (index, rule) in chain.rules.iter().enumerate().filter(|(_, rule)| rule.guard.is_none()) {
            let span = scene.dataplane.origins.get(rule.origin).span();
            if let Some(span) = span.filter(|span| lines.contains(span)) {
                rules.entry(span).or_default().push((id, index));
            }
        }
    }
    let wanted: BTreeSet<RuleAt> = rules.values().flatten().copied().collect();
    let of = |family, progress: Progress<'_>| -> BTreeMap<RuleAt, Dead> {
        dead_rules(ruleset, family, &wanted, progress).into_iter().map(|dead| (dead.rule, dead)).collect()
    };
    let (v4, v6) = (of(Family::V4, progress), of(Family::V6, progress));
    let finder = Finder { scene, ruleset, v4, v6 };
    rules.iter().filter_map(|(span, rules)| finder.line(*span, rules)).collect()
}

struct Finder<'a> {
    scene: &'a Scene<'a>,
    ruleset: &'a Ruleset,
    v4: BTreeMap<RuleAt, Dead>,
    v6: BTreeMap<RuleAt, Dead>,
}

impl Finder<'_> {
    /// A line is dead if every rule that comes of it is, for every family that its table sees.
    fn line(&self, span: Span, rules: &[RuleAt]) -> Option<Diagnostic> {
        let mut taken_by = Vec::new();
        let mut not_sent_by = Vec::new();
        for at in rules {
            for dead in self.deaths(*at)? {
                taken_by.extend(dead.taken_by.iter().copied());
                not_sent_by.extend(dead.not_sent_by.iter().copied());
            }
        }
        let actions: Vec<&Action> = rules.iter().filter_map(|at| self.rule(*at)).map(|rule| &rule.action).collect();
        Some(match (taken_by.is_empty(), not_sent_by.is_empty()) {
            (false, _) if self.do_the_same(&actions, &taken_by) => {
                self.explained(redundant(span), &taken_by, "takes these packets before, to the same effect")
            }
            (false, _) => self.explained(shadowed(span), &taken_by, "takes these packets before"),
            (true, false) => self.explained(never_sent(span), &not_sent_by, "sends no such packet here"),
            (true, true) => impossible(span),
        })
    }

    fn deaths(&self, at: RuleAt) -> Option<Vec<&Dead>> {
        let table = self.ruleset.get_table(self.ruleset.get(at.0).table).family;
        match table {
            TableFamily::Iptables | TableFamily::Ip => Some(vec![self.v4.get(&at)?]),
            TableFamily::Ip6 => Some(vec![self.v6.get(&at)?]),
            TableFamily::Inet => Some(vec![self.v4.get(&at)?, self.v6.get(&at)?]),
        }
    }

    fn rule(&self, (chain, index): RuleAt) -> Option<&Rule> {
        self.ruleset.get(chain).rules.get(index)
    }

    fn do_the_same(&self, actions: &[&Action], others: &[RuleAt]) -> bool {
        let mut others = others.iter().filter_map(|at| self.rule(*at)).map(|rule| &rule.action);
        let is_final = |action: &Action| !matches!(action, Action::Jump(_) | Action::Goto(_) | Action::Return);
        others.all(|other| is_final(other) && actions.iter().all(|action| *action == other))
    }

    fn explained(&self, mut diagnostic: Diagnostic, rules: &[RuleAt], remark: &str) -> Diagnostic {
        let own: Vec<Span> = diagnostic.labels.iter().map(|label| label.span).collect();
        let mut places: Vec<Span> = Vec::new();
        let mut others: Vec<&str> = Vec::new();
        for at in rules {
            let Some(rule) = self.rule(*at) else { continue };
            let origin: &Origin = self.scene.dataplane.origins.get(rule.origin);
            match origin.span().filter(|span| !own.contains(span)) {
                Some(span) if !places.contains(&span) => places.push(span),
                Some(_) => {}
                None if others.contains(&origin.what.as_ref()) => {}
                None => others.push(&origin.what),
            }
        }
        for span in places.iter().take(MOST_LABELS) {
            diagnostic = diagnostic.label(*span, remark);
        }
        if MOST_LABELS < places.len() {
            diagnostic.message += &format!(" ({} rules together)", places.len());
        }
        diagnostic
    }
}

fn redundant(span: Span) -> Diagnostic {
    Diagnostic::new(Code::FilterRedundantRule, "this rule changes nothing")
        .label(span, "no packet gets this far and fulfils it")
        .help("remove it")
}

fn shadowed(span: Span) -> Diagnostic {
    Diagnostic::new(Code::FilterShadowedRule, "this rule never applies: all its packets are taken before")
        .label(span, "no packet gets this far and fulfils it")
        .help("put it before the rules that take its packets, or remove it")
}

fn never_sent(span: Span) -> Diagnostic {
    Diagnostic::new(Code::FilterNeverMatches, "this rule never applies: no packet that fulfils it comes to its chain")
        .label(span, "fulfilled by no packet that comes here")
        .help("correct its conditions, or those of the rule that sends packets here")
}

fn impossible(span: Span) -> Diagnostic {
    Diagnostic::new(Code::FilterNeverMatches, "this rule never applies: no packet can fulfil it where it stands")
        .label(span, "these conditions exclude each other")
        .help("correct its conditions, or remove it")
}
