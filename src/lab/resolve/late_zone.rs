//! An engine that came up before firewalld has not made its zone there. Until 24, the first container that starts on a
//! network with a name service does, by way of a helper process that looks for firewalld by itself, and reloads it: what
//! was only changed at run time is gone (seen with 20.10.24; moby 20.10 libnetwork/resolver_unix.go, `reexecSetupResolver`,
//! iptables/firewalld.go, `setupDockerZone`). Spec: specs/firewalld-order.md.

use crate::lab::declaration::ContainerDecl;
use crate::lab::{Declaration, Host, HostEvent, HostId, Unmodeled};
use crate::language::text;
use crate::net::Version;
use crate::source::Span;

use super::bind::HostPlan;
use super::firewall;

/// The first engine without that process, at the latest.
const WITHOUT_HELPER: Version = Version::new(25, 0, 0);

/// That firewalld is reloaded unasked.
pub(super) fn unmodeled(id: HostId, plan: &HostPlan<'_>, host: &Host) -> Option<Unmodeled> {
    let engine = host.engine.as_ref().filter(|_| host.firewalld.is_some() && !firewall::has_docker_zone(plan))?;
    let what = text!(
        "firewalld, which docker reloads when it starts this container, because it had not met it before",
        "이 컨테이너를 시작할 때 docker가 처음 만나 다시 읽게 하는 firewalld"
    );
    Some(Unmodeled { what, span: reloads(plan, engine.version)?, host: Some(id) })
}

fn is_on_network(container: &ContainerDecl) -> bool {
    container.idle.is_none() && container.mode.is_none() && !container.networks.is_empty()
}

/// The statement that makes it so.
fn reloads(plan: &HostPlan<'_>, engine: Version) -> Option<Span> {
    let (mut engine_runs, mut late) = (false, None);
    for declaration in plan.files.iter().filter(|_| engine < WITHOUT_HELPER) {
        match declaration {
            Declaration::Event(event) => match event.value {
                HostEvent::EngineStart | HostEvent::EngineRestart => (engine_runs, late) = (true, None),
                HostEvent::FirewalldStart if engine_runs => late = Some(event.span.source),
                HostEvent::FirewalldStop => late = None,
                _ => {}
            },
            Declaration::Container(c) if late == Some(c.span.source) && is_on_network(c) => return Some(c.span),
            Declaration::Connect(c) if late == Some(c.span.source) => return Some(c.span),
            _ => {}
        }
    }
    None
}
