//! Declarations of all files -> one lab.

use crate::diagnostic::Diagnosed;
use crate::source::SourceId;

use super::{Declaration, Lab};

/// What was read from one file.
#[derive(Clone, Debug)]
pub struct Input {
    /// The file; its name is the path relative to where the tool was pointed.
    pub source: SourceId,
    /// The path, as lab.yaml's `files` would name it.
    pub path: String,
    /// What the file states, in order.
    pub declarations: Vec<Declaration>,
}

/// Makes one lab of everything that the files state.
pub fn resolve(_inputs: &[Input]) -> Diagnosed<Lab> {
    todo!()
}
