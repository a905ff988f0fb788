//! Switches: named Booleans that guard elements of the model.
//!
//! Assumptions, candidate edits and unmodelled facts are one mechanism. An element with a guard exists only while
//! its switch is on; verdicts are decided under the defaults, and the solver is asked which flips would change them.

use crate::language::Text;
use crate::provenance::Origin;

/// Names one switch of a [`Switches`] arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SwitchId(pub u32);

/// What a switch stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchKind {
    /// A fact that the files do not state; the default is our guess.
    Assumption,
    /// A candidate change to the files; off unless it is being tried.
    Edit,
    /// Something we read and do not model. It has no trustworthy default: a verdict that depends on it is undecided.
    Unmodeled,
}

/// A named Boolean with a default.
#[derive(Clone, Debug)]
pub struct Switch {
    /// A sentence that is true when the switch is on: "`grafana` listens on all addresses".
    pub statement: Text,
    /// What holds unless somebody says otherwise.
    pub default: bool,
    /// Assumption, edit or unmodelled.
    pub kind: SwitchKind,
    /// Where it comes from.
    pub origin: Origin,
}

/// All switches of a lab, shared with the dataplane made from it.
#[derive(Clone, Debug, Default)]
pub struct Switches {
    all: Vec<Switch>,
}

impl Switches {
    /// Adds a switch and names it.
    pub fn add(&mut self, switch: Switch) -> SwitchId {
        self.all.push(switch);
        SwitchId(u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX))
    }

    /// The switch named by `id`, which must come from this arena.
    #[expect(clippy::indexing_slicing, reason = "an id is only made by `add` of the same arena")]
    pub fn get(&self, id: SwitchId) -> &Switch {
        &self.all[id.0 as usize]
    }

    /// Every switch with its id.
    pub fn iter(&self) -> impl Iterator<Item = (SwitchId, &Switch)> {
        self.all.iter().enumerate().map(|(i, s)| (SwitchId(u32::try_from(i).unwrap_or(u32::MAX)), s))
    }

    /// The defaults as a setting.
    pub fn defaults(&self) -> Setting {
        Setting { on: self.all.iter().map(|s| s.default).collect() }
    }
}

/// A value for every switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    on: Vec<bool>,
}

impl Setting {
    /// Whether a switch is on.
    pub fn is_on(&self, id: SwitchId) -> bool {
        self.on.get(id.0 as usize).copied().unwrap_or(false)
    }

    /// Whether an element with this guard exists.
    pub fn allows(&self, guard: Option<SwitchId>) -> bool {
        guard.is_none_or(|id| self.is_on(id))
    }

    /// The same setting with one switch set.
    #[must_use]
    pub fn with(&self, id: SwitchId, value: bool) -> Self {
        let mut changed = self.clone();
        if let Some(slot) = changed.on.get_mut(id.0 as usize) {
            *slot = value;
        }
        changed
    }
}
