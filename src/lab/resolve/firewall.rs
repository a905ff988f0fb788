//! firewalld: the configuration that is in force after everything that the files do to it.
//!
//! There are two configurations. The permanent one is what the files in /etc/firewalld say; starting or reloading the
//! daemon copies it over the running one. `firewall-cmd` without `--permanent` changes the running one only
//! (firewall-cmd(1), "--permanent").

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::declaration::{FirewallChange, FirewallCmd, FirewalldDecl, InterfaceZone};
use crate::lab::{
    Assumption, Content, Declaration, Engine, Firewalld, HostEvent, HostId, RichElement, RuleBackend, Unmodeled, Zone,
};
use crate::language::text;
use crate::net::Version;
use crate::provenance::Origin;
use crate::source::Span;

use super::Context;
use super::bind::HostPlan;
use super::configuration::Configuration;
use super::names::span_of;
use super::policy::Release;
use super::zone::{self, Place};
use super::{direct, refusal, stored};

/// The daemon while the files are gone through.
struct Daemon {
    firewalld: Firewalld,
    permanent: Configuration,
    running: Configuration,
    /// Permanent changes that the running daemon has not seen.
    pending: Vec<Span>,
    runs: bool,
    health: Health,
    /// `FlushAllOnReload=no`: a reload keeps the interfaces and direct rules that were given at run time.
    keeps: bool,
    /// NetworkManager's zones, which it tells the daemon whenever that comes up.
    bindings: Vec<InterfaceZone>,
    /// It has turned forwarding on.
    routed: bool,
    engine_has_run: bool,
    /// dockerd will make its zone at its next start beside the running daemon.
    awaits_docker_zone: bool,
    /// The bridges that dockerd keeps in its zone, by name and network.
    bridges: Vec<(String, String)>,
    /// dockerd has started beside the running daemon, and follows what it does.
    engine_follows: bool,
    /// What dockerd found in another zone.
    conflict: Option<Conflict>,
    /// Zones whose rich rules were stored in an order that is not known, and where; and which of them were loaded since.
    shuffled: Vec<(String, Span)>,
    unordered: Vec<(String, Span)>,
}

/// What `firewall-cmd --state` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Running,
    /// It refuses its files: changes at run time work, everything else is refused.
    Failed,
}

/// A bridge of docker's in a zone of the user's.
struct Conflict {
    bridge: String,
    network: String,
    zone: String,
    at: Origin,
}

/// firewalld of a host, if anything on the host speaks of it.
pub(super) fn resolve(
    context: &mut Context,
    id: HostId,
    plan: &HostPlan<'_>,
    engine: Option<&Engine>,
) -> Option<Firewalld> {
    let stated = stated(context, plan)?;
    context.assumed.extend(assumed(plan));
    let mut daemon = installed(context, plan, engine, stated);
    plan.declarations().filter_map(command).filter(|c| c.offline).for_each(|c| apply(context, &mut daemon, c));
    happen(&mut daemon, HostEvent::FirewalldStart);
    daemon.firewalld.routes_before_engine = routes(&daemon);
    if !starts(plan, HostEvent::EngineStart) {
        follow(&mut daemon);
    }
    // What a file starts was not there before.
    daemon.runs = !starts(plan, HostEvent::FirewalldStart);
    go_through(context, plan, &mut daemon);
    check_default_zone(context, plan, &mut daemon);
    check_bindings(context, &daemon);
    listings(context, plan, &mut daemon);
    let Daemon { mut firewalld, mut permanent, mut running, pending, conflict, unordered, .. } = daemon;
    if let Some(conflict) = conflict {
        refuse(context, id, &conflict);
    }
    let unmodeled = unordered.into_iter().map(|(zone, span)| Unmodeled {
        what: text!(
            "the order in which firewalld {version} has stored the rich rules of zone `{zone}`",
            "firewalld {version}이(가) `{zone}` 영역의 리치 규칙을 저장한 순서",
            version = firewalld.version
        ),
        span,
        host: Some(id),
    });
    context.unmodeled.extend(unmodeled);
    pending.into_iter().for_each(|span| context.report(not_reloaded(span)));
    running.definitions.clone().fill_in(&mut running);
    permanent.definitions.clone().fill_in(&mut permanent);
    firewalld.zones = running.zones;
    firewalld.stored_zones = permanent.zones;
    firewalld.policies = running.policies;
    firewalld.policies.retain(|_, policy| !policy.disabled);
    Some(firewalld)
}

/// firewalld of a host as its options state it, if anything on the host speaks of it.
pub(super) fn stated(context: &Context, plan: &HostPlan<'_>) -> Option<Firewalld> {
    let first = plan.declarations().find(|d| is_about_firewalld(d))?;
    let version = context.defaults.firewalld;
    let origin = Origin::assumed(
        text!("firewalld {version} on `{host}`", "`{host}`의 firewalld {version}", host = &plan.name),
        span_of(first),
    );
    let mut firewalld = untouched(version, context.defaults.firewalld_backend, origin);
    firewalld.uses_direct = plan.declarations().any(is_direct);
    for declaration in plan.declarations() {
        if let Declaration::Firewalld(stated) = declaration {
            set_options(&mut firewalld, stated, &plan.name);
        }
    }
    Some(firewalld)
}

/// What nothing states about firewalld.
fn assumed(plan: &HostPlan<'_>) -> impl Iterator<Item = Assumption> {
    let is_stated = |says: fn(&FirewalldDecl) -> bool| {
        plan.declarations().any(|d| matches!(d, Declaration::Firewalld(stated) if says(stated)))
    };
    let open = [
        (Assumption::Firewalld, is_stated(|stated| stated.version.is_some())),
        (Assumption::FirewalldBackend, is_stated(|stated| stated.backend.is_some())),
    ];
    open.into_iter().filter(|(_, is_stated)| !is_stated).map(|(assumption, _)| assumption)
}

/// The daemon before anything happens.
fn installed(context: &mut Context, plan: &HostPlan<'_>, engine: Option<&Engine>, mut firewalld: Firewalld) -> Daemon {
    let (permanent, health) = configured(context, plan, &mut firewalld, engine.is_some());
    let running = permanent.clone();
    let awaits_docker_zone = engine.is_some_and(makes_zone) && !has_docker_zone(plan);
    Daemon {
        firewalld,
        permanent,
        running,
        pending: Vec::new(),
        runs: false,
        health,
        keeps: health == Health::Running && plan.declarations().any(keeps),
        bindings: plan.declarations().filter_map(binding).cloned().collect(),
        routed: false,
        engine_has_run: false,
        awaits_docker_zone,
        bridges: engine.filter(|e| makes_zone(e)).map_or_else(Vec::new, bridges),
        engine_follows: false,
        conflict: None,
        shuffled: Vec::new(),
        unordered: Vec::new(),
    }
}

/// firewalld as it is installed.
fn untouched(version: Version, backend: RuleBackend, origin: Origin) -> Firewalld {
    Firewalld {
        version,
        backend,
        default_zone: "public".to_owned(),
        strict_forward_ports: false,
        strict_at: None,
        cleanup_on_exit: true,
        direct: Vec::new(),
        uses_direct: false,
        zones: BTreeMap::new(),
        stored_zones: BTreeMap::new(),
        policies: BTreeMap::new(),
        routes_before_engine: false,
        origin,
    }
}

fn is_about_firewalld(declaration: &Declaration) -> bool {
    use Declaration as D;
    match declaration {
        D::Firewalld(_) | D::Zone(_) | D::Policy(_) | D::Service(_) | D::FirewalldIpSet(_) | D::FirewallCmd(_) => true,
        D::Direct(_) | D::FirewalldRefused(_) | D::FirewalldListed(_) => true,
        D::Event(event) => {
            use HostEvent as E;
            !matches!(event.value, E::EngineStart | E::EngineRestart | E::NetworksStart)
        }
        _ => false,
    }
}

fn starts(plan: &HostPlan<'_>, event: HostEvent) -> bool {
    plan.declarations().any(|d| matches!(d, Declaration::Event(e) if e.value == event))
}

fn bridges(engine: &Engine) -> Vec<(String, String)> {
    engine.bridges().map(|n| (n.bridge.clone(), n.name.clone())).collect()
}

fn set_options(firewalld: &mut Firewalld, stated: &FirewalldDecl, host: &str) {
    if let Some(version) = &stated.version {
        firewalld.version = version.value;
        firewalld.origin = Origin::written(
            text!("firewalld {number} on `{host}`", "`{host}`의 firewalld {number}", number = version.value),
            version.span,
        );
    }
    if let Some(backend) = &stated.backend {
        firewalld.backend = backend.value;
    }
    if let Some(zone) = &stated.default_zone {
        firewalld.default_zone.clone_from(&zone.value);
    }
    if let Some(strict) = &stated.strict_forward_ports {
        firewalld.strict_forward_ports = strict.value;
        firewalld.strict_at = Some(strict.span);
    }
    if let Some(cleanup) = &stated.cleanup_on_exit {
        firewalld.cleanup_on_exit = cleanup.value;
    }
}

/// The configuration that the files make, as far as firewalld takes them.
fn configured(
    context: &mut Context,
    plan: &HostPlan<'_>,
    firewalld: &mut Firewalld,
    has_engine: bool,
) -> (Configuration, Health) {
    let mut read = Configuration::of_files(plan, firewalld.version);
    let health = if refusal::is_refused(context, plan, firewalld, &read, has_engine) {
        // Not even firewalld.conf counts then.
        read = Configuration::stock(firewalld.version);
        firewalld.backend = RuleBackend::Nftables;
        "public".clone_into(&mut firewalld.default_zone);
        firewalld.strict_forward_ports = false;
        firewalld.cleanup_on_exit = true;
        Health::Failed
    } else {
        Health::Running
    };
    let names_docker = |c: &FirewallCmd| {
        let is_end = match &c.change {
            FirewallChange::IngressZone(_, end) | FirewallChange::EgressZone(_, end) => end == "docker",
            _ => false,
        };
        is_end || c.zone.as_ref().is_some_and(|zone| zone.value == "docker")
    };
    if has_engine && plan.declarations().filter_map(command).any(names_docker) {
        read.zones.entry("docker".to_owned()).or_insert_with(zone::docker_zone);
    }
    (read, health)
}

fn is_direct(declaration: &Declaration) -> bool {
    match declaration {
        Declaration::Direct(_) => true,
        Declaration::FirewallCmd(command) => matches!(command.change, FirewallChange::Direct(..)),
        _ => false,
    }
}

fn keeps(declaration: &Declaration) -> bool {
    let flushes = |stated: &FirewalldDecl| stated.flush_all_on_reload.as_ref().is_none_or(|flush| flush.value);
    matches!(declaration, Declaration::Firewalld(stated) if !flushes(stated))
}

fn binding(declaration: &Declaration) -> Option<&InterfaceZone> {
    match declaration {
        Declaration::InterfaceZone(binding) => Some(binding),
        _ => None,
    }
}

/// What firewalld has printed about itself is the truth about what ran then.
fn listings(context: &mut Context, plan: &HostPlan<'_>, daemon: &mut Daemon) {
    for declaration in plan.declarations() {
        if let Declaration::FirewalldListed(listing) = declaration {
            daemon.running.listed(context, listing);
            if let Some(name) = &listing.default_zone {
                daemon.firewalld.default_zone.clone_from(&name.value);
            }
        }
    }
}

fn command(declaration: &Declaration) -> Option<&FirewallCmd> {
    match declaration {
        Declaration::FirewallCmd(command) => Some(command),
        _ => None,
    }
}

/// lab.yaml's events before its last start come first, then the files, then the rest of lab.yaml: the order of
/// [`super::events`].
fn go_through(context: &mut Context, plan: &HostPlan<'_>, daemon: &mut Daemon) {
    let is_start = |d: &&Declaration| matches!(d, Declaration::Event(e) if matches!(e.value, HostEvent::FirewalldStart | HostEvent::EngineStart));
    let starts = plan.stated.iter().rposition(is_start).map_or(0, |last| last + 1);
    let (before, after) = plan.stated.split_at_checked(starts).unwrap_or((&plan.stated, &[]));
    for declaration in before.iter().chain(&plan.files).chain(after) {
        match declaration {
            Declaration::FirewallCmd(command) if !command.offline => apply(context, daemon, command),
            Declaration::Event(event) => happen(daemon, event.value),
            _ => {}
        }
    }
}

/// Whether an engine that starts beside firewalld makes the zone `docker` (recorded: fw-*-noiptables of 20.10.24, 28.5.2
/// and 29.7.2).
fn makes_zone(engine: &Engine) -> bool {
    engine.options.iptables || Version::new(29, 0, 0) <= engine.version
}

pub(super) fn has_docker_zone(plan: &HostPlan<'_>) -> bool {
    plan.declarations().any(|d| matches!(d, Declaration::Zone(file) if file.name.value == "docker"))
}

fn happen(daemon: &mut Daemon, event: HostEvent) {
    use HostEvent as E;
    daemon.routed |= daemon.runs && routes(daemon);
    match event {
        // Starting what runs does nothing.
        E::FirewalldStart if daemon.runs => {}
        // In the state `failed` a reload is refused.
        E::FirewalldReload | E::FirewalldCompleteReload if daemon.health == Health::Failed => {}
        E::FirewalldReload | E::FirewalldCompleteReload if daemon.keeps && daemon.runs => {
            let before = daemon.running.clone();
            load(daemon);
            keep(daemon, before);
        }
        E::FirewalldStart | E::FirewalldReload | E::FirewalldCompleteReload => load(daemon),
        E::FirewalldStop => daemon.runs = false,
        E::UserRules(_) | E::NftRules(_) | E::Sysctl(_) | E::NetworksStart => {}
        // The zone is permanent, and takes a reload to be there: what was only changed at run time is gone (moby
        // 28.5.2, daemon/libnetwork/iptables/firewalld.go, `setupDockerZone`; recorded: fw-nftables-public-reject3000).
        E::EngineStart | E::EngineRestart if daemon.runs && daemon.awaits_docker_zone => {
            daemon.awaits_docker_zone = false;
            load(daemon);
            follow(daemon);
        }
        E::EngineStart | E::EngineRestart if daemon.runs => follow(daemon),
        E::EngineStart | E::EngineRestart => daemon.engine_follows = false,
    }
    daemon.routed |= daemon.runs && routes(daemon);
    if event == E::EngineStart && !daemon.engine_has_run {
        daemon.engine_has_run = true;
        daemon.firewalld.routes_before_engine = daemon.routed;
    }
}

/// Whether what is in force makes firewalld turn on forwarding: it stays on, whatever comes later.
fn routes(daemon: &Daemon) -> bool {
    let is_active = |name: &str, zone: &Zone| {
        name == daemon.firewalld.default_zone || !zone.interfaces.is_empty() || !zone.sources.is_empty()
    };
    let zones = daemon.running.zones.iter().filter(|(name, zone)| is_active(name, zone)).map(|(_, zone)| &zone.content);
    let policies = daemon.running.policies.values().map(|policy| &policy.content);
    zones.chain(policies).any(turns_on_forwarding)
}

fn turns_on_forwarding(content: &Content) -> bool {
    content.masquerade.is_some()
        || content.forward_ports.iter().chain(&content.later_forward_ports).any(|f| f.value.to_address.is_some())
        || content.rich_rules.iter().any(|rule| match &rule.value.element {
            RichElement::Masquerade => true,
            RichElement::ForwardPort(forward) => forward.to_address.is_some(),
            _ => false,
        })
}

/// Not even an interface that was bound at run time stays in its zone (firewalld.conf(5), "FlushAllOnReload", `yes` by
/// default; firewalld 1.3.3 src/firewall/core/fw.py, `reload`).
fn load(daemon: &mut Daemon) {
    daemon.runs = true;
    daemon.running = daemon.permanent.clone();
    daemon.unordered.append(&mut daemon.shuffled);
    daemon.firewalld.direct = direct::commands(&daemon.running.direct, daemon.firewalld.backend);
    for binding in &daemon.bindings {
        daemon.running.bind(binding, &daemon.firewalld.default_zone);
    }
    daemon.pending.clear();
    if daemon.engine_follows {
        follow(daemon);
    }
}

/// Interfaces stay in their zones as long as these exist, and direct rules stay (firewall/core/fw.py, `reload`).
fn keep(daemon: &mut Daemon, before: Configuration) {
    let after = &mut daemon.running;
    let bound =
        before.zones.into_iter().flat_map(|(name, zone)| zone.interfaces.into_iter().map(move |i| (name.clone(), i)));
    for (name, interface) in bound {
        if after.zones.contains_key(&name) {
            after.zones.values_mut().for_each(|other| other.interfaces.retain(|i| i.value != interface.value));
            after.zones.entry(name.clone()).and_modify(|zone| zone.interfaces.push(interface));
        }
    }
    after.direct = before.direct;
    daemon.firewalld.direct = direct::commands(&after.direct, daemon.firewalld.backend);
}

/// dockerd adds its bridges to its zone, which firewalld refuses for one that is in another zone: `ZONE_CONFLICT`
/// (firewalld src/firewall/core/fw_zone.py, `add_interface`; moby libnetwork/iptables/firewalld.go,
/// `AddInterfaceFirewalld`; github.com/moby/moby/issues/41609).
fn follow(daemon: &mut Daemon) {
    daemon.engine_follows = true;
    let others = daemon.running.zones.iter().filter(|(name, _)| *name != "docker");
    let bound = others.flat_map(|(name, zone)| zone.interfaces.iter().map(move |i| (name, i)));
    let mut conflicts = bound.filter_map(|(zone, interface)| {
        let (bridge, network) = daemon.bridges.iter().find(|(bridge, _)| *bridge == interface.value)?;
        let (bridge, network, zone) = (bridge.clone(), network.clone(), zone.clone());
        Some(Conflict { bridge, network, zone, at: interface.origin.clone() })
    });
    daemon.conflict = conflicts.next();
}

/// What then happens to docker's rules depends on the moment; the lab is as if dockerd had started.
fn refuse(context: &mut Context, id: HostId, conflict: &Conflict) {
    let Conflict { bridge, network, zone, at } = conflict;
    let message = match network.as_str() {
        "bridge" => text!(
            "dockerd does not start: its bridge `{bridge}` is in zone `{zone}`",
            "dockerd가 시작되지 않습니다: 그 브리지 `{bridge}` 인터페이스가 `{zone}` 영역에 있습니다"
        ),
        name => text!(
            "docker refuses to create network `{name}`: its bridge `{bridge}` is in zone `{zone}`",
            "docker가 `{name}` 네트워크를 만들지 않습니다: 그 브리지 `{bridge}` 인터페이스가 `{zone}` 영역에 있습니다"
        ),
    };
    let Some(span) = at.span() else { return };
    context.unmodeled.push(Unmodeled { what: message.clone(), span, host: Some(id) });
    context.report(
        Diagnostic::new(Code::FirewalldZoneConflict, message)
            .label(
                span,
                text!(
                    "firewalld lets an interface be in one zone only; dockerd wants it in `docker`",
                    "firewalld에서 인터페이스는 한 영역에만 속할 수 있고, dockerd는 `docker` 영역에 넣으려 함"
                ),
            )
            .help(text!(
                "leave the bridge to docker, and change its zone `docker` instead; or use `--iptables=false`",
                "브리지는 docker에 맡기고 `docker` 영역을 바꾸십시오. 아니면 `--iptables=false`를 쓰십시오"
            )),
    );
}

fn apply(context: &mut Context, daemon: &mut Daemon, command: &FirewallCmd) {
    let is_stored = command.permanent || matches!(command.change, FirewallChange::RuntimeToPermanent);
    if is_stored && daemon.health == Health::Failed && !command.offline {
        return context.report(refused_while_failed(command.span));
    }
    match &command.change {
        FirewallChange::RuntimeToPermanent => {
            daemon.permanent = daemon.running.clone();
            let zones = daemon.permanent.zones.values_mut().map(|zone| &mut zone.content);
            let policies = daemon.permanent.policies.values_mut().map(|policy| &mut policy.content);
            zones.chain(policies).for_each(Content::store);
            let unordered = stored::unordered(&daemon.permanent.zones, daemon.firewalld.version);
            daemon.shuffled = unordered.into_iter().map(|zone| (zone, command.span)).collect();
            daemon.pending.clear();
        }
        // firewall-cmd(1): "--set-default-zone ... This is a runtime and permanent change."
        FirewallChange::DefaultZone(name) => match daemon.running.zones.contains_key(name) {
            true => daemon.firewalld.default_zone.clone_from(name),
            false => context.report(zone::unknown_zone(name, command.span, daemon.running.zones.keys())),
        },
        FirewallChange::Direct(is_added, rule) => {
            let target = if command.permanent { &mut daemon.permanent } else { &mut daemon.running };
            direct::change(&mut target.direct, *is_added, rule);
            if command.permanent {
                daemon.pending.push(command.span);
            }
        }
        _ => {
            let place = match (&command.policy, &command.zone) {
                (Some(policy), _) => Place::Policy(&policy.value, policy.span),
                (None, Some(zone)) => Place::Zone(&zone.value, zone.span),
                (None, None) => Place::Zone(&daemon.firewalld.default_zone, command.span),
            };
            let target = if command.permanent { &mut daemon.permanent } else { &mut daemon.running };
            let release = Release { version: daemon.firewalld.version, backend: daemon.firewalld.backend };
            let changed = zone::change(context, target, place, command, release);
            if let Some(timeout) = command.timeout.as_ref().filter(|_| changed && !command.permanent) {
                target.limit_in_time(context, command.span, timeout);
            }
            if changed && command.permanent {
                daemon.pending.push(command.span);
            }
        }
    }
}

/// NetworkManager cannot put an interface into a zone that does not exist: it stays where it is.
fn check_bindings(context: &mut Context, daemon: &Daemon) {
    for InterfaceZone { zone: named, .. } in &daemon.bindings {
        if !named.value.is_empty() && !daemon.running.zones.contains_key(&named.value) {
            context.report(zone::unknown_zone(&named.value, named.span, daemon.running.zones.keys()));
        }
    }
}

/// A default zone that does not exist: `public` it is (firewall/core/fw.py, `_start_check`).
fn check_default_zone(context: &mut Context, plan: &HostPlan<'_>, daemon: &mut Daemon) {
    for declaration in plan.declarations() {
        let Declaration::Firewalld(stated) = declaration else { continue };
        if let Some(name) = &stated.default_zone
            && !daemon.permanent.zones.contains_key(&name.value)
        {
            context.report(zone::unknown_zone(&name.value, name.span, daemon.permanent.zones.keys()));
            if daemon.firewalld.default_zone == name.value {
                "public".clone_into(&mut daemon.firewalld.default_zone);
            }
        }
    }
}

fn refused_while_failed(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::FirewalldBadRule,
        text!(
            "a permanent change while firewalld refuses its files",
            "firewalld가 설정 파일을 거부한 상태에서 영구 설정을 바꿉니다"
        ),
    )
    .label(span, text!("RUNNING_BUT_FAILED: nothing changes", "RUNNING_BUT_FAILED: 아무것도 바뀌지 않음"))
    .help(text!("mend the files and restart firewalld first", "먼저 파일을 고치고 firewalld를 다시 시작하십시오"))
}

fn not_reloaded(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::FirewalldNotReloaded,
        text!(
            "a permanent change is not in force: firewalld is never reloaded",
            "영구 설정이 적용되지 않았습니다: firewalld를 다시 읽는 곳이 없습니다"
        ),
    )
    .label(span, text!("stored, but the running firewall does not know it", "저장되었지만 실행 중인 방화벽에는 없음"))
    .help(text!(
        "add `firewall-cmd --reload` behind it, or make the change without `--permanent` as well",
        "그 뒤에 `firewall-cmd --reload`를 넣거나, `--permanent` 없이도 같은 변경을 하십시오"
    ))
}
