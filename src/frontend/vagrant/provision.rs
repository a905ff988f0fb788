//! What is run inside a machine: shell scripts, in the file or beside it, and containers.
//!
//! Vagrant 2.4, plugins/provisioners/shell and plugins/provisioners/container (`container_run_args`). A script goes through
//! the front-end of shell scripts; each of its words knows its place in the Vagrantfile.

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::File;
use crate::frontend::placed::{Nature, PlacedText, UNKNOWN};
use crate::frontend::shell::{self, Variables};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::source::{Span, Spanned};

use super::builtin::to_text;
use super::record::{Argument, Call};
use super::value::Value;

/// Provisioners that change nothing in the network of the machine.
const HARMLESS: [&str; 3] = ["file", "salt_masterless", "reload"];

/// Finds a script beside the Vagrantfile.
pub(super) type Find<'a> = &'a mut dyn FnMut(&str) -> Option<File>;

/// What a `vm.provision` call does inside its machine.
pub(super) fn provision(call: &Call, find: Find<'_>) -> Declarations {
    let kind = match call.option("type") {
        Some(argument) => argument.value.name(),
        None => call.first_name(),
    };
    if let Some(doubt) = call.doubt {
        return unmodeled(call.span, format!("a provisioner that is run {doubt}"));
    }
    if call.option("run").and_then(|run| run.value.name()) == Some("never") {
        return Declarations::default();
    }
    match kind {
        Some("shell") => script(call, find),
        Some("docker") => containers(call),
        // What `docker compose up` does stands in the compose file, which is read by itself.
        Some("docker_compose") => Declarations::default(),
        Some(name) if HARMLESS.contains(&name) => Declarations::default(),
        Some(name) => unmodeled(call.span, format!("the provisioner `{name}`")),
        None => unmodeled(call.span, "a provisioner whose kind is not known".to_owned()),
    }
}

fn script(call: &Call, find: Find<'_>) -> Declarations {
    let setting = |name: &str| setting(call, name);
    let variables = variables(setting("env"), setting("args"));
    if let Some(inline) = setting("inline").filter(|a| !matches!(a.value, Value::Nil)) {
        return match &inline.value {
            Value::Str(text) => with_unknown_lines(text, variables),
            _ => unmodeled(inline.span, "a script that is known only when Vagrant runs".to_owned()),
        };
    }
    let Some(path) = setting("path") else { return Declarations::default() };
    let Some(name) = path.value.name() else {
        return unmodeled(path.span, "a script whose name is known only when Vagrant runs".to_owned());
    };
    match find(name) {
        Some(file) => shell::parse_placed(&PlacedText::whole(file.source, &file.text), variables),
        None if name.contains("://") => unmodeled(path.span, format!("the script `{name}`, which is fetched")),
        None => {
            let mut out = unmodeled(path.span, format!("the script `{name}`"));
            out.diagnostics = vec![no_script(name, path.span)];
            out
        }
    }
}

/// A script in which a whole command is not known could do anything.
fn with_unknown_lines(text: &PlacedText, variables: Variables) -> Declarations {
    let mut read = shell::parse_placed(text, variables);
    let mut at = 0;
    for line in text.as_str().split_inclusive('\n') {
        let start = at + (line.len() - line.trim_start().len());
        if line.trim_start().starts_with(UNKNOWN)
            && text.nature(start) == Nature::Unknown
            && let Some(span) = text.span(start..start + UNKNOWN.len())
        {
            let unknown = unmodeled(span, "a command that is known only when Vagrant runs".to_owned());
            read.value.extend(unknown.value);
            read.diagnostics.extend(unknown.diagnostics);
        }
        at += line.len();
    }
    read
}

/// A setting of a provisioner: a keyword argument, or an assignment in its block.
fn setting(call: &Call, name: &str) -> Option<Argument> {
    let assigned = format!("{name}=");
    let inside = call.inside.borrow();
    let in_block = inside.iter().rev().find(|inner| inner.method == assigned).and_then(|inner| inner.arguments.first());
    in_block.or_else(|| call.option(name)).cloned()
}

/// The environment of a script, and `$1` and so on.
fn variables(environment: Option<Argument>, arguments: Option<Argument>) -> Variables {
    let text = |value: &Value, span| to_text(value, span).filter(PlacedText::is_known).map(|t| t.as_str().to_owned());
    let mut variables = Variables::new();
    if let Some(Argument { value: Value::Hash(pairs), span }) = environment {
        for (name, value) in pairs.borrow().iter() {
            variables.extend(name.name().map(|name| (name.to_owned(), text(value, span))));
        }
    }
    match arguments {
        Some(Argument { value: Value::List(values), span }) => {
            for (number, value) in (1..).zip(values.borrow().iter()) {
                variables.insert(number.to_string(), text(value, span));
            }
        }
        Some(Argument { value, .. }) => {
            // As the shell splits it, if it has no quotes.
            let words = value.name().filter(|words| !words.contains(['"', '\'', '\\', '$', '`', '*'])).unwrap_or("");
            for (number, word) in (1..).zip(words.split_whitespace()) {
                variables.insert(number.to_string(), Some(word.to_owned()));
            }
        }
        None => {}
    }
    variables
}

/// `d.run "web", image: …, args: …`: `docker run -d --name web --restart=always ARGS IMAGE CMD`.
fn containers(call: &Call) -> Declarations {
    let mut out = Declarations::default();
    for inner in call.inside.borrow().iter() {
        match inner.method.as_str() {
            "run" => {
                let read = container(inner);
                out.value.extend(read.value);
                out.diagnostics.extend(read.diagnostics);
            }
            "post_install_provision" => {
                out.value.extend(unmodeled(inner.span, "a provisioner of the docker provisioner".to_owned()).value);
            }
            // Images are only fetched and built.
            _ => {}
        }
    }
    out
}

fn container(call: &Call) -> Declarations {
    if let Some(doubt) = call.doubt {
        return unmodeled(call.span, format!("a container that is run {doubt}"));
    }
    let first = call.arguments.first();
    let Some((name, place)) = call.first_name().zip(first.map(|argument| argument.span)) else {
        return unmodeled(call.span, "a container whose name is not known".to_owned());
    };
    let is_set = |option: &str| call.option(option).is_none_or(|argument| argument.value.truth() != Some(false));
    let mut line = PlacedText::default();
    let mut word = |text: &str, span: Span| line.push(text, span, Nature::Computed);
    word("docker run ", place);
    if is_set("daemonize") {
        word("-d ", place);
    }
    if is_set("auto_assign_name") {
        // A name that is that of the image has no `/` and `:` any more.
        word(&format!("--name {} ", name.replace(['/', ':'], "-")), place);
    }
    for (option, default) in [("args", None), ("image", first), ("cmd", None)] {
        match call.option(option).or(default) {
            Some(argument) => match to_text(&argument.value, argument.span) {
                Some(text) => line.append(&text),
                None => line.push(UNKNOWN, argument.span, Nature::Unknown),
            },
            None => continue,
        }
        line.push(" ", place, Nature::Computed);
    }
    shell::parse_placed(&line, Variables::new())
}

/// Something that is run inside a machine and could change its network.
pub(super) fn unmodeled(span: Span, what: String) -> Declarations {
    let diagnostic = Diagnostic::new(Code::VagrantNotFollowed, format!("not followed: {what}"))
        .label(span, "could change the machine's network")
        .help("verdicts that may depend on it are left undecided");
    Declarations { value: vec![Declaration::Unmodeled(Spanned::new(what, span))], diagnostics: vec![diagnostic] }
}

fn no_script(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::VagrantBadValue, format!("there is no file `{name}`"))
        .label(span, "Vagrant looks for it beside the Vagrantfile")
        .help("what it does inside the machine is not known")
}
