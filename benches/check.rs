//! Whole runs, from the files to the rendered report: every lab of `examples/`, and generated ones of growing size.
//!
//! `cargo bench` prints the least, the middle and the greatest of the measured times in milliseconds. A name on the command
//! line measures only the labs whose name contains it.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

use std::fmt::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, mem, process};

use canreach::check::{self, Checked, check_all};
use canreach::cli::load::load;
use canreach::dataplane::Flow;
use canreach::net::Protocol;
use canreach::report::exposure::table;
use canreach::report::{Report, Style, terminal};
use canreach::{eval, lab, lint, lower};

const RUNS: usize = 20;
const CONTAINERS: [usize; 3] = [10, 60, 300];
/// Rules of a saved rule set.
const RULES: usize = 5000;

fn main() {
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    println!("{:<40} {:>9} {:>9} {:>9} {:>9}  ms", "lab", "sentences", "min", "median", "max");
    for directory in examples() {
        let name = format!("examples/{}", directory.file_name().unwrap_or_default().to_string_lossy());
        if is_wanted(&name) {
            measure(&name, &directory, run);
        }
    }
    for containers in CONTAINERS {
        let name = format!("{containers} containers");
        if is_wanted(&name) {
            let directory = generated(containers);
            measure(&name, &directory, run);
            let _ = fs::remove_dir_all(directory);
        }
    }
    let name = format!("{RULES} rules, {} of them dead", RULES / 10);
    if is_wanted(&name) {
        let directory = generated_rules();
        measure(&name, &directory, run);
        let _ = fs::remove_dir_all(directory);
    }
    for (name, run) in [("4973 rules: a trace", trace as fn(&Path) -> usize), ("4973 rules: one sentence", run)] {
        if is_wanted(name) {
            let directory = big_rule_set();
            measure(name, &directory, run);
            let _ = fs::remove_dir_all(directory);
        }
    }
    let name = "50 sentences";
    if is_wanted(name) {
        let directory = many_sentences();
        measure(name, &directory, run);
        let _ = fs::remove_dir_all(directory);
    }
    let name = "1,000 containers, 5,000 rules: exposure";
    if is_wanted(name) {
        let directory = crowd();
        measure(name, &directory, exposure);
        let _ = fs::remove_dir_all(directory);
    }
    let name = "2,000 lines of compose, read only";
    if is_wanted(name) {
        let directory = long_compose_file();
        measure(name, &directory, read_only);
        let _ = fs::remove_dir_all(directory);
    }
}

fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut labs: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    labs.sort();
    labs
}

fn measure(name: &str, directory: &Path, run: fn(&Path) -> usize) {
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
        diagnostics.extend(lint::lint(&lab.value, &dataplane, &mut |_, _| {}));
        let report = Report { judgements, diagnostics, dataplane };
        std::hint::black_box(terminal::render(&report, &loaded.sources, Style::PLAIN));
    }
    judged
}

/// One run of `canreach exposure`; how many programs listen.
fn exposure(directory: &Path) -> usize {
    let Ok(mut loaded) = load(&[directory.to_owned()]) else { return 0 };
    let mut listeners = 0;
    for files in mem::take(&mut loaded.labs) {
        let lab = lab::resolve(&files.inputs).value;
        let dataplane = lower::lower(&lab);
        let Ok(exposure) = check::exposure(&lab, &dataplane) else {
            println!("the engines disagree about {}", directory.display());
            continue;
        };
        listeners += exposure.listeners.len();
        std::hint::black_box(table(&exposure, Style::PLAIN));
    }
    listeners
}

/// The flagship lab with all that is true of it, said often.
fn many_sentences() -> PathBuf {
    let flagship = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/production");
    let directory = env::temp_dir().join(format!("canreach-bench-{}-sentences", process::id()));
    copy(&flagship, &directory);
    let of = |who: &str| {
        let targets = ["grafana:3000", "mysql:3306", "prometheus:9090", "node-exporter:9100"];
        targets.map(|target| format!("  - {who} cannot reach {target}\n")).concat()
    };
    let denied = ["mac", "phone", "lan", "internet"].map(of).concat();
    let allowed = ["mac", "phone", "lan", "rocky"].map(|who| format!("  - {who} can reach proxy:80\n")).concat();
    let sentences =
        format!("sentences:\n{denied}{allowed}  - mac can reach rocky:22\n{allowed}{allowed}{allowed}{allowed}");
    if let Err(error) = fs::write(directory.join("specs/bench.yaml"), sentences) {
        println!("cannot write {}: {error}", directory.display());
    }
    directory
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::create_dir_all(to);
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            let _ = fs::copy(path, copied);
        }
    }
}

/// 1,000 published containers on 20 networks, and 5,000 rules of a blocklist in the chains that they pass.
fn crowd() -> PathBuf {
    let mut compose = String::from("services:\n");
    for i in 0..1000 {
        let _ = writeln!(compose, "  s{i}: {{image: nginx, ports: [\"{}:80\"], networks: [n{}]}}", 10_000 + i, i % 20);
    }
    compose.push_str("networks:\n");
    for i in 0..20 {
        let _ = writeln!(compose, "  n{i}: {{ipam: {{config: [{{subnet: 10.{}.0.0/16}}]}}}}", 100 + i);
    }
    let mut rules = String::new();
    for i in 0..RULES {
        let chain = if i % 2 == 0 { "DOCKER-USER" } else { "INPUT" };
        let (high, low, port) = (i / 250, i % 250, 80 + i % 3);
        let _ = writeln!(rules, "iptables -A {chain} -s 198.18.{high}.{low}/32 -p tcp --dport {port} -j DROP");
    }
    written(&format!("canreach-bench-{}-crowd", process::id()), &[("compose.yaml", &compose), ("firewall.sh", &rules)])
}

/// Only the files are read.
fn read_only(directory: &Path) -> usize {
    let loaded = load(&[directory.to_owned()]);
    std::hint::black_box(loaded.map_or(0, |loaded| loaded.labs.len()));
    0
}

/// 300 services of seven lines each, as people write them.
fn long_compose_file() -> PathBuf {
    let mut compose = String::from("x-base: &base\n  restart: always\nservices:\n");
    for i in 0..300 {
        let _ = writeln!(
            compose,
            "  s{i}:\n    <<: *base\n    image: registry.example/app:${{TAG:-1}}\n    ports:\n      - \"{}:80\"\n    \
             networks: [n{}]\n    environment: {{A: \"${{A:-b}}\", B: c}}",
            10_000 + i,
            i % 10
        );
    }
    compose.push_str("networks:\n");
    for i in 0..10 {
        let _ = writeln!(compose, "  n{i}:");
    }
    written(&format!("canreach-bench-{}-lines", process::id()), &[("compose.yaml", &compose)])
}

/// One run of `canreach trace`, from the files to the trace.
fn trace(directory: &Path) -> usize {
    let Ok(mut loaded) = load(&[directory.to_owned()]) else { return 0 };
    for files in mem::take(&mut loaded.labs) {
        let dataplane = lower::lower(&lab::resolve(&files.inputs).value);
        let Some(from) = dataplane.node_named("a") else { continue };
        let flow = Flow {
            from,
            protocol: Protocol::Tcp,
            source: None,
            source_port: 50_000,
            destination: IpAddr::from([10, 2, 0, 9]),
            destination_port: 80,
        };
        std::hint::black_box(eval::trace(&dataplane, &flow, &dataplane.switches.defaults()));
    }
    0
}

/// A saved rule set of the size and shape of a university's firewall: a chain for each of 30 networks, which lets the known
/// cards of the network through and drops what else comes from its addresses, and a long list of services behind it.
fn big_rule_set() -> PathBuf {
    let mut rules =
        String::from("*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:SERVICES - [0:0]\n");
    for network in 0..30 {
        let _ = writeln!(rules, ":mac_{network} - [0:0]");
    }
    rules.push_str("-A FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT\n");
    for network in 0..30 {
        let _ = writeln!(rules, "-A FORWARD -i eth1.{network} -j mac_{network}");
        for host in 0..55 {
            let address = format!("10.1.{network}.{}", host + 2);
            let _ = writeln!(
                rules,
                "-A mac_{network} -s {address}/32 -m mac --mac-source 02:00:00:00:{network:02x}:{host:02x} -j RETURN"
            );
            let _ = writeln!(rules, "-A mac_{network} -s {address}/32 -j DROP");
        }
    }
    rules.push_str("-A FORWARD -j SERVICES\n");
    for service in 0..1640 {
        let (target, port) = (if service % 3 == 0 { "DROP" } else { "ACCEPT" }, 1024 + service);
        let (third, fourth) = (service / 200, service % 200 + 10);
        let _ = writeln!(rules, "-A SERVICES -d 10.2.{third}.{fourth}/32 -p tcp -m tcp --dport {port} -j {target}");
    }
    rules.push_str("-A SERVICES -d 10.2.0.9/32 -p tcp -m multiport --dports 80,443 -j ACCEPT\nCOMMIT\n");
    let lab = "networks:\n  inside: {subnet: 10.1.0.0/24}\n  outside: {subnet: 10.2.0.0/16}\nhosts:\n  fw:\n    rules: \
               [rules.v4]\n    ip-forward: true\n    interfaces:\n      eth1.0: {network: inside, address: 10.1.0.1/24}\n      \
               eth0: {network: outside, address: 10.2.0.1/16}\n  a:\n    interfaces: {eth0: {network: inside, address: \
               10.1.0.99/24, gateway: 10.1.0.1}}\n  b:\n    interfaces: {eth0: {network: outside, address: 10.2.0.9/16, \
               gateway: 10.2.0.1}}\n    listen: [80]\nsentences:\n  - a can reach b:80\n";
    let directory = env::temp_dir().join(format!("canreach-bench-{}-rules", process::id()));
    let written = fs::create_dir_all(&directory)
        .and_then(|()| fs::write(directory.join("rules.v4"), rules))
        .and_then(|()| fs::write(directory.join("lab.yaml"), lab));
    if let Err(error) = written {
        println!("cannot write {}: {error}", directory.display());
    }
    directory
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
    let name = format!("canreach-bench-{}-{containers}", process::id());
    written(&name, &[("compose.yaml", &compose), ("specs/bench.yaml", sentences)])
}

/// A directory with these files.
fn written(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let directory = env::temp_dir().join(name);
    for (file, text) in files {
        let path = directory.join(file);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        if let Err(error) = made {
            println!("cannot write {}: {error}", path.display());
        }
    }
    directory
}

/// A saved rule set in which every tenth rule repeats an earlier one.
fn generated_rules() -> PathBuf {
    let mut text = String::from("*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n");
    for number in 0..RULES {
        let distinct = if number % 10 == 9 { number / 2 } else { number };
        let (high, low, port) = (distinct / 250, distinct % 250, 1 + distinct % 60_000);
        let _ = writeln!(text, "-A INPUT -s 10.{high}.{low}.0/24 -p tcp -m tcp --dport {port} -j ACCEPT");
    }
    text += "COMMIT\n";
    let directory = env::temp_dir().join(format!("canreach-bench-rules-{}", process::id()));
    let _ = fs::create_dir_all(&directory);
    let _ = fs::write(directory.join("saved.rules"), text);
    directory
}
