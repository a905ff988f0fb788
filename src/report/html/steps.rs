//! Every step of a connection as a row of a table, with the header before and after it.

use std::net::IpAddr;

use crate::dataplane::{Event, Step, Trace, Way};
use crate::net::{Header, Protocol, url_host};

use super::super::markup::escaped;
use super::super::path;
use super::super::picture::WalkedWay;
use super::Page;

/// The steps of a trace. A row names the stop of the picture that it belongs to, so that a page can walk along.
pub(super) fn table(page: &Page<'_>, trace: &Trace, way: Option<&WalkedWay>) -> String {
    let mut rows = String::new();
    let mut before: Option<&Header> = None;
    let mut section = None;
    for (index, step) in trace.steps.iter().enumerate() {
        if section != Some((step.leg, step.way)) {
            section = Some((step.leg, step.way));
            before = None;
            rows += &format!("<tr class=\"part\"><th colspan=\"5\" scope=\"rowgroup\">{}</th></tr>\n", title(step));
        }
        let stop =
            way.and_then(|way| stop_number(way, index)).map_or(String::new(), |stop| format!(" data-stop=\"{stop}\""));
        rows += &row(page, index + 1, step, before, &stop);
        before = Some(&step.header);
    }
    format!(
        "<details class=\"steps\"><summary>Every step, with addresses before and after</summary>\n<div class=\"scroll\" tabindex=\"0\">\
         <table>\n<thead><tr><th scope=\"col\">step</th><th scope=\"col\">where</th><th scope=\"col\">what</th>\
         <th scope=\"col\">source</th><th scope=\"col\">destination</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div></details>\n"
    )
}

fn title(step: &Step) -> String {
    let way = if step.way == Way::Request { "Request" } else { "Reply" };
    if step.leg == 0 { way.to_owned() } else { format!("{way}, connection {}", step.leg + 1) }
}

/// The last stop that was reached before or in a step.
fn stop_number(way: &WalkedWay, step: usize) -> Option<usize> {
    let begun = way.stops.iter().filter(|stop| stop.steps.first().is_some_and(|first| *first <= step)).count();
    (begun > 0).then_some(begun)
}

fn row(page: &Page<'_>, number: usize, step: &Step, before: Option<&Header>, stop: &str) -> String {
    let dataplane = &page.report.dataplane;
    let origin = step.origin.map(|id| path::origin(dataplane.origins.get(id), page.sources));
    let origin = origin.map_or(String::new(), |origin| format!("<br><span class=\"dim\">{}</span>", escaped(&origin)));
    let old = match &step.event {
        Event::Rewritten { before, .. } => Some(before),
        _ => before,
    };
    let header = &step.header;
    let source = old.map(|old| end(old.protocol, old.source, old.source_port));
    let destination = old.map(|old| end(old.protocol, old.destination, old.destination_port));
    format!(
        "<tr{stop}><td>{number}</td><td>{}</td><td>{}{origin}</td><td>{}</td><td>{}</td></tr>\n",
        escaped(&dataplane.node(step.node).name),
        escaped(&path::event(dataplane, step)),
        changed(source, &end(header.protocol, header.source, header.source_port)),
        changed(destination, &end(header.protocol, header.destination, header.destination_port))
    )
}

fn end(protocol: Protocol, address: IpAddr, port: u16) -> String {
    if protocol == Protocol::Icmp { address.to_string() } else { format!("{}:{port}", url_host(address)) }
}

/// What it is now; what it was before, struck out, where a step changed it.
fn changed(before: Option<String>, after: &str) -> String {
    match before.filter(|before| before != after) {
        Some(before) => format!("<del>{}</del><br><ins>{}</ins>", escaped(&before), escaped(after)),
        None => escaped(after),
    }
}
