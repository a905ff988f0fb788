//! What several tests share: a lab from texts, through the same front-ends as a user's files.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process};

use canreach::frontend::{self, Environment};
use canreach::lab::{Input, Lab, resolve};
use canreach::source::Sources;
use canreach::{dataplane, lower};
use serde_json::Value;

/// Reads and resolves texts; their names decide their formats.
pub(crate) fn lab_of(files: &[(&str, &str)]) -> Lab {
    sources_and_lab_of(files).1
}

/// The same, with the texts that places in the lab point into.
pub(crate) fn sources_and_lab_of(files: &[(&str, &str)]) -> (Sources, Lab) {
    let mut sources = Sources::default();
    let mut inputs = Vec::new();
    for (path, text) in files {
        let source = sources.add(*path, text);
        let format = frontend::detect(path, text).unwrap_or_else(|| panic!("no format for {path}"));
        let read = frontend::read(format, source, path, text, &Environment::default());
        inputs.push(Input { source, path: (*path).to_owned(), declarations: read.value });
    }
    (sources, resolve(&inputs).value)
}

/// The dataplane of texts, without the places that its elements come from.
pub(crate) fn plane_of(files: &[(&str, &str)]) -> String {
    let dump = dataplane::dump::dump(&lower::lower(&lab_of(files)));
    let lines = dump.lines().map(|line| line.split("  # ").next().unwrap().trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

/// Two texts are one; if not, the lines that differ are shown.
pub(crate) fn same_lines(expected: &str, found: &str) {
    let only =
        |a: &str, b: &str| a.lines().filter(|line| !b.lines().any(|l| l == *line)).collect::<Vec<_>>().join("\n");
    assert!(expected == found, "missing:\n{}\n\nadded:\n{}\n", only(expected, found), only(found, expected));
}

/// A directory of its own for one test, gone afterwards.
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// With these files in it.
    pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("canreach-test-{}-{number}", process::id()));
        for (name, content) in files {
            let file = path.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether a document passes a JSON schema.
pub(crate) fn is_valid(schema: &Value, document: &Value) -> bool {
    jsonschema::is_valid(schema, document)
}

/// Holds a document against a JSON schema.
pub(crate) fn valid(schema: &Value, document: &Value, what: &str) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors = validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path()));
    let errors: Vec<String> = errors.collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}
