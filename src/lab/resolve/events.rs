//! In which order a host's firewall and engine came up, and what happened to them since.

use crate::lab::{Declaration, HostEvent};

use super::bind::HostPlan;

/// lab.yaml states the order of starts and what came last; scripts ran in between. What neither starts was there from
/// the beginning, the firewall first.
pub(super) fn resolve(plan: &HostPlan<'_>, has_firewalld: bool, has_engine: bool) -> Vec<HostEvent> {
    let mut events = in_order(plan);
    events.retain(|event| if is_of_engine(*event) { has_engine } else { has_firewalld });
    if has_engine && !events.contains(&HostEvent::EngineStart) {
        let after_firewalld = usize::from(events.first() == Some(&HostEvent::FirewalldStart));
        events.insert(after_firewalld, HostEvent::EngineStart);
    }
    if has_firewalld && !events.contains(&HostEvent::FirewalldStart) {
        events.insert(0, HostEvent::FirewalldStart);
    }
    events
}

fn in_order(plan: &HostPlan<'_>) -> Vec<HostEvent> {
    let stated: Vec<HostEvent> = plan.stated.iter().copied().filter_map(event).collect();
    let starts = stated.iter().rposition(|e| is_start(*e)).map_or(0, |last| last + 1);
    let (before, after) = stated.split_at_checked(starts).unwrap_or((&stated, &[]));
    before.iter().copied().chain(plan.files.iter().copied().filter_map(event)).chain(after.iter().copied()).collect()
}

fn event(declaration: &Declaration) -> Option<HostEvent> {
    match declaration {
        Declaration::Event(event) => Some(event.value),
        _ => None,
    }
}

fn is_start(event: HostEvent) -> bool {
    matches!(event, HostEvent::FirewalldStart | HostEvent::EngineStart)
}

fn is_of_engine(event: HostEvent) -> bool {
    matches!(event, HostEvent::EngineStart | HostEvent::EngineRestart)
}
