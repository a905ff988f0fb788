//! Values of a Vagrantfile while it is evaluated.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::frontend::placed::PlacedText;
use crate::frontend::ruby::tree::Block;

use super::record::Config;

/// What an expression may be.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Str(PlacedText),
    Symbol(String),
    Regex(String),
    /// First and last; empty if the last is smaller.
    Range(i64, i64),
    List(Rc<RefCell<Vec<Self>>>),
    Hash(Rc<RefCell<Vec<(Self, Self)>>>),
    Lambda(Rc<Closure>),
    /// An object whose method calls are recorded.
    Config(Rc<Config>),
    /// A module or class, by its full name.
    Module(String),
    /// Not known before Vagrant runs, or nothing that is followed.
    Unknown,
}

/// A block with the variables around it.
#[derive(Debug)]
pub(super) struct Closure {
    pub(super) block: Arc<Block>,
    pub(super) scope: Scope,
}

/// Larger texts and lists are not followed: a loop can make them grow without end.
pub(super) const MAX_TEXT: usize = 256 * 1024;
pub(super) const MAX_ITEMS: usize = 4096;

/// Values inside each other are looked into this deep; a list may contain itself.
const MAX_DEPTH: usize = 16;

impl Value {
    pub(super) fn list(items: Vec<Self>) -> Self {
        if items.len() <= MAX_ITEMS && items.iter().all(|item| !item.is_deeper_than(MAX_DEPTH)) {
            Self::List(Rc::new(RefCell::new(items)))
        } else {
            Self::Unknown
        }
    }

    pub(super) fn hash(pairs: Vec<(Self, Self)>) -> Self {
        if pairs.len() <= MAX_ITEMS && pairs.iter().all(|(_, value)| !value.is_deeper_than(MAX_DEPTH)) {
            Self::Hash(Rc::new(RefCell::new(pairs)))
        } else {
            Self::Unknown
        }
    }

    pub(super) fn text(text: PlacedText) -> Self {
        if text.as_str().len() <= MAX_TEXT { Self::Str(text) } else { Self::Unknown }
    }

    /// Nothing if it is not known whether it counts as true.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::Nil | Self::Bool(false) => Some(false),
            Self::Unknown => None,
            _ => Some(true),
        }
    }

    pub(super) fn from_truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Unknown, Self::Bool)
    }

    /// The text of a string or symbol that is known.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Str(text) if text.is_known() => Some(text.as_str()),
            Self::Symbol(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it, and everything in it, is known.
    pub(super) fn is_known(&self) -> bool {
        self.is_known_within(MAX_DEPTH)
    }

    fn is_known_within(&self, depth: usize) -> bool {
        match self {
            _ if depth == 0 => false,
            Self::Unknown => false,
            Self::Str(text) => text.is_known(),
            Self::List(items) => items.borrow().iter().all(|item| item.is_known_within(depth - 1)),
            Self::Hash(pairs) => pairs.borrow().iter().all(|(_, value)| value.is_known_within(depth - 1)),
            _ => true,
        }
    }

    pub(super) fn is_deeper_than(&self, depth: usize) -> bool {
        match self {
            Self::List(_) | Self::Hash(_) if depth == 0 => true,
            Self::List(items) => items.borrow().iter().any(|item| item.is_deeper_than(depth - 1)),
            Self::Hash(pairs) => pairs.borrow().iter().any(|(_, value)| value.is_deeper_than(depth - 1)),
            _ => false,
        }
    }

    /// `==`; nothing if it depends on what is not known.
    pub(super) fn equals(&self, other: &Self) -> Option<bool> {
        self.equals_within(other, MAX_DEPTH)
    }

    fn equals_within(&self, other: &Self, depth: usize) -> Option<bool> {
        if depth == 0 {
            return None;
        }
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => None,
            (Self::Nil, Self::Nil) => Some(true),
            (Self::Bool(a), Self::Bool(b)) => Some(a == b),
            (Self::Int(a), Self::Int(b)) => Some(a == b),
            (Self::Str(a), Self::Str(b)) => (a.is_known() && b.is_known()).then(|| a.as_str() == b.as_str()),
            (Self::Symbol(a), Self::Symbol(b)) | (Self::Module(a), Self::Module(b)) => Some(a == b),
            (Self::Range(a, b), Self::Range(c, d)) => Some(a == c && b == d),
            (Self::List(a), Self::List(b)) => {
                let (a, b) = (a.borrow(), b.borrow());
                let same = a.iter().zip(b.iter()).map(|(a, b)| a.equals_within(b, depth - 1));
                same.chain([Some(a.len() == b.len())]).try_fold(true, |all, one| Some(all && one?))
            }
            (Self::Hash(_), Self::Hash(_)) | (Self::Regex(_), _) | (_, Self::Regex(_)) => None,
            _ => Some(false),
        }
    }

    /// The entry of a hash.
    pub(super) fn entry(&self, key: &Self) -> Self {
        let Self::Hash(pairs) = self else { return Self::Unknown };
        for (other, value) in pairs.borrow().iter() {
            match other.equals(key) {
                Some(true) => return value.clone(),
                Some(false) => {}
                None => return Self::Unknown,
            }
        }
        Self::Nil
    }
}

/// Variables; blocks see those around them.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope(Rc<Variables>);

#[derive(Debug, Default)]
struct Variables {
    own: RefCell<BTreeMap<String, Value>>,
    outer: Option<Scope>,
}

impl Scope {
    /// A scope inside this one.
    pub(super) fn inner(&self) -> Self {
        Self(Rc::new(Variables { own: RefCell::default(), outer: Some(self.clone()) }))
    }

    pub(super) fn get(&self, name: &str) -> Option<Value> {
        let own = self.0.own.borrow().get(name).cloned();
        own.or_else(|| self.0.outer.as_ref()?.get(name))
    }

    /// A parameter, which hides a variable of that name around the block.
    pub(super) fn declare(&self, name: &str, value: Value) {
        self.0.own.borrow_mut().insert(name.to_owned(), value);
    }

    pub(super) fn assign(&self, name: &str, value: Value) {
        match self.0.outer.as_ref().filter(|outer| !self.0.own.borrow().contains_key(name) && outer.has(name)) {
            Some(outer) => outer.assign(name, value),
            None => self.declare(name, value),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.own.borrow().contains_key(name) || self.0.outer.as_ref().is_some_and(|outer| outer.has(name))
    }
}
