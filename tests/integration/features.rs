//! firewalld's own tests as a second reference: what they say about the rules of each feature, and which commands they
//! expect to be refused. Their repository is not part of ours: `FIREWALLD_SOURCE` names a checkout of a release, and
//! `FEATURE` one file to tell of.

mod m4;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use canreach::diagnostic::Code;
use canreach::frontend::{self, Environment};
use canreach::lab::{Input, resolve};
use canreach::lower;
use canreach::report::rules::{Beside, iptables, nft};
use canreach::source::Sources;

use self::m4::Call;

/// One test while it is followed.
struct Test<'a> {
    version: &'a str,
    backend: &'a str,
    conf: String,
    files: BTreeMap<String, String>,
    /// Every line of the script, and whether firewalld is expected to take it.
    lines: Vec<(String, bool)>,
    /// The chains of the state that the lines lead to.
    chains: Option<Chains>,
    score: Score,
    complaints: String,
}

type Chains = BTreeMap<String, Vec<String>>;

/// How often we agree.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Score {
    /// Listed chains that are the same, that are the same without what is left out on purpose or in another order of
    /// what only accepts, and all.
    same: u32,
    but_for_left_out: u32,
    /// Of tables that are left out altogether.
    in_other_tables: u32,
    listed: u32,
    /// Refused commands that we report, and all.
    reported: u32,
    refused: u32,
    /// Commands that firewalld takes and that we report.
    wrongly: u32,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.same += other.same;
        self.but_for_left_out += other.but_for_left_out;
        self.in_other_tables += other.in_other_tables;
        self.listed += other.listed;
        self.reported += other.reported;
        self.refused += other.refused;
        self.wrongly += other.wrongly;
    }

    fn row(self) -> String {
        let Self { same, but_for_left_out, in_other_tables, listed, reported, refused, wrongly } = self;
        format!("{same}\t{but_for_left_out}\t{in_other_tables}\t{listed}\t{reported}\t{refused}\t{wrongly}")
    }
}

impl<'a> Test<'a> {
    fn new(version: &'a str, backend: &'a str) -> Self {
        Self {
            version,
            backend,
            conf: format!("FirewallBackend={backend}\n"),
            files: BTreeMap::new(),
            lines: Vec::new(),
            chains: None,
            score: Score::default(),
            complaints: String::new(),
        }
    }

    fn call(&mut self, call: &Call) {
        match call.name.as_str() {
            "FWD_CHECK" => self.line(&format!("firewall-cmd {}", m4::expanded(call.argument(0))), call.argument(1)),
            "FWD_RELOAD" => self.line("firewall-cmd --reload", call.argument(0)),
            "FWD_RESTART" => self.line("systemctl restart firewalld", ""),
            // What was for a time only is gone.
            "sleep" => {
                self.lines.retain(|(line, _)| !line.contains("--timeout"));
                self.chains = None;
            }
            "AT_DATA" => self.file(call.argument(0), &m4::expanded(call.argument(1))),
            "AT_CHECK" | "NS_CHECK" => self.shell(call.argument(0)),
            "NFT_LIST_RULES" if self.backend == "nftables" => self.listed(call.argument(1).to_owned(), call),
            "IPTABLES_LIST_RULES" if self.backend == "iptables" => {
                let chain = format!("{} {}", call.argument(0), call.argument(1));
                self.listed(chain, call);
            }
            _ => {}
        }
    }

    fn line(&mut self, line: &str, code: &str) {
        let line = line.split(" | ").next().unwrap().replace('\n', " ");
        let asks = ["--query", "--list", "--get", "--info", "--state", "--check", "--path"];
        if asks.iter().any(|option| line.contains(option)) {
            return;
        }
        self.lines.push((line, code.is_empty() || code == "0"));
        self.chains = None;
    }

    fn file(&mut self, path: &str, text: &str) {
        let path = format!("etc/firewalld/{}", path.trim_start_matches("./"));
        self.files.insert(path, text.trim_start().to_owned());
        self.chains = None;
    }

    /// `sed -i 's/^Key.*/Key=value/' ./firewalld.conf`
    fn shell(&mut self, command: &str) {
        let setting = command.strip_prefix("sed -i 's/^").filter(|rest| rest.contains("firewalld.conf"));
        if let Some(setting) = setting.and_then(|rest| rest.split('/').nth(1)) {
            writeln!(self.conf, "{setting}").unwrap();
            self.chains = None;
        }
        if let Some((path, text)) = command.strip_prefix("cat <<HERE > ").and_then(|rest| rest.split_once('\n')) {
            self.file(path, text.trim_end().trim_end_matches("HERE"));
        }
        if let Some(path) = command.strip_prefix("rm ") {
            self.files.remove(&format!("etc/firewalld/{}", path.trim_start_matches("./")));
            self.chains = None;
        }
    }

    fn listed(&mut self, chain: String, call: &Call) {
        self.score.listed += 1;
        let is_there = matches!(call.argument(2), "" | "0");
        let expected =
            if is_there { expected_rules(&m4::expanded(call.argument(3))) } else { vec!["(none)".to_owned()] };
        let all = self.chains.take().unwrap_or_else(|| self.written());
        let ours = all.get(&chain).cloned().unwrap_or_else(|| vec!["(none)".to_owned()]);
        self.chains = Some(all);
        if ours == expected {
            self.score.same += 1;
        } else if without_effect(&ours) == without_effect(&expected) {
            self.score.but_for_left_out += 1;
        } else if chain.starts_with("raw ") || (chain.starts_with("mangle") && !expected.iter().any(|r| marks(r))) {
            self.score.in_other_tables += 1;
        } else {
            let (expected, ours) = (expected.join("\n    "), ours.join("\n    "));
            let last = self.lines.iter().rev().take(3).map(|(line, _)| format!("    after {line}\n"));
            let last = last.collect::<String>();
            writeln!(self.complaints, "  {chain}\n{last}  expected\n    {expected}\n  written\n    {ours}").unwrap();
        }
    }

    fn all_files(&self, script: &str) -> Vec<(String, String)> {
        let lab = format!(
            "networks: {{n: {{subnet: 192.168.124.0/24}}}}\nhosts:\n  h:\n    files: [etc, setup.sh]\n    \
             firewalld: {{version: {}}}\n    interfaces: {{eth0: {{network: n, address: 192.168.124.2/24}}}}\n",
            self.version
        );
        let ours = [("lab.yaml", lab.as_str()), ("setup.sh", script), ("etc/firewalld/firewalld.conf", &self.conf)];
        let ours = ours.map(|(path, text)| (path.to_owned(), text.to_owned()));
        ours.into_iter().chain(self.files.clone()).collect()
    }

    /// The chains that we write after the lines that firewalld takes.
    fn written(&self) -> Chains {
        let taken = self.lines.iter().filter(|(_, is_taken)| *is_taken);
        let script = taken.map(|(line, _)| format!("{line}\n")).collect::<String>();
        let files = self.all_files(&script);
        let mut sources = Sources::default();
        let lab = resolve(&inputs(&mut sources, &files)).value;
        let dataplane = lower::lower(&lab);
        let (_, node) = dataplane.nodes().find(|(_, node)| node.name == "h").unwrap();
        if self.backend == "nftables" {
            nft_chains(&nft::render(&node.ruleset, &Beside::Nothing))
        } else {
            iptables_chains(&iptables::render(node, &dataplane.switches, &Beside::Nothing))
        }
    }

    /// Which of the lines we report: a line that is refused changes nothing, so that one script has them all.
    fn finish(&mut self) {
        let script = self.lines.iter().map(|(line, _)| format!("{line}\n")).collect::<String>();
        let files = self.all_files(&script);
        let mut sources = Sources::default();
        let mut diagnostics = Vec::new();
        let mut read = Vec::new();
        for (path, text) in &files {
            let source = sources.add(path, text);
            let Some(format) = frontend::detect(path, text) else { continue };
            let one = frontend::read(format, source, path, text, &Environment::default());
            diagnostics.extend(one.diagnostics);
            read.push(Input { source, path: path.clone(), declarations: one.value });
        }
        diagnostics.extend(resolve(&read).diagnostics);
        let script_source = read.iter().find(|input| input.path == "setup.sh").unwrap().source;
        let mut start = 0;
        for (line, is_taken) in &self.lines {
            let place = start..start + line.len();
            start = place.end + 1;
            let about = diagnostics.iter().find(|d| {
                let at = d.labels.first().map(|label| label.span);
                let is_here = at.is_some_and(|at| at.source == script_source && place.contains(&at.start));
                is_here && d.code != Code::FirewalldNotReloaded && d.code != Code::Unmodeled
            });
            match (is_taken, about) {
                (true, Some(d)) => {
                    self.score.wrongly += 1;
                    writeln!(self.complaints, "  taken: {line}\n    reported: {}", d.message).unwrap();
                }
                (false, found) => {
                    self.score.refused += 1;
                    self.score.reported += u32::from(found.is_some());
                    if found.is_none() {
                        writeln!(self.complaints, "  refused: {line}").unwrap();
                    }
                }
                (true, None) => {}
            }
        }
    }
}

fn inputs(sources: &mut Sources, files: &[(String, String)]) -> Vec<Input> {
    let mut inputs = Vec::new();
    for (path, text) in files {
        let source = sources.add(path, text);
        let Some(format) = frontend::detect(path, text) else { continue };
        let declarations = frontend::read(format, source, path, text, &Environment::default()).value;
        inputs.push(Input { source, path: path.clone(), declarations });
    }
    inputs
}

fn expected_rules(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let is_frame = |line: &String| {
        line.is_empty()
            || line == "}"
            || line.starts_with("table ")
            || line.starts_with("chain ")
            || line.starts_with("dnl")
    };
    lines.filter(|line| !is_frame(line)).collect()
}

/// A chain without what only concerns IPv6, counts, or writes to a log: see the module of the lowering. If it only
/// accepts, the order does not matter.
fn without_effect(rules: &[String]) -> Vec<String> {
    let words = ["icmpv6", "nfproto ipv6", "ip6 ", "log ", "ct helper", "maxseg"];
    let targets = ["LOG ", "NFLOG ", "AUDIT ", "TCPMSS ", "CT "];
    let is_left_out = |rule: &String| {
        words.iter().any(|word| rule.contains(word))
            || rule.ends_with(" log")
            || targets.iter().any(|word| rule.starts_with(word))
    };
    let kept = rules.iter().filter(|rule| !is_left_out(rule));
    // Whether a port was dialled and whether the destination was rewritten is one question in a chain for rewritten ones.
    let words = ["counter packets 0 bytes 0 ", "ctstate DNAT ", " ctdir ORIGINAL"];
    let plain = |rule: &String| words.iter().fold(rule.clone(), |rule, word| rule.replace(word, ""));
    let mut kept: Vec<String> = kept.map(plain).collect();
    if kept.iter().all(|rule| rule.ends_with("accept") || rule.starts_with("ACCEPT ")) {
        kept.sort();
        kept.dedup();
    }
    kept
}

fn marks(rule: &str) -> bool {
    rule.contains("mark")
}

/// Chains of the text of `nft list ruleset`, in the words of the tests.
fn nft_chains(text: &str) -> Chains {
    let mut chains = Chains::new();
    let mut chain = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("chain ").and_then(|line| line.strip_suffix(" {")) {
            name.clone_into(&mut chain);
            chains.entry(chain.clone()).or_default();
        } else if let (Some(rules), false) =
            (chains.get_mut(&chain), line.is_empty() || line == "}" || line.starts_with("type "))
        {
            rules.push(nft_rule(line));
        }
    }
    chains
}

fn nft_rule(line: &str) -> String {
    let mut line = line.replace("meta mark", "mark").replace("icmp type ", "icmp ");
    if let Some((states, rest)) = line.strip_prefix("ct state { ").and_then(|line| line.split_once(" }")) {
        line = format!("ct state {}{rest}", states.replace(", ", ","));
    }
    if line.ends_with("reject") {
        line += " with icmp port-unreachable";
    }
    line
}

/// Chains of the text of `iptables-save`, as `iptables -n -L` prints them: without interfaces.
fn iptables_chains(text: &str) -> Chains {
    let mut chains = Chains::new();
    let mut table = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('*') {
            name.clone_into(&mut table);
        } else if let Some((chain, _)) = line.strip_prefix(':').and_then(|line| line.split_once(' ')) {
            chains.entry(format!("{table} {chain}")).or_default();
        } else if let Some((chain, rule)) = line.strip_prefix("-A ").and_then(|line| line.split_once(' ')) {
            chains.get_mut(&format!("{table} {chain}")).unwrap().push(listed_rule(rule));
        }
    }
    chains
}

fn listed_rule(rule: &str) -> String {
    let (mut target, mut protocol) = (String::new(), "0".to_owned());
    let (mut source, mut destination) = ("0.0.0.0/0".to_owned(), "0.0.0.0/0".to_owned());
    let mut more: Vec<String> = Vec::new();
    let mut named = String::new();
    let mut not = "";
    let mut words = rule.split(' ');
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or("");
        let ports =
            |value: &str, name: &str| format!("{name}{}:{not}{value}", if value.contains(':') { "s" } else { "" });
        match word {
            "!" => {
                not = "!";
                continue;
            }
            "-s" => source = format!("{not}{}", value().trim_end_matches("/32")),
            "-d" => destination = format!("{not}{}", value().trim_end_matches("/32")),
            "-i" | "-o" => drop(value()),
            "-p" => {
                named = value().to_owned();
                protocol = protocol_number(&named).to_owned();
            }
            "-m" => drop(value()),
            "--dport" => more.push(format!("{named} {}", ports(value(), "dpt"))),
            "--sport" => more.push(format!("{named} {}", ports(value(), "spt"))),
            "--ctstate" => more.push(format!("{not}ctstate {}", value())),
            "--icmp-type" => more.push(format!("icmptype {}", value())),
            "--mark" => more.push(format!("mark match {}", value())),
            "-j" | "-g" => target = value().to_owned(),
            "--reject-with" => more.push(format!("reject-with {}", value())),
            "--to-destination" => more.push(format!("to:{}", value())),
            "--ctorigdstport" => more.push(format!("ctorigdstport {}", value())),
            "--set-xmark" => more.push(format!("MARK xset {}", value())),
            other => more.push(other.to_owned()),
        }
        not = "";
    }
    let line = format!("{target} {protocol} -- {source} {destination} {}", more.join(" "));
    line.trim().to_owned()
}

fn protocol_number(name: &str) -> &str {
    match name {
        "tcp" => "6",
        "udp" => "17",
        "icmp" => "1",
        "sctp" => "132",
        "dccp" => "33",
        other => other,
    }
}

/// Which release a checkout is.
fn release(source: &Path) -> String {
    let spec = std::fs::read_to_string(source.join("firewalld.spec")).unwrap();
    let version = spec.lines().find_map(|line| line.strip_prefix("Version:")).unwrap();
    version.trim().to_owned()
}

/// What a feature's file says, with each backend.
fn score(version: &str, text: &str, complaints: &mut String) -> Score {
    let mut all = Score::default();
    for backend in ["nftables", "iptables"] {
        let mut test: Option<Test<'_>> = None;
        let mut finish = |test: Option<Test<'_>>| {
            if let Some(mut test) = test {
                test.finish();
                all.add(test.score);
                if !test.complaints.is_empty() {
                    writeln!(complaints, "{backend}\n{}", test.complaints).unwrap();
                }
            }
        };
        for call in m4::calls(text, backend) {
            if call.name == "FWD_START_TEST" {
                finish(test.replace(Test::new(version, backend)));
            } else if let Some(test) = &mut test {
                test.call(&call);
            }
        }
        finish(test);
    }
    all
}

/// How often we agree with each release, as it was found. What differs: the names of chains that are too long for
/// iptables, which are random; sets, which are written out; prerouting of 2.5.0, which is written as 2.5.2 does it; the
/// policies of `--policy-set`; and chains that were made before an interface came to their zone.
const FOUND: &str = include_str!("../fixtures/firewalld-features.tsv");

#[test]
#[ignore = "needs firewalld's repository: FIREWALLD_SOURCE=DIRECTORY"]
fn the_rules_are_those_that_firewalld_tests() {
    let source = PathBuf::from(std::env::var_os("FIREWALLD_SOURCE").unwrap());
    let version = release(&source);
    let only = std::env::var("FEATURE").ok();
    let mut found = String::new();
    let mut total = Score::default();
    let directory = source.join("src/tests/features");
    let mut names: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    for path in names {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let mut complaints = String::new();
        let score = score(&version, &std::fs::read_to_string(&path).unwrap(), &mut complaints);
        total.add(score);
        if score != Score::default() {
            writeln!(found, "{version}\t{name}\t{}", score.row()).unwrap();
        }
        if !complaints.is_empty() {
            println!("=== {name}\n{complaints}");
        }
    }
    writeln!(found, "{version}\ttotal\t{}", total.row()).unwrap();
    println!("{found}");
    let of_release = FOUND.lines().filter(|line| line.split('\t').next() == Some(&version));
    let expected = of_release.map(|line| format!("{line}\n")).collect::<String>();
    assert!(only.is_some() || found == expected, "expected\n{expected}");
}
