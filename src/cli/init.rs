//! `canreach init`: a first lab.yaml.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::slice;

use crate::report::draft;

use super::args::InitArguments;
use super::{Exit, model, overview, terminal};

/// Writes a lab.yaml beside the files that it is about, never over one that is there.
pub(super) fn run(arguments: &InitArguments) -> Exit {
    let Some(model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    model.complain_about_files();
    let sentences: Vec<String> = overview::example(&model.lab).into_iter().collect();
    let text = draft::lab_file(&model.lab, &model.sources, &sentences);
    if arguments.print {
        terminal::print(&text);
        return Exit::Holds;
    }
    let place = place(&arguments.lab);
    match write_new(&place, &text) {
        Ok(()) => {
            terminal::print(&format!("{text}\nwritten to {}; read it before you trust it\n", place.display()));
            Exit::Holds
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let place = place.display();
            terminal::complain(&format!("`{place}` is there already; `canreach init --print` shows a draft"));
            Exit::Unusable
        }
        Err(error) => {
            terminal::complain(&format!("cannot write `{}`: {error}", place.display()));
            Exit::Unusable
        }
    }
}

fn place(lab: &Path) -> PathBuf {
    let directory = if lab.is_dir() { Some(lab) } else { lab.parent() };
    directory.map_or_else(|| PathBuf::from("lab.yaml"), |directory| directory.join("lab.yaml"))
}

fn write_new(place: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    fs::OpenOptions::new().write(true).create_new(true).open(place)?.write_all(text.as_bytes())
}
