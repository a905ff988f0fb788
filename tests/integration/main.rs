//! Everything that is tested from outside: one binary, so that Z3 is linked once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at its first surprise")]

mod agreement;
mod architecture;
mod cli;
mod live;
mod reality;
mod replay;
mod specs;
mod support;
