//! Who: names and sets, joined by commas, without those behind `except`.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::property::{Subject, Who};
use crate::source::Spanned;

use super::{Parsed, Word, Words, unexpected};

fn expected_subject() -> Text {
    text!(
        "who: a host, a container, `lan`, `internet`, `anyone`, `any container`, `network NAME`",
        "주어(호스트, 컨테이너, `lan`, `internet`, `anyone`, `any container`, `network NAME` 가운데 하나)"
    )
}

pub(super) fn subject(words: &mut Words<'_>) -> Parsed<Subject> {
    let of = list(words)?;
    let except = match words.take("except") {
        Some(_) => list(words)?,
        None => Vec::new(),
    };
    Ok(Subject { of, except })
}

fn list(words: &mut Words<'_>) -> Parsed<Vec<Who>> {
    let mut all = vec![who(words)?];
    while words.take(",").is_some() {
        all.push(who(words)?);
    }
    Ok(all)
}

fn who(words: &mut Words<'_>) -> Parsed<Who> {
    let word = words.expect(&expected_subject(), &[])?;
    match word.text {
        "lan" => Ok(Who::Lan(word.span)),
        "internet" => Ok(Who::Internet(word.span)),
        "anyone" => Ok(Who::Anyone(word.span)),
        "can" | "cannot" | "," | "except" => Err(unexpected(
            Some(word),
            &text!("who, before `can` or `cannot`", "`can`이나 `cannot` 앞의 주어"),
            &[],
            word.span,
        )),
        "any" => {
            let what =
                words.expect(&text!("`container` or `host` after `any`", "`any` 뒤의 `container` 또는 `host`"), &[])?;
            match what.text {
                "container" => Ok(Who::AnyContainer(word.span.to(what.span))),
                "host" => Ok(Who::AnyHost(word.span.to(what.span))),
                _ => Err(unexpected(
                    Some(what),
                    &text!("`container` or `host` after `any`", "`any` 뒤의 `container` 또는 `host`"),
                    &["container", "host"],
                    what.span,
                )),
            }
        }
        // A host may itself be called `network`.
        "network" if !words.peek().is_none_or(|next| matches!(next.text, "can" | "cannot" | "," | "except")) => {
            Ok(Who::Network(words.expect(&text!("the name of a network", "네트워크 이름"), &[])?.spanned()))
        }
        _ => named(word),
    }
}

fn named(word: Word<'_>) -> Parsed<Who> {
    if let Some(net) = addresses(word.text) {
        return Ok(Who::Addresses(Spanned::new(net, word.span)));
    }
    if let Some((name, port)) = word.text.rsplit_once(':')
        && !name.contains(':')
        && port.parse::<u16>().is_ok()
    {
        let colon = word.part(name.len(), word.text.len());
        return Err(Box::new(
            Diagnostic::new(
                Code::SentenceSyntax,
                text!("`{name}` dials, so it has no port here", "`{name}`: 연결을 거는 쪽이므로 포트가 없습니다"),
            )
            .label(colon.span, text!("a port belongs to what is reached", "포트는 연결되는 쪽에 씀"))
            .help(text!("write `{name}`", "`{name}`(으)로 쓰십시오")),
        ));
    }
    Ok(Who::Named(word.spanned()))
}

/// `192.168.1.50` or `192.168.1.0/28`
fn addresses(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
