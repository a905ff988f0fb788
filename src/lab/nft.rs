//! Rule sets of nftables: what `nft list ruleset` prints, or what a configuration file for `nft -f` states.
//!
//! Sets, maps and verdict maps are written out already: a rule that looks something up has become several.

use crate::source::{Span, Spanned};

use super::iptables::IptablesRule;

/// All tables of one text.
#[derive(Clone, Debug)]
pub struct NftRuleset {
    /// Whatever else there is goes: a listing is the whole state, and `flush ruleset` empties everything first.
    pub replaces: bool,
    /// It is a file for `nft -f`, which is loaded before the products come, and not a listing.
    pub is_script: bool,
    /// Tables in order.
    pub tables: Vec<NftTable>,
    /// The first line.
    pub span: Span,
}

/// A table.
#[derive(Clone, Debug)]
pub struct NftTable {
    /// Which packets it sees.
    pub family: NftFamily,
    /// Its name.
    pub name: String,
    /// Chains in order.
    pub chains: Vec<NftChain>,
    /// Its name where it is opened.
    pub span: Span,
}

/// The families whose hooks are those of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NftFamily {
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// Both.
    Inet,
}

/// A chain.
#[derive(Clone, Debug)]
pub struct NftChain {
    /// Its name.
    pub name: String,
    /// Where it is hooked in, if it is a base chain.
    pub base: Option<NftBase>,
    /// Rules, in the words that rules of iptables have, too.
    pub rules: Vec<Spanned<IptablesRule>>,
    /// Its name where it is opened.
    pub span: Span,
}

/// Where a base chain is hooked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NftBase {
    /// The hook.
    pub hook: NftHook,
    /// Translates.
    pub is_nat: bool,
    /// Lower runs first.
    pub priority: i32,
    /// What becomes of packets that fall off the end.
    pub accepts: bool,
}

/// The hooks of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NftHook {
    /// `prerouting`
    Prerouting,
    /// `input`
    Input,
    /// `forward`
    Forward,
    /// `output`
    Output,
    /// `postrouting`
    Postrouting,
}
