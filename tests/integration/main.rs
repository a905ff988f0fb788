//! Everything that is tested from outside: one binary, so that Z3 is linked once.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "all of this is a test, not only what is marked so"
)]

mod agreement;
mod architecture;
mod book;
mod broken;
mod cli;
mod collect;
mod compose;
mod dead_rules;
mod documented;
mod examples;
mod features;
mod infer;
mod init;
mod integrations;
mod korean;
mod lessons;
mod live;
mod lsp;
mod pictures;
mod probe;
mod questions;
mod readme;
mod reality;
mod replay;
mod reviews;
mod sarif;
mod schema;
mod shipped;
mod specs;
mod support;
mod truncated;
mod vagrant;
mod virtualbox;
