//! Lab -> dataplane: what each product makes of the configuration. One file per mechanism, each citing its page in `specs/`.

pub mod firewalld;
