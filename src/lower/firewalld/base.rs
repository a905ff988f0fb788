//! The base chains, and the rules in them that do not depend on any zone. Spec: specs/firewalld-and-docker.md.

use crate::dataplane::{Action, Hook, Match, States};
use crate::lab::{Firewalld, RuleBackend};
use crate::net::Version;

use super::Layout;
use super::writer::{Space, Writer, hook_name};

/// Writes them, up to the jump to the dispatch.
pub(super) fn write(writer: &mut Writer<'_>, firewalld: &Firewalld) {
    match firewalld.backend {
        RuleBackend::Nftables => nftables(writer, firewalld),
        RuleBackend::Iptables => iptables(writer, firewalld),
    }
}

/// Source: firewalld 1.3.3 and 2.5.0 `src/firewall/core/nftables.py`, `build_default_rules`.
fn nftables(writer: &mut Writer<'_>, firewalld: &Firewalld) {
    for (space, hook) in [
        (Space::Mangle, Hook::Prerouting),
        (Space::Nat, Hook::Prerouting),
        (Space::Nat, Hook::Postrouting),
        (Space::Nat, Hook::Output),
    ] {
        writer.base(space, hook);
        dispatch(writer, firewalld, space, hook);
    }
    writer.base(Space::Filter, Hook::Prerouting);
    for hook in [Hook::Input, Hook::Forward, Hook::Output] {
        let chain = writer.base(Space::Filter, hook);
        writer.always(chain, vec![Match::State(States::ESTABLISHED_RELATED)], Action::Accept);
        rewritten(writer, firewalld, hook);
        filter(writer, firewalld, hook);
    }
}

/// Source: firewalld 1.3.3 and 2.5.0 `src/firewall/core/ipXtables.py`, `build_default_rules`, `BUILT_IN_CHAINS`.
fn iptables(writer: &mut Writer<'_>, firewalld: &Firewalld) {
    use Hook::{Forward, Input, Output, Postrouting, Prerouting};
    let built_in: [(Space, &[Hook]); 4] = [
        (Space::Security, &[Input, Output, Forward]),
        (Space::Raw, &[Prerouting, Output]),
        (Space::Mangle, &[Prerouting, Postrouting, Input, Output, Forward]),
        (Space::Nat, &[Prerouting, Postrouting, Output]),
    ];
    for (space, hooks) in built_in {
        for hook in hooks.iter().copied() {
            direct(writer, space, hook);
            if space == Space::Nat || space != Space::Security && hook == Prerouting {
                dispatch(writer, firewalld, space, hook);
            }
        }
    }
    for hook in [Input, Forward, Output] {
        let chain = writer.base(Space::Filter, hook);
        let mut known = vec![Match::State(States::ESTABLISHED_RELATED)];
        if accepts_rewritten(firewalld, hook) {
            known.push(Match::DestinationRewritten);
        }
        let known = if known.len() > 1 { vec![Match::AnyOf(known)] } else { known };
        writer.always(chain, known, Action::Accept);
        if strict(firewalld) {
            rewritten(writer, firewalld, hook);
        }
        filter(writer, firewalld, hook);
    }
}

/// What follows the first accepts in a filter chain.
fn filter(writer: &mut Writer<'_>, firewalld: &Firewalld, hook: Hook) {
    let chain = writer.base(Space::Filter, hook);
    let loopback = "lo".to_owned();
    let loopback = if hook == Hook::Output { Match::OutInterface(loopback) } else { Match::InInterface(loopback) };
    writer.always(chain, vec![loopback], Action::Accept);
    if hook != Hook::Output {
        writer.always(chain, vec![Match::State(States::INVALID)], Action::Drop);
    }
    if writer.backend == RuleBackend::Iptables {
        direct(writer, Space::Filter, hook);
    }
    dispatch(writer, firewalld, Space::Filter, hook);
    if hook != Hook::Output {
        writer.always(chain, Vec::new(), Action::Reject(writer.reject()));
    }
}

fn direct(writer: &mut Writer<'_>, space: Space, hook: Hook) {
    let chain = writer.base(space, hook);
    let direct = writer.chain(space, &format!("{}_direct", hook_name(hook)));
    writer.jump(chain, direct);
}

/// The chains that find the zone, and the jumps to those that every packet visits.
fn dispatch(writer: &mut Writer<'_>, firewalld: &Firewalld, space: Space, hook: Hook) {
    let chain = writer.base(space, hook);
    let made: &[&str] = match Layout::of(firewalld.version) {
        Layout::Zones if hook == Hook::Output => &["POLICIES_pre", "POLICIES_post"],
        Layout::Zones => &["POLICIES_pre", "ZONES", "POLICIES_post"],
        Layout::Pairs => &["POLICIES"],
        Layout::Staged => &["dispatch"],
    };
    for suffix in made {
        let to = writer.chain(space, &format!("{}_{suffix}", hook_name(hook)));
        if *suffix == "ZONES" || made.len() < 3 {
            writer.jump(chain, to);
        }
    }
}

/// Whether packets whose destination was rewritten pass without looking at zones. Source: firewalld 1.3.3 and 2.5.0,
/// `build_default_rules`; for output only in 2.5 (`_build_default_rules_dnat`, since 2.3).
fn accepts_rewritten(firewalld: &Firewalld, hook: Hook) -> bool {
    !strict(firewalld) && (hook != Hook::Output || Version::new(2, 3, 0) <= firewalld.version)
}

/// `StrictForwardPorts` exists since 2.3; older releases ignore it.
pub(super) fn strict(firewalld: &Firewalld) -> bool {
    firewalld.strict_forward_ports && Version::new(2, 3, 0) <= firewalld.version
}

/// Source: firewalld 2.5.0 `src/firewall/core/nftables.py`, `_build_default_rules_dnat`.
fn rewritten(writer: &mut Writer<'_>, firewalld: &Firewalld, hook: Hook) {
    let chain = writer.base(Space::Filter, hook);
    if strict(firewalld) {
        let listed = writer.chain(Space::Filter, &format!("{}_dnat", hook_name(hook)));
        writer.always(listed, Vec::new(), Action::Reject(writer.reject()));
        writer.always(chain, vec![Match::DestinationRewritten], Action::Jump(listed));
    } else if accepts_rewritten(firewalld, hook) {
        writer.always(chain, vec![Match::DestinationRewritten], Action::Accept);
    }
}
