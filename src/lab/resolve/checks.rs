//! What is wrong with a lab as a whole: addresses that collide or lie outside their subnet, names that nobody bears.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::{Attachment, Host, InterfaceAddress, Lab, Networking, SegmentId};
use crate::language::{Text, text};
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
    let mut connected: Vec<(IpNet, Text, Option<SegmentId>, &Origin)> = Vec::new();
    for interface in &host.interfaces {
        let segment = match interface.attachment {
            Attachment::Segment(id) => Some(id),
            _ => None,
        };
        for address in &interface.addresses {
            let name = text!("interface `{name}`", "`{name}` 인터페이스", name = &interface.name);
            connected.push((address.net.trunc(), name, segment, &address.origin));
        }
    }
    for network in host.engine.iter().flat_map(|e| e.bridges()) {
        connected.push((
            network.subnet,
            text!("network `{name}`", "`{name}` 네트워크", name = &network.name),
            None,
            &network.origin,
        ));
    }
    pairs(&connected, |(a, first, segment_a, origin_a), (b, second, segment_b, origin_b)| {
        let same_segment = segment_a.is_some() && segment_a == segment_b;
        if first != second && !same_segment && overlap(*a, *b) {
            let message = text!(
                "the subnets of {first} and {second} of `{host}` overlap",
                "`{host}`에서 {first}와 {second}의 서브넷이 겹칩니다",
                host = &host.name; first, second
            );
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
                let place = text!("network `{name}`", "`{name}` 네트워크", name = &network.name);
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
                diagnostics.push(outside(
                    here,
                    &address.origin,
                    subnet,
                    &text!("segment `{name}`", "`{name}` 세그먼트", name = &segment.name),
                ));
            }
            if let Some(first) = seen.insert((id.0, here), address) {
                diagnostics.push(address_twice(here, &address.origin, &first.origin));
            }
        }
    }
}

fn at(diagnostic: Diagnostic, origin: &Origin, message: impl Into<Text>) -> Diagnostic {
    match origin.span() {
        Some(span) => diagnostic.label(span, message),
        None => diagnostic,
    }
}

fn subnets_overlap(message: Text, second: (&Origin, IpNet), first: (&Origin, IpNet)) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::SubnetOverlap, message);
    let diagnostic = at(diagnostic, second.0, text!("{net} here", "여기서는 {net}", net = second.1));
    at(diagnostic, first.0, text!("{net} here", "여기서는 {net}", net = first.1))
        .help(text!("give one of them another subnet", "둘 중 하나에 다른 서브넷을 주십시오"))
}

fn outside(address: IpAddr, origin: &Origin, subnet: IpNet, place: &Text) -> Diagnostic {
    let message = text!(
        "address {address} lies outside the subnet {subnet} of {place}",
        "{address} 주소는 {place}의 서브넷 {subnet} 밖에 있습니다"; place
    );
    at(Diagnostic::new(Code::BadAddress, message), origin, text!("this address", "이 주소"))
        .help(text!("choose an address inside the subnet", "서브넷 안의 주소를 고르십시오"))
}

fn address_twice(address: IpAddr, second: &Origin, first: &Origin) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::BadAddress,
        text!("address {address} is given twice", "{address} 주소가 두 번 쓰였습니다"),
    );
    let diagnostic = at(diagnostic, second, text!("given again here", "여기서 다시 쓰임"));
    at(diagnostic, first, text!("first given here", "처음 쓰인 곳"))
        .help(text!("every machine needs an address of its own", "머신마다 고유한 주소가 필요합니다"))
}
