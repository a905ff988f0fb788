//! Which zone an interface or a source is in: one only. firewalld refuses to add what another zone has, at run time
//! (`ZONE_CONFLICT`) and permanently; only `--change-interface` and `--change-source` move it (tried with 1.3.3 and
//! 2.5.2).

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::Zone;
use crate::lab::declaration::FirewallChange;
use crate::language::text;
use crate::source::Span;

/// The other zone because of which firewalld refuses a change of `name`.
pub(super) fn elsewhere<'z>(zones: &'z BTreeMap<String, Zone>, name: &str, change: &FirewallChange) -> Option<&'z str> {
    let has = |zone: &Zone| match change {
        FirewallChange::Interface(_, interface) => zone.interfaces.iter().any(|i| i.value == *interface),
        FirewallChange::Source(_, net) => zone.sources.iter().any(|s| s.value == *net),
        _ => false,
    };
    zones.iter().find(|(other, zone)| *other != name && has(zone)).map(|(other, _)| other.as_str())
}

/// Takes it out of whatever zone it is in.
pub(super) fn unbind(zones: &mut BTreeMap<String, Zone>, change: &FirewallChange) {
    use FirewallChange as C;
    for zone in zones.values_mut() {
        match change {
            C::Interface(_, name) | C::MoveInterface(name) => zone.interfaces.retain(|i| i.value != *name),
            C::Source(_, net) | C::MoveSource(net) => zone.sources.retain(|s| s.value != *net),
            _ => {}
        }
    }
}

pub(super) fn refused(change: &FirewallChange, zone: &str, other: &str, span: Span) -> Diagnostic {
    let (what, kind) = match change {
        FirewallChange::Interface(_, name) => (name.clone(), "interface"),
        FirewallChange::Source(_, net) => (net.to_string(), "source"),
        _ => (String::new(), "interface"),
    };
    Diagnostic::new(
        Code::FirewalldZoneConflict,
        text!(
            "`{what}` is in zone `{other}`, not in `{zone}`",
            "`{what}`: `{zone}` 영역이 아니라 `{other}` 영역에 있습니다"
        ),
    )
    .label(span, text!("firewalld refuses this: ZONE_CONFLICT", "firewalld가 거부함: ZONE_CONFLICT"))
    .help(text!("`--change-{kind}` moves it", "`--change-{kind}` 옵션으로 옮기십시오"))
}
