//! The checklist, as a form to be filled in, and what the answers mean.

use serde::Serialize;

use crate::check::{Finding, Probe};
use crate::language::text;
use crate::provenance::Origin;
use crate::source::Sources;

use super::Style;
use super::json::{self, FORMAT};

/// The form: every line is a command with the predicted outcome.
pub fn form(probes: &[Probe], style: Style) -> String {
    let introduction = text!(
        "# Run these from top to bottom. Where something else is seen than what stands behind `=>`, write that\n\
         # there, and read it back with `--observed FILE`. `?` stands for what was not tried.\n\
         # Connections: works refused reset timeout no-route unreachable unresolved. Listeners: everywhere, an\n\
         # address, listening, nothing.\n",
        "# 위에서부터 차례로 실행하십시오. `=>` 뒤에 적힌 것과 다른 결과가 보이면 그 자리에 본 대로 적고,\n\
         # `--observed FILE`로 다시 읽히십시오. `?`는 시험해 보지 않았다는 뜻입니다.\n\
         # 연결: works refused reset timeout no-route unreachable unresolved. 대기: everywhere, 주소,\n\
         # listening, nothing.\n"
    );
    let mut text = style.say(&introduction).to_owned();
    let mut stage = None;
    for probe in probes {
        if stage.replace(probe.stage) != Some(probe.stage) {
            text += &format!("\n# {}\n", style.say(&probe.stage.question()));
        }
        text += &format!("on {}: {} => {}\n", probe.on, probe.command, probe.predicted);
    }
    text
}

/// What was seen otherwise, and which line to look at.
pub fn findings(probes: &[Probe], findings: &[Finding], sources: &Sources, style: Style) -> String {
    if findings.is_empty() {
        return style.say(&text!("everything is as predicted\n", "모두 예상과 같습니다\n")).to_owned();
    }
    let mut text = String::new();
    for finding in findings {
        let Some(probe) = probes.get(finding.probe) else { continue };
        let head = match finding.is_consequence {
            true => text!("then, perhaps because of that", "다음, 아마 그 때문에"),
            false => text!("first wrong", "처음으로 다른 것"),
        };
        text += &format!("{}: on {}: {}\n", style.say(&head), probe.on, probe.command);
        let (predicted, observed) = (&probe.predicted, &finding.observed);
        let seen = text!("  predicted {predicted}, seen {observed}\n", "  예상 {predicted}, 실제 {observed}\n");
        text += style.say(&seen);
        for (what, origin) in &finding.wrong {
            let place = place(origin.as_ref(), sources).map_or(String::new(), |place| format!(" ({place})"));
            text += style.say(&text!("  look at: {what}{place}\n", "  살펴볼 것: {what}{place}\n"; what));
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
        question: probe.stage.question().to_string(),
        on: probe.on.clone(),
        command: probe.command.clone(),
        predicted: probe.predicted.clone(),
        assumes: probe.assumes.to_string(),
        at: place(probe.origin.as_ref(), sources),
    };
    let finding = |finding: &Finding| FindingJson {
        probe: finding.probe,
        observed: finding.observed.clone(),
        is_consequence: finding.is_consequence,
        wrong: finding
            .wrong
            .iter()
            .map(|(what, origin)| WrongJson { what: what.to_string(), at: place(origin.as_ref(), sources) })
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
    question: String,
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
