//! The reference of lab.yaml, from the JSON Schema that editors use: a test holds that against the reader.

use std::io;

use serde_json::Value;

/// The sample that the reader's own documentation shows.
const READER: &str = include_str!("../../src/frontend/lab_file.rs");

/// The sections, from the outside in; what is left comes behind them.
const ORDER: [&str; 5] = ["network", "host", "interface", "nat", "container"];

/// The page.
pub(crate) fn page(schema: &str) -> io::Result<String> {
    let schema: Value = serde_json::from_str(schema).map_err(io::Error::other)?;
    let mut text = format!(
        "# lab.yaml\n\n{} `canreach schema lab` prints the JSON Schema that this page is made from, for editors; \
         `canreach init` drafts a first file.\n\n```yaml\n{}```\n\n",
        word(&schema, "description"),
        sample()
    );
    let mut sections = vec![("The file".to_owned(), &schema)];
    let defined = || schema.get("$defs").and_then(Value::as_object).into_iter().flatten();
    let place = |name: &str| ORDER.iter().position(|first| *first == name).unwrap_or(ORDER.len());
    sections.extend(defined().map(|(name, value)| (name.clone(), value)));
    sections.sort_by_key(|(name, value)| if std::ptr::eq(*value, &schema) { 0 } else { 1 + place(name) });
    let mut index = 0;
    while let Some((name, value)) = sections.get(index).cloned() {
        text += &section(&schema, &name, value, &mut sections);
        index += 1;
    }
    Ok(text)
}

fn sample() -> String {
    let lines = READER.lines().filter_map(|line| line.strip_prefix("//!"));
    let sample = lines.skip_while(|line| line.trim() != "```yaml").skip(1).take_while(|line| line.trim() != "```");
    sample.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect()
}

/// What is said of one kind of value: a table, if it has keys. Values inside that have keys come as sections behind it.
fn section<'a>(schema: &Value, name: &str, value: &'a Value, more: &mut Vec<(String, &'a Value)>) -> String {
    let mut text = format!("## {name}\n\n{}\n\n", word(value, "description"));
    let Some(keys) = keys(value) else {
        return format!("{text}Value: {}{}\n\n", kind(value, name), example(value));
    };
    text += "| key | value | meaning |\n|---|---|---|\n";
    for (key, value) in keys {
        let place = format!("{name}: {key}");
        if is_inline(value) {
            more.push((place.clone(), innermost(value)));
        }
        text += &format!("| `{key}` | {} | {}{} |\n", kind(value, &place), meaning(schema, value), example(value));
    }
    text + "\n"
}

/// What a key is for: said beside it, or of the kind of value that it has.
fn meaning<'a>(schema: &'a Value, value: &'a Value) -> &'a str {
    let name = value["$ref"].as_str().map(|target| target.trim_start_matches("#/$defs/"));
    let kind = name.and_then(|name| schema.get("$defs")?.get(name));
    word(kind.unwrap_or(value), "description")
}

fn word<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn keys(value: &Value) -> Option<&serde_json::Map<String, Value>> {
    innermost(value)["properties"].as_object()
}

/// The object with keys of its own that a value is, or has in it.
fn innermost(value: &Value) -> &Value {
    let alternatives = value["oneOf"].as_array().into_iter().flatten();
    let inside = alternatives.chain(value.get("items")).find(|value| innermost(value).get("properties").is_some());
    if value.get("properties").is_some() { value } else { inside.map_or(value, innermost) }
}

/// Whether a value has keys that stand in no section of their own yet.
fn is_inline(value: &Value) -> bool {
    innermost(value).get("properties").is_some()
}

/// What may stand there.
fn kind(value: &Value, place: &str) -> String {
    if let Some(target) = value["$ref"].as_str() {
        let name = target.trim_start_matches("#/$defs/");
        return format!("[{name}](#{name})");
    }
    if let Some(words) = value["enum"].as_array() {
        let words: Vec<String> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    if let Some(alternatives) = value["oneOf"].as_array() {
        let mut kinds: Vec<String> = alternatives.iter().map(|value| kind(value, place)).collect();
        kinds.retain(|kind| kind != "nothing");
        return kinds.join(", or ");
    }
    if value.get("properties").is_some() {
        let anchor = place.replace(": ", "-").replace(' ', "-");
        return format!("[keys](#{anchor})");
    }
    if let Some(each) = value.get("additionalProperties").filter(|each| each.is_object()) {
        return format!("by name: {}", kind(each, place));
    }
    if let Some(items) = value.get("items") {
        return format!("a list of {}", kind(items, place));
    }
    plain(value)
}

fn plain(value: &Value) -> String {
    let name = |kind: &Value| match kind.as_str() {
        Some("null") | None => "nothing".to_owned(),
        Some("string") => "text".to_owned(),
        Some("boolean") => "`true`, `false`".to_owned(),
        Some("integer") => match (&value["minimum"], &value["maximum"]) {
            (Value::Number(least), Value::Number(most)) => format!("{least} to {most}"),
            _ => "a number".to_owned(),
        },
        Some(kind) => format!("a {kind}"),
    };
    match &value["type"] {
        Value::Array(kinds) => kinds.iter().map(name).filter(|kind| kind != "nothing").collect::<Vec<_>>().join(" or "),
        kind => name(kind),
    }
}

/// ` Example: ...`, if there is one.
fn example(value: &Value) -> String {
    let example = value["examples"].as_array().and_then(|all| all.first());
    example.map_or(String::new(), |example| format!(" Example: `{}`.", written(example)))
}

/// A value in YAML's short form.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{key}: {}", written(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        value => value.to_string(),
    }
}
