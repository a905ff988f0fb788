//! What a Vagrantfile says to Vagrant: every call on a configuration object, in order.

use std::cell::RefCell;
use std::rc::Rc;

use crate::source::Span;

use super::value::{Closure, Value};

/// Calls of one configuration object, which grow while the file is evaluated.
pub(super) type Calls = Rc<RefCell<Vec<Call>>>;

/// A configuration object: `config`, `config.vm`, or what a block of one is given.
#[derive(Debug)]
pub(super) struct Config {
    /// How it is reached from the object whose calls are recorded: ``, `vm`.
    pub(super) path: String,
    pub(super) calls: Calls,
}

impl Config {
    /// The whole name of one of its methods.
    pub(super) fn method(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The method with its path: `vm.network`; an assignment ends in `=`.
    pub(super) method: String,
    /// Arguments by position.
    pub(super) arguments: Vec<Argument>,
    /// Keyword arguments.
    pub(super) options: Vec<(String, Argument)>,
    /// What the block of the call says to the object that it is given.
    pub(super) inside: Calls,
    /// A block that is run when the machine is complete.
    pub(super) late: Option<Rc<Closure>>,
    /// The whole call.
    pub(super) span: Span,
    /// Why it is not certain that it is made.
    pub(super) doubt: Option<[&'static str; 2]>,
}

/// A value and the expression that it comes from.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub(super) value: Value,
    pub(super) span: Span,
}

impl Call {
    /// A keyword argument.
    pub(super) fn option(&self, name: &str) -> Option<&Argument> {
        self.options.iter().rev().find(|(key, _)| key == name).map(|(_, argument)| argument)
    }

    /// The name that is given first: `:forwarded_port`, `"virtualbox"`.
    pub(super) fn first_name(&self) -> Option<&str> {
        self.arguments.first()?.value.name()
    }
}
