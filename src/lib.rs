//! canreach decides, before a lab is brought up, who can reach what in it.
//!
//! The pipeline, each stage plain data:
//!
//! ```text
//! files -> frontend -> lab -> lower -> dataplane -> { smt | eval } -> check, lint -> report -> cli
//! ```
//!
//! ARCHITECTURE.md has the map and the invariants.

pub mod check;
pub mod cli;
pub mod dataplane;
pub mod diagnostic;
pub mod eval;
pub mod frontend;
pub mod lab;
pub mod language;
pub mod lesson;
pub mod lint;
pub mod lower;
pub mod net;
pub mod property;
pub mod provenance;
pub mod report;
pub mod smt;
pub mod source;
pub mod switch;
