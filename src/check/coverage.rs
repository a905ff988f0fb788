//! What the sentences of a lab leave open: lines of the configuration that none of them exercises, and changes of one line
//! that none of them would notice.
//!
//! A line is exercised when a connection that explains a verdict meets what the line makes. A change counts when it opens
//! or closes something (`diff`) and every sentence is answered as before; the sentence that would notice is proposed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::dataplane::{Dataplane, Event};
use crate::lab::{Attachment, Host, Lab, Statement};
use crate::lower::lower;
use crate::net::Protocol;
use crate::property::parse;
use crate::provenance::{Basis, Origin, OriginId};
use crate::source::{SourceId, Sources, Span, Spanned};
use crate::switch::{Switch, SwitchKind};

use super::decide::Checker;
use super::diff::{self, Difference, View, diff};
use super::exposure::{Class, Exposure, exposure};
use super::parallel::in_parallel;
use super::verdict::{Answer, Judgement};
use super::{CheckError, answers, check_all};

/// At most this many changes are tried.
const MOST_CHANGES: usize = 200;

/// So many sentences are asked before the next ones: one that notices spares the rest.
const AT_ONCE: usize = 4;

/// What sentences cover.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Lines that make something, by text and line number.
    pub lines: BTreeMap<(SourceId, usize), Line>,
    /// Changes that no sentence would notice.
    pub unnoticed: Vec<Unnoticed>,
    /// How many changes were tried.
    pub tried: usize,
}

/// A line of the configuration.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it makes.
    pub what: String,
    /// How many sentences exercise it.
    pub sentences: usize,
}

/// A change of one line that changes who reaches what, and no answer.
#[derive(Clone, Debug)]
pub struct Unnoticed {
    /// The change.
    pub what: String,
    /// The line.
    pub at: Span,
    /// A sentence that holds, and would not hold then; nothing if none can be put into words.
    pub sentence: Option<String>,
}

/// Looks for what the sentences of a lab do not say.
///
/// # Errors
/// Only when the two engines disagree, which is a bug of this program.
pub fn coverage(lab: &Lab, dataplane: &Dataplane, sources: &Sources) -> Result<Coverage, CheckError> {
    let judgements = check_all(lab, dataplane, sources, &lab.sentences)?.judgements;
    let met: Vec<BTreeMap<Place, usize>> = judgements.iter().map(|j| met(dataplane, sources, j)).collect();
    let exposure = exposure(lab, dataplane)?;
    let checker = Checker::brief(lab, dataplane, sources);
    let about = judgements.iter().map(|j| about(&checker, &exposure, &j.statement)).collect();
    let lines = lines(dataplane, sources, &met);
    let auditor = Auditor { lab, dataplane, sources, judgements, met, about, exposure };
    let mut changes = changes(lab);
    changes.truncate(MOST_CHANGES);
    let unnoticed = in_parallel(&changes, |change| auditor.unnoticed(change));
    let unnoticed: Vec<Option<Unnoticed>> = unnoticed.into_iter().collect::<Result<_, _>>()?;
    Ok(Coverage { lines, unnoticed: unnoticed.into_iter().flatten().collect(), tried: changes.len() })
}

/// A text, and the number of a line.
type Place = (SourceId, usize);

fn place(sources: &Sources, span: Span) -> Place {
    (span.source, sources.position(span).line)
}

fn lines(dataplane: &Dataplane, sources: &Sources, met: &[BTreeMap<Place, usize>]) -> BTreeMap<Place, Line> {
    let mut lines: BTreeMap<Place, Line> = BTreeMap::new();
    for origin in dataplane.origins.iter().filter(|origin| is_written(origin)) {
        if let Some(span) = origin.span() {
            let line = || Line { what: origin.what.to_string(), sentences: 0 };
            lines.entry(place(sources, span)).or_insert_with(line);
        }
    }
    for at in met.iter().flat_map(BTreeMap::keys) {
        lines.get_mut(at).into_iter().for_each(|line| line.sentences += 1);
    }
    lines
}

/// The lines that a sentence exercises, and how often its connections meet them.
fn met(dataplane: &Dataplane, sources: &Sources, judgement: &Judgement) -> BTreeMap<Place, usize> {
    let verdict = &judgement.verdict;
    let traces = verdict.witnesses.iter().chain(&verdict.failure).map(|witness| &witness.trace);
    let steps = traces.flat_map(|trace| &trace.steps);
    // A packet that comes by exercises the lines that make the machine and its interface, too.
    let origins = steps.flat_map(|step| {
        let node = dataplane.node(step.node);
        let interface = match step.event {
            Event::Received { interface } | Event::Routed { interface, .. } => Some(node.interface(interface).origin),
            _ => None,
        };
        step.origin.into_iter().chain(interface).chain([node.origin])
    });
    let of_steps = origins.filter_map(|id: OriginId| dataplane.origins.get(id).span());
    let of_blockers = verdict.blockers.iter().filter_map(|blocker| blocker.origin.span());
    let mut met = BTreeMap::new();
    for span in of_steps.chain(of_blockers) {
        *met.entry(place(sources, span)).or_default() += 1;
    }
    met
}

/// The listeners on whose cells of the matrix the answer of a sentence hangs; nothing if it hangs on more.
fn about(checker: &Checker<'_>, exposure: &Exposure, statement: &Statement) -> Option<BTreeSet<String>> {
    let sentence = parse(&statement.sentence).ok()?;
    let is_plain = sentence.symptom.is_none() && sentence.cause.is_none() && is_plain(checker.places.dataplane);
    let members = checker.members(&sentence).ok()?;
    let aims = checker.places.aims(&sentence).ok()?;
    let mut names = BTreeSet::new();
    for aim in &aims {
        let is_own = members.iter().any(|member| aim.goal.node() == Some(member.node));
        let listeners = aim.listeners(exposure).filter(|listeners| is_plain && !is_own && !listeners.is_empty())?;
        names.extend(listeners.iter().map(|listener| listener.name.clone()));
    }
    (!names.is_empty()).then_some(names)
}

/// Nothing is uncertain that no cell would show.
fn is_plain(dataplane: &Dataplane) -> bool {
    let is_certain = |(_, switch): (_, &Switch)| switch.kind != SwitchKind::Unmodeled;
    dataplane.nodes().all(|(_, node)| node.unmodeled.is_empty()) && dataplane.switches.iter().all(is_certain)
}

fn is_written(origin: &Origin) -> bool {
    matches!(origin.basis, Basis::Written(_) | Basis::Implied { because: Some(_), .. })
}

/// One line changed.
struct Mutation<'a> {
    what: String,
    at: Span,
    /// Which host has it.
    host: usize,
    change: Change<'a>,
}

type Change<'a> = Box<dyn Fn(&mut Host) + Send + Sync + 'a>;

fn changes(lab: &Lab) -> Vec<Mutation<'_>> {
    let mut all = Vec::new();
    let mut add = |what: String, at: Option<Span>, change, host: usize| {
        all.extend(at.map(|at| Mutation { what, at, host, change }));
    };
    for (number, host) in lab.hosts.iter().enumerate() {
        published(host, number, &mut add);
        forwarded(host, number, &mut add);
        opened(host, number, &mut add);
        let lines: BTreeSet<Span> = host.rules.iter().flatten().map(|command| command.span).collect();
        for span in lines {
            let without =
                move |host: &mut Host| host.rules.iter_mut().for_each(|batch| batch.retain(|c| c.span != span));
            add("without this rule".to_owned(), Some(span), Box::new(without), number);
        }
    }
    all
}

type Add<'f, 'a> = dyn FnMut(String, Option<Span>, Change<'a>, usize) + 'f;

fn published<'a>(host: &'a Host, number: usize, add: &mut Add<'_, 'a>) {
    let Some(engine) = &host.engine else { return };
    for (index, container) in engine.containers.iter().enumerate() {
        for (port, publish) in container.publishes.iter().enumerate() {
            let (what, at) = (&publish.origin.what, publish.origin.span());
            let without = move |host: &mut Host| {
                let container = host.engine.as_mut().and_then(|e| e.containers.get_mut(index));
                container.into_iter().filter(|c| port < c.publishes.len()).for_each(|c| drop(c.publishes.remove(port)));
            };
            add(format!("without {what}"), at, Box::new(without), number);
            let wide = move |host: &mut Host| {
                let container = host.engine.as_mut().and_then(|e| e.containers.get_mut(index));
                container.and_then(|c| c.publishes.get_mut(port)).into_iter().for_each(|p| p.host_address = None);
            };
            if publish.host_address.is_some() {
                add(format!("{what} on all addresses"), at, Box::new(wide), number);
            }
        }
    }
    for (index, network) in engine.networks.iter().enumerate().filter(|(_, n)| n.internal) {
        let open = move |host: &mut Host| {
            let network = host.engine.as_mut().and_then(|e| e.networks.get_mut(index));
            network.into_iter().for_each(|n| n.internal = false);
        };
        add(format!("{} not internal", network.origin.what), network.origin.span(), Box::new(open), number);
    }
}

fn forwarded<'a>(host: &'a Host, number: usize, add: &mut Add<'_, 'a>) {
    for (index, interface) in host.interfaces.iter().enumerate() {
        let Attachment::Nat(nat) = &interface.attachment else { continue };
        for (port, forward) in nat.forwards.iter().enumerate() {
            let change = move |host: &mut Host, wide: bool| {
                let Some(Attachment::Nat(nat)) = host.interfaces.get_mut(index).map(|i| &mut i.attachment) else {
                    return;
                };
                match nat.forwards.get_mut(port) {
                    Some(forward) if wide => forward.host_address = None,
                    Some(_) => drop(nat.forwards.remove(port)),
                    None => {}
                }
            };
            let (what, at) = (&forward.origin.what, forward.origin.span());
            add(format!("without {what}"), at, Box::new(move |host: &mut Host| change(host, false)), number);
            if forward.host_address.is_some() {
                add(
                    format!("{what} on all addresses"),
                    at,
                    Box::new(move |host: &mut Host| change(host, true)),
                    number,
                );
            }
        }
    }
}

/// What zones open, and what rich rules say.
fn opened<'a>(host: &'a Host, number: usize, add: &mut Add<'_, 'a>) {
    let Some(firewalld) = &host.firewalld else { return };
    for (name, zone) in &firewalld.zones {
        let ports = zone.content.ports.iter().map(|e| &e.origin);
        let services = zone.content.services.iter().map(|e| &e.origin);
        let rules = zone.content.rich_rules.iter().map(|e| &e.origin);
        for origin in ports.chain(services).chain(rules) {
            let Some(at) = origin.span() else { continue };
            let is_other = move |origin: &Origin| origin.span() != Some(at);
            let without = move |host: &mut Host| {
                let zone = host.firewalld.as_mut().and_then(|f| f.zones.get_mut(name));
                if let Some(zone) = zone {
                    zone.content.ports.retain(|e| is_other(&e.origin));
                    zone.content.services.retain(|e| is_other(&e.origin));
                    zone.content.rich_rules.retain(|e| is_other(&e.origin));
                }
            };
            add(format!("without {}", origin.what), Some(at), Box::new(without), number);
        }
    }
}

struct Auditor<'a> {
    lab: &'a Lab,
    dataplane: &'a Dataplane,
    sources: &'a Sources,
    judgements: Vec<Judgement>,
    /// The lines that each sentence exercises, and how often.
    met: Vec<BTreeMap<Place, usize>>,
    /// On which listeners each hangs, if on nothing else.
    about: Vec<Option<BTreeSet<String>>>,
    exposure: Exposure,
}

impl Auditor<'_> {
    /// Those that exercise the line are asked first, the more often the earlier; most changes need few.
    fn unnoticed(&self, change: &Mutation<'_>) -> Result<Option<Unnoticed>, CheckError> {
        let mut lab = self.lab.clone();
        lab.hosts.get_mut(change.host).into_iter().for_each(&change.change);
        let dataplane = lower(&lab);
        let at = place(self.sources, change.at);
        let times = |index: &usize| self.met.get(*index).and_then(|met| met.get(&at)).copied().unwrap_or(0);
        let (mut first, others): (Vec<usize>, Vec<usize>) =
            (0..self.judgements.len()).partition(|index| 0 < times(index));
        first.sort_by_key(|index| Reverse(times(index)));
        if self.is_noticed(&first, &lab, &dataplane)? {
            return Ok(None);
        }
        let exposure = exposure(&lab, &dataplane)?;
        let old = View { dataplane: self.dataplane, exposure: &self.exposure };
        let differences = diff(old, View { dataplane: &dataplane, exposure: &exposure });
        let is_plain = is_plain(&dataplane);
        let hangs_on_one = |index: &usize| match self.about.get(*index) {
            Some(Some(names)) if is_plain => differences.iter().any(|d| names.contains(&d.listener)),
            _ => true,
        };
        let others: Vec<usize> = others.into_iter().filter(hangs_on_one).collect();
        if differences.is_empty() || self.is_noticed(&others, &lab, &dataplane)? {
            return Ok(None);
        }
        let sentence = self.noticing(&differences, &lab, &dataplane)?;
        Ok(Some(Unnoticed { what: change.what.clone(), at: change.at, sentence }))
    }

    /// Whether one of these sentences has another answer in a changed lab.
    fn is_noticed(&self, which: &[usize], lab: &Lab, dataplane: &Dataplane) -> Result<bool, CheckError> {
        for some in which.chunks(AT_ONCE) {
            let asked = some.iter().filter_map(|index| self.judgements.get(*index));
            let (statements, now): (Vec<Statement>, Vec<Answer>) =
                asked.map(|judgement| (judgement.statement.clone(), judgement.verdict.answer)).unzip();
            if answers(lab, dataplane, self.sources, &statements)? != now {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The first sentence about a difference that holds now and would not hold then.
    fn noticing(
        &self,
        differences: &[Difference],
        lab: &Lab,
        dataplane: &Dataplane,
    ) -> Result<Option<String>, CheckError> {
        for difference in differences {
            let text = self.sentence(difference);
            let mut sources = self.sources.clone();
            let span = Span::new(sources.add("(proposed)", &text), 0, text.len());
            let statement = [Statement::from(Spanned::new(text.clone(), span))];
            let now = answers(self.lab, self.dataplane, &sources, &statement)?;
            let then = answers(lab, dataplane, &sources, &statement)?;
            if now == [Answer::Holds] && then != [Answer::Holds] {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn sentence(&self, difference: &Difference) -> String {
        let dialler = self.exposure.diallers.iter().find(|d| d.name == difference.dialler);
        let who = match dialler.map(|d| &d.class) {
            Some(Class::Lan) => "lan",
            Some(Class::Internet) => "internet",
            _ => difference.dialler.as_str(),
        };
        let udp = format!("/{}", Protocol::Udp);
        let (target, over) = match difference.listener.strip_suffix(&udp) {
            Some(target) => (target, " over udp"),
            None => (difference.listener.as_str(), ""),
        };
        let verb = if difference.change == diff::Change::Opened { "cannot" } else { "can" };
        // What only changes is held fast by an address that works no longer.
        let lost = difference.old.addresses.keys().find(|a| !difference.new.addresses.contains_key(*a));
        let at =
            lost.filter(|_| difference.change == diff::Change::Changed).map_or(String::new(), |a| format!(" at {a}"));
        format!("{who} {verb} reach {target}{at}{over}")
    }
}
