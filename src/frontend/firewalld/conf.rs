//! `firewalld.conf`: lines `Key=value`.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::lab::declaration::{Declarations, FirewalldDecl};
use crate::lab::{Declaration, RuleBackend};
use crate::source::{SourceId, Span, Spanned};

use super::value::bad;

/// Keys that change no packet, or only while rules are being loaded.
const HARMLESS: [&str; 10] = [
    "MinimalMark",
    "CleanupModulesOnExit",
    "Lockdown",
    "IndividualCalls",
    "LogDenied",
    "AutomaticHelpers",
    "ReloadPolicy",
    "NftablesCounters",
    "NftablesTableOwner",
    "StrictForwardPorts",
];

/// Keys that change packets and have no model, with the values that stand for the default.
const DEFAULTS: [(&str, &[&str]); 6] = [
    ("CleanupOnExit", &["yes", "true"]),
    ("IPv6_rpfilter", &["yes", "true", "strict"]),
    ("FlushAllOnReload", &["yes", "true"]),
    ("RFC3964_IPv4", &["yes", "true"]),
    ("AllowZoneDrifting", &["no", "false"]),
    ("NftablesFlowtable", &["off"]),
];

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
            let error = bad(spanned(line, 0), format!("`{trimmed}` is not `Key=value`"), "firewalld leaves it out");
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
                _ => self.refused(value, "nftables or iptables"),
            },
            "StrictForwardPorts" => match value.value.to_lowercase().as_str() {
                "yes" | "true" => self.decl.strict_forward_ports = Some(Spanned::new(true, value.span)),
                "no" | "false" => self.decl.strict_forward_ports = Some(Spanned::new(false, value.span)),
                _ => self.refused(value, "yes or no"),
            },
            name => match DEFAULTS.iter().find(|(known, _)| *known == name) {
                Some((_, defaults)) if defaults.contains(&value.value.to_lowercase().as_str()) => {}
                Some(_) => self.unmodeled(key, value),
                None if HARMLESS.contains(&name) => {}
                None => self.unknown(key),
            },
        }
    }

    fn refused(&mut self, value: Spanned<&str>, expected: &str) {
        let message = format!("`{}` is not a value of this setting", value.value);
        self.out.diagnostics.push(*bad(value.span, message, expected));
    }

    fn unmodeled(&mut self, key: Spanned<&str>, value: Spanned<&str>) {
        let what = format!("`{}={}`", key.value, value.value);
        let span = key.span.to(value.span);
        self.out.diagnostics.push(
            Diagnostic::new(Code::Unmodeled, format!("not modelled: {what}")).label(span, "could change packets"),
        );
        self.out.value.push(Declaration::Unmodeled(Spanned::new(what, span)));
    }

    fn unknown(&mut self, key: Spanned<&str>) {
        let known = HARMLESS.into_iter().chain(DEFAULTS.map(|(k, _)| k)).chain(["DefaultZone", "FirewallBackend"]);
        let diagnostic =
            Diagnostic::new(Code::UnknownKey, format!("unknown setting `{}`", key.value)).label(key.span, "ignored");
        self.out.diagnostics.push(match did_you_mean(key.value, known) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        });
    }
}
