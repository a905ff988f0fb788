//! A report as one page for a browser: the picture, every sentence with its way, who can reach what, what is wrong.
//!
//! The page loads nothing and sends nothing: a Content Security Policy in its head forbids both. Without JavaScript it
//! can be read as a whole; with it, a sentence that is opened lights its way in the picture, and the way can be walked
//! step by step.

mod quote;
mod sentence;
mod steps;
mod tables;

use crate::check::{Answer, Attempt, Exposure};
use crate::diagnostic::Severity;
use crate::source::Sources;

use super::Report;
use super::markup::escaped;
use super::picture::{Picture, WalkedWay, svg, way};

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The hash of the script, as the policy names it: the only script that the browser may run. A test computes it.
const SCRIPT_HASH: &str = "AulFZECnAULDJ+JrxLiTA0kqjyZgwCj+Mz3yNl499cM=";

/// What a page is made of.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The lab's name.
    pub title: &'a str,
    /// Verdicts and messages.
    pub report: &'a Report,
    /// What they point into.
    pub sources: &'a Sources,
    /// The lab drawn.
    pub picture: &'a Picture,
    /// What shows each verdict, in the order of the sentences.
    pub attempts: &'a [Option<Attempt>],
    /// Who can reach what.
    pub exposure: &'a Exposure,
}

impl Page<'_> {
    /// The ways of all sentences; nothing where a sentence has none.
    fn ways(&self) -> Vec<Option<WalkedWay>> {
        let drawn = |attempt: &Option<Attempt>| {
            attempt.as_ref().and_then(|attempt| way(self.picture, &self.report.dataplane, &attempt.witness))
        };
        self.attempts.iter().map(drawn).collect()
    }
}

/// The whole page.
pub fn page(page: &Page<'_>) -> String {
    let ways = page.ways();
    let title = escaped(page.title);
    let script = SCRIPT.replace('\r', "");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}: who can reach what</title>\n\
         <style>{}{STYLE}</style>\n</head>\n<body>\n{}<main>\n{}{}</main>\n{}{}<script>{script}</script>\n</body>\n</html>\n",
        svg::STYLE,
        header(page, &title),
        stage(page, &ways),
        sentences(page, &ways),
        tables::exposure(page.exposure),
        tables::diagnostics(&page.report.diagnostics, page.sources),
    )
}

fn header(page: &Page<'_>, title: &str) -> String {
    let report = page.report;
    let counts = [
        (report.count(Answer::Holds), "hold", "holds"),
        (report.count(Answer::Violated), "violated", "violated"),
        (report.count(Answer::Undecided), "undecided", "undecided"),
    ];
    let messages = [
        (report.count_diagnostics(Severity::Error), "in error", "violated"),
        (report.count_diagnostics(Severity::Warning), "to look at", "undecided"),
    ];
    let chip = |(count, word, class): &(usize, &str, &str)| {
        format!("<li class=\"{class}\"><span class=\"mark\" aria-hidden=\"true\"></span><b>{count}</b> {word}</li>")
    };
    let shown = counts.iter().chain(&messages).filter(|(count, ..)| *count > 0);
    let chips: String = shown.map(chip).collect();
    format!(
        "<header class=\"top\">\n<h1>{title}</h1>\n<ul class=\"counts\">{chips}</ul>\n<nav aria-label=\"Parts of this page\">\
         <a href=\"#sentences\">Sentences</a><a href=\"#exposure\">Who can reach what</a>\
         <a href=\"#messages\">Messages</a></nav>\n</header>\n"
    )
}

/// The picture with the controls that walk through it.
fn stage(page: &Page<'_>, ways: &[Option<WalkedWay>]) -> String {
    let names = (1..).zip(ways).filter_map(|(number, way)| Some((format!("way-{number}"), way.as_ref()?)));
    let drawn = svg::inline(page.picture, page.title, &names.collect::<Vec<_>>());
    format!(
        "<section class=\"stage\" aria-labelledby=\"picture-title\">\n<h2 id=\"picture-title\">The lab</h2>\n\
         <div class=\"bar\" hidden>\n<p class=\"now\" role=\"status\" aria-live=\"polite\"></p>\n\
         <button type=\"button\" data-do=\"previous\" title=\"Previous step (left arrow)\">◀ Previous</button>\n\
         <button type=\"button\" data-do=\"next\" title=\"Next step (right arrow)\">Next ▶</button>\n\
         <button type=\"button\" data-do=\"clear\" title=\"Whole picture (Escape)\">Whole picture</button>\n</div>\n\
         <div class=\"canvas\" tabindex=\"0\" role=\"region\" aria-label=\"Picture of the lab\">\n{drawn}</div>\n\
         <details class=\"words\"><summary>The picture in words</summary><pre id=\"picture-words\">{}</pre></details>\n</section>\n",
        escaped(&page.picture.in_words())
    )
}

fn sentences(page: &Page<'_>, ways: &[Option<WalkedWay>]) -> String {
    let mut html = "<section class=\"list\" id=\"sentences\" aria-labelledby=\"sentences-title\">\n\
                    <h2 id=\"sentences-title\">Sentences</h2>\n"
        .to_owned();
    if page.report.judgements.is_empty() {
        html += "<p>No sentence says what should be the case; <code>canreach infer</code> writes down what is.</p>\n";
    }
    for (index, judgement) in page.report.judgements.iter().enumerate() {
        let attempt = page.attempts.get(index).and_then(Option::as_ref);
        let way = ways.get(index).and_then(Option::as_ref);
        html += &sentence::item(page, index + 1, judgement, attempt, way);
    }
    html + "</section>\n"
}
