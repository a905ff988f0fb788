//! Lab -> dataplane: what each product makes of the configuration. One file per mechanism, each citing its page in `specs/`.

pub mod address;
pub mod docker;
pub mod events;
pub mod firewalld;
