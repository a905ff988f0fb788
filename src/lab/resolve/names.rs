//! Paths and names as files write them, and what to say when they lead nowhere.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::Declaration;
use crate::source::{Span, Spanned};

/// A path written in the file `from`, as seen from where the tool was pointed; `..` above that place stays.
pub(super) fn join_path(from: &str, written: &str) -> String {
    let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(written.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// A name that nothing bears.
pub(super) fn unknown_name<'a>(
    what: &str,
    name: &Spanned<String>,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let known: Vec<&str> = known.into_iter().collect();
    let diagnostic = Diagnostic::new(Code::LabUnknownName, format!("there is no {what} `{}`", name.value))
        .label(name.span, "named here");
    match did_you_mean(&name.value, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => diagnostic,
        None => diagnostic.help(format!("known: {}", known.join(", "))),
    }
}

/// A name in the form that sentences can use: no white space, no characters that the grammar needs.
pub(super) fn sentence_name(name: &str) -> String {
    name.chars().map(|c| if c.is_whitespace() || matches!(c, '/' | ':' | ',') { '-' } else { c }).collect()
}

/// The place of a declaration.
pub(super) fn span_of(declaration: &Declaration) -> Option<Span> {
    match declaration {
        Declaration::Host(d) => Some(d.span),
        Declaration::Segment(d) => Some(d.span),
        Declaration::Group(name, _) => Some(name.span),
        Declaration::Process(d) => Some(d.span),
        Declaration::Sentence(d) => Some(d.sentence.span),
        Declaration::Unmodeled(d) => Some(d.span),
        Declaration::Machine(d) => Some(d.span),
        Declaration::MachineChange(d) => Some(d.span),
        Declaration::Hypervisor(d) => Some(d.span()),
        Declaration::InterfaceConfig(d) => Some(d.span),
        Declaration::Engine(d) => d.span,
        Declaration::Network(d) => Some(d.span),
        Declaration::Container(d) => Some(d.span),
        Declaration::Compose(d) => Some(d.span),
        Declaration::Connect(d) => Some(d.span),
        Declaration::Former(d) => span_of(d),
        Declaration::Freed(_) => None,
        Declaration::Running(d) => Some(d.container.span),
        Declaration::RunningNetwork(d) => Some(d.span),
        Declaration::Firewalld(d) => d.span,
        Declaration::Zone(d) => Some(d.span),
        Declaration::Policy(d) => Some(d.span),
        Declaration::Service(d) => Some(d.span),
        Declaration::FirewallCmd(d) => Some(d.span),
        Declaration::Iptables(d) => d.first().map(|command| command.span),
        Declaration::IpSet(d) => Some(d.name.span),
        Declaration::Nft(d) => Some(d.span),
        Declaration::Ufw(d) => Some(d.span),
        Declaration::Event(d) => Some(d.span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_file_that_names_them() {
        let check = |from, written, expected: &str| assert_eq!(join_path(from, written), expected);
        check("lab.yaml", "./vm/compose.yaml", "vm/compose.yaml");
        check("sub/lab.yaml", "../a/./b.sh", "a/b.sh");
        check("lab.yaml", ".", "");
        check("lab.yaml", "../x.vbox", "../x.vbox");
        check("sub/lab.yaml", "firewalld/", "sub/firewalld");
    }
}
