//! `.vbox` files: one VirtualBox machine and its network adapters.
//!
//! Element and attribute names, and what an absent one means, follow `src/VBox/Main/xml/Settings.cpp` of
//! VirtualBox 7.2. Only the current state counts: `Hardware` inside `Snapshot` is another time.

use std::net::IpAddr;
use std::str::FromStr;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::declaration::{Declarations, Insertion};
use crate::lab::machine::{AdapterDecl, AdapterMode, ForwardDecl, ForwardNotation, MachineDecl, NatDecl};
use crate::lab::{Declaration, Os};
use crate::net::{IpNet, Protocol, Version};
use crate::source::{SourceId, Span, Spanned};

use super::xml::{self, Element};

/// Reads a `.vbox` file.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut reader = Reader::default();
    match xml::parse(source, text) {
        Ok(document) => {
            let written_by = written_by(source, text);
            if let Some(machine) = reader.machine(Element::root(&document, source), written_by) {
                reader.out.value.insert(0, Declaration::Machine(machine));
            }
        }
        Err(error) => reader.out.diagnostics.push(*error),
    }
    reader.out
}

/// The version in the comment `** Written by VirtualBox 7.2.22_Debian (r175245)`.
fn written_by(source: SourceId, text: &str) -> Option<Spanned<Version>> {
    const MARK: &str = "Written by VirtualBox ";
    let start = text.find(MARK)? + MARK.len();
    let word = text.get(start..)?.split(|c: char| c.is_whitespace()).next()?;
    Some(Spanned::new(word.parse().ok()?, Span::new(source, start, start + word.len())))
}

/// The platform behind the settings version: `1.19-macosx` (`setVersionAttribute` in Settings.cpp).
fn runs_on(settings: &str) -> Option<Os> {
    match settings.split_once('-')?.1 {
        "macosx" => Some(Os::MacOs),
        "windows" => Some(Os::Windows),
        "linux" => Some(Os::Linux),
        _ => None,
    }
}

#[derive(Default)]
struct Reader {
    out: Declarations,
}

impl Reader {
    fn machine(&mut self, root: Element<'_, '_>, written_by: Option<Spanned<Version>>) -> Option<MachineDecl> {
        let Some(machine) = root.child("Machine").filter(|_| root.name() == "VirtualBox") else {
            self.bad(root.tag(), "no machine in this file", "a `.vbox` file holds `VirtualBox` with one `Machine`");
            return None;
        };
        let name = self.required(machine, "name")?;
        let settings = self.required(root, "version")?;
        let Ok(version) = settings.value.parse() else {
            self.bad(settings.span, format!("`{}` is not a settings version", settings.value), "like `1.19-linux`");
            return None;
        };
        let network = machine.child("Hardware").and_then(|h| h.child("Network"));
        let adapters = network.map(|n| self.adapters(n)).unwrap_or_default();
        Some(MachineDecl {
            name: name.map(str::to_owned),
            settings: Some(Spanned::new(version, settings.span)),
            runs_on: runs_on(settings.value),
            written_by,
            os_type: machine.attribute("OSType").map(|o| o.map(str::to_owned)),
            adapters,
            span: machine.tag(),
        })
    }

    fn adapters(&mut self, network: Element<'_, '_>) -> Vec<AdapterDecl> {
        let mut adapters: Vec<AdapterDecl> = Vec::new();
        for element in network.children() {
            if element.name() != "Adapter" {
                self.unknown_element(element, "Network");
                continue;
            }
            let Some(adapter) = self.adapter(element) else { continue };
            if adapters.iter().any(|a| a.slot == adapter.slot) {
                let message = format!("slot {} is used twice", adapter.slot);
                self.bad(adapter.span, message, "the first adapter of a slot is used");
                continue;
            }
            adapters.push(adapter);
        }
        adapters
    }

    fn adapter(&mut self, element: Element<'_, '_>) -> Option<AdapterDecl> {
        let slot = self.required(element, "slot")?;
        let Some(slot) = slot.value.parse().ok().filter(|slot| *slot < ADAPTERS) else {
            self.bad(slot.span, format!("`{}` is not an adapter slot", slot.value), "slots go from 0 to 35");
            return None;
        };
        let enabled = self.boolean(element, "enabled").is_some_and(|e| e.value);
        Some(AdapterDecl {
            slot,
            enabled,
            cable: self.boolean(element, "cable"),
            mac: element.attribute("MACAddress").map(|m| m.map(str::to_owned)),
            other_modes: Vec::new(),
            mode: self.mode(element, enabled),
            span: element.tag(),
        })
    }

    fn mode(&mut self, adapter: Element<'_, '_>, enabled: bool) -> AdapterMode {
        let mut found: Option<AdapterMode> = None;
        for element in adapter.children() {
            let mode = match element.name() {
                "NAT" => AdapterMode::Nat(self.nat(element)),
                "BridgedInterface" | "HostInterface" => AdapterMode::Bridged(named(element)),
                "HostOnlyInterface" | "HostOnlyNetwork" => AdapterMode::HostOnly(named(element)),
                "InternalNetwork" => AdapterMode::Internal(named(element)),
                "NATNetwork" => AdapterMode::NatNetwork(named(element)),
                name @ ("GenericInterface" | "CloudNetwork") => {
                    if enabled {
                        self.unmodeled(element, format!("an adapter attached to a `{name}`"));
                    }
                    AdapterMode::None
                }
                // Modes that were chosen before, kept for the dialog; a bandwidth group limits speed only.
                "DisabledModes" | "BandwidthGroup" | "Properties" | "Property" => continue,
                _ => {
                    self.unknown_element(element, "Adapter");
                    continue;
                }
            };
            if found.is_some() {
                self.bad(element.tag(), "the adapter is attached twice", "the first attachment is used");
            } else {
                found = Some(mode);
            }
        }
        found.unwrap_or(AdapterMode::None)
    }

    fn nat(&mut self, nat: Element<'_, '_>) -> NatDecl {
        let mut forwards = Vec::new();
        for element in nat.children() {
            match element.name() {
                "Forwarding" => forwards.extend(self.forward(element)),
                // Name service and boot server of the engine, and its old aliasing modes: no packet of ours.
                "DNS" | "Alias" | "TFTP" => {}
                _ => self.unknown_element(element, "NAT"),
            }
        }
        if let Some(address) = nat.attribute("hostip").filter(|a| !a.value.is_empty()) {
            let what = format!("outgoing connections of the NAT leave from `{}`", address.value);
            self.out.value.push(Declaration::Unmodeled(Spanned::new(what, address.span)));
        }
        NatDecl {
            network: self.network(nat),
            forwards,
            localhost_reachable: self.boolean(nat, "localhost-reachable"),
            bind_address: None,
            libslirp: None,
            forward_at: Some((forward_at(nat), ForwardNotation::VboxXml)),
            span: nat.tag(),
        }
    }

    fn network(&mut self, nat: Element<'_, '_>) -> Option<Spanned<IpNet>> {
        let network = nat.attribute("network").filter(|n| !n.value.is_empty())?;
        match network.value.parse() {
            Ok(value) => Some(Spanned::new(value, network.span)),
            Err(_) => {
                self.report(
                    Diagnostic::new(Code::BadAddress, format!("`{}` is not a network", network.value))
                        .label(network.span, "VirtualBox wants an address with prefix length, like `10.0.3.0/24`"),
                );
                None
            }
        }
    }

    fn forward(&mut self, element: Element<'_, '_>) -> Option<ForwardDecl> {
        let protocol = match self.required(element, "proto")? {
            proto if proto.value == "0" => Protocol::Udp,
            proto if proto.value == "1" => Protocol::Tcp,
            proto => {
                let message = format!("`{}` is not a protocol of a NAT forward", proto.value);
                self.bad(proto.span, message, "`0` is UDP, `1` is TCP");
                return None;
            }
        };
        let host_port = self.port(element, "hostport");
        let guest_port = self.port(element, "guestport");
        let host_address = self.address(element, "hostip");
        let guest_address = self.address(element, "guestip");
        Some(ForwardDecl {
            name: element.attribute("name").map_or_else(String::new, |n| n.value.to_owned()),
            protocol,
            host_address: host_address?,
            host_port: host_port?,
            guest_address: guest_address?,
            guest_port: guest_port?,
            span: element.tag(),
        })
    }

    fn port(&mut self, element: Element<'_, '_>, attribute: &str) -> Option<u16> {
        let port = self.required(element, attribute)?;
        let value = u16::from_str(port.value).ok().filter(|port| *port != 0);
        if value.is_none() {
            self.report(
                Diagnostic::new(Code::BadPort, format!("`{}` is not a port", port.value))
                    .label(port.span, "ports go from 1 to 65535"),
            );
        }
        value
    }

    /// Nothing if the address is wrong; `Some(None)` if there is none, which means all addresses.
    fn address(&mut self, element: Element<'_, '_>, attribute: &str) -> Option<Option<IpAddr>> {
        let Some(address) = element.attribute(attribute).filter(|a| !a.value.is_empty()) else { return Some(None) };
        if let Ok(value) = address.value.parse::<IpAddr>() {
            return Some(Some(value).filter(|a| !a.is_unspecified()));
        }
        self.report(
            Diagnostic::new(Code::BadAddress, format!("`{}` is not an address", address.value))
                .label(address.span, "VirtualBox wants a literal IP address here"),
        );
        None
    }

    fn boolean(&mut self, element: Element<'_, '_>, attribute: &str) -> Option<Spanned<bool>> {
        let written = element.attribute(attribute)?;
        let value = match written.value {
            "true" | "yes" | "1" => true,
            "false" | "no" | "0" => false,
            other => {
                self.bad(written.span, format!("`{other}` is neither `true` nor `false`"), "it counts as absent");
                return None;
            }
        };
        Some(Spanned::new(value, written.span))
    }

    fn required<'a>(&mut self, element: Element<'a, '_>, attribute: &str) -> Option<Spanned<&'a str>> {
        let value = element.attribute(attribute).filter(|a| !a.value.is_empty());
        if value.is_none() {
            let message = format!("`{}` without `{attribute}`", element.name());
            self.bad(element.tag(), message, "VirtualBox refuses to load such a file");
        }
        value
    }

    fn unknown_element(&mut self, element: Element<'_, '_>, inside: &str) {
        self.report(xml::unknown("element", Spanned::new(element.name(), element.tag()), inside));
    }

    fn unmodeled(&mut self, element: Element<'_, '_>, what: String) {
        self.report(Diagnostic::new(Code::Unmodeled, format!("{what} is not modelled")).label(element.tag(), "here"));
        self.out.value.push(Declaration::Unmodeled(Spanned::new(what, element.tag())));
    }

    fn bad(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.report(Diagnostic::new(Code::VboxBadValue, message).label(span, "here").help(help));
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.out.diagnostics.push(diagnostic);
    }
}

/// ICH9 machines have 36 network adapters, the most of all chip sets.
const ADAPTERS: u8 = 36;

fn named(element: Element<'_, '_>) -> Spanned<String> {
    element.attribute("name").map_or_else(|| Spanned::new(String::new(), element.tag()), |n| n.map(str::to_owned))
}

/// A new line behind `<NAT>`; `<NAT/>` has to be opened first.
fn forward_at(nat: Element<'_, '_>) -> Insertion {
    let indent = nat.indentation();
    match nat.self_closing() {
        Some(at) => {
            Insertion { at, before: format!(">\n{indent}  <Forwarding "), after: format!("/>\n{indent}</NAT>") }
        }
        None => {
            Insertion { at: nat.tag().after(), before: format!("\n{indent}  <Forwarding "), after: "/>".to_owned() }
        }
    }
}

#[cfg(test)]
mod tests;
