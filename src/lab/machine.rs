//! Virtual machines as their files, listings and commands state them, and the networks that the hypervisor keeps for
//! them. Nothing is resolved yet: names are names, defaults are absent.

use std::net::IpAddr;

use crate::net::{IpNet, Protocol, Version};
use crate::source::{Span, Spanned};

use super::declaration::Insertion;
use super::host::Os;
use super::interface_config::hardware_address;

/// A virtual machine as its `.vbox` file or a listing states it.
#[derive(Clone, Debug)]
pub struct MachineDecl {
    /// Its name in VirtualBox.
    pub name: Spanned<String>,
    /// Settings version without the platform suffix, like `1.19`, which decides what an absent attribute means; nothing
    /// where a new machine's defaults hold.
    pub settings: Option<Spanned<Version>>,
    /// The machine that VirtualBox runs on, from the suffix of the settings version: `1.19-macosx`.
    pub runs_on: Option<Os>,
    /// The program that wrote the file, from its comment.
    pub written_by: Option<Spanned<Version>>,
    /// `OSType`.
    pub os_type: Option<Spanned<String>>,
    /// Adapters with their slot; absent slots are disabled.
    pub adapters: Vec<AdapterDecl>,
    /// The `Machine` element's opening tag, or the line with the name.
    pub span: Span,
}

/// A network adapter of a virtual machine.
#[derive(Clone, Debug)]
pub struct AdapterDecl {
    /// Slot, from 0.
    pub slot: u8,
    /// Whether it is plugged into the machine.
    pub enabled: bool,
    /// `cable`; nothing means that the settings version decides.
    pub cable: Option<Spanned<bool>>,
    /// Hardware address, as twelve hexadecimal digits.
    pub mac: Option<Spanned<String>>,
    /// What it is attached to.
    pub mode: AdapterMode,
    /// What it would be attached to in other modes (`DisabledModes`).
    pub other_modes: Vec<AdapterMode>,
    /// Addresses that the guest is given on it, where the same file says so.
    pub addresses: Vec<Spanned<IpNet>>,
    /// The `Adapter` element's opening tag, or the line that says so.
    pub span: Span,
}

impl AdapterDecl {
    /// The hardware address as twelve digits in upper case.
    pub fn hardware_address(&self) -> Option<String> {
        hardware_address(&self.mac.as_ref()?.value)
    }
}

/// What an adapter is attached to, with the element that says so.
#[derive(Clone, Debug)]
pub enum AdapterMode {
    /// A NAT engine of its own.
    Nat(Box<NatDecl>),
    /// The segment of a host interface.
    Bridged(Spanned<String>),
    /// A host-only interface of the host.
    HostOnly(Spanned<String>),
    /// A host-only network, which has no interface that the user makes (VirtualBox 7.0 on macOS).
    HostOnlyNetwork(Spanned<String>),
    /// Whichever of the two the release has on the host: so Vagrant attaches (plugins/providers/virtualbox/driver/
    /// version_7_0.rb, `use_host_only_nets?`).
    HostOnlyEither(Spanned<String>),
    /// An internal network.
    Internal(Spanned<String>),
    /// A shared NAT network.
    NatNetwork(Spanned<String>),
    /// A driver by name with its properties, like the UDP tunnel.
    Generic(Spanned<String>, Vec<(String, String)>),
    /// A network in a cloud.
    Cloud(Spanned<String>),
    /// Nothing.
    None,
}

/// A private NAT.
#[derive(Clone, Debug)]
pub struct NatDecl {
    /// The network inside, if not 10.0.(slot + 2).0/24.
    pub network: Option<Spanned<IpNet>>,
    /// Inbound forwards.
    pub forwards: Vec<ForwardDecl>,
    /// `localhost-reachable`; nothing means that the settings version decides.
    pub localhost_reachable: Option<Spanned<bool>>,
    /// Host address that outgoing connections leave from.
    pub bind_address: Option<Spanned<IpAddr>>,
    /// libslirp or not, if stated.
    pub libslirp: Option<Spanned<bool>>,
    /// Where another forward would be written; the value is `proto, host address, host port, guest port` in the
    /// notation of the file, see [`ForwardNotation`].
    pub forward_at: Option<(Insertion, ForwardNotation)>,
    /// The element.
    pub span: Span,
}

impl NatDecl {
    /// A NAT about which nothing but its place is stated.
    pub fn new(span: Span) -> Self {
        Self {
            network: None,
            forwards: Vec::new(),
            localhost_reachable: None,
            bind_address: None,
            libslirp: None,
            forward_at: None,
            span,
        }
    }
}

/// How a forward is written in the file at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardNotation {
    /// `<Forwarding name= proto= hostip= hostport= guestport=/>`
    VboxXml,
    /// `tcp:127.0.0.1:3000:3000`, as in lab.yaml.
    LabYaml,
    /// `guest: 3000, host: 3000, host_ip: "127.0.0.1"`, options of `config.vm.network`.
    Vagrantfile,
}

/// An inbound forward.
#[derive(Clone, Debug)]
pub struct ForwardDecl {
    /// Its name.
    pub name: String,
    /// Protocol.
    pub protocol: Protocol,
    /// Address to listen on.
    pub host_address: Option<IpAddr>,
    /// Port to listen on.
    pub host_port: u16,
    /// Address to dial.
    pub guest_address: Option<IpAddr>,
    /// Port to dial.
    pub guest_port: u16,
    /// The element.
    pub span: Span,
}

/// A command about a virtual machine.
#[derive(Clone, Debug)]
pub struct MachineChange {
    /// The machine by name.
    pub machine: Spanned<String>,
    /// What becomes of it.
    pub action: MachineAction,
    /// The whole command, or the option that says so.
    pub span: Span,
}

/// What a command does to a virtual machine.
#[derive(Clone, Debug)]
pub enum MachineAction {
    /// It is made (`createvm`), with an operating system if stated.
    Create {
        /// `--ostype`.
        os_type: Option<Spanned<String>>,
    },
    /// It is no longer there (`unregistervm`).
    Remove,
    /// It has another name (`modifyvm --name`).
    Rename(Spanned<String>),
    /// The adapter in a slot, from 0, changes.
    Adapter(u8, Box<AdapterChange>),
}

/// What becomes of an adapter.
#[derive(Clone, Debug)]
pub enum AdapterChange {
    /// It is taken out (`--nic1 none`).
    Disable,
    /// It is attached in a mode; what that mode was told before holds again.
    Attach(ModeKind),
    /// What a mode is to be attached to, whether or not it is the current one.
    Target(AdapterMode),
    /// The cable is plugged in or pulled.
    Cable(Spanned<bool>),
    /// The hardware address.
    Mac(Spanned<String>),
    /// The NAT's network; nothing means the default one.
    NatNetwork(Option<Spanned<IpNet>>),
    /// Whether the guest reaches the host's loopback.
    LocalhostReachable(Spanned<bool>),
    /// Where the NAT's outgoing connections leave from; nothing means wherever routes lead.
    BindAddress(Option<Spanned<IpAddr>>),
    /// Another forward of the NAT.
    AddForward(ForwardDecl),
    /// The forward of that name goes.
    RemoveForward(Spanned<String>),
}

/// The modes of an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeKind {
    /// Plugged in, attached to nothing.
    Null,
    /// [`AdapterMode::Nat`].
    Nat,
    /// [`AdapterMode::Bridged`].
    Bridged,
    /// [`AdapterMode::HostOnly`].
    HostOnly,
    /// [`AdapterMode::HostOnlyNetwork`].
    HostOnlyNetwork,
    /// [`AdapterMode::Internal`].
    Internal,
    /// [`AdapterMode::NatNetwork`].
    NatNetwork,
    /// [`AdapterMode::Generic`].
    Generic,
    /// [`AdapterMode::Cloud`].
    Cloud,
}

impl AdapterMode {
    /// Which mode it is.
    pub fn kind(&self) -> ModeKind {
        match self {
            Self::Nat(_) => ModeKind::Nat,
            Self::Bridged(_) => ModeKind::Bridged,
            Self::HostOnly(_) => ModeKind::HostOnly,
            Self::HostOnlyEither(_) => ModeKind::HostOnly,
            Self::HostOnlyNetwork(_) => ModeKind::HostOnlyNetwork,
            Self::Internal(_) => ModeKind::Internal,
            Self::NatNetwork(_) => ModeKind::NatNetwork,
            Self::Generic(..) => ModeKind::Generic,
            Self::Cloud(_) => ModeKind::Cloud,
            Self::None => ModeKind::Null,
        }
    }
}

/// What is stated about the networks of a hypervisor and the machine that it runs on.
#[derive(Clone, Debug)]
pub enum HypervisorDecl {
    /// The release, from a listing or the file of global settings.
    Version(Spanned<Version>),
    /// A NAT network.
    NatNetwork(NatNetworkDecl),
    /// A host-only interface or network.
    HostOnly(HostOnlyDecl),
    /// A server that hands out addresses on one of the networks.
    Dhcp(DhcpDecl),
    /// An interface of the host that adapters can be bridged to.
    HostInterface(HostInterfaceDecl),
    /// The ranges that host-only networks may lie in (`networks.conf`).
    HostOnlyRanges(Spanned<Vec<IpNet>>),
}

impl HypervisorDecl {
    /// The whole statement.
    pub fn span(&self) -> Span {
        match self {
            Self::Version(version) => version.span,
            Self::NatNetwork(network) => network.span,
            Self::HostOnly(network) => network.span,
            Self::Dhcp(server) => server.span,
            Self::HostInterface(interface) => interface.span,
            Self::HostOnlyRanges(ranges) => ranges.span,
        }
    }
}

/// How a statement about a network relates to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A file or listing states it.
    Stated,
    /// A command makes it; it must not be there.
    Added,
    /// A command changes it; it must be there. What is absent keeps its former value.
    Changed,
    /// A command takes it away; it must be there.
    Removed,
}

/// A NAT network: one NAT engine for all machines that are attached to it.
#[derive(Clone, Debug)]
pub struct NatNetworkDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Stated, added, changed or removed.
    pub verb: Verb,
    /// The network inside.
    pub network: Option<Spanned<IpNet>>,
    /// Whether it is in use.
    pub enabled: Option<Spanned<bool>>,
    /// Whether it hands out addresses.
    pub dhcp: Option<Spanned<bool>>,
    /// Inbound forwards.
    pub forwards: Vec<ForwardDecl>,
    /// Forwards that go, by name.
    pub removed_forwards: Vec<Spanned<String>>,
    /// Loopback addresses of the host, and the number of the address inside the network that stands for each; zero
    /// takes the mapping away.
    pub loopbacks: Vec<Spanned<(IpAddr, u32)>>,
    /// Where another forward would be written.
    pub forward_at: Option<(Insertion, ForwardNotation)>,
    /// The whole statement.
    pub span: Span,
}

/// A host-only interface (`vboxnet0`) or host-only network.
#[derive(Clone, Debug)]
pub struct HostOnlyDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Stated, added, changed or removed.
    pub verb: Verb,
    /// A network of VirtualBox 7.0 on macOS rather than an interface.
    pub is_network: bool,
    /// The host's address with prefix length.
    pub address: Option<Spanned<IpNet>>,
    /// The addresses that a host-only network hands out.
    pub range: Option<Spanned<(IpAddr, IpAddr)>>,
    /// Whether the interface is up, or the network enabled.
    pub up: Option<Spanned<bool>>,
    /// The whole statement.
    pub span: Span,
}

/// A DHCP server of VirtualBox.
#[derive(Clone, Debug)]
pub struct DhcpDecl {
    /// The network as VirtualBox calls it: `HostInterfaceNetworking-vboxnet0`, or the name of an internal or NAT network.
    pub network: Spanned<String>,
    /// Stated, added, changed or removed.
    pub verb: Verb,
    /// The server's address with prefix length.
    pub address: Option<Spanned<IpNet>>,
    /// The addresses that it hands out.
    pub range: Option<Spanned<(IpAddr, IpAddr)>>,
    /// Whether it runs.
    pub enabled: Option<Spanned<bool>>,
    /// The whole statement.
    pub span: Span,
}

/// An interface of the host, from `list bridgedifs`.
#[derive(Clone, Debug)]
pub struct HostInterfaceDecl {
    /// Its name.
    pub name: Spanned<String>,
    /// Its address with prefix length.
    pub address: Option<Spanned<IpNet>>,
    /// Whether it is Wi-Fi.
    pub wireless: Option<Spanned<bool>>,
    /// Whether it is up.
    pub up: Option<Spanned<bool>>,
    /// The whole entry.
    pub span: Span,
}
