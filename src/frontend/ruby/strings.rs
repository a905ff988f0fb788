//! Strings and heredocs -> pieces that know where each byte was written.

use ruby_prism::Node;

use crate::source::Span;

use super::convert::Converter;
use super::span;
use super::tree::Piece;

/// Reads what is between quotes.
pub(super) struct Strings(pub(super) Converter);

impl Strings {
    pub(super) fn pieces(&self, node: &Node<'_>) -> Option<Vec<Piece>> {
        let mut pieces = Vec::new();
        self.collect(node, &mut pieces)?;
        Some(pieces)
    }

    fn collect(&self, node: &Node<'_>, pieces: &mut Vec<Piece>) -> Option<()> {
        match node {
            Node::StringNode { .. } => {
                let string = node.as_string_node()?;
                self.text(&string.content_loc(), string.unescaped(), pieces);
            }
            Node::XStringNode { .. } => return None,
            Node::SymbolNode { .. } => {
                let symbol = node.as_symbol_node()?;
                let place = symbol.content_loc();
                self.text(&place, symbol.unescaped(), pieces);
            }
            Node::InterpolatedStringNode { .. } => {
                for part in &node.as_interpolated_string_node()?.parts() {
                    self.collect(&part, pieces)?;
                }
            }
            Node::InterpolatedSymbolNode { .. } => {
                for part in &node.as_interpolated_symbol_node()?.parts() {
                    self.collect(&part, pieces)?;
                }
            }
            Node::EmbeddedStatementsNode { .. } => {
                let embedded = node.as_embedded_statements_node()?;
                let place = span(self.0.source, &embedded.location());
                pieces.push(Piece::Code(self.0.statements(embedded.statements()), place));
            }
            Node::EmbeddedVariableNode { .. } => {
                let variable = node.as_embedded_variable_node()?.variable();
                let place = span(self.0.source, &node.location());
                pieces.push(Piece::Code(vec![self.0.expr(&variable)], place));
            }
            _ => return None,
        }
        Some(())
    }

    fn text(&self, place: &ruby_prism::Location<'_>, unescaped: &[u8], pieces: &mut Vec<Piece>) {
        let written = String::from_utf8_lossy(place.as_slice());
        let meant = String::from_utf8_lossy(unescaped);
        let whole = span(self.0.source, place);
        align(&written, &meant, whole, pieces);
    }
}

/// Finds each part of what is meant in what is written: indentation that `<<~` takes away, escapes, line endings.
fn align(written: &str, meant: &str, whole: Span, pieces: &mut Vec<Piece>) {
    let at = |from: usize, to: usize| Span::new(whole.source, whole.start + from, whole.start + to);
    if let Some(indentation) = written.strip_suffix(meant).filter(|i| i.chars().all(char::is_whitespace)) {
        if !meant.is_empty() {
            pieces.push(Piece::Literal(meant.to_owned(), at(indentation.len(), written.len())));
        }
        return;
    }
    let blanks = |text: &str| text.len() - text.trim_start_matches([' ', '\t']).len();
    let (mut here, mut left) = (blanks(written).saturating_sub(blanks(meant)), meant);
    while !left.is_empty() {
        let rest = written.get(here..).unwrap_or("");
        let same = rest.bytes().zip(left.bytes()).take_while(|(a, b)| a == b && *a != b'\\').count();
        let same = (0..=same).rev().find(|n| rest.is_char_boundary(*n) && left.is_char_boundary(*n)).unwrap_or(0);
        let (literal, after) = left.split_at(same);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.to_owned(), at(here, here + same)));
        }
        (here, left) = (here + same, after);
        let Some((consumed, produced)) = escape(written.get(here..).unwrap_or(""), left) else { break };
        let (text, after) = left.split_at(produced);
        if !text.is_empty() {
            pieces.push(Piece::Escaped(text.to_owned(), at(here, here + consumed)));
        }
        (here, left) = (here + consumed, after);
    }
    if !left.is_empty() {
        pieces.push(Piece::Escaped(left.to_owned(), at(here.min(written.len()), written.len())));
    }
}

/// How many bytes of the text are one escape, and how many of the meaning it makes.
fn escape(written: &str, meant: &str) -> Option<(usize, usize)> {
    let mut characters = written.chars();
    let first = characters.next()?;
    let next = characters.next();
    let meant_first = meant.chars().next();
    match (first, next) {
        // A joined line; single quotes keep the backslash.
        ('\\', Some('\n')) if meant_first != Some('\\') => Some((2, 0)),
        ('\\', Some(c)) if meant_first == Some('\\') && c != '\\' => Some((1, 1)),
        ('\\', Some('x' | 'u' | 'c' | 'C' | 'M' | '0'..='7')) | ('\\', None) => None,
        ('\\', Some(c)) => Some((1 + c.len_utf8(), meant_first?.len_utf8())),
        ('\r', Some('\n')) => Some((1, 0)),
        _ => None,
    }
}
