//! `VBoxManage createvm|modifyvm|controlvm|unregistervm`.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::shell::word::Word;
use crate::frontend::virtualbox::text::numbered;
use crate::frontend::virtualbox::value::{self, Checked, bad};
use crate::lab::Declaration;
use crate::lab::machine::{AdapterChange, AdapterMode, MachineAction, MachineChange, ModeKind};
use crate::source::{Span, Spanned};

use super::options::{self, Given};
use super::{Read, missing, text};

const CREATE: &str = "name os-type register default groups uuid basefolder platform-architecture cipher password \
    password-id snapshot-folder template";

/// Modes as `--nic1` has them.
const MODES: [(&str, ModeKind); 11] = [
    ("null", ModeKind::Null),
    ("nat", ModeKind::Nat),
    ("bridged", ModeKind::Bridged),
    ("intnet", ModeKind::Internal),
    ("hostonly", ModeKind::HostOnly),
    ("hostonlynet", ModeKind::HostOnlyNetwork),
    ("generic", ModeKind::Generic),
    ("natnetwork", ModeKind::NatNetwork),
    ("natservice", ModeKind::NatNetwork),
    ("cloud", ModeKind::Cloud),
    ("cloudnetwork", ModeKind::Cloud),
];

pub(super) fn create(words: &[Word], whole: Span) -> Read {
    let (options, _) = options::scan("createvm", words, &[CREATE])?;
    let value = |name: &str| options.iter().find(|o| o.name == name).and_then(Given::value).map(Word::spanned);
    let machine = value("name").ok_or_else(|| missing("`--name`", whole))?;
    let action = MachineAction::Create { os_type: value("os-type") };
    Ok(vec![Declaration::MachineChange(MachineChange { machine, action, span: whole })])
}

pub(super) fn unregister(words: &[Word], whole: Span) -> Read {
    let machine = words.first().ok_or_else(|| missing(text!("a machine", "머신"), whole))?.spanned();
    Ok(vec![Declaration::MachineChange(MachineChange { machine, action: MachineAction::Remove, span: whole })])
}

/// VBoxManage reads its options one by one and has done the first when it refuses the second, but saves nothing then.
pub(super) fn modify(words: &[Word]) -> Read {
    let Some((machine, rest)) = words.split_first() else { return Ok(Vec::new()) };
    let (options, _) = options::scan("modifyvm", rest, &[options::NETWORK, options::OTHER])?;
    let mut changes = Vec::new();
    for option in options.iter().filter(|o| options::NETWORK.split_whitespace().any(|name| name == o.name)) {
        if let Some(action) = action(option)? {
            let (machine, span) = (machine.spanned(), option.span());
            changes.push(Declaration::MachineChange(MachineChange { machine, action, span }));
        }
    }
    Ok(changes)
}

fn action(option: &Given<'_>) -> Checked<Option<MachineAction>> {
    let value = option.value().ok_or_else(|| {
        missing(text!("a value for `{option}`", "`{option}`의 값", option = &option.word.text), option.span())
    })?;
    if option.name == "name" {
        return Ok(Some(MachineAction::Rename(value.spanned())));
    }
    if matches!(option.name, "os-type" | "nic-property") {
        return Ok(None);
    }
    let slot = slot(option.number, option.word)?;
    Ok(Some(MachineAction::Adapter(slot, Box::new(change(option, value)?))))
}

fn change(option: &Given<'_>, value: &Word) -> Checked<AdapterChange> {
    let target = |mode: fn(Spanned<String>) -> AdapterMode| AdapterChange::Target(mode(value.spanned()));
    Ok(match option.name {
        "nic" => attach(value)?,
        "cable-connected" => AdapterChange::Cable(value::on_off(text(value))?),
        "mac-address" => AdapterChange::Mac(value.spanned()),
        "bridge-adapter" => target(AdapterMode::Bridged),
        "host-only-adapter" => target(AdapterMode::HostOnly),
        "host-only-net" => target(AdapterMode::HostOnlyNetwork),
        "intnet" => target(AdapterMode::Internal),
        "nat-network" => target(AdapterMode::NatNetwork),
        "cloud-network" => target(AdapterMode::Cloud),
        "nic-generic-drv" => AdapterChange::Target(AdapterMode::Generic(value.spanned(), Vec::new())),
        "nat-net" if value.text == "default" => AdapterChange::NatNetwork(None),
        "nat-net" => AdapterChange::NatNetwork(Some(Spanned::new(value::network(text(value))?, value.span))),
        "nat-bind-ip" if value.text.is_empty() => AdapterChange::BindAddress(None),
        "nat-bind-ip" => AdapterChange::BindAddress(Some(Spanned::new(value::address(text(value))?, value.span))),
        "nat-localhostreachable" => AdapterChange::LocalhostReachable(value::on_off(text(value))?),
        _ => forwarding(&option.values, option.span())?,
    })
}

/// `web,tcp,,8080,,80`, or `delete web`.
fn forwarding(values: &[Word], span: Span) -> Checked<AdapterChange> {
    match values {
        [rule] => {
            let parts = rule.split(',');
            let parts: Vec<Spanned<&str>> = parts.iter().map(text).collect();
            Ok(AdapterChange::AddForward(value::forward(&parts, rule.span)?))
        }
        [verb, name] if verb.text == "delete" => Ok(AdapterChange::RemoveForward(name.spanned())),
        _ => Err(missing(
            text!(
                "a rule like `web,tcp,127.0.0.1,8080,,80`, or `delete` and its name,",
                "`web,tcp,127.0.0.1,8080,,80` 같은 규칙이나 `delete`와 규칙 이름"
            ),
            span,
        )),
    }
}

fn attach(value: &Word) -> Checked<AdapterChange> {
    if value.text == "none" {
        return Ok(AdapterChange::Disable);
    }
    match MODES.iter().find(|(word, _)| *word == value.text.to_lowercase()) {
        Some((_, kind)) => Ok(AdapterChange::Attach(*kind)),
        None => Err(no_mode(value)),
    }
}

/// Adapters are numbered from 1; ICH9 machines have 36.
fn slot(number: Option<u8>, word: &Word) -> Checked<u8> {
    let slot = number.and_then(|n| n.checked_sub(1)).filter(|slot| *slot < 36);
    slot.ok_or_else(|| {
        let message = text!("`{word}` names no adapter", "`{word}`: 어댑터 번호가 없습니다", word = &word.text);
        bad(
            Code::VboxBadValue,
            word.span,
            message,
            text!("adapters are numbered from 1, as in `--nic1`", "어댑터 번호는 `--nic1`처럼 1부터 쓰십시오"),
        )
    })
}

/// `controlvm NAME natpf1 RULE`, `setlinkstate1 off`, `nic1 bridged en0`; everything else changes no packet.
pub(super) fn control(words: &[Word]) -> Read {
    let [machine, verb, values @ ..] = words else { return Ok(Vec::new()) };
    let (name, is_deletion) = match verb.text.strip_suffix("delete") {
        Some(name) => (name, true),
        None => (verb.text.as_str(), false),
    };
    let Some((name, number)) = numbered(name) else { return Ok(Vec::new()) };
    let span = values.last().map_or(verb.span, |last| verb.span.to(last.span));
    let changes = match (name, values) {
        ("natpf", [rule]) if is_deletion => vec![AdapterChange::RemoveForward(rule.spanned())],
        ("natpf", _) => vec![forwarding(values, span)?],
        ("setlinkstate", [state]) => vec![AdapterChange::Cable(value::on_off(text(state))?)],
        ("nic", [mode, target @ ..]) => attach_running(mode, target.first())?,
        _ => return Ok(Vec::new()),
    };
    let slot = slot(Some(number), verb)?;
    let change = |change| {
        let action = MachineAction::Adapter(slot, Box::new(change));
        Declaration::MachineChange(MachineChange { machine: machine.spanned(), action, span })
    };
    Ok(changes.into_iter().map(change).collect())
}

fn attach_running(mode: &Word, target: Option<&Word>) -> Checked<Vec<AdapterChange>> {
    let attached = attach(mode)?;
    let target = match (&attached, target) {
        (AdapterChange::Attach(kind), Some(target)) => named(*kind, target.spanned()),
        _ => None,
    };
    Ok(target.map(AdapterChange::Target).into_iter().chain([attached]).collect())
}

fn named(kind: ModeKind, name: Spanned<String>) -> Option<AdapterMode> {
    match kind {
        ModeKind::Bridged => Some(AdapterMode::Bridged(name)),
        ModeKind::HostOnly => Some(AdapterMode::HostOnly(name)),
        ModeKind::HostOnlyNetwork => Some(AdapterMode::HostOnlyNetwork(name)),
        ModeKind::Internal => Some(AdapterMode::Internal(name)),
        ModeKind::NatNetwork => Some(AdapterMode::NatNetwork(name)),
        ModeKind::Generic => Some(AdapterMode::Generic(name, Vec::new())),
        ModeKind::Cloud => Some(AdapterMode::Cloud(name)),
        ModeKind::Nat | ModeKind::Null => None,
    }
}

fn no_mode(value: &Word) -> Box<Diagnostic> {
    let message = text!(
        "`{value}` is nothing that an adapter can be attached to",
        "`{value}`: 어댑터를 연결할 수 있는 것이 아닙니다",
        value = &value.text
    );
    let diagnostic = Diagnostic::new(Code::VboxBadValue, message)
        .label(value.span, text!("VBoxManage refuses the command", "VBoxManage가 명령을 거부함"));
    let known = || MODES.iter().map(|(word, _)| *word).chain(["none"]);
    Box::new(match did_you_mean(&value.text, known()) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic.help(text!(
            "one of {all}",
            "다음 가운데 하나로 쓰십시오: {all}",
            all = &known().collect::<Vec<_>>().join(", ")
        )),
    })
}
