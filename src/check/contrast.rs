//! Two connections side by side, up to the place where they part: "28080 works, 28081 does not".

use crate::dataplane::{Dataplane, Decision, Event, Step, Trace, Way};

use super::verdict::{Verdict, Witness};

/// A connection that was asked about, and what became of it.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// What was decided.
    pub verdict: &'a Verdict,
    /// The dataplane that its traces walk through.
    pub dataplane: &'a Dataplane,
}

/// Two connections.
#[derive(Clone, Debug)]
pub struct Contrast<'a> {
    /// One of each side: those that stay together the longest.
    pub shown: [&'a Witness; 2],
    /// The steps up to which both do the same.
    pub common: Vec<&'a Step>,
    /// The first steps that differ; nothing where a side has ended.
    pub parting: [Option<&'a Step>; 2],
    /// What lets the one through where a rule stops the other.
    pub let_through: [Option<&'a Step>; 2],
}

/// Compares what two sentences were answered with; nothing if one of them has nothing to show.
pub fn contrast<'a>(one: &Told<'a>, other: &Told<'a>) -> Option<Contrast<'a>> {
    let pairs = connections(one.verdict)
        .flat_map(|a| connections(other.verdict).map(move |b| (a, b)))
        .map(|(a, b)| (together(one.dataplane, &a.trace, other.dataplane, &b.trace), a, b));
    // Of equals the first: it is the most natural one.
    let (together, a, b) = pairs.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    let steps = [told(&a.trace), told(&b.trace)];
    let [parting_a, parting_b] = [steps[0].get(together).copied(), steps[1].get(together).copied()];
    let let_through = [
        parting_b.and_then(|stopped| counterpart(other.dataplane, stopped, one.dataplane, &a.trace)),
        parting_a.and_then(|stopped| counterpart(one.dataplane, stopped, other.dataplane, &b.trace)),
    ];
    let common = steps[0].iter().take(together).copied().collect();
    Some(Contrast { shown: [a, b], common, parting: [parting_a, parting_b], let_through })
}

fn connections(verdict: &Verdict) -> impl Iterator<Item = &Witness> {
    verdict.witnesses.iter().chain(&verdict.failure)
}

/// The steps of the request that a person would tell: rules only where they stop it.
fn told(trace: &Trace) -> Vec<&Step> {
    let is_told = |event: &Event| match event {
        Event::Received { .. } | Event::Routed { .. } | Event::Answered => false,
        Event::Filtered { decision, .. } => *decision != Decision::Accepted,
        _ => true,
    };
    trace.steps.iter().filter(|step| step.way == Way::Request && is_told(&step.event)).collect()
}

/// How many told steps two connections have in common.
fn together(one: &Dataplane, a: &Trace, other: &Dataplane, b: &Trace) -> usize {
    let (a, b) = (told(a), told(b));
    a.iter().zip(&b).take_while(|(a, b)| is_same(one, a, other, b)).count()
}

/// Whether the same happens at the same place, whatever the addresses and ports.
fn is_same(one: &Dataplane, a: &Step, other: &Dataplane, b: &Step) -> bool {
    let at = |dataplane: &Dataplane, step: &Step| dataplane.node(step.node).name.clone();
    let what = |dataplane: &Dataplane, event: &Event| match event {
        Event::Dialed => "dialled".to_owned(),
        Event::Rewritten { .. } => "rewritten".to_owned(),
        Event::Crossed { to, .. } => format!("crossed to {}", dataplane.node(*to).name),
        Event::Relayed { .. } => "relayed".to_owned(),
        Event::Delivered { .. } => "delivered".to_owned(),
        Event::Ended(end) => format!("ended: {end:?}"),
        Event::Filtered { decision, .. } => format!("filtered: {decision:?}"),
        Event::Received { .. } | Event::Routed { .. } | Event::Answered => String::new(),
    };
    at(one, a) == at(other, b) && what(one, &a.event) == what(other, &b.event)
}

/// The rule that accepts a packet where `stopped` is stopped.
fn counterpart<'a>(theirs: &Dataplane, stopped: &Step, ours: &Dataplane, trace: &'a Trace) -> Option<&'a Step> {
    let Event::Filtered { hook: there, .. } = stopped.event else { return None };
    trace.steps.iter().filter(|step| step.way == Way::Request).rfind(|step| {
        let is_there = ours.node(step.node).name == theirs.node(stopped.node).name;
        is_there && matches!(step.event, Event::Filtered { hook, decision: Decision::Accepted, .. } if hook == there)
    })
}
