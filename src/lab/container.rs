//! Container engines, their networks, containers and published ports.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::net::{IpNet, PortRange, Protocol, Version};
use crate::provenance::Origin;
use crate::source::{Span, Spanned};
use crate::switch::SwitchId;

use super::declaration::{IdleCause, Insertion};
use super::{HostId, Process};

/// A docker engine on one host.
#[derive(Clone, Debug)]
pub struct Engine {
    /// Release, which decides the rules it writes.
    pub version: Version,
    /// Daemon options.
    pub options: EngineOptions,
    /// Networks in the order of their creation; the default bridge first, `host` and `none` left out.
    pub networks: Vec<ContainerNetwork>,
    /// Containers in the order of their start.
    pub containers: Vec<Container>,
    /// The machine whose ports lead to the published ones, where the engine runs in a machine of its own.
    pub forwarded_to: Option<HostId>,
    /// Where the engine comes from.
    pub origin: Origin,
}

impl Engine {
    /// The networks that are bridges of the host.
    pub fn bridges(&self) -> impl Iterator<Item = &ContainerNetwork> {
        self.networks.iter().filter(|network| network.parent.is_none())
    }
}

/// How an engine is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// By root, on the machine itself.
    Engine,
    /// In the virtual machine of Docker Desktop.
    Desktop,
    /// By a user, in a network namespace of its own.
    Rootless,
    /// In a virtual machine of Colima, Lima or Rancher Desktop.
    Colima,
    /// Not docker at all.
    Podman,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Engine => "engine",
            Self::Desktop => "desktop",
            Self::Rootless => "rootless",
            Self::Colima => "colima",
            Self::Podman => "podman",
        })
    }
}

/// Which tool the engine writes its rules with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleBackend {
    /// iptables.
    Iptables,
    /// nftables, opt-in since engine 29.
    Nftables,
}

/// Daemon options that change packets; the defaults are dockerd's.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// `--iptables`.
    pub iptables: bool,
    /// `--ip-forward`.
    pub ip_forward: bool,
    /// `--ip-forward-no-drop`.
    pub ip_forward_no_drop: bool,
    /// `--ip-masq`, for the default bridge.
    pub ip_masq: bool,
    /// `--icc`, for the default bridge.
    pub icc: bool,
    /// `--ip`: where ports of the default bridge are published when no address is given.
    pub publish_address: Option<IpAddr>,
    /// `--userland-proxy`.
    pub userland_proxy: bool,
    /// `--allow-direct-routing`.
    pub allow_direct_routing: bool,
    /// `--firewall-backend`.
    pub backend: RuleBackend,
    /// `--host-gateway-ip`: what `host-gateway` stands for; nothing means the address of docker0.
    pub host_gateway: Option<IpAddr>,
    /// Where `iptables`, `icc` and `userland-proxy` are stated, if they are.
    pub stated: BTreeMap<&'static str, Span>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            iptables: true,
            ip_forward: true,
            ip_forward_no_drop: false,
            ip_masq: true,
            icc: true,
            publish_address: None,
            userland_proxy: true,
            allow_direct_routing: false,
            backend: RuleBackend::Iptables,
            host_gateway: None,
            stated: BTreeMap::new(),
        }
    }
}

/// How packets from outside the host may reach containers of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayMode {
    /// Through published ports of the host, with address translation.
    Nat,
    /// Like `Nat`, and directly by routing to any port of the container.
    NatUnprotected,
    /// By routing to published container ports, without translation.
    Routed,
    /// Not at all: the host has no address on the bridge.
    Isolated,
}

/// A network of an engine.
#[derive(Clone, Debug)]
pub struct ContainerNetwork {
    /// Name as `docker network ls` shows it: `bridge`, `shop_backend`.
    pub name: String,
    /// Other names it goes by in sentences: compose's key `backend`.
    pub aliases: Vec<String>,
    /// Interface of the bridge on the host: `docker0`, `br-…`; a name that nobody uses where there is none.
    pub bridge: String,
    /// The interface of the host, by index, that its containers use directly (macvlan, ipvlan); nothing for a bridge.
    pub parent: Option<usize>,
    /// Address range.
    pub subnet: IpNet,
    /// The host's address on the bridge; without one, the router that containers use.
    pub gateway: IpAddr,
    /// `--internal`.
    pub internal: bool,
    /// Containers may talk to each other.
    pub icc: bool,
    /// Outgoing packets get the host's address.
    pub masquerade: bool,
    /// How it is reached from outside.
    pub gateway_mode: GatewayMode,
    /// Where ports are published when no address is given.
    pub publish_address: Option<IpAddr>,
    /// The network that containers join when none is named; it has no name service.
    pub is_default_bridge: bool,
    /// Where it is defined.
    pub origin: Origin,
}

/// A container.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its name: `grafana`, `shop-web-1`.
    pub name: String,
    /// Other names it goes by in sentences: compose's service name.
    pub aliases: Vec<String>,
    /// The shortest of its names that means it and nothing else in the lab.
    pub short_name: String,
    /// Image reference.
    pub image: Option<Spanned<String>>,
    /// How it is attached.
    pub networking: Networking,
    /// Published ports.
    pub publishes: Vec<Publish>,
    /// Ports that are not published because all of the container's networks are internal.
    pub withheld: Vec<Publish>,
    /// Programs in it.
    pub processes: Vec<Process>,
    /// Where another published port would be written, see [`Insertion`].
    pub publish_at: Option<Insertion>,
    /// Where another network would be written, see [`Insertion`].
    pub network_at: Option<Insertion>,
    /// Why docker compose refuses the project that it belongs to: it does not run until that is mended.
    pub refused: Option<Spanned<String>>,
    /// That it exists and does not run, where that is said, and why. Then it has no network and publishes nothing.
    pub idle: Option<Spanned<IdleCause>>,
    /// Names from `extra_hosts` / `--add-host`.
    pub extra_hosts: BTreeMap<String, IpAddr>,
    /// Its variables, as far as they are written.
    pub environment: Vec<(String, Spanned<String>)>,
    /// What is run in it, as far as that is known.
    pub command: Vec<Spanned<String>>,
    /// Addresses that a file in it tells its program to dial.
    pub dials: Vec<Spanned<String>>,
    /// The ports that its statement or its Dockerfile exposes.
    pub exposes: Vec<Spanned<(Protocol, PortRange)>>,
    /// Where it is defined.
    pub origin: Origin,
}

/// How a container is attached.
#[derive(Clone, Debug)]
pub enum Networking {
    /// Endpoints on bridge networks; the first in gateway order has the default route.
    Bridges(Vec<Endpoint>),
    /// The host's own network namespace.
    Host(Origin),
    /// Loopback only.
    None(Origin),
    /// The namespace of another container of the same engine, by index.
    Container(usize, Origin),
}

/// A container's place on a network.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Index of the network in its engine.
    pub network: usize,
    /// Its address there.
    pub address: IpAddr,
    /// Names that the network's name service answers with this address.
    pub names: Vec<String>,
    /// Exists only while this switch is on.
    pub guard: Option<SwitchId>,
    /// Where the attachment is written.
    pub origin: Origin,
}

/// One published port.
#[derive(Clone, Debug)]
pub struct Publish {
    /// Address to listen on; nothing means the network's or engine's default.
    pub host_address: Option<IpAddr>,
    /// Port on the host; nothing means an ephemeral one.
    pub host_port: Option<u16>,
    /// Port in the container.
    pub container_port: u16,
    /// Protocol.
    pub protocol: Protocol,
    /// Exists only while this switch is on.
    pub guard: Option<SwitchId>,
    /// Where it is written.
    pub origin: Origin,
}
