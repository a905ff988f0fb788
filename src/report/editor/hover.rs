//! Who can reach what through a line: a published port, a forward, a program that listens.

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};

use crate::check::Exposure;
use crate::dataplane::{Action, Dataplane, Node};
use crate::provenance::{Origin, OriginId};
use crate::source::{Sources, Span};

use super::super::escape::{code, prose};
use super::{place, position};

/// Of the diallers and the addresses of each, this many are shown.
const MOST_DIALLERS: usize = 12;
const MOST_ADDRESSES: usize = 3;

/// What to say about a place; nothing if no packet is taken there.
pub fn hover(
    exposure: &Exposure,
    dataplane: &Dataplane,
    sources: &Sources,
    (name, at): (&str, Position),
) -> Option<Hover> {
    let (id, offset) = place(sources, name, at)?;
    let is_here = |span: Span| span.source == id && span.start <= offset && offset <= span.end;
    let here = dataplane.nodes.iter().flat_map(takers).map(|id| dataplane.origins.get(id));
    let (span, origin) = here
        .filter_map(|origin| Some((origin.span()?, origin)))
        .filter(|(span, _)| is_here(*span))
        .min_by_key(|(span, _)| span.end - span.start)?;
    let value = text(exposure, dataplane, origin, span);
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

fn text(exposure: &Exposure, dataplane: &Dataplane, origin: &Origin, span: Span) -> String {
    let passes = |id: OriginId| dataplane.origins.has(id) && dataplane.origins.get(id).span() == Some(span);
    let mut lines = Vec::new();
    for (row, listener) in exposure.listeners.iter().enumerate() {
        for (column, dialler) in exposure.diallers.iter().enumerate() {
            let through = exposure
                .contacts(column, row)
                .filter(|contact| contact.trace.steps.iter().filter_map(|step| step.origin).any(passes));
            let addresses: Vec<String> = through.flat_map(|contact| contact.addresses().map(code)).collect();
            if !addresses.is_empty() {
                let doubt = if exposure.is_doubtful(column, row) { " (not certain)" } else { "" };
                let (name, to) = (prose(&dialler.name), prose(&listener.name));
                lines.push(format!("- {name} → {to} at {}{doubt}", listed(&addresses)));
            }
        }
    }
    let more = match lines.len().saturating_sub(MOST_DIALLERS) {
        0 => String::new(),
        more => format!("\n- and {more} more"),
    };
    lines.truncate(MOST_DIALLERS);
    let reached = match lines.is_empty() {
        true => "Nobody can reach anything through this line.".to_owned(),
        false => format!("Reached through this line:\n\n{}{more}", lines.join("\n")),
    };
    format!("**{}**\n\n{reached}\n", prose(&origin.what))
}

fn listed(addresses: &[String]) -> String {
    let shown = addresses.get(..MOST_ADDRESSES.min(addresses.len())).unwrap_or_default().join(", ");
    match addresses.len().saturating_sub(MOST_ADDRESSES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
