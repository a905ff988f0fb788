//! The one tree that docker compose makes of a project's files: variables, `extends`, `include`, and files laid over
//! each other (compose-go v2.10, loader/loader.go `loadYamlFile`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::yaml::{self, Entry, Node, Value, Walk};
use crate::frontend::{File, Open, beside, directory_of};
use crate::lab::Declaration;
use crate::source::{SourceId, Span, Spanned};

use super::{env_file, interpolate, merge};

/// Files that name files that name files, and services that extend services, at most.
const MAX_DEPTH: usize = 30;

/// What the tree is made with.
pub(super) struct Loader<'a> {
    pub(super) open: Open<'a>,
    pub(super) texts: Texts,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) unmodeled: Vec<Declaration>,
}

/// The texts of all files, in which spans count.
#[derive(Default)]
pub(super) struct Texts {
    all: Vec<(SourceId, Arc<str>)>,
}

impl Texts {
    /// The text that `span` is in.
    pub(super) fn of(&self, source: SourceId) -> &str {
        self.all.iter().find(|(id, _)| *id == source).map_or("", |(_, text)| text)
    }
}

/// Variables with which a file is read, and the directory that its paths start from.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) directory: String,
    pub(super) variables: BTreeMap<String, String>,
}

/// Files and services on the way from a service to what it extends.
type Trail = Vec<(String, String)>;

/// A service that is looked for in a file.
struct Wanted<'a> {
    services: &'a Node,
    name: Spanned<String>,
    place: &'a Place,
    path: &'a str,
}

impl Loader<'_> {
    /// The tree of one file as it is written.
    pub(super) fn document(&mut self, file: &File) -> Option<Node> {
        self.texts.all.push((file.source, Arc::clone(&file.whole)));
        let document = yaml::parse(file.source, &file.text);
        for diagnostic in document.diagnostics {
            match other_document(&diagnostic) {
                Some(unmodeled) => self.unmodeled.push(unmodeled),
                None => self.diagnostics.push(diagnostic),
            }
        }
        document.value
    }

    /// All files laid over each other. The first one's directory is where paths start from.
    pub(super) fn merged(
        &mut self,
        documents: Vec<(File, Node)>,
        place: &Place,
        trail: &mut Vec<String>,
    ) -> Option<Node> {
        let mut model: Option<Node> = None;
        for (file, mut root) in documents {
            self.interpolate(&file, &mut root, place);
            self.extend_services(&mut root, &file.path, place);
            trail.push(file.path.clone());
            root = self.with_includes(root, place, trail);
            trail.pop();
            model = Some(match model {
                Some(base) => merge::merge(base, root, &mut Vec::new(), &mut self.diagnostics),
                None => root,
            });
        }
        model
    }

    fn interpolate(&mut self, file: &File, root: &mut Node, place: &Place) {
        let variable = |name: &str| place.variables.get(name).cloned();
        interpolate::prepare(&file.whole, root, &variable, &mut self.diagnostics);
    }

    fn extend_services(&mut self, root: &mut Node, path: &str, place: &Place) {
        let Some(services) = root.get("services").cloned() else { return };
        if !services.entries().iter().any(|service| service.value.entry("extends").is_some()) {
            return;
        }
        let mut entries = services.entries().to_vec();
        for entry in &mut entries {
            let name = entry.key.clone();
            let wanted = Wanted { services: &services, name, place, path };
            if let Some(service) = self.extended(&wanted, &mut Vec::new()) {
                entry.value = service;
            }
        }
        if let Value::Mapping(all) = &mut root.value
            && let Some(entry) = all.iter_mut().find(|entry| entry.key.value == "services")
        {
            entry.value.value = Value::Mapping(entries);
        }
    }

    /// A service with what it extends below it.
    fn extended(&mut self, wanted: &Wanted<'_>, trail: &mut Trail) -> Option<Node> {
        let mut service = wanted.services.get(&wanted.name.value)?.clone();
        let Some(extends) = take(&mut service, "extends") else { return Some(service) };
        let step = (wanted.path.to_owned(), wanted.name.value.clone());
        if MAX_DEPTH < trail.len() || trail.contains(&step) {
            self.diagnostics.push(circle(&wanted.name));
            return Some(service);
        }
        trail.push(step);
        let base = self.base(wanted, &extends, trail);
        Some(match base {
            Some(base) => {
                let mut path = vec!["services".to_owned(), wanted.name.value.clone()];
                merge::merge(base, service, &mut path, &mut self.diagnostics)
            }
            None => service,
        })
    }

    fn base(&mut self, wanted: &Wanted<'_>, extends: &Entry, trail: &mut Trail) -> Option<Node> {
        let (service, file) = match &extends.value.value {
            Value::Mapping(_) => {
                (extends.value.get("service").and_then(text), extends.value.get("file").and_then(text))
            }
            _ => (text(&extends.value), None),
        };
        let Some(name) = service else {
            let message = format!("`extends` of service `{}` names no service", wanted.name.value);
            self.diagnostics.push(refused(message, extends.key.span));
            return None;
        };
        let Some(file) = file else {
            let wanted = Wanted { name, ..*wanted };
            return self.found(&wanted, trail);
        };
        let file = self.opened(&file, &wanted.place.directory)?;
        let mut root = self.document(&file)?;
        self.interpolate(&file, &mut root, wanted.place);
        let place = Place { directory: directory_of(&file.path).to_owned(), ..wanted.place.clone() };
        let nothing = Node { value: Value::Mapping(Vec::new()), ..root.clone() };
        let services = root.get("services").unwrap_or(&nothing);
        self.found(&Wanted { services, name, place: &place, path: &file.path }, trail)
    }

    fn found(&mut self, wanted: &Wanted<'_>, trail: &mut Trail) -> Option<Node> {
        if wanted.services.entry(&wanted.name.value).is_none() {
            self.diagnostics.push(no_service(wanted));
        }
        self.extended(wanted, trail)
    }

    /// Opens a file that another one names.
    fn opened(&mut self, path: &Spanned<String>, directory: &str) -> Option<File> {
        if path.value.contains("://") || path.value.starts_with("oci:") || path.value.starts_with("git@") {
            let what = format!("`{}`, a compose file elsewhere", path.value);
            self.unmodeled.push(Declaration::Unmodeled(Spanned::new(what, path.span)));
            return None;
        }
        let file = beside(directory, &path.value).and_then(|full| (self.open)(&full));
        if file.is_none() {
            self.diagnostics.push(
                Diagnostic::new(Code::ComposeMissingFile, format!("there is no file `{}`", path.value))
                    .label(path.span, "docker compose cannot read it")
                    .help("the path starts at the directory of the project's first file"),
            );
        }
        file
    }

    /// The files of `include:` below a file that includes them.
    fn with_includes(&mut self, mut root: Node, place: &Place, trail: &mut Vec<String>) -> Node {
        let Some(include) = take(&mut root, "include") else { return root };
        let mut walk = Walk::default();
        let items = walk.list(&include.value, "`include`");
        self.diagnostics.append(&mut walk.diagnostics);
        for item in items {
            if MAX_DEPTH < trail.len() {
                self.diagnostics.push(refused("files include each other in a circle".to_owned(), include.key.span));
                break;
            }
            if let Some(included) = self.included(item, place, trail) {
                root = merge::merge(included, root, &mut Vec::new(), &mut self.diagnostics);
            }
        }
        root
    }

    fn included(&mut self, item: &Node, place: &Place, trail: &mut Vec<String>) -> Option<Node> {
        let paths = texts(item.get("path").unwrap_or(item));
        let files: Vec<File> = paths.iter().filter_map(|path| self.opened(path, &place.directory)).collect();
        let (first, span) = (files.first()?, paths.first()?.span);
        if trail.contains(&first.path) {
            self.diagnostics.push(refused(format!("`{}` includes itself", first.path), span));
            return None;
        }
        let own = item.get("project_directory").and_then(text);
        let directory = match own {
            Some(own) => beside(&place.directory, &own.value)?,
            None => directory_of(&first.path).to_owned(),
        };
        let place = self.included_place(item, place, directory);
        let documents: Vec<(File, Node)> =
            files.iter().filter_map(|file| Some((file.clone(), self.document(file)?))).collect();
        let mut included = self.merged(documents, &place, trail)?;
        if let Value::Mapping(entries) = &mut included.value {
            let is_imported = |key: &str| matches!(key, "services" | "networks" | "volumes" | "secrets" | "configs");
            entries.retain(|entry| is_imported(&entry.key.value));
        }
        Some(included)
    }

    /// What the including file's variables do not say is taken from the included directory's `.env`.
    fn included_place(&mut self, item: &Node, place: &Place, directory: String) -> Place {
        let mut variables = place.variables.clone();
        let named = item.get("env_file").map(texts);
        let files: Vec<Option<File>> = match named {
            Some(named) => named.iter().map(|path| self.opened(path, &place.directory)).collect(),
            None => vec![beside(&directory, ".env").and_then(|path| (self.open)(&path))],
        };
        for file in files.into_iter().flatten() {
            for (name, value) in env_file::parse(&file.text, &variables) {
                variables.entry(name).or_insert(value);
            }
        }
        Place { directory, variables }
    }
}

/// docker compose merges further documents into the first.
fn other_document(diagnostic: &Diagnostic) -> Option<Declaration> {
    let place = diagnostic.labels.first().filter(|_| diagnostic.code == Code::Unmodeled)?.span;
    Some(Declaration::Unmodeled(Spanned::new("a second document in a compose file".to_owned(), place)))
}

fn take(map: &mut Node, key: &str) -> Option<Entry> {
    let Value::Mapping(entries) = &mut map.value else { return None };
    let position = entries.iter().position(|entry| entry.key.value == key)?;
    Some(entries.remove(position))
}

fn text(node: &Node) -> Option<Spanned<String>> {
    match &node.value {
        Value::Scalar(text) if !node.is_null() => Some(Spanned::new(text.clone(), node.content)),
        _ => None,
    }
}

/// One text or a list of them.
fn texts(node: &Node) -> Vec<Spanned<String>> {
    std::slice::from_ref(node).iter().chain(node.items()).filter_map(text).collect()
}

fn refused(message: String, span: Span) -> Diagnostic {
    Diagnostic::new(Code::ComposeBadService, message).label(span, "docker compose refuses the file")
}

fn circle(service: &Spanned<String>) -> Diagnostic {
    refused(format!("the service `{}` extends itself, perhaps through others", service.value), service.span)
}

fn no_service(wanted: &Wanted<'_>) -> Diagnostic {
    let (name, path) = (&wanted.name.value, wanted.path);
    let message = format!("there is no service `{name}` in `{path}` to extend");
    let diagnostic = Diagnostic::new(Code::ComposeUnknownService, message)
        .label(wanted.name.span, "docker compose refuses the file");
    match did_you_mean(name, wanted.services.entries().iter().map(|entry| entry.key.value.as_str())) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}
