//! Who: names and sets, joined by commas, without those behind `except`.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::net::IpNet;
use crate::property::{Subject, Who};
use crate::source::Spanned;

use super::{Parsed, Word, Words, unexpected};

const WHO: &str = "who: a host, a container, `lan`, `internet`, `anyone`, `any container`, `network NAME`";

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
    let word = words.expect(WHO, &[])?;
    match word.text {
        "lan" => Ok(Who::Lan(word.span)),
        "internet" => Ok(Who::Internet(word.span)),
        "anyone" => Ok(Who::Anyone(word.span)),
        "can" | "cannot" | "," | "except" => {
            Err(unexpected(Some(word), "who, before `can` or `cannot`", &[], word.span))
        }
        "any" => {
            let what = words.expect("`container` or `host` after `any`", &[])?;
            match what.text {
                "container" => Ok(Who::AnyContainer(word.span.to(what.span))),
                "host" => Ok(Who::AnyHost(word.span.to(what.span))),
                _ => {
                    Err(unexpected(Some(what), "`container` or `host` after `any`", &["container", "host"], what.span))
                }
            }
        }
        // A host may itself be called `network`.
        "network" if !words.peek().is_none_or(|next| matches!(next.text, "can" | "cannot" | "," | "except")) => {
            Ok(Who::Network(words.expect("the name of a network", &[])?.spanned()))
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
            Diagnostic::new(Code::SentenceSyntax, format!("`{}` dials, so it has no port here", name))
                .label(colon.span, "a port belongs to what is reached")
                .help(format!("write `{name}`")),
        ));
    }
    Ok(Who::Named(word.spanned()))
}

/// `192.168.1.50` or `192.168.1.0/28`
fn addresses(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
