//! Two connections side by side: what they have in common, and the first place where they part.

use crate::check::{Contrast, Told};
use crate::dataplane::{Dataplane, Step, Symptom};
use crate::source::Sources;

use super::{Style, path};

const GREEN: u8 = 32;
const RED: u8 = 31;

/// One of the two: what was told, and the texts that it was read from.
#[derive(Clone, Debug)]
pub struct Half<'a> {
    /// The connection.
    pub told: Told<'a>,
    /// Its files.
    pub sources: &'a Sources,
    /// What tells it from the other one: a sentence or a lab.
    pub title: &'a str,
}

/// For people.
pub fn render(halves: &[Half<'_>; 2], contrast: Option<&Contrast<'_>>, style: Style) -> String {
    let Some(contrast) = contrast else {
        return halves.iter().map(|half| format!("{}: {}\n", half.title, half.told.verdict.headline)).collect();
    };
    let mut text = String::new();
    for (half, shown) in halves.iter().zip(contrast.shown) {
        let outcome = &shown.trace.outcome;
        let color = if outcome.symptom == Symptom::Works { GREEN } else { RED };
        let seen = style.paint(color, path::symptom(outcome.symptom, shown.trace.flow.protocol));
        text += &format!("{}\n    {} from {}: {seen}\n", half.title, shown.url, shown.from);
    }
    text += "\nboth\n";
    let [first, _] = halves;
    text += &contrast.common.iter().map(|step| line(first.told.dataplane, step, None)).collect::<String>();
    if contrast.parting.iter().all(Option::is_none) {
        return text + "\nand then both end alike\n";
    }
    text += "\nthere they part\n";
    for ((half, parting), accepted) in halves.iter().zip(contrast.parting).zip(contrast.let_through) {
        text += &format!("  {}\n", half.title);
        let steps = accepted.into_iter().chain(parting);
        text += &steps.map(|step| line(half.told.dataplane, step, Some(half.sources))).collect::<String>();
        for blocker in half.told.verdict.blockers.iter().filter(|_| half.told.verdict.failure.is_some()) {
            text += &format!("      {}\n          {}\n", blocker.message, path::origin(&blocker.origin, half.sources));
        }
    }
    text
}

/// What happens, and, where they part, the line that makes it happen.
fn line(dataplane: &Dataplane, step: &Step, sources: Option<&Sources>) -> String {
    let mut text = format!("      {}  {}\n", dataplane.node(step.node).name, path::event(dataplane, step));
    if let Some((origin, sources)) = step.origin.zip(sources) {
        text += &format!("          {}\n", path::origin(dataplane.origins.get(origin), sources));
    }
    text
}
