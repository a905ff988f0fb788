//! Who can reach what: every dialler of the lab against everything that listens in it.
//!
//! One question per dialler, about every address and every port ("who takes a connection of yours?"); every answer is
//! replayed before it is believed, as for sentences. Of containers that are the same to everybody else one is asked. What
//! a container does with its own programs is left out: it is nobody else's business, and different for each.

use std::collections::{BTreeMap, HashSet};
use std::iter;
use std::mem;
use std::net::IpAddr;

use crate::dataplane::{Dataplane, Flow, Node, NodeId, Symptom, Trace};
use crate::eval;
use crate::lab::{HostKind, Lab, Networking};
use crate::lower::internet::INTERNET;
use crate::net::{Family, PortRange, Protocol, url_host};
use crate::provenance::{Basis, Origin};
use crate::smt::{AddressSet, Found, Goal, Query, relevant_nodes, survey};
use crate::switch::{Setting, SwitchKind};

use super::CheckError;
use super::crowd::Part;
use super::decide::dialable;
use super::fold::representatives;
use super::parallel::in_parallel;
use super::place::{Endpoint, Places};

/// Who can reach what.
#[derive(Clone, Debug, Default)]
pub struct Exposure {
    /// Who dials, from far to near.
    pub diallers: Vec<Dialler>,
    /// What listens.
    pub listeners: Vec<Listener>,
    /// Every way that works for one of a group, by listener and dialler, the one with the simplest address first.
    contacts: Vec<Contact>,
    /// Pairs that nothing is known to join, but something that is not modelled stands between them; sorted.
    doubts: Vec<(usize, usize)>,
    /// For every dialler the first two of its group: those that are the same to everybody else.
    groups: Vec<[usize; 2]>,
    /// What the analysis could not follow.
    pub unsure: Vec<String>,
}

/// A column of the matrix.
#[derive(Clone, Debug)]
pub struct Dialler {
    /// Its name, unique.
    pub name: String,
    /// What it is.
    pub class: Class,
    /// Its node.
    pub node: NodeId,
    /// The addresses that it may have, if it stands for many machines.
    crowd: Option<AddressSet>,
}

/// What a dialler is, as far as it decides what may be expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// Any machine outside.
    Internet,
    /// Any machine on a LAN that nobody names.
    Lan,
    /// A physical machine.
    Host,
    /// A virtual machine.
    Vm,
    /// A container, with the networks that it is on.
    Container(Vec<String>),
}

/// A row of the matrix.
#[derive(Clone, Debug)]
pub struct Listener {
    /// `grafana:3000`, `rocky/sshd:22`, `dns:53/udp`; unique.
    pub name: String,
    /// Its node.
    pub node: NodeId,
    /// Whose program it is.
    pub owner: String,
    /// Protocol.
    pub protocol: Protocol,
    /// Ports.
    pub ports: PortRange,
    /// On what ground it is known to listen.
    pub origin: Origin,
}

impl Listener {
    /// Nothing says that it listens; that is assumed.
    pub fn is_assumed(&self) -> bool {
        matches!(self.origin.basis, Basis::Assumed { .. })
    }
}

/// A way that works, with the addresses that lead to it.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Index of the dialler.
    pub dialler: usize,
    /// Index of the listener.
    pub listener: usize,
    /// What is typed, in its shortest form: `localhost:3000`, `grafana:3000`.
    pub address: String,
    /// What else may be typed; it goes the same way.
    pub likewise: Vec<(String, Flow)>,
    /// Who of a crowd; nothing where the dialler is one machine, or some of them are all that is known.
    sources: Option<AddressSet>,
    /// Whom the listener sees: the dialler itself, or whoever translates or relays.
    pub seen: String,
    /// How it gets there.
    pub trace: Trace,
    /// It passes something that is not modelled.
    pub is_doubtful: bool,
}

impl Contact {
    /// Everything that may be typed.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        iter::once(self.address.as_str()).chain(self.likewise.iter().map(|(address, _)| address.as_str()))
    }
}

/// Finds out who can reach what.
///
/// # Errors
/// Only when the two engines disagree, which is a bug of this program.
pub fn exposure(lab: &Lab, dataplane: &Dataplane) -> Result<Exposure, CheckError> {
    let places = Places::new(lab, dataplane);
    let setting = dataplane.switches.defaults();
    let endpoints = places.everyone();
    let mut exposure = Exposure {
        groups: groups(&representatives(dataplane, &endpoints)),
        diallers: diallers(lab, dataplane, &endpoints),
        listeners: listeners(lab, dataplane, &setting),
        ..Exposure::default()
    };
    let surveyor = Surveyor { dataplane, settled: dataplane.settled(&setting), addresses: dialable(dataplane) };
    surveyor.add_all_contacts(&mut exposure, &endpoints, &setting)?;
    exposure.contacts.sort_by(|a, b| contact_key(a).cmp(&contact_key(b)));
    exposure.contacts.dedup_by(|a, b| contact_key(a) == contact_key(b));
    exposure.unsure.sort_unstable();
    exposure.unsure.dedup();
    surveyor.add_doubts(&mut exposure, &endpoints);
    surveyor.try_unmodeled(&mut exposure, &endpoints, &setting)?;
    Ok(exposure)
}

/// `localhost` and names come before addresses, ways without relays before others, short ones before long ones.
fn contact_key(contact: &Contact) -> (usize, usize, bool, usize, usize, &str) {
    let (is_number, length, address) = simplicity(&contact.address);
    let relays = contact.trace.steps.iter().map(|s| s.leg).max().unwrap_or(0);
    (contact.listener, contact.dialler, is_number, relays, length, address)
}

fn simplicity(address: &str) -> (bool, usize, &str) {
    (address.starts_with(|c: char| c.is_ascii_digit() || c == '['), address.len(), address)
}

/// The first two of every dialler's group, by the first of each.
fn groups(representatives: &[usize]) -> Vec<[usize; 2]> {
    let mut second: BTreeMap<usize, usize> = BTreeMap::new();
    for (dialler, first) in representatives.iter().enumerate().filter(|(dialler, first)| dialler != *first) {
        second.entry(*first).or_insert(dialler);
    }
    representatives.iter().map(|first| [*first, second.get(first).copied().unwrap_or(*first)]).collect()
}

impl Exposure {
    /// The addresses at which a dialler reaches a listener, simplest first. They are those of the dialler that stands for
    /// its group.
    pub fn contacts(&self, dialler: usize, listener: usize) -> impl Iterator<Item = &Contact> {
        let cell = self.stand_in(dialler, listener).map(|stand_in| (listener, stand_in));
        let start =
            cell.map_or(self.contacts.len(), |cell| self.contacts.partition_point(|c| (c.listener, c.dialler) < cell));
        let rest = self.contacts.get(start..).unwrap_or_default().iter();
        rest.take_while(move |c| Some((c.listener, c.dialler)) == cell)
    }

    /// The addresses at which a dialler reaches a listener, each once, and whom the listener sees.
    pub fn addresses(&self, dialler: usize, listener: usize) -> Vec<(&str, &str)> {
        let mut all: Vec<(&str, &str)> = Vec::new();
        let mut known: HashSet<&str> = HashSet::new();
        for contact in self.contacts(dialler, listener) {
            for address in contact.addresses().filter(|address| known.insert(address)) {
                all.push((address, &contact.seen));
            }
        }
        all
    }

    /// Who of a crowd reaches a listener; nothing if everybody of it does, nobody, or the dialler is one machine.
    pub fn part(&self, dialler: usize, listener: usize) -> Option<Part> {
        let all = self.diallers.get(dialler)?.crowd.as_ref()?;
        self.contacts(dialler, listener).next()?;
        Part::of(all, self.reached_from(dialler, listener).as_ref())
    }

    /// The addresses from which a crowd reaches a listener; nothing if that is not known.
    pub(super) fn reached_from(&self, dialler: usize, listener: usize) -> Option<AddressSet> {
        let mut sources = self.contacts(dialler, listener).map(|contact| contact.sources.clone());
        let first = sources.next()??;
        sources.try_fold(first, |reached, more| Some(reached.union(&more?)))
    }

    /// Whether something that is not modelled decides what a dialler can do with a listener.
    pub fn is_doubtful(&self, dialler: usize, listener: usize) -> bool {
        let stand_in = self.stand_in(dialler, listener);
        stand_in.is_some_and(|stand_in| self.doubts.binary_search(&(stand_in, listener)).is_ok())
            || self.contacts(dialler, listener).any(|c| c.is_doubtful)
    }

    /// Whether a dialler is a container and the listener its own program.
    pub fn is_own(&self, dialler: usize, listener: usize) -> bool {
        let (dialler, listener) = (self.diallers.get(dialler), self.listeners.get(listener));
        dialler.zip(listener).is_some_and(|(d, l)| matches!(d.class, Class::Container(_)) && d.node == l.node)
    }

    /// The diallers, those together that the lab treats alike, but for connections among themselves.
    pub fn groups(&self) -> Vec<Vec<usize>> {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (dialler, [first, _]) in self.groups.iter().enumerate() {
            members.entry(*first).or_default().push(dialler);
        }
        members.into_values().collect()
    }

    /// Who was asked in place of a dialler: the first of its group whose program the listener is not; nobody if it is its own.
    pub fn stand_in(&self, dialler: usize, listener: usize) -> Option<usize> {
        let group = self.groups.get(dialler).filter(|_| !self.is_own(dialler, listener))?;
        group.iter().copied().find(|member| !self.is_own(*member, listener))
    }
}

/// What one dialler reaches.
#[derive(Default)]
struct Reached {
    contacts: Vec<Contact>,
    unsure: Vec<String>,
}

struct Surveyor<'a> {
    dataplane: &'a Dataplane,
    settled: Dataplane,
    addresses: Vec<IpAddr>,
}

impl Surveyor<'_> {
    fn add_all_contacts(
        &self,
        exposure: &mut Exposure,
        endpoints: &[Endpoint],
        setting: &Setting,
    ) -> Result<(), CheckError> {
        let known: &Exposure = exposure;
        let asked: Vec<(usize, &Endpoint, Goal)> = endpoints
            .iter()
            .enumerate()
            .filter_map(|(dialler, endpoint)| Some((dialler, endpoint, self.asked(known, dialler)?)))
            .collect();
        let found =
            in_parallel(&asked, |(dialler, endpoint, goal)| self.reached(known, *dialler, (endpoint, goal), setting));
        for reached in found {
            let reached = reached?;
            exposure.contacts.extend(reached.contacts);
            exposure.unsure.extend(reached.unsure);
        }
        Ok(())
    }

    /// The first of a group is asked about everybody, the second about the first.
    fn asked(&self, exposure: &Exposure, dialler: usize) -> Option<Goal> {
        let [first, second] = *exposure.groups.get(dialler)?;
        if dialler == first {
            return Some(Goal::Anyone);
        }
        let node = exposure.diallers.get(first)?.node;
        (dialler == second).then_some(Goal::Socket { node, owner: None, ports: PortRange::ALL })
    }

    fn reached(
        &self,
        exposure: &Exposure,
        dialler: usize,
        (endpoint, goal): (&Endpoint, &Goal),
        setting: &Setting,
    ) -> Result<Reached, CheckError> {
        let mut reached = Reached::default();
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            if !exposure.listeners.iter().any(|l| l.protocol == protocol) {
                continue;
            }
            let found = survey(&self.settled, &query(endpoint, protocol, goal.clone()), setting, &self.addresses);
            reached.unsure.extend(found.unsure);
            for alike in &found.found {
                reached.contacts.extend(self.contact(exposure, dialler, alike, setting)?);
            }
        }
        Ok(reached)
    }

    /// What the interpreter makes of the simplest of the solver's flows that go the same way; nothing if it ends outside
    /// of the matrix.
    fn contact(
        &self,
        exposure: &Exposure,
        dialler: usize,
        alike: &Found,
        setting: &Setting,
    ) -> Result<Option<Contact>, CheckError> {
        let name = exposure.diallers.get(dialler).map_or("", |d| d.name.as_str());
        let mut dialed: Vec<(String, Flow)> =
            alike.flows.iter().map(|f| (typed(self.settled.node(f.from), f), *f)).collect();
        dialed.sort_by(|(a, _), (b, _)| simplicity(a).cmp(&simplicity(b)));
        dialed.dedup_by(|(a, _), (b, _)| a == b);
        let mut dialed = dialed.into_iter();
        let Some((address, flow)) = dialed.next() else { return Ok(None) };
        let trace = eval::trace(self.dataplane, &flow, setting);
        let Some(delivery) = trace.outcome.delivery.clone().filter(|_| trace.outcome.symptom == Symptom::Works) else {
            let sentence = format!("{name} can reach {}:{}", flow.destination, flow.destination_port);
            return Err(CheckError::Disagreement { sentence, flow, trace: Box::new(trace) });
        };
        let is_it = |l: &Listener| {
            l.node == delivery.node
                && l.owner == delivery.owner
                && l.protocol == flow.protocol
                && l.ports.contains(delivery.header.destination_port)
        };
        let listener =
            exposure.listeners.iter().position(is_it).filter(|listener| !exposure.is_own(dialler, *listener));
        let Some(listener) = listener else { return Ok(None) };
        let is_doubtful = trace.steps.iter().any(|s| !self.dataplane.node(s.node).unmodeled.is_empty());
        Ok(Some(Contact {
            dialler,
            listener,
            address,
            likewise: dialed.collect(),
            sources: alike.sources.clone(),
            seen: seen(self.dataplane, &flow, delivery.header.source),
            trace,
            is_doubtful,
        }))
    }

    /// Empty cells with something between dialler and listener that is not modelled.
    fn add_doubts(&self, exposure: &mut Exposure, endpoints: &[Endpoint]) {
        if self.dataplane.nodes().all(|(_, node)| node.unmodeled.is_empty()) {
            return;
        }
        let mut doubts = Vec::new();
        for (to, listener) in exposure.listeners.iter().enumerate() {
            let goal = Goal::Socket { node: listener.node, owner: Some(listener.owner.clone()), ports: listener.ports };
            for (from, endpoint) in endpoints.iter().enumerate() {
                if exposure.stand_in(from, to) != Some(from) {
                    continue;
                }
                let between = relevant_nodes(self.dataplane, &query(endpoint, listener.protocol, goal.clone()));
                let is_uncertain = between.iter().any(|id| !self.dataplane.node(*id).unmodeled.is_empty());
                if is_uncertain && exposure.contacts(from, to).next().is_none() {
                    doubts.push((from, to));
                }
            }
        }
        exposure.doubts = doubts;
    }

    /// Cells that would be other ones if a condition that is not modelled held, or did not.
    fn try_unmodeled(
        &self,
        exposure: &mut Exposure,
        endpoints: &[Endpoint],
        setting: &Setting,
    ) -> Result<(), CheckError> {
        let switches = self.dataplane.switches.iter().filter(|(_, s)| s.kind == SwitchKind::Unmodeled);
        for (id, _) in switches {
            let flipped = setting.with(id, !setting.is_on(id));
            let contacts = mem::take(&mut exposure.contacts);
            let mut other = exposure.clone();
            exposure.contacts = contacts;
            let surveyor = Surveyor {
                dataplane: self.dataplane,
                settled: self.dataplane.settled(&flipped),
                addresses: self.addresses.clone(),
            };
            surveyor.add_all_contacts(&mut other, endpoints, &flipped)?;
            exposure.doubts.extend(differing(exposure, &other));
        }
        exposure.doubts.sort_unstable();
        exposure.doubts.dedup();
        Ok(())
    }
}

/// The cells that are empty in only one of two matrices.
fn differing(one: &Exposure, other: &Exposure) -> Vec<(usize, usize)> {
    let cells = |e: &Exposure| {
        let mut cells: Vec<_> = e.contacts.iter().map(|c| (c.dialler, c.listener)).collect();
        cells.sort_unstable();
        cells.dedup();
        cells
    };
    let (one, other) = (cells(one), cells(other));
    let only = |a: &[(usize, usize)], b: &[(usize, usize)]| -> Vec<(usize, usize)> {
        a.iter().copied().filter(|cell| b.binary_search(cell).is_err()).collect()
    };
    [only(&one, &other), only(&other, &one)].concat()
}

fn query(endpoint: &Endpoint, protocol: Protocol, goal: Goal) -> Query {
    Query {
        from: endpoint.node,
        family: Family::V4,
        protocol,
        sources: endpoint.sources.clone(),
        destinations: None,
        ports: PortRange::ALL,
        goal,
    }
}

fn diallers(lab: &Lab, dataplane: &Dataplane, endpoints: &[Endpoint]) -> Vec<Dialler> {
    let names: Vec<&str> = endpoints.iter().map(|e| e.label.as_str()).collect();
    let is_unique = |name: &str| names.iter().filter(|n| **n == name).count() == 1;
    let dialler = |endpoint: &Endpoint| {
        let full = &dataplane.node(endpoint.node).name;
        let name = if is_unique(&endpoint.label) { &endpoint.label } else { full };
        let crowd = endpoint.sources.as_ref().map(|sources| sources.all(Family::V4));
        Dialler { name: name.clone(), class: class(lab, endpoint), node: endpoint.node, crowd }
    };
    endpoints.iter().map(dialler).collect()
}

fn class(lab: &Lab, endpoint: &Endpoint) -> Class {
    let Some(host) = endpoint.host.map(|id| lab.host(id)) else {
        return if endpoint.label == INTERNET { Class::Internet } else { Class::Lan };
    };
    let Some(container) = &endpoint.container else {
        return if matches!(host.kind, HostKind::Vm { .. }) { Class::Vm } else { Class::Host };
    };
    let engine = host.engine.as_ref();
    let attached = engine.and_then(|e| e.containers.iter().find(|c| c.name == *container)).map(|c| &c.networking);
    let Some(Networking::Bridges(attached)) = attached else { return Class::Container(Vec::new()) };
    let name = |index: usize| engine.and_then(|e| e.networks.get(index)).map(|n| n.name.clone());
    Class::Container(attached.iter().filter_map(|a| name(a.network)).collect())
}

fn listeners(lab: &Lab, dataplane: &Dataplane, setting: &Setting) -> Vec<Listener> {
    let containers = lab.containers().map(|(id, c)| ((lab.host(id).name.as_str(), c.name.as_str()), &c.short_name));
    let short_names: BTreeMap<_, _> = containers.collect();
    let mut all: Vec<Listener> = Vec::new();
    // Neither the internet nor what stands for somebody that no file names.
    let is_named = |node: &Node| lab.hosts.iter().any(|host| node.name.split('/').next() == Some(host.name.as_str()));
    for (id, node) in dataplane.nodes().filter(|(_, n)| is_named(n)) {
        for socket in node.sockets.iter().filter(|s| setting.allows(s.guard)) {
            let (protocol, ports) = (socket.protocol, socket.ports);
            let is_known = |l: &Listener| {
                (l.node, l.protocol, l.ports, l.owner.as_str()) == (id, protocol, ports, socket.owner.as_str())
            };
            if !all.iter().any(is_known) {
                let suffix = if protocol == Protocol::Tcp { String::new() } else { format!("/{protocol}") };
                let host = node.name.split('/').next().unwrap_or_default();
                let owner = short_names.get(&(host, socket.owner.as_str())).copied().unwrap_or(&socket.owner);
                let name = format!("{owner}:{ports}{suffix}");
                let origin = dataplane.origins.get(socket.origin).clone();
                all.push(Listener { name, node: id, owner: socket.owner.clone(), protocol, ports, origin });
            }
        }
    }
    let names: Vec<String> = all.iter().map(|l| l.name.clone()).collect();
    for listener in &mut all {
        if names.iter().filter(|name| **name == listener.name).count() > 1 {
            listener.name = format!("{}/{}", dataplane.node(listener.node).name, listener.name);
        }
    }
    all
}

/// What a person types: `localhost`, a name that the dialler can resolve, or the address.
fn typed(node: &Node, flow: &Flow) -> String {
    let known = node.names.iter().filter(|n| n.address == flow.destination).map(|n| n.name.as_str());
    let host = known.min_by_key(|name| (name.len(), *name)).map_or_else(|| url_host(flow.destination), str::to_owned);
    format!("{host}:{}", flow.destination_port)
}

/// Whose address the listener sees.
fn seen(dataplane: &Dataplane, flow: &Flow, source: IpAddr) -> String {
    let is_own = |node: &Node| node.addresses().any(|a| a == source);
    if flow.source == Some(source) || is_own(dataplane.node(flow.from)) {
        return "itself".to_owned();
    }
    let owner = dataplane.nodes().find(|(_, node)| !source.is_loopback() && is_own(node));
    owner.map_or_else(|| source.to_string(), |(_, node)| format!("{} ({source})", node.name))
}
