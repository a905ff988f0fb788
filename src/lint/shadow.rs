//! Rules of the user that never decide anything, proved for every packet.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataplane::{Action, ChainId, NodeId, Rule, Ruleset, TableFamily};
use crate::diagnostic::{Code, Diagnostic};
use crate::lab::Host;
use crate::net::Family;
use crate::provenance::{Basis, Origin};
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
    let mut deaths: BTreeMap<Death, Vec<Span>> = BTreeMap::new();
    for (span, rules) in &rules {
        if let Some(death) = finder.line(rules) {
            deaths.entry(death).or_default().push(*span);
        }
    }
    let mut found: Vec<Diagnostic> = deaths.iter().flat_map(|(death, spans)| finder.report(death, spans)).collect();
    found.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span));
    found
}

/// Why a line is dead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Death {
    cause: Cause,
    /// The rules that are to blame.
    by: Vec<RuleAt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    TakenToTheSameEffect,
    Taken,
    NotSent,
    Impossible,
}

struct Finder<'a> {
    scene: &'a Scene<'a>,
    ruleset: &'a Ruleset,
    v4: BTreeMap<RuleAt, Dead>,
    v6: BTreeMap<RuleAt, Dead>,
}

impl Finder<'_> {
    /// A line is dead if every rule that comes of it is, for every family that its table sees.
    fn line(&self, rules: &[RuleAt]) -> Option<Death> {
        let (mut taken_by, mut not_sent_by) = (BTreeSet::new(), BTreeSet::new());
        for at in rules {
            for dead in self.deaths(*at)? {
                taken_by.extend(dead.taken_by.iter().copied());
                not_sent_by.extend(dead.not_sent_by.iter().copied());
            }
        }
        let actions: Vec<&Action> = rules.iter().filter_map(|at| self.rule(*at)).map(|rule| &rule.action).collect();
        let (cause, by) = match (taken_by.is_empty(), not_sent_by.is_empty()) {
            (false, _) if self.do_the_same(&actions, &taken_by) => (Cause::TakenToTheSameEffect, taken_by),
            (false, _) => (Cause::Taken, taken_by),
            (true, false) => (Cause::NotSent, not_sent_by),
            (true, true) => (Cause::Impossible, taken_by),
        };
        Some(Death { cause, by: by.into_iter().collect() })
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

    fn do_the_same(&self, actions: &[&Action], others: &BTreeSet<RuleAt>) -> bool {
        let mut others = others.iter().filter_map(|at| self.rule(*at)).map(|rule| &rule.action);
        let is_final = |action: &Action| !matches!(action, Action::Jump(_) | Action::Goto(_) | Action::Return);
        others.all(|other| is_final(other) && actions.iter().all(|action| *action == other))
    }

    /// Lines that die of the same are one finding, if they are many.
    fn report(&self, death: &Death, spans: &[Span]) -> Vec<Diagnostic> {
        let size = if MOST_LABELS < spans.len() { spans.len() } else { 1 };
        spans.chunks(size).map(|chunk| self.explained(death, chunk)).collect()
    }

    fn explained(&self, death: &Death, spans: &[Span]) -> Diagnostic {
        let mut diagnostic = headline(death.cause, spans.len());
        for span in spans.iter().take(MOST_LABELS) {
            diagnostic = diagnostic.label(*span, "no packet gets this far and fulfils it");
        }
        let mut places: BTreeMap<Span, &Origin> = BTreeMap::new();
        for rule in death.by.iter().filter_map(|at| self.rule(*at)) {
            let origin = self.scene.dataplane.origins.get(rule.origin);
            places.extend(origin.span().filter(|span| !spans.contains(span)).map(|span| (span, origin)));
        }
        for (span, origin) in places.iter().take(MOST_LABELS) {
            diagnostic = diagnostic.label(*span, blamed(death.cause, origin));
        }
        if MOST_LABELS < places.len() {
            diagnostic.message += &format!(" ({} rules together)", places.len());
        }
        diagnostic
    }
}

fn headline(cause: Cause, lines: usize) -> Diagnostic {
    let rules = |one: &str, many: &str| match lines {
        1 => format!("this rule {one}"),
        n => format!("{n} rules {many}"),
    };
    match cause {
        Cause::TakenToTheSameEffect => Diagnostic::new(
            Code::FilterRedundantRule,
            rules(
                "changes nothing: all its packets are taken before",
                "change nothing: all their packets are taken before",
            ),
        )
        .help("remove it"),
        Cause::Taken => Diagnostic::new(
            Code::FilterShadowedRule,
            rules("never applies: all its packets are taken before", "never apply: all their packets are taken before"),
        )
        .help("put it before the rules that take its packets, or remove it"),
        Cause::NotSent => Diagnostic::new(
            Code::FilterNeverMatches,
            rules(
                "never applies: no packet that fulfils it comes to its chain",
                "never apply: no packet that fulfils them comes to their chain",
            ),
        )
        .help("correct its conditions, or those of the rule that sends packets here"),
        Cause::Impossible => Diagnostic::new(
            Code::FilterNeverMatches,
            rules(
                "never applies: its conditions exclude each other",
                "never apply: their conditions exclude each other",
            ),
        )
        .help("correct its conditions, or remove it"),
    }
}

fn blamed(cause: Cause, origin: &Origin) -> String {
    let does = match cause {
        Cause::TakenToTheSameEffect => "takes these packets before, to the same effect",
        Cause::Taken => "takes these packets before",
        Cause::NotSent | Cause::Impossible => "sends no such packet here",
    };
    match origin.basis {
        Basis::Written(_) => does.to_owned(),
        _ => format!("{} {does}", origin.what),
    }
}
