//! Standard output and error, and what the terminal can show.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::report::Style;

/// Prints a result. A reader that went away (`| head`) is no error.
pub(super) fn print(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Prints what is wrong with the call itself.
pub(super) fn complain(message: &str) {
    let _ = writeln!(io::stderr().lock(), "canreach: {message}");
}

/// Prints messages about files where standard output belongs to something else.
pub(super) fn print_aside(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Whether a person reads standard output as it is written.
pub(super) fn is_shown() -> bool {
    io::stdout().is_terminal()
}

/// What may be used on standard output. See <https://no-color.org>.
pub(super) fn style() -> Style {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let dumb = set("TERM").is_some_and(|term| term == "dumb");
    let color = io::stdout().is_terminal() && set("NO_COLOR").is_none() && !dumb;
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    let unicode = cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8");
    Style { color, unicode }
}

/// How far a long analysis has come, on the last line of a terminal.
pub(super) struct Progress {
    next: Instant,
    is_shown: bool,
}

/// Whoever waits less long does not need to be told.
const PATIENCE: Duration = Duration::from_millis(500);

impl Default for Progress {
    fn default() -> Self {
        Self { next: Instant::now() + PATIENCE, is_shown: false }
    }
}

impl Progress {
    /// Shows how many rules have been looked at, now and then.
    pub(super) fn show(&mut self, done: usize, total: usize) {
        if Instant::now() < self.next || !io::stderr().is_terminal() {
            return;
        }
        let _ = write!(io::stderr().lock(), "\rlooking at rule {done} of {total} ");
        self.is_shown = true;
        self.next = Instant::now() + PATIENCE / 5;
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.is_shown {
            let _ = write!(io::stderr().lock(), "\r{:50}\r", "");
        }
    }
}
