//! `canreach check`: every sentence of a lab.

use crate::check;
use crate::dataplane::dump as dataplane_dump;
use crate::lab::dump as lab_dump;
use crate::report::{Report, json, terminal as rendering};
use crate::source::{Sources, Spanned};

use super::args::{CheckArguments, Emit, Format};
use super::model::{self, Model};
use super::{Exit, terminal};

pub(super) fn run(arguments: &CheckArguments, format: Format) -> Exit {
    let Some(model) = model::build(&arguments.paths) else { return Exit::Unusable };
    match arguments.emit {
        Some(stage) => emit(&model, stage),
        None => {
            let sentences = model.lab.sentences.clone();
            decide(model, &sentences, format)
        }
    }
}

/// Decides sentences and prints the report.
pub(super) fn decide(model: Model, sentences: &[Spanned<String>], format: Format) -> Exit {
    let (judgements, about_sentences) = check::check_all(&model.lab, &model.dataplane, sentences);
    let Model { sources, dataplane, mut diagnostics, .. } = model;
    diagnostics.extend(about_sentences);
    let report = Report { judgements, diagnostics, dataplane };
    terminal::print(&rendered(&report, &sources, format));
    Exit::of(&report)
}

fn rendered(report: &Report, sources: &Sources, format: Format) -> String {
    match format {
        Format::Human => rendering::render(report, sources, terminal::style()),
        Format::Json => json::report(report, sources),
    }
}

fn emit(model: &Model, stage: Emit) -> Exit {
    model.complain_about_files();
    let Model { lab, dataplane, sources, .. } = model;
    let smt2 = || lab.sentences.iter().map(|sentence| check::emit_smt2(lab, dataplane, sentence)).collect();
    terminal::print(&match stage {
        Emit::Lab => lab_dump::dump(lab, sources),
        Emit::Dataplane => dataplane_dump::dump(dataplane),
        Emit::Smt2 => smt2(),
    });
    Exit::Holds
}
