//! Ports that Windows keeps for itself: whoever asks for one is refused. Spec: specs/vm-host.md.

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::Declaration;
use crate::lab::kept_ports::KeptPorts;
use crate::language::{Text, text};
use crate::net::Protocol;
use crate::source::Span;

use super::bind::HostPlan;

/// What is listed about the ports of a host.
pub(super) fn listed(plan: &HostPlan<'_>) -> Vec<KeptPorts> {
    let listings = plan.declarations().filter_map(|declaration| match declaration {
        Declaration::KeptPorts(listing) => Some(listing.clone()),
        _ => None,
    });
    listings.collect()
}

/// Somebody who wants a port that Windows keeps.
pub(super) struct Refused<'a> {
    pub(super) host: &'a str,
    pub(super) protocol: Protocol,
    pub(super) port: u16,
    /// Where it is wanted.
    pub(super) wanted: Option<Span>,
    /// What becomes of that.
    pub(super) consequence: Text,
    /// The entry of the listing.
    pub(super) entry: Span,
}

impl Refused<'_> {
    pub(super) fn diagnostic(self) -> Diagnostic {
        let Self { host, protocol, port, wanted, consequence, entry } = self;
        let message = text!(
            "Windows on `{host}` keeps port {port}/{protocol} for itself",
            "`{host}`의 Windows가 {port}/{protocol} 포트를 따로 잡아 두고 있습니다"
        );
        let mut diagnostic = Diagnostic::new(Code::ExcludedPort, message);
        if let Some(span) = wanted {
            diagnostic = diagnostic.label(span, consequence);
        }
        diagnostic.label(entry, text!("in this range", "이 범위에 들어 있음")).help(text!(
            "take a port outside the ranges, or set this one aside before WinNAT takes it: `net stop winnat`, `netsh int ipv4 add \
             excludedportrange protocol={protocol} startport={port} numberofports=1`, `net start winnat`",
            "범위 밖의 포트를 쓰거나, WinNAT이 가져가기 전에 이 포트를 따로 지정하십시오: `net stop winnat`, `netsh int ipv4 add \
             excludedportrange protocol={protocol} startport={port} numberofports=1`, `net start winnat`"
        ))
    }
}
