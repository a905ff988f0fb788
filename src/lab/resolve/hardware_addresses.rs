//! Machines with one hardware address on one segment, as copies have that kept theirs. Spec: specs/vm-adapters.md.

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::machine::AdapterDecl;
use crate::lab::{Attachment, Host, HostId, SegmentId, Unmodeled};
use crate::language::text;
use crate::source::Span;

use super::Context;
use super::bind::Plan;

/// An adapter on a segment.
struct Plugged<'a> {
    host: HostId,
    name: &'a str,
    /// What VirtualBox calls the machine, and the number of the adapter there.
    adapter: (&'a str, u16),
    segment: SegmentId,
    address: String,
    /// Where the address is written.
    span: Span,
}

/// Reports them: nobody knows who of them gets a packet, or whether a server gives both one address.
pub(super) fn check(context: &mut Context, plan: &Plan<'_>, hosts: &[Host]) {
    let mut seen: Vec<Plugged<'_>> = Vec::new();
    for (index, (machine, host)) in plan.hosts.iter().zip(hosts).enumerate() {
        let Some(machine) = machine.machine else { continue };
        for adapter in machine.adapters.iter().filter(|adapter| adapter.enabled) {
            let Some(plugged) = plugged((HostId(index), host), &machine.name.value, adapter) else { continue };
            let is_same = |other: &&Plugged<'_>| (other.segment, &other.address) == (plugged.segment, &plugged.address);
            match seen.iter().find(is_same).filter(|first| first.host != plugged.host) {
                Some(first) => {
                    context.report(twice(first, &plugged));
                    context.unmodeled.extend([first, &plugged].map(|one| Unmodeled {
                        what: format!("the hardware address {}, which two machines have", one.address),
                        span: one.span,
                        host: Some(one.host),
                    }));
                }
                None => seen.push(plugged),
            }
        }
    }
}

fn plugged<'a>((id, host): (HostId, &'a Host), vm: &'a str, adapter: &AdapterDecl) -> Option<Plugged<'a>> {
    let interface = host.interfaces.iter().find(|i| i.origin.span() == Some(adapter.span) && i.connected)?;
    let Attachment::Segment(segment) = interface.attachment else { return None };
    let (address, span) = (adapter.hardware_address()?, adapter.mac.as_ref()?.span);
    let number = u16::from(adapter.slot) + 1;
    Some(Plugged { host: id, name: &host.name, adapter: (vm, number), segment, address, span })
}

fn twice(first: &Plugged<'_>, second: &Plugged<'_>) -> Diagnostic {
    let (vm, number) = second.adapter;
    let message = text!(
        "`{one}` and `{other}` have the same hardware address on one network",
        "`{one}`과(와) `{other}`의 하드웨어 주소가 같은 네트워크에서 같습니다",
        one = first.name,
        other = second.name
    );
    Diagnostic::new(Code::VboxDuplicate, message)
        .label(second.span, text!("both answer to it", "둘 다 이 주소에 응답함"))
        .label(first.span, text!("the same address", "같은 주소"))
        .help(text!(
            "give the copy an address of its own: `VBoxManage modifyvm \"{vm}\" --mac-address{number} auto`",
            "복제한 머신에 새 주소를 주십시오: `VBoxManage modifyvm \"{vm}\" --mac-address{number} auto`"
        ))
}
