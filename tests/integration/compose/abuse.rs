//! Compose files that are made to hurt end in an error, and soon: everything here would take minutes, or the machine's
//! memory, if it were read to its end.

use std::fmt::Write as _;
use std::fs::File;

use canreach::cli::load;
use canreach::diagnostic::Severity;

use crate::support::Directory;

/// Files -> the first error.
fn check(files: &[(&str, &[u8])], message: &str) {
    let directory = Directory::with(files);
    check_directory(&directory, message);
}

fn check_directory(directory: &Directory, message: &str) {
    let loaded = load::load(&[directory.path().to_owned()]).unwrap();
    let errors = loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    let errors: Vec<&str> = errors.map(|d| d.message.as_str()).collect();
    assert_eq!(errors.first(), Some(&message), "{errors:?}");
}

#[test]
fn aliases_that_multiply_are_stopped() {
    let mut bomb = String::from("x-0: &a0 [\"lol\", \"lol\"]\n");
    for i in 1..40 {
        writeln!(bomb, "x-{i}: &a{i} [*a{}, *a{}, *a{}]", i - 1, i - 1, i - 1).unwrap();
    }
    bomb.push_str("services: {a: {image: x}}\n");
    check(&[("compose.yaml", bomb.as_bytes())], "more than 100000 values after expanding aliases");

    let mut merges = String::from("x-0: &a0 {k: 1}\n");
    for i in 1..40 {
        writeln!(merges, "x-{i}: &a{i} {{l: *a{}, r: *a{}}}", i - 1, i - 1).unwrap();
    }
    merges.push_str("services: {a: {<<: *a39, image: x}}\n");
    check(&[("compose.yaml", merges.as_bytes())], "more than 100000 values after expanding aliases");
}

#[test]
fn what_is_nested_too_deeply_is_stopped() {
    let lists = format!("x-a: {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    check(&[("compose.yaml", lists.as_bytes())], "not valid YAML: recursion limit exceeded");
    let maps: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    check(&[("compose.yaml", maps.as_bytes())], "nested deeper than 100 levels");
    let variable = format!("{}x{}", "${A:-".repeat(100_000), "}".repeat(100_000));
    let text = format!("services: {{a: {{image: \"{variable}\"}}}}\n");
    check(&[("compose.yaml", text.as_bytes())], "not a valid variable");
}

#[test]
fn files_that_are_too_large_are_not_read() {
    let directory = Directory::with(&[("compose.yaml", b"services: {}\n")]);
    let large = 100 * 1024 * 1024;
    File::create(directory.path().join("compose.yaml")).unwrap().set_len(large).unwrap();
    check_directory(&directory, "`compose.yaml` is larger than 4 MiB");

    let directory = Directory::with(&[("compose.yaml", b"include: [big.yaml]\nservices: {a: {image: x}}\n")]);
    File::create(directory.path().join("big.yaml")).unwrap().set_len(large).unwrap();
    check_directory(&directory, "`big.yaml` is larger than 4 MiB");
}

#[test]
fn what_is_no_text_is_said() {
    check(&[("compose.yaml", b"services: {a: {image: \xff}}\n")], "`compose.yaml` is not a UTF-8 text");
    check(&[("compose.yaml", b"services: {a: {image: \"\0\"}}\n")], "`compose.yaml` is not a UTF-8 text");
    let include = b"include: [b.yaml]\nservices: {a: {image: x}}\n";
    check(&[("compose.yaml", include), ("b.yaml", b"\xff")], "`b.yaml` is not a UTF-8 text");
}

#[test]
fn circles_are_found() {
    let include = b"include: [b.yaml]\nservices: {a: {image: x}}\n";
    let back = b"include: [compose.yaml]\nservices: {b: {image: x}}\n";
    check(&[("compose.yaml", include), ("b.yaml", back)], "`compose.yaml` includes itself");

    let extends = b"services: {a: {image: x, extends: {file: b.yaml, service: b}}}\n";
    let back = b"services: {b: {image: x, extends: {file: compose.yaml, service: a}}}\n";
    let message = "the service `a` extends itself, perhaps through others";
    check(&[("compose.yaml", extends), ("b.yaml", back)], message);
}

#[test]
fn files_that_include_more_and_more_are_stopped() {
    let mut files: Vec<(String, String)> = Vec::new();
    for i in 0..12 {
        let list = (0..4).map(|_| format!("f{}.yaml", i + 1)).collect::<Vec<_>>().join(", ");
        files.push((format!("f{i}.yaml"), format!("include: [{list}]\nservices: {{s{i}: {{image: x}}}}\n")));
    }
    files.push(("f12.yaml".to_owned(), "services: {last: {image: x}}\n".to_owned()));
    files.push(("compose.yaml".to_owned(), "include: [f0.yaml]\n".to_owned()));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    check(&files, "more than 1000 files in one project");
}

#[test]
fn services_that_extend_more_and_more_are_stopped() {
    let mut text = String::from("services:\n  s0: {image: x, environment: {a: b}, labels: [");
    text.push_str(&(0..2_000).map(|i| format!("l{i}")).collect::<Vec<_>>().join(", "));
    text.push_str("]}\n");
    for i in 1..2_000 {
        writeln!(text, "  s{i}: {{extends: s0, hostname: h{i}}}").unwrap();
    }
    check(&[("compose.yaml", text.as_bytes())], "more than 1000000 values after `extends`");
}
