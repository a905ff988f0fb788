//! Words of nft's language with their places (nft(8), release 1.1; the scanner of nftables, src/scanner.l).

use std::collections::BTreeMap;

use crate::source::{SourceId, Span};

/// A word or sign.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, number, address, keyword.
    Word,
    /// A word in double quotes.
    Quoted,
    /// `{`, `}`, `(`, `)`, `,`, `=`, `!=`, `&` and so on.
    Sign,
    /// A line or a `;` ends.
    End,
}

impl Token {
    /// Whether this is a sign or a word without quotes that reads so.
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Sign) && self.text == text
    }
}

/// Splits a text; variables are replaced by what `define` gave them.
pub(super) fn tokens(source: SourceId, text: &str) -> Vec<Token> {
    let mut lexer = Lexer { source, text, at: 0, tokens: Vec::new(), variables: BTreeMap::new() };
    while let Some(character) = lexer.peek() {
        lexer.one(character);
    }
    lexer.tokens
}

/// A variable may hold another one, but not forever.
const MOST_TOKENS_OF_VARIABLE: usize = 10_000;

struct Lexer<'t> {
    source: SourceId,
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
    variables: BTreeMap<String, Vec<Token>>,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn push(&mut self, kind: Kind, text: String, start: usize) {
        let span = Span::new(self.source, start, self.at);
        self.tokens.push(Token { kind, text, span });
    }

    fn one(&mut self, character: char) {
        let start = self.at;
        match character {
            '\n' | ';' => {
                self.at += 1;
                self.end(start);
            }
            '\\' if self.rest().starts_with("\\\n") => self.at += 2,
            '#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
            '"' => {
                let inside = self.rest().get(1..).unwrap_or("");
                let length = inside.find(['"', '\n']).unwrap_or(inside.len());
                let text = inside.get(..length).unwrap_or("").to_owned();
                let is_closed = inside.get(length..).is_some_and(|rest| rest.starts_with('"'));
                self.at += 1 + length + usize::from(is_closed);
                self.push(Kind::Quoted, text, start);
            }
            c if c.is_whitespace() => self.at += c.len_utf8(),
            c if is_sign(c) => {
                let is_pair = ["!=", "==", "<=", ">=", "<<", ">>"].iter().any(|pair| self.rest().starts_with(pair));
                self.at += if is_pair { 2 } else { 1 };
                let text = self.text.get(start..self.at).unwrap_or("").to_owned();
                self.push(Kind::Sign, text, start);
            }
            _ => self.word(start),
        }
    }

    fn word(&mut self, start: usize) {
        let ends = |c: char| c.is_whitespace() || is_sign(c) || matches!(c, ';' | '"' | '#');
        self.at += self.rest().find(ends).unwrap_or(self.rest().len()).max(1);
        let text = self.text.get(start..self.at).unwrap_or("").to_owned();
        if let Some(value) = text.strip_prefix('$').and_then(|name| self.variables.get(name)) {
            let span = Span::new(self.source, start, self.at);
            let value: Vec<Token> = value.iter().map(|token| Token { span, ..token.clone() }).collect();
            self.tokens.extend(value);
            return;
        }
        // `80: accept` in a map; an address of IPv6 may end with two colons.
        if text.len() > 1 && text.ends_with(':') && !text.ends_with("::") {
            self.at -= 1;
            self.push(Kind::Word, text.trim_end_matches(':').to_owned(), start);
            self.at += 1;
            let colon = self.at - 1;
            self.push(Kind::Word, ":".to_owned(), colon);
            return;
        }
        self.push(Kind::Word, text, start);
    }

    /// Ends a line; if it defines a variable, keeps it.
    fn end(&mut self, start: usize) {
        let line = self.tokens.iter().rposition(|t| t.kind == Kind::End).map_or(0, |last| last + 1);
        let inside = |sign: &str| self.tokens.iter().skip(line).filter(|t| t.is(sign)).count();
        if self.tokens.get(line).is_some_and(|t| t.is("define") || t.is("redefine")) {
            if inside("{") > inside("}") {
                return;
            }
            let mut definition = self.tokens.split_off(line).into_iter().skip(1);
            if let (Some(name), Some(_)) = (definition.next(), definition.next()) {
                let value = definition.take(MOST_TOKENS_OF_VARIABLE).collect();
                self.variables.insert(name.text, value);
            }
            return;
        }
        self.push(Kind::End, String::new(), start);
    }
}

fn is_sign(c: char) -> bool {
    matches!(c, '{' | '}' | '(' | ')' | ',' | '=' | '!' | '<' | '>' | '&' | '|' | '^')
}
