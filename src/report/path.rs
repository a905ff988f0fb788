//! Words for traces: what a step did, what the person sees, and the whole way on one line.

use std::net::IpAddr;

use crate::check::Witness;
use crate::dataplane::{Dataplane, Decision, Disposition, Event, NodeId, Outcome, Reject, Step, Symptom, Trace, Way};
use crate::net::{Header, Protocol, url_host};
use crate::provenance::{Basis, Origin};
use crate::source::Sources;

/// What the person who dials sees, in the words of the tools they use.
pub(super) fn symptom(symptom: Symptom, protocol: Protocol) -> &'static str {
    match (symptom, protocol) {
        (Symptom::Works, _) => "it works",
        (Symptom::Refused, Protocol::Tcp) => "connection refused, at once",
        (Symptom::Refused, _) => "port unreachable, at once",
        (Symptom::AcceptedThenClosed, Protocol::Tcp) => {
            "the connection is made, then closed without an answer (\"empty reply\", \"connection reset\")"
        }
        (Symptom::AcceptedThenClosed, _) => "nothing comes back",
        (Symptom::TimedOut, _) => "nothing comes back, until it times out",
        (Symptom::HostUnreachable, _) => "no route to host, at once",
        (Symptom::NoNeighbor, _) => "no route to host, after some seconds",
        (Symptom::NetUnreachable, _) => "network is unreachable, at once",
        (Symptom::NameNotResolved, _) => "the name cannot be resolved",
    }
}

/// What became of a packet, as the end of "the packet ...".
pub(super) fn disposition(disposition: Disposition, header: &Header) -> String {
    match disposition {
        Disposition::Delivered => "is delivered".to_owned(),
        Disposition::NoListener => format!("finds nobody who listens on {}", destination(header)),
        Disposition::Dropped => "is dropped, without an answer".to_owned(),
        Disposition::Rejected(reject) => format!("is rejected with {}", reject_words(reject)),
        Disposition::Martian => "is thrown away: a loopback address may not come from outside".to_owned(),
        Disposition::NoRoute => format!("finds no route to {}", header.destination),
        Disposition::NoNeighbor => format!("finds nobody who answers for {}", header.destination),
        Disposition::NotForwarding => "is thrown away: this node does not forward packets".to_owned(),
        Disposition::Loop => "goes round in a circle".to_owned(),
        Disposition::NoRelay => format!("finds no forward for {}", destination(header)),
        Disposition::Unexpected => "belongs to no connection that is known here".to_owned(),
        Disposition::NameUnknown => "cannot be sent: the name is unknown here".to_owned(),
    }
}

fn reject_words(reject: Reject) -> &'static str {
    match reject {
        Reject::TcpReset => "a TCP reset",
        Reject::PortUnreachable => "ICMP port unreachable",
        Reject::HostUnreachable => "ICMP host unreachable",
        Reject::NetUnreachable => "ICMP network unreachable",
        Reject::HostProhibited => "ICMP host prohibited",
        Reject::AdminProhibited => "ICMP administratively prohibited",
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
pub(super) fn event(dataplane: &Dataplane, step: &Step) -> String {
    let node = dataplane.node(step.node);
    match &step.event {
        Event::Dialed => format!("dials {}", destination(&step.header)),
        Event::Received { interface } => format!("receives it through {}", node.interface(*interface).name),
        Event::Routed { interface, gateway } => {
            let via = gateway.map_or(String::new(), |gateway| format!(" via {gateway}"));
            format!("routes it to {}{via}", node.interface(*interface).name)
        }
        Event::Filtered { hook, chain, rule, decision } => {
            let chain = node.ruleset.get(*chain);
            let table = node.ruleset.get_table(chain.table);
            let rule = rule.map_or("policy".to_owned(), |rule| format!("rule {}", rule + 1));
            format!("{} by {rule} of {}/{} ({})", decided(*decision), table.name, chain.name, hook)
        }
        Event::Rewritten { before, undone } => rewritten(before, &step.header, *undone),
        Event::Crossed { link, to } if *to == step.node => format!("gets it over {}", dataplane.link(*link).name),
        Event::Crossed { link, to } => {
            format!("sends it over {} to {}", dataplane.link(*link).name, dataplane.node(*to).name)
        }
        Event::Delivered { owner } => format!("delivers it to {owner}"),
        Event::Relayed { relay } => format!("hands it to {relay}"),
        Event::Answered => "gets the answer".to_owned(),
        Event::Ended(end) => format!("the packet {}", disposition(*end, &step.header)),
    }
}

fn decided(decision: Decision) -> String {
    match decision {
        Decision::Accepted => "accepts it".to_owned(),
        Decision::Dropped => "drops it".to_owned(),
        Decision::Rejected(reject) => format!("rejects it with {}", reject_words(reject)),
    }
}

fn rewritten(before: &Header, after: &Header, undone: bool) -> String {
    let end = |what: &str, old: (IpAddr, u16), new: (IpAddr, u16)| {
        (old != new).then(|| format!("{what} {}:{} to {}:{}", url_host(old.0), old.1, url_host(new.0), new.1))
    };
    let source = end("source", (before.source, before.source_port), (after.source, after.source_port));
    let destination =
        end("destination", (before.destination, before.destination_port), (after.destination, after.destination_port));
    let changes: Vec<_> = [source, destination].into_iter().flatten().collect();
    format!("{} {}", if undone { "turns back" } else { "rewrites" }, changes.join(" and "))
}

/// The way of a request on one line: `NAT forward web → rocky:3000 → docker → grafana:3000`.
pub(super) fn summary(dataplane: &Dataplane, trace: &Trace, arrow: &str) -> String {
    let mut stops: Vec<(Option<NodeId>, String)> = Vec::new();
    for step in trace.steps.iter().filter(|step| step.way == Way::Request) {
        match &step.event {
            Event::Relayed { relay } => stops.push((None, relay.clone())),
            Event::Rewritten { before, undone: false } if before.destination != step.header.destination => {
                stops.extend(step.origin.map(|origin| (None, dataplane.origins.get(origin).what.to_string())));
            }
            Event::Crossed { to, .. } => stops.push((Some(*to), stop(dataplane, *to, &step.header))),
            Event::Delivered { owner } => {
                let _ = stops.pop_if(|(node, _)| *node == Some(step.node));
                stops.push((Some(step.node), with_port(owner, &step.header)));
            }
            _ => {}
        }
    }
    let stops: Vec<_> = stops.into_iter().map(|(_, stop)| stop).collect();
    stops.join(&format!(" {arrow} "))
}

/// A node with the port if the packet is for it, without if it passes through.
fn stop(dataplane: &Dataplane, node: NodeId, header: &Header) -> String {
    let node = dataplane.node(node);
    if node.addresses().any(|address| address == header.destination) {
        with_port(&node.name, header)
    } else {
        node.name.clone()
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
pub(super) fn seen_as(outcome: &Outcome) -> Option<String> {
    outcome.delivery.as_ref().map(|delivery| format!("seen there as {}", delivery.header.source))
}

/// Address and way of a witness: `at http://localhost:3000  (NAT forward → ..., seen there as 10.0.2.2)`.
pub(super) fn witness(dataplane: &Dataplane, witness: &Witness, arrow: &str) -> String {
    let way = summary(dataplane, &witness.trace, arrow);
    let parts: Vec<_> =
        [Some(way).filter(|way| !way.is_empty()), seen_as(&witness.trace.outcome)].into_iter().flatten().collect();
    if parts.is_empty() { witness.url.clone() } else { format!("{}  ({})", witness.url, parts.join(", ")) }
}

/// Where something comes from: `compose.yaml:4`, or why it is there although nobody wrote it.
pub(super) fn origin(origin: &Origin, sources: &Sources) -> String {
    let place = origin.span().map(|span| sources.place(span));
    match (&origin.basis, place) {
        (Basis::Written(_), Some(place)) => format!("{place} {}", origin.what),
        (Basis::Implied { citation, .. }, Some(place)) => format!("{} [because {place}; {citation}]", origin.what),
        (Basis::Implied { citation, .. }, None) => format!("{} [{citation}]", origin.what),
        (Basis::Assumed { .. }, Some(place)) => format!("assumed: {} [{place}]", origin.what),
        (Basis::Missing { .. }, Some(place)) => format!("{} [missing at {place}]", origin.what),
        (Basis::Assumed { .. }, None) => format!("assumed: {}", origin.what),
        (Basis::Written(_) | Basis::Missing { .. }, None) => origin.what.to_string(),
    }
}
