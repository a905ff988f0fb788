//! What `--format json` prints passes the published schema, which in turn leaves out nothing that is printed.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::canreach_in;
use crate::support::valid;

const SCHEMA: &str = include_str!("../../specs/schema/report-v1.json");

/// The published schema of one document, in which nothing may stand that it does not name: a reader must expect new
/// fields, this test must see them.
fn strict(document: &str) -> Value {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    schema.as_object_mut().unwrap().remove("oneOf");
    schema["$ref"] = json!(format!("#/$defs/{document}"));
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema["additionalProperties"] = json!(false);
    }
    match schema {
        Value::Object(fields) => fields.values_mut().for_each(close),
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn check(document: &str, arguments: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = canreach_in(root, &[arguments, &["--format", "json"]].concat());
    valid(&strict(document), &run.json(), &arguments.join(" "));
}

#[test]
fn every_example_passes() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    for path in entries.filter(|path| path.is_dir()) {
        let lab = path.to_str().unwrap();
        check("report", &["check", lab]);
        check("report", &["lint", lab]);
        check("exposure", &["exposure", lab]);
    }
}

#[test]
fn every_command_passes() {
    let lab = "examples/nat-forward-exposes-lan";
    check("report", &["ask", lab, "internet can reach grafana:3000"]);
    check("report", &["check", "tests/fixtures/bad/broken-xml"]);
    check("reports", &["check", "specs/docker-publish.md"]);
    check("reports", &["lint", "specs/docker-publish.md"]);
    check("traced", &["trace", lab, "--from", "mac", "--to", "127.0.0.1", "--port", "3000"]);
    check("repairs", &["fix", lab]);
    check("repairs", &["fix", "examples/default-bridge-names"]);
    check("diff", &["diff", "examples/nat-no-forward", lab]);
    check("matrix", &["check", "examples/firewalld-published", "--matrix"]);
}

/// A document without a field that is promised does not pass.
#[test]
fn the_schema_can_fail() {
    let schema = strict("diff");
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&json!({"format": "canreach/1", "differences": []})));
    assert!(!validator.is_valid(&json!({"format": "canreach/1"})));
    assert!(!validator.is_valid(&json!({"format": "canreach/2", "differences": []})));
    assert!(!validator.is_valid(&json!({"format": "canreach/1", "differences": [], "more": 1})));
}

#[test]
fn the_published_schema_takes_what_is_added_later() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    valid(&schema, &json!({"format": "canreach/1", "differences": [], "more": 1}), "a document with a new field");
}
