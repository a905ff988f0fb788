//! The files of ufw (ufw-framework(8), release 0.36.2): /etc/ufw/ufw.conf, /etc/default/ufw, and the rules that it loads
//! with `iptables-restore --noflush` in the order before, after, user.
//!
//! Source: ufw 0.36.2 src/ufw-init-functions, `ufw_start`.

use crate::diagnostic::Diagnosed;
use crate::frontend::netfilter::iptables_save;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::iptables::{UfwChange, UfwFile};
use crate::net::Family;
use crate::source::{SourceId, Span, Spanned};

use super::{Lines, commands, default, loaded};

const DIRECTIONS: [&str; 3] = ["input", "output", "forward"];

/// Which of ufw's files a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// `before.rules` and the like.
    Rules(UfwFile, Family),
    /// `ufw.conf`
    Conf,
    /// `/etc/default/ufw`
    Defaults,
}

/// Tells by its path what a file is to ufw.
pub fn file(path: &str) -> Option<File> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "ufw.conf" => return Some(File::Conf),
        "ufw" if directory.rsplit('/').next() == Some("default") => return Some(File::Defaults),
        _ => {}
    }
    let stem = name.strip_suffix(".rules")?;
    let (stem, family) = stem.strip_suffix('6').map_or((stem, Family::V4), |stem| (stem, Family::V6));
    let file = match stem.strip_prefix("ufw-").unwrap_or(stem) {
        "before" => UfwFile::Before,
        "after" => UfwFile::After,
        "user" => UfwFile::User,
        _ => return None,
    };
    Some(File::Rules(file, family))
}

/// Reads `before.rules`, `after.rules`, `user.rules` and their likes for IPv6: what they replace is emptied first.
pub fn parse_rules(source: SourceId, (file, family): (UfwFile, Family), text: &str) -> Declarations {
    let span = Span::new(source, 0, text.lines().next().map_or(0, str::len));
    let of_family = |line: String| match family {
        Family::V4 => (family, line),
        Family::V6 => (family, line.replace("ufw-", "ufw6-")),
    };
    let lines = |all: Vec<String>| -> Lines { all.into_iter().map(of_family).collect() };
    let Diagnosed { value: own, diagnostics } = iptables_save::added(source, family, text);
    let replaced = commands(&lines(replaced(file)), span).unwrap_or_default();
    let hooks = commands(&lines(hooks(file)), span).unwrap_or_default();
    let all = replaced.into_iter().chain(own).chain(hooks).collect();
    Declarations { value: vec![Declaration::Ufw(Spanned::new(UfwChange::File(file, all), span))], diagnostics }
}

/// The chains that nothing else than this file fills.
fn replaced(file: UfwFile) -> Vec<String> {
    let of = |kind: &str| DIRECTIONS.map(|direction| format!("-F ufw-{kind}-{direction}")).to_vec();
    match file {
        UfwFile::Before => [of("before"), vec!["-F ufw-not-local".to_owned()]].concat(),
        UfwFile::After => of("after"),
        UfwFile::User => of("user"),
    }
}

/// What ufw itself puts behind the rules of a file.
fn hooks(file: UfwFile) -> Vec<String> {
    match file {
        UfwFile::Before => DIRECTIONS.map(|way| format!("-A ufw-before-{way} -j ufw-user-{way}")).to_vec(),
        UfwFile::After | UfwFile::User => Vec::new(),
    }
}

/// Reads `ufw.conf`: whether ufw is started with the machine.
pub fn parse_conf(source: SourceId, text: &str) -> Declarations {
    let enabled = settings(source, text).rfind(|(key, _)| *key == "ENABLED");
    let starts = enabled.map(|(_, value)| {
        let is_on = value.value.eq_ignore_ascii_case("yes");
        let loaded = is_on.then(|| commands(&loaded(), value.span)).flatten();
        Declaration::Ufw(Spanned::new(UfwChange::Boot(loaded), value.span))
    });
    Declarations { value: starts.into_iter().collect(), diagnostics: Vec::new() }
}

/// Reads `/etc/default/ufw`: the policies, and whether there is IPv6.
pub fn parse_defaults(source: SourceId, text: &str) -> Declarations {
    let mut out = Declarations::default();
    for (key, value) in settings(source, text) {
        let span = value.span;
        let lines = match key {
            "DEFAULT_INPUT_POLICY" => policy(value.value, "incoming"),
            "DEFAULT_OUTPUT_POLICY" => policy(value.value, "outgoing"),
            "DEFAULT_FORWARD_POLICY" => policy(value.value, "routed"),
            "IPV6" if value.value.eq_ignore_ascii_case("no") => Some(without_ipv6()),
            // It empties the tables of everybody at each start.
            "MANAGE_BUILTINS" if value.value == "yes" => None,
            _ => continue,
        };
        out.value.push(match lines.and_then(|lines| commands(&lines, span)) {
            Some(commands) => Declaration::Ufw(Spanned::new(UfwChange::Defaults(commands), span)),
            None => Declaration::Unmodeled(Spanned::new(format!("`{key}={}`", value.value).into(), span)),
        });
    }
    out
}

fn policy(value: &str, direction: &str) -> Option<Lines> {
    let word = match value {
        "ACCEPT" => "allow",
        "DROP" => "deny",
        "REJECT" => "reject",
        _ => return None,
    };
    default(word, direction)
}

/// Then only the loopback is left open for IPv6.
fn without_ipv6() -> Lines {
    let chains = ["INPUT", "FORWARD", "OUTPUT"];
    let closed = chains.iter().flat_map(|chain| [format!("-F {chain}"), format!("-P {chain} DROP")]);
    let loopback = ["-A INPUT -i lo -j ACCEPT".to_owned(), "-A OUTPUT -o lo -j ACCEPT".to_owned()];
    closed.chain(loopback).map(|line| (Family::V6, line)).collect()
}

/// The lines `KEY="value"` of a text.
fn settings(source: SourceId, text: &str) -> impl DoubleEndedIterator<Item = (&str, Spanned<&str>)> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((key, value)) = line.split_once('=').filter(|_| !line.trim_start().starts_with('#')) {
            let plain = value.split(" #").next().unwrap_or("").trim().trim_matches(['"', '\'']);
            let at = start + key.len() + 1 + value.find(plain).unwrap_or(0);
            found.push((key.trim(), Spanned::new(plain, Span::new(source, at, at + plain.len()))));
        }
        start += line.len();
    }
    found.into_iter()
}
