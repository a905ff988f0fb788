//! The iptables command on one node: tables with their built-in chains, `-A`, `-I`, `-P`, each a no-op for a rule that
//! is already there. Spec: specs/docker-publish.md.

use crate::dataplane::{
    Action, ChainId, ChainKind, Dataplane, Hook, HookPoint, NodeId, Policy, Rule, Ruleset, TableFamily, TableId,
};
use crate::language::Text;
use crate::provenance::{Origin, OriginId, Origins};

use super::rule::rule;

/// The tables that docker writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Raw,
    Filter,
    Nat,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Filter => "filter",
            Self::Nat => "nat",
        }
    }

    /// Fixed by the kernel (Linux 6.1 include/uapi/linux/netfilter_ipv4.h, enum nf_ip_hook_priorities).
    fn hook_point(self, hook: Hook) -> HookPoint {
        let (kind, priority) = match (self, hook) {
            (Self::Raw, _) => (ChainKind::Filter, -300),
            (Self::Filter, _) => (ChainKind::Filter, 0),
            (Self::Nat, Hook::Postrouting | Hook::Input) => (ChainKind::Nat, 100),
            (Self::Nat, _) => (ChainKind::Nat, -100),
        };
        HookPoint { hook, kind, priority, policy: Policy::Accept }
    }
}

fn built_in(hook: Hook) -> &'static str {
    match hook {
        Hook::Prerouting => "PREROUTING",
        Hook::Input => "INPUT",
        Hook::Forward => "FORWARD",
        Hook::Output => "OUTPUT",
        Hook::Postrouting => "POSTROUTING",
    }
}

/// The iptables of one node, and where origins are kept.
pub(super) struct Iptables<'a> {
    ruleset: &'a mut Ruleset,
    origins: &'a mut Origins,
}

impl<'a> Iptables<'a> {
    /// # Panics
    /// When `node` comes from another dataplane, which is a bug of the caller.
    #[expect(clippy::indexing_slicing, reason = "ids are made by `add_node` of the same dataplane")]
    pub(super) fn new(dataplane: &'a mut Dataplane, node: NodeId) -> Self {
        Self { ruleset: &mut dataplane.nodes[node.0].ruleset, origins: &mut dataplane.origins }
    }

    /// Keeps an origin for what docker makes of `base`.
    pub(super) fn because(&mut self, base: &Origin, what: impl Into<Text>, citation: &'static str) -> OriginId {
        self.origins.add(base.derive(what, citation))
    }

    fn table(&mut self, table: Table) -> TableId {
        self.ruleset.table(TableFamily::Iptables, table.name())
    }

    /// A built-in chain.
    pub(super) fn base(&mut self, table: Table, hook: Hook, origin: OriginId) -> ChainId {
        let id = self.table(table);
        self.ruleset.chain(id, built_in(hook), Some(table.hook_point(hook)), origin)
    }

    /// `-N`: finds or makes a chain.
    pub(super) fn chain(&mut self, table: Table, name: &str, origin: OriginId) -> ChainId {
        let table = self.table(table);
        self.ruleset.chain(table, name, None, origin)
    }

    /// `-P`.
    pub(super) fn set_policy(&mut self, table: Table, hook: Hook, policy: Policy, origin: OriginId) {
        let chain = self.base(table, hook, origin);
        let chain = self.ruleset.get_mut(chain);
        chain.origin = origin;
        if let Some(point) = &mut chain.hook {
            point.policy = policy;
        }
    }

    /// `-A`.
    pub(super) fn append(&mut self, chain: ChainId, rule: Rule) {
        if !self.exists(chain, &rule) {
            self.ruleset.get_mut(chain).rules.push(rule);
        }
    }

    /// `-I`.
    pub(super) fn insert(&mut self, chain: ChainId, rule: Rule) {
        if !self.exists(chain, &rule) {
            self.ruleset.get_mut(chain).rules.insert(0, rule);
        }
    }

    /// Moves the jump from `chain` to `target` to the top, or puts it there.
    pub(super) fn ensure_jump(&mut self, chain: ChainId, target: ChainId, origin: OriginId) {
        let jump = rule(origin).jump(target);
        self.ruleset.get_mut(chain).rules.retain(|r| !same(r, &jump));
        self.insert(chain, jump);
    }

    fn exists(&self, chain: ChainId, rule: &Rule) -> bool {
        self.ruleset.get(chain).rules.iter().any(|r| same(r, rule))
    }
}

fn same(a: &Rule, b: &Rule) -> bool {
    a.matches == b.matches && a.action == b.action && a.guard == b.guard
}

/// What a starting dockerd removes before it writes: the content of its own chains, and the jumps to them from nat
/// (moby 28.5 libnetwork/drivers/bridge/internal/iptabler/network.go, removeIPChains). DOCKER-USER belongs to the user.
pub(super) fn empty_own_chains(dataplane: &mut Dataplane, node: NodeId) {
    let ruleset = &mut dataplane.node_mut(node).ruleset;
    let own = |name: &str| name == "DOCKER" || name.starts_with("DOCKER-") && name != "DOCKER-USER";
    let is_iptables = |table: TableId, ruleset: &Ruleset| {
        ruleset.tables.get(table.0).is_some_and(|t| t.family == TableFamily::Iptables)
    };
    let mut emptied = Vec::new();
    for index in 0..ruleset.chains.len() {
        let id = ChainId(index);
        if own(&ruleset.get(id).name) && is_iptables(ruleset.get(id).table, ruleset) {
            ruleset.get_mut(id).rules.clear();
            emptied.push(id);
        }
    }
    for chain in ruleset.chains.iter_mut().filter(|c| c.hook.is_some_and(|h| h.kind == ChainKind::Nat)) {
        chain.rules.retain(|r| !matches!(r.action, Action::Jump(target) if emptied.contains(&target)));
    }
}
