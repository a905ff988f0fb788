//! Scripts of `cmd`: `%NAME%`, `^`, quotes, `&` and parentheses.

use std::collections::BTreeMap;

use crate::frontend::placed::PlacedText;
use crate::source::Span;

use super::{Argument, Commands, Cursor, Value, from_known, known};

pub(super) fn read(cursor: Cursor<'_>) -> PlacedText {
    let mut reader = Reader {
        delays: cursor.text.to_lowercase().contains("enabledelayedexpansion"),
        cursor,
        variables: BTreeMap::new(),
        blocks: 0,
        inner: 0,
        is_reached: Reached::Surely,
        is_alternative: false,
        out: Commands::default(),
    };
    while reader.cursor.peek().is_some() {
        reader.statement();
    }
    reader.out.script
}

/// Whether the line at hand is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    Surely,
    /// There are labels and jumps: nobody knows.
    Perhaps,
    Never,
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    /// Names in upper case.
    variables: BTreeMap<String, Value>,
    /// How many parentheses with commands are open.
    blocks: usize,
    /// Those inside the words of a command.
    inner: usize,
    is_reached: Reached,
    /// The command before it on the line ended with `||`.
    is_alternative: bool,
    /// Whether `!NAME!` is a variable.
    delays: bool,
    out: Commands,
}

impl Reader<'_> {
    /// One line, with the commands that `&` and `|` put on it.
    fn statement(&mut self) {
        self.cursor.skip_while(|c| c.is_whitespace() || c == '@');
        if self.cursor.skip("::") {
            return self.cursor.skip_line();
        }
        if self.cursor.skip(":") {
            self.is_reached = Reached::Perhaps;
            return self.cursor.skip_line();
        }
        let mut is_certain = self.blocks == 0;
        self.is_alternative = false;
        loop {
            let start = self.cursor.at;
            self.inner = 0;
            let (words, end) = self.words();
            is_certain &= !is_branch(&words);
            self.command(&words, self.cursor.since(start), is_certain);
            match end {
                End::Line => return,
                End::Or => (is_certain, self.is_alternative) = (false, true),
                End::And => {}
                End::Open => {
                    self.blocks += 1;
                    is_certain = false;
                }
                End::Close => self.blocks = self.blocks.saturating_sub(1),
            }
        }
    }

    fn words(&mut self) -> (Vec<Argument>, End) {
        let mut words = Vec::new();
        loop {
            self.cursor.skip_while(|c| c == ' ' || c == '\t' || c == '@' && words.is_empty());
            let Some(c) = self.cursor.peek() else { return (words, End::Line) };
            match c {
                '\r' | '\n' => {
                    self.cursor.skip_while(|c| c == '\r');
                    self.cursor.skip("\n");
                    return (words, End::Line);
                }
                '&' => {
                    self.cursor.skip_while(|c| c == '&');
                    return (words, End::And);
                }
                '|' => {
                    let is_or = self.cursor.skip("||") || !self.cursor.skip("|");
                    return (words, if is_or { End::Or } else { End::And });
                }
                '(' if opens_block(&words) => {
                    self.cursor.bump();
                    return (words, End::Open);
                }
                ')' if 0 < self.blocks && self.inner == 0 => {
                    self.cursor.bump();
                    return (words, End::Close);
                }
                '>' | '<' => self.redirection(),
                _ => {
                    let word = self.word();
                    if words.is_empty() && is_one_of(&word, &["rem"]) {
                        self.cursor.skip_line();
                        return (words, End::Line);
                    }
                    // The number of a file, as in `2>nul`.
                    let is_number = word.text.len() == 1 && word.text.starts_with(|c: char| c.is_ascii_digit());
                    let is_descriptor = is_number && matches!(self.cursor.peek(), Some('>' | '<'));
                    words.extend((!is_descriptor).then_some(word));
                }
            }
        }
    }

    /// `>nul`, `>> file`, `2>&1`.
    fn redirection(&mut self) {
        self.cursor.skip_while(|c| matches!(c, '>' | '<' | '&'));
        self.cursor.skip_while(|c| c == ' ' || c == '\t');
        if !matches!(self.cursor.peek(), None | Some('\r' | '\n')) {
            self.word();
        }
    }

    fn word(&mut self) -> Argument {
        let mut word = Argument::new();
        let mut is_quoted = false;
        let mut start = self.cursor.at;
        while let Some(c) = self.cursor.peek() {
            let at = self.cursor.at;
            match c {
                '\r' | '\n' => break,
                ' ' | '\t' | '&' | '|' | '<' | '>' if !is_quoted => break,
                ')' if !is_quoted && 0 < self.blocks && self.inner == 0 => break,
                '(' | ')' if !is_quoted => {
                    self.inner = if c == '(' { self.inner + 1 } else { self.inner.saturating_sub(1) };
                    self.cursor.bump();
                }
                '"' => {
                    self.flush(&mut word, start);
                    is_quoted = !is_quoted;
                    self.cursor.bump();
                    start = self.cursor.at;
                    // An empty argument is one, too.
                    word.literal("", self.cursor.since(at));
                }
                '^' if !is_quoted => {
                    self.flush(&mut word, start);
                    self.cursor.bump();
                    let goes_on = self.cursor.skip_line_end();
                    start = self.cursor.at;
                    if goes_on {
                        break;
                    }
                    self.cursor.bump();
                }
                '%' | '!' if c == '%' || self.delays => {
                    self.flush(&mut word, start);
                    self.variable(&mut word, c);
                    start = self.cursor.at;
                }
                _ => drop(self.cursor.bump()),
            }
        }
        self.flush(&mut word, start);
        word
    }

    fn flush(&self, word: &mut Argument, start: usize) {
        if let Some(text) = self.cursor.text.get(start..self.cursor.at).filter(|text| !text.is_empty()) {
            word.literal(text, self.cursor.since(start));
        }
    }

    /// `%NAME%`, `!NAME!`, `%1`, `%~dp0`, `%%i`.
    fn variable(&mut self, word: &mut Argument, mark: char) {
        let start = self.cursor.at;
        self.cursor.bump();
        let rest = self.cursor.rest();
        let line = rest.lines().next().unwrap_or("");
        let is_name = |name: &str| !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '"');
        let name = line.find(mark).and_then(|end| line.get(..end)).filter(|name| is_name(name)).map(str::to_owned);
        if let Some(name) = name {
            self.cursor.at += name.len() + mark.len_utf8();
            // Nothing is known of the environment, nor of `%NAME:a=b%`.
            return word.value(self.variables.get(&name.to_uppercase()), self.cursor.since(start));
        }
        self.cursor.skip_while(|c| c == mark || c == '~');
        self.cursor.skip_while(|c| c.is_ascii_alphanumeric() || c == '*');
        word.value(None, self.cursor.since(start));
    }

    fn command(&mut self, words: &[Argument], span: Span, is_certain: bool) {
        let Some((first, rest)) = words.split_first().filter(|_| self.is_reached != Reached::Never) else { return };
        let is_certain = is_certain && self.is_reached == Reached::Surely;
        match first.text.to_lowercase().as_str() {
            "set" => self.set(rest, is_certain),
            "exit" if is_certain => self.is_reached = Reached::Never,
            "goto" if is_certain && rest.first().is_some_and(|to| is_one_of(to, &[":eof"])) => {
                self.is_reached = Reached::Never;
            }
            // `|| goto failed` is for the case that something did not work.
            "goto" if self.is_alternative => {}
            "goto" => self.is_reached = Reached::Perhaps,
            "call" => match rest.iter().find(|word| !is_one_of(word, &["call"])) {
                Some(label) if label.text.starts_with(':') => self.is_reached = Reached::Perhaps,
                Some(other) if known(&other.text).is_none() => self.out.push_file(&other.text, span),
                _ => self.out.push(from_known(rest).unwrap_or_default(), span, is_certain),
            },
            "start" => self.out.push(from_known(rest).unwrap_or_default(), span, is_certain),
            _ if known(&first.text).is_some() => self.out.push(words, span, is_certain),
            _ if is_branch(words) => {
                self.out.push(from_known(words).unwrap_or_default(), span, false);
                // So is `if errorlevel 1 goto failed`.
                let jumps = words.iter().any(|word| is_one_of(word, &["goto"]));
                if jumps && !words.iter().any(|word| is_one_of(word, &["errorlevel"])) {
                    self.is_reached = Reached::Perhaps;
                }
            }
            _ => {}
        }
    }

    /// `set NAME=VALUE`, `set "NAME=VALUE"`; what `/a` and `/p` give is not known.
    fn set(&mut self, words: &[Argument], is_certain: bool) {
        let is_plain = is_certain && words.iter().all(|word| word.is_known && !word.text.starts_with('/'));
        let words = words.iter().filter(|word| !word.text.starts_with('/')).map(|word| word.text.as_str());
        let whole = words.collect::<Vec<_>>().join(" ");
        let Some((name, value)) = whole.split_once('=') else { return };
        let value = Value { text: value.to_owned(), is_known: is_plain };
        self.variables.insert(name.trim().to_uppercase(), value);
    }
}

/// How a command ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Line,
    /// `&`, `&&`, `|`.
    And,
    /// `||`.
    Or,
    /// `(`.
    Open,
    /// `)`.
    Close,
}

fn is_branch(words: &[Argument]) -> bool {
    words.first().is_some_and(|word| is_one_of(word, &["if", "for", "else"]))
}

/// Commands stand in a parenthesis at the beginning of a line and behind a condition; `in (…)` of a loop has words.
fn opens_block(words: &[Argument]) -> bool {
    words.is_empty() || (is_branch(words) && !words.last().is_some_and(|word| is_one_of(word, &["in"])))
}

fn is_one_of(word: &Argument, names: &[&str]) -> bool {
    names.iter().any(|name| word.text.eq_ignore_ascii_case(name))
}
