//! NAT networks: the engine that all machines on one share.

use std::net::IpAddr;

use crate::lab::machine::NatNetworkDecl;
use crate::lab::{Attachment, Host, HostId, HostKind, Interface, NatEngine, SegmentId, SegmentKind, SharedNat, VmNat};
use crate::language::text;
use crate::net::Version;
use crate::provenance::Origin;
use crate::switch::{Switch, SwitchId, SwitchKind};

use super::Context;
use super::addresses::nth;
use super::bind::Plan;
use super::hypervisor::{Hypervisor, Release, is_on};
use super::topology::Plugged;
use super::vm;

/// Gives every NAT network that machines are attached to its engine, unless the network is switched off.
pub(super) fn attach(
    context: &mut Context,
    segments: &mut [Plugged],
    plan: &Plan<'_>,
    hosts: &[Host],
    hypervisors: &[Hypervisor],
) {
    for (index, plugged) in segments.iter_mut().enumerate() {
        if plugged.segment.kind != SegmentKind::NatNetwork {
            continue;
        }
        let Some((on, vm)) = runner(hosts, SegmentId(index)) else { continue };
        let Some(hypervisor) = hypervisors.get(on.0) else { continue };
        let mut names = plugged.vbox_names.iter().chain([&plugged.segment.name]);
        let stated = names.find_map(|name| hypervisor.nat_network(name));
        if !is_on(stated.and_then(|s| s.enabled.as_ref())) {
            continue;
        }
        let release = hypervisor.release(context, plan.hosts.get(vm.0).and_then(|h| h.machine));
        let mut nat = shared(plugged, stated, release, on);
        if let Some(shared) = &mut nat {
            let is_taken =
                |address| hosts.iter().flat_map(|h| &h.interfaces).any(|i| has(i, SegmentId(index), address));
            shared.resolver = resolver(context, &shared.nat, &plugged.segment.name, is_taken);
        }
        plugged.segment.nat = nat.map(Box::new);
    }
}

fn has(interface: &Interface, segment: SegmentId, address: IpAddr) -> bool {
    let is_here = matches!(interface.attachment, Attachment::Segment(id) if id == segment);
    is_here && interface.addresses.iter().any(|own| own.net.addr() == address)
}

/// The host that runs the first machine on a segment, and that machine.
fn runner(hosts: &[Host], segment: SegmentId) -> Option<(HostId, HostId)> {
    let is_on =
        |host: &Host| host.interfaces.iter().any(|i| matches!(i.attachment, Attachment::Segment(id) if id == segment));
    hosts.iter().enumerate().find_map(|(index, host)| match host.kind {
        HostKind::Vm { on } if is_on(host) => Some((on, HostId(index))),
        _ => None,
    })
}

fn shared(plugged: &Plugged, stated: Option<&NatNetworkDecl>, release: Release, on: HostId) -> Option<SharedNat> {
    let network = *plugged.segment.subnets.first()?;
    // VBoxNetNAT is built on libslirp from 7.2 on, on lwIP before (VBoxNetSlirpNAT.cpp, VBoxNetLwipNAT.cpp).
    let is_libslirp = release.version >= Version::new(7, 2, 0);
    let what = format!("NAT network `{}`", plugged.segment.name);
    let origin = match (stated, release.stated) {
        (Some(stated), Some(_)) => Origin::written(what, stated.span),
        (None, Some(_)) => Origin { what: what.into(), ..plugged.segment.origin.clone() },
        (_, None) => {
            let about = stated.map(|s| s.span).or_else(|| plugged.segment.origin.span());
            Origin::assumed(format!("{what}, by VirtualBox {}", release.version), about)
        }
    };
    let mappings = stated.map_or(&[][..], |s| &s.loopbacks);
    let inside = |offset: u32| nth(network, u128::from(offset)).filter(|_| 1 < offset);
    Some(SharedNat {
        on,
        loopbacks: mappings.iter().filter_map(|m| Some((inside(m.value.1)?, m.value.0))).collect(),
        resolver: None,
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

/// The engine on lwIP is a name server at its own address (`pxdns_init` in pxdns.c). That on libslirp may be one at the
/// third address, if all name servers of the host are on its loopback (`VBoxNetSlirpNAT::initIPv4`); the network's DHCP
/// server usually has that address, too. Who answers nobody can tell.
fn resolver(
    context: &mut Context,
    nat: &VmNat,
    network: &str,
    is_taken: impl Fn(IpAddr) -> bool,
) -> Option<(IpAddr, Option<SwitchId>)> {
    if nat.engine == NatEngine::Classic {
        return Some((nat.gateway, None));
    }
    let address = nth(nat.network, 3).filter(|address| !is_taken(*address))?;
    let statement = text!(
        "the NAT network `{network}` has a name server at {address}",
        "NAT 네트워크 `{network}`의 {address}에 이름 서버가 있음"
    );
    let origin = nat.origin.derive(statement.clone(), FALLBACK);
    let guard = context.switches.add(Switch { statement, default: false, kind: SwitchKind::Unmodeled, origin });
    Some((address, Some(guard)))
}

const FALLBACK: &str = "VirtualBox, VBoxNetSlirpNAT.cpp, initIPv4: falling back to the DNS proxy of libslirp";
