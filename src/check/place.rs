//! Names of a sentence -> nodes of the dataplane.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::dataplane::{Dataplane, NodeId};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::{
    Attachment, Container, Host, HostId, HostKind, Interface, Lab, Networking, Process, Segment, SegmentKind,
};
use crate::language::{Text, text};
use crate::lower::internet::INTERNET;
use crate::lower::topology::stranger_name;
use crate::net::{Family, IpNet, Ipv4Net};
use crate::property::{Subject, Who};
use crate::smt::Sources;
use crate::source::{Span, Spanned};

use super::aim::Aim;

/// Something in the lab that dials or is dialled.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// As it is called in messages.
    pub(super) label: String,
    pub(super) node: NodeId,
    /// Whose sockets count, where several owners share a node; nothing means all.
    pub(super) owner: Option<String>,
    /// The host that it is or runs on.
    pub(super) host: Option<HostId>,
    /// The container that it is.
    pub(super) container: Option<String>,
    /// For nodes that stand for many machines: the addresses that these may have, and those that they do not have.
    pub(super) sources: Option<Sources>,
}

pub(super) struct Places<'a> {
    pub(super) lab: &'a Lab,
    pub(super) dataplane: &'a Dataplane,
    /// The nodes by name.
    nodes: HashMap<&'a str, NodeId>,
}

impl Endpoint {
    /// Only those of the machines that it stands for that have an address in `net`.
    fn within(self, net: IpNet) -> Option<Self> {
        let Sources { within, except, .. } = self.sources?;
        let overlap = |known: IpNet| match (known.contains(&net), net.contains(&known)) {
            (true, _) => Some(net),
            (false, true) => Some(known),
            (false, false) => None,
        };
        let within: Vec<IpNet> = within.into_iter().filter_map(overlap).collect();
        let sources = free_addresses(within, except);
        sources.natural?;
        Some(Self { label: net_text(net), sources: Some(sources), ..self })
    }

    /// All but those of the machines that it stands for that have an address in `net`.
    fn without(self, net: IpNet) -> Option<Self> {
        let Some(Sources { within, mut except, natural }) = self.sources else { return Some(self) };
        if within.iter().all(|known| net.contains(known)) {
            return None;
        }
        except.push(net);
        let natural = natural.filter(|address| !net.contains(address));
        let sources =
            if natural.is_some() { Sources { within, except, natural } } else { free_addresses(within, except) };
        Some(Self { sources: Some(sources), ..self })
    }
}

/// An address without its prefix length, a subnet with it.
fn net_text(net: IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

impl<'a> Places<'a> {
    pub(super) fn new(lab: &'a Lab, dataplane: &'a Dataplane) -> Self {
        let mut nodes = HashMap::new();
        for (id, node) in dataplane.nodes() {
            nodes.entry(node.name.as_str()).or_insert(id);
        }
        Self { lab, dataplane, nodes }
    }
}

impl Places<'_> {
    fn node_named(&self, name: &str) -> Option<NodeId> {
        self.nodes.get(name).copied()
    }

    /// The endpoint with this name; after a machine's or a container's name and `/`, a program may be named.
    pub(super) fn named(&self, name: &Spanned<String>) -> Result<Endpoint, Box<Diagnostic>> {
        let place = name.value.split_once('/').map_or("", |(place, _)| place);
        let found = [name.value.as_str(), place].map(|word| (word, self.called(word)));
        let Some((word, bearers)) = found.into_iter().find(|(_, bearers)| !bearers.is_empty()) else {
            return Err(Box::new(self.unknown(name)));
        };
        let [endpoint] = bearers.as_slice() else { return Err(Box::new(ambiguous(name, word, &bearers))) };
        if word.len() < name.value.len() && endpoint.container.is_none() && self.is_misspelt(name, endpoint) {
            return Err(Box::new(self.unknown(name)));
        }
        // Messages use the word of the sentence, not the container's full name.
        Ok(Endpoint { label: word.to_owned(), ..endpoint.clone() })
    }

    /// Everything that bears the name: a host, or containers; of those that a service has alike, the first.
    fn called(&self, name: &str) -> Vec<Endpoint> {
        if let Some((id, host)) = self.lab.hosts().find(|(_, h)| h.name == name) {
            return self.of_host(id, host).into_iter().collect();
        }
        let is_on = |host: HostId, own: &str| {
            name == own || name.strip_suffix(own).and_then(|n| n.strip_suffix('/')) == Some(&self.lab.host(host).name)
        };
        let by = |is_it: &dyn Fn(HostId, &Container) -> bool| -> Vec<(HostId, &Container)> {
            self.lab.containers().filter(|(host, c)| is_it(*host, c)).collect()
        };
        let mut found = by(&|host, c| is_on(host, &c.name));
        if found.is_empty() {
            found = by(&|host, c| c.aliases.iter().any(|alias| is_on(host, alias)));
            found.dedup_by(|a, b| a.0 == b.0 && service_of(a.1) == service_of(b.1));
        }
        found.into_iter().filter_map(|(host, container)| self.of_container(host, container)).collect()
    }

    /// Whether what is named after a host is rather one of its containers than a program.
    fn is_misspelt(&self, name: &Spanned<String>, host: &Endpoint) -> bool {
        let program = name.value.split_once('/').map_or("", |(_, program)| program);
        let containers = self.lab.containers().filter(|(id, _)| Some(*id) == host.host).map(|(_, c)| c);
        let names = containers.flat_map(|c| c.aliases.iter().chain([&c.name])).map(String::as_str);
        let is_known = |p: &&Process| p.name == program;
        let host = host.host.map(|id| self.lab.host(id));
        host.is_some_and(|h| !h.processes.iter().any(|p| is_known(&p))) && did_you_mean(program, names).is_some()
    }

    pub(super) fn of_host(&self, id: HostId, host: &Host) -> Option<Endpoint> {
        Some(Endpoint {
            label: host.name.clone(),
            node: self.node_named(&host.name)?,
            owner: None,
            host: Some(id),
            container: None,
            sources: None,
        })
    }

    pub(super) fn of_container(&self, id: HostId, container: &Container) -> Option<Endpoint> {
        let host = self.lab.host(id);
        let name = match &container.networking {
            Networking::Host(_) => host.name.clone(),
            Networking::Container(index, _) => {
                let shared = host.engine.as_ref()?.containers.get(*index)?;
                return Some(Endpoint {
                    label: container.short_name.clone(),
                    owner: Some(container.name.clone()),
                    container: Some(container.name.clone()),
                    ..self.of_container(id, shared)?
                });
            }
            Networking::Bridges(_) | Networking::None(_) => format!("{}/{}", host.name, container.name),
        };
        Some(Endpoint {
            label: container.short_name.clone(),
            node: self.node_named(&name)?,
            owner: Some(container.name.clone()),
            host: Some(id),
            container: Some(container.name.clone()),
            sources: None,
        })
    }

    /// Everyone that a subject means; `target` is left out of the sets, and so are the machines that it runs on.
    pub(super) fn members(
        &self,
        subject: &Subject,
        target: Option<&Endpoint>,
    ) -> Result<Vec<Endpoint>, Box<Diagnostic>> {
        let mut all: Vec<Endpoint> = Vec::new();
        for who in &subject.of {
            for member in self.one(who, target)? {
                if !all.iter().any(|known| is_same(known, Some(&member)) && member.sources.is_none()) {
                    all.push(member);
                }
            }
        }
        for who in &subject.except {
            all = self.without(all, who, target)?;
        }
        Ok(all)
    }

    /// The same, where a sentence about nobody would be a mistake.
    pub(super) fn some_members(
        &self,
        subject: &Subject,
        target: Option<&Endpoint>,
    ) -> Result<Vec<Endpoint>, Box<Diagnostic>> {
        let all = self.members(subject, target)?;
        let span = subject.except.first().or(subject.of.first()).map(Who::span);
        span.map_or(Ok(all.clone()), |span| non_empty(all, span, text!("nobody is left", "남는 것이 없음")))
    }

    fn one(&self, who: &Who, target: Option<&Endpoint>) -> Result<Vec<Endpoint>, Box<Diagnostic>> {
        match who {
            Who::Named(name) => match self.lab.groups.iter().find(|g| g.name == name.value) {
                Some(group) => group.members.iter().map(|m| self.named(&Spanned::new(m.clone(), name.span))).collect(),
                None => Ok(vec![self.named(name)?]),
            },
            Who::Addresses(net) => self.at(net),
            Who::Anyone(_) => {
                let below = self.machines_below(target);
                let is_below = |e: &Endpoint| e.container.is_none() && e.host.is_some_and(|id| below.contains(&id));
                Ok(self.everyone().into_iter().filter(|e| !is_same(e, target) && !is_below(e)).collect())
            }
            Who::Lan(span) => self.lan(*span, target),
            Who::Internet(span) => self.internet(*span).map(|e| vec![e]),
            Who::AnyContainer(span) => {
                let all = self.lab.containers().filter_map(|(host, c)| self.of_container(host, c));
                non_empty(
                    all.filter(|e| !is_same(e, target)).collect(),
                    *span,
                    text!("the lab has no other containers", "이 랩에는 다른 컨테이너가 없음"),
                )
            }
            Who::AnyHost(span) => {
                let all = self.lab.hosts().filter(|(_, h)| h.kind != HostKind::Router);
                let all = all.filter_map(|(id, h)| self.of_host(id, h)).filter(|e| !is_same(e, target));
                non_empty(all.collect(), *span, text!("the lab has no other hosts", "이 랩에는 다른 호스트가 없음"))
            }
            Who::Network(name) => self.on_network(name, target),
        }
    }

    /// Those of `all` that `who` does not mean. A machine that stands for many loses addresses.
    fn without(
        &self,
        all: Vec<Endpoint>,
        who: &Who,
        target: Option<&Endpoint>,
    ) -> Result<Vec<Endpoint>, Box<Diagnostic>> {
        if let Who::Addresses(net) = who {
            let has_one = |e: &Endpoint| self.dataplane.node(e.node).addresses().any(|a| net.value.contains(&a));
            let kept = all.into_iter().filter(|e| e.sources.is_some() || !has_one(e));
            return Ok(kept.filter_map(|e| e.without(net.value)).collect());
        }
        let excepted = self.one(who, target)?;
        Ok(all.into_iter().filter(|e| !excepted.iter().any(|other| is_same(e, Some(other)))).collect())
    }

    /// The machines with these addresses: those of the lab, and strangers on a LAN.
    fn at(&self, net: &Spanned<IpNet>) -> Result<Vec<Endpoint>, Box<Diagnostic>> {
        let has_one = |e: &Endpoint| self.dataplane.node(e.node).addresses().any(|a| net.value.contains(&a));
        let (crowds, machines): (Vec<_>, Vec<_>) = self.everyone().into_iter().partition(|e| e.sources.is_some());
        let mut all: Vec<Endpoint> = machines.into_iter().filter(has_one).collect();
        let strangers = crowds.into_iter().filter(|e| e.label != INTERNET).filter_map(|e| e.within(net.value));
        all.extend(strangers);
        non_empty(
            all,
            net.span,
            text!("no machine of the lab and no LAN has this address", "이 주소를 쓰는 머신도 LAN도 랩에 없음"),
        )
    }

    fn lan(&self, span: Span, target: Option<&Endpoint>) -> Result<Vec<Endpoint>, Box<Diagnostic>> {
        let all = self.on_segments(|segment| segment.kind == SegmentKind::Lan, target);
        non_empty(all, span, text!("the lab has no LAN", "이 랩에는 LAN이 없음"))
    }

    /// The machines on some segments: those that are named, and strangers.
    fn on_segments(&self, is_meant: impl Fn(&Segment) -> bool, target: Option<&Endpoint>) -> Vec<Endpoint> {
        let below = self.machines_below(target);
        let is_on = |host: &Host| {
            let on = |interface: &Interface| match interface.attachment {
                Attachment::Segment(id) => is_meant(self.lab.segment(id)),
                _ => false,
            };
            host.interfaces.iter().any(on)
        };
        let named = self.lab.hosts().filter(|(id, host)| host.kind != HostKind::Router && !below.contains(id));
        let named = named.filter(|(_, host)| is_on(host)).filter_map(|(id, host)| self.of_host(id, host));
        named.filter(|e| !is_same(e, target)).chain(self.strangers(&is_meant)).collect()
    }

    /// The machines that nobody names, one endpoint for each LAN.
    fn strangers(&self, is_meant: impl Fn(&Segment) -> bool) -> impl Iterator<Item = Endpoint> {
        let lans = self.lab.segments.iter().filter(move |s| s.kind == SegmentKind::Lan && is_meant(s));
        lans.filter_map(move |segment| {
            let name = stranger_name(&segment.name);
            let node = self.node_named(&name)?;
            let taken = self.addresses_of(node).into_iter().map(IpNet::from).collect();
            let sources = Some(free_addresses(segment.subnets.clone(), taken));
            Some(Endpoint { label: name, node, owner: None, host: None, container: None, sources })
        })
    }

    /// Everyone who can dial, from far to near: the internet, strangers, hosts, and containers with a network
    /// namespace of their own.
    pub(super) fn everyone(&self) -> Vec<Endpoint> {
        let hosts = self.lab.hosts().filter(|(_, h)| h.kind != HostKind::Router);
        let hosts = hosts.filter_map(|(id, h)| self.of_host(id, h));
        let has_own = |c: &Container| matches!(c.networking, Networking::Bridges(_) | Networking::None(_));
        let containers = self.lab.containers().filter(|(_, c)| has_own(c));
        let containers = containers.filter_map(|(id, c)| self.of_container(id, c));
        self.outside().into_iter().chain(self.strangers(|_| true)).chain(hosts).chain(containers).collect()
    }

    /// Addresses on the links of a node that somebody has.
    fn addresses_of(&self, node: NodeId) -> Vec<IpAddr> {
        let links = self.dataplane.node(node).interfaces.iter().filter_map(|i| i.link);
        links
            .flat_map(|link| self.dataplane.members(link))
            .flat_map(|(_, _, i)| i.addresses.iter().map(|a| a.net.addr()))
            .collect()
    }

    /// The target's host, the host that runs that VM, and so on.
    fn machines_below(&self, target: Option<&Endpoint>) -> Vec<HostId> {
        let mut below = Vec::new();
        let mut next = target.and_then(|t| t.host);
        while let Some(id) = next.filter(|id| !below.contains(id)) {
            below.push(id);
            next = match self.lab.host(id).kind {
                HostKind::Vm { on } => Some(on),
                HostKind::Physical | HostKind::Router => None,
            };
        }
        below
    }

    /// The lab's addresses outside: those of its routers.
    fn public_addresses(&self) -> Vec<IpAddr> {
        let link = self
            .node_named(INTERNET)
            .and_then(|id| self.dataplane.node(id).interfaces.iter().find_map(|interface| interface.link));
        let members = link.into_iter().flat_map(|link| self.dataplane.members(link));
        members.flat_map(|(_, _, i)| i.addresses.iter().map(|a| a.net.addr())).collect()
    }

    /// Addresses that a person would try for a target: its own, and those of the machines that it runs on. Loopback
    /// only from one of these.
    pub(super) fn addresses_towards(&self, member: &Endpoint, target: Option<&Endpoint>) -> Vec<IpAddr> {
        let Some(target) = target else { return self.known_addresses() };
        if member.label == INTERNET {
            return self.public_addresses();
        }
        let machines = self.machines_below(Some(target));
        let of_machines = machines.iter().flat_map(|id| &self.lab.host(*id).interfaces).flat_map(|i| &i.addresses);
        let mut all: Vec<IpAddr> = of_machines.map(|a| a.net.addr()).collect();
        all.extend(self.dataplane.node(target.node).addresses().filter(|a| !a.is_loopback()));
        let nodes = machines.iter().filter_map(|id| self.node_named(&self.lab.host(*id).name));
        if nodes.chain([target.node]).any(|node| node == member.node) {
            all.push(Family::V4.loopback());
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    pub(super) fn internet(&self, span: Span) -> Result<Endpoint, Box<Diagnostic>> {
        self.outside().ok_or_else(|| {
            Box::new(
                Diagnostic::new(
                    Code::SentenceUnknownName,
                    text!(
                        "no network of the lab leads to the internet",
                        "이 랩에는 인터넷으로 나가는 네트워크가 없습니다"
                    ),
                )
                .label(span, text!("this needs one", "이 문장에는 필요함"))
                .help(text!(
                    "give a network a `gateway` in lab.yaml",
                    "lab.yaml에서 네트워크에 `gateway`를 적으십시오"
                )),
            )
        })
    }

    fn outside(&self) -> Option<Endpoint> {
        let node = self.node_named(INTERNET)?;
        let everything = IpNet::V4(Ipv4Net::default());
        let natural = Some(IpAddr::from([198, 51, 100, 7]));
        let sources = Some(Sources {
            within: vec![everything],
            except: self.known_addresses().into_iter().map(IpNet::from).collect(),
            natural,
        });
        Some(Endpoint { label: INTERNET.to_owned(), node, owner: None, host: None, container: None, sources })
    }

    /// Every address of the lab: a machine outside has none of these.
    pub(super) fn known_addresses(&self) -> Vec<IpAddr> {
        let mut all: Vec<IpAddr> =
            self.dataplane.nodes().flat_map(|(_, n)| n.addresses()).filter(IpAddr::is_ipv4).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Where an endpoint is defined.
    pub(super) fn span_of(&self, endpoint: &Endpoint) -> Option<Span> {
        let container = self.lab.containers().find(|(_, c)| Some(&c.name) == endpoint.container.as_ref());
        match container {
            Some((_, container)) => container.origin.span(),
            None => endpoint.host.and_then(|id| self.lab.host(id).origin.span()),
        }
    }

    /// A container of which nothing says what runs in it: no table, no declaration, no published port.
    pub(super) fn content_is_unknown(&self, aim: &Aim) -> bool {
        let Some(name) = aim.endpoint.as_ref().and_then(|e| e.container.as_ref()) else { return false };
        let mut containers = self.lab.containers().filter(|(_, c)| c.name == *name);
        containers.any(|(_, c)| c.processes.iter().all(|p| p.listens.is_empty()))
    }

    fn on_network(&self, name: &Spanned<String>, target: Option<&Endpoint>) -> Result<Vec<Endpoint>, Box<Diagnostic>> {
        let mut found = false;
        let mut all = Vec::new();
        for (id, host) in self.lab.hosts() {
            let Some(engine) = &host.engine else { continue };
            for (index, network) in engine.networks.iter().enumerate() {
                if network.name != name.value && !network.aliases.contains(&name.value) {
                    continue;
                }
                found = true;
                let members = engine.containers.iter().filter(|c| match &c.networking {
                    Networking::Bridges(endpoints) => endpoints.iter().any(|e| e.network == index),
                    _ => false,
                });
                all.extend(members.filter_map(|c| self.of_container(id, c)).filter(|e| !is_same(e, target)));
            }
        }
        if !found && self.lab.segments.iter().any(|segment| segment.name == name.value) {
            let on_segment = self.on_segments(|segment| segment.name == name.value, target);
            return non_empty(
                on_segment,
                name.span,
                text!("nobody else is on this network", "이 네트워크에는 다른 것이 없음"),
            );
        }
        if !found {
            let networks = self.lab.hosts.iter().filter_map(|h| h.engine.as_ref()).flat_map(|e| &e.networks);
            let segments = self.lab.segments.iter().map(|segment| segment.name.as_str());
            let known: Vec<&str> = networks.map(|n| n.name.as_str()).chain(segments).collect();
            return Err(Box::new(unknown(&text!("network", "네트워크"), name, &known)));
        }
        non_empty(all, name.span, text!("nobody else is on this network", "이 네트워크에는 다른 것이 없음"))
    }

    fn unknown(&self, name: &Spanned<String>) -> Diagnostic {
        let hosts = self.lab.hosts.iter().map(|h| h.name.clone());
        let containers = self.lab.containers().flat_map(|(id, container)| {
            let host = if name.value.contains('/') { self.lab.host(id).name.clone() + "/" } else { String::new() };
            container.aliases.iter().chain([&container.name]).map(move |own| format!("{host}{own}"))
        });
        let groups = self.lab.groups.iter().map(|g| g.name.clone());
        let known: Vec<String> = hosts.chain(containers).chain(groups).collect();
        unknown(
            &text!("host or container", "호스트나 컨테이너"),
            name,
            &known.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    }
}

/// Any free address; for examples one in the middle of the subnet, where no router or server is expected.
fn free_addresses(within: Vec<IpNet>, except: Vec<IpNet>) -> Sources {
    let of_first = || within.iter().flat_map(|net| net.hosts().take(1024));
    let free = |address: &IpAddr| !except.iter().any(|net| net.contains(address));
    let natural = of_first().skip(49).find(free).or_else(|| of_first().find(free));
    Sources { within, except, natural }
}

fn unknown(kind: &Text, name: &Spanned<String>, known: &[&str]) -> Diagnostic {
    let called = &name.value;
    let message = text!("there is no {kind} called `{called}`", "`{called}`: 이런 이름의 {kind}는 없습니다"; kind);
    let label = text!("not in the lab", "랩에 없음");
    let mut diagnostic = Diagnostic::new(Code::SentenceUnknownName, message).label(name.span, label);
    let mut listed: Vec<&str> = known.to_vec();
    listed.sort_unstable();
    listed.dedup();
    if let Some(meant) = did_you_mean(&name.value, listed.iter().copied()) {
        diagnostic = diagnostic.help(text!("did you mean `{meant}`?", "혹시 `{meant}`?"));
    } else if !listed.is_empty() {
        diagnostic = diagnostic.help(text!("the lab has: {all}", "랩에 있는 것: {all}", all = listed.join(", ")));
    }
    diagnostic
}

fn non_empty(all: Vec<Endpoint>, span: Span, otherwise: Text) -> Result<Vec<Endpoint>, Box<Diagnostic>> {
    if all.is_empty() {
        let message = text!("the sentence is about nobody", "문장의 주어에 해당하는 것이 없습니다");
        let diagnostic = Diagnostic::new(Code::SentenceUnknownName, message);
        return Err(Box::new(diagnostic.label(span, otherwise)));
    }
    Ok(all)
}

/// A container's name without the number that compose gives to those of one service (`shop-web-2`).
fn service_of(container: &Container) -> &str {
    match container.name.rsplit_once('-') {
        Some((service, number)) if number.parse::<u32>().is_ok() => service,
        _ => &container.name,
    }
}

fn ambiguous(name: &Spanned<String>, word: &str, bearers: &[Endpoint]) -> Diagnostic {
    let count = bearers.len();
    let message =
        text!("`{word}` is the name of {count} containers", "`{word}`: 이름이 같은 컨테이너가 {count}개 있습니다");
    let full: Vec<String> = bearers.iter().map(|endpoint| format!("`{}`", endpoint.label)).collect();
    let all = full.join(", ");
    Diagnostic::new(Code::SentenceUnknownName, message)
        .label(name.span, text!("which one is meant?", "어느 것인지?"))
        .help(text!("write one of {all}", "이 가운데 하나로 쓰십시오: {all}"))
}

pub(super) fn is_same(endpoint: &Endpoint, other: Option<&Endpoint>) -> bool {
    other.is_some_and(|o| o.node == endpoint.node && o.container == endpoint.container)
}
