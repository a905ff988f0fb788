//! `canreach infer`: the present behaviour of a lab as a file of sentences.

use std::slice;

use crate::check::{self, Inferred};

use super::args::InferArguments;
use super::exposure::contradiction;
use super::{Exit, model, terminal};

/// Prints sentences that hold, one for each thing that listens.
pub(super) fn run(arguments: &InferArguments) -> Exit {
    let Some(model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    model.complain_about_files();
    match check::infer(&model.lab, &model.dataplane) {
        Ok(inferred) => {
            terminal::print(&file(&inferred));
            Exit::Holds
        }
        Err(error) => contradiction(&error),
    }
}

/// A specs file.
fn file(inferred: &Inferred) -> String {
    let mut text = String::from(
        "# What is the case today, by `canreach infer`. Strike out what is not meant, and keep the rest: `canreach check`\n\
         # then tells when it changes, and `canreach accept` takes a change that was meant.\n",
    );
    for sentence in &inferred.sentences {
        text += &format!("- {sentence}\n");
    }
    for (listener, reason) in &inferred.left_out {
        text += &format!("# {listener}: {reason}\n");
    }
    text
}
