//! The way of a packet through the picture: hops gathered into stops.

use std::collections::BTreeSet;

use crate::check::Witness;
use crate::dataplane::{Dataplane, Decision, Event, InterfaceId, NodeId, Outcome, Step, Symptom, Way};
use crate::provenance::Basis;

use super::super::path;
use super::places::GuardKind;
use super::{Id, Picture};

/// A connection, as far as it got.
#[derive(Clone, Debug)]
pub struct WalkedWay {
    /// Where it went, in order.
    pub stops: Vec<Stop>,
    /// Every element that it touched, and the houses around them.
    pub lit: BTreeSet<Id>,
    /// What the dialler sees.
    pub sees: &'static str,
}

/// One place on the way, and everything that happened there.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Where.
    pub at: Id,
    /// Which steps of the trace happened there.
    pub steps: Vec<usize>,
    /// What happened, one line each: "`rocky` gets it over lan".
    pub lines: Vec<String>,
    /// How it ended there.
    pub fate: Fate,
    /// On the answer's way back.
    pub is_answer: bool,
}

/// What became of a packet at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It went on.
    Passes,
    /// It arrived.
    Arrives,
    /// It went no further.
    Blocked,
}

/// The way of a witness; nothing if it begins nowhere in the picture.
pub fn way(picture: &Picture, dataplane: &Dataplane, witness: &Witness) -> Option<WalkedWay> {
    let mut stops: Vec<Stop> = Vec::new();
    for (index, step) in path::numbered_hops(&witness.trace) {
        let line = told(dataplane, step);
        let is_answer = step.way == Way::Reply;
        let here = place(picture, dataplane, step, stops.last());
        match (here, stops.last_mut()) {
            (Some(at), last) if last.as_ref().is_none_or(|last| last.at != at || last.is_answer != is_answer) => {
                stops.push(Stop { at, steps: vec![index], lines: vec![line], fate: Fate::Passes, is_answer });
            }
            (_, Some(last)) => {
                last.steps.push(index);
                last.lines.push(line);
            }
            (_, None) => {}
        }
    }
    if stops.is_empty() {
        let at = *picture.places.nodes.get(&witness.trace.flow.from)?;
        stops.push(Stop { at, steps: Vec::new(), lines: Vec::new(), fate: Fate::Passes, is_answer: false });
    }
    end(&mut stops, &witness.trace.outcome);
    let lit = stops.iter().flat_map(|stop| picture.places.around(stop.at)).collect();
    let sees = path::symptom(witness.trace.outcome.symptom, witness.trace.flow.protocol);
    Some(WalkedWay { stops, lit, sees })
}

fn told(dataplane: &Dataplane, step: &Step) -> String {
    let node = &dataplane.node(step.node).name;
    let answer = if step.way == Way::Reply { "answer: " } else { "" };
    let between = if matches!(step.event, Event::Ended(_)) { ":" } else { "" };
    format!("{answer}{node}{between} {}", path::event(dataplane, step))
}

fn end(stops: &mut [Stop], outcome: &Outcome) {
    let works = outcome.symptom == Symptom::Works;
    if let Some(last) = stops.last_mut() {
        last.fate = if works { Fate::Arrives } else { Fate::Blocked };
    }
    // The request arrived even where its answer is lost.
    let arrived = stops.iter().rposition(|stop| !stop.is_answer).filter(|_| outcome.delivery.is_some());
    if let Some(stop) = arrived.and_then(|index| stops.get_mut(index)).filter(|stop| stop.fate == Fate::Passes) {
        stop.fate = Fate::Arrives;
    }
}

/// Where a step takes place; nothing means where the packet is already.
fn place(picture: &Picture, dataplane: &Dataplane, step: &Step, last: Option<&Stop>) -> Option<Id> {
    let places = &picture.places;
    let node = places.nodes.get(&step.node).copied();
    match &step.event {
        // A relay's own connection begins at the port that it took the client's from.
        Event::Dialed if step.leg > 0 && is_at(picture, step.node, last) => None,
        Event::Dialed => node,
        Event::Crossed { link, to } => {
            let interfaces = &dataplane.node(*to).interfaces;
            let on_link = |((at, index), _): &(&(NodeId, InterfaceId), &Id)| {
                at == to && interfaces.get(index.0).is_some_and(|i| i.link == Some(*link))
            };
            places.interfaces.iter().find(on_link).map(|(_, id)| *id).or_else(|| places.nodes.get(to).copied())
        }
        Event::Relayed { .. } => forward(picture, dataplane, step),
        Event::Rewritten { before, undone: false } if before.destination != step.header.destination => {
            forward(picture, dataplane, step)
        }
        Event::Delivered { owner } => places.listener(step.node, owner, step.header.destination_port),
        Event::Filtered { decision, .. } if *decision != Decision::Accepted => guard(picture, dataplane, step),
        _ => None,
    }
}

fn is_at(picture: &Picture, node: NodeId, last: Option<&Stop>) -> bool {
    let house = picture.places.nodes.get(&node);
    last.is_some_and(|last| picture.places.outer.get(&last.at) == house || Some(&last.at) == house)
}

fn forward(picture: &Picture, dataplane: &Dataplane, step: &Step) -> Option<Id> {
    let line = dataplane.origins.get(step.origin?).span()?;
    picture.places.forward(step.node, line)
}

/// The guard whose rule decided; rules of a container engine have none.
fn guard(picture: &Picture, dataplane: &Dataplane, step: &Step) -> Option<Id> {
    let Event::Filtered { chain, .. } = &step.event else { return None };
    let ruleset = &dataplane.node(step.node).ruleset;
    let table = &ruleset.get_table(ruleset.get(*chain).table).name;
    let kind = match step.origin.map(|id| &dataplane.origins.get(id).basis) {
        Some(Basis::Implied { citation, .. }) if citation.starts_with("firewalld") => GuardKind::Firewalld,
        _ if table == "firewalld" => GuardKind::Firewalld,
        Some(Basis::Written(_)) => GuardKind::Own,
        _ => return None,
    };
    picture.places.guards.get(&(step.node, kind)).copied()
}
