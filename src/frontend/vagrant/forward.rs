//! Forwarded ports of all machines, as they are when every machine was started in the order of the file.
//!
//! Vagrant 2.4, lib/vagrant/action/builtin/handle_forwarded_port_collisions.rb: a port that another machine uses is moved
//! into `usable_port_range` if `auto_correct` allows it; if not, the machine is not started.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::machine::ForwardDecl;
use crate::language::text;
use crate::net::Protocol;
use crate::source::Span;

use super::network::{Bad, Network};

/// Where ports are moved to unless stated.
pub(super) const USABLE: RangeInclusive<u16> = 2200..=2250;

/// Ports of the physical machine that are taken.
#[derive(Default)]
pub(super) struct Taken(Vec<Port>);

#[derive(Clone, Copy)]
struct Port {
    address: Option<IpAddr>,
    number: u16,
    span: Span,
}

impl Port {
    /// All addresses exclude every other one.
    fn collides(&self, address: Option<IpAddr>, number: u16) -> bool {
        let is_same = self.address.is_none() || address.is_none() || self.address == address;
        self.number == number && is_same
    }
}

/// The forwards of one machine, and those that are refused.
pub(super) fn forwards(
    networks: &[Network],
    usable: &RangeInclusive<u16>,
    taken: &mut Taken,
) -> (Vec<ForwardDecl>, Vec<(Span, Bad)>) {
    let mut bad = Vec::new();
    let mut wanted = Vec::new();
    for network in networks.iter().filter(|network| network.kind == "forwarded_port") {
        match forward(network) {
            Ok(Some(forward)) => wanted.push(forward),
            Ok(None) => {}
            Err(problem) => bad.push((network.span, problem)),
        }
    }
    // A port of this machine is not given to another of its forwards.
    let own: Vec<u16> = wanted.iter().map(|(forward, _)| forward.host_port).collect();
    let mut here = Taken::default();
    let mut forwards = Vec::new();
    for (mut forward, may_move) in wanted {
        let (address, port) = (forward.host_address, forward.host_port);
        if forward.protocol != Protocol::Tcp {
            forwards.push(forward);
            continue;
        }
        // Both rules are made; the second finds the port in use when the machine starts.
        if let Some(first) = here.at(address, port) {
            bad.push((forward.span, Bad::Refused(Box::new(port_taken(&forward, first)))));
            continue;
        }
        if let Some(other) = taken.at(address, port) {
            let is_free =
                |port: &u16| !own.contains(port) && taken.at(address, *port).or(here.at(address, *port)).is_none();
            match usable.clone().find(is_free).filter(|_| may_move) {
                Some(port) => forward.host_port = port,
                None => {
                    bad.push((forward.span, Bad::Refused(Box::new(port_taken(&forward, other)))));
                    continue;
                }
            }
        }
        here.0.push(Port { address, number: forward.host_port, span: forward.span });
        forwards.push(forward);
    }
    taken.0.extend(here.0);
    (forwards, bad)
}

impl Taken {
    fn at(&self, address: Option<IpAddr>, number: u16) -> Option<Span> {
        self.0.iter().find(|port| port.collides(address, number)).map(|port| port.span)
    }
}

/// The forward, and whether its port may be moved; nothing if it is switched off.
fn forward(network: &Network) -> Result<Option<(ForwardDecl, bool)>, Bad> {
    if network.is_set("disabled", false)? {
        return Ok(None);
    }
    let host_address = network.address("host_ip")?.map(|address| address.value).filter(|a| !a.is_unspecified());
    let host = network.port("host")?;
    let guest = network.port("guest")?;
    let protocol = network.protocol()?;
    let name = match network.text("id")? {
        Some(id) => id.value,
        None => format!("{}{}{}", host_address.map(|a| a.to_string()).unwrap_or_default(), protocol, host.value),
    };
    let forward = ForwardDecl {
        name,
        protocol,
        host_address,
        host_port: host.value,
        guest_address: network.address("guest_ip")?.map(|address| address.value),
        guest_port: guest.value,
        span: network.span,
    };
    Ok(Some((forward, network.is_set("auto_correct", false)?)))
}

fn port_taken(forward: &ForwardDecl, other: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::VagrantPortTaken,
        text!(
            "port {port} of the host is forwarded twice",
            "호스트의 {port}번 포트가 두 번 포워딩됩니다",
            port = &forward.host_port
        ),
    )
    .label(forward.span, text!("`vagrant up` stops here", "`vagrant up`이 여기서 멈춤"));
    let diagnostic = if other == forward.span {
        diagnostic
    } else {
        diagnostic.label(other, text!("taken here", "여기서 이미 씀"))
    };
    diagnostic.help(text!(
        "choose another port, or add `auto_correct: true`",
        "다른 포트를 고르거나 `auto_correct: true`를 추가하십시오"
    ))
}
