//! ARCHITECTURE.md as a test: who may know whom, and the sizes that keep the code readable.
//!
//! The source is read as text; rustfmt's layout (one item's braces at one indentation) is what makes that easy.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The modules of the crate and those that each may import.
const MAY_IMPORT: [(&str, &[&str]); 18] = [
    ("source", &[]),
    ("net", &[]),
    ("language", &[]),
    ("provenance", &["source", "language"]),
    ("diagnostic", &["source", "language", "provenance"]),
    ("switch", &["source", "language", "provenance"]),
    ("lab", &["source", "net", "language", "provenance", "diagnostic", "switch"]),
    ("frontend", &["source", "net", "language", "provenance", "diagnostic", "switch", "lab"]),
    ("dataplane", &["net", "provenance", "switch"]),
    ("lower", &["source", "net", "language", "provenance", "diagnostic", "switch", "lab", "dataplane"]),
    ("smt", &["net", "provenance", "switch", "dataplane"]),
    ("eval", &["net", "provenance", "switch", "dataplane"]),
    ("property", &["source", "net", "language", "diagnostic"]),
    (
        "check",
        &[
            "source",
            "net",
            "language",
            "provenance",
            "diagnostic",
            "switch",
            "lab",
            "dataplane",
            "lower",
            "smt",
            "eval",
            "property",
        ],
    ),
    ("lesson", &["language"]),
    ("lint", &["source", "net", "language", "provenance", "diagnostic", "switch", "lab", "dataplane", "smt", "eval"]),
    (
        "report",
        &["source", "net", "language", "provenance", "diagnostic", "switch", "lab", "dataplane", "property", "check"],
    ),
    (
        "cli",
        &[
            "source",
            "net",
            "language",
            "provenance",
            "diagnostic",
            "switch",
            "lab",
            "frontend",
            "dataplane",
            "lower",
            "smt",
            "eval",
            "property",
            "check",
            "lesson",
            "lint",
            "report",
        ],
    ),
];

/// What only some modules may name: external crates, and the parts of `std` that reach the machine.
const ONLY_IN: [(&str, &[&str]); 20] = [
    ("z3", &["smt"]),
    ("miette", &["report"]),
    ("pulldown_cmark", &["report"]),
    ("quick_junit", &["report"]),
    ("lsp_types", &["report", "cli"]),
    ("lsp_server", &["cli"]),
    ("serde", &["report", "cli"]),
    ("serde_json", &["report", "cli"]),
    ("clap", &["cli"]),
    ("ipnet", &["net"]),
    ("roxmltree", &["frontend"]),
    ("saphyr_parser", &["frontend"]),
    ("brush_parser", &["frontend"]),
    ("ruby_prism", &["frontend"]),
    ("strsim", &["diagnostic"]),
    ("unicode_width", &["report"]),
    ("std::fs", &["cli"]),
    ("std::env", &["cli"]),
    ("std::process", &["cli"]),
    ("std::io", &["cli"]),
];

/// The modules that know no product, and the products.
const PRODUCT_FREE: [&str; 3] = ["dataplane", "smt", "eval"];
const PRODUCTS: [&str; 5] = ["docker", "firewalld", "virtualbox", "vbox", "compose"];

/// Siblings that may be imported by siblings: readers that several formats share, and what several mechanisms share.
const SHARED_IN_FRONTEND: [&str; 8] =
    ["yaml", "xml", "shell::word", "netfilter::iptables", "sentence_list", "engine_options", "placed", "ruby"];
const SHARED_IN_LOWER: [&str; 3] = ["address", "namespace", "topology"];

const LONGEST_FUNCTION: usize = 60;
const LONGEST_FILE: usize = 700;

/// Longer functions that read better in one piece, and why.
const LONG_FUNCTIONS: [(&str, &str, &str); 0] = [];

/// One file of the source.
struct File {
    path: String,
    /// `["frontend", "docker", "compose"]` for `src/frontend/docker/compose.rs`.
    module: Vec<String>,
    /// Lines without comments, numbered from 1.
    code: Vec<(usize, String)>,
    /// Compiled only for tests.
    is_test: bool,
}

/// One imported path: from the crate's root (`["lab", "Host"]`), or from an external crate.
struct Import {
    line: usize,
    path: Vec<String>,
    is_test: bool,
}

impl File {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_str().unwrap().replace('\\', "/");
        let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
        let module = inside.split('/').filter(|part| !["lib", "main"].contains(part)).map(str::to_owned).collect();
        let mut code: Vec<(usize, String)> = (1..).zip(text.lines().map(without_comment)).collect();
        code.retain(|(_, line)| !line.trim().is_empty());
        Self { path, module, code, is_test: false }
    }

    fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    /// The line from which on the file holds only its inline tests.
    fn tests_start(&self) -> usize {
        let marker = |pair: &[(usize, String)]| pair[0].1 == "#[cfg(test)]" && pair[1].1.starts_with("mod tests {");
        self.code.windows(2).find(|pair| marker(pair)).map_or(usize::MAX, |pair| pair[0].0)
    }

    fn in_test(&self, line: usize) -> bool {
        self.is_test || self.tests_start() <= line
    }

    /// The child modules that are compiled only for tests, by path.
    fn test_children(&self) -> Vec<Vec<String>> {
        let is_test = |pair: &&[(usize, String)]| pair[0].1 == "#[cfg(test)]" && pair[1].1.ends_with(';');
        let name = |pair: &[(usize, String)]| {
            pair[1].1.trim_end_matches(';').rsplit_once("mod ").map(|(_, name)| name.to_owned())
        };
        let names = self.code.windows(2).filter(is_test).filter_map(name);
        names.map(|name| [self.module.as_slice(), &[name]].concat()).collect()
    }

    fn imports(&self) -> Vec<Import> {
        let mut imports = Vec::new();
        let mut lines = self.code.iter();
        while let Some((number, line)) = lines.next() {
            let Some((before, start)) = use_statement(line) else { continue };
            let mut statement = start.to_owned();
            while !statement.ends_with(';') {
                statement.push_str(lines.next().unwrap().1.trim());
            }
            // One inline module deeper for each step of indentation.
            let deeper = before.len() / 4;
            for path in expanded(statement.trim_end_matches(';')) {
                imports.push(Import {
                    line: *number,
                    path: self.absolute(&path, deeper),
                    is_test: self.in_test(*number),
                });
            }
        }
        imports
    }

    fn absolute(&self, path: &[String], deeper: usize) -> Vec<String> {
        let mut base: Vec<String> = self.module.clone();
        base.extend(std::iter::repeat_n("(inline)".to_owned(), deeper));
        match path[0].as_str() {
            "crate" => path[1..].to_vec(),
            "self" => [base.as_slice(), &path[1..]].concat(),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                [&base[..base.len() - ups], &path[ups..]].concat()
            }
            _ => path.to_vec(),
        }
    }
}

fn without_comment(line: &str) -> String {
    let start =
        line.find("//").filter(|at| !line[..*at].ends_with(':') && line[..*at].matches('"').count().is_multiple_of(2));
    line[..start.unwrap_or(line.len())].trim_end().to_owned()
}

/// The indentation and the path of a line that begins a `use`.
fn use_statement(line: &str) -> Option<(&str, &str)> {
    let trimmed = line.trim_start();
    let rest = match trimmed.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')')?.1.trim_start(),
        Some(rest) => rest.trim_start(),
        None => trimmed,
    };
    Some((&line[..line.len() - trimmed.len()], rest.strip_prefix("use ")?))
}

/// `a::{b, c::d as e}` -> `[a, b]`, `[a, c, d]`.
fn expanded(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let head = tree.split_once('{').map_or(tree, |(head, _)| head);
    let mut path: Vec<String> =
        head.split("::").map(|part| part.split(" as ").next().unwrap().trim().to_owned()).collect();
    path.retain(|part| !part.is_empty());
    let Some(inside) = tree.strip_prefix(head).and_then(|rest| rest.strip_prefix('{')) else { return vec![path] };
    let inside = inside.strip_suffix('}').unwrap();
    let branches = split_at_commas(inside).into_iter().flat_map(|branch| expanded(&branch));
    branches.map(|branch| [path.as_slice(), &branch].concat()).collect()
}

fn split_at_commas(text: &str) -> Vec<String> {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn files_in(directory: &str) -> Vec<File> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut files);
    let mut tests: BTreeSet<Vec<String>> = files.iter().flat_map(File::test_children).collect();
    // What lies below a test module is a test too.
    for file in &mut files {
        file.is_test = (1..=file.module.len()).any(|end| tests.contains(&file.module[..end]));
        if file.is_test {
            tests.insert(file.module.clone());
        }
    }
    files
}

fn collect(directory: &Path, files: &mut Vec<File>) {
    let mut entries: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(File::read(&path));
        }
    }
}

/// All complaints at once: a broken rule is easier to judge when every place is seen.
fn nothing_wrong(rule: &str, mut wrong: Vec<String>) {
    wrong.dedup();
    assert!(wrong.is_empty(), "{rule}:\n  {}", wrong.join("\n  "));
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for file in files_in("src").iter().filter(|file| !file.module.is_empty()) {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(module, _)| *module == file.top()) else {
            wrong.push(format!("{}: module `{}` is not in the table", file.path, file.top()));
            continue;
        };
        for import in file.imports().iter().filter(|import| !import.is_test) {
            let imported = import.path[0].as_str();
            let is_ours = MAY_IMPORT.iter().any(|(module, _)| *module == imported);
            if is_ours && imported != file.top() && !allowed.contains(&imported) {
                wrong.push(format!("{}:{} imports `{imported}`", file.path, import.line));
            }
        }
    }
    nothing_wrong("dependencies point one way", wrong);
}

#[test]
fn paths_are_imported_at_the_top() {
    let mut wrong = Vec::new();
    for file in files_in("src") {
        let mut in_use = false;
        for (number, line) in &file.code {
            in_use |= use_statement(line).is_some();
            let elsewhere =
                line.replace("pub(in crate::", "").replace("$crate::language::Text", "").contains("crate::");
            if elsewhere && !in_use && !line.contains("macro_rules") {
                wrong.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
            in_use &= !line.ends_with(';');
        }
    }
    nothing_wrong("`crate::` paths stand only in `use` lines, where the table can see them", wrong);
}

#[test]
fn siblings_do_not_know_each_other() {
    let mut wrong = Vec::new();
    for (parent, shared) in [("frontend", &SHARED_IN_FRONTEND[..]), ("lower", &SHARED_IN_LOWER)] {
        for file in files_in("src").iter().filter(|file| file.module.len() > 1 && file.top() == parent) {
            let own = file.module[1].as_str();
            for import in file.imports().iter().filter(|import| !import.is_test) {
                let sibling = match import.path.as_slice() {
                    [top, sibling, ..] if top == parent && sibling != own => sibling.as_str(),
                    _ => continue,
                };
                let below = import.path[1..].join("::");
                let may = shared.iter().any(|name| below.starts_with(name)) || is_dispatch(parent, own);
                if !may && Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{parent}/{sibling}.rs")).exists() {
                    wrong.push(format!("{}:{} imports its sibling `{sibling}`", file.path, import.line));
                }
            }
        }
    }
    nothing_wrong("one format or mechanism does not know another", wrong);
}

/// Whose task is to call its siblings: a script holds commands of several products, a Vagrantfile holds scripts, a project is made of several files,
/// a host's events start several products.
fn is_dispatch(parent: &str, module: &str) -> bool {
    [("frontend", "shell"), ("frontend", "projects"), ("frontend", "vagrant"), ("lower", "events")]
        .contains(&(parent, module))
}

#[test]
fn outside_things_are_named_in_one_place() {
    let mut wrong = Vec::new();
    for file in files_in("src").iter().filter(|file| !file.module.is_empty()) {
        for (number, line) in file.code.iter().filter(|(number, _)| !file.in_test(*number)) {
            for (name, modules) in ONLY_IN {
                if names(line, name) && !modules.contains(&file.top()) {
                    wrong.push(format!("{}:{number} names `{name}`", file.path));
                }
            }
        }
    }
    nothing_wrong("each external crate has one home, and only `cli` touches the machine", wrong);
}

/// Whether a line of code uses the crate or module `name`.
fn names(line: &str, name: &str) -> bool {
    let starts_word = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    let ends_path = |rest: &str| ["::", ";", " as "].iter().any(|end| rest.starts_with(end));
    line.match_indices(name).any(|(at, _)| starts_word(at) && ends_path(&line[at + name.len()..]))
}

#[test]
fn engines_know_no_product() {
    let mut wrong = Vec::new();
    for file in files_in("src").iter().filter(|file| PRODUCT_FREE.contains(&file.top())) {
        for (number, line) in file.code.iter().filter(|(number, _)| !file.in_test(*number)) {
            let line = line.to_ascii_lowercase();
            for product in PRODUCTS.iter().filter(|product| line.contains(**product)) {
                wrong.push(format!("{}:{number} names `{product}`", file.path));
            }
        }
    }
    nothing_wrong("the dataplane and both engines mention no product", wrong);
}

#[test]
fn every_module_says_what_it_is() {
    let mut wrong = Vec::new();
    for directory in ["src", "tests", "benches"] {
        for file in files_in(directory) {
            let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file.path)).unwrap();
            if !text.starts_with("//! ") {
                wrong.push(file.path);
            }
        }
    }
    nothing_wrong("every file begins with `//!`", wrong);
}

#[test]
fn files_and_functions_are_short() {
    let mut wrong = Vec::new();
    for directory in ["src", "tests", "benches"] {
        for file in files_in(directory) {
            let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file.path)).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            if LONGEST_FILE < lines.len() {
                wrong.push(format!("{} has {} lines", file.path, lines.len()));
            }
            for (name, length) in functions(&lines) {
                let has_reason =
                    LONG_FUNCTIONS.iter().any(|(path, function, _)| *path == file.path && *function == name);
                if LONGEST_FUNCTION < length && !has_reason {
                    wrong.push(format!("{}: `{name}` has {length} lines", file.path));
                }
            }
        }
    }
    nothing_wrong("one concept a file, one step a function", wrong);
}

/// The functions of a file and their lengths.
fn functions(lines: &[&str]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indentation = &line[..line.len() - line.trim_start().len()];
        let is_one_line = line.ends_with('}') || line.ends_with(';');
        let inside = lines[start + 1..].iter().take_while(|line| !closes(line, indentation)).count();
        found.push((name, if is_one_line { 1 } else { inside + 2 }));
    }
    found
}

fn closes(line: &str, indentation: &str) -> bool {
    line.strip_prefix(indentation).is_some_and(|rest| rest == "}")
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| {
        word.starts_with("pub") || ["const", "async", "unsafe", "in"].contains(word) || word.starts_with("crate::")
    });
    if words.next() != Some("fn") {
        return None;
    }
    words.next().map(|name| name.split(['(', '<']).next().unwrap().to_owned())
}

#[test]
fn the_readers_of_source_see_what_there_is() {
    let check = |statement: &str, expected: &[&str]| {
        let paths: Vec<String> = expanded(statement).iter().map(|path| path.join("::")).collect();
        assert_eq!(paths, expected);
    };
    check("crate::net::IpNet", &["crate::net::IpNet"]);
    check(
        "crate::a::{self, b as c, d::{e, f}}",
        &["crate::a::self", "crate::a::b", "crate::a::d::e", "crate::a::d::f"],
    );
    check("crate::{lab, net::{A,B,}}", &["crate::lab", "crate::net::A", "crate::net::B"]);
    assert!(names("use z3::ast;", "z3") && names("let x = z3::Solver::new();", "z3"));
    assert!(!names("use crate::z3::ast;", "z3") && !names("let is_z3 = 1;", "z3"));
    assert!(names("    fs::read(std::fs::canonicalize(path))", "std::fs"));
    let source = ["pub(in crate::a) fn one() {", "    two", "}", "fn three() {}", "const fn four<T>(", ") {", "}"];
    assert_eq!(functions(&source), [("one".to_owned(), 3), ("three".to_owned(), 1), ("four".to_owned(), 3)]);
}
