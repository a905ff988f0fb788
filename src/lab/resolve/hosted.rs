//! Networks that libvirt keeps: which host keeps each, and with what it writes its rules.

use crate::lab::hosted::LibvirtDecl;
use crate::lab::{
    Declaration, Forwarding, Host, HostId, HostKind, Keeper, RuleBackend, Segment, SegmentId, SegmentKind, Unmodeled,
};
use crate::language::text;
use crate::net::Version;
use crate::provenance::Origin;

use super::bind::{HostPlan, Plan};
use super::topology::{Plugged, segment};

/// Gives every network of libvirt to the host that keeps it. Those of WSL have theirs already.
pub(super) fn attach(segments: &mut [Plugged], plan: &Plan<'_>, hosts: &[Host]) {
    for (index, plugged) in segments.iter_mut().enumerate() {
        let id = SegmentId(index);
        if let Some(forwarding) = &mut plugged.segment.forwarding {
            let leg = hosts.get(forwarding.on.0).and_then(|host| leg(host, id));
            forwarding.interface = leg.unwrap_or_else(|| forwarding.interface.clone());
            continue;
        }
        if plugged.segment.kind != SegmentKind::Hosted {
            continue;
        }
        let Some(on) = keeper(hosts, id) else { continue };
        let Some(interface) = hosts.get(on.0).and_then(|host| leg(host, id)) else { continue };
        let (backend, origin) = backend(plan.hosts.get(on.0), plugged);
        plugged.segment.forwarding =
            Some(Box::new(Forwarding { on, interface, mode: plugged.mode(), by: Keeper::Libvirt(backend), origin }));
    }
}

/// Whether libvirt on this host starts a network.
pub(super) fn is_kept_by(segment: &Segment, host: HostId) -> bool {
    segment.forwarding.as_ref().is_some_and(|f| f.on == host && matches!(f.by, Keeper::Libvirt(_)))
}

/// firewalld puts the bridges of libvirt into zones of libvirt's (`libvirt.zone`, and policies since 8.0), which have no
/// model.
pub(super) fn beside_firewalld(segments: &[Segment], id: HostId, host: &Host) -> Option<Unmodeled> {
    host.firewalld.as_ref()?;
    let span = segments.iter().find(|s| is_kept_by(s, id))?.origin.span()?;
    let what = text!("what firewalld makes of a network of libvirt", "firewalld가 libvirt 네트워크에 하는 일");
    Some(Unmodeled { what, span, host: Some(id) })
}

/// The interface by which a host is on a segment.
fn leg(host: &Host, id: SegmentId) -> Option<String> {
    host.interfaces.iter().find(|i| segment(i) == Some(id)).map(|i| i.name.clone())
}

/// The host that runs the machines of a network, or the only one on it that is no machine.
fn keeper(hosts: &[Host], id: SegmentId) -> Option<HostId> {
    let on_it = |host: &&Host| host.interfaces.iter().any(|i| segment(i) == Some(id));
    let runs = hosts.iter().filter(on_it).find_map(|host| match host.kind {
        HostKind::Vm { on } => Some(on),
        _ => None,
    });
    runs.or_else(|| hosts.iter().position(|host| on_it(&host)).map(HostId))
}

/// libvirt writes its rules with nftables from 10.4.0 on (NEWS, "network: Support for nftables").
fn backend(plan: Option<&HostPlan<'_>>, plugged: &Plugged) -> (RuleBackend, Origin) {
    let declarations = plan.into_iter().flat_map(|plan| plan.declarations());
    let stated: Vec<&LibvirtDecl> =
        declarations.filter_map(|d| if let Declaration::Libvirt(libvirt) = d { Some(libvirt) } else { None }).collect();
    let by_version = |version: Version| match version >= Version::new(10, 4, 0) {
        true => RuleBackend::Nftables,
        false => RuleBackend::Iptables,
    };
    let what = text!("libvirt's network `{name}`", "libvirt 네트워크 `{name}`", name = &plugged.segment.name);
    let about = plugged.segment.origin.clone();
    if let Some(backend) = stated.iter().find_map(|libvirt| libvirt.backend) {
        return (backend.value, Origin { what, ..about });
    }
    match stated.iter().find_map(|libvirt| libvirt.version) {
        Some(version) => (by_version(version.value), Origin { what, ..about }),
        None => (
            RuleBackend::Nftables,
            Origin::assumed(
                text!("{what}, by libvirt 10.4 or newer", "{what}, libvirt 10.4 이상에서"; what),
                about.span(),
            ),
        ),
    }
}
