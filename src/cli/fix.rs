//! `canreach fix`: ways out of violated sentences, each tried on the files before it is offered.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::mem;
use std::path::{Path, PathBuf};
use std::slice;

use crate::check::{self, Answer, CheckError, Checked, Exposure, Fix, Judgement};
use crate::language::{Text, text};
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

/// Leaves out ways out that do not help when the files are read again, or that break another sentence, and says so.
pub(super) fn keep_tried(paths: &[PathBuf], model: &Model, judgements: &mut [Judgement]) -> Result<(), CheckError> {
    let before = judgements.to_vec();
    let violated = |(_, judgement): &(usize, &mut Judgement)| judgement.verdict.answer == Answer::Violated;
    for (index, Judgement { verdict, .. }) in judgements.iter_mut().enumerate().filter(violated) {
        for fix in mem::take(&mut verdict.fixes) {
            match drawback(paths, model, &before, index, &fix)? {
                None => verdict.fixes.push(fix),
                Some(reason) => verdict.notes.push(not_a_way_out(&fix, &reason)),
            }
        }
    }
    Ok(())
}

/// Why a fix is no way out. What somebody has to type, and what is a first step only, cannot be tried.
fn drawback(
    paths: &[PathBuf],
    model: &Model,
    before: &[Judgement],
    index: usize,
    fix: &Fix,
) -> Result<Option<Text>, CheckError> {
    let is_wish = before.get(index).is_some_and(|j| j.statement.sentence.value.contains(" can "));
    let Some(patched) = check::patched(&model.sources, &fix.edits).filter(|_| fix.url.is_some() || !is_wish) else {
        return Ok(None);
    };
    let named = |(id, text)| (model.sources.get(id).name.clone(), text);
    let Some(after) = model::build_with(paths, &patched.into_iter().map(named).collect()) else {
        return Ok(Some(text!("the files cannot be read afterwards", "고친 뒤에는 파일을 읽을 수 없습니다")));
    };
    let answers = check::answers(&after.lab, &after.dataplane, &after.sources, &after.lab.sentences)?;
    Ok(broken(before, &answers, index))
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
                Tried::Fails(reason) => repair.left_out.push(left_out(fix, &reason)),
            }
        }
        Ok(repair)
    }

    fn tried(&self, before: &State, index: usize, fix: &Fix) -> Result<Tried, CheckError> {
        if fix.edits.iter().any(|edit| edit.at.is_none()) {
            return Ok(Tried::ByHand);
        }
        let Some(patched) = check::patched(&before.model.sources, &fix.edits) else {
            return Ok(Tried::Fails(text!("its edits want the same place", "수정들이 같은 자리를 두고 부딪힙니다")));
        };
        let mut texts = before.texts.clone();
        texts.extend(patched.into_iter().map(|(id, text)| (before.model.sources.get(id).name.clone(), text)));
        let Some(after) = self.with(texts)? else {
            return Ok(Tried::Fails(text!(
                "the files cannot be read afterwards",
                "고친 뒤에는 파일을 읽을 수 없습니다"
            )));
        };
        Ok(match broken(&before.checked.judgements, &after.answers(), index) {
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
    Fails(Text),
}

impl State {
    fn of(texts: Replacements, model: Model) -> Result<Self, CheckError> {
        let checked = check::check_all(&model.lab, &model.dataplane, &model.sources, &model.lab.sentences)?;
        Ok(Self { texts, model, checked, exposure: OnceCell::new() })
    }

    fn answers(&self) -> Vec<Answer> {
        self.checked.judgements.iter().map(|judgement| judgement.verdict.answer).collect()
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
fn broken(before: &[Judgement], after: &[Answer], index: usize) -> Option<Text> {
    if before.len() != after.len() {
        return Some(text!("sentences cannot be read afterwards", "고친 뒤에는 문장을 읽을 수 없습니다"));
    }
    if after.get(index) != Some(&Answer::Holds) {
        return Some(text!(
            "it does not help when the files are read again",
            "파일을 다시 읽으면 도움이 되지 않습니다"
        ));
    }
    let text = |judgement: &Judgement| judgement.statement.sentence.value.clone();
    let wish = before.get(index).map(text).unwrap_or_default();
    let breaks = before
        .iter()
        .zip(after)
        .find(|(a, b)| a.verdict.answer == Answer::Holds && **b != Answer::Holds && !is_seen_instead(&wish, &text(a)));
    breaks.map(|(broken, _)| {
        let sentence = &broken.statement.sentence.value;
        text!("it breaks `{sentence}`", "이것을 적용하면 `{sentence}` 문장이 깨집니다")
    })
}

/// `A cannot reach B with refused` beside `A can reach B` says what is seen instead: it goes when the wish comes true.
fn is_seen_instead(wish: &str, sentence: &str) -> bool {
    let (Some((who, wanted)), Some((other, seen))) = (wish.split_once(" can "), sentence.split_once(" cannot ")) else {
        return false;
    };
    let verb_and_target = |text: &str| text.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
    who == other && seen.contains(" with ") && verb_and_target(wanted) == verb_and_target(seen)
}

fn by_hand(fix: &Fix) -> Offer {
    Offer { fix: fix.clone(), files: Vec::new(), differences: Vec::new(), sources: Default::default() }
}

fn not_a_way_out(fix: &Fix, reason: &Text) -> Text {
    let left_out = left_out(fix, reason);
    text!("not a way out: {left_out}", "해결 방법이 아님: {left_out}"; left_out)
}

fn left_out(fix: &Fix, reason: &Text) -> Text {
    let what = Text::joined(fix.edits.iter().map(|edit| &edit.what), &text!(", and ", ", 그리고 "));
    text!("{what}: {reason}", "{what}: {reason}"; what, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_instead_of_a_wish_goes_with_it() {
        let check = |sentence: &str, expected: bool| {
            assert_eq!(is_seen_instead("mac can reach web:80", sentence), expected, "{sentence}");
        };
        check("mac cannot reach web:80 at localhost:80 with refused", true);
        check("mac cannot reach web:80", false);
        check("mac cannot reach web:81 with refused", false);
        check("lan cannot reach web:80 with refused", false);
        check("mac can reach web:80", false);
    }
}
