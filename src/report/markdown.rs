//! A report as a comment on a pull request: a table of the sentences, and for each that does not hold a block that opens,
//! with the packet's way as a chart, the lines, and the fix as a diff. In Markdown as GitHub reads it.

use crate::check::{self, Answer, Blocker, Condition, Edit, Exposure, Fix, Judgement, Verdict, Witness};
use crate::diagnostic::{Diagnostic, Severity};
use crate::language::{Language, Text, text};
use crate::provenance::{Basis, Origin};
use crate::source::{SourceId, Sources, Span};

use super::escape::{block, cell, code, html_code, plain, prose};
use super::exposure::{self, Grid};
use super::finding::{Finding, shown};
use super::mermaid::way;
use super::unified::unified;
use super::{Asked, Report, Section, Style, fix, path};

/// By this, whoever posts the comment finds the one to replace.
const MARK: &str = "<!-- canreach -->\n";

/// GitHub takes comments of 65,536 characters; the last ones are kept for what is said about files.
const MOST_DETAILS: usize = 50_000;

/// So many messages about files are shown.
const MOST_MESSAGES: usize = 50;

/// Of the addresses that work, the table shows this many.
const MOST_ADDRESSES: usize = 2;

/// The comment in a language; labs follow one another.
pub fn render(sections: &[Section], asked: Asked, language: Language) -> String {
    let mut left = MOST_DETAILS;
    let style = Style { language, ..Style::PLAIN };
    let parts: Vec<String> = sections.iter().map(|section| part(section, asked, style, &mut left)).collect();
    format!("{MARK}{}", parts.join("\n"))
}

fn part(section: &Section, asked: Asked, style: Style, left: &mut usize) -> String {
    let Section { title, report, exposure, sources } = section;
    let of = title.as_ref().map_or(Text::default(), |title| text!(" of {title}", " {title}", title = plain(title)));
    let mut text = format!("## canreach{}: {}\n", style.say(&of), style.say(&result(report, asked)));
    if !report.judgements.is_empty() {
        text += &format!("\n| | {} | |\n|---|---|---|\n", style.say(&text!("sentence", "문장")));
        text += &report.judgements.iter().map(|judgement| row(judgement, style)).collect::<String>();
    }
    let failed = report.judgements.iter().filter(|j| j.verdict.answer != Answer::Holds);
    let blocks: Vec<String> = failed.map(|judgement| details(section, judgement, style)).collect();
    let mut left_out = 0;
    for block in blocks {
        match left.checked_sub(block.len()) {
            Some(rest) => {
                *left = rest;
                text += &format!("\n{block}");
            }
            None => left_out += 1,
        }
    }
    if left_out > 0 {
        let more = text!(
            "{left_out} more would not fit into a comment; `canreach check` shows them.",
            "{left_out}개는 댓글에 다 들어가지 않습니다. `canreach check`로 볼 수 있습니다."
        );
        text += &format!("\n{}\n", style.say(&more));
    }
    text += &exposure.as_ref().map_or(String::new(), |exposure| overview(exposure, style));
    text + &messages(&report.diagnostics, sources, style)
}

/// Who can reach what, as a table.
fn overview(exposure: &Exposure, style: Style) -> String {
    let Grid { rows, legend } = exposure::grid(exposure, style);
    let line = |cells: &Vec<String>| {
        format!("| {} |\n", cells.iter().map(|c| cell(&plain(c))).collect::<Vec<_>>().join(" | "))
    };
    let (head, body) = rows.split_first().map_or((String::new(), rows.as_slice()), |(head, body)| {
        (format!("{}|{}\n", line(head), "---|".repeat(head.len())), body)
    });
    let body: String = body.iter().map(line).collect();
    let legend: String = legend.iter().map(|line| format!("\n{}\n", plain(line))).collect();
    let title = text!("Who can reach what, and at which address:", "누가 무엇에, 어느 주소로 연결할 수 있는가:");
    format!("\n{}\n\n{head}{body}{legend}", style.say(&title))
}

/// How it went, in a few words.
fn result(report: &Report, asked: Asked) -> Text {
    let all = report.judgements.len();
    let count = |answer| Some(report.count(answer)).filter(|count| *count > 0);
    let violated = count(Answer::Violated).map(|count| text!("{count} violated", "위반 {count}"));
    let undecided = count(Answer::Undecided).map(|count| text!("{count} undecided", "판정 불가 {count}"));
    let parts: Vec<Text> = violated.into_iter().chain(undecided).collect();
    let counted = match all {
        1 => text!("1 sentence", "문장 1개"),
        _ => text!("{all} sentences", "문장 {all}개"),
    };
    let found = match report.count_diagnostics(Severity::Error) + report.count_diagnostics(Severity::Warning) {
        0 => text!("nothing to warn of", "경고할 것 없음"),
        findings => text!("{findings} to look at", "확인할 것 {findings}개"),
    };
    match (all, parts.is_empty()) {
        (0, _) if asked == Asked::Sentences => {
            text!("no sentence to decide, {found}", "판정할 문장 없음, {found}"; found)
        }
        (0, _) => found,
        (_, true) => text!("{counted}, all hold", "{counted}, 모두 성립"; counted),
        (_, false) => {
            let parts = Text::joined(&parts, &", ".into());
            text!("{counted}, {parts}", "{counted}, {parts}"; counted, parts)
        }
    }
}

fn sign(judgement: &Judgement) -> &'static str {
    match (judgement.verdict.answer, judgement.statement.is_wish) {
        (Answer::Holds, _) => "✅",
        (Answer::Violated, false) => "❌",
        (Answer::Violated, true) => "⚠️",
        (Answer::Undecided, _) => "❔",
    }
}

/// A sentence, and where it works, or why it does not hold.
fn row(judgement: &Judgement, style: Style) -> String {
    let verdict = &judgement.verdict;
    let condition = |condition: &Condition| {
        let what = &condition.statement;
        prose(style.say(&text!("if {what}", "조건: {what}"; what)))
    };
    let conditions: Vec<String> = verdict.conditions.iter().map(condition).collect();
    let says = match verdict.answer {
        Answer::Holds => [works_at(verdict, style), conditions.join("; ")].join(" "),
        Answer::Violated | Answer::Undecided => prose(style.say(&verdict.headline)),
    };
    let sentence = code(&judgement.statement.sentence.value);
    format!("| {} | {} | {} |\n", sign(judgement), cell(&sentence), cell(says.trim()))
}

fn works_at(verdict: &Verdict, style: Style) -> String {
    let shown: Vec<String> = verdict.witnesses.iter().take(MOST_ADDRESSES).map(|w| code(&w.url)).collect();
    let (is_empty, shown) = (shown.is_empty(), shown.join(", "));
    let at = match (is_empty, verdict.witnesses.len().saturating_sub(MOST_ADDRESSES)) {
        (true, _) => Text::default(),
        (_, 0) => text!("at {shown}", "{shown}"),
        (_, more) => text!("at {shown} and {more} more", "{shown} 외 {more}개"),
    };
    style.say(&at).to_owned()
}

/// Everything about a sentence that does not hold, folded.
fn details(section: &Section, judgement: &Judgement, style: Style) -> String {
    let Section { report, sources, .. } = section;
    let Judgement { statement, verdict } = judgement;
    let sentence = &statement.sentence;
    let mut text = format!("<details>\n<summary>{} {}</summary>\n\n", sign(judgement), html_code(&sentence.value));
    text += &format!("{} ({})\n", prose(style.say(&verdict.headline)), place(sources, sentence.span));
    if let Some(reason) = &statement.reason {
        let why = text!("Why it matters: {reason}", "이유: {reason}", reason = prose(&reason.value));
        text += &format!("\n{}\n", style.say(&why));
    }
    if let Some(failure) = &verdict.failure {
        let seen = path::symptom(failure.trace.outcome.symptom, failure.trace.flow.protocol);
        let (url, seen) = (code(&failure.url), plain(style.say(&seen)));
        let seen = text!("What you would see at {url}: {seen}.", "{url} 주소에서 보이는 증상: {seen}");
        text += &format!("\n{}\n", style.say(&seen));
    }
    let shown: Option<&Witness> = verdict.failure.as_ref().or(verdict.witnesses.first());
    text += &shown
        .map_or(String::new(), |w| format!("\n{}", block("mermaid", &way::chart(&report.dataplane, &w.trace, style))));
    text += &blockers(verdict, sources, style);
    text += &conditions(&verdict.conditions, verdict.answer, style);
    for note in &verdict.notes {
        text += &format!("\n{}\n", prose(style.say(&text!("Note: {note}", "참고: {note}"; note))));
    }
    text += &fixes(&verdict.fixes, sources, style);
    text + "\n</details>\n"
}

/// `compose.yaml:4`, as code.
fn place(sources: &Sources, span: Span) -> String {
    code(&sources.place(shown(sources, span)))
}

/// The lines that are to blame, with what stands there.
fn blockers(verdict: &Verdict, sources: &Sources, style: Style) -> String {
    if verdict.blockers.is_empty() {
        return String::new();
    }
    let line = |blocker: &Blocker| {
        format!("- {}{}\n", prose(style.say(&blocker.message)), written(&blocker.origin, sources, style))
    };
    let lines: String = verdict.blockers.iter().map(line).collect();
    let heading = match (verdict.answer, &verdict.failure) {
        (Answer::Undecided, _) => text!("What decides it", "판정이 달려 있는 것"),
        (_, Some(_)) => text!("In the way", "막고 있는 것"),
        (_, None) => text!("What lets it through", "통과시키는 것"),
    };
    format!("\n{}:\n\n{lines}", style.say(&heading))
}

/// The line that an origin goes back to.
fn written(origin: &Origin, sources: &Sources, style: Style) -> String {
    let Some(span) = origin.span().map(|span| shown(sources, span)) else { return String::new() };
    let source = sources.get(span.source);
    let line = source.line(source.position(span.start).line).map_or("", |(_, line)| line.trim());
    let at = place(sources, span);
    match origin.basis {
        Basis::Missing { .. } => style.say(&text!(": missing at {at}", ": {at}에 없음")).to_owned(),
        _ if line.is_empty() => format!(": {at}"),
        _ => format!(": {at} {}", code(line)),
    }
}

fn conditions(conditions: &[Condition], answer: Answer, style: Style) -> String {
    let line = |condition: &Condition| {
        let what = &condition.statement;
        let line = match answer {
            Answer::Undecided => text!("It depends on whether {what}", "다음에 달려 있음: {what}"; what),
            _ => text!("Only if {what}", "조건: {what}"; what),
        };
        format!("\n{}\n", prose(style.say(&line)))
    };
    conditions.iter().map(line).collect()
}

/// The first fix as a diff, the others by name.
fn fixes(fixes: &[Fix], sources: &Sources, style: Style) -> String {
    let Some((first, others)) = fixes.split_first() else { return String::new() };
    let what = fix::summary(first);
    let mut text = format!("\n{}\n", prose(style.say(&text!("Fix: {what}", "해결: {what}"; what))));
    let changed = check::patched(sources, &first.edits).unwrap_or_default();
    let diff = |(id, new): (SourceId, String)| {
        let source = sources.get(id);
        unified(&source.name, &source.text, &new, Style::PLAIN)
    };
    let diff: String = changed.into_iter().map(diff).collect();
    if !diff.is_empty() {
        text += &format!("\n{}", block("diff", &diff));
    }
    let commands: Vec<&str> = commands(&first.edits);
    if !commands.is_empty() {
        text += &format!("\n{}", block("sh", &commands.join("\n")));
    }
    for other in others {
        let what = fix::summary(other);
        text += &format!("\n{}\n", prose(style.say(&text!("Or: {what}", "또는: {what}"; what))));
    }
    text
}

fn commands(edits: &[Edit]) -> Vec<&str> {
    edits.iter().filter(|edit| edit.at.is_none() && !edit.text.is_empty()).map(|edit| edit.text.as_str()).collect()
}

/// What is to be said about the files, worst first.
fn messages(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| diagnostic.severity);
    let lines: String = sorted.iter().take(MOST_MESSAGES).map(|d| message(d, sources, style)).collect();
    let more = match sorted.len().saturating_sub(MOST_MESSAGES) {
        0 => Text::default(),
        more => text!("- and {more} more\n", "- 그 밖에 {more}개\n"),
    };
    let title = text!("In the files:", "파일에서:");
    format!("\n{}\n\n{lines}{}", style.say(&title), style.say(&more))
}

fn message(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> String {
    let finding = Finding::of_file(diagnostic);
    let sign = match finding.severity {
        Severity::Error => "❌",
        Severity::Warning => "⚠️",
        Severity::Advice => "💡",
    };
    let at = finding.place.map_or(String::new(), |span| format!("{}: ", place(sources, span)));
    let details: String = finding.details(style.language).iter().map(|line| format!("; {}", prose(line))).collect();
    format!("- {sign} {at}{}{details} ({})\n", prose(style.say(finding.headline)), code(finding.code.as_str()))
}
