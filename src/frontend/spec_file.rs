//! `specs/*.yaml`: sentences, as a bare list or under `sentences:`.

use crate::frontend::sentence_list;
use crate::frontend::yaml::{self, Value, Walk};
use crate::lab::declaration::Declarations;
use crate::language::text;
use crate::source::SourceId;

/// Reads a specs file.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let document = yaml::parse(source, text);
    let mut walk = Walk { diagnostics: document.diagnostics };
    let value = match &document.value {
        None => Vec::new(),
        Some(root) if matches!(root.value, Value::Sequence(_)) => sentence_list::read(&mut walk, root),
        Some(root) => {
            let entries = walk.map(root, text!("a specs file", "문장 파일"));
            walk.check_keys(entries, text!("a specs file", "문장 파일"), &["sentences"]);
            root.get("sentences").map(|list| sentence_list::read(&mut walk, list)).unwrap_or_default()
        }
    };
    Declarations { value, diagnostics: walk.diagnostics }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Declaration;
    use crate::source::Sources;

    fn check(text: &str, expected: &[&str], messages: &[&str]) {
        let mut sources = Sources::default();
        let source = sources.add("specs/lab.yaml", text);
        let parsed = parse(source, text);
        let sentences = parsed.value.iter().map(|d| match d {
            Declaration::Sentence(s) => {
                assert_eq!(sources.text(s.sentence.span), s.sentence.value);
                s.sentence.value.as_str()
            }
            _ => "something else",
        });
        assert_eq!(sentences.collect::<Vec<_>>(), expected, "{text}");
        let said: Vec<&str> = parsed.diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert_eq!(said, messages, "{text}");
    }

    #[test]
    fn both_forms_are_read() {
        let both = ["mac can reach db:5432", "lan cannot reach 디비:3306"];
        check("- mac can reach db:5432\n- \"lan cannot reach 디비:3306\"\n", &both, &[]);
        check(
            "sentences:\n  - mac can reach db:5432\n  - {sentence: 'lan cannot reach 디비:3306', reason: x}\n",
            &both,
            &[],
        );
        check("sentence: []\n", &[], &["unknown key `sentence` in a specs file"]);
        check("- {reason: x}\n- [a]\n", &[], &["a sentence needs `sentence`", "a sentence must be a text"]);
        check("", &[], &[]);
    }
}
