//! When docker's own chains of iptables are gone: until the engine writes them again, it can neither publish a port
//! nor make a network. Spec: specs/firewalld-order.md.
//!
//! Observed with engines 20.10.24, 26.1.5 and 28.5.2. Sources: moby 28.5.2
//! daemon/libnetwork/drivers/bridge/{port_mapping_linux,setup_ip_tables_linux}.go, whose rules go to chains that
//! dockerd makes only when it starts and when firewalld says that it has reloaded.

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::declaration::{ContainerDecl, NetworkDecl};
use crate::lab::iptables::{IptablesChange, IptablesCommand, IptablesTable};
use crate::lab::{Declaration, Engine, Firewalld, HostEvent, RuleBackend};
use crate::language::{Text, text};
use crate::source::Span;

use super::bind::HostPlan;
use super::{Context, firewall};

/// The statements of one host before which the chains had gone, by number, with the place of what took them.
pub(super) struct Emptied(Vec<(usize, Option<Span>)>);

impl Emptied {
    /// Goes through what happens on a host.
    pub(super) fn on(context: &Context, plan: &HostPlan<'_>, engine: &Engine) -> Self {
        if !engine.options.iptables || engine.options.backend == RuleBackend::Nftables {
            return Self(Vec::new());
        }
        let firewalld = firewall::stated(context, plan);
        let starts = |event: HostEvent| plan.declarations().any(|d| is_event(d, event));
        let runs = firewalld.is_some() && !starts(HostEvent::FirewalldStart);
        let has_engine = !starts(HostEvent::EngineStart);
        let mut state =
            State { firewalld, runs, has_engine, follows: runs && has_engine, nat_is_flushed: false, gone: None };
        let mut changes = Vec::new();
        // Scripts ran behind the starts that lab.yaml lists, and before what came last.
        let is_start = |d: &&Declaration| is_event(d, HostEvent::FirewalldStart) || is_event(d, HostEvent::EngineStart);
        let starts = plan.stated.iter().rposition(is_start).map_or(0, |last| last + 1);
        plan.stated.iter().take(starts).for_each(|declaration| state.happens(declaration));
        state.gone = None;
        for (number, declaration) in plan.declarations().enumerate().skip(plan.stated.len()) {
            let before = state.gone;
            state.happens(declaration);
            if state.gone != before {
                changes.push((number, state.gone));
            }
        }
        Self(changes)
    }

    /// What has taken the chains that statement `number` at `span` needs.
    fn before(&self, number: usize, span: Span) -> Option<Span> {
        let gone = self.0.iter().rfind(|(n, _)| *n < number).and_then(|(_, gone)| *gone)?;
        // In which order several files ran is not known.
        (gone.source == span.source).then_some(gone)
    }

    /// What keeps a container with published ports from being started. After a later start of the engine it can be: then
    /// it is what the script says of it.
    pub(super) fn stops_container(&self, number: usize, container: &ContainerDecl) -> Option<Diagnostic> {
        let gone = self.before(number, container.span)?;
        let is_started_later = self.0.iter().any(|(n, gone)| number < *n && gone.is_none());
        let name = container.name.as_ref().map_or("a container", |name| &name.value);
        let message = text!(
            "docker cannot publish the ports of `{name}`: its chains of iptables are gone",
            "docker가 `{name}`의 포트를 게시할 수 없습니다: docker의 iptables 체인이 사라졌습니다"
        );
        (!is_started_later).then(|| refused(message, container.span, gone))
    }

    /// What keeps a network from being made.
    pub(super) fn stops_network(&self, number: usize, network: &NetworkDecl) -> Option<Diagnostic> {
        let gone = self.before(number, network.span)?;
        let name = &network.name.value;
        let message = text!(
            "docker cannot create network `{name}`: its chains of iptables are gone",
            "docker가 `{name}` 네트워크를 만들 수 없습니다: docker의 iptables 체인이 사라졌습니다"
        );
        Some(refused(message, network.span, gone))
    }
}

fn refused(message: Text, at: Span, gone: Span) -> Diagnostic {
    Diagnostic::new(Code::DockerChainsGone, message)
        .label(
            at,
            text!(
                "docker refuses this: `iptables: No chain/target/match by that name`",
                "docker가 거부함: `iptables: No chain/target/match by that name`"
            ),
        )
        .label(gone, text!("this takes away all chains of iptables", "이것이 모든 iptables 체인을 없앰"))
        .help(text!(
            "run `systemctl restart docker` in between, or start docker after the firewall",
            "그 사이에 `systemctl restart docker`를 실행하거나, 방화벽 다음에 docker를 시작하십시오"
        ))
}

fn is_event(declaration: &Declaration, event: HostEvent) -> bool {
    matches!(declaration, Declaration::Event(e) if e.value == event)
}

struct State {
    /// Nothing if there is none.
    firewalld: Option<Firewalld>,
    runs: bool,
    has_engine: bool,
    /// dockerd has started beside firewalld, and puts its rules back after a reload.
    follows: bool,
    nat_is_flushed: bool,
    gone: Option<Span>,
}

impl State {
    fn happens(&mut self, declaration: &Declaration) {
        match declaration {
            Declaration::Event(event) => self.event(event.value, event.span),
            Declaration::Iptables(commands) => commands.iter().for_each(|command| self.command(command)),
            _ => {}
        }
    }

    fn event(&mut self, event: HostEvent, span: Span) {
        match event {
            HostEvent::FirewalldStart if self.runs => {}
            HostEvent::FirewalldStart => {
                self.runs = true;
                self.reloaded(span);
            }
            HostEvent::FirewalldReload | HostEvent::FirewalldCompleteReload if self.runs => self.reloaded(span),
            HostEvent::FirewalldStop if self.runs => {
                self.runs = false;
                if self.firewalld.as_ref().is_some_and(|f| f.cleanup_on_exit && f.empties_iptables()) {
                    self.emptied(span);
                }
            }
            HostEvent::EngineStart if self.has_engine => {}
            HostEvent::EngineStart | HostEvent::EngineRestart => {
                self.has_engine = true;
                self.follows = self.runs;
                self.gone = None;
                self.nat_is_flushed = false;
            }
            _ => {}
        }
    }

    fn reloaded(&mut self, span: Span) {
        if self.follows {
            self.gone = None;
        } else if self.firewalld.as_ref().is_some_and(Firewalld::empties_iptables) {
            self.emptied(span);
        }
    }

    fn emptied(&mut self, span: Span) {
        if self.has_engine {
            self.gone = self.gone.or(Some(span));
        }
    }

    /// `iptables -t nat -F` and then `iptables -t nat -X`; the latter refuses chains that still have rules.
    fn command(&mut self, command: &IptablesCommand) {
        match command.change {
            IptablesChange::Flush(None) if command.table == IptablesTable::Nat => self.nat_is_flushed = true,
            IptablesChange::Remove(None) if command.table == IptablesTable::Nat && self.nat_is_flushed => {
                self.emptied(command.span);
            }
            _ => {}
        }
    }
}
