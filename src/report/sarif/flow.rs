//! The packet's way as a code flow: one location for each step that a line of the user stands behind.

use crate::check::{Judgement, Witness};
use crate::dataplane::{Dataplane, Event, Step};
use crate::source::{Sources, Span};

use super::super::{Section, path};
use super::format::{CodeFlow, LogicalLocation, ThreadFlow, ThreadFlowLocation};
use super::{place, text};

/// GitHub shows this many steps of a result.
const MOST_STEPS: usize = 1000;

/// The attempt that fails; where nothing fails, the ways that should not be there.
pub(super) fn flows(section: &Section, judgement: &Judgement) -> Vec<CodeFlow> {
    let Section { report, sources, .. } = section;
    let verdict = &judgement.verdict;
    let shown: Vec<&Witness> = match &verdict.failure {
        Some(failure) => vec![failure],
        None => verdict.witnesses.iter().collect(),
    };
    let sentence = judgement.statement.sentence.span;
    let mut left = MOST_STEPS;
    let flow = |witness: &&Witness| {
        let mut locations = steps(&report.dataplane, sources, witness, sentence);
        locations.truncate(left);
        left -= locations.len();
        let message = text(format!("{} from {}", witness.url, witness.from));
        CodeFlow { message, thread_flows: vec![ThreadFlow { locations }] }
    };
    let mut flows: Vec<CodeFlow> = shown.iter().map(flow).collect();
    flows.retain(|flow| flow.thread_flows.iter().all(|thread| !thread.locations.is_empty()));
    flows
}

/// A step is shown at the line that is responsible for it; a hop without one where its node is stated, or else at the
/// sentence.
fn steps(dataplane: &Dataplane, sources: &Sources, witness: &Witness, sentence: Span) -> Vec<ThreadFlowLocation> {
    let own = |step: &Step| step.origin.and_then(|id| dataplane.origins.get(id).span());
    let told = path::told(&witness.trace).filter(|step| path::is_hop(step) || own(step).is_some());
    told.map(|step| {
        let node = dataplane.node(step.node);
        let span = own(step).or_else(|| dataplane.origins.get(node.origin).span()).unwrap_or(sentence);
        let says = format!("{} {}", node.name, path::event(dataplane, step));
        let mut location = place::location(sources, span, Some(&says));
        location.logical_locations = vec![LogicalLocation { name: node.name.clone() }];
        let is_end = matches!(step.event, Event::Delivered { .. } | Event::Ended(_));
        ThreadFlowLocation {
            location,
            nesting_level: step.leg,
            importance: if is_end { "essential" } else { "important" },
        }
    })
    .collect()
}
