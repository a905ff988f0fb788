//! A dataplane with its switches set for good: what is off is gone, what is on is unconditional.
//!
//! For questions that are asked many times under one setting. Rules move up where others disappear, so traces are
//! made with the original.

use crate::switch::{Setting, SwitchId};

use super::{Dataplane, Node, Toggle};

impl Dataplane {
    /// The dataplane under a setting. Conditions that are read and not modelled stay as they are.
    #[must_use]
    pub fn settled(&self, setting: &Setting) -> Self {
        let mut settled = self.clone();
        for node in &mut settled.nodes {
            settle(node, setting);
        }
        settled
    }
}

fn settle(node: &mut Node, setting: &Setting) {
    let is_there = |guard: &mut Option<SwitchId>| {
        let allowed = setting.allows(*guard);
        *guard = None;
        allowed
    };
    node.routes.retain_mut(|route| is_there(&mut route.guard));
    node.sockets.retain_mut(|socket| is_there(&mut socket.guard));
    node.relays.retain_mut(|relay| is_there(&mut relay.guard));
    node.names.retain_mut(|name| is_there(&mut name.guard));
    for chain in &mut node.ruleset.chains {
        chain.rules.retain_mut(|rule| is_there(&mut rule.guard));
    }
    if let Toggle::If(switch) = node.sysctls.ip_forward {
        node.sysctls.ip_forward = if setting.is_on(switch) { Toggle::On } else { Toggle::Off };
    }
}
