//! What a person can be told who has not asked anything yet: who can reach what, what of that is assumed, and what to
//! ask.

use std::path::PathBuf;

use crate::check::{self, Exposure};
use crate::lab::{Host, HostKind, Lab};
use crate::language::{Text, text};
use crate::net::Protocol;
use crate::provenance::Basis;
use crate::report::exposure as rendering;

use super::model::Model;
use super::terminal;

/// A matrix with more cells is nothing to wait for, nor to read, for somebody who has not asked for it.
const MOST_CELLS: usize = 1000;

/// The whole overview of a lab in these files; nothing if the lab has nothing that listens.
pub(super) fn of(model: &Model, paths: &[PathBuf]) -> String {
    let style = terminal::style();
    let name = lab_argument(paths);
    let (diallers, listeners) = size(&model.lab);
    let below = format!("{}\n{}", style.say(&assumed(&model.lab)), style.say(&next(&model.lab, &name)));
    if MOST_CELLS < diallers * listeners {
        let seen = text!(
            "{diallers} machines and containers, {listeners} places where something listens",
            "머신과 컨테이너 {diallers}개, 프로그램이 대기하는 곳 {listeners}군데"
        );
        return format!("\n{}\n{below}  $ canreach exposure {name}\n", style.say(&seen));
    }
    let Some(exposure) = exposure(model) else { return String::new() };
    let title = text!("who can reach what, and at which address:", "누가 무엇에, 어느 주소로 연결할 수 있는가:");
    format!("\n{}\n\n{}{below}", style.say(&title), rendering::table(&exposure, style))
}

/// Who can reach what, unless there is nothing to reach or too much to read.
pub(super) fn exposure(model: &Model) -> Option<Exposure> {
    let (diallers, listeners) = size(&model.lab);
    let is_small = diallers * listeners <= MOST_CELLS;
    let exposure = is_small.then(|| check::exposure(&model.lab, &model.dataplane).ok()).flatten();
    exposure.filter(|exposure| !exposure.listeners.is_empty())
}

/// Who dials, and where something listens.
fn size(lab: &Lab) -> (usize, usize) {
    let hosts = || lab.hosts.iter().filter(|host| host.kind != HostKind::Router);
    let diallers = hosts().count() + lab.containers().count();
    let programs = hosts().flat_map(|host| &host.processes);
    let programs = programs.chain(lab.containers().flat_map(|(_, container)| &container.processes));
    (diallers, programs.map(|program| program.listens.len()).sum())
}

/// Hosts that no file states.
fn assumed(lab: &Lab) -> Text {
    let assumption = |host: &Host| {
        if !matches!(host.origin.basis, Basis::Assumed { .. }) {
            return None;
        }
        let addresses: Vec<String> =
            host.interfaces.iter().flat_map(|i| &i.addresses).map(|a| a.net.addr().to_string()).collect();
        let (what, at) = (&host.origin.what, addresses.join(", "));
        Some(text!("assumed: {what}, at {at}\n", "가정: {what}, 주소 {at}\n"; what))
    };
    let all: Vec<Text> = lab.hosts.iter().filter(|host| host.kind != HostKind::Router).filter_map(assumption).collect();
    Text::joined(&all, &"".into())
}

/// The lab as an argument of the commands to go on with; what a shell could take apart is not repeated.
fn lab_argument(paths: &[PathBuf]) -> String {
    let is_plain = |name: &&str| name.chars().all(|c| c.is_alphanumeric() || "/._-+:@".contains(c));
    let name = match paths {
        [one] => one.to_str(),
        _ => None,
    };
    name.filter(is_plain).unwrap_or("LAB").to_owned()
}

fn next(lab: &Lab, name: &str) -> Text {
    let asked = example(lab).map_or(String::new(), |sentence| format!("  $ canreach ask {name} \"{sentence}\"\n"));
    text!(
        "ask something, or write down what is the case:\n{asked}  $ canreach infer {name}\n  $ canreach init {name}\n",
        "물어보거나, 지금 상태를 문장으로 적어 두십시오:\n{asked}  $ canreach infer {name}\n  $ canreach init {name}\n"
    )
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
