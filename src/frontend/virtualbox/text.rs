//! Printed texts as lines and fields that know their places.

use crate::source::{SourceId, Span, Spanned};

/// The lines of a text, without their ends.
pub(super) fn lines(source: SourceId, text: &str) -> impl Iterator<Item = Spanned<&str>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let bare = line.trim_end_matches(['\n', '\r']);
        let span = Span::new(source, start, start + bare.len());
        start += line.len();
        Spanned::new(bare, span)
    })
}

/// A part of a text, which must come from it, without white space around.
pub(super) fn part<'a>(of: Spanned<&'a str>, part: &'a str) -> Spanned<&'a str> {
    let trimmed = part.trim();
    let offset = (trimmed.as_ptr() as usize).saturating_sub(of.value.as_ptr() as usize).min(of.value.len());
    let start = of.span.start + offset;
    Spanned::new(trimmed, Span::new(of.span.source, start, start + trimmed.len()))
}

/// `Key:   value`
pub(super) fn field(line: Spanned<&str>) -> Option<(&str, Spanned<&str>)> {
    let (key, value) = line.value.split_once(':')?;
    Some((key.trim(), part(line, value)))
}

/// `key="value"`, or `key=value` for numbers.
pub(super) fn assignment(line: Spanned<&str>) -> Option<(&str, Spanned<&str>)> {
    let (key, value) = line.value.split_once('=')?;
    let bare = value.trim().strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    Some((key.trim().trim_matches('"'), part(line, bare)))
}

/// A word followed by a number: `nic1`, `natnet12`.
pub(super) fn numbered(key: &str) -> Option<(&str, u8)> {
    let word = key.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = key.get(word.len()..)?.parse().ok()?;
    Some((word, number))
}

/// The command of a line like `$ VBoxManage list natnets`, as people paste it with what it printed.
pub(super) fn prompt(line: &str) -> Option<&str> {
    let at = line.find("VBoxManage").or_else(|| line.find("vboxmanage"))?;
    let before = line.get(..at)?.trim_end();
    let is_prompt = before.is_empty() || before.ends_with(['$', '#', '>', '%']);
    let command = line.get(at + "VBoxManage".len()..)?;
    is_prompt.then_some(command.trim_start_matches(".exe").trim()).filter(|c| !c.starts_with(':'))
}
