//! `canreach ask`: one sentence from the command line.

use std::slice;

use crate::source::{Span, Spanned};

use super::args::{AskArguments, Format};
use super::{Exit, check, model};

pub(super) fn run(arguments: &AskArguments, format: Format) -> Exit {
    let Some(mut model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    let text = arguments.sentence.as_str();
    let source = model.sources.add("(question)", text);
    let sentence = Spanned::new(text.to_owned(), Span::new(source, 0, text.len()));
    check::decide(model, &[sentence.into()], format)
}
