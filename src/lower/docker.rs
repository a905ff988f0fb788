//! What a docker engine makes of its networks, containers and published ports.
//! Spec: specs/docker-bridge.md, specs/docker-publish.md.
//!
//! Four lines of engines write four different rule sets: up to 27, 28, 29 with iptables, 29 with nftables. The rules
//! follow moby 20.10.24, 27.5.1, 28.5.2 and 29.7.2; versions in between are taken as the newest of their line, except
//! where a file says otherwise. IPv4 only for now: an IPv6 subnet gets its addresses, no rules.
//!
//! Not modelled: `--link`, swarm, rootless mode, WSL2, user rules in DOCKER-USER, the SCTP checksum rule.

mod bridge;
mod containers;
mod desktop;
mod forwarding;
mod from28;
mod iptables;
mod names;
mod nftables;
mod proxy;
mod publish;
mod rule;
mod until27;

#[cfg(test)]
mod tests;

use crate::dataplane::{Dataplane, NodeId};
use crate::lab::{ContainerNetwork, Engine, GatewayMode, HostId, Lab, RuleBackend};
use crate::net::Version;

/// One engine at its place.
#[derive(Clone, Copy)]
struct Site<'a> {
    /// Name of the host.
    host: &'a str,
    /// The engine.
    engine: &'a Engine,
    /// The host's namespace.
    node: NodeId,
}

/// When rules are written: what an engine puts back differs from what it wrote first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    /// dockerd starts.
    Start,
    /// firewalld says that it has reloaded, which has emptied the iptables tables.
    FirewalldReload,
}

/// How an engine writes its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// 20.10 to 27: everything in FORWARD, isolation in two stages.
    Until27,
    /// 28: own chains, direct access dropped in the raw table.
    V28,
    /// 29 and later: like 28 without isolation.
    From29,
    /// 29 and later with `--firewall-backend=nftables`.
    Nftables,
    /// `--iptables=false`.
    None,
}

impl Line {
    fn of(engine: &Engine) -> Self {
        let options = &engine.options;
        if !options.iptables {
            return Self::None;
        }
        match engine.version.major {
            0..28 => Self::Until27,
            28 => Self::V28,
            _ if options.backend == RuleBackend::Nftables => Self::Nftables,
            _ => Self::From29,
        }
    }
}

/// Starts the engine of `host`: bridges, containers, proxies, rules. The host's namespace `node` exists already.
pub fn start(lab: &Lab, host: HostId, node: NodeId, dataplane: &mut Dataplane) {
    let Some(site) = site(lab, host, node) else { return };
    let turned_on = forwarding::turn_on(site, dataplane);
    bridge::build(site, dataplane);
    containers::build(site, dataplane);
    proxy::build(site, dataplane);
    if let Some(outer) = site.engine.forwarded_to {
        desktop::build(lab, outer, site, dataplane);
    }
    write(site, Occasion::Start, dataplane);
    if turned_on {
        forwarding::drop_by_default(site, dataplane);
    }
}

/// Writes the rules again as a restarting dockerd does: its own chains are emptied first, rules of its that survived
/// in base chains stay where they are.
pub fn install_rules(lab: &Lab, host: HostId, node: NodeId, dataplane: &mut Dataplane) {
    let Some(site) = site(lab, host, node) else { return };
    forwarding::find_on(site, dataplane);
    iptables::empty_own_chains(dataplane, node);
    write(site, Occasion::Start, dataplane);
}

/// Puts back what dockerd puts back when firewalld has reloaded or restarted. Only an engine that found firewalld
/// running when it started does so, and only the iptables backend needs it: firewalld leaves other nft tables alone.
pub fn reinstall(lab: &Lab, host: HostId, node: NodeId, dataplane: &mut Dataplane) {
    let Some(site) = site(lab, host, node) else { return };
    if Line::of(site.engine) == Line::Nftables {
        return;
    }
    write(site, Occasion::FirewalldReload, dataplane);
    if forwarding::turned_on_by_engine(site, dataplane) {
        forwarding::drop_by_default(site, dataplane);
    }
}

fn site(lab: &Lab, host: HostId, node: NodeId) -> Option<Site<'_>> {
    let host = lab.host(host);
    Some(Site { host: &host.name, engine: host.engine.as_ref()?, node })
}

fn write(site: Site<'_>, occasion: Occasion, dataplane: &mut Dataplane) {
    match Line::of(site.engine) {
        Line::Until27 => until27::write(site, occasion, dataplane),
        Line::V28 | Line::From29 => from28::write(site, dataplane),
        Line::Nftables => nftables::write(site, dataplane),
        Line::None => {}
    }
}

/// A network with the daemon's options applied to it.
#[derive(Clone, Copy)]
struct Settings<'a> {
    network: &'a ContainerNetwork,
    icc: bool,
    masquerade: bool,
    mode: GatewayMode,
    /// `--userland-proxy=false`: translated packets may turn round at a bridge.
    hairpin: bool,
}

impl<'a> Settings<'a> {
    /// `--icc` and `--ip-masq` are for the default bridge only (moby 28.5 daemon/daemon_unix.go, initBridgeDriver).
    fn of(engine: &Engine, network: &'a ContainerNetwork) -> Self {
        let options = &engine.options;
        let applies = |option: bool| option || !network.is_default_bridge;
        Self {
            network,
            icc: network.icc && applies(options.icc),
            masquerade: network.masquerade && applies(options.ip_masq),
            mode: mode(engine.version, network),
            hairpin: !options.userland_proxy,
        }
    }

    fn internal(self) -> bool {
        internal(self.network)
    }

    fn routed(self) -> bool {
        self.mode == GatewayMode::Routed
    }

    fn unprotected(self) -> bool {
        self.mode == GatewayMode::NatUnprotected
    }
}

/// No way out and no way in: `isolated` is allowed for internal networks only.
fn internal(network: &ContainerNetwork) -> bool {
    network.internal || network.gateway_mode == GatewayMode::Isolated
}

/// Older engines do not know the newer modes: `routed` came with 27.0, the others with 28.0 (moby
/// libnetwork/drivers/bridge/bridge_linux.go, newGwMode).
fn mode(version: Version, network: &ContainerNetwork) -> GatewayMode {
    match network.gateway_mode {
        GatewayMode::Routed if version.major < 27 => GatewayMode::Nat,
        GatewayMode::NatUnprotected if version.major < 28 => GatewayMode::Nat,
        mode => mode,
    }
}
