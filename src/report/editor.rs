//! What an editor shows, in the types of the language server protocol (3.17):
//! <https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/>.

mod hover;
mod position;

use std::collections::{BTreeMap, HashMap};

use lsp_types::{
    CodeAction, CodeActionKind, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString,
    Position, Range, TextEdit, Uri, WorkspaceEdit,
};

use crate::check::Fix;
use crate::diagnostic::{Label, Severity};
use crate::language::Language;
use crate::source::{SourceId, Sources, Span};

use super::finding::{About, Finding, findings, shown};
use super::{Section, fix};

pub use hover::{Told, hover};

/// Where an editor finds a file, by its name; nothing if it is no file of its own.
pub type UriOf<'a> = &'a dyn Fn(&str) -> Option<Uri>;

/// Everything that does not hold or is to be said about files, by the name of the file.
pub fn diagnostics(section: &Section, uri_of: UriOf<'_>, language: Language) -> BTreeMap<String, Vec<Diagnostic>> {
    let mut all: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
    for finding in findings(&section.report) {
        let Some(span) = finding.place else { continue };
        let file = section.sources.get(span.source).name.clone();
        all.entry(file).or_default().push(diagnostic(&section.sources, &finding, (span, language), uri_of));
    }
    all
}

fn diagnostic(
    sources: &Sources,
    finding: &Finding<'_>,
    (span, language): (Span, Language),
    uri_of: UriOf<'_>,
) -> Diagnostic {
    let lines = finding.lines(language);
    Diagnostic {
        range: visible(sources, span),
        severity: Some(match finding.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Advice => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(finding.code.to_string())),
        source: Some("canreach".to_owned()),
        message: lines.join("\n"),
        related_information: Some(related(sources, finding, uri_of, language)),
        ..Diagnostic::default()
    }
}

/// What is missing has no text that could be underlined: then it is the line at which it is missing.
fn visible(sources: &Sources, span: Span) -> Range {
    let span = shown(sources, span);
    let source = sources.get(span.source);
    match source.line(source.position(span.start).line) {
        Some((start, line)) if span.start == span.end => {
            let blank = line.len() - line.trim_start().len();
            position::range(sources, Span::new(span.source, start + blank, start + line.trim_end().len()))
        }
        _ => position::range(sources, span),
    }
}

/// The other lines that a finding is about.
fn related(
    sources: &Sources,
    finding: &Finding<'_>,
    uri_of: UriOf<'_>,
    language: Language,
) -> Vec<DiagnosticRelatedInformation> {
    let places: Vec<Label> = finding.elsewhere();
    let information = |label: &Label| {
        let uri = uri_of(&sources.get(label.span.source).name)?;
        let location = Location { uri, range: visible(sources, label.span) };
        Some(DiagnosticRelatedInformation { location, message: label.message.in_language(language).to_owned() })
    };
    places.iter().filter_map(information).collect()
}

/// The source with this name, and the offset of a position in it.
fn place(sources: &Sources, name: &str, position: Position) -> Option<(SourceId, usize)> {
    let (id, source) = sources.iter().find(|(_, source)| source.name == name)?;
    Some((id, position::offset(source, position)))
}

/// The sentences that do not hold because of a line of these, by their text.
pub fn sentences_at(section: &Section, name: &str, range: Range) -> Vec<String> {
    let sources = &section.sources;
    let is_there = |span: Span| {
        let lines = visible(sources, span);
        sources.get(span.source).name == name
            && lines.start.line <= range.end.line
            && range.start.line <= lines.end.line
    };
    let about = findings(&section.report).filter(|finding| finding.place.is_some_and(is_there));
    let sentences = about.filter_map(|finding| match finding.about {
        About::Sentence(judgement) => Some(judgement.statement.sentence.value.clone()),
        About::File(_) => None,
    });
    sentences.collect()
}

/// A way out as an edit of the editor's files; nothing when one of them is no file of its own.
#[expect(clippy::mutable_key_type, reason = "a type of the protocol; what may change in it takes no part in its hash")]
pub fn action(
    sources: &Sources,
    (fix, is_first): (&Fix, bool),
    uri_of: UriOf<'_>,
    language: Language,
) -> Option<CodeAction> {
    let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
    for edit in &fix.edits {
        let at = edit.at?;
        let source = sources.get(at.source);
        let edit = TextEdit { range: position::range(sources, at), new_text: edit.text_for(source) };
        changes.entry(uri_of(&source.name)?).or_default().push(edit);
    }
    Some(CodeAction {
        title: fix::summary(fix).in_language(language).to_owned(),
        kind: Some(CodeActionKind::QUICKFIX),
        edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
        is_preferred: Some(is_first),
        ..CodeAction::default()
    })
}
