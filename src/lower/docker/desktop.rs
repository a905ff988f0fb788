//! Docker Desktop's port forwarding: a program on the machine itself listens on every published port and dials into the
//! virtual machine. Spec: specs/docker-desktop.md.

use crate::dataplane::{AnswersFrom, Dataplane, Dial, Listen, Relay, SourceAs};
use crate::lab::{HostId, Lab};
use crate::net::Family;

use super::Site;
use super::publish::bindings;

const FORWARDED: &str = "docs.docker.com, Docker Desktop, Networking: port mapping";

/// Adds what listens on the outer machine.
pub(super) fn build(lab: &Lab, outer: HostId, site: Site<'_>, dataplane: &mut Dataplane) {
    let outer = dataplane.node_named(&lab.host(outer).name);
    let nat = dataplane.node_named(&format!("NAT of {}", site.host));
    let inside = dataplane.node(site.node).main_address();
    let (Some(outer), Some(nat), Some(inside)) = (outer, nat, inside) else { return };
    for binding in bindings(site.engine) {
        let Some(host) = binding.host else { continue };
        if Family::of(inside) != Family::of(binding.address) {
            continue;
        }
        let what = format!("Docker Desktop forwards to {}", binding.describe());
        let origin = dataplane.origins.add(binding.origin.derive(what, FORWARDED));
        dataplane.node_mut(outer).relays.push(Relay {
            name: "Docker Desktop".to_owned(),
            protocol: binding.protocol,
            listen: Listen::Socket { address: binding.outside, port: host.port },
            dial_from: nat,
            dial: Dial::To { address: inside, port: host.port },
            source: SourceAs::Dialer,
            accepts_first: true,
            answers_from: AnswersFrom::Dialed,
            guard: binding.guard,
            origin,
        });
    }
}
