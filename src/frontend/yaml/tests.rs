//! YAML texts and their trees, held against another reader of YAML.

use std::fmt::Write;
use std::path::PathBuf;

use super::scalar::is_sexagesimal;
use super::*;
use crate::source::Sources;

fn read(text: &str) -> (Sources, Diagnosed<Option<Node>>) {
    let mut sources = Sources::default();
    let source = sources.add("file.yaml", text);
    (sources, parse(source, text))
}

/// One line per scalar: path, what is written at its place, and what it stands for.
fn dump(sources: &Sources, node: &Node, path: &str, out: &mut String) {
    for entry in node.entries() {
        dump(sources, &entry.value, &format!("{path}.{}", sources.text(entry.key.span)), out);
    }
    for (i, item) in node.items().iter().enumerate() {
        dump(sources, item, &format!("{path}[{i}]"), out);
    }
    if let Value::Scalar(text) = &node.value {
        let tag = node.tag.as_deref().unwrap_or("");
        writeln!(out, "{path} <{}> {tag}{text:?} {:?}", sources.text(node.content), node.resolve().unwrap()).unwrap();
    }
}

fn check(text: &str, expected: &str) {
    let (sources, parsed) = read(text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let mut out = String::new();
    dump(&sources, &parsed.value.unwrap(), "", &mut out);
    assert_eq!(out, expected);
}

/// One line per diagnostic: message, and what is written at each label.
fn check_errors(text: &str, expected: &[&str]) -> Option<Node> {
    let (sources, parsed) = read(text);
    let said = parsed.diagnostics.iter().map(|d| {
        let places: Vec<&str> = d.labels.iter().map(|l| sources.text(l.span)).collect();
        format!("{} <{}>", d.message, places.join("|"))
    });
    assert_eq!(said.collect::<Vec<_>>(), expected, "{text}");
    parsed.value
}

#[test]
fn places_are_bytes_of_what_is_written() {
    check(
        "# 주석\n이름: 포트 번호  # 끝\nb:\n  - \"22:22\"\n  - 'x''y'\n  - |\n    line\n    둘\n  - [1, {p: 둘}, ]\n  - !t &y v\nc: *y\nd:\n",
        ".이름 <포트 번호> \"포트 번호\" Text\n\
         .b[0] <22:22> \"22:22\" Text\n\
         .b[1] <'x''y'> \"x'y\" Text\n\
         .b[2] <line\n    둘> \"line\\n둘\\n\" Text\n\
         .b[3][0] <1> \"1\" Int(1)\n\
         .b[3][1].p <둘> \"둘\" Text\n\
         .b[4] <v> !t\"v\" Text\n\
         .c <v> !t\"v\" Text\n\
         .d <> \"\" Null\n",
    );
    check("a: b\r\nc:\r\n  - 'd'\r\n", ".a <b> \"b\" Text\n.c[0] <d> \"d\" Text\n");
    check("\u{feff}가: 나\n", ".가 <나> \"나\" Text\n");
}

#[test]
fn scalars_stand_for_what_docker_compose_makes_of_them() {
    let check = |text: &str, expected: Resolved| {
        let (_, parsed) = read(&format!("a: {text}\n"));
        assert_eq!(parsed.value.unwrap().get("a").unwrap().resolve(), Some(expected), "{text}");
    };
    for text in ["yes", "on", "22:22", "'1'", "\"true\"", "1.2.3", "0x", "!!str 1", "1_a"] {
        check(text, Resolved::Text);
    }
    for (text, number) in [("8080", 8080), ("0777", 511), ("0x1F", 31), ("-3", -3), ("1_000", 1000), ("0", 0)] {
        check(text, Resolved::Int(number));
    }
    check("True", Resolved::Bool(true));
    check("~", Resolved::Null);
    check("1.5", Resolved::Float);
    check("1e3", Resolved::Float);
    check("08", Resolved::Float);
    check(".inf", Resolved::Float);
}

#[test]
fn base_sixty_is_recognized() {
    for (text, expected) in [("22:22", true), ("1:2:3", true), ("80:80", false), ("22:60", false), ("22", false)] {
        assert_eq!(is_sexagesimal(text), expected, "{text}");
    }
    assert!(!is_sexagesimal("127.0.0.1:22"));
}

#[test]
fn collections_end_with_their_last_value_or_bracket() {
    let text = "a:\n  b: {c: d}  # x\n\n# y\ne: [f, g]   # z\n";
    let (sources, parsed) = read(text);
    let root = parsed.value.unwrap();
    let at = |node: &Node| sources.text(node.span).to_owned();
    assert_eq!(at(root.get("a").unwrap()), "b: {c: d}");
    assert_eq!(at(root.get("a").unwrap().get("b").unwrap()), "{c: d}");
    assert_eq!(at(root.get("e").unwrap()), "[f, g]");
    assert_eq!(root.get("e").unwrap().style, Style::Flow);
    assert_eq!(at(&root), "a:\n  b: {c: d}  # x\n\n# y\ne: [f, g]");
}

#[test]
fn aliases_keep_both_places() {
    let (sources, parsed) = read("a: &x {k: v}\nb: *x\n");
    let root = parsed.value.unwrap();
    let b = root.get("b").unwrap();
    assert_eq!((sources.text(b.span), sources.text(b.used_at.unwrap())), ("{k: v}", "*x"));
}

#[test]
fn written_keys_win_over_merged_ones_and_earlier_maps_over_later() {
    let (sources, parsed) = read("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 3\n");
    assert!(parsed.diagnostics.is_empty());
    let root = parsed.value.unwrap();
    let mut out = String::new();
    dump(&sources, root.get("z").unwrap(), "", &mut out);
    assert_eq!(out, ".a <3> \"3\" Int(3)\n.b <1> \"1\" Int(1)\n.c <2> \"2\" Int(2)\n");
    assert_eq!(root.get("z").unwrap().entry("b").unwrap().merged_at.map(|s| sources.text(s)), Some("*x"));
}

#[test]
fn what_is_wrong_is_reported_and_the_rest_is_kept() {
    check_errors("a: 1\na: 2\n", &["the key `a` is written twice <a|a>"]);
    check_errors("[a]: 1\n", &["a key must be a simple value <[a]>"]);
    check_errors("a: 1\n---\nb: 2\n", &["only the first YAML document of a file is read <->"]);
    check_errors("a:\n  <<: 3\n", &["`<<` merges maps only <3>"]);
    check_errors("a: &x [*x]\n", &["not valid YAML: this alias stands inside the value it names <*x>"]);
    let root = check_errors("a: {b: 1, c: [2\nd: 3\n", &["not valid YAML: illegal placement of ':' indicator <:>"]);
    assert_eq!(root.unwrap().get("a").unwrap().entries().len(), 2);
    assert!(check_errors("", &[]).is_none());
    assert!(check_errors("# 주석\n", &[]).is_none());
}

#[test]
fn bombs_are_stopped() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..10 {
        let alias = format!("*a{}", i - 1);
        writeln!(text, "a{i}: &a{i} [{}]", vec![alias; 10].join(", ")).unwrap();
    }
    let said = read(&text).1.diagnostics;
    assert_eq!(said.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::YamlTooLarge]);
    let said = read(&format!("{}x{}", "[".repeat(150), "]".repeat(150))).1.diagnostics;
    assert_eq!(said.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::YamlTooLarge]);
}

/// Whether the tree says the same as serde_yaml. Numbers and booleans are compared as text, except where serde_yaml
/// does not follow Go's notation of numbers.
fn same(node: &Node, value: &serde_yaml::Value) -> bool {
    match (&node.value, value) {
        (Value::Scalar(text), serde_yaml::Value::String(other)) => {
            text == other && !matches!(node.resolve(), Some(Resolved::Null | Resolved::Bool(_)))
        }
        (Value::Scalar(_), serde_yaml::Value::Null) => node.is_null(),
        (Value::Scalar(_), serde_yaml::Value::Bool(other)) => node.resolve() == Some(Resolved::Bool(*other)),
        (Value::Scalar(_), serde_yaml::Value::Number(other)) => match other.as_i64() {
            Some(number) => node.resolve() == Some(Resolved::Int(number)),
            None => node.resolve() == Some(Resolved::Float),
        },
        (Value::Scalar(_), serde_yaml::Value::Tagged(tagged)) => {
            let untagged = Node { tag: None, ..node.clone() };
            tagged.tag == node.tag.as_deref().unwrap_or("") && same(&untagged, &tagged.value)
        }
        (Value::Sequence(items), serde_yaml::Value::Sequence(others)) => {
            items.len() == others.len() && items.iter().zip(others).all(|(node, value)| same(node, value))
        }
        (Value::Mapping(entries), serde_yaml::Value::Mapping(others)) => {
            entries.len() == others.len()
                && entries.iter().all(|e| {
                    let found = others.iter().find(|(key, _)| {
                        serde_yaml::to_string(key).is_ok_and(|k| k.trim_end().trim_matches(['\'', '"']) == e.key.value)
                    });
                    found.is_some_and(|(_, value)| same(&e.value, value))
                })
        }
        _ => false,
    }
}

fn agrees_with_serde(name: &str, text: &str) {
    let mut expected: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
    expected.apply_merge().unwrap();
    let (_, parsed) = read(text);
    assert!(parsed.diagnostics.is_empty(), "{name}: {:?}", parsed.diagnostics);
    assert!(same(&parsed.value.unwrap(), &expected), "{name}");
}

#[test]
fn the_tree_agrees_with_serde_yaml() {
    for text in [
        "a: 1\nb: [x, 'y', \"z\\n\"]\nc: {d: ~, e: true, f: 1.5}\n",
        "a: >-\n  folded\n  text\n\n  more\nb: |+\n  kept\n\n",
        "x: &x\n  k: v\ny:\n  <<: *x\n  l: w\nz: *x\n",
        "- a\n-\n  - b\n  - c\n- d: e\n  f: g\n",
        "가: 나\n\"quo\\u00e9\": !reset null\nlist:\n- 1\n- 2\n",
        "? complex\n: value\n80: port\n",
        "a: \"multi\n  line\"\nb: plain\n  multi\n",
    ] {
        agrees_with_serde(text, text);
    }
}

#[test]
fn the_tree_agrees_with_serde_yaml_on_real_compose_files() {
    let mut folders = vec![PathBuf::from("../shared/compose")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
                agrees_with_serde(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
            }
        }
    }
}
