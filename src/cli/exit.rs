//! Exit codes.

use std::process::{ExitCode, Termination};

use crate::check::Answer;
use crate::diagnostic::Severity;
use crate::report::Report;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: every sentence holds, or the question was answered.
    Holds,
    /// 1: a sentence is violated, or the traced connection fails.
    Violated,
    /// 2: the arguments or some of the files cannot be used, or there is no sentence.
    Unusable,
    /// 3: no sentence is violated, but some cannot be decided.
    Undecided,
    /// 70: this program contradicts itself.
    Internal,
}

impl Exit {
    /// A violation outweighs an error in a file, and that outweighs an undecided sentence. Nothing decided is no
    /// success: a CI run whose sentences are not found must not be green. A sentence with `severity: warning` is a
    /// wish: it changes nothing.
    pub fn of(report: &Report) -> Self {
        if report.insists(Answer::Violated) {
            Self::Violated
        } else if report.count_diagnostics(Severity::Error) > 0 || report.judgements.is_empty() {
            Self::Unusable
        } else if report.insists(Answer::Undecided) {
            Self::Undecided
        } else {
            Self::Holds
        }
    }

    /// The exit of two labs: that of the one that ends worse.
    pub fn or(self, other: Self) -> Self {
        let worst_first = [Self::Internal, Self::Violated, Self::Unusable, Self::Undecided];
        worst_first.into_iter().find(|exit| [self, other].contains(exit)).unwrap_or(Self::Holds)
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Holds => 0,
            Self::Violated => 1,
            Self::Unusable => 2,
            Self::Undecided => 3,
            Self::Internal => 70,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Judgement, Verdict};
    use crate::dataplane::Dataplane;
    use crate::diagnostic::{Code, Diagnostic};
    use crate::lab::Statement;
    use crate::language::Text;
    use crate::source::{Sources, Span, Spanned};

    fn judgement(answer: Answer, is_wish: bool) -> Judgement {
        let sentence = Spanned::new(String::new(), Span::new(Sources::default().add("f", ""), 0, 0));
        let statement = Statement { sentence, reason: None, is_wish };
        Judgement { statement, verdict: Verdict::new(answer, Text::default()) }
    }

    #[test]
    fn a_wish_fails_nothing() {
        let check = |answers: &[(Answer, bool)], expected| {
            let judgements = answers.iter().map(|(answer, is_wish)| judgement(*answer, *is_wish)).collect();
            let report = Report { judgements, diagnostics: Vec::new(), dataplane: Dataplane::default() };
            assert_eq!(Exit::of(&report), expected);
        };
        check(&[(Answer::Violated, true), (Answer::Undecided, true)], Exit::Holds);
        check(&[(Answer::Violated, true), (Answer::Undecided, false)], Exit::Undecided);
        check(&[(Answer::Violated, true), (Answer::Violated, false)], Exit::Violated);
    }

    #[test]
    fn a_violation_outweighs_an_error_and_that_an_undecided_sentence() {
        let check = |answers: &[Answer], codes: &[Code], expected| {
            let judgement = |answer: &Answer| judgement(*answer, false);
            let report = Report {
                judgements: answers.iter().map(judgement).collect(),
                diagnostics: codes.iter().map(|code| Diagnostic::new(*code, "")).collect(),
                dataplane: Dataplane::default(),
            };
            assert_eq!(Exit::of(&report), expected);
        };
        check(&[], &[], Exit::Unusable);
        check(&[Answer::Holds], &[Code::UnknownKey], Exit::Holds);
        check(&[Answer::Holds, Answer::Undecided], &[], Exit::Undecided);
        check(&[Answer::Undecided], &[Code::YamlSyntax], Exit::Unusable);
        check(&[Answer::Undecided, Answer::Violated], &[Code::YamlSyntax], Exit::Violated);
    }
}
