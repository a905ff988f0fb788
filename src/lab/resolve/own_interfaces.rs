//! Interfaces of a host as lab.yaml states them, completed by what the host's own system says: netplan, `ip addr` and
//! the like. lab.yaml wins, then listings of what is there, then files. Spec: specs/guest-network.md.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lab::declaration::InterfaceDecl;
use crate::lab::interface_config::{ConfigSource, InterfaceConfig};
use crate::lab::machine::{AdapterDecl, MachineDecl, ModeKind};
use crate::lab::{Declaration, HostId, Unmodeled};
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::source::Spanned;

use super::Context;
use super::bind::HostPlan;

/// Completes the interfaces and routes of a host.
pub(super) fn complete(context: &mut Context, id: HostId, host: &mut HostPlan<'_>) {
    let stated = host.declaration.map_or_else(Vec::new, |d| d.interfaces.clone());
    let configs: Vec<&InterfaceConfig> = host
        .declarations()
        .filter_map(|d| if let Declaration::InterfaceConfig(config) = d { Some(config.as_ref()) } else { None })
        .filter(|config| !is_made_by_a_product(host, config))
        .collect();
    host.routes = host.declaration.map_or_else(Vec::new, |d| d.routes.clone());
    host.routes.extend(configs.iter().flat_map(|config| &config.routes).copied());
    if configs.is_empty() {
        host.interfaces = stated;
        return;
    }
    let targets = targets(host, stated, &configs);
    let mut used = vec![false; configs.len()];
    let all_routes = configs.iter().find(|config| config.source == ConfigSource::Routes).map(|config| config.span);
    for target in targets {
        let mut own = Vec::new();
        for (config, used) in configs.iter().zip(&mut used).filter(|(config, _)| target.is_meant_by(config)) {
            *used = true;
            own.push(*config);
        }
        let mut interface = target.interface;
        fill(&mut interface, &own);
        if let (Some(span), None, None) = (all_routes, interface.gateway, interface.default_route) {
            interface.default_route = Some(Spanned::new(false, span));
        }
        host.interfaces.push(interface);
    }
    for (config, _) in configs.iter().zip(&used).filter(|(_, used)| !**used) {
        left_over(context, id, host, config);
    }
}

/// An interface that configuration can be about.
struct Target {
    interface: InterfaceDecl,
    /// What it may be called.
    names: Vec<String>,
    mac: Option<String>,
}

impl Target {
    fn is_meant_by(&self, config: &InterfaceConfig) -> bool {
        let is_named = || self.names.iter().any(|name| config.names(name));
        match (&config.mac, &self.mac) {
            (Some(mac), Some(own)) => mac.value == *own,
            _ => is_named(),
        }
    }
}

/// The adapters of a virtual machine, or whatever is configured on another host; and what only lab.yaml knows.
fn targets(host: &HostPlan<'_>, stated: Vec<InterfaceDecl>, configs: &[&InterfaceConfig]) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut left = stated;
    let adapters = host.machine.map_or(&[][..], |machine| &machine.adapters);
    for (ordinal, adapter) in adapters.iter().filter(|adapter| adapter.enabled).enumerate() {
        let guessed = vec![guest_name(adapter.slot), kernel_name(ordinal)];
        let number = adapter.slot.saturating_add(1);
        let is_it = |decl: &InterfaceDecl| match &decl.adapter {
            Some(stated) => stated.value == number,
            None => guessed.contains(&decl.name.value),
        };
        let mac = adapter.hardware_address();
        let listed = configs.iter().filter(|c| mac.is_some() && c.mac.as_ref().map(|m| &m.value) == mac.as_ref());
        let listed = listed.filter_map(|config| config.name.clone()).find(is_plain);
        let stated = left.iter().position(is_it).map(|at| left.remove(at));
        let names = match (&stated, &listed) {
            (Some(decl), _) => vec![decl.name.value.clone()],
            (None, Some(name)) => vec![name.value.clone()],
            (None, None) => guessed.clone(),
        };
        let named = configs.iter().filter_map(|config| config.name.clone()).find(|name| guessed.contains(&name.value));
        let name = listed.or(named).unwrap_or_else(|| Spanned::new(guest_name(adapter.slot), adapter.span));
        let mut interface =
            stated.unwrap_or_else(|| InterfaceDecl { is_read: true, ..InterfaceDecl::new(name, adapter.span) });
        interface.adapter = interface.adapter.or(Some(Spanned::new(number, adapter.span)));
        targets.push(Target { interface, names, mac });
    }
    targets.extend(left.into_iter().map(|interface| {
        let names = vec![interface.name.value.clone()];
        Target { interface, names, mac: None }
    }));
    if host.machine.is_none() {
        for config in configs {
            add_configured(&mut targets, config);
        }
    }
    targets
}

/// On a host whose adapters nobody lists, an interface is there because it is configured and has an address or gets one.
fn add_configured(targets: &mut Vec<Target>, config: &InterfaceConfig) {
    let has_address = !config.addresses.is_empty() || config.dhcp.is_some_and(|dhcp| dhcp.value);
    let Some(name) = config.name.as_ref().filter(|name| has_address && is_plain(name)) else { return };
    if targets.iter().any(|target| target.names.contains(&name.value)) {
        return;
    }
    let interface = InterfaceDecl { is_read: true, ..InterfaceDecl::new(name.clone(), config.span) };
    let mac = config.mac.as_ref().map(|mac| mac.value.clone());
    targets.push(Target { interface, names: vec![name.value.clone()], mac });
}

fn is_plain(name: &Spanned<String>) -> bool {
    !name.value.contains(['*', '?'])
}

/// Takes over what the host's system says and lab.yaml does not.
fn fill(interface: &mut InterfaceDecl, configs: &[&InterfaceConfig]) {
    let of = |source| configs.iter().filter(move |config| config.source == source);
    let mut addresses: Vec<_> = of(ConfigSource::Addresses).flat_map(|config| config.addresses.clone()).collect();
    let mut dhcp = of(ConfigSource::Addresses).next().map(|config| Spanned::new(false, config.span));
    let listed = of(ConfigSource::Routes).next();
    for config in of(ConfigSource::File) {
        if of(ConfigSource::Addresses).next().is_none() {
            addresses.extend(config.addresses.iter().copied());
            dhcp = config.dhcp.or(dhcp);
        }
        if listed.is_none() {
            interface.default_route = config.default_route.or(interface.default_route);
            interface.metric = config.metric.or(interface.metric);
            interface.gateway = interface.gateway.or(config.gateway);
        }
    }
    if let Some(listed) = listed {
        interface.metric = listed.metric;
        interface.gateway = interface.gateway.or(listed.gateway);
        interface.default_route = Some(Spanned::new(interface.gateway.is_some(), listed.span));
    }
    if interface.addresses.is_empty() {
        interface.addresses = addresses;
        interface.dhcp = dhcp;
    }
}

/// The subnet and the router of the LAN that a bridged machine is configured for.
pub(super) fn lan(host: &HostPlan<'_>) -> Option<(IpNet, Option<IpAddr>)> {
    let is_bridged = |interface: &&InterfaceDecl| {
        let slot = interface.adapter.and_then(|number| number.value.checked_sub(1));
        let adapters = host.machine.map_or(&[][..], |machine| &machine.adapters);
        adapters.iter().any(|a| a.enabled && Some(a.slot) == slot && a.mode.kind() == ModeKind::Bridged)
    };
    let interface = host.interfaces.iter().filter(is_bridged).find(|i| i.is_read && !i.addresses.is_empty())?;
    let subnet = interface.addresses.first()?.value.trunc();
    Some((subnet, interface.gateway.map(|gateway| gateway.value).filter(|gateway| subnet.contains(gateway))))
}

/// What is configured and is no interface of the host as far as anybody knows.
fn left_over(context: &mut Context, id: HostId, host: &HostPlan<'_>, config: &InterfaceConfig) {
    let says_much = !config.addresses.is_empty() || config.gateway.is_some() || !config.routes.is_empty();
    let Some(machine) = host.machine else { return };
    match config.source {
        ConfigSource::File => context.report(no_such_adapter(config, machine)),
        ConfigSource::Addresses | ConfigSource::Routes if says_much => {
            let name = config.name.as_ref().map_or("?", |name| name.value.as_str());
            let what = text!(
                "interface `{name}`, which is no adapter of `{host}`",
                "`{host}`의 어댑터가 아닌 인터페이스 `{name}`",
                host = &host.name
            );
            context.unmodeled.push(Unmodeled { what, span: config.span, host: Some(id) });
        }
        ConfigSource::Addresses | ConfigSource::Routes => {}
    }
}

/// Interfaces that come with what else is known about the host: the loopback and those of container networks.
fn is_made_by_a_product(host: &HostPlan<'_>, config: &InterfaceConfig) -> bool {
    let Some(name) = config.name.as_ref().map(|name| name.value.as_str()) else { return false };
    let of_network = |rest: &str| rest.len() == 12 && rest.bytes().all(|b| b.is_ascii_hexdigit());
    let is_bridge = |declaration: &Declaration| match declaration {
        Declaration::Network(network) => network.bridge.as_ref().is_some_and(|bridge| bridge.value == name),
        _ => false,
    };
    matches!(name, "lo" | "docker0" | "docker_gwbridge")
        || name.starts_with("veth")
        || name.strip_prefix("br-").is_some_and(of_network)
        || host.declarations().any(is_bridge)
}

/// The name that Linux gives an adapter, after its PCI slot: 3, 8, 9, 10, then 16 to 19 (VirtualBox 7,
/// src/VBox/Main/src-client/ConsoleImplConfigCommon.cpp, "the first network card gets the PCI ID 3").
pub(super) fn guest_name(slot: u8) -> String {
    let device = match slot {
        0 => 3,
        1..=3 => slot + 7,
        _ => slot.saturating_add(12),
    };
    format!("enp0s{device}")
}

/// The name in images whose kernel is started with `net.ifnames=0`, as most Vagrant boxes are: in the order of the slots
/// (chef/bento, packer_templates: `GRUB_CMDLINE_LINUX="net.ifnames=0 biosdevname=0"`).
pub(super) fn kernel_name(ordinal: usize) -> String {
    format!("eth{ordinal}")
}

fn no_such_adapter(config: &InterfaceConfig, machine: &MachineDecl) -> Diagnostic {
    let name = config.name.as_ref().or(config.mac.as_ref());
    let shown = name.map_or("?", |name| name.value.as_str());
    let enabled = machine.adapters.iter().filter(|adapter| adapter.enabled).enumerate();
    let either = |(at, adapter): (usize, &AdapterDecl)| {
        let (guest, kernel) = (guest_name(adapter.slot), kernel_name(at));
        text!("{guest} or {kernel}", "{guest} 또는 {kernel}")
    };
    let names: Vec<Text> = enabled.map(either).collect();
    let names = Text::joined(&names, &", ".into());
    let message = text!(
        "no adapter of `{machine}` is `{shown}`",
        "`{machine}`에 `{shown}` 어댑터가 없습니다",
        machine = &machine.name.value
    );
    let diagnostic = Diagnostic::new(Code::LabUnknownName, message)
        .label(
            name.map_or(config.span, |name| name.span),
            text!("this configures nothing", "이것으로 설정되는 것이 없음"),
        )
        .help(text!(
            "its adapters are {names}; `interfaces: {{{shown}: {{adapter: 1}}}}` in lab.yaml says otherwise",
            "있는 어댑터: {names}. 다르다면 lab.yaml에 `interfaces: {{{shown}: {{adapter: 1}}}}`처럼 적으십시오"; names
        ));
    Diagnostic { severity: Severity::Warning, ..diagnostic }
}
