//! A place among the words of a text.

use crate::source::Span;

use super::lexer::{Kind, Token};

/// Reads words one after the other.
pub(super) struct Cursor<'t> {
    tokens: &'t [Token],
    at: usize,
    /// How deep in braces the reader is.
    pub(super) depth: usize,
}

/// Braces deeper than this are not followed.
pub(super) const DEEPEST: usize = 32;

impl<'t> Cursor<'t> {
    pub(super) fn new(tokens: &'t [Token]) -> Self {
        Self { tokens, at: 0, depth: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn next(&mut self) -> Option<&'t Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn back_to(&mut self, position: usize) {
        self.at = position;
    }

    /// The words from a position up to here, as they are written.
    pub(super) fn text_since(&self, start: usize) -> String {
        let tokens = self.tokens.get(start..self.at).unwrap_or(&[]);
        let words: Vec<String> = tokens
            .iter()
            .map(|t| match t.kind {
                Kind::Quoted => format!("\"{}\"", t.text),
                _ => t.text.clone(),
            })
            .collect();
        words.join(" ")
    }

    /// The place of the words from a position up to here.
    pub(super) fn span_since(&self, start: usize) -> Option<Span> {
        let tokens = self.tokens.get(start..self.at).unwrap_or(&[]);
        let solid = || tokens.iter().filter(|t| t.kind != Kind::End);
        Some(solid().next()?.span.to(solid().next_back()?.span))
    }

    pub(super) fn is_at(&self, text: &str) -> bool {
        self.peek().is_some_and(|t| t.is(text))
    }

    /// Goes on if the next word is this.
    pub(super) fn skip(&mut self, text: &str) -> bool {
        let is_here = self.is_at(text);
        self.at += usize::from(is_here);
        is_here
    }

    /// The next word, if it is not a sign and the line does not end.
    pub(super) fn word(&mut self) -> Option<&'t Token> {
        let token = self.peek().filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted))?;
        self.at += 1;
        Some(token)
    }

    pub(super) fn skip_ends(&mut self) {
        while self.peek().is_some_and(|t| t.kind == Kind::End) {
            self.at += 1;
        }
    }

    /// Whether a statement cannot go on here.
    pub(super) fn is_at_end(&self) -> bool {
        self.peek().is_none_or(|t| t.kind == Kind::End || t.is("}"))
    }

    /// Goes to the end of the line, or in front of the brace that closes the block, past blocks that open on the way.
    pub(super) fn skip_statement(&mut self) {
        let mut open = 0_usize;
        while let Some(token) = self.peek() {
            match (token.kind, token.text.as_str()) {
                (Kind::End, _) if open == 0 => return,
                (Kind::Sign, "}") if open == 0 => return,
                (Kind::Sign, "}") => open -= 1,
                (Kind::Sign, "{") => open += 1,
                _ => {}
            }
            self.at += 1;
        }
    }
}
