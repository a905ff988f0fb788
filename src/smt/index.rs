//! What a walk looks up at every step, prepared once: who has which address on a link, routes in their order, and rules by
//! what they can be about.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::HashMap;

use crate::dataplane::{
    ChainId, Dataplane, Interface, InterfaceId, LinkId, Match, Node, NodeId, Route, RouteTarget, Rule,
};
use crate::net::{Family, IpNet, PortRange, address_bits};

use super::assumed::Assumed;
use super::packet::{Field, Fields};
use super::ranges::Ranges;

/// An interface with where it is.
pub(super) type Port<'a> = (NodeId, InterfaceId, &'a Interface);

pub(super) struct Index<'a> {
    pub(super) dataplane: &'a Dataplane,
    pub(super) family: Family,
    /// By link: the interfaces on it that are up.
    ports: Vec<Vec<Port<'a>>>,
    owners: HashMap<(LinkId, u128), (NodeId, InterfaceId)>,
    nodes: Vec<OnceCell<Facts<'a>>>,
}

/// What is known of one node.
pub(super) struct Facts<'a> {
    /// The routes that are alive, the one that wins first.
    pub(super) routes: Vec<&'a Route>,
    /// Every address that the node takes as its own.
    pub(super) local: Ranges,
    /// By chain, beside its rules.
    outlines: Vec<Vec<Outline>>,
}

impl<'a> Index<'a> {
    pub(super) fn of(dataplane: &'a Dataplane, family: Family) -> Self {
        let mut ports: Vec<Vec<Port<'a>>> = dataplane.links.iter().map(|_| Vec::new()).collect();
        let mut owners = HashMap::new();
        for (id, node) in dataplane.nodes() {
            for (number, interface) in node.interfaces.iter().enumerate().filter(|(_, interface)| interface.up) {
                let Some(link) = interface.link else { continue };
                let port = InterfaceId(number);
                if let Some(ports) = ports.get_mut(link.0) {
                    ports.push((id, port, interface));
                }
                for net in interface.addresses.iter().map(|a| a.net).filter(|net| Family::of(net.addr()) == family) {
                    owners.entry((link, address_bits(net.addr()))).or_insert((id, port));
                }
            }
        }
        let nodes = dataplane.nodes.iter().map(|_| OnceCell::new()).collect();
        Self { dataplane, family, ports, owners, nodes }
    }

    pub(super) fn node(&self, id: NodeId) -> &'a Node {
        self.dataplane.node(id)
    }

    /// The interfaces on a link that are up.
    pub(super) fn ports(&self, link: LinkId) -> &[Port<'a>] {
        self.ports.get(link.0).map_or(&[], Vec::as_slice)
    }

    /// Who has an address on a link.
    pub(super) fn owner(&self, link: LinkId, address: u128) -> Option<(NodeId, InterfaceId)> {
        self.owners.get(&(link, address)).copied()
    }

    #[expect(clippy::indexing_slicing, reason = "there is one for every node of the dataplane")]
    pub(super) fn facts(&self, id: NodeId) -> &Facts<'a> {
        self.nodes[id.0].get_or_init(|| Facts::of(self.node(id), self.family))
    }
}

impl<'a> Facts<'a> {
    fn of(node: &'a Node, family: Family) -> Self {
        let is_local = |route: &Route| matches!(route.target, RouteTarget::Local { .. });
        let of_family = || node.routes.iter().filter(|route| Family::of(route.prefix.addr()) == family);
        let mut routes: Vec<&Route> = of_family().filter(|route| node.is_alive(route)).collect();
        routes.sort_by_key(|r| (Reverse(r.prefix.prefix_len()), !is_local(r), r.metric));
        let local =
            Ranges::of(of_family().filter(|route| is_local(route)).map(|route| bounds(&route.prefix)).collect());
        let outlines =
            node.ruleset.chains.iter().map(|chain| chain.rules.iter().map(|rule| Outline::of(rule, family)).collect());
        Self { routes, local, outlines: outlines.collect() }
    }

    /// The rules of a chain that may match.
    pub(super) fn candidates(
        &'a self,
        chain: ChainId,
        rules: &'a [Rule],
        around: Outline,
    ) -> impl Iterator<Item = &'a Rule> {
        let outlines = self.outlines.get(chain.0).map_or(&[][..], Vec::as_slice);
        rules.iter().zip(outlines).filter(move |(_, outline)| outline.meets(&around)).map(|(rule, _)| rule)
    }
}

/// Bounds of what a rule can match, or of what a packet can be: source, destination, and their ports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline {
    bounds: [(u128, u128); 4],
}

impl Outline {
    const ALL: Self = Self { bounds: [(0, u128::MAX); 4] };

    fn of(rule: &Rule, family: Family) -> Self {
        let mut outline = Self::ALL;
        let [source, destination, source_port, destination_port] = &mut outline.bounds;
        for condition in &rule.matches {
            match condition {
                Match::Source(net) => narrow(source, address_bounds(net, family)),
                Match::Destination(net) => narrow(destination, address_bounds(net, family)),
                Match::SourcePort(ports) => narrow(source_port, port_bounds(*ports)),
                Match::DestinationPort(ports) => narrow(destination_port, port_bounds(*ports)),
                _ => {}
            }
        }
        outline
    }

    pub(super) fn around(fields: &Fields, assumed: &Assumed) -> Self {
        let bounds = |field: Field| match field {
            Field::Known(value) => (value, value),
            Field::Unknown(variable) => assumed.domain(variable).bounds(),
        };
        Self { bounds: [fields.source, fields.destination, fields.source_port, fields.destination_port].map(bounds) }
    }

    fn meets(&self, other: &Self) -> bool {
        self.bounds.iter().zip(&other.bounds).all(|((a, b), (c, d))| a.max(c) <= b.min(d))
    }
}

fn narrow(side: &mut (u128, u128), (first, last): (u128, u128)) {
    *side = (side.0.max(first), side.1.min(last));
}

fn address_bounds(net: &IpNet, family: Family) -> (u128, u128) {
    // A rule about the other family matches nothing.
    if Family::of(net.addr()) == family { bounds(net) } else { (1, 0) }
}

fn bounds(net: &IpNet) -> (u128, u128) {
    (address_bits(net.network()), address_bits(net.broadcast()))
}

fn port_bounds(ports: PortRange) -> (u128, u128) {
    (u128::from(ports.first), u128::from(ports.last))
}
