//! Results for programs. The shapes here are an interface: fields are added, never renamed; `format` tells the version.

use serde::Serialize;

use crate::check::{Answer, Blocker, Condition, Edit, Fix, Judgement, Witness};
use crate::dataplane::{Dataplane, Disposition, Event, Step, Symptom, Trace, Way};
use crate::diagnostic::{Diagnostic, Severity};
use crate::provenance::{Basis, Origin};
use crate::source::{Sources, Span};

use super::{Section, path};

pub(super) const FORMAT: &str = "canreach/1";

/// The report of a lab as one JSON document; those of several, each with its title, as one document too.
pub fn sections(sections: &[Section]) -> String {
    match sections {
        [section] => document(&report(section)),
        several => {
            let lab = |section: &Section| {
                let title = section.title.clone().unwrap_or_default();
                LabJson { title, report: report(section) }
            };
            document(&LabsDocument { format: FORMAT, labs: several.iter().map(lab).collect() })
        }
    }
}

fn report(Section { report, sources, .. }: &Section) -> CheckDocument {
    let writer = Writer { dataplane: &report.dataplane, sources };
    CheckDocument {
        format: FORMAT,
        summary: Summary {
            sentences: report.judgements.len(),
            holds: report.count(Answer::Holds),
            violated: report.count(Answer::Violated),
            undecided: report.count(Answer::Undecided),
        },
        sentences: report.judgements.iter().map(|judgement| writer.sentence(judgement)).collect(),
        diagnostics: report.diagnostics.iter().map(|diagnostic| writer.diagnostic(diagnostic)).collect(),
    }
}

/// A trace as one JSON document.
pub fn trace(dataplane: &Dataplane, trace: &Trace, sources: &Sources) -> String {
    let writer = Writer { dataplane, sources };
    document(&TraceDocument { format: FORMAT, trace: writer.trace(trace) })
}

/// What was asked of one flow, as it was asked.
#[derive(Clone, Debug)]
pub struct FlowQuestion<'a> {
    /// Node that dials.
    pub from: &'a str,
    /// Address or name that is dialled.
    pub to: &'a str,
    /// Port.
    pub port: u16,
    /// Protocol.
    pub protocol: &'a str,
}

/// One flow and what became of it, on one line.
pub fn flow(question: &FlowQuestion<'_>, trace: Option<&Trace>) -> String {
    let symptom = trace.map_or(Symptom::NameNotResolved, |trace| trace.outcome.symptom);
    let delivery = trace.and_then(|trace| trace.outcome.delivery.as_ref());
    let (result, errno) = result_word(symptom);
    line(&FlowRow {
        from: question.from,
        to: question.to,
        port: question.port,
        proto: question.protocol,
        result,
        errno,
        symptom: symptom_word(symptom),
        reached: delivery.filter(|_| symptom == Symptom::Works).map(|delivery| delivery.owner.as_str()),
        src: delivery.filter(|_| symptom == Symptom::Works).map(|delivery| delivery.header.source.to_string()),
    })
}

pub(super) fn document(document: &impl Serialize) -> String {
    // Only maps with keys that are no strings cannot be written; there are none here.
    serde_json::to_string_pretty(document).map_or_else(|_| String::new(), |text| text + "\n")
}

fn line(row: &impl Serialize) -> String {
    serde_json::to_string(row).map_or_else(|_| String::new(), |text| text + "\n")
}

fn result_word(symptom: Symptom) -> (&'static str, Option<&'static str>) {
    match symptom {
        Symptom::Works => ("open", None),
        Symptom::AcceptedThenClosed => ("accepted", None),
        Symptom::Refused => ("refused", Some("ECONNREFUSED")),
        Symptom::TimedOut => ("timeout", None),
        Symptom::HostUnreachable | Symptom::NoNeighbor => ("unreachable", Some("EHOSTUNREACH")),
        Symptom::NetUnreachable => ("unreachable", Some("ENETUNREACH")),
        Symptom::NameNotResolved => ("unresolved", None),
    }
}

pub(super) fn symptom_word(symptom: Symptom) -> &'static str {
    match symptom {
        Symptom::Works => "works",
        Symptom::Refused => "refused",
        Symptom::AcceptedThenClosed => "accepted-then-closed",
        Symptom::TimedOut => "timeout",
        Symptom::HostUnreachable => "host-unreachable",
        Symptom::NoNeighbor => "no-neighbor",
        Symptom::NetUnreachable => "net-unreachable",
        Symptom::NameNotResolved => "unresolved",
    }
}

pub(super) fn answer_word(answer: Answer) -> &'static str {
    match answer {
        Answer::Holds => "holds",
        Answer::Violated => "violated",
        Answer::Undecided => "undecided",
    }
}

fn disposition_word(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Delivered => "delivered",
        Disposition::NoListener => "no-listener",
        Disposition::Dropped => "dropped",
        Disposition::Rejected(_) => "rejected",
        Disposition::Martian => "martian",
        Disposition::WrongInterface => "wrong-interface",
        Disposition::NoRoute => "no-route",
        Disposition::NoNeighbor => "no-neighbor",
        Disposition::NotForwarding => "not-forwarding",
        Disposition::Loop => "loop",
        Disposition::NoRelay => "no-relay",
        Disposition::Unexpected => "unexpected",
        Disposition::NameUnknown => "name-unknown",
    }
}

fn event_word(event: &Event) -> &'static str {
    match event {
        Event::Dialed => "dialed",
        Event::Received { .. } => "received",
        Event::Routed { .. } => "routed",
        Event::Filtered { .. } => "filtered",
        Event::Rewritten { .. } => "rewritten",
        Event::Crossed { .. } => "crossed",
        Event::Delivered { .. } => "delivered",
        Event::Relayed { .. } => "relayed",
        Event::Answered => "answered",
        Event::Ended(_) => "ended",
    }
}

pub(super) struct Writer<'a> {
    pub(super) dataplane: &'a Dataplane,
    pub(super) sources: &'a Sources,
}

impl Writer<'_> {
    fn sentence(&self, judgement: &Judgement) -> SentenceJson {
        let verdict = &judgement.verdict;
        SentenceJson {
            sentence: judgement.statement.sentence.value.clone(),
            at: self.place(judgement.statement.sentence.span),
            reason: judgement.statement.reason.as_ref().map(|reason| reason.value.clone()),
            severity: if judgement.statement.is_wish { "warning" } else { "error" },
            answer: answer_word(verdict.answer),
            headline: verdict.headline.to_string(),
            code: verdict.code.map(|code| code.as_str()),
            witnesses: verdict.witnesses.iter().map(|witness| self.witness(witness)).collect(),
            failure: verdict.failure.as_ref().map(|witness| self.witness(witness)),
            blockers: verdict.blockers.iter().map(|blocker| self.blocker(blocker)).collect(),
            fixes: verdict.fixes.iter().map(|fix| self.fix(fix)).collect(),
            conditions: verdict.conditions.iter().map(|condition| self.condition(condition)).collect(),
            notes: verdict.notes.iter().map(ToString::to_string).collect(),
        }
    }

    pub(super) fn blocker(&self, blocker: &Blocker) -> BlockerJson {
        BlockerJson {
            code: blocker.code.as_str(),
            message: blocker.message.to_string(),
            origin: self.origin(&blocker.origin),
        }
    }

    pub(super) fn witness(&self, witness: &Witness) -> WitnessJson {
        WitnessJson { url: witness.url.clone(), from: witness.from.clone(), trace: self.trace(&witness.trace) }
    }

    fn fix(&self, fix: &Fix) -> FixJson {
        let edit = |edit: &Edit| EditJson {
            what: edit.what.to_string(),
            at: edit.at.map(|span| self.place(span)),
            text: edit.text.clone(),
        };
        FixJson { url: fix.url.clone(), edits: fix.edits.iter().map(edit).collect() }
    }

    fn condition(&self, condition: &Condition) -> ConditionJson {
        ConditionJson {
            statement: condition.statement.to_string(),
            otherwise: answer_word(condition.otherwise),
            origin: self.origin(&condition.origin),
        }
    }

    fn trace(&self, trace: &Trace) -> TraceJson {
        let outcome = &trace.outcome;
        let (result, errno) = result_word(outcome.symptom);
        TraceJson {
            from: self.dataplane.node(trace.flow.from).name.clone(),
            protocol: trace.flow.protocol.to_string(),
            destination: trace.flow.destination.to_string(),
            destination_port: trace.flow.destination_port,
            result,
            errno,
            symptom: symptom_word(outcome.symptom),
            disposition: disposition_word(outcome.disposition),
            delivery: outcome.delivery.as_ref().map(|delivery| DeliveryJson {
                node: self.dataplane.node(delivery.node).name.clone(),
                owner: delivery.owner.clone(),
                source: delivery.header.source.to_string(),
                header: delivery.header.to_string(),
            }),
            steps: trace.steps.iter().map(|step| self.step(step)).collect(),
        }
    }

    pub(super) fn step(&self, step: &Step) -> StepJson {
        StepJson {
            leg: step.leg,
            way: if step.way == Way::Request { "request" } else { "reply" },
            node: self.dataplane.node(step.node).name.clone(),
            event: event_word(&step.event),
            text: path::event(self.dataplane, step).to_string(),
            header: step.header.to_string(),
            origin: step.origin.map(|origin| self.origin(self.dataplane.origins.get(origin))),
        }
    }

    fn origin(&self, origin: &Origin) -> OriginJson {
        let (basis, citation, insert) = match &origin.basis {
            Basis::Written(_) => ("written", None, None),
            Basis::Implied { citation, .. } => ("implied", Some(*citation), None),
            Basis::Assumed { .. } => ("assumed", None, None),
            Basis::Missing { insert, .. } => ("missing", None, Some(insert.clone())),
        };
        let at = origin.span().map(|span| self.place(span));
        OriginJson { what: origin.what.to_string(), basis, at, citation, insert }
    }

    fn diagnostic(&self, diagnostic: &Diagnostic) -> DiagnosticJson {
        let labels = diagnostic.labels.iter();
        DiagnosticJson {
            code: diagnostic.code.as_str(),
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Advice => "advice",
            },
            message: diagnostic.message.to_string(),
            labels: labels.map(|l| LabelJson { at: self.place(l.span), message: l.message.to_string() }).collect(),
            help: diagnostic.help.as_ref().map(ToString::to_string),
        }
    }

    fn place(&self, span: Span) -> Place {
        Place::of(self.sources, span)
    }
}

#[derive(Serialize)]
struct CheckDocument {
    format: &'static str,
    summary: Summary,
    sentences: Vec<SentenceJson>,
    diagnostics: Vec<DiagnosticJson>,
}

#[derive(Serialize)]
struct LabsDocument {
    format: &'static str,
    labs: Vec<LabJson>,
}

#[derive(Serialize)]
struct LabJson {
    title: String,
    report: CheckDocument,
}

#[derive(Serialize)]
struct TraceDocument {
    format: &'static str,
    #[serde(flatten)]
    trace: TraceJson,
}

#[derive(Serialize)]
struct Summary {
    sentences: usize,
    holds: usize,
    violated: usize,
    undecided: usize,
}

#[derive(Serialize)]
struct SentenceJson {
    sentence: String,
    at: Place,
    reason: Option<String>,
    severity: &'static str,
    answer: &'static str,
    headline: String,
    code: Option<&'static str>,
    witnesses: Vec<WitnessJson>,
    failure: Option<WitnessJson>,
    blockers: Vec<BlockerJson>,
    fixes: Vec<FixJson>,
    conditions: Vec<ConditionJson>,
    notes: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct WitnessJson {
    url: String,
    from: String,
    trace: TraceJson,
}

#[derive(Serialize)]
pub(super) struct BlockerJson {
    code: &'static str,
    message: String,
    origin: OriginJson,
}

#[derive(Serialize)]
struct FixJson {
    url: Option<String>,
    edits: Vec<EditJson>,
}

/// `text` goes to `at`; without `at` it is a command to run.
#[derive(Serialize)]
struct EditJson {
    what: String,
    at: Option<Place>,
    text: String,
}

#[derive(Serialize)]
struct ConditionJson {
    statement: String,
    otherwise: &'static str,
    origin: OriginJson,
}

#[derive(Serialize)]
struct TraceJson {
    from: String,
    protocol: String,
    destination: String,
    destination_port: u16,
    result: &'static str,
    errno: Option<&'static str>,
    symptom: &'static str,
    disposition: &'static str,
    delivery: Option<DeliveryJson>,
    steps: Vec<StepJson>,
}

#[derive(Serialize)]
struct DeliveryJson {
    node: String,
    owner: String,
    source: String,
    header: String,
}

#[derive(Serialize)]
pub(super) struct StepJson {
    leg: usize,
    way: &'static str,
    node: String,
    event: &'static str,
    text: String,
    header: String,
    origin: Option<OriginJson>,
}

#[derive(Serialize)]
struct OriginJson {
    what: String,
    basis: &'static str,
    at: Option<Place>,
    citation: Option<&'static str>,
    insert: Option<String>,
}

#[derive(Serialize)]
struct DiagnosticJson {
    code: &'static str,
    severity: &'static str,
    message: String,
    labels: Vec<LabelJson>,
    help: Option<String>,
}

#[derive(Serialize)]
struct LabelJson {
    at: Place,
    message: String,
}

/// Lines and columns count from 1 and in characters, `start` and `end` are byte offsets.
#[derive(Serialize)]
pub(super) struct Place {
    file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    start: usize,
    end: usize,
}

impl Place {
    pub(super) fn of(sources: &Sources, span: Span) -> Self {
        let file = sources.get(span.source);
        let (start, end) = (file.position(span.start), file.position(span.end));
        Self {
            file: file.name.clone(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            start: span.start,
            end: span.end,
        }
    }
}

#[derive(Serialize)]
struct FlowRow<'a> {
    from: &'a str,
    to: &'a str,
    port: u16,
    proto: &'a str,
    result: &'static str,
    errno: Option<&'static str>,
    symptom: &'static str,
    reached: Option<&'a str>,
    src: Option<String>,
}
