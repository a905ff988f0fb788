//! A host's docker engine: options, networks, containers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::declaration::{AddressPool, EngineDecl, FreedDecl, NetworkDecl};
use crate::lab::{
    Assumption, ContainerNetwork, Declaration, Engine, EngineOptions, GatewayMode, Host, HostEvent, Unmodeled,
};
use crate::language::text;
use crate::net::{IpNet, Version};
use crate::provenance::Origin;
use crate::source::{Span, Spanned};

use super::addresses::{Pools, nth, overlap, prefix};
use super::bind::{HostPlan, Plan};
use super::emptied::Emptied;
use super::names::span_of;
use super::{Context, HostId, containers, parent};

/// The engine of a host, if anything on the host speaks of docker.
pub(super) fn resolve(
    context: &mut Context,
    id: HostId,
    plan: &Plan<'_>,
    host_plan: &HostPlan<'_>,
    host: &Host,
) -> Option<Engine> {
    let first = host_plan.declarations().find(|d| is_about_docker(d))?;
    let version = context.defaults.engine;
    let mut engine = Engine {
        version,
        options: EngineOptions { backend: context.defaults.engine_backend, ..EngineOptions::default() },
        networks: Vec::new(),
        containers: Vec::new(),
        forwarded_to: None,
        origin: Origin::assumed(
            text!("docker engine {version} on `{host}`", "`{host}`의 docker 엔진 {version}", host = &host.name),
            span_of(first),
        ),
    };
    let mut addresses = Addresses::default();
    let (mut version_is_assumed, mut backend_is_assumed) = (true, true);
    for declaration in host_plan.declarations() {
        if let Declaration::Engine(options) = declaration {
            set_options(&mut engine, options, &host.name);
            version_is_assumed &= options.version.is_none();
            backend_is_assumed &= options.backend.is_none();
            addresses.default_bridge = options.default_bridge.as_ref().or(addresses.default_bridge);
            if !options.address_pools.is_empty() {
                addresses.pools = options.address_pools.iter().map(|pool| pool.value).collect();
            }
        }
    }
    context.assumed.extend(version_is_assumed.then_some(Assumption::Engine));
    context.assumed.extend(backend_is_assumed.then_some(Assumption::EngineBackend));
    let emptied = Emptied::on(context, host_plan, &engine);
    let networks = networks(context, id, host_plan, host, &mut engine, &addresses, &emptied);
    containers::resolve(context, plan, host_plan, host, &mut engine, &networks, &emptied);
    Some(engine)
}

fn is_about_docker(declaration: &Declaration) -> bool {
    use Declaration as D;
    match declaration {
        D::Engine(_) | D::Network(_) | D::Container(_) | D::Connect(_) | D::Former(_) => true,
        D::Running(_) | D::RunningNetwork(_) => true,
        D::Event(event) => matches!(event.value, HostEvent::EngineStart | HostEvent::EngineRestart),
        _ => false,
    }
}

fn set_options(engine: &mut Engine, stated: &EngineDecl, host: &str) {
    if let Some(version) = &stated.version {
        engine.version = version.value;
        engine.origin = Origin::written(
            text!("docker engine {number} on `{host}`", "`{host}`의 docker 엔진 {number}", number = version.value),
            version.span,
        );
    }
    let options = &mut engine.options;
    options.stated.extend(places(stated));
    set(&mut options.iptables, stated.iptables.as_ref());
    set(&mut options.ip_forward, stated.ip_forward.as_ref());
    set(&mut options.ip_forward_no_drop, stated.ip_forward_no_drop.as_ref());
    set(&mut options.ip_masq, stated.ip_masq.as_ref());
    set(&mut options.icc, stated.icc.as_ref());
    set(&mut options.userland_proxy, stated.userland_proxy.as_ref());
    set(&mut options.allow_direct_routing, stated.allow_direct_routing.as_ref());
    set(&mut options.backend, stated.backend.as_ref());
    if let Some(address) = &stated.publish_address {
        options.publish_address = Some(address.value);
    }
    if let Some(address) = &stated.host_gateway {
        options.host_gateway = Some(address.value);
    }
}

fn places(stated: &EngineDecl) -> impl Iterator<Item = (&'static str, Span)> {
    let options = [("iptables", &stated.iptables), ("icc", &stated.icc), ("userland-proxy", &stated.userland_proxy)];
    options.into_iter().filter_map(|(name, option)| option.as_ref().map(|option| (name, option.span)))
}

fn set<T: Copy>(option: &mut T, stated: Option<&Spanned<T>>) {
    if let Some(stated) = stated {
        *option = stated.value;
    }
}

/// What is stated about the addresses of networks.
#[derive(Default)]
struct Addresses<'a> {
    default_bridge: Option<&'a Spanned<IpNet>>,
    /// Empty means docker's own.
    pools: Vec<AddressPool>,
}

/// A statement of a host's files: its number in the order in which they take effect, and its place.
#[derive(Clone, Copy)]
pub(super) struct Statement {
    pub(super) number: usize,
    pub(super) span: Span,
}

/// The networks of an engine by name, and those whose creation docker refuses or we do not model.
pub(super) struct Networks {
    names: Vec<(String, Option<Statement>)>,
    refused: BTreeSet<String>,
    /// Numbers of the statements at which the driver refused, after a subnet had been chosen.
    failed: BTreeSet<usize>,
}

/// What a network's name leads to.
pub(super) enum Found {
    /// A network, by index.
    At(usize),
    /// It was reported already why it is not there.
    Refused,
    /// Nothing bears the name; perhaps this was meant.
    Unknown(Option<String>),
}

impl Networks {
    /// The driver refuses a network. Until 27 its subnet stays taken all the same (observed with 20.10.24 and 26.1.5; not
    /// with 28.5.2).
    fn fails(&mut self, number: usize, version: Version) {
        if version.major < 28 {
            self.failed.insert(number);
        }
    }

    /// Looks a network up from a statement; one that the same file creates only later is not there yet.
    pub(super) fn find(&self, name: &str, from: Statement) -> Found {
        let later = |made: &Statement| made.span.source == from.span.source && from.number < made.number;
        if self.refused.contains(name) {
            return Found::Refused;
        }
        match self.names.iter().position(|(n, made)| n == name && !made.as_ref().is_some_and(later)) {
            Some(index) => Found::At(index),
            None => {
                let near = did_you_mean(name, self.names.iter().map(|(n, _)| n.as_str()));
                Found::Unknown(near.map(str::to_owned))
            }
        }
    }

    /// The network of this name.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|(n, _)| n == name)
    }

    /// The place where a network of this name is made.
    pub(super) fn made_at(&self, name: &str) -> Option<Span> {
        self.names.iter().find(|(n, _)| n == name).and_then(|(_, made)| *made).map(|made| made.span)
    }
}

fn networks(
    context: &mut Context,
    id: HostId,
    host_plan: &HostPlan<'_>,
    host: &Host,
    engine: &mut Engine,
    addresses: &Addresses<'_>,
    emptied: &Emptied,
) -> Networks {
    let mut found = Networks { names: Vec::new(), refused: BTreeSet::new(), failed: BTreeSet::new() };
    let mut in_use: Vec<IpNet> = host.interfaces.iter().flat_map(|i| &i.addresses).map(|a| a.net.trunc()).collect();
    let declared = accepted(context, id, host_plan, (host, engine.version), emptied, &mut found);
    let mut pools = Pools::new(&addresses.pools, engine.version);
    let bridge = bridge_network(engine, &in_use, addresses, &mut pools);
    in_use.push(bridge.subnet);
    found.names.push((bridge.name.clone(), None));
    engine.networks.push(bridge);
    // Stated subnets are set aside first: in which order compose creates its networks is not defined.
    in_use.extend(declared.iter().filter_map(|(_, d)| d.subnet.as_ref()).map(|s| s.value.trunc()));
    let mut declared = declared.into_iter().peekable();
    let mut former: Vec<(&str, IpNet)> = Vec::new();
    for (number, statement) in host_plan.declarations().enumerate() {
        match statement {
            Declaration::Former(was) => {
                if let Some(name) = former_network(was) {
                    former.extend(pools.next(&all_of(&in_use, &former)).map(|subnet| (name, subnet)));
                }
            }
            // The subnet was taken before the driver refused, and the next network gets another one.
            Declaration::Network(network) if found.failed.contains(&number) && network.subnet.is_none() => {
                former.extend(pools.next(&all_of(&in_use, &former)).map(|subnet| ("", subnet)));
            }
            Declaration::Freed(FreedDecl::Network(name)) => former.retain(|(n, _)| n != name),
            _ => {}
        }
        let Some((_, declaration)) = declared.next_if(|(n, _)| *n == number) else { continue };
        let stated = declaration.subnet.as_ref().map(|s| s.value.trunc());
        match stated.or_else(|| pools.next(&all_of(&in_use, &former))) {
            Some(subnet) => {
                in_use.push(subnet);
                found.names.push((declaration.name.value.clone(), Some(Statement { number, span: declaration.span })));
                let parent = parent::of_network(declaration, host).ok().flatten();
                let network = ContainerNetwork { parent, ..network(declaration, subnet, &engine.networks) };
                engine.networks.push(network);
            }
            None => {
                found.refused.insert(declaration.name.value.clone());
                context.report(no_pool_left(declaration));
            }
        }
    }
    check_external(context, host_plan, &mut found);
    found
}

/// A network that is gone now and had a subnet of docker's choice.
fn former_network(was: &Declaration) -> Option<&str> {
    match was {
        Declaration::Network(network) if network.subnet.is_none() && !network.external => Some(&network.name.value),
        _ => None,
    }
}

fn all_of(in_use: &[IpNet], former: &[(&str, IpNet)]) -> Vec<IpNet> {
    in_use.iter().copied().chain(former.iter().map(|(_, subnet)| *subnet)).collect()
}

/// The declared networks that docker would create, in order, with the number of their statement.
fn accepted<'a>(
    context: &mut Context,
    id: HostId,
    host_plan: &HostPlan<'a>,
    (host, version): (&Host, Version),
    emptied: &Emptied,
    found: &mut Networks,
) -> Vec<(usize, &'a NetworkDecl)> {
    let mut accepted: Vec<(usize, &NetworkDecl)> = Vec::new();
    for (number, declaration) in host_plan.declarations().enumerate() {
        let Declaration::Network(network) = declaration else { continue };
        if network.external || is_predefined(&network.name.value) {
            continue;
        }
        if let Err(what) = parent::of_network(network, host) {
            found.refused.insert(network.name.value.clone());
            let span = network.driver.as_ref().map_or(network.span, |driver| driver.span);
            context.unmodeled.push(Unmodeled { what, span, host: Some(id) });
        } else if let Some((_, first)) = accepted.iter().find(|(_, n)| n.name.value == network.name.value) {
            if first.subnet != network.subnet || first.internal != network.internal {
                context.report(network_twice(first, network));
            }
        } else if version >= ISOLATES
            && is_isolated(network)
            && network.internal.as_ref().is_none_or(|internal| !internal.value)
        {
            found.refused.insert(network.name.value.clone());
            context.report(isolated_but_not_internal(network));
        } else if let Some((_, other)) = accepted.iter().find(|(_, n)| same_bridge(n, network)) {
            found.refused.insert(network.name.value.clone());
            found.fails(number, version);
            context.report(bridge_twice(other, network));
        } else if let Some((_, other)) = accepted.iter().find(|(_, n)| subnets_overlap(n, network)) {
            found.refused.insert(network.name.value.clone());
            context.report(pools_overlap(other, network));
        } else if let Some(diagnostic) = emptied.stops_network(number, network) {
            found.refused.insert(network.name.value.clone());
            found.fails(number, version);
            context.report(diagnostic);
        } else {
            accepted.push((number, network));
        }
    }
    accepted
}

/// Networks that every engine has; `docker network create` refuses their names.
fn is_predefined(name: &str) -> bool {
    matches!(name, "bridge" | "host" | "none")
}

fn subnets_overlap(a: &NetworkDecl, b: &NetworkDecl) -> bool {
    match (&a.subnet, &b.subnet) {
        (Some(a), Some(b)) => overlap(a.value, b.value),
        _ => false,
    }
}

fn bridge_network(
    engine: &Engine,
    in_use: &[IpNet],
    addresses: &Addresses<'_>,
    pools: &mut Pools<'_>,
) -> ContainerNetwork {
    const CITATION: &str = "docs.docker.com, Bridge network driver: containers join `bridge` unless told otherwise";
    let fallback = prefix([172, 17, 0, 0], 16);
    let stated = addresses.default_bridge;
    let subnet = stated.map_or_else(|| pools.next(in_use).unwrap_or(fallback), |bip| bip.value.trunc());
    let gateway = stated.map(|bip| bip.value.addr()).or_else(|| nth(subnet, 1)).unwrap_or(subnet.addr());
    let origin = match stated {
        Some(bip) => Origin::written(text!("network `bridge`", "`bridge` 네트워크"), bip.span),
        None => engine.origin.derive("network `bridge`", CITATION),
    };
    ContainerNetwork {
        name: "bridge".to_owned(),
        aliases: Vec::new(),
        bridge: "docker0".to_owned(),
        parent: None,
        subnet,
        gateway,
        internal: false,
        icc: engine.options.icc,
        masquerade: engine.options.ip_masq,
        gateway_mode: GatewayMode::Nat,
        publish_address: engine.options.publish_address,
        is_default_bridge: true,
        origin,
    }
}

fn network(declaration: &NetworkDecl, subnet: IpNet, others: &[ContainerNetwork]) -> ContainerNetwork {
    let stated = |option: &Option<Spanned<bool>>, default| option.as_ref().map_or(default, |o| o.value);
    let gateway: Option<IpAddr> = declaration.gateway.as_ref().map(|g| g.value).or_else(|| nth(subnet, 1));
    let name = &declaration.name.value;
    ContainerNetwork {
        name: name.clone(),
        aliases: declaration.key.iter().filter(|key| *key != name).cloned().collect(),
        bridge: declaration.bridge.as_ref().map_or_else(|| bridge_name(name, others), |b| b.value.clone()),
        parent: None,
        subnet,
        gateway: gateway.unwrap_or(subnet.addr()),
        internal: stated(&declaration.internal, false),
        icc: stated(&declaration.icc, true),
        masquerade: stated(&declaration.masquerade, true),
        gateway_mode: declaration.gateway_mode.as_ref().map_or(GatewayMode::Nat, |m| m.value),
        publish_address: declaration.publish_address.as_ref().map(|a| a.value),
        is_default_bridge: false,
        origin: Origin::written(text!("network `{name}`", "`{name}` 네트워크"), declaration.span),
    }
}

/// docker names a bridge `br-` and twelve digits of the network's random id. The network's name stands for the id, so
/// that names are stable; an interface name has at most 15 characters.
fn bridge_name(network: &str, others: &[ContainerNetwork]) -> String {
    let taken = |name: &str| others.iter().any(|o| o.bridge == name);
    let ascii: String = network.chars().filter(char::is_ascii_graphic).collect();
    let short: String = ascii.chars().take(12).collect();
    let plain = format!("br-{short}");
    if !taken(&plain) {
        return plain;
    }
    let shorter: String = ascii.chars().take(9).collect();
    (2..=others.len() + 1).map(|n| format!("br-{shorter}-{n}")).find(|n| !taken(n)).unwrap_or(plain)
}

fn check_external(context: &mut Context, host_plan: &HostPlan<'_>, found: &mut Networks) {
    for declaration in host_plan.declarations() {
        let Declaration::Network(network) = declaration else { continue };
        let name = &network.name.value;
        let exists = is_predefined(name) || found.refused.contains(name) || found.names.iter().any(|(n, _)| n == name);
        if network.external && !exists {
            context.report(no_external(network));
            found.refused.insert(name.clone());
        }
    }
}

fn no_external(network: &NetworkDecl) -> Diagnostic {
    let name = &network.name.value;
    Diagnostic::new(
        Code::ComposeUnknownNetwork,
        text!(
            "network `{name}` is declared external but nothing creates it",
            "`{name}` 네트워크를 외부(external) 네트워크로 선언했지만, 이를 만드는 곳이 없습니다"
        ),
    )
    .label(network.name.span, text!("must exist before the services start", "서비스가 시작되기 전에 있어야 함"))
    .help(text!(
        "create it with `docker network create {name}` in a file of the same host, or drop `external`",
        "같은 호스트의 파일에서 `docker network create {name}` 명령으로 만들거나, `external`을 빼십시오"
    ))
}

fn network_twice(first: &NetworkDecl, second: &NetworkDecl) -> Diagnostic {
    Diagnostic::new(
        Code::DockerNameTaken,
        text!(
            "network `{name}` exists already, with other settings",
            "`{name}` 네트워크가 다른 설정으로 이미 있습니다",
            name = &first.name.value
        ),
    )
    .label(second.name.span, text!("created again here", "여기서 다시 만듦"))
    .label(first.name.span, text!("first created here", "처음 만든 곳"))
    .help(text!("give one of them another name", "둘 중 하나에 다른 이름을 주십시오"))
}

/// The first release that has the mode; older ones ignore an option that they do not know.
const ISOLATES: Version = Version::new(28, 0, 0);

fn is_isolated(network: &NetworkDecl) -> bool {
    network.gateway_mode.as_ref().is_some_and(|mode| mode.value == GatewayMode::Isolated)
}

/// docs.docker.com, Bridge network driver, "Gateway mode isolated"; observed with 28.5.2.
fn isolated_but_not_internal(network: &NetworkDecl) -> Diagnostic {
    let span = network.gateway_mode.as_ref().map_or(network.span, |mode| mode.span);
    let message = text!(
        "network `{name}` is isolated, but not internal",
        "`{name}` 네트워크가 격리(isolated) 모드이지만 내부(internal) 네트워크가 아닙니다",
        name = &network.name.value
    );
    Diagnostic::new(Code::DockerBadFlag, message)
        .label(span, text!("docker refuses to create this network", "docker가 이 네트워크를 만들지 않음"))
        .help(text!(
            "add `--internal`, in a compose file `internal: true`",
            "`--internal`을 넣으십시오. compose 파일에서는 `internal: true`입니다"
        ))
}

fn same_bridge(a: &NetworkDecl, b: &NetworkDecl) -> bool {
    a.bridge.as_ref().zip(b.bridge.as_ref()).is_some_and(|(a, b)| a.value == b.value)
}

/// moby, libnetwork/drivers/bridge: "networks have same bridge name"; observed with 26.1.5.
fn bridge_twice(first: &NetworkDecl, second: &NetworkDecl) -> Diagnostic {
    let span = |network: &NetworkDecl| network.bridge.as_ref().map_or(network.span, |bridge| bridge.span);
    let places = (span(first), span(second));
    let (first, second) = (&first.name.value, &second.name.value);
    let message = text!(
        "networks `{first}` and `{second}` have the same bridge",
        "네트워크 `{first}`, `{second}`의 브리지가 같습니다"
    );
    refused_beside(Diagnostic::new(Code::DockerNameTaken, message), places)
        .help(text!("give one of them another name of bridge", "둘 중 하나에 다른 브리지 이름을 주십시오"))
}

fn pools_overlap(first: &NetworkDecl, second: &NetworkDecl) -> Diagnostic {
    let span = |n: &NetworkDecl| n.subnet.as_ref().map_or(n.span, |s| s.span);
    let places = (span(first), span(second));
    let (first, second) = (&first.name.value, &second.name.value);
    let message = text!(
        "the subnets of networks `{first}` and `{second}` overlap",
        "네트워크 `{first}`, `{second}`의 서브넷이 겹칩니다"
    );
    refused_beside(Diagnostic::new(Code::SubnetOverlap, message), places)
        .help(text!("choose another subnet", "다른 서브넷을 고르십시오"))
}

/// Docker does not make the second network because of the first.
fn refused_beside(diagnostic: Diagnostic, (first, second): (Span, Span)) -> Diagnostic {
    diagnostic
        .label(second, text!("docker refuses to create this network", "docker가 이 네트워크를 만들지 않음"))
        .label(first, text!("because of this one", "이것 때문임"))
}

fn no_pool_left(network: &NetworkDecl) -> Diagnostic {
    let message = text!(
        "docker has no address pool left for network `{name}`",
        "`{name}` 네트워크에 줄 docker 주소 풀이 남아 있지 않습니다",
        name = &network.name.value
    );
    Diagnostic::new(Code::SubnetOverlap, message)
        .label(
            network.span,
            text!("every address pool overlaps a subnet in use", "모든 주소 풀이 사용 중인 서브넷과 겹침"),
        )
        .help(text!("state a subnet", "서브넷을 직접 적으십시오"))
}
