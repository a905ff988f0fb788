//! Ports that docker chooses: known only for an engine that has given none away before.

use crate::language::{Text, text};

use super::decide::Checker;
use super::verdict::{Verdict, Witness};

/// Notes on the connections that go to such a port.
pub(super) fn notes(checker: &Checker<'_>, verdict: &Verdict) -> Vec<Text> {
    let mut notes: Vec<Text> = Vec::new();
    for note in verdict.witnesses.iter().filter_map(|witness| note(checker, witness)) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// moby 28.5, libnetwork/portallocator: the first port of the kernel's range that is free, and of those the next after
/// the last that was given out since the daemon started.
fn note(checker: &Checker<'_>, witness: &Witness) -> Option<Text> {
    let owner = &witness.trace.outcome.delivery.as_ref()?.owner;
    let port = witness.trace.flow.destination_port;
    let (_, container) = checker.places.lab.containers().find(|(_, container)| container.name == *owner)?;
    let is_chosen = container.publishes.iter().any(|p| p.host_port.is_none() && p.container_port != port);
    let is_stated = container.publishes.iter().any(|p| p.host_port == Some(port));
    let is_inside = container.processes.iter().flat_map(|p| &p.listens).any(|listen| listen.ports.contains(port));
    if !is_chosen || is_stated || is_inside {
        return None;
    }
    Some(text!(
        "docker chooses the port; {port} is what it chooses if it has chosen none since it started: `docker port {owner}`",
        "호스트 포트는 docker가 고릅니다. {port}번은 데몬이 시작된 뒤 아직 아무 포트도 고르지 않았을 때의 값입니다: `docker port {owner}`"
    ))
}
