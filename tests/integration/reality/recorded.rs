//! Recorded rule sets in place of those that the front-ends would generate: what netfilter does with them must come to the
//! same rows. This checks the semantics of rules on its own.
//!
//! The recordings lie beside the repository (`../shared/oracle`); where they do not, nothing is checked here. A selection is in
//! `tests/reality/rulesets`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::page::{Page, Phase, STACKS, Stack};
use super::predict::{Model, Prediction};
use super::{Key, pages};

/// How a recorded rule set is given to the host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    /// What `nft list ruleset` printed, tables of iptables included.
    Nft,
    /// That, and over it what `iptables-save` printed.
    Both,
}

fn oracle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracle")
}

/// The rule sets that were saved while a scenario was in the state of one of its probes: label of the probe, name.
fn saved(scenario: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(scenario).unwrap();
    let json: String = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let scenario: Value = serde_json::from_str(&json).unwrap();
    let mut state = 0;
    let (mut saves, mut probes) = (Vec::new(), Vec::new());
    for step in scenario["steps"].as_array().unwrap() {
        match step["do"].as_str().unwrap() {
            "save" if step["cmds"].is_null() => saves.push((state, step["as"].as_str().unwrap().to_owned())),
            "probe" => probes.push((state, step["label"].as_str().unwrap_or("").to_owned())),
            "save" | "listen" | "unlisten" | "adopt" => {}
            "sh" if step["cmd"].as_str().unwrap().starts_with("sleep ") => {}
            _ => state += 1,
        }
    }
    let of_state = |at: usize| probes.iter().filter(move |(state, _)| *state == at).map(|(_, label)| label.clone());
    saves.into_iter().flat_map(|(at, name)| of_state(at).map(move |label| (label, name.clone()))).collect()
}

/// The parts of a recording, by the command that printed them.
fn parts(recording: &str) -> BTreeMap<String, String> {
    let sections = recording.split("##### ").skip(1);
    sections.filter_map(|section| section.split_once('\n')).map(|(of, text)| (of.to_owned(), text.to_owned())).collect()
}

fn with_rules(phase: &Phase, stack: &Stack, recording: &str, given: Given) -> BTreeMap<String, String> {
    let mut files = phase.files_on(stack);
    let mut parts = parts(recording);
    let names = if given == Given::Nft { "rules.nft" } else { "rules.v4, rules.nft" };
    let lab = files.get_mut("lab.yaml").unwrap();
    *lab = lab.replacen("    files:", &format!("    rules: [{names}]\n    files:"), 1);
    files.insert("rules.nft".to_owned(), parts.remove("nft -s list ruleset").unwrap());
    if given == Given::Both {
        files.insert("rules.v4".to_owned(), format!("*filter\nCOMMIT\n{}", parts.remove("iptables-save").unwrap()));
    }
    files
}

/// What is wrong about the predictions for one phase on one stack, and how many rows were looked at.
fn differences(
    page: &Page,
    phase: &Phase,
    stack: &Stack,
    recording: &str,
    given: Given,
) -> (usize, Vec<(Key, String)>) {
    let model = Model::of(&with_rules(phase, stack, recording, given));
    let mut rows = 0;
    let mut wrong = Vec::new();
    for (row, recorded) in phase.rows_of(stack) {
        rows += 1;
        let predicted = match model.predict(&row.from, &row.protocol, &row.place) {
            Prediction::Seen(seen) if seen == *recorded => continue,
            Prediction::Seen(seen) => seen,
            Prediction::Impossible(why) => why,
        };
        let key = [&page.name, &phase.label, stack.tag, &row.from, &row.dialed()].map(|part: &str| part.to_owned());
        wrong.push((key, format!("predicted `{predicted}`, recorded `{recorded}`")));
    }
    (rows, wrong)
}

#[test]
fn recorded_rule_sets_come_to_the_recorded_rows() {
    let only = std::env::var("REALITY").unwrap_or_default();
    let mut known = super::known();
    let mut complaints = String::new();
    let mut equal: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for page in pages().iter().filter(|page| page.name.contains(&only)) {
        let scenario = oracle().join(format!("scenarios/{}.json", page.name));
        if !scenario.exists() {
            continue;
        }
        for (label, name) in saved(&scenario) {
            let phase = page.phases.iter().find(|phase| phase.label == label).unwrap();
            for stack in &STACKS {
                let Ok(recording) = fs::read_to_string(oracle().join(format!("rulesets/{}-{name}.txt", stack.tag)))
                else {
                    continue;
                };
                for given in [Given::Nft, Given::Both] {
                    let (rows, wrong) = differences(page, phase, stack, &recording, given);
                    let counted = equal.entry(stack.tag).or_default();
                    (counted.0, counted.1) = (counted.0 + rows - wrong.len(), counted.1 + rows);
                    for (key, what) in wrong {
                        if known.get(&key).is_none() {
                            let way = if given == Given::Nft { "nft" } else { "both" };
                            writeln!(complaints, "{name} ({way})\t{}\t{what}", key.join("\t")).unwrap();
                        }
                    }
                }
            }
        }
    }
    known.clear();
    assert!(complaints.is_empty(), "equal rows of all, by stack: {equal:?}\n{complaints}");
}
