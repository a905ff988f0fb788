//! Which declarations belong to which host: by lab.yaml's `vm` and `files`, or by inference when no lab.yaml is there.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::declaration::{Declaration, HostDecl, InterfaceDecl, ProcessDecl, SegmentDecl};
use crate::lab::machine::MachineDecl;
use crate::lab::{HostKind, Os, Statement};
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::provenance::Origin;
use crate::source::{Span, Spanned};

use super::machines::Machine;
use super::names::{join_path, sentence_name, span_of, unknown_name};
use super::{Context, HostId, Input, infer, own_interfaces};

/// Everything that was read, sorted by what it is about.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) hosts: Vec<HostPlan<'a>>,
    pub(super) segments: Vec<&'a SegmentDecl>,
    pub(super) groups: Vec<(&'a Spanned<String>, &'a [Spanned<String>])>,
    pub(super) processes: Vec<&'a ProcessDecl>,
    pub(super) sentences: Vec<&'a Statement>,
    pub(super) unmodeled: Vec<&'a Spanned<Text>>,
}

/// What is known about one host.
pub(super) struct HostPlan<'a> {
    pub(super) name: String,
    pub(super) kind: HostKind,
    pub(super) os: Os,
    pub(super) declaration: Option<&'a HostDecl>,
    pub(super) machine: Option<&'a MachineDecl>,
    /// Its interfaces, as lab.yaml and the host's system state them.
    pub(super) interfaces: Vec<InterfaceDecl>,
    /// Its routes beside those of its interfaces.
    pub(super) routes: Vec<(Spanned<IpNet>, Spanned<IpAddr>)>,
    /// What lab.yaml states about the host.
    pub(super) stated: Vec<&'a Declaration>,
    /// What the host's files state, in the order of the files.
    pub(super) files: Vec<&'a Declaration>,
    /// What its saved rule sets state, which is the state in the end.
    pub(super) rules: Vec<&'a Declaration>,
    pub(super) origin: Origin,
}

impl<'a> HostPlan<'a> {
    /// lab.yaml first, then the files: what a file says about an engine or a firewall adds to it.
    pub(super) fn declarations(&self) -> impl Iterator<Item = &'a Declaration> {
        self.stated.iter().chain(&self.files).chain(&self.rules).copied()
    }
}

/// Whether a declaration configures one host, as opposed to the whole lab.
pub(super) fn is_about_a_host(declaration: &Declaration) -> bool {
    use Declaration as D;
    !matches!(
        declaration,
        D::Host(_)
            | D::Segment(_)
            | D::Group(..)
            | D::Process(_)
            | D::Sentence(_)
            | D::Machine(_)
            | D::MachineChange(_)
    )
}

fn is_lab_file(input: &Input) -> bool {
    input.declarations.iter().any(|d| matches!(d, Declaration::Host(_)))
}

/// Sorts the declarations of all files.
pub(super) fn plan<'a>(context: &mut Context, inputs: &'a [Input], machines: &'a [Machine]) -> Plan<'a> {
    let mut plan = Plan { segments: segments(inputs), ..Plan::default() };
    for declaration in inputs.iter().flat_map(|i| &i.declarations) {
        match declaration {
            Declaration::Group(name, members) => plan.groups.push((name, members)),
            Declaration::Process(process) => plan.processes.push(process),
            Declaration::Sentence(sentence) => plan.sentences.push(sentence),
            _ => {}
        }
    }
    if inputs.iter().any(is_lab_file) {
        bind_stated(context, &Given { inputs, machines }, &mut plan);
    } else {
        infer::hosts(context, inputs, machines, &mut plan);
    }
    for (index, host) in plan.hosts.iter_mut().enumerate() {
        own_interfaces::complete(context, HostId(index), host);
    }
    plan
}

/// The segments of all files; what lab.yaml says about one wins.
fn segments(inputs: &[Input]) -> Vec<&SegmentDecl> {
    let of = |is_ours: bool| {
        let inputs = inputs.iter().filter(move |input| is_lab_file(input) == is_ours);
        inputs.flat_map(|input| &input.declarations).filter_map(|d| match d {
            Declaration::Segment(segment) => Some(segment),
            _ => None,
        })
    };
    let mut all: Vec<&SegmentDecl> = of(true).collect();
    let is_new = |s: &&SegmentDecl| !of(true).any(|ours| ours.name.value == s.name.value);
    all.extend(of(false).filter(is_new));
    all
}

/// What there is to bind.
struct Given<'a> {
    inputs: &'a [Input],
    machines: &'a [Machine],
}

impl Given<'_> {
    /// Whether an input is the part about one machine of a file that is about several things.
    fn is_part_of_a_machine(&self, input: usize) -> bool {
        let Some(part) = self.inputs.get(input) else { return false };
        let is_machine = matches!(part.declarations.first(), Some(Declaration::Machine(_)));
        is_machine && self.inputs.iter().filter(|other| other.path == part.path).count() > 1
    }
}

fn bind_stated<'a>(context: &mut Context, given: &Given<'a>, plan: &mut Plan<'a>) {
    let mut used = vec![false; given.inputs.len()];
    for (index, lab_file) in given.inputs.iter().enumerate().filter(|(_, i)| is_lab_file(i)) {
        if let Some(slot) = used.get_mut(index) {
            *slot = true;
        }
        stated_hosts(context, lab_file, given, plan, &mut used);
    }
    who_runs_whom(context, plan);
    tell_runners(plan);
    report_unused(context, given.inputs, &used);
}

fn stated_hosts<'a>(
    context: &mut Context,
    lab_file: &'a Input,
    given: &Given<'a>,
    plan: &mut Plan<'a>,
    used: &mut [bool],
) {
    let first_of_file = plan.hosts.len();
    for declaration in &lab_file.declarations {
        match declaration {
            Declaration::Host(host) => match plan.hosts.iter().find(|h| h.name == host.name.value) {
                Some(other) => context.report(host_twice(host, other)),
                None => plan.hosts.push(stated_host(context, host, lab_file, given, used)),
            },
            other if is_about_a_host(other) => match (plan.hosts.len() > first_of_file, other) {
                (true, _) => plan.hosts.last_mut().into_iter().for_each(|h| h.stated.push(other)),
                (false, Declaration::Unmodeled(what)) => plan.unmodeled.push(what),
                (false, _) => {}
            },
            _ => {}
        }
    }
}

fn stated_host<'a>(
    context: &mut Context,
    host: &'a HostDecl,
    lab_file: &Input,
    given: &Given<'a>,
    used: &mut [bool],
) -> HostPlan<'a> {
    let saved: Vec<usize> =
        host.rules.iter().flat_map(|listed| bound(context, listed, lab_file, given.inputs)).collect();
    let mut found = Vec::new();
    let by_name = host.vm.as_ref().and_then(|vm| given.machines.iter().position(|m| m.decl.name.value == vm.value));
    let file = host.vm.iter().filter(|_| by_name.is_none());
    for listed in host.files.iter().chain(file) {
        found.extend(bound(context, listed, lab_file, given.inputs));
    }
    let machine = by_name.or_else(|| machine_of(context, host, given, &found));
    let machine = machine.and_then(|index| given.machines.get(index));
    found.retain(|input| machine.is_some_and(|m| m.input == *input) || !given.is_part_of_a_machine(*input));
    for index in found.iter().chain(&saved) {
        used.get_mut(*index).into_iter().for_each(|used| *used = true);
    }
    if let Some(used) = machine.and_then(|m| used.get_mut(m.input)) {
        *used = true;
    }
    let machine = machine.map(|m| &m.decl);
    let about = |indices: &[usize]| {
        let inputs = indices.iter().filter_map(|index| given.inputs.get(*index));
        inputs.flat_map(|input| &input.declarations).filter(|d| is_about_a_host(d)).collect()
    };
    let (files, rules) = (about(&found), about(&saved));
    let os = host.os.as_ref().map_or_else(|| infer::guest_os(machine), |os| os.value);
    HostPlan {
        name: host.name.value.clone(),
        kind: host.kind().unwrap_or(HostKind::Physical),
        os,
        declaration: Some(host),
        machine,
        interfaces: Vec::new(),
        routes: Vec::new(),
        stated: Vec::new(),
        files,
        rules,
        origin: Origin::written(text!("host `{name}`", "호스트 `{name}`", name = &host.name.value), host.name.span),
    }
}

/// The machine that a host is: the one of its file, or the one of its name. Scripts and listings of the physical host
/// speak of machines that this host is not.
fn machine_of(context: &mut Context, host: &HostDecl, given: &Given<'_>, files: &[usize]) -> Option<usize> {
    let is_called = |m: &Machine| {
        let name = &m.decl.name.value;
        *name == host.name.value || sentence_name(name) == host.name.value
    };
    let here = |m: &Machine| files.contains(&m.input) && (host.vm.is_some() || m.decl.settings.is_some());
    let all: Vec<usize> = (0..given.machines.len()).filter(|i| given.machines.get(*i).is_some_and(here)).collect();
    match all.as_slice() {
        [only] => return Some(*only),
        [] if host.on.is_none() => return None,
        _ => {}
    }
    let named = given.machines.iter().position(|m| is_called(m) && (all.is_empty() || here(m)));
    if let (None, [_, ..], Some(vm)) = (named, all.as_slice(), &host.vm) {
        context.report(which_machine(vm, host));
    }
    named
}

/// The inputs that lab.yaml lists by file or directory. A directory does not make its `.vbox` files this host's: they
/// are other machines.
fn bound(context: &mut Context, listed: &Spanned<String>, lab_file: &Input, inputs: &[Input]) -> Vec<usize> {
    let path = join_path(&lab_file.path, &listed.value);
    let inside = |input: &Input| {
        let below = path.is_empty() || input.path.strip_prefix(&path).is_some_and(|r| r.starts_with('/'));
        input.path == path || (below && !input.declarations.iter().any(|d| matches!(d, Declaration::Machine(_))))
    };
    let mut found = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        if inside(input) && !is_lab_file(input) {
            found.push(index);
        }
    }
    if found.is_empty() {
        context.report(missing_file(listed, lab_file, inputs));
    }
    found
}

/// Fills in which host runs each VM.
fn who_runs_whom(context: &mut Context, plan: &mut Plan<'_>) {
    let names: Vec<String> = plan.hosts.iter().map(|h| h.name.clone()).collect();
    let physical: Vec<usize> = plan
        .hosts
        .iter()
        .enumerate()
        .filter(|(_, h)| h.kind == HostKind::Physical && h.machine.is_none())
        .filter(|(_, h)| h.declaration.is_none_or(|d| d.on.is_none() && d.vm.is_none()))
        .map(|(i, _)| i)
        .collect();
    for host in &mut plan.hosts {
        let Some(declaration) = host.declaration else { continue };
        let stated = declaration.on.as_ref();
        if let Some(on) = stated {
            match names.iter().position(|n| *n == on.value) {
                Some(index) => host.kind = HostKind::Vm { on: HostId(index) },
                None => context.report(unknown_name(&text!("host", "호스트가"), on, names.iter().map(String::as_str))),
            }
        } else if let Some(machine) = host.machine {
            match physical.as_slice() {
                [index] => host.kind = HostKind::Vm { on: HostId(*index) },
                _ => context.report(runs_nowhere(declaration, machine)),
            }
        }
    }
    break_circles(context, plan);
}

/// What the file of a VM says about the networks of the hypervisor is about the host that runs it.
fn tell_runners(plan: &mut Plan<'_>) {
    for index in 0..plan.hosts.len() {
        let Some(HostPlan { kind: HostKind::Vm { on }, files, .. }) = plan.hosts.get_mut(index) else { continue };
        let on = *on;
        let is_about_runner = |d: &mut &Declaration| matches!(d, Declaration::Hypervisor(_));
        let told: Vec<&Declaration> = files.extract_if(.., is_about_runner).collect();
        let Some(runner) = plan.hosts.get_mut(on.0) else { continue };
        for declaration in told {
            if !runner.files.iter().any(|known| std::ptr::eq(*known, declaration)) {
                runner.files.push(declaration);
            }
        }
    }
}

/// A machine that runs, by way of others, on itself runs on nobody.
fn break_circles(context: &mut Context, plan: &mut Plan<'_>) {
    let runner = |plan: &Plan<'_>, index: usize| match plan.hosts.get(index).map(|h| h.kind) {
        Some(HostKind::Vm { on }) => Some(on.0),
        _ => None,
    };
    for start in 0..plan.hosts.len() {
        let mut next = runner(plan, start);
        for _ in 0..plan.hosts.len() {
            match next {
                Some(index) if index != start => next = runner(plan, index),
                _ => break,
            }
        }
        if next != Some(start) {
            continue;
        }
        if let Some(host) = plan.hosts.get_mut(start) {
            host.kind = HostKind::Physical;
            if let Some(on) = host.declaration.and_then(|d| d.on.as_ref()) {
                context.report(runs_on_itself(&host.name, on));
            }
        }
    }
}

fn runs_on_itself(name: &str, on: &Spanned<String>) -> Diagnostic {
    Diagnostic::new(
        Code::LabBadValue,
        text!("`{name}` would run on itself", "`{name}`의 `on:`이 돌고 돌아 자기 자신으로 이어집니다"),
    )
    .label(on.span, text!("this closes the circle", "여기서 순환이 생김"))
    .help(text!(
        "`on:` names the machine that runs the VM; a real machine has none",
        "`on:`에는 VM을 실행하는 머신을 적습니다. 실제 머신에는 적지 마십시오"
    ))
}

fn report_unused(context: &mut Context, inputs: &[Input], used: &[bool]) {
    for (input, _) in inputs.iter().zip(used).filter(|(_, used)| !**used) {
        let about_hosts =
            input.declarations.iter().find(|d| is_about_a_host(d) || matches!(d, Declaration::Machine(_)));
        if let Some(span) = about_hosts.and_then(span_of) {
            context.report(unused(&input.path, span));
        }
    }
}

fn host_twice(host: &HostDecl, other: &HostPlan<'_>) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(
        Code::LabBadValue,
        text!("host `{name}` is declared twice", "`{name}` 호스트를 두 번 선언했습니다", name = &host.name.value),
    )
    .label(host.name.span, text!("declared again here", "여기서 다시 선언함"));
    if let Some(span) = other.origin.span() {
        diagnostic = diagnostic.label(span, text!("first declared here", "처음 선언한 곳"));
    }
    diagnostic.help(text!("give the second host another name", "두 번째 호스트에 다른 이름을 주십시오"))
}

fn missing_file(listed: &Spanned<String>, lab_file: &Input, inputs: &[Input]) -> Diagnostic {
    let base = join_path(&lab_file.path, ".");
    let known = inputs.iter().map(|i| i.path.strip_prefix(&base).unwrap_or(&i.path).trim_start_matches('/'));
    let diagnostic = Diagnostic::new(
        Code::LabMissingFile,
        text!("there is no file `{path}`", "`{path}` 파일이 없습니다", path = &listed.value),
    )
    .label(listed.span, text!("listed here, relative to this file", "여기에 적혀 있음. 이 파일 기준의 상대 경로임"));
    match did_you_mean(&listed.value, known) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic.help(text!(
            "list a file or directory that is among the files given to the tool",
            "이 도구에 넘긴 파일이나 디렉터리 가운데에서 적으십시오"
        )),
    }
}

fn which_machine(vm: &Spanned<String>, host: &HostDecl) -> Diagnostic {
    let name = &host.name.value;
    Diagnostic::new(
        Code::LabAmbiguous,
        text!(
            "`{path}` speaks of several machines, none of which is `{name}`",
            "`{path}`에 머신이 여러 대 나오지만, `{name}` 머신은 없습니다",
            path = &vm.value
        ),
    )
    .label(vm.span, text!("which of them is meant?", "어느 것인지?"))
    .help(text!("write the machine's name in VirtualBox instead", "대신 VirtualBox에서 쓰는 머신 이름을 적으십시오"))
}

fn runs_nowhere(host: &HostDecl, machine: &MachineDecl) -> Diagnostic {
    Diagnostic::new(
        Code::LabBadValue,
        text!(
            "it is not stated which host runs the VM `{name}`",
            "`{name}` VM을 어느 호스트가 실행하는지 적혀 있지 않습니다",
            name = &host.name.value
        ),
    )
    .label(host.name.span, text!("this host is a virtual machine", "이 호스트는 가상 머신임"))
    .label(machine.span, text!("because of this file", "이 파일에 따르면"))
    .help(text!("add `on:` with the name of the physical host", "`on:`에 물리 호스트의 이름을 적으십시오"))
}

fn unused(path: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::InputUnused,
        text!(
            "`{path}` belongs to no host and is not analyzed",
            "`{path}`: 어느 호스트에도 속하지 않아 분석하지 않습니다"
        ),
    )
    .label(span, text!("read, but listed under no host", "읽었지만, 어느 호스트에도 적혀 있지 않음"))
    .help(text!(
        "list the file under `files:` of the host that it configures",
        "이 파일로 설정하는 호스트의 `files:`에 적으십시오"
    ))
}
