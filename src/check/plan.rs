//! Ways out of a connection that fails: the cheapest sets of edits, with and without each obstacle. The first one, read
//! the other way, is the list of everything that is in the way today.

use std::net::IpAddr;

use crate::dataplane::{Dataplane, Event, Flow, Symptom, Trace, Way};
use crate::eval;
use crate::lab::Lab;
use crate::lower::lower;
use crate::net::Protocol;
use crate::property::Sentence;
use crate::provenance::{Basis, Origin};
use crate::smt::{self, Encoding, Query};
use crate::switch::{Setting, SwitchId};

use super::aim::{Aim, Dialing};
use super::decide::{Checker, blocker, dialable, name_of, url};
use super::edits::{self, Candidate};
use super::obstacle::{Obstacle, Scene};
use super::place::{Endpoint, Places};
use super::verdict::{Blocker, Fix, Witness};

/// At most this many ways out are offered.
pub(super) const MOST_FIXES: usize = 3;

/// What was found out about a connection that fails.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) fixes: Vec<Fix>,
    pub(super) blockers: Vec<Blocker>,
    pub(super) attempt: Option<Witness>,
}

/// A way out: edits, with what each of them says about the present.
pub(super) struct Proposal {
    cost: u32,
    pub(super) fix: Fix,
    blockers: Vec<Blocker>,
    /// The connection that works then, as it is today.
    attempt: Witness,
}

/// Asks the solver for the cheapest sets of edits, with and without each obstacle, and reads the first one as the list
/// of blockers.
pub(super) fn plan(checker: &Checker<'_>, sentence: &Sentence, member: &Endpoint, aim: &Aim) -> Plan {
    let question = Question { checker, sentence, member, aim };
    let (lab, candidates) = edits::candidates(checker.places.lab, checker.sources, member, aim);
    let mut proposals = question.proposals(&lab, &candidates, None, MOST_FIXES);
    for obstacle in question.obstacles() {
        let mut cleared = checker.places.lab.clone();
        (obstacle.clear)(&mut cleared);
        let moved = if obstacle.moves_target { question.moved(&cleared) } else { None };
        let aim = moved.as_ref().unwrap_or(aim);
        let (lab, candidates) = edits::candidates(&cleared, checker.sources, member, aim);
        let more = Question { aim, ..question }.proposals(&lab, &candidates, Some(&obstacle), MOST_FIXES);
        let is_new = |proposal: &Proposal| !proposals.iter().any(|known| is_part(&known.fix, &proposal.fix));
        let more: Vec<Proposal> = more.into_iter().filter(is_new).collect();
        proposals.extend(more);
    }
    proposals.sort_by_key(|proposal| proposal.cost);
    proposals.truncate(MOST_FIXES);
    let mut plan = Plan::default();
    for proposal in proposals {
        if plan.blockers.is_empty() {
            plan.blockers = proposal.blockers;
            plan.attempt = Some(proposal.attempt).filter(|attempt| can_be_known(checker, attempt));
        }
        plan.fixes.push(proposal.fix);
    }
    plan.attempt = plan.attempt.or_else(|| best_attempt(checker, sentence, member, aim));
    plan
}

/// The connection that the cheapest addition would let through, as it is today; nothing if additions do not help.
pub(super) fn example(checker: &Checker<'_>, sentence: &Sentence, member: &Endpoint, aim: &Aim) -> Option<Witness> {
    let question = Question { checker, sentence, member, aim };
    let (lab, candidates) = edits::candidates(checker.places.lab, checker.sources, member, aim);
    let cheapest = question.proposals(&lab, &candidates, None, 1).into_iter().next()?;
    Some(cheapest.attempt).filter(|attempt| can_be_known(checker, attempt))
}

/// Whether somebody has the address today. One that a machine would get only after the fix is nothing to try.
fn can_be_known(checker: &Checker<'_>, attempt: &Witness) -> bool {
    let address = attempt.trace.flow.destination;
    address.is_loopback() || checker.places.dataplane.nodes().any(|(_, node)| node.addresses().any(|a| a == address))
}

/// Whether a fix does all that another one does, and more.
fn is_part(small: &Fix, large: &Fix) -> bool {
    small.edits.iter().all(|edit| large.edits.iter().any(|other| other.what == edit.what))
}

/// One subject and one aim of a sentence.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) checker: &'a Checker<'a>,
    pub(super) sentence: &'a Sentence,
    pub(super) member: &'a Endpoint,
    pub(super) aim: &'a Aim,
}

impl Question<'_> {
    /// The aim in a lab in which its target is in another namespace.
    fn moved(&self, lab: &Lab) -> Option<Aim> {
        let lowered = lower(lab);
        let aims = Places::new(lab, &lowered).aims(self.sentence).ok()?;
        aims.into_iter().find(|aim| aim.label == self.aim.label)
    }

    fn obstacles(&self) -> Vec<Obstacle> {
        let Checker { places, sources, setting, .. } = self.checker;
        let traces: Vec<Trace> = attempts(self.checker, self.member, self.aim)
            .iter()
            .map(|flow| eval::trace(places.dataplane, flow, setting))
            .collect();
        Scene::new(places.lab, places.dataplane, sources, (self.member, self.aim), &traces).obstacles()
    }

    /// The cheapest sets of edits that help in a lab from which an obstacle may have been taken.
    pub(super) fn proposals(
        &self,
        lab: &Lab,
        candidates: &[Candidate],
        cleared: Option<&Obstacle>,
        most: usize,
    ) -> Vec<Proposal> {
        let edited = lower(lab);
        let mut all: Vec<Proposal> = Vec::new();
        let Some(query) = query(self.checker, self.sentence, self.member, self.aim, &edited) else { return all };
        let encoding = Encoding::new(&edited, query);
        let defaults = edited.switches.defaults();
        let prices: Vec<(SwitchId, u32)> = candidates.iter().map(|c| (c.switch, c.weight)).collect();
        let mut known: Vec<Vec<SwitchId>> = Vec::new();
        let mut dialed: Vec<(IpAddr, u16)> = Vec::new();
        while known.len() < most {
            let Some(chosen) = encoding.cheapest_edits(&defaults, &prices, &known) else { break };
            if chosen.is_empty() && cleared.is_none() {
                break;
            }
            let setting = chosen.iter().fold(defaults.clone(), |s, id| s.with(*id, true));
            let smt::Answer::Yes(flow) = find_other(&encoding, &setting, &dialed) else { break };
            dialed.push((flow.destination, flow.destination_port));
            let after = eval::trace(&edited, &flow, &setting);
            if after.outcome.symptom != Symptom::Works {
                break;
            }
            let chosen_candidates = in_path_order(candidates, &chosen, &edited, &after);
            all.push(self.proposal(&edited, &setting, flow, &chosen_candidates, cleared));
            if chosen.is_empty() {
                break;
            }
            known.push(chosen);
        }
        all
    }

    fn proposal(
        &self,
        edited: &Dataplane,
        setting: &Setting,
        flow: Flow,
        chosen: &[&Candidate],
        cleared: Option<&Obstacle>,
    ) -> Proposal {
        let Self { checker, sentence, member, aim } = self;
        let name = name_of(edited, setting, member, aim, flow.destination);
        let url = url(sentence, aim, name, &flow);
        let of_obstacle = cleared.map(|o| blocker(o.code, o.blocker.clone(), o.shown.clone()));
        let of_candidates = chosen.iter().map(|c| blocker(c.code, c.blocker.clone(), c.shown.clone()));
        let blockers = of_obstacle.into_iter().chain(of_candidates).collect();
        let edits = cleared.map(|o| &o.edit).into_iter().chain(chosen.iter().map(|c| &c.edit)).cloned().collect();
        let cost = chosen.iter().map(|c| c.weight).chain(cleared.map(|o| o.weight)).sum();
        // The edited lab may have given the dialler another address: today its own routes choose.
        let today = Flow { source: member.sources.as_ref().and(flow.source), ..flow };
        let now = eval::trace(checker.places.dataplane, &today, &checker.setting);
        let attempt = checker.witness(sentence, member, aim, now);
        Proposal { cost, fix: Fix { edits, url: Some(url) }, blockers, attempt }
    }
}

/// A further fix shows an address that only it opens, if it opens any.
fn find_other(encoding: &Encoding, setting: &Setting, dialed: &[(IpAddr, u16)]) -> smt::Answer {
    match encoding.find(setting, dialed) {
        answer @ smt::Answer::Yes(_) => answer,
        smt::Answer::No | smt::Answer::Unknown(_) => encoding.find(setting, &[]),
    }
}

/// A failing `can`, asked about an edited lab: any address that a person could type.
fn query(
    checker: &Checker<'_>,
    sentence: &Sentence,
    member: &Endpoint,
    aim: &Aim,
    dataplane: &Dataplane,
) -> Option<Query> {
    let mut query = checker.query(sentence, member, aim, dataplane)?;
    query.destinations.get_or_insert_with(|| dialable(dataplane));
    Some(query)
}

/// The chosen candidates in the order in which the packet meets them.
fn in_path_order<'c>(
    candidates: &'c [Candidate],
    chosen: &[SwitchId],
    dataplane: &Dataplane,
    after: &Trace,
) -> Vec<&'c Candidate> {
    let position = |candidate: &Candidate| {
        after
            .steps
            .iter()
            .position(|step| step.origin.is_some_and(|id| same_ground(dataplane.origins.get(id), &candidate.origin)))
    };
    let mut ordered: Vec<&Candidate> = candidates.iter().filter(|c| chosen.contains(&c.switch)).collect();
    ordered.sort_by_key(|c| position(c).unwrap_or(usize::MAX));
    ordered
}

fn same_ground(a: &Origin, b: &Origin) -> bool {
    match (&a.basis, &b.basis) {
        (Basis::Missing { at: x, insert: t }, Basis::Missing { at: y, insert: u }) => x == y && t == u,
        _ => a.what == b.what,
    }
}

/// What a person would try: the addresses of the target and of the machines that it runs on, at the ports that may
/// lead to it.
pub(super) fn attempts(checker: &Checker<'_>, member: &Endpoint, aim: &Aim) -> Vec<Flow> {
    let (addresses, ports): (Vec<IpAddr>, Vec<u16>) = match &aim.dial {
        Dialing::Fixed(addresses, ports) => (addresses.clone(), vec![ports.first]),
        Dialing::Name(name, port) => (checker.places.resolved(member, name), vec![*port]),
        Dialing::Free => {
            let addresses = checker.places.addresses_towards(member, aim.endpoint.as_ref());
            (addresses, front_ports(checker, aim))
        }
    };
    let is_ping = aim.protocol == Protocol::Icmp;
    let flow = |destination, port| Flow {
        from: member.node,
        protocol: aim.protocol,
        source: member.sources.as_ref().and_then(|s| s.natural),
        source_port: if is_ping { 0 } else { 50_000 },
        destination,
        destination_port: if is_ping { 0 } else { port },
    };
    let of_family = addresses.into_iter().filter(IpAddr::is_ipv4);
    of_family.flat_map(|address| ports.iter().map(move |port| flow(address, *port))).collect()
}

/// Without an edit that helps: of all attempts the one that gets nearest.
pub(super) fn best_attempt(
    checker: &Checker<'_>,
    sentence: &Sentence,
    member: &Endpoint,
    aim: &Aim,
) -> Option<Witness> {
    let dataplane = checker.places.dataplane;
    let best = attempts(checker, member, aim)
        .iter()
        .map(|flow| eval::trace(dataplane, flow, &checker.setting))
        .filter(|trace| trace.outcome.symptom != Symptom::Works)
        .max_by_key(|trace| nearness(dataplane, trace, aim.endpoint.as_ref()))?;
    Some(checker.witness(sentence, member, aim, best))
}

/// The target's own port and the host ports that lead to it.
fn front_ports(checker: &Checker<'_>, aim: &Aim) -> Vec<u16> {
    let mut ports: Vec<u16> = aim.port.into_iter().collect();
    let target = aim.endpoint.as_ref().and_then(|e| e.container.as_deref());
    for (_, container) in checker.places.lab.containers().filter(|(_, c)| Some(c.name.as_str()) == target) {
        ports.extend(container.publishes.iter().filter_map(|p| p.host_port));
    }
    ports.dedup();
    ports
}

/// How near an attempt gets: to the target itself, else through as many relays as possible, else to the address that a
/// machine has, else through as many nodes as possible, but not out into the internet.
fn nearness(dataplane: &Dataplane, trace: &Trace, target: Option<&Endpoint>) -> (bool, bool, usize, bool, bool, usize) {
    let requests = || trace.steps.iter().filter(|s| s.way == Way::Request);
    let at_target = requests().any(|s| Some(s.node) == target.map(|t| t.node));
    let relays = requests().filter(|s| matches!(s.event, Event::Relayed { .. })).count();
    let crossed = requests().filter(|s| matches!(s.event, Event::Crossed { .. })).count();
    let machine = target.filter(|t| t.container.is_none());
    let is_own = machine.is_some_and(|t| dataplane.node(t.node).addresses().any(|a| a == trace.flow.destination));
    let is_machines = is_own && !trace.flow.destination.is_loopback();
    let answered = trace.outcome.delivery.is_none();
    // Whoever stands for many machines (the internet) is nobody's way to a target of the lab.
    let mut others = requests().filter(|s| s.node != trace.flow.from);
    let stays = others.all(|s| dataplane.node(s.node).interfaces.iter().all(|i| i.claims.is_empty()));
    (at_target, stays, relays, is_machines, answered, crossed)
}
