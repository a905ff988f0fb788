//! Programs that take connections on one machine and dial from another or the same one: ssh tunnels, port proxies.

use std::net::IpAddr;

use crate::provenance::Origin;
use crate::source::{Span, Spanned};
use crate::switch::SwitchId;

use super::host::HostId;

/// A tunnel as a command or lab.yaml states it.
#[derive(Clone, Debug)]
pub struct TunnelDecl {
    /// Who listens and who dials.
    pub kind: TunnelKind,
    /// The address to listen on; nothing means all.
    pub listen_address: Option<IpAddr>,
    /// The port to listen on.
    pub listen_port: u16,
    /// The host to dial, as whoever dials calls it.
    pub to: Spanned<String>,
    /// The port to dial.
    pub to_port: u16,
    /// The whole statement.
    pub span: Span,
}

/// Who listens and who dials.
#[derive(Clone, Debug)]
pub enum TunnelKind {
    /// `ssh -L`: this machine listens, the other end of the connection dials.
    Local(SshServer),
    /// `ssh -R`: the other end listens, this machine dials.
    Remote(SshServer),
    /// A port proxy: this machine does both.
    Here,
}

/// Where a port proxy listens: an address, or all of them, and the port.
pub type ProxyEnd = (Option<IpAddr>, u16);

/// The machine that ssh connects to.
#[derive(Clone, Debug)]
pub struct SshServer {
    /// As it is called, without the user.
    pub name: Spanned<String>,
    /// `-p`.
    pub port: u16,
}

/// A tunnel whose ends are known.
#[derive(Clone, Debug)]
pub struct Tunnel {
    /// Who listens.
    pub on: HostId,
    /// The address to listen on; nothing means all.
    pub listen_address: Option<IpAddr>,
    /// The port to listen on.
    pub listen_port: u16,
    /// Who dials.
    pub from: HostId,
    /// What is dialled.
    pub to: (IpAddr, u16),
    /// That it is up.
    pub guard: Option<SwitchId>,
    /// Where it is stated.
    pub origin: Origin,
}
