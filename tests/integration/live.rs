//! Random labs, run by real daemons and predicted: `make reality` as root.
//!
//! Every lab comes from a seed, so that one that differs can be run again: `LIVE_SEED=17 LIVE_LABS=1 make reality`.
//! `LIVE_ROOT` names a file system tree with other releases of the daemons, `LIVE_JOBS` how many labs run at a time, and
//! `LIVE_SHRINK` how often something may be left out of a lab that differs. `LIVE_KEPT` is a directory in which what was
//! seen is kept as pages, which `record` holds against the model later, as it does those of `tests/reality/random`.

mod dice;
mod draft;
mod engine;
mod firewall;
mod record;
mod shrink;
mod stack;
mod topology;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use canreach::net::Version;

use crate::reality::predict::{Model, Prediction};

use self::draft::{Draft, Probe};
use self::stack::Stack;

/// The first seed, how many labs are made from it and those that follow, how many of them at a time, and how many
/// smaller ones are tried of one that differs.
const SEED: u64 = 1;
const LABS: u64 = 20;
const JOBS: u64 = 3;
const SHRINK: u64 = 40;

/// Rows of a lab that are printed.
const SHOWN: usize = 20;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// What became of a lab.
enum Outcome {
    DidNotRun,
    AsPredicted,
    /// Not the second time: a machine that is busy can miss an answer.
    Once(String),
    /// The program says that it cannot know, and why; and what differs from its guess.
    Undecided(String),
    Otherwise(String),
}

/// The rows of a lab that are predicted otherwise, by what was dialled; nothing if the lab could not be run.
fn differences(draft: &Draft, stack: &Stack, seed: u64) -> Option<BTreeMap<String, String>> {
    let model = Model::of(&draft.files);
    let probes = draft.probes(&model);
    let seen = stack.run(draft, &probes, seed)?;
    if let Some(directory) = std::env::var_os("LIVE_KEPT") {
        record::write(Path::new(&directory), seed, stack, draft, &probes, &seen);
    }
    Some(otherwise(&model, stack.engine, probes.iter().zip(seen.iter().map(String::as_str))))
}

/// What of the seen is predicted otherwise.
fn otherwise<'a>(
    model: &Model,
    engine: Version,
    rows: impl Iterator<Item = (&'a Probe, &'a str)>,
) -> BTreeMap<String, String> {
    let mut different = BTreeMap::new();
    for (probe, seen) in rows {
        let predicted = match model.predict(&probe.from, &probe.protocol, &probe.place()) {
            Prediction::Seen(words) => words,
            Prediction::Impossible(_) => "not there".to_owned(),
        };
        // A packet that the dialler's own firewall stops is refused by its kernel: `denied`. In the model it is lost or
        // rejected like any other.
        let stopped_at_once = seen == "denied" && !predicted.contains("<-") && predicted != "answers";
        // dockerd 28 holds a port with a queue of one, which another probe may have filled.
        let queue_is_full = engine.major == 28 && predicted == "accepted" && seen == "timed out";
        // The kernel says so five times, and then once in a second (Linux, net/ipv4/route.c, `ip_error`); the limit is one of the
        // whole machine, and cannot be lifted in a namespace.
        let is_told_no_more = predicted == "network unreachable" && seen == "timed out";
        if predicted != seen && !stopped_at_once && !queue_is_full && !is_told_no_more {
            let row = format!("{} {} {}", probe.from, probe.protocol, probe.place());
            different.insert(row, format!("predicted `{predicted}`, seen `{seen}`"));
        }
    }
    different
}

/// The first of them; more say nothing new.
fn lines(different: &BTreeMap<String, String>) -> String {
    let shown = different.iter().take(SHOWN).map(|(row, how)| format!("  {row}: {how}\n"));
    shown.chain((different.len() > SHOWN).then(|| format!("  {} in all\n", different.len()))).collect()
}

fn outcome(seed: u64, stack: &Stack) -> Outcome {
    let draft = Draft::from_seed(seed, stack);
    let Some(first) = differences(&draft, stack, seed) else {
        let errors = Model::of(&draft.files);
        let is_predicted = errors.errors().iter().any(|error| error.starts_with("dockerd does not start"));
        return if is_predicted { Outcome::AsPredicted } else { Outcome::DidNotRun };
    };
    if first.is_empty() {
        return Outcome::AsPredicted;
    }
    let unknown = Model::of(&draft.files).unmodeled().join("; ");
    if !unknown.is_empty() {
        return Outcome::Undecided(format!("{unknown}\n{}", lines(&first)));
    }
    let again = differences(&draft, stack, seed);
    let different: BTreeMap<_, _> =
        again.unwrap_or_default().into_iter().filter(|(row, _)| first.contains_key(row)).collect();
    if different.is_empty() {
        return Outcome::Once(lines(&first));
    }
    let tries = usize::try_from(number("LIVE_SHRINK", SHRINK)).unwrap();
    // Anything else that differs in a smaller lab is another story.
    let is_same = |different: &BTreeMap<String, String>| different.iter().any(|(row, how)| first.get(row) == Some(how));
    let differs = |draft: &Draft| differences(draft, stack, seed).is_some_and(|different| is_same(&different));
    let smallest = shrink::shrink(draft, tries, differs);
    let different = differences(&smallest, stack, seed).filter(is_same).unwrap_or(different);
    let files: String = smallest.files.iter().map(|(name, text)| format!("--- {name}\n{text}")).collect();
    Outcome::Otherwise(format!("{files}{}says {:?}\n", lines(&different), Model::of(&smallest.files).errors()))
}

#[test]
#[ignore = "needs root, dockerd and firewalld: `make reality`"]
fn real_daemons_do_what_is_predicted() {
    let stack = Stack::of_environment();
    let (first, labs) = (number("LIVE_SEED", SEED), number("LIVE_LABS", LABS));
    println!("{labs} labs from seed {first}, dockerd {}, firewalld {}", stack.engine, stack.firewalld);
    let (next, ran) = (AtomicU64::new(first), AtomicUsize::new(0));
    let all = Mutex::new(String::new());
    thread::scope(|scope| {
        for _ in 0..number("LIVE_JOBS", JOBS) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + labs {
                        break;
                    }
                    let outcome = outcome(seed, &stack);
                    ran.fetch_add(usize::from(!matches!(outcome, Outcome::DidNotRun)), Ordering::Relaxed);
                    match outcome {
                        Outcome::DidNotRun => println!("seed {seed}: did not run"),
                        Outcome::AsPredicted => println!("seed {seed}: as predicted"),
                        Outcome::Once(how) => {
                            println!("seed {seed}: as predicted when run again, the first time\n{how}")
                        }
                        Outcome::Undecided(how) => println!("seed {seed}: undecided: {how}"),
                        Outcome::Otherwise(how) => {
                            println!("seed {seed}: otherwise\n{how}");
                            writeln!(all.lock().unwrap(), "seed {seed}:\n{how}").unwrap();
                        }
                    }
                }
            });
        }
    });
    let (ran, all) = (ran.into_inner(), all.into_inner().unwrap());
    println!("{ran} of {labs} labs ran");
    assert!(2 * ran > usize::try_from(labs).unwrap(), "most labs could not be run");
    assert!(all.is_empty(), "dockerd {}, firewalld {}\n{all}", stack.engine, stack.firewalld);
}
