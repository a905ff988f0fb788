//! `.env` files.
//!
//! Follows compose-go v2.9.1, dotenv/parser.go: `KEY=VALUE` or `KEY: VALUE` lines; `export` and quotes are allowed, `#`
//! starts a comment, quoted values may span lines, and values that are not in single quotes may use variables.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnosed, Diagnostic};
use crate::language::{Text, text};
use crate::source::{SourceId, Span, Spanned};

use super::interpolate;

/// Variables, each with the place of its value.
pub type Placed = BTreeMap<String, Spanned<String>>;

/// What a file sets. `outer` are variables that are set already.
pub fn parse(source: SourceId, text: &str, outer: &BTreeMap<String, String>) -> Diagnosed<BTreeMap<String, String>> {
    let Diagnosed { value, diagnostics } = parse_placed(source, text, outer);
    let value = value.into_iter().map(|(name, value)| (name, value.value)).collect();
    Diagnosed { value, diagnostics }
}

/// The same, with places.
pub fn parse_placed(source: SourceId, text: &str, outer: &BTreeMap<String, String>) -> Diagnosed<Placed> {
    let mut reader = Reader { source, text, at: 0, outer, read: Diagnosed::default() };
    while reader.assignment().is_some() {}
    reader.read
}

/// The notation of `docker run --env-file`, and of compose's `format: raw`: whatever stands behind `=` is the value
/// (docker CLI 28, pkg/kvfile/kvfile.go). A name alone takes its value from the shell, which nobody knows here.
pub fn parse_raw(source: SourceId, text: &str) -> Placed {
    let mut variables = Placed::new();
    let mut start = 0;
    for physical in text.split_inclusive('\n') {
        let line = physical.trim_end_matches(['\n', '\r']);
        let margin = line.len() - line.trim_start().len();
        let is_name = |name: &str| !name.starts_with('#') && !name.contains([' ', '\t']);
        if let Some((name, value)) = line.trim_start().split_once('=').filter(|(name, _)| is_name(name)) {
            let from = start + margin + name.len() + 1;
            let value = Spanned::new(value.to_owned(), Span::new(source, from, from + value.len()));
            variables.insert(name.to_owned(), value);
        }
        start += physical.len();
    }
    variables
}

struct Reader<'a> {
    source: SourceId,
    text: &'a str,
    at: usize,
    outer: &'a BTreeMap<String, String>,
    read: Diagnosed<Placed>,
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
            return self
                .refuse(place, text!("`{key}` is no name for a variable", "변수 이름으로 쓸 수 없습니다: `{key}`"));
        }
        let is_assigned = self.rest().get(length..).is_some_and(|rest| rest.starts_with(['=', ':']));
        self.at += length;
        if !is_assigned {
            // The name alone takes the value that is set outside.
            let value = self.outer.get(&key).cloned();
            let place = Span::new(self.source, start, start + key.len());
            self.read.value.extend(value.map(|value| (key, Spanned::new(value, place))));
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

    fn value(&mut self) -> Option<Spanned<String>> {
        let quote = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"'));
        let Some(quote) = quote else {
            let line = self.rest().split('\n').next().unwrap_or("");
            let written = line.split(" #").next().unwrap_or(line).trim_end().to_owned();
            let place = Span::new(self.source, self.at, self.at + written.len());
            self.at += line.len();
            return Some(Spanned::new(self.expanded(&written), place));
        };
        let start = self.at;
        let inside = self.rest().get(1..).unwrap_or("").to_owned();
        match quoted(&inside, quote) {
            Some((text, length)) => {
                self.at += length + 2;
                let value = if quote == '"' { self.expanded(&unescaped(&text)) } else { text };
                Some(Spanned::new(value, Span::new(self.source, start + 1, start + 1 + length)))
            }
            None => {
                let place = Span::new(self.source, start, start + 1);
                self.refuse(place, text!("this quote is not closed", "따옴표가 닫히지 않았습니다"))
            }
        }
    }

    fn expanded(&self, text: &str) -> String {
        let own = |name: &str| self.read.value.get(name).map(|value| &value.value);
        let known = |name: &str| self.outer.get(name).or_else(|| own(name)).cloned();
        interpolate::substitute(text, &known)
    }

    fn refuse<T>(&mut self, span: Span, message: Text) -> Option<T> {
        let diagnostic = Diagnostic::new(Code::ComposeBadProject, message)
            .label(span, text!("docker compose refuses to start", "docker compose가 시작하지 않음"));
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
    fn values_keep_their_places() {
        let check = |text: &str, read: &dyn Fn(SourceId) -> Placed, expected: &[(&str, &str)]| {
            let source = Sources::default().add("a.env", text);
            let read = read(source);
            let pairs: Vec<(&str, &str)> =
                read.iter().map(|(k, v)| (k.as_str(), &text[v.span.start..v.span.end])).collect();
            assert_eq!(pairs, expected, "{text}");
        };
        let text = "A=가 # 나\n  B = \"x\\n\"\n#C=1\nD\n";
        check(text, &|source| parse_placed(source, text, &BTreeMap::new()).value, &[("A", "가"), ("B", "x\\n")]);
        check(text, &|source| parse_raw(source, text), &[("A", "가 # 나")]);
    }

    #[test]
    fn what_docker_compose_refuses_has_a_place() {
        check("A=1\nB C=2\nD=3\n", &[("A", "1")], &["`B C` is no name for a variable <B C>"]);
        check("가=1\n비밀번호는 \"x", &[("가", "1")], &["`비밀번호는 \"x` is no name for a variable <비밀번호는 \"x>"]);
        check("A='x\n", &[], &["this quote is not closed <'>"]);
    }
}
