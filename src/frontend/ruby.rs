//! Ruby, as far as configuration is written in it: Ruby's own parser reads a text, and what of its tree can be followed
//! without running the program becomes the smaller tree of [`tree`].
//!
//! Nothing is evaluated here. The only module that names `ruby_prism`.

use std::collections::BTreeMap;
use std::thread;

use ruby_prism::{Location, ParseResult};

use crate::diagnostic::{Code, Diagnosed, Diagnostic};
use crate::language::text;
use crate::source::{SourceId, Span};

use self::tree::Expr;

mod convert;
mod strings;
pub mod tree;

/// The parser recurses up to 10,000 levels deep and then reports an error by itself (prism 2.1, `PRISM_DEPTH_MAXIMUM`);
/// so much stack is enough for that.
const STACK: usize = 64 * 1024 * 1024;

/// Larger texts are no configuration, and nested ones take the parser quadratic time.
const MAX_SIZE: usize = 128 * 1024;

/// Errors in more lines are noise.
const MAX_LINES: usize = 5;

/// Reads a text. With syntax errors there is no program.
pub fn parse(source: SourceId, text: &str) -> Diagnosed<Vec<Expr>> {
    if MAX_SIZE < text.len() {
        let start = Span::new(source, 0, 0);
        return Diagnosed { value: Vec::new(), diagnostics: vec![too_large(start)] };
    }
    let read = || {
        let parsed = ruby_prism::parse(text.as_bytes());
        let diagnostics = errors(source, text, &parsed);
        let value = if diagnostics.is_empty() { convert::program(source, &parsed.node()) } else { Vec::new() };
        Diagnosed { value, diagnostics }
    };
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read);
        worker.ok().and_then(|worker| worker.join().ok()).unwrap_or_default()
    })
}

/// One mistake makes the parser complain several times: the first two complaints about a line are shown.
fn errors(source: SourceId, text: &str, parsed: &ParseResult<'_>) -> Vec<Diagnostic> {
    let mut lines: BTreeMap<usize, Vec<(Span, String)>> = BTreeMap::new();
    for error in parsed.errors() {
        let place = span(source, &error.location());
        let line = text.get(..place.start).map_or(0, |before| before.matches('\n').count());
        if lines.len() < MAX_LINES || lines.contains_key(&line) {
            let message = String::from_utf8_lossy(error.message()).trim().to_owned();
            lines.entry(line).or_default().push((place, message));
        }
    }
    let diagnostic = |errors: Vec<(Span, String)>| {
        let headline = Diagnostic::new(
            Code::RubySyntax,
            text!("Ruby would not understand this", "Ruby가 이해하지 못하는 구문입니다"),
        );
        let labelled = errors.into_iter().take(2).fold(headline, |d, (place, message)| d.label(place, message));
        labelled.help(text!(
            "nothing of the file is used before this is mended",
            "고치기 전에는 이 파일의 아무것도 쓰지 않습니다"
        ))
    };
    lines.into_values().map(diagnostic).collect()
}

fn span(source: SourceId, location: &Location<'_>) -> Span {
    Span::new(source, location.start() as usize, location.end() as usize)
}

fn too_large(at: Span) -> Diagnostic {
    Diagnostic::new(
        Code::RubySyntax,
        text!("the file is larger than 128 KiB and is not read", "파일이 128 KiB보다 커서 읽지 않습니다"),
    )
    .label(at, text!("from here", "여기서부터"))
    .help(text!(
        "no configuration is that large; is it the right file?",
        "설정 파일이 이렇게 클 수는 없습니다. 맞는 파일입니까?"
    ))
}

#[cfg(test)]
mod tests;
