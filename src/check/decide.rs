//! Decides one sentence: quantifies over its members, asks the solver, replays, and gathers what explains the answer.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::OnceLock;

use crate::dataplane::{Dataplane, Event, Flow, NodeId, Socket, Step, Symptom, Trace, Way};
use crate::diagnostic::{Code, Diagnostic};
use crate::eval;
use crate::lab::Lab;
use crate::language::{Text, text};
use crate::net::{Family, PortRange, Protocol, url_host};
use crate::property::{Cause, Sentence, Verb};
use crate::provenance::{Origin, OriginId};
use crate::smt::{self, Encoding, Goal, Query};
use crate::source::{Sources, Spanned};
use crate::switch::{Setting, Switch, SwitchKind};

use super::aim::{Aim, Dialing};
use super::blame;
use super::chosen_port;
use super::fold::first_of_group;
use super::hangs_on::{conditions, decisive, merge_conditions};
use super::place::{Endpoint, Places};
use super::plan;
use super::refused;
use super::symptom::{is_expected, symptom_text};
use super::verdict::{Answer, Blocker, Condition, Verdict, Witness};
use super::{CheckError, Replay};

/// At most this many addresses that work are listed.
const MOST_WITNESSES: usize = 64;

/// Why a sentence has no verdict.
pub(super) enum Stop {
    /// Something is wrong with the sentence.
    Sentence(Box<Diagnostic>),
    /// Something is wrong with this program.
    Engines(CheckError),
}

impl From<Box<Diagnostic>> for Stop {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Self::Sentence(diagnostic)
    }
}

pub(super) struct Checker<'a> {
    pub(super) places: Places<'a>,
    pub(super) setting: Setting,
    pub(super) replay: Replay,
    pub(super) sources: &'a Sources,
    /// Only the answer is wanted.
    pub(super) is_brief: bool,
    /// For every dialler's node that of the first which is the same to everybody else.
    alike: OnceLock<HashMap<NodeId, NodeId>>,
}

/// What was found for one subject and one aim.
pub(super) struct Found {
    pub(super) answer: smt::Answer,
    pub(super) witnesses: Vec<Witness>,
    pub(super) conditions: Vec<Condition>,
    /// The answer depends on something that is not modelled.
    pub(super) unmodeled: Vec<Blocker>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(lab: &'a Lab, dataplane: &'a Dataplane, sources: &'a Sources, replay: Replay) -> Self {
        Self {
            places: Places::new(lab, dataplane),
            setting: dataplane.switches.defaults(),
            replay,
            sources,
            is_brief: false,
            alike: OnceLock::new(),
        }
    }

    /// One that looks for answers only, not for what explains them.
    pub(super) fn brief(lab: &'a Lab, dataplane: &'a Dataplane, sources: &'a Sources) -> Self {
        Self { is_brief: true, ..Self::new(lab, dataplane, sources, eval::trace) }
    }

    /// `only` says two things: they can, and nobody else can.
    pub(super) fn judge_of_one(&self, sentence: &Sentence) -> Result<Verdict, Stop> {
        let is_about_nobody = sentence.subject.of.is_empty();
        let mut verdict =
            if is_about_nobody { Verdict::new(Answer::Holds, Text::default()) } else { self.with_notes(sentence)? };
        for others in sentence.others() {
            let is_about_nobody = self.members(&others)?.is_empty();
            if verdict.answer != Answer::Holds || is_about_nobody {
                continue;
            }
            let theirs = self.with_notes(&others)?;
            if theirs.answer != Answer::Holds {
                return Ok(theirs);
            }
            merge_conditions(&mut verdict.conditions, theirs.conditions);
        }
        Ok(verdict)
    }

    /// What docker compose refuses is said along with the verdict.
    fn with_notes(&self, sentence: &Sentence) -> Result<Verdict, Stop> {
        let mut verdict = self.judge_one(sentence)?;
        verdict.notes.extend(refused::notes(self, sentence, &verdict));
        verdict.notes.extend(chosen_port::notes(self, &verdict));
        Ok(verdict)
    }

    fn judge_one(&self, sentence: &Sentence) -> Result<Verdict, Stop> {
        if let Verb::Resolve(name) = &sentence.verb {
            return self.judge_resolve(sentence, name);
        }
        let aims = self.places.aims(sentence)?;
        let target = aims.first().and_then(|a| a.endpoint.as_ref());
        let members = self.places.some_members(&sentence.subject, target)?;
        if sentence.can {
            self.judge_can(sentence, &members, &aims)
        } else {
            self.judge_cannot(sentence, &members, &aims)
        }
    }

    pub(super) fn members(&self, sentence: &Sentence) -> Result<Vec<Endpoint>, Stop> {
        let aims = self.places.aims(sentence)?;
        let target = aims.first().and_then(|a| a.endpoint.as_ref());
        Ok(self.places.members(&sentence.subject, target)?)
    }

    /// A name for those that are the same to everybody else as this one of several members: one of them has the answer of all.
    /// Nothing for who is like nobody, or may be dialling itself.
    fn group(&self, member: &Endpoint, members: &[Endpoint], aim: &Aim) -> Option<NodeId> {
        let is_alone = member.sources.is_some() || aim.goal.node() == Some(member.node);
        if is_alone || members.len() < 2 || !matches!(aim.dial, Dialing::Free) {
            return None;
        }
        let first = self.alike.get_or_init(|| first_of_group(self.places.dataplane, &self.places.everyone()));
        Some(first.get(&member.node).copied().unwrap_or(member.node))
    }

    /// What works for one works for another that is the same to everybody else; the interpreter has to say so, too.
    fn likewise(
        &self,
        sentence: &Sentence,
        member: &Endpoint,
        aim: &Aim,
        dataplane: &Dataplane,
        flow: &Flow,
    ) -> Option<Witness> {
        let flow = Flow { from: member.node, ..*flow };
        let trace = (self.replay)(dataplane, &flow, &dataplane.switches.defaults());
        reaches(&trace, &aim.goal).then(|| self.witness(sentence, member, aim, trace))
    }

    /// Every member must have a way to every aim.
    fn judge_can(&self, sentence: &Sentence, members: &[Endpoint], aims: &[Aim]) -> Result<Verdict, Stop> {
        let mut verdict = Verdict::new(Answer::Holds, Text::default());
        // For one who dials every address is of interest, for a crowd one each.
        let most = if members.len() > 1 || self.is_brief { 1 } else { MOST_WITNESSES };
        for aim in aims {
            let unknown =
                self.places.content_is_unknown(aim).then(|| self.with_listener(aim, self.places.dataplane)).flatten();
            let dataplane = unknown.as_ref().unwrap_or(self.places.dataplane);
            let mut works: HashMap<NodeId, Flow> = HashMap::new();
            for member in members {
                let group = self.group(member, members, aim);
                let known = group.and_then(|group| works.get(&group));
                if let Some(witness) = known.and_then(|flow| self.likewise(sentence, member, aim, dataplane, flow)) {
                    verdict.witnesses.push(witness);
                    continue;
                }
                let found = self.find(sentence, member, aim, dataplane, most)?;
                merge_conditions(&mut verdict.conditions, found.conditions);
                match found.answer {
                    smt::Answer::Yes(_) if found.unmodeled.is_empty() => {
                        works.extend(group.zip(found.witnesses.first().map(|witness| witness.trace.flow)));
                        verdict.witnesses.extend(found.witnesses);
                    }
                    smt::Answer::No if found.unmodeled.is_empty() && self.is_brief => {
                        return Ok(Verdict::new(Answer::Violated, Text::default()));
                    }
                    smt::Answer::No if found.unmodeled.is_empty() => {
                        return Ok(blame::unreachable(self, sentence, member, aim, verdict.conditions));
                    }
                    smt::Answer::Unknown(reason) => return Ok(undecided(sentence, Some(reason), Vec::new())),
                    _ => return Ok(undecided(sentence, None, found.unmodeled)),
                }
            }
        }
        verdict.headline = claim(sentence, members, aims);
        Ok(verdict)
    }

    /// No member may have a way to any aim.
    fn judge_cannot(&self, sentence: &Sentence, members: &[Endpoint], aims: &[Aim]) -> Result<Verdict, Stop> {
        let mut verdict = Verdict::new(Answer::Holds, Text::default());
        for aim in aims {
            let listening = self.with_listener(aim, self.places.dataplane);
            if listening.is_some() {
                let target = &aim.label;
                verdict.notes.push(text!(
                    "nothing is known to listen on {target}; checked as if something did",
                    "{target}에서 대기하는 프로그램은 알려진 것이 없습니다. 있다고 가정하고 검사했습니다"
                ));
            }
            let dataplane = listening.as_ref().unwrap_or(self.places.dataplane);
            let mut asked: HashSet<NodeId> = HashSet::new();
            let is_new = |member: &&Endpoint| self.group(member, members, aim).is_none_or(|group| asked.insert(group));
            for member in members.iter().filter(is_new) {
                let found = self.find(sentence, member, aim, dataplane, 1)?;
                merge_conditions(&mut verdict.conditions, found.conditions);
                match found.answer {
                    smt::Answer::No if found.unmodeled.is_empty() => {}
                    smt::Answer::Yes(_) if found.unmodeled.is_empty() && self.is_brief => {
                        return Ok(Verdict::new(Answer::Violated, Text::default()));
                    }
                    smt::Answer::Yes(_) if found.unmodeled.is_empty() => {
                        return Ok(blame::exposed(self, sentence, member, aim, found.witnesses, dataplane));
                    }
                    smt::Answer::Unknown(reason) => return Ok(undecided(sentence, Some(reason), Vec::new())),
                    _ => return Ok(undecided(sentence, None, found.unmodeled)),
                }
            }
            if !self.is_brief && !self.is_reachable_at_all(aim, dataplane) {
                let target = &aim.label;
                verdict.notes.push(text!(
                    "vacuous: nothing at all can reach {target}, not even its own host",
                    "공허한 참: {target}에는 자기 호스트를 포함해 아무도 연결할 수 없습니다"
                ));
            }
        }
        verdict.headline = claim(sentence, members, aims);
        let verdict = self.expect_symptom(sentence, members, aims, verdict)?;
        Ok(self.expect_cause(sentence, members, aims, verdict))
    }

    /// `with refused`: the natural attempt must fail in that way.
    fn expect_symptom(
        &self,
        sentence: &Sentence,
        members: &[Endpoint],
        aims: &[Aim],
        mut verdict: Verdict,
    ) -> Result<Verdict, Stop> {
        for member in members {
            for aim in aims {
                if sentence.symptom.is_none() && (self.is_brief || verdict.failure.is_some()) {
                    return Ok(verdict);
                }
                let Some(attempt) = blame::natural_attempt(self, sentence, member, aim) else { continue };
                let seen = attempt.trace.outcome.symptom;
                if let Some(expected) = &sentence.symptom
                    && !is_expected(expected.value, seen)
                {
                    verdict.answer = Answer::Violated;
                    let (who, target, seen) = (&member.label, &aim.label, symptom_text(seen));
                    verdict.headline = text!(
                        "{who} cannot reach {target}, but sees another symptom: {seen}",
                        "{who}에서 {target}에 연결할 수 없지만, 증상이 다릅니다: {seen}";
                        seen
                    );
                    verdict.blockers = blame::last_steps(self.places.dataplane, &attempt.trace);
                    verdict.code = verdict.blockers.first().map(|b| b.code);
                }
                if verdict.failure.is_none() {
                    verdict.failure = Some(attempt);
                }
            }
        }
        Ok(verdict)
    }

    /// `because nat`: something of this kind, or in this file, must be in everybody's way.
    fn expect_cause(&self, sentence: &Sentence, members: &[Endpoint], aims: &[Aim], verdict: Verdict) -> Verdict {
        let Some(cause) = sentence.cause.as_ref().filter(|_| verdict.answer == Answer::Holds) else { return verdict };
        for (member, aim) in members.iter().flat_map(|m| aims.iter().map(move |a| (m, a))) {
            let mut stopped = blame::unreachable(self, sentence, member, aim, Vec::new());
            if !stopped.blockers.iter().any(|b| self.is_cause(&cause.value, b)) {
                let headline = stopped.headline;
                stopped.headline =
                    text!("{headline}, but not because of that", "{headline} (다만 원인은 그것이 아닙니다)"; headline);
                stopped.fixes.clear();
                return stopped;
            }
        }
        verdict
    }

    fn is_cause(&self, cause: &Cause, blocker: &Blocker) -> bool {
        match cause {
            Cause::Codes(codes) => codes.contains(&blocker.code),
            Cause::File { name, line } => blocker.origin.span().is_some_and(|span| {
                let source = self.sources.get(span.source);
                let is_named = source.name == *name || source.name.ends_with(&format!("/{name}"));
                let lines = source.position(span.start).line..=source.position(span.end).line;
                is_named && line.is_none_or(|line| lines.contains(&line))
            }),
        }
    }

    fn judge_resolve(&self, sentence: &Sentence, name: &Spanned<String>) -> Result<Verdict, Stop> {
        let members = self.places.some_members(&sentence.subject, None)?;
        let unresolved: Vec<&Endpoint> =
            members.iter().filter(|m| self.places.resolved(m, &name.value).is_empty()).collect();
        let resolves = unresolved.is_empty();
        let holds = if sentence.can { resolves } else { unresolved.len() == members.len() };
        let (who, name_asked) = (subject_text(&members), &name.value);
        let headline = if resolves {
            text!("{who} can resolve `{name_asked}`", "{who}에서 `{name_asked}` 이름을 찾을 수 있습니다")
        } else {
            let who = unresolved.first().map_or("", |m| m.label.as_str());
            text!("{who} cannot resolve `{name_asked}`", "{who}에서 `{name_asked}` 이름을 찾을 수 없습니다")
        };
        let mut verdict = Verdict::new(if holds { Answer::Holds } else { Answer::Violated }, headline);
        if !holds
            && sentence.can
            && let Some(member) = unresolved.first()
        {
            verdict.code = Some(Code::DockerNameUnknown);
            verdict.blockers = vec![blame::name_unknown(self, member, &name.value)];
        }
        Ok(verdict)
    }

    /// Asks for every way from a member to an aim, and for the assumptions that decide whether there is one.
    fn find(
        &self,
        sentence: &Sentence,
        member: &Endpoint,
        aim: &Aim,
        dataplane: &Dataplane,
        most: usize,
    ) -> Result<Found, Stop> {
        let mut found =
            Found { answer: smt::Answer::No, witnesses: Vec::new(), conditions: Vec::new(), unmodeled: Vec::new() };
        let Some(query) = self.query(sentence, member, aim, dataplane) else { return Ok(found) };
        let setting = dataplane.switches.defaults();
        let encoding = Encoding::new(dataplane, query);
        found.answer = encoding.find(&setting, &[]);
        if !self.is_brief {
            found.conditions = conditions(sentence, &encoding, dataplane, &found.answer);
        }
        found.unmodeled = decisive(&encoding, dataplane, &found.answer);
        let mut known: Vec<(IpAddr, u16)> = Vec::new();
        let mut doubts = Vec::new();
        while let smt::Answer::Yes(flow) = encoding.find(&setting, &known) {
            let trace = self.replayed(sentence, dataplane, &flow, aim)?;
            let doubtful = doubts_about(dataplane, trace.steps.iter().map(|s| s.node));
            let is_certain = doubtful.is_empty();
            doubts.extend(doubtful);
            if is_certain {
                found.witnesses.push(self.witness(sentence, member, aim, trace));
            }
            known.push((flow.destination, flow.destination_port));
            let is_enough = is_certain && !sentence.can;
            if known.len() >= MOST_WITNESSES
                || found.witnesses.len() >= most
                || is_enough
                || matches!(aim.dial, Dialing::Name(..))
            {
                break;
            }
        }
        match &found.answer {
            smt::Answer::Yes(_) if found.witnesses.is_empty() => found.unmodeled.extend(doubts),
            smt::Answer::No => {
                self.tried(sentence, dataplane, member, aim)?;
                found.unmodeled.extend(doubts_about(dataplane, encoding.nodes().iter().copied()));
            }
            smt::Answer::Yes(_) | smt::Answer::Unknown(_) => {}
        }
        found.witnesses.sort_by_key(|w| detour(&w.trace));
        Ok(found)
    }

    pub(super) fn query(
        &self,
        sentence: &Sentence,
        member: &Endpoint,
        aim: &Aim,
        dataplane: &Dataplane,
    ) -> Option<Query> {
        let (destinations, ports) = match &aim.dial {
            // A sentence that forbids is about every address there is.
            Dialing::Free if !sentence.can => (None, PortRange::ALL),
            Dialing::Free => (Some(dialable(dataplane)), PortRange::ALL),
            Dialing::Fixed(addresses, ports) => {
                // Somebody else's loopback address is one's own.
                let is_own = aim.endpoint.as_ref().is_none_or(|e| e.node == member.node);
                let meant = addresses.iter().copied().filter(|a| is_own || !a.is_loopback());
                (Some(meant.collect()), *ports)
            }
            Dialing::Name(name, port) => {
                let addresses = self.places.resolved(member, name);
                if addresses.is_empty() {
                    return None;
                }
                (Some(addresses), PortRange::single(*port))
            }
        };
        let sources = member.sources.clone();
        let goal = aim.goal.clone();
        Some(Query {
            from: member.node,
            family: Family::V4,
            protocol: aim.protocol,
            sources,
            destinations,
            ports,
            goal,
        })
    }

    /// "There is no way" is tried, too: nothing that a person would dial may work.
    fn tried(&self, sentence: &Sentence, dataplane: &Dataplane, member: &Endpoint, aim: &Aim) -> Result<(), Stop> {
        let setting = dataplane.switches.defaults();
        for flow in plan::attempts(self, member, aim) {
            let trace = (self.replay)(dataplane, &flow, &setting);
            let is_own_loopback =
                flow.destination.is_loopback() && aim.endpoint.as_ref().is_some_and(|e| e.node != member.node);
            let is_meant = !matches!(aim.dial, Dialing::Fixed(..)) || !is_own_loopback;
            if is_meant && reaches(&trace, &aim.goal) {
                let sentence = sentence.text.value.clone();
                return Err(Stop::Engines(CheckError::Overlooked { sentence, flow, trace: Box::new(trace) }));
            }
        }
        Ok(())
    }

    /// No model is shown that the interpreter does not confirm.
    fn replayed(&self, sentence: &Sentence, dataplane: &Dataplane, flow: &Flow, aim: &Aim) -> Result<Trace, Stop> {
        let trace = (self.replay)(dataplane, flow, &dataplane.switches.defaults());
        if reaches(&trace, &aim.goal) {
            return Ok(trace);
        }
        let sentence = sentence.text.value.clone();
        Err(Stop::Engines(CheckError::Disagreement { sentence, flow: *flow, trace: Box::new(trace) }))
    }

    pub(super) fn witness(&self, sentence: &Sentence, member: &Endpoint, aim: &Aim, trace: Trace) -> Witness {
        let name = name_of(self.places.dataplane, &self.setting, member, aim, trace.flow.destination);
        let url = url(sentence, aim, name, &trace.flow);
        Witness { url, from: member.label.clone(), trace }
    }

    /// The dataplane with a program that listens on the target's port on all addresses, if none is known to: behind a
    /// switch, so that an answer that depends on it says so.
    pub(super) fn with_listener(&self, aim: &Aim, dataplane: &Dataplane) -> Option<Dataplane> {
        let (Goal::Socket { node, ports, .. }, Some(endpoint)) = (&aim.goal, &aim.endpoint) else { return None };
        if self.places.has_socket(endpoint, *ports, aim.protocol) {
            return None;
        }
        let mut dataplane = dataplane.clone();
        let (who, protocol) = (&endpoint.label, aim.protocol);
        let statement = text!(
            "`{who}` listens on {ports}/{protocol} on all addresses",
            "`{who}` 쪽이 모든 주소에서 {ports}/{protocol} 포트를 엶"
        );
        let unknown = text!(
            "not stated: nothing is known of what runs there",
            "명시되지 않음: 거기서 무엇이 실행되는지 알려진 바가 없음"
        );
        let assumed = Origin::assumed(unknown, self.places.span_of(endpoint));
        let origin = dataplane.origins.add(assumed.clone());
        let guard =
            dataplane.switches.add(Switch { statement, default: true, kind: SwitchKind::Assumption, origin: assumed });
        let owner = endpoint.owner.clone().unwrap_or_else(|| endpoint.label.clone());
        let socket = Socket { protocol: aim.protocol, address: None, ports: *ports, owner, guard: Some(guard), origin };
        dataplane.node_mut(*node).sockets.push(socket);
        Some(dataplane)
    }

    /// Non-vacuity: at least the target's own node reaches it.
    fn is_reachable_at_all(&self, aim: &Aim, dataplane: &Dataplane) -> bool {
        let Some(node) = aim.goal.node() else { return true };
        let port = aim.port.unwrap_or(0);
        let reaches = |destination| {
            let source_port = if aim.protocol == Protocol::Icmp { 0 } else { 50_000 };
            let flow = Flow {
                from: node,
                protocol: aim.protocol,
                source: None,
                source_port,
                destination,
                destination_port: port,
            };
            (self.replay)(dataplane, &flow, &dataplane.switches.defaults()).outcome.symptom == Symptom::Works
        };
        let own: Vec<IpAddr> = dataplane.node(node).addresses().filter(IpAddr::is_ipv4).collect();
        own.into_iter().any(reaches) || self.is_claiming(dataplane, node)
    }

    fn is_claiming(&self, dataplane: &Dataplane, node: NodeId) -> bool {
        dataplane.node(node).interfaces.iter().any(|i| !i.claims.is_empty())
    }

    pub(super) fn smt2(&self, sentence: &Sentence) -> Result<String, Box<Diagnostic>> {
        let aims = self.places.aims(sentence)?;
        let target = aims.first().and_then(|a| a.endpoint.as_ref());
        let members = self.places.members(&sentence.subject, target)?;
        let mut text = String::new();
        for member in &members {
            for aim in &aims {
                let Some(query) = self.query(sentence, member, aim, self.places.dataplane) else { continue };
                let encoding = Encoding::new(self.places.dataplane, query);
                let _ = writeln!(text, "(reset)\n; is there a connection {} -> {}?", member.label, aim.label);
                for id in encoding.switches() {
                    let switch = self.places.dataplane.switches.get(*id);
                    let default = if switch.default { "on" } else { "off" };
                    let _ = writeln!(
                        text,
                        "; switch-{}: {} ({}); {default} by default",
                        id.0, switch.statement, switch.origin.what
                    );
                }
                text.push_str(&encoding.smt2());
            }
        }
        Ok(text)
    }
}

/// What the person types to dial this flow.
pub(super) fn url(sentence: &Sentence, aim: &Aim, name: Option<String>, flow: &Flow) -> String {
    let host = match (&aim.dial, name) {
        (Dialing::Name(name, _), _) => name.clone(),
        (_, Some(name)) => name,
        _ if flow.destination == Family::V4.loopback() => "localhost".to_owned(),
        _ => url_host(flow.destination),
    };
    let place = match flow.protocol {
        Protocol::Icmp => host,
        _ => format!("{host}:{}", flow.destination_port),
    };
    let is_browser = sentence.text.value.contains("/browser ") || sentence.text.value.contains("http://");
    if is_browser && flow.protocol == Protocol::Tcp { format!("http://{place}") } else { place }
}

/// The name that a container has for an address of the target, as far as its name service knows one.
pub(super) fn name_of(
    dataplane: &Dataplane,
    setting: &Setting,
    member: &Endpoint,
    aim: &Aim,
    destination: IpAddr,
) -> Option<String> {
    member.container.as_ref()?;
    let target = aim.endpoint.as_ref().filter(|target| target.container.is_some())?;
    let known = dataplane.node(member.node).names.iter();
    let mut known = known.filter(|n| n.address == destination && setting.allows(n.guard));
    known.find(|n| n.name == target.label).map(|n| n.name.clone())
}

/// What a person would try first sorts first: loopback, then the way with the fewest stops.
fn detour(trace: &Trace) -> (bool, usize, IpAddr) {
    let is_stop = |step: &&Step| matches!(step.event, Event::Relayed { .. } | Event::Rewritten { .. });
    let stops = trace.steps.iter().filter(|s| s.way == Way::Request).filter(is_stop).count();
    (!trace.flow.destination.is_loopback(), stops, trace.flow.destination)
}

/// Whether a connection works and was taken by the goal.
fn reaches(trace: &Trace, goal: &Goal) -> bool {
    let arrived = trace.outcome.delivery.as_ref().is_some_and(|d| match goal {
        Goal::Anyone => true,
        Goal::Kernel(node) => d.node == *node,
        Goal::Socket { node, owner, ports } => {
            d.node == *node && owner.as_ref().is_none_or(|o| *o == d.owner) && ports.contains(d.header.destination_port)
        }
    });
    trace.outcome.symptom == Symptom::Works && arrived
}

/// Every address that a person could type: those of the lab, and 127.0.0.1 for all of loopback.
pub(super) fn dialable(dataplane: &Dataplane) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = dataplane.nodes().flat_map(|(_, n)| n.addresses()).filter(IpAddr::is_ipv4).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What is configured on these nodes and has no model.
fn doubts_about(dataplane: &Dataplane, nodes: impl Iterator<Item = NodeId>) -> Vec<Blocker> {
    let mut origins: Vec<OriginId> = nodes.flat_map(|id| dataplane.node(id).unmodeled.iter().copied()).collect();
    origins.sort_unstable();
    origins.dedup();
    let doubt = |id| {
        let origin = dataplane.origins.get(id).clone();
        blocker(Code::Unmodeled, not_modelled(&origin.what), origin)
    };
    origins.into_iter().map(doubt).collect()
}

fn undecided(sentence: &Sentence, reason: Option<String>, mut doubts: Vec<Blocker>) -> Verdict {
    doubts.dedup_by(|a, b| a.message == b.message && a.origin.span() == b.origin.span());
    let named = doubts.iter().map(|d| d.origin.what.clone());
    let reasons: Vec<Text> = reason.into_iter().map(Text::from).chain(named).collect();
    let (reasons, sentence) = (Text::joined(&reasons, &", ".into()), &sentence.text.value);
    let headline = text!(
        "`{sentence}` is undecided: it depends on {reasons}",
        "`{sentence}`: 판정 불가. 다음에 달려 있습니다: {reasons}";
        reasons
    );
    let mut verdict = Verdict::new(Answer::Undecided, headline);
    verdict.code = Some(Code::Undecided);
    verdict.blockers = doubts;
    verdict
}

fn subject_text(members: &[Endpoint]) -> String {
    match members {
        [one] => one.label.clone(),
        many => {
            let labels: Vec<&str> = many.iter().map(|m| m.label.as_str()).collect();
            labels.join(", ")
        }
    }
}

/// What a true sentence says.
fn claim(sentence: &Sentence, members: &[Endpoint], aims: &[Aim]) -> Text {
    let who = subject_text(members);
    let labels: Vec<&str> = aims.iter().map(|a| a.label.as_str()).collect();
    let targets = labels.join(", ");
    match (sentence.can, matches!(sentence.verb, Verb::Ping(_))) {
        (true, false) => text!("{who} can reach {targets}", "{who}에서 {targets}에 연결할 수 있습니다"),
        (false, false) => text!("{who} cannot reach {targets}", "{who}에서 {targets}에 연결할 수 없습니다"),
        (true, true) => text!("{who} can ping {targets}", "{who}에서 {targets}에 ping이 됩니다"),
        (false, true) => text!("{who} cannot ping {targets}", "{who}에서 {targets}에 ping이 되지 않습니다"),
    }
}

pub(super) fn not_modelled(what: &Text) -> Text {
    text!("{what}: not modelled", "{what}: 모델에 없음"; what)
}

/// A blocker that goes back to a step of a trace.
pub(super) fn blocker(code: Code, message: Text, origin: Origin) -> Blocker {
    Blocker { code, message, origin }
}
