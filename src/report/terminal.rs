//! A report for a person at a terminal: messages about the files first, then every sentence, then one line that counts.

use crate::check::{Answer, Blocker, Condition, Edit, Judgement, Verdict, Witness};
use crate::dataplane::{Dataplane, Symptom, Way};
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::provenance::{Basis, Origin};
use crate::source::Sources;

use super::message::Message;
use super::{Report, Style, fix, patch, path};

const GREEN: u8 = 32;
const RED: u8 = 31;
const YELLOW: u8 = 33;
const CYAN: u8 = 36;

/// Of the addresses that work, at most this many are listed.
const MOST_ADDRESSES: usize = 4;

/// The whole report.
pub fn render(report: &Report, sources: &Sources, style: Style) -> String {
    let page = Page { dataplane: &report.dataplane, sources, style };
    let mut blocks: Vec<String> = report.diagnostics.iter().map(|d| page.diagnostic(d)).collect();
    for same in report.judgements.chunk_by(|a, b| holds(a) && holds(b)) {
        blocks.push(same.iter().map(|judgement| page.judgement(judgement)).collect());
    }
    blocks.push(page.summary(report));
    blocks.join("\n")
}

/// Messages about the files alone.
pub fn render_diagnostics(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let messages: Vec<_> = diagnostics.iter().map(|d| Message::from_diagnostic(d, sources).draw(style)).collect();
    messages.join("\n")
}

/// Messages about the files, and how many there are.
pub fn lints(report: &Report, sources: &Sources, style: Style) -> String {
    let page = Page { dataplane: &report.dataplane, sources, style };
    let mut blocks: Vec<String> = report.diagnostics.iter().map(|d| page.diagnostic(d)).collect();
    let counted = page.counted(report);
    blocks.push(if counted.is_empty() { "nothing to warn of\n".to_owned() } else { format!("{counted}\n") });
    blocks.join("\n")
}

fn holds(judgement: &Judgement) -> bool {
    judgement.verdict.answer == Answer::Holds
}

struct Page<'a> {
    dataplane: &'a Dataplane,
    sources: &'a Sources,
    style: Style,
}

impl Page<'_> {
    fn diagnostic(&self, diagnostic: &Diagnostic) -> String {
        Message::from_diagnostic(diagnostic, self.sources).draw(self.style)
    }

    fn judgement(&self, judgement: &Judgement) -> String {
        match judgement.verdict.answer {
            Answer::Holds => self.holding(judgement),
            Answer::Violated => self.violated(judgement),
            Answer::Undecided => self.undecided(judgement),
        }
    }

    /// The sentence, every address that works, and what it depends on.
    fn holding(&self, judgement: &Judgement) -> String {
        let verdict = &judgement.verdict;
        let mut text = format!("{}  {}\n", self.style.paint(GREEN, "ok"), judgement.statement.sentence.value);
        text += &self.works_at(&verdict.witnesses);
        text + &self.conditions("if", &verdict.conditions) + &notes(verdict)
    }

    /// The addresses that work, the most natural first, and by whom if several dial.
    fn works_at(&self, witnesses: &[Witness]) -> String {
        let is_same = witnesses.iter().all(|w| Some(&w.from) == witnesses.first().map(|first| &first.from));
        let line = |witness: &Witness| {
            let from = if is_same { String::new() } else { format!("from {} ", witness.from) };
            format!("      {from}at {}\n", path::witness(self.dataplane, witness, self.style.arrow()))
        };
        let text: String = witnesses.iter().take(MOST_ADDRESSES).map(line).collect();
        match witnesses.len().saturating_sub(MOST_ADDRESSES) {
            0 => text,
            more => text + &format!("      and {more} more\n"),
        }
    }

    fn violated(&self, judgement: &Judgement) -> String {
        let verdict = &judgement.verdict;
        let says = match verdict.failure {
            Some(_) => "this does not hold",
            None => "this does not hold: it gets through",
        };
        let blockers = verdict.blockers.iter().map(|blocker| self.blocker(blocker, verdict));
        let severity = if judgement.statement.is_wish { Severity::Warning } else { Severity::Error };
        let mut text = self.headline(judgement, severity, says).with_nested(blockers).draw(self.style);
        text += &verdict.failure.as_ref().map_or(String::new(), |failure| self.failure(failure));
        // A broken `cannot` is shown by the attempt that gets through.
        let through = verdict.witnesses.iter().filter(|_| verdict.failure.is_none());
        text += &through.map(|witness| format!("\n{}", self.walk("this gets through", witness))).collect::<String>();
        text += &self.conditions("only if", &verdict.conditions);
        text + &notes(verdict) + &self.fixes(verdict)
    }

    fn undecided(&self, judgement: &Judgement) -> String {
        let verdict = &judgement.verdict;
        let depends = verdict.conditions.iter().map(|condition| self.depends(condition));
        let blockers = verdict.blockers.iter().map(|blocker| self.blocker(blocker, verdict));
        let message = self.headline(judgement, Severity::Warning, "this cannot be decided");
        message.with_nested(depends).with_nested(blockers).draw(self.style) + &notes(verdict)
    }

    fn headline(&self, judgement: &Judgement, severity: Severity, says: &str) -> Message {
        let label = Label { span: judgement.statement.sentence.span, message: says.to_owned() };
        let verdict = &judgement.verdict;
        let reason = judgement.statement.reason.as_ref().map(|reason| format!("why it matters: {}", reason.value));
        Message::new(severity, verdict.code, &*verdict.headline).labelled(&[label], self.sources).with_help(reason)
    }

    fn blocker(&self, blocker: &Blocker, verdict: &Verdict) -> Message {
        let code = Some(blocker.code).filter(|code| verdict.code != Some(*code));
        let severity = if verdict.answer == Answer::Violated { Severity::Error } else { Severity::Advice };
        self.explained(Message::new(severity, code, &*blocker.message), &blocker.origin)
    }

    fn depends(&self, condition: &Condition) -> Message {
        let headline = format!("it depends on whether {}", condition.statement);
        self.explained(Message::new(Severity::Advice, None, headline), &condition.origin)
    }

    /// Shows the lines that an origin goes back to; what is missing, as the text that would go there.
    fn explained(&self, message: Message, origin: &Origin) -> Message {
        let label = |span, message: String| [Label { span, message }];
        match &origin.basis {
            Basis::Written(span) => message.labelled(&label(*span, origin.what.to_string()), self.sources),
            Basis::Implied { because, citation } => {
                let because = because.map(|span| label(span, origin.what.to_string()));
                let see = if because.is_some() { "see" } else { &*format!("{}: see", origin.what) };
                let message = message.with_help(Some(format!("{see} {citation}")));
                message.labelled(because.as_ref().map_or(&[], |labels| labels), self.sources)
            }
            Basis::Assumed { about } => {
                let about = about.map(|span| label(span, format!("assumed: {}", origin.what)));
                message.labelled(about.as_ref().map_or(&[], |labels| labels), self.sources)
            }
            Basis::Missing { at, insert } => {
                let patch = patch::draw(self.sources, *at, insert, self.style);
                let says = if at.start == at.end { "missing here" } else { "to be changed" };
                message.with_help(Some(format!("{says}: {}\n{patch}", origin.what)))
            }
        }
    }

    fn failure(&self, failure: &Witness) -> String {
        let outcome = &failure.trace.outcome;
        let sees = path::symptom(outcome.symptom, failure.trace.flow.protocol);
        let also = match &outcome.delivery {
            Some(delivery) if outcome.symptom == Symptom::TimedOut => {
                format!(" ({} gets the request, the answer is lost)", delivery.owner)
            }
            _ => String::new(),
        };
        format!("\n  what you would see: {sees}{also}\n{}", self.walk("tried", failure))
    }

    /// One line for each hop, with the addresses as they are there.
    fn walk(&self, title: &str, witness: &Witness) -> String {
        let rows: Vec<_> = path::hops(&witness.trace)
            .map(|step| {
                let answer = if step.way == Way::Reply { "answer: " } else { "" };
                (self.dataplane.node(step.node).name.as_str(), answer.to_owned() + &path::event(self.dataplane, step))
            })
            .collect();
        let width = rows.iter().map(|(node, _)| node.chars().count()).max().unwrap_or(0);
        let mut text = format!("  {title}: {} from {}\n", witness.url, witness.from);
        for (node, event) in rows {
            text += &format!("      {node:width$}  {event}\n");
        }
        text
    }

    fn conditions(&self, word: &str, conditions: &[Condition]) -> String {
        let line = |condition: &Condition| {
            let origin = path::origin(&condition.origin, self.sources);
            format!("      {word} {}  ({origin})\n", condition.statement)
        };
        conditions.iter().map(line).collect()
    }

    /// The first fix in full, the others on one line each.
    fn fixes(&self, verdict: &Verdict) -> String {
        let Some((first, others)) = verdict.fixes.split_first() else { return String::new() };
        let help = self.style.paint(CYAN, "help");
        let mut text = format!("\n  {help}: {}\n", fix::summary(first));
        for edit in &first.edits {
            text += &self.edit(edit, &verdict.blockers);
        }
        for other in others {
            text += &format!("    or: {}\n", fix::summary(other));
        }
        text
    }

    fn edit(&self, edit: &Edit, blockers: &[Blocker]) -> String {
        let Some(at) = edit.at else { return command(&edit.text) };
        let shown = |blocker: &Blocker| match &blocker.origin.basis {
            Basis::Missing { at: there, insert } => *there == at && *insert == edit.text,
            _ => false,
        };
        if blockers.iter().any(shown) {
            return format!("      (the line marked + in {} above)\n", self.sources.get(at.source).name);
        }
        patch::draw(self.sources, at, &edit.text, self.style).lines().map(|line| format!("    {line}\n")).collect()
    }

    fn summary(&self, report: &Report) -> String {
        let text = sentences_line(report, self.style);
        let counted = self.counted(report);
        if counted.is_empty() { text } else { format!("{text}in the files: {counted}\n") }
    }

    /// How many errors and warnings there are.
    fn counted(&self, report: &Report) -> String {
        let (errors, warnings) =
            (report.count_diagnostics(Severity::Error), report.count_diagnostics(Severity::Warning));
        let parts: Vec<_> = [(errors, "error", RED), (warnings, "warning", YELLOW)]
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, word, color)| self.style.paint(color, &counted(count, word)))
            .collect();
        parts.join(", ")
    }
}

fn sentences_line(report: &Report, style: Style) -> String {
    let all = report.judgements.len();
    if all == 0 && report.count_diagnostics(Severity::Error) > 0 {
        return "no sentence was decided\n".to_owned();
    }
    if all == 0 {
        return "no sentence to decide\n".to_owned();
    }
    let parts: Vec<_> = [
        (report.count(Answer::Holds), Answer::Holds, GREEN),
        (report.count(Answer::Violated), Answer::Violated, RED),
        (report.count(Answer::Undecided), Answer::Undecided, YELLOW),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, answer, color)| {
        let word = if count > 1 && answer == Answer::Holds { "hold" } else { answer_word(answer) };
        style.paint(color, &format!("{count} {word}"))
    })
    .collect();
    format!("{}: {}\n", counted(all, "sentence"), parts.join(", "))
}

fn answer_word(answer: Answer) -> &'static str {
    match answer {
        Answer::Holds => "holds",
        Answer::Violated => "violated",
        Answer::Undecided => "undecided",
    }
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn notes(verdict: &Verdict) -> String {
    verdict.notes.iter().map(|note| format!("      note: {note}\n")).collect()
}

/// What is to be typed; nothing where only words can say what is to be done.
fn command(text: &str) -> String {
    text.lines().map(|line| format!("      $ {line}\n")).collect()
}

#[cfg(test)]
mod tests;
