//! One argument of a command after expansion, which still knows where each of its bytes was written.

use std::ops::Range;

use crate::source::{Span, Spanned};

/// A stretch of a word's text and the place that it comes from.
#[derive(Clone, Debug)]
struct Piece {
    /// Where it starts in the text of the word.
    at: usize,
    /// How many bytes it has there.
    len: usize,
    /// Where it was written.
    span: Span,
    /// Whether the text is the source byte by byte; if not, it came out of an expansion.
    literal: bool,
}

/// One argument of a command.
#[derive(Clone, Debug)]
pub struct Word {
    /// The text after expansion. Parts that are not known stand there as they were written.
    pub text: String,
    /// The whole argument, quotes included.
    pub span: Span,
    pieces: Vec<Piece>,
    /// An expansion whose value the script does not tell.
    unknown: Option<Span>,
    /// Whether such an expansion stands outside quotes, so that there may be any number of words.
    may_split: bool,
}

impl Word {
    /// A word that stands in the source as it is.
    pub fn written(text: &str, span: Span) -> Self {
        let mut word = Self::empty(span);
        word.push_literal(text, span);
        word
    }

    /// A word without text yet.
    pub(super) fn empty(span: Span) -> Self {
        Self { text: String::new(), span, pieces: Vec::new(), unknown: None, may_split: false }
    }

    /// Adds text that stands in the source as it is.
    pub(super) fn push_literal(&mut self, text: &str, span: Span) {
        if let Some(last) = self.pieces.last_mut().filter(|p| p.literal && p.span.end == span.start) {
            last.len += text.len();
            last.span.end = span.end;
        } else {
            self.pieces.push(Piece { at: self.text.len(), len: text.len(), span, literal: true });
        }
        self.text.push_str(text);
    }

    /// Adds the outcome of an expansion written at `span`.
    pub(super) fn push_expanded(&mut self, text: &str, span: Span) {
        self.pieces.push(Piece { at: self.text.len(), len: text.len(), span, literal: false });
        self.text.push_str(text);
    }

    /// Adds an expansion whose value is not known.
    pub(super) fn push_unknown(&mut self, written: &str, span: Span, may_split: bool) {
        self.push_expanded(written, span);
        self.unknown = self.unknown.or(Some(span));
        self.may_split |= may_split;
    }

    /// The place of an expansion that makes the text uncertain.
    pub fn unknown(&self) -> Option<Span> {
        self.unknown
    }

    /// Whether there may be none or several words here, because an expansion outside quotes is not known.
    pub fn may_split(&self) -> bool {
        self.may_split
    }

    /// Part of the word, by byte positions in its text.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let text = self.text.get(range.clone()).unwrap_or("").to_owned();
        let mut part = Self { text, span: self.place(range.clone()), ..Self::empty(self.span) };
        for piece in &self.pieces {
            let (from, to) = (piece.at.max(range.start), (piece.at + piece.len).min(range.end));
            if to <= from {
                continue;
            }
            part.pieces.push(Piece { at: from - range.start, len: to - from, span: piece.place(from, to), ..*piece });
            if self.unknown.is_some() && !piece.literal {
                part.unknown = self.unknown;
                part.may_split = self.may_split;
            }
        }
        part
    }

    /// What stands behind the first `separator`, if there is one, as `name` and `value`.
    pub fn split_once(&self, separator: char) -> Option<(Self, Self)> {
        let at = self.text.find(separator)?;
        Some((self.slice(0..at), self.slice(at + separator.len_utf8()..self.text.len())))
    }

    /// The parts between separators.
    pub fn split(&self, separator: char) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut start = 0;
        for (at, found) in self.text.match_indices(separator) {
            parts.push(self.slice(start..at));
            start = at + found.len();
        }
        parts.push(self.slice(start..self.text.len()));
        parts
    }

    /// The text with its place.
    pub fn spanned(&self) -> Spanned<String> {
        Spanned::new(self.text.clone(), self.span)
    }

    /// Where the bytes `range` of the text were written; without quotes where that is possible.
    pub fn place(&self, range: Range<usize>) -> Span {
        let mut place: Option<Span> = None;
        for piece in &self.pieces {
            let (from, to) = (piece.at.max(range.start), (piece.at + piece.len).min(range.end));
            if from < to {
                let here = piece.place(from, to);
                place = Some(place.map_or(here, |p| p.to(here)));
            }
        }
        place.unwrap_or_else(|| self.place_between(range.start))
    }

    /// The place of an empty part of the text that starts at `at`.
    fn place_between(&self, at: usize) -> Span {
        let before = self.pieces.iter().rev().find(|p| p.at + p.len <= at);
        before.map_or(self.span, |p| p.span.after())
    }
}

impl Piece {
    /// Where the bytes `from..to` of the word's text were written, as far as they belong to this piece.
    fn place(&self, from: usize, to: usize) -> Span {
        if !self.literal {
            return self.span;
        }
        let start = self.span.start + (from - self.at);
        Span::new(self.span.source, start, start + (to - from))
    }
}
