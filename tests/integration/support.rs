//! What several tests share: a lab from texts, through the same front-ends as a user's files.

use canreach::frontend::{self, Environment};
use canreach::lab::{Input, Lab, resolve};
use canreach::source::Sources;

/// Reads and resolves texts; their names decide their formats.
pub(crate) fn lab_of(files: &[(&str, &str)]) -> Lab {
    let mut sources = Sources::default();
    let mut inputs = Vec::new();
    for (path, text) in files {
        let source = sources.add(*path, text);
        let format = frontend::detect(path, text).unwrap_or_else(|| panic!("no format for {path}"));
        let read = frontend::read(format, source, path, text, &Environment::default());
        inputs.push(Input { source, path: (*path).to_owned(), declarations: read.value });
    }
    resolve(&inputs).value
}
