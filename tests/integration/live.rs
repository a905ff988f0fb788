//! Random labs, run by real daemons and predicted: `make reality` as root.
//!
//! Every lab comes from a seed, so that one that differs can be run again: `LIVE_SEED=17 LIVE_LABS=1 make reality`.

mod draft;

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::reality::predict::{Model, Prediction};

use self::draft::{Draft, Probe};

/// The first seed, and how many labs are made from it and those that follow.
const SEED: u64 = 1;
const LABS: u64 = 20;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// The first word of a program's output that looks like a version.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_version = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
    text.split([' ', ',', '\n', '+']).find(is_version).map(str::to_owned)
}

/// What real daemons did, one line for each probe; nothing if they could not be started, twice: a busy machine is no
/// disagreement.
fn run(draft: &Draft, probes: &[Probe], seed: u64) -> Option<Vec<String>> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reality/live.py");
    let lab = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("live-{seed}.json"));
    std::fs::write(&lab, draft.to_json(probes)).unwrap();
    for _ in 0..2 {
        let output = Command::new("python3").arg(&program).arg(&lab).output().unwrap();
        if output.status.success() {
            return Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect());
        }
        println!("seed {seed} did not run: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    None
}

/// The lines about one lab that was predicted otherwise; nothing if the lab could not be run.
fn differences(seed: u64, docker: &str, firewalld: &str) -> Option<String> {
    let draft = Draft::from_seed(seed, docker, firewalld);
    let model = Model::of(&draft.files);
    let probes = draft.probes(&model);
    let seen = run(&draft, &probes, seed)?;
    assert_eq!(seen.len(), probes.len());
    let mut lines = String::new();
    for (probe, seen) in probes.iter().zip(&seen) {
        let predicted = match model.predict(&probe.from, &probe.protocol, &probe.place()) {
            Prediction::Seen(words) => words,
            Prediction::Impossible(_) => "not there".to_owned(),
        };
        // A packet that the dialler's own firewall stops is refused by its kernel: `denied`. In the model it is lost or
        // rejected like any other.
        let stopped_at_once = seen == "denied" && !predicted.contains("<-") && predicted != "answers";
        if predicted != *seen && !stopped_at_once {
            let (from, protocol, place) = (&probe.from, &probe.protocol, probe.place());
            writeln!(lines, "  {from} {protocol} {place}: predicted `{predicted}`, seen `{seen}`").unwrap();
        }
    }
    if lines.is_empty() {
        return Some(lines);
    }
    let files: String = draft.files.iter().map(|(name, text)| format!("--- {name}\n{text}")).collect();
    Some(format!("seed {seed}:\n{files}{lines}says {:?}\n", model.errors()))
}

#[test]
#[ignore = "needs root, dockerd and firewalld: `make reality`"]
fn real_daemons_do_what_is_predicted() {
    let (Some(docker), Some(firewalld)) = (version("dockerd"), version("firewall-offline-cmd")) else {
        panic!("dockerd and firewalld have to be installed");
    };
    let first = number("LIVE_SEED", SEED);
    let labs = number("LIVE_LABS", LABS);
    println!("{labs} labs from seed {first}, dockerd {docker}, firewalld {firewalld}");
    let mut all = String::new();
    let mut ran = 0;
    for seed in first..first + labs {
        if let Some(lines) = differences(seed, &docker, &firewalld) {
            ran += 1;
            all.push_str(&lines);
        }
    }
    println!("{ran} of {labs} labs ran");
    assert!(2 * ran > labs, "most labs could not be run");
    assert!(all.is_empty(), "dockerd {docker}, firewalld {firewalld}\n{all}");
}
