//! Where common server programs listen, and how their options and variables are called. The table beside this file names
//! the source of each row.
//!
//! | column | |
//! |---|---|
//! | program | words of the command line that tell it: `flask run` |
//! | default | where it listens unless told otherwise, `*` is all addresses; `-` where that depends |
//! | address, port, both | options; `?` stands behind one that means all addresses when it has no value, `+` before one that adds a place to listen, `:8080` behind one that adds this port; `*` in the middle stands for any name |
//! | variables | `NAME=` and what it says; `everywhere` is a port on all addresses |

use std::net::IpAddr;
use std::sync::LazyLock;

/// What is known about a program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name, as on the command line: `flask run`.
    pub name: &'static str,
    /// The address that it listens on unless told otherwise, if that is known; inside, nothing means all addresses.
    pub address: Option<Option<IpAddr>>,
    /// The port likewise.
    pub port: Option<u16>,
    /// How it is told.
    pub options: Vec<Opt>,
    /// Variables that tell it.
    pub variables: Vec<Variable>,
    /// Where that is documented.
    pub source: &'static str,
}

/// An option.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// With its dashes.
    pub name: &'static str,
    /// What it says.
    pub says: Says,
    /// It adds a place to listen; otherwise it moves the main one.
    pub adds: bool,
    /// The port that it adds when it is switched on.
    pub switches_on: Option<u16>,
    /// Without a value it means all addresses.
    pub bare: bool,
}

/// A variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub says: Says,
    /// It adds a place to listen.
    pub adds: bool,
}

/// What an option or a variable says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// An address.
    Address,
    /// A port.
    Port,
    /// Addresses with ports, perhaps as URLs.
    Both,
    /// A port, on all addresses.
    Everywhere,
}

static TABLE: LazyLock<Vec<Program>> =
    LazyLock::new(|| include_str!("programs.tsv").lines().filter(|l| !l.starts_with('#')).filter_map(row).collect());

fn row(line: &'static str) -> Option<Program> {
    let columns: Vec<&'static str> = line.split('\t').collect();
    let &[name, default, address, port, both, variables, source] = columns.as_slice() else { return None };
    let options = [(address, Says::Address), (port, Says::Port), (both, Says::Both)];
    let options = options.into_iter().flat_map(|(cell, says)| items(cell).map(move |item| option(item, says)));
    let (own_address, own_port) = default.rsplit_once(':').unwrap_or((default, ""));
    let own_address = match own_address {
        "-" => None,
        "*" => Some(None),
        address => address.parse().ok().map(Some),
    };
    Some(Program {
        name,
        address: own_address,
        port: own_port.parse().ok(),
        options: options.collect(),
        variables: items(variables).filter_map(variable).collect(),
        source,
    })
}

fn items(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split(' ').filter(|item| *item != "-")
}

fn option(written: &'static str, says: Says) -> Opt {
    let (adds, rest) = written.strip_prefix('+').map_or((false, written), |rest| (true, rest));
    let (bare, rest) = rest.strip_suffix('?').map_or((false, rest), |rest| (true, rest));
    let (name, port) = rest.split_once(':').map_or((rest, None), |(name, port)| (name, port.parse().ok()));
    Opt { name, says, adds, switches_on: port, bare }
}

fn variable(written: &'static str) -> Option<Variable> {
    let (adds, rest) = written.strip_prefix('+').map_or((false, written), |rest| (true, rest));
    let (name, says) = rest.split_once('=')?;
    let says = match says {
        "address" => Says::Address,
        "port" => Says::Port,
        "both" => Says::Both,
        "everywhere" => Says::Everywhere,
        _ => return None,
    };
    Some(Variable { name, says, adds })
}

/// The row of this name; `consul` for `consul agent` too, whose second word stands on the command line.
#[cfg(test)]
pub(super) fn named(name: &str) -> Option<&'static Program> {
    TABLE.iter().find(|program| program.name == name || program.name.split(' ').next() == Some(name))
}

/// The program that a command line starts: the first word is its name, perhaps with a path, and the second, if it has
/// one, comes somewhere behind. Of several the one with most words, then the first on the line.
pub fn find(words: &[&str]) -> Option<&'static Program> {
    let start = |program: &Program| {
        let (first, second) = program.name.split_once(' ').map_or((program.name, None), |(a, b)| (a, Some(b)));
        let starts = |word: &str| word == first || word.rsplit('/').next() == Some(first);
        let at = words.iter().position(|word| starts(word))?;
        second.is_none_or(|second| words.iter().skip(at + 1).any(|word| *word == second)).then_some(at)
    };
    let found = TABLE.iter().filter_map(|program| Some((start(program)?, program)));
    found.min_by_key(|(at, program)| (!program.name.contains(' '), *at)).map(|(_, program)| program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_complete_and_sorted() {
        let text = include_str!("programs.tsv");
        let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
        assert_eq!(lines.len(), TABLE.len());
        for (line, program) in lines.iter().zip(TABLE.iter()) {
            let columns: Vec<&str> = line.split('\t').collect();
            assert_eq!(columns.len(), 7, "{line}");
            let written = items(columns[2]).count() + items(columns[3]).count() + items(columns[4]).count();
            assert_eq!(program.options.len(), written, "{line}");
            assert_eq!(program.variables.len(), items(columns[5]).count(), "{line}");
            let default = columns[1].rsplit_once(':').unwrap_or((columns[1], "-"));
            assert_eq!(
                (program.address.is_some(), program.port.is_some()),
                (default.0 != "-", default.1 != "-"),
                "{line}"
            );
            assert!(!program.source.is_empty(), "{line}");
        }
        let names: Vec<&str> = TABLE.iter().map(|program| program.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    #[test]
    fn programs_are_found_by_their_words() {
        let check = |command: &str, expected: Option<&str>| {
            let words: Vec<&str> = command.split(' ').collect();
            assert_eq!(find(&words).map(|program| program.name), expected, "{command}");
        };
        check("flask --app shop run --debug", Some("flask run"));
        check("flask db upgrade", None);
        check("/usr/local/bin/uvicorn shop:app", Some("uvicorn"));
        check("python manage.py migrate && python manage.py runserver", Some("manage.py runserver"));
        check("python -m http.server", Some("http.server"));
        check("vite", Some("vite"));
        check("npx vite build", Some("vite build"));
        check("prometheus exporter --web.listen-address=:1", Some("prometheus exporter"));
        check("sleep 1", None);
    }
}
