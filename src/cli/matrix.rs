//! `canreach check --matrix`: every sentence under other releases and settings.

use std::path::PathBuf;

use crate::check::{self, Answer, Matrix};
use crate::report::matrix as rendering;

use super::args::Format;
use super::load::LabFiles;
use super::{Exit, model, terminal};

/// Shows what the answers hang on, lab by lab.
pub(super) fn run(paths: &[PathBuf], format: Format) -> Exit {
    let Some(loaded) = model::load(paths) else { return Exit::Unusable };
    let one = |files: &LabFiles| match check::matrix(&files.inputs, &loaded.sources) {
        Ok(matrix) => {
            let title = files.title.as_ref().map_or(String::new(), |title| format!("\n## {title}\n\n"));
            terminal::print(&match format {
                Format::Json => rendering::json(&matrix),
                _ => title + &rendering::render(&matrix, terminal::style()),
            });
            exit(&matrix)
        }
        Err(error) => {
            terminal::complain_of_bug(error.to_string());
            Exit::Internal
        }
    };
    loaded.labs.iter().map(one).fold(Exit::Holds, Exit::or)
}

/// A sentence has to hold whatever is assumed.
fn exit(matrix: &Matrix) -> Exit {
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
