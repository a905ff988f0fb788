//! From paths to a dataplane: the stages that every command begins with.

use std::collections::BTreeMap;
use std::fs;
use std::mem;
use std::path::{self, Component, Path, PathBuf};
use std::sync::Arc;

use crate::check::Judgement;
use crate::dataplane::{Dataplane, NodeId};
use crate::diagnostic::{Diagnostic, Severity, did_you_mean};
use crate::frontend::File;
use crate::frontend::projects::{LabTexts, read_lab};
use crate::lab::{self, Host, Lab};
use crate::language::{Text, text};
use crate::lower;
use crate::report::fix::PatchedFile;
use crate::report::{Report, Section, terminal as rendering};
use crate::source::Sources;

use super::args::Format;
use super::load::{self, LabFiles, Loaded, Replacements};
use super::terminal;

/// A lab and what it does with packets.
pub(super) struct Model {
    /// Where it stands, if the files hold several.
    pub(super) title: Option<String>,
    pub(super) sources: Sources,
    pub(super) lab: Lab,
    pub(super) dataplane: Dataplane,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Where the files are on disk, by name.
    pub(super) files: BTreeMap<String, PathBuf>,
}

/// Reads the files and runs the stages up to the dataplane, for every lab; complains if nothing can be read.
pub(super) fn build_all(paths: &[PathBuf]) -> Option<Vec<Model>> {
    load(paths).map(understand)
}

/// Reads the files; complains if nothing can be read.
pub(super) fn load(paths: &[PathBuf]) -> Option<Loaded> {
    load::load(paths).map_err(|error| terminal::complain(error.said())).ok()
}

/// The first lab, with some texts in place of those on disk; says nothing.
pub(super) fn build_with(paths: &[PathBuf], replaced: &Replacements) -> Option<Model> {
    load::load_with(paths, replaced).ok().map(understand)?.into_iter().next()
}

/// The first lab.
pub(super) fn build(paths: &[PathBuf]) -> Option<Model> {
    let mut models = build_all(paths)?;
    if models.len() > 1 {
        terminal::complain(text!(
            "these files hold {count} labs; this is about the first one",
            "이 파일들에는 랩이 {count}개 있습니다. 그중 첫째만 봅니다",
            count = models.len()
        ));
    }
    models.drain(..).next()
}

/// What is wrong with the files is said along with the first lab.
fn understand(loaded: Loaded) -> Vec<Model> {
    let Loaded { sources, labs, mut diagnostics, files } = loaded;
    let model = |found: LabFiles| {
        let lab = lab::resolve(&found.inputs);
        diagnostics.extend(lab.diagnostics);
        let dataplane = lower::lower(&lab.value);
        let (title, sources, files) = (found.title, sources.clone(), files.clone());
        Model { title, sources, lab: lab.value, dataplane, diagnostics: mem::take(&mut diagnostics), files }
    };
    labs.into_iter().map(model).collect()
}

/// A path from the working directory, with `/` between parts; the whole path where it leads out of it.
fn from_here(path: &Path) -> String {
    let whole = |path: &Path| {
        let mut whole = PathBuf::new();
        for component in path::absolute(path).unwrap_or_default().components() {
            match component {
                Component::ParentDir => drop(whole.pop()),
                component => whole.push(component),
            }
        }
        whole
    };
    let (path, here) = (whole(path), whole(Path::new(".")));
    let shown = path.strip_prefix(&here).unwrap_or(&path);
    shown.to_string_lossy().replace('\\', "/")
}

impl Model {
    /// A lab that is part of the program.
    pub(super) fn of_texts(name: &str, texts: &[(&str, &str)]) -> Option<Self> {
        let mut sources = Sources::default();
        let mut files = Vec::new();
        for (path, text) in texts {
            let source = sources.add(*path, text);
            let text = Arc::clone(&sources.get(source).text);
            files.push(File { source, path: (*path).to_owned(), whole: Arc::clone(&text), text });
        }
        let read = read_lab(&LabTexts { files: &files, folder: name, listed: &[] }, &mut |_| None);
        let labs = vec![LabFiles { title: None, inputs: read.value }];
        let loaded = Loaded { sources, labs, diagnostics: read.diagnostics, files: BTreeMap::new() };
        understand(loaded).into_iter().next()
    }

    /// The node with this name; complains if there is none.
    pub(super) fn node(&self, name: &str) -> Option<NodeId> {
        let found = self.dataplane.node_named(name).or_else(|| self.container(name)).or_else(|| self.process(name));
        if found.is_none() {
            let names = self.dataplane.nodes.iter().map(|node| node.name.as_str());
            let tails = names.clone().filter_map(|name| name.rsplit_once('/')).map(|(_, tail)| tail);
            let near = did_you_mean(name, names.clone().chain(tails)).map_or_else(
                || text!("there are: {all}", "있는 것: {all}", all = names.collect::<Vec<_>>().join(", ")),
                |near| text!("did you mean `{near}`?", "혹시 `{near}`?"),
            );
            terminal::complain(text!(
                "there is no `{name}` in this lab; {near}",
                "이 랩에 `{name}` 이름은 없습니다. {near}"; near
            ));
        }
        found
    }

    /// A container by its own name, if only one host has it.
    fn container(&self, name: &str) -> Option<NodeId> {
        let is_named = |node: &str| node.rsplit_once('/').is_some_and(|(_, last)| last == name);
        let mut found = self.dataplane.nodes().filter(|(_, node)| is_named(&node.name));
        found.next().map(|(id, _)| id).filter(|_| found.next().is_none())
    }

    /// `HOST/PROCESS` dials from the host.
    fn process(&self, name: &str) -> Option<NodeId> {
        let (host, process) = name.split_once('/')?;
        let runs = |h: &Host| h.name == host && h.processes.iter().any(|p| p.name == process);
        self.lab.hosts().any(|(_, h)| runs(h)).then(|| self.dataplane.node_named(host)).flatten()
    }

    /// A report about this lab. What is read elsewhere than here names files as they are from the working directory.
    pub(super) fn section(self, judgements: Vec<Judgement>, diagnostics: Vec<Diagnostic>, format: Format) -> Section {
        let Self { title, sources, dataplane, files, .. } = self;
        let from_here = |name: &str| files.get(name).map_or_else(|| name.to_owned(), |path| from_here(path));
        let sources = match format {
            Format::Human | Format::Json | Format::Csv => sources,
            Format::Sarif | Format::Github | Format::Junit | Format::Markdown => sources.renamed(from_here),
        };
        Section { title, report: Report { judgements, diagnostics, dataplane }, exposure: None, sources }
    }

    /// Writes a file, if it still is what was read.
    pub(super) fn write(&self, file: &PatchedFile) -> Result<(), Text> {
        let problem = |why: Text| text!("cannot write `{name}`: {why}", "`{name}` 파일을 쓸 수 없습니다: {why}", name = &file.name; why);
        let path = self
            .files
            .get(&file.name)
            .ok_or_else(|| problem(text!("it is not a file of its own", "독립된 파일이 아닙니다")))?;
        let on_disk = fs::read_to_string(path).map_err(|error| problem(error.to_string().into()))?;
        let (mark, text) = on_disk.strip_prefix('\u{feff}').map_or(("", on_disk.as_str()), |text| ("\u{feff}", text));
        if text != file.old {
            return Err(problem(text!("it has changed in the meantime", "그사이에 파일이 바뀌었습니다")));
        }
        fs::write(path, format!("{mark}{}", file.new)).map_err(|error| problem(error.to_string().into()))
    }

    /// Prints errors in files to standard error, for commands whose output is something else.
    pub(super) fn complain_about_files(&self) {
        let errors: Vec<_> = self.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        terminal::print_aside(&rendering::render_diagnostics(&errors, &self.sources, terminal::style()));
    }
}
