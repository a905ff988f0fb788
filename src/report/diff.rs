//! What a change opens and closes, for people and for programs.

use serde::Serialize;

use crate::check::{Blocker, Change, Difference, Side};
use crate::dataplane::Symptom;
use crate::net::Protocol;
use crate::source::Sources;

use super::json::{self, FORMAT, Place};
use super::{Style, path};

const RED: u8 = 31;
const GREEN: u8 = 32;
const YELLOW: u8 = 33;

/// How many names and addresses are written out on one line.
const MOST_NAMED: usize = 4;

/// The texts of both labs.
#[derive(Clone, Copy, Debug)]
pub struct BothSources<'a> {
    /// Before.
    pub old: &'a Sources,
    /// After.
    pub new: &'a Sources,
}

/// All differences; diallers for which the same changed stand together.
pub fn render(differences: &[Difference], sources: BothSources<'_>, style: Style) -> String {
    if differences.is_empty() {
        return "no difference in who can reach what\n".to_owned();
    }
    let mut groups: Vec<(Vec<&str>, &Difference)> = Vec::new();
    for difference in differences {
        match groups.iter_mut().find(|(_, d)| are_alike(d, difference)) {
            Some((diallers, _)) => diallers.push(&difference.dialler),
            None => groups.push((vec![&difference.dialler], difference)),
        }
    }
    groups.sort_by_key(|(_, d)| d.change);
    let mut text = String::new();
    for (diallers, difference) in &groups {
        let body = body(difference, sources);
        let (word, ansi) = match difference.change {
            Change::Opened => ("+ opened ", RED),
            Change::Closed => ("- closed ", GREEN),
            Change::Changed => ("~ changed", YELLOW),
        };
        let word = style.paint(ansi, word);
        text += &format!("{word} {} {} {}\n{body}", listed(diallers), style.arrow(), difference.listener);
    }
    text + &format!("\n{}\n", counted(differences))
}

/// The same change with the same addresses; the reasons of the first one are shown.
fn are_alike(a: &Difference, b: &Difference) -> bool {
    let side = |x: &Side, y: &Side| x.addresses == y.addresses && x.symptom == y.symptom;
    (&a.listener, a.change) == (&b.listener, b.change) && side(&a.old, &b.old) && side(&a.new, &b.new)
}

fn counted(differences: &[Difference]) -> String {
    let count = |change| differences.iter().filter(|d| d.change == change).count();
    let (opened, closed, changed) = (count(Change::Opened), count(Change::Closed), count(Change::Changed));
    format!("{opened} opened, {closed} closed, {changed} changed")
}

/// `a, b, c, d and 3 more`
pub(super) fn listed(names: &[&str]) -> String {
    let shown = names.get(..MOST_NAMED.min(names.len())).unwrap_or_default().join(", ");
    match names.len().saturating_sub(MOST_NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn body(difference: &Difference, sources: BothSources<'_>) -> String {
    let Difference { change, old, new, .. } = difference;
    let mut text = String::new();
    if *change != Change::Changed {
        text += &side("before", old, sources.old);
        text += &side("now", new, sources.new);
        return text;
    }
    let only = |one: &Side, other: &Side| -> Vec<String> {
        one.addresses.keys().filter(|a| !other.addresses.contains_key(*a)).cloned().collect()
    };
    for (word, addresses) in [("no longer at", only(old, new)), ("now also at", only(new, old))] {
        if !addresses.is_empty() {
            let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
            text += &format!("    {word} {}\n", listed(&addresses));
        }
    }
    for (address, seen) in &new.addresses {
        if let Some(before) = old.addresses.get(address).filter(|before| *before != seen) {
            text += &format!("    at {address}: the listener sees {seen}, before {before}\n");
        }
    }
    text += &lines("before", &old.lines, sources.old);
    text + &lines("now", &new.lines, sources.new)
}

fn side(when: &str, side: &Side, sources: &Sources) -> String {
    let addresses: Vec<&str> = side.addresses.keys().map(String::as_str).collect();
    let what = match side.symptom {
        None => "it was not in the lab".to_owned(),
        Some(Symptom::Works) if !addresses.is_empty() => format!("at {}", listed(&addresses)),
        Some(Symptom::Works) => "somebody else answers there".to_owned(),
        Some(symptom) => path::symptom(symptom, Protocol::Tcp).to_owned(),
    };
    let what = if side.symptom.is_none() && when == "now" { "it is not in the lab".to_owned() } else { what };
    format!("    {when}: {what}\n") + &reasons(&side.lines, sources)
}

fn lines(when: &str, lines: &[Blocker], sources: &Sources) -> String {
    if lines.is_empty() { String::new() } else { format!("    {when}:\n") + &reasons(lines, sources) }
}

fn reasons(lines: &[Blocker], sources: &Sources) -> String {
    let line = |line: &Blocker| {
        let place = line.origin.span().map_or(String::new(), |span| format!("  ({})", sources.place(span)));
        format!("      {}{place}\n", line.message)
    };
    lines.iter().map(line).collect()
}

/// All differences as one JSON document.
pub fn json(differences: &[Difference], sources: BothSources<'_>) -> String {
    let differences = differences.iter().map(|d| difference_json(d, sources)).collect();
    json::document(&DiffDocument { format: FORMAT, differences })
}

pub(super) fn difference_json(d: &Difference, sources: BothSources<'_>) -> DifferenceJson {
    DifferenceJson {
        change: match d.change {
            Change::Opened => "opened",
            Change::Closed => "closed",
            Change::Changed => "changed",
        },
        dialler: d.dialler.clone(),
        listener: d.listener.clone(),
        old: side_json(&d.old, sources.old),
        new: side_json(&d.new, sources.new),
    }
}

fn side_json(side: &Side, sources: &Sources) -> SideJson {
    let addresses = side.addresses.iter();
    SideJson {
        addresses: addresses.map(|(a, s)| AddressJson { address: a.clone(), seen_as: s.clone() }).collect(),
        symptom: side.symptom.map(json::symptom_word),
        lines: side
            .lines
            .iter()
            .map(|l| LineJson { message: l.message.clone(), at: l.origin.span().map(|s| Place::of(sources, s)) })
            .collect(),
    }
}

#[derive(Serialize)]
struct DiffDocument {
    format: &'static str,
    differences: Vec<DifferenceJson>,
}

#[derive(Serialize)]
pub(super) struct DifferenceJson {
    change: &'static str,
    dialler: String,
    listener: String,
    old: SideJson,
    new: SideJson,
}

#[derive(Serialize)]
struct SideJson {
    addresses: Vec<AddressJson>,
    symptom: Option<&'static str>,
    lines: Vec<LineJson>,
}

#[derive(Serialize)]
struct AddressJson {
    address: String,
    seen_as: String,
}

#[derive(Serialize)]
struct LineJson {
    message: String,
    at: Option<Place>,
}
