//! Tunnels and port proxies: a program listens on one machine and dials from another or the same. Spec: specs/tunnels.md.
//!
//! ssh accepts a connection before it asks the other side to dial (`channel_post_port_listener` in OpenSSH's
//! `channels.c`), and whoever is dialled sees an address of the machine that dials.

use crate::dataplane::{AnswersFrom, Dataplane, Dial, Listen, Relay, SourceAs};
use crate::lab::Lab;
use crate::net::Protocol;

use super::topology::Map;

pub(super) fn lower(lab: &Lab, map: &Map, dataplane: &mut Dataplane) {
    for tunnel in lab.hosts.iter().flat_map(|host| &host.tunnels) {
        let origin = dataplane.origins.add(tunnel.origin.clone());
        let (address, port) = tunnel.to;
        dataplane.node_mut(map.host(tunnel.on)).relays.push(Relay {
            name: "tunnel".to_owned(),
            protocol: Protocol::Tcp,
            listen: Listen::Socket { address: tunnel.listen_address, port: tunnel.listen_port },
            dial_from: map.host(tunnel.from),
            dial: Dial::To { address, port },
            source: SourceAs::Dialer,
            accepts_first: true,
            answers_from: AnswersFrom::Dialed,
            guard: tunnel.guard,
            origin,
        });
    }
}
