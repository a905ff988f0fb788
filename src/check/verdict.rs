//! What the checker says about a sentence, as data.

use crate::dataplane::Trace;
use crate::diagnostic::Code;
use crate::lab::Statement;
use crate::provenance::Origin;
use crate::source::{Source, Span};

/// A sentence and its verdict.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The sentence as written, and what is written with it.
    pub statement: Statement,
    /// The verdict.
    pub verdict: Verdict,
}

/// Whether a sentence is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It is true.
    Holds,
    /// It is false.
    Violated,
    /// It depends on something that is not modelled, or on a name that is not known.
    Undecided,
}

/// A verdict with everything that explains it.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Whether the sentence is true.
    pub answer: Answer,
    /// One line that stands alone: "`mac` cannot reach `grafana:3000`: connection refused".
    pub headline: String,
    /// The code of the first blocker, or of what is exposed.
    pub code: Option<Code>,
    /// Every way that works (`can`), or the counterexample (`cannot`).
    pub witnesses: Vec<Witness>,
    /// The attempt that fails, for a violated `can`.
    pub failure: Option<Witness>,
    /// What stops the packet, in path order; for a violated `cannot`, the lines that let it in.
    pub blockers: Vec<Blocker>,
    /// Edits that make the sentence true, best first.
    pub fixes: Vec<Fix>,
    /// Assumptions that decide the answer.
    pub conditions: Vec<Condition>,
    /// Remarks: vacuity, what is not modelled.
    pub notes: Vec<String>,
}

/// A dialled address and what happens.
#[derive(Clone, Debug)]
pub struct Witness {
    /// What the person would type: `http://localhost:3000`, `192.168.1.101:22`.
    pub url: String,
    /// Who dials, by name.
    pub from: String,
    /// What happens.
    pub trace: Trace,
}

/// One thing that stops (or lets in) a packet.
#[derive(Clone, Debug)]
pub struct Blocker {
    /// Stable code.
    pub code: Code,
    /// What it does, standing alone: "adapter 1 is NAT and forwards no port to 3000".
    pub message: String,
    /// The responsible line, or the place where one is missing.
    pub origin: Origin,
}

/// Edits that, together, make a sentence true.
#[derive(Clone, Debug)]
pub struct Fix {
    /// The edits.
    pub edits: Vec<Edit>,
    /// What works then: the dialled address.
    pub url: Option<String>,
}

/// One edit of a file.
#[derive(Clone, Debug)]
pub struct Edit {
    /// What it does: "publish container port 3000 on 127.0.0.1:3000".
    pub what: String,
    /// Where it goes; nothing when it is a command to run.
    pub at: Option<Span>,
    /// The text to insert there (or the command).
    pub text: String,
}

/// An assumption that decides the answer.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The assumption as it was made: "`grafana` listens on all addresses".
    pub statement: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What the answer would be otherwise.
    pub otherwise: Answer,
}

impl Edit {
    /// The text as it goes into a file, whose line ends it takes over.
    pub fn text_for(&self, file: &Source) -> String {
        if file.text.contains("\r\n") { self.text.replace('\n', "\r\n") } else { self.text.clone() }
    }
}

impl Verdict {
    /// An answer that nothing explains yet.
    pub fn new(answer: Answer, headline: String) -> Self {
        Self {
            answer,
            headline,
            code: None,
            witnesses: Vec::new(),
            failure: None,
            blockers: Vec::new(),
            fixes: Vec::new(),
            conditions: Vec::new(),
            notes: Vec::new(),
        }
    }
}
