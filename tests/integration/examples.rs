//! The labs of `examples/` get the verdicts that the real thing gives, and the edits that are offered work: each is
//! made in a copy, which is read again from scratch.

use std::path::{Path, PathBuf};
use std::{fs, slice};

use canreach::check::{self, Answer, Checked, Edit, Fix, Judgement};
use canreach::cli::load;
use canreach::dataplane::{Dataplane, Symptom};
use canreach::diagnostic::Diagnostic;
use canreach::lab::{self, Lab};
use canreach::lower;
use canreach::report::{Report, Style, terminal};
use canreach::source::{Sources, Span};

use crate::support::Directory;

/// Sentence by sentence: `holds`, or `violated`, what the person sees, and the places that are to blame, in path order.
/// A line that is missing is named by the line above it.
const EXPECTED: &[(&str, &[&str])] = &[
    ("app-on-loopback", &["violated reset setup.sh:11", "holds", "holds"]),
    ("bridged", &["holds", "holds", "holds", "holds", "holds", "holds"]),
    ("default-bridge-names", &["violated unresolved setup.sh:11", "holds", "holds"]),
    ("firewalld-host-network", &["violated no-route lab.yaml:17", "holds", "holds", "holds"]),
    ("firewalld-not-reloaded", &["violated no-route setup.sh:10", "holds"]),
    ("firewalld-opened", &["holds", "holds"]),
    ("firewalld-published", &["holds", "violated works setup.sh:11 lab.yaml:17 setup.sh:11"]),
    ("guest-loopback-publish", &["violated reset setup.sh:10", "holds", "holds"]),
    ("host-only", &["holds", "holds", "holds", "holds", "holds"]),
    ("learning", &["holds"; 10]),
    ("nat-double-forward", &["holds"; 8]),
    ("nat-forward-exposes-lan", &["holds", "violated works rocky.vbox:38 setup.sh:10 lab.yaml:17 setup.sh:10"]),
    ("nat-no-forward", &["violated refused rocky.vbox:36", "holds", "holds", "holds", "holds"]),
    ("network-host", &["holds", "holds", "holds", "holds"]),
    ("network-none", &["violated reset setup.sh:10", "violated unreachable setup.sh:10", "holds", "holds", "holds"]),
    ("no-publish", &["violated reset setup.sh:10", "holds", "holds", "holds"]),
    ("nothing-open", &["violated refused rocky.vbox:36 setup.sh:10", "holds", "holds"]),
    ("production", &["holds"; 13]),
    ("two-networks", &["violated timeout compose.yaml:7", "holds", "holds", "holds", "holds"]),
    ("user-network-names", &["holds", "holds", "holds"]),
    ("vagrant", &["holds", "holds", "holds", "holds", "holds", "holds"]),
    ("wrong-container-port", &["violated reset setup.sh:10", "holds", "holds"]),
];

/// A lab that was read and understood.
struct Example {
    sources: Sources,
    lab: Lab,
    dataplane: Dataplane,
    diagnostics: Vec<Diagnostic>,
}

impl Example {
    fn open(directory: &Path) -> Self {
        let loaded = load::load(slice::from_ref(&directory.to_owned())).unwrap();
        let resolved = lab::resolve(&loaded.labs[0].inputs);
        let dataplane = lower::lower(&resolved.value);
        let diagnostics = loaded.diagnostics.into_iter().chain(resolved.diagnostics).collect();
        Self { sources: loaded.sources, lab: resolved.value, dataplane, diagnostics }
    }

    fn check(&self) -> Checked {
        check::check_all(&self.lab, &self.dataplane, &self.sources, &self.lab.sentences).unwrap()
    }

    fn said_of(&self, judgement: &Judgement) -> String {
        let verdict = &judgement.verdict;
        if verdict.answer != Answer::Violated {
            return format!("{:?}", verdict.answer).to_lowercase();
        }
        let seen = verdict.failure.as_ref().map_or(Symptom::Works, |f| f.trace.outcome.symptom);
        let mut said = format!("violated {}", symptom_word(seen));
        for span in verdict.blockers.iter().filter_map(|b| b.origin.span()) {
            said += &format!(" {}", place(&self.sources, span));
        }
        said
    }
}

fn symptom_word(symptom: Symptom) -> &'static str {
    match symptom {
        Symptom::Works => "works",
        Symptom::Refused => "refused",
        Symptom::AcceptedThenClosed => "reset",
        Symptom::TimedOut => "timeout",
        Symptom::HostUnreachable | Symptom::NoNeighbor => "no-route",
        Symptom::NetUnreachable => "unreachable",
        Symptom::NameNotResolved => "unresolved",
    }
}

/// File and line, without the column.
fn place(sources: &Sources, span: Span) -> String {
    format!("{}:{}", sources.get(span.source).name, sources.position(span).line)
}

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

#[test]
fn every_lab_gets_the_verdicts_of_the_real_thing() {
    let mut wrong = Vec::new();
    for (name, expected) in EXPECTED {
        let example = Example::open(&directory(name));
        let checked = example.check();
        assert!(checked.diagnostics.is_empty(), "{name}: {:?}", checked.diagnostics);
        assert_eq!(checked.judgements.len(), expected.len(), "{name}");
        for (judgement, expected) in checked.judgements.iter().zip(*expected) {
            let said = example.said_of(judgement);
            if said != *expected {
                wrong.push(format!("{name}: {}: {said}, expected {expected}", judgement.statement.sentence.value));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_lab_is_tested_and_documented() {
    let entries = fs::read_dir(directory("")).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir());
    let mut names: Vec<String> = entries.map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, EXPECTED.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
    let index = fs::read_to_string(directory("README.md")).unwrap();
    for name in names {
        assert!(index.contains(&format!("({name})")), "examples/README.md does not mention {name}");
        let page = fs::read_to_string(directory(&name).join("README.md")).unwrap();
        assert!(page.contains(&format!("canreach check examples/{name}\n")), "{name}");
    }
}

#[test]
fn what_a_person_reads() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/examples");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, _) in EXPECTED {
        let example = Example::open(&directory(name));
        let mut diagnostics = example.diagnostics.clone();
        let checked = example.check();
        diagnostics.extend(checked.diagnostics);
        let report = Report { judgements: checked.judgements, diagnostics, dataplane: example.dataplane };
        let text = terminal::render(&report, &example.sources, Style::PLAIN);
        settings.bind(|| insta::assert_snapshot!(*name, text));
    }
}

/// Every way out that is offered makes its sentence true, and no sentence about a wish false that was true.
#[test]
fn the_offered_edits_work() {
    let mut wrong = Vec::new();
    for (name, _) in EXPECTED {
        let example = Example::open(&directory(name));
        let before = example.check().judgements;
        for (index, judgement) in before.iter().enumerate() {
            for fix in &judgement.verdict.fixes {
                let edited = Edited::of(name, &example.sources, fix);
                let after = Example::open(edited.0.path()).check().judgements;
                for (number, (was, is)) in before.iter().zip(&after).enumerate() {
                    let is_symptom = was.statement.sentence.value.contains(" with ");
                    let was_true = was.verdict.answer == Answer::Holds && !is_symptom;
                    if (number == index || was_true) && is.verdict.answer != Answer::Holds {
                        let what: Vec<_> = fix.edits.iter().map(|e| e.what.as_str()).collect();
                        wrong.push(format!(
                            "{name}: {what:?} and then `{}`: {:?}",
                            is.statement.sentence.value, is.verdict.answer
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lines that no edit of a file can mend have somebody who says what to do.
#[test]
fn every_violated_wish_has_a_way_out() {
    for (name, _) in EXPECTED {
        for Judgement { statement, verdict } in Example::open(&directory(name)).check().judgements {
            let helped = !verdict.fixes.is_empty() || verdict.answer == Answer::Holds;
            assert!(helped, "{name}: {}", statement.sentence.value);
        }
    }
}

/// A copy of a lab with the edits of a fix. What is to be typed goes to the end of the VM's script.
struct Edited(Directory);

impl Edited {
    fn of(name: &str, sources: &Sources, fix: &Fix) -> Self {
        let mut files: Vec<(String, String)> =
            sources.iter().map(|(_, source)| (source.name.clone(), source.text.to_string())).collect();
        let mut edits: Vec<&Edit> = fix.edits.iter().collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.at.map(|at| at.start)));
        for edit in edits {
            match edit.at {
                Some(at) => {
                    let file = files.iter_mut().find(|(file, _)| *file == sources.get(at.source).name).unwrap();
                    file.1.replace_range(at.start..at.end, &edit.text);
                }
                None => {
                    let script = files.iter_mut().find(|(file, _)| file == "setup.sh");
                    let (_, text) = script.unwrap_or_else(|| panic!("{name}: where is `{}` typed?", edit.text));
                    *text += &format!("{}\n", edit.text);
                }
            }
        }
        let files: Vec<(&str, &[u8])> = files.iter().map(|(file, text)| (file.as_str(), text.as_bytes())).collect();
        Self(Directory::with(&files))
    }
}
