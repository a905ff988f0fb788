//! One sentence: the verdict on one line, and behind it everything that explains it.

use crate::check::{Answer, Attempt, Blocker, Condition, Edit, Fix, Judgement, Verdict, Witness};

use crate::dataplane::Trace;
use crate::provenance::Basis;
use crate::source::Span;

use super::super::markup::escaped;
use super::super::path;
use super::super::picture::{Fate, WalkedWay};
use super::{Page, quote, steps};

/// Of the addresses that work, at most this many are listed at once.
const MOST_ADDRESSES: usize = 6;

pub(super) fn item(
    page: &Page<'_>,
    number: usize,
    judgement: &Judgement,
    attempt: Option<&Attempt>,
    way: Option<&WalkedWay>,
) -> String {
    let verdict = &judgement.verdict;
    let (class, word) = match (verdict.answer, judgement.statement.is_wish) {
        (Answer::Holds, _) => ("holds", "holds"),
        (Answer::Violated, false) => ("violated", "violated"),
        (Answer::Violated, true) => ("undecided", "violated (a wish)"),
        (Answer::Undecided, _) => ("undecided", "undecided"),
    };
    let sees = way.map_or("", |way| way.sees);
    let mut html = format!(
        "<details class=\"sentence {class}\" id=\"sentence-{number}\" data-way=\"way-{number}\">\n\
         <summary><span class=\"mark\" aria-hidden=\"true\"></span><span class=\"says\">{}</span>\
         <span class=\"verdict\">{word}{}{}</span></summary>\n<div class=\"body\">\n",
        escaped(&judgement.statement.sentence.value),
        if sees.is_empty() { "" } else { ": " },
        escaped(sees)
    );
    if verdict.answer != Answer::Holds {
        html += &format!("<p class=\"headline\">{}</p>\n", escaped(&verdict.headline));
    }
    if let Some(reason) = &judgement.statement.reason {
        html += &format!("<p>Why it matters: {}</p>\n", escaped(&reason.value));
    }
    html += &works_at(page, verdict);
    html += &attempt.zip(way).map_or(String::new(), |(attempt, way)| walk(page, number, &attempt.witness, way));
    html += &attempt.map_or(String::new(), |attempt| blockers(page, verdict, &attempt.blockers));
    html += &conditions(page, verdict);
    html += &verdict.notes.iter().map(|note| format!("<p class=\"note\">{}</p>\n", escaped(note))).collect::<String>();
    html += &fixes(page, verdict);
    html += &attempt.map_or(String::new(), |attempt| steps::table(page, &attempt.witness.trace, way));
    html += &format!(
        "<p class=\"cite\">asked in {}</p>\n</div>\n</details>\n",
        escaped(&page.sources.place(judgement.statement.sentence.span))
    );
    html
}

/// Every address that works.
fn works_at(page: &Page<'_>, verdict: &Verdict) -> String {
    let is_list = verdict.failure.is_none() && !verdict.witnesses.is_empty();
    if !is_list {
        return String::new();
    }
    let is_same = verdict.witnesses.iter().all(|w| Some(&w.from) == verdict.witnesses.first().map(|first| &first.from));
    let line = |witness: &Witness| {
        let from = if is_same { String::new() } else { format!("from {} ", witness.from) };
        let way = path::summary(&page.report.dataplane, &witness.trace, "→");
        let seen = path::seen_as(&witness.trace.outcome).map_or(String::new(), |seen| format!(", {seen}"));
        format!(
            "<li>{}<b>{}</b> <span class=\"dim\">{}{}</span></li>\n",
            escaped(&from),
            escaped(&witness.url),
            escaped(&way),
            escaped(&seen)
        )
    };
    let items: String = verdict.witnesses.iter().take(MOST_ADDRESSES).map(line).collect();
    let rest: String = verdict.witnesses.iter().skip(MOST_ADDRESSES).map(line).collect();
    let title = if verdict.answer == Answer::Violated { "This gets through" } else { "It works at" };
    let more = if rest.is_empty() {
        rest
    } else {
        let count = verdict.witnesses.len() - MOST_ADDRESSES;
        format!("<details><summary>and {count} more</summary><ul class=\"urls\">{rest}</ul></details>\n")
    };
    format!("<h3>{title}</h3>\n<ul class=\"urls\">{items}</ul>\n{more}")
}

/// The stops of the way, with the numbers that they have in the picture.
fn walk(page: &Page<'_>, number: usize, witness: &Witness, way: &WalkedWay) -> String {
    let mut html = format!(
        "<h3>Hop by hop</h3>\n<p><b>{}</b> from {} <a class=\"to-picture\" href=\"#way-{number}\">show it in the picture</a></p>\n\
         <ol class=\"walk\">\n",
        escaped(&witness.url),
        escaped(&witness.from)
    );
    for stop in &way.stops {
        let class = match stop.fate {
            Fate::Passes => "",
            Fate::Arrives => " class=\"arrives\"",
            Fate::Blocked => " class=\"blocked\"",
        };
        let lines: Vec<String> = stop.lines.iter().map(|line| escaped(line)).collect();
        html += &format!("<li{class}>{}{}</li>\n", lines.join("<br>"), reasons(page, &witness.trace, &stop.steps));
    }
    html + &format!("</ol>\n<p>What you would see: <b>{}</b></p>\n", escaped(way.sees))
}

/// The lines of the user's files that are behind some steps.
fn reasons(page: &Page<'_>, trace: &Trace, steps: &[usize]) -> String {
    let origins = steps.iter().filter_map(|index| trace.steps.get(*index)?.origin);
    let mut spans: Vec<Span> = origins.filter_map(|id| page.report.dataplane.origins.get(id).span()).collect();
    spans.dedup();
    spans.into_iter().map(|span| quote::one_line(page.sources, span)).collect()
}

fn blockers(page: &Page<'_>, verdict: &Verdict, blockers: &[Blocker]) -> String {
    if blockers.is_empty() {
        return String::new();
    }
    let lets_in = verdict.answer == Answer::Violated && verdict.failure.is_none();
    let title = if lets_in { "What lets it in" } else { "What stops it" };
    let one = |blocker: &Blocker| {
        format!(
            "<li><p>{} <code>{}</code></p>\n{}</li>\n",
            escaped(&blocker.message),
            blocker.code.as_str(),
            quote::origin(page.sources, &blocker.origin)
        )
    };
    format!("<h3>{title}</h3>\n<ul class=\"blockers\">{}</ul>\n", blockers.iter().map(one).collect::<String>())
}

fn conditions(page: &Page<'_>, verdict: &Verdict) -> String {
    if verdict.conditions.is_empty() {
        return String::new();
    }
    let line = |condition: &Condition| {
        format!(
            "<li>{} <span class=\"dim\">({})</span></li>\n",
            escaped(&condition.statement),
            escaped(&path::origin(&condition.origin, page.sources))
        )
    };
    let lines: String = verdict.conditions.iter().map(line).collect();
    format!("<h3>Only if</h3>\n<ul>{lines}</ul>\n")
}

/// The first fix in full, the others behind their titles.
fn fixes(page: &Page<'_>, verdict: &Verdict) -> String {
    let Some((first, others)) = verdict.fixes.split_first() else { return String::new() };
    let shown = |edit: &Edit| verdict.blockers.iter().any(|blocker| is_shown(blocker, edit));
    let first_edits = match first.edits.iter().all(shown) {
        true => "<p class=\"cite\">the change above</p>\n".to_owned(),
        false => edits(page, first),
    };
    let mut html = format!("<h3>A way out</h3>\n<p>{}</p>\n{first_edits}", escaped(&words(first)));
    for other in others {
        html +=
            &format!("<details><summary>or: {}</summary>{}</details>\n", escaped(&words(other)), edits(page, other));
    }
    html
}

/// Whether what is missing for a blocker is what an edit would write.
fn is_shown(blocker: &Blocker, edit: &Edit) -> bool {
    matches!(&blocker.origin.basis, Basis::Missing { at, insert } if Some(*at) == edit.at && *insert == edit.text)
}

fn words(fix: &Fix) -> String {
    let edits: Vec<&str> = fix.edits.iter().map(|edit| edit.what.as_str()).collect();
    let then = fix.url.as_ref().map_or(String::new(), |url| format!("; then {url} works"));
    edits.join(", and ") + &then
}

fn edits(page: &Page<'_>, fix: &Fix) -> String {
    let one = |edit: &Edit| match edit.at {
        Some(at) => quote::change(page.sources, at, &edit.text),
        None if edit.text.is_empty() => String::new(),
        None => format!("<pre class=\"command\">{}</pre>\n", escaped(&edit.text)),
    };
    fix.edits.iter().map(one).collect()
}
