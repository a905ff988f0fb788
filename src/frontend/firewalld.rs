//! firewalld: zone and policy files, firewalld.conf, and `firewall-cmd` lines.

pub mod cmd;
