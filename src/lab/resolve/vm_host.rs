//! What the host that runs machines does not allow: ports that are taken or kept, networks that VirtualBox refuses.
//!
//! What is certain is taken out of the lab and reported; what hangs on the host is an assumption that a verdict names.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lab::kept_ports::{self, KeptPorts, Kind};
use crate::lab::machine::{AdapterDecl, AdapterMode, HostOnlyDecl, MachineDecl, Verb};
use crate::lab::{Attachment, Forward, Host, HostId, HostKind, Os, SegmentKind};
use crate::language::{Text, text};
use crate::net::{IpNet, Protocol, Version};
use crate::provenance::Origin;
use crate::source::Span;
use crate::switch::{Switch, SwitchId, SwitchKind};

use super::Context;
use super::addresses::prefix;
use super::bind::Plan;
use super::hypervisor::{Hypervisor, known_os, machines_on};
use super::kept_ports::Refused;
use super::topology::Plugged;

/// Reports it, and takes away what does not come up.
pub(super) fn check(
    context: &mut Context,
    segments: &mut [Plugged],
    plan: &Plan<'_>,
    hosts: &mut [Host],
    hypervisors: &[Hypervisor],
) {
    for (index, runner) in plan.hosts.iter().enumerate() {
        let (id, Some(hypervisor)) = (HostId(index), hypervisors.get(index)) else { continue };
        let machines = machines_on(plan, id);
        let Some(os) = known_os(runner, &machines) else {
            ports(context, segments, hosts, id, &runner.name, None);
            continue;
        };
        ports(context, segments, hosts, id, &runner.name, Some(os));
        host_only_ranges(context, segments, hypervisor, &machines, os);
        for machine in &machines {
            for adapter in machine.adapters.iter().filter(|a| a.enabled) {
                if is_gone(adapter, os, || hypervisor.release(context, Some(machine)).version) {
                    context.report(gone(machine, adapter, os));
                    detach(hosts, adapter.span);
                }
                context.diagnostics.extend(wireless(adapter, hypervisor));
            }
        }
    }
}

/// Only one program can listen on a port of the host, and not on every port.
fn ports(
    context: &mut Context,
    segments: &mut [Plugged],
    hosts: &mut [Host],
    runner: HostId,
    name: &str,
    os: Option<Os>,
) {
    let kept = hosts.get(runner.0).map(|host| host.kept_ports.clone()).unwrap_or_default();
    let machines = hosts.iter_mut().filter(|h| h.kind == HostKind::Vm { on: runner });
    let private = machines.flat_map(|h| &mut h.interfaces).filter_map(|i| match &mut i.attachment {
        Attachment::Nat(nat) => Some(&mut nat.forwards),
        _ => None,
    });
    let shared = segments.iter_mut().filter_map(|p| p.segment.nat.as_mut()).filter(|nat| nat.on == runner);
    let mut taken: Vec<Forward> = Vec::new();
    for forwards in private.chain(shared.map(|nat| &mut nat.nat.forwards)) {
        forwards.retain(|forward| match taken.iter().find(|first| clash(first, forward, os)) {
            Some(first) => {
                context.report(port_taken(first, forward, name));
                false
            }
            None => {
                taken.push(forward.clone());
                true
            }
        });
        forwards.retain(|forward| match kept_ports::kind(&kept, forward.protocol, forward.host_port) {
            Kind::Excluded(entry) => {
                context.report(excluded(name, forward, entry));
                false
            }
            _ => true,
        });
        for forward in forwards.iter_mut().filter(|f| f.guard.is_none()) {
            if let Some((code, statement)) = os.and_then(|os| doubtful(forward, os, name, &kept)) {
                forward.guard = Some(assume(context, forward, code, statement));
            }
        }
    }
}

/// All addresses and a single one clash on Linux; elsewhere both may listen (`SO_REUSEADDR`, which both NAT engines set).
fn clash(first: &Forward, second: &Forward, os: Option<Os>) -> bool {
    let same_port = (first.protocol, first.host_port) == (second.protocol, second.host_port);
    let one_is_all = first.host_address.is_none() || second.host_address.is_none();
    same_port && (first.host_address == second.host_address || (one_is_all && os == Some(Os::Linux)))
}

/// Why it is not certain that a forward can listen.
fn doubtful(forward: &Forward, os: Os, host: &str, kept: &[KeptPorts]) -> Option<(Code, Text)> {
    let port = forward.host_port;
    let is_tcp = forward.protocol == Protocol::Tcp;
    match os {
        Os::Linux if port < 1024 => Some((
            Code::VboxPrivilegedPort,
            text!(
                "`{host}` lets VirtualBox listen on port {port}, which it keeps for root",
                "`{host}`에서 root 전용인 {port}번 포트를 VirtualBox가 열 수 있음"
            ),
        )),
        Os::MacOs if port < 1024 && forward.host_address.is_some() => Some((
            Code::VboxPrivilegedPort,
            text!(
                "`{host}` lets VirtualBox listen on port {port} of one address, which it keeps for root",
                "`{host}`에서 root 전용인 {port}번 포트를 VirtualBox가 주소 하나에만 열 수 있음"
            ),
        )),
        Os::MacOs if is_tcp && matches!(port, 5000 | 7000) => {
            let statement = text!(
                "port {port} of `{host}` is free: AirPlay Receiver is off",
                "`{host}`의 {port}번 포트가 비어 있음: AirPlay 수신이 꺼져 있음"
            );
            Some((Code::VboxReservedPort, statement))
        }
        Os::Windows if kept_ports::kind(kept, forward.protocol, port) == Kind::Dynamic => {
            let statement = text!(
                "port {port} of `{host}` is in no range that Windows keeps",
                "`{host}`의 {port}번 포트가 Windows 예약 범위 밖에 있음"
            );
            Some((Code::VboxReservedPort, statement))
        }
        _ => None,
    }
}

fn assume(context: &mut Context, forward: &Forward, code: Code, statement: Text) -> SwitchId {
    if let Some(span) = forward.origin.span() {
        let port = forward.host_port;
        let message = text!(
            "it is not certain that this forward can listen on port {port}",
            "이 포트 포워딩이 {port}번 포트를 열 수 있는지 확실하지 않습니다"
        );
        let help = text!("taken for true: {statement}", "참으로 가정: {statement}"; statement);
        context.report(Diagnostic::new(code, message).label(span, text!("here", "여기")).help(help));
    }
    let origin = Origin::assumed(statement.clone(), forward.origin.span());
    context.switches.add(Switch { statement, default: true, kind: SwitchKind::Assumption, origin })
}

/// Since 6.1.28 host-only interfaces get addresses of 192.168.56.0/21 only, unless `networks.conf` lists others; not on
/// Windows (VirtualBox manual, 6.7).
fn host_only_ranges(
    context: &mut Context,
    segments: &[Plugged],
    hypervisor: &Hypervisor,
    machines: &[&MachineDecl],
    os: Os,
) {
    let is_old = hypervisor.version.is_some_and(|v| v.value < Version::new(6, 1, 28));
    if os == Os::Windows || is_old {
        return;
    }
    let usual = [prefix([192, 168, 56, 0], 21)];
    let allowed = hypervisor.ranges.as_ref().map_or(&usual[..], |r| &r.value);
    let is_allowed = |net: &IpNet| allowed.iter().any(|range| range.contains(&net.trunc()));
    let is_made = |n: &&HostOnlyDecl| n.verb != Verb::Stated && !n.is_network;
    for network in hypervisor.host_only.iter().filter(is_made) {
        if let Some(address) = network.address.filter(|a| !is_allowed(&a.value)) {
            context.report(out_of_range(address.span, address.value, Severity::Error));
        }
    }
    let interface = |adapter: &AdapterDecl| match &adapter.mode {
        AdapterMode::HostOnly(name) | AdapterMode::HostOnlyEither(name) if adapter.enabled => Some(name.value.clone()),
        _ => None,
    };
    let used: Vec<String> = machines.iter().flat_map(|m| &m.adapters).filter_map(interface).collect();
    let is_used = |plugged: &Plugged| plugged.vbox_names.iter().any(|name| used.contains(name));
    // An interface that was listed is there, whatever made it.
    let is_listed = |plugged: &Plugged| plugged.vbox_names.iter().any(|name| hypervisor.host_only(name).is_some());
    for plugged in segments.iter().filter(|p| p.segment.kind == SegmentKind::HostOnly && is_used(p) && !is_listed(p)) {
        let wrong = plugged.segment.subnets.iter().find(|net| net.addr().is_ipv4() && !is_allowed(net));
        if let (Some(net), Some(span)) = (wrong, plugged.segment.origin.span()) {
            context.report(out_of_range(span, *net, Severity::Warning));
        }
    }
}

/// Host-only interfaces are gone on macOS from 7.0 on; host-only networks exist there only.
fn is_gone(adapter: &AdapterDecl, os: Os, release: impl FnOnce() -> Version) -> bool {
    match adapter.mode {
        AdapterMode::HostOnly(_) => os == Os::MacOs && release() >= Version::new(7, 0, 0),
        AdapterMode::HostOnlyNetwork(_) => os != Os::MacOs,
        _ => false,
    }
}

fn detach(hosts: &mut [Host], adapter: Span) {
    let interfaces = hosts.iter_mut().flat_map(|h| &mut h.interfaces);
    for interface in interfaces.filter(|i| i.origin.span() == Some(adapter)) {
        interface.attachment = Attachment::Unattached;
    }
}

/// Bridging to Wi-Fi, which works for IPv4 where the access point allows it.
fn wireless(adapter: &AdapterDecl, hypervisor: &Hypervisor) -> Option<Diagnostic> {
    let AdapterMode::Bridged(name) = &adapter.mode else { return None };
    let lower = name.value.to_lowercase();
    let by_name = ["wi-fi", "wifi", "airport", "wireless", "802.11"].iter().any(|mark| lower.contains(mark));
    let device = name.value.split(':').next().unwrap_or(&name.value);
    let listed = hypervisor.interfaces.iter().find(|i| i.name.value == name.value || i.name.value == device);
    let is_wireless = match listed.and_then(|i| i.wireless) {
        Some(stated) => stated.value,
        // Linux calls them wlan0, wlp2s0 (systemd.net-naming-scheme).
        None => by_name || ["wlan", "wlp", "wlx", "wlo"].iter().any(|start| lower.starts_with(start)),
    };
    is_wireless.then(|| {
        Diagnostic::new(
            Code::VboxWireless,
            text!("`{name}` is a Wi-Fi interface", "`{name}`: 와이파이 인터페이스입니다", name = &name.value),
        )
        .label(name.span, text!("bridged to it", "여기에 브리지로 연결됨"))
        .help(text!(
            "some access points drop what a guest sends; IPv6 and anything but IP is not bridged well",
            "게스트가 보내는 패킷을 버리는 공유기(AP)가 있습니다. IPv6나 IP가 아닌 프로토콜은 브리지로 잘 전달되지 \
             않습니다"
        ))
    })
}

fn port_taken(first: &Forward, second: &Forward, host: &str) -> Diagnostic {
    let message = text!(
        "port {port} of `{host}` is forwarded twice",
        "`{host}`의 {port}번 포트를 두 번 포워딩합니다",
        port = second.host_port
    );
    let mut diagnostic = Diagnostic::new(Code::VboxPortTaken, message);
    for (forward, label) in [
        (second, text!("does not come up", "동작하지 않음")),
        (first, text!("listens there already", "이미 이 포트에서 대기함")),
    ] {
        if let Some(span) = forward.origin.span() {
            diagnostic = diagnostic.label(span, label);
        }
    }
    diagnostic.help(text!("give one of them another host port", "둘 중 하나에 다른 호스트 포트를 주십시오"))
}

fn excluded(host: &str, forward: &Forward, entry: Span) -> Diagnostic {
    let (protocol, port, wanted) = (forward.protocol, forward.host_port, forward.origin.span());
    let consequence = text!("does not come up", "동작하지 않음");
    Refused { host, protocol, port, wanted, consequence, entry }.diagnostic()
}

fn out_of_range(span: Span, net: IpNet, severity: Severity) -> Diagnostic {
    let net = net.trunc();
    let message = text!(
        "VirtualBox allows no host-only network {net}",
        "VirtualBox가 호스트 전용 네트워크 {net}을(를) 허용하지 않습니다"
    );
    let diagnostic = Diagnostic::new(Code::VboxHostOnlyRange, message)
        .label(span, text!("outside 192.168.56.0/21", "192.168.56.0/21 밖임"))
        .help(text!(
            "choose an address in 192.168.56.0/21, or write `* {net}` into /etc/vbox/networks.conf",
            "192.168.56.0/21 안의 주소를 고르거나, /etc/vbox/networks.conf에 `* {net}`을(를) 적으십시오"
        ));
    Diagnostic { severity, ..diagnostic }
}

fn gone(machine: &MachineDecl, adapter: &AdapterDecl, os: Os) -> Diagnostic {
    let number = u16::from(adapter.slot) + 1;
    let (message, help) = match os {
        Os::MacOs => (
            text!(
                "VirtualBox 7.0 and newer have no host-only interfaces on macOS",
                "VirtualBox 7.0부터 macOS에는 호스트 전용 인터페이스가 없습니다"
            ),
            text!(
                "make a host-only network with `VBoxManage hostonlynet add` and attach to that",
                "`VBoxManage hostonlynet add`로 호스트 전용 네트워크를 만들어 거기에 연결하십시오"
            ),
        ),
        Os::Linux | Os::Windows => (
            text!(
                "VirtualBox has host-only networks on macOS only",
                "VirtualBox의 호스트 전용 네트워크(host-only network)는 macOS에만 있습니다"
            ),
            text!(
                "attach to a host-only interface: `--nic2 hostonly --host-only-adapter2 vboxnet0`",
                "호스트 전용 인터페이스에 연결하십시오: `--nic2 hostonly --host-only-adapter2 vboxnet0`"
            ),
        ),
    };
    let label = text!(
        "adapter {number} of `{name}` is attached to nothing",
        "`{name}`의 {number}번 어댑터가 아무 데도 연결되지 않음",
        name = &machine.name.value
    );
    Diagnostic::new(Code::VboxHostOnlyGone, message).label(adapter.span, label).help(help)
}
