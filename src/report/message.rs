//! A message with annotated source lines, drawn by miette.
//!
//! miette draws one file per message; labels in other files become nested messages with a file of their own.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, ThemeCharacters, ThemeStyles};

use crate::diagnostic::{Code, Diagnostic, Label, Severity};
use crate::language::{Language, text};
use crate::source::{Source, SourceId, Sources, Span};

use super::excerpt::Excerpt;
use super::{Style, codes};

/// Columns that messages are wrapped to.
const WIDTH: usize = 100;

/// Longer things are marked by their first line.
const MARKED_LINES: usize = 3;

/// What miette draws.
#[derive(Debug)]
pub(super) struct Message {
    headline: String,
    code: Option<Code>,
    severity: Severity,
    file: Option<NamedSource<Arc<str>>>,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
    nested: Vec<Message>,
}

impl Message {
    pub(super) fn new(severity: Severity, code: Option<Code>, headline: impl Into<String>) -> Self {
        Self {
            headline: headline.into(),
            code,
            severity,
            file: None,
            labels: Vec::new(),
            help: None,
            nested: Vec::new(),
        }
    }

    pub(super) fn from_diagnostic(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> Self {
        let headline = headline(diagnostic, style);
        Self::new(diagnostic.severity, Some(diagnostic.code), headline)
            .labelled(&diagnostic.labels, sources, style)
            .with_help(diagnostic.help.as_ref().map(|help| style.say(help).to_owned()))
    }

    /// Annotates lines: the first label's file belongs to the message itself, every other file to a nested one.
    pub(super) fn labelled(mut self, labels: &[Label], sources: &Sources, style: Style) -> Self {
        for (source, labels) in by_file(labels) {
            let file = sources.get(source);
            if self.file.is_none() {
                self.show(file, &labels, style);
            } else {
                let name = &file.name;
                let see_also = text!("see also {name}", "{name}도 참고");
                let mut other = Self::new(Severity::Advice, None, style.say(&see_also));
                other.show(file, &labels, style);
                self.nested.push(other);
            }
        }
        self
    }

    fn show(&mut self, file: &Source, labels: &[&Label], style: Style) {
        let mut places: Vec<Range<usize>> = labels.iter().map(|label| marked(label.span, &file.text)).collect();
        let mut text = Arc::clone(&file.text);
        if let Some(excerpt) = Excerpt::of(&text, &places) {
            places = places.into_iter().map(|place| excerpt.moved(place.start)..excerpt.moved(place.end)).collect();
            text = excerpt.text.into();
        }
        self.labels = marks(labels, &places, style);
        self.file = Some(NamedSource::new(&file.name, text));
    }

    pub(super) fn with_nested(mut self, nested: impl IntoIterator<Item = Self>) -> Self {
        self.nested.extend(nested);
        self
    }

    pub(super) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// The drawn message, without blanks at line ends, closed by a line break.
    pub(super) fn draw(&self, style: Style) -> String {
        let handler = GraphicalReportHandler::new_themed(theme(style))
            .with_width(WIDTH)
            .with_wrap_lines(false)
            .with_show_related_as_nested(true)
            .without_syntax_highlighting();
        let mut drawn = String::new();
        // Writing to a string cannot fail, and `marks` keeps every label inside its file.
        if handler.render_report(&mut drawn, self).is_err() {
            drawn.clone_from(&self.headline);
        }
        drawn.trim_matches('\n').lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

/// What is wrong. Where it is said in English only, the code's page says in the reader's language what it is about.
pub(super) fn headline(diagnostic: &Diagnostic, style: Style) -> String {
    let (message, code) = (&diagnostic.message, diagnostic.code);
    if message.is_translated() || style.language == Language::English {
        return style.say(message).to_owned();
    }
    let summary = codes::summary(code, style.language).trim_end_matches('.');
    format!("{summary}: {message}")
}

/// Labels grouped by file, in the order in which the files first appear.
fn by_file(labels: &[Label]) -> Vec<(SourceId, Vec<&Label>)> {
    let mut files: Vec<(SourceId, Vec<&Label>)> = Vec::new();
    for label in labels {
        match files.iter_mut().find(|(source, _)| *source == label.span.source) {
            Some((_, group)) => group.push(label),
            None => files.push((label.span.source, vec![label])),
        }
    }
    files
}

fn marks(labels: &[&Label], places: &[Range<usize>], style: Style) -> Vec<LabeledSpan> {
    let mark = |(index, (label, place)): (usize, (&&Label, &Range<usize>))| {
        let message = Some(style.say(&label.message).to_owned()).filter(|m| !m.is_empty());
        if index == 0 {
            LabeledSpan::new_primary_with_span(message, place.clone())
        } else {
            LabeledSpan::new_with_span(message, place.clone())
        }
    };
    labels.iter().zip(places).enumerate().map(mark).collect()
}

/// The bytes to underline. Of something long, like a whole service, only the first line.
pub(super) fn marked(span: Span, text: &str) -> Range<usize> {
    let end = text.floor_char_boundary(span.end);
    let start = text.floor_char_boundary(span.start).min(end);
    let inside = text.get(start..end).unwrap_or("").trim_end();
    let shown = if inside.lines().count() > MARKED_LINES { inside.lines().next().unwrap_or("") } else { inside };
    start..start + shown.len()
}

fn theme(style: Style) -> GraphicalTheme {
    GraphicalTheme {
        characters: if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() },
        styles: if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() },
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline)
    }
}

impl std::error::Error for Message {}

impl miette::Diagnostic for Message {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Advice => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.file.as_ref().map(|file| file as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = Some(self.labels.iter().cloned()).filter(|labels| labels.len() > 0)?;
        Some(Box::new(labels))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        let nested = Some(self.nested.iter()).filter(|nested| nested.len() > 0)?;
        Some(Box::new(nested.map(|message| message as &dyn miette::Diagnostic)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_label_can_be_drawn(text in "[a한\\r\\n\\t]{0,12}", spans in proptest::collection::vec((0usize..40, 0usize..40), 1..4)) {
            let mut sources = Sources::default();
            let id = sources.add("f", &text);
            let label = |(start, end)| Label { span: Span::new(id, start, end), message: "here".into() };
            let labels: Vec<_> = spans.into_iter().map(label).collect();
            let message = Message::new(Severity::Error, None, "headline").labelled(&labels, &sources, Style::PLAIN);
            let drawn = message.draw(Style::PLAIN);
            prop_assert!(drawn.contains("headline"));
            prop_assert!(!drawn.contains("Failed to read"), "{}", drawn);
        }
    }
}
