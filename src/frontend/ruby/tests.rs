//! Trees with the places of their strings.

use std::fmt::Write as _;

use super::tree::{Kind, Piece};
use super::*;
use crate::source::Sources;

/// The pieces of every string that is assigned, as `text <- written`.
fn strings(text: &str) -> String {
    let mut sources = Sources::default();
    let id = sources.add("Vagrantfile", text);
    let mut out = String::new();
    for expr in parse(id, text).value {
        let Kind::Assign(_, value) = expr.kind else { continue };
        let Kind::Str(pieces) = value.kind else { continue };
        for piece in pieces {
            match piece {
                Piece::Literal(text, span) => {
                    assert_eq!(sources.text(span), text);
                    writeln!(out, "{text:?}").unwrap();
                }
                Piece::Escaped(text, span) => writeln!(out, "{text:?} <- {:?}", sources.text(span)).unwrap(),
                Piece::Code(_, span) => writeln!(out, "code {}", sources.text(span)).unwrap(),
            }
        }
    }
    out
}

#[test]
fn strings_keep_the_places_of_their_bytes() {
    let check = |text: &str, expected: &str| assert_eq!(strings(text), expected, "{text}");
    check("a = 'b'", "\"b\"\n");
    check("포트 = \"a\\tb #{c} d\"", "\"a\"\n\"\\t\" <- \"\\\\t\"\n\"b \"\ncode #{c}\n\" d\"\n");
    check("a = 'it\\'s \\n'", "\"it\"\n\"'\" <- \"\\\\'\"\n\"s \"\n\"\\\\\" <- \"\\\\\"\n\"n\"\n");
    check("a = <<~X\n  docker \\\n    run\n  포트\nX\n", "\"docker \"\n\"  run\\n\"\n\"포트\\n\"\n");
    check("a = <<-X\r\n  b\r\n  X\r\n", "\"  b\"\n\"\\n\"\n");
    check("a = <<-'X'\n  b #{c} \\n\n  X\n", "\"  b #{c} \\\\n\\n\"\n");
}

#[test]
fn errors_have_places_and_nothing_hangs() {
    let check = |text: &str, expected: &[(&str, &str)]| {
        let mut sources = Sources::default();
        let id = sources.add("Vagrantfile", text);
        let read = parse(id, text);
        let labels = read.diagnostics.iter().flat_map(|d| &d.labels);
        let actual: Vec<_> = labels.map(|l| (l.message.to_string(), sources.text(l.span).to_owned())).collect();
        let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        assert_eq!(actual, expected);
    };
    check("a = 1", &[]);
    check(
        "f do\n  포트 = {a: 1 b: 2}\nend",
        &[
            ("expected a `}` to close the hash literal", "{"),
            ("unexpected local variable or method, expecting end-of-input", "b"),
        ],
    );
    for nested in ["[", "a = ", "!", "f ", "a ? b : ", "\"#{", "if a\n", "a.", "f {", "(", "-> {", "a+"] {
        let mut sources = Sources::default();
        let text = nested.repeat(8000);
        let id = sources.add("Vagrantfile", &text);
        parse(id, &text);
    }
}
