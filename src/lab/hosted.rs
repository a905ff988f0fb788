//! Networks that a machine keeps for its virtual machines and carries packets in and out of: libvirt's, and WSL's. And
//! what the machine's own firewall lets in, where that is no rule set but the system's.

use crate::net::{PortRange, Protocol, Version};
use crate::provenance::Origin;
use crate::source::{Span, Spanned};
use crate::switch::SwitchId;

use super::RuleBackend;
use super::declaration::ListenDecl;
use super::host::HostId;

/// How a network of this kind is connected to the rest of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardMode {
    /// Outwards with the keeper's address, nothing inwards (`<forward mode='nat'/>`).
    Nat,
    /// Both ways as they are (`route`).
    Route,
    /// As the keeper's own rules say (`open`).
    Open,
    /// Not at all: an isolated network.
    Isolated,
}

/// The network as the machine that keeps it carries it.
#[derive(Clone, Debug)]
pub struct Forwarding {
    /// The machine.
    pub on: HostId,
    /// Its interface there: `virbr0`.
    pub interface: String,
    /// What it carries.
    pub mode: ForwardMode,
    /// The program that sees to it.
    pub by: Keeper,
    /// Where it is stated.
    pub origin: Origin,
}

/// The program that keeps a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// libvirt, with what it writes its rules with.
    Libvirt(RuleBackend),
    /// Windows, for WSL.
    Windows,
}

/// libvirt as lab.yaml states it.
#[derive(Clone, Debug)]
pub struct LibvirtDecl {
    /// Its release.
    pub version: Option<Spanned<Version>>,
    /// `firewall_backend` of network.conf.
    pub backend: Option<Spanned<RuleBackend>>,
    /// The whole statement.
    pub span: Span,
}

/// How WSL connects its machine, as lab.yaml or `.wslconfig` states it.
#[derive(Clone, Debug)]
pub struct WslDecl {
    /// `networkingMode`.
    pub mode: Option<Spanned<WslMode>>,
    /// `localhostForwarding`.
    pub localhost_forwarding: Option<Spanned<bool>>,
    /// `hostAddressLoopback`.
    pub host_address_loopback: Option<Spanned<bool>>,
    /// `firewall`.
    pub firewall: Option<Spanned<bool>>,
    /// The whole statement.
    pub span: Span,
}

/// `networkingMode` of WSL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WslMode {
    /// A network of its own behind Windows.
    Nat,
    /// The interfaces and addresses of Windows.
    Mirrored,
    /// A NAT engine in user space (`virtioproxy`), or a bridge.
    Other,
    /// No network.
    Off,
}

/// The machine that WSL runs its distributions in.
#[derive(Clone, Debug)]
pub struct Wsl {
    /// How it is connected.
    pub mode: WslMode,
    /// Whether Windows passes on what is dialled at its `localhost`.
    pub localhost_forwarding: bool,
    /// Whether the shared addresses lead from one to the other, too.
    pub host_address_loopback: bool,
    /// Where it is stated.
    pub origin: Origin,
}

/// The firewall that a system has by itself, as lab.yaml states it.
#[derive(Clone, Debug)]
pub struct HostFirewallDecl {
    /// Whether it is on.
    pub is_on: bool,
    /// What it lets in.
    pub allowed: Vec<ListenDecl>,
    /// The whole statement.
    pub span: Span,
}

/// The firewall that a system has by itself: what it does not let in is lost.
#[derive(Clone, Debug)]
pub struct HostFirewall {
    /// Ports that it lets in.
    pub allowed: Vec<(Protocol, PortRange)>,
    /// That it lets in everything, where nobody states its rules.
    pub lets_in: Option<SwitchId>,
    /// Where it is stated, or why it is assumed.
    pub origin: Origin,
}
