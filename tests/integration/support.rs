//! What several tests share: a lab from texts, through the same front-ends as a user's files.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process};

use canreach::frontend::{self, Environment};
use canreach::lab::{Input, Lab, resolve};
use canreach::source::Sources;
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

/// Holds a document against a JSON schema.
pub(crate) fn valid(schema: &Value, document: &Value, what: &str) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors = validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path()));
    let errors: Vec<String> = errors.collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}
