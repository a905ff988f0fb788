//! In which order a host's firewall and engine came up, what happened to them since, and when the user's own rules were
//! written.

use crate::lab::declaration::{DirectRule, FirewallChange, FirewallCmd};
use crate::lab::iptables::{IptablesChange, IptablesCommand};
use crate::lab::nft::NftRuleset;
use crate::lab::sysctl::Sysctl;
use crate::lab::{Declaration, Host, HostEvent, RuleBackend};
use crate::provenance::Origin;
use crate::source::Span;

use super::bind::HostPlan;
use super::direct;
use super::ufw::Ufw;

/// Events in order, and the rules that they speak of.
#[derive(Default)]
pub(super) struct Events {
    pub(super) order: Vec<HostEvent>,
    pub(super) rules: Vec<Vec<IptablesCommand>>,
    pub(super) nft: Vec<NftRuleset>,
    pub(super) sysctls: Vec<Sysctl>,
    /// How many of the events come before anything that is started.
    at_boot: usize,
    /// Nothing says which came up first, firewalld or the engine.
    pub(super) order_is_assumed: bool,
    /// The first line of `ufw`, if none says whether it is enabled.
    pub(super) unknown_ufw: Option<Span>,
}

/// lab.yaml states the order of starts and what came last; scripts ran in between. What neither starts was there from
/// the beginning, the firewall first unless the run assumes otherwise. A saved rule set is the state in the end.
/// libvirt's networks come up before docker, which waits for the network to be online (docker.service,
/// `After=network-online.target`; virtnetworkd.service, `After=network.target`).
pub(super) fn resolve(plan: &HostPlan<'_>, host: &Host, engine_first: bool, keeps_networks: bool) -> Events {
    let (has_firewalld, has_engine) = (host.firewalld.is_some(), host.engine.is_some());
    let backend = host.firewalld.as_ref().map_or(RuleBackend::Nftables, |f| f.backend);
    let mut events = in_order(plan, backend);
    events.order.retain(|event| match event {
        HostEvent::UserRules(_) | HostEvent::NftRules(_) | HostEvent::Sysctl(_) => true,
        HostEvent::EngineStart | HostEvent::EngineRestart => has_engine,
        HostEvent::NetworksStart => keeps_networks,
        _ => has_firewalld,
    });
    let at_boot = events.at_boot;
    let order = &mut events.order;
    if has_engine && !order.contains(&HostEvent::EngineStart) {
        let after_firewalld = usize::from(order.get(at_boot) == Some(&HostEvent::FirewalldStart));
        order.insert(at_boot + after_firewalld, HostEvent::EngineStart);
    }
    if has_firewalld && !order.contains(&HostEvent::FirewalldStart) {
        events.order_is_assumed = order.get(at_boot) == Some(&HostEvent::EngineStart);
        let after_engine = usize::from(engine_first && events.order_is_assumed);
        order.insert(at_boot + after_engine, HostEvent::FirewalldStart);
    }
    if keeps_networks && !order.contains(&HostEvent::NetworksStart) {
        let after_firewalld = usize::from(order.get(at_boot) == Some(&HostEvent::FirewalldStart));
        order.insert(at_boot + after_firewalld, HostEvent::NetworksStart);
    }
    events
}

fn in_order(plan: &HostPlan<'_>, backend: RuleBackend) -> Events {
    let mut collected = Collected { ufw: Ufw::of_files(plan), ..Collected::default() };
    collected.boot_ufw();
    let stated: Vec<HostEvent> = plan.stated.iter().filter_map(|d| collected.event(d, backend)).collect();
    let files: Vec<HostEvent> = plan.files.iter().filter_map(|d| collected.event(d, backend)).collect();
    let starts = stated.iter().rposition(|e| is_start(*e)).map_or(0, |last| last + 1);
    let (before, after) = stated.split_at_checked(starts).unwrap_or((&stated, &[]));
    plan.rules.iter().for_each(|d| collected.saved(d, backend));
    let Collected { rules, nft, sysctls, boot, saved, saved_nft, ufw, .. } = collected;
    let at_boot = boot.len();
    let started = before.iter().copied().chain(files).chain(after.iter().copied());
    let order = boot.into_iter().chain(started).chain(saved_nft).chain(saved).collect();
    let unknown_ufw = ufw.unknown();
    Events { order, rules, nft, sysctls, at_boot, order_is_assumed: false, unknown_ufw }
}

fn is_start(event: HostEvent) -> bool {
    matches!(event, HostEvent::FirewalldStart | HostEvent::EngineStart | HostEvent::NetworksStart)
}

/// Rules while they are collected.
#[derive(Default)]
struct Collected {
    rules: Vec<Vec<IptablesCommand>>,
    nft: Vec<NftRuleset>,
    sysctls: Vec<Sysctl>,
    /// `nft -f` loads its file before anything else comes up (nftables.service, `Before=network-pre.target`).
    boot: Vec<HostEvent>,
    saved: Vec<HostEvent>,
    /// Listings of nftables come before those of iptables, which replace only what iptables itself has.
    saved_nft: Vec<HostEvent>,
    ufw: Ufw,
    /// Direct rules that were given to the running firewalld.
    direct: Vec<DirectRule>,
}

fn is_permanent(declaration: &Declaration) -> bool {
    matches!(declaration, Declaration::FirewallCmd(command) if command.permanent)
}

impl Collected {
    fn event(&mut self, declaration: &Declaration, backend: RuleBackend) -> Option<HostEvent> {
        match declaration {
            Declaration::Event(event) => Some(event.value),
            Declaration::Iptables(commands) => {
                let is_saved = commands.iter().any(|c| matches!(c.change, IptablesChange::Clear));
                let event = self.rules(commands.clone());
                self.saved.extend(is_saved.then_some(event));
                (!is_saved).then_some(event)
            }
            // Stored ones go to iptables when firewalld loads.
            Declaration::FirewallCmd(FirewallCmd { change: FirewallChange::Direct(is_added, rule), .. })
                if !is_permanent(declaration) =>
            {
                let command = direct::at_once(rule, *is_added, &self.direct, backend)?;
                direct::change(&mut self.direct, *is_added, rule);
                Some(self.rules(vec![command]))
            }
            Declaration::Nft(ruleset) => {
                let event = self.nft(ruleset.clone());
                let list = if ruleset.is_script { &mut self.boot } else { &mut self.saved_nft };
                list.push(event);
                None
            }
            // systemd-sysctl.service comes before everything that has to do with the network.
            Declaration::Sysctl(sysctl) => {
                let origin = Origin::written(sysctl.setting.to_string(), sysctl.span);
                self.sysctls.push(Sysctl { setting: sysctl.setting.clone(), origin });
                let event = HostEvent::Sysctl(self.sysctls.len() - 1);
                if sysctl.at_boot {
                    self.boot.push(event);
                }
                (!sysctl.at_boot).then_some(event)
            }
            Declaration::Ufw(change) => {
                let commands = self.ufw.change(change)?;
                Some(self.rules(commands))
            }
            _ => None,
        }
    }

    /// A rule set that lab.yaml lists as saved.
    fn saved(&mut self, declaration: &Declaration, backend: RuleBackend) {
        match declaration {
            Declaration::Nft(ruleset) => {
                let event = self.nft(NftRuleset { replaces: true, ..ruleset.clone() });
                self.saved_nft.push(event);
            }
            other => {
                let event = self.event(other, backend);
                self.saved.extend(event);
            }
        }
    }

    /// ufw.service comes before the network, like nftables.service (`Before=network-pre.target`).
    fn boot_ufw(&mut self) {
        if let Some(commands) = self.ufw.boot() {
            let event = self.rules(commands);
            self.boot.push(event);
        }
    }

    fn nft(&mut self, ruleset: NftRuleset) -> HostEvent {
        self.nft.push(ruleset);
        HostEvent::NftRules(self.nft.len() - 1)
    }

    fn rules(&mut self, commands: Vec<IptablesCommand>) -> HostEvent {
        self.rules.push(commands);
        HostEvent::UserRules(self.rules.len() - 1)
    }
}
