//! Lab and dataplane -> picture.

mod engine;
mod firewall;
mod forwards;

use std::collections::{BTreeMap, BTreeSet};

use crate::dataplane::{Dataplane, Interface, InterfaceId, NodeId, NodeKind};
use crate::lab::{Attachment, Host, HostId, HostKind, Lab, Listen, Os, Segment, SegmentId, SegmentKind};
use crate::language::{Language, Text, text};
use crate::net::{PortRange, Protocol, url_host};
use crate::provenance::Basis;
use crate::switch::Setting;

use super::places::Places;
use super::{Door, DoorKind, House, HouseKind, Id, Picture, Wire};

/// Draws a lab, with everything written on it in a language.
pub fn picture(lab: &Lab, dataplane: &Dataplane, language: Language) -> Picture {
    let mut builder = Builder {
        lab,
        dataplane,
        language,
        setting: dataplane.switches.defaults(),
        next: 0,
        places: Places::default(),
        drawn: BTreeSet::new(),
        internet: None,
        segments: BTreeMap::new(),
        wires: Vec::new(),
        plugs: Vec::new(),
    };
    let mut houses: Vec<House> = builder.internet().into_iter().collect();
    for (index, segment) in lab.segments.iter().enumerate() {
        if segment.kind == SegmentKind::Lan {
            houses.push(builder.lan(SegmentId(index), segment));
        }
    }
    houses.extend(builder.leftovers());
    builder.finished(houses)
}

struct Builder<'a> {
    lab: &'a Lab,
    dataplane: &'a Dataplane,
    language: Language,
    setting: Setting,
    next: usize,
    places: Places,
    /// Hosts that have a place already.
    drawn: BTreeSet<HostId>,
    internet: Option<Id>,
    segments: BTreeMap<SegmentId, Id>,
    wires: Vec<Wire>,
    /// Adapters whose segment may be drawn later than they are, and the house that they stand in.
    plugs: Vec<(Id, SegmentId)>,
}

impl<'a> Builder<'a> {
    fn id(&mut self) -> Id {
        self.next += 1;
        Id(self.next - 1)
    }

    fn say(&self, text: &Text) -> String {
        text.in_language(self.language).to_owned()
    }

    fn house(&mut self, kind: HouseKind, title: impl Into<Text>, label: impl Into<Text>) -> House {
        let (id, title, label) = (self.id(), self.say(&title.into()), self.say(&label.into()));
        House { id, kind, title, label, facts: Vec::new(), doors: Vec::new(), rooms: Vec::new() }
    }

    fn door(&mut self, kind: DoorKind, lines: Vec<String>) -> Door {
        Door { id: self.id(), kind, lines }
    }

    /// The node that stands for every machine outside: it alone answers for addresses that nobody has.
    fn internet(&mut self) -> Option<House> {
        let is_it = |i: &Interface| !i.claims.is_empty() && !i.only_dials;
        let (node, found) = self.dataplane.nodes().find(|(_, node)| node.interfaces.iter().any(is_it))?;
        let house =
            self.house(HouseKind::Internet, found.name.as_str(), text!("any machine outside", "바깥의 모든 머신"));
        self.place_node(node, house.id);
        self.internet = Some(house.id);
        Some(house)
    }

    /// A node that is one card, with all of its interfaces.
    fn place_node(&mut self, node: NodeId, id: Id) {
        self.places.nodes.insert(node, id);
        for index in 0..self.dataplane.node(node).interfaces.len() {
            self.places.interfaces.insert((node, InterfaceId(index)), id);
        }
    }

    fn lan(&mut self, id: SegmentId, segment: &Segment) -> House {
        let mut lan = self.house(HouseKind::Lan, segment.name.as_str(), "LAN");
        lan.facts = subnets(segment);
        self.segments.insert(id, lan.id);
        for (host_id, host) in self.lab.hosts() {
            let is_first = !matches!(host.kind, HostKind::Vm { .. }) && lans(self.lab, host).next() == Some(id);
            if is_first {
                lan.rooms.extend(self.host(host_id, host));
            }
        }
        // Routers lead out: they stand nearest to the internet.
        lan.rooms.sort_by_key(|house| house.kind != HouseKind::Router);
        lan.rooms.extend(self.stranger(segment));
        lan
    }

    fn stranger(&mut self, segment: &Segment) -> Option<House> {
        let link = self.dataplane.links.iter().position(|link| link.name == segment.name)?;
        let is_it = |i: &Interface| i.only_dials && i.link.is_some_and(|id| id.0 == link);
        let (node, _) = self.dataplane.nodes().find(|(_, node)| node.interfaces.iter().any(is_it))?;
        let mut house =
            self.house(HouseKind::Stranger, text!("any other machine", "그 밖의 머신"), text!("unknown", "알 수 없음"));
        house.facts = subnets(segment);
        self.place_node(node, house.id);
        Some(house)
    }

    /// A machine with everything that runs on it; nothing if it has a place already.
    fn host(&mut self, id: HostId, host: &'a Host) -> Option<House> {
        let is_new = self.drawn.insert(id);
        let node = self.dataplane.node_named(&host.name).filter(|_| is_new)?;
        let guests: Vec<(HostId, &Host)> = self.lab.hosts().filter(|(_, guest)| runs_on(guest) == Some(id)).collect();
        if host.kind == HostKind::Router && host.engine.is_none() && guests.is_empty() {
            return Some(self.router(node, host));
        }
        let (kind, what) = match host.kind {
            HostKind::Vm { .. } => (HouseKind::Vm, text!("virtual machine", "가상 머신")),
            HostKind::Physical => (HouseKind::Machine, text!("machine", "머신")),
            HostKind::Router => (HouseKind::Machine, text!("router", "공유기")),
        };
        let label = text!("{what}, {os}", "{what}, {os}", os = os(host.os); what);
        let mut house = self.house(kind, host.name.as_str(), label);
        self.places.nodes.insert(node, house.id);
        house.doors = self.adapters(host, node);
        house.doors.extend(self.guards(host, node));
        house.doors.extend(self.forwards(id, node));
        house.doors.extend(self.listens(host, node));
        house.rooms = self.segments_of(id);
        for (guest, _) in &guests {
            house.rooms.extend(self.nat_of(*guest));
        }
        for (guest_id, guest) in guests {
            house.rooms.extend(self.host(guest_id, guest));
        }
        house.rooms.extend(self.networks(host, node));
        Some(house)
    }

    fn router(&mut self, node: NodeId, host: &Host) -> House {
        let mut house = self.house(HouseKind::Router, host.name.as_str(), text!("router", "공유기"));
        house.facts =
            host.interfaces.iter().flat_map(|i| i.addresses.iter().map(|a| a.net.addr().to_string())).collect();
        self.place_node(node, house.id);
        self.wires.extend(self.internet.map(|internet| Wire { from: house.id, to: internet }));
        let lans: Vec<SegmentId> = lans(self.lab, host).skip(1).collect();
        self.plugs.extend(lans.into_iter().map(|lan| (house.id, lan)));
        house
    }

    /// One door for each adapter; interface 0 of a node is its loopback.
    fn adapters(&mut self, host: &Host, node: NodeId) -> Vec<Door> {
        let mut doors = Vec::new();
        let home = lans(self.lab, host).next().filter(|_| runs_on(host).is_none());
        let mut is_home_taken = false;
        for (index, adapter) in host.interfaces.iter().enumerate() {
            let mut text = adapter.name.clone();
            adapter.addresses.iter().for_each(|address| text += &format!(" {}", address.net.addr()));
            if !adapter.connected {
                text += &self.say(&text!(" (no cable)", " (케이블 없음)"));
            }
            let door = self.door(DoorKind::Adapter, vec![text]);
            self.places.interfaces.insert((node, InterfaceId(index + 1)), door.id);
            match &adapter.attachment {
                Attachment::Segment(id) if home == Some(*id) && !is_home_taken => is_home_taken = true,
                Attachment::Segment(id) => self.plugs.push((door.id, *id)),
                Attachment::Nat(_) | Attachment::Mirrored | Attachment::Unattached => {}
            }
            doors.push(door);
        }
        doors
    }

    fn listens(&mut self, host: &Host, node: NodeId) -> Vec<Door> {
        let mut doors = Vec::new();
        for process in &host.processes {
            let who = if process.name == host.name { String::new() } else { format!(" {}", process.name) };
            for listen in &process.listens {
                if !self.setting.allows(listen.guard) {
                    continue;
                }
                let door = self.door(listens_kind(listen), vec![format!("{}{who}", listen_text(listen))]);
                self.places.sockets.insert((node, host.name.clone(), listen.ports.first), door.id);
                doors.push(door);
            }
        }
        doors
    }

    /// Networks that exist only inside a machine.
    fn segments_of(&mut self, id: HostId) -> Vec<House> {
        let mut houses = Vec::new();
        for (index, segment) in self.lab.segments.iter().enumerate() {
            let segment_id = SegmentId(index);
            let is_inside = segment.kind != SegmentKind::Lan && !self.segments.contains_key(&segment_id);
            if is_inside && keeper(self.lab, segment_id, segment) == Some(id) {
                houses.push(self.segment(segment_id, segment));
            }
        }
        houses
    }

    fn segment(&mut self, id: SegmentId, segment: &Segment) -> House {
        let label = match segment.kind {
            SegmentKind::Lan => text!("LAN", "LAN"),
            SegmentKind::HostOnly => text!("host-only network", "호스트 전용 네트워크"),
            SegmentKind::Internal => text!("internal network", "내부 네트워크"),
            SegmentKind::NatNetwork => text!("NAT network", "NAT 네트워크"),
            SegmentKind::Hosted => text!("virtual network", "가상 네트워크"),
        };
        let mut house = self.house(HouseKind::Segment, segment.name.as_str(), label);
        house.facts = subnets(segment);
        self.segments.insert(id, house.id);
        let link = self.dataplane.links.iter().position(|link| link.name == segment.name);
        let engine = self.dataplane.nodes().find(|(_, node)| {
            node.kind == NodeKind::UserNat
                && node.interfaces.iter().any(|i| i.link.map(|l| l.0) == link && link.is_some())
        });
        if let Some((node, _)) = engine {
            self.place_node(node, house.id);
        }
        house
    }

    /// The NAT engines in front of a virtual machine's adapters.
    fn nat_of(&mut self, guest: HostId) -> Vec<House> {
        let host = self.lab.host(guest);
        let Some(node) = self.dataplane.node_named(&host.name) else { return Vec::new() };
        let mut houses = Vec::new();
        for (index, adapter) in host.interfaces.iter().enumerate() {
            let Attachment::Nat(nat) = &adapter.attachment else { continue };
            let link = self.dataplane.node(node).interfaces.get(index + 1).and_then(|i| i.link);
            let Some(link) = link else { continue };
            let engine = self.dataplane.members(link).map(|(id, ..)| id).find(|id| *id != node);
            let title = text!("NAT of {name}", "{name}의 NAT", name = &host.name);
            let mut house = self.house(HouseKind::Nat, title, text!("NAT engine", "NAT 엔진"));
            let (gateway, network) = (nat.gateway, nat.network);
            house.facts = vec![self.say(&text!("{gateway} inside {network}", "{network} 안의 {gateway}"))];
            if let Some(engine) = engine {
                self.place_node(engine, house.id);
            }
            houses.push(house);
        }
        houses
    }

    /// What stands on no LAN and in no machine.
    fn leftovers(&mut self) -> Vec<House> {
        let mut houses = Vec::new();
        let lab = self.lab;
        for wanted in [false, true] {
            for (id, host) in lab.hosts().filter(|(_, host)| runs_on(host).is_some() == wanted) {
                houses.extend(self.host(id, host));
            }
        }
        for (index, segment) in lab.segments.iter().enumerate() {
            if !self.segments.contains_key(&SegmentId(index)) {
                houses.push(self.segment(SegmentId(index), segment));
            }
        }
        houses
    }

    fn finished(mut self, houses: Vec<House>) -> Picture {
        for (from, segment) in &self.plugs {
            self.wires.extend(self.segments.get(segment).map(|to| Wire { from: *from, to: *to }));
        }
        self.wire_nat_adapters();
        let mut picture = Picture { houses, wires: self.wires, places: self.places, language: self.language };
        let mut outer = BTreeMap::new();
        for (house, around) in picture.all_houses() {
            outer.extend(around.map(|around| (house.id, around)));
            outer.extend(house.doors.iter().map(|door| (door.id, house.id)));
        }
        picture.places.outer = outer;
        picture
    }

    fn wire_nat_adapters(&mut self) {
        for host in &self.lab.hosts {
            let Some(node) = self.dataplane.node_named(&host.name) else { continue };
            for (index, adapter) in host.interfaces.iter().enumerate() {
                let Attachment::Nat(_) = &adapter.attachment else { continue };
                let link = self.dataplane.node(node).interfaces.get(index + 1).and_then(|i| i.link);
                let engine =
                    link.and_then(|link| self.dataplane.members(link).map(|(id, ..)| id).find(|id| *id != node));
                let from = self.places.interfaces.get(&(node, InterfaceId(index + 1)));
                let to = engine.and_then(|engine| self.places.nodes.get(&engine));
                self.wires.extend(from.zip(to).map(|(from, to)| Wire { from: *from, to: *to }));
            }
        }
    }
}

/// Listening ports as a person writes them: `:80`, `127.0.0.1:53/udp`.
fn listen_text(listen: &Listen) -> String {
    port_text(listen.address.map(url_host).unwrap_or_default(), listen.ports, listen.protocol)
}

fn port_text(address: String, ports: PortRange, protocol: Protocol) -> String {
    let protocol = if protocol == Protocol::Tcp { String::new() } else { format!("/{protocol}") };
    format!("{address}:{ports}{protocol}")
}

fn listens_kind(listen: &Listen) -> DoorKind {
    if matches!(listen.origin.basis, Basis::Assumed { .. }) { DoorKind::Assumed } else { DoorKind::Listens }
}

fn subnets(segment: &Segment) -> Vec<String> {
    segment.subnets.iter().map(ToString::to_string).collect()
}

fn runs_on(host: &Host) -> Option<HostId> {
    match host.kind {
        HostKind::Vm { on } => Some(on),
        HostKind::Physical | HostKind::Router => None,
    }
}

/// The LANs that a host is on, in the order of its adapters.
fn lans<'a>(lab: &'a Lab, host: &'a Host) -> impl Iterator<Item = SegmentId> + 'a {
    let segment = |attachment: &Attachment| match attachment {
        Attachment::Segment(id) => Some(*id),
        Attachment::Nat(_) | Attachment::Mirrored | Attachment::Unattached => None,
    };
    let all = host.interfaces.iter().filter_map(move |i| segment(&i.attachment));
    all.filter(|id| lab.segment(*id).kind == SegmentKind::Lan)
}

/// The machine inside which a segment exists: the one that is on it, or that runs the machines on it.
fn keeper(lab: &Lab, id: SegmentId, segment: &Segment) -> Option<HostId> {
    let is_on = |host: &Host| host.interfaces.iter().any(|i| matches!(i.attachment, Attachment::Segment(s) if s == id));
    let shared = segment.nat.as_ref().map(|shared| shared.on);
    shared.or_else(|| lab.hosts().filter(|(_, host)| is_on(host)).find_map(|(_, host)| runs_on(host)))
}

fn os(os: Os) -> &'static str {
    match os {
        Os::Linux => "Linux",
        Os::MacOs => "macOS",
        Os::Windows => "Windows",
    }
}
