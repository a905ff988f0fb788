//! In which order firewall and engine loaded their rules, and what each event left of the other's.
//! Spec: specs/firewalld-order.md.
//!
//! | event           | what it does                                                            | recorded as                   |
//! |-----------------|-------------------------------------------------------------------------|-------------------------------|
//! | firewalld start | empties what [`firewalld::stop`] empties, then loads its rules           | order-docker-first-*          |
//! | reload          | the same                                                                 | order-*-reload                |
//! | complete reload | the same, and forgets connections, which nothing here depends on         | results of order-fw-first-*   |
//! | firewalld stop  | empties only, and nothing with `CleanupOnExit=no`                        | order-fw-first-*-stop         |
//! | engine start    | next to firewalld: makes its zone, which reloads firewalld; then its rules | order-fw-first-*            |
//! | networks start  | libvirt makes its networks, with rules that it puts back whenever firewalld empties them | libvirt's own tests |
//! | user rules      | a line of iptables, or a saved rule set in place of all tables of iptables | docker-user-chain            |
//! | nft rules       | a rule set of nftables; a listing in place of everything                 | every recorded rule set       |
//! | setting         | of the kernel: before everything else if it is made at boot               | ip-sysctl.rst                 |
//! | engine restart  | like a start, and finds firewalld if that came up in between              | order-dockerd-restart         |
//!
//! dockerd only listens to firewalld when it found it running at its own start: then it puts its rules back after every
//! reload and start of firewalld. An engine that was first never does, not even after a later reload: its rules are gone
//! until it is restarted (order-docker-first-*, order-reload-*).

#[cfg(test)]
mod tests;

use crate::dataplane::{Dataplane, NodeId, Toggle};
use crate::lab::{Host, HostEvent, HostId, Lab};
use crate::provenance::OriginId;

use super::firewalld::Bridges;
use super::sysctl::ReversePaths;
use super::{docker, firewalld, libvirt, sysctl, user_rules};

/// Replays the events of `host` on its node, which has its interfaces and routes but no rules yet.
pub fn apply(lab: &Lab, host: HostId, node: NodeId, dataplane: &mut Dataplane) {
    let machine = lab.host(host);
    let mut replay = Replay {
        lab,
        host,
        node,
        dataplane,
        firewalld: Firewall::Stopped,
        engine: Engine::NeverStarted,
        has_run: false,
        keeps_networks: false,
        routes_later: None,
        reverse_paths: ReversePaths::default(),
    };
    for event in &machine.events {
        replay.one(*event);
    }
    if machine.events.is_empty() {
        replay.usual(machine);
    }
    replay.route_at_last();
    let reverse_paths = replay.reverse_paths;
    reverse_paths.settle(machine, node, dataplane);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Firewall {
    Stopped,
    Running,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Engine {
    NeverStarted,
    /// Started while firewalld was not there.
    Alone,
    /// Started next to firewalld: its bridges are in a zone, and it listens.
    NextToFirewalld,
}

struct Replay<'a> {
    lab: &'a Lab,
    host: HostId,
    node: NodeId,
    dataplane: &'a mut Dataplane,
    firewalld: Firewall,
    engine: Engine,
    /// The engine has looked whether forwarding is on.
    has_run: bool,
    /// libvirt has started its networks.
    keeps_networks: bool,
    /// Forwarding as firewalld turns it on only after that.
    routes_later: Option<(Toggle, OriginId)>,
    reverse_paths: ReversePaths,
}

impl Replay<'_> {
    /// Without any word about it the firewall came first, as systemd orders the two units.
    fn usual(&mut self, machine: &Host) {
        if machine.firewalld.is_some() {
            self.one(HostEvent::FirewalldStart);
        }
        if machine.engine.is_some() {
            self.one(HostEvent::EngineStart);
        }
    }

    fn one(&mut self, event: HostEvent) {
        match event {
            // Starting what runs does nothing.
            HostEvent::FirewalldStart if self.firewalld == Firewall::Running => {}
            HostEvent::EngineStart if self.engine != Engine::NeverStarted => {}
            HostEvent::FirewalldStart => self.load(),
            HostEvent::FirewalldReload | HostEvent::FirewalldCompleteReload => {
                if self.firewalld == Firewall::Running {
                    self.load();
                }
            }
            HostEvent::FirewalldStop => {
                let firewalld = self.lab.host(self.host).firewalld.as_ref();
                if firewalld.is_some_and(|f| f.cleanup_on_exit) {
                    firewalld::stop(self.lab, self.host, self.node, self.dataplane);
                }
                self.firewalld = Firewall::Stopped;
            }
            HostEvent::NetworksStart => {
                self.keeps_networks = true;
                libvirt::start(self.lab, self.host, self.node, self.dataplane);
            }
            HostEvent::EngineStart | HostEvent::EngineRestart => self.start_engine(),
            HostEvent::NftRules(index) => {
                if let Some(ruleset) = self.lab.host(self.host).nft.get(index) {
                    user_rules::nft::load(ruleset, self.node, self.dataplane);
                }
            }
            HostEvent::Sysctl(index) => {
                if let Some(sysctl) = self.lab.host(self.host).sysctls.get(index) {
                    let present = self.present();
                    sysctl::apply(sysctl, &present, self.node, self.dataplane, &mut self.reverse_paths);
                }
            }
            HostEvent::UserRules(index) => {
                let commands = self.lab.host(self.host).rules.get(index).map_or(&[][..], Vec::as_slice);
                user_rules::apply(commands, self.node, self.dataplane);
            }
        }
    }

    /// firewalld loads everything anew, and an engine that listens follows.
    fn load(&mut self) {
        self.firewalld = Firewall::Running;
        self.load_firewalld();
        if self.engine == Engine::NextToFirewalld {
            docker::reinstall(self.lab, self.host, self.node, self.dataplane);
        }
    }

    fn load_firewalld(&mut self) {
        let bridges = if self.engine == Engine::NextToFirewalld { Bridges::Known } else { Bridges::Unknown };
        firewalld::stop(self.lab, self.host, self.node, self.dataplane);
        let before = self.forwarding();
        firewalld::start_with(self.lab, self.host, self.node, self.dataplane, bridges);
        let machine = self.lab.host(self.host);
        if let Some(firewalld) = &machine.firewalld {
            user_rules::apply(&firewalld.direct, self.node, self.dataplane);
            // What made it turn forwarding on may be gone by now: it stays on, and dockerd leaves the policy alone.
            if firewalld.routes_before_engine && self.forwarding().0 == Toggle::Off {
                let origin = self.dataplane.origins.add(firewalld.origin.clone());
                self.set_forwarding((Toggle::On, origin));
            }
        }
        let routes_before =
            machine.engine.is_none() || machine.firewalld.as_ref().is_none_or(|f| f.routes_before_engine);
        if self.keeps_networks {
            libvirt::start(self.lab, self.host, self.node, self.dataplane);
        }
        if !self.has_run && !routes_before && self.forwarding() != before {
            self.routes_later = Some(self.forwarding());
            self.set_forwarding(before);
        }
    }

    /// The interfaces that are there by now: those of docker are not before it starts.
    fn present(&self) -> Vec<String> {
        let interfaces = self.dataplane.node(self.node).interfaces.iter().skip(1).map(|i| i.name.clone());
        let own = &self.lab.host(self.host).interfaces;
        let is_there = |name: &String| self.engine != Engine::NeverStarted || own.iter().any(|i| i.name == *name);
        interfaces.filter(is_there).collect()
    }

    fn forwarding(&self) -> (Toggle, OriginId) {
        let sysctls = &self.dataplane.node(self.node).sysctls;
        (sysctls.ip_forward, sysctls.ip_forward_origin)
    }

    fn set_forwarding(&mut self, (toggle, origin): (Toggle, OriginId)) {
        let sysctls = &mut self.dataplane.node_mut(self.node).sysctls;
        sysctls.ip_forward = toggle;
        sysctls.ip_forward_origin = origin;
    }

    /// A masquerade that came after the engine turned forwarding on too, if the engine did not.
    fn route_at_last(&mut self) {
        if let (Toggle::Off, Some(later)) = (self.forwarding().0, self.routes_later) {
            self.set_forwarding(later);
        }
    }

    /// The first time next to firewalld dockerd makes its zone, and reloads firewalld for it (moby 28.5.2
    /// daemon/libnetwork/iptables/firewalld.go, `setupDockerZone`).
    fn start_engine(&mut self) {
        let before = self.engine;
        self.engine = match self.firewalld {
            Firewall::Running => Engine::NextToFirewalld,
            Firewall::Stopped => Engine::Alone,
        };
        if self.engine == Engine::NextToFirewalld && before != Engine::NextToFirewalld {
            self.load_firewalld();
        }
        if before == Engine::NeverStarted {
            docker::start(self.lab, self.host, self.node, self.dataplane);
            self.has_run = true;
        } else {
            docker::install_rules(self.lab, self.host, self.node, self.dataplane);
        }
    }
}
