//! Results as text: one renderer per output. The only place that names miette or an output format; it decides nothing.

pub mod codes;
pub mod contrast;
pub mod coverage;
pub mod diff;
pub mod draft;
pub mod editor;
mod escape;
mod excerpt;
pub mod exposure;
mod finding;
pub mod fix;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod lesson;
pub mod markdown;
mod markup;
pub mod matrix;
pub mod mermaid;
mod message;
mod part;
mod patch;
mod path;
pub mod picture;
pub mod probe;
pub mod rules;
pub mod sarif;
pub mod terminal;
pub mod trace;
mod unified;
pub mod uri;

use crate::check::{Answer, Exposure, Judgement};
use crate::dataplane::Dataplane;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::language::{Language, Text};
use crate::source::Sources;

/// Everything that one run found out.
#[derive(Clone, Debug)]
pub struct Report {
    /// The verdicts, in the order of the sentences.
    pub judgements: Vec<Judgement>,
    /// What is to be said about the files.
    pub diagnostics: Vec<Diagnostic>,
    /// What the traces of the verdicts walk through.
    pub dataplane: Dataplane,
}

impl Report {
    /// How many sentences got this answer.
    pub fn count(&self, answer: Answer) -> usize {
        self.judgements.iter().filter(|j| j.verdict.answer == answer).count()
    }

    /// Whether a sentence that is more than a wish got this answer.
    pub fn insists(&self, answer: Answer) -> bool {
        self.judgements.iter().any(|j| j.verdict.answer == answer && !j.statement.is_wish)
    }

    /// How many sentences have no verdict because they are not understood.
    pub fn count_not_understood(&self) -> usize {
        let is_one = |d: &&Diagnostic| matches!(d.code, Code::SentenceSyntax | Code::SentenceUnknownName);
        self.diagnostics.iter().filter(is_one).count()
    }

    /// How many messages about the files are this bad.
    pub fn count_diagnostics(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == severity).count()
    }
}

/// The report about one lab.
#[derive(Clone, Debug)]
pub struct Section {
    /// Where the lab stands, if the files hold several.
    pub title: Option<String>,
    /// What was found out.
    pub report: Report,
    /// Who can reach what, for a reader who has not asked anything.
    pub exposure: Option<Exposure>,
    /// The texts that it points into.
    pub sources: Sources,
}

/// What was to be found out: it decides which messages about files are failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether sentences hold: only errors in files are failures, and so is that there is no sentence.
    Sentences,
    /// What looks wrong: warnings are failures, too.
    Lints,
}

/// What the reader's terminal can show, and what the reader reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colours by ANSI sequences.
    pub color: bool,
    /// Line-drawing characters; otherwise ASCII only.
    pub unicode: bool,
    /// The language of everything that is not a name, a file's text or a code.
    pub language: Language,
}

impl Style {
    /// For files and pipes.
    pub const PLAIN: Self = Self { color: false, unicode: true, language: Language::English };

    /// `text` in bold with an ANSI colour number, where colours are wanted.
    fn paint(self, ansi: u8, text: &str) -> String {
        if self.color { format!("\u{1b}[1;{ansi}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// What is said, in the reader's language.
    pub fn say(self, text: &Text) -> &str {
        text.in_language(self.language)
    }

    /// The arrow between two hops.
    fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }
}
