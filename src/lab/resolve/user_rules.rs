//! Lines for iptables that name a chain or an interface that is not there, and what a saved rule set tells about names.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::iptables::{Condition, IptablesChange, IptablesCommand, IptablesRule, IptablesTable, RuleTarget};
use crate::lab::nft::NftChain;
use crate::lab::{Declaration, Engine, Host, HostEvent, HostId, RuleBackend, Unmodeled};
use crate::language::text;
use crate::net::Family;

use super::Context;
use super::bind::HostPlan;

type Chain = (Family, IptablesTable, String);

/// docker calls the bridge of a network after the network's number, which no file states. Rules of a saved rule set do:
/// the one that masquerades the network's subnet, or one for an address in it. What is left over belongs together.
pub(super) fn name_bridges<'a>(host: &'a mut Host) {
    let Host { engine: Some(engine), rules, nft, .. } = host else { return };
    let saved = rules.iter().filter(|batch| batch.iter().any(|c| matches!(c.change, IptablesChange::Clear)));
    let of_iptables = saved.flatten().filter_map(rule_of).map(|rule| (rule, None));
    let listings = nft.iter().filter(|ruleset| ruleset.replaces).flat_map(|ruleset| &ruleset.tables);
    let of_chain = |chain: &'a NftChain| {
        // `filter-forward-in__br-0123456789ab` (moby 29.7 daemon/libnetwork/drivers/bridge/internal/nftabler).
        let bridge = chain.name.split_once("__").map(|(_, bridge)| bridge);
        chain.rules.iter().map(move |rule| (&rule.value, bridge))
    };
    let of_nft = listings.flat_map(|table| &table.chains).flat_map(of_chain);
    let mut named = Vec::new();
    let mut names = BTreeSet::new();
    for (rule, of_chain) in of_iptables.chain(of_nft) {
        let bridges =
            || rule.conditions.iter().filter_map(interface).chain(of_chain).filter(|name| name.starts_with("br-"));
        names.extend(bridges());
        let nets = rule.conditions.iter().filter_map(|condition| match condition {
            Condition::Source(net) if rule.target == RuleTarget::Masquerade => Some(*net),
            Condition::Destination(net) => Some(*net),
            _ => None,
        });
        named.extend(nets.flat_map(|net| bridges().map(move |name| (net, name))));
    }
    let mut unnamed = Vec::new();
    for network in engine.networks.iter_mut().filter(|network| network.bridge.starts_with("br-")) {
        match named.iter().find(|(net, _)| network.subnet.contains(net)) {
            Some((_, name)) => {
                names.remove(name);
                (*name).clone_into(&mut network.bridge);
            }
            None => unnamed.push(network),
        }
    }
    if let ([network], Some(name), None) = (unnamed.as_mut_slice(), names.pop_first(), names.pop_first()) {
        name.clone_into(&mut network.bridge);
    }
}

fn rule_of(command: &IptablesCommand) -> Option<&IptablesRule> {
    match &command.change {
        IptablesChange::Append(_, rule) | IptablesChange::Insert(_, _, rule) | IptablesChange::Replace(_, _, rule) => {
            Some(rule)
        }
        _ => None,
    }
}

/// Until 27, docker puts the rules of a new network on top of `FORWARD`; here every network is there when the engine
/// starts. What the user has put there in between may stand above or below (moby 20.10
/// libnetwork/drivers/bridge/setup_ip_tables.go, `setupIPTablesInternal`).
pub(super) fn check_order(context: &mut Context, id: HostId, plan: &HostPlan<'_>, host: &Host) {
    if host.engine.as_ref().is_none_or(|e| 28 <= e.version.major || !e.options.iptables) {
        return;
    }
    let mut inserted = None;
    for declaration in &plan.files {
        match declaration {
            Declaration::Iptables(commands) => inserted = inserted.or(commands.iter().find(|c| is_in_forward(c))),
            Declaration::Network(network) if !network.external => {
                context.unmodeled.extend(inserted.map(|command| Unmodeled {
                    what: text!(
                        "a rule in `FORWARD` from before network `{name}` was made",
                        "`{name}` 네트워크를 만들기 전에 `FORWARD`에 넣은 규칙",
                        name = &network.name.value
                    ),
                    span: command.span,
                    host: Some(id),
                }));
            }
            _ => {}
        }
    }
}

fn is_in_forward(command: &IptablesCommand) -> bool {
    let is_forward = matches!(&command.change, IptablesChange::Insert(chain, ..) if chain == "FORWARD");
    is_forward && command.family == Family::V4 && command.table == IptablesTable::Filter
}

/// Reports the first rule for each interface that the host does not have.
pub(super) fn check_interfaces(context: &mut Context, host: &Host) {
    let own = host.interfaces.iter().map(|i| i.name.as_str());
    let bridges = host.engine.iter().flat_map(|e| e.bridges()).map(|n| n.bridge.as_str());
    let known: Vec<&str> = own.chain(bridges).collect();
    let mut reported = BTreeSet::new();
    for command in host.rules.iter().flatten() {
        let conditions = rule_of(command).map_or(&[][..], |rule| &rule.conditions);
        for name in conditions.iter().filter_map(interface) {
            let is_known = match name.strip_suffix('*') {
                Some(start) => known.iter().any(|k| k.starts_with(start)) || "lo".starts_with(start),
                None => known.contains(&name) || name == "lo",
            };
            if !is_known && reported.insert(name) {
                context.report(unknown_interface(host, command, name, &known));
            }
        }
    }
}

fn interface(condition: &Condition) -> Option<&str> {
    match condition {
        Condition::InInterface(name) | Condition::OutInterface(name) => Some(name),
        Condition::Not(inner) => interface(inner),
        _ => None,
    }
}

fn unknown_interface(host: &Host, command: &IptablesCommand, name: &str, known: &[&str]) -> Diagnostic {
    let shown = name.replace('*', "+");
    Diagnostic::new(
        Code::IptablesUnknownInterface,
        text!("`{host}` has no interface `{shown}`", "`{host}`에 `{shown}` 인터페이스가 없습니다", host = &host.name),
    )
    .label(command.span, text!("no packet comes or goes that way", "그리로 오가는 패킷이 없음"))
    .help(text!("its interfaces are {known}", "있는 인터페이스: {known}", known = known.join(", ")))
}

/// Goes through the events of a host with the names of the chains that are there. firewalld's own chains in the tables
/// of iptables are not known here: next to its iptables backend nothing is reported.
pub(super) fn check(context: &mut Context, host: &Host) {
    if host.firewalld.as_ref().is_some_and(|f| f.backend == RuleBackend::Iptables) {
        return;
    }
    let mut chains = BTreeSet::new();
    for event in &host.events {
        match event {
            HostEvent::EngineStart | HostEvent::EngineRestart => {
                chains.extend(host.engine.iter().flat_map(chains_of_docker));
            }
            HostEvent::UserRules(index) => {
                for command in host.rules.get(*index).iter().flat_map(|commands| commands.iter()) {
                    check_command(context, host, command, &mut chains);
                }
            }
            _ => {}
        }
    }
}

/// Sources: moby 20.10 libnetwork/drivers/bridge/setup_ip_tables.go; moby 28.5 and 29.7
/// libnetwork/drivers/bridge/internal/iptabler/iptabler.go, `setupIPChains`.
fn chains_of_docker(engine: &Engine) -> Vec<Chain> {
    let is_nftables = 29 <= engine.version.major && engine.options.backend == RuleBackend::Nftables;
    if !engine.options.iptables || is_nftables {
        return Vec::new();
    }
    let filter: &[&str] = match engine.version.major {
        0..28 => &["DOCKER", "DOCKER-USER", "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2"],
        28 => &[
            "DOCKER",
            "DOCKER-USER",
            "DOCKER-FORWARD",
            "DOCKER-BRIDGE",
            "DOCKER-CT",
            "DOCKER-ISOLATION-STAGE-1",
            "DOCKER-ISOLATION-STAGE-2",
        ],
        _ => &["DOCKER", "DOCKER-USER", "DOCKER-FORWARD", "DOCKER-BRIDGE", "DOCKER-CT", "DOCKER-INTERNAL"],
    };
    let mut chains = Vec::new();
    for family in [Family::V4, Family::V6] {
        chains.extend(filter.iter().map(|name| (family, IptablesTable::Filter, (*name).to_owned())));
        chains.push((family, IptablesTable::Nat, "DOCKER".to_owned()));
    }
    chains
}

fn check_command(context: &mut Context, host: &Host, command: &IptablesCommand, chains: &mut BTreeSet<Chain>) {
    let key = |name: &str| (command.family, command.table, name.to_owned());
    let (chain, rule) = match &command.change {
        IptablesChange::Append(chain, rule)
        | IptablesChange::Insert(chain, _, rule)
        | IptablesChange::Replace(chain, _, rule) => (chain, Some(rule)),
        IptablesChange::Flush(Some(chain)) | IptablesChange::Policy(chain, _) => (chain, None),
        IptablesChange::New(chain) => {
            chains.insert(key(chain));
            return;
        }
        IptablesChange::Rename(old, new) => {
            if chains.remove(&key(old)) {
                chains.insert(key(new));
            }
            return;
        }
        // What cannot be deleted is not there, which is all that the line is for.
        IptablesChange::Flush(None)
        | IptablesChange::Remove(_)
        | IptablesChange::Delete(..)
        | IptablesChange::DeleteAt(..)
        | IptablesChange::Clear => return,
    };
    let target = rule.and_then(|rule| match &rule.target {
        RuleTarget::Jump(to) | RuleTarget::Goto(to) => Some(to),
        _ => None,
    });
    for name in [Some(chain), target].into_iter().flatten() {
        if !command.table.built_in().contains(&name.as_str()) && !chains.contains(&key(name)) {
            context.report(unknown_chain(host, command, name, chains));
            return;
        }
    }
}

fn unknown_chain(host: &Host, command: &IptablesCommand, name: &str, chains: &BTreeSet<Chain>) -> Diagnostic {
    let table = command.table;
    let message = text!(
        "there is no chain `{name}` in the table `{table}` at this point",
        "이 시점에는 `{table}` 테이블에 `{name}` 체인이 없습니다",
        table = table.name()
    );
    let diagnostic = Diagnostic::new(Code::IptablesUnknownChain, message).label(
        command.span,
        text!("iptables refuses this, so nothing changes", "iptables가 거부하므로 아무것도 바뀌지 않음"),
    );
    let is_docker = |engine: &Engine| chains_of_docker(engine).iter().any(|(_, t, n)| *t == table && n == name);
    if host.engine.as_ref().is_some_and(is_docker) {
        return diagnostic.help(text!(
            "docker makes it when it starts: let the line run after that",
            "docker가 시작할 때 만드는 체인입니다. 이 줄을 그 뒤에 실행하십시오"
        ));
    }
    let known = chains.iter().filter(|(f, t, _)| *f == command.family && *t == table).map(|(_, _, n)| n.as_str());
    match did_you_mean(name, known.chain(table.built_in().iter().copied())) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic.help(text!(
            "make the chain first: `iptables -t {table} -N {name}`",
            "체인을 먼저 만드십시오: `iptables -t {table} -N {name}`",
            table = table.name()
        )),
    }
}
