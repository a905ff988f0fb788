//! One of firewalld's two configurations, the running or the permanent one, as files and listings state it.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::declaration::{DirectRule, FirewalldListing, InterfaceZone, ZoneBindings};
use crate::lab::{Content, Declaration, Entry, Policy, Zone};
use crate::language::{Text, text};
use crate::net::Version;
use crate::provenance::Origin;
use crate::source::{Span, Spanned};
use crate::switch::{Switch, SwitchId, SwitchKind};

use super::Context;
use super::bind::HostPlan;
use super::definitions::Definitions;
use super::zone;

/// One of the two configurations.
#[derive(Clone)]
pub(super) struct Configuration {
    pub(super) zones: BTreeMap<String, Zone>,
    pub(super) policies: BTreeMap<String, Policy>,
    pub(super) definitions: Definitions,
    /// What goes to iptables as it is.
    pub(super) direct: Vec<DirectRule>,
}

impl Configuration {
    /// What firewalld ships with.
    pub(super) fn stock(version: Version) -> Self {
        let definitions = Definitions::stock(version);
        Self {
            zones: zone::builtin_zones(&definitions),
            policies: zone::builtin_policies(),
            definitions,
            direct: Vec::new(),
        }
    }

    /// What the daemon reads when it starts: the built-in zones, replaced by the files of the same name; those of
    /// /usr/lib are replaced by those of /etc.
    pub(super) fn of_files(plan: &HostPlan<'_>, version: Version) -> Self {
        let mut read = Self::stock(version);
        read.definitions.read(plan.declarations());
        for wanted in [true, false] {
            plan.declarations().for_each(|declaration| read.file(declaration, wanted));
        }
        read
    }

    fn file(&mut self, declaration: &Declaration, is_stock: bool) {
        match declaration {
            Declaration::Zone(file) if file.is_stock == is_stock => {
                let zone = zone::of_file(file);
                match file.name.value.split_once('/') {
                    None => drop(self.zones.insert(file.name.value.clone(), zone)),
                    Some((combined, _)) => match self.zones.get_mut(combined).filter(|z| z.origin.span().is_some()) {
                        Some(other) => zone::combine(other, zone),
                        None => drop(self.zones.insert(combined.to_owned(), zone)),
                    },
                }
            }
            Declaration::Policy(file) if file.is_stock == is_stock => {
                self.policies.insert(file.name.value.clone(), zone::policy_of_file(file));
            }
            Declaration::Direct(rule) if !is_stock => self.direct.push(rule.value.clone()),
            _ => {}
        }
    }

    /// NetworkManager tells the running daemon into which zone an interface belongs, whatever the files say.
    pub(super) fn bind(&mut self, binding: &InterfaceZone, default_zone: &str) {
        let InterfaceZone { interface, zone } = binding;
        let name = if zone.value.is_empty() { default_zone } else { zone.value.as_str() };
        if !self.zones.contains_key(name) {
            return;
        }
        self.zones.values_mut().for_each(|other| other.interfaces.retain(|i| i.value != *interface));
        if let Some(own) = self.zones.get_mut(name) {
            let origin = Origin::written(
                text!(
                    "zone `{name}` of `{interface}`, told by NetworkManager",
                    "NetworkManager가 알린 `{interface}`의 영역 `{name}`"
                ),
                zone.span,
            );
            own.interfaces.push(Entry { value: interface.clone(), guard: None, origin });
        }
    }

    /// Puts what a listing shows in the place of what was worked out, and reports where the two differ.
    pub(super) fn listed(&mut self, context: &mut Context, listing: &FirewalldListing) {
        for file in &listing.services {
            self.definitions.services.insert(file.name.value.clone(), file.clone());
        }
        for file in &listing.ipsets {
            self.definitions.ipsets.insert(file.name.value.clone(), file.clone());
        }
        for file in &listing.zones {
            let zone = zone::of_file(file);
            if let Some(other) = self.zones.get(&file.name.value)
                && let Some(what) = difference(other, &zone)
            {
                context.report(differs(&file.name, &what));
            }
            self.zones.insert(file.name.value.clone(), zone);
        }
        for file in &listing.policies {
            self.policies.insert(file.name.value.clone(), zone::policy_of_file(file));
        }
        for ZoneBindings { zone: name, interfaces, sources } in &listing.bindings {
            if let Some(zone) = self.zones.get_mut(&name.value) {
                let entry = |what: &str, span| Origin::written(format!("{what} of zone `{}`", name.value), span);
                let interface = |i: &Spanned<String>| Entry {
                    value: i.value.clone(),
                    guard: None,
                    origin: entry("interface", i.span),
                };
                zone.interfaces = interfaces.iter().map(interface).collect();
                zone.sources = sources
                    .iter()
                    .map(|s| Entry { value: s.value.clone(), guard: None, origin: entry("source", s.span) })
                    .collect();
            }
        }
    }

    /// What a command with `--timeout` has added is there for that time only.
    pub(super) fn limit_in_time(&mut self, context: &mut Context, span: Span, timeout: &Spanned<String>) {
        let seconds = &timeout.value;
        let switch = Switch {
            statement: text!("`--timeout={seconds}` has not passed", "`--timeout={seconds}` 시간이 아직 지나지 않음"),
            default: false,
            kind: SwitchKind::Assumption,
            origin: Origin::written(
                text!("a change for a limited time", "정해진 시간 동안만 유효한 변경"),
                timeout.span,
            ),
        };
        let guard = context.switches.add(switch);
        let zones = self.zones.values_mut().map(|zone| &mut zone.content);
        for content in zones.chain(self.policies.values_mut().map(|policy| &mut policy.content)) {
            limit(&mut content.services, span, guard);
            limit(&mut content.ports, span, guard);
            limit(&mut content.source_ports, span, guard);
            limit(&mut content.protocols, span, guard);
            limit(&mut content.forward_ports, span, guard);
            limit(&mut content.icmp_blocks, span, guard);
            limit(&mut content.rich_rules, span, guard);
        }
    }
}

fn limit<T>(entries: &mut [Entry<T>], span: Span, guard: SwitchId) {
    entries.iter_mut().filter(|e| e.origin.span() == Some(span)).for_each(|e| e.guard = Some(guard));
}

/// The first thing that two zones do not have in common.
fn difference(files: &Zone, listed: &Zone) -> Option<Text> {
    if files.target != listed.target {
        return Some(text!("its target is {target:?}", "타깃이 {target:?}", target = &listed.target));
    }
    if files.forward != listed.forward {
        return Some(text!("forwarding inside the zone", "영역 내부 포워딩"));
    }
    let bindings = |zone: &Zone| -> Vec<Text> {
        let sources = zone.sources.iter().map(|s| text!("source {net}", "출발지 {net}", net = &s.value));
        zone.interfaces
            .iter()
            .map(|i| text!("interface {name}", "인터페이스 {name}", name = &i.value))
            .chain(sources)
            .collect()
    };
    odd_one(&bindings(files), &bindings(listed)).or_else(|| odd_one(&items(&files.content), &items(&listed.content)))
}

fn items(content: &Content) -> Vec<Text> {
    let ports = content.ports.iter().map(|p| {
        text!("port {ports}/{protocol}", "포트 {ports}/{protocol}", ports = &p.value.1, protocol = &p.value.0)
    });
    let source_ports = content.source_ports.iter().map(|p| {
        text!(
            "source port {ports}/{protocol}",
            "출발지 포트 {ports}/{protocol}",
            ports = &p.value.1,
            protocol = &p.value.0
        )
    });
    let services = content.services.iter().map(|s| text!("service {name}", "서비스 {name}", name = &s.value.name));
    let protocols =
        content.protocols.iter().map(|p| text!("protocol {protocol}", "프로토콜 {protocol}", protocol = &p.value));
    let forwards = content.forward_ports.iter().map(|f| {
        text!(
            "forward of port {ports}/{protocol}",
            "포트 포워딩 {ports}/{protocol}",
            ports = &f.value.ports,
            protocol = &f.value.protocol
        )
    });
    let blocks = content.icmp_blocks.iter().map(|b| text!("ICMP block {kind}", "ICMP 차단 {kind}", kind = &b.value));
    let masquerade = content.masquerade.iter().map(|_| text!("masquerading", "마스커레이드"));
    let rules = content.rich_rules.iter().map(|r| {
        text!(
            "a rich rule ({element:?} {action:?})",
            "리치 규칙({element:?} {action:?})",
            element = &r.value.element,
            action = &r.value.action
        )
    });
    ports
        .chain(source_ports)
        .chain(services)
        .chain(protocols)
        .chain(forwards)
        .chain(blocks)
        .chain(masquerade)
        .chain(rules)
        .collect()
}

fn odd_one(files: &[Text], listed: &[Text]) -> Option<Text> {
    let gone = files
        .iter()
        .find(|item| !listed.contains(item))
        .map(|item| text!("{item} is not in force", "{item}: 적용되어 있지 않음"; item));
    gone.or_else(|| {
        listed
            .iter()
            .find(|item| !files.contains(item))
            .map(|item| text!("{item} is in force", "{item}: 적용되어 있음"; item))
    })
}

fn differs(zone: &Spanned<String>, what: &Text) -> Diagnostic {
    let message = text!(
        "zone `{name}` runs with something else than its files say: {what}",
        "실행 중인 `{name}` 영역이 파일과 다릅니다: {what}",
        name = &zone.value; what
    );
    Diagnostic::new(Code::FirewalldListingDiffers, message)
        .label(zone.span, text!("what this listing shows counts", "이 목록에 나온 것을 따름"))
        .help(text!(
            "`firewall-cmd --reload` puts the files in force, `firewall-cmd --runtime-to-permanent` stores what runs",
            "`firewall-cmd --reload`는 파일을 적용하고, `firewall-cmd --runtime-to-permanent`는 실행 중인 설정을 \
             저장합니다"
        ))
}
