//! Sentences that are violated, turned round to what is true: the change was meant.

use crate::dataplane::Dataplane;
use crate::eval;
use crate::lab::Lab;
use crate::language::text;
use crate::property::{Sentence, parse};
use crate::source::{Sources, Span, Spanned};

use super::CheckError;
use super::decide::{Checker, Stop};
use super::verdict::{Answer, Edit, Judgement};

/// The edit that makes a violated sentence say what is the case; nothing if no sentence of the same words does.
///
/// # Errors
/// Only when the two engines disagree, which is a bug of this program.
pub fn accepted(
    lab: &Lab,
    dataplane: &Dataplane,
    sources: &Sources,
    judgement: &Judgement,
) -> Result<Option<Edit>, CheckError> {
    let written = &judgement.statement.sentence;
    let is_verbatim = sources.text(written.span) == written.value;
    let Some(sentence) = parse(written).ok().filter(|_| is_verbatim) else { return Ok(None) };
    let checker = Checker::new(lab, dataplane, sources, eval::trace);
    for text in turned(&sentence, written.span) {
        let Ok(sentence) = parse(&Spanned::new(text.clone(), written.span)) else { continue };
        match checker.judge(&sentence) {
            Ok(verdict) if verdict.answer == Answer::Holds => {
                let what = text!("say `{text}`", "`{text}`로 바꿔 씀");
                return Ok(Some(Edit { what, at: Some(written.span), text }));
            }
            Ok(_) | Err(Stop::Sentence(_)) => {}
            Err(Stop::Engines(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// What could be said instead: without the expected symptom and cause, and the other way round.
fn turned(sentence: &Sentence, whole: Span) -> Vec<String> {
    let text = &sentence.text.value;
    let ends = [sentence.symptom.as_ref().map(|s| s.span), sentence.cause.as_ref().map(|c| c.span)];
    let first = ends.into_iter().flatten().map(|span| span.start.saturating_sub(whole.start)).min();
    // The word before the symptom or cause is `with` or `because`.
    let bare = first.and_then(|start| text.get(..start)?.trim_end().rsplit_once(' ')).map_or(text.as_str(), |(b, _)| b);
    let bare = bare.trim_end();
    let without_only = bare.strip_prefix("only ").filter(|_| sentence.only.is_some()).unwrap_or(bare);
    let (old, new) = if sentence.can { (" can ", " cannot ") } else { (" cannot ", " can ") };
    let opposite = without_only.replacen(old, new, 1);
    let mut all = vec![bare.to_owned(), without_only.to_owned(), opposite];
    all.retain(|candidate| candidate != text);
    all
}
