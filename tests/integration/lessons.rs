//! Lessons are true: what they say of a lab in sentences has the verdict that they name, and every connection can be
//! followed, in every language.

use std::path::Path;
use std::process::Command;

use canreach::check::{self, Answer};
use canreach::language::Language;
use canreach::lesson::{self, Piece, Topic};
use canreach::lower;
use canreach::source::{Span, Spanned};

use crate::cli::canreach_in;
use crate::support::{Directory, sources_and_lab_of};

fn pieces(topic: Topic) -> Vec<Piece<'static>> {
    let (lesson, answer) = topic.parts(Language::English);
    [lesson, answer].map(lesson::pieces).concat()
}

#[test]
fn every_claim_is_true() {
    let mut wrong = Vec::new();
    for topic in Topic::ALL {
        for piece in pieces(*topic) {
            let Piece::Check { lab: name, sentences } = piece else { continue };
            let (mut sources, lab) = sources_and_lab_of(lesson::lab(name).unwrap());
            let dataplane = lower::lower(&lab);
            for (sentence, expected) in sentences {
                let source = sources.add("(lesson)", sentence);
                let statement = Spanned::new(sentence.to_owned(), Span::new(source, 0, sentence.len())).into();
                let checked = check::check_all(&lab, &dataplane, &sources, &[statement]).unwrap();
                let said = checked.judgements.first().map(|judgement| match judgement.verdict.answer {
                    Answer::Holds => "holds",
                    Answer::Violated => "violated",
                    Answer::Undecided => "undecided",
                });
                if said != Some(expected) {
                    let why: Vec<&str> = checked.diagnostics.iter().map(|d| d.message.as_str()).collect();
                    wrong.push(format!("{}: {name}: {sentence}: {said:?} {why:?}", topic.name()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn taught(arguments: &[&str], language: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_canreach"))
        .arg("teach")
        .args(arguments)
        .env_clear()
        .env("LANG", language)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn every_lesson_is_given_in_every_language() {
    for topic in Topic::ALL {
        let traces = pieces(*topic).iter().filter(|piece| matches!(piece, Piece::Trace(_))).count();
        for (locale, seen, language) in [
            ("C.UTF-8", "what you would see: ", Language::English),
            ("ko_KR.UTF-8", "눈에 보이는 결과: ", Language::Korean),
        ] {
            let whole = taught(&[topic.name()], locale) + &taught(&[topic.name(), "--answer"], locale);
            assert_eq!(whole.matches(seen).count(), traces, "{} {language:?}", topic.name());
            assert!(whole.starts_with(&format!("# {}", topic.title(language))) && !whole.contains("```canreach"));
        }
    }
}

#[test]
fn the_labs_of_a_lesson_can_be_asked_questions() {
    let directory = Directory::with(&[("empty", b"")]);
    let run = |arguments: &[&str]| canreach_in(directory.path(), arguments);
    run(&["teach", "nat", "--copy", "lesson"]).check(0, &["lesson"]);
    run(&["ask", "lesson/learning", "phone cannot reach grafana:3000"]).check(0, &["ok"]);
    run(&["teach", "nat", "--copy", "lesson"]).check(2, &["cannot write"]);
    run(&["explain", "nat"]).check(0, &["# Why NAT lets nobody in"]);
    run(&["teach"]).check(0, &["firewalld  Why firewalld does not stop published ports"]);
    run(&["teach", "natt"]).check(2, &["did you mean `nat`?"]);
}

/// One lesson as it is read, to be looked at.
#[test]
fn what_a_learner_reads() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new("../../snapshots/lessons"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, locale) in [("nat", "C.UTF-8"), ("nat.ko", "ko_KR.UTF-8")] {
        settings.bind(|| insta::assert_snapshot!(name, taught(&["nat"], locale)));
    }
}
