//! Published ports: ranges are expanded, and ports that are taken stop the container.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::declaration::{ContainerDecl, PublishDecl};
use crate::lab::kept_ports::{self, Kind};
use crate::lab::{Host, Publish, images};
use crate::language::text;
use crate::net::{PortRange, Protocol};
use crate::provenance::Origin;
use crate::source::Span;

use super::Context;
use super::kept_ports::Refused;

/// Who holds a port of a host.
struct Holder {
    address: Option<IpAddr>,
    who: String,
    span: Option<Span>,
}

/// The ports of a host that are in use, or that it keeps.
pub(super) struct Ports<'a> {
    host: &'a Host,
    held: BTreeMap<(Protocol, u16), Vec<Holder>>,
}

impl<'a> Ports<'a> {
    /// Starts with what the host's own programs are stated to listen on.
    pub(super) fn of_host(host: &'a Host) -> Self {
        let mut ports = Self { host, held: BTreeMap::new() };
        for process in &host.processes {
            for listen in process.listens.iter().filter(|l| l.ports.count() <= 1024) {
                for port in listen.ports.first..=listen.ports.last {
                    let holder =
                        Holder { address: listen.address, who: process.name.clone(), span: listen.origin.span() };
                    ports.held.entry((listen.protocol, port)).or_default().push(holder);
                }
            }
        }
        ports
    }

    fn holder(&self, protocol: Protocol, address: Option<IpAddr>, port: u16) -> Option<&Holder> {
        self.held.get(&(protocol, port))?.iter().find(|h| collide(h.address, address))
    }

    fn take(&mut self, publish: &Publish, address: Option<IpAddr>, who: &str) {
        if let Some(port) = publish.host_port {
            let holder = Holder { address, who: who.to_owned(), span: publish.origin.span() };
            self.held.entry((publish.protocol, port)).or_default().push(holder);
        }
    }
}

/// Whether two listening addresses exclude each other: the same address, or one of them is all addresses.
fn collide(a: Option<IpAddr>, b: Option<IpAddr>) -> bool {
    let all = |address: Option<IpAddr>| address.is_none_or(|a| a.is_unspecified());
    match (a, b) {
        (Some(a), Some(b)) if a.is_ipv4() != b.is_ipv4() => false,
        _ => all(a) || all(b) || a == b,
    }
}

/// What a container joins, as far as it decides whether and where its ports are published.
#[derive(Clone, Copy)]
pub(super) enum Joins {
    /// A bridge network with a way out; ports are published on this address when none is stated.
    Bridge(Option<IpAddr>),
    /// Internal networks.
    InternalOnly,
    /// A network that uses an interface of the host directly.
    Parent,
    /// The host's own namespace.
    Host,
    /// Another container's namespace.
    Container,
    /// No network.
    Nothing,
}

/// The published ports of a container; nothing when a port is taken, because docker does not start it then.
pub(super) fn resolve(
    context: &mut Context,
    container: &ContainerDecl,
    name: &str,
    joins: Joins,
    ports: &mut Ports<'_>,
) -> Option<Vec<Publish>> {
    let Joins::Bridge(default_address) = joins else {
        report_ignored(context, container, name, joins);
        return Some(Vec::new());
    };
    let effective = |publish: &Publish| publish.host_address.or(default_address);
    let mut publishes = Vec::new();
    for declaration in &container.publishes {
        publishes.extend(expand(context, declaration, name, default_address, ports));
    }
    publishes.extend(publish_all(container, name));
    for publish in &publishes {
        let Some(port) = publish.host_port else { continue };
        if let Kind::Excluded(entry) = kept_ports::kind(&ports.host.kept_ports, publish.protocol, port) {
            context.report(excluded(&ports.host.name, publish, port, entry));
            return None;
        }
        if let Some(holder) = ports.holder(publish.protocol, effective(publish), port) {
            let diagnostic = port_taken(name, publish, port, holder);
            context.report(diagnostic);
            return None;
        }
    }
    publishes.iter().for_each(|p| ports.take(p, effective(p), name));
    Some(publishes)
}

/// One entry for each port. A range on both sides goes pairwise; a host range for one container port means the first
/// that is free (docs.docker.com, `docker container run`, `--publish`).
fn expand(
    context: &mut Context,
    declaration: &PublishDecl,
    container: &str,
    default_address: Option<IpAddr>,
    ports: &Ports<'_>,
) -> Vec<Publish> {
    let publish =
        |host_port: Option<u16>, container_port: u16| publish(declaration, container, host_port, container_port);
    let inside = declaration.container_ports;
    let Some(outside) = declaration.host_ports else {
        return (inside.first..=inside.last).map(|port| publish(None, port)).collect();
    };
    if outside.count() == inside.count() {
        return (outside.first..=outside.last)
            .zip(inside.first..=inside.last)
            .map(|(o, i)| publish(Some(o), i))
            .collect();
    }
    if inside.count() == 1 {
        let address = declaration.host_address.or(default_address);
        let free = (outside.first..=outside.last).find(|p| ports.holder(declaration.protocol, address, *p).is_none());
        return vec![publish(Some(free.unwrap_or(outside.first)), inside.first)];
    }
    context.report(ranges_differ(declaration.span, outside, inside));
    Vec::new()
}

fn publish(declaration: &PublishDecl, container: &str, host_port: Option<u16>, container_port: u16) -> Publish {
    let what = match host_port {
        Some(port) => format!("published port {port} of `{container}`"),
        None => format!("port {container_port} of `{container}`, published on a port that docker chooses"),
    };
    Publish {
        host_address: declaration.host_address,
        host_port,
        container_port,
        protocol: declaration.protocol,
        guard: None,
        origin: Origin::written(what, declaration.span),
    }
}

/// The ports, ranges left out, that a container would publish if one of its networks were not internal.
pub(super) fn withheld(container: &ContainerDecl, name: &str) -> Vec<Publish> {
    let single = |ports: PortRange| (ports.count() == 1).then_some(ports.first);
    let of = |declaration: &PublishDecl| {
        let outside = declaration.host_ports.map(single);
        Some(publish(declaration, name, outside.unwrap_or_default(), single(declaration.container_ports)?))
    };
    container.publishes.iter().filter_map(of).collect()
}

/// `-P` publishes every exposed port, those of the image included, on ports that the kernel chooses.
fn publish_all(container: &ContainerDecl, name: &str) -> Vec<Publish> {
    let Some(span) = container.publish_all else { return Vec::new() };
    let mut exposed: Vec<(Protocol, u16)> =
        container.exposed().flat_map(|e| (e.value.1.first..=e.value.1.last).map(|port| (e.value.0, port))).collect();
    if let Some(image) = container.image.as_ref().and_then(|i| images::find(&i.value)) {
        exposed.extend(image.ports.iter().copied());
    }
    exposed.sort_unstable();
    exposed.dedup();
    let publish = |(protocol, port): (Protocol, u16)| Publish {
        host_address: None,
        host_port: None,
        container_port: port,
        protocol,
        guard: None,
        origin: Origin::written(
            format!("exposed port {port} of `{name}`, published on a port that docker chooses"),
            span,
        ),
    };
    exposed.into_iter().map(publish).collect()
}

fn report_ignored(context: &mut Context, container: &ContainerDecl, name: &str, joins: Joins) {
    let reason = match joins {
        Joins::Host => {
            text!("the container uses the host's own network", "컨테이너가 호스트의 네트워크를 그대로 쓰기 때문입니다")
        }
        Joins::Container => {
            text!("the container uses another container's network", "다른 컨테이너의 네트워크를 쓰기 때문입니다")
        }
        Joins::InternalOnly => {
            text!("the container is on internal networks only", "컨테이너가 내부 네트워크에만 있기 때문입니다")
        }
        Joins::Parent => text!(
            "the container is on the network of the host itself, with an address of its own",
            "컨테이너가 자기 주소로 호스트의 네트워크에 직접 있기 때문입니다"
        ),
        Joins::Nothing | Joins::Bridge(_) => {
            text!("the container has no network", "컨테이너에 네트워크가 없기 때문입니다")
        }
    };
    let way_out = match joins {
        Joins::Host => text!(
            "remove it: programs of the container listen on the host directly",
            "지우십시오. 컨테이너의 프로그램이 호스트에서 직접 대기합니다"
        ),
        Joins::Container => text!(
            "publish the port on the container whose network is used",
            "네트워크를 빌려주는 컨테이너에서 포트를 게시하십시오"
        ),
        Joins::Parent => text!(
            "remove it: other machines reach the container's own address, the host does not",
            "지우십시오. 다른 머신은 컨테이너의 주소로 바로 연결되고, 호스트는 연결할 수 없습니다"
        ),
        Joins::InternalOnly => text!(
            "attach the container to a network that is not internal as well",
            "내부 네트워크가 아닌 네트워크에도 컨테이너를 연결하십시오"
        ),
        Joins::Nothing | Joins::Bridge(_) => {
            text!("attach the container to a network", "컨테이너를 네트워크에 연결하십시오")
        }
    };
    let places = container.publishes.iter().map(|p| p.span).chain(container.publish_all);
    for span in places {
        let message = text!(
            "docker publishes no port of `{name}`, because {reason}",
            "docker가 `{name}` 컨테이너의 포트를 게시하지 않습니다. {reason}"; reason
        );
        let diagnostic =
            Diagnostic::new(Code::DockerPublishIgnored, message).label(span, text!("has no effect", "효과가 없음"));
        context.report(diagnostic.help(way_out.clone()));
    }
}

fn port_taken(name: &str, publish: &Publish, port: u16, holder: &Holder) -> Diagnostic {
    let message = text!(
        "port {port}/{protocol} of `{name}` is taken by `{who}`",
        "`{name}`의 {port}/{protocol} 포트를 이미 `{who}` 쪽에서 쓰고 있습니다",
        protocol = publish.protocol,
        who = &holder.who
    );
    let mut diagnostic = Diagnostic::new(Code::DockerPortTaken, message);
    if let Some(span) = publish.origin.span() {
        diagnostic = diagnostic
            .label(span, text!("docker does not start this container", "docker가 이 컨테이너를 시작하지 않음"));
    }
    if let Some(span) = holder.span {
        diagnostic = diagnostic.label(span, text!("the port is taken here", "여기서 이 포트를 씀"));
    }
    diagnostic.help(text!(
        "publish one of them on another port of the host",
        "둘 중 하나를 호스트의 다른 포트에 게시하십시오"
    ))
}

fn excluded(host: &str, publish: &Publish, port: u16, entry: Span) -> Diagnostic {
    let (protocol, wanted) = (publish.protocol, publish.origin.span());
    let consequence = text!("docker does not start this container", "docker가 이 컨테이너를 시작하지 않음");
    Refused { host, protocol, port, wanted, consequence, entry }.diagnostic()
}

fn ranges_differ(span: Span, outside: PortRange, inside: PortRange) -> Diagnostic {
    let (host, own) = (outside.count(), inside.count());
    let message = text!(
        "port ranges of different length: {host} ports of the host for {own} ports of the container",
        "포트 범위의 길이가 다릅니다: 호스트 포트 {host}개, 컨테이너 포트 {own}개"
    );
    Diagnostic::new(Code::BadPort, message)
        .label(span, text!("docker refuses this", "docker가 거부함"))
        .help(text!("make both ranges equally long", "두 범위의 길이를 같게 하십시오"))
}
