//! What docker compose checks about the form of a file before it looks at what it means: which keys there are, and what
//! kind of value each has. Whatever does not fit makes it refuse the whole project.
//!
//! Follows compose-go v2.9.1, as docker compose 2.40.3 has it: the kinds of its schema, and the conversions of texts to
//! numbers and switches that come before (loader/interpolate.go) and behind it (loader/mapstructure.go).

use std::collections::HashSet;

use crate::diagnostic::{Code, Diagnostic, Severity, did_you_mean};
use crate::frontend::yaml::{Entry, Node, Resolved, Style, Value};
use crate::source::{Span, Spanned};

mod shapes;

/// What a value may be.
pub(super) enum Shape {
    /// Whatever it is.
    Any,
    /// Nothing written.
    Null,
    /// A text; a number without quotes is none.
    Text,
    /// A text that is one of these.
    Word(&'static [&'static str]),
    /// A text that contains one of these.
    Part(&'static [&'static str]),
    /// The name of a container.
    Name,
    /// A length of time: `1m30s`.
    Duration,
    /// A number of bytes as a text: `64m`.
    Size,
    /// A number, also with a fraction.
    Number,
    /// A number, or a text that is one.
    Castable(Number),
    /// `true` or `false`, as YAML has them.
    Bool,
    /// The same, or a text that says so.
    Switch,
    /// A list, in which an item may stand once only if so stated.
    List(&'static Shape, Repeats),
    /// A map with certain keys, some of which must be there.
    Fields(&'static [(&'static str, &'static Shape)], &'static [&'static str]),
    /// A map in which these keys have a kind, and others are free.
    Open(&'static [(&'static str, &'static Shape)]),
    /// A map of things that are named by its keys.
    Named(&'static Shape, Keys),
    /// One of several.
    Either(&'static [&'static Shape]),
}

/// What a number must be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Whole,
    Fraction,
    /// A text must be a whole one, a number need not be.
    Loose,
}

/// Whether items of a list may be equal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeats {
    Allowed,
    Refused,
}

/// What a key may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    Free,
    /// Letters, digits, dot, line and underscore.
    Names,
}

/// Reports what docker compose refuses about the form of a project.
pub(super) fn check(root: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let mut checker = Checker { path: Vec::new(), diagnostics };
    checker.check(root, &shapes::PROJECT);
}

struct Checker<'a> {
    path: Vec<String>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    fn check(&mut self, node: &Node, shape: &Shape) {
        match shape {
            Shape::Either(shapes) => self.either(node, shapes),
            _ if !is_kind(node, shape) => self.wrong(node, &expected(shape)),
            Shape::Word(words) => self.word(node, words, |text, word| text == word),
            Shape::Part(words) => self.word(node, words, |text, word| text.contains(word)),
            Shape::Name => self.name(node),
            Shape::Duration => self.notation(node, is_duration, "a length of time like `1m30s`"),
            Shape::Size => self.notation(node, is_size, "a size like `64m`"),
            Shape::Castable(number) => self.castable(node, *number),
            Shape::Switch => self.switch(node),
            Shape::List(shape, repeats) => self.list(node, shape, *repeats),
            Shape::Fields(fields, required) => self.fields(node, fields, required),
            Shape::Open(fields) => self.open(node, fields),
            Shape::Named(shape, keys) => self.named(node, shape, *keys),
            Shape::Any | Shape::Null | Shape::Text | Shape::Number | Shape::Bool => {}
        }
    }

    /// The alternatives differ in kind, so that one of them is meant.
    fn either(&mut self, node: &Node, shapes: &[&Shape]) {
        match shapes.iter().find(|shape| is_kind(node, shape)) {
            Some(shape) => self.check(node, shape),
            None => {
                let all: Vec<String> = shapes.iter().map(|shape| expected(shape)).collect();
                self.wrong(node, &all.join(" or "));
            }
        }
    }

    fn below(&mut self, step: &str, node: &Node, shape: &Shape) {
        if node.tag.as_deref() == Some("!reset") {
            return;
        }
        self.path.push(step.to_owned());
        self.check(node, shape);
        self.path.pop();
    }

    fn list(&mut self, node: &Node, shape: &Shape, repeats: Repeats) {
        let mut seen = HashSet::new();
        for item in node.items() {
            self.below("[]", item, shape);
            if repeats == Repeats::Refused
                && let Value::Scalar(text) = &item.value
                && !seen.insert(text)
            {
                let message = format!("`{text}` stands twice in {}", self.place());
                self.refuse(Diagnostic::new(Code::YamlType, message), at(item));
            }
        }
    }

    fn fields(&mut self, node: &Node, fields: &[(&'static str, &'static Shape)], required: &[&str]) {
        for Entry { key, value, .. } in node.entries() {
            match fields.iter().find(|(name, _)| *name == key.value) {
                Some((name, shape)) => self.below(name, value, shape),
                None if key.value.starts_with("x-") => {}
                None => self.unknown_key(key, fields.iter().map(|(name, _)| *name)),
            }
        }
        for name in required.iter().filter(|name| node.entry(name).is_none()) {
            let message = format!("{} needs `{name}`", self.place());
            self.refuse(Diagnostic::new(Code::YamlType, message), at(node));
        }
    }

    fn open(&mut self, node: &Node, fields: &[(&'static str, &'static Shape)]) {
        for (name, shape) in fields {
            node.get(name).into_iter().for_each(|value| self.below(name, value, shape));
        }
    }

    fn named(&mut self, node: &Node, shape: &Shape, keys: Keys) {
        for Entry { key, value, .. } in node.entries() {
            let is_name = !key.value.is_empty() && key.value.chars().all(is_of_name);
            if keys == Keys::Names && !is_name {
                let message = format!("`{}` is no name for an entry of {}", key.value, self.place());
                let diagnostic =
                    Diagnostic::new(Code::ComposeBadService, message).help("write letters, digits, `.`, `_` and `-`");
                self.refuse(diagnostic, key.span);
            } else {
                self.below(&key.value, value, shape);
            }
        }
    }

    fn word(&mut self, node: &Node, words: &[&str], is_it: fn(&str, &str) -> bool) {
        let Value::Scalar(text) = &node.value else { return };
        if words.iter().any(|word| is_it(text, word)) {
            return;
        }
        let message = format!("`{text}` is no value for {}", self.place());
        let near = did_you_mean(text, words.iter().copied());
        let help =
            near.map_or_else(|| format!("write one of {}", quoted(words)), |near| format!("did you mean `{near}`?"));
        self.refuse(Diagnostic::new(Code::YamlType, message).help(help), at(node));
    }

    /// Somewhere in the text two such characters must follow each other: `a b` has none, `a bc` would pass here and be
    /// refused by the engine.
    fn name(&mut self, node: &Node) {
        let Value::Scalar(text) = &node.value else { return };
        let is_first = |c: char| c.is_ascii_alphanumeric();
        let has_pair = text.chars().zip(text.chars().skip(1)).any(|(a, b)| is_first(a) && is_of_name(b));
        if !has_pair {
            let message = format!("`{text}` is no name for a container");
            let help = "write two or more letters, digits, `.`, `_` and `-`, first a letter or digit";
            self.refuse(Diagnostic::new(Code::ComposeBadService, message).help(help), at(node));
        }
    }

    fn notation(&mut self, node: &Node, is_it: fn(&str) -> bool, what: &str) {
        let Value::Scalar(text) = &node.value else { return };
        if node.resolve() == Some(Resolved::Text) && !is_it(text) {
            let message = format!("`{text}` is not {what}");
            self.refuse(Diagnostic::new(Code::YamlType, message), at(node));
        }
    }

    fn castable(&mut self, node: &Node, number: Number) {
        let Value::Scalar(text) = &node.value else { return };
        let is_number = match number {
            Number::Whole | Number::Loose => text.parse::<i64>().is_ok(),
            Number::Fraction => text.parse::<f64>().is_ok(),
        };
        if node.resolve() == Some(Resolved::Text) && !is_number {
            let message = format!("`{text}` is no number for {}", self.place());
            self.refuse(Diagnostic::new(Code::YamlType, message), at(node));
        }
    }

    fn switch(&mut self, node: &Node) {
        let Value::Scalar(text) = &node.value else { return };
        let words = ["true", "false", "y", "yes", "on", "n", "no", "off"];
        if node.resolve() == Some(Resolved::Text) && !words.contains(&text.to_ascii_lowercase().as_str()) {
            self.wrong(node, "true or false");
        }
    }

    fn wrong(&mut self, node: &Node, expected: &str) {
        let message = format!("{} must be {expected}", self.place());
        let help = matches!(node.resolve(), Some(Resolved::Bool(_) | Resolved::Int(_) | Resolved::Float))
            && expected.starts_with("a text");
        let mut diagnostic = Diagnostic::new(Code::YamlType, message);
        if help {
            diagnostic = diagnostic.help("write it in quotes");
        }
        let label = format!("this is {}: docker compose refuses the file", kind(node));
        self.diagnostics.push(diagnostic.label(at(node), label));
    }

    fn unknown_key<'k>(&mut self, key: &Spanned<String>, known: impl Iterator<Item = &'k str>) {
        let message = format!("unknown key `{}` in {}", key.value, self.place());
        let diagnostic = Diagnostic { severity: Severity::Error, ..Diagnostic::new(Code::UnknownKey, message) };
        let diagnostic = match did_you_mean(&key.value, known) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help("keys that start with `x-` are free"),
        };
        self.refuse(diagnostic, key.span);
    }

    fn refuse(&mut self, diagnostic: Diagnostic, span: Span) {
        self.diagnostics.push(diagnostic.label(span, "docker compose refuses the file"));
    }

    /// Where the value at hand stands, in words: "`build` of service `web`".
    fn place(&self) -> String {
        let steps: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let (owner, rest) = match steps.as_slice() {
            [] => return "a compose file".to_owned(),
            [section] => return format!("`{section}`"),
            ["include", ..] => return "an entry of `include`".to_owned(),
            [section, name, rest @ ..] => {
                let kind = section.strip_suffix('s').unwrap_or(section);
                (format!("{kind} `{name}`"), rest)
            }
        };
        let of_owner = |what: String| format!("{what} of {owner}");
        match rest {
            [] => owner,
            [.., list, "[]"] => of_owner(format!("an item of `{list}`")),
            [.., key] if key.contains(' ') => owner,
            [.., key] => of_owner(format!("`{key}`")),
        }
    }
}

fn at(node: &Node) -> Span {
    node.used_at.unwrap_or(node.content)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Whether a value is of the kind that a shape starts with.
fn is_kind(node: &Node, shape: &Shape) -> bool {
    let resolved = node.resolve();
    let is_text = resolved == Some(Resolved::Text) && !is_time(node);
    match shape {
        Shape::Any => true,
        Shape::Null => resolved == Some(Resolved::Null),
        Shape::Text | Shape::Word(_) | Shape::Part(_) | Shape::Name | Shape::Duration | Shape::Size => is_text,
        Shape::Number => matches!(resolved, Some(Resolved::Int(_) | Resolved::Float)),
        Shape::Castable(Number::Whole) => is_text || matches!(resolved, Some(Resolved::Int(_))),
        Shape::Castable(Number::Fraction | Number::Loose) => {
            is_text || matches!(resolved, Some(Resolved::Int(_) | Resolved::Float))
        }
        Shape::Bool => matches!(resolved, Some(Resolved::Bool(_))),
        Shape::Switch => is_text || matches!(resolved, Some(Resolved::Bool(_))),
        Shape::List(..) => matches!(node.value, Value::Sequence(_)),
        Shape::Fields(..) | Shape::Open(_) | Shape::Named(..) => matches!(node.value, Value::Mapping(_)),
        Shape::Either(shapes) => shapes.iter().any(|shape| is_kind(node, shape)),
    }
}

/// A date without quotes is neither text nor number (yaml.v3 resolve.go, `parseTimestamp`).
fn is_time(node: &Node) -> bool {
    let Value::Scalar(text) = &node.value else { return false };
    let mut parts = text.splitn(3, '-');
    let is_number = |part: Option<&str>, length: usize| {
        part.is_some_and(|p| p.len() <= length && !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_date = text.len() > 7 && is_number(parts.next(), 4) && is_number(parts.next(), 2);
    let day = parts.next().map(|rest| rest.split(['T', 't', ' ']).next().unwrap_or(""));
    node.style == Style::Plain && is_date && is_number(day, 2)
}

/// Numbers with units, one after the other (github.com/xhit/go-str2duration).
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    while !rest.is_empty() {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let behind = digits.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '.');
        let unit = digits.get(..digits.len() - behind.len()).unwrap_or("");
        if digits.len() == rest.len() || !["w", "d", "h", "m", "s", "ms", "us", "µs", "ns"].contains(&unit) {
            return text == "0";
        }
        rest = behind;
    }
    !text.is_empty()
}

/// A number and perhaps a unit (github.com/docker/go-units, `RAMInBytes`).
fn is_size(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = text.get(..text.len() - unit.len()).unwrap_or("");
    let unit = unit.trim_start_matches(' ').to_ascii_lowercase();
    let is_unit = ["", "b"].contains(&unit.as_str())
        || unit.strip_prefix(['k', 'm', 'g', 't', 'p']).is_some_and(|rest| ["", "b", "ib"].contains(&rest));
    is_unit && number.parse::<f64>().is_ok()
}

fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Any => "anything",
        Shape::Null => "nothing",
        Shape::Text | Shape::Word(_) | Shape::Part(_) | Shape::Name | Shape::Duration | Shape::Size => "a text",
        Shape::Number | Shape::Castable(Number::Fraction | Number::Loose) => "a number",
        Shape::Castable(Number::Whole) => "a whole number",
        Shape::Bool | Shape::Switch => "true or false",
        Shape::List(..) => "a list",
        Shape::Fields(..) | Shape::Open(_) | Shape::Named(..) => "a map",
        Shape::Either(shapes) => return shapes.iter().map(|s| expected(s)).collect::<Vec<_>>().join(" or "),
    }
    .to_owned()
}

fn kind(node: &Node) -> &'static str {
    match (&node.value, node.resolve()) {
        (Value::Sequence(_), _) => "a list",
        (Value::Mapping(_), _) => "a map",
        (_, Some(Resolved::Null)) => "nothing",
        (_, Some(Resolved::Bool(_))) => "true or false",
        (_, Some(Resolved::Int(_) | Resolved::Float)) => "a number",
        _ if is_time(node) => "a date",
        _ => "a text",
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
