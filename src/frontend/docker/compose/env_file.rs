//! `.env` files.
//!
//! Follows compose-go v2.9.1, dotenv/parser.go: `KEY=VALUE` or `KEY: VALUE` lines; `export` and quotes are allowed, `#`
//! starts a comment, quoted values may span lines, and values that are not in single quotes may use variables.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnosed, Diagnostic};
use crate::source::{SourceId, Span};

use super::interpolate;

/// What a file sets. `outer` are variables that are set already.
pub fn parse(source: SourceId, text: &str, outer: &BTreeMap<String, String>) -> Diagnosed<BTreeMap<String, String>> {
    let mut reader = Reader { source, text, at: 0, outer, read: Diagnosed::default() };
    while reader.assignment().is_some() {}
    reader.read
}

struct Reader<'a> {
    source: SourceId,
    text: &'a str,
    at: usize,
    outer: &'a BTreeMap<String, String>,
    read: Diagnosed<BTreeMap<String, String>>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        self.at += self.rest().find(|c| !is_skipped(c)).unwrap_or(self.rest().len());
    }

    /// Reads one variable; nothing at the end or after a mistake, which ends docker compose too.
    fn assignment(&mut self) -> Option<()> {
        self.skip(char::is_whitespace);
        while self.rest().starts_with('#') {
            self.skip(|c| c != '\n');
            self.skip(char::is_whitespace);
        }
        if self.rest().strip_prefix("export").is_some_and(|rest| rest.starts_with([' ', '\t'])) {
            self.at += "export".len();
            self.skip(is_blank);
        }
        let start = self.at;
        let length = self.rest().find(['=', ':', '\n']).unwrap_or(self.rest().len());
        let written = self.rest().get(..length).unwrap_or("").to_owned();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']') || is_blank(c);
        let key = written.trim_end().to_owned();
        if key.is_empty() && length == self.rest().len() {
            return None;
        }
        if key.contains(' ') || !written.chars().all(is_part) {
            let place = Span::new(self.source, start, start + key.len());
            return self.refuse(place, format!("`{key}` is no name for a variable"));
        }
        let is_assigned = self.rest().get(length..).is_some_and(|rest| rest.starts_with(['=', ':']));
        self.at += length;
        if !is_assigned {
            // The name alone takes the value that is set outside.
            let value = self.outer.get(&key).cloned();
            self.read.value.extend(value.map(|value| (key, value)));
            return Some(());
        }
        self.at += 1;
        self.skip(is_blank);
        let value = self.value()?;
        // A name that starts with a digit is passed over.
        if !key.starts_with(|c: char| c.is_ascii_digit()) {
            self.read.value.insert(key, value);
        }
        Some(())
    }

    fn value(&mut self) -> Option<String> {
        let quote = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"'));
        let Some(quote) = quote else {
            let line = self.rest().split('\n').next().unwrap_or("");
            let written = line.split(" #").next().unwrap_or(line).trim_end().to_owned();
            self.at += line.len();
            return Some(self.expanded(&written));
        };
        let start = self.at;
        let inside = self.rest().get(1..).unwrap_or("").to_owned();
        match quoted(&inside, quote) {
            Some((text, length)) => {
                self.at += length + 2;
                Some(if quote == '"' { self.expanded(&unescaped(&text)) } else { text })
            }
            None => {
                let place = Span::new(self.source, start, start + 1);
                self.refuse(place, "this quote is not closed".to_owned())
            }
        }
    }

    fn expanded(&self, text: &str) -> String {
        let known = |name: &str| self.outer.get(name).or_else(|| self.read.value.get(name)).cloned();
        interpolate::substitute(text, &known)
    }

    fn refuse<T>(&mut self, span: Span, message: String) -> Option<T> {
        let diagnostic =
            Diagnostic::new(Code::ComposeBadProject, message).label(span, "docker compose refuses to start");
        self.read.diagnostics.push(diagnostic);
        None
    }
}

/// White space that ends no line.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\x0b' | '\x0c' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

/// What stands before the closing quote, and its length as it is written. `\` keeps the quote from closing.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if c == quote && !is_escaped => return Some((out, at)),
            '\\' if !is_escaped => {
                is_escaped = true;
                continue;
            }
            _ if c != quote && is_escaped => out.extend(['\\', c]),
            _ => out.push(c),
        }
        is_escaped = false;
    }
    None
}

/// The escapes of double quotes; a dollar that is escaped stands for itself.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let Some(next) = (c == '\\').then(|| chars.clone().next()).flatten() else {
            out.push(c);
            continue;
        };
        let plain = match next {
            'n' => "\n",
            't' => "\t",
            'r' => "\r",
            '\\' => "\\",
            '"' => "\"",
            '$' => "$$",
            _ => "",
        };
        if plain.is_empty() {
            out.push(c);
        } else {
            chars.next();
            out.push_str(plain);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn check(text: &str, expected: &[(&str, &str)], messages: &[&str]) {
        let outer = BTreeMap::from([("A".to_owned(), "0".to_owned())]);
        let source = Sources::default().add(".env", text);
        let read = parse(source, text, &outer);
        let pairs: Vec<(&str, &str)> = read.value.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, expected, "{text}");
        let said: Vec<String> = read
            .diagnostics
            .iter()
            .map(|d| format!("{} <{}>", d.message, &text[d.labels[0].span.start..d.labels[0].span.end]))
            .collect();
        assert_eq!(said, messages, "{text}");
    }

    #[test]
    fn env_files_are_read_as_compose_does() {
        check(
            "# c\nA=1\nexport B = \"x y\" # no\nC='$A'\nD=v # w\nE=\nF=${A}-${D:-d}$G\n",
            &[("A", "1"), ("B", "x y"), ("C", "$A"), ("D", "v"), ("E", ""), ("F", "0-v")],
            &[],
        );
        check("A\nB: 8\nC=\"a\nb\\n\\$c\"\n1=2\n", &[("A", "0"), ("B", "8"), ("C", "a\nb\n$c")], &[]);
        check("", &[], &[]);
    }

    #[test]
    fn what_docker_compose_refuses_has_a_place() {
        check("A=1\nB C=2\nD=3\n", &[("A", "1")], &["`B C` is no name for a variable <B C>"]);
        check("가=1\n비밀번호는 \"x", &[("가", "1")], &["`비밀번호는 \"x` is no name for a variable <비밀번호는 \"x>"]);
        check("A='x\n", &[], &["this quote is not closed <'>"]);
    }
}
