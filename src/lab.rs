//! Who is there: hosts, segments, interfaces, processes, container engines and firewalls, in words that say what was
//! configured, not yet what a packet will meet.
//!
//! Front-ends produce [`Declaration`]s in the order in which they would take effect; [`resolve()`] turns them into one
//! [`Lab`]. `lower` then says what each product makes of it.

pub mod container;
pub mod databases;
pub mod declaration;
pub mod defaults;
pub mod dump;
pub mod firewall;
pub mod firewall_builtin;
pub mod host;
pub mod hosted;
pub mod images;
pub mod interface_config;
pub mod ipset;
pub mod iptables;
pub mod kept_ports;
pub mod machine;
pub mod nft;
pub mod programs;
pub mod resolve;
pub mod sysctl;
pub mod tunnel;

pub use container::{
    Container, ContainerNetwork, Endpoint, Engine, EngineOptions, GatewayMode, Networking, Platform, Publish,
    RuleBackend,
};
pub use declaration::Declaration;
pub use defaults::{Assumption, Defaults};
pub use firewall::{
    Content, Entry, Firewalld, ForwardPort, Peers, Policy, RichAction, RichElement, RichRule, Service, Target, Zone,
};
pub use host::{
    Attachment, Forward, Host, HostEvent, HostId, HostKind, Interface, InterfaceAddress, Listen, NatEngine, Os,
    Process, Segment, SegmentId, SegmentKind, SharedNat, VmNat,
};
pub use hosted::{ForwardMode, Forwarding, HostFirewall, Keeper, Wsl, WslMode};

pub use resolve::{Input, resolve, resolve_with};

use std::collections::BTreeSet;

use crate::source::{Span, Spanned};
use crate::switch::Switches;

/// Everything that is known about a lab.
#[derive(Clone, Debug, Default)]
pub struct Lab {
    /// Machines, physical and virtual; containers belong to the engine of their host.
    pub hosts: Vec<Host>,
    /// Layer-2 segments that hosts are attached to; container networks belong to their engine.
    pub segments: Vec<Segment>,
    /// Named sets of hosts and containers for sentences.
    pub groups: Vec<Group>,
    /// Assumptions and candidate edits that guard elements of this lab.
    pub switches: Switches,
    /// Sentences to decide, as written.
    pub sentences: Vec<Statement>,
    /// What was read and is not modelled, by place.
    pub unmodeled: Vec<Unmodeled>,
    /// What no file states and was assumed.
    pub assumed: BTreeSet<Assumption>,
}

/// A sentence to decide, and what its author says about it.
#[derive(Clone, Debug)]
pub struct Statement {
    /// As written.
    pub sentence: Spanned<String>,
    /// Why it is there.
    pub reason: Option<Spanned<String>>,
    /// It is reported when it is violated, and changes no exit code.
    pub is_wish: bool,
}

impl From<Spanned<String>> for Statement {
    fn from(sentence: Spanned<String>) -> Self {
        Self { sentence, reason: None, is_wish: false }
    }
}

/// A named set of members.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Names of hosts, containers or other groups.
    pub members: Vec<String>,
}

/// Something that was read and has no model.
#[derive(Clone, Debug)]
pub struct Unmodeled {
    /// What it is.
    pub what: String,
    /// Where it stands.
    pub span: Span,
    /// Whose packets it could concern; nothing means the whole lab.
    pub host: Option<HostId>,
}

impl Lab {
    /// The host named by `id`, which must come from this lab.
    #[expect(clippy::indexing_slicing, reason = "ids are made by the resolver of the same lab")]
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.0]
    }

    /// The segment named by `id`, which must come from this lab.
    #[expect(clippy::indexing_slicing, reason = "ids are made by the resolver of the same lab")]
    pub fn segment(&self, id: SegmentId) -> &Segment {
        &self.segments[id.0]
    }

    /// Every host with its id.
    pub fn hosts(&self) -> impl Iterator<Item = (HostId, &Host)> {
        self.hosts.iter().enumerate().map(|(i, h)| (HostId(i), h))
    }

    /// Every container with the host it runs on.
    pub fn containers(&self) -> impl Iterator<Item = (HostId, &Container)> {
        self.hosts().flat_map(|(id, h)| h.engine.iter().flat_map(move |e| e.containers.iter().map(move |c| (id, c))))
    }
}
