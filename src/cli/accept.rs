//! `canreach accept`: violated sentences are turned round, where they stand, to what is the case.

use std::slice;

use crate::check::{self, Answer, CheckError, Edit};
use crate::language::{Text, text};
use crate::report::fix::{self as rendering, PatchedFile};

use super::args::AcceptArguments;
use super::exposure::contradiction;
use super::model::{self, Model};
use super::{Exit, terminal};

/// Rewrites the sentences of a lab.
pub(super) fn run(arguments: &AcceptArguments) -> Exit {
    let Some(model) = model::build(slice::from_ref(&arguments.lab)) else { return Exit::Unusable };
    model.complain_about_files();
    match turned(&model) {
        Ok(edits) => write(&model, &edits, arguments.dry_run),
        Err(error) => contradiction(&error),
    }
}

/// The edits, and a complaint about every sentence that has none.
fn turned(model: &Model) -> Result<Vec<Edit>, CheckError> {
    let checked = check::check_all(&model.lab, &model.dataplane, &model.sources, &model.lab.sentences)?;
    let mut edits = Vec::new();
    for judgement in checked.judgements.iter().filter(|j| j.verdict.answer == Answer::Violated) {
        let edit = check::accepted(&model.lab, &model.dataplane, &model.sources, judgement)?;
        if edit.is_none() {
            let sentence = &judgement.statement.sentence;
            let place = model.sources.place(sentence.span);
            terminal::complain(text!(
                "{place}: neither `{asked}` nor its opposite holds; left alone",
                "{place}: `{asked}`도 그 반대도 성립하지 않아 그대로 둡니다",
                asked = &sentence.value
            ));
        }
        edits.extend(edit);
    }
    Ok(edits)
}

fn write(model: &Model, edits: &[Edit], is_dry_run: bool) -> Exit {
    let patched = check::patched(&model.sources, edits).unwrap_or_default();
    let file = |(id, new)| {
        let source = model.sources.get(id);
        PatchedFile { name: source.name.clone(), old: source.text.to_string(), new }
    };
    let files: Vec<PatchedFile> = patched.into_iter().map(file).collect();
    if files.is_empty() {
        let nothing = text!(
            "nothing to accept: no sentence was turned round\n",
            "받아들일 것이 없습니다: 뒤집은 문장이 없습니다\n"
        );
        terminal::print(terminal::style().say(&nothing));
    }
    terminal::print(&rendering::patches(&files, terminal::style()));
    let problems: Vec<Text> = files.iter().filter(|_| !is_dry_run).filter_map(|file| model.write(file).err()).collect();
    problems.iter().for_each(terminal::complain);
    if problems.is_empty() { Exit::Holds } else { Exit::Unusable }
}
