//! Ports of a host that two programs want, or that the operating system keeps.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lab::{Attachment, Host, HostId, HostKind, Listen, Networking, Os};
use crate::language::{Text, text};
use crate::net::{PortRange, Protocol};
use crate::provenance::{Basis, Origin};

use super::scene::{Place, Scene};

pub(super) fn lint(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (id, host) in scene.lab.hosts() {
        let holders = holders(scene, id, host);
        found.extend(conflicts(host, &holders));
        let mut seen = BTreeSet::new();
        let reserved = holders.iter().filter(|holder| seen.insert((&holder.who, holder.port)));
        found.extend(reserved.filter_map(|holder| self::reserved(host, holder)));
    }
    found.extend(scene.places().filter_map(|place| shared_namespace(place)));
    found
}

/// Who wants a port.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Process,
    /// A container in the host's namespace.
    HostMode,
    Publish,
    Forward,
}

struct Holder<'a> {
    kind: Kind,
    who: Text,
    protocol: Protocol,
    address: Option<IpAddr>,
    port: u16,
    origin: &'a Origin,
}

/// Everything that wants a port of a host.
fn holders<'a>(scene: &Scene<'a>, id: HostId, host: &'a Host) -> Vec<Holder<'a>> {
    let mut all = Vec::new();
    let single = |ports: PortRange| (ports.count() == 1).then_some(ports.first);
    for process in &host.processes {
        for listen in &process.listens {
            let holder = |port| Holder {
                kind: Kind::Process,
                who: format!("`{}`", process.name).into(),
                protocol: listen.protocol,
                address: listen.address,
                port,
                origin: &listen.origin,
            };
            all.extend(single(listen.ports).map(holder));
        }
    }
    for place in scene.places().filter(|place| place.host == id) {
        all.extend(of_container(place));
    }
    for (_, guest) in scene.lab.hosts().filter(|(_, guest)| guest.kind == HostKind::Vm { on: id }) {
        let nats = guest.interfaces.iter().filter_map(|i| match &i.attachment {
            Attachment::Nat(nat) => Some(nat),
            _ => None,
        });
        all.extend(nats.flat_map(|nat| &nat.forwards).map(|forward| Holder {
            kind: Kind::Forward,
            who: text!("a forward to `{name}`", "`{name}`로 가는 포워딩", name = &guest.name),
            protocol: forward.protocol,
            address: forward.host_address,
            port: forward.host_port,
            origin: &forward.origin,
        }));
    }
    all
}

fn of_container(place: Place<'_>) -> Vec<Holder<'_>> {
    let container = place.container;
    let mut all: Vec<Holder<'_>> = Vec::new();
    if matches!(container.networking, Networking::Host(_)) {
        let listens = container.processes.iter().flat_map(|p| &p.listens).filter(|l| l.ports.count() == 1);
        all.extend(listens.map(|listen| Holder {
            kind: Kind::HostMode,
            who: format!("`{}`", container.name).into(),
            protocol: listen.protocol,
            address: listen.address,
            port: listen.ports.first,
            origin: &listen.origin,
        }));
    }
    for publish in container.publishes.iter().filter(|p| p.guard.is_none()) {
        all.extend(publish.host_port.map(|port| Holder {
            kind: Kind::Publish,
            who: format!("`{}`", container.name).into(),
            protocol: publish.protocol,
            address: place.address_of(publish),
            port,
            origin: &publish.origin,
        }));
    }
    all
}

/// Conflicts that nobody else reports: docker refuses to publish a port that is taken, and of two forwards one does not
/// come up; both stand in their own messages.
fn conflicts(host: &Host, holders: &[Holder<'_>]) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for (index, first) in holders.iter().enumerate() {
        for second in holders.iter().skip(index + 1) {
            let is_new = [first.kind, second.kind].iter().any(|k| matches!(k, Kind::HostMode | Kind::Forward));
            if is_new && (first.protocol, first.port) == (second.protocol, second.port) && collide(host, first, second)
            {
                found.push(taken(host, first, second));
            }
        }
    }
    found
}

/// All addresses and a single one exclude each other on Linux; elsewhere both may listen, if they ask for it.
fn collide(host: &Host, a: &Holder<'_>, b: &Holder<'_>) -> bool {
    let all = |address: Option<IpAddr>| host.os == Os::Linux && address.is_none_or(|a| a.is_unspecified());
    match (a.address, b.address) {
        (Some(a), Some(b)) if a.is_ipv4() != b.is_ipv4() => false,
        (a, b) => all(a) || all(b) || a == b,
    }
}

fn taken(host: &Host, first: &Holder<'_>, second: &Holder<'_>) -> Diagnostic {
    let is_forward = second.kind == Kind::Forward || first.kind == Kind::Forward;
    let code = if is_forward { Code::NatForwardTaken } else { Code::ListenPortTaken };
    let (name, port, protocol, one, other) = (&host.name, second.port, second.protocol, &first.who, &second.who);
    let message = text!(
        "port {port}/{protocol} of `{name}` is wanted twice: by {one} and by {other}",
        "`{name}`의 {port}/{protocol} 포트를 둘이 쓰려 합니다: {one}, {other}"; one, other
    );
    let mut diagnostic = Diagnostic::new(code, message);
    for holder in [second, first] {
        if let Some(span) = holder.origin.span() {
            let who = &holder.who;
            let remark = match holder.origin.basis {
                Basis::Assumed { .. } => {
                    text!("{who} is thought to listen here", "{who}: 여기서 대기하는 것으로 봄"; who)
                }
                _ => text!("{who} wants it", "{who}: 이 포트를 쓰려 함"; who),
            };
            diagnostic = diagnostic.label(span, remark);
        }
    }
    diagnostic.help(text!(
        "only one of them gets it: give the other one another port",
        "하나만 쓸 수 있습니다. 다른 쪽에는 다른 포트를 주십시오"
    ))
}

/// Two programs in a shared namespace of containers.
fn shared_namespace(place: Place<'_>) -> Option<Diagnostic> {
    let Networking::Container(..) = place.container.networking else { return None };
    let owner = place.engine.containers.get(place.owner())?;
    if matches!(owner.networking, Networking::Host(_)) {
        return None;
    }
    let of = |index: usize| {
        let container = place.engine.containers.get(index);
        container.into_iter().flat_map(|c| &c.processes).flat_map(|p| &p.listens)
    };
    let holder = |listen| of(place.owner()).find(|other| clashes(other, listen));
    let (mine, theirs) = of(place.index).find_map(|listen| holder(listen).map(|other| (listen, other)))?;
    let (ports, protocol, owned, other) = (mine.ports, mine.protocol, &owner.name, &place.container.name);
    let message = text!(
        "port {ports}/{protocol} is wanted twice in the network of `{owned}`: by itself and by `{other}`",
        "`{owned}`의 네트워크에서 {ports}/{protocol} 포트를 둘이 쓰려 합니다: `{owned}` 자신과 `{other}`"
    );
    let mut diagnostic = Diagnostic::new(Code::ListenPortTaken, message);
    for (listen, who) in [(mine, &place.container.name), (theirs, &owner.name)] {
        if let Some(span) = listen.origin.span() {
            diagnostic = diagnostic
                .label(span, text!("`{who}` is thought to listen here", "`{who}`: 여기서 대기하는 것으로 봄"));
        }
    }
    Some(diagnostic.help(text!(
        "only one of them gets it: let one listen on another port",
        "하나만 쓸 수 있습니다. 한쪽은 다른 포트에서 대기하게 하십시오"
    )))
}

fn clashes(a: &Listen, b: &Listen) -> bool {
    let all = |address: Option<IpAddr>| address.is_none_or(|a| a.is_unspecified());
    (a.protocol, a.ports) == (b.protocol, b.ports) && (all(a.address) || all(b.address) || a.address == b.address)
}

/// A port that the operating system has in use. What it keeps from forwards of VMs stands in their own messages.
fn reserved(host: &Host, holder: &Holder<'_>) -> Option<Diagnostic> {
    let span = holder.origin.span().filter(|_| holder.kind == Kind::Publish)?;
    let port = holder.port;
    let is_everywhere = holder.address.is_none_or(|a| a.is_unspecified());
    let warn = |message: Text, remark: Text, help: Text| {
        Some(Diagnostic::new(Code::ReservedPort, message).label(span, remark).help(help))
    };
    match (host.os, holder.protocol, port) {
        (Os::MacOs, Protocol::Tcp, 5000 | 7000) if is_everywhere => warn(
            text!("macOS itself listens on port {port}", "macOS 자신이 {port}번 포트에서 대기합니다"),
            text!("AirPlay Receiver has this port since macOS 12", "macOS 12부터 AirPlay 수신 모드가 쓰는 포트"),
            text!(
                "take another port, or switch AirPlay Receiver off in the settings",
                "다른 포트를 쓰거나, 설정에서 AirPlay 수신 모드를 끄십시오"
            ),
        ),
        (Os::Linux, _, 53) if is_everywhere => warn(
            text!(
                "port 53 of `{name}` may be in use by systemd-resolved",
                "`{name}`의 53번 포트는 systemd-resolved가 쓰고 있을 수 있습니다",
                name = &host.name
            ),
            text!(
                "docker cannot listen on all addresses while somebody listens on 127.0.0.53",
                "127.0.0.53에서 대기하는 프로그램이 있으면 docker는 모든 주소에서 대기할 수 없음"
            ),
            text!(
                "publish on one address (`192.168.1.10:53:53`), or set `DNSStubListener=no` in resolved.conf",
                "한 주소로만 게시하거나(`192.168.1.10:53:53`), resolved.conf에 `DNSStubListener=no`를 두십시오"
            ),
        )
        .map(|diagnostic| Diagnostic { severity: Severity::Advice, ..diagnostic }),
        _ => None,
    }
}
