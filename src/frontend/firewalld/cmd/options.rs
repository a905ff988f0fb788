//! The options of `firewall-cmd` and `firewall-offline-cmd`, and which of them take a value.

use crate::frontend::shell::word::Word;
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

/// Changes that take a value. `add-` or `remove-` stand in front.
pub(super) const VALUED: [&str; 11] = [
    "port",
    "source-port",
    "service",
    "protocol",
    "source",
    "interface",
    "forward-port",
    "icmp-block",
    "rich-rule",
    "ingress-zone",
    "egress-zone",
];

/// Changes inside a service or an ipset. `add-` or `remove-` stand in front.
const VALUED_INSIDE: [&str; 6] = ["include", "destination", "helper", "module", "entry", "entries-from-file"];

/// Changes that are there or not.
pub(super) const SWITCHES: [&str; 4] = ["masquerade", "forward", "icmp-block-inversion", "disable"];

/// Other options with a value.
pub(super) const OTHER_VALUED: [&str; 35] = [
    "name",
    "new-helper",
    "delete-helper",
    "new-icmptype",
    "delete-icmptype",
    "policy-set",
    "zone",
    "policy",
    "service",
    "ipset",
    "icmptype",
    "helper",
    "type",
    "option",
    "module",
    "family",
    "timeout",
    "set-target",
    "set-priority",
    "set-ingress-priority",
    "set-egress-priority",
    "set-destination",
    "new-zone",
    "delete-zone",
    "new-policy",
    "delete-policy",
    "new-service",
    "delete-service",
    "new-ipset",
    "delete-ipset",
    "set-default-zone",
    "change-interface",
    "change-zone",
    "change-source",
    "set-log-denied",
];

/// Options that change no packet.
pub(super) const HARMLESS: [&str; 17] = [
    "name",
    // Helpers look into connections that are open already.
    "new-helper",
    "delete-helper",
    "quiet",
    "verbose",
    "version",
    "help",
    "state",
    "check-config",
    "lockdown-on",
    "lockdown-off",
    "set-log-denied",
    "set-short",
    "set-description",
    "get-default-zone",
    "default-config",
    "system-config",
];

/// Options that change packets and have no model.
pub(super) const NO_MODEL: [&str; 11] = [
    "new-policy-from-file",
    "load-policy-defaults",
    "new-zone-from-file",
    "load-zone-defaults",
    "new-service-from-file",
    "load-service-defaults",
    "new-ipset-from-file",
    "load-ipset-defaults",
    "add-entries-from-file",
    "remove-entries-from-file",
    "reset-to-defaults",
];

/// `--name`, `--name=value` or `--name value`.
#[derive(Debug)]
pub(super) struct Opt {
    pub(super) name: String,
    pub(super) value: Option<Word>,
    pub(super) span: Span,
}

impl Opt {
    /// Whether it adds, removes or sets something.
    pub(super) fn is_change(&self) -> bool {
        ["add-", "remove-", "set-"].iter().any(|verb| self.name.starts_with(verb))
    }
}

pub(super) fn options(words: &[Word]) -> Vec<Opt> {
    let mut options = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) if word.text.starts_with("--") => (name.text, Some(value)),
            _ => (word.text.clone(), None),
        };
        let name = name.trim_start_matches('-').to_owned();
        let value = attached.or_else(|| takes_value(&name).then(|| rest.next().cloned()).flatten());
        let span = value.as_ref().map_or(word.span, |v| word.span.to(v.span));
        options.push(Opt { name, value, span });
    }
    options
}

fn takes_value(name: &str) -> bool {
    let change = ["add-", "remove-", "query-"].iter().find_map(|verb| name.strip_prefix(verb));
    OTHER_VALUED.contains(&name)
        || change.is_some_and(|c| VALUED.contains(&c) || VALUED_INSIDE.contains(&c))
        || name.starts_with("info-")
        || name.starts_with("path-")
        || name.ends_with("-from-file")
        || matches!(name, "get-zone-of-interface" | "get-zone-of-source" | "set-short" | "set-description")
}

pub(super) fn value_of(options: &[Opt], name: &str) -> Option<Spanned<String>> {
    options.iter().find(|o| o.name == name)?.value.as_ref().map(Word::spanned)
}

/// Options that are about a zone only.
const OF_ZONES: [&str; 7] = [
    "interface",
    "source",
    "forward",
    "icmp-block-inversion",
    "change-interface",
    "change-source",
    "set-ingress-priority",
];

/// Options that are about a policy only.
const OF_POLICIES: [&str; 3] = ["ingress-zone", "egress-zone", "disable"];

/// The option because of which firewall-cmd does nothing at all, with what it says (firewall-cmd of 1.3.3 and 2.5.0,
/// `options_zone_unique`, `options_policy_unique`).
pub(super) fn misplaced(options: &[Opt]) -> Option<(Span, Text)> {
    let has = |name: &str| options.iter().find(|o| o.name == name);
    let is_one_of = |option: &&Opt, names: &[&str]| {
        let name = option.name.as_str();
        let kind = ["add-", "remove-"].iter().find_map(|verb| name.strip_prefix(verb)).unwrap_or(name);
        names.contains(&kind) || name == "set-egress-priority" && names.contains(&"set-ingress-priority")
    };
    let of_zone = options.iter().find(|o| is_one_of(o, &OF_ZONES));
    let of_policy = options.iter().find(|o| is_one_of(o, &OF_POLICIES));
    match (has("policy").or_else(|| has("policy-set")), has("zone"), of_zone, of_policy) {
        (Some(_), Some(zone), _, _) => Some((
            zone.span,
            text!("`--zone` and `--policy` do not go together", "`--zone`과 `--policy`는 함께 쓸 수 없습니다"),
        )),
        (Some(_), None, Some(option), _) => Some((
            option.span,
            text!("this option is about zones, not about policies", "정책이 아니라 존에 쓰는 옵션입니다"),
        )),
        (None, _, _, Some(option)) => {
            Some((option.span, text!("this option needs `--policy`", "이 옵션에는 `--policy`가 필요합니다")))
        }
        _ => None,
    }
}

/// Whether an option only asks.
pub(super) fn asks(name: &str) -> bool {
    ["get-", "list-", "query-", "info-", "path-"].iter().any(|p| name.starts_with(p))
}

/// Why the call as a whole has no model.
pub(super) fn why_not(options: &[Opt], is_offline: bool) -> Option<String> {
    let is_unknown = |o: &&Opt| o.value.as_ref().is_some_and(|v| v.unknown().is_some()) || o.name.contains(['$', '`']);
    if let Some(option) = options.iter().find(is_unknown) {
        return Some(format!("`--{}` with a value that is not known", option.name));
    }
    let has_no_model = |o: &&Opt| match o.name.as_str() {
        "panic-on" | "panic-off" | "icmptype" | "policy-set" => true,
        // In `firewall-offline-cmd`, these are changes in the notation of lokkit.
        "enabled" | "disabled" | "addmodule" | "custom-rules" | "forward-port" | "masq" | "block-icmp" => true,
        "trust" | "interface" => is_offline,
        _ => false,
    };
    // What only asks has no effect, whatever it asks about.
    if options.iter().any(|o| asks(&o.name)) && !options.iter().any(Opt::is_change) {
        return None;
    }
    let option = options.iter().find(has_no_model)?;
    let program = if is_offline { "firewall-offline-cmd" } else { "firewall-cmd" };
    Some(format!("`{program} --{}`", option.name))
}
