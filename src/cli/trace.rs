//! `canreach trace`: what becomes of given connections.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::slice;

use serde::Deserialize;

use crate::dataplane::{Flow, NodeId, Symptom, Trace};
use crate::eval;
use crate::language::text;
use crate::net::{IpNet, Protocol};
use crate::report::{json, trace as rendering};

use super::args::{Format, TraceArguments, Transport};
use super::model::{self, Model};
use super::{Exit, terminal};

const SOURCE_PORT: u16 = 50000;

/// One flow as somebody asked about it.
#[derive(Clone, Debug, Deserialize)]
struct Question {
    from: String,
    to: String,
    #[serde(default)]
    port: u16,
    proto: String,
    #[serde(default = "default_source_port")]
    source_port: u16,
}

fn default_source_port() -> u16 {
    SOURCE_PORT
}

pub(super) fn run(arguments: &TraceArguments, format: Format) -> Exit {
    let Some(model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    model.complain_about_files();
    match (&arguments.flows, &arguments.from, &arguments.to) {
        (Some(file), ..) => flows(&model, file),
        (None, Some(from), Some(to)) if arguments.port.is_some() || arguments.proto == Transport::Icmp => {
            one(&model, &question(arguments, from, to), format)
        }
        _ => {
            terminal::complain(text!(
                "`--port` is missing; only `--proto icmp` goes without",
                "`--port`가 빠졌습니다. `--proto icmp`일 때만 생략할 수 있습니다"
            ));
            Exit::Unusable
        }
    }
}

fn question(arguments: &TraceArguments, from: &str, to: &str) -> Question {
    let proto = match arguments.proto {
        Transport::Tcp => Protocol::Tcp,
        Transport::Udp => Protocol::Udp,
        Transport::Icmp => Protocol::Icmp,
    };
    Question {
        from: from.to_owned(),
        to: to.to_owned(),
        port: arguments.port.unwrap_or(0),
        proto: proto.to_string(),
        source_port: arguments.source_port,
    }
}

fn one(model: &Model, question: &Question, format: Format) -> Exit {
    let Some(asked) = follow(model, question) else { return Exit::Unusable };
    let style = terminal::style();
    terminal::print(&match (&asked, format) {
        (None, Format::Json) => row(question, None),
        (None, _) => {
            let address = model.dataplane.node_named(&question.to);
            let address = address.and_then(|node| model.dataplane.node(node).main_address());
            rendering::unresolved(&question.from, &question.to, address, style)
        }
        (Some(trace), Format::Json) => json::trace(&model.dataplane, trace, &model.sources),
        (Some(trace), _) => rendering::render(&model.dataplane, trace, &model.sources, style),
    });
    match asked {
        Some(trace) if trace.outcome.symptom == Symptom::Works => Exit::Holds,
        _ => Exit::Violated,
    }
}

fn flows(model: &Model, file: &Path) -> Exit {
    let Some(questions) = read(file) else { return Exit::Unusable };
    let mut exit = Exit::Holds;
    for question in &questions {
        match follow(model, question) {
            Some(trace) => terminal::print(&row(question, trace.as_ref())),
            None => exit = Exit::Unusable,
        }
    }
    exit
}

fn read(file: &Path) -> Option<Vec<Question>> {
    let name = file.display();
    let text = fs::read_to_string(file)
        .map_err(|e| terminal::complain(text!("cannot read `{name}`: {e}", "`{name}` 파일을 읽을 수 없습니다: {e}")))
        .ok()?;
    let wrong = |e: serde_json::Error| {
        terminal::complain(text!(
            "`{name}` is not a list of flows: {e}",
            "`{name}` 파일은 흐름의 목록이 아닙니다: {e}"
        ));
    };
    serde_json::from_str(&text).map_err(wrong).ok()
}

fn row(question: &Question, trace: Option<&Trace>) -> String {
    let Question { from, to, port, proto, .. } = question;
    json::flow(&json::FlowQuestion { from, to, port: *port, protocol: proto }, trace)
}

/// The trace of a flow; `Some(None)` if the name does not resolve, nothing (and a complaint) if it cannot be asked.
fn follow(model: &Model, question: &Question) -> Option<Option<Trace>> {
    let from = model.node(&question.from)?;
    let protocol = question.proto.parse::<Protocol>().ok();
    let unknown = || {
        terminal::complain(text!(
            "`{given}` is not tcp, udp or icmp",
            "`{given}`: tcp, udp, icmp 가운데 하나가 아닙니다",
            given = &question.proto
        ))
    };
    let protocol = protocol.filter(|p| *p != Protocol::Sctp).or_else(|| {
        unknown();
        None
    })?;
    let Some(destination) = resolve(model, from, &question.to) else { return Some(None) };
    let ports = if protocol == Protocol::Icmp { (0, 0) } else { (question.source_port, question.port) };
    let source = stand_in(model, from, destination);
    let flow = Flow { from, protocol, source, source_port: ports.0, destination, destination_port: ports.1 };
    Some(Some(eval::trace(&model.dataplane, &flow, &model.dataplane.switches.defaults())))
}

/// A free address for a node that stands for many machines; others have addresses of their own.
fn stand_in(model: &Model, from: NodeId, destination: IpAddr) -> Option<IpAddr> {
    let claims = model.dataplane.node(from).interfaces.iter().flat_map(|i| &i.claims);
    let taken: Vec<IpAddr> = model.dataplane.nodes().flat_map(|(_, node)| node.addresses()).collect();
    let is_free = |address: &IpAddr| *address != destination && !taken.contains(address);
    // Past the first addresses, where routers and servers are expected; for the internet 1.0.0.0/8 is public.
    let start = |net: &IpNet| if net.prefix_len() < 8 { 1 << 24 } else { 49 };
    claims.flat_map(|net| net.hosts().skip(start(net)).take(1024)).find(is_free)
}

/// An address, or what a program at `from` gets when it asks for the name.
fn resolve(model: &Model, from: NodeId, to: &str) -> Option<IpAddr> {
    let bare = to.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(to);
    if let Ok(address) = bare.parse() {
        return Some(address);
    }
    let setting = model.dataplane.switches.defaults();
    let mut names = model.dataplane.node(from).names.iter().filter(|name| setting.allows(name.guard));
    let known = names.find(|name| name.name.eq_ignore_ascii_case(to)).map(|name| name.address);
    known.or_else(|| to.eq_ignore_ascii_case("localhost").then_some(IpAddr::V4(Ipv4Addr::LOCALHOST)))
}
