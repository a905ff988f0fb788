//! The rules of a node in the words of the tool that would print them on the machine.

pub mod iptables;
pub mod nft;

use crate::dataplane::{Dataplane, NodeId};

/// Every table of a node, or a comment that there is none.
pub fn render(dataplane: &Dataplane, node: NodeId) -> String {
    let node = dataplane.node(node);
    let text = iptables::render(node, &dataplane.switches) + &nft::render(&node.ruleset);
    if text.is_empty() { format!("# {} has no rules\n", node.name) } else { text }
}
