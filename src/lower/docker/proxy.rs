//! docker-proxy: a user-space forwarder for every published port, for connections that netfilter does not translate.
//! Spec: specs/docker-publish.md.

use crate::dataplane::{
    AnswersFrom, ChainKind, Dataplane, Dial, Hook, HookPoint, Listen, Match, Policy, Relay, SourceAs, TableFamily,
};
use crate::net::{Family, Protocol};
use crate::provenance::Origin;

use super::Site;
use super::publish::{Binding, HostSide, bindings};
use super::rule::rule;

const PROXY: &str = "moby 28.5 libnetwork/portmapper/proxy_linux.go; cmd/docker-proxy";
const SILENT: &str = "moby 29.7 daemon/libnetwork/portallocator/osallocator_linux.go, setSocketFilter";
const RESERVED: &str = "moby 28.5 libnetwork/drivers/bridge/port_mapping_linux.go, tcpListenBoundPorts";

/// Starts a proxy for every published port, whatever writes the rules. With `--userland-proxy=false` dockerd holds
/// the port itself: up to 28 a TCP port listens, 29 lets nothing through to it, and UDP is never read.
pub(super) fn build(site: Site<'_>, dataplane: &mut Dataplane) {
    for binding in bindings(site.engine) {
        let Some(host) = binding.host else { continue };
        if site.engine.options.userland_proxy {
            add(site, &binding, host, proxy(&binding), dataplane);
        } else if binding.has_rules() {
            let listens = binding.protocol == Protocol::Tcp && site.engine.version.major < 29;
            if listens {
                add(site, &binding, host, reservation(&binding), dataplane);
            } else {
                keep_silent(site, &binding, host, dataplane);
            }
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

/// The kernel completes handshakes that nobody takes up, which is a relay to nowhere.
fn reservation(binding: &Binding<'_>) -> Holder {
    let origin = binding.origin.derive(format!("dockerd holds the port: {}", binding.describe()), RESERVED);
    Holder { name: "dockerd", dial: Dial::To { address: Family::V4.loopback(), port: 0 }, origin }
}

/// Until 27 a datagram's answer comes from whatever address the host has towards the client (moby pull request 48571).
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
        answers_from: if site.engine.version.major < 28 { AnswersFrom::Route } else { AnswersFrom::Dialed },
        guard: binding.guard,
        origin,
    });
}

/// A socket that takes packets and gives no answer. It is a filter on the socket, behind all of netfilter: the last
/// base chain of the input hook stands for it.
fn keep_silent(site: Site<'_>, binding: &Binding<'_>, host: HostSide, dataplane: &mut Dataplane) {
    let what = format!("dockerd holds the port and does not answer: {}", binding.describe());
    let origin = dataplane.origins.add(binding.origin.derive(what, SILENT));
    let ruleset = &mut dataplane.node_mut(site.node).ruleset;
    let table = ruleset.table(TableFamily::Inet, "sockets of dockerd");
    let point = HookPoint { hook: Hook::Input, kind: ChainKind::Filter, priority: i32::MAX, policy: Policy::Accept };
    let chain = ruleset.chain(table, "filter", Some(point), origin);
    let silent = rule(origin)
        .guarded(binding.guard)
        .when_any(host.address.map(|a| Match::Destination(a.into())))
        .on_port(binding.protocol, host.port)
        .drop();
    ruleset.get_mut(chain).rules.push(silent);
}
