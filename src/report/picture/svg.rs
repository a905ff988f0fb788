//! A picture as SVG: on its own, or inside a page.
//!
//! Nothing is loaded from anywhere. Colours follow the reader's light or dark scheme, and never say anything alone:
//! what is assumed is dashed, what is blocked has a cross, every stop has a number.

mod draw;
mod strokes;

use crate::check::{Answer, Judgement};
use crate::language::{Language, Text, text};

use super::super::markup::escaped;
use super::layout::{LINE, Layout, PAD, layout};
use super::route::Router;
use super::text::{Font, width, wrapped};
use super::{Fate, Picture, WalkedWay};

use draw::{Dimmed, element};

/// The style of pictures, in files of their own and in pages.
pub(in super::super) const STYLE: &str = include_str!("svg/picture.css");

/// A sentence and the way that is drawn for it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The sentence.
    pub sentence: String,
    /// What became of it.
    pub verdict: String,
    /// The way.
    pub way: WalkedWay,
}

impl Shown {
    /// What a judgement looks like with the way that shows it, which is told in a language.
    pub fn of(judgement: &Judgement, way: WalkedWay, language: Language) -> Self {
        let answer = match judgement.verdict.answer {
            Answer::Holds => text!("holds", "성립"),
            Answer::Violated => text!("violated", "위반"),
            Answer::Undecided => text!("undecided", "판정 불가"),
        };
        let answer = answer.in_language(language);
        let sentence = judgement.statement.sentence.value.clone();
        Self { sentence, verdict: format!("{answer}: {}", way.sees), way }
    }
}

/// How small a page may draw a picture, in hundredths; below that nobody can read it.
const LEAST_SCALE: i32 = 58;

/// The narrowest picture that has room for sentences.
const LEAST: i32 = 640;

/// A picture as a file, with the way of a sentence in it.
pub fn document(picture: &Picture, title: &str, shown: Option<&Shown>) -> String {
    let layout = layout(picture);
    let mut router = Router::new(&layout);
    let w = layout.width.max(if shown.is_some() { LEAST } else { key_width(picture.language) + 2 * PAD });
    let head = shown.map_or_else(Vec::new, |shown| heading(shown, w));
    let walk = shown.map_or_else(Vec::new, |shown| walk(&shown.way, w));
    let top = rows_height(head.len());
    let bottom = layout.height + top;
    let h = bottom + rows_height(walk.len()) + PAD + LINE;
    let description = shown.map_or_else(String::new, in_words) + &picture.in_words();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"canreach\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" \
         role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"paper\" width=\"{w}\" height=\"{h}\"/>\n",
        escaped(title),
        escaped(&description)
    );
    svg += &rows(&head, PAD + 8, "head");
    svg += &format!("<g transform=\"translate(0 {top})\">\n");
    svg += &body(picture, &layout, &mut router, shown.map(|shown| &shown.way));
    svg += &shown.map_or_else(String::new, |shown| strokes::way(&layout, &mut router, &shown.way));
    svg += "</g>\n";
    svg += &rows(&walk, bottom + 8, "walk");
    svg += &key(h - PAD, picture.language);
    svg + "</svg>\n"
}

/// A picture for a page: without a background, and with all ways, which the page shows one at a time. `ways` are the
/// names of the ways in the page.
pub(in super::super) fn inline(picture: &Picture, title: &str, ways: &[(String, &WalkedWay)]) -> String {
    let layout = layout(picture);
    let mut router = Router::new(&layout);
    let (w, h) = (layout.width.max(key_width(picture.language) + 2 * PAD), layout.height + LINE);
    let mut svg = format!(
        "<svg class=\"canreach\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" style=\"min-width:{}px\" role=\"img\" \
         aria-label=\"{}\" aria-describedby=\"picture-words\">\n",
        w * LEAST_SCALE / 100,
        escaped(title)
    );
    svg += &body(picture, &layout, &mut router, None);
    for (name, way) in ways {
        let lit: Vec<String> = way.lit.iter().map(ToString::to_string).collect();
        let strokes = strokes::way(&layout, &mut router, way);
        svg += &format!("<g class=\"walked\" id=\"{name}\" data-lit=\"{}\">\n{strokes}</g>\n", lit.join(" "));
    }
    svg += &key(h - PAD / 2, picture.language);
    svg + "</svg>\n"
}

/// Houses from outside to inside, wires, doors; lines lie on walls and under texts.
fn body(picture: &Picture, layout: &Layout<'_>, router: &mut Router, way: Option<&WalkedWay>) -> String {
    let dimmed = way.map_or(Dimmed::Nothing, |way| Dimmed::AllBut(&way.lit));
    let mut svg: String = layout.marks.iter().map(|mark| element(mark, dimmed, picture.language)).collect();
    svg += &format!("<g class=\"wires{}\" aria-hidden=\"true\">\n", if way.is_some() { " dim" } else { "" });
    for wire in &picture.wires {
        router.begin();
        svg += &strokes::wire(&router.line(wire.from, wire.to));
    }
    svg + "</g>\n"
}

/// One line of running text, and whether it goes on from the line before.
type Row = (String, bool);

fn heading(shown: &Shown, w: i32) -> Vec<Row> {
    let room = w - 2 * PAD;
    let title = wrapped(&shown.sentence, Font::Title, room).into_iter().map(|line| (line, false));
    title.chain(wrapped(&shown.verdict, Font::Body, room).into_iter().map(|line| (line, true))).collect()
}

fn walk(way: &WalkedWay, w: i32) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, stop) in (1..).zip(&way.stops) {
        for line in &stop.lines {
            let mark = match stop.fate {
                Fate::Blocked => "✕ ",
                Fate::Arrives => "✓ ",
                Fate::Passes => "",
            };
            let first = stop.lines.first() == Some(line);
            let last = stop.lines.last() == Some(line);
            let mark = if last { mark } else { "" };
            let number = if first { format!("{number}. ") } else { String::new() };
            let wrapped = wrapped(&format!("{number}{mark}{line}"), Font::Body, w - 3 * PAD);
            rows.extend(wrapped.into_iter().enumerate().map(|(index, line)| (line, !first || index > 0)));
        }
    }
    rows
}

fn rows_height(rows: usize) -> i32 {
    if rows == 0 { 0 } else { i32::try_from(rows).unwrap_or(0) * (LINE + 3) + PAD }
}

fn rows(rows: &[Row], y: i32, class: &str) -> String {
    let line = |(index, (text, goes_on)): (i32, &Row)| {
        let (x, more) =
            (PAD + if *goes_on && class == "walk" { PAD + 4 } else { 0 }, if *goes_on { " more" } else { "" });
        format!(
            "<text class=\"{class}{more}\" x=\"{x}\" y=\"{}\">{}</text>\n",
            y + LINE + index * (LINE + 3),
            escaped(text)
        )
    };
    (0..).zip(rows).map(line).collect()
}

/// What a screen reader says about the way.
fn in_words(shown: &Shown) -> String {
    let lines = shown.way.stops.iter().flat_map(|stop| &stop.lines);
    let walk: String = lines.map(|line| format!("{line}\n")).collect();
    format!("{}\n{}\n{walk}\n", shown.sentence, shown.verdict)
}

/// What the doors mean.
fn key_words() -> [(&'static str, Text); 5] {
    [
        ("adapter", text!("adapter", "어댑터")),
        ("guard", text!("firewall", "방화벽")),
        ("forward", text!("leads on", "포워딩")),
        ("listens", text!("listens", "대기(listen)")),
        ("assumed", text!("assumed to listen", "대기한다고 가정")),
    ]
}

fn key_width(language: Language) -> i32 {
    key_words().iter().map(|(_, words)| width(words.in_language(language), Font::Label) + 44).sum()
}

fn key(y: i32, language: Language) -> String {
    let mut svg = "<g class=\"key\" aria-hidden=\"true\">\n".to_owned();
    let mut x = PAD;
    for (class, words) in key_words() {
        let words = words.in_language(language);
        svg += &format!(
            "<g class=\"el {class}\"><rect x=\"{x}\" y=\"{}\" width=\"18\" height=\"11\" rx=\"4\"/></g>\
             <text class=\"label\" x=\"{}\" y=\"{y}\">{words}</text>\n",
            y - 9,
            x + 24
        );
        x += width(words, Font::Label) + 44;
    }
    svg + "</g>\n"
}
