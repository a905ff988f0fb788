//! Who can reach what through a line: a published port, a forward, a program that listens.

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};

use crate::check::{Exposure, called};
use crate::dataplane::{Action, Dataplane, Node};
use crate::language::{Language, Text, text};
use crate::provenance::{Origin, OriginId};
use crate::source::{Sources, Span};

use super::super::escape::{code, prose};
use super::{place, position};

/// Of the diallers and the addresses of each, this many are shown.
const MOST_DIALLERS: usize = 12;
const MOST_ADDRESSES: usize = 3;

/// Who can reach what, and the language that it is told in.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Who can reach what.
    pub exposure: &'a Exposure,
    /// What it was found out about.
    pub dataplane: &'a Dataplane,
    /// The reader's language.
    pub language: Language,
}

/// What to say about a place; nothing if no packet is taken there.
pub fn hover(told: Told<'_>, sources: &Sources, (name, at): (&str, Position)) -> Option<Hover> {
    let Told { dataplane, .. } = told;
    let (id, offset) = place(sources, name, at)?;
    let is_here = |span: Span| span.source == id && span.start <= offset && offset <= span.end;
    let here = dataplane.nodes.iter().flat_map(takers).map(|id| dataplane.origins.get(id));
    let (span, origin) = here
        .filter_map(|origin| Some((origin.span()?, origin)))
        .filter(|(span, _)| is_here(*span))
        .min_by_key(|(span, _)| span.end - span.start)?;
    let value = markdown(told, origin, span);
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value });
    Some(Hover { contents, range: Some(position::range(sources, span)) })
}

/// Why something at a node takes packets: its forwarders, its rewriting of destinations, its sockets.
fn takers(node: &Node) -> Vec<OriginId> {
    let rules = node.ruleset.chains.iter().flat_map(|chain| &chain.rules);
    let rewrites = rules.filter(|rule| matches!(rule.action, Action::DestinationNat { .. } | Action::Redirect { .. }));
    let relays = node.relays.iter().map(|relay| relay.origin);
    relays.chain(rewrites.map(|rule| rule.origin)).chain(node.sockets.iter().map(|socket| socket.origin)).collect()
}

fn markdown(Told { exposure, dataplane, language }: Told<'_>, origin: &Origin, span: Span) -> String {
    let say = |text: Text| text.in_language(language).to_owned();
    let passes = |id: OriginId| dataplane.origins.has(id) && dataplane.origins.get(id).span() == Some(span);
    let mut lines = Vec::new();
    for (row, listener) in exposure.listeners.iter().enumerate() {
        for (column, dialler) in exposure.diallers.iter().enumerate() {
            let through = exposure
                .contacts(column, row)
                .filter(|contact| contact.trace.steps.iter().filter_map(|step| step.origin).any(passes));
            let addresses: Vec<String> = through.flat_map(|contact| contact.addresses().map(code)).collect();
            if !addresses.is_empty() {
                let doubt = match exposure.is_doubtful(column, row) {
                    true => text!(" (not certain)", " (확실하지 않음)"),
                    false => Text::default(),
                };
                let (name, to) = (prose(called(&dialler.name).in_language(language)), prose(&listener.name));
                let at = listed(&addresses);
                lines.push(say(text!("- {name} → {to} at {at}{doubt}", "- {name} → {to}: {at}{doubt}"; at, doubt)));
            }
        }
    }
    let more = match lines.len().saturating_sub(MOST_DIALLERS) {
        0 => String::new(),
        more => say(text!("\n- and {more} more", "\n- 그 밖에 {more}개")),
    };
    lines.truncate(MOST_DIALLERS);
    let reached = match lines.is_empty() {
        true => say(text!(
            "Nobody can reach anything through this line.",
            "이 줄을 통해 연결할 수 있는 곳이 아무에게도 없습니다."
        )),
        false => {
            let title = say(text!("Reached through this line:", "이 줄을 통해 연결되는 것:"));
            format!("{title}\n\n{}{more}", lines.join("\n"))
        }
    };
    format!("**{}**\n\n{reached}\n", prose(origin.what.in_language(language)))
}

fn listed(addresses: &[String]) -> Text {
    let shown = addresses.get(..MOST_ADDRESSES.min(addresses.len())).unwrap_or_default().join(", ");
    match addresses.len().saturating_sub(MOST_ADDRESSES) {
        0 => shown.into(),
        more => text!("{shown} and {more} more", "{shown} 외 {more}개"),
    }
}
