//! Annotations of a workflow run on GitHub: one workflow command for each finding.
//!
//! Syntax: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>; what has to be escaped:
//! `escapeData` and `escapeProperty` in `packages/core/src/command.ts` of actions/toolkit. GitHub shows ten annotations of a
//! kind for each step and drops the others; that is why the worst come first.

use crate::diagnostic::Severity;
use crate::language::Language;
use crate::source::Sources;

use super::Section;
use super::finding::{Finding, findings, shown};

/// Everything that does not hold or is to be said about files.
pub fn render(sections: &[Section]) -> String {
    let mut found: Vec<(&Sources, Finding<'_>)> =
        sections.iter().flat_map(|section| findings(&section.report).map(move |f| (&section.sources, f))).collect();
    found.sort_by_key(|(_, finding)| finding.severity);
    found.iter().map(|(sources, finding)| command(sources, finding)).collect()
}

fn command(sources: &Sources, finding: &Finding<'_>) -> String {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "notice",
    };
    let mut properties = properties(sources, finding);
    properties.push(("title", finding.code.to_string()));
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    let lines = finding.lines(Language::English);
    format!("::{level} {}::{}\n", properties.join(","), data(&lines.join("\n")))
}

/// Columns are only understood within one line.
fn properties(sources: &Sources, finding: &Finding<'_>) -> Vec<(&'static str, String)> {
    let Some(span) = finding.place.map(|span| shown(sources, span)) else { return Vec::new() };
    let file = sources.get(span.source);
    let (start, end) = (file.position(span.start), file.position(span.end));
    let mut properties =
        vec![("file", file.name.clone()), ("line", start.line.to_string()), ("endLine", end.line.to_string())];
    if start.line == end.line {
        properties.push(("col", start.column.to_string()));
        properties.push(("endColumn", end.column.to_string()));
    }
    properties
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::Dataplane;
    use crate::diagnostic::{Code, Diagnostic};
    use crate::report::Report;
    use crate::source::Span;

    /// One diagnostic at a span of a text -> the command.
    fn check(diagnostic: impl FnOnce(&dyn Fn(usize, usize) -> Span) -> Diagnostic, expected: &str) {
        let mut sources = Sources::default();
        let id = sources.add("a,b: 100%.yaml", "포트: x\nb\n");
        let diagnostics = vec![diagnostic(&|start, end| Span::new(id, start, end))];
        let report = Report { judgements: Vec::new(), diagnostics, dataplane: Dataplane::default() };
        assert_eq!(render(&[Section { title: None, report, exposure: None, sources }]), expected);
    }

    #[test]
    fn commands_are_escaped() {
        check(
            |span| {
                Diagnostic::new(Code::YamlSyntax, "50%: `a\r\nb`, `c`").label(span(8, 9), "").help("no,\n::error::x")
            },
            "::error file=a%2Cb%3A 100%25.yaml,line=1,endLine=1,col=5,endColumn=6,title=canreach%3A%3Ayaml%3A%3Asyntax\
             ::50%25: `a%0D%0Ab`, `c`%0Ahelp: no,%0A::error::x\n",
        );
    }

    #[test]
    fn places_are_as_exact_as_github_takes_them() {
        check(
            |span| Diagnostic::new(Code::YamlSexagesimal, "x").label(span(0, 11), ""),
            "::notice file=a%2Cb%3A 100%25.yaml,line=1,endLine=2,title=canreach%3A%3Ayaml%3A%3Asexagesimal::x\n",
        );
        check(|_| Diagnostic::new(Code::InputUnused, "x"), "::warning title=canreach%3A%3Ainput%3A%3Aunused::x\n");
    }
}
