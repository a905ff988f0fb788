//! Compose files, as docker compose v2 reads them.
//!
//! The tree is prepared first (variables, `!reset`), then walked: networks, then services in the order in which
//! `depends_on` starts them. What a service has to do with packets becomes declarations; other keys of the
//! specification are known and left alone.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::frontend::yaml::{self, Entry, Node, Value, Walk};
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, NetworkDecl};
use crate::source::{SourceId, Span, Spanned};

mod attach;
mod interpolate;
mod keys;
mod network;
mod order;
mod ports;
#[cfg(test)]
mod real_files;
mod service;
#[cfg(test)]
mod tests;
mod words;

/// Reads a compose file. `project` is the project's name unless the file or the variable `COMPOSE_PROJECT_NAME` says
/// otherwise, usually the name of the folder. `variables` are the environment and `.env`.
pub fn parse(source: SourceId, text: &str, project: &str, variables: &dyn Fn(&str) -> Option<String>) -> Declarations {
    let document = yaml::parse(source, text);
    let (others, mut diagnostics): (Vec<_>, Vec<_>) =
        document.diagnostics.into_iter().partition(|d| d.code == Code::Unmodeled);
    let mut value: Vec<Declaration> = others.iter().filter_map(other_document).collect();
    let Some(mut root) = document.value else { return Declarations { value, diagnostics } };

    let start = Span::new(source, 0, 0);
    let project = project_name(text, &mut root, project, variables, start, &mut diagnostics);
    let with_project = |name: &str| match name {
        "COMPOSE_PROJECT_NAME" => Some(project.clone()),
        _ => variables(name),
    };
    interpolate::prepare(text, &mut root, &with_project, &mut diagnostics);

    let mut walk = Walk { diagnostics };
    let entries = walk.map(&root, "a compose file");
    walk.check_keys(entries, "a compose file", keys::TOP);
    if let Some(include) = root.entry("include") {
        value.push(Declaration::Unmodeled(include.key.clone().map(|_| "`include` of other compose files".to_owned())));
    }
    value.extend(declarations(&mut walk, &root, text, project.clone(), variables));
    interpolate::say_once(&mut walk.diagnostics);
    Declarations { value, diagnostics: walk.diagnostics }
}

/// docker compose merges further documents into the first.
fn other_document(diagnostic: &Diagnostic) -> Option<Declaration> {
    let place = diagnostic.labels.first()?.span;
    Some(Declaration::Unmodeled(Spanned::new("a second document in a compose file".to_owned(), place)))
}

/// compose-go cli/options.go: `COMPOSE_PROJECT_NAME`, then `name:`, then the folder; reduced to what may be in a name.
fn project_name(
    text: &str,
    root: &mut Node,
    folder: &str,
    variables: &dyn Fn(&str) -> Option<String>,
    start: Span,
    diagnostics: &mut Vec<Diagnostic>,
) -> String {
    let from_variable = variables("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty());
    let mut from_file = root.get("name").cloned();
    if let Some(node) = &mut from_file {
        interpolate::prepare(text, node, variables, diagnostics);
    }
    let span = from_file.as_ref().map_or(start, |node| node.span);
    let from_file = from_file.and_then(|node| if let Value::Scalar(name) = node.value { Some(name) } else { None });
    let written = from_variable.or(from_file).unwrap_or_else(|| folder.to_owned());
    let kept = written.to_lowercase().replace(|c: char| !matches!(c, 'a'..='z' | '0'..='9' | '_' | '-'), "");
    let name = kept.trim_start_matches(['_', '-']);
    if name.is_empty() {
        diagnostics.push(
            Diagnostic::new(Code::ComposeBadProject, format!("`{written}` leaves no name for the project"))
                .label(span, "docker compose refuses to start")
                .help("add `name:` with lower-case letters and digits"),
        );
        return "project".to_owned();
    }
    name.to_owned()
}

/// What services need to know of the rest of the file.
struct Project {
    name: String,
    networks: Vec<NetworkDecl>,
    used: BTreeSet<String>,
    /// Services and the name of their first container.
    services: Vec<(String, String)>,
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
    text: &str,
    name: String,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Vec<Declaration> {
    let networks = root.get("networks").map(|node| walk.map(node, "`networks`")).unwrap_or_default();
    let networks = networks.iter().map(|entry| network::read(walk, &name, entry)).collect();
    let services = root.get("services").map(|node| walk.map(node, "`services`")).unwrap_or_default();
    let names = services.iter().map(|entry| (entry.key.value.clone(), first_container(&name, entry))).collect();
    let mut project = Project { name, networks, used: BTreeSet::new(), services: names };

    let profiles = variables("COMPOSE_PROFILES").unwrap_or_default();
    let mut containers = Vec::new();
    for entry in order::by_dependency(walk, &project, services) {
        if is_started(walk, entry, &profiles) {
            containers.extend(service::read(walk, &mut project, text, entry));
        }
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
            format!("no service uses the network `{key}`"),
            "docker compose does not create it",
            network.span,
        ));
    }
    used.into_iter().map(Declaration::Network).collect()
}

fn is_started(walk: &mut Walk, service: &Entry, active: &str) -> bool {
    let Some(node) = service.value.get("profiles") else { return true };
    let profiles: Vec<String> = walk
        .list(node, "`profiles`")
        .iter()
        .filter_map(|item| walk.string(item, "a profile"))
        .map(|p| p.value)
        .collect();
    let is_active = |profile: &str| active.split(',').any(|a| a == "*" || a == profile);
    if profiles.is_empty() || profiles.iter().any(|profile| is_active(profile)) {
        return true;
    }
    let message = format!("the service `{}` is not started", service.key.value);
    let label = format!("only with `--profile {}`", profiles.join("` or `"));
    walk.report(advice(message, &label, node.span).help("set `COMPOSE_PROFILES` in `.env` to start it"));
    false
}

fn advice(message: String, label: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::InputUnused, message).label(span, label);
    Diagnostic { severity: Severity::Advice, ..diagnostic }
}
