//! SARIF 2.1.0, the OASIS standard for results of static analysis, as code scanning of GitHub takes it.
//!
//! A sentence that does not hold is a result at the line that is to blame: `codeFlows` walk the packet through the
//! user's lines, `relatedLocations` have the sentence and the other lines, `fixes` the edits. What holds is no result.
//!
//! Standard: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>. What GitHub reads of it, and its
//! limits: <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>.

mod flow;
mod format;
mod place;

use std::collections::BTreeMap;

use crate::check::{Fix, Verdict};
use crate::diagnostic::{Code, Label, Severity};
use crate::language::Language;
use crate::source::Sources;

use super::finding::{About, Finding, findings};
use super::{Section, codes, fix, json};

use format::{
    ArtifactChange, BaseUri, Configuration, Descriptor, Driver, Help, Invocation, Location, Log, Notification,
    Replacement, Rule, RuleProperties, Run, SarifResult, Text, Tool,
};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

/// GitHub keeps this many results of a run, those of the highest severity, and rejects files with five times as many.
const MOST_RESULTS: usize = 5000;

/// GitHub shows this many locations of a result.
const MOST_RELATED: usize = 100;

/// Everything that does not hold or is to be said about files, as one log with one run.
pub fn render(sections: &[Section]) -> String {
    let mut found: Vec<(&Section, Finding<'_>)> =
        sections.iter().flat_map(|section| findings(&section.report).map(move |f| (section, f))).collect();
    // The worst first: where there are too many, the others are left out.
    found.sort_by_key(|(_, finding)| finding.severity);
    let (placed, unplaced): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, finding)| finding.place.is_some());
    let left_out = placed.len().saturating_sub(MOST_RESULTS);
    let shown = placed.get(..placed.len() - left_out).unwrap_or_default();
    let rules = rules(shown);
    let mut notifications: Vec<Notification> = unplaced.iter().map(|(_, finding)| notification(finding)).collect();
    notifications.extend((left_out > 0).then(|| too_many(left_out)));
    let mut seen = BTreeMap::new();
    let results = shown.iter().map(|(section, finding)| result(section, finding, &rules, &mut seen)).collect();
    json::document(&Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: vec![Run {
            tool: tool(&rules),
            invocations: vec![Invocation {
                execution_successful: true,
                tool_configuration_notifications: notifications,
            }],
            original_uri_base_ids: BTreeMap::from([(place::ROOT, root())]),
            column_kind: "unicodeCodePoints",
            results,
        }],
    })
}

/// The base has no URI of its own: where the files are checked out is no matter of the results.
fn root() -> BaseUri {
    BaseUri { description: text("the directory that canreach was started in") }
}

fn text(text: impl Into<String>) -> Text {
    Text { text: text.into() }
}

/// The codes that occur, in the order of their table.
fn rules(found: &[(&Section, Finding<'_>)]) -> Vec<Code> {
    let mut rules: Vec<Code> = found.iter().map(|(_, finding)| finding.code).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn tool(rules: &[Code]) -> Tool {
    let rules = rules.iter().map(|code| rule(*code)).collect();
    Tool { driver: Driver { name: "canreach", semantic_version: env!("CARGO_PKG_VERSION"), rules } }
}

/// Braces of the help stay single: they could only be taken for placeholders where there are arguments, and viewers
/// show doubled ones as they are.
fn rule(code: Code) -> Rule {
    let severity = match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "recommendation",
    };
    let area = code.as_str().split("::").nth(1).unwrap_or("canreach");
    Rule {
        id: code.as_str(),
        short_description: text(codes::summary(code, Language::English)),
        full_description: text(codes::meaning(code)),
        help: Help { text: code.page(Language::English), markdown: code.page(Language::English) },
        default_configuration: Configuration { level: level(code.severity()) },
        properties: RuleProperties { tags: vec![area], severity },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "note",
    }
}

/// A message that has no place in a file: a result would have to have one.
fn notification(finding: &Finding<'_>) -> Notification {
    Notification {
        descriptor: Descriptor { id: finding.code.as_str() },
        level: level(finding.severity),
        message: message(finding),
    }
}

fn too_many(left_out: usize) -> Notification {
    Notification {
        descriptor: Descriptor { id: "canreach::sarif::too_many" },
        level: "warning",
        message: text(format!("{left_out} more results are left out: there are more than code scanning keeps")),
    }
}

fn message(finding: &Finding<'_>) -> Text {
    let lines = finding.lines(Language::English);
    // `[…](…)` would be a link.
    text(lines.join("\n").replace("](", "] ("))
}

fn result(section: &Section, finding: &Finding<'_>, rules: &[Code], seen: &mut BTreeMap<String, usize>) -> SarifResult {
    let sources = &section.sources;
    let (code_flows, fixes) = match finding.about {
        About::Sentence(judgement) => (flow::flows(section, judgement), fixes(&judgement.verdict, sources)),
        About::File(_) => (Vec::new(), Vec::new()),
    };
    SarifResult {
        rule_id: finding.code.as_str(),
        rule_index: rules.binary_search(&finding.code).unwrap_or_default(),
        level: level(finding.severity),
        message: message(finding),
        locations: finding.place.iter().map(|span| place::location(sources, *span, None)).collect(),
        partial_fingerprints: BTreeMap::from([("primaryLocationLineHash", fingerprint(finding, sources, seen))]),
        code_flows,
        related_locations: related(finding, sources),
        fixes,
    }
}

/// The other lines that a finding is about.
fn related(finding: &Finding<'_>, sources: &Sources) -> Vec<Location> {
    let location = |(number, label): (usize, &Label)| Location {
        id: Some(number),
        ..place::location(sources, label.span, Some(&label.message))
    };
    (1..MOST_RELATED).zip(&finding.elsewhere()).map(location).collect()
}

/// The same for the same finding, wherever its line has moved to in its file: what is asked, or the text of the line,
/// decides; what occurs again is numbered.
fn fingerprint(finding: &Finding<'_>, sources: &Sources, seen: &mut BTreeMap<String, usize>) -> String {
    let place = finding.place.map(|span| (sources.get(span.source), span));
    let file = place.map_or("", |(source, _)| source.name.as_str());
    let subject = match finding.about {
        About::Sentence(judgement) => judgement.statement.sentence.value.as_str(),
        About::File(_) => place
            .and_then(|(source, span)| source.line(source.position(span.start).line))
            .map_or("", |(_, line)| line.trim()),
    };
    let identity = format!("{}\n{file}\n{subject}", finding.code);
    let hash = fnv1a(identity.as_bytes());
    let occurrence = seen.entry(identity).and_modify(|count| *count += 1).or_insert(1);
    format!("{hash:016x}:{occurrence}")
}

/// The hash of Fowler, Noll and Vo (FNV-1a, 64 bits): the same in every release, unlike the standard library's.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// The ways out that are edits of files; a command that has to be typed is only in the message.
fn fixes(verdict: &Verdict, sources: &Sources) -> Vec<format::Fix> {
    let of_files = verdict.fixes.iter().filter(|fix| fix.edits.iter().all(|edit| edit.at.is_some()));
    of_files.map(|fix| one_fix(fix, sources)).collect()
}

fn one_fix(fix: &Fix, sources: &Sources) -> format::Fix {
    let mut by_file = BTreeMap::new();
    for edit in &fix.edits {
        let Some(at) = edit.at else { continue };
        let replacement = Replacement {
            deleted_region: place::region(sources, at),
            inserted_content: text(edit.text_for(sources.get(at.source))),
        };
        by_file.entry(at.source).or_insert_with(Vec::new).push(replacement);
    }
    let change =
        |(id, replacements)| ArtifactChange { artifact_location: place::artifact(&sources.get(id).name), replacements };
    format::Fix {
        description: text(fix::summary(fix).to_string()),
        artifact_changes: by_file.into_iter().map(change).collect(),
    }
}

#[cfg(test)]
mod tests;
