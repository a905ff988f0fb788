//! In the way: the firewall that Windows or macOS has by itself, or that of Hyper-V.

use crate::dataplane::Hook;
use crate::diagnostic::Code;
use crate::lab::{Host, HostId, Lab, Os};
use crate::language::text;
use crate::net::{PortRange, Protocol};

use super::{Obstacle, Scene, edit};

/// Who makes the machines of WSL (learn.microsoft.com, "Hyper-V firewall").
const WSL: &str = "{40E0AC32-46A5-438A-A0B2-2B479E8F2E90}";

pub(super) fn obstacles(scene: &Scene<'_>) -> Vec<Obstacle> {
    let mut seen = Vec::new();
    let mut all = Vec::new();
    for stop in scene.stops.iter().filter(|stop| stop.hook == Hook::Input) {
        let port = (stop.host, stop.header.protocol, stop.header.destination_port);
        let host = scene.lab.host(stop.host);
        let is_it = host.firewall.as_ref().is_some_and(|firewall| firewall.origin.span() == Some(stop.span));
        if is_it && !seen.contains(&port) && matches!(port.1, Protocol::Tcp | Protocol::Udp) {
            seen.push(port);
            all.extend(obstacle(host, port));
        }
    }
    all
}

fn obstacle(host: &Host, (id, protocol, port): (HostId, Protocol, u16)) -> Option<Obstacle> {
    let (name, shown) = (&host.name, host.firewall.as_ref()?.origin.clone());
    let blocker = text!(
        "the firewall of `{name}` does not let {port}/{protocol} in",
        "`{name}` 머신의 방화벽이 {port}/{protocol} 포트로 들어오는 연결을 허용하지 않습니다"
    );
    let what = text!(
        "let {port}/{protocol} through the firewall of `{name}`",
        "`{name}` 머신의 방화벽에서 {port}/{protocol} 포트를 허용"
    );
    Some(Obstacle {
        weight: 12,
        code: Code::Dropped,
        blocker,
        shown,
        edit: edit(what, None, || command(host, protocol, port)),
        moves_target: false,
        clear: Box::new(move |lab: &mut Lab| {
            let firewall = lab.hosts.get_mut(id.0).and_then(|host| host.firewall.as_mut());
            firewall.into_iter().for_each(|f| f.allowed.push((protocol, PortRange::single(port))));
        }),
    })
}

fn command(host: &Host, protocol: Protocol, port: u16) -> String {
    let upper = protocol.to_string().to_uppercase();
    match host.os {
        Os::Linux => format!(
            "New-NetFirewallHyperVRule -Name \"port-{port}\" -DisplayName \"port {port}\" -Direction Inbound -VMCreatorId '{WSL}' -Protocol {upper} -LocalPorts {port}"
        ),
        Os::Windows => format!(
            "New-NetFirewallRule -DisplayName \"port {port}\" -Direction Inbound -Protocol {upper} -LocalPort {port} -Action Allow"
        ),
        Os::MacOs => "/usr/libexec/ApplicationFirewall/socketfilterfw --unblockapp PROGRAM".to_owned(),
    }
}
