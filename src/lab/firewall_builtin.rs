//! What firewalld brings along: zones, policies and services, as shipped in `/usr/lib/firewalld`.
//!
//! Taken from the files of firewalld 1.3.3 and 2.5.2; their zones, and the policies that concern our packets, say the
//! same (2.5.2 also has five policies `gateway-…`, which are disabled). The zone `nm-shared` comes with NetworkManager.
//! Services are data; whoever uses them need not know the files. What lies between the two releases is taken for the
//! nearer one: until 1.x the former, from 2.0 the latter.

use std::net::IpAddr;

use crate::net::{IpNet, PortRange, Protocol, Version};

use super::{Service, Target};

/// Where the facts of this module come from, for origins.
pub const CITATION: &str = "firewalld 1.3.3 and 2.5.2, /usr/lib/firewalld";

/// A zone that is there without a file of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltinZone {
    /// Its name.
    pub name: &'static str,
    /// What happens in the end.
    pub target: Target,
    /// Forwarding between its interfaces and sources.
    pub forward: bool,
    /// Masquerading.
    pub masquerade: bool,
    /// Names of its services.
    pub services: &'static [&'static str],
}

const fn zone_of(name: &'static str, target: Target, services: &'static [&'static str]) -> BuiltinZone {
    BuiltinZone { name, target, forward: true, masquerade: false, services }
}

const HOME: &[&str] = &["ssh", "mdns", "samba-client", "dhcpv6-client"];

const ZONES: [BuiltinZone; 9] = [
    zone_of("block", Target::Reject, &[]),
    zone_of("dmz", Target::Default, &["ssh"]),
    zone_of("drop", Target::Drop, &[]),
    BuiltinZone { masquerade: true, ..zone_of("external", Target::Default, &["ssh"]) },
    zone_of("home", Target::Default, HOME),
    zone_of("internal", Target::Default, HOME),
    zone_of("public", Target::Default, &["ssh", "dhcpv6-client"]),
    zone_of("trusted", Target::Accept, &[]),
    zone_of("work", Target::Default, &["ssh", "dhcpv6-client"]),
];

/// The built-in zone of that name.
pub fn zone(name: &str) -> Option<BuiltinZone> {
    ZONES.into_iter().find(|zone| zone.name == name)
}

/// Every built-in zone, by name.
pub fn zones() -> impl Iterator<Item = BuiltinZone> {
    ZONES.into_iter()
}

/// A policy that is there without a file of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltinPolicy {
    /// Its name.
    pub name: &'static str,
    /// Its place in the order.
    pub priority: i32,
    /// What happens in the end.
    pub target: Target,
    /// Where packets come from.
    pub ingress: &'static str,
    /// Where packets go to.
    pub egress: &'static str,
}

/// The built-in policies. `allow-host-ipv6` accepts neighbour discovery and ICMPv6 redirects (by rich rules about ICMP
/// types that no packet of the model is) and continues with everything else.
pub const POLICIES: [BuiltinPolicy; 1] = [BuiltinPolicy {
    name: "allow-host-ipv6",
    priority: -15000,
    target: Target::Continue,
    ingress: "ANY",
    egress: "HOST",
}];

/// Names of the ICMP types of both releases (2.5.2 has four more, of IPv6).
pub const ICMP_TYPES: [&str; 49] = [
    "address-unreachable",
    "bad-header",
    "beyond-scope",
    "communication-prohibited",
    "destination-unreachable",
    "echo-reply",
    "echo-request",
    "failed-policy",
    "fragmentation-needed",
    "host-precedence-violation",
    "host-prohibited",
    "host-redirect",
    "host-unknown",
    "host-unreachable",
    "ip-header-bad",
    "mld-listener-done",
    "mld-listener-query",
    "mld-listener-report",
    "mld2-listener-report",
    "neighbour-advertisement",
    "neighbour-solicitation",
    "network-prohibited",
    "network-redirect",
    "network-unknown",
    "network-unreachable",
    "no-route",
    "packet-too-big",
    "parameter-problem",
    "port-unreachable",
    "precedence-cutoff",
    "protocol-unreachable",
    "redirect",
    "reject-route",
    "required-option-missing",
    "router-advertisement",
    "router-solicitation",
    "source-quench",
    "source-route-failed",
    "time-exceeded",
    "timestamp-reply",
    "timestamp-request",
    "tos-host-redirect",
    "tos-host-unreachable",
    "tos-network-redirect",
    "tos-network-unreachable",
    "ttl-zero-during-reassembly",
    "ttl-zero-during-transit",
    "unknown-header-type",
    "unknown-option",
];

/// One service a line: name, ports, included services, destinations, everything else, and the release if the two say
/// different things.
const SERVICES: &str = include_str!("firewalld-services.tsv");

/// A line of the table.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    ports: &'static str,
    includes: &'static str,
    destinations: &'static str,
    other: &'static str,
    release: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    SERVICES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Row {
            name: next()?,
            ports: next()?,
            includes: next()?,
            destinations: next()?,
            other: next()?,
            release: next()?,
        })
    })
}

fn is_of(row: Row, version: Version) -> bool {
    let release = if version < Version::new(2, 0, 0) { "1.3.3" } else { "2.5.2" };
    row.release.is_empty() || row.release == release
}

fn items(field: &'static str) -> impl Iterator<Item = &'static str> {
    field.split(',').filter(|item| !item.is_empty())
}

/// The built-in service of that name, without those that it includes, and the names of these. Helpers are left out:
/// they look into connections that are open already.
pub fn service(name: &str, version: Version) -> Option<(Service, Vec<&'static str>)> {
    let row = rows().find(|row| row.name == name && is_of(*row, version))?;
    let other = |kind: &'static str| items(row.other).filter_map(move |item| item.strip_prefix(kind));
    let service = Service {
        name: row.name.to_owned(),
        ports: items(row.ports).filter_map(port).collect(),
        protocols: other("protocol ").filter_map(protocol).collect(),
        source_ports: other("source port ").filter_map(port).collect(),
        destinations: items(row.destinations).filter_map(network).collect(),
        included: Vec::new(),
    };
    Some((service, items(row.includes).collect()))
}

/// Names of all built-in services of a release.
pub fn services(version: Version) -> impl Iterator<Item = &'static str> {
    rows().filter(move |row| is_of(*row, version)).map(|row| row.name)
}

/// A protocol of the table, by its name in /etc/protocols.
fn protocol(name: &str) -> Option<u8> {
    Some(match name {
        "igmp" => 2,
        "gre" => 47,
        "esp" => 50,
        "ah" => 51,
        "vrrp" => 112,
        number => number.parse().ok()?,
    })
}

fn port(item: &str) -> Option<(Protocol, PortRange)> {
    let (ports, protocol) = item.split_once('/')?;
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    Some((protocol.parse().ok()?, PortRange::new(first.parse().ok()?, last.parse().ok()?)?))
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Version = Version::new(1, 3, 3);
    const NEW: Version = Version::new(2, 5, 2);

    #[test]
    fn every_line_of_the_table_is_understood() {
        let mut count = 0;
        for row in rows() {
            count += 1;
            assert!(items(row.ports).all(|p| port(p).is_some()), "{}", row.name);
            assert!(items(row.destinations).all(|d| network(d).is_some()), "{}", row.name);
            for version in [OLD, NEW].into_iter().filter(|version| is_of(row, *version)) {
                assert!(items(row.includes).all(|i| service(i, version).is_some()), "{}", row.name);
            }
            for item in items(row.other) {
                let known = item.strip_prefix("protocol ").is_some_and(|p| protocol(p).is_some())
                    || item.strip_prefix("source port ").is_some_and(|p| port(p).is_some())
                    || item.starts_with("helper ");
                assert!(known, "{}: {item}", row.name);
            }
        }
        assert_eq!(SERVICES.lines().filter(|l| !l.starts_with('#')).count(), count);
        assert_eq!((services(OLD).count(), services(NEW).count()), (221, 264));
    }

    #[test]
    fn services_know_what_they_open_in_each_release() {
        let check = |name: &str, version, expected: &[(Protocol, u16)]| {
            let ports: Vec<_> = service(name, version).unwrap().0.ports.iter().map(|(p, r)| (*p, r.first)).collect();
            assert_eq!(ports, expected, "{name}");
        };
        check("ssh", OLD, &[(Protocol::Tcp, 22)]);
        check("http", NEW, &[(Protocol::Tcp, 80)]);
        check("samba-client", OLD, &[(Protocol::Udp, 138)]);
        check("gitea", NEW, &[(Protocol::Tcp, 3000)]);
        assert!(service("gitea", OLD).is_none());
        let (llmnr, includes) = service("llmnr", OLD).unwrap();
        assert_eq!((llmnr.ports.len(), includes), (0, vec!["llmnr-tcp", "llmnr-udp"]));
        assert_eq!(service("dhcpv6-client", OLD).unwrap().0.destinations, ["fe80::/64".parse().unwrap()]);
        assert_eq!(service("gre", OLD).unwrap().0.protocols, [47]);
        assert_eq!(service("ipsec", OLD).unwrap().0.protocols, [51, 50]);
        assert!(service("sssh", NEW).is_none());
    }

    #[test]
    fn zones_are_those_of_the_package() {
        assert_eq!(zone("public").unwrap().services, ["ssh", "dhcpv6-client"]);
        assert!(zone("external").unwrap().masquerade && zone("trusted").unwrap().forward);
        assert_eq!(zone("drop").unwrap().target, Target::Drop);
        assert!(zone("docker").is_none());
        let names: Vec<_> = zones().map(|z| z.name).collect();
        assert_eq!(names.len(), 9);
        for zone in zones() {
            assert!(zone.services.iter().all(|s| service(s, NEW).is_some()), "{}", zone.name);
        }
    }
}
