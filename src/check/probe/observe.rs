//! What was seen, read back: `on HOST: COMMAND => OUTCOME`, one a line. The first answer of the checklist that is not the
//! predicted one is where the model is wrong; what comes behind it may follow from that.

use crate::dataplane::Dataplane;
use crate::eval;
use crate::language::Text;
use crate::provenance::Origin;
use crate::switch::SwitchKind;

use super::{Probe, word};

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Its number, from 1.
    pub line: usize,
    /// The machine.
    pub on: String,
    /// What was typed.
    pub command: String,
    /// What was seen, in one word.
    pub outcome: String,
}

/// An answer that was not expected.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The probe, by index.
    pub probe: usize,
    /// What was seen.
    pub observed: String,
    /// It may follow from an earlier one.
    pub is_consequence: bool,
    /// What is wrong then: the probe's own assumption, or one that explains what was seen.
    pub wrong: Vec<(Text, Option<Origin>)>,
}

/// Reads the form; `#` begins a comment line, `?` or nothing stands for what was not tried. The numbers of lines that are
/// not understood come second.
pub fn read_observed(text: &str) -> (Vec<Observed>, Vec<usize>) {
    let mut observed = Vec::new();
    let mut unreadable = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(number, line) {
            Some(entry) => observed.push(entry),
            None => unreadable.push(number),
        }
    }
    (observed, unreadable)
}

fn entry(line: usize, text: &str) -> Option<Observed> {
    let (asked, outcome) = text.rsplit_once("=>")?;
    let (on, command) = asked.strip_prefix("on ")?.split_once(": ")?;
    let outcome = outcome.trim().trim_end_matches('?').to_owned();
    Some(Observed { line, on: on.trim().to_owned(), command: command.trim().to_owned(), outcome })
}

/// Everything that was seen otherwise than predicted, in the order of the checklist.
pub fn diagnose(dataplane: &Dataplane, probes: &[Probe], observed: &[Observed]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (index, probe) in probes.iter().enumerate() {
        let seen = observed.iter().find(|o| o.on == probe.on && o.command == probe.command);
        let Some(seen) = seen.filter(|seen| !seen.outcome.is_empty() && seen.outcome != probe.predicted) else {
            continue;
        };
        let explained = explanations(dataplane, probe, &seen.outcome);
        let own = vec![(probe.assumes.clone(), probe.origin.clone())];
        findings.push(Finding {
            probe: index,
            observed: seen.outcome.clone(),
            is_consequence: !findings.is_empty(),
            wrong: if explained.is_empty() { own } else { explained },
        });
    }
    findings
}

/// The stated assumptions under whose opposite the connection ends as it was seen.
fn explanations(dataplane: &Dataplane, probe: &Probe, seen: &str) -> Vec<(Text, Option<Origin>)> {
    let Some(flow) = probe.flow else { return Vec::new() };
    let setting = dataplane.switches.defaults();
    let assumed = dataplane.switches.iter().filter(|(_, switch)| switch.kind == SwitchKind::Assumption);
    let explains = |id| {
        let flipped = setting.with(id, !setting.is_on(id));
        word(eval::trace(dataplane, &flow, &flipped).outcome.symptom) == seen
    };
    let explaining = assumed.filter(|(id, _)| explains(*id));
    explaining.map(|(_, switch)| (switch.statement.clone(), Some(switch.origin.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_comments_are_not() {
        let check = |text: &str, expected: Option<(&str, &str, &str)>| {
            let (observed, unreadable) = read_observed(text);
            let found = observed.first().map(|o| (o.on.as_str(), o.command.as_str(), o.outcome.as_str()));
            assert_eq!(found, expected, "{text}");
            assert_eq!(unreadable.is_empty(), expected.is_some() || text.starts_with('#'), "{text}");
        };
        check("on mac: nc -z -w 5 a 1 => refused", Some(("mac", "nc -z -w 5 a 1", "refused")));
        check("on any other host on lan: ss => x => works", Some(("any other host on lan", "ss => x", "works")));
        check("on mac: ping -c 1 a => ?", Some(("mac", "ping -c 1 a", "")));
        check("# on mac: ss => works", None);
        check("mac: ss => works", None);
        check("on mac: ss", None);
    }
}
