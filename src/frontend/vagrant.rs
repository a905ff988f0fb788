//! Vagrantfiles: Ruby programs that say which machines there are, how they are attached, and what is run in them.
//!
//! [`eval`] follows the program as far as its values are known and [`record`]s what it says to Vagrant; `machine` makes
//! VirtualBox machines of that, as Vagrant's VirtualBox provider does, and `provision` reads what is run inside them.
//! Spec: specs/vagrant.md.

use std::rc::Rc;

use crate::lab::declaration::Declarations;
use crate::source::Spanned;

use super::{File, Open, directory_of, ruby};

use self::eval::Evaluator;
use self::record::{Calls, Config};
use self::value::{Scope, Value};

mod builtin;
mod call;
mod eval;
mod iterate;
mod module;
mod record;
mod value;

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
