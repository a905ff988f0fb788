//! Published ports as the engine sees them: which endpoint they belong to, which host address and port they get.
//! Spec: specs/docker-publish.md.

use std::net::{IpAddr, Ipv4Addr};

use crate::lab::{Container, ContainerNetwork, Endpoint, Engine, Networking, Publish};
use crate::language::{Text, text};
use crate::net::Protocol;
use crate::provenance::Origin;
use crate::switch::SwitchId;

use super::{Settings, internal};

/// Where the kernel's ephemeral range, and so docker's, starts (moby 28.5
/// libnetwork/portallocator/portallocator_linux.go, getDynamicPortRange).
const FIRST_EPHEMERAL: u16 = 32768;

/// One published port.
pub(super) struct Binding<'a> {
    /// The container's name.
    pub(super) container: &'a str,
    /// The network whose endpoint it belongs to.
    pub(super) network: &'a ContainerNetwork,
    /// The container's address there.
    pub(super) address: IpAddr,
    /// Port in the container.
    pub(super) port: u16,
    /// The host's side; networks without translation have none.
    pub(super) host: Option<HostSide>,
    /// The address that it is published on, where that is another machine's.
    pub(super) outside: Option<IpAddr>,
    /// Protocol.
    pub(super) protocol: Protocol,
    /// Exists only while this switch is on.
    pub(super) guard: Option<SwitchId>,
    /// Where it is written.
    pub(super) origin: &'a Origin,
}

/// Where a port is published.
#[derive(Clone, Copy)]
pub(super) struct HostSide {
    /// Nothing means all addresses.
    pub(super) address: Option<IpAddr>,
    /// Port on the host.
    pub(super) port: u16,
}

impl Binding<'_> {
    /// The host side that netfilter translates; a published IPv6 address of an IPv4 container is left to docker-proxy.
    pub(super) fn translated(&self) -> Option<HostSide> {
        self.host.filter(|h| h.address.is_none_or(|a| a.is_ipv4()))
    }

    /// Whether it needs netfilter rules at all.
    pub(super) fn has_rules(&self) -> bool {
        self.address.is_ipv4() && self.host.is_none_or(|h| h.address.is_none_or(|a| a.is_ipv4()))
    }

    /// What it is, for origins: "port 3000 of `web` published on 127.0.0.1:8080".
    pub(super) fn describe(&self) -> Text {
        let Self { port, container, .. } = self;
        match self.host {
            Some(HostSide { address: Some(address), port: host_port }) => {
                let place = std::net::SocketAddr::new(address, host_port);
                text!(
                    "port {port} of `{container}` published on {place}",
                    "`{container}`의 {port}번 포트를 {place}에 게시"
                )
            }
            Some(HostSide { address: None, port: host_port }) => {
                text!(
                    "port {port} of `{container}` published on {host_port}",
                    "`{container}`의 {port}번 포트를 {host_port}번으로 게시"
                )
            }
            None => text!("port {port} of `{container}` published", "`{container}`의 {port}번 포트를 게시"),
        }
    }
}

/// The endpoint that has the default route and the published ports: the first that leads out. One that exists only
/// while a switch is on does not take this place from one that exists anyway.
/// Source: moby 28.5 libnetwork/default_gateway.go, getGatewayEndpoint.
pub(super) fn gateway_endpoint<'a>(
    engine: &'a Engine,
    container: &'a Container,
) -> Option<(&'a Endpoint, &'a ContainerNetwork)> {
    let Networking::Bridges(endpoints) = &container.networking else { return None };
    let leading_out = || {
        endpoints.iter().filter_map(|e| engine.networks.get(e.network).map(|n| (e, n))).filter(|(_, n)| !internal(n))
    };
    leading_out().find(|(e, _)| e.guard.is_none()).or_else(|| leading_out().next())
}

/// Every published port of an engine, in the order in which the containers start. A container without an endpoint
/// that leads out publishes nothing, and nothing says so.
pub(super) fn bindings(engine: &Engine) -> Vec<Binding<'_>> {
    let mut ephemeral = FIRST_EPHEMERAL;
    engine.containers.iter().flat_map(|container| of_container(engine, container, &mut ephemeral)).collect()
}

fn of_container<'a>(engine: &'a Engine, container: &'a Container, ephemeral: &mut u16) -> Vec<Binding<'a>> {
    let Some((endpoint, network)) = gateway_endpoint(engine, container) else { return Vec::new() };
    if network.parent.is_some() {
        return Vec::new();
    }
    let routed = Settings::of(engine, network).routed();
    let binding = |publish: &'a Publish| Binding {
        container: &container.name,
        network,
        address: endpoint.address,
        port: publish.container_port,
        host: (!routed).then(|| HostSide {
            address: host_address(engine, network, publish).filter(|_| engine.forwarded_to.is_none()),
            port: publish.host_port.unwrap_or_else(|| next(ephemeral)),
        }),
        outside: host_address(engine, network, publish),
        protocol: publish.protocol,
        guard: publish.guard.or(endpoint.guard),
        origin: &publish.origin,
    };
    in_order(&container.publishes).into_iter().map(binding).collect()
}

/// Exact host ports before ephemeral ones, then by container port, protocol, host port and address (moby 28.5
/// libnetwork/drivers/bridge/port_mapping_linux.go, cmpPortBinding).
fn in_order(publishes: &[Publish]) -> Vec<&Publish> {
    let mut sorted: Vec<_> = publishes.iter().collect();
    sorted.sort_by_key(|p| (p.host_port.is_none(), p.container_port, p.protocol.number(), p.host_port, p.host_address));
    sorted
}

fn host_address(engine: &Engine, network: &ContainerNetwork, publish: &Publish) -> Option<IpAddr> {
    let of_daemon = || engine.options.publish_address.filter(|_| network.is_default_bridge);
    let address = publish.host_address.or(network.publish_address).or_else(of_daemon);
    address.filter(|a| *a != IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn next(ephemeral: &mut u16) -> u16 {
    let port = *ephemeral;
    *ephemeral = ephemeral.checked_add(1).unwrap_or(FIRST_EPHEMERAL);
    port
}
