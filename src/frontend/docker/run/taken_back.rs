//! `docker rm` and its kin: what they undo of that which the same script stated before. Of containers and networks a
//! trace is left: later ones got other addresses because of them.

use crate::diagnostic::Diagnostic;
use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::{ConnectDecl, Declarations, FreedDecl, NetworkMode};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

use super::{Outcome, idle};

/// Something that a command undoes.
#[derive(Clone, Debug)]
pub enum TakeBack {
    /// `docker rm`.
    Container(Spanned<String>),
    /// `docker stop`, `docker kill`: the container stays, its program does not.
    Running(Spanned<String>),
    /// `docker create`: the container is there, its program is not yet.
    NotStarted(Spanned<String>),
    /// `docker start`.
    Idle(Spanned<String>),
    /// `docker restart`: both.
    Run(Spanned<String>),
    /// `docker pause`: the program stays, and does nothing.
    Motion(Spanned<String>),
    /// `docker unpause`.
    Pause(Spanned<String>),
    /// `docker rename`.
    Name {
        /// The old one.
        from: Spanned<String>,
        /// The new one.
        to: Spanned<String>,
    },
    /// `docker network prune`: networks that no container is on.
    UnusedNetworks,
    /// `docker container prune`: containers that do not run.
    IdleContainers,
    /// `docker network rm`.
    Network(Spanned<String>),
    /// `docker network disconnect`.
    Attachment {
        /// The network.
        network: Spanned<String>,
        /// The container.
        container: Spanned<String>,
    },
}

/// What stands for a name that is not known, as in `docker rm $(docker ps -aq)`: any container.
const ANY: &str = "*";

/// Names of containers behind the options of `docker rm` or `docker stop`.
pub(super) fn containers(arguments: &[Word], what: fn(Spanned<String>) -> TakeBack) -> Outcome {
    let mut taken_back = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.text.as_str() {
            "-t" | "--time" | "--timeout" | "-s" | "--signal" => {
                words.next();
            }
            text if text.starts_with('-') => {}
            // Whichever they are, nobody knows whether they are gone for good.
            _ if word.unknown().is_some() => {
                taken_back.push(TakeBack::Motion(word.spanned().map(|_| ANY.to_owned())));
            }
            _ => taken_back.push(what(word.spanned())),
        }
    }
    Outcome { taken_back, ..Outcome::default() }
}

/// Undoes what the command at `whole` takes back; the answer says what could not be undone. A name that was not stated
/// before is a clean-up of former runs.
pub fn take_back(what: &TakeBack, whole: Span, out: &mut Declarations) -> Option<Text> {
    match what {
        TakeBack::Container(name) => remove(&name.value, out),
        // docker refuses to remove a network that running containers are on: "has active endpoints".
        TakeBack::Network(name) if used_networks(out).contains(&name.value) => {}
        TakeBack::Network(name) => {
            let freed = FreedDecl::Network(name.value.clone());
            end(out, freed, |d| matches!(d, Declaration::Network(n) if n.name.value == name.value));
        }
        TakeBack::Running(name) => return idle::stop(&name.value, whole, out),
        TakeBack::NotStarted(name) => idle::created(&name.value, whole, out),
        TakeBack::Idle(name) => idle::start(&name.value, out),
        TakeBack::Run(name) => return idle::restart(&name.value, whole, out),
        TakeBack::Motion(name) => {
            let is_there = out.value.iter().any(|d| is_container(d, &name.value));
            return is_there.then(|| match name.value.as_str() {
                ANY => text!("containers that are not known are stopped", "어느 컨테이너인지 알 수 없는 중지"),
                name => paused(name),
            });
        }
        TakeBack::Pause(name) => forget(&paused(&name.value), out),
        TakeBack::Name { from, to } => rename(&from.value, to, out),
        TakeBack::UnusedNetworks => unused_networks(out),
        TakeBack::IdleContainers => out.value.retain(|d| !matches!(d, Declaration::Container(c) if c.idle.is_some())),
        TakeBack::Attachment { network, container } => {
            let is_done = detach_anyway(&network.value, &container.value, whole, out);
            let (container, network) = (&container.value, &network.value);
            return (!is_done).then(|| {
                text!(
                    "`{container}` is disconnected from `{network}`",
                    "`{network}` 네트워크에서 떨어져 나온 `{container}`"
                )
            });
        }
    }
    None
}

/// What is said of a container whose program is held.
fn paused(name: &str) -> Text {
    text!("`{name}` is paused", "일시 정지된 `{name}` 컨테이너")
}

/// `docker rm`.
fn remove(name: &str, out: &mut Declarations) {
    // What does not run holds no address.
    if idle::take(name, out).is_none() {
        end(out, FreedDecl::Container { name: name.to_owned(), network: None }, |d| is_container(d, name));
    }
}

/// Forgets that something was said to have no model.
fn forget(what: &Text, out: &mut Declarations) {
    let is_it = |d: &Declaration| matches!(d, Declaration::Unmodeled(said) if said.value == *what);
    let places: Vec<Span> = out
        .value
        .iter()
        .filter_map(|d| if let Declaration::Unmodeled(said) = d { Some(said.span) } else { None })
        .collect();
    out.value.retain(|d| !is_it(d));
    let is_said = |d: &Diagnostic| {
        d.message.ends_with(what.as_str()) && d.labels.first().is_some_and(|label| places.contains(&label.span))
    };
    out.diagnostics.retain(|d| !is_said(d));
}

/// A container keeps its networks and addresses under another name.
fn rename(from: &str, to: &Spanned<String>, out: &mut Declarations) {
    for declaration in &mut out.value {
        match declaration {
            Declaration::Container(c) if c.name.as_ref().is_some_and(|n| n.value == from) => {
                c.name = Some(to.clone());
                for was in c.idle.iter_mut().flat_map(|idle| &mut idle.was) {
                    match was {
                        Declaration::Container(c) => c.name = Some(to.clone()),
                        Declaration::Connect(c) => c.container.value.clone_from(&to.value),
                        _ => {}
                    }
                }
            }
            Declaration::Connect(c) if c.container.value == from => c.container.value.clone_from(&to.value),
            _ => {}
        }
    }
}

/// The networks that running containers are on so far.
fn used_networks(out: &Declarations) -> Vec<String> {
    let mut used: Vec<String> = Vec::new();
    for declaration in &out.value {
        match declaration {
            Declaration::Container(c) => used.extend(c.networks.iter().map(|a| a.network.value.clone())),
            Declaration::Connect(c) if !idle::is_idle(&c.container.value, out) => {
                used.push(c.attach.network.value.clone());
            }
            _ => {}
        }
    }
    used
}

/// Ends the networks that no container is on so far.
fn unused_networks(out: &mut Declarations) {
    let used = used_networks(out);
    let unused = |d: &Declaration| match d {
        Declaration::Network(n) if !n.external && !used.contains(&n.name.value) => Some(n.name.value.clone()),
        _ => None,
    };
    for name in out.value.iter().filter_map(unused).collect::<Vec<_>>() {
        let is_it = |d: &Declaration| matches!(d, Declaration::Network(n) if n.name.value == name);
        end(out, FreedDecl::Network(name.clone()), is_it);
    }
}

/// What `is_meant` was there until now; says whether anything was.
pub(super) fn end(out: &mut Declarations, freed: FreedDecl, is_meant: impl Fn(&Declaration) -> bool) -> bool {
    let mut found = false;
    for declaration in out.value.iter_mut().filter(|d| is_meant(d)) {
        found = true;
        *declaration = Declaration::Former(Box::new(declaration.clone()));
    }
    if found {
        out.value.push(Declaration::Freed(freed));
    }
    found
}

pub(super) fn is_container(declaration: &Declaration, name: &str) -> bool {
    match declaration {
        Declaration::Container(_) if name == ANY => true,
        Declaration::Container(c) => c.name.as_ref().is_some_and(|n| n.value == name),
        Declaration::Connect(c) => c.container.value == name,
        _ => false,
    }
}

/// Also of a container that does not run: then nothing becomes free. Says whether the attachment was found.
fn detach_anyway(network: &str, container: &str, whole: Span, out: &mut Declarations) -> bool {
    let Some((place, mut at_rest, was)) = idle::take(container, out) else {
        return detach(network, container, whole, out);
    };
    let mut inside = Declarations { value: was, diagnostics: Vec::new() };
    let is_done = detach(network, container, whole, &mut inside);
    inside.value.retain(|d| !matches!(d, Declaration::Former(_) | Declaration::Freed(_)));
    if let Some(idle) = &mut at_rest.idle {
        idle.was = inside.value;
    }
    out.value.insert(place.min(out.value.len()), Declaration::Container(at_rest));
    is_done
}

/// Whether the attachment was found.
fn detach(network: &str, container: &str, whole: Span, out: &mut Declarations) -> bool {
    let freed = FreedDecl::Container { name: container.to_owned(), network: Some(network.to_owned()) };
    let is_meant = |d: &Declaration| matches!(d, Declaration::Connect(c) if c.container.value == container && c.attach.network.value == network);
    if end(out, freed.clone(), is_meant) {
        return true;
    }
    let position = out.value.iter().position(|d| is_container(d, container) && matches!(d, Declaration::Container(_)));
    let Some(at) = position else { return false };
    let Some(Declaration::Container(c)) = out.value.get(at) else { return false };
    let Some(index) = c.networks.iter().position(|a| a.network.value == network) else { return false };
    let is_last = c.networks.len() == 1;
    // A network that it was connected to takes the place, if nobody got an address in between.
    let is_connect = |d: &Declaration| matches!(d, Declaration::Connect(c) if c.container.value == container);
    let next = out.value.iter().position(is_connect).filter(|_| is_last);
    let between = next.and_then(|next| out.value.get(at + 1..next)).unwrap_or(&[]);
    if between.iter().any(|d| matches!(d, Declaration::Container(_) | Declaration::Connect(_))) {
        return false;
    }
    let next = next.map(|next| out.value.remove(next));
    let Some(Declaration::Container(c)) = out.value.get_mut(at) else { return false };
    let attach = c.networks.remove(index);
    match next {
        Some(Declaration::Connect(next)) => c.networks.push(next.attach),
        _ if is_last => c.mode = Some(Spanned::new(NetworkMode::None, whole)),
        _ => {}
    }
    let former = ConnectDecl { container: Spanned::new(container.to_owned(), whole), attach, span: c.span };
    out.value.insert(at + 1, Declaration::Former(Box::new(Declaration::Connect(former))));
    out.value.push(Declaration::Freed(freed));
    true
}
