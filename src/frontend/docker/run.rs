//! Command lines of docker and dockerd, from `docker …` on.
//!
//! Options are those of the docker CLI 28.2 (`docker run --help` and so on) together with the older spellings that it
//! still takes; how options and arguments mix follows github.com/spf13/pflag, which both programs use.

use crate::diagnostic::{Code, Diagnosed, Diagnostic, did_you_mean};
use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

mod compose;
mod container;
mod daemon;
mod flags;
mod idle;
mod network;
mod taken_back;

pub use self::idle::engine_restarted;
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
    fn unmodeled(what: impl Into<Text>, span: Span) -> Self {
        let value = vec![Declaration::Unmodeled(Spanned::new(what.into(), span))];
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
        return Outcome::unmodeled(
            text!("a docker command for another engine", "다른 엔진에 내리는 docker 명령"),
            whole,
        );
    }
    let Some((verb, arguments)) = rest.split_first() else { return Outcome::default() };
    if verb.unknown().is_some() {
        return Outcome::unmodeled(text!("a docker command that is not known", "알 수 없는 docker 명령"), whole);
    }
    match verb.text.as_str() {
        "container" => match arguments.split_first() {
            Some((verb, arguments)) => container_command(verb, arguments, whole),
            None => Outcome::default(),
        },
        "network" => network::parse(arguments, whole),
        "system" if arguments.first().is_some_and(|verb| verb.text == "prune") => {
            Outcome { taken_back: vec![TakeBack::IdleContainers, TakeBack::UnusedNetworks], ..Outcome::default() }
        }
        "compose" => compose::parse(arguments, whole),
        "context" if arguments.first().is_some_and(|verb| verb.text == "use") => match arguments.get(1) {
            Some(name) if name.text == "default" => Outcome::default(),
            _ => Outcome::unmodeled(
                text!("a docker context, which may name another engine", "다른 엔진을 가리킬 수 있는 docker 컨텍스트"),
                whole,
            ),
        },
        verb @ ("swarm" | "service" | "stack" | "node") => changing(verb, arguments, whole),
        _ => container_command(verb, arguments, whole),
    }
}

/// Reads `docker-compose …`; the first word is the program.
pub fn parse_compose(words: &[Word]) -> Outcome {
    span(words).map_or_else(Outcome::default, |whole| compose::parse(words.get(1..).unwrap_or(&[]), whole))
}

/// Reads `dockerd …`; the first word is the program.
pub fn parse_daemon(words: &[Word]) -> Outcome {
    daemon::parse(words).into()
}

fn container_command(verb: &Word, arguments: &[Word], whole: Span) -> Outcome {
    match verb.text.as_str() {
        "run" => container::parse(verb, arguments, whole).into(),
        "create" => created(container::parse(verb, arguments, whole)),
        "rm" | "remove" => taken_back::containers(arguments, TakeBack::Container),
        "kill" if !kills(arguments) => {
            Outcome::unmodeled(text!("`docker kill` with another signal", "다른 시그널을 보내는 `docker kill`"), whole)
        }
        "stop" | "kill" => taken_back::containers(arguments, TakeBack::Running),
        "start" => taken_back::containers(arguments, TakeBack::Idle),
        "restart" => taken_back::containers(arguments, TakeBack::Run),
        "pause" => taken_back::containers(arguments, TakeBack::Motion),
        "unpause" => taken_back::containers(arguments, TakeBack::Pause),
        "rename" => match arguments {
            [from, to] if from.unknown().is_none() && to.unknown().is_none() => Outcome {
                taken_back: vec![TakeBack::Name { from: from.spanned(), to: to.spanned() }],
                ..Outcome::default()
            },
            _ => Outcome::unmodeled("`docker rename`", whole),
        },
        "prune" => Outcome { taken_back: vec![TakeBack::IdleContainers], ..Outcome::default() },
        verb @ ("exec" | "checkpoint") => Outcome::unmodeled(format!("`docker {verb}`"), whole),
        verb if NEUTRAL.contains(&verb) => Outcome::default(),
        _ => unknown_command(verb),
    }
}

/// A container with a name waits for `docker start`; one without is started by the id that the command prints.
fn created(declarations: Declarations) -> Outcome {
    let name = declarations.value.iter().find_map(|d| match d {
        Declaration::Container(container) => container.name.clone(),
        _ => None,
    });
    Outcome { declarations, taken_back: name.map(TakeBack::NotStarted).into_iter().collect() }
}

/// Whether the signal of `docker kill` ends a program in any case, or asks it to end.
fn kills(arguments: &[Word]) -> bool {
    let after = arguments.iter().zip(arguments.iter().skip(1));
    let signal = after.filter(|(option, _)| ["-s", "--signal"].contains(&option.text.as_str())).map(|(_, s)| &*s.text);
    let attached = arguments.iter().filter_map(|word| word.text.strip_prefix("--signal="));
    signal.chain(attached).all(|signal| ["9", "15", "KILL", "TERM"].contains(&signal.trim_start_matches("SIG")))
}

/// Commands that change nothing for packets (docker CLI 28.2, `docker --help` and `docker container --help`).
#[rustfmt::skip]
const NEUTRAL: &[&str] = &[
    "attach", "build", "builder", "buildx", "checkpoint", "commit", "config", "context", "cp", "debug", "diff", "events",
    "export", "help", "history", "image", "images", "import", "info", "init", "inspect", "load", "login", "logout", "logs",
    "ls", "list", "manifest", "model", "plugin", "port", "ps", "pull", "push", "save", "scout", "search", "secret", "stats", "system",
    "tag", "top", "trust", "rmi", "update", "version", "volume", "wait",
];

fn unknown_command(verb: &Word) -> Outcome {
    let known = NEUTRAL.iter().copied().chain(ACTING);
    let message = text!(
        "`docker {name}` is not a docker command",
        "`docker {name}`은(는) docker 명령이 아닙니다",
        name = &verb.text
    );
    let diagnostic =
        Diagnostic::new(Code::DockerBadFlag, message).label(verb.span, text!("docker refuses this", "docker가 거부함"));
    let diagnostic = match did_you_mean(&verb.text, known) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic,
    };
    Declarations { value: Vec::new(), diagnostics: vec![diagnostic] }.into()
}

/// Commands that do change something.
const ACTING: [&str; 18] = [
    "run",
    "create",
    "rm",
    "stop",
    "kill",
    "pause",
    "start",
    "restart",
    "unpause",
    "rename",
    "exec",
    "network",
    "compose",
    "container",
    "swarm",
    "service",
    "stack",
    "node",
];

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
