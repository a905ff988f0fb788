//! Machines, their interfaces, the segments between them, and the processes on them.

use std::net::IpAddr;

use crate::net::{IpNet, PortRange, Protocol};
use crate::provenance::Origin;
use crate::source::{SourceId, Spanned};
use crate::switch::SwitchId;

use super::declaration::Insertion;
use super::hosted::{Forwarding, HostFirewall, Wsl};
use super::iptables::IptablesCommand;
use super::kept_ports::KeptPorts;
use super::machine::ForwardNotation;
use super::nft::NftRuleset;
use super::sysctl::Sysctl;
use super::tunnel::Tunnel;
use super::{Engine, Firewalld};

/// Index of a host in its lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub usize);

/// Index of a segment in its lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub usize);

/// Operating system, as far as networking differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    /// Any Linux distribution.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// What sort of machine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// The machine that somebody sits in front of, or any other real machine on a segment.
    Physical,
    /// A virtual machine, run by another host.
    Vm {
        /// The host that runs it.
        on: HostId,
    },
    /// The home router: forwards and masquerades its segments to the internet and forwards nothing inbound.
    Router,
}

/// One machine.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name in sentences.
    pub name: String,
    /// Physical, virtual, or a router.
    pub kind: HostKind,
    /// Its operating system.
    pub os: Os,
    /// Network interfaces, loopback excluded.
    pub interfaces: Vec<Interface>,
    /// Programs that run on it and may listen.
    pub processes: Vec<Process>,
    /// The container engine, if there is one.
    pub engine: Option<Engine>,
    /// firewalld, if it is there.
    pub firewalld: Option<Firewalld>,
    /// In which order firewall and engine came up, and what happened to them since.
    pub events: Vec<HostEvent>,
    /// What the user gives to iptables; `events` says when.
    pub rules: Vec<Vec<IptablesCommand>>,
    /// Rule sets of nftables; `events` says when they are loaded.
    pub nft: Vec<NftRuleset>,
    /// Settings of the kernel; `events` says when they are made.
    pub sysctls: Vec<Sysctl>,
    /// The firewall that its system has by itself, if it is on.
    pub firewall: Option<HostFirewall>,
    /// How WSL connects it, if it is WSL's machine.
    pub wsl: Option<Wsl>,
    /// What Windows says about the ports that it keeps for itself.
    pub kept_ports: Vec<KeptPorts>,
    /// Tunnels and port proxies that listen on it.
    pub tunnels: Vec<Tunnel>,
    /// Whether the kernel forwards packets without an engine asking for it (`net.ipv4.ip_forward`).
    pub ip_forward: bool,
    /// Extra routes: destination and gateway.
    pub routes: Vec<(IpNet, IpAddr)>,
    /// The files that say something about it, lab.yaml left out.
    pub files: Vec<SourceId>,
    /// Where the host comes from.
    pub origin: Origin,
}

/// Something that changes which rule sets are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// firewalld starts.
    FirewalldStart,
    /// `firewall-cmd --reload`.
    FirewalldReload,
    /// `firewall-cmd --complete-reload`.
    FirewalldCompleteReload,
    /// firewalld stops.
    FirewalldStop,
    /// dockerd starts, networks and containers included.
    EngineStart,
    /// dockerd restarts with its containers.
    EngineRestart,
    /// libvirt starts the networks that it keeps.
    NetworksStart,
    /// The user gives rules to iptables: an index of the host's `rules`.
    UserRules(usize),
    /// A rule set of nftables is loaded: an index of the host's `nft`.
    NftRules(usize),
    /// A setting of the kernel is made: an index of the host's `sysctls`.
    Sysctl(usize),
}

/// One network interface of a host.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Name inside the host: `enp0s3`, `en0`.
    pub name: String,
    /// What it is plugged into.
    pub attachment: Attachment,
    /// Its addresses.
    pub addresses: Vec<InterfaceAddress>,
    /// Default gateway reached through it.
    pub gateway: Option<IpAddr>,
    /// The metric of that route; nothing means that interfaces count in their order.
    pub metric: Option<u32>,
    /// Whether the cable is connected.
    pub connected: bool,
    /// Where the interface comes from.
    pub origin: Origin,
}

/// An address with its prefix length, and where it is stated.
#[derive(Clone, Debug)]
pub struct InterfaceAddress {
    /// Address and prefix: `192.168.1.101/24`.
    pub net: IpNet,
    /// Where it comes from.
    pub origin: Origin,
}

/// What an interface is plugged into.
#[derive(Clone, Debug)]
pub enum Attachment {
    /// A segment shared with others.
    Segment(SegmentId),
    /// A VM's private NAT engine on the host that runs it.
    Nat(Box<VmNat>),
    /// What an interface of the host that runs it is plugged into, whose addresses it has, too: WSL with
    /// `networkingMode=mirrored`.
    Mirrored,
    /// Nothing.
    Unattached,
}

/// A user-space NAT engine in front of one VM adapter.
#[derive(Clone, Debug)]
pub struct VmNat {
    /// Which implementation.
    pub engine: NatEngine,
    /// The network inside: 10.0.2.0/24.
    pub network: IpNet,
    /// The engine's own address inside: 10.0.2.2.
    pub gateway: IpAddr,
    /// Inbound port forwards.
    pub forwards: Vec<Forward>,
    /// Whether the guest reaches the host's loopback through the gateway address.
    pub localhost_reachable: bool,
    /// Address of the host that outgoing connections leave from; nothing means that routes choose.
    pub bind_address: Option<IpAddr>,
    /// Where another forward would be written, and in which notation.
    pub forward_at: Option<(Insertion, ForwardNotation)>,
    /// Where the adapter's NAT attachment is configured.
    pub origin: Origin,
}

/// Implementation of a user-space NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NatEngine {
    /// VirtualBox before 7.1: every inbound client appears as the gateway address.
    Classic,
    /// libslirp (VirtualBox 7.1 and later, slirp4netns): LAN clients keep their address, loopback clients appear as
    /// the gateway address.
    Libslirp,
}

/// An inbound port forward of a [`VmNat`].
#[derive(Clone, Debug)]
pub struct Forward {
    /// Its name, if it has one.
    pub name: String,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Address to listen on; nothing means all.
    pub host_address: Option<IpAddr>,
    /// Port to listen on.
    pub host_port: u16,
    /// Address to dial; nothing means the guest's address on this adapter.
    pub guest_address: Option<IpAddr>,
    /// Port to dial.
    pub guest_port: u16,
    /// Exists only while this switch is on.
    pub guard: Option<SwitchId>,
    /// Where it is written.
    pub origin: Origin,
}

/// One layer-2 segment.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its name in sentences: `lan`.
    pub name: String,
    /// What it is.
    pub kind: SegmentKind,
    /// Its subnets.
    pub subnets: Vec<IpNet>,
    /// The NAT engine that all machines on it share.
    pub nat: Option<Box<SharedNat>>,
    /// The machine that keeps it for its virtual machines and carries packets in and out.
    pub forwarding: Option<Box<Forwarding>>,
    /// Where it comes from.
    pub origin: Origin,
}

/// A user-space NAT engine that is a machine of a segment of its own.
#[derive(Clone, Debug)]
pub struct SharedNat {
    /// The host that it is a program on.
    pub on: HostId,
    /// The engine; its gateway is its address on the segment.
    pub nat: VmNat,
    /// Other addresses of the segment that stand for loopback addresses of the host.
    pub loopbacks: Vec<(IpAddr, IpAddr)>,
    /// The address at which it answers as a name server, and whether that hangs on something.
    pub resolver: Option<(IpAddr, Option<SwitchId>)>,
}

/// What a segment is, as far as it decides who else may be on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// A real network: other machines may be attached to it.
    Lan,
    /// A VirtualBox host-only network: only the host and its VMs.
    HostOnly,
    /// A VirtualBox internal network: only VMs.
    Internal,
    /// A VirtualBox NAT network: VMs behind one shared NAT.
    NatNetwork,
    /// A network that a host keeps for its VMs and carries packets for: libvirt's, WSL's.
    Hosted,
}

/// A program.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its name: `browser`, `sshd`.
    pub name: String,
    /// Where it listens.
    pub listens: Vec<Listen>,
    /// Where it comes from.
    pub origin: Origin,
}

/// A place where a program listens.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Protocol.
    pub protocol: Protocol,
    /// Address; nothing means all addresses.
    pub address: Option<IpAddr>,
    /// Ports.
    pub ports: PortRange,
    /// Exists only while this switch is on.
    pub guard: Option<SwitchId>,
    /// The text that means all addresses, and what it would replace; nothing where none is written.
    pub widened: Option<Spanned<String>>,
    /// Where it is stated or on what ground it is assumed.
    pub origin: Origin,
}
