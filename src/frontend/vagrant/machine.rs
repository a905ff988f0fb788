//! What is said about one machine -> the machine as Vagrant's VirtualBox provider makes it, and what is run inside it.

use std::ops::RangeInclusive;

use crate::diagnostic::{Code, Diagnosed, Diagnostic, Severity};
use crate::frontend::placed::{Nature, PlacedText};
use crate::frontend::shell::{self, Variables};
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, Insertion};
use crate::lab::machine::{AdapterDecl, AdapterMode, ForwardNotation, MachineDecl};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

use super::adapter::{self, HostOnly};
use super::builtin::to_text;
use super::eval::not_followed;
use super::forward::{self, Taken};
use super::network::{Bad, Network, networks};
use super::provision::{Find, provision, unmodeled};
use super::record::Call;
use super::value::Value;

/// What all machines of a file share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) host_only: HostOnly,
    pub(super) taken: Taken,
    /// What providers are told with `customize`.
    pub(super) customized: Vec<Declaration>,
}

/// Parts of the configuration that decide nothing about the network, beside those of Vagrant itself.
const HARMLESS: [&str; 12] = [
    "vbguest",
    "cache",
    "hostmanager",
    "hostsupdater",
    "disksize",
    "env",
    "timezone",
    "librarian_chef",
    "berkshelf",
    "omnibus",
    "vagrant",
    "nfs",
];

/// Makes one machine, another forward of which would be written at a place.
pub(super) fn machine(
    (name, forward_at): (&Spanned<String>, Option<Insertion>),
    calls: &[Call],
    shared: &mut Shared,
    find: Find<'_>,
) -> Diagnosed<Vec<Declaration>> {
    let mut maker = Maker { name, calls, out: Declarations::default() };
    let mut adapters = maker.adapters(shared);
    if let Some(AdapterMode::Nat(nat)) = adapters.iter_mut().find(|a| a.slot == 0).map(|a| &mut a.mode) {
        nat.forward_at = forward_at.map(|place| (place, ForwardNotation::Vagrantfile));
    }
    let machine = MachineDecl {
        name: name.clone(),
        settings: None,
        runs_on: None,
        written_by: None,
        os_type: maker.is_windows().map(|span| Spanned::new("Windows".to_owned(), span)),
        adapters,
        span: name.span,
    };
    maker.out.value.insert(0, Declaration::Machine(machine));
    for call in calls.iter().filter(|call| call.method == "vm.provision") {
        maker.take(provision(call, find));
    }
    maker.providers(shared);
    maker.others();
    maker.out
}

struct Maker<'a> {
    name: &'a Spanned<String>,
    calls: &'a [Call],
    out: Declarations,
}

impl Maker<'_> {
    fn take(&mut self, read: Declarations) {
        self.out.value.extend(read.value);
        self.out.diagnostics.extend(read.diagnostics);
    }

    /// The last value of a setting.
    fn setting(&self, name: &str) -> Option<&Call> {
        self.calls.iter().rev().find(|call| call.method == name && call.doubt.is_none())
    }

    fn names(&self, setting: &str, wanted: &[&str]) -> Option<Span> {
        let call = self.setting(setting)?;
        call.first_name().filter(|name| wanted.contains(name)).map(|_| call.span)
    }

    fn is_windows(&self) -> Option<Span> {
        self.names("vm.guest=", &["windows"]).or_else(|| self.names("vm.communicator=", &["winrm", "winssh"]))
    }

    fn adapters(&mut self, shared: &mut Shared) -> Vec<AdapterDecl> {
        let (mut networks, unknown) = networks(self.calls);
        for span in unknown {
            self.take(not_known(span, text!("a network whose kind is not known", "종류를 알 수 없는 네트워크")));
        }
        let has = |networks: &[Network], id| networks.iter().any(|n| n.kind == "forwarded_port" && n.has_id(id));
        if self.names("vm.communicator=", &["winrm"]).is_some() && !has(&networks, "winrm") {
            networks.extend(Network::winrm(self.name.span));
        }
        if !has(&networks, "ssh") {
            networks.push(Network::ssh(self.name.span));
        }
        let mut adapters = vec![adapter::nat(self.name.span)];
        for network in &networks {
            if let Some([doubt, korean]) = network.doubt {
                self.take(not_known(
                    network.span,
                    text!("a network that is there {doubt}", "있을지 알 수 없는 네트워크 ({korean})"),
                ));
                continue;
            }
            if matches!(network.kind.as_str(), "private_network" | "public_network") {
                self.attach(network, &mut adapters, &mut shared.host_only);
            } else if network.kind != "forwarded_port" {
                self.out.diagnostics.push(no_such_network(network));
            }
        }
        let certain: Vec<Network> = networks.into_iter().filter(|network| network.doubt.is_none()).collect();
        self.forward(&certain, &mut adapters, shared);
        adapters
    }

    fn attach(&mut self, network: &Network, adapters: &mut Vec<AdapterDecl>, host_only: &mut HostOnly) {
        let wanted = match network.value("adapter") {
            Some(Value::Int(number)) => number.checked_sub(1).and_then(|slot| u8::try_from(slot).ok()),
            _ => None,
        };
        let is_free = |slot: &u8| adapters.iter().all(|adapter| adapter.slot != *slot);
        let Some(slot) = wanted.or_else(|| (0..ADAPTERS).find(is_free)) else { return };
        let adapter = match adapter::adapter(network, slot, host_only) {
            Ok(adapter) => adapter,
            Err(bad) => {
                self.bad(network.span, bad);
                adapter::unknown(slot, network.span)
            }
        };
        adapters.retain(|other| other.slot != slot);
        adapters.push(adapter);
    }

    fn forward(&mut self, networks: &[Network], adapters: &mut [AdapterDecl], shared: &mut Shared) {
        let usable = self.usable();
        let (forwards, bad) = forward::forwards(networks, &usable, &mut shared.taken);
        for (span, problem) in bad {
            self.bad(span, problem);
        }
        let nat = adapters.iter_mut().find(|adapter| adapter.slot == 0).map(|adapter| &mut adapter.mode);
        if let Some(AdapterMode::Nat(nat)) = nat {
            nat.forwards = forwards;
        }
    }

    fn usable(&self) -> RangeInclusive<u16> {
        let argument = self.setting("vm.usable_port_range=").and_then(|call| call.arguments.first());
        match argument.map(|argument| &argument.value) {
            Some(Value::Range(first, last)) => match (u16::try_from(*first), u16::try_from(*last)) {
                (Ok(first), Ok(last)) => first..=last,
                _ => forward::USABLE,
            },
            _ => forward::USABLE,
        }
    }

    /// What is refused is left out, and since it may be there in another way, verdicts that depend on it are undecided.
    fn bad(&mut self, span: Span, bad: Bad) {
        match bad {
            Bad::Unknown => self
                .take(not_known(span, text!("a network whose settings are not known", "설정을 알 수 없는 네트워크"))),
            Bad::Refused(problem) => {
                // A port that is taken is certainly not forwarded.
                if problem.code != Code::VagrantPortTaken {
                    let what = problem.message.clone();
                    self.out.value.push(Declaration::Unmodeled(Spanned::new(what, span)));
                }
                self.out.diagnostics.push(*problem);
            }
        }
    }

    /// `customize` hands words to VBoxManage; other providers are not modelled.
    fn providers(&mut self, shared: &mut Shared) {
        let providers = || self.calls.iter().filter(|call| call.method == "vm.provider");
        let is_ours = |call: &&Call| call.first_name() == Some("virtualbox");
        let calls: Vec<Call> = providers().filter(is_ours).flat_map(|call| call.inside.borrow().clone()).collect();
        if let Some(other) = providers().next().filter(|_| !providers().any(|call| is_ours(&call))) {
            self.out.diagnostics.push(other_provider(other));
        }
        for call in calls {
            match call.method.as_str() {
                "customize" => {
                    let read = customize(&self.name.value, &call);
                    self.out.diagnostics.extend(read.diagnostics);
                    for declaration in read.value {
                        match declaration {
                            // It may change how the machine is attached.
                            Declaration::Unmodeled(_) => self.out.value.push(declaration),
                            other => shared.customized.push(other),
                        }
                    }
                }
                "network_adapter" => {
                    self.take(not_known(call.span, text!("an adapter of the provider", "프로바이더의 어댑터")))
                }
                _ => {}
            }
        }
    }

    /// Plugins that nobody knows may do anything.
    fn others(&mut self) {
        for call in self.calls {
            let area = call.method.split(['.', '=']).next().unwrap_or("");
            let is_known = matches!(area, "vm" | "ssh" | "winrm" | "winssh" | "trigger") || HARMLESS.contains(&area);
            if area == "trigger" {
                self.trigger(call);
            } else if !is_known {
                self.out.diagnostics.push(unknown_plugin(area, call.span));
            }
        }
    }

    /// Commands around `vagrant up`; those that only print are no matter.
    fn trigger(&mut self, call: &Call) {
        let inside = call.inside.borrow();
        if inside.iter().any(|inner| matches!(inner.method.as_str(), "run_remote=" | "ruby" | "run=")) {
            self.take(unmodeled(call.span, text!("what a trigger runs", "트리거가 실행하는 것")));
        }
    }
}

/// The most adapters that VirtualBox has (chipset ICH9).
const ADAPTERS: u8 = 36;

/// `VBoxManage` and the words of a `customize` call; `:id` is the machine.
fn customize(machine: &str, call: &Call) -> Declarations {
    let (events, words) = match call.arguments.as_slice() {
        [words] => (None, words),
        [event, words, ..] => (event.value.name(), words),
        [] => return Declarations::default(),
    };
    let Value::List(items) = &words.value else {
        return unmodeled(
            call.span,
            text!(
                "a command for VBoxManage that is known only when Vagrant runs",
                "Vagrant가 실행될 때에만 알 수 있는 VBoxManage 명령"
            ),
        );
    };
    if call.doubt.is_some() || events == Some("pre-import") {
        return unmodeled(
            call.span,
            text!("a command for VBoxManage that may not be run", "실행되지 않을 수도 있는 VBoxManage 명령"),
        );
    }
    let mut line = PlacedText::default();
    line.push("VBoxManage", words.span, Nature::Computed);
    for item in items.borrow().iter() {
        let text = match item {
            Value::Symbol(id) if id == "id" => Some(PlacedText::computed(machine, words.span)),
            other => to_text(other, words.span).filter(|text| text.is_known() && !text.as_str().contains('\'')),
        };
        let Some(text) = text else {
            return unmodeled(
                call.span,
                text!(
                    "a command for VBoxManage that is known only when Vagrant runs",
                    "Vagrant가 실행될 때에만 알 수 있는 VBoxManage 명령"
                ),
            );
        };
        // Without quotes the place is that of the word alone.
        let is_plain = |c: char| c.is_alphanumeric() || "-_.,:/=+%@".contains(c);
        let quote = if !text.as_str().is_empty() && text.as_str().chars().all(is_plain) { "" } else { "'" };
        line.push(&format!(" {quote}"), words.span, Nature::Computed);
        line.append(&text);
        line.push(quote, words.span, Nature::Computed);
    }
    shell::parse_placed(&line, Variables::new())
}

fn not_known(span: Span, what: impl Into<Text>) -> Declarations {
    let what = what.into();
    let value = vec![Declaration::Unmodeled(Spanned::new(what.clone(), span))];
    Declarations { value, diagnostics: vec![not_followed(span, &what)] }
}

fn no_such_network(network: &Network) -> Diagnostic {
    Diagnostic::new(
        Code::VagrantBadValue,
        text!("`{kind}` is not a kind of network", "`{kind}`: 네트워크의 종류가 아닙니다", kind = &network.kind),
    )
    .label(network.span, text!("Vagrant refuses this", "Vagrant가 거부함"))
    .help(text!(
        "`forwarded_port`, `private_network` or `public_network`",
        "`forwarded_port`, `private_network`, `public_network` 가운데 하나로 쓰십시오"
    ))
}

fn other_provider(call: &Call) -> Diagnostic {
    let name = call.first_name().map_or_else(|| text!("another one", "다른 것"), Text::from);
    let message = text!("the provider `{name}` is not modelled; the machine is taken for one of VirtualBox", "프로바이더 `{name}`은(는) 모델에 없습니다. VirtualBox의 머신으로 봅니다"; name);
    let diagnostic = Diagnostic::new(Code::VagrantNotFollowed, message)
        .label(call.span, text!("only this one is configured", "이 프로바이더만 설정되어 있음"));
    Diagnostic {
        severity: Severity::Warning,
        ..diagnostic.help(text!(
            "state the machine's interfaces in lab.yaml instead",
            "머신의 인터페이스를 lab.yaml에 적으십시오"
        ))
    }
}

fn unknown_plugin(area: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::VagrantNotFollowed,
        text!(
            "what the plugin behind `config.{area}` does is not known",
            "`config.{area}` 뒤의 플러그인이 무엇을 하는지 알 수 없습니다"
        ),
    )
    .label(span, text!("taken to leave the network alone", "네트워크를 건드리지 않는 것으로 봄"))
    .help(text!("verdicts do not count on it", "판정은 이것을 고려하지 않습니다"))
}
