//! What is assumed where no file says which release runs, or in which order programs came up.

use crate::net::Version;

use super::RuleBackend;

/// The assumptions of a run. Whatever a file states wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// The docker engine's release.
    pub engine: Version,
    /// What the engine writes its rules with; only 29 and newer know nftables.
    pub engine_backend: RuleBackend,
    /// firewalld's release.
    pub firewalld: Version,
    /// What firewalld writes its rules with.
    pub firewalld_backend: RuleBackend,
    /// VirtualBox's release.
    pub virtualbox: Version,
    /// Whether the engine came up before firewalld did.
    pub engine_first: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            engine: Version::new(28, 5, 2),
            engine_backend: RuleBackend::Iptables,
            firewalld: Version::new(2, 5, 2),
            firewalld_backend: RuleBackend::Nftables,
            virtualbox: Version::new(7, 2, 22),
            engine_first: false,
        }
    }
}
