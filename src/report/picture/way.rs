//! The way of a packet through the picture: hops gathered into stops.

use std::collections::BTreeSet;

use crate::check::{Witness, called};
use crate::dataplane::{Dataplane, Decision, Event, Hook, InterfaceId, NodeId, Outcome, Step, Symptom, Way};
use crate::language::{Language, text};
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
    pub sees: String,
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

/// The way of a witness, told in a language; nothing if it begins nowhere in the picture.
pub fn way(picture: &Picture, dataplane: &Dataplane, witness: &Witness, language: Language) -> Option<WalkedWay> {
    let mut stops: Vec<Stop> = Vec::new();
    let mut touched: Vec<Id> = Vec::new();
    let hops: BTreeSet<usize> = path::numbered_hops(&witness.trace).map(|(index, _)| index).collect();
    for (index, step) in witness.trace.steps.iter().enumerate() {
        if !hops.contains(&index) && !is_let_in(picture, step, stops.last()) {
            continue;
        }
        let line = told(dataplane, step, language);
        let is_answer = step.way == Way::Reply;
        let later = witness.trace.steps.get(index + 1..).unwrap_or_default();
        let here = place(picture, dataplane, step, later, stops.last());
        let start = || picture.places.nodes.get(&step.node).copied().filter(|_| stops.is_empty());
        let here = here.or_else(start);
        touched.extend(picture.places.nodes.get(&step.node));
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
    touched.extend(stops.iter().map(|stop| stop.at));
    let lit = touched.into_iter().flat_map(|id| picture.places.around(id)).collect();
    let sees = path::symptom(witness.trace.outcome.symptom, witness.trace.flow.protocol);
    let sees = sees.in_language(language).to_owned();
    Some(WalkedWay { stops, lit, sees })
}

/// Whether a rule lets a packet in that has just come through an adapter: then it passes the guard.
fn is_let_in(picture: &Picture, step: &Step, last: Option<&Stop>) -> bool {
    let from_outside = last.is_some_and(|last| {
        let house = picture.places.nodes.get(&step.node);
        picture.places.outer.get(&last.at) == house && !last.is_answer
    });
    let is_request = step.way == Way::Request && from_outside;
    is_request
        && matches!(step.event, Event::Filtered { hook: Hook::Input, rule: Some(_), decision: Decision::Accepted, .. })
}

fn told(dataplane: &Dataplane, step: &Step, language: Language) -> String {
    let (node, event) = (called(&dataplane.node(step.node).name), path::event(dataplane, step));
    let told = match step.event {
        Event::Ended(_) => text!("{node}: {event}", "{node}: {event}"; node, event),
        _ => text!("{node} {event}", "{node}: {event}"; node, event),
    };
    let told = if step.way == Way::Reply { text!("answer: {told}", "응답: {told}"; told) } else { told };
    told.in_language(language).to_owned()
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

/// The card of a container in the network that it dials through.
fn card(picture: &Picture, node: NodeId, later: &[Step]) -> Option<Id> {
    let routed = later.iter().take_while(|step| step.node == node).find_map(|step| match step.event {
        Event::Routed { interface, .. } => Some(interface),
        _ => None,
    });
    let card = picture.places.interfaces.get(&(node, routed?)).copied()?;
    let house = picture.places.nodes.get(&node).copied();
    Some(card).filter(|card| picture.places.outer.get(card).copied() != house)
}

/// Where a step takes place; nothing means where the packet is already.
fn place(picture: &Picture, dataplane: &Dataplane, step: &Step, later: &[Step], last: Option<&Stop>) -> Option<Id> {
    let places = &picture.places;
    let node = places.nodes.get(&step.node).copied();
    match &step.event {
        // A relay's own connection begins at the port that it took the client's from.
        Event::Dialed if step.leg > 0 && is_at(picture, step.node, last) => None,
        Event::Dialed => card(picture, step.node, later).or(node),
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
        Event::Filtered { .. } => guard(picture, dataplane, step),
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
