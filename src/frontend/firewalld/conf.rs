//! `firewalld.conf`: lines `Key=value`.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::declaration::{Declarations, FirewalldDecl};
use crate::lab::{Declaration, RuleBackend};
use crate::language::{Text, text};
use crate::source::{SourceId, Span, Spanned};

use super::value::bad;

/// Keys that change no packet of ours: what they change happens while rules are being loaded, concerns IPv6 only, is
/// written to a log, or comes after a connection has been let through. `AllowZoneDrifting` has had no effect since 1.0.
const HARMLESS: [&str; 13] = [
    "MinimalMark",
    "CleanupModulesOnExit",
    "Lockdown",
    "IndividualCalls",
    "LogDenied",
    "AutomaticHelpers",
    "ReloadPolicy",
    "NftablesCounters",
    "NftablesTableOwner",
    "NftablesFlowtable",
    "IPv6_rpfilter",
    "RFC3964_IPv4",
    "AllowZoneDrifting",
];

/// The other keys.
const MODELED: [&str; 5] =
    ["DefaultZone", "FirewallBackend", "StrictForwardPorts", "CleanupOnExit", "FlushAllOnReload"];

/// Reads a firewalld.conf.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let whole = Span::new(source, 0, text.len());
    let decl = FirewalldDecl { span: Some(whole), ..FirewalldDecl::default() };
    let mut reader = Reader { decl, out: Declarations::default() };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        reader.line(source, start, line);
        start += line.len();
    }
    reader.out.value.insert(0, Declaration::Firewalld(reader.decl));
    reader.out
}

struct Reader {
    decl: FirewalldDecl,
    out: Declarations,
}

impl Reader {
    fn line(&mut self, source: SourceId, start: usize, line: &str) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            return;
        }
        let spanned = |part: &'_ str, offset: usize| {
            let lead = part.len() - part.trim_start().len();
            let at = start + offset + lead;
            Span::new(source, at, at + part.trim().len())
        };
        let Some((key, value)) = line.split_once('=') else {
            let error = bad(
                spanned(line, 0),
                text!("`{trimmed}` is not `Key=value`", "`{trimmed}`: `Key=value` 형식이 아닙니다"),
                text!("firewalld leaves it out", "firewalld가 무시함"),
            );
            self.out.diagnostics.push(*error);
            return;
        };
        let value_span = spanned(value, key.len() + 1);
        self.setting(Spanned::new(key.trim(), spanned(key, 0)), Spanned::new(value.trim(), value_span));
    }

    fn setting(&mut self, key: Spanned<&str>, value: Spanned<&str>) {
        match key.value {
            "DefaultZone" => self.decl.default_zone = Some(value.map(str::to_owned)),
            "FirewallBackend" => match value.value {
                "nftables" => self.decl.backend = Some(Spanned::new(RuleBackend::Nftables, value.span)),
                "iptables" => self.decl.backend = Some(Spanned::new(RuleBackend::Iptables, value.span)),
                _ => self.refused(value, text!("nftables or iptables", "nftables나 iptables")),
            },
            "StrictForwardPorts" => self.decl.strict_forward_ports = self.boolean(value),
            "CleanupOnExit" => self.decl.cleanup_on_exit = self.boolean(value),
            "FlushAllOnReload" => self.decl.flush_all_on_reload = self.boolean(value),
            name if HARMLESS.contains(&name) => {}
            _ => self.unknown(key),
        }
    }

    fn boolean(&mut self, value: Spanned<&str>) -> Option<Spanned<bool>> {
        let read = match value.value.to_lowercase().as_str() {
            "yes" | "true" => true,
            "no" | "false" => false,
            _ => {
                self.refused(value, text!("yes or no", "yes나 no"));
                return None;
            }
        };
        Some(Spanned::new(read, value.span))
    }

    fn refused(&mut self, value: Spanned<&str>, expected: Text) {
        let message = text!(
            "`{value}` is not a value of this setting",
            "`{value}`: 이 설정에 쓸 수 있는 값이 아닙니다",
            value = value.value
        );
        self.out.diagnostics.push(*bad(value.span, message, expected));
    }

    fn unknown(&mut self, key: Spanned<&str>) {
        let known = HARMLESS.into_iter().chain(MODELED);
        let diagnostic = Diagnostic::new(
            Code::UnknownKey,
            text!("unknown setting `{key}`", "`{key}`: 알 수 없는 설정입니다", key = &key.value),
        )
        .label(key.span, text!("ignored", "무시함"));
        self.out.diagnostics.push(match did_you_mean(key.value, known) {
            Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
            None => diagnostic,
        });
    }
}
