//! Renderings of verdicts made by hand: the flagship lab, a mac with a VM behind NAT that runs grafana.

use std::net::IpAddr;

use super::*;
use crate::check::{Blocker, Condition, Edit, Fix};
use crate::dataplane::{
    Delivery, Disposition, Event, Flow, Interface, InterfaceAddress, Link, LinkId, Node, NodeId, NodeKind, Outcome,
    Ruleset, Step, Sysctls, Toggle, Trace, Way,
};
use crate::diagnostic::Code;
use crate::net::{Header, Protocol};
use crate::provenance::OriginId;
use crate::report::{Section, json, trace};
use crate::source::{SourceId, Span, Spanned};

const LAB: &str = "hosts:
  mac: {os: macos}
sentences:
  - mac/browser can reach grafana:3000   # 대시보드
  - mac/browser cannot reach rocky:22
  - lan cannot reach grafana:3000
";
const RUN: &str = "docker run -d --name grafana grafana/grafana\n";
const VBOX: &str = r#"<Adapter slot="0" enabled="true">
  <NAT localhost-reachable="true">
    <Forwarding name="ssh" proto="1" hostport="2222" guestport="22"/>
  </NAT>
</Adapter>
"#;

struct Lab {
    sources: Sources,
    dataplane: Dataplane,
    lab: SourceId,
    run: SourceId,
    vbox: SourceId,
}

impl Lab {
    fn new() -> Self {
        let mut sources = Sources::default();
        let lab = sources.add("lab.yaml", LAB);
        let run = sources.add("run.sh", RUN);
        let vbox = sources.add("rocky.vbox", VBOX);
        let mut dataplane = Dataplane::default();
        let span = Span::new(lab, 0, 1);
        let origin = dataplane.origins.add(Origin::written("host", span));
        for (name, address) in [
            ("mac", "192.168.1.10/24"),
            ("rocky/nat", "10.0.2.2/24"),
            ("rocky", "10.0.2.15/24"),
            ("rocky/grafana", "172.17.0.2/16"),
        ] {
            dataplane.add_node(node(name, address, origin));
        }
        for name in ["NAT network of rocky", "docker0"] {
            dataplane.add_link(Link { name: name.to_owned(), bridge: None, origin });
        }
        Self { sources, dataplane, lab, run, vbox }
    }

    /// The first place of `word` in a file.
    fn span(&self, source: SourceId, word: &str) -> Span {
        let start = self.sources.get(source).text.find(word).unwrap();
        Span::new(source, start, start + word.len())
    }

    fn sentence(&self, text: &str) -> Spanned<String> {
        Spanned::new(text.to_owned(), self.span(self.lab, text))
    }

    /// The line that a second NAT forward would be.
    fn forward(&self) -> (Span, String) {
        let at = self.span(self.vbox, "  </NAT>");
        let line = r#"    <Forwarding name="grafana" proto="1" hostip="127.0.0.1" hostport="3000" guestport="3000"/>"#;
        (Span::new(self.vbox, at.start, at.start), format!("{line}\n"))
    }

    fn works(&mut self) -> Witness {
        let published = Origin::written("published port 3000 of `grafana`", self.span(self.run, "--name grafana"));
        let published = self.dataplane.origins.add(published);
        let dialed = header("127.0.0.1", 50000, "127.0.0.1", 3000);
        let inside = header("10.0.2.2", 50001, "10.0.2.15", 3000);
        let translated = header("10.0.2.2", 50001, "172.17.0.2", 3000);
        let crossed = |link, to| Event::Crossed { link: LinkId(link), to: NodeId(to) };
        let steps = vec![
            step(0, 0, dialed, Event::Dialed),
            step(0, 0, dialed, Event::Relayed { relay: "NAT forward grafana".to_owned() }),
            step(1, 1, inside, Event::Dialed),
            step(1, 2, inside, crossed(0, 2)),
            Step {
                origin: Some(published),
                ..step(1, 2, translated, Event::Rewritten { before: inside, undone: false })
            },
            step(1, 3, translated, crossed(1, 3)),
            step(1, 3, translated, Event::Delivered { owner: "grafana".to_owned() }),
            Step { way: Way::Reply, ..step(0, 0, dialed.reversed(), Event::Answered) },
        ];
        let delivery = Delivery { node: NodeId(3), owner: "grafana".to_owned(), header: translated };
        let outcome =
            Outcome { disposition: Disposition::Delivered, symptom: Symptom::Works, delivery: Some(delivery) };
        let trace = Trace { flow: flow(dialed), steps, outcome };
        Witness { url: "http://localhost:3000".to_owned(), from: "mac/browser".to_owned(), trace }
    }

    fn refused(&self) -> Witness {
        let dialed = header("127.0.0.1", 50000, "127.0.0.1", 3000);
        let steps = vec![step(0, 0, dialed, Event::Dialed), step(0, 0, dialed, Event::Ended(Disposition::NoListener))];
        let outcome = Outcome { disposition: Disposition::NoListener, symptom: Symptom::Refused, delivery: None };
        let trace = Trace { flow: flow(dialed), steps, outcome };
        Witness { url: "http://localhost:3000".to_owned(), from: "mac/browser".to_owned(), trace }
    }

    fn listens_anywhere(&self) -> Condition {
        let origin = Origin::assumed("where `grafana` listens", Some(self.span(self.run, "grafana/grafana")));
        let statement = "`grafana` listens on all addresses".into();
        Condition { statement, origin, otherwise: Answer::Violated }
    }

    fn holds(&mut self) -> Judgement {
        let witnesses = vec![self.works()];
        let conditions = vec![self.listens_anywhere()];
        let headline = "`mac/browser` can reach `grafana:3000`";
        let verdict = Verdict { witnesses, conditions, ..verdict(Answer::Holds, headline, None) };
        Judgement { statement: self.sentence("mac/browser can reach grafana:3000").into(), verdict }
    }

    fn violated(&self) -> Judgement {
        let (at, text) = self.forward();
        let no_forward = Blocker {
            code: Code::NatNoInbound,
            message: "adapter 1 of `rocky` is NAT and forwards no port to 3000".into(),
            origin: Origin::missing("a forward to port 3000", at, text.clone()),
        };
        let run = self.span(self.run, "docker run");
        let publish = (run.after(), " -p 3000:3000".to_owned());
        let not_published = Blocker {
            code: Code::DockerNotPublished,
            message: "`grafana` publishes no port".into(),
            origin: Origin::written("the container is started here", run),
        };
        let forward = Edit { what: "forward port 3000 of the mac to `rocky`".into(), at: Some(at), text };
        let publish = Edit { what: "publish port 3000".into(), at: Some(publish.0), text: publish.1 };
        let command = Edit { what: "run ssh -L".into(), at: None, text: "ssh -L 3000:172.17.0.2:3000".to_owned() };
        let url = Some("http://localhost:3000".to_owned());
        let fixes = vec![Fix { edits: vec![forward, publish], url: url.clone() }, Fix { edits: vec![command], url }];
        let headline = "`mac/browser` cannot reach `grafana:3000`: connection refused";
        let verdict = Verdict {
            failure: Some(self.refused()),
            blockers: vec![no_forward, not_published],
            fixes,
            ..verdict(Answer::Violated, headline, Some(Code::NatNoInbound))
        };
        Judgement { statement: self.sentence("mac/browser can reach grafana:3000").into(), verdict }
    }

    fn exposed(&mut self) -> Judgement {
        let forward = self.span(self.vbox, r#"<Forwarding name="ssh" proto="1" hostport="2222" guestport="22"/>"#);
        let blocker = Blocker {
            code: Code::Exposed,
            message: "the NAT forward `ssh` lets it in".into(),
            origin: Origin::written("forwards port 2222 of every address", forward),
        };
        let headline = "`mac/browser` can reach `rocky:22`";
        let witnesses = vec![self.works()];
        let verdict =
            Verdict { witnesses, blockers: vec![blocker], ..verdict(Answer::Violated, headline, Some(Code::Exposed)) };
        Judgement { statement: self.sentence("mac/browser cannot reach rocky:22").into(), verdict }
    }

    fn undecided(&self) -> Judgement {
        let headline = "it is not known whether `lan` can reach `grafana:3000`";
        let verdict = Verdict {
            conditions: vec![self.listens_anywhere()],
            notes: vec!["1 setting of `rocky` is not modelled".into()],
            ..verdict(Answer::Undecided, headline, Some(Code::Undecided))
        };
        Judgement { statement: self.sentence("lan cannot reach grafana:3000").into(), verdict }
    }
}

fn verdict(answer: Answer, headline: &str, code: Option<Code>) -> Verdict {
    Verdict { code, ..Verdict::new(answer, headline.into()) }
}

fn node(name: &str, address: &str, origin: OriginId) -> Node {
    let interface = Interface {
        name: "eth0".to_owned(),
        addresses: vec![InterfaceAddress { net: address.parse().unwrap(), origin }],
        claims: Vec::new(),
        only_dials: false,
        link: None,
        up: true,
        route_localnet: false,
        any_way_in: Toggle::On,
        hairpin: false,
        apart_from: None,
        origin,
    };
    Node {
        name: name.to_owned(),
        kind: NodeKind::Namespace,
        interfaces: vec![interface],
        routes: Vec::new(),
        ruleset: Ruleset::default(),
        sockets: Vec::new(),
        relays: Vec::new(),
        sysctls: Sysctls {
            ip_forward: Toggle::Off,
            ip_forward_origin: origin,
            rp_filter_origin: origin,
            bridge_calls_iptables: false,
        },
        names: Vec::new(),
        unmodeled: Vec::new(),
        origin,
    }
}

fn header(source: &str, source_port: u16, destination: &str, destination_port: u16) -> Header {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    Header {
        protocol: Protocol::Tcp,
        source: address(source),
        source_port,
        destination: address(destination),
        destination_port,
    }
}

fn step(leg: usize, node: usize, header: Header, event: Event) -> Step {
    Step { leg, way: Way::Request, node: NodeId(node), header, event, origin: None }
}

fn flow(header: Header) -> Flow {
    Flow {
        from: NodeId(0),
        protocol: header.protocol,
        source: None,
        source_port: header.source_port,
        destination: header.destination,
        destination_port: header.destination_port,
    }
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots/report");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn render_one(lab: Lab, judgements: Vec<Judgement>) -> String {
    let report = Report { judgements, diagnostics: Vec::new(), dataplane: lab.dataplane };
    render(&report, &lab.sources, Style::PLAIN)
}

#[test]
fn a_sentence_that_holds() {
    let mut lab = Lab::new();
    let judgement = lab.holds();
    snapshot("holds", &render_one(lab, vec![judgement]));
}

#[test]
fn a_violated_can() {
    let lab = Lab::new();
    let judgement = lab.violated();
    snapshot("violated", &render_one(lab, vec![judgement]));
}

#[test]
fn a_violated_cannot() {
    let mut lab = Lab::new();
    let judgement = lab.exposed();
    snapshot("exposed", &render_one(lab, vec![judgement]));
}

#[test]
fn an_undecided_sentence() {
    let lab = Lab::new();
    let judgement = lab.undecided();
    snapshot("undecided", &render_one(lab, vec![judgement]));
}

#[test]
fn a_whole_report_in_ascii() {
    let mut lab = Lab::new();
    let judgements = vec![lab.holds(), lab.holds(), lab.violated()];
    let diagnostic = Diagnostic::new(Code::DockerPortTaken, "port 3000 of `rocky` is published twice")
        .label(lab.span(lab.run, "grafana"), "second")
        .label(lab.span(lab.lab, "mac"), "first")
        .help("leave one out");
    let report = Report { judgements, diagnostics: vec![diagnostic], dataplane: lab.dataplane };
    let text = render(&report, &lab.sources, Style { unicode: false, ..Style::PLAIN });
    assert!(text.replace("대시보드", "").is_ascii(), "{text}");
    snapshot("whole-ascii", &text);
}

#[test]
fn colours_are_only_used_where_wanted() {
    let report = |style| {
        let mut lab = Lab::new();
        let judgements = vec![lab.holds(), lab.violated()];
        let report = Report { judgements, diagnostics: Vec::new(), dataplane: lab.dataplane };
        render(&report, &lab.sources, style)
    };
    assert!(!report(Style::PLAIN).contains('\u{1b}'));
    assert!(report(Style { color: true, ..Style::PLAIN }).contains('\u{1b}'));
}

#[test]
fn a_trace() {
    let mut lab = Lab::new();
    let witness = lab.works();
    snapshot("trace", &trace::render(&lab.dataplane, &witness.trace, &lab.sources, Style::PLAIN));
    snapshot("trace-json", &json::trace(&lab.dataplane, &witness.trace, &lab.sources));
}

#[test]
fn a_report_for_programs() {
    let lab = Lab::new();
    let judgements = vec![lab.violated()];
    let report = Report { judgements, diagnostics: Vec::new(), dataplane: lab.dataplane };
    let section = Section { title: None, report, exposure: None, sources: lab.sources };
    snapshot("check-json", &json::sections(&[section]));
}

#[test]
fn flows_are_one_row_each() {
    let mut lab = Lab::new();
    let question = json::FlowQuestion { from: "mac", to: "127.0.0.1", port: 3000, protocol: "tcp" };
    let check = |trace: Option<&Trace>, expected: &str| {
        let row: serde_json::Value = serde_json::from_str(&json::flow(&question, trace)).unwrap();
        let row = ["result", "errno", "symptom", "reached", "src"].map(|key| row[key].to_string()).join(" ");
        assert_eq!(row.replace('"', ""), expected);
    };
    let works = lab.works().trace;
    check(Some(&works), "open null works grafana 10.0.2.2");
    check(Some(&lab.refused().trace), "refused ECONNREFUSED refused null null");
    check(None, "unresolved null unresolved null null");
    let no_neighbour = Outcome { disposition: Disposition::NoNeighbor, symptom: Symptom::NoNeighbor, delivery: None };
    check(Some(&Trace { outcome: no_neighbour, ..works }), "unreachable EHOSTUNREACH no-neighbor null null");
}
