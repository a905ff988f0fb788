//! Recorded rule sets in place of those that the front-ends would generate: what netfilter does with them must come to the
//! same rows. This checks the semantics of rules on its own.
//!
//! The recordings lie beside the repository (`../shared/oracle`); where they do not, nothing is checked here. A selection is in
//! `tests/reality/rulesets`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use canreach::diagnostic::Severity;
use canreach::frontend::{self, Environment};
use canreach::lab::Declaration;
use canreach::lab::iptables::IptablesChange;
use canreach::source::Sources;
use serde_json::Value;

use super::page::{Page, Phase, STACKS, Stack};
use super::predict::Model;
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

/// What is wrong about the predictions from recorded rules, and how many rows were looked at.
fn differences(
    page: &Page,
    phase: &Phase,
    stack: &Stack,
    recording: &str,
    given: Given,
) -> (usize, Vec<(Key, String)>) {
    let model = Model::of(&with_rules(phase, stack, recording, given));
    (phase.rows_of(stack).count(), super::differences(&model, page, phase, stack))
}

/// What `tests/reality/rulesets` is checked with.
const ROWS_OF_SELECTION: usize = 176;

/// Rows that come out otherwise, and why: scenario, stack, from, to.
const KNOWN: [([&str; 4], &str); 1] = [(
    ["fw-iptables-forwardports", "d29n", "peer", "tcp 192.168.56.10:3000"],
    "two nat chains have the same priority, and a listing does not tell which of them came last",
)];

fn is_known(key: &Key) -> bool {
    let [scenario, _, stack, from, to] = key;
    KNOWN.iter().any(|(known, _)| *known == [scenario, stack, from, to].map(String::as_str))
}

/// nft prints `--ctstate RELATED,ESTABLISHED,DNAT` of iptables as `ct status dnat`: such a listing says less than is there
/// (`iptables-translate` does the same; extensions/libxt_conntrack.c, `_conntrack3_mt_xlate`).
fn is_listed_whole(recording: &str) -> bool {
    !recording.contains("ESTABLISHED,DNAT")
}

/// Every recording of a scenario with the state in which it was made.
fn recordings(page: &Page) -> Vec<(&Phase, &'static Stack, String)> {
    let scenario = oracle().join(format!("scenarios/{}.json", page.name));
    let mut found = Vec::new();
    for (label, name) in if scenario.exists() { saved(&scenario) } else { Vec::new() } {
        let phase = page.phases.iter().find(|phase| phase.label == label).unwrap();
        for stack in &STACKS {
            let path = oracle().join(format!("rulesets/{}-{name}.txt", stack.tag));
            found.extend(fs::read_to_string(path).ok().map(|recording| (phase, stack, recording)));
        }
    }
    found
}

#[test]
fn recorded_rule_sets_come_to_the_recorded_rows() {
    let only = std::env::var("REALITY").unwrap_or_default();
    let known = super::known();
    let mut complaints = String::new();
    let mut equal: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for page in pages().iter().filter(|page| page.name.contains(&only)) {
        for (phase, stack, recording) in recordings(page) {
            let ways = [Given::Both, Given::Nft];
            for given in ways.into_iter().filter(|given| *given == Given::Both || is_listed_whole(&recording)) {
                let (rows, wrong) = differences(page, phase, stack, &recording, given);
                let (right, all) = equal.entry(stack.tag).or_default();
                (*right, *all) = (*right + rows - wrong.len(), *all + rows);
                for (key, what) in wrong.iter().filter(|(key, _)| !known.contains_key(key) && !is_known(key)) {
                    let way = if given == Given::Nft { "nft" } else { "both" };
                    writeln!(complaints, "{way}\t{}\t{what}", key.join("\t")).unwrap();
                }
            }
        }
    }
    println!("equal rows of all, by stack: {equal:?}");
    assert!(complaints.is_empty(), "equal rows of all, by stack: {equal:?}\n{complaints}");
}

#[test]
fn a_selection_comes_to_the_recorded_rows_too() {
    let pages = pages();
    let mut rows = 0;
    for entry in fs::read_dir(super::directory().join("rulesets")).unwrap() {
        let recording = fs::read_to_string(entry.unwrap().path()).unwrap();
        let head = recording.lines().next().unwrap().trim_start_matches("# ");
        let [scenario, label, tag] = head.split(" | ").collect::<Vec<_>>()[..] else { panic!("{head}") };
        let page = pages.iter().find(|page| page.name == scenario).unwrap();
        let phase = page.phases.iter().find(|phase| phase.label == label).unwrap();
        let stack = STACKS.iter().find(|stack| stack.tag == tag).unwrap();
        let (of_phase, wrong) = differences(page, phase, stack, &recording, Given::Both);
        assert_eq!(wrong, [], "{head}");
        rows += of_phase;
    }
    assert_eq!(rows, ROWS_OF_SELECTION);
}

/// Counts rules in a text: lines that iptables-save begins with `-A`, and lines inside the chains of a listing of nft.
fn rules_in(text: &str) -> usize {
    let is_rule = |line: &&str| {
        let (depth, words) = (line.len() - line.trim_start_matches('\t').len(), line.trim());
        let is_iptables = words.starts_with("-A ") || words.starts_with('[') && words.contains("] -A ");
        let opens = ["type ", "elements = ", "flags ", "policy "].iter().any(|start| words.starts_with(start));
        is_iptables || depth == 2 && !opens && !words.is_empty() && words != "}"
    };
    text.lines().filter(is_rule).count()
}

/// Rules that were read, and what is wrong with the text.
fn read(path: &str, text: &str) -> (usize, Vec<String>) {
    let source = Sources::default().add(path, text);
    let format = frontend::detect(path, text).unwrap();
    let read = frontend::read(format, source, path, text, &Environment::default());
    let wrong = read.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    let rules = read.value.iter().map(|declaration| match declaration {
        Declaration::Iptables(commands) => {
            commands.iter().filter(|c| matches!(c.change, IptablesChange::Append(..))).count()
        }
        Declaration::Nft(ruleset) => {
            let rules = ruleset.tables.iter().flat_map(|table| &table.chains).flat_map(|chain| &chain.rules);
            rules.map(|rule| rule.span).collect::<BTreeSet<_>>().len()
        }
        other => panic!("{path}: {other:?}"),
    });
    (rules.sum(), wrong.map(|d| d.message.clone()).collect())
}

#[test]
fn every_line_of_real_rule_sets_is_read() {
    let mut texts: Vec<(String, String)> = Vec::new();
    for entry in fs::read_dir(oracle().join("../netfilter")).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "iptables-save") {
            texts.push((path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()));
        }
    }
    for entry in fs::read_dir(oracle().join("rulesets")).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut parts = parts(&fs::read_to_string(&path).unwrap());
        texts.extend(
            parts.remove("iptables-save").map(|text| (format!("{name}.v4"), format!("*filter\nCOMMIT\n{text}"))),
        );
        texts.extend(parts.remove("nft -s list ruleset").map(|text| (format!("{name}.nft"), without_bridges(&text))));
    }
    for (name, text) in texts {
        assert_eq!(read(&name, &text), (rules_in(&text), Vec::new()), "{name}");
    }
}

/// A listing without the tables of bridges: these never drop anything here, and are not kept.
fn without_bridges(listing: &str) -> String {
    let tables = listing.split_inclusive("\n}\n");
    tables.filter(|table| !table.trim_start().starts_with("table bridge ")).collect()
}
