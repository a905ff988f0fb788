//! The way of one packet as a flow chart, hop by hop.

use crate::dataplane::{Dataplane, Event, Step, Trace, Way};

use super::super::mermaid::{CLASSES, quoted};
use super::super::path;

/// Longer ways are cut: GitHub draws no chart of more than 500 edges, and nobody reads one.
const MOST_STOPS: usize = 40;

/// A chart from the dialler to where it ends.
pub(super) fn chart(dataplane: &Dataplane, trace: &Trace) -> String {
    let mut chart = Chart {
        dataplane,
        lines: vec!["flowchart LR".to_owned()],
        stops: 0,
        label: Vec::new(),
        arrow: "-->",
        is_over: false,
    };
    chart.go_on(&dataplane.node(trace.flow.from).name);
    for step in path::told(trace).filter(|step| path::is_hop(step)) {
        if MOST_STOPS <= chart.stops {
            chart.end("…", "");
        }
        if chart.is_over {
            break;
        }
        chart.step(step);
    }
    chart.lines.join("\n") + "\n" + CLASSES
}

/// A chart in the making; the last stop is where the packet is.
struct Chart<'a> {
    dataplane: &'a Dataplane,
    lines: Vec<String>,
    stops: usize,
    /// What has been said of the next edge.
    label: Vec<String>,
    arrow: &'static str,
    is_over: bool,
}

impl Chart<'_> {
    fn step(&mut self, step: &Step) {
        let name = |node| self.dataplane.node(node).name.clone();
        match &step.event {
            Event::Dialed => {
                // A relay dials from the node that it hands the connection to.
                if step.leg > 0 {
                    self.go_on(&name(step.node));
                }
                self.label.push(path::event(self.dataplane, step).to_string());
            }
            Event::Rewritten { .. } => self.label.push(path::event(self.dataplane, step).to_string()),
            Event::Crossed { link, to } => {
                let answer = if step.way == Way::Reply { "answer " } else { "" };
                self.label.push(format!("{answer}over {}", self.dataplane.link(*link).name));
                let to = name(*to);
                self.go_on(&to);
            }
            Event::Relayed { relay } => {
                self.label.push(relay.clone());
                self.arrow = "-.->";
            }
            Event::Delivered { owner } => self.end(&format!("{owner} gets it"), "works"),
            // Of the rules, only those that stop it are hops.
            Event::Filtered { .. } | Event::Ended(_) => {
                let (what, answer) = (path::event(self.dataplane, step), step.way == Way::Reply);
                let what = what.strip_prefix("the packet ").unwrap_or(&what);
                self.end(&format!("{}{what}", if answer { "answer: " } else { "" }), "blocked");
            }
            Event::Received { .. } | Event::Routed { .. } | Event::Answered => {}
        }
    }

    /// The next stop.
    fn go_on(&mut self, name: &str) {
        let edge = self.edge(self.arrow);
        self.lines.push(format!("{edge}n{}[{}]", self.stops, quoted(name)));
        self.stops += 1;
        self.arrow = "-->";
    }

    /// What became of it, beside the last stop.
    fn end(&mut self, what: &str, class: &str) {
        // Behind a delivery, an answer is only told if it got lost.
        self.is_over = class != "works";
        let arrow = if class == "blocked" { "--x" } else { "-->" };
        let edge = self.edge(arrow);
        let class = if class.is_empty() { String::new() } else { format!(":::{class}") };
        self.lines.push(format!("{edge}e{}([{}]){class}", self.lines.len(), quoted(what)));
    }

    /// From the last stop, if there is one.
    fn edge(&mut self, arrow: &str) -> String {
        let label = self.label.join(", ");
        self.label.clear();
        match (self.stops.checked_sub(1), label.is_empty()) {
            (None, _) => String::new(),
            (Some(last), true) => format!("n{last} {arrow} "),
            (Some(last), false) => format!("n{last} {arrow}|{}| ", quoted(&label)),
        }
    }
}
