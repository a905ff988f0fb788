//! docker-proxy: a user-space forwarder for every published port, for connections that netfilter does not translate.

use crate::dataplane::{Dataplane, Dial, Listen, Relay, SourceAs};
use crate::net::{Family, Protocol};
use crate::provenance::Origin;

use super::Site;
use super::publish::{Binding, HostSide, bindings};

const PROXY: &str = "moby 28.5 libnetwork/portmapper/proxy_linux.go; cmd/docker-proxy";
const RESERVED: &str = "moby 28.5 libnetwork/drivers/bridge/port_mapping_linux.go, tcpListenBoundPorts";

/// Starts a proxy for every published port, whatever writes the rules. With `--userland-proxy=false` dockerd holds
/// the port itself.
pub(super) fn build(site: Site<'_>, dataplane: &mut Dataplane) {
    for binding in bindings(site.engine) {
        let Some(host) = binding.host else { continue };
        if site.engine.options.userland_proxy {
            add(site, &binding, host, proxy(&binding), dataplane);
        } else if binding.protocol == Protocol::Tcp && binding.has_rules() && site.engine.version.major < 29 {
            add(site, &binding, host, reservation(&binding), dataplane);
        }
    }
}

/// Who holds a published port, and where it passes connections on to.
struct Holder {
    name: &'static str,
    dial: Dial,
    origin: Origin,
}

fn proxy(binding: &Binding<'_>) -> Holder {
    let origin = binding.origin.derive(format!("docker-proxy for {}", binding.describe()), PROXY);
    Holder { name: "docker-proxy", dial: Dial::To { address: binding.address, port: binding.port }, origin }
}

/// Up to 28 the held port listens: the kernel completes handshakes that nobody takes up, which is a relay to nowhere.
/// (29 filters all packets to it; that is not modelled, the client is said to be refused where it hears nothing.)
fn reservation(binding: &Binding<'_>) -> Holder {
    let origin = binding.origin.derive(format!("dockerd holds the port: {}", binding.describe()), RESERVED);
    Holder { name: "dockerd", dial: Dial::To { address: Family::V4.loopback(), port: 0 }, origin }
}

fn add(site: Site<'_>, binding: &Binding<'_>, host: HostSide, holder: Holder, dataplane: &mut Dataplane) {
    let origin = dataplane.origins.add(holder.origin);
    dataplane.node_mut(site.node).relays.push(Relay {
        name: holder.name.to_owned(),
        protocol: binding.protocol,
        listen: Listen::Socket { address: host.address, port: host.port },
        dial_from: site.node,
        dial: holder.dial,
        source: SourceAs::Dialer,
        accepts_first: true,
        guard: binding.guard,
        origin,
    });
}
