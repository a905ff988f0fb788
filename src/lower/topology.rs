//! Hosts, their interfaces and routes, segments, and the programs on hosts. Spec: specs/topology.md.

use crate::dataplane::{Dataplane, Interface, InterfaceId, Link, LinkId, NodeId, Route, RouteTarget, Toggle};
use crate::lab::{Attachment, Host, HostId, HostKind, Lab, SegmentId, SegmentKind};
use crate::provenance::OriginId;

use super::address::add_address;
use super::namespace::{add_default_route, add_interface, add_process, interface, namespace};

/// Which node and link each host and segment became.
pub(super) struct Map {
    pub(super) hosts: Vec<NodeId>,
    pub(super) segments: Vec<LinkId>,
}

impl Map {
    #[expect(clippy::indexing_slicing, reason = "one node is made for every host, in order")]
    pub(super) fn host(&self, id: HostId) -> NodeId {
        self.hosts[id.0]
    }

    #[expect(clippy::indexing_slicing, reason = "one link is made for every segment, in order")]
    pub(super) fn segment(&self, id: SegmentId) -> LinkId {
        self.segments[id.0]
    }
}

pub(super) fn lower(lab: &Lab, dataplane: &mut Dataplane) -> Map {
    let segments: Vec<LinkId> = lab
        .segments
        .iter()
        .map(|segment| {
            let origin = dataplane.origins.add(segment.origin.clone());
            dataplane.add_link(Link { name: segment.name.clone(), bridge: None, origin })
        })
        .collect();
    let hosts = lab.hosts.iter().map(|host| lower_host(host, &segments, dataplane)).collect();
    let map = Map { hosts, segments };
    for (id, segment) in lab.segments.iter().enumerate() {
        if segment.kind == SegmentKind::Lan {
            add_stranger(lab, SegmentId(id), &map, dataplane);
        }
    }
    map
}

fn lower_host(host: &Host, segments: &[LinkId], dataplane: &mut Dataplane) -> NodeId {
    let origin = dataplane.origins.add(host.origin.clone());
    let node = namespace(dataplane, host.name.clone(), origin);
    if host.ip_forward || host.kind == HostKind::Router {
        dataplane.node_mut(node).sysctls.ip_forward = Toggle::On;
        dataplane.node_mut(node).sysctls.ip_forward_origin = origin;
    }
    for (index, adapter) in host.interfaces.iter().enumerate() {
        let link = match &adapter.attachment {
            Attachment::Segment(id) => segments.get(id.0).copied(),
            Attachment::Nat(_) | Attachment::Mirrored | Attachment::Unattached => None,
        };
        let origin = dataplane.origins.add(adapter.origin.clone());
        let up = adapter.connected;
        let id = add_interface(dataplane, node, Interface { up, ..interface(&adapter.name, link, origin) });
        for address in &adapter.addresses {
            let origin = dataplane.origins.add(address.origin.clone());
            add_address(dataplane, node, id, address.net, origin);
        }
        if let Some(gateway) = adapter.gateway {
            // NetworkManager counts metrics up from 100 in the order in which interfaces come up.
            let metric = adapter.metric.unwrap_or_else(|| 100 + u32::try_from(index).unwrap_or(0));
            add_default_route(dataplane, node, id, gateway, metric, None, origin);
        }
    }
    add_host_routes(host, node, origin, dataplane);
    for process in &host.processes {
        add_process(dataplane, node, &host.name, process);
    }
    node
}

fn add_host_routes(host: &Host, node: NodeId, origin: OriginId, dataplane: &mut Dataplane) {
    for (prefix, gateway) in &host.routes {
        let through = dataplane
            .node(node)
            .interfaces
            .iter()
            .position(|i| i.addresses.iter().any(|a| a.net.contains(gateway)))
            .map(InterfaceId);
        let Some(interface) = through else { continue };
        let target = RouteTarget::Via { interface, gateway: Some(*gateway), source: None };
        dataplane.node_mut(node).routes.push(Route { prefix: *prefix, target, metric: 0, guard: None, origin });
    }
}

/// The name of the node that stands for any other machine on a segment.
pub fn stranger_name(segment: &str) -> String {
    format!("any other host on {segment}")
}

/// Stands for every machine that could be on the segment and dial: it may have any free address. Nobody is assumed to
/// be there when such an address is dialled.
fn add_stranger(lab: &Lab, id: SegmentId, map: &Map, dataplane: &mut Dataplane) {
    let segment = lab.segment(id);
    let origin = dataplane.origins.add(segment.origin.clone());
    let node = namespace(dataplane, stranger_name(&segment.name), origin);
    let link = map.segment(id);
    let mut port = interface("eth0", Some(link), origin);
    port.claims.clone_from(&segment.subnets);
    port.only_dials = true;
    let port = add_interface(dataplane, node, port);
    for subnet in &segment.subnets {
        let target = RouteTarget::Via { interface: port, gateway: None, source: None };
        dataplane.node_mut(node).routes.push(Route { prefix: subnet.trunc(), target, metric: 0, guard: None, origin });
    }
    let router = lab.hosts.iter().find(|h| h.kind == HostKind::Router && is_on(h, id));
    let address = router.and_then(|r| r.interfaces.iter().find(|i| is_attached(&i.attachment, id)));
    if let Some(gateway) = address.and_then(|i| i.addresses.first()) {
        add_default_route(dataplane, node, port, gateway.net.addr(), 0, None, origin);
    }
}

fn is_on(host: &Host, segment: SegmentId) -> bool {
    host.interfaces.iter().any(|i| is_attached(&i.attachment, segment))
}

fn is_attached(attachment: &Attachment, segment: SegmentId) -> bool {
    matches!(attachment, Attachment::Segment(id) if *id == segment)
}
