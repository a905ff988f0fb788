//! `firewall-cmd` and `firewall-offline-cmd` lines (firewalld 2.5.2, firewall-cmd(1)).

mod options;
pub(super) mod value;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::shell::word::Word;
use crate::lab::declaration::{Declarations, FirewallChange, FirewallCmd, ServiceChange};
use crate::lab::{Declaration, HostEvent};
use crate::language::{Text, text};
use crate::net::Family;
use crate::source::{Span, Spanned};

use self::options::{
    HARMLESS, NO_MODEL, OTHER_VALUED, Opt, SWITCHES, VALUED, asks, misplaced, options, value_of, why_not,
};
use super::direct;
use super::ipset;
use super::rich_rule::{self, Outcome};
use super::value::{self as values, Refused, bad};

/// Reads one call; the first word is the program.
pub fn parse(words: &[Word]) -> Declarations {
    let mut call = Call::default();
    let (Some(program), Some(last)) = (words.first(), words.last()) else { return call.out };
    let whole = program.span.to(last.span);
    call.offline = program.text.ends_with("firewall-offline-cmd");
    call.permanent = call.offline || words.iter().any(|w| w.text == "--permanent");
    if let Some(at) = words.iter().position(|w| w.text == "--direct") {
        call.direct(words.get(at + 1..).unwrap_or(&[]), whole);
        return call.out;
    }
    let options = options(words.get(1..).unwrap_or(&[]));
    if let Some(what) = why_not(&options, call.offline) {
        call.unmodeled(what, whole);
        return call.out;
    }
    if let Some((span, why)) = misplaced(&options) {
        call.out.diagnostics.push(*bad(
            span,
            why,
            text!("firewall-cmd refuses the whole command", "firewall-cmd가 명령 전체를 거부함"),
        ));
        return call.out;
    }
    call.is_helper = options.iter().any(|o| o.name == "helper");
    call.zone = value_of(&options, "zone");
    call.policy = value_of(&options, "policy");
    call.service = value_of(&options, "service");
    call.ipset = value_of(&options, "ipset");
    call.kind = value_of(&options, "type");
    call.timeout = value_of(&options, "timeout").filter(|t| t.value != "0");
    // Without anything to change in it, a service is opened (firewall-offline-cmd(1), "Lokkit Compatibility Options").
    call.is_lokkit = call.offline && !options.iter().any(Opt::is_change);
    for option in &options {
        if let Err(error) = call.option(option) {
            call.out.diagnostics.push(*error);
        }
    }
    call.out
}

#[derive(Default)]
struct Call {
    permanent: bool,
    offline: bool,
    is_lokkit: bool,
    /// `--helper=NAME`: the definition of a helper changes, which looks into connections that are open already.
    is_helper: bool,
    zone: Option<Spanned<String>>,
    policy: Option<Spanned<String>>,
    service: Option<Spanned<String>>,
    ipset: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    timeout: Option<Spanned<String>>,
    out: Declarations,
}

impl Call {
    fn option(&mut self, option: &Opt) -> Result<(), Refused> {
        let name = option.name.as_str();
        match name {
            "service" if self.is_lokkit => return self.item(true, "service", option),
            "port" if self.is_lokkit => return self.lokkit_port(option),
            "zone" | "policy" | "permanent" | "timeout" | "service" | "ipset" | "type" | "option" => return Ok(()),
            // Helpers look into connections that are open already.
            "helper" | "module" | "family" => return Ok(()),
            "reload" => return self.event(HostEvent::FirewalldReload, option.span),
            "complete-reload" => return self.event(HostEvent::FirewalldCompleteReload, option.span),
            "runtime-to-permanent" => return self.change(FirewallChange::RuntimeToPermanent, option.span),
            _ if HARMLESS.contains(&name) || matches!(name, "q" | "v" | "V" | "h") => return Ok(()),
            _ if asks(name) => return Ok(()),
            _ => {}
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
        if self.is_helper {
            return Ok(());
        }
        if self.service.is_some() && !self.is_lokkit {
            return self.item_of_service(is_added, kind, option);
        }
        if kind == "entry" {
            return self.entry(is_added, option);
        }
        let switch = match kind {
            "masquerade" => Some(FirewallChange::Masquerade(is_added)),
            "forward" => Some(FirewallChange::Forward(is_added)),
            "icmp-block-inversion" => Some(FirewallChange::IcmpBlockInversion(is_added)),
            "disable" if self.policy.is_some() => Some(FirewallChange::Disable(is_added)),
            _ => None,
        };
        if let Some(change) = switch {
            return self.change(change, option.span);
        }
        if !VALUED.contains(&kind) {
            return self.no_model_or_unknown(option);
        }
        let value = required(option)?;
        match value::change(is_added, kind, value)? {
            Some(change) => self.change(change, option.span),
            None => self.without_change(kind, value, option),
        }
    }

    /// Values that are fine but make no [`FirewallChange`].
    fn without_change(&mut self, kind: &str, value: &Word, option: &Opt) -> Result<(), Refused> {
        if kind == "rich-rule"
            && let Outcome::Unmodeled(what) = rich_rule::parse(value)?
        {
            self.unmodeled(what, option.span);
        }
        // Otherwise it was about DCCP.
        Ok(())
    }

    /// `--service=NAME --add-port=…`: the definition of a service changes.
    fn item_of_service(&mut self, is_added: bool, kind: &str, option: &Opt) -> Result<(), Refused> {
        let Some(service) = self.service.clone() else { return Ok(()) };
        let change = match kind {
            "port" => value::port(required(option)?)?.map(|port| ServiceChange::Port(is_added, port)),
            "source-port" => value::port(required(option)?)?.map(|port| ServiceChange::SourcePort(is_added, port)),
            "protocol" => {
                let number = values::protocol(value::text(required(option)?))?;
                Some(ServiceChange::Protocol(is_added, number))
            }
            "include" => Some(ServiceChange::Include(is_added, required(option)?.spanned())),
            "destination" => Some(ServiceChange::Destination(family(required(option)?)?, None)),
            // They look into connections that are open already.
            "helper" | "module" => None,
            _ => return self.no_model_or_unknown(option),
        };
        match change {
            Some(change) => self.stored(FirewallChange::InService(service.value, change), option),
            None => Ok(()),
        }
    }

    fn entry(&mut self, is_added: bool, option: &Opt) -> Result<(), Refused> {
        let Some(set) = self.ipset.clone() else {
            return Err(bad(
                option.span,
                text!("`--{option}` without `--ipset`", "`--{option}`에 `--ipset`이 없습니다", option = &option.name),
                text!("firewall-cmd refuses this", "firewall-cmd가 거부함"),
            ));
        };
        let word = required(option)?;
        match ipset::entry(&word.text) {
            Some(nets) => self.change(FirewallChange::Entry(is_added, set.value, nets), option.span),
            None => {
                self.unmodeled(
                    text!(
                        "the entry `{entry}` of the ipset `{set}`",
                        "ipset `{set}`의 항목 `{entry}`",
                        entry = &word.text,
                        set = &set.value
                    ),
                    option.span,
                );
                Ok(())
            }
        }
    }

    fn lokkit_port(&mut self, option: &Opt) -> Result<(), Refused> {
        let word = required(option)?;
        let Some((ports, protocol)) = word.split_once(':') else {
            return Err(bad(
                option.span,
                text!("`{value}` has no protocol", "`{value}`에 프로토콜이 없습니다", value = &word.text),
                text!("like `3000:tcp`", "예: `3000:tcp`"),
            ));
        };
        let ports = values::ports(value::text(&ports))?;
        match values::transport(value::text(&protocol))? {
            Some(protocol) => self.change(FirewallChange::Port(true, (protocol, ports)), option.span),
            None => Ok(()),
        }
    }

    fn setting(&mut self, option: &Opt) -> Result<(), Refused> {
        let name = |option: &Opt| required(option).map(|word| word.text.clone());
        let change = match option.name.as_str() {
            "set-target" => {
                let text = value::text(required(option)?);
                let target =
                    if self.policy.is_some() { values::policy_target(text)? } else { values::zone_target(text)? };
                return self.stored(FirewallChange::Target(target), option);
            }
            "set-priority" if self.policy.is_some() => {
                return self.stored(FirewallChange::Priority(value::priority(required(option)?)?), option);
            }
            // Of a zone it is both.
            "set-priority" => {
                let priority = value::any_priority(required(option)?)?;
                self.stored(FirewallChange::IngressPriority(priority), option)?;
                FirewallChange::EgressPriority(priority)
            }
            "set-ingress-priority" => FirewallChange::IngressPriority(value::any_priority(required(option)?)?),
            "set-egress-priority" => FirewallChange::EgressPriority(value::any_priority(required(option)?)?),
            "set-destination" => return self.destination(option),
            "new-zone" => FirewallChange::NewZone(name(option)?),
            "delete-zone" => FirewallChange::DeleteZone(name(option)?),
            "new-policy" => FirewallChange::NewPolicy(name(option)?),
            "delete-policy" => FirewallChange::DeletePolicy(name(option)?),
            "new-service" => FirewallChange::NewService(name(option)?),
            "delete-service" => FirewallChange::DeleteService(name(option)?),
            "new-ipset" => self.new_ipset(option)?,
            "delete-ipset" => FirewallChange::DeleteIpSet(name(option)?),
            "set-default-zone" => return self.change(FirewallChange::DefaultZone(name(option)?), option.span),
            "change-interface" | "change-zone" => {
                return self.change(FirewallChange::MoveInterface(name(option)?), option.span);
            }
            "change-source" => {
                let peers = values::peers(value::text(required(option)?))?;
                return self.change(FirewallChange::MoveSource(peers), option.span);
            }
            _ => return self.no_model_or_unknown(option),
        };
        self.stored(change, option)
    }

    fn new_ipset(&mut self, option: &Opt) -> Result<FirewallChange, Refused> {
        let name = required(option)?.text.clone();
        let Some(kind) = &self.kind else {
            return Err(bad(
                option.span,
                text!("`--new-ipset` without `--type`", "`--new-ipset`에 `--type`이 없습니다"),
                text!("firewall-cmd refuses this", "firewall-cmd가 거부함"),
            ));
        };
        let set = ipset::empty(name, kind.as_ref().map(String::as_str), option.span)?;
        Ok(FirewallChange::NewIpSet(Box::new(set)))
    }

    /// `--service=NAME --set-destination=ipv4:10.0.0.0/8`
    fn destination(&mut self, option: &Opt) -> Result<(), Refused> {
        let (Some(service), Some((kind, net))) = (self.service.clone(), required(option)?.split_once(':')) else {
            return Err(bad(
                option.span,
                text!("a destination without service or family", "서비스나 주소 체계가 없는 목적지입니다"),
                text!("like `ipv4:10.0.0.0/8`", "예: `ipv4:10.0.0.0/8`"),
            ));
        };
        let change = ServiceChange::Destination(family(&kind)?, Some(values::network(value::text(&net))?));
        self.stored(FirewallChange::InService(service.value, change), option)
    }

    /// A change that there is of the permanent configuration only.
    fn stored(&mut self, change: FirewallChange, option: &Opt) -> Result<(), Refused> {
        if !self.permanent {
            let message = text!(
                "`--{option}` works with `--permanent` only",
                "`--{option}`은 `--permanent`와 함께만 쓸 수 있습니다",
                option = &option.name
            );
            return Err(bad(option.span, message, text!("firewall-cmd refuses this", "firewall-cmd가 거부함")));
        }
        self.change(change, option.span)
    }

    fn direct(&mut self, words: &[Word], whole: Span) {
        match direct::command(words, self.permanent, whole) {
            Ok(Some((is_added, rule))) => {
                let change = FirewallChange::Direct(is_added, Box::new(rule));
                self.push(change, whole);
            }
            Ok(None) => {}
            Err(direct::Stop::Bad(error)) => self.out.diagnostics.push(*error),
            Err(direct::Stop::Unmodeled(what)) => self.unmodeled(what, whole),
        }
    }

    fn no_model_or_unknown(&mut self, option: &Opt) -> Result<(), Refused> {
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
        let diagnostic = Diagnostic::new(
            Code::FirewalldBadRule,
            text!("firewall-cmd has no option `--{name}`", "firewall-cmd에 `--{name}` 옵션은 없습니다"),
        )
        .label(option.span, text!("not known", "알 수 없음"));
        self.unmodeled(format!("`--{name}`"), option.span);
        Err(Box::new(match did_you_mean(name, known.iter().map(String::as_str)) {
            Some(near) => diagnostic.help(text!("did you mean `--{near}`?", "혹시 `--{near}`?")),
            None => diagnostic,
        }))
    }

    fn change(&mut self, change: FirewallChange, span: Span) -> Result<(), Refused> {
        self.push(change, span);
        Ok(())
    }

    fn push(&mut self, change: FirewallChange, span: Span) {
        let change = FirewallCmd {
            permanent: self.permanent,
            offline: self.offline,
            zone: self.zone.clone(),
            policy: self.policy.clone(),
            timeout: self.timeout.clone(),
            change,
            span,
        };
        self.out.value.push(Declaration::FirewallCmd(change));
    }

    fn event(&mut self, event: HostEvent, span: Span) -> Result<(), Refused> {
        self.out.value.push(Declaration::Event(Spanned::new(event, span)));
        Ok(())
    }

    /// Whoever reads the line adds the message.
    fn unmodeled(&mut self, what: impl Into<Text>, span: Span) {
        self.out.value.push(Declaration::Unmodeled(Spanned::new(what.into(), span)));
    }
}

fn family(word: &Word) -> Result<Family, Refused> {
    match word.text.as_str() {
        "ipv4" => Ok(Family::V4),
        "ipv6" => Ok(Family::V6),
        other => Err(bad(
            word.span,
            text!("`{other}` is not a family", "`{other}`: 주소 체계가 아닙니다"),
            text!("ipv4 or ipv6", "ipv4나 ipv6"),
        )),
    }
}

fn required(option: &Opt) -> Result<&Word, Refused> {
    option.value.as_ref().filter(|v| !v.text.is_empty()).ok_or_else(|| {
        bad(
            option.span,
            text!("`--{option}` needs a value", "`--{option}`에 값이 필요합니다", option = &option.name),
            text!("nothing follows", "뒤에 아무것도 없음"),
        )
    })
}
