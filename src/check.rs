//! Resolves a sentence against the lab, asks `smt`, replays with `eval`, and says why.

pub mod verdict;

pub use verdict::{Answer, Blocker, Condition, Edit, Fix, Judgement, Verdict, Witness};
