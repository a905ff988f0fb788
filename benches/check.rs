//! Whole runs, from the files to the rendered report: every lab of `examples/`, and generated ones of growing size.
//!
//! `cargo bench` prints the least, the middle and the greatest of the measured times in milliseconds. A name on the command
//! line measures only the labs whose name contains it.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, mem, process};

use canreach::check::{Checked, check_all};
use canreach::cli::load::load;
use canreach::report::{Report, Style, terminal};
use canreach::{lab, lower};

const RUNS: usize = 20;
const CONTAINERS: [usize; 3] = [10, 60, 300];

fn main() {
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    println!("{:<40} {:>9} {:>9} {:>9} {:>9}  ms", "lab", "sentences", "min", "median", "max");
    for directory in examples() {
        let name = format!("examples/{}", directory.file_name().unwrap_or_default().to_string_lossy());
        if is_wanted(&name) {
            measure(&name, &directory);
        }
    }
    for containers in CONTAINERS {
        let name = format!("{containers} containers");
        if is_wanted(&name) {
            let directory = generated(containers);
            measure(&name, &directory);
            let _ = fs::remove_dir_all(directory);
        }
    }
}

fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut labs: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    labs.sort();
    labs
}

fn measure(name: &str, directory: &Path) {
    let mut times: Vec<Duration> = Vec::new();
    let mut sentences = 0;
    for _ in 0..RUNS {
        let start = Instant::now();
        sentences = run(directory);
        times.push(start.elapsed());
    }
    times.sort();
    let milliseconds = |index: usize| times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    let (least, middle, greatest) = (milliseconds(0), milliseconds(RUNS / 2), milliseconds(RUNS - 1));
    println!("{name:<40} {sentences:>9} {least:>9.2} {middle:>9.2} {greatest:>9.2}");
}

/// One run of `canreach check`; how many sentences it judged.
fn run(directory: &Path) -> usize {
    let Ok(mut loaded) = load(&[directory.to_owned()]) else { return 0 };
    let mut judged = 0;
    for files in mem::take(&mut loaded.labs) {
        let lab = lab::resolve(&files.inputs);
        let dataplane = lower::lower(&lab.value);
        let Ok(Checked { judgements, mut diagnostics }) =
            check_all(&lab.value, &dataplane, &loaded.sources, &lab.value.sentences)
        else {
            println!("the engines disagree about {}", directory.display());
            continue;
        };
        judged += judgements.len();
        diagnostics.extend(lab.diagnostics);
        let report = Report { judgements, diagnostics, dataplane };
        std::hint::black_box(terminal::render(&report, &loaded.sources, Style::PLAIN));
    }
    judged
}

/// A compose file with so many services on ten networks, and four sentences: two that hold, two that do not.
fn generated(containers: usize) -> PathBuf {
    let mut compose = String::from("services:\n");
    for i in 0..containers {
        let _ = writeln!(compose, "  s{i}: {{image: nginx, ports: [\"{}:80\"], networks: [n{}]}}", 10_000 + i, i % 10);
    }
    compose.push_str("networks:\n");
    for i in 0..10 {
        let _ = writeln!(compose, "  n{i}: {{}}");
    }
    let sentences = "sentences:\n  - lan can reach s3:80\n  - s3 cannot reach s4:5432\n  - lan cannot reach s3:80\n  - \
                     lan can reach s3:5432\n";
    let directory = env::temp_dir().join(format!("canreach-bench-{}-{containers}", process::id()));
    let specs = directory.join("specs");
    let written = fs::create_dir_all(&specs)
        .and_then(|()| fs::write(directory.join("compose.yaml"), compose))
        .and_then(|()| fs::write(specs.join("bench.yaml"), sentences));
    if let Err(error) = written {
        println!("cannot write {}: {error}", directory.display());
    }
    directory
}
