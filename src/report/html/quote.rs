//! Lines of the user's files, quoted with what is meant in them marked.

use crate::language::text;
use crate::provenance::{Basis, Origin};
use crate::source::{Sources, Span};

use super::super::excerpt::Excerpt;
use super::super::markup::escaped;
use super::super::message::marked;
use super::super::{Style, patch};
use super::{coded, said};

/// Lines around a marked one.
const CONTEXT: usize = 1;

/// Of one line, so many characters are quoted.
const LONGEST: usize = 120;

/// The lines of a span with their neighbours, and what is to be said about them.
pub(super) fn lines(sources: &Sources, span: Span, says: &str) -> String {
    let file = sources.get(span.source);
    let mark = marked(span, &file.text);
    let (first, last) =
        (file.position(mark.start).line, file.position(mark.end.saturating_sub(1).max(mark.start)).line);
    let (text, mark) = match Excerpt::of(&file.text, std::slice::from_ref(&mark)) {
        Some(excerpt) => (excerpt.text.clone(), excerpt.moved(mark.start)..excerpt.moved(mark.end)),
        None => (file.text.to_string(), mark),
    };
    let shown = first.saturating_sub(CONTEXT).max(1)..=last + CONTEXT;
    let mut html = String::new();
    let mut start = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        if shown.contains(&number) {
            let class = if (first..=last).contains(&number) { " class=\"hit\"" } else { "" };
            let (from, to) = (mark.start.clamp(start, end), mark.end.clamp(start, end));
            let part = |from: usize, to: usize| escaped(text.get(from..to).unwrap_or(""));
            let middle = part(from, to);
            let middle = if middle.is_empty() { middle } else { format!("<mark>{middle}</mark>") };
            html += &format!("<span{class}><i>{number}</i>{}{middle}{}\n</span>", part(start, from), part(to, end));
        }
        start += line.len();
    }
    let says = if says.is_empty() { String::new() } else { format!(" <span class=\"says\">{}</span>", coded(says)) };
    format!(
        "<figure class=\"quote\"><figcaption><b>{}</b>{says}</figcaption><pre>{html}</pre></figure>\n",
        escaped(&sources.place(span))
    )
}

/// The first line of a span, cut where it is long.
pub(super) fn one_line(sources: &Sources, span: Span) -> String {
    let text = sources.text(span).lines().next().unwrap_or("");
    let shown: String = text.chars().take(LONGEST).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    let place = escaped(&sources.place(span));
    format!("<span class=\"source\"><b>{place}</b> <code>{}{more}</code></span>", escaped(&shown))
}

/// A change of a file as a compiler suggests it.
pub(super) fn change(sources: &Sources, at: Span, insert: &str) -> String {
    let row = |row: &patch::Row| {
        let class = match row.sign {
            '+' => " class=\"comes\"",
            '-' => " class=\"goes\"",
            _ => "",
        };
        let number = row.number.map_or(String::new(), |number| number.to_string());
        format!("<span{class}><i>{number}</i>{} {}\n</span>", row.sign, escaped(&row.text))
    };
    let rows = patch::rows(sources, at, insert);
    let first = rows.iter().find(|row| row.sign != ' ').and_then(|row| row.number);
    let place = format!("{}:{}", sources.get(at.source).name, first.unwrap_or(sources.position(at).line));
    let rows: String = rows.iter().map(row).collect();
    format!("<figure class=\"quote\"><figcaption><b>{}</b></figcaption><pre>{rows}</pre></figure>\n", escaped(&place))
}

/// What an origin goes back to: lines, a change that is missing, or a product's documentation.
pub(super) fn origin(sources: &Sources, origin: &Origin, style: Style) -> String {
    let see = |citation: &str| {
        let see = text!("see {citation}", "근거: {citation}");
        format!("<p class=\"cite\">{}</p>\n", said(style, &see))
    };
    let what = &origin.what;
    let assumed = text!("assumed: {what}", "가정: {what}"; what);
    match &origin.basis {
        Basis::Written(span) => lines(sources, *span, style.say(what)),
        Basis::Implied { because: Some(span), citation } => lines(sources, *span, style.say(what)) + &see(citation),
        Basis::Implied { because: None, citation } => format!("<p>{}</p>\n", said(style, what)) + &see(citation),
        Basis::Assumed { about: Some(span) } => lines(sources, *span, style.say(&assumed)),
        Basis::Assumed { about: None } => format!("<p>{}</p>\n", said(style, &assumed)),
        Basis::Missing { at, insert } => {
            let says = match at.start == at.end {
                true => text!("missing here: {what}", "여기에 빠져 있음: {what}"; what),
                false => text!("to be changed: {what}", "바꿀 것: {what}"; what),
            };
            format!("<p>{}</p>\n", said(style, &says)) + &change(sources, *at, insert)
        }
    }
}
