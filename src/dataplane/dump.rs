//! The dataplane as text, for `--emit dataplane` and for snapshots: one line per element, stable order, `#` before
//! what explains it.

use std::net::IpAddr;

use crate::net::{PortRange, url_host};
use crate::provenance::OriginId;
use crate::switch::{Switch, SwitchId, SwitchKind};

use super::{
    Action, Chain, ChainKind, Dataplane, Dial, Interface, Link, Listen, Match, Node, NodeId, NodeKind, Policy, Reject,
    Relay, Route, RouteTarget, Rule, Ruleset, Socket, SourceAs, States, TableFamily, Toggle,
};

/// Every node, link and switch.
pub fn dump(dataplane: &Dataplane) -> String {
    let links = dataplane.links.iter().map(|l| link(dataplane, l));
    let nodes = dataplane.nodes().map(|(id, _)| dump_node(dataplane, id));
    let switches = dataplane.switches.iter().map(|(id, s)| switch(id, s));
    links.chain(nodes).chain(switches).collect()
}

/// One node with everything in it.
pub fn dump_node(dataplane: &Dataplane, id: NodeId) -> String {
    let node = dataplane.node(id);
    let printer = Printer { dataplane, node };
    let mut lines = vec![printer.title()];
    lines.extend(node.interfaces.iter().map(|i| printer.interface(i)));
    lines.extend(node.routes.iter().map(|r| printer.route(r)));
    lines.extend(node.ruleset.chains.iter().flat_map(|c| printer.chain(c)));
    lines.extend(node.sockets.iter().map(|s| printer.socket(s)));
    lines.extend(node.relays.iter().map(|r| printer.relay(r)));
    lines.extend(
        node.names
            .iter()
            .map(|n| printer.explained(format!("  name {} = {}{}", n.name, n.address, guarded(n.guard)), n.origin)),
    );
    lines.into_iter().map(|line| line + "\n").collect()
}

fn link(dataplane: &Dataplane, link: &Link) -> String {
    let bridge = link.bridge.map_or(String::new(), |b| format!(" bridged by {}", dataplane.node(b.node).name));
    format!("link {}{bridge}  # {}\n", link.name, dataplane.origins.get(link.origin).what)
}

fn switch(id: SwitchId, switch: &Switch) -> String {
    let kind = match switch.kind {
        SwitchKind::Assumption => "assumption",
        SwitchKind::Edit => "edit",
        SwitchKind::Unmodeled => "unmodeled",
    };
    let default = if switch.default { "on" } else { "off" };
    format!("switch s{} {kind}, {default}: {}  # {}\n", id.0, switch.statement, switch.origin.what)
}

fn guarded(guard: Option<SwitchId>) -> String {
    guard.map_or(String::new(), |id| format!(" [if s{}]", id.0))
}

fn toggle(toggle: Toggle) -> String {
    match toggle {
        Toggle::On => "on".to_owned(),
        Toggle::Off => "off".to_owned(),
        Toggle::If(id) => format!("if s{}", id.0),
    }
}

struct Printer<'a> {
    dataplane: &'a Dataplane,
    node: &'a Node,
}

impl Printer<'_> {
    fn explained(&self, line: String, origin: OriginId) -> String {
        format!("{line}  # {}", self.dataplane.origins.get(origin).what)
    }

    fn title(&self) -> String {
        let Node { name, kind, sysctls, origin, .. } = self.node;
        let kind = match kind {
            NodeKind::Namespace => {
                let bridged = if sysctls.bridge_calls_iptables { ", bridge-nf-call-iptables on" } else { "" };
                format!("namespace, ip_forward {}{bridged}", toggle(sysctls.ip_forward))
            }
            NodeKind::UserNat => "user-space NAT".to_owned(),
        };
        self.explained(format!("node {name}: {kind}"), *origin)
    }

    fn interface(&self, interface: &Interface) -> String {
        let mut line = format!("  interface {}", interface.name);
        line.extend(interface.addresses.iter().map(|a| format!(" {}", a.net)));
        line.extend(interface.link.map(|link| format!(" on {}", self.dataplane.link(link).name)));
        line.extend(interface.claims.iter().map(|net| format!(" claims {net}")));
        let flags =
            [(!interface.up, " down"), (interface.route_localnet, " route_localnet"), (interface.hairpin, " hairpin")];
        line.extend((interface.any_way_in == Toggle::Off).then(|| " rp_filter strict".to_owned()));
        line.extend(flags.iter().filter(|(set, _)| *set).map(|(_, word)| *word));
        line.extend(interface.apart_from.map(|(node, parent)| {
            let node = self.dataplane.node(node);
            format!(" apart from {} of {}", node.interface(parent).name, node.name)
        }));
        self.explained(line, interface.origin)
    }

    fn route(&self, route: &Route) -> String {
        let name = |id| self.node.interface(id).name.as_str();
        let target = match route.target {
            RouteTarget::Local { interface } => format!("local {}", name(interface)),
            RouteTarget::Unreachable => "unreachable".to_owned(),
            RouteTarget::Via { interface, gateway, source } => {
                let gateway = gateway.map_or(String::new(), |address| format!(" via {address}"));
                let source = source.map_or(String::new(), |address| format!(" from {address}"));
                format!("{}{gateway}{source}", name(interface))
            }
        };
        let metric = if route.metric == 0 { String::new() } else { format!(" metric {}", route.metric) };
        self.explained(format!("  route {} {target}{metric}{}", route.prefix, guarded(route.guard)), route.origin)
    }

    fn chain(&self, chain: &Chain) -> Vec<String> {
        let ruleset = &self.node.ruleset;
        let table = ruleset.get_table(chain.table);
        let hook = chain.hook.map_or(String::new(), |point| {
            let kind = if point.kind == ChainKind::Nat { "nat" } else { "filter" };
            let policy = if point.policy == Policy::Drop { "drop" } else { "accept" };
            format!(" {kind} at {} priority {} policy {policy}", point.hook, point.priority)
        });
        let line = format!("  chain {} {} {}{hook}", family(table.family), table.name, chain.name);
        let rules = chain.rules.iter().enumerate();
        let rules = rules.map(|(index, r)| {
            self.explained(format!("    {} {}{}", index + 1, rule(r, ruleset), guarded(r.guard)), r.origin)
        });
        std::iter::once(self.explained(line, chain.origin)).chain(rules).collect()
    }

    fn socket(&self, socket: &Socket) -> String {
        let Socket { protocol, address, ports, owner, guard, origin } = socket;
        let line = format!("  socket {protocol} {}:{ports} of {owner}{}", any(*address), guarded(*guard));
        self.explained(line, *origin)
    }

    fn relay(&self, relay: &Relay) -> String {
        let listen = match relay.listen {
            Listen::Socket { address, port } => format!("{}:{port}", any(address)),
            Listen::Transparent { prefix } => format!("everything to {prefix}"),
        };
        let dial = match relay.dial {
            Dial::To { address, port } => format!("{}:{port}", url_host(address)),
            Dial::Same => "the same address".to_owned(),
            Dial::Nowhere => "nothing".to_owned(),
            Dial::SamePort { address } => format!("the same port of {address}"),
        };
        let source = match relay.source {
            SourceAs::Dialer => String::new(),
            SourceAs::Bound(address) => format!(" from {address}"),
            SourceAs::Client { loopback } => format!(" as the client (loopback as {loopback})"),
        };
        let first = if relay.accepts_first { ", accepts first" } else { "" };
        let from = &self.dataplane.node(relay.dial_from).name;
        let line = format!("  relay {} {} {listen} -> {from} dials {dial}{source}{first}", relay.name, relay.protocol);
        self.explained(line + &guarded(relay.guard), relay.origin)
    }
}

fn any(address: Option<IpAddr>) -> String {
    address.map_or("*".to_owned(), url_host)
}

fn family(family: TableFamily) -> &'static str {
    match family {
        TableFamily::Iptables => "iptables",
        TableFamily::Ip => "ip",
        TableFamily::Ip6 => "ip6",
        TableFamily::Inet => "inet",
    }
}

fn rule(rule: &Rule, ruleset: &Ruleset) -> String {
    let matches: Vec<_> = rule.matches.iter().map(condition).collect();
    let matches = if matches.is_empty() { "always".to_owned() } else { matches.join(", ") };
    format!("{matches} -> {}", action(&rule.action, ruleset))
}

fn condition(condition: &Match) -> String {
    match condition {
        Match::Family(family) => format!("{family:?}").to_lowercase(),
        Match::Protocol(protocol) => protocol.to_string(),
        Match::ProtocolNumber(number) => format!("protocol {number}"),
        Match::Source(net) => format!("from {net}"),
        Match::Destination(net) => format!("to {net}"),
        Match::SourcePort(ports) => format!("sport {ports}"),
        Match::DestinationPort(ports) => format!("dport {ports}"),
        Match::InInterface(name) => format!("in {name}"),
        Match::OutInterface(name) => format!("out {name}"),
        Match::State(states) => format!("state {}", state_names(*states).join("/")),
        Match::DestinationRewritten => "destination rewritten".to_owned(),
        Match::SourceRewritten => "source rewritten".to_owned(),
        Match::OriginalDestination(net) => format!("originally to {net}"),
        Match::OriginalDestinationPort(ports) => format!("originally dport {ports}"),
        Match::OriginalSource(net) => format!("originally from {net}"),
        Match::OriginalSourcePort(ports) => format!("originally sport {ports}"),
        Match::Reply => "reply".to_owned(),
        Match::DestinationIsLocal => "to local".to_owned(),
        Match::SourceIsLocal => "from local".to_owned(),
        Match::SourceIsRoutedBack => "source routed back".to_owned(),
        Match::Mark { value, mask } => format!("mark {value:#x}/{mask:#x}"),
        Match::ConnectionMark { value, mask } => format!("connection mark {value:#x}/{mask:#x}"),
        Match::IcmpType(number) => format!("icmp type {number}"),
        Match::AnyOf(any) => format!("({})", any.iter().map(self::condition).collect::<Vec<_>>().join(" or ")),
        Match::AllOf(all) => format!("({})", all.iter().map(self::condition).collect::<Vec<_>>().join(" and ")),
        Match::Not(inner) => format!("not {}", self::condition(inner)),
        Match::Roughly(inner) => format!("roughly {}", self::condition(inner)),
        Match::Unmodeled(id) => format!("unmodeled s{}", id.0),
    }
}

fn state_names(states: States) -> Vec<&'static str> {
    let names = [
        (states.new, "new"),
        (states.established, "established"),
        (states.related, "related"),
        (states.invalid, "invalid"),
        (states.untracked, "untracked"),
    ];
    names.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect()
}

fn action(action: &Action, ruleset: &Ruleset) -> String {
    let port = |port: Option<u16>| port.map_or(String::new(), |p| format!(":{}", PortRange::single(p)));
    match action {
        Action::Accept => "accept".to_owned(),
        Action::Drop => "drop".to_owned(),
        Action::Reject(reject) => format!("reject with {}", reject_word(*reject)),
        Action::Jump(chain) => format!("jump {}", ruleset.get(*chain).name),
        Action::Goto(chain) => format!("goto {}", ruleset.get(*chain).name),
        Action::Return => "return".to_owned(),
        Action::DestinationNat { address, port: to } => {
            format!("dnat to {}{}", address.map_or(String::new(), url_host), port(*to))
        }
        Action::SourceNat { address } => format!("snat to {address}"),
        Action::Masquerade => "masquerade".to_owned(),
        Action::Redirect { port: to } => format!("redirect{}", port(*to)),
        Action::SetMark { value, mask } => format!("mark {value:#x}/{mask:#x}"),
        Action::SetConnectionMark { value, mask } => format!("connection mark {value:#x}/{mask:#x}"),
        Action::SaveMark { mask } => format!("save mark /{mask:#x}"),
        Action::RestoreMark { mask } => format!("restore mark /{mask:#x}"),
        Action::Untrack => "untrack".to_owned(),
        Action::Continue => "continue".to_owned(),
    }
}

fn reject_word(reject: Reject) -> &'static str {
    match reject {
        Reject::TcpReset => "tcp reset",
        Reject::PortUnreachable => "port-unreachable",
        Reject::HostUnreachable => "host-unreachable",
        Reject::NetUnreachable => "net-unreachable",
        Reject::HostProhibited => "host-prohibited",
        Reject::AdminProhibited => "admin-prohibited",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::{Hook, HookPoint, InterfaceAddress, LinkId, Sysctls};
    use crate::net::Protocol;
    use crate::provenance::Origin;
    use crate::switch::Switches;

    #[test]
    fn one_line_for_each_element() {
        let mut dataplane = Dataplane::default();
        let origin = dataplane.origins.add(Origin::assumed("test", None));
        let lan = LinkId(0);
        dataplane.add_link(Link { name: "lan".to_owned(), bridge: None, origin });
        let mut switches = Switches::default();
        let switch = Switch {
            statement: "`web` listens".into(),
            default: true,
            kind: SwitchKind::Assumption,
            origin: Origin::assumed("image table", None),
        };
        let guard = Some(switches.add(switch));
        dataplane.switches = switches;
        dataplane.add_node(node(lan, guard, origin));
        let expected = "\
link lan  # test
node web: namespace, ip_forward if s0  # test
  interface eth0 10.0.0.2/24 on lan down  # test
  chain iptables filter INPUT filter at input priority 0 policy drop  # test
    1 tcp, not dport 80 -> reject with port-unreachable [if s0]  # test
  socket tcp *:80 of web [if s0]  # test
switch s0 assumption, on: `web` listens  # image table
";
        assert_eq!(dump(&dataplane), expected);
    }

    fn node(lan: LinkId, guard: Option<SwitchId>, origin: OriginId) -> Node {
        let mut ruleset = Ruleset::default();
        let table = ruleset.table(TableFamily::Iptables, "filter");
        let input = HookPoint { hook: Hook::Input, kind: ChainKind::Filter, priority: 0, policy: Policy::Drop };
        let chain = ruleset.chain(table, "INPUT", Some(input), origin);
        let matches = vec![Match::Protocol(Protocol::Tcp), Match::DestinationPort(PortRange::single(80)).negated()];
        let action = Action::Reject(Reject::PortUnreachable);
        ruleset.get_mut(chain).rules.push(Rule { matches, action, guard, origin });
        let ports = PortRange::single(80);
        let owner = "web".to_owned();
        Node {
            name: "web".to_owned(),
            kind: NodeKind::Namespace,
            interfaces: vec![Interface {
                name: "eth0".to_owned(),
                addresses: vec![InterfaceAddress { net: "10.0.0.2/24".parse().unwrap(), origin }],
                claims: Vec::new(),
                only_dials: false,
                link: Some(lan),
                up: false,
                route_localnet: false,
                any_way_in: Toggle::On,
                hairpin: false,
                apart_from: None,
                origin,
            }],
            routes: Vec::new(),
            ruleset,
            sockets: vec![Socket { protocol: Protocol::Tcp, address: None, ports, owner, guard, origin }],
            relays: Vec::new(),
            sysctls: Sysctls {
                ip_forward: guard.map_or(Toggle::Off, Toggle::If),
                ip_forward_origin: origin,
                rp_filter_origin: origin,
                bridge_calls_iptables: false,
            },
            names: Vec::new(),
            unmodeled: Vec::new(),
            origin,
        }
    }
}
