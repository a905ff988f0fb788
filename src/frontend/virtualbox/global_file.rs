//! `VirtualBox.xml`: the networks that VirtualBox keeps outside its machines' files (Settings.cpp,
//! `MainConfigFile`; 7.2.22).

use std::net::IpAddr;

use crate::frontend::xml::{self, Element};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::machine::{DhcpDecl, ForwardNotation, HostOnlyDecl, HypervisorDecl, NatNetworkDecl, Verb};
use crate::language::text;
use crate::net::IpNet;
use crate::source::{SourceId, Spanned};

use super::machine_file::written_by;
use super::value::{self, Checked};
use super::xml_forward::{self, unknown_attributes};

const DHCP: [&str; 6] = ["networkName", "IPAddress", "networkMask", "lowerIP", "upperIP", "enabled"];

const NAT_NETWORK: [&str; 8] =
    ["networkName", "network", "enabled", "needDhcp", "ipv6", "ipv6prefix", "advertiseDefaultIPv6Route", "loopback6"];

const HOST_ONLY_NETWORK: [&str; 6] = ["id", "name", "mask", "ipLower", "ipUpper", "enabled"];

/// Whether a text is such a file.
pub fn is_one(text: &str) -> bool {
    text.contains("<VirtualBox") && text.contains("<Global")
}

/// Reads it.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut reader = Reader::default();
    match xml::parse(source, text) {
        Ok(document) => {
            reader.state(written_by(source, text).map(HypervisorDecl::Version));
            let registry = Element::root(&document, source).child("Global").and_then(|g| g.child("NetserviceRegistry"));
            registry.into_iter().flat_map(Element::children).for_each(|list| reader.list(list));
        }
        Err(error) => reader.out.diagnostics.push(*error),
    }
    reader.out
}

#[derive(Default)]
struct Reader {
    out: Declarations,
}

impl Reader {
    fn state(&mut self, declaration: Option<HypervisorDecl>) {
        self.out.value.extend(declaration.map(Declaration::Hypervisor));
    }

    fn list(&mut self, list: Element<'_, '_>) {
        for entry in list.children() {
            let declaration = match (list.name(), entry.name()) {
                ("DHCPServers", "DHCPServer") => self.server(entry).map(HypervisorDecl::Dhcp),
                ("NATNetworks", "NATNetwork") => self.nat_network(entry).map(HypervisorDecl::NatNetwork),
                ("HostOnlyNetworks", "HostOnlyNetwork") => self.host_only(entry).map(HypervisorDecl::HostOnly),
                // A tunnel to a cloud is what the adapters that use it are reported for.
                ("CloudNetworks", _) => None,
                (inside, name) => {
                    self.out.diagnostics.push(xml::unknown(
                        &text!("element", "요소"),
                        Spanned::new(name, entry.tag()),
                        inside,
                    ));
                    None
                }
            };
            self.state(declaration);
        }
    }

    fn server(&mut self, element: Element<'_, '_>) -> Option<DhcpDecl> {
        self.out.diagnostics.extend(unknown_attributes(element, &DHCP));
        let network = element.attribute("networkName")?.map(str::to_owned);
        let address = self.masked(element, "IPAddress", "networkMask");
        let range = self.range(element, "lowerIP", "upperIP");
        let enabled = boolean(element, "enabled");
        Some(DhcpDecl { network, verb: Verb::Stated, address, range, enabled, span: element.tag() })
    }

    fn host_only(&mut self, element: Element<'_, '_>) -> Option<HostOnlyDecl> {
        self.out.diagnostics.extend(unknown_attributes(element, &HOST_ONLY_NETWORK));
        let name = element.attribute("name")?.map(str::to_owned);
        let address = self.masked(element, "ipLower", "mask");
        let range = self.range(element, "ipLower", "ipUpper");
        let up = boolean(element, "enabled");
        Some(HostOnlyDecl { name, verb: Verb::Stated, is_network: true, address, range, up, span: element.tag() })
    }

    fn nat_network(&mut self, element: Element<'_, '_>) -> Option<NatNetworkDecl> {
        self.out.diagnostics.extend(unknown_attributes(element, &NAT_NETWORK));
        let network = element.attribute("network");
        let mut decl = NatNetworkDecl {
            name: element.attribute("networkName")?.map(str::to_owned),
            verb: Verb::Stated,
            network: network.and_then(|n| Some(Spanned::new(self.kept(value::network(n))?, n.span))),
            enabled: boolean(element, "enabled"),
            dhcp: boolean(element, "needDhcp"),
            forwards: Vec::new(),
            removed_forwards: Vec::new(),
            loopbacks: Vec::new(),
            forward_at: None,
            span: element.tag(),
        };
        for child in element.children() {
            match child.name() {
                "PortForwarding4" => {
                    decl.forwards = xml_forward::all(child, &mut self.out.diagnostics);
                    decl.forward_at = Some((xml_forward::insertion(child), ForwardNotation::VboxXml));
                }
                "Mappings" => decl.loopbacks = self.mappings(child),
                // Forwards of IPv6 addresses: see README, what is not modelled.
                "PortForwarding6" => {}
                name => {
                    let name = Spanned::new(name, child.tag());
                    self.out.diagnostics.push(xml::unknown(&text!("element", "요소"), name, "NATNetwork"));
                }
            }
        }
        Some(decl)
    }

    fn mappings(&mut self, mappings: Element<'_, '_>) -> Vec<Spanned<(IpAddr, u32)>> {
        let mut all = Vec::new();
        for mapping in mappings.children().filter(|m| m.name() == "Loopback4") {
            let (Some(address), Some(offset)) = (mapping.attribute("address"), mapping.attribute("offset")) else {
                continue;
            };
            let text = format!("{}={}", address.value, offset.value);
            let read = self.kept(value::loopback(Spanned::new(&text, address.span)));
            all.extend(read.map(|m| Spanned::new(m, mapping.tag())));
        }
        all
    }

    fn masked(&mut self, element: Element<'_, '_>, address: &str, mask: &str) -> Option<Spanned<IpNet>> {
        let (text, mask) = (element.attribute(address)?, element.attribute(mask)?);
        let address = self.kept(value::address(text))?;
        let net = self.kept(value::masked(address, mask))?;
        Some(Spanned::new(net, text.span))
    }

    fn range(&mut self, element: Element<'_, '_>, lower: &str, upper: &str) -> Option<Spanned<(IpAddr, IpAddr)>> {
        let (lower, upper) = (element.attribute(lower)?, element.attribute(upper)?);
        let both = (self.kept(value::address(lower))?, self.kept(value::address(upper))?);
        Some(Spanned::new(both, lower.span.to(upper.span)))
    }

    fn kept<T>(&mut self, checked: Checked<T>) -> Option<T> {
        checked.map_err(|problem| self.out.diagnostics.push(*problem)).ok()
    }
}

fn boolean(element: Element<'_, '_>, name: &str) -> Option<Spanned<bool>> {
    element.attribute(name).map(|text| text.map(|t| matches!(t, "1" | "true" | "yes")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;
    use crate::source::Sources;

    const FILE: &str = r#"<!-- Written by VirtualBox 7.0.14 (r161095) -->
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.12-macosx"><Global><NetserviceRegistry>
<DHCPServers><DHCPServer networkName="실험" IPAddress="10.5.5.1" networkMask="255.255.255.0" lowerIP="10.5.5.10" upperIP="10.5.5.99" enabled="0"/></DHCPServers>
<NATNetworks><NATNetwork networkName="망" network="10.7.0.0/24" needDhcp="1" enabled="1">
  <PortForwarding4><Forwarding name="pg" proto="1" hostport="5433" guestip="10.7.0.4" guestport="5432"/></PortForwarding4>
  <Mappings><Loopback4 address="127.0.0.1" offset="2"/></Mappings>
</NATNetwork></NATNetworks>
<HostOnlyNetworks><HostOnlyNetwork id="{1}" name="hn" mask="255.255.255.0" ipLower="192.168.57.1" ipUpper="192.168.57.9" enabled="1"/></HostOnlyNetworks>
</NetserviceRegistry></Global></VirtualBox>"#;

    fn read(text: &str) -> (Sources, Declarations) {
        let mut sources = Sources::default();
        let id = sources.add("VirtualBox.xml", text);
        (sources, parse(id, text))
    }

    #[test]
    fn networks_are_read() {
        let (_, out) = read(FILE);
        assert!(out.diagnostics.is_empty(), "{:?}", out.diagnostics);
        let [version, dhcp, nat, host_only] = out.value.as_slice() else { panic!("{:?}", out.value) };
        let Declaration::Hypervisor(HypervisorDecl::Version(version)) = version else { panic!("{version:?}") };
        assert_eq!(version.value.to_string(), "7.0.14");
        let Declaration::Hypervisor(HypervisorDecl::Dhcp(dhcp)) = dhcp else { panic!("{dhcp:?}") };
        assert_eq!((dhcp.network.value.as_str(), dhcp.enabled.unwrap().value), ("실험", false));
        let Declaration::Hypervisor(HypervisorDecl::NatNetwork(nat)) = nat else { panic!("{nat:?}") };
        assert_eq!((nat.forwards[0].host_port, nat.loopbacks[0].value.1), (5433, 2));
        assert!(nat.forward_at.is_some());
        let Declaration::Hypervisor(HypervisorDecl::HostOnly(network)) = host_only else { panic!("{host_only:?}") };
        assert_eq!(network.address.unwrap().value.to_string(), "192.168.57.1/24");
    }

    #[test]
    fn wrong_values_are_pointed_at() {
        let check = |from: &str, to: &str, code: Code, place: &str| {
            let (sources, out) = read(&FILE.replace(from, to));
            let found: Vec<_> = out.diagnostics.iter().map(|d| (d.code, sources.text(d.labels[0].span))).collect();
            assert_eq!(found, [(code, place)]);
        };
        check("hostport=\"5433\"", "hostport=\"70000\"", Code::BadPort, "70000");
        check("10.7.0.0/24", "foo", Code::BadAddress, "foo");
        check("networkMask=\"255.255.255.0\"", "networkMask=\"255.0.255.0\"", Code::BadAddress, "255.0.255.0");
        check("needDhcp", "colour", Code::UnknownKey, "colour");
        check("address=\"127.0.0.1\"", "address=\"10.0.0.1\"", Code::VboxBadValue, "10.0.0.1");
        check("</Global>", "</global>", Code::XmlSyntax, "");
    }

    #[test]
    fn damaged_files_never_panic() {
        for cut in (0..FILE.len()).filter(|cut| FILE.is_char_boundary(*cut)) {
            read(&FILE[..cut]);
            read(&FILE[cut..]);
        }
    }
}
