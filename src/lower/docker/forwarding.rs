//! `net.ipv4.ip_forward`, and the FORWARD policy that comes with turning it on.
//! Spec: specs/docker-options.md, specs/docker-nftables.md.

use crate::dataplane::{Dataplane, Hook, Policy, Toggle};
use crate::language::text;
use crate::provenance::Basis;
use crate::switch::{Switch, SwitchKind};

use super::iptables::{Iptables, Table};
use super::{Line, Site};

const TURNED_ON: &str = "moby 28.5 libnetwork/drivers/bridge/setup_ip_forwarding.go, setupIPv4Forwarding";
const CHECKED: &str = "moby 29.7 daemon/libnetwork/drivers/bridge/setup_ip_forwarding.go, checkIPv4Forwarding";
const FOUND_ON: &str = "moby 28.5 libnetwork/drivers/bridge/setup_ip_forwarding.go, configureIPForwarding";
const DROPS: &str = "moby 28.5 libnetwork/drivers/bridge/internal/iptabler/iptabler.go, FilterForwardDrop";

/// Turns forwarding on unless it is on already; says whether it did.
pub(super) fn turn_on(site: Site<'_>, dataplane: &mut Dataplane) -> bool {
    if !site.engine.options.ip_forward || is_on(site, dataplane) {
        return false;
    }
    if Line::of(site.engine) == Line::Nftables {
        assume_on(site, dataplane);
        return false;
    }
    let origin = dataplane.origins.add(site.engine.origin.derive("docker turns on `net.ipv4.ip_forward`", TURNED_ON));
    let sysctls = &mut dataplane.node_mut(site.node).sysctls;
    sysctls.ip_forward = Toggle::On;
    sysctls.ip_forward_origin = origin;
    true
}

/// The nftables backend does not turn forwarding on, it refuses to start where it is off: an engine that runs has
/// found it on.
fn assume_on(site: Site<'_>, dataplane: &mut Dataplane) {
    let host = site.host;
    let statement = text!(
        "`net.ipv4.ip_forward` is on at `{host}` before docker starts",
        "docker가 시작되기 전에 `{host}`의 `net.ipv4.ip_forward`가 켜져 있음"
    );
    let origin = site.engine.origin.derive("docker with nftables starts only where packets are forwarded", CHECKED);
    let because = origin.clone();
    let switch = Switch { statement, default: true, kind: SwitchKind::Assumption, origin };
    let switch = dataplane.switches.add(switch);
    let origin = dataplane.origins.add(because);
    let sysctls = &mut dataplane.node_mut(site.node).sysctls;
    sysctls.ip_forward = Toggle::If(switch);
    sysctls.ip_forward_origin = origin;
}

fn is_on(site: Site<'_>, dataplane: &Dataplane) -> bool {
    match dataplane.node(site.node).sysctls.ip_forward {
        Toggle::On => true,
        Toggle::Off => false,
        Toggle::If(switch) => dataplane.switches.defaults().is_on(switch),
    }
}

/// Whether it was the engine that turned forwarding on: only then it (re)sets the policy.
pub(super) fn turned_on_by_engine(site: Site<'_>, dataplane: &Dataplane) -> bool {
    let origin = dataplane.origins.get(dataplane.node(site.node).sysctls.ip_forward_origin);
    matches!(origin.basis, Basis::Implied { citation: TURNED_ON, .. })
}

/// A restarting engine finds forwarding on, and leaves the policy alone from then on.
pub(super) fn find_on(site: Site<'_>, dataplane: &mut Dataplane) {
    if turned_on_by_engine(site, dataplane) {
        let origin = site.engine.origin.derive("docker has turned on `net.ipv4.ip_forward`", FOUND_ON);
        dataplane.node_mut(site.node).sysctls.ip_forward_origin = dataplane.origins.add(origin);
    }
}

/// Whoever turns a machine into a router closes it first: FORWARD drops what no rule accepts. `--ip-forward-no-drop`
/// leaves it open; it came with 28.0.
pub(super) fn drop_by_default(site: Site<'_>, dataplane: &mut Dataplane) {
    let options = &site.engine.options;
    let left_open = options.ip_forward_no_drop && site.engine.version.major >= 28;
    if !options.iptables || left_open {
        return;
    }
    let mut iptables = Iptables::new(dataplane, site.node);
    let origin = iptables.because(&site.engine.origin, "docker sets the policy of FORWARD to DROP", DROPS);
    iptables.set_policy(Table::Filter, Hook::Forward, Policy::Drop, origin);
}
