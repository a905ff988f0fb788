//! Raw text of a word -> words: quotes, escapes, line continuations, variables, word splitting.
//!
//! Follows POSIX.1-2017, XCU 2.2 (quoting) and 2.6 (expansions). brush finds where a word starts and ends; this module
//! reads what is between, because every byte has to keep its place. File names are not expanded: a pattern that
//! matches nothing stays as it is.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::frontend::placed::{Nature, PlacedText, UNKNOWN};
use crate::source::Span;

use super::word::Word;

/// Variables of a script: the value, or nothing where it was assigned something that is not known.
pub type Variables = BTreeMap<String, Option<String>>;

/// Variables of every login session whose value is one path or name without blanks.
const ONE_WORD: [&str; 9] = ["PWD", "HOME", "USER", "LOGNAME", "UID", "EUID", "HOSTNAME", "OLDPWD", "SUDO_USER"];

/// What became of a raw word.
#[derive(Debug, Default)]
pub(super) struct Expansion {
    /// The words; none when an unquoted variable is empty.
    pub(super) words: Vec<Word>,
    /// The insides of command substitutions, which run before the command.
    pub(super) substitutions: Vec<Range<usize>>,
}

/// Expands the raw word at `range` of a script.
pub(super) fn expand(script: &PlacedText, range: Range<usize>, variables: &Variables) -> Expansion {
    let text = script.as_str();
    let end = range.end.min(text.len());
    let range = without_leading_blanks(text, range.start, end);
    let Some(whole) = script.span(range.start..end) else { return Expansion::default() };
    let mut expander = Expander {
        script,
        text,
        at: range.start,
        end,
        variables,
        out: Expansion::default(),
        current: None,
        whole,
        quoting: Quoting::Unquoted,
    };
    expander.run();
    expander.out
}

struct Expander<'a> {
    script: &'a PlacedText,
    text: &'a str,
    at: usize,
    end: usize,
    variables: &'a Variables,
    out: Expansion,
    current: Option<Word>,
    whole: Span,
    /// Whether the characters at hand stand between quotes.
    quoting: Quoting,
}

/// Whether the outcome of an expansion is split at blanks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    Unquoted,
    Quoted,
}

impl Expander<'_> {
    fn run(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                '\\' => self.escape(|_| true),
                '\'' => self.single_quoted(),
                '"' => self.double_quoted(),
                '$' => self.dollar(Quoting::Unquoted),
                '`' => self.backquoted(Quoting::Unquoted),
                '{' if self.is_brace_expansion() => self.unknown_until_matching('{', '}', self.at, Quoting::Unquoted),
                _ => self.literal(c),
            }
        }
        self.finish_word();
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..self.end).unwrap_or("")
    }

    fn word(&mut self) -> &mut Word {
        let whole = self.whole;
        self.current.get_or_insert_with(|| Word::empty(whole))
    }

    fn finish_word(&mut self) {
        self.out.words.extend(self.current.take());
    }

    fn span(&self, start: usize, end: usize) -> Span {
        self.script.span(start..end).unwrap_or(self.whole)
    }

    fn literal(&mut self, c: char) {
        let start = self.at;
        self.at += c.len_utf8();
        let span = self.span(start, self.at);
        let mut buffer = [0; 4];
        let text = c.encode_utf8(&mut buffer);
        match self.script.nature(start) {
            Nature::Literal => self.word().push_literal(text, span),
            Nature::Computed => self.word().push_expanded(text, span),
            Nature::Unknown => {
                let may_split = self.quoting == Quoting::Unquoted;
                self.word().push_unknown(UNKNOWN, span, may_split);
            }
        }
    }

    /// A backslash: joins lines, or makes the next character literal if `applies_to` it, or stands for itself.
    fn escape(&mut self, applies_to: impl Fn(char) -> bool) {
        let backslash = self.at;
        self.at += 1;
        match self.peek() {
            Some('\n') => self.at += 1,
            Some(next) if applies_to(next) => self.literal(next),
            _ => {
                self.at = backslash;
                self.literal('\\');
            }
        }
    }

    fn single_quoted(&mut self) {
        let start = self.at + 1;
        let length = self.text.get(start..self.end).and_then(|rest| rest.find('\''));
        let end = length.map_or(self.end, |length| start + length);
        self.word();
        self.at = start;
        self.quoting = Quoting::Quoted;
        while let Some(c) = self.peek().filter(|_| self.at < end) {
            self.literal(c);
        }
        self.quoting = Quoting::Unquoted;
        self.at = (end + 1).min(self.end);
    }

    fn double_quoted(&mut self) {
        self.at += 1;
        self.word();
        self.quoting = Quoting::Quoted;
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.at += 1;
                    break;
                }
                '\\' => self.escape(|next| matches!(next, '$' | '`' | '"' | '\\')),
                '$' => self.dollar(Quoting::Quoted),
                '`' => self.backquoted(Quoting::Quoted),
                _ => self.literal(c),
            }
        }
        self.quoting = Quoting::Unquoted;
    }

    fn dollar(&mut self, quoting: Quoting) {
        let start = self.at;
        let rest = self.rest().get(1..).unwrap_or("");
        let Some(next) = rest.chars().next() else { return self.literal('$') };
        match next {
            '{' => self.braced(quoting),
            '(' if rest.starts_with("((") => self.unknown_until_matching('(', ')', start + 1, quoting),
            '(' => self.substitution(quoting),
            '"' if quoting == Quoting::Unquoted => self.at += 1,
            '\'' if quoting == Quoting::Unquoted => self.ansi_quoted(),
            c if c.is_ascii_alphabetic() || c == '_' => {
                let length = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
                let name = rest.get(..length).unwrap_or("").to_owned();
                self.at = start + 1 + length;
                self.variable(&name, start, quoting);
            }
            c if c.is_ascii_digit() && self.variables.contains_key(c.encode_utf8(&mut [0; 4])) => {
                self.at = start + 2;
                self.variable(c.encode_utf8(&mut [0; 4]), start, quoting);
            }
            c if c.is_ascii_digit() || "@*#?$!-".contains(c) => {
                self.at = start + 2;
                self.unknown(start, quoting == Quoting::Unquoted || c == '@');
            }
            _ => self.literal('$'),
        }
    }

    /// `$'…'`: escapes of C; without any it is a plain quote.
    fn ansi_quoted(&mut self) {
        let start = self.at;
        self.at += 1;
        let inside = self.text.get(start + 2..self.end).unwrap_or("");
        let mut escaped = false;
        let close = inside.char_indices().find(|(_, c)| {
            let closes = *c == '\'' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let length = close.map_or(inside.len(), |(at, _)| at);
        if inside.get(..length).is_some_and(|i| i.contains('\\')) {
            self.at = (start + 2 + length + 1).min(self.end);
            self.unknown(start, false);
        } else {
            self.single_quoted();
        }
    }

    fn variable(&mut self, name: &str, start: usize, quoting: Quoting) {
        match self.variables.get(name) {
            Some(Some(value)) => self.known(&value.clone(), start, quoting),
            _ => self.unknown(start, quoting == Quoting::Unquoted && !ONE_WORD.contains(&name)),
        }
    }

    /// `${name}` and `${name:-default}`; other operators are not followed.
    fn braced(&mut self, quoting: Quoting) {
        let start = self.at;
        let close = matching(self.text, start + 1, self.end, '{', '}');
        self.at = close.map_or(self.end, |close| close + 1);
        let inside = self.text.get(start + 2..close.unwrap_or(self.end)).unwrap_or("");
        let length = inside.find(|c: char| !is_name(c)).unwrap_or(inside.len());
        let (name, operator) = inside.split_at_checked(length).unwrap_or((inside, ""));
        let value = self.variables.get(name);
        let is_set = |may_be_empty: bool| match value {
            Some(Some(v)) => Some(may_be_empty || !v.is_empty()),
            Some(None) => None,
            None => Some(false),
        };
        let (default, is_set) = if let Some(default) = operator.strip_prefix(":-").or(operator.strip_prefix(":=")) {
            (default, is_set(false))
        } else if let Some(default) = operator.strip_prefix('-').or(operator.strip_prefix('=')) {
            (default, is_set(true))
        } else if operator.is_empty() || operator.starts_with(":?") || operator.starts_with('?') {
            return self.variable(name, start, quoting);
        } else {
            return self.unknown(start, quoting == Quoting::Unquoted);
        };
        let is_plain = !default.contains(['$', '`', '"', '\'', '\\', '{', '}']);
        match is_set {
            Some(true) => self.variable(name, start, quoting),
            // Nobody set it in this script; a caller who sets it in the environment changes the script's meaning.
            Some(false) if is_plain => self.known(default, start, quoting),
            _ => self.unknown(start, quoting == Quoting::Unquoted),
        }
    }

    fn known(&mut self, value: &str, start: usize, quoting: Quoting) {
        let span = self.span(start, self.at);
        if quoting == Quoting::Quoted {
            self.word().push_expanded(value, span);
            return;
        }
        let mut fields = value.split([' ', '\t', '\n']).peekable();
        while let Some(field) = fields.next() {
            if !field.is_empty() {
                self.word().push_expanded(field, span);
            }
            if fields.peek().is_some() {
                self.finish_word();
            }
        }
    }

    fn unknown(&mut self, start: usize, may_split: bool) {
        let span = self.span(start, self.at);
        let written = self.text.get(start..self.at).unwrap_or("").to_owned();
        self.word().push_unknown(&written, span, may_split);
    }

    fn substitution(&mut self, quoting: Quoting) {
        let start = self.at;
        let close = matching(self.text, start + 1, self.end, '(', ')');
        let inside = start + 2..close.unwrap_or(self.end);
        self.at = close.map_or(self.end, |close| close + 1);
        let command = self.text.get(inside.clone()).unwrap_or("").trim();
        let is_one_word = matches!(command, "pwd" | "id -u" | "id -g" | "whoami" | "hostname");
        self.out.substitutions.push(inside);
        self.unknown(start, quoting == Quoting::Unquoted && !is_one_word);
    }

    fn backquoted(&mut self, quoting: Quoting) {
        let start = self.at;
        let length = self.text.get(start + 1..self.end).and_then(|rest| rest.find('`'));
        let close = length.map_or(self.end, |length| start + 1 + length);
        self.at = (close + 1).min(self.end);
        self.out.substitutions.push(start + 1..close);
        let is_one_word = matches!(self.text.get(start + 1..close).unwrap_or("").trim(), "pwd");
        self.unknown(start, quoting == Quoting::Unquoted && !is_one_word);
    }

    /// Takes everything from here to the bracket that closes the one at `open`.
    fn unknown_until_matching(&mut self, opening: char, closing: char, open: usize, quoting: Quoting) {
        let start = self.at;
        self.at = matching(self.text, open, self.end, opening, closing).map_or(self.end, |close| close + 1);
        self.unknown(start, quoting == Quoting::Unquoted);
    }

    /// `{a,b}` or `{1..3}`, which bash makes several words of.
    fn is_brace_expansion(&self) -> bool {
        let Some(close) = matching(self.text, self.at, self.end, '{', '}') else { return false };
        let inside = self.text.get(self.at + 1..close).unwrap_or("");
        !inside.starts_with('{') && (inside.contains(',') || inside.contains(".."))
    }
}

/// brush counts joined lines and blanks in front of a word as part of it.
fn without_leading_blanks(text: &str, mut start: usize, end: usize) -> Range<usize> {
    while let Some(rest) = text.get(start..end) {
        let skipped = rest.len() - rest.trim_start_matches([' ', '\t', '\n']).len();
        start += if rest.starts_with("\\\n") { 2 } else { skipped };
        if skipped == 0 && !rest.starts_with("\\\n") {
            break;
        }
    }
    start..end
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Where the bracket at `open` is closed, quotes and nested brackets respected.
fn matching(text: &str, open: usize, end: usize, opening: char, closing: char) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, c) in text.get(open..end)?.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => escaped = true,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, c) if c == opening => depth += 1,
            (None, c) if c == closing => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(open + at);
                }
            }
            (None, _) => {}
        }
    }
    None
}
