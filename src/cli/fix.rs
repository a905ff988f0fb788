//! `canreach fix`: ways out of violated sentences, each tried on the files before it is offered.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::slice;

use crate::check::{self, Answer, CheckError, Checked, Exposure, Fix, Judgement};
use crate::report::Report;
use crate::report::fix::{self as rendering, Offer, PatchedFile, Repair};
use crate::source::Sources;

use super::args::{FixArguments, Format};
use super::diff::view;
use super::exposure::contradiction;
use super::load::Replacements;
use super::model::{self, Model};
use super::{Exit, check as checking, terminal};

pub(super) fn run(arguments: &FixArguments, format: Format) -> Exit {
    let lab = Lab { path: arguments.lab.clone() };
    let Some(model) = model::build(slice::from_ref(&lab.path)) else { return Exit::Unusable };
    model.complain_about_files();
    let ending = if arguments.apply { lab.apply(format) } else { lab.offer(model, format) };
    ending.unwrap_or_else(|error| contradiction(&error))
}

/// The ways out of a sentence that work, in the lab with some texts in place of those on disk.
pub(super) fn working(path: &Path, texts: &Replacements, sentence: &str) -> Result<Vec<Fix>, CheckError> {
    let lab = Lab { path: path.to_owned() };
    let Some(state) = lab.with(texts.clone())? else { return Ok(Vec::new()) };
    let mut working = Vec::new();
    let asked = state.violated().filter(|(_, judgement)| judgement.statement.sentence.value == sentence);
    for (index, judgement) in asked {
        for fix in &judgement.verdict.fixes {
            if matches!(lab.tried(&state, index, fix)?, Tried::Works(_)) {
                working.push(fix.clone());
            }
        }
    }
    Ok(working)
}

/// The files of a lab on disk, of which some may be replaced.
struct Lab {
    path: PathBuf,
}

/// A lab as some texts make it.
struct State {
    texts: Replacements,
    model: Model,
    checked: Checked,
    /// Who can reach what; is made when somebody asks for it.
    exposure: OnceCell<Exposure>,
}

impl Lab {
    /// The lab with other texts, read from scratch.
    fn with(&self, texts: Replacements) -> Result<Option<State>, CheckError> {
        match model::build_with(slice::from_ref(&self.path), &texts) {
            Some(model) => State::of(texts, model).map(Some),
            None => Ok(None),
        }
    }

    fn offer(&self, model: Model, format: Format) -> Result<Exit, CheckError> {
        let state = State::of(Replacements::new(), model)?;
        let mut repairs = Vec::new();
        for (index, judgement) in state.violated() {
            repairs.push(self.repair(&state, index, judgement)?);
        }
        terminal::print(&match format {
            Format::Json => rendering::json(&repairs, &state.model.sources),
            _ => rendering::render(&repairs, terminal::style()),
        });
        Ok(state.exit())
    }

    /// Every fix of a sentence that helps and breaks nothing.
    fn repair(&self, state: &State, index: usize, judgement: &Judgement) -> Result<Repair, CheckError> {
        let sentence = judgement.statement.sentence.value.clone();
        let headline = judgement.verdict.headline.clone();
        let mut repair = Repair { sentence, headline, offers: Vec::new(), left_out: Vec::new() };
        for fix in &judgement.verdict.fixes {
            match self.tried(state, index, fix)? {
                Tried::Works(after) => repair.offers.push(state.offer(fix, &after)?),
                Tried::ByHand => repair.offers.push(by_hand(fix)),
                Tried::Fails(reason) => repair.left_out.push(format!("{}: {reason}", what(fix))),
            }
        }
        Ok(repair)
    }

    fn tried(&self, before: &State, index: usize, fix: &Fix) -> Result<Tried, CheckError> {
        if fix.edits.iter().any(|edit| edit.at.is_none()) {
            return Ok(Tried::ByHand);
        }
        let Some(patched) = check::patched(&before.model.sources, &fix.edits) else {
            return Ok(Tried::Fails("its edits want the same place".to_owned()));
        };
        let mut texts = before.texts.clone();
        texts.extend(patched.into_iter().map(|(id, text)| (before.model.sources.get(id).name.clone(), text)));
        let Some(after) = self.with(texts)? else {
            return Ok(Tried::Fails("the files cannot be read afterwards".to_owned()));
        };
        Ok(match broken(&before.checked.judgements, &after.checked.judgements, index) {
            Some(reason) => Tried::Fails(reason),
            None => Tried::Works(Box::new(after)),
        })
    }

    /// Takes the first fix of each violated sentence, one after the other: a fix may help the next sentence, too.
    fn apply(&self, format: Format) -> Result<Exit, CheckError> {
        let Some(mut state) = self.with(Replacements::new())? else { return Ok(Exit::Unusable) };
        let original = state.model.sources.clone();
        while let Some(next) = self.next(&state)? {
            state = next;
        }
        let changed: Vec<PatchedFile> = state.changed(&original);
        let unwritten = changed.iter().filter_map(|file| state.model.write(file).err()).collect::<Vec<_>>();
        for problem in &unwritten {
            terminal::complain(problem);
        }
        if !unwritten.is_empty() {
            return Ok(Exit::Unusable);
        }
        if format == Format::Human {
            terminal::print(&rendering::patches(&changed, terminal::style()));
        }
        let Some(model) = model::build(slice::from_ref(&self.path)) else { return Ok(Exit::Unusable) };
        let sentences = model.lab.sentences.clone();
        Ok(checking::decide(model, &sentences, format))
    }

    fn next(&self, state: &State) -> Result<Option<State>, CheckError> {
        for (index, judgement) in state.violated() {
            for fix in &judgement.verdict.fixes {
                if let Tried::Works(after) = self.tried(state, index, fix)? {
                    return Ok(Some(*after));
                }
            }
        }
        Ok(None)
    }
}

/// What came of a fix.
enum Tried {
    Works(Box<State>),
    ByHand,
    Fails(String),
}

impl State {
    fn of(texts: Replacements, model: Model) -> Result<Self, CheckError> {
        let checked = check::check_all(&model.lab, &model.dataplane, &model.sources, &model.lab.sentences)?;
        Ok(Self { texts, model, checked, exposure: OnceCell::new() })
    }

    fn exposure(&self) -> Result<&Exposure, CheckError> {
        let exposure = match self.exposure.get() {
            Some(exposure) => return Ok(exposure),
            None => check::exposure(&self.model.lab, &self.model.dataplane)?,
        };
        Ok(self.exposure.get_or_init(|| exposure))
    }

    fn violated(&self) -> impl Iterator<Item = (usize, &Judgement)> {
        self.checked.judgements.iter().enumerate().filter(|(_, j)| j.verdict.answer == Answer::Violated)
    }

    fn offer(&self, fix: &Fix, after: &Self) -> Result<Offer, CheckError> {
        let differences = check::diff(view((&self.model, self.exposure()?)), view((&after.model, after.exposure()?)));
        let sources = after.model.sources.clone();
        Ok(Offer { fix: fix.clone(), files: after.changed(&self.model.sources), differences, sources })
    }

    /// The replaced texts beside what stood there before.
    fn changed(&self, before: &Sources) -> Vec<PatchedFile> {
        let old: BTreeMap<&str, &str> = before.iter().map(|(_, s)| (s.name.as_str(), &*s.text)).collect();
        let file = |(name, new): (&String, &String)| {
            let old = (*old.get(name.as_str())?).to_owned();
            (old != *new).then(|| PatchedFile { name: name.clone(), old, new: new.clone() })
        };
        self.texts.iter().filter_map(file).collect()
    }

    fn exit(self) -> Exit {
        let Model { dataplane, mut diagnostics, .. } = self.model;
        diagnostics.extend(self.checked.diagnostics);
        Exit::of(&Report { judgements: self.checked.judgements, diagnostics, dataplane })
    }
}

/// Why a fix is not offered: its own sentence must hold, and everything that held before.
fn broken(before: &[Judgement], after: &[Judgement], index: usize) -> Option<String> {
    if before.len() != after.len() {
        return Some("sentences cannot be read afterwards".to_owned());
    }
    if after.get(index).is_none_or(|j| j.verdict.answer != Answer::Holds) {
        return Some("it does not help when the files are read again".to_owned());
    }
    let breaks =
        before.iter().zip(after).find(|(a, b)| a.verdict.answer == Answer::Holds && b.verdict.answer != Answer::Holds);
    breaks.map(|(sentence, _)| format!("it breaks `{}`", sentence.statement.sentence.value))
}

fn by_hand(fix: &Fix) -> Offer {
    Offer { fix: fix.clone(), files: Vec::new(), differences: Vec::new(), sources: Default::default() }
}

fn what(fix: &Fix) -> String {
    let what: Vec<&str> = fix.edits.iter().map(|e| e.what.as_str()).collect();
    what.join(", and ")
}
