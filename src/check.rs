//! Resolves a sentence against the lab, asks `smt`, replays with `eval`, and says why.
//!
//! Every model of the solver is replayed by the interpreter before it is shown, in release builds too; a
//! disagreement is an error of this program that shows both answers ([`CheckError::Disagreement`]).

pub mod accept;
mod aim;
pub mod attempt;
mod blame;
mod called;
mod chosen_port;
pub mod contrast;
pub mod coverage;
mod crowd;
mod decide;
pub mod diff;
mod edits;
pub mod exposure;
mod fold;
mod hangs_on;
pub mod infer;
pub mod matrix;
mod obstacle;
mod own_loopback;
mod parallel;
mod place;
mod plan;
pub mod probe;
mod refused;
pub mod repair;
mod symptom;
mod targets;
pub mod verdict;

use thiserror::Error;

pub use accept::accepted;
pub use attempt::{Attempt, attempt};
pub use called::called;
pub use contrast::{Contrast, Told, contrast};
pub use coverage::{Coverage, Line, Unnoticed, coverage};
pub use crowd::{Extent, Part};
pub use diff::{Change, Difference, Side, View, diff};
pub use exposure::{Class, Contact, Dialler, Exposure, Listener, exposure};
pub use infer::{Inferred, infer};
pub use matrix::{Axis, Cell, Matrix, Row, matrix};
pub use probe::{Finding, Observed, Probe, Stage, diagnose, probes, read_observed};
pub use repair::patched;
pub use verdict::{Answer, Blocker, Condition, Edit, Fix, Judgement, Verdict, Witness};

use crate::dataplane::{Dataplane, Flow, Trace};
use crate::diagnostic::{Code, Diagnostic};
use crate::eval;
use crate::lab::{Lab, Statement};
use crate::language::{Text, text};
use crate::property::parse;
use crate::source::{Sources, Spanned};
use crate::switch::Setting;

use decide::Checker;
use parallel::in_parallel;

/// This program contradicts itself.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The solver found a connection that the interpreter does not see succeed.
    #[error("the two engines disagree about `{sentence}`: the solver says that {flow:?} succeeds, the interpreter says {:?}", trace.outcome)]
    Disagreement {
        /// The sentence.
        sentence: String,
        /// The solver's answer.
        flow: Flow,
        /// The interpreter's answer.
        trace: Box<Trace>,
    },
    /// The interpreter sees a connection succeed where the solver says that there is none.
    #[error("the two engines disagree about `{sentence}`: the solver says that nothing succeeds, but {flow:?} does")]
    Overlooked {
        /// The sentence.
        sentence: String,
        /// What succeeds.
        flow: Flow,
        /// The interpreter's answer.
        trace: Box<Trace>,
    },
}

/// All sentences of a lab, judged, and what is wrong with those that cannot be.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// One judgement per readable sentence, in order.
    pub judgements: Vec<Judgement>,
    /// Sentences that could not be read or are about nobody.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Takes no assumption for granted: what depends on one is undecided.
    #[must_use]
    pub fn strictly(mut self) -> Self {
        for Judgement { statement, verdict } in &mut self.judgements {
            if !verdict.conditions.is_empty() {
                let sentence = &statement.sentence.value;
                let assumed = Text::joined(verdict.conditions.iter().map(|c| &c.statement), &", ".into());
                verdict.headline = text!(
                    "`{sentence}` is undecided: it depends on whether {assumed}",
                    "`{sentence}`: 판정 불가. 다음 여부에 달려 있습니다: {assumed}";
                    assumed
                );
                verdict.answer = Answer::Undecided;
                verdict.code = Some(Code::Undecided);
            }
        }
        self
    }
}

/// The interpreter, as the checker calls it.
pub type Replay = fn(&Dataplane, &Flow, &Setting) -> Trace;

/// Judges sentences.
///
/// # Errors
/// Only when the two engines disagree, which is a bug of this program.
pub fn check_all(
    lab: &Lab,
    dataplane: &Dataplane,
    sources: &Sources,
    statements: &[Statement],
) -> Result<Checked, CheckError> {
    check_with(lab, dataplane, sources, statements, eval::trace)
}

/// Judges sentences with another interpreter: shows in tests that the replay catches a wrong engine.
///
/// # Errors
/// When the solver and `replay` disagree.
pub fn check_with(
    lab: &Lab,
    dataplane: &Dataplane,
    sources: &Sources,
    statements: &[Statement],
    replay: Replay,
) -> Result<Checked, CheckError> {
    let checker = Checker::new(lab, dataplane, sources, replay);
    let mut checked = Checked::default();
    for judged in in_parallel(statements, |statement| judge(&checker, statement)) {
        match judged? {
            Ok(judgement) => checked.judgements.push(judgement),
            Err(diagnostic) => checked.diagnostics.push(*diagnostic),
        }
    }
    Ok(checked)
}

/// Only the answers, in the order of the sentences that can be read: what explains them is not looked for.
///
/// # Errors
/// When the two engines disagree, which is a bug of this program.
pub fn answers(
    lab: &Lab,
    dataplane: &Dataplane,
    sources: &Sources,
    statements: &[Statement],
) -> Result<Vec<Answer>, CheckError> {
    Ok(briefly(lab, dataplane, sources, statements)?.into_iter().flatten().collect())
}

/// The answer of every sentence, or what is wrong with it.
fn briefly(
    lab: &Lab,
    dataplane: &Dataplane,
    sources: &Sources,
    statements: &[Statement],
) -> Result<Vec<Result<Answer, Box<Diagnostic>>>, CheckError> {
    let checker = Checker::brief(lab, dataplane, sources);
    let judged = in_parallel(statements, |statement| judge(&checker, statement));
    judged.into_iter().map(|judged| Ok(judged?.map(|judgement| judgement.verdict.answer))).collect()
}

fn judge(checker: &Checker<'_>, statement: &Statement) -> Result<Result<Judgement, Box<Diagnostic>>, CheckError> {
    let judged = parse(&statement.sentence).and_then(|sentence| checker.judge(&sentence).transpose_error());
    match judged {
        Ok(Ok(mut verdict)) => {
            forget_assumed_origins(&mut verdict, checker.places.dataplane);
            Ok(Ok(Judgement { statement: statement.clone(), verdict }))
        }
        Ok(Err(error)) => Err(error),
        Err(diagnostic) => Ok(Err(diagnostic)),
    }
}

/// A program that is only assumed to listen has no origin in the dataplane that a report walks through; the verdict
/// says it as a condition.
fn forget_assumed_origins(verdict: &mut Verdict, dataplane: &Dataplane) {
    let steps = verdict.witnesses.iter_mut().chain(&mut verdict.failure).flat_map(|witness| &mut witness.trace.steps);
    for step in steps {
        step.origin = step.origin.filter(|id| dataplane.origins.has(*id));
    }
}

/// The solver's questions for a sentence, in SMT-LIB.
///
/// # Errors
/// A diagnostic when the sentence cannot be read or is about nobody.
pub fn smt2(
    lab: &Lab,
    dataplane: &Dataplane,
    sources: &Sources,
    text: &Spanned<String>,
) -> Result<String, Box<Diagnostic>> {
    let sentence = parse(text)?;
    Checker::new(lab, dataplane, sources, eval::trace).smt2(&sentence)
}

/// Separates what is wrong with the sentence from what is wrong with this program.
trait TransposeError<T> {
    fn transpose_error(self) -> Result<Result<T, CheckError>, Box<Diagnostic>>;
}

impl<T> TransposeError<T> for Result<T, decide::Stop> {
    fn transpose_error(self) -> Result<Result<T, CheckError>, Box<Diagnostic>> {
        match self {
            Ok(value) => Ok(Ok(value)),
            Err(decide::Stop::Sentence(diagnostic)) => Err(diagnostic),
            Err(decide::Stop::Engines(error)) => Ok(Err(error)),
        }
    }
}
