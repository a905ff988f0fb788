//! What `VBoxManage list …` and `showvminfo` print, recognized by what stands there. People paste several such outputs
//! into one file, with the commands in between.

use std::net::IpAddr;

use crate::diagnostic::Diagnostic;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::machine::{DhcpDecl, HostInterfaceDecl, HostOnlyDecl, HypervisorDecl, NatNetworkDecl, Verb};
use crate::net::IpNet;
use crate::source::{SourceId, Span, Spanned};

use super::text::{field, lines, part, prompt};
use super::value::{self, Checked};
use super::vm_info;

/// Whether a text is something that `VBoxManage` printed.
pub fn is_one(text: &str) -> bool {
    const MARKS: [&str; 5] = ["VBoxNetworkName:", "Dhcpd IP:", "LowerIPAddress:", "lowerIPAddress:", "NAT Networks:"];
    let is_network =
        text.contains("\nNetwork:") && (text.contains("\nDHCP Server:") || text.contains("\nDHCP Enabled:"));
    let shows_machine = |line: &str| vm_info::is_for_programs(line) || vm_info::is_for_people(line);
    is_network || text.lines().any(|line| shows_machine(line) || MARKS.iter().any(|mark| line.starts_with(mark)))
}

/// Reads it.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut out = Declarations::default();
    let all: Vec<Spanned<&str>> = lines(source, text).collect();
    for section in all.split(|line| prompt(line.value).is_some()) {
        let read = if section.iter().any(|line| vm_info::is_for_programs(line.value)) {
            vm_info::for_programs(section)
        } else if section.iter().any(|line| vm_info::is_for_people(line.value)) {
            vm_info::for_people(section)
        } else {
            networks(section)
        };
        out.value.extend(read.value);
        out.diagnostics.extend(read.diagnostics);
    }
    out
}

/// The entries of a list of networks or interfaces; each begins with a name.
fn networks(section: &[Spanned<&str>]) -> Declarations {
    let mut out = Declarations::default();
    let is_start = |line: &Spanned<&str>| matches!(field(*line), Some(("Name" | "NetworkName", _)));
    let mut rest = section;
    while let Some(start) = rest.iter().position(is_start) {
        let after = rest.get(start + 1..).unwrap_or_default();
        let length = after.iter().position(is_start).unwrap_or(after.len());
        let Some(name) = rest.get(start) else { break };
        let lines = rest.get(start..=start + length).unwrap_or_default();
        let entry = Entry { name: *name, lines, problems: &mut out.diagnostics };
        out.value.extend(entry.read().map(Declaration::Hypervisor));
        rest = after.get(length..).unwrap_or_default();
    }
    out
}

struct Entry<'a, 'd> {
    /// The line with the name.
    name: Spanned<&'a str>,
    lines: &'a [Spanned<&'a str>],
    problems: &'d mut Vec<Diagnostic>,
}

impl<'a> Entry<'a, '_> {
    fn read(mut self) -> Option<HypervisorDecl> {
        let name = self.text("Name").or_else(|| self.text("NetworkName"))?.map(str::to_owned);
        if self.text("Dhcpd IP").or_else(|| self.either("LowerIPAddress", "lowerIPAddress")).is_some() {
            Some(HypervisorDecl::Dhcp(self.server(name)))
        } else if self.text("LowerIP").is_some() {
            Some(HypervisorDecl::HostOnly(self.host_only_network(name)))
        } else if self.text("Network").is_some() {
            Some(HypervisorDecl::NatNetwork(self.nat_network(name)))
        } else if self.text("IPAddress").is_some() {
            Some(self.interface(name))
        } else {
            // `list intnets` gives names only.
            None
        }
    }

    fn text(&self, key: &str) -> Option<Spanned<&'a str>> {
        self.lines.iter().filter_map(|line| field(*line)).find(|(k, _)| *k == key).map(|(_, value)| value)
    }

    fn either(&self, new: &str, old: &str) -> Option<Spanned<&'a str>> {
        self.text(new).or_else(|| self.text(old))
    }

    fn span(&self) -> Span {
        let used = self.lines.iter().filter(|line| !line.value.trim().is_empty());
        used.fold(self.name.span, |whole, line| whole.to(line.span))
    }

    fn is_yes(&self, key: &str, yes: &str) -> Option<Spanned<bool>> {
        self.text(key).map(|text| text.map(|t| t == yes))
    }

    fn kept<T>(&mut self, checked: Checked<T>) -> Option<T> {
        checked.map_err(|problem| self.problems.push(*problem)).ok()
    }

    /// An address and its mask; 0.0.0.0 means that there is none.
    fn address(&mut self, address: Option<Spanned<&str>>, mask: Option<Spanned<&str>>) -> Option<Spanned<IpNet>> {
        let (text, mask) = (address?, mask?);
        let address = self.kept(value::listen_address(text))??;
        let net = self.kept(value::masked(address, mask))?;
        Some(Spanned::new(net, text.span))
    }

    fn server(&mut self, network: Spanned<String>) -> DhcpDecl {
        let (address, mask) = (self.either("Dhcpd IP", "IP"), self.text("NetworkMask"));
        let range = (self.either("LowerIPAddress", "lowerIPAddress"), self.either("UpperIPAddress", "upperIPAddress"));
        DhcpDecl {
            network,
            verb: Verb::Stated,
            address: self.address(address, mask),
            range: self.range(range.0, range.1),
            enabled: self.is_yes("Enabled", "Yes"),
            span: self.span(),
        }
    }

    fn range(
        &mut self,
        lower: Option<Spanned<&str>>,
        upper: Option<Spanned<&str>>,
    ) -> Option<Spanned<(IpAddr, IpAddr)>> {
        let (lower, upper) = (lower?, upper?);
        let both = (self.kept(value::address(lower))?, self.kept(value::address(upper))?);
        Some(Spanned::new(both, lower.span.to(upper.span)))
    }

    fn host_only_network(&mut self, name: Spanned<String>) -> HostOnlyDecl {
        let (lower, mask) = (self.text("LowerIP"), self.text("NetworkMask"));
        HostOnlyDecl {
            name,
            verb: Verb::Stated,
            is_network: true,
            address: self.address(lower, mask),
            range: self.range(lower, self.text("UpperIP")),
            up: self.is_yes("State", "Enabled"),
            span: self.span(),
        }
    }

    fn nat_network(&mut self, name: Spanned<String>) -> NatNetworkDecl {
        let network = self.text("Network");
        let mut decl = NatNetworkDecl {
            name,
            verb: Verb::Stated,
            network: network.and_then(|n| Some(Spanned::new(self.kept(value::network(n))?, n.span))),
            enabled: self.is_yes("Enabled", "Yes"),
            dhcp: self.is_yes("DHCP Server", "Yes").or_else(|| self.is_yes("DHCP Enabled", "Yes")),
            forwards: Vec::new(),
            removed_forwards: Vec::new(),
            loopbacks: Vec::new(),
            forward_at: None,
            span: self.span(),
        };
        let mut list = "";
        for line in self.lines {
            let text = part(*line, line.value);
            match text.value {
                heading if !line.value.starts_with(char::is_whitespace) => list = heading,
                _ if list.starts_with("Port-forwarding (ipv4)") => {
                    decl.forwards.extend(self.kept(value::network_forward(text)));
                }
                _ if list.starts_with("loopback mappings (ipv4)") => {
                    let mapping = self.kept(value::loopback(text));
                    decl.loopbacks.extend(mapping.map(|m| Spanned::new(m, text.span)));
                }
                _ => {}
            }
        }
        decl
    }

    /// Host-only interfaces have names or hardware addresses of VirtualBox's own (0a:00:27, `HostNetworkInterfaceImpl`).
    fn interface(&mut self, name: Spanned<String>) -> HypervisorDecl {
        let address = self.address(self.text("IPAddress"), self.text("NetworkMask"));
        let up = self.is_yes("Status", "Up");
        let has_own_hardware = self.text("HardwareAddress").is_some_and(|h| h.value.starts_with("0a:00:27"));
        if has_own_hardware || is_host_only_name(&name.value) {
            let verb = Verb::Stated;
            let span = self.span();
            return HypervisorDecl::HostOnly(HostOnlyDecl {
                name,
                verb,
                is_network: false,
                address,
                range: None,
                up,
                span,
            });
        }
        let wireless = self.is_yes("Wireless", "Yes");
        HypervisorDecl::HostInterface(HostInterfaceDecl { name, address, wireless, up, span: self.span() })
    }
}

/// `vboxnet0`, `VirtualBox Host-Only Ethernet Adapter #2`
fn is_host_only_name(name: &str) -> bool {
    name.starts_with("vboxnet") || name.starts_with("VirtualBox Host-Only")
}

#[cfg(test)]
mod tests;
