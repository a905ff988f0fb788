//! One compose file laid over another (compose-go v2.10, override/merge.go).
//!
//! Maps are merged, lists are appended, everything else is replaced; a few keys have rules of their own. Every value keeps
//! the place where it was written.

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::yaml::{Entry, Node, Style, Value};
use crate::language::text;
use crate::source::Spanned;

/// How the values under a key are merged.
enum Rule {
    /// The later one replaces the earlier one.
    Replace,
    /// Lists of keys become maps before they are merged.
    Keys,
    /// The same, with what a service without options means.
    Dependencies,
    /// Maps become lists of `KEY=VALUE` before they are appended.
    Assignments,
    /// A text stands for a map with `context`.
    Build,
    /// Merged unless the drivers differ.
    Logging,
    /// Address pools of one subnet are merged.
    Pools,
    /// As the kinds of the values say.
    Plain,
}

fn rule(path: &[String]) -> Rule {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["services", _, "command" | "entrypoint"] | ["services", _, "healthcheck", "test"] => Rule::Replace,
        ["services", _, "networks" | "models"] => Rule::Keys,
        ["services", _, "depends_on"] => Rule::Dependencies,
        ["services", _, "build"] => Rule::Build,
        ["services", _, "logging"] => Rule::Logging,
        ["networks", _, "ipam", "config"] => Rule::Pools,
        ["networks" | "volumes", _, "labels"]
        | ["services", _, "annotations" | "dns" | "dns_opt" | "dns_search" | "env_file" | "label_file"]
        | ["services", _, "environment" | "extra_hosts" | "labels" | "sysctls" | "tmpfs"]
        | ["services", _, "build", "args" | "additional_contexts" | "extra_hosts" | "labels"]
        | ["services", _, "deploy", "labels"] => Rule::Assignments,
        _ => Rule::Plain,
    }
}

/// Lays `over` over `base`; `path` is where both stand.
pub(super) fn merge(base: Node, over: Node, path: &mut Vec<String>, diagnostics: &mut Vec<Diagnostic>) -> Node {
    match rule(path) {
        Rule::Replace => over,
        _ if over.is_null() => base,
        _ if base.is_null() => over,
        Rule::Keys => match (&base.value, &over.value) {
            (Value::Sequence(_), Value::Sequence(_)) => appended(base, over, true),
            _ => kinds(keyed(base, nothing), keyed(over, nothing), path, diagnostics),
        },
        Rule::Dependencies => kinds(keyed(base, started), keyed(over, started), path, diagnostics),
        Rule::Assignments => appended(assignments(base), assignments(over), true),
        Rule::Build => kinds(with_context(base), with_context(over), path, diagnostics),
        Rule::Logging if drivers_differ(&base, &over) => over,
        Rule::Pools => pools(base, over, path, diagnostics),
        Rule::Logging | Rule::Plain => kinds(base, over, path, diagnostics),
    }
}

fn kinds(base: Node, over: Node, path: &mut Vec<String>, diagnostics: &mut Vec<Diagnostic>) -> Node {
    match (&base.value, &over.value) {
        (Value::Mapping(_), Value::Mapping(_)) => maps(base, over, path, diagnostics),
        (Value::Sequence(_), Value::Sequence(_)) => appended(base, over, false),
        (Value::Scalar(_), _) => over,
        _ => {
            diagnostics.push(cannot_override(&base, &over, path));
            base
        }
    }
}

fn maps(base: Node, over: Node, path: &mut Vec<String>, diagnostics: &mut Vec<Diagnostic>) -> Node {
    let (mut shell, mut entries) = open_map(base);
    let (over_shell, later) = open_map(over);
    for entry in later {
        let position = entries.iter().position(|e| e.key.value == entry.key.value);
        match (position, entry.value.tag.as_deref()) {
            (Some(at), Some("!reset")) => drop(entries.remove(at)),
            (None, Some("!reset")) => {}
            (Some(at), tag) => {
                let replaced = tag == Some("!override");
                if let Some(old) = entries.get_mut(at) {
                    path.push(entry.key.value.clone());
                    lay_over(old, entry, replaced, path, diagnostics);
                    path.pop();
                }
            }
            (None, _) => {
                entries.push(entry);
                shell = over_shell.clone();
            }
        }
    }
    Node { value: Value::Mapping(entries), ..shell }
}

fn lay_over(old: &mut Entry, new: Entry, replaced: bool, path: &mut Vec<String>, diagnostics: &mut Vec<Diagnostic>) {
    if replaced {
        *old = new;
        return;
    }
    let is_scalar = matches!(new.value.value, Value::Scalar(_)) && !new.value.is_null();
    let base = std::mem::replace(&mut old.value, nothing(&new.value));
    old.value = merge(base, new.value, path, diagnostics);
    if is_scalar {
        (old.key, old.merged_at) = (new.key, new.merged_at);
    }
}

/// The node without its entries, and the entries.
fn open_map(mut node: Node) -> (Node, Vec<Entry>) {
    let value = std::mem::replace(&mut node.value, Value::Scalar(String::new()));
    let entries = if let Value::Mapping(entries) = value { entries } else { Vec::new() };
    (node, entries)
}

fn items(node: Node) -> Vec<Node> {
    if let Value::Sequence(items) = node.value { items } else { Vec::new() }
}

/// Both lists in a row. The result counts as written where its last item is.
fn appended(base: Node, over: Node, once: bool) -> Node {
    let mut shell = base.clone();
    let mut all = items(base);
    let over_shell = over.clone();
    for item in items(over).into_iter().filter(|item| item.tag.as_deref() != Some("!reset")) {
        let is_there = once && text(&item).is_some_and(|new| all.iter().any(|old| text(old) == Some(new)));
        if !is_there {
            all.push(item);
            shell = over_shell.clone();
        }
    }
    Node { value: Value::Sequence(all), ..shell }
}

fn text(node: &Node) -> Option<&str> {
    if let Value::Scalar(text) = &node.value { Some(text) } else { None }
}

/// A list of keys as a map with values of which nothing is written.
fn keyed(node: Node, value: fn(&Node) -> Node) -> Node {
    let Value::Sequence(items) = &node.value else { return node };
    let entry = |item: &Node| {
        let key = Spanned::new(text(item)?.to_owned(), item.content);
        Some(Entry { key, value: value(item), merged_at: item.used_at })
    };
    let entries = items.iter().filter_map(entry).collect();
    // Another entry could not be written there as a key of a map.
    let used_at = node.used_at.or(Some(node.span));
    Node { value: Value::Mapping(entries), used_at, ..node }
}

/// What is waited for when nothing is said.
fn started(at: &Node) -> Node {
    let key = Spanned::new("condition".to_owned(), at.content);
    let condition = Node { value: Value::Scalar("service_started".to_owned()), style: Style::Quoted, ..nothing(at) };
    let entry = Entry { key, value: condition, merged_at: None };
    Node { value: Value::Mapping(vec![entry]), style: Style::Flow, ..nothing(at) }
}

fn nothing(at: &Node) -> Node {
    Node { value: Value::Scalar(String::new()), style: Style::Plain, tag: None, ..at.clone() }
}

/// A map, or a single text, as a list of `KEY=VALUE`.
fn assignments(node: Node) -> Node {
    let items = match &node.value {
        Value::Sequence(_) => return node,
        Value::Scalar(_) => vec![node.clone()],
        Value::Mapping(entries) => entries.iter().flat_map(assignment).collect(),
    };
    let used_at = node.used_at.or(Some(node.span));
    Node { value: Value::Sequence(items), used_at, ..node }
}

fn assignment(entry: &Entry) -> Vec<Node> {
    let key = &entry.key.value;
    let with = |value: &Node| {
        let written = match text(value) {
            Some(text) if !value.is_null() => format!("{key}={text}"),
            _ => key.clone(),
        };
        Node { value: Value::Scalar(written), style: Style::Quoted, ..value.clone() }
    };
    match &entry.value.value {
        Value::Sequence(items) => items.iter().map(with).collect(),
        _ => vec![with(&entry.value)],
    }
}

fn with_context(node: Node) -> Node {
    let Value::Scalar(_) = &node.value else { return node };
    let key = Spanned::new("context".to_owned(), node.content);
    let entry = Entry { key, value: node.clone(), merged_at: None };
    Node { value: Value::Mapping(vec![entry]), used_at: node.used_at.or(Some(node.span)), ..node }
}

fn drivers_differ(base: &Node, over: &Node) -> bool {
    match (base.get("driver").and_then(text), over.get("driver").and_then(text)) {
        (Some(base), Some(over)) => base != over,
        _ => false,
    }
}

/// The later file's pools, each laid over the earlier file's pool of the same subnet.
fn pools(base: Node, over: Node, path: &mut Vec<String>, diagnostics: &mut Vec<Diagnostic>) -> Node {
    let subnet = |pool: &Node| pool.get("subnet").and_then(text).map(str::to_owned);
    let shell = over.clone();
    let earlier = items(base);
    let laid_over = |pool: Node| match earlier.iter().find(|old| subnet(old) == subnet(&pool)) {
        Some(old) => maps(old.clone(), pool, path, diagnostics),
        None => pool,
    };
    let all = items(over).into_iter().map(laid_over).collect();
    Node { value: Value::Sequence(all), ..shell }
}

/// Takes out what is still marked with `!reset` once nothing is left that it could take away.
pub(super) fn drop_resets(node: &mut Node) {
    let is_kept = |node: &Node| node.tag.as_deref() != Some("!reset");
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => {
            items.retain(is_kept);
            items.iter_mut().for_each(drop_resets);
        }
        Value::Mapping(entries) => {
            entries.retain(|entry| is_kept(&entry.value));
            entries.iter_mut().for_each(|entry| drop_resets(&mut entry.value));
        }
    }
}

fn cannot_override(base: &Node, over: &Node, path: &[String]) -> Diagnostic {
    let is = |node: &Node| match node.value {
        Value::Scalar(_) => text!("a single value", "단일 값"),
        Value::Sequence(_) => text!("a list", "목록"),
        Value::Mapping(_) => text!("a map", "맵"),
    };
    let (later, earlier) = (is(over), is(base));
    let message = text!("`{keys}` cannot be merged", "`{keys}`: 합칠 수 없습니다", keys = path.join("."));
    Diagnostic::new(Code::YamlType, message)
        .label(over.used_at.unwrap_or(over.span), text!("this is {later}", "여기는 {later}"; later))
        .label(base.used_at.unwrap_or(base.span), text!("and this is {earlier}", "그리고 여기는 {earlier}"; earlier))
        .help(text!(
            "write both in the same form, or `!override` in the later file",
            "둘을 같은 형식으로 쓰거나, 나중 파일에 `!override`를 쓰십시오"
        ))
}
