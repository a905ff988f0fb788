//! NAT networks: the engine that all machines on one share.

use crate::lab::machine::NatNetworkDecl;
use crate::lab::{Attachment, Host, HostId, HostKind, NatEngine, SegmentId, SegmentKind, SharedNat, VmNat};
use crate::net::Version;
use crate::provenance::Origin;

use super::addresses::nth;
use super::bind::Plan;
use super::hypervisor::{Hypervisor, is_on};
use super::topology::Plugged;
use super::vm;

/// Gives every NAT network that machines are attached to its engine, unless the network is switched off.
pub(super) fn attach(segments: &mut [Plugged], plan: &Plan<'_>, hosts: &[Host], hypervisors: &[Hypervisor]) {
    for (index, plugged) in segments.iter_mut().enumerate() {
        if plugged.segment.kind != SegmentKind::NatNetwork {
            continue;
        }
        let Some((on, vm)) = runner(hosts, SegmentId(index)) else { continue };
        let hypervisor = hypervisors.get(on.0);
        let names = plugged.vbox_names.iter().chain([&plugged.segment.name]);
        let stated = hypervisor.and_then(|h| names.into_iter().find_map(|name| h.nat_network(name)));
        if !is_on(stated.and_then(|s| s.enabled.as_ref())) {
            continue;
        }
        let written_by = plan.hosts.get(vm.0).and_then(|h| h.machine).and_then(|m| m.written_by);
        let version = hypervisor.and_then(|h| h.version).or(written_by).map(|v| v.value);
        plugged.segment.nat = shared(plugged, stated, version, on).map(Box::new);
    }
}

/// The host that runs the first machine on a segment, and that machine.
fn runner(hosts: &[Host], segment: SegmentId) -> Option<(HostId, HostId)> {
    let is_on = |host: &Host| host.interfaces.iter().any(|i| matches!(i.attachment, Attachment::Segment(id) if id == segment));
    hosts.iter().enumerate().find_map(|(index, host)| match host.kind {
        HostKind::Vm { on } if is_on(host) => Some((on, HostId(index))),
        _ => None,
    })
}

fn shared(plugged: &Plugged, stated: Option<&NatNetworkDecl>, version: Option<Version>, on: HostId) -> Option<SharedNat> {
    let network = *plugged.segment.subnets.first()?;
    // VBoxNetNAT is built on libslirp from 7.2 on, on lwIP before (VBoxNetSlirpNAT.cpp, VBoxNetLwipNAT.cpp).
    let is_libslirp = version.is_none_or(|v| v >= Version::new(7, 2, 0));
    let what = format!("NAT network `{}`", plugged.segment.name);
    let origin = match (stated, version) {
        (Some(stated), _) => Origin::written(what, stated.span),
        (None, Some(_)) => Origin { what: what.into(), ..plugged.segment.origin.clone() },
        (None, None) => Origin::assumed(format!("{what}, by VirtualBox 7.2 or newer"), plugged.segment.origin.span()),
    };
    let mappings = stated.map_or(&[][..], |s| &s.loopbacks);
    let inside = |offset: u32| nth(network, u128::from(offset)).filter(|_| 1 < offset);
    Some(SharedNat {
        on,
        loopbacks: mappings.iter().filter_map(|m| Some((inside(m.value.1)?, m.value.0))).collect(),
        nat: VmNat {
            engine: if is_libslirp { NatEngine::Libslirp } else { NatEngine::Classic },
            network,
            gateway: nth(network, 1)?,
            forwards: stated.map_or_else(Vec::new, |s| s.forwards.iter().map(vm::forward).collect()),
            localhost_reachable: is_libslirp,
            bind_address: None,
            forward_at: stated.and_then(|s| s.forward_at.clone()),
            origin,
        },
    })
}
