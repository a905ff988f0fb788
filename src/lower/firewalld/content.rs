//! The entries of a zone or policy: services, ports, masquerade, forwards, blocked ICMP types.
//! Spec: specs/firewalld-zones.md, specs/firewalld-forward-ports.md.

use std::net::IpAddr;

use crate::dataplane::{Action, Hook, Match};
use crate::lab::{Content, Entry, Firewalld, ForwardPort, Peers, RuleBackend, Service};
use crate::language::text;
use crate::net::{Family, IpNet, PortRange, Protocol};
use crate::provenance::Origin;

use super::base::strict;
use super::rich_rule;
use super::writer::{Draft, Space, Writer, hook_name};

/// Where the entries of a zone or policy go: names of chains that have the five parts.
pub(super) struct Places {
    /// Name of the zone or policy.
    pub(super) owner: String,
    /// In the filter table.
    pub(super) filter: Option<String>,
    /// In the nat table, for rewritten destinations.
    pub(super) destination: Option<String>,
    /// In the nat table, for rewritten sources.
    pub(super) source: Option<String>,
    /// The hook of `filter` for packets whose destination was rewritten to this host.
    pub(super) from_host: bool,
}

/// Writes all entries. Source: firewalld 1.3.3 and 2.5.0 `src/firewall/core/fw_policy.py`, `_policy_settings`.
pub(super) fn write(writer: &mut Writer<'_>, firewalld: &Firewalld, places: &Places, content: &Content) {
    for service in &content.services {
        for matches in service_matches(writer.backend, &service.value) {
            allow(writer, places, service, format!("service `{}`", service.value.name), matches);
        }
    }
    for port in &content.ports {
        let (protocol, range) = port.value;
        allow(writer, places, port, format!("port {range}/{protocol}"), port_match(protocol, range));
    }
    if let Some(origin) = &content.masquerade {
        let entry = Entry { value: (), guard: None, origin: origin.clone() };
        let only = family_match(writer.backend, Family::V4);
        masquerade(writer, places, "allow", &entry, only);
    }
    plain_forward_ports(writer, firewalld, places, &content.forward_ports);
    for port in &content.source_ports {
        let (protocol, range) = port.value;
        allow(writer, places, port, format!("source port {range}/{protocol}"), source_port_match(protocol, range));
    }
    for block in &content.icmp_blocks {
        icmp_block(writer, places, content, block);
    }
    rich_rule::write(writer, firewalld, places, &content.rich_rules);
    plain_forward_ports(writer, firewalld, places, &content.later_forward_ports);
    for block in &content.later_icmp_blocks {
        icmp_block(writer, places, content, block);
    }
    for protocol in &content.protocols {
        let matches = vec![protocol_match(protocol.value)];
        allow(writer, places, protocol, format!("protocol {}", protocol.value), matches);
    }
}

fn plain_forward_ports(
    writer: &mut Writer<'_>,
    firewalld: &Firewalld,
    places: &Places,
    forwards: &[Entry<ForwardPort>],
) {
    for forward in forwards {
        let family = forward.value.to_address.map_or(Family::V4, Family::of);
        let only = family_match(writer.backend, family);
        forward_port(writer, firewalld, places, "allow", (forward, &forward.value), only);
    }
}

fn allow<T>(writer: &mut Writer<'_>, places: &Places, entry: &Entry<T>, what: String, matches: Vec<Match>) {
    let Some(filter) = &places.filter else { return };
    let chain = writer.chain(Space::Filter, &format!("{filter}_allow"));
    writer.entry(chain, entry, format!("{what} open in `{}`", places.owner), matches, Action::Accept);
}

/// One set of conditions for each destination and each thing that a service and those that it includes open. iptables'
/// own tables are IPv4 only.
pub(super) fn service_matches(backend: RuleBackend, service: &Service) -> Vec<Vec<Match>> {
    service.all().into_iter().flat_map(|service| own_matches(backend, service)).collect()
}

fn own_matches(backend: RuleBackend, service: &Service) -> Vec<Vec<Match>> {
    let wanted = |net: &&IpNet| backend == RuleBackend::Nftables || net.addr().is_ipv4();
    let destinations: Vec<Option<IpNet>> = if service.destinations.is_empty() {
        vec![None]
    } else {
        service.destinations.iter().filter(wanted).copied().map(Some).collect()
    };
    let ports = service.ports.iter().map(|(protocol, range)| port_match(*protocol, *range));
    let protocols = service.protocols.iter().map(|number| vec![protocol_match(*number)]);
    let source_ports = service.source_ports.iter().map(|(protocol, range)| source_port_match(*protocol, *range));
    let opened: Vec<Vec<Match>> = ports.chain(protocols).chain(source_ports).collect();
    let to = |net: Option<IpNet>| {
        opened.iter().map(move |opened| net.map(Match::Destination).into_iter().chain(opened.iter().cloned()).collect())
    };
    destinations.into_iter().flat_map(to).collect()
}

/// Which end of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Source,
    Destination,
}

/// The condition on one end of a packet; nothing if none of the addresses belongs to the tables at hand. Packets have no
/// hardware address here, and a set may hold more than networks: whether such a condition holds is not known.
pub(super) fn peers(writer: &mut Writer<'_>, peers: &Peers, origin: &Origin, end: End) -> Option<Match> {
    let make = |net: IpNet| match end {
        End::Source => Match::Source(net),
        End::Destination => Match::Destination(net),
    };
    match (peers, peers.nets()) {
        (Peers::Net(net), _) => in_reach(writer.backend, net.addr()).then(|| make(*net)),
        (_, Some(nets)) => {
            let nets = nets.iter().filter(|net| in_reach(writer.backend, net.addr()));
            Some(Match::AnyOf(nets.copied().map(make).collect()))
        }
        (_, None) => Some(writer.unmodeled(text!("the packet is of `{peers}`", "패킷이 `{peers}`에 속함"), origin)),
    }
}

/// Source ports of a protocol.
pub(super) fn source_port_match(protocol: Protocol, range: PortRange) -> Vec<Match> {
    vec![Match::Protocol(protocol), Match::SourcePort(range)]
}

/// Destination ports of a protocol.
pub(super) fn port_match(protocol: Protocol, range: PortRange) -> Vec<Match> {
    vec![Match::Protocol(protocol), Match::DestinationPort(range)]
}

/// A protocol by number.
pub(super) fn protocol_match(number: u8) -> Match {
    match number {
        1 => Match::Protocol(Protocol::Icmp),
        6 => Match::Protocol(Protocol::Tcp),
        17 => Match::Protocol(Protocol::Udp),
        132 => Match::Protocol(Protocol::Sctp),
        other => Match::ProtocolNumber(other),
    }
}

/// The family, which only the nftables backend has to name: `inet` tables see both.
pub(super) fn family_match(backend: RuleBackend, family: Family) -> Vec<Match> {
    if backend == RuleBackend::Nftables { vec![Match::Family(family)] } else { Vec::new() }
}

/// A masquerade in one part of the chain for rewritten sources.
pub(super) fn masquerade<T>(
    writer: &mut Writer<'_>,
    places: &Places,
    part: &str,
    entry: &Entry<T>,
    mut matches: Vec<Match>,
) {
    let Some(source) = &places.source else { return };
    let chain = writer.chain(Space::Nat, &format!("{source}_{part}"));
    matches.push(Match::OutInterface("lo".to_owned()).negated());
    writer.entry(chain, entry, format!("masquerade of `{}`", places.owner), matches, Action::Masquerade);
    writer.forward_ipv4(entry.guard, &entry.origin);
}

/// A port forward in one part of the chain for rewritten destinations; with `StrictForwardPorts` also the exception
/// that lets its packets pass.
///
/// Source: firewalld 2.5.0 `src/firewall/core/nftables.py`, `build_policy_forward_port_rules`.
pub(super) fn forward_port<T>(
    writer: &mut Writer<'_>,
    firewalld: &Firewalld,
    places: &Places,
    part: &str,
    (entry, forward): (&Entry<T>, &ForwardPort),
    mut matches: Vec<Match>,
) {
    let Some(destination) = &places.destination else { return };
    if writer.backend == RuleBackend::Iptables && forward.to_address.is_some_and(|a| a.is_ipv6()) {
        return;
    }
    let what = format!("forward of {}/{} in `{}`", forward.ports, forward.protocol, places.owner);
    matches.extend(port_match(forward.protocol, forward.ports));
    if forward.to_port.is_some_and(|to| to.count() > 1 && to != forward.ports) {
        let unknown = text!("{what} picks the same port for every connection", "{what}: 모든 연결에 같은 포트를 고름");
        matches.push(writer.unmodeled(unknown, &entry.origin));
    }
    let chain = writer.chain(Space::Nat, &format!("{destination}_{part}"));
    let action = rewrite(writer.backend, forward);
    writer.entry(chain, entry, what.clone(), matches, action);
    if forward.to_address.is_some_and(|a| a.is_ipv4()) {
        writer.forward_ipv4(entry.guard, &entry.origin);
    }
    if strict(firewalld) {
        let hook = match forward.to_address {
            _ if places.from_host => Hook::Output,
            Some(_) => Hook::Forward,
            None => Hook::Input,
        };
        let listed = writer.chain(Space::Filter, &format!("{}_dnat", hook_name(hook)));
        let origin = writer.because(what, &entry.origin);
        let matches = vec![Match::OriginalDestinationPort(forward.ports)];
        writer.insert(listed, Draft { matches, action: Action::Accept, guard: entry.guard, origin });
    }
}

/// A range that is forwarded to the same range keeps every port as it is. Without an address nftables redirects to the
/// incoming interface's, while iptables' `--to-destination :PORT` keeps the address.
fn rewrite(backend: RuleBackend, forward: &ForwardPort) -> Action {
    let port = forward.to_port.filter(|to| *to != forward.ports || to.count() == 1).map(|to| to.first);
    match (forward.to_address, backend) {
        (None, RuleBackend::Nftables) => Action::Redirect { port },
        (address, _) => Action::DestinationNat { address, port },
    }
}

fn icmp_block(writer: &mut Writer<'_>, places: &Places, content: &Content, block: &Entry<String>) {
    let Some(filter) = &places.filter else { return };
    let Some(matches) = icmp_match(&block.value) else { return };
    let (part, action) = if content.icmp_block_inversion {
        ("allow", Action::Accept)
    } else {
        ("deny", Action::Reject(writer.reject()))
    };
    let chain = writer.chain(Space::Filter, &format!("{filter}_{part}"));
    writer.entry(chain, block, format!("ICMP block `{}` of `{}`", block.value, places.owner), matches, action);
}

/// An ICMP type of IPv4 by firewalld's name. Codes are left out: only echo is ever probed, and it has none.
///
/// Source: firewalld 1.3.3 `src/firewall/core/nftables.py`, `ICMP_TYPES_FRAGMENTS`.
pub(super) fn icmp_match(name: &str) -> Option<Vec<Match>> {
    let number = match name {
        "echo-reply" => 0,
        "echo-request" => 8,
        "source-quench" => 4,
        "router-advertisement" => 9,
        "router-solicitation" => 10,
        "timestamp-request" => 13,
        "timestamp-reply" => 14,
        "time-exceeded" | "ttl-zero-during-reassembly" | "ttl-zero-during-transit" => 11,
        "parameter-problem" | "ip-header-bad" | "required-option-missing" => 12,
        "redirect" | "host-redirect" | "network-redirect" | "tos-host-redirect" | "tos-network-redirect" => 5,
        "communication-prohibited"
        | "destination-unreachable"
        | "fragmentation-needed"
        | "host-precedence-violation"
        | "host-prohibited"
        | "host-unknown"
        | "host-unreachable"
        | "network-prohibited"
        | "network-unknown"
        | "network-unreachable"
        | "port-unreachable"
        | "precedence-cutoff"
        | "protocol-unreachable"
        | "source-route-failed"
        | "tos-host-unreachable"
        | "tos-network-unreachable" => 3,
        _ => return None,
    };
    Some(vec![Match::Protocol(Protocol::Icmp), Match::IcmpType(number)])
}

/// Whether a rule about these addresses belongs to the tables at hand.
pub(super) fn in_reach(backend: RuleBackend, address: IpAddr) -> bool {
    backend == RuleBackend::Nftables || address.is_ipv4()
}

/// An address as firewalld writes it: without a prefix length when it is a single one.
pub(super) fn address_text(net: IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}
