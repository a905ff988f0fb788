//! A report as one page for a browser: the picture, every sentence with its way, who can reach what, what is wrong.
//!
//! The page loads nothing and sends nothing: a Content Security Policy in its head forbids both. Without JavaScript it
//! can be read as a whole; with it, a sentence that is opened lights its way in the picture, and the way can be walked
//! step by step.

pub mod lesson;
mod quote;
mod sentence;
mod steps;
mod tables;

use crate::check::{Answer, Attempt, Exposure};
use crate::dataplane::Dataplane;
use crate::diagnostic::Severity;
use crate::language::{Language, Text, text};
use crate::source::Sources;

use super::markup::escaped;
use super::picture::{Picture, WalkedWay, svg, way};
use super::{Report, Style};

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The hash of the script, as the policy names it: the only script that the browser may run. A test computes it.
const SCRIPT_HASH: &str = "faTWwceurmHH5wbgD0KZRmczIB6iV7ThqZthildCSaM=";

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
    /// The reader's language.
    pub language: Language,
}

/// What a trace is told with.
#[derive(Clone, Copy)]
struct Told<'a> {
    dataplane: &'a Dataplane,
    sources: &'a Sources,
    style: Style,
}

impl Page<'_> {
    fn style(&self) -> Style {
        Style { language: self.language, ..Style::PLAIN }
    }

    /// A text for the reader.
    fn said(&self, text: &Text) -> String {
        said(self.style(), text)
    }

    /// The ways of all sentences; nothing where a sentence has none.
    fn ways(&self) -> Vec<Option<WalkedWay>> {
        let drawn = |attempt: &Option<Attempt>| {
            attempt
                .as_ref()
                .and_then(|attempt| way(self.picture, &self.report.dataplane, &attempt.witness, self.language))
        };
        self.attempts.iter().map(drawn).collect()
    }
}

/// A text for a reader, as part of a page.
fn said(style: Style, text: &Text) -> String {
    coded(style.say(text))
}

/// A text in which backticks mark code, as messages do.
fn coded(text: &str) -> String {
    let safe = escaped(text);
    let mut parts: Vec<&str> = safe.split('`').collect();
    // Without its partner, a backtick is a character like others.
    let rest = if parts.len().is_multiple_of(2) { parts.pop() } else { None };
    let mark = |(index, part): (usize, &str)| match index % 2 {
        1 => format!("<code>{part}</code>"),
        _ => part.to_owned(),
    };
    let marked: String = parts.into_iter().enumerate().map(mark).collect();
    rest.map_or(marked.clone(), |rest| format!("{marked}`{rest}"))
}

/// The whole page.
pub fn page(page: &Page<'_>) -> String {
    let ways = page.ways();
    let title = escaped(page.title);
    let body = format!(
        "{}<main>\n{}{}</main>\n{}{}",
        header(page, &title),
        stage(page, &ways),
        sentences(page, &ways),
        tables::exposure(page),
        tables::diagnostics(page),
    );
    let about = page.said(&text!("who can reach what", "누가 무엇에 연결할 수 있는가"));
    document(page.language, &format!("{title}: {about}"), &body, (SCRIPT, SCRIPT_HASH))
}

/// A page that loads nothing and sends nothing: its policy allows its own style and this script only.
fn document(language: Language, title: &str, body: &str, (script, hash): (&str, &str)) -> String {
    let tag = match language {
        Language::English => "en",
        Language::Korean => "ko",
    };
    let script = script.replace('\r', "");
    format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>{}{STYLE}</style>\n</head>\n<body>\n{body}<script>{script}</script>\n</body>\n</html>\n",
        svg::STYLE,
    )
}

fn header(page: &Page<'_>, title: &str) -> String {
    let report = page.report;
    let counts = [
        (report.count(Answer::Holds), text!("hold", "성립"), "holds"),
        (report.count(Answer::Violated), text!("violated", "위반"), "violated"),
        (report.count(Answer::Undecided), text!("undecided", "판정 불가"), "undecided"),
    ];
    let messages = [
        (report.count_diagnostics(Severity::Error), text!("in error", "오류"), "violated"),
        (report.count_diagnostics(Severity::Warning), text!("to look at", "확인할 것"), "undecided"),
    ];
    let chip = |(count, word, class): &(usize, Text, &str)| {
        let word = page.said(word);
        format!("<li class=\"{class}\"><span class=\"mark\" aria-hidden=\"true\"></span><b>{count}</b> {word}</li>")
    };
    let shown = counts.iter().chain(&messages).filter(|(count, ..)| *count > 0);
    let chips: String = shown.map(chip).collect();
    let parts = page.said(&text!("Parts of this page", "이 페이지의 구성"));
    let sentences = page.said(&text!("Sentences", "문장"));
    let exposure = page.said(&text!("Who can reach what", "누가 무엇에 연결할 수 있는가"));
    let messages = page.said(&text!("Messages", "메시지"));
    format!(
        "<header class=\"top\">\n<h1>{title}</h1>\n<ul class=\"counts\">{chips}</ul>\n<nav aria-label=\"{parts}\">\
         <a href=\"#sentences\">{sentences}</a><a href=\"#exposure\">{exposure}</a>\
         <a href=\"#messages\">{messages}</a></nav>\n</header>\n"
    )
}

/// The picture with the controls that walk through it.
fn stage(page: &Page<'_>, ways: &[Option<WalkedWay>]) -> String {
    let names = (1..).zip(ways).filter_map(|(number, way)| Some((format!("way-{number}"), way.as_ref()?)));
    let drawn = svg::inline(page.picture, page.title, &names.collect::<Vec<_>>());
    let title = page.said(&text!("The lab", "랩"));
    let buttons = walking_buttons(page.style());
    let whole = page.said(&text!("Whole picture", "전체 그림"));
    let escape = page.said(&text!("Whole picture (Escape)", "전체 그림 (Escape)"));
    let picture = page.said(&text!("Picture of the lab", "랩의 그림"));
    let words = page.said(&text!("The picture in words", "그림을 글로"));
    format!(
        "<section class=\"stage\" aria-labelledby=\"picture-title\">\n<h2 id=\"picture-title\">{title}</h2>\n\
         <div class=\"bar\" hidden>\n{buttons}\
         <button type=\"button\" data-do=\"clear\" title=\"{escape}\">{whole}</button>\n</div>\n\
         <div class=\"canvas\" tabindex=\"0\" role=\"region\" aria-label=\"{picture}\">\n{drawn}</div>\n\
         <details class=\"words\"><summary>{words}</summary><pre id=\"picture-words\">{}</pre></details>\n</section>\n",
        escaped(&page.picture.in_words())
    )
}

/// Where a walk is, and the buttons that go on and back. The script puts the numbers into the pattern.
fn walking_buttons(style: Style) -> String {
    let pattern = said(style, &text!("Step # of ##: ", "##단계 중 #단계: "));
    let previous = said(style, &text!("Previous", "이전"));
    let next = said(style, &text!("Next", "다음"));
    let left = said(style, &text!("Previous step (left arrow)", "이전 단계 (왼쪽 화살표)"));
    let right = said(style, &text!("Next step (right arrow)", "다음 단계 (오른쪽 화살표)"));
    format!(
        "<p class=\"now\" role=\"status\" aria-live=\"polite\" data-step=\"{pattern}\"></p>\n\
         <button type=\"button\" data-do=\"previous\" title=\"{left}\">◀ {previous}</button>\n\
         <button type=\"button\" data-do=\"next\" title=\"{right}\">{next} ▶</button>\n"
    )
}

fn sentences(page: &Page<'_>, ways: &[Option<WalkedWay>]) -> String {
    let title = page.said(&text!("Sentences", "문장"));
    let mut html = format!(
        "<section class=\"list\" id=\"sentences\" aria-labelledby=\"sentences-title\">\n\
         <h2 id=\"sentences-title\">{title}</h2>\n"
    );
    if page.report.judgements.is_empty() {
        let none = text!(
            "No sentence says what should be the case; canreach infer writes down what is.",
            "어떠해야 하는지를 적은 문장이 없습니다. canreach infer는 지금 어떠한지를 문장으로 적습니다."
        );
        html += &format!("<p>{}</p>\n", page.said(&none));
    }
    for (index, judgement) in page.report.judgements.iter().enumerate() {
        let attempt = page.attempts.get(index).and_then(Option::as_ref);
        let way = ways.get(index).and_then(Option::as_ref);
        html += &sentence::item(page, index + 1, judgement, attempt, way);
    }
    html + "</section>\n"
}
