//! Two connections side by side: what they have in common, and the first place where they part.

use serde::Serialize;

use crate::check::{Contrast, Told, called};
use crate::dataplane::{Dataplane, Step, Symptom};
use crate::language::text;
use crate::source::Sources;

use super::json::{self, BlockerJson, FORMAT, StepJson, WitnessJson, Writer};
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

impl<'a> Half<'a> {
    fn writer(&self) -> Writer<'a> {
        Writer { dataplane: self.told.dataplane, sources: self.sources }
    }
}

/// For people.
pub fn render(halves: &[Half<'_>; 2], contrast: Option<&Contrast<'_>>, style: Style) -> String {
    let Some(contrast) = contrast else {
        let line = |half: &Half<'_>| format!("{}: {}\n", half.title, style.say(&half.told.verdict.headline));
        return halves.iter().map(line).collect();
    };
    let mut text = String::new();
    for (half, shown) in halves.iter().zip(contrast.shown) {
        let outcome = &shown.trace.outcome;
        let color = if outcome.symptom == Symptom::Works { GREEN } else { RED };
        let seen = style.paint(color, style.say(&path::symptom(outcome.symptom, shown.trace.flow.protocol)));
        let (title, url, from) = (half.title, &shown.url, &shown.from);
        text += style.say(&text!("{title}\n    {url} from {from}: {seen}\n", "{title}\n    {from} → {url}: {seen}\n"));
    }
    text += style.say(&text!("\nboth\n", "\n둘 다\n"));
    let [first, _] = halves;
    text += &contrast.common.iter().map(|step| line(first.told.dataplane, step, None, style)).collect::<String>();
    if contrast.parting.iter().all(Option::is_none) {
        return text + style.say(&text!("\nand then both end alike\n", "\n그리고 둘 다 똑같이 끝납니다\n"));
    }
    text += style.say(&text!("\nthere they part\n", "\n여기서 갈라집니다\n"));
    for ((half, parting), accepted) in halves.iter().zip(contrast.parting).zip(contrast.let_through) {
        text += &format!("  {}\n", half.title);
        let steps = accepted.into_iter().chain(parting);
        text += &steps.map(|step| line(half.told.dataplane, step, Some(half.sources), style)).collect::<String>();
        for blocker in half.told.verdict.blockers.iter().filter(|_| half.told.verdict.failure.is_some()) {
            let origin = path::origin(&blocker.origin, half.sources);
            text += &format!("      {}\n          {}\n", style.say(&blocker.message), style.say(&origin));
        }
    }
    text
}

/// The same as one JSON document.
pub fn json(halves: &[Half<'_>; 2], contrast: Option<&Contrast<'_>>) -> String {
    let [first, second] = halves;
    let of = |half: &Half<'_>, index: usize| {
        let verdict = half.told.verdict;
        let writer = half.writer();
        let at = |steps: [Option<&Step>; 2]| steps.get(index).copied().flatten().map(|step| writer.step(step));
        HalfJson {
            title: half.title.to_owned(),
            answer: json::answer_word(verdict.answer),
            headline: verdict.headline.to_string(),
            blockers: verdict.blockers.iter().map(|blocker| writer.blocker(blocker)).collect(),
            connection: contrast.and_then(|c| c.shown.get(index)).map(|witness| writer.witness(witness)),
            let_through: contrast.and_then(|c| at(c.let_through)),
            parting: contrast.and_then(|c| at(c.parting)),
        }
    };
    let common = contrast.iter().flat_map(|c| &c.common).map(|step| first.writer().step(step)).collect();
    json::document(&ContrastDocument { format: FORMAT, common, connections: [of(first, 0), of(second, 1)] })
}

#[derive(Serialize)]
struct ContrastDocument {
    format: &'static str,
    /// What both do, up to where they part.
    common: Vec<StepJson>,
    connections: [HalfJson; 2],
}

#[derive(Serialize)]
struct HalfJson {
    title: String,
    answer: &'static str,
    headline: String,
    blockers: Vec<BlockerJson>,
    connection: Option<WitnessJson>,
    let_through: Option<StepJson>,
    parting: Option<StepJson>,
}

/// What happens, and, where they part, the line that makes it happen.
fn line(dataplane: &Dataplane, step: &Step, sources: Option<&Sources>, style: Style) -> String {
    let (node, event) = (called(&dataplane.node(step.node).name), path::event(dataplane, step));
    let mut text = format!("      {}  {}\n", style.say(&node), style.say(&event));
    if let Some((origin, sources)) = step.origin.zip(sources) {
        text += &format!("          {}\n", style.say(&path::origin(dataplane.origins.get(origin), sources)));
    }
    text
}
