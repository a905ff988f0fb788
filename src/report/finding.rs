//! What formats for machines list: a sentence that does not hold or cannot be decided, or a message about a file. Each
//! has a code, one line that stands alone, and at most one place at which it is shown.

use crate::check::{Answer, Blocker, Judgement, Verdict};
use crate::diagnostic::{Code, Diagnostic, Label, Severity};
use crate::language::{Language, Text, text};
use crate::source::{Sources, Span};

use super::{Report, fix, path};

/// One thing to be told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finding<'a> {
    pub(super) code: Code,
    pub(super) severity: Severity,
    /// One line that stands alone.
    pub(super) headline: &'a Text,
    /// The line that is to blame; for a sentence without one, the sentence itself.
    pub(super) place: Option<Span>,
    pub(super) about: About<'a>,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    Sentence(&'a Judgement),
    File(&'a Diagnostic),
}

/// Everything that is to be told, sentences first.
pub(super) fn findings(report: &Report) -> impl Iterator<Item = Finding<'_>> {
    let sentences = report.judgements.iter().filter(|j| j.verdict.answer != Answer::Holds);
    sentences.map(Finding::of_sentence).chain(report.diagnostics.iter().map(Finding::of_file))
}

impl<'a> Finding<'a> {
    pub(super) fn of_sentence(judgement: &'a Judgement) -> Self {
        let Judgement { statement, verdict } = judgement;
        let is_violated = verdict.answer == Answer::Violated;
        let other = if is_violated { Code::Violated } else { Code::Undecided };
        Self {
            code: verdict.code.unwrap_or(other),
            severity: if is_violated && !statement.is_wish { Severity::Error } else { Severity::Warning },
            headline: &verdict.headline,
            place: verdict.blockers.iter().find_map(|b| b.origin.span()).or(Some(statement.sentence.span)),
            about: About::Sentence(judgement),
        }
    }

    pub(super) fn of_file(diagnostic: &'a Diagnostic) -> Self {
        Self {
            code: diagnostic.code,
            severity: diagnostic.severity,
            headline: &diagnostic.message,
            place: diagnostic.labels.first().map(|label| label.span),
            about: About::File(diagnostic),
        }
    }

    /// Everything that is to be said, line by line.
    pub(super) fn lines(&self, language: Language) -> Vec<String> {
        let headline = self.headline.in_language(language).to_owned();
        std::iter::once(headline).chain(self.details(language)).collect()
    }

    /// What else is to be said, line by line.
    pub(super) fn details(&self, language: Language) -> Vec<String> {
        self.more().iter().map(|text| text.in_language(language).to_owned()).collect()
    }

    fn more(&self) -> Vec<Text> {
        match self.about {
            About::Sentence(judgement) => of_judgement(judgement),
            About::File(diagnostic) => {
                let labels = diagnostic.labels.iter().map(|label| label.message.clone()).filter(|m| !m.is_empty());
                labels.chain(diagnostic.help.iter().map(help)).collect()
            }
        }
    }

    /// The other places that it is about.
    pub(super) fn elsewhere(&self) -> Vec<Label> {
        match self.about {
            About::File(diagnostic) => diagnostic.labels.iter().skip(1).cloned().collect(),
            About::Sentence(Judgement { statement, verdict }) => {
                let sentence = Label { span: statement.sentence.span, message: text!("the sentence", "문장") };
                let blocker = |b: &Blocker| Some(Label { span: b.origin.span()?, message: b.message.clone() });
                std::iter::once(sentence).chain(verdict.blockers.iter().filter_map(blocker).skip(1)).collect()
            }
        }
    }
}

fn of_judgement(Judgement { statement, verdict }: &Judgement) -> Vec<Text> {
    let mut lines = vec![text!("sentence: {asked}", "문장: {asked}", asked = &statement.sentence.value)];
    let reason = |reason: &String| text!("why it matters: {reason}", "이유: {reason}");
    lines.extend(statement.reason.iter().map(|given| reason(&given.value)));
    lines.extend(verdict.blockers.iter().map(|blocker| blocker.message.clone()));
    lines.extend(seen(verdict));
    lines.extend(verdict.conditions.iter().map(|condition| {
        let what = &condition.statement;
        match verdict.answer {
            Answer::Undecided => text!("it depends on whether {what}", "다음에 달려 있음: {what}"; what),
            _ => text!("only if {what}", "조건: {what}"; what),
        }
    }));
    lines.extend(verdict.notes.iter().map(|note| text!("note: {note}", "참고: {note}"; note)));
    lines.extend(verdict.fixes.iter().take(1).map(|fix| help(&fix::summary(fix))));
    lines
}

fn help(help: &Text) -> Text {
    text!("help: {help}", "도움말: {help}"; help)
}

/// What the person who dials sees.
fn seen(verdict: &Verdict) -> Option<Text> {
    let failure = verdict.failure.as_ref()?;
    let seen = path::symptom(failure.trace.outcome.symptom, failure.trace.flow.protocol);
    let url = &failure.url;
    Some(text!("what you would see at {url}: {seen}", "{url} 주소에서 보이는 증상: {seen}"; seen))
}

/// A place as it is shown: what is missing behind the last line is shown at the end of that line.
pub(super) fn shown(sources: &Sources, span: Span) -> Span {
    let end = sources.get(span.source).text.trim_end_matches(['\r', '\n']).len();
    Span::new(span.source, span.start.min(end), span.end.min(end))
}
