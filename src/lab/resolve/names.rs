//! Paths and names as files write them, and what to say when they lead nowhere.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::{Declaration, Host};
use crate::language::{Text, text};
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
    what: &Text,
    name: &Spanned<String>,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let known: Vec<&str> = known.into_iter().collect();
    let diagnostic = Diagnostic::new(
        Code::LabUnknownName,
        text!("there is no {what} `{bearer}`", "`{bearer}`: 그런 {what} 없습니다", bearer = &name.value; what),
    )
    .label(name.span, text!("named here", "여기서 부른 이름"));
    match did_you_mean(&name.value, known.iter().copied()) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None if known.is_empty() => diagnostic,
        None => diagnostic.help(text!("known: {known}", "있는 이름: {known}", known = known.join(", "))),
    }
}

/// Finds for every container the shortest of its names that means nothing else. A host's name comes before a
/// container's, and that before what a container is also called.
pub(super) fn shorten(hosts: &mut [Host]) {
    let mut names: BTreeMap<String, usize> = hosts.iter().map(|host| (host.name.clone(), 1)).collect();
    for container in hosts.iter().flat_map(|host| &host.engine).flat_map(|engine| &engine.containers) {
        *names.entry(container.name.clone()).or_default() += 1;
    }
    let mut all = names.clone();
    for container in hosts.iter().flat_map(|host| &host.engine).flat_map(|engine| &engine.containers) {
        for alias in &container.aliases {
            *all.entry(alias.clone()).or_default() += 1;
        }
    }
    for host in hosts {
        for container in host.engine.iter_mut().flat_map(|engine| &mut engine.containers) {
            let name = if names.get(&container.name) == Some(&1) {
                container.name.clone()
            } else {
                format!("{}/{}", host.name, container.name)
            };
            let aliases = container.aliases.iter().filter(|alias| all.get(*alias) == Some(&1));
            container.short_name =
                aliases.min_by_key(|a| a.len()).filter(|a| a.len() < name.len()).unwrap_or(&name).clone();
        }
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
        Declaration::Tunnel(d) => Some(d.span),
        Declaration::KeptPorts(d) => Some(d.span),
        Declaration::Libvirt(d) => Some(d.span),
        Declaration::Wsl(d) => Some(d.span),
        Declaration::HostFirewall(d) => Some(d.span),
        Declaration::Engine(d) => d.span,
        Declaration::Network(d) => Some(d.span),
        Declaration::Container(d) => Some(d.span),
        Declaration::Compose(d) => Some(d.span),
        Declaration::Connect(d) => Some(d.span),
        Declaration::Former(d) => span_of(d),
        Declaration::Freed(_) | Declaration::ProxyGone(_) => None,
        Declaration::Running(d) => Some(d.container.span),
        Declaration::RunningNetwork(d) => Some(d.span),
        Declaration::Firewalld(d) => d.span,
        Declaration::Zone(d) => Some(d.span),
        Declaration::Policy(d) => Some(d.span),
        Declaration::Service(d) => Some(d.span),
        Declaration::FirewalldIpSet(d) => Some(d.span),
        Declaration::Direct(d) => Some(d.span),
        Declaration::FirewalldRefused(d) => Some(d.span),
        Declaration::FirewalldListed(d) => {
            let zone = d.zones.first().map(|zone| zone.span);
            let policy = d.policies.first().map(|policy| policy.span);
            let service = d.services.first().map(|service| service.span);
            let set = d.ipsets.first().map(|set| set.span);
            zone.or(policy).or(service).or(set).or(d.bindings.first().map(|b| b.zone.span))
        }
        Declaration::InterfaceZone(d) => Some(d.zone.span),
        Declaration::FirewallCmd(d) => Some(d.span),
        Declaration::Iptables(d) => d.first().map(|command| command.span),
        Declaration::IpSet(d) => Some(d.name.span),
        Declaration::Nft(d) => Some(d.span),
        Declaration::Ufw(d) => Some(d.span),
        Declaration::Sysctl(d) => Some(d.span),
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
