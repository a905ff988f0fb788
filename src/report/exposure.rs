//! The matrix of who can reach what: a table for people, CSV and JSON for programs.

use serde::Serialize;

use crate::check::{Class, Dialler, Exposure, Listener};
use crate::source::Sources;

use super::Style;
use super::json::{self, FORMAT, Place};

const GREEN: u8 = 32;
const YELLOW: u8 = 33;

/// Diallers that reach the same, side by side in one column.
struct Column {
    title: String,
    members: Vec<usize>,
}

/// The matrix as a table; containers of a network that reach the same share a column.
pub fn table(exposure: &Exposure, style: Style) -> String {
    if exposure.listeners.is_empty() {
        return "nothing in this lab is known to listen\n".to_owned();
    }
    let grid = grid(exposure);
    let legend = if grid.legend.is_empty() { String::new() } else { format!("\n{}\n", grid.legend.join("\n")) };
    drawn(&grid.rows, style) + &legend
}

/// The matrix as cells of text, the first row with the titles, and what is to be said below it.
pub(super) struct Grid {
    pub(super) rows: Vec<Vec<String>>,
    pub(super) legend: Vec<String>,
}

/// The cells of the table.
pub(super) fn grid(exposure: &Exposure) -> Grid {
    let columns: Vec<Column> = columns(exposure)
        .into_iter()
        .filter(|c| (0..exposure.listeners.len()).any(|row| !cell(exposure, c, row).is_empty()))
        .collect();
    let mut rows = vec![header(&columns)];
    for (index, listener) in exposure.listeners.iter().enumerate() {
        let assumed = if listener.is_assumed() { " *" } else { "" };
        let cells = columns.iter().map(|column| cell(exposure, column, index));
        rows.push(std::iter::once(format!("{}{assumed}", listener.name)).chain(cells).collect());
    }
    Grid { rows, legend: legend(exposure, &columns) }
}

fn header(columns: &[Column]) -> Vec<String> {
    std::iter::once("LISTENS".to_owned()).chain(columns.iter().map(|c| c.title.clone())).collect()
}

/// The shortest address, and how many more there are; `?` where something that is not modelled decides.
fn cell(exposure: &Exposure, column: &Column, row: usize) -> String {
    let is_self = |member: &usize| is_itself(exposure, *member, row);
    let Some(member) = column.members.iter().find(|m| !is_self(m)).or(column.members.first()) else {
        return String::new();
    };
    let addresses: Vec<&str> = exposure.contacts(*member, row).map(|c| c.address.as_str()).collect();
    let doubt = if exposure.is_doubtful(*member, row) { "?" } else { "" };
    match addresses.as_slice() {
        [] => doubt.to_owned(),
        [one] => format!("{one}{doubt}"),
        [first, more @ ..] => format!("{first} +{}{doubt}", more.len()),
    }
}

/// A container that dials its own program: different for each, and never in question.
fn is_itself(exposure: &Exposure, dialler: usize, row: usize) -> bool {
    let (dialler, listener) = (exposure.diallers.get(dialler), exposure.listeners.get(row));
    dialler.zip(listener).is_some_and(|(d, l)| matches!(d.class, Class::Container(_)) && d.node == l.node)
}

fn columns(exposure: &Exposure) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for (index, dialler) in exposure.diallers.iter().enumerate() {
        let class = |column: &Column| column.members.first().and_then(|m| exposure.diallers.get(*m)).map(|d| &d.class);
        let joins = |column: &&mut Column| {
            matches!(dialler.class, Class::Container(_))
                && class(column) == Some(&dialler.class)
                && column.members.iter().all(|m| reach_the_same(exposure, *m, index))
        };
        match columns.iter_mut().find(joins) {
            Some(column) => column.members.push(index),
            None => columns.push(Column { title: dialler.name.clone(), members: vec![index] }),
        }
    }
    for column in &mut columns {
        if let (Some(Class::Container(networks)), [_, _, ..]) = (
            column.members.first().and_then(|m| exposure.diallers.get(*m)).map(|d| d.class.clone()),
            column.members.as_slice(),
        ) {
            let all = exposure.diallers.iter().filter(|d| d.class == Class::Container(networks.clone())).count();
            let on = if networks.is_empty() { "no network".to_owned() } else { networks.join("+") };
            let number = column.members.len();
            column.title = if number == all { format!("on {on}") } else { format!("{number} on {on}") };
        }
    }
    columns
}

fn reach_the_same(exposure: &Exposure, a: usize, b: usize) -> bool {
    let addresses = |dialler, row| exposure.contacts(dialler, row).map(|c| (c.address.as_str(), c.is_doubtful));
    (0..exposure.listeners.len())
        .filter(|row| !is_itself(exposure, a, *row) && !is_itself(exposure, b, *row))
        .all(|row| addresses(a, row).eq(addresses(b, row)))
}

fn drawn(rows: &[Vec<String>], style: Style) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width - cell.chars().count() + 2);
            let ansi = if cell.ends_with('?') { YELLOW } else { GREEN };
            let is_plain = number == 0 || column == 0 || cell.is_empty();
            line += &if is_plain { cell.clone() } else { style.paint(ansi, cell) };
            line += &pad;
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// What the marks mean, and who stands together in a column.
fn legend(exposure: &Exposure, columns: &[Column]) -> Vec<String> {
    let mut lines = Vec::new();
    for column in columns.iter().filter(|c| c.members.len() > 1) {
        let names: Vec<&str> =
            column.members.iter().filter_map(|m| exposure.diallers.get(*m)).map(|d| d.name.as_str()).collect();
        let shown = names.get(..8.min(names.len())).unwrap_or_default().join(", ");
        let more = names.len().saturating_sub(8);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lines.push(format!("{}: {shown}{more}", column.title));
    }
    let left_out: Vec<&str> = (0..exposure.diallers.len())
        .filter(|index| !columns.iter().any(|c| c.members.contains(index)))
        .filter_map(|index| exposure.diallers.get(index))
        .map(|d| d.name.as_str())
        .collect();
    if !left_out.is_empty() {
        lines.push(format!("reach nothing: {}", left_out.join(", ")));
    }
    if exposure.listeners.iter().any(Listener::is_assumed) {
        lines.push("* nothing says that it listens there; assumed from its image".to_owned());
    }
    if (0..exposure.diallers.len()).any(|d| (0..exposure.listeners.len()).any(|l| exposure.is_doubtful(d, l))) {
        lines.push("? depends on something that is not modelled; `canreach check` names it".to_owned());
    }
    lines.extend(exposure.unsure.iter().map(|reason| format!("there may be more: {reason}")));
    lines
}

/// The matrix as CSV (RFC 4180): one row per listener, one column per dialler, addresses separated by blanks.
pub fn csv(exposure: &Exposure) -> String {
    let names = exposure.diallers.iter().map(|d| d.name.as_str());
    let mut text = csv_row(std::iter::once("listens").chain(names));
    for (row, listener) in exposure.listeners.iter().enumerate() {
        let cells: Vec<String> = (0..exposure.diallers.len()).map(|dialler| csv_cell(exposure, dialler, row)).collect();
        text += &csv_row(std::iter::once(listener.name.as_str()).chain(cells.iter().map(String::as_str)));
    }
    text
}

fn csv_cell(exposure: &Exposure, dialler: usize, row: usize) -> String {
    let mut words: Vec<&str> = exposure.contacts(dialler, row).map(|c| c.address.as_str()).collect();
    if exposure.is_doubtful(dialler, row) {
        words.push("?");
    }
    words.join(" ")
}

fn csv_row<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let quoted = |cell: &str| match cell.contains([',', '"', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    };
    cells.map(quoted).collect::<Vec<_>>().join(",") + "\r\n"
}

/// The matrix as one JSON document.
pub fn json(exposure: &Exposure, sources: &Sources) -> String {
    let diallers = exposure.diallers.iter().map(|d| DiallerJson {
        name: &d.name,
        class: match d.class {
            Class::Internet => "internet",
            Class::Lan => "lan",
            Class::Host => "host",
            Class::Vm => "vm",
            Class::Container(_) => "container",
        },
        networks: if let Class::Container(networks) = &d.class { networks } else { &[] },
    });
    let listeners = exposure.listeners.iter().enumerate().map(|(row, l)| ListenerJson {
        name: &l.name,
        owner: &l.owner,
        protocol: l.protocol.to_string(),
        first_port: l.ports.first,
        last_port: l.ports.last,
        is_assumed: l.is_assumed(),
        at: l.origin.span().map(|span| Place::of(sources, span)),
        reached_by: reached_by(exposure, row),
    });
    json::document(&ExposureDocument {
        format: FORMAT,
        diallers: diallers.collect(),
        listeners: listeners.collect(),
        unsure: &exposure.unsure,
    })
}

fn reached_by<'a>(exposure: &'a Exposure, row: usize) -> Vec<CellJson<'a>> {
    let cell = |(dialler, d): (usize, &'a Dialler)| {
        let contacts = exposure.contacts(dialler, row);
        let addresses: Vec<ContactJson<'a>> =
            contacts.map(|c| ContactJson { address: &c.address, seen_as: &c.seen }).collect();
        let is_doubtful = exposure.is_doubtful(dialler, row);
        CellJson { dialler: &d.name, addresses, is_doubtful }
    };
    let cells = exposure.diallers.iter().enumerate().map(cell);
    cells.filter(|c| !c.addresses.is_empty() || c.is_doubtful).collect()
}

#[derive(Serialize)]
struct ExposureDocument<'a> {
    format: &'static str,
    diallers: Vec<DiallerJson<'a>>,
    listeners: Vec<ListenerJson<'a>>,
    unsure: &'a [String],
}

#[derive(Serialize)]
struct DiallerJson<'a> {
    name: &'a str,
    class: &'static str,
    networks: &'a [String],
}

#[derive(Serialize)]
struct ListenerJson<'a> {
    name: &'a str,
    owner: &'a str,
    protocol: String,
    first_port: u16,
    last_port: u16,
    is_assumed: bool,
    at: Option<Place>,
    reached_by: Vec<CellJson<'a>>,
}

#[derive(Serialize)]
struct CellJson<'a> {
    dialler: &'a str,
    addresses: Vec<ContactJson<'a>>,
    is_doubtful: bool,
}

#[derive(Serialize)]
struct ContactJson<'a> {
    address: &'a str,
    seen_as: &'a str,
}
