//! `canreach check`: every sentence of a lab.

use std::path::PathBuf;

use crate::check::{self, Answer, Blocker, CheckError, Judgement};
use crate::dataplane::dump as dataplane_dump;
use crate::diagnostic::Diagnostic;
use crate::lab::{Statement, dump as lab_dump};
use crate::report::{Asked, Section, terminal as rendering};

use super::args::{CheckArguments, Emit, Format};
use super::exposure::contradiction;
use super::model::{self, Model};
use super::{Exit, fix, lint, matrix, overview, reports, terminal, watch};

pub(super) fn run(arguments: &CheckArguments, format: Format) -> Exit {
    if arguments.watch {
        return watch::run(&arguments.paths, || once(arguments, format));
    }
    once(arguments, format)
}

/// Checks every lab; reports follow one another.
fn once(arguments: &CheckArguments, format: Format) -> Exit {
    if arguments.matrix {
        return matrix::run(&arguments.paths, format);
    }
    let Some(models) = model::build_all(&arguments.paths) else { return Exit::Unusable };
    if let Some(stage) = arguments.emit {
        return models.iter().map(|model| emit(model, stage)).fold(Exit::Holds, Exit::or);
    }
    let mut exit = Exit::Holds;
    let mut sections = Vec::new();
    let files = if models.len() == 1 { arguments.paths.as_slice() } else { &[] };
    for model in models {
        let sentences = model.lab.sentences.clone();
        let found = lint::diagnostics(&model);
        let is_first_look = |shown| sentences.is_empty() && format == shown;
        let overview = if is_first_look(Format::Human) { overview::of(&model, files) } else { String::new() };
        let exposure = if is_first_look(Format::Markdown) { overview::exposure(&model) } else { None };
        match judged(model, found, &sentences, (arguments.strict, format), files) {
            Ok(section) => {
                let section = Section { exposure, ..section };
                exit = exit.or(Exit::of(&section.report));
                sections.push(section);
            }
            Err(error) => exit = exit.or(contradiction(&error)),
        }
        if format == Format::Human {
            reports::print(&sections, format, Asked::Sentences);
            terminal::print(&overview);
            sections.clear();
        }
    }
    if format != Format::Human {
        reports::print(&sections, format, Asked::Sentences);
    }
    exit
}

/// Decides sentences and prints the report.
pub(super) fn decide(model: Model, sentences: &[Statement], format: Format) -> Exit {
    let found = lint::about_files(&model);
    match judged(model, found, sentences, (false, format), &[]) {
        Ok(section) => {
            let exit = Exit::of(&section.report);
            reports::print(&[section], format, Asked::Sentences);
            exit
        }
        Err(error) => contradiction(&error),
    }
}

/// Decides sentences; `found` is what is to be said about the files. Ways out are tried on the files of `paths`.
pub(super) fn judged(
    model: Model,
    found: Vec<Diagnostic>,
    sentences: &[Statement],
    (is_strict, format): (bool, Format),
    paths: &[PathBuf],
) -> Result<Section, CheckError> {
    let mut checked = check::check_all(&model.lab, &model.dataplane, &model.sources, sentences)?;
    if !paths.is_empty() {
        fix::keep_tried(paths, &model, &mut checked.judgements)?;
    }
    let checked = if is_strict { checked.strictly() } else { checked };
    let mut diagnostics = found;
    diagnostics.retain(|diagnostic| !checked.judgements.iter().any(|judgement| explains(judgement, diagnostic)));
    diagnostics.extend(checked.diagnostics);
    Ok(model.section(checked.judgements, diagnostics, format))
}

/// Whether a verdict says what a lint says.
fn explains(judgement: &Judgement, diagnostic: &Diagnostic) -> bool {
    let is_same = |blocker: &Blocker| {
        let span = blocker.origin.span();
        blocker.code == diagnostic.code && diagnostic.labels.iter().any(|label| Some(label.span) == span)
    };
    judgement.verdict.answer == Answer::Violated && judgement.verdict.blockers.iter().any(is_same)
}

fn emit(model: &Model, stage: Emit) -> Exit {
    model.complain_about_files();
    match stage {
        Emit::Lab => terminal::print(&lab_dump::dump(&model.lab, &model.sources)),
        Emit::Dataplane => terminal::print(&dataplane_dump::dump(&model.dataplane)),
        Emit::Smt2 => return emit_smt2(model),
    }
    Exit::Holds
}

fn emit_smt2(model: &Model) -> Exit {
    let mut exit = Exit::Holds;
    for sentence in &model.lab.sentences {
        match check::smt2(&model.lab, &model.dataplane, &model.sources, &sentence.sentence) {
            Ok(questions) => terminal::print(&questions),
            Err(diagnostic) => {
                let text = rendering::render_diagnostics(&[*diagnostic], &model.sources, terminal::style());
                terminal::print_aside(&text);
                exit = Exit::Unusable;
            }
        }
    }
    exit
}
