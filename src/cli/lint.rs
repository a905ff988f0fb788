//! `canreach lint`: what looks wrong although no sentence asks.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::{self, allow};
use crate::report::Asked;

use super::args::{Format, LintArguments};
use super::model::{self, Model};
use super::{Exit, reports, terminal};

/// Labs are linted one after the other.
pub(super) fn run(arguments: &LintArguments, format: Format) -> Exit {
    let Some(models) = model::build_all(&arguments.paths) else { return Exit::Unusable };
    let mut exit = Exit::Holds;
    let mut sections = Vec::new();
    for model in models {
        let found = diagnostics(&model);
        exit = exit.or(ending(&found));
        sections.push(model.section(Vec::new(), found, format));
    }
    reports::print(&sections, format, Asked::Lints);
    exit
}

fn ending(found: &[Diagnostic]) -> Exit {
    match found.iter().map(|d| d.severity).min() {
        Some(Severity::Error) => Exit::Unusable,
        Some(Severity::Warning) => Exit::Violated,
        Some(Severity::Advice) | None => Exit::Holds,
    }
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
