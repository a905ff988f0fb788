//! Compose files, as docker compose v2 reads them.
//!
//! The files of a project become one tree first (variables, `extends`, `include`, overrides), which is then walked: networks, then services in the order in which
//! `depends_on` starts them. What a service has to do with packets becomes declarations; other keys of the
//! specification are known and left alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::frontend::yaml::{Entry, Node, Value, Walk};
use crate::frontend::{Environment, File, Open, directory_of};
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, NetworkDecl};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

mod attach;
pub mod env_file;
mod given;
mod interpolate;
mod merge;
mod model;
mod network;
mod order;
mod ports;
#[cfg(test)]
mod real_files;
mod references;
mod schema;
mod service;
#[cfg(test)]
mod tests;
mod words;

use given::Given;
pub use interpolate::substitute;
use model::{Loader, Place, Texts};

/// Reads the files of one project, the later laid over the earlier. The name of `environment` is that of the project
/// unless a file or the variable `COMPOSE_PROJECT_NAME` says otherwise.
pub fn parse(files: &[File], environment: &Environment, open: Open<'_>) -> Declarations {
    let mut loader =
        Loader { open, texts: Texts::default(), diagnostics: Vec::new(), unmodeled: Vec::new(), copies: 0 };
    let documents = loader.documents(files);
    let first = files.first().map_or("", |file| directory_of(&file.path)).to_owned();
    let directory = environment.directory.clone().unwrap_or(first);
    let mut place = Place { directory, variables: environment.variables.clone() };
    let project = project_name(&documents, environment, &mut loader.diagnostics);
    place.variables.insert("COMPOSE_PROJECT_NAME".to_owned(), project.clone());
    let mut model = loader.merged(documents, &place, &mut Vec::new());
    model.iter_mut().for_each(merge::drop_resets);
    let given = model.as_ref().map(|root| loader.given(root, &place.variables)).unwrap_or_default();
    let Loader { texts, mut diagnostics, unmodeled: mut value, .. } = loader;
    let Some(root) = model else { return Declarations { value, diagnostics } };
    if root.entries().iter().all(|entry| entry.key.value == "version") && matches!(root.value, Value::Mapping(_)) {
        let message = text!("a compose file without anything in it", "compose 파일에 아무것도 없습니다");
        let label = text!("docker compose refuses it", "docker compose가 거부함");
        diagnostics.push(Diagnostic::new(Code::ComposeBadProject, message).label(root.span, label));
    }
    let form = diagnostics.len();
    let mut walk = Walk { diagnostics };
    value.extend(declarations(&mut walk, &root, Files { texts, given }, project, environment));
    let mut diagnostics = without_repetitions(walk.diagnostics, form);
    // What was read of a text before the mistake in its syntax may be half a value.
    if diagnostics.iter().any(|diagnostic| diagnostic.code == Code::YamlSyntax) {
        diagnostics.retain(|diagnostic| diagnostic.code != Code::YamlType);
    }
    interpolate::say_once(&mut diagnostics);
    let mut read = Declarations { value, diagnostics };
    refuse(&mut read);
    read
}

/// An error in a project's files means that docker compose starts nothing of it.
pub fn refuse(read: &mut Declarations) {
    let Some(error) = read.diagnostics.iter().find(|d| d.severity == Severity::Error) else { return };
    let Some(place) = error.labels.first() else { return };
    let why = Spanned::new(error.message.to_string(), place.span);
    for declaration in &mut read.value {
        if let Declaration::Container(container) = declaration {
            container.refused.get_or_insert_with(|| why.clone());
        }
    }
}

/// What a value means is not asked any more where its form is wrong; the first `form` diagnostics say so.
fn without_repetitions(diagnostics: Vec<Diagnostic>, form: usize) -> Vec<Diagnostic> {
    let place = |d: &Diagnostic| d.labels.first().map(|label| label.span);
    let wrong: Vec<Span> =
        diagnostics.iter().take(form).filter(|d| d.severity == Severity::Error).filter_map(place).collect();
    let overlaps = |a: Span, b: &Span| a.source == b.source && a.start < b.end.max(b.start + 1) && b.start < a.end;
    let is_said = |d: &Diagnostic| {
        d.code == Code::YamlType && place(d).is_some_and(|at| wrong.iter().any(|other| overlaps(at, other)))
    };
    diagnostics.into_iter().enumerate().filter(|(i, d)| *i < form || !is_said(d)).map(|(_, d)| d).collect()
}

/// compose-go cli/options.go: `COMPOSE_PROJECT_NAME`, then the last `name:`, then the folder; reduced to what may be in
/// a name.
fn project_name(documents: &[(File, Node)], environment: &Environment, diagnostics: &mut Vec<Diagnostic>) -> String {
    let from_variable = environment.variables.get("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty()).cloned();
    let start = documents.first().map(|(_, root)| Span::new(root.span.source, root.span.start, root.span.start));
    if let Some(name) = from_variable.as_ref().filter(|name| **name != normalized(name)) {
        diagnostics.push(no_project_name(name, start));
    }
    let variable = |name: &str| environment.variables.get(name).cloned();
    let mut from_file = None;
    for (file, root) in documents {
        if let Some(mut node) = root.get("name").filter(|node| !node.is_null()).cloned() {
            interpolate::prepare(&file.whole, &mut node, &variable, diagnostics);
            from_file = Some(node);
        }
    }
    let span = from_file.as_ref().map_or(start, |node| Some(node.span));
    let from_file = from_file.and_then(|node| if let Value::Scalar(name) = node.value { Some(name) } else { None });
    let written = from_variable.or(from_file).unwrap_or_else(|| environment.project.clone());
    let name = normalized(&written);
    if name.is_empty() {
        diagnostics.push(no_project_name(&written, span));
        return "project".to_owned();
    }
    name
}

/// What of a text may be in the name of a project.
fn normalized(written: &str) -> String {
    let kept = written.to_lowercase().replace(|c: char| !matches!(c, 'a'..='z' | '0'..='9' | '_' | '-'), "");
    kept.trim_start_matches(['_', '-']).to_owned()
}

fn no_project_name(written: &str, span: Option<Span>) -> Diagnostic {
    let (message, help) = match normalized(written).as_str() {
        "" => (
            text!("`{written}` leaves no name for the project", "`{written}`에는 프로젝트 이름으로 쓸 글자가 없습니다"),
            text!("add `name:` with lower-case letters and digits", "영문 소문자와 숫자로 된 `name:`을 추가하십시오"),
        ),
        _ => (
            text!("`{written}` is no name for a project", "프로젝트 이름으로 쓸 수 없습니다: `{written}`"),
            text!("write lower-case letters, digits, `-` and `_`", "영문 소문자, 숫자, `-`, `_`만 쓰십시오"),
        ),
    };
    let diagnostic = Diagnostic::new(Code::ComposeBadProject, message).help(help);
    match span {
        Some(span) => {
            diagnostic.label(span, text!("docker compose refuses to start", "docker compose가 시작하지 않음"))
        }
        None => diagnostic,
    }
}

/// What services need to know of the rest of the file.
struct Project {
    name: String,
    networks: Vec<NetworkDecl>,
    used: BTreeSet<String>,
    /// Services and the name of their first container, also those of other profiles.
    services: Vec<(String, String)>,
    files: Files,
}

/// What is known from the files themselves.
struct Files {
    texts: Texts,
    /// What services take from other files.
    given: BTreeMap<String, Given>,
}

impl Project {
    /// The full name of the network `key`; `default` exists without being written.
    fn use_network(&mut self, key: &Spanned<String>) -> Option<String> {
        if key.value == "default" && !self.network_keys().any(|k| k == "default") {
            self.networks.insert(0, network::plain(&self.name, "default", key.span));
        }
        let network = self.networks.iter().find(|n| n.key.as_ref() == Some(&key.value))?;
        self.used.insert(key.value.clone());
        Some(network.name.value.clone())
    }

    fn network_keys(&self) -> impl Iterator<Item = &str> {
        self.networks.iter().filter_map(|n| n.key.as_deref())
    }

    fn service_keys(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(|(service, _)| service.as_str())
    }

    fn container_name(&self, service: &str) -> Option<&str> {
        self.services.iter().find(|(key, _)| key == service).map(|(_, container)| container.as_str())
    }
}

fn declarations(
    walk: &mut Walk,
    root: &Node,
    files: Files,
    name: String,
    environment: &Environment,
) -> Vec<Declaration> {
    let networks = root.get("networks").map(|node| walk.map(node, "`networks`")).unwrap_or_default();
    let networks = networks.iter().map(|entry| network::read(walk, &name, entry)).collect();
    let services = root.get("services").map(|node| walk.map(node, "`services`")).unwrap_or_default();
    let names = services.iter().map(|entry| (entry.key.value.clone(), first_container(&name, entry))).collect();
    let mut project = Project { name, networks, used: BTreeSet::new(), services: names, files };

    let active = started(walk, services, environment);
    references::check(walk, root, &active);
    let mut containers = Vec::new();
    for entry in order::by_dependency(walk, &project, &active) {
        containers.extend(service::read(walk, &mut project, entry));
    }
    let mut declarations = used_networks(walk, project);
    declarations.extend(containers);
    declarations
}

fn first_container(project: &str, service: &Entry) -> String {
    match service.value.get("container_name").map(|node| &node.value) {
        Some(Value::Scalar(name)) if !name.is_empty() => name.clone(),
        _ => format!("{project}-{}-1", service.key.value),
    }
}

/// docker compose does not create networks that no service uses (compose-go `WithoutUnnecessaryResources`).
fn used_networks(walk: &mut Walk, project: Project) -> Vec<Declaration> {
    let is_used = |network: &NetworkDecl| network.key.as_ref().is_some_and(|key| project.used.contains(key));
    let (used, unused): (Vec<_>, Vec<_>) = project.networks.into_iter().partition(is_used);
    for network in unused {
        let key = network.key.unwrap_or_default();
        walk.report(advice(
            text!("no service uses the network `{key}`", "`{key}` 네트워크를 쓰는 서비스가 없습니다"),
            text!("docker compose does not create it", "docker compose가 만들지 않음"),
            network.span,
        ));
    }
    used.into_iter().map(Declaration::Network).collect()
}

/// Services without a profile or with one that is active; of these, those that the command names and what they need. A
/// named service is started whatever its profiles are.
fn started<'n>(walk: &mut Walk, services: &'n [Entry], environment: &Environment) -> Vec<&'n Entry> {
    let profiles = environment.variables.get("COMPOSE_PROFILES").map_or("", String::as_str);
    let mut wanted = environment.services.clone();
    let is_named = |entry: &Entry| environment.services.contains(&entry.key.value);
    let active: Vec<&Entry> =
        services.iter().filter(|entry| is_named(entry) || is_started(walk, entry, profiles)).collect();
    let mut at = 0;
    while let Some(name) = wanted.get(at).cloned() {
        let entry = active.iter().find(|entry| entry.key.value == name);
        let needs = entry.map(|entry| references::needs(entry)).unwrap_or_default();
        let new = needs.into_iter().map(|need| need.name.value).filter(|name| !wanted.contains(name));
        let new: Vec<String> = new.collect();
        wanted.extend(new);
        at += 1;
    }
    active.into_iter().filter(|entry| wanted.is_empty() || wanted.contains(&entry.key.value)).collect()
}

fn is_started(walk: &mut Walk, service: &Entry, active: &str) -> bool {
    let Some(node) = service.value.get("profiles") else { return true };
    let profiles: Vec<String> = walk
        .list(node, "`profiles`")
        .iter()
        .filter_map(|item| walk.string(item, text!("a profile", "프로필")))
        .map(|p| p.value)
        .collect();
    let is_active = |profile: &str| active.split(',').any(|a| a == "*" || a == profile);
    if profiles.is_empty() || profiles.iter().any(|profile| is_active(profile)) {
        return true;
    }
    let label = text!(
        "only with `--profile {either}`",
        "`--profile {any}` 옵션이 있어야 시작됨",
        either = profiles.join("` or `"),
        any = profiles.join("` 또는 `")
    );
    walk.report(advice(not_started(&service.key.value), label, node.span).help(text!(
        "set `COMPOSE_PROFILES` in `.env` to start it",
        "시작하려면 `.env`에 `COMPOSE_PROFILES`를 설정하십시오"
    )));
    false
}

fn not_started(service: &str) -> Text {
    text!("the service `{service}` is not started", "`{service}` 서비스가 시작되지 않습니다")
}

fn advice(message: Text, label: Text, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::InputUnused, message).label(span, label);
    Diagnostic { severity: Severity::Advice, ..diagnostic }
}
