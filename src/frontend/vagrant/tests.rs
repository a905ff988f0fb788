//! What Vagrantfiles say, against the Ruby interpreter: `recorded` beside each file of the corpus was written by
//! tests/vagrant/recorder.rb, which stands in for Vagrant.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::record::Call;
use super::value::Value;
use super::*;
use crate::source::Sources;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vagrant")
}

/// Every Vagrantfile of the corpus, by name of its directory.
fn vagrantfiles() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(corpus().join("corpus")).unwrap();
    let mut all: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    all.sort();
    all
}

fn file(sources: &mut Sources, path: &str, text: &str) -> File {
    let text: Arc<str> = text.into();
    File { source: sources.add(path, &text), path: path.to_owned(), whole: Arc::clone(&text), text }
}

/// What is said to all machines and to each, without what is not certain.
fn recording(directory: &Path) -> String {
    let mut sources = Sources::default();
    let text = fs::read_to_string(directory.join("Vagrantfile")).unwrap();
    let vagrantfile = file(&mut sources, "Vagrantfile", &text);
    let recording = evaluate(&vagrantfile, &mut |path| {
        fs::read_to_string(directory.join(path)).ok().map(|text| file(&mut sources, path, &text))
    });
    let mut out = "all machines\n".to_owned();
    dump(&recording.common.borrow(), 1, &mut out);
    for (name, calls) in &recording.machines {
        out += &format!("machine {}\n", name.value);
        dump(&calls.borrow(), 1, &mut out);
    }
    out.lines().filter(|line| !line.trim_start().starts_with("? ")).map(|line| format!("{line}\n")).collect()
}

/// Whether each line is the recorded one; `…` stands for what is not known.
fn agrees(ours: &str, recorded: &str) -> bool {
    let same = |(ours, recorded): (&str, &str)| match ours.split_once('…') {
        Some((before, after)) => {
            let end = after.rsplit('…').next().unwrap_or(after);
            recorded.starts_with(before) && recorded.ends_with(end)
        }
        None => ours == recorded,
    };
    ours.lines().count() == recorded.lines().count() && ours.lines().zip(recorded.lines()).all(same)
}

#[test]
fn what_is_said_to_vagrant_is_what_ruby_says() {
    let (mut wrong, mut unknown) = (String::new(), 0);
    for (name, directory) in vagrantfiles() {
        let recorded = fs::read_to_string(directory.join("recorded")).unwrap();
        let ours = recording(&directory);
        unknown += ours.matches('…').count();
        if !agrees(&ours, &recorded) {
            wrong += &format!("== {name}\n-- Ruby\n{recorded}-- ours\n{ours}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    // Values that Ruby knows and we do not: `"n9".succ`, the greatest of a list, a modulo.
    assert_eq!(unknown, 3);
}

/// Where there is a Ruby, the recordings are still what it says.
#[test]
fn recordings_are_fresh() {
    for (name, directory) in vagrantfiles() {
        let mut ruby = Command::new("ruby");
        let path = std::env::var_os("PATH").unwrap_or_default();
        ruby.args(["-W0"]).arg(corpus().join("recorder.rb")).arg(directory.join("Vagrantfile"));
        let Ok(output) = ruby.env_clear().env("PATH", path).output() else { return };
        let recorded = fs::read_to_string(directory.join("recorded")).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), recorded, "{name}");
    }
}

/// Calls as text, one a line, those in blocks indented.
fn dump(calls: &[Call], depth: usize, out: &mut String) {
    for call in calls {
        let mut parts: Vec<String> = call.arguments.iter().map(|a| shown(&a.value, 0)).collect();
        parts.extend(call.options.iter().map(|(key, argument)| format!("{key}: {}", shown(&argument.value, 0))));
        let doubt = if call.doubt.is_some() { "? " } else { "" };
        let line = format!("{:indent$}{doubt}{} {}", "", call.method, parts.join(", "), indent = depth * 2);
        let _ = writeln!(out, "{}", line.trim_end());
        dump(&call.inside.borrow(), depth + 1, out);
    }
}

/// A value as Ruby's `inspect` writes it, except that symbols and strings are written alike on keys.
fn shown(value: &Value, depth: usize) -> String {
    match value {
        _ if depth > 16 => "…".to_owned(),
        Value::Nil => "nil".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Str(text) => quoted(text.as_str()),
        Value::Symbol(name) => format!(":{name}"),
        Value::Range(first, last) => format!("{first}..{last}"),
        Value::List(items) => {
            let items: Vec<String> = items.borrow().iter().map(|item| shown(item, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Hash(pairs) => {
            let pair =
                |(key, value): &(Value, Value)| format!("{} => {}", shown(key, depth + 1), shown(value, depth + 1));
            let pairs: Vec<String> = pairs.borrow().iter().map(pair).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Regex(source) => format!("/{source}/"),
        Value::Config(_) => "config".to_owned(),
        Value::Module(name) => name.clone(),
        Value::Lambda(_) | Value::Unknown => "…".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t"))
}
