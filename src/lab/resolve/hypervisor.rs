//! The networks that VirtualBox keeps on one host, as files and listings state them and commands change them.

use std::net::{IpAddr, Ipv4Addr};

use crate::lab::machine::{
    AdapterMode, DhcpDecl, HostInterfaceDecl, HostOnlyDecl, HypervisorDecl, MachineDecl, NatNetworkDecl, Verb,
};
use crate::lab::{Assumption, Declaration, HostId, HostKind, Os};
use crate::language::{Text, text};
use crate::net::{IpNet, Version};
use crate::source::{Span, Spanned};

use super::Context;
use super::bind::{HostPlan, Plan};
use super::machines::{add_forward, remove_forward, twice, unknown};

/// What is known about VirtualBox on one host.
#[derive(Default)]
pub(super) struct Hypervisor {
    pub(super) version: Option<Spanned<Version>>,
    pub(super) interfaces: Vec<HostInterfaceDecl>,
    pub(super) host_only: Vec<HostOnlyDecl>,
    /// The ranges of `networks.conf`.
    pub(super) ranges: Option<Spanned<Vec<IpNet>>>,
    nat_networks: Vec<NatNetworkDecl>,
    servers: Vec<DhcpDecl>,
    /// A machine is attached to a host-only interface of macOS, which only releases below 7.0 have.
    has_interfaces_on_macos: bool,
}

/// What is assumed of VirtualBox.
const NEWEST: Version = Version::new(7, 2, 22);
/// The last release that has host-only interfaces on macOS.
const NEWEST_WITH_INTERFACES: Version = Version::new(6, 1, 50);

/// Reads what the files of a host state.
pub(super) fn of(context: &mut Context, plan: &Plan<'_>, id: HostId, host: &HostPlan<'_>) -> Hypervisor {
    let machines = machines_on(plan, id);
    let mut adapters = machines.iter().flat_map(|machine| &machine.adapters);
    let has_interface = adapters.any(|a| a.enabled && matches!(a.mode, AdapterMode::HostOnly(_)));
    let has_interfaces_on_macos = has_interface && known_os(host, &machines) == Some(Os::MacOs);
    let mut hypervisor = Hypervisor { has_interfaces_on_macos, ..Hypervisor::default() };
    for declaration in host.declarations() {
        if let Declaration::Hypervisor(stated) = declaration {
            hypervisor.state(context, stated);
        }
    }
    hypervisor
}

/// The machines that a host runs.
pub(super) fn machines_on<'a>(plan: &Plan<'a>, host: HostId) -> Vec<&'a MachineDecl> {
    plan.hosts.iter().filter(|h| h.kind == HostKind::Vm { on: host }).filter_map(|h| h.machine).collect()
}

/// The system of a host, unless nothing says which it is.
pub(super) fn known_os(runner: &HostPlan<'_>, machines: &[&MachineDecl]) -> Option<Os> {
    let stated = runner.declaration.and_then(|d| d.os.as_ref()).map(|os| os.value);
    stated.or_else(|| machines.iter().find_map(|m| m.runs_on))
}

impl Hypervisor {
    fn state(&mut self, context: &mut Context, stated: &HypervisorDecl) {
        match stated {
            HypervisorDecl::Version(version) => self.version = Some(*version),
            HypervisorDecl::HostInterface(interface) => self.interfaces.push(interface.clone()),
            HypervisorDecl::HostOnlyRanges(ranges) => self.ranges = Some(ranges.clone()),
            HypervisorDecl::NatNetwork(network) => self.nat_network_stated(context, network),
            // `hostonlyif create` says no name: an interface that is given an address is there.
            HypervisorDecl::HostOnly(new) if is_interface_change(new) && self.host_only(&new.name.value).is_none() => {
                self.host_only.push(new.clone());
            }
            HypervisorDecl::HostOnly(network) => {
                put(
                    context,
                    &mut self.host_only,
                    network,
                    |n| (&n.name, n.verb, n.span),
                    update_host_only,
                    &text!("network", "네트워크가"),
                );
            }
            // Every host-only interface has a server that no command made.
            HypervisorDecl::Dhcp(new) if is_server_change(new) && self.server(&new.network.value).is_none() => {
                self.servers.push(new.clone());
            }
            HypervisorDecl::Dhcp(server) => {
                put(
                    context,
                    &mut self.servers,
                    server,
                    |s| (&s.network, s.verb, s.span),
                    update_server,
                    &text!("DHCP server", "DHCP 서버가"),
                );
            }
        }
    }

    fn nat_network_stated(&mut self, context: &mut Context, network: &NatNetworkDecl) {
        let mut network = network.clone();
        // A new network has this mapping (VirtualBox 7.2.22 writes it unasked, and refuses it as a second one).
        if network.verb == Verb::Added {
            network.loopbacks.insert(0, Spanned::new((Ipv4Addr::LOCALHOST.into(), 2), network.name.span));
        }
        let mut problems = Context::default();
        let update = |known: &mut NatNetworkDecl, new: &NatNetworkDecl| update_nat_network(&mut problems, known, new);
        put(
            context,
            &mut self.nat_networks,
            &network,
            |n| (&n.name, n.verb, n.span),
            update,
            &text!("NAT network", "NAT 네트워크가"),
        );
        context.diagnostics.extend(problems.diagnostics);
    }

    /// The NAT network of that name.
    pub(super) fn nat_network(&self, name: &str) -> Option<&NatNetworkDecl> {
        self.nat_networks.iter().find(|n| n.name.value == name)
    }

    /// The host-only interface or network of that name.
    pub(super) fn host_only(&self, name: &str) -> Option<&HostOnlyDecl> {
        self.host_only.iter().find(|n| n.name.value == name)
    }

    /// The addresses that are handed out on a network, by the name that its DHCP server knows it under.
    pub(super) fn server(&self, network: &str) -> Option<&DhcpDecl> {
        self.servers.iter().find(|s| s.network.value == network)
    }

    /// The first address that is handed out on a network that machines call `name`.
    pub(super) fn first_leased(&self, name: &str) -> Option<IpAddr> {
        let interface = format!("HostInterfaceNetworking-{name}");
        let server = self.server(name).or_else(|| self.server(&interface)).filter(|s| is_on(s.enabled.as_ref()));
        let range = server.map(|s| &s.range).or_else(|| self.host_only(name).map(|n| &n.range))?;
        range.as_ref().map(|range| range.value.0)
    }
}

/// A release, and the place that says so; nothing if it is only assumed.
#[derive(Clone, Copy)]
pub(super) struct Release {
    pub(super) version: Version,
    pub(super) stated: Option<Span>,
}

impl Hypervisor {
    /// The release that runs a machine: what is stated about the host, else what wrote the machine's file, else what is
    /// assumed.
    pub(super) fn release(&self, context: &mut Context, machine: Option<&MachineDecl>) -> Release {
        if let Some(version) = self.version.or_else(|| machine.and_then(|m| m.written_by)) {
            return Release { version: version.value, stated: Some(version.span) };
        }
        let newest = if self.has_interfaces_on_macos { NEWEST_WITH_INTERFACES } else { NEWEST };
        context.assumed.insert(Assumption::VirtualBox(newest));
        Release { version: context.defaults.virtualbox.unwrap_or(newest), stated: None }
    }
}

fn is_server_change(server: &DhcpDecl) -> bool {
    server.verb == Verb::Changed && server.network.value.starts_with("HostInterfaceNetworking-")
}

fn is_interface_change(network: &HostOnlyDecl) -> bool {
    network.verb == Verb::Changed && !network.is_network
}

/// Not switched off.
pub(super) fn is_on(switch: Option<&Spanned<bool>>) -> bool {
    switch.is_none_or(|s| s.value)
}

/// Adds, changes or removes an entry as its verb says. A command that makes what another file states is the command
/// that made it.
fn put<T: Clone>(
    context: &mut Context,
    known: &mut Vec<T>,
    new: &T,
    key: impl Fn(&T) -> (&Spanned<String>, Verb, Span),
    update: impl FnOnce(&mut T, &T),
    what: &Text,
) {
    let (name, verb, span) = key(new);
    let names: Vec<String> = known.iter().map(|k| key(k).0.value.clone()).collect();
    let found = known.iter_mut().find(|k| key(k).0.value == name.value);
    match (verb, found) {
        (Verb::Removed, Some(_)) => known.retain(|k| key(k).0.value != name.value),
        (Verb::Removed | Verb::Changed, None) => context.report(unknown(what, name, &names)),
        (Verb::Added, Some(first)) if key(first).2.source == span.source => {
            context.report(twice(what, name, key(first).2))
        }
        (Verb::Added, Some(_)) => {}
        (Verb::Stated | Verb::Changed, Some(entry)) => update(entry, new),
        (Verb::Stated | Verb::Added, None) => known.push(new.clone()),
    }
}

fn keep<T: Clone>(known: &mut Option<T>, new: Option<&T>) {
    if let Some(new) = new {
        *known = Some(new.clone());
    }
}

fn update_nat_network(context: &mut Context, known: &mut NatNetworkDecl, new: &NatNetworkDecl) {
    keep(&mut known.network, new.network.as_ref());
    keep(&mut known.enabled, new.enabled.as_ref());
    keep(&mut known.dhcp, new.dhcp.as_ref());
    keep(&mut known.forward_at, new.forward_at.as_ref());
    new.removed_forwards.iter().for_each(|name| remove_forward(context, &mut known.forwards, name));
    new.forwards.iter().for_each(|forward| add_forward(context, &mut known.forwards, forward));
    for mapping in &new.loopbacks {
        if let Some(same) = known.loopbacks.iter().find(|m| m.value.0 == mapping.value.0) {
            if same.span.source == mapping.span.source {
                let name = Spanned::new(mapping.value.0.to_string(), mapping.span);
                context.report(twice(&text!("loopback mapping of", "루프백 매핑이"), &name, same.span));
            }
        } else {
            known.loopbacks.push(*mapping);
        }
    }
}

fn update_host_only(known: &mut HostOnlyDecl, new: &HostOnlyDecl) {
    keep(&mut known.address, new.address.as_ref());
    keep(&mut known.range, new.range.as_ref());
    keep(&mut known.up, new.up.as_ref());
    known.verb = new.verb;
}

fn update_server(known: &mut DhcpDecl, new: &DhcpDecl) {
    keep(&mut known.address, new.address.as_ref());
    keep(&mut known.range, new.range.as_ref());
    keep(&mut known.enabled, new.enabled.as_ref());
}
