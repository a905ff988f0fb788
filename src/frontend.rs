//! Text of one format in, declarations with spans out. A front-end never fails: what it cannot understand it reports.

pub mod docker;
pub mod firewalld;
pub mod shell;
pub mod vbox;
pub mod xml;
