//! Segments, interfaces and routers.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::declaration::{InterfaceDecl, SegmentDecl};
use crate::lab::{
    Attachment, Declaration, ForwardMode, Host, HostId, HostKind, Interface, InterfaceAddress, Os, Segment, SegmentId,
    SegmentKind, Wsl,
};
use crate::language::{Text, text};
use crate::net::{IpNet, address_bits};
use crate::provenance::Origin;
use crate::source::{SourceId, Spanned};

use super::addresses::{Taken, nth, prefix, within};
use super::bind::{HostPlan, Plan};
use super::hypervisor::{self, Hypervisor};
use super::names::{span_of, unknown_name};
use super::{Context, hardware_addresses, hosted, kept_ports, nat_network, own_interfaces, parent, vm, vm_host, wsl};

/// Segments under construction, with what is needed to attach hosts to them.
pub(super) struct Segments {
    all: Vec<Plugged>,
    taken: Taken,
    /// Subnets that files give to container networks.
    stated_networks: Vec<IpNet>,
    /// The subnet and the router of the LAN that containers or bridged machines say they are on.
    told_lan: Option<(IpNet, Option<IpAddr>)>,
}

/// A segment and what only its construction needs.
pub(super) struct Plugged {
    pub(super) segment: Segment,
    gateway: Option<(IpAddr, Origin)>,
    pub(super) vbox_names: Vec<String>,
    /// How the host that keeps it carries packets, where lab.yaml says so.
    pub(super) forward: Option<Spanned<ForwardMode>>,
    /// What the host that runs the machines of a host-only network has there, if that is known.
    host_leg: Option<HostLeg>,
}

/// The host's side of a host-only network.
pub(super) struct HostLeg {
    /// Its address; nothing if the interface has none.
    pub(super) address: Option<IpNet>,
    pub(super) origin: Origin,
}

/// Hosts with their interfaces, in the order of the plan, then the routers that nobody declared; and the segments.
pub(super) fn build(context: &mut Context, plan: &Plan<'_>) -> (Vec<Host>, Vec<Segment>) {
    let mut segments = Segments::stated(plan);
    let mut hosts: Vec<Host> = plan.hosts.iter().map(bare).collect();
    let numbered = plan.hosts.iter().enumerate();
    let hypervisors: Vec<Hypervisor> =
        numbered.map(|(index, host)| hypervisor::of(context, plan, HostId(index), host)).collect();
    let none = Hypervisor::default();
    let physical_first = |is_vm: bool| plan.hosts.iter().enumerate().filter(move |(_, h)| h.machine.is_some() == is_vm);
    for (index, host_plan) in physical_first(false).filter(|(_, h)| !wsl::is_wsl(h)) {
        let runner = if let HostKind::Vm { on } = host_plan.kind { on.0 } else { index };
        let known = hypervisors.get(runner).unwrap_or(&none);
        let interfaces = stated_interfaces(context, &mut segments, host_plan, known);
        set_interfaces(&mut hosts, index, interfaces);
    }
    for (index, host_plan) in physical_first(true) {
        let on = match host_plan.kind {
            HostKind::Vm { on } => Some(on.0),
            _ => None,
        };
        let host = on.and_then(|on| hosts.get(on));
        let hypervisor = on.and_then(|on| hypervisors.get(on)).unwrap_or(&none);
        let runner = vm::Runner { host, hypervisor };
        let interfaces = vm::interfaces(context, &mut segments, HostId(index), host_plan, &runner);
        set_interfaces(&mut hosts, index, interfaces);
    }
    wsl::connect(context, &mut segments, plan, &mut hosts);
    host_only_legs(&mut segments, &mut hosts);
    hosted::attach(&mut segments.all, plan, &hosts);
    nat_network::attach(context, &mut segments.all, plan, &hosts, &hypervisors);
    vm_host::check(context, &mut segments.all, plan, &mut hosts, &hypervisors);
    hardware_addresses::check(context, plan, &hosts);
    add_routers(&segments, &mut hosts);
    (hosts, segments.all.into_iter().map(|p| p.segment).collect())
}

fn set_interfaces(hosts: &mut [Host], index: usize, interfaces: Vec<Interface>) {
    if let Some(host) = hosts.get_mut(index) {
        host.interfaces = interfaces;
    }
}

fn bare(plan: &HostPlan<'_>) -> Host {
    let declaration = plan.declaration;
    Host {
        name: plan.name.clone(),
        kind: plan.kind,
        os: plan.os,
        interfaces: Vec::new(),
        processes: Vec::new(),
        engine: None,
        firewalld: None,
        events: Vec::new(),
        rules: Vec::new(),
        nft: Vec::new(),
        sysctls: Vec::new(),
        firewall: None,
        wsl: None,
        kept_ports: kept_ports::listed(plan),
        tunnels: Vec::new(),
        ip_forward: declaration.and_then(|d| d.ip_forward.as_ref()).is_some_and(|f| f.value),
        routes: plan.routes.iter().map(|(to, via)| (to.value, via.value)).collect(),
        files: files(plan),
        origin: plan.origin.clone(),
    }
}

fn files(plan: &HostPlan<'_>) -> Vec<SourceId> {
    let machine = plan.machine.map(|machine| machine.span);
    let declared = plan.files.iter().chain(&plan.rules).filter_map(|declaration| span_of(declaration));
    let mut files: Vec<SourceId> = machine.into_iter().chain(declared).map(|span| span.source).collect();
    files.sort_unstable();
    files.dedup();
    files
}

impl Plugged {
    /// How the host that keeps it carries packets.
    pub(super) fn mode(&self) -> ForwardMode {
        self.forward.map_or(ForwardMode::Nat, |mode| mode.value)
    }

    /// The address of the host that keeps it: the stated one, else the first.
    fn keeper(&self) -> Option<IpAddr> {
        let stated = self.gateway.as_ref().map(|(address, _)| *address);
        stated.or_else(|| nth(*self.segment.subnets.first()?, 1))
    }
}

impl Segments {
    fn stated(plan: &Plan<'_>) -> Self {
        let mut taken = Taken::default();
        let interfaces = plan.hosts.iter().flat_map(|h| &h.interfaces);
        for interface in interfaces {
            interface.addresses.iter().for_each(|a| taken.add(a.value.addr()));
            interface.gateway.iter().for_each(|g| taken.add(g.value));
        }
        plan.segments.iter().filter_map(|s| s.gateway.as_ref()).for_each(|g| taken.add(g.value));
        let all = plan.segments.iter().map(|declaration| stated_segment(declaration, plan)).collect();
        let declarations = plan.hosts.iter().flat_map(HostPlan::declarations);
        let network = |declaration: &Declaration| match declaration {
            Declaration::Network(network) => network.subnet.as_ref().map(|subnet| subnet.value.trunc()),
            _ => None,
        };
        let of_containers = plan.hosts.iter().flat_map(HostPlan::declarations).find_map(parent::lan);
        let told_lan = of_containers.or_else(|| plan.hosts.iter().find_map(own_interfaces::lan));
        Self { all, taken, stated_networks: declarations.filter_map(network).collect(), told_lan }
    }

    pub(super) fn by_name(&self, name: &str) -> Option<SegmentId> {
        self.all.iter().position(|p| p.segment.name == name).map(SegmentId)
    }

    pub(super) fn by_vbox_name(&self, kind: SegmentKind, name: &str) -> Option<SegmentId> {
        self.all
            .iter()
            .position(|p| p.segment.kind == kind && p.vbox_names.iter().any(|n| n == name))
            .or_else(|| self.all.iter().position(|p| p.segment.kind == kind && p.segment.name == name))
            .map(SegmentId)
            .or_else(|| self.unnamed(kind).filter(|_| kind != SegmentKind::Lan))
    }

    /// The host-only network on which the host has an address, or else the one of that name unless it lies elsewhere.
    pub(super) fn host_only(&self, name: &str, address: Option<IpNet>) -> Option<SegmentId> {
        let named = self.by_vbox_name(SegmentKind::HostOnly, name);
        let Some(address) = address else { return named };
        let holds = |p: &Plugged| p.segment.subnets.iter().any(|subnet| subnet.contains(&address.addr()));
        let is_it = |p: &Plugged| p.segment.kind == SegmentKind::HostOnly && holds(p);
        let elsewhere = |id: &SegmentId| self.all.get(id.0).is_none_or(|p| !p.segment.subnets.is_empty());
        self.all.iter().position(is_it).map(SegmentId).or_else(|| named.filter(|id| !elsewhere(id)))
    }

    /// The only segment of a kind, if nobody stated how VirtualBox calls it.
    fn unnamed(&self, kind: SegmentKind) -> Option<SegmentId> {
        let mut found = self.all.iter().enumerate().filter(|(_, p)| p.segment.kind == kind);
        let (index, _) = found.next().filter(|(_, p)| p.vbox_names.is_empty())?;
        found.next().is_none().then_some(SegmentId(index))
    }

    pub(super) fn containing(&self, address: IpAddr) -> Option<SegmentId> {
        self.all.iter().position(|p| p.segment.subnets.iter().any(|s| s.contains(&address))).map(SegmentId)
    }

    /// The first LAN; an assumed one with a router if none is there: 192.168.1.0/24, unless a file uses that.
    pub(super) fn lan(&mut self, about: &Origin) -> SegmentId {
        if let Some(index) = self.all.iter().position(|p| p.segment.kind == SegmentKind::Lan) {
            return SegmentId(index);
        }
        let is_free = |net: &IpNet| !self.stated_networks.iter().any(|used| used.contains(net) || net.contains(used));
        let usual = prefix([192, 168, 1, 0], 24);
        let free = || (1..=254).map(|third| prefix([192, 168, third, 0], 24)).find(is_free).unwrap_or(usual);
        let (subnet, router) = self.told_lan.unwrap_or_else(|| (free(), None));
        let id = self.add(
            "lan",
            SegmentKind::Lan,
            subnet,
            Origin::assumed(text!("a LAN {subnet}", "LAN {subnet}"), about.span()),
        );
        if let (Some(gateway), Some(plugged)) = (router.or_else(|| nth(subnet, 1)), self.all.get_mut(id.0)) {
            let origin = Origin::assumed(
                text!("a router {gateway} to the internet", "인터넷으로 나가는 공유기 {gateway}"),
                about.span(),
            );
            plugged.gateway = Some((gateway, origin));
            self.taken.add(gateway);
        }
        id
    }

    /// The segment of an address that the host has: the first one is taken for the LAN, with a router.
    fn uplink(&mut self, address: &Spanned<IpNet>, router: Option<IpAddr>) -> SegmentId {
        let is_first = !self.all.iter().any(|p| p.segment.kind == SegmentKind::Lan);
        let name = if is_first { "lan".to_owned() } else { address.value.trunc().to_string() };
        let subnet = address.value.trunc();
        let origin = Origin::assumed(text!("a LAN {subnet}", "LAN {subnet}"), Some(address.span));
        let id = self.add(&name, SegmentKind::Lan, subnet, origin);
        let usual = || nth(subnet, 1).filter(|gateway| is_first && *gateway != address.value.addr());
        let gateway = router.filter(|router| subnet.contains(router)).or_else(usual);
        if let (Some(gateway), Some(plugged)) = (gateway, self.all.get_mut(id.0)) {
            let origin = Origin::assumed(
                text!("a router {gateway} to the internet", "인터넷으로 나가는 공유기 {gateway}"),
                Some(address.span),
            );
            plugged.gateway = Some((gateway, origin));
            self.taken.add(gateway);
        }
        id
    }

    /// Adds a segment that nobody declared.
    pub(super) fn add(&mut self, name: &str, kind: SegmentKind, subnet: IpNet, origin: Origin) -> SegmentId {
        self.push(name, kind, vec![subnet], origin)
    }

    fn push(&mut self, name: &str, kind: SegmentKind, subnets: Vec<IpNet>, origin: Origin) -> SegmentId {
        let segment = Segment { name: name.to_owned(), kind, subnets, nat: None, forwarding: None, origin };
        let vbox_names = vec![name.to_owned()];
        self.all.push(Plugged { segment, gateway: None, vbox_names, forward: None, host_leg: None });
        SegmentId(self.all.len() - 1)
    }

    /// Adds a network that a host keeps and is on by `leg`.
    pub(super) fn add_hosted(&mut self, name: &str, leg: &str, subnet: IpNet, origin: Origin) -> SegmentId {
        let id = self.push(name, SegmentKind::Hosted, vec![subnet], origin);
        self.all.get_mut(id.0).into_iter().for_each(|p| p.vbox_names = vec![leg.to_owned()]);
        id
    }

    /// Says that Windows keeps a network for WSL, if it is one that a host can keep.
    pub(super) fn keep(&mut self, id: SegmentId, on: HostId, wsl: &Wsl) {
        if let Some(plugged) = self.all.get_mut(id.0).filter(|p| wsl::may_be_behind(p.segment.kind)) {
            plugged.segment.kind = SegmentKind::Hosted;
            plugged.segment.forwarding = Some(Box::new(wsl::forwarding(on, wsl)));
        }
    }

    /// Adds an internal network, whose addresses nobody knows.
    pub(super) fn add_bare(&mut self, name: &str, origin: Origin) -> SegmentId {
        self.push(name, SegmentKind::Internal, Vec::new(), origin)
    }

    /// States what the host has on a host-only network.
    pub(super) fn set_host_leg(&mut self, id: SegmentId, leg: HostLeg) {
        if let Some(plugged) = self.all.get_mut(id.0).filter(|p| p.host_leg.is_none()) {
            leg.address.iter().for_each(|net| self.taken.add(net.addr()));
            plugged.host_leg = Some(leg);
        }
    }

    /// The number of an address inside the first subnet of a segment.
    pub(super) fn number(&self, id: SegmentId, address: IpAddr) -> Option<u128> {
        let subnet = *self.all.get(id.0)?.segment.subnets.first().filter(|s| s.contains(&address))?;
        address_bits(address).checked_sub(address_bits(subnet.network()))
    }

    pub(super) fn kind(&self, id: SegmentId) -> Option<SegmentKind> {
        self.all.get(id.0).map(|p| p.segment.kind)
    }

    /// The way out of a segment: its router, or the engine of a NAT network, which has the first address
    /// (`VBoxNetSlirpNAT::initIPv4`, `VBoxNetLwipNAT`).
    pub(super) fn gateway(&self, id: SegmentId) -> Option<IpAddr> {
        let plugged = self.all.get(id.0)?;
        match plugged.segment.kind {
            SegmentKind::NatNetwork => nth(*plugged.segment.subnets.first()?, 1),
            SegmentKind::Hosted if plugged.mode() == ForwardMode::Isolated => None,
            SegmentKind::Hosted => plugged.keeper(),
            _ => plugged.gateway.as_ref().map(|(address, _)| *address),
        }
    }

    /// The next free address of a segment, as an assumption about `who`.
    pub(super) fn assume_address(
        &mut self,
        id: SegmentId,
        from: u128,
        who: &str,
        about: &Origin,
    ) -> Option<InterfaceAddress> {
        let subnet = *self.all.get(id.0)?.segment.subnets.first()?;
        let address = self.taken.next(subnet, from)?;
        let origin = Origin::assumed(text!("address {address} of `{who}`", "`{who}`의 주소 {address}"), about.span());
        Some(InterfaceAddress { net: within(address, subnet), origin })
    }
}

fn stated_segment(declaration: &SegmentDecl, plan: &Plan<'_>) -> Plugged {
    let host_only = declaration.vbox_names.iter().any(|n| n.value.starts_with("vboxnet"));
    let default_kind = if host_only { SegmentKind::HostOnly } else { SegmentKind::Lan };
    let name = &declaration.name.value;
    let mut subnets: Vec<IpNet> = declaration.subnets.iter().map(|s| s.value.trunc()).collect();
    if subnets.is_empty() {
        subnets = subnets_in_use(name, plan);
    }
    let gateway = declaration.gateway.as_ref();
    let bridge = declaration.bridge.as_ref().map(|bridge| bridge.value.clone());
    let vbox_names = declaration.vbox_names.iter().map(|n| n.value.clone());
    Plugged {
        segment: Segment {
            name: name.clone(),
            kind: declaration.kind.as_ref().map_or(default_kind, |k| k.value),
            subnets,
            nat: None,
            forwarding: None,
            origin: Origin::written(text!("segment `{name}`", "네트워크 `{name}`"), declaration.span),
        },
        gateway: gateway.map(|g| (g.value, Origin::written(text!("router of `{name}`", "`{name}`의 공유기"), g.span))),
        vbox_names: bridge.into_iter().chain(vbox_names).collect(),
        forward: declaration.forward,
        host_leg: None,
    }
}

/// The subnets of the interfaces that are plugged into a segment by name.
fn subnets_in_use(segment: &str, plan: &Plan<'_>) -> Vec<IpNet> {
    let mut subnets: Vec<IpNet> = plan
        .hosts
        .iter()
        .flat_map(|h| &h.interfaces)
        .filter(|i| i.segment.as_ref().is_some_and(|s| s.value == segment))
        .flat_map(|i| i.addresses.iter().map(|a| a.value.trunc()))
        .collect();
    subnets.sort_unstable();
    subnets.dedup();
    subnets
}

/// The interfaces of a host that has no `.vbox` file.
fn stated_interfaces(
    context: &mut Context,
    segments: &mut Segments,
    host: &HostPlan<'_>,
    hypervisor: &Hypervisor,
) -> Vec<Interface> {
    let stated = &host.interfaces;
    if stated.is_empty() {
        let is_vm = matches!(host.kind, HostKind::Vm { .. });
        let listed = if is_vm { Vec::new() } else { listed_interfaces(segments, host, hypervisor) };
        return if listed.is_empty() { assumed_interface(segments, host).into_iter().collect() } else { listed };
    }
    let mut interfaces = Vec::new();
    for declaration in stated {
        let interface = stated_interface(context, segments, host, hypervisor, declaration);
        interfaces.push(interface);
    }
    let may_lead_out = |name: &str| {
        let stated = stated.iter().find(|d| d.name.value == name);
        stated.and_then(|d| d.default_route.as_ref()).is_none_or(|may| may.value)
    };
    let mut leads_out: Vec<&mut Interface> = interfaces.iter_mut().filter(|i| may_lead_out(&i.name)).collect();
    default_gateways(segments, &mut leads_out);
    interfaces
}

/// What `VBoxManage list bridgedifs` says about the host: interfaces that are up and have an address.
fn listed_interfaces(segments: &mut Segments, host: &HostPlan<'_>, hypervisor: &Hypervisor) -> Vec<Interface> {
    let mut interfaces = Vec::new();
    for listed in hypervisor.interfaces.iter().filter(|i| hypervisor::is_on(i.up.as_ref())) {
        let Some(address) = &listed.address else { continue };
        let id = segments.containing(address.value.addr()).unwrap_or_else(|| segments.uplink(address, None));
        let origin = Origin::written(interface_of(&listed.name.value, &host.name), listed.span);
        let what = format!("address {} of `{}`", address.value.addr(), listed.name.value);
        interfaces.push(Interface {
            name: listed.name.value.clone(),
            attachment: Attachment::Segment(id),
            addresses: vec![InterfaceAddress { net: address.value, origin: Origin::written(what, address.span) }],
            gateway: None,
            metric: None,
            connected: true,
            origin,
        });
    }
    default_gateways(segments, &mut interfaces.iter_mut().collect::<Vec<_>>());
    interfaces
}

/// An interface as lab.yaml states it.
pub(super) fn stated_interface(
    context: &mut Context,
    segments: &mut Segments,
    host: &HostPlan<'_>,
    hypervisor: &Hypervisor,
    declaration: &InterfaceDecl,
) -> Interface {
    let origin = Origin::written(interface_of(&declaration.name.value, &host.name), declaration.span);
    let mut interface = Interface {
        name: declaration.name.value.clone(),
        attachment: Attachment::Unattached,
        addresses: stated_addresses(declaration),
        gateway: declaration.gateway.as_ref().map(|g| g.value),
        metric: declaration.metric.map(|m| m.value),
        connected: true,
        origin,
    };
    if let Some(nat) = &declaration.nat {
        vm::behind_stated_nat(context, &mut interface, nat, declaration, hypervisor);
    } else if let Some(id) = segment_of(context, segments, declaration, &interface) {
        plug(segments, &mut interface, id, host);
    }
    interface
}

/// Plugs an interface into a segment, and assumes an address where machines get one by themselves.
fn plug(segments: &mut Segments, interface: &mut Interface, id: SegmentId, host: &HostPlan<'_>) {
    interface.attachment = Attachment::Segment(id);
    if !interface.addresses.is_empty() {
        return;
    }
    if host.kind == HostKind::Router
        && let Some(gateway) = segments.gateway(id)
    {
        interface.addresses.extend(gateway_address(segments, id, gateway));
    } else if matches!(segments.kind(id), Some(SegmentKind::Lan | SegmentKind::Hosted)) {
        interface.addresses.extend(segments.assume_address(id, 100, &host.name, &interface.origin));
    }
}

fn gateway_address(segments: &Segments, id: SegmentId, gateway: IpAddr) -> Option<InterfaceAddress> {
    let plugged = segments.all.get(id.0)?;
    let subnet = *plugged.segment.subnets.iter().find(|s| s.contains(&gateway))?;
    let origin = plugged.gateway.as_ref().map(|(_, origin)| origin.clone())?;
    Some(InterfaceAddress { net: within(gateway, subnet), origin })
}

pub(super) fn stated_addresses(declaration: &InterfaceDecl) -> Vec<InterfaceAddress> {
    let interface = &declaration.name.value;
    let address = |a: &Spanned<IpNet>| {
        let stated = a.value.addr();
        let what = text!("address {stated} of `{interface}`", "`{interface}`의 주소 {stated}");
        InterfaceAddress { net: a.value, origin: Origin::written(what, a.span) }
    };
    declaration.addresses.iter().map(address).collect()
}

fn segment_of(
    context: &mut Context,
    segments: &mut Segments,
    declaration: &InterfaceDecl,
    interface: &Interface,
) -> Option<SegmentId> {
    if let Some(name) = &declaration.segment {
        let id = segments.by_name(&name.value);
        if id.is_none() {
            context.report(unknown_name(
                &text!("segment", "세그먼트가"),
                name,
                segments.all.iter().map(|p| p.segment.name.as_str()),
            ));
        }
        return id;
    }
    let addressed = declaration.addresses.iter().find_map(|a| segments.containing(a.value.addr()));
    if declaration.is_read {
        return addressed.or_else(|| Some(segment_of_read(segments, declaration, &interface.origin)));
    }
    if addressed.is_some() || declaration.addresses.is_empty() {
        return addressed.or_else(|| Some(segments.lan(&interface.origin)));
    }
    if segments.all.is_empty() {
        return declaration.addresses.first().map(|a| lan_of(segments, a));
    }
    context.report(no_segment(declaration));
    None
}

/// The segment of an interface that the host's own system describes and no declared segment contains.
fn segment_of_read(segments: &mut Segments, declaration: &InterfaceDecl, origin: &Origin) -> SegmentId {
    let Some(address) = declaration.addresses.first() else { return segments.lan(origin) };
    let (name, subnet) = (&declaration.name.value, address.value.trunc());
    let origin = Origin::assumed(text!("a network {subnet}", "네트워크 {subnet}"), Some(address.span));
    if name.starts_with("vboxnet") {
        let id = segments.add(name, SegmentKind::HostOnly, subnet, origin);
        segments.all.get_mut(id.0).into_iter().for_each(|p| p.vbox_names.push(name.clone()));
        return id;
    }
    // libvirt's bridges lead to its own machines only.
    if name.starts_with("virbr") {
        return segments.add(name, SegmentKind::Internal, subnet, origin);
    }
    segments.uplink(address, declaration.gateway.map(|gateway| gateway.value))
}

/// The LAN that an interface with this address must be on when no segment is declared.
fn lan_of(segments: &mut Segments, address: &Spanned<IpNet>) -> SegmentId {
    let subnet = address.value.trunc();
    segments.add(
        "lan",
        SegmentKind::Lan,
        subnet,
        Origin::assumed(text!("a LAN {subnet}", "LAN {subnet}"), Some(address.span)),
    )
}

/// The interface of a host about which nothing is stated: on the first LAN, by DHCP.
fn assumed_interface(segments: &mut Segments, host: &HostPlan<'_>) -> Option<Interface> {
    let id = segments.lan(&host.origin);
    let name = match host.os {
        Os::Linux => "eth0",
        Os::MacOs => "en0",
        Os::Windows => "Ethernet",
    };
    let origin = Origin::assumed(
        text!(
            "interface `{name}` of `{host}` on the LAN",
            "LAN에 연결된 `{host}`의 인터페이스 `{name}`",
            host = &host.name
        ),
        host.origin.span(),
    );
    let mut interface = Interface {
        name: name.to_owned(),
        attachment: Attachment::Unattached,
        addresses: Vec::new(),
        gateway: None,
        metric: None,
        connected: true,
        origin,
    };
    plug(segments, &mut interface, id, host);
    if host.kind != HostKind::Router {
        default_gateways(segments, &mut [&mut interface]);
    }
    interface.addresses.first()?;
    Some(interface)
}

/// Fills in the default gateway: the router of the first segment that has one, unless a gateway is stated.
pub(super) fn default_gateways(segments: &Segments, interfaces: &mut [&mut Interface]) {
    if interfaces.iter().any(|i| i.gateway.is_some()) {
        return;
    }
    for interface in interfaces.iter_mut().filter(|i| i.connected) {
        let Attachment::Segment(id) = interface.attachment else { continue };
        let Some(gateway) = segments.gateway(id) else { continue };
        if interface.addresses.iter().any(|a| a.net.addr() == gateway) {
            return;
        }
        if interface.addresses.iter().any(|a| a.net.contains(&gateway)) {
            interface.gateway = Some(gateway);
            return;
        }
    }
}

/// VirtualBox gives the host that runs a VM the first address of each host-only network (VirtualBox manual, 6.7).
fn host_only_legs(segments: &mut Segments, hosts: &mut [Host]) {
    let needed: Vec<(HostId, SegmentId)> = hosts
        .iter()
        .filter_map(|host| match host.kind {
            HostKind::Vm { on } => Some((on, host)),
            _ => None,
        })
        .flat_map(|(on, host)| host.interfaces.iter().filter_map(move |i| segment(i).map(|s| (on, s))))
        .collect();
    for (on, id) in needed {
        let Some(host) = hosts.get_mut(on.0) else { continue };
        let is_kept = matches!(segments.kind(id), Some(SegmentKind::HostOnly | SegmentKind::Hosted));
        if is_kept && !host.interfaces.iter().any(|i| segment(i) == Some(id)) {
            host.interfaces.extend(host_only_leg(segments, id));
        }
    }
}

pub(super) fn segment(interface: &Interface) -> Option<SegmentId> {
    match interface.attachment {
        Attachment::Segment(id) => Some(id),
        _ => None,
    }
}

fn host_only_leg(segments: &mut Segments, id: SegmentId) -> Option<Interface> {
    const BRIDGE: &str = "libvirt, formatnetwork.html, `ip`: the address of the bridge, through which guests get out";
    const CITATION: &str = "VirtualBox manual, section 6.7: the host gets the first address of a host-only network";
    let plugged = segments.all.get(id.0)?;
    let name = plugged.vbox_names.first().unwrap_or(&plugged.segment.name).clone();
    if let Some(leg) = &plugged.host_leg {
        let what = format!("host-only interface `{name}`");
        let origin = Origin { what: what.into(), ..leg.origin.clone() };
        let addresses = leg.address.map(|net| InterfaceAddress { net, origin: origin.clone() }).into_iter().collect();
        let attachment = Attachment::Segment(id);
        return Some(Interface { name, attachment, addresses, gateway: None, metric: None, connected: true, origin });
    }
    let subnet = *plugged.segment.subnets.first()?;
    let origin = match plugged.segment.kind {
        SegmentKind::Hosted => plugged.segment.origin.derive(format!("bridge `{name}`"), BRIDGE),
        _ => plugged.segment.origin.derive(format!("host-only interface `{name}`"), CITATION),
    };
    let address = plugged.keeper()?;
    segments.taken.add(address);
    Some(Interface {
        name,
        attachment: Attachment::Segment(id),
        addresses: vec![InterfaceAddress { net: within(address, subnet), origin: origin.clone() }],
        gateway: None,
        metric: None,
        connected: true,
        origin,
    })
}

/// Adds a router to every segment whose gateway is no host's address.
fn add_routers(segments: &Segments, hosts: &mut Vec<Host>) {
    for (index, plugged) in segments.all.iter().enumerate() {
        let id = SegmentId(index);
        let has_own = matches!(plugged.segment.kind, SegmentKind::NatNetwork | SegmentKind::Hosted);
        let Some((gateway, origin)) = plugged.gateway.as_ref().filter(|_| !has_own) else { continue };
        let declared = hosts
            .iter()
            .flat_map(|h| &h.interfaces)
            .any(|i| segment(i) == Some(id) && i.addresses.iter().any(|a| a.net.addr() == *gateway));
        if !declared && let Some(address) = gateway_address(segments, id, *gateway) {
            let taken = hosts.iter().any(|h| h.name == "router");
            let name = if taken { format!("router-{}", plugged.segment.name) } else { "router".to_owned() };
            hosts.push(router(name, id, address, origin));
        }
    }
}

fn router(name: String, segment: SegmentId, address: InterfaceAddress, origin: &Origin) -> Host {
    let interface = Interface {
        name: "lan0".to_owned(),
        attachment: Attachment::Segment(segment),
        addresses: vec![address],
        gateway: None,
        metric: None,
        connected: true,
        origin: origin.clone(),
    };
    Host {
        name,
        kind: HostKind::Router,
        os: Os::Linux,
        interfaces: vec![interface],
        processes: Vec::new(),
        engine: None,
        firewalld: None,
        events: Vec::new(),
        rules: Vec::new(),
        nft: Vec::new(),
        sysctls: Vec::new(),
        firewall: None,
        wsl: None,
        kept_ports: Vec::new(),
        tunnels: Vec::new(),
        ip_forward: true,
        routes: Vec::new(),
        files: Vec::new(),
        origin: origin.clone(),
    }
}

fn no_segment(declaration: &InterfaceDecl) -> Diagnostic {
    let name = &declaration.name.value;
    Diagnostic::new(
        Code::LabBadValue,
        text!(
            "the address of interface `{name}` lies in no declared segment",
            "`{name}` 인터페이스의 주소가 선언된 어느 세그먼트에도 들지 않습니다"
        ),
    )
    .label(declaration.span, text!("on which segment is it?", "어느 세그먼트에 있는지?"))
    .help(text!(
        "add `segment:` with the name of a segment whose subnet contains the address",
        "이 주소가 서브넷에 드는 세그먼트의 이름을 `segment:`에 적으십시오"
    ))
}

fn interface_of(name: &str, host: &str) -> Text {
    text!("interface `{name}` of `{host}`", "`{host}`의 인터페이스 `{name}`")
}
