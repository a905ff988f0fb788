//! What `--format json` prints passes the published schema, which in turn leaves out nothing that is printed.

use std::fs;
use std::path::Path;

use canreach::frontend::lab_file;
use canreach::source::Sources;
use serde_json::{Value, json};

use crate::cli::canreach_in;
use crate::support::{is_valid, valid};

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
    check("coverage", &["coverage", lab]);
    check("probes", &["probe", lab]);
    let sentence = "mac can reach grafana:3000";
    check("contrast", &["why", lab, sentence, "--in", "examples/nat-no-forward"]);
    check("contrast", &["why", lab, sentence, "internet can reach grafana:3000"]);
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

const LAB: &str = include_str!("../../specs/schema/lab-v1.json");
const SENTENCES: &str = include_str!("../../specs/schema/sentences-v1.json");

/// YAML as an editor's checker sees it.
fn yaml(text: &str) -> Value {
    serde_json::to_value(serde_yaml::from_str::<serde_yaml::Value>(text).unwrap()).unwrap()
}

/// The code blocks of a text that follow a line which names the file.
fn blocks<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let marks = [format!("`{name}`:\n\n```yaml\n"), format!("```yaml name={name}\n")];
    let starts: Vec<usize> =
        marks.iter().flat_map(|mark| text.match_indices(mark).map(|(at, mark)| at + mark.len())).collect();
    starts.into_iter().map(|start| text[start..].split("```").next().unwrap())
}

#[test]
fn an_editor_takes_every_lab_file_that_canreach_takes() {
    let schema: Value = serde_json::from_str(LAB).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("src/frontend/lab_file.rs")).unwrap();
    let sample: String = page.lines().filter_map(|line| line.strip_prefix("//! ")).map(|l| format!("{l}\n")).collect();
    let sample = sample.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    valid(&schema, &yaml(sample), "the sample in lab_file.rs");
    let mut count = 0;
    for entry in fs::read_dir(root.join("specs")).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(text) = fs::read_to_string(&entry) else { continue };
        for block in blocks(&text, "lab.yaml") {
            valid(&schema, &yaml(block), &format!("{}: {block}", entry.display()));
            count += 1;
        }
    }
    for entry in fs::read_dir(root.join("examples")).unwrap().map(|entry| entry.unwrap().path()) {
        if let Ok(text) = fs::read_to_string(entry.join("lab.yaml")) {
            valid(&schema, &yaml(&text), &entry.display().to_string());
            count += 1;
        }
    }
    assert!(count > 50, "{count} files");
}

/// Every property in the schema's definitions, with an example of its value.
fn properties(definition: &Value) -> Vec<(String, Value)> {
    let own = definition["properties"].as_object().into_iter().flatten();
    let choices = definition["oneOf"].as_array().into_iter().flatten();
    let own = own.filter_map(|(name, value)| Some((name.clone(), value["examples"].get(0)?.clone())));
    own.chain(choices.flat_map(properties)).collect()
}

#[test]
fn canreach_takes_every_key_that_an_editor_offers() {
    let schema: Value = serde_json::from_str(LAB).unwrap();
    let place = |definition: &str, inner: Value| match definition {
        "network" => json!({"networks": {"x": inner}}),
        "host" => json!({"hosts": {"x": inner}}),
        "interface" => json!({"hosts": {"x": {"interfaces": {"x": inner}}}}),
        "nat" => json!({"hosts": {"x": {"interfaces": {"x": {"nat": inner}}}}}),
        "docker" | "firewalld" => json!({"hosts": {"x": {definition: inner}}}),
        other => panic!("`{other}` is nowhere in lab.yaml"),
    };
    let mut count = 0;
    for definition in ["network", "host", "interface", "nat", "docker", "firewalld"] {
        for (key, example) in properties(&schema["$defs"][definition]) {
            let text = place(definition, json!({key: example})).to_string();
            let mut sources = Sources::default();
            let source = sources.add("lab.yaml", text.as_str());
            let found = lab_file::parse(source, &text).diagnostics;
            assert!(found.is_empty(), "{text}: {found:?}");
            count += 1;
        }
    }
    assert!(count > 30, "{count} keys");
}

#[test]
fn an_editor_finds_mistakes() {
    let lab: Value = serde_json::from_str(LAB).unwrap();
    let sentences: Value = serde_json::from_str(SENTENCES).unwrap();
    valid(&sentences, &yaml("- a can reach b:1\n- {sentence: a can reach b:2, severity: warning}\n"), "a list");
    valid(&sentences, &yaml("sentences: [a can reach b:1]\n"), "a map");
    for (schema, text) in [
        (&lab, "hots: {}\n"),
        (&lab, "hosts: {a: {dokcer: {}}}\n"),
        (&lab, "networks: {a: {kind: wan}}\n"),
        (&lab, "hosts: {a: {docker: {icc: maybe}}}\n"),
        (&sentences, "- {sentnce: a can reach b:1}\n"),
        (&sentences, "- {sentence: a can reach b:1, severity: fatal}\n"),
    ] {
        assert!(!is_valid(schema, &yaml(text)), "{text} is taken");
    }
}
