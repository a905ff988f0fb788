//! Which elements and attributes a file may have. firewalld refuses everything else, and with it all of /etc/firewalld:
//! the daemon then runs with the configuration that it ships with, in the state `failed` (seen with 1.3.3 and 2.5.2 on
//! about sixty damaged files; firewall/core/fw.py, `_start_failsafe`).
//!
//! Source: `PARSER_REQUIRED_ELEMENT_ATTRS` and `PARSER_OPTIONAL_ELEMENT_ATTRS` in firewall/core/io/*.py of 2.5.2; what
//! 1.3.3 does not know is left to the resolver, which knows the release.

use crate::diagnostic::did_you_mean;
use crate::frontend::xml::Element;
use crate::language::{Text, text};

use super::value::{Refused, bad};

/// An element with the attributes that it must and may have.
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

const COMMON: [Row; 26] = [
    ("short", &[], &[]),
    ("description", &[], &[]),
    ("service", &["name"], &[]),
    ("port", &["port", "protocol"], &[]),
    ("icmp-block", &["name"], &[]),
    ("icmp-type", &["name"], &[]),
    ("masquerade", &[], &["enabled"]),
    ("forward-port", &["port", "protocol"], &["to-port", "to-addr"]),
    ("rule", &[], &["family", "priority"]),
    ("source", &[], &["address", "mac", "invert", "family", "ipset"]),
    ("destination", &[], &["address", "invert", "ipset"]),
    ("protocol", &["value"], &[]),
    ("source-port", &["port", "protocol"], &[]),
    ("log", &[], &["prefix", "level"]),
    ("nflog", &[], &["group", "prefix", "queue-size"]),
    ("audit", &[], &[]),
    ("accept", &[], &[]),
    ("reject", &[], &["type"]),
    ("drop", &[], &[]),
    ("mark", &["set"], &[]),
    ("limit", &["value"], &["burst"]),
    ("tcp-mss-clamp", &[], &["value"]),
    ("ingress-zone", &["name"], &[]),
    ("egress-zone", &["name"], &[]),
    ("interface", &["name"], &[]),
    ("disable", &[], &[]),
];

const ZONE: [Row; 3] = [
    ("zone", &[], &["name", "immutable", "target", "version", "ingress-priority", "egress-priority"]),
    ("forward", &[], &[]),
    ("icmp-block-inversion", &[], &[]),
];

const POLICY: [Row; 1] = [("policy", &["target"], &["version", "priority"])];

const SERVICE: [Row; 9] = [
    ("service", &[], &["name", "version"]),
    ("short", &[], &[]),
    ("description", &[], &[]),
    ("port", &["port", "protocol"], &[]),
    ("protocol", &["value"], &[]),
    ("module", &["name"], &[]),
    ("destination", &[], &["ipv4", "ipv6"]),
    ("source-port", &["port", "protocol"], &[]),
    ("include", &["service"], &[]),
];

const HELPER_OF_SERVICE: [Row; 1] = [("helper", &["name"], &[])];

const IPSET: [Row; 5] = [
    ("ipset", &["type"], &["version"]),
    ("short", &[], &[]),
    ("description", &[], &[]),
    ("option", &["name"], &["value"]),
    ("entry", &[], &[]),
];

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Zone,
    Policy,
    Service,
    IpSet,
}

impl Kind {
    fn rows(self) -> impl Iterator<Item = Row> {
        let (own, more): (&[Row], &[Row]) = match self {
            Self::Zone => (&ZONE, &COMMON),
            Self::Policy => (&POLICY, &COMMON),
            Self::Service => (&SERVICE, &HELPER_OF_SERVICE),
            Self::IpSet => (&IPSET, &[]),
        };
        let other: &[&str] = match self {
            Self::Zone => &["ingress-zone", "egress-zone", "disable"],
            Self::Policy => &["interface"],
            Self::Service | Self::IpSet => &[],
        };
        own.iter().chain(more).copied().filter(|(name, ..)| !other.contains(name))
    }
}

/// What the daemon refuses about an element and those inside it, the first one.
pub(super) fn check(kind: Kind, element: Element<'_, '_>) -> Result<(), Refused> {
    let Some((name, required, optional)) = kind.rows().find(|(name, ..)| *name == element.name()) else {
        return Err(unknown(&text!("element", "요소"), element.name(), kind.rows().map(|(name, ..)| name), element));
    };
    if let Some(missing) = required.iter().find(|attribute| element.attribute(attribute).is_none()) {
        return Err(bad(
            element.tag(),
            text!("`{name}` without `{missing}`", "`{name}`에 `{missing}`이(가) 없습니다"),
            text!("firewalld refuses the whole file", "firewalld가 파일 전체를 거부함"),
        ));
    }
    let allowed = || required.iter().chain(optional).copied();
    if let Some(other) = element.attribute_names().find(|other| !allowed().any(|known| known == other.value)) {
        return Err(unknown(&text!("attribute", "속성"), other.value, allowed(), element));
    }
    element.children().try_for_each(|child| check(kind, child))
}

fn unknown<'a>(what: &Text, name: &str, known: impl Iterator<Item = &'a str>, element: Element<'_, '_>) -> Refused {
    let mut refused = bad(
        element.tag(),
        text!("firewalld knows no {what} `{name}` here", "여기에는 firewalld가 모르는 {what} `{name}`이(가) 있습니다"; what),
        text!("it refuses the whole file", "firewalld가 파일 전체를 거부함"),
    );
    if let Some(near) = did_you_mean(name, known) {
        refused.help = Some(text!("did you mean `{near}`?", "혹시 `{near}`?"));
    }
    refused
}
