//! The firewalls that Windows and macOS have by themselves. Spec: specs/host-firewalls.md.

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::hosted::HostFirewallDecl;
use crate::lab::{Declaration, Host, HostFirewall, HostKind, Os, WslMode};
use crate::language::text;
use crate::provenance::Origin;
use crate::switch::{Switch, SwitchKind};

use super::Context;
use super::bind::{HostPlan, Plan};

/// Gives every host the firewall that is stated, or that its system has unless somebody turned it off.
pub(super) fn attach(context: &mut Context, plan: &Plan<'_>, hosts: &mut [Host]) {
    for (plan, host) in plan.hosts.iter().zip(hosts) {
        let mirrored = host.wsl.as_ref().filter(|wsl| wsl.mode == WslMode::Mirrored);
        let stated = stated(plan);
        if let Some(stated) = stated.filter(|_| host.os == Os::Linux && mirrored.is_none()) {
            context.report(no_such_firewall(host, stated));
            continue;
        }
        host.firewall = match (stated, host.os, mirrored) {
            (Some(stated), ..) => stated.is_on.then(|| of(host, stated)),
            (None, Os::Windows, _) => Some(usual(context, host)),
            (None, _, Some(wsl)) if is_filtered(plan) => Some(HostFirewall {
                allowed: Vec::new(),
                lets_in: None,
                origin: wsl.origin.derive("firewall of Hyper-V: nothing comes in", HYPER_V),
            }),
            (None, ..) => None,
        };
    }
}

/// Its own default.
const HYPER_V: &str =
    "Microsoft, Hyper-V firewall and .wslconfig, `firewall`: on by default, DefaultInboundAction is Block";

fn stated<'a>(plan: &HostPlan<'a>) -> Option<&'a HostFirewallDecl> {
    let firewalls = plan.declarations().filter_map(|d| match d {
        Declaration::HostFirewall(firewall) => Some(firewall),
        _ => None,
    });
    firewalls.last()
}

/// `firewall=false` in `.wslconfig`.
fn is_filtered(plan: &HostPlan<'_>) -> bool {
    let mut settings = plan.declarations().filter_map(|d| match d {
        Declaration::Wsl(wsl) => wsl.firewall,
        _ => None,
    });
    settings.next().is_none_or(|firewall| firewall.value)
}

fn of(host: &Host, stated: &HostFirewallDecl) -> HostFirewall {
    let name = &host.name;
    let what = text!("firewall of `{name}`", "`{name}` 머신의 방화벽");
    let allowed = stated.allowed.iter().map(|allowed| (allowed.protocol, allowed.ports)).collect();
    HostFirewall { allowed, lets_in: None, origin: Origin::written(what, stated.span) }
}

/// Windows lets nothing in that no rule allows. Programs ask for a rule when they first listen, so that there may be one.
fn usual(context: &mut Context, host: &Host) -> HostFirewall {
    let name = &host.name;
    let statement = text!(
        "a rule of `{name}`'s Windows firewall lets the connection in",
        "`{name}`의 Windows 방화벽에 이 연결을 허용하는 규칙이 있음"
    );
    let origin = Origin::assumed(statement.clone(), host.origin.span());
    let switch = Switch { statement, default: true, kind: SwitchKind::Assumption, origin: origin.clone() };
    HostFirewall { allowed: Vec::new(), lets_in: Some(context.switches.add(switch)), origin }
}

fn no_such_firewall(host: &Host, stated: &HostFirewallDecl) -> Diagnostic {
    let (name, is_router) = (&host.name, host.kind == HostKind::Router);
    let diagnostic = Diagnostic::new(
        Code::LabBadValue,
        text!("`{name}` has no firewall of its own", "`{name}`에는 자체 방화벽이 없습니다"),
    )
    .label(
        stated.span,
        text!("is for macOS, Windows, and WSL with mirrored networking", "macOS, Windows, 미러 모드 WSL에서만 씀"),
    );
    if is_router {
        return diagnostic;
    }
    diagnostic.help(text!(
        "what Linux lets in stands in rules: `firewalld:`, `rules:`, or lines of `ufw` and `iptables`",
        "Linux가 허용하는 것은 규칙으로 적으십시오: `firewalld:`, `rules:`, 또는 `ufw`나 `iptables` 명령"
    ))
}
