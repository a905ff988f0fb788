//! Predictions equal reality: every row that real daemons produced is predicted, or listed in `known.tsv`.

mod page;
pub(crate) mod predict;
mod recorded;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use self::page::{Page, Phase, Row, STACKS, Stack};
use self::predict::Prediction;

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

/// What is wrong about the predictions for one phase on one stack.
fn differences(page: &Page, phase: &Phase, stack: &Stack) -> Vec<(Key, String)> {
    let rows: Vec<(&Row, &String)> = phase.rows_of(stack).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let lab = predict::Model::of(&phase.files_on(stack));
    rows.into_iter()
        .filter_map(|(row, recorded)| {
            let predicted = match lab.predict(&row.from, &row.protocol, &row.place) {
                Prediction::Seen(seen) if seen == *recorded => return None,
                Prediction::Seen(seen) => seen,
                Prediction::Impossible(why) => why,
            };
            let key = [&page.name, &phase.label, stack.tag, &row.from, &row.dialed()].map(|part: &str| part.to_owned());
            Some((key, format!("predicted `{predicted}`, recorded `{recorded}`")))
        })
        .collect()
}

#[test]
fn every_row_of_every_recorded_scenario_is_predicted() {
    let only = std::env::var("REALITY").unwrap_or_default();
    let mut known = known();
    let mut complaints = String::new();
    let (mut all, mut different) = (0, 0);
    for page in pages().iter().filter(|page| page.name.contains(&only)) {
        for (phase, stack) in page.phases.iter().flat_map(|p| STACKS.iter().map(move |s| (p, s))) {
            all += phase.rows_of(stack).count();
            for (key, what) in differences(page, phase, stack) {
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

#[test]
fn the_solver_finds_exactly_the_rows_that_the_interpreter_sees_succeed() {
    let only = std::env::var("REALITY").unwrap_or_default();
    for page in pages().iter().filter(|page| page.name.contains(&only)) {
        for (phase, stack) in page.phases.iter().flat_map(|p| STACKS.iter().map(move |s| (p, s))) {
            let model = predict::Model::of(&phase.files_on(stack));
            for (row, _) in phase.rows_of(stack) {
                let (interpreted, found) = model.succeeds(row);
                let (page, phase, tag) = (&page.name, &phase.label, stack.tag);
                assert_eq!(interpreted, found, "{page} {phase} {tag}: {} dials {}", row.from, row.dialed());
            }
        }
    }
}
