//! One flow, step by step: what `canreach trace` prints.

use std::fmt::Write;

use crate::dataplane::{Dataplane, Step, Symptom, Trace, Way};
use crate::source::Sources;

use super::{Style, path};

/// The result, who answered, and every step with the line that is responsible for it.
pub fn render(dataplane: &Dataplane, trace: &Trace, sources: &Sources, style: Style) -> String {
    let mut text = result(dataplane, trace, style);
    let mut section = None;
    for step in &trace.steps {
        if section != Some((step.leg, step.way)) {
            section = Some((step.leg, step.way));
            text += &format!("\n{}\n", section_title(step));
        }
        text += &line(dataplane, step, sources);
    }
    text
}

fn result(dataplane: &Dataplane, trace: &Trace, style: Style) -> String {
    let outcome = &trace.outcome;
    let mut text = match outcome.symptom {
        Symptom::Works => format!("{}\n", style.paint(32, "works")),
        fails => format!("{}: {}\n", style.paint(31, "fails"), path::symptom(fails, trace.flow.protocol)),
    };
    // Writing to a string cannot fail.
    if let Some(delivery) = &outcome.delivery {
        let node = &dataplane.node(delivery.node).name;
        let _ = writeln!(text, "reached: {} (on {node}), seen there as {}", delivery.owner, delivery.header.source);
    }
    let way = path::summary(dataplane, trace, style.arrow());
    if !way.is_empty() {
        let _ = writeln!(text, "way: {way}");
    }
    text
}

fn section_title(step: &Step) -> String {
    let way = if step.way == Way::Request { "request" } else { "reply" };
    if step.leg == 0 { format!("{way}:") } else { format!("{way}, connection {}:", step.leg + 1) }
}

fn line(dataplane: &Dataplane, step: &Step, sources: &Sources) -> String {
    let node = &dataplane.node(step.node).name;
    let mut text = format!("  {node}  {}  [{}]\n", path::event(dataplane, step), step.header);
    if let Some(origin) = step.origin {
        text += &format!("      {}\n", path::origin(dataplane.origins.get(origin), sources));
    }
    text
}
