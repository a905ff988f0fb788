//! Houses and doors as SVG elements.

use std::collections::BTreeSet;

use crate::language::Language;

use super::super::super::markup::escaped;
use super::super::layout::{Drawn, LINE, Mark, PAD, Rect, TITLE, guard_lines, shows_label};
use super::super::text::{Font, fitted, fitted_path, width};
use super::super::{Door, DoorKind, House, Id};

/// What stays in the background.
#[derive(Clone, Copy)]
pub(super) enum Dimmed<'a> {
    Nothing,
    AllBut(&'a BTreeSet<Id>),
}

impl Dimmed<'_> {
    fn class(self, id: Id) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::AllBut(lit) if lit.contains(&id) => " lit",
            Self::AllBut(_) => " dim",
        }
    }
}

pub(super) fn element(mark: &Mark<'_>, dimmed: Dimmed<'_>, language: Language) -> String {
    match mark.drawn {
        Drawn::House(drawn) => house(drawn, mark.rect, dimmed.class(drawn.id)),
        Drawn::Door(drawn) => door(drawn, mark.rect, dimmed.class(drawn.id), language),
    }
}

fn house(house: &House, rect: Rect, more: &str) -> String {
    let kind = house.kind.word();
    let is_internal = if house.label.ends_with("internal") { " closed" } else { "" };
    let corner = if house.kind.is_card() { 8 } else { 12 };
    let tip = std::iter::once(format!("{} ({})", house.title, house.label)).chain(house.facts.iter().cloned());
    let tip = tip.collect::<Vec<_>>().join("\n");
    let mut svg = format!(
        "<g id=\"{}\" class=\"el house {kind}{is_internal}{more}\"><title>{}</title>{}",
        house.id,
        escaped(&tip),
        rounded(rect, corner)
    );
    let pad = if house.kind.is_card() { PAD - 4 } else { PAD };
    let (x, room) = (rect.x + pad, rect.w - 2 * pad);
    let label = if shows_label(house) { width(&house.label, Font::Label) + 10 } else { 0 };
    let title = fitted(&house.title, Font::Title, room - label);
    let y = rect.y + PAD - 4 + TITLE - 5;
    svg += &format!("<text class=\"title\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(&title));
    if shows_label(house) {
        svg += &format!(
            "<text class=\"label\" x=\"{}\" y=\"{y}\">{}</text>",
            x + width(&title, Font::Title) + 8,
            escaped(&house.label)
        );
    }
    for (fact, number) in house.facts.iter().zip(1..) {
        let y = y + number * LINE;
        svg += &format!(
            "<text class=\"fact\" x=\"{x}\" y=\"{y}\">{}</text>",
            escaped(&fitted_path(fact, Font::Mono, room))
        );
    }
    svg + "</g>\n"
}

fn door(door: &Door, rect: Rect, more: &str, language: Language) -> String {
    let kind = door.kind.word();
    let tip = door.words(language).collect::<Vec<_>>().join("\n");
    let corner = if door.kind == DoorKind::Guard { 6 } else { 11 };
    let mut svg = format!(
        "<g id=\"{}\" class=\"el door {kind}{more}\"><title>{}</title>{}",
        door.id,
        escaped(&tip),
        rounded(rect, corner)
    );
    if door.kind == DoorKind::Guard {
        svg += &shield(rect);
        for (line, number) in guard_lines(door, rect.w).iter().zip(0..) {
            let (x, y) = (rect.x + 34, rect.y + 5 + LINE * number + 12);
            let class = if number == 0 { "name" } else { "fact" };
            svg += &format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(line));
        }
    } else {
        let text = door.lines.first().map_or(String::new(), |line| fitted(line, Font::Mono, rect.w - 14));
        svg += &format!("<text class=\"port\" x=\"{}\" y=\"{}\">{}</text>", rect.x + 8, rect.y + 15, escaped(&text));
    }
    svg + "</g>\n"
}

fn rounded(rect: Rect, corner: i32) -> String {
    let Rect { x, y, w, h } = rect;
    format!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{corner}\"/>")
}

fn shield(rect: Rect) -> String {
    let (x, y) = (rect.x + 12, rect.y + 7);
    format!("<path class=\"shield\" d=\"M{x} {y}l6 -2l6 2v5q0 5 -6 8q-6 -3 -6 -8z\"/>")
}
