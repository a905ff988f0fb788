//! The command line, as typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::language;

/// Decides who can reach what in a lab of VMs, containers and firewalls, from the files on disk, and shows why.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
    /// The language of results for people; by default that of the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`).
    #[arg(long, global = true, value_enum)]
    pub(super) lang: Option<Lang>,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 every sentence holds; 1 a sentence is violated; 2 the arguments or some of \
the files cannot be used, or there is no sentence; 3 a sentence cannot be decided.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
    /// For spreadsheets: only `exposure`.
    Csv,
    /// SARIF 2.1.0, for code scanning: only `check` and `lint`, as those that follow.
    Sarif,
    /// Annotations of a workflow run on GitHub.
    Github,
    /// JUnit XML, for CI servers.
    Junit,
    /// A comment on a pull request.
    Markdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Lang {
    En,
    Ko,
}

impl From<Lang> for language::Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => Self::English,
            Lang::Ko => Self::Korean,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Decide every sentence of a lab.
    Check(CheckArguments),
    /// Decide one sentence.
    Ask(AskArguments),
    /// Compare two connections, or one in two labs: where do they part?
    Why(WhyArguments),
    /// Follow one connection step by step.
    Trace(TraceArguments),
    /// Print the rules that the products write on a host.
    Rules(RulesArguments),
    /// Draw a lab: the houses inside houses, their doors, and the way of a sentence through them.
    Graph(GraphArguments),
    /// Write everything about a lab as one page for a browser, which needs no network.
    Report(ReportArguments),
    /// Show who can reach what: everything that listens, and the addresses at which everyone else can dial it.
    Exposure(ExposureArguments),
    /// Show what a change opens and closes, with the lines that do it. Exit code 0: no difference; 1: differences.
    Diff(DiffArguments),
    /// Show ways out of violated sentences as patches, each tried, with what else it opens.
    Fix(FixArguments),
    /// What to try on the real machines, with the predicted outcomes, in the order of a debugging checklist.
    Probe(ProbeArguments),
    /// Show what the sentences leave open: lines that none exercises, changes that none would notice.
    Coverage(CoverageArguments),
    /// Look for mistakes that need no sentence. Exit code 0: none; 1: warnings.
    Lint(LintArguments),
    /// Write what VirtualBox, docker, firewalld, ufw and ip list on this machine into a directory, to be checked. Changes
    /// nothing else.
    Collect(CollectArguments),
    /// Draft a lab.yaml: the machines, addresses and releases that the files leave open, with what is assumed of them.
    Init(InitArguments),
    /// Write down who can reach what today, as sentences.
    Infer(InferArguments),
    /// Turn violated sentences round to what is the case.
    Accept(AcceptArguments),
    /// Serve an editor over standard input and output: diagnostics, who can reach a line, quick fixes.
    Lsp,
    /// Explain a code like `canreach::nat::no_inbound` or the topic of a lesson, or list all codes.
    Explain(ExplainArguments),
    /// Give a lesson that follows connections step by step, or list the lessons.
    Teach(TeachArguments),
    /// Print what makes a shell complete commands and options.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    #[command(name = "man")]
    Manual,
    /// Print a JSON Schema, for editors and for programs that read what `--format json` prints.
    Schema {
        /// Of what.
        name: SchemaName,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaName {
    /// `lab.yaml`.
    Lab,
    /// Files of sentences.
    Sentences,
    /// What `--format json` prints.
    Report,
}

#[derive(Args, Debug)]
pub(super) struct CheckArguments {
    /// Directories or files of the lab.
    #[arg(default_value = ".")]
    pub(super) paths: Vec<PathBuf>,
    /// Print a stage of the analysis instead of verdicts.
    #[arg(long, value_enum)]
    pub(super) emit: Option<Emit>,
    /// Call a verdict undecided that hangs on an assumption: on something that no file states.
    #[arg(long)]
    pub(super) strict: bool,
    /// Decide every sentence under other releases and settings, too, wherever no file states them, and show which of
    /// them change an answer.
    #[arg(long, conflicts_with_all = ["emit", "strict"])]
    pub(super) matrix: bool,
    /// Do it again whenever a file changes, until Ctrl-C.
    #[arg(long)]
    pub(super) watch: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Emit {
    /// Who is there and how it is configured.
    Lab,
    /// What the products make of it: nodes, links, rules, relays, sockets.
    Dataplane,
    /// What is asked of the solver.
    Smt2,
}

#[derive(Args, Debug)]
pub(super) struct AskArguments {
    /// Directory or file of the lab.
    pub(super) lab: PathBuf,
    /// Like "mac/browser can reach grafana:3000".
    pub(super) sentence: String,
}

#[derive(Args, Debug)]
pub(super) struct WhyArguments {
    /// Directory or file of the lab.
    pub(super) lab: PathBuf,
    /// Like "lan can reach web:80 at 192.168.1.20:28080".
    pub(super) sentence: String,
    /// What to compare it with: another sentence.
    #[arg(required_unless_present = "within")]
    pub(super) other: Option<String>,
    /// Another lab; without another sentence, the same one is asked there.
    #[arg(long = "in", value_name = "LAB")]
    pub(super) within: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct TraceArguments {
    /// Directory or file of the lab.
    pub(super) lab: PathBuf,
    /// Who dials: a host, or HOST/CONTAINER.
    #[arg(long, required_unless_present = "flows", conflicts_with = "flows")]
    pub(super) from: Option<String>,
    /// What is dialled: an address, or a name that the dialler can resolve.
    #[arg(long, required_unless_present = "flows", conflicts_with = "flows")]
    pub(super) to: Option<String>,
    /// Port; a ping has none.
    #[arg(long, conflicts_with = "flows", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: Option<u16>,
    /// Protocol.
    #[arg(long, value_enum, default_value_t = Transport::Tcp, conflicts_with = "flows")]
    pub(super) proto: Transport,
    /// Source port of the dialler.
    #[arg(long, default_value_t = 50000, conflicts_with = "flows")]
    pub(super) source_port: u16,
    /// Follow every flow of a JSON file, a list of {"from", "to", "port", "proto"}; prints one JSON row for each.
    #[arg(long, value_name = "FILE")]
    pub(super) flows: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Transport {
    Tcp,
    Udp,
    Icmp,
}

#[derive(Args, Debug)]
pub(super) struct RulesArguments {
    /// Directory or file of the lab.
    pub(super) lab: PathBuf,
    /// The host whose rules are printed.
    pub(super) host: String,
}

#[derive(Args, Debug)]
pub(super) struct GraphArguments {
    /// Directory or file of the lab.
    #[arg(default_value = ".")]
    pub(super) lab: PathBuf,
    /// Like "mac/browser can reach grafana:3000": its way is drawn, and what blocks it.
    #[arg(long)]
    pub(super) sentence: Option<String>,
    /// The language of the picture.
    #[arg(long = "as", value_name = "LANGUAGE", value_enum, default_value_t = Language::Svg)]
    pub(super) language: Language,
    /// Where it is written; otherwise it is printed.
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// A picture for browsers and documents.
    Svg,
    /// Text that GitHub and many wikis draw.
    Mermaid,
    /// Text for Graphviz.
    Dot,
}

#[derive(Args, Debug)]
pub(super) struct ReportArguments {
    /// Directory or file of the lab.
    #[arg(default_value = ".")]
    pub(super) lab: PathBuf,
    /// Where the page is written; otherwise it is printed.
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct ExposureArguments {
    /// Directory or file of the lab.
    #[arg(default_value = ".")]
    pub(super) lab: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct DiffArguments {
    /// The lab before: a directory or file, `git:REV`, or `git:REV:DIRECTORY`; alone, two revisions A..B.
    pub(super) old: String,
    /// The lab after, likewise.
    pub(super) new: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct FixArguments {
    /// Directory or file of the lab.
    #[arg(default_value = ".")]
    pub(super) lab: PathBuf,
    /// Write the first fix of each violated sentence into the files and check again.
    #[arg(long)]
    pub(super) apply: bool,
}

#[derive(Args, Debug)]
pub(super) struct ProbeArguments {
    /// Directory or file of the lab.
    #[arg(default_value = ".")]
    pub(super) lab: PathBuf,
    /// One sentence; without it, all of the lab.
    pub(super) sentence: Option<String>,
    /// The printed list with what was seen behind each `=>`: says which assumption is wrong. Exit code 1: one is.
    #[arg(long, value_name = "FILE")]
    pub(super) observed: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct CoverageArguments {
    /// Directory or file of the lab.
    #[arg(default_value = ".")]
    pub(super) lab: PathBuf,
    /// Print an lcov tracefile.
    #[arg(long)]
    pub(super) lcov: bool,
}

#[derive(Args, Debug)]
pub(super) struct LintArguments {
    /// Directories or files of the lab.
    #[arg(default_value = ".")]
    pub(super) paths: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct CollectArguments {
    /// A new directory.
    pub(super) directory: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct InitArguments {
    /// Directory or file of the lab.
    #[arg(default_value = ".")]
    pub(super) lab: PathBuf,
    /// Show the draft, and write nothing.
    #[arg(long)]
    pub(super) print: bool,
}

#[derive(Args, Debug)]
pub(super) struct InferArguments {
    /// Directory or file of the lab.
    #[arg(default_value = ".")]
    pub(super) lab: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct AcceptArguments {
    /// Directory or file of the lab.
    #[arg(default_value = ".")]
    pub(super) lab: PathBuf,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Args, Debug)]
pub(super) struct ExplainArguments {
    /// A code or its tail: `nat::no_inbound`; or a lesson's topic.
    pub(super) code: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct TeachArguments {
    /// The lesson's topic.
    pub(super) topic: Option<String>,
    /// Give the answer to the lesson's question.
    #[arg(long, requires = "topic")]
    pub(super) answer: bool,
    /// Write the labs of the lesson below a directory, to ask questions about.
    #[arg(long, value_name = "DIRECTORY", requires = "topic", conflicts_with = "answer")]
    pub(super) copy: Option<PathBuf>,
    /// Write the lesson, or without a topic all of them, as an HTML page to walk through.
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["answer", "copy"])]
    pub(super) output: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn command_lines_are_accepted_or_not() {
        let check = |line: &str, accepted: bool| {
            let words = std::iter::once("canreach").chain(line.split_whitespace());
            assert_eq!(Arguments::try_parse_from(words).is_ok(), accepted, "{line}");
        };
        check("check", true);
        check("check a b --emit smt2", true);
        check("--format json check", true);
        check("ask lab sentence", true);
        check("ask lab", false);
        check("why lab one other", true);
        check("why lab one --in other", true);
        check("why lab one", false);
        check("trace lab --from a --to b --port 1", true);
        check("trace lab --from a --to b --proto icmp", true);
        check("trace lab --from a --port 1", false);
        check("trace lab --flows f.json", true);
        check("trace lab --flows f.json --from a", false);
        check("trace lab --from a --to b --port 0", false);
        check("infer", true);
        check("accept lab --dry-run", true);
        check("explain", true);
        check("teach nat --answer", true);
        check("teach --answer", false);
        check("lsp", true);
        check("exposure", true);
        check("diff old new", true);
        check("fix", true);
        check("probe lab", true);
        check("probe lab sentence --observed f", true);
        check("coverage --lcov", true);
        check("lint", true);
        check("lint a b", true);
        check("fix lab --apply", true);
        check("graph", true);
        check("graph lab --sentence s --as dot -o file", true);
        check("graph lab --as png", false);
        check("report lab --output file", true);
        check("diff main..HEAD", true);
        check("diff", false);
        check("exposure lab --format csv", true);
    }
}
