//! One sentence: the verdict on one line, and behind it everything that explains it.

use crate::check::{Answer, Attempt, Blocker, Condition, Edit, Fix, Judgement, Verdict, Witness, called};

use crate::dataplane::Trace;
use crate::language::{Text, text};
use crate::provenance::Basis;
use crate::source::Span;

use super::super::markup::escaped;
use super::super::path;
use super::super::picture::{Fate, WalkedWay};
use super::{Page, Told, coded, quote, steps};

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
        (Answer::Holds, _) => ("holds", text!("holds", "성립")),
        (Answer::Violated, false) => ("violated", text!("violated", "위반")),
        (Answer::Violated, true) => ("undecided", text!("violated (a wish)", "위반 (희망 사항)")),
        (Answer::Undecided, _) => ("undecided", text!("undecided", "판정 불가")),
    };
    let word = page.said(&word);
    let sees = way.map_or("", |way| way.sees.as_str());
    let mut html = format!(
        "<details class=\"sentence {class}\" id=\"sentence-{number}\" data-way=\"way-{number}\">\n\
         <summary><span class=\"mark\" aria-hidden=\"true\"></span><span class=\"says\">{}</span>\
         <span class=\"verdict\">{word}{}{}</span></summary>\n<div class=\"body\">\n",
        escaped(&judgement.statement.sentence.value),
        if sees.is_empty() { "" } else { ": " },
        escaped(sees)
    );
    if verdict.answer != Answer::Holds {
        html += &format!("<p class=\"headline\">{}</p>\n", page.said(&verdict.headline));
    }
    if let Some(reason) = &judgement.statement.reason {
        let why = text!("Why it matters: {reason}", "이유: {reason}", reason = &reason.value);
        html += &format!("<p>{}</p>\n", page.said(&why));
    }
    html += &works_at(page, verdict);
    html += &attempt.zip(way).map_or(String::new(), |(attempt, way)| walk(page, number, &attempt.witness, way));
    html += &attempt.map_or(String::new(), |attempt| blockers(page, verdict, &attempt.blockers));
    html += &conditions(page, verdict);
    html +=
        &verdict.notes.iter().map(|note| format!("<p class=\"note\">{}</p>\n", page.said(note))).collect::<String>();
    html += &fixes(page, verdict);
    let told = Told { dataplane: &page.report.dataplane, sources: page.sources, style: page.style() };
    html += &attempt.map_or(String::new(), |attempt| steps::folded(told, &attempt.witness.trace, way));
    let place = page.sources.place(judgement.statement.sentence.span);
    let asked = page.said(&text!("asked in {place}", "문장의 위치: {place}"));
    html + &format!("<p class=\"cite\">{asked}</p>\n</div>\n</details>\n")
}

/// Every address that works.
fn works_at(page: &Page<'_>, verdict: &Verdict) -> String {
    let is_list = verdict.failure.is_none() && !verdict.witnesses.is_empty();
    if !is_list {
        return String::new();
    }
    let is_same = verdict.witnesses.iter().all(|w| Some(&w.from) == verdict.witnesses.first().map(|first| &first.from));
    let line = |witness: &Witness| {
        let from = called(&witness.from);
        let from = text!("from {from} ", "{from}에서 "; from);
        let from = if is_same { Text::default() } else { from };
        let way = path::summary(&page.report.dataplane, &witness.trace, page.style());
        let seen = path::seen_as(&witness.trace.outcome);
        let seen = seen.map_or(String::new(), |seen| format!(", {}", page.style().say(&seen)));
        format!(
            "<li>{}<b>{}</b> <span class=\"dim\">{}{}</span></li>\n",
            page.said(&from),
            escaped(&witness.url),
            escaped(&way),
            escaped(&seen)
        )
    };
    let items: String = verdict.witnesses.iter().take(MOST_ADDRESSES).map(line).collect();
    let rest: String = verdict.witnesses.iter().skip(MOST_ADDRESSES).map(line).collect();
    let title = match verdict.answer {
        Answer::Violated => text!("This gets through", "연결되는 것"),
        Answer::Holds | Answer::Undecided => text!("It works at", "연결되는 주소"),
    };
    let title = page.said(&title);
    let more = if rest.is_empty() {
        rest
    } else {
        let count = verdict.witnesses.len() - MOST_ADDRESSES;
        let more = page.said(&text!("and {count} more", "그 밖에 {count}개"));
        format!("<details><summary>{more}</summary><ul class=\"urls\">{rest}</ul></details>\n")
    };
    format!("<h3>{title}</h3>\n<ul class=\"urls\">{items}</ul>\n{more}")
}

/// The stops of the way, with the numbers that they have in the picture.
fn walk(page: &Page<'_>, number: usize, witness: &Witness, way: &WalkedWay) -> String {
    let title = page.said(&text!("Hop by hop", "홉 하나씩"));
    let from = called(&witness.from);
    let from = page.said(&text!("from {from}", "{from}에서"; from));
    let show = page.said(&text!("show it in the picture", "그림에서 보기"));
    let mut html = format!(
        "<h3>{title}</h3>\n<p><b>{}</b> {from} <a class=\"to-picture\" href=\"#way-{number}\">{show}</a></p>\n\
         <ol class=\"walk\">\n",
        escaped(&witness.url)
    );
    for stop in &way.stops {
        let class = match stop.fate {
            Fate::Passes => "",
            Fate::Arrives => " class=\"arrives\"",
            Fate::Blocked => " class=\"blocked\"",
        };
        let lines: Vec<String> = stop.lines.iter().map(|line| coded(line)).collect();
        html += &format!("<li{class}>{}{}</li>\n", lines.join("<br>"), reasons(page, &witness.trace, &stop.steps));
    }
    let seen = page.said(&text!("What you would see:", "눈에 보이는 증상:"));
    html + &format!("</ol>\n<p>{seen} <b>{}</b></p>\n", escaped(&way.sees))
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
    let title = match lets_in {
        true => text!("What lets it in", "들어오게 하는 것"),
        false => text!("What stops it", "막는 것"),
    };
    let title = page.said(&title);
    let one = |blocker: &Blocker| {
        format!(
            "<li><p>{} <code>{}</code></p>\n{}</li>\n",
            page.said(&blocker.message),
            blocker.code.as_str(),
            quote::origin(page.sources, &blocker.origin, page.style())
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
            page.said(&condition.statement),
            page.said(&path::origin(&condition.origin, page.sources))
        )
    };
    let lines: String = verdict.conditions.iter().map(line).collect();
    format!("<h3>{}</h3>\n<ul>{lines}</ul>\n", page.said(&text!("Only if", "조건")))
}

/// The first fix in full, the others behind their titles.
fn fixes(page: &Page<'_>, verdict: &Verdict) -> String {
    let Some((first, others)) = verdict.fixes.split_first() else { return String::new() };
    let shown = |edit: &Edit| verdict.blockers.iter().any(|blocker| is_shown(blocker, edit));
    let first_edits = match first.edits.iter().all(shown) {
        true => format!("<p class=\"cite\">{}</p>\n", page.said(&text!("the change above", "위에 표시한 변경"))),
        false => edits(page, first),
    };
    let title = page.said(&text!("A way out", "해결 방법"));
    let mut html = format!("<h3>{title}</h3>\n<p>{}</p>\n{first_edits}", page.said(&words(first)));
    for other in others {
        let words = words(other);
        let or = page.said(&text!("or: {words}", "또는: {words}"; words));
        html += &format!("<details><summary>{or}</summary>{}</details>\n", edits(page, other));
    }
    html
}

/// Whether what is missing for a blocker is what an edit would write.
fn is_shown(blocker: &Blocker, edit: &Edit) -> bool {
    matches!(&blocker.origin.basis, Basis::Missing { at, insert } if Some(*at) == edit.at && *insert == edit.text)
}

fn words(fix: &Fix) -> Text {
    let edits = Text::joined(fix.edits.iter().map(|edit| &edit.what), &text!(", and ", ", 그리고 "));
    match &fix.url {
        Some(url) => text!("{edits}; then {url} works", "{edits}; 그러면 {url} 주소로 연결됩니다"; edits),
        None => edits,
    }
}

fn edits(page: &Page<'_>, fix: &Fix) -> String {
    let one = |edit: &Edit| match edit.at {
        Some(at) => quote::change(page.sources, at, &edit.text),
        None if edit.text.is_empty() => String::new(),
        None => format!("<pre class=\"command\">{}</pre>\n", escaped(&edit.text)),
    };
    fix.edits.iter().map(one).collect()
}
