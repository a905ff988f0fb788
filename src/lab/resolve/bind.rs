//! Which declarations belong to which host: by lab.yaml's `vm` and `files`, or by inference when no lab.yaml is there.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::declaration::{Declaration, HostDecl, MachineDecl, ProcessDecl, SegmentDecl};
use crate::lab::{HostKind, Os, Statement};
use crate::provenance::Origin;
use crate::source::{Span, Spanned};

use super::names::{join_path, span_of, unknown_name};
use super::{Context, HostId, Input, infer};

/// Everything that was read, sorted by what it is about.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) hosts: Vec<HostPlan<'a>>,
    pub(super) segments: Vec<&'a SegmentDecl>,
    pub(super) groups: Vec<(&'a Spanned<String>, &'a [Spanned<String>])>,
    pub(super) processes: Vec<&'a ProcessDecl>,
    pub(super) sentences: Vec<&'a Statement>,
    pub(super) unmodeled: Vec<&'a Spanned<String>>,
}

/// What is known about one host.
pub(super) struct HostPlan<'a> {
    pub(super) name: String,
    pub(super) kind: HostKind,
    pub(super) os: Os,
    pub(super) declaration: Option<&'a HostDecl>,
    pub(super) machine: Option<&'a MachineDecl>,
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
    !matches!(declaration, D::Host(_) | D::Segment(_) | D::Group(..) | D::Process(_) | D::Sentence(_) | D::Machine(_))
}

fn is_lab_file(input: &Input) -> bool {
    input.declarations.iter().any(|d| matches!(d, Declaration::Host(_)))
}

/// Sorts the declarations of all files.
pub(super) fn plan<'a>(context: &mut Context, inputs: &'a [Input]) -> Plan<'a> {
    let mut plan = Plan::default();
    for declaration in inputs.iter().flat_map(|i| &i.declarations) {
        match declaration {
            Declaration::Segment(segment) => plan.segments.push(segment),
            Declaration::Group(name, members) => plan.groups.push((name, members)),
            Declaration::Process(process) => plan.processes.push(process),
            Declaration::Sentence(sentence) => plan.sentences.push(sentence),
            _ => {}
        }
    }
    if inputs.iter().any(is_lab_file) {
        bind_stated(context, inputs, &mut plan);
    } else {
        infer::hosts(context, inputs, &mut plan);
    }
    plan
}

fn bind_stated<'a>(context: &mut Context, inputs: &'a [Input], plan: &mut Plan<'a>) {
    let mut used = vec![false; inputs.len()];
    for (index, lab_file) in inputs.iter().enumerate().filter(|(_, i)| is_lab_file(i)) {
        if let Some(slot) = used.get_mut(index) {
            *slot = true;
        }
        stated_hosts(context, lab_file, inputs, plan, &mut used);
    }
    who_runs_whom(context, plan);
    report_unused(context, inputs, &used);
}

fn stated_hosts<'a>(
    context: &mut Context,
    lab_file: &'a Input,
    inputs: &'a [Input],
    plan: &mut Plan<'a>,
    used: &mut [bool],
) {
    let first_of_file = plan.hosts.len();
    for declaration in &lab_file.declarations {
        match declaration {
            Declaration::Host(host) => match plan.hosts.iter().find(|h| h.name == host.name.value) {
                Some(other) => context.report(host_twice(host, other)),
                None => plan.hosts.push(stated_host(context, host, lab_file, inputs, used)),
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
    inputs: &'a [Input],
    used: &mut [bool],
) -> HostPlan<'a> {
    let mut machine = None;
    let mut files = Vec::new();
    for listed in host.files.iter().chain(&host.vm) {
        for declaration in bound(context, listed, lab_file, inputs, used) {
            match declaration {
                Declaration::Machine(m) => machine = Some(m),
                other if is_about_a_host(other) => files.push(other),
                _ => {}
            }
        }
    }
    let mut rules = Vec::new();
    for listed in &host.rules {
        let declarations = bound(context, listed, lab_file, inputs, used);
        rules.extend(declarations.into_iter().filter(|declaration| is_about_a_host(declaration)));
    }
    let os = host.os.as_ref().map_or_else(|| infer::guest_os(machine), |os| os.value);
    HostPlan {
        name: host.name.value.clone(),
        kind: host.kind().unwrap_or(HostKind::Physical),
        os,
        declaration: Some(host),
        machine,
        stated: Vec::new(),
        files,
        rules,
        origin: Origin::written(format!("host `{}`", host.name.value), host.name.span),
    }
}

/// The declarations of the file or directory that lab.yaml lists. A directory does not make its `.vbox` files this
/// host's: they are other machines.
fn bound<'a>(
    context: &mut Context,
    listed: &Spanned<String>,
    lab_file: &Input,
    inputs: &'a [Input],
    used: &mut [bool],
) -> Vec<&'a Declaration> {
    let path = join_path(&lab_file.path, &listed.value);
    let inside = |input: &Input| {
        let below = path.is_empty() || input.path.strip_prefix(&path).is_some_and(|r| r.starts_with('/'));
        input.path == path || (below && !input.declarations.iter().any(|d| matches!(d, Declaration::Machine(_))))
    };
    let mut found = false;
    let mut declarations = Vec::new();
    for (input, used) in inputs.iter().zip(used.iter_mut()).filter(|(i, _)| inside(i) && !is_lab_file(i)) {
        found = true;
        *used = true;
        declarations.extend(&input.declarations);
    }
    if !found {
        context.report(missing_file(listed, lab_file, inputs));
    }
    declarations
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
                None => context.report(unknown_name("host", on, names.iter().map(String::as_str))),
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
    Diagnostic::new(Code::LabBadValue, format!("`{name}` would run on itself"))
        .label(on.span, "this closes the circle")
        .help("`on:` names the machine that runs the VM; a real machine has none")
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
    let mut diagnostic = Diagnostic::new(Code::LabBadValue, format!("host `{}` is declared twice", host.name.value))
        .label(host.name.span, "declared again here");
    if let Some(span) = other.origin.span() {
        diagnostic = diagnostic.label(span, "first declared here");
    }
    diagnostic.help("give the second host another name")
}

fn missing_file(listed: &Spanned<String>, lab_file: &Input, inputs: &[Input]) -> Diagnostic {
    let base = join_path(&lab_file.path, ".");
    let known = inputs.iter().map(|i| i.path.strip_prefix(&base).unwrap_or(&i.path).trim_start_matches('/'));
    let diagnostic = Diagnostic::new(Code::LabMissingFile, format!("there is no file `{}`", listed.value))
        .label(listed.span, "listed here, relative to this file");
    match did_you_mean(&listed.value, known) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help("list a file or directory that is among the files given to the tool"),
    }
}

fn runs_nowhere(host: &HostDecl, machine: &MachineDecl) -> Diagnostic {
    Diagnostic::new(Code::LabBadValue, format!("it is not stated which host runs the VM `{}`", host.name.value))
        .label(host.name.span, "this host is a virtual machine")
        .label(machine.span, "because of this file")
        .help("add `on:` with the name of the physical host")
}

fn unused(path: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::InputUnused, format!("`{path}` belongs to no host and is not analyzed"))
        .label(span, "read, but listed under no host")
        .help("list the file under `files:` of the host that it configures")
}
