//! Obstacles: what is written and stands in the way, where adding a line would not help. An option, a rule, a cable, the
//! network that somebody chose.
//!
//! Each is a change of the lab, tried as a whole: the edited lab is lowered again, so that no obstacle has to know what
//! the products make of it. `edits` proposes what could be added; here is what would have to change.

mod engine;
mod firewall;
mod host_firewall;
mod machine;
mod rules;

use std::collections::BTreeSet;

use crate::dataplane::{Dataplane, Decision, Event, Hook, Step, Trace};
use crate::diagnostic::Code;
use crate::lab::{Host, HostId, HostKind, Lab};
use crate::language::Text;
use crate::net::{Header, Protocol};
use crate::provenance::Origin;
use crate::source::{Sources, Span};

use super::aim::Aim;
use super::place::Endpoint;
use super::verdict::Edit;

/// At most this many are tried for one sentence.
const MOST: usize = 24;

/// One thing in the way.
pub(super) struct Obstacle {
    /// What taking it away costs, on the scale of the candidate edits.
    pub(super) weight: u32,
    pub(super) code: Code,
    /// What it does.
    pub(super) blocker: Text,
    /// The line that is to blame.
    pub(super) shown: Origin,
    pub(super) edit: Edit,
    /// Without it the target is in another namespace.
    pub(super) moves_target: bool,
    /// Takes it away.
    pub(super) clear: Box<dyn Fn(&mut Lab)>,
}

/// Where a packet was stopped by a rule.
struct Stop {
    host: HostId,
    hook: Hook,
    /// The interface through which it came.
    interface: Option<String>,
    header: Header,
    /// The line behind the rule.
    span: Span,
}

/// What is known about the attempts that fail.
pub(super) struct Scene<'a> {
    lab: &'a Lab,
    sources: &'a Sources,
    subject: &'a Endpoint,
    target: Option<&'a Endpoint>,
    protocol: Protocol,
    port: Option<u16>,
    /// The machines that an attempt touches, and those that run them.
    hosts: BTreeSet<HostId>,
    stops: Vec<Stop>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        lab: &'a Lab,
        dataplane: &Dataplane,
        sources: &'a Sources,
        (subject, aim): (&'a Endpoint, &'a Aim),
        attempts: &[Trace],
    ) -> Self {
        let target = aim.endpoint.as_ref();
        let mut hosts: BTreeSet<HostId> =
            [Some(subject), target].into_iter().flatten().filter_map(|e| e.host).collect();
        let mut stops = Vec::new();
        for trace in attempts {
            for (index, step) in trace.steps.iter().enumerate() {
                let Some(host) = host_of(lab, &dataplane.node(step.node).name) else { continue };
                hosts.insert(host);
                stops.extend(stop(dataplane, trace, index, step, host));
            }
        }
        let runners: Vec<HostId> = hosts.iter().filter_map(|id| runner(lab.host(*id))).collect();
        hosts.extend(runners);
        Self { lab, sources, subject, target, protocol: aim.protocol, port: aim.port, hosts, stops }
    }

    /// Everything that could be taken out of the way.
    pub(super) fn obstacles(&self) -> Vec<Obstacle> {
        let mut all = machine::obstacles(self);
        all.extend(engine::obstacles(self));
        all.extend(firewall::obstacles(self));
        all.extend(host_firewall::obstacles(self));
        all.extend(rules::obstacles(self));
        all.truncate(MOST);
        all
    }

    fn hosts(&self) -> impl Iterator<Item = (HostId, &'a Host)> {
        self.hosts.iter().map(|id| (*id, self.lab.host(*id)))
    }

    /// `old` inside of `span`, and what would stand there in its place.
    fn swapped(&self, span: Span, old: &str, new: &str) -> Option<(Span, String)> {
        let at = span.start + self.sources.text(span).find(old)?;
        Some((Span::new(span.source, at, at + old.len()), new.to_owned()))
    }

    /// Whether a line at `span` stops packets of the attempts.
    fn is_stop(&self, span: Option<Span>) -> bool {
        self.stops.iter().any(|stop| Some(stop.span) == span)
    }

    /// A line of the script that `span` lies in, behind it; nothing where it lies in no script.
    fn behind_command(&self, span: Span, programs: &[&str], command: &str) -> Option<(Span, String)> {
        let text = self.sources.text(span);
        let (sudo, rest) = text.strip_prefix("sudo ").map_or(("", text), |rest| ("sudo ", rest));
        let is_command = programs.iter().any(|program| rest.split_whitespace().next() == Some(program));
        is_command.then(|| (span.after(), format!("\n{sudo}{command}")))
    }
}

/// The host that a node is, or that a container's node is on.
pub(super) fn host_of(lab: &Lab, node: &str) -> Option<HostId> {
    let owner = node.split('/').next().unwrap_or(node);
    lab.hosts().find(|(_, host)| host.name == node || host.name == owner).map(|(id, _)| id)
}

fn runner(host: &Host) -> Option<HostId> {
    match host.kind {
        HostKind::Vm { on } => Some(on),
        HostKind::Physical | HostKind::Router => None,
    }
}

fn stop(dataplane: &Dataplane, trace: &Trace, index: usize, step: &Step, host: HostId) -> Option<Stop> {
    let Event::Filtered { hook, decision, .. } = &step.event else { return None };
    if *decision == Decision::Accepted {
        return None;
    }
    let span = dataplane.origins.get(step.origin?).span()?;
    let link = trace.steps.iter().take(index).rev().find_map(|s| match s.event {
        Event::Crossed { link, to } if to == step.node => Some(link),
        _ => None,
    });
    let came = link.and_then(|link| dataplane.node(step.node).interfaces.iter().find(|i| i.link == Some(link)));
    Some(Stop { host, hook: *hook, interface: came.map(|i| i.name.clone()), header: step.header, span })
}

/// An edit at a place, or a command where there is none.
fn edit(what: Text, place: Option<(Span, String)>, command: impl FnOnce() -> String) -> Edit {
    match place {
        Some((at, text)) => Edit { what, at: Some(at), text },
        None => Edit { what, at: None, text: command() },
    }
}

/// The same line, with other words for what it does.
fn blamed(what: impl Into<Text>, origin: &Origin) -> Origin {
    Origin { what: what.into(), basis: origin.basis.clone() }
}
