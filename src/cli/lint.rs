//! `canreach lint`: what looks wrong although no sentence asks.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::{self, allow};
use crate::report::{Report, json, terminal as rendering};

use super::args::{Format, LintArguments};
use super::model::{self, Model};
use super::{Exit, terminal};

/// Labs are linted one after the other.
pub(super) fn run(arguments: &LintArguments, format: Format) -> Exit {
    let Some(models) = model::build_all(&arguments.paths) else { return Exit::Unusable };
    let several = models.len() > 1;
    let mut reports = Vec::new();
    let mut exit = Exit::Holds;
    for model in models {
        let title = model.title.clone().unwrap_or_default();
        let (its_exit, text) = one(model, format);
        exit = exit.or(its_exit);
        match format {
            Format::Json if several => reports.push((title, text)),
            _ if !title.is_empty() => terminal::print(&format!("\n## {title}\n\n{text}")),
            _ => terminal::print(&text),
        }
    }
    if !reports.is_empty() {
        terminal::print(&json::labs(&reports));
    }
    exit
}

fn one(model: Model, format: Format) -> (Exit, String) {
    let diagnostics = diagnostics(&model);
    let exit = match diagnostics.iter().map(|d| d.severity).min() {
        Some(Severity::Error) => Exit::Unusable,
        Some(Severity::Warning) => Exit::Violated,
        Some(Severity::Advice) | None => Exit::Holds,
    };
    let Model { sources, dataplane, .. } = model;
    let report = Report { judgements: Vec::new(), diagnostics, dataplane };
    let text = match format {
        Format::Human | Format::Csv => rendering::lints(&report, &sources, terminal::style()),
        Format::Json => json::report(&report, &sources),
    };
    (exit, text)
}

/// What is wrong with the files, without looking any further.
pub(super) fn about_files(model: &Model) -> Vec<Diagnostic> {
    let mut left = allow::apply(model.diagnostics.clone(), &model.sources);
    left.retain(|d| !matches!(d.code, Code::AllowUnused | Code::AllowBad));
    left
}

/// What is wrong with the files, and what the lints find.
pub(super) fn diagnostics(model: &Model) -> Vec<Diagnostic> {
    let mut progress = terminal::Progress::default();
    let found = lint::lint(&model.lab, &model.dataplane, &mut |done, total| progress.show(done, total));
    progress.clear();
    let mut left = allow::apply(model.diagnostics.iter().cloned().chain(found).collect(), &model.sources);
    // A page with several labs: a comment of one of them is no matter of the others.
    let is_one_of_several = model.title.is_some();
    left.retain(|d| !is_one_of_several || d.code != Code::AllowUnused);
    left
}
