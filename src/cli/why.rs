//! `canreach why`: two connections, or one in two labs, side by side.

use std::path::Path;
use std::slice;

use crate::check::{self, Told, Verdict};
use crate::report::contrast::{self as rendering, Half};
use crate::report::terminal as report;
use crate::source::{Span, Spanned};

use super::args::{Format, WhyArguments};
use super::model::Model;
use super::{Exit, model, terminal};

/// Shows the first place where two connections part.
pub(super) fn run(arguments: &WhyArguments, format: Format) -> Exit {
    let lab = arguments.lab.as_path();
    let second = arguments.within.as_deref().unwrap_or(lab);
    let other = arguments.other.as_deref().unwrap_or(&arguments.sentence);
    let one = match judge(lab, &arguments.sentence) {
        Ok(told) => told,
        Err(exit) => return exit,
    };
    let two = match judge(second, other) {
        Ok(told) => told,
        Err(exit) => return exit,
    };
    let titles = match arguments.within {
        Some(_) => [format!("{} in {}", arguments.sentence, lab.display()), format!("{other} in {}", second.display())],
        None => [arguments.sentence.clone(), other.to_owned()],
    };
    let [first_title, second_title] = &titles;
    let halves = [one.half(first_title), two.half(second_title)];
    let [a, b] = &halves;
    let contrast = check::contrast(&a.told, &b.told);
    terminal::print(&match format {
        Format::Json => rendering::json(&halves, contrast.as_ref()),
        _ => rendering::render(&halves, contrast.as_ref(), terminal::style()),
    });
    Exit::Holds
}

/// A sentence, judged in its lab.
struct Judged {
    verdict: Verdict,
    model: Model,
}

impl Judged {
    fn half<'a>(&'a self, title: &'a str) -> Half<'a> {
        let told = Told { verdict: &self.verdict, dataplane: &self.model.dataplane };
        Half { told, sources: &self.model.sources, title }
    }
}

fn judge(lab: &Path, sentence: &str) -> Result<Judged, Exit> {
    let mut model = model::build(slice::from_ref(&lab.to_owned())).ok_or(Exit::Unusable)?;
    model.complain_about_files();
    let source = model.sources.add("(question)", sentence);
    let statement = Spanned::new(sentence.to_owned(), Span::new(source, 0, sentence.len())).into();
    let checked = check::check_all(&model.lab, &model.dataplane, &model.sources, &[statement]).map_err(|error| {
        terminal::complain_of_bug(error.to_string());
        Exit::Internal
    })?;
    let Some(judgement) = checked.judgements.into_iter().next() else {
        let said = report::render_diagnostics(&checked.diagnostics, &model.sources, terminal::style());
        terminal::print_aside(&said);
        return Err(Exit::Unusable);
    };
    Ok(Judged { verdict: judgement.verdict, model })
}
