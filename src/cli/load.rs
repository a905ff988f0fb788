//! Finds the files of a lab, reads them, and hands them to their front-ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use thiserror::Error;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::frontend::markdown::{self, PageLab};
use crate::frontend::projects::{LabTexts, read_lab};
use crate::frontend::{self, File, Format};
use crate::lab::{Declaration, Input};
use crate::language::{Text, text};
use crate::source::{SourceId, Sources, Span, Spanned};

/// Larger files are not configuration that somebody wrote.
const SIZE_LIMIT: u64 = 4 * 1024 * 1024;

/// Directories that hold no configuration of a lab.
const SKIPPED: [&str; 2] = ["target", "node_modules"];

/// Everything that was read.
#[derive(Debug)]
pub struct Loaded {
    /// The texts.
    pub sources: Sources,
    /// Labs, at least one; a page may hold several.
    pub labs: Vec<LabFiles>,
    /// What is wrong with the files.
    pub diagnostics: Vec<Diagnostic>,
    /// Where each file is on disk, by name.
    pub files: BTreeMap<String, PathBuf>,
}

/// Texts that stand in for those on disk, by name of file.
pub type Replacements = BTreeMap<String, String>;

/// The files of one lab.
#[derive(Debug, Default)]
pub struct LabFiles {
    /// The section of the page that the lab stands in.
    pub title: Option<String>,
    /// What each file states, sorted by path.
    pub inputs: Vec<Input>,
}

/// Why nothing could be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A path that does not exist or cannot be looked into.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// The path as given.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Nothing that a front-end reads.
    #[error(
        "there is no file in `{path}` that canreach can read; it reads compose.yaml, *.vbox, Vagrantfile, *.sh, *.bat \
         and *.ps1 with docker, VBoxManage and firewall-cmd lines, zones/*.xml, lab.yaml"
    )]
    Nothing {
        /// The paths as given.
        path: String,
    },
}

impl LoadError {
    /// What is said to the person who named the files, with its cause.
    pub fn said(&self) -> Text {
        match self {
            Self::Unreadable { path, source } => {
                text!("cannot read `{path}`: {source}", "`{path}` 경로를 읽을 수 없습니다: {source}")
            }
            Self::Nothing { path } => Text::new(
                self.to_string(),
                format!(
                    "`{path}` 안에 canreach가 읽을 수 있는 파일이 없습니다. 읽을 수 있는 것: compose.yaml, *.vbox, docker와 \
                     firewall-cmd 줄이 있는 *.sh, zones/*.xml, lab.yaml"
                ),
            ),
        }
    }
}

/// A file that was found: where it is, and its name for people.
struct Found {
    disk: PathBuf,
    name: String,
    /// Named on the command line, not found in a directory.
    asked_for: bool,
}

/// Where files on disk are found that other files name: their names start at `root`.
struct Disk<'a> {
    root: &'a Path,
    sources: &'a mut Sources,
    files: &'a mut BTreeMap<String, PathBuf>,
    replaced: &'a Replacements,
    opened: BTreeMap<String, Option<File>>,
    /// What is wrong with files that are there.
    diagnostics: Vec<Diagnostic>,
}

/// Reads the files in or at `paths`. Names of files are relative to the path if there is only one.
///
/// # Errors
/// When a path does not exist, or when there is nothing to read.
pub fn load(paths: &[PathBuf]) -> Result<Loaded, LoadError> {
    load_with(paths, &Replacements::new())
}

/// Like [`load`], but some files have other texts than on disk.
///
/// # Errors
/// Like [`load`].
pub fn load_with(paths: &[PathBuf], replaced: &Replacements) -> Result<Loaded, LoadError> {
    let mut found = Vec::new();
    for path in paths {
        discover(path, paths.len() == 1, &mut found)?;
    }
    let listed: Vec<String> = found.iter().filter(|file| file.asked_for).map(|file| file.name.clone()).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.dedup_by(|a, b| a.name == b.name);
    let places = found.iter().map(|file| (file.name.clone(), file.disk.clone())).collect();
    let mut loaded = Loaded { sources: Sources::default(), labs: Vec::new(), diagnostics: Vec::new(), files: places };
    let (mut texts, mut lost) = (Vec::new(), Vec::new());
    for file in &found {
        match read(&mut loaded, file, replaced) {
            Ok(text) => texts.extend(text),
            Err(input) => lost.extend(input),
        }
    }
    let (pages, files): (Vec<File>, Vec<File>) = texts.into_iter().partition(|file| is_page(file, &listed));
    directory(&mut loaded, paths, &files, &listed, replaced);
    if let Some(lab) = loaded.labs.first_mut() {
        lab.inputs.extend(lost);
    }
    for file in pages {
        page(&mut loaded, &file, listed.contains(&file.path));
    }
    if loaded.labs.iter().all(|lab| lab.inputs.is_empty()) && loaded.diagnostics.is_empty() {
        let path = paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join("`, `");
        return Err(LoadError::Nothing { path });
    }
    Ok(loaded)
}

/// When each file was written that a lab could be read from, and how long it is.
pub fn stamps(paths: &[PathBuf]) -> BTreeMap<PathBuf, (Option<SystemTime>, u64)> {
    let mut found = Vec::new();
    for path in paths {
        // What is gone comes back, or is complained about when the files are read.
        let _ = discover(path, paths.len() == 1, &mut found);
    }
    let stamp = |file: Found| {
        let metadata = fs::metadata(&file.disk).ok()?;
        Some((file.disk, (metadata.modified().ok(), metadata.len())))
    };
    found.into_iter().filter_map(stamp).collect()
}

/// A page that holds a lab, or sentences; one that is named and holds commands is a file like others.
fn is_page(file: &File, listed: &[String]) -> bool {
    let holds_commands = listed.contains(&file.path)
        && frontend::detect(&file.path, &file.text).is_none()
        && frontend::detect_named(&file.path, &file.text).is_some();
    file.path.ends_with(".md") && !holds_commands
}

fn discover(path: &Path, only_path: bool, found: &mut Vec<Found>) -> Result<(), LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.display().to_string(), source };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    // A lab.yaml speaks of the files beside it.
    let is_lab = path.file_name().is_some_and(|n| n == "lab.yaml" || n == "lab.yml");
    let directory = match (metadata.is_dir(), is_lab) {
        (true, _) => Some(path),
        (false, true) => Some(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))),
        (false, false) => None,
    };
    match directory {
        Some(directory) => {
            fs::read_dir(directory).map_err(unreadable)?;
            let prefix = if only_path { String::new() } else { slashed(directory) };
            walk(directory, &prefix, found);
        }
        None => {
            let name = if only_path { last_part(path) } else { slashed(path) };
            found.push(Found { disk: path.to_owned(), name, asked_for: true });
        }
    }
    Ok(())
}

fn slashed(path: &Path) -> String {
    path.components().map(|c| c.as_os_str().to_string_lossy()).filter(|c| c != ".").collect::<Vec<_>>().join("/")
}

fn last_part(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The hidden file that says something: WSL's own.
const HIDDEN_INPUT: &str = ".wslconfig";

/// Goes into directories but not through links to directories, which may lead in a circle.
fn walk(directory: &Path, prefix: &str, found: &mut Vec<Found>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.filter_map(Result::ok) {
        let part = entry.file_name().to_string_lossy().into_owned();
        let name = if prefix.is_empty() { part.clone() } else { format!("{prefix}/{part}") };
        let is_directory = entry.file_type().is_ok_and(|t| t.is_dir());
        if is_directory && !part.starts_with('.') && !SKIPPED.contains(&part.as_str()) {
            walk(&entry.path(), &name, found);
        } else if !is_directory && (!part.starts_with('.') || part == HIDDEN_INPUT) && frontend::is_candidate(&name) {
            found.push(Found { disk: entry.path(), name, asked_for: false });
        }
    }
}

/// The text of a file if it is one of ours; if it cannot be read, what stands for it.
fn read(loaded: &mut Loaded, file: &Found, replaced: &Replacements) -> Result<Option<File>, Option<Input>> {
    let text = match replaced.get(&file.name).map_or_else(|| contents(&file.disk), |text| Ok(text.clone())) {
        Ok(text) => text,
        Err(Problem::Encoding(foreign)) => {
            if !file.asked_for && frontend::detect(&file.name, &foreign.text).is_none() {
                return Ok(None);
            }
            let source = loaded.sources.add(file.name.clone(), &foreign.text);
            loaded.diagnostics.push(foreign.diagnostic(&file.name, source));
            return Err(lost(&file.name, &foreign.text, source));
        }
        // Whether this file is one of ours would have to be told by its text.
        Err(_) if !file.asked_for && frontend::detect(&file.name, "").is_none() => return Ok(None),
        Err(problem) => {
            loaded.diagnostics.push(problem.diagnostic(&file.name));
            let source = loaded.sources.add(file.name.clone(), "");
            return Err(lost(&file.name, "", source));
        }
    };
    if frontend::detect(&file.name, &text).is_none() && !file.asked_for {
        return Ok(None);
    }
    let source = loaded.sources.add(file.name.clone(), &text);
    if text.trim().is_empty() {
        loaded.diagnostics.push(empty(&file.name, source));
        return Ok(None);
    }
    Ok(Some(whole_file(&loaded.sources, source, &file.name)))
}

/// What stands for a file that cannot be read and would configure something: whatever it says is not modelled.
fn lost(name: &str, text: &str, source: SourceId) -> Option<Input> {
    if let Some(Format::Markdown | Format::Specs) = frontend::detect(name, text) {
        return None;
    }
    let what = Spanned::new(text!("what `{name}` says", "`{name}` 파일의 내용"), Span::new(source, 0, 0));
    Some(Input { source, path: name.to_owned(), declarations: vec![Declaration::Unmodeled(what)] })
}

fn whole_file(sources: &Sources, source: SourceId, name: &str) -> File {
    let text = Arc::clone(&sources.get(source).text);
    File { source, path: name.to_owned(), whole: Arc::clone(&text), text }
}

/// Why a file could not be used.
enum Problem {
    Unreadable(String),
    TooLarge,
    Binary,
    Encoding(Foreign),
}

/// A text in another encoding than UTF-8, as far as it can be shown.
struct Foreign {
    text: String,
    /// The first place that is not UTF-8.
    at: usize,
    /// What it is, if that can be told.
    encoding: Option<&'static str>,
}

impl Foreign {
    /// UTF-16 begins with a mark, as Windows PowerShell writes it; of anything else the first wrong byte is known.
    fn read(bytes: &[u8]) -> Self {
        let units = |of: fn([u8; 2]) -> u16| {
            let pairs = bytes.get(2..).unwrap_or_default().chunks_exact(2);
            let units: Vec<u16> = pairs.filter_map(|pair| pair.try_into().ok().map(of)).collect();
            Self { text: String::from_utf16_lossy(&units), at: 0, encoding: Some("UTF-16") }
        };
        match bytes {
            [0xff, 0xfe, ..] => units(u16::from_le_bytes),
            [0xfe, 0xff, ..] => units(u16::from_be_bytes),
            _ => {
                let at = std::str::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to());
                Self { text: String::from_utf8_lossy(bytes).into_owned(), at, encoding: None }
            }
        }
    }

    fn diagnostic(&self, name: &str, source: SourceId) -> Diagnostic {
        let length = self.text.get(self.at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let place = Span::new(source, self.at, self.at + length);
        let (label, help) = match self.encoding {
            Some(encoding) => {
                let label = text!("the file is {encoding}", "파일의 인코딩이 {encoding}임");
                let help = text!(
                    "`iconv -f {encoding} -t UTF-8` translates it",
                    "`iconv -f {encoding} -t UTF-8`로 변환할 수 있습니다"
                );
                (label, help)
            }
            None => {
                let help = text!(
                    "save the file as UTF-8; `iconv -f CP949 -t UTF-8` translates one of a Korean Windows",
                    "파일을 UTF-8로 저장하십시오. 한국어 Windows에서 만든 파일은 `iconv -f CP949 -t UTF-8`로 변환할 수 있습니다"
                );
                (text!("this byte is not UTF-8", "이 바이트는 UTF-8이 아님"), help)
            }
        };
        Diagnostic::new(Code::InputBinary, not_utf8(name)).label(place, label).help(help)
    }
}

fn contents(path: &Path) -> Result<String, Problem> {
    let unreadable = |error: std::io::Error| Problem::Unreadable(error.to_string());
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Problem::Unreadable("not a file".to_owned()));
    }
    if SIZE_LIMIT < metadata.len() {
        return Err(Problem::TooLarge);
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|error| match error.as_bytes() {
        bytes if bytes.contains(&0) && !bytes.starts_with(&[0xff, 0xfe]) && !bytes.starts_with(&[0xfe, 0xff]) => {
            Problem::Binary
        }
        bytes => Problem::Encoding(Foreign::read(bytes)),
    });
    // `>` of Windows PowerShell writes UTF-16.
    let text = match text {
        Err(Problem::Encoding(foreign)) if foreign.encoding.is_some() && is_printed(path) => foreign.text,
        other => other?,
    };
    match text.contains('\0') {
        true => Err(Problem::Binary),
        false => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
    }
}

/// Whether a file may hold what a command printed.
fn is_printed(path: &Path) -> bool {
    path.file_name().is_some_and(|name| frontend::may_be_anything(&name.to_string_lossy()))
}

impl Problem {
    fn diagnostic(self, name: &str) -> Diagnostic {
        match self {
            Self::Unreadable(why) => {
                let why = why.to_lowercase();
                let message = text!("`{name}` cannot be read: {why}", "`{name}` 파일을 읽을 수 없습니다: {why}");
                let help = text!("check the permissions of the file", "파일의 권한을 확인하십시오");
                Diagnostic::new(Code::InputUnreadable, message).help(help)
            }
            Self::TooLarge => {
                let message = text!("`{name}` is larger than 4 MiB", "`{name}` 파일이 4 MiB보다 큽니다");
                let help = text!(
                    "no configuration file is that large; is it the right file?",
                    "설정 파일이 이렇게 클 수는 없습니다. 맞는 파일입니까?"
                );
                Diagnostic::new(Code::InputUnreadable, message).help(help)
            }
            Self::Binary | Self::Encoding(_) => Diagnostic::new(Code::InputBinary, not_utf8(name)).help(save_as_utf8()),
        }
    }
}

fn not_utf8(name: &str) -> Text {
    text!("`{name}` is not a UTF-8 text", "`{name}` 파일은 UTF-8 텍스트가 아닙니다")
}

fn save_as_utf8() -> Text {
    text!("save the file as UTF-8", "파일을 UTF-8로 저장하십시오")
}

/// The name of the directory that the tool was pointed at.
fn root_name(path: &Path) -> String {
    let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = if full.is_dir() { Some(full.as_path()) } else { full.parent() };
    directory.map(last_part).unwrap_or_default()
}

impl Disk<'_> {
    fn open(&mut self, name: &str) -> Option<File> {
        if let Some(opened) = self.opened.get(name) {
            return opened.clone();
        }
        let place = self.root.join(name);
        let text = self.replaced.get(name).cloned().or_else(|| match contents(&place) {
            Ok(text) => Some(text),
            Err(problem) => {
                self.diagnostics.extend(place.is_file().then(|| problem.diagnostic(name)));
                None
            }
        });
        self.files.insert(name.to_owned(), place);
        let file = text.map(|text| {
            let source = self.sources.add(name, &text);
            whole_file(self.sources, source, name)
        });
        self.opened.insert(name.to_owned(), file.clone());
        file
    }
}

/// The files that are not pages are one lab.
fn directory(loaded: &mut Loaded, paths: &[PathBuf], files: &[File], listed: &[String], replaced: &Replacements) {
    let folder = paths.first().map(|p| root_name(p)).unwrap_or_default();
    let root = root_of(paths);
    let opened = files.iter().map(|file| (file.path.clone(), Some(file.clone()))).collect();
    let (sources, places) = (&mut loaded.sources, &mut loaded.files);
    let mut disk = Disk { root: &root, sources, files: places, replaced, opened, diagnostics: Vec::new() };
    let read = read_lab(&LabTexts { files, folder: &folder, listed }, &mut |path| disk.open(path));
    loaded.diagnostics.append(&mut disk.diagnostics);
    loaded.diagnostics.extend(read.diagnostics);
    loaded.labs.push(LabFiles { title: None, inputs: read.value });
}

/// The directory that names of files start from.
fn root_of(paths: &[PathBuf]) -> PathBuf {
    match paths {
        [path] if path.is_dir() => path.clone(),
        [path] => path.parent().map(Path::to_owned).unwrap_or_default(),
        _ => PathBuf::new(),
    }
}

/// A page with files is a lab of its own, or several, which are not mixed with the files of a directory.
fn page(loaded: &mut Loaded, page: &File, asked_for: bool) {
    let labs = markdown::split(page.source, &page.text);
    if labs.iter().any(|lab| !lab.files.is_empty()) && !asked_for {
        loaded.diagnostics.push(lab_of_its_own(&page.path, page.source));
        return;
    }
    let only_one = labs.len() == 1;
    for (index, lab) in labs.into_iter().enumerate() {
        let title = lab.heading.as_ref().map(|heading| heading.value.clone()).filter(|_| !only_one);
        let inputs = page_lab(loaded, page, lab);
        match loaded.labs.first_mut().filter(|_| index == 0) {
            Some(first) => {
                first.title = title;
                first.inputs.extend(inputs);
            }
            None => loaded.labs.push(LabFiles { title, inputs }),
        }
    }
}

fn page_lab(loaded: &mut Loaded, page: &File, lab: PageLab) -> Vec<Input> {
    let read = frontend::read_page_lab(page, &lab);
    loaded.diagnostics.extend(read.diagnostics);
    let mut inputs = read.value;
    let declarations = lab.sentences.into_iter().map(|s| Declaration::Sentence(s.sentence.into())).collect();
    inputs.push(Input { source: page.source, path: page.path.clone(), declarations });
    inputs
}

fn empty(name: &str, source: SourceId) -> Diagnostic {
    let label = text!("nothing is written here", "아무것도 적혀 있지 않음");
    let help = text!(
        "remove the file, or check that it was saved where you meant it",
        "파일을 지우거나, 저장한 곳이 맞는지 확인하십시오"
    );
    Diagnostic::new(Code::InputEmpty, text!("`{name}` is empty", "`{name}` 파일이 비어 있습니다"))
        .label(Span::new(source, 0, 0), label)
        .help(help)
}

fn lab_of_its_own(name: &str, source: SourceId) -> Diagnostic {
    let message =
        text!("`{name}` holds files and is a lab of its own", "`{name}`: 파일을 담고 있어 그 자체로 하나의 랩입니다");
    let label = text!("not analyzed with the rest", "나머지와 함께 분석하지 않음");
    let diagnostic = Diagnostic::new(Code::InputUnused, message).label(Span::new(source, 0, 0), label);
    let help = text!("name the page itself to check it", "검사하려면 이 페이지를 직접 지정하십시오");
    Diagnostic { severity: Severity::Advice, ..diagnostic.help(help) }
}

#[cfg(test)]
mod tests;
