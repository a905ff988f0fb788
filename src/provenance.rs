//! Why a thing exists: written here, implied by a product's default (with a citation), assumed, or missing.
//!
//! An origin explains; it never takes part in a comparison of two things.

use std::fmt;

use crate::language::Text;
use crate::source::Span;

/// On what ground something is in the model.
#[derive(Clone, Debug)]
pub enum Basis {
    /// Somebody wrote it at this place.
    Written(Span),
    /// A product does this by itself; `because` is the line that set it off, `citation` where the product says so.
    Implied {
        /// The line of the user's files that led to it, if there is one.
        because: Option<Span>,
        /// Manual page or source file with version.
        citation: &'static str,
    },
    /// The files do not say; this is our stated guess.
    Assumed {
        /// The line the guess is about, if there is one.
        about: Option<Span>,
    },
    /// It is not there: the place where it would be written, and the text that would go there.
    Missing {
        /// Where the text would be inserted (an empty span) or what it would replace.
        at: Span,
        /// The text, without indentation of its first line.
        insert: String,
    },
}

/// Why something is in the model, in a few words and with a basis.
#[derive(Clone, Debug)]
pub struct Origin {
    /// What it is, as a noun phrase: "published port 3000 of `grafana`".
    pub what: Text,
    /// The ground.
    pub basis: Basis,
}

impl Origin {
    /// Written by the user at `span`.
    pub fn written(what: impl Into<Text>, span: Span) -> Self {
        Self { what: what.into(), basis: Basis::Written(span) }
    }

    /// Implied by a product's behaviour, set off by the line `because`.
    pub fn implied(what: impl Into<Text>, because: Option<Span>, citation: &'static str) -> Self {
        Self { what: what.into(), basis: Basis::Implied { because, citation } }
    }

    /// Our guess, about the line `about`.
    pub fn assumed(what: impl Into<Text>, about: Option<Span>) -> Self {
        Self { what: what.into(), basis: Basis::Assumed { about } }
    }

    /// Not written; would go to `at`.
    pub fn missing(what: impl Into<Text>, at: Span, insert: impl Into<String>) -> Self {
        Self { what: what.into(), basis: Basis::Missing { at, insert: insert.into() } }
    }

    /// The place in the user's files that this goes back to.
    pub fn span(&self) -> Option<Span> {
        match &self.basis {
            Basis::Written(span) => Some(*span),
            Basis::Implied { because, .. } => *because,
            Basis::Assumed { about } => *about,
            Basis::Missing { at, .. } => Some(*at),
        }
    }

    /// The same ground for another thing: a rule that a product makes because of a line keeps pointing at that line.
    #[must_use]
    pub fn derive(&self, what: impl Into<Text>, citation: &'static str) -> Self {
        match &self.basis {
            Basis::Missing { .. } => Self { what: what.into(), basis: self.basis.clone() },
            _ => Self::implied(what, self.span(), citation),
        }
    }
}

/// Names one origin in an [`Origins`] arena.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginId(u32);

/// Printed things that only have other origins look the same.
impl fmt::Debug for OriginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OriginId")
    }
}

/// All origins of one dataplane.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    all: Vec<Origin>,
}

impl Origins {
    /// Keeps an origin and names it.
    pub fn add(&mut self, origin: Origin) -> OriginId {
        self.all.push(origin);
        OriginId(u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX))
    }

    /// Whether an id was made by this arena.
    pub fn has(&self, id: OriginId) -> bool {
        (id.0 as usize) < self.all.len()
    }

    /// Every origin.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.all.iter()
    }

    /// The origin named by `id`, which must come from this arena.
    #[expect(clippy::indexing_slicing, reason = "an id is only made by `add` of the same arena")]
    pub fn get(&self, id: OriginId) -> &Origin {
        &self.all[id.0 as usize]
    }
}
