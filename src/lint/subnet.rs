//! Container networks whose addresses are also those of a network that the host would have to reach through a gateway.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::{Attachment, ContainerNetwork, Host, SegmentId};
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::provenance::Origin;

use super::scene::Scene;

pub(super) fn lint(scene: &Scene<'_>) -> Vec<Diagnostic> {
    scene.lab.hosts().flat_map(|(_, host)| on_host(scene, host)).collect()
}

fn on_host(scene: &Scene<'_>, host: &Host) -> Vec<Diagnostic> {
    let networks = host.engine.iter().flat_map(|e| e.bridges());
    let routes = host.routes.iter().filter(|(net, _)| net.prefix_len() > 0);
    let through = |(net, gateway): &(IpNet, IpAddr)| {
        let what = text!("the route to {net} through {gateway}", "{net} 경로(게이트웨이 {gateway})");
        (what, *net, &host.origin)
    };
    let routes: Vec<(Text, IpNet, &Origin)> = routes.map(through).collect();
    let elsewhere = scene.lab.segments.iter().enumerate().filter(|(index, _)| !is_on(host, SegmentId(*index)));
    let segments = elsewhere.flat_map(|(_, segment)| {
        let name = &segment.name;
        segment.subnets.iter().map(move |net| (text!("network `{name}`", "`{name}` 네트워크"), *net, &segment.origin))
    });
    let others: Vec<(Text, IpNet, &Origin)> = routes.into_iter().chain(segments).collect();
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

fn hides(host: &Host, network: &ContainerNetwork, (what, net, origin): &(Text, IpNet, &Origin)) -> Diagnostic {
    let (on, name, subnet) = (&host.name, &network.name, network.subnet);
    let message = text!(
        "on `{on}`, the container network `{name}` hides {what}",
        "`{on}`에서 컨테이너 네트워크 `{name}` 때문에 {what}에 갈 수 없습니다"; what
    );
    let mut diagnostic = Diagnostic::new(Code::SubnetOverlap, message).warning();
    if let Some(span) = network.origin.span() {
        diagnostic = diagnostic.label(
            span,
            text!(
                "{subnet}: packets to these addresses stay here",
                "{subnet}: 이 주소로 가는 패킷은 여기서 나가지 않음"
            ),
        );
    }
    if let Some(span) = origin.span() {
        diagnostic = diagnostic.label(span, text!("{net} is here", "{net}: 여기에 있음"));
    }
    diagnostic.help(text!(
        "give the container network another subnet (`ipam`, `--subnet`, `default-address-pools`)",
        "컨테이너 네트워크에 다른 서브넷을 주십시오(`ipam`, `--subnet`, `default-address-pools`)"
    ))
}
