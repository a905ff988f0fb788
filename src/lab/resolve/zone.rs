//! Zones and policies of firewalld: from files, and changed by `firewall-cmd`.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::declaration::{Declaration, FirewallChange, FirewallCmd, PolicyDecl, ServiceDecl, ZoneDecl};
use crate::lab::firewall_builtin::{self, BuiltinPolicy, BuiltinZone};
use crate::lab::{Content, Entry, Policy, RichElement, RichRule, Service, Target, Unmodeled, Zone};
use crate::net::{PortRange, Protocol};
use crate::provenance::Origin;
use crate::source::{Span, Spanned};

use super::firewall::Configuration;
use super::{Context, binding};

/// Services that include each other at most.
const MAX_INCLUDES: usize = 4;

/// What a `firewall-cmd` line changes, with the place where it is named.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Zone(&'a str, Span),
    Policy(&'a str, Span),
}

/// The zones that firewalld ships with.
pub(super) fn builtin_zones() -> BTreeMap<String, Zone> {
    firewall_builtin::zones().map(|zone| (zone.name.to_owned(), builtin_zone(zone))).collect()
}

fn builtin_zone(zone: BuiltinZone) -> Zone {
    let implied = |what: String| Origin::implied(what, None, firewall_builtin::CITATION);
    let services = zone.services.iter().filter_map(|name| firewall_builtin::service(name));
    let services = services.map(|service| {
        let origin = implied(format!("service `{}` in zone `{}`", service.name, zone.name));
        plain(service, origin)
    });
    let content = Content {
        services: services.collect(),
        masquerade: zone.masquerade.then(|| implied(format!("masquerading in zone `{}`", zone.name))),
        ..Content::default()
    };
    let empty = empty_zone(implied(format!("zone `{}`", zone.name)));
    Zone { target: zone.target, forward: zone.forward, content, ..empty }
}

/// The policies that firewalld ships with.
pub(super) fn builtin_policies() -> BTreeMap<String, Policy> {
    firewall_builtin::POLICIES.iter().map(|policy| (policy.name.to_owned(), builtin_policy(policy))).collect()
}

fn builtin_policy(policy: &BuiltinPolicy) -> Policy {
    let origin = Origin::implied(format!("policy `{}`", policy.name), None, firewall_builtin::CITATION);
    Policy {
        priority: policy.priority,
        target: policy.target,
        ingress: vec![plain(policy.ingress.to_owned(), origin.clone())],
        egress: vec![plain(policy.egress.to_owned(), origin.clone())],
        content: Content::default(),
        origin,
    }
}

/// A zone that a file defines.
pub(super) fn of_file(context: &mut Context, file: &ZoneDecl) -> Zone {
    let entry =
        |what: &str, name: &str, span| Origin::written(format!("{what} `{name}` in zone `{}`", file.name.value), span);
    let mut content = file.content.clone();
    content.services = services(context, &file.services);
    expand_rich_services(context, &mut content);
    Zone {
        target: file.target.as_ref().map_or(Target::Default, |t| t.value),
        interfaces: file
            .interfaces
            .iter()
            .map(|i| plain(i.value.clone(), entry("interface", &i.value, i.span)))
            .collect(),
        sources: file.sources.iter().map(|s| plain(s.value, entry("source", &s.value.to_string(), s.span))).collect(),
        forward: file.forward,
        content,
        port_at: file.port_at.clone(),
        origin: Origin::written(format!("zone `{}`", file.name.value), file.span),
    }
}

/// A policy that a file defines.
pub(super) fn policy_of_file(context: &mut Context, file: &PolicyDecl) -> Policy {
    let zone = |z: &Spanned<String>| plain(z.value.clone(), Origin::written(format!("zone `{}`", z.value), z.span));
    let mut content = file.content.clone();
    content.services = services(context, &file.services);
    expand_rich_services(context, &mut content);
    Policy {
        // firewalld.policy(5): the default priority is -1 and the default target CONTINUE.
        priority: file.priority.as_ref().map_or(-1, |p| p.value),
        target: file.target.as_ref().map_or(Target::Continue, |t| t.value),
        ingress: file.ingress.iter().map(zone).collect(),
        egress: file.egress.iter().map(zone).collect(),
        content,
        origin: Origin::written(format!("policy `{}`", file.name.value), file.span),
    }
}

fn plain<T>(value: T, origin: Origin) -> Entry<T> {
    Entry { value, guard: None, origin }
}

fn services(context: &mut Context, names: &[Spanned<String>]) -> Vec<Entry<Service>> {
    let mut found = Vec::new();
    for name in names {
        match service(context, &name.value, name.span) {
            Some(service) => {
                found.push(plain(service, Origin::written(format!("service `{}`", name.value), name.span)))
            }
            None => {
                context.report(unknown_service(context, &name.value, name.span));
                // Observed with firewalld 1.3.3: INVALID_SERVICE in a file makes the daemon start with the
                // configuration that it ships with, and none of the files counts.
                let what = format!("`{}` in a file makes firewalld fall back to its stock configuration", name.value);
                context.unmodeled.push(Unmodeled { what, span: name.span, host: None });
            }
        }
    }
    found
}

/// The services that files define, with the ports of the services that they include.
pub(super) fn services_of_files<'a>(declarations: impl Iterator<Item = &'a Declaration>) -> BTreeMap<String, Service> {
    let files: BTreeMap<&str, &ServiceDecl> = declarations
        .filter_map(|d| if let Declaration::Service(file) = d { Some((file.name.value.as_str(), file)) } else { None })
        .collect();
    let service = |file: &ServiceDecl| {
        let mut ports = Vec::new();
        collect_ports(&files, file, &mut ports, MAX_INCLUDES);
        Service { name: file.name.value.clone(), ports, destinations: file.destinations.clone() }
    };
    files.values().map(|file| (file.name.value.clone(), service(file))).collect()
}

fn collect_ports(
    files: &BTreeMap<&str, &ServiceDecl>,
    file: &ServiceDecl,
    ports: &mut Vec<(Protocol, PortRange)>,
    depth: usize,
) {
    ports.extend(&file.ports);
    for include in file.includes.iter().filter(|_| 0 < depth) {
        match files.get(include.value.as_str()) {
            Some(other) => collect_ports(files, other, ports, depth - 1),
            None => ports.extend(firewall_builtin::service(&include.value).into_iter().flat_map(|s| s.ports)),
        }
    }
}

/// The service of that name; what it opens beside ports has no model and is reported.
fn service(context: &mut Context, name: &str, span: Span) -> Option<Service> {
    if let Some(service) = context.services.get(name) {
        return Some(service.clone());
    }
    if let Some(part) = firewall_builtin::unmodeled_part(name) {
        context.report(unmodeled_part(name, part, span));
    }
    firewall_builtin::service(name)
}

/// Rich rules name services; what a service opens is filled in here.
fn expand_rich_services(context: &mut Context, content: &mut Content) {
    content.rich_rules.retain_mut(|entry| {
        let span = entry.origin.span();
        expand_rich_service(context, &mut entry.value, span)
    });
}

fn expand_rich_service(context: &mut Context, rule: &mut RichRule, span: Option<Span>) -> bool {
    let RichElement::Service(named) = &mut rule.element else { return true };
    let Some(span) = span else { return false };
    match service(context, &named.name, span) {
        Some(known) => *named = known,
        None => {
            context.report(unknown_service(context, &named.name, span));
            return false;
        }
    }
    true
}

/// Makes one change; whether there was anything to change it in.
pub(super) fn change(
    context: &mut Context,
    configuration: &mut Configuration,
    place: Place<'_>,
    command: &FirewallCmd,
) -> bool {
    let origin = || Origin::written(describe(&command.change), command.span);
    if let FirewallChange::NewZone(name) = &command.change {
        configuration.zones.entry(name.clone()).or_insert_with(|| empty_zone(origin()));
        return true;
    }
    if let FirewallChange::NewPolicy(name) = &command.change {
        configuration.policies.entry(name.clone()).or_insert_with(|| empty_policy(origin()));
        return true;
    }
    match place {
        Place::Policy(name, span) => match configuration.policies.get_mut(name) {
            Some(policy) => change_policy(context, policy, command, &origin()),
            None => {
                context.report(unknown_policy(name, span, configuration.policies.keys()));
                false
            }
        },
        Place::Zone(name, span) => {
            if !configuration.zones.contains_key(name) {
                context.report(unknown_zone(name, span, configuration.zones.keys()));
                return false;
            }
            if let Some(other) = binding::elsewhere(&configuration.zones, name, &command.change) {
                context.report(binding::refused(&command.change, name, other, command.span));
                return false;
            }
            binding::unbind(&mut configuration.zones, &command.change);
            configuration.zones.get_mut(name).is_some_and(|zone| change_zone(context, zone, command, &origin()))
        }
    }
}

fn change_zone(context: &mut Context, zone: &mut Zone, command: &FirewallCmd, origin: &Origin) -> bool {
    match &command.change {
        FirewallChange::Interface(true, name) | FirewallChange::MoveInterface(name) => {
            zone.interfaces.push(plain(name.clone(), origin.clone()));
        }
        FirewallChange::Source(true, net) | FirewallChange::MoveSource(net) => {
            zone.sources.push(plain(*net, origin.clone()));
        }
        FirewallChange::Interface(false, _) | FirewallChange::Source(false, _) => {}
        FirewallChange::Forward(on) => zone.forward = *on,
        FirewallChange::Target(target) => zone.target = *target,
        other => return change_content(context, &mut zone.content, other, command.permanent, origin),
    }
    true
}

fn change_policy(context: &mut Context, policy: &mut Policy, command: &FirewallCmd, origin: &Origin) -> bool {
    match &command.change {
        FirewallChange::Target(target) => policy.target = *target,
        FirewallChange::Priority(priority) => policy.priority = *priority,
        FirewallChange::IngressZone(add, zone) => set(&mut policy.ingress, *add, zone.clone(), origin),
        FirewallChange::EgressZone(add, zone) => set(&mut policy.egress, *add, zone.clone(), origin),
        other => return change_content(context, &mut policy.content, other, command.permanent, origin),
    }
    true
}

fn change_content(
    context: &mut Context,
    content: &mut Content,
    change: &FirewallChange,
    is_permanent: bool,
    origin: &Origin,
) -> bool {
    use FirewallChange as C;
    match change {
        C::Port(add, port) => set(&mut content.ports, *add, *port, origin),
        C::SourcePort(add, port) => set(&mut content.source_ports, *add, *port, origin),
        C::Protocol(add, protocol) => set(&mut content.protocols, *add, *protocol, origin),
        C::ForwardPort(add, forward) => {
            // What a running firewalld is told comes behind what it has loaded.
            if !is_permanent && !content.rich_rules.is_empty() {
                set(&mut content.later_forward_ports, *add, forward.clone(), origin);
            }
            if is_permanent || !add || content.rich_rules.is_empty() {
                set(&mut content.forward_ports, *add, forward.clone(), origin);
            }
        }
        C::IcmpBlock(add, kind) => set(&mut content.icmp_blocks, *add, kind.clone(), origin),
        C::IcmpBlockInversion(on) => content.icmp_block_inversion = *on,
        C::Masquerade(on) => content.masquerade = on.then(|| origin.clone()),
        C::Service(false, name) => content.services.retain(|s| s.value.name != *name),
        C::Service(true, name) => {
            let Some(span) = origin.span() else { return false };
            let Some(service) = service(context, name, span) else {
                context.report(unknown_service(context, name, span));
                return false;
            };
            set(&mut content.services, true, service, origin);
        }
        C::RichRule(add, rule) => {
            let mut rule = (**rule).clone();
            if !expand_rich_service(context, &mut rule, origin.span()) {
                return false;
            }
            content.rich_rules.retain(|r| !same_rule(&r.value, &rule));
            if *add {
                content.rich_rules.push(plain(rule, origin.clone()));
            }
        }
        C::Interface(..) | C::Source(..) | C::MoveInterface(_) | C::MoveSource(_) => return false,
        C::Forward(_) | C::Target(_) => return false,
        C::IngressZone(..) | C::EgressZone(..) | C::Priority(_) => return false,
        C::NewZone(_) | C::NewPolicy(_) | C::DefaultZone(_) | C::RuntimeToPermanent => return false,
    }
    true
}

fn set<T: PartialEq>(entries: &mut Vec<Entry<T>>, add: bool, value: T, origin: &Origin) {
    let exists = entries.iter().any(|e| e.value == value);
    match (add, exists) {
        (true, false) => entries.push(plain(value, origin.clone())),
        (false, true) => entries.retain(|e| e.value != value),
        (true, true) | (false, false) => {}
    }
}

fn same_rule(a: &RichRule, b: &RichRule) -> bool {
    (a.priority, a.family, a.source, a.destination) == (b.priority, b.family, b.source, b.destination)
        && a.element == b.element
        && a.action == b.action
}

fn describe(change: &FirewallChange) -> String {
    use FirewallChange as C;
    let verb = |add: &bool| if *add { "added" } else { "removed" };
    match change {
        C::Port(add, (protocol, ports)) => format!("port {ports}/{protocol} {}", verb(add)),
        C::SourcePort(add, (protocol, ports)) => format!("source port {ports}/{protocol} {}", verb(add)),
        C::Service(add, name) => format!("service `{name}` {}", verb(add)),
        C::Protocol(add, number) => format!("protocol {number} {}", verb(add)),
        C::Source(add, net) => format!("source {net} {}", verb(add)),
        C::Interface(add, name) => format!("interface `{name}` {}", verb(add)),
        C::MoveSource(net) => format!("source {net} moved"),
        C::MoveInterface(name) => format!("interface `{name}` moved"),
        C::Masquerade(add) => format!("masquerading {}", verb(add)),
        C::Forward(add) => format!("forwarding inside the zone {}", verb(add)),
        C::ForwardPort(add, forward) => format!("forward of port {}/{} {}", forward.ports, forward.protocol, verb(add)),
        C::IcmpBlock(add, kind) => format!("block of ICMP `{kind}` {}", verb(add)),
        C::IcmpBlockInversion(add) => format!("inversion of ICMP blocks {}", verb(add)),
        C::RichRule(add, _) => format!("rich rule {}", verb(add)),
        C::Target(_) => "target".to_owned(),
        C::NewZone(name) => format!("zone `{name}`"),
        C::NewPolicy(name) => format!("policy `{name}`"),
        C::IngressZone(add, name) => format!("ingress zone `{name}` {}", verb(add)),
        C::EgressZone(add, name) => format!("egress zone `{name}` {}", verb(add)),
        C::Priority(number) => format!("priority {number}"),
        C::DefaultZone(name) => format!("default zone `{name}`"),
        C::RuntimeToPermanent => "the running configuration made permanent".to_owned(),
    }
}

/// A policy as `--new-policy` makes it (firewalld.policy(5): the default target is CONTINUE, the default priority -1).
fn empty_policy(origin: Origin) -> Policy {
    Policy {
        priority: -1,
        target: Target::Continue,
        ingress: Vec::new(),
        egress: Vec::new(),
        content: Content::default(),
        origin,
    }
}

/// A zone as `--new-zone` makes it: empty; forwarding inside the zone is on since firewalld 1.0 (firewalld.zone(5)).
fn empty_zone(origin: Origin) -> Zone {
    Zone {
        target: Target::Default,
        interfaces: Vec::new(),
        sources: Vec::new(),
        forward: true,
        content: Content::default(),
        port_at: None,
        origin,
    }
}

/// The zone that dockerd makes when firewalld runs, for commands that name it (moby, daemon/libnetwork/iptables,
/// firewalld.go, `setupDockerZone`).
pub(super) fn docker_zone() -> Zone {
    const CITATION: &str = "moby, libnetwork/iptables/firewalld.go: dockerd creates zone `docker` with target ACCEPT";
    Zone { target: Target::Accept, ..empty_zone(Origin::implied("zone `docker`", None, CITATION)) }
}

/// A zone that does not exist.
pub(super) fn unknown_zone<'a>(name: &str, span: Span, known: impl Iterator<Item = &'a String>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::FirewalldUnknownZone, format!("there is no zone `{name}`"))
        .label(span, "firewalld refuses this");
    match did_you_mean(name, known.map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("create it with `firewall-cmd --permanent --new-zone={name}` and a reload")),
    }
}

fn unknown_policy<'a>(name: &str, span: Span, known: impl Iterator<Item = &'a String>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::FirewalldUnknownZone, format!("there is no policy `{name}`"))
        .label(span, "firewalld refuses this");
    match did_you_mean(name, known.map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help("policies are created with `firewall-cmd --permanent --new-policy`"),
    }
}

fn unknown_service(context: &Context, name: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::FirewalldUnknownService, format!("there is no service `{name}`"))
        .label(span, "firewalld does not know it");
    let of_files = did_you_mean(name, context.services.keys().map(String::as_str));
    match of_files.or_else(|| did_you_mean(name, firewall_builtin::services())) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help("open the port itself, for example `--add-port=3000/tcp`"),
    }
}

fn unmodeled_part(name: &str, part: &str, span: Span) -> Diagnostic {
    let message = format!("not modelled: what service `{name}` opens beside ports ({part})");
    Diagnostic::new(Code::Unmodeled, message).label(span, "its ports are modelled, this is not")
}
