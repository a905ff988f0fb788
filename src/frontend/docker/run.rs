//! Command lines of docker and dockerd, from `docker …` on.
//!
//! Options are those of the docker CLI 28.2 (`docker run --help` and so on) together with the older spellings that it
//! still takes; how options and arguments mix follows github.com/spf13/pflag, which both programs use.

use crate::diagnostic::Diagnosed;
use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::source::{Span, Spanned};

mod container;
mod daemon;
mod flags;
mod network;
mod taken_back;

pub use self::taken_back::{TakeBack, take_back};

/// What a docker command does.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What it states, and what is wrong with it.
    pub declarations: Declarations,
    /// What it takes back of that which was stated before.
    pub taken_back: Vec<TakeBack>,
}

impl Outcome {
    fn unmodeled(what: String, span: Span) -> Self {
        let value = vec![Declaration::Unmodeled(Spanned::new(what, span))];
        Self { declarations: Diagnosed { value, diagnostics: Vec::new() }, taken_back: Vec::new() }
    }
}

impl From<Declarations> for Outcome {
    fn from(declarations: Declarations) -> Self {
        Self { declarations, taken_back: Vec::new() }
    }
}

/// Reads `docker …`; the first word is the program.
pub fn parse(words: &[Word]) -> Outcome {
    let Some(whole) = span(words) else { return Outcome::default() };
    let (elsewhere, rest) = global_options(words.get(1..).unwrap_or(&[]));
    if elsewhere {
        return Outcome::unmodeled("a docker command for another engine".to_owned(), whole);
    }
    let Some((verb, arguments)) = rest.split_first() else { return Outcome::default() };
    if verb.unknown().is_some() {
        return Outcome::unmodeled("a docker command that is not known".to_owned(), whole);
    }
    match verb.text.as_str() {
        "container" => match arguments.split_first() {
            Some((verb, arguments)) => container_command(verb, arguments, whole),
            None => Outcome::default(),
        },
        "network" => network::parse(arguments, whole),
        "compose" => compose(arguments, whole),
        verb @ ("swarm" | "service" | "stack" | "node") => changing(verb, arguments, whole),
        _ => container_command(verb, arguments, whole),
    }
}

/// Reads `dockerd …`; the first word is the program.
pub fn parse_daemon(words: &[Word]) -> Outcome {
    daemon::parse(words).into()
}

fn container_command(verb: &Word, arguments: &[Word], whole: Span) -> Outcome {
    match verb.text.as_str() {
        "run" | "create" => container::parse(verb, arguments, whole).into(),
        "rm" | "remove" => taken_back::containers(arguments, TakeBack::Container),
        "stop" | "kill" | "pause" => taken_back::containers(arguments, TakeBack::Running),
        verb @ ("exec" | "rename" | "update" | "unpause" | "checkpoint") => {
            Outcome::unmodeled(format!("`docker {verb}`"), whole)
        }
        _ => Outcome::default(),
    }
}

/// `docker compose up` does what the compose file says, which is read by itself.
fn compose(arguments: &[Word], whole: Span) -> Outcome {
    match arguments.iter().find(|w| matches!(w.text.as_str(), "exec" | "run" | "scale" | "stop" | "kill" | "pause")) {
        Some(verb) => Outcome::unmodeled(format!("`docker compose {}`", verb.text), whole),
        None => Outcome::default(),
    }
}

fn changing(noun: &str, arguments: &[Word], whole: Span) -> Outcome {
    match arguments.first().map(|w| w.text.as_str()) {
        None | Some("ls" | "ps" | "inspect" | "logs") => Outcome::default(),
        Some(verb) => Outcome::unmodeled(format!("`docker {noun} {verb}`"), whole),
    }
}

/// Skips the options in front of the command. The answer's first part says whether they choose another engine.
fn global_options(words: &[Word]) -> (bool, &[Word]) {
    let mut rest = words;
    let mut elsewhere = false;
    while let Some((first, behind)) = rest.split_first().filter(|(first, _)| first.text.starts_with('-')) {
        let name = first.text.split('=').next().unwrap_or("");
        elsewhere |= matches!(name, "-H" | "--host" | "-c" | "--context");
        let takes_value = matches!(
            name,
            "-H" | "--host"
                | "-c"
                | "--context"
                | "-l"
                | "--log-level"
                | "--config"
                | "--tlscacert"
                | "--tlscert"
                | "--tlskey"
        );
        let skipped = usize::from(takes_value && !first.text.contains('='));
        rest = behind.get(skipped..).unwrap_or(&[]);
    }
    (elsewhere, rest)
}

fn span(words: &[Word]) -> Option<Span> {
    Some(words.first()?.span.to(words.last()?.span))
}

#[cfg(test)]
mod tests;
