//! Reports about labs, in the format that was asked for.

use crate::report::{Asked, Section, github, json, junit, markdown, sarif, terminal as rendering};

use super::args::Format;
use super::terminal;

/// Prints what was found out.
pub(super) fn print(sections: &[Section], format: Format, asked: Asked) {
    terminal::print(&match format {
        Format::Json => json::sections(sections),
        Format::Sarif => sarif::render(sections),
        Format::Github => github::render(sections),
        Format::Junit => junit::render(sections, asked),
        Format::Markdown => markdown::render(sections, asked, terminal::language()),
        Format::Human | Format::Csv => sections.iter().map(|section| for_people(section, asked)).collect(),
    });
}

fn for_people(Section { title, report, sources, .. }: &Section, asked: Asked) -> String {
    let style = terminal::style();
    let text = match asked {
        Asked::Sentences => rendering::render(report, sources, style),
        Asked::Lints => rendering::lints(report, sources, style),
    };
    title.as_ref().map_or_else(|| text.clone(), |title| format!("\n## {title}\n\n{text}"))
}
