//! A report as a comment on a pull request: a table of the sentences, and for each that does not hold a block that opens,
//! with the packet's way as a chart, the lines, and the fix as a diff. In Markdown as GitHub reads it.

mod mermaid;

use crate::check::{self, Answer, Condition, Edit, Exposure, Fix, Judgement, Verdict, Witness};
use crate::diagnostic::{Diagnostic, Severity};
use crate::provenance::{Basis, Origin};
use crate::source::{SourceId, Sources, Span};

use super::escape::{block, cell, code, html_code, plain, prose};
use super::exposure::{self, Grid};
use super::finding::{Finding, shown};
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

/// The comment; labs follow one another.
pub fn render(sections: &[Section], asked: Asked) -> String {
    let mut left = MOST_DETAILS;
    let parts: Vec<String> = sections.iter().map(|section| part(section, asked, &mut left)).collect();
    format!("{MARK}{}", parts.join("\n"))
}

fn part(section: &Section, asked: Asked, left: &mut usize) -> String {
    let Section { title, report, exposure, sources } = section;
    let of = title.as_ref().map_or(String::new(), |title| format!(" of {}", plain(title)));
    let mut text = format!("## canreach{of}: {}\n", result(report, asked));
    if !report.judgements.is_empty() {
        text += "\n| | sentence | |\n|---|---|---|\n";
        text += &report.judgements.iter().map(row).collect::<String>();
    }
    let failed = report.judgements.iter().filter(|j| j.verdict.answer != Answer::Holds);
    let blocks: Vec<String> = failed.map(|judgement| details(section, judgement)).collect();
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
        text += &format!("\n{left_out} more would not fit into a comment; `canreach check` shows them.\n");
    }
    text += &exposure.as_ref().map_or(String::new(), overview);
    text + &messages(&report.diagnostics, sources)
}

/// Who can reach what, as a table.
fn overview(exposure: &Exposure) -> String {
    let Grid { rows, legend } = exposure::grid(exposure, Style::PLAIN);
    let line = |cells: &Vec<String>| {
        format!("| {} |\n", cells.iter().map(|c| cell(&plain(c))).collect::<Vec<_>>().join(" | "))
    };
    let (head, body) = rows.split_first().map_or((String::new(), rows.as_slice()), |(head, body)| {
        (format!("{}|{}\n", line(head), "---|".repeat(head.len())), body)
    });
    let body: String = body.iter().map(line).collect();
    let legend: String = legend.iter().map(|line| format!("\n{}\n", plain(line))).collect();
    format!("\nWho can reach what, and at which address:\n\n{head}{body}{legend}")
}

/// How it went, in a few words.
fn result(report: &Report, asked: Asked) -> String {
    let all = report.judgements.len();
    let parts: Vec<String> = [(Answer::Violated, "violated"), (Answer::Undecided, "undecided")]
        .into_iter()
        .map(|(answer, word)| (report.count(answer), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let counted = if all == 1 { "1 sentence".to_owned() } else { format!("{all} sentences") };
    let findings = report.count_diagnostics(Severity::Error) + report.count_diagnostics(Severity::Warning);
    let found = if findings == 0 { "nothing to warn of".to_owned() } else { format!("{findings} to look at") };
    match (all, parts.is_empty()) {
        (0, _) if asked == Asked::Sentences => format!("no sentence to decide, {found}"),
        (0, _) => found,
        (_, true) => format!("{counted}, all hold"),
        (_, false) => format!("{counted}, {}", parts.join(", ")),
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
fn row(judgement: &Judgement) -> String {
    let verdict = &judgement.verdict;
    let conditions = verdict.conditions.iter().map(|condition| format!("if {}", prose(&condition.statement)));
    let says = match verdict.answer {
        Answer::Holds => [works_at(verdict), conditions.collect::<Vec<_>>().join("; ")].join(" "),
        Answer::Violated | Answer::Undecided => prose(&verdict.headline),
    };
    let sentence = code(&judgement.statement.sentence.value);
    format!("| {} | {} | {} |\n", sign(judgement), cell(&sentence), cell(says.trim()))
}

fn works_at(verdict: &Verdict) -> String {
    let shown: Vec<String> = verdict.witnesses.iter().take(MOST_ADDRESSES).map(|w| code(&w.url)).collect();
    match (shown.is_empty(), verdict.witnesses.len().saturating_sub(MOST_ADDRESSES)) {
        (true, _) => String::new(),
        (_, 0) => format!("at {}", shown.join(", ")),
        (_, more) => format!("at {} and {more} more", shown.join(", ")),
    }
}

/// Everything about a sentence that does not hold, folded.
fn details(section: &Section, judgement: &Judgement) -> String {
    let Section { report, sources, .. } = section;
    let Judgement { statement, verdict } = judgement;
    let sentence = &statement.sentence;
    let mut text = format!("<details>\n<summary>{} {}</summary>\n\n", sign(judgement), html_code(&sentence.value));
    text += &format!("{} ({})\n", prose(&verdict.headline), place(sources, sentence.span));
    text += &statement
        .reason
        .iter()
        .map(|reason| format!("\nWhy it matters: {}\n", prose(&reason.value)))
        .collect::<String>();
    text += &verdict.failure.as_ref().map_or(String::new(), |failure| {
        let seen = path::symptom(failure.trace.outcome.symptom, failure.trace.flow.protocol);
        format!("\nWhat you would see at {}: {}.\n", code(&failure.url), plain(&seen))
    });
    let shown: Option<&Witness> = verdict.failure.as_ref().or(verdict.witnesses.first());
    text += &shown
        .map_or(String::new(), |w| format!("\n{}", block("mermaid", &mermaid::chart(&report.dataplane, &w.trace))));
    text += &blockers(verdict, sources);
    text += &conditions(&verdict.conditions, verdict.answer);
    text += &verdict.notes.iter().map(|note| format!("\nNote: {}\n", prose(note))).collect::<String>();
    text += &fixes(&verdict.fixes, sources);
    text + "\n</details>\n"
}

/// `compose.yaml:4`, as code.
fn place(sources: &Sources, span: Span) -> String {
    code(&sources.place(shown(sources, span)))
}

/// The lines that are to blame, with what stands there.
fn blockers(verdict: &Verdict, sources: &Sources) -> String {
    if verdict.blockers.is_empty() {
        return String::new();
    }
    let line = |(message, origin): (&str, &Origin)| format!("- {}{}\n", prose(message), written(origin, sources));
    let lines: String = verdict.blockers.iter().map(|b| line((&b.message, &b.origin))).collect();
    let heading = if verdict.failure.is_some() { "In the way" } else { "What lets it through" };
    let heading = if verdict.answer == Answer::Undecided { "What decides it" } else { heading };
    format!("\n{heading}:\n\n{lines}")
}

/// The line that an origin goes back to.
fn written(origin: &Origin, sources: &Sources) -> String {
    let Some(span) = origin.span().map(|span| shown(sources, span)) else { return String::new() };
    let source = sources.get(span.source);
    let line = source.line(source.position(span.start).line).map_or("", |(_, line)| line.trim());
    match origin.basis {
        Basis::Missing { .. } => format!(": missing at {}", place(sources, span)),
        _ if line.is_empty() => format!(": {}", place(sources, span)),
        _ => format!(": {} {}", place(sources, span), code(line)),
    }
}

fn conditions(conditions: &[Condition], answer: Answer) -> String {
    let word = if answer == Answer::Undecided { "It depends on whether" } else { "Only if" };
    conditions.iter().map(|condition| format!("\n{word} {}\n", prose(&condition.statement))).collect()
}

/// The first fix as a diff, the others by name.
fn fixes(fixes: &[Fix], sources: &Sources) -> String {
    let Some((first, others)) = fixes.split_first() else { return String::new() };
    let mut text = format!("\nFix: {}\n", prose(&fix::summary(first)));
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
    text + &others.iter().map(|other| format!("\nOr: {}\n", prose(&fix::summary(other)))).collect::<String>()
}

fn commands(edits: &[Edit]) -> Vec<&str> {
    edits.iter().filter(|edit| edit.at.is_none() && !edit.text.is_empty()).map(|edit| edit.text.as_str()).collect()
}

/// What is to be said about the files, worst first.
fn messages(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| diagnostic.severity);
    let lines: String = sorted.iter().take(MOST_MESSAGES).map(|d| message(d, sources)).collect();
    let more = match sorted.len().saturating_sub(MOST_MESSAGES) {
        0 => String::new(),
        more => format!("- and {more} more\n"),
    };
    format!("\nIn the files:\n\n{lines}{more}")
}

fn message(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let finding = Finding::of_file(diagnostic);
    let sign = match finding.severity {
        Severity::Error => "❌",
        Severity::Warning => "⚠️",
        Severity::Advice => "💡",
    };
    let at = finding.place.map_or(String::new(), |span| format!("{}: ", place(sources, span)));
    let details: String = finding.details().iter().map(|line| format!("; {}", prose(line))).collect();
    format!("- {sign} {at}{}{details} ({})\n", prose(finding.headline), code(finding.code.as_str()))
}
