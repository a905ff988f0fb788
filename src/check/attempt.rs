//! What a sentence looks like from the dialler's chair: one connection, also where the sentence says that there is none.

use crate::dataplane::Dataplane;
use crate::eval;
use crate::lab::Lab;
use crate::property::{Sentence, parse};
use crate::source::Sources;

use super::CheckError;
use super::decide::{Checker, Stop};
use super::verdict::{Answer, Blocker, Judgement, Witness};

/// A connection that shows why a sentence got its verdict.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The connection.
    pub witness: Witness,
    /// What stops it, or what lets it in.
    pub blockers: Vec<Blocker>,
}

/// The connection that shows best why a judgement is as it is: the one that works, the one that fails, or for a
/// `cannot` that holds the one that its opposite would need. Nothing where nobody can dial.
///
/// # Errors
/// Only when the two engines disagree, which is a bug of this program.
pub fn attempt(
    lab: &Lab,
    dataplane: &Dataplane,
    sources: &Sources,
    judgement: &Judgement,
) -> Result<Option<Attempt>, CheckError> {
    let verdict = &judgement.verdict;
    if let Some(witness) = verdict.failure.as_ref().or(verdict.witnesses.first()) {
        return Ok(Some(Attempt { witness: witness.clone(), blockers: verdict.blockers.clone() }));
    }
    let Some(sentence) = parse(&judgement.statement.sentence).ok().filter(|sentence| !sentence.can) else {
        return Ok(None);
    };
    let opposite = Sentence { can: true, symptom: None, cause: None, ..sentence };
    match Checker::new(lab, dataplane, sources, eval::trace).judge(&opposite) {
        Ok(mut verdict) if verdict.answer == Answer::Violated => {
            let failure = verdict.failure.take();
            Ok(failure.map(|witness| Attempt { witness, blockers: verdict.blockers }))
        }
        Ok(_) | Err(Stop::Sentence(_)) => Ok(None),
        Err(Stop::Engines(error)) => Err(error),
    }
}
