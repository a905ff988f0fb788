//! Port proxies of Windows for the machine of WSL behind it.

use crate::diagnostic::Code;
use crate::lab::tunnel::Tunnel;
use crate::lab::{HostId, HostKind, WslMode};
use crate::language::text;
use crate::net::Protocol;

use super::{Draft, Wording};

impl Draft<'_> {
    /// Windows listens for others and dials the machine, unless something listens on that port already.
    pub(super) fn port_proxies(&mut self, host: HostId, guest_ports: &[u16]) {
        let guest = self.lab.host(host).clone();
        let (HostKind::Vm { on }, Some(wsl)) = (guest.kind, &guest.wsl) else { return };
        let address = guest.interfaces.iter().flat_map(|interface| &interface.addresses).map(|a| a.net.addr()).next();
        let Some(address) = address.filter(|_| wsl.mode == WslMode::Nat && self.protocol == Protocol::Tcp) else {
            return;
        };
        let (name, windows) = (&guest.name, self.lab.host(on).name.clone());
        for port in guest_ports {
            if self.lab.host(on).tunnels.iter().any(|tunnel| tunnel.on == on && tunnel.listen_port == *port) {
                continue;
            }
            let wording = Wording {
                weight: 16,
                code: Code::NatNoInbound,
                blocker: text!(
                    "`{name}` is behind `{windows}`, which passes nothing on to port {port} for others",
                    "`{name}` 머신은 `{windows}` 뒤에 있고, 다른 머신에서 오는 {port}번 포트 연결은 전달되지 않습니다"
                ),
                what: text!(
                    "have `{windows}` pass its port {port} on to `{name}`",
                    "`{windows}`의 {port}번 포트를 `{name}` 머신으로 전달"
                ),
                at: None,
                text: format!(
                    "netsh interface portproxy add v4tov4 listenport={port} connectport={port} connectaddress={address}"
                ),
            };
            let switch = self.add(wording, &wsl.origin);
            let origin = self.lab.switches.get(switch).origin.clone();
            let to = (address, *port);
            let tunnel =
                Tunnel { on, listen_address: None, listen_port: *port, from: on, to, guard: Some(switch), origin };
            self.lab.hosts.get_mut(on.0).into_iter().for_each(|host| host.tunnels.push(tunnel.clone()));
        }
    }
}
