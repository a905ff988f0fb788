//! A lab.yaml that states what other files leave open: the machines that they configure, their addresses and releases.

use crate::lab::{Attachment, Host, HostKind, Interface, Lab, Os, Segment, SegmentKind};
use crate::language::{Language, Text, text};
use crate::provenance::{Basis, Origin};
use crate::source::Sources;

fn head() -> Text {
    text!(
        "# Drafted by `canreach init`. It states what the other files leave open; what is called assumed here is a \
         guess:\n# correct it. Then write sentences and run `canreach check`.\n",
        "# `canreach init`이 쓴 초안입니다. 다른 파일에 없는 것을 적었습니다. \"가정\"이라고 적은 것은 추측이니\n# 실제에 맞게 \
         고치십시오. 그런 다음 문장을 쓰고 `canreach check`를 실행하십시오.\n"
    )
}

/// A lab.yaml for a lab that has none; `sentences` are put forward in comments, which are in a language.
pub fn lab_file(lab: &Lab, sources: &Sources, sentences: &[String], language: Language) -> String {
    let mut text = head().in_language(language).to_owned();
    let draft = Draft { lab, sources, language };
    let networks: Vec<&Segment> = lab.segments.iter().filter(|segment| is_guess(&segment.origin)).collect();
    if !networks.is_empty() {
        text += "networks:\n";
        networks.iter().for_each(|segment| text += &draft.network(segment));
    }
    text += "hosts:\n";
    lab.hosts.iter().filter(|host| is_machine(host)).for_each(|each| text += &draft.host(each));
    text += "sentences:\n";
    sentences.iter().for_each(|sentence| text += &format!("  # - {sentence}\n"));
    text
}

/// Not a router, which a network's gateway implies, and not the machine inside of Docker Desktop.
fn is_machine(host: &Host) -> bool {
    host.kind != HostKind::Router && host.engine.as_ref().is_none_or(|engine| engine.forwarded_to.is_none())
}

fn is_guess(origin: &Origin) -> bool {
    matches!(origin.basis, Basis::Assumed { .. })
}

/// What is drafted, and the language of its comments.
#[derive(Clone, Copy)]
struct Draft<'a> {
    lab: &'a Lab,
    sources: &'a Sources,
    language: Language,
}

impl Draft<'_> {
    /// A comment on what is not stated anywhere.
    fn remark(self, origin: &Origin) -> String {
        let assumed = text!("  # assumed", "  # 가정");
        if is_guess(origin) { assumed.in_language(self.language).to_owned() } else { String::new() }
    }

    fn network(self, segment: &Segment) -> String {
        let lab = self.lab;
        let subnets: Vec<String> = segment.subnets.iter().map(ToString::to_string).collect();
        let subnet = match subnets.as_slice() {
            [] => return String::new(),
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let is_on = |interface: &&Interface| matches!(&interface.attachment, Attachment::Segment(id) if lab.segment(*id).name == segment.name);
        let gateway = lab.hosts.iter().flat_map(|host| &host.interfaces).filter(is_on).find_map(|i| i.gateway);
        let gateway = gateway.map_or(String::new(), |address| format!(", gateway: {address}"));
        let kind = match segment.kind {
            SegmentKind::Lan => "lan",
            SegmentKind::HostOnly => "host-only",
            SegmentKind::Internal => "internal",
            SegmentKind::NatNetwork => "nat-network",
            SegmentKind::Hosted => "libvirt",
        };
        format!(
            "  {}: {{subnet: {subnet}{gateway}, kind: {kind}}}{}\n",
            scalar(&segment.name),
            self.remark(&segment.origin)
        )
    }

    fn host(self, host: &Host) -> String {
        let Self { lab, sources, .. } = self;
        let mut text = format!("  {}:{}\n", scalar(&host.name), self.remark(&host.origin));
        match host.kind {
            HostKind::Vm { on } => text += &format!("    on: {}\n", scalar(&lab.host(on).name)),
            HostKind::Physical | HostKind::Router => text += &format!("    os: {}\n", system(host.os)),
        }
        let files: Vec<String> = host.files.iter().map(|file| scalar(&sources.get(*file).name)).collect();
        if !files.is_empty() {
            text += &format!("    files: [{}]\n", files.join(", "));
        }
        let interfaces: String = host.interfaces.iter().filter_map(|each| self.interface(each)).collect();
        if !interfaces.is_empty() {
            text += &format!("    interfaces:\n{interfaces}");
        }
        text + &self.products(host)
    }

    /// An interface that somebody may have to correct: its address is stated nowhere.
    fn interface(self, interface: &Interface) -> Option<String> {
        let guessed = interface.addresses.iter().find(|address| is_guess(&address.origin))?;
        let network = match &interface.attachment {
            Attachment::Segment(id) if is_guess(&self.lab.segment(*id).origin) => {
                format!("network: {}, ", scalar(&self.lab.segment(*id).name))
            }
            _ => String::new(),
        };
        let remark = self.remark(&guessed.origin);
        Some(format!("      {}: {{{network}address: {}}}{remark}\n", scalar(&interface.name), guessed.net))
    }

    /// The releases: rules differ between them.
    fn products(self, host: &Host) -> String {
        let lab = self.lab;
        let mut text = String::new();
        let mut inside = lab.hosts.iter().filter_map(|other| other.engine.as_ref());
        let desktop = inside.find(|e| e.forwarded_to.is_some_and(|on| lab.host(on).name == host.name));
        if let Some(engine) = host.engine.as_ref().or(desktop) {
            let platform = if desktop.is_some() { "platform: desktop, " } else { "" };
            text += &format!("    docker: {{{platform}version: {}}}{}\n", engine.version, self.remark(&engine.origin));
        }
        if let Some(firewalld) = &host.firewalld {
            text += &format!("    firewalld: {{version: {}}}{}\n", firewalld.version, self.remark(&firewalld.origin));
        }
        text
    }
}

fn system(os: Os) -> &'static str {
    match os {
        Os::Linux => "linux",
        Os::MacOs => "macos",
        Os::Windows => "windows",
    }
}

/// A name as YAML takes it.
fn scalar(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&name.to_ascii_lowercase().as_str());
    if is_plain { name.to_owned() } else { format!("{name:?}") }
}
