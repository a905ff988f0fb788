//! Arguments, files and exit codes: the only module that touches disk, environment and terminal.

mod accept;
mod args;
mod ask;
mod check;
mod collect;
mod coverage;
mod diff;
mod exit;
mod explain;
mod exposure;
mod fix;
mod graph;
mod infer;
mod init;
mod lint;
pub mod load;
mod lsp;
mod matrix;
mod model;
mod overview;
mod page;
mod probe;
mod reports;
mod revision;
mod rules;
mod shipped;
mod teach;
mod terminal;
mod trace;
mod watch;
mod why;

pub use exit::Exit;

use std::{panic, thread};

use clap::Parser;

use crate::language::Language;

use args::{Arguments, Command, Format};

/// Configuration may be nested more deeply than the main thread's stack allows for.
const STACK: usize = 256 * 1024 * 1024;

/// Does what the command line says.
pub fn run() -> Exit {
    let arguments = Arguments::parse();
    keep_quiet_about_scripts();
    let worker = thread::Builder::new().stack_size(STACK).spawn(move || obey(arguments));
    match worker.map(thread::JoinHandle::join) {
        Ok(Ok(exit)) => exit,
        Ok(Err(_)) | Err(_) => {
            terminal::complain("this is a bug of canreach: it stopped in the middle; please report it");
            Exit::Internal
        }
    }
}

/// The parser of shell scripts panics at some texts, which are then reported as not understood: nobody has to read that it
/// did.
fn keep_quiet_about_scripts() {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|location| location.file().contains("brush-parser")) {
            tell(info);
        }
    }));
}

fn obey(Arguments { format, lang, command }: Arguments) -> Exit {
    terminal::speak(lang.map(Language::from));
    if let Some(reason) = refusal(&command, format) {
        terminal::complain(reason);
        return Exit::Unusable;
    }
    match command {
        Command::Check(arguments) => check::run(&arguments, format),
        Command::Ask(arguments) => ask::run(&arguments, format),
        Command::Why(arguments) => why::run(&arguments, format),
        Command::Trace(arguments) => trace::run(&arguments, format),
        Command::Rules(arguments) => rules::run(&arguments),
        Command::Graph(arguments) => graph::run(&arguments),
        Command::Report(arguments) => page::run(&arguments),
        Command::Exposure(arguments) => exposure::run(&arguments, format),
        Command::Diff(arguments) => diff::run(&arguments, format),
        Command::Fix(arguments) => fix::run(&arguments, format),
        Command::Probe(arguments) => probe::run(&arguments, format),
        Command::Coverage(arguments) => coverage::run(&arguments, format),
        Command::Lint(arguments) => lint::run(&arguments, format),
        Command::Infer(arguments) => infer::run(&arguments),
        Command::Collect(arguments) => collect::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Accept(arguments) => accept::run(&arguments),
        Command::Lsp => lsp::run(),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Teach(arguments) => teach::run(&arguments),
        Command::Completions { shell } => shipped::completions(shell),
        Command::Manual => shipped::manual(),
        Command::Schema { name } => shipped::schema(name),
    }
}

/// Why a command does not print this format; nothing if it does.
fn refusal(command: &Command, format: Format) -> Option<&'static str> {
    let prints_text = matches!(
        command,
        Command::Rules(_)
            | Command::Infer(_)
            | Command::Collect(_)
            | Command::Init(_)
            | Command::Graph(_)
            | Command::Report(_)
            | Command::Accept(_)
            | Command::Explain(_)
            | Command::Teach(_)
            | Command::Completions { .. }
            | Command::Manual
            | Command::Schema { .. }
    );
    let is_report = match command {
        Command::Check(arguments) => arguments.emit.is_none() && !arguments.matrix,
        Command::Lint(_) => true,
        _ => false,
    };
    match format {
        Format::Human => None,
        _ if matches!(command, Command::Lsp) => Some("`lsp` speaks the language server protocol and nothing else"),
        Format::Csv if matches!(command, Command::Exposure(_)) => None,
        Format::Csv => Some("only `canreach exposure` has a table for `--format csv`"),
        Format::Json if prints_text => Some(
            "this command prints text only; `check`, `ask`, `trace`, `exposure`, `diff`, `fix` and `lint` have JSON",
        ),
        Format::Json => None,
        Format::Sarif | Format::Github | Format::Junit | Format::Markdown => {
            let only = "only `canreach check` (without `--emit` or `--matrix`) and `canreach lint` print this format";
            (!is_report).then_some(only)
        }
    }
}
