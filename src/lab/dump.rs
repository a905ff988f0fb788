//! The lab as text, for `--emit lab` and for snapshots: one line per thing, stable order, `#` before the place it
//! comes from.

use std::fmt::Display;

use crate::net::{PortRange, Protocol};
use crate::provenance::{Basis, Origin};
use crate::source::Sources;
use crate::switch::{SwitchId, SwitchKind};

use super::firewall::{Content, Service};
use super::tunnel::Tunnel;
use super::{
    Attachment, Container, ContainerNetwork, Engine, Entry, Firewalld, Forward, ForwardPort, Forwarding, Host,
    HostFirewall, HostKind, Interface, Lab, Networking, Policy, Process, Publish, Segment, VmNat, Wsl, Zone,
};

/// Everything in a lab.
pub fn dump(lab: &Lab, sources: &Sources) -> String {
    let printer = Printer { lab, sources };
    let mut lines: Vec<String> = lab.segments.iter().map(|segment| printer.segment(segment)).collect();
    lines.extend(lab.hosts.iter().flat_map(|host| printer.host(host)));
    lines.extend(lab.groups.iter().map(|group| format!("group {}: {}", group.name, group.members.join(", "))));
    lines.extend(printer.switches());
    lines.extend(lab.unmodeled.iter().map(|thing| {
        let host = thing.host.map_or(String::new(), |id| format!(" on {}", lab.host(id).name));
        format!("unmodeled {}{host}  # {}", thing.what, sources.place(thing.span))
    }));
    lines.extend(
        lab.sentences.iter().map(|s| format!("sentence {}  # {}", s.sentence.value, sources.place(s.sentence.span))),
    );
    lines.into_iter().map(|line| line + "\n").collect()
}

fn any(value: Option<impl Display>) -> String {
    value.map_or("*".to_owned(), |value| value.to_string())
}

fn listed(word: &str, values: impl IntoIterator<Item = impl Display>) -> String {
    values.into_iter().map(|value| format!(" {word}{value}")).collect()
}

fn guarded(guard: Option<SwitchId>) -> String {
    guard.map_or(String::new(), |id| format!(" [if s{}]", id.0))
}

/// The words of the flags that are set.
fn flags(flags: &[(bool, &str)]) -> String {
    listed("", flags.iter().filter(|(set, _)| *set).map(|(_, word)| word))
}

struct Printer<'a> {
    lab: &'a Lab,
    sources: &'a Sources,
}

impl Printer<'_> {
    fn explained(&self, line: &str, origin: &Origin) -> String {
        let place = origin.span().map(|span| self.sources.place(span));
        let basis = match origin.basis {
            Basis::Written(_) => "",
            Basis::Implied { .. } => "implied",
            Basis::Assumed { .. } => "assumed",
            Basis::Missing { .. } => "missing",
        };
        let ground: Vec<_> = [basis, place.as_deref().unwrap_or("")].into_iter().filter(|s| !s.is_empty()).collect();
        if ground.is_empty() { line.to_owned() } else { format!("{line}  # {}", ground.join(" ")) }
    }

    fn segment(&self, segment: &Segment) -> String {
        let line = format!("segment {} {:?}{}", segment.name, segment.kind, listed("", &segment.subnets));
        self.explained(&line, &segment.origin) + &segment.forwarding.as_ref().map_or(String::new(), |f| self.kept(f))
    }

    fn kept(&self, forwarding: &Forwarding) -> String {
        let Forwarding { on, interface, mode, by, origin } = forwarding;
        let on = &self.lab.host(*on).name;
        format!("\n{}", self.explained(&format!("  kept by {on} as {interface} {mode:?} {by:?}"), origin))
    }

    fn host(&self, host: &Host) -> Vec<String> {
        let kind = match host.kind {
            HostKind::Physical => "physical".to_owned(),
            HostKind::Router => "router".to_owned(),
            HostKind::Vm { on } => format!("vm on {}", self.lab.host(on).name),
        };
        let forward = flags(&[(host.ip_forward, "ip_forward")]);
        let mut lines =
            vec![self.explained(&format!("host {} {kind} {:?}{forward}", host.name, host.os), &host.origin)];
        lines.extend(host.interfaces.iter().flat_map(|interface| self.interface(interface)));
        lines.extend(host.routes.iter().map(|(net, gateway)| format!("  route {net} via {gateway}")));
        lines.extend(host.wsl.iter().map(|wsl| self.wsl(wsl)));
        lines.extend(host.firewall.iter().map(|firewall| self.firewall(firewall)));
        lines.extend(host.tunnels.iter().map(|tunnel| self.tunnel(tunnel)));
        lines.extend(host.processes.iter().flat_map(|process| self.process("  ", process)));
        lines.extend(host.engine.iter().flat_map(|engine| self.engine(engine)));
        lines.extend(host.firewalld.iter().flat_map(|firewalld| self.firewalld(firewalld)));
        lines.extend(host.events.iter().map(|event| format!("  event {event:?}")));
        lines
    }

    fn wsl(&self, wsl: &Wsl) -> String {
        let localhost = (wsl.localhost_forwarding, "localhost-forwarding");
        let options = flags(&[localhost, (wsl.host_address_loopback, "host-address-loopback")]);
        self.explained(&format!("  wsl {:?}{options}", wsl.mode), &wsl.origin)
    }

    fn firewall(&self, firewall: &HostFirewall) -> String {
        let allowed = listed("", firewall.allowed.iter().map(|(protocol, ports)| format!("{protocol} {ports}")));
        let line = format!("  firewall{allowed}{}", guarded(firewall.lets_in));
        self.explained(&line, &firewall.origin)
    }

    fn tunnel(&self, tunnel: &Tunnel) -> String {
        let address = tunnel.listen_address.map_or("*".to_owned(), |address| address.to_string());
        let (to, port) = tunnel.to;
        let from = &self.lab.host(tunnel.from).name;
        let line = format!("  tunnel {address}:{} to {to}:{port} dialled by {from}", tunnel.listen_port);
        self.explained(&line, &tunnel.origin)
    }

    fn interface(&self, interface: &Interface) -> Vec<String> {
        let attachment = match &interface.attachment {
            Attachment::Segment(id) => format!("on {}", self.lab.segment(*id).name),
            Attachment::Nat(_) => "behind NAT".to_owned(),
            Attachment::Mirrored => "mirrored".to_owned(),
            Attachment::Unattached => "unattached".to_owned(),
        };
        let addresses = listed("", interface.addresses.iter().map(|address| address.net));
        let gateway = listed("gateway ", interface.gateway);
        let metric = listed("metric ", interface.metric);
        let unplugged = flags(&[(!interface.connected, "disconnected")]);
        let line = format!("  interface {} {attachment}{addresses}{gateway}{metric}{unplugged}", interface.name);
        let mut lines = vec![self.explained(&line, &interface.origin)];
        if let Attachment::Nat(nat) = &interface.attachment {
            lines.extend(self.nat(nat));
        }
        lines
    }

    fn nat(&self, nat: &VmNat) -> Vec<String> {
        let localhost = flags(&[(nat.localhost_reachable, "localhost-reachable")]);
        let line = format!("    nat {:?} {} gateway {}{localhost}", nat.engine, nat.network, nat.gateway);
        let mut lines = vec![self.explained(&line, &nat.origin)];
        lines.extend(nat.forwards.iter().map(|forward| self.forward(forward)));
        lines
    }

    fn forward(&self, forward: &Forward) -> String {
        let Forward { name, protocol, host_port, guest_port, .. } = forward;
        let (from, to) = (any(forward.host_address), any(forward.guest_address));
        let line = format!("    forward {name} {protocol} {from}:{host_port} -> {to}:{guest_port}");
        self.explained(&(line + &guarded(forward.guard)), &forward.origin)
    }

    fn process(&self, indent: &str, process: &Process) -> Vec<String> {
        let mut lines = vec![self.explained(&format!("{indent}process {}", process.name), &process.origin)];
        lines.extend(process.listens.iter().map(|listen| {
            let line = format!("{indent}  listens {} {}:{}", listen.protocol, any(listen.address), listen.ports);
            self.explained(&(line + &guarded(listen.guard)), &listen.origin)
        }));
        lines
    }

    fn engine(&self, engine: &Engine) -> Vec<String> {
        let options = &engine.options;
        let options = flags(&[
            (!options.iptables, "iptables=false"),
            (!options.ip_forward, "ip-forward=false"),
            (options.ip_forward_no_drop, "ip-forward-no-drop"),
            (!options.ip_masq, "ip-masq=false"),
            (!options.icc, "icc=false"),
            (!options.userland_proxy, "userland-proxy=false"),
            (options.allow_direct_routing, "allow-direct-routing"),
        ]) + &listed("ip=", options.publish_address);
        let line = format!("  engine docker {} {:?}{options}", engine.version, engine.options.backend);
        let mut lines = vec![self.explained(&line, &engine.origin)];
        lines.extend(engine.networks.iter().map(|network| self.network(network)));
        lines.extend(engine.containers.iter().flat_map(|container| self.container(engine, container)));
        lines
    }

    fn network(&self, network: &ContainerNetwork) -> String {
        let ContainerNetwork { name, bridge, subnet, gateway, gateway_mode, .. } = network;
        let facts = flags(&[
            (network.internal, "internal"),
            (!network.icc, "icc=false"),
            (!network.masquerade, "masquerade=false"),
            (network.is_default_bridge, "default"),
        ]) + &listed("ip=", network.publish_address)
            + &listed("on interface ", network.parent);
        let line = format!("    network {name} {bridge} {subnet} gateway {gateway} {gateway_mode:?}{facts}");
        self.explained(&line, &network.origin)
    }

    fn container(&self, engine: &Engine, container: &Container) -> Vec<String> {
        let aliases = listed("alias ", &container.aliases);
        let image = listed("image ", container.image.as_ref().map(|image| &image.value));
        let line = format!("    container {}{aliases}{image}", container.name);
        let mut lines = vec![self.explained(&line, &container.origin)];
        lines.extend(self.networking(engine, &container.networking));
        lines.extend(container.publishes.iter().map(|publish| self.publish(publish)));
        lines.extend(container.extra_hosts.iter().map(|(name, address)| format!("      name {name} = {address}")));
        lines.extend(container.processes.iter().flat_map(|process| self.process("      ", process)));
        lines
    }

    fn networking(&self, engine: &Engine, networking: &Networking) -> Vec<String> {
        match networking {
            Networking::Host(origin) => vec![self.explained("      network of the host", origin)],
            Networking::None(origin) => vec![self.explained("      no network", origin)],
            Networking::Container(index, origin) => {
                let name = engine.containers.get(*index).map_or("?", |container| container.name.as_str());
                vec![self.explained(&format!("      network of container {name}"), origin)]
            }
            Networking::Bridges(endpoints) => endpoints
                .iter()
                .map(|endpoint| {
                    let network = engine.networks.get(endpoint.network).map_or("?", |network| network.name.as_str());
                    let names = listed("name ", &endpoint.names);
                    let line = format!("      endpoint {network} {}{names}", endpoint.address);
                    self.explained(&(line + &guarded(endpoint.guard)), &endpoint.origin)
                })
                .collect(),
        }
    }

    fn publish(&self, publish: &Publish) -> String {
        let (address, port) = (any(publish.host_address), any(publish.host_port));
        let line = format!("      publish {address}:{port} -> {} {}", publish.container_port, publish.protocol);
        self.explained(&(line + &guarded(publish.guard)), &publish.origin)
    }

    fn firewalld(&self, firewalld: &Firewalld) -> Vec<String> {
        let strict = flags(&[(firewalld.strict_forward_ports, "strict-forward-ports")]);
        let Firewalld { version, backend, default_zone, .. } = firewalld;
        let line = format!("  firewalld {version} {backend:?} default zone {default_zone}{strict}");
        let mut lines = vec![self.explained(&line, &firewalld.origin)];
        lines.extend(firewalld.zones.iter().flat_map(|(name, zone)| self.zone(name, zone)));
        lines.extend(firewalld.policies.iter().flat_map(|(name, policy)| self.policy(name, policy)));
        lines
    }

    fn zone(&self, name: &str, zone: &Zone) -> Vec<String> {
        let forward = flags(&[(zone.forward, "forward")]);
        let mut lines = vec![self.explained(&format!("    zone {name} {:?}{forward}", zone.target), &zone.origin)];
        lines.extend(zone.interfaces.iter().map(|entry| self.entry("interface", &entry.value, entry)));
        lines.extend(zone.sources.iter().map(|entry| self.entry("source", &entry.value, entry)));
        lines.extend(self.content(&zone.content));
        lines
    }

    fn policy(&self, name: &str, policy: &Policy) -> Vec<String> {
        let line = format!("    policy {name} {:?} priority {}", policy.target, policy.priority);
        let mut lines = vec![self.explained(&line, &policy.origin)];
        lines.extend(policy.ingress.iter().map(|entry| self.entry("ingress", &entry.value, entry)));
        lines.extend(policy.egress.iter().map(|entry| self.entry("egress", &entry.value, entry)));
        lines.extend(self.content(&policy.content));
        lines
    }

    fn content(&self, content: &Content) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in &content.services {
            let parts: Vec<String> = entry.value.all().into_iter().rev().map(service).collect();
            lines.push(self.entry("service", parts.join(" with "), entry));
        }
        for (word, entries) in [("port", &content.ports), ("source-port", &content.source_ports)] {
            let port = |(protocol, ports)| format!("{ports}/{protocol}");
            lines.extend(entries.iter().map(|entry| self.entry(word, port(entry.value), entry)));
        }
        lines.extend(content.protocols.iter().map(|entry| self.entry("protocol", entry.value, entry)));
        lines.extend(content.masquerade.iter().map(|origin| self.explained("      masquerade", origin)));
        for entry in content.forward_ports.iter().chain(&content.later_forward_ports) {
            lines.push(self.entry("forward-port", forward_port(&entry.value), entry));
        }
        lines.extend(
            content
                .icmp_blocks
                .iter()
                .chain(&content.later_icmp_blocks)
                .map(|entry| self.entry("icmp-block", &entry.value, entry)),
        );
        lines.extend(content.icmp_block_inversion.then(|| "      icmp-block-inversion".to_owned()));
        // Rich rules are printed as they are kept: their text in the file stands at the place that is named.
        lines.extend(content.rich_rules.iter().map(|entry| self.entry("rule", format!("{:?}", entry.value), entry)));
        lines
    }

    fn entry<T>(&self, word: &str, value: impl Display, entry: &Entry<T>) -> String {
        self.explained(&format!("      {word} {value}{}", guarded(entry.guard)), &entry.origin)
    }

    fn switches(&self) -> impl Iterator<Item = String> {
        self.lab.switches.iter().map(|(id, switch)| {
            let kind = match switch.kind {
                SwitchKind::Assumption => "assumption",
                SwitchKind::Edit => "edit",
                SwitchKind::Unmodeled => "unmodeled",
            };
            let default = if switch.default { "on" } else { "off" };
            self.explained(&format!("switch s{} {kind}, {default}: {}", id.0, switch.statement), &switch.origin)
        })
    }
}

fn service(service: &Service) -> String {
    let port = |(protocol, ports): &(Protocol, PortRange)| format!("{ports}/{protocol}");
    let ports = listed("", service.ports.iter().map(port));
    let protocols = listed("protocol ", &service.protocols);
    let source_ports = listed("from port ", service.source_ports.iter().map(port));
    let destinations = listed("to ", &service.destinations);
    format!("{}{ports}{protocols}{source_ports}{destinations}", service.name)
}

fn forward_port(forward: &ForwardPort) -> String {
    let ForwardPort { protocol, ports, to_port, to_address } = forward;
    format!("{ports}/{protocol} -> {}:{}", any(*to_address), any(*to_port))
}
