//! Which nodes can lie on a path to the goal: the rest is never encoded.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataplane::{Action, Dataplane, LinkId, Node, NodeId, NodeKind, RouteTarget, Toggle};

use super::Query;

/// The dialler, the goal, and everything in between. Answers travel the same nodes or other ones that pass packets
/// on, which are in the set too.
pub fn relevant_nodes(dataplane: &Dataplane, query: &Query) -> BTreeSet<NodeId> {
    let gateways = gateways(dataplane);
    let passes_on = |id: NodeId| {
        let node = dataplane.node(id);
        let forwards = node.sysctls.ip_forward != Toggle::Off;
        node.kind == NodeKind::UserNat
            || !node.relays.is_empty()
            || (forwards && (links(dataplane, id).len() > 1 || gateways.contains(&id) || redirects(node)))
            || is_dialed_from(dataplane, id)
    };
    let Some(goal) = query.goal.node() else { return dataplane.nodes().map(|(id, _)| id).collect() };
    let mut relevant: BTreeSet<NodeId> = [query.from, goal].into();
    relevant.extend(dataplane.nodes().map(|(id, _)| id).filter(|id| passes_on(*id)));
    connected_to(dataplane, goal, &relevant)
}

/// Whether a node sends packets for itself to somebody else: with one leg only, it sends them back to where they came from.
fn redirects(node: &Node) -> bool {
    let mut rules = node.ruleset.chains.iter().flat_map(|chain| &chain.rules);
    rules.any(|rule| matches!(rule.action, Action::DestinationNat { .. }))
}

/// Nodes that somebody's route names as gateway.
fn gateways(dataplane: &Dataplane) -> BTreeSet<NodeId> {
    let by_address: BTreeMap<_, _> =
        dataplane.nodes().flat_map(|(id, node)| node.addresses().map(move |a| (a, id))).collect();
    let named = dataplane.nodes().flat_map(|(_, node)| node.routes.iter()).filter_map(|route| match route.target {
        RouteTarget::Via { gateway, .. } => gateway,
        _ => None,
    });
    named.filter_map(|address| by_address.get(&address).copied()).collect()
}

fn is_dialed_from(dataplane: &Dataplane, id: NodeId) -> bool {
    dataplane.nodes().any(|(_, node)| node.relays.iter().any(|r| r.dial_from == id))
}

fn links(dataplane: &Dataplane, id: NodeId) -> BTreeSet<LinkId> {
    dataplane.node(id).interfaces.iter().filter_map(|i| i.link).collect()
}

/// The members of `among` that links and relays join to `start`.
fn connected_to(dataplane: &Dataplane, start: NodeId, among: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let mut joined: BTreeMap<NodeId, BTreeSet<NodeId>> = BTreeMap::new();
    for link in (0..dataplane.links.len()).map(LinkId) {
        let members: Vec<NodeId> = dataplane.members(link).map(|(id, ..)| id).filter(|id| among.contains(id)).collect();
        for a in &members {
            joined.entry(*a).or_default().extend(members.iter().copied());
        }
    }
    for (id, node) in dataplane.nodes() {
        for relay in &node.relays {
            joined.entry(id).or_default().insert(relay.dial_from);
            joined.entry(relay.dial_from).or_default().insert(id);
        }
    }
    let mut reached: BTreeSet<NodeId> = [start].into();
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        for next in joined.get(&id).into_iter().flatten() {
            if reached.insert(*next) {
                open.push(*next);
            }
        }
    }
    reached
}
