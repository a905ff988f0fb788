//! How NetworkManager sets up an interface: a connection's keyfile (nm-settings-keyfile(5), nm-settings-nmcli(5)) or an ifcfg file
//! (nm-settings-ifcfg-rh(5)). Both say its addresses and routes, and into which zone of firewalld it is put: NetworkManager
//! tells the running firewalld when the interface comes up, so that firewalld's own files do not count for it.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, InterfaceZone};
use crate::lab::interface_config::{InterfaceConfig, hardware_address};
use crate::language::{Text, text};
use crate::source::{SourceId, Span, Spanned};

mod ifcfg;
mod keyfile;
#[cfg(test)]
mod tests;

pub use ifcfg::parse as ifcfg;
pub use keyfile::parse as keyfile;

/// An assignment, and the section that it stands in.
struct Setting<'a> {
    section: &'a str,
    key: &'a str,
    value: Spanned<&'a str>,
}

/// All assignments of a file; of two with the same key the last one counts.
struct Settings<'a> {
    all: Vec<Setting<'a>>,
    whole: Span,
    problems: Vec<Diagnostic>,
}

impl<'a> Settings<'a> {
    fn read(source: SourceId, text: &'a str) -> Self {
        let mut section = "";
        let mut all = Vec::new();
        for line in lines(source, text) {
            if let Some(name) = line.value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name;
            } else if let Some((key, value)) = setting(line) {
                all.push(Setting { section, key, value });
            }
        }
        Self { all, whole: Span::new(source, 0, text.trim_end().len()), problems: Vec::new() }
    }

    /// The value of a key, unless it is empty.
    fn get(&self, section: &str, key: &str) -> Option<Spanned<&'a str>> {
        let is_it = |setting: &&Setting<'a>| setting.section == section && setting.key == key;
        self.all.iter().rev().find(is_it).map(|setting| setting.value).filter(|value| !value.value.is_empty())
    }

    /// The zone that an interface is put into: if none is stated, the default one, whatever firewalld's files say
    /// (github.com/firewalld/firewalld/issues/1088). A port of a bridge or bond is in no zone of its own.
    fn zone(&self, name: Option<Spanned<&str>>, section: &str, key: &str) -> Option<InterfaceZone> {
        const PORT: [&str; 6] = ["master", "controller", "MASTER", "BRIDGE", "TEAM_MASTER", "OVS_BRIDGE"];
        let name = name?;
        let is_port = PORT.iter().any(|key| self.get(section, key).is_some());
        let default = || (!is_port).then_some(Spanned::new("", name.span));
        let zone = self.get(section, key).or_else(default)?.map(str::to_owned);
        Some(InterfaceZone { interface: name.value.to_owned(), zone })
    }

    fn parsed<T: std::str::FromStr>(&mut self, text: Spanned<&str>, what: impl Into<Text>) -> Option<Spanned<T>> {
        let parsed = text.value.trim().parse().ok();
        if parsed.is_none() {
            let what = what.into();
            let message =
                text!("`{value}` is not {what}", "`{value}`: {what}이(가) 아닙니다", value = &text.value; what);
            self.problems.push(
                Diagnostic::new(Code::BadAddress, message)
                    .label(text.span, text!("cannot be understood", "이해할 수 없음")),
            );
        }
        parsed.map(|value| Spanned::new(value, text.span))
    }

    fn address(&mut self, text: Spanned<&str>) -> Option<Spanned<IpAddr>> {
        self.parsed(text, text!("an IP address", "IP 주소"))
    }

    fn metric(&self, section: &str, key: &str) -> Option<Spanned<u32>> {
        let text = self.get(section, key)?;
        Some(Spanned::new(text.value.parse().ok()?, text.span))
    }

    fn hardware_address(&self, section: &str, key: &str) -> Option<Spanned<String>> {
        let text = self.get(section, key)?;
        Some(Spanned::new(hardware_address(text.value)?, text.span))
    }

    /// What a file says: zone, addresses, and what has no model.
    fn declare(
        self,
        zone: Option<InterfaceZone>,
        config: Option<InterfaceConfig>,
        unmodeled: Vec<Spanned<Text>>,
    ) -> Declarations {
        let mut value: Vec<Declaration> = unmodeled.into_iter().map(Declaration::Unmodeled).collect();
        value.extend(zone.map(Declaration::InterfaceZone));
        value.extend(config.map(|config| Declaration::InterfaceConfig(Box::new(config))));
        Declarations { value, diagnostics: self.problems }
    }
}

fn not_modeled(what: Text, span: Span) -> Spanned<Text> {
    Spanned::new(what, span)
}

/// The parts of a value between separators, with their places.
fn parts<'a>(text: Spanned<&'a str>, separators: &'static [char]) -> impl Iterator<Item = Spanned<&'a str>> {
    let mut start = text.span.start;
    text.value.split_inclusive(separators).map(move |part| {
        let bare = part.trim_end_matches(separators);
        let span = Span::new(text.span.source, start, start + bare.len());
        start += part.len();
        Spanned::new(bare, span)
    })
}

fn lines(source: SourceId, text: &str) -> impl Iterator<Item = Spanned<&str>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let at = start + (line.len() - line.trim_start().len());
        start += line.len();
        Spanned::new(line.trim(), Span::new(source, at, at + line.trim().len()))
    })
}

/// `key=value`; the value may stand in quotes.
fn setting(line: Spanned<&str>) -> Option<(&str, Spanned<&str>)> {
    let (key, value) = line.value.split_once('=').filter(|_| !line.value.starts_with(['#', ';']))?;
    let bare = value.trim().trim_matches(['"', '\'']);
    let at = line.span.start + key.len() + 1 + value.find(bare).unwrap_or(0);
    Some((key.trim(), Spanned::new(bare, Span::new(line.span.source, at, at + bare.len()))))
}
