//! The concrete interpreter: one flow and one setting of the switches in, one trace out.
//!
//! It explains what the solver finds, and checks it: it shares no matching or forwarding code with `smt`, and knows
//! nothing above the dataplane. It follows one packet at a time: the request to the socket, then the answer back to
//! the dialler through the connection-tracking entries that the request left.
//!
//! Sources for the order of things: the kernel's `ip_rcv`, `ip_forward`, `ip_local_out`, `nf_nat_inet_fn`,
//! `fib_validate_source` (Linux 6.1); for frames that cross a bridge, `br_netfilter_hooks.c`.

mod conntrack;
mod filter;
mod forward;
mod packet;
mod path;

use crate::dataplane::{Dataplane, Flow, Trace};
use crate::switch::Setting;

/// Follows a flow to its end.
pub fn trace(dataplane: &Dataplane, flow: &Flow, setting: &Setting) -> Trace {
    path::follow(dataplane, flow, setting)
}
