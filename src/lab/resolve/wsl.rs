//! WSL: how its machine is connected to Windows. Spec: specs/wsl.md.

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::declaration::InterfaceDecl;
use crate::lab::hosted::WslDecl;
use crate::lab::{
    Attachment, Declaration, ForwardMode, Forwarding, Host, HostId, HostKind, Interface, Keeper, Os, SegmentKind,
    Unmodeled, Wsl, WslMode,
};
use crate::language::text;
use crate::provenance::Origin;
use crate::source::Spanned;

use super::Context;
use super::addresses::prefix;
use super::bind::{HostPlan, Plan};
use super::topology::{Segments, stated_addresses};

/// The name of Windows' side of the network.
const LEG: &str = "vEthernet (WSL)";

/// What lab.yaml says about it: the machine that WSL runs has `wsl:`.
pub(super) fn is_wsl(plan: &HostPlan<'_>) -> bool {
    plan.stated.iter().any(|d| matches!(d, Declaration::Wsl(_)))
}

/// Connects the machines of WSL, when the interfaces of all others are there.
pub(super) fn connect(context: &mut Context, segments: &mut Segments, plan: &Plan<'_>, hosts: &mut [Host]) {
    for (index, host_plan) in plan.hosts.iter().enumerate().filter(|(_, host)| is_wsl(host)) {
        let Some(settings) = settings(host_plan, plan) else { continue };
        let runner = match host_plan.kind {
            HostKind::Vm { on } => hosts.get(on.0).filter(|runner| runner.os == Os::Windows).cloned().map(|r| (on, r)),
            _ => None,
        };
        let Some((on, runner)) = runner else {
            context.report(no_windows(host_plan, &settings));
            continue;
        };
        let wsl = resolved(context, HostId(index), host_plan, &settings);
        let interfaces = match wsl.mode {
            WslMode::Nat | WslMode::Other => behind(segments, host_plan, on, &wsl).into_iter().collect(),
            WslMode::Mirrored => mirrored(&runner, &wsl),
            WslMode::Off => Vec::new(),
        };
        if let Some(host) = hosts.get_mut(index) {
            host.interfaces = interfaces;
            host.wsl = Some(wsl);
        }
    }
}

/// What is stated about the machine itself wins over `.wslconfig` of the Windows that runs it.
fn settings(host: &HostPlan<'_>, plan: &Plan<'_>) -> Option<WslDecl> {
    let of = |host: &HostPlan<'_>| -> Vec<WslDecl> {
        let all =
            host.declarations().filter_map(|d| if let Declaration::Wsl(wsl) = d { Some(wsl.clone()) } else { None });
        all.collect()
    };
    let runner = match host.kind {
        HostKind::Vm { on } => plan.hosts.get(on.0).map(of),
        _ => None,
    };
    let mut all = of(host).into_iter().chain(runner.into_iter().flatten());
    let first = all.next()?;
    Some(all.fold(first, |stated, other| WslDecl {
        mode: stated.mode.or(other.mode),
        localhost_forwarding: stated.localhost_forwarding.or(other.localhost_forwarding),
        host_address_loopback: stated.host_address_loopback.or(other.host_address_loopback),
        firewall: stated.firewall.or(other.firewall),
        span: stated.span,
    }))
}

/// With the defaults of `.wslconfig` (learn.microsoft.com, "Advanced settings configuration in WSL").
fn resolved(context: &mut Context, id: HostId, host: &HostPlan<'_>, stated: &WslDecl) -> Wsl {
    if let Some(mode) = stated.mode.filter(|mode| mode.value == WslMode::Other) {
        let what = text!(
            "a networking mode of WSL other than `nat`, `mirrored` and `none`",
            "`nat`, `mirrored`, `none`이 아닌 WSL 네트워킹 모드"
        );
        context.unmodeled.push(Unmodeled { what, span: mode.span, host: Some(id) });
    }
    let is_on = |setting: Option<Spanned<bool>>, default| setting.map_or(default, |setting| setting.value);
    Wsl {
        mode: stated.mode.map_or(WslMode::Nat, |mode| mode.value),
        localhost_forwarding: is_on(stated.localhost_forwarding, true),
        host_address_loopback: is_on(stated.host_address_loopback, false),
        origin: Origin::written(
            text!("`{host}` is run by WSL", "WSL에서 실행되는 `{host}`", host = &host.name),
            stated.span,
        ),
    }
}

/// The network behind Windows, whose addresses are others after every start. Windows has the first one.
fn behind(segments: &mut Segments, host: &HostPlan<'_>, on: HostId, wsl: &Wsl) -> Option<Interface> {
    let stated: Option<&InterfaceDecl> = host.interfaces.first();
    let address = stated.and_then(|d| d.addresses.first());
    let named = stated.and_then(|d| d.segment.as_ref()).and_then(|name| segments.by_name(&name.value));
    let known = named.or_else(|| address.and_then(|a| segments.containing(a.value.addr())));
    let id = known.unwrap_or_else(|| {
        let subnet = address.map_or(prefix([172, 28, 0, 0], 20), |a| a.value.trunc());
        let origin = match address {
            Some(address) => Origin::written(text!("WSL's network {subnet}", "WSL 네트워크 {subnet}"), address.span),
            None => Origin::assumed(text!("WSL's network {subnet}", "WSL 네트워크 {subnet}"), wsl.origin.span()),
        };
        segments.add_hosted("WSL", LEG, subnet, origin)
    });
    let mut interface = Interface {
        name: stated.map_or_else(|| "eth0".to_owned(), |d| d.name.value.clone()),
        attachment: Attachment::Segment(id),
        addresses: stated.map(stated_addresses).unwrap_or_default(),
        gateway: stated.and_then(|d| d.gateway).map(|gateway| gateway.value),
        metric: None,
        connected: true,
        origin: stated.map_or_else(
            || wsl.origin.clone(),
            |d| {
                Origin::written(
                    text!(
                        "interface `{name}` of `{host}`",
                        "`{host}`의 인터페이스 `{name}`",
                        name = &d.name.value,
                        host = &host.name
                    ),
                    d.span,
                )
            },
        ),
    };
    if interface.addresses.is_empty() {
        interface.addresses.extend(segments.assume_address(id, 2, &host.name, &interface.origin));
    }
    segments.keep(id, on, wsl);
    interface.gateway = interface.gateway.or_else(|| segments.gateway(id));
    Some(interface)
}

/// Every interface of Windows, with its addresses.
fn mirrored(windows: &Host, wsl: &Wsl) -> Vec<Interface> {
    let shared = windows.interfaces.iter().filter(|i| matches!(i.attachment, Attachment::Segment(_)) && i.connected);
    let mirror = |(index, interface): (usize, &Interface)| Interface {
        name: format!("eth{index}"),
        attachment: Attachment::Mirrored,
        origin: wsl.origin.derive(format!("`{}` of Windows, mirrored", interface.name), MIRRORED),
        ..interface.clone()
    };
    shared.enumerate().map(mirror).collect()
}

const MIRRORED: &str = "Microsoft, \"Accessing network applications with WSL\", mirrored mode networking";

/// What carries the packets of such a network.
pub(super) fn forwarding(on: HostId, wsl: &Wsl) -> Forwarding {
    Forwarding {
        on,
        interface: LEG.to_owned(),
        mode: ForwardMode::Nat,
        by: Keeper::Windows,
        origin: wsl.origin.derive("NAT of Windows for WSL", NAT),
    }
}

const NAT: &str = "Microsoft, \"Accessing network applications with WSL\", default networking mode: NAT";

/// Whether a segment may be the network behind Windows.
pub(super) fn may_be_behind(kind: SegmentKind) -> bool {
    matches!(kind, SegmentKind::Hosted | SegmentKind::HostOnly)
}

fn no_windows(host: &HostPlan<'_>, stated: &WslDecl) -> Diagnostic {
    Diagnostic::new(
        Code::LabBadValue,
        text!(
            "it is not stated which Windows runs `{name}`",
            "`{name}` 배포판을 어느 Windows가 실행하는지 적혀 있지 않습니다",
            name = &host.name
        ),
    )
    .label(stated.span, text!("WSL runs on Windows only", "WSL은 Windows에서만 실행됨"))
    .help(text!(
        "add `on:` with the name of a host that has `os: windows`",
        "`on:`에 `os: windows`인 호스트의 이름을 적으십시오"
    ))
}
