//! Vagrantfiles: Ruby programs that say which machines there are, how they are attached, and what is run in them.
//!
//! [`eval`] follows the program as far as its values are known and [`record`]s what it says to Vagrant; `machine` makes
//! VirtualBox machines of that, as Vagrant's VirtualBox provider does, and `provision` reads what is run inside them.
//! Spec: specs/vagrant.md.

use std::rc::Rc;

use crate::diagnostic::{Diagnosed, Diagnostic};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::source::{Span, Spanned};

use super::{File, Open, beside, directory_of, ruby};

use self::eval::Evaluator;
use self::machine::Shared;
use self::record::{Call, Calls, Config};
use self::value::{Scope, Value};

mod adapter;
mod builtin;
mod call;
mod eval;
mod forward;
mod iterate;
mod machine;
mod module;
mod network;
mod place;
mod provision;
mod record;
mod value;

/// Reads a Vagrantfile: first what is about the machine that VirtualBox runs on, then one part for each machine of the
/// file, which begins with the machine.
pub fn parse(file: &File, open: Open<'_>) -> Diagnosed<Vec<Vec<Declaration>>> {
    let Recording { common, machines, mut out } = evaluate(file, &mut *open);
    let machines = if machines.is_empty() { default_machine(file, &common) } else { machines };
    let mut shared = Shared::default();
    let mut parts = Vec::new();
    let directory = directory_of(&file.path);
    for (index, (name, calls)) in machines.iter().enumerate() {
        let own = if machines.len() == 1 {
            [common.borrow().clone(), calls.borrow().clone()].concat()
        } else {
            calls.borrow().clone()
        };
        let others = machines.iter().enumerate().filter(|(other, _)| *other != index);
        let others: Vec<Call> = others.flat_map(|(_, (_, calls))| calls.borrow().clone()).collect();
        let forward_at = place::forward(file, &own, &others);
        let calls: Vec<Call> = common.borrow().iter().chain(calls.borrow().iter()).cloned().collect();
        let mut find = |path: &str| {
            let path = beside(directory, path.strip_prefix("/vagrant/").unwrap_or(path))?;
            open(&path)
        };
        let machine = machine::machine((name, forward_at), &calls, &mut shared, &mut find);
        parts.push(machine.value);
        out.diagnostics.extend(machine.diagnostics);
    }
    let mut about_runner: Vec<Declaration> =
        shared.host_only.declarations.into_iter().map(Declaration::Hypervisor).collect();
    about_runner.extend(shared.customized);
    // What is not followed may be about every machine.
    for part in &mut parts {
        part.extend(out.value.iter().cloned());
    }
    parts.insert(0, about_runner);
    Diagnosed { value: parts, diagnostics: without_repetitions(out.diagnostics) }
}

/// A file that defines no machine has one, called `default`; people know it by its host name.
fn default_machine(file: &File, common: &Calls) -> Vec<(Spanned<String>, Calls)> {
    let calls = common.borrow();
    let Some(first) = calls.first() else { return Vec::new() };
    let hostname = calls.iter().rev().find(|call| matches!(call.method.as_str(), "vm.hostname=" | "vm.host_name="));
    let named = hostname.and_then(|call| Some(Spanned::new(call.first_name()?.to_owned(), call.span)));
    let start = first.span.start.min(file.text.len());
    let default = || Spanned::new("default".to_owned(), Span::new(first.span.source, start, first.span.end));
    vec![(named.unwrap_or_else(default), Calls::default())]
}

/// What is said to all machines is complained about once.
fn without_repetitions(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut kept: Vec<Diagnostic> = Vec::new();
    let place = |d: &Diagnostic| d.labels.first().map(|label| label.span);
    for diagnostic in diagnostics {
        if !kept.iter().any(|k| k.message == diagnostic.message && place(k) == place(&diagnostic)) {
            kept.push(diagnostic);
        }
    }
    kept
}

/// What a Vagrantfile says.
struct Recording {
    /// To all machines.
    common: Calls,
    /// To each, by name.
    machines: Vec<(Spanned<String>, Calls)>,
    /// What is wrong with it, and what is not followed.
    out: Declarations,
}

/// Evaluates a Vagrantfile.
fn evaluate(file: &File, open: Open<'_>) -> Recording {
    let mut evaluator = Evaluator::new(directory_of(&file.path), open);
    evaluator.loaded.push(file.path.clone());
    let read = ruby::parse(file.source, &file.text);
    evaluator.out.diagnostics.extend(read.diagnostics);
    let _ = evaluator.statements(&read.value, &Scope::default());
    let common = Calls::default();
    for block in std::mem::take(&mut evaluator.configure) {
        let _ = evaluator.run(&block, vec![config(&common)]);
    }
    let mut machines = Vec::new();
    for defined in std::mem::take(&mut evaluator.defined) {
        let calls = Calls::default();
        for block in &defined.blocks {
            let _ = evaluator.run(block, vec![config(&calls), config(&calls)]);
        }
        machines.push((defined.name, calls));
    }
    for calls in std::iter::once(&common).chain(machines.iter().map(|(_, calls)| calls)) {
        evaluator.providers(calls);
    }
    Recording { common, machines, out: evaluator.take_out() }
}

fn config(calls: &Calls) -> Value {
    Value::Config(Rc::new(Config { path: String::new(), calls: Rc::clone(calls) }))
}

impl Evaluator<'_> {
    /// Blocks of providers run last; their second parameter changes the machine.
    fn providers(&mut self, calls: &Calls) {
        let late = calls.borrow().clone();
        for call in late {
            let Some(block) = &call.late else { continue };
            let doubt = self.doubt;
            self.doubt = call.doubt;
            let overrides = if call.first_name() == Some("virtualbox") { Rc::clone(calls) } else { Calls::default() };
            let _ = self.run(block, vec![config(&call.inside), config(&overrides)]);
            self.doubt = doubt;
        }
    }
}

#[cfg(test)]
mod tests;
