//! Home routers and what lies behind them. Spec: specs/internet.md.
//!
//! A router masquerades what its segments send out and forwards nothing inbound, as home routers do unless told
//! otherwise; the internet is one node that answers for every address and listens on every port.

use std::net::Ipv4Addr;

use crate::dataplane::{
    Action, ChainKind, Dataplane, Hook, HookPoint, InterfaceId, Link, LinkId, Match, NodeId, Policy, Route,
    RouteTarget, Rule, Socket, States, TableFamily,
};
use crate::lab::{HostKind, Lab};
use crate::language::text;
use crate::net::{IpNet, Ipv4Net, PortRange, Protocol};
use crate::provenance::{Basis, Origin, OriginId};

use super::address::add_address;
use super::namespace::{add_interface, interface, namespace};
use super::topology::Map;

/// The node that stands for every machine outside.
pub const INTERNET: &str = "internet";
/// The documentation prefix 203.0.113.0/24 stands for the addresses that a provider gives out (RFC 5737).
fn provider_address(router: usize) -> IpNet {
    let last = u8::try_from(router + 2).unwrap_or(u8::MAX);
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(203, 0, 113, last), 24))
}

const PRIVATE: &str =
    "RFC 1918, section 3: private addresses are not routed between enterprises; RFC 3927 for 169.254.0.0/16";
const HOME_ROUTER: &str =
    "RFC 7084 and RFC 4787: home routers translate outbound and refuse unsolicited inbound traffic";

pub(super) fn lower(lab: &Lab, map: &Map, dataplane: &mut Dataplane) {
    let routers: Vec<_> = lab.hosts().filter(|(_, h)| h.kind == HostKind::Router).collect();
    if routers.is_empty() {
        return;
    }
    let origin = dataplane.origins.add(Origin::assumed(
        text!("the internet: answers everywhere, on every port", "인터넷: 모든 주소의 모든 포트에서 응답함"),
        None,
    ));
    let link = dataplane.add_link(Link { name: INTERNET.into(), bridge: None, origin });
    add_outside(dataplane, link, origin);
    for (number, (id, host)) in routers.into_iter().enumerate() {
        // A router that is only assumed has no line of its own.
        let because = match host.origin.basis {
            Basis::Written(span) => Some(span),
            _ => None,
        };
        let origin =
            dataplane.origins.add(Origin::implied(text!("home router", "가정용 공유기"), because, HOME_ROUTER));
        add_uplink(dataplane, map.host(id), link, number, origin);
    }
}

fn add_outside(dataplane: &mut Dataplane, link: LinkId, origin: OriginId) {
    let outside = namespace(dataplane, INTERNET.into(), origin);
    let everything = IpNet::V4(Ipv4Net::default());
    let mut port = interface("eth0", Some(link), origin);
    port.claims.push(everything);
    let port = add_interface(dataplane, outside, port);
    let target = RouteTarget::Via { interface: port, gateway: None, source: None };
    refuse_private_addresses(dataplane, outside);
    let node = dataplane.node_mut(outside);
    node.routes.push(Route { prefix: everything, target, metric: 0, guard: None, origin });
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        let owner = INTERNET.to_owned();
        node.sockets.push(Socket { protocol, address: None, ports: PortRange::ALL, owner, guard: None, origin });
    }
}

/// Providers do not carry packets to private addresses.
fn refuse_private_addresses(dataplane: &mut Dataplane, outside: NodeId) {
    let origin = dataplane.origins.add(Origin::implied(
        text!("private addresses mean nothing outside", "사설 주소는 바깥에서 뜻이 없음"),
        None,
        PRIVATE,
    ));
    let rules = &mut dataplane.node_mut(outside).ruleset;
    let table = rules.table(TableFamily::Inet, INTERNET);
    for (name, hook) in [("prerouting", Hook::Prerouting), ("output", Hook::Output)] {
        let point = HookPoint { hook, kind: ChainKind::Filter, priority: 0, policy: Policy::Accept };
        let chain = rules.chain(table, name, Some(point), origin);
        let matches = vec![Match::AnyOf(private_prefixes().map(Match::Destination).to_vec())];
        rules.get_mut(chain).rules.push(Rule { matches, action: Action::Drop, guard: None, origin });
    }
}

fn private_prefixes() -> [IpNet; 4] {
    [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16), ([169, 254, 0, 0], 16)]
        .map(|(octets, length)| IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::from(octets), length)))
}

fn add_uplink(dataplane: &mut Dataplane, router: NodeId, link: LinkId, number: usize, origin: OriginId) {
    let wan = add_interface(dataplane, router, interface("wan", Some(link), origin));
    add_address(dataplane, router, wan, provider_address(number), origin);
    let target = RouteTarget::Via { interface: wan, gateway: None, source: None };
    let everything = IpNet::V4(Ipv4Net::default());
    dataplane.node_mut(router).routes.push(Route { prefix: everything, target, metric: 0, guard: None, origin });
    add_rules(dataplane, router, wan, origin);
}

fn add_rules(dataplane: &mut Dataplane, router: NodeId, wan: InterfaceId, origin: OriginId) {
    let node = dataplane.node_mut(router);
    let wan = node.interface(wan).name.clone();
    let rules = &mut node.ruleset;
    let table = rules.table(TableFamily::Inet, "router");
    let filter = |hook| Some(HookPoint { hook, kind: ChainKind::Filter, priority: 0, policy: Policy::Accept });
    let inbound = |states| vec![Match::InInterface(wan.clone()), Match::State(states)];
    for (name, hook) in [("input", Hook::Input), ("forward", Hook::Forward)] {
        let chain = rules.chain(table, name, filter(hook), origin);
        for (states, action) in [
            (States::ESTABLISHED_RELATED, Action::Accept),
            (States { new: true, invalid: true, untracked: true, ..States::default() }, Action::Drop),
        ] {
            rules.get_mut(chain).rules.push(Rule { matches: inbound(states), action, guard: None, origin });
        }
    }
    let point = HookPoint { hook: Hook::Postrouting, kind: ChainKind::Nat, priority: 100, policy: Policy::Accept };
    let chain = rules.chain(table, "postrouting", Some(point), origin);
    let matches = vec![Match::OutInterface(wan.clone())];
    rules.get_mut(chain).rules.push(Rule { matches, action: Action::Masquerade, guard: None, origin });
}
