//! Options and arguments of a command line, as github.com/spf13/pflag tells them apart.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::shell::word::Word;
use crate::language::text;
use crate::source::{Span, Spanned};

/// An option that a command knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    long: &'static str,
    short: Option<char>,
    takes_value: bool,
}

/// An option that is followed by its value.
pub(super) const fn valued(long: &'static str) -> Flag {
    Flag { long, short: None, takes_value: true }
}

/// The same with a one-letter spelling.
pub(super) const fn valued_short(long: &'static str, short: char) -> Flag {
    Flag { long, short: Some(short), takes_value: true }
}

/// An option that is there or not; a value can only be attached with `=`.
pub(super) const fn switch(long: &'static str) -> Flag {
    Flag { long, short: None, takes_value: false }
}

/// The same with a one-letter spelling.
pub(super) const fn switch_short(long: &'static str, short: char) -> Flag {
    Flag { long, short: Some(short), takes_value: false }
}

/// An option as it was used.
#[derive(Debug)]
pub(super) struct Given {
    /// Its long name.
    pub(super) name: &'static str,
    /// Its value; a switch has one only if it was written, as in `--rm=false`.
    pub(super) value: Option<Word>,
    /// The option with its value.
    pub(super) span: Span,
}

impl Given {
    /// The value of a switch; nothing if it is not a Boolean.
    pub(super) fn switched(&self) -> Option<Spanned<bool>> {
        let value = match self.value.as_ref().map(|v| v.text.as_str()) {
            // Go's strconv.ParseBool.
            None | Some("1" | "t" | "T" | "TRUE" | "true" | "True") => true,
            Some("0" | "f" | "F" | "FALSE" | "false" | "False") => false,
            Some(_) => return None,
        };
        Some(Spanned::new(value, self.span))
    }
}

/// A command line taken apart.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) flags: Vec<Given>,
    pub(super) arguments: Vec<Word>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// An option that is not known or has no value: docker refuses the command.
    pub(super) is_refused: bool,
    /// A word that may be none or several, where that decides what the rest means.
    pub(super) uncertain: Option<Span>,
}

/// Whether options may stand behind arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Anywhere.
    Mixed,
    /// Everything behind the first argument is an argument.
    FlagsFirst,
}

/// Takes a command line apart. `command` is its name for messages.
pub(super) fn scan(command: &str, words: &[Word], known: &[Flag], order: Order) -> Scanned {
    let mut scanner = Scanner { command, known, rest: words, out: Scanned::default() };
    scanner.run(order);
    scanner.out
}

struct Scanner<'a> {
    command: &'a str,
    known: &'a [Flag],
    rest: &'a [Word],
    out: Scanned,
}

impl<'a> Scanner<'a> {
    fn run(&mut self, order: Order) {
        while let Some(word) = self.next() {
            let text = word.text.as_str();
            if word.may_split() {
                self.out.uncertain = self.out.uncertain.or(word.unknown());
            }
            if text == "--" {
                self.take_rest();
            } else if let Some(long) = text.strip_prefix("--") {
                self.long(word, long);
            } else if text.len() > 1 && text.starts_with('-') {
                self.cluster(word);
            } else {
                self.out.arguments.push(word.clone());
                if order == Order::FlagsFirst {
                    self.take_rest();
                }
            }
        }
    }

    fn next(&mut self) -> Option<&'a Word> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn take_rest(&mut self) {
        self.out.arguments.extend_from_slice(self.rest);
        self.rest = &[];
    }

    fn long(&mut self, word: &Word, text: &str) {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name.text.get(2..).unwrap_or("").to_owned(), Some(value)),
            None => (text.to_owned(), None),
        };
        let Some(flag) = self.known.iter().find(|f| f.long == name) else {
            return self.unknown(word, &name);
        };
        self.given(*flag, word, attached);
    }

    fn given(&mut self, flag: Flag, word: &Word, attached: Option<Word>) {
        let value = match attached {
            Some(value) => Some(value),
            None if flag.takes_value => match self.next() {
                Some(value) => Some(value.clone()),
                None => return self.no_value(word),
            },
            None => None,
        };
        let span = value.as_ref().map_or(word.span, |v| word.span.to(v.span));
        self.out.flags.push(Given { name: flag.long, value, span });
    }

    /// `-dit`, `-p80:80`, `-itp 80:80`: switches up to the first option with a value, which takes the rest.
    fn cluster(&mut self, word: &Word) {
        let letters: Vec<(usize, char)> = word.text.char_indices().skip(1).collect();
        for (at, letter) in letters {
            let Some(flag) = self.known.iter().find(|f| f.short == Some(letter)).copied() else {
                return self.unknown(word, &letter.to_string());
            };
            let behind = at + letter.len_utf8();
            let rest = word.text.get(behind..).unwrap_or("");
            if let Some(value) = rest.strip_prefix('=') {
                let start = word.text.len() - value.len();
                return self.given(flag, word, Some(word.slice(start..word.text.len())));
            }
            if flag.takes_value {
                let attached = (!rest.is_empty()).then(|| word.slice(behind..word.text.len()));
                return self.given(flag, word, attached);
            }
            self.given(flag, word, None);
        }
    }

    fn unknown(&mut self, word: &Word, name: &str) {
        self.out.is_refused = true;
        let dashes = if word.text.starts_with("--") { "--" } else { "-" };
        let command = self.command;
        let message =
            text!("`{command}` has no option `{dashes}{name}`", "`{command}`에는 `{dashes}{name}` 옵션이 없습니다");
        let near = did_you_mean(name, self.known.iter().map(|f| f.long)).filter(|_| dashes == "--");
        let help = near.map_or_else(
            || {
                text!(
                    "docker refuses the whole command, so it is left out",
                    "docker가 명령 전체를 거부하므로, 이 명령은 빼고 봅니다"
                )
            },
            |near| {
                text!(
                    "did you mean `--{near}`? The whole command is left out",
                    "혹시 `--{near}`? 이 명령 전체를 빼고 봅니다"
                )
            },
        );
        let label = text!("not an option of this command", "이 명령의 옵션이 아님");
        self.out.diagnostics.push(Diagnostic::new(Code::DockerUnknownFlag, message).label(word.span, label).help(help));
    }

    fn no_value(&mut self, word: &Word) {
        self.out.is_refused = true;
        let message = text!("`{option}` needs a value", "`{option}`에는 값이 필요합니다", option = &word.text);
        let label = text!("nothing follows", "뒤에 아무것도 없음");
        self.out.diagnostics.push(Diagnostic::new(Code::DockerBadFlag, message).label(word.span, label));
    }
}
