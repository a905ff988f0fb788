//! Labs that were run, as pages: their files, and what was seen by whom. A page is held against the model without any
//! daemon, so that a lab that was run once counts for every later model too.
//!
//! A row has all places at which one dialler saw the same: `| peer | timed out | tcp 172.17.0.2:3000,3010 icmp 172.17.0.2 |`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use canreach::frontend::markdown;
use canreach::net::Version;
use canreach::source::Sources;

use crate::reality::predict::Model;

use super::draft::{Draft, Probe};
use super::stack::Stack;
use super::{lines, otherwise};

/// Ports by protocol and address.
type Places<'a> = BTreeMap<(&'a str, String), Vec<String>>;

/// Writes a page below `directory`.
pub(super) fn write(directory: &Path, seed: u64, stack: &Stack, draft: &Draft, probes: &[Probe], seen: &[String]) {
    let mut page = format!("# seed {seed}, dockerd {}, firewalld {}\n", stack.engine, stack.firewalld);
    for (name, text) in &draft.files {
        let language = name.rsplit('.').next().unwrap();
        write!(page, "\n```{language} name={name}\n{text}```\n").unwrap();
    }
    page.push_str("\n| from | sees | dialling |\n|---|---|---|\n");
    let mut rows: BTreeMap<(&str, &str), Places<'_>> = BTreeMap::new();
    for (probe, seen) in probes.iter().zip(seen) {
        let places = rows.entry((&probe.from, seen)).or_default();
        places.entry((&probe.protocol, probe.address.to_string())).or_default().push(probe.port.to_string());
    }
    for ((from, seen), places) in rows {
        let dialled: Vec<String> = places
            .iter()
            .map(|((protocol, address), ports)| match *protocol {
                "icmp" => format!("icmp {address}"),
                _ => format!("{protocol} {address}:{}", ports.join(",")),
            })
            .collect();
        writeln!(page, "| {from} | {seen} | {} |", dialled.join(" ")).unwrap();
    }
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join(format!("{seed}-{}.md", stack.engine)), page).unwrap();
}

/// The rows of a page that the model predicts otherwise although it knows everything, and how many rows there are.
fn replay(page: &str) -> (BTreeMap<String, String>, usize) {
    let source = Sources::default().add("page", page);
    let files: BTreeMap<String, String> = markdown::split(source, page)
        .into_iter()
        .flat_map(|lab| lab.files)
        .map(|(name, text)| (name.value, page[text].to_owned()))
        .collect();
    let engine = page.split("dockerd ").nth(1).and_then(|rest| rest.split(',').next()).unwrap().parse().unwrap();
    let probes = rows(page);
    let model = Model::of(&files);
    let different = otherwise(&model, engine, probes.iter().map(|(probe, seen)| (probe, seen.as_str())));
    (if model.unmodeled().is_empty() { different } else { BTreeMap::new() }, probes.len())
}

fn rows(page: &str) -> Vec<(Probe, String)> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| ")).skip(1);
    let mut rows = Vec::new();
    for line in cells {
        let [from, seen, dialled] = line.trim_end_matches(" |").split(" | ").collect::<Vec<_>>().try_into().unwrap();
        let words: Vec<&str> = dialled.split(' ').collect();
        for pair in words.chunks(2) {
            let (address, ports) = pair[1].split_once(':').unwrap_or((pair[1], "0"));
            rows.extend(ports.split(',').map(|port| {
                let (protocol, address) = (pair[0].to_owned(), address.parse().unwrap());
                (Probe { from: from.to_owned(), protocol, address, port: port.parse().unwrap() }, seen.to_owned())
            }));
        }
    }
    rows
}

/// Those of the repository, and those of `LIVE_KEPT`.
fn pages() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reality/random");
    let kept = std::env::var_os("LIVE_KEPT").map(PathBuf::from);
    let mut pages: Vec<PathBuf> = [Some(own), kept]
        .into_iter()
        .flatten()
        .flat_map(|directory| fs::read_dir(directory).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    pages.sort();
    pages
}

#[test]
fn random_labs_that_were_run_are_predicted() {
    let (mut all, mut count, mut complaints) = (0, BTreeMap::<Version, usize>::new(), String::new());
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        let (different, rows) = replay(&page);
        all += rows;
        let engine = path.file_stem().unwrap().to_str().unwrap().rsplit('-').next().unwrap();
        *count.entry(engine.parse().unwrap()).or_default() += 1;
        if !different.is_empty() {
            writeln!(complaints, "{}\n{}", path.display(), lines(&different)).unwrap();
        }
    }
    let labs: Vec<String> = count.iter().map(|(engine, labs)| format!("{labs} of dockerd {engine}")).collect();
    println!("{all} rows of labs: {}", labs.join(", "));
    assert!(complaints.is_empty(), "{complaints}");
    assert!(all > 10_000, "{all} rows");
}
