//! JUnit XML, for the test views of CI servers: a test case for each sentence, and for each message about the files.

use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use crate::check::{Answer, Judgement};
use crate::diagnostic::{Diagnostic, Severity};
use crate::language::Language;
use crate::source::{Sources, Span};

use super::finding::{Finding, shown};
use super::{Asked, Section};

/// One suite for each lab.
pub fn render(sections: &[Section], asked: Asked) -> String {
    let mut suites = Suites::new("canreach");
    suites.add_test_suites(sections.iter().map(|section| suite(section, asked)));
    // Writing to memory cannot fail.
    suites.to_string().map_or_else(|_| String::new(), |text| text.trim_end().to_owned() + "\n")
}

fn suite(section: &Section, asked: Asked) -> TestSuite {
    let Section { title, report, sources, .. } = section;
    let mut suite = TestSuite::new(title.as_deref().unwrap_or("canreach"));
    suite.add_test_cases(report.judgements.iter().map(|judgement| sentence(sources, judgement)));
    suite.add_test_cases(report.diagnostics.iter().map(|diagnostic| message(sources, diagnostic, asked)));
    if asked == Asked::Sentences && report.judgements.is_empty() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message("no sentence was decided");
        suite.add_test_case(TestCase::new("sentences", status));
    }
    suite
}

/// A violated sentence fails, one that cannot be decided is an error, a wish that does not come true is skipped.
fn sentence(sources: &Sources, judgement: &Judgement) -> TestCase {
    let statement = &judgement.statement;
    let status = match (judgement.verdict.answer, statement.is_wish) {
        (Answer::Holds, _) => TestCaseStatus::success(),
        (_, true) => TestCaseStatus::skipped(),
        (Answer::Violated, false) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        (Answer::Undecided, false) => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let status = explained(status, &Finding::of_sentence(judgement), sources);
    placed(TestCase::new(statement.sentence.value.as_str(), status), sources, Some(statement.sentence.span))
}

fn message(sources: &Sources, diagnostic: &Diagnostic, asked: Asked) -> TestCase {
    let status = match (diagnostic.severity, asked) {
        (Severity::Error, _) => TestCaseStatus::non_success(NonSuccessKind::Error),
        (Severity::Warning, Asked::Lints) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        (Severity::Warning | Severity::Advice, _) => TestCaseStatus::skipped(),
    };
    let finding = Finding::of_file(diagnostic);
    let status = explained(status, &finding, sources);
    placed(TestCase::new(finding.headline.as_str(), status), sources, finding.place)
}

/// Message, code and details; a success takes none of them.
fn explained(mut status: TestCaseStatus, finding: &Finding<'_>, sources: &Sources) -> TestCaseStatus {
    let place = finding.place.map(|span| format!("{}\n", sources.place(shown(sources, span))));
    let details = finding.details(Language::English).join("\n");
    status.set_message(finding.headline.as_str());
    status.set_type(finding.code.as_str());
    status.set_description(place.unwrap_or_default() + &details);
    status
}

fn placed(mut case: TestCase, sources: &Sources, place: Option<Span>) -> TestCase {
    if let Some(span) = place.map(|span| shown(sources, span)) {
        let file = sources.get(span.source);
        case.set_classname(file.name.as_str());
        case.extra.insert("file".into(), file.name.as_str().into());
        case.extra.insert("line".into(), file.position(span.start).line.to_string().into());
    }
    case
}
