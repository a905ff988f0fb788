//! A picture for Graphviz: clusters in clusters.

use std::fmt::Write;

use crate::language::{Language, text};

use super::{DoorKind, Fate, House, Id, Picture, WalkedWay};

/// The picture in the DOT language, with the way of a packet in it.
pub fn document(picture: &Picture, title: &str, way: Option<&WalkedWay>) -> String {
    let mut text = format!(
        "digraph {} {{\n  graph [rankdir=TB, compound=true, fontname=\"sans-serif\", style=\"rounded\"];\n  \
         node [shape=box, style=\"rounded\", fontname=\"sans-serif\", fontsize=11];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
        quoted(title)
    );
    for house in &picture.houses {
        add(house, way, (1, picture.language), &mut text);
    }
    for wire in &picture.wires {
        let _ = writeln!(text, "  {} -> {} [dir=none, color=gray50];", wire.from, wire.to);
    }
    let blocked = text!("blocked: ", "막힘: ");
    for hop in way.map_or(&[][..], |way| &way.stops).windows(2).zip(1..) {
        let ([from, to], number) = hop else { continue };
        let look = match (to.fate, to.is_answer) {
            (Fate::Blocked, _) => format!(
                ", color=red, style=dashed, xlabel={}",
                quoted(&format!(
                    "{}{}",
                    blocked.in_language(picture.language),
                    to.lines.last().map_or("", String::as_str)
                ))
            ),
            (_, true) => ", color=blue, style=dashed".to_owned(),
            (_, false) => ", color=blue".to_owned(),
        };
        let _ =
            writeln!(text, "  {} -> {} [penwidth=2.5, constraint=false, label=\"{number}\"{look}];", from.at, to.at);
    }
    text + "}\n"
}

/// A house with something in it is a cluster, in which a node of the same name stands for the house itself.
fn add(house: &House, way: Option<&WalkedWay>, (depth, language): (usize, Language), text: &mut String) {
    let indent = "  ".repeat(depth);
    let look = look(house.id, way);
    if house.kind.is_card() || (house.rooms.is_empty() && house.doors.is_empty()) {
        let doors = house.doors.iter().flat_map(|door| door.words(language));
        let label = std::iter::once(house.title.clone()).chain(house.facts.iter().cloned()).chain(doors);
        let label = label.collect::<Vec<_>>().join("\n");
        let _ = writeln!(text, "{indent}{} [label={}{look}];", house.id, quoted(&label));
        return;
    }
    let label = format!("{} ({})", house.title, house.label);
    let _ = writeln!(text, "{indent}subgraph cluster_{} {{\n{indent}  label={};", house.id, quoted(&label));
    let facts = if house.facts.is_empty() { house.title.clone() } else { house.facts.join("\n") };
    let _ = writeln!(text, "{indent}  {} [shape=plaintext, label={}{look}];", house.id, quoted(&facts));
    for door in &house.doors {
        let lines: Vec<String> = door.words(language).collect();
        let shape = if door.kind == DoorKind::Guard { "octagon" } else { "cds" };
        let look = self::look(door.id, way);
        let _ = writeln!(text, "{indent}  {} [shape={shape}, label={}{look}];", door.id, quoted(&lines.join("\n")));
    }
    for room in &house.rooms {
        add(room, way, (depth + 1, language), text);
    }
    let _ = writeln!(text, "{indent}}}");
}

fn look(id: Id, way: Option<&WalkedWay>) -> &'static str {
    let stop = way.and_then(|way| way.stops.iter().rfind(|stop| stop.at == id));
    match (way, stop) {
        (None, _) => "",
        (Some(_), Some(stop)) if stop.fate == Fate::Blocked => ", color=red, penwidth=3",
        (Some(_), Some(_)) => ", color=blue, penwidth=2",
        (Some(way), None) if way.lit.contains(&id) => "",
        (Some(_), None) => ", color=gray70, fontcolor=gray50",
    }
}

/// A quoted string of the DOT language, in which line breaks are `\n`.
fn quoted(text: &str) -> String {
    let mut safe = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => safe.push_str("\\\""),
            '\\' => safe.push_str("\\\\"),
            '\n' => safe.push_str("\\n"),
            // Graphviz replaces entities in labels.
            '&' => safe.push_str("&amp;"),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe + "\""
}
