//! Standard output and error, and what the terminal can show.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::language::{Language, Text, text};
use crate::report::Style;

/// Prints a result. A reader that went away (`| head`) is no error.
pub(super) fn print(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Prints what is wrong with the call itself.
pub(super) fn complain(message: impl Into<Text>) {
    let message = message.into();
    let _ = writeln!(io::stderr().lock(), "canreach: {}", message.in_language(language()));
}

/// Complains about a file that cannot be written.
pub(super) fn cannot_write(path: &Path, error: &io::Error) {
    let path = path.display();
    complain(text!("cannot write `{path}`: {error}", "`{path}` 파일을 쓸 수 없습니다: {error}"));
}

/// Complains about what only a bug of this program explains.
pub(super) fn complain_of_bug(what: impl Into<Text>) {
    let what = what.into();
    complain(text!("this is a bug of canreach: {what}", "canreach의 버그입니다: {what}"; what));
}

/// Prints messages about files where standard output belongs to something else.
pub(super) fn print_aside(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// The language that was asked for. The command line is read once, before anything is printed.
static ASKED: OnceLock<Language> = OnceLock::new();

/// Prints in this language from now on, rather than in that of the locale.
pub(super) fn speak(language: Option<Language>) {
    if let Some(language) = language {
        let _ = ASKED.set(language);
    }
}

/// The language of everything that is printed for people.
pub(super) fn language() -> Language {
    ASKED.get().copied().unwrap_or_else(|| Language::of_locale(&locale("LC_MESSAGES")))
}

/// The locale of a category, as POSIX.1-2024 finds it (8.2): `LC_ALL`, then the category's own variable, then `LANG`.
fn locale(category: &str) -> String {
    let locale = ["LC_ALL", category, "LANG"].into_iter().find_map(set).unwrap_or_default();
    locale.to_string_lossy().into_owned()
}

/// An environment variable, unless it is empty.
fn set(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Whether a person reads standard output as it is written.
pub(super) fn is_shown() -> bool {
    io::stdout().is_terminal()
}

/// What may be used on standard output. See <https://no-color.org>.
pub(super) fn style() -> Style {
    let dumb = set("TERM").is_some_and(|term| term == "dumb");
    let color = io::stdout().is_terminal() && set("NO_COLOR").is_none() && !dumb;
    let locale = locale("LC_CTYPE").to_ascii_lowercase();
    let unicode = cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8");
    Style { color, unicode, language: language() }
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
        let looking = text!("looking at rule {done} of {total}", "규칙 {total}개 중 {done}개째를 살펴보는 중");
        let _ = write!(io::stderr().lock(), "\r{} ", looking.in_language(language()));
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
