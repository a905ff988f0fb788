//! Makefiles, as far as the commands of one target go.
//!
//! A Makefile holds alternatives, so it is read only when somebody names it, and of its targets the one that brings things
//! up: `up`, `start`, `run` or `deploy` if there is one, else the default goal; with what it depends on before it
//! (GNU Make manual 4.4, "How make Processes a Makefile", "Recipe Syntax").

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnosed, Diagnostic, Severity};
use crate::frontend::placed::{Nature, PlacedText};
use crate::language::text;
use crate::source::{SourceId, Span, Spanned};

/// Targets that bring things up, the preferred one first.
const GOALS: [&str; 4] = ["up", "start", "run", "deploy"];

/// Whether a file is a Makefile by its name.
pub fn is_one(name: &str) -> bool {
    matches!(name, "Makefile" | "makefile" | "GNUmakefile") || name.ends_with(".mk")
}

/// Variables of the Makefile; nothing where a value is not known.
pub type Variables = BTreeMap<String, Option<String>>;

/// The commands of one target as a script, with the variables that it starts with.
pub fn parse(source: SourceId, text: &str) -> Diagnosed<(PlacedText, Variables)> {
    let makefile = Makefile::read(source, text);
    let goal = GOALS.iter().find_map(|name| makefile.rule(name)).or_else(|| makefile.default_goal());
    let Some(goal) = goal else { return Diagnosed::default() };
    let mut recipe = PlacedText::default();
    makefile.collect(goal, &mut recipe, &mut BTreeSet::new());
    let is_choice = 1 < makefile.rules.iter().filter(|rule| !rule.recipe.is_empty()).count();
    let diagnostics = is_choice.then(|| only_one(&goal.target)).into_iter().collect();
    Diagnosed { value: (recipe, makefile.variables), diagnostics }
}

struct Makefile {
    rules: Vec<Rule>,
    variables: Variables,
}

/// A target with what it depends on and its recipe, as a shell reads it.
struct Rule {
    target: Spanned<String>,
    needs: Vec<String>,
    recipe: Vec<PlacedText>,
}

impl Makefile {
    fn read(source: SourceId, text: &str) -> Self {
        let mut makefile = Self { rules: Vec::new(), variables: Variables::new() };
        let mut current: Vec<usize> = Vec::new();
        let mut start = 0;
        let mut continues = false;
        for line in text.split_inclusive('\n') {
            let at = start;
            start += line.len();
            if let Some(command) = line.strip_prefix('\t') {
                let commands = recipe_line(source, command, at + 1, continues);
                for index in &current {
                    makefile.rules.iter_mut().skip(*index).take(1).for_each(|rule| rule.recipe.push(commands.clone()));
                }
                continues = line.trim_end_matches(['\n', '\r']).ends_with('\\');
                continue;
            }
            continues = false;
            let bare = line.trim_end();
            if bare.is_empty() || bare.trim_start().starts_with('#') {
                continue;
            }
            if let Some((name, value)) = assignment(bare) {
                makefile.set(name, value);
            } else if let Some((targets, rest)) = bare.split_once(':') {
                current = makefile.open_rules(source, at, targets, rest);
            }
        }
        makefile
    }

    /// What depends on functions, other variables or the environment is not known.
    fn set(&mut self, name: &str, value: Option<&str>) {
        let known = value.filter(|value| !value.contains(['$', '#'])).map(str::to_owned);
        self.variables.insert(name.to_owned(), known);
    }

    fn open_rules(&mut self, source: SourceId, at: usize, targets: &str, rest: &str) -> Vec<usize> {
        let (needs, command) = rest.split_once(';').unwrap_or((rest, ""));
        let needs = needs.split_whitespace().filter(|need| *need != "|");
        let needs: Vec<String> = needs.map(|need| need.trim_start_matches(':').to_owned()).collect();
        let span = Span::new(source, at, at + targets.trim_end().len());
        let command_at = at + targets.len() + 1 + rest.len() - command.len();
        let mut opened = Vec::new();
        for target in targets.split_whitespace() {
            let recipe = (!command.trim().is_empty()).then(|| recipe_line(source, command, command_at, false));
            let target = Spanned::new(target.to_owned(), span);
            opened.push(self.rules.len());
            self.rules.push(Rule { target, needs: needs.clone(), recipe: recipe.into_iter().collect() });
        }
        opened
    }

    fn rule(&self, name: &str) -> Option<&Rule> {
        let mut named = self.rules.iter().filter(|rule| rule.target.value == name);
        let first = named.clone().next();
        named.find(|rule| !rule.recipe.is_empty()).or(first)
    }

    /// The first target that does not start with a dot.
    fn default_goal(&self) -> Option<&Rule> {
        let first = self.rules.iter().find(|rule| !rule.target.value.starts_with('.'))?;
        self.rule(&first.target.value)
    }

    /// Commands of what a target depends on, then its own.
    fn collect<'m>(&'m self, rule: &'m Rule, recipe: &mut PlacedText, seen: &mut BTreeSet<&'m str>) {
        if !seen.insert(rule.target.value.as_str()) {
            return;
        }
        for need in &rule.needs {
            if let Some(rule) = self.rule(need) {
                self.collect(rule, recipe, seen);
            }
        }
        rule.recipe.iter().for_each(|line| recipe.append(line));
    }
}

/// `NAME = VALUE`, `NAME := VALUE` and `NAME ?= VALUE`; a value that is appended to is not known.
fn assignment(line: &str) -> Option<(&str, Option<&str>)> {
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let (left, value) = line.split_once('=')?;
    let name = left.trim_end_matches([':', '?', '+', '!']).trim_end();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some((name, (!left.ends_with('+')).then_some(value.trim())))
}

/// A line of a recipe as the shell gets it: without `@`, `-` and `+` in front, with make's variables written as those of
/// a shell, and `$$` for a dollar.
fn recipe_line(source: SourceId, line: &str, at: usize, continues: bool) -> PlacedText {
    let mut out = PlacedText::default();
    let skipped = if continues { 0 } else { line.len() - line.trim_start_matches([' ', '\t', '@', '-', '+']).len() };
    let mut rest = line.get(skipped..).unwrap_or("");
    while let Some(dollar) = rest.find('$') {
        let start = at + line.len() - rest.len();
        let literal = |out: &mut PlacedText, from: usize, to: usize| {
            let text = rest.get(from..to).unwrap_or("");
            out.push(text, Span::new(source, start + from, start + to), Nature::Literal);
        };
        literal(&mut out, 0, dollar);
        let behind = rest.get(dollar + 1..).unwrap_or("");
        let (length, text) = reference(behind);
        let span = Span::new(source, start + dollar, start + dollar + 1 + length);
        out.push(&text, span, Nature::Computed);
        rest = behind.get(length..).unwrap_or("");
    }
    let end = at + line.len();
    out.push(rest, Span::new(source, end - rest.len(), end), Nature::Literal);
    out
}

/// What a shell reads for what stands behind a dollar, and how long that is.
fn reference(behind: &str) -> (usize, String) {
    let closing = |close: char| behind.find(close).map(|end| (end + 1, behind.get(1..end).unwrap_or("")));
    let (length, name) = match behind.chars().next() {
        Some('$') => return (1, "$".to_owned()),
        Some('(') => closing(')').unwrap_or((behind.len(), "")),
        Some('{') => closing('}').unwrap_or((behind.len(), "")),
        Some(c) => (c.len_utf8(), behind.get(..c.len_utf8()).unwrap_or("")),
        None => return (0, "$".to_owned()),
    };
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    // A function, or a variable of the recipe itself: nobody knows its value here.
    (length, if is_name { format!("${{{name}}}") } else { "${MAKE_VALUE}".to_owned() })
}

fn only_one(target: &Spanned<String>) -> Diagnostic {
    let message = text!(
        "of this Makefile only the target `{target}` is read",
        "이 Makefile에서는 `{target}` 타깃만 읽습니다",
        target = &target.value
    );
    let diagnostic = Diagnostic::new(Code::InputUnused, message)
        .label(target.span, text!("with what it depends on", "의존하는 타깃 포함"));
    let help = text!(
        "the first of `up`, `start`, `run`, `deploy` counts, else the default goal",
        "`up`, `start`, `run`, `deploy` 가운데 처음 있는 것을, 없으면 기본 타깃을 씁니다"
    );
    Diagnostic { severity: Severity::Advice, ..diagnostic.help(help) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::shell;
    use crate::lab::Declaration;
    use crate::source::Sources;

    /// Makefile -> each container with its ports and the text of its first port, and messages.
    fn check(text: &str, expected: &[&str]) {
        let mut sources = Sources::default();
        let source = sources.add("Makefile", text);
        let makefile = parse(source, text);
        let mut read = shell::parse_placed(&makefile.value.0, makefile.value.1);
        read.diagnostics.extend(makefile.diagnostics);
        let mut actual = Vec::new();
        for declaration in &read.value {
            match declaration {
                Declaration::Container(c) => {
                    let ports = c.publishes.iter().map(|p| p.host_ports.map_or("any".to_owned(), |h| h.to_string()));
                    let ports: Vec<String> = ports.collect();
                    let image = c.image.as_ref().map_or("", |image| sources.text(image.span));
                    actual.push(format!("{} <{image}>", ports.join(" ")));
                }
                Declaration::Unmodeled(what) => actual.push(format!("unmodeled {}", what.value)),
                _ => {}
            }
        }
        actual.extend(read.diagnostics.iter().map(|d| d.message.to_string()));
        assert_eq!(actual, expected, "{text}");
    }

    #[test]
    fn the_recipe_of_one_target_is_read() {
        check("all:\n\t@docker run -p 80:80 nginx\n", &["80 <nginx>"]);
        check(
            "PORT := 8080\nIMAGE ?= nginx\n.PHONY: up net\n\nhelp:\n\t@echo hello\n\nup: net ## bring it up\n\t-docker run -d \\\n\t  -p \
             $(PORT):80 ${IMAGE}\nnet:\n\t@-docker run -p 81:80 first\n",
            &["81 <first>", "8080 <${IMAGE}>", "of this Makefile only the target `up` is read"],
        );
        check("run: ; docker run -p 1:1 x\n", &["1 <x>"]);
        check("up:\n\tfor p in 1 2; do docker run -p $$p:80 x; done # 주석\n", &["1 <x>", "2 <x>"]);
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let unknown = ["unmodeled a container whose `--publish` is not known"];
        let message = "not modelled: a container whose `--publish` is not known";
        check("PORT = $(shell pick)\nup:\n\tdocker run -p $(PORT):80 x\n", &[unknown[0], message]);
        check("PORT = 1\nPORT += 2\nup:\n\tdocker run -p $(PORT):80 x\n", &[unknown[0], message]);
        check("up:\n\tdocker run -p $(call f,1):80 x\n", &[unknown[0], message]);
        check("", &[]);
        check("up:\n", &[]);
        check("\tdocker run x\n$(\n:\n$\n", &[]);
    }
}
