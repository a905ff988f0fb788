//! `docker rm` and its kin: what they undo of that which the same script stated before. Of containers and networks a
//! trace is left: later ones got other addresses because of them.

use crate::diagnostic::Diagnostic;
use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::{ConnectDecl, Declarations, FreedDecl, NetworkMode};
use crate::language::{Language, Text, text};
use crate::source::{Span, Spanned};

use super::Outcome;

/// Something that a command undoes.
#[derive(Clone, Debug)]
pub enum TakeBack {
    /// `docker rm`.
    Container(Spanned<String>),
    /// `docker stop` and the like: the container stays, its program does not.
    Running(Spanned<String>),
    /// `docker create`: the container is there, its program is not yet.
    NotStarted(Spanned<String>),
    /// `docker start` and the like, which undo that.
    Idle(Spanned<String>),
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
                taken_back.push(TakeBack::Running(word.spanned().map(|_| ANY.to_owned())));
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
        TakeBack::Container(name) => {
            let freed = FreedDecl::Container { name: name.value.clone(), network: None };
            end(out, freed, |d| is_container(d, &name.value));
        }
        // docker refuses to remove a network that running containers are on: "has active endpoints".
        TakeBack::Network(name) if used_networks(out).contains(&name.value) => {}
        TakeBack::Network(name) => {
            let freed = FreedDecl::Network(name.value.clone());
            end(out, freed, |d| matches!(d, Declaration::Network(n) if n.name.value == name.value));
        }
        TakeBack::Running(name) => {
            let is_there = out.value.iter().any(|d| is_container(d, &name.value));
            return is_there.then(|| match name.value.as_str() {
                ANY => text!("containers that are not known are stopped", "어느 컨테이너인지 알 수 없는 중지"),
                name => said(name, STOPPED),
            });
        }
        TakeBack::NotStarted(name) => return Some(said(&name.value, NOT_STARTED)),
        TakeBack::Idle(name) => {
            let others_came = others_came_meanwhile(&name.value, out);
            started(&name.value, out);
            return others_came.then(|| {
                text!(
                    "`{name}` started again after others came, which may have its address",
                    "다른 컨테이너가 생긴 뒤 다시 시작된 `{name}` (그 컨테이너가 주소를 가져갔을 수 있음)",
                    name = &name.value
                )
            });
        }
        TakeBack::Name { from, to } => rename(&from.value, to, out),
        TakeBack::UnusedNetworks => unused_networks(out),
        TakeBack::IdleContainers => {
            for name in idle(out) {
                let freed = FreedDecl::Container { name: name.clone(), network: None };
                end(out, freed, |d| is_container(d, &name));
                started(&name, out);
            }
        }
        TakeBack::Attachment { network, container } => {
            let is_done = detach(&network.value, &container.value, whole, out);
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

/// What is said of a container whose program does not run, in English and in Korean; the name stands before it.
const STOPPED: [&str; 2] = [" is stopped", " 컨테이너는 중지된 상태"];
const NOT_STARTED: [&str; 2] = [" is created and not started", " 컨테이너는 만들어지고 시작되지 않은 상태"];

fn said(name: &str, [english, korean]: [&str; 2]) -> Text {
    Text::new(format!("`{name}`{english}"), format!("`{name}`{korean}"))
}

/// The container of which it is said that its program does not run, and in which words.
fn not_running(said: &Text) -> Option<(&str, [&'static str; 2])> {
    let (name, rest) = said.as_str().strip_prefix('`')?.rsplit_once('`')?;
    Some((name, [STOPPED, NOT_STARTED].into_iter().find(|[english, _]| *english == rest)?))
}

/// What is said of the containers that stay down when dockerd restarts: those without a restart policy (docs.docker.com,
/// "Start containers automatically"; observed with 20.10.24). `live-restore` of the daemon is not looked at.
pub fn stopped_by_restart(out: &Declarations) -> Vec<Text> {
    let names = out.value.iter().filter_map(|d| match d {
        Declaration::Container(c) if !c.restarts => c.name.as_ref(),
        _ => None,
    });
    names.map(|name| said(&name.value, STOPPED)).collect()
}

/// Names of containers of which it was said that they do not run.
fn idle(out: &Declarations) -> Vec<String> {
    let said =
        out.value.iter().filter_map(|d| if let Declaration::Unmodeled(said) = d { Some(&said.value) } else { None });
    said.filter_map(|said| Some(not_running(said)?.0.to_owned())).collect()
}

/// Whether containers started or were connected while one did not run: a container that stops loses its address, and gets
/// the lowest that is free when it starts (seen with 28.5.2: they change places).
fn others_came_meanwhile(name: &str, out: &Declarations) -> bool {
    let is_said = |d: &Declaration| match d {
        Declaration::Unmodeled(said) => not_running(&said.value).is_some_and(|(who, _)| who == name),
        _ => false,
    };
    let later = out.value.iter().skip_while(|d| !is_said(d));
    later.into_iter().any(|d| matches!(d, Declaration::Container(_) | Declaration::Connect(_)))
}

/// Forgets that a container does not run.
fn started(name: &str, out: &mut Declarations) {
    let is_it = |d: &Declaration| {
        let Declaration::Unmodeled(said) = d else { return None };
        let (who, _) = not_running(&said.value)?;
        (name == ANY || who == name).then(|| said.clone())
    };
    let said: Vec<Spanned<Text>> = out.value.iter().filter_map(is_it).collect();
    out.value.retain(|d| is_it(d).is_none());
    let is_said = |d: &Diagnostic, said: &Spanned<Text>| {
        d.message.ends_with(said.value.as_str()) && d.labels.first().is_some_and(|label| label.span == said.span)
    };
    out.diagnostics.retain(|d| !said.iter().any(|said| is_said(d, said)));
}

/// A container keeps its networks and addresses under another name.
fn rename(from: &str, to: &Spanned<String>, out: &mut Declarations) {
    for declaration in &mut out.value {
        match declaration {
            Declaration::Container(c) if c.name.as_ref().is_some_and(|n| n.value == from) => c.name = Some(to.clone()),
            Declaration::Connect(c) if c.container.value == from => c.container.value.clone_from(&to.value),
            Declaration::Unmodeled(said) => {
                if let Some((_, why)) = not_running(&said.value).filter(|(who, _)| *who == from) {
                    let now = self::said(&to.value, why);
                    let about = out.diagnostics.iter_mut().filter(|d| d.message.ends_with(said.value.as_str()));
                    about.for_each(|d| {
                        let renamed =
                            |l| d.message.in_language(l).replace(said.value.in_language(l), now.in_language(l));
                        d.message = Text::new(renamed(Language::English), renamed(Language::Korean));
                    });
                    said.value = now;
                }
            }
            _ => {}
        }
    }
}

/// The networks that containers are on so far, unless these are known not to run.
fn used_networks(out: &Declarations) -> Vec<String> {
    let idle = idle(out);
    let mut used: Vec<String> = Vec::new();
    for declaration in &out.value {
        match declaration {
            Declaration::Container(c) if c.name.as_ref().is_none_or(|name| !idle.contains(&name.value)) => {
                used.extend(c.networks.iter().map(|a| a.network.value.clone()));
            }
            Declaration::Connect(c) if !idle.contains(&c.container.value) => used.push(c.attach.network.value.clone()),
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
fn end(out: &mut Declarations, freed: FreedDecl, is_meant: impl Fn(&Declaration) -> bool) -> bool {
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

fn is_container(declaration: &Declaration, name: &str) -> bool {
    match declaration {
        Declaration::Container(_) if name == ANY => true,
        Declaration::Container(c) => c.name.as_ref().is_some_and(|n| n.value == name),
        Declaration::Connect(c) => c.container.value == name,
        _ => false,
    }
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
