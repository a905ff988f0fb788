//! `because`: what a person expects to stop the connection.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::language::{Text, text};
use crate::property::Cause;
use crate::source::Spanned;

use super::{Parsed, Word, Words, leave_out, meant, unexpected};

/// Words for kinds of blockers, with the areas of the codes that they mean.
const MECHANISMS: &[(&str, &[&str])] = &[
    ("nat", &["nat"]),
    ("docker", &["docker"]),
    ("firewalld", &["firewalld"]),
    ("firewall", &["firewalld", "filter"]),
    ("filter", &["filter"]),
    ("route", &["route"]),
    ("listen", &["listen"]),
];

pub(super) fn cause(words: &mut Words<'_>, can: bool) -> Parsed<Option<Spanned<Cause>>> {
    let Some(because) = words.take("because") else { return Ok(None) };
    let mechanisms: Vec<&str> = MECHANISMS.iter().map(|(name, _)| *name).collect();
    let expected = text!(
        "what stops it: `nat`, `docker`, `firewall`, `route`, `listen`, a code, or a file",
        "막는 것(`nat`, `docker`, `firewall`, `route`, `listen`, 코드, 파일 가운데 하나)"
    );
    let word = words.expect(&expected, &mechanisms)?;
    if can {
        return Err(Box::new(
            Diagnostic::new(
                Code::SentenceSyntax,
                text!("nothing stops what can be reached", "연결할 수 있다면 막는 것이 없습니다"),
            )
            .label(because.span.to(word.span), text!("a cause goes with `cannot`", "원인은 `cannot`과 함께 씀"))
            .help(leave_out()),
        ));
    }
    let codes = codes(word.text);
    if !codes.is_empty() {
        return Ok(Some(Spanned::new(Cause::Codes(codes), word.span)));
    }
    match file(word) {
        Some(file) => Ok(Some(Spanned::new(file, word.span))),
        None => Err(unknown(word, &expected, &mechanisms)),
    }
}

fn codes(text: &str) -> Vec<Code> {
    let areas = MECHANISMS.iter().find(|(name, _)| *name == text).map(|(_, areas)| *areas).unwrap_or_default();
    let is_meant = |code: &Code| {
        let full = code.as_str();
        let short = full.trim_start_matches("canreach::");
        full == text || short == text || short.split_once("::").is_some_and(|(area, _)| areas.contains(&area))
    };
    Code::ALL.iter().copied().filter(is_meant).collect()
}

/// What looks like a file: it has a dot or a slash.
fn file(word: Word<'_>) -> Option<Cause> {
    let (name, line) = match word.text.rsplit_once(':') {
        Some((name, line)) if line.bytes().all(|b| b.is_ascii_digit()) => (name, Some(line.parse().ok()?)),
        Some(_) => return None,
        None => (word.text, None),
    };
    name.contains(['.', '/']).then(|| Cause::File { name: name.to_owned(), line })
}

fn unknown(word: Word<'_>, expected: &Text, mechanisms: &[&str]) -> Box<Diagnostic> {
    let short = |code: &Code| code.as_str().trim_start_matches("canreach::");
    let known = mechanisms.iter().copied().chain(Code::ALL.iter().map(short));
    let diagnostic = unexpected(Some(word), expected, &[], word.span);
    match did_you_mean(word.text, known) {
        Some(near) => Box::new(diagnostic.help(meant(near))),
        None => {
            let all = text!("`canreach explain` lists the codes", "`canreach explain`이 모든 코드를 보여 줍니다");
            Box::new(diagnostic.help(all))
        }
    }
}
