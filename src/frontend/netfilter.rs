//! Rules that a user gives to netfilter: lines of `iptables`, `ip6tables` and `ufw`, what `iptables-save` and
//! `nft list ruleset` print.
//!
//! A condition or target that has no model is kept as it is written: it may hold or not, and a verdict that depends on
//! it is left undecided.

pub mod ipset;
pub mod iptables;
pub mod iptables_save;
pub mod nft;
pub mod ufw;

mod condition;
mod gaps;
mod target;
mod value;

#[cfg(test)]
mod tests;

use crate::frontend::shell::word::Word;
use crate::source::Span;

/// A word of a rule.
#[derive(Clone, Debug)]
struct Token {
    text: String,
    span: Span,
    /// Whether the text is what will be there when the line runs.
    is_known: bool,
}

impl Token {
    fn of(word: &Word) -> Self {
        Self { text: word.text.clone(), span: word.span, is_known: word.unknown().is_none() }
    }
}
