//! Doors that lead on: published ports, NAT forwards.

use std::collections::BTreeSet;

use crate::dataplane::{Action, NodeId};
use crate::lab::{Attachment, Container, Forward, Host, HostId, Lab};
use crate::language::{Text, text};
use crate::net::{PortRange, url_host};
use crate::provenance::OriginId;
use crate::source::Span;

use super::super::{Door, DoorKind};
use super::engine::call_name;
use super::{Builder, port_text, runs_on};

/// What one line of a file forwards; a range of ports is one.
struct Line {
    span: Span,
    text: Text,
}

impl Builder<'_> {
    /// The doors of a host that lead to containers and to virtual machines.
    pub(super) fn forwards(&mut self, id: HostId, node: NodeId) -> Vec<Door> {
        let effective = self.effective(node);
        let mut doors = Vec::new();
        for line in lines(self.lab, id) {
            if effective.contains(&line.span) {
                let door = self.door(DoorKind::Forward, vec![self.say(&line.text)]);
                self.places.forwards.push((node, line.span, door.id));
                doors.push(door);
            }
        }
        doors
    }

    /// The lines that have an effect on a node: through a relay, or a rule that rewrites destinations.
    fn effective(&self, node: NodeId) -> BTreeSet<Span> {
        let node = self.dataplane.node(node);
        let relays = node.relays.iter().filter(|relay| self.setting.allows(relay.guard)).map(|relay| relay.origin);
        let rules = node.ruleset.chains.iter().flat_map(|chain| &chain.rules);
        let rewrites = |action: &Action| matches!(action, Action::DestinationNat { .. } | Action::Redirect { .. });
        let rules =
            rules.filter(|rule| self.setting.allows(rule.guard) && rewrites(&rule.action)).map(|rule| rule.origin);
        let span = |id: OriginId| self.dataplane.origins.get(id).span();
        relays.chain(rules).filter_map(span).collect()
    }
}

/// Everything that could be a door of a host: of its own containers, of virtual machines that it runs, and of the
/// containers of an engine whose ports it shows.
fn lines(lab: &Lab, id: HostId) -> Vec<Line> {
    let mut lines = Vec::new();
    for (_, guest) in lab.hosts().filter(|(_, guest)| runs_on(guest) == Some(id)) {
        lines.extend(nat_forwards(guest).filter_map(|forward| forward_line(forward, &guest.name)));
    }
    for shared in lab.segments.iter().filter_map(|segment| segment.nat.as_ref()).filter(|shared| shared.on == id) {
        lines.extend(shared.nat.forwards.iter().filter_map(|forward| shared_line(lab, forward)));
    }
    for (host_id, host) in lab.hosts() {
        let Some(engine) = host.engine.as_ref().filter(|e| host_id == id || e.forwarded_to == Some(id)) else {
            continue;
        };
        for container in &engine.containers {
            lines.extend(published(lab, container));
        }
    }
    lines
}

fn nat_forwards(guest: &Host) -> impl Iterator<Item = &Forward> {
    guest.interfaces.iter().flat_map(|adapter| match &adapter.attachment {
        Attachment::Nat(nat) => nat.forwards.as_slice(),
        Attachment::Segment(_) | Attachment::Mirrored | Attachment::Unattached => &[],
    })
}

fn shared_line(lab: &Lab, forward: &Forward) -> Option<Line> {
    let has = |host: &Host| {
        host.interfaces.iter().any(|i| i.addresses.iter().any(|a| Some(a.net.addr()) == forward.guest_address))
    };
    let guest = lab.hosts.iter().find(|host| has(host)).map(|host| host.name.clone());
    let guest = guest.or_else(|| forward.guest_address.map(|address| address.to_string())).unwrap_or_default();
    forward_line(forward, &guest)
}

fn forward_line(forward: &Forward, guest: &str) -> Option<Line> {
    let address = forward.host_address.filter(|a| !a.is_unspecified()).map(url_host).unwrap_or_default();
    let from = port_text(address, PortRange::single(forward.host_port), forward.protocol);
    forward.origin.span().map(|span| Line { span, text: format!("{from} → {guest}:{}", forward.guest_port).into() })
}

/// The published ports of a container; those of one line together.
fn published(lab: &Lab, container: &Container) -> Vec<Line> {
    let mut lines = Vec::new();
    let name = call_name(lab, container);
    for same in container.publishes.chunk_by(|a, b| a.origin.span() == b.origin.span()) {
        let Some(first) = same.first() else { continue };
        let Some(span) = first.origin.span() else { continue };
        let inside =
            range(same.iter().map(|publish| publish.container_port)).unwrap_or(PortRange::single(first.container_port));
        let address = first.host_address.filter(|a| !a.is_unspecified()).map(url_host).unwrap_or_default();
        let outside = range(same.iter().filter_map(|publish| publish.host_port));
        let text = match outside {
            Some(ports) => format!("{} → {name}:{inside}", port_text(address, ports, first.protocol)).into(),
            None => text!("{address}:any → {name}:{inside}", "{address}:임의 → {name}:{inside}"),
        };
        lines.push(Line { span, text });
    }
    lines
}

fn range(ports: impl Iterator<Item = u16> + Clone) -> Option<PortRange> {
    PortRange::new(ports.clone().min()?, ports.max()?)
}
