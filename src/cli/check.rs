//! `canreach check`: every sentence of a lab.

use std::path::PathBuf;

use crate::check::{self, Answer, Blocker, Checked, Judgement};
use crate::dataplane::dump as dataplane_dump;
use crate::diagnostic::Diagnostic;
use crate::lab::{Statement, dump as lab_dump};
use crate::report::{Report, json, terminal as rendering};
use crate::source::Sources;

use super::args::{CheckArguments, Emit, Format};
use super::exposure::contradiction;
use super::model::{self, Model};
use super::{Exit, fix, lint, matrix, overview, terminal};

/// Checks every lab; reports follow one another.
pub(super) fn run(arguments: &CheckArguments, format: Format) -> Exit {
    if arguments.matrix {
        return matrix::run(&arguments.paths, format);
    }
    let Some(models) = model::build_all(&arguments.paths) else { return Exit::Unusable };
    let several = models.len() > 1;
    let mut reports = Vec::new();
    let one = |model: Model| match arguments.emit {
        Some(stage) => emit(&model, stage),
        None => {
            let sentences = model.lab.sentences.clone();
            let title = model.title.clone().unwrap_or_default();
            let found = lint::diagnostics(&model);
            let is_first_look = sentences.is_empty() && format == Format::Human;
            let overview = if is_first_look { overview::of(&model) } else { String::new() };
            let files = if several { &[] } else { arguments.paths.as_slice() };
            let (exit, report) = judged(model, found, &sentences, (arguments.strict, format), files);
            let report = report + &overview;
            match format {
                Format::Json if several => reports.push((title, report)),
                Format::Human | Format::Csv if !title.is_empty() => {
                    terminal::print(&format!("\n## {title}\n\n{report}"))
                }
                Format::Json | Format::Human | Format::Csv => terminal::print(&report),
            }
            exit
        }
    };
    let exit = models.into_iter().map(one).fold(Exit::Holds, Exit::or);
    if !reports.is_empty() {
        terminal::print(&json::labs(&reports));
    }
    exit
}

/// Decides sentences and prints the report.
pub(super) fn decide(model: Model, sentences: &[Statement], format: Format) -> Exit {
    let found = lint::about_files(&model);
    let (exit, report) = judged(model, found, sentences, (false, format), &[]);
    terminal::print(&report);
    exit
}

/// Decides sentences; `found` is what is to be said about the files. Ways out are tried on the files of `paths`.
fn judged(
    model: Model,
    found: Vec<Diagnostic>,
    sentences: &[Statement],
    (is_strict, format): (bool, Format),
    paths: &[PathBuf],
) -> (Exit, String) {
    let tried = |mut checked: Checked| {
        if !paths.is_empty() {
            fix::keep_tried(paths, &model, &mut checked.judgements)?;
        }
        Ok(checked)
    };
    let checked = match check::check_all(&model.lab, &model.dataplane, &model.sources, sentences).and_then(tried) {
        Ok(checked) if is_strict => checked.strictly(),
        Ok(checked) => checked,
        Err(error) => return (contradiction(&error), String::new()),
    };
    let mut diagnostics = found;
    diagnostics.retain(|diagnostic| !checked.judgements.iter().any(|judgement| explains(judgement, diagnostic)));
    diagnostics.extend(checked.diagnostics);
    let Model { sources, dataplane, .. } = model;
    let report = Report { judgements: checked.judgements, diagnostics, dataplane };
    (Exit::of(&report), rendered(&report, &sources, format))
}

/// Whether a verdict says what a lint says.
fn explains(judgement: &Judgement, diagnostic: &Diagnostic) -> bool {
    let is_same = |blocker: &Blocker| {
        let span = blocker.origin.span();
        blocker.code == diagnostic.code && diagnostic.labels.iter().any(|label| Some(label.span) == span)
    };
    judgement.verdict.answer == Answer::Violated && judgement.verdict.blockers.iter().any(is_same)
}

fn rendered(report: &Report, sources: &Sources, format: Format) -> String {
    match format {
        Format::Human | Format::Csv => rendering::render(report, sources, terminal::style()),
        Format::Json => json::report(report, sources),
    }
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
