//! What the answers would be under other assumptions: other releases, backends and orders of start, wherever no file
//! states them.

use crate::lab::{self, Defaults, Input, Lab, RuleBackend, Statement};
use crate::lower::lower;
use crate::net::Version;
use crate::source::Sources;

use super::{Answer, CheckError, Judgement, check_all};

/// Every sentence under every assumption.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// What was varied.
    pub axes: Vec<Axis>,
    /// One row per readable sentence, in order.
    pub rows: Vec<Row>,
}

/// One thing that files may leave open.
#[derive(Clone, Debug)]
pub struct Axis {
    /// `docker`
    pub name: &'static str,
    /// What was assumed in turn; the first is the default.
    pub values: Vec<String>,
}

/// A sentence.
#[derive(Clone, Debug)]
pub struct Row {
    /// The sentence.
    pub statement: Statement,
    /// Its answers, one for each combination of the axes that decide it.
    pub cells: Vec<Cell>,
    /// Indices of the axes that decide the answer.
    pub axes: Vec<usize>,
}

/// An answer under certain assumptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// One index into the values of each axis of the row.
    pub at: Vec<usize>,
    /// The answer there.
    pub answer: Answer,
}

type Change = fn(&mut Defaults);

/// The lab under one combination of assumptions.
struct Run {
    at: Vec<usize>,
    judgements: Vec<Judgement>,
}

/// The releases that differ in what they do with a packet, and what else files leave open.
const DOCKER: &[(&str, Change)] = &[
    ("28.5.2", |d| d.engine = Version::new(28, 5, 2)),
    ("20.10.24", |d| d.engine = Version::new(20, 10, 24)),
    ("24.0.9", |d| d.engine = Version::new(24, 0, 9)),
    ("26.1.5", |d| d.engine = Version::new(26, 1, 5)),
    ("27.5.1", |d| d.engine = Version::new(27, 5, 1)),
    ("29.7.2", |d| d.engine = Version::new(29, 7, 2)),
    ("29.7.2 on nftables", |d| {
        d.engine = Version::new(29, 7, 2);
        d.engine_backend = RuleBackend::Nftables;
    }),
];
const FIREWALLD: &[(&str, Change)] = &[
    ("2.5.2", |d| d.firewalld = Version::new(2, 5, 2)),
    ("1.3.3", |d| d.firewalld = Version::new(1, 3, 3)),
    ("2.3.1", |d| d.firewalld = Version::new(2, 3, 1)),
];
const BACKEND: &[(&str, Change)] = &[
    ("nftables", |d| d.firewalld_backend = RuleBackend::Nftables),
    ("iptables", |d| d.firewalld_backend = RuleBackend::Iptables),
];
const ORDER: &[(&str, Change)] =
    &[("firewalld first", |d| d.engine_first = false), ("docker first", |d| d.engine_first = true)];

/// Judges every sentence of a lab under every combination of assumptions that could matter to it.
///
/// # Errors
/// Only when the two engines disagree, which is a bug of this program.
pub fn matrix(inputs: &[Input], sources: &Sources) -> Result<Matrix, CheckError> {
    let axes = axes(&lab::resolve(inputs).value);
    let mut runs: Vec<Run> = Vec::new();
    for at in combinations(&axes) {
        let mut defaults = Defaults::default();
        for ((_, values), index) in axes.iter().zip(&at) {
            if let Some((_, change)) = values.get(*index) {
                change(&mut defaults);
            }
        }
        let lab = lab::resolve_with(inputs, defaults).value;
        let checked = check_all(&lab, &lower(&lab), sources, &lab.sentences)?;
        runs.push(Run { at, judgements: checked.judgements });
    }
    let judged = runs.first().map(|run| run.judgements.as_slice()).unwrap_or_default();
    let rows = judged.iter().enumerate().map(|(index, judgement)| {
        let cell = |run: &Run| {
            run.judgements.get(index).map(|judged| Cell { at: run.at.clone(), answer: judged.verdict.answer })
        };
        row(judgement.statement.clone(), runs.iter().filter_map(cell).collect(), axes.len())
    });
    let named = |(name, values): &(&'static str, &[(&str, Change)])| Axis {
        name,
        values: values.iter().map(|(value, _)| (*value).to_owned()).collect(),
    };
    Ok(Matrix { rows: rows.collect(), axes: axes.iter().map(named).collect() })
}

fn axes(lab: &Lab) -> Vec<(&'static str, &'static [(&'static str, Change)])> {
    let has_engine = lab.hosts.iter().any(|h| h.engine.is_some());
    let has_firewalld = lab.hosts.iter().any(|h| h.firewalld.is_some());
    let has_both = lab.hosts.iter().any(|h| h.engine.is_some() && h.firewalld.is_some());
    let all = [
        (has_engine, "docker", DOCKER),
        (has_firewalld, "firewalld", FIREWALLD),
        (has_firewalld, "firewalld's backend", BACKEND),
        (has_both, "order of start", ORDER),
    ];
    all.into_iter().filter(|(is_there, ..)| *is_there).map(|(_, name, values)| (name, values)).collect()
}

/// Every choice of one value on each axis; the defaults come first.
fn combinations<T>(axes: &[(&str, &[T])]) -> Vec<Vec<usize>> {
    axes.iter().fold(vec![Vec::new()], |chosen, (_, values)| {
        let longer = |at: &Vec<usize>| {
            let at = at.clone();
            (0..values.len()).map(move |index| [at.as_slice(), &[index]].concat())
        };
        chosen.iter().flat_map(longer).collect()
    })
}

/// Keeps the axes that decide the answer: those along which two neighbours differ.
fn row(statement: Statement, cells: Vec<Cell>, axes: usize) -> Row {
    let without = |at: &[usize], axis: usize| -> Vec<usize> {
        at.iter().enumerate().filter(|(index, _)| *index != axis).map(|(_, value)| *value).collect()
    };
    let decides = |axis: &usize| {
        cells
            .iter()
            .any(|a| cells.iter().any(|b| a.answer != b.answer && without(&a.at, *axis) == without(&b.at, *axis)))
    };
    let axes: Vec<usize> = (0..axes).filter(decides).collect();
    let mut kept: Vec<Cell> = Vec::new();
    for cell in cells {
        let at: Vec<usize> = axes.iter().filter_map(|axis| cell.at.get(*axis).copied()).collect();
        if !kept.iter().any(|known| known.at == at) {
            kept.push(Cell { at, answer: cell.answer });
        }
    }
    Row { statement, cells: kept, axes }
}
