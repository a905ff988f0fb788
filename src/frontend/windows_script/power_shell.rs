//! Scripts of PowerShell: `$name`, backticks, quotes, braces.

use std::collections::BTreeMap;
use std::mem;

use crate::frontend::placed::PlacedText;
use crate::source::Span;

use super::{Argument, Commands, Cursor, Value, known};

pub(super) fn read(cursor: Cursor<'_>) -> PlacedText {
    let mut reader = Reader {
        cursor,
        variables: BTreeMap::new(),
        blocks: Vec::new(),
        is_over: false,
        is_alternative: false,
        out: Commands::default(),
    };
    while reader.cursor.peek().is_some() {
        reader.statement();
    }
    reader.out.script
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    /// Names in lower case.
    variables: BTreeMap<String, Value>,
    /// Whether each open block is run for certain.
    blocks: Vec<bool>,
    /// `exit` or `return` was met.
    is_over: bool,
    /// The statement before ended with `||`: what follows runs when it fails.
    is_alternative: bool,
    out: Commands,
}

/// Blocks that are run when they are reached.
const PLAIN_BLOCKS: [&str; 5] = ["try", "finally", "begin", "process", "end"];

impl Reader<'_> {
    fn statement(&mut self) {
        self.cursor.skip_while(|c| c.is_whitespace() || c == ';');
        let start = self.cursor.at;
        let assigned = self.assigned();
        let (words, end) = self.words();
        let is_sure = !mem::replace(&mut self.is_alternative, end == End::Or);
        let is_certain = is_sure && self.blocks.iter().all(|certain| *certain);
        let span = self.cursor.since(start);
        match assigned {
            Some(name) => self.assign(name, &words, span, is_certain),
            None => self.command(&words, span, is_certain),
        }
        match end {
            End::Statement | End::Or => {}
            End::Open => {
                let is_plain = words.is_empty() || words.first().is_some_and(|word| is_one_of(word, &PLAIN_BLOCKS));
                self.blocks.push(is_plain);
            }
            End::Close => drop(self.blocks.pop()),
        }
    }

    /// The variable that a statement gives a value, `$name =` or `[type]$name +=`; the value comes next.
    fn assigned(&mut self) -> Option<String> {
        let mut ahead = self.cursor;
        if ahead.skip("[") {
            ahead.skip_while(|c| c != ']' && c != '\n');
            ahead.bump();
        }
        if !ahead.skip("$") {
            return None;
        }
        ahead.skip("{");
        let from = ahead.at;
        ahead.skip_while(is_of_name);
        let name = ahead.text.get(from..ahead.at)?.to_lowercase();
        ahead.skip("}");
        ahead.skip_while(|c| c == ' ' || c == '\t');
        let is_changed = ahead.skip("+") || ahead.skip("-");
        if !ahead.skip("=") || ahead.peek() == Some('=') {
            return None;
        }
        self.cursor = ahead;
        if is_changed {
            // What it was before does not count.
            self.variables.remove(&name);
            return Some(String::new());
        }
        Some(name)
    }

    fn words(&mut self) -> (Vec<Argument>, End) {
        let mut words: Vec<Argument> = Vec::new();
        loop {
            self.cursor.skip_while(|c| c == ' ' || c == '\t');
            let Some(c) = self.cursor.peek() else { return (words, End::Statement) };
            match c {
                '\r' | '\n' | ';' => {
                    self.cursor.bump();
                    return (words, End::Statement);
                }
                '`' if self.goes_on() => {}
                '#' => self.cursor.skip_line(),
                '<' if self.cursor.skip("<#") => self.cursor.skip_past("#>"),
                '{' | '}' => {
                    self.cursor.bump();
                    return (words, if c == '{' { End::Open } else { End::Close });
                }
                '|' => {
                    let is_or = self.cursor.skip("||") || !self.cursor.skip("|");
                    return (words, if is_or { End::Or } else { End::Statement });
                }
                // The call operator, or `&&`.
                '&' => {
                    self.cursor.skip_while(|c| c == '&');
                    if !words.is_empty() {
                        return (words, End::Statement);
                    }
                }
                '>' | '<' => {
                    self.cursor.skip_while(|c| matches!(c, '>' | '<' | '&' | ' '));
                    if !matches!(self.cursor.peek(), None | Some('\r' | '\n' | ';')) {
                        self.word();
                    }
                }
                _ => words.push(self.word()),
            }
        }
    }

    /// A backtick at the end of a line.
    fn goes_on(&mut self) -> bool {
        self.cursor.skip("`\r\n") || self.cursor.skip("`\n")
    }

    fn word(&mut self) -> Argument {
        let mut word = Argument::new();
        let first = self.cursor.at;
        let mut start = self.cursor.at;
        while let Some(c) = self.cursor.peek() {
            let at = self.cursor.at;
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '|' | '{' | '}' | '>' | '<' => break,
                '`' => {
                    self.flush(&mut word, start);
                    if self.goes_on() {
                        return word;
                    }
                    self.cursor.bump();
                    start = self.cursor.at;
                    self.cursor.bump();
                }
                '\'' | '"' => {
                    self.flush(&mut word, start);
                    self.quoted(&mut word, c);
                    start = self.cursor.at;
                }
                '$' => {
                    self.flush(&mut word, start);
                    self.variable(&mut word);
                    start = self.cursor.at;
                }
                // An expression, a list, a text of many lines, or many arguments.
                '(' | ',' => {
                    self.flush(&mut word, start);
                    self.cursor.bump();
                    if c == '(' {
                        self.skip_nested();
                    }
                    word.value(None, self.cursor.since(at));
                    start = self.cursor.at;
                }
                '@' if at == first => {
                    let end = ["\"", "'"].into_iter().find(|quote| self.cursor.skip(&format!("@{quote}")));
                    match end.map(|quote| format!("\n{quote}@")) {
                        Some(end) => self.cursor.skip_past(&end),
                        None => drop(self.cursor.bump()),
                    }
                    word.value(None, self.cursor.since(at));
                    start = self.cursor.at;
                }
                _ => drop(self.cursor.bump()),
            }
        }
        self.flush(&mut word, start);
        // Nothing may stand still.
        if self.cursor.at == first {
            self.cursor.bump();
        }
        word
    }

    fn flush(&self, word: &mut Argument, start: usize) {
        if let Some(text) = self.cursor.text.get(start..self.cursor.at).filter(|text| !text.is_empty()) {
            word.literal(text, self.cursor.since(start));
        }
    }

    /// To the end of what stands in parentheses.
    fn skip_nested(&mut self) {
        let mut depth = 1;
        while let Some(c) = self.cursor.bump() {
            depth += i32::from(c == '(') - i32::from(c == ')');
            if depth == 0 {
                return;
            }
        }
    }

    fn quoted(&mut self, word: &mut Argument, quote: char) {
        let opening = self.cursor.at;
        self.cursor.bump();
        // An empty argument is one, too.
        word.literal("", self.cursor.since(opening));
        let mut start = self.cursor.at;
        while let Some(c) = self.cursor.peek() {
            if c == quote {
                self.flush(word, start);
                self.cursor.bump();
                start = self.cursor.at;
                // Twice, it is one of the text.
                if self.cursor.peek() != Some(quote) {
                    return;
                }
                self.cursor.bump();
            } else if c == '`' && quote == '"' {
                self.flush(word, start);
                self.cursor.bump();
                start = self.cursor.at;
                self.cursor.bump();
            } else if c == '$' && quote == '"' {
                self.flush(word, start);
                self.variable(word);
                start = self.cursor.at;
            } else {
                self.cursor.bump();
            }
        }
        self.flush(word, start);
    }

    /// `$name`, `${name}`; of `$env:NAME`, `$(…)` and members nothing is known.
    fn variable(&mut self, word: &mut Argument) {
        let start = self.cursor.at;
        self.cursor.bump();
        if self.cursor.skip("(") {
            self.skip_nested();
            return word.value(None, self.cursor.since(start));
        }
        let in_braces = self.cursor.skip("{");
        let from = self.cursor.at;
        self.cursor.skip_while(is_of_name);
        let name = self.cursor.text.get(from..self.cursor.at).unwrap_or("").to_lowercase();
        if in_braces {
            self.cursor.skip("}");
        }
        let is_member = matches!(self.cursor.peek(), Some('.' | '[')) && !in_braces;
        let value = self.variables.get(&name).filter(|_| !is_member);
        word.value(value, self.cursor.since(start));
    }

    fn command(&mut self, words: &[Argument], span: Span, is_certain: bool) {
        let Some((first, rest)) = words.split_first().filter(|_| !self.is_over) else { return };
        match first.text.to_lowercase().as_str() {
            "exit" | "return" if is_certain => self.is_over = true,
            "." => {
                if let Some(file) = rest.first() {
                    self.out.push_file(&file.text, span);
                }
            }
            _ if known(&first.text).is_some() => self.out.push(words, span, is_certain),
            // `New-NetFirewallRule`: what they mean is another reader's matter.
            cmdlet if cmdlet.contains("-net") => self.out.push(words, span, is_certain),
            _ => {}
        }
    }

    /// A single value is known; what a command prints is not, but the command is run.
    fn assign(&mut self, name: String, value: &[Argument], span: Span, is_certain: bool) {
        match value {
            [only] => drop(
                self.variables.insert(name, Value { text: only.text.clone(), is_known: only.is_known && is_certain }),
            ),
            // `Join-Path $env:ProgramFiles "Oracle\VirtualBox\VBoxManage.exe"` still tells which program it is.
            [.., last] => drop(self.variables.insert(name, Value { text: last.text.clone(), is_known: false })),
            [] => drop(self.variables.remove(&name)),
        }
        if value.first().is_some_and(|program| known(&program.text).is_some()) {
            self.out.push(value, span, is_certain);
        }
    }
}

/// How a statement ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Statement,
    /// `||`.
    Or,
    Open,
    Close,
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | ':')
}

fn is_one_of(word: &Argument, names: &[&str]) -> bool {
    names.iter().any(|name| word.text.eq_ignore_ascii_case(name))
}
