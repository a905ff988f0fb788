//! `canreach diff`: what a change opens and closes.

use std::slice;

use crate::check::{self, Exposure, View};
use crate::language::text;
use crate::report::diff::{self as rendering, BothSources};

use super::args::{DiffArguments, Format};
use super::exposure::contradiction;
use super::model::{self, Model};
use super::revision::Place;
use super::{Exit, terminal};

pub(super) fn run(arguments: &DiffArguments, format: Format) -> Exit {
    let Some((old, new)) = names(arguments) else {
        terminal::complain(text!(
            "`diff` needs two labs: OLD NEW, or two revisions: A..B",
            "`diff`에는 랩 두 개(OLD NEW)나 리비전 두 개(A..B)가 필요합니다"
        ));
        return Exit::Unusable;
    };
    let (Some(old), Some(new)) = (model(&old), model(&new)) else { return Exit::Unusable };
    match check::exposure(&old.lab, &old.dataplane)
        .and_then(|before| Ok((before, check::exposure(&new.lab, &new.dataplane)?)))
    {
        Ok(exposures) => compare((&old, &exposures.0), (&new, &exposures.1), format),
        Err(error) => contradiction(&error),
    }
}

fn compare(old: (&Model, &Exposure), new: (&Model, &Exposure), format: Format) -> Exit {
    let differences = check::diff(view(old), view(new));
    let sources = BothSources { old: &old.0.sources, new: &new.0.sources };
    terminal::print(&match format {
        Format::Json => rendering::json(&differences, sources),
        _ => rendering::render(&differences, sources, terminal::style()),
    });
    if differences.is_empty() { Exit::Holds } else { Exit::Violated }
}

pub(super) fn view<'a>((model, exposure): (&'a Model, &'a Exposure)) -> View<'a> {
    View { dataplane: &model.dataplane, exposure }
}

/// `OLD NEW`, or `A..B` for two revisions of the current directory (`HEAD` where one is left out, as git does).
fn names(arguments: &DiffArguments) -> Option<(String, String)> {
    if let Some(new) = &arguments.new {
        return Some((arguments.old.clone(), new.clone()));
    }
    let (old, new) = arguments.old.split_once("..")?;
    let revision = |text: &str| format!("git:{}", if text.is_empty() { "HEAD" } else { text });
    Some((revision(old), revision(new)))
}

fn model(name: &str) -> Option<Model> {
    let place = Place::named(name).map_err(|error| terminal::complain(error.said())).ok()?;
    let model = model::build(slice::from_ref(&place.path().to_owned()))?;
    model.complain_about_files();
    Some(model)
}
