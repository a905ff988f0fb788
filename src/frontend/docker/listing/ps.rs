//! `docker ps`, as a table or as one JSON object a line, and `docker compose ps` (docker CLI, cli/command/formatter).
//!
//! It says nothing about addresses, and the table nothing about networks.

use std::net::IpAddr;

use crate::frontend::docker::port_spec;
use crate::frontend::yaml::Node;
use crate::lab::declaration::{AttachDecl, ContainerDecl, Listing, NetworkMode, PublishDecl, RunState, RunningDecl};
use crate::net::{PortRange, Protocol};
use crate::source::{SourceId, Span, Spanned};

use super::container::{one_for_both_families, spanned};
use super::{at, text};

/// Titles of the columns that are read.
const COLUMNS: [&str; 7] = ["CONTAINER ID", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"];

/// Whether a line is the head of a table of containers. `docker ps` ends with the names, `docker compose ps` starts
/// with them.
pub(super) fn is_header(line: &str) -> bool {
    let has = |title: &str| line.contains(title);
    (line.starts_with("CONTAINER ID ") && has(" NAMES"))
        || (line.starts_with("NAME ") && has(" SERVICE ")) && ["IMAGE", "STATUS", "PORTS"].into_iter().all(has)
}

/// One line of a table.
pub(super) fn row(source: SourceId, header: &str, start: usize, line: &str) -> Option<Box<RunningDecl>> {
    let cell = |title: &str| cell(source, header, start, line, title);
    let names = cell("NAMES").or_else(|| cell("NAME"))?;
    let made_from = cell("SERVICE").map(|service| (String::new(), service.value));
    running(Listed {
        names,
        id: cell("CONTAINER ID"),
        image: cell("IMAGE"),
        status: cell("STATUS"),
        ports: cell("PORTS"),
        networks: None,
        made_from,
    })
}

/// What stands below a title, up to the next column. Columns are as wide as their widest cell, counted in characters.
fn cell(source: SourceId, header: &str, start: usize, line: &str, title: &str) -> Option<Spanned<String>> {
    let from = column(header, title)?;
    let titles = COLUMNS.iter().copied().chain(["NAMES"]);
    let to = titles.filter_map(|other| column(header, other)).filter(|other| from < *other).min();
    let offset = |column: usize| line.char_indices().nth(column).map_or(line.len(), |(offset, _)| offset);
    let (first, last) = (offset(from), to.map_or(line.len(), offset));
    let written = line.get(first..last)?.trim_end();
    let span = Span::new(source, start + first, start + first + written.len());
    (!written.is_empty()).then(|| Spanned::new(written.to_owned(), span))
}

/// The place of a title, which is a word of its own.
fn column(header: &str, title: &str) -> Option<usize> {
    let (padded, word) = (format!("{header} "), format!("{title} "));
    let is_start =
        |offset: &usize| padded.get(..*offset).is_some_and(|before| before.is_empty() || before.ends_with(' '));
    padded.match_indices(&word).map(|(offset, _)| offset).find(is_start)
}

/// One object of `--format json` or `--format '{{json .}}'`.
pub(super) fn object(object: &Node) -> Option<Box<RunningDecl>> {
    let cell = |key: &str| at(object, &[key]).and_then(spanned);
    let labels = text(object, &["Labels"]).unwrap_or_default();
    let label = |name: &str| labels.split(',').find_map(|label| label.split_once('=').filter(|(n, _)| *n == name));
    let project = label("com.docker.compose.project").map(|(_, value)| value.to_owned());
    let service = label("com.docker.compose.service").map(|(_, value)| value.to_owned());
    running(Listed {
        names: cell("Names").or_else(|| cell("Name"))?,
        id: cell("ID"),
        image: cell("Image"),
        status: cell("Status"),
        ports: cell("Ports"),
        networks: cell("Networks"),
        made_from: project.zip(service.or_else(|| cell("Service").map(|service| service.value))),
    })
}

/// What both forms say.
struct Listed {
    names: Spanned<String>,
    id: Option<Spanned<String>>,
    image: Option<Spanned<String>>,
    status: Option<Spanned<String>>,
    ports: Option<Spanned<String>>,
    networks: Option<Spanned<String>>,
    made_from: Option<(String, String)>,
}

fn running(listed: Listed) -> Option<Box<RunningDecl>> {
    // Links give a container more names, all with a slash: `database,web/db`.
    let name = listed.names.value.split(',').find(|name| !name.contains('/'))?.to_owned();
    let name = Spanned::new(name, listed.names.span);
    let is_down = |status: &str| ["Exited", "Created", "Dead", "Removal"].iter().any(|word| status.starts_with(word));
    let state = match &listed.status {
        Some(status) if is_down(&status.value) => Spanned::new(RunState::Down, status.span),
        Some(status) => Spanned::new(RunState::Up, status.span),
        None => Spanned::new(RunState::Up, name.span),
    };
    let (publishes, exposes) = listed.ports.as_ref().map(ports).unwrap_or_default();
    let (networks, mode) = listed.networks.as_ref().map(networks).unwrap_or_default();
    let span = name.span;
    let container = ContainerDecl {
        name: Some(name),
        aliases: listed.made_from.iter().map(|(_, service)| service.clone()).collect(),
        image: listed.image,
        networks,
        mode,
        publishes,
        exposes,
        ..ContainerDecl::at(span)
    };
    let id = listed.id.map(|id| id.value).unwrap_or_default();
    Some(Box::new(RunningDecl { container, id, made_from: listed.made_from, state, listing: Listing::Ps }))
}

type Ports = (Vec<PublishDecl>, Vec<Spanned<(Protocol, PortRange)>>);

/// `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp`: published ports, and exposed ones.
fn ports(written: &Spanned<String>) -> Ports {
    let (mut published, mut exposed) = (Vec::new(), Vec::new());
    for item in written.value.split(", ") {
        let (host, inside) = item.split_once("->").map_or((None, item), |(host, inside)| (Some(host), inside));
        let (ports, protocol) = inside.split_once('/').unwrap_or((inside, ""));
        let read = port_spec::port_range(ports).zip(port_spec::published_protocol(protocol));
        let Some((container_ports, protocol)) = read else { continue };
        let Some(host) = host else {
            exposed.push(Spanned::new((protocol, container_ports), written.span));
            continue;
        };
        let (address, host_ports) = host.rsplit_once(':').unwrap_or(("", host));
        published.push(PublishDecl {
            host_address: address.trim_matches(['[', ']']).parse::<IpAddr>().ok(),
            host_ports: port_spec::port_range(host_ports),
            container_ports,
            protocol,
            span: written.span,
        });
    }
    (one_for_both_families(published), exposed)
}

/// `back,front`; containers that share another one's namespace are on none.
fn networks(written: &Spanned<String>) -> (Vec<AttachDecl>, Option<Spanned<NetworkMode>>) {
    match written.value.as_str() {
        "host" => (Vec::new(), Some(Spanned::new(NetworkMode::Host, written.span))),
        "none" => (Vec::new(), Some(Spanned::new(NetworkMode::None, written.span))),
        names => {
            let attach = |name: &str| AttachDecl {
                network: Spanned::new(name.to_owned(), written.span),
                address: None,
                aliases: Vec::new(),
                gateway_priority: None,
            };
            (names.split(',').map(attach).collect(), None)
        }
    }
}
