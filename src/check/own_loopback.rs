//! A container that dials localhost and means another one: there, localhost is the container itself.

use std::net::IpAddr;

use crate::dataplane::{Flow, Symptom};
use crate::diagnostic::Code;
use crate::eval;
use crate::lab::Container;
use crate::language::text;
use crate::property::Sentence;
use crate::provenance::Origin;
use crate::source::{Sources, Span, Spanned};

use super::aim::{Aim, Dialing};
use super::decide::{Checker, blocker};
use super::place::Endpoint;
use super::verdict::{Blocker, Edit, Fix};

/// Who is meant, where the wrong address is written, and the right one, if the container knows a name for it.
pub(super) fn explain(
    checker: &Checker<'_>,
    sentence: &Sentence,
    member: &Endpoint,
    aim: &Aim,
    dialer: &Container,
) -> Option<(Blocker, Option<Fix>)> {
    let Dialing::Name(name, port) = &aim.dial else { return None };
    let target = aim.endpoint.as_ref().filter(|target| target.node != member.node)?;
    let meant = checker.places.resolved(member, name);
    if meant.is_empty() || !meant.iter().all(IpAddr::is_loopback) {
        return None;
    }
    let wrong = format!("{name}:{port}");
    let mut values = dialer.environment.iter().map(|(_, value)| value).chain(&dialer.command);
    let places = [values.find(|value| value.value.contains(&wrong)), Some(&sentence.text)];
    let places: Vec<Span> = places.into_iter().flatten().map(|place| at(checker.sources, place, &wrong)).collect();
    let origin = Origin::written(text!("the address {wrong}", "주소 {wrong}"), *places.first()?);
    let (who, other) = (&dialer.name, &target.label);
    let message = text!(
        "in `{who}`, `{name}` is `{who}` itself, not `{other}`",
        "`{who}` 안에서 `{name}` 이름은 `{other}`가 아니라 `{who}` 자신입니다"
    );
    let fix = right_address(checker, member, target, aim).map(|right| {
        let edit =
            |at: &Span| Edit { what: text!("dial {right}", "{right}로 연결"), at: Some(*at), text: right.clone() };
        Fix { edits: places.iter().map(edit).collect(), url: Some(right.clone()) }
    });
    Some((blocker(Code::DockerLocalhost, message, origin), fix))
}

/// The address inside of a value; the whole value if it is written in another way than it reads.
fn at(sources: &Sources, value: &Spanned<String>, address: &str) -> Span {
    let Some(offset) = sources.text(value.span).find(address) else { return value.span };
    let start = value.span.start + offset;
    Span::new(value.span.source, start, start + address.len())
}

/// A name of the target that leads to it.
fn right_address(checker: &Checker<'_>, member: &Endpoint, target: &Endpoint, aim: &Aim) -> Option<String> {
    let (dataplane, port) = (checker.places.dataplane, aim.port?);
    let own: Vec<IpAddr> = dataplane.node(target.node).addresses().collect();
    let known = dataplane.node(member.node).names.iter();
    let known: Vec<_> = known.filter(|n| own.contains(&n.address) && checker.setting.allows(n.guard)).collect();
    let name = known.iter().find(|n| n.name == target.label).or(known.first())?;
    let flow = Flow {
        from: member.node,
        protocol: aim.protocol,
        source: None,
        source_port: 50_000,
        destination: name.address,
        destination_port: port,
    };
    let works = eval::trace(dataplane, &flow, &checker.setting).outcome.symptom == Symptom::Works;
    works.then(|| format!("{}:{port}", name.name))
}
