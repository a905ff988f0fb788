//! A message about an input: code, severity, labelled spans, help.
//!
//! Messages are born structured here and rendered by `report`. Wording: lower case, no full stop, user input in
//! backticks, advice in `help`.

use crate::source::Span;

pub mod code;

pub use code::Code;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something could not be used; the rest is still analyzed.
    Error,
    /// Usable, but probably not what was meant, or not modelled.
    Warning,
    /// Worth knowing.
    Advice,
}

/// A span with a remark.
#[derive(Clone, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What to say about it.
    pub message: String,
}

/// A message about an input.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Stable code, explained by `canreach explain`.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The headline; makes sense alone on one line.
    pub message: String,
    /// The first label is the primary one.
    pub labels: Vec<Label>,
    /// The way out.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic with the default severity of its code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, severity: code.severity(), message: message.into(), labels: Vec::new(), help: None }
    }

    /// The same, as something that stops nobody.
    #[must_use]
    pub fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// Adds a labelled place; the first one added is the primary one.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A value that could be made, and what is to be said about the input it was made from.
#[derive(Clone, Debug, Default)]
pub struct Diagnosed<T> {
    /// As much as could be understood.
    pub value: T,
    /// What could not, and what looks wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// The nearest of `candidates` to a misspelt `word`, if it is near enough to be meant.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&lower, &c.to_lowercase()), c))
        .filter(|(distance, c)| *distance <= (c.chars().count().max(3) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_offered_and_far_ones_are_not() {
        assert_eq!(did_you_mean("grafna", ["prometheus", "grafana"]), Some("grafana"));
        assert_eq!(did_you_mean("mysql", ["grafana", "prometheus"]), None);
    }
}
