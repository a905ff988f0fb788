//! Words for traces: what a step did, what the person sees, and the whole way on one line.

use std::net::IpAddr;

use crate::check::{Witness, called};
use crate::dataplane::{Dataplane, Decision, Disposition, Event, NodeId, Outcome, Reject, Step, Symptom, Trace, Way};
use crate::language::{Text, text};
use crate::net::{Header, Protocol, url_host};
use crate::provenance::{Basis, Origin};
use crate::source::Sources;

use super::Style;

/// What the person who dials sees, in the words of the tools they use.
pub(super) fn symptom(symptom: Symptom, protocol: Protocol) -> Text {
    match (symptom, protocol) {
        (Symptom::Works, _) => text!("it works", "연결됩니다"),
        (Symptom::Refused, Protocol::Tcp) => {
            text!("connection refused, at once", "연결이 즉시 거부됩니다 (connection refused)")
        }
        (Symptom::Refused, _) => {
            text!("port unreachable, at once", "포트에 도달할 수 없다는 응답이 즉시 옵니다 (port unreachable)")
        }
        (Symptom::AcceptedThenClosed, Protocol::Tcp) => text!(
            "the connection is made, then closed without an answer (\"empty reply\", \"connection reset\")",
            "연결된 뒤 응답 없이 끊깁니다 (\"empty reply\", \"connection reset\")"
        ),
        (Symptom::AcceptedThenClosed, _) => text!("nothing comes back", "아무 응답도 없습니다"),
        (Symptom::TimedOut, _) => {
            text!("nothing comes back, until it times out", "응답이 없다가 시간 초과로 끝납니다 (timed out)")
        }
        (Symptom::HostUnreachable, _) => {
            text!("no route to host, at once", "호스트에 도달할 수 없다는 오류가 즉시 납니다 (no route to host)")
        }
        (Symptom::NoNeighbor, _) => text!(
            "no route to host, after some seconds",
            "몇 초 뒤 호스트에 도달할 수 없다는 오류가 납니다 (no route to host)"
        ),
        (Symptom::NetUnreachable, _) => text!(
            "network is unreachable, at once",
            "네트워크에 도달할 수 없다는 오류가 즉시 납니다 (network is unreachable)"
        ),
        (Symptom::NameNotResolved, _) => text!("the name cannot be resolved", "이름을 찾을 수 없습니다"),
    }
}

/// What became of a packet, as the end of "the packet ...".
pub(super) fn disposition(disposition: Disposition, header: &Header) -> Text {
    let dialled = destination(header);
    let address = header.destination;
    match disposition {
        Disposition::Delivered => text!("is delivered", "전달됨"),
        Disposition::NoListener => {
            text!("finds nobody who listens on {dialled}", "{dialled}에서 대기(listen)하는 프로그램이 없음")
        }
        Disposition::Dropped => text!("is dropped, without an answer", "응답 없이 버려짐(drop)"),
        Disposition::Rejected(reject) => {
            let with = reject_words(reject);
            text!("is rejected with {with}", "거부됨(reject): {with}"; with)
        }
        Disposition::Martian => text!(
            "is thrown away: a loopback address may not come from outside",
            "버려짐: 루프백 주소는 밖에서 들어올 수 없음"
        ),
        Disposition::WrongInterface => text!(
            "is thrown away: its answer would leave by another interface (reverse path filter)",
            "버려짐: 응답이 다른 인터페이스로 나가게 됨(역경로 필터, rp_filter)"
        ),
        Disposition::NoRoute => text!("finds no route to {address}", "{address}로 가는 경로(route)가 없음"),
        Disposition::NoNeighbor => {
            text!("finds nobody who answers for {address}", "{address}의 ARP 요청에 아무도 응답하지 않음")
        }
        Disposition::NotForwarding => {
            text!(
                "is thrown away: this node does not forward packets",
                "버려짐: 이 노드는 패킷을 전달(forward)하지 않음"
            )
        }
        Disposition::Loop => text!("goes round in a circle", "제자리를 맴돔(라우팅 루프)"),
        Disposition::NoRelay => text!("finds no forward for {dialled}", "{dialled}에 해당하는 포트 포워딩이 없음"),
        Disposition::Unexpected => {
            text!("belongs to no connection that is known here", "여기서 추적 중인 어느 연결에도 속하지 않음")
        }
        Disposition::NameUnknown => {
            text!("cannot be sent: the name is unknown here", "보낼 수 없음: 여기서는 모르는 이름임")
        }
    }
}

fn reject_words(reject: Reject) -> Text {
    match reject {
        Reject::TcpReset => text!("a TCP reset", "TCP RST"),
        Reject::PortUnreachable => "ICMP port unreachable".into(),
        Reject::HostUnreachable => "ICMP host unreachable".into(),
        Reject::NetUnreachable => "ICMP network unreachable".into(),
        Reject::HostProhibited => "ICMP host prohibited".into(),
        Reject::AdminProhibited => "ICMP administratively prohibited".into(),
    }
}

/// `tcp 10.0.2.15:3000`, or the address alone for a ping.
fn destination(header: &Header) -> String {
    match header.protocol {
        Protocol::Icmp => header.destination.to_string(),
        protocol => format!("{protocol} {}:{}", url_host(header.destination), header.destination_port),
    }
}

/// What a step did, as the end of "the node ...".
pub(super) fn event(dataplane: &Dataplane, step: &Step) -> Text {
    let node = dataplane.node(step.node);
    match &step.event {
        Event::Dialed => {
            let dialled = destination(&step.header);
            text!("dials {dialled}", "{dialled}에 연결을 시도함")
        }
        Event::Received { interface } => {
            let interface = &node.interface(*interface).name;
            text!("receives it through {interface}", "{interface} 인터페이스로 받음")
        }
        Event::Routed { interface, gateway } => {
            let interface = &node.interface(*interface).name;
            let via = gateway.map_or_else(Text::default, |gateway| text!(" via {gateway}", " (게이트웨이 {gateway})"));
            text!("routes it to {interface}{via}", "라우팅: {interface} 인터페이스로 내보냄{via}"; via)
        }
        Event::Filtered { hook, chain, rule, decision } => {
            let chain = node.ruleset.get(*chain);
            let (table, name) = (&node.ruleset.get_table(chain.table).name, &chain.name);
            let rule = rule.map_or_else(
                || text!("policy", "기본 정책"),
                |rule| {
                    let number = rule + 1;
                    text!("rule {number}", "{number}번 규칙")
                },
            );
            let decided = decided(*decision);
            text!("{decided} by {rule} of {table}/{name} ({hook})", "{decided}: {table}/{name} 체인의 {rule} ({hook})"; decided, rule)
        }
        Event::Rewritten { before, undone } => rewritten(before, &step.header, *undone),
        Event::Crossed { link, to } => {
            let (link, name) = (called(&dataplane.link(*link).name), called(&dataplane.node(*to).name));
            if *to == step.node {
                text!("gets it over {link}", "{link} 구간을 거쳐 받음"; link)
            } else {
                text!("sends it over {link} to {name}", "{link} 구간을 거쳐 {name}에 보냄"; link, name)
            }
        }
        Event::Delivered { owner } => text!("delivers it to {owner}", "{owner} 프로그램에 전달함"),
        Event::Relayed { relay } => {
            let relay = called(relay);
            text!("hands it to {relay}", "{relay} 중계에 넘김"; relay)
        }
        Event::Answered => text!("gets the answer", "응답을 받음"),
        Event::Ended(end) => {
            let end = disposition(*end, &step.header);
            text!("the packet {end}", "패킷: {end}"; end)
        }
    }
}

fn decided(decision: Decision) -> Text {
    match decision {
        Decision::Accepted => text!("accepts it", "허용(accept)"),
        Decision::Dropped => text!("drops it", "버림(drop)"),
        Decision::Rejected(reject) => {
            let with = reject_words(reject);
            text!("rejects it with {with}", "거부(reject), {with}"; with)
        }
    }
}

fn rewritten(before: &Header, after: &Header, undone: bool) -> Text {
    let end = |what: Text, old: (IpAddr, u16), new: (IpAddr, u16)| {
        let (from, to) = (format!("{}:{}", url_host(old.0), old.1), format!("{}:{}", url_host(new.0), new.1));
        (old != new).then(|| text!("{what} {from} to {to}", "{what} {from} → {to}"; what))
    };
    let source = (before.source, before.source_port);
    let source = end(text!("source", "출발지"), source, (after.source, after.source_port));
    let destination = (before.destination, before.destination_port);
    let destination = end(text!("destination", "목적지"), destination, (after.destination, after.destination_port));
    let changes: Vec<_> = [source, destination].into_iter().flatten().collect();
    let changes = Text::joined(&changes, &text!(" and ", ", "));
    match undone {
        true => text!("turns back {changes}", "되돌림: {changes}"; changes),
        false => text!("rewrites {changes}", "바꿔 씀: {changes}"; changes),
    }
}

/// The way of a request on one line: `NAT forward web → rocky:3000 → docker → grafana:3000`.
pub(super) fn summary(dataplane: &Dataplane, trace: &Trace, style: Style) -> String {
    let mut stops: Vec<(Option<NodeId>, String)> = Vec::new();
    for step in trace.steps.iter().filter(|step| step.way == Way::Request) {
        match &step.event {
            Event::Relayed { relay } => stops.push((None, style.say(&called(relay)).to_owned())),
            Event::Rewritten { before, undone: false } if before.destination != step.header.destination => {
                stops.extend(
                    step.origin.map(|origin| (None, style.say(&dataplane.origins.get(origin).what).to_owned())),
                );
            }
            Event::Crossed { to, .. } => stops.push((Some(*to), stop(dataplane, *to, &step.header, style))),
            Event::Delivered { owner } => {
                let _ = stops.pop_if(|(node, _)| *node == Some(step.node));
                stops.push((Some(step.node), with_port(owner, &step.header)));
            }
            _ => {}
        }
    }
    let stops: Vec<_> = stops.into_iter().map(|(_, stop)| stop).collect();
    stops.join(&format!(" {} ", style.arrow()))
}

/// A node with the port if the packet is for it, without if it passes through.
fn stop(dataplane: &Dataplane, node: NodeId, header: &Header, style: Style) -> String {
    let node = dataplane.node(node);
    let name = called(&node.name);
    let name = style.say(&name);
    if node.addresses().any(|address| address == header.destination) {
        with_port(name, header)
    } else {
        name.to_owned()
    }
}

fn with_port(name: &str, header: &Header) -> String {
    match header.protocol {
        Protocol::Icmp => name.to_owned(),
        _ => format!("{name}:{}", header.destination_port),
    }
}

/// The steps that are told, each with its index in the trace: the request's, and the answer's only where it got lost.
fn numbered(trace: &Trace) -> impl Iterator<Item = (usize, &Step)> {
    let answer_lost = trace.outcome.delivery.is_some() && trace.outcome.symptom == Symptom::TimedOut;
    trace.steps.iter().enumerate().filter(move |(_, step)| step.way == Way::Request || answer_lost)
}

/// The steps that are told.
pub(super) fn told(trace: &Trace) -> impl Iterator<Item = &Step> {
    numbered(trace).map(|(_, step)| step)
}

/// What a person would count as a hop, and what ended it.
pub(super) fn is_hop(step: &Step) -> bool {
    match &step.event {
        Event::Dialed | Event::Rewritten { .. } | Event::Crossed { .. } => true,
        Event::Relayed { .. } | Event::Delivered { .. } | Event::Ended(_) => true,
        Event::Filtered { decision, .. } => *decision != Decision::Accepted,
        Event::Received { .. } | Event::Routed { .. } | Event::Answered => false,
    }
}

/// The hops that are told.
pub(super) fn hops(trace: &Trace) -> impl Iterator<Item = &Step> {
    told(trace).filter(|step| is_hop(step))
}

/// The same, each with its index in the trace.
pub(super) fn numbered_hops(trace: &Trace) -> impl Iterator<Item = (usize, &Step)> {
    numbered(trace).filter(|(_, step)| is_hop(step))
}

/// How a witness looks at the far end: `seen there as 10.0.2.2`.
pub(super) fn seen_as(outcome: &Outcome) -> Option<Text> {
    let source = outcome.delivery.as_ref()?.header.source;
    Some(text!("seen there as {source}", "상대에게 보이는 출발지 {source}"))
}

/// Address and way of a witness: `at http://localhost:3000  (NAT forward → ..., seen there as 10.0.2.2)`.
pub(super) fn witness(dataplane: &Dataplane, witness: &Witness, style: Style) -> String {
    let way = summary(dataplane, &witness.trace, style);
    let seen = seen_as(&witness.trace.outcome).map(|seen| style.say(&seen).to_owned());
    let parts: Vec<_> = [Some(way).filter(|way| !way.is_empty()), seen].into_iter().flatten().collect();
    if parts.is_empty() { witness.url.clone() } else { format!("{}  ({})", witness.url, parts.join(", ")) }
}

/// Where something comes from: `compose.yaml:4`, or why it is there although nobody wrote it.
pub(super) fn origin(origin: &Origin, sources: &Sources) -> Text {
    let place = origin.span().map(|span| sources.place(span));
    let what = &origin.what;
    match (&origin.basis, place) {
        (Basis::Written(_), Some(place)) => text!("{place} {what}", "{place} {what}"; what),
        (Basis::Implied { citation, .. }, Some(place)) => {
            text!("{what} [because {place}; {citation}]", "{what} [근거 {place}; {citation}]"; what)
        }
        (Basis::Implied { citation, .. }, None) => text!("{what} [{citation}]", "{what} [{citation}]"; what),
        (Basis::Assumed { .. }, Some(place)) => text!("assumed: {what} [{place}]", "가정: {what} [{place}]"; what),
        (Basis::Missing { .. }, Some(place)) => {
            text!("{what} [missing at {place}]", "{what} [{place}에 없음]"; what)
        }
        (Basis::Assumed { .. }, None) => text!("assumed: {what}", "가정: {what}"; what),
        (Basis::Written(_) | Basis::Missing { .. }, None) => what.clone(),
    }
}
