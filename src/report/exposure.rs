//! The matrix of who can reach what: a table for people, CSV and JSON for programs.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::check::{Class, Exposure, Listener, called};
use crate::language::text;
use crate::source::Sources;

use super::Style;
use super::json::{self, FORMAT, Place};
use super::part::{PartJson, who};

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
        let nothing =
            text!("nothing in this lab is known to listen\n", "이 랩에서 대기하는 것으로 알려진 프로그램이 없습니다\n");
        return style.say(&nothing).to_owned();
    }
    let grid = grid(exposure, style);
    let legend = if grid.legend.is_empty() { String::new() } else { format!("\n{}\n", grid.legend.join("\n")) };
    drawn(&grid.rows, style) + &legend
}

/// The matrix as cells of text, the first row with the titles, and what is to be said below it.
pub(super) struct Grid {
    pub(super) rows: Vec<Vec<String>>,
    pub(super) legend: Vec<String>,
}

/// The cells of the table.
pub(super) fn grid(exposure: &Exposure, style: Style) -> Grid {
    let columns: Vec<Column> = columns(exposure, style)
        .into_iter()
        .filter(|c| (0..exposure.listeners.len()).any(|row| !is_empty(exposure, c, row)))
        .collect();
    let mut rows = vec![header(&columns, style)];
    for (index, listener) in exposure.listeners.iter().enumerate() {
        let assumed = if listener.is_assumed() { " *" } else { "" };
        let cells = columns.iter().map(|column| cell(exposure, column, index, style));
        rows.push(std::iter::once(format!("{}{assumed}", listener.name)).chain(cells).collect());
    }
    Grid { rows, legend: legend(exposure, &columns, style) }
}

fn header(columns: &[Column], style: Style) -> Vec<String> {
    std::iter::once(style.say(&text!("LISTENS", "대기")).to_owned())
        .chain(columns.iter().map(|c| c.title.clone()))
        .collect()
}

/// The shortest address, and how many more there are; `?` where something that is not modelled decides.
fn cell(exposure: &Exposure, column: &Column, row: usize, style: Style) -> String {
    let Some(member) = column.members.iter().find(|member| !exposure.is_own(**member, row)) else {
        return style.say(&text!("itself", "자신")).to_owned();
    };
    let addresses = exposure.addresses(*member, row);
    let part = if exposure.part(*member, row).is_some() { "~" } else { "" };
    let doubt = format!("{part}{}", if exposure.is_doubtful(*member, row) { "?" } else { "" });
    match addresses.as_slice() {
        [] => doubt,
        [(one, _)] => format!("{one}{doubt}"),
        [(first, _), more @ ..] => format!("{first} +{}{doubt}", more.len()),
    }
}

/// Whether a column has nothing to say about a listener.
fn is_empty(exposure: &Exposure, column: &Column, row: usize) -> bool {
    let other = column.members.iter().find(|member| !exposure.is_own(**member, row));
    other.is_none_or(|other| exposure.contacts(*other, row).next().is_none() && !exposure.is_doubtful(*other, row))
}

fn columns(exposure: &Exposure, style: Style) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for members in exposure.groups() {
        let Some(first) = members.first().copied() else { continue };
        let Some(dialler) = exposure.diallers.get(first) else { continue };
        let joins = |column: &&mut Column| {
            let Some(other) = column.members.first().copied() else { return false };
            matches!(dialler.class, Class::Container(_))
                && exposure.diallers.get(other).map(|d| &d.class) == Some(&dialler.class)
                && reach_the_same(exposure, other, first)
        };
        match columns.iter_mut().find(joins) {
            Some(column) => column.members.extend(members),
            None => columns.push(Column { title: style.say(&called(&dialler.name)).to_owned(), members }),
        }
    }
    for column in &mut columns {
        if let (Some(Class::Container(networks)), [_, _, ..]) = (
            column.members.first().and_then(|m| exposure.diallers.get(*m)).map(|d| d.class.clone()),
            column.members.as_slice(),
        ) {
            let all = exposure.diallers.iter().filter(|d| d.class == Class::Container(networks.clone())).count();
            let on = match networks.is_empty() {
                true => text!("no network", "네트워크 없음"),
                false => networks.join("+").into(),
            };
            let number = column.members.len();
            let title = match number == all {
                true => text!("on {on}", "{on}의 전부"; on),
                false => text!("{number} on {on}", "{on}의 {number}개"; on),
            };
            column.title = style.say(&title).to_owned();
        }
    }
    columns
}

fn reach_the_same(exposure: &Exposure, a: usize, b: usize) -> bool {
    let addresses = |dialler, row| {
        exposure.contacts(dialler, row).flat_map(|c| c.addresses().map(|address| (address, c.is_doubtful)))
    };
    (0..exposure.listeners.len())
        .filter(|row| !exposure.is_own(a, *row) && !exposure.is_own(b, *row))
        .all(|row| addresses(a, row).eq(addresses(b, row)))
}

fn drawn(rows: &[Vec<String>], style: Style) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width - cell.width() + 2);
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
fn legend(exposure: &Exposure, columns: &[Column], style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for column in columns.iter().filter(|c| c.members.len() > 1) {
        let names: Vec<&str> =
            column.members.iter().filter_map(|m| exposure.diallers.get(*m)).map(|d| d.name.as_str()).collect();
        let shown = names.get(..8.min(names.len())).unwrap_or_default().join(", ");
        let title = &column.title;
        let line = match names.len().saturating_sub(8) {
            0 => format!("{title}: {shown}").into(),
            more => text!("{title}: {shown} and {more} more", "{title}: {shown} 외 {more}개"),
        };
        lines.push(style.say(&line).to_owned());
    }
    let left_out: Vec<String> = (0..exposure.diallers.len())
        .filter(|index| !columns.iter().any(|c| c.members.contains(index)))
        .filter_map(|index| exposure.diallers.get(index))
        .map(|d| style.say(&called(&d.name)).to_owned())
        .collect();
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        lines.push(style.say(&text!("reach nothing: {names}", "아무 데도 연결할 수 없음: {names}")).to_owned());
    }
    if exposure.listeners.iter().any(Listener::is_assumed) {
        let assumed = text!(
            "* nothing says that it listens there; assumed from its image",
            "* 거기서 대기한다는 말은 어디에도 없으며, 이미지로 미루어 가정한 것"
        );
        lines.push(style.say(&assumed).to_owned());
    }
    if (0..exposure.diallers.len()).any(|d| (0..exposure.listeners.len()).any(|l| exposure.is_doubtful(d, l))) {
        let doubtful = text!(
            "? depends on something that is not modelled; `canreach check` names it",
            "? 모델에 없는 것에 달려 있음. 무엇인지는 `canreach check`로 볼 수 있음"
        );
        lines.push(style.say(&doubtful).to_owned());
    }
    for (row, listener) in exposure.listeners.iter().enumerate() {
        for (column, dialler) in exposure.diallers.iter().enumerate() {
            let Some(part) = exposure.part(column, row) else { continue };
            let (who, to, part) = (called(&dialler.name), &listener.name, who(Some(&part)));
            lines.push(style.say(&text!("~ {who} → {to}: {part}", "~ {who} → {to}: {part}"; who, part)).to_owned());
        }
    }
    let unsure =
        |reason: &String| style.say(&text!("there may be more: {reason}", "더 있을 수 있음: {reason}")).to_owned();
    lines.extend(exposure.unsure.iter().map(unsure));
    lines
}

/// The matrix as CSV (RFC 4180): one row per listener, one column per group of diallers, addresses separated by blanks.
pub fn csv(exposure: &Exposure) -> String {
    let groups = exposure.groups();
    let titles: Vec<String> = groups.iter().map(|group| names(exposure, group).join(" ")).collect();
    let mut text = csv_row(std::iter::once("listens").chain(titles.iter().map(String::as_str)));
    for (row, listener) in exposure.listeners.iter().enumerate() {
        let other = |group: &Vec<usize>| group.iter().copied().find(|member| !exposure.is_own(*member, row));
        let cell = |group| other(group).map_or_else(String::new, |dialler| csv_cell(exposure, dialler, row));
        let cells: Vec<String> = groups.iter().map(cell).collect();
        text += &csv_row(std::iter::once(listener.name.as_str()).chain(cells.iter().map(String::as_str)));
    }
    text
}

fn names<'a>(exposure: &'a Exposure, group: &[usize]) -> Vec<&'a str> {
    group.iter().filter_map(|dialler| exposure.diallers.get(*dialler)).map(|d| d.name.as_str()).collect()
}

fn csv_cell(exposure: &Exposure, dialler: usize, row: usize) -> String {
    let mut words: Vec<&str> = exposure.addresses(dialler, row).into_iter().map(|(address, _)| address).collect();
    let part = exposure.part(dialler, row).map(|part| format!("({})", who(Some(&part))));
    words.extend(part.as_deref());
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
    let groups = exposure.groups();
    let diallers = groups.iter().filter_map(|group| {
        let d = exposure.diallers.get(*group.first()?)?;
        Some(DiallerJson {
            name: &d.name,
            likewise: names(exposure, group.get(1..)?),
            class: match d.class {
                Class::Internet => "internet",
                Class::Lan => "lan",
                Class::Host => "host",
                Class::Vm => "vm",
                Class::Container(_) => "container",
            },
            networks: if let Class::Container(networks) = &d.class { networks } else { &[] },
        })
    });
    let listeners = exposure.listeners.iter().enumerate().map(|(row, l)| ListenerJson {
        name: &l.name,
        owner: &l.owner,
        protocol: l.protocol.to_string(),
        first_port: l.ports.first,
        last_port: l.ports.last,
        is_assumed: l.is_assumed(),
        at: l.origin.span().map(|span| Place::of(sources, span)),
        reached_by: reached_by(exposure, &groups, row),
    });
    json::document(&ExposureDocument {
        format: FORMAT,
        diallers: diallers.collect(),
        listeners: listeners.collect(),
        unsure: &exposure.unsure,
    })
}

/// One cell for every group, in the name of its first member that is not the listener itself.
fn reached_by<'a>(exposure: &'a Exposure, groups: &[Vec<usize>], row: usize) -> Vec<CellJson<'a>> {
    let cell = |group: &Vec<usize>| {
        let dialler = group.iter().copied().find(|member| !exposure.is_own(*member, row))?;
        let addresses = exposure.addresses(dialler, row);
        let addresses: Vec<ContactJson<'a>> =
            addresses.into_iter().map(|(address, seen_as)| ContactJson { address, seen_as }).collect();
        let is_doubtful = exposure.is_doubtful(dialler, row);
        let part = exposure.part(dialler, row).as_ref().map(PartJson::of);
        Some(CellJson { dialler: &exposure.diallers.get(dialler)?.name, addresses, part, is_doubtful })
    };
    groups.iter().filter_map(cell).filter(|c| !c.addresses.is_empty() || c.is_doubtful).collect()
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
    /// Those that reach the same, but for the programs of each.
    likewise: Vec<&'a str>,
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
    part: Option<PartJson>,
    is_doubtful: bool,
}

#[derive(Serialize)]
struct ContactJson<'a> {
    address: &'a str,
    seen_as: &'a str,
}
