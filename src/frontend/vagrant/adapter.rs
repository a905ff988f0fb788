//! Networks -> adapters of a VirtualBox machine and the host-only networks that Vagrant makes for them.
//!
//! Vagrant 2.4, plugins/providers/virtualbox/action/network.rb: adapter 1 is NAT, every other network takes the next free
//! one. A private network is host-only; machines with addresses of one subnet share the interface, which gets the first
//! address. With `type: "dhcp"` a server hands out addresses from the third on.

use std::net::IpAddr;

use crate::lab::machine::{AdapterDecl, AdapterMode, DhcpDecl, HostOnlyDecl, HypervisorDecl, NatDecl, Verb};
use crate::language::text;
use crate::net::{IpNet, Ipv4Net};
use crate::source::{Span, Spanned};

use super::network::{Bad, Network, refused};
use super::value::Value;

/// The host-only interfaces of all machines, in the order in which they are made.
#[derive(Default)]
pub(super) struct HostOnly {
    networks: Vec<(String, IpNet)>,
    /// What VirtualBox is told about them.
    pub(super) declarations: Vec<HypervisorDecl>,
}

/// Networks of machines that get addresses by themselves have this one (`hostonly_config`).
const DHCP_DEFAULT: [u8; 4] = [192, 168, 56, 1];

/// The adapter that a private or public network becomes.
pub(super) fn adapter(network: &Network, slot: u8, host_only: &mut HostOnly) -> Result<AdapterDecl, Bad> {
    let mut adapter = AdapterDecl {
        slot,
        enabled: true,
        // The driver plugs in every adapter that it attaches (driver/version_5_0.rb, `enable_adapters`).
        cable: Some(Spanned::new(true, network.span)),
        mac: network.text("mac")?,
        mode: AdapterMode::None,
        other_modes: Vec::new(),
        addresses: Vec::new(),
        span: network.span,
    };
    let configured = network.is_set("auto_config", true)?;
    let is_dhcp = network.text("type")?.is_some_and(|kind| kind.value == "dhcp");
    let address = network.address("ip")?;
    if address.is_some_and(|address| address.value.is_ipv6()) {
        return Err(Bad::Unknown);
    }
    let own = address.map(|address| with_mask(network, address)).transpose()?;
    adapter.mode = match (network.kind.as_str(), network.value("intnet")) {
        ("public_network", _) => AdapterMode::Bridged(bridge(network)?),
        (_, Some(Value::Bool(true))) => AdapterMode::Internal(Spanned::new("intnet".to_owned(), network.span)),
        (_, Some(_)) => AdapterMode::Internal(network.text("intnet")?.ok_or(Bad::Unknown)?),
        _ => AdapterMode::HostOnlyEither(host_only.interface(network, own, is_dhcp)?),
    };
    if configured && !is_dhcp {
        adapter.addresses.extend(own);
    }
    Ok(adapter)
}

/// Adapter 1, with forwards to come.
///
/// The guest reaches the loopback of the physical machine: VirtualBox 7.2.22 switches that on in machines that it imports
/// from what VirtualBox has exported, as boxes are (tried with exports of settings versions 1.14, 1.16 and 1.19).
pub(super) fn nat(span: Span) -> AdapterDecl {
    let nat = NatDecl { localhost_reachable: Some(Spanned::new(true, span)), ..NatDecl::new(span) };
    AdapterDecl {
        slot: 0,
        enabled: true,
        cable: None,
        mac: None,
        mode: AdapterMode::Nat(Box::new(nat)),
        other_modes: Vec::new(),
        addresses: Vec::new(),
        span,
    }
}

/// An adapter that is there and of which nothing else is known.
pub(super) fn unknown(slot: u8, span: Span) -> AdapterDecl {
    AdapterDecl { slot, mode: AdapterMode::None, ..nat(span) }
}

/// The netmask is 255.255.255.0 unless stated.
fn with_mask(network: &Network, address: Spanned<IpAddr>) -> Result<Spanned<IpNet>, Bad> {
    let mask = network.address("netmask")?;
    let length = match mask.map(|mask| (mask.value, mask.span)) {
        None => 24,
        Some((IpAddr::V4(mask), span)) => Ipv4Net::with_netmask([0, 0, 0, 0].into(), mask)
            .map_err(|_| {
                refused(
                    span,
                    text!("`{mask}` is not a netmask", "`{mask}`: 넷마스크가 아닙니다"),
                    text!("like `255.255.255.0`", "`255.255.255.0`처럼 쓰십시오"),
                )
            })?
            .prefix_len(),
        Some((IpAddr::V6(_), _)) => return Err(Bad::Unknown),
    };
    IpNet::new(address.value, length).map(|net| Spanned::new(net, address.span)).map_err(|_| Bad::Unknown)
}

/// The first interface of a list; Vagrant asks when there are several and none is named.
fn bridge(network: &Network) -> Result<Spanned<String>, Bad> {
    let first = match network.value("bridge") {
        Some(Value::List(names)) => names.borrow().first().and_then(Value::name).map(str::to_owned),
        Some(Value::Unknown) => return Err(Bad::Unknown),
        Some(other) => other.name().map(str::to_owned),
        None => None,
    };
    Ok(Spanned::new(first.unwrap_or_else(|| "chosen at start".to_owned()), network.span))
}

impl HostOnly {
    /// The name of the interface that a network uses, which is made if there is none.
    fn interface(
        &mut self,
        network: &Network,
        own: Option<Spanned<IpNet>>,
        is_dhcp: bool,
    ) -> Result<Spanned<String>, Bad> {
        if let Some(name) = network.text("name")? {
            return Ok(name);
        }
        let default = IpNet::new(IpAddr::from(DHCP_DEFAULT), 24).ok();
        let own = own.map(|own| own.value).or(default.filter(|_| is_dhcp)).ok_or_else(|| {
            let what = text!("a private network without an address", "주소가 없는 private network입니다");
            refused(
                network.span,
                what,
                text!(
                    "add `ip: \"192.168.56.10\"` or `type: \"dhcp\"`",
                    "`ip: \"192.168.56.10\"`이나 `type: \"dhcp\"`를 추가하십시오"
                ),
            )
        })?;
        let name = self.of_subnet(own.trunc(), network.span);
        if is_dhcp {
            self.serve(&name, own.trunc(), network.span);
        }
        Ok(Spanned::new(name, network.span))
    }

    fn of_subnet(&mut self, subnet: IpNet, span: Span) -> String {
        if let Some((name, _)) = self.networks.iter().find(|(_, known)| *known == subnet) {
            return name.clone();
        }
        let name = format!("vboxnet{}", self.networks.len());
        self.networks.push((name.clone(), subnet));
        self.declarations.push(HypervisorDecl::HostOnly(HostOnlyDecl {
            name: Spanned::new(name.clone(), span),
            verb: Verb::Stated,
            is_network: false,
            address: number(subnet, 1).map(|address| Spanned::new(address, span)),
            range: None,
            up: None,
            span,
        }));
        name
    }

    fn serve(&mut self, name: &str, subnet: IpNet, span: Span) {
        let last = IpNet::new(subnet.broadcast(), subnet.prefix_len()).ok();
        let range = number(subnet, 3).zip(last).map(|(first, last)| (first.addr(), last.addr()));
        self.declarations.push(HypervisorDecl::Dhcp(DhcpDecl {
            network: Spanned::new(format!("HostInterfaceNetworking-{name}"), span),
            verb: Verb::Stated,
            address: number(subnet, 2).map(|address| Spanned::new(address, span)),
            range: range.map(|range| Spanned::new(range, span)),
            enabled: Some(Spanned::new(true, span)),
            span,
        }));
    }
}

/// The address with a number in a subnet.
fn number(subnet: IpNet, number: u32) -> Option<IpNet> {
    let IpAddr::V4(first) = subnet.network() else { return None };
    let address = u32::from(first).checked_add(number)?;
    IpNet::new(IpAddr::V4(address.into()), subnet.prefix_len()).ok()
}
