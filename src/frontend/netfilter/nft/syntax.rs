//! What a rule set of nftables consists of, before it is known what it means: the same for the text and for JSON.

use crate::language::Text;
use crate::source::{Span, Spanned};

/// Everything in one text.
#[derive(Debug, Default)]
pub(super) struct Ruleset {
    pub(super) tables: Vec<Table>,
    /// `flush ruleset`
    pub(super) is_flushed: bool,
    /// It has commands that a listing has not.
    pub(super) is_script: bool,
    /// What changes packets and cannot be followed.
    pub(super) unmodeled: Vec<Spanned<Text>>,
}

impl Ruleset {
    /// Finds or makes a table.
    pub(super) fn table(&mut self, family: Family, name: &Spanned<String>) -> Option<&mut Table> {
        let position = self.tables.iter().position(|t| t.family == family && t.name.value == name.value);
        let index = position.unwrap_or_else(|| {
            self.tables.push(Table::new(family, name.clone()));
            self.tables.len() - 1
        });
        self.tables.get_mut(index)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Ip,
    Ip6,
    Inet,
    Bridge,
    Netdev,
    Arp,
}

impl Family {
    pub(super) fn named(text: &str) -> Option<Self> {
        Some(match text {
            "ip" => Self::Ip,
            "ip6" => Self::Ip6,
            "inet" => Self::Inet,
            "bridge" => Self::Bridge,
            "netdev" => Self::Netdev,
            "arp" => Self::Arp,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Inet => "inet",
            Self::Bridge => "bridge",
            Self::Netdev => "netdev",
            Self::Arp => "arp",
        }
    }
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) family: Family,
    pub(super) name: Spanned<String>,
    pub(super) chains: Vec<Chain>,
    pub(super) sets: Vec<Set>,
    /// `flags dormant`: its base chains are not hooked in.
    pub(super) is_dormant: bool,
}

impl Table {
    pub(super) fn new(family: Family, name: Spanned<String>) -> Self {
        Self { family, name, chains: Vec::new(), sets: Vec::new(), is_dormant: false }
    }

    /// Finds or makes a chain.
    pub(super) fn chain(&mut self, name: &Spanned<String>) -> Option<&mut Chain> {
        let position = self.chains.iter().position(|c| c.name.value == name.value);
        let index = position.unwrap_or_else(|| {
            self.chains.push(Chain { name: name.clone(), base: None, rules: Vec::new() });
            self.chains.len() - 1
        });
        self.chains.get_mut(index)
    }

    /// Finds or makes a set.
    pub(super) fn set(&mut self, name: &str) -> Option<&mut Set> {
        let position = self.sets.iter().position(|s| s.name == name);
        let index = position.unwrap_or_else(|| {
            self.sets.push(Set { name: name.to_owned(), elements: Vec::new(), is_dynamic: false });
            self.sets.len() - 1
        });
        self.sets.get_mut(index)
    }
}

#[derive(Debug)]
pub(super) struct Chain {
    pub(super) name: Spanned<String>,
    pub(super) base: Option<Base>,
    pub(super) rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) kind: String,
    pub(super) hook: String,
    pub(super) priority: i32,
    pub(super) accepts: bool,
}

/// A set, a map or a verdict map with a name.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) elements: Vec<Element>,
    /// Rules add elements to it.
    pub(super) is_dynamic: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Element {
    pub(super) key: Value,
    /// What a map gives for the key.
    pub(super) gives: Option<Given>,
}

#[derive(Clone, Debug)]
pub(super) enum Given {
    Verdict(Verdict),
    Value(Value),
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) statements: Vec<Statement>,
    pub(super) span: Span,
}

/// One statement of a rule.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    /// A comparison.
    Match(Comparison),
    /// `KEY vmap MAP`
    VerdictMap(Left, Value),
    Verdict(Verdict),
    Reject(Vec<String>),
    Nat(Nat),
    /// `meta mark set VALUE`
    Set(Key, Assigned),
    Untrack,
    /// A condition that is taken to hold or not, as people who write it expect.
    Assumed {
        text: String,
        holds: bool,
    },
    /// A condition without a model.
    Unmodeled(String),
    /// Something that may send a packet anywhere.
    Diverts(String),
    /// Elements are added to a set as packets pass.
    Fills(String),
    /// Counts, logs.
    Nothing,
}

#[derive(Clone, Debug)]
pub(super) struct Comparison {
    pub(super) left: Left,
    pub(super) relation: Relation,
    pub(super) right: Value,
    /// As it is written.
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Is,
    IsNot,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What is looked at: `ip saddr`, `meta iifname`, `ct original daddr`, in nft's words; of a shorthand the long form.
pub(super) type Key = String;

/// One key, or several joined by dots, under a mask.
#[derive(Clone, Debug, Default)]
pub(super) struct Left {
    pub(super) keys: Vec<Key>,
    pub(super) mask: Option<Box<Value>>,
}

#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Accept,
    Drop,
    Continue,
    Return,
    Jump(String),
    Goto(String),
    /// `jump { … }`
    Block(Vec<Rule>),
    /// `queue`
    Queue,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A word, number, address, prefix, or a range in one word.
    Word(String),
    Range(Box<Value>, Box<Value>),
    /// `established,related`, or `(syn | ack)`.
    List(Vec<Value>),
    /// `{ … }`
    Set(Vec<Element>),
    /// `@name`
    Named(String),
    /// Joined by dots.
    Joined(Vec<Value>),
    /// `syn / fin,syn`: a value under a mask.
    Masked(Box<Value>, Box<Value>),
    /// `KEY map MAP`
    Map(Left, Box<Value>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NatKind {
    Destination,
    Source,
    Masquerade,
    Redirect,
}

#[derive(Clone, Debug)]
pub(super) struct Nat {
    pub(super) kind: NatKind,
    pub(super) address: Option<Value>,
    pub(super) port: Option<Value>,
    pub(super) text: String,
}

/// What a mark is set to.
#[derive(Clone, Debug)]
pub(super) enum Assigned {
    /// Bits under a mask; the others keep what they are.
    Bits { value: Value, mask: u32 },
    /// The bits of another key.
    Key { key: Key, mask: u32 },
    /// Something else.
    Other,
}
