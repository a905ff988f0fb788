//! Shell scripts: the commands that a script runs, in order, as far as they can be told without running it.
//!
//! brush-parser finds the structure; this module walks it with the variables known so far and hands each command of
//! interest to the front-end of its program, as [`word::Word`]s. What hangs on a condition, an unknown value or a
//! function is not guessed: a command of interest in such a place is reported as not modelled.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use brush_parser::ast::{
    AndOr, AndOrList, Assignment, AssignmentName, AssignmentValue, Command, CommandPrefixOrSuffixItem, CompoundCommand,
    CompoundList, ForClauseCommand, IoFileRedirectTarget, IoRedirect, Pipeline, RedirectList, SimpleCommand,
    SourceLocation as _, Word as RawWord,
};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::frontend::docker::run as docker;
use crate::frontend::placed::PlacedText;
use crate::frontend::sysctl;
use crate::lab::declaration::{Declarations, FirewalldDecl};
use crate::lab::{Declaration, HostEvent};
use crate::language::{Text, text};
use crate::source::{SourceId, Span, Spanned};

use self::chunk::Chunk;
use self::command::Effect;
pub use self::expand::Variables;
use self::word::Word;

mod chunk;
mod command;
mod expand;
pub mod word;

/// Reads a script.
///
/// Windows line endings are reported and read as if they were those of Unix.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    parse_placed(&PlacedText::whole(source, text), Variables::new())
}

/// Reads a script that stands in another file, with variables that are set when it starts.
pub fn parse_placed(script: &PlacedText, variables: Variables) -> Declarations {
    let text = script.as_str();
    let Some(at) = text.find("\r\n") else { return walk(script, variables) };
    // Of the same length, so that spans stay right; a carriage return before the line break would undo a `\` there.
    let unix = text.replace("\\\r\n", " \\\n").replace("\r\n", " \n");
    let mut read = walk(&script.with_text(unix), variables);
    read.diagnostics.extend(script.span(0..at).map(windows_line_ends));
    read
}

fn walk(script: &PlacedText, variables: Variables) -> Declarations {
    let mut walker = Walker {
        script,
        variables,
        doubt: None,
        stopped: false,
        returned: false,
        turns: MAX_TURNS,
        functions: BTreeMap::new(),
        out: Declarations::default(),
    };
    walker.script(0..script.as_str().len(), 0);
    walker.uncalled_functions();
    walker.out
}

/// Turns of loops and calls of functions that are followed in a whole script.
const MAX_TURNS: usize = 1000;

/// Command substitutions and function calls inside each other are followed this deep.
const MAX_DEPTH: usize = 16;

struct Walker<'a> {
    script: &'a PlacedText,
    variables: Variables,
    /// Why it is not certain that the commands at hand run.
    doubt: Option<[&'static str; 2]>,
    /// `exit` was met.
    stopped: bool,
    /// It was `return`, which ends the function only.
    returned: bool,
    turns: usize,
    functions: BTreeMap<String, Function>,
    out: Declarations,
}

/// A function of the script.
#[derive(Clone)]
struct Function {
    chunk: Rc<Chunk>,
    body: Rc<CompoundCommand>,
    is_called: bool,
}

impl Walker<'_> {
    fn script(&mut self, range: Range<usize>, depth: usize) {
        let (chunks, errors) = chunk::parse(self.script.as_str(), range);
        for at in errors {
            let Some(span) = self.script.span(at.clone()) else { continue };
            self.out.diagnostics.push(syntax_error(span));
            if self.script.as_str().get(at).is_some_and(command::mentions_network) {
                let what = text!("a command that could not be read", "읽을 수 없는 명령");
                self.out.value.push(Declaration::Unmodeled(Spanned::new(what, span)));
            }
        }
        for chunk in chunks.into_iter().map(Rc::new) {
            let outer = self.doubt;
            if chunk.inside_broken_block {
                self.doubt = Some(["in a block that could not be read", "읽을 수 없는 블록 안"]);
            }
            let scope = Scope { chunk: &chunk, depth };
            for list in &chunk.program.complete_commands {
                self.list(scope, list);
            }
            self.doubt = outer;
        }
    }

    fn list(&mut self, scope: Scope<'_>, list: &CompoundList) {
        for item in &list.0 {
            if self.stopped {
                return;
            }
            self.and_or(scope, &item.0);
        }
    }

    fn and_or(&mut self, scope: Scope<'_>, list: &AndOrList) {
        self.pipeline(scope, &list.first);
        let mut is_query = self.is_query(scope, &list.first);
        for next in &list.additional {
            match next {
                AndOr::And(pipeline) => self.pipeline(scope, pipeline),
                // `docker network inspect n || docker network create n`: afterwards it is there either way.
                AndOr::Or(pipeline) if is_query => self.pipeline(scope, pipeline),
                AndOr::Or(pipeline) => {
                    self.doubtful(["only if the command before it fails", "앞의 명령이 실패할 때만"], |w| {
                        w.pipeline(scope, pipeline)
                    });
                }
            }
            is_query = false;
        }
    }

    fn is_query(&self, scope: Scope<'_>, pipeline: &Pipeline) -> bool {
        let Some((Command::Simple(asks), filters)) = pipeline.seq.split_first() else { return false };
        let is_grep = |c: &Command| match c {
            Command::Simple(filter) => filter.word_or_name.as_ref().is_some_and(|name| name.value == "grep"),
            _ => false,
        };
        filters.iter().all(is_grep) && command::is_query(&self.words(scope, asks).0)
    }

    fn asks_for_absence(&self, scope: Scope<'_>, condition: &CompoundList) -> bool {
        match condition.0.as_slice() {
            [item] if item.0.additional.is_empty() => item.0.first.bang && self.is_query(scope, &item.0.first),
            _ => false,
        }
    }

    fn pipeline(&mut self, scope: Scope<'_>, pipeline: &Pipeline) {
        for command in &pipeline.seq {
            match command {
                Command::Simple(simple) => self.simple(scope, simple),
                Command::Compound(compound, redirects) => {
                    self.compound(scope, compound);
                    self.redirects(scope, redirects.as_ref());
                }
                Command::Function(function) => {
                    let body = Rc::new(function.body.0.clone());
                    let chunk = Rc::clone(scope.chunk);
                    self.functions.insert(function.fname.value.clone(), Function { chunk, body, is_called: false });
                }
                Command::ExtendedTest(..) => {}
            }
        }
    }

    /// A call runs the body where it stands; what its arguments are is not known inside.
    fn call(&mut self, name: &Word, depth: usize) {
        let Some(function) = self.functions.get_mut(&name.text) else { return };
        function.is_called = true;
        let Function { chunk, body, .. } = function.clone();
        if MAX_DEPTH <= depth || self.turns == 0 {
            self.unmodeled(
                name.span,
                text!(
                    "more calls of `{name}` than are followed",
                    "따라가는 한도를 넘는 `{name}` 호출",
                    name = &name.text
                ),
            );
            return;
        }
        self.turns -= 1;
        self.compound(Scope { chunk: &chunk, depth: depth + 1 }, &body);
        self.stopped &= !self.returned;
        self.returned = false;
    }

    /// Something outside may call them, or a name that is not known.
    fn uncalled_functions(&mut self) {
        self.stopped = false;
        let uncalled: Vec<Function> = self.functions.values().filter(|f| !f.is_called).cloned().collect();
        for Function { chunk, body, .. } in uncalled {
            let scope = Scope { chunk: &chunk, depth: MAX_DEPTH };
            self.doubtful(["in a function that is not called here", "여기서 호출되지 않는 함수 안"], |w| {
                w.compound(scope, &body)
            });
        }
    }

    fn compound(&mut self, scope: Scope<'_>, compound: &CompoundCommand) {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(scope, &group.list),
            CompoundCommand::Subshell(shell) => self.subshell(|w| w.list(scope, &shell.list)),
            CompoundCommand::ForClause(clause) => self.for_loop(scope, clause),
            // `if ! docker network inspect n; then docker network create n; fi`
            CompoundCommand::IfClause(clause) if self.asks_for_absence(scope, &clause.condition) => {
                self.list(scope, &clause.then);
                for branch in clause.elses.iter().flatten() {
                    self.doubtful(["only under a condition", "조건에 따라서만"], |w| {
                        w.list(scope, &branch.body)
                    });
                }
            }
            CompoundCommand::IfClause(clause) => {
                self.list(scope, &clause.condition);
                self.doubtful(["only under a condition", "조건에 따라서만"], |w| {
                    w.list(scope, &clause.then);
                    for branch in clause.elses.iter().flatten() {
                        branch.condition.iter().for_each(|c| w.list(scope, c));
                        w.list(scope, &branch.body);
                    }
                });
            }
            CompoundCommand::CaseClause(clause) => {
                self.doubtful(["only under a condition", "조건에 따라서만"], |w| {
                    clause.cases.iter().filter_map(|case| case.cmd.as_ref()).for_each(|list| w.list(scope, list));
                })
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.doubtful(["in a loop", "반복문 안"], |w| {
                    w.list(scope, &clause.0);
                    w.list(scope, &clause.1.list);
                });
            }
            CompoundCommand::ArithmeticForClause(clause) => {
                self.doubtful(["in a loop", "반복문 안"], |w| w.list(scope, &clause.body.list));
            }
            CompoundCommand::Coprocess(coprocess) => {
                if let Command::Simple(simple) = coprocess.body.as_ref() {
                    self.subshell(|w| w.simple(scope, simple));
                }
            }
            CompoundCommand::Arithmetic(_) => {}
        }
    }

    /// A loop over words that are known is as good as its turns one after the other.
    fn for_loop(&mut self, scope: Scope<'_>, clause: &ForClauseCommand) {
        let mut values = Vec::new();
        for raw in clause.values.iter().flatten() {
            values.extend(self.expand(scope, raw));
        }
        let is_known = clause.values.is_some() && values.iter().all(|v| v.unknown().is_none());
        if !is_known || values.len() > self.turns {
            self.variables.insert(clause.variable_name.clone(), None);
            self.doubtful(
                ["in a loop over words that are not known", "알 수 없는 단어들의 반복문 안"],
                |w| w.list(scope, &clause.body.list),
            );
            return;
        }
        self.turns -= values.len();
        for value in values {
            self.variables.insert(clause.variable_name.clone(), Some(value.text));
            self.list(scope, &clause.body.list);
        }
    }

    fn simple(&mut self, scope: Scope<'_>, simple: &SimpleCommand) {
        let (words, substitutions) = self.words(scope, simple);
        for inside in substitutions.into_iter().filter(|_| scope.depth < MAX_DEPTH) {
            self.subshell(|w| w.script(inside, scope.depth + 1));
        }
        for item in items(simple) {
            if let CommandPrefixOrSuffixItem::IoRedirect(redirect) = item {
                self.redirect(scope, redirect, &words);
            }
        }
        if simple.word_or_name.is_none() {
            for item in simple.prefix.iter().flat_map(|p| &p.0) {
                if let CommandPrefixOrSuffixItem::AssignmentWord(assignment, raw) = item {
                    self.assign(scope, assignment, raw);
                }
            }
            return;
        }
        // `A=b command` sets the variable for that command only.
        let outer = simple.prefix.as_ref().map(|_| self.variables.clone());
        for item in simple.prefix.iter().flat_map(|p| &p.0) {
            if let CommandPrefixOrSuffixItem::AssignmentWord(assignment, raw) = item {
                self.assign(scope, assignment, raw);
            }
        }
        self.run(&words, scope.depth);
        self.variables = outer.unwrap_or_else(|| std::mem::take(&mut self.variables));
    }

    /// The words of a command, and the insides of command substitutions in them and in its assignments.
    fn words(&self, scope: Scope<'_>, simple: &SimpleCommand) -> (Vec<Word>, Vec<Range<usize>>) {
        let mut words = Vec::new();
        let mut substitutions = Vec::new();
        let prefix = simple.prefix.iter().flat_map(|p| &p.0).map(|item| (item, false));
        let suffix = simple.suffix.iter().flat_map(|s| &s.0).map(|item| (item, true));
        for (item, is_argument) in prefix.chain(suffix) {
            let (CommandPrefixOrSuffixItem::Word(raw) | CommandPrefixOrSuffixItem::AssignmentWord(_, raw)) = item
            else {
                continue;
            };
            let expansion = self.expansion(scope, raw);
            substitutions.extend(expansion.substitutions);
            if is_argument {
                words.extend(expansion.words);
            }
        }
        if let Some(name) = &simple.word_or_name {
            let expansion = self.expansion(scope, name);
            substitutions.extend(expansion.substitutions);
            words.splice(0..0, expansion.words);
        }
        (words, substitutions)
    }

    fn expand(&self, scope: Scope<'_>, raw: &RawWord) -> Vec<Word> {
        self.expansion(scope, raw).words
    }

    fn expansion(&self, scope: Scope<'_>, raw: &RawWord) -> expand::Expansion {
        match raw.location() {
            Some(location) => expand::expand(self.script, scope.chunk.range(&location), &self.variables),
            None => expand::Expansion::default(),
        }
    }

    fn assign(&mut self, scope: Scope<'_>, assignment: &Assignment, raw: &RawWord) {
        let AssignmentName::VariableName(name) = &assignment.name else { return };
        let value = match (&assignment.value, raw.location()) {
            (AssignmentValue::Scalar(_), Some(location)) if !assignment.append => {
                let whole = scope.chunk.range(&location);
                let written = self.script.as_str().get(whole.clone()).unwrap_or("");
                let start = written.find('=').map_or(whole.end, |at| whole.start + at + 1);
                self.value(start..whole.end)
            }
            _ => None,
        };
        self.set(name, value);
    }

    /// The value of an assignment, which is not split into words.
    fn value(&self, range: Range<usize>) -> Option<String> {
        let words = expand::expand(self.script, range, &self.variables).words;
        let parts: Option<Vec<String>> = words.into_iter().map(|w| w.unknown().is_none().then_some(w.text)).collect();
        parts.map(|parts| parts.join(" "))
    }

    /// Under a condition, nobody knows whether the old or the new value holds afterwards.
    fn set(&mut self, name: &str, value: Option<String>) {
        let value = value.filter(|_| self.doubt.is_none());
        self.variables.insert(name.to_owned(), value);
    }

    fn redirects(&mut self, scope: Scope<'_>, redirects: Option<&RedirectList>) {
        for redirect in redirects.iter().flat_map(|r| &r.0) {
            self.redirect(scope, redirect, &[]);
        }
    }

    /// Output of a command to a file that configures the network; `echo 1 > /proc/sys/…` makes a setting.
    fn redirect(&mut self, scope: Scope<'_>, redirect: &IoRedirect, command: &[Word]) {
        let IoRedirect::File(_, _, IoFileRedirectTarget::Filename(raw)) = redirect else { return };
        for word in self.expand(scope, raw) {
            let key = word.text.strip_prefix("/proc/sys/").filter(|_| word.unknown().is_none());
            if let (Some(key), [echo, value]) = (key, command)
                && echo.text == "echo"
                && value.unknown().is_none()
            {
                let span = echo.span.to(word.span);
                match sysctl::assign(key, &value.text, span, false) {
                    Some(Declaration::Unmodeled(what)) => self.unmodeled(span, what.value),
                    other => self.out.value.extend(other),
                }
            } else if command::configures_network(&word.text) {
                self.unmodeled(word.span, text!("writing `{file}`", "`{file}`에 쓰기", file = &word.text));
            }
        }
    }

    fn run(&mut self, words: &[Word], depth: usize) {
        let Some(name) = words.first() else { return };
        match name.text.as_str() {
            "exit" if self.doubt.is_none() => self.stopped = true,
            "return" if self.doubt.is_none() => (self.stopped, self.returned) = (true, true),
            function if self.functions.contains_key(function) => self.call(name, depth),
            "export" | "readonly" | "declare" | "typeset" | "local" => self.declare(words),
            "unset" | "read" | "mapfile" | "readarray" | "getopts" => {
                words.iter().skip(1).for_each(|w| self.set(&w.text, None));
            }
            _ => self.effects(words),
        }
    }

    fn declare(&mut self, words: &[Word]) {
        for word in words.iter().skip(1) {
            if let Some((name, value)) = word.split_once('=') {
                let value = value.unknown().is_none().then_some(value.text);
                self.set(&name.text, value);
            }
        }
    }

    fn effects(&mut self, words: &[Word]) {
        let mut outcome = command::run(words);
        outcome.value.iter_mut().for_each(|effect| self.complete(effect));
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
        let whole = first.span.to(last.span);
        // Whether it runs or not, the files are the usual ones.
        outcome.value.retain(|effect| self.doubt.is_none() || !effect.is_plain_compose());
        if let (Some([doubt, korean]), false) = (self.doubt, outcome.value.is_empty()) {
            let name = words.iter().take(3).map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ");
            self.unmodeled(whole, text!("`{name} …` {doubt}", "`{name} …` ({korean})"));
            return;
        }
        if let Some(variable) = self.other_engine(first).filter(|_| !outcome.value.is_empty()) {
            self.unmodeled(
                whole,
                text!(
                    "a docker command for the engine that `{variable}` names",
                    "`{variable}`에 지정된 엔진에 대한 docker 명령"
                ),
            );
            return;
        }
        let reported: Vec<Span> = outcome.diagnostics.iter().flat_map(|d| &d.labels).map(|l| l.span).collect();
        self.out.diagnostics.extend(outcome.diagnostics);
        for effect in outcome.value {
            match effect {
                Effect::Declare(declaration) => self.declare_fact(*declaration, whole),
                Effect::TakeBack(what) => {
                    if let Some(what) = docker::take_back(&what, whole, &mut self.out) {
                        self.unmodeled(whole, what);
                    }
                }
                // Its front-end has said why already.
                Effect::Unmodeled(what) if reported.iter().any(|r| overlap(*r, what.span)) => {
                    self.out.value.push(Declaration::Unmodeled(what));
                }
                Effect::Unmodeled(what) => self.unmodeled(what.span, what.value),
            }
        }
    }

    /// The variable that turns docker to another engine: one of another machine, or of a user (docs.docker.com, docker CLI,
    /// "Environment variables").
    fn other_engine(&self, program: &Word) -> Option<&'static str> {
        let name = program.text.rsplit('/').next().unwrap_or_default();
        let is_set = |variable: &&str| match self.variables.get(*variable) {
            Some(Some(value)) => !matches!(value.as_str(), "" | "default" | "unix:///var/run/docker.sock"),
            Some(None) => true,
            None => false,
        };
        let variables = ["DOCKER_HOST", "DOCKER_CONTEXT"].into_iter();
        variables.filter(|_| matches!(name, "docker" | "docker-compose")).find(is_set)
    }

    /// docker compose takes from variables what no option says (docs.docker.com, Compose, "Pre-defined environment
    /// variables").
    fn complete(&self, effect: &mut Effect) {
        let Effect::Declare(declaration) = effect else { return };
        let Declaration::Compose(compose) = declaration.as_mut() else { return };
        let span = compose.span;
        let variable = |name: &str| self.variables.get(name).cloned().flatten().filter(|value| !value.is_empty());
        let list = |name: &str, separator: &str| -> Vec<Spanned<String>> {
            let value = variable(name).unwrap_or_default();
            value.split(separator).filter(|v| !v.is_empty()).map(|v| Spanned::new(v.to_owned(), span)).collect()
        };
        if compose.files.is_empty() {
            compose.files = list("COMPOSE_FILE", variable("COMPOSE_PATH_SEPARATOR").as_deref().unwrap_or(":"));
        }
        if compose.profiles.is_empty() {
            compose.profiles = list("COMPOSE_PROFILES", ",");
        }
        if compose.env_files.is_empty() {
            compose.env_files = list("COMPOSE_ENV_FILES", ",");
        }
        let project = || variable("COMPOSE_PROJECT_NAME").map(|name| Spanned::new(name, span));
        compose.project = compose.project.take().or_else(project);
    }

    /// The first change to firewalld says that it is there.
    fn declare_fact(&mut self, fact: Declaration, whole: Span) {
        let is_known = self.out.value.iter().any(|d| matches!(d, Declaration::Firewalld(_)));
        if matches!(fact, Declaration::FirewallCmd(_)) && !is_known {
            let firewalld = FirewalldDecl { span: Some(whole), ..FirewalldDecl::default() };
            self.out.value.push(Declaration::Firewalld(firewalld));
        }
        let is_restart = matches!(&fact, Declaration::Event(event) if event.value == HostEvent::EngineRestart);
        if !is_restart {
            self.out.value.push(fact);
        } else if let Some(what) = docker::engine_restarted(fact, whole, &mut self.out) {
            self.unmodeled(whole, what);
        }
    }

    /// Several calls of a function may say the same.
    fn unmodeled(&mut self, span: Span, what: impl Into<Text>) {
        let what = what.into();
        if self.out.value.iter().any(|d| matches!(d, Declaration::Unmodeled(u) if u.span == span && u.value == what)) {
            return;
        }
        self.out.diagnostics.push(
            Diagnostic::new(Code::ShellUnmodeled, text!("not modelled: {what}", "{what}: 모델에 없음"; what))
                .label(span, text!("could change packets", "패킷을 바꿀 수 있음"))
                .help(text!(
                    "verdicts that may depend on it are left undecided",
                    "이것에 달려 있을 수 있는 판정은 내리지 않습니다"
                )),
        );
        self.out.value.push(Declaration::Unmodeled(Spanned::new(what, span)));
    }

    fn doubtful(&mut self, why: [&'static str; 2], walk: impl FnOnce(&mut Self)) {
        let outer = self.doubt;
        self.doubt = outer.or(Some(why));
        walk(self);
        self.doubt = outer;
    }

    /// Runs commands whose variables and `exit` stay inside.
    fn subshell(&mut self, walk: impl FnOnce(&mut Self)) {
        let variables = self.variables.clone();
        walk(self);
        self.variables = variables;
        self.stopped = false;
    }
}

/// Which stretch of the text is being walked.
#[derive(Clone, Copy)]
struct Scope<'a> {
    chunk: &'a Rc<Chunk>,
    depth: usize,
}

fn items(simple: &SimpleCommand) -> impl Iterator<Item = &CommandPrefixOrSuffixItem> {
    simple.prefix.iter().flat_map(|p| &p.0).chain(simple.suffix.iter().flat_map(|s| &s.0))
}

fn overlap(a: Span, b: Span) -> bool {
    a.start < b.end && b.start < a.end
}

fn syntax_error(span: Span) -> Diagnostic {
    Diagnostic::new(Code::ShellSyntax, text!("the shell would not understand this", "셸이 이해하지 못하는 구문입니다"))
        .label(span, text!("not used", "쓰지 않음"))
        .help(text!("the other commands of the script are still analyzed", "스크립트의 다른 명령은 그대로 분석합니다"))
}

fn windows_line_ends(first_line: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::ShellSyntax,
        text!("the script ends its lines as Windows does", "스크립트의 줄바꿈이 Windows 방식입니다"),
    )
    .label(
        first_line,
        text!(
            "the shell takes the carriage return here as part of the last word",
            "셸이 여기의 캐리지 리턴을 마지막 단어의 일부로 봄"
        ),
    )
    .help(text!(
        "save it with line feeds only, as it was read here",
        "줄바꿈을 LF로만 저장하십시오. 여기서는 그렇게 읽었습니다"
    ));
    Diagnostic { severity: Severity::Warning, ..diagnostic }
}

#[cfg(test)]
mod tests;
