//! The rules of a node in the words of the tool that would print them on the machine, with the user's line that caused
//! each beside it.

pub mod iptables;
pub mod nft;

use crate::dataplane::{Dataplane, NodeId, Rule};
use crate::provenance::Origins;
use crate::source::Sources;

/// Causes stand in a column of their own.
const COLUMN: usize = 88;

/// What stands beside a rule.
#[derive(Clone, Copy, Debug)]
pub enum Beside<'a> {
    /// Nothing: the text is what the tool itself would print.
    Nothing,
    /// The line of the user's files that caused the rule.
    Causes(&'a Origins, &'a Sources),
}

impl Beside<'_> {
    fn line(&self, text: &str, rule: &Rule) -> String {
        let Self::Causes(origins, sources) = self else { return text.to_owned() };
        let origin = origins.get(rule.origin);
        match origin.span() {
            Some(span) => format!("{text:<COLUMN$}  # {}: {}", sources.place(span), origin.what),
            None => format!("{text:<COLUMN$}  # {}", origin.what),
        }
    }
}

/// Every table of a node, or a comment that there is none.
pub fn render(dataplane: &Dataplane, node: NodeId, sources: &Sources) -> String {
    let beside = Beside::Causes(&dataplane.origins, sources);
    let node = dataplane.node(node);
    let text = iptables::render(node, &dataplane.switches, &beside) + &nft::render(&node.ruleset, &beside);
    if text.is_empty() { format!("# {} has no rules\n", node.name) } else { text }
}
