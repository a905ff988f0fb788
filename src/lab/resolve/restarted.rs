//! What a restart of docker does to the containers of compose projects: a script restarts it behind `docker compose up`, and
//! services without `restart:` stay down. Spec: specs/docker-stopped.md.
//!
//! The front-end of scripts does the same for what `docker run` made; which containers a project has is known only here.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::declaration::{ComposeDecl, ContainerDecl, Idle, IdleCause, RestartPolicy, shuffled_addresses};
use crate::lab::{Declaration, HostEvent};
use crate::source::{Span, Spanned};

/// The statements of a host's files with such containers at rest; nothing if there are none.
pub(super) fn settle(files: &[&Declaration]) -> Option<Vec<Declaration>> {
    let restart = files.iter().zip(0..).find_map(|(d, place)| is_last_word(d, place, files))?;
    let settled = files.iter().map(|d| match d {
        Declaration::Container(c) if stays_down(c) => {
            let idle = Idle { cause: IdleCause::EngineRestarted, span: restart, was: vec![(*d).clone()] };
            Declaration::Container(c.at_rest(idle))
        }
        other => (*other).clone(),
    });
    Some(settled.chain(shuffled(files, restart)).collect())
}

/// Where it says that containers do not stop when the engine does.
pub(super) fn runs_on(declaration: &Declaration) -> Option<Span> {
    let Declaration::Engine(engine) = declaration else { return None };
    engine.live_restore.as_ref().filter(|live_restore| live_restore.value).map(|live_restore| live_restore.span)
}

/// Several that come up at the same time on one network share out its addresses anew.
fn shuffled(files: &[&Declaration], restart: Span) -> Option<Declaration> {
    let mut on: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for declaration in files {
        if let Declaration::Container(c) = declaration
            && c.project.is_some()
            && c.idle.is_none()
            && c.restart != RestartPolicy::No
        {
            let name = c.name.as_ref().map_or("", |name| &name.value);
            let free = c.networks.iter().filter(|attach| attach.address.is_none());
            free.for_each(|attach| on.entry(&attach.network.value).or_default().push(name));
        }
    }
    let names: BTreeSet<&str> = on.into_values().filter(|names| 1 < names.len()).flatten().collect();
    let names: Vec<&str> = names.into_iter().collect();
    let what = shuffled_addresses(&names.join("`, `"));
    (!names.is_empty()).then(|| Declaration::Unmodeled(Spanned::new(what, restart)))
}

/// The place of a restart that the same script's projects were started before, and not again behind it.
fn is_last_word(declaration: &Declaration, place: usize, files: &[&Declaration]) -> Option<Span> {
    let Declaration::Event(event) = declaration else { return None };
    let is_here = |call: &&ComposeDecl| call.span.source == event.span.source;
    let before: Vec<_> = calls(files.get(..place)?).filter(is_here).map(call_of).collect();
    let after: Vec<_> = calls(files.get(place..)?).filter(is_here).map(call_of).collect();
    let is_undone = before.iter().all(|call| after.contains(call));
    (event.value == HostEvent::EngineRestart && !is_undone).then_some(event.span)
}

fn calls<'a>(files: &'a [&Declaration]) -> impl Iterator<Item = &'a ComposeDecl> {
    files.iter().filter_map(|d| if let Declaration::Compose(call) = d { Some(call) } else { None })
}

/// What tells the calls for several projects apart.
fn call_of(call: &ComposeDecl) -> (Vec<&str>, Option<&str>, Option<&str>) {
    let files = call.files.iter().map(|file| file.value.as_str()).collect();
    (files, call.project.as_ref().map(|p| p.value.as_str()), call.directory.as_ref().map(|d| d.value.as_str()))
}

fn stays_down(container: &ContainerDecl) -> bool {
    container.project.is_some() && container.idle.is_none() && container.restart == RestartPolicy::No
}
