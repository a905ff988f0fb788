//! Kernel settings that somebody makes. Spec: specs/sysctl.md.
//!
//! How strict the reverse path filter is, nobody knows unless it is written: the kernel's own value is 0, systemd sets 2,
//! and the Red Hat family sets 1 for every interface. Only where it matters, the answer depends on it.

use std::collections::BTreeMap;

use crate::dataplane::{Dataplane, NodeId, Toggle};
use crate::lab::sysctl::{Interfaces, RpFilter, Sysctl, SysctlSetting};
use crate::lab::{Host, HostKind, Os};
use crate::language::text;
use crate::provenance::{Origin, OriginId};
use crate::switch::{Switch, SwitchKind};

const VALUES: &str = "Linux, Documentation/networking/ip-sysctl.rst, rp_filter; systemd sysctl.d/50-default.conf; initscripts \
                      50-redhat.conf";

/// What is known of the reverse path filter of a host.
#[derive(Default)]
pub(super) struct ReversePaths {
    all: Option<RpFilter>,
    later: Option<RpFilter>,
    own: BTreeMap<String, RpFilter>,
    origin: Option<Origin>,
}

/// Makes a setting. `present` are the interfaces that are there by now.
pub(super) fn apply(
    sysctl: &Sysctl,
    present: &[String],
    node: NodeId,
    dataplane: &mut Dataplane,
    reverse_paths: &mut ReversePaths,
) {
    match &sysctl.setting {
        SysctlSetting::IpForward(on) => {
            let origin = dataplane.origins.add(sysctl.origin.clone());
            let sysctls = &mut dataplane.node_mut(node).sysctls;
            sysctls.ip_forward = if *on { Toggle::On } else { Toggle::Off };
            sysctls.ip_forward_origin = origin;
        }
        SysctlSetting::BridgeCallsIptables(on) => dataplane.node_mut(node).sysctls.bridge_calls_iptables = *on,
        SysctlSetting::RouteLocalnet(of, on) => {
            let is_meant = |name: &str| match of {
                Interfaces::All => true,
                Interfaces::Later => false,
                Interfaces::Present => present.iter().any(|other| other == name),
                Interfaces::Named(other) => other == name,
            };
            let interfaces = dataplane.node_mut(node).interfaces.iter_mut().skip(1);
            interfaces.filter(|i| is_meant(&i.name)).for_each(|i| i.route_localnet = *on);
        }
        SysctlSetting::RpFilter(of, filter) => {
            reverse_paths.origin = Some(sysctl.origin.clone());
            match of {
                Interfaces::All => reverse_paths.all = Some(*filter),
                Interfaces::Later => reverse_paths.later = Some(*filter),
                Interfaces::Present => {
                    present.iter().for_each(|name| {
                        reverse_paths.own.insert(name.clone(), *filter);
                    });
                }
                Interfaces::Named(name) => {
                    reverse_paths.own.insert(name.clone(), *filter);
                }
            }
        }
    }
}

impl ReversePaths {
    /// Says of every interface of a host and its containers how its way back is looked at. With one interface only there
    /// is no other way.
    pub(super) fn settle(&self, host: &Host, node: NodeId, dataplane: &mut Dataplane) {
        if host.os != Os::Linux || host.kind == HostKind::Router {
            return;
        }
        let inside = format!("{}/", host.name);
        let containers = dataplane.nodes().filter(|(_, other)| other.name.starts_with(&inside)).map(|(id, _)| id);
        let nodes: Vec<NodeId> = containers.chain([node]).filter(|id| is_crossroads(dataplane, *id)).collect();
        if nodes.is_empty() {
            return;
        }
        let unknown = self.unknown(host, dataplane);
        let origin = self.origin.clone().map_or(unknown.1, |origin| dataplane.origins.add(origin));
        for id in nodes {
            let names: Vec<String> = dataplane.node(id).interfaces.iter().map(|i| i.name.clone()).collect();
            for (index, name) in names.iter().enumerate().skip(1) {
                let is_own = id == node && host.interfaces.iter().any(|own| own.name == *name);
                let own = self.own.get(name).filter(|_| id == node).copied();
                let toggle = self.toggle(own.or(self.later.filter(|_| !is_own)), unknown.0);
                if let Some(interface) = dataplane.node_mut(id).interfaces.get_mut(index) {
                    interface.any_way_in = toggle;
                }
            }
            dataplane.node_mut(id).sysctls.rp_filter_origin = origin;
        }
    }

    fn toggle(&self, own: Option<RpFilter>, unknown: Toggle) -> Toggle {
        match (self.all, own) {
            (Some(RpFilter::Loose), _) | (_, Some(RpFilter::Loose)) => Toggle::On,
            (Some(all), Some(own)) if all.max(own) == RpFilter::Strict => Toggle::Off,
            (Some(_), Some(_)) => Toggle::On,
            _ => unknown,
        }
    }

    fn unknown(&self, host: &Host, dataplane: &mut Dataplane) -> (Toggle, OriginId) {
        let name = &host.name;
        let statement = text!(
            "`{name}` lets in what comes by another interface than its answer leaves by (`rp_filter` is not 1)",
            "`{name}`에서 응답이 나갈 인터페이스와 다른 인터페이스로 들어온 패킷도 받음(`rp_filter`가 1이 아님)"
        );
        let what = text!(
            "the reverse path filter of `{name}`, which nothing states",
            "어디에도 적히지 않은 `{name}`의 역경로 필터"
        );
        let origin = Origin::implied(what, host.origin.span(), VALUES);
        let id = dataplane.origins.add(origin.clone());
        let switch = Switch { statement, default: true, kind: SwitchKind::Assumption, origin };
        (Toggle::If(dataplane.switches.add(switch)), id)
    }
}

fn is_crossroads(dataplane: &Dataplane, id: NodeId) -> bool {
    1 < dataplane.node(id).interfaces.iter().skip(1).filter(|i| i.link.is_some()).count()
}
