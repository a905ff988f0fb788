//! Dockerfiles, as far as they say which ports an image is meant to serve.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnosed, Diagnostic};
use crate::lab::images;
use crate::net::{PortRange, Protocol};
use crate::source::{SourceId, Span, Spanned};

use super::compose::substitute;
use super::port_spec;

/// Ports with the words that expose them.
pub type Exposed = Vec<Spanned<(Protocol, PortRange)>>;

/// Stages upon stages at most.
const MAX_DEPTH: usize = 30;

/// What an image is built with.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// The stage that is wanted; nothing means the last one.
    pub target: Option<String>,
    /// Values for `ARG`.
    pub arguments: BTreeMap<String, String>,
}

/// What `EXPOSE` says in the stage that is built and in those it starts from, and what is known about the image below
/// (docs.docker.com, "Dockerfile reference").
pub fn exposed(source: SourceId, text: &str, build: &Build) -> Diagnosed<Exposed> {
    let mut reader = Reader { build, globals: BTreeMap::new(), stages: Vec::new(), diagnostics: Vec::new() };
    for line in lines(source, text) {
        reader.instruction(&line);
    }
    let last = reader.stages.len().checked_sub(1);
    let stage = match &build.target {
        Some(target) => reader.stage(target),
        None => last,
    };
    let value = stage.map(|stage| reader.exposed(stage)).unwrap_or_default();
    Diagnosed { value, diagnostics: reader.diagnostics }
}

type Word<'t> = Spanned<&'t str>;

/// Instructions as words. A backslash at the end of a line continues it, also over lines of comments.
fn lines(source: SourceId, text: &str) -> Vec<Vec<Word<'_>>> {
    let mut lines = Vec::new();
    let mut line: Vec<Word<'_>> = Vec::new();
    let mut start = 0;
    for physical in text.split_inclusive('\n') {
        let bare = physical.trim();
        if !bare.starts_with('#') {
            let continues = bare.ends_with('\\');
            line.extend(words(source, start, physical).filter(|word| word.value != "\\"));
            if !continues {
                lines.push(std::mem::take(&mut line));
            }
        }
        start += physical.len();
    }
    lines.push(line);
    lines
}

fn words(source: SourceId, start: usize, line: &str) -> impl Iterator<Item = Word<'_>> {
    let mut at = start;
    line.split_inclusive(char::is_whitespace).filter_map(move |piece| {
        let (from, word) = (at, piece.trim_end());
        at += piece.len();
        (!word.is_empty()).then(|| Spanned::new(word, Span::new(source, from, from + word.len())))
    })
}

struct Stage {
    name: String,
    base: Spanned<String>,
    /// `ARG` and `ENV`.
    variables: BTreeMap<String, String>,
    exposes: Exposed,
}

struct Reader<'a> {
    build: &'a Build,
    /// `ARG` before the first `FROM`.
    globals: BTreeMap<String, String>,
    stages: Vec<Stage>,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn instruction(&mut self, line: &[Word<'_>]) {
        let Some((keyword, words)) = line.split_first() else { return };
        match keyword.value.to_ascii_uppercase().as_str() {
            "FROM" => self.from(words),
            "ARG" => words.iter().for_each(|word| self.argument(word)),
            "ENV" => self.environment(words),
            "EXPOSE" => words.iter().for_each(|word| self.expose(word)),
            _ => {}
        }
    }

    fn from(&mut self, words: &[Word<'_>]) {
        let mut words = words.iter().filter(|word| !word.value.starts_with("--"));
        let Some(image) = words.next() else { return };
        let name = match (words.next(), words.next()) {
            (Some(as_word), Some(name)) if as_word.value.eq_ignore_ascii_case("as") => name.value.to_owned(),
            _ => String::new(),
        };
        let base = substitute(image.value, &|name| self.globals.get(name).cloned());
        let base = Spanned::new(base, image.span);
        self.stages.push(Stage { name, base, variables: BTreeMap::new(), exposes: Vec::new() });
    }

    /// `NAME` or `NAME=DEFAULT`; inside a stage a bare name takes over the global value.
    fn argument(&mut self, word: &Word<'_>) {
        let (name, default) = match word.value.split_once('=') {
            Some((name, default)) => (name, Some(self.replaced(unquoted(default)))),
            None => (word.value, None),
        };
        let given = self.build.arguments.get(name).cloned();
        let value = given.or(default).or_else(|| self.globals.get(name).cloned());
        let variables = self.stages.last_mut().map_or(&mut self.globals, |stage| &mut stage.variables);
        variables.extend(value.map(|value| (name.to_owned(), value)));
    }

    /// `NAME=VALUE …`, or the old form `NAME VALUE`.
    fn environment(&mut self, words: &[Word<'_>]) {
        let old = match words {
            [name, value] if !name.value.contains('=') => vec![(name.value, value.value)],
            _ => words.iter().filter_map(|word| word.value.split_once('=')).collect(),
        };
        for (name, value) in old {
            let value = self.replaced(unquoted(value));
            if let Some(stage) = self.stages.last_mut() {
                stage.variables.insert(name.to_owned(), value);
            }
        }
    }

    fn expose(&mut self, word: &Word<'_>) {
        let text = self.replaced(unquoted(word.value));
        let (ports, protocol) = text.split_once('/').unwrap_or((&text, ""));
        let read = (port_spec::published_protocol(protocol), port_spec::port_range(ports));
        match (read, self.stages.last_mut()) {
            ((Some(protocol), Some(ports)), Some(stage)) if ports.first != 0 => {
                stage.exposes.push(Spanned::new((protocol, ports), word.span));
            }
            _ => self.diagnostics.push(
                Diagnostic::new(Code::BadPort, format!("`{text}` is not a port"))
                    .label(word.span, "docker cannot build this"),
            ),
        }
    }

    fn replaced(&self, text: &str) -> String {
        let variables = self.stages.last().map_or(&self.globals, |stage| &stage.variables);
        substitute(text, &|name| variables.get(name).cloned())
    }

    fn stage(&self, name: &str) -> Option<usize> {
        let by_name = self.stages.iter().position(|stage| !name.is_empty() && stage.name.eq_ignore_ascii_case(name));
        by_name.or_else(|| name.parse().ok().filter(|number| *number < self.stages.len()))
    }

    /// From the stage down to the image that the first one starts from.
    fn exposed(&self, stage: usize) -> Exposed {
        let mut exposed = Vec::new();
        let mut next = Some(stage);
        for _ in 0..MAX_DEPTH {
            let Some(stage) = next.take().and_then(|number| self.stages.get(number)) else { break };
            exposed.extend(stage.exposes.iter().cloned());
            next = self.stage(&stage.base.value);
            if next.is_none() {
                exposed.extend(of_image(&stage.base));
            }
        }
        exposed
    }
}

fn of_image(image: &Spanned<String>) -> Exposed {
    let ports = images::find(&image.value).map_or(&[][..], |known| &known.ports);
    let exposed = |(protocol, port): &(Protocol, u16)| Spanned::new((*protocol, PortRange::single(*port)), image.span);
    ports.iter().map(exposed).collect()
}

fn unquoted(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    /// A Dockerfile -> its ports with the words that say so, then what is wrong.
    #[track_caller]
    fn check(text: &str, target: Option<&str>, expected: &[&str]) {
        let mut sources = Sources::default();
        let source = sources.add("Dockerfile", text);
        let arguments = BTreeMap::from([("GIVEN".to_owned(), "7000".to_owned())]);
        let read = exposed(source, text, &Build { target: target.map(str::to_owned), arguments });
        let port =
            |e: &Spanned<(Protocol, PortRange)>| format!("{}/{} <{}>", e.value.1, e.value.0, sources.text(e.span));
        let mut actual: Vec<String> = read.value.iter().map(port).collect();
        actual.extend(read.diagnostics.iter().map(|d| d.message.to_string()));
        assert_eq!(actual, expected, "{text}");
    }

    #[test]
    fn exposed_ports_are_read_with_their_places() {
        check(
            "# 서버\nFROM x\nEXPOSE 80 443/tcp \\\n  # more\n  53/udp\n",
            None,
            &["80/tcp <80>", "443/tcp <443/tcp>", "53/udp <53/udp>"],
        );
        check("FROM x\nexpose 3000-3002\n", None, &["3000-3002/tcp <3000-3002>"]);
        check("FROM x\nEXPOSE http\n", None, &["`http` is not a port"]);
        check("FROM x\nRUN echo EXPOSE 80\n", None, &[]);
        check("EXPOSE 1", None, &["`1` is not a port"]);
        check("", None, &[]);
    }

    #[test]
    fn variables_come_from_arguments_and_the_environment() {
        check(
            "FROM x\nARG P=1 GIVEN=2\nENV A=\"${P}0\" B 5\nENV C 9\nEXPOSE $A ${GIVEN} ${C} ${D:-8}\n",
            None,
            &["10/tcp <$A>", "7000/tcp <${GIVEN}>", "9/tcp <${C}>", "8/tcp <${D:-8}>"],
        );
        check(
            "ARG V=8\nFROM mysql:$V\nARG V\nEXPOSE $V\n",
            None,
            &["8/tcp <$V>", "3306/tcp <mysql:$V>", "33060/tcp <mysql:$V>"],
        );
    }

    #[test]
    fn the_built_stage_counts_with_what_it_starts_from() {
        let text = "FROM node AS build\nEXPOSE 1\nFROM build AS dev\nEXPOSE 2\nFROM --platform=x nginx\nCOPY --from=build a b\n";
        check(text, None, &["80/tcp <nginx>"]);
        check(text, Some("dev"), &["2/tcp <2>", "1/tcp <1>"]);
        check(text, Some("0"), &["1/tcp <1>"]);
        check(text, Some("no"), &[]);
        check("FROM a AS a\nEXPOSE 1\n", None, &["1/tcp <1>"; 30]);
    }
}
