//! Ways out as patches, each with what else it opens.

use serde::Serialize;

use crate::check::{Change, Difference, Fix};
use crate::language::{Text, text};
use crate::source::Sources;

use super::Style;
use super::diff::{self, BothSources, DifferenceJson, listed};
use super::json::{self, FORMAT};
use super::unified::unified;

const RED: u8 = 31;
const CYAN: u8 = 36;

/// A violated sentence and its ways out.
#[derive(Clone, Debug)]
pub struct Repair {
    /// The sentence.
    pub sentence: String,
    /// Why it does not hold.
    pub headline: Text,
    /// Ways out, best first.
    pub offers: Vec<Offer>,
    /// Why others are not offered.
    pub left_out: Vec<Text>,
}

/// One way out.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The edits.
    pub fix: Fix,
    /// The files that change; none when the fix is for somebody to do by hand.
    pub files: Vec<PatchedFile>,
    /// Who can reach what afterwards that could not before, and the other way round.
    pub differences: Vec<Difference>,
    /// The texts afterwards, which the differences point into.
    pub sources: Sources,
}

/// A file before and after.
#[derive(Clone, Debug)]
pub struct PatchedFile {
    /// Its name.
    pub name: String,
    /// Its text before.
    pub old: String,
    /// Its text after.
    pub new: String,
}

/// All ways out of all violated sentences.
pub fn render(repairs: &[Repair], style: Style) -> String {
    if repairs.is_empty() {
        let nothing =
            text!("nothing to fix: no sentence is violated\n", "고칠 것이 없습니다: 위반된 문장이 없습니다\n");
        return style.say(&nothing).to_owned();
    }
    let blocks: Vec<String> = repairs.iter().map(|repair| block(repair, style)).collect();
    blocks.join("\n")
}

fn block(repair: &Repair, style: Style) -> String {
    let cross = if style.unicode { "×" } else { "x" };
    let mut text = format!("{} {}\n", style.paint(RED, cross), repair.sentence);
    text += &format!("  {}\n", style.say(&repair.headline));
    if repair.offers.is_empty() {
        text += style.say(&text!("\nno fix is known\n", "\n알려진 해결 방법이 없습니다\n"));
    }
    for (number, offer) in (1..).zip(&repair.offers) {
        let summary = summary(&offer.fix);
        let title = text!("fix {number}: {summary}", "해결 {number}: {summary}"; summary);
        text += &format!("\n{}\n{}", style.paint(CYAN, style.say(&title)), body(offer, style));
    }
    for reason in &repair.left_out {
        text += style.say(&text!("\nleft out: {reason}\n", "\n제외함: {reason}\n"; reason));
    }
    text
}

/// What a fix does, and what works then.
pub(super) fn summary(fix: &Fix) -> Text {
    let edits = Text::joined(fix.edits.iter().map(|edit| &edit.what), &text!(", and ", ", 그리고 "));
    match &fix.url {
        Some(url) => text!("{edits}; then {url} works", "{edits}; 그러면 {url} 주소로 연결됩니다"; edits),
        None => edits,
    }
}

fn body(offer: &Offer, style: Style) -> String {
    if offer.files.is_empty() {
        return by_hand(&offer.fix, style);
    }
    let mut text = patches(&offer.files, style);
    text += &effects(&offer.differences, style);
    text
}

/// The patches alone.
pub fn patches(files: &[PatchedFile], style: Style) -> String {
    files.iter().map(|f| unified(&f.name, &f.old, &f.new, style)).collect()
}

fn by_hand(fix: &Fix, style: Style) -> String {
    let commands = fix.edits.iter().map(|e| if e.text.is_empty() { style.say(&e.what) } else { &e.text });
    let lines: String = commands.map(|c| format!("    {c}\n")).collect();
    let by_hand = text!(
        "not a change of the files alone; by hand:\n{lines}",
        "파일만 고쳐서는 되지 않습니다. 직접 실행하세요:\n{lines}"
    );
    style.say(&by_hand).to_owned()
}

/// What opens and closes, on one line for each listener.
fn effects(differences: &[Difference], style: Style) -> String {
    let mut text = String::new();
    let words = [
        (Change::Opened, text!("opens", "열림")),
        (Change::Closed, text!("closes", "닫힘")),
        (Change::Changed, text!("changes", "바뀜")),
    ];
    for (change, word) in words {
        let all: Vec<&Difference> = differences.iter().filter(|d| d.change == change).collect();
        for same in all.chunk_by(|a, b| a.listener == b.listener) {
            let names: Vec<&str> = same.iter().map(|d| d.dialler.as_str()).collect();
            let listener = same.first().map_or("", |d| d.listener.as_str());
            text += &format!("{}: {} {} {listener}\n", style.say(&word), listed(&names, style), style.arrow());
        }
    }
    if text.is_empty() {
        text += style.say(&text!("opens nothing that was closed\n", "닫혀 있던 것은 아무것도 열리지 않습니다\n"));
    }
    text
}

/// All ways out as one JSON document.
pub fn json(repairs: &[Repair], before: &Sources) -> String {
    let repair = |repair: &Repair| RepairJson {
        sentence: repair.sentence.clone(),
        headline: repair.headline.to_string(),
        fixes: repair.offers.iter().map(|offer| offer_json(offer, before)).collect(),
        left_out: repair.left_out.iter().map(ToString::to_string).collect(),
    };
    json::document(&FixDocument { format: FORMAT, sentences: repairs.iter().map(repair).collect() })
}

fn offer_json(offer: &Offer, before: &Sources) -> OfferJson {
    let sources = BothSources { old: before, new: &offer.sources };
    OfferJson {
        summary: summary(&offer.fix).to_string(),
        url: offer.fix.url.clone(),
        commands: offer.fix.edits.iter().filter(|e| e.at.is_none()).map(|e| e.text.clone()).collect(),
        patch: patches(&offer.files, Style::PLAIN),
        differences: offer.differences.iter().map(|d| diff::difference_json(d, sources)).collect(),
    }
}

#[derive(Serialize)]
struct FixDocument {
    format: &'static str,
    sentences: Vec<RepairJson>,
}

#[derive(Serialize)]
struct RepairJson {
    sentence: String,
    headline: String,
    fixes: Vec<OfferJson>,
    left_out: Vec<String>,
}

/// Without a patch the fix is to be done by hand.
#[derive(Serialize)]
struct OfferJson {
    summary: String,
    url: Option<String>,
    commands: Vec<String>,
    patch: String,
    differences: Vec<DifferenceJson>,
}
