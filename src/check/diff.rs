//! What a change of the files opens and closes: two matrices of who can reach what, compared by name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::dataplane::{Dataplane, Flow, Symptom};
use crate::eval;
use crate::smt::AddressSet;

use super::blame;
use super::crowd::Part;
use super::exposure::{Contact, Exposure};
use super::verdict::Blocker;

/// One of the two labs.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What it does with packets.
    pub dataplane: &'a Dataplane,
    /// Who can reach what in it.
    pub exposure: &'a Exposure,
}

/// What became of a cell of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing worked before, something does now.
    Opened,
    /// Something worked before, nothing does now.
    Closed,
    /// Other addresses work, or the listener sees another client.
    Changed,
}

/// A cell that is not the same in both labs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What became of it.
    pub change: Change,
    /// Who dials.
    pub dialler: String,
    /// What listens.
    pub listener: String,
    /// In the old lab.
    pub old: Side,
    /// In the new lab.
    pub new: Side,
}

/// One cell in one lab, with the lines that make it so.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// What works, and whom the listener sees.
    pub addresses: BTreeMap<String, String>,
    /// What the person who dials the other lab's address sees here; nothing if the dialler is not in this lab.
    pub symptom: Option<Symptom>,
    /// Why: the lines that let it through, or what stops it.
    pub lines: Vec<Blocker>,
    /// Who of a crowd, where it is not everybody.
    pub part: Option<Part>,
}

/// Every cell that differs, by listener and dialler.
pub fn diff(old: View<'_>, new: View<'_>) -> Vec<Difference> {
    let (before, after) = (cells(old), cells(new));
    let keys: BTreeSet<Key<'_>> = before.keys().chain(after.keys()).copied().collect();
    let nobody = Cell::default();
    keys.into_iter()
        .filter_map(|key| {
            let (a, b) = (before.get(&key).unwrap_or(&nobody), after.get(&key).unwrap_or(&nobody));
            difference((old, new), key, a, b)
        })
        .collect()
}

/// Names of a listener and a dialler.
type Key<'a> = (&'a str, &'a str);

/// What one dialler does with one listener.
#[derive(Default)]
struct Cell<'a> {
    contacts: Vec<&'a Contact>,
    /// Who of a crowd.
    part: Option<Part>,
    from: Option<AddressSet>,
}

fn cells(view: View<'_>) -> BTreeMap<Key<'_>, Cell<'_>> {
    let mut cells: BTreeMap<Key<'_>, Cell<'_>> = BTreeMap::new();
    let exposure = view.exposure;
    for (row, listener) in exposure.listeners.iter().enumerate() {
        for (column, dialler) in exposure.diallers.iter().enumerate() {
            let contacts: Vec<&Contact> = exposure.contacts(column, row).collect();
            if !contacts.is_empty() {
                let (part, from) = (exposure.part(column, row), exposure.reached_from(column, row));
                cells.insert((&listener.name, &dialler.name), Cell { contacts, part, from });
            }
        }
    }
    cells
}

fn difference(
    (old, new): (View<'_>, View<'_>),
    (listener, dialler): Key<'_>,
    before: &Cell<'_>,
    after: &Cell<'_>,
) -> Option<Difference> {
    let is_as_before = addresses(&before.contacts) == addresses(&after.contacts);
    if is_as_before && before.part == after.part {
        return None;
    }
    let (change, old, new) = match (before.contacts.first(), after.contacts.first()) {
        (None, Some(contact)) => (Change::Opened, failing(old, dialler, contact), working(new, after)),
        (Some(contact), None) => (Change::Closed, working(old, before), failing(new, dialler, contact)),
        (Some(was), Some(is)) if is_as_before => {
            let lost = stopped(new, was, before, after).unwrap_or_else(|| working(new, after));
            let won = stopped(old, is, after, before).unwrap_or_else(|| working(old, before));
            let side = |side, part: &Cell<'_>| Side { part: part.part.clone(), ..side };
            (Change::Changed, side(won, before), side(lost, after))
        }
        _ => (
            Change::Changed,
            Side { part: before.part.clone(), ..working_with(old, &others(&before.contacts, &after.contacts)) },
            Side { part: after.part.clone(), ..working_with(new, &others(&after.contacts, &before.contacts)) },
        ),
    };
    Some(Difference { change, dialler: dialler.to_owned(), listener: listener.to_owned(), old, new })
}

/// What stops in this lab a member of a crowd that gets through in the other; nothing if nobody is known to be stopped.
fn stopped(view: View<'_>, there: &Contact, other: &Cell<'_>, here: &Cell<'_>) -> Option<Side> {
    let missing = other.from.as_ref()?.minus(here.from.as_ref()?);
    let (source, _) = missing.stretches().next()?;
    let flow = Flow { source: Some(source), ..there.trace.flow };
    let trace = eval::trace(view.dataplane, &flow, &view.dataplane.switches.defaults());
    let lines = blame::last_steps(view.dataplane, &trace);
    Some(Side { addresses: addresses(&here.contacts), symptom: Some(trace.outcome.symptom), lines, part: None })
}

fn addresses(contacts: &[&Contact]) -> BTreeMap<String, String> {
    let seen = |c: &Contact| c.addresses().map(|address| (address.to_owned(), c.seen.clone())).collect::<Vec<_>>();
    contacts.iter().flat_map(|c| seen(c)).collect()
}

/// The contacts of one side, those that the other side has not first: they are what is to be explained.
fn others<'a>(of: &[&'a Contact], than: &[&Contact]) -> Vec<&'a Contact> {
    let is_common = |c: &&Contact| than.iter().any(|other| (&other.address, &other.seen) == (&c.address, &c.seen));
    let mut all = of.to_vec();
    all.sort_by_key(is_common);
    all
}

fn working(view: View<'_>, cell: &Cell<'_>) -> Side {
    Side { part: cell.part.clone(), ..working_with(view, &cell.contacts) }
}

fn working_with(view: View<'_>, contacts: &[&Contact]) -> Side {
    let lines = contacts.first().map(|c| blame::letting_in(view.dataplane, &c.trace)).unwrap_or_default();
    Side { addresses: addresses(contacts), symptom: Some(Symptom::Works), lines, part: None }
}

/// What happens in this lab to the connection that succeeds in the other one.
fn failing(view: View<'_>, dialler: &str, contact: &Contact) -> Side {
    let Some(dialler) = view.exposure.diallers.iter().find(|d| d.name == dialler) else { return Side::default() };
    let flow = contact.trace.flow;
    let node = view.dataplane.node(dialler.node);
    let host = contact.address.rsplit_once(':').map_or("", |(host, _)| host);
    let resolved = node.names.iter().find(|n| n.name == host).map(|n| n.address);
    let is_name = host.parse::<IpAddr>().is_err() && !host.starts_with('[');
    let destination = match resolved {
        Some(address) => address,
        None if is_name => return Side { symptom: Some(Symptom::NameNotResolved), ..Side::default() },
        None => flow.destination,
    };
    let flow = Flow { from: dialler.node, destination, ..flow };
    let trace = eval::trace(view.dataplane, &flow, &view.dataplane.switches.defaults());
    let lines = blame::last_steps(view.dataplane, &trace);
    Side { addresses: BTreeMap::new(), symptom: Some(trace.outcome.symptom), lines, part: None }
}
