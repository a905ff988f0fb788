//! YAML as one small tree in which every node knows its place.
//!
//! serde would lose places inside values that have a short and a long form, which is most of compose. So the events of
//! `saphyr-parser` become a tree with anchors and merge keys expanded (both places are kept), and front-ends walk it
//! by hand with [`Walk`].

use crate::diagnostic::{Code, Diagnosed, Diagnostic};
use crate::language::text;
use crate::source::{SourceId, Span, Spanned};

use self::build::Documents;

mod build;
pub mod insert;
mod merge;
pub mod scalar;
#[cfg(test)]
mod tests;
pub mod walk;

pub use scalar::Resolved;
pub use walk::{Walk, misunderstood};

/// One value.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// How it is written.
    pub style: Style,
    /// Its tag as written, if it has one: `!reset`, `!!str`.
    pub tag: Option<String>,
    /// Where it is written, without tag and anchor, quotes included.
    pub span: Span,
    /// The characters of a scalar without quotes when they are written literally, else the same as `span`.
    pub content: Span,
    /// The alias that brought it here, when it is written elsewhere.
    pub used_at: Option<Span>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// Text; what it stands for depends on style and tag, see [`Node::resolve`].
    Scalar(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A map; the keys are unique.
    Mapping(Vec<Entry>),
}

/// One entry of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Spanned<String>,
    /// The value.
    pub value: Node,
    /// The `<<` that brought the entry here, when it is written elsewhere.
    pub merged_at: Option<Span>,
}

/// How a node is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A scalar without quotes.
    Plain,
    /// A scalar in single or double quotes.
    Quoted,
    /// A scalar after `|` or `>`.
    Literal,
    /// A list with dashes or a map by indentation.
    Block,
    /// A list in brackets or a map in braces.
    Flow,
}

impl Node {
    /// The value under `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|e| &e.value)
    }

    /// The entry `key`, if this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| e.key.value == key)
    }

    /// The entries of a map; nothing otherwise.
    pub fn entries(&self) -> &[Entry] {
        if let Value::Mapping(entries) = &self.value { entries } else { &[] }
    }

    /// The items of a list; nothing otherwise.
    pub fn items(&self) -> &[Self] {
        if let Value::Sequence(items) = &self.value { items } else { &[] }
    }

    /// How many nodes there are, this one included.
    pub fn size(&self) -> usize {
        build::size(self)
    }

    /// Whether nothing is written: an empty value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.resolve() == Some(Resolved::Null)
    }
}

/// Reads the first document of `text`; nothing when there is none. Whatever stands before a syntax error is returned.
pub fn parse(source: SourceId, text: &str) -> Diagnosed<Option<Node>> {
    let Diagnosed { value, diagnostics } = build::build(source, text, Documents::First);
    Diagnosed { value: value.into_iter().next(), diagnostics }
}

/// Reads every document of `text`.
pub fn parse_all(source: SourceId, text: &str) -> Diagnosed<Vec<Node>> {
    build::build(source, text, Documents::All)
}

fn syntax(span: Span, message: &str) -> Diagnostic {
    Diagnostic::new(Code::YamlSyntax, format!("not valid YAML: {message}")).label(span, text!("here", "여기"))
}

fn too_large(span: Span, message: String) -> Diagnostic {
    Diagnostic::new(Code::YamlTooLarge, message)
        .label(span, text!("nothing is read from here on", "여기부터는 읽지 않음"))
}
