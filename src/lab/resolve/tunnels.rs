//! Tunnels: which machines their ends are. Spec: specs/tunnels.md.

use std::net::IpAddr;

use crate::diagnostic::Diagnostic;
use crate::lab::kept_ports::{self, Kind};
use crate::lab::tunnel::{ProxyEnd, SshServer, Tunnel, TunnelDecl, TunnelKind};
use crate::lab::{Attachment, Declaration, Host, HostId, HostKind, Unmodeled};
use crate::language::text;
use crate::net::{Family, Protocol};
use crate::provenance::Origin;
use crate::source::Span;
use crate::switch::{Switch, SwitchId, SwitchKind};

use super::Context;
use super::bind::Plan;
use super::kept_ports::Refused;

/// Gives every host the tunnels that it listens for. Those whose ends are not known are reported.
pub(super) fn attach(context: &mut Context, plan: &Plan<'_>, hosts: &mut [Host]) {
    for (index, host) in plan.hosts.iter().enumerate() {
        let id = HostId(index);
        for declaration in host.declarations() {
            let declared = match declaration {
                Declaration::Tunnel(declared) => declared,
                Declaration::ProxyGone(end) => {
                    remove(hosts, id, *end);
                    continue;
                }
                _ => continue,
            };
            match tunnel(hosts, id, declared) {
                Ok(mut tunnel) => {
                    tunnel.guard = up(context, hosts, id, declared);
                    let Some(listener) = hosts.get_mut(tunnel.on.0) else { continue };
                    match kept_ports::kind(&listener.kept_ports, Protocol::Tcp, tunnel.listen_port) {
                        Kind::Excluded(entry) => context.report(excluded(&listener.name, &tunnel, entry)),
                        _ => listener.tunnels.push(tunnel),
                    }
                }
                Err(what) => context.unmodeled.push(Unmodeled { what, span: declared.span, host: Some(id) }),
            }
        }
    }
}

fn excluded(host: &str, tunnel: &Tunnel, entry: Span) -> Diagnostic {
    let (protocol, port, wanted) = (Protocol::Tcp, tunnel.listen_port, tunnel.origin.span());
    let consequence = text!("does not listen", "이 포트를 열지 못함");
    Refused { host, protocol, port, wanted, consequence, entry }.diagnostic()
}

/// Takes away the port proxy that listens there, or all of a machine.
fn remove(hosts: &mut [Host], id: HostId, end: Option<ProxyEnd>) {
    let is_it = |t: &Tunnel| t.from == id && end.is_none_or(|end| end == (t.listen_address, t.listen_port));
    hosts.get_mut(id.0).into_iter().for_each(|host| host.tunnels.retain(|tunnel| !is_it(tunnel)));
}

/// Nobody knows whether somebody runs the command just now.
fn up(context: &mut Context, hosts: &[Host], id: HostId, declared: &TunnelDecl) -> Option<SwitchId> {
    let (TunnelKind::Local(server) | TunnelKind::Remote(server)) = &declared.kind else { return None };
    let client = hosts.get(id.0).map_or("", |host| host.name.as_str());
    let statement = text!(
        "`{client}` is connected to `{server}` by ssh",
        "`{client}`에서 `{server}` 호스트에 ssh로 연결해 둠",
        server = &server.name.value
    );
    let origin = Origin::assumed(statement.clone(), Some(declared.span));
    Some(context.switches.add(Switch { statement, default: true, kind: SwitchKind::Assumption, origin }))
}

fn tunnel(hosts: &[Host], id: HostId, declared: &TunnelDecl) -> Result<Tunnel, String> {
    let other = |server: &SshServer| {
        let name = &server.name.value;
        server_of(hosts, id, server).ok_or_else(|| format!("a tunnel through `{name}`, which is no host of the lab"))
    };
    let (on, from, what) = match &declared.kind {
        TunnelKind::Local(server) => (id, other(server)?, "tunnel"),
        TunnelKind::Remote(server) => (other(server)?, id, "tunnel"),
        TunnelKind::Here => (id, id, "port proxy"),
    };
    let name = &declared.to.value;
    let address = address_of(hosts, from, name)
        .ok_or_else(|| format!("a {what} to `{name}`, of which no address is known where it is dialled"))?;
    let origin = Origin::written(format!("{what} to {name}:{}", declared.to_port), declared.span);
    let (listen_address, listen_port) = (declared.listen_address, declared.listen_port);
    Ok(Tunnel { on, listen_address, listen_port, from, to: (address, declared.to_port), guard: None, origin })
}

/// The machine that ssh gets to: by its name or address, or through a forward of the machine that it starts from.
fn server_of(hosts: &[Host], from: HostId, server: &SshServer) -> Option<HostId> {
    let name = server.name.value.as_str();
    let address: Option<IpAddr> = name.parse().ok();
    if name == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        let leads_here = |host: &Host| {
            let is_mine = matches!(host.kind, HostKind::Vm { on } if on == from);
            let nats = host.interfaces.iter().filter_map(|interface| match &interface.attachment {
                Attachment::Nat(nat) => Some(&nat.forwards),
                _ => None,
            });
            let is_it = nats.flatten().any(|f| f.host_port == server.port && f.guest_port == 22);
            is_mine && is_it
        };
        return hosts.iter().position(leads_here).map(HostId);
    }
    let has_address = |host: &Host| {
        let own = host.interfaces.iter().flat_map(|interface| &interface.addresses);
        own.into_iter().any(|own| Some(own.net.addr()) == address)
    };
    hosts.iter().position(|host| host.name == name || has_address(host)).map(HostId)
}

/// The address that a name stands for on the machine that dials: loopback, an address, or a host that has only one.
fn address_of(hosts: &[Host], from: HostId, name: &str) -> Option<IpAddr> {
    if name == "localhost" {
        return Some(Family::V4.loopback());
    }
    if let Ok(address) = name.parse() {
        return Some(address);
    }
    let host = hosts.iter().enumerate().find(|(_, host)| host.name == name);
    let (index, host) = host?;
    if HostId(index) == from {
        return Some(Family::V4.loopback());
    }
    let mut addresses = host.interfaces.iter().flat_map(|interface| &interface.addresses).map(|own| own.net.addr());
    addresses.next().filter(|_| addresses.next().is_none())
}
