//! What the docker command lists: `docker inspect`, `docker network inspect`, `docker ps`. That is what runs, and it
//! wins over what files say should run.
//!
//! A file may hold several listings one after the other, with prompts or headings between them, as people keep them:
//! whatever is neither JSON at the start of a line nor a table of containers is read past.

mod container;
mod network;
mod ps;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::frontend::yaml::{self, Node, Value};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::source::{SourceId, Span};

/// Whether a text has a listing in it.
pub fn is_one(text: &str) -> bool {
    let says = |words: &[&str]| words.iter().all(|word| text.contains(word));
    let json = says(&["\"NetworkSettings\"", "\"HostConfig\""])
        || says(&["\"IPAM\"", "\"Driver\"", "\"Scope\""])
        || says(&["\"Names\":", "\"Ports\":", "\"Image\":"]);
    (json && lines(text).any(|(_, line)| line.starts_with(['[', '{'])))
        || lines(text).any(|(_, line)| ps::is_header(line))
}

/// Reads every listing of a text.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    // JSON allows tabs where YAML does not.
    let readable = text.replace('\t', " ");
    let mut out = Declarations::default();
    let mut read_to = 0;
    let mut table = None;
    for (start, line) in lines(text) {
        if start < read_to {
            continue;
        }
        if line.starts_with(['[', '{']) {
            table = None;
            read_to = json_end(text, start);
            json(source, &readable, start..read_to, &mut out);
        } else if ps::is_header(line) {
            table = Some(line);
        } else if line.trim().is_empty() {
            table = None;
        } else if let Some(header) = table {
            out.value.extend(ps::row(source, header, start, line).map(Declaration::Running));
        }
    }
    out
}

/// Lines with their offsets, without what ends them.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let this = start;
        start += line.len();
        (this, line.trim_end_matches(['\n', '\r']))
    })
}

/// Where the JSON value that starts here ends; the end of the text when it is cut off.
fn json_end(text: &str, start: usize) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (offset, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return offset + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// JSON is YAML, whose reader knows places; those of a value further down are moved to where it stands.
fn json(source: SourceId, text: &str, range: Range<usize>, out: &mut Declarations) {
    let Some(value) = text.get(range.clone()) else { return };
    let mut document = yaml::parse(source, value);
    document.value.iter_mut().for_each(|root| shift(root, range.start));
    for mut diagnostic in document.diagnostics {
        diagnostic.labels.iter_mut().for_each(|label| label.span = shifted(label.span, range.start));
        out.diagnostics.push(diagnostic);
    }
    let Some(root) = &document.value else { return };
    let objects = if let Value::Sequence(items) = &root.value { items.as_slice() } else { std::slice::from_ref(root) };
    for object in objects {
        if object.get("NetworkSettings").is_some() {
            out.value.extend(container::read(object));
        } else if object.get("IPAM").is_some() {
            out.value.extend(network::read(object));
        } else if object.get("Names").is_some() || object.get("Service").is_some() {
            out.value.extend(ps::object(object).map(Declaration::Running));
        }
    }
}

fn shift(node: &mut Node, by: usize) {
    node.span = shifted(node.span, by);
    node.content = shifted(node.content, by);
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Value::Mapping(entries) => {
            for entry in entries {
                entry.key.span = shifted(entry.key.span, by);
                shift(&mut entry.value, by);
            }
        }
    }
}

fn shifted(span: Span, by: usize) -> Span {
    Span::new(span.source, span.start + by, span.end + by)
}

/// The text at a path of keys; nothing when it is absent or empty.
fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    match &at(node, path)?.value {
        Value::Scalar(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// The node at a path of keys; nothing when it is `null`.
fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key)).filter(|node| !node.is_null())
}
