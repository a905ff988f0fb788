//! `docker rm` and its kin: what they undo of that which the same script stated before.

use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, NetworkMode};
use crate::source::{Span, Spanned};

use super::Outcome;

/// Something that a command undoes.
#[derive(Clone, Debug)]
pub enum TakeBack {
    /// `docker rm`.
    Container(Spanned<String>),
    /// `docker stop` and the like: the container stays, its program does not.
    Running(Spanned<String>),
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
pub fn take_back(what: &TakeBack, whole: Span, out: &mut Declarations) -> Option<String> {
    match what {
        TakeBack::Container(name) => out.value.retain(|d| !is_container(d, &name.value)),
        TakeBack::Network(name) => {
            out.value.retain(|d| !matches!(d, Declaration::Network(n) if n.name.value == name.value));
        }
        TakeBack::Running(name) => {
            let is_there = out.value.iter().any(|d| is_container(d, &name.value));
            return is_there.then(|| match name.value.as_str() {
                ANY => "containers that are not known are stopped".to_owned(),
                name => format!("`{name}` is stopped"),
            });
        }
        TakeBack::Attachment { network, container } => {
            let is_done = detach(&network.value, &container.value, whole, out);
            return (!is_done).then(|| format!("`{}` is disconnected from `{}`", container.value, network.value));
        }
    }
    None
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
    let before = out.value.len();
    out.value.retain(|d| {
        !matches!(d, Declaration::Connect(c)
            if c.container.value == container && c.attach.network.value == network)
    });
    if out.value.len() < before {
        return true;
    }
    for declaration in &mut out.value {
        let Declaration::Container(c) = declaration else { continue };
        if c.name.as_ref().is_none_or(|n| n.value != container) {
            continue;
        }
        let attachments = c.networks.len();
        if 1 < attachments {
            c.networks.retain(|a| a.network.value != network);
        } else if c.networks.iter().any(|a| a.network.value == network) {
            c.networks.clear();
            c.mode = Some(Spanned::new(NetworkMode::None, whole));
        }
        if c.networks.len() < attachments {
            return true;
        }
    }
    false
}
