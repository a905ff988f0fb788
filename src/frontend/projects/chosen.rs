//! Projects that a script chooses with `docker compose -f … up`.
//!
//! Paths start from where the command runs. Nobody states that; the directory of the script is tried first, then the
//! directory that the tool was pointed at.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::frontend::docker::compose::env_file;
use crate::frontend::{COMPOSE_NAMES, beside, directory_of};
use crate::lab::Declaration;
use crate::lab::declaration::ComposeDecl;
use crate::language::text;
use crate::source::Span;

use super::{OVERRIDE_NAMES, Project, Reader};

/// What the options say beside the files.
#[derive(Clone, Default)]
pub(super) struct Choice {
    /// Variables that options set: the project's name, profiles.
    pub(super) variables: BTreeMap<String, String>,
    /// Files in place of `.env`.
    pub(super) env_files: Vec<String>,
    /// Services that are started; none means all.
    pub(super) services: Vec<String>,
    /// The directory that paths inside the files start from, if it is not the first file's.
    pub(super) directory: Option<String>,
    /// The command.
    pub(super) span: Option<Span>,
}

impl Reader<'_> {
    /// One project for each directory in which scripts start one; of several that differ the first counts.
    pub(super) fn chosen(&mut self) -> Vec<Project> {
        let calls: Vec<(String, ComposeDecl)> = self
            .inputs
            .values()
            .flatten()
            .flat_map(|input| input.declarations.iter().map(|declaration| (input.path.clone(), declaration)))
            .filter_map(|(path, d)| if let Declaration::Compose(call) = d { Some((path, call.clone())) } else { None })
            .collect();
        let mut projects: Vec<Project> = Vec::new();
        for (script, call) in calls {
            let Some(project) = self.called(&script, &call) else { continue };
            match projects.iter().find(|earlier| is_same_project(earlier, &project)) {
                Some(earlier) if earlier.paths != project.paths => {
                    self.diagnostics.push(called_differently(earlier.choice.span, call.span));
                }
                Some(_) => {}
                None => projects.push(project),
            }
        }
        // What docker compose does of itself needs nobody's choice.
        projects.retain(|project| !project.is_usual);
        projects
    }

    fn called(&mut self, script: &str, call: &ComposeDecl) -> Option<Project> {
        let here = directory_of(script);
        let bases = [here.to_owned(), String::new()];
        let directory = call.directory.as_ref().and_then(|directory| beside(here, &directory.value));
        let paths = match call.files.as_slice() {
            [] => {
                let bases = directory.clone().into_iter().chain(bases.clone());
                bases.map(|base| self.usual(&base)).find(|paths| !paths.is_empty())?
            }
            files => {
                let at = |base: &String| files.iter().filter_map(|file| beside(base, &file.value)).collect::<Vec<_>>();
                let candidates: Vec<Vec<String>> = bases.iter().map(at).collect();
                let found =
                    candidates.iter().find(|paths| paths.first().is_some_and(|path| self.exists(path))).cloned();
                found.or_else(|| candidates.into_iter().next())?
            }
        };
        let mut variables = BTreeMap::new();
        if let Some(project) = &call.project {
            variables.insert("COMPOSE_PROJECT_NAME".to_owned(), project.value.clone());
        }
        if !call.profiles.is_empty() {
            let profiles: Vec<&str> = call.profiles.iter().map(|profile| profile.value.as_str()).collect();
            variables.insert("COMPOSE_PROFILES".to_owned(), profiles.join(","));
        }
        let mut env_files = Vec::new();
        for file in &call.env_files {
            let candidates: Vec<String> = bases.iter().filter_map(|base| beside(base, &file.value)).collect();
            env_files.extend(candidates.iter().find(|path| self.exists(path)).or(candidates.first()).cloned());
        }
        let services = call.services.iter().map(|service| service.value.clone()).collect();
        let is_usual = call.is_plain();
        let choice = Choice { variables, env_files, services, directory, span: Some(call.span) };
        Some(Project { paths, is_listed: true, is_usual, choice })
    }

    /// The usual files in a directory.
    fn usual(&mut self, directory: &str) -> Vec<String> {
        let mut first = |names: &[&str]| {
            let mut paths = names.iter().filter_map(|name| beside(directory, name));
            paths.find(|path| self.exists(path))
        };
        let base = first(&COMPOSE_NAMES);
        let over = base.as_ref().and_then(|_| first(&OVERRIDE_NAMES));
        base.into_iter().chain(over).collect()
    }

    fn exists(&mut self, path: &str) -> bool {
        self.lab.files.iter().any(|file| file.path == path) || (self.open)(path).is_some()
    }

    /// What the files that stand in for `.env` say, the later over the earlier.
    pub(super) fn stated_variables(&mut self, files: &[String]) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        for path in files {
            match (self.open)(path) {
                Some(file) => {
                    let read = env_file::parse(file.source, &file.text, &variables);
                    self.diagnostics.extend(read.diagnostics);
                    variables.extend(read.value);
                }
                None => self.diagnostics.push(no_env_file(path)),
            }
        }
        variables
    }
}

/// Whether two calls are about one project: docker compose tells projects apart by name, which is the directory's
/// unless something else is said.
fn is_same_project(a: &Project, b: &Project) -> bool {
    let name = |project: &Project| project.choice.variables.get("COMPOSE_PROJECT_NAME").cloned();
    let directory = |project: &Project| {
        let first = project.paths.first().map(|path| directory_of(path).to_owned());
        project.choice.directory.clone().or(first)
    };
    (name(a), directory(a)) == (name(b), directory(b))
}

fn called_differently(first: Option<Span>, second: Span) -> Diagnostic {
    let message = text!(
        "`docker compose` is called with other files for the same project",
        "같은 프로젝트에 다른 파일로 `docker compose`를 호출합니다"
    );
    let mut diagnostic =
        Diagnostic::new(Code::InputUnused, message).label(second, text!("this call is left out", "이 호출은 제외함"));
    if let Some(first) = first {
        diagnostic = diagnostic.label(first, text!("the files of this one are read", "이 호출의 파일을 읽음"));
    }
    Diagnostic {
        severity: Severity::Warning,
        ..diagnostic.help(text!(
            "list the files that count in lab.yaml, or name them",
            "쓸 파일을 lab.yaml에 적거나 직접 지정하십시오"
        ))
    }
}

fn no_env_file(path: &str) -> Diagnostic {
    Diagnostic::new(Code::ComposeMissingFile, text!("there is no file `{path}`", "`{path}` 파일이 없습니다"))
        .help(text!("`--env-file` names it", "`--env-file`에 적혀 있습니다"))
}
