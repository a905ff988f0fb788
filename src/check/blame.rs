//! Why not: the complete path that would work after the cheapest edits, every blocker on it, and what the person who
//! tries sees today. And why after all: the lines that let a forbidden packet in.

use std::net::IpAddr;

use crate::dataplane::{Dataplane, Decision, Disposition, Event, Flow, Outcome, Step, Symptom, Trace, Way};
use crate::diagnostic::Code;
use crate::eval;
use crate::lab::declaration::IdleCause;
use crate::lab::{Container, HostId, Networking};
use crate::language::{Text, text};
use crate::lower::lower;
use crate::net::Header;
use crate::property::Sentence;
use crate::provenance::Origin;
use crate::smt::{self, Encoding};
use crate::source::{Span, Spanned};

use super::aim::{Aim, Dialing};
use super::called::called;
use super::decide::{Checker, blocker, url};
use super::edits;
use super::own_loopback;
use super::place::Endpoint;
use super::plan::{MOST_FIXES, Question, best_attempt, example, plan};
use super::symptom::symptom_text;
use super::verdict::{Answer, Blocker, Condition, Edit, Fix, Verdict, Witness};

/// A `can` sentence that is false.
pub(super) fn unreachable(
    checker: &Checker<'_>,
    sentence: &Sentence,
    member: &Endpoint,
    aim: &Aim,
    conditions: Vec<Condition>,
) -> Verdict {
    let mut verdict = Verdict::new(Answer::Violated, Text::default());
    verdict.conditions = conditions;
    if let Dialing::Name(name, _) = &aim.dial
        && checker.places.resolved(member, name).is_empty()
    {
        verdict.blockers = vec![name_unknown(checker, member, name)];
        verdict.failure = Some(unresolved(sentence, checker, member, aim));
        verdict.fixes = naming(checker, sentence, member, aim, name);
    } else if let Some((blocker, fix)) = networkless(checker, member, aim) {
        verdict.blockers = vec![blocker];
        verdict.fixes = fix.into_iter().collect();
        verdict.failure = best_attempt(checker, sentence, member, aim);
    } else if let Some((blocker, fix)) =
        container(checker, member).and_then(|dialer| own_loopback::explain(checker, sentence, member, aim, dialer))
    {
        verdict.blockers = vec![blocker];
        verdict.fixes = fix.into_iter().collect();
        verdict.failure = best_attempt(checker, sentence, member, aim);
    } else {
        let plan = plan(checker, sentence, member, aim);
        verdict.fixes = plan.fixes;
        verdict.blockers = plan.blockers;
        verdict.failure = plan.attempt;
    }
    if verdict.blockers.is_empty()
        && let Some(attempt) = &verdict.failure
    {
        verdict.blockers = last_steps(checker.places.dataplane, &attempt.trace);
    }
    verdict.code = verdict.blockers.first().map(|b| b.code);
    let seen = verdict.failure.as_ref().map_or(Symptom::TimedOut, |f| f.trace.outcome.symptom);
    let other =
        verdict.failure.as_ref().filter(|_| seen == Symptom::Works).and_then(|f| f.trace.outcome.delivery.as_ref());
    let (who, target) = (called(&member.label), &aim.label);
    verdict.headline = match other {
        Some(delivery) => {
            let owner = &delivery.owner;
            text!(
                "{who} cannot reach {target}: `{owner}` answers in its place",
                "{who}에서 {target}에 연결할 수 없습니다: 그 자리에서 `{owner}` 쪽이 응답합니다";
                who
            )
        }
        None => {
            let seen = symptom_text(seen);
            text!("{who} cannot reach {target}: {seen}", "{who}에서 {target}에 연결할 수 없습니다: {seen}"; who, seen)
        }
    };
    verdict
}

/// A container of the two that does not run, or has only a loopback.
fn networkless(checker: &Checker<'_>, member: &Endpoint, aim: &Aim) -> Option<(Blocker, Option<Fix>)> {
    let ends = [Some(member), aim.endpoint.as_ref()];
    let containers: Vec<&Container> = ends.into_iter().flatten().filter_map(|end| container(checker, end)).collect();
    if let Some(idle) = containers.iter().find_map(|c| c.idle.as_ref().map(|idle| at_rest(&c.name, idle))) {
        return Some(idle);
    }
    let (name, origin) = containers.into_iter().find_map(|container| match &container.networking {
        Networking::None(origin) => Some((&container.name, origin)),
        _ => None,
    })?;
    let what = text!("attach `{name}` to the default bridge", "`{name}` 컨테이너를 기본 브리지에 연결");
    let fix = origin.span().map(|at| {
        let edit = Edit { what, at: Some(at), text: "bridge".to_owned() };
        Fix { edits: vec![edit], url: None }
    });
    let message = text!(
        "`{name}` has no network: only its own programs reach it, and it reaches nobody",
        "`{name}` 컨테이너에는 네트워크가 없습니다: 자기 안의 프로그램끼리만 통하고, 밖으로도 나가지 못합니다"
    );
    Some((blocker(Code::DockerNoNetwork, message, origin.clone()), fix))
}

/// Why a container does not run, and what starts it. What docker itself refuses, another error explains.
fn at_rest(name: &str, idle: &Spanned<IdleCause>) -> (Blocker, Option<Fix>) {
    let because = match idle.value {
        IdleCause::Listed => text!("the engine says so", "엔진이 그렇게 답함"),
        IdleCause::Created => text!("made here, and not started", "여기서 만들기만 하고 시작하지 않음"),
        IdleCause::Stopped => text!("stopped here", "여기서 멈춤"),
        IdleCause::EngineRestarted => text!("docker comes up anew here", "여기서 docker가 다시 시작됨"),
        IdleCause::Refused => text!("docker does not start it", "docker가 시작하지 못함"),
    };
    let message = text!(
        "`{name}` does not run: it has no address and publishes nothing",
        "`{name}` 컨테이너가 실행 중이 아닙니다: 주소가 없고 아무 포트도 게시하지 않습니다"
    );
    let command = format!("docker start {name}");
    let what = text!("start `{name}`: `{command}`", "`{name}` 컨테이너 시작: `{command}`");
    let edit = match idle.value {
        IdleCause::EngineRestarted | IdleCause::Created => {
            Some(Edit { what, at: Some(idle.span.after()), text: format!("\n{command}") })
        }
        IdleCause::Listed | IdleCause::Stopped => Some(Edit { what, at: None, text: command }),
        IdleCause::Refused => None,
    };
    let blocker = blocker(Code::DockerNotRunning, message, Origin::written(because, idle.span));
    (blocker, edit.map(|edit| Fix { edits: vec![edit], url: None }))
}

fn container<'c>(checker: &Checker<'c>, end: &Endpoint) -> Option<&'c Container> {
    let named = |(host, c): &(HostId, &Container)| Some(*host) == end.host && Some(&c.name) == end.container.as_ref();
    checker.places.lab.containers().find(named).map(|(_, container)| container)
}

/// What makes a container's name known to another: a network that both are on and that a person made.
fn naming(checker: &Checker<'_>, sentence: &Sentence, member: &Endpoint, aim: &Aim, name: &str) -> Vec<Fix> {
    let target = aim.endpoint.as_ref().and_then(|end| container(checker, end));
    let (Some(subject), Some(target)) = (container(checker, member), target) else { return Vec::new() };
    if target.name != name && !target.aliases.iter().any(|alias| alias == name) {
        return Vec::new();
    }
    if on_default_bridge(checker, member, subject) && on_default_bridge(checker, member, target) {
        let (asker, asked) = (&subject.name, &target.name);
        let commands = format!(
            "docker network create lab\ndocker network connect lab {asker}\ndocker network connect lab {asked}"
        );
        let what = text!(
            "put `{asker}` and `{asked}` on a network of their own",
            "`{asker}` 컨테이너와 `{asked}` 컨테이너를 사용자 정의 네트워크 하나에 둠"
        );
        let url = url(sentence, aim, None, &unresolved(sentence, checker, member, aim).trace.flow);
        return vec![Fix { edits: vec![Edit { what, at: None, text: commands }], url: Some(url) }];
    }
    let by_address = Aim { dial: Dialing::Free, ..aim.clone() };
    let (lab, mut candidates) = edits::candidates(checker.places.lab, checker.sources, member, &by_address);
    candidates.retain(|candidate| candidate.code == Code::DockerIsolation);
    let question = Question { checker, sentence, member, aim: &by_address };
    question.proposals(&lab, &candidates, None, MOST_FIXES).into_iter().map(|proposal| proposal.fix).collect()
}

fn on_default_bridge(checker: &Checker<'_>, end: &Endpoint, container: &Container) -> bool {
    let engine = end.host.and_then(|host| checker.places.lab.host(host).engine.as_ref());
    let networks = engine.map(|e| e.networks.as_slice()).unwrap_or_default();
    match &container.networking {
        Networking::Bridges(endpoints) => {
            endpoints.iter().all(|e| networks.get(e.network).is_some_and(|n| n.is_default_bridge))
        }
        _ => false,
    }
}

/// What a person would try, and what happens. Where a sentence says how it should fail, all that is in the way counts.
pub(super) fn natural_attempt(
    checker: &Checker<'_>,
    sentence: &Sentence,
    member: &Endpoint,
    aim: &Aim,
) -> Option<Witness> {
    if let Dialing::Name(name, _) = &aim.dial
        && checker.places.resolved(member, name).is_empty()
    {
        return Some(unresolved(sentence, checker, member, aim));
    }
    let example = if sentence.symptom.is_none() { example(checker, sentence, member, aim) } else { None };
    example.or_else(|| plan(checker, sentence, member, aim).attempt)
}

fn unresolved(sentence: &Sentence, checker: &Checker<'_>, member: &Endpoint, aim: &Aim) -> Witness {
    let nowhere = IpAddr::from([0, 0, 0, 0]);
    let port = aim.port.unwrap_or(0);
    let flow = Flow {
        from: member.node,
        protocol: aim.protocol,
        source: None,
        source_port: 0,
        destination: nowhere,
        destination_port: port,
    };
    let header = Header {
        protocol: aim.protocol,
        source: nowhere,
        source_port: 0,
        destination: nowhere,
        destination_port: port,
    };
    let disposition = Disposition::NameUnknown;
    let step =
        Step { leg: 0, way: Way::Request, node: member.node, header, event: Event::Ended(disposition), origin: None };
    let outcome = Outcome { disposition, symptom: Symptom::NameNotResolved, delivery: None };
    checker.witness(sentence, member, aim, Trace { flow, steps: vec![step], outcome })
}

/// Nobody tells this name to the one who asks.
pub(super) fn name_unknown(checker: &Checker<'_>, member: &Endpoint, name: &str) -> Blocker {
    let lab = checker.places.lab;
    let Some(container) = container(checker, member) else {
        let origin = member.host.map_or_else(
            || Origin::assumed(text!("name service", "이름 서비스"), None),
            |h| lab.host(h).origin.clone(),
        );
        let asker = &member.label;
        let message =
            text!("`{asker}` has no entry for the name `{name}`", "`{asker}`에는 `{name}` 이름의 항목이 없습니다");
        return blocker(Code::DockerNameUnknown, message, origin);
    };
    let asker = &container.name;
    let message = if on_default_bridge(checker, member, container) {
        text!(
            "`{asker}` is on the default bridge, which has no name service: `{name}` means nothing there",
            "`{asker}` 컨테이너는 기본 브리지에 있고, 기본 브리지에는 이름 서비스가 없습니다: 거기서 `{name}` 이름은 아무 뜻이 없습니다"
        )
    } else {
        text!(
            "no network of `{asker}` knows the name `{name}`",
            "`{asker}` 컨테이너의 어느 네트워크에서도 `{name}` 이름을 모릅니다"
        )
    };
    blocker(Code::DockerNameUnknown, message, container.origin.clone())
}

/// The step that ended a failing trace, as a blocker.
pub(super) fn last_steps(dataplane: &Dataplane, trace: &Trace) -> Vec<Blocker> {
    let is_end = |step: &&Step| match &step.event {
        Event::Ended(_) => true,
        Event::Filtered { decision, .. } => *decision != Decision::Accepted,
        _ => false,
    };
    let Some(step) = trace.steps.iter().rev().find(is_end) else { return Vec::new() };
    let node = &dataplane.node(step.node).name;
    let origin = step.origin.map_or_else(
        || dataplane.origins.get(dataplane.node(step.node).origin).clone(),
        |id| dataplane.origins.get(id).clone(),
    );
    let header = step.header;
    let (code, message) = match &step.event {
        Event::Filtered { decision, .. } => {
            let what = &origin.what;
            let message = match *decision == Decision::Dropped {
                true => text!("`{node}` drops {header}: {what}", "`{node}`에서 버려짐(drop): {header}. {what}"; what),
                false => {
                    text!("`{node}` rejects {header}: {what}", "`{node}`에서 거부됨(reject): {header}. {what}"; what)
                }
            };
            (Code::Dropped, message)
        }
        Event::Ended(disposition) if step.way == Way::Reply => {
            let (code, message) = ended(*disposition, node, &header);
            let is_lost = matches!(code, Code::RouteNone | Code::RouteNoNeighbour);
            let message = match is_lost {
                true => {
                    text!("the answer does not come back: {message}", "응답이 돌아오지 못합니다: {message}"; message)
                }
                false => message,
            };
            (if is_lost { Code::RouteReplyLost } else { code }, message)
        }
        Event::Ended(disposition) => ended(*disposition, node, &header),
        _ => return Vec::new(),
    };
    vec![blocker(code, message, origin)]
}

fn martian(node: &str, header: &Header) -> Text {
    text!(
        "the kernel of `{node}` refuses {header}: such an address cannot come from there",
        "`{node}`의 커널이 거절합니다: {header}. 그쪽에서 올 수 없는 주소입니다"
    )
}

fn wrong_interface(node: &str, header: &Header) -> Text {
    text!(
        "`{node}` drops {header}: its answer would leave by another interface (`rp_filter` is 1)",
        "`{node}`에서 버립니다: {header}. 응답이 다른 인터페이스로 나가게 됩니다(`rp_filter`가 1)"
    )
}

fn ended(disposition: Disposition, node: &str, header: &Header) -> (Code, Text) {
    let (destination, port) = (header.destination, header.destination_port);
    match disposition {
        Disposition::NoListener => (
            Code::ListenNothing,
            text!(
                "nothing listens on {destination}:{port} at `{node}`",
                "`{node}`의 {destination}:{port}에서 대기하는 프로그램이 없습니다"
            ),
        ),
        Disposition::NoRoute => (
            Code::RouteNone,
            text!("`{node}` has no route to {destination}", "`{node}`에는 {destination} 주소로 가는 경로가 없습니다"),
        ),
        Disposition::NoNeighbor => (
            Code::RouteNoNeighbour,
            text!(
                "nobody answers for {destination} next to `{node}`",
                "`{node}`와 같은 세그먼트에서 {destination} 주소의 ARP에 응답하는 기기가 없습니다"
            ),
        ),
        Disposition::NotForwarding => (
            Code::RouteForwardingOff,
            text!("`{node}` does not forward packets", "`{node}`에서 패킷을 전달(forward)하지 않습니다"),
        ),
        Disposition::Unexpected => (
            Code::RouteReplyLost,
            text!(
                "the answer comes back to `{node}` as {header}, which belongs to no connection there",
                "응답이 `{node}`에 {header} 모습으로 돌아오는데, 거기에는 그런 연결이 없습니다"
            ),
        ),
        Disposition::Martian => (Code::Dropped, martian(node, header)),
        Disposition::WrongInterface => (Code::RouteWrongInterface, wrong_interface(node, header)),
        Disposition::NoRelay => (
            Code::NatNoInbound,
            text!("`{node}` has no use for {header}", "`{node}`에는 {header} 패킷을 받을 포워딩이 없습니다"),
        ),
        Disposition::Loop => (
            Code::RouteNone,
            text!("{header} goes round in a circle at `{node}`", "`{node}`에서 패킷이 제자리를 맴돕니다: {header}"),
        ),
        Disposition::NameUnknown => {
            (Code::DockerNameUnknown, text!("the name is unknown at `{node}`", "`{node}`에서는 모르는 이름입니다"))
        }
        Disposition::Delivered | Disposition::Dropped | Disposition::Rejected(_) => {
            (Code::Dropped, text!("`{node}` stops {header}", "`{node}`에서 막힙니다: {header}"))
        }
    }
}

/// A `cannot` sentence that is false: the packet that gets through, and the lines that let it.
pub(super) fn exposed(
    checker: &Checker<'_>,
    sentence: &Sentence,
    member: &Endpoint,
    aim: &Aim,
    witnesses: Vec<Witness>,
    dataplane: &Dataplane,
) -> Verdict {
    let url = witnesses.first().map_or_else(String::new, |w| w.url.clone());
    let (who, target) = (called(&member.label), &aim.label);
    let headline =
        text!("{who} can reach {target} at {url}", "{who}에서 {url} 주소로 {target}에 연결할 수 있습니다"; who);
    let mut verdict = Verdict::new(Answer::Violated, headline);
    verdict.code = Some(Code::Exposed);
    if let Some(witness) = witnesses.first() {
        verdict.blockers = letting_in(dataplane, &witness.trace);
    }
    let counterexample = witnesses.first();
    let fix = counterexample.and_then(|w| narrower(checker, sentence, member, aim, w, dataplane));
    verdict.fixes = fix.into_iter().collect();
    verdict.witnesses = witnesses;
    verdict
}

/// The written lines on the way of a request, in path order.
pub(super) fn letting_in(dataplane: &Dataplane, trace: &Trace) -> Vec<Blocker> {
    let mut seen = Vec::new();
    let mut blockers = Vec::new();
    for step in trace.steps.iter().filter(|s| s.way == Way::Request) {
        let node = &dataplane.node(step.node).name;
        let message = match &step.event {
            Event::Relayed { relay } => {
                text!("{relay} takes the connection on `{node}`", "`{node}`에서 {relay} 쪽이 연결을 받습니다")
            }
            Event::Rewritten { .. } => {
                let now = step.header;
                text!("`{node}` translates it: now {now}", "`{node}`에서 주소가 바뀝니다: 이제 {now}")
            }
            Event::Filtered { decision: Decision::Accepted, .. } => {
                text!("`{node}` lets it on", "`{node}`에서 통과시킵니다")
            }
            Event::Delivered { owner } => text!("`{owner}` listens there", "거기서 `{owner}` 쪽이 대기합니다"),
            _ => continue,
        };
        let Some(origin) = step.origin.map(|id| dataplane.origins.get(id).clone()) else { continue };
        let Some(span) = origin.span().filter(|span| !seen.contains(span)) else { continue };
        seen.push(span);
        blockers.push(blocker(Code::Exposed, message, origin));
    }
    blockers
}

/// Listening on loopback only, where the packet that gets through comes in, and again until none does.
fn narrower(
    checker: &Checker<'_>,
    sentence: &Sentence,
    member: &Endpoint,
    aim: &Aim,
    witness: &Witness,
    dataplane: &Dataplane,
) -> Option<Fix> {
    let mut lab = checker.places.lab.clone();
    let mut spans = spans_on_the_way(dataplane, &witness.trace);
    let mut edits = Vec::new();
    while edits.len() < MOST_FIXES {
        edits.push(spans.iter().find_map(|span| edits::narrow(&mut lab, *span))?);
        let lowered = lower(&lab);
        let lowered = checker.with_listener(aim, &lowered).unwrap_or(lowered);
        let query = checker.query(sentence, member, aim, &lowered)?;
        let setting = lowered.switches.defaults();
        match Encoding::new(&lowered, query).find(&setting, &[]) {
            smt::Answer::No => return Some(Fix { edits, url: None }),
            smt::Answer::Yes(flow) => spans = spans_on_the_way(&lowered, &eval::trace(&lowered, &flow, &setting)),
            smt::Answer::Unknown(_) => return None,
        }
    }
    None
}

/// The lines that a request owes its way to. What the caller's own node does is no way in.
fn spans_on_the_way(dataplane: &Dataplane, trace: &Trace) -> Vec<Span> {
    let requests = trace.steps.iter().filter(|s| s.way == Way::Request && s.node != trace.flow.from);
    requests.filter_map(|s| s.origin).filter_map(|id| dataplane.origins.get(id).span()).collect()
}
