//! What lints look at, and questions that several of them ask.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::dataplane::{Dataplane, Event, Flow, NodeId, Trace};
use crate::eval;
use crate::lab::iptables::IptablesChange;
use crate::lab::{Container, Content, Engine, Host, HostId, Lab, Listen, Networking, Publish};
use crate::net::{Family, IpNet, Protocol};
use crate::source::Span;
use crate::switch::Setting;

/// Source port of the packets that are followed.
pub(super) const SOURCE_PORT: u16 = 50_000;
/// Addresses of a network that are looked through for a free one.
const CANDIDATES: usize = 600;

/// A lab, what it does with packets, and what is assumed.
pub(super) struct Scene<'a> {
    pub(super) lab: &'a Lab,
    pub(super) dataplane: &'a Dataplane,
    setting: Setting,
}

/// Any other machine on a network of a host.
pub(super) struct Outsider<'a> {
    node: NodeId,
    /// The network's name.
    pub(super) network: &'a str,
    /// Addresses that it may have.
    within: &'a [IpNet],
    taken: Vec<IpAddr>,
    /// The host's address there.
    pub(super) host_address: IpAddr,
}

/// A container with its engine and its host.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) host: HostId,
    pub(super) engine: &'a Engine,
    pub(super) index: usize,
    pub(super) container: &'a Container,
}

impl<'a> Scene<'a> {
    pub(super) fn of(lab: &'a Lab, dataplane: &'a Dataplane) -> Self {
        Self { lab, dataplane, setting: dataplane.switches.defaults() }
    }

    pub(super) fn node_of(&self, host: HostId) -> Option<NodeId> {
        self.dataplane.node_named(&self.lab.host(host).name)
    }

    /// Every container.
    pub(super) fn places(&self) -> impl Iterator<Item = Place<'a>> {
        self.lab.hosts().flat_map(|(host, h)| {
            let of_engine = move |engine: &'a Engine| {
                let containers = engine.containers.iter().enumerate();
                containers.map(move |(index, container)| Place { host, engine, index, container })
            };
            h.engine.iter().flat_map(of_engine)
        })
    }

    /// The namespace of a container; nothing if it is the host's.
    pub(super) fn namespace(&self, place: Place<'_>) -> Option<NodeId> {
        let owner = place.engine.containers.get(place.owner())?;
        let is_own = matches!(owner.networking, Networking::Bridges(_) | Networking::None(_));
        let name = format!("{}/{}", self.lab.host(place.host).name, owner.name);
        self.dataplane.node_named(&name).filter(|_| is_own)
    }

    /// The machines that nobody listed on the networks of a host.
    pub(super) fn outsiders(&self, host: NodeId) -> Vec<Outsider<'_>> {
        let mut found = Vec::new();
        for interface in &self.dataplane.node(host).interfaces {
            let Some(link) = interface.link.filter(|_| interface.up) else { continue };
            let members: Vec<_> = self.dataplane.members(link).collect();
            let taken: Vec<IpAddr> = members.iter().flat_map(|(.., i)| &i.addresses).map(|a| a.net.addr()).collect();
            let own = interface.addresses.iter().map(|a| a.net.addr()).find(IpAddr::is_ipv4);
            for (node, _, stranger) in members.iter().filter(|(.., i)| !i.claims.is_empty()) {
                found.extend(own.map(|host_address| Outsider {
                    node: *node,
                    network: &self.dataplane.link(link).name,
                    within: &stranger.claims,
                    taken: taken.clone(),
                    host_address,
                }));
            }
        }
        found
    }

    /// What becomes of a connection of an outsider to a port of the host.
    pub(super) fn dial(&self, outsider: &Outsider<'_>, source: IpAddr, protocol: Protocol, port: u16) -> Trace {
        let flow = Flow {
            from: outsider.node,
            protocol,
            source: Some(source),
            source_port: SOURCE_PORT,
            destination: outsider.host_address,
            destination_port: port,
        };
        self.follow(&flow)
    }

    pub(super) fn follow(&self, flow: &Flow) -> Trace {
        eval::trace(self.dataplane, flow, &self.setting)
    }

    /// An outsider that gets through to a container by a published port.
    pub(super) fn outsider_through(&self, place: Place<'_>, publish: &Publish) -> Option<Outsider<'_>> {
        let (host, node) = (self.node_of(place.host)?, self.namespace(place)?);
        let port = publish.host_port?;
        let outsiders = self.outsiders(host);
        outsiders.into_iter().find(|outsider| {
            let source = outsider.address(None, &[]);
            source.is_some_and(|source| comes_to(&self.dial(outsider, source, publish.protocol, port), node))
        })
    }
}

/// Whether a packet of a trace came to a node.
pub(super) fn comes_to(trace: &Trace, node: NodeId) -> bool {
    trace.steps.iter().any(|step| matches!(step.event, Event::Crossed { to, .. } if to == node))
}

impl Outsider<'_> {
    /// An address that it may have: inside one net, outside others.
    pub(super) fn address(&self, inside: Option<IpNet>, outside: &[IpNet]) -> Option<IpAddr> {
        let of_family = self.within.iter().filter(|net| Family::of(net.addr()) == Family::of(self.host_address));
        let nets = of_family.filter_map(|net| match inside {
            None => Some(*net),
            Some(inside) if net.contains(&inside) => Some(inside),
            Some(inside) => inside.contains(net).then_some(*net),
        });
        let is_free = |address: &IpAddr| !self.taken.contains(address) && !outside.iter().any(|n| n.contains(address));
        let mut candidates = nets.flat_map(|net| net.hosts().take(CANDIDATES));
        candidates.find(is_free)
    }
}

impl<'a> Place<'a> {
    /// The container whose namespace this one is in.
    pub(super) fn owner(self) -> usize {
        let mut index = self.index;
        for _ in &self.engine.containers {
            match self.engine.containers.get(index).map(|c| &c.networking) {
                Some(Networking::Container(other, _)) => index = *other,
                _ => break,
            }
        }
        index
    }

    /// Everything that listens in the container's namespace.
    pub(super) fn listens(self) -> Vec<&'a Listen> {
        let owner = self.owner();
        let indices = 0..self.engine.containers.len();
        let inside = indices.filter_map(|index| {
            let container = self.engine.containers.get(index)?;
            (Place { index, container, ..self }.owner() == owner).then_some(container)
        });
        inside.flat_map(|c| &c.processes).flat_map(|p| &p.listens).collect()
    }

    /// Where a published port listens if it names no address.
    pub(super) fn address_of(self, publish: &Publish) -> Option<IpAddr> {
        let Networking::Bridges(endpoints) = &self.container.networking else { return publish.host_address };
        let network = endpoints.first().and_then(|e| self.engine.networks.get(e.network));
        let default = network.and_then(|n| n.publish_address);
        publish.host_address.or(default).filter(|address| !address.is_unspecified())
    }
}

/// The lines that state rules of a host: those of iptables and ufw, and rich rules.
pub(super) fn lines_with_rules(host: &Host) -> BTreeSet<Span> {
    let states_rule = |change: &IptablesChange| {
        matches!(change, IptablesChange::Append(..) | IptablesChange::Insert(..) | IptablesChange::Replace(..))
    };
    let commands = host.rules.iter().flatten().filter(|c| states_rule(&c.change)).map(|c| c.span);
    let zones = host.firewalld.iter().flat_map(|f| f.zones.values().map(|z| &z.content));
    let policies = host.firewalld.iter().flat_map(|f| f.policies.values().map(|p| &p.content));
    let rich = |content: &Content| content.rich_rules.iter().filter_map(|r| r.origin.span()).collect::<Vec<_>>();
    commands.chain(zones.chain(policies).flat_map(rich)).collect()
}
