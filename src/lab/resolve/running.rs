//! What runs wins over what files say should run: listings of the engine and the files' own statements become one list
//! of statements, and what differs is reported. Spec: specs/docker-listings.md.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lab::Declaration;
use crate::lab::declaration::{
    AttachDecl, ContainerDecl, Idle, IdleCause, Listing, NetworkDecl, NetworkMode, PublishDecl, RunState, RunningDecl,
};
use crate::language::{Text, text};
use crate::net::Protocol;
use crate::source::{Span, Spanned};

use super::Context;
use super::bind::HostPlan;

/// The statements of a host's files with its listings worked in; nothing if there are no listings.
pub(super) fn settle(context: &mut Context, plan: &HostPlan<'_>) -> Option<Vec<Declaration>> {
    let running = containers(context, plan);
    let networks = networks(plan);
    if running.is_empty() && networks.is_empty() {
        return None;
    }
    let mut settled = Settled { binds_elsewhere: binds_elsewhere(plan, &networks), used: BTreeSet::new(), running };
    let mut statements: Vec<Declaration> = Vec::new();
    for network in &networks {
        if !plan.files.iter().any(|d| matches!(d, Declaration::Network(n) if n.name.value == network.name.value)) {
            statements.push(Declaration::Network((*network).clone()));
        }
    }
    for declaration in &plan.files {
        match declaration {
            Declaration::Running(_) | Declaration::RunningNetwork(_) => {}
            Declaration::Network(stated) => {
                let listed = networks.iter().find(|n| n.name.value == stated.name.value);
                statements.push(Declaration::Network(listed.map_or_else(|| stated.clone(), |n| network(stated, n))));
            }
            Declaration::Container(stated) => {
                statements.push(Declaration::Container(settled.container(context, stated)));
            }
            // Where a running container is attached stands in its listing.
            Declaration::Connect(connect) if settled.lists(&connect.container.value) => {}
            other => statements.push((*other).clone()),
        }
    }
    statements.extend(settled.rest(context).map(Declaration::Container));
    Some(statements)
}

/// The containers that are listed, each once: `docker inspect` says more than `docker ps`. Ids of other containers are
/// replaced by names.
fn containers(context: &mut Context, plan: &HostPlan<'_>) -> Vec<RunningDecl> {
    let listed = || {
        plan.files
            .iter()
            .filter_map(|d| if let Declaration::Running(running) = d { Some(running.as_ref()) } else { None })
    };
    let mut running: Vec<RunningDecl> = Vec::new();
    for declaration in
        listed().filter(|r| r.listing == Listing::Inspect).chain(listed().filter(|r| r.listing == Listing::Ps))
    {
        let known = running.iter().any(|other| name(&other.container) == name(&declaration.container));
        if !known {
            running.push(declaration.clone());
        }
    }
    let names: Vec<(String, String)> = running
        .iter()
        .map(|r| (r.id.clone(), name(&r.container).to_owned()))
        .filter(|(id, _)| !id.is_empty())
        .collect();
    for declaration in &mut running {
        if let Some(mode) = &mut declaration.container.mode
            && let NetworkMode::Container(id) = &mut mode.value
            && let Some((_, name)) = names.iter().find(|(other, _)| other.starts_with(id.as_str()))
        {
            id.clone_from(name);
        }
        if declaration.state.value == RunState::Down {
            context.report(not_running(declaration));
            stop(declaration);
        }
    }
    running
}

fn name(container: &ContainerDecl) -> &str {
    container.name.as_ref().map_or("", |name| &name.value)
}

/// What does not run has no address, publishes nothing and listens nowhere.
fn stop(declaration: &mut RunningDecl) {
    declaration.container = declaration.container.at_rest(listed_idle(declaration.state.span));
}

fn listed_idle(span: Span) -> Idle {
    Idle { cause: IdleCause::Listed, span, was: Vec::new() }
}

/// The networks that are listed. `docker network inspect` says which driver they have; a container only shows what it
/// sees of them.
fn networks<'a>(plan: &HostPlan<'a>) -> Vec<&'a NetworkDecl> {
    let listed = || {
        plan.files
            .iter()
            .filter_map(|d| if let Declaration::RunningNetwork(network) = d { Some(network) } else { None })
    };
    let mut networks: Vec<&NetworkDecl> = Vec::new();
    for network in listed().filter(|n| n.driver.is_some()).chain(listed().filter(|n| n.driver.is_none())) {
        if !networks.iter().any(|other| other.name.value == network.name.value) {
            networks.push(network);
        }
    }
    networks
}

/// The listed network under the names, and at the place, of its statement.
fn network(stated: &NetworkDecl, listed: &NetworkDecl) -> NetworkDecl {
    let listed = listed.clone();
    NetworkDecl {
        name: stated.name.clone(),
        key: stated.key.clone().or(listed.key),
        driver: listed.driver.or_else(|| stated.driver.clone()),
        parent: listed.parent.or_else(|| stated.parent.clone()),
        driver_mode: listed.driver_mode.or_else(|| stated.driver_mode.clone()),
        subnet: listed.subnet.or(stated.subnet),
        gateway: listed.gateway.or(stated.gateway),
        internal: listed.internal.or(stated.internal),
        bridge: listed.bridge.or_else(|| stated.bridge.clone()),
        icc: listed.icc.or(stated.icc),
        masquerade: listed.masquerade.or(stated.masquerade),
        publish_address: listed.publish_address.or(stated.publish_address),
        gateway_mode: listed.gateway_mode.or(stated.gateway_mode),
        external: false,
        span: stated.span,
    }
}

/// Whether ports without an address may be published on one: then a listing shows what no `ports:` entry says.
fn binds_elsewhere(plan: &HostPlan<'_>, networks: &[&NetworkDecl]) -> bool {
    let by_engine = |d: &Declaration| matches!(d, Declaration::Engine(engine) if engine.publish_address.is_some());
    let by_network = |d: &Declaration| matches!(d, Declaration::Network(n) if n.publish_address.is_some());
    plan.declarations().any(|d| by_engine(d) || by_network(d)) || networks.iter().any(|n| n.publish_address.is_some())
}

/// The listed containers, and which of them have met their statement.
struct Settled {
    running: Vec<RunningDecl>,
    used: BTreeSet<usize>,
    binds_elsewhere: bool,
}

impl Settled {
    fn lists(&self, name: &str) -> bool {
        self.running.iter().any(|r| self::name(&r.container) == name)
    }

    /// A stated container as it runs.
    fn container(&mut self, context: &mut Context, stated: &ContainerDecl) -> ContainerDecl {
        let Some(index) = self.running_of(stated) else {
            return self.missing(context, stated);
        };
        self.used.insert(index);
        let Some(running) = self.running.get(index) else { return stated.clone() };
        let stated = stated.at_work();
        report_differences(context, stated, running, self.binds_elsewhere);
        merged(stated, running, self.binds_elsewhere)
    }

    /// By its name; else by compose's labels, because a project may be called otherwise than its directory.
    fn running_of(&self, stated: &ContainerDecl) -> Option<usize> {
        let unused = || self.running.iter().enumerate().filter(|(index, _)| !self.used.contains(index));
        let by_name = unused().find(|(_, r)| name(&r.container) == name(stated));
        let service = stated.aliases.first();
        let of_service = |r: &RunningDecl| r.made_from.as_ref().map(|(_, made_from)| made_from) == service;
        by_name.or_else(|| unused().find(|(_, r)| service.is_some() && of_service(r))).map(|(index, _)| index)
    }

    /// A statement that no listing shows. `docker ps` lists whatever runs, `docker inspect` what it was asked for.
    fn missing(&self, context: &mut Context, stated: &ContainerDecl) -> ContainerDecl {
        let ps = self.running.iter().find(|r| r.listing == Listing::Ps && is_of_same_project(r, stated));
        let Some(ps) = ps else { return stated.clone() };
        let span = ps.container.span;
        context.report(not_listed(stated, span));
        stated.at_rest(listed_idle(span))
    }

    /// The containers that only run.
    fn rest<'s>(&'s self, context: &'s mut Context) -> impl Iterator<Item = ContainerDecl> + use<'s> {
        let rest = self.running.iter().enumerate().filter(|(index, _)| !self.used.contains(index));
        rest.map(|(_, running)| {
            let container = running.container.clone();
            if running.listing == Listing::Ps && container.mode.is_none() && container.networks.is_empty() {
                context.report(networks_unknown(&container));
            }
            container
        })
    }
}

/// compose names containers `project-service-number`.
fn is_of_same_project(running: &RunningDecl, stated: &ContainerDecl) -> bool {
    let project = |name: &str, service: &str| name.strip_suffix(&format!("-{service}-1")).map(str::to_owned);
    let (Some(own), Some((_, other))) = (stated.aliases.first(), &running.made_from) else { return false };
    let own = project(name(stated), own);
    own.is_some() && own == project(name(&running.container), other)
}

/// The container as it runs, with the words of its statement where both say the same.
fn merged(stated: &ContainerDecl, running: &RunningDecl, binds_elsewhere: bool) -> ContainerDecl {
    let listed = running.container.clone();
    let is_whole = running.listing == Listing::Inspect || running.state.value == RunState::Down;
    let mut container = ContainerDecl {
        name: stated.name.clone().or_else(|| listed.name.clone()),
        publishes: published(stated, &listed.publishes, binds_elsewhere),
        publish_all: None,
        idle: listed.idle.clone(),
        refused: None,
        exposes: if listed.exposes.is_empty() { stated.exposes.clone() } else { listed.exposes.clone() },
        ..stated.clone()
    };
    if is_whole {
        let is_same_mode = stated.mode.as_ref().map(|m| &m.value) == listed.mode.as_ref().map(|m| &m.value);
        container.mode = if is_same_mode { stated.mode.clone() } else { listed.mode };
        container.networks = attachments(stated, listed.networks);
        container.environment = listed.environment;
        container.extra_hosts = listed.extra_hosts;
        container.links = listed.links;
        if !ends_with(&listed.command, &stated.command) {
            (container.command, container.built) = (listed.command, None);
        }
    } else if !listed.networks.is_empty() && attached(&listed) != attached(stated) {
        container.networks = listed.networks;
        container.mode = listed.mode;
    }
    container
}

/// Whether a command line is the stated one, perhaps behind the image's entry point.
fn ends_with(listed: &[Spanned<String>], stated: &[Spanned<String>]) -> bool {
    let same = listed.iter().rev().zip(stated.iter().rev()).all(|(listed, stated)| listed.value == stated.value);
    !stated.is_empty() && stated.len() <= listed.len() && same
}

/// The networks in force, each at the place where it is stated.
fn attachments(stated: &ContainerDecl, listed: Vec<AttachDecl>) -> Vec<AttachDecl> {
    let place = |network: &Spanned<String>| {
        let same = stated.networks.iter().find(|own| own.network.value == network.value);
        same.map_or(network.span, |own| own.network.span)
    };
    let at = |attach: AttachDecl| {
        let span = place(&attach.network);
        AttachDecl { network: Spanned::new(attach.network.value, span), ..attach }
    };
    listed.into_iter().map(at).collect()
}

/// The ports in force, each at the place where it is stated.
fn published(stated: &ContainerDecl, listed: &[PublishDecl], binds_elsewhere: bool) -> Vec<PublishDecl> {
    let place = |publish: &PublishDecl| {
        let same = stated.publishes.iter().find(|s| covers(s, publish, binds_elsewhere));
        same.map(|s| s.span).or(stated.publish_all).unwrap_or(publish.span)
    };
    listed.iter().map(|publish| PublishDecl { span: place(publish), ..publish.clone() }).collect()
}

/// Whether a statement says that a port is published as it is.
fn covers(stated: &PublishDecl, listed: &PublishDecl, binds_elsewhere: bool) -> bool {
    let inside = listed.container_ports;
    let is_inside = stated.container_ports.first <= inside.first && inside.last <= stated.container_ports.last;
    let is_port = match (stated.host_ports, listed.host_ports) {
        (Some(stated), Some(listed)) => stated.first <= listed.first && listed.last <= stated.last,
        _ => true,
    };
    let is_address = match stated.host_address {
        None => binds_elsewhere || everywhere(listed.host_address),
        Some(address) if address.is_unspecified() => everywhere(listed.host_address),
        Some(_) => stated.host_address == listed.host_address,
    };
    stated.protocol == listed.protocol && is_inside && is_port && is_address
}

fn everywhere(address: Option<IpAddr>) -> bool {
    address.is_none_or(|address| address.is_unspecified())
}

fn attached(container: &ContainerDecl) -> BTreeSet<&str> {
    container.networks.iter().map(|attach| attach.network.value.as_str()).collect()
}

fn report_differences(context: &mut Context, stated: &ContainerDecl, running: &RunningDecl, binds_elsewhere: bool) {
    if running.state.value == RunState::Down {
        return;
    }
    let listed = &running.container;
    let has_ports = !matches!(stated.mode.as_ref().map(|m| &m.value), Some(NetworkMode::Host | NetworkMode::None));
    for publish in stated.publishes.iter().filter(|_| has_ports) {
        if !listed.publishes.iter().any(|other| covers(publish, other, binds_elsewhere)) {
            context.report(not_in_force(name(listed), publish, listed.span));
        }
    }
    for publish in listed.publishes.iter().filter(|_| stated.publish_all.is_none()) {
        if !stated.publishes.iter().any(|other| covers(other, publish, binds_elsewhere)) {
            context.report(not_stated(name(listed), publish, stated.span));
        }
    }
    let says_networks = running.listing == Listing::Inspect || !listed.networks.is_empty();
    let is_on_own = |container: &ContainerDecl| container.mode.is_none() && !container.networks.is_empty();
    if says_networks && is_on_own(stated) && is_on_own(listed) && attached(stated) != attached(listed) {
        context.report(other_networks(stated, listed));
    }
}

fn describe(publish: &PublishDecl) -> Text {
    let address =
        publish.host_address.map_or(text!("all addresses", "모든 주소"), |address| address.to_string().into());
    let protocol = if publish.protocol == Protocol::Tcp { String::new() } else { format!("/{}", publish.protocol) };
    let inside = publish.container_ports;
    match publish.host_ports {
        Some(ports) => {
            text!(
                "port {inside}{protocol} on port {ports} of {address}",
                "{inside}{protocol} 포트를 {address}의 {ports}번 포트로 게시"; address
            )
        }
        None => {
            text!(
                "port {inside}{protocol} on a free port of {address}",
                "{inside}{protocol} 포트를 {address}의 빈 포트로 게시"; address
            )
        }
    }
}

fn drift(message: Text, place: Span, label: Text, other: Span, because: Text) -> Diagnostic {
    Diagnostic::new(Code::DockerDrift, message).label(place, label).label(other, because).help(text!(
        "the listing wins here; `docker compose up -d` makes both the same, `docker compose restart` does not",
        "여기서는 목록을 따릅니다. `docker compose up -d`로 둘을 같게 하십시오. `docker compose restart`로는 \
         같아지지 않습니다"
    ))
}

fn not_in_force(name: &str, publish: &PublishDecl, listed: Span) -> Diagnostic {
    let what = describe(publish);
    let message = text!(
        "`{name}` runs without what is stated: {what}",
        "실행 중인 `{name}` 컨테이너에 파일에 적힌 것이 없습니다: {what}"; what
    );
    drift(
        message,
        publish.span,
        text!("stated, not in force", "적혀 있으나 적용되지 않음"),
        listed,
        text!("this is how it runs", "실행 중인 상태"),
    )
}

fn not_stated(name: &str, publish: &PublishDecl, stated: Span) -> Diagnostic {
    let what = describe(publish);
    let message = text!(
        "`{name}` runs with what is not stated: {what}",
        "실행 중인 `{name}` 컨테이너에 파일에 없는 것이 있습니다: {what}"; what
    );
    drift(
        message,
        publish.span,
        text!("in force, not stated", "적용되어 있으나 적혀 있지 않음"),
        stated,
        text!("stated here without it", "여기에는 적혀 있지 않음"),
    )
}

fn other_networks(stated: &ContainerDecl, listed: &ContainerDecl) -> Diagnostic {
    let list = |container: &ContainerDecl| attached(container).into_iter().collect::<Vec<_>>().join("`, `");
    let message = text!(
        "`{name}` runs on networks `{on}`, not on `{not}`",
        "`{name}` 컨테이너가 연결된 네트워크는 `{not}`이(가) 아니라 `{on}`입니다",
        name = name(listed),
        on = list(listed),
        not = list(stated)
    );
    drift(
        message,
        listed.span,
        text!("this is how it runs", "실행 중인 상태"),
        stated.span,
        text!("stated otherwise here", "여기에는 다르게 적혀 있음"),
    )
}

fn not_running(declaration: &RunningDecl) -> Diagnostic {
    let name = name(&declaration.container);
    Diagnostic::new(
        Code::DockerNotRunning,
        text!(
            "`{name}` does not run: it has no address and publishes nothing",
            "`{name}` 컨테이너가 실행 중이 아닙니다: 주소가 없고 아무 포트도 게시하지 않습니다"
        ),
    )
    .label(declaration.state.span, text!("says so", "여기에 그렇게 나옴"))
    .help(text!(
        "start it with `docker start {name}`, and list it again",
        "`docker start {name}`(으)로 시작하고 목록을 다시 받으십시오"
    ))
}

fn not_listed(stated: &ContainerDecl, listing: Span) -> Diagnostic {
    let message = text!(
        "`{name}` does not run: `docker ps` lists others of its project",
        "`{name}` 컨테이너가 실행 중이 아닙니다: `docker ps`에는 같은 프로젝트의 다른 컨테이너만 있습니다",
        name = name(stated)
    );
    Diagnostic::new(Code::DockerNotRunning, message)
        .label(stated.span, text!("not in the listing", "목록에 없음"))
        .label(listing, text!("one of its project that runs", "같은 프로젝트에서 실행 중인 컨테이너"))
        .help(text!(
            "start it with `docker compose up -d`, and list again",
            "`docker compose up -d`로 시작하고 목록을 다시 받으십시오"
        ))
}

fn networks_unknown(container: &ContainerDecl) -> Diagnostic {
    let message = text!(
        "nothing says which networks `{name}` is on; taken as the default bridge",
        "`{name}` 컨테이너가 어느 네트워크에 있는지 알 수 없어, 기본 브리지로 봅니다",
        name = name(container)
    );
    let diagnostic = Diagnostic::new(Code::DockerUnknownNetwork, message)
        .label(container.span, text!("`docker ps` does not say it", "`docker ps`에는 나오지 않음"));
    Diagnostic {
        severity: Severity::Advice,
        ..diagnostic.help(text!(
            "`docker inspect` says it, and the addresses",
            "`docker inspect`를 쓰십시오. 네트워크와 주소가 나옵니다"
        ))
    }
}
