//! Hosts when no lab.yaml states them: one physical host, the VMs that it runs, and the files on whichever of them can
//! be meant.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lab::declaration::Declaration;
use crate::lab::machine::MachineDecl;
use crate::lab::{HostKind, Os};
use crate::language::text;
use crate::provenance::Origin;
use crate::source::Span;

use super::bind::{HostPlan, Plan, is_about_a_host};
use super::machines::Machine;
use super::names::{sentence_name, span_of};
use super::{Context, HostId, Input};

/// Name of the machine that nobody named.
const HOST: &str = "host";

/// One physical host, and one host for every VM; the other files go to the only VM, or to the host without VMs.
pub(super) fn hosts<'a>(context: &mut Context, inputs: &'a [Input], machines: &'a [Machine], plan: &mut Plan<'a>) {
    let machines = described_once(context, machines);
    let decls: Vec<&MachineDecl> = machines.iter().map(|m| &m.decl).collect();
    plan.hosts.push(physical(&decls, inputs));
    for machine in &machines {
        let name = unused_name(&sentence_name(&machine.decl.name.value), plan);
        plan.hosts.push(virtual_machine(name, &machine.decl));
    }
    for (index, input) in inputs.iter().enumerate() {
        let here = machines.iter().find(|m| m.input == index).map(|m| &m.decl);
        bind(context, input, here, machines.len(), plan);
    }
}

/// A machine's file counts, and a listing of the same machine only where there is no file.
fn described_once<'a>(context: &mut Context, machines: &'a [Machine]) -> Vec<&'a Machine> {
    let mut kept: Vec<&Machine> = Vec::new();
    let files_first = machines.iter().filter(|m| m.decl.settings.is_some());
    for machine in files_first.chain(machines.iter().filter(|m| m.decl.settings.is_none())) {
        let is_listing = machine.decl.settings.is_none();
        match kept.iter().find(|k| is_listing && k.decl.name.value == machine.decl.name.value) {
            Some(first) => context.report(described_twice(&machine.decl, &first.decl)),
            None => kept.push(machine),
        }
    }
    kept.sort_by_key(|m| m.input);
    kept
}

fn described_twice(second: &MachineDecl, first: &MachineDecl) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::VboxDuplicate,
        text!(
            "the machine `{name}` is described twice",
            "`{name}` 머신을 두 번 기술했습니다",
            name = &second.name.value
        ),
    )
    .label(second.name.span, text!("not used", "쓰지 않음"))
    .label(first.name.span, text!("this is used", "이것을 씀"))
    .help(text!("leave out the one that is out of date", "오래된 것을 빼십시오"));
    Diagnostic { severity: Severity::Advice, ..diagnostic }
}

fn physical<'a>(machines: &[&MachineDecl], inputs: &[Input]) -> HostPlan<'a> {
    let about = match machines.first() {
        Some(machine) => Some(machine.span),
        None => inputs.iter().flat_map(|i| &i.declarations).filter(|d| is_about_a_host(d)).find_map(span_of),
    };
    // Only Windows prints such a listing.
    let is_windows = inputs.iter().flat_map(|i| &i.declarations).any(|d| matches!(d, Declaration::KeptPorts(_)));
    let what = match machines.first() {
        Some(machine) => text!(
            "a physical host `{HOST}` that runs the VM `{vm}`",
            "`{vm}` 가상 머신을 실행하는 물리 호스트 `{HOST}`",
            vm = &machine.name.value
        ),
        None if is_windows => text!(
            "one Windows host `{HOST}` that these files configure",
            "이 파일들이 설정하는 Windows 호스트 한 대 `{HOST}`"
        ),
        None => text!(
            "one Linux host `{HOST}` that these files configure",
            "이 파일들이 설정하는 Linux 호스트 한 대 `{HOST}`"
        ),
    };
    HostPlan {
        name: HOST.to_owned(),
        kind: HostKind::Physical,
        os: machines.iter().find_map(|m| m.runs_on).unwrap_or(if is_windows { Os::Windows } else { Os::Linux }),
        declaration: None,
        machine: None,
        interfaces: Vec::new(),
        routes: Vec::new(),
        stated: Vec::new(),
        files: Vec::new(),
        rules: Vec::new(),
        origin: Origin::assumed(what, about),
    }
}

fn virtual_machine(name: String, machine: &MachineDecl) -> HostPlan<'_> {
    HostPlan {
        origin: Origin::written(format!("virtual machine `{}`", machine.name.value), machine.span),
        name,
        kind: HostKind::Vm { on: HostId(0) },
        os: guest_os(Some(machine)),
        declaration: None,
        machine: Some(machine),
        interfaces: Vec::new(),
        routes: Vec::new(),
        stated: Vec::new(),
        files: Vec::new(),
        rules: Vec::new(),
    }
}

fn unused_name(wanted: &str, plan: &Plan<'_>) -> String {
    let taken = |name: &str| plan.hosts.iter().any(|h| h.name == name);
    if !taken(wanted) {
        return wanted.to_owned();
    }
    (2..=plan.hosts.len() + 1).map(|n| format!("{wanted}-{n}")).find(|n| !taken(n)).unwrap_or_default()
}

fn bind<'a>(
    context: &mut Context,
    input: &'a Input,
    machine: Option<&MachineDecl>,
    machines: usize,
    plan: &mut Plan<'a>,
) {
    let mut about_hosts = input.declarations.iter().filter(|d| is_about_a_host(d)).peekable();
    let Some(first) = about_hosts.peek().and_then(|d| span_of(d)) else { return };
    let of_machine = machine.and_then(|m| plan.hosts.iter().position(|h| is_machine(h, m)));
    let of_machine = of_machine.or_else(|| owner_of_adapter(input, plan));
    let owner = match machines {
        _ if of_machine.is_none() && input.declarations.iter().any(is_about_the_runner) => Some(0),
        _ if of_machine.is_some() => of_machine,
        0 => Some(0),
        1 => Some(1),
        _ => None,
    };
    match owner.and_then(|index| plan.hosts.get_mut(index)) {
        Some(host) => host.files.extend(about_hosts),
        None => context.report(ambiguous(&input.path, first, plan)),
    }
}

/// VirtualBox is told about machines and networks on the host that runs it, which alone has host-only interfaces; and
/// tunnels lead from there into machines.
fn is_about_the_runner(declaration: &Declaration) -> bool {
    match declaration {
        Declaration::MachineChange(_)
        | Declaration::Hypervisor(_)
        | Declaration::Tunnel(_)
        | Declaration::KeptPorts(_) => true,
        Declaration::InterfaceConfig(config) => config.name.as_ref().is_some_and(|n| n.value.starts_with("vboxnet")),
        _ => false,
    }
}

/// The machine that has the adapter with a hardware address of which a file speaks.
fn owner_of_adapter(input: &Input, plan: &Plan<'_>) -> Option<usize> {
    let spoken_of = input.declarations.iter().filter_map(|d| match d {
        Declaration::InterfaceConfig(config) => config.mac.as_ref(),
        _ => None,
    });
    let macs: Vec<&str> = spoken_of.map(|mac| mac.value.as_str()).collect();
    let has_one = |host: &HostPlan<'_>| {
        let mut adapters = host.machine.iter().flat_map(|machine| &machine.adapters);
        let is_spoken_of = |mac: String| macs.contains(&mac.as_str());
        adapters.any(|adapter| adapter.hardware_address().is_some_and(is_spoken_of))
    };
    let mut owners = plan.hosts.iter().enumerate().filter(|(_, host)| has_one(host));
    owners.next().filter(|_| owners.next().is_none()).map(|(index, _)| index)
}

fn is_machine(host: &HostPlan<'_>, machine: &MachineDecl) -> bool {
    host.machine.is_some_and(|m| std::ptr::eq(m, machine))
}

/// The operating system of a VM, from `OSType`; Linux when nothing is known.
pub(super) fn guest_os(machine: Option<&MachineDecl>) -> Os {
    let os_type = machine.and_then(|m| m.os_type.as_ref()).map_or("", |t| t.value.as_str());
    if os_type.starts_with("Windows") {
        Os::Windows
    } else if os_type.starts_with("MacOS") {
        Os::MacOs
    } else {
        Os::Linux
    }
}

fn ambiguous(path: &str, span: Span, plan: &Plan<'_>) -> Diagnostic {
    let names: Vec<&str> = plan.hosts.iter().map(|h| h.name.as_str()).collect();
    Diagnostic::new(
        Code::LabAmbiguous,
        text!(
            "it is not stated which host `{path}` configures",
            "`{path}` 파일이 어느 호스트를 설정하는지 적혀 있지 않습니다"
        ),
    )
    .label(
        span,
        text!("this could be meant for any of several hosts", "여러 호스트 가운데 어느 것에 쓰는지 알 수 없음"),
    )
    .help(text!(
        "write a lab.yaml that lists the file under one of its hosts ({names})",
        "lab.yaml을 만들어 호스트 하나({names})의 아래에 이 파일을 적으십시오",
        names = names.join(", ")
    ))
}
