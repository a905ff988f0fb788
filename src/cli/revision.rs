//! A lab as it is in a revision of a git repository: its files, brought into a directory of their own.

use std::env;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicUsize, Ordering};

use thiserror::Error;

use crate::frontend;
use crate::language::Text;

/// Why a revision cannot be read.
#[derive(Debug, Error)]
pub(super) enum RevisionError {
    /// git says no.
    #[error("git cannot read `{revision}`: {message}")]
    Git { revision: String, message: String },
    /// The files cannot be put anywhere.
    #[error("cannot write the files of `{revision}`: {source}")]
    Write { revision: String, source: io::Error },
}

impl RevisionError {
    /// What is said to the person who named the revision.
    pub(super) fn said(&self) -> Text {
        let korean = match self {
            Self::Git { revision, message } => format!("git이 `{revision}` 리비전을 읽을 수 없습니다: {message}"),
            Self::Write { revision, source } => format!("`{revision}` 리비전의 파일을 쓸 수 없습니다: {source}"),
        };
        Text::new(self.to_string(), korean)
    }
}

/// A lab on disk: a directory of the user's, or one that disappears with this value.
pub(super) enum Place {
    Given(PathBuf),
    Temporary { root: PathBuf, lab: PathBuf },
}

impl Place {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Temporary { lab, .. } => lab,
        }
    }

    /// A path, or `git:REV` for the current directory, or `git:REV:DIRECTORY`.
    pub(super) fn named(text: &str) -> Result<Self, RevisionError> {
        match text.strip_prefix("git:") {
            Some(rest) => {
                let (revision, directory) = rest.split_once(':').unwrap_or((rest, "."));
                checked_out(revision, Path::new(directory))
            }
            None => Ok(Self::Given(PathBuf::from(text))),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Temporary { root, .. } = self {
            let _ = fs::remove_dir_all(root);
        }
    }
}

fn checked_out(revision: &str, directory: &Path) -> Result<Place, RevisionError> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let failed = |source| RevisionError::Write { revision: revision.to_owned(), source };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let root = env::temp_dir().join(format!("canreach-{}-{number}", process::id()));
    // Compose names a project after its directory.
    let full = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    let lab = root.join(full.file_name().unwrap_or_default());
    // Fails if somebody else has put something there; private, as the files may be.
    fs::create_dir(&root).map_err(failed)?;
    let place = Place::Temporary { root, lab: lab.clone() };
    fs::create_dir_all(&lab).map_err(failed)?;
    let listed = git(revision, directory, &["ls-tree", "-r", "-z", revision])?;
    for entry in listed.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        let Some((object, name)) = blob(&entry) else { continue };
        let content = git(revision, directory, &["cat-file", "blob", object])?;
        let file = lab.join(name);
        fs::create_dir_all(file.parent().unwrap_or(&lab)).and_then(|()| fs::write(&file, content)).map_err(failed)?;
    }
    Ok(place)
}

/// `MODE TYPE OBJECT<tab>NAME` of a plain file that could be part of a lab. Links are left out: they may lead anywhere.
fn blob(entry: &str) -> Option<(&str, &str)> {
    let (about, name) = entry.split_once('\t')?;
    let mut words = about.split(' ');
    let (mode, object) = (words.next()?, words.nth(1)?);
    let is_inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    // Files that others name are called as anybody likes, but end like this.
    let is_named = [".env", ".yaml", ".yml", ".json", ".conf"].iter().any(|end| name.ends_with(end));
    let is_wanted = is_named || frontend::is_candidate(name);
    (mode.starts_with("100") && is_inside && is_wanted).then_some((object, name))
}

fn git(revision: &str, directory: &Path, arguments: &[&str]) -> Result<Vec<u8>, RevisionError> {
    let failed = |message: String| RevisionError::Git { revision: revision.to_owned(), message };
    if revision.starts_with('-') || revision.is_empty() {
        return Err(failed("this is no revision".to_owned()));
    }
    let output = Command::new("git").arg("-C").arg(directory).args(arguments).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_files_of_a_lab_are_taken() {
        let check = |entry, expected| assert_eq!(blob(entry), expected, "{entry}");
        check("100644 blob abc\tlab/compose.yaml", Some(("abc", "lab/compose.yaml")));
        check("100755 blob abc\tsetup.sh", Some(("abc", "setup.sh")));
        check("100644 blob abc\tlab/.env", Some(("abc", "lab/.env")));
        check("120000 blob abc\tsetup.sh", None);
        check("160000 commit abc\tsub", None);
        check("100644 blob abc\t../setup.sh", None);
        check("100644 blob abc\tphoto.png", None);
        check("", None);
    }
}
