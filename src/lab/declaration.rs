//! What front-ends say: one declaration per thing that a file states, in the order in which it takes effect, with the
//! places where it was written. Nothing is resolved yet: names are names, defaults are absent.

use std::fmt;
use std::net::{AddrParseError, IpAddr};
use std::str::FromStr;

use crate::diagnostic::Diagnosed;
use crate::language::Text;
use crate::net::{IpNet, PortRange, Protocol, Version};
use crate::source::{Span, Spanned};

use super::host::{HostEvent, HostKind, Os, SegmentKind};
use super::hosted::{ForwardMode, HostFirewallDecl, LibvirtDecl, WslDecl};
use super::interface_config::InterfaceConfig;
use super::ipset::IpSet;
use super::iptables::{IptablesCommand, UfwChange};
use super::kept_ports::KeptPorts;
use super::machine::{HypervisorDecl, MachineChange, MachineDecl, NatDecl};
use super::nft::NftRuleset;
use super::sysctl::SysctlSetting;
use super::tunnel::{ProxyEnd, TunnelDecl};
use super::{GatewayMode, Platform, RuleBackend, Statement};

mod firewalld;
mod idle;

pub use firewalld::{
    DirectRule, FirewallChange, FirewallCmd, FirewalldDecl, FirewalldListing, InterfaceZone, IpSetDecl, PolicyDecl,
    ServiceChange, ServiceDecl, ZoneBindings, ZoneDecl,
};
pub use idle::{Idle, IdleCause, RestartPolicy, shuffled_addresses, unknown_policy};

/// One thing that a file states.
#[derive(Clone, Debug)]
pub enum Declaration {
    /// A host, from lab.yaml.
    Host(HostDecl),
    /// A segment, from lab.yaml.
    Segment(SegmentDecl),
    /// A named set, from lab.yaml.
    Group(Spanned<String>, Vec<Spanned<String>>),
    /// A program in a host or container, from lab.yaml: overrides what is assumed about its image.
    Process(ProcessDecl),
    /// A sentence to decide, from lab.yaml, a specs file or a Markdown block.
    Sentence(Statement),
    /// A virtual machine, from a `.vbox` file or a listing.
    Machine(MachineDecl),
    /// A command that changes a virtual machine, or makes one.
    MachineChange(MachineChange),
    /// A network that the hypervisor keeps, or an interface of the machine that it runs on.
    Hypervisor(HypervisorDecl),
    /// An ssh tunnel or a port proxy.
    Tunnel(TunnelDecl),
    /// The port proxy that listens there is taken away, or all are.
    ProxyGone(Option<ProxyEnd>),
    /// Ports that Windows keeps for itself.
    KeptPorts(KeptPorts),
    /// libvirt, which keeps networks.
    Libvirt(LibvirtDecl),
    /// How WSL connects its machine.
    Wsl(WslDecl),
    /// The firewall that the system has by itself.
    HostFirewall(HostFirewallDecl),
    /// What the system of a machine says about one of its interfaces.
    InterfaceConfig(Box<InterfaceConfig>),
    /// An option of the engine, from dockerd arguments or lab.yaml.
    Engine(EngineDecl),
    /// `docker network create`, or a network of a compose file.
    Network(NetworkDecl),
    /// `docker run`, or a service of a compose file.
    Container(ContainerDecl),
    /// `docker compose up`: says which files a project consists of, and means nothing once they are read.
    Compose(ComposeDecl),
    /// `docker network connect`.
    Connect(ConnectDecl),
    /// What a later line takes back: in the end it is not there, but meanwhile it held addresses.
    Former(Box<Declaration>),
    /// `docker rm` and its kin: from here on those addresses are free.
    Freed(FreedDecl),
    /// A container as the engine lists it: `docker inspect`, `docker ps`.
    Running(Box<RunningDecl>),
    /// A network as the engine lists it: `docker network inspect`.
    RunningNetwork(NetworkDecl),
    /// firewalld is there; from lab.yaml, a configuration directory or the first `firewall-cmd`.
    Firewalld(FirewalldDecl),
    /// A zone file.
    Zone(ZoneDecl),
    /// A policy file.
    Policy(PolicyDecl),
    /// A service file.
    Service(ServiceDecl),
    /// An ipset file.
    FirewalldIpSet(IpSetDecl),
    /// An entry of direct.xml.
    Direct(Spanned<DirectRule>),
    /// Something in a file for which firewalld refuses all files of /etc/firewalld.
    FirewalldRefused(Spanned<String>),
    /// What a listing says is in force.
    FirewalldListed(FirewalldListing),
    /// NetworkManager, or the network scripts of before, put an interface into a zone.
    InterfaceZone(InterfaceZone),
    /// One `firewall-cmd` change.
    FirewallCmd(FirewallCmd),
    /// Rules for iptables: one line of a script, or a saved rule set.
    Iptables(Vec<IptablesCommand>),
    /// A set of ipset.
    IpSet(IpSet),
    /// A rule set of nftables: a listing, or a file for `nft -f`.
    Nft(NftRuleset),
    /// One line of `ufw`.
    Ufw(Spanned<UfwChange>),
    /// A setting of the kernel.
    Sysctl(SysctlDecl),
    /// Something that starts, reloads or stops rule sets.
    Event(Spanned<HostEvent>),
    /// Something that could change packets and has no model.
    Unmodeled(Spanned<Text>),
}

/// What a front-end returns for one file.
pub type Declarations = Diagnosed<Vec<Declaration>>;

/// A place where a missing line would be written.
#[derive(Clone, Debug)]
pub struct Insertion {
    /// Where; an empty span inserts.
    pub at: Span,
    /// Text before the value.
    pub before: String,
    /// Text behind the value.
    pub after: String,
}

impl Insertion {
    /// The text that would be written for `value`.
    pub fn text(&self, value: &str) -> String {
        format!("{}{value}{}", self.before, self.after)
    }
}

/// A host as lab.yaml states it.
#[derive(Clone, Debug)]
pub struct HostDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Operating system.
    pub os: Option<Spanned<Os>>,
    /// `router` hosts forward to the internet.
    pub is_router: Option<Spanned<bool>>,
    /// The host that runs this VM.
    pub on: Option<Spanned<String>>,
    /// The VM's `.vbox` file, relative to lab.yaml.
    pub vm: Option<Spanned<String>>,
    /// Files that configure this host, in order, relative to lab.yaml; directories count whole.
    pub files: Vec<Spanned<String>>,
    /// Saved rule sets that replace whatever the products would write, relative to lab.yaml.
    pub rules: Vec<Spanned<String>>,
    /// Interfaces.
    pub interfaces: Vec<InterfaceDecl>,
    /// `net.ipv4.ip_forward`.
    pub ip_forward: Option<Spanned<bool>>,
    /// Extra routes.
    pub routes: Vec<(Spanned<IpNet>, Spanned<IpAddr>)>,
    /// The whole entry.
    pub span: Span,
}

impl HostDecl {
    /// The kind that can be told from the declaration alone.
    pub fn kind(&self) -> Option<HostKind> {
        self.is_router.as_ref().is_some_and(|r| r.value).then_some(HostKind::Router)
    }
}

/// An interface as lab.yaml states it.
#[derive(Clone, Debug)]
pub struct InterfaceDecl {
    /// Name inside the host.
    pub name: Spanned<String>,
    /// VirtualBox adapter number, from 1, that this interface is.
    pub adapter: Option<Spanned<u8>>,
    /// Segment by name.
    pub segment: Option<Spanned<String>>,
    /// A private NAT, stated here instead of in a `.vbox` file.
    pub nat: Option<NatDecl>,
    /// Addresses with prefix length.
    pub addresses: Vec<Spanned<IpNet>>,
    /// Default gateway.
    pub gateway: Option<Spanned<IpAddr>>,
    /// Whether it asks for an address where none is stated.
    pub dhcp: Option<Spanned<bool>>,
    /// Whether the default route may lead through it.
    pub default_route: Option<Spanned<bool>>,
    /// The metric of that route.
    pub metric: Option<Spanned<u32>>,
    /// The host's own system says all of it, and lab.yaml nothing.
    pub is_read: bool,
    /// The whole entry.
    pub span: Span,
}

impl InterfaceDecl {
    /// An interface about which nothing but its name is stated.
    pub fn new(name: Spanned<String>, span: Span) -> Self {
        Self {
            name,
            adapter: None,
            segment: None,
            nat: None,
            addresses: Vec::new(),
            gateway: None,
            dhcp: None,
            default_route: None,
            metric: None,
            is_read: false,
            span,
        }
    }
}

/// A segment as lab.yaml states it.
#[derive(Clone, Debug)]
pub struct SegmentDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// What it is.
    pub kind: Option<Spanned<SegmentKind>>,
    /// Subnets.
    pub subnets: Vec<Spanned<IpNet>>,
    /// Address of the router that leads to the internet; none means that nothing leads out.
    pub gateway: Option<Spanned<IpAddr>>,
    /// How the host that keeps it for its machines carries packets in and out.
    pub forward: Option<Spanned<ForwardMode>>,
    /// The bridge by which that host is on it.
    pub bridge: Option<Spanned<String>>,
    /// VirtualBox's name of the interface or network that this is: `vboxnet0`, `en0`.
    pub vbox_names: Vec<Spanned<String>>,
    /// The whole entry.
    pub span: Span,
}

/// A program as lab.yaml states it.
#[derive(Clone, Debug)]
pub struct ProcessDecl {
    /// The host, container or service that it runs in.
    pub runs_in: Spanned<String>,
    /// Its name, if it has one of its own.
    pub name: Option<Spanned<String>>,
    /// Where it listens.
    pub listens: Vec<ListenDecl>,
    /// The whole entry.
    pub span: Span,
}

/// A place where a program listens.
#[derive(Clone, Debug)]
pub struct ListenDecl {
    /// Protocol.
    pub protocol: Protocol,
    /// Address; nothing means all.
    pub address: Option<IpAddr>,
    /// Ports.
    pub ports: PortRange,
    /// The entry.
    pub span: Span,
}

/// Engine options; what is absent keeps its former value.
#[derive(Clone, Debug, Default)]
pub struct EngineDecl {
    /// How it is run; nothing means that the host's system decides.
    pub platform: Option<Spanned<Platform>>,
    /// Release.
    pub version: Option<Spanned<Version>>,
    /// `iptables`.
    pub iptables: Option<Spanned<bool>>,
    /// `ip-forward`.
    pub ip_forward: Option<Spanned<bool>>,
    /// `ip-forward-no-drop`.
    pub ip_forward_no_drop: Option<Spanned<bool>>,
    /// `ip-masq`.
    pub ip_masq: Option<Spanned<bool>>,
    /// `icc`.
    pub icc: Option<Spanned<bool>>,
    /// `ip`.
    pub publish_address: Option<Spanned<IpAddr>>,
    /// `userland-proxy`.
    pub userland_proxy: Option<Spanned<bool>>,
    /// `allow-direct-routing`.
    pub allow_direct_routing: Option<Spanned<bool>>,
    /// `firewall-backend`.
    pub backend: Option<Spanned<RuleBackend>>,
    /// `bip`: address and prefix of docker0.
    pub default_bridge: Option<Spanned<IpNet>>,
    /// `default-address-pools`; empty means dockerd's.
    pub address_pools: Vec<Spanned<AddressPool>>,
    /// `host-gateway-ip`.
    pub host_gateway: Option<Spanned<IpAddr>>,
    /// `live-restore`.
    pub live_restore: Option<Spanned<bool>>,
    /// The whole statement.
    pub span: Option<Span>,
}

/// A range that is cut into subnets for networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressPool {
    /// The range.
    pub base: IpNet,
    /// Prefix length of each subnet.
    pub size: u8,
}

impl AddressPool {
    /// A range that can be cut into subnets of that size.
    pub fn new(base: IpNet, size: u8) -> Option<Self> {
        (base.prefix_len() <= size && size <= base.max_prefix_len()).then_some(Self { base, size })
    }
}

/// A container network.
#[derive(Clone, Debug)]
pub struct NetworkDecl {
    /// Full name: `shop_backend`.
    pub name: Spanned<String>,
    /// The name in its file, if different: `backend`.
    pub key: Option<String>,
    /// Driver; nothing means bridge.
    pub driver: Option<Spanned<String>>,
    /// `parent`: the interface of the host that containers of macvlan and ipvlan networks use.
    pub parent: Option<Spanned<String>>,
    /// `macvlan_mode`, `ipvlan_mode`.
    pub driver_mode: Option<Spanned<String>>,
    /// Subnet.
    pub subnet: Option<Spanned<IpNet>>,
    /// Gateway address.
    pub gateway: Option<Spanned<IpAddr>>,
    /// `internal`.
    pub internal: Option<Spanned<bool>>,
    /// `com.docker.network.bridge.name`.
    pub bridge: Option<Spanned<String>>,
    /// `com.docker.network.bridge.enable_icc`.
    pub icc: Option<Spanned<bool>>,
    /// `com.docker.network.bridge.enable_ip_masquerade`.
    pub masquerade: Option<Spanned<bool>>,
    /// `com.docker.network.bridge.host_binding_ipv4`.
    pub publish_address: Option<Spanned<IpAddr>>,
    /// `com.docker.network.bridge.gateway_mode_ipv4`.
    pub gateway_mode: Option<Spanned<GatewayMode>>,
    /// Made elsewhere (`external: true`): must exist, is not created.
    pub external: bool,
    /// The whole statement.
    pub span: Span,
}

/// A container.
#[derive(Clone, Debug)]
pub struct ContainerDecl {
    /// Its name; `docker run` without `--name` has none.
    pub name: Option<Spanned<String>>,
    /// Names that the networks' name service also answers to: the compose service, `--network-alias`.
    pub aliases: Vec<String>,
    /// Image.
    pub image: Option<Spanned<String>>,
    /// Networks in the order of the file; empty means the default (docker run: `bridge`; compose names its own).
    pub networks: Vec<AttachDecl>,
    /// `--network host`, `network_mode: none` and so on.
    pub mode: Option<Spanned<NetworkMode>>,
    /// Published ports.
    pub publishes: Vec<PublishDecl>,
    /// `-P`.
    pub publish_all: Option<Span>,
    /// `--expose`, `expose:`.
    pub exposes: Vec<Spanned<(Protocol, PortRange)>>,
    /// `--add-host`, `extra_hosts`.
    pub extra_hosts: Vec<(Spanned<String>, HostAddress)>,
    /// `--link`: container and alias.
    pub links: Vec<Spanned<(String, String)>>,
    /// What is run in the container instead of the image's command: program and arguments.
    pub command: Vec<Spanned<String>>,
    /// Variables that its program sees and whose values are written: name and value.
    pub environment: Vec<(String, Spanned<String>)>,
    /// What its image says, where the files tell how it is built.
    pub built: Option<Box<ImageDecl>>,
    /// Files of the lab that are mounted into it, or copied into its image.
    pub mounts: Vec<MountDecl>,
    /// `--env-file`: variables that are read where files are at hand.
    pub env_files: Vec<Spanned<String>>,
    /// Addresses that a mounted file tells its program to dial.
    pub dials: Vec<Spanned<String>>,
    /// Where another published port would be written; the value is `3000:3000` or `127.0.0.1:3000:3000`.
    pub publish_at: Option<Insertion>,
    /// Where another network would be written; the value is the network's name in the file.
    pub network_at: Option<Insertion>,
    /// The project of docker compose that it is a service of.
    pub project: Option<String>,
    /// Why docker compose refuses the project that it belongs to: it does not run until that is mended.
    pub refused: Option<Spanned<String>>,
    /// That it does not run. It has no networks then, and publishes nothing.
    pub idle: Option<Idle>,
    /// What brings it up again.
    pub restart: RestartPolicy,
    /// Its end removes it (`--rm`).
    pub is_removed_at_end: bool,
    /// The whole statement, or the service's key.
    pub span: Span,
}

impl NetworkDecl {
    /// A network of which nothing but the name is known.
    pub fn named(name: Spanned<String>, span: Span) -> Self {
        Self {
            name,
            key: None,
            driver: None,
            parent: None,
            driver_mode: None,
            subnet: None,
            gateway: None,
            internal: None,
            bridge: None,
            icc: None,
            masquerade: None,
            publish_address: None,
            gateway_mode: None,
            external: false,
            span,
        }
    }
}

impl ContainerDecl {
    /// A container of which nothing is known.
    pub fn at(span: Span) -> Self {
        Self {
            name: None,
            aliases: Vec::new(),
            image: None,
            networks: Vec::new(),
            mode: None,
            publishes: Vec::new(),
            publish_all: None,
            exposes: Vec::new(),
            extra_hosts: Vec::new(),
            links: Vec::new(),
            command: Vec::new(),
            environment: Vec::new(),
            built: None,
            mounts: Vec::new(),
            env_files: Vec::new(),
            dials: Vec::new(),
            publish_at: None,
            network_at: None,
            project: None,
            refused: None,
            idle: None,
            restart: RestartPolicy::No,
            is_removed_at_end: false,
            span,
        }
    }

    /// Program and arguments, as far as they are known.
    pub fn words(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.built.iter().flat_map(|image| &image.command).chain(&self.command)
    }

    /// The variables that its program sees; each name once.
    pub fn variables(&self) -> Vec<(String, Spanned<String>)> {
        let mut all: Vec<(String, Spanned<String>)> = Vec::new();
        for (name, value) in self.built.iter().flat_map(|image| &image.environment).chain(&self.environment) {
            all.retain(|(other, _)| other != name);
            all.push((name.clone(), value.clone()));
        }
        all
    }

    /// The ports that it or its image exposes.
    pub fn exposed(&self) -> impl Iterator<Item = &Spanned<(Protocol, PortRange)>> {
        self.exposes.iter().chain(self.built.iter().flat_map(|image| &image.exposes))
    }
}

/// What a Dockerfile makes of an image.
#[derive(Clone, Debug, Default)]
pub struct ImageDecl {
    /// The well-known image that it starts from, as far as that is one.
    pub base: Option<Spanned<String>>,
    /// `EXPOSE`, here and in the image below.
    pub exposes: Vec<Spanned<(Protocol, PortRange)>>,
    /// `ENV`: name and value.
    pub environment: Vec<(String, Spanned<String>)>,
    /// What is left of `ENTRYPOINT` and `CMD`: words that stand before those of the container.
    pub command: Vec<Spanned<String>>,
}

/// A file or directory at a place inside a container.
#[derive(Clone, Debug)]
pub struct MountDecl {
    /// Its path, from where the paths of the lab start, or from where the command runs.
    pub source: Spanned<String>,
    /// The path in the container.
    pub target: String,
}

/// A container as the engine lists it.
#[derive(Clone, Debug)]
pub struct RunningDecl {
    /// What it is, as far as the listing says it. Networks have addresses, published ports are those in force.
    pub container: ContainerDecl,
    /// Its id, or as much of it as is printed.
    pub id: String,
    /// The compose project and service that it was made from, by its labels.
    pub made_from: Option<(String, String)>,
    /// Whether it runs; the word that says so.
    pub state: Spanned<RunState>,
    /// What the listing leaves out.
    pub listing: Listing,
}

/// Whether a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Its program runs, or will in a moment.
    Up,
    /// It exists, and nothing in it runs.
    Down,
}

/// Which command listed a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// `docker inspect`, which says everything.
    Inspect,
    /// `docker ps`, which says nothing about addresses.
    Ps,
}

/// A call of `docker compose` that starts a project.
#[derive(Clone, Debug)]
pub struct ComposeDecl {
    /// `-f`, relative to where the command runs; none means the usual names.
    pub files: Vec<Spanned<String>>,
    /// `-p`.
    pub project: Option<Spanned<String>>,
    /// `--profile`.
    pub profiles: Vec<Spanned<String>>,
    /// `--env-file` in place of `.env`.
    pub env_files: Vec<Spanned<String>>,
    /// `--project-directory`.
    pub directory: Option<Spanned<String>>,
    /// The services that it starts, with those that they depend on; none means all.
    pub services: Vec<Spanned<String>>,
    /// The whole command.
    pub span: Span,
}

impl ComposeDecl {
    /// Whether docker compose does what it does without being told.
    pub fn is_plain(&self) -> bool {
        let lists = [&self.files, &self.profiles, &self.env_files, &self.services];
        lists.iter().all(|list| list.is_empty()) && self.project.is_none() && self.directory.is_none()
    }
}

/// What a name of `extra_hosts` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostAddress {
    /// An address.
    Ip(IpAddr),
    /// `host-gateway`: an address of the host that the engine knows.
    HostGateway,
}

impl FromStr for HostAddress {
    type Err = AddrParseError;

    /// Brackets around the address are allowed.
    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let bare = text.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(text);
        if bare == "host-gateway" { Ok(Self::HostGateway) } else { bare.parse().map(Self::Ip) }
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::HostGateway => f.write_str("host-gateway"),
        }
    }
}

/// How a container's namespace is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkMode {
    /// The host's.
    Host,
    /// Empty.
    None,
    /// The default bridge, by name.
    Bridge,
    /// Another container's or service's.
    Container(String),
}

/// A container's attachment to a network.
#[derive(Clone, Debug)]
pub struct AttachDecl {
    /// Network by full name.
    pub network: Spanned<String>,
    /// Fixed address.
    pub address: Option<Spanned<IpAddr>>,
    /// Names on this network only.
    pub aliases: Vec<String>,
    /// `gw_priority`: the highest has the default route.
    pub gateway_priority: Option<Spanned<i64>>,
}

/// One `-p` or `ports:` item; ranges are not expanded yet.
#[derive(Clone, Debug)]
pub struct PublishDecl {
    /// Address to listen on.
    pub host_address: Option<IpAddr>,
    /// Ports on the host; nothing means ephemeral.
    pub host_ports: Option<PortRange>,
    /// Ports in the container.
    pub container_ports: PortRange,
    /// Protocol.
    pub protocol: Protocol,
    /// The item.
    pub span: Span,
}

/// `docker network connect`.
#[derive(Clone, Debug)]
pub struct ConnectDecl {
    /// The container.
    pub container: Spanned<String>,
    /// How it is attached.
    pub attach: AttachDecl,
    /// The whole statement.
    pub span: Span,
}

/// A setting of the kernel that changes what happens to packets.
#[derive(Clone, Debug)]
pub struct SysctlDecl {
    /// What is set.
    pub setting: SysctlSetting,
    /// Made when the machine boots, before anything else starts.
    pub at_boot: bool,
    /// The whole statement.
    pub span: Span,
}

/// Who lets go of addresses.
#[derive(Clone, Debug)]
pub enum FreedDecl {
    /// A container that is removed, or disconnected from one network.
    Container {
        /// The container.
        name: String,
        /// The network; all of them if none is named.
        network: Option<String>,
    },
    /// A network, and with it its subnet.
    Network(String),
}
