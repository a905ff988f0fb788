//! What firewalld refuses about its files although each of them is well-formed: then none of them counts, and the daemon
//! runs with what it ships with.
//!
//! Source: firewall/core/fw.py (`_start`, `_start_failsafe`, `full_check_config`) and firewall/core/io/{zone,policy}.py
//! (`_check_config`) of 1.3.3 and 2.5.2; each kind was tried with both.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::declaration::{Declaration, PolicyDecl, ZoneDecl};
use crate::lab::{Content, Firewalld, Peers, RichElement, RuleBackend, firewall_builtin};
use crate::language::{Text, text};
use crate::net::Version;
use crate::source::{Span, Spanned};

use super::Context;
use super::bind::HostPlan;
use super::configuration::Configuration;
use super::definitions::Definitions;
use super::policy::{Release, conflict};
use super::zone::{unknown_service, unknown_zone};

/// Longest names until 1.x (`max_zone_name_len`, `max_policy_name_len` in firewall/functions.py).
const LONGEST_ZONE: usize = 17;
const LONGEST_POLICY: usize = 18;

/// Whether firewalld refuses the files of a host. Every reason is reported.
pub(super) fn is_refused(
    context: &mut Context,
    plan: &HostPlan<'_>,
    firewalld: &Firewalld,
    read: &Configuration,
    has_docker_zone: bool,
) -> bool {
    let mut files = Files {
        context,
        version: firewalld.version,
        default_zone: &firewalld.default_zone,
        definitions: &read.definitions,
        zones: BTreeMap::new(),
        first: None,
    };
    for declaration in plan.declarations() {
        match declaration {
            // Its own message has been given by whoever read the file.
            Declaration::FirewalldRefused(what) => files.because(what.span),
            Declaration::Zone(zone) => {
                files.zones.insert(&zone.name.value, zone);
            }
            _ => {}
        }
    }
    files.services();
    files.zones();
    for declaration in plan.declarations() {
        if let Declaration::Policy(policy) = declaration {
            files.policy(policy, has_docker_zone);
        }
    }
    files.conflicts(read, firewalld.backend);
    let Some(first) = files.first else { return false };
    context.report(falls_back(first));
    true
}

struct Files<'c, 'p> {
    context: &'c mut Context,
    version: Version,
    default_zone: &'p str,
    definitions: &'p Definitions,
    zones: BTreeMap<&'p str, &'p ZoneDecl>,
    first: Option<Span>,
}

impl Files<'_, '_> {
    fn because(&mut self, span: Span) {
        self.first = self.first.or(Some(span));
    }

    fn refuse(&mut self, span: Span, message: Text) {
        let diagnostic = Diagnostic::new(Code::FirewalldBadRule, message)
            .label(span, text!("firewalld refuses this", "firewalld가 거부함"));
        self.context.report(diagnostic);
        self.because(span);
    }

    fn services(&mut self) {
        for service in self.definitions.services.values() {
            for include in &service.includes {
                self.service(include);
            }
        }
    }

    fn service(&mut self, name: &Spanned<String>) {
        if self.definitions.service(&name.value).is_none() {
            self.context.report(unknown_service(self.definitions, &name.value, name.span));
            self.because(name.span);
        }
    }

    fn zones(&mut self) {
        let zones: Vec<&ZoneDecl> = self.zones.values().copied().collect();
        let (mut interfaces, mut sources) = (BTreeMap::new(), BTreeMap::new());
        for zone in zones {
            let name = zone.name.value.as_str();
            self.name(&text!("zone", "영역"), &zone.name, LONGEST_ZONE);
            zone.services.iter().for_each(|service| self.service(service));
            let is_active = name == self.default_zone || !zone.interfaces.is_empty() || !zone.sources.is_empty();
            self.content(&zone.content, is_active);
            for interface in &zone.interfaces {
                if interfaces.insert(interface.value.clone(), name).is_some_and(|other| other != name) {
                    self.refuse(
                        interface.span,
                        text!(
                            "the interface `{name}` is in two zones",
                            "`{name}` 인터페이스가 두 영역에 있습니다",
                            name = &interface.value
                        ),
                    );
                }
            }
            for source in &zone.sources {
                if sources.insert(source.value.to_string(), name).is_some_and(|other| other != name) {
                    self.refuse(
                        source.span,
                        text!(
                            "the source `{net}` is in two zones",
                            "출발지 `{net}`: 두 영역에 있습니다",
                            net = &source.value
                        ),
                    );
                }
                self.peers(&source.value, source.span);
            }
            let (ingress, egress) = zone.priorities;
            if let Some(priority) = ingress.or(egress).filter(|_| self.version < Version::new(2, 0, 0)) {
                self.refuse(
                    priority.span,
                    text!(
                        "firewalld {version} knows no priorities of zones",
                        "firewalld {version}에는 영역의 우선순위가 없습니다",
                        version = self.version
                    ),
                );
            }
        }
    }

    fn name(&mut self, what: &Text, name: &Spanned<String>, longest: usize) {
        let own = name.value.split('/').next().unwrap_or("");
        if self.version < Version::new(2, 0, 0) && longest < own.chars().count() {
            self.refuse(
                name.span,
                text!(
                    "the name of the {what} `{own}` is longer than {longest} characters",
                    "{what} 이름 `{own}`: {longest}자보다 깁니다"; what
                ),
            );
        }
    }

    fn peers(&mut self, peers: &Peers, span: Span) {
        if let Peers::Set(name, _) = peers
            && !self.definitions.ipsets.contains_key(name)
        {
            self.refuse(span, text!("there is no ipset `{name}`", "`{name}` ipset이 없습니다"));
        }
    }

    fn content(&mut self, content: &Content, is_active: bool) {
        for block in &content.icmp_blocks {
            self.icmp_type(&block.value, block.origin.span());
        }
        for entry in &content.rich_rules {
            let Some(span) = entry.origin.span() else { continue };
            match &entry.value.element {
                RichElement::IcmpBlock(name) | RichElement::IcmpType(name) => self.icmp_type(name, Some(span)),
                // Looked up when the rule is written.
                RichElement::Service(service) if is_active => {
                    self.service(&Spanned::new(service.name.clone(), span));
                }
                _ => {}
            }
            if is_active {
                let rule = &entry.value;
                rule.source.iter().chain(&rule.destination).for_each(|(peers, _)| self.peers(peers, span));
            }
        }
    }

    fn icmp_type(&mut self, name: &str, span: Option<Span>) {
        if let Some(span) = span.filter(|_| !firewall_builtin::ICMP_TYPES.contains(&name)) {
            self.refuse(span, text!("there is no ICMP type `{name}`", "`{name}` ICMP 유형이 없습니다"));
        }
    }

    fn policy(&mut self, policy: &PolicyDecl, has_docker_zone: bool) {
        self.name(&text!("policy", "정책"), &policy.name, LONGEST_POLICY);
        policy.services.iter().for_each(|service| self.service(service));
        self.content(&policy.content, true);
        if self.zones.contains_key(policy.name.value.as_str()) {
            self.refuse(
                policy.span,
                text!(
                    "`{name}` is a zone as well as a policy",
                    "`{name}`: 영역이면서 정책이기도 합니다",
                    name = &policy.name.value
                ),
            );
        }
        if let Some(span) = policy.disabled.filter(|_| self.version < Version::new(2, 4, 0)) {
            self.refuse(
                span,
                text!(
                    "firewalld {version} cannot disable policies",
                    "firewalld {version}에서는 정책을 끌 수 없습니다",
                    version = self.version
                ),
            );
        }
        for ends in [&policy.ingress, &policy.egress] {
            self.ends(ends, has_docker_zone);
        }
    }

    fn conflicts(&mut self, read: &Configuration, backend: RuleBackend) {
        let release = Release { version: self.version, backend };
        for policy in read.policies.values() {
            if let (Some(span), Some(what)) = (policy.origin.span(), conflict(policy, &read.zones, release)) {
                self.refuse(span, what);
            }
        }
    }

    /// Zones that exist.
    fn ends(&mut self, ends: &[Spanned<String>], has_docker_zone: bool) {
        let is_symbolic = |end: &&Spanned<String>| matches!(end.value.as_str(), "ANY" | "HOST");
        for end in ends.iter().filter(|end| !is_symbolic(end)) {
            let name = end.value.as_str();
            let is_known = self.zones.contains_key(name)
                || firewall_builtin::zone(name).is_some()
                || name == "docker" && has_docker_zone
                || self.zones.keys().any(|zone| zone.split_once('/').is_some_and(|(combined, _)| combined == name));
            if !is_known {
                let known: Vec<String> = self.zones.keys().map(|zone| (*zone).to_owned()).collect();
                self.context.report(unknown_zone(name, end.span, known.iter()));
                self.because(end.span);
            }
        }
    }
}

fn falls_back(because: Span) -> Diagnostic {
    Diagnostic::new(
        Code::FirewalldFallsBack,
        text!(
            "firewalld refuses its files and runs with what it ships with",
            "firewalld가 설정 파일을 거부하고 기본 설정으로 동작합니다"
        ),
    )
    .label(
        because,
        text!(
            "because of this, nothing in /etc/firewalld is in force",
            "이것 때문에 /etc/firewalld의 아무것도 적용되지 않음"
        ),
    )
    .help(text!(
        "`firewall-cmd --state` says `failed`; mend it, see `firewall-offline-cmd --check-config`, and restart \
         firewalld",
        "`firewall-cmd --state`가 `failed`로 나옵니다. `firewall-offline-cmd --check-config`를 보며 고친 뒤 \
         firewalld를 다시 시작하십시오"
    ))
}
