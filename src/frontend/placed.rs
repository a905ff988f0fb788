//! Texts that were put together from parts, and still know where each part was written: a script that stands in another
//! file, indented, escaped, or with values filled in.

use std::ops::Range;

use crate::source::{SourceId, Span};

/// A text and the places of its parts.
#[derive(Clone, Debug, Default)]
pub struct PlacedText {
    text: String,
    parts: Vec<Part>,
}

/// A stretch of the text.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Where it starts in the text; it ends where the next one starts.
    at: usize,
    span: Span,
    nature: Nature,
}

/// What a part of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// It stands in the source byte for byte.
    Literal,
    /// It is the value of something else that stands in the source.
    Computed,
    /// What would stand here is not known.
    Unknown,
}

/// Stands in the text for what is not known.
pub const UNKNOWN: &str = "…";

impl PlacedText {
    /// A file.
    pub fn whole(source: SourceId, text: &str) -> Self {
        let mut placed = Self::default();
        placed.push(text, Span::new(source, 0, text.len()), Nature::Literal);
        placed
    }

    /// A value that is written at `span`.
    pub fn computed(text: &str, span: Span) -> Self {
        let mut placed = Self::default();
        placed.push(text, span, Nature::Computed);
        placed
    }

    /// Adds text that is written at `span`; a literal has the same length there.
    pub fn push(&mut self, text: &str, span: Span, nature: Nature) {
        if !text.is_empty() {
            self.parts.push(Part { at: self.text.len(), span, nature });
            self.text.push_str(text);
        }
    }

    /// Adds another text.
    pub fn append(&mut self, other: &Self) {
        let offset = self.text.len();
        self.parts.extend(other.parts.iter().map(|part| Part { at: offset + part.at, ..*part }));
        self.text.push_str(&other.text);
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same places under a text that has the same length.
    #[must_use]
    pub fn with_text(&self, text: String) -> Self {
        Self { text, parts: self.parts.clone() }
    }

    /// Whether all of it is known.
    pub fn is_known(&self) -> bool {
        self.parts.iter().all(|part| part.nature != Nature::Unknown)
    }

    /// What the byte `at` is part of.
    pub fn nature(&self, at: usize) -> Nature {
        self.part(at).map_or(Nature::Literal, |part| part.nature)
    }

    fn part(&self, at: usize) -> Option<&Part> {
        let index = self.parts.partition_point(|part| part.at <= at);
        self.parts.get(index.checked_sub(1)?)
    }

    /// Where the byte `at` was written.
    fn place(&self, at: usize) -> Option<Span> {
        let part = self.part(at)?;
        Some(match part.nature {
            Nature::Literal => {
                let start = (part.span.start + (at - part.at)).min(part.span.end);
                Span::new(part.span.source, start, (start + 1).min(part.span.end))
            }
            Nature::Computed | Nature::Unknown => part.span,
        })
    }

    /// Where the bytes of a range were written.
    ///
    /// An empty range is the place behind the byte before it, or the beginning. Of an empty text there is none.
    pub fn span(&self, range: Range<usize>) -> Option<Span> {
        let first = self.place(range.start).filter(|_| range.start < self.text.len());
        let first = first.or_else(|| self.place(self.text.len().checked_sub(1)?).map(Span::after))?;
        if range.end <= range.start {
            return Some(Span::new(first.source, first.start, first.start));
        }
        Some(self.place(range.end - 1).map_or(first, |last| first.to(last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn each_byte_knows_where_it_was_written() {
        let mut sources = Sources::default();
        let written = "x = \"docker run #{name} 포트\\n\"";
        let id = sources.add("Vagrantfile", written);
        let mut text = PlacedText::default();
        text.push("docker run ", Span::new(id, 5, 16), Nature::Literal);
        text.push("web", Span::new(id, 16, 23), Nature::Computed);
        text.push(" 포트", Span::new(id, 23, 30), Nature::Literal);
        text.push("\n", Span::new(id, 30, 32), Nature::Computed);
        let check = |range: Range<usize>, expected| {
            let span = text.span(range.clone()).unwrap();
            assert_eq!(written.get(span.start..span.end), Some(expected), "{range:?}");
        };
        check(0..6, "docker");
        check(7..10, "run");
        check(11..14, "#{name}");
        check(7..12, "run #{name}");
        check(15..21, "포트");
        check(18..21, "트");
        check(21..22, "\\n");
        check(7..7, "");
        check(22..22, "");
        assert_eq!(text.as_str(), "docker run web 포트\n");
    }
}
