//! What to try on the real machines: commands with the outcome that the model predicts, in the order of a debugging
//! checklist. What is seen instead names the assumption that is wrong.
//!
//! The probes follow the connection that explains a verdict: the machines on its way, the addresses that answer, who
//! listens, what is published and opened, and last the connection itself. Nothing is asked twice.

mod command;
mod observe;

use std::net::IpAddr;

use crate::dataplane::{Dataplane, Disposition, Event, Flow, Step, Symptom, Trace, Way};
use crate::eval;
use crate::lab::{Container, Entry, Firewalld, Host, HostId, HostKind, Lab, Networking, Statement, Zone};
use crate::language::{Text, text};
use crate::net::{PortRange, Protocol};
use crate::property::{Verb, parse};
use crate::provenance::Origin;
use crate::source::Sources;

pub use observe::{Finding, Observed, diagnose, read_observed};

use super::obstacle::host_of;
use super::place::{Endpoint, Places};
use super::verdict::{Judgement, Witness};
use super::{CheckError, Checked, check_all};

/// The order of the checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Is the machine up?
    Machine,
    /// Does it answer?
    Ping,
    /// Is the name known?
    Name,
    /// Does the host listen for it?
    Forward,
    /// Is the port published?
    Published,
    /// Does the zone let it in?
    Zone,
    /// Does the program listen?
    Listener,
    /// The connection itself.
    Connection,
}

impl Stage {
    /// As the checklist asks.
    pub fn question(self) -> Text {
        match self {
            Self::Machine => text!("is the machine up?", "머신이 켜져 있는가?"),
            Self::Ping => text!("does it answer?", "응답하는가?"),
            Self::Name => text!("is the name known?", "이름을 아는가?"),
            Self::Forward => text!("does the host listen for it?", "호스트가 그 포트에서 대기하는가?"),
            Self::Published => text!("is the port published?", "포트가 게시되었는가?"),
            Self::Zone => text!("does the firewall's zone open it?", "방화벽의 영역에서 열려 있는가?"),
            Self::Listener => text!("does the program listen?", "프로그램이 대기하는가?"),
            Self::Connection => text!("the connection itself", "연결 자체"),
        }
    }
}

/// One command.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its place in the checklist.
    pub stage: Stage,
    /// The machine to run it on.
    pub on: String,
    /// What to type.
    pub command: String,
    /// What comes out, in one word.
    pub predicted: String,
    /// What is believed, and would be wrong otherwise.
    pub assumes: Text,
    /// The line that it rests on.
    pub origin: Option<Origin>,
    /// The connection or ping that the command makes.
    flow: Option<Flow>,
}

/// The checklist for sentences of a lab.
///
/// # Errors
/// Only when the two engines disagree, which is a bug of this program.
pub fn probes(
    lab: &Lab,
    dataplane: &Dataplane,
    sources: &Sources,
    statements: &[Statement],
) -> Result<(Vec<Probe>, Checked), CheckError> {
    let checked = check_all(lab, dataplane, sources, statements)?;
    let mut list = Checklist { places: Places::new(lab, dataplane), probes: Vec::new() };
    checked.judgements.iter().for_each(|judgement| list.judgement(judgement));
    let mut probes = list.probes;
    probes.sort_by_key(|probe| probe.stage);
    Ok((probes, checked))
}

struct Checklist<'a> {
    places: Places<'a>,
    probes: Vec<Probe>,
}

impl Checklist<'_> {
    fn add(&mut self, probe: Probe) {
        if !self.probes.iter().any(|known| (&known.on, &known.command) == (&probe.on, &probe.command)) {
            self.probes.push(probe);
        }
    }

    fn judgement(&mut self, Judgement { statement, verdict }: &Judgement) {
        let Ok(sentence) = parse(&statement.sentence) else { return };
        let aims = self.places.aims(&sentence).unwrap_or_default();
        if let Verb::Resolve(name) = &sentence.verb {
            for member in self.places.members(&sentence.subject, None).unwrap_or_default() {
                self.name(&member, &name.value);
            }
        }
        let Some(witness) = verdict.witnesses.first().or(verdict.failure.as_ref()) else { return };
        let target = aims.first().and_then(|aim| aim.endpoint.as_ref());
        self.machines(&witness.trace);
        self.names(witness);
        self.ping(&witness.trace);
        self.listeners_on_the_way(&witness.trace);
        if let Some(target) = target {
            let port = aims.first().and_then(|aim| aim.port);
            self.published(target, port, witness);
            self.listener(target, port, witness.trace.flow.protocol);
        }
        self.zones(&witness.trace);
        self.connection(witness);
    }

    fn host(&self, step: &Step) -> Option<HostId> {
        host_of(self.places.lab, &self.places.dataplane.node(step.node).name)
    }

    /// Every VM on the way, asked of the machine that runs it.
    fn machines(&mut self, trace: &Trace) {
        let on_the_way: Vec<HostId> = trace.steps.iter().filter_map(|step| self.host(step)).collect();
        for id in on_the_way {
            let vm = self.places.lab.host(id);
            let HostKind::Vm { on } = vm.kind else { continue };
            self.add(Probe {
                stage: Stage::Machine,
                on: self.places.lab.host(on).name.clone(),
                command: command::machine_state(&vm.name),
                predicted: "running".to_owned(),
                assumes: text!("the machine `{name}` is up", "`{name}` 머신이 켜져 있음", name = &vm.name),
                origin: Some(vm.origin.clone()),
                flow: None,
            });
        }
    }

    /// A name that was dialled.
    fn names(&mut self, witness: &Witness) {
        let host = witness.url.rsplit("//").next().unwrap_or_default().split(':').next().unwrap_or_default();
        let is_name = host.parse::<IpAddr>().is_err() && host != "localhost" && !host.is_empty();
        let node = witness.trace.flow.from;
        if let Some(member) = self.places.everyone().into_iter().find(|e| e.node == node).filter(|_| is_name) {
            self.name(&member, host);
        }
    }

    fn name(&mut self, member: &Endpoint, name: &str) {
        let addresses = self.places.resolved(member, name);
        let (on, inside) = self.shell(member);
        self.add(Probe {
            stage: Stage::Name,
            on,
            command: command::inside(inside.as_deref(), &format!("getent ahostsv4 {name}")),
            predicted: addresses.first().map_or_else(|| "unresolved".to_owned(), IpAddr::to_string),
            assumes: text!("what `{name}` means for `{who}`", "`{who}`에서 `{name}`의 뜻", who = &member.label),
            origin: None,
            flow: None,
        });
    }

    /// Where a person types, and the container that the command enters.
    fn shell(&self, end: &Endpoint) -> (String, Option<String>) {
        match end.host {
            Some(host) => (self.places.lab.host(host).name.clone(), end.container.clone()),
            None => (end.label.clone(), None),
        }
    }

    /// The dialled machine, if it has an address of its own that answers.
    fn ping(&mut self, trace: &Trace) {
        let flow = trace.flow;
        let is_somebodys = self.places.dataplane.nodes().any(|(_, n)| n.addresses().any(|a| a == flow.destination));
        if flow.destination.is_loopback() || flow.protocol == Protocol::Icmp || !is_somebodys {
            return;
        }
        let flow = Flow { protocol: Protocol::Icmp, source_port: 0, destination_port: 0, ..flow };
        let seen = eval::trace(self.places.dataplane, &flow, &self.places.dataplane.switches.defaults());
        let Some(from) = self.dialler(&seen) else { return };
        let (on, inside) = self.shell(&from);
        self.add(Probe {
            stage: Stage::Ping,
            on,
            command: command::inside(inside.as_deref(), &command::ping(flow.destination)),
            predicted: word(seen.outcome.symptom).to_owned(),
            assumes: text!(
                "how {to} answers pings of `{who}`",
                "`{who}`에서 보낸 ping에 대한 {to}의 응답",
                to = flow.destination,
                who = &from.label
            ),
            origin: None,
            flow: Some(flow),
        });
    }

    fn dialler(&self, trace: &Trace) -> Option<Endpoint> {
        self.places.everyone().into_iter().find(|end| end.node == trace.flow.from)
    }

    /// Relays that take the connection, and the place where nobody does.
    fn listeners_on_the_way(&mut self, trace: &Trace) {
        for step in trace.steps.iter().filter(|step| step.way == Way::Request) {
            let (predicted, assumes) = match &step.event {
                Event::Relayed { relay } => ("listening", text!("{relay} takes connections", "{relay}: 연결을 받음")),
                Event::Ended(Disposition::NoListener) => {
                    ("nothing", text!("nobody listens there", "대기하는 프로그램이 없음"))
                }
                _ => continue,
            };
            let Some(host) = self.host(step).map(|id| self.places.lab.host(id)) else { continue };
            if self.places.dataplane.node(step.node).name != host.name {
                continue;
            }
            let origin = step.origin.map(|id| self.places.dataplane.origins.get(id).clone());
            let (port, on) = (step.header.destination_port, &host.name);
            self.add(Probe {
                stage: Stage::Forward,
                on: host.name.clone(),
                command: command::listening(host.os, step.header.protocol, step.header.destination_port),
                predicted: predicted.to_owned(),
                assumes: text!("{assumes}, port {port} on `{on}`", "{assumes}, `{on}`의 {port}번 포트"; assumes),
                origin,
                flow: None,
            });
        }
    }

    fn container(&self, end: &Endpoint) -> Option<(HostId, &Container)> {
        let is_it =
            |(host, c): &(HostId, &Container)| Some(*host) == end.host && Some(&c.name) == end.container.as_ref();
        self.places.lab.containers().find(is_it)
    }

    /// Asked of docker, unless the one who dials is a container beside it.
    fn published(&mut self, target: &Endpoint, port: Option<u16>, witness: &Witness) {
        let Some(((id, container), port)) = self.container(target).zip(port) else { return };
        let is_beside = self.dialler(&witness.trace).is_some_and(|d| d.container.is_some() && d.host == Some(id));
        if is_beside || !matches!(container.networking, Networking::Bridges(_)) {
            return;
        }
        let protocol = witness.trace.flow.protocol;
        let publish = container.publishes.iter().find(|p| p.container_port == port && p.protocol == protocol);
        let predicted = match publish.map(|p| (p.host_address, p.host_port)) {
            None => "nothing".to_owned(),
            Some((address, Some(port))) => {
                format!("{}:{port}", address.map_or("0.0.0.0".to_owned(), |a| a.to_string()))
            }
            Some((_, None)) => "any".to_owned(),
        };
        let origin = publish.map_or(&container.origin, |p| &p.origin).clone();
        let name = container.name.clone();
        self.add(Probe {
            stage: Stage::Published,
            on: self.places.lab.host(id).name.clone(),
            command: format!("docker port {name} {port}/{protocol}"),
            predicted,
            assumes: text!(
                "what docker publishes of `{name}` for port {port}/{protocol}",
                "docker가 `{name}`의 {port}/{protocol} 포트를 어디에 게시하는지"
            ),
            origin: Some(origin),
            flow: None,
        });
    }

    /// Who listens on the target's own port, and where.
    fn listener(&mut self, target: &Endpoint, port: Option<u16>, protocol: Protocol) {
        let Some((port, host)) = port.zip(target.host) else { return };
        let setting = self.places.dataplane.switches.defaults();
        let own = self.places.dataplane.node(target.node).sockets.iter().find(|s| {
            let is_own = target.owner.as_ref().is_none_or(|owner| *owner == s.owner);
            s.protocol == protocol && s.ports.contains(port) && is_own && setting.allows(s.guard)
        });
        let predicted = match own.map(|socket| socket.address) {
            None => "nothing".to_owned(),
            Some(None) => "everywhere".to_owned(),
            Some(Some(address)) => address.to_string(),
        };
        let origin = own.map(|socket| self.places.dataplane.origins.get(socket.origin).clone());
        let host = self.places.lab.host(host);
        let of_namespace = target.container.as_deref();
        let socket = command::listening(host.os, protocol, port);
        self.add(Probe {
            stage: Stage::Listener,
            on: host.name.clone(),
            command: command::inside(of_namespace, &socket),
            predicted,
            assumes: text!(
                "where `{who}` listens on {port}/{protocol}",
                "`{who}`의 {port}/{protocol} 포트가 어디에서 대기하는지",
                who = &target.label
            ),
            origin,
            flow: None,
        });
    }

    /// The zones that a packet for a program of a host comes to.
    fn zones(&mut self, trace: &Trace) {
        let requests = trace.steps.iter().filter(|step| step.way == Way::Request);
        let crossings: Vec<(&Step, HostId)> = requests.filter_map(|step| Some((step, self.host(step)?))).collect();
        for (step, id) in crossings {
            let host = self.places.lab.host(id);
            let (Event::Crossed { link, .. }, Some(firewalld)) = (&step.event, &host.firewalld) else { continue };
            let node = self.places.dataplane.node(step.node);
            let is_own = node.name == host.name && node.addresses().any(|a| a == step.header.destination);
            let interface = node.interfaces.iter().find(|i| i.link == Some(*link));
            let Some(interface) = interface.filter(|_| is_own) else { continue };
            let zone = zone_of(firewalld, step.header.source, &interface.name);
            self.zone(host, firewalld, &zone, (step.header.protocol, step.header.destination_port));
        }
    }

    fn zone(&mut self, host: &Host, firewalld: &Firewalld, name: &str, (protocol, port): (Protocol, u16)) {
        let Some(zone) = firewalld.zones.get(name) else { return };
        let opens = |(p, ports): &(Protocol, PortRange)| *p == protocol && ports.contains(port);
        let service = zone.content.services.iter().find(|s| s.value.ports.iter().any(opens));
        let entry = zone.content.ports.iter().find(|e: &&Entry<(Protocol, PortRange)>| opens(&e.value));
        let query = match service {
            Some(service) => format!("--query-service={}", service.value.name),
            None => format!("--query-port={port}/{protocol}"),
        };
        let opener = service.map(|s| &s.origin).or(entry.map(|e| &e.origin));
        let origin = opener.unwrap_or(if zone.origin.span().is_some() { &zone.origin } else { &firewalld.origin });
        self.add(Probe {
            stage: Stage::Zone,
            on: host.name.clone(),
            command: format!("firewall-cmd --zone={name} {query}"),
            predicted: if opener.is_some() { "yes" } else { "no" }.to_owned(),
            assumes: text!(
                "whether zone `{name}` on `{on}` opens {port}/{protocol}",
                "`{on}`의 `{name}` 영역에서 {port}/{protocol} 포트가 열려 있는지",
                on = &host.name
            ),
            origin: Some(origin.clone()),
            flow: None,
        });
    }

    fn connection(&mut self, witness: &Witness) {
        let flow = witness.trace.flow;
        let from = self.dialler(&witness.trace);
        let (on, inside) = from.as_ref().map_or((witness.from.clone(), None), |from| self.shell(from));
        let command = command::dial(&witness.url, flow.protocol, flow.destination);
        let last = witness.trace.steps.iter().rev().find_map(|step| step.origin);
        self.add(Probe {
            stage: Stage::Connection,
            on,
            command: command::inside(inside.as_deref(), &command),
            predicted: word(witness.trace.outcome.symptom).to_owned(),
            assumes: text!(
                "the way from `{from}` to {url}",
                "`{from}`에서 {url}까지의 길",
                from = &witness.from,
                url = &witness.url
            ),
            origin: last.map(|id| self.places.dataplane.origins.get(id).clone()),
            flow: Some(flow),
        });
    }
}

/// A source wins over an interface, and what nothing binds is in the default zone (firewalld.zone(5)).
fn zone_of(firewalld: &Firewalld, source: IpAddr, interface: &str) -> String {
    let nets = |zone: &Zone| zone.sources.iter().filter_map(|s| s.value.nets()).flatten().any(|n| n.contains(&source));
    let bound = |zone: &Zone| zone.interfaces.iter().any(|i| i.value == interface);
    let by_source = firewalld.zones.iter().find(|(_, zone)| nets(zone));
    let by_interface = || firewalld.zones.iter().find(|(_, zone)| bound(zone));
    by_source.or_else(by_interface).map_or_else(|| firewalld.default_zone.clone(), |(name, _)| name.clone())
}

/// An outcome of a connection in one word.
pub fn word(symptom: Symptom) -> &'static str {
    match symptom {
        Symptom::Works => "works",
        Symptom::Refused => "refused",
        Symptom::AcceptedThenClosed => "reset",
        Symptom::TimedOut => "timeout",
        Symptom::HostUnreachable | Symptom::NoNeighbor => "no-route",
        Symptom::NetUnreachable => "unreachable",
        Symptom::NameNotResolved => "unresolved",
    }
}
