//! All files of a lab: which of them belong together, and what each states.
//!
//! docker compose reads several files as one project: those that lab.yaml or the command line lists, those that a
//! script gives to `docker compose`, those of `COMPOSE_FILE` in `.env`, or else one with a usual name and the override beside it (compose-go v2.10,
//! cli/options.go).

mod chosen;

use std::collections::{BTreeMap, BTreeSet};

use self::chosen::Choice;
use super::docker::{compose, files};
use super::{
    COMPOSE_NAMES, Environment, File, Format, Open, beside, detect, detect_named, directory_of, file_name,
    may_be_anything, read, vagrant,
};
use crate::diagnostic::{Code, Diagnosed, Diagnostic, Severity};
use crate::lab::Input;
use crate::lab::declaration::{Declaration, Declarations};
use crate::language::text;
use crate::source::Span;

/// Names of the file that is laid over another by itself, the preferred one first (compose-go, cli/options.go,
/// `DefaultOverrideFileNames`).
const OVERRIDE_NAMES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// The files of a lab.
pub struct LabTexts<'a> {
    /// Every file, sorted by path.
    pub files: &'a [File],
    /// The name of the directory that paths start from.
    pub folder: &'a str,
    /// Paths that were named one by one on the command line.
    pub listed: &'a [String],
}

/// Files that docker compose reads as one project.
#[derive(Default)]
struct Project {
    /// Paths, the later laid over the earlier.
    paths: Vec<String>,
    /// Somebody listed the files; otherwise they were found.
    is_listed: bool,
    /// They are those that docker compose reads of itself.
    is_usual: bool,
    /// What a command says beside the files.
    choice: Choice,
}

/// A project with what its files state.
struct ReadProject {
    project: Project,
    declarations: Declarations,
    /// Files that its files name.
    opened: BTreeSet<String>,
}

/// What another project includes is not a project of its own; of two that include each other the first is one.
fn is_part(number: usize, all: &[ReadProject]) -> bool {
    let names = |read: &ReadProject, other: &ReadProject| {
        other.project.paths.first().is_some_and(|path| read.opened.contains(path))
    };
    let Some(own) = all.get(number) else { return false };
    let others = all.iter().enumerate().filter(|(other, _)| *other != number);
    others.into_iter().any(|(other, read)| names(read, own) && (other < number || !names(own, read)))
}

/// Reads the files of a lab. `open` finds files that other files name.
pub fn read_lab(lab: &LabTexts<'_>, open: Open<'_>) -> Diagnosed<Vec<Input>> {
    let mut reader = Reader { lab, open, opened: BTreeSet::new(), inputs: BTreeMap::new(), diagnostics: Vec::new() };
    let mut compose = BTreeMap::new();
    let (mut unknown, mut vagrantfiles) = (Vec::new(), Vec::new());
    for file in lab.files {
        let named = || detect_named(&file.path, &file.text).filter(|_| lab.listed.contains(&file.path));
        match detect(&file.path, &file.text).or_else(named) {
            Some(format) if is_compose(format) => drop(compose.insert(file.path.as_str(), format)),
            Some(Format::Beside) => {}
            Some(Format::Vagrantfile) => vagrantfiles.push(file),
            Some(format) => {
                let read = read(format, file.source, &file.path, &file.text, &Environment::default());
                reader.keep(file, read);
            }
            // Found in a directory, and nothing that anybody reads.
            None if may_be_anything(&file.path) && !lab.listed.contains(&file.path) => {}
            None => unknown.push(file),
        }
    }
    reader.projects(&compose);
    vagrantfiles.into_iter().for_each(|file| reader.vagrantfile(file));
    let Reader { opened, mut inputs, mut diagnostics, .. } = reader;
    let is_unused = |file: &&&File| !opened.contains(&file.path);
    diagnostics.extend(unknown.iter().filter(is_unused).map(|file| unknown_format(file)));
    let known = lab.files.iter().filter_map(|file| inputs.remove(&file.path)).flatten().collect::<Vec<_>>();
    let value = known.into_iter().chain(inputs.into_values().flatten()).collect();
    Diagnosed { value, diagnostics }
}

fn is_compose(format: Format) -> bool {
    matches!(format, Format::Compose | Format::ComposeOverride | Format::ComposeVariant)
}

/// A file of any name may be given to docker compose.
pub fn is_compose_text(text: &str) -> bool {
    let is_written = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let margin = text.lines().find(is_written).map_or(0, |line| line.len() - line.trim_start().len());
    let is_json = text.trim_start().starts_with('{') && text.contains("\"services\"");
    let sections = ["services:", "include:", "networks:", "volumes:"];
    let is_section =
        |line: &str| line.get(margin..).is_some_and(|line| sections.iter().any(|key| line.starts_with(key)));
    is_json || text.lines().any(is_section)
}

struct Reader<'a> {
    lab: &'a LabTexts<'a>,
    open: Open<'a>,
    /// Files that other files name.
    opened: BTreeSet<String>,
    /// What each file states; a file about several machines has a part for each.
    inputs: BTreeMap<String, Vec<Input>>,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn keep(&mut self, file: &File, mut read: Declarations) {
        let directory = directory_of(&file.path);
        self.complete(&mut read, &[directory, ""]);
        self.diagnostics.extend(read.diagnostics);
        let input = Input { source: file.source, path: file.path.clone(), declarations: read.value };
        self.inputs.entry(file.path.clone()).or_default().push(input);
    }

    /// What containers take from files that they name, whose paths start from one of `directories`.
    fn complete(&mut self, read: &mut Declarations, directories: &[&str]) {
        let (open, opened) = (&mut self.open, &mut self.opened);
        let found = files::read(&mut read.value, directories, &mut |path| {
            let file = open(path);
            opened.extend(file.as_ref().map(|file| file.path.clone()));
            file
        });
        read.diagnostics.extend(found);
    }

    /// What is run in its machines is no script of its own.
    fn vagrantfile(&mut self, file: &File) {
        let mut run = BTreeSet::new();
        let open = &mut self.open;
        let read = vagrant::parse(file, &mut |path| {
            run.insert(path.to_owned());
            open(path)
        });
        self.diagnostics.extend(read.diagnostics);
        for declarations in read.value {
            self.keep(file, Diagnosed { value: declarations, diagnostics: Vec::new() });
        }
        let of_hosts = self.inputs.values().flatten().flat_map(|input| &input.declarations);
        let listed: BTreeSet<String> = of_hosts
            .filter_map(|d| if let Declaration::Host(host) = d { Some(host) } else { None })
            .flat_map(|host| host.files.iter().map(|file| file.value.clone()))
            .collect();
        self.inputs.retain(|path, _| !run.contains(path) || listed.contains(path));
        self.opened.extend(run);
    }

    fn projects(&mut self, compose: &BTreeMap<&str, Format>) {
        let mut projects = self.listed(compose);
        let is_free = |path: &String| projects.iter().all(|project| !project.paths.contains(path));
        let chosen: Vec<Project> =
            self.chosen().into_iter().filter(|project| project.paths.iter().all(is_free)).collect();
        let in_use: BTreeSet<String> =
            chosen.iter().flat_map(|p| &p.paths).map(|path| directory_of(path).to_owned()).collect();
        projects.extend(chosen);
        let listed: BTreeSet<String> = projects.iter().flat_map(|project| project.paths.clone()).collect();
        let mut found = BTreeMap::new();
        let is_found = |path: &&&str| !listed.contains(**path) && !in_use.contains(directory_of(path));
        for path in compose.keys().filter(is_found) {
            found.entry(directory_of(path)).or_insert_with(Vec::new).push(*path);
        }
        projects.extend(found.iter().filter_map(|(directory, paths)| self.found(directory, paths)));
        let read: Vec<ReadProject> = projects.into_iter().map(|project| self.project(project)).collect();
        self.opened.extend(read.iter().flat_map(|read| read.opened.iter().cloned()));
        let is_part: Vec<bool> = read.iter().enumerate().map(|(number, _)| is_part(number, &read)).collect();
        for (read, is_part) in read.into_iter().zip(is_part) {
            if !is_part || read.project.is_listed {
                self.keep_project(&read.project, read.declarations);
            }
        }
        let passed_over =
            compose.keys().filter(|path| !self.inputs.contains_key(**path) && !self.opened.contains(**path));
        let passed_over: Vec<Diagnostic> = self
            .lab
            .files
            .iter()
            .filter(|file| passed_over.clone().any(|path| *path == file.path))
            .map(passed_over_by_compose)
            .collect();
        self.diagnostics.extend(passed_over);
    }

    /// The projects that a host's `files:` or the command line list: compose files of one directory are read together.
    fn listed(&self, compose: &BTreeMap<&str, Format>) -> Vec<Project> {
        let hosts = self.inputs.values().flatten().flat_map(|input| {
            let hosts =
                input.declarations.iter().filter_map(|d| if let Declaration::Host(h) = d { Some(h) } else { None });
            hosts.map(|host| {
                let directory = directory_of(&input.path);
                host.files.iter().filter_map(|path| beside(directory, &path.value)).collect()
            })
        });
        let lists: Vec<Vec<String>> = hosts.chain([self.lab.listed.to_vec()]).collect();
        let mut projects: Vec<Project> = Vec::new();
        for list in lists {
            let mut directories: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for path in list.into_iter().filter(|path| compose.contains_key(path.as_str())) {
                directories.entry(directory_of(&path).to_owned()).or_default().push(path);
            }
            for paths in directories.into_values().filter(|paths| is_choice(paths, compose)) {
                if projects.iter().all(|other| other.paths != paths) {
                    projects.push(Project { paths, is_listed: true, ..Project::default() });
                }
            }
        }
        projects
    }

    /// What docker compose reads in a directory without being told.
    fn found(&mut self, directory: &str, paths: &[&str]) -> Option<Project> {
        let variables = self.variables(directory).value;
        let stated = variables.get("COMPOSE_FILE").filter(|stated| !stated.is_empty());
        if let Some(stated) = stated {
            let separator = variables.get("COMPOSE_PATH_SEPARATOR").map_or(":", String::as_str);
            let paths = stated.split(separator).filter_map(|path| beside(directory, path)).collect();
            return Some(Project { paths, ..Project::default() });
        }
        let first = |names: &[&str]| {
            let named = |name: &&str| paths.iter().find(|path| file_name(path) == *name);
            names.iter().find_map(named).map(|path| (*path).to_owned())
        };
        let paths = first(&COMPOSE_NAMES).into_iter().chain(first(&OVERRIDE_NAMES)).collect();
        first(&COMPOSE_NAMES).map(|_| Project { paths, ..Project::default() })
    }

    /// What the `.env` of a directory says.
    fn variables(&mut self, directory: &str) -> Diagnosed<BTreeMap<String, String>> {
        let file = beside(directory, ".env").and_then(|path| (self.open)(&path));
        file.map(|file| compose::env_file::parse(file.source, &file.text, &BTreeMap::new())).unwrap_or_default()
    }

    fn project(&mut self, project: Project) -> ReadProject {
        let first = project.paths.first().map_or("", |path| directory_of(path)).to_owned();
        let directory = project.choice.directory.clone().unwrap_or(first);
        let folder = if directory.is_empty() { self.lab.folder } else { file_name(&directory) };
        let mut variables = match project.choice.env_files.as_slice() {
            [] => self.variables(&directory),
            files => Diagnosed { value: self.stated_variables(files), diagnostics: Vec::new() },
        };
        variables.value.extend(project.choice.variables.clone());
        let services = project.choice.services.clone();
        let environment = Environment {
            project: folder.to_owned(),
            variables: variables.value,
            directory: Some(directory),
            services,
        };
        let mut files = Vec::new();
        for path in &project.paths {
            let known = self.lab.files.iter().find(|file| file.path == *path).cloned();
            match known.or_else(|| (self.open)(path)) {
                Some(file) => files.push(file),
                None => self.diagnostics.push(no_such_file(path)),
            }
        }
        let (open, mut opened) = (&mut self.open, BTreeSet::new());
        let mut read = compose::parse(&files, &environment, &mut |path| {
            opened.insert(path.to_owned());
            open(path)
        });
        if !variables.diagnostics.is_empty() {
            read.diagnostics.extend(variables.diagnostics);
            compose::refuse(&mut read);
        }
        ReadProject { project, declarations: read, opened }
    }

    /// The last listed file stands for a listed project, because another host may list the first with another one; the
    /// first stands for one that was found.
    fn keep_project(&mut self, project: &Project, mut read: Declarations) {
        self.complete(&mut read, &[""]);
        let owner = if project.is_listed { project.paths.last() } else { project.paths.first() };
        for path in &project.paths {
            let known = self.lab.files.iter().find(|file| file.path == *path).cloned();
            let file = known.or_else(|| (self.open)(path).filter(|_| project.is_listed));
            if let Some(file) = file.filter(|file| !self.inputs.contains_key(&file.path)) {
                self.keep(&file, Declarations::default());
            }
        }
        self.diagnostics.extend(read.diagnostics);
        if let Some(input) = owner.and_then(|owner| self.inputs.get_mut(owner)?.last_mut()) {
            input.declarations.extend(read.value);
        }
    }
}

/// A file that docker compose would read anyway is no choice.
fn is_choice(paths: &[String], compose: &BTreeMap<&str, Format>) -> bool {
    let is_usual = |path: &String| compose.get(path.as_str()) == Some(&Format::Compose);
    1 < paths.len() || paths.iter().any(|path| !is_usual(path))
}

fn unknown_format(file: &File) -> Diagnostic {
    let start = file.text.len() - file.text.trim_start().len();
    Diagnostic::new(
        Code::InputUnused,
        text!("the format of `{path}` is not known", "`{path}` 파일의 형식을 알 수 없습니다", path = &file.path),
    )
    .label(Span::new(file.source, start, start), text!("not analyzed", "분석하지 않음"))
    .help(text!(
        "name it as its product does: compose.yaml, NAME.vbox, NAME.sh, zones/NAME.xml, rules.v4, lab.yaml",
        "제품이 쓰는 이름을 쓰십시오: compose.yaml, NAME.vbox, NAME.sh, zones/NAME.xml, rules.v4, lab.yaml"
    ))
}

fn passed_over_by_compose(file: &File) -> Diagnostic {
    let message = text!(
        "`docker compose` does not read `{path}` unless it is told to",
        "`docker compose`는 따로 지정하지 않으면 `{path}` 파일을 읽지 않습니다",
        path = &file.path
    );
    let start = file.text.len() - file.text.trim_start().len();
    let diagnostic = Diagnostic::new(Code::InputUnused, message)
        .label(Span::new(file.source, start, start), text!("not analyzed", "분석하지 않음"));
    let help = text!(
        "it reads the first of {names}; name the file itself or list it in lab.yaml",
        "{names} 가운데 처음 있는 것을 읽습니다. 파일을 직접 지정하거나 lab.yaml에 적으십시오",
        names = &COMPOSE_NAMES.join(", ")
    );
    Diagnostic { severity: Severity::Advice, ..diagnostic.help(help) }
}

fn no_such_file(path: &str) -> Diagnostic {
    Diagnostic::new(Code::ComposeMissingFile, text!("there is no file `{path}`", "`{path}` 파일이 없습니다"))
        .help(text!("`COMPOSE_FILE` in `.env` names it", "`.env`의 `COMPOSE_FILE`에 적혀 있습니다"))
}
