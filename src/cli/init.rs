//! `canreach init`: a first lab.yaml.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::slice;

use crate::language::text;
use crate::report::draft;

use super::args::InitArguments;
use super::{Exit, model, overview, terminal};

/// Writes a lab.yaml beside the files that it is about, never over one that is there.
pub(super) fn run(arguments: &InitArguments) -> Exit {
    let Some(model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    model.complain_about_files();
    let sentences: Vec<String> = overview::example(&model.lab).into_iter().collect();
    let text = draft::lab_file(&model.lab, &model.sources, &sentences, terminal::language());
    if arguments.print {
        terminal::print(&text);
        return Exit::Holds;
    }
    let place = place(&arguments.lab);
    match write_new(&place, &text) {
        Ok(()) => {
            let written = text!(
                "written to {place}; read it before you trust it",
                "{place}에 썼습니다. 믿고 쓰기 전에 읽어 보십시오",
                place = place.display()
            );
            terminal::print(&format!("{text}\n{}\n", terminal::style().say(&written)));
            Exit::Holds
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let place = place.display();
            terminal::complain(text!(
                "`{place}` is there already; `canreach init --print` shows a draft",
                "`{place}` 파일이 이미 있습니다. `canreach init --print`로 초안을 볼 수 있습니다"
            ));
            Exit::Unusable
        }
        Err(error) => {
            terminal::cannot_write(&place, &error);
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
