//! Rules that a user gives to iptables, as they were written: by command lines or as a saved rule set.

use std::net::IpAddr;

use crate::net::{Family, IpNet, PortRange, Protocol};
use crate::source::Span;

/// One change of the tables of iptables or ip6tables.
#[derive(Clone, Debug)]
pub struct IptablesCommand {
    /// IPv4 for `iptables`, IPv6 for `ip6tables`.
    pub family: Family,
    /// The table, one of [`IptablesTable`].
    pub table: IptablesTable,
    /// What happens to it.
    pub change: IptablesChange,
    /// The whole line.
    pub span: Span,
}

/// The tables of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IptablesTable {
    /// Before connection tracking.
    Raw,
    /// Marks and header fields.
    Mangle,
    /// Translations.
    Nat,
    /// The usual one.
    Filter,
    /// SELinux.
    Security,
}

impl IptablesTable {
    /// Every table.
    pub const ALL: [Self; 5] = [Self::Raw, Self::Mangle, Self::Nat, Self::Filter, Self::Security];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Mangle => "mangle",
            Self::Nat => "nat",
            Self::Filter => "filter",
            Self::Security => "security",
        }
    }

    /// Its built-in chains.
    pub fn built_in(self) -> &'static [&'static str] {
        match self {
            Self::Raw => &["PREROUTING", "OUTPUT"],
            Self::Mangle => &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
            Self::Nat => &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
            Self::Filter | Self::Security => &["INPUT", "FORWARD", "OUTPUT"],
        }
    }
}

/// What a command changes. Chains are named; rules are counted from 1.
#[derive(Clone, Debug)]
pub enum IptablesChange {
    /// `-A CHAIN RULE`
    Append(String, IptablesRule),
    /// `-I CHAIN NUMBER RULE`
    Insert(String, usize, IptablesRule),
    /// `-R CHAIN NUMBER RULE`
    Replace(String, usize, IptablesRule),
    /// `-D CHAIN RULE`
    Delete(String, IptablesRule),
    /// `-D CHAIN NUMBER`
    DeleteAt(String, usize),
    /// `-F [CHAIN]`
    Flush(Option<String>),
    /// `-N CHAIN`
    New(String),
    /// `-X [CHAIN]`
    Remove(Option<String>),
    /// `-E OLD NEW`
    Rename(String, String),
    /// `-P CHAIN ACCEPT|DROP`
    Policy(String, bool),
    /// A saved rule set begins: whatever the tables of the family hold goes.
    Clear,
}

/// What a line of `ufw` changes: rules are kept, and in force while it is enabled.
#[derive(Clone, Debug)]
pub enum UfwChange {
    /// `ufw enable`: what it loads beside the rules that were given.
    Enable(Vec<IptablesCommand>),
    /// `ufw disable`: how that is taken away.
    Disable(Vec<IptablesCommand>),
    /// `ufw reset`: disables, and forgets the rules.
    Reset(Vec<IptablesCommand>),
    /// `ufw allow`, `ufw default` and so on.
    Set(Vec<IptablesCommand>),
    /// A file of rules, which is loaded in place of what ufw ships with.
    File(UfwFile, Vec<IptablesCommand>),
    /// A setting of /etc/default/ufw.
    Defaults(Vec<IptablesCommand>),
    /// ufw.conf: what is loaded when the machine comes up, if it is enabled.
    Boot(Option<Vec<IptablesCommand>>),
}

/// The files of rules, in the order in which they are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UfwFile {
    /// `before.rules`
    Before,
    /// `after.rules`
    After,
    /// `user.rules`
    User,
}

/// A rule: every condition must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IptablesRule {
    /// Conditions.
    pub conditions: Vec<Condition>,
    /// What happens then.
    pub target: RuleTarget,
}

/// One condition of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// IPv4 or IPv6, in tables that see both.
    Family(Family),
    /// `-p`
    Protocol(Protocol),
    /// `-p` with a protocol that is never probed.
    ProtocolNumber(u8),
    /// `-s`
    Source(IpNet),
    /// `-d`
    Destination(IpNet),
    /// `--sport`
    SourcePort(PortRange),
    /// `--dport`
    DestinationPort(PortRange),
    /// `-i`; a trailing `*` matches any ending.
    InInterface(String),
    /// `-o`; a trailing `*` matches any ending.
    OutInterface(String),
    /// `--ctstate`, `--state`
    State(Vec<ConnectionState>),
    /// `--ctorigdst`
    OriginalDestination(IpNet),
    /// `--ctorigdstport`
    OriginalDestinationPort(PortRange),
    /// `--ctorigsrc`
    OriginalSource(IpNet),
    /// `--ctorigsrcport`
    OriginalSourcePort(PortRange),
    /// `--ctdir REPLY`
    Reply,
    /// `-m rpfilter`: answers to the source leave by the interface through which the packet came.
    SourceIsRoutedBack,
    /// `--src-type`
    SourceKind(AddressKind),
    /// `--dst-type`
    DestinationKind(AddressKind),
    /// `--mark`
    Mark {
        /// Expected bits.
        value: u32,
        /// Which bits count.
        mask: u32,
    },
    /// `-m connmark --mark`
    ConnectionMark {
        /// Expected bits.
        value: u32,
        /// Which bits count.
        mask: u32,
    },
    /// `-m set --match-set`
    InSet {
        /// The set's name.
        name: String,
        /// For each part of its elements, whether the packet's source is looked up, not its destination.
        sources: Vec<bool>,
    },
    /// `--icmp-type` without a code.
    IcmpType(u8),
    /// Any of these; never holds if there is none.
    AnyOf(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// All of these.
    AllOf(Vec<Condition>),
    /// Something that no file tells, as it was written, and whether it is taken to hold.
    Assumed(String, bool),
    /// For packets of ordinary connections this; what is written tells more packets apart.
    Roughly(Box<Condition>),
    /// Something that has no model, as it was written.
    Unmodeled(String),
}

/// What connection tracking says about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// `NEW`
    New,
    /// `ESTABLISHED`
    Established,
    /// `RELATED`
    Related,
    /// `INVALID`
    Invalid,
    /// `UNTRACKED`
    Untracked,
    /// `SNAT`
    SourceRewritten,
    /// `DNAT`
    DestinationRewritten,
}

/// What the routing table of the host says about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// The host's own.
    Local,
    /// The last of a subnet of the host, or 255.255.255.255.
    Broadcast,
    /// 224.0.0.0/4, ff00::/8.
    Multicast,
    /// None of the others.
    Unicast,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleTarget {
    /// Counts, logs, or changes what no verdict depends on.
    Nothing,
    /// `ACCEPT`
    Accept,
    /// `DROP`
    Drop,
    /// `RETURN`
    Return,
    /// `REJECT`
    Reject(RejectWith),
    /// `-j CHAIN`
    Jump(String),
    /// `-g CHAIN`
    Goto(String),
    /// `DNAT`
    DestinationNat {
        /// New address; nothing keeps it.
        address: Option<IpAddr>,
        /// New port; nothing keeps it.
        port: Option<u16>,
    },
    /// `SNAT`
    SourceNat(IpAddr),
    /// `MASQUERADE`
    Masquerade,
    /// `REDIRECT`
    Redirect {
        /// New port; nothing keeps it.
        port: Option<u16>,
    },
    /// `MARK`
    SetMark {
        /// New bits.
        value: u32,
        /// Which bits change.
        mask: u32,
    },
    /// `CONNMARK --set-mark`
    SetConnectionMark {
        /// New bits.
        value: u32,
        /// Which bits change.
        mask: u32,
    },
    /// `CONNMARK --save-mark`
    SaveMark {
        /// Which bits.
        mask: u32,
    },
    /// `CONNMARK --restore-mark`
    RestoreMark {
        /// Which bits.
        mask: u32,
    },
    /// `CT --notrack`
    Untrack,
    /// Other rules, as if they were a chain.
    Block(Vec<IptablesRule>),
    /// Something that has no model, as it was written: it lets through or stops.
    Unmodeled(String),
    /// Something that has no model, as it was written, and may send packets anywhere.
    Diverts(String),
}

/// `--reject-with`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectWith {
    /// `tcp-reset`
    TcpReset,
    /// `icmp-port-unreachable`
    Port,
    /// `icmp-host-unreachable`
    Host,
    /// `icmp-net-unreachable`
    Net,
    /// `icmp-host-prohibited`
    HostProhibited,
    /// `icmp-admin-prohibited`, `icmp-net-prohibited`
    AdminProhibited,
}
