//! The iptables rules of 20.10 to 27: accept rules of every network side by side in FORWARD, isolation between
//! networks in two stages. Spec: specs/docker-publish.md, specs/docker-isolation.md.

use crate::dataplane::{ChainId, Dataplane, Hook, Match};
use crate::language::text;
use crate::net::IpNet;
use crate::provenance::OriginId;

use super::iptables::{Iptables, Table};
use super::publish::{Binding, bindings};
use super::rule::{not_loopback, rule};
use super::{Occasion, Settings, Site};

const CHAINS: &str = "moby 20.10 libnetwork/drivers/bridge/setup_ip_tables.go, setupIPChains";
const NETWORK: &str = "moby 20.10 libnetwork/drivers/bridge/setup_ip_tables.go, setupIPTablesInternal";
const JUMPS: &str = "moby 20.10 libnetwork/iptables/iptables.go, ProgramChain";
const ISOLATION: &str = "moby 20.10 libnetwork/drivers/bridge/setup_ip_tables.go, setINC";
const INTERNAL: &str = "moby 20.10 libnetwork/drivers/bridge/setup_ip_tables.go, setupInternalNetworkRules";
const PORT: &str = "moby 20.10 libnetwork/iptables/iptables.go, Forward";
const USER: &str = "moby 20.10 libnetwork/firewall_linux.go, arrangeUserFilterRule";

/// The chains of one engine.
struct Chains {
    forward: ChainId,
    docker: ChainId,
    stage1: ChainId,
    stage2: ChainId,
    nat_docker: ChainId,
    prerouting: ChainId,
    output: ChainId,
    postrouting: ChainId,
}

/// Writes everything. After a reload of firewalld the jump to DOCKER-USER comes first instead of last, so that it ends
/// up below docker's own rules, and isolation between networks is not put back at all: it is written only when a
/// network is created.
pub(super) fn write(site: Site<'_>, occasion: Occasion, dataplane: &mut Dataplane) {
    let mut iptables = Iptables::new(dataplane, site.node);
    let base = iptables.because(&site.engine.origin, "docker's chains", CHAINS);
    let chains = Chains::make(&mut iptables, base);
    if occasion == Occasion::FirewalldReload {
        user_chain(site, &mut iptables, &chains);
    }
    for network in site.engine.bridges() {
        let settings = Settings::of(site.engine, network);
        let IpNet::V4(_) = network.subnet else { continue };
        if settings.internal() {
            write_internal(settings, &mut iptables, &chains);
        } else {
            write_network(settings, &mut iptables, &chains);
            if occasion == Occasion::Start {
                write_isolation(settings, &mut iptables, &chains);
            }
        }
        iptables.ensure_jump(chains.forward, chains.stage1, base);
    }
    if occasion == Occasion::Start {
        user_chain(site, &mut iptables, &chains);
    }
    for binding in bindings(site.engine).iter().filter(|b| b.has_rules()) {
        write_port(site, binding, &mut iptables, &chains);
    }
}

impl Chains {
    fn make(iptables: &mut Iptables<'_>, origin: OriginId) -> Self {
        let chains = Self {
            forward: iptables.base(Table::Filter, Hook::Forward, origin),
            docker: iptables.chain(Table::Filter, "DOCKER", origin),
            stage1: iptables.chain(Table::Filter, "DOCKER-ISOLATION-STAGE-1", origin),
            stage2: iptables.chain(Table::Filter, "DOCKER-ISOLATION-STAGE-2", origin),
            nat_docker: iptables.chain(Table::Nat, "DOCKER", origin),
            prerouting: iptables.base(Table::Nat, Hook::Prerouting, origin),
            output: iptables.base(Table::Nat, Hook::Output, origin),
            postrouting: iptables.base(Table::Nat, Hook::Postrouting, origin),
        };
        iptables.append(chains.stage1, rule(origin).leave());
        iptables.append(chains.stage2, rule(origin).leave());
        chains
    }
}

fn user_chain(site: Site<'_>, iptables: &mut Iptables<'_>, chains: &Chains) {
    let origin = iptables.because(&site.engine.origin, "chain for rules of the user", USER);
    let user = iptables.chain(Table::Filter, "DOCKER-USER", origin);
    iptables.append(user, rule(origin).leave());
    iptables.ensure_jump(chains.forward, user, origin);
}

fn write_network(settings: Settings<'_>, iptables: &mut Iptables<'_>, chains: &Chains) {
    let network = settings.network;
    let bridge = network.bridge.as_str();
    let origin = iptables.because(
        &network.origin,
        {
            let name = &network.name;
            text!("rules of network `{name}`", "`{name}` 네트워크의 규칙")
        },
        NETWORK,
    );
    if settings.masquerade && !settings.routed() {
        let leaves = rule(origin).from(network.subnet).not_leaving(bridge).masquerade();
        iptables.insert(chains.postrouting, leaves);
        if !settings.hairpin {
            // Packets of containers are left to docker-proxy: translated, they would be dropped by isolation.
            iptables.insert(chains.nat_docker, rule(origin).entering(bridge).leave());
        }
    }
    if settings.hairpin {
        let from_host = rule(origin).leaving(bridge).when(Match::SourceIsLocal).masquerade();
        iptables.insert(chains.postrouting, from_host);
    }
    write_icc(settings, iptables, chains);
    iptables.insert(chains.forward, rule(origin).entering(bridge).not_leaving(bridge).accept());
    write_jumps(settings, iptables, chains);
}

fn write_icc(settings: Settings<'_>, iptables: &mut Iptables<'_>, chains: &Chains) {
    let network = settings.network;
    let between = |origin| rule(origin).entering(&network.bridge).leaving(&network.bridge);
    if settings.icc {
        let what = format!("containers of `{}` reach each other", network.name);
        let origin = iptables.because(&network.origin, what, NETWORK);
        iptables.insert(chains.forward, between(origin).accept());
    } else {
        let what = format!("containers of `{}` do not reach each other (`icc` is off)", network.name);
        let origin = iptables.because(&network.origin, what, NETWORK);
        iptables.append(chains.forward, between(origin).drop());
    }
}

fn write_jumps(settings: Settings<'_>, iptables: &mut Iptables<'_>, chains: &Chains) {
    let network = settings.network;
    let origin = iptables.because(&network.origin, format!("way into network `{}`", network.name), JUMPS);
    let to_host = rule(origin).when(Match::DestinationIsLocal);
    iptables.append(chains.prerouting, to_host.jump(chains.nat_docker));
    let from_host = rule(origin).when_any(not_loopback(settings.hairpin)).when(Match::DestinationIsLocal);
    iptables.append(chains.output, from_host.jump(chains.nat_docker));
    iptables.insert(chains.forward, rule(origin).leaving(&network.bridge).jump(chains.docker));
    iptables.insert(chains.forward, rule(origin).leaving(&network.bridge).established().accept());
}

/// The first stage catches what leaves one bridge for another interface, the second what enters another bridge.
fn write_isolation(settings: Settings<'_>, iptables: &mut Iptables<'_>, chains: &Chains) {
    let network = settings.network;
    let bridge = network.bridge.as_str();
    let what = format!("network `{}` is isolated from other networks", network.name);
    let origin = iptables.because(&network.origin, what, ISOLATION);
    iptables.insert(chains.stage1, rule(origin).entering(bridge).not_leaving(bridge).jump(chains.stage2));
    iptables.insert(chains.stage2, rule(origin).leaving(bridge).drop());
}

fn write_internal(settings: Settings<'_>, iptables: &mut Iptables<'_>, chains: &Chains) {
    let network = settings.network;
    let origin = iptables.because(&network.origin, format!("network `{}` is internal", network.name), INTERNAL);
    let outside = rule(origin).unless(Match::Destination(network.subnet)).entering(&network.bridge).drop();
    iptables.insert(chains.stage1, outside);
    iptables.insert(chains.stage1, rule(origin).unless(Match::Source(network.subnet)).leaving(&network.bridge).drop());
    write_icc(settings, iptables, chains);
}

fn write_port(site: Site<'_>, binding: &Binding<'_>, iptables: &mut Iptables<'_>, chains: &Chains) {
    let bridge = binding.network.bridge.as_str();
    let origin = iptables.because(binding.origin, binding.describe(), PORT);
    let start = || rule(origin).guarded(binding.guard);
    if let Some(host) = binding.translated() {
        // With docker-proxy, packets from the network itself are left to it.
        let other = site.engine.options.userland_proxy.then(|| Match::InInterface(bridge.to_owned()).negated());
        let translate = start()
            .when_any(host.address.map(|a| Match::Destination(a.into())))
            .when_any(other)
            .on_port(binding.protocol, host.port)
            .translate_to(binding.address, binding.port);
        iptables.append(chains.nat_docker, translate);
        let to_itself = start().from(binding.address.into()).to(binding.address);
        iptables.append(chains.postrouting, to_itself.on_port(binding.protocol, binding.port).masquerade());
    }
    let open = start().to(binding.address).not_entering(bridge).leaving(bridge);
    iptables.append(chains.docker, open.on_port(binding.protocol, binding.port).accept());
}
