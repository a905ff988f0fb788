//! The docker family: compose files, and what they share with the command line.

pub mod compose;
pub mod config_file;
pub mod daemon_json;
pub mod dockerfile;
pub mod files;
pub mod listing;
pub mod port_spec;
pub mod run;
