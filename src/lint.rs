//! What looks wrong although no sentence asks: mistakes that can be told from the lab and from what it does with packets.
//!
//! One file per family. A lint reports what an expert would point out in a review, and says nothing where the files leave
//! open whether it is meant; what it claims of packets is proved by an engine. Findings are warnings or advice: they
//! never decide a verdict.

pub mod allow;
mod bypass;
mod dial;
mod forward;
mod port;
mod publish;
mod scene;
mod shadow;
mod subnet;
#[cfg(test)]
mod tests;
mod zone;

use crate::dataplane::Dataplane;
use crate::diagnostic::Diagnostic;
use crate::lab::Lab;

use scene::Scene;

/// Hears how many of how many rules have been looked at.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

/// Every finding, family by family.
pub fn lint(lab: &Lab, dataplane: &Dataplane, progress: Progress<'_>) -> Vec<Diagnostic> {
    let scene = Scene::of(lab, dataplane);
    let families = [port::lint, publish::lint, dial::lint, subnet::lint, bypass::lint, zone::lint, forward::lint];
    let mut found: Vec<Diagnostic> = families.iter().flat_map(|lint| lint(&scene)).collect();
    found.extend(shadow::lint(&scene, progress));
    found
}
