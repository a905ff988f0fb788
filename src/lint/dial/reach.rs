//! What else keeps a dialled address from being reached: names that nobody has, ports that are closed, the host by its
//! own name, and rules on the way.

use crate::dataplane::{Decision, Disposition, Event, Flow, Node};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::{Networking, images};
use crate::language::{Text, text};
use crate::net::Protocol;
use crate::provenance::Basis;

use super::{Dial, listens};
use crate::lint::publish::{DATABASES, mentions};
use crate::lint::scene::{Place, SOURCE_PORT, Scene};

/// What containers call their host.
pub(super) const HOST: &str = "host.docker.internal";

/// Images, beside exporters and databases, that listen on the ports of the table and on no others that are dialled.
const SIMPLE: [&str; 9] = [
    "cadvisor/cadvisor",
    "google/cadvisor",
    "grafana/grafana",
    "grafana/grafana-enterprise",
    "grafana/grafana-oss",
    "prom/alertmanager",
    "prom/prometheus",
    "prom/pushgateway",
    "adminer",
];

pub(super) fn knows(node: &Node, name: &str) -> bool {
    node.names.iter().any(|known| known.name == name)
}

/// How a program on the host is dialled from a container.
pub(super) fn by_host(node: &Node, port: Option<u16>) -> Text {
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    match knows(node, HOST) {
        true => text!("write `{HOST}{port}`", "`{HOST}{port}`로 쓰십시오"),
        false => text!(
            "write `{HOST}{port}`, and add `extra_hosts: [\"{HOST}:host-gateway\"]`",
            "`{HOST}{port}`로 쓰고, `extra_hosts: [\"{HOST}:host-gateway\"]`를 추가하십시오"
        ),
    }
}

/// The remark at an address that leads to a closed port.
pub(super) fn nobody() -> Text {
    text!("nothing listens there", "거기서 대기하는 프로그램이 없음")
}

fn unresolved(place: Place<'_>, host: &str) -> Text {
    let name = &place.container.name;
    text!("`{name}` cannot resolve `{host}`", "`{name}`에서 `{host}`라는 이름을 찾을 수 없습니다")
}

fn unknown_here() -> Text {
    text!("this name is not known here", "여기서는 모르는 이름")
}

/// Whether everything that listens in the container's namespace is known: no image there leaves it open.
pub(super) fn is_known(place: Place<'_>) -> bool {
    let containers = place.engine.containers.iter().enumerate();
    let mut inside =
        containers.filter(|(index, container)| Place { index: *index, container, ..place }.owner() == place.owner());
    inside.all(|(_, container)| {
        let known = container.image.as_ref().and_then(|image| images::find(&image.value));
        let name = known.map_or("", |row| row.repository);
        name.ends_with("exporter") || DATABASES.contains(&name) || SIMPLE.contains(&name)
    })
}

/// `host.docker.internal`, which only Docker Desktop knows by itself.
pub(super) fn unknown_host(place: Place<'_>, dial: &Dial) -> Diagnostic {
    let remark =
        text!("only Docker Desktop knows this name by itself", "이 이름을 저절로 아는 것은 Docker Desktop뿐임");
    let help = text!(
        "add `extra_hosts: [\"{HOST}:host-gateway\"]`, or `--add-host {HOST}:host-gateway`",
        "`extra_hosts: [\"{HOST}:host-gateway\"]`나 `--add-host {HOST}:host-gateway`를 추가하십시오"
    );
    Diagnostic::new(Code::DockerNameUnknown, unresolved(place, HOST)).warning().label(dial.span, remark).help(help)
}

/// A container in the host's namespace, which the name service does not know.
pub(super) fn on_host(place: Place<'_>, other: Place<'_>, node: &Node, dial: &Dial) -> Option<Diagnostic> {
    let owner = other.engine.containers.get(other.owner())?;
    let Networking::Host(mode) = &owner.networking else { return None };
    let what = unresolved(place, &dial.host);
    let message = text!("{what}: it is on the host's network", "{what}: 호스트 네트워크를 쓰는 컨테이너입니다"; what);
    let mut diagnostic = Diagnostic::new(Code::DockerNameUnknown, message).warning();
    diagnostic = diagnostic.label(dial.span, unknown_here());
    if let Some(span) = mode.span() {
        diagnostic = diagnostic.label(span, text!("because of this", "이 설정 때문"));
    }
    Some(diagnostic.help(by_host(node, dial.port)))
}

/// A name that is almost that of a container within reach.
pub(super) fn misspelt(place: Place<'_>, node: &Node, dial: &Dial) -> Option<Diagnostic> {
    let is_name = !dial.host.contains('.') && dial.is_certain;
    let bare = |name: &str| name.to_lowercase().replace(['-', '_', '.'], "");
    let names = || {
        node.names
            .iter()
            .map(|known| known.name.as_str())
            .filter(|name| dial.host.len() > 3 && is_name && *name != HOST)
    };
    let same = names().find(|name| bare(name) == bare(&dial.host));
    let near = same.or_else(|| did_you_mean(&dial.host, names()))?;
    let diagnostic = Diagnostic::new(Code::DockerNameUnknown, unresolved(place, &dial.host)).warning();
    let remark = text!("nobody is called that", "이런 이름은 없음");
    Some(diagnostic.label(dial.span, remark).help(text!("did you mean `{near}`?", "혹시 `{near}`?")))
}

/// A port of a container that is known to be closed.
pub(super) fn closed_port(place: Place<'_>, other: Place<'_>, dial: &Dial) -> Option<Diagnostic> {
    let port = dial.port.filter(|port| dial.is_certain && !listens(other, *port))?;
    if !is_known(other) || mentions(other, port) {
        return None;
    }
    let mut ports: Vec<u16> =
        other.listens().iter().filter(|l| l.protocol == Protocol::Tcp).map(|l| l.ports.first).collect();
    ports.dedup();
    let [first, ..] = ports.as_slice() else { return None };
    let list = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let (name, host) = (&place.container.name, &dial.host);
    let message = text!(
        "`{name}` dials port {port} of `{host}`, which listens on {list}",
        "`{name}`에서 `{host}`의 {port}번 포트로 연결하는데, 대기하는 포트는 {list}번입니다"
    );
    let diagnostic = Diagnostic::new(Code::ListenNothing, message).warning();
    Some(diagnostic.label(dial.span, nobody()).help(text!("write `{host}:{first}`", "`{host}:{first}`로 쓰십시오")))
}

/// An address whose packets a rule stops on the way.
pub(super) fn blocked(scene: &Scene<'_>, place: Place<'_>, dial: &Dial) -> Option<Diagnostic> {
    let from = scene.namespace(place)?;
    let by_name = || scene.dataplane.node(from).names.iter().find(|known| known.name == dial.host);
    let destination = dial.host.parse().ok().or_else(|| by_name().map(|known| known.address))?;
    let flow = Flow {
        from,
        protocol: Protocol::Tcp,
        source: None,
        source_port: SOURCE_PORT,
        destination,
        destination_port: dial.port.filter(|_| dial.is_certain)?,
    };
    let trace = scene.follow(&flow);
    if !matches!(trace.outcome.disposition, Disposition::Dropped | Disposition::Rejected(_)) {
        return None;
    }
    let refuses =
        |event: &Event| matches!(event, Event::Filtered { decision: Decision::Dropped | Decision::Rejected(_), .. });
    let step = trace.steps.iter().rev().find(|step| refuses(&step.event))?;
    let origin = step.origin.map(|id| scene.dataplane.origins.get(id))?;
    let (name, host, port, what) = (&place.container.name, &dial.host, flow.destination_port, &origin.what);
    let message = text!(
        "`{name}` cannot reach `{host}:{port}`: {what} stops it",
        "`{name}`에서 `{host}:{port}`에 연결할 수 없습니다: {what} 때문에 막힙니다"; what
    );
    let remark = text!("dialled here", "여기서 연결함");
    let mut diagnostic = Diagnostic::new(Code::Dropped, message).warning().label(dial.span, remark);
    if let Some(span) = origin.span().filter(|_| !matches!(origin.basis, Basis::Assumed { .. })) {
        diagnostic = diagnostic.label(span, text!("this decides it", "여기서 결정됨"));
    }
    Some(diagnostic)
}
