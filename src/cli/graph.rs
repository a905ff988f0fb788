//! `canreach graph`: a lab as a picture, with the way of a sentence in it.

use std::fs;
use std::path::Path;
use std::slice;

use crate::check;
use crate::language::text;
use crate::report::mermaid;
use crate::report::picture::svg::{self, Shown};
use crate::report::picture::{self, Picture, dot};
use crate::report::terminal as rendering;
use crate::source::{Span, Spanned};

use super::args::{GraphArguments, Language};
use super::exposure::contradiction;
use super::model::{self, Model};
use super::{Exit, terminal};

pub(super) fn run(arguments: &GraphArguments) -> Exit {
    let Some(mut model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    model.complain_about_files();
    let picture = picture::picture(&model.lab, &model.dataplane, terminal::language());
    let shown = match &arguments.sentence {
        Some(sentence) => match shown(&mut model, &picture, sentence) {
            Ok(shown) => shown,
            Err(exit) => return exit,
        },
        None => None,
    };
    let title = title(&arguments.lab);
    let way = shown.as_ref().map(|shown| &shown.way);
    let text = match arguments.language {
        Language::Svg => svg::document(&picture, &title, shown.as_ref()),
        Language::Mermaid => mermaid::lab::document(&picture, &title, way),
        Language::Dot => dot::document(&picture, &title, way),
    };
    write(&text, arguments.output.as_deref())
}

/// The way of a sentence; complains where there is none.
fn shown(model: &mut Model, picture: &Picture, text: &str) -> Result<Option<Shown>, Exit> {
    let source = model.sources.add("(question)", text);
    let sentence = Spanned::new(text.to_owned(), Span::new(source, 0, text.len()));
    let Model { lab, dataplane, sources, .. } = model;
    let checked = check::check_all(lab, dataplane, sources, &[sentence.into()]).map_err(|e| contradiction(&e))?;
    let Some(judgement) = checked.judgements.first() else {
        let text = rendering::render_diagnostics(&checked.diagnostics, sources, terminal::style());
        terminal::print_aside(&text);
        return Err(Exit::Unusable);
    };
    let attempt = check::attempt(lab, dataplane, sources, judgement).map_err(|error| contradiction(&error))?;
    let way = attempt.and_then(|attempt| picture::way(picture, dataplane, &attempt.witness, terminal::language()));
    if way.is_none() {
        terminal::complain(text!(
            "this sentence has no connection that could be drawn",
            "이 문장에는 그릴 수 있는 연결이 없습니다"
        ));
    }
    Ok(way.map(|way| Shown::of(judgement, way, terminal::language())))
}

/// What a lab is called: its directory, also where that is only `.`.
pub(super) fn title(lab: &Path) -> String {
    let name = lab.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    name.unwrap_or_else(|| lab.display().to_string())
}

/// Writes to a file, or prints.
pub(super) fn write(text: &str, output: Option<&Path>) -> Exit {
    let Some(path) = output else {
        terminal::print(text);
        return Exit::Holds;
    };
    match fs::write(path, text) {
        Ok(()) => Exit::Holds,
        Err(error) => {
            terminal::cannot_write(path, &error);
            Exit::Unusable
        }
    }
}
