//! What the XML front-ends share: syntax errors as diagnostics, and elements that know their places.

use roxmltree::{Document, Error, Node, TextPos};

use crate::diagnostic::{Code, Diagnostic};
use crate::language::{Text, text};
use crate::source::{SourceId, Span, Spanned};

/// Reads a document.
///
/// # Errors
/// When it is not well-formed; the diagnostic points at the place that the parser names.
pub fn parse(source: SourceId, text: &str) -> Result<Document<'_>, Box<Diagnostic>> {
    Document::parse(text).map_err(|error| Box::new(syntax_error(source, text, &error)))
}

fn syntax_error(source: SourceId, text: &str, error: &Error) -> Diagnostic {
    let at = match error {
        Error::NoRootNode | Error::UnclosedRootNode | Error::UnexpectedEndOfStream => text.trim_end().len(),
        Error::DtdDetected => text.find("<!DOCTYPE").unwrap_or(0),
        _ => offset(text, error.pos()),
    };
    let sentence = error.to_string();
    // The place is shown by the label; the parser repeats it in its sentence.
    let what = sentence.split(" at ").next().unwrap_or("not well-formed");
    let message =
        text!("the XML is broken: {what}", "XML 문법이 깨져 있습니다: {what}", what = what.replace('\'', "`"));
    Diagnostic::new(Code::XmlSyntax, message)
        .label(Span::new(source, at, at), text!("the parser gave up here", "여기서부터 읽을 수 없음"))
        .help(text!(
            "nothing of this file is used until it can be read",
            "읽을 수 있게 되기 전에는 이 파일의 아무것도 쓰지 않습니다"
        ))
}

/// Byte offset of a row and a column in characters, both from 1.
fn offset(text: &str, position: TextPos) -> usize {
    let (row, column) = (position.row.saturating_sub(1) as usize, position.col.saturating_sub(1) as usize);
    let mut start = 0;
    for line in text.split_inclusive('\n').take(row) {
        start += line.len();
    }
    let rest = text.get(start..).unwrap_or("");
    let line = rest.split('\n').next().unwrap_or("");
    start + line.chars().take(column).map(char::len_utf8).sum::<usize>()
}

/// An element that knows its place.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a, 'i> {
    node: Node<'a, 'i>,
    source: SourceId,
}

impl<'a, 'i> Element<'a, 'i> {
    /// The outermost element.
    pub fn root(document: &'a Document<'i>, source: SourceId) -> Self {
        Self { node: document.root_element(), source }
    }

    /// Its name without namespace prefix.
    pub fn name(self) -> &'a str {
        self.node.tag_name().name()
    }

    /// The value of an attribute, with the place between the quotes.
    pub fn attribute(self, name: &str) -> Option<Spanned<&'a str>> {
        let attribute = self.node.attributes().find(|a| a.name() == name)?;
        let range = attribute.range_value();
        Some(Spanned::new(attribute.value(), Span::new(self.source, range.start, range.end)))
    }

    /// Names of its attributes, with their places.
    pub fn attribute_names(self) -> impl Iterator<Item = Spanned<&'a str>> {
        let source = self.source;
        self.node.attributes().map(move |a| {
            let range = a.range_qname();
            Spanned::new(a.name(), Span::new(source, range.start, range.end))
        })
    }

    /// The elements directly inside.
    pub fn children(self) -> impl Iterator<Item = Self> {
        let source = self.source;
        self.node.children().filter(Node::is_element).map(move |node| Self { node, source })
    }

    /// The first element of that name directly inside.
    pub fn child(self, name: &str) -> Option<Self> {
        self.children().find(|c| c.name() == name)
    }

    /// The text directly inside.
    pub fn text(self) -> &'a str {
        self.node.text().unwrap_or("")
    }

    /// From `<` to the end of the closing tag.
    pub fn span(self) -> Span {
        let range = self.node.range();
        Span::new(self.source, range.start, range.end)
    }

    /// The opening tag, from `<` to `>`.
    pub fn tag(self) -> Span {
        let range = self.node.range();
        let last_attribute = self.node.attributes().map(|a| a.range_value().end).max().unwrap_or(range.start);
        let text = self.node.document().input_text();
        let end = text.get(last_attribute..range.end).and_then(|rest| rest.find('>'));
        Span::new(self.source, range.start, end.map_or(range.end, |end| last_attribute + end + 1))
    }

    /// The `/>` of an element without content.
    pub fn self_closing(self) -> Option<Span> {
        let tag = self.tag();
        let text = self.node.document().input_text().get(tag.start..tag.end)?;
        text.ends_with("/>").then(|| Span::new(self.source, tag.end - 2, tag.end))
    }

    /// The place of the closing tag `</name>`, if there is one.
    pub fn closing_tag(self) -> Option<Span> {
        let range = self.node.range();
        let text = self.node.document().input_text().get(range.clone())?;
        let at = text.rfind("</")?;
        self.self_closing().is_none().then(|| Span::new(self.source, range.start + at, range.end))
    }

    /// The white space that stands before the element on its line.
    pub fn indentation(self) -> &'a str {
        let start = self.node.range().start;
        let before = self.node.document().input_text().get(..start).unwrap_or("");
        let line = before.rsplit('\n').next().unwrap_or("");
        line.get(..line.len() - line.trim_start().len()).unwrap_or("")
    }
}

/// A warning about an element or attribute that this tool does not know.
pub fn unknown(what: &Text, name: Spanned<&str>, inside: &str) -> Diagnostic {
    Diagnostic::new(Code::UnknownKey, text!("unknown {what} `{name}` in `{inside}`", "`{inside}` 안의 알 수 없는 {what} `{name}`", name = &name.value; what))
        .label(name.span, text!("ignored", "무시함"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn syntax_errors_point_at_the_place() {
        let check = |text: &str, line: usize, column: usize| {
            let mut sources = Sources::default();
            let id = sources.add("a.xml", text);
            let error = parse(id, text).unwrap_err();
            assert_eq!(error.code, Code::XmlSyntax);
            let position = sources.position(error.labels[0].span);
            assert_eq!((position.line, position.column), (line, column), "{text}: {}", error.message);
        };
        check("<a>\n  <설명>값</b>\n</a>", 2, 8);
        check("<a>\n", 1, 4);
        check("<a>\n  <b c=\"1", 2, 10);
        check("<!-- x -->\n<!DOCTYPE a [<!ENTITY x SYSTEM \"y\">]><a/>", 2, 1);
        check("", 1, 1);
        check("<a x='1' x='2'/>", 1, 10);
    }

    #[test]
    fn elements_know_their_places() {
        let text = "<z a='값' b = \"x>y\">\n   <c/>\n</z>";
        let mut sources = Sources::default();
        let id = sources.add("a.xml", text);
        let document = parse(id, text).unwrap();
        let root = Element::root(&document, id);
        assert_eq!(sources.text(root.tag()), "<z a='값' b = \"x>y\">");
        assert_eq!(sources.text(root.attribute("a").unwrap().span), "값");
        assert_eq!(sources.text(root.closing_tag().unwrap()), "</z>");
        let c = root.child("c").unwrap();
        assert_eq!(sources.text(c.self_closing().unwrap()), "/>");
        assert_eq!(c.indentation(), "   ");
        assert!(c.closing_tag().is_none());
    }
}
