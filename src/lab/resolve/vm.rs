//! VirtualBox machines: adapters become interfaces, with VirtualBox's defaults where the file is silent.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lab::declaration::InterfaceDecl;
use crate::lab::machine::{AdapterDecl, AdapterMode, ForwardDecl, MachineDecl, NatDecl, Verb};
use crate::lab::{
    Attachment, Forward, Host, HostId, Interface, InterfaceAddress, NatEngine, SegmentId, SegmentKind, Unmodeled, VmNat,
};
use crate::language::text;
use crate::net::{IpNet, Version};
use crate::provenance::Origin;
use crate::source::{Span, Spanned};

use super::Context;
use super::addresses::{nth, prefix, within};
use super::bind::HostPlan;
use super::hypervisor::{Hypervisor, Release, is_on};
use super::own_interfaces::guest_name;
use super::topology::{HostLeg, Segments, default_gateways, stated_addresses, stated_interface};

const CITE_NAT: &str =
    "VirtualBox manual, section 9.8.1: adapter N gets 10.0.(N + 1).0/24, the guest .15, the gateway .2";

/// The host that runs a VM.
pub(super) struct Runner<'a> {
    pub(super) host: Option<&'a Host>,
    pub(super) hypervisor: &'a Hypervisor,
}

/// The interfaces of a VM: one for each enabled adapter, then those that only lab.yaml knows.
pub(super) fn interfaces(
    context: &mut Context,
    segments: &mut Segments,
    id: HostId,
    host: &HostPlan<'_>,
    runner: &Runner<'_>,
) -> Vec<Interface> {
    let Some(machine) = host.machine else { return Vec::new() };
    let mut left: Vec<&InterfaceDecl> = host.interfaces.iter().collect();
    let mut interfaces = Vec::new();
    for adapter in machine.adapters.iter().filter(|a| a.enabled) {
        let attachment = attachment(context, segments, machine, adapter, runner);
        context.unmodeled.extend(unmodeled(id, adapter));
        let is_it = |d: &&InterfaceDecl| is_adapter(d, adapter, &attachment, segments);
        let stated = left.iter().position(|d| !d.is_read && is_it(d)).or_else(|| left.iter().position(is_it));
        let declaration = stated.map(|at| left.remove(at));
        left.retain(|d| !(d.is_read && is_adapter_by_name(d, adapter)));
        let draft = Draft { adapter, attachment, declaration, leased: leased(segments, adapter, runner) };
        interfaces.push(interface(context, segments, host, draft));
    }
    for declaration in left {
        match &declaration.adapter {
            Some(adapter) => context.report(no_adapter(adapter, machine)),
            None => interfaces.push(stated_interface(context, segments, host, runner.hypervisor, declaration)),
        }
    }
    let mut leads_out: Vec<&mut Interface> =
        interfaces.iter_mut().filter(|interface| may_lead_out(host, &interface.name)).collect();
    default_route(segments, &mut leads_out);
    interfaces
}

/// Unless the host's system says that no default route leads through it.
fn may_lead_out(host: &HostPlan<'_>, interface: &str) -> bool {
    let stated = host.interfaces.iter().find(|d| d.name.value == interface);
    stated.and_then(|d| d.default_route.as_ref()).is_none_or(|may| may.value)
}

/// The first adapter that offers a way out has the default route.
fn default_route(segments: &Segments, interfaces: &mut [&mut Interface]) {
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

/// Whether lab.yaml or the host's system means this adapter: by number or by the guest's name for it.
fn is_adapter_by_name(declaration: &InterfaceDecl, adapter: &AdapterDecl) -> bool {
    match &declaration.adapter {
        Some(number) => number.value.checked_sub(1) == Some(adapter.slot),
        None => declaration.name.value == guest_name(adapter.slot),
    }
}

/// Whether it means this adapter: so, or by what it is plugged into.
fn is_adapter(
    declaration: &InterfaceDecl,
    adapter: &AdapterDecl,
    attachment: &Attachment,
    segments: &Segments,
) -> bool {
    let by_segment = match (&declaration.segment, attachment) {
        (Some(name), Attachment::Segment(id)) => segments.by_name(&name.value) == Some(*id),
        _ => false,
    };
    (by_segment && declaration.adapter.is_none()) || is_adapter_by_name(declaration, adapter)
}

/// What is known about an interface before it is made.
struct Draft<'a> {
    adapter: &'a AdapterDecl,
    attachment: Attachment,
    declaration: Option<&'a InterfaceDecl>,
    leased: Leased,
}

/// Which address a guest gets when it asks for one.
enum Leased {
    /// The usual one of such a network.
    Usual,
    /// The first free one from this number on.
    From(u128),
    /// Nobody hands out any.
    Nothing,
}

/// What VirtualBox is known to hand out on the network of an adapter.
fn leased(segments: &Segments, adapter: &AdapterDecl, runner: &Runner<'_>) -> Leased {
    let (kind, name) = match &adapter.mode {
        AdapterMode::HostOnly(name) | AdapterMode::HostOnlyNetwork(name) | AdapterMode::HostOnlyEither(name) => {
            (SegmentKind::HostOnly, &name.value)
        }
        AdapterMode::Internal(name) => (SegmentKind::Internal, &name.value),
        AdapterMode::NatNetwork(name) => (SegmentKind::NatNetwork, &name.value),
        _ => return Leased::Usual,
    };
    let hypervisor = runner.hypervisor;
    let first = hypervisor.first_leased(name);
    let number = first.zip(segments.by_vbox_name(kind, name)).and_then(|(first, id)| segments.number(id, first));
    let server = hypervisor.server(&format!("HostInterfaceNetworking-{name}")).or_else(|| hypervisor.server(name));
    let is_off = server.is_some_and(|s| !is_on(s.enabled.as_ref()))
        || hypervisor.nat_network(name).is_some_and(|n| !is_on(n.dhcp.as_ref()));
    match (is_off, number) {
        (true, _) => Leased::Nothing,
        (false, Some(number)) => Leased::From(number),
        (false, None) => Leased::Usual,
    }
}

/// What of an attachment has no model.
fn unmodeled(id: HostId, adapter: &AdapterDecl) -> Option<Unmodeled> {
    let (what, span) = match &adapter.mode {
        AdapterMode::Generic(driver, _) => {
            let what = text!(
                "an adapter attached to the driver `{name}`",
                "`{name}` 드라이버에 연결된 어댑터",
                name = &driver.value
            );
            (what, driver.span)
        }
        AdapterMode::Cloud(network) => {
            let what = text!(
                "an adapter attached to the cloud network `{name}`",
                "`{name}` 클라우드 네트워크에 연결된 어댑터",
                name = &network.value
            );
            (what, network.span)
        }
        _ => return None,
    };
    Some(Unmodeled { what, span, host: Some(id) })
}

fn interface(context: &mut Context, segments: &mut Segments, host: &HostPlan<'_>, draft: Draft<'_>) -> Interface {
    let Draft { adapter, attachment, declaration, leased } = draft;
    let name = declaration.map_or_else(|| guest_name(adapter.slot), |d| d.name.value.clone());
    let origin = Origin::written(
        text!(
            "adapter {number} of `{host}`",
            "`{host}`의 {number}번 어댑터",
            number = u16::from(adapter.slot) + 1,
            host = &host.name
        ),
        adapter.span,
    );
    let mut addresses = declaration.map(stated_addresses).unwrap_or_default();
    let asks = declaration.and_then(|d| d.dhcp.as_ref()).is_none_or(|dhcp| dhcp.value);
    if addresses.is_empty() && asks {
        addresses.extend(adapter.addresses.iter().map(|address| given_address(&host.name, address)));
    }
    if addresses.is_empty() && asks {
        addresses.extend(own_address(context, segments, &host.name, &attachment, &leased, &origin));
    }
    let stated = declaration.and_then(|d| d.gateway.as_ref()).map(|g| g.value);
    let gateway =
        stated.or_else(|| declaration.filter(|d| asks_for_route(d)).and_then(|_| offered(segments, &attachment)));
    Interface {
        name,
        attachment,
        addresses,
        gateway,
        metric: declaration.and_then(|d| d.metric).map(|metric| metric.value),
        connected: host.machine.is_none_or(|machine| is_connected(machine, adapter)),
        origin,
    }
}

/// An interface that is told to ask for its address takes the default route that comes with it, whatever others have.
fn asks_for_route(declaration: &InterfaceDecl) -> bool {
    let is_on = |setting: &Option<Spanned<bool>>, default| setting.as_ref().map_or(default, |setting| setting.value);
    is_on(&declaration.dhcp, false) && is_on(&declaration.default_route, true) && declaration.addresses.is_empty()
}

/// The router that whoever hands out addresses there names. VirtualBox's server of a host-only network names none.
fn offered(segments: &Segments, attachment: &Attachment) -> Option<IpAddr> {
    match attachment {
        Attachment::Nat(nat) => Some(nat.gateway),
        Attachment::Segment(id) => segments.gateway(*id),
        Attachment::Mirrored | Attachment::Unattached => None,
    }
}

/// An address that the file of the machine gives the guest.
fn given_address(who: &str, address: &Spanned<IpNet>) -> InterfaceAddress {
    let given = address.value.addr();
    let origin = Origin::written(text!("address {given} of `{who}`", "`{who}`의 주소 {given}"), address.span);
    InterfaceAddress { net: address.value, origin }
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
    leased: &Leased,
    origin: &Origin,
) -> Option<InterfaceAddress> {
    match attachment {
        Attachment::Nat(nat) => Some(nat_address(nat)),
        Attachment::Segment(id) => {
            let from = match (leased, segments.kind(*id)) {
                (Leased::Nothing, _) | (Leased::Usual, Some(SegmentKind::Internal)) => None,
                (Leased::From(number), _) => Some(*number),
                // The DHCP servers of host-only and NAT networks start at .101 and .4; on a LAN it is a guess.
                (Leased::Usual, Some(SegmentKind::NatNetwork)) => Some(4),
                (Leased::Usual, _) => Some(101),
            };
            let address = from.and_then(|from| segments.assume_address(*id, from, who, origin));
            if address.is_none() {
                context.diagnostics.extend(origin.span().map(|span| address_not_stated(who, span)));
            }
            address
        }
        Attachment::Mirrored | Attachment::Unattached => None,
    }
}

fn nat_address(nat: &VmNat) -> InterfaceAddress {
    let guest = nth(nat.network, 15).unwrap_or(nat.network.addr());
    let origin = nat.origin.derive(format!("address {guest} of the guest behind NAT"), CITE_NAT);
    InterfaceAddress { net: within(guest, nat.network), origin }
}

fn attachment(
    context: &mut Context,
    segments: &mut Segments,
    machine: &MachineDecl,
    adapter: &AdapterDecl,
    runner: &Runner<'_>,
) -> Attachment {
    match &adapter.mode {
        AdapterMode::Nat(nat) => {
            Attachment::Nat(Box::new(vm_nat(context, nat, adapter.slot, Some(machine), runner.hypervisor)))
        }
        AdapterMode::Bridged(name)
        | AdapterMode::HostOnly(name)
        | AdapterMode::HostOnlyNetwork(name)
        | AdapterMode::HostOnlyEither(name)
            if name.value.is_empty() =>
        {
            context.report(attached_to_nothing(machine, adapter));
            Attachment::Unattached
        }
        AdapterMode::Bridged(name) => {
            let origin = written("bridged to host interface", name);
            Attachment::Segment(bridged(segments, name, runner.host).unwrap_or_else(|| segments.lan(&origin)))
        }
        AdapterMode::HostOnly(name) | AdapterMode::HostOnlyNetwork(name) | AdapterMode::HostOnlyEither(name) => {
            Attachment::Segment(host_only(segments, name, runner.hypervisor))
        }
        AdapterMode::Internal(name) => Attachment::Segment(internal(segments, name, runner.hypervisor)),
        AdapterMode::NatNetwork(name) => {
            let stated = runner.hypervisor.nat_network(&name.value);
            // VirtualBox manual, section 6.4: 10.0.2.0/24 is the default.
            let subnet = stated.and_then(|n| n.network).map_or(prefix([10, 0, 2, 0], 24), |n| n.value.trunc());
            let known = segments.by_vbox_name(SegmentKind::NatNetwork, &name.value);
            Attachment::Segment(known.unwrap_or_else(|| {
                segments.add(&name.value, SegmentKind::NatNetwork, subnet, written("NAT network", name))
            }))
        }
        AdapterMode::Generic(..) | AdapterMode::Cloud(_) | AdapterMode::None => Attachment::Unattached,
    }
}

fn written(what: &str, name: &Spanned<String>) -> Origin {
    Origin::written(format!("{what} `{}`", name.value), name.span)
}

/// Host-only interfaces and networks, which have what is stated about the host's side.
fn host_only(segments: &mut Segments, name: &Spanned<String>, hypervisor: &Hypervisor) -> SegmentId {
    let stated = hypervisor.host_only(&name.value);
    let address = stated.and_then(|s| s.address);
    // VirtualBox manual, section 6.7: 192.168.56.0/24 is the default.
    let subnet = address.map_or(prefix([192, 168, 56, 0], 24), |a| a.value.trunc());
    let known = segments.host_only(&name.value, address.map(|a| a.value));
    let id = known.unwrap_or_else(|| {
        segments.add(&name.value, SegmentKind::HostOnly, subnet, written("host-only network", name))
    });
    // A listing without an address means that the interface has none.
    if let Some(stated) = stated.filter(|s| s.address.is_some() || s.verb == Verb::Stated) {
        let what = format!("host-only interface `{}`", name.value);
        let origin = Origin::written(what, stated.address.map_or(stated.span, |a| a.span));
        segments.set_host_leg(id, HostLeg { address: address.map(|a| a.value), origin });
    }
    id
}

/// Internal networks have addresses only where a DHCP server hands them out.
fn internal(segments: &mut Segments, name: &Spanned<String>, hypervisor: &Hypervisor) -> SegmentId {
    let origin = written("internal network", name);
    let subnet = hypervisor.server(&name.value).and_then(|s| s.address).map(|a| a.value.trunc());
    let known = segments.by_vbox_name(SegmentKind::Internal, &name.value);
    known.unwrap_or_else(|| match subnet {
        Some(subnet) => segments.add(&name.value, SegmentKind::Internal, subnet, origin),
        None => segments.add_bare(&name.value, origin),
    })
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

fn vm_nat(
    context: &mut Context,
    nat: &NatDecl,
    slot: u8,
    machine: Option<&MachineDecl>,
    hypervisor: &Hypervisor,
) -> VmNat {
    let network =
        nat.network.as_ref().map_or_else(|| prefix([10, 0, slot.saturating_add(2), 0], 24), |n| n.value.trunc());
    let (engine, origin) = nat_engine(nat, || hypervisor.release(context, machine));
    VmNat {
        engine,
        network,
        gateway: nth(network, 2).unwrap_or(network.addr()),
        forwards: nat.forwards.iter().map(forward).collect(),
        localhost_reachable: localhost_reachable(nat, machine),
        bind_address: nat.bind_address.map(|address| address.value),
        forward_at: nat.forward_at.clone(),
        origin,
    }
}

/// VirtualBox replaced its NAT engine by libslirp in 7.1 (changelog of 7.1.0).
fn nat_engine(nat: &NatDecl, release: impl FnOnce() -> Release) -> (NatEngine, Origin) {
    let of = |libslirp: bool| if libslirp { NatEngine::Libslirp } else { NatEngine::Classic };
    if let Some(stated) = &nat.libslirp {
        return (of(stated.value), Origin::written(text!("NAT engine", "NAT 엔진"), stated.span));
    }
    let release = release();
    let origin = match release.stated {
        Some(_) => Origin::written(text!("adapter attached to NAT", "NAT에 연결된 어댑터"), nat.span),
        None => {
            let what = text!(
                "adapter attached to NAT, by VirtualBox {version}",
                "NAT에 연결된 어댑터, VirtualBox {version}에서",
                version = release.version
            );
            Origin::assumed(what, Some(nat.span))
        }
    };
    (of(release.version >= Version::new(7, 1, 0)), origin)
}

/// Absent in a `.vbox` file is read as reachable, whatever the settings version (VirtualBox 7.2.22 writes `off` as absent
/// from settings version 1.19 on, and has it on when it reads the file again). A machine that no file states is new, and
/// has it off (`NATEngine::i_applyDefaults`).
fn localhost_reachable(nat: &NatDecl, machine: Option<&MachineDecl>) -> bool {
    let default = machine.is_some_and(|m| m.settings.is_some());
    nat.localhost_reachable.as_ref().map_or(default, |stated| stated.value)
}

pub(super) fn forward(declaration: &ForwardDecl) -> Forward {
    let port = declaration.host_port;
    let what = text!("NAT forward of host port {port}", "호스트 {port}번 포트의 NAT 포트 포워딩");
    Forward {
        name: declaration.name.clone(),
        protocol: declaration.protocol,
        host_address: declaration.host_address,
        host_port: declaration.host_port,
        guest_address: declaration.guest_address,
        guest_port: declaration.guest_port,
        guard: None,
        origin: Origin::written(what, declaration.span),
    }
}

/// Puts an interface behind a NAT that lab.yaml states.
pub(super) fn behind_stated_nat(
    context: &mut Context,
    interface: &mut Interface,
    nat: &NatDecl,
    declaration: &InterfaceDecl,
    hypervisor: &Hypervisor,
) {
    let slot = declaration.adapter.as_ref().map_or(0, |a| a.value.saturating_sub(1));
    let nat = vm_nat(context, nat, slot, None, hypervisor);
    if interface.addresses.is_empty() {
        interface.addresses.push(nat_address(&nat));
    }
    interface.gateway = interface.gateway.or(Some(nat.gateway));
    interface.attachment = Attachment::Nat(Box::new(nat));
}

fn attached_to_nothing(machine: &MachineDecl, adapter: &AdapterDecl) -> Diagnostic {
    let number = u16::from(adapter.slot) + 1;
    let bridged = matches!(adapter.mode, AdapterMode::Bridged(_));
    let what = if bridged { text!("bridged", "브리지") } else { text!("host-only", "호스트 전용") };
    let message = text!(
        "adapter {number} of `{name}` is {what}, but nothing says with which interface",
        "`{name}`의 {number}번 {what} 어댑터가 어느 인터페이스에 연결되는지 적혀 있지 않습니다",
        name = &machine.name.value; what
    );
    Diagnostic::new(Code::VboxBadValue, message)
        .label(adapter.span, text!("the machine does not start like this", "이대로는 머신이 시작되지 않음"))
        .help(text!(
            "name it, as with `--bridge-adapter{number} en0` or `--host-only-adapter{number} vboxnet0`",
            "`--bridge-adapter{number} en0`이나 `--host-only-adapter{number} vboxnet0`처럼 인터페이스를 적으십시오"
        ))
}

fn no_adapter(number: &Spanned<u8>, machine: &MachineDecl) -> Diagnostic {
    Diagnostic::new(
        Code::LabBadValue,
        text!(
            "`{name}` has no enabled adapter {slot}",
            "`{name}`에 켜진 {slot}번 어댑터가 없습니다",
            name = &machine.name.value,
            slot = number.value
        ),
    )
    .label(number.span, text!("no such adapter", "없는 어댑터"))
    .label(machine.span, text!("in this machine", "이 머신에"))
    .help(text!(
        "adapters are counted from 1, as in VirtualBox's settings dialog",
        "어댑터 번호는 VirtualBox 설정 창에서처럼 1부터 셉니다"
    ))
}

fn address_not_stated(who: &str, span: Span) -> Diagnostic {
    let message = text!(
        "the address of `{who}` on this network is not stated",
        "이 네트워크에서 `{who}`의 주소가 적혀 있지 않습니다"
    );
    Diagnostic { severity: Severity::Warning, ..Diagnostic::new(Code::LabBadValue, message) }
        .label(span, text!("nothing hands out addresses here", "여기에는 주소를 나눠 주는 것이 없음"))
        .help(text!(
            "state the address under `interfaces:` of the host in lab.yaml",
            "lab.yaml에서 이 호스트의 `interfaces:` 아래에 주소를 적으십시오"
        ))
}
