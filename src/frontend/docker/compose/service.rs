//! One service.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::frontend::docker::dockerfile::Image;
use crate::frontend::yaml::insert::ListItem;
use crate::frontend::yaml::{Entry, Node, Value, Walk};
use crate::lab::Declaration;
use crate::lab::declaration::{ContainerDecl, ImageDecl, NetworkMode, RestartPolicy, unknown_policy};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

use super::attach::{self, Mode};
use super::given::Given;
use super::interpolate::substitute_known;
use super::model::Texts;
use super::network::{is_empty, unmodeled};
use super::{Project, advice, not_started, ports, words};

/// Containers of one service at most.
const MAX_REPLICAS: i64 = 100;

/// Reads a service that is started: one container for each replica.
pub(super) fn read(walk: &mut Walk, project: &mut Project, entry: &Entry) -> Vec<Declaration> {
    let place = text!("service `{name}`", "`{name}` 서비스", name = &entry.key.value);
    let entries = walk.map(&entry.value, &place);
    check_source(walk, entry);
    if let Some(provider) = entry.value.entry("provider") {
        return vec![Declaration::Unmodeled(
            provider.key.clone().map(|_| text!("the provider of {place}", "{place}의 provider"; place)),
        )];
    }
    let mut declarations = Vec::new();
    let container = container(walk, project, entry, entries);
    let replicas = replicas(walk, entry);
    if 1 < replicas && entry.value.get("container_name").is_some() {
        let message =
            text!("one name cannot be given to several containers", "이름 하나를 여러 컨테이너에 줄 수 없습니다");
        walk.report(bad_service(message, entry.key.span));
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
    let mut container = ContainerDecl {
        aliases: vec![service.key.value.clone()],
        project: Some(project.name.clone()),
        ..ContainerDecl::at(service.key.span)
    };
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "container_name" => container.name = walk.string(value, "`container_name`"),
            "hostname" => container.aliases.extend(walk.string(value, "`hostname`").map(|name| name.value)),
            "restart" => {
                if let Some(word) = walk.string(value, "`restart`") {
                    match RestartPolicy::named(&word.value) {
                        Some(policy) => container.restart = policy,
                        None => {
                            walk.report(Diagnostic::new(Code::ComposeBadService, unknown_policy(&word.value)).label(
                                word.span,
                                text!("docker makes no container", "docker가 컨테이너를 만들지 않음"),
                            ))
                        }
                    }
                }
            }
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
            walk.report(two_ways(node.span));
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
        NetworkMode::Host => (text!("the host's network", "호스트 네트워크를 쓰는 컨테이너"), Severity::Warning),
        NetworkMode::None => (text!("no network", "네트워크가 없는 컨테이너"), Severity::Warning),
        NetworkMode::Container(_) => {
            (text!("another container's network", "다른 컨테이너의 네트워크를 쓰는 컨테이너"), Severity::Error)
        }
    };
    let (message, label) = match severity {
        Severity::Error => (
            text!("the engine refuses ports of a container on {owner}", "{owner}: 엔진이 포트를 거부합니다"; owner),
            text!("must be published by the other container", "다른 컨테이너에서 게시해야 함"),
        ),
        _ => (
            text!("ports are ignored on {owner}", "{owner}: 포트가 무시됩니다"; owner),
            text!("published by nobody", "아무도 게시하지 않음"),
        ),
    };
    let code = if severity == Severity::Error { Code::ComposeBadService } else { Code::DockerPublishIgnored };
    walk.report(
        Diagnostic::new(code, message)
            .label(first.span, label)
            .label(mode.span, text!("because of this", "이 설정 때문")),
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
        return items
            .iter()
            .filter_map(|item| walk.string(item, text!("a word of a command", "명령의 단어")))
            .collect();
    }
    if node.is_null() {
        return Vec::new();
    }
    let Some(line) = walk.string(node, text!("a command", "명령")) else { return Vec::new() };
    let split = words::split(&line.value);
    if !split.is_valid {
        let help = text!("close quotes and parentheses", "따옴표와 괄호를 닫으십시오");
        walk.report(bad_service(text!("this is no command line", "올바른 명령줄이 아닙니다"), line.span).help(help));
    } else if let Some(operator) = split.cut_off {
        walk.report(cut_off(operator, line.span));
    }
    split.words.into_iter().map(|word| Spanned::new(word, line.span)).collect()
}

fn two_ways(mode: Span) -> Diagnostic {
    let message =
        text!("`network_mode` and `networks` exclude each other", "`network_mode`와 `networks`는 함께 쓸 수 없습니다");
    bad_service(message, mode).help(text!(
        "remove one of them; `networks` is ignored here",
        "하나를 지우십시오. 여기서는 `networks`를 무시합니다"
    ))
}

fn cut_off(operator: char, line: Span) -> Diagnostic {
    let message = text!(
        "docker compose reads a command only up to `{operator}`",
        "docker compose는 명령을 `{operator}` 앞까지만 읽습니다"
    );
    Diagnostic::new(Code::ComposeBadService, message)
        .warning()
        .label(line, text!("no shell reads this", "셸이 읽지 않음"))
        .help(text!("write `sh -c \"…\"` around it", "`sh -c \"…\"`로 감싸십시오"))
}

/// A map, or a list of `NAME=value`; a name without a value takes it from the shell, which nobody knows here.
fn environment(walk: &mut Walk, node: &Node) -> Vec<(String, Spanned<String>)> {
    if let Value::Mapping(entries) = &node.value {
        let written = entries.iter().filter(|entry| !entry.value.is_null());
        return written
            .filter_map(|entry| Some((entry.key.value.clone(), walk.string(&entry.value, text!("a value", "값"))?)))
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
        _ => walk
            .list(node, "`sysctls`")
            .iter()
            .filter_map(|item| walk.string(item, text!("a setting", "설정")))
            .collect(),
    };
    for setting in written.into_iter().filter(|setting| setting.value.starts_with("net.")) {
        let what = text!("`{name}` in a container", "컨테이너의 `{name}`", name = &setting.value);
        walk.report(unmodeled(&what, setting.span));
    }
}

fn replicas(walk: &mut Walk, service: &Entry) -> i64 {
    let deploy = service.value.get("deploy");
    let replicas = deploy.and_then(|d| d.get("replicas")).and_then(|node| walk.int(node, "`replicas`"));
    let scale = service.value.get("scale").and_then(|node| walk.int(node, "`scale`"));
    if let (Some(scale), Some(replicas)) = (&scale, &replicas)
        && scale != replicas
    {
        let message = text!("`scale` and `deploy.replicas` differ", "`scale`과 `deploy.replicas`가 서로 다릅니다");
        walk.report(bad_service(message, scale.span).label(replicas.span, text!("other number", "다른 숫자")));
    }
    let Some(number) = scale.or(replicas) else { return 1 };
    if number.value < 0 {
        let message = text!("there is no number of replicas below zero", "복제본 수는 0보다 작을 수 없습니다");
        walk.report(bad_service(message, number.span));
    } else if MAX_REPLICAS < number.value {
        let message =
            text!("{count} replicas are not modelled", "복제본 {count}개는 모델에 없습니다", count = number.value);
        let label = text!("read as a number from 0 to {MAX_REPLICAS}", "0부터 {MAX_REPLICAS}까지의 수로 바꾸어 읽음");
        walk.report(Diagnostic::new(Code::Unmodeled, message).label(number.span, label));
    }
    if number.value == 0 {
        walk.report(advice(not_started(&service.key.value), text!("no replicas", "복제본 없음"), number.span));
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
        let message = text!(
            "the service `{name}` has neither `image` nor `build`",
            "`{name}` 서비스에 `image`도 `build`도 없습니다",
            name = &service.key.value
        );
        walk.report(bad_service(message, service.key.span));
    }
}

fn bad_service(message: Text, span: Span) -> Diagnostic {
    Diagnostic::new(Code::ComposeBadService, message)
        .label(span, text!("docker compose refuses the file", "docker compose가 파일을 거부함"))
}
