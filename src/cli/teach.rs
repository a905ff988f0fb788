//! `canreach teach`: lessons, whose connections are followed when they are read.

use std::fs;
use std::path::Path;

use crate::check::{self, Judgement};
use crate::dataplane::{Flow, Trace};
use crate::diagnostic::did_you_mean;
use crate::eval;
use crate::language::{Language, Text, text};
use crate::lesson::{self, Attempt, Piece, Topic};
use crate::net::Protocol;
use crate::report::html::lesson::{self as html, LessonPage};
use crate::report::lesson as rendering;
use crate::source::{Span, Spanned};

use super::args::TeachArguments;
use super::graph::write;
use super::model::Model;
use super::{Exit, terminal};

pub(super) fn run(arguments: &TeachArguments) -> Exit {
    let Some(asked) = &arguments.topic else {
        return match &arguments.output {
            Some(file) => write_page(Topic::ALL, file),
            None => {
                terminal::print(&list(terminal::language()));
                Exit::Holds
            }
        };
    };
    let Some(topic) = topic(asked) else {
        terminal::complain(unknown(asked));
        return Exit::Unusable;
    };
    match (&arguments.output, &arguments.copy) {
        (Some(file), _) => write_page(&[topic], file),
        (None, Some(directory)) => copy(topic, directory),
        (None, None) => show(topic, arguments.answer),
    }
}

/// The lesson that is asked for by its word.
pub(super) fn topic(asked: &str) -> Option<Topic> {
    Topic::ALL.iter().copied().find(|topic| topic.name().eq_ignore_ascii_case(asked.trim()))
}

/// The lesson with its question, or the answer.
pub(super) fn show(topic: Topic, wants_answer: bool) -> Exit {
    let (page, answer) = topic.parts(terminal::language());
    let shown: Option<String> = lesson::pieces(if wants_answer { answer } else { page }).iter().map(piece).collect();
    match shown {
        Some(text) => {
            terminal::print(&format!("{}\n", text.trim_end()));
            Exit::Holds
        }
        None => Exit::Internal,
    }
}

fn piece(piece: &Piece<'_>) -> Option<String> {
    match piece {
        Piece::Prose(text) => Some((*text).to_owned()),
        Piece::Trace(attempt) => {
            let (model, trace) = followed(attempt)?;
            Some(rendering::steps(&model.dataplane, &trace, &model.sources, terminal::style()))
        }
        Piece::Check { lab, sentences } => {
            let judgements = decided(lab, sentences)?;
            Some(judgements.iter().map(|judgement| rendering::verdict(judgement, terminal::style())).collect())
        }
    }
}

/// Writes lessons as a page.
fn write_page(topics: &[Topic], file: &Path) -> Exit {
    let language = terminal::language();
    let mut walks = 0;
    let mut part = |piece: &Piece<'_>| match piece {
        Piece::Prose(text) => Some(html::prose(text)),
        Piece::Trace(attempt) => {
            let (model, trace) = followed(attempt)?;
            walks += 1;
            Some(html::walk(walks, &model.dataplane, &trace, &model.sources, language))
        }
        Piece::Check { lab, sentences } => Some(html::verdicts(&decided(lab, sentences)?, language)),
    };
    let mut lesson = |topic: &Topic| {
        let (body, answer) = topic.parts(language);
        let body = lesson::pieces(body).iter().map(&mut part).collect::<Option<String>>()?;
        let answer = lesson::pieces(answer).iter().map(&mut part).collect::<Option<String>>()?;
        Some(LessonPage { name: topic.name(), title: topic.title(language), body, answer })
    };
    match topics.iter().map(&mut lesson).collect::<Option<Vec<LessonPage>>>() {
        Some(lessons) => write(&html::lessons(&lessons, language), Some(file)),
        None => Exit::Internal,
    }
}

/// A connection of a lesson, followed to its end.
fn followed(attempt: &Attempt<'_>) -> Option<(Model, Trace)> {
    let model = model(attempt.lab)?;
    let flow = Flow {
        from: model.node(attempt.from)?,
        protocol: Protocol::Tcp,
        source: None,
        source_port: 50000,
        destination: attempt.to,
        destination_port: attempt.port,
    };
    let trace = eval::trace(&model.dataplane, &flow, &model.dataplane.switches.defaults());
    Some((model, trace))
}

/// Sentences of a lesson, decided.
fn decided(lab: &str, sentences: &[(&str, &str)]) -> Option<Vec<Judgement>> {
    let mut model = model(lab)?;
    let mut statements = Vec::new();
    for (sentence, _) in sentences {
        let source = model.sources.add("(lesson)", sentence);
        statements.push(Spanned::new((*sentence).to_owned(), Span::new(source, 0, sentence.len())).into());
    }
    let checked = check::check_all(&model.lab, &model.dataplane, &model.sources, &statements);
    let checked = checked.map_err(|error| terminal::complain_of_bug(error.to_string())).ok()?;
    Some(checked.judgements)
}

fn model(lab: &str) -> Option<Model> {
    let files = lesson::lab(lab);
    if files.is_none() {
        terminal::complain_of_bug(format!("the lesson's lab `{lab}` is not there"));
    }
    Model::of_texts(lab, files?)
}

/// Every lesson with its title.
fn list(language: Language) -> String {
    let width = Topic::ALL.iter().map(|topic| topic.name().len()).max().unwrap_or(0);
    Topic::ALL.iter().map(|topic| format!("{:width$}  {}\n", topic.name(), topic.title(language))).collect()
}

fn unknown(asked: &str) -> Text {
    let near = did_you_mean(asked, Topic::ALL.iter().map(|topic| topic.name()));
    let help = match near {
        Some(near) => text!("did you mean `{near}`?", "혹시 `{near}`?"),
        None => text!("`canreach teach` lists all", "`canreach teach`로 모두 볼 수 있습니다"),
    };
    text!("there is no lesson `{asked}`; {help}", "`{asked}` 강의는 없습니다. {help}"; help)
}

/// Writes the labs of a lesson into a new directory, one below it for each.
fn copy(topic: Topic, directory: &Path) -> Exit {
    let (page, answer) = topic.parts(Language::English);
    let mut labs: Vec<&str> = [page, answer].map(lesson::pieces).concat().iter().filter_map(lab_of).collect();
    labs.sort_unstable();
    labs.dedup();
    for lab in labs {
        let below = directory.join(lab);
        for (name, text) in lesson::lab(lab).unwrap_or_default() {
            let written = fs::create_dir_all(&below).and_then(|()| fs::File::create_new(below.join(name)));
            let written = written.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
            if let Err(error) = written {
                terminal::cannot_write(&below.join(name), &error);
                return Exit::Unusable;
            }
        }
        let path = below.display();
        terminal::print(terminal::style().say(&text!("wrote {path}\n", "{path} 작성함\n")));
    }
    Exit::Holds
}

fn lab_of<'a>(piece: &Piece<'a>) -> Option<&'a str> {
    match piece {
        Piece::Prose(_) => None,
        Piece::Trace(attempt) => Some(attempt.lab),
        Piece::Check { lab, .. } => Some(lab),
    }
}
