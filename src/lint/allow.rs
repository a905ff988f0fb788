//! Comments that allow a finding: `# canreach: allow(docker::database_published) only in the lesson`.
//!
//! Such a comment stands on the line of the finding or on the line above; in XML it is a comment of XML. It allows warnings
//! and advice of that code, and has to say why. One that allows nothing is a finding itself.

use crate::diagnostic::{Code, Diagnostic, Severity, did_you_mean};
use crate::language::text;
use crate::source::{Source, SourceId, Sources, Span};

/// How a comment begins, behind `#` or `<!--`.
const WORD: &str = "canreach: allow(";

/// A comment that allows something.
struct Allow {
    span: Span,
    /// The code as it is written.
    code: String,
    has_reason: bool,
    /// The first and the last line that it is about.
    lines: (usize, usize),
    is_used: bool,
}

/// The findings that are not allowed, and what is wrong with the comments that allow.
pub fn apply(diagnostics: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
    let mut allows: Vec<Allow> = sources.iter().flat_map(|(id, source)| of_source(id, source)).collect();
    let mut left: Vec<Diagnostic> = Vec::new();
    for diagnostic in diagnostics {
        let allow = allows.iter_mut().find(|allow| allow.is_about(&diagnostic, sources));
        match allow {
            Some(allow) => allow.is_used = true,
            None => left.push(diagnostic),
        }
    }
    left.extend(allows.iter().filter_map(complaint));
    left
}

fn of_source(id: SourceId, source: &Source) -> Vec<Allow> {
    let mut found = Vec::new();
    for (at, _) in source.text.match_indices(WORD) {
        let number = source.position(at).line;
        let Some((start, line)) = source.line(number) else { continue };
        let before = line.get(..at - start).unwrap_or("").trim_end();
        let Some(opening) = ["#", "<!--"].into_iter().find(|opening| before.ends_with(opening)) else { continue };
        let rest = line.get(at - start + WORD.len()..).unwrap_or("");
        let (code, reason) = rest.split_once(')').unwrap_or((rest, ""));
        let reason = reason.trim().trim_end_matches("-->").trim();
        let comment = start + before.len() - opening.len();
        found.push(Allow {
            span: Span::new(id, comment, start + line.trim_end().len()),
            code: code.trim().to_owned(),
            has_reason: reason.chars().any(char::is_alphanumeric),
            lines: lines(source, number, before.trim_start() == opening),
            is_used: false,
        });
    }
    found
}

/// A comment that stands alone is about the next line that is no comment, continued lines included; behind something,
/// about its own line.
fn lines(source: &Source, number: usize, is_alone: bool) -> (usize, usize) {
    if !is_alone {
        return (number, number);
    }
    let text = |line: usize| source.line(line).map(|(_, text)| text.trim());
    let mut first = number + 1;
    while text(first).is_some_and(|line| line.starts_with('#') || line.starts_with("<!--") && line.ends_with("-->")) {
        first += 1;
    }
    let mut last = first;
    while text(last).is_some_and(|line| line.ends_with('\\')) {
        last += 1;
    }
    (first, last)
}

impl Allow {
    fn is_about(&self, diagnostic: &Diagnostic, sources: &Sources) -> bool {
        let Some(label) = diagnostic.labels.first() else { return false };
        let line = sources.position(label.span).line;
        diagnostic.severity != Severity::Error
            && self.has_reason
            && label.span.source == self.span.source
            && named(&self.code) == Some(diagnostic.code)
            && (self.lines.0..=self.lines.1).contains(&line)
    }
}

/// The code with this name, with or without the program's name in front.
fn named(text: &str) -> Option<Code> {
    let text = text.strip_prefix("canreach::").unwrap_or(text);
    Code::ALL.iter().copied().find(|code| tail(*code) == text)
}

fn tail(code: Code) -> &'static str {
    code.as_str().trim_start_matches("canreach::")
}

fn complaint(allow: &Allow) -> Option<Diagnostic> {
    let (code, span) = (&allow.code, allow.span);
    if named(code).is_none() {
        let diagnostic =
            Diagnostic::new(Code::AllowBad, text!("there is no code `{code}`", "`{code}`라는 코드는 없습니다"))
                .label(span, text!("allows nothing", "아무것도 허용하지 않음"));
        let near = did_you_mean(code, Code::ALL.iter().map(|code| tail(*code)));
        let all = text!("`canreach explain` lists all codes", "`canreach explain`이 모든 코드를 보여 줍니다");
        let help = near.map_or(all, |near| text!("did you mean `{near}`?", "혹시 `{near}`?"));
        return Some(diagnostic.help(help));
    }
    if !allow.has_reason {
        let message = text!("no reason is given for allowing `{code}`", "`{code}` 허용에 이유가 없습니다");
        let help = text!(
            "say why behind it: `canreach: allow({code}) only reachable in the lesson's network`",
            "뒤에 이유를 쓰십시오: `canreach: allow({code}) 실습 네트워크에서만 씀`"
        );
        let remark = text!("allows nothing without one", "이유가 없으면 허용하지 않음");
        return Some(Diagnostic::new(Code::AllowBad, message).label(span, remark).help(help));
    }
    let unused = || {
        let message = text!("nothing here has to be allowed by `{code}`", "여기에는 `{code}`로 허용할 것이 없습니다");
        let remark = text!("no warning of this code on the line it is about", "해당 줄에 이 코드의 경고가 없음");
        let help = text!(
            "remove the comment, or move it to the line of the warning or the line above",
            "주석을 지우거나, 경고가 나는 줄이나 그 윗줄로 옮기십시오"
        );
        Diagnostic::new(Code::AllowUnused, message).label(span, remark).help(help)
    };
    (!allow.is_used).then(unused)
}
