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
use crate::language::{Text, text};
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
    if let Some([doubt, korean]) = call.doubt {
        return unmodeled(
            call.span,
            text!("a provisioner that is run {doubt}", "실행될지 알 수 없는 프로비저너 ({korean})"),
        );
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
        Some(name) => unmodeled(call.span, text!("the provisioner `{name}`", "프로비저너 `{name}`")),
        None => unmodeled(call.span, text!("a provisioner whose kind is not known", "종류를 알 수 없는 프로비저너")),
    }
}

fn script(call: &Call, find: Find<'_>) -> Declarations {
    let setting = |name: &str| setting(call, name);
    let variables = variables(setting("env"), setting("args"));
    if let Some(inline) = setting("inline").filter(|a| !matches!(a.value, Value::Nil)) {
        return match &inline.value {
            Value::Str(text) => with_unknown_lines(text, variables),
            _ => unmodeled(
                inline.span,
                text!("a script that is known only when Vagrant runs", "Vagrant가 실행될 때에만 알 수 있는 스크립트"),
            ),
        };
    }
    let Some(path) = setting("path") else { return Declarations::default() };
    let Some(name) = path.value.name() else {
        return unmodeled(
            path.span,
            text!(
                "a script whose name is known only when Vagrant runs",
                "Vagrant가 실행될 때에만 이름을 알 수 있는 스크립트"
            ),
        );
    };
    match find(name) {
        Some(file) => shell::parse_placed(&PlacedText::whole(file.source, &file.text), variables),
        None if name.contains("://") => {
            unmodeled(path.span, text!("the script `{name}`, which is fetched", "내려받는 스크립트 `{name}`"))
        }
        None => {
            let mut out = unmodeled(path.span, text!("the script `{name}`", "스크립트 `{name}`"));
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
            let unknown = unmodeled(
                span,
                text!("a command that is known only when Vagrant runs", "Vagrant가 실행될 때에만 알 수 있는 명령"),
            );
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
                out.value.extend(
                    unmodeled(
                        inner.span,
                        text!("a provisioner of the docker provisioner", "docker 프로비저너 안의 프로비저너"),
                    )
                    .value,
                );
            }
            // Images are only fetched and built.
            _ => {}
        }
    }
    out
}

fn container(call: &Call) -> Declarations {
    if let Some([doubt, korean]) = call.doubt {
        return unmodeled(
            call.span,
            text!("a container that is run {doubt}", "실행될지 알 수 없는 컨테이너 ({korean})"),
        );
    }
    let first = call.arguments.first();
    let Some((name, place)) = call.first_name().zip(first.map(|argument| argument.span)) else {
        return unmodeled(call.span, text!("a container whose name is not known", "이름을 알 수 없는 컨테이너"));
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
pub(super) fn unmodeled(span: Span, what: Text) -> Declarations {
    let diagnostic =
        Diagnostic::new(Code::VagrantNotFollowed, text!("not followed: {what}", "{what}: 따라가지 않음"; what))
            .label(span, text!("could change the machine's network", "머신의 네트워크를 바꿀 수 있음"))
            .help(text!(
                "verdicts that may depend on it are left undecided",
                "이것에 달려 있을 수 있는 판정은 내리지 않습니다"
            ));
    Declarations { value: vec![Declaration::Unmodeled(Spanned::new(what, span))], diagnostics: vec![diagnostic] }
}

fn no_script(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::VagrantBadValue, text!("there is no file `{name}`", "`{name}` 파일이 없습니다"))
        .label(
            span,
            text!("Vagrant looks for it beside the Vagrantfile", "Vagrant는 Vagrantfile 옆에서 이 파일을 찾음"),
        )
        .help(text!("what it does inside the machine is not known", "머신 안에서 무엇을 하는지 알 수 없습니다"))
}
