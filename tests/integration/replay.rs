//! The two engines guard each other: an interpreter that errs in either direction is caught, and the program says so
//! instead of giving a verdict.

use canreach::check::{Answer, CheckError, check_with};
use canreach::dataplane::{Dataplane, Delivery, Flow, Symptom, Trace};
use canreach::net::Header;
use canreach::source::{Span, Spanned};
use canreach::switch::Setting;
use canreach::{eval, lower};

use crate::support::sources_and_lab_of;

const LAB: &str = "
hosts:
  mac:
    interfaces:
      en0: {network: lan, address: 192.168.1.100/24}
    processes: {browser: }
  rocky:
    on: mac
    files: [setup.sh]
    interfaces:
      enp0s3: {nat: {forwards: ['tcp:127.0.0.1:3000:10.0.2.15:3000']}, address: 10.0.2.15/24}
    docker: {version: 28.5.2}
networks:
  lan: {subnet: 192.168.1.0/24, kind: lan}
";
const SCRIPT: &str = "docker run -d --name grafana -p 3000:3000 grafana/grafana\n";

fn judge(sentence: &str, replay: fn(&Dataplane, &Flow, &Setting) -> Trace) -> Result<Answer, CheckError> {
    let (mut sources, lab) = sources_and_lab_of(&[("lab.yaml", LAB), ("setup.sh", SCRIPT)]);
    let dataplane = lower::lower(&lab);
    let span = Span::new(sources.add("question", sentence), 0, sentence.len());
    let checked = check_with(&lab, &dataplane, &sources, &[Spanned::new(sentence.to_owned(), span).into()], replay)?;
    assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
    Ok(checked.judgements[0].verdict.answer)
}

/// Sees nothing arrive at port 3000.
fn blind(dataplane: &Dataplane, flow: &Flow, setting: &Setting) -> Trace {
    let mut trace = eval::trace(dataplane, flow, setting);
    if flow.destination_port == 3000 && trace.outcome.symptom == Symptom::Works {
        trace.outcome.symptom = Symptom::TimedOut;
        trace.outcome.delivery = None;
    }
    trace
}

#[test]
fn the_real_interpreter_agrees() {
    assert_eq!(judge("mac can reach grafana:3000", eval::trace).unwrap(), Answer::Holds);
    assert_eq!(judge("mac cannot reach grafana:3000", eval::trace).unwrap(), Answer::Violated);
    assert_eq!(judge("lan cannot reach grafana:3000", eval::trace).unwrap(), Answer::Holds);
    assert_eq!(judge("lan can reach grafana:3000", eval::trace).unwrap(), Answer::Violated);
}

#[test]
fn an_interpreter_that_loses_a_connection_is_caught() {
    for sentence in ["mac can reach grafana:3000", "mac cannot reach grafana:3000"] {
        let Err(CheckError::Disagreement { sentence: about, flow, trace }) = judge(sentence, blind) else {
            panic!("no disagreement about `{sentence}`");
        };
        assert_eq!((about.as_str(), flow.destination_port, trace.outcome.symptom), (sentence, 3000, Symptom::TimedOut));
    }
}

/// Sees everything arrive at Grafana.
fn hopeful(dataplane: &Dataplane, flow: &Flow, setting: &Setting) -> Trace {
    let mut trace = eval::trace(dataplane, flow, setting);
    let header = Header {
        protocol: flow.protocol,
        source: flow.destination,
        source_port: 0,
        destination: flow.destination,
        destination_port: 3000,
    };
    let node = dataplane.node_named("rocky/grafana").unwrap();
    trace.outcome.symptom = Symptom::Works;
    trace.outcome.delivery = Some(Delivery { node, owner: "grafana".to_owned(), header });
    trace
}

#[test]
fn an_interpreter_that_sees_what_is_not_there_is_caught() {
    for sentence in ["lan can reach grafana:3000", "lan cannot reach grafana:3000"] {
        let judged = judge(sentence, hopeful);
        assert!(matches!(judged, Err(CheckError::Overlooked { .. })), "{sentence}: {judged:?}");
    }
}
