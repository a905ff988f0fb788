//! Declarations of all files -> one lab.
//!
//! Names become indices, product defaults are filled in with their citation, and what no file states is assumed with
//! an origin that says so. What a product would refuse (a port that is taken, a network that is not there) is left out
//! of the lab and reported.

mod addresses;
mod bind;
mod binding;
mod checks;
mod command;
mod configuration;
mod containers;
mod default_zone;
mod definitions;
mod desktop;
mod direct;
mod emptied;
mod engine;
mod events;
mod firewall;
mod hardware_addresses;
mod host_firewall;
mod hosted;
mod hypervisor;
mod infer;
mod ipset;
mod kept_ports;
mod late_zone;
mod leases;
mod listen;
mod machines;
mod names;
mod nat_network;
mod own_interfaces;
mod parent;
mod policy;
mod publish;
mod refusal;
mod restarted;
mod running;
mod stored;
mod topology;
mod tunnels;
mod ufw;
mod user_rules;
mod vm;
mod vm_host;
mod wsl;
mod zone;

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnosed, Diagnostic};
use crate::lab::HostEvent;
use crate::language::text;
use crate::source::{SourceId, Spanned};
use crate::switch::Switches;

use super::{Assumption, Declaration, Defaults, Group, HostId, Lab, Unmodeled};

/// What was read from one file.
#[derive(Clone, Debug)]
pub struct Input {
    /// The file; its name is the path relative to where the tool was pointed.
    pub source: SourceId,
    /// The path, as lab.yaml's `files` would name it.
    pub path: String,
    /// What the file states, in order.
    pub declarations: Vec<Declaration>,
}

/// What resolving collects beside hosts and segments.
#[derive(Default)]
struct Context {
    defaults: Defaults,
    switches: Switches,
    diagnostics: Vec<Diagnostic>,
    unmodeled: Vec<Unmodeled>,
    /// The defaults that were used.
    assumed: BTreeSet<Assumption>,
}

impl Context {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// Makes one lab of everything that the files state.
pub fn resolve(inputs: &[Input]) -> Diagnosed<Lab> {
    resolve_with(inputs, Defaults::default())
}

/// Puts what was made of the statements of each host's files in their place.
fn replace_files<'a>(plan: &mut bind::Plan<'a>, settled: &'a [Option<Vec<Declaration>>]) {
    for (host, settled) in plan.hosts.iter_mut().zip(settled) {
        if let Some(settled) = settled {
            host.files = settled.iter().collect();
        }
    }
}

/// Makes one lab of everything that the files state, with other assumptions about what they leave open.
pub fn resolve_with(inputs: &[Input], defaults: Defaults) -> Diagnosed<Lab> {
    let mut context = Context { defaults, ..Context::default() };
    let machines = machines::gather(&mut context, inputs);
    let mut plan = bind::plan(&mut context, inputs, &machines);
    let running: Vec<_> = plan.hosts.iter().map(|host| running::settle(&mut context, host)).collect();
    replace_files(&mut plan, &running);
    let restarted: Vec<_> = plan.hosts.iter().map(|host| restarted::settle(&host.files)).collect();
    replace_files(&mut plan, &restarted);
    let reloaded: Vec<_> = plan.hosts.iter().map(|host| default_zone::settle(&context, host)).collect();
    replace_files(&mut plan, &reloaded);
    let (mut hosts, segments) = topology::build(&mut context, &plan);
    for (index, (host, plan_of_host)) in hosts.iter_mut().zip(&plan.hosts).enumerate() {
        host.processes = listen::host_processes(&plan, &host.name);
        host.engine = engine::resolve(&mut context, HostId(index), &plan, plan_of_host, host);
        host.firewalld = firewall::resolve(&mut context, HostId(index), plan_of_host, host.engine.as_ref());
        let keeps = segments.iter().any(|s| hosted::is_kept_by(s, HostId(index)));
        let events = events::resolve(plan_of_host, host, defaults.engine_first, keeps);
        context.assumed.extend(events.order_is_assumed.then_some(Assumption::Order));
        context.unmodeled.extend(hosted::beside_firewalld(&segments, HostId(index), host));
        (host.events, host.rules, host.nft, host.sysctls) = (events.order, events.rules, events.nft, events.sysctls);
        ipset::write_out(&mut context, plan_of_host, host);
        user_rules::name_bridges(host);
        user_rules::check(&mut context, host);
        user_rules::check_interfaces(&mut context, host);
        user_rules::check_order(&mut context, HostId(index), plan_of_host, host);
        context.unmodeled.extend(events.unknown_ufw.map(|span| Unmodeled {
            what: text!("whether `ufw` is enabled, which no line says", "`ufw`가 켜져 있는지(어느 줄에도 없음)"),
            span,
            host: Some(HostId(index)),
        }));
        unmodeled_of_host(&mut context, HostId(index), plan_of_host);
        context.unmodeled.extend(late_zone::unmodeled(HostId(index), plan_of_host, host));
    }
    host_firewall::attach(&mut context, &plan, &mut hosts);
    tunnels::attach(&mut context, &plan, &mut hosts);
    desktop::settle(&mut context, &plan.hosts, &mut hosts);
    names::shorten(&mut hosts);
    context.unmodeled.extend(plan.unmodeled.iter().map(|u| Unmodeled {
        what: u.value.clone(),
        span: u.span,
        host: None,
    }));
    let groups = plan.groups.iter().map(|(name, members)| group(&name.value, members)).collect();
    let sentences = plan.sentences.iter().map(|s| (*s).clone()).collect();
    let Context { switches, mut diagnostics, unmodeled, assumed, .. } = context;
    let lab = Lab { hosts, segments, groups, switches, sentences, unmodeled, assumed };
    checks::check(&lab, &plan, &mut diagnostics);
    Diagnosed { value: lab, diagnostics }
}

fn group(name: &str, members: &[Spanned<String>]) -> Group {
    Group { name: name.to_owned(), members: members.iter().map(|m| m.value.clone()).collect() }
}

fn unmodeled_of_host(context: &mut Context, host: HostId, plan: &bind::HostPlan<'_>) {
    for declaration in plan.declarations() {
        if let Declaration::Unmodeled(what) = declaration {
            context.unmodeled.push(Unmodeled { what: what.value.clone(), span: what.span, host: Some(host) });
        }
    }
    let lives_on = plan.declarations().find_map(restarted::runs_on);
    let restarts =
        plan.declarations().any(|d| matches!(d, Declaration::Event(e) if e.value == HostEvent::EngineRestart));
    context.unmodeled.extend(lives_on.filter(|_| restarts).map(|span| Unmodeled {
        what: text!(
            "`live-restore`: containers run on while docker restarts",
            "`live-restore`: docker가 다시 시작되어도 계속 실행되는 컨테이너"
        ),
        span,
        host: Some(host),
    }));
}

#[cfg(test)]
mod tests;
