//! `docker compose`: which files a project consists of, and which of its services start. What they say is in the files.

use crate::diagnostic::Diagnostic;
use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::{ComposeDecl, Declarations};
use crate::language::text;
use crate::source::Span;

use super::Outcome;
use super::flags::{self, Flag, Order, switch, switch_short, valued, valued_short};

/// Options of `docker compose` 2.40.3.
const FLAGS: &[Flag] = &[
    switch("all-resources"),
    valued("ansi"),
    switch("compatibility"),
    switch("dry-run"),
    valued("env-file"),
    valued_short("file", 'f'),
    valued("parallel"),
    valued("profile"),
    valued("progress"),
    valued("project-directory"),
    valued_short("project-name", 'p'),
    switch("verbose"),
    switch_short("version", 'v'),
    switch("help"),
];

/// Options of `docker compose up` 2.40.3, and of `create`, `start` and `restart`.
const UP: &[Flag] = &[
    switch("abort-on-container-exit"),
    switch("abort-on-container-failure"),
    switch("always-recreate-deps"),
    valued("attach"),
    switch("attach-dependencies"),
    switch("build"),
    switch_short("detach", 'd'),
    switch("dry-run"),
    valued("exit-code-from"),
    switch("force-recreate"),
    switch("menu"),
    valued("no-attach"),
    switch("no-build"),
    switch("no-color"),
    switch("no-deps"),
    switch("no-log-prefix"),
    switch("no-recreate"),
    switch("no-start"),
    valued("pull"),
    switch("quiet-build"),
    switch("quiet-pull"),
    switch("remove-orphans"),
    switch_short("renew-anon-volumes", 'V'),
    valued("scale"),
    valued_short("timeout", 't'),
    switch("timestamps"),
    switch("wait"),
    valued("wait-timeout"),
    switch_short("watch", 'w'),
    switch_short("yes", 'y'),
    switch("help"),
];

/// Reads what stands behind `docker compose` or `docker-compose`.
pub(super) fn parse(arguments: &[Word], whole: Span) -> Outcome {
    let mut scanned = flags::scan("docker compose", arguments, FLAGS, Order::FlagsFirst);
    let Some((verb, rest)) = scanned.arguments.split_first() else { return reported(scanned.diagnostics) };
    match verb.text.as_str() {
        "up" | "create" | "start" | "restart" | "watch" if !scanned.is_refused => {}
        "exec" | "run" | "scale" | "stop" | "kill" | "pause" => {
            return Outcome::unmodeled(format!("`docker compose {}`", verb.text), whole);
        }
        _ => return reported(scanned.diagnostics),
    }
    let mut of_verb = flags::scan("docker compose up", rest, UP, Order::Mixed);
    scanned.diagnostics.append(&mut of_verb.diagnostics);
    let is_unknown = |word: &Word| word.unknown().is_some();
    let relevant = ["file", "profile", "project-name", "project-directory", "env-file"];
    let of_project = scanned.flags.iter().filter(|flag| relevant.contains(&flag.name));
    let unknown_option = of_project.clone().any(|flag| flag.value.as_ref().is_some_and(is_unknown));
    let scaled = of_verb.flags.iter().find(|flag| flag.name == "scale");
    if unknown_option || of_verb.arguments.iter().any(is_unknown) || scaled.is_some() {
        let unknown =
            text!("`docker compose` with options that are not known", "알 수 없는 옵션이 있는 `docker compose`");
        return Outcome::unmodeled(scaled.map_or(unknown, |_| "`docker compose up --scale`".into()), whole);
    }
    let all = |name: &str| {
        let given = scanned.flags.iter().filter(|flag| flag.name == name);
        given.filter_map(|flag| flag.value.as_ref().map(Word::spanned)).collect::<Vec<_>>()
    };
    let compose = ComposeDecl {
        files: all("file"),
        project: all("project-name").pop(),
        profiles: all("profile"),
        env_files: all("env-file"),
        directory: all("project-directory").pop(),
        services: of_verb.arguments.iter().map(Word::spanned).collect(),
        span: whole,
    };
    Declarations { value: vec![Declaration::Compose(compose)], diagnostics: scanned.diagnostics }.into()
}

fn reported(diagnostics: Vec<Diagnostic>) -> Outcome {
    Declarations { value: Vec::new(), diagnostics }.into()
}
