//! In the way of a virtual machine: a cable that is out, a network that the other one is not on, a closed 10.0.2.2.

use std::net::IpAddr;

use crate::diagnostic::Code;
use crate::lab::{Attachment, Host, HostId, HostKind, Interface, Lab, Segment, SegmentId, SegmentKind};
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::provenance::Origin;
use crate::source::Span;

use crate::check::place::Endpoint;

use super::{Obstacle, Scene, blamed, edit};

/// Where the DHCP servers of host-only networks begin (VirtualBox manual, section 6.7); on a LAN it is a guess.
const FIRST_LEASE: usize = 100;

pub(super) fn obstacles(scene: &Scene<'_>) -> Vec<Obstacle> {
    let mut all = Vec::new();
    for (id, host) in scene.hosts().filter(|(_, host)| matches!(host.kind, HostKind::Vm { .. })) {
        for (index, interface) in host.interfaces.iter().enumerate() {
            all.extend(cable(scene, id, host, index, interface));
            all.extend(host_loopback(scene, id, host, index, interface));
        }
    }
    all.extend(scene.target.into_iter().flat_map(|target| elsewhere(scene, target, scene.subject, 30)));
    all.extend(scene.target.into_iter().flat_map(|target| elsewhere(scene, scene.subject, target, 31)));
    all
}

fn change(host: HostId, index: usize, change: impl Fn(&mut Interface) + 'static) -> Box<dyn Fn(&mut Lab)> {
    Box::new(move |lab| {
        lab.hosts.get_mut(host.0).and_then(|h| h.interfaces.get_mut(index)).into_iter().for_each(&change);
    })
}

fn cable(scene: &Scene<'_>, id: HostId, host: &Host, index: usize, interface: &Interface) -> Option<Obstacle> {
    let tag = interface.origin.span().filter(|_| !interface.connected)?;
    let (name, number) = (&host.name, index + 1);
    let place = scene.swapped(tag, "cable=\"false\"", "cable=\"true\"");
    let command = || format!("VBoxManage modifyvm {name} --cable-connected{number} on");
    Some(Obstacle {
        weight: 6,
        code: Code::VboxCableOut,
        blocker: text!(
            "the cable of adapter {number} of `{name}` is not plugged in",
            "`{name}`의 {number}번 어댑터에 케이블이 꽂혀 있지 않습니다"
        ),
        shown: interface.origin.clone(),
        edit: edit(
            text!("plug in the cable of adapter {number} of `{name}`", "`{name}`의 {number}번 어댑터에 케이블 꽂기"),
            place,
            command,
        ),
        moves_target: false,
        clear: change(id, index, |interface| interface.connected = true),
    })
}

fn host_loopback(scene: &Scene<'_>, id: HostId, host: &Host, index: usize, interface: &Interface) -> Option<Obstacle> {
    let Attachment::Nat(nat) = &interface.attachment else { return None };
    if nat.localhost_reachable || scene.subject.host != Some(id) {
        return None;
    }
    let (name, number, gateway) = (&host.name, index + 1, nat.gateway);
    let place = nat
        .origin
        .span()
        .and_then(|span| scene.swapped(span, "localhost-reachable=\"false\"", "localhost-reachable=\"true\""));
    let command = || format!("VBoxManage modifyvm {name} --nat-localhostreachable{number} on");
    Some(Obstacle {
        weight: 12,
        code: Code::NatHostLoopback,
        blocker: text!(
            "{gateway} does not lead `{name}` to the loopback of its host",
            "{gateway} 주소로는 `{name}`에서 호스트의 루프백에 닿을 수 없습니다"
        ),
        shown: nat.origin.clone(),
        edit: edit(
            text!(
                "let `{name}` reach its host at {gateway}",
                "`{name}`에서 {gateway} 주소로 호스트에 연결할 수 있게 함"
            ),
            place,
            command,
        ),
        moves_target: false,
        clear: change(id, index, |interface| {
            if let Attachment::Nat(nat) = &mut interface.attachment {
                nat.localhost_reachable = true;
            }
        }),
    })
}

/// Where `moved` runs in a VM and shares no network with `other`: each of its adapters on each network of the other.
fn elsewhere(scene: &Scene<'_>, moved: &Endpoint, other: &Endpoint, weight: u32) -> Vec<Obstacle> {
    let Some((id, vm)) = moved.host.map(|id| (id, scene.lab.host(id))) else { return Vec::new() };
    let HostKind::Vm { on } = vm.kind else { return Vec::new() };
    let theirs = segments_of(scene.lab, other);
    if segments(vm).any(|own| theirs.contains(&own)) {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (index, interface) in vm.interfaces.iter().enumerate() {
        let Attachment::Segment(now) = interface.attachment else { continue };
        // Machines of libvirt and WSL are none of VirtualBox's.
        if scene.lab.segment(now).kind == SegmentKind::Hosted {
            continue;
        }
        for to in &theirs {
            let Some(mode) = mode(scene, on, *to) else { continue };
            let place = Place { id, vm, index, interface, now, to: *to };
            all.push(place.obstacle(scene, &other.label, &mode, weight));
        }
    }
    all
}

fn segments(host: &Host) -> impl Iterator<Item = SegmentId> {
    host.interfaces.iter().filter_map(|interface| match interface.attachment {
        Attachment::Segment(id) => Some(id),
        _ => None,
    })
}

/// The segments of a host; of somebody without a name, the one that it stands for.
fn segments_of(lab: &Lab, end: &Endpoint) -> Vec<SegmentId> {
    match end.host {
        Some(id) => segments(lab.host(id)).collect(),
        None => {
            let within = end.sources.iter().flat_map(|sources| &sources.within);
            let within: Vec<&IpNet> = within.collect();
            let is_it = |(_, s): &(usize, &Segment)| s.subnets.iter().any(|subnet| within.contains(&subnet));
            lab.segments.iter().enumerate().filter(is_it).map(|(index, _)| SegmentId(index)).collect()
        }
    }
}

/// How an adapter is attached to a segment.
struct Mode {
    element: String,
    options: Box<dyn Fn(usize) -> String>,
    what: Text,
}

fn mode(scene: &Scene<'_>, on: HostId, to: SegmentId) -> Option<Mode> {
    let segment = scene.lab.segment(to);
    let name = segment.name.clone();
    let runner = scene.lab.host(on);
    Some(match segment.kind {
        SegmentKind::Lan => {
            let interface =
                runner.interfaces.iter().find(|i| matches!(i.attachment, Attachment::Segment(id) if id == to));
            let name = interface?.name.clone();
            Mode {
                element: format!("<BridgedInterface name=\"{name}\"/>"),
                what: text!("on the network of `{name}`, bridged", "`{name}` 인터페이스의 네트워크에 브리지로"),
                options: Box::new(move |n| format!("--nic{n} bridged --bridge-adapter{n} {name}")),
            }
        }
        SegmentKind::HostOnly => Mode {
            element: format!("<HostOnlyInterface name=\"{name}\"/>"),
            what: text!("on host-only network `{name}`", "`{name}` 호스트 전용 네트워크에"),
            options: Box::new(move |n| format!("--nic{n} hostonly --host-only-adapter{n} {name}")),
        },
        SegmentKind::Internal => Mode {
            element: format!("<InternalNetwork name=\"{name}\"/>"),
            what: text!("on internal network `{name}`", "`{name}` 내부 네트워크에"),
            options: Box::new(move |n| format!("--nic{n} intnet --intnet{n} {name}")),
        },
        // VirtualBox does not attach to networks of libvirt or WSL.
        SegmentKind::Hosted => return None,
        SegmentKind::NatNetwork => Mode {
            element: format!("<NATNetwork name=\"{name}\"/>"),
            what: text!("on NAT network `{name}`", "`{name}` NAT 네트워크에"),
            options: Box::new(move |n| format!("--nic{n} natnetwork --nat-network{n} {name}")),
        },
    })
}

/// An adapter of a machine, where it is and where it could be.
struct Place<'a> {
    id: HostId,
    vm: &'a Host,
    index: usize,
    interface: &'a Interface,
    now: SegmentId,
    to: SegmentId,
}

impl Place<'_> {
    fn obstacle(&self, scene: &Scene<'_>, other: &str, mode: &Mode, weight: u32) -> Obstacle {
        let (name, number) = (&self.vm.name, self.index + 1);
        let element = self.element(scene);
        let shown = match element {
            Some(span) => Origin::written(text!("the network of the adapter", "어댑터의 네트워크"), span),
            None => blamed("the network of the adapter", &self.interface.origin),
        };
        let command = || format!("VBoxManage modifyvm {name} {}", (mode.options)(number));
        let now = &scene.lab.segment(self.now).name;
        let (to, new) = (self.to, self.address(scene.lab));
        Obstacle {
            weight,
            code: Code::VboxOtherNetwork,
            blocker: text!(
                "adapter {number} of `{name}` is on `{now}`, where `{other}` is not",
                "`{name}`의 {number}번 어댑터는 `{now}`에 있고, `{other}` 쪽은 거기에 없습니다"
            ),
            shown,
            edit: edit(
                text!("put adapter {number} of `{name}` {place}", "`{name}`의 {number}번 어댑터를 {place} 연결", place = &mode.what; place),
                element.map(|span| (span, mode.element.clone())),
                command,
            ),
            moves_target: false,
            clear: change(self.id, self.index, move |interface| {
                interface.attachment = Attachment::Segment(to);
                if let (Some(net), Some(first)) = (new, interface.addresses.first_mut()) {
                    first.net = net;
                }
            }),
        }
    }

    /// The element inside of the adapter's that says where it is attached.
    fn element(&self, scene: &Scene<'_>) -> Option<Span> {
        let tag = self.interface.origin.span()?;
        if !scene.sources.text(tag).starts_with("<Adapter") {
            return None;
        }
        let text = &scene.sources.get(tag.source).text;
        let inside = text.get(tag.end..)?;
        let inside = inside.get(..inside.find("</Adapter>")?)?;
        let behind_others = inside.find("</DisabledModes>").unwrap_or(0);
        let names = ["<HostOnlyInterface ", "<InternalNetwork ", "<NATNetwork ", "<BridgedInterface "];
        let start = names.iter().find_map(|name| inside.get(behind_others..)?.find(name))? + behind_others;
        let end = start + inside.get(start..)?.find("/>")? + 2;
        Some(Span::new(tag.source, tag.end + start, tag.end + end))
    }

    /// The address that it would get there, unless its own is good there as well.
    fn address(&self, lab: &Lab) -> Option<IpNet> {
        let subnets = &lab.segment(self.to).subnets;
        let own = self.interface.addresses.first()?.net;
        let is_good = subnets.is_empty() || subnets.iter().any(|subnet| subnet.contains(&own.addr()));
        if is_good {
            return None;
        }
        let subnet = subnets.first()?;
        let taken: Vec<IpAddr> =
            lab.hosts.iter().flat_map(|h| &h.interfaces).flat_map(|i| &i.addresses).map(|a| a.net.addr()).collect();
        let free = subnet.hosts().skip(FIRST_LEASE).chain(subnet.hosts()).find(|a| !taken.contains(a))?;
        IpNet::new(free, subnet.prefix_len()).ok()
    }
}
