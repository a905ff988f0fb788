//! What the host that runs machines does not allow: ports that are taken or kept, networks that VirtualBox refuses.

use super::Context;
use super::bind::Plan;
use super::hypervisor::Hypervisor;
use super::topology::Plugged;
use crate::lab::Host;

/// Reports it, and takes away what does not come up.
pub(super) fn check(
    _context: &mut Context,
    _segments: &[Plugged],
    _plan: &Plan<'_>,
    _hosts: &mut [Host],
    _hypervisors: &[Hypervisor],
) {
}
