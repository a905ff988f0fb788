//! Docker Desktop: the engine runs in a virtual machine of its own, behind a NAT engine. Spec: specs/docker-desktop.md.

use std::net::{IpAddr, Ipv4Addr};

use crate::lab::declaration::EngineDecl;
use crate::lab::{
    Assumption, Attachment, Declaration, Engine, Host, HostEvent, HostId, HostKind, Interface, InterfaceAddress,
    NatEngine, Os, Platform, Unmodeled, VmNat,
};
use crate::language::text;
use crate::net::IpNet;
use crate::provenance::Origin;
use crate::source::Spanned;

use super::Context;
use super::addresses::{prefix, within};
use super::bind::HostPlan;

const NETWORK: [u8; 4] = [192, 168, 65, 0];
/// What `host.docker.internal` stands for; it is taken for the gateway, too.
const HOST: Ipv4Addr = Ipv4Addr::new(192, 168, 65, 254);
const MACHINE: Ipv4Addr = Ipv4Addr::new(192, 168, 65, 3);
/// Names of the machine that runs Docker Desktop.
const NAMES: [&str; 2] = ["host.docker.internal", "gateway.docker.internal"];

/// How the engine of a host is run: as stated, else by the host's system. No engine runs on macOS or Windows itself. A
/// physical machine with Linux may have either; in a virtual machine Docker Desktop would need nested virtualization.
fn platform(context: &mut Context, plan: &HostPlan<'_>, os: Os) -> (Platform, Option<Spanned<Platform>>) {
    let engines =
        plan.declarations().filter_map(|d| if let Declaration::Engine(engine) = d { Some(engine) } else { None });
    let stated = engines.filter_map(|engine: &EngineDecl| engine.platform).last();
    if let Some(stated) = stated {
        return (stated.value, Some(stated));
    }
    let is_open = os == Os::Linux && plan.kind == HostKind::Physical;
    context.assumed.extend(is_open.then_some(Assumption::Platform));
    let is_desktop = if is_open { context.defaults.desktop } else { os != Os::Linux };
    (if is_desktop { Platform::Desktop } else { Platform::Engine }, None)
}

/// Moves the engines that run under Docker Desktop into machines of their own, and reports what else has no model.
pub(super) fn settle(context: &mut Context, plans: &[HostPlan<'_>], hosts: &mut Vec<Host>) {
    for (index, plan) in plans.iter().enumerate() {
        let id = HostId(index);
        let Some(host) = hosts.get_mut(index).filter(|host| host.engine.is_some()) else { continue };
        match platform(context, plan, host.os) {
            (Platform::Engine, _) => {}
            (Platform::Desktop, stated) => {
                let Some(engine) = host.engine.take() else { continue };
                host.events.retain(|event| !matches!(event, HostEvent::EngineStart | HostEvent::EngineRestart));
                let machine = machine(id, host, engine, stated);
                let inside = HostId(hosts.len());
                hosts.push(machine);
                let both: Vec<Unmodeled> = context.unmodeled.iter().filter(|u| u.host == Some(id)).cloned().collect();
                context.unmodeled.extend(both.into_iter().map(|u| Unmodeled { host: Some(inside), ..u }));
            }
            (other, Some(stated)) => {
                let what = text!("docker as `{other}`", "`{other}` 방식의 docker");
                context.unmodeled.push(Unmodeled { what, span: stated.span, host: Some(id) });
            }
            (_, None) => {}
        }
    }
}

/// The machine, with an address that is the product's own.
fn machine(on: HostId, host: &Host, mut engine: Engine, stated: Option<Spanned<Platform>>) -> Host {
    let span = stated.map(|stated| stated.span).or_else(|| engine.origin.span());
    let what = format!("the virtual machine of Docker Desktop on `{}`", host.name);
    let origin = match stated {
        Some(stated) => Origin::written(what, stated.span),
        None => Origin::assumed(what, span),
    };
    engine.forwarded_to = Some(on);
    for container in &mut engine.containers {
        for name in NAMES {
            container.extra_hosts.entry(name.to_owned()).or_insert(IpAddr::V4(HOST));
        }
    }
    let network = prefix(NETWORK, 24);
    Host {
        name: format!("{}-docker", host.name),
        kind: HostKind::Vm { on },
        os: Os::Linux,
        interfaces: vec![interface(network, &origin)],
        processes: Vec::new(),
        engine: Some(engine),
        firewalld: None,
        events: vec![HostEvent::EngineStart],
        rules: Vec::new(),
        routes: Vec::new(),
        origin,
        ..host.clone()
    }
}

fn interface(network: IpNet, origin: &Origin) -> Interface {
    let gateway = IpAddr::V4(HOST);
    let nat = VmNat {
        engine: NatEngine::Classic,
        network,
        gateway,
        forwards: Vec::new(),
        localhost_reachable: true,
        bind_address: None,
        forward_at: None,
        origin: origin.clone(),
    };
    let address = InterfaceAddress { net: within(IpAddr::V4(MACHINE), network), origin: origin.clone() };
    Interface {
        name: "eth0".to_owned(),
        attachment: Attachment::Nat(Box::new(nat)),
        addresses: vec![address],
        gateway: Some(gateway),
        metric: None,
        connected: true,
        origin: origin.clone(),
    }
}
