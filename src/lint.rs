//! What looks wrong although no sentence asks: mistakes that can be told from the lab and from what it does with packets.
//!
//! One file per family. A lint reports what an expert would point out in a review, and says nothing where the files leave
//! open whether it is meant; what it claims of packets is proved by an engine. Findings are warnings or advice: they
//! never decide a verdict.

mod shadow;

use crate::dataplane::{Dataplane, NodeId};
use crate::diagnostic::Diagnostic;
use crate::lab::{HostId, Lab};

/// What lints look at.
struct Scene<'a> {
    lab: &'a Lab,
    dataplane: &'a Dataplane,
}

impl Scene<'_> {
    fn node_of(&self, host: HostId) -> Option<NodeId> {
        self.dataplane.node_named(&self.lab.host(host).name)
    }
}

/// Hears how many of how many rules have been looked at.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

/// Every finding, family by family.
pub fn lint(lab: &Lab, dataplane: &Dataplane, progress: Progress<'_>) -> Vec<Diagnostic> {
    let scene = Scene { lab, dataplane };
    shadow::lint(&scene, progress)
}
