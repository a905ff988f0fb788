//! A connection of a lesson: every step with the header before and after it.

use crate::check::{Answer, Judgement, called};
use crate::dataplane::{Dataplane, Event, Step, Trace};
use crate::language::{Text, text};
use crate::net::Header;
use crate::source::Sources;

use super::{Style, path, trace};

const GREEN: u8 = 32;
const RED: u8 = 31;
const YELLOW: u8 = 33;

/// All steps, numbered, and what the one who dials sees in the end.
pub fn steps(dataplane: &Dataplane, walked: &Trace, sources: &Sources, style: Style) -> String {
    let mut text = String::new();
    let mut section = None;
    for (number, step) in (1..).zip(&walked.steps) {
        if section != Some((step.leg, step.way)) {
            section = Some((step.leg, step.way));
            text += &format!("  {}\n", style.say(&trace::section_title(step)));
        }
        text += &format!("  {number:>3}  {}\n", line(dataplane, step, sources, style));
        text += &headers(step, style);
    }
    let seen = path::symptom(walked.outcome.symptom, walked.flow.protocol);
    text + style.say(&text!("  what you would see: {seen}\n", "  눈에 보이는 결과: {seen}\n"; seen))
}

/// What happens, and the line of a file that makes it happen.
fn line(dataplane: &Dataplane, step: &Step, sources: &Sources, style: Style) -> String {
    let node = called(&dataplane.node(step.node).name);
    let node = style.say(&node);
    let event = path::event(dataplane, step);
    let span = step.origin.and_then(|origin| dataplane.origins.get(origin).span());
    let place = span.map_or(String::new(), |span| format!("  ({})", sources.place(span)));
    format!("{node}: {}{place}", style.say(&event))
}

/// The packet before and after, which are the same unless something rewrote it.
fn headers(step: &Step, style: Style) -> String {
    let row = |label: Text, header: &Header| format!("         {}  {header}\n", style.say(&label));
    match &step.event {
        Event::Rewritten { before, .. } => {
            row(text!("before", "전"), before) + &row(text!("after ", "후"), &step.header)
        }
        Event::Filtered { .. } => row(text!("before and after", "전후 같음"), &step.header),
        _ => format!("         {}\n", step.header),
    }
}

/// A sentence of a lesson and its verdict, on one line.
pub fn verdict(judgement: &Judgement, style: Style) -> String {
    let sentence = &judgement.statement.sentence.value;
    let (color, answer) = match judgement.verdict.answer {
        Answer::Holds => (GREEN, text!("holds", "성립")),
        Answer::Violated => (RED, text!("violated", "위반")),
        Answer::Undecided => (YELLOW, text!("undecided", "판정 불가")),
    };
    format!("  {}  {sentence}\n", style.paint(color, style.say(&answer)))
}
