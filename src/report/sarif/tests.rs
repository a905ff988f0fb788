//! What no lab on disk shows: too many results, and hashes that stay what they are.

use serde_json::Value;

use super::*;
use crate::dataplane::Dataplane;
use crate::diagnostic::Diagnostic;
use crate::report::Report;
use crate::source::Span;

fn log(text: &str, diagnostics: impl FnOnce(&dyn Fn(usize) -> Span) -> Vec<Diagnostic>) -> Value {
    let mut sources = Sources::default();
    let id = sources.add("run.sh", text);
    let diagnostics = diagnostics(&|start| Span::new(id, start, start + 1));
    let report = Report { judgements: Vec::new(), diagnostics, dataplane: Dataplane::default() };
    serde_json::from_str(&render(&[Section { title: None, report, exposure: None, sources }])).unwrap()
}

#[test]
fn more_results_than_github_keeps_are_counted() {
    let log = log("x\n", |span| {
        let advice = Diagnostic::new(Code::YamlSexagesimal, "advice").label(span(0), "");
        let mut all = vec![advice; 6000];
        all.push(Diagnostic::new(Code::YamlSyntax, "an error").label(span(0), ""));
        all
    });
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 5000);
    assert_eq!(run["results"][0]["message"]["text"], "an error");
    let notification = &run["invocations"][0]["toolConfigurationNotifications"][0]["message"]["text"];
    assert!(notification.as_str().unwrap().starts_with("1001 more results"));
}

#[test]
fn what_has_no_place_is_a_notification() {
    let log = log("", |_| vec![Diagnostic::new(Code::InputUnreadable, "`a.yaml` cannot be read")]);
    assert_eq!(log["runs"][0]["results"], Value::Array(Vec::new()));
    let notification = &log["runs"][0]["invocations"][0]["toolConfigurationNotifications"][0];
    assert_eq!(notification["descriptor"]["id"], "canreach::input::unreadable");
}

#[test]
fn a_place_behind_the_end_is_shown_on_the_last_line() {
    let log = log("포트\nb\n", |span| vec![Diagnostic::new(Code::YamlSyntax, "x").label(span(9), "")]);
    let region = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((region["startLine"].as_u64(), region["startColumn"].as_u64()), (Some(2), Some(2)));
}

/// Test vectors of the function's authors.
#[test]
fn the_hash_is_fnv1a() {
    assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
}
