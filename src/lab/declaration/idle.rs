//! Containers that exist and do not run, and what brings them up again. Spec: specs/docker-stopped.md.

use crate::language::{Text, text};
use crate::source::{Span, Spanned};

use super::{ContainerDecl, Declaration, NetworkMode};

/// That a container exists and does not run.
#[derive(Clone, Debug)]
pub struct Idle {
    /// Why.
    pub cause: IdleCause,
    /// The word that says so, or the command that made it so.
    pub span: Span,
    /// The statements that are in force when it runs: the container, and the networks that it was connected to. Nothing
    /// where a listing shows it.
    pub was: Vec<Declaration>,
}

/// Why a container does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleCause {
    /// The engine lists it so.
    Listed,
    /// `docker create` without `docker start`.
    Created,
    /// `docker stop`, `docker kill`.
    Stopped,
    /// The engine came up anew, and the container has no restart policy.
    EngineRestarted,
    /// docker made it and could not start it.
    Refused,
}

/// `docker run --restart`, `restart:`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    /// It stays down.
    #[default]
    No,
    /// When its program failed, or the engine came up anew; unless somebody stopped it.
    UnlessStopped,
    /// Also when somebody stopped it, once the engine comes up anew.
    Always,
}

impl RestartPolicy {
    /// The policy of a word like `unless-stopped` or `on-failure:3`; nothing if docker refuses it (28.5.2: only `on-failure`
    /// has a count). A program that the engine kills when it goes down has failed (observed with 20.10.24 and 28.5.2).
    pub fn named(word: &str) -> Option<Self> {
        match word.split_once(':').map_or((word, None), |(name, count)| (name, Some(count))) {
            ("" | "no", None) => Some(Self::No),
            ("always", None) => Some(Self::Always),
            ("unless-stopped" | "on-failure", None) => Some(Self::UnlessStopped),
            ("on-failure", Some(count)) => count.parse::<u32>().ok().map(|_| Self::UnlessStopped),
            _ => None,
        }
    }
}

impl ContainerDecl {
    /// The same container without its program: it has no address and publishes nothing.
    pub fn at_rest(&self, idle: Idle) -> Self {
        Self {
            mode: Some(Spanned::new(NetworkMode::None, idle.span)),
            idle: Some(idle),
            publishes: Vec::new(),
            publish_all: None,
            networks: Vec::new(),
            ..self.clone()
        }
    }

    /// What it is when it runs.
    pub fn at_work(&self) -> &Self {
        let was = self.idle.iter().flat_map(|idle| &idle.was);
        was.filter_map(|d| if let Declaration::Container(c) = d { Some(c) } else { None }).next().unwrap_or(self)
    }
}

/// What has no model of containers that docker itself starts at the same time; the names stand in backticks.
pub fn shuffled_addresses(names: &str) -> Text {
    text!(
        "the addresses of `{names}`, which docker starts again in an order of its own",
        "docker가 제 순서대로 다시 시작하는 `{names}` 컨테이너의 주소"
    )
}

/// That a word is none of docker's restart policies.
pub fn unknown_policy(word: &str) -> Text {
    text!(
        "`{word}` is no restart policy: `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:3`",
        "`{word}`: 재시작 정책이 아닙니다. `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:3` 가운데 하나여야 합니다"
    )
}
