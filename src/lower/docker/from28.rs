//! The iptables rules of 28 and 29: own chains below DOCKER-FORWARD, unpublished ports dropped at the way into a
//! network, packets that are routed straight to a container dropped in the raw table. 29 has no isolation between
//! networks any more: these two drops stand in for it.
//! Spec: specs/docker-publish.md, specs/docker-isolation.md, specs/gateway-modes.md.

use crate::dataplane::{ChainId, Dataplane, Hook, Match};
use crate::lab::{ContainerNetwork, Endpoint, Networking};
use crate::language::text;
use crate::net::{IpNet, Protocol, Version};
use crate::provenance::OriginId;

use super::iptables::{Iptables, Table};
use super::publish::{Binding, HostSide, bindings};
use super::rule::{not_loopback, rule};
use super::{Line, Settings, Site};

const CHAINS: &str = "moby 28.5 libnetwork/drivers/bridge/internal/iptabler/iptabler.go, setupIPChains";
const NETWORK: &str = "moby 28.5 libnetwork/drivers/bridge/internal/iptabler/network.go, setupNonInternalNetworkRules";
const UNPUBLISHED: &str = "moby 28.5 libnetwork/drivers/bridge/internal/iptabler/network.go, setDefaultForwardRule";
const ICC: &str = "moby 28.5 libnetwork/drivers/bridge/internal/iptabler/network.go, setIcc";
const ISOLATION: &str = "moby 28.5 libnetwork/drivers/bridge/internal/iptabler/network.go, setINC";
const INTERNAL: &str = "moby 28.5 libnetwork/drivers/bridge/internal/iptabler/network.go, setupInternalNetworkRules";
const DIRECT: &str = "moby 28.5 libnetwork/drivers/bridge/internal/iptabler/endpoint.go, filterDirectAccess";
const PORT: &str = "moby 28.5 libnetwork/drivers/bridge/internal/iptabler/port.go, setPerPortIptables";
const LOOPBACK: &str = "moby 28.5 libnetwork/drivers/bridge/internal/iptabler/port.go, filterPortMappedOnLoopback";
const USER: &str = "moby 28.5 libnetwork/firewall_linux.go, setupUserChain";

/// Since then direct access is dropped for whole endpoints, before for published ports only; the option to allow it
/// is as old.
const WHOLE_ENDPOINTS: Version = Version::new(28, 2, 0);

/// The chains of one engine.
struct Chains {
    docker: ChainId,
    own_forward: ChainId,
    to_bridges: ChainId,
    established: ChainId,
    /// DOCKER-INTERNAL of 29, DOCKER-ISOLATION-STAGE-1 of 28.
    isolation: ChainId,
    /// DOCKER-ISOLATION-STAGE-2 of 28.
    stage2: Option<ChainId>,
    nat_docker: ChainId,
    postrouting: ChainId,
    raw_prerouting: ChainId,
}

/// Writes everything; the same at the start and after a reload of firewalld.
pub(super) fn write(site: Site<'_>, dataplane: &mut Dataplane) {
    let mut iptables = Iptables::new(dataplane, site.node);
    let base = iptables.because(&site.engine.origin, "docker's chains", CHAINS);
    let chains = Chains::make(site, &mut iptables, base);
    for network in site.engine.bridges() {
        let IpNet::V4(_) = network.subnet else { continue };
        let settings = Settings::of(site.engine, network);
        if settings.internal() {
            write_internal(settings, &mut iptables, &chains);
        } else {
            write_network(settings, &mut iptables, &chains);
        }
    }
    if drops_direct_access(site) && site.engine.version >= WHOLE_ENDPOINTS {
        write_endpoints(site, &mut iptables, &chains);
    }
    for binding in bindings(site.engine).iter().filter(|b| b.has_rules()) {
        write_port(site, binding, &mut iptables, &chains);
    }
}

fn drops_direct_access(site: Site<'_>) -> bool {
    !site.engine.options.allow_direct_routing || site.engine.version < WHOLE_ENDPOINTS
}

impl Chains {
    fn make(site: Site<'_>, iptables: &mut Iptables<'_>, origin: OriginId) -> Self {
        let isolates = Line::of(site.engine) == Line::V28;
        let isolation = if isolates { "DOCKER-ISOLATION-STAGE-1" } else { "DOCKER-INTERNAL" };
        let chains = Self {
            docker: iptables.chain(Table::Filter, "DOCKER", origin),
            own_forward: iptables.chain(Table::Filter, "DOCKER-FORWARD", origin),
            to_bridges: iptables.chain(Table::Filter, "DOCKER-BRIDGE", origin),
            established: iptables.chain(Table::Filter, "DOCKER-CT", origin),
            isolation: iptables.chain(Table::Filter, isolation, origin),
            stage2: isolates.then(|| iptables.chain(Table::Filter, "DOCKER-ISOLATION-STAGE-2", origin)),
            nat_docker: iptables.chain(Table::Nat, "DOCKER", origin),
            postrouting: iptables.base(Table::Nat, Hook::Postrouting, origin),
            raw_prerouting: iptables.base(Table::Raw, Hook::Prerouting, origin),
        };
        chains.write_nat_jumps(site, iptables, origin);
        chains.write_forward_jumps(site, iptables, origin);
        chains
    }

    fn write_nat_jumps(&self, site: Site<'_>, iptables: &mut Iptables<'_>, origin: OriginId) {
        let hairpin = !site.engine.options.userland_proxy;
        let prerouting = iptables.base(Table::Nat, Hook::Prerouting, origin);
        iptables.append(prerouting, rule(origin).when(Match::DestinationIsLocal).jump(self.nat_docker));
        let output = iptables.base(Table::Nat, Hook::Output, origin);
        let from_host = rule(origin).when_any(not_loopback(hairpin)).when(Match::DestinationIsLocal);
        iptables.append(output, from_host.jump(self.nat_docker));
    }

    /// Each jump goes to the top, so that the last one written is the first one taken.
    fn write_forward_jumps(&self, site: Site<'_>, iptables: &mut Iptables<'_>, origin: OriginId) {
        let forward = iptables.base(Table::Filter, Hook::Forward, origin);
        iptables.ensure_jump(forward, self.own_forward, origin);
        for chain in [self.to_bridges, self.isolation, self.established] {
            iptables.ensure_jump(self.own_forward, chain, origin);
        }
        let for_user = iptables.because(&site.engine.origin, "chain for rules of the user", USER);
        let user = iptables.chain(Table::Filter, "DOCKER-USER", for_user);
        iptables.ensure_jump(forward, user, for_user);
    }
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
    write_nat(settings, origin, iptables, chains);
    write_outgoing(settings, origin, iptables, chains);
    write_default(settings, iptables, chains);
    iptables.append(chains.established, rule(origin).leaving(bridge).established().accept());
    iptables.append(chains.to_bridges, rule(origin).leaving(bridge).jump(chains.docker));
    if let Some(stage2) = chains.stage2 {
        write_isolation(settings, stage2, iptables, chains);
    }
}

fn write_nat(settings: Settings<'_>, origin: OriginId, iptables: &mut Iptables<'_>, chains: &Chains) {
    let network = settings.network;
    let bridge = network.bridge.as_str();
    if settings.masquerade && !settings.routed() {
        iptables.insert(chains.postrouting, rule(origin).from(network.subnet).not_leaving(bridge).masquerade());
    }
    // 28 leaves packets of containers to docker-proxy, since isolation would drop them once translated.
    if settings.masquerade && !settings.hairpin && chains.stage2.is_some() {
        iptables.insert(chains.nat_docker, rule(origin).entering(bridge).leave());
    }
    if settings.hairpin {
        let from_host = rule(origin).leaving(bridge).when(Match::SourceIsLocal).masquerade();
        iptables.insert(chains.postrouting, from_host);
    }
}

fn write_outgoing(settings: Settings<'_>, origin: OriginId, iptables: &mut Iptables<'_>, chains: &Chains) {
    let network = settings.network;
    let bridge = network.bridge.as_str();
    if settings.routed() {
        let ping = rule(origin).leaving(bridge).when(Match::Protocol(Protocol::Icmp)).accept();
        iptables.append(chains.docker, ping);
    }
    if settings.icc {
        iptables.append(chains.own_forward, rule(origin).entering(bridge).accept());
    } else {
        write_no_icc(network, iptables, chains);
        iptables.append(chains.own_forward, rule(origin).entering(bridge).not_leaving(bridge).accept());
    }
}

fn write_no_icc(network: &ContainerNetwork, iptables: &mut Iptables<'_>, chains: &Chains) {
    let what = format!("containers of `{}` do not reach each other (`icc` is off)", network.name);
    let origin = iptables.because(&network.origin, what, ICC);
    let between = rule(origin).entering(&network.bridge).leaving(&network.bridge);
    iptables.append(chains.own_forward, between.drop());
}

/// What happens to packets for a network that no published port has accepted.
fn write_default(settings: Settings<'_>, iptables: &mut Iptables<'_>, chains: &Chains) {
    let network = settings.network;
    let bridge = network.bridge.as_str();
    let verdict = if settings.unprotected() { "open to all" } else { "closed but for published ports" };
    let what = format!("network `{}` is {verdict}", network.name);
    let origin = iptables.because(&network.origin, what, UNPUBLISHED);
    let entering = rule(origin).not_entering(bridge).leaving(bridge);
    let default = if settings.unprotected() { entering.accept() } else { entering.drop() };
    iptables.append(chains.docker, default);
}

/// The first stage catches what leaves one bridge for another interface, the second what enters another bridge.
/// Routed networks take what comes, and answer.
fn write_isolation(settings: Settings<'_>, stage2: ChainId, iptables: &mut Iptables<'_>, chains: &Chains) {
    let network = settings.network;
    let bridge = network.bridge.as_str();
    let what = format!("network `{}` is isolated from other networks", network.name);
    let origin = iptables.because(&network.origin, what, ISOLATION);
    if settings.routed() {
        iptables.insert(chains.isolation, rule(origin).leaving(bridge).leave());
        iptables.insert(chains.isolation, rule(origin).entering(bridge).established().accept());
    }
    iptables.append(chains.isolation, rule(origin).entering(bridge).not_leaving(bridge).jump(stage2));
    iptables.insert(stage2, rule(origin).leaving(bridge).drop());
}

fn write_internal(settings: Settings<'_>, iptables: &mut Iptables<'_>, chains: &Chains) {
    let network = settings.network;
    let bridge = network.bridge.as_str();
    let origin = iptables.because(&network.origin, format!("network `{}` is internal", network.name), INTERNAL);
    let outgoing = rule(origin).unless(Match::Destination(network.subnet)).entering(bridge);
    iptables.insert(chains.isolation, outgoing.drop());
    let incoming = rule(origin).unless(Match::Source(network.subnet)).leaving(bridge);
    iptables.insert(chains.isolation, incoming.drop());
    if settings.icc {
        iptables.append(chains.own_forward, rule(origin).entering(bridge).leaving(bridge).accept());
    } else {
        write_no_icc(network, iptables, chains);
    }
}

/// Every endpoint of a network that is reached through translation only: packets that come for the container's own
/// address from elsewhere are dropped before anything else sees them.
fn write_endpoints(site: Site<'_>, iptables: &mut Iptables<'_>, chains: &Chains) {
    for container in &site.engine.containers {
        let Networking::Bridges(endpoints) = &container.networking else { continue };
        for endpoint in endpoints {
            let Some(network) = site.engine.networks.get(endpoint.network) else { continue };
            let settings = Settings::of(site.engine, network);
            let direct = network.parent.is_some() || settings.internal() || settings.unprotected() || settings.routed();
            if !direct && endpoint.address.is_ipv4() {
                write_endpoint(&container.name, endpoint, network, iptables, chains);
            }
        }
    }
}

fn write_endpoint(
    container: &str,
    endpoint: &Endpoint,
    network: &ContainerNetwork,
    iptables: &mut Iptables<'_>,
    chains: &Chains,
) {
    let what = format!("no direct access to `{container}` from outside network `{}`", network.name);
    let origin = iptables.because(&endpoint.origin, what, DIRECT);
    let direct = rule(origin).guarded(endpoint.guard).to(endpoint.address).not_entering(&network.bridge);
    iptables.append(chains.raw_prerouting, direct.drop());
}

fn write_port(site: Site<'_>, binding: &Binding<'_>, iptables: &mut Iptables<'_>, chains: &Chains) {
    let settings = Settings::of(site.engine, binding.network);
    let bridge = binding.network.bridge.as_str();
    let origin = iptables.because(binding.origin, binding.describe(), PORT);
    let start = || rule(origin).guarded(binding.guard);
    if let Some(host) = binding.translated() {
        write_loopback(binding, host, iptables, chains);
        let other = (!settings.hairpin).then(|| Match::InInterface(bridge.to_owned()).negated());
        let translate = start()
            .when_any(host.address.map(|a| Match::Destination(a.into())))
            .when_any(other)
            .on_port(binding.protocol, host.port)
            .translate_to(binding.address, binding.port);
        iptables.append(chains.nat_docker, translate);
        if settings.hairpin {
            let to_itself = start().from(binding.address.into()).to(binding.address);
            iptables.append(chains.postrouting, to_itself.on_port(binding.protocol, binding.port).masquerade());
        }
    }
    if site.engine.version < WHOLE_ENDPOINTS && !settings.unprotected() && !settings.routed() {
        let direct = start().to(binding.address).not_entering(bridge).on_port(binding.protocol, binding.port);
        iptables.append(chains.raw_prerouting, direct.drop());
    }
    if !settings.unprotected() {
        let open = start().to(binding.address).not_entering(bridge).leaving(bridge);
        iptables.insert(chains.docker, open.on_port(binding.protocol, binding.port).accept());
    }
}

/// A port published on loopback is not for others, even if their packets say so.
fn write_loopback(binding: &Binding<'_>, host: HostSide, iptables: &mut Iptables<'_>, chains: &Chains) {
    let Some(address) = host.address.filter(|a| a.is_loopback()) else { return };
    let what = format!("{} is for this machine only", binding.describe());
    let origin = iptables.because(binding.origin, what, LOOPBACK);
    let remote = rule(origin).guarded(binding.guard).to(address).not_entering("lo");
    iptables.append(chains.raw_prerouting, remote.on_port(binding.protocol, host.port).drop());
}
