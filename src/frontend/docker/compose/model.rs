//! The one tree that docker compose makes of a project's files: variables, `extends`, `include`, and files laid over
//! each other (compose-go v2.10, loader/loader.go `loadYamlFile`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::yaml::{self, Entry, Node, Resolved, Value, Walk};
use crate::frontend::{File, Open, beside, directory_of};
use crate::lab::Declaration;
use crate::language::{Text, text};
use crate::source::{SourceId, Span, Spanned};

use super::{env_file, interpolate, merge, schema};

/// Files that name files that name files, and services that extend services, at most.
const MAX_DEPTH: usize = 30;

/// Files of a project at most, each counted as often as it is read.
const MAX_FILES: usize = 1000;

/// Values that `extends` copies at most.
const MAX_COPIES: usize = 1_000_000;

/// What an included file brings.
const IMPORTED: [&str; 6] = ["services", "volumes", "networks", "secrets", "configs", "models"];

/// What the tree is made with.
pub(super) struct Loader<'a> {
    pub(super) open: Open<'a>,
    pub(super) texts: Texts,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) unmodeled: Vec<Declaration>,
    /// Values that `extends` copied so far.
    pub(super) copies: usize,
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
    /// The trees of several files as they are written, each file's documents one after the other.
    pub(super) fn documents(&mut self, files: &[File]) -> Vec<(File, Node)> {
        let mut all = Vec::new();
        for file in files {
            all.extend(self.trees(file).into_iter().map(|tree| (file.clone(), tree)));
        }
        all
    }

    fn trees(&mut self, file: &File) -> Vec<Node> {
        if MAX_FILES <= self.texts.all.len() {
            let place = Span::new(file.source, 0, 0);
            self.diagnostics.push(too_large(
                text!(
                    "more than {MAX_FILES} files in one project",
                    "프로젝트 하나에 파일이 {MAX_FILES}개보다 많습니다"
                ),
                place,
            ));
            return Vec::new();
        }
        self.texts.all.push((file.source, Arc::clone(&file.whole)));
        let documents = yaml::parse_all(file.source, &file.text);
        self.diagnostics.extend(documents.diagnostics);
        documents.value.iter().for_each(|tree| keys_that_are_no_texts(&file.whole, tree, &mut self.diagnostics));
        documents.value
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
            place_paths(&mut root, &place.directory);
            self.extend_services(&mut root, &file.path, place);
            trail.push(file.path.clone());
            root = self.with_includes(root, place, trail);
            trail.pop();
            let merged = match model {
                Some(base) => merge::merge(base, root, &mut Vec::new(), &mut self.diagnostics),
                None => root,
            };
            // What a later file would mend is refused all the same. Of a file that is no YAML, only a part was read.
            if !self.diagnostics.iter().any(|diagnostic| diagnostic.code == Code::YamlSyntax) {
                schema::check(&merged, &mut self.diagnostics);
            }
            model = Some(merged);
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
        let base = self.base(wanted, &extends, trail).filter(|base| self.may_copy(base, extends.key.span));
        Some(match base {
            Some(base) => {
                let mut path = vec!["services".to_owned(), wanted.name.value.clone()];
                merge::merge(base, service, &mut path, &mut self.diagnostics)
            }
            None => service,
        })
    }

    fn may_copy(&mut self, base: &Node, span: Span) -> bool {
        let before = self.copies;
        self.copies = self.copies.saturating_add(base.size());
        if before <= MAX_COPIES && MAX_COPIES < self.copies {
            self.diagnostics.push(too_large(
                text!(
                    "more than {MAX_COPIES} values after `extends`",
                    "`extends`를 펼치면 값이 {MAX_COPIES}개보다 많습니다"
                ),
                span,
            ));
        }
        self.copies <= MAX_COPIES
    }

    fn base(&mut self, wanted: &Wanted<'_>, extends: &Entry, trail: &mut Trail) -> Option<Node> {
        let (service, file) = match &extends.value.value {
            Value::Mapping(_) => {
                (extends.value.get("service").and_then(text), extends.value.get("file").and_then(text))
            }
            _ => (text(&extends.value), None),
        };
        let Some(name) = service else {
            let message = text!(
                "`extends` of service `{name}` names no service",
                "`{name}` 서비스의 `extends`에 서비스 이름이 없습니다",
                name = &wanted.name.value
            );
            self.diagnostics.push(refused(message, extends.key.span));
            return None;
        };
        let Some(file) = file else {
            let wanted = Wanted { name, ..*wanted };
            return self.found(&wanted, trail);
        };
        let file = self.opened(&file, &wanted.place.directory)?;
        let mut root: Option<Node> = None;
        for mut tree in self.trees(&file) {
            self.interpolate(&file, &mut tree, wanted.place);
            place_paths(&mut tree, directory_of(&file.path));
            root = Some(match root {
                Some(base) => merge::merge(base, tree, &mut Vec::new(), &mut self.diagnostics),
                None => tree,
            });
        }
        let root = root?;
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
            let what =
                text!("`{path}`, a compose file elsewhere", "다른 곳에 있는 compose 파일 `{path}`", path = &path.value);
            self.unmodeled.push(Declaration::Unmodeled(Spanned::new(what, path.span)));
            return None;
        }
        let file = beside(directory, &path.value).and_then(|full| (self.open)(&full));
        if file.is_none() {
            self.diagnostics.push(no_file(path));
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
                let message = text!("files include each other in a circle", "파일이 돌아가며 서로를 포함합니다");
                self.diagnostics.push(refused(message, include.key.span));
                break;
            }
            if let Some(included) = self.included(item, place, trail) {
                self.conflicts(&included, &root);
                root = merge::merge(included, root, &mut Vec::new(), &mut self.diagnostics);
            }
        }
        root
    }

    /// A file may not define again what it includes, unless it says the same (compose-go loader/include.go,
    /// `importResource`); a later file may.
    fn conflicts(&mut self, included: &Node, root: &Node) {
        for section in IMPORTED {
            let entries = |node: &Node| node.get(section).map(|node| node.entries().to_vec()).unwrap_or_default();
            let theirs = entries(included);
            for own in entries(root) {
                let other = theirs.iter().find(|other| other.key.value == own.key.value);
                if let Some(other) = other.filter(|other| !is_same(&other.value, &own.value)) {
                    self.diagnostics.push(conflict(section, &own.key, other.key.span));
                }
            }
        }
    }

    fn included(&mut self, item: &Node, place: &Place, trail: &mut Vec<String>) -> Option<Node> {
        let paths = texts(item.get("path").unwrap_or(item));
        let files: Vec<File> = paths.iter().filter_map(|path| self.opened(path, &place.directory)).collect();
        let (first, span) = (files.first()?, paths.first()?.span);
        if trail.contains(&first.path) {
            let message = text!("`{path}` includes itself", "`{path}` 파일이 자신을 포함합니다", path = &first.path);
            self.diagnostics.push(refused(message, span));
            return None;
        }
        let own = item.get("project_directory").and_then(text);
        let directory = match own {
            Some(own) => beside(&place.directory, &own.value)?,
            None => directory_of(&first.path).to_owned(),
        };
        let place = self.included_place(item, place, directory);
        let documents = self.documents(&files);
        let mut included = self.merged(documents, &place, trail)?;
        if let Value::Mapping(entries) = &mut included.value {
            entries.retain(|entry| IMPORTED.contains(&entry.key.value.as_str()));
        }
        Some(included)
    }

    /// What the including file's variables do not say is taken from the included directory's `.env`.
    fn included_place(&mut self, item: &Node, place: &Place, directory: String) -> Place {
        let variables = place.variables.clone();
        let named = item.get("env_file").map(texts);
        let files: Vec<Option<File>> = match named {
            Some(named) => named.iter().map(|path| self.opened(path, &place.directory)).collect(),
            None => vec![beside(&directory, ".env").and_then(|path| (self.open)(&path))],
        };
        let mut own = BTreeMap::new();
        for file in files.into_iter().flatten() {
            let known = own.clone().into_iter().chain(variables.clone()).collect();
            let read = env_file::parse(file.source, &file.text, &known);
            self.diagnostics.extend(read.diagnostics);
            own.extend(read.value);
        }
        own.extend(variables);
        Place { directory, variables: own }
    }
}

/// A number without quotes is no key (compose-go loader/loader.go, `convertToStringKeysRecursive`).
fn keys_that_are_no_texts(text: &str, node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for Entry { key, value, .. } in node.entries() {
        let is_plain = text.get(key.span.start..key.span.end) == Some(key.value.as_str());
        if is_plain && yaml::scalar::plain(&key.value) != Resolved::Text {
            let message = text!("the key `{key}` is not a text", "`{key}` 키가 문자열이 아닙니다", key = &key.value);
            let diagnostic = Diagnostic::new(Code::YamlType, message).label(key.span, file_refused());
            diagnostics.push(diagnostic.help(text!("write it in quotes", "따옴표 안에 쓰십시오")));
        }
        keys_that_are_no_texts(text, value, diagnostics);
    }
    node.items().iter().for_each(|item| keys_that_are_no_texts(text, item, diagnostics));
}

/// Build contexts, environment files and mounted files start from the directory of the file that names them; from here
/// on they start from the top.
fn place_paths(root: &mut Node, directory: &str) {
    for config in entries_mut(root, "configs") {
        place_entry(&mut config.value, "file", directory);
    }
    for service in entries_mut(root, "services") {
        for entry in entries_mut(&mut service.value, "") {
            match entry.key.value.as_str() {
                "build" => place_below(&mut entry.value, "context", directory),
                "env_file" => place_below(&mut entry.value, "path", directory),
                "volumes" => place_volumes(&mut entry.value, directory),
                _ => {}
            }
        }
    }
}

/// The value itself, its items, and what stands under `key` in it or in its items.
fn place_below(node: &mut Node, key: &str, directory: &str) {
    place_path(node, directory);
    place_entry(node, key, directory);
    if let Value::Sequence(items) = &mut node.value {
        items.iter_mut().for_each(|item| place_below(item, key, directory));
    }
}

fn place_entry(node: &mut Node, key: &str, directory: &str) {
    let named = entries_mut(node, "").find(|entry| entry.key.value == key);
    named.into_iter().for_each(|entry| place_path(&mut entry.value, directory));
}

/// `./FILE:PLACE`, or `source: FILE`; what does not start with a dot may be the name of a volume.
fn place_volumes(node: &mut Node, directory: &str) {
    let Value::Sequence(items) = &mut node.value else { return };
    for item in items {
        let is_bind = item.get("type").and_then(text).is_some_and(|kind| kind.value == "bind");
        if is_bind {
            place_entry(item, "source", directory);
        }
        if let Value::Scalar(written) = &mut item.value
            && written.starts_with('.')
            && let Some((source, rest)) = written.split_once(':')
            && let Some(placed) = beside(directory, source)
        {
            *written = format!("./{placed}:{rest}");
        }
    }
}

fn place_path(node: &mut Node, directory: &str) {
    if let Value::Scalar(text) = &mut node.value
        && !text.is_empty()
        && !text.contains("://")
        && let Some(placed) = beside(directory, text)
    {
        *text = if placed.is_empty() { ".".to_owned() } else { placed };
    }
}

/// The entries of a map, or of the map under its key `below`.
fn entries_mut<'n>(node: &'n mut Node, below: &str) -> impl Iterator<Item = &'n mut Entry> {
    let entries = |node: &'n mut Node| match &mut node.value {
        Value::Mapping(entries) => entries.as_mut_slice(),
        _ => &mut [],
    };
    let own = entries(node);
    if below.is_empty() {
        return own.iter_mut();
    }
    let found = own.iter_mut().find(|entry| entry.key.value == below);
    found.map_or_else(|| [].iter_mut(), |entry| entries(&mut entry.value).iter_mut())
}

fn take(map: &mut Node, key: &str) -> Option<Entry> {
    let Value::Mapping(entries) = &mut map.value else { return None };
    let position = entries.iter().position(|entry| entry.key.value == key)?;
    Some(entries.remove(position))
}

pub(super) fn text(node: &Node) -> Option<Spanned<String>> {
    match &node.value {
        Value::Scalar(text) if !node.is_null() => Some(Spanned::new(text.clone(), node.content)),
        _ => None,
    }
}

/// One text or a list of them.
pub(super) fn texts(node: &Node) -> Vec<Spanned<String>> {
    std::slice::from_ref(node).iter().chain(node.items()).filter_map(text).collect()
}

/// Whether two values say the same in the same form.
fn is_same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(_), Value::Scalar(_)) if a.is_null() || b.is_null() => a.is_null() && b.is_null(),
        (Value::Scalar(a), Value::Scalar(b)) => a == b,
        (Value::Sequence(a), Value::Sequence(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Mapping(a), Value::Mapping(other)) => {
            a.len() == other.len() && a.iter().all(|e| b.get(&e.key.value).is_some_and(|b| is_same(&e.value, b)))
        }
        _ => false,
    }
}

fn conflict(section: &str, own: &Spanned<String>, included: Span) -> Diagnostic {
    let (what, name) = (schema::noun(section), &own.value);
    let message = text!(
        "the {what} `{name}` is defined here and in an included file",
        "`{name}` {what}: 여기와 포함된 파일에 모두 정의되어 있습니다"; what
    );
    refused(message, own.span).label(included, text!("in the included file", "포함된 파일에 있는 것")).help(text!(
        "change it in a file that is laid over this one: `compose.override.yaml`",
        "이 파일 위에 덮어 쓰는 파일에서 바꾸십시오: `compose.override.yaml`"
    ))
}

fn no_file(path: &Spanned<String>) -> Diagnostic {
    let message = text!("there is no file `{path}`", "`{path}` 파일이 없습니다", path = &path.value);
    Diagnostic::new(Code::ComposeMissingFile, message)
        .label(path.span, text!("docker compose cannot read it", "docker compose가 읽을 수 없음"))
        .help(text!(
            "the path starts at the directory of the project's first file",
            "경로는 프로젝트의 첫 번째 파일이 있는 디렉터리에서 시작합니다"
        ))
}

fn refused(message: Text, span: Span) -> Diagnostic {
    Diagnostic::new(Code::ComposeBadService, message).label(span, file_refused())
}

fn file_refused() -> Text {
    text!("docker compose refuses the file", "docker compose가 파일을 거부함")
}

fn too_large(message: Text, span: Span) -> Diagnostic {
    Diagnostic::new(Code::YamlTooLarge, message)
        .label(span, text!("nothing is read from here on", "여기부터는 읽지 않음"))
}

fn circle(service: &Spanned<String>) -> Diagnostic {
    let message = text!(
        "the service `{name}` extends itself, perhaps through others",
        "`{name}` 서비스가 직접 또는 다른 서비스를 거쳐 자신을 확장합니다",
        name = &service.value
    );
    refused(message, service.span)
}

fn no_service(wanted: &Wanted<'_>) -> Diagnostic {
    let (name, path) = (&wanted.name.value, wanted.path);
    let message =
        text!("there is no service `{name}` in `{path}` to extend", "`{path}`에 확장할 `{name}` 서비스가 없습니다");
    let diagnostic = Diagnostic::new(Code::ComposeUnknownService, message).label(wanted.name.span, file_refused());
    match did_you_mean(name, wanted.services.entries().iter().map(|entry| entry.key.value.as_str())) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic,
    }
}
