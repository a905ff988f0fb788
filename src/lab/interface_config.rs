//! What the system of a machine says about its interfaces: files that configure them, and listings of what they have.
//! Nothing is resolved yet: which adapter of a virtual machine it is about is told by name or hardware address.

use std::net::IpAddr;

use crate::net::IpNet;
use crate::source::{Span, Spanned};

/// What one file or listing says about an interface; what is absent is not said.
#[derive(Clone, Debug)]
pub struct InterfaceConfig {
    /// Its name, which may hold `*` and `?`.
    pub name: Option<Spanned<String>>,
    /// Its hardware address, as twelve hexadecimal digits.
    pub mac: Option<Spanned<String>>,
    /// Addresses with prefix length.
    pub addresses: Vec<Spanned<IpNet>>,
    /// Whether it asks for an address.
    pub dhcp: Option<Spanned<bool>>,
    /// Default gateway.
    pub gateway: Option<Spanned<IpAddr>>,
    /// Whether the default route may lead through it.
    pub default_route: Option<Spanned<bool>>,
    /// The metric of that route.
    pub metric: Option<Spanned<u32>>,
    /// Other routes through it.
    pub routes: Vec<(Spanned<IpNet>, Spanned<IpAddr>)>,
    /// What is the case, or only configured.
    pub source: ConfigSource,
    /// The whole entry.
    pub span: Span,
}

/// Where it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// A file that the system reads when it starts.
    File,
    /// A listing of the addresses that interfaces have: what it does not name is not there.
    Addresses,
    /// A listing of the routes of the machine: what it does not name is not there.
    Routes,
}

impl InterfaceConfig {
    /// An interface about which nothing is said.
    pub fn new(source: ConfigSource, span: Span) -> Self {
        Self {
            name: None,
            mac: None,
            addresses: Vec::new(),
            dhcp: None,
            gateway: None,
            default_route: None,
            metric: None,
            routes: Vec::new(),
            source,
            span,
        }
    }

    /// Whether it is about the interface of that name.
    pub fn names(&self, interface: &str) -> bool {
        self.name.as_ref().is_some_and(|name| is_match(name.value.as_bytes(), interface.as_bytes()))
    }
}

/// Whether a text fits a pattern with `*` and `?`.
fn is_match(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if is_match(rest, text) => true,
        (Some((b'*', _)), Some((_, shorter))) => is_match(pattern, shorter),
        (Some((b'?', rest)), Some((_, shorter))) => is_match(rest, shorter),
        (Some((a, rest)), Some((b, shorter))) => a == b && is_match(rest, shorter),
        _ => false,
    }
}

/// `08:00:27:a1:b2:c3` as twelve digits, as VirtualBox writes it.
pub fn hardware_address(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-')).collect::<String>().to_uppercase();
    (digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_netplan() {
        let check = |pattern: &str, name: &str, expected| {
            assert_eq!(is_match(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        };
        check("en*", "enp0s3", true);
        check("en*", "eth0", false);
        check("enp0s?", "enp0s8", true);
        check("enp0s?", "enp0s16", false);
        check("*", "", true);
        check("eth0", "eth0", true);
        check("e*0*3", "enp0s3", true);
    }

    #[test]
    fn hardware_addresses_are_compared_as_virtualbox_writes_them() {
        assert_eq!(hardware_address("08:00:27:a1:B2:c3").as_deref(), Some("080027A1B2C3"));
        assert_eq!(hardware_address("08-00-27-A1-B2-C3").as_deref(), Some("080027A1B2C3"));
        assert_eq!(hardware_address("08:00:27"), None);
        assert_eq!(hardware_address("08:00:27:a1:b2:xy"), None);
    }
}
