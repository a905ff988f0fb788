//! What files, commands and listings state about firewalld.

use crate::lab::RuleBackend;
use crate::lab::firewall::{Content, ForwardPort, Peers, RichRule, Target};
use crate::lab::iptables::IptablesCommand;
use crate::net::{Family, IpNet, PortRange, Protocol, Version};
use crate::source::{Span, Spanned};

use super::Insertion;

/// firewalld's global settings; what is absent keeps its former value.
#[derive(Clone, Debug, Default)]
pub struct FirewalldDecl {
    /// Release.
    pub version: Option<Spanned<Version>>,
    /// `FirewallBackend`.
    pub backend: Option<Spanned<RuleBackend>>,
    /// `DefaultZone`.
    pub default_zone: Option<Spanned<String>>,
    /// `StrictForwardPorts`.
    pub strict_forward_ports: Option<Spanned<bool>>,
    /// `CleanupOnExit`.
    pub cleanup_on_exit: Option<Spanned<bool>>,
    /// `FlushAllOnReload`.
    pub flush_all_on_reload: Option<Spanned<bool>>,
    /// The whole statement.
    pub span: Option<Span>,
}

/// A zone file, which replaces the built-in zone of that name.
#[derive(Clone, Debug)]
pub struct ZoneDecl {
    /// Its name: the file's stem.
    pub name: Spanned<String>,
    /// `target`.
    pub target: Option<Spanned<Target>>,
    /// Bound interfaces.
    pub interfaces: Vec<Spanned<String>>,
    /// Bound sources.
    pub sources: Vec<Spanned<Peers>>,
    /// `ingress-priority` and `egress-priority`.
    pub priorities: (Option<Spanned<i32>>, Option<Spanned<i32>>),
    /// From /usr/lib/firewalld: a file of the same name in /etc/firewalld replaces it.
    pub is_stock: bool,
    /// `<forward/>`.
    pub forward: bool,
    /// Services by name.
    pub services: Vec<Spanned<String>>,
    /// Everything else; `services` inside is empty.
    pub content: Content,
    /// Where another port would be written; the value is `port="3000" protocol="tcp"`.
    pub port_at: Option<Insertion>,
    /// The `zone` element's opening tag.
    pub span: Span,
}

/// A policy file, which replaces the built-in policy of that name.
#[derive(Clone, Debug)]
pub struct PolicyDecl {
    /// Its name: the file's stem.
    pub name: Spanned<String>,
    /// `target`.
    pub target: Option<Spanned<Target>>,
    /// `priority`; absent means -1.
    pub priority: Option<Spanned<i32>>,
    /// Ingress zones.
    pub ingress: Vec<Spanned<String>>,
    /// Egress zones.
    pub egress: Vec<Spanned<String>>,
    /// `<disable/>`.
    pub disabled: Option<Span>,
    /// From /usr/lib/firewalld: a file of the same name in /etc/firewalld replaces it.
    pub is_stock: bool,
    /// Services by name.
    pub services: Vec<Spanned<String>>,
    /// Everything else; `services` inside is empty.
    pub content: Content,
    /// The `policy` element's opening tag.
    pub span: Span,
}

/// A service file, which replaces the built-in service of that name.
#[derive(Clone, Debug)]
pub struct ServiceDecl {
    /// Its name: the file's stem.
    pub name: Spanned<String>,
    /// From /usr/lib/firewalld: a file of the same name in /etc/firewalld replaces it.
    pub is_stock: bool,
    /// Ports.
    pub ports: Vec<(Protocol, PortRange)>,
    /// Protocols, by number.
    pub protocols: Vec<u8>,
    /// Source ports.
    pub source_ports: Vec<(Protocol, PortRange)>,
    /// Services that it opens too.
    pub includes: Vec<Spanned<String>>,
    /// Only these destinations, if any are given.
    pub destinations: Vec<IpNet>,
    /// The `service` element's opening tag.
    pub span: Span,
}

/// An ipset file, which replaces the built-in ipset of that name.
#[derive(Clone, Debug)]
pub struct IpSetDecl {
    /// Its name: the file's stem.
    pub name: Spanned<String>,
    /// From /usr/lib/firewalld: a file of the same name in /etc/firewalld replaces it.
    pub is_stock: bool,
    /// Entries that are addresses and networks; nothing for the other types, which have no model.
    pub entries: Option<Vec<IpNet>>,
    /// The `ipset` element's opening tag.
    pub span: Span,
}

/// What firewalld gives to iptables as it is.
#[derive(Clone, Debug)]
pub enum DirectRule {
    /// `chain`: one more chain.
    Chain(IptablesCommand),
    /// `rule`: by priority, in front of whatever else is in the chain. The command appends.
    Rule(i32, IptablesCommand),
    /// `passthrough`: a line of iptables.
    Passthrough(IptablesCommand),
}

/// What `firewall-cmd --list-…` and `--info-…` print: the truth about what runs, whatever the files say.
#[derive(Clone, Debug, Default)]
pub struct FirewalldListing {
    /// Zones, whole.
    pub zones: Vec<ZoneDecl>,
    /// The zone that is marked as the default one.
    pub default_zone: Option<Spanned<String>>,
    /// Policies, whole.
    pub policies: Vec<PolicyDecl>,
    /// Services, whole.
    pub services: Vec<ServiceDecl>,
    /// ipsets, whole.
    pub ipsets: Vec<IpSetDecl>,
    /// `--get-active-zones`: zones with their interfaces and sources.
    pub bindings: Vec<ZoneBindings>,
}

/// What is bound to a zone.
#[derive(Clone, Debug)]
pub struct ZoneBindings {
    /// The zone.
    pub zone: Spanned<String>,
    /// Its interfaces.
    pub interfaces: Vec<Spanned<String>>,
    /// Its sources.
    pub sources: Vec<Spanned<Peers>>,
}

/// A zone that somebody else than firewalld's files gives to an interface.
#[derive(Clone, Debug)]
pub struct InterfaceZone {
    /// The interface.
    pub interface: String,
    /// The zone, with the place of the setting; an empty name means the default zone.
    pub zone: Spanned<String>,
}

/// One change that `firewall-cmd` makes.
#[derive(Clone, Debug)]
pub struct FirewallCmd {
    /// `--permanent` (and `firewall-offline-cmd`): stored, in force after a reload only.
    pub permanent: bool,
    /// `firewall-offline-cmd`: made before the daemon starts, whenever that is.
    pub offline: bool,
    /// `--zone`; nothing means the default zone.
    pub zone: Option<Spanned<String>>,
    /// `--policy`.
    pub policy: Option<Spanned<String>>,
    /// `--timeout` in seconds: how long the change lasts.
    pub timeout: Option<Spanned<String>>,
    /// The change.
    pub change: FirewallChange,
    /// The option that makes the change.
    pub span: Span,
}

/// What `firewall-cmd` changes. `bool` says whether it is added (`true`) or removed.
#[derive(Clone, Debug)]
pub enum FirewallChange {
    /// `--add-port`, `--remove-port`.
    Port(bool, (Protocol, PortRange)),
    /// `--add-source-port`.
    SourcePort(bool, (Protocol, PortRange)),
    /// `--add-service`.
    Service(bool, String),
    /// `--add-protocol`.
    Protocol(bool, u8),
    /// `--add-source`.
    Source(bool, Peers),
    /// `--add-interface`.
    Interface(bool, String),
    /// `--change-source`, from whatever zone it is in.
    MoveSource(Peers),
    /// `--change-interface`, from whatever zone it is in.
    MoveInterface(String),
    /// `--add-masquerade`.
    Masquerade(bool),
    /// `--add-forward`.
    Forward(bool),
    /// `--add-forward-port`.
    ForwardPort(bool, ForwardPort),
    /// `--add-icmp-block`.
    IcmpBlock(bool, String),
    /// `--add-icmp-block-inversion`.
    IcmpBlockInversion(bool),
    /// `--add-rich-rule`. Services inside are named and expanded by the resolver.
    RichRule(bool, Box<RichRule>),
    /// `--set-target`.
    Target(Target),
    /// `--set-ingress-priority` of a zone.
    IngressPriority(i32),
    /// `--set-egress-priority` of a zone.
    EgressPriority(i32),
    /// `--new-zone`.
    NewZone(String),
    /// `--delete-zone`.
    DeleteZone(String),
    /// `--new-policy`.
    NewPolicy(String),
    /// `--delete-policy`.
    DeletePolicy(String),
    /// `--new-service`.
    NewService(String),
    /// `--delete-service`.
    DeleteService(String),
    /// A change inside the service of that name.
    InService(String, ServiceChange),
    /// `--new-ipset`, empty.
    NewIpSet(Box<IpSetDecl>),
    /// `--delete-ipset`.
    DeleteIpSet(String),
    /// `--add-entry` to, `--remove-entry` from the ipset of that name.
    Entry(bool, String, Vec<IpNet>),
    /// `--direct`.
    Direct(bool, Box<DirectRule>),
    /// `--add-ingress-zone`, `--remove-ingress-zone`.
    IngressZone(bool, String),
    /// `--add-egress-zone`, `--remove-egress-zone`.
    EgressZone(bool, String),
    /// `--add-disable` of a policy.
    Disable(bool),
    /// `--set-priority` of a policy.
    Priority(i32),
    /// `--set-default-zone`.
    DefaultZone(String),
    /// `--runtime-to-permanent`.
    RuntimeToPermanent,
}

/// A change inside a service. `bool` says whether it is added (`true`) or removed.
#[derive(Clone, Debug)]
pub enum ServiceChange {
    /// `--add-port`
    Port(bool, (Protocol, PortRange)),
    /// `--add-source-port`
    SourcePort(bool, (Protocol, PortRange)),
    /// `--add-protocol`
    Protocol(bool, u8),
    /// `--add-include`
    Include(bool, Spanned<String>),
    /// `--set-destination`, `--remove-destination`: of one family.
    Destination(Family, Option<IpNet>),
}
