//! The checklist, as a form to be filled in, and what the answers mean.

use serde::Serialize;

use crate::check::{Finding, Probe};
use crate::provenance::Origin;
use crate::source::Sources;

use super::json::{self, FORMAT};

/// The form: every line is a command with the predicted outcome.
pub fn form(probes: &[Probe]) -> String {
    let mut text =
        "# Run these from top to bottom. Where something else is seen than what stands behind `=>`, write that\n\
         # there, and read it back with `--observed FILE`. `?` stands for what was not tried.\n\
         # Connections: works refused reset timeout no-route unreachable unresolved. Listeners: everywhere, an\n\
         # address, listening, nothing.\n"
            .to_owned();
    let mut stage = None;
    for probe in probes {
        if stage.replace(probe.stage) != Some(probe.stage) {
            text += &format!("\n# {}\n", probe.stage.question());
        }
        text += &format!("on {}: {} => {}\n", probe.on, probe.command, probe.predicted);
    }
    text
}

/// What was seen otherwise, and which line to look at.
pub fn findings(probes: &[Probe], findings: &[Finding], sources: &Sources) -> String {
    if findings.is_empty() {
        return "everything is as predicted\n".to_owned();
    }
    let mut text = String::new();
    for finding in findings {
        let Some(probe) = probes.get(finding.probe) else { continue };
        let head = if finding.is_consequence { "then, perhaps because of that" } else { "first wrong" };
        text += &format!("{head}: on {}: {}\n", probe.on, probe.command);
        text += &format!("  predicted {}, seen {}\n", probe.predicted, finding.observed);
        for (what, origin) in &finding.wrong {
            let place = place(origin.as_ref(), sources).map_or(String::new(), |place| format!(" ({place})"));
            text += &format!("  look at: {what}{place}\n");
        }
    }
    text
}

fn place(origin: Option<&Origin>, sources: &Sources) -> Option<String> {
    origin.and_then(Origin::span).map(|span| sources.place(span))
}

/// Both as one JSON document.
pub fn json(probes: &[Probe], findings: &[Finding], sources: &Sources) -> String {
    let probe = |probe: &Probe| ProbeJson {
        question: probe.stage.question(),
        on: probe.on.clone(),
        command: probe.command.clone(),
        predicted: probe.predicted.clone(),
        assumes: probe.assumes.clone(),
        at: place(probe.origin.as_ref(), sources),
    };
    let finding = |finding: &Finding| FindingJson {
        probe: finding.probe,
        observed: finding.observed.clone(),
        is_consequence: finding.is_consequence,
        wrong: finding
            .wrong
            .iter()
            .map(|(what, origin)| WrongJson { what: what.clone(), at: place(origin.as_ref(), sources) })
            .collect(),
    };
    json::document(&ProbeDocument {
        format: FORMAT,
        probes: probes.iter().map(probe).collect(),
        findings: findings.iter().map(finding).collect(),
    })
}

#[derive(Serialize)]
struct ProbeDocument {
    format: &'static str,
    probes: Vec<ProbeJson>,
    findings: Vec<FindingJson>,
}

#[derive(Serialize)]
struct ProbeJson {
    question: &'static str,
    on: String,
    command: String,
    predicted: String,
    assumes: String,
    at: Option<String>,
}

#[derive(Serialize)]
struct FindingJson {
    probe: usize,
    observed: String,
    is_consequence: bool,
    wrong: Vec<WrongJson>,
}

#[derive(Serialize)]
struct WrongJson {
    what: String,
    at: Option<String>,
}
