//! `canreach report`: everything about a lab as one HTML page.

use std::slice;

use crate::check::{self, CheckError};
use crate::report::html::{self, Page};
use crate::report::{Report, picture};

use super::args::ReportArguments;
use super::exposure::contradiction;
use super::graph::{title, write};
use super::model::{self, Model};
use super::{Exit, lint, terminal};

pub(super) fn run(arguments: &ReportArguments) -> Exit {
    let Some(model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    match page(model, &title(&arguments.lab)) {
        Ok(page) => write(&page, arguments.output.as_deref()),
        Err(error) => contradiction(&error),
    }
}

fn page(model: Model, title: &str) -> Result<String, CheckError> {
    let mut diagnostics = lint::diagnostics(&model);
    let checked = check::check_all(&model.lab, &model.dataplane, &model.sources, &model.lab.sentences)?;
    diagnostics.extend(checked.diagnostics);
    let exposure = check::exposure(&model.lab, &model.dataplane)?;
    let picture = picture::picture(&model.lab, &model.dataplane, terminal::language());
    let attempt = |judgement| check::attempt(&model.lab, &model.dataplane, &model.sources, judgement);
    let attempts = checked.judgements.iter().map(attempt).collect::<Result<Vec<_>, _>>()?;
    let Model { sources, dataplane, .. } = model;
    let report = Report { judgements: checked.judgements, diagnostics, dataplane };
    Ok(html::page(&Page {
        title,
        report: &report,
        sources: &sources,
        picture: &picture,
        attempts: &attempts,
        exposure: &exposure,
        language: terminal::language(),
    }))
}
