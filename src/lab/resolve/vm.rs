//! VirtualBox machines: adapters become interfaces, with VirtualBox's defaults where the file is silent.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lab::declaration::InterfaceDecl;
use crate::lab::machine::{AdapterDecl, AdapterMode, ForwardDecl, MachineDecl, NatDecl};
use crate::lab::{
    Attachment, Forward, Host, HostId, Interface, InterfaceAddress, NatEngine, SegmentId, SegmentKind, Unmodeled, VmNat,
};
use crate::net::Version;
use crate::provenance::Origin;
use crate::source::{Span, Spanned};

use super::Context;
use super::addresses::{nth, prefix, within};
use super::bind::HostPlan;
use super::topology::{Segments, default_gateways, stated_addresses, stated_interface};

const CITE_NAT: &str =
    "VirtualBox manual, section 9.8.1: adapter N gets 10.0.(N + 1).0/24, the guest .15, the gateway .2";

/// The interfaces of a VM: one for each enabled adapter, then those that only lab.yaml knows.
pub(super) fn interfaces(
    context: &mut Context,
    segments: &mut Segments,
    id: HostId,
    host: &HostPlan<'_>,
    runner: Option<&Host>,
) -> Vec<Interface> {
    let Some(machine) = host.machine else { return Vec::new() };
    let stated = host.declaration.map_or(&[][..], |d| &d.interfaces);
    let mut left: Vec<&InterfaceDecl> = stated.iter().collect();
    let mut interfaces = Vec::new();
    for adapter in machine.adapters.iter().filter(|a| a.enabled) {
        let attachment = attachment(segments, machine, adapter, runner);
        if let AdapterMode::NatNetwork(name) = &adapter.mode {
            let what = format!("the shared NAT of network `{}`", name.value);
            context.unmodeled.push(Unmodeled { what, span: name.span, host: Some(id) });
        }
        let position = left.iter().position(|d| is_adapter(d, adapter, &attachment, segments));
        let declaration = position.map(|at| left.remove(at));
        interfaces.push(interface(context, segments, host, adapter, attachment, declaration));
    }
    for declaration in left {
        match &declaration.adapter {
            Some(adapter) => context.report(no_adapter(adapter, machine)),
            None => interfaces.push(stated_interface(context, segments, host, declaration)),
        }
    }
    default_route(segments, &mut interfaces);
    interfaces
}

/// The first adapter that offers a way out has the default route.
fn default_route(segments: &Segments, interfaces: &mut [Interface]) {
    let nat = interfaces.iter().position(|i| i.connected && matches!(i.attachment, Attachment::Nat(_)));
    let lan = interfaces.iter().position(|i| match i.attachment {
        Attachment::Segment(id) => i.connected && segments.gateway(id).is_some(),
        _ => false,
    });
    let nat_first = nat.is_some_and(|nat| lan.is_none_or(|lan| nat < lan));
    if interfaces.iter().any(|i| i.gateway.is_some()) {
        return;
    }
    if nat_first && let Some(interface) = nat.and_then(|at| interfaces.get_mut(at)) {
        interface.gateway = match &interface.attachment {
            Attachment::Nat(nat) => Some(nat.gateway),
            _ => None,
        };
    } else {
        default_gateways(segments, interfaces);
    }
}

/// Whether lab.yaml means this adapter: by number, by the guest's name for it, or by what it is plugged into.
fn is_adapter(
    declaration: &InterfaceDecl,
    adapter: &AdapterDecl,
    attachment: &Attachment,
    segments: &Segments,
) -> bool {
    if let Some(number) = &declaration.adapter {
        return number.value.checked_sub(1) == Some(adapter.slot);
    }
    let by_segment = match (&declaration.segment, attachment) {
        (Some(name), Attachment::Segment(id)) => segments.by_name(&name.value) == Some(*id),
        _ => false,
    };
    by_segment || declaration.name.value == guest_name(adapter.slot)
}

/// The name that Linux gives an adapter, after its PCI slot: 3, 8, 9, 10, then 16 to 19 (VirtualBox 7,
/// src/VBox/Main/src-client/ConsoleImplConfigCommon.cpp, "the first network card gets the PCI ID 3").
fn guest_name(slot: u8) -> String {
    let device = match slot {
        0 => 3,
        1..=3 => slot + 7,
        _ => slot.saturating_add(12),
    };
    format!("enp0s{device}")
}

fn interface(
    context: &mut Context,
    segments: &mut Segments,
    host: &HostPlan<'_>,
    adapter: &AdapterDecl,
    attachment: Attachment,
    declaration: Option<&InterfaceDecl>,
) -> Interface {
    let name = declaration.map_or_else(|| guest_name(adapter.slot), |d| d.name.value.clone());
    let origin = Origin::written(format!("adapter {} of `{}`", u16::from(adapter.slot) + 1, host.name), adapter.span);
    let mut addresses = declaration.map(stated_addresses).unwrap_or_default();
    if addresses.is_empty() {
        addresses.extend(own_address(context, segments, &host.name, &attachment, &origin));
    }
    Interface {
        name,
        attachment,
        addresses,
        gateway: declaration.and_then(|d| d.gateway.as_ref()).map(|g| g.value),
        connected: host.machine.is_none_or(|machine| is_connected(machine, adapter)),
        origin,
    }
}

/// An absent `cable` means disconnected before settings version 1.16 and connected from then on (VirtualBox,
/// src/VBox/Main/xml/Settings.cpp, `NetworkAdapter::areDefaultSettings`).
fn is_connected(machine: &MachineDecl, adapter: &AdapterDecl) -> bool {
    let default = machine.settings.is_none_or(|settings| settings.value >= Version::new(1, 16, 0));
    adapter.cable.as_ref().map_or(default, |cable| cable.value)
}

/// The address that a guest gets when none is stated.
fn own_address(
    context: &mut Context,
    segments: &mut Segments,
    who: &str,
    attachment: &Attachment,
    origin: &Origin,
) -> Option<InterfaceAddress> {
    match attachment {
        Attachment::Nat(nat) => Some(nat_address(nat)),
        Attachment::Segment(id) => {
            let address = match segments.kind(*id) {
                Some(SegmentKind::Internal) => None,
                // The DHCP servers of host-only and NAT networks start at .101 and .4; on a LAN it is a guess.
                Some(SegmentKind::NatNetwork) => segments.assume_address(*id, 4, who, origin),
                _ => segments.assume_address(*id, 101, who, origin),
            };
            if address.is_none() {
                context.diagnostics.extend(origin.span().map(|span| address_not_stated(who, span)));
            }
            address
        }
        Attachment::Unattached => None,
    }
}

fn nat_address(nat: &VmNat) -> InterfaceAddress {
    let guest = nth(nat.network, 15).unwrap_or(nat.network.addr());
    let origin = nat.origin.derive(format!("address {guest} of the guest behind NAT"), CITE_NAT);
    InterfaceAddress { net: within(guest, nat.network), origin }
}

fn attachment(
    segments: &mut Segments,
    machine: &MachineDecl,
    adapter: &AdapterDecl,
    runner: Option<&Host>,
) -> Attachment {
    let written = |what: &str, name: &Spanned<String>| Origin::written(format!("{what} `{}`", name.value), name.span);
    match &adapter.mode {
        AdapterMode::Nat(nat) => Attachment::Nat(Box::new(vm_nat(nat, adapter.slot, Some(machine)))),
        AdapterMode::Bridged(name) => {
            let origin = written("bridged to host interface", name);
            Attachment::Segment(bridged(segments, name, runner).unwrap_or_else(|| segments.lan(&origin)))
        }
        AdapterMode::HostOnly(name) | AdapterMode::HostOnlyNetwork(name) => {
            let known = segments.by_vbox_name(SegmentKind::HostOnly, &name.value);
            // VirtualBox manual, section 6.7: 192.168.56.0/24 is the default.
            let make = |segments: &mut Segments| {
                let kind = SegmentKind::HostOnly;
                segments.add(&name.value, kind, prefix([192, 168, 56, 0], 24), written("host-only network", name))
            };
            Attachment::Segment(known.unwrap_or_else(|| make(segments)))
        }
        AdapterMode::Internal(name) => {
            let known = segments.by_vbox_name(SegmentKind::Internal, &name.value);
            Attachment::Segment(
                known.unwrap_or_else(|| segments.add_bare(&name.value, written("internal network", name))),
            )
        }
        AdapterMode::NatNetwork(name) => {
            let known = segments.by_vbox_name(SegmentKind::NatNetwork, &name.value);
            // VirtualBox manual, section 6.4: 10.0.2.0/24 is the default.
            let make = |segments: &mut Segments| {
                let kind = SegmentKind::NatNetwork;
                segments.add(&name.value, kind, prefix([10, 0, 2, 0], 24), written("NAT network", name))
            };
            Attachment::Segment(known.unwrap_or_else(|| make(segments)))
        }
        AdapterMode::Generic(..) | AdapterMode::Cloud(_) | AdapterMode::None => Attachment::Unattached,
    }
}

/// The segment of a host interface; VirtualBox on macOS writes `en0: Wi-Fi (AirPort)`.
fn bridged(segments: &Segments, name: &Spanned<String>, runner: Option<&Host>) -> Option<SegmentId> {
    let device = name.value.split(':').next().unwrap_or(&name.value).trim();
    let named = |n: &str| segments.by_vbox_name(SegmentKind::Lan, n);
    named(&name.value).or_else(|| named(device)).or_else(|| {
        let interface = runner?.interfaces.iter().find(|i| i.name == device || i.name == name.value)?;
        match interface.attachment {
            Attachment::Segment(id) => Some(id),
            _ => None,
        }
    })
}

fn vm_nat(nat: &NatDecl, slot: u8, machine: Option<&MachineDecl>) -> VmNat {
    let network =
        nat.network.as_ref().map_or_else(|| prefix([10, 0, slot.saturating_add(2), 0], 24), |n| n.value.trunc());
    let (engine, origin) = nat_engine(nat, machine);
    VmNat {
        engine,
        network,
        gateway: nth(network, 2).unwrap_or(network.addr()),
        forwards: nat.forwards.iter().map(forward).collect(),
        localhost_reachable: localhost_reachable(nat, machine),
        forward_at: nat.forward_at.clone(),
        origin,
    }
}

/// VirtualBox replaced its NAT engine by libslirp in 7.1 (changelog of 7.1.0).
fn nat_engine(nat: &NatDecl, machine: Option<&MachineDecl>) -> (NatEngine, Origin) {
    let of = |libslirp: bool| if libslirp { NatEngine::Libslirp } else { NatEngine::Classic };
    if let Some(stated) = &nat.libslirp {
        return (of(stated.value), Origin::written("NAT engine", stated.span));
    }
    match machine.and_then(|m| m.written_by.as_ref()) {
        Some(version) => {
            (of(version.value >= Version::new(7, 1, 0)), Origin::written("adapter attached to NAT", nat.span))
        }
        None => {
            let what = "adapter attached to NAT, by VirtualBox 7.1 or newer";
            (NatEngine::Libslirp, Origin::assumed(what, Some(nat.span)))
        }
    }
}

/// Absent in a `.vbox` file means reachable before settings version 1.19 and not from then on (VirtualBox,
/// src/VBox/Main/xml/Settings.cpp, `NAT::areLocalhostReachableDefaultSettings`).
fn localhost_reachable(nat: &NatDecl, machine: Option<&MachineDecl>) -> bool {
    let default = machine.and_then(|m| m.settings).is_some_and(|settings| settings.value < Version::new(1, 19, 0));
    nat.localhost_reachable.as_ref().map_or(default, |stated| stated.value)
}

fn forward(declaration: &ForwardDecl) -> Forward {
    Forward {
        name: declaration.name.clone(),
        protocol: declaration.protocol,
        host_address: declaration.host_address,
        host_port: declaration.host_port,
        guest_address: declaration.guest_address,
        guest_port: declaration.guest_port,
        guard: None,
        origin: Origin::written(format!("NAT forward of host port {}", declaration.host_port), declaration.span),
    }
}

/// Puts an interface behind a NAT that lab.yaml states.
pub(super) fn behind_stated_nat(interface: &mut Interface, nat: &NatDecl, declaration: &InterfaceDecl) {
    let slot = declaration.adapter.as_ref().map_or(0, |a| a.value.saturating_sub(1));
    let nat = vm_nat(nat, slot, None);
    if interface.addresses.is_empty() {
        interface.addresses.push(nat_address(&nat));
    }
    interface.gateway = interface.gateway.or(Some(nat.gateway));
    interface.attachment = Attachment::Nat(Box::new(nat));
}

fn no_adapter(number: &Spanned<u8>, machine: &MachineDecl) -> Diagnostic {
    Diagnostic::new(Code::LabBadValue, format!("`{}` has no enabled adapter {}", machine.name.value, number.value))
        .label(number.span, "no such adapter")
        .label(machine.span, "in this machine")
        .help("adapters are counted from 1, as in VirtualBox's settings dialog")
}

fn address_not_stated(who: &str, span: Span) -> Diagnostic {
    let message = format!("the address of `{who}` on this network is not stated");
    Diagnostic { severity: Severity::Warning, ..Diagnostic::new(Code::LabBadValue, message) }
        .label(span, "nothing hands out addresses here")
        .help("state the address under `interfaces:` of the host in lab.yaml")
}
