//! An adapter under construction, from what a listing says about it piece by piece.

use crate::lab::machine::{AdapterDecl, AdapterMode, ForwardDecl, NatDecl};
use crate::net::IpNet;
use crate::source::Spanned;

/// Everything that a listing may say about one adapter.
#[derive(Default)]
pub(super) struct Draft {
    /// What the adapter is attached to, in the listing's words; nothing means that the slot is empty.
    pub(super) mode: Option<Spanned<String>>,
    /// The name of what it is attached to.
    pub(super) target: Option<Spanned<String>>,
    pub(super) cable: Option<Spanned<bool>>,
    pub(super) mac: Option<Spanned<String>>,
    pub(super) network: Option<Spanned<IpNet>>,
    pub(super) localhost_reachable: Option<Spanned<bool>>,
    pub(super) forwards: Vec<ForwardDecl>,
}

impl Draft {
    /// The adapter in a slot, from 0; nothing if the slot is empty. `libslirp` says which NAT engine it would have.
    pub(super) fn finish(self, slot: u8, libslirp: Option<Spanned<bool>>) -> Option<AdapterDecl> {
        let word = self.mode?;
        let target = self.target.unwrap_or_else(|| Spanned::new(String::new(), word.span));
        let mode = match word.value.as_str() {
            "nat" => AdapterMode::Nat(Box::new(NatDecl {
                network: self.network,
                forwards: self.forwards,
                localhost_reachable: self.localhost_reachable,
                libslirp,
                ..NatDecl::new(word.span)
            })),
            "bridged" => AdapterMode::Bridged(target),
            "hostonly" => AdapterMode::HostOnly(target),
            "hostonlynetwork" => AdapterMode::HostOnlyNetwork(target),
            "intnet" => AdapterMode::Internal(target),
            "natnetwork" => AdapterMode::NatNetwork(target),
            "generic" => AdapterMode::Generic(target, Vec::new()),
            "cloudnetwork" => AdapterMode::Cloud(target),
            _ => AdapterMode::None,
        };
        let (cable, mac, span) = (self.cable, self.mac, word.span);
        Some(AdapterDecl {
            slot,
            enabled: true,
            cable,
            mac,
            mode,
            other_modes: Vec::new(),
            addresses: Vec::new(),
            span,
        })
    }
}
