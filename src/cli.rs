//! Arguments, files and exit codes: the only module that touches disk, environment and terminal.

mod args;
mod ask;
mod check;
mod exit;
mod explain;
pub mod load;
mod model;
mod rules;
mod terminal;
mod trace;

pub use exit::Exit;

use clap::Parser;

use args::{Arguments, Command};

/// Does what the command line says.
pub fn run() -> Exit {
    let Arguments { format, command } = Arguments::parse();
    match command {
        Command::Check(arguments) => check::run(&arguments, format),
        Command::Ask(arguments) => ask::run(&arguments, format),
        Command::Trace(arguments) => trace::run(&arguments, format),
        Command::Rules(arguments) => rules::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
    }
}
