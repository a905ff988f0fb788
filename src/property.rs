//! The sentences: syntax and types of what may be asked. Names are not resolved here.

pub mod parse;

pub use parse::parse;

use std::net::IpAddr;

use crate::diagnostic::Code;
use crate::net::{IpNet, PortRange, Protocol};
use crate::source::{Span, Spanned};

/// One sentence.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// The whole sentence as written.
    pub text: Spanned<String>,
    /// Who.
    pub subject: Subject,
    /// `can` (true) or `cannot`.
    pub can: bool,
    /// `only`: they can, and nobody else can.
    pub only: Option<Span>,
    /// What.
    pub verb: Verb,
    /// `with refused`: the symptom that is expected of a `cannot`.
    pub symptom: Option<Spanned<ExpectedSymptom>>,
    /// `because nat`: what is expected to stop a `cannot`.
    pub cause: Option<Spanned<Cause>>,
}

impl Sentence {
    /// What `only` forbids: that anyone else can, and that those behind `except` can. Nothing for a sentence without it.
    pub fn others(&self) -> Vec<Self> {
        let Some(only) = self.only else { return Vec::new() };
        let anyone = Subject { of: vec![Who::Anyone(only)], except: self.subject.of.clone() };
        let excepted = Subject { of: self.subject.except.clone(), except: Vec::new() };
        let subjects = [anyone, excepted].into_iter().filter(|subject| !subject.of.is_empty());
        subjects.map(|subject| Self { subject, can: false, only: None, ..self.clone() }).collect()
    }
}

/// Who does something: all of these but those.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `mac, phone`; at least one.
    pub of: Vec<Who>,
    /// `except phone`
    pub except: Vec<Who>,
}

/// One of a subject's names.
#[derive(Clone, Debug)]
pub enum Who {
    /// A host, container, service, group, or `host/process`.
    Named(Spanned<String>),
    /// An address, or all those of a subnet.
    Addresses(Spanned<IpNet>),
    /// `anyone`: everybody in the lab, on its LANs and outside.
    Anyone(Span),
    /// `lan`: any machine on a LAN, known or not, that is not named as the target.
    Lan(Span),
    /// `internet`: any machine outside.
    Internet(Span),
    /// `any container`.
    AnyContainer(Span),
    /// `any host`.
    AnyHost(Span),
    /// `network NAME`: every container on it.
    Network(Spanned<String>),
}

impl Who {
    /// Where it is written.
    pub fn span(&self) -> Span {
        match self {
            Self::Named(name) | Self::Network(name) => name.span,
            Self::Addresses(net) => net.span,
            Self::Anyone(span)
            | Self::Lan(span)
            | Self::Internet(span)
            | Self::AnyContainer(span)
            | Self::AnyHost(span) => *span,
        }
    }
}

/// What somebody does.
#[derive(Clone, Debug)]
pub enum Verb {
    /// `reach TARGET [at URL] [over PROTOCOL] [by name]`
    Reach {
        /// What is to be reached.
        target: Target,
        /// The address that is dialled.
        at: Option<Spanned<Url>>,
        /// TCP unless stated.
        protocol: Protocol,
        /// Dialled by the target's name.
        by_name: bool,
    },
    /// `ping HOST`
    Ping(Spanned<Place>),
    /// `resolve NAME`
    Resolve(Spanned<String>),
}

/// What is to be reached.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where.
    pub place: Spanned<Place>,
    /// Port; nothing means every port that the place listens on.
    pub ports: Option<Spanned<PortRange>>,
}

/// A host, a container, an address, or the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A host, container or service.
    Named(String),
    /// An address.
    Address(IpAddr),
    /// Any machine outside.
    Internet,
    /// Every member of a set.
    Every(Many),
}

/// A set of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Many {
    /// `any container`
    Containers,
    /// `any host`
    Hosts,
    /// `any database`
    Databases,
}

/// Where a program dials: `http://localhost:3000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Host name or address, as written.
    pub host: String,
    /// Port, the scheme's default filled in.
    pub port: u16,
    /// The whole text.
    pub text: String,
}

/// The symptoms that a sentence may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedSymptom {
    /// `timeout`
    Timeout,
    /// `refused`
    Refused,
    /// `reset`: accepted, then closed.
    Reset,
    /// `no-route`: no route to host.
    NoRoute,
    /// `unreachable`: network unreachable.
    Unreachable,
    /// `unresolved`: name not resolved.
    Unresolved,
}

/// What is expected to stop a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A kind of blocker: `nat`, `firewall`, or a code like `nat::no_inbound`; one of these codes.
    Codes(Vec<Code>),
    /// A file, or a line of it, counted from 1: `compose.yaml`, `compose.yaml:12`.
    File {
        /// The file's name, or the end of it.
        name: String,
        /// The line.
        line: Option<usize>,
    },
}
