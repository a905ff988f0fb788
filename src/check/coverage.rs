//! What the sentences of a lab leave open: lines of the configuration that none of them exercises, and changes of one line
//! that none of them would notice.
//!
//! A line is exercised when a connection that explains a verdict meets what the line makes. A change counts when it opens
//! or closes something (`diff`) and every sentence is answered as before; the sentence that would notice is proposed.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataplane::{Dataplane, Event};
use crate::lab::{Attachment, Host, Lab, Statement};
use crate::lower::lower;
use crate::net::Protocol;
use crate::provenance::{Basis, Origin, OriginId};
use crate::source::{SourceId, Sources, Span, Spanned};

use super::diff::{Change, Difference, View, diff};
use super::exposure::{Class, Exposure, exposure};
use super::verdict::{Answer, Judgement};
use super::{CheckError, answers, check_all};

/// At most this many changes are tried.
const MOST_CHANGES: usize = 200;

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
    let mut found = Coverage { lines: lines(dataplane, sources, &judgements), ..Coverage::default() };
    let auditor = Auditor {
        lab,
        dataplane,
        sources,
        answers: judgements.iter().map(|judgement| judgement.verdict.answer).collect(),
        exposure: exposure(lab, dataplane)?,
    };
    for change in changes(lab).into_iter().take(MOST_CHANGES) {
        found.tried += 1;
        found.unnoticed.extend(auditor.unnoticed(change)?);
    }
    Ok(found)
}

fn lines(dataplane: &Dataplane, sources: &Sources, judgements: &[Judgement]) -> BTreeMap<(SourceId, usize), Line> {
    let place = |span: Span| (span.source, sources.position(span).line);
    let mut lines: BTreeMap<(SourceId, usize), Line> = BTreeMap::new();
    for origin in dataplane.origins.iter().filter(|origin| is_written(origin)) {
        if let Some(span) = origin.span() {
            let line = || Line { what: origin.what.to_string(), sentences: 0 };
            lines.entry(place(span)).or_insert_with(line);
        }
    }
    for judgement in judgements {
        let verdict = &judgement.verdict;
        let traces = verdict.witnesses.iter().chain(&verdict.failure).map(|witness| &witness.trace);
        let steps = traces.flat_map(|trace| &trace.steps);
        // A packet that comes by exercises the lines that make the machine and its interface, too.
        let origins = steps.flat_map(|step| {
            let node = dataplane.node(step.node);
            let interface = match step.event {
                Event::Received { interface } | Event::Routed { interface, .. } => {
                    Some(node.interface(interface).origin)
                }
                _ => None,
            };
            step.origin.into_iter().chain(interface).chain([node.origin])
        });
        let of_steps = origins.filter_map(|id: OriginId| dataplane.origins.get(id).span());
        let of_blockers = verdict.blockers.iter().filter_map(|blocker| blocker.origin.span());
        let met: BTreeSet<(SourceId, usize)> = of_steps.chain(of_blockers).map(place).collect();
        for at in met {
            lines.get_mut(&at).into_iter().for_each(|line| line.sentences += 1);
        }
    }
    lines
}

fn is_written(origin: &Origin) -> bool {
    matches!(origin.basis, Basis::Written(_) | Basis::Implied { because: Some(_), .. })
}

/// One line changed.
struct Mutation {
    what: String,
    at: Span,
    lab: Lab,
}

/// Every line that publishes, forwards, opens or filters, gone; and what is bound to one address, on all.
fn changes(lab: &Lab) -> Vec<Mutation> {
    let mut all = Vec::new();
    let mut add = |what: String, at: Option<Span>, change: &dyn Fn(&mut Host), host: usize| {
        let Some(at) = at else { return };
        let mut lab = lab.clone();
        lab.hosts.get_mut(host).into_iter().for_each(change);
        all.push(Mutation { what, at, lab });
    };
    for (number, host) in lab.hosts.iter().enumerate() {
        published(host, number, &mut add);
        forwarded(host, number, &mut add);
        opened(host, number, &mut add);
        let lines: BTreeSet<Span> = host.rules.iter().flatten().map(|command| command.span).collect();
        for span in lines {
            let without = |host: &mut Host| host.rules.iter_mut().for_each(|batch| batch.retain(|c| c.span != span));
            add("without this rule".to_owned(), Some(span), &without, number);
        }
    }
    all
}

type Add<'a> = dyn FnMut(String, Option<Span>, &dyn Fn(&mut Host), usize) + 'a;

fn published(host: &Host, number: usize, add: &mut Add<'_>) {
    let Some(engine) = &host.engine else { return };
    for (index, container) in engine.containers.iter().enumerate() {
        for (port, publish) in container.publishes.iter().enumerate() {
            let (what, at) = (&publish.origin.what, publish.origin.span());
            let without = |host: &mut Host| {
                let container = host.engine.as_mut().and_then(|e| e.containers.get_mut(index));
                container.into_iter().filter(|c| port < c.publishes.len()).for_each(|c| drop(c.publishes.remove(port)));
            };
            add(format!("without {what}"), at, &without, number);
            let wide = |host: &mut Host| {
                let container = host.engine.as_mut().and_then(|e| e.containers.get_mut(index));
                container.and_then(|c| c.publishes.get_mut(port)).into_iter().for_each(|p| p.host_address = None);
            };
            if publish.host_address.is_some() {
                add(format!("{what} on all addresses"), at, &wide, number);
            }
        }
    }
    for (index, network) in engine.networks.iter().enumerate().filter(|(_, n)| n.internal) {
        let open = |host: &mut Host| {
            let network = host.engine.as_mut().and_then(|e| e.networks.get_mut(index));
            network.into_iter().for_each(|n| n.internal = false);
        };
        add(format!("{} not internal", network.origin.what), network.origin.span(), &open, number);
    }
}

fn forwarded(host: &Host, number: usize, add: &mut Add<'_>) {
    for (index, interface) in host.interfaces.iter().enumerate() {
        let Attachment::Nat(nat) = &interface.attachment else { continue };
        for (port, forward) in nat.forwards.iter().enumerate() {
            let change = |host: &mut Host, wide: bool| {
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
            add(format!("without {what}"), at, &|host| change(host, false), number);
            if forward.host_address.is_some() {
                add(format!("{what} on all addresses"), at, &|host| change(host, true), number);
            }
        }
    }
}

/// What zones open, and what rich rules say.
fn opened(host: &Host, number: usize, add: &mut Add<'_>) {
    let Some(firewalld) = &host.firewalld else { return };
    for (name, zone) in &firewalld.zones {
        let ports = zone.content.ports.iter().map(|e| &e.origin);
        let services = zone.content.services.iter().map(|e| &e.origin);
        let rules = zone.content.rich_rules.iter().map(|e| &e.origin);
        for origin in ports.chain(services).chain(rules) {
            let Some(at) = origin.span() else { continue };
            let is_other = |origin: &Origin| origin.span() != Some(at);
            let without = |host: &mut Host| {
                let zone = host.firewalld.as_mut().and_then(|f| f.zones.get_mut(name));
                if let Some(zone) = zone {
                    zone.content.ports.retain(|e| is_other(&e.origin));
                    zone.content.services.retain(|e| is_other(&e.origin));
                    zone.content.rich_rules.retain(|e| is_other(&e.origin));
                }
            };
            add(format!("without {}", origin.what), Some(at), &without, number);
        }
    }
}

struct Auditor<'a> {
    lab: &'a Lab,
    dataplane: &'a Dataplane,
    sources: &'a Sources,
    answers: Vec<Answer>,
    exposure: Exposure,
}

impl Auditor<'_> {
    fn unnoticed(&self, change: Mutation) -> Result<Option<Unnoticed>, CheckError> {
        let Mutation { what, at, lab } = change;
        let dataplane = lower(&lab);
        if answers(&lab, &dataplane, self.sources, &self.lab.sentences)? != self.answers {
            return Ok(None);
        }
        let exposure = exposure(&lab, &dataplane)?;
        let old = View { dataplane: self.dataplane, exposure: &self.exposure };
        let differences = diff(old, View { dataplane: &dataplane, exposure: &exposure });
        if differences.is_empty() {
            return Ok(None);
        }
        let sentence = self.noticing(&differences, &lab, &dataplane)?;
        Ok(Some(Unnoticed { what, at, sentence }))
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
        let verb = if difference.change == Change::Opened { "cannot" } else { "can" };
        // What only changes is held fast by an address that works no longer.
        let lost = difference.old.addresses.keys().find(|a| !difference.new.addresses.contains_key(*a));
        let at = lost.filter(|_| difference.change == Change::Changed).map_or(String::new(), |a| format!(" at {a}"));
        format!("{who} {verb} reach {target}{at}{over}")
    }
}
