//! `firewall-cmd` and `firewall-offline-cmd` lines.

use crate::frontend::shell::word::Word;
use crate::lab::declaration::Declarations;

/// Reads one call; the first word is the program.
pub fn parse(_words: &[Word]) -> Declarations {
    Declarations::default()
}
