//! What a person can be told who has not asked anything yet: who can reach what, what of that is assumed, and what to
//! ask.

use crate::check;
use crate::lab::{Host, HostKind, Lab};
use crate::net::Protocol;
use crate::provenance::Basis;
use crate::report::exposure as rendering;

use super::model::Model;
use super::terminal;

/// A matrix with more cells is nothing to wait for, nor to read, for somebody who has not asked for it.
const MOST_CELLS: usize = 1000;

/// Nothing if the lab has nothing that listens.
pub(super) fn of(model: &Model) -> String {
    let hosts = || model.lab.hosts.iter().filter(|host| host.kind != HostKind::Router);
    let diallers = hosts().count() + model.lab.containers().count();
    let programs = hosts().flat_map(|host| &host.processes);
    let programs = programs.chain(model.lab.containers().flat_map(|(_, container)| &container.processes));
    let listeners: usize = programs.map(|program| program.listens.len()).sum();
    if MOST_CELLS < diallers * listeners {
        let seen = format!("\n{diallers} machines and containers, {listeners} places where something listens\n");
        return format!("{seen}{}\n{}  $ canreach exposure LAB\n", assumed(&model.lab), next(&model.lab));
    }
    let Ok(exposure) = check::exposure(&model.lab, &model.dataplane) else { return String::new() };
    if exposure.listeners.is_empty() {
        return String::new();
    }
    let table = rendering::table(&exposure, terminal::style());
    format!("\nwho can reach what, and at which address:\n\n{table}{}\n{}", assumed(&model.lab), next(&model.lab))
}

/// Hosts that no file states.
fn assumed(lab: &Lab) -> String {
    let assumption = |host: &Host| {
        if !matches!(host.origin.basis, Basis::Assumed { .. }) {
            return None;
        }
        let addresses: Vec<String> =
            host.interfaces.iter().flat_map(|i| &i.addresses).map(|a| a.net.addr().to_string()).collect();
        Some(format!("assumed: {}, at {}\n", host.origin.what, addresses.join(", ")))
    };
    lab.hosts.iter().filter(|host| host.kind != HostKind::Router).filter_map(assumption).collect()
}

fn next(lab: &Lab) -> String {
    let asked = example(lab).map_or(String::new(), |sentence| format!("  $ canreach ask LAB \"{sentence}\"\n"));
    format!("ask something, or write down what is the case:\n{asked}  $ canreach infer LAB\n  $ canreach init LAB\n")
}

/// A sentence about the first container that listens, a published one if there is one.
pub(super) fn example(lab: &Lab) -> Option<String> {
    let listens = |published: bool| {
        lab.containers().filter(|(_, c)| !published || !c.publishes.is_empty()).find_map(|(_, container)| {
            let mut listens = container.processes.iter().flat_map(|process| &process.listens);
            let port = listens.find(|listen| listen.protocol == Protocol::Tcp)?.ports.first;
            Some(format!("lan can reach {}:{port}", container.short_name))
        })
    };
    listens(true).or_else(|| listens(false))
}
