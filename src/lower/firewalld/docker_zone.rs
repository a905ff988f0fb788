//! The zone and the policy that dockerd makes in firewalld, and firewalld's own policy for IPv6.
//! Spec: specs/firewalld-and-docker.md.

use crate::lab::{ContainerNetwork, Content, Engine, Entry, Firewalld, Policy, Target, Zone};
use crate::net::Version;
use crate::provenance::Origin;

const CITATION: &str = "moby 28.5.2 daemon/libnetwork/iptables/firewalld.go";

/// The configuration in force when the engine has run next to firewalld.
///
/// dockerd makes the zone `docker` (target ACCEPT) and puts every bridge into it that is in no other zone (20.10 and
/// later); 27 and later also makes the policy `docker-forwarding` (ANY to docker, ACCEPT; moby pull request 47745).
/// With `--iptables=false` it does neither, except that 29 does (recorded: fw-*-noiptables of 28.5.2 and 29.7.2).
pub(super) fn with_docker_zone(firewalld: &Firewalld, engine: Option<&Engine>) -> Firewalld {
    let mut firewalld = firewalld.clone();
    add_ipv6_policy(&mut firewalld);
    if let Some(engine) = engine.filter(|e| manages_zone(e)) {
        add_zone(&mut firewalld, engine);
        if Version::new(27, 0, 0) <= engine.version {
            let origin = engine.origin.derive("policy `docker-forwarding`, made by dockerd", CITATION);
            let policy = between("ANY", "docker", Target::Accept, origin);
            firewalld.policies.entry("docker-forwarding".to_owned()).or_insert(policy);
        }
    }
    firewalld
}

fn manages_zone(engine: &Engine) -> bool {
    Version::new(20, 10, 0) <= engine.version && (engine.options.iptables || Version::new(29, 0, 0) <= engine.version)
}

/// Bridges of internal networks are forgotten until 25.0.2, which leaves them to the default zone (moby pull request
/// 47303).
fn covers(engine: &Engine, network: &ContainerNetwork) -> bool {
    !network.internal || Version::new(25, 0, 3) <= engine.version
}

fn add_zone(firewalld: &mut Firewalld, engine: &Engine) {
    let bound: Vec<String> =
        firewalld.zones.values().flat_map(|z| z.interfaces.iter().map(|i| i.value.clone())).collect();
    let zone = firewalld.zones.entry("docker".to_owned()).or_insert_with(|| Zone {
        target: Target::Accept,
        interfaces: Vec::new(),
        sources: Vec::new(),
        priorities: (0, 0),
        forward: true,
        content: Content::default(),
        port_at: None,
        origin: engine.origin.derive("zone `docker`, made by dockerd", CITATION),
    });
    for network in engine.bridges().filter(|n| covers(engine, n) && !bound.contains(&n.bridge)) {
        let origin =
            network.origin.derive(format!("`{}` in zone `docker`, put there by dockerd", network.bridge), CITATION);
        zone.interfaces.push(Entry { value: network.bridge.clone(), guard: None, origin });
    }
}

/// firewalld ships it since 0.9; all it says is about IPv6, so only its empty chains are here.
fn add_ipv6_policy(firewalld: &mut Firewalld) {
    let origin =
        firewalld.origin.derive("policy `allow-host-ipv6`", "firewalld 1.3.3 config/policies/allow-host-ipv6.xml");
    let policy = Policy { priority: -15000, ..between("ANY", "HOST", Target::Continue, origin) };
    firewalld.policies.entry("allow-host-ipv6".to_owned()).or_insert(policy);
}

fn between(ingress: &str, egress: &str, target: Target, origin: Origin) -> Policy {
    let end = |zone: &str| vec![Entry { value: zone.to_owned(), guard: None, origin: origin.clone() }];
    Policy {
        priority: -1,
        target,
        disabled: false,
        ingress: end(ingress),
        egress: end(egress),
        content: Content::default(),
        origin,
    }
}
