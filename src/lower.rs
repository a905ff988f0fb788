//! Lab -> dataplane: what each product makes of the configuration.
//!
//! One file per mechanism, each citing its page in `specs/`. The order matters only inside a host: interfaces
//! first, then whatever loads rules, in the order of the host's events.

pub mod address;
pub mod docker;
pub mod events;
pub mod firewalld;
mod host_firewall;
pub mod internet;
mod libvirt;
mod namespace;
pub mod sysctl;
pub mod topology;
mod tunnel;
mod unmodeled;
pub mod user_rules;
mod vm_nat;
mod wsl;

use crate::dataplane::Dataplane;
use crate::lab::Lab;

/// Builds the machine model of a lab.
pub fn lower(lab: &Lab) -> Dataplane {
    let mut dataplane = Dataplane { switches: lab.switches.clone(), ..Dataplane::default() };
    let map = topology::lower(lab, &mut dataplane);
    vm_nat::lower(lab, &map, &mut dataplane);
    tunnel::lower(lab, &map, &mut dataplane);
    internet::lower(lab, &map, &mut dataplane);
    for (id, _) in lab.hosts() {
        events::apply(lab, id, map.host(id), &mut dataplane);
    }
    host_firewall::lower(lab, &map, &mut dataplane);
    wsl::lower(lab, &map, &mut dataplane);
    unmodeled::mark(lab, &mut dataplane);
    dataplane
}
