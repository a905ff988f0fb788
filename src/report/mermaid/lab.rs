//! A picture of a lab as a flow chart: subgraphs in subgraphs.

use std::fmt::Write;

use crate::language::Language;

use super::super::picture::{DoorKind, Fate, House, Picture, WalkedWay};
use super::{CLASSES, broken, quoted};

/// The picture as a mermaid flowchart, with the way of a packet in it.
pub fn document(picture: &Picture, title: &str, way: Option<&WalkedWay>) -> String {
    let mut text = format!("---\ntitle: {}\n---\nflowchart TB\n", yaml(title));
    for house in &picture.houses {
        add(house, (1, picture.language), &mut text);
    }
    let mut edge = 0;
    for wire in &picture.wires {
        let _ = writeln!(text, "  {} --- {}", wire.from, wire.to);
        edge += 1;
    }
    text += &way.map_or_else(String::new, |way| walked(way, edge));
    text + CLASSES
}

/// The hops as thick lines with numbers, the one that fails in red with a cross.
fn walked(way: &WalkedWay, first: usize) -> String {
    let mut text = String::new();
    let mut edge = first;
    for (pair, number) in way.stops.windows(2).zip(1..) {
        let [from, to] = pair else { continue };
        let is_blocked = to.fate == Fate::Blocked;
        let arrow = match (is_blocked, to.is_answer) {
            (true, _) => "--x",
            (false, true) => "-.->",
            (false, false) => "==>",
        };
        let reason = if is_blocked { to.lines.last().map_or("", String::as_str) } else { "" };
        let label = format!("{number} {reason}");
        let _ = writeln!(text, "  {} {arrow}|{}| {}", from.at, quoted(label.trim_end()), to.at);
        let color = if is_blocked { "#c4232b" } else { "#0b6bcb" };
        let _ = writeln!(text, "  linkStyle {edge} stroke:{color},stroke-width:3px");
        edge += 1;
    }
    for stop in &way.stops {
        let class = if stop.fate == Fate::Blocked { "blocked" } else { "stop" };
        let _ = writeln!(text, "  class {} {class}", stop.at);
    }
    text
}

fn add(house: &House, (depth, language): (usize, Language), text: &mut String) {
    let indent = "  ".repeat(depth);
    let facts = house.facts.iter().cloned();
    if house.kind.is_card() || (house.rooms.is_empty() && house.doors.is_empty()) {
        let doors = house.doors.iter().flat_map(|door| door.words(language));
        let lines: Vec<String> = std::iter::once(house.title.clone()).chain(facts).chain(doors).collect();
        let _ = writeln!(text, "{indent}{}[{}]", house.id, broken(&lines));
        return;
    }
    let lines: Vec<String> = std::iter::once(format!("{} ({})", house.title, house.label)).chain(facts).collect();
    let _ = writeln!(text, "{indent}subgraph {}[{}]", house.id, broken(&lines));
    for door in &house.doors {
        let lines: Vec<String> = door.words(language).collect();
        let label = broken(&lines);
        let _ = match door.kind {
            DoorKind::Guard => writeln!(text, "{indent}  {}[/{label}\\]:::guard", door.id),
            _ => writeln!(text, "{indent}  {}([{label}])", door.id),
        };
    }
    for room in &house.rooms {
        add(room, (depth + 1, language), text);
    }
    let _ = writeln!(text, "{indent}end");
}

/// A title as a quoted scalar of the front matter.
fn yaml(title: &str) -> String {
    format!("\"{}\"", title.replace('\\', "\\\\").replace('"', "\\\"").replace(|c: char| c.is_control(), " "))
}
