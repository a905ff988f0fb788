//! Every step of a connection as a row of a table, with the header before and after it.

use std::net::IpAddr;

use crate::check::called;
use crate::dataplane::{Event, Step, Trace};
use crate::language::text;
use crate::net::{Header, Protocol, url_host};

use super::super::markup::escaped;
use super::super::picture::WalkedWay;
use super::super::{Style, path, trace};
use super::{Told, said};

/// The steps of a trace, folded.
pub(super) fn folded(told: Told<'_>, trace: &Trace, way: Option<&WalkedWay>) -> String {
    let title = text!("Every step, with addresses before and after", "모든 단계와 전후의 주소");
    let title = said(told.style, &title);
    format!("<details class=\"steps\"><summary>{title}</summary>\n{}</details>\n", table(told, trace, way))
}

/// The steps of a trace. A row names the stop of the picture that it belongs to, so that a page can walk along.
pub(super) fn table(told: Told<'_>, trace: &Trace, way: Option<&WalkedWay>) -> String {
    let mut rows = String::new();
    let mut before: Option<&Header> = None;
    let mut section = None;
    for (index, step) in trace.steps.iter().enumerate() {
        if section != Some((step.leg, step.way)) {
            section = Some((step.leg, step.way));
            before = None;
            rows += &format!(
                "<tr class=\"part\"><th colspan=\"5\" scope=\"rowgroup\">{}</th></tr>\n",
                title(told.style, step)
            );
        }
        let stop =
            way.and_then(|way| stop_number(way, index)).map_or(String::new(), |stop| format!(" data-stop=\"{stop}\""));
        rows += &row(told, index + 1, step, before, &stop);
        before = Some(&step.header);
    }
    let titles = [
        text!("step", "단계"),
        text!("where", "위치"),
        text!("what", "일어나는 일"),
        text!("source", "출발지"),
        text!("destination", "목적지"),
    ];
    let head: String =
        titles.iter().map(|title| format!("<th scope=\"col\">{}</th>", said(told.style, title))).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table></div>\n"
    )
}

/// The title of a part of the trace, without the colon that it has in a text.
fn title(style: Style, step: &Step) -> String {
    said(style, &trace::section_title(step)).trim_end_matches(':').to_owned()
}

/// The last stop that was reached before or in a step.
fn stop_number(way: &WalkedWay, step: usize) -> Option<usize> {
    let begun = way.stops.iter().filter(|stop| stop.steps.first().is_some_and(|first| *first <= step)).count();
    (begun > 0).then_some(begun)
}

fn row(told: Told<'_>, number: usize, step: &Step, before: Option<&Header>, stop: &str) -> String {
    let Told { dataplane, sources, style } = told;
    let origin = step.origin.map(|id| said(style, &path::origin(dataplane.origins.get(id), sources)));
    let origin = origin.map_or(String::new(), |origin| format!("<br><span class=\"dim\">{origin}</span>"));
    let old = match &step.event {
        Event::Rewritten { before, .. } => Some(before),
        _ => before,
    };
    let header = &step.header;
    let source = old.map(|old| end(old.protocol, old.source, old.source_port));
    let destination = old.map(|old| end(old.protocol, old.destination, old.destination_port));
    format!(
        "<tr{stop}><td>{number}</td><td>{}</td><td>{}{origin}</td><td>{}</td><td>{}</td></tr>\n",
        said(style, &called(&dataplane.node(step.node).name)),
        said(style, &path::event(dataplane, step)),
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
