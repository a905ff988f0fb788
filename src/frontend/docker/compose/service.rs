//! One service.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::frontend::docker::dockerfile::Image;
use crate::frontend::yaml::insert::ListItem;
use crate::frontend::yaml::{Entry, Node, Value, Walk};
use crate::lab::Declaration;
use crate::lab::declaration::{ContainerDecl, ImageDecl, NetworkMode};
use crate::source::{Span, Spanned};

use super::attach::{self, Mode};
use super::given::Given;
use super::interpolate::substitute_known;
use super::model::Texts;
use super::network::{is_empty, unmodeled};
use super::{Project, advice, ports, words};

/// Containers of one service at most.
const MAX_REPLICAS: i64 = 100;

/// Reads a service that is started: one container for each replica.
pub(super) fn read(walk: &mut Walk, project: &mut Project, entry: &Entry) -> Vec<Declaration> {
    let place = format!("service `{}`", entry.key.value);
    let entries = walk.map(&entry.value, &place);
    check_source(walk, entry);
    if let Some(provider) = entry.value.entry("provider") {
        return vec![Declaration::Unmodeled(provider.key.clone().map(|_| format!("the provider of {place}")))];
    }
    let mut declarations = Vec::new();
    let container = container(walk, project, entry, entries);
    let replicas = replicas(walk, entry);
    if 1 < replicas && entry.value.get("container_name").is_some() {
        walk.report(bad_service("one name cannot be given to several containers", entry.key.span));
    }
    for number in 1..=replicas {
        let mut replica = container.clone();
        if entry.value.get("container_name").is_none() {
            let name = format!("{}-{}-{number}", project.name, entry.key.value);
            replica.name = Some(Spanned::new(name, entry.key.span));
        }
        declarations.push(Declaration::Container(replica));
    }
    declarations
}

fn container(walk: &mut Walk, project: &mut Project, service: &Entry, entries: &[Entry]) -> ContainerDecl {
    let mut container =
        ContainerDecl { aliases: vec![service.key.value.clone()], ..ContainerDecl::at(service.key.span) };
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "container_name" => container.name = walk.string(value, "`container_name`"),
            "hostname" => container.aliases.extend(walk.string(value, "`hostname`").map(|name| name.value)),
            "image" => container.image = walk.string(value, "`image`").filter(|image| !image.value.is_empty()),
            "ports" => container.publishes = ports::publishes(walk, &project.files.texts, value),
            "environment" => container.environment = environment(walk, value),
            "expose" => container.exposes = ports::exposes(walk, value),
            "extra_hosts" => container.extra_hosts = attach::extra_hosts(walk, value),
            "links" => container.links.extend(attach::links(walk, project, value)),
            "external_links" => container.links.extend(attach::external_links(walk, value)),
            "sysctls" => sysctls(walk, value),
            _ => {}
        }
    }
    let line = |walk: &mut Walk, key| service.value.get(key).map(|node| command(walk, node)).unwrap_or_default();
    container.command = line(walk, "entrypoint");
    container.command.extend(line(walk, "command"));
    let given = project.files.given.remove(&service.key.value).unwrap_or_default();
    take(&mut container, given, &service.value);
    attach_to_networks(walk, project, service, &mut container);
    check_publishes(walk, &container);
    places(&project.files.texts, &service.value, &mut container);
    container
}

/// What is written in the service goes before what other files say.
fn take(container: &mut ContainerDecl, given: Given, service: &Node) {
    let Given { image, variables, mounts } = given;
    let is_free = |name: &str| container.environment.iter().all(|(own, _)| own != name);
    let variables: Vec<_> = variables.into_iter().filter(|(name, _)| is_free(name)).collect();
    container.environment.splice(0..0, variables);
    container.mounts = mounts;
    container.built = image.map(|image| Box::new(built(image, service, &container.environment)));
}

/// `entrypoint:` takes the place of `ENTRYPOINT` and `CMD`, `command:` that of `CMD` (docs.docker.com, Compose file
/// reference, `entrypoint`).
fn built(image: Image, service: &Node, own: &[(String, Spanned<String>)]) -> ImageDecl {
    let Image { base, exposes, environment, entrypoint, command, .. } = image;
    let is_set = |key: &str| service.get(key).is_some_and(|node| !node.is_null());
    let entrypoint = entrypoint.filter(|_| !is_set("entrypoint"));
    // What follows a line that a shell reads does not reach it.
    let takes_command = entrypoint.as_ref().is_none_or(|line| !line.is_shell);
    let command = command.filter(|_| takes_command && !is_set("command") && !is_set("entrypoint"));
    let value = |name: &str| {
        let found = own.iter().rev().chain(environment.iter().rev()).find(|(other, _)| other == name);
        found.map(|(_, value)| value.value.clone())
    };
    let word = |is_shell: bool, word: Spanned<String>| {
        let replaced = substitute_known(&word.value, &value).filter(|_| is_shell);
        replaced.map_or_else(|| word.clone(), |text| Spanned::new(text, word.span))
    };
    let lines = [entrypoint, command].into_iter().flatten();
    let command = lines.flat_map(|line| line.words.into_iter().map(move |w| (line.is_shell, w)));
    let command = command.map(|(is_shell, text)| word(is_shell, text)).collect();
    ImageDecl { base, exposes, environment, command }
}

fn attach_to_networks(walk: &mut Walk, project: &mut Project, service: &Entry, container: &mut ContainerDecl) {
    let networks = service.value.get("networks").filter(|n| !n.is_null());
    let is_empty = networks.is_none_or(|n| n.items().is_empty() && n.entries().is_empty());
    if let Some(node) = service.value.get("network_mode").filter(|n| !n.is_null()) {
        if !is_empty {
            walk.report(
                bad_service("`network_mode` and `networks` exclude each other", node.span)
                    .help("remove one of them; `networks` is ignored here"),
            );
        }
        match attach::mode(walk, project, node) {
            Some(Spanned { value: Mode::Special(mode), span }) => container.mode = Some(Spanned::new(mode, span)),
            Some(Spanned { value: Mode::Network(attach), .. }) => container.networks.push(attach),
            None => container.mode = Some(Spanned::new(NetworkMode::None, node.span)),
        }
        return;
    }
    if let Some(node) = networks {
        container.networks = attach::networks(walk, project, node);
    }
    if is_empty {
        let default = Spanned::new("default".to_owned(), service.key.span);
        container.networks.extend(attach::attach(walk, project, &default));
    }
}

/// On the host's network ports are discarded; in another container's they are refused
/// (moby runconfig/hostconfig.go, `ErrConflictNetworkPublishPorts`).
fn check_publishes(walk: &mut Walk, container: &ContainerDecl) {
    let (Some(first), Some(mode)) = (container.publishes.first(), &container.mode) else { return };
    let (owner, severity) = match &mode.value {
        NetworkMode::Bridge => return,
        NetworkMode::Host => ("the host's network", Severity::Warning),
        NetworkMode::None => ("no network", Severity::Warning),
        NetworkMode::Container(_) => ("another container's network", Severity::Error),
    };
    let (message, label) = match severity {
        Severity::Error => ("the engine refuses ports of a container on", "must be published by the other container"),
        _ => ("ports are ignored on", "published by nobody"),
    };
    let code = if severity == Severity::Error { Code::ComposeBadService } else { Code::DockerPublishIgnored };
    walk.report(
        Diagnostic::new(code, format!("{message} {owner}"))
            .label(first.span, label)
            .label(mode.span, "because of this"),
    );
}

fn places(texts: &Texts, service: &Node, container: &mut ContainerDecl) {
    let has_bridges = container.mode.as_ref().is_none_or(|mode| mode.value == NetworkMode::Bridge);
    if !has_bridges {
        return;
    }
    let place = |item: ListItem<'_>| item.place(texts.of(item.source(service)), service);
    container.publish_at = place(ListItem { key: "ports", quote: "\"", implied: None });
    if service.get("network_mode").is_none() {
        container.network_at = place(ListItem { key: "networks", quote: "", implied: Some("default") });
    }
}

/// A list of words, or a line that is split into words.
fn command(walk: &mut Walk, node: &Node) -> Vec<Spanned<String>> {
    if let Value::Sequence(items) = &node.value {
        return items.iter().filter_map(|item| walk.string(item, "a word of a command")).collect();
    }
    if node.is_null() {
        return Vec::new();
    }
    let Some(line) = walk.string(node, "a command") else { return Vec::new() };
    let split = words::split(&line.value);
    if !split.is_valid {
        walk.report(bad_service("this is no command line", line.span).help("close quotes and parentheses"));
    } else if let Some(operator) = split.cut_off {
        let message = format!("docker compose reads a command only up to `{operator}`");
        let diagnostic = Diagnostic::new(Code::ComposeBadService, message).warning();
        walk.report(diagnostic.label(line.span, "no shell reads this").help("write `sh -c \"…\"` around it"));
    }
    split.words.into_iter().map(|word| Spanned::new(word, line.span)).collect()
}

/// A map, or a list of `NAME=value`; a name without a value takes it from the shell, which nobody knows here.
fn environment(walk: &mut Walk, node: &Node) -> Vec<(String, Spanned<String>)> {
    if let Value::Mapping(entries) = &node.value {
        let written = entries.iter().filter(|entry| !entry.value.is_null());
        return written
            .filter_map(|entry| Some((entry.key.value.clone(), walk.string(&entry.value, "a value")?)))
            .collect();
    }
    let items = walk.list(node, "`environment`").iter().filter(|item| !item.is_null());
    let items: Vec<_> = items.filter_map(|item| walk.string(item, "`NAME=value`")).collect();
    items
        .iter()
        .filter_map(|item| variable(&item.value).map(|(name, value)| (name, item.clone().map(|_| value))))
        .collect()
}

fn variable(text: &str) -> Option<(String, String)> {
    text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// Network settings inside the container's namespace could route or drop packets there.
fn sysctls(walk: &mut Walk, node: &Node) {
    let written: Vec<Spanned<String>> = match &node.value {
        Value::Mapping(entries) => entries.iter().map(|entry| entry.key.clone()).collect(),
        _ => walk.list(node, "`sysctls`").iter().filter_map(|item| walk.string(item, "a setting")).collect(),
    };
    for setting in written.into_iter().filter(|setting| setting.value.starts_with("net.")) {
        walk.report(unmodeled(format!("`{}` in a container", setting.value), setting.span));
    }
}

fn replicas(walk: &mut Walk, service: &Entry) -> i64 {
    let deploy = service.value.get("deploy");
    let replicas = deploy.and_then(|d| d.get("replicas")).and_then(|node| walk.int(node, "`replicas`"));
    let scale = service.value.get("scale").and_then(|node| walk.int(node, "`scale`"));
    if let (Some(scale), Some(replicas)) = (&scale, &replicas)
        && scale != replicas
    {
        walk.report(
            bad_service("`scale` and `deploy.replicas` differ", scale.span).label(replicas.span, "other number"),
        );
    }
    let Some(number) = scale.or(replicas) else { return 1 };
    if number.value < 0 {
        walk.report(bad_service("there is no number of replicas below zero", number.span));
    } else if MAX_REPLICAS < number.value {
        walk.report(
            Diagnostic::new(Code::Unmodeled, format!("{} replicas are not modelled", number.value))
                .label(number.span, format!("read as a number from 0 to {MAX_REPLICAS}")),
        );
    }
    if number.value == 0 {
        walk.report(advice(format!("the service `{}` is not started", service.key.value), "no replicas", number.span));
    }
    number.value.clamp(0, MAX_REPLICAS)
}

fn check_source(walk: &mut Walk, service: &Entry) {
    let has = |key| service.value.get(key).is_some_and(|n| !n.is_null() && (key != "image" || !is_empty(n)));
    let image = service.value.get("image").map(|node| node.content);
    let is_within =
        |place: Span| image.is_some_and(|i| i.source == place.source && i.start <= place.start && place.end <= i.end);
    let is_said = walk
        .diagnostics
        .iter()
        .any(|d| d.severity == Severity::Error && d.labels.first().is_some_and(|label| is_within(label.span)));
    if !is_said && !["image", "build", "provider"].into_iter().any(has) {
        let message = format!("the service `{}` has neither `image` nor `build`", service.key.value);
        walk.report(bad_service(&message, service.key.span));
    }
}

fn bad_service(message: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::ComposeBadService, message).label(span, "docker compose refuses the file")
}
