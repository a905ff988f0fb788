//! The rules of a node in the words of the tool that would print them on the machine.

pub mod iptables;
