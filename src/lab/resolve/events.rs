//! In which order a host's firewall and engine came up, what happened to them since, and when the user's own rules were
//! written.

use crate::lab::iptables::{IptablesChange, IptablesCommand};
use crate::lab::{Declaration, HostEvent};

use super::bind::HostPlan;

/// Events in order, and the rules that they speak of.
pub(super) struct Events {
    pub(super) order: Vec<HostEvent>,
    pub(super) rules: Vec<Vec<IptablesCommand>>,
}

/// lab.yaml states the order of starts and what came last; scripts ran in between. What neither starts was there from
/// the beginning, the firewall first. A saved rule set is the state in the end.
pub(super) fn resolve(plan: &HostPlan<'_>, has_firewalld: bool, has_engine: bool) -> Events {
    let mut events = in_order(plan);
    events.order.retain(|event| match event {
        HostEvent::UserRules(_) => true,
        HostEvent::EngineStart | HostEvent::EngineRestart => has_engine,
        _ => has_firewalld,
    });
    let order = &mut events.order;
    if has_engine && !order.contains(&HostEvent::EngineStart) {
        let after_firewalld = usize::from(order.first() == Some(&HostEvent::FirewalldStart));
        order.insert(after_firewalld, HostEvent::EngineStart);
    }
    if has_firewalld && !order.contains(&HostEvent::FirewalldStart) {
        order.insert(0, HostEvent::FirewalldStart);
    }
    events
}

fn in_order(plan: &HostPlan<'_>) -> Events {
    let mut rules = Vec::new();
    let mut saved = Vec::new();
    let mut collect = |declaration: &Declaration| match declaration {
        Declaration::Event(event) => Some(event.value),
        Declaration::Iptables(commands) => {
            let is_saved = commands.iter().any(|c| matches!(c.change, IptablesChange::Clear));
            let event = HostEvent::UserRules(rules.len());
            rules.push(commands.clone());
            if is_saved {
                saved.push(event);
            }
            (!is_saved).then_some(event)
        }
        _ => None,
    };
    let stated: Vec<HostEvent> = plan.stated.iter().copied().filter_map(&mut collect).collect();
    let files: Vec<HostEvent> = plan.files.iter().copied().filter_map(&mut collect).collect();
    let starts = stated.iter().rposition(|e| is_start(*e)).map_or(0, |last| last + 1);
    let (before, after) = stated.split_at_checked(starts).unwrap_or((&stated, &[]));
    let order = before.iter().copied().chain(files).chain(after.iter().copied()).chain(saved).collect();
    Events { order, rules }
}

fn is_start(event: HostEvent) -> bool {
    matches!(event, HostEvent::FirewalldStart | HostEvent::EngineStart)
}
