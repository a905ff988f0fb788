//! `firewall-cmd --set-default-zone` stores the zone and, since firewalld 2.0, reloads (firewalld 2.0.0
//! src/firewall/server/firewalld.py, `setDefaultZone`): what was only changed at run time is gone, and docker writes its
//! rules again. Before, only the rules of the two zones change places. Spec: specs/firewalld-order.md.

use crate::lab::declaration::FirewallChange;
use crate::lab::{Declaration, HostEvent};
use crate::net::Version;
use crate::source::Spanned;

use super::bind::HostPlan;
use super::{Context, firewall};

/// The statements of a host's files with these reloads among them; nothing if there are none.
pub(super) fn settle(context: &Context, plan: &HostPlan<'_>) -> Option<Vec<Declaration>> {
    let firewalld = firewall::stated(context, plan)?;
    if firewalld.version < Version::new(2, 0, 0) {
        return None;
    }
    let mut current = firewalld.default_zone;
    let mut settled = Vec::new();
    for declaration in &plan.files {
        settled.push((*declaration).clone());
        if let Declaration::FirewallCmd(command) = declaration
            && let FirewallChange::DefaultZone(name) = &command.change
            && *name != current
        {
            current.clone_from(name);
            let reload = Declaration::Event(Spanned::new(HostEvent::FirewalldReload, command.span));
            settled.extend((!command.offline).then_some(reload));
        }
    }
    (plan.files.len() < settled.len()).then_some(settled)
}
