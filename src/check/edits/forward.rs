//! Forwards of the NAT in front of a virtual machine: one that is missing, or one that leads elsewhere.

use std::net::IpAddr;

use crate::diagnostic::Code;
use crate::lab::machine::ForwardNotation;
use crate::lab::{Attachment, Forward, Host, HostId, HostKind, Lab, SegmentId, VmNat};
use crate::language::{Text, text};
use crate::net::Protocol;
use crate::source::Span;

use super::super::verdict::Edit;
use super::{Draft, LOOPBACK, Wording, is_wide};

/// Where a NAT engine is: in front of one adapter, or of a whole network.
#[derive(Clone, Copy)]
enum Seat {
    Adapter(HostId, usize),
    Network(SegmentId),
}

/// Why a forward that is there does not do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// It listens on one address only.
    Bound,
    /// It leads to another port of the guest.
    Port,
    /// It leads to an address that the guest does not have.
    Address,
    /// It is for the other protocol.
    Protocol,
}

/// A forward to be written.
struct Wanted<'a> {
    vm: &'a str,
    adapter: usize,
    seat: Seat,
    guest_address: Option<IpAddr>,
    guest_port: u16,
    host_address: Option<IpAddr>,
    host_port: u16,
    present: Option<(&'a Forward, Flaw)>,
}

impl Draft<'_> {
    /// Forwarding a port of the machine that runs the VM, and of the machine that runs that, if it is nested.
    pub(super) fn nat_forwards(&mut self, host: HostId, guest_ports: &[u16]) {
        let HostKind::Vm { on } = self.lab.host(host).kind else { return };
        // Where publishing a port makes the forward, nobody writes one.
        if self.lab.host(host).engine.as_ref().is_some_and(|engine| engine.forwarded_to.is_some()) {
            return;
        }
        for index in 0..self.lab.host(host).interfaces.len() {
            for guest_port in guest_ports {
                self.nat_forward(host, index, *guest_port, guest_ports);
            }
        }
        self.nat_forwards(on, guest_ports);
    }

    fn nat_forward(&mut self, host: HostId, index: usize, guest_port: u16, guest_ports: &[u16]) {
        let vm = self.lab.host(host).clone();
        let Some(adapter) = vm.interfaces.get(index) else { return };
        let seat = match adapter.attachment {
            Attachment::Nat(_) => Seat::Adapter(host, index),
            Attachment::Segment(id) => Seat::Network(id),
            Attachment::Mirrored | Attachment::Unattached => return,
        };
        let Some(nat) = seat.nat(&self.lab).cloned() else { return };
        let own: Vec<IpAddr> = adapter.addresses.iter().map(|a| a.net.addr()).collect();
        let present = self.present(&nat, &own, guest_port, guest_ports);
        let is_wide = |f: &Forward| f.host_address.is_none_or(|a| a.is_unspecified());
        if present.is_some_and(|(f, flaw)| flaw == Flaw::Bound && is_wide(f)) {
            return;
        }
        let host_port = present.map_or_else(|| self.free_forward_port(&nat.forwards, guest_port), |(f, _)| f.host_port);
        let variants = match present {
            Some((f, Flaw::Port | Flaw::Address | Flaw::Protocol)) if is_wide(f) => vec![(None, 10)],
            Some((f, Flaw::Port | Flaw::Address | Flaw::Protocol)) => vec![(f.host_address, 10), (None, 16)],
            Some((_, Flaw::Bound)) => vec![(None, 16)],
            None => vec![(Some(LOOPBACK), 10), (None, 16)],
        };
        if let Some((misdirected, Flaw::Port | Flaw::Address)) = present {
            seat.forget(&mut self.lab, misdirected);
        }
        // The engine of one adapter knows its guest; that of a network does not.
        let needs_address = matches!(seat, Seat::Network(_)) || present.is_some_and(|(_, flaw)| flaw == Flaw::Address);
        let guest_address = own.first().copied().filter(|_| needs_address);
        for (host_address, weight) in variants {
            let (vm, adapter) = (vm.name.as_str(), index + 1);
            let wanted = Wanted { vm, adapter, seat, guest_address, guest_port, host_address, host_port, present };
            self.add_forward(&wanted, &nat, weight);
        }
    }

    /// The forward that comes nearest to what is wanted.
    fn present<'n>(
        &self,
        nat: &'n VmNat,
        own: &[IpAddr],
        guest_port: u16,
        guest_ports: &[u16],
    ) -> Option<(&'n Forward, Flaw)> {
        let find = |is_it: &dyn Fn(&Forward) -> bool| nat.forwards.iter().find(|f| is_it(f));
        let same = |f: &Forward| f.guest_port == guest_port && f.protocol == self.protocol;
        let is_own = |f: &Forward| f.guest_address.is_none_or(|a| own.contains(&a));
        let elsewhere = |f: &Forward| {
            f.host_port == guest_port && f.protocol == self.protocol && !guest_ports.contains(&f.guest_port)
        };
        let bound = find(&|f| same(f) && is_own(f)).map(|f| (f, Flaw::Bound));
        let address = || find(&|f| same(f)).map(|f| (f, Flaw::Address));
        // The port that a person dials is there, but leads to another port of the guest.
        let port = || find(&elsewhere).map(|f| (f, Flaw::Port));
        let protocol = || find(&|f| f.guest_port == guest_port && is_own(f)).map(|f| (f, Flaw::Protocol));
        bound.or_else(address).or_else(port).or_else(protocol)
    }

    fn add_forward(&mut self, wanted: &Wanted<'_>, nat: &VmNat, weight: u32) {
        let wording = self.forward_wording(wanted, nat, weight);
        let blamed = wanted.present.filter(|(_, flaw)| *flaw == Flaw::Protocol).map(|(f, _)| f.origin.clone());
        let switch = self.add_blaming(wording, &nat.origin, blamed);
        let forward = Forward {
            name: String::new(),
            protocol: self.protocol,
            host_address: wanted.host_address,
            host_port: wanted.host_port,
            guest_address: wanted.guest_address,
            guest_port: wanted.guest_port,
            guard: Some(switch),
            origin: self.lab.switches.get(switch).origin.clone(),
        };
        wanted.seat.nat_mut(&mut self.lab).into_iter().for_each(|nat| nat.forwards.push(forward.clone()));
    }

    fn forward_wording(&self, wanted: &Wanted<'_>, nat: &VmNat, weight: u32) -> Wording {
        let Wanted { vm, host_address, host_port, guest_port, present, .. } = wanted;
        let shown = host_address.map_or_else(|| text!("all addresses", "모든 주소"), |a| text!("{a}", "{a} 주소"));
        let code = match present {
            Some((_, Flaw::Port | Flaw::Protocol)) => Code::NatForwardWrongPort,
            Some((_, Flaw::Address)) => Code::NatForwardWrongAddress,
            Some((_, Flaw::Bound)) | None => Code::NatNoInbound,
        };
        let (at, text) = self.forward_place(wanted, nat);
        Wording {
            weight,
            code,
            blocker: self.forward_blocker(wanted),
            what: text!(
                "forward port {host_port} on {shown} to port {guest_port} of `{vm}`",
                "{shown}의 {host_port}번 포트를 `{vm}`의 {guest_port}번 포트로 포워딩";
                shown
            ),
            at,
            text,
        }
    }

    fn forward_blocker(&self, wanted: &Wanted<'_>) -> Text {
        let Wanted { vm, adapter, seat, guest_port, host_port, present, .. } = wanted;
        match present {
            Some((f, Flaw::Port)) => {
                text!(
                    "the NAT forward of port {host_port} leads to port {leads_to} of `{vm}`, not to {guest_port}",
                    "{host_port}번 포트의 NAT 포트 포워딩은 `{vm}`의 {guest_port}번이 아니라 {leads_to}번 포트로 갑니다",
                    leads_to = f.guest_port
                )
            }
            Some((f, Flaw::Address)) => {
                let old = f.guest_address.map(|a| a.to_string()).unwrap_or_default();
                text!(
                    "the NAT forward of port {host_port} leads to {old}, which `{vm}` does not have",
                    "{host_port}번 포트의 NAT 포트 포워딩은 `{vm}`에 없는 주소인 {old}로 갑니다"
                )
            }
            Some((f, Flaw::Protocol)) => {
                text!(
                    "the NAT forward of port {host_port} is for {theirs}, not for {ours}",
                    "{host_port}번 포트의 NAT 포트 포워딩은 {ours} 프로토콜이 아니라 {theirs} 프로토콜용입니다",
                    theirs = f.protocol,
                    ours = self.protocol
                )
            }
            Some((f, Flaw::Bound)) => {
                let bound = f.host_address.unwrap_or(LOOPBACK);
                text!(
                    "the NAT forward to port {guest_port} of `{vm}` listens on {bound} only",
                    "`{vm}`의 {guest_port}번 포트로 가는 NAT 포트 포워딩은 {bound} 주소에서만 받습니다"
                )
            }
            None => {
                let behind = match seat {
                    Seat::Adapter(..) => {
                        text!("adapter {adapter} of `{vm}` is NAT", "`{vm}`의 {adapter}번 어댑터는 NAT입니다")
                    }
                    Seat::Network(id) => text!(
                        "`{vm}` is on NAT network `{network}`",
                        "`{vm}` 머신은 `{network}` NAT 네트워크에 있습니다",
                        network = &self.lab.segment(*id).name
                    ),
                };
                text!(
                    "{behind}: nothing gets in without a forward, and none leads to port {guest_port}",
                    "{behind}: 포트 포워딩 없이는 아무것도 들어오지 못하는데, {guest_port}번 포트로 가는 포워딩이 없습니다";
                    behind
                )
            }
        }
    }

    /// Where a forward is written and as what. One that is there gives way to the new one, unless it is for the other
    /// protocol: two cannot have the same port.
    fn forward_place(&self, wanted: &Wanted<'_>, nat: &VmNat) -> (Option<Span>, String) {
        let replaced = wanted.present.filter(|(_, flaw)| *flaw != Flaw::Protocol);
        let replaced = replaced.and_then(|(f, _)| f.origin.span().map(|span| (f, span)));
        let value = |notation| self.forward_value(notation, wanted);
        match (replaced, &nat.forward_at) {
            (Some((_, span)), Some((at, notation)))
                if at.at.source == span.source && *notation != ForwardNotation::Vagrantfile =>
            {
                let text = match notation {
                    ForwardNotation::VboxXml => format!("<Forwarding {}/>", value(*notation)),
                    ForwardNotation::LabYaml | ForwardNotation::Vagrantfile => value(*notation),
                };
                (Some(span), text)
            }
            (Some((old, span)), _) => match self.rewritten(self.sources.text(span), old, wanted) {
                Some(text) => (Some(span), text),
                None => (None, self.forward_command(wanted)),
            },
            (None, Some((insertion, notation))) => (Some(insertion.at), insertion.text(&value(*notation))),
            (None, None) => (None, self.forward_command(wanted)),
        }
    }

    fn forward_command(&self, wanted: &Wanted<'_>) -> String {
        let Wanted { vm, adapter, host_port, guest_port, .. } = wanted;
        let protocol = self.protocol;
        let host = wanted.host_address.map(|a| a.to_string()).unwrap_or_default();
        let guest = wanted.guest_address.map(|a| a.to_string()).unwrap_or_default();
        match wanted.seat {
            Seat::Adapter(..) => format!(
                "VBoxManage modifyvm {vm} --nat-pf{adapter} \"port-{host_port},{protocol},{host},{host_port},{guest},{guest_port}\""
            ),
            Seat::Network(id) => format!(
                "VBoxManage natnetwork modify --netname {} --port-forward-4 \"port-{host_port}:{protocol}:[{host}]:{host_port}:[{guest}]:{guest_port}\"",
                self.lab.segment(id).name
            ),
        }
    }

    /// A rule of a `VBoxManage` line or of a Vagrantfile with other numbers.
    fn rewritten(&self, text: &str, old: &Forward, wanted: &Wanted<'_>) -> Option<String> {
        let host = wanted.host_address.map(|a| a.to_string()).unwrap_or_default();
        if let Some(rule) = text.split([' ', '"', '\'']).find(|word| word.matches(',').count() == 5) {
            let name = rule.split(',').next()?;
            let guest = wanted.guest_address.map(|a| a.to_string()).unwrap_or_default();
            let (protocol, host_port, guest_port) = (self.protocol, wanted.host_port, wanted.guest_port);
            let new = format!("{name},{protocol},{host},{host_port},{guest},{guest_port}");
            return Some(text.replace(rule, &new));
        }
        let guest = |port: u16| format!("guest: {port}");
        if !text.contains(&guest(old.guest_port)) {
            return None;
        }
        let text = text.replace(&guest(old.guest_port), &guest(wanted.guest_port));
        match (old.host_address, wanted.host_address) {
            (Some(old), None) => Some(text.replace(&format!("\"{old}\""), "\"0.0.0.0\"")),
            _ => Some(text),
        }
    }

    /// A forward in the notation of its file.
    fn forward_value(&self, notation: ForwardNotation, wanted: &Wanted<'_>) -> String {
        let Wanted { host_address, host_port, guest_address, guest_port, .. } = wanted;
        match notation {
            ForwardNotation::VboxXml => {
                let proto = if self.protocol == Protocol::Udp { 0 } else { 1 };
                let host = host_address.map(|a| format!(" hostip=\"{a}\"")).unwrap_or_default();
                let guest = guest_address.map(|a| format!("guestip=\"{a}\" ")).unwrap_or_default();
                let ports = format!("hostport=\"{host_port}\" {guest}guestport=\"{guest_port}\"");
                format!("name=\"port-{host_port}\" proto=\"{proto}\"{host} {ports}")
            }
            ForwardNotation::Vagrantfile => {
                let quoted = |key: &str, address: &Option<IpAddr>| {
                    address.map(|address| format!(", {key}: \"{address}\"")).unwrap_or_default()
                };
                let (host, guest) = (quoted("host_ip", host_address), quoted("guest_ip", guest_address));
                let protocol = if self.protocol == Protocol::Udp { ", protocol: \"udp\"" } else { "" };
                format!("guest: {guest_port}, host: {host_port}{host}{guest}{protocol}")
            }
            ForwardNotation::LabYaml => {
                let host = host_address.map(|a| a.to_string()).unwrap_or_default();
                let guest = guest_address.map(|a| format!("{a}:")).unwrap_or_default();
                format!("{}:{host}:{host_port}:{guest}{guest_port}", self.protocol)
            }
        }
    }

    fn free_forward_port(&self, forwards: &[Forward], wanted: u16) -> u16 {
        let is_taken = |port: u16| forwards.iter().any(|f| f.host_port == port && f.protocol == self.protocol);
        (wanted..=u16::MAX).find(|port| !is_taken(*port)).unwrap_or(wanted)
    }
}

impl Seat {
    fn nat(self, lab: &Lab) -> Option<&VmNat> {
        match self {
            Self::Adapter(host, index) => match &lab.host(host).interfaces.get(index)?.attachment {
                Attachment::Nat(nat) => Some(nat),
                Attachment::Segment(_) | Attachment::Mirrored | Attachment::Unattached => None,
            },
            Self::Network(id) => lab.segment(id).nat.as_ref().map(|shared| &shared.nat),
        }
    }

    fn nat_mut(self, lab: &mut Lab) -> Option<&mut VmNat> {
        match self {
            Self::Adapter(host, index) => match &mut lab.hosts.get_mut(host.0)?.interfaces.get_mut(index)?.attachment {
                Attachment::Nat(nat) => Some(nat),
                Attachment::Segment(_) | Attachment::Mirrored | Attachment::Unattached => None,
            },
            Self::Network(id) => lab.segments.get_mut(id.0)?.nat.as_mut().map(|shared| &mut shared.nat),
        }
    }

    fn forget(self, lab: &mut Lab, forward: &Forward) {
        let is_it = |f: &Forward| {
            (f.host_port, f.guest_port, f.protocol) == (forward.host_port, forward.guest_port, forward.protocol)
        };
        self.nat_mut(lab).into_iter().for_each(|nat| nat.forwards.retain(|f| !is_it(f)));
    }
}

/// Makes the forward that is written at `span` listen on loopback only.
pub(super) fn narrow(host: &mut Host, span: Span) -> Option<Edit> {
    let name = host.name.clone();
    for interface in &mut host.interfaces {
        let Attachment::Nat(nat) = &mut interface.attachment else { continue };
        let notation = nat.forward_at.as_ref().filter(|(i, _)| i.at.source == span.source).map(|(_, n)| *n);
        let forward = nat.forwards.iter_mut().find(|f| f.origin.span() == Some(span) && is_wide(f.host_address));
        let Some(forward) = forward else { continue };
        forward.host_address = Some(LOOPBACK);
        let text = notation.and_then(|notation| forward_text(forward, notation));
        let what = text!(
            "bind the NAT forward of port {port} to `{name}` to 127.0.0.1",
            "`{name}`의 {port}번 NAT 포트 포워딩을 127.0.0.1에만 묶음",
            port = forward.host_port
        );
        return Some(Edit { what, at: text.as_ref().map(|_| span), text: text.unwrap_or_default() });
    }
    None
}

/// A whole forward, as it is written in its file; a call of a Vagrantfile may say more than we know.
fn forward_text(forward: &Forward, notation: ForwardNotation) -> Option<String> {
    let Forward { name, protocol, host_address, host_port, guest_address, guest_port, .. } = forward;
    let host = host_address.map(|a| a.to_string()).unwrap_or_default();
    Some(match notation {
        ForwardNotation::Vagrantfile => return None,
        ForwardNotation::VboxXml => {
            let proto = if *protocol == Protocol::Udp { 0 } else { 1 };
            let guest = guest_address.map(|a| format!(" guestip=\"{a}\"")).unwrap_or_default();
            format!(
                "<Forwarding name=\"{name}\" proto=\"{proto}\" hostip=\"{host}\" hostport=\"{host_port}\"{guest} guestport=\"{guest_port}\"/>"
            )
        }
        ForwardNotation::LabYaml => {
            let guest = guest_address.map(|a| format!("{a}:")).unwrap_or_default();
            format!("{protocol}:{host}:{host_port}:{guest}{guest_port}")
        }
    })
}
