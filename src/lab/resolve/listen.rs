//! What listens where: stated in lab.yaml, or assumed from the image, the command, and the ports that are exposed or
//! published. Every assumption is a switch.

use std::net::IpAddr;

use crate::diagnostic::Diagnostic;
use crate::lab::declaration::{ContainerDecl, ListenDecl, ProcessDecl};
use crate::lab::{Container, Listen, Networking, Process, Publish, images};
use crate::language::{Text, text};
use crate::net::{PortRange, Protocol};
use crate::provenance::Origin;
use crate::source::{Span, Spanned};
use crate::switch::{Switch, SwitchKind};

use super::Context;
use super::bind::Plan;
use super::command::{self, Place, Said, Told};
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
    if container.idle.is_some() {
        return Vec::new();
    }
    let is_meant = |p: &&&ProcessDecl| p.runs_in.value == name || container.aliases.contains(&p.runs_in.value);
    let stated: Vec<Process> = plan.processes.iter().filter(is_meant).map(|p| stated_process(p)).collect();
    if !stated.is_empty() {
        return stated;
    }
    let program = container.image.as_ref().map_or(name, |i| images::short_name(&i.value));
    let listens = assumed(container, publishes).into_iter().map(|a| a.listen(context, name)).collect();
    let origin = Origin::assumed(text!("the program of `{name}`", "`{name}`의 프로그램"), Some(container.span));
    vec![Process { name: program.to_owned(), listens, origin }]
}

fn stated_process(declaration: &ProcessDecl) -> Process {
    let name = declaration.name.as_ref().unwrap_or(&declaration.runs_in).value.clone();
    let listens = declaration.listens.iter().map(|l| stated_listen(l, &name)).collect();
    let origin = Origin::written(text!("program `{name}`", "`{name}` 프로그램"), declaration.span);
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
    /// Where the port is written, if it is the program's own word.
    port_said: Option<Span>,
    address: Option<Told<Option<IpAddr>>>,
    ground: Text,
    about: Option<Span>,
}

impl Assumed {
    fn new(protocol: Protocol, port: u16, ground: Text, about: Option<Span>) -> Self {
        Self { protocol, port, port_said: None, address: None, ground, about }
    }

    /// A place that a command line or a variable names whole, or a default of the program.
    fn at(told: &Told<Place>, ground: Text) -> Self {
        let Place { protocol, address, port } = told.value;
        let address = Some(Told { value: address, span: told.span, widened: told.widened.clone() });
        Self { protocol, port, port_said: told.span, address, ground, about: told.span }
    }

    fn listen(self, context: &mut Context, who: &str) -> Listen {
        let address = self.address.as_ref().and_then(|told| told.value);
        let (port, protocol) = (self.port, self.protocol);
        let statement = match address {
            Some(address) => text!(
                "`{who}` listens on {port}/{protocol} on {address} only",
                "`{who}` 컨테이너가 {address} 주소에서만 {port}/{protocol} 포트를 엶"
            ),
            None => text!(
                "`{who}` listens on {port}/{protocol} on all addresses",
                "`{who}` 컨테이너가 모든 주소에서 {port}/{protocol} 포트를 엶"
            ),
        };
        let ground = self.ground;
        let address_said = self.address.as_ref().and_then(|told| told.span);
        let origin = match address_said.or(self.port_said) {
            Some(span) => Origin::written(statement.clone(), span),
            None => {
                Origin::assumed(text!("{statement}: {ground}", "{statement}: {ground}"; statement, ground), self.about)
            }
        };
        let all_said = address_said.is_some() && self.port_said.is_some();
        let guard = (!all_said).then(|| {
            let origin = Origin::assumed(ground, self.about);
            context.switches.add(Switch { statement, default: true, kind: SwitchKind::Assumption, origin })
        });
        let ports = PortRange::single(self.port);
        let widened = self.address.and_then(|told| told.widened);
        Listen { protocol: self.protocol, address, ports, guard, widened, origin }
    }
}

fn assumed(container: &ContainerDecl, publishes: &[Publish]) -> Vec<Assumed> {
    let image = container.image.as_ref();
    let known = image.and_then(|i| images::find(&i.value).map(|row| (row, i)));
    let base = || container.built.as_ref().and_then(|image| images::find(&image.base.as_ref()?.value));
    let said = command::read(container, known.map(|(row, _)| row).or_else(base).and_then(|row| row.program));
    let mut found: Vec<Assumed> = Vec::new();
    let mut add = |assumed: Assumed| {
        if !found.iter().any(|a| (a.protocol, a.port) == (assumed.protocol, assumed.port)) {
            found.push(assumed);
        }
    };
    if !said.places.is_empty() {
        said.places.iter().for_each(|told| add(Assumed::at(told, by_program(&said))));
    } else if let Some((row, image)) = known {
        for (protocol, port) in &row.ports {
            let repository = row.repository;
            let ground = text!("image table: `{repository}`", "이미지 표: `{repository}`");
            add(Assumed::new(*protocol, *port, ground, Some(image.span)));
        }
    }
    for exposed in container.exposed().filter(|e| e.value.1.count() <= 1024) {
        for port in exposed.value.1.first..=exposed.value.1.last {
            add(Assumed::new(
                exposed.value.0,
                port,
                text!("the port is exposed", "이미지가 EXPOSE로 알린 포트"),
                Some(exposed.span),
            ));
        }
    }
    let is_told = said.port.as_ref().is_some_and(|told| told.span.is_some()) || !said.places.is_empty();
    if known.is_none() && !is_told {
        for publish in publishes {
            let ground = text!(
                "the port is published, so something is meant to listen on it",
                "게시된 포트이므로 무언가가 대기할 것으로 봄"
            );
            add(Assumed::new(publish.protocol, publish.container_port, ground, publish.origin.span()));
        }
    }
    if said.places.is_empty() {
        move_main(&said, known.is_some(), &mut found);
    }
    found.extend(said.more.iter().map(|told| Assumed::at(told, by_program(&said))));
    found
}

/// On what ground it is known what a program does.
fn by_program(said: &Said) -> Text {
    said.program.map_or_else(Text::default, |program| {
        let (name, source) = (program.name, program.source);
        text!("what `{name}` does ({source})", "`{name}` 프로그램의 동작 ({source})")
    })
}

/// What the program says holds for its main port: the first one of the image table's row; otherwise the one that it
/// names, or the only one that there is. For several of equal rank it would be a guess which is meant.
fn move_main(said: &Said, image_is_known: bool, found: &mut Vec<Assumed>) {
    let written = said.port.as_ref().filter(|told| told.span.is_some());
    let own = said.port.as_ref().map(|told| told.value);
    let named = || found.iter().position(|a| a.protocol == Protocol::Tcp && Some(a.port) == own);
    let main = match found.len() {
        0 => None,
        _ if image_is_known => Some(0),
        1 => Some(0),
        _ => named(),
    };
    let address_ground = said.address.as_ref().filter(|told| told.span.is_none()).map(|_| by_program(said));
    match main.and_then(|index| found.get_mut(index)) {
        Some(main) => {
            main.port = written.map_or(main.port, |told| told.value);
            main.port_said = written.and_then(|told| told.span);
            main.address.clone_from(&said.address);
            if let Some(ground) =
                address_ground.filter(|_| main.address.as_ref().is_some_and(|told| told.value.is_some()))
            {
                let image = &main.ground;
                main.ground = text!("{image}; {ground}", "{image}; {ground}"; image, ground);
            }
        }
        None => {
            // Nothing else tells that there is a server, or on which of several ports it is.
            let is_wanted = found.is_empty() || written.is_some();
            if let Some(port) = own.filter(|_| is_wanted) {
                let span = written.and_then(|told| told.span);
                let address = said.address.clone();
                found.push(Assumed {
                    port_said: span,
                    address,
                    ..Assumed::new(Protocol::Tcp, port, by_program(said), span)
                });
            }
        }
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
    missing
        .map(|p| unknown_name(&text!("host or container", "호스트나 컨테이너가"), &p.runs_in, known.iter().copied()))
        .collect()
}
