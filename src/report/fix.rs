//! Ways out as patches, each with what else it opens.

use serde::Serialize;

use crate::check::{Change, Difference, Fix};
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
    pub headline: String,
    /// Ways out, best first.
    pub offers: Vec<Offer>,
    /// Why others are not offered.
    pub left_out: Vec<String>,
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
        return "nothing to fix: no sentence is violated\n".to_owned();
    }
    let blocks: Vec<String> = repairs.iter().map(|repair| block(repair, style)).collect();
    blocks.join("\n")
}

fn block(repair: &Repair, style: Style) -> String {
    let cross = if style.unicode { "×" } else { "x" };
    let mut text = format!("{} {}\n", style.paint(RED, cross), repair.sentence);
    text += &format!("  {}\n", repair.headline);
    if repair.offers.is_empty() {
        text += "\nno fix is known\n";
    }
    for (number, offer) in (1..).zip(&repair.offers) {
        text += &format!(
            "\n{}\n{}",
            style.paint(CYAN, &format!("fix {number}: {}", summary(&offer.fix))),
            body(offer, style)
        );
    }
    for reason in &repair.left_out {
        text += &format!("\nleft out: {reason}\n");
    }
    text
}

/// What the edits do, and what works then.
pub(super) fn summary(fix: &Fix) -> String {
    let what: Vec<&str> = fix.edits.iter().map(|e| e.what.as_str()).collect();
    let then = fix.url.as_ref().map_or(String::new(), |url| format!("; then {url} works"));
    what.join(", and ") + &then
}

fn body(offer: &Offer, style: Style) -> String {
    if offer.files.is_empty() {
        return by_hand(&offer.fix);
    }
    let mut text = patches(&offer.files, style);
    text += &effects(&offer.differences, style);
    text
}

/// The patches alone.
pub fn patches(files: &[PatchedFile], style: Style) -> String {
    files.iter().map(|f| unified(&f.name, &f.old, &f.new, style)).collect()
}

fn by_hand(fix: &Fix) -> String {
    let commands = fix.edits.iter().map(|e| if e.text.is_empty() { &e.what } else { &e.text });
    let lines: String = commands.map(|c| format!("    {c}\n")).collect();
    format!("not a change of the files alone; by hand:\n{lines}")
}

/// What opens and closes, on one line for each listener.
fn effects(differences: &[Difference], style: Style) -> String {
    let mut text = String::new();
    for (change, word) in [(Change::Opened, "opens"), (Change::Closed, "closes"), (Change::Changed, "changes")] {
        let all: Vec<&Difference> = differences.iter().filter(|d| d.change == change).collect();
        for same in all.chunk_by(|a, b| a.listener == b.listener) {
            let names: Vec<&str> = same.iter().map(|d| d.dialler.as_str()).collect();
            let listener = same.first().map_or("", |d| d.listener.as_str());
            text += &format!("{word}: {} {} {listener}\n", listed(&names), style.arrow());
        }
    }
    if text.is_empty() { "opens nothing that was closed\n".to_owned() } else { text }
}

/// All ways out as one JSON document.
pub fn json(repairs: &[Repair], before: &Sources) -> String {
    let repair = |repair: &Repair| RepairJson {
        sentence: repair.sentence.clone(),
        headline: repair.headline.clone(),
        fixes: repair.offers.iter().map(|offer| offer_json(offer, before)).collect(),
        left_out: repair.left_out.clone(),
    };
    json::document(&FixDocument { format: FORMAT, sentences: repairs.iter().map(repair).collect() })
}

fn offer_json(offer: &Offer, before: &Sources) -> OfferJson {
    let sources = BothSources { old: before, new: &offer.sources };
    OfferJson {
        summary: summary(&offer.fix),
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
