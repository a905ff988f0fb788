//! ufw of a host: what it ships with, what its files replace, and what lines of `ufw` have given it.

use std::collections::BTreeMap;

use crate::lab::Declaration;
use crate::lab::iptables::{IptablesCommand, UfwChange, UfwFile};
use crate::source::{Span, Spanned};

use super::bind::HostPlan;

/// ufw while the files are gone through.
#[derive(Default)]
pub(super) struct Ufw {
    is_enabled: Option<bool>,
    /// What was given so far, in force or not.
    kept: Vec<IptablesCommand>,
    files: BTreeMap<UfwFile, Vec<IptablesCommand>>,
    defaults: Vec<IptablesCommand>,
    boot: Option<Vec<IptablesCommand>>,
    /// The first thing that was said of it.
    first: Option<Span>,
}

impl Ufw {
    /// What the files of a host say, wherever they stand among the scripts.
    pub(super) fn of_files(plan: &HostPlan<'_>) -> Self {
        let mut ufw = Self::default();
        for declaration in plan.declarations() {
            let Declaration::Ufw(change) = declaration else { continue };
            match &change.value {
                UfwChange::File(file, commands) => ufw.files.entry(*file).or_default().extend(commands.iter().cloned()),
                UfwChange::Defaults(commands) => ufw.defaults.extend(commands.iter().cloned()),
                UfwChange::Boot(loaded) => {
                    ufw.is_enabled = Some(false);
                    ufw.boot.clone_from(loaded);
                }
                _ => continue,
            }
            ufw.first = ufw.first.or(Some(change.span));
        }
        ufw
    }

    /// What is loaded when the machine comes up.
    pub(super) fn boot(&mut self) -> Option<Vec<IptablesCommand>> {
        let loaded = self.boot.take()?;
        self.is_enabled = Some(true);
        Some(self.everything(&loaded))
    }

    /// The first thing that is said of ufw, if nothing says whether it is enabled.
    pub(super) fn unknown(&self) -> Option<Span> {
        self.first.filter(|_| self.is_enabled.is_none())
    }

    /// What a line changes at once.
    pub(super) fn change(&mut self, change: &Spanned<UfwChange>) -> Option<Vec<IptablesCommand>> {
        self.first = self.first.or(Some(change.span));
        let is_enabled = self.is_enabled == Some(true);
        match &change.value {
            UfwChange::Enable(loaded) => {
                self.is_enabled = Some(true);
                (!is_enabled).then(|| self.everything(loaded))
            }
            UfwChange::Disable(unloaded) | UfwChange::Reset(unloaded) => {
                self.is_enabled = Some(false);
                if matches!(change.value, UfwChange::Reset(_)) {
                    self.kept.clear();
                    self.files.remove(&UfwFile::User);
                }
                is_enabled.then(|| unloaded.clone())
            }
            UfwChange::Set(commands) => {
                self.kept.extend(commands.iter().cloned());
                is_enabled.then(|| commands.clone())
            }
            UfwChange::File(..) | UfwChange::Defaults(_) | UfwChange::Boot(_) => None,
        }
    }

    fn everything(&self, loaded: &[IptablesCommand]) -> Vec<IptablesCommand> {
        let files = self.files.values().flatten();
        loaded.iter().chain(files).chain(&self.defaults).chain(&self.kept).cloned().collect()
    }
}
