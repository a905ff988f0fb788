//! firewalld: zone, policy, service and ipset files, firewalld.conf, direct.xml, `firewall-cmd` lines, and listings.
//!
//! Follows firewalld 1.3.3 and 2.5.2 (`firewall/core/io/*.py`, `firewall/core/rich.py`, `firewall/command.py`). What
//! stands in a file and is refused costs all files, see [`schema`]; a line that is refused costs nothing but itself.

pub mod cmd;
pub mod conf;
mod content;
pub mod direct;
pub mod ipset;
pub mod listing;
pub mod policy;
pub mod rich_rule;
mod schema;
pub mod service;
mod value;
pub mod zone;

#[cfg(test)]
mod tests;

use crate::lab::Declaration;
use crate::lab::declaration::Declarations;

/// Marks what a file in /usr/lib/firewalld states: one of the same name in /etc/firewalld replaces it.
pub fn in_layer(path: &str, mut read: Declarations) -> Declarations {
    if path.contains("usr/lib/firewalld/") {
        for declaration in &mut read.value {
            match declaration {
                Declaration::Zone(zone) => zone.is_stock = true,
                Declaration::Policy(policy) => policy.is_stock = true,
                Declaration::Service(service) => service.is_stock = true,
                Declaration::FirewalldIpSet(set) => set.is_stock = true,
                _ => {}
            }
        }
    }
    read
}
