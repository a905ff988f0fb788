//! Virtual machines as their files and listings state them, and what commands make of them afterwards.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::Declaration;
use crate::lab::machine::{
    AdapterChange, AdapterDecl, AdapterMode, ForwardDecl, MachineAction, MachineChange, MachineDecl, ModeKind, NatDecl,
};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

use super::Context;
use super::Input;

/// A machine, and the file that states or makes it.
pub(super) struct Machine {
    pub(super) decl: MachineDecl,
    /// Index of the input.
    pub(super) input: usize,
}

/// All machines. Commands come after files: a script changes what was there.
pub(super) fn gather(context: &mut Context, inputs: &[Input]) -> Vec<Machine> {
    let mut machines = Vec::new();
    for (input, declaration) in numbered(inputs) {
        if let Declaration::Machine(machine) = declaration {
            machines.push(Machine { decl: machine.clone(), input });
        }
    }
    for (input, declaration) in numbered(inputs) {
        if let Declaration::MachineChange(change) = declaration {
            apply(context, &mut machines, change, input);
        }
    }
    machines.iter_mut().for_each(|machine| machine.decl.adapters.sort_by_key(|adapter| adapter.slot));
    machines
}

fn numbered(inputs: &[Input]) -> impl Iterator<Item = (usize, &Declaration)> {
    inputs.iter().enumerate().flat_map(|(index, input)| input.declarations.iter().map(move |d| (index, d)))
}

fn apply(context: &mut Context, machines: &mut Vec<Machine>, change: &MachineChange, input: usize) {
    let is_it = |m: &&mut Machine| m.decl.name.value == change.machine.value;
    if let MachineAction::Create { os_type } = &change.action {
        if let Some(machine) = machines.iter_mut().find(is_it) {
            // The file that the command made.
            if machine.input == input {
                context.report(twice(&text!("machine", "머신이"), &change.machine, machine.decl.span));
            }
            return;
        }
        machines.push(Machine { decl: new_machine(change, os_type.clone()), input });
        return;
    }
    let names: Vec<String> = machines.iter().map(|m| m.decl.name.value.clone()).collect();
    let Some(machine) = machines.iter_mut().find(is_it) else {
        return context.report(unknown(&text!("machine", "머신이"), &change.machine, &names));
    };
    match &change.action {
        MachineAction::Create { .. } => {}
        MachineAction::Rename(name) => machine.decl.name = name.clone(),
        MachineAction::Adapter(slot, adapter) => {
            change_adapter(context, adapter_in(&mut machine.decl, *slot, change.span), adapter, change.span);
        }
        MachineAction::Remove => machines.retain(|m| m.decl.name.value != change.machine.value),
    }
}

/// A new machine has one adapter, attached to NAT (VBoxManage 7.2.22, `createvm` with and without `--default`).
fn new_machine(change: &MachineChange, os_type: Option<Spanned<String>>) -> MachineDecl {
    MachineDecl {
        name: change.machine.clone(),
        settings: None,
        runs_on: None,
        written_by: None,
        os_type,
        adapters: vec![AdapterDecl {
            enabled: true,
            mode: AdapterMode::Nat(Box::new(NatDecl::new(change.span))),
            ..empty_slot(0, change.span)
        }],
        span: change.span,
    }
}

fn empty_slot(slot: u8, span: Span) -> AdapterDecl {
    AdapterDecl {
        slot,
        enabled: false,
        cable: None,
        mac: None,
        mode: AdapterMode::None,
        other_modes: Vec::new(),
        addresses: Vec::new(),
        span,
    }
}

#[expect(clippy::indexing_slicing, reason = "the position was found or is that of the element just pushed")]
fn adapter_in(machine: &mut MachineDecl, slot: u8, span: Span) -> &mut AdapterDecl {
    let position = machine.adapters.iter().position(|a| a.slot == slot).unwrap_or_else(|| {
        machine.adapters.push(empty_slot(slot, span));
        machine.adapters.len() - 1
    });
    &mut machine.adapters[position]
}

fn change_adapter(context: &mut Context, adapter: &mut AdapterDecl, change: &AdapterChange, span: Span) {
    match change {
        AdapterChange::Disable => adapter.enabled = false,
        AdapterChange::Attach(kind) => attach(adapter, *kind, span),
        AdapterChange::Target(mode) => aim(adapter, mode),
        AdapterChange::Cable(plugged) => adapter.cable = Some(*plugged),
        AdapterChange::Mac(address) => adapter.mac = Some(address.clone()),
        AdapterChange::NatNetwork(network) => with_nat(adapter, span, |nat| nat.network = *network),
        AdapterChange::LocalhostReachable(reachable) => {
            with_nat(adapter, span, |nat| nat.localhost_reachable = Some(*reachable));
        }
        AdapterChange::BindAddress(address) => with_nat(adapter, span, |nat| nat.bind_address = *address),
        AdapterChange::AddForward(forward) => {
            with_nat(adapter, span, |nat| add_forward(context, &mut nat.forwards, forward));
        }
        AdapterChange::RemoveForward(name) => {
            with_nat(adapter, span, |nat| remove_forward(context, &mut nat.forwards, name));
        }
    }
}

/// What a mode was told before holds again.
fn attach(adapter: &mut AdapterDecl, kind: ModeKind, span: Span) {
    adapter.enabled = true;
    adapter.span = span;
    if adapter.mode.kind() == kind {
        return;
    }
    let known = adapter.other_modes.iter().position(|mode| mode.kind() == kind);
    let mode = known.map_or_else(|| fresh(kind, span), |at| adapter.other_modes.swap_remove(at));
    let former = std::mem::replace(&mut adapter.mode, mode);
    if former.kind() != ModeKind::Null {
        adapter.other_modes.push(former);
    }
}

/// A mode that was told nothing: `intnet` and `NatNetwork` are VirtualBox's names for the first such network.
fn fresh(kind: ModeKind, span: Span) -> AdapterMode {
    let name = |name: &str| Spanned::new(name.to_owned(), span);
    match kind {
        ModeKind::Null => AdapterMode::None,
        ModeKind::Nat => AdapterMode::Nat(Box::new(NatDecl::new(span))),
        ModeKind::Bridged => AdapterMode::Bridged(name("")),
        ModeKind::HostOnly => AdapterMode::HostOnly(name("")),
        ModeKind::HostOnlyNetwork => AdapterMode::HostOnlyNetwork(name("")),
        ModeKind::Internal => AdapterMode::Internal(name("intnet")),
        ModeKind::NatNetwork => AdapterMode::NatNetwork(name("NatNetwork")),
        ModeKind::Generic => AdapterMode::Generic(name(""), Vec::new()),
        ModeKind::Cloud => AdapterMode::Cloud(name("")),
    }
}

fn aim(adapter: &mut AdapterDecl, mode: &AdapterMode) {
    if adapter.mode.kind() == mode.kind() {
        adapter.mode = mode.clone();
    } else {
        adapter.other_modes.retain(|other| other.kind() != mode.kind());
        adapter.other_modes.push(mode.clone());
    }
}

/// The NAT settings of an adapter, which are there whether or not it is attached to NAT.
fn with_nat(adapter: &mut AdapterDecl, span: Span, change: impl FnOnce(&mut NatDecl)) {
    if adapter.mode.kind() != ModeKind::Nat && adapter.other_modes.iter().all(|mode| mode.kind() != ModeKind::Nat) {
        adapter.other_modes.push(AdapterMode::Nat(Box::new(NatDecl::new(span))));
    }
    let nat = std::iter::once(&mut adapter.mode).chain(&mut adapter.other_modes).find_map(|mode| match mode {
        AdapterMode::Nat(nat) => Some(nat),
        _ => None,
    });
    if let Some(nat) = nat {
        change(nat);
    }
}

/// Adds a forward unless there is one of that name; one that says the same was made by this command before.
pub(super) fn add_forward(context: &mut Context, forwards: &mut Vec<ForwardDecl>, forward: &ForwardDecl) {
    let rule = |f: &ForwardDecl| (f.protocol, f.host_address, f.host_port, f.guest_address, f.guest_port);
    match forwards.iter().find(|f| f.name == forward.name) {
        Some(first) if first.span.source != forward.span.source && rule(first) == rule(forward) => {}
        Some(first) => context.report(twice(
            &text!("forward", "포트 포워딩이"),
            &Spanned::new(forward.name.clone(), forward.span),
            first.span,
        )),
        None => {
            forwards.push(forward.clone());
            // VirtualBox keeps them by name.
            forwards.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }
}

/// Removes a forward by name.
pub(super) fn remove_forward(context: &mut Context, forwards: &mut Vec<ForwardDecl>, name: &Spanned<String>) {
    let names: Vec<String> = forwards.iter().map(|f| f.name.clone()).collect();
    if !names.contains(&name.value) {
        context.report(unknown(&text!("forward", "포트 포워딩이"), name, &names));
    }
    forwards.retain(|f| f.name != name.value);
}

/// A name that a command needs and that nothing bears.
pub(super) fn unknown(what: &Text, name: &Spanned<String>, known: &[String]) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::VboxUnknownName,
        text!("there is no {what} `{bearer}`", "`{bearer}`: 그런 {what} 없습니다", bearer = &name.value; what),
    )
    .label(name.span, text!("VBoxManage refuses this", "VBoxManage가 거부함"));
    match did_you_mean(&name.value, known.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None if *what == "machine" => diagnostic.help(text!(
            "no file, listing or command of the lab makes it",
            "이 랩의 파일, 목록, 명령 가운데 이것을 만드는 것이 없습니다"
        )),
        None => diagnostic,
    }
}

/// A name that a command would give away for the second time.
pub(super) fn twice(what: &Text, name: &Spanned<String>, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::VboxDuplicate,
        text!(
            "there is a {what} `{bearer}` already",
            "`{bearer}`: 그런 {what} 이미 있습니다",
            bearer = &name.value; what
        ),
    )
    .label(name.span, text!("VBoxManage refuses this", "VBoxManage가 거부함"))
    .label(first, text!("the first one", "첫 번째"))
    .help(text!("give it a name of its own", "고유한 이름을 주십시오"))
}
