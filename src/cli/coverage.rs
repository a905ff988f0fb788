//! `canreach coverage`: what the sentences of a lab leave open.

use std::slice;

use crate::check;
use crate::report::coverage as rendering;

use super::args::{CoverageArguments, Format};
use super::exposure::contradiction;
use super::{Exit, model, terminal};

pub(super) fn run(arguments: &CoverageArguments, format: Format) -> Exit {
    let Some(model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    model.complain_about_files();
    let coverage = match check::coverage(&model.lab, &model.dataplane, &model.sources) {
        Ok(coverage) => coverage,
        Err(error) => return contradiction(&error),
    };
    terminal::print(&match (arguments.lcov, format) {
        (true, _) => rendering::lcov(&coverage, &model.sources),
        (false, Format::Json) => rendering::json(&coverage, &model.sources),
        (false, _) => rendering::render(&coverage, &model.sources, terminal::style()),
    });
    Exit::Holds
}
