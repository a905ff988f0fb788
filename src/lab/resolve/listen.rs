//! What listens where: stated in lab.yaml, or assumed from the image, the command, and the ports that are exposed or
//! published. Every assumption is a switch.

use crate::diagnostic::Diagnostic;
use crate::lab::declaration::{ContainerDecl, ListenDecl, ProcessDecl};
use crate::lab::{Container, Listen, Networking, Process, Publish, images};
use crate::net::{PortRange, Protocol};
use crate::provenance::Origin;
use crate::source::{Span, Spanned};
use crate::switch::{Switch, SwitchKind};

use super::Context;
use super::bind::Plan;
use super::command::{self, Said};
use super::names::unknown_name;

/// The programs that lab.yaml states for a host.
pub(super) fn host_processes(plan: &Plan<'_>, host: &str) -> Vec<Process> {
    plan.processes.iter().filter(|p| p.runs_in.value == host).map(|p| stated_process(p)).collect()
}

/// The programs of a container.
pub(super) fn container_processes(
    context: &mut Context,
    plan: &Plan<'_>,
    container: &ContainerDecl,
    name: &str,
    publishes: &[Publish],
) -> Vec<Process> {
    if container.stopped.is_some() {
        return Vec::new();
    }
    let is_meant = |p: &&&ProcessDecl| p.runs_in.value == name || container.aliases.contains(&p.runs_in.value);
    let stated: Vec<Process> = plan.processes.iter().filter(is_meant).map(|p| stated_process(p)).collect();
    if !stated.is_empty() {
        return stated;
    }
    let program = container.image.as_ref().map_or(name, |i| images::short_name(&i.value));
    let listens = assumed(container, publishes).into_iter().map(|a| a.listen(context, name)).collect();
    let origin = Origin::assumed(format!("the program of `{name}`"), Some(container.span));
    vec![Process { name: program.to_owned(), listens, origin }]
}

fn stated_process(declaration: &ProcessDecl) -> Process {
    let name = declaration.name.as_ref().unwrap_or(&declaration.runs_in).value.clone();
    let listens = declaration.listens.iter().map(|l| stated_listen(l, &name)).collect();
    let origin = Origin::written(format!("program `{name}`"), declaration.span);
    Process { name, listens, origin }
}

fn stated_listen(declaration: &ListenDecl, process: &str) -> Listen {
    Listen {
        protocol: declaration.protocol,
        address: declaration.address.filter(|address| !address.is_unspecified()),
        ports: declaration.ports,
        guard: None,
        widened: Some(Spanned::new(stated_everywhere(declaration), declaration.span)),
        origin: Origin::written(
            format!("`{process}` listens on {}/{}", declaration.ports, declaration.protocol),
            declaration.span,
        ),
    }
}

/// The notation of lab.yaml without its address.
fn stated_everywhere(declaration: &ListenDecl) -> String {
    let protocol = declaration.protocol;
    if protocol == Protocol::Tcp { declaration.ports.to_string() } else { format!("{}/{protocol}", declaration.ports) }
}

/// A listening port that is not stated outright.
struct Assumed {
    protocol: Protocol,
    port: u16,
    ground: String,
    about: Option<Span>,
    said: Said,
}

impl Assumed {
    fn listen(self, context: &mut Context, who: &str) -> Listen {
        let address = self.said.address.map(|(address, _)| address);
        let at = match address.flatten() {
            Some(address) => format!("on {address} only"),
            None => "on all addresses".to_owned(),
        };
        let statement = format!("`{who}` listens on {}/{} {at}", self.port, self.protocol);
        let command = self.said.address.map(|(_, span)| span).or(self.said.port.map(|(_, span)| span));
        let origin = match command {
            Some(span) => Origin::written(statement.clone(), span),
            None => Origin::assumed(format!("{statement}: {}", self.ground), self.about),
        };
        let all_said = self.said.address.is_some() && self.said.port.is_some();
        let guard = (!all_said).then(|| {
            let origin = Origin::assumed(self.ground, self.about);
            context.switches.add(Switch { statement, default: true, kind: SwitchKind::Assumption, origin })
        });
        let ports = PortRange::single(self.port);
        let widened = self.said.widened;
        Listen { protocol: self.protocol, address: address.flatten(), ports, guard, widened, origin }
    }
}

fn assumed(container: &ContainerDecl, publishes: &[Publish]) -> Vec<Assumed> {
    let image = container.image.as_ref();
    let known = image.and_then(|i| images::find(&i.value).map(|row| (row, i)));
    let said = command::read(&container.command, known.is_some());
    let mut found: Vec<Assumed> = Vec::new();
    let mut add = |protocol, port, ground: String, about| {
        if !found.iter().any(|a| (a.protocol, a.port) == (protocol, port)) {
            found.push(Assumed { protocol, port, ground, about, said: Said::default() });
        }
    };
    if let Some((row, image)) = known {
        for (protocol, port) in &row.ports {
            add(*protocol, *port, format!("image table: `{}`", row.repository), Some(image.span));
        }
    } else if let (Some((port, span)), Some(program)) = (said.port, said.program) {
        add(Protocol::Tcp, port, format!("the command line of `{program}`"), Some(span));
    }
    for exposed in container.exposes.iter().filter(|e| e.value.1.count() <= 1024) {
        for port in exposed.value.1.first..=exposed.value.1.last {
            add(exposed.value.0, port, "the port is exposed".to_owned(), Some(exposed.span));
        }
    }
    if known.is_none() && said.port.is_none() {
        for publish in publishes {
            let ground = "the port is published, so something is meant to listen on it".to_owned();
            add(publish.protocol, publish.container_port, ground, publish.origin.span());
        }
    }
    apply(&said, known.is_some(), &mut found);
    found
}

/// What the command line says holds for the port of the program: the first one of the image table's row, the only one
/// otherwise. For several of equal rank it would be a guess which is meant.
fn apply(said: &Said, image_is_known: bool, found: &mut [Assumed]) {
    let is_clear = image_is_known || found.len() == 1;
    if let Some(main) = found.first_mut().filter(|_| is_clear) {
        main.port = said.port.map_or(main.port, |(port, _)| port);
        main.said = said.clone();
    }
}

/// A published port of a container whose namespace others share is meant for the guest that listens on it: what was
/// assumed about the owner gives way.
pub(super) fn yield_to_guests(containers: &mut [Container]) {
    let guests: Vec<(usize, Protocol, PortRange)> = containers
        .iter()
        .filter_map(|c| match c.networking {
            Networking::Container(owner, _) => Some((owner, c)),
            _ => None,
        })
        .flat_map(|(owner, c)| c.processes.iter().flat_map(|p| &p.listens).map(move |l| (owner, l.protocol, l.ports)))
        .collect();
    for (owner, protocol, ports) in guests {
        // What the owner's image is known to listen on is no guess: the guest comes later and finds the port taken.
        let image = containers.get(owner).and_then(|c| c.image.as_ref());
        if image.is_some_and(|image| images::find(&image.value).is_some()) {
            continue;
        }
        for process in containers.get_mut(owner).into_iter().flat_map(|c| &mut c.processes) {
            process.listens.retain(|l| l.guard.is_none() || (l.protocol, l.ports) != (protocol, ports));
        }
    }
}

/// Programs of lab.yaml whose host or container does not exist.
pub(super) fn unknown_places(plan: &Plan<'_>, known: &[&str]) -> Vec<Diagnostic> {
    let missing = plan.processes.iter().filter(|p| !known.contains(&p.runs_in.value.as_str()));
    missing.map(|p| unknown_name("host or container", &p.runs_in, known.iter().copied())).collect()
}
