//! What firewalld brings along: zones, policies and services, as shipped in `/usr/lib/firewalld`.
//!
//! Taken from the files of firewalld 1.3.3; the zones and the policy of 2.x that concern our packets say the same.
//! Newer releases add services (`firewalld-services.tsv` names its release) and the zone `nm-shared`, which
//! NetworkManager ships. Services are data; whoever uses them need not know the files.

use std::net::IpAddr;

use crate::net::{IpNet, PortRange, Protocol};

use super::{Service, Target};

/// Where the facts of this module come from, for origins.
pub const CITATION: &str = "firewalld 1.3.3, /usr/lib/firewalld";

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

/// One service a line: name, ports, included services, destinations, and what has no model. See the head of the file.
const SERVICES: &str = include_str!("firewalld-services.tsv");

/// Services include each other once; the limit only guards against a mistake in the table.
const MAX_INCLUDES: usize = 4;

/// A line of the table.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    ports: &'static str,
    includes: &'static str,
    destinations: &'static str,
    other: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    SERVICES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Row { name: next()?, ports: next()?, includes: next()?, destinations: next()?, other: next()? })
    })
}

fn row(name: &str) -> Option<Row> {
    rows().find(|row| row.name == name)
}

fn items(field: &'static str) -> impl Iterator<Item = &'static str> {
    field.split(',').filter(|item| !item.is_empty())
}

/// The built-in service of that name with the ports of the services that it includes.
///
/// An included service that is bound to other destinations is left out, since the flat form cannot say so. In 1.3.3
/// these are `llmnr-udp` and `ws-discovery-udp`: multicast, which no packet of the model is.
pub fn service(name: &str) -> Option<Service> {
    let row = row(name)?;
    let destinations: Vec<IpNet> = items(row.destinations).filter_map(network).collect();
    let mut ports = Vec::new();
    collect(row, row.destinations, &mut ports, MAX_INCLUDES);
    Some(Service { name: row.name.to_owned(), ports, destinations })
}

fn collect(row: Row, destinations: &str, ports: &mut Vec<(Protocol, PortRange)>, depth: usize) {
    if row.destinations != destinations {
        return;
    }
    for item in items(row.ports).filter_map(port) {
        if !ports.contains(&item) {
            ports.push(item);
        }
    }
    for included in items(row.includes).filter(|_| depth != 0).filter_map(self::row) {
        collect(included, destinations, ports, depth - 1);
    }
}

/// The part of a built-in service that [`service`] cannot say, in words: `protocol gre`, `source port 1900/udp`,
/// `helper ftp`.
pub fn unmodeled_part(name: &str) -> Option<&'static str> {
    row(name).map(|row| row.other).filter(|other| !other.is_empty())
}

/// Names of all built-in services.
pub fn services() -> impl Iterator<Item = &'static str> {
    rows().map(|row| row.name)
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

    #[test]
    fn every_line_of_the_table_is_understood() {
        let mut count = 0;
        for row in rows() {
            count += 1;
            assert!(items(row.ports).all(|p| port(p).is_some()), "{}", row.name);
            assert!(items(row.destinations).all(|d| network(d).is_some()), "{}", row.name);
            assert!(items(row.includes).all(|i| self::row(i).is_some()), "{}", row.name);
        }
        assert_eq!(count, 221);
        assert_eq!(SERVICES.lines().filter(|l| !l.starts_with('#')).count(), count);
    }

    #[test]
    fn services_know_their_ports() {
        let check = |name: &str, expected: &[(Protocol, u16)]| {
            let ports: Vec<_> = service(name).unwrap().ports.iter().map(|(p, r)| (*p, r.first)).collect();
            assert_eq!(ports, expected, "{name}");
        };
        check("ssh", &[(Protocol::Tcp, 22)]);
        check("http", &[(Protocol::Tcp, 80)]);
        check("samba-client", &[(Protocol::Udp, 138), (Protocol::Udp, 137)]);
        check("llmnr", &[(Protocol::Tcp, 5355)]);
        assert_eq!(service("dhcpv6-client").unwrap().destinations, ["fe80::/64".parse().unwrap()]);
        assert_eq!(service("dhcpv6-client").unwrap().ports.len(), 1);
        assert!(service("sssh").is_none());
        assert_eq!(unmodeled_part("gre"), Some("protocol gre,helper proto-gre"));
        assert_eq!(unmodeled_part("ssh"), None);
        assert!(services().any(|s| s == "prometheus"));
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
            assert!(zone.services.iter().all(|s| service(s).is_some()), "{}", zone.name);
        }
    }
}
