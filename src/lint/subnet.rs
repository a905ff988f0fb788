//! Container networks whose addresses are also those of a network that the host would have to reach through a gateway.

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::{Attachment, ContainerNetwork, Host, SegmentId};
use crate::net::IpNet;
use crate::provenance::Origin;

use super::scene::Scene;

pub(super) fn lint(scene: &Scene<'_>) -> Vec<Diagnostic> {
    scene.lab.hosts().flat_map(|(_, host)| on_host(scene, host)).collect()
}

fn on_host(scene: &Scene<'_>, host: &Host) -> Vec<Diagnostic> {
    let networks = host.engine.iter().flat_map(|e| e.bridges());
    let routes = host.routes.iter().filter(|(net, _)| net.prefix_len() > 0);
    let routes: Vec<(String, IpNet, &Origin)> =
        routes.map(|(net, gateway)| (format!("the route to {net} through {gateway}"), *net, &host.origin)).collect();
    let elsewhere = scene.lab.segments.iter().enumerate().filter(|(index, _)| !is_on(host, SegmentId(*index)));
    let segments = elsewhere.flat_map(|(_, segment)| {
        segment.subnets.iter().map(|net| (format!("network `{}`", segment.name), *net, &segment.origin))
    });
    let others: Vec<(String, IpNet, &Origin)> = routes.into_iter().chain(segments).collect();
    networks
        .filter_map(|network| {
            let hidden = others.iter().find(|(_, net, _)| overlap(*net, network.subnet))?;
            Some(hides(host, network, hidden))
        })
        .collect()
}

fn is_on(host: &Host, segment: SegmentId) -> bool {
    host.interfaces.iter().any(|i| matches!(i.attachment, Attachment::Segment(id) if id == segment))
}

fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}

fn hides(host: &Host, network: &ContainerNetwork, (what, net, origin): &(String, IpNet, &Origin)) -> Diagnostic {
    let message = format!("on `{}`, the container network `{}` hides {what}", host.name, network.name);
    let mut diagnostic = Diagnostic::new(Code::SubnetOverlap, message).warning();
    if let Some(span) = network.origin.span() {
        diagnostic = diagnostic.label(span, format!("{}: packets to these addresses stay here", network.subnet));
    }
    if let Some(span) = origin.span() {
        diagnostic = diagnostic.label(span, format!("{net} is here"));
    }
    diagnostic.help("give the container network another subnet (`ipam`, `--subnet`, `default-address-pools`)")
}
