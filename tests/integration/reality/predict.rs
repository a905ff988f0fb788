//! What the pipeline says about a lab's files: the same front-ends, resolver, lowering and interpreter as a user's.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use canreach::dataplane::{Dataplane, Disposition, Event, Flow, NodeId, Step, Symptom};
use canreach::diagnostic::{Diagnostic, Severity};
use canreach::frontend::{self, Environment};
use canreach::lab::{self, Input};
use canreach::net::{Family, PortRange, Protocol};
use canreach::smt::{Answer, Encoding, Goal, Query};
use canreach::source::Sources;
use canreach::switch::Setting;
use canreach::{eval, lower};

use super::page::Row;

/// Any port that no server uses.
const SOURCE_PORT: u16 = 40_000;

pub(crate) struct Model {
    dataplane: Dataplane,
    errors: Vec<String>,
    unmodeled: Vec<String>,
    /// Containers that do not run: nobody can dial from there.
    idle: Vec<String>,
}

/// What a row should look like.
pub(crate) enum Prediction {
    Seen(String),
    Impossible(String),
}

impl Model {
    pub(crate) fn of(files: &BTreeMap<String, String>) -> Self {
        let mut sources = Sources::default();
        let mut diagnostics = Vec::new();
        let mut inputs = Vec::new();
        for (path, text) in files {
            let source = sources.add(path.as_str(), text);
            let Some(format) = frontend::detect(path, text) else { panic!("no front-end reads {path}") };
            let read = frontend::read(format, source, path, text, &Environment::default());
            diagnostics.extend(read.diagnostics);
            inputs.push(Input { source, path: path.clone(), declarations: read.value });
        }
        let lab = lab::resolve(&inputs);
        diagnostics.extend(lab.diagnostics);
        let errors = diagnostics.iter().filter(|d| is_error(d)).map(|d| d.message.to_string()).collect();
        let unmodeled = lab.value.unmodeled.iter().map(|thing| thing.what.to_string()).collect();
        let idle = lab.value.containers().filter(|(_, c)| c.idle.is_some()).map(|(_, c)| c.name.clone()).collect();
        Self { dataplane: lower::lower(&lab.value), errors, unmodeled, idle }
    }

    pub(crate) fn predict(&self, from: &str, protocol: &str, place: &str) -> Prediction {
        let Some(flow) = self.flow(from, protocol, place) else {
            return Prediction::Impossible(format!("there is no `{from}`: {:?}", self.errors));
        };
        let trace = eval::trace(&self.dataplane, &flow, &self.defaults());
        Prediction::Seen(match (trace.outcome.symptom, trace.outcome.delivery) {
            (Symptom::Works, _) if flow.protocol == Protocol::Icmp => "answers".to_owned(),
            (Symptom::Works, Some(delivery)) => format!("{} <- {}", delivery.owner, delivery.header.source),
            (symptom, _) => words(symptom).to_owned(),
        })
    }

    /// The port of dockerd that a row's connection is left waiting at: dockerd 28 holds ports with a queue of one and
    /// never takes anything out of it, so that the first connection is made and all later ones are not.
    pub(super) fn waits_at(&self, row: &Row) -> Option<u16> {
        let trace = eval::trace(&self.dataplane, &self.flow(&row.from, &row.protocol, &row.place)?, &self.defaults());
        let is_held = |step: &&Step| matches!(&step.event, Event::Relayed { relay } if relay == "dockerd");
        trace.steps.iter().find(is_held).map(|step| step.header.destination_port)
    }

    /// Whether a connection would go round in a circle.
    pub(crate) fn goes_round(&self, from: &str, protocol: &str, place: &str) -> bool {
        let Some(flow) = self.flow(from, protocol, place) else { return false };
        let trace = eval::trace(&self.dataplane, &flow, &self.defaults());
        trace.steps.iter().any(|step| step.event == Event::Ended(Disposition::Loop))
    }

    fn defaults(&self) -> Setting {
        self.dataplane.switches.defaults()
    }

    /// Whether the interpreter and the solver see a row's connection succeed.
    pub(super) fn succeeds(&self, row: &Row) -> (bool, bool) {
        let Some(flow) = self.flow(&row.from, &row.protocol, &row.place) else { return (false, false) };
        let setting = self.defaults();
        let query = Query {
            from: flow.from,
            family: Family::of(flow.destination),
            protocol: flow.protocol,
            sources: None,
            destinations: Some(vec![flow.destination]),
            ports: PortRange::single(flow.destination_port),
            goal: Goal::Anyone,
        };
        let found = Encoding::new(&self.dataplane, query).find(&setting, &[]);
        assert!(!matches!(found, Answer::Unknown(_)), "{found:?}");
        let interpreted = eval::trace(&self.dataplane, &flow, &setting).outcome.symptom == Symptom::Works;
        (interpreted, matches!(found, Answer::Yes(_)))
    }

    /// The addresses of a host's or container's namespace.
    pub(crate) fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let node = self.node(name).map(|id| self.dataplane.node(id));
        node.into_iter().flat_map(|node| node.addresses()).filter(|a| a.is_ipv4() && !a.is_loopback()).collect()
    }

    /// Those of a container, if its namespace is not the host's.
    pub(crate) fn own_addresses(&self, name: &str) -> Vec<IpAddr> {
        let is_own = self.node(name).is_some_and(|id| self.dataplane.node(id).name.contains('/'));
        if is_own { self.addresses(name) } else { Vec::new() }
    }

    /// What was read and has no model: of sentences about it the program says that they are undecided.
    pub(crate) fn unmodeled(&self) -> &[String] {
        &self.unmodeled
    }

    /// What is wrong with the files.
    pub(crate) fn errors(&self) -> &[String] {
        &self.errors
    }

    fn flow(&self, from: &str, protocol: &str, place: &str) -> Option<Flow> {
        let to: SocketAddr = place.parse().unwrap();
        let protocol: Protocol = protocol.parse().unwrap();
        Some(Flow {
            from: self.node(from)?,
            protocol,
            source: None,
            source_port: if protocol == Protocol::Icmp { 0 } else { SOURCE_PORT },
            destination: to.ip(),
            destination_port: to.port(),
        })
    }

    /// The namespace of a host or container; a container on the host's network has the host's.
    fn node(&self, name: &str) -> Option<NodeId> {
        if self.idle.iter().any(|idle| idle == name) {
            return None;
        }
        let named = |(_, node): &(NodeId, &canreach::dataplane::Node)| {
            node.name == name || node.name.rsplit_once('/').is_some_and(|(_, container)| container == name)
        };
        let holds = |(_, node): &(NodeId, &canreach::dataplane::Node)| node.sockets.iter().any(|s| s.owner == name);
        self.dataplane.nodes().find(named).or_else(|| self.dataplane.nodes().find(holds)).map(|(id, _)| id)
    }
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

/// The recorder's words. It gives up before the kernel stops asking for a neighbour.
fn words(symptom: Symptom) -> &'static str {
    match symptom {
        Symptom::Works => "open",
        Symptom::AcceptedThenClosed => "accepted",
        Symptom::Refused => "refused",
        Symptom::HostUnreachable => "no route to host",
        Symptom::NetUnreachable => "network unreachable",
        Symptom::NoNeighbor | Symptom::TimedOut => "timed out",
        Symptom::NameNotResolved => "name not resolved",
    }
}
