//! The nftables rules of 29 with `--firewall-backend=nftables`: a table of its own whose base chains accept by
//! default, with a pair of chains for every network. Spec: specs/docker-nftables.md.
//!
//! docker dispatches to the chains of a network through verdict maps from interface names; here every element of a map
//! is a rule, which means the same, since names are unique.

use crate::dataplane::{
    ChainId, ChainKind, Dataplane, Hook, HookPoint, Match, NodeId, Policy, Rule, Ruleset, TableFamily, TableId,
};
use crate::lab::Networking;
use crate::language::{Text, text};
use crate::net::{IpNet, Protocol};
use crate::provenance::{Origin, OriginId, Origins};

use super::publish::{Binding, bindings};
use super::rule::{Draft, not_loopback, rule};
use super::{Settings, Site};

const TABLE: &str = "moby 29.7 daemon/libnetwork/drivers/bridge/internal/nftabler/nftabler.go, init";
const NETWORK: &str = "moby 29.7 daemon/libnetwork/drivers/bridge/internal/nftabler/network.go, configure";
const DIRECT: &str = "moby 29.7 daemon/libnetwork/drivers/bridge/internal/nftabler/endpoint.go, filterDirectAccess";
const PORT: &str = "moby 29.7 daemon/libnetwork/drivers/bridge/internal/nftabler/port.go, setPerPortRules";
const LOOPBACK: &str =
    "moby 29.7 daemon/libnetwork/drivers/bridge/internal/nftabler/port.go, filterPortMappedOnLoopback";

/// docker's table on one node.
struct Bridges<'a> {
    ruleset: &'a mut Ruleset,
    origins: &'a mut Origins,
    table: TableId,
    forward: ChainId,
    translate: ChainId,
    postrouting: ChainId,
    raw: ChainId,
}

/// Writes everything. A table of an earlier start is emptied first.
pub(super) fn write(site: Site<'_>, dataplane: &mut Dataplane) {
    let mut bridges = Bridges::make(site, dataplane);
    let networks = || site.engine.bridges().filter(|n| matches!(n.subnet, IpNet::V4(_)));
    for network in networks() {
        bridges.write_jumps(Settings::of(site.engine, network));
    }
    let bindings = bindings(site.engine);
    for network in networks() {
        let settings = Settings::of(site.engine, network);
        let own: Vec<_> = bindings.iter().filter(|b| b.network.bridge == network.bridge && b.has_rules()).collect();
        bridges.write_incoming(settings, &own);
        bridges.write_outgoing(settings);
        bridges.write_nat(settings, &own);
    }
    bridges.write_endpoints(site);
    for binding in bindings.iter().filter(|b| b.has_rules()) {
        bridges.write_translation(site, binding);
    }
}

/// The four chains of a network, by direction as seen from the network.
fn chain_name(purpose: &str, settings: Settings<'_>) -> String {
    format!("{purpose}__{}", settings.network.bridge)
}

impl<'a> Bridges<'a> {
    fn make(site: Site<'_>, dataplane: &'a mut Dataplane) -> Self {
        let origin = dataplane.origins.add(site.engine.origin.derive("docker's table", TABLE));
        let (ruleset, origins) = parts(dataplane, site.node);
        let table = ruleset.table(TableFamily::Ip, "docker-bridges");
        for chain in ruleset.chains.iter_mut().filter(|c| c.table == table) {
            chain.rules.clear();
        }
        let mut base = |name, hook, kind, priority| {
            let point = HookPoint { hook, kind, priority, policy: Policy::Accept };
            ruleset.chain(table, name, Some(point), origin)
        };
        let forward = base("filter-FORWARD", Hook::Forward, ChainKind::Filter, 0);
        let postrouting = base("nat-POSTROUTING", Hook::Postrouting, ChainKind::Nat, 100);
        let prerouting = base("nat-PREROUTING", Hook::Prerouting, ChainKind::Nat, -100);
        let output = base("nat-OUTPUT", Hook::Output, ChainKind::Nat, -100);
        let raw = base("raw-PREROUTING", Hook::Prerouting, ChainKind::Filter, -300);
        let translate = ruleset.chain(table, "nat-prerouting-and-output", None, origin);
        let to_host = rule(origin).when(Match::DestinationIsLocal).jump(translate);
        ruleset.get_mut(prerouting).rules.push(to_host);
        let hairpin = !site.engine.options.userland_proxy;
        let from_host = rule(origin).when_any(not_loopback(hairpin)).when(Match::DestinationIsLocal).jump(translate);
        ruleset.get_mut(output).rules.push(from_host);
        Self { ruleset, origins, table, forward, translate, postrouting, raw }
    }

    fn because(&mut self, base: &Origin, what: impl Into<Text>, citation: &'static str) -> OriginId {
        self.origins.add(base.derive(what, citation))
    }

    fn push(&mut self, chain: ChainId, rule: Rule) {
        self.ruleset.get_mut(chain).rules.push(rule);
    }

    fn chain(&mut self, purpose: &str, settings: Settings<'_>, origin: OriginId) -> ChainId {
        self.ruleset.chain(self.table, &chain_name(purpose, settings), None, origin)
    }

    /// The elements of the verdict maps. Way in before way out in the filter, the other way round in nat: the rules on
    /// the map of the second kind follow those of the first.
    fn write_jumps(&mut self, settings: Settings<'_>) {
        let network = settings.network;
        let origin = self.because(
            &network.origin,
            {
                let name = &network.name;
                text!("rules of network `{name}`", "`{name}` 네트워크의 규칙")
            },
            NETWORK,
        );
        let incoming = self.chain("filter-forward-in", settings, origin);
        let outgoing = self.chain("filter-forward-out", settings, origin);
        let nat_out = self.chain("nat-postrouting-out", settings, origin);
        let nat_in = self.chain("nat-postrouting-in", settings, origin);
        let enters = || rule(origin).leaving(&network.bridge);
        let leaves = || rule(origin).entering(&network.bridge);
        self.push_grouped(self.forward, enters().jump(incoming), leaves().jump(outgoing));
        self.push_grouped(self.postrouting, leaves().jump(nat_out), enters().jump(nat_in));
    }

    /// Keeps the first halves of all pairs together in front of the second halves.
    fn push_grouped(&mut self, chain: ChainId, first: Rule, second: Rule) {
        let rules = &mut self.ruleset.get_mut(chain).rules;
        rules.insert(rules.len() / 2, first);
        rules.push(second);
    }

    fn write_incoming(&mut self, settings: Settings<'_>, bindings: &[&Binding<'_>]) {
        let network = settings.network;
        let bridge = network.bridge.as_str();
        let origin = self.because(&network.origin, format!("way into network `{}`", network.name), NETWORK);
        let chain = self.chain("filter-forward-in", settings, origin);
        self.push(chain, rule(origin).established().accept());
        if settings.internal() {
            let what = format!("network `{}` is internal", network.name);
            let closed = self.because(&network.origin, what, NETWORK);
            self.push(chain, rule(closed).not_entering(bridge).drop());
            self.write_icc(chain, settings, rule);
            return;
        }
        if settings.routed() {
            self.push(chain, rule(origin).when(Match::Protocol(Protocol::Icmp)).accept());
        }
        self.write_icc(chain, settings, |origin| rule(origin).entering(bridge));
        if !settings.unprotected() {
            self.write_open_ports(chain, bindings);
        }
        self.write_default(chain, settings);
    }

    fn write_icc(&mut self, chain: ChainId, settings: Settings<'_>, start: impl Fn(OriginId) -> Draft) {
        let network = settings.network;
        let rule = if settings.icc {
            let what = format!("containers of `{}` reach each other", network.name);
            start(self.because(&network.origin, what, NETWORK)).accept()
        } else {
            let what = format!("containers of `{}` do not reach each other (`icc` is off)", network.name);
            start(self.because(&network.origin, what, NETWORK)).drop()
        };
        self.push(chain, rule);
    }

    /// One rule for each container port, even if it is published several times.
    fn write_open_ports(&mut self, chain: ChainId, bindings: &[&Binding<'_>]) {
        for binding in bindings {
            let origin = self.because(binding.origin, binding.describe(), PORT);
            let open = rule(origin).guarded(binding.guard).to(binding.address).on_port(binding.protocol, binding.port);
            self.push_new(chain, open.accept());
        }
    }

    fn push_new(&mut self, chain: ChainId, rule: Rule) {
        let rules = &mut self.ruleset.get_mut(chain).rules;
        if !rules.iter().any(|r| r.matches == rule.matches && r.guard == rule.guard) {
            rules.push(rule);
        }
    }

    /// What happens to packets for a network that no published port has accepted.
    fn write_default(&mut self, chain: ChainId, settings: Settings<'_>) {
        let network = settings.network;
        let verdict = if settings.unprotected() { "open to all" } else { "closed but for published ports" };
        let origin = self.because(&network.origin, format!("network `{}` is {verdict}", network.name), NETWORK);
        let default = if settings.unprotected() { rule(origin).accept() } else { rule(origin).drop() };
        self.push(chain, default);
    }

    fn write_outgoing(&mut self, settings: Settings<'_>) {
        let network = settings.network;
        let what = format!("way out of network `{}`", network.name);
        let origin = self.because(&network.origin, what, NETWORK);
        let chain = self.chain("filter-forward-out", settings, origin);
        self.push(chain, rule(origin).established().accept());
        if settings.internal() {
            let what = format!("network `{}` is internal", network.name);
            let closed = self.because(&network.origin, what, NETWORK);
            self.push(chain, rule(closed).not_leaving(&network.bridge).drop());
        } else {
            self.push(chain, rule(origin).accept());
        }
    }

    fn write_nat(&mut self, settings: Settings<'_>, bindings: &[&Binding<'_>]) {
        if settings.internal() {
            return;
        }
        let network = settings.network;
        let what = format!("source addresses of network `{}`", network.name);
        let origin = self.because(&network.origin, what, NETWORK);
        if settings.masquerade && !settings.routed() {
            let chain = self.chain("nat-postrouting-out", settings, origin);
            self.push(chain, rule(origin).not_leaving(&network.bridge).from(network.subnet).masquerade());
        }
        if settings.hairpin {
            let chain = self.chain("nat-postrouting-in", settings, origin);
            self.push(chain, rule(origin).when(Match::SourceIsLocal).masquerade());
            for binding in bindings.iter().filter(|b| b.translated().is_some()) {
                let origin = self.because(binding.origin, binding.describe(), PORT);
                let to_itself = rule(origin).guarded(binding.guard).from(binding.address.into()).to(binding.address);
                self.push_new(chain, to_itself.on_port(binding.protocol, binding.port).masquerade());
            }
        }
    }

    /// Every endpoint of a network that is reached through translation only: packets that come for the container's
    /// own address from elsewhere are dropped before anything else sees them.
    fn write_endpoints(&mut self, site: Site<'_>) {
        if site.engine.options.allow_direct_routing {
            return;
        }
        for container in &site.engine.containers {
            let Networking::Bridges(endpoints) = &container.networking else { continue };
            for endpoint in endpoints {
                let Some(network) = site.engine.networks.get(endpoint.network) else { continue };
                let settings = Settings::of(site.engine, network);
                let direct =
                    network.parent.is_some() || settings.internal() || settings.unprotected() || settings.routed();
                if direct || !endpoint.address.is_ipv4() {
                    continue;
                }
                let what = format!("no direct access to `{}` from outside network `{}`", container.name, network.name);
                let origin = self.because(&endpoint.origin, what, DIRECT);
                let elsewhere = rule(origin).guarded(endpoint.guard).to(endpoint.address).not_entering(&network.bridge);
                self.push(self.raw, elsewhere.drop());
            }
        }
    }

    fn write_translation(&mut self, site: Site<'_>, binding: &Binding<'_>) {
        let Some(host) = binding.translated() else { return };
        let origin = self.because(binding.origin, binding.describe(), PORT);
        // With docker-proxy, packets from the network itself are left to it.
        let bridge = binding.network.bridge.clone();
        let other = site.engine.options.userland_proxy.then(|| Match::InInterface(bridge).negated());
        let translate = rule(origin)
            .guarded(binding.guard)
            .when_any(other)
            .when_any(host.address.map(|a| Match::Destination(a.into())))
            .on_port(binding.protocol, host.port)
            .translate_to(binding.address, binding.port);
        self.push(self.translate, translate);
        if let Some(address) = host.address.filter(|a| a.is_loopback()) {
            let what = format!("{} is for this machine only", binding.describe());
            let origin = self.because(binding.origin, what, LOOPBACK);
            let remote = rule(origin).guarded(binding.guard).not_entering("lo").to(address);
            self.push(self.raw, remote.on_port(binding.protocol, host.port).drop());
        }
    }
}

/// # Panics
/// When `node` comes from another dataplane, which is a bug of the caller.
#[expect(clippy::indexing_slicing, reason = "ids are made by `add_node` of the same dataplane")]
fn parts(dataplane: &mut Dataplane, node: NodeId) -> (&mut Ruleset, &mut Origins) {
    (&mut dataplane.nodes[node.0].ruleset, &mut dataplane.origins)
}
