//! Netfilter: tables, chains, rules.
//!
//! Semantics, as in the kernel: base chains of a hook run by ascending priority, of equal ones the latest first
//! (`nf_hook_entries_grow`); `accept` ends only its own base chain, `drop` and `reject` end everything; chains of kind `Nat` see only the first packet of a connection, and the
//! first of them that binds a rewrite wins.
//! Source: the kernel's `nf_hook_slow` and `nf_nat_inet_fn` (Linux 6.1); nft(8), "Chains".

use std::fmt;
use std::net::IpAddr;

use crate::net::{Family, IpNet, PortRange, Protocol};
use crate::provenance::OriginId;
use crate::switch::SwitchId;

/// Index of a chain in its ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(pub usize);

/// Index of a table in its ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub usize);

/// All tables and chains of one node.
#[derive(Clone, Debug, Default)]
pub struct Ruleset {
    /// Tables, in the order of their creation.
    pub tables: Vec<Table>,
    /// Chains, base and user-defined.
    pub chains: Vec<Chain>,
    /// The few of them that are base chains: every packet asks for these at every hook.
    bases: Vec<ChainId>,
}

/// A table. iptables tables are base chains at fixed priorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Address family and syntax.
    pub family: TableFamily,
    /// `filter`, `nat`, `firewalld`.
    pub name: String,
}

/// A table's family; iptables tables are kept apart because they are printed by another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFamily {
    /// iptables (IPv4).
    Iptables,
    /// nft `ip`.
    Ip,
    /// nft `ip6`.
    Ip6,
    /// nft `inet`.
    Inet,
}

/// A chain.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Its table.
    pub table: TableId,
    /// Its name.
    pub name: String,
    /// Where it is hooked in; user-defined chains are not.
    pub hook: Option<HookPoint>,
    /// Rules, first match first.
    pub rules: Vec<Rule>,
    /// Why it exists.
    pub origin: OriginId,
}

/// Where a base chain is hooked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookPoint {
    /// The hook.
    pub hook: Hook,
    /// Filter or nat.
    pub kind: ChainKind,
    /// Lower runs first.
    pub priority: i32,
    /// What happens to packets that fall off the end.
    pub policy: Policy,
}

/// The five hooks of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Before the routing decision, for packets from outside (and from loopback).
    Prerouting,
    /// For packets to this node.
    Input,
    /// For packets through this node.
    Forward,
    /// For packets from this node.
    Output,
    /// Before leaving.
    Postrouting,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prerouting => "prerouting",
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
            Self::Postrouting => "postrouting",
        })
    }
}

/// What a base chain may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainKind {
    /// Filters (and marks): sees every packet.
    Filter,
    /// Translates: sees the first packet of a connection.
    Nat,
}

/// What a base chain does with packets that no rule decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Goes on.
    Accept,
    /// Drops.
    Drop,
}

/// A rule: every match must hold.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Conditions; all must hold.
    pub matches: Vec<Match>,
    /// What happens then.
    pub action: Action,
    /// Exists only while this switch is on.
    pub guard: Option<SwitchId>,
    /// Why.
    pub origin: OriginId,
}

/// One condition on a packet and its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// IPv4 or IPv6.
    Family(Family),
    /// Transport protocol.
    Protocol(Protocol),
    /// Transport protocol by number, for protocols that are never probed.
    ProtocolNumber(u8),
    /// Source address.
    Source(IpNet),
    /// Destination address.
    Destination(IpNet),
    /// Source port.
    SourcePort(PortRange),
    /// Destination port.
    DestinationPort(PortRange),
    /// Incoming interface by name; a trailing `*` matches any ending. Never holds where there is none.
    InInterface(String),
    /// Outgoing interface by name; a trailing `*` matches any ending. Never holds where there is none.
    OutInterface(String),
    /// Connection-tracking state.
    State(States),
    /// The connection's destination was rewritten.
    DestinationRewritten,
    /// The connection's source was rewritten.
    SourceRewritten,
    /// Destination of the connection's first packet, before rewriting.
    OriginalDestination(IpNet),
    /// Destination port of the connection's first packet, before rewriting.
    OriginalDestinationPort(PortRange),
    /// Source of the connection's first packet, before rewriting.
    OriginalSource(IpNet),
    /// Source port of the connection's first packet, before rewriting.
    OriginalSourcePort(PortRange),
    /// The packet goes back to whoever began the connection.
    Reply,
    /// The destination is an address of this node.
    DestinationIsLocal,
    /// The source is an address of this node.
    SourceIsLocal,
    /// What this node sends to the source would leave by the interface through which the packet came.
    SourceIsRoutedBack,
    /// The packet's mark under a mask.
    Mark {
        /// Expected bits.
        value: u32,
        /// Which bits count.
        mask: u32,
    },
    /// The connection's mark under a mask.
    ConnectionMark {
        /// Expected bits.
        value: u32,
        /// Which bits count.
        mask: u32,
    },
    /// An ICMP type by number (8 is an echo request, 0 an echo reply).
    IcmpType(u8),
    /// Any of these.
    AnyOf(Vec<Match>),
    /// All of these.
    AllOf(Vec<Match>),
    /// Not this.
    Not(Box<Match>),
    /// For packets of ordinary connections this; what is written tells more packets apart.
    Roughly(Box<Match>),
    /// Holds while the switch is on: a condition that was read and is not modelled, or one whose truth is assumed.
    Unmodeled(SwitchId),
}

impl Match {
    /// The opposite condition.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}

/// A set of connection-tracking states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct States {
    /// First packet of a connection.
    pub new: bool,
    /// Later packets of a connection.
    pub established: bool,
    /// Errors about a connection.
    pub related: bool,
    /// Not part of any connection.
    pub invalid: bool,
    /// Connection tracking was switched off for it.
    pub untracked: bool,
}

impl States {
    /// `ESTABLISHED,RELATED`.
    pub const ESTABLISHED_RELATED: Self =
        Self { new: false, established: true, related: true, invalid: false, untracked: false };
    /// `INVALID`.
    pub const INVALID: Self = Self { new: false, established: false, related: false, invalid: true, untracked: false };
    /// `NEW`.
    pub const NEW: Self = Self { new: true, established: false, related: false, invalid: false, untracked: false };
    /// `NEW,UNTRACKED`.
    pub const NEW_UNTRACKED: Self =
        Self { new: true, established: false, related: false, invalid: false, untracked: true };
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ends this base chain, lets the packet on.
    Accept,
    /// Ends everything, silently.
    Drop,
    /// Ends everything and answers.
    Reject(Reject),
    /// Runs another chain; comes back unless it decides.
    Jump(ChainId),
    /// Runs another chain; does not come back.
    Goto(ChainId),
    /// Leaves this chain.
    Return,
    /// Rewrites the destination.
    DestinationNat {
        /// New address; nothing keeps it.
        address: Option<IpAddr>,
        /// New port; nothing keeps it.
        port: Option<u16>,
    },
    /// Rewrites the source.
    SourceNat {
        /// New address.
        address: IpAddr,
    },
    /// Rewrites the source to the outgoing interface's address.
    Masquerade,
    /// Rewrites the destination to the incoming interface's address (loopback for local packets).
    Redirect {
        /// New port; nothing keeps it.
        port: Option<u16>,
    },
    /// Sets bits of the packet's mark.
    SetMark {
        /// New bits.
        value: u32,
        /// Which bits change.
        mask: u32,
    },
    /// Sets bits of the connection's mark.
    SetConnectionMark {
        /// New bits.
        value: u32,
        /// Which bits change.
        mask: u32,
    },
    /// Copies bits of the packet's mark to the connection's.
    SaveMark {
        /// Which bits.
        mask: u32,
    },
    /// Copies bits of the connection's mark to the packet's.
    RestoreMark {
        /// Which bits.
        mask: u32,
    },
    /// Exempts the packet from connection tracking, and thereby from translation.
    Untrack,
    /// Counts, logs: goes on.
    Continue,
}

impl Action {
    /// Whether the packet goes on to the next rule, whatever it is.
    pub fn goes_on(&self) -> bool {
        matches!(
            self,
            Self::Continue
                | Self::SetMark { .. }
                | Self::SetConnectionMark { .. }
                | Self::SaveMark { .. }
                | Self::RestoreMark { .. }
                | Self::Untrack
        )
    }
}

/// How a rejected packet is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// A TCP reset.
    TcpReset,
    /// ICMP port unreachable.
    PortUnreachable,
    /// ICMP host unreachable.
    HostUnreachable,
    /// ICMP network unreachable.
    NetUnreachable,
    /// ICMP host prohibited.
    HostProhibited,
    /// ICMP communication administratively prohibited.
    AdminProhibited,
}

impl Ruleset {
    /// Finds or makes a table.
    pub fn table(&mut self, family: TableFamily, name: &str) -> TableId {
        let position = self.tables.iter().position(|t| t.family == family && t.name == name);
        TableId(position.unwrap_or_else(|| {
            self.tables.push(Table { family, name: name.to_owned() });
            self.tables.len() - 1
        }))
    }

    /// Finds or makes a chain of a table.
    pub fn chain(&mut self, table: TableId, name: &str, hook: Option<HookPoint>, origin: OriginId) -> ChainId {
        self.find(table, name).unwrap_or_else(|| {
            let id = ChainId(self.chains.len());
            self.bases.extend(hook.map(|_| id));
            self.chains.push(Chain { table, name: name.to_owned(), hook, rules: Vec::new(), origin });
            id
        })
    }

    /// The chain with this name.
    pub fn find(&self, table: TableId, name: &str) -> Option<ChainId> {
        self.chains.iter().position(|c| c.table == table && c.name == name).map(ChainId)
    }

    /// The chain named by `id`, which must come from this ruleset.
    #[expect(clippy::indexing_slicing, reason = "ids are made by `chain` of the same ruleset")]
    pub fn get(&self, id: ChainId) -> &Chain {
        &self.chains[id.0]
    }

    /// The chain named by `id`, to add rules to.
    #[expect(clippy::indexing_slicing, reason = "ids are made by `chain` of the same ruleset")]
    pub fn get_mut(&mut self, id: ChainId) -> &mut Chain {
        &mut self.chains[id.0]
    }

    /// The table named by `id`, which must come from this ruleset.
    #[expect(clippy::indexing_slicing, reason = "ids are made by `table` of the same ruleset")]
    pub fn get_table(&self, id: TableId) -> &Table {
        &self.tables[id.0]
    }

    /// The base chains of a hook in the order in which they run.
    pub fn base_chains(&self, hook: Hook) -> Vec<(ChainId, HookPoint)> {
        let hooked = |id: &ChainId| self.get(*id).hook.filter(|h| h.hook == hook).map(|h| (*id, h));
        let mut chains: Vec<_> = self.bases.iter().filter_map(hooked).collect();
        chains.reverse();
        chains.sort_by_key(|(_, h)| h.priority);
        chains
    }
}
