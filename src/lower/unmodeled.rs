//! What was read and has no model makes the host that it concerns uncertain, and the containers on it.
//! Spec: specs/sentences.md.

use crate::dataplane::{Dataplane, NodeId};
use crate::lab::{Lab, Unmodeled};
use crate::provenance::Origin;

pub(super) fn mark(lab: &Lab, dataplane: &mut Dataplane) {
    for thing in &lab.unmodeled {
        let origin = dataplane.origins.add(Origin::written(thing.what.clone(), thing.span));
        for node in concerned(lab, thing, dataplane) {
            dataplane.node_mut(node).unmodeled.push(origin);
        }
    }
}

/// The nodes of a host and of its containers; all of them if the host is not known.
fn concerned(lab: &Lab, thing: &Unmodeled, dataplane: &Dataplane) -> Vec<NodeId> {
    let host = thing.host.map(|id| lab.host(id).name.as_str());
    let is_of =
        |name: &str, host: &str| name == host || name.strip_prefix(host).is_some_and(|rest| rest.starts_with('/'));
    let concerned = dataplane.nodes().filter(|(_, node)| host.is_none_or(|host| is_of(&node.name, host)));
    concerned.map(|(id, _)| id).collect()
}
