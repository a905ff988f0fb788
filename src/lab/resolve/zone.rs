//! Zones and policies of firewalld: from files, and changed by `firewall-cmd`.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::declaration::{FirewallChange, FirewallCmd, PolicyDecl, ServiceChange, ServiceDecl, ZoneDecl};
use crate::lab::firewall_builtin::{self, BuiltinPolicy, BuiltinZone};
use crate::lab::{Content, Entry, Peers, Policy, RichElement, RichRule, Service, Target, Zone};
use crate::language::{Text, text};
use crate::provenance::Origin;
use crate::source::{Span, Spanned};

use super::configuration::Configuration;
use super::definitions::Definitions;
use super::policy::{Release, conflict};
use super::{Context, binding};

/// What a `firewall-cmd` line changes, with the place where it is named.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Zone(&'a str, Span),
    Policy(&'a str, Span),
}

/// The zones that firewalld ships with.
pub(super) fn builtin_zones(definitions: &Definitions) -> BTreeMap<String, Zone> {
    firewall_builtin::zones().map(|zone| (zone.name.to_owned(), builtin_zone(zone, definitions))).collect()
}

fn builtin_zone(zone: BuiltinZone, definitions: &Definitions) -> Zone {
    let implied = |what: String| Origin::implied(what, None, firewall_builtin::CITATION);
    let services = zone.services.iter().filter_map(|name| definitions.service(name));
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
    let origin = Origin::implied(
        text!("policy `{name}`", "정책 `{name}`", name = &policy.name),
        None,
        firewall_builtin::CITATION,
    );
    Policy {
        priority: policy.priority,
        target: policy.target,
        disabled: false,
        ingress: vec![plain(policy.ingress.to_owned(), origin.clone())],
        egress: vec![plain(policy.egress.to_owned(), origin.clone())],
        content: Content::default(),
        origin,
    }
}

/// A zone that a file or a listing defines. Services that do not exist are left out: whoever reads the files has said
/// what follows from that.
pub(super) fn of_file(file: &ZoneDecl) -> Zone {
    let entry =
        |what: &str, name: &str, span| Origin::written(format!("{what} `{name}` in zone `{}`", file.name.value), span);
    let priority = |p: &Option<Spanned<i32>>| p.as_ref().map_or(0, |p| p.value);
    Zone {
        target: file.target.as_ref().map_or(Target::Default, |t| t.value),
        interfaces: file
            .interfaces
            .iter()
            .map(|i| plain(i.value.clone(), entry("interface", &i.value, i.span)))
            .collect(),
        sources: file
            .sources
            .iter()
            .map(|s| plain(s.value.clone(), entry("source", &s.value.to_string(), s.span)))
            .collect(),
        priorities: (priority(&file.priorities.0), priority(&file.priorities.1)),
        forward: file.forward,
        content: Content { services: services(&file.services), ..file.content.clone() },
        port_at: file.port_at.clone(),
        origin: Origin::written(text!("zone `{name}`", "`{name}` 영역", name = &file.name.value), file.span),
    }
}

/// A zone that is put together from several files has what any of them has; the target is the default one
/// (firewall/core/io/zone.py, `combine`).
pub(super) fn combine(zone: &mut Zone, part: Zone) {
    zone.interfaces.extend(part.interfaces);
    zone.sources.extend(part.sources);
    zone.forward |= part.forward;
    let (own, other) = (&mut zone.content, part.content);
    own.services.extend(other.services);
    own.ports.extend(other.ports);
    own.source_ports.extend(other.source_ports);
    own.protocols.extend(other.protocols);
    own.masquerade = own.masquerade.take().or(other.masquerade);
    own.forward_ports.extend(other.forward_ports);
    own.icmp_blocks.extend(other.icmp_blocks);
    own.icmp_block_inversion |= other.icmp_block_inversion;
    own.rich_rules.extend(other.rich_rules);
}

/// A policy that a file or a listing defines.
pub(super) fn policy_of_file(file: &PolicyDecl) -> Policy {
    let zone = |z: &Spanned<String>| {
        plain(z.value.clone(), Origin::written(text!("zone `{name}`", "`{name}` 영역", name = &z.value), z.span))
    };
    Policy {
        // firewalld.policy(5): the default priority is -1 and the default target CONTINUE.
        priority: file.priority.as_ref().map_or(-1, |p| p.value),
        target: file.target.as_ref().map_or(Target::Continue, |t| t.value),
        disabled: file.disabled.is_some(),
        ingress: file.ingress.iter().map(zone).collect(),
        egress: file.egress.iter().map(zone).collect(),
        content: Content { services: services(&file.services), ..file.content.clone() },
        origin: Origin::written(text!("policy `{name}`", "정책 `{name}`", name = &file.name.value), file.span),
    }
}

fn plain<T>(value: T, origin: Origin) -> Entry<T> {
    Entry { value, guard: None, origin }
}

/// Services by name; what they stand for is filled in at the end.
fn services(names: &[Spanned<String>]) -> Vec<Entry<Service>> {
    let named = |name: &Spanned<String>| Service { name: name.value.clone(), ..Service::default() };
    names
        .iter()
        .map(|n| {
            plain(named(n), Origin::written(text!("service `{name}`", "서비스 `{name}`", name = &n.value), n.span))
        })
        .collect()
}

/// Makes one change; whether there was anything to change it in.
pub(super) fn change(
    context: &mut Context,
    configuration: &mut Configuration,
    place: Place<'_>,
    command: &FirewallCmd,
    release: Release,
) -> bool {
    let origin = || Origin::written(describe(&command.change), command.span);
    if let Some(changed) = define(context, configuration, command) {
        return changed;
    }
    let definitions = configuration.definitions.clone();
    match place {
        Place::Policy(..) if unknown_end(&configuration.zones, &command.change).is_some() => {
            if let Some(zone) = unknown_end(&configuration.zones, &command.change) {
                context.report(unknown_zone(zone, command.span, configuration.zones.keys()));
            }
            false
        }
        Place::Policy(name, span) => match configuration.policies.get_mut(name) {
            Some(policy) => {
                let before = policy.clone();
                let changed = change_policy(context, &definitions, policy, command, &origin());
                if let Some(what) = conflict(policy, &configuration.zones, release) {
                    *policy = before;
                    context.report(refused(command.span, what));
                    return false;
                }
                changed
            }
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
            let zone = configuration.zones.get_mut(name);
            zone.is_some_and(|zone| change_zone(context, &definitions, zone, command, &origin()))
        }
    }
}

/// The zone that an end of a policy should become and that does not exist.
fn unknown_end<'c>(zones: &BTreeMap<String, Zone>, change: &'c FirewallChange) -> Option<&'c str> {
    match change {
        FirewallChange::IngressZone(true, name) | FirewallChange::EgressZone(true, name) => {
            (!matches!(name.as_str(), "ANY" | "HOST") && !zones.contains_key(name)).then_some(name)
        }
        _ => None,
    }
}

/// Changes of what there is, as opposed to changes inside a zone or policy.
fn define(context: &mut Context, configuration: &mut Configuration, command: &FirewallCmd) -> Option<bool> {
    use FirewallChange as C;
    let origin = || Origin::written(describe(&command.change), command.span);
    let Configuration { zones, policies, definitions, .. } = configuration;
    Some(match &command.change {
        C::NewZone(name) | C::NewPolicy(name) if zones.contains_key(name) != policies.contains_key(name) => {
            let is_same_kind = matches!(command.change, C::NewZone(_)) == zones.contains_key(name);
            if !is_same_kind {
                context.report(zone_and_policy(name, command.span));
            }
            is_same_kind
        }
        C::NewZone(name) => {
            zones.entry(name.clone()).or_insert_with(|| empty_zone(origin()));
            true
        }
        C::NewPolicy(name) => {
            policies.entry(name.clone()).or_insert_with(|| empty_policy(origin()));
            true
        }
        // A built-in one comes back as it was shipped; firewalld refuses to delete that (firewall-cmd(1)).
        C::DeleteZone(name) if firewall_builtin::zone(name).is_none() => match zones.remove(name) {
            Some(_) => true,
            None => {
                context.report(unknown_zone(name, command.span, zones.keys()));
                false
            }
        },
        C::DeletePolicy(name) => policies.remove(name).is_some(),
        C::NewService(name) => definitions.services.insert(name.clone(), empty_service(name, command.span)).is_none(),
        C::DeleteService(name) => definitions.services.remove(name).is_some(),
        C::NewIpSet(set) => definitions.ipsets.insert(set.name.value.clone(), (**set).clone()).is_none(),
        C::DeleteIpSet(name) => definitions.ipsets.remove(name).is_some(),
        C::InService(_, ServiceChange::Include(true, other)) if definitions.service(&other.value).is_none() => {
            context.report(unknown_service(definitions, &other.value, other.span));
            false
        }
        C::InService(name, change) => {
            let known = definitions.change_service(name, change, empty_service(name, command.span));
            if !known {
                context.report(unknown_service(definitions, name, command.span));
            }
            known
        }
        C::Entry(add, name, nets) => match definitions.ipsets.get_mut(name).map(|set| &mut set.entries) {
            Some(entries) => {
                let entries = entries.get_or_insert_default();
                entries.retain(|net| !nets.contains(net));
                entries.extend(nets.iter().filter(|_| *add));
                true
            }
            None => {
                context.report(unknown_ipset(name, command.span));
                false
            }
        },
        C::DeleteZone(_) => false,
        _ => return None,
    })
}

fn zone_and_policy(name: &str, span: Span) -> Diagnostic {
    let message = text!(
        "`{name}` would be a zone as well as a policy",
        "`{name}`: 같은 이름의 영역과 정책은 함께 있을 수 없습니다"
    );
    refused(span, message)
}

fn empty_service(name: &str, span: Span) -> ServiceDecl {
    ServiceDecl {
        name: Spanned::new(name.to_owned(), span),
        is_stock: false,
        ports: Vec::new(),
        protocols: Vec::new(),
        source_ports: Vec::new(),
        includes: Vec::new(),
        destinations: Vec::new(),
        span,
    }
}

fn change_zone(
    context: &mut Context,
    definitions: &Definitions,
    zone: &mut Zone,
    command: &FirewallCmd,
    origin: &Origin,
) -> bool {
    match &command.change {
        FirewallChange::Interface(true, name) | FirewallChange::MoveInterface(name) => {
            zone.interfaces.push(plain(name.clone(), origin.clone()));
        }
        FirewallChange::Source(true, peers) | FirewallChange::MoveSource(peers) => {
            if let Peers::Set(name, _) = peers
                && !definitions.ipsets.contains_key(name)
            {
                context.report(unknown_ipset(name, command.span));
                return false;
            }
            zone.sources.push(plain(peers.clone(), origin.clone()));
        }
        FirewallChange::Interface(false, _) | FirewallChange::Source(false, _) => {}
        FirewallChange::Forward(on) => zone.forward = *on,
        FirewallChange::Target(target) => zone.target = *target,
        FirewallChange::IngressPriority(priority) => zone.priorities.0 = *priority,
        FirewallChange::EgressPriority(priority) => zone.priorities.1 = *priority,
        _ => return change_content(context, definitions, &mut zone.content, command, origin),
    }
    true
}

fn change_policy(
    context: &mut Context,
    definitions: &Definitions,
    policy: &mut Policy,
    command: &FirewallCmd,
    origin: &Origin,
) -> bool {
    match &command.change {
        FirewallChange::Target(target) => policy.target = *target,
        FirewallChange::Priority(priority) => policy.priority = *priority,
        FirewallChange::Disable(disabled) => policy.disabled = *disabled,
        FirewallChange::IngressZone(add, zone) => set(&mut policy.ingress, *add, zone.clone(), origin),
        FirewallChange::EgressZone(add, zone) => set(&mut policy.egress, *add, zone.clone(), origin),
        _ => return change_content(context, definitions, &mut policy.content, command, origin),
    }
    true
}

fn change_content(
    context: &mut Context,
    definitions: &Definitions,
    content: &mut Content,
    command: &FirewallCmd,
    origin: &Origin,
) -> bool {
    use FirewallChange as C;
    // What a running firewalld is told comes behind the rich rules that it has loaded.
    let is_later = !command.permanent && !content.rich_rules.is_empty();
    match &command.change {
        C::Port(add, port) => set(&mut content.ports, *add, *port, origin),
        C::SourcePort(add, port) => set(&mut content.source_ports, *add, *port, origin),
        C::Protocol(add, protocol) => set(&mut content.protocols, *add, *protocol, origin),
        C::ForwardPort(add, forward) => {
            let lists = (&mut content.forward_ports, &mut content.later_forward_ports);
            change_either(lists, (*add, is_later), forward, origin);
        }
        C::IcmpBlock(_, kind) if !knows_icmp_type(context, kind, command.span) => return false,
        C::IcmpBlock(add, kind) => {
            let lists = (&mut content.icmp_blocks, &mut content.later_icmp_blocks);
            change_either(lists, (*add, is_later), kind, origin);
        }
        C::IcmpBlockInversion(on) => content.icmp_block_inversion = *on,
        C::Masquerade(on) => content.masquerade = on.then(|| origin.clone()),
        C::Service(false, name) => content.services.retain(|s| s.value.name != *name),
        C::Service(true, name) => {
            if !knows_service(context, definitions, name, command.span) {
                return false;
            }
            if content.services.iter().all(|s| s.value.name != *name) {
                content.services.push(plain(Service { name: name.clone(), ..Service::default() }, origin.clone()));
            }
        }
        C::RichRule(add, rule) => {
            if !knows_what_it_names(context, definitions, rule, command.span) {
                return false;
            }
            let is_there = content.rich_rules.iter().any(|r| same_rule(&r.value, rule));
            match add {
                true if is_there => {}
                true => {
                    let rule = RichRule { later: !command.permanent, ..(**rule).clone() };
                    content.rich_rules.push(plain(rule, origin.clone()));
                }
                false => content.rich_rules.retain(|r| !same_rule(&r.value, rule)),
            }
        }
        C::Interface(..) | C::Source(..) | C::MoveInterface(_) | C::MoveSource(_) => return false,
        C::Forward(_) | C::Target(_) => return false,
        C::IngressZone(..) | C::EgressZone(..) | C::Priority(_) | C::Disable(_) => return false,
        C::IngressPriority(_) | C::EgressPriority(_) | C::DefaultZone(_) | C::RuntimeToPermanent => return false,
        C::NewZone(_) | C::NewPolicy(_) | C::NewService(_) | C::NewIpSet(_) | C::InService(..) => return false,
        C::DeleteZone(_) | C::DeletePolicy(_) | C::DeleteService(_) | C::DeleteIpSet(_) => return false,
        C::Entry(..) | C::Direct(..) => return false,
    }
    true
}

/// Adds to the first list, or to the second what is later and not in the first; takes away from both.
fn change_either<T: Clone + PartialEq>(
    (first, later): (&mut Vec<Entry<T>>, &mut Vec<Entry<T>>),
    (add, is_later): (bool, bool),
    value: &T,
    origin: &Origin,
) {
    let is_later = is_later && !first.iter().any(|entry| entry.value == *value);
    if is_later || !add {
        set(later, add, value.clone(), origin);
    }
    if !is_later || !add {
        set(first, add, value.clone(), origin);
    }
}

/// Whether the service or ICMP type of a rich rule exists.
fn knows_what_it_names(context: &mut Context, definitions: &Definitions, rule: &RichRule, span: Span) -> bool {
    match &rule.element {
        RichElement::Service(service) => knows_service(context, definitions, &service.name, span),
        RichElement::IcmpBlock(kind) | RichElement::IcmpType(kind) => knows_icmp_type(context, kind, span),
        _ => true,
    }
}

fn knows_icmp_type(context: &mut Context, name: &str, span: Span) -> bool {
    let is_known = firewall_builtin::ICMP_TYPES.contains(&name);
    if !is_known {
        let diagnostic = refused(span, text!("there is no ICMP type `{name}`", "`{name}` ICMP 유형이 없습니다"));
        context.report(match did_you_mean(name, firewall_builtin::ICMP_TYPES) {
            Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
            None => diagnostic.help(text!(
                "`firewall-cmd --get-icmptypes` lists them",
                "`firewall-cmd --get-icmptypes`로 목록을 보십시오"
            )),
        });
    }
    is_known
}

fn refused(span: Span, message: Text) -> Diagnostic {
    Diagnostic::new(Code::FirewalldBadRule, message).label(span, text!("firewalld refuses this", "firewalld가 거부함"))
}

fn knows_service(context: &mut Context, definitions: &Definitions, name: &str, span: Span) -> bool {
    let is_known = definitions.service(name).is_some();
    if !is_known {
        context.report(unknown_service(definitions, name, span));
    }
    is_known
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
    (a.priority, a.family, &a.limit) == (b.priority, b.family, &b.limit)
        && (&a.source, &a.destination) == (&b.source, &b.destination)
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
        C::IngressPriority(number) => format!("ingress priority {number}"),
        C::EgressPriority(number) => format!("egress priority {number}"),
        C::NewZone(name) => format!("zone `{name}`"),
        C::DeleteZone(name) => format!("zone `{name}` deleted"),
        C::NewPolicy(name) => format!("policy `{name}`"),
        C::DeletePolicy(name) => format!("policy `{name}` deleted"),
        C::NewService(name) => format!("service `{name}`"),
        C::DeleteService(name) => format!("service `{name}` deleted"),
        C::InService(name, _) => format!("service `{name}` changed"),
        C::NewIpSet(set) => format!("ipset `{}`", set.name.value),
        C::DeleteIpSet(name) => format!("ipset `{name}` deleted"),
        C::Entry(add, name, _) => format!("entry of ipset `{name}` {}", verb(add)),
        C::Direct(add, _) => format!("direct rule {}", verb(add)),
        C::IngressZone(add, name) => format!("ingress zone `{name}` {}", verb(add)),
        C::EgressZone(add, name) => format!("egress zone `{name}` {}", verb(add)),
        C::Disable(add) => format!("disabling {}", verb(add)),
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
        disabled: false,
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
        priorities: (0, 0),
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
    Zone {
        target: Target::Accept,
        ..empty_zone(Origin::implied(text!("zone `docker`", "`docker` 영역"), None, CITATION))
    }
}

/// A zone that does not exist.
pub(super) fn unknown_zone<'a>(name: &str, span: Span, known: impl Iterator<Item = &'a String>) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::FirewalldUnknownZone, text!("there is no zone `{name}`", "`{name}` 영역이 없습니다"))
            .label(span, text!("firewalld refuses this", "firewalld가 거부함"));
    match did_you_mean(name, known.map(String::as_str)) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic.help(text!(
            "create it with `firewall-cmd --permanent --new-zone={name}` and a reload",
            "`firewall-cmd --permanent --new-zone={name}` 명령으로 만들고 다시 읽으십시오(reload)"
        )),
    }
}

fn unknown_policy<'a>(name: &str, span: Span, known: impl Iterator<Item = &'a String>) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::FirewalldUnknownZone, text!("there is no policy `{name}`", "`{name}` 정책이 없습니다"))
            .label(span, text!("firewalld refuses this", "firewalld가 거부함"));
    match did_you_mean(name, known.map(String::as_str)) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic.help(text!(
            "policies are created with `firewall-cmd --permanent --new-policy`",
            "정책은 `firewall-cmd --permanent --new-policy`로 만드십시오"
        )),
    }
}

/// A service that does not exist.
pub(super) fn unknown_service(definitions: &Definitions, name: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::FirewalldUnknownService,
        text!("there is no service `{name}`", "`{name}` 서비스가 없습니다"),
    )
    .label(span, text!("firewalld does not know it", "firewalld가 모르는 서비스임"));
    match did_you_mean(name, definitions.service_names()) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic.help(text!(
            "open the port itself, for example `--add-port=3000/tcp`",
            "포트를 직접 여십시오. 예: `--add-port=3000/tcp`"
        )),
    }
}

fn unknown_ipset(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::FirewalldBadRule, text!("there is no ipset `{name}`", "`{name}` ipset이 없습니다"))
        .label(span, text!("firewalld refuses this", "firewalld가 거부함"))
        .help(text!(
            "create it with `firewall-cmd --permanent --new-ipset={name} --type=hash:net` and a reload",
            "`firewall-cmd --permanent --new-ipset={name} --type=hash:net` 명령으로 만들고 다시 읽으십시오(reload)"
        ))
}
