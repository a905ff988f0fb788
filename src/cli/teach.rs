//! `canreach teach`: lessons, whose connections are followed when they are read.

use std::fs;
use std::path::Path;

use crate::check;
use crate::dataplane::Flow;
use crate::diagnostic::did_you_mean;
use crate::eval;
use crate::language::{Language, text};
use crate::lesson::{self, Attempt, Piece, Topic};
use crate::net::Protocol;
use crate::report::lesson as rendering;
use crate::source::{Span, Spanned};

use super::args::TeachArguments;
use super::model::Model;
use super::{Exit, terminal};

pub(super) fn run(arguments: &TeachArguments) -> Exit {
    let Some(asked) = &arguments.topic else {
        terminal::print(&list(terminal::language()));
        return Exit::Holds;
    };
    let Some(topic) = topic(asked) else {
        terminal::complain(&unknown(asked));
        return Exit::Unusable;
    };
    match &arguments.copy {
        Some(directory) => copy(topic, directory),
        None => show(topic, arguments.answer),
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
        Piece::Trace(attempt) => followed(attempt),
        Piece::Check { lab, sentences } => decided(lab, sentences),
    }
}

/// A connection of a lesson, step by step.
fn followed(attempt: &Attempt<'_>) -> Option<String> {
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
    Some(rendering::steps(&model.dataplane, &trace, &model.sources, terminal::style()))
}

/// Sentences of a lesson with their verdicts.
fn decided(lab: &str, sentences: &[(&str, &str)]) -> Option<String> {
    let mut model = model(lab)?;
    let mut statements = Vec::new();
    for (sentence, _) in sentences {
        let source = model.sources.add("(lesson)", sentence);
        statements.push(Spanned::new((*sentence).to_owned(), Span::new(source, 0, sentence.len())).into());
    }
    let checked = check::check_all(&model.lab, &model.dataplane, &model.sources, &statements);
    let checked = checked.map_err(|error| terminal::complain(&format!("this is a bug of canreach: {error}"))).ok()?;
    Some(checked.judgements.iter().map(|judgement| rendering::verdict(judgement, terminal::style())).collect())
}

fn model(lab: &str) -> Option<Model> {
    let files = lesson::lab(lab);
    if files.is_none() {
        terminal::complain(&format!("this is a bug of canreach: the lesson's lab `{lab}` is not there"));
    }
    Model::of_texts(lab, files?)
}

/// Every lesson with its title.
fn list(language: Language) -> String {
    let width = Topic::ALL.iter().map(|topic| topic.name().len()).max().unwrap_or(0);
    Topic::ALL.iter().map(|topic| format!("{:width$}  {}\n", topic.name(), topic.title(language))).collect()
}

fn unknown(asked: &str) -> String {
    let near = did_you_mean(asked, Topic::ALL.iter().map(|topic| topic.name()));
    let help = near.map_or("`canreach teach` lists all".to_owned(), |near| format!("did you mean `{near}`?"));
    format!("there is no lesson `{asked}`; {help}")
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
                terminal::complain(&format!("cannot write `{}`: {error}", below.join(name).display()));
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
