//! Dockerfiles, as far as they say where the program of an image listens, and what it is told.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnosed, Diagnostic};
use crate::lab::images;
use crate::language::text;
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

/// What an image is.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// The image below all stages.
    pub base: Option<Spanned<String>>,
    /// `EXPOSE`, and what is known about the image below.
    pub exposes: Exposed,
    /// `ENV`: name and value.
    pub environment: Vec<(String, Spanned<String>)>,
    /// `ENTRYPOINT`.
    pub entrypoint: Option<Line>,
    /// `CMD`.
    pub command: Option<Line>,
    /// Files of the build context and their places in the image.
    pub copies: Vec<(Spanned<String>, String)>,
}

/// A command line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Program and arguments.
    pub words: Vec<Spanned<String>>,
    /// A shell reads it: variables are replaced, and nothing that follows belongs to it.
    pub is_shell: bool,
}

impl Image {
    /// The same, as if all of it were written in one place.
    #[must_use]
    pub fn placed_at(mut self, span: Span) -> Self {
        let lines = self.entrypoint.iter_mut().chain(&mut self.command).flat_map(|line| &mut line.words);
        let values = self.environment.iter_mut().map(|(_, value)| value);
        let copies = self.copies.iter_mut().map(|(file, _)| file);
        lines.chain(values).chain(copies).chain(&mut self.base).for_each(|text| text.span = span);
        self.exposes.iter_mut().for_each(|port| port.span = span);
        self
    }
}

/// What the stage that is built and those it starts from make of an image (docs.docker.com, "Dockerfile reference").
pub fn image(source: SourceId, text: &str, build: &Build) -> Diagnosed<Image> {
    let mut reader = Reader { text, build, globals: BTreeMap::new(), stages: Vec::new(), diagnostics: Vec::new() };
    for line in lines(source, text) {
        reader.instruction(&line);
    }
    let last = reader.stages.len().checked_sub(1);
    let stage = match &build.target {
        Some(target) => reader.stage(target),
        None => last,
    };
    let value = stage.map(|stage| reader.image(stage)).unwrap_or_default();
    Diagnosed { value, diagnostics: reader.diagnostics }
}

type Word<'t> = Spanned<&'t str>;

/// Instructions as words. A backslash at the end of a line continues it, also over lines of comments; `<<END` is
/// followed by lines that are none.
fn lines(source: SourceId, text: &str) -> Vec<Vec<Word<'_>>> {
    let mut lines = Vec::new();
    let mut line: Vec<Word<'_>> = Vec::new();
    let mut end: Option<&str> = None;
    let mut start = 0;
    for physical in text.split_inclusive('\n') {
        let bare = physical.trim();
        if end == Some(bare) {
            end = None;
        } else if end.is_none() && !bare.starts_with('#') {
            let continues = bare.ends_with('\\');
            line.extend(words(source, start, physical).filter(|word| word.value != "\\"));
            if !continues {
                end = document(&line);
                lines.push(std::mem::take(&mut line));
            }
        }
        start += physical.len();
    }
    lines.push(line);
    lines
}

/// The word that ends the text which follows an instruction: `END` of `<<END`, `<<-"END"`.
fn document<'t>(line: &[Word<'t>]) -> Option<&'t str> {
    let takes_text = |word: &Word<'_>| ["RUN", "COPY", "ADD"].contains(&word.value.to_ascii_uppercase().as_str());
    line.first().filter(|word| takes_text(word))?;
    let opens = line.iter().find_map(|word| word.value.strip_prefix("<<"))?;
    Some(opens.trim_start_matches('-').trim_matches(['"', '\''])).filter(|end| !end.is_empty())
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
    /// What it adds to the one that it starts from.
    adds: Image,
}

struct Reader<'a> {
    text: &'a str,
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
            "COPY" | "ADD" => self.copy(words),
            "ENTRYPOINT" => {
                let line = self.line(words);
                self.add(|image| image.entrypoint = line);
            }
            "CMD" => {
                let line = self.line(words);
                self.add(|image| image.command = line);
            }
            _ => {}
        }
    }

    fn add(&mut self, change: impl FnOnce(&mut Image)) {
        if let Some(stage) = self.stages.last_mut() {
            change(&mut stage.adds);
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
        self.stages.push(Stage { name, base, variables: BTreeMap::new(), adds: Image::default() });
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
            [name, value] if !name.value.contains('=') => vec![(name.value, *value)],
            _ => words.iter().filter_map(assignment).collect(),
        };
        for (name, value) in old {
            let bare = unquoted(value.value);
            // What is quoted with spaces in it is not a word, and not understood.
            if bare.starts_with(['"', '\'']) {
                continue;
            }
            let margin = (value.value.len() - bare.len()) / 2;
            let place = Span::new(value.span.source, value.span.start + margin, value.span.end - margin);
            let replaced = self.replaced(bare);
            if let Some(stage) = self.stages.last_mut() {
                stage.variables.insert(name.to_owned(), replaced.clone());
                stage.adds.environment.push((name.to_owned(), Spanned::new(replaced, place)));
            }
        }
    }

    fn expose(&mut self, word: &Word<'_>) {
        let text = self.replaced(unquoted(word.value));
        let (ports, protocol) = text.split_once('/').unwrap_or((&text, ""));
        let read = (port_spec::published_protocol(protocol), port_spec::port_range(ports));
        match (read, self.stages.last_mut()) {
            ((Some(protocol), Some(ports)), Some(stage)) if ports.first != 0 => {
                stage.adds.exposes.push(Spanned::new((protocol, ports), word.span));
            }
            _ => self.diagnostics.push(
                Diagnostic::new(Code::BadPort, text!("`{text}` is not a port", "`{text}`은(는) 포트가 아닙니다"))
                    .label(word.span, text!("docker cannot build this", "docker가 빌드할 수 없음")),
            ),
        }
    }

    /// Files of the build context; those of other stages are made there.
    fn copy(&mut self, words: &[Word<'_>]) {
        if words.iter().any(|word| word.value.starts_with("--from")) {
            return;
        }
        let paths: Vec<&Word<'_>> = words.iter().filter(|word| !word.value.starts_with("--")).collect();
        let Some((target, sources)) = paths.split_last() else { return };
        let target = self.replaced(unquoted(target.value));
        for file in sources.iter().map(|word| Spanned::new(unquoted(word.value), word.span)) {
            let name = file.value.rsplit('/').next().unwrap_or(file.value);
            let place = if target.ends_with('/') { format!("{target}{name}") } else { target.clone() };
            self.add(|image| image.copies.push((file.map(str::to_owned), place)));
        }
    }

    /// `["program", "argument"]`, or what a shell reads.
    fn line(&self, words: &[Word<'_>]) -> Option<Line> {
        let (first, last) = (words.first()?.span, words.last()?.span);
        let written = self.text.get(first.start..last.end)?;
        if written.starts_with('[') && written.ends_with(']') {
            return Some(Line { words: strings(first, written), is_shell: false });
        }
        let words = words.iter().map(|word| Spanned::new(unquoted(word.value).to_owned(), word.span)).collect();
        Some(Line { words, is_shell: true })
    }

    fn replaced(&self, text: &str) -> String {
        let variables = self.stages.last().map_or(&self.globals, |stage| &stage.variables);
        substitute(text, &|name| variables.get(name).cloned())
    }

    fn stage(&self, name: &str) -> Option<usize> {
        let by_name = self.stages.iter().position(|stage| !name.is_empty() && stage.name.eq_ignore_ascii_case(name));
        by_name.or_else(|| name.parse().ok().filter(|number| *number < self.stages.len()))
    }

    /// From the image that the first stage starts from up to the stage. `ENTRYPOINT` takes back the `CMD` of a stage below
    /// (moby/buildkit, dockerfile2llb/convert.go, `dispatchEntrypoint`).
    fn image(&self, stage: usize) -> Image {
        let mut stages = Vec::new();
        let mut next = Some(stage);
        while let Some(stage) = next.and_then(|number| self.stages.get(number)).filter(|_| stages.len() < MAX_DEPTH) {
            stages.push(stage);
            next = self.stage(&stage.base.value);
        }
        let base = stages.last().filter(|_| next.is_none()).map(|stage| stage.base.clone());
        let mut image = Image { base, ..Image::default() };
        for stage in stages.iter().rev() {
            let adds = stage.adds.clone();
            image.environment.extend(adds.environment);
            image.copies.extend(adds.copies);
            if adds.entrypoint.is_some() {
                (image.entrypoint, image.command) = (adds.entrypoint, None);
            }
            image.command = adds.command.or(image.command);
        }
        image.exposes = stages.iter().flat_map(|stage| stage.adds.exposes.iter().cloned()).collect();
        image.exposes.extend(image.base.as_ref().map(of_image).unwrap_or_default());
        image
    }
}

/// `NAME=VALUE`, the value with its place.
fn assignment<'t>(word: &Word<'t>) -> Option<(&'t str, Word<'t>)> {
    let (name, value) = word.value.split_once('=')?;
    let start = word.span.end - value.len();
    Some((name, Spanned::new(value, Span::new(word.span.source, start, word.span.end))))
}

/// The strings of a JSON list that starts at `start`, each with the place between its quotes.
fn strings(start: Span, list: &str) -> Vec<Spanned<String>> {
    let mut strings = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let mut chars = list.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, &mut open) {
            ('"', None) => open = Some((at + 1, String::new())),
            ('"', Some((from, text))) => {
                let place = Span::new(start.source, start.start + *from, start.start + at);
                strings.push(Spanned::new(std::mem::take(text), place));
                open = None;
            }
            ('\\', Some((_, text))) => text.extend(chars.next().map(|(_, c)| c)),
            (c, Some((_, text))) => text.push(c),
            (_, None) => {}
        }
    }
    strings
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
        let read = image(source, text, &Build { target: target.map(str::to_owned), arguments });
        let port =
            |e: &Spanned<(Protocol, PortRange)>| format!("{}/{} <{}>", e.value.1, e.value.0, sources.text(e.span));
        let mut actual: Vec<String> = read.value.exposes.iter().map(port).collect();
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
        check("FROM x\nRUN <<END\nEXPOSE 1\nEND\nEXPOSE 2\n", None, &["2/tcp <2>"]);
    }

    /// A Dockerfile -> what it starts and with which variables, each word as it is written.
    #[track_caller]
    fn check_program(text: &str, expected: &str) {
        let mut sources = Sources::default();
        let source = sources.add("Dockerfile", text);
        let image = image(source, text, &Build::default()).value;
        let words = |line: Option<Line>| {
            let words =
                line.iter().flat_map(|line| &line.words).map(|word| sources.text(word.span)).collect::<Vec<_>>();
            if line.is_some_and(|line| line.is_shell) { format!("sh {words:?}") } else { format!("{words:?}") }
        };
        let variables: Vec<String> = image.environment.iter().map(|(name, v)| format!("{name}={}", v.value)).collect();
        let copies: Vec<String> = image.copies.iter().map(|(from, to)| format!("{}>{to}", from.value)).collect();
        let (entrypoint, command) = (words(image.entrypoint), words(image.command));
        let base = image.base.map_or_else(String::new, |base| base.value);
        assert_eq!(format!("{base} {entrypoint} {command} {variables:?} {copies:?}"), expected, "{text}");
    }

    #[test]
    fn the_program_and_its_variables() {
        check_program(
            "FROM python:3\nENV HOST=\"0.0.0.0\" NAME=\"a b\"\nENV P 80\nCMD [\"flask\", \\\n  \"run\", \"-p=\\\"1\\\"\"]\n",
            r#"python:3 [] ["flask", "run", "-p=\\\"1\\\""] ["HOST=0.0.0.0", "P=80"] []"#,
        );
        check_program(
            "FROM a AS b\nCMD one\nENV A=1\nFROM b\nENV A=2\nENTRYPOINT uvicorn --host '::'\n",
            r#"a sh ["uvicorn", "--host", "'::'"] [] ["A=1", "A=2"] []"#,
        );
        check_program(
            "FROM prom/prometheus\nCOPY --chown=1 p.yml /etc/prometheus/\nCOPY --from=x a b\nADD a.conf b/c.conf /d/\n",
            r#"prom/prometheus [] [] [] ["p.yml>/etc/prometheus/p.yml", "a.conf>/d/a.conf", "b/c.conf>/d/c.conf"]"#,
        );
    }
}
