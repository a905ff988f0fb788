//! Scripts of Windows, `.bat`, `.cmd` and `.ps1`: their simple command lines, written down as a shell reads them.
//!
//! Only what stands there line by line is followed: variables that are given a plain value, quotes, continuations. Commands
//! under a condition, in a loop, or behind a label are handed on as doubtful, and values that nobody knows as unknown; the
//! reader of shell scripts reports both. Sources: Microsoft, "cmd" and "set"; PowerShell, about_Parsing, about_Quoting_Rules,
//! about_Special_Characters.

mod batch;
mod power_shell;

use crate::frontend::placed::{Nature, PlacedText, UNKNOWN};
use crate::source::{SourceId, Span};

/// The commands of a script of `cmd`.
pub fn batch(source: SourceId, text: &str) -> PlacedText {
    batch::read(Cursor { source, text, at: 0 })
}

/// The commands of a script of PowerShell.
pub fn power_shell(source: SourceId, text: &str) -> PlacedText {
    power_shell::read(Cursor { source, text, at: 0 })
}

/// Programs whose lines are read, and those that run what they are told; the names count whatever their case.
const PROGRAMS: [&str; 12] = [
    "VBoxManage",
    "netsh",
    "docker",
    "docker-compose",
    "ssh",
    "wsl",
    "cmd",
    "powershell",
    "pwsh",
    "Invoke-Expression",
    "iex",
    "Start-Process",
];

/// A place in a script.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    source: SourceId,
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Goes past a text if it stands here.
    fn skip(&mut self, text: &str) -> bool {
        let is_here = self.rest().starts_with(text);
        self.at += if is_here { text.len() } else { 0 };
        is_here
    }

    fn skip_while(&mut self, is_skipped: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&is_skipped) {
            self.bump();
        }
    }

    /// Goes past the end of the line that follows; nothing if none does.
    fn skip_line_end(&mut self) -> bool {
        self.skip("\r\n") || self.skip("\n")
    }

    /// Goes past the next occurrence of a text, or to the end.
    fn skip_past(&mut self, text: &str) {
        self.at += self.rest().find(text).map_or(self.rest().len(), |at| at + text.len());
    }

    fn skip_line(&mut self) {
        self.skip_while(|c| c != '\n');
    }

    /// What stands between a place and here.
    fn since(&self, start: usize) -> Span {
        Span::new(self.source, start, self.at)
    }
}

/// The value of a variable. What is not known of it stands there as such: of `%ProgramFiles%\x\VBoxManage.exe` the name of
/// the program is known.
#[derive(Clone)]
struct Value {
    text: String,
    is_known: bool,
}

/// An argument.
#[derive(Clone, Default)]
struct Argument {
    /// Its text; what is not known stands for itself.
    text: String,
    is_known: bool,
    /// As a shell reads it.
    quoted: PlacedText,
}

impl Argument {
    fn new() -> Self {
        Self { is_known: true, ..Self::default() }
    }

    /// Adds text that stands in the script as it is.
    fn literal(&mut self, text: &str, span: Span) {
        self.push(text, span, Nature::Literal);
    }

    /// Adds the value of a variable that is written at `span`, or what nobody knows.
    fn value(&mut self, value: Option<&Value>, span: Span) {
        if let Some(value) = value.filter(|value| value.is_known) {
            return self.push(&value.text, span, Nature::Computed);
        }
        self.is_known = false;
        self.text.push_str(value.map_or(UNKNOWN, |value| &value.text));
        self.quoted.push(UNKNOWN, span, Nature::Unknown);
    }

    fn push(&mut self, text: &str, span: Span, nature: Nature) {
        self.text.push_str(text);
        let quote = if text.contains('\'') { "\"" } else { "'" };
        // Neither a shell nor this tool can say both.
        if text.contains('\'') && text.contains(['"', '$', '`', '\\']) {
            return self.value(None, span);
        }
        self.quoted.push(quote, span, Nature::Computed);
        self.quoted.push(text, span, nature);
        self.quoted.push(quote, span, Nature::Computed);
    }
}

/// What has been collected of a script.
#[derive(Default)]
struct Commands {
    script: PlacedText,
}

impl Commands {
    /// Adds a command. One that may not be run stands under a condition.
    fn push(&mut self, words: &[Argument], span: Span, is_certain: bool) {
        let Some((program, arguments)) = words.split_first() else { return };
        let place = |word: &Argument| word.quoted.span(0..word.quoted.as_str().len());
        let ends = words.first().and_then(place).zip(words.last().and_then(place));
        let span = ends.map_or(span, |(first, last)| first.to(last));
        let mut line = |text: &str| self.script.push(text, span, Nature::Computed);
        if !is_certain {
            line("if test; then\n");
        }
        match known(&program.text) {
            Some(name) => line(name),
            None => self.script.append(&program.quoted),
        }
        for argument in arguments {
            self.script.push(" ", span, Nature::Computed);
            self.script.append(&argument.quoted);
        }
        self.script.push(if is_certain { "\n" } else { "\nfi\n" }, span, Nature::Computed);
    }
}

impl Commands {
    /// Another script is run.
    fn push_file(&mut self, file: &str, span: Span) {
        let mut name = Argument::new();
        name.push(file, span, Nature::Computed);
        self.script.push("bash ", span, Nature::Computed);
        self.script.append(&name.quoted);
        self.script.push("\n", span, Nature::Computed);
    }
}

/// The program that a word names, whatever its directory and its case.
fn known(word: &str) -> Option<&'static str> {
    let name = word.rsplit(['\\', '/']).next().unwrap_or(word);
    let name = name.strip_suffix(".exe").or_else(|| name.strip_suffix(".EXE")).unwrap_or(name);
    PROGRAMS.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// Where in a line of words the program of interest is: behind `if exist x`, `do`, `start "" /b`.
fn from_known(words: &[Argument]) -> Option<&[Argument]> {
    words.get(words.iter().position(|word| known(&word.text).is_some())?..)
}

#[cfg(test)]
mod tests;
