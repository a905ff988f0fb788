//! Containers: which of them docker starts, on which networks and with which addresses.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::declaration::{AttachDecl, ContainerDecl, FreedDecl, HostAddress, Idle, IdleCause, NetworkMode};
use crate::lab::{Container, Declaration, Endpoint, Engine, Host, HostEvent, Networking, Process, Publish, images};
use crate::language::text;
use crate::provenance::Origin;
use crate::source::{Span, Spanned};

use super::bind::{HostPlan, Plan};
use super::emptied::Emptied;
use super::engine::{Found, Networks, Statement};
use super::leases::{LeaseId, Leases};
use super::names::sentence_name;
use super::publish::{Joins, Ports};
use super::{Context, listen, publish};

/// A container that docker has not refused so far.
struct Draft<'a> {
    /// The number of its statement.
    number: usize,
    declaration: &'a ContainerDecl,
    name: String,
    mode: Option<Spanned<NetworkMode>>,
}

/// A container's place on a network, in the order in which docker hands out addresses.
struct Attachment<'a> {
    draft: usize,
    network: usize,
    declaration: Option<&'a AttachDecl>,
    statement: Statement,
}

/// Adds the containers of a host to its engine.
pub(super) fn resolve(
    context: &mut Context,
    plan: &Plan<'_>,
    host_plan: &HostPlan<'_>,
    host: &Host,
    engine: &mut Engine,
    networks: &Networks,
    emptied: &Emptied,
) {
    let (drafts, mut attachments) = drafts(context, host_plan, networks);
    let started = started(context, host, engine, &drafts, &attachments, emptied);
    attachments.retain(|a| started.contains_key(&a.draft));
    let meanwhile = meanwhile(host_plan, networks);
    let mut endpoints = endpoints(context, engine, &drafts, &attachments, &meanwhile);
    let order: Vec<usize> = started.keys().copied().collect();
    for (number, publishes) in &started {
        let Some(draft) = drafts.get(*number) else { continue };
        let bridges = endpoints.remove(number).unwrap_or_default();
        let networking = networking(draft, bridges, &drafts, &order, engine);
        let processes = listen::container_processes(context, plan, draft.declaration, &draft.name, publishes);
        let container = container(draft, networking, publishes.clone(), processes, engine);
        engine.containers.push(container);
    }
    // Those that docker could not start stand behind all others: nobody joins them.
    for (_, draft) in drafts.iter().enumerate().filter(|(number, _)| !started.contains_key(number)) {
        let origin =
            Origin::written(text!("docker does not start it", "docker가 시작하지 않음"), draft.declaration.span);
        let idle = Some(Spanned::new(IdleCause::Refused, draft.declaration.span));
        let container = container(draft, Networking::None(origin), Vec::new(), Vec::new(), engine);
        engine.containers.push(Container { idle, ..container });
    }
    listen::yield_to_guests(&mut engine.containers);
}

/// The drafts that docker starts, with their published ports.
fn started(
    context: &mut Context,
    host: &Host,
    engine: &Engine,
    drafts: &[Draft<'_>],
    attachments: &[Attachment<'_>],
    emptied: &Emptied,
) -> BTreeMap<usize, Vec<Publish>> {
    let mut ports = Ports::of_host(host);
    let mut started = BTreeMap::new();
    for (number, draft) in drafts.iter().enumerate() {
        let joins = match draft.mode.as_ref().map(|mode| (&mode.value, mode.span)) {
            Some((NetworkMode::Container(name), span)) => match position(drafts, name) {
                Some(target) if started.contains_key(&target) && runs(drafts, target) => Joins::Container,
                // "cannot join network of a non running container": it has been said why that one does not run.
                Some(_) => continue,
                None => {
                    context.report(unknown_container(&Spanned::new(name.clone(), span), drafts));
                    continue;
                }
            },
            Some((NetworkMode::Host, _)) => Joins::Host,
            _ => bridges_of(number, engine, attachments),
        };
        let Some(publishes) = publish::resolve(context, draft.declaration, &draft.name, joins, &mut ports) else {
            continue;
        };
        if !publishes.is_empty()
            && let Some(diagnostic) = emptied.stops_container(draft.number, draft.declaration)
        {
            context.report(diagnostic);
            continue;
        }
        started.insert(number, publishes);
    }
    started
}

fn runs(drafts: &[Draft<'_>], number: usize) -> bool {
    drafts.get(number).is_some_and(|draft| draft.declaration.idle.is_none())
}

/// That a command left a container without its program. Of what a listing shows, the listing's reader has said it.
fn at_rest(container: &ContainerDecl, idle: &Idle) -> Option<Diagnostic> {
    let because = match idle.cause {
        IdleCause::Listed | IdleCause::Refused => return None,
        IdleCause::Created => text!("made here, and not started", "여기서 만들기만 하고 시작하지 않음"),
        IdleCause::Stopped => text!("stopped here", "여기서 멈춤"),
        IdleCause::EngineRestarted => text!(
            "docker comes up anew here, and does not start it: it has no restart policy",
            "여기서 docker가 다시 시작되지만, 재시작 정책이 없는 컨테이너는 다시 시작하지 않음"
        ),
    };
    let name = container.name.as_ref().map_or("a container", |name| &name.value);
    let message = text!(
        "`{name}` does not run in the end: it has no address and publishes nothing",
        "`{name}` 컨테이너는 마지막에 실행 중이 아닙니다: 주소가 없고 아무 포트도 게시하지 않습니다"
    );
    let help = if idle.cause == IdleCause::EngineRestarted {
        text!(
            "start it afterwards with `docker start`, or run it with `--restart unless-stopped`",
            "그 뒤에 `docker start`로 시작하거나 `--restart unless-stopped`를 붙여 실행하십시오"
        )
    } else {
        text!("`docker start {name}` starts it", "`docker start {name}`(으)로 시작하십시오")
    };
    Some(Diagnostic::new(Code::DockerNotRunning, message).label(idle.span, because).help(help))
}

fn bridges_of(number: usize, engine: &Engine, attachments: &[Attachment<'_>]) -> Joins {
    let own = || attachments.iter().filter(|a| a.draft == number);
    let gateway = own().min_by_key(|a| gateway_order(a.network, priority(a), engine));
    match gateway.and_then(|a| engine.networks.get(a.network)) {
        None => Joins::Nothing,
        Some(network) if network.internal => Joins::InternalOnly,
        Some(network) if network.parent.is_some() => Joins::Parent,
        Some(network) => Joins::Bridge(network.publish_address),
    }
}

fn container(
    draft: &Draft<'_>,
    networking: Networking,
    publishes: Vec<Publish>,
    processes: Vec<Process>,
    engine: &Engine,
) -> Container {
    let declaration = draft.declaration;
    let mut extra_hosts = linked(draft, engine);
    for (name, address) in &declaration.extra_hosts {
        let address = match address {
            HostAddress::Ip(address) => Some(*address),
            HostAddress::HostGateway => host_gateway(engine),
        };
        extra_hosts.extend(address.map(|address| (name.value.clone(), address)));
    }
    let is_withheld = publishes.is_empty() && matches!(networking, Networking::Bridges(_));
    let withheld = if is_withheld { publish::withheld(declaration, &draft.name) } else { Vec::new() };
    Container {
        name: draft.name.clone(),
        aliases: declaration.aliases.iter().filter(|a| **a != draft.name).cloned().collect(),
        short_name: draft.name.clone(),
        image: declaration.image.clone(),
        networking,
        publishes,
        withheld,
        processes,
        publish_at: declaration.publish_at.clone(),
        network_at: declaration.network_at.clone(),
        refused: declaration.refused.clone(),
        idle: declaration.idle.as_ref().map(|idle| Spanned::new(idle.cause, idle.span)),
        extra_hosts,
        environment: declaration.variables(),
        command: declaration.words().cloned().collect(),
        dials: declaration.dials.clone(),
        exposes: declaration.exposed().cloned().collect(),
        origin: Origin::written(text!("container `{name}`", "컨테이너 `{name}`", name = &draft.name), declaration.span),
    }
}

/// On whatever network the container is: the address of docker0 unless an option says otherwise (docs.docker.com,
/// dockerd, "Configure host gateway IP").
fn host_gateway(engine: &Engine) -> Option<IpAddr> {
    let of_bridge = || engine.networks.iter().find(|network| network.is_default_bridge).map(|network| network.gateway);
    engine.options.host_gateway.or_else(of_bridge)
}

/// `--link` writes the other container's name and alias into /etc/hosts (docs.docker.com, Legacy container links).
fn linked(draft: &Draft<'_>, engine: &Engine) -> BTreeMap<String, IpAddr> {
    let mut names = BTreeMap::new();
    for link in &draft.declaration.links {
        let (target, alias) = &link.value;
        let linked = engine.containers.iter().find(|c| c.name == *target || c.aliases.contains(target));
        if let Some(Networking::Bridges(endpoints)) = linked.map(|c| &c.networking)
            && let Some(endpoint) = endpoints.first()
        {
            names.insert(target.clone(), endpoint.address);
            names.insert(alias.clone(), endpoint.address);
        }
    }
    names
}

/// Goes through the statements in order and keeps what docker accepts.
fn drafts<'a>(
    context: &mut Context,
    host_plan: &HostPlan<'a>,
    networks: &Networks,
) -> (Vec<Draft<'a>>, Vec<Attachment<'a>>) {
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    let mut attachments = Vec::new();
    for (number, declaration) in host_plan.declarations().enumerate() {
        match declaration {
            Declaration::Container(container) => {
                container.idle.iter().filter_map(|idle| at_rest(container, idle)).for_each(|d| context.report(d));
                if let Some((draft, own)) = draft(context, number, container, &drafts, networks) {
                    attachments.extend(own);
                    drafts.push(draft);
                }
            }
            Declaration::Connect(connect) => {
                let Some(draft) = position(&drafts, &connect.container.value) else {
                    context.report(unknown_container(&connect.container, &drafts));
                    continue;
                };
                // It takes effect when the container starts, and it does not.
                if drafts.get(draft).is_some_and(|draft| draft.declaration.idle.is_some()) {
                    continue;
                }
                let network = connect.attach.network.as_ref();
                let statement = Statement { number, span: connect.span };
                match networks.find(network.value, statement) {
                    Found::At(index) => {
                        attachments.push(attach(draft, index, Some(&connect.attach), statement));
                    }
                    Found::Refused => {}
                    Found::Unknown(near) => context.report(unknown_network(&connect.attach.network, near, networks)),
                }
            }
            _ => {}
        }
    }
    (drafts, attachments)
}

fn attach<'a>(
    draft: usize,
    network: usize,
    declaration: Option<&'a AttachDecl>,
    statement: Statement,
) -> Attachment<'a> {
    Attachment { draft, network, declaration, statement }
}

/// Something that happened to addresses between the statements that are left in the end.
enum Meanwhile<'a> {
    /// A container that is gone now, or a network that it has left, took an address.
    Taken {
        holder: &'a str,
        network: usize,
        stated: Option<IpAddr>,
    },
    Freed {
        holder: &'a str,
        network: Option<usize>,
    },
    Restart,
}

impl Meanwhile<'_> {
    fn happen(&self, leases: &mut Leases<'_>) {
        match self {
            Self::Taken { holder, network, stated } => {
                leases.take(holder, *network, *stated);
            }
            Self::Freed { holder, network } => leases.free(holder, *network),
            Self::Restart => leases.restart(),
        }
    }
}

/// With the numbers of the statements.
fn meanwhile<'a>(host_plan: &HostPlan<'a>, networks: &Networks) -> Vec<(usize, Meanwhile<'a>)> {
    let mut all = Vec::new();
    for (number, declaration) in host_plan.declarations().enumerate() {
        match declaration {
            Declaration::Former(former) => {
                all.extend(former_leases(former, number, networks).into_iter().map(|taken| (number, taken)));
            }
            Declaration::Freed(FreedDecl::Container { name, network }) => {
                let network = network.as_ref().map(|n| networks.index(n));
                if network.is_none_or(|found| found.is_some()) {
                    all.push((number, Meanwhile::Freed { holder: name, network: network.flatten() }));
                }
            }
            Declaration::Event(event) if event.value == HostEvent::EngineRestart => {
                all.push((number, Meanwhile::Restart));
            }
            _ => {}
        }
    }
    all
}

fn former_leases<'a>(former: &'a Declaration, number: usize, networks: &Networks) -> Vec<Meanwhile<'a>> {
    let taken = |holder: &'a str, attach: &'a AttachDecl, span| {
        let Found::At(network) = networks.find(&attach.network.value, Statement { number, span }) else { return None };
        Some(Meanwhile::Taken { holder, network, stated: attach.address.as_ref().map(|a| a.value) })
    };
    match former {
        Declaration::Connect(connect) => {
            taken(&connect.container.value, &connect.attach, connect.span).into_iter().collect()
        }
        Declaration::Container(container) => {
            let holder = container.name.as_ref().map_or("", |name| name.value.as_str());
            let mode = mode(container);
            let is_on_default = mode.as_ref().map_or(container.networks.is_empty(), |m| m.value == NetworkMode::Bridge);
            let own = container.networks.iter().filter(|_| mode.is_none());
            let default = is_on_default.then_some(Meanwhile::Taken { holder, network: 0, stated: None });
            own.filter_map(|attach| taken(holder, attach, container.span)).chain(default).collect()
        }
        _ => Vec::new(),
    }
}

fn position(drafts: &[Draft<'_>], name: &str) -> Option<usize> {
    drafts
        .iter()
        .position(|d| d.name == name)
        .or_else(|| drafts.iter().position(|d| d.declaration.aliases.iter().any(|a| a == name)))
}

fn draft<'a>(
    context: &mut Context,
    number: usize,
    declaration: &'a ContainerDecl,
    drafts: &[Draft<'a>],
    networks: &Networks,
) -> Option<(Draft<'a>, Vec<Attachment<'a>>)> {
    let name = match &declaration.name {
        Some(name) => {
            if let Some(first) = drafts.iter().find(|d| d.name == name.value) {
                context.report(name_taken(name, first));
                return None;
            }
            name.value.clone()
        }
        None => assumed_name(declaration, drafts),
    };
    let mode = mode(declaration);
    let mut attachments = Vec::new();
    if mode.is_none() {
        for attached in &declaration.networks {
            match networks.find(&attached.network.value, Statement { number, span: declaration.span }) {
                Found::At(index) => {
                    let statement = Statement { number, span: attached.network.span };
                    attachments.push(attach(drafts.len(), index, Some(attached), statement));
                }
                Found::Refused => return None,
                Found::Unknown(near) => {
                    context.report(unknown_network(&attached.network, near, networks));
                    return None;
                }
            }
        }
    }
    let default_bridge = mode.as_ref().map_or(declaration.networks.is_empty(), |m| m.value == NetworkMode::Bridge);
    if default_bridge {
        let span = mode.as_ref().map_or(declaration.span, |m| m.span);
        attachments.push(attach(drafts.len(), 0, None, Statement { number, span }));
    }
    Some((Draft { number, declaration, name, mode }, attachments))
}

/// The stated mode; `host` and `none` are also names of networks.
fn mode(declaration: &ContainerDecl) -> Option<Spanned<NetworkMode>> {
    let by_name = || {
        declaration.networks.iter().find_map(|a| match a.network.value.as_str() {
            "host" => Some(Spanned::new(NetworkMode::Host, a.network.span)),
            "none" => Some(Spanned::new(NetworkMode::None, a.network.span)),
            _ => None,
        })
    };
    declaration.mode.clone().or_else(by_name)
}

/// docker invents a random name; the image's name says more.
fn assumed_name(declaration: &ContainerDecl, drafts: &[Draft<'_>]) -> String {
    let image = declaration.image.as_ref().map_or("container", |i| images::short_name(&i.value));
    let base = sentence_name(image);
    let taken = |name: &str| drafts.iter().any(|d| d.name == name);
    if !taken(&base) {
        return base;
    }
    (2..=drafts.len() + 1).map(|n| format!("{base}-{n}")).find(|n| !taken(n)).unwrap_or(base)
}

/// Containers in the host's, nobody's or somebody else's namespace cannot be connected to networks: docker refuses
/// (observed with 20.10.24; moby daemon/container_operations.go, `ErrConflictSharedNetwork` and the like).
fn has_no_networks(draft: &Draft<'_>) -> bool {
    let mode = draft.mode.as_ref().map(|mode| &mode.value);
    matches!(mode, Some(NetworkMode::Host | NetworkMode::None | NetworkMode::Container(_)))
}

fn cannot_be_connected(name: &str, network: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::DockerBadFlag,
        text!(
            "docker refuses to connect `{name}` to network `{network}`",
            "docker가 `{name}` 컨테이너를 `{network}` 네트워크에 연결하지 않습니다"
        ),
    )
    .label(
        span,
        text!(
            "its namespace is the host's, another container's, or empty",
            "네트워크 네임스페이스가 호스트나 다른 컨테이너의 것이거나 비어 있음"
        ),
    )
    .help(text!(
        "start it on a network instead: `--network NAME`",
        "처음부터 네트워크에 연결해 시작하십시오: `--network 이름`"
    ))
}

/// Addresses for every attachment: stated ones are set aside first, the others are handed out one after the other.
fn endpoints(
    context: &mut Context,
    engine: &Engine,
    drafts: &[Draft<'_>],
    attachments: &[Attachment<'_>],
    meanwhile: &[(usize, Meanwhile<'_>)],
) -> BTreeMap<usize, Vec<(Endpoint, i64)>> {
    let attachments = possible(context, engine, drafts, attachments);
    let mut endpoints: BTreeMap<usize, Vec<(Endpoint, i64)>> = BTreeMap::new();
    for (attachment, address) in lease(engine, drafts, &attachments, meanwhile) {
        let (Some(draft), Some(network)) = (drafts.get(attachment.draft), engine.networks.get(attachment.network))
        else {
            continue;
        };
        let Some(address) = address else {
            context.report(no_address_left(&draft.name, &network.name, attachment.statement.span));
            continue;
        };
        let endpoint = Endpoint {
            network: attachment.network,
            address,
            names: if network.is_default_bridge { Vec::new() } else { names(draft, attachment) },
            guard: None,
            origin: Origin::written(
                format!("`{}` on network `{}`", draft.name, network.name),
                attachment.statement.span,
            ),
        };
        endpoints.entry(attachment.draft).or_default().push((endpoint, priority(attachment)));
    }
    endpoints
}

/// The attachments that docker accepts: not for containers without a namespace of their own, and to a network only
/// once; the first attachment stays.
fn possible<'l, 'a>(
    context: &mut Context,
    engine: &Engine,
    drafts: &[Draft<'_>],
    attachments: &'l [Attachment<'a>],
) -> Vec<&'l Attachment<'a>> {
    let mut possible: Vec<&Attachment<'a>> = Vec::new();
    for attachment in attachments {
        let (Some(draft), Some(network)) = (drafts.get(attachment.draft), engine.networks.get(attachment.network))
        else {
            continue;
        };
        if has_no_networks(draft) {
            context.report(cannot_be_connected(&draft.name, &network.name, attachment.statement.span));
        } else if !possible.iter().any(|p| (p.draft, p.network) == (attachment.draft, attachment.network)) {
            possible.push(attachment);
        }
    }
    possible
}

/// Hands out addresses in the order of the statements.
fn lease<'l, 'a>(
    engine: &Engine,
    drafts: &[Draft<'_>],
    attachments: &[&'l Attachment<'a>],
    meanwhile: &[(usize, Meanwhile<'_>)],
) -> Vec<(&'l Attachment<'a>, Option<IpAddr>)> {
    let mut leases = Leases::new(&engine.networks);
    for attachment in attachments {
        if let Some(address) = fixed(attachment) {
            leases.reserve(attachment.network, address.value);
        }
    }
    let mut meanwhile = meanwhile.iter().peekable();
    let mut taken: Vec<(&'l Attachment<'a>, LeaseId)> = Vec::new();
    for attachment in attachments {
        while let Some((_, event)) = meanwhile.next_if(|(number, _)| *number < attachment.statement.number) {
            event.happen(&mut leases);
        }
        let holder = drafts.get(attachment.draft).map_or("", |draft| draft.name.as_str());
        taken.push((attachment, leases.take(holder, attachment.network, fixed(attachment).map(|a| a.value))));
    }
    meanwhile.for_each(|(_, event)| event.happen(&mut leases));
    taken.into_iter().map(|(attachment, id)| (attachment, leases.address(id))).collect()
}

fn fixed<'a>(attachment: &Attachment<'a>) -> Option<&'a Spanned<IpAddr>> {
    attachment.declaration.and_then(|d| d.address.as_ref())
}

/// What the name service of a network made by the user answers to; the default bridge has none.
fn names(draft: &Draft<'_>, attachment: &Attachment<'_>) -> Vec<String> {
    let mut names = vec![draft.name.clone()];
    let own = attachment.declaration.map_or(&[][..], |d| &d.aliases);
    for alias in draft.declaration.aliases.iter().chain(own) {
        if !names.contains(alias) {
            names.push(alias.clone());
        }
    }
    names
}

fn networking(
    draft: &Draft<'_>,
    mut bridges: Vec<(Endpoint, i64)>,
    drafts: &[Draft<'_>],
    order: &[usize],
    engine: &Engine,
) -> Networking {
    bridges.sort_by_cached_key(|(endpoint, priority)| gateway_order(endpoint.network, *priority, engine));
    let on_bridges = Networking::Bridges(bridges.into_iter().map(|(endpoint, _)| endpoint).collect());
    let Some(mode) = &draft.mode else { return on_bridges };
    match (&mode.value, &on_bridges) {
        (NetworkMode::Host, _) => {
            Networking::Host(Origin::written(text!("network mode `host`", "네트워크 모드 `host`"), mode.span))
        }
        (NetworkMode::None, Networking::Bridges(endpoints)) if endpoints.is_empty() => {
            Networking::None(Origin::written(text!("network mode `none`", "네트워크 모드 `none`"), mode.span))
        }
        (NetworkMode::Container(name), _) => {
            let origin =
                Origin::written(text!("network namespace of `{name}`", "`{name}`의 네트워크 네임스페이스"), mode.span);
            let index = position(drafts, name).and_then(|target| order.iter().position(|number| *number == target));
            index.map_or(on_bridges, |index| Networking::Container(index, origin))
        }
        _ => on_bridges,
    }
}

fn priority(attachment: &Attachment<'_>) -> i64 {
    attachment.declaration.and_then(|d| d.gateway_priority.as_ref()).map_or(0, |p| p.value)
}

/// Which endpoint has the default route: not an internal network, then the highest priority, then the network's name
/// (moby 28, libnetwork/sandbox.go, `Endpoint.Less`).
fn gateway_order(network: usize, priority: i64, engine: &Engine) -> (bool, Reverse<i64>, Option<&str>) {
    let network = engine.networks.get(network);
    (network.is_some_and(|n| n.internal), Reverse(priority), network.map(|n| n.name.as_str()))
}

fn name_taken(name: &Spanned<String>, first: &Draft<'_>) -> Diagnostic {
    let span = first.declaration.name.as_ref().map_or(first.declaration.span, |n| n.span);
    Diagnostic::new(
        Code::DockerNameTaken,
        text!(
            "the container name `{name}` is in use",
            "컨테이너 이름 `{name}`: 이미 쓰이고 있습니다",
            name = &name.value
        ),
    )
    .label(name.span, text!("docker refuses to start this container", "docker가 이 컨테이너를 시작하지 않음"))
    .label(span, text!("the name is given here", "여기서 이 이름을 씀"))
    .help(text!("give one of them another name", "둘 중 하나에 다른 이름을 주십시오"))
}

fn unknown_network(name: &Spanned<String>, near: Option<String>, networks: &Networks) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(
        Code::DockerUnknownNetwork,
        text!("there is no network `{name}`", "`{name}` 네트워크가 없습니다", name = &name.value),
    )
    .label(name.span, text!("docker refuses to attach the container", "docker가 컨테이너를 연결하지 않음"));
    if let Some(later) = networks.made_at(&name.value) {
        diagnostic =
            diagnostic.label(later, text!("created only here, later in the file", "파일의 뒤쪽, 여기에서야 만들어짐"));
    }
    match near.filter(|near| *near != name.value) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic.help(text!(
            "create it before, with `docker network create {name}`",
            "먼저 `docker network create {name}` 명령으로 만드십시오",
            name = &name.value
        )),
    }
}

fn unknown_container(name: &Spanned<String>, drafts: &[Draft<'_>]) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::DockerUnknownContainer,
        text!("there is no container `{name}`", "`{name}` 컨테이너가 없습니다", name = &name.value),
    )
    .label(name.span, text!("named here", "여기서 부른 이름"));
    match did_you_mean(&name.value, drafts.iter().map(|d| d.name.as_str())) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic.help(text!(
            "a container must be started before others can refer to it",
            "다른 컨테이너가 참조하려면 먼저 시작되어 있어야 합니다"
        )),
    }
}

fn no_address_left(container: &str, network: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadAddress,
        text!(
            "network `{network}` has no address left for `{container}`",
            "`{network}` 네트워크에 `{container}` 컨테이너에 줄 주소가 남아 있지 않습니다"
        ),
    )
    .label(span, text!("attached here", "여기서 연결함"))
    .help(text!("give the network a larger subnet", "네트워크에 더 큰 서브넷을 주십시오"))
}
