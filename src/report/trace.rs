//! One flow, step by step: what `canreach trace` prints.

use std::net::IpAddr;

use crate::check::called;
use crate::dataplane::{Dataplane, Step, Symptom, Trace, Way};
use crate::language::{Text, text};
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
            text += &format!("\n{}\n", style.say(&section_title(step)));
        }
        text += &line(dataplane, step, sources, style);
    }
    text
}

/// A dialled name that is unknown where it is asked; `address` is that of a node which is called so.
pub fn unresolved(from: &str, name: &str, address: Option<IpAddr>, style: Style) -> String {
    let seen = path::symptom(Symptom::NameNotResolved, Protocol::Tcp);
    let text = format!("{}: {}\n", style.paint(31, style.say(&fails())), style.say(&seen));
    let reason = match address {
        Some(address) => text!(
            "`{from}` does not know the name `{name}`; its address is {address}\n",
            "`{from}`에서는 `{name}` 이름을 모릅니다. 그 주소는 {address}입니다\n"
        ),
        None => text!("`{from}` does not know the name `{name}`\n", "`{from}`에서는 `{name}` 이름을 모릅니다\n"),
    };
    text + style.say(&reason)
}

fn fails() -> Text {
    text!("fails", "실패")
}

fn result(dataplane: &Dataplane, trace: &Trace, style: Style) -> String {
    let outcome = &trace.outcome;
    let mut text = match outcome.symptom {
        Symptom::Works => format!("{}\n", style.paint(32, style.say(&text!("works", "연결됨")))),
        symptom => {
            let seen = path::symptom(symptom, trace.flow.protocol);
            format!("{}: {}\n", style.paint(31, style.say(&fails())), style.say(&seen))
        }
    };
    if let Some(delivery) = &outcome.delivery {
        let (node, owner, source) = (&dataplane.node(delivery.node).name, &delivery.owner, delivery.header.source);
        text += style.say(&text!(
            "reached: {owner} (on {node}), seen there as {source}\n",
            "도달한 곳: {owner} ({node}), 상대에게 보이는 출발지 {source}\n"
        ));
    }
    let way = path::summary(dataplane, trace, style);
    if !way.is_empty() {
        text += style.say(&text!("way: {way}\n", "경로: {way}\n"));
    }
    text
}

/// Request or reply, and of which connection.
pub(super) fn section_title(step: &Step) -> Text {
    let way = match step.way {
        Way::Request => text!("request", "요청"),
        Way::Reply => text!("reply", "응답"),
    };
    let number = step.leg + 1;
    match step.leg {
        0 => text!("{way}:", "{way}:"; way),
        _ => text!("{way}, connection {number}:", "{way}, {number}번째 연결:"; way),
    }
}

fn line(dataplane: &Dataplane, step: &Step, sources: &Sources, style: Style) -> String {
    let node = called(&dataplane.node(step.node).name);
    let node = style.say(&node);
    let mut text = format!("  {node}  {}  [{}]\n", style.say(&path::event(dataplane, step)), step.header);
    if let Some(origin) = step.origin {
        text += &format!("      {}\n", style.say(&path::origin(dataplane.origins.get(origin), sources)));
    }
    text
}
