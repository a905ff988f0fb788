//! `canreach exposure`: who can reach what.

use std::slice;

use crate::check::{self, CheckError};
use crate::report::exposure as rendering;

use super::args::{ExposureArguments, Format};
use super::{Exit, model, terminal};

pub(super) fn run(arguments: &ExposureArguments, format: Format) -> Exit {
    let Some(model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    model.complain_about_files();
    let exposure = match check::exposure(&model.lab, &model.dataplane) {
        Ok(exposure) => exposure,
        Err(error) => return contradiction(&error),
    };
    terminal::print(&match format {
        Format::Csv => rendering::csv(&exposure),
        Format::Json => rendering::json(&exposure, &model.sources),
        _ => rendering::table(&exposure, terminal::style()),
    });
    Exit::Holds
}

/// The two engines disagree.
pub(super) fn contradiction(error: &CheckError) -> Exit {
    terminal::complain_of_bug(error.to_string());
    Exit::Internal
}
