//! Addresses in variables, commands and mounted configuration of containers that cannot be meant: `localhost` for another
//! container, the published port instead of the container's, names that the container cannot resolve, and others that
//! cannot be reached.
//!
//! What a value means is told by its shape: `scheme://host:port`, `host:port`, or a variable that is called
//! `…_HOST`. URLs that a browser may be meant to open are left alone, because there `localhost` is the right word.

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::{Container, Endpoint, Networking, Publish};
use crate::language::{Text, text};
use crate::net::Protocol;
use crate::source::Span;

use super::publish::database;
use super::scene::{Place, Scene};

mod reach;

/// Schemes that browsers do not open, and the port that stands for them.
const SCHEMES: [(&str, u16); 20] = [
    ("amqp", 5672),
    ("amqps", 5671),
    ("bolt", 7687),
    ("clickhouse", 9000),
    ("ldap", 389),
    ("mariadb", 3306),
    ("memcached", 11211),
    ("mongodb", 27017),
    ("mqtt", 1883),
    ("mysql", 3306),
    ("mysql2", 3306),
    ("nats", 4222),
    ("neo4j", 7687),
    ("pgsql", 5432),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("redis", 6379),
    ("rediss", 6379),
    ("smtp", 25),
    ("sqlserver", 1433),
];

/// Words in a variable's name that mean any database.
const DATABASE_WORDS: [&str; 5] = ["db", "database", "sql", "datasource", "jdbc"];

/// Words in a variable's name that say that the value is for somebody outside, or where to listen.
const NOT_DIALED: [&str; 12] = [
    "advertised",
    "allowed",
    "bind",
    "browser",
    "cors",
    "external",
    "listen",
    "listeners",
    "origin",
    "origins",
    "public",
    "virtual",
];

pub(super) fn lint(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for place in scene.places() {
        let mut seen = Vec::new();
        for dial in dials(place.container) {
            if let Some(diagnostic) = about(scene, place, &dial).filter(|_| !seen.contains(&dial.span)) {
                seen.push(dial.span);
                found.push(diagnostic);
            }
        }
    }
    found
}

/// An address that a container's program is told to dial.
#[derive(Clone, Debug, PartialEq)]
struct Dial {
    /// The words of the variable's name; none for a command.
    words: Vec<String>,
    /// Whether only a program, never a browser, opens it.
    is_certain: bool,
    host: String,
    port: Option<u16>,
    span: Span,
}

fn about(scene: &Scene<'_>, place: Place<'_>, dial: &Dial) -> Option<Diagnostic> {
    if matches!(dial.host.as_str(), "localhost" | "127.0.0.1" | "[::1]") {
        return localhost(scene, place, dial);
    }
    let node = scene.dataplane.node(scene.namespace(place)?);
    let is_known = reach::knows(node, &dial.host);
    let blocked = || reach::blocked(scene, place, dial);
    if dial.host == reach::HOST {
        return if is_known { blocked() } else { Some(reach::unknown_host(place, dial)) };
    }
    match others(scene, place).find(|other| is_called(other.container, &dial.host)) {
        Some(other) if is_known => {
            published(place, other, dial).or_else(|| reach::closed_port(place, other, dial)).or_else(blocked)
        }
        Some(other) => unknown_name(place, other, dial).or_else(|| reach::on_host(place, other, node, dial)),
        None if is_known || is_called(place.container, &dial.host) => blocked(),
        None => reach::misspelt(place, node, dial).or_else(blocked),
    }
}

/// Containers of the same engine that are not in the same namespace.
fn others<'a>(scene: &Scene<'a>, place: Place<'a>) -> impl Iterator<Item = Place<'a>> {
    let owner = place.owner();
    scene.places().filter(move |other| other.host == place.host && other.owner() != owner)
}

fn is_called(container: &Container, name: &str) -> bool {
    container.name == name || container.aliases.iter().any(|alias| alias == name)
}

fn listens(place: Place<'_>, port: u16) -> bool {
    place.listens().iter().any(|l| l.protocol == Protocol::Tcp && l.ports.contains(port))
}

/// `localhost`, where nothing listens beside the container, and another container is meant.
fn localhost(scene: &Scene<'_>, place: Place<'_>, dial: &Dial) -> Option<Diagnostic> {
    let node = scene.dataplane.node(scene.namespace(place)?);
    if dial.port.is_some_and(|port| listens(place, port)) {
        return None;
    }
    let name = &place.container.name;
    let wrong = |who: &Text| {
        let host = &dial.host;
        let message = text!(
            "in `{name}`, `{host}` is `{name}` itself, not {who}",
            "`{name}` 안에서 `{host}`는 {who}가 아니라 `{name}` 자신입니다"; who
        );
        Diagnostic::new(Code::DockerLocalhost, message).label(dial.span, reach::nobody())
    };
    let Some(meant) = others(scene, place).find(|other| is_meant(*other, dial)) else {
        let is_certain = dial.is_certain && dial.port.is_some() && reach::is_known(place);
        return is_certain.then(|| wrong(&text!("the host", "호스트")).help(reach::by_host(node, dial.port)));
    };
    let other = &meant.container.name;
    let diagnostic = wrong(&text!("`{other}`", "`{other}` 컨테이너"));
    if scene.namespace(meant).is_none() {
        return Some(diagnostic.help(reach::by_host(node, dial.port)));
    }
    let known = meant.container.aliases.first().unwrap_or(other);
    let port = dial.port.map(|port| inside(meant, port)).map_or(String::new(), |port| format!(":{port}"));
    Some(diagnostic.help(text!(
        "write `{known}{port}`; both must be on a network of your own",
        "`{known}{port}`로 쓰십시오. 두 컨테이너가 같은 사용자 정의 네트워크에 있어야 합니다"
    )))
}

/// Whether a container can be what `localhost` was written for.
fn is_meant(other: Place<'_>, dial: &Dial) -> bool {
    let container = other.container;
    let is_published = |port: u16| container.publishes.iter().any(|p| p.host_port == Some(port));
    match dial.port {
        Some(port) if dial.is_certain => listens(other, port) || is_published(port),
        // A browser on the host would be right to open a published port.
        Some(port) => listens(other, port) && !is_published(port),
        None => {
            let is_named = |word: &String| is_called(container, word);
            let is_database = database(other).is_some();
            let of_image = |word: &String| database(other).is_some_and(|d| d.rsplit('/').next() == Some(word.as_str()));
            let any = |word: &String| is_database && DATABASE_WORDS.contains(&word.as_str());
            dial.words.iter().any(|word| is_named(word) || of_image(word) || any(word))
        }
    }
}

/// The container's port behind a published one.
fn inside(place: Place<'_>, port: u16) -> u16 {
    if listens(place, port) {
        return port;
    }
    let publish = place.container.publishes.iter().find(|p| p.host_port == Some(port));
    publish.map_or(port, |publish| publish.container_port)
}

/// Another container by name, at the port that it is published on.
fn published(place: Place<'_>, other: Place<'_>, dial: &Dial) -> Option<Diagnostic> {
    let port = dial.port?;
    let leads_here =
        |p: &&Publish| p.host_port == Some(port) && p.container_port != port && p.protocol == Protocol::Tcp;
    let publish = other.container.publishes.iter().find(leads_here)?;
    if listens(other, port) || !listens(other, publish.container_port) {
        return None;
    }
    let (name, host, inside) = (&place.container.name, &dial.host, publish.container_port);
    let message = text!(
        "`{name}` dials the published port {port} of `{host}`, which only the host has",
        "`{name}`에서 `{host}`의 게시된 포트 {port}번으로 연결하는데, 그 포트는 호스트에만 있습니다"
    );
    let remark = text!("nothing listens there between containers", "컨테이너 사이에서는 대기하는 프로그램이 없음");
    let mut diagnostic = Diagnostic::new(Code::DockerDialsPublished, message).label(dial.span, remark);
    if let Some(span) = publish.origin.span() {
        diagnostic = diagnostic.label(span, text!("published here", "여기서 게시함"));
    }
    Some(diagnostic.help(text!("write `{host}:{inside}`", "`{host}:{inside}`로 쓰십시오")))
}

/// Another container by a name that only a shared network of one's own would tell.
fn unknown_name(place: Place<'_>, other: Place<'_>, dial: &Dial) -> Option<Diagnostic> {
    let Networking::Bridges(own) = &place.container.networking else { return None };
    let Networking::Bridges(theirs) = &other.engine.containers.get(other.owner())?.networking else { return None };
    let network = |index: usize| place.engine.networks.get(index);
    let is_default = |e: &Endpoint| network(e.network).is_some_and(|n| n.is_default_bridge);
    let on_default = own.iter().any(is_default) && theirs.iter().any(is_default);
    let share = own.iter().any(|e| theirs.iter().any(|t| t.network == e.network));
    let why = match (on_default, share) {
        (true, _) => text!("the default bridge has no name service", "기본 브리지에는 이름 서비스가 없습니다"),
        (false, false) => text!("they are not on a common network", "함께 속한 네트워크가 없습니다"),
        (false, true) => return None,
    };
    let (name, host) = (&place.container.name, &dial.host);
    let message = text!(
        "`{name}` cannot resolve `{host}`: {why}",
        "`{name}`에서 `{host}`라는 이름을 찾을 수 없습니다: {why}"; why
    );
    let diagnostic = Diagnostic::new(Code::DockerNameUnknown, message).warning();
    let diagnostic = diagnostic.label(dial.span, text!("this name is not known here", "여기서는 모르는 이름"));
    Some(diagnostic.help(text!(
        "put both on a network of your own: `docker network create NAME`, then `--network NAME`",
        "둘을 사용자 정의 네트워크에 두십시오: `docker network create NAME`, 그다음 `--network NAME`"
    )))
}

/// Everything that a container is told to dial.
fn dials(container: &Container) -> Vec<Dial> {
    let mut all = Vec::new();
    for (key, value) in &container.environment {
        let words: Vec<String> = key.split(['_', '.', '-']).map(str::to_lowercase).collect();
        if words.iter().any(|word| NOT_DIALED.contains(&word.as_str())) {
            continue;
        }
        let found = addresses(&value.value);
        let is_host = words.last().is_some_and(|w| matches!(w.as_str(), "host" | "hostname" | "server"));
        if found.is_empty() && is_host && words.len() > 1 && is_host_name(&value.value) {
            let port = port_beside(container, key);
            all.push(Dial { words, is_certain: true, host: value.value.clone(), port, span: value.span });
            continue;
        }
        all.extend(found.into_iter().map(|address| address.dial(words.clone(), value.span)));
    }
    for address in &container.dials {
        let found = addresses(&address.value).into_iter();
        all.extend(found.map(|found| Dial { is_certain: true, ..found.dial(Vec::new(), address.span) }));
    }
    for word in &container.command {
        // An option may carry the address: `--redis=redis://cache:6379`.
        let text = word.value.rsplit_once('=').map_or(word.value.as_str(), |(_, value)| value);
        all.extend(addresses(text).into_iter().map(|address| address.dial(Vec::new(), word.span)));
    }
    all
}

/// `DB_PORT` beside `DB_HOST`.
fn port_beside(container: &Container, key: &str) -> Option<u16> {
    let stem = key.rsplit_once(['_', '.', '-']).map(|(stem, _)| stem)?;
    let is_port = |k: &str| k.strip_prefix(stem).is_some_and(|rest| rest.eq_ignore_ascii_case("_port"));
    container.environment.iter().find(|(k, _)| is_port(k)).and_then(|(_, value)| value.value.trim().parse().ok())
}

struct Address {
    scheme: Option<String>,
    host: String,
    port: Option<u16>,
}

impl Address {
    fn dial(self, words: Vec<String>, span: Span) -> Dial {
        let scheme = self.scheme.as_deref().and_then(known_scheme);
        let is_certain = scheme.is_some() || self.scheme.is_none();
        let usual = match self.scheme.as_deref() {
            Some("http") => Some(80),
            Some("https") => Some(443),
            _ => scheme,
        };
        Dial { words, is_certain, host: self.host, port: self.port.or(usual), span }
    }
}

/// The port of a scheme; what stands before `:` or `+` (`jdbc:postgresql`, `mongodb+srv`) names a driver.
fn known_scheme(scheme: &str) -> Option<u16> {
    let last = scheme.rsplit(':').next().unwrap_or(scheme);
    let base = last.split('+').next().unwrap_or(last);
    SCHEMES.iter().find(|(name, _)| *name == base).map(|(_, port)| *port)
}

/// The addresses in a value: those of a URL, or a list of `host:port`.
fn addresses(text: &str) -> Vec<Address> {
    let text = text.trim().trim_matches(['"', '\'']);
    let (scheme, authority) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme.to_lowercase()), rest.split(['/', '?', '#']).next().unwrap_or(rest)),
        None => (None, text),
    };
    let is_scheme = |s: &String| s.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | ':' | '-' | '.'));
    if scheme.as_ref().is_some_and(|s| !is_scheme(s)) {
        return Vec::new();
    }
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let each = authority.split(',').map(|part| {
        let (host, port) = part.rsplit_once(':').map_or((part, None), |(host, port)| (host, Some(port)));
        let port = port.map(|port| port.parse().ok());
        match port {
            Some(None) => None,
            _ if !is_host_name(host) => None,
            // Without a scheme, only a port makes it an address.
            None if scheme.is_none() => None,
            port => Some(Address { scheme: scheme.clone(), host: host.to_owned(), port: port.flatten() }),
        }
    });
    each.collect::<Option<Vec<_>>>().unwrap_or_default()
}

fn is_host_name(text: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text == "[::1]" || !text.is_empty() && text.chars().all(is_name) && text.chars().any(|c| !c.is_ascii_digit())
}
