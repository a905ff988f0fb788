//! What the answers would be under other assumptions: other releases, platforms, backends and orders of start, wherever no
//! file states them.
//!
//! Every combination is looked at: an axis that changes nothing by itself may do so together with another one (the order
//! of start matters with one of firewalld's backends only). To make a dataplane is cheap, to judge a sentence is not:
//! combinations that make the same dataplane are judged once. What stops a packet (`because`) also hangs on what products
//! would make of lines that are missing, so sentences that say it are judged under each.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::fmt::{self, Write};
use std::hash::Hasher;

use crate::dataplane::Dataplane;
use crate::diagnostic::{Diagnosed, Diagnostic};
use crate::lab::{self, Assumption, Defaults, Input, Lab, RuleBackend, Statement};
use crate::language::{Text, text};
use crate::lower::lower;
use crate::net::Version;
use crate::property::parse;
use crate::source::Sources;

use super::parallel::in_parallel;
use super::{Answer, CheckError, briefly};

/// Every sentence under every assumption.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// What was varied.
    pub axes: Vec<Axis>,
    /// One row per readable sentence, in order.
    pub rows: Vec<Row>,
    /// What is wrong with the lab, and with the sentences that have no row.
    pub diagnostics: Vec<Diagnostic>,
}

/// One thing that files may leave open.
#[derive(Clone, Debug)]
pub struct Axis {
    /// `docker`
    pub name: Text,
    /// What was assumed in turn; the first is the default.
    pub values: Vec<Text>,
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

/// What a value is called, and what it changes.
type Values = &'static [(&'static str, Change)];

/// The releases that differ in what they do with a packet, and what else files leave open.
const DOCKER: Values = &[
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
const DOCKER_BACKEND: Values = &[
    ("iptables", |d| d.engine_backend = RuleBackend::Iptables),
    ("nftables", |d| d.engine_backend = RuleBackend::Nftables),
];
const FIREWALLD: Values = &[
    ("2.5.2", |d| d.firewalld = Version::new(2, 5, 2)),
    ("1.3.3", |d| d.firewalld = Version::new(1, 3, 3)),
    ("2.3.1", |d| d.firewalld = Version::new(2, 3, 1)),
];
const FIREWALLD_BACKEND: Values = &[
    ("nftables", |d| d.firewalld_backend = RuleBackend::Nftables),
    ("iptables", |d| d.firewalld_backend = RuleBackend::Iptables),
];
const ORDER: Values = &[("firewalld first", |d| d.engine_first = false), ("docker first", |d| d.engine_first = true)];
const PLATFORM: Values = &[("plain engine", |d| d.desktop = false), ("Docker Desktop", |d| d.desktop = true)];
/// 7.0 has no host-only interfaces on macOS, 7.1 has libslirp behind adapters, 7.2 behind NAT networks, too.
const VIRTUALBOX: Values = &[
    ("6.1.50", |d| d.virtualbox = Some(Version::new(6, 1, 50))),
    ("7.0.26", |d| d.virtualbox = Some(Version::new(7, 0, 26))),
    ("7.1.12", |d| d.virtualbox = Some(Version::new(7, 1, 12))),
    ("7.2.22", |d| d.virtualbox = Some(Version::new(7, 2, 22))),
];

/// An axis, and what each of its values changes.
struct Variation {
    axis: Axis,
    changes: Vec<Change>,
}

/// Judges every sentence of a lab under every combination of assumptions.
///
/// # Errors
/// Only when the two engines disagree, which is a bug of this program.
pub fn matrix(inputs: &[Input], sources: &Sources) -> Result<Matrix, CheckError> {
    let Diagnosed { value: lab, diagnostics } = lab::resolve(inputs);
    let varied = Varied { inputs, sources, variations: variations(&lab) };
    let all = combinations(&varied.variations.iter().map(|v| v.changes.len()).collect::<Vec<_>>());
    let judged_with = first_of_each(&in_parallel(&all, |at| looks(&lower(&varied.lab(at)))));
    let asked: Vec<(usize, &Vec<usize>)> = all.iter().enumerate().collect();
    let answers = in_parallel(&asked, |(number, at)| varied.answers(at, judged_with.get(*number) == Some(number)));
    let answers: Vec<Vec<Judged>> = answers.into_iter().collect::<Result<_, _>>()?;
    let mut matrix = Matrix { axes: Vec::new(), rows: Vec::new(), diagnostics };
    for (index, statement) in lab.sentences.iter().enumerate() {
        let judged = |number: usize| answers.get(number).and_then(|of| of.get(index));
        if let Some(Judged::Unreadable(diagnostic)) = judged(0) {
            matrix.diagnostics.push((**diagnostic).clone());
            continue;
        }
        let answer = |number: usize| match judged(number) {
            Some(Judged::Elsewhere) => judged_with.get(number).and_then(|first| judged(*first)),
            here => here,
        };
        let cells = asked.iter().map(|(number, at)| Cell {
            at: (*at).clone(),
            answer: if let Some(Judged::As(answer)) = answer(*number) { *answer } else { Answer::Undecided },
        });
        matrix.rows.push(row(statement.clone(), cells.collect(), varied.variations.len()));
    }
    matrix.axes = varied.variations.into_iter().map(|variation| variation.axis).collect();
    Ok(matrix)
}

/// What became of a sentence under one combination.
enum Judged {
    As(Answer),
    /// It has the answer of another combination.
    Elsewhere,
    Unreadable(Box<Diagnostic>),
}

struct Varied<'a> {
    inputs: &'a [Input],
    sources: &'a Sources,
    variations: Vec<Variation>,
}

impl Varied<'_> {
    /// The lab under one combination.
    fn lab(&self, at: &[usize]) -> Lab {
        let mut defaults = Defaults::default();
        for (variation, index) in self.variations.iter().zip(at) {
            if let Some(change) = variation.changes.get(*index) {
                change(&mut defaults);
            }
        }
        lab::resolve_with(self.inputs, defaults).value
    }

    /// The answers under one combination; if an earlier one is like it, only those that may differ nevertheless.
    fn answers(&self, at: &[usize], is_first: bool) -> Result<Vec<Judged>, CheckError> {
        let lab = self.lab(at);
        let names_cause = |statement: &Statement| parse(&statement.sentence).is_ok_and(|s| s.cause.is_some());
        let is_asked: Vec<bool> = lab.sentences.iter().map(|s| is_first || names_cause(s)).collect();
        let asked = lab.sentences.iter().zip(&is_asked).filter(|(_, is_asked)| **is_asked);
        let asked: Vec<Statement> = asked.map(|(statement, _)| statement.clone()).collect();
        if asked.is_empty() {
            return Ok(is_asked.iter().map(|_| Judged::Elsewhere).collect());
        }
        let mut answers = briefly(&lab, &lower(&lab), self.sources, &asked)?.into_iter();
        let judged = |is_asked: &bool| match is_asked.then(|| answers.next()).flatten() {
            Some(Ok(answer)) => Judged::As(answer),
            Some(Err(diagnostic)) => Judged::Unreadable(diagnostic),
            None => Judged::Elsewhere,
        };
        Ok(is_asked.iter().map(judged).collect())
    }
}

fn variations(lab: &Lab) -> Vec<Variation> {
    let is_open = |assumption| lab.assumed.contains(&assumption);
    let knows_nftables = lab.hosts.iter().filter_map(|h| h.engine.as_ref()).any(|e| e.version.major >= 29);
    let is_backend_open = is_open(Assumption::EngineBackend) && knows_nftables && !is_open(Assumption::Engine);
    let all = [
        (is_open(Assumption::Platform), text!("platform", "플랫폼"), PLATFORM),
        (is_open(Assumption::Engine), "docker".into(), DOCKER),
        (is_backend_open, text!("docker's backend", "docker 백엔드"), DOCKER_BACKEND),
        (is_open(Assumption::Firewalld), "firewalld".into(), FIREWALLD),
        (is_open(Assumption::FirewalldBackend), text!("firewalld's backend", "firewalld 백엔드"), FIREWALLD_BACKEND),
        (is_open(Assumption::Order), text!("order of start", "시작 순서"), ORDER),
    ];
    let open = all.into_iter().filter(|(is_open, ..)| *is_open);
    open.map(|(_, name, values)| variation(name, values)).chain(of_virtualbox(lab)).collect()
}

fn variation(name: Text, values: Values) -> Variation {
    let axis = Axis { name, values: values.iter().map(|(value, _)| value_text(value)).collect() };
    Variation { axis, changes: values.iter().map(|(_, change)| *change).collect() }
}

/// Releases are called the same everywhere.
fn value_text(value: &str) -> Text {
    match value {
        "29.7.2 on nftables" => Text::new("29.7.2 on nftables", "29.7.2(nftables)"),
        "firewalld first" => Text::new("firewalld first", "firewalld 먼저"),
        "docker first" => Text::new("docker first", "docker 먼저"),
        "plain engine" => Text::new("plain engine", "일반 엔진"),
        other => other.into(),
    }
}

/// What is assumed of VirtualBox is not the same for every machine.
fn of_virtualbox(lab: &Lab) -> Option<Variation> {
    let assumed = lab.assumed.iter().filter_map(|assumption| match assumption {
        Assumption::VirtualBox(version) => Some(version.to_string()),
        _ => None,
    });
    let assumed: Vec<String> = assumed.collect();
    let default = assumed.join(" | ");
    let mut all = variation("VirtualBox".into(), VIRTUALBOX);
    let is_other = |value: &Text| *value != default.as_str();
    let others = all.axis.values.iter().zip(&all.changes).filter(|(value, _)| is_other(value));
    let (values, changes): (Vec<Text>, Vec<Change>) = others.map(|(value, change)| (value.clone(), *change)).unzip();
    all.axis.values = [vec![default.into()], values].concat();
    all.changes = [vec![(|_| {}) as Change], changes].concat();
    (!assumed.is_empty()).then_some(all)
}

/// Every choice of one value on each axis; the defaults come first.
fn combinations(counts: &[usize]) -> Vec<Vec<usize>> {
    counts.iter().fold(vec![Vec::new()], |chosen, count| {
        let longer = |at: &Vec<usize>| {
            let at = at.clone();
            (0..*count).map(move |index| [at.as_slice(), &[index]].concat())
        };
        chosen.iter().flat_map(longer).collect()
    })
}

/// What a dataplane does, without what explains it, as a number that hardly two different ones have.
fn looks(dataplane: &Dataplane) -> u64 {
    let mut hashed = Hashed(DefaultHasher::new());
    let _ = write!(hashed, "{:?} {:?}", dataplane.nodes, dataplane.links);
    for (id, switch) in dataplane.switches.iter() {
        let _ = write!(hashed, "{id:?} {} {:?}", switch.default, switch.kind);
    }
    hashed.0.finish()
}

struct Hashed(DefaultHasher);

impl Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// For every item the place of the first that is the same.
fn first_of_each(items: &[u64]) -> Vec<usize> {
    let mut first: HashMap<u64, usize> = HashMap::new();
    items.iter().enumerate().map(|(index, item)| *first.entry(*item).or_insert(index)).collect()
}

/// Keeps the axes that decide the answer: those along which two neighbours differ.
fn row(statement: Statement, cells: Vec<Cell>, axes: usize) -> Row {
    let without = |at: &[usize], axis: usize| -> Vec<usize> {
        at.iter().enumerate().filter(|(index, _)| *index != axis).map(|(_, value)| *value).collect()
    };
    let decides = |axis: &usize| {
        let mut known: HashMap<Vec<usize>, Answer> = HashMap::new();
        cells.iter().any(|cell| *known.entry(without(&cell.at, *axis)).or_insert(cell.answer) != cell.answer)
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
