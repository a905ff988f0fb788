//! `firewall-cmd` and `firewall-offline-cmd` lines (firewalld 1.3.3, firewall-cmd(1)).

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::shell::word::Word;
use crate::lab::declaration::{Declarations, FirewallChange, FirewallCmd};
use crate::lab::{Declaration, ForwardPort, HostEvent};
use crate::net::{PortRange, Protocol};
use crate::source::{Span, Spanned};

use super::rich_rule::{self, Outcome};
use super::value::{self, ForwardPart, Refused, bad};

/// Changes that take a value. `add-` or `remove-` stand in front.
const VALUED: [&str; 12] = [
    "port",
    "source-port",
    "service",
    "protocol",
    "source",
    "interface",
    "forward-port",
    "icmp-block",
    "rich-rule",
    "passthrough",
    "ingress-zone",
    "egress-zone",
];

/// Changes that are there or not.
const SWITCHES: [&str; 3] = ["masquerade", "forward", "icmp-block-inversion"];

/// Other options with a value.
const OTHER_VALUED: [&str; 11] = [
    "zone",
    "policy",
    "timeout",
    "set-target",
    "set-priority",
    "new-zone",
    "new-policy",
    "set-default-zone",
    "change-interface",
    "change-zone",
    "change-source",
];

/// Options that change no packet.
const HARMLESS: [&str; 13] = [
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
];

/// Reads one call; the first word is the program.
pub fn parse(words: &[Word]) -> Declarations {
    let mut call = Call::default();
    let (Some(program), Some(last)) = (words.first(), words.last()) else { return call.out };
    let whole = program.span.to(last.span);
    let is_offline = program.text.ends_with("firewall-offline-cmd");
    let options = options(words.get(1..).unwrap_or(&[]));
    if let Some(what) = why_not(&options, is_offline) {
        call.unmodeled(what, whole);
        return call.out;
    }
    call.offline = is_offline;
    call.permanent = is_offline || options.iter().any(|o| o.name == "permanent");
    call.zone = value_of(&options, "zone");
    call.policy = value_of(&options, "policy");
    for option in &options {
        if let Err(error) = call.option(option) {
            call.out.diagnostics.push(*error);
        }
    }
    call.out
}

/// `--name`, `--name=value` or `--name value`.
#[derive(Debug)]
struct Opt {
    name: String,
    value: Option<Word>,
    span: Span,
}

fn options(words: &[Word]) -> Vec<Opt> {
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
        || change.is_some_and(|c| VALUED.contains(&c))
        || name.starts_with("info-")
        || name.starts_with("path-")
        || matches!(name, "get-zone-of-interface" | "get-zone-of-source" | "set-log-denied")
}

fn value_of(options: &[Opt], name: &str) -> Option<Spanned<String>> {
    options.iter().find(|o| o.name == name)?.value.as_ref().map(Word::spanned)
}

/// Why the call as a whole has no model.
fn why_not(options: &[Opt], is_offline: bool) -> Option<String> {
    let is_unknown = |o: &&Opt| o.value.as_ref().is_some_and(|v| v.unknown().is_some()) || o.name.contains(['$', '`']);
    if let Some(option) = options.iter().find(is_unknown) {
        return Some(format!("`--{}` with a value that is not known", option.name));
    }
    let has_no_model = |o: &&Opt| match o.name.as_str() {
        "timeout" => o.value.as_ref().is_none_or(|v| v.text != "0"),
        "direct" | "panic-on" | "panic-off" | "icmptype" | "ipset" | "helper" => true,
        // In `firewall-offline-cmd`, `--service=ssh` and `--port` are changes in the notation of lokkit; in
        // `firewall-cmd --permanent --service=x --add-port=…` another service is changed.
        "service" | "port" | "enabled" | "disabled" | "addmodule" | "custom-rules" | "forward-port" => true,
        _ => false,
    };
    // What only asks has no effect, whatever it asks about.
    let asks = |o: &Opt| ["get-", "list-", "query-", "info-", "path-"].iter().any(|p| o.name.starts_with(p));
    if options.iter().any(asks) && !options.iter().any(|o| o.name.starts_with("add-") || o.name.starts_with("remove-"))
    {
        return None;
    }
    let option = options.iter().find(has_no_model)?;
    let program = if is_offline { "firewall-offline-cmd" } else { "firewall-cmd" };
    Some(format!("`{program} --{}`", option.name))
}

#[derive(Default)]
struct Call {
    permanent: bool,
    offline: bool,
    zone: Option<Spanned<String>>,
    policy: Option<Spanned<String>>,
    out: Declarations,
}

impl Call {
    fn option(&mut self, option: &Opt) -> Result<(), Refused> {
        let name = option.name.as_str();
        match name {
            "zone" | "policy" | "permanent" | "timeout" => return Ok(()),
            "reload" => return self.event(HostEvent::FirewalldReload, option.span),
            "complete-reload" => return self.event(HostEvent::FirewalldCompleteReload, option.span),
            "runtime-to-permanent" => return self.change(FirewallChange::RuntimeToPermanent, option.span),
            _ if HARMLESS.contains(&name) || matches!(name, "q" | "v" | "V" | "h") => return Ok(()),
            _ => {}
        }
        if ["get-", "list-", "query-", "info-", "path-"].iter().any(|p| name.starts_with(p)) {
            return Ok(());
        }
        if let Some(kind) = name.strip_prefix("add-") {
            return self.item(true, kind, option);
        }
        if let Some(kind) = name.strip_prefix("remove-") {
            return self.item(false, kind, option);
        }
        self.setting(option)
    }

    fn item(&mut self, is_added: bool, kind: &str, option: &Opt) -> Result<(), Refused> {
        let switch = match kind {
            "masquerade" => Some(FirewallChange::Masquerade(is_added)),
            "forward" => Some(FirewallChange::Forward(is_added)),
            "icmp-block-inversion" => Some(FirewallChange::IcmpBlockInversion(is_added)),
            _ => None,
        };
        if let Some(change) = switch {
            return self.change(change, option.span);
        }
        if !VALUED.contains(&kind) || kind == "passthrough" {
            return self.no_model_or_unknown(option);
        }
        let value = required(option)?;
        match value_change(is_added, kind, value)? {
            Some(change) => self.change(change, option.span),
            None => self.without_change(kind, value, option),
        }
    }

    /// Values that are fine but make no [`FirewallChange`].
    fn without_change(&mut self, kind: &str, value: &Word, option: &Opt) -> Result<(), Refused> {
        match kind {
            "source" => self.unmodeled(format!("the source `{}`", value.text), option.span),
            "rich-rule" => {
                if let Outcome::Unmodeled(what) = rich_rule::parse(value)? {
                    self.unmodeled(what, option.span);
                }
            }
            // DCCP.
            _ => {}
        }
        Ok(())
    }

    fn setting(&mut self, option: &Opt) -> Result<(), Refused> {
        let change = match option.name.as_str() {
            "set-target" => {
                let text = text(required(option)?);
                let target =
                    if self.policy.is_some() { value::policy_target(text)? } else { value::zone_target(text)? };
                FirewallChange::Target(target)
            }
            "set-priority" if self.policy.is_some() => FirewallChange::Priority(priority(required(option)?)?),
            "new-zone" => FirewallChange::NewZone(required(option)?.text.clone()),
            "new-policy" => FirewallChange::NewPolicy(required(option)?.text.clone()),
            "set-default-zone" => FirewallChange::DefaultZone(required(option)?.text.clone()),
            "change-interface" | "change-zone" => FirewallChange::MoveInterface(required(option)?.text.clone()),
            "change-source" => {
                let value = required(option)?;
                match value_change(true, "source", value)? {
                    Some(FirewallChange::Source(_, net)) => FirewallChange::MoveSource(net),
                    Some(change) => change,
                    None => return self.without_change("source", value, option),
                }
            }
            _ => return self.no_model_or_unknown(option),
        };
        let needs_permanent = matches!(option.name.as_str(), "set-target" | "set-priority" | "new-zone" | "new-policy");
        if needs_permanent && !self.permanent {
            let message = format!("`--{}` works with `--permanent` only", option.name);
            return Err(bad(option.span, message, "firewall-cmd refuses this"));
        }
        self.change(change, option.span)
    }

    fn no_model_or_unknown(&mut self, option: &Opt) -> Result<(), Refused> {
        const NO_MODEL: [&str; 15] = [
            "new-policy-from-file",
            "delete-policy",
            "load-policy-defaults",
            "new-zone-from-file",
            "delete-zone",
            "load-zone-defaults",
            "new-service",
            "new-service-from-file",
            "delete-service",
            "load-service-defaults",
            "new-ipset",
            "delete-ipset",
            "new-ipset-from-file",
            "set-priority",
            "reset-to-defaults",
        ];
        let name = option.name.as_str();
        if NO_MODEL.contains(&name) || name.starts_with("new-") || name.starts_with("delete-") {
            self.unmodeled(format!("`--{name}`"), option.span);
            return Ok(());
        }
        let adds = VALUED.iter().chain(&SWITCHES).flat_map(|k| [format!("add-{k}"), format!("remove-{k}")]);
        let known: Vec<String> = adds
            .chain(OTHER_VALUED.iter().chain(&NO_MODEL).map(|k| (*k).to_owned()))
            .chain(["permanent".to_owned(), "reload".to_owned()])
            .collect();
        let diagnostic = Diagnostic::new(Code::FirewalldBadRule, format!("firewall-cmd has no option `--{name}`"))
            .label(option.span, "not known");
        self.unmodeled(format!("`--{name}`"), option.span);
        Err(Box::new(match did_you_mean(name, known.iter().map(String::as_str)) {
            Some(near) => diagnostic.help(format!("did you mean `--{near}`?")),
            None => diagnostic,
        }))
    }

    fn change(&mut self, change: FirewallChange, span: Span) -> Result<(), Refused> {
        let (zone, policy) = (self.zone.clone(), self.policy.clone());
        let change = FirewallCmd { permanent: self.permanent, offline: self.offline, zone, policy, change, span };
        self.out.value.push(Declaration::FirewallCmd(change));
        Ok(())
    }

    fn event(&mut self, event: HostEvent, span: Span) -> Result<(), Refused> {
        self.out.value.push(Declaration::Event(Spanned::new(event, span)));
        Ok(())
    }

    /// Whoever reads the line adds the message.
    fn unmodeled(&mut self, what: String, span: Span) {
        self.out.value.push(Declaration::Unmodeled(Spanned::new(what, span)));
    }
}

/// firewalld.policy(5): priorities run from -32768 to 32767, and 0 is reserved.
fn priority(value: &Word) -> Result<i32, Refused> {
    let number = value.text.parse().ok().filter(|n: &i32| *n != 0 && i16::try_from(*n).is_ok());
    number.ok_or_else(|| {
        bad(value.span, format!("`{}` is not a priority", value.text), "a number from -32768 to 32767, but not 0")
    })
}

fn required(option: &Opt) -> Result<&Word, Refused> {
    option
        .value
        .as_ref()
        .filter(|v| !v.text.is_empty())
        .ok_or_else(|| bad(option.span, format!("`--{}` needs a value", option.name), "nothing follows"))
}

fn text(word: &Word) -> Spanned<&str> {
    Spanned::new(word.text.as_str(), word.place(0..word.text.len()))
}

/// The change that an item makes; nothing if it has no model or concerns no packet of ours.
fn value_change(is_added: bool, kind: &str, value: &Word) -> Result<Option<FirewallChange>, Refused> {
    Ok(match kind {
        "port" => port(value)?.map(|p| FirewallChange::Port(is_added, p)),
        "source-port" => port(value)?.map(|p| FirewallChange::SourcePort(is_added, p)),
        "service" => Some(FirewallChange::Service(is_added, value.text.clone())),
        "protocol" => Some(FirewallChange::Protocol(is_added, value::protocol(text(value))?)),
        "source" if value::is_mac_or_ipset(&value.text) => None,
        "source" => Some(FirewallChange::Source(is_added, value::network(text(value))?)),
        "interface" => Some(FirewallChange::Interface(is_added, value.text.clone())),
        "ingress-zone" => Some(FirewallChange::IngressZone(is_added, value.text.clone())),
        "egress-zone" => Some(FirewallChange::EgressZone(is_added, value.text.clone())),
        "icmp-block" => Some(FirewallChange::IcmpBlock(is_added, value.text.clone())),
        "forward-port" => forward_port(value)?.map(|f| FirewallChange::ForwardPort(is_added, f)),
        "rich-rule" => match rich_rule::parse(value)? {
            Outcome::Rule(rule) => Some(FirewallChange::RichRule(is_added, rule)),
            Outcome::Nothing | Outcome::Unmodeled(_) => None,
        },
        _ => None,
    })
}

/// `3000/tcp`.
fn port(value: &Word) -> Result<Option<(Protocol, PortRange)>, Refused> {
    let Some((ports, protocol)) = value.split_once('/') else {
        return Err(bad(text(value).span, format!("`{}` has no protocol", value.text), "like `3000/tcp`"));
    };
    let ports = value::ports(text(&ports))?;
    Ok(value::transport(text(&protocol))?.map(|protocol| (protocol, ports)))
}

/// `port=80:proto=tcp:toport=8080:toaddr=10.0.0.5`; an IPv6 address holds colons itself.
fn forward_port(value: &Word) -> Result<Option<ForwardPort>, Refused> {
    const ADDRESS: &str = "toaddr=";
    let address = value.text.find(ADDRESS).map(|at| {
        let start = at + ADDRESS.len();
        let rest = value.text.get(start..).unwrap_or("");
        let end = [":port=", ":proto=", ":toport="].iter().filter_map(|next| rest.find(next)).min();
        value.slice(start..end.map_or(value.text.len(), |end| start + end))
    });
    let parts = value.split(':');
    value::forward_port(text(value).span, |wanted| {
        let name = match wanted {
            ForwardPart::Port => "port",
            ForwardPart::Protocol => "proto",
            ForwardPart::ToPort => "toport",
            ForwardPart::ToAddress => return address.as_ref().map(Word::spanned),
        };
        let part = parts.iter().filter_map(|p| p.split_once('=')).find(|(n, _)| n.text == name);
        part.map(|(_, value)| value.spanned())
    })
}
