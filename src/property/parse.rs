//! One sentence a line.

use crate::diagnostic::Diagnostic;
use crate::source::Spanned;

use super::Sentence;

/// Reads a sentence, or says what is wrong with it.
///
/// # Errors
/// A diagnostic with the span of the word that does not fit.
pub fn parse(_text: &Spanned<String>) -> Result<Sentence, Box<Diagnostic>> {
    todo!()
}
