//! `canreach check --matrix`: every sentence under other releases and settings.

use std::path::PathBuf;

use crate::check::{self, Answer, Matrix};
use crate::diagnostic::{Diagnostic, Severity};
use crate::report::{matrix as rendering, terminal as messages};

use super::args::Format;
use super::exposure::contradiction;
use super::{Exit, model, terminal};

/// Shows what the answers hang on, lab by lab. What is wrong with files and sentences goes to standard error.
pub(super) fn run(paths: &[PathBuf], format: Format) -> Exit {
    let Some(loaded) = model::load(paths) else { return Exit::Unusable };
    let complain = |diagnostics: &[Diagnostic]| {
        let errors: Vec<_> = diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        terminal::print_aside(&messages::render_diagnostics(&errors, &loaded.sources, terminal::style()));
        if errors.is_empty() { Exit::Holds } else { Exit::Unusable }
    };
    let mut exit = complain(&loaded.diagnostics);
    for files in &loaded.labs {
        let matrix = match check::matrix(&files.inputs, &loaded.sources) {
            Ok(matrix) => matrix,
            Err(error) => return contradiction(&error),
        };
        exit = exit.or(complain(&matrix.diagnostics)).or(of(&matrix));
        let title = files.title.as_ref().map_or(String::new(), |title| format!("\n## {title}\n\n"));
        terminal::print(&match format {
            Format::Json => rendering::json(&matrix),
            _ => title + &rendering::render(&matrix, terminal::style()),
        });
    }
    exit
}

/// A sentence has to hold whatever is assumed.
fn of(matrix: &Matrix) -> Exit {
    let has = |answer| {
        let insisted = matrix.rows.iter().filter(|row| !row.statement.is_wish);
        insisted.flat_map(|row| &row.cells).any(|cell| cell.answer == answer)
    };
    match matrix.rows.is_empty() {
        true => Exit::Unusable,
        false if has(Answer::Violated) => Exit::Violated,
        false if has(Answer::Undecided) => Exit::Undecided,
        false => Exit::Holds,
    }
}
