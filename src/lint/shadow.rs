//! Rules of the user that never decide anything, proved for every packet.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataplane::{Action, ChainId, NodeId, Rule, Ruleset, TableFamily};
use crate::diagnostic::{Code, Diagnostic};
use crate::lab::Host;
use crate::language::{Text, text};
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
            diagnostic = diagnostic
                .label(*span, text!("no packet gets this far and fulfils it", "여기까지 와서 조건에 맞는 패킷이 없음"));
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
            let (message, count) = (diagnostic.message, places.len());
            diagnostic.message =
                text!("{message} ({count} rules together)", "{message} (규칙 {count}개가 함께)"; message);
        }
        diagnostic
    }
}

fn headline(cause: Cause, lines: usize) -> Diagnostic {
    let (code, one, many, korean) = match cause {
        Cause::TakenToTheSameEffect => (
            Code::FilterRedundantRule,
            "changes nothing: all its packets are taken before",
            "change nothing: all their packets are taken before",
            "바꾸는 것이 없습니다: 해당하는 패킷이 모두 앞에서 처리됩니다",
        ),
        Cause::Taken => (
            Code::FilterShadowedRule,
            "never applies: all its packets are taken before",
            "never apply: all their packets are taken before",
            "적용되지 않습니다: 해당하는 패킷이 모두 앞에서 처리됩니다",
        ),
        Cause::NotSent => (
            Code::FilterNeverMatches,
            "never applies: no packet that fulfils it comes to its chain",
            "never apply: no packet that fulfils them comes to their chain",
            "적용되지 않습니다: 조건에 맞는 패킷이 체인에 오지 않습니다",
        ),
        Cause::Impossible => (
            Code::FilterNeverMatches,
            "never applies: its conditions exclude each other",
            "never apply: their conditions exclude each other",
            "적용되지 않습니다: 조건이 서로 모순됩니다",
        ),
    };
    let message = match lines {
        1 => text!("this rule {one}", "이 규칙은 {korean}"),
        n => text!("{n} rules {many}", "규칙 {n}개는 {korean}"),
    };
    Diagnostic::new(code, message).help(way_out(cause))
}

fn way_out(cause: Cause) -> Text {
    match cause {
        Cause::TakenToTheSameEffect => text!("remove it", "지우십시오"),
        Cause::Taken => text!(
            "put it before the rules that take its packets, or remove it",
            "그 패킷을 먼저 처리하는 규칙보다 앞에 두거나, 지우십시오"
        ),
        Cause::NotSent => text!(
            "correct its conditions, or those of the rule that sends packets here",
            "이 규칙의 조건이나, 패킷을 여기로 보내는 규칙의 조건을 고치십시오"
        ),
        Cause::Impossible => text!("correct its conditions, or remove it", "조건을 고치거나, 지우십시오"),
    }
}

fn blamed(cause: Cause, origin: &Origin) -> Text {
    let does = match cause {
        Cause::TakenToTheSameEffect => {
            text!("takes these packets before, to the same effect", "이 패킷들을 먼저 처리하며, 결과도 같음")
        }
        Cause::Taken => text!("takes these packets before", "이 패킷들을 먼저 처리함"),
        Cause::NotSent | Cause::Impossible => text!("sends no such packet here", "그런 패킷을 여기로 보내지 않음"),
    };
    let what = &origin.what;
    match origin.basis {
        Basis::Written(_) => does,
        _ => text!("{what} {does}", "{what}: {does}"; what, does),
    }
}
