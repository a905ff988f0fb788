//! What is wrong with a lab as a whole: addresses that collide or lie outside their subnet, names that nobody bears.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::{Attachment, Host, InterfaceAddress, Lab, Networking, SegmentId};
use crate::net::IpNet;
use crate::provenance::Origin;

use super::addresses::overlap;
use super::bind::Plan;
use super::listen;

/// Reports everything that does not fit together.
pub(super) fn check(lab: &Lab, plan: &Plan<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for host in &lab.hosts {
        host_networks_overlap(host, diagnostics);
        container_addresses(host, diagnostics);
    }
    addresses_in_segments(lab, diagnostics);
    diagnostics.extend(listen::unknown_places(plan, &places(lab)));
}

fn places(lab: &Lab) -> Vec<&str> {
    let hosts = lab.hosts.iter().map(|h| h.name.as_str());
    let containers = lab.containers().flat_map(|(_, c)| c.aliases.iter().map(String::as_str).chain([c.name.as_str()]));
    hosts.chain(containers).collect()
}

/// A host cannot tell two directly connected networks with the same addresses apart.
fn host_networks_overlap(host: &Host, diagnostics: &mut Vec<Diagnostic>) {
    let mut connected: Vec<(IpNet, String, Option<SegmentId>, &Origin)> = Vec::new();
    for interface in &host.interfaces {
        let segment = match interface.attachment {
            Attachment::Segment(id) => Some(id),
            _ => None,
        };
        for address in &interface.addresses {
            let name = format!("interface `{}`", interface.name);
            connected.push((address.net.trunc(), name, segment, &address.origin));
        }
    }
    for network in host.engine.iter().flat_map(|e| e.bridges()) {
        connected.push((network.subnet, format!("network `{}`", network.name), None, &network.origin));
    }
    pairs(&connected, |(a, first, segment_a, origin_a), (b, second, segment_b, origin_b)| {
        let same_segment = segment_a.is_some() && segment_a == segment_b;
        if first != second && !same_segment && overlap(*a, *b) {
            let message = format!("the subnets of {first} and {second} of `{}` overlap", host.name);
            diagnostics.push(subnets_overlap(message, (origin_b, *b), (origin_a, *a)));
        }
    });
}

fn pairs<T>(items: &[T], mut check: impl FnMut(&T, &T)) {
    for (index, first) in items.iter().enumerate() {
        items.iter().skip(index + 1).for_each(|second| check(first, second));
    }
}

/// Stated addresses of containers must lie in their network and be given once.
fn container_addresses(host: &Host, diagnostics: &mut Vec<Diagnostic>) {
    let Some(engine) = &host.engine else { return };
    let mut seen: BTreeMap<(usize, IpAddr), &Origin> = BTreeMap::new();
    for container in &engine.containers {
        let Networking::Bridges(endpoints) = &container.networking else { continue };
        for endpoint in endpoints {
            let Some(network) = engine.networks.get(endpoint.network) else { continue };
            if !network.subnet.contains(&endpoint.address) {
                let place = format!("network `{}`", network.name);
                diagnostics.push(outside(endpoint.address, &endpoint.origin, network.subnet, &place));
            }
            if let Some(first) = seen.insert((endpoint.network, endpoint.address), &endpoint.origin) {
                diagnostics.push(address_twice(endpoint.address, &endpoint.origin, first));
            }
        }
    }
}

fn addresses_in_segments(lab: &Lab, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<(usize, IpAddr), &InterfaceAddress> = BTreeMap::new();
    for interface in lab.hosts.iter().flat_map(|h| &h.interfaces) {
        let Attachment::Segment(id) = interface.attachment else { continue };
        let segment = lab.segment(id);
        for address in &interface.addresses {
            let here = address.net.addr();
            if !segment.subnets.is_empty() && !segment.subnets.iter().any(|s| s.contains(&here)) {
                let subnet = segment.subnets.first().copied().unwrap_or(address.net);
                diagnostics.push(outside(here, &address.origin, subnet, &format!("segment `{}`", segment.name)));
            }
            if let Some(first) = seen.insert((id.0, here), address) {
                diagnostics.push(address_twice(here, &address.origin, &first.origin));
            }
        }
    }
}

fn at(diagnostic: Diagnostic, origin: &Origin, message: &str) -> Diagnostic {
    match origin.span() {
        Some(span) => diagnostic.label(span, message),
        None => diagnostic,
    }
}

fn subnets_overlap(message: String, second: (&Origin, IpNet), first: (&Origin, IpNet)) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::SubnetOverlap, message);
    let diagnostic = at(diagnostic, second.0, &format!("{} here", second.1));
    at(diagnostic, first.0, &format!("{} here", first.1)).help("give one of them another subnet")
}

fn outside(address: IpAddr, origin: &Origin, subnet: IpNet, place: &str) -> Diagnostic {
    let message = format!("address {address} lies outside the subnet {subnet} of {place}");
    at(Diagnostic::new(Code::BadAddress, message), origin, "this address").help("choose an address inside the subnet")
}

fn address_twice(address: IpAddr, second: &Origin, first: &Origin) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::BadAddress, format!("address {address} is given twice"));
    let diagnostic = at(diagnostic, second, "given again here");
    at(diagnostic, first, "first given here").help("every machine needs an address of its own")
}
