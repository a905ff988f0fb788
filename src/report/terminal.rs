//! A report for a person at a terminal: messages about the files first, then every sentence, then one line that counts.

use unicode_width::UnicodeWidthStr;

use crate::check::{Answer, Blocker, Condition, Edit, Judgement, Verdict, Witness, called};
use crate::dataplane::{Dataplane, Symptom, Way};
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::language::{Text, text};
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
    let messages: Vec<_> =
        diagnostics.iter().map(|d| Message::from_diagnostic(d, sources, style).draw(style)).collect();
    messages.join("\n")
}

/// Messages about the files, and how many there are.
pub fn lints(report: &Report, sources: &Sources, style: Style) -> String {
    let page = Page { dataplane: &report.dataplane, sources, style };
    let mut blocks: Vec<String> = report.diagnostics.iter().map(|d| page.diagnostic(d)).collect();
    let counted = page.counted(report);
    let nothing = text!("nothing to warn of", "경고할 것이 없습니다");
    blocks.push(if counted.is_empty() { format!("{}\n", style.say(&nothing)) } else { format!("{counted}\n") });
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
        Message::from_diagnostic(diagnostic, self.sources, self.style).draw(self.style)
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
        let ok = text!("ok", "성립");
        let ok = self.style.paint(GREEN, self.style.say(&ok));
        let mut text = format!("{ok}  {}\n", judgement.statement.sentence.value);
        text += &self.works_at(&verdict.witnesses);
        text + &self.conditions(Hinge::If, &verdict.conditions) + &self.notes(verdict)
    }

    /// The addresses that work, the most natural first, and by whom if several dial.
    fn works_at(&self, witnesses: &[Witness]) -> String {
        let is_same = witnesses.iter().all(|w| Some(&w.from) == witnesses.first().map(|first| &first.from));
        let line = |witness: &Witness| {
            let (from, at) = (called(&witness.from), path::witness(self.dataplane, witness, self.style));
            let line = match is_same {
                true => text!("      at {at}\n", "      주소 {at}\n"),
                false => text!("      from {from} at {at}\n", "      {from}에서, 주소 {at}\n"; from),
            };
            self.style.say(&line).to_owned()
        };
        let text: String = witnesses.iter().take(MOST_ADDRESSES).map(line).collect();
        match witnesses.len().saturating_sub(MOST_ADDRESSES) {
            0 => text,
            more => text + self.style.say(&text!("      and {more} more\n", "      그 밖에 {more}개\n")),
        }
    }

    fn violated(&self, judgement: &Judgement) -> String {
        let verdict = &judgement.verdict;
        let says = match verdict.failure {
            Some(_) => text!("this does not hold", "이 문장은 성립하지 않습니다"),
            None => text!("this does not hold: it gets through", "이 문장은 성립하지 않습니다: 연결이 통과합니다"),
        };
        let blockers = verdict.blockers.iter().map(|blocker| self.blocker(blocker, verdict));
        let severity = if judgement.statement.is_wish { Severity::Warning } else { Severity::Error };
        let mut text = self.headline(judgement, severity, &says).with_nested(blockers).draw(self.style);
        text += &verdict.failure.as_ref().map_or(String::new(), |failure| self.failure(failure));
        // A broken `cannot` is shown by the attempt that gets through.
        let through = verdict.witnesses.iter().filter(|_| verdict.failure.is_none());
        text += &through.map(|witness| format!("\n{}", self.walk(Attempt::GetsThrough, witness))).collect::<String>();
        text += &self.conditions(Hinge::OnlyIf, &verdict.conditions);
        text + &self.notes(verdict) + &self.fixes(verdict)
    }

    fn undecided(&self, judgement: &Judgement) -> String {
        let verdict = &judgement.verdict;
        let depends = verdict.conditions.iter().map(|condition| self.depends(condition));
        let blockers = verdict.blockers.iter().map(|blocker| self.blocker(blocker, verdict));
        let says = text!("this cannot be decided", "판정할 수 없습니다");
        let message = self.headline(judgement, Severity::Warning, &says);
        message.with_nested(depends).with_nested(blockers).draw(self.style) + &self.notes(verdict)
    }

    fn headline(&self, judgement: &Judgement, severity: Severity, says: &Text) -> Message {
        let label = Label { span: judgement.statement.sentence.span, message: says.clone() };
        let verdict = &judgement.verdict;
        let reason = judgement.statement.reason.as_ref().map(|reason| {
            let reason = &reason.value;
            self.style.say(&text!("why it matters: {reason}", "이유: {reason}")).to_owned()
        });
        let headline = self.style.say(&verdict.headline);
        Message::new(severity, verdict.code, headline).labelled(&[label], self.sources, self.style).with_help(reason)
    }

    fn blocker(&self, blocker: &Blocker, verdict: &Verdict) -> Message {
        let code = Some(blocker.code).filter(|code| verdict.code != Some(*code));
        let severity = if verdict.answer == Answer::Violated { Severity::Error } else { Severity::Advice };
        self.explained(Message::new(severity, code, self.style.say(&blocker.message)), &blocker.origin)
    }

    fn depends(&self, condition: &Condition) -> Message {
        let statement = &condition.statement;
        let headline = text!("it depends on whether {statement}", "다음 여부에 달려 있습니다: {statement}"; statement);
        self.explained(Message::new(Severity::Advice, None, self.style.say(&headline)), &condition.origin)
    }

    /// Shows the lines that an origin goes back to; what is missing, as the text that would go there.
    fn explained(&self, message: Message, origin: &Origin) -> Message {
        let label = |span, says: &Text| [Label { span, message: says.clone() }];
        let help = |says: &Text| Some(self.style.say(says).to_owned());
        let what = &origin.what;
        match &origin.basis {
            Basis::Written(span) => message.labelled(&label(*span, what), self.sources, self.style),
            Basis::Implied { because, citation } => {
                let because = because.map(|span| label(span, what));
                let see = match because {
                    Some(_) => text!("see {citation}", "{citation} 참고"),
                    None => text!("{what}: see {citation}", "{what}: {citation} 참고"; what),
                };
                message.with_help(help(&see)).labelled(
                    because.as_ref().map_or(&[], |labels| labels),
                    self.sources,
                    self.style,
                )
            }
            Basis::Assumed { about } => {
                let about = about.map(|span| label(span, &text!("assumed: {what}", "가정: {what}"; what)));
                message.labelled(about.as_ref().map_or(&[], |labels| labels), self.sources, self.style)
            }
            Basis::Missing { at, insert } => {
                let patch = patch::draw(self.sources, *at, insert, self.style);
                message.with_help(help(&match at.start == at.end {
                    true => text!("missing here: {what}\n{patch}", "여기에 빠져 있음: {what}\n{patch}"; what),
                    false => text!("to be changed: {what}\n{patch}", "바꿀 곳: {what}\n{patch}"; what),
                }))
            }
        }
    }

    fn failure(&self, failure: &Witness) -> String {
        let outcome = &failure.trace.outcome;
        let sees = path::symptom(outcome.symptom, failure.trace.flow.protocol);
        let also = match &outcome.delivery {
            Some(delivery) if outcome.symptom == Symptom::TimedOut => {
                let owner = &delivery.owner;
                text!(
                    " ({owner} gets the request, the answer is lost)",
                    " ({owner}까지 요청은 가지만 응답이 돌아오지 못함)"
                )
            }
            _ => Text::default(),
        };
        let seen = text!("\n  what you would see: {sees}{also}\n", "\n  눈에 보이는 증상: {sees}{also}\n"; sees, also);
        format!("{}{}", self.style.say(&seen), self.walk(Attempt::Fails, failure))
    }

    /// One line for each hop, with the addresses as they are there.
    fn walk(&self, attempt: Attempt, witness: &Witness) -> String {
        let rows: Vec<_> = path::hops(&witness.trace)
            .map(|step| {
                let event = path::event(self.dataplane, step);
                let event = match step.way {
                    Way::Request => event,
                    Way::Reply => text!("answer: {event}", "응답: {event}"; event),
                };
                let node = called(&self.dataplane.node(step.node).name);
                (self.style.say(&node).to_owned(), self.style.say(&event).to_owned())
            })
            .collect();
        let width = rows.iter().map(|(node, _)| node.width()).max().unwrap_or(0);
        let (url, from) = (&witness.url, called(&witness.from));
        let title = match attempt {
            Attempt::Fails => text!("  tried: {url} from {from}\n", "  시도: {from} → {url}\n"; from),
            Attempt::GetsThrough => {
                text!("  this gets through: {url} from {from}\n", "  통과하는 연결: {from} → {url}\n"; from)
            }
        };
        let mut text = self.style.say(&title).to_owned();
        for (node, event) in rows {
            let pad = " ".repeat(width.saturating_sub(node.width()));
            text += &format!("      {node}{pad}  {event}\n");
        }
        text
    }

    fn conditions(&self, hinge: Hinge, conditions: &[Condition]) -> String {
        let line = |condition: &Condition| {
            let origin = path::origin(&condition.origin, self.sources);
            let statement = &condition.statement;
            let line = match hinge {
                Hinge::If => {
                    text!("      if {statement}  ({origin})\n", "      조건: {statement}  ({origin})\n"; statement, origin)
                }
                Hinge::OnlyIf => {
                    text!("      only if {statement}  ({origin})\n", "      이 조건에서만: {statement}  ({origin})\n"; statement, origin)
                }
            };
            self.style.say(&line).to_owned()
        };
        conditions.iter().map(line).collect()
    }

    /// The first fix in full, the others on one line each.
    fn fixes(&self, verdict: &Verdict) -> String {
        let Some((first, others)) = verdict.fixes.split_first() else { return String::new() };
        let help = self.style.paint(CYAN, self.style.say(&text!("help", "해결")));
        let mut text = format!("\n  {help}: {}\n", self.style.say(&fix::summary(first)));
        for edit in &first.edits {
            text += &self.edit(edit, &verdict.blockers);
        }
        for other in others {
            let other = fix::summary(other);
            text += self.style.say(&text!("    or: {other}\n", "    또는: {other}\n"; other));
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
            let name = &self.sources.get(at.source).name;
            let above = text!("      (the line marked + in {name} above)\n", "      (위 {name}에 +로 표시한 줄)\n");
            return self.style.say(&above).to_owned();
        }
        patch::draw(self.sources, at, &edit.text, self.style).lines().map(|line| format!("    {line}\n")).collect()
    }

    fn summary(&self, report: &Report) -> String {
        let text = sentences_line(report, self.style);
        let counted = self.counted(report);
        if counted.is_empty() {
            return text;
        }
        text + self.style.say(&text!("in the files: {counted}\n", "파일에서: {counted}\n"))
    }

    /// How many errors and warnings there are.
    fn counted(&self, report: &Report) -> String {
        let (errors, warnings) =
            (report.count_diagnostics(Severity::Error), report.count_diagnostics(Severity::Warning));
        let errors = (errors, counted(errors, &text!("error", "오류")), RED);
        let warnings = (warnings, counted(warnings, &text!("warning", "경고")), YELLOW);
        let parts: Vec<_> = [errors, warnings]
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(_, counted, color)| self.style.paint(color, self.style.say(&counted)))
            .collect();
        parts.join(", ")
    }

    fn notes(&self, verdict: &Verdict) -> String {
        let line =
            |note: &Text| self.style.say(&text!("      note: {note}\n", "      참고: {note}\n"; note)).to_owned();
        verdict.notes.iter().map(line).collect()
    }
}

/// What a shown attempt is an example of.
#[derive(Clone, Copy)]
enum Attempt {
    Fails,
    GetsThrough,
}

/// How an answer hangs on what is assumed.
#[derive(Clone, Copy)]
enum Hinge {
    If,
    OnlyIf,
}

fn sentences_line(report: &Report, style: Style) -> String {
    let all = report.judgements.len();
    if all == 0 && report.count_diagnostics(Severity::Error) > 0 {
        return style.say(&text!("no sentence was decided\n", "판정한 문장이 없습니다\n")).to_owned();
    }
    if all == 0 {
        return style.say(&text!("no sentence to decide\n", "판정할 문장이 없습니다\n")).to_owned();
    }
    let mut parts: Vec<_> = [
        (report.count(Answer::Holds), Answer::Holds, GREEN),
        (report.count(Answer::Violated), Answer::Violated, RED),
        (report.count(Answer::Undecided), Answer::Undecided, YELLOW),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, answer, color)| style.paint(color, style.say(&answered(count, answer))))
    .collect();
    let lost = report.count_not_understood();
    if lost > 0 {
        parts.push(style.paint(RED, style.say(&text!("{lost} not understood", "이해하지 못함 {lost}"))));
    }
    let all = counted(all + lost, &text!("sentence", "문장"));
    format!("{}: {}\n", style.say(&all), parts.join(", "))
}

fn answered(count: usize, answer: Answer) -> Text {
    match answer {
        Answer::Holds if count == 1 => text!("{count} holds", "성립 {count}"),
        Answer::Holds => text!("{count} hold", "성립 {count}"),
        Answer::Violated => text!("{count} violated", "위반 {count}"),
        Answer::Undecided => text!("{count} undecided", "판정 불가 {count}"),
    }
}

fn counted(count: usize, word: &Text) -> Text {
    match count {
        1 => text!("{count} {word}", "{word} {count}개"; word),
        _ => text!("{count} {word}s", "{word} {count}개"; word),
    }
}

/// What is to be typed; nothing where only words can say what is to be done.
fn command(text: &str) -> String {
    text.lines().map(|line| format!("      $ {line}\n")).collect()
}

#[cfg(test)]
mod tests;
