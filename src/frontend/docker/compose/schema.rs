//! What docker compose checks about the form of a file before it looks at what it means: which keys there are, and what
//! kind of value each has. Whatever does not fit makes it refuse the whole project.
//!
//! Follows compose-go v2.9.1, as docker compose 2.40.3 has it: the kinds of its schema, and the conversions of texts to
//! numbers and switches that come before (loader/interpolate.go) and behind it (loader/mapstructure.go).

use std::collections::HashSet;

use crate::diagnostic::{Code, Diagnostic, Severity, did_you_mean};
use crate::frontend::yaml::{Entry, Node, Resolved, Style, Value};
use crate::language::{Text, text};
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
            Shape::Duration => {
                self.notation(node, is_duration, &text!("a length of time like `1m30s`", "`1m30s` 같은 시간 길이"))
            }
            Shape::Size => self.notation(node, is_size, &text!("a size like `64m`", "`64m` 같은 크기")),
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
            None => self.wrong(node, &expected_of(shapes)),
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
                let place = self.place();
                let message =
                    text!("`{text}` stands twice in {place}", "{place}에 `{text}` 항목이 두 번 있습니다"; place);
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
            let place = self.place();
            let message = text!("{place} needs `{name}`", "{place}에는 `{name}` 키가 필요합니다"; place);
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
                self.refuse(no_entry_name(&key.value, &self.place()), key.span);
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
        let place = self.place();
        let message = text!("`{text}` is no value for {place}", "{place}에 쓸 수 없는 값입니다: `{text}`"; place);
        let help = match did_you_mean(text, words.iter().copied()) {
            Some(near) => text!("did you mean `{near}`?", "혹시 `{near}`?"),
            None => text!("write one of {all}", "이 가운데 하나로 쓰십시오: {all}", all = quoted(words)),
        };
        self.refuse(Diagnostic::new(Code::YamlType, message).help(help), at(node));
    }

    /// Somewhere in the text two such characters must follow each other: `a b` has none, `a bc` would pass here and be
    /// refused by the engine.
    fn name(&mut self, node: &Node) {
        let Value::Scalar(text) = &node.value else { return };
        let is_first = |c: char| c.is_ascii_alphanumeric();
        let has_pair = text.chars().zip(text.chars().skip(1)).any(|(a, b)| is_first(a) && is_of_name(b));
        if !has_pair {
            let message = text!("`{text}` is no name for a container", "컨테이너 이름으로 쓸 수 없습니다: `{text}`");
            let help = text!(
                "write two or more letters, digits, `.`, `_` and `-`, first a letter or digit",
                "영문자, 숫자, `.`, `_`, `-`를 두 글자 이상 쓰고, 첫 글자는 영문자나 숫자로 하십시오"
            );
            self.refuse(Diagnostic::new(Code::ComposeBadService, message).help(help), at(node));
        }
    }

    fn notation(&mut self, node: &Node, is_it: fn(&str) -> bool, what: &Text) {
        let Value::Scalar(text) = &node.value else { return };
        if node.resolve() == Some(Resolved::Text) && !is_it(text) {
            let message = text!("`{text}` is not {what}", "`{text}`은(는) {what}가 아닙니다"; what);
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
            let place = self.place();
            let message =
                text!("`{text}` is no number for {place}", "{place}에 쓸 수 있는 숫자가 아닙니다: `{text}`"; place);
            self.refuse(Diagnostic::new(Code::YamlType, message), at(node));
        }
    }

    fn switch(&mut self, node: &Node) {
        let Value::Scalar(text) = &node.value else { return };
        let words = ["true", "false", "y", "yes", "on", "n", "no", "off"];
        if node.resolve() == Some(Resolved::Text) && !words.contains(&text.to_ascii_lowercase().as_str()) {
            self.wrong(node, &text!("true or false", "true/false"));
        }
    }

    fn wrong(&mut self, node: &Node, expected: &Text) {
        let (place, is) = (self.place(), kind(node));
        let message = text!(
            "{place} must be {expected}",
            "{place}에는 {expected}만 쓸 수 있습니다"; place, expected
        );
        let help = matches!(node.resolve(), Some(Resolved::Bool(_) | Resolved::Int(_) | Resolved::Float))
            && expected.starts_with("a text");
        let mut diagnostic = Diagnostic::new(Code::YamlType, message);
        if help {
            diagnostic = diagnostic.help(text!("write it in quotes", "따옴표 안에 쓰십시오"));
        }
        let label = text!(
            "this is {is}: docker compose refuses the file",
            "여기는 {is}: docker compose가 파일을 거부함"; is
        );
        self.diagnostics.push(diagnostic.label(at(node), label));
    }

    fn unknown_key<'k>(&mut self, key: &Spanned<String>, known: impl Iterator<Item = &'k str>) {
        let (name, place) = (&key.value, self.place());
        let message = text!("unknown key `{name}` in {place}", "{place}에서 모르는 키입니다: `{name}`"; place);
        let diagnostic = Diagnostic { severity: Severity::Error, ..Diagnostic::new(Code::UnknownKey, message) };
        let diagnostic = match did_you_mean(&key.value, known) {
            Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
            None => diagnostic
                .help(text!("keys that start with `x-` are free", "`x-`로 시작하는 키는 마음대로 쓸 수 있습니다")),
        };
        self.refuse(diagnostic, key.span);
    }

    fn refuse(&mut self, diagnostic: Diagnostic, span: Span) {
        self.diagnostics
            .push(diagnostic.label(span, text!("docker compose refuses the file", "docker compose가 파일을 거부함")));
    }

    /// Where the value at hand stands, in words: "`build` of service `web`".
    fn place(&self) -> Text {
        let steps: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let (owner, rest) = match steps.as_slice() {
            [] => return text!("a compose file", "compose 파일"),
            [section] => return format!("`{section}`").into(),
            ["include", ..] => return text!("an entry of `include`", "`include`의 항목"),
            [section, name, rest @ ..] => {
                let kind = noun(section);
                (text!("{kind} `{name}`", "`{name}` {kind}"; kind), rest)
            }
        };
        match rest {
            [] => owner,
            [.., list, "[]"] => text!("an item of `{list}` of {owner}", "{owner}의 `{list}` 항목"; owner),
            [.., key] if key.contains(' ') => owner,
            [.., key] => text!("`{key}` of {owner}", "{owner}의 `{key}`"; owner),
        }
    }
}

/// What an entry of a section is called.
pub(super) fn noun(section: &str) -> Text {
    match section {
        "services" => text!("service", "서비스"),
        "networks" => text!("network", "네트워크"),
        "volumes" => text!("volume", "볼륨"),
        "secrets" => text!("secret", "시크릿"),
        "configs" => text!("config", "설정(config)"),
        "models" => text!("model", "모델"),
        other => other.strip_suffix('s').unwrap_or(other).into(),
    }
}

fn no_entry_name(name: &str, place: &Text) -> Diagnostic {
    let message = text!(
        "`{name}` is no name for an entry of {place}",
        "{place}에 쓸 수 없는 이름입니다: `{name}`"; place
    );
    let help = text!("write letters, digits, `.`, `_` and `-`", "영문자, 숫자, `.`, `_`, `-`로 쓰십시오");
    Diagnostic::new(Code::ComposeBadService, message).help(help)
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

fn expected(shape: &Shape) -> Text {
    match shape {
        Shape::Any => text!("anything", "아무 값"),
        Shape::Null => text!("nothing", "빈 값"),
        Shape::Text | Shape::Word(_) | Shape::Part(_) | Shape::Name | Shape::Duration | Shape::Size => {
            text!("a text", "문자열")
        }
        Shape::Number | Shape::Castable(Number::Fraction | Number::Loose) => text!("a number", "숫자"),
        Shape::Castable(Number::Whole) => text!("a whole number", "정수"),
        Shape::Bool | Shape::Switch => text!("true or false", "true/false"),
        Shape::List(..) => text!("a list", "목록"),
        Shape::Fields(..) | Shape::Open(_) | Shape::Named(..) => text!("a map", "맵"),
        Shape::Either(shapes) => expected_of(shapes),
    }
}

fn expected_of(shapes: &[&Shape]) -> Text {
    let all: Vec<Text> = shapes.iter().map(|shape| expected(shape)).collect();
    Text::joined(&all, &text!(" or ", " 또는 "))
}

fn kind(node: &Node) -> Text {
    match (&node.value, node.resolve()) {
        (Value::Sequence(_), _) => text!("a list", "목록"),
        (Value::Mapping(_), _) => text!("a map", "맵"),
        (_, Some(Resolved::Null)) => text!("nothing", "빈 값"),
        (_, Some(Resolved::Bool(_))) => text!("true or false", "true/false"),
        (_, Some(Resolved::Int(_) | Resolved::Float)) => text!("a number", "숫자"),
        _ if is_time(node) => text!("a date", "날짜"),
        _ => text!("a text", "문자열"),
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
