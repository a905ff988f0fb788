//! Predictions equal reality: every row that real daemons produced is predicted, or listed in `known.tsv`.

mod page;
pub(crate) mod predict;
mod recorded;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use self::page::{Page, Phase, Row, STACKS, Stack};
use self::predict::{Model, Prediction};

/// Scenario, phase, stack, dialling node, what it dialled.
type Key = [String; 5];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reality")
}

fn pages() -> Vec<Page> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory().join("pages")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| Page::read(&fs::read_to_string(path).unwrap())).collect()
}

/// Rows that are known to be predicted wrongly, with the reason.
fn known() -> BTreeMap<Key, String> {
    let text = fs::read_to_string(directory().join("known.tsv")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [scenario, phase, stack, from, to, reason] = fields.as_slice() else {
                panic!("known.tsv: a line has six fields: {line}")
            };
            ([*scenario, *phase, *stack, *from, *to].map(str::to_owned), (*reason).to_owned())
        })
        .collect()
}

/// What is wrong about a model's predictions for one phase on one stack.
fn differences(model: &Model, page: &Page, phase: &Phase, stack: &Stack) -> Vec<(Key, String)> {
    let mut full_queues = BTreeSet::new();
    let mut wrong = Vec::new();
    for (row, recorded) in phase.rows_of(stack) {
        // The rows were dialled in this order.
        let queue = model.waits_at(row).filter(|_| stack.has_queue_of_one());
        let predicted = match model.predict(&row.from, &row.protocol, &row.place) {
            _ if queue.is_some_and(|port| !full_queues.insert(port)) => "timed out".to_owned(),
            Prediction::Seen(seen) => seen,
            Prediction::Impossible(why) => why,
        };
        if predicted != *recorded {
            let key = [&page.name, &phase.label, stack.tag, &row.from, &row.dialed()].map(|part: &str| part.to_owned());
            wrong.push((key, format!("predicted `{predicted}`, recorded `{recorded}`")));
        }
    }
    wrong
}

#[test]
fn every_row_of_every_recorded_scenario_is_predicted() {
    let only = std::env::var("REALITY").unwrap_or_default();
    let mut known = known();
    let mut complaints = String::new();
    let (mut all, mut different) = (0, 0);
    for page in pages().iter().filter(|page| page.name.contains(&only)) {
        for (phase, stack) in page.phases.iter().flat_map(|p| STACKS.iter().map(move |s| (p, s))) {
            let rows = phase.rows_of(stack).count();
            if rows == 0 {
                continue;
            }
            all += rows;
            for (key, what) in differences(&Model::of(&phase.files_on(stack)), page, phase, stack) {
                different += 1;
                if known.remove(&key).is_none() {
                    writeln!(complaints, "{}\t{what}", key.join("\t")).unwrap();
                }
            }
        }
    }
    for (key, reason) in known.iter().filter(|(key, _)| key[0].contains(&only)) {
        writeln!(complaints, "{}\tis listed as different ({reason}) but is predicted as recorded", key.join("\t"))
            .unwrap();
    }
    assert!(complaints.is_empty(), "{all} rows, {different} predicted otherwise\n{complaints}");
    assert!(!only.is_empty() || all == 6946, "{all} rows");
}

/// dockerd puts its rules back up to a second after firewalld has reloaded. A row that is listed because it was recorded
/// within that second has no one value: the phase after it, for which nobody did anything, has the predicted one.
#[test]
fn rows_that_are_predicted_otherwise_were_seen_both_ways() {
    let pages = pages();
    for (key, reason) in known() {
        let [name, label, tag, ..] = &key;
        let page = pages.iter().find(|page| page.name == *name).unwrap();
        let at = page.phases.iter().position(|phase| phase.label == *label).unwrap();
        let (phase, later) = (&page.phases[at], &page.phases[at + 1]);
        assert_eq!(phase.files, later.files, "{key:?}: {reason}");
        let stack = STACKS.iter().find(|stack| stack.tag == *tag).unwrap();
        let of_key = |(row, _): &(&Row, &String)| row.from == key[3] && row.dialed() == key[4];
        let seen = |phase: &Phase| phase.rows_of(stack).find(of_key).map(|(_, seen)| seen.clone()).unwrap();
        assert_ne!(seen(phase), seen(later), "{key:?}: {reason}");
    }
}

#[test]
fn the_solver_finds_exactly_the_rows_that_the_interpreter_sees_succeed() {
    let only = std::env::var("REALITY").unwrap_or_default();
    for page in pages().iter().filter(|page| page.name.contains(&only)) {
        for (phase, stack) in page.phases.iter().flat_map(|p| STACKS.iter().map(move |s| (p, s))) {
            let model = Model::of(&phase.files_on(stack));
            for (row, _) in phase.rows_of(stack) {
                let (interpreted, found) = model.succeeds(row);
                let (page, phase, tag) = (&page.name, &phase.label, stack.tag);
                assert_eq!(interpreted, found, "{page} {phase} {tag}: {} dials {}", row.from, row.dialed());
            }
        }
    }
}
