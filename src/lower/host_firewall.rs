//! The firewalls that Windows and macOS have by themselves, and that of Hyper-V before WSL. Spec: specs/host-firewalls.md.
//!
//! They filter what comes in from other machines; a machine's own connections, answers and the loopback pass.

use crate::dataplane::{Action, ChainKind, Dataplane, Hook, HookPoint, Match, Policy, Rule, States, TableFamily};
use crate::lab::{HostFirewall, Lab};

use super::topology::Map;

/// The table of such a firewall.
pub(super) const TABLE: &str = "host-firewall";

pub(super) fn lower(lab: &Lab, map: &Map, dataplane: &mut Dataplane) {
    for (id, host) in lab.hosts() {
        let Some(firewall) = &host.firewall else { continue };
        let origin = dataplane.origins.add(firewall.origin.clone());
        let rules = &mut dataplane.node_mut(map.host(id)).ruleset;
        let table = rules.table(TableFamily::Inet, TABLE);
        let point = HookPoint { hook: Hook::Input, kind: ChainKind::Filter, priority: 0, policy: Policy::Accept };
        let chain = rules.chain(table, "input", Some(point), origin);
        let rule = |matches, action, guard| Rule { matches, action, guard, origin };
        let chain = &mut rules.get_mut(chain).rules;
        for passes in [Match::State(States::ESTABLISHED_RELATED), Match::InInterface("lo".to_owned())] {
            chain.push(rule(vec![passes], Action::Accept, None));
        }
        chain.extend(allowed(firewall).map(|matches| rule(matches, Action::Accept, None)));
        chain.extend(firewall.lets_in.map(|switch| rule(Vec::new(), Action::Accept, Some(switch))));
        chain.push(rule(Vec::new(), Action::Drop, None));
    }
}

fn allowed(firewall: &HostFirewall) -> impl Iterator<Item = Vec<Match>> {
    firewall.allowed.iter().map(|(protocol, ports)| vec![Match::Protocol(*protocol), Match::DestinationPort(*ports)])
}
