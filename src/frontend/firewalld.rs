//! firewalld: zone and policy files, firewalld.conf, and `firewall-cmd` lines.
//!
//! Follows firewalld 1.3.3 (`firewall/core/io/*.py`, `firewall/core/rich.py`, `firewall/command.py`); what later
//! releases added is named where it matters.

pub mod cmd;
pub mod conf;
mod content;
pub mod policy;
pub mod rich_rule;
pub mod service;
mod value;
pub mod zone;

#[cfg(test)]
mod tests;
