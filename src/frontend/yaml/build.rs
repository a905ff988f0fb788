//! From parser events to the tree.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as MarkerSpan, StrInput, Tag};

use super::{Entry, Node, Style, Value, merge, syntax, too_large};
use crate::diagnostic::{Code, Diagnosed, Diagnostic};
use crate::language::text;
use crate::source::{SourceId, Span, Spanned};

/// Nodes that are made at most, copies for anchors and aliases included: a stop for alias bombs.
const MAX_NODES: usize = 100_000;
/// Levels of nesting at most.
const MAX_DEPTH: usize = 100;

/// The first document, or all of them.
pub(super) fn build(source: SourceId, text: &str, documents: Documents) -> Diagnosed<Vec<Node>> {
    let mut builder = Builder::new(source, text, documents);
    builder.run(Parser::new_from_str(text));
    builder.close_all();
    builder.finished.extend(builder.root);
    Diagnosed { value: builder.finished, diagnostics: builder.diagnostics }
}

/// Which documents of a text are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Documents {
    First,
    All,
}

/// Nothing more is to be read.
struct Stop;

struct Builder<'t> {
    places: Places<'t>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    documents: Documents,
    /// Documents before the one at hand.
    finished: Vec<Node>,
    root: Option<Node>,
    nodes: usize,
    diagnostics: Vec<Diagnostic>,
}

/// A collection whose end has not been seen yet.
struct Frame {
    items: Items,
    style: Style,
    anchor: usize,
    tag: Option<String>,
    span: Span,
}

enum Items {
    Sequence(Vec<Node>),
    Mapping(OpenMap),
}

impl<'t> Builder<'t> {
    fn new(source: SourceId, text: &'t str, documents: Documents) -> Self {
        Self {
            places: Places::new(source, text),
            frames: Vec::new(),
            anchors: HashMap::new(),
            documents,
            finished: Vec::new(),
            root: None,
            nodes: 0,
            diagnostics: Vec::new(),
        }
    }

    fn run(&mut self, parser: Parser<'_, StrInput<'_>>) {
        for event in parser {
            let goes_on = match event {
                Ok((event, span)) => self.event(event, span),
                Err(error) => {
                    let at = self.places.byte(error.marker().index());
                    self.diagnostics.push(syntax(self.places.char_at(at), error.info()));
                    Err(Stop)
                }
            };
            if goes_on.is_err() {
                return;
            }
        }
    }

    fn event(&mut self, event: Event<'_>, span: MarkerSpan) -> Result<(), Stop> {
        let (start, end) = (self.places.byte(span.start.index()), self.places.byte(span.end.index()));
        match event {
            Event::DocumentStart(_) if self.root.is_some() => self.other_document(start),
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), start, end);
                self.count(1, node.span)?;
                self.define(anchor, &node)?;
                self.add(node)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(Items::Sequence(Vec::new()), anchor, tag.as_deref(), start, end)
            }
            Event::MappingStart(anchor, tag) => {
                self.open(Items::Mapping(OpenMap::default()), anchor, tag.as_deref(), start, end)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(Some(start)),
            Event::Alias(anchor) => self.alias(anchor, self.places.span(start, end)),
            _ => Ok(()),
        }
    }

    /// Only compose files have several, which are laid over each other. Anchors end with their document.
    fn other_document(&mut self, start: usize) -> Result<(), Stop> {
        if self.documents == Documents::All {
            self.finished.extend(self.root.take());
            self.anchors.clear();
            return Ok(());
        }
        self.diagnostics.push(
            Diagnostic::new(
                Code::Unmodeled,
                text!("only the first YAML document of a file is read", "파일의 첫 번째 YAML 문서만 읽습니다"),
            )
            .label(self.places.char_at(start), text!("another document starts here", "여기서 다른 문서가 시작됨")),
        );
        Err(Stop)
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>, start: usize, end: usize) -> Node {
        let start = self.places.skip_properties(start, end);
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Literal,
        };
        let span = self.places.trimmed(start, end);
        let content = self.places.content(span, style, text);
        let tag = tag.map(tag_text);
        Node { value: Value::Scalar(text.to_owned()), style, tag, span, content, used_at: None }
    }

    fn open(&mut self, items: Items, anchor: usize, tag: Option<&Tag>, start: usize, end: usize) -> Result<(), Stop> {
        let start = self.places.skip_properties(start, end);
        let style = if self.places.has_bracket(start, end) { Style::Flow } else { Style::Block };
        let span = self.places.span(start, end.max(start));
        self.count(1, span)?;
        if MAX_DEPTH <= self.frames.len() {
            self.diagnostics.push(too_large(span, format!("nested deeper than {MAX_DEPTH} levels")));
            return Err(Stop);
        }
        self.frames.push(Frame { items, style, anchor, tag: tag.map(tag_text), span });
        Ok(())
    }

    /// Ends the innermost collection. `bracket` is where its end token starts, when there is one.
    fn close(&mut self, bracket: Option<usize>) -> Result<(), Stop> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let Frame { items, style, anchor, tag, mut span } = frame;
        let mut value = match items {
            Items::Sequence(items) => Value::Sequence(items),
            Items::Mapping(map) => Value::Mapping(map.finish(&mut self.diagnostics)),
        };
        if let Some(last) = last_place(&value) {
            span = span.to(last);
        }
        if let Value::Mapping(entries) = &mut value {
            let made = merge::expand(entries, &mut self.diagnostics);
            self.count(made, span)?;
        }
        if let Some(bracket) = bracket.filter(|_| style == Style::Flow) {
            span = self.places.span(span.start, bracket + 1);
        }
        let node = Node { value, style, tag, span, content: span, used_at: None };
        self.define(anchor, &node)?;
        self.add(node)
    }

    fn close_all(&mut self) {
        while !self.frames.is_empty() {
            // A full budget was reported when it overflowed.
            let _ = self.close(None);
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Stop> {
        let Some(target) = self.anchors.get(&anchor) else {
            self.diagnostics.push(syntax(span, "this alias stands inside the value it names"));
            return self.add(null(span));
        };
        let mut node = target.clone();
        node.used_at = Some(span);
        self.count(size(&node), span)?;
        self.add(node)
    }

    fn define(&mut self, anchor: usize, node: &Node) -> Result<(), Stop> {
        if anchor == 0 {
            return Ok(());
        }
        self.count(size(node), node.span)?;
        self.anchors.insert(anchor, node.clone());
        Ok(())
    }

    fn count(&mut self, nodes: usize, at: Span) -> Result<(), Stop> {
        let before = self.nodes;
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        if before <= MAX_NODES {
            self.diagnostics.push(too_large(at, format!("more than {MAX_NODES} values after expanding aliases")));
        }
        Err(Stop)
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node) -> Result<(), Stop> {
        let Some(frame) = self.frames.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        match &mut frame.items {
            Items::Sequence(items) => items.push(node),
            Items::Mapping(map) => map.push(node, &mut self.diagnostics),
        }
        Ok(())
    }
}

/// A map whose end has not been seen yet.
#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    /// Where each key was first written.
    keys: HashMap<String, Span>,
    /// A key that waits for its value.
    key: Option<Node>,
}

impl OpenMap {
    fn push(&mut self, node: Node, diagnostics: &mut Vec<Diagnostic>) {
        match self.key.take() {
            None => self.key = Some(node),
            Some(key) => self.entry(key, node, diagnostics),
        }
    }

    /// A key without value, before a syntax error, stands for null.
    fn finish(mut self, diagnostics: &mut Vec<Diagnostic>) -> Vec<Entry> {
        if let Some(key) = self.key.take() {
            let nothing = null(key.span.after());
            self.entry(key, nothing, diagnostics);
        }
        self.entries
    }

    /// Adds an entry unless its key cannot be used.
    fn entry(&mut self, key: Node, value: Node, diagnostics: &mut Vec<Diagnostic>) {
        let span = key.used_at.unwrap_or(key.span);
        let Value::Scalar(text) = key.value else {
            diagnostics.push(
                Diagnostic::new(Code::YamlType, text!("a key must be a simple value", "키는 단순한 값이어야 합니다"))
                    .label(span, text!("this is a list or a map", "목록이나 맵임")),
            );
            return;
        };
        if let Some(first) = self.keys.get(&text) {
            diagnostics.push(duplicate(&text, span, *first));
            return;
        }
        self.keys.insert(text.clone(), span);
        let is_merge = text == merge::KEY && key.style == Style::Plain;
        let merged_at = is_merge.then_some(span);
        self.entries.push(Entry { key: Spanned::new(text, span), value, merged_at });
    }
}

fn duplicate(key: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::YamlDuplicateKey,
        text!("the key `{key}` is written twice", "`{key}` 키가 두 번 적혀 있습니다"),
    )
    .label(second, text!("again here", "여기에 또 있음"))
    .label(first, text!("first here", "처음 적힌 곳"))
    .help(text!(
        "remove one of them; most programs refuse the file",
        "하나를 지우십시오. 대부분의 프로그램이 이런 파일을 거부합니다"
    ))
}

fn null(span: Span) -> Node {
    Node { value: Value::Scalar(String::new()), style: Style::Plain, tag: None, span, content: span, used_at: None }
}

fn last_place(value: &Value) -> Option<Span> {
    let last = match value {
        Value::Scalar(_) => None,
        Value::Sequence(items) => items.last(),
        Value::Mapping(entries) => entries.last().map(|e| &e.value),
    };
    last.map(|node| node.used_at.unwrap_or(node.span))
}

/// How many nodes there are, this one included.
pub(super) fn size(node: &Node) -> usize {
    1 + node.items().iter().map(size).sum::<usize>() + node.entries().iter().map(|e| size(&e.value)).sum::<usize>()
}

/// `!reset` comes as handle `!`, `!!str` as the long handle of YAML's own tags.
fn tag_text(tag: &Tag) -> String {
    let handle = if tag.is_yaml_core_schema() { "!!" } else { tag.handle.as_str() };
    format!("{handle}{}", tag.suffix)
}

/// The way from the parser's character counts to byte spans.
struct Places<'t> {
    source: SourceId,
    text: &'t str,
    /// Byte offset of every character; nothing for ASCII, where both are the same.
    offsets: Option<Vec<usize>>,
}

impl<'t> Places<'t> {
    fn new(source: SourceId, text: &'t str) -> Self {
        let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self { source, text, offsets }
    }

    fn byte(&self, index: usize) -> usize {
        let offset = self.offsets.as_ref().map_or(Some(index), |offsets| offsets.get(index).copied());
        offset.unwrap_or(self.text.len()).min(self.text.len())
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    fn char_at(&self, start: usize) -> Span {
        let width = self.text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        self.span(start, start + width)
    }

    /// The start of the value behind `&anchor` and `!tag`.
    fn skip_properties(&self, start: usize, end: usize) -> usize {
        let mut rest = self.text.get(start..end).unwrap_or("");
        loop {
            let trimmed = rest.trim_start();
            if !trimmed.starts_with(['&', '!']) {
                return end - trimmed.len();
            }
            let word = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
            rest = trimmed.get(word..).unwrap_or("");
        }
    }

    /// Whether a collection that starts with the token `start..end` is in brackets. A block collection starts with an
    /// empty token or a dash.
    fn has_bracket(&self, start: usize, end: usize) -> bool {
        self.text.get(start..end).is_some_and(|token| token.starts_with(['[', '{']))
    }

    /// `start..end` without white space at its end, where a block scalar takes in the next line's indentation.
    fn trimmed(&self, start: usize, end: usize) -> Span {
        let length = self.text.get(start..end).map_or(0, |t| t.trim_end().len());
        self.span(start, start + length)
    }

    /// The place of the text of a scalar alone, if it stands there as it is.
    fn content(&self, span: Span, style: Style, text: &str) -> Span {
        let inner = self.span(span.start + 1, span.end.saturating_sub(1));
        let is_literal = style == Style::Quoted && self.text.get(inner.start..inner.end) == Some(text);
        if is_literal { inner } else { span }
    }
}
