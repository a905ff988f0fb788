//! `<Forwarding …/>`, which files of machines and of the installation share.

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::xml::{self, Element};
use crate::lab::declaration::Insertion;
use crate::lab::machine::ForwardDecl;
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
            let message = format!("`Forwarding` without `{name}`");
            Err(bad(Code::VboxBadValue, element.tag(), message, "VirtualBox takes it for port 0"))
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
            let message = format!("`{}` is not a protocol of a NAT forward", text.value);
            Err(bad(Code::VboxBadValue, text.span, message, "`0` is UDP, `1` is TCP"))
        }
    }
}

/// Warnings about attributes that VirtualBox passes over.
pub(super) fn unknown_attributes(element: Element<'_, '_>, known: &[&str]) -> Vec<Diagnostic> {
    let unknown = element.attribute_names().filter(|name| !known.contains(&name.value));
    unknown.map(|name| xml::unknown("attribute", name, element.name())).collect()
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
    Diagnostic::new(Code::VboxDuplicate, format!("there are two forwards named `{}`", second.name))
        .label(second.span, "VirtualBox passes over this one")
        .label(first.span, "the first of that name")
        .help("give it a name of its own")
}
