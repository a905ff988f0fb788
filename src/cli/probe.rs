//! `canreach probe`: what to try on the real machines, and what the answers mean.

use std::fs;
use std::slice;

use crate::check;
use crate::lab::Statement;
use crate::language::text;
use crate::report::probe as rendering;
use crate::report::terminal as messages;
use crate::source::{Span, Spanned};

use super::args::{Format, ProbeArguments};
use super::exposure::contradiction;
use super::{Exit, model, terminal};

pub(super) fn run(arguments: &ProbeArguments, format: Format) -> Exit {
    let Some(mut model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    model.complain_about_files();
    let statements = match &arguments.sentence {
        Some(sentence) => {
            let source = model.sources.add("(sentence)", sentence);
            vec![Statement::from(Spanned::new(sentence.clone(), Span::new(source, 0, sentence.len())))]
        }
        None => model.lab.sentences.clone(),
    };
    let (probes, checked) = match check::probes(&model.lab, &model.dataplane, &model.sources, &statements) {
        Ok(found) => found,
        Err(error) => return contradiction(&error),
    };
    if !checked.diagnostics.is_empty() || probes.is_empty() {
        terminal::print_aside(&messages::render_diagnostics(&checked.diagnostics, &model.sources, terminal::style()));
        terminal::complain(text!(
            "there is nothing to try: no sentence says who is to reach what",
            "시험할 것이 없습니다: 누가 무엇에 연결할 수 있어야 하는지 적은 문장이 없습니다"
        ));
        return Exit::Unusable;
    }
    let findings = match arguments.observed.as_ref().map(fs::read_to_string) {
        None => None,
        Some(Err(error)) => {
            terminal::complain(text!(
                "cannot read what was observed: {error}",
                "관찰한 결과를 읽을 수 없습니다: {error}"
            ));
            return Exit::Unusable;
        }
        Some(Ok(text)) => {
            let (observed, unreadable) = check::read_observed(&text);
            for line in unreadable {
                terminal::complain(text!(
                    "line {line} of what was observed is not `on HOST: COMMAND => OUTCOME`",
                    "관찰한 결과의 {line}번째 줄이 `on HOST: COMMAND => OUTCOME` 형식이 아닙니다"
                ));
            }
            Some(check::diagnose(&model.dataplane, &probes, &observed))
        }
    };
    let known = findings.as_deref().unwrap_or_default();
    terminal::print(&match (format, &findings) {
        (Format::Json, _) => rendering::json(&probes, known, &model.sources),
        (_, None) => rendering::form(&probes, terminal::style()),
        (_, Some(found)) => rendering::findings(&probes, found, &model.sources, terminal::style()),
    });
    if known.is_empty() { Exit::Holds } else { Exit::Violated }
}
