//! What services take from other files: how their images are built, variables of `env_file`, and mounted files.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::frontend::beside;
use crate::frontend::docker::dockerfile::{self, Build, Image};
use crate::frontend::yaml::{Entry, Node};
use crate::lab::declaration::MountDecl;
use crate::language::text;
use crate::source::{Span, Spanned};

use super::env_file;
use super::model::{Loader, text, texts};

/// What a service is given.
#[derive(Default)]
pub(super) struct Given {
    /// How its image is built, if it is built here.
    pub(super) image: Option<Image>,
    /// `env_file`: names and values, the later over the earlier.
    pub(super) variables: Vec<(String, Spanned<String>)>,
    /// Files of the project in the container.
    pub(super) mounts: Vec<MountDecl>,
}

impl Loader<'_> {
    /// What each service is given, by its key.
    pub(super) fn given(&mut self, root: &Node, variables: &BTreeMap<String, String>) -> BTreeMap<String, Given> {
        let services = root.get("services").map(Node::entries).unwrap_or_default();
        services.iter().map(|service| (service.key.value.clone(), self.of_service(root, service, variables))).collect()
    }

    fn of_service(&mut self, root: &Node, service: &Entry, variables: &BTreeMap<String, String>) -> Given {
        let image = service.value.get("build").and_then(|build| self.image(build));
        let (image, copied) = image.unzip();
        let mounts = volumes(&service.value).chain(configs(root, &service.value)).chain(copied.into_iter().flatten());
        let mounts = mounts.collect();
        Given { image, variables: self.variables(&service.value, variables), mounts }
    }

    /// How an image is built; without its Dockerfile nothing is known, as about one that is pulled.
    fn image(&mut self, build: &Node) -> Option<(Image, Vec<MountDecl>)> {
        let value = |key: &str| build.get(key).and_then(text).map(|text| text.value);
        let context = text(build).map(|text| text.value).or_else(|| value("context")).unwrap_or_default();
        let context = beside("", &context)?;
        let settings = Build { target: value("target"), arguments: arguments(build) };
        let read = match build.get("dockerfile_inline").and_then(text) {
            Some(inline) => {
                let read = dockerfile::image(inline.span.source, &inline.value, &settings);
                let diagnostics = read.diagnostics.into_iter().map(|diagnostic| moved(diagnostic, inline.span));
                self.diagnostics.extend(diagnostics);
                read.value.placed_at(inline.span)
            }
            None => {
                let name = value("dockerfile").unwrap_or_else(|| "Dockerfile".to_owned());
                let file = beside(&context, &name).and_then(|path| (self.open)(&path))?;
                let read = dockerfile::image(file.source, &file.text, &settings);
                self.diagnostics.extend(read.diagnostics);
                read.value
            }
        };
        let place = |(file, target): &(Spanned<String>, String)| {
            let source = Spanned::new(beside(&context, &file.value)?, file.span);
            Some(MountDecl { source, target: target.clone() })
        };
        let copies = read.copies.iter().filter_map(place).collect();
        Some((read, copies))
    }

    fn variables(&mut self, service: &Node, outer: &BTreeMap<String, String>) -> Vec<(String, Spanned<String>)> {
        let Some(node) = service.get("env_file") else { return Vec::new() };
        let mut all: Vec<(String, Spanned<String>)> = Vec::new();
        for item in std::slice::from_ref(node).iter().chain(node.items()) {
            let Some(path) = item.get("path").and_then(text).or_else(|| text(item)) else { continue };
            let says = |key: &str, word: &str| item.get(key).and_then(text).is_some_and(|text| text.value == word);
            let Some(file) = beside("", &path.value).and_then(|full| (self.open)(&full)) else {
                self.diagnostics.extend((!says("required", "false")).then(|| not_found(&path)));
                continue;
            };
            let read = if says("format", "raw") {
                env_file::parse_raw(file.source, &file.text)
            } else {
                let own = all.iter().map(|(name, value)| (name.clone(), value.value.clone()));
                let known = outer.clone().into_iter().chain(own).collect();
                let read = env_file::parse_placed(file.source, &file.text, &known);
                self.diagnostics.extend(read.diagnostics);
                read.value
            };
            all.retain(|(name, _)| !read.contains_key(name));
            all.extend(read);
        }
        all
    }
}

/// Bind mounts of files that belong to the project.
fn volumes(service: &Node) -> impl Iterator<Item = MountDecl> {
    service.get("volumes").map(Node::items).unwrap_or_default().iter().filter_map(|item| {
        if let Some(short) = text(item) {
            let (source, rest) = short.value.split_once(':')?;
            let target = rest.split(':').next()?.to_owned();
            let source = beside("", source).filter(|_| source.starts_with('.'))?;
            return Some(MountDecl { source: Spanned::new(source, short.span), target });
        }
        let field = |key: &str| item.get(key).and_then(text);
        field("type").filter(|kind| kind.value == "bind")?;
        let source = field("source")?;
        let path = beside("", &source.value)?;
        Some(MountDecl { source: Spanned::new(path, source.span), target: field("target")?.value })
    })
}

/// Configs are files, too; without a target they stand in the root (docs.docker.com, Compose file reference, `configs`).
fn configs<'n>(root: &'n Node, service: &'n Node) -> impl Iterator<Item = MountDecl> {
    service.get("configs").map(Node::items).unwrap_or_default().iter().filter_map(|item| {
        let name = text(item).or_else(|| item.get("source").and_then(text))?;
        let target = item.get("target").and_then(text).map_or_else(|| format!("/{}", name.value), |text| text.value);
        let file = root.get("configs")?.get(&name.value)?.get("file").and_then(text)?;
        Some(MountDecl { source: Spanned::new(beside("", &file.value)?, file.span), target })
    })
}

/// `args:`, a map or a list of `NAME=VALUE`.
fn arguments(build: &Node) -> BTreeMap<String, String> {
    let Some(node) = build.get("args") else { return BTreeMap::new() };
    let of_map = node.entries().iter().filter_map(|e| Some((e.key.value.clone(), text(&e.value)?.value)));
    let of_list = texts(node).into_iter().filter_map(|text| {
        let (name, value) = text.value.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    of_map.chain(of_list).collect()
}

/// Places in a text that stands in another one are not known.
fn moved(mut diagnostic: Diagnostic, span: Span) -> Diagnostic {
    diagnostic.labels.iter_mut().for_each(|label| label.span = span);
    diagnostic
}

/// Secrets are seldom kept with the other files, so this is no error.
fn not_found(path: &Spanned<String>) -> Diagnostic {
    let message = text!("there is no file `{path}`", "`{path}` 파일이 없습니다", path = &path.value);
    let label = text!("docker compose refuses to start without it", "이 파일이 없으면 docker compose가 시작하지 않음");
    let diagnostic = Diagnostic::new(Code::ComposeMissingFile, message).label(path.span, label).help(text!(
        "what it sets is not known here; `required: false` lets it be absent",
        "이 파일이 설정하는 값은 여기서 알 수 없습니다. 없어도 되는 파일이면 `required: false`를 쓰십시오"
    ));
    Diagnostic { severity: Severity::Warning, ..diagnostic }
}
