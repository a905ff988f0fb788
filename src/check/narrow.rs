//! The opposite of a candidate edit: what is written too widely is bound to loopback.

use std::net::{IpAddr, Ipv4Addr};

use crate::lab::machine::ForwardNotation;
use crate::lab::{Attachment, Forward, Host, Lab};
use crate::language::text;
use crate::net::Protocol;
use crate::source::Span;

use super::verdict::Edit;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Makes what is written at `span`, a published port or a NAT forward, listen on loopback only.
pub(super) fn narrow(lab: &mut Lab, span: Span) -> Option<Edit> {
    lab.hosts.iter_mut().find_map(|host| narrow_forward(host, span).or_else(|| narrow_publish(host, span)))
}

fn narrow_forward(host: &mut Host, span: Span) -> Option<Edit> {
    let name = host.name.clone();
    for interface in &mut host.interfaces {
        let Attachment::Nat(nat) = &mut interface.attachment else { continue };
        let notation = nat.forward_at.as_ref().filter(|(i, _)| i.at.source == span.source).map(|(_, n)| *n);
        let forward = nat.forwards.iter_mut().find(|f| f.origin.span() == Some(span) && is_wide(f.host_address));
        let Some(forward) = forward else { continue };
        forward.host_address = Some(LOOPBACK);
        let text = notation.map_or_else(String::new, |notation| forward_text(forward, notation));
        let port = forward.host_port;
        let what = text!(
            "bind the NAT forward of port {port} to `{name}` to 127.0.0.1",
            "`{name}`의 {port}번 NAT 포트 포워딩을 127.0.0.1에만 묶음"
        );
        return Some(Edit { what, at: notation.map(|_| span), text });
    }
    None
}

/// A whole forward, as it is written in its file.
fn forward_text(forward: &Forward, notation: ForwardNotation) -> String {
    let Forward { name, protocol, host_address, host_port, guest_address, guest_port, .. } = forward;
    let host = host_address.map(|a| a.to_string()).unwrap_or_default();
    match notation {
        ForwardNotation::VboxXml => {
            let proto = if *protocol == Protocol::Udp { 0 } else { 1 };
            let guest = guest_address.map(|a| format!(" guestip=\"{a}\"")).unwrap_or_default();
            format!(
                "<Forwarding name=\"{name}\" proto=\"{proto}\" hostip=\"{host}\" hostport=\"{host_port}\"{guest} guestport=\"{guest_port}\"/>"
            )
        }
        ForwardNotation::LabYaml => {
            let guest = guest_address.map(|a| format!("{a}:")).unwrap_or_default();
            format!("{protocol}:{host}:{host_port}:{guest}{guest_port}")
        }
    }
}

fn narrow_publish(host: &mut Host, span: Span) -> Option<Edit> {
    let containers = host.engine.iter_mut().flat_map(|e| &mut e.containers);
    let publish = containers
        .flat_map(|c| &mut c.publishes)
        .find(|p| p.origin.span() == Some(span) && is_wide(p.host_address) && p.host_port.is_some())?;
    publish.host_address = Some(LOOPBACK);
    let protocol = if publish.protocol == Protocol::Tcp { String::new() } else { format!("/{}", publish.protocol) };
    let text = format!("127.0.0.1:{}:{}{protocol}", publish.host_port?, publish.container_port);
    let what = text!("publish on loopback only: {text}", "루프백에만 게시: {text}");
    Some(Edit { what, at: Some(span), text })
}

fn is_wide(address: Option<IpAddr>) -> bool {
    address.is_none_or(|a| !a.is_loopback())
}
