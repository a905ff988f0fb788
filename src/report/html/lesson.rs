//! Lessons as one page: prose, and connections that are walked step by step, with the header before and after each step.
//!
//! Without JavaScript everything can be read at once; with it, a connection shows its first step and goes on when it is
//! told to. Like the report, the page loads nothing.

use pulldown_cmark::{Options, Parser, html as markdown};

use crate::check::{Answer, Judgement};
use crate::dataplane::{Dataplane, Trace};
use crate::language::{Language, text};
use crate::net::Protocol;
use crate::source::Sources;

use super::super::markup::escaped;
use super::super::{Style, path};
use super::{Told, document, said, steps, walking_buttons};

const SCRIPT: &str = include_str!("lesson.js");

/// As for the report's script.
const SCRIPT_HASH: &str = "Bz5XZPHtSdiJXiwS669NNEQqdzciAdsbQqz8MTfCCkw=";

/// One lesson of a page, ready to be shown.
#[derive(Clone, Debug)]
pub struct LessonPage {
    /// The word by which it is asked for.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Everything up to the question.
    pub body: String,
    /// The answer.
    pub answer: String,
}

/// The page of one lesson, or of all.
pub fn lessons(lessons: &[LessonPage], language: Language) -> String {
    let style = Style { language, ..Style::PLAIN };
    let title = match lessons {
        [only] => only.title.to_owned(),
        _ => style.say(&text!("How packets find their way", "패킷이 길을 찾는 법")).to_owned(),
    };
    let links: String = lessons.iter().map(link).collect();
    let contents = said(style, &text!("Lessons", "강의"));
    let contents = match lessons {
        [_] => String::new(),
        _ => format!("<nav aria-label=\"{contents}\"><ol>\n{links}</ol></nav>\n"),
    };
    let articles: String = lessons.iter().map(|lesson| article(lesson, style)).collect();
    let heading = if lessons.len() == 1 { String::new() } else { format!("<h1>{}</h1>\n", escaped(&title)) };
    let body = format!("<div class=\"lessons\">\n{heading}{contents}{articles}</div>\n");
    document(language, &escaped(&title), &body, (SCRIPT, SCRIPT_HASH))
}

fn link(lesson: &LessonPage) -> String {
    format!("<li><a href=\"#{}\">{}</a></li>\n", lesson.name, escaped(lesson.title))
}

fn article(lesson: &LessonPage, style: Style) -> String {
    let LessonPage { name, body, answer, .. } = lesson;
    let show = said(style, &text!("Show the answer", "답 보기"));
    format!(
        "<article class=\"lesson\" id=\"{name}\">\n{body}\
         <details class=\"answer\"><summary>{show}</summary>\n{answer}</details>\n</article>\n"
    )
}

/// Prose of a lesson.
pub fn prose(page: &str) -> String {
    let mut html = String::new();
    markdown::push_html(&mut html, Parser::new_ext(page, Options::ENABLE_TABLES));
    html
}

/// A connection to be walked through; `number` tells it from the others of the page.
pub fn walk(number: usize, dataplane: &Dataplane, trace: &Trace, sources: &Sources, language: Language) -> String {
    let style = Style { language, ..Style::PLAIN };
    let flow = &trace.flow;
    let (from, to, port) = (&dataplane.node(flow.from).name, flow.destination, flow.destination_port);
    let dials = match flow.protocol {
        Protocol::Icmp => text!("{from} pings {to}", "{from} → {to} (ping)"),
        protocol => text!("{from} dials {protocol} {to}, port {port}", "{from} → {protocol} {to}, {port}번 포트"),
    };
    let seen = path::symptom(trace.outcome.symptom, flow.protocol);
    let seen = text!("What you would see: {seen}", "눈에 보이는 결과: {seen}"; seen);
    let all = said(style, &text!("All steps", "모든 단계"));
    let table = steps::table(Told { dataplane, sources, style }, trace, None);
    format!(
        "<figure class=\"trip\" id=\"trip-{number}\">\n<figcaption>{}</figcaption>\n<div class=\"bar\" hidden>\n{}\
         <button type=\"button\" data-do=\"all\">{all}</button>\n</div>\n{table}<p class=\"seen\">{}</p>\n</figure>\n",
        said(style, &dials),
        walking_buttons(style),
        said(style, &seen)
    )
}

/// Sentences with their verdicts.
pub fn verdicts(judgements: &[Judgement], language: Language) -> String {
    let style = Style { language, ..Style::PLAIN };
    let row = |judgement: &Judgement| {
        let (class, answer) = match judgement.verdict.answer {
            Answer::Holds => ("holds", text!("holds", "성립")),
            Answer::Violated => ("violated", text!("violated", "위반")),
            Answer::Undecided => ("undecided", text!("undecided", "판정 불가")),
        };
        format!(
            "<li class=\"{class}\"><span class=\"mark\" aria-hidden=\"true\"></span><code>{}</code> \
             <span class=\"dim\">{}</span></li>\n",
            escaped(&judgement.statement.sentence.value),
            said(style, &answer)
        )
    };
    format!("<ul class=\"verdicts\">\n{}</ul>\n", judgements.iter().map(row).collect::<String>())
}
