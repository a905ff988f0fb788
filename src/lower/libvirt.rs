//! What libvirt writes for the networks that it keeps. Spec: specs/libvirt.md.
//!
//! Source: libvirt 11, src/network/network_iptables.c and network_nftables.c, and what its own tests expect of them
//! (tests/networkxml2firewalldata: base, nat-default, route-default, isolated). With iptables its chains come first in
//! FORWARD, so that a policy of DROP behind them does not matter; with nftables it has a table of its own, and whoever
//! else has a base chain must accept as well.

use crate::dataplane::{
    Action, ChainId, ChainKind, Dataplane, Hook, HookPoint, Match, NodeId, Policy, Reject, Rule, Ruleset, Socket,
    States, TableFamily, TableId, Toggle,
};
use crate::lab::{ForwardMode, Forwarding, HostId, Keeper, Lab, RuleBackend};
use crate::net::{IpNet, PortRange, Protocol};
use crate::provenance::OriginId;

const NAMES: &str = "libvirt, formatnetwork.html, `dns`: dnsmasq listens on the bridge's address";
const FORWARDS: &str = "libvirt, src/network/bridge_driver.c, networkEnableIPForwarding";

/// Starts every network that libvirt keeps on a host; what is there already stays.
pub(super) fn start(lab: &Lab, host: HostId, node: NodeId, dataplane: &mut Dataplane) {
    for segment in &lab.segments {
        let Some(forwarding) = segment.forwarding.as_deref().filter(|f| f.on == host) else { continue };
        let Keeper::Libvirt(backend) = forwarding.by else { continue };
        if forwarding.mode != ForwardMode::Isolated {
            turn_on(forwarding, node, dataplane);
        }
        serve_names(lab, forwarding, node, dataplane);
        let Some(subnet) = segment.subnets.first() else { continue };
        if forwarding.mode == ForwardMode::Open {
            continue;
        }
        let origin = dataplane.origins.add(forwarding.origin.clone());
        let rules = &mut dataplane.node_mut(node).ruleset;
        let chains = match backend {
            RuleBackend::Iptables => with_iptables(rules, origin),
            RuleBackend::Nftables => with_nftables(rules, origin),
        };
        let network = Network { bridge: &forwarding.interface, subnet: *subnet, mode: forwarding.mode, origin };
        if !rules.get(chains.cross).rules.iter().any(|rule| rule.matches == network.within()) {
            network.add(rules, &chains);
        }
    }
}

/// dnsmasq answers questions for names on every network of libvirt unless `<dns enable='no'/>`.
fn serve_names(lab: &Lab, forwarding: &Forwarding, node: NodeId, dataplane: &mut Dataplane) {
    let owner = lab.host(forwarding.on).name.clone();
    let origin = dataplane.origins.add(forwarding.origin.derive("dnsmasq of libvirt", NAMES));
    let here = dataplane.node_mut(node);
    let bridge = here.interface_named(&forwarding.interface);
    let own = bridge.and_then(|id| here.interface(id).addresses.first()).map(|address| address.net.addr());
    let ports = PortRange::single(53);
    if own.is_none() || here.sockets.iter().any(|s| s.ports == ports && s.address == own) {
        return;
    }
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        here.sockets.push(Socket { protocol, address: own, ports, owner: owner.clone(), guard: None, origin });
    }
}

fn turn_on(forwarding: &Forwarding, node: NodeId, dataplane: &mut Dataplane) {
    if dataplane.node(node).sysctls.ip_forward == Toggle::On {
        return;
    }
    let origin = forwarding.origin.derive("libvirt turns on `net.ipv4.ip_forward`", FORWARDS);
    let origin = dataplane.origins.add(origin);
    let sysctls = &mut dataplane.node_mut(node).sysctls;
    sysctls.ip_forward = Toggle::On;
    sysctls.ip_forward_origin = origin;
}

/// The chains that rules of networks go to.
struct Chains {
    /// Between guests.
    cross: ChainId,
    /// To guests.
    input: ChainId,
    /// From guests.
    output: ChainId,
    nat: ChainId,
    /// From guests to the host.
    host: Option<ChainId>,
}

fn with_iptables(rules: &mut Ruleset, origin: OriginId) -> Chains {
    let filter = rules.table(TableFamily::Iptables, "filter");
    let nat = rules.table(TableFamily::Iptables, "nat");
    let input = base(rules, filter, "INPUT", (Hook::Input, ChainKind::Filter, 0), origin);
    let forward = base(rules, filter, "FORWARD", (Hook::Forward, ChainKind::Filter, 0), origin);
    let postrouting = base(rules, nat, "POSTROUTING", (Hook::Postrouting, ChainKind::Nat, 100), origin);
    let mut jump = |from, table, name: &str| jump(rules, from, table, name, origin);
    Chains {
        host: Some(jump(input, filter, "LIBVIRT_INP")),
        output: jump(forward, filter, "LIBVIRT_FWO"),
        input: jump(forward, filter, "LIBVIRT_FWI"),
        cross: jump(forward, filter, "LIBVIRT_FWX"),
        nat: jump(postrouting, nat, "LIBVIRT_PRT"),
    }
}

fn with_nftables(rules: &mut Ruleset, origin: OriginId) -> Chains {
    let table = rules.table(TableFamily::Ip, "libvirt_network");
    let forward = base(rules, table, "forward", (Hook::Forward, ChainKind::Filter, 0), origin);
    let nat = base(rules, table, "guest_nat", (Hook::Postrouting, ChainKind::Nat, 100), origin);
    let mut jump = |name: &str| jump(rules, forward, table, name, origin);
    let (output, input, cross) = (jump("guest_output"), jump("guest_input"), jump("guest_cross"));
    Chains { cross, input, output, nat, host: None }
}

fn base(
    rules: &mut Ruleset,
    table: TableId,
    name: &str,
    (hook, kind, priority): (Hook, ChainKind, i32),
    origin: OriginId,
) -> ChainId {
    rules.chain(table, name, Some(HookPoint { hook, kind, priority, policy: Policy::Accept }), origin)
}

/// A chain, and the jump to it at the head of another.
fn jump(rules: &mut Ruleset, from: ChainId, table: TableId, name: &str, origin: OriginId) -> ChainId {
    let chain = rules.chain(table, name, None, origin);
    let present = &mut rules.get_mut(from).rules;
    if !present.iter().any(|rule| rule.action == Action::Jump(chain)) {
        present.insert(0, Rule { matches: Vec::new(), action: Action::Jump(chain), guard: None, origin });
    }
    chain
}

/// One network.
struct Network<'a> {
    bridge: &'a str,
    subnet: IpNet,
    mode: ForwardMode,
    origin: OriginId,
}

impl Network<'_> {
    fn comes(&self) -> Match {
        Match::InInterface(self.bridge.to_owned())
    }

    fn goes(&self) -> Match {
        Match::OutInterface(self.bridge.to_owned())
    }

    fn within(&self) -> Vec<Match> {
        vec![self.comes(), self.goes()]
    }

    fn rule(&self, matches: Vec<Match>, action: Action) -> Rule {
        Rule { matches, action, guard: None, origin: self.origin }
    }

    fn add(&self, rules: &mut Ruleset, chains: &Chains) {
        let mut insert = |chain, new: Vec<Rule>| {
            let present = &mut rules.get_mut(chain).rules;
            present.splice(0..0, new);
        };
        let reject = Action::Reject(Reject::PortUnreachable);
        let (from, to) = (Match::Source(self.subnet), Match::Destination(self.subnet));
        let answers = Match::State(States::ESTABLISHED_RELATED);
        let mut outwards = vec![self.rule(vec![self.comes()], reject.clone())];
        let mut inwards = vec![self.rule(vec![self.goes()], reject)];
        match self.mode {
            ForwardMode::Nat => {
                outwards.insert(0, self.rule(vec![from.clone(), self.comes()], Action::Accept));
                inwards.insert(0, self.rule(vec![self.goes(), to.clone(), answers], Action::Accept));
                insert(chains.nat, vec![self.rule(vec![from, to.negated()], Action::Masquerade)]);
            }
            ForwardMode::Route => {
                outwards.insert(0, self.rule(vec![from, self.comes()], Action::Accept));
                inwards.insert(0, self.rule(vec![to, self.goes()], Action::Accept));
            }
            ForwardMode::Open | ForwardMode::Isolated => {}
        }
        insert(chains.output, outwards);
        insert(chains.input, inwards);
        insert(chains.cross, vec![self.rule(self.within(), Action::Accept)]);
        if let Some(host) = chains.host {
            insert(host, self.services());
        }
    }

    /// DHCP and names, which the host answers.
    fn services(&self) -> Vec<Rule> {
        let ports = [(Protocol::Udp, 53), (Protocol::Tcp, 53), (Protocol::Udp, 67), (Protocol::Tcp, 67)];
        let service = |(protocol, port)| {
            let port = Match::DestinationPort(PortRange::single(port));
            self.rule(vec![self.comes(), Match::Protocol(protocol), port], Action::Accept)
        };
        ports.map(service).to_vec()
    }
}
