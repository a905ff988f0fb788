//! `${VARIABLE}` in values, before anything else looks at the tree.
//!
//! Follows compose-go template/template.go (v2.10). Places stay those of the written text.

use std::collections::HashSet;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::frontend::yaml::{Node, Style, Value};
use crate::language::text;
use crate::source::Span;

/// Defaults inside defaults at most.
const MAX_NESTING: usize = 20;

/// Where variables come from.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A text with its variables replaced.
pub fn substitute(text: &str, variables: &dyn Fn(&str) -> Option<String>) -> String {
    Template { variables, problems: Vec::new() }.substitute(text, 0, 0)
}

/// The same; nothing if a variable is not known.
pub(super) fn substitute_known(text: &str, variables: Variables<'_>) -> Option<String> {
    let mut template = Template { variables, problems: Vec::new() };
    let replaced = template.substitute(text, 0, 0);
    template.problems.is_empty().then_some(replaced)
}

/// Replaces variables in all values below `node`.
pub(super) fn prepare(text: &str, node: &mut Node, variables: Variables<'_>, diagnostics: &mut Vec<Diagnostic>) {
    match &mut node.value {
        Value::Scalar(value) if value.contains('$') => {
            let is_literal = text.get(node.content.start..node.content.end) == Some(value);
            let mut template = Template { variables, problems: Vec::new() };
            let replaced = template.substitute(value, 0, 0);
            diagnostics.extend(template.problems.into_iter().map(|p| p.diagnostic(node.content, is_literal)));
            *value = replaced;
            // What comes out of a substitution is text, even when nothing comes out.
            node.style = Style::Quoted;
        }
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter_mut().for_each(|item| prepare(text, item, variables, diagnostics)),
        Value::Mapping(entries) => {
            entries.iter_mut().for_each(|entry| prepare(text, &mut entry.value, variables, diagnostics));
        }
    }
}

/// What stands behind an anchor is said once, however often it is used.
pub(super) fn say_once(diagnostics: &mut Vec<Diagnostic>) {
    let mut said = HashSet::new();
    diagnostics.retain(|d| said.insert((d.code, d.message.clone(), d.labels.first().map(|label| label.span))));
}

struct Template<'a> {
    variables: Variables<'a>,
    problems: Vec<Problem>,
}

/// What is wrong with the variable at `start..end` of the text.
struct Problem {
    start: usize,
    end: usize,
    kind: ProblemKind,
}

enum ProblemKind {
    Unset(String),
    Required(String, String),
    Invalid,
}

impl Template<'_> {
    /// `offset` is where `text` starts in the whole value.
    fn substitute(&mut self, text: &str, offset: usize, nesting: usize) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, found)) = rest.split_once('$') {
            out.push_str(before);
            let start = offset + (text.len() - found.len()) - 1;
            let after = self.variable(&mut out, found, start, nesting);
            rest = found.get(after..).unwrap_or("");
        }
        out.push_str(rest);
        out
    }

    /// Writes the value of the variable whose dollar stands at `start`; returns how many bytes of `found`, the text
    /// behind the dollar, belong to it.
    fn variable(&mut self, out: &mut String, found: &str, start: usize, nesting: usize) -> usize {
        if found.starts_with('$') {
            out.push('$');
            return 1;
        }
        if let Some(braced) = found.strip_prefix('{') {
            let length = closing_brace(braced);
            let inner = length.and_then(|length| braced.get(..length));
            let end = length.map_or(found.len(), |length| length + 2);
            let value = inner.and_then(|inner| self.expression(inner, start, end, nesting));
            match value {
                Some(value) => out.push_str(&value),
                None => self.problems.push(Problem { start, end: start + 1 + end, kind: ProblemKind::Invalid }),
            }
            return end;
        }
        let name = leading_name(found);
        if name.is_empty() {
            out.push('$');
        } else {
            out.push_str(&self.plain(name, start, start + 1 + name.len()));
        }
        name.len()
    }

    /// The inside of braces: a name, perhaps an operator and its operand. Nothing when it is neither.
    fn expression(&mut self, inner: &str, start: usize, length: usize, nesting: usize) -> Option<String> {
        let end = start + 1 + length;
        let name = leading_name(inner);
        let rest = inner.get(name.len()..)?;
        if name.is_empty() || MAX_NESTING < nesting {
            return None;
        }
        if rest.is_empty() {
            return Some(self.plain(name, start, end));
        }
        let (counts_empty, rest) = rest.strip_prefix(':').map_or((false, rest), |rest| (true, rest));
        let operand = rest.get(1..)?;
        let operand_offset = end - 1 - operand.len();
        let value = (self.variables)(name);
        let is_set = value.as_ref().is_some_and(|v| !counts_empty || !v.is_empty());
        match (rest.chars().next()?, is_set) {
            ('-', false) | ('+', true) => Some(self.substitute(operand, operand_offset, nesting + 1)),
            ('-' | '?', true) | ('+', false) => Some(value.unwrap_or_default()),
            ('?', false) => {
                let reason = self.substitute(operand, operand_offset, nesting + 1);
                self.problems.push(Problem { start, end, kind: ProblemKind::Required(name.to_owned(), reason) });
                Some(String::new())
            }
            _ => None,
        }
    }

    fn plain(&mut self, name: &str, start: usize, end: usize) -> String {
        (self.variables)(name).unwrap_or_else(|| {
            self.problems.push(Problem { start, end, kind: ProblemKind::Unset(name.to_owned()) });
            String::new()
        })
    }
}

/// The length of what stands before the brace that closes the one before `text`.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

fn leading_name(text: &str) -> &str {
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let length = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let name = text.get(..length).unwrap_or("");
    if name.starts_with(|c: char| c.is_ascii_digit()) { "" } else { name }
}

impl Problem {
    fn diagnostic(self, content: Span, is_literal: bool) -> Diagnostic {
        let span = if is_literal {
            Span::new(content.source, content.start + self.start, content.start + self.end)
        } else {
            content
        };
        match self.kind {
            ProblemKind::Unset(name) => {
                let message = text!("the variable `{name}` is not set", "`{name}` 변수가 설정되어 있지 않습니다");
                let label = text!("docker compose puts nothing here", "docker compose는 여기에 빈 값을 넣음");
                let help = text!(
                    "set it in `.env`, or write `${{{name}:-DEFAULT}}`",
                    "`.env`에서 설정하거나, `${{{name}:-기본값}}`으로 쓰십시오"
                );
                Diagnostic::new(Code::ComposeUnsetVariable, message).label(span, label).help(help)
            }
            ProblemKind::Required(name, reason) => {
                let message =
                    text!("the required variable `{name}` is not set", "필수 변수 `{name}`가 설정되어 있지 않습니다");
                let stops = text!("docker compose stops here", "docker compose는 여기서 멈춤");
                let mut diagnostic = Diagnostic::new(Code::ComposeUnsetVariable, message)
                    .label(span, if reason.is_empty() { stops } else { reason.into() })
                    .help(text!("set it in `.env`", "`.env`에서 설정하십시오"));
                diagnostic.severity = Severity::Error;
                diagnostic
            }
            ProblemKind::Invalid => {
                Diagnostic::new(Code::ComposeBadTemplate, text!("not a valid variable", "올바른 변수가 아닙니다"))
                    .label(span, text!("docker compose cannot understand this", "docker compose가 이해할 수 없음"))
                    .help(text!(
                        "write `${{NAME}}` or `${{NAME:-DEFAULT}}`, and `$$` for a dollar",
                        "`${{이름}}`이나 `${{이름:-기본값}}`으로 쓰고, 달러 기호는 `$$`로 쓰십시오"
                    ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> (String, Vec<String>) {
        let variables = |name: &str| match name {
            "A" => Some("a".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let mut template = Template { variables: &variables, problems: Vec::new() };
        let out = template.substitute(text, 0, 0);
        let problems = template.problems.into_iter().map(|p| {
            let kind = match p.kind {
                ProblemKind::Unset(name) => format!("unset {name}"),
                ProblemKind::Required(name, reason) => format!("required {name} {reason}"),
                ProblemKind::Invalid => "invalid".to_owned(),
            };
            format!("{kind} <{}>", &text[p.start..p.end])
        });
        let problems = problems.collect();
        (out, problems)
    }

    fn check(text: &str, expected: &str, problems: &[&str]) {
        assert_eq!(run(text), (expected.to_owned(), problems.iter().map(|p| (*p).to_owned()).collect()), "{text}");
    }

    #[test]
    fn every_operator() {
        check("$A-${A}.", "a-a.", &[]);
        check("가${A}나$$A $ $1", "가a나$A $ $1", &[]);
        check("${X:-d}${X-d}${EMPTY:-d}${EMPTY-d}${A:-d}${A-d}", "dddaa", &[]);
        check("[${X:+d}${X+d}${EMPTY:+d}${EMPTY+d}${A:+d}${A+d}]", "[ddd]", &[]);
        check("${A:?no}${EMPTY?no}", "a", &[]);
        check("${X:-${Y:-$A}}!", "a!", &[]);
        check("${X:-{}}", "{}", &[]);
        check("${X-}", "", &[]);
    }

    #[test]
    fn problems_know_their_place() {
        check("가 $X!", "가 !", &["unset X <$X>"]);
        check("가 ${X}!", "가 !", &["unset X <${X}>"]);
        check("${X:?set it to $A}", "", &["required X set it to a <${X:?set it to $A}>"]);
        check("${EMPTY:?}", "", &["required EMPTY  <${EMPTY:?}>"]);
        check("가${X:-나$Y}", "가나", &["unset Y <$Y>"]);
        check("${}", "", &["invalid <${}>"]);
        check("${X!}y", "y", &["invalid <${X!}>"]);
        check("a${X", "a", &["invalid <${X>"]);
        check("${1}", "", &["invalid <${1}>"]);
        let deep = format!("{}{}", "${X:-".repeat(1000), "}".repeat(1000));
        assert_eq!(run(&deep).1.len(), 1);
    }
}
