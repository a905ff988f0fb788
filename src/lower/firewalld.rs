//! What firewalld loads into the kernel for its zones and policies.
//! Spec: specs/firewalld-zones.md, specs/firewalld-policies.md.
//!
//! Three generations lay their chains out differently, and each is written here as firewalld writes it, chain names
//! included, so that the result can be compared with `nft list ruleset` or `iptables-save` of a real machine:
//!
//! | release   | how a packet finds its zone                                                     | file                |
//! |-----------|---------------------------------------------------------------------------------|---------------------|
//! | until 1.3 | one jump by ingress zone; policies hang before and after every zone              | `dispatch/zones.rs` |
//! | 2.0 - 2.4 | one flat list per hook with a line for every ingress and egress pair             | `dispatch/pairs.rs` |
//! | from 2.5  | three stages: ingress zone, egress zone, policies of the pair                    | `dispatch/staged.rs`|
//!
//! The nftables backend puts everything in the table `inet firewalld`, 10 behind the priorities of iptables: what
//! docker accepts may still be rejected here. The iptables backend shares the tables of iptables with docker.
//!
//! dockerd keeps its bridges in the zone `docker`, see [`docker_zone`].
//!
//! Rules that only concern IPv6 packets are left out, except those for an address that the user or a service names:
//! neighbour discovery, the IPv6 reverse path filter, RFC 3964 and the content of `allow-host-ipv6`. Also left out:
//! logging, helpers, lockdown, panic mode. An ipset is written as the list of its entries; direct rules are applied by
//! whoever replays the events of a host. iptables chain names above 28 characters, which
//! firewalld 2 replaces by random ones, keep their full name.
//!
//! Sources: firewalld 1.3.3 and 2.5.0, `src/firewall/core/{fw_zone,fw_policy,nftables,ipXtables}.py`; 2.5.2 as recorded.

mod base;
mod content;
mod dispatch;
mod docker_zone;
mod flush;
mod rich_rule;
mod writer;

#[cfg(test)]
pub(in crate::lower) mod fixture;
#[cfg(test)]
pub(in crate::lower) mod recorded;
#[cfg(test)]
mod tests;

use crate::dataplane::{Dataplane, NodeId, Policy, Ruleset, TableFamily, TableId};
use crate::lab::{Firewalld, HostId, Lab, RuleBackend};
use crate::net::Version;

use docker_zone::with_docker_zone;
use flush::{Fate, flushed};
use writer::Writer;

/// How a release lays out its chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// Until 1.3.
    Zones,
    /// 2.0 to 2.4.
    Pairs,
    /// From 2.5.
    Staged,
}

impl Layout {
    fn of(version: Version) -> Self {
        if version < Version::new(2, 0, 0) {
            Self::Zones
        } else if version < Version::new(2, 5, 0) {
            Self::Pairs
        } else {
            Self::Staged
        }
    }
}

/// Whether a container engine has put its bridges under firewalld's control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bridges {
    /// dockerd has run since the configuration was made.
    Known,
    /// dockerd has not run yet.
    Unknown,
}

/// Adds to the node of `host` what its firewalld loads; the engine of the host, if any, is taken to have run.
pub fn start(lab: &Lab, host: HostId, node: NodeId, dataplane: &mut Dataplane) {
    start_with(lab, host, node, dataplane, Bridges::Known);
}

/// Like [`start`], with a say on whether the engine has made its zone.
pub fn start_with(lab: &Lab, host: HostId, node: NodeId, dataplane: &mut Dataplane, bridges: Bridges) {
    let host = lab.host(host);
    let Some(configured) = &host.firewalld else { return };
    let engine = host.engine.as_ref().filter(|_| bridges == Bridges::Known);
    let firewalld = with_docker_zone(configured, engine);
    write(&firewalld, node, dataplane);
}

fn write(firewalld: &Firewalld, node: NodeId, dataplane: &mut Dataplane) {
    let mut writer = Writer::new(dataplane, node, firewalld);
    base::write(&mut writer, firewalld);
    match Layout::of(firewalld.version) {
        Layout::Zones => dispatch::zones::write(&mut writer, firewalld),
        Layout::Pairs => dispatch::pairs::write(&mut writer, firewalld),
        Layout::Staged => dispatch::staged::write(&mut writer, firewalld),
    }
}

/// Takes away what firewalld has loaded, and what else goes with it.
///
/// The iptables backend empties all tables of iptables, docker's chains included, and sets the built-in chains to ACCEPT
/// (recorded: order-fw-first-iptables-stop). Until 2.0 the nftables backend empties them too, but leaves
/// the policies of the built-in chains: docker's FORWARD stays on DROP without a rule (recorded:
/// order-fw-first-nftables-stop with firewalld 1.3.3).
///
/// Sources: firewalld 1.3.3 and 2.5.0 `src/firewall/core/fw.py` (`flush`, `set_policy`).
pub fn stop(lab: &Lab, host: HostId, node: NodeId, dataplane: &mut Dataplane) {
    let Some(firewalld) = &lab.host(host).firewalld else { return };
    let empties_iptables = firewalld.empties_iptables();
    let ruleset = &mut dataplane.node_mut(node).ruleset;
    *ruleset = flushed(ruleset, |table, chain| match table.family {
        TableFamily::Inet if table.name == writer::TABLE => Fate::Goes,
        TableFamily::Iptables | TableFamily::Ip6 if empties_iptables && chain.hook.is_some() => Fate::Emptied,
        TableFamily::Iptables | TableFamily::Ip6 if empties_iptables => Fate::Goes,
        _ => Fate::Stays,
    });
    if firewalld.backend == RuleBackend::Iptables {
        accept_everything(ruleset);
    }
}

fn accept_everything(ruleset: &mut Ruleset) {
    let iptables: Vec<TableId> = (0..ruleset.tables.len())
        .map(TableId)
        .filter(|id| ruleset.get_table(*id).family == TableFamily::Iptables)
        .collect();
    for hook in ruleset.chains.iter_mut().filter(|c| iptables.contains(&c.table)).filter_map(|c| c.hook.as_mut()) {
        hook.policy = Policy::Accept;
    }
}
