//! `canreach rules`: what the products write on a host.

use std::slice;

use crate::report::rules;

use super::args::RulesArguments;
use super::{Exit, model, terminal};

pub(super) fn run(arguments: &RulesArguments) -> Exit {
    let Some(model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    model.complain_about_files();
    let Some(node) = model.node(&arguments.host) else { return Exit::Unusable };
    terminal::print(&rules::render(&model.dataplane, node, &model.sources));
    Exit::Holds
}
