//! Texts that come with the program for other programs: completions for shells, a manual page, schemas for editors.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::args::{Arguments, SchemaName};
use super::{Exit, terminal};

/// Prints what makes a shell complete commands and options.
pub(super) fn completions(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "canreach", &mut script);
    terminal::print(&String::from_utf8_lossy(&script));
    Exit::Holds
}

/// Prints the manual page, with a section for every command.
pub(super) fn manual() -> Exit {
    let mut program = Arguments::command();
    program.build();
    let mut page = Vec::new();
    if render(&program, &mut page).is_err() {
        return Exit::Internal;
    }
    terminal::print(&String::from_utf8_lossy(&page));
    Exit::Holds
}

fn render(program: &Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    let man = clap_mangen::Man::new(program.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        page.extend(format!(".SH {}\n", command.get_name().to_uppercase()).bytes());
        let man = clap_mangen::Man::new(command.clone());
        let mut section = Vec::new();
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        // Sections of a command are parts of its section here.
        page.extend(String::from_utf8_lossy(&section).replace(".SH ", ".SS ").bytes());
    }
    man.render_extra_section(page)
}

/// Prints a schema.
pub(super) fn schema(name: SchemaName) -> Exit {
    terminal::print(match name {
        SchemaName::Lab => include_str!("../../specs/schema/lab-v1.json"),
        SchemaName::Sentences => include_str!("../../specs/schema/sentences-v1.json"),
        SchemaName::Report => include_str!("../../specs/schema/report-v1.json"),
    });
    Exit::Holds
}
