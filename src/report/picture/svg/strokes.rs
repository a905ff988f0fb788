//! Lines: wires, and the way of a packet with its stops.

use std::collections::BTreeMap;

use super::super::super::markup::escaped;
use super::super::layout::{LINE, Layout, PAD, Rect};
use super::super::route::{Line, Router};
use super::super::text::{Font, width, wrapped};
use super::super::{Fate, Id, Stop, WalkedWay};

/// How round bends are.
const BEND: i32 = 7;
/// Half the size of a number's disc.
const DISC: i32 = 9;
/// What is said beside a block is at most this wide.
const REASON: i32 = 340;

pub(super) fn wire(line: &Line) -> String {
    let end = line.first().map_or(String::new(), |(x, y)| format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"2.5\"/>"));
    format!("<path d=\"{}\"/>{end}\n", bent(line))
}

/// The hops of a way, the number of every stop, and what stopped it.
pub(super) fn way(layout: &Layout<'_>, router: &mut Router, way: &WalkedWay) -> String {
    let anchors = layout.anchors();
    let mut svg = String::new();
    router.begin();
    for pair in way.stops.windows(2) {
        if let [from, to] = pair {
            svg += &hop(&router.line(from.at, to.at), to);
        }
    }
    let mut taken: BTreeMap<Id, i32> = BTreeMap::new();
    for (number, stop) in (1..).zip(&way.stops) {
        let Some(rect) = anchors.get(&stop.at) else { continue };
        let count = taken.entry(stop.at).or_default();
        let marks = outline(*rect, stop) + &disc(*rect, *count, number, stop);
        svg += &format!("<g data-stop=\"{number}\">{marks}</g>\n");
        *count += 1;
    }
    let blocked = way.stops.iter().rfind(|stop| stop.fate == Fate::Blocked);
    let reason = blocked.and_then(|stop| Some((stop.lines.last()?, anchors.get(&stop.at)?)));
    svg += &reason.map_or(String::new(), |(text, rect)| callout(text, *rect, layout.width));
    format!("<g class=\"way\">\n{svg}</g>\n")
}

fn hop(line: &Line, to: &Stop) -> String {
    let class = match (to.fate, to.is_answer) {
        (Fate::Blocked, false) => "hop blocked",
        (_, true) => "hop answer",
        (_, false) => "hop",
    };
    let path = bent(line);
    format!("<path class=\"halo\" d=\"{path}\"/><path class=\"{class}\" d=\"{path}\"/>{}\n", tip(line, class))
}

/// An arrow's head, in the direction of the last part of a line.
fn tip(line: &Line, class: &str) -> String {
    let [.., before, end] = line.as_slice() else { return String::new() };
    let (dx, dy) = ((end.0 - before.0).signum(), (end.1 - before.1).signum());
    let back = (end.0 - 9 * dx, end.1 - 9 * dy);
    let (left, right) = ((back.0 - 5 * dy, back.1 + 5 * dx), (back.0 + 5 * dy, back.1 - 5 * dx));
    format!("<path class=\"{class} tip\" d=\"M{} {}L{} {}L{} {}z\"/>", end.0, end.1, left.0, left.1, right.0, right.1)
}

fn outline(rect: Rect, stop: &Stop) -> String {
    let class = if stop.fate == Fate::Blocked { "stop blocked" } else { "stop" };
    let Rect { x, y, w, h } = rect.grown(2);
    format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"9\"/>\n")
}

/// The number of a stop at a corner; a cross is eight-cornered, what arrived has a ring.
fn disc(rect: Rect, count: i32, number: usize, stop: &Stop) -> String {
    let (x, y) = (rect.x - 2 + count * (2 * DISC + 2), rect.y - 2);
    let text = format!("<text class=\"number\" x=\"{x}\" y=\"{}\">{number}</text>", y + 4);
    let disc = format!("<circle class=\"disc\" cx=\"{x}\" cy=\"{y}\" r=\"{DISC}\"/>");
    match stop.fate {
        Fate::Passes => disc + &text + "\n",
        Fate::Arrives => {
            let (cx, cy) = (rect.right(), rect.y);
            let check = format!("<path class=\"sign\" d=\"M{} {}l3 4l6 -8\"/>", cx - 4, cy + 1);
            format!("{disc}{text}<circle class=\"disc\" cx=\"{cx}\" cy=\"{cy}\" r=\"{DISC}\"/>{check}\n")
        }
        Fate::Blocked => {
            let (cx, cy) = (rect.right(), rect.y);
            let octagon =
                format!("<path class=\"disc blocked\" d=\"M{} {}h8l6 6v8l-6 6h-8l-6 -6v-8z\"/>", cx - 4, cy - 10);
            let cross = format!("<path class=\"sign\" d=\"M{} {}l7 7m0 -7l-7 7\"/>", cx - 3, cy - 4);
            format!("<circle class=\"disc blocked\" cx=\"{x}\" cy=\"{y}\" r=\"{DISC}\"/>{text}{octagon}{cross}\n")
        }
    }
}

/// Why it went no further, below the place where that was.
fn callout(text: &str, rect: Rect, page: i32) -> String {
    let lines = wrapped(text, Font::Body, REASON);
    let w = lines.iter().map(|line| width(line, Font::Body)).max().unwrap_or(0) + 24;
    let h = i32::try_from(lines.len()).unwrap_or(0) * (LINE + 2) + 12;
    let (x, y) = (rect.x.min(page - w - PAD).max(4), rect.bottom() + 10);
    let mut svg = format!("<g class=\"reason\"><rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"8\"/>");
    for (line, number) in lines.iter().zip(0..) {
        let y = y + 18 + number * (LINE + 2);
        svg += &format!("<text x=\"{}\" y=\"{y}\">{}</text>", x + 12, escaped(line));
    }
    svg + "</g>\n"
}

/// A line with round bends, as the data of a path.
fn bent(line: &Line) -> String {
    let Some((first, rest)) = line.split_first() else { return String::new() };
    let mut path = format!("M{} {}", first.0, first.1);
    for corner in line.windows(3) {
        let [before, at, after] = corner else { continue };
        let (from, to) = (towards(*at, *before), towards(*at, *after));
        path += &format!("L{} {}Q{} {} {} {}", from.0, from.1, at.0, at.1, to.0, to.1);
    }
    path + &rest.last().map_or(String::new(), |end| format!("L{} {}", end.0, end.1))
}

/// A point a little way from `at` to `other`, at most half of it.
fn towards(at: (i32, i32), other: (i32, i32)) -> (i32, i32) {
    let step = |from: i32, to: i32| from + (to - from).signum() * ((to - from).abs() / 2).min(BEND);
    (step(at.0, other.0), step(at.1, other.1))
}
