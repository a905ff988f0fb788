//! The way of one packet as a flow chart, hop by hop: for a comment, where the whole lab would be too much.

use crate::check::called;
use crate::dataplane::{Dataplane, Event, NodeId, Step, Trace, Way};
use crate::language::text;

use super::super::{Style, path};
use super::{CLASSES, quoted};

/// Longer ways are cut: GitHub draws no chart of more than 500 edges, and nobody reads one.
const MOST_STOPS: usize = 40;

/// A chart from the dialler to where it ends.
pub(in super::super) fn chart(dataplane: &Dataplane, trace: &Trace, style: Style) -> String {
    let mut chart = Chart {
        dataplane,
        style,
        lines: vec!["flowchart LR".to_owned()],
        stops: 0,
        label: Vec::new(),
        arrow: "-->",
        is_over: false,
    };
    chart.go_on(trace.flow.from);
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
    style: Style,
    lines: Vec<String>,
    stops: usize,
    /// What has been said of the next edge.
    label: Vec<String>,
    arrow: &'static str,
    is_over: bool,
}

impl Chart<'_> {
    fn step(&mut self, step: &Step) {
        match &step.event {
            Event::Dialed => {
                // A relay dials from the node that it hands the connection to.
                if step.leg > 0 {
                    self.go_on(step.node);
                }
                self.label.push(self.said(step));
            }
            Event::Rewritten { .. } => self.label.push(self.said(step)),
            Event::Crossed { link, to } => {
                let link = called(&self.dataplane.link(*link).name);
                let over = match step.way {
                    Way::Request => text!("over {link}", "{link} 구간"; link),
                    Way::Reply => text!("answer over {link}", "응답, {link} 구간"; link),
                };
                self.label.push(self.style.say(&over).to_owned());
                self.go_on(*to);
            }
            Event::Relayed { relay } => {
                self.label.push(self.style.say(&called(relay)).to_owned());
                self.arrow = "-.->";
            }
            Event::Delivered { owner } => {
                let what = text!("{owner} gets it", "{owner}에 도착");
                self.end(self.style.say(&what), "works");
            }
            // Of the rules, only those that stop it are hops.
            Event::Filtered { .. } | Event::Ended(_) => {
                let what = match &step.event {
                    Event::Ended(end) => path::disposition(*end, &step.header),
                    _ => path::event(self.dataplane, step),
                };
                let what = match step.way {
                    Way::Request => what,
                    Way::Reply => text!("answer: {what}", "응답: {what}"; what),
                };
                self.end(self.style.say(&what), "blocked");
            }
            Event::Received { .. } | Event::Routed { .. } | Event::Answered => {}
        }
    }

    fn said(&self, step: &Step) -> String {
        self.style.say(&path::event(self.dataplane, step)).to_owned()
    }

    /// The next stop.
    fn go_on(&mut self, node: NodeId) {
        let edge = self.edge(self.arrow);
        let name = called(&self.dataplane.node(node).name);
        self.lines.push(format!("{edge}n{}[{}]", self.stops, quoted(self.style.say(&name))));
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
