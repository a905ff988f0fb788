//! `<Forwarding …/>`, which files of machines and of the installation share.

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::xml::{self, Element};
use crate::lab::declaration::Insertion;
use crate::lab::machine::ForwardDecl;
use crate::language::text;
use crate::net::Protocol;
use crate::source::Spanned;

use super::value::{self, Checked, bad};

const ATTRIBUTES: [&str; 6] = ["name", "proto", "hostip", "hostport", "guestip", "guestport"];

/// Reads the forwards directly inside an element. Of those with the same name VirtualBox keeps the first (7.2, a map by
/// name in `readNATForwardRulesMap` of Settings.cpp).
pub(super) fn all(parent: Element<'_, '_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<ForwardDecl> {
    let mut forwards: Vec<ForwardDecl> = Vec::new();
    for element in parent.children().filter(|e| e.name() == "Forwarding") {
        diagnostics.extend(unknown_attributes(element, &ATTRIBUTES));
        match one(element) {
            Ok(forward) => match forwards.iter().find(|f| f.name == forward.name) {
                Some(first) => diagnostics.push(twice(first, &forward)),
                None => forwards.push(forward),
            },
            Err(problem) => diagnostics.push(*problem),
        }
    }
    forwards
}

fn one(element: Element<'_, '_>) -> Checked<ForwardDecl> {
    let text = |name: &str| element.attribute(name).unwrap_or_else(|| Spanned::new("", element.tag()));
    let required = |name: &str| match element.attribute(name) {
        Some(text) => Ok(text),
        None => {
            let message = text!("`Forwarding` without `{name}`", "`Forwarding`에 `{name}`이(가) 없습니다");
            Err(bad(
                Code::VboxBadValue,
                element.tag(),
                message,
                text!("VirtualBox takes it for port 0", "VirtualBox는 포트 0으로 봅니다"),
            ))
        }
    };
    Ok(ForwardDecl {
        name: text("name").value.to_owned(),
        protocol: protocol(element)?,
        host_address: value::listen_address(text("hostip"))?,
        host_port: value::port(required("hostport")?)?,
        guest_address: value::optional_address(text("guestip"))?,
        guest_port: value::port(required("guestport")?)?,
        span: element.tag(),
    })
}

/// A number; absent it is TCP, and a text that is no number counts as 0 (VirtualBox 7.2.22 reads `proto="tcp"` as UDP).
fn protocol(element: Element<'_, '_>) -> Checked<Protocol> {
    match element.attribute("proto") {
        None => Ok(Protocol::Tcp),
        Some(text) if text.value == "1" => Ok(Protocol::Tcp),
        Some(text) if text.value == "0" => Ok(Protocol::Udp),
        Some(text) => {
            let message = text!(
                "`{value}` is not a protocol of a NAT forward",
                "`{value}`: NAT 포트 포워딩의 프로토콜이 아닙니다",
                value = &text.value
            );
            Err(bad(
                Code::VboxBadValue,
                text.span,
                message,
                text!("`0` is UDP, `1` is TCP", "`0`은 UDP, `1`은 TCP입니다"),
            ))
        }
    }
}

/// Warnings about attributes that VirtualBox passes over.
pub(super) fn unknown_attributes(element: Element<'_, '_>, known: &[&str]) -> Vec<Diagnostic> {
    let unknown = element.attribute_names().filter(|name| !known.contains(&name.value));
    unknown.map(|name| xml::unknown(&text!("attribute", "속성"), name, element.name())).collect()
}

/// A new line behind an opening tag; `<NAT/>` has to be opened first.
pub(super) fn insertion(parent: Element<'_, '_>) -> Insertion {
    let indent = parent.indentation();
    match parent.self_closing() {
        Some(at) => Insertion {
            at,
            before: format!(">\n{indent}  <Forwarding "),
            after: format!("/>\n{indent}</{}>", parent.name()),
        },
        None => {
            Insertion { at: parent.tag().after(), before: format!("\n{indent}  <Forwarding "), after: "/>".to_owned() }
        }
    }
}

fn twice(first: &ForwardDecl, second: &ForwardDecl) -> Diagnostic {
    Diagnostic::new(
        Code::VboxDuplicate,
        text!(
            "there are two forwards named `{name}`",
            "`{name}`이라는 포트 포워딩이 두 개 있습니다",
            name = &second.name
        ),
    )
    .label(second.span, text!("VirtualBox passes over this one", "VirtualBox가 이것을 건너뜀"))
    .label(first.span, text!("the first of that name", "그 이름의 첫 번째 것"))
    .help(text!("give it a name of its own", "다른 이름을 붙이십시오"))
}
