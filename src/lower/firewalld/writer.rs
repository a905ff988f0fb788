//! One pen for both backends: chains are named by table and base name, and end up as `filter_IN_public` of
//! `inet firewalld` or as `IN_public` of the iptables table `filter`. Spec: specs/firewalld-zones.md.

use crate::dataplane::{
    Action, ChainId, ChainKind, Dataplane, Hook, HookPoint, Match, NodeId, Policy, Reject, Rule, TableFamily, TableId,
    Toggle,
};
use crate::lab::{Entry, Firewalld, RuleBackend, Target};
use crate::net::Protocol;
use crate::provenance::{Origin, OriginId};
use crate::switch::{Switch, SwitchId, SwitchKind};

/// firewalld's table of the nftables backend.
pub(super) const TABLE: &str = "firewalld";

/// How far firewalld's nftables chains run behind those of iptables.
///
/// Source: firewalld 1.3.3 `src/firewall/core/nftables.py`, `NFT_HOOK_OFFSET`.
const NFT_HOOK_OFFSET: i32 = 10;

/// The tables of iptables, which the nftables backend keeps as a part of its chain names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Filter,
    Nat,
    Mangle,
    /// iptables only.
    Raw,
    /// iptables only.
    Security,
}

impl Space {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Nat => "nat",
            Self::Mangle => "mangle",
            Self::Raw => "raw",
            Self::Security => "security",
        }
    }

    /// Where iptables runs the table at this hook. `security` is at 150 in recent kernels (Linux 6.1,
    /// `NF_IP_PRI_SECURITY` is 50 and xtables registers 150 through nft: what `nft list ruleset` shows counts here).
    fn priority(self, hook: Hook) -> i32 {
        match self {
            Self::Raw => -300,
            Self::Mangle => -150,
            Self::Nat if matches!(hook, Hook::Postrouting | Hook::Input) => 100,
            Self::Nat => -100,
            Self::Filter => 0,
            Self::Security => 150,
        }
    }

    fn kind(self) -> ChainKind {
        if self == Self::Nat { ChainKind::Nat } else { ChainKind::Filter }
    }
}

/// Name of a base chain.
pub(super) fn hook_name(hook: Hook) -> &'static str {
    match hook {
        Hook::Prerouting => "PREROUTING",
        Hook::Input => "INPUT",
        Hook::Forward => "FORWARD",
        Hook::Output => "OUTPUT",
        Hook::Postrouting => "POSTROUTING",
    }
}

/// Which of the five parts of a zone's or policy's chain, in the order in which they run.
pub(super) const PARTS: [&str; 5] = ["pre", "log", "deny", "allow", "post"];

/// A rule about to be written.
pub(super) struct Draft {
    pub(super) matches: Vec<Match>,
    pub(super) action: Action,
    pub(super) guard: Option<SwitchId>,
    pub(super) origin: OriginId,
}

/// Writes one firewalld's chains into one node.
pub(super) struct Writer<'a> {
    dataplane: &'a mut Dataplane,
    node: NodeId,
    /// Which backend.
    pub(super) backend: RuleBackend,
    /// Which file of firewalld makes the rules.
    citation: &'static str,
    /// Why rules exist that nobody wrote.
    pub(super) implied: OriginId,
}

impl<'a> Writer<'a> {
    pub(super) fn new(dataplane: &'a mut Dataplane, node: NodeId, firewalld: &Firewalld) -> Self {
        let citation = match (firewalld.backend, firewalld.version.major) {
            (RuleBackend::Nftables, 0 | 1) => "firewalld 1.3.3 src/firewall/core/nftables.py",
            (RuleBackend::Nftables, _) => "firewalld 2.5.0 src/firewall/core/nftables.py",
            (RuleBackend::Iptables, 0 | 1) => "firewalld 1.3.3 src/firewall/core/ipXtables.py",
            (RuleBackend::Iptables, _) => "firewalld 2.5.0 src/firewall/core/ipXtables.py",
        };
        let implied = dataplane.origins.add(firewalld.origin.derive("what firewalld always loads", citation));
        Self { dataplane, node, backend: firewalld.backend, citation, implied }
    }

    /// Keeps the ground of something that firewalld makes because of `origin`.
    pub(super) fn because(&mut self, what: impl Into<String>, origin: &Origin) -> OriginId {
        self.dataplane.origins.add(origin.derive(what.into(), self.citation))
    }

    fn table(&mut self, space: Space) -> TableId {
        let ruleset = &mut self.dataplane.node_mut(self.node).ruleset;
        match self.backend {
            RuleBackend::Nftables => ruleset.table(TableFamily::Inet, TABLE),
            RuleBackend::Iptables => ruleset.table(TableFamily::Iptables, space.name()),
        }
    }

    fn full_name(&self, space: Space, name: &str) -> String {
        match self.backend {
            RuleBackend::Nftables => format!("{}_{name}", space.name()),
            RuleBackend::Iptables => name.to_owned(),
        }
    }

    /// What the chains of a policy are called after.
    ///
    /// Source: firewalld 1.3.3, `POLICY_CHAIN_PREFIX` of `nftables.py` and `ipXtables.py`.
    pub(super) fn policy_suffix(&self, policy: &str) -> String {
        match self.backend {
            RuleBackend::Nftables => format!("policy_{policy}"),
            RuleBackend::Iptables => policy.to_owned(),
        }
    }

    /// Finds or makes a base chain.
    pub(super) fn base(&mut self, space: Space, hook: Hook) -> ChainId {
        let offset = if self.backend == RuleBackend::Nftables { NFT_HOOK_OFFSET } else { 0 };
        let point =
            HookPoint { hook, kind: space.kind(), priority: space.priority(hook) + offset, policy: Policy::Accept };
        self.make(space, hook_name(hook), Some(point))
    }

    /// Finds or makes a chain.
    pub(super) fn chain(&mut self, space: Space, name: &str) -> ChainId {
        self.make(space, name, None)
    }

    fn make(&mut self, space: Space, name: &str, hook: Option<HookPoint>) -> ChainId {
        let (table, name, origin) = (self.table(space), self.full_name(space, name), self.implied);
        self.dataplane.node_mut(self.node).ruleset.chain(table, &name, hook, origin)
    }

    /// Appends a rule.
    pub(super) fn add(&mut self, chain: ChainId, draft: Draft) {
        self.rules(chain).push(draft.into());
    }

    /// Puts a rule first.
    pub(super) fn insert(&mut self, chain: ChainId, draft: Draft) {
        self.rules(chain).insert(0, draft.into());
    }

    fn rules(&mut self, chain: ChainId) -> &mut Vec<Rule> {
        &mut self.dataplane.node_mut(self.node).ruleset.get_mut(chain).rules
    }

    /// Appends a rule that nobody wrote.
    pub(super) fn always(&mut self, chain: ChainId, matches: Vec<Match>, action: Action) {
        let origin = self.implied;
        self.add(chain, Draft { matches, action, guard: None, origin });
    }

    /// Appends a jump to a chain of the same table.
    pub(super) fn jump(&mut self, from: ChainId, to: ChainId) {
        self.always(from, Vec::new(), Action::Jump(to));
    }

    /// Appends a rule that goes back to an entry of the configuration.
    pub(super) fn entry<T>(
        &mut self,
        chain: ChainId,
        entry: &Entry<T>,
        what: impl Into<String>,
        matches: Vec<Match>,
        action: Action,
    ) {
        let origin = self.because(what, &entry.origin);
        self.add(chain, Draft { matches, action, guard: entry.guard, origin });
    }

    /// The answer of everything that firewalld rejects by itself, except [`Self::plain_reject`].
    pub(super) fn reject(&self) -> Reject {
        match self.backend {
            RuleBackend::Nftables => Reject::AdminProhibited,
            RuleBackend::Iptables => Reject::HostProhibited,
        }
    }

    /// The answer of the target `default` of a zone and `REJECT` of a policy: a plain `-j REJECT` in iptables, whose
    /// own default is port unreachable.
    ///
    /// Source: firewalld 1.3.3 `src/firewall/core/ipXtables.py`, `build_policy_chain_rules`.
    fn plain_reject(&self) -> Reject {
        match self.backend {
            RuleBackend::Nftables => Reject::AdminProhibited,
            RuleBackend::Iptables => Reject::PortUnreachable,
        }
    }

    /// What the target of a zone does.
    pub(super) fn zone_target(&self, target: Target) -> Action {
        match target {
            Target::Accept => Action::Accept,
            Target::Drop => Action::Drop,
            Target::Reject => Action::Reject(self.reject()),
            Target::Default | Target::Continue => Action::Reject(self.plain_reject()),
        }
    }

    /// What the target of a policy does; nothing means to go on.
    pub(super) fn policy_target(&self, target: Target) -> Option<Action> {
        match target {
            Target::Accept => Some(Action::Accept),
            Target::Drop => Some(Action::Drop),
            Target::Reject => Some(Action::Reject(self.plain_reject())),
            Target::Default | Target::Continue => None,
        }
    }

    /// Any ICMP, as the rule behind a zone's parts matches it.
    pub(super) fn icmp(&self) -> Match {
        match self.backend {
            RuleBackend::Nftables => Match::AnyOf(vec![Match::Protocol(Protocol::Icmp), Match::ProtocolNumber(58)]),
            RuleBackend::Iptables => Match::Protocol(Protocol::Icmp),
        }
    }

    /// A chain with its five parts behind each other.
    pub(super) fn parts(&mut self, space: Space, name: &str) -> ChainId {
        let chain = self.chain(space, name);
        for part in PARTS {
            let part = self.chain(space, &format!("{name}_{part}"));
            self.jump(chain, part);
        }
        chain
    }

    /// firewalld turns on forwarding for a masquerade or a forward to another machine.
    ///
    /// Source: firewalld 1.3.3 `src/firewall/core/fw_policy.py`, `enable_ip_forwarding`.
    pub(super) fn forward_ipv4(&mut self, guard: Option<SwitchId>, origin: &Origin) {
        let origin = self.because("forwarding, turned on by firewalld", origin);
        let sysctls = &mut self.dataplane.node_mut(self.node).sysctls;
        if sysctls.ip_forward == Toggle::Off || guard.is_none() && sysctls.ip_forward != Toggle::On {
            sysctls.ip_forward = guard.map_or(Toggle::On, Toggle::If);
            sysctls.ip_forward_origin = origin;
        }
    }

    /// A limit on how often a rule applies, which is taken to be kept.
    pub(super) fn within_limit(&mut self, limit: &str, origin: &Origin) -> Match {
        let statement = format!("no more than {limit} packets meet this rich rule");
        let switch = Switch { statement, default: true, kind: SwitchKind::Assumption, origin: origin.clone() };
        Match::Unmodeled(self.dataplane.switches.add(switch))
    }

    /// A condition that has no model: the rule it belongs to may or may not apply.
    pub(super) fn unmodeled(&mut self, statement: String, origin: &Origin) -> Match {
        let switch = Switch { statement, default: false, kind: SwitchKind::Unmodeled, origin: origin.clone() };
        Match::Unmodeled(self.dataplane.switches.add(switch))
    }
}

impl From<Draft> for Rule {
    fn from(draft: Draft) -> Self {
        Self { matches: draft.matches, action: draft.action, guard: draft.guard, origin: draft.origin }
    }
}
