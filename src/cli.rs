//! Arguments, files and exit codes: the only module that touches disk, environment and terminal.

pub mod load;
