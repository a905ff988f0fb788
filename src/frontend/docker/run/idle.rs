//! `docker stop`, `docker start` and what a restart of the engine does to containers. A container that stops lets go of its
//! addresses and ports; when it starts it is as if it came last: it gets the lowest addresses that are free by then, and
//! the networks that it was connected to meanwhile. Spec: specs/docker-stopped.md.

use std::collections::BTreeMap;

use crate::lab::Declaration;
use crate::lab::declaration::shuffled_addresses;
use crate::lab::declaration::{ContainerDecl, Declarations, FreedDecl, Idle, IdleCause, NetworkMode, RestartPolicy};
use crate::language::{Text, text};
use crate::source::Span;

use super::taken_back::{end, is_container};

/// The name by which the default bridge is known to docker.
const DEFAULT_BRIDGE: &str = "bridge";

/// Whether a container exists and does not run.
pub(super) fn is_idle(name: &str, out: &Declarations) -> bool {
    out.value.iter().any(|d| is_idle_container(d, name))
}

fn is_idle_container(declaration: &Declaration, name: &str) -> bool {
    matches!(declaration, Declaration::Container(c) if c.idle.is_some() && is_named(c, name))
}

fn is_named(container: &ContainerDecl, name: &str) -> bool {
    container.name.as_ref().is_some_and(|own| own.value == name)
}

/// Takes a container out that does not run: its place, what it is now, and what it is when it runs.
pub(super) fn take(name: &str, out: &mut Declarations) -> Option<(usize, ContainerDecl, Vec<Declaration>)> {
    let place = out.value.iter().position(|d| is_idle_container(d, name))?;
    let Declaration::Container(mut container) = out.value.remove(place) else { return None };
    let mut was = container.idle.as_mut().map(|idle| std::mem::take(&mut idle.was)).unwrap_or_default();
    let is_connect = |d: &Declaration| matches!(d, Declaration::Connect(c) if c.container.value == name);
    was.extend(out.value.iter().filter(|d| is_connect(d)).cloned());
    out.value.retain(|d| !is_connect(d));
    Some((place, container, was))
}

/// `docker create`.
pub(super) fn created(name: &str, span: Span, out: &mut Declarations) {
    // docker refuses a second one of the same name.
    let of_name = |d: &&mut Declaration| matches!(d, Declaration::Container(c) if is_named(c, name));
    let mut all = out.value.iter_mut().filter(of_name);
    if let (Some(declaration @ Declaration::Container(_)), None) = (all.next(), all.next()) {
        let was = vec![declaration.clone()];
        if let Declaration::Container(container) = declaration {
            *container = container.at_rest(Idle { cause: IdleCause::Created, span, was });
        }
    }
}

/// `docker stop`; the answer says what has no model.
pub(super) fn stop(name: &str, span: Span, out: &mut Declarations) -> Option<Text> {
    let is_it = |d: &Declaration| matches!(d, Declaration::Container(c) if c.idle.is_none() && is_named(c, name));
    let Some(place) = out.value.iter().position(is_it) else {
        // Perhaps one of a project of compose, whose files are read later.
        let is_compose = |d: &Declaration| matches!(d, Declaration::Compose(_));
        let may_be = !is_idle(name, out) && out.value.iter().any(is_compose);
        return may_be.then(|| text!("`{name}` is stopped", "중지된 `{name}` 컨테이너"));
    };
    if let Some(sharer) = sharer(name, out) {
        return Some(text!(
            "`{name}` is stopped, whose network `{sharer}` shares",
            "중지된 `{name}` 컨테이너 (`{sharer}` 컨테이너가 그 네트워크를 같이 씀)"
        ));
    }
    halt(place, IdleCause::Stopped, span, out);
    None
}

/// `docker start`.
pub(super) fn start(name: &str, out: &mut Declarations) {
    if let Some((_, _, was)) = take(name, out) {
        out.value.extend(was);
    }
}

/// `docker restart`; the answer says what has no model.
pub(super) fn restart(name: &str, span: Span, out: &mut Declarations) -> Option<Text> {
    // Its end is one that somebody wanted.
    let removes_itself = |d: &mut Declaration| match d {
        Declaration::Container(c) if is_named(c, name) => std::mem::take(&mut c.is_removed_at_end),
        _ => false,
    };
    let is_removed_at_end = out.value.iter_mut().any(removes_itself);
    let what = stop(name, span, out);
    start(name, out);
    for declaration in &mut out.value {
        if let Declaration::Container(c) = declaration
            && is_named(c, name)
        {
            c.is_removed_at_end = is_removed_at_end;
        }
    }
    what
}

/// The engine goes down and comes up again; `event` says so. Containers without a restart policy stay down (docs.docker.com,
/// "Start containers automatically"). The answer says what has no model.
pub fn engine_restarted(event: Declaration, span: Span, out: &mut Declarations) -> Option<Text> {
    let mut orphan = None;
    while let Some(place) = out.value.iter().position(|d| ends_with_engine(d, out)) {
        orphan = orphan.or_else(|| match out.value.get(place) {
            Some(Declaration::Container(c)) => c.name.as_ref().and_then(|name| sharer(&name.value, out)),
            _ => None,
        });
        halt(place, IdleCause::EngineRestarted, span, out);
    }
    out.value.push(event);
    for name in woken(out) {
        start(&name, out);
    }
    if let Some(orphan) = orphan {
        return Some(text!(
            "`{orphan}` shares the network of a container that stays down",
            "꺼진 채로 남는 컨테이너의 네트워크를 같이 쓰는 `{orphan}`"
        ));
    }
    let shuffled = shuffled(out);
    (!shuffled.is_empty()).then(|| shuffled_addresses(&shuffled.join("`, `")))
}

/// A container that runs and has no restart policy; those that share another one's network come first.
fn ends_with_engine(declaration: &Declaration, out: &Declarations) -> bool {
    let stays_down = |c: &ContainerDecl| c.idle.is_none() && c.restart == RestartPolicy::No;
    let shares = |c: &ContainerDecl| matches!(c.mode.as_ref().map(|m| &m.value), Some(NetworkMode::Container(_)));
    let Declaration::Container(container) = declaration else { return false };
    let some_share =
        || out.value.iter().any(|d| matches!(d, Declaration::Container(other) if stays_down(other) && shares(other)));
    stays_down(container) && (shares(container) || !some_share())
}

/// Containers that somebody stopped, and that the engine starts anyway when it comes up (observed with 20.10.24 and 28.5.2;
/// not those that were never started).
fn woken(out: &Declarations) -> Vec<String> {
    let is_woken = |c: &ContainerDecl| {
        let cause = c.idle.as_ref().map(|idle| idle.cause);
        cause == Some(IdleCause::Stopped) && c.restart == RestartPolicy::Always
    };
    let containers = out.value.iter().filter_map(|d| if let Declaration::Container(c) = d { Some(c) } else { None });
    containers.filter(|c| is_woken(c)).filter_map(|c| c.name.as_ref()).map(|name| name.value.clone()).collect()
}

/// Containers whose addresses nobody knows after a restart of the engine: it starts those of a network at the same time
/// (moby 28.5 daemon/daemon.go, `restore`; observed with 20.10.24 and 28.5.2: another order every time).
fn shuffled(out: &Declarations) -> Vec<String> {
    let mut on: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for declaration in &out.value {
        match declaration {
            Declaration::Container(c) if c.idle.is_none() => {
                let name = c.name.as_ref().map_or("a container", |name| &name.value);
                let is_on_default = match c.mode.as_ref().map(|mode| &mode.value) {
                    None => c.networks.is_empty(),
                    Some(mode) => *mode == NetworkMode::Bridge,
                };
                let free = c.networks.iter().filter(|a| a.address.is_none()).map(|a| a.network.value.as_str());
                for network in free.chain(is_on_default.then_some(DEFAULT_BRIDGE)) {
                    on.entry(network).or_default().push(name.to_owned());
                }
            }
            Declaration::Connect(c) if c.attach.address.is_none() && !is_idle(&c.container.value, out) => {
                on.entry(&c.attach.network.value).or_default().push(c.container.value.clone());
            }
            _ => {}
        }
    }
    let mut all: Vec<String> = on.into_values().filter(|names| 1 < names.len()).flatten().collect();
    all.sort();
    all.dedup();
    all
}

/// A container that runs in the network of the one of that name.
fn sharer(name: &str, out: &Declarations) -> Option<String> {
    let shares = |c: &&ContainerDecl| match c.mode.as_ref().map(|mode| &mode.value) {
        Some(NetworkMode::Container(target)) => c.idle.is_none() && target == name,
        _ => false,
    };
    let containers = out.value.iter().filter_map(|d| if let Declaration::Container(c) = d { Some(c) } else { None });
    containers.filter(shares).map(|c| c.name.as_ref().map_or_else(String::new, |name| name.value.clone())).next()
}

/// Stops the container that stands at `place`.
fn halt(place: usize, cause: IdleCause, span: Span, out: &mut Declarations) {
    let Some(Declaration::Container(container)) = out.value.get(place).cloned() else { return };
    let mut was = vec![Declaration::Container(container.clone())];
    let name = container.name.as_ref().map_or("", |name| &name.value);
    let freed = FreedDecl::Container { name: name.to_owned(), network: None };
    if name.is_empty() {
        if let Some(declaration) = out.value.get_mut(place) {
            *declaration = Declaration::Former(Box::new(declaration.clone()));
        }
        out.value.push(Declaration::Freed(freed));
    } else {
        was.extend(out.value.iter().filter(|d| is_container(d, name) && matches!(d, Declaration::Connect(_))).cloned());
        end(out, freed, |d| is_container(d, name));
    }
    if !container.is_removed_at_end {
        out.value.push(Declaration::Container(container.at_rest(Idle { cause, span, was })));
    }
}
