//! firewalld's configuration, as it is in force.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::net::{Family, IpNet, PortRange, Protocol, Version};
use crate::provenance::Origin;
use crate::source::Span;
use crate::switch::SwitchId;

use super::RuleBackend;
use super::declaration::Insertion;
use super::iptables::IptablesCommand;

/// firewalld on one host. `zones` and `policies` are what the running daemon enforces.
#[derive(Clone, Debug)]
pub struct Firewalld {
    /// Release, which decides the rules it writes.
    pub version: Version,
    /// `FirewallBackend`.
    pub backend: RuleBackend,
    /// `DefaultZone`.
    pub default_zone: String,
    /// `StrictForwardPorts` (2.3 and later).
    pub strict_forward_ports: bool,
    /// Where that is stated.
    pub strict_at: Option<Span>,
    /// `CleanupOnExit`: whether the rules go when the daemon stops.
    pub cleanup_on_exit: bool,
    /// What it gives to iptables whenever it loads its rules (the direct interface).
    pub direct: Vec<IptablesCommand>,
    /// The direct interface has been used, so that loading anew empties the tables of iptables.
    pub uses_direct: bool,
    /// Zones by name, the built-in ones included.
    pub zones: BTreeMap<String, Zone>,
    /// Zones by name as they are stored, which a reload puts in force.
    pub stored_zones: BTreeMap<String, Zone>,
    /// Policies by name, the built-in ones included.
    pub policies: BTreeMap<String, Policy>,
    /// Whether it masqueraded or forwarded to other machines already when the engine started.
    pub routes_before_engine: bool,
    /// Where firewalld comes from.
    pub origin: Origin,
}

impl Firewalld {
    /// First release whose nftables backend leaves the tables of iptables alone when no direct rules are configured.
    ///
    /// Source: firewalld `src/firewall/core/fw.py`, `may_skip_flush_direct_backends` (commit b7faa74d).
    const SPARES_IPTABLES: Version = Version::new(2, 0, 0);

    /// Whether starting, reloading and stopping takes away whatever others have in the tables of iptables.
    pub fn empties_iptables(&self) -> bool {
        self.backend == RuleBackend::Iptables || self.version < Self::SPARES_IPTABLES || self.uses_direct
    }
}

/// What happens to a packet that nothing in a zone or policy decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `default` of a zone: rejected, but pings are let in and forwards within the zone follow `forward`.
    Default,
    /// `ACCEPT`.
    Accept,
    /// `%%REJECT%%` or `REJECT`.
    Reject,
    /// `DROP`.
    Drop,
    /// `CONTINUE`, policies only: go on with the next policy.
    Continue,
}

/// What a zone or a policy lets through and changes.
#[derive(Clone, Debug)]
pub struct Zone {
    /// What happens in the end.
    pub target: Target,
    /// Interfaces bound to the zone.
    pub interfaces: Vec<Entry<String>>,
    /// Sources bound to the zone; these win over interfaces.
    pub sources: Vec<Entry<Peers>>,
    /// `ingress-priority` and `egress-priority` (2.0 and later): zones with a lower number are looked at first.
    pub priorities: (i32, i32),
    /// Forwarding between interfaces and sources of the same zone.
    pub forward: bool,
    /// What is let through and changed.
    pub content: Content,
    /// Where another open port would be written; the value is `port="3000" protocol="tcp"`.
    pub port_at: Option<Insertion>,
    /// Where the zone is defined.
    pub origin: Origin,
}

/// A firewalld policy: filters from ingress zones to egress zones.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Lower goes first; negative before zones, positive after.
    pub priority: i32,
    /// What happens in the end.
    pub target: Target,
    /// It is there and does nothing (2.4 and later).
    pub disabled: bool,
    /// Zones (or `ANY`, `HOST`) that packets come from.
    pub ingress: Vec<Entry<String>>,
    /// Zones (or `ANY`, `HOST`) that packets go to.
    pub egress: Vec<Entry<String>>,
    /// What is let through and changed.
    pub content: Content,
    /// Where the policy is defined.
    pub origin: Origin,
}

/// The part that zones and policies have in common.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// Ports of services, expanded: each knows the service it comes from.
    pub services: Vec<Entry<Service>>,
    /// Opened ports.
    pub ports: Vec<Entry<(Protocol, PortRange)>>,
    /// Opened source ports.
    pub source_ports: Vec<Entry<(Protocol, PortRange)>>,
    /// Opened protocols, by number.
    pub protocols: Vec<Entry<u8>>,
    /// Masquerade what leaves through the zone.
    pub masquerade: Option<Origin>,
    /// Port forwards.
    pub forward_ports: Vec<Entry<ForwardPort>>,
    /// Those that a running firewalld was told after it had loaded rich rules, and that come behind them.
    pub later_forward_ports: Vec<Entry<ForwardPort>>,
    /// Blocked ICMP types, by firewalld's name.
    pub icmp_blocks: Vec<Entry<String>>,
    /// Those that a running firewalld was told after it had loaded rich rules, and that come behind them.
    pub later_icmp_blocks: Vec<Entry<String>>,
    /// Only the listed ICMP types pass.
    pub icmp_block_inversion: bool,
    /// Rich rules.
    pub rich_rules: Vec<Entry<RichRule>>,
}

impl Content {
    /// Makes what a running firewalld was told later like the rest, as it is once it is stored.
    pub fn store(&mut self) {
        self.forward_ports.append(&mut self.later_forward_ports);
        self.icmp_blocks.append(&mut self.later_icmp_blocks);
        self.rich_rules.iter_mut().for_each(|rule| rule.value.later = false);
    }
}

/// One item of a zone or policy.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    /// The item.
    pub value: T,
    /// Exists only while this switch is on.
    pub guard: Option<SwitchId>,
    /// Where it is written.
    pub origin: Origin,
}

/// Whose packets: the source of a zone, or one end of a rich rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peers {
    /// An address or a network.
    Net(IpNet),
    /// A hardware address.
    Mac(String),
    /// An ipset; its entries are filled in by the resolver, and absent if they are more than networks.
    Set(String, Option<Vec<IpNet>>),
}

impl Peers {
    /// The networks that are meant, if that is known.
    pub fn nets(&self) -> Option<&[IpNet]> {
        match self {
            Self::Net(net) => Some(std::slice::from_ref(net)),
            Self::Mac(_) => None,
            Self::Set(_, nets) => nets.as_deref(),
        }
    }
}

impl fmt::Display for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(net) => net.fmt(f),
            Self::Mac(address) => f.write_str(address),
            Self::Set(name, _) => write!(f, "ipset:{name}"),
        }
    }
}

/// What a service opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// firewalld's name.
    pub name: String,
    /// Ports.
    pub ports: Vec<(Protocol, PortRange)>,
    /// Protocols, by number.
    pub protocols: Vec<u8>,
    /// Source ports.
    pub source_ports: Vec<(Protocol, PortRange)>,
    /// Only these destinations, if any are given.
    pub destinations: Vec<IpNet>,
    /// Services that it opens as well, each with its own destinations.
    pub included: Vec<Service>,
}

impl Service {
    /// The services that are opened, in firewalld's order: those that it includes come first.
    ///
    /// Source: firewalld 1.3.3 and 2.5.0 `src/firewall/core/fw_policy.py`, `_service`.
    pub fn all(&self) -> Vec<&Self> {
        self.included.iter().flat_map(Self::all).chain([self]).collect()
    }
}

/// A port forward of a zone or policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardPort {
    /// Protocol.
    pub protocol: Protocol,
    /// Ports that are redirected.
    pub ports: PortRange,
    /// New port; nothing means unchanged.
    pub to_port: Option<PortRange>,
    /// New address; nothing means this host.
    pub to_address: Option<IpAddr>,
}

/// A rich rule.
#[derive(Clone, Debug)]
pub struct RichRule {
    /// Lower goes first; 0 sorts by kind (deny before allow).
    pub priority: i32,
    /// Only this family; nothing means both.
    pub family: Option<Family>,
    /// Only from here; `true` inverts.
    pub source: Option<(Peers, bool)>,
    /// Only to here; `true` inverts.
    pub destination: Option<(Peers, bool)>,
    /// What it is about.
    pub element: RichElement,
    /// What it does.
    pub action: RichAction,
    /// `limit` of the action: what exceeds it is not met by the rule.
    pub limit: Option<String>,
    /// A running firewalld was told: it comes behind those of its priority that were loaded, whatever their order.
    pub later: bool,
}

/// What a rich rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RichElement {
    /// Every packet.
    Any,
    /// A service.
    Service(Service),
    /// A port range.
    Port(Protocol, PortRange),
    /// A source port range.
    SourcePort(Protocol, PortRange),
    /// A protocol, by number.
    Protocol(u8),
    /// Masquerading.
    Masquerade,
    /// A port forward.
    ForwardPort(ForwardPort),
    /// An ICMP type, blocked.
    IcmpBlock(String),
    /// An ICMP type.
    IcmpType(String),
}

/// What a rich rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RichAction {
    /// `accept`.
    Accept,
    /// `reject`, with firewalld's name of the ICMP answer if one is given.
    Reject(Option<String>),
    /// `drop`.
    Drop,
    /// `mark`
    Mark {
        /// New bits.
        value: u32,
        /// What stands behind the `/`.
        mask: Option<u32>,
    },
    /// Nothing (log, audit), or what the element implies (masquerade, forward-port, icmp-block).
    None,
}
