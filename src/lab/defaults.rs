//! What is assumed where no file says which release runs, how docker is run, or in which order programs came up.

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
    /// VirtualBox's release; nothing means the newest that starts the machine.
    pub virtualbox: Option<Version>,
    /// Whether the engine came up before firewalld did.
    pub engine_first: bool,
    /// Whether physical machines with Linux run Docker Desktop.
    pub desktop: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            engine: Version::new(28, 5, 2),
            engine_backend: RuleBackend::Iptables,
            firewalld: Version::new(2, 5, 2),
            firewalld_backend: RuleBackend::Nftables,
            virtualbox: None,
            engine_first: false,
            desktop: false,
        }
    }
}

/// A default that was used, because no file states what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// The release of a docker engine.
    Engine,
    /// What an engine that knows nftables writes its rules with.
    EngineBackend,
    /// The release of firewalld.
    Firewalld,
    /// What firewalld writes its rules with.
    FirewalldBackend,
    /// The release of VirtualBox, which was taken to be this one.
    VirtualBox(Version),
    /// Which came up first, firewalld or docker.
    Order,
    /// Whether Docker Desktop runs the engine.
    Platform,
}
