//! What a change opens and closes, for people and for programs.

use serde::Serialize;

use crate::check::{Blocker, Change, Difference, Side};
use crate::dataplane::Symptom;
use crate::language::{Text, text};
use crate::net::Protocol;
use crate::source::Sources;

use super::json::{self, FORMAT, Place};
use super::part::{PartJson, who};
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
        let none = text!("no difference in who can reach what\n", "누가 무엇에 연결할 수 있는지에는 차이가 없습니다\n");
        return style.say(&none).to_owned();
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
        let body = body(difference, sources, style);
        let (word, ansi) = match difference.change {
            Change::Opened => (text!("+ opened ", "+ 열림"), RED),
            Change::Closed => (text!("- closed ", "- 닫힘"), GREEN),
            Change::Changed => (text!("~ changed", "~ 바뀜"), YELLOW),
        };
        let word = style.paint(ansi, style.say(&word));
        text += &format!("{word} {} {} {}\n{body}", listed(diallers, style), style.arrow(), difference.listener);
    }
    text + &format!("\n{}\n", style.say(&counted(differences)))
}

/// The same change with the same addresses; the reasons of the first one are shown.
fn are_alike(a: &Difference, b: &Difference) -> bool {
    let side = |x: &Side, y: &Side| x.addresses == y.addresses && x.symptom == y.symptom && x.part == y.part;
    (&a.listener, a.change) == (&b.listener, b.change) && side(&a.old, &b.old) && side(&a.new, &b.new)
}

fn counted(differences: &[Difference]) -> Text {
    let count = |change| differences.iter().filter(|d| d.change == change).count();
    let (opened, closed, changed) = (count(Change::Opened), count(Change::Closed), count(Change::Changed));
    text!("{opened} opened, {closed} closed, {changed} changed", "열림 {opened}, 닫힘 {closed}, 바뀜 {changed}")
}

/// `a, b, c, d and 3 more`
pub(super) fn listed(names: &[&str], style: Style) -> String {
    let shown = names.get(..MOST_NAMED.min(names.len())).unwrap_or_default().join(", ");
    match names.len().saturating_sub(MOST_NAMED) {
        0 => shown,
        more => style.say(&text!("{shown} and {more} more", "{shown} 외 {more}개")).to_owned(),
    }
}

fn body(difference: &Difference, sources: BothSources<'_>, style: Style) -> String {
    let Difference { change, old, new, .. } = difference;
    let mut text = String::new();
    if *change != Change::Changed {
        text += &side(When::Before, old, sources.old, style);
        text += &side(When::Now, new, sources.new, style);
        return text;
    }
    let only = |one: &Side, other: &Side| -> Vec<String> {
        one.addresses.keys().filter(|a| !other.addresses.contains_key(*a)).cloned().collect()
    };
    let lost = text!("no longer at", "더는 안 되는 주소");
    let gained = text!("now also at", "새로 되는 주소");
    for (word, addresses) in [(lost, only(old, new)), (gained, only(new, old))] {
        if !addresses.is_empty() {
            let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
            text += &format!("    {} {}\n", style.say(&word), listed(&addresses, style));
        }
    }
    for (address, seen) in &new.addresses {
        if let Some(before) = old.addresses.get(address).filter(|before| *before != seen) {
            text += style.say(&text!(
                "    at {address}: the listener sees {seen}, before {before}\n",
                "    {address}: 상대에게 보이는 출발지가 {before} 대신 {seen}\n"
            ));
        }
    }
    if old.part != new.part {
        let (before, now) = (who(old.part.as_ref()), who(new.part.as_ref()));
        text += &format!(
            "    {}\n",
            style.say(&text!("now {now}, before {before}", "지금 {now}, 이전 {before}"; now, before))
        );
    }
    text += &lines(When::Before, &old.lines, sources.old, style);
    text + &lines(When::Now, &new.lines, sources.new, style)
}

/// Which of the two labs is spoken of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    Now,
}

impl When {
    fn word(self) -> Text {
        match self {
            Self::Before => text!("before", "이전"),
            Self::Now => text!("now", "지금"),
        }
    }
}

fn side(when: When, side: &Side, sources: &Sources, style: Style) -> String {
    let addresses: Vec<&str> = side.addresses.keys().map(String::as_str).collect();
    let what = match side.symptom {
        None if when == When::Now => text!("it is not in the lab", "랩에 없습니다"),
        None => text!("it was not in the lab", "랩에 없었습니다"),
        Some(Symptom::Works) if !addresses.is_empty() => {
            let listed = listed(&addresses, style);
            text!("at {listed}", "주소 {listed}")
        }
        Some(Symptom::Works) => text!("somebody else answers there", "거기서는 다른 프로그램이 응답합니다"),
        Some(symptom) => path::symptom(symptom, Protocol::Tcp),
    };
    format!("    {}: {}\n", style.say(&when.word()), style.say(&what)) + &reasons(&side.lines, sources, style)
}

fn lines(when: When, lines: &[Blocker], sources: &Sources, style: Style) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!("    {}:\n", style.say(&when.word())) + &reasons(lines, sources, style)
}

fn reasons(lines: &[Blocker], sources: &Sources, style: Style) -> String {
    let line = |line: &Blocker| {
        let place = line.origin.span().map_or(String::new(), |span| format!("  ({})", sources.place(span)));
        format!("      {}{place}\n", style.say(&line.message))
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
        part: side.part.as_ref().map(PartJson::of),
        lines: side
            .lines
            .iter()
            .map(|l| LineJson { message: l.message.to_string(), at: l.origin.span().map(|s| Place::of(sources, s)) })
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
    part: Option<PartJson>,
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
