//! Into which zone of firewalld NetworkManager puts an interface: `zone=` of a connection's keyfile
//! (nm-settings-keyfile(5)) and `ZONE=` of an ifcfg file (nm-settings-ifcfg-rh(5)). It tells the running firewalld when
//! the interface comes up, so that firewalld's own files do not count for that interface.

use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, InterfaceZone};
use crate::source::{SourceId, Span, Spanned};

/// Reads a connection of NetworkManager.
pub fn keyfile(source: SourceId, text: &str) -> Declarations {
    let mut section = "";
    let wanted = |key: &str| match key {
        "interface-name" => Some(Setting::Interface),
        "zone" => Some(Setting::Zone),
        _ => None,
    };
    declare(lines(source, text).filter_map(|line| {
        if let Some(name) = line.value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            return None;
        }
        let (key, value) = setting(line)?;
        wanted(key).filter(|_| section == "connection").map(|what| (what, value))
    }))
}

/// Reads an ifcfg file.
pub fn ifcfg(source: SourceId, text: &str) -> Declarations {
    let wanted = |key: &str| match key {
        "DEVICE" => Some(Setting::Interface),
        "ZONE" => Some(Setting::Zone),
        _ => None,
    };
    declare(lines(source, text).filter_map(|line| {
        let (key, value) = setting(line)?;
        wanted(key).map(|what| (what, value))
    }))
}

enum Setting {
    Interface,
    Zone,
}

fn declare<'a>(settings: impl Iterator<Item = (Setting, Spanned<&'a str>)>) -> Declarations {
    let (mut interface, mut zone) = (None, None);
    for (what, value) in settings {
        match what {
            Setting::Interface => interface = Some(value),
            Setting::Zone => zone = Some(value),
        }
    }
    let mut out = Declarations::default();
    if let (Some(interface), Some(zone)) = (interface, zone.filter(|z| !z.value.is_empty())) {
        let zone = InterfaceZone { interface: interface.value.to_owned(), zone: zone.map(str::to_owned) };
        out.value.push(Declaration::InterfaceZone(zone));
    }
    out
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn check(read: fn(SourceId, &str) -> Declarations, text: &str, expected: Option<(&str, &str)>) {
        let mut sources = Sources::default();
        let id = sources.add("file", text);
        let out = read(id, text);
        let found = match out.value.as_slice() {
            [Declaration::InterfaceZone(z)] => Some((z.interface.as_str(), sources.text(z.zone.span))),
            _ => None,
        };
        assert_eq!(found, expected, "{text}");
        assert!(out.diagnostics.is_empty());
    }

    #[test]
    fn the_zone_of_a_connection_is_read_with_its_place() {
        let written = "# 한글\n[connection]\nid=lan\ninterface-name=enp0s3\nzone=trusted\n\n[ipv4]\nzone=x\n";
        check(keyfile, written, Some(("enp0s3", "trusted")));
        check(keyfile, "[connection]\ninterface-name=enp0s3\nzone=\n", None);
        check(keyfile, "[ipv4]\ninterface-name=enp0s3\nzone=trusted\n", None);
        check(ifcfg, "DEVICE=\"eth0\"\nONBOOT=yes\nZONE='work'\n", Some(("eth0", "work")));
        check(ifcfg, "DEVICE=eth0\n#ZONE=work\n", None);
        check(ifcfg, "", None);
    }
}
