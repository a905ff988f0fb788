//! One flow, step by step: what `canreach trace` prints.

use std::fmt::Write;
use std::net::IpAddr;

use crate::dataplane::{Dataplane, Step, Symptom, Trace, Way};
use crate::net::Protocol;
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

/// A dialled name that is unknown where it is asked; `address` is that of a node which is called so.
pub fn unresolved(from: &str, name: &str, address: Option<IpAddr>, style: Style) -> String {
    let fails = style.paint(31, "fails");
    let text = format!("{fails}: {}\n", path::symptom(Symptom::NameNotResolved, Protocol::Tcp));
    match address {
        Some(address) => text + &format!("`{from}` does not know the name `{name}`; its address is {address}\n"),
        None => text + &format!("`{from}` does not know the name `{name}`\n"),
    }
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
