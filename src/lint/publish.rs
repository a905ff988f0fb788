//! Published ports that lead to nobody, and databases that are open to everybody.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lab::{Listen, Publish, images};
use crate::language::{Text, text};
use crate::net::{PortRange, Protocol};
use crate::provenance::{Basis, Origin};
use crate::source::Spanned;

use super::scene::{Place, Scene};

/// Servers whose clients are other programs, and whose port is rarely changed inside the container (repositories of the
/// image table).
pub(super) const DATABASES: [&str; 18] = [
    "cassandra",
    "clickhouse/clickhouse-server",
    "couchdb",
    "elasticsearch",
    "etcd",
    "influxdb",
    "mariadb",
    "memcached",
    "mongo",
    "mysql",
    "neo4j",
    "postgis/postgis",
    "postgres",
    "redis",
    "timescale/timescaledb",
    "valkey/valkey",
    "percona",
    "mysql/mysql-server",
];

/// Servers whose ports are usually those of a configuration file, or differ between tags.
const CONFIGURED: [&str; 16] = [
    "apache/kafka",
    "bitnami/kafka",
    "caddy",
    "eclipse-mosquitto",
    "emqx/emqx",
    "envoyproxy/envoy",
    "haproxy",
    "httpd",
    "kong",
    "minio/minio",
    "nginx",
    "nginxinc/nginx-unprivileged",
    "openresty/openresty",
    "rabbitmq",
    "tomcat",
    "traefik",
];

pub(super) fn lint(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for place in scene.places() {
        let listens = place.listens();
        for publish in place.container.publishes.iter().filter(|p| p.guard.is_none()) {
            found.extend(nobody(place, publish, &listens).or_else(|| only_loopback(place, publish, &listens)));
        }
        found.extend(place.container.exposes.iter().filter_map(|exposed| closed(place, exposed, &listens)));
        found.extend(place.container.publishes.iter().find_map(|publish| open_database(scene, place, publish)));
    }
    found
}

/// What a container's image is, if it is a database.
pub(super) fn database(place: Place<'_>) -> Option<&'static str> {
    let image = place.container.image.as_ref()?;
    let repository = images::find(&image.value)?.repository;
    DATABASES.iter().copied().find(|known| *known == repository)
}

fn takes(listen: &Listen, protocol: Protocol, port: u16) -> bool {
    listen.protocol == protocol && listen.ports.contains(port)
}

/// Whether it is written that the program listens there, not only known of its image.
fn is_written(listen: &Listen) -> bool {
    matches!(listen.origin.basis, Basis::Written(_))
}

/// The published container port is not one that the container listens on.
fn nobody(place: Place<'_>, publish: &Publish, listens: &[&Listen]) -> Option<Diagnostic> {
    let of_protocol: Vec<&&Listen> = listens.iter().filter(|l| l.protocol == publish.protocol).collect();
    if of_protocol.is_empty() || of_protocol.iter().any(|l| takes(l, publish.protocol, publish.container_port)) {
        return None;
    }
    let outside = publish.host_port.filter(|port| of_protocol.iter().any(|l| takes(l, publish.protocol, *port)));
    let all_written = of_protocol.iter().all(|l| is_written(l));
    let leads_nowhere =
        || !is_configured(place) && !any_leads(place, listens) && !mentions(place, publish.container_port);
    match outside {
        Some(outside) if outside != publish.container_port && !mentions(place, publish.container_port) => {
            Some(reversed(place, publish, outside, listens))
        }
        _ if all_written || leads_nowhere() => Some(mismatched(place, publish, &of_protocol)),
        _ => None,
    }
}

/// An exposed port where nobody listens, because the program says that it listens on others.
fn closed(place: Place<'_>, exposed: &Spanned<(Protocol, PortRange)>, listens: &[&Listen]) -> Option<Diagnostic> {
    let (protocol, ports) = exposed.value;
    let listens: Vec<&&Listen> = listens.iter().filter(|l| l.protocol == protocol).collect();
    let is_taken = listens.iter().any(|l| takes(l, protocol, ports.first));
    if is_taken || ports.count() != 1 || listens.is_empty() || !listens.iter().all(|l| is_written(l)) {
        return None;
    }
    // What the image below exposes is not said here.
    let is_own = place.container.image.iter().all(|image| image.span != exposed.span);
    let first = listens.first().filter(|_| is_own && !mentions(place, ports.first))?;
    let (name, port, real) = (&place.container.name, ports.first, first.ports);
    let message = text!(
        "port {port} of `{name}` is exposed, but its program listens on {real}",
        "`{name}`의 {port}번 포트를 노출(expose)하지만, 프로그램은 {real}번에서 대기합니다"
    );
    let remark = text!("nothing listens there", "거기서 대기하는 프로그램이 없음");
    let diagnostic = Diagnostic::new(Code::DockerWrongPort, message).label(exposed.span, remark);
    let diagnostic = at(diagnostic, &first.origin, text!("it listens here", "여기서 대기함"));
    let help = text!("write `{real}`", "`{real}`(으)로 쓰십시오");
    Some(Diagnostic { severity: Severity::Advice, ..diagnostic.help(help) })
}

/// Whether the image is one whose ports come from a file that nobody gave us.
fn is_configured(place: Place<'_>) -> bool {
    let image = place.container.image.as_ref().and_then(|image| images::find(&image.value));
    image.is_none_or(|row| CONFIGURED.contains(&row.repository))
}

/// Whether some published port leads to a port that is known: then others may be ports that are not known.
fn any_leads(place: Place<'_>, listens: &[&Listen]) -> bool {
    let publishes = &place.container.publishes;
    publishes.iter().any(|p| listens.iter().any(|l| takes(l, p.protocol, p.container_port)))
}

/// Whether a variable or the command has the number: then the program may have been told.
pub(super) fn mentions(place: Place<'_>, port: u16) -> bool {
    let wanted = port.to_string();
    let has = |text: &str| text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits == wanted);
    let container = place.container;
    container.environment.iter().any(|(_, value)| has(&value.value))
        || container.command.iter().any(|word| has(&word.value))
}

fn reversed(place: Place<'_>, publish: &Publish, outside: u16, listens: &[&Listen]) -> Diagnostic {
    let (name, inside) = (&place.container.name, publish.container_port);
    let message = text!(
        "`{name}` listens on {outside}, not on {inside}: the two ports look swapped",
        "`{name}`: 대기하는 포트는 {inside}번이 아니라 {outside}번입니다. 두 포트가 뒤바뀐 것으로 보입니다"
    );
    let diagnostic =
        at(Diagnostic::new(Code::DockerWrongPort, message).warning(), &publish.origin, "HOST:CONTAINER".into());
    let listen = listens.iter().find(|l| takes(l, publish.protocol, outside));
    let diagnostic = listen.map_or(diagnostic.clone(), |l| at(diagnostic, &l.origin, thought()));
    diagnostic.help(text!("write `{inside}:{outside}`", "`{inside}:{outside}`(으)로 쓰십시오"))
}

fn thought() -> Text {
    text!("why it is thought to listen there", "거기서 대기한다고 보는 근거")
}

fn mismatched(place: Place<'_>, publish: &Publish, listens: &[&&Listen]) -> Diagnostic {
    let (name, inside) = (&place.container.name, publish.container_port);
    let mut ports: Vec<String> = listens.iter().map(|l| l.ports.to_string()).collect();
    ports.dedup();
    let ports = ports.join(", ");
    let message = text!(
        "nobody listens on port {inside} of `{name}`: it listens on {ports}",
        "`{name}`의 {inside}번 포트에서 대기하는 프로그램이 없습니다. 대기하는 포트는 {ports}번입니다"
    );
    let remark = text!("leads to a closed port", "닫힌 포트로 이어짐");
    let diagnostic = at(Diagnostic::new(Code::DockerWrongPort, message).warning(), &publish.origin, remark);
    let diagnostic = match listens.first() {
        Some(first) => at(diagnostic, &first.origin, thought()),
        None => diagnostic,
    };
    diagnostic.help(text!(
        "publish the port that the program listens on: the second number is the container's",
        "프로그램이 대기하는 포트를 게시하십시오. 두 번째 숫자가 컨테이너의 포트입니다"
    ))
}

/// Everything that takes the published port listens on loopback, and that is written.
fn only_loopback(place: Place<'_>, publish: &Publish, listens: &[&Listen]) -> Option<Diagnostic> {
    let takers: Vec<&&Listen> = listens.iter().filter(|l| takes(l, publish.protocol, publish.container_port)).collect();
    let on_loopback = |l: &&&Listen| l.address.is_some_and(|a| a.is_loopback()) && is_written(l);
    let first = takers.first().filter(|_| takers.iter().all(on_loopback))?;
    let (name, port) = (&place.container.name, publish.container_port);
    let message = text!(
        "port {port} of `{name}` is published, but only listens on loopback",
        "`{name}`의 {port}번 포트를 게시하지만, 프로그램은 루프백에서만 대기합니다"
    );
    let remark = text!("leads to the container's address", "컨테이너의 주소로 이어짐");
    let diagnostic = at(Diagnostic::new(Code::ListenLoopback, message).warning(), &publish.origin, remark);
    let remark = text!("only the container itself gets here", "컨테이너 자신만 연결할 수 있음");
    let diagnostic = at(diagnostic, &first.origin, remark);
    Some(diagnostic.help(text!(
        "let the program listen on 0.0.0.0; who gets in is decided where the port is published",
        "프로그램이 0.0.0.0에서 대기하게 하십시오. 누가 들어올 수 있는지는 포트를 게시하는 곳에서 정합니다"
    )))
}

/// A database that machines nobody listed can reach.
fn open_database(scene: &Scene<'_>, place: Place<'_>, publish: &Publish) -> Option<Diagnostic> {
    let database = database(place)?;
    let is_everywhere = place.address_of(publish).is_none();
    let is_its_port = place.listens().iter().any(|l| takes(l, publish.protocol, publish.container_port));
    let outsider = scene.outsider_through(place, publish).filter(|_| is_everywhere && is_its_port)?;
    let port = publish.host_port?;
    let (network, inside) = (outsider.network, publish.container_port);
    let message = text!(
        "`{database}` is published to every machine on `{network}`",
        "`{database}` 데이터베이스를 `{network}`의 모든 머신에 공개합니다"
    );
    let remark = text!("on all addresses", "모든 주소에서");
    let diagnostic = at(Diagnostic::new(Code::DockerDatabasePublished, message), &publish.origin, remark);
    Some(diagnostic.help(text!(
        "containers of the same network need no published port; for programs on the host write `127.0.0.1:{port}:{inside}`",
        "같은 네트워크의 컨테이너에게는 게시된 포트가 필요 없습니다. 호스트의 프로그램용이라면 \
         `127.0.0.1:{port}:{inside}`(으)로 쓰십시오"
    )))
}

fn at(diagnostic: Diagnostic, origin: &Origin, remark: Text) -> Diagnostic {
    match origin.span() {
        Some(span) if diagnostic.labels.iter().all(|l| l.span != span) => diagnostic.label(span, remark),
        _ => diagnostic,
    }
}
